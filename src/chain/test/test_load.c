/* What a start believes of the database that it finds. */
#include <unistd.h>

#include "chain/internal.h"
#include "chain/test/world.h"

#define DAMAGED                                                                \
    ": Error loading block database.\nPlease restart with -reindex or "        \
    "-reindex-chainstate to recover."

struct fixture {
    struct world w;
    char *dir;
    struct cc_chain *c;
    int tip, side; /* of height 10 and 8 */
    int64_t now;
};

static int64_t now(void *arg) { return ((struct fixture *)arg)->now; }

static enum cc_status reopen(struct fixture *f, bool chainstate,
                             struct cc_error *err)
{
    struct cc_chain_config config;
    enum cc_status st;

    cc_chain_free(f->c);
    f->c = NULL;
    world_config(&f->w, &config, f->dir);
    config.now = now;
    config.now_arg = f;
    config.reindex_chainstate = chainstate;
    cc_error_init(err);
    st = cc_chain_open(&f->c, &config, err);
    if (st != CC_OK)
        f->c = NULL;
    return st;
}

static void open_well(struct fixture *f)
{
    struct cc_error err;

    if (reopen(f, false, &err) != CC_OK)
        fail_msg("%s", err.text);
    assert_null(cc_chain_inconsistency(f->c));
}

static int extend(struct fixture *f, int i, unsigned n)
{
    struct cc_error err;

    while (n--) {
        i = world_make(&f->w, i, RIGHT);
        if (cc_chain_accept_block(f->c, &f->w.blocks[i].block, true, NULL, NULL,
                                  &err) != CC_OK)
            fail_msg("block %d: %s", i, err.text);
    }
    return i;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    world_init(&f->w, 31, false);
    f->now = world_now(NULL);
    f->dir = cc_test_mkdir();
    open_well(f);
    f->tip = extend(f, 0, 10);
    f->side = extend(f, 5, 3);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    cc_chain_free(f->c);
    cc_test_rmdir(f->dir);
    world_clear(&f->w);
    free(f);
    return 0;
}

static struct cc_index *entry(struct fixture *f, int i)
{
    return cc_chain_find(f->c, f->w.blocks[i].block.hash);
}

/* value.data NULL: it goes. */
static void put(struct fixture *f, unsigned family, struct cc_bytes key,
                struct cc_bytes value)
{
    struct cc_db_batch *b = cc_db_batch_new();

    if (value.data)
        cc_db_batch_put(b, f->c->db, family, key, value);
    else
        cc_db_batch_delete(b, f->c->db, family, key);
    assert_int_equal(cc_db_write(f->c->db, b, true, NULL), CC_OK);
    cc_db_batch_free(b);
}

static void put_tip(struct fixture *f, struct cc_bytes value)
{
    put(f, CC_FAMILY_META, cc_bytes("tip", 3), value);
}

static void put_record(struct fixture *f, const struct cc_index *i)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_index_write(&w, i);
    put(f, CC_FAMILY_INDEX, cc_bytes(i->hash, 32), cc_bytes(w.data, w.len));
    cc_writer_clear(&w);
}

static void is_damaged(struct fixture *f)
{
    struct cc_error err;

    assert_int_equal(reopen(f, false, &err), CC_CORRUPT);
    assert_string_equal(err.text, DAMAGED);
}

/* --- The index ------------------------------------------------------------ */

/* The first block is ours, and is kept like the others. */
static void test_genesis(void **state)
{
    struct fixture *f = *state;
    struct cc_block block;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            cc_chain_read_block(f->c, cc_chain_at(f->c, 0), &block, NULL),
            CC_OK);
        assert_memory_equal(block.hash, f->w.params.genesis_hash, 32);
        cc_block_clear(&block);
        open_well(f);
    }
}

/* It names a file that is not there. */
static void test_block_file_lost(void **state)
{
    struct fixture *f = *state;
    char *path = cc_fs_join(f->dir, "blocks/blk00000.dat");

    assert_int_equal(unlink(path), 0);
    free(path);
    is_damaged(f);
}

static void test_parent_lost(void **state)
{
    struct fixture *f = *state;

    put(f, CC_FAMILY_INDEX, cc_bytes(f->w.blocks[7].block.hash, 32),
        cc_bytes(NULL, 0));
    is_damaged(f);
}

static void test_height_is_not_the_parents_and_one(void **state)
{
    struct fixture *f = *state;
    struct cc_index i = *entry(f, f->side);

    i.height++;
    put_record(f, &i);
    is_damaged(f);
}

static void test_record_is_longer(void **state)
{
    struct fixture *f = *state;
    struct cc_index *i = entry(f, f->side);
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_index_write(&w, i);
    cc_write_u8(&w, 0);
    put(f, CC_FAMILY_INDEX, cc_bytes(i->hash, 32), cc_bytes(w.data, w.len));
    cc_writer_clear(&w);
    is_damaged(f);
}

static void test_record_of_another_name(void **state)
{
    struct fixture *f = *state;
    struct cc_writer w;
    uint8_t name[33] = {7};

    cc_writer_init_heap(&w);
    cc_index_write(&w, entry(f, f->side));
    memcpy(name, entry(f, f->side)->hash, 32);
    put(f, CC_FAMILY_INDEX, cc_bytes(name, 33), cc_bytes(w.data, w.len));
    cc_writer_clear(&w);
    is_damaged(f);
}

/* --- The tip -------------------------------------------------------------- */

static void test_tip_lost(void **state)
{
    struct fixture *f = *state;

    put_tip(f, cc_bytes(NULL, 0));
    is_damaged(f);
}

static void test_tip_unknown(void **state)
{
    struct fixture *f = *state;
    uint8_t nobody[32] = {1};

    put_tip(f, cc_bytes(nobody, 32));
    is_damaged(f);
}

/* One that was never connected cannot be what the coins are of. */
static void test_tip_never_connected(void **state)
{
    struct fixture *f = *state;

    assert_false(entry(f, f->side)->status & CC_INDEX_VALID);
    put_tip(f, cc_bytes(f->w.blocks[f->side].block.hash, 32));
    is_damaged(f);
}

static void test_tip_longer(void **state)
{
    struct fixture *f = *state;
    uint8_t name[33] = {0};

    memcpy(name, f->w.blocks[f->tip].block.hash, 32);
    put_tip(f, cc_bytes(name, 33));
    is_damaged(f);
}

/* Of two that are as good the one stays that we had, whichever it is. */
static void test_the_same_tip(void **state)
{
    struct fixture *f = *state;
    struct cc_error err;
    int other = extend(f, f->side, 2);

    assert_int_equal(f->w.blocks[other].height, 10);
    for (int i = 0; i < 4; i++) {
        int tip = i % 2 ? other : f->tip;

        assert_int_equal(cc_chain_precious(f->c, entry(f, tip), &err), CC_OK);
        open_well(f);
        world_expect(&f->w, f->c, tip);
        assert_ptr_equal(cc_chain_tip(f->c), entry(f, tip));
    }
    /* And who comes later is not better, though it be first after a start. */
    (void)extend(f, f->w.blocks[f->w.blocks[other].prev].prev, 2);
    assert_ptr_equal(cc_chain_tip(f->c), entry(f, other));
    (void)extend(f, f->tip, 1);
    assert_int_equal(cc_chain_tip(f->c)->height, 11);
}

/* --- What would have us doubt it ------------------------------------------ */

static void test_clock(void **state)
{
    struct fixture *f = *state;
    struct cc_error err;
    const int64_t time = cc_chain_tip(f->c)->header.time;

    f->now = time - 7200;
    open_well(f);
    f->now--;
    assert_int_equal(reopen(f, false, &err), CC_INVALID);
    assert_non_null(strstr(err.text, "appears to be from the future"));
    assert_int_equal(reopen(f, true, &err), CC_OK);
}

/* Blocks that were taken without their witnesses. */
static void test_witness(void **state)
{
    struct fixture *f = *state;
    const struct cc_bytes key = cc_bytes("segwit", 6);
    struct cc_error err;
    uint8_t then[5] = {11};

    f->w.params.segwit_height = 10;
    put(f, CC_FAMILY_META, key, cc_bytes(then, 4));
    assert_int_equal(reopen(f, false, &err), CC_INVALID);
    assert_non_null(strstr(err.text, "Witness data for blocks after height 10 "
                                     "requires validation."));
    assert_int_equal(reopen(f, true, &err), CC_OK);
    /* Now it is written as it is. */
    f->tip = extend(f, f->tip, 1);
    open_well(f);
    /* It was the same, earlier, or never written in a way we know. */
    for (int i = 0; i < 4; i++) {
        then[0] = i == 0 ? 10 : i == 1 ? 9 : 200;
        put(f, CC_FAMILY_META, key,
            i == 3 ? cc_bytes(NULL, 0) : cc_bytes(then, i == 2 ? 5 : 4));
        open_well(f);
    }
    /* No such block has come yet. */
    f->w.params.segwit_height = 12;
    then[0] = 200;
    put(f, CC_FAMILY_META, key, cc_bytes(then, 4));
    open_well(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_genesis),
        T(test_block_file_lost),
        T(test_parent_lost),
        T(test_height_is_not_the_parents_and_one),
        T(test_record_is_longer),
        T(test_record_of_another_name),
        T(test_tip_lost),
        T(test_tip_unknown),
        T(test_tip_never_connected),
        T(test_tip_longer),
        T(test_the_same_tip),
        T(test_clock),
        T(test_witness),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
