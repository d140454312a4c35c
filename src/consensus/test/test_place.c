/* What a block's place in the chain of headers demands. */
#include "support.h"

#include "consensus/check.h"
#include "consensus/pow.h"
#include "consensus/test/build.h"
#include "crypto/hash.h"

#include <string.h>

static struct cc_error err;

static const struct cc_params *bitcoin(void)
{
    return cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
}

/* --- Headers ---------------------------------------------------------------
 */

static void expect_header(const struct cc_header *h, const struct cc_params *p,
                          const struct cc_place *place, enum cc_verdict verdict,
                          const char *text)
{
    enum cc_status st;

    cc_error_init(&err);
    st = cc_header_check_place(h, p, place, &err);
    assert_string_equal(err.text, text);
    assert_int_equal(st, *text ? CC_INVALID : CC_OK);
    assert_int_equal(err.verdict, *text ? verdict : CC_VERDICT_NONE);
}

static void test_header(void **state)
{
    const struct cc_place place = {.height = 10,
                                   .prev_median_time = 1000,
                                   .prev_time = 2000,
                                   .prev_bits = 0x207fffff,
                                   .now = 5000};
    struct cc_header h = {.version = 4, .time = 1001, .bits = 0x207fffff};

    (void)state;
    expect_header(&h, bitcoin(), &place, CC_VERDICT_NONE, "");
    h.bits = 0x207ffffe;
    expect_header(&h, bitcoin(), &place, CC_VERDICT_HEADER,
                  "bad-diffbits, incorrect proof of work");
    h.bits = 0x207fffff;
    h.time = 1000;
    expect_header(&h, bitcoin(), &place, CC_VERDICT_HEADER,
                  "time-too-old, block's timestamp is too early");
    h.time = 5000 + 7200;
    expect_header(&h, bitcoin(), &place, CC_VERDICT_NONE, "");
    h.time++;
    expect_header(&h, bitcoin(), &place, CC_VERDICT_FUTURE,
                  "time-too-new, block timestamp too far in the future");
}

static void test_header_retarget(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    const struct cc_place place = {.height = 10,
                                   .prev_median_time = 1000,
                                   .prev_time = p->genesis.time + 100,
                                   .prev_bits = 0x1e00ffff,
                                   .now = p->genesis.time};
    struct cc_header h = {.version = 4, .time = p->genesis.time};

    (void)state;
    h.bits = cc_pow_next_bits(p, 9, place.prev_time, 0);
    assert_int_not_equal(h.bits, 0x1e00ffff);
    expect_header(&h, p, &place, CC_VERDICT_NONE, "");
    h.bits = 0x1e00ffff;
    expect_header(&h, p, &place, CC_VERDICT_HEADER,
                  "bad-diffbits, incorrect proof of work");
}

/* Each fork by itself: version below its own, height at it and just before. */
static void test_header_version(void **state)
{
    struct cc_header h = {.time = 1001, .bits = 0x207fffff};
    struct cc_place place = {
        .prev_median_time = 1000, .prev_bits = 0x207fffff, .now = 1000};

    (void)state;
    for (int fork = 2; fork <= 4; fork++) {
        struct cc_params p = *bitcoin();
        char text[80];

        p.bip34_height = p.bip66_height = p.bip65_height = UINT32_MAX;
        *(fork == 2   ? &p.bip34_height
          : fork == 3 ? &p.bip66_height
                      : &p.bip65_height) = 100;
        place.height = 99;
        h.version = fork - 1;
        expect_header(&h, &p, &place, CC_VERDICT_NONE, "");
        place.height = 100;
        snprintf(text, sizeof(text),
                 "bad-version(0x%08x), rejected nVersion=0x%08x block",
                 (unsigned)h.version, (unsigned)h.version);
        expect_header(&h, &p, &place, CC_VERDICT_HEADER, text);
        h.version = fork;
        expect_header(&h, &p, &place, CC_VERDICT_NONE, "");
        /* Signed: the high bit makes it small. */
        h.version = INT32_MIN;
        expect_header(&h, &p, &place, CC_VERDICT_HEADER,
                      "bad-version(0x80000000), "
                      "rejected nVersion=0x80000000 block");
    }
}

/* --- Blocks ----------------------------------------------------------------
 */

static struct cc_build b;
static const struct cc_place place200 = {
    .height = 200, .prev_median_time = 1600000000, .now = 1700000000};

static void good_block(void)
{
    struct cc_tx *tx;

    cc_build_init(&b);
    b.header.time = 1600001000;
    cc_build_coinbase(&b, 200, 0);
    tx = cc_build_tx(&b);
    cc_build_in(&b, tx, 1, 0);
    cc_build_out(&b, tx, 1000, "\x51", 1);
}

static void expect_block(const struct cc_params *p, enum cc_verdict verdict,
                         const char *text)
{
    struct cc_block block;
    enum cc_status st;

    cc_build_block(&b, &block);
    cc_error_init(&err);
    st = cc_block_check_place(&block, p, &place200, &err);
    assert_string_equal(err.text, text);
    assert_int_equal(st, *text ? CC_INVALID : CC_OK);
    assert_int_equal(err.verdict, *text ? verdict : CC_VERDICT_NONE);
    cc_block_clear(&block);
    cc_build_clear(&b);
}

static void test_finality(void **state)
{
    static const char text[] = "bad-txns-nonfinal, non-final transaction";
    struct cc_params early = *bitcoin(), first = early;

    (void)state;
    early.csv_height = 201;
    first.csv_height = 200;
    good_block();
    b.tx[1].vin[0].sequence = 0;
    b.tx[1].locktime = 199;
    expect_block(bitcoin(), CC_VERDICT_NONE, "");
    good_block();
    b.tx[1].vin[0].sequence = 0;
    b.tx[1].locktime = 200;
    expect_block(bitcoin(), CC_VERDICT_CONSENSUS, text);
    /* BIP 113: the median of the past, not the block's own time. */
    good_block();
    b.tx[1].vin[0].sequence = 0;
    b.tx[1].locktime = 1599999999;
    expect_block(bitcoin(), CC_VERDICT_NONE, "");
    good_block();
    b.tx[1].vin[0].sequence = 0;
    b.tx[1].locktime = 1600000000;
    expect_block(&first, CC_VERDICT_CONSENSUS, text);
    good_block();
    b.tx[1].vin[0].sequence = 0;
    b.tx[1].locktime = 1600000999;
    expect_block(&early, CC_VERDICT_NONE, "");
    good_block();
    b.tx[1].vin[0].sequence = 0;
    b.tx[1].locktime = 1600001000;
    expect_block(&early, CC_VERDICT_CONSENSUS, text);
    /* The coinbase is judged as well. */
    good_block();
    b.tx[0].vin[0].sequence = 0;
    b.tx[0].locktime = 200;
    expect_block(bitcoin(), CC_VERDICT_CONSENSUS, text);
}

static void test_final_function(void **state)
{
    struct cc_tx *tx;

    (void)state;
    cc_build_init(&b);
    tx = cc_build_tx(&b);
    cc_build_in(&b, tx, 1, 0);
    cc_build_in(&b, tx, 2, 0);
    tx->vin[0].sequence = tx->vin[1].sequence = 0;
    assert_true(cc_tx_is_final(tx, 0, 0));
    tx->locktime = CC_LOCKTIME_THRESHOLD - 1;
    assert_false(cc_tx_is_final(tx, CC_LOCKTIME_THRESHOLD - 1, INT64_MAX));
    assert_true(cc_tx_is_final(tx, CC_LOCKTIME_THRESHOLD, 0));
    tx->locktime = CC_LOCKTIME_THRESHOLD;
    assert_false(cc_tx_is_final(tx, INT64_MAX, CC_LOCKTIME_THRESHOLD));
    assert_true(cc_tx_is_final(tx, 0, CC_LOCKTIME_THRESHOLD + 1));
    /* All inputs must be final to waive the lock. */
    tx->vin[0].sequence = CC_SEQUENCE_FINAL;
    assert_false(cc_tx_is_final(tx, 0, 0));
    tx->vin[1].sequence = CC_SEQUENCE_FINAL;
    assert_true(cc_tx_is_final(tx, 0, 0));
    cc_build_clear(&b);
}

static void test_cb_height(void **state)
{
    static const char text[] =
        "bad-cb-height, block height mismatch in coinbase";
    struct cc_params late = *bitcoin(), first = late;

    (void)state;
    late.bip34_height = 201;
    first.bip34_height = 200;
    good_block();
    /* 200 is pushed as two bytes, c8 00: without the last it is -72. */
    b.tx[0].vin[0].script_sig = cc_bytes("\x02\xc8\x00", 3);
    expect_block(bitcoin(), CC_VERDICT_NONE, "");
    good_block();
    b.tx[0].vin[0].script_sig = cc_bytes("\x02\xc8", 2);
    expect_block(bitcoin(), CC_VERDICT_CONSENSUS, text);
    good_block();
    b.tx[0].vin[0].script_sig = cc_bytes("\x02\xc9\x00", 3);
    expect_block(&first, CC_VERDICT_CONSENSUS, text);
    good_block();
    b.tx[0].vin[0].script_sig = cc_bytes("\x02\xc9\x00", 3);
    expect_block(&late, CC_VERDICT_NONE, "");
}

static void test_witness(void **state)
{
    static const char unexpected[] =
        "unexpected-witness, CheckWitnessMalleation : "
        "unexpected witness data found";
    static const char size[] =
        "bad-witness-nonce-size, CheckWitnessMalleation : "
        "invalid witness reserved value size";
    static const char mismatch[] =
        "bad-witness-merkle-match, CheckWitnessMalleation : "
        "witness merkle commitment mismatch";
    struct cc_params late = *bitcoin(), first = late;

    (void)state;
    late.segwit_height = 201;
    first.segwit_height = 200;
    good_block();
    b.commit = true;
    cc_build_witness(&b, &b.tx[1].vin[0], "w", 1);
    expect_block(&first, CC_VERDICT_NONE, "");
    /* A commitment without a witness elsewhere is fine, also as the only
     * output. */
    good_block();
    b.tx[0].vout_count = 0;
    b.commit = true;
    expect_block(bitcoin(), CC_VERDICT_NONE, "");
    good_block();
    cc_build_witness(&b, &b.tx[1].vin[0], "w", 1);
    expect_block(bitcoin(), CC_VERDICT_MUTATED, unexpected);
    good_block(); /* the coinbase may have none either */
    cc_build_witness(&b, &b.tx[0].vin[0], "w", 1);
    expect_block(bitcoin(), CC_VERDICT_MUTATED, unexpected);
    /* Before BIP 141 a commitment means nothing. */
    good_block();
    b.commit = true;
    cc_build_witness(&b, &b.tx[1].vin[0], "w", 1);
    expect_block(&late, CC_VERDICT_MUTATED, unexpected);
    /* The reserved value: one item of 32 bytes, with which the commitment
     * agrees. The builder adds the good one behind what is there. */
    good_block();
    b.commit = true;
    cc_build_witness(&b, &b.tx[0].vin[0], "x", 1);
    expect_block(bitcoin(), CC_VERDICT_MUTATED, size);
    for (size_t len = 31; len <= 33; len++) {
        struct cc_block commitment = {0};
        uint8_t both[65] = {0}, script[38] = "\x6a\x24\xaa\x21\xa9\xed";

        good_block();
        memset(both + 32, 0x5a, 33); /* any value will do */
        cc_build_witness(&b, &b.tx[0].vin[0], both + 32, len);
        cc_build_finish(&b);
        commitment.tx = b.tx;
        commitment.tx_count = b.count;
        cc_block_witness_root(both, &commitment);
        cc_hash256(script + 6, both, 32 + len);
        cc_build_out(&b, &b.tx[0], 0, script, sizeof(script));
        expect_block(bitcoin(), CC_VERDICT_MUTATED, len == 32 ? "" : size);
    }
    good_block();
    b.commit = true;
    cc_build_witness(&b, &b.tx[1].vin[0], "w", 1);
    {
        struct cc_block block;

        /* A witness altered on the way: txid and root are the same. */
        cc_build_block(&b, &block);
        block.tx[1].wtxid[0] ^= 1;
        assert_int_equal(
            cc_block_check_place(&block, bitcoin(), &place200, &err),
            CC_INVALID);
        assert_string_equal(err.text, mismatch);
        assert_int_equal(err.verdict, CC_VERDICT_MUTATED);
        cc_block_clear(&block);
        cc_build_clear(&b);
    }
}

static void test_weight(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct cc_block block;
        size_t weight, len;

        good_block();
        b.commit = true;
        len = 1000000;
        b.tx[1].vin[0].witness = NULL;
        cc_build_witness(&b, &b.tx[1].vin[0], cc_build_fill(&b, 0, len).data,
                         len);
        cc_build_block(&b, &block);
        weight = cc_block_weight(&block);
        cc_block_clear(&block);
        cc_build_clear(&b);

        good_block();
        b.commit = true;
        len += 4000000 - weight + over;
        cc_build_witness(&b, &b.tx[1].vin[0], cc_build_fill(&b, 0, len).data,
                         len);
        expect_block(bitcoin(), CC_VERDICT_CONSENSUS,
                     over ? "bad-blk-weight, ContextualCheckBlock : "
                            "weight limit failed"
                          : "");
    }
}

/* --- BIP 68 ----------------------------------------------------------------
 */

/* Median time past of block h: 100,000 + 600 h. */
static int64_t mtp(void *arg, uint32_t height)
{
    uint32_t *asked = arg;

    *asked = height;
    return 100000 + 600 * (int64_t)height;
}

static void test_sequence_lock(void **state)
{
    struct cc_sequence_lock lock;
    uint32_t heights[2] = {50, 70}, asked = UINT32_MAX;
    struct cc_tx *tx;

    (void)state;
    cc_build_init(&b);
    tx = cc_build_tx(&b);
    cc_build_in(&b, tx, 1, 0);
    cc_build_in(&b, tx, 2, 0);

    /* Blocks: the last block in which it may not stand. */
    tx->vin[0].sequence = 10;
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_height, 59);
    assert_int_equal(lock.min_time, -1);
    assert_false(cc_sequence_lock_holds(&lock, 59, 0));
    assert_true(cc_sequence_lock_holds(&lock, 60, 0));
    /* The strictest input counts; bits beyond the low 16 do not. */
    tx->vin[1].sequence = 0x7fbf0001;
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_height, 70);
    tx->vin[1].sequence = 0;
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_height, 69);
    assert_int_equal(asked, UINT32_MAX);
    tx->vin[0].sequence = 40; /* the first, this time */
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_height, 89);
    tx->vin[0].sequence = 1u << 22 | 90;
    tx->vin[1].sequence = 1u << 22 | 3;
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_time, 100000 + 600 * 49 + 90 * 512 - 1);
    tx->vin[0].sequence = 10;

    /* Time: in units of 512 s from the median before the coin's block. */
    tx->vin[1].sequence = 1u << 22 | 3;
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_height, 59);
    assert_int_equal(asked, 69);
    assert_int_equal(lock.min_time, 100000 + 600 * 69 + 3 * 512 - 1);
    assert_false(cc_sequence_lock_holds(&lock, 100, lock.min_time));
    assert_true(cc_sequence_lock_holds(&lock, 100, lock.min_time + 1));
    heights[1] = 0; /* a coin of genesis has no block before */
    (void)cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(asked, 0);

    /* Disabled, and versions to which BIP 68 says nothing. */
    tx->vin[0].sequence |= 1u << 31;
    tx->vin[1].sequence |= 1u << 31;
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_height, -1);
    assert_int_equal(lock.min_time, -1);
    tx->vin[0].sequence = 10;
    tx->version = 1;
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_height, -1);
    tx->version = -1; /* read as unsigned: far above 2 */
    lock = cc_tx_sequence_lock(tx, heights, mtp, &asked);
    assert_int_equal(lock.min_height, 59);
    cc_build_clear(&b);
}

static void test_flags(void **state)
{
    struct cc_params p = *bitcoin();
    const uint32_t always =
        CC_VERIFY_P2SH | CC_VERIFY_WITNESS | CC_VERIFY_TAPROOT;

    (void)state;
    assert_int_equal(cc_block_script_flags(&p, 1), CC_VERIFY_MANDATORY);
    assert_int_equal(cc_block_script_flags(&p, 0),
                     always | CC_VERIFY_NULLDUMMY);
    p.bip66_height = 10;
    p.bip65_height = 20;
    p.csv_height = 30;
    p.segwit_height = 40;
    assert_int_equal(cc_block_script_flags(&p, 9), always);
    assert_int_equal(cc_block_script_flags(&p, 10), always | CC_VERIFY_DERSIG);
    assert_int_equal(cc_block_script_flags(&p, 20),
                     always | CC_VERIFY_DERSIG | CC_VERIFY_CHECKLOCKTIMEVERIFY);
    assert_int_equal(cc_block_script_flags(&p, 30),
                     CC_VERIFY_MANDATORY & ~(uint32_t)CC_VERIFY_NULLDUMMY);
    assert_int_equal(cc_block_script_flags(&p, 40), CC_VERIFY_MANDATORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_header_retarget),
        cmocka_unit_test(test_header_version),
        cmocka_unit_test(test_finality),
        cmocka_unit_test(test_final_function),
        cmocka_unit_test(test_cb_height),
        cmocka_unit_test(test_witness),
        cmocka_unit_test(test_weight),
        cmocka_unit_test(test_sequence_lock),
        cmocka_unit_test(test_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
