/*
 * Fetching and removing objects. Of each slab any k shards will do: those of
 * the hosts that proved quick are asked first, all at once; who fails or lies
 * is left out from then on and another takes its place.
 */
#include "storage/renter_internal.h"
#include "storage/renter_journal.h"

#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 31

/* A contract that holds shards of the object. */
struct source {
    struct cc_renter_contract *contract; /* NULL: we have it no more */
    struct cc_renter_link link;
    uint8_t secret[32];
    bool open, bad;
    int64_t took_ms; /* of its last answer; 0: not asked yet */
};

/* A shard to fetch, by one thread. */
struct task {
    struct source *from;
    unsigned shard;
    const uint8_t *root;
    bool done;
    struct cc_error err;
};

struct get {
    struct cc_renter *r;
    struct cc_manifest m;
    struct cc_erasure *code;
    struct source *sources; /* one per contract of the manifest */
    size_t source_count;
    uint8_t *plain, **shards;
    bool *have;
    struct task *tasks;
    uint32_t span;
    int fd;
};

static struct source *source_of(struct get *g, const uint8_t id[32])
{
    for (size_t i = 0; i < g->source_count; i++)
        if (g->sources[i].contract &&
            !memcmp(g->sources[i].contract->id, id, 32))
            return &g->sources[i];
    return NULL;
}

/* Every contract that the manifest names and we still have. */
static enum cc_status find_sources(struct get *g, struct cc_error *err)
{
    size_t places = (size_t)g->m.slab_count * g->m.object.n, cap = 0;

    for (size_t i = 0; i < places; i++) {
        const uint8_t *id = g->m.places[i].contract;
        struct cc_renter_contract *c = cc_renter_find_contract(g->r, id);
        struct source *s;
        uint8_t key[32];
        uint32_t index;
        enum cc_status st;

        if (!c || source_of(g, id))
            continue;
        g->sources =
            cc_grow(g->sources, &cap, g->source_count + 1, sizeof(*g->sources));
        s = &g->sources[g->source_count++];
        memset(s, 0, sizeof(*s));
        s->contract = c;
        st = cc_renter_storage_key(g->r, c->key_index, &index, key, s->secret,
                                   err);
        if (st != CC_OK)
            return st;
    }
    return CC_OK;
}

static enum cc_status open_source(struct get *g, struct source *s,
                                  struct cc_error *err)
{
    enum cc_status st;

    if (s->open)
        return CC_OK;
    st = cc_renter_link_open(g->r, &s->link, s->contract, s->secret, err);
    s->open = st == CC_OK;
    return st;
}

static void fetch(void *arg, size_t i)
{
    struct get *g = arg;
    struct task *t = &g->tasks[i];
    int64_t start = cc_clock_monotonic_ms();
    enum cc_status st;

    cc_error_init(&t->err);
    st = open_source(g, t->from, &t->err);
    if (st == CC_OK)
        st = cc_renter_link_read(&t->from->link, t->root, 0, g->span,
                                 g->shards[t->shard], &t->err);
    /* Never 0: that means not asked yet. */
    t->from->took_ms = cc_clock_monotonic_ms() - start + 1;
    t->done = st == CC_OK;
}

/* Is a to be asked before b: open ones, then the quicker. */
static bool better(const struct source *a, const struct source *b)
{
    if (a->open != b->open)
        return a->open;
    return a->took_ms < b->took_ms;
}

/* The tasks for what is missing of this slab: the best sources not yet tried
 * for it. Returns their number. */
static size_t plan(struct get *g, uint32_t slab, bool *tried, unsigned missing)
{
    unsigned n = g->m.object.n;
    size_t count = 0;

    while (count < missing) {
        struct source *best = NULL;
        unsigned shard = 0;

        for (unsigned i = 0; i < n; i++) {
            struct source *s =
                source_of(g, g->m.places[(size_t)slab * n + i].contract);
            bool busy = false;

            if (tried[i] || !s || s->bad)
                continue;
            for (size_t j = 0; j < count; j++)
                busy = busy || g->tasks[j].from == s;
            if (!busy && (!best || better(s, best))) {
                best = s;
                shard = i;
            }
        }
        if (!best)
            break;
        tried[shard] = true;
        g->tasks[count].from = best;
        g->tasks[count].shard = shard;
        g->tasks[count].root = g->m.places[(size_t)slab * n + shard].root;
        count++;
    }
    return count;
}

static enum cc_status fetch_slab(struct get *g, struct cc_pool *pool,
                                 uint32_t slab, struct cc_error *err)
{
    unsigned k = g->m.object.k, n = g->m.object.n, found = 0;
    bool tried[CC_ERASURE_MAX] = {false};

    memset(g->have, 0, n * sizeof(*g->have));
    g->span = (uint32_t)cc_object_slab_span(&g->m.object, slab);
    while (found < k) {
        size_t count = plan(g, slab, tried, k - found);

        if (!count)
            return cc_fail(err, CC_CORRUPT,
                           "slab %" PRIu32 ": only %u of %u shards needed can "
                           "be had now; try again when more hosts answer",
                           slab, found, k);
        cc_pool_run(pool, fetch, g, count);
        for (size_t i = 0; i < count; i++) {
            struct task *t = &g->tasks[i];

            if (t->done) {
                g->have[t->shard] = true;
                found++;
                continue;
            }
            t->from->bad = true;
            cc_renter_say_fault(g->r, "left out", t->from->contract->endpoint,
                                t->err.text);
        }
    }
    return cc_object_open_slab(&g->m.object, g->code, slab, g->plain, g->shards,
                               g->have, err);
}

static enum cc_status fetch_slabs(struct get *g, struct cc_error *err)
{
    unsigned k = g->m.object.k;
    struct cc_pool *pool = cc_pool_new(k < THREADS ? k - 1 : THREADS, "get");
    enum cc_status st = CC_OK;

    for (uint32_t s = 0; st == CC_OK && s < g->m.slab_count; s++) {
        st = fetch_slab(g, pool, s, err);
        if (st == CC_OK)
            st = cc_fs_write_all(g->fd, g->plain,
                                 cc_object_slab_len(&g->m.object, s), err);
        if (st == CC_OK)
            cc_renter_say(g->r, "fetched %" PRIu32 " of %" PRIu32 " slabs",
                          s + 1, g->m.slab_count);
    }
    cc_pool_free(pool);
    return st;
}

static enum cc_status prepare(struct get *g, const char *name,
                              struct cc_error *err)
{
    struct cc_renter *r = g->r;
    enum cc_status st = cc_renter_need_secret(r, err);
    unsigned n;

    if (st == CC_OK)
        st = cc_manifest_load(&g->m, r->dir, name, r->secret, err);
    if (st != CC_OK)
        return st;
    n = g->m.object.n;
    g->code = cc_erasure_new(g->m.object.k, n);
    g->plain = cc_malloc(cc_object_slab_size(g->m.object.k) + 1);
    g->have = cc_calloc(n, sizeof(*g->have));
    g->tasks = cc_calloc(n, sizeof(*g->tasks));
    g->shards = cc_calloc(n, sizeof(*g->shards));
    for (unsigned i = 0; i < n; i++)
        g->shards[i] = cc_malloc(CC_SECTOR_SIZE);
    return find_sources(g, err);
}

static void clear(struct get *g)
{
    for (size_t i = 0; i < g->source_count; i++) {
        if (g->sources[i].open) {
            (void)cc_renter_contract_save(g->sources[i].contract, g->r->dir,
                                          NULL);
            cc_renter_link_clear(&g->sources[i].link);
        }
        cc_cleanse(g->sources[i].secret, 32);
    }
    for (unsigned i = 0; g->shards && i < g->m.object.n; i++)
        free(g->shards[i]);
    cc_erasure_free(g->code);
    free(g->plain);
    free(g->have);
    free(g->tasks);
    free(g->shards);
    free(g->sources);
    cc_manifest_clear(&g->m);
}

/* Beside the file, so that it is there as a whole or not at all. */
static enum cc_status fetch_file(struct get *g, const char *path,
                                 struct cc_error *err)
{
    char *partial = cc_asprintf("%s.partial", path);
    enum cc_status st;

    g->fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (g->fd < 0) {
        st = cc_fail_errno(err, "%s", partial);
        free(partial);
        return st;
    }
    st = fetch_slabs(g, err);
    if (st == CC_OK && fsync(g->fd))
        st = cc_fail_errno(err, "%s", partial);
    close(g->fd);
    if (st == CC_OK && rename(partial, path))
        st = cc_fail_errno(err, "%s", path);
    if (st != CC_OK)
        unlink(partial);
    free(partial);
    return st;
}

enum cc_status cc_renter_get(struct cc_renter *r, const char *name,
                             const char *path, struct cc_error *err)
{
    enum cc_status st;
    struct get g;

    memset(&g, 0, sizeof(g));
    g.r = r;
    st = prepare(&g, name, err);
    if (st == CC_OK)
        st = fetch_file(&g, path, err);
    clear(&g);
    return st;
}

/* --- Removing ------------------------------------------------------------ */

static enum cc_status mark_garbage(struct get *g, struct cc_error *err)
{
    size_t places = (size_t)g->m.slab_count * g->m.object.n;
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < places; i++) {
        struct source *s = source_of(g, g->m.places[i].contract);

        if (s && cc_roots_find(&s->contract->garbage, g->m.places[i].root) ==
                     SIZE_MAX)
            cc_roots_add(&s->contract->garbage, g->m.places[i].root);
    }
    for (size_t i = 0; st == CC_OK && i < g->source_count; i++)
        st = cc_renter_contract_save(g->sources[i].contract, g->r->dir, err);
    return st;
}

/* The journal holds all of it before the manifest goes: a crash leaves the
 * object whole, or its sectors noted. */
static enum cc_status forget(struct get *g, struct cc_error *err)
{
    size_t places = (size_t)g->m.slab_count * g->m.object.n;
    struct cc_journal j;
    enum cc_status st;
    char file[65];

    cc_manifest_file(file, g->m.name, g->r->secret);
    st = cc_journal_begin(&j, g->r->dir, file, err);
    for (size_t i = 0; st == CC_OK && i < places; i++)
        cc_journal_add(&j, g->m.places[i].contract, g->m.places[i].root);
    if (st == CC_OK)
        st = cc_journal_sync(&j, err);
    if (st == CC_OK)
        st = cc_manifest_remove(g->r->dir, g->m.name, g->r->secret, err);
    if (st == CC_OK)
        st = mark_garbage(g, err);
    if (st == CC_OK)
        st = cc_journal_end(&j, err);
    else
        cc_journal_close(&j);
    return st;
}

static void trim(void *arg, size_t i)
{
    struct get *g = arg;
    struct source *s = &g->sources[i];
    struct cc_error err;
    enum cc_status st;

    cc_error_init(&err);
    st = open_source(g, s, &err);
    if (st == CC_OK)
        st = cc_renter_link_commit(&s->link, &err);
    s->bad = st != CC_OK;
    if (s->bad)
        cc_renter_say_fault(g->r, "to be trimmed later", s->contract->endpoint,
                            err.text);
}

enum cc_status cc_renter_remove(struct cc_renter *r, const char *name,
                                struct cc_error *err)
{
    struct cc_pool *pool;
    enum cc_status st;
    struct get g;

    memset(&g, 0, sizeof(g));
    g.r = r;
    st = prepare(&g, name, err);
    if (st == CC_OK)
        st = forget(&g, err);
    if (st == CC_OK && g.source_count) {
        size_t n = g.source_count - 1;

        pool = cc_pool_new(n < THREADS ? (unsigned)n : THREADS, "rm");
        cc_pool_run(pool, trim, &g, g.source_count);
        cc_pool_free(pool);
    }
    clear(&g);
    return st;
}
