/* Where transactions are: while the tip moves, after a restart, on a disk that
 * fails. */
#include "chain/test/world.h"
#include "chain/txindex.h"

struct fixture {
    struct world w;
    char *dir, *path;
    struct cc_chain *c;
    struct cc_txindex *t;
    bool broken;
};

static bool fail_writes(void *arg, const char *what)
{
    return *(bool *)arg && !strcmp(what, "db write");
}

static enum cc_status open_index(struct fixture *f, const atomic_bool *stop,
                                 struct cc_error *err)
{
    struct cc_follow_config config = {.chain = f->c,
                                      .directory = f->path,
                                      .cache_bytes = 1 << 20,
                                      .fault = {fail_writes, &f->broken},
                                      .stop = stop};

    return cc_txindex_open(&f->t, &config, err);
}

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    world_init(&f->w, 77, false);
    f->dir = cc_test_mkdir();
    f->path = cc_fs_join(f->dir, "indexes/txindex");
    f->c = world_open(&f->w, f->dir);
}

static void close_all(struct fixture *f)
{
    cc_chain_free(f->c);
    cc_txindex_free(f->t);
    f->c = NULL;
    f->t = NULL;
}

static void teardown(struct fixture *f)
{
    close_all(f);
    free(f->path);
    cc_test_rmdir(f->dir);
    world_clear(&f->w);
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

/* Every transaction from block i down to genesis is where it should be. */
static void expect(struct fixture *f, int i)
{
    size_t seen = 0;

    assert_int_equal(cc_txindex_height(f->t), f->w.blocks[i].height);
    for (; i > 0; i = f->w.blocks[i].prev) {
        const struct cc_block *b = &f->w.blocks[i].block;

        for (size_t k = 0; k < b->tx_count; k++, seen++) {
            uint8_t hash[32];

            assert_int_equal(cc_txindex_find(f->t, b->tx[k].txid, hash, NULL),
                             CC_OK);
            assert_int_equal(world_find(&f->w, hash), i);
        }
    }
    assert_true(seen > 0);
}

static void test_it_follows_the_tip(void **state)
{
    struct fixture f;
    uint8_t hash[32], unknown[32] = {1};
    int low, i;

    (void)state;
    setup(&f);
    low = extend(&f, 0, 5);
    /* new: it reads what is there ... */
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, low);
    /* ... goes on with the tip, and over to another branch */
    i = extend(&f, low, 4);
    expect(&f, i);
    i = extend(&f, low, 6);
    expect(&f, i);
    assert_int_equal(cc_txindex_find(f.t, unknown, hash, NULL), CC_NOTFOUND);
    assert_int_equal(cc_txindex_find(f.t,
                                     cc_chain_genesis(f.c)->header.merkle_root,
                                     hash, NULL),
                     CC_NOTFOUND);
    assert_false(cc_txindex_failed(f.t, NULL));
    teardown(&f);
}

static void test_it_catches_up(void **state)
{
    struct fixture f;
    int low, i;

    (void)state;
    setup(&f);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    low = extend(&f, 0, 3);
    (void)extend(&f, low, 2);
    close_all(&f);
    /* Without it the chain went on, on another branch. */
    f.c = world_open(&f.w, f.dir);
    i = extend(&f, low, 4);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, i);
    close_all(&f);
    /* Nothing to do: nothing is read again. */
    f.c = world_open(&f.w, f.dir);
    f.broken = true;
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, i);
    teardown(&f);
}

/* The chain was killed before it kept what the index had: from where they
 * agree, and no block is read twice. */
static void test_it_was_ahead(void **state)
{
    struct fixture f;
    struct cc_error err;
    char *other = cc_test_mkdir();
    int low, i;

    (void)state;
    setup(&f);
    low = extend(&f, 0, 30);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    (void)extend(&f, low, 5);
    close_all(&f);
    f.c = world_open(&f.w, other);
    for (int k = 1; k <= low; k++)
        assert_int_equal(cc_chain_accept_block(f.c, &f.w.blocks[k].block, true,
                                               NULL, NULL, &err),
                         CC_OK);
    f.broken = true;
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, low);
    f.broken = false;
    i = extend(&f, low, 2);
    expect(&f, i);
    teardown(&f);
    cc_test_rmdir(other);
}

static void test_it_stops_when_told(void **state)
{
    struct fixture f;
    atomic_bool stop = true;
    struct cc_error err;

    (void)state;
    setup(&f);
    (void)extend(&f, 0, 1);
    assert_int_equal(open_index(&f, &stop, &err), CC_LIMIT);
    teardown(&f);
}

static void test_a_disk_that_fails(void **state)
{
    struct fixture f;
    struct cc_error err;
    int i;

    (void)state;
    setup(&f);
    f.broken = true;
    assert_int_equal(open_index(&f, NULL, &err), CC_IO);
    f.broken = false;
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    i = extend(&f, 0, 2);
    f.broken = true;
    (void)extend(&f, i, 1);
    assert_true(cc_txindex_failed(f.t, &err));
    assert_true(err.text[0] != '\0');
    /* what it said before holds, and nothing goes in over what is missing ...
     */
    f.broken = false;
    expect(&f, i);
    i = extend(&f, (int)f.w.count - 1, 1);
    assert_true(cc_txindex_height(f.t) < f.w.blocks[i].height);
    /* ... which the next start finds */
    close_all(&f);
    f.c = world_open(&f.w, f.dir);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, i);
    assert_false(cc_txindex_failed(f.t, NULL));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_follows_the_tip),
        cmocka_unit_test(test_it_catches_up),
        cmocka_unit_test(test_it_was_ahead),
        cmocka_unit_test(test_it_stops_when_told),
        cmocka_unit_test(test_a_disk_that_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
