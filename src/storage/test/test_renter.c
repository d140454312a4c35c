/*
 * The renter against a host that lies: each lie is caught, named, and costs no
 * more than what was prepaid.
 */
#include "storage/renter_link.h"

#include "crypto/ec.h"
#include "support.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECTORS 3
#define PRICE_WRITE 700000 /* usat */
#define PRICE_READ 100
#define PRICE_REQUEST 1000

static struct cc_ec *ec;
static const struct cc_params *params;
static uint8_t sectors[SECTORS][CC_SECTOR_SIZE];

enum lie {
    HONEST,
    WRONG_ROOT,    /* another root for a written sector */
    OVERCHARGE,    /* a satoshi more than agreed */
    CLAIM_USED,    /* used more than vouchers pay, from the beginning */
    KEEP_VOUCHER,  /* say that the voucher was not taken */
    BAD_SIGNATURE, /* of a revision */
    NO_ANSWER,     /* hang up after taking the revision */
    ROLL_BACK,     /* an older revision than was signed */
    FORGE,         /* a newer revision that the renter did not sign */
    FORGE_ROOTS,   /* roots that do not lead to the revision's */
    NO_ROOTS,      /* none at all */
    MANY_ROOTS,    /* more than were asked for */
    REFUSE_ROOTS,
    OTHER_SECTOR,    /* the data of another sector, proof and all */
    FLIP,            /* one bit of the data */
    SHORT,           /* a leaf less than asked */
    BAD_RANGE,       /* one bit of the range's proof */
    BAD_PATH,        /* one bit of the sector's path */
    REFUSE_REVISION, /* a refusal, which is no lie */
    LATE_WRITE,      /* nor these two: what a dead session asked is done */
    LATE_REVISE,     /* only after the state was told */
};

/* The host's mind: good over several sessions. */
struct host {
    uint8_t secret[32], key[32], id[32], renter_key[32];
    enum lie lie;
    struct cc_roots roots, before, written;
    uint32_t revision;
    uint8_t renter_sig[64], host_sig[64];
    uint64_t voucher, used, late;
    uint32_t numbers[64]; /* of revisions that the renter signed */
    size_t number_count;
    int fd;
    pthread_t thread;
};

static const uint8_t *sector_with(const uint8_t root[32])
{
    uint8_t h[32];

    for (int i = 0; i < SECTORS; i++) {
        cc_mtree_sector_root(h, sectors[i]);
        if (!memcmp(h, root, 32))
            return sectors[i];
    }
    fail_msg("no such sector");
    return NULL;
}

static void answer_latest(struct host *h, struct cc_msg_latest_reply *r)
{
    const struct cc_roots *roots = &h->roots;

    r->revision = h->revision;
    if (h->lie == ROLL_BACK || h->lie == LATE_REVISE) {
        r->revision--;
        roots = &h->before;
    }
    if (h->lie == FORGE)
        r->revision++;
    cc_roots_root(r->root, roots);
    r->sectors = (uint32_t)roots->count;
    memcpy(r->renter_signature, h->renter_sig, 64);
    memcpy(r->host_signature, h->host_sig, 64);
    r->capacity = 10;
    r->voucher = h->voucher;
    r->used = h->used + (h->lie == CLAIM_USED ? 2 * CC_USAT : 0);
    if (h->lie == LATE_WRITE)
        h->used += h->late;
    if (h->lie == LATE_WRITE || h->lie == LATE_REVISE)
        h->lie = HONEST;
}

static bool paid(struct host *h, uint64_t cost)
{
    if (h->used + cost > h->voucher * CC_USAT)
        return false;
    h->used += cost;
    return true;
}

static void refuse(struct cc_message *r, enum cc_refusal code, const char *text)
{
    r->type = CC_MSG_ERROR;
    memset(&r->u, 0, sizeof(r->u));
    r->u.error.code = (uint16_t)code;
    r->u.error.text = cc_bytes(text, strlen(text));
}

static void answer_revise(struct host *h, const struct cc_msg_revise *q,
                          struct cc_message *r)
{
    struct cc_roots next = {NULL, 0, 0};
    uint8_t msg[32];

    cc_revision_message(msg, h->id, q->revision, q->root, q->sectors, params);
    assert_true(cc_schnorr_verify(h->renter_key, q->signature, msg, 32));
    for (size_t i = 0; i < h->number_count; i++)
        assert_int_not_equal(h->numbers[i], q->revision);
    h->numbers[h->number_count++] = q->revision;
    if (h->lie == REFUSE_REVISION) {
        refuse(r, CC_REFUSE_BUSY, "a challenge is open");
        return;
    }
    assert_true(q->revision > h->revision);
    cc_roots_copy(&next, &h->roots);
    if (cc_changes_apply(&next.data, &next.count, &next.cap, q, NULL, NULL,
                         NULL) != CC_OK) {
        cc_roots_clear(&next);
        refuse(r, CC_REFUSE_REVISION, "does not follow");
        return;
    }
    cc_roots_copy(&h->before, &h->roots);
    cc_roots_copy(&h->roots, &next);
    cc_roots_clear(&next);
    h->revision = q->revision;
    memcpy(h->renter_sig, q->signature, 64);
    assert_true(cc_schnorr_sign(ec, h->host_sig, h->secret, msg, 32, NULL));
    memcpy(r->u.revise_reply.signature, h->host_sig, 64);
    if (h->lie == BAD_SIGNATURE)
        r->u.revise_reply.signature[63] ^= 1;
}

static void answer_read(struct host *h, const struct cc_msg_read *q,
                        struct cc_msg_read_reply *r)
{
    static uint8_t leaves[CC_SECTOR_LEAVES * 32], data[CC_SECTOR_SIZE];
    static uint8_t range[CC_PROOF_NODES_MAX * 32], path[64 * 32];
    size_t at = q->sector, count = CC_PROOF_NODES_MAX, len;

    if (h->lie == OTHER_SECTOR)
        at = (at + 1) % h->roots.count;
    memcpy(data, sector_with(h->roots.data + 32 * at), CC_SECTOR_SIZE);
    cc_mtree_sector_leaves(leaves, data);
    assert_true(cc_mtree_range_prove(range, &count, leaves, CC_SECTOR_LEAVES,
                                     q->offset / CC_LEAF_SIZE,
                                     (q->offset + q->length) / CC_LEAF_SIZE));
    len = cc_mtree_path_len(at, h->roots.count);
    cc_mtree_path(path, h->roots.data, h->roots.count, at);
    if (h->lie == FLIP)
        data[q->offset + q->length / 2] ^= 0x10;
    if (h->lie == BAD_RANGE)
        range[5] ^= 1;
    if (h->lie == BAD_PATH)
        path[5] ^= 1;
    r->data = cc_bytes(data + q->offset,
                       q->length - (h->lie == SHORT ? CC_LEAF_SIZE : 0));
    r->range = cc_bytes(range, 32 * count);
    r->path = cc_bytes(path, 32 * len);
    assert_true(
        paid(h, PRICE_REQUEST + PRICE_READ * (q->length / CC_LEAF_SIZE)));
    r->used = h->used + (h->lie == OVERCHARGE ? CC_USAT : 0);
}

static void answer_voucher(struct host *h, const struct cc_msg_voucher *q,
                           struct cc_msg_voucher_reply *r)
{
    uint8_t msg[32];

    cc_voucher_message(msg, h->id, q->amount, params);
    assert_true(cc_schnorr_verify(h->renter_key, q->signature, msg, 32));
    r->amount = h->voucher;
    if (h->lie == KEEP_VOUCHER)
        return;
    assert_true(q->amount > h->voucher);
    r->amount = h->voucher = q->amount;
}

/* False: hang up. */
static bool answer(struct host *h, const struct cc_message *q,
                   struct cc_message *r)
{
    /* All of a renter's messages begin with the contract. */
    assert_memory_equal(&q->u, h->id, 32);
    r->type = (enum cc_message_type)(q->type + 1);
    switch ((int)q->type) {
    case CC_MSG_LATEST:
        answer_latest(h, &r->u.latest_reply);
        return true;
    case CC_MSG_VOUCHER:
        answer_voucher(h, &q->u.voucher, &r->u.voucher_reply);
        return true;
    case CC_MSG_WRITE:
        if (!paid(h, PRICE_WRITE + PRICE_REQUEST)) {
            refuse(r, CC_REFUSE_PAYMENT, "pay first");
            return true;
        }
        cc_mtree_sector_root(r->u.write_reply.root, q->u.write.data.data);
        r->u.write_reply.root[0] ^= h->lie == WRONG_ROOT;
        r->u.write_reply.used = h->used + (h->lie == OVERCHARGE ? CC_USAT : 0);
        return true;
    case CC_MSG_REVISE:
        answer_revise(h, &q->u.revise, r);
        return h->lie != NO_ANSWER;
    case CC_MSG_READ:
        answer_read(h, &q->u.read, &r->u.read_reply);
        return true;
    case CC_MSG_ROOTS:
        r->u.roots_reply.total = (uint32_t)h->roots.count;
        if (h->lie == FORGE_ROOTS)
            h->roots.data[0] ^= 1;
        if (h->lie == MANY_ROOTS)
            cc_roots_add(&h->roots, h->id);
        if (h->lie == NO_ROOTS)
            h->roots.count = q->u.roots.from;
        if (h->lie == REFUSE_ROOTS) {
            refuse(r, CC_REFUSE_INTERNAL, "no roots today");
            return true;
        }
        r->u.roots_reply.roots =
            cc_bytes(h->roots.data + 32 * q->u.roots.from,
                     32 * (h->roots.count - q->u.roots.from));
        return true;
    default:
        fail_msg("asked for %d", (int)q->type);
        return false;
    }
}

static void *host_main(void *arg)
{
    struct host *h = arg;
    struct cc_session *s;
    struct cc_message q, r;

    if (cc_session_accept(&s, ec, h->fd, h->secret, 5000, NULL) != CC_OK)
        return NULL;
    memcpy(h->renter_key, cc_session_peer(s), 32);
    while (cc_session_receive(s, &q, 5000, NULL) == CC_OK) {
        memset(&r, 0, sizeof(r));
        r.id = q.id;
        if (!answer(h, &q, &r) || cc_session_send(s, &r, NULL) != CC_OK)
            break;
    }
    cc_session_free(s);
    return NULL;
}

/* The renter's side of one test. */
struct world {
    char *dir;
    uint8_t secret[32];
    struct host host;
    struct cc_renter_contract c;
    struct cc_renter_link link;
    struct cc_error err;
};

static void world_init(struct world *w)
{
    char *folder;

    memset(w, 0, sizeof(*w));
    w->dir = cc_test_mkdir();
    folder = cc_fs_join(w->dir, "contracts");
    assert_int_equal(cc_fs_mkdirs(folder, NULL), CC_OK);
    free(folder);
    folder = cc_fs_join(w->dir, "objects");
    assert_int_equal(cc_fs_mkdirs(folder, NULL), CC_OK);
    free(folder);
    cc_ec_secret_new(w->secret);
    cc_ec_secret_new(w->host.secret);
    assert_true(cc_ec_xonly(ec, w->host.key, w->host.secret));
    memset(w->c.id, 0x77, 32);
    memcpy(w->host.id, w->c.id, 32);
    assert_true(cc_ec_xonly(ec, w->c.terms.renter_key, w->secret));
    memcpy(w->c.terms.host_key, w->host.key, 32);
    w->c.terms.allowance = 100;
    w->c.capacity = 10;
    w->c.price_write = PRICE_WRITE;
    w->c.price_read = PRICE_READ;
    w->c.price_request = PRICE_REQUEST;
    strcpy(w->c.endpoint, "127.0.0.1:1");
}

static void world_clear(struct world *w)
{
    cc_renter_contract_clear(&w->c);
    cc_roots_clear(&w->host.roots);
    cc_roots_clear(&w->host.before);
    cc_roots_clear(&w->host.written);
    cc_test_rmdir(w->dir);
}

/* A session with the host, who from now on lies like this. */
static enum cc_status meet(struct world *w, enum lie lie)
{
    struct cc_session *s;
    int fds[2];

    w->host.lie = lie;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    w->host.fd = fds[1];
    assert_int_equal(pthread_create(&w->host.thread, NULL, host_main, &w->host),
                     0);
    assert_int_equal(
        cc_session_start(&s, ec, fds[0], w->host.key, w->secret, 5000, &w->err),
        CC_OK);
    return cc_renter_link_init(&w->link, s, &w->c, params, ec, w->dir,
                               w->secret, &w->err);
}

/* met: the result of meet. */
static void part(struct world *w, enum cc_status met)
{
    if (met == CC_OK)
        cc_renter_link_clear(&w->link);
    assert_int_equal(pthread_join(w->host.thread, NULL), 0);
}

/* What is on disk is what is in memory. */
static void check_disk(const struct world *w)
{
    struct cc_renter_contract c;
    char *path, id[65];

    cc_hex_encode(id, w->c.id, 32);
    path = cc_asprintf("%s/contracts/%s.json", w->dir, id);
    assert_int_equal(cc_renter_contract_load(&c, path, NULL), CC_OK);
    assert_int_equal(c.revision, w->c.revision);
    assert_int_equal(c.signed_revision, w->c.signed_revision);
    assert_int_equal(c.voucher, w->c.voucher);
    assert_int_equal(c.roots.count, w->c.roots.count);
    cc_renter_contract_clear(&c);
    free(path);
}

static enum cc_status write_sector(struct world *w, int i, uint8_t root[32])
{
    cc_mtree_sector_root(root, sectors[i]);
    return cc_renter_link_write(&w->link, sectors[i], root, &w->err);
}

/* Two sectors stored by an honest host. */
static void store_two(struct world *w)
{
    uint8_t root[32];
    enum cc_status met = meet(w, HONEST);

    assert_int_equal(met, CC_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(write_sector(w, i, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w->link, &w->err), CC_OK);
    part(w, met);
}

/* Garbage in the middle: the last one takes its place. */
static void test_trim(void **state)
{
    struct world w;
    enum cc_status met;
    uint8_t root[32], want[2][32];

    (void)state;
    world_init(&w);
    store_two(&w);
    met = meet(&w, HONEST);
    assert_int_equal(write_sector(&w, 2, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    cc_mtree_sector_root(want[0], sectors[0]);
    memcpy(want[1], root, 32);
    cc_mtree_sector_root(root, sectors[1]);
    cc_roots_add(&w.c.garbage, root);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.host.roots.count, 2);
    assert_memory_equal(w.host.roots.data, want, 64);
    assert_memory_equal(w.c.roots.data, want, 64);
    part(&w, met);
    world_clear(&w);
}

static void test_honest(void **state)
{
    static uint8_t out[CC_SECTOR_SIZE];
    struct world w;
    enum cc_status met;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    store_two(&w);
    assert_int_equal(w.c.revision, 1);
    assert_int_equal(w.c.roots.count, 2);
    assert_int_equal(w.host.revision, 1);
    check_disk(&w);
    /* Paid for what was written, rounded up to a satoshi, and not more. */
    assert_int_equal(w.c.used, 2 * (PRICE_WRITE + PRICE_REQUEST));
    assert_int_equal(w.c.voucher, 2);
    met = meet(&w, HONEST);
    assert_int_equal(met, CC_OK);
    /* Nothing to commit, so no revision. */
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.c.signed_revision, 1);
    cc_mtree_sector_root(root, sectors[1]);
    assert_int_equal(
        cc_renter_link_read(&w.link, root, 0, CC_SECTOR_SIZE, out, &w.err),
        CC_OK);
    assert_memory_equal(out, sectors[1], CC_SECTOR_SIZE);
    assert_int_equal(
        cc_renter_link_read(&w.link, root, 4096, 2048, out, &w.err), CC_OK);
    assert_memory_equal(out, sectors[1] + 4096, 2048);
    assert_int_equal(w.c.used, w.host.used);
    /* A sector that is not there is not asked for. */
    cc_mtree_sector_root(root, sectors[2]);
    assert_int_equal(cc_renter_link_read(&w.link, root, 0, 1024, out, &w.err),
                     CC_CORRUPT);
    /* Garbage is swapped to the end and trimmed, and then forgotten. */
    cc_mtree_sector_root(root, sectors[0]);
    cc_roots_add(&w.c.garbage, root);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.c.roots.count, 1);
    assert_int_equal(w.c.garbage.count, 0);
    assert_int_equal(w.host.roots.count, 1);
    cc_mtree_sector_root(root, sectors[1]);
    assert_memory_equal(w.host.roots.data, root, 32);
    check_disk(&w);
    part(&w, met);
    world_clear(&w);
}

static void expect_words(const struct world *w, const char *words)
{
    if (!strstr(w->err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", w->err.text, words);
}

static void test_write_lies(void **state)
{
    static const struct {
        enum lie lie;
        enum cc_status write, commit;
        const char *says;
    } rows[] = {
        {WRONG_ROOT, CC_CORRUPT, CC_OK, "stored other data"},
        {OVERCHARGE, CC_CORRUPT, CC_OK, "charged"},
        {KEEP_VOUCHER, CC_CORRUPT, CC_OK, "did not take the voucher"},
        {BAD_SIGNATURE, CC_OK, CC_CORRUPT, "signature of the revision"},
        {NO_ANSWER, CC_OK, CC_IO, "connection closed"},
        {REFUSE_REVISION, CC_OK, CC_INVALID, "a challenge is open"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        enum cc_status met;
        uint8_t root[32];

        world_init(&w);
        store_two(&w);
        met = meet(&w, rows[i].lie);
        assert_int_equal(met, CC_OK);
        assert_int_equal(write_sector(&w, 2, root), rows[i].write);
        if (rows[i].write == CC_OK)
            assert_int_equal(cc_renter_link_commit(&w.link, &w.err),
                             rows[i].commit);
        expect_words(&w, rows[i].says);
        /* Whatever happened, our state is that of the last good revision,
         * and the number that we signed is never used again. */
        assert_int_equal(w.c.revision, 1);
        assert_int_equal(w.c.roots.count, 2);
        assert_int_equal(w.c.signed_revision, rows[i].write == CC_OK ? 2 : 1);
        check_disk(&w);
        part(&w, met);
        world_clear(&w);
    }
}

/* Sector 2 is written; whether the revision that has it came to be, nobody
 * tells us. */
static void lose_answer(struct world *w, uint8_t root[32])
{
    enum cc_status met = meet(w, NO_ANSWER);

    assert_int_equal(write_sector(w, 2, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w->link, &w->err), CC_IO);
    part(w, met);
}

/* The answer to a revision was lost: the host has it, signed by both. */
static void test_lost_answer(void **state)
{
    struct world w;
    enum cc_status met;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    store_two(&w);
    lose_answer(&w, root);
    assert_int_equal(w.c.revision, 1);
    met = meet(&w, HONEST);
    assert_int_equal(met, CC_OK);
    assert_int_equal(w.c.revision, 2);
    assert_int_equal(w.c.roots.count, 3);
    check_disk(&w);
    part(&w, met);
    world_clear(&w);
}

/* After a refusal the next revision has a new number. */
static void test_burnt_number(void **state)
{
    struct world w;
    enum cc_status met;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    store_two(&w);
    met = meet(&w, REFUSE_REVISION);
    assert_int_equal(write_sector(&w, 2, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_INVALID);
    w.host.lie = HONEST;
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.c.revision, 3);
    assert_int_equal(w.c.roots.count, 3);
    part(&w, met);
    world_clear(&w);
}

/* What a gateway that was killed had asked is done by the host after the next
 * one asked for the state: refused, agreed anew, and done. */
static void test_late_requests(void **state)
{
    uint8_t out[1024];
    struct world w;
    enum cc_status met;
    uint8_t root[32];

    (void)state;
    /* The first fits into what is paid, the second is refused once. */
    for (int i = 0; i < 2; i++) {
        world_init(&w);
        store_two(&w);
        w.c.voucher = w.host.voucher = 3;
        w.host.late = i ? 1000000 : PRICE_WRITE + PRICE_REQUEST;
        met = meet(&w, LATE_WRITE);
        assert_int_equal(met, CC_OK);
        assert_int_equal(write_sector(&w, 2, root), CC_OK);
        assert_int_equal(w.c.used, w.host.used);
        assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
        /* Only once a session. */
        w.host.used += 1000;
        assert_int_equal(
            cc_renter_link_read(&w.link, root, 0, 1024, out, &w.err),
            i ? CC_OK : CC_CORRUPT);
        part(&w, met);
        world_clear(&w);
    }

    world_init(&w);
    store_two(&w);
    lose_answer(&w, root);
    assert_int_equal(w.host.revision, 2);
    met = meet(&w, LATE_REVISE);
    assert_int_equal(met, CC_OK);
    assert_int_equal(w.c.revision, 1);
    assert_int_equal(write_sector(&w, 0, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.c.revision, 4); /* 3 was signed and refused */
    assert_int_equal(w.c.roots.count, 4);
    assert_int_equal(w.host.roots.count, 4);
    check_disk(&w);
    part(&w, met);
    world_clear(&w);
}

/* A shard whose host was given up goes, though the host took it only after we
 * had looked, and found nothing to trim. */
static void test_disowned(void **state)
{
    struct world w;
    enum cc_status met;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    store_two(&w);
    lose_answer(&w, root);
    cc_roots_add(&w.c.garbage, root);
    met = meet(&w, LATE_REVISE);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.c.revision, 1);
    assert_int_equal(w.c.garbage.count, 1);
    part(&w, met);
    met = meet(&w, HONEST);
    assert_int_equal(w.c.roots.count, 3);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.host.roots.count, 2);
    assert_int_equal(w.c.garbage.count, 0);
    check_disk(&w);
    part(&w, met);
    world_clear(&w);
}

/* A voucher was signed and kept, and never arrived: it is signed again. */
static void test_lost_voucher(void **state)
{
    struct world w;
    enum cc_status met;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    store_two(&w);
    w.c.voucher += 5;
    met = meet(&w, HONEST);
    assert_int_equal(write_sector(&w, 2, root), CC_OK);
    assert_int_equal(w.host.voucher, 3);
    part(&w, met);
    world_clear(&w);
}

/* Our folder was lost: the host's word is taken with both signatures. */
static void test_lost_state(void **state)
{
    static const struct {
        enum lie lie;
        enum cc_status st;
        const char *says;
    } rows[] = {
        {HONEST, CC_OK, ""},
        {FORGE_ROOTS, CC_CORRUPT, "do not lead to its root"},
        {NO_ROOTS, CC_CORRUPT, "gave 0 roots for 2"},
        {MANY_ROOTS, CC_CORRUPT, "gave 3 roots for 2"},
        {REFUSE_ROOTS, CC_INVALID, "no roots today"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        enum cc_status met;

        world_init(&w);
        store_two(&w);
        w.c.revision = w.c.signed_revision = 0;
        w.c.roots.count = 0;
        w.c.pending.count = 0;
        met = meet(&w, rows[i].lie);
        assert_int_equal(met, rows[i].st);
        if (met == CC_OK) {
            assert_int_equal(w.c.revision, 1);
            assert_int_equal(w.c.signed_revision, 1);
            assert_int_equal(w.c.roots.count, 2);
            check_disk(&w);
        } else {
            expect_words(&w, rows[i].says);
            assert_int_equal(w.c.roots.count, 0);
        }
        part(&w, met);
        world_clear(&w);
    }
}

static void test_meeting_lies(void **state)
{
    static const struct {
        enum lie lie;
        const char *says;
    } rows[] = {
        {ROLL_BACK, "although it signed"},
        {FORGE, "without both signatures"},
        {CLAIM_USED, "more than vouchers pay"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        enum cc_status met;

        world_init(&w);
        store_two(&w);
        met = meet(&w, rows[i].lie);
        assert_int_equal(met, CC_CORRUPT);
        expect_words(&w, rows[i].says);
        part(&w, met);
        world_clear(&w);
    }
}

static void test_read_lies(void **state)
{
    static const struct {
        enum lie lie;
        const char *says;
    } rows[] = {
        {OTHER_SECTOR, "other data than was stored"},
        {FLIP, "other data than was stored"},
        {BAD_RANGE, "other data than was stored"},
        {SHORT, "bytes for"},
        {BAD_PATH, "path does not lead"},
        {OVERCHARGE, "charged"},
    };
    uint8_t out[4096], untouched[4096];

    (void)state;
    memset(untouched, 0xee, sizeof(untouched));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        enum cc_status met;
        uint8_t root[32];

        world_init(&w);
        store_two(&w);
        met = meet(&w, rows[i].lie);
        assert_int_equal(met, CC_OK);
        cc_mtree_sector_root(root, sectors[0]);
        memset(out, 0xee, sizeof(out));
        assert_int_equal(
            cc_renter_link_read(&w.link, root, 2048, 4096, out, &w.err),
            CC_CORRUPT);
        expect_words(&w, rows[i].says);
        assert_memory_equal(out, untouched, sizeof(out));
        part(&w, met);
        world_clear(&w);
    }
}

/* The renter's own bounds: capacity and allowance. */
static void test_bounds(void **state)
{
    struct world w;
    enum cc_status met;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    store_two(&w);
    met = meet(&w, HONEST);
    w.c.capacity = 2;
    assert_int_equal(write_sector(&w, 2, root), CC_LIMIT);
    expect_words(&w, "are full");
    w.c.capacity = 3;
    w.c.terms.allowance = 2;
    assert_int_equal(write_sector(&w, 2, root), CC_LIMIT);
    expect_words(&w, "allowance");
    assert_int_equal(w.host.voucher, 2);
    w.c.terms.allowance = 3;
    assert_int_equal(write_sector(&w, 2, root), CC_OK);
    part(&w, met);
    world_clear(&w);
}

static int setup(void **state)
{
    struct cc_test_random r;

    (void)state;
    ec = cc_ec_new();
    params = cc_params_get(CC_CHAIN_REGTEST);
    cc_test_random_init(&r, 31);
    for (int s = 0; s < SECTORS; s++)
        for (size_t i = 0; i < CC_SECTOR_SIZE; i += 8)
            cc_put_u64le(sectors[s] + i, cc_test_random(&r));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_ec_free(ec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_write_lies),
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_burnt_number),
        cmocka_unit_test(test_late_requests),
        cmocka_unit_test(test_disowned),
        cmocka_unit_test(test_lost_voucher),
        cmocka_unit_test(test_lost_state),
        cmocka_unit_test(test_meeting_lies),
        cmocka_unit_test(test_read_lies),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
