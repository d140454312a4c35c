/* Standardness at every edge. */
#include "support.h"

#include "consensus/test/build.h"
#include "mempool/policy.h"

#include <string.h>

#define P2PKH                                                                  \
    "\x76\xa9\x14"                                                             \
    "aaaaaaaaaaaaaaaaaaaa"                                                     \
    "\x88\xac"
#define P2SH                                                                   \
    "\xa9\x14"                                                                 \
    "aaaaaaaaaaaaaaaaaaaa"                                                     \
    "\x87"
#define P2WPKH                                                                 \
    "\x00\x14"                                                                 \
    "aaaaaaaaaaaaaaaaaaaa"
#define P2WSH                                                                  \
    "\x00\x20"                                                                 \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define P2TR                                                                   \
    "\x51\x20"                                                                 \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY                                                                    \
    "\x21\x02"                                                                 \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct cc_build b;
static struct cc_error err;
static struct cc_policy policy;

static struct cc_tx *good(void)
{
    struct cc_tx *tx;

    policy = (struct cc_policy){false, true, 83, 3000};
    cc_build_init(&b);
    tx = cc_build_tx(&b);
    cc_build_in(&b, tx, 1, 0);
    cc_build_out(&b, tx, 10000, P2PKH, 25);
    return tx;
}

static void expect(struct cc_tx *tx, const char *reason)
{
    enum cc_status st;

    cc_error_init(&err);
    cc_tx_finish(tx);
    st = cc_policy_check_tx(tx, &policy, &err);
    assert_string_equal(err.text, reason);
    assert_int_equal(st, *reason ? CC_INVALID : CC_OK);
    if (*reason)
        assert_int_equal(err.verdict, CC_VERDICT_POLICY);
    cc_build_clear(&b);
}

static void test_version(void **state)
{
    (void)state;
    for (int version = -1; version <= 4; version++) {
        struct cc_tx *tx = good();

        tx->version = version;
        expect(tx, version == 1 || version == 2 ? "" : "version");
    }
}

static void test_size(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct cc_tx *tx = good();
        struct cc_bytes filler = cc_build_fill(&b, 0, 400000);

        cc_build_witness(&b, &tx->vin[0], filler.data, 390000);
        cc_tx_finish(tx);
        tx->vin[0].witness[0].len += 400000 - cc_tx_weight(tx) + over;
        cc_tx_finish(tx);
        assert_int_equal(cc_tx_weight(tx), 400000 + over);
        expect(tx, over ? "tx-size" : "");
    }
}

static void test_script_sig(void **state)
{
    struct cc_tx *tx;

    (void)state;
    tx = good();
    tx->vin[0].script_sig = cc_build_fill(&b, CC_OP_1, 1650);
    expect(tx, "");
    tx = good();
    tx->vin[0].script_sig = cc_build_fill(&b, CC_OP_1, 1651);
    expect(tx, "scriptsig-size");
    tx = good();
    tx->vin[0].script_sig = cc_bytes("\x51\x61", 2);
    expect(tx, "scriptsig-not-pushonly");
    tx = good();
    tx->vin[0].script_sig = cc_bytes("\x02\x51", 2);
    expect(tx, "scriptsig-not-pushonly");
}

/* "n of m" of compressed keys. */
static size_t multisig(uint8_t *out, int n, int m)
{
    size_t len = 0;

    out[len++] = (uint8_t)(CC_OP_1 + n - 1);
    for (int i = 0; i < m; i++) {
        memcpy(out + len, KEY, 34);
        len += 34;
    }
    out[len++] = (uint8_t)(CC_OP_1 + m - 1);
    out[len++] = CC_OP_CHECKMULTISIG;
    return len;
}

static void test_outputs(void **state)
{
    static const struct {
        const char *script;
        size_t len;
        const char *reason;
    } rows[] = {
        {P2PKH, 25, ""},
        {P2SH, 23, ""},
        {P2WPKH, 22, ""},
        {P2WSH, 34, ""},
        {P2TR, 34, ""},
        {"\x52\x02xx", 4, ""},
        {KEY "\xac", 35, ""},
        {"\x51", 1, "scriptpubkey"},
        {"", 0, "scriptpubkey"},
        {P2PKH "\x61", 26, "scriptpubkey"},
        {"\xbb\x51", 2, "scriptpubkey"},
    };
    uint8_t script[200];
    struct cc_tx *tx;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tx = good();
        cc_build_out(&b, tx, 10000, rows[i].script, rows[i].len);
        expect(tx, rows[i].reason);
    }
    for (int m = 1; m <= 4; m++)
        for (int n = 1; n <= m; n++) {
            tx = good();
            cc_build_out(&b, tx, 10000, script, multisig(script, n, m));
            expect(tx, m <= 3 ? "" : "scriptpubkey");
            tx = good();
            policy.bare_multisig = false;
            cc_build_out(&b, tx, 10000, script, multisig(script, n, m));
            expect(tx, m <= 3 ? "bare-multisig" : "scriptpubkey");
        }
}

static void test_data(void **state)
{
    uint8_t script[100] = {CC_OP_RETURN, CC_OP_PUSHDATA1, 80};
    struct cc_tx *tx;

    (void)state;
    tx = good();
    cc_build_out(&b, tx, 0, script, 83);
    expect(tx, "");
    tx = good();
    script[2] = 81;
    cc_build_out(&b, tx, 0, script, 84);
    expect(tx, "scriptpubkey");
    tx = good();
    policy.datacarrier_bytes = 0;
    cc_build_out(&b, tx, 0, script, 1);
    expect(tx, "scriptpubkey");
    tx = good();
    cc_build_out(&b, tx, 0, script, 1);
    cc_build_out(&b, tx, 0, script, 1);
    expect(tx, "multi-op-return");
}

/* 3,000 per kvB: 546 for P2PKH, 294 for P2WPKH, 330 for P2TR and P2WSH. */
static void test_dust(void **state)
{
    static const struct {
        const char *script;
        size_t len;
        cc_amount dust;
    } rows[] = {{P2PKH, 25, 546}, {P2SH, 23, 540}, {P2WPKH, 22, 294},
                {P2WSH, 34, 330}, {P2TR, 34, 330}, {KEY "\xac", 35, 576}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cc_tx *tx = good();

        cc_build_out(&b, tx, rows[i].dust, rows[i].script, rows[i].len);
        assert_int_equal(cc_policy_dust(&tx->vout[1], 3000), rows[i].dust);
        expect(tx, "");
        tx = good();
        cc_build_out(&b, tx, rows[i].dust - 1, rows[i].script, rows[i].len);
        expect(tx, "dust");
        tx = good();
        policy.dust_feerate = 0;
        cc_build_out(&b, tx, 0, rows[i].script, rows[i].len);
        expect(tx, "");
    }
}

static void test_typed_outputs(void **state)
{
    /* Identity: key, sequence, no record, signature: 1 + 38 + 64 bytes. */
    uint8_t identity[106] = {CC_OP_STORAGE, 0x4c, 103, CC_KIND_IDENTITY};
    struct cc_tx *tx = good();

    (void)state;
    policy.storage = true;
    cc_build_out(&b, tx, 0, identity, 2 + 1 + 103);
    expect(tx, "");
    tx = good();
    cc_build_out(&b, tx, 0, identity, 2 + 1 + 103);
    expect(tx, "scriptpubkey");
    tx = good();
    policy.storage = true;
    cc_build_out(&b, tx, 10000, "\xbb\x01\x80", 3);
    expect(tx, "scriptpubkey");
}

/* --- With what is spent ----------------------------------------------------
 */

static void spend(struct cc_txin *in, struct cc_coin *coin, const void *script,
                  size_t len)
{
    (void)in;
    memset(coin, 0, sizeof(*coin));
    coin->out.script = cc_bytes(script, len);
}

static void expect_inputs(bool storage, struct cc_tx *tx, struct cc_coin *coin,
                          bool standard)
{
    cc_error_init(&err);
    assert_int_equal(cc_policy_check_inputs(tx, coin, storage, &err),
                     standard ? CC_OK : CC_INVALID);
    assert_string_equal(err.reason,
                        standard ? "" : "bad-txns-nonstandard-inputs");
    cc_build_clear(&b);
}

static void test_inputs(void **state)
{
    static const struct {
        const char *script;
        size_t len;
        bool storage, standard;
    } rows[] = {
        {P2PKH, 25, false, true},          {P2WPKH, 22, false, true},
        {P2WSH, 34, false, true},          {P2TR, 34, false, true},
        {"\x51", 1, false, false},         {"\x52\x02xx", 4, false, false},
        {"\xbb\x01\x80", 3, false, false}, {"\xbb\x01\x80", 3, true, false},
        {P2SH, 23, false, false}, /* with an empty scriptSig */
    };
    struct cc_coin coin;
    struct cc_tx *tx;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tx = good();
        spend(&tx->vin[0], &coin, rows[i].script, rows[i].len);
        expect_inputs(rows[i].storage, tx, &coin, rows[i].standard);
    }
    for (size_t sigops = 15; sigops <= 16; sigops++) {
        uint8_t sig[18] = {(uint8_t)sigops};

        tx = good();
        memset(sig + 1, CC_OP_CHECKSIG, sigops);
        tx->vin[0].script_sig = cc_bytes(sig, 1 + sigops);
        spend(&tx->vin[0], &coin, P2SH, 23);
        expect_inputs(false, tx, &coin, sigops == 15);
    }
    /* Any one of several inputs. */
    {
        struct cc_coin two[2];

        tx = good();
        cc_build_in(&b, tx, 2, 0);
        spend(&tx->vin[0], &two[0], P2PKH, 25);
        spend(&tx->vin[1], &two[1], "\x51", 1);
        expect_inputs(false, tx, two, false);
    }
}

static void expect_witness(struct cc_tx *tx, const char *script, size_t len,
                           bool standard)
{
    struct cc_coin coin;

    spend(&tx->vin[0], &coin, script, len);
    cc_error_init(&err);
    assert_int_equal(cc_policy_check_witness(tx, &coin, false, &err),
                     standard ? CC_OK : CC_INVALID);
    assert_string_equal(err.reason, standard ? "" : "bad-witness-nonstandard");
    cc_build_clear(&b);
}

static struct cc_tx *with_items(size_t count, size_t len, size_t last_len)
{
    struct cc_tx *tx = good();

    for (size_t i = 0; i < count; i++)
        cc_build_witness(&b, &tx->vin[0], cc_build_fill(&b, 1, len).data, len);
    cc_build_witness(&b, &tx->vin[0], cc_build_fill(&b, 0xc0, last_len).data,
                     last_len);
    return tx;
}

static void test_witness(void **state)
{
    struct cc_tx *tx;

    (void)state;
    expect_witness(good(), P2PKH, 25, true);
    expect_witness(with_items(0, 0, 1), P2PKH, 25, false);
    expect_witness(with_items(1, 72, 33), P2WPKH, 22, true);
    /* P2WSH: script, number of items, size of each. */
    expect_witness(with_items(100, 80, 3600), P2WSH, 34, true);
    expect_witness(with_items(100, 80, 3601), P2WSH, 34, false);
    expect_witness(with_items(101, 80, 3600), P2WSH, 34, false);
    expect_witness(with_items(100, 81, 3600), P2WSH, 34, false);
    /* Under P2SH the witness program is in the scriptSig. */
    tx = with_items(100, 81, 3600);
    tx->vin[0].script_sig = cc_bytes("\x22" P2WSH, 35);
    expect_witness(tx, P2SH, 23, false);
    tx = with_items(100, 80, 3600);
    tx->vin[0].script_sig = cc_bytes("\x22" P2WSH, 35);
    expect_witness(tx, P2SH, 23, true);
    expect_witness(with_items(1, 1, 1), P2SH, 23, false);
    tx = with_items(1, 1, 1);
    tx->vin[0].script_sig = cc_bytes("\x01\x51", 2);
    expect_witness(tx, P2SH, 23, false);
    /* Taproot: items under a tapscript leaf, no annex. */
    expect_witness(with_items(0, 0, 64), P2TR, 34, true);
    expect_witness(with_items(2, 80, 33), P2TR, 34, true);
    expect_witness(with_items(1, 81, 33), P2TR, 34, true); /* the script */
    tx = with_items(2, 80, 33);
    tx->vin[0].witness[0] = cc_build_fill(&b, 1, 81);
    expect_witness(tx, P2TR, 34, false);
    tx = with_items(2, 81, 33);
    tx->vin[0].witness[2] = cc_build_fill(&b, 0xc2, 33); /* another leaf */
    expect_witness(tx, P2TR, 34, true);
    expect_witness(with_items(1, 64, 0), P2TR, 34, false);
    tx = with_items(1, 64, 1);
    tx->vin[0].witness[1] = cc_build_fill(&b, 0x50, 1);
    expect_witness(tx, P2TR, 34, false);
    tx = with_items(0, 64, 1);
    tx->vin[0].witness[0] = cc_build_fill(&b, 0x50, 1); /* one item: none */
    expect_witness(tx, P2TR, 34, true);
}

/* --- Numbers ---------------------------------------------------------------
 */

static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(cc_feerate_fee(1000, 1), 1);
    assert_int_equal(cc_feerate_fee(1000, 250), 250);
    assert_int_equal(cc_feerate_fee(1, 1), 1); /* rounded up */
    assert_int_equal(cc_feerate_fee(1001, 1000), 1001);
    assert_int_equal(cc_feerate_fee(1001, 1001), 1003);
    assert_int_equal(cc_feerate_fee(0, 100), 0);
    assert_int_equal(cc_feerate_fee(INT64_C(1) << 46, 1000), INT64_C(1) << 46);
    assert_int_equal(cc_feerate_of(1999, 2000), 999);
    assert_int_equal(cc_feerate_of(5, 0), 0);
    assert_int_equal(cc_feerate_of(-1999, 2000), -999);
    /* 25 times all the money there is */
    assert_int_equal(cc_feerate_of(INT64_C(210000000000000000), 1000),
                     INT64_C(210000000000000000));
    assert_int_equal(cc_policy_vsize(401, 0, 20), 101);
    assert_int_equal(cc_policy_vsize(400, 20, 20), 100);
    assert_int_equal(cc_policy_vsize(400, 21, 20), 105);
    assert_int_equal(cc_policy_vsize(400, 21, 100), 525);
    assert_int_equal(cc_policy_vsize(400, 21, 0), 100);
    /* Ratios beyond 64 bits, and those that differ by the last unit. */
    assert_true(cc_feerate_above(INT64_C(8400000000000000), 400000,
                                 INT64_C(8400000000000000), 400001));
    assert_false(cc_feerate_above(3, 9, 1, 3));
    assert_false(cc_feerate_above(1, 3, 3, 9));
    assert_true(cc_feerate_above(4, 9, 1, 3));
    assert_true(cc_feerate_above(1, 1, -1, 1));
    assert_false(cc_feerate_above(-1, 1, 0, 1));
    assert_true(cc_feerate_above(-1, 9, -2, 1));
    assert_true(cc_feerate_above(INT64_C(0x7fffffff00000001), 1u << 31,
                                 INT64_C(0x7fffffff00000000), 1u << 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),       cmocka_unit_test(test_size),
        cmocka_unit_test(test_script_sig),    cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_data),          cmocka_unit_test(test_dust),
        cmocka_unit_test(test_typed_outputs), cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_witness),       cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
