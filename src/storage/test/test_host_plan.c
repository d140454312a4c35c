/*
 * When a host proves, synchronises and ends, for made-up chains on which each
 * due height is called or not as the test says.
 */
#include <string.h>

#include "storage/host_i.h"
#include "support.h"

/* "0110...": due height i is called if calls[i - 1] is '1'. A hash of zeros
 * equal to the id is always called; one far from it never with odds > 1. */
static const char *calls;
static struct cc_contract body;
static const uint8_t id[32];

static const uint8_t *hash_at(void *arg, uint32_t height)
{
    static const uint8_t called[32];
    static uint8_t uncalled[32];
    int64_t i = ((int64_t)height - body.start) / body.period;

    (void)arg;
    assert_int_equal(((int64_t)height - body.start) % body.period, 0);
    memset(uncalled, 0, 32);
    /* x·0x9E37...15 is then in the upper half of 64 bits. */
    uncalled[0] = 1;
    return calls[i - 1] == '1' ? called : uncalled;
}

static struct cc_host_plan plan(uint32_t height, struct cc_host_plan_input in)
{
    struct cc_storage_view view = {cc_params_get(CC_CHAIN_REGTEST), height,
                                   hash_at, NULL, NULL};

    in.body = &body;
    in.id = id;
    return cc_host_make_plan(&in, &view);
}

static void set(const char *c, uint16_t done)
{
    calls = c;
    memset(&body, 0, sizeof(body));
    body.start = 100;
    body.period = 12;
    body.periods = (uint16_t)strlen(c);
    body.done = done;
    body.odds = 2;
    body.allowance = 1000;
}

static const struct cc_host_plan_input nothing;

static void assert_duty(uint32_t height, enum cc_host_duty duty, unsigned i)
{
    struct cc_host_plan p = plan(height, nothing);

    if (p.duty != duty || (duty == CC_DUTY_PROVE && p.i != i))
        fail_msg("height %u: duty %d of %u", (unsigned)height, p.duty, p.i);
}

static void test_called(void **state)
{
    (void)state;
    set("111", 0);
    assert_duty(101, CC_DUTY_NONE, 0);
    assert_duty(112, CC_DUTY_NONE, 0); /* in the due block itself */
    for (uint32_t h = 113; h <= 118; h++)
        assert_duty(h, CC_DUTY_PROVE, 1);
    assert_duty(119, CC_DUTY_NONE, 0); /* missed; one of three */
    assert_duty(125, CC_DUTY_PROVE, 2);
    set("111", 1);
    assert_duty(119, CC_DUTY_NONE, 0);
    assert_duty(125, CC_DUTY_PROVE, 2);
    set("111", 3);
    assert_duty(137, CC_DUTY_END, 0); /* all done: at once */
}

static void test_delay(void **state)
{
    struct cc_host_plan_input in = nothing;

    (void)state;
    set("111", 0);
    in.prove_delay = 2;
    in.has_rev = true;
    assert_int_equal(plan(114, in).duty, CC_DUTY_NONE);
    assert_int_equal(plan(115, in).duty, CC_DUTY_PROVE);
    assert_true(plan(115, in).rev);
}

static void test_missed(void **state)
{
    (void)state;
    set("11111", 0);
    assert_duty(142, CC_DUTY_PROVE, 3); /* two missed: the third still goes */
    assert_duty(143, CC_DUTY_END, 0);   /* three: nothing to prove */
    set("11000", 0);
    assert_duty(137, CC_DUTY_NONE, 0); /* two missed, the rest not called */
    assert_duty(166, CC_DUTY_NONE, 0); /* last due 160, window to 166 */
    assert_duty(167, CC_DUTY_END, 0);
}

static void test_uncalled(void **state)
{
    (void)state;
    set("0000", 0);
    assert_duty(113, CC_DUTY_NONE, 0);
    assert_duty(148, CC_DUTY_NONE, 0);
    assert_duty(149, CC_DUTY_PROVE, 4); /* all rent at once */
    set("0010", 0);
    assert_duty(136, CC_DUTY_NONE, 0);
    assert_duty(137, CC_DUTY_PROVE, 3); /* carries those below */
    set("00000000000000000000", 0);
    assert_duty(100 + 15 * 12 + 1, CC_DUTY_NONE, 0);
    assert_duty(100 + 16 * 12 + 1, CC_DUTY_PROVE, 16);
}

static void test_sync(void **state)
{
    struct cc_host_plan_input in = nothing;

    (void)state;
    set("0111", 0);
    in.has_rev = in.new_root = in.may_sync = true;
    assert_int_equal(plan(105, in).duty, CC_DUTY_NONE);
    in.rested = true;
    assert_int_equal(plan(105, in).duty, CC_DUTY_SYNC);
    assert_true(plan(105, in).rev);
    assert_int_equal(plan(113, in).duty, CC_DUTY_SYNC);  /* uncalled below */
    assert_int_equal(plan(125, in).duty, CC_DUTY_PROVE); /* carries it */
    assert_true(plan(125, in).rev);
    assert_int_equal(plan(131, in).duty, CC_DUTY_NONE); /* challenge missed */
    in.new_root = false; /* only a number: with the next proof */
    assert_int_equal(plan(105, in).duty, CC_DUTY_NONE);
}

/* However many roots a renter makes: one SYNC when it rests, and one shortly
 * before the next due height. */
static void test_few_syncs(void **state)
{
    struct cc_host_plan_input in = nothing;

    (void)state;
    set("0001", 0);
    in.has_rev = in.new_root = in.may_sync = true;
    /* It never rests: two blocks before due height 112, not earlier. */
    assert_int_equal(plan(109, in).duty, CC_DUTY_NONE);
    assert_int_equal(plan(110, in).duty, CC_DUTY_SYNC);
    assert_int_equal(plan(112, in).duty, CC_DUTY_SYNC);
    assert_int_equal(plan(113, in).duty, CC_DUTY_NONE); /* of the next */
    /* It rests, but the coin has had its root in this period. */
    in.rested = true;
    body.revision = 1;
    in.height = 113;
    assert_int_equal(plan(116, in).duty, CC_DUTY_NONE);
    assert_int_equal(plan(122, in).duty, CC_DUTY_SYNC);
    in.height = 112; /* of the period before */
    assert_int_equal(plan(116, in).duty, CC_DUTY_SYNC);
    body.done = 1; /* the same when the proof says where we are */
    assert_int_equal(plan(116, in).duty, CC_DUTY_SYNC);
    in.height = 114;
    assert_int_equal(plan(116, in).duty, CC_DUTY_NONE);
    assert_int_equal(plan(122, in).duty, CC_DUTY_SYNC);
    in.may_sync = false;
    assert_int_equal(plan(122, in).duty, CC_DUTY_NONE);
    /* A long period: no earlier than twelve blocks before. */
    in.may_sync = true;
    in.rested = false;
    body.period = 600;
    calls = "00";
    body.periods = 2;
    body.done = 0;
    assert_int_equal(plan(687, in).duty, CC_DUTY_NONE);
    assert_int_equal(plan(688, in).duty, CC_DUTY_SYNC);
}

static void test_vouchers(void **state)
{
    struct cc_host_plan_input in = nothing;

    (void)state;
    set("11", 0);
    in.voucher = 500;
    assert_int_equal(plan(105, in).duty, CC_DUTY_NONE); /* half: waits */
    in.voucher = 501;
    assert_int_equal(plan(105, in).duty, CC_DUTY_SYNC);
    assert_true(plan(105, in).vou);
    assert_false(plan(105, in).rev);
    in.voucher = 1;
    assert_true(plan(113, in).vou); /* rides along */
    in.voucher = 1000;              /* all of it */
    assert_true(plan(113, in).vou);
    in.voucher = 1001; /* above the allowance: worth nothing on chain */
    assert_false(plan(113, in).vou);
    assert_int_equal(plan(105, in).duty, CC_DUTY_NONE);
    body.done = 2;
    in.voucher = 700;
    assert_int_equal(plan(126, in).duty, CC_DUTY_END);
    assert_true(plan(126, in).vou);
    body.redeemed = 700;
    assert_false(plan(126, in).vou);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_called),   cmocka_unit_test(test_delay),
        cmocka_unit_test(test_missed),   cmocka_unit_test(test_uncalled),
        cmocka_unit_test(test_sync),     cmocka_unit_test(test_few_syncs),
        cmocka_unit_test(test_vouchers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
