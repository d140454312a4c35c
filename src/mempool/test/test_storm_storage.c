/*
 * Random life of contracts in a pool: formed, revised, redeemed, proved in
 * time or late, ended by either party, while blocks come, go and come back.
 * After each step the whole pool must make one valid block: whatever the chain
 * moved past, the pool has let go of.
 */
#include "support.h"

#include "mempool/internal.h"
#include "mempool/test/deals.h"

#include <string.h>

#define STEPS 4000
#define COINS 120
#define VERSIONS 4000

static struct fixture f;
static struct deals ds;
static struct cc_test_random r;
static struct deal versions[VERSIONS];
static size_t version_count, accepted[6], most;
static uint32_t next_coin;

static unsigned below(unsigned n) { return (unsigned)(cc_test_random(&r) % n); }

static int open_all(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_REGTEST);
    f.config.block_min_feerate = 0;
    f.quiet = true;
    fixture_reopen(&f);
    fixture_mine(&f, COINS + 3);
    deals_init(&ds, &f);
    cc_test_random_init(&r, 20261121);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    deals_clear(&ds);
    fixture_close(&f);
    return 0;
}

static void check(void)
{
    struct cc_mempool_stats stats;
    struct cc_template t;

    cc_mempool_stats(f.pool, &stats);
    if (stats.count > most)
        most = stats.count;
    if (cc_template_new(&t, f.pool, fixture_script(), &f.err) != CC_OK)
        fail_msg("the pool is no block: %s", f.err.text);
    if (t.block.tx_count - 1 != stats.count)
        fail_msg("%zu of %zu in the template", t.block.tx_count - 1,
                 stats.count);
    cc_template_clear(&t);
}

static uint32_t coin(void) { return 1 + next_coin++ % COINS; }

static void offer(size_t kind, const struct cc_tx *tx, const struct deal *next)
{
    if (cc_mempool_add(f.pool, tx, false, NULL, &f.err) != CC_OK)
        return;
    accepted[kind]++;
    if (next && version_count < VERSIONS)
        versions[version_count++] = *next;
}

/* Something with a contract as it was at some time, mostly of late. */
static void move(void)
{
    size_t back = version_count < 12 ? version_count : 12;
    const struct deal *d = &versions[version_count - 1 - below((unsigned)back)];
    const struct cc_contract *c = &d->t.u.contract;
    uint16_t left = (uint16_t)(c->periods - c->done);
    cc_amount fee = 1000 + (cc_amount)below(20000);
    struct deal next;
    uint64_t room = c->allowance - c->redeemed;

    switch (below(8)) {
    case 0:
        if (room > 30000)
            offer(2,
                  deal_redeem(&ds, d, c->redeemed + 25000 + below(5000), fee,
                              &next),
                  &next);
        break;
    case 1:
        offer(3, deal_revise(&ds, d, below(2), coin(), &next), &next);
        break;
    case 2:
        offer(4, deal_end(&ds, d, false, fee), NULL);
        break;
    case 3:
        offer(5, deal_end(&ds, d, true, fee), NULL);
        break;
    default:
        if (left)
            offer(1,
                  deal_prove(
                      &ds, d,
                      (uint16_t)(c->done + 1 + below(left < 3 ? left : 3u)),
                      fee, &next),
                  &next);
    }
}

/* With odds of 2 half of the due heights need no proof on chain: what the pool
 * holds then rests on hashes that a branch replaces. */
static void form(void)
{
    struct deal d;
    unsigned odds = 1 + below(2);

    offer(0,
          deal_form(&ds, &d, coin(),
                    (uint16_t)(odds == 1 ? 1 + below(4) : 12 + below(3)),
                    (uint8_t)odds),
          &d);
}

static void branch(void)
{
    uint32_t height = cc_chain_tip(f.chain)->height;
    uint32_t back = 1 + below(6);
    struct cc_index *i;

    if (height < COINS + 3 + back)
        return;
    i = cc_chain_at(f.chain, height + 1 - back);
    assert_int_equal(cc_chain_invalidate(f.chain, i, &f.err), CC_OK);
    check();
    if (below(2))
        fixture_mine(&f, below(back + 2));
    check();
    assert_int_equal(cc_chain_reconsider(f.chain, i, &f.err), CC_OK);
}

static void test_storm(void **state)
{
    (void)state;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned what = below(40);

        if (what < 6)
            fixture_mine_txs(&f, NULL, 0);
        else if (what < 8)
            fixture_mine(&f, 1);
        else if (what < 9)
            branch();
        else if (what < 13 || !version_count)
            form();
        else
            move();
        check();
    }
    /* All of it has happened, or the storm was none. */
    for (size_t i = 0; i < 4; i++)
        assert_true(accepted[i] > 0);
    assert_true(accepted[4] + accepted[5] > 0);
    assert_true(most > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_storm, open_all, close_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
