/* What the pool takes, what it refuses, and with which words. */
#include "support.h"

#include "crypto/hash.h"
#include "mempool/internal.h"
#include "mempool/test/fixture.h"
#include "util/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fixture f;

static int open_bitcoin(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_BITCOIN_REGTEST);
    fixture_mine(&f, 60);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static const char *id(const struct cc_tx *tx)
{
    static char text[4][65];
    static int n;

    n = (n + 1) % 4;
    cc_hex_encode_rev(text[n], tx->txid, 32);
    return text[n];
}

static void test_add(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 2, 10000), *child;
    struct cc_mempool_stats stats;
    const struct cc_mempool_entry *e;
    struct cc_outpoint o = {.index = 0};
    struct cc_arena arena;
    struct cc_coin coin;

    (void)state;
    /* A test leaves nothing behind. */
    assert_int_equal(cc_mempool_add(f.pool, tx, true, &f.accepted, &f.err),
                     CC_OK);
    assert_int_equal(f.accepted.fee, 10000);
    assert_false(fixture_has(&f, tx));
    fixture_add(&f, tx);
    assert_int_equal(f.accepted.fee, 10000);
    assert_int_equal(f.accepted.vsize, (cc_tx_weight(tx) + 3) / 4);
    assert_int_equal(f.added_count, 1);
    e = cc_mempool_find(f.pool, tx->txid);
    assert_ptr_equal(e, cc_mempool_find_wtxid(f.pool, tx->wtxid));
    assert_ptr_equal(e, cc_mempool_spender(f.pool, &tx->vin[0].prevout));
    assert_int_equal(e->time, f.now);
    assert_int_equal(e->height, 60);
    fixture_expect(&f, tx, "txn-already-in-mempool");
    assert_int_equal(f.err.verdict, CC_VERDICT_CONFLICT);
    child = fixture_child(&f, tx, 1, 5000);
    fixture_add(&f, child);
    assert_int_equal(e->descendant_count, 2);
    assert_int_equal(e->descendant_fees, 15000);
    e = cc_mempool_find(f.pool, child->txid);
    assert_int_equal(e->ancestor_count, 2);
    assert_int_equal(e->ancestor_fees, 15000);
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.count, 2);
    assert_int_equal(stats.total_fee, 15000);
    /* Coins as the pool sees them. */
    cc_arena_init(&arena);
    memcpy(o.txid, tx->txid, 32);
    assert_int_equal(cc_mempool_coin(f.pool, &o, &coin, &arena, &f.err), CC_OK);
    assert_int_equal(coin.height, 61);
    o.index = 1;
    assert_int_equal(cc_mempool_coin(f.pool, &o, &coin, &arena, &f.err),
                     CC_NOTFOUND);
    o = tx->vin[0].prevout;
    assert_int_equal(cc_mempool_coin(f.pool, &o, &coin, &arena, &f.err),
                     CC_NOTFOUND);
    cc_arena_clear(&arena);
    fixture_mine(&f, 1);
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.count, 0);
    assert_int_equal(stats.bytes, 0);
    assert_int_equal(stats.usage, 0);
    assert_int_equal(f.left_count, 2);
    assert_int_equal(f.left[0], CC_LEAVE_BLOCK);
    fixture_expect(&f, tx, "txn-already-known");
}

static void test_alone(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000);
    struct cc_block block;

    (void)state;
    tx->vout[0].value = -1;
    fixture_expect(&f, tx, "bad-txns-vout-negative");
    assert_int_equal(f.err.verdict, CC_VERDICT_CONSENSUS);
    assert_int_equal(
        cc_chain_read_block(f.chain, cc_chain_tip(f.chain), &block, &f.err),
        CC_OK);
    fixture_expect(&f, &block.tx[0], "coinbase");
    cc_block_clear(&block);
    tx = fixture_simple(&f, 1, 1, 10000);
    tx->version = 3;
    fixture_expect(&f, tx, "version");
    /* 64 bytes without witness: an empty script and a short one. */
    tx = fixture_simple(&f, 1, 1, 10000);
    tx->vout[0].script = cc_bytes("\x6a\x02xx", 4);
    cc_tx_finish(tx);
    assert_int_equal(tx->stripped_size, 64);
    fixture_expect(&f, tx, "tx-size-small");
    tx->vout[0].script = cc_bytes("\x6a\x03xxx", 5);
    fixture_add(&f, tx);
}

static void test_final(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000);

    (void)state;
    tx->locktime = 61;
    tx->vin[0].sequence = 0xfffffffe;
    fixture_expect(&f, tx, "non-final");
    assert_int_equal(f.err.verdict, CC_VERDICT_PREMATURE);
    tx->locktime = 60;
    fixture_add(&f, tx);
    /* BIP 68: a coin of height 2 and 60 blocks more. */
    tx = fixture_simple(&f, 2, 1, 10000);
    tx->vin[0].sequence = 60;
    fixture_expect(&f, tx, "non-BIP68-final");
    assert_int_equal(f.err.verdict, CC_VERDICT_PREMATURE);
    tx->vin[0].sequence = 59;
    fixture_add(&f, tx);
    /* An unconfirmed parent counts as in the next block. */
    tx = fixture_child(&f, tx, 0, 10000);
    tx->vin[0].sequence = 1;
    fixture_expect(&f, tx, "non-BIP68-final");
    tx->vin[0].sequence = 0;
    fixture_add(&f, tx);
}

static void test_coins(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 60, 1, 10000);
    struct cc_outpoint o = {.index = 7};

    (void)state;
    fixture_expect(&f, tx,
                   "bad-txns-premature-spend-of-coinbase, "
                   "tried to spend coinbase at depth 1");
    tx = fixture_simple(&f, 59, 1, 10000);
    memset(o.txid, 9, 32);
    fixture_spend(&f, tx, &o);
    fixture_expect(&f, tx, "bad-txns-inputs-missingorspent");
    assert_int_equal(f.err.verdict, CC_VERDICT_MISSING_INPUTS);
    tx = fixture_simple(&f, 59, 1, -1);
    fixture_expect(&f, tx,
                   "bad-txns-in-belowout, value in (50.00) < "
                   "value out (50.00000001)");
    tx = fixture_simple(&f, 59, 1, 10000);
    fixture_add(&f, tx);
    /* An output that a transaction of the pool does not have. */
    tx = fixture_child(&f, tx, 0, 10000);
    tx->vin[0].prevout.index = 1;
    fixture_expect(&f, tx, "bad-txns-inputs-missingorspent");
}

static void test_fee(void **state)
{
    static const char text[] = "min relay fee not met, 95 < 96";
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 0);

    (void)state;
    assert_int_equal((cc_tx_weight(tx) + 3) / 4, 96);
    tx = fixture_simple(&f, 1, 1, 95);
    fixture_expect(&f, tx, text);
    assert_int_equal(f.err.verdict, CC_VERDICT_POLICY);
    /* What a user adds in mind counts, and what he takes. */
    cc_mempool_prioritise(f.pool, tx->txid, 1);
    fixture_add(&f, tx);
    assert_int_equal(f.accepted.fee, 95);
    assert_int_equal(f.accepted.modified, 96);
    tx = fixture_simple(&f, 2, 1, 96);
    cc_mempool_prioritise(f.pool, tx->txid, -1);
    fixture_expect(&f, tx, text);
    cc_mempool_prioritise(f.pool, tx->txid, 1);
    fixture_add(&f, tx);
}

/* What held once is not run again: neither for the pool nor in a block. That
 * shows with scripts that cannot hold, and are said to have. */
static void test_scripts_that_held(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000);
    struct cc_tx *other = fixture_simple(&f, 2, 1, 10000);
    struct cc_tx *good = fixture_simple(&f, 3, 1, 10000);

    (void)state;
    cc_tx_finish(good);
    assert_false(cc_txpool_known_has(&f.pool->known, good->wtxid));
    assert_int_equal(cc_mempool_add(f.pool, good, true, &f.accepted, &f.err),
                     CC_OK);
    assert_true(cc_txpool_known_has(&f.pool->known, good->wtxid));
    tx->vin[0].witness[0] = cc_bytes("\x52", 1);
    fixture_expect(&f, tx,
                   "mandatory-script-verify-flag-failed (Witness program "
                   "hash mismatch)");
    assert_false(cc_txpool_known_has(&f.pool->known, tx->wtxid));
    cc_txpool_known_add(&f.pool->known, tx->wtxid);
    fixture_add(&f, tx);
    other->vin[0].witness[0] = cc_bytes("\x52", 1);
    cc_tx_finish(other);
    cc_txpool_known_add(&f.pool->known, other->wtxid);
    fixture_mine_txs(&f, other, 1);
}

static void test_known_is_bounded(void **state)
{
    struct cc_txpool_known k;
    uint8_t wtxid[32] = {0};

    (void)state;
    cc_txpool_known_init(&k, 2000);
    for (uint32_t i = 0; i < 1000; i++) {
        cc_put_u32le(wtxid, i);
        cc_txpool_known_add(&k, wtxid);
        assert_true(cc_txpool_known_has(&k, wtxid));
        assert_true(k.now.count + k.before.count <= 22);
        if (i < 10)
            continue;
        cc_put_u32le(wtxid, i - 10);
        assert_true(cc_txpool_known_has(&k, wtxid));
    }
    cc_put_u32le(wtxid, 1);
    assert_false(cc_txpool_known_has(&k, wtxid));
    cc_txpool_known_clear(&k);
    cc_txpool_known_init(&k, 0);
    cc_txpool_known_add(&k, wtxid);
    assert_false(cc_txpool_known_has(&k, wtxid));
    cc_txpool_known_clear(&k);
}

static void test_scripts(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000), *child;

    (void)state;
    /* The wrong script: no block may hold it. */
    tx->vin[0].witness[0] = cc_bytes("\x52", 1);
    fixture_expect(&f, tx,
                   "mandatory-script-verify-flag-failed (Witness program "
                   "hash mismatch)");
    assert_int_equal(f.err.verdict, CC_VERDICT_CONSENSUS);
    /* Without a witness: the txid is innocent. */
    tx->vin[0].witness_count = 0;
    fixture_expect(&f, tx,
                   "mandatory-script-verify-flag-failed (Witness program was "
                   "passed an empty witness)");
    assert_int_equal(f.err.verdict, CC_VERDICT_WITNESS);
    /* A nonstandard P2SH redeem script: OP_NOP4 OP_TRUE. */
    tx = fixture_simple(&f, 1, 1, 10000);
    {
        uint8_t script[23] = {0xa9, 0x14};

        cc_hash160(script + 2, "\xb3\x51", 2);
        script[22] = 0x87;
        cc_build_out(&f.b, tx, 1000, script, sizeof(script));
    }
    tx->vout[0].value -= 1000;
    fixture_add(&f, tx);
    child = fixture_child(&f, tx, 1, 700);
    child->vin[0].witness_count = 0;
    child->vin[0].script_sig = cc_bytes("\x02\xb3\x51", 3);
    child->vout[0].value = 300;
    child->vout[0].script = cc_bytes("\x00\x14"
                                     "aaaaaaaaaaaaaaaaaaaa",
                                     22);
    fixture_expect(&f, child,
                   "non-mandatory-script-verify-flag (NOPx reserved for "
                   "soft-fork upgrades)");
    assert_int_equal(f.err.verdict, CC_VERDICT_POLICY);
    /* A legacy input that is bad has no witness to have lost. */
    child->vin[0].script_sig = cc_bytes("\x02\xb3\x52", 3);
    fixture_expect(&f, child,
                   "mandatory-script-verify-flag-failed (Script evaluated "
                   "without error but finished with a false/empty top stack "
                   "element)");
    assert_int_equal(f.err.verdict, CC_VERDICT_CONSENSUS);
}

static void test_standard_spend(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000), *child, *other;

    (void)state;
    /* A bare OP_TRUE in a block, spent: not standard. */
    cc_build_out(&f.b, tx, 1000, "\x51", 1);
    tx->vout[0].value -= 1000;
    cc_tx_finish(tx);
    fixture_expect(&f, tx, "scriptpubkey");
    fixture_mine_txs(&f, tx, 1);
    child = fixture_child(&f, tx, 1, 500);
    child->vin[0].witness_count = 0;
    fixture_expect(&f, child, "bad-txns-nonstandard-inputs");
    /* More than 100 items. */
    other = fixture_simple(&f, 2, 1, 20000);
    for (int i = 0; i < 101; i++)
        cc_build_witness(&f.b, &other->vin[0], "\x51", 1);
    fixture_expect(&f, other, "bad-witness-nonstandard");
    assert_int_equal(f.err.verdict, CC_VERDICT_WITNESS);
    /* All of that is a question of -acceptnonstdtxn. */
    f.config.require_standard = false;
    fixture_reopen(&f);
    fixture_expect(&f, other,
                   "mandatory-script-verify-flag-failed (Stack size must be "
                   "exactly one after execution)");
    fixture_add(&f, child);
}

static void test_sigops(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 1000000);
    uint8_t code[4001];

    (void)state;
    /* 4,001 legacy sigops in outputs. */
    memset(code, CC_OP_CHECKSIG, sizeof(code));
    f.config.require_standard = false;
    fixture_reopen(&f);
    cc_build_out(&f.b, tx, 1000, code, 4001);
    tx->vout[0].value -= 1000;
    fixture_expect(&f, tx, "bad-txns-too-many-sigops, 16004");
    tx->vout[1].script.len = 4000;
    fixture_add(&f, tx);
    assert_int_equal(f.accepted.vsize, 16000 * 20 / 4);
}

static void test_same_txid(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000);

    (void)state;
    fixture_add(&f, tx);
    cc_build_witness(&f.b, &tx->vin[0], "x", 1);
    fixture_expect(&f, tx, "txn-same-nonwitness-data-in-mempool");
    assert_int_equal(f.err.verdict, CC_VERDICT_CONFLICT);
}

/* --- Chains ----------------------------------------------------------------
 */

static void test_chain_limits(void **state)
{
    struct cc_tx *chain[26], *tx;
    char text[160];

    (void)state;
    chain[0] = fixture_simple(&f, 1, 3, 10000);
    fixture_add(&f, chain[0]);
    for (int i = 1; i < 25; i++) {
        chain[i] = fixture_child(&f, chain[i - 1], 0, 10000);
        fixture_add(&f, chain[i]);
    }
    tx = fixture_child(&f, chain[24], 0, 10000);
    snprintf(text, sizeof(text),
             "too-long-mempool-chain, too many descendants for tx %s "
             "[limit: 25]",
             id(chain[0]));
    cc_tx_finish(tx);
    assert_int_equal(cc_mempool_add(f.pool, tx, false, NULL, &f.err),
                     CC_INVALID);
    assert_string_equal(f.err.reason, "too-long-mempool-chain");
    /* One small child more of the first is let through, a second is not. */
    fixture_add(&f, fixture_child(&f, chain[0], 1, 10000));
    fixture_expect(&f, fixture_child(&f, chain[0], 2, 10000), text);
}

static void test_ancestor_limit(void **state)
{
    struct cc_tx *tx = fixture_tx(&f);

    (void)state;
    for (uint32_t i = 1; i <= 24; i++) {
        struct cc_tx *parent = fixture_simple(&f, i, 1, 10000);

        fixture_add(&f, parent);
        fixture_spend_tx(&f, tx, parent, 0);
    }
    fixture_pay(&f, tx, CC_COIN);
    cc_tx_finish(tx);
    assert_int_equal(cc_mempool_add(f.pool, tx, true, NULL, &f.err), CC_OK);
    {
        struct cc_tx *parent = fixture_simple(&f, 25, 1, 10000);

        fixture_add(&f, parent);
        fixture_spend_tx(&f, tx, parent, 0);
    }
    fixture_expect(&f, tx,
                   "too-long-mempool-chain, too many unconfirmed parents "
                   "[limit: 25]");
}

static struct cc_tx *big(const struct cc_tx *parent, size_t vsize)
{
    struct cc_tx *tx = fixture_child(&f, parent, 0, (cc_amount)vsize * 2);

    /* Fill up with outputs of 43 bytes. */
    while (cc_tx_finish(tx), cc_tx_weight(tx) / 4 + 43 < vsize) {
        fixture_pay(&f, tx, 1000);
        tx->vout[0].value -= 1000;
    }
    return tx;
}

static void test_chain_sizes(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000), *b, *c;

    (void)state;
    fixture_add(&f, a);
    b = big(a, 60000);
    fixture_add(&f, b);
    c = big(b, 45000);
    cc_tx_finish(c);
    assert_int_equal(cc_mempool_add(f.pool, c, true, NULL, &f.err), CC_INVALID);
    assert_string_equal(f.err.reason, "too-long-mempool-chain");
    assert_non_null(strstr(f.err.text, "exceeds descendant size limit for tx"));
    fixture_add(&f, big(b, 40000));
}

/* Above a transaction, though each parent has room below it. */
static void test_ancestor_sizes(void **state)
{
    struct cc_tx *tx = fixture_tx(&f);

    (void)state;
    for (uint32_t i = 1; i <= 2; i++) {
        struct cc_tx *a = fixture_simple(&f, i, 1, 1000), *b;

        fixture_mine_txs(&f, a, 1);
        b = big(a, 51000);
        fixture_add(&f, b);
        fixture_spend_tx(&f, tx, b, 0);
    }
    fixture_pay(&f, tx, CC_COIN);
    fixture_expect(&f, tx,
                   "too-long-mempool-chain, exceeds ancestor size limit "
                   "[limit: 101000]");
}

/* What is replaced makes room for what replaces it. */
static void test_chain_replacement(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000), *parent = NULL;

    (void)state;
    fixture_add(&f, tx);
    for (int i = 1; i < 25; i++) {
        parent = tx;
        tx = fixture_child(&f, parent, 0, 10000);
        tx->vin[0].sequence = 0xfffffffd;
        fixture_add(&f, tx);
    }
    fixture_add(&f, fixture_child(&f, parent, 0, 20000));
    assert_int_equal(f.accepted.replaced, 1);
}

/* --- Replacement -----------------------------------------------------------
 */

static void test_rbf_signal(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000);
    struct cc_tx *other = fixture_simple(&f, 1, 2, 30000);

    (void)state;
    tx->vin[0].sequence = 0xfffffffe;
    fixture_add(&f, tx);
    fixture_expect(&f, other, "txn-mempool-conflict");
    assert_int_equal(f.err.verdict, CC_VERDICT_CONFLICT);
    f.config.full_rbf = true;
    fixture_reopen(&f);
    fixture_add(&f, tx);
    fixture_add(&f, other);
    assert_int_equal(f.accepted.replaced, 1);
    assert_false(fixture_has(&f, tx));
    assert_int_equal(f.left_count, 1);
    assert_int_equal(f.left[0], CC_LEAVE_REPLACED);
}

static struct cc_tx *signalling(uint32_t height, unsigned outputs,
                                cc_amount fee)
{
    struct cc_tx *tx = fixture_simple(&f, height, outputs, fee);

    tx->vin[0].sequence = 0xfffffffd;
    cc_tx_finish(tx);
    return tx;
}

static void test_rbf_fees(void **state)
{
    struct cc_tx *tx = signalling(1, 1, 9600), *child, *other;
    char text[240];

    (void)state;
    fixture_add(&f, tx);                     /* 96 bytes: 100 a byte */
    other = fixture_simple(&f, 1, 2, 13900); /* 139 bytes: the same */
    snprintf(text, sizeof(text),
             "insufficient fee, rejecting replacement %s; new feerate "
             "0.00100000 BTC/kvB <= old feerate 0.00100000 BTC/kvB",
             id(other));
    fixture_expect(&f, other, text);
    assert_int_equal(f.err.verdict, CC_VERDICT_POLICY);
    /* More than the child too, and the relay of its own bytes. */
    child = fixture_child(&f, tx, 0, 5000);
    fixture_add(&f, child);
    other = fixture_simple(&f, 1, 1, 14599);
    snprintf(text, sizeof(text),
             "insufficient fee, rejecting replacement %s, less fees than "
             "conflicting txs; 0.00014599 < 0.000146",
             id(other));
    fixture_expect(&f, other, text);
    other = fixture_simple(&f, 1, 1, 14695);
    snprintf(text, sizeof(text),
             "insufficient fee, rejecting replacement %s, not enough "
             "additional fees to relay; 0.00000095 < 0.00000096",
             id(other));
    fixture_expect(&f, other, text);
    other = fixture_simple(&f, 1, 1, 14696);
    fixture_add(&f, other);
    assert_int_equal(f.accepted.replaced, 2);
    assert_int_equal(f.left_count, 2);
    assert_false(fixture_has(&f, child));
}

static void test_rbf_inputs(void **state)
{
    struct cc_tx *tx = signalling(1, 1, 10000);
    struct cc_tx *parent = fixture_simple(&f, 2, 1, 10000), *other;
    char text[240];

    (void)state;
    fixture_add(&f, tx);
    fixture_add(&f, parent);
    other = fixture_simple(&f, 1, 1, 60000);
    fixture_spend_tx(&f, other, parent, 0);
    cc_tx_finish(other);
    snprintf(text, sizeof(text),
             "replacement-adds-unconfirmed, replacement %s adds unconfirmed "
             "input, idx 1",
             id(other));
    fixture_expect(&f, other, text);
    /* Spending what it replaces. */
    other = fixture_simple(&f, 1, 1, 60000);
    fixture_spend_tx(&f, other, tx, 0);
    cc_tx_finish(other);
    snprintf(text, sizeof(text),
             "bad-txns-spends-conflicting-tx, %s spends conflicting "
             "transaction %s",
             id(other), id(tx));
    fixture_expect(&f, other, text);
    assert_int_equal(f.err.verdict, CC_VERDICT_CONSENSUS);
}

static void test_rbf_count(void **state)
{
    struct cc_tx *all = fixture_tx(&f);
    char text[240];

    (void)state;
    /* Five chains of 20, 21 in the last: 101. */
    for (uint32_t i = 1; i <= 5; i++) {
        struct cc_tx *tx = signalling(i, 1, 10000);
        struct cc_outpoint o = fixture_coin(&f, i);

        fixture_add(&f, tx);
        for (int j = 1; j < (i == 5 ? 21 : 20); j++) {
            tx = fixture_child(&f, tx, 0, 10000);
            fixture_add(&f, tx);
        }
        fixture_spend(&f, all, &o);
    }
    fixture_pay(&f, all, 200 * CC_COIN);
    cc_tx_finish(all);
    snprintf(text, sizeof(text),
             "too many potential replacements, rejecting replacement %s; too "
             "many potential replacements (101 > 100)\n",
             id(all));
    fixture_expect(&f, all, text);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_bitcoin, close_all)
    const struct CMUnitTest tests[] = {
        T(test_add),
        T(test_alone),
        T(test_final),
        T(test_coins),
        T(test_fee),
        T(test_scripts),
        T(test_scripts_that_held),
        cmocka_unit_test(test_known_is_bounded),
        T(test_standard_spend),
        T(test_sigops),
        T(test_same_txid),
        T(test_chain_limits),
        T(test_ancestor_limit),
        T(test_chain_sizes),
        T(test_ancestor_sizes),
        T(test_chain_replacement),
        T(test_rbf_signal),
        T(test_rbf_fees),
        T(test_rbf_inputs),
        T(test_rbf_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
