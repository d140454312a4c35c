/* What a transaction or block says by itself. */
#include "support.h"

#include "consensus/check.h"
#include "consensus/test/build.h"

#include <string.h>

static const struct cc_params *bitcoin(void)
{
    return cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
}

/* --- Transactions ----------------------------------------------------------
 */

/* Bitcoin's numbers, as numbers: elsewhere tests name them. */
static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(CC_MAX_BLOCK_WEIGHT, 4000000);
    assert_int_equal(CC_MAX_BLOCK_SIGOPS_COST, 80000);
    assert_int_equal(CC_WITNESS_SCALE, 4);
    assert_int_equal(CC_HEADER_SIZE, 80);
    assert_int_equal(CC_MAX_SCRIPT_SIZE, 10000);
    assert_int_equal(CC_MAX_SCRIPT_ELEMENT_SIZE, 520);
    assert_int_equal(CC_MAX_SCRIPT_OPS, 201);
    assert_int_equal(CC_MAX_STACK_SIZE, 1000);
    assert_int_equal(CC_MAX_PUBKEYS_PER_MULTISIG, 20);
    assert_int_equal(CC_LOCKTIME_THRESHOLD, 500000000);
    assert_int_equal(CC_SEQUENCE_FINAL, 0xffffffff);
    assert_int_equal(CC_COIN, 100000000);
    assert_int_equal(CC_OP_STORAGE, 0xbb);
}

static struct cc_build b;
static struct cc_error err;

static struct cc_tx *good_tx(void)
{
    struct cc_tx *tx;

    cc_build_init(&b);
    tx = cc_build_tx(&b);
    cc_build_in(&b, tx, 1, 0);
    cc_build_out(&b, tx, 1000, "\x51", 1);
    return tx;
}

/* Judge the transaction as it now is, and forget it. "" is good. */
static void expect_on(const struct cc_params *p, struct cc_tx *tx,
                      const char *reason)
{
    enum cc_status st;

    cc_error_init(&err);
    cc_tx_finish(tx);
    st = cc_tx_check(tx, p, &err);
    assert_string_equal(err.reason, reason);
    assert_int_equal(st, *reason ? CC_INVALID : CC_OK);
    if (*reason)
        assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
    cc_build_clear(&b);
}

static void expect(struct cc_tx *tx, const char *reason)
{
    expect_on(bitcoin(), tx, reason);
}

static void test_tx_empty(void **state)
{
    struct cc_tx *tx = good_tx();

    (void)state;
    expect(tx, "");
    tx = good_tx();
    tx->vin_count = 0;
    expect(tx, "bad-txns-vin-empty");
    tx = good_tx();
    tx->vout_count = 0;
    expect(tx, "bad-txns-vout-empty");
}

/* 1,000,000 bytes without witness fit, one more does not. */
static void test_tx_size(void **state)
{
    struct cc_tx *tx;

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        tx = good_tx();
        cc_tx_finish(tx);
        /* The length of the script grows from 1 byte to 5. */
        tx->vout[0].script =
            cc_build_fill(&b, 0x51, 1000000 - tx->stripped_size - 4 + 1 + over);
        cc_build_witness(&b, &tx->vin[0], "w", 1);
        cc_tx_finish(tx);
        assert_int_equal(tx->stripped_size, 1000000 + over);
        expect(tx, over ? "bad-txns-oversize" : "");
    }
}

static void test_tx_amounts(void **state)
{
    const cc_amount max = bitcoin()->max_money;
    struct cc_tx *tx = good_tx();

    (void)state;
    tx->vout[0].value = -1;
    expect(tx, "bad-txns-vout-negative");
    tx = good_tx();
    tx->vout[0].value = 0;
    expect(tx, "");
    tx = good_tx();
    tx->vout[0].value = max;
    expect(tx, "");
    tx = good_tx();
    tx->vout[0].value = max + 1;
    expect(tx, "bad-txns-vout-toolarge");
    tx = good_tx();
    tx->vout[0].value = max + 1;
    expect_on(cc_params_get(CC_CHAIN_REGTEST), tx, "");
    tx = good_tx();
    tx->vout[0].value = INT64_MAX;
    expect(tx, "bad-txns-vout-toolarge");
    tx = good_tx();
    tx->vout[0].value = max - 1;
    cc_build_out(&b, tx, 1, "", 0);
    expect(tx, "");
    tx = good_tx();
    tx->vout[0].value = max - 1;
    cc_build_out(&b, tx, 2, "", 0);
    expect(tx, "bad-txns-txouttotal-toolarge");
}

/* Both ways of looking: pairs for few inputs, sorting for many. */
static void test_tx_duplicate_inputs(void **state)
{
    (void)state;
    for (unsigned n = 2; n <= 90; n++)
        for (int twice = 0; twice < 2; twice++) {
            struct cc_tx *tx = good_tx();

            /* Neighbours differ in the index only or in the txid only. */
            for (unsigned i = 1; i < n; i++)
                cc_build_in(&b, tx, (uint8_t)(1 + i / 2), i % 2);
            if (twice)
                tx->vin[n - 1].prevout = tx->vin[(n - 1) / 2].prevout;
            expect(tx, twice ? "bad-txns-inputs-duplicate" : "");
        }
    /* The first two of all, and in order of their bytes as well. */
    for (unsigned n = 2; n <= 90; n += 44) {
        struct cc_tx *tx = good_tx();

        cc_build_in(&b, tx, 1, 0);
        for (unsigned i = 2; i < n; i++)
            cc_build_in(&b, tx, (uint8_t)i, 0);
        expect(tx, "bad-txns-inputs-duplicate");
    }
}

/* Outpoints that differ and agree in txid + index, by which they are told
 * apart first. */
static void test_tx_near_duplicate(void **state)
{
    struct cc_tx *tx = good_tx();

    (void)state;
    cc_build_in(&b, tx, 1, 1);
    tx->vin[0].prevout.txid[0]++;
    expect(tx, "");
}

static void test_tx_coinbase(void **state)
{
    static const struct {
        size_t len;
        const char *reason;
    } rows[] = {
        {1, "bad-cb-length"}, {2, ""}, {100, ""}, {101, "bad-cb-length"}};
    struct cc_tx *tx;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        tx = good_tx();
        memset(&tx->vin[0].prevout, 0, 32);
        tx->vin[0].prevout.index = UINT32_MAX;
        tx->vin[0].script_sig = cc_build_fill(&b, 0x51, rows[i].len);
        expect(tx, rows[i].reason);
    }
    /* A null outpoint among others makes no coinbase. */
    for (int first = 0; first < 2; first++) {
        tx = good_tx();
        cc_build_in(&b, tx, 2, 0);
        memset(&tx->vin[!first].prevout, 0, 32);
        tx->vin[!first].prevout.index = UINT32_MAX;
        expect(tx, "bad-txns-prevout-null");
    }
}

/* Where storage is active a coinbase makes no typed coin, whatever follows
 * the opcode; elsewhere 0xbb is an opcode like any other. */
static void test_tx_coinbase_typed(void **state)
{
    struct cc_tx *tx;

    (void)state;
    for (int active = 0; active < 2; active++) {
        cc_build_init(&b);
        tx = cc_build_coinbase(&b, 7, 0);
        cc_build_out(&b, tx, 0, "\x51\xbb", 2);
        /* Empty: what lies behind it does not count. */
        cc_build_out(&b, tx, 0, "", 0)->script = cc_bytes("\xbb", 0);
        if (active)
            cc_build_out(&b, tx, 0, "\xbb", 1);
        expect_on(cc_params_get(CC_CHAIN_REGTEST), tx,
                  active ? "bad-cb-storage" : "");
    }
    for (int active = 0; active < 2; active++) {
        cc_build_init(&b);
        tx = cc_build_coinbase(&b, 7, 0);
        tx->vout[0].script = cc_bytes("\xbb", 1);
        expect_on(active ? cc_params_get(CC_CHAIN_REGTEST) : bitcoin(), tx,
                  active ? "bad-cb-storage" : "");
    }
}

/* --- Blocks ----------------------------------------------------------------
 */

static void good_block(void)
{
    struct cc_tx *tx;

    cc_build_init(&b);
    b.params = bitcoin();
    b.mine = true;
    cc_build_coinbase(&b, 1, 50 * CC_COIN);
    tx = cc_build_tx(&b);
    cc_build_in(&b, tx, 1, 0);
    cc_build_out(&b, tx, 1000, "\x51", 1);
}

static void expect_block(unsigned flags, const char *reason,
                         enum cc_verdict verdict, const char *text)
{
    struct cc_block block;
    enum cc_status st;

    cc_build_block(&b, &block);
    cc_error_init(&err);
    st = cc_block_check(&block, bitcoin(), flags, &err);
    assert_string_equal(err.reason, reason);
    assert_int_equal(st, *reason ? CC_INVALID : CC_OK);
    if (*reason) {
        assert_int_equal(err.verdict, verdict);
        if (text)
            assert_string_equal(err.text, text);
    }
    cc_block_clear(&block);
    cc_build_clear(&b);
}

static void test_block_work(void **state)
{
    (void)state;
    good_block();
    expect_block(CC_CHECK_ALL, "", CC_VERDICT_NONE, NULL);
    good_block();
    b.mine = false;
    b.header.bits = 0x1d00ffff;
    expect_block(CC_CHECK_ALL, "high-hash", CC_VERDICT_HEADER,
                 "high-hash, proof of work failed");
    good_block();
    b.mine = false;
    b.header.bits = 0x1d00ffff;
    expect_block(CC_CHECK_MERKLE, "", CC_VERDICT_NONE, NULL);
}

static void test_block_merkle(void **state)
{
    (void)state;
    good_block();
    b.keep_root = true;
    expect_block(CC_CHECK_ALL, "bad-txnmrklroot", CC_VERDICT_MUTATED,
                 "bad-txnmrklroot, hashMerkleRoot mismatch");
    good_block();
    b.keep_root = true;
    expect_block(CC_CHECK_POW, "", CC_VERDICT_NONE, NULL);
    /* Three transactions, the last twice, have the root of three. */
    good_block();
    cc_build_in(&b, cc_build_tx(&b), 2, 0);
    cc_build_out(&b, &b.tx[2], 1, "\x51", 1);
    b.tx[b.count++] = b.tx[2];
    expect_block(CC_CHECK_ALL, "bad-txns-duplicate", CC_VERDICT_MUTATED,
                 "bad-txns-duplicate, duplicate transaction");
}

static void test_block_size(void **state)
{
    static const char text[] = "bad-blk-length, size limits failed";

    (void)state;
    for (size_t over = 0; over < 2; over++) {
        size_t size;

        good_block();
        cc_build_finish(&b);
        size = 80 + 1 + b.tx[0].stripped_size + b.tx[1].stripped_size;
        /* In two outputs, so that no transaction is too large by itself. */
        b.tx[0].vout[0].script = cc_build_fill(&b, 0x51, 500000);
        b.tx[1].vout[0].script =
            cc_build_fill(&b, 0x51, 1000000 - 500000 - size - 8 + 2 + over);
        /* A witness is not counted here. */
        cc_build_witness(&b, &b.tx[1].vin[0], "w", 1);
        expect_block(CC_CHECK_ALL, over ? "bad-blk-length" : "",
                     CC_VERDICT_CONSENSUS, over ? text : NULL);
    }
    good_block();
    b.count = 0;
    b.keep_root = true;
    expect_block(0, "bad-blk-length", CC_VERDICT_CONSENSUS, text);
}

static void test_block_coinbase(void **state)
{
    (void)state;
    good_block();
    b.tx[0] = b.tx[1];
    b.count = 1;
    expect_block(CC_CHECK_ALL, "bad-cb-missing", CC_VERDICT_CONSENSUS,
                 "bad-cb-missing, first tx is not coinbase");
    for (int second = 0; second < 2; second++) {
        good_block();
        cc_build_coinbase(&b, 2, 0);
        if (second) /* alone behind the first */
            b.tx[1] = b.tx[--b.count];
        expect_block(CC_CHECK_ALL, "bad-cb-multiple", CC_VERDICT_CONSENSUS,
                     "bad-cb-multiple, more than one coinbase");
    }
}

static void test_block_txs(void **state)
{
    (void)state;
    good_block();
    b.tx[1].vout[0].value = -1;
    expect_block(CC_CHECK_ALL, "bad-txns-vout-negative", CC_VERDICT_CONSENSUS,
                 NULL);
    assert_non_null(
        strstr(err.text,
               "bad-txns-vout-negative, Transaction check failed (tx hash "));
    assert_int_equal(strlen(err.text), 24 + 34 + 64 + 2);
    good_block();
    b.tx[0].vin[0].script_sig.len = 1;
    expect_block(CC_CHECK_ALL, "bad-cb-length", CC_VERDICT_CONSENSUS, NULL);
}

/* 20,000 legacy sigops: 80,000 by cost. Inputs count too. */
static void test_block_sigops(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        good_block();
        b.tx[0].vout[0].script = cc_build_fill(&b, CC_OP_CHECKSIG, 9000);
        b.tx[1].vout[0].script = cc_build_fill(&b, CC_OP_CHECKSIG, 9000);
        b.tx[1].vin[0].script_sig =
            cc_build_fill(&b, CC_OP_CHECKSIG, 2000 + over);
        expect_block(CC_CHECK_ALL, over ? "bad-blk-sigops" : "",
                     CC_VERDICT_CONSENSUS,
                     over ? "bad-blk-sigops, out-of-bounds SigOpCount" : NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_tx_empty),
        cmocka_unit_test(test_tx_size),
        cmocka_unit_test(test_tx_amounts),
        cmocka_unit_test(test_tx_duplicate_inputs),
        cmocka_unit_test(test_tx_near_duplicate),
        cmocka_unit_test(test_tx_coinbase),
        cmocka_unit_test(test_tx_coinbase_typed),
        cmocka_unit_test(test_block_work),
        cmocka_unit_test(test_block_merkle),
        cmocka_unit_test(test_block_size),
        cmocka_unit_test(test_block_coinbase),
        cmocka_unit_test(test_block_txs),
        cmocka_unit_test(test_block_sigops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
