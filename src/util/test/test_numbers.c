#include <inttypes.h>
#include <stdlib.h>

#include "support.h"
#include "util/amount.h"
#include "util/hex.h"
#include "util/random.h"
#include "util/u256.h"

static struct cc_u256 from_hex(const char *hex)
{
    uint8_t b[32];

    cc_test_unhex_into(b, 32, hex);
    return cc_u256_from_be(b);
}

static struct cc_u256 random_u256(struct cc_test_random *r)
{
    struct cc_u256 a;

    for (int i = 0; i < 4; i++)
        a.w[i] = cc_test_random(r);
    cc_u256_shr(&a, &a, (unsigned)(cc_test_random(r) % 257));
    return a;
}

#define SAME(a, b) assert_int_equal(cc_u256_cmp(&(a), &(b)), 0)

static void test_u256_bytes(void **state)
{
    static const char hex[] = "000102030405060708090a0b0c0d0e0f"
                              "101112131415161718191a1b1c1d1e1f";
    struct cc_u256 a = from_hex(hex), b;
    uint8_t le[32], be[32];

    (void)state;
    assert_true(a.w[0] == UINT64_C(0x18191a1b1c1d1e1f));
    assert_true(a.w[3] == UINT64_C(0x0001020304050607));
    cc_u256_to_be(be, &a);
    assert_string_equal(cc_test_hex(be, 32), hex);
    cc_u256_to_le(le, &a);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(le[i], be[31 - i]);
    b = cc_u256_from_le(le);
    SAME(a, b);
    assert_int_equal(cc_u256_bits(&a), 241);
    a = cc_u256_from_u64(0);
    assert_true(cc_u256_is_zero(&a));
    assert_int_equal(cc_u256_bits(&a), 0);
    a = cc_u256_from_u64(1);
    assert_false(cc_u256_is_zero(&a));
    assert_int_equal(cc_u256_bits(&a), 1);
}

static void test_u256_carries(void **state)
{
    struct cc_u256 ones = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    struct cc_u256 one = cc_u256_from_u64(1), r;

    (void)state;
    assert_true(cc_u256_add(&r, &ones, &one));
    assert_true(cc_u256_is_zero(&r));
    assert_true(cc_u256_sub(&r, &r, &one));
    SAME(r, ones);
    assert_false(cc_u256_sub(&r, &r, &ones));
    assert_true(cc_u256_mul_u64(&r, &ones, 3) == 2);
    cc_u256_shl(&r, &one, 255);
    assert_int_equal(cc_u256_bits(&r), 256);
    cc_u256_shl(&r, &one, 256);
    assert_true(cc_u256_is_zero(&r));
    assert_true(cc_u256_to_double(&ones) == 0x1p256);
}

/* a = q * b + rest with rest < b, for random sizes; shifts against products
 * with powers of two. */
static void test_u256_random_laws(void **state)
{
    struct cc_test_random rnd;

    (void)state;
    cc_test_random_init(&rnd, 11);
    for (int i = 0; i < 5000; i++) {
        struct cc_u256 a = random_u256(&rnd), b = random_u256(&rnd), q, sum,
                       part;
        unsigned n = (unsigned)(cc_test_random(&rnd) % 64);

        cc_u256_div(&q, &a, &b);
        if (cc_u256_is_zero(&b)) {
            assert_true(cc_u256_is_zero(&q));
            continue;
        }
        /* sum = q * b, word by word */
        sum = cc_u256_from_u64(0);
        for (unsigned w = 0; w < 4; w++) {
            cc_u256_mul_u64(&part, &b, q.w[w]);
            cc_u256_shl(&part, &part, 64 * w);
            assert_false(cc_u256_add(&sum, &sum, &part));
        }
        assert_true(cc_u256_cmp(&sum, &a) <= 0);
        cc_u256_sub(&part, &a, &sum);
        assert_true(cc_u256_cmp(&part, &b) < 0);

        cc_u256_shl(&part, &a, n);
        cc_u256_mul_u64(&sum, &a, UINT64_C(1) << n);
        SAME(part, sum);
        cc_u256_shr(&part, &a, n);
        q = cc_u256_from_u64(UINT64_C(1) << n);
        cc_u256_div(&sum, &a, &q);
        SAME(part, sum);
        cc_u256_add(&sum, &a, &b);
        cc_u256_sub(&sum, &sum, &b);
        SAME(sum, a);
    }
}

static void test_amount_text(void **state)
{
    static const struct {
        cc_amount a;
        const char *text;
    } cases[] = {{0, "0.00000000"},
                 {1, "0.00000001"},
                 {-1, "-0.00000001"},
                 {CC_COIN, "1.00000000"},
                 {-150000000, "-1.50000000"},
                 {INT64_C(8400000000000000), "84000000.00000000"},
                 {INT64_MAX, "92233720368.54775807"},
                 {INT64_MIN, "-92233720368.54775808"}};
    char text[CC_AMOUNT_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cc_amount_format(text, cases[i].a);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_fixed_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"1", 100000000},
        {"0.0", 0},
        {"-0", 0},
        {"-0.1", -10000000},
        {"1.1", 110000000},
        {"1.10000000000000000", 110000000},
        {"1.1e1", 1100000000},
        {"1.1e-1", 11000000},
        {"1000", INT64_C(100000000000)},
        {"-1000", INT64_C(-100000000000)},
        {"0.00000001", 1},
        {"0.0000000100000000", 1},
        {"-0.00000001", -1},
        {"1000000000.00000001", INT64_C(100000000000000001)},
        {"9999999999.99999999", INT64_C(999999999999999999)},
        {"-9999999999.99999999", INT64_C(-999999999999999999)},
        {"1e-8", 1},
        {"1E+2", INT64_C(10000000000)},
        {"0.001e3", 100000000},
        {"120000e-9", 12000},
    };
    static const char *const bad[] = {
        "",
        "-",
        "a-1000",
        "-a1000",
        "-1000a",
        "-01000",
        "00.1",
        ".1",
        "--0.1",
        "0.000000001",
        "1e-9",
        "+1",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        " 1",
        "1 ",
        "0x1",
        "-0.000000001",
        "0.00000001000000001",
        "-10000000000.00000000",
        "10000000000.00000000",
        "9999999999.999999999",
        "1e11",
        "1e9999999999999999999999",
        "99999999999999999999",
        "0e18",
        "1,0",
    };
    int64_t v;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        v = 77;
        if (!cc_fixed_parse(&v, good[i].text, 8))
            fail_msg("%s refused", good[i].text);
        if (v != good[i].value)
            fail_msg("%s gives %" PRId64, good[i].text, v);
    }
    v = 77;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (cc_fixed_parse(&v, bad[i], 8))
            fail_msg("%s accepted", bad[i]);
    }
    assert_int_equal(v, 77);
    assert_true(cc_fixed_parse(&v, "12.345", 3));
    assert_int_equal(v, 12345);
}

static void test_amount_parse_bounds(void **state)
{
    cc_amount a = 5;

    (void)state;
    assert_true(cc_amount_parse(&a, "21000000", 21000000 * CC_COIN));
    assert_int_equal(a, 21000000 * CC_COIN);
    assert_false(cc_amount_parse(&a, "21000000.00000001", 21000000 * CC_COIN));
    assert_false(cc_amount_parse(&a, "-1", 21000000 * CC_COIN));
    assert_int_equal(a, 21000000 * CC_COIN);
}

static void test_hex(void **state)
{
    static const uint8_t in[] = {0x00, 0x1f, 0xa2};
    uint8_t out[3] = {9, 9, 9}, *p;
    char text[8];
    size_t n = 99;

    (void)state;
    cc_hex_encode(text, in, 3);
    assert_string_equal(text, "001fa2");
    cc_hex_encode_rev(text, in, 3);
    assert_string_equal(text, "a21f00");
    assert_true(cc_hex_decode(out, 3, "001FA2"));
    assert_memory_equal(out, in, 3);
    assert_true(cc_hex_decode_rev(out, 3, "a21f00"));
    assert_memory_equal(out, in, 3);
    assert_false(cc_hex_decode(out, 3, "001fa"));
    assert_false(cc_hex_decode(out, 3, "001fa200"));
    assert_false(cc_hex_decode(out, 3, "001fa20"));
    assert_false(cc_hex_decode(out, 3, "001fg2"));
    assert_memory_equal(out, in, 3);
    assert_true(cc_hex_valid(""));
    assert_false(cc_hex_valid("0"));
    assert_false(cc_hex_valid("0x"));
    assert_null(cc_hex_decode_dup("zz", &n));
    p = cc_hex_decode_dup("", &n);
    assert_non_null(p);
    assert_int_equal(n, 0);
    free(p);
    p = cc_hex_decode_dup("0102", &n);
    assert_int_equal(n, 2);
    assert_int_equal(p[1], 2);
    free(p);
}

static void test_random_is_even_enough(void **state)
{
    unsigned seen[5] = {0};

    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint64_t v = cc_random_below(5);

        assert_true(v < 5);
        seen[v]++;
    }
    for (int i = 0; i < 5; i++) /* 1000 each; 20 deviations either side */
        assert_in_range(seen[i], 430, 1570);
    assert_int_equal(cc_random_below(1), 0);
    assert_true(cc_random_below(UINT64_MAX) < UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_u256_bytes),
        cmocka_unit_test(test_u256_carries),
        cmocka_unit_test(test_u256_random_laws),
        cmocka_unit_test(test_amount_text),
        cmocka_unit_test(test_fixed_parse),
        cmocka_unit_test(test_amount_parse_bounds),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_random_is_even_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
