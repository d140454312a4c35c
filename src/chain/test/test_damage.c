/* Files and values that were damaged, lost or left half done, and making them
 * anew. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/internal.h"
#include "chain/test/world.h"

struct fixture {
    struct world w;
    char *dir;
    struct cc_chain *c;
    int tip, branch; /* branch: of more blocks, not given */
};

static void give(struct fixture *f, int i)
{
    struct cc_error err;

    if (cc_chain_accept_block(f->c, &f->w.blocks[i].block, true, NULL, NULL,
                              &err) != CC_OK)
        fail_msg("block %d: %s", i, err.text);
}

/* 20 blocks; a side branch of 3 on number 15 */
static void setup(struct fixture *f)
{
    int side;

    memset(f, 0, sizeof(*f));
    world_init(&f->w, 21, true);
    f->dir = cc_test_mkdir();
    f->c = world_open(&f->w, f->dir);
    for (int n = 0; n < 20; n++) {
        f->tip = world_make(&f->w, f->tip, RIGHT);
        give(f, f->tip);
    }
    side = 15;
    for (int n = 0; n < 3; n++) {
        side = world_make(&f->w, side, RIGHT);
        give(f, side);
    }
    f->branch = side;
    for (int n = 0; n < 4; n++)
        f->branch = world_make(&f->w, f->branch, RIGHT);
}

static void teardown(struct fixture *f)
{
    cc_chain_free(f->c);
    cc_test_rmdir(f->dir);
    world_clear(&f->w);
}

static enum cc_status open_again(struct fixture *f, bool reindex,
                                 bool chainstate, struct cc_error *err)
{
    struct cc_chain_config config;
    enum cc_status st;

    cc_chain_free(f->c);
    f->c = NULL;
    world_config(&f->w, &config, f->dir);
    config.reindex = reindex;
    config.reindex_chainstate = chainstate;
    st = cc_chain_open(&f->c, &config, err);
    if (st != CC_OK)
        f->c = NULL;
    return st;
}

static void open_well(struct fixture *f, bool reindex, bool chainstate)
{
    struct cc_error err;

    if (open_again(f, reindex, chainstate, &err) != CC_OK)
        fail_msg("%s", err.text);
}

static void poke(struct fixture *f, const char *name, uint32_t at, uint8_t flip)
{
    char path[600];
    uint8_t b;
    int fd;

    snprintf(path, sizeof(path), "%s/blocks/%s", f->dir, name);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &b, 1, at), 1);
    b ^= flip;
    assert_int_equal(pwrite(fd, &b, 1, at), 1);
    close(fd);
}

static bool none_failed(void *arg, struct cc_index *i)
{
    (void)arg;
    assert_false(cc_index_failed(i));
    return true;
}

/* The branch that needs the damaged bytes to be undone: the chain stops, says
 * which file, and condemns nobody. */
static void expect_stop(struct fixture *f, const char *file, uint32_t at)
{
    char where[64];
    struct cc_error err;
    enum cc_status st = CC_OK;
    int todo[8], n = 0;

    for (int i = f->branch;
         i >= 0 && !cc_chain_find(f->c, f->w.blocks[i].block.hash);
         i = f->w.blocks[i].prev)
        todo[n++] = i;
    while (n && st == CC_OK)
        st = cc_chain_accept_block(f->c, &f->w.blocks[todo[--n]].block, true,
                                   NULL, NULL, &err);
    assert_int_equal(st, CC_CORRUPT);
    snprintf(where, sizeof(where), "%s, offset %u", file, (unsigned)at);
    if (!strstr(err.text, where))
        fail_msg("\"%s\" does not name %s", err.text, where);
    assert_true(cc_chain_failed(f->c, &err));
    cc_chain_each(f->c, none_failed, NULL);
}

static void test_undo_damaged(void **state)
{
    struct fixture f;
    uint32_t at;

    (void)state;
    setup(&f);
    at = cc_chain_at(f.c, 18)->undo_pos;
    poke(&f, "rev00000.dat", at + 1, 0x10);
    expect_stop(&f, "rev00000.dat", at);
    /* nothing was lost: mended, it goes on */
    poke(&f, "rev00000.dat", at + 1, 0x10);
    open_well(&f, false, false);
    assert_int_equal(cc_chain_tip(f.c)->height, 20);
    world_expect(&f.w, f.c, f.tip);
    teardown(&f);
}

/* Every byte of a stored block counts: header, body and witness. */
static void test_block_damaged(void **state)
{
    struct fixture f;
    uint32_t at, size;

    (void)state;
    setup(&f);
    at = cc_chain_at(f.c, 19)->data_pos;
    size = cc_chain_at(f.c, 19)->size;
    for (uint32_t k = 0; k < size; k += 1 + size / 40) {
        struct cc_error err;

        poke(&f, "blk00000.dat", at + k, 1);
        open_well(&f, false, false);
        assert_int_equal(
            cc_chain_verify(f.c, CC_VERIFY_CONNECT, 3, NULL, NULL, &err),
            CC_CORRUPT);
        assert_non_null(strstr(err.text, "blk00000.dat"));
        assert_non_null(strstr(err.text, "block of height 19: "));
        poke(&f, "blk00000.dat", at + k, 1);
    }
    poke(&f, "blk00000.dat", at + 90, 1);
    expect_stop(&f, "blk00000.dat", at);
    teardown(&f);
}

/* The same, found at the start where that is asked for. */
static void test_start_check(void **state)
{
    struct cc_chain_config config;
    struct fixture f;
    struct cc_error err;
    uint32_t at;

    (void)state;
    setup(&f);
    at = cc_chain_at(f.c, 18)->undo_pos;
    poke(&f, "rev00000.dat", at + 1, 0x10);
    cc_chain_free(f.c);
    world_config(&f.w, &config, f.dir);
    config.check_level = CC_VERIFY_COINS;
    config.check_blocks = 2; /* 20 and 19 */
    assert_int_equal(cc_chain_open(&f.c, &config, NULL), CC_OK);
    world_expect(&f.w, f.c, f.tip);
    cc_chain_free(f.c);
    config.check_level = CC_VERIFY_COINS;
    config.check_blocks = 3;
    assert_int_equal(cc_chain_open(&f.c, &config, &err), CC_CORRUPT);
    assert_string_equal(err.text,
                        ": Corrupted block database detected.\nPlease restart "
                        "with -reindex or -reindex-chainstate to recover.");
    f.c = NULL;
    open_well(&f, false, true);
    world_expect(&f.w, f.c, f.tip);
    teardown(&f);
}

/* A coin that the database lost: found when the block is undone. */
static void test_coin_lost(void **state)
{
    struct fixture f;
    struct cc_error err;
    struct cc_db_batch *b = cc_db_batch_new();
    uint8_t key[CC_COIN_KEY_MAX];
    struct cc_outpoint o = {{0}, 0};

    (void)state;
    setup(&f);
    assert_int_equal(
        cc_chain_verify(f.c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err), CC_OK);
    memcpy(o.txid, f.w.blocks[f.tip].block.tx[0].txid, 32);
    cc_db_batch_delete(b, f.c->db, CC_FAMILY_COINS,
                       cc_bytes(key, cc_coin_key(key, &o)));
    assert_int_equal(cc_db_write(f.c->db, b, true, NULL), CC_OK);
    open_well(&f, false, false);
    assert_int_equal(
        cc_chain_verify(f.c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err),
        CC_CORRUPT);
    open_well(&f, false, true);
    world_expect(&f.w, f.c, f.tip);
    assert_int_equal(
        cc_chain_verify(f.c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err), CC_OK);
    cc_db_batch_free(b);
    teardown(&f);
}

/* A spent coin that came back: the block that spent it does not fit. */
static void test_coin_too_many(void **state)
{
    struct fixture f;
    struct cc_error err;
    struct cc_db_batch *b = cc_db_batch_new();
    uint8_t key[CC_COIN_KEY_MAX];
    const struct cc_block *block = NULL;

    (void)state;
    setup(&f);
    for (int i = f.tip; i > 0 && !block; i = f.w.blocks[i].prev)
        if (f.w.blocks[i].block.tx_count > 1)
            block = &f.w.blocks[i].block;
    assert_non_null(block);
    cc_db_batch_put(
        b, f.c->db, CC_FAMILY_COINS,
        cc_bytes(key, cc_coin_key(key, &block->tx[1].vin[0].prevout)),
        cc_bytes("\x02\x01\x07\x51", 4));
    assert_int_equal(cc_db_write(f.c->db, b, true, NULL), CC_OK);
    open_well(&f, false, false);
    assert_int_equal(
        cc_chain_verify(f.c, CC_VERIFY_CONNECT, 20, NULL, NULL, &err),
        CC_CORRUPT);
    assert_non_null(strstr(err.text, "does not agree"));
    cc_db_batch_free(b);
    teardown(&f);
}

static void put(struct fixture *f, unsigned family, struct cc_bytes key,
                const char *value)
{
    struct cc_db_batch *b = cc_db_batch_new();

    cc_db_batch_put(b, f->c->db, family, key, cc_bytes(value, strlen(value)));
    assert_int_equal(cc_db_write(f->c->db, b, true, NULL), CC_OK);
    cc_db_batch_free(b);
}

static void test_index_damaged(void **state)
{
    struct fixture f;
    struct cc_error err;
    uint8_t hash[32];

    (void)state;
    setup(&f);
    memcpy(hash, cc_chain_at(f.c, 7)->hash, 32);
    put(&f, CC_FAMILY_INDEX, cc_bytes(hash, 32), "nonsense");
    assert_int_equal(open_again(&f, false, false, &err), CC_CORRUPT);
    assert_string_equal(err.text,
                        ": Error loading block database.\nPlease restart with "
                        "-reindex or -reindex-chainstate to recover.");
    open_well(&f, true, false);
    world_expect(&f.w, f.c, f.tip);
    teardown(&f);
}

static void test_tip_damaged(void **state)
{
    struct fixture f;
    struct cc_error err;

    (void)state;
    setup(&f);
    put(&f, CC_FAMILY_META, cc_bytes("tip", 3), "who?");
    assert_int_equal(open_again(&f, false, false, &err), CC_CORRUPT);
    assert_non_null(strstr(err.text, "-reindex"));
    open_well(&f, true, false);
    teardown(&f);
}

static void test_other_chain(void **state)
{
    struct fixture f;
    struct cc_error err;

    (void)state;
    setup(&f);
    f.w.params.genesis_hash[5] ^= 1;
    assert_int_equal(open_again(&f, false, false, &err), CC_INVALID);
    assert_string_equal(err.text, "Incorrect or no genesis block found. Wrong "
                                  "datadir for network?");
    teardown(&f);
}

static void test_reindex(void **state)
{
    struct fixture f;
    struct cc_error err;

    (void)state;
    setup(&f);
    open_well(&f, true, false);
    world_expect(&f.w, f.c, f.tip);
    assert_int_equal(cc_chain_index_count(f.c), 24);
    assert_int_equal(
        cc_chain_verify(f.c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err), CC_OK);
    /* what was appended since goes behind what was found */
    for (int i = f.branch - 3; i <= f.branch; i++)
        give(&f, i);
    world_expect(&f.w, f.c, f.branch);
    open_well(&f, false, false);
    world_expect(&f.w, f.c, f.branch);
    open_well(&f, false, true);
    world_expect(&f.w, f.c, f.branch);
    teardown(&f);
}

/* Blocks that lie in the files in any order, with garbage between. */
static void test_reindex_disorder(void **state)
{
    struct fixture f;
    uint32_t at;

    (void)state;
    setup(&f);
    cc_chain_free(f.c);
    cc_test_rmdir(f.dir);
    f.dir = cc_test_mkdir();
    f.c = world_open(&f.w, f.dir);
    for (int i = 1; i <= 20; i++)
        assert_int_equal(cc_chain_accept_header(
                             f.c, &f.w.blocks[i].block.header, NULL, NULL),
                         CC_OK);
    for (int i = 20; i > 0; i--)
        give(&f, i);
    world_expect(&f.w, f.c, 20);
    open_well(&f, true, false);
    world_expect(&f.w, f.c, 20);
    /* one frame is lost: what hangs from it waits */
    at = cc_chain_at(f.c, 12)->data_pos;
    poke(&f, "blk00000.dat", at - 8, 0xff);
    open_well(&f, true, false);
    world_expect(&f.w, f.c, 11);
    for (int i = 12; i <= 20; i++)
        give(&f, i);
    world_expect(&f.w, f.c, 20);
    teardown(&f);
}

/* Block files whose database is gone are indexed, not written over. */
static void test_database_lost(void **state)
{
    struct fixture f;
    char path[600];

    (void)state;
    setup(&f);
    cc_chain_free(f.c);
    snprintf(path, sizeof(path), "%s/chainstate", f.dir);
    assert_int_equal(cc_fs_remove_tree(path, NULL), CC_OK);
    f.c = world_open(&f.w, f.dir);
    world_expect(&f.w, f.c, f.tip);
    teardown(&f);
}

/* Interrupted while the coins were being deleted: those that are left go, one
 * that no block made among them. */
static void test_reset_resumes(void **state)
{
    struct fixture f;
    struct cc_error err;
    struct cc_outpoint nowhere = {{9}, 0};
    uint8_t key[CC_COIN_KEY_MAX];

    (void)state;
    setup(&f);
    put(&f, CC_FAMILY_COINS, cc_bytes(key, cc_coin_key(key, &nowhere)),
        "\x02\x01\x07\x51");
    put(&f, CC_FAMILY_META, cc_bytes("reset", 5), "reset");
    put(&f, CC_FAMILY_META, cc_bytes("tip", 3), "");
    {
        struct cc_db_batch *b = cc_db_batch_new();

        cc_db_batch_put(b, f.c->db, CC_FAMILY_META, cc_bytes("tip", 3),
                        cc_bytes(f.w.params.genesis_hash, 32));
        assert_int_equal(cc_db_write(f.c->db, b, true, NULL), CC_OK);
        cc_db_batch_free(b);
    }
    open_well(&f, false, false);
    world_expect(&f.w, f.c, f.tip);
    assert_int_equal(
        cc_chain_verify(f.c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err), CC_OK);
    teardown(&f);
}

static void test_second_process(void **state)
{
    struct fixture f;
    struct cc_chain_config config;
    struct cc_chain *second;
    struct cc_error err;

    (void)state;
    setup(&f);
    world_config(&f.w, &config, f.dir);
    assert_int_equal(cc_chain_open(&second, &config, &err), CC_IO);
    assert_string_equal(err.text,
                        ": Error opening block database.\nPlease restart with "
                        "-reindex or -reindex-chainstate to recover.");
    give(&f, f.branch - 3); /* the first is not disturbed */
    teardown(&f);
}

/* Looking at many blocks ends when the node is to stop. */
static void test_start_check_stops(void **state)
{
    struct fixture f;
    struct cc_chain_config config;
    struct cc_error err;
    atomic_bool stop;
    struct cc_chain *c;

    (void)state;
    setup(&f);
    cc_chain_free(f.c);
    f.c = NULL;
    atomic_init(&stop, true);
    world_config(&f.w, &config, f.dir);
    config.stop = &stop;
    config.check_blocks = 10;
    config.check_level = CC_VERIFY_CONNECT;
    assert_int_equal(cc_chain_open(&c, &config, &err), CC_LIMIT);
    atomic_store(&stop, false);
    assert_int_equal(cc_chain_open(&c, &config, &err), CC_OK);
    atomic_store(&stop, true);
    assert_int_equal(cc_chain_verify(c, CC_VERIFY_READ, 10, NULL, NULL, &err),
                     CC_LIMIT);
    cc_chain_free(c);
    teardown(&f);
}

/* With stop_height no block is connected after one of that height, be they
 * given in one go or made anew from what is stored. */
static void test_stop_height(void **state)
{
    struct fixture f;
    struct cc_chain_config config;
    struct cc_error err;

    (void)state;
    setup(&f);
    cc_chain_free(f.c);
    world_config(&f.w, &config, f.dir);
    config.stop_height = 7;
    config.reindex_chainstate = true;
    assert_int_equal(cc_chain_open(&f.c, &config, &err), CC_OK);
    assert_int_equal(cc_chain_tip(f.c)->height, 7);
    assert_true(cc_chain_reached(f.c));
    cc_chain_free(f.c);
    config.stop_height = 9;
    config.reindex_chainstate = false;
    assert_int_equal(cc_chain_open(&f.c, &config, &err), CC_OK);
    assert_int_equal(cc_chain_tip(f.c)->height, 9);
    cc_chain_free(f.c);
    /* one that is higher already goes one further */
    config.stop_height = 3;
    assert_int_equal(cc_chain_open(&f.c, &config, &err), CC_OK);
    assert_int_equal(cc_chain_tip(f.c)->height, 10);
    cc_chain_free(f.c);
    config.stop_height = 30;
    assert_int_equal(cc_chain_open(&f.c, &config, &err), CC_OK);
    assert_int_equal(cc_chain_tip(f.c)->height, 20);
    assert_false(cc_chain_reached(f.c));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undo_damaged),
        cmocka_unit_test(test_block_damaged),
        cmocka_unit_test(test_stop_height),
        cmocka_unit_test(test_start_check),
        cmocka_unit_test(test_start_check_stops),
        cmocka_unit_test(test_coin_lost),
        cmocka_unit_test(test_coin_too_many),
        cmocka_unit_test(test_index_damaged),
        cmocka_unit_test(test_tip_damaged),
        cmocka_unit_test(test_other_chain),
        cmocka_unit_test(test_reindex),
        cmocka_unit_test(test_reindex_disorder),
        cmocka_unit_test(test_database_lost),
        cmocka_unit_test(test_reset_resumes),
        cmocka_unit_test(test_second_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
