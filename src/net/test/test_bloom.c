/* Bloom filters (BIP 37): the hash, the bounds, and what matches. */
#include "support.h"

#include "net/bloom.h"
#include "util/hex.h"
#include "util/mem.h"

/* Published values of MurmurHash3 (x86, 32 bits). */
static void test_murmur3(void **state)
{
    static const struct {
        uint32_t seed;
        const char *text;
        uint32_t hash;
    } cases[] = {
        {0, "", 0},
        {1, "", 0x514e28b7},
        {0xffffffff, "", 0x81f16f39},
        {0, "test", 0xba6bd213},
        {0x9747b28c, "test", 0x704b81dc},
        {0, "Hello, world!", 0xc0363e43},
        {0x9747b28c, "Hello, world!", 0x24884cba},
        {0, "The quick brown fox jumps over the lazy dog", 0x2e4ff723},
        {0x9747b28c, "The quick brown fox jumps over the lazy dog", 0x2fa826cd},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(
            cc_murmur3(cases[i].seed, cases[i].text, strlen(cases[i].text)),
            cases[i].hash);
}

static enum cc_status load(struct cc_bloom **out, size_t len, uint32_t hashes,
                           uint8_t flags, size_t extra)
{
    uint8_t *bits = cc_calloc(1, len + 1);
    struct cc_writer w;
    enum cc_status st;

    cc_writer_init_heap(&w);
    cc_write_compact(&w, len);
    cc_write_bytes(&w, bits, len);
    cc_write_u32le(&w, hashes);
    cc_write_u32le(&w, 7);
    cc_write_u8(&w, flags);
    for (size_t i = 0; i < extra; i++)
        cc_write_u8(&w, 0);
    st = cc_bloom_decode(out, w.data, w.len);
    cc_writer_clear(&w);
    free(bits);
    return st;
}

static void test_bounds(void **state)
{
    struct cc_bloom *b;

    (void)state;
    assert_int_equal(load(&b, CC_BLOOM_MAX_SIZE, CC_BLOOM_MAX_HASHES, 3, 0),
                     CC_OK);
    cc_bloom_free(b);
    assert_int_equal(load(&b, CC_BLOOM_MAX_SIZE + 1, 1, 0, 0), CC_LIMIT);
    assert_null(b);
    assert_int_equal(load(&b, 1, CC_BLOOM_MAX_HASHES + 1, 0, 0), CC_LIMIT);
    assert_int_equal(load(&b, 1, 1, 0, 1), CC_OK); /* what follows */
    cc_bloom_free(b);
    assert_int_equal(cc_bloom_decode(&b, "\1\0\0", 3), CC_MALFORMED);
}

static void test_set(void **state)
{
    struct cc_bloom *b;

    (void)state;
    assert_int_equal(load(&b, 512, 11, 0, 0), CC_OK);
    for (unsigned i = 0; i < 100; i += 2) {
        uint8_t key[2] = {1, (uint8_t)i};

        cc_bloom_add(b, key, 2);
    }
    for (unsigned i = 0; i < 100; i++) {
        uint8_t key[2] = {1, (uint8_t)i};

        assert_int_equal(cc_bloom_has(b, key, 2), i % 2 == 0);
    }
    cc_bloom_free(b);
    /* One hash is one: in an empty filter is nothing. */
    assert_int_equal(load(&b, 8, 1, 0, 0), CC_OK);
    assert_false(cc_bloom_has(b, "x", 1));
    cc_bloom_free(b);
    /* No bits: nothing to divide by, and everything is in it. */
    assert_int_equal(load(&b, 0, 5, 0, 0), CC_OK);
    cc_bloom_add(b, "x", 1);
    assert_true(cc_bloom_has(b, "y", 1));
    cc_bloom_free(b);
}

/* Filters as they are published with Bitcoin Core's tests: three keys of 20
 * bytes, five hashes, with two tweaks. */
static void test_published(void **state)
{
    static const uint8_t filters[2][12] = {
        {3, 0x61, 0x4e, 0x9b, 5, 0, 0, 0, 0, 0, 0, 0},
        {3, 0xce, 0x42, 0x99, 5, 0, 0, 0, 1, 0, 0, 0x80},
    };
    static const char *const keys[] = {
        "99108ad8ed9bb6274d3980bab5a85c048f0950c8",
        "b5a2c786d9ef4658287ced5914b37a1b4aa32eee",
        "b9300670b4c5366e95b2699e8b18bc75e5f729c5",
        "19108ad8ed9bb6274d3980bab5a85c048f0950c8", /* is not there */
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t raw[13] = {0}, key[20];
        struct cc_bloom *b;

        memcpy(raw, filters[i], 12);
        assert_int_equal(cc_bloom_decode(&b, raw, sizeof(raw)), CC_OK);
        for (size_t k = 0; k < 4; k++) {
            assert_true(cc_hex_decode(key, 20, keys[k]));
            assert_int_equal(cc_bloom_has(b, key, 20), k < 3);
        }
        cc_bloom_free(b);
    }
}

/* A transaction that spends 0707..:5 by a push of "sig" and pays to a script
 * of hash "hash", to a plain key, and to nothing known. */
static void make_tx(struct cc_tx *tx, const uint8_t key[33])
{
    uint8_t prev[32];
    struct cc_writer w;
    size_t len;
    uint8_t *raw;

    memset(prev, 7, sizeof(prev));
    cc_writer_init_heap(&w);
    cc_write_u32le(&w, 2);
    cc_write_u8(&w, 1);
    cc_write_bytes(&w, prev, 32);
    cc_write_u32le(&w, 5);
    cc_write_bytes(&w, "\4\3sig", 5);
    cc_write_u32le(&w, 0xffffffff);
    cc_write_u8(&w, 3);
    cc_write_u64le(&w, 1000);
    cc_write_bytes(&w, "\7\xa9\4hash\x87", 8);
    cc_write_u64le(&w, 1000);
    cc_write_bytes(&w, "\x23\x21", 2);
    cc_write_bytes(&w, key, 33);
    cc_write_u8(&w, 0xac);
    cc_write_u64le(&w, 1000);
    cc_write_bytes(&w, "\1\x51", 2);
    cc_write_u32le(&w, 0);
    len = w.len;
    raw = w.data;
    assert_int_equal(cc_tx_decode(tx, raw, len, true), CC_OK);
    cc_writer_clear(&w);
}

static void place(uint8_t out[36], const uint8_t txid[32], uint32_t n)
{
    memcpy(out, txid, 32);
    cc_put_u32le(out + 32, n);
}

static bool matches(const void *key, size_t len, const struct cc_tx *tx)
{
    struct cc_bloom *b;
    bool yes;

    assert_int_equal(load(&b, 512, 11, 0, 0), CC_OK);
    assert_false(cc_bloom_match(b, tx));
    cc_bloom_add(b, key, len);
    yes = cc_bloom_match(b, tx);
    cc_bloom_free(b);
    return yes;
}

static void test_match(void **state)
{
    uint8_t key[33] = {2}, out[36], prev[32];
    struct cc_tx tx;

    (void)state;
    make_tx(&tx, key);
    memset(prev, 7, sizeof(prev));
    assert_true(matches(tx.txid, 32, &tx));
    assert_true(matches("hash", 4, &tx));
    assert_true(matches(key, 33, &tx));
    assert_true(matches("sig", 3, &tx));
    place(out, prev, 5);
    assert_true(matches(out, 36, &tx));
    place(out, prev, 4);
    assert_false(matches(out, 36, &tx));
    assert_false(matches("", 0, &tx));
    cc_tx_clear(&tx);
}

/* Which outputs that match are put into the filter. */
static void test_update(void **state)
{
    static const bool want[4][3] = {
        {false, false, false}, /* none */
        {true, true, false},   /* all */
        {false, true, false},  /* those that name keys */
        {false, false, false},
    };
    uint8_t key[33] = {2}, out[36];
    struct cc_tx tx;
    struct cc_bloom *b;

    (void)state;
    make_tx(&tx, key);
    for (uint8_t flags = 0; flags < 4; flags++) {
        assert_int_equal(load(&b, 512, 11, flags | 4, 0), CC_OK);
        cc_bloom_add(b, "hash", 4);
        cc_bloom_add(b, key, 33);
        assert_true(cc_bloom_match(b, &tx));
        for (uint32_t i = 0; i < 3; i++) {
            place(out, tx.txid, i);
            assert_int_equal(cc_bloom_has(b, out, 36), want[flags][i]);
        }
        cc_bloom_free(b);
    }
    cc_tx_clear(&tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_murmur3),   cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_set),       cmocka_unit_test(test_match),
        cmocka_unit_test(test_published), cmocka_unit_test(test_update),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
