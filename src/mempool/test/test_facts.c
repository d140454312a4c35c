/*
 * Storage transactions in the pool (doc/protocol.md 4.6), on the real chain.
 */
#include "support.h"

#include "mempool/test/deals.h"

#include <string.h>

static struct fixture f;
static struct deals ds;

static int open_regtest(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_REGTEST);
    fixture_mine(&f, 20);
    deals_init(&ds, &f);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    deals_clear(&ds);
    fixture_close(&f);
    return 0;
}

static struct cc_tx *form(struct deal *d, uint32_t coin_height)
{
    return deal_form(&ds, d, coin_height, 6, 1);
}

static struct cc_tx *prove(const struct deal *d, uint16_t i, cc_amount fee)
{
    return deal_prove(&ds, d, i, fee, NULL);
}

static struct cc_tx *redeem(const struct deal *d, uint64_t amount,
                            cc_amount fee, struct deal *next)
{
    return deal_redeem(&ds, d, amount, fee, next);
}

static struct cc_tx *revise(const struct deal *d, bool by_renter,
                            uint32_t coin_height)
{
    return deal_revise(&ds, d, by_renter, coin_height, NULL);
}

/* A confirmed contract. */
static void settle(struct deal *d, uint32_t coin_height)
{
    fixture_add(&f, form(d, coin_height));
    fixture_mine(&f, 1);
    f.left_count = f.added_count = 0;
}

static void mine_to(uint32_t height)
{
    while (cc_chain_tip(f.chain)->height < height)
        fixture_mine_txs(&f, NULL, 0);
}

/* --- Tests -----------------------------------------------------------------
 */

static void test_entry(void **state)
{
    const struct cc_mempool_entry *e;
    struct deal d;
    struct cc_tx *tx;

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 12);
    tx = prove(&d, 1, 10000);
    fixture_add(&f, tx);
    e = cc_mempool_find(f.pool, tx->txid);
    assert_true(e->typed);
    assert_int_equal(e->fee, 10000);
    assert_int_equal(e->sigop_cost, 1);
    assert_int_equal(e->facts.lo, d.t.u.contract.start + 13);
    assert_int_equal(e->facts.hi, d.t.u.contract.start + 12 + 6);
    assert_int_equal(e->facts.read, d.t.u.contract.start + 12);
    fixture_mine(&f, 1);
    assert_int_equal(f.left[0], CC_LEAVE_BLOCK);
}

/* What the parties sign is judged where scripts are: nobody moves a contract
 * for them. */
static void test_forged(void **state)
{
    struct deal d;
    struct cc_tx *txs[2];

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 12);
    txs[0] = redeem(&d, 200000, 10000, NULL);
    txs[1] = prove(&d, 1, 10000);
    for (size_t i = 0; i < 2; i++) {
        struct cc_txin *in = &txs[i]->vin[0];
        struct cc_bytes *last = &in->witness[in->witness_count - 1];
        uint8_t *sig = cc_arena_dup(&f.b.arena, last->data, last->len);

        assert_int_equal(last->len, 64);
        sig[40] ^= 1;
        *last = cc_bytes(sig, last->len);
        cc_tx_finish(txs[i]);
        assert_int_equal(cc_mempool_add(f.pool, txs[i], true, NULL, &f.err),
                         CC_INVALID);
        assert_int_equal(f.err.verdict, CC_VERDICT_CONSENSUS);
        sig[40] ^= 1;
        cc_tx_finish(txs[i]);
        assert_int_equal(cc_mempool_add(f.pool, txs[i], true, NULL, &f.err),
                         CC_OK);
    }
}

/* A revision is good until a challenge is out; then it goes by itself, and
 * with it what builds on it. */
static void test_facts_pass(void **state)
{
    struct deal d;
    struct cc_tx *tx, *child;
    uint32_t due;

    (void)state;
    settle(&d, 1);
    due = d.t.u.contract.start + 12;
    tx = revise(&d, false, 2);
    fixture_add(&f, tx);
    assert_int_equal(cc_mempool_find(f.pool, tx->txid)->facts.hi, due);
    child = fixture_child(&f, tx, 1, 10000);
    fixture_add(&f, child);
    mine_to(due - 1);
    assert_true(fixture_has(&f, tx));
    mine_to(due);
    assert_false(fixture_has(&f, tx));
    assert_false(fixture_has(&f, child));
    assert_int_equal(f.left_count, 2);
    assert_int_equal(f.left[0], CC_LEAVE_FACTS);
}

/* Wrong by one block: it waits and enters by itself, once. */
static void test_hold(void **state)
{
    struct deal d;
    struct cc_tx *tx, *early;

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 11);
    tx = prove(&d, 1, 10000);
    cc_tx_finish(tx);
    assert_int_equal(cc_mempool_add(f.pool, tx, true, NULL, &f.err),
                     CC_INVALID);
    assert_int_equal(f.err.verdict, CC_VERDICT_CONTEXT);
    mine_to(d.t.u.contract.start + 12);
    assert_false(fixture_has(&f, tx)); /* a test holds nothing */

    settle(&d, 2);
    mine_to(d.t.u.contract.start + 11);
    tx = prove(&d, 1, 10000);
    assert_int_equal(cc_mempool_add(f.pool, tx, false, NULL, &f.err),
                     CC_INVALID);
    assert_int_equal(cc_mempool_add(f.pool, tx, false, NULL, &f.err),
                     CC_INVALID);
    assert_int_equal(f.added_count, 0);
    mine_to(d.t.u.contract.start + 12);
    assert_true(fixture_has(&f, tx));
    assert_int_equal(f.added_count, 1);

    settle(&d, 3);
    mine_to(d.t.u.contract.start + 10);
    early = prove(&d, 1, 10000);
    assert_int_equal(cc_mempool_add(f.pool, early, false, NULL, &f.err),
                     CC_INVALID);
    mine_to(d.t.u.contract.start + 12);
    assert_false(fixture_has(&f, early)); /* two blocks were too many */
}

/* No signal is asked for. */
static void test_replaceable(void **state)
{
    struct deal d;
    struct cc_tx *tx, *dearer;

    (void)state;
    settle(&d, 1);
    tx = redeem(&d, 200000, 10000, NULL);
    assert_int_equal(tx->vin[0].sequence, CC_SEQUENCE_FINAL);
    fixture_add(&f, tx);
    dearer = redeem(&d, 300000, 20000, NULL);
    fixture_add(&f, dearer);
    assert_false(fixture_has(&f, tx));
    assert_int_equal(f.accepted.replaced, 1);
}

/* A proof pays for its own relay and pushes out what one party put in its
 * way, however dear; other conflicts are Bitcoin's. */
static void test_urgent(void **state)
{
    struct deal d;
    struct cc_tx *tx, *child, *cheap;

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 12);
    tx = redeem(&d, 400000, 300000, NULL);
    fixture_add(&f, tx);
    child = fixture_child(&f, tx, 1, 90000);
    fixture_add(&f, child);
    cheap = prove(&d, 1, 200);
    assert_int_equal(cc_mempool_add(f.pool, cheap, false, NULL, &f.err),
                     CC_INVALID); /* less than the increment */
    cheap = prove(&d, 1, 1000);
    fixture_add(&f, cheap);
    assert_int_equal(f.accepted.replaced, 2);
    /* And not the other way round, nor one proof another. */
    assert_int_equal(
        cc_mempool_add(f.pool, prove(&d, 1, 1001), false, NULL, &f.err),
        CC_INVALID);
    assert_string_equal(f.err.reason, "insufficient fee");
    assert_int_equal(cc_mempool_add(f.pool, redeem(&d, 400000, 1000, NULL),
                                    false, NULL, &f.err),
                     CC_INVALID);
    assert_string_equal(f.err.reason, "insufficient fee");
}

static void test_renter(void **state)
{
    struct cc_mempool_package_item items[2];
    struct cc_tx package[2], *tx;
    struct deal d, next;

    (void)state;
    tx = form(&d, 1);
    cc_tx_finish(tx);
    package[0] = *tx;
    package[1] = *revise(&d, true, 2);
    cc_tx_finish(&package[1]);
    assert_int_equal(cc_mempool_test_package(f.pool, package, 2, items, &f.err),
                     CC_OK);
    assert_int_equal(items[0].status, CC_OK);
    assert_int_equal(items[1].status, CC_INVALID);
    assert_string_equal(items[1].err.reason, "storage-unconfirmed-input");
    fixture_add(&f, tx);
    fixture_expect(&f, revise(&d, true, 2),
                   "storage-unconfirmed-input, a renter's one-sided action "
                   "spends confirmed coins only");
    assert_int_equal(f.err.verdict, CC_VERDICT_POLICY);
    fixture_add(&f, redeem(&d, 1000 + 20000, 5000, &next)); /* the host may */
    fixture_mine(&f, 1);
    fixture_add(&f, revise(&next, true, 2));
}

/* Nothing that expires waits behind more than fits in the blocks it has. */
static void test_expires(void **state)
{
    struct cc_tx *rich, *proof;
    struct deal d;

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 12 + 5); /* one block of its window left */
    proof = prove(&d, 1, 10000);
    for (uint32_t i = 0; i < 11; i++) {
        assert_int_equal(cc_mempool_add(f.pool, proof, true, NULL, &f.err),
                         CC_OK);
        rich = fixture_simple(&f, 2 + i, 1, 20000000);
        for (int k = 0; k < 2200; k++)
            fixture_pay(&f, rich, 1000);
        rich->vout[0].value -= 2200 * 1000;
        cc_tx_finish(rich);
        assert_in_range(cc_tx_weight(rich), 4000000 / 11, 4000000 / 10 - 2000);
        fixture_add(&f, rich);
    }
    fixture_expect(&f, proof,
                   "storage-expires, expires before the transactions ahead of "
                   "it can be mined");
    assert_int_equal(f.err.verdict, CC_VERDICT_POLICY);
    /* One that pays more than they do has nobody ahead. */
    fixture_add(&f, prove(&d, 1, 90000));
}

/* Back over the block whose hash was read: judged again on the new branch. */
static void test_reorg(void **state)
{
    struct deal d;
    struct cc_tx *proof, *tx;
    uint32_t due;

    (void)state;
    settle(&d, 1);
    due = d.t.u.contract.start + 12;
    mine_to(due);
    proof = prove(&d, 1, 10000);
    fixture_add(&f, proof);
    assert_int_equal(
        cc_chain_invalidate(f.chain, cc_chain_tip(f.chain), &f.err), CC_OK);
    assert_false(fixture_has(&f, proof));
    /* The contract itself is taken back, and is good again. */
    tx = revise(&d, false, 2);
    fixture_add(&f, tx);
    assert_int_equal(
        cc_chain_invalidate(f.chain, cc_chain_at(f.chain, d.t.u.contract.start),
                            &f.err),
        CC_OK);
    assert_non_null(cc_mempool_find(f.pool, d.o.txid));
    assert_true(fixture_has(&f, tx));
    assert_int_equal(cc_mempool_find(f.pool, tx->txid)->ancestor_count, 2);
}

/* Half of the subsidy is not the miner's. */
static void test_template(void **state)
{
    struct cc_template t;
    struct deal d;

    (void)state;
    fixture_add(&f, form(&d, 1));
    assert_int_equal(cc_template_new(&t, f.pool, fixture_script(), &f.err),
                     CC_OK);
    assert_int_equal(t.coinbase_value, 25 * CC_COIN + 20000);
    assert_int_equal(t.block.tx_count, 2);
    cc_template_clear(&t);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_regtest, close_all)
    const struct CMUnitTest tests[] = {
        T(test_entry),    T(test_forged),      T(test_facts_pass),
        T(test_hold),     T(test_replaceable), T(test_urgent),
        T(test_renter),   T(test_expires),     T(test_reorg),
        T(test_template),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
