/*
 * One action on one coin, against the rules of doc/protocol.md 4.5 written
 * down once more without any haste: for random contracts and chains, at every
 * height and for every i, verdict, money and the heights over which the
 * verdict holds.
 */
#include <string.h>

#include "consensus/transition.h"
#include "support.h"

#define HEIGHTS 400
#define WINDOW 6
#define MAX_MISS 3

/* Due heights are called as `called` says; hashes are made to fit. */
static bool called[64];
static struct cc_contract body;

static const uint8_t *hash_at(void *arg, uint32_t height)
{
    static const uint8_t yes[32];
    static uint8_t no[32] = {1}; /* x 0x9E37...: the upper half */
    int64_t i = ((int64_t)height - body.start) / body.period;

    assert_true(height < *(const uint32_t *)arg);
    assert_true(i >= 1 && i <= body.periods);
    return called[i] ? yes : no;
}

struct outcome {
    bool valid;
    cc_amount value, pool;
    int64_t lo, hi, top;
};

static struct outcome run(uint32_t height, struct cc_act act)
{
    static uint8_t script[CC_TYPED_SCRIPT_ROOM];
    struct cc_storage_view view = {cc_params_get(CC_CHAIN_REGTEST), height,
                                   hash_at, NULL, &height};
    struct cc_chain_read chain;
    struct cc_spent s;
    struct cc_coin coin;
    struct cc_step step;
    struct outcome o = {0};

    memset(&s, 0, sizeof(s));
    memset(&coin, 0, sizeof(coin));
    coin.out.value = 100 * CC_COIN;
    coin.out.script = cc_bytes(script, 0);
    s.coin = &coin;
    s.body.kind = CC_KIND_CONTRACT;
    s.body.u.contract = body;
    s.act = act;
    memset(&step, 0xee, sizeof(step)); /* nothing is left from before */
    cc_chain_read_init(&chain, &view);
    o.valid = cc_step_run(&step, &s, &chain, NULL) == CC_OK;
    o.top = chain.top;
    if (o.valid) {
        assert_int_equal(step.owes, act.action == CC_ACTION_END);
        assert_non_null(step.signers[0]);
        assert_null(step.signers[1]);
        assert_int_equal(step.job_count, act.rev != NULL);
        o.value = step.value;
        o.pool = step.pool;
        o.lo = step.lo;
        o.hi = step.hi;
    }
    return o;
}

static int64_t due(int64_t i) { return body.start + i * body.period; }

static void random_contract(struct cc_test_random *r)
{
    memset(&body, 0, sizeof(body));
    body.start = 10 + (uint32_t)(cc_test_random(r) % 20);
    body.period = (uint16_t)(12 + cc_test_random(r) % 3);
    body.periods = (uint16_t)(1 + cc_test_random(r) % 8);
    body.done = (uint16_t)(cc_test_random(r) % (body.periods + 1u));
    body.odds = 2;
    body.samples = 1;
    body.rent = 1000;
    body.penalty = 300;
    body.allowance = 5000;
    for (size_t i = 0; i < 64; i++)
        called[i] = cc_test_random(r) % 3 != 0;
}

/* --- The rules, slowly ---------------------------------------------------- */

static bool is_out(int64_t i, int64_t h) { return due(i) < h && called[i]; }

static bool prove_allowed(int64_t i, int64_t h, bool rev)
{
    int64_t k = 0;

    if (i <= body.done || i > body.periods || due(i) >= h ||
        h > due(body.periods) + WINDOW)
        return false;
    for (int64_t j = body.done + 1; j < i; j++)
        k += called[j];
    if (called[i])
        return h <= due(i) + WINDOW && k < MAX_MISS;
    if (k)
        return false;
    for (int64_t j = i + 1; j <= body.periods; j++)
        if (is_out(j, h) && (rev || due(j) + WINDOW < h))
            return false;
    return true;
}

static bool sync_allowed(int64_t h)
{
    if (body.done == body.periods)
        return false;
    for (int64_t j = body.done + 1; j <= body.periods; j++)
        if (is_out(j, h))
            return false;
    return true;
}

static bool end_allowed(int64_t h, bool by_renter)
{
    int64_t missed = 0;

    if (body.done == body.periods && !by_renter)
        return true;
    for (int64_t j = body.done + 1; j <= body.periods; j++)
        missed += called[j] && due(j) + WINDOW < h;
    return h > due(body.periods) + WINDOW || missed >= MAX_MISS;
}

/* The facts: valid at all of lo ... hi of the hashes that were read, and the
 * bounds are as wide as the text says. */
static void check_facts(struct outcome o, int64_t h, struct cc_act act)
{
    struct outcome at;

    assert_true(h >= o.lo && h <= o.hi);
    for (int64_t x = o.lo > o.top ? o.lo : o.top + 1; x <= o.hi && x < HEIGHTS;
         x++) {
        at = run((uint32_t)x, act);
        assert_true(at.valid);
        assert_int_equal(at.value, o.value);
        assert_int_equal(at.pool, o.pool);
        assert_true(at.top <= o.top); /* no new read was needed */
    }
    if (o.lo > 1)
        assert_false(run((uint32_t)o.lo - 1, act).valid);
    /* One more block needs a new read, or is too late. */
    if (o.hi < HEIGHTS - 1) {
        at = run((uint32_t)o.hi + 1, act);
        assert_true(!at.valid || at.top > o.top ||
                    at.hi > o.hi); /* hi moved on: it had to be looked at */
    }
}

static size_t check_prove(uint32_t h, int64_t i, bool rev)
{
    static const uint8_t revision[CC_REV_SIZE] = {9};
    struct cc_act act;
    struct outcome o;
    int64_t missed = 0, done = i - body.done;

    memset(&act, 0, sizeof(act));
    act.action = CC_ACTION_PROVE;
    act.i = (uint16_t)i;
    act.continues = true;
    act.rev = rev ? revision : NULL;
    o = run(h, act);
    if (o.valid != prove_allowed(i, h, rev))
        fail_msg("PROVE %d at %u%s", (int)i, (unsigned)h, rev ? " REV" : "");
    if (!o.valid)
        return 0;
    for (int64_t j = body.done + 1; j < i; j++)
        missed += called[j];
    assert_int_equal(o.pool, 300 * missed);
    assert_int_equal(o.value,
                     100 * CC_COIN - 1000 * (done - missed) - 300 * missed);
    check_facts(o, h, act);
    return 1;
}

static size_t check_sync(uint32_t h)
{
    static const uint8_t revision[CC_REV_SIZE] = {9};
    struct cc_act act;
    struct outcome o;

    memset(&act, 0, sizeof(act));
    act.action = CC_ACTION_SYNC;
    act.continues = true;
    act.rev = revision;
    o = run(h, act);
    if (o.valid != sync_allowed(h))
        fail_msg("SYNC at %u", (unsigned)h);
    if (!o.valid)
        return 0;
    assert_int_equal(o.value, 100 * CC_COIN);
    check_facts(o, h, act);
    return 1;
}

static size_t check_end(uint32_t h, bool by_renter)
{
    struct cc_act act;
    struct outcome o;

    memset(&act, 0, sizeof(act));
    act.action = CC_ACTION_END;
    act.flags = by_renter ? CC_FLAG_BY_RENTER : 0;
    o = run(h, act);
    if (o.valid != end_allowed(h, by_renter))
        fail_msg("END at %u", (unsigned)h);
    if (!o.valid)
        return 0;
    assert_true(o.hi == INT64_MAX);
    if (o.lo > 1)
        assert_false(run((uint32_t)o.lo - 1, act).valid);
    /* Never while a PROVE is possible, but for a host who has proved all. */
    for (int64_t i = body.done + 1; i <= body.periods; i++)
        assert_false(prove_allowed(i, h, false));
    return 1;
}

static void test_all_heights(void **state)
{
    struct cc_test_random r;
    size_t valid = 0, tried = 0;

    (void)state;
    cc_test_random_init(&r, 5);
    for (unsigned round = 0; round < 250; round++) {
        random_contract(&r);
        for (uint32_t h = body.start + 1; h <= due(body.periods) + 2 * WINDOW;
             h++) {
            for (int64_t i = 0; i <= body.periods + 1; i++) {
                valid += check_prove(h, i, false);
                valid += check_prove(h, i, true);
                tried += 2;
            }
            valid += check_sync(h);
            valid += check_end(h, false);
            valid += check_end(h, true);
            tried += 3;
        }
    }
    cc_test_ran("actions at a height", tried);
    cc_test_ran("of these valid, with their facts", valid);
}

/* REVISE leaves keys and what was redeemed as they are, to the last byte. */
static void test_revise_copies(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    uint32_t height = 200;
    struct cc_storage_view view = {p, height, hash_at, NULL, &height};
    struct cc_coin coin = {.out = {.value = CC_COIN}};
    struct cc_txout out = {.value = CC_COIN};
    struct cc_chain_read chain;
    struct cc_typed next;
    struct cc_spent s;
    struct cc_step step;
    struct cc_error err;

    (void)state;
    memset(&s, 0, sizeof(s));
    s.body.kind = CC_KIND_CONTRACT;
    s.body.u.contract.periods = 2;
    s.body.u.contract.period = 12;
    s.body.u.contract.odds = 1;
    s.body.u.contract.allowance = 9;
    s.act.action = CC_ACTION_REVISE;
    s.act.continues = true;
    s.coin = &coin;
    s.out = &out;
    s.output = &next;
    for (int what = 0; what < 4; what++) {
        next = s.body;
        next.u.contract.revision = 1;
        next.u.contract.renter_key[31] = what == 1;
        next.u.contract.host_key[31] = what == 2;
        next.u.contract.redeemed = what == 3;
        cc_chain_read_init(&chain, &view);
        cc_error_init(&err);
        assert_int_equal(cc_step_run(&step, &s, &chain, &err),
                         what ? CC_INVALID : CC_OK);
        if (what)
            assert_non_null(strstr(err.text, what < 3 ? "REVISE: key changed"
                                                      : "redeemed changed"));
        else
            assert_ptr_equal(step.signers[1], s.body.u.contract.host_key);
    }
}

/* How a contract that ends is divided, each way. */
static void test_end_split(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_end_split s;

    (void)state;
    memset(&body, 0, sizeof(body));
    body.periods = 6;
    body.done = 2;
    body.rent = 1000;
    body.penalty = 300;
    body.allowance = 5000;
    body.redeemed = 1000;
    cc_contract_end_split(&s, &body, 50000, 500, 2, p);
    assert_int_equal(s.renter, 5000 - 1000 - 500 + 2 * 1000);
    assert_int_equal(s.pool, 2 * 300);
    assert_int_equal(s.host, 50000 - s.renter - s.pool);
    for (int64_t missed = 3; missed < 5; missed++) { /* forfeit */
        cc_contract_end_split(&s, &body, 50000, 500, missed, p);
        assert_int_equal(s.renter, 3500 + 4 * 1000);
        assert_int_equal(s.host, 500);
        assert_int_equal(s.pool, 50000 - 7500 - 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_heights),
        cmocka_unit_test(test_revise_copies),
        cmocka_unit_test(test_end_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
