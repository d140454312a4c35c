#include <stdlib.h>

#include "consensus/block.h"
#include "crypto/hash.h"
#include "support.h"
#include "util/mem.h"

/* Hex of 32 bytes highest byte first, as hashes are shown. */
static void unhex_reversed(uint8_t out[32], const char *hex)
{
    uint8_t b[32];

    cc_test_unhex_into(b, 32, hex);
    for (size_t i = 0; i < 32; i++)
        out[i] = b[31 - i];
}

/* Bitcoin's main-chain block 413567: facts anyone can look up. */
static void test_block413567(void **state)
{
    uint8_t id[32], root[32];
    struct cc_block b;
    struct cc_writer w;
    bool mutated = true;
    size_t len;
    char *raw = cc_test_load("block413567.raw", &len);

    (void)state;
    if (!raw)
        skip();
    assert_int_equal(cc_block_decode(&b, raw, len), CC_OK);
    assert_int_equal(b.tx_count, 1557);
    unhex_reversed(id,
                   "0000000000000000025aff8be8a55df8f89c77296db6198f272d6577"
                   "325d4069");
    assert_memory_equal(b.hash, id, 32);
    memset(id, 0, 32);
    cc_header_hash(id, &b.header);
    assert_memory_equal(b.hash, id, 32);
    cc_block_merkle_root(root, &b, &mutated);
    assert_memory_equal(root, b.header.merkle_root, 32);
    assert_false(mutated);
    assert_int_equal(b.stripped_size, len);
    assert_int_equal(cc_block_weight(&b), 4 * len);
    assert_int_equal(cc_block_commitment_index(&b), -1);

    cc_writer_init_heap(&w);
    cc_header_write(&w, &b.header);
    cc_write_compact(&w, b.tx_count);
    for (size_t i = 0; i < b.tx_count; i++)
        cc_tx_write(&w, &b.tx[i], true);
    assert_int_equal(w.len, len);
    assert_memory_equal(w.data, raw, len);
    cc_writer_clear(&w);
    cc_test_ran("block413567: ids under the root", b.tx_count);
    cc_block_clear(&b);

    for (size_t cut = 0; cut < 200; cut++)
        assert_int_equal(cc_block_decode(&b, raw, cut), CC_MALFORMED);
    assert_int_equal(cc_block_decode(&b, raw, len - 1), CC_MALFORMED);
    raw[len] = 0;
    assert_int_equal(cc_block_decode(&b, raw, len + 1), CC_MALFORMED);
    assert_int_equal(
        cc_block_decode_front(&b, cc_memdup(raw, len + 1), len + 1), CC_OK);
    assert_int_equal(b.raw.len, len);
    assert_int_equal(cc_block_weight(&b), 4 * len);
    cc_block_clear(&b);
    free(raw);
}

static void fill(uint8_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t seed[8];

        cc_put_u64le(seed, i);
        cc_sha256_once(ids + 32 * i, seed, 8);
    }
}

/* The definition, level by level, in the plainest way. */
static void plain_root(uint8_t out[32], const uint8_t *ids, size_t n)
{
    uint8_t *level = cc_reallocarray(NULL, n + 1, 32);

    memcpy(level, ids, 32 * n);
    for (; n > 1; n = (n + 1) / 2) {
        memcpy(level + 32 * n, level + 32 * (n - 1), 32);
        for (size_t i = 0; i < (n + 1) / 2; i++)
            cc_hash256(level + 32 * i, level + 64 * i, 64);
    }
    memcpy(out, level, 32);
    free(level);
}

static void test_merkle(void **state)
{
    uint8_t ids[70 * 32], a[32], b[32];
    static const uint8_t zero[32];
    bool mutated;

    (void)state;
    memset(a, 0xee, sizeof(a));
    cc_merkle_root(a, NULL, 0, &mutated);
    assert_memory_equal(a, zero, 32);
    assert_false(mutated);
    fill(ids, 70);
    for (size_t n = 1; n < 70; n++) {
        uint8_t before[70 * 32];

        memcpy(before, ids, sizeof(ids));
        cc_merkle_root(a, ids, n, &mutated);
        plain_root(b, ids, n);
        assert_memory_equal(a, b, 32);
        assert_false(mutated);
        assert_memory_equal(before, ids, sizeof(ids));
        cc_merkle_root(a, ids, n, NULL);
        assert_memory_equal(a, b, 32);
    }
    cc_merkle_root(a, ids, 1, NULL);
    assert_memory_equal(a, ids, 32);
}

/* CVE-2012-2459: repeat the tail that Bitcoin pairs with itself. */
static void test_mutation(void **state)
{
    uint8_t ids[9 * 32], a[32], b[32];
    bool mutated;

    (void)state;
    fill(ids, 8);
    memcpy(ids + 32 * 3, ids + 32 * 2, 32); /* 1 2 3 3 */
    cc_merkle_root(a, ids, 3, &mutated);
    assert_false(mutated);
    cc_merkle_root(b, ids, 4, &mutated);
    assert_true(mutated);
    assert_memory_equal(a, b, 32);
    ids[32 * 4 - 1] ^= 1; /* all but equal: the last byte tells */
    cc_merkle_root(b, ids, 4, &mutated);
    assert_false(mutated);

    fill(ids, 8);
    memcpy(ids + 32 * 6, ids + 32 * 4, 64); /* 1 2 3 4 5 6 5 6 */
    cc_merkle_root(a, ids, 6, &mutated);
    assert_false(mutated);
    cc_merkle_root(b, ids, 8, &mutated);
    assert_true(mutated);
    assert_memory_equal(a, b, 32);

    /* Equal neighbours that are not paired are no mutation. */
    fill(ids, 8);
    memcpy(ids + 32 * 2, ids + 32 * 1, 32);
    cc_merkle_root(a, ids, 8, &mutated);
    assert_false(mutated);
}

/* A block of n transactions that have a witness each; out[i] of the
 * coinbase pays script i. */
static void make_block(struct cc_block *block, size_t n,
                       const struct cc_bytes *scripts, size_t count)
{
    struct cc_header h = {.version = 4, .time = 1, .bits = 2, .nonce = 3};
    struct cc_writer w;
    uint8_t *raw;
    size_t len;

    cc_writer_init_heap(&w);
    cc_header_write(&w, &h);
    cc_write_compact(&w, n);
    for (size_t i = 0; i < n; i++) {
        struct cc_bytes item = cc_bytes(&i, 1);
        struct cc_txin in = {.witness = &item, .witness_count = 1};
        struct cc_txout out[8] = {{0}};
        struct cc_tx tx = {.vin = &in, .vin_count = 1, .vout = out};

        in.prevout.index = (uint32_t)i;
        tx.vout_count = i ? 1 : count;
        for (size_t j = 0; !i && j < count; j++)
            out[j].script = scripts[j];
        cc_tx_write(&w, &tx, true);
    }
    raw = cc_writer_take(&w, &len);
    assert_int_equal(cc_block_decode_take(block, raw, len), CC_OK);
}

static void test_witness_root(void **state)
{
    uint8_t ids[5 * 32], a[32], b[32];
    struct cc_block block;
    bool mutated;

    (void)state;
    make_block(&block, 5, NULL, 0);
    for (size_t i = 0; i < 5; i++)
        memcpy(ids + 32 * i, block.tx[i].txid, 32);
    cc_block_merkle_root(a, &block, &mutated);
    plain_root(b, ids, 5);
    assert_memory_equal(a, b, 32);
    for (size_t i = 0; i < 5; i++)
        memcpy(ids + 32 * i, block.tx[i].wtxid, 32);
    memset(ids, 0, 32); /* the coinbase's counts as zero */
    cc_block_witness_root(a, &block);
    plain_root(b, ids, 5);
    assert_memory_equal(a, b, 32);

    /* 5 x (two marks, witness of 1 + 1 + 1 bytes). */
    assert_int_equal(block.raw.len - block.stripped_size, 5 * 5);
    assert_int_equal(cc_block_weight(&block),
                     3 * block.stripped_size + block.raw.len);
    cc_block_clear(&block);
}

static void test_commitment(void **state)
{
    const struct cc_block none = {0};
    uint8_t s[39] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, t[39];
    struct cc_bytes scripts[5];
    struct cc_block block;

    (void)state;
    memcpy(t, s, sizeof(t));
    scripts[0] = cc_bytes(s, 38);
    scripts[1] = cc_bytes(s, 39); /* longer is fine, and the last counts */
    scripts[2] = cc_bytes(s, 37);
    t[5] ^= 1;
    scripts[3] = cc_bytes(t, 38);
    make_block(&block, 1, scripts, 4);
    assert_int_equal(cc_block_commitment_index(&block), 1);
    cc_block_clear(&block);
    make_block(&block, 1, scripts, 1);
    assert_int_equal(cc_block_commitment_index(&block), 0);
    cc_block_clear(&block);
    make_block(&block, 1, scripts + 2, 2);
    assert_int_equal(cc_block_commitment_index(&block), -1);
    cc_block_clear(&block);
    assert_int_equal(cc_block_commitment_index(&none), -1);
}

/* A failed decode leaves the block as it was; a count may lie. */
static void test_refused(void **state)
{
    uint8_t raw[CC_HEADER_SIZE + 40] = {0}, same[sizeof(struct cc_block)];
    uint8_t whole[CC_HEADER_SIZE + 41] = {[CC_HEADER_SIZE] = 4};
    struct cc_block block;

    (void)state;
    memset(&block, 0xee, sizeof(block));
    memcpy(same, &block, sizeof(block));
    raw[CC_HEADER_SIZE] = 0xff;
    memset(raw + CC_HEADER_SIZE + 1, 0xff, 8);
    assert_int_equal(cc_block_decode(&block, raw, sizeof(raw)), CC_MALFORMED);
    raw[CC_HEADER_SIZE] = 4; /* more than 39 bytes can hold */
    assert_int_equal(cc_block_decode(&block, raw, sizeof(raw)), CC_MALFORMED);
    assert_memory_equal(&block, same, sizeof(block));
    assert_int_equal(cc_block_decode(&block, raw, 0), CC_MALFORMED);
    /* Four transactions of nothing, ten bytes each, are what 40 bytes hold. */
    assert_int_equal(cc_block_decode(&block, whole, sizeof(whole)), CC_OK);
    assert_int_equal(block.tx_count, 4);
    cc_block_clear(&block);
    assert_int_equal(cc_block_decode(&block, whole, sizeof(whole) - 1),
                     CC_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block413567), cmocka_unit_test(test_merkle),
        cmocka_unit_test(test_mutation),    cmocka_unit_test(test_witness_root),
        cmocka_unit_test(test_commitment),  cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
