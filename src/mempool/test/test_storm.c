/*
 * Random life of a pool: arrivals, families, replacements, blocks of its own
 * and of others, branches, users' words. After each step every sum is worked
 * out anew, and the whole pool must make one valid block.
 */
#include "support.h"

#include "mempool/internal.h"
#include "mempool/test/fixture.h"

#include <string.h>

#define STEPS 1500
#define COINS 60
#define MADE 4000

static struct fixture f;
static struct cc_test_random r;
static struct cc_tx *made[MADE];
static size_t made_count, most;

static unsigned below(unsigned n) { return (unsigned)(cc_test_random(&r) % n); }

static int open_all(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_BITCOIN_REGTEST);
    f.config.full_rbf = true;
    f.config.block_min_feerate = 0;
    f.quiet = true;
    fixture_reopen(&f);
    fixture_mine(&f, COINS + 3);
    cc_test_random_init(&r, 20261120);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static void check(void)
{
    struct cc_mempool_stats stats;
    struct cc_template t;

    fixture_check(&f);
    cc_mempool_stats(f.pool, &stats);
    for (size_t i = 0; i < f.pool->count; i++)
        assert_false(cc_txpool_worth_less(f.pool->nodes[i],
                                          cc_txpool_rank_worst(f.pool)));
    if (stats.count > most)
        most = stats.count;
    if (cc_template_new(&t, f.pool, fixture_script(), &f.err) != CC_OK)
        fail_msg("the pool is no block: %s", f.err.text);
    if (t.block.tx_count - 1 != stats.count)
        fail_msg("%zu of %zu in the template", t.block.tx_count - 1,
                 stats.count);
    cc_template_clear(&t);
}

/* Spends one to three outputs of whatever was ever made, or coinbases. */
static void arrive(void)
{
    struct cc_tx *tx = fixture_tx(&f);
    unsigned inputs = 1 + below(3), outputs = 1 + below(5);
    cc_amount sum = 0, fee;

    for (unsigned i = 0; i < inputs; i++) {
        if (made_count && below(3)) {
            size_t back = made_count < 30 ? made_count : 30;
            const struct cc_tx *p =
                made[made_count - 1 - below((unsigned)back)];
            uint32_t n = below((unsigned)p->vout_count);

            fixture_spend_tx(&f, tx, p, n);
            sum += p->vout[n].value;
        } else {
            struct cc_outpoint o = fixture_coin(&f, 1 + below(COINS));

            fixture_spend(&f, tx, &o);
            sum += 50 * CC_COIN;
        }
    }
    fee = 1000 + (cc_amount)below(200000);
    for (unsigned i = 0; i < outputs; i++)
        fixture_pay(&f, tx, (sum - fee) / outputs);
    if (below(8) == 0)
        tx->vin[0].sequence = below(4); /* BIP 68 */
    cc_tx_finish(tx);
    if (cc_mempool_add(f.pool, tx, false, NULL, &f.err) == CC_OK ||
        below(4) == 0)
        made[made_count++] = tx;
}

/* A block with some transaction that the pool does not choose, perhaps one
 * that conflicts. */
static void foreign_block(void)
{
    struct cc_block block;
    uint64_t tries = 10000;
    bool is_new;

    if (!made_count || cc_generate(&block, f.pool, fixture_script(),
                                   made[below((unsigned)made_count)], 1, &tries,
                                   NULL, &f.err) != CC_OK)
        return;
    assert_int_equal(
        cc_chain_accept_block(f.chain, &block, true, NULL, &is_new, &f.err),
        CC_OK);
    cc_block_clear(&block);
}

static void branch(void)
{
    uint32_t height = cc_chain_tip(f.chain)->height;
    uint32_t back = 1 + below(4);
    struct cc_index *i;

    if (height < COINS + 3 + back)
        return;
    i = cc_chain_at(f.chain, height + 1 - back);
    assert_int_equal(cc_chain_invalidate(f.chain, i, &f.err), CC_OK);
    check();
    if (below(2)) {
        fixture_mine(&f, back);
        if (below(2))
            assert_int_equal(cc_chain_reconsider(f.chain, i, &f.err), CC_OK);
    } else {
        assert_int_equal(cc_chain_reconsider(f.chain, i, &f.err), CC_OK);
    }
}

static void test_storm(void **state)
{
    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        switch (below(70)) {
        case 0:
            fixture_mine(&f, 1);
            break;
        case 1:
            foreign_block();
            break;
        case 2:
            branch();
            break;
        case 3:
            if (made_count)
                cc_mempool_prioritise(f.pool,
                                      made[below((unsigned)made_count)]->txid,
                                      (cc_amount)below(5000));
            break;
        default:
            arrive();
        }
        f.now += 30;
        check();
    }
    assert_true(made_count > STEPS / 4);
    assert_true(most >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_storm, open_all, close_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
