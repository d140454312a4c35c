#include "support.h"

#include "consensus/pow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cc_u256 from_hex(const char *hex)
{
    uint8_t b[32];

    cc_test_unhex_into(b, sizeof(b), hex);
    return cc_u256_from_be(b);
}

/* Bitcoin's compact form at its edges: bits, sign, overflow, what the value
 * encodes back to. */
static void test_compact(void **state)
{
    static const struct {
        uint32_t bits;
        bool negative, overflow;
        uint32_t again;
    } rows[] = {
        {0x00000000, false, false, 0},
        {0x00123456, false, false, 0},
        {0x01003456, false, false, 0},
        {0x02000056, false, false, 0},
        {0x03000000, false, false, 0},
        {0x04000000, false, false, 0},
        {0x00923456, false, false, 0},
        {0x01803456, false, false, 0},
        {0x02800056, false, false, 0},
        {0x03800000, false, false, 0},
        {0x01123456, false, false, 0x01120000},
        {0x01fedcba, true, false, 0x017e0000},
        {0x02123456, false, false, 0x02123400},
        {0x03123456, false, false, 0x03123456},
        {0x04123456, false, false, 0x04123456},
        {0x04923456, true, false, 0x04123456},
        {0x05009234, false, false, 0x05009234},
        {0x20123456, false, false, 0x20123456},
        {0x2100ffff, false, false, 0x2100ffff},
        {0x22000012, false, false, 0x20120000},
        {0x220000ff, false, false, 0x2100ff00},
    };
    bool negative, overflow;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cc_u256 t =
            cc_compact_to_u256(rows[i].bits, &negative, &overflow);

        assert_int_equal(negative, rows[i].negative);
        assert_int_equal(overflow, rows[i].overflow);
        assert_int_equal(cc_u256_to_compact(&t), rows[i].again);
    }
    /* One byte too many, for each number of bytes in the word. */
    (void)cc_compact_to_u256(0x21010000, &negative, &overflow);
    assert_true(overflow);
    (void)cc_compact_to_u256(0x22000100, &negative, &overflow);
    assert_true(overflow);
    (void)cc_compact_to_u256(0x23000001, &negative, &overflow);
    assert_true(overflow);
    (void)cc_compact_to_u256(0xff123456, &negative, &overflow);
    assert_true(overflow);
    assert_false(negative);
    (void)cc_compact_to_u256(0x23000000, &negative, &overflow);
    assert_false(overflow);
    {
        struct cc_u256 t = cc_u256_from_u64(0x80);

        assert_int_equal(cc_u256_to_compact(&t), 0x02008000);
    }
}

static void test_check(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    struct cc_u256 target = cc_compact_to_u256(0x1e00ffff, NULL, NULL);
    struct cc_u256 one = cc_u256_from_u64(1);
    struct cc_params exact = *p;
    uint8_t hash[32];

    (void)state;
    cc_u256_to_le(hash, &target);
    assert_true(cc_pow_check(hash, 0x1e00ffff, p));
    assert_false(cc_pow_check(hash, 0x1e00fffe, p));
    (void)cc_u256_add(&target, &target, &one);
    cc_u256_to_le(hash, &target);
    assert_false(cc_pow_check(hash, 0x1e00ffff, p));
    /* Bits that are no target, or an easier one than the chain allows, are
     * met by no hash. */
    memset(hash, 0, sizeof(hash));
    assert_true(cc_pow_check(hash, 0x01010000, p));
    assert_false(cc_pow_check(hash, 0, p));
    assert_false(cc_pow_check(hash, 0x1e80ffff, p));
    assert_false(cc_pow_check(hash, 0x23000001, p));
    assert_false(cc_pow_check(hash, 0x1e010000, p));
    assert_true(cc_pow_check(hash, 0x1e010000, cc_params_get(CC_CHAIN_TEST)));
    /* The limit itself is allowed. */
    exact.pow_limit = cc_compact_to_u256(0x1e00ffff, NULL, NULL);
    assert_true(cc_pow_check(hash, 0x1e00ffff, &exact));
    (void)cc_u256_sub(&exact.pow_limit, &exact.pow_limit, &one);
    assert_false(cc_pow_check(hash, 0x1e00ffff, &exact));
}

static void test_work(void **state)
{
    struct cc_u256 work, want;

    (void)state;
    /* 2^256 / (0x7fffff·2^232 + 1) = 2, Bitcoin's first: 0x100010001. */
    work = cc_pow_work(0x207fffff);
    assert_int_equal(work.w[0], 2);
    work = cc_pow_work(0x1d00ffff);
    assert_int_equal(work.w[0], UINT64_C(0x100010001));
    assert_int_equal(work.w[1] | work.w[2] | work.w[3], 0);
    /* Target 1: 2^255. */
    work = cc_pow_work(0x01010000);
    want = from_hex("80000000000000000000000000000000"
                    "00000000000000000000000000000000");
    assert_int_equal(cc_u256_cmp(&work, &want), 0);
    work = cc_pow_work(0);
    assert_true(cc_u256_is_zero(&work));
    work = cc_pow_work(0x1e80ffff);
    assert_true(cc_u256_is_zero(&work));
    work = cc_pow_work(0x23000001);
    assert_true(cc_u256_is_zero(&work));
}

/* Published runs: half-life 172,800 s, spacing 600 s, limit 0x1d00ffff. */
static void test_asert_run(void **state)
{
    struct cc_u256 limit = from_hex("00000000ffffffffffffffffffffffff"
                                    "ffffffffffffffffffffffffffffffff");
    size_t len, cases = 0;
    char *text = cc_test_load("asert_run.txt", &len);
    uint32_t anchor = 0;

    (void)state;
    if (!text)
        skip();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        long long height, time;
        unsigned bits;
        const char *found = strstr(line, "anchor bits ");

        if (line[0] == '#') {
            if (found)
                anchor = (uint32_t)strtoul(found + 12, NULL, 16);
            continue;
        }
        assert_int_equal(
            sscanf(line, "%*s %lld %lld 0x%x", &height, &time, &bits), 3);
        assert_int_equal(
            cc_asert_next(&limit, anchor, 600, 172800, time, height - 1), bits);
        cases++;
    }
    free(text);
    assert_true(cases > 0);
    cc_test_ran("asert_run", cases);
}

static void test_asert_edges(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    struct cc_u256 all = from_hex("ffffffffffffffffffffffffffffffff"
                                  "ffffffffffffffffffffffffffffffff");
    struct cc_u256 half = cc_compact_to_u256(0x207fffff, NULL, NULL);

    (void)state;
    /* On schedule: unchanged. One half-life late: twice; early: half. */
    assert_int_equal(
        cc_asert_next(&p->pow_limit, 0x1b00ffff, 150, 86400, 150 * 11, 10),
        0x1b00ffff);
    assert_int_equal(cc_asert_next(&p->pow_limit, 0x1b00ffff, 150, 86400,
                                   150 * 11 + 86400, 10),
                     0x1b01fffe);
    assert_int_equal(cc_asert_next(&p->pow_limit, 0x1b00fffe, 150, 86400,
                                   150 * 11 - 86400, 10),
                     0x1a7fff00);
    /* The division into 65536ths cuts towards zero, so one second early is
     * nothing; the exponent of two seconds is -1, whose floor is -1. */
    assert_int_equal(
        cc_asert_next(&p->pow_limit, 0x1b00ffff, 150, 86400, 150 * 11 - 1, 10),
        0x1b00ffff);
    assert_int_equal(
        cc_asert_next(&p->pow_limit, 0x1b00ffff, 150, 86400, 150 * 11 - 2, 10),
        0x1b00fffe);
    /* One second less than a half-life late is not a whole one. */
    assert_int_equal(cc_asert_next(&p->pow_limit, 0x1b00ffff, 150, 86400,
                                   150 * 11 + 86399, 10),
                     0x1b01fffd);
    /* Never below 1, however early; never above the limit, however late. */
    assert_int_equal(
        cc_asert_next(&p->pow_limit, 0x1b00ffff, 150, 86400, 0, 1 << 28),
        0x01010000);
    assert_int_equal(
        cc_asert_next(&p->pow_limit, 0x01010000, 150, 86400, 0, 1152),
        0x01010000);
    assert_int_equal(cc_asert_next(&p->pow_limit, 0x1b00ffff, 150, 86400,
                                   INT64_C(1) << 33, 0),
                     0x1e00ffff);
    assert_int_equal(cc_asert_next(&p->pow_limit, 0x1e00ffff, 150, 86400,
                                   151 + 86400 / 4, 0),
                     0x1e00ffff);
    /* Targets so large that target times factor passes 256 bits. */
    assert_int_equal(cc_asert_next(&all, 0x207fffff, 150, 86400, 150, 0),
                     cc_u256_to_compact(&half));
    assert_int_equal(
        cc_asert_next(&all, 0x207fffff, 150, 86400, 150 - 86400, 0),
        0x203fffff);
    assert_int_equal(
        cc_asert_next(&all, 0x207fffff, 150, 86400, 150 + 2 * 86400, 0),
        0x2100ffff);
    /* 2^239 sixteen half-lives late is 2^255, which fits; seventeen late, or
     * 2^247 nine late, it is 2^256, which does not. */
    assert_int_equal(
        cc_asert_next(&all, 0x1f008000, 150, 86400, 150 + 16 * 86400, 0),
        0x21008000);
    assert_int_equal(
        cc_asert_next(&all, 0x1f008000, 150, 86400, 150 + 17 * 86400, 0),
        0x2100ffff);
    assert_int_equal(
        cc_asert_next(&all, 0x20008000, 150, 86400, 150 + 9 * 86400, 0),
        0x2100ffff);
    /* And 241 early it is 2^6: down through all 256 bits. */
    assert_int_equal(
        cc_asert_next(&all, 0x20008000, 150, 86400, 150 - 241 * 86400, 0),
        0x01400000);
}

static void test_next_bits(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    const struct cc_params *r = cc_params_get(CC_CHAIN_REGTEST);
    uint32_t start = p->genesis.time;

    (void)state;
    /* The anchor's own time stands for its parent's: block 1 is called for
     * 150 s after it, so the one after genesis is a touch harder. */
    assert_int_equal(
        cc_pow_next_bits(p, 0, start, 0x1e00ffff),
        cc_asert_next(&p->pow_limit, 0x1e00ffff, 150, 86400, 0, 0));
    assert_true(cc_pow_next_bits(p, 0, start, 0x1e00ffff) < 0x1e00ffff);
    assert_int_equal(cc_pow_next_bits(p, 0, start + 150, 0x1e00ffff),
                     0x1e00ffff);
    /* What the block before had does not matter, nor a time before genesis. */
    assert_int_equal(cc_pow_next_bits(p, 99, start + 15000, 0x1d00ffff),
                     0x1e00ffff);
    assert_int_equal(cc_pow_next_bits(p, 0, start - 86400 + 150, 0x1e00ffff),
                     0x1d7fff80);
    assert_int_equal(cc_pow_next_bits(r, 7, 0, 0x207fffff), 0x207fffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compact),     cmocka_unit_test(test_check),
        cmocka_unit_test(test_work),        cmocka_unit_test(test_asert_run),
        cmocka_unit_test(test_asert_edges), cmocka_unit_test(test_next_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
