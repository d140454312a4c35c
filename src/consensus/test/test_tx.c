#include <stdlib.h>

#include "consensus/tx.h"
#include "crypto/hash.h"
#include "support.h"
#include "util/mem.h"

/* One input without scripts, one output; pieces to build others from. */
#define TXID "1111111111111111111111111111111111111111111111111111111111111111"
#define IN                                                                     \
    TXID "02000000"                                                            \
         "00"                                                                  \
         "ffffffff"
#define OUT                                                                    \
    "0100000000000000"                                                         \
    "0151"
#define PLAIN                                                                  \
    "01000000"                                                                 \
    "01" IN "01" OUT "05000000"
#define MARKED(flag, witness)                                                  \
    "01000000"                                                                 \
    "00" flag "01" IN "01" OUT witness "05000000"

static enum cc_status decode(struct cc_tx *tx, const char *hex, bool witness)
{
    enum cc_status st;
    uint8_t *raw;
    size_t len;

    raw = cc_test_unhex(hex, &len);
    st = cc_tx_decode(tx, raw, len, witness);
    free(raw);
    return st;
}

static void refused_for(const char *hex, const char *fault)
{
    uint8_t *raw;
    size_t len;

    raw = cc_test_unhex(hex, &len);
    assert_string_equal(cc_tx_fault(raw, len), fault);
    free(raw);
}

static void refused(const char *hex)
{
    struct cc_tx tx;

    memset(&tx, 0xee, sizeof(tx));
    assert_int_equal(decode(&tx, hex, true), CC_MALFORMED);
    for (size_t i = 0; i < sizeof(tx); i++)
        assert_int_equal(((uint8_t *)&tx)[i], 0xee); /* untouched */
}

static void writes_back(const struct cc_tx *tx, const char *hex)
{
    struct cc_writer w;
    uint8_t *raw, id[32];
    size_t len;

    raw = cc_test_unhex(hex, &len);
    cc_writer_init_heap(&w);
    cc_tx_write(&w, tx, true);
    assert_int_equal(w.len, len);
    assert_memory_equal(w.data, raw, len);
    cc_hash256(id, raw, len);
    assert_memory_equal(id, tx->wtxid, 32);
    assert_int_equal(tx->size, len);
    cc_writer_clear(&w);

    cc_writer_init_heap(&w);
    cc_tx_write(&w, tx, false);
    cc_hash256(id, w.data, w.len);
    assert_memory_equal(id, tx->txid, 32);
    assert_int_equal(tx->stripped_size, w.len);
    assert_int_equal(cc_tx_weight(tx), 3 * w.len + len);
    cc_writer_clear(&w);
    free(raw);
}

static void spoil(struct cc_bytes b)
{
    if (b.len)
        memset((void *)(uintptr_t)b.data, 0xdd, b.len);
}

/* Overwrite all that a transaction holds. */
static void spoil_tx(struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vin_count; i++) {
        spoil(tx->vin[i].script_sig);
        for (size_t j = 0; j < tx->vin[i].witness_count; j++)
            spoil(tx->vin[i].witness[j]);
        if (tx->vin[i].witness)
            memset(tx->vin[i].witness, 0, sizeof(*tx->vin[i].witness));
    }
    for (size_t i = 0; i < tx->vout_count; i++)
        spoil(tx->vout[i].script);
    memset(tx->txid, 0, 32);
}

static void accepted(const char *hex)
{
    struct cc_tx tx, again;
    bool witness;

    assert_int_equal(decode(&tx, hex, true), CC_OK);
    writes_back(&tx, hex);

    /* A copy owns its bytes; finishing it finds the same ids. */
    cc_tx_copy(&again, &tx);
    witness = tx.has_witness;
    spoil_tx(&tx);
    cc_tx_clear(&tx);
    assert_null(tx.vin);
    assert_int_equal(tx.vout_count, 0);
    again.has_witness = !witness;
    memset(again.txid, 0, 32);
    memset(again.wtxid, 0, 32);
    again.size = again.stripped_size = 0;
    cc_tx_finish(&again);
    assert_int_equal(again.has_witness, witness);
    writes_back(&again, hex);
    cc_tx_clear(&again);
}

static void test_fields(void **state)
{
    struct cc_tx tx;

    (void)state;
    assert_int_equal(decode(&tx,
                            MARKED("01", "02"
                                         "00"
                                         "02aabb"),
                            true),
                     CC_OK);
    assert_int_equal(tx.version, 1);
    assert_int_equal(tx.locktime, 5);
    assert_int_equal(tx.vin_count, 1);
    assert_int_equal(tx.vin[0].prevout.txid[0], 0x11);
    assert_int_equal(tx.vin[0].prevout.index, 2);
    assert_int_equal(tx.vin[0].sequence, 0xffffffff);
    assert_int_equal(tx.vout_count, 1);
    assert_int_equal(tx.vout[0].value, 1);
    assert_int_equal(tx.vout[0].script.len, 1);
    assert_int_equal(tx.vout[0].script.data[0], 0x51);
    assert_true(tx.has_witness);
    assert_int_equal(tx.vin[0].witness_count, 2);
    assert_int_equal(tx.vin[0].witness[0].len, 0);
    assert_int_equal(tx.vin[0].witness[1].len, 2);
    assert_int_equal(tx.vin[0].witness[1].data[1], 0xbb);
    assert_memory_not_equal(tx.txid, tx.wtxid, 32);
    cc_tx_clear(&tx);

    assert_int_equal(decode(&tx, PLAIN, true), CC_OK);
    assert_false(tx.has_witness);
    assert_null(tx.vin[0].witness);
    assert_int_equal(tx.vin[0].witness_count, 0);
    assert_memory_equal(tx.txid, tx.wtxid, 32);
    cc_tx_clear(&tx);
}

static void test_forms(void **state)
{
    (void)state;
    accepted(PLAIN);
    accepted(MARKED("01", "0101ff"));
    accepted("01000000"
             "01" TXID "02000000"
             "03515253"
             "ffffffff"
             "01" OUT "05000000");
    accepted("ffffffff"
             "01" IN "00"
             "ffffffff"); /* negative version */
    accepted("01000000"
             "00"
             "00"
             "00000000"); /* nothing at all */
    accepted("01000000"
             "01" IN "01"
             "ffffffffffffffff"
             "00"
             "00000000");

    refused("");
    refused(PLAIN "00");
    refused("01000000"
            "01" IN "01" OUT "050000");
    refused_for("01000000"
                "01" IN "01" OUT "050000",
                "end of data");
    /* The mark without any witness. */
    refused(MARKED("01", "00"));
    refused_for(MARKED("01", "00"), "Superfluous witness record");
    refused_for(MARKED("03", "00"), "Superfluous witness record");
    /* Unknown marks, with and without a witness. */
    refused(MARKED("02", ""));
    refused(MARKED("03", "0101ff"));
    refused(MARKED("80", ""));
    refused_for(MARKED("02", ""), "Unknown transaction optional data");
    refused_for(MARKED("03", "0101ff"), "Unknown transaction optional data");
    /* Marked and no inputs: no witness can follow. */
    refused("01000000"
            "00"
            "01"
            "00"
            "01" OUT "05000000");
    /* Counts that are not in their shortest form. */
    refused("01000000"
            "fd0100" IN "01" OUT "05000000");
    refused("01000000"
            "01" IN "fd0100" OUT "05000000");
    refused("01000000"
            "01" IN "01"
            "0100000000000000"
            "fd010051"
            "05000000");
    refused(MARKED("01", "fd01000100"));
    /* Counts that lie. */
    refused("01000000"
            "ffffffffffffffffff" IN "01" OUT "05000000");
    refused("01000000"
            "02" IN "01" OUT "05000000");
    refused("01000000"
            "01" IN "02" OUT "05000000");
    refused(MARKED("01", "0201ff"));
    refused(MARKED("01", "01feffffff7f"));
}

/* A hundred of the least there can be of each: the bound on counts, by the
 * bytes that remain, must let them through. */
static void test_least(void **state)
{
    enum { INPUTS = 36 + 1 + 4, OUTPUTS = 8 + 1, ITEMS = 1 };
    static const size_t sizes[] = {INPUTS, OUTPUTS, ITEMS};
    uint8_t raw[100 * INPUTS + 100];
    struct cc_writer w;
    struct cc_tx tx;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const size_t counts[] = {i == 0 ? 100 : 1, i == 1 ? 100 : 1};
        static const uint8_t zeros[100 * INPUTS];

        cc_writer_init(&w, raw, sizeof(raw));
        cc_write_u32le(&w, 1);
        if (i == 2)
            cc_write_u16le(&w, 0x0100); /* the mark */
        for (size_t j = 0; j < 2; j++) {
            cc_write_compact(&w, counts[j]);
            cc_write_bytes(&w, zeros, counts[j] * sizes[j]);
        }
        if (i == 2) {
            cc_write_compact(&w, 100);
            cc_write_bytes(&w, zeros, 100);
        }
        cc_write_u32le(&w, 0);
        assert_false(w.failed);
        assert_int_equal(cc_tx_decode(&tx, raw, w.len, true), CC_OK);
        assert_int_equal(tx.vin_count, counts[0]);
        assert_int_equal(tx.vout_count, counts[1]);
        assert_int_equal(tx.vin[0].witness_count, i == 2 ? 100 : 0);
        cc_tx_clear(&tx);
    }
}

static void test_without_witness(void **state)
{
    struct cc_tx tx;

    (void)state;
    /* No inputs, one output: only without looking for the mark. */
    assert_int_equal(decode(&tx,
                            "01000000"
                            "00"
                            "01" OUT "05000000",
                            false),
                     CC_OK);
    assert_int_equal(tx.vin_count, 0);
    assert_int_equal(tx.vout_count, 1);
    cc_tx_clear(&tx);
    refused("01000000"
            "00"
            "01" OUT "05000000");
    assert_int_equal(decode(&tx, MARKED("01", "0101ff"), false), CC_MALFORMED);
}

/* A script of MAX_SIZE bytes decodes, one byte more does not. */
static void test_max_size(void **state)
{
    const size_t max = 0x02000000, head = 4 + 1 + 36;

    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        size_t len = head + 5 + max + extra + 4 + 1 + 4;
        uint8_t *raw = cc_calloc(1, len);
        struct cc_tx tx;

        raw[4] = 1;
        raw[head] = 0xfe;
        cc_put_u32le(raw + head + 1, (uint32_t)(max + extra));
        assert_int_equal(cc_tx_decode(&tx, raw, len, true),
                         extra ? CC_MALFORMED : CC_OK);
        if (!extra)
            cc_tx_clear(&tx);
        free(raw);
    }
}

static void test_coinbase(void **state)
{
    static const char zero[] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    struct cc_outpoint a, b;
    struct cc_tx tx;
    char hex[512];

    (void)state;
    snprintf(hex, sizeof(hex),
             "0100000001%sffffffff00ffffffff01" OUT "00000000", zero);
    assert_int_equal(decode(&tx, hex, true), CC_OK);
    assert_true(cc_tx_is_coinbase(&tx));
    a = b = tx.vin[0].prevout;
    cc_tx_clear(&tx);
    assert_true(cc_outpoint_equal(&a, &b));
    b.index = 0;
    assert_false(cc_outpoint_is_null(&b));
    assert_false(cc_outpoint_equal(&a, &b));
    b = a;
    b.txid[31] = 1;
    assert_false(cc_outpoint_is_null(&b));
    assert_false(cc_outpoint_equal(&a, &b));

    snprintf(hex, sizeof(hex),
             "0100000002%sffffffff00ffffffff%sffffffff00ffffffff01" OUT
             "00000000",
             zero, zero);
    assert_int_equal(decode(&tx, hex, true), CC_OK);
    assert_false(cc_tx_is_coinbase(&tx));
    cc_tx_clear(&tx);
}

/* Whatever one changed byte makes of a transaction: it is refused, or it
 * encodes to what it was decoded from. */
static void test_flips(void **state)
{
    static const char hex[] = "02000000"
                              "00"
                              "01"
                              "02" IN TXID "00000000"
                              "03010203"
                              "feffffff"
                              "02" OUT "ffe0f50500000000"
                              "02abcd"
                              "02"
                              "00"
                              "03aabbcc"
                              "0101ff"
                              "00000000";
    uint8_t *raw;
    size_t len, ok = 0;

    (void)state;
    raw = cc_test_unhex(hex, &len);
    for (size_t i = 0; i < 256 * len; i++) {
        uint8_t saved = raw[i / 256];
        struct cc_writer w;
        struct cc_tx tx;

        raw[i / 256] = (uint8_t)i;
        if (cc_tx_decode(&tx, raw, len, true) == CC_OK) {
            cc_writer_init_heap(&w);
            cc_tx_write(&w, &tx, true);
            assert_int_equal(w.len, len);
            assert_memory_equal(w.data, raw, len);
            cc_writer_clear(&w);
            cc_tx_clear(&tx);
            ok++;
        }
        raw[i / 256] = saved;
    }
    assert_in_range(ok, len * 100, len * 255);
    free(raw);
}

/* A message's transaction ends where it ends. */
static void test_front(void **state)
{
    struct cc_tx tx, front;
    uint8_t *raw;
    size_t len;

    (void)state;
    assert_int_equal(decode(&tx, MARKED("01", "0101ff"), true), CC_OK);
    raw = cc_test_unhex(MARKED("01", "0101ff") "77", &len);
    assert_int_equal(cc_tx_decode_front(&front, raw, len), CC_OK);
    assert_memory_equal(front.wtxid, tx.wtxid, 32);
    assert_memory_equal(front.txid, tx.txid, 32);
    assert_int_equal(front.size, len - 1);
    cc_tx_clear(&front);
    assert_int_equal(cc_tx_decode_front(&front, raw, len - 2), CC_MALFORMED);
    cc_tx_clear(&tx);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),   cmocka_unit_test(test_forms),
        cmocka_unit_test(test_least),    cmocka_unit_test(test_without_witness),
        cmocka_unit_test(test_max_size), cmocka_unit_test(test_coinbase),
        cmocka_unit_test(test_flips),    cmocka_unit_test(test_front),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
