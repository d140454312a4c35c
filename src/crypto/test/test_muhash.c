/* The hash of a set: Bitcoin Core's own number, and the laws of a set. */
#include "crypto/muhash.h"

#include <stdlib.h>

#include "support.h"
#include "util/hex.h"

/* As Core's test makes them: 32 bytes, the number first. */
static const uint8_t *number(uint8_t i)
{
    static uint8_t bytes[32];

    bytes[0] = i;
    return bytes;
}

static void expect(struct cc_muhash *m, const char *hex)
{
    char shown[65];
    uint8_t out[32];

    cc_muhash_final(m, out);
    cc_hex_encode_rev(shown, out, 32);
    assert_string_equal(shown, hex);
}

/* src/test/crypto_tests.cpp of Bitcoin Core: 0 and 1 came, 2 went. */
static void test_vector(void **state)
{
    struct cc_muhash *m = cc_muhash_new();

    (void)state;
    cc_muhash_add(m, number(0), 32);
    cc_muhash_add(m, number(1), 32);
    cc_muhash_remove(m, number(2), 32);
    expect(m, "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d586"
              "3");
    cc_muhash_free(m);
}

static void test_order_and_coming_and_going(void **state)
{
    struct cc_muhash *a = cc_muhash_new(), *b = cc_muhash_new();
    struct cc_muhash *empty = cc_muhash_new();
    uint8_t x[32], y[32];

    (void)state;
    for (uint8_t i = 0; i < 100; i++) {
        cc_muhash_add(a, number(i), 32);
        cc_muhash_add(b, number((uint8_t)(99 - i)), 32);
        cc_muhash_remove(b, number((uint8_t)(200 + i % 50)), 32);
    }
    cc_muhash_final(a, x);
    cc_muhash_final(b, y);
    assert_memory_not_equal(x, y, 32);
    for (uint8_t i = 0; i < 100; i++)
        cc_muhash_add(b, number((uint8_t)(200 + i % 50)), 32);
    cc_muhash_final(b, y);
    assert_memory_equal(x, y, 32);
    for (uint8_t i = 0; i < 100; i++)
        cc_muhash_remove(a, number(i), 32);
    cc_muhash_final(a, x);
    cc_muhash_final(empty, y);
    assert_memory_equal(x, y, 32);
    cc_muhash_free(a);
    cc_muhash_free(b);
    cc_muhash_free(empty);
    cc_muhash_free(NULL);
}

static void test_kept(void **state)
{
    struct cc_muhash *a = cc_muhash_new(), *b = cc_muhash_new();
    uint8_t kept[CC_MUHASH_STATE], again[CC_MUHASH_STATE], x[32], y[32];

    (void)state;
    for (uint8_t i = 0; i < 20; i++) {
        cc_muhash_add(a, number(i), 32);
        cc_muhash_remove(a, number((uint8_t)(i / 2)), 32);
    }
    cc_muhash_save(a, kept);
    assert_true(cc_muhash_load(b, kept));
    cc_muhash_save(b, again);
    assert_memory_equal(kept, again, sizeof(kept));
    cc_muhash_add(a, number(77), 32);
    cc_muhash_add(b, number(77), 32);
    cc_muhash_final(a, x);
    cc_muhash_final(b, y);
    assert_memory_equal(x, y, 32);
    /* Neither zero nor as much as the prime. */
    memset(again, 0xff, sizeof(again) / 2);
    assert_false(cc_muhash_load(b, again));
    memcpy(again, kept, sizeof(again));
    memset(again + sizeof(again) / 2, 0, sizeof(again) / 2);
    assert_false(cc_muhash_load(b, again));
    cc_muhash_free(a);
    cc_muhash_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_order_and_coming_and_going),
        cmocka_unit_test(test_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
