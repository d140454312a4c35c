/* Compact blocks (BIP 152): taken apart and put together again. */
#include "support.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "net/compact.h"
#include "util/mem.h"
#include "util/siphash.h"

/* A block of count transactions, each different; the work is not looked at. */
static void make_block(struct cc_block *out, size_t count)
{
    struct cc_header h;
    struct cc_writer w, txs;
    struct cc_block b;
    uint8_t *raw;
    size_t len;

    cc_writer_init_heap(&txs);
    for (size_t i = 0; i < count; i++) {
        uint8_t prev[32] = {0};

        cc_put_u32le(prev, (uint32_t)i);
        cc_write_u32le(&txs, 2);
        cc_write_u8(&txs, 0);
        cc_write_u8(&txs, 1);
        cc_write_compact(&txs, 1);
        cc_write_bytes(&txs, prev, 32);
        cc_write_u32le(&txs, (uint32_t)i);
        cc_write_compact(&txs, 0);
        cc_write_u32le(&txs, 0);
        cc_write_compact(&txs, 1);
        cc_write_u64le(&txs, i);
        cc_write_var(&txs, "\x51", 1);
        cc_write_compact(&txs, 1);
        cc_write_var(&txs, "abc", 3);
        cc_write_u32le(&txs, 0);
    }
    memset(&h, 0, sizeof(h));
    h.version = 4;
    for (int round = 0; round < 2; round++) { /* the root first */
        cc_writer_init_heap(&w);
        cc_header_write(&w, &h);
        cc_write_compact(&w, count);
        cc_write_bytes(&w, txs.data, txs.len);
        raw = cc_writer_take(&w, &len);
        assert_int_equal(cc_block_decode_take(&b, raw, len), CC_OK);
        if (round == 1)
            break;
        cc_block_merkle_root(h.merkle_root, &b, NULL);
        cc_block_clear(&b);
    }
    cc_writer_clear(&txs);
    *out = b;
}

static struct cc_partial *partial_of(const struct cc_block *b)
{
    struct cc_partial *p;
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_compact_write(&w, b, 42);
    assert_int_equal(cc_partial_decode(&p, w.data, w.len), CC_OK);
    cc_writer_clear(&w);
    assert_memory_equal(cc_partial_hash(p), b->hash, 32);
    assert_int_equal(cc_partial_count(p), b->tx_count);
    assert_false(cc_partial_collides(p));
    return p;
}

/* The bytes of BIP 152: the key from the header and the nonce, six bytes of
 * SipHash of the wtxid. */
static void test_bytes(void **state)
{
    struct cc_block b;
    struct cc_writer w;
    uint8_t key[88], hash[32];
    uint64_t id;

    (void)state;
    make_block(&b, 2);
    cc_writer_init_heap(&w);
    cc_compact_write(&w, &b, UINT64_C(0x0102030405060708));
    memcpy(key, b.raw.data, 80);
    cc_put_u64le(key + 80, UINT64_C(0x0102030405060708));
    cc_sha256_once(hash, key, 88);
    id = cc_siphash(cc_get_u64le(hash), cc_get_u64le(hash + 8), b.tx[1].wtxid,
                    32);
    assert_memory_equal(w.data, key, 88);
    assert_int_equal(w.data[88], 1);
    for (int i = 0; i < 6; i++)
        assert_int_equal(w.data[89 + i], (uint8_t)(id >> 8 * i));
    assert_int_equal(w.data[95], 1); /* one comes whole */
    assert_int_equal(w.data[96], 0); /* the first */
    assert_int_equal(w.len, 97 + b.tx[0].size);
    cc_writer_clear(&w);
    cc_block_clear(&b);
}

static void test_all_known(void **state)
{
    struct cc_block b, got;
    struct cc_partial *p;
    uint32_t *index;

    (void)state;
    make_block(&b, 300);
    p = partial_of(&b);
    for (size_t i = b.tx_count; i-- > 0;)
        cc_partial_offer(p, &b.tx[i]);
    assert_int_equal(cc_partial_missing(p, &index), 0);
    free(index);
    assert_int_equal(cc_partial_block(p, &got), CC_OK);
    assert_int_equal(got.raw.len, b.raw.len);
    assert_memory_equal(got.raw.data, b.raw.data, b.raw.len);
    cc_block_clear(&got);
    cc_partial_free(p);
    cc_block_clear(&b);
}

/* Some are missing: asked for by position, answered, put in. */
static void test_some_missing(void **state)
{
    struct cc_getblocktxn g;
    struct cc_blocktxn t;
    struct cc_block b, got;
    struct cc_partial *p;
    struct cc_writer w, w2;
    uint32_t *index;
    size_t n;

    (void)state;
    make_block(&b, 300);
    p = partial_of(&b);
    for (size_t i = 0; i < b.tx_count; i++)
        if (i % 7)
            cc_partial_offer(p, &b.tx[i]);
    n = cc_partial_missing(p, &index);
    assert_int_equal(n, 42); /* 7, 14, ..., 294: the coinbase was there */
    cc_writer_init_heap(&w);
    cc_getblocktxn_write(&w, b.hash, index, n);
    assert_int_equal(cc_getblocktxn_decode(&g, w.data, w.len), CC_OK);
    assert_int_equal(g.count, n);
    assert_memory_equal(g.index, index, n * sizeof(*index));
    assert_memory_equal(g.hash, b.hash, 32);
    cc_writer_init_heap(&w2);
    cc_blocktxn_write(&w2, &b, g.index, g.count);
    assert_int_equal(cc_blocktxn_decode(&t, w2.data, w2.len), CC_OK);
    assert_int_equal(t.count, n);
    assert_false(cc_partial_fill(p, t.txs, n - 1));
    cc_partial_free(p);
    p = partial_of(&b);
    for (size_t i = 0; i < b.tx_count; i++)
        if (i % 7)
            cc_partial_offer(p, &b.tx[i]);
    assert_true(cc_partial_fill(p, t.txs, n));
    assert_int_equal(cc_partial_block(p, &got), CC_OK);
    assert_memory_equal(got.raw.data, b.raw.data, b.raw.len);
    cc_block_clear(&got);
    cc_blocktxn_clear(&t);
    free(g.index);
    free(index);
    cc_writer_clear(&w);
    cc_writer_clear(&w2);
    cc_partial_free(p);
    cc_block_clear(&b);
}

/* A wrong transaction in the right number does not become a block. */
static void test_wrong_one(void **state)
{
    struct cc_block b, other, got;
    struct cc_partial *p;

    (void)state;
    make_block(&b, 3);
    make_block(&other, 9);
    p = partial_of(&b);
    assert_true(cc_partial_fill(p, &other.tx[5], 2));
    assert_int_equal(cc_partial_block(p, &got), CC_CORRUPT);
    cc_partial_free(p);
    /* One short id twice in the pool: neither is believed. */
    p = partial_of(&b);
    cc_partial_offer(p, &b.tx[1]);
    cc_partial_offer(p, &b.tx[1]);
    cc_partial_offer(p, &b.tx[1]);
    {
        uint32_t *index;

        assert_int_equal(cc_partial_missing(p, &index), 2);
        free(index);
    }
    cc_partial_free(p);
    cc_block_clear(&b);
    cc_block_clear(&other);
}

static void test_malformed(void **state)
{
    struct cc_getblocktxn g;
    struct cc_blocktxn t;
    struct cc_block b;
    struct cc_partial *p;
    struct cc_writer w;
    uint32_t index[3] = {0, 1, 5};

    (void)state;
    make_block(&b, 4);
    cc_writer_init_heap(&w);
    cc_compact_write(&w, &b, 1);
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(cc_partial_decode(&p, w.data, len), CC_MALFORMED);
    /* The prefilled one at a position beyond the block. */
    w.data[88 + 1 + 18 + 1] = 4;
    assert_int_equal(cc_partial_decode(&p, w.data, w.len), CC_INVALID);
    w.data[88 + 1 + 18 + 1] = 3;
    assert_int_equal(cc_partial_decode(&p, w.data, w.len), CC_OK);
    cc_partial_free(p);
    /* Two equal short ids. */
    w.data[88 + 1 + 18 + 1] = 0;
    memcpy(w.data + 89, w.data + 95, 6);
    assert_int_equal(cc_partial_decode(&p, w.data, w.len), CC_OK);
    assert_true(cc_partial_collides(p));
    cc_partial_free(p);
    cc_writer_clear(&w);
    /* Nothing in it. */
    cc_writer_init_heap(&w);
    cc_header_write(&w, &b.header);
    cc_write_u64le(&w, 0);
    cc_write_compact(&w, 0);
    cc_write_compact(&w, 0);
    assert_int_equal(cc_partial_decode(&p, w.data, w.len), CC_INVALID);
    cc_writer_clear(&w);

    cc_writer_init_heap(&w);
    cc_getblocktxn_write(&w, b.hash, index, 3);
    assert_int_equal(w.len, 36);
    assert_int_equal(w.data[35], 3); /* 5 - 2 */
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(cc_getblocktxn_decode(&g, w.data, len), CC_MALFORMED);
    /* Positions that overflow. */
    w.len--;
    cc_write_compact(&w, UINT64_C(0xfffffffff));
    assert_int_equal(cc_getblocktxn_decode(&g, w.data, w.len), CC_MALFORMED);
    cc_writer_clear(&w);

    index[2] = 2;
    cc_writer_init_heap(&w);
    cc_blocktxn_write(&w, &b, index, 3);
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(cc_blocktxn_decode(&t, w.data, len), CC_MALFORMED);
    cc_writer_clear(&w);
    cc_block_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),        cmocka_unit_test(test_all_known),
        cmocka_unit_test(test_some_missing), cmocka_unit_test(test_wrong_one),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
