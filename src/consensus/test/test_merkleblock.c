/* BIP 37's part of a tree of txids: what is shown is read again, and nothing
 * that does not lead to the root. */
#include <stdlib.h>

#include "consensus/merkleblock.h"
#include "crypto/hash.h"
#include "support.h"
#include "util/mem.h"

/* A block of n transactions of which only the txids matter. */
struct world {
    struct cc_block block;
    bool *wanted;
    struct cc_writer w; /* what the last write made */
};

static void world_init(struct world *k, size_t n)
{
    memset(k, 0, sizeof(*k));
    k->block.tx = cc_calloc(n, sizeof(*k->block.tx));
    k->block.tx_count = n;
    k->wanted = cc_calloc(n, sizeof(*k->wanted));
    for (size_t i = 0; i < n; i++)
        cc_hash256(k->block.tx[i].txid, &i, sizeof(i));
    k->block.header.time = 7;
    cc_block_merkle_root(k->block.header.merkle_root, &k->block, NULL);
    cc_writer_init_heap(&k->w);
}

static void world_clear(struct world *k)
{
    cc_writer_clear(&k->w);
    free(k->block.tx);
    free(k->wanted);
}

static void make(struct world *k)
{
    cc_writer_clear(&k->w);
    cc_writer_init_heap(&k->w);
    cc_merkle_block_write(&k->w, &k->block, k->wanted);
}

static bool parse(struct cc_merkle_block *m, const void *data, size_t len)
{
    struct cc_reader r;

    cc_reader_init(&r, data, len);
    return cc_merkle_block_read(m, &r);
}

static bool refused(const void *data, size_t len)
{
    struct cc_merkle_block m;
    bool good = parse(&m, data, len);

    cc_merkle_block_clear(&m);
    return !good;
}

static void round_trip(struct world *k)
{
    struct cc_merkle_block m;
    size_t at = 0;

    make(k);
    assert_true(parse(&m, k->w.data, k->w.len));
    assert_int_equal(m.tx_count, k->block.tx_count);
    assert_int_equal(m.header.time, 7);
    for (size_t i = 0; i < k->block.tx_count; i++)
        if (k->wanted[i]) {
            assert_true(at < m.match_count);
            assert_memory_equal(m.matches[at++], k->block.tx[i].txid, 32);
        }
    assert_int_equal(at, m.match_count);
    cc_merkle_block_clear(&m);
}

static void test_shown(void **state)
{
    struct world k;

    (void)state;
    for (size_t n = 1; n <= 35; n++) {
        world_init(&k, n);
        round_trip(&k); /* none of them */
        for (size_t i = 0; i < n; i++) {
            k.wanted[i] = true;
            round_trip(&k);
            for (size_t j = 0; j < n; j += 3) {
                k.wanted[j] = !k.wanted[j];
                round_trip(&k);
                k.wanted[j] = !k.wanted[j];
            }
            k.wanted[i] = false;
        }
        for (size_t i = 0; i < n; i++) {
            k.wanted[i] = true; /* up to all */
            round_trip(&k);
        }
        world_clear(&k);
    }
}

/* Seven leaves, the third shown: hash of the first two, third, fourth, hash of
 * the rest; flags from the root down, left before right. */
static void test_layout(void **state)
{
    uint8_t pair[64], first[32];
    const uint8_t *hashes;
    struct world k;

    (void)state;
    world_init(&k, 7);
    k.wanted[2] = true;
    make(&k);
    assert_int_equal(k.w.len, 80 + 4 + 1 + 4 * 32 + 1 + 1);
    assert_memory_equal(k.w.data + 80, "\x07\0\0\0\x04", 5);
    hashes = k.w.data + 85;
    memcpy(pair, k.block.tx[0].txid, 32);
    memcpy(pair + 32, k.block.tx[1].txid, 32);
    cc_hash256(first, pair, 64);
    assert_memory_equal(hashes, first, 32);
    assert_memory_equal(hashes + 32, k.block.tx[2].txid, 32);
    assert_memory_equal(hashes + 64, k.block.tx[3].txid, 32);
    assert_memory_equal(hashes + 128, "\x01\x1b", 2);
    world_clear(&k);
}

static void test_damaged(void **state)
{
    struct cc_merkle_block m;
    struct world k;
    size_t flags;

    (void)state;
    world_init(&k, 13);
    k.wanted[4] = k.wanted[12] = true;
    make(&k);
    for (size_t len = 0; len < k.w.len; len++)
        assert_true(refused(k.w.data, len));
    cc_write_u8(&k.w, 0);
    assert_true(refused(k.w.data, k.w.len)); /* more than the message */
    k.w.len--;
    flags = 85 + 32 * (size_t)k.w.data[84];
    for (size_t i = 36; i < flags; i++) {
        if (i == 68)
            i = 85; /* from the header's root to the hashes */
        k.w.data[i] ^= 0x10;
        assert_true(refused(k.w.data, k.w.len));
        k.w.data[i] ^= 0x10;
    }
    /* Another flag asks for other hashes, or shows other leaves. */
    for (size_t bit = 0; bit < 12; bit++) {
        k.w.data[flags + 1 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (parse(&m, k.w.data, k.w.len))
            assert_int_not_equal(m.match_count, 2);
        cc_merkle_block_clear(&m);
        k.w.data[flags + 1 + bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_false(refused(k.w.data, k.w.len));
    world_clear(&k);
}

/* Hashes and flags that the walk does not come to. */
static void test_left_over(void **state)
{
    struct world k;
    uint8_t more[200];

    (void)state;
    world_init(&k, 4);
    make(&k); /* a root and one flag */
    assert_int_equal(k.w.len, 80 + 4 + 1 + 32 + 2);
    memcpy(more, k.w.data, k.w.len);
    assert_false(refused(more, k.w.len));
    more[84] = 2;
    memcpy(more + 117 + 32, k.w.data + 117, 2);
    assert_true(refused(more, k.w.len + 32));
    memcpy(more, k.w.data, k.w.len);
    more[117] = 2; /* bytes of flags */
    more[119] = 0;
    assert_true(refused(more, k.w.len + 1));
    memcpy(more, k.w.data, k.w.len);
    memset(more + 80, 0, 4); /* of no transactions */
    assert_true(refused(more, k.w.len));
    world_clear(&k);
}

/* No block holds more: 4,000,000 weight of 240 each. */
static void test_most(void **state)
{
    struct world k;

    (void)state;
    for (size_t n = 16666; n <= 16667; n++) {
        world_init(&k, n);
        k.wanted[n - 1] = true;
        make(&k);
        assert_int_equal(refused(k.w.data, k.w.len), n > 16666);
        world_clear(&k);
    }
}

/* A list whose end repeats itself has the root of the shorter one. */
static void test_equal_halves(void **state)
{
    struct world k;

    (void)state;
    world_init(&k, 4);
    for (size_t i = 2; i < 4; i++)
        memcpy(k.block.tx[i].txid, k.block.tx[i - 2].txid, 32);
    cc_block_merkle_root(k.block.header.merkle_root, &k.block, NULL);
    k.wanted[1] = true;
    make(&k);
    assert_true(refused(k.w.data, k.w.len));
    world_clear(&k);
}

/* But they are equal only if all of them is. */
static void test_all_but_equal(void **state)
{
    struct world k;

    (void)state;
    world_init(&k, 2);
    memcpy(k.block.tx[1].txid, k.block.tx[0].txid, 32);
    k.block.tx[1].txid[31] ^= 1;
    cc_block_merkle_root(k.block.header.merkle_root, &k.block, NULL);
    k.wanted[1] = true;
    round_trip(&k);
    world_clear(&k);
}

/* Too few hashes and too few flags, for a root that is what nothing hashes to
 * in a buffer of zeros. */
static void test_nothing_shown(void **state)
{
    uint8_t raw[200] = {0};

    (void)state;
    for (uint8_t n = 1; n < 4; n++) {
        raw[80] = n;
        assert_true(refused(raw, 80 + 4 + 1 + 1)); /* no flags */
        raw[85] = 1;
        for (unsigned flags = 0; flags < 256; flags++) {
            raw[86] = (uint8_t)flags;
            assert_true(refused(raw, 80 + 4 + 1 + 1 + 1));
        }
        raw[85] = 0;
    }
    /* One hash less than the flags ask for. */
    raw[80] = 4;
    raw[84] = 2;
    raw[85 + 64] = 1;
    raw[85 + 65] = 0x0b; /* left: two leaves, the first shown; right */
    assert_true(refused(raw, 85 + 64 + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_left_over),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_equal_halves),
        cmocka_unit_test(test_all_but_equal),
        cmocka_unit_test(test_nothing_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
