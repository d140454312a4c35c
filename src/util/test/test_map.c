#include <stdlib.h>

#include "support.h"
#include "util/map.h"
#include "util/siphash.h"

static void test_siphash_vectors(void **state)
{
    /* Reference vectors of the paper's authors: key 00..0f, input 00..n-1. */
    static const struct {
        size_t len;
        uint64_t hash;
    } cases[] = {{0, UINT64_C(0x726fdb47dd0e0e31)},
                 {1, UINT64_C(0x74f839c593dc67fd)},
                 {8, UINT64_C(0x93f5f5799a932462)},
                 {15, UINT64_C(0xa129ca6149be45e5)}};
    uint8_t in[16];

    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        in[i] = i;
    for (size_t i = 0; i < 4; i++)
        assert_true(cc_siphash(UINT64_C(0x0706050403020100),
                               UINT64_C(0x0f0e0d0c0b0a0908), in,
                               cases[i].len) == cases[i].hash);
}

static const uint8_t seed[16] = {1, 2, 3};

/* Against a plain array, over keys so few that all runs of slots meet. */
static void test_random_against_an_array(void **state)
{
    enum { KEYS = 300 };
    struct cc_test_random r;
    static uint64_t want[KEYS];
    static bool there[KEYS];
    struct cc_map m;
    size_t count = 0;

    (void)state;
    cc_test_random_init(&r, 7);
    cc_map_init(&m, 5, sizeof(uint64_t), seed);
    for (int step = 0; step < 60000; step++) {
        uint64_t x = cc_test_random(&r), out = 0;
        unsigned k = (unsigned)(x % KEYS);
        uint8_t key[5] = {(uint8_t)k, (uint8_t)(k >> 8), 9, 9, 9};
        bool fresh, add = (x >> 40) % 100 < (step / 10000 % 2 ? 30u : 70u);

        if (add) {
            uint64_t *v = cc_map_put(&m, key, &fresh);

            assert_int_equal(fresh, !there[k]);
            assert_true(*v == (there[k] ? want[k] : 0));
            *v = want[k] = x;
            count += !there[k];
            there[k] = true;
        } else {
            assert_int_equal(cc_map_remove(&m, key, &out), there[k]);
            assert_true(!there[k] || out == want[k]);
            count -= there[k];
            there[k] = false;
        }
        assert_int_equal(m.count, count);
        k = (unsigned)(x >> 20) % KEYS;
        key[0] = (uint8_t)k;
        key[1] = (uint8_t)(k >> 8);
        uint64_t *v = cc_map_get(&m, key);
        assert_int_equal(v != NULL, there[k]);
        assert_true(!v || *v == want[k]);
    }
    cc_map_clear(&m);
}

static void test_walk_sees_each_once(void **state)
{
    struct cc_map m;
    uint32_t sum = 0, n = 0;
    size_t pos = 0;
    const void *key;
    void *value;

    (void)state;
    cc_map_init(&m, 4, 4, seed);
    for (uint32_t i = 0; i < 1000; i++)
        *(uint32_t *)cc_map_put(&m, &i, NULL) = i * 2;
    while (cc_map_next(&m, &pos, &key, &value)) {
        uint32_t k, v;

        memcpy(&k, key, 4);
        memcpy(&v, value, 4);
        assert_int_equal(v, k * 2);
        sum += k;
        n++;
    }
    assert_int_equal(n, 1000);
    assert_int_equal(sum, 999 * 1000 / 2);
    cc_map_reset(&m);
    pos = 0;
    assert_int_equal(m.count, 0);
    assert_false(cc_map_next(&m, &pos, NULL, NULL));
    assert_null(cc_map_get(&m, &n));
    cc_map_clear(&m);
    assert_null(cc_map_get(&m, &n));
    *(uint32_t *)cc_map_put(&m, &n, NULL) = 7; /* as if fresh */
    assert_int_equal(*(uint32_t *)cc_map_get(&m, &n), 7);
    assert_int_equal(m.count, 1);
    cc_map_clear(&m);
}

static void test_pointers(void **state)
{
    struct cc_map m;
    int a, b;

    (void)state;
    cc_map_init(&m, 1, sizeof(void *), seed);
    assert_null(cc_map_get_ptr(&m, "k"));
    assert_null(cc_map_put_ptr(&m, "k", &a));
    assert_ptr_equal(cc_map_put_ptr(&m, "k", &b), &a);
    assert_ptr_equal(cc_map_get_ptr(&m, "k"), &b);
    assert_ptr_equal(cc_map_remove_ptr(&m, "k"), &b);
    assert_null(cc_map_remove_ptr(&m, "k"));
    cc_map_clear(&m);
}

static void test_reserve_keeps_pointers(void **state)
{
    struct cc_map m;
    uint32_t i = 0;
    uint8_t *slots;

    (void)state;
    cc_map_init(&m, 4, 4, seed);
    cc_map_reserve(&m, 5000);
    slots = m.slots;
    for (; i < 5000; i++)
        cc_map_put(&m, &i, NULL);
    assert_ptr_equal(m.slots, slots);
    cc_map_clear(&m);
}

/* Where keys lie is not to be known without the seed: both halves count. */
static void test_seed_moves_keys(void **state)
{
    uint32_t order[3][64];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t own[16] = {0};
        struct cc_map m;
        const void *key;
        size_t pos = 0, n = 0;

        own[0] = i == 1;
        own[8] = i == 2;
        cc_map_init(&m, 4, 0, own);
        for (uint32_t k = 0; k < 64; k++)
            cc_map_put(&m, &k, NULL);
        while (cc_map_next(&m, &pos, &key, NULL))
            memcpy(&order[i][n++], key, 4);
        assert_int_equal(n, 64);
        cc_map_clear(&m);
    }
    assert_memory_not_equal(order[0], order[1], sizeof(order[0]));
    assert_memory_not_equal(order[0], order[2], sizeof(order[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_vectors),
        cmocka_unit_test(test_random_against_an_array),
        cmocka_unit_test(test_walk_sees_each_once),
        cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_seed_moves_keys),
        cmocka_unit_test(test_reserve_keeps_pointers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
