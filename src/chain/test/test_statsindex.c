/* What the coins come to after each block, against the naive lists of the
 * world: while the tip moves, after a restart elsewhere, on a disk that
 * fails. */
#include "chain/statsindex.h"
#include "chain/test/world.h"
#include "consensus/script.h"
#include "crypto/muhash.h"
#include "util/writer.h"

struct fixture {
    struct world w;
    char *dir, *path;
    struct cc_chain *c;
    struct cc_statsindex *s;
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

    return cc_statsindex_open(&f->s, &config, err);
}

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    world_init(&f->w, 78, false);
    f->dir = cc_test_mkdir();
    f->path = cc_fs_join(f->dir, "indexes/coinstats");
    f->c = world_open(&f->w, f->dir);
}

static void close_all(struct fixture *f)
{
    cc_chain_free(f->c);
    cc_statsindex_free(f->s);
    f->c = NULL;
    f->s = NULL;
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

/* What is said of block i: the coins by the list, the rest by the blocks. */
static void expect_block(struct fixture *f, int i)
{
    const struct wblock *b = &f->w.blocks[i];
    struct cc_muhash *hash = cc_muhash_new();
    struct cc_coin_totals t;
    cc_amount amount = 0, subsidy = 0, coinbase = 0;
    uint64_t bogo = 0;
    uint8_t digest[32];
    struct cc_writer w;

    if (cc_statsindex_find(f->s, b->block.hash, &t, NULL) != CC_OK)
        fail_msg("block %d is not there", i);
    for (size_t k = 0; k < b->coin_count; k++) {
        const struct wcoin *coin = &b->coins[k];

        amount += coin->coin.out.value;
        bogo += 50 + coin->coin.out.script.len;
        cc_writer_init_heap(&w);
        cc_write_bytes(&w, coin->o.txid, 32);
        cc_write_u32le(&w, coin->o.index);
        cc_write_u32le(&w, coin->coin.height * 2 + coin->coin.coinbase);
        cc_txout_write(&w, &coin->coin.out);
        cc_muhash_add(hash, w.data, w.len);
        cc_writer_clear(&w);
    }
    cc_muhash_final(hash, digest);
    cc_muhash_free(hash);
    for (int k = i; k >= 0; k = f->w.blocks[k].prev) {
        const struct cc_tx *tx = f->w.blocks[k].block.tx;

        subsidy += cc_subsidy(&f->w.params, f->w.blocks[k].height);
        for (size_t n = 0; k > 0 && n < tx->vout_count; n++)
            if (!cc_script_is_unspendable(tx->vout[n].script))
                coinbase += tx->vout[n].value;
    }
    assert_int_equal(t.count, b->coin_count);
    assert_int_equal(t.amount, amount);
    assert_int_equal(t.bogo_size, bogo);
    assert_memory_equal(t.muhash, digest, 32);
    assert_int_equal(t.subsidy, subsidy);
    assert_int_equal(t.coinbase, coinbase);
    assert_int_equal(t.genesis, cc_subsidy(&f->w.params, 0));
    assert_int_equal(t.coinbase + t.created - t.spent, t.amount);
    /* All that ever could be is somewhere. */
    assert_int_equal(t.amount + t.genesis + t.scripts + t.unclaimed, t.subsidy);
}

static void expect(struct fixture *f, int i)
{
    assert_int_equal(cc_statsindex_height(f->s), f->w.blocks[i].height);
    for (; i >= 0; i = f->w.blocks[i].prev)
        expect_block(f, i);
}

static void test_it_follows_the_tip(void **state)
{
    struct fixture f;
    struct cc_coin_totals t;
    uint8_t unknown[32] = {1};
    int low, old, i;

    (void)state;
    setup(&f);
    low = extend(&f, 0, 8);
    /* new: it reads what is there ... */
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, low);
    /* ... goes on with the tip, over to another branch, and back */
    old = extend(&f, low, 4);
    expect(&f, old);
    i = extend(&f, low, 6);
    expect(&f, i);
    expect_block(&f, old);
    old = extend(&f, old, 4);
    expect(&f, old);
    assert_int_equal(cc_statsindex_find(f.s, unknown, &t, NULL), CC_NOTFOUND);
    assert_false(cc_statsindex_failed(f.s, NULL));
    teardown(&f);
}

static void test_it_catches_up(void **state)
{
    struct fixture f;
    int low, i;

    (void)state;
    setup(&f);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    low = extend(&f, 0, 70); /* over a mark */
    (void)extend(&f, low, 2);
    close_all(&f);
    /* Without it the chain went on, on another branch: from the mark. */
    f.c = world_open(&f.w, f.dir);
    i = extend(&f, low, 4);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, i);
    close_all(&f);
    /* Nothing to do: nothing is read again, and it goes on. */
    f.c = world_open(&f.w, f.dir);
    f.broken = true;
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    f.broken = false;
    i = extend(&f, i, 2);
    expect(&f, i);
    close_all(&f);
    /* Below all marks: from the beginning. */
    f.c = world_open(&f.w, f.dir);
    i = extend(&f, 0, 80);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, i);
    teardown(&f);
}

/* The chain was killed before it kept what the index had. */
static void test_it_was_ahead(void **state)
{
    struct fixture f;
    struct cc_error err;
    char *other = cc_test_mkdir();
    int low, i;

    (void)state;
    setup(&f);
    low = extend(&f, 0, 5);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    (void)extend(&f, low, 5);
    close_all(&f);
    f.c = world_open(&f.w, other);
    for (int k = 1; k <= low; k++)
        assert_int_equal(cc_chain_accept_block(f.c, &f.w.blocks[k].block, true,
                                               NULL, NULL, &err),
                         CC_OK);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, low);
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
    assert_true(cc_statsindex_failed(f.s, &err));
    assert_true(err.text[0] != '\0');
    /* What it said before holds, and nothing goes in over what is missing ...
     */
    f.broken = false;
    expect(&f, i);
    i = extend(&f, (int)f.w.count - 1, 1);
    assert_true(cc_statsindex_height(f.s) < f.w.blocks[i].height);
    /* ... which the next start finds. */
    close_all(&f);
    f.c = world_open(&f.w, f.dir);
    assert_int_equal(open_index(&f, NULL, NULL), CC_OK);
    expect(&f, i);
    assert_false(cc_statsindex_failed(f.s, NULL));
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
