/* Erasure coding, and objects as shards and back. */
#include "storage/object.h"

#include "crypto/hash.h"
#include "support.h"

#include <stdlib.h>

static struct cc_test_random rnd;

static uint8_t **make(unsigned n, size_t len)
{
    uint8_t **s = calloc(n, sizeof(*s));

    assert_non_null(s);
    for (unsigned i = 0; i < n; i++) {
        s[i] = malloc(len + 1);
        assert_non_null(s[i]);
    }
    return s;
}

static void drop(uint8_t **s, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(s[i]);
    free(s);
}

/* Any k of n. */
static void choose(bool *have, unsigned k, unsigned n)
{
    memset(have, 0, n * sizeof(*have));
    while (k) {
        unsigned i = (unsigned)(cc_test_random(&rnd) % n);

        k -= !have[i];
        have[i] = true;
    }
}

static void try_subset(const struct cc_erasure *e, unsigned k, unsigned n,
                       uint8_t **good, uint8_t **work, const bool *have,
                       size_t len)
{
    unsigned count = 0;
    bool ok;

    for (unsigned i = 0; i < n; i++) {
        count += have[i];
        if (have[i])
            memcpy(work[i], good[i], len);
        else
            memset(work[i], 0xa5, len);
    }
    ok = cc_erasure_restore(e, work, have, len);
    assert_int_equal(ok, count >= k);
    for (unsigned i = 0; ok && i < k; i++)
        assert_memory_equal(work[i], good[i], len);
}

static uint8_t **coded(const struct cc_erasure *e, unsigned k, unsigned n,
                       size_t len)
{
    uint8_t **good = make(n, len);

    for (unsigned i = 0; i < k; i++)
        for (size_t j = 0; j < len; j++)
            good[i][j] = (uint8_t)cc_test_random(&rnd);
    cc_erasure_encode(e, good, len);
    return good;
}

/* Every subset of every small code. */
static void test_all_subsets(void **state)
{
    size_t ran = 0;

    (void)state;
    for (unsigned n = 1; n <= 7; n++) {
        for (unsigned k = 1; k <= n; k++) {
            size_t len = 1 + cc_test_random(&rnd) % 200;
            struct cc_erasure *e = cc_erasure_new(k, n);
            uint8_t **good = coded(e, k, n, len), **work = make(n, len);

            for (unsigned set = 0; set < 1u << n; set++, ran++) {
                bool have[8];

                for (unsigned i = 0; i < n; i++)
                    have[i] = set >> i & 1;
                try_subset(e, k, n, good, work, have, len);
            }
            drop(good, n);
            drop(work, n);
            cc_erasure_free(e);
        }
    }
    cc_test_ran("subsets of shards", ran);
}

static void test_big_codes(void **state)
{
    static const unsigned pairs[][2] = {
        {10, 30}, {1, 255}, {128, 255}, {255, 255}};

    (void)state;
    for (int p = 0; p < 4; p++) {
        unsigned k = pairs[p][0], n = pairs[p][1];
        struct cc_erasure *e = cc_erasure_new(k, n);
        uint8_t **good = coded(e, k, n, 333), **work = make(n, 333);

        for (int round = 0; round < (p ? 3 : 300); round++) {
            bool have[255];
            unsigned i = 0;

            choose(have, k, n);
            try_subset(e, k, n, good, work, have, 333);
            while (!have[i])
                i++;
            have[i] = false; /* now one too few */
            try_subset(e, k, n, good, work, have, 333);
        }
        drop(good, n);
        drop(work, n);
        cc_erasure_free(e);
    }
    assert_null(cc_erasure_new(0, 1));
    assert_null(cc_erasure_new(2, 1));
    assert_null(cc_erasure_new(1, 256));
    cc_erasure_free(NULL);
}

static void round_trip(uint64_t size, uint8_t k, uint8_t n)
{
    struct cc_object o = {.size = size, .k = k, .n = n, .key = {1, 2, 3}};
    struct cc_erasure *e = cc_erasure_new(k, n);
    uint8_t **shards = make(n, CC_SECTOR_SIZE);
    uint8_t *plain = malloc((size_t)size + 1);
    uint8_t *back = malloc(cc_object_slab_size(k) + 1);
    size_t at = 0;

    assert_true(plain && back);
    for (size_t i = 0; i < size; i++)
        plain[i] = (uint8_t)(i * 2654435761u >> 13);
    for (uint32_t s = 0; s < cc_object_slabs(&o); s++) {
        size_t len = cc_object_slab_len(&o, s);
        bool have[255];

        cc_object_seal_slab(&o, e, s, plain + at, shards);
        choose(have, k, n);
        for (unsigned i = 0; i < n; i++)
            if (!have[i])
                memset(shards[i], 0x55, CC_SECTOR_SIZE);
            else /* what lies behind the span does not matter */
                memset(shards[i] + cc_object_slab_span(&o, s), 0x55,
                       CC_SECTOR_SIZE - cc_object_slab_span(&o, s));
        assert_int_equal(
            cc_object_open_slab(&o, e, s, back, shards, have, NULL), CC_OK);
        assert_memory_equal(back, plain + at, len);
        at += len;
    }
    assert_int_equal(at, size);
    free(plain);
    free(back);
    drop(shards, n);
    cc_erasure_free(e);
}

static void test_sizes(void **state)
{
    size_t full1 = cc_object_slab_size(1), full2 = cc_object_slab_size(2);
    const uint64_t sizes[] = {0,         1,         2,        1023,  65535,
                              65536,     65537,     131072,   full1, full1 + 1,
                              full1 - 1, 2 * full1, full2 + 7};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        round_trip(sizes[i], 1, 1);
        round_trip(sizes[i], 2, 3);
    }
    round_trip(5 * full2 / 2, 3, 5);
}

/* The bytes that hosts get, pinned: an object stored today is read with the
 * code of tomorrow. */
static void test_known_answer(void **state)
{
    struct cc_object o = {.k = 2, .n = 3, .key = {1, 2, 3}};
    struct cc_erasure *e = cc_erasure_new(2, 3);
    uint8_t **shards = make(3, CC_SECTOR_SIZE), *plain, digest[32];
    struct cc_sha256 c;

    (void)state;
    o.size = cc_object_slab_size(2) + 100;
    plain = malloc((size_t)o.size);
    assert_non_null(plain);
    for (size_t i = 0; i < o.size; i++)
        plain[i] = (uint8_t)(i * i + i / 7);
    cc_sha256_init(&c);
    for (uint32_t s = 0; s < 2; s++) {
        cc_object_seal_slab(&o, e, s, plain + s * cc_object_slab_size(2),
                            shards);
        for (int i = 0; i < 3; i++)
            cc_sha256_update(&c, shards[i], CC_SECTOR_SIZE);
    }
    cc_sha256_final(&c, digest);
    assert_string_equal(
        cc_test_hex(digest, 32),
        "e1fff40e40937ac255f64a1e3ca9bc4b5c80a4b973aa1a1db238263a30184d75");
    free(plain);
    drop(shards, 3);
    cc_erasure_free(e);
}

enum { K = 2, N = 4 };

struct tampering {
    struct cc_object o;
    struct cc_erasure *e;
    uint8_t **shards, **work, *back;
    bool have[N];
};

static void expect(struct tampering *t, const struct cc_object *o,
                   enum cc_status st)
{
    assert_int_equal(
        cc_object_open_slab(o, t->e, 0, t->back, t->work, t->have, NULL), st);
    for (int i = 0; i < N; i++)
        memcpy(t->work[i], t->shards[i], CC_SECTOR_SIZE);
}

/* What one who holds shards or the manifest might try: every change shows. */
static void test_tampering(void **state)
{
    size_t full = cc_object_slab_size(K), size = full + 200000;
    struct tampering t = {.o = {.size = size, .k = K, .n = N, .key = {9}},
                          .have = {true, true}};
    uint8_t **next = make(N, CC_SECTOR_SIZE), *plain = calloc(1, size);
    struct cc_object other;

    (void)state;
    t.e = cc_erasure_new(K, N);
    t.shards = make(N, CC_SECTOR_SIZE);
    t.work = make(N, CC_SECTOR_SIZE);
    t.back = malloc(full);
    assert_true(plain && t.back);
    cc_object_seal_slab(&t.o, t.e, 0, plain, t.shards);
    cc_object_seal_slab(&t.o, t.e, 1, plain + full, next);
    /* No two shards are alike, although all the plain bytes are. */
    for (unsigned i = 0; i < N; i++) {
        for (unsigned j = i + 1; j < N; j++)
            assert_memory_not_equal(t.shards[i], t.shards[j], 64);
        assert_memory_not_equal(t.shards[i], next[i], 64);
        memcpy(t.work[i], t.shards[i], CC_SECTOR_SIZE);
    }
    expect(&t, &t.o, CC_OK);
    for (unsigned i = 0; i < K; i++) { /* one bit */
        t.work[i][12345] ^= 1;
        expect(&t, &t.o, CC_CORRUPT);
    }
    /* The other slab in its place; shards swapped. */
    for (unsigned i = 0; i < N; i++)
        memcpy(t.work[i], next[i], CC_SECTOR_SIZE);
    expect(&t, &t.o, CC_CORRUPT);
    memcpy(t.work[0], t.shards[1], CC_SECTOR_SIZE);
    memcpy(t.work[1], t.shards[0], CC_SECTOR_SIZE);
    expect(&t, &t.o, CC_CORRUPT);
    /* A manifest that tells a smaller size does not cut the object, at a
     * slab's end or at a segment's. */
    other = t.o;
    other.size = full;
    expect(&t, &other, CC_CORRUPT);
    other.size = 2 * CC_SEGMENT_SIZE;
    expect(&t, &other, CC_CORRUPT);
    other = t.o;
    other.key[0] ^= 1;
    expect(&t, &other, CC_CORRUPT);
    t.have[1] = false;
    expect(&t, &t.o, CC_INVALID);
    free(plain);
    free(t.back);
    drop(t.shards, N);
    drop(next, N);
    drop(t.work, N);
    cc_erasure_free(t.e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_subsets), cmocka_unit_test(test_big_codes),
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_tampering),
    };

    cc_test_random_init(&rnd, 11);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
