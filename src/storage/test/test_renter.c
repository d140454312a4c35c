/*
 * The renter against a host that lies: each lie is caught, named, and costs no
 * more than what was prepaid.
 */
#include "storage/test/lying_host.h"

#include "crypto/ec.h"
#include "support.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define SECTORS 3

static struct cc_ec *ec;
static const struct cc_params *params;
static uint8_t sectors[SECTORS][CC_SECTOR_SIZE];

/* The renter's side of one test. */
struct world {
    char *dir;
    uint8_t secret[32];
    struct lying_host host;
    enum cc_status met; /* how the session began */
    struct cc_renter_contract c;
    struct cc_renter_link link;
    struct cc_error err;
};

static void world_clear(struct world *w)
{
    cc_renter_contract_clear(&w->c);
    lying_host_clear(&w->host);
    cc_test_rmdir(w->dir);
}

/* A session with the host, who from now on lies like this. */
static enum cc_status meet(struct world *w, enum lie lie)
{
    struct cc_session *s;
    int fd = lying_host_start(&w->host, lie);

    assert_int_equal(
        cc_session_start(&s, ec, fd, w->host.key, w->secret, 5000, &w->err),
        CC_OK);
    w->met = cc_renter_link_init(&w->link, s, &w->c, params, ec, w->dir,
                                 w->secret, &w->err);
    return w->met;
}

static void part(struct world *w)
{
    if (w->met == CC_OK)
        cc_renter_link_clear(&w->link);
    lying_host_join(&w->host);
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
static void world_init(struct world *w)
{
    char *folder;
    uint8_t root[32];

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
    w->host.ec = ec;
    w->host.params = params;
    w->host.sectors = (const uint8_t(*)[CC_SECTOR_SIZE])sectors;
    w->host.sector_count = SECTORS;

    assert_int_equal(meet(w, HONEST), CC_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(write_sector(w, i, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w->link, &w->err), CC_OK);
    part(w);
}

/* Garbage in the middle: the last one takes its place. */
static void test_trim(void **state)
{
    struct world w;
    uint8_t root[32], want[2][32];

    (void)state;
    world_init(&w);
    (void)meet(&w, HONEST);
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
    part(&w);
    world_clear(&w);
}

static void test_honest(void **state)
{
    static uint8_t out[CC_SECTOR_SIZE];
    struct world w;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    assert_int_equal(w.c.revision, 1);
    assert_int_equal(w.c.roots.count, 2);
    assert_int_equal(w.host.revision, 1);
    check_disk(&w);
    /* Paid for what was written, rounded up to a satoshi, and not more. */
    assert_int_equal(w.c.used, 2 * (PRICE_WRITE + PRICE_REQUEST));
    assert_int_equal(w.c.voucher, 2);
    assert_int_equal(meet(&w, HONEST), CC_OK);
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
    part(&w);
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
        uint8_t root[32];

        world_init(&w);
        assert_int_equal(meet(&w, rows[i].lie), CC_OK);
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
        part(&w);
        world_clear(&w);
    }
}

/* Sector 2 is written; whether the revision that has it came to be, nobody
 * tells us. */
static void lose_answer(struct world *w, uint8_t root[32])
{
    (void)meet(w, NO_ANSWER);
    assert_int_equal(write_sector(w, 2, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w->link, &w->err), CC_IO);
    part(w);
}

/* The answer to a revision was lost: the host has it, signed by both. */
static void test_lost_answer(void **state)
{
    struct world w;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    lose_answer(&w, root);
    assert_int_equal(w.c.revision, 1);
    assert_int_equal(meet(&w, HONEST), CC_OK);
    assert_int_equal(w.c.revision, 2);
    assert_int_equal(w.c.roots.count, 3);
    check_disk(&w);
    part(&w);
    world_clear(&w);
}

/* After a refusal the next revision has a new number. */
static void test_burnt_number(void **state)
{
    struct world w;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    (void)meet(&w, REFUSE_REVISION);
    assert_int_equal(write_sector(&w, 2, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_INVALID);
    w.host.lie = HONEST;
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.c.revision, 3);
    assert_int_equal(w.c.roots.count, 3);
    part(&w);
    world_clear(&w);
}

/* What a gateway that was killed had asked is done by the host after the next
 * one asked for the state: refused, agreed anew, and done. */
static void test_late_requests(void **state)
{
    uint8_t out[1024];
    struct world w;
    uint8_t root[32];

    (void)state;
    /* The first fits into what is paid, the second is refused once. */
    for (int i = 0; i < 2; i++) {
        world_init(&w);
        w.c.voucher = w.host.voucher = 3;
        w.host.late = i ? 1000000 : PRICE_WRITE + PRICE_REQUEST;
        assert_int_equal(meet(&w, LATE_WRITE), CC_OK);
        assert_int_equal(write_sector(&w, 2, root), CC_OK);
        assert_int_equal(w.c.used, w.host.used);
        assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
        /* Only once a session. */
        w.host.used += 1000;
        assert_int_equal(
            cc_renter_link_read(&w.link, root, 0, 1024, out, &w.err),
            i ? CC_OK : CC_CORRUPT);
        part(&w);
        world_clear(&w);
    }

    world_init(&w);
    lose_answer(&w, root);
    assert_int_equal(w.host.revision, 2);
    assert_int_equal(meet(&w, LATE_REVISE), CC_OK);
    assert_int_equal(w.c.revision, 1);
    assert_int_equal(write_sector(&w, 0, root), CC_OK);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.c.revision, 4); /* 3 was signed and refused */
    assert_int_equal(w.c.roots.count, 4);
    assert_int_equal(w.host.roots.count, 4);
    check_disk(&w);
    part(&w);
    world_clear(&w);
}

/* A shard whose host was given up goes, though the host took it only after we
 * had looked, and found nothing to trim. */
static void test_disowned(void **state)
{
    struct world w;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    lose_answer(&w, root);
    cc_roots_add(&w.c.garbage, root);
    (void)meet(&w, LATE_REVISE);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.c.revision, 1);
    assert_int_equal(w.c.garbage.count, 1);
    part(&w);
    (void)meet(&w, HONEST);
    assert_int_equal(w.c.roots.count, 3);
    assert_int_equal(cc_renter_link_commit(&w.link, &w.err), CC_OK);
    assert_int_equal(w.host.roots.count, 2);
    assert_int_equal(w.c.garbage.count, 0);
    check_disk(&w);
    part(&w);
    world_clear(&w);
}

/* A voucher was signed and kept, and never arrived: it is signed again. */
static void test_lost_voucher(void **state)
{
    struct world w;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    w.c.voucher += 5;
    (void)meet(&w, HONEST);
    assert_int_equal(write_sector(&w, 2, root), CC_OK);
    assert_int_equal(w.host.voucher, 3);
    part(&w);
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

        world_init(&w);
        w.c.revision = w.c.signed_revision = 0;
        w.c.roots.count = 0;
        w.c.pending.count = 0;
        assert_int_equal(meet(&w, rows[i].lie), rows[i].st);
        if (w.met == CC_OK) {
            assert_int_equal(w.c.revision, 1);
            assert_int_equal(w.c.signed_revision, 1);
            assert_int_equal(w.c.roots.count, 2);
            check_disk(&w);
        } else {
            expect_words(&w, rows[i].says);
            assert_int_equal(w.c.roots.count, 0);
        }
        part(&w);
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

        world_init(&w);
        assert_int_equal(meet(&w, rows[i].lie), CC_CORRUPT);
        expect_words(&w, rows[i].says);
        part(&w);
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
        uint8_t root[32];

        world_init(&w);
        assert_int_equal(meet(&w, rows[i].lie), CC_OK);
        cc_mtree_sector_root(root, sectors[0]);
        memset(out, 0xee, sizeof(out));
        assert_int_equal(
            cc_renter_link_read(&w.link, root, 2048, 4096, out, &w.err),
            CC_CORRUPT);
        expect_words(&w, rows[i].says);
        assert_memory_equal(out, untouched, sizeof(out));
        part(&w);
        world_clear(&w);
    }
}

/* The renter's own bounds: capacity and allowance. */
static void test_bounds(void **state)
{
    struct world w;
    uint8_t root[32];

    (void)state;
    world_init(&w);
    (void)meet(&w, HONEST);
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
    part(&w);
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
