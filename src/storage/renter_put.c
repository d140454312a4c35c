/*
 * Storing an object. Each shard number has its place, a contract with a host
 * of its own; slab by slab the shards are made and sent to all places at once,
 * and each host's revision is signed before the next slab. A place whose host
 * fails is given to another host, which gets the slab's shard anew; what
 * earlier slabs left with the first host stays where it is.
 *
 * Where each shard is about to go is in the journal before it goes there.
 */
#include "storage/renter_internal.h"
#include "storage/renter_journal.h"

#include "consensus/wide.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/pool.h"
#include "util/random.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 31

struct place {
    struct cc_renter_link link;
    bool open;
    uint8_t secret[32];
    struct cc_renter_contract *contract;
    /* the shard at hand */
    uint8_t root[32];
    bool stored;
    struct cc_error err;
};

struct put {
    struct cc_renter *r;
    struct cc_manifest m;
    struct cc_erasure *code;
    struct cc_host *hosts;
    size_t host_count;
    uint32_t height;
    struct place *places; /* object.n of them */
    struct cc_journal journal;
    uint8_t *plain, **shards;
    int fd;
};

/* --- Places -------------------------------------------------------------- */

static bool host_in_use(const struct put *p, const uint8_t key[32])
{
    for (unsigned i = 0; i < p->m.object.n; i++)
        if (p->places[i].open &&
            !memcmp(p->places[i].contract->terms.host_key, key, 32))
            return true;
    return false;
}

static bool crowded(const struct put *p, const struct cc_host *h)
{
    const char *taken[CC_ERASURE_MAX];
    size_t count = 0;

    for (unsigned i = 0; i < p->m.object.n; i++)
        if (p->places[i].open)
            taken[count++] = p->places[i].contract->endpoint;
    return cc_host_crowded(taken, count, p->m.object.k, p->m.object.n,
                           h->endpoint);
}

/* A contract with this host that has room, money and time for the object. */
static struct cc_renter_contract *usable(const struct put *p,
                                         const struct cc_host *h)
{
    uint32_t need = p->m.slab_count;

    for (size_t i = 0; i < p->r->count; i++) {
        struct cc_renter_contract *c = p->r->contracts[i];
        cc_u128 cost =
            (cc_u128)need * (cc_renter_cost_write(c) +
                             cc_renter_cost_read(c, CC_SECTOR_LEAVES));

        if (!c->forming && !memcmp(c->terms.host_key, h->key, 32) &&
            c->capacity - c->roots.count >= need &&
            (c->terms.allowance - c->voucher) * CC_USAT >= cost &&
            cc_renter_contract_end(c) > (int64_t)p->height + c->terms.period)
            return c;
    }
    return NULL;
}

static enum cc_status open_place(struct put *p, struct place *at,
                                 struct cc_host *h, struct cc_error *err)
{
    enum cc_status st = CC_OK;
    uint8_t key[32];
    uint32_t index;

    h->used = true;
    at->contract = usable(p, h);
    if (at->contract) {
        strcpy(at->contract->endpoint, h->endpoint);
    } else {
        cc_renter_say(p->r, "forming a contract with %s (%s)", h->name,
                      h->endpoint);
        st = cc_renter_form(p->r, h, p->m.slab_count, &at->contract, err);
    }
    if (st == CC_OK)
        st = cc_renter_storage_key(p->r, at->contract->key_index, &index, key,
                                   at->secret, err);
    if (st == CC_OK && memcmp(key, at->contract->terms.renter_key, 32))
        st =
            cc_fail(err, CC_INVALID, "the contract's key is not this wallet's");
    if (st == CC_OK)
        st =
            cc_renter_link_open(p->r, &at->link, at->contract, at->secret, err);
    at->open = st == CC_OK;
    return st;
}

static void close_place(struct place *at)
{
    if (at->open)
        cc_renter_link_clear(&at->link);
    cc_cleanse(at->secret, sizeof(at->secret));
    at->open = false;
}

/* The next best host that was not tried yet. */
static enum cc_status fill_place(struct put *p, struct place *at,
                                 struct cc_error *err)
{
    for (size_t i = 0; i < p->host_count; i++) {
        struct cc_host *h = &p->hosts[i];
        struct cc_error e;
        enum cc_status st;

        if (!h->answers || h->used || host_in_use(p, h->key) || crowded(p, h))
            continue;
        cc_error_init(&e);
        st = open_place(p, at, h, &e);
        if (st == CC_OK)
            return CC_OK;
        if (e.reason[0]) { /* ours, not the host's: no other one helps */
            cc_fail(err, st, "%s", e.text);
            return st == CC_NOTFOUND ? CC_IO : st;
        }
        cc_renter_say(p->r, "host %s: %s", h->name[0] ? h->name : h->endpoint,
                      e.text);
    }
    return CC_NOTFOUND;
}

static enum cc_status too_few(const struct put *p, struct cc_error *err)
{
    size_t answer = 0, good = 0, apart = 0;
    const char *fault = "";

    for (size_t i = 0; i < p->host_count; i++) {
        answer += p->hosts[i].answers;
        apart += p->hosts[i].answers && !p->hosts[i].used &&
                 crowded(p, &p->hosts[i]);
        if (!p->hosts[i].answers)
            fault = p->hosts[i].fault;
    }
    for (unsigned i = 0; i < p->m.object.n; i++)
        good += p->places[i].open;
    if (!p->host_count)
        return cc_fail(err, CC_LIMIT,
                       "no hosts: nobody is registered as a host on this "
                       "chain, or your node has not seen it yet");
    if (apart)
        return cc_fail(err, CC_LIMIT,
                       "too few hosts: -n=%u needs as many, %zu agreed, and "
                       "%zu stand in networks that have their share already",
                       p->m.object.n, good, apart);
    return cc_fail(err, CC_LIMIT,
                   "too few hosts: -n=%u needs as many, %zu are registered, "
                   "%zu answer, %zu agreed so far%s%s",
                   p->m.object.n, p->host_count, answer, good,
                   *fault ? "; one says: " : "", fault);
}

/* Before any money is spent: are there hosts enough at all? */
static enum cc_status check_hosts(const struct put *p, struct cc_error *err)
{
    unsigned able = 0;

    for (size_t i = 0; i < p->host_count; i++)
        able += p->hosts[i].answers &&
                (p->hosts[i].settings.accepting || usable(p, &p->hosts[i]));
    return able < p->m.object.n ? too_few(p, err) : CC_OK;
}

/* Contracts that filling all places will have to form. */
static size_t contracts_to_form(const struct put *p)
{
    size_t want = 0;

    for (unsigned i = 0; i < p->m.object.n; i++)
        want += !p->places[i].open;
    for (size_t i = 0; i < p->host_count && want; i++) {
        const struct cc_host *h = &p->hosts[i];

        want -=
            h->answers && !h->used && !host_in_use(p, h->key) && usable(p, h);
    }
    return want;
}

static enum cc_status fill_places(struct put *p, struct cc_error *err)
{
    enum cc_status split =
        cc_renter_split_coins(p->r, contracts_to_form(p), err);

    if (split != CC_OK)
        return split;
    for (unsigned i = 0; i < p->m.object.n; i++) {
        enum cc_status st;

        if (p->places[i].open)
            continue;
        st = fill_place(p, &p->places[i], err);
        if (st == CC_NOTFOUND)
            return too_few(p, err);
        if (st != CC_OK)
            return st;
    }
    return CC_OK;
}

/* --- Slabs --------------------------------------------------------------- */

static void find_root(void *arg, size_t i)
{
    struct put *p = arg;

    cc_mtree_sector_root(p->places[i].root, p->shards[i]);
}

static void store_shard(void *arg, size_t i)
{
    struct put *p = arg;
    struct place *at = &p->places[i];
    enum cc_status st;

    if (at->stored)
        return;
    cc_error_init(&at->err);
    st = cc_renter_link_write(&at->link, p->shards[i], at->root, &at->err);
    if (st == CC_OK)
        st = cc_renter_link_commit(&at->link, &at->err);
    at->stored = st == CC_OK;
}

/* A host that failed may have the shard all the same: it took the sector, or
 * even signed the revision, and its answer was lost. The object will not name
 * it, so the contract does: it goes when next we talk. */
static enum cc_status disown(const struct put *p, struct place *at,
                             struct cc_error *err)
{
    struct cc_roots *garbage = &at->contract->garbage;

    if (cc_roots_find(garbage, at->root) == SIZE_MAX)
        cc_roots_add(garbage, at->root);
    return cc_renter_contract_save(at->contract, p->r->dir, err);
}

static enum cc_status store_slab(struct put *p, struct cc_pool *pool,
                                 uint32_t slab, struct cc_error *err)
{
    unsigned n = p->m.object.n;

    cc_object_seal_slab(&p->m.object, p->code, slab, p->plain, p->shards);
    cc_pool_run(pool, find_root, p, n);
    for (unsigned i = 0; i < n; i++)
        p->places[i].stored = false;
    for (;;) {
        unsigned missing = 0;
        enum cc_status st;

        for (unsigned i = 0; i < n; i++)
            if (!p->places[i].stored)
                cc_journal_add(&p->journal, p->places[i].contract->id,
                               p->places[i].root);
        st = cc_journal_sync(&p->journal, err);
        if (st != CC_OK)
            return st;
        cc_pool_run(pool, store_shard, p, n);
        for (unsigned i = 0; i < n; i++) {
            struct place *at = &p->places[i];

            if (at->stored)
                continue;
            missing++;
            cc_renter_say_fault(p->r, "left out", at->contract->endpoint,
                                at->err.text);
            close_place(at);
            st = disown(p, at, err);
            if (st != CC_OK)
                return st;
        }
        if (!missing)
            break;
        st = fill_places(p, err);
        if (st != CC_OK)
            return st;
    }
    for (unsigned i = 0; i < n; i++) {
        struct cc_placement *x = &p->m.places[(size_t)slab * n + i];

        memcpy(x->contract, p->places[i].contract->id, 32);
        memcpy(x->root, p->places[i].root, 32);
    }
    return CC_OK;
}

static enum cc_status read_plain(struct put *p, size_t len,
                                 struct cc_error *err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = read(p->fd, p->plain + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cc_fail_errno(err, "read");
        if (n == 0)
            return cc_fail(err, CC_IO, "the file became shorter meanwhile");
        done += (size_t)n;
    }
    return CC_OK;
}

static enum cc_status store_slabs(struct put *p, struct cc_error *err)
{
    unsigned n = p->m.object.n;
    struct cc_pool *pool = cc_pool_new(n < THREADS ? n - 1 : THREADS, "put");
    enum cc_status st = CC_OK;

    for (uint32_t s = 0; st == CC_OK && s < p->m.slab_count; s++) {
        st = read_plain(p, cc_object_slab_len(&p->m.object, s), err);
        if (st == CC_OK)
            st = store_slab(p, pool, s, err);
        if (st == CC_OK)
            cc_renter_say(p->r, "stored %" PRIu32 " of %" PRIu32 " slabs",
                          s + 1, p->m.slab_count);
    }
    cc_pool_free(pool);
    return st;
}

/* --- The object ---------------------------------------------------------- */

static enum cc_status open_file(struct put *p, const char *path,
                                struct cc_error *err)
{
    struct stat info;

    p->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0 && errno == ENOENT)
        return cc_fail(err, CC_INVALID, "there is no file %s", path);
    if (p->fd < 0 || fstat(p->fd, &info))
        return cc_fail_errno(err, "%s", path);
    if (!S_ISREG(info.st_mode))
        return cc_fail(err, CC_INVALID, "%s is no regular file", path);
    p->m.object.size = (uint64_t)info.st_size;
    if (p->m.object.size > CC_OBJECT_MAX)
        return cc_fail(err, CC_LIMIT, "%s is too large", path);
    return CC_OK;
}

static enum cc_status prepare(struct put *p, const char *name,
                              struct cc_error *err)
{
    struct cc_renter *r = p->r;
    struct cc_manifest old;
    enum cc_status st;
    unsigned n = r->o.n;

    st = cc_renter_need_secret(r, err);
    if (st != CC_OK)
        return st;
    st = cc_manifest_load(&old, r->dir, name, r->secret, err);
    if (st == CC_OK) {
        cc_manifest_clear(&old);
        return cc_fail(err, CC_INVALID,
                       "\"%s\" is stored already: rm it first, or give "
                       "another name",
                       name);
    }
    if (st != CC_NOTFOUND)
        return st;
    p->m.name = cc_strdup(name);
    p->m.time = (uint64_t)cc_clock_now(NULL);
    cc_random_bytes(p->m.id, sizeof(p->m.id));
    p->m.object.k = (uint8_t)r->o.k;
    p->m.object.n = (uint8_t)n;
    cc_manifest_derive_key(&p->m, r->secret);
    p->m.slab_count = cc_object_slabs(&p->m.object);
    p->m.places = cc_calloc((size_t)p->m.slab_count * n, sizeof(*p->m.places));
    p->places = cc_calloc(n, sizeof(*p->places));
    p->code = cc_erasure_new(r->o.k, n);
    p->plain = cc_malloc(cc_object_slab_size(r->o.k) + 1);
    p->shards = cc_calloc(n, sizeof(*p->shards));
    for (unsigned i = 0; i < n; i++)
        p->shards[i] = cc_malloc(CC_SECTOR_SIZE);
    st = cc_renter_height(r, &p->height, err);
    if (st == CC_OK)
        st = cc_renter_settle_forming(r, p->height, err);
    if (st == CC_OK)
        st = cc_renter_find_hosts(r, &p->hosts, &p->host_count, err);
    return st;
}

/* Under way: from here on the journal tells what is to be undone. */
static enum cc_status begin(struct put *p, struct cc_error *err)
{
    char file[65];

    cc_manifest_file(file, p->m.name, p->r->secret);
    return cc_journal_begin(&p->journal, p->r->dir, file, err);
}

static void clear(struct put *p)
{
    for (unsigned i = 0; p->places && i < p->m.object.n; i++)
        close_place(&p->places[i]);
    for (unsigned i = 0; p->shards && i < p->m.object.n; i++)
        free(p->shards[i]);
    if (p->plain)
        cc_cleanse(p->plain, cc_object_slab_size(p->m.object.k));
    if (p->fd >= 0)
        close(p->fd);
    cc_journal_close(&p->journal);
    cc_erasure_free(p->code);
    free(p->plain);
    free(p->shards);
    free(p->places);
    free(p->hosts);
    cc_manifest_clear(&p->m);
}

enum cc_status cc_renter_put(struct cc_renter *r, const char *path,
                             const char *name, struct cc_error *err)
{
    struct put p;
    enum cc_status st;

    memset(&p, 0, sizeof(p));
    p.r = r;
    p.fd = -1;
    st = open_file(&p, path, err);
    if (st == CC_OK)
        st = prepare(&p, name, err);
    if (st == CC_OK)
        st = check_hosts(&p, err);
    if (st == CC_OK)
        st = fill_places(&p, err);
    if (st == CC_OK)
        st = begin(&p, err);
    if (st == CC_OK)
        st = store_slabs(&p, err);
    if (st == CC_OK)
        st = cc_manifest_save(&p.m, r->dir, r->secret, err);
    if (st == CC_OK)
        st = cc_journal_end(&p.journal, err);
    if (st == CC_OK)
        cc_renter_say(r,
                      "kept until block %" PRId64 ", %" PRId64
                      " blocks from now: store it again before then",
                      cc_renter_kept_until(r, &p.m),
                      cc_renter_kept_until(r, &p.m) - p.height);
    clear(&p);
    return st;
}
