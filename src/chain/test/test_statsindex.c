/* What the coins come to after each block, against the naive lists of the
 * world: while the tip moves, after a restart elsewhere, on a disk that
 * fails. */
#include "chain/statsindex.h"
#include "chain/test/follower.h"
#include "consensus/script.h"
#include "crypto/muhash.h"
#include "util/writer.h"

/* What is said of block i: the coins by the list, the rest by the blocks. */
static void expect_block(struct follower *f, int i)
{
    const struct wblock *b = &f->w.blocks[i];
    struct cc_muhash *hash = cc_muhash_new();
    struct cc_coin_totals t;
    cc_amount amount = 0, subsidy = 0, coinbase = 0, scripts = 0;
    uint64_t bogo = 0;
    uint8_t digest[32];
    struct cc_writer w;

    if (cc_statsindex_find(f->index, b->block.hash, &t, NULL) != CC_OK)
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
        const struct cc_block *block = &f->w.blocks[k].block;

        subsidy += cc_subsidy(&f->w.params, f->w.blocks[k].height);
        for (size_t m = 0; k > 0 && m < block->tx_count; m++)
            for (size_t n = 0; n < block->tx[m].vout_count; n++) {
                const struct cc_txout *out = &block->tx[m].vout[n];

                if (cc_script_is_unspendable(out->script))
                    scripts += out->value;
                else if (m == 0)
                    coinbase += out->value;
            }
    }
    assert_int_equal(t.count, b->coin_count);
    assert_int_equal(t.amount, amount);
    assert_int_equal(t.bogo_size, bogo);
    assert_memory_equal(t.muhash, digest, 32);
    assert_int_equal(t.subsidy, subsidy);
    assert_int_equal(t.coinbase, coinbase);
    assert_int_equal(t.scripts, scripts);
    assert_int_equal(t.genesis, cc_subsidy(&f->w.params, 0));
    assert_int_equal(t.coinbase + t.created - t.spent, t.amount);
    /* All that ever could be is somewhere. */
    assert_int_equal(t.amount + t.genesis + t.scripts + t.unclaimed, t.subsidy);
}

static void expect(struct follower *f, int i)
{
    assert_int_equal(cc_statsindex_height(f->index), f->w.blocks[i].height);
    for (; i >= 0; i = f->w.blocks[i].prev)
        expect_block(f, i);
}

FOLLOWER_KIND(statsindex, 78, "indexes/coinstats");

static void test_it_follows_the_tip(void **state)
{
    struct follower f;
    struct cc_coin_totals t;
    uint8_t unknown[32] = {1};
    int low, old, i;

    (void)state;
    follower_init(&f, &kind);
    low = follower_extend(&f, 0, 8);
    /* new: it reads what is there ... */
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    expect(&f, low);
    /* ... goes on with the tip, over to another branch, and back */
    old = follower_extend(&f, low, 4);
    expect(&f, old);
    i = follower_extend(&f, low, 6);
    expect(&f, i);
    expect_block(&f, old);
    old = follower_extend(&f, old, 4);
    expect(&f, old);
    assert_int_equal(cc_statsindex_find(f.index, unknown, &t, NULL),
                     CC_NOTFOUND);
    assert_false(cc_statsindex_failed(f.index, NULL));
    follower_clear(&f);
}

static void test_it_catches_up(void **state)
{
    struct follower f;
    int low, i;

    (void)state;
    follower_init(&f, &kind);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    low = follower_extend(&f, 0, 70); /* over a mark */
    (void)follower_extend(&f, low, 2);
    /* Without it the chain went on, on another branch: from the mark. */
    follower_restart(&f);
    i = follower_extend(&f, low, 4);
    f.writes = 0;
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    assert_int_equal(f.writes, 74 - 64);
    expect(&f, i);
    /* Nothing to do: nothing is read again, and it goes on. */
    follower_restart(&f);
    f.broken = true;
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    f.broken = false;
    i = follower_extend(&f, i, 2);
    expect(&f, i);
    /* Below all marks but that of genesis: from there. */
    follower_restart(&f);
    i = follower_extend(&f, 0, 80);
    f.writes = 0;
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    assert_int_equal(f.writes, 80);
    expect(&f, i);
    follower_clear(&f);
}

/* What cannot be taken out again is told of, as what cannot be put in is. */
static void test_it_cannot_go_back(void **state)
{
    struct follower f;
    struct cc_error err;
    int i;

    (void)state;
    follower_init(&f, &kind);
    i = follower_extend(&f, 0, 3);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    f.broken = true;
    assert_int_equal(cc_chain_invalidate(f.c, cc_chain_tip(f.c), NULL), CC_OK);
    f.broken = false;
    cc_error_init(&err);
    assert_true(cc_statsindex_failed(f.index, &err));
    assert_true(err.text[0] != '\0');
    expect(&f, i);
    follower_clear(&f);
}

/* The chain was killed before it kept what the index had. */
static void test_it_was_ahead(void **state)
{
    struct follower f;
    char *other = cc_test_mkdir();
    int low, i;

    (void)state;
    follower_init(&f, &kind);
    low = follower_extend(&f, 0, 5);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    (void)follower_extend(&f, low, 5);
    follower_restart_in(&f, other, low);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    expect(&f, low);
    i = follower_extend(&f, low, 2);
    expect(&f, i);
    follower_clear(&f);
    cc_test_rmdir(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_follows_the_tip),
        cmocka_unit_test(test_it_catches_up),
        cmocka_unit_test(test_it_was_ahead),
        cmocka_unit_test(test_it_cannot_go_back),
        cmocka_unit_test_prestate(follower_stops_when_told, (void *)&kind),
        cmocka_unit_test_prestate(follower_on_a_disk_that_fails, (void *)&kind),
        cmocka_unit_test_prestate(follower_made_anew, (void *)&kind),
        cmocka_unit_test_prestate(follower_of_blocks_that_are_lost,
                                  (void *)&kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
