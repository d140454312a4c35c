/*
 * A seal's data on disk: made, stopped and taken up again, drawn from, shown;
 * judged by the rules of consensus/seal.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/sealer.h"
#include "support.h"
#include "util/fs.h"
#include "util/mem.h"

#define SECTORS 2

struct place {
    char *directory;
    struct cc_sealer_config config;
    uint8_t roots[SECTORS * 32];
    unsigned asked; /* sectors the source was asked for */
    bool empty;     /* the source has nothing */
    struct cc_sealer *s;
};

static void make(uint8_t *sector, uint32_t n)
{
    for (size_t i = 0; i < CC_SECTOR_SIZE; i += 4)
        cc_put_u32le(sector + i, n * 2654435761u + (uint32_t)i);
}

static enum cc_status source(void *arg, const uint8_t root[32],
                             uint32_t position, uint8_t *sector,
                             struct cc_error *err)
{
    struct place *p = arg;

    if (p->empty)
        return cc_fail(err, CC_NOTFOUND, "sold");
    assert_memory_equal(root, p->roots + 32 * position, 32);
    make(sector, position);
    __atomic_add_fetch(&p->asked, 1, __ATOMIC_RELAXED);
    return CC_OK;
}

static int setup(void **state)
{
    struct place *p = cc_calloc(1, sizeof(*p));
    uint8_t *sector = cc_malloc(CC_SECTOR_SIZE);

    p->directory = cc_test_mkdir();
    p->config.params = cc_params_get(CC_CHAIN_REGTEST);
    p->config.directory = p->directory;
    p->config.threads = 2;
    p->config.source = source;
    p->config.arg = p;
    for (uint32_t i = 0; i < SECTORS; i++) {
        make(sector, i);
        cc_mtree_sector_root(p->roots + 32 * i, sector);
    }
    free(sector);
    assert_int_equal(
        cc_sealer_create(&p->s, &p->config, p->roots, SECTORS, NULL), CC_OK);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    cc_sealer_free(p->s);
    assert_int_equal(cc_sealer_remove(p->directory, NULL), CC_OK);
    cc_test_rmdir(p->directory);
    free(p);
    return 0;
}

static void reopen(struct place *p)
{
    cc_sealer_free(p->s);
    p->s = NULL;
    assert_int_equal(cc_sealer_open(&p->s, &p->config, NULL), CC_OK);
}

static bool rests(void *arg)
{
    struct place *p = arg;
    struct cc_sealer_progress g;

    cc_sealer_progress(p->s, &g);
    return !g.working;
}

static void wait_done(struct place *p)
{
    struct cc_sealer_progress g;

    cc_test_until(rests, p, "sealing is at its end");
    cc_sealer_progress(p->s, &g);
    if (g.fault[0])
        fail_msg("%s", g.fault);
}

/* Each unit draws one of UNIT = 4 sectors, so of two about half of the
 * blocks. Everything below the target is found, nothing else. */
static void check_draws(struct place *p, const uint8_t key[32])
{
    const struct cc_params *params = p->config.params;
    const struct cc_u256 all = params->storage.ticket_max;
    struct cc_u256 ticket, half;
    uint8_t hash[32] = {0}, *proof, raw[CC_LEAF_SIZE], leaf[32], root[32],
            got[32];
    uint64_t leaves[4096], sector;
    size_t n, some, len, drawn = 0;
    unsigned column;

    half = all;
    half.w[3] >>= 1;
    cc_mtree_root(root, p->roots, SECTORS);
    for (uint8_t block = 0; block < 12; block++) {
        hash[0] = block;
        cc_seal_draw(&sector, &column, hash, key, 0, params);
        assert_int_equal(
            cc_sealer_draw(p->s, hash, &all, leaves, 4096, &n, NULL), CC_OK);
        assert_int_equal(n, sector < SECTORS ? 4096 : 0);
        assert_int_equal(
            cc_sealer_draw(p->s, hash, &half, leaves, 4096, &some, NULL),
            CC_OK);
        assert_true(n ? some > 1800 && some < 2300 : some == 0);
        if (n == 0)
            continue;
        drawn++;
        assert_int_equal(
            cc_sealer_prove(p->s, leaves[drawn], &proof, &len, NULL), CC_OK);
        cc_seal_ticket(&ticket, hash, key, leaves[drawn], column, proof,
                       params);
        assert_true(cc_u256_cmp(&ticket, &half) < 0);
        cc_unseal_leaf(raw, proof, leaves[drawn], key, params);
        cc_mtree_leaf(leaf, raw, CC_LEAF_SIZE);
        assert_true(cc_mtree_path_root(
            got, leaf, leaves[drawn], SECTORS * CC_SECTOR_LEAVES,
            proof + CC_LEAF_SIZE, (len - CC_LEAF_SIZE) / 32));
        assert_memory_equal(got, root, 32);
        free(proof);
    }
    assert_true(drawn > 0);
}

/* One wrong byte: shown to nobody. */
static void check_damage(struct place *p)
{
    char path[128];
    uint8_t *proof;
    size_t len;
    int fd;

    snprintf(path, sizeof(path), "%s/sealed", p->directory);
    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "x", 1, CC_SECTOR_SIZE + 300000), 1);
    close(fd);
    assert_int_equal(cc_sealer_prove(p->s, 5, &proof, &len, NULL), CC_OK);
    free(proof);
    assert_int_equal(
        cc_sealer_prove(p->s, CC_SECTOR_LEAVES, &proof, &len, NULL),
        CC_CORRUPT);
}

/* Whatever byte of meta changes, wherever it is cut: not taken, and told. */
static void test_meta(void **state)
{
    struct place *p = *state;
    const uint8_t place[32] = {9};
    struct cc_error err;
    uint8_t *data;
    char path[128];
    size_t len;

    assert_int_equal(cc_sealer_set_place(p->s, place, 3, 77, NULL), CC_OK);
    cc_sealer_free(p->s);
    p->s = NULL;
    snprintf(path, sizeof(path), "%s/meta", p->directory);
    assert_int_equal(cc_fs_read(path, 1000, &data, &len, NULL), CC_OK);
    assert_int_equal(len, 81 + SECTORS * 33 + 32);
    for (size_t i = 0; i < 2 * len; i++) {
        cc_error_init(&err);
        if (i < len)
            data[i] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(
            cc_fs_write(path, data, i < len ? len : i - len, 0600, NULL),
            CC_OK);
        assert_int_equal(cc_sealer_open(&p->s, &p->config, &err), CC_CORRUPT);
        assert_non_null(strstr(err.text, "does not check"));
        assert_null(p->s);
        if (i < len)
            data[i] ^= (uint8_t)(1 << i % 8);
    }
    data = cc_reallocarray(data, len + 1, 1);
    data[len] = 0;
    assert_int_equal(cc_fs_write(path, data, len + 1, 0600, NULL), CC_OK);
    assert_int_equal(cc_sealer_open(&p->s, &p->config, NULL), CC_CORRUPT);
    assert_int_equal(cc_fs_write(path, data, len, 0600, NULL), CC_OK);
    assert_int_equal(cc_sealer_open(&p->s, &p->config, NULL), CC_OK);
    cc_sealer_free(p->s);
    p->s = NULL;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cc_sealer_open(&p->s, &p->config, NULL), CC_NOTFOUND);
    free(data);
}

static void test_seal(void **state)
{
    struct place *p = *state;
    const uint8_t key[32] = {1};
    struct cc_sealer_progress g;
    uint8_t txid[32], root[32], want[32], *proof;
    const uint8_t place[32] = {9};
    uint32_t vout, height;
    size_t n;
    uint64_t leaf;

    cc_mtree_root(want, p->roots, SECTORS);
    cc_sealer_root(p->s, root);
    assert_memory_equal(root, want, 32);
    assert_false(cc_sealer_place(p->s, txid, &vout, &height));
    assert_int_equal(cc_sealer_set_place(p->s, place, 3, 77, NULL), CC_OK);
    /* Nothing is drawn from what is not sealed. */
    assert_int_equal(cc_sealer_draw(p->s, want,
                                    &p->config.params->storage.ticket_max,
                                    &leaf, 1, &n, NULL),
                     CC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(cc_sealer_prove(p->s, 0, &proof, &n, NULL), CC_NOTFOUND);
    assert_int_equal(cc_sealer_start(p->s, key, NULL), CC_OK);
    wait_done(p);
    cc_sealer_progress(p->s, &g);
    assert_int_equal(g.sealed, SECTORS);
    assert_true(g.part >= 1.0);
    check_draws(p, key);
    reopen(p);
    assert_true(cc_sealer_place(p->s, txid, &vout, &height));
    assert_memory_equal(txid, place, 32);
    assert_int_equal(vout, 3);
    assert_int_equal(height, 77);
    assert_true(cc_sealer_has_key(p->s, key));
    assert_false(cc_sealer_has_key(p->s, place));
    check_draws(p, key);
    /* The same key again: nothing to do. Another one: all of it. */
    p->asked = 0;
    assert_int_equal(cc_sealer_start(p->s, key, NULL), CC_OK);
    wait_done(p);
    assert_int_equal(p->asked, 0);
    check_damage(p);
    assert_int_equal(cc_sealer_start(p->s, place, NULL), CC_OK);
    cc_sealer_progress(p->s, &g);
    assert_int_equal(g.sealed, 0);
    reopen(p); /* stopped in the middle */
    cc_sealer_progress(p->s, &g);
    assert_false(g.working);
}

static void test_no_source(void **state)
{
    struct place *p = *state;
    const uint8_t key[32] = {1};
    struct cc_sealer_progress g;

    p->empty = true;
    assert_int_equal(cc_sealer_start(p->s, key, NULL), CC_OK);
    cc_test_until(rests, p, "it gave up");
    cc_sealer_progress(p->s, &g);
    assert_string_equal(g.fault, "sold");
    assert_int_equal(g.fault_status, CC_NOTFOUND);
    assert_int_equal(g.sealed, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_seal),
        TEST(test_meta),
        TEST(test_no_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
