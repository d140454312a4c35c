/*
 * Typed coins as bytes: scripts and witnesses at their longest and shortest, W
 * at each of its edges.
 */
#include <string.h>

#include "consensus/action.h"
#include "consensus/typed.h"
#include "support.h"
#include "util/writer.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* --- Lengths -------------------------------------------------------------- */

/* The longest script that may be, and one byte more. */
static void test_longest(void **state)
{
    static uint8_t script[CC_TYPED_SCRIPT_LIMIT + 1] = {CC_OP_STORAGE, 0x4d};
    struct cc_typed t;

    (void)state;
    assert_int_equal(CC_TYPED_SCRIPT_LIMIT, 10000);
    assert_int_equal(CC_RECORD_LIMIT, 1024);
    script[4] = 0x80;
    for (size_t len = CC_TYPED_SCRIPT_LIMIT; len <= sizeof(script); len++) {
        cc_put_u16le(script + 2, (uint16_t)(len - 4));
        assert_int_equal(cc_typed_parse(&t, cc_bytes(script, len), NULL) ==
                             CC_OK,
                         len == CC_TYPED_SCRIPT_LIMIT);
    }
}

/* Each length as each kind of push: the shortest alone is read. */
static void test_shortest(void **state)
{
    static const size_t lens[] = {1, 75, 76, 255, 256};
    static uint8_t script[300] = {CC_OP_STORAGE};
    struct cc_typed t;

    (void)state;
    for (size_t i = 0; i < COUNT(lens); i++)
        for (size_t bytes = 0; bytes < 3; bytes++) { /* of the length */
            const size_t shortest = lens[i] < 76 ? 0 : lens[i] < 256 ? 1 : 2;

            if (bytes < shortest)
                continue;
            script[1] = (uint8_t)(bytes ? 0x4b + bytes : lens[i]);
            cc_put_u16le(script + 2, (uint16_t)lens[i]);
            script[2 + bytes] = 0x80;
            assert_int_equal(
                cc_typed_parse(&t, cc_bytes(script, 2 + bytes + lens[i]),
                               NULL) == CC_OK,
                bytes == shortest);
        }
}

/* What is written is the shortest push, at each length where that changes. */
static void test_write_push(void **state)
{
    static const size_t pushes[] = {75, 76, 255, 256};
    static uint8_t record[300] = {9}, sigs[64];
    uint8_t script[CC_TYPED_SCRIPT_ROOM];
    struct cc_typed t, again;
    struct cc_writer w;
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT(pushes); i++) {
        for (int forming = 0; forming < 2; forming++) {
            len = pushes[i] - 1 - CC_IDENTITY_HEAD - (forming ? 64 : 0);
            if (len > sizeof(record))
                continue; /* no room for a signature */
            cc_put_u16le(record + 1, (uint16_t)(len - 3));
            memset(&t, 0, sizeof(t));
            t.kind = CC_KIND_IDENTITY;
            t.u.identity.record = cc_bytes(record, len);
            t.sigs = cc_bytes(sigs, forming ? 64 : 0);
            cc_writer_init(&w, script, sizeof(script));
            cc_typed_write(&w, &t);
            assert_int_equal(
                cc_typed_parse(&again, cc_bytes(script, w.len), NULL), CC_OK);
            assert_int_equal(again.u.identity.record.len, len);
            assert_int_equal(again.forming, forming);
        }
    }
}

/* --- W -------------------------------------------------------------------- */

static struct cc_contract good_contract(void)
{
    struct cc_contract c;

    memset(&c, 0, sizeof(c));
    c.id[0] = c.root[5] = 1;
    c.sectors = 3;
    c.period = 12;
    c.periods = 6;
    c.samples = 2;
    c.odds = 1;
    c.rent = 50000;
    c.penalty = 20000;
    c.allowance = 300000;
    return c;
}

static bool well_formed(const struct cc_contract *c, cc_amount above)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_typed t;
    cc_amount need = p->max_money;

    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_CONTRACT;
    t.u.contract = *c;
    if (!cc_contract_need(&need, c, p))
        need = p->max_money;
    return cc_typed_check(&t, need + above, p, NULL) == CC_OK;
}

static void test_contract_need(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_contract c = good_contract();
    cc_amount need;

    (void)state;
    assert_true(cc_contract_need(&need, &c, p));
    assert_int_equal(need, 6 * 70000 + 300000 + 20000);
    c.done = 6;
    c.redeemed = 300000;
    assert_true(cc_contract_need(&need, &c, p));
    assert_int_equal(need, 20000);
    c.redeemed++;
    assert_false(cc_contract_need(&need, &c, p));
    c.redeemed = 0;
    c.done = 7;
    assert_false(cc_contract_need(&need, &c, p));
    c.done = 0;
    c.periods = 1;
    c.rent = 0; /* exactly all the money there is, and one more */
    c.allowance = 0;
    c.penalty = (uint64_t)(p->max_money - p->storage.deposit);
    assert_true(cc_contract_need(&need, &c, p));
    assert_int_equal(need, p->max_money);
    c.penalty++;
    assert_false(cc_contract_need(&need, &c, p));
    c.rent = c.penalty = UINT64_MAX; /* 2^64 terms do not wrap */
    assert_false(cc_contract_need(&need, &c, p));
}

static void test_contract_edges(void **state)
{
    const struct cc_storage_params *s =
        &cc_params_get(CC_CHAIN_REGTEST)->storage;
    const uint64_t max = (uint64_t)cc_params_get(CC_CHAIN_REGTEST)->max_money;
    struct cc_contract c = good_contract();

    (void)state;
    assert_true(well_formed(&c, 0));
    assert_false(well_formed(&c, -1));
#define EDGE(field, in, out)                                                   \
    do {                                                                       \
        c = good_contract();                                                   \
        c.field = (in);                                                        \
        assert_true(well_formed(&c, 0));                                       \
        c.field = (out);                                                       \
        assert_false(well_formed(&c, 0));                                      \
    } while (0)
    EDGE(sectors, s->max_sectors, s->max_sectors + 1);
    EDGE(samples, 1, 0);
    EDGE(samples, 16, 17);
    EDGE(odds, 1, 0);
    EDGE(odds, 64, 65); /* schedule_fair is no part of W */
    EDGE(period, (uint16_t)s->min_period, (uint16_t)(s->min_period - 1));
    EDGE(periods, 1, 0);
    EDGE(periods, (uint16_t)s->max_periods, (uint16_t)(s->max_periods + 1));
    EDGE(done, 6, 7);
    EDGE(redeemed, 300000, 300001);
    c = good_contract();
    c.periods = 4096;
    c.period = 1024; /* 2^22 */
    assert_true(well_formed(&c, 0));
    c.period = 1025;
    assert_false(well_formed(&c, 0));
    c = good_contract();
    c.sectors = 0;
    assert_false(well_formed(&c, 0));
    memset(c.root, 0, 32);
    assert_true(well_formed(&c, 0));
    c.sectors = 1;
    assert_false(well_formed(&c, 0));
    /* Amounts, each alone. */
    c = good_contract();
    c.rent = c.allowance = c.redeemed = 0;
    c.done = c.periods;
    c.penalty = max;
    assert_true(well_formed(&c, 0));
    c.penalty = max + 1;
    assert_false(well_formed(&c, 0));
    c.penalty = 0;
    c.rent = max;
    assert_true(well_formed(&c, 0));
    c.rent = max + 1;
    assert_false(well_formed(&c, 0));
    /* allowance + r·rent; all but need redeemed, so that need is small. */
    c.rent = 0;
    c.allowance = c.redeemed = max;
    assert_true(well_formed(&c, 0));
    c.allowance = c.redeemed = max + 1;
    assert_false(well_formed(&c, 0));
    c.rent = 1;
    c.done = (uint16_t)(c.periods - 2);
    c.allowance = c.redeemed = max - 2;
    assert_true(well_formed(&c, 0));
    c.allowance = c.redeemed = max - 1;
    assert_false(well_formed(&c, 0));
}

static void test_value_range(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_typed t;

    (void)state;
    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_IDENTITY;
    assert_int_equal(cc_typed_check(&t, p->max_money, p, NULL), CC_OK);
    assert_int_equal(cc_typed_check(&t, p->max_money + 1, p, NULL), CC_INVALID);
    assert_int_equal(cc_typed_check(&t, p->storage.bond_min, p, NULL), CC_OK);
    assert_int_equal(cc_typed_check(&t, p->storage.bond_min - 1, p, NULL),
                     CC_INVALID);
    assert_int_equal(cc_typed_check(&t, -1, p, NULL), CC_INVALID);
}

static void test_seal_edges(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    const struct cc_storage_params *s = &p->storage;
    struct cc_typed t;

    (void)state;
    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_SEAL;
    t.u.seal.version = 1;
    for (int wrong = 0; wrong < 2; wrong++) {
        t.u.seal.sectors = s->seal_min - (uint32_t)wrong;
        assert_int_equal(cc_typed_check(&t, s->seal_bond, p, NULL) == CC_OK,
                         !wrong);
        t.u.seal.sectors = s->max_sectors + (uint32_t)wrong;
        assert_int_equal(cc_typed_check(&t, s->seal_bond, p, NULL) == CC_OK,
                         !wrong);
        t.u.seal.sectors = s->seal_min;
        assert_int_equal(
            cc_typed_check(&t, s->seal_bond - wrong, p, NULL) == CC_OK, !wrong);
    }
}

static void test_schedule(void **state)
{
    struct cc_contract c = good_contract();

    (void)state;
    c.periods = 1;
    assert_true(cc_contract_schedule_fair(&c));
    c.odds = 2;
    c.periods = 11;
    assert_false(cc_contract_schedule_fair(&c));
    c.periods = 12;
    assert_true(cc_contract_schedule_fair(&c));
}

static void test_record_find(void **state)
{
    static const uint8_t record[] = {1, 2, 0, 'h', 'i', 5, 0, 0, 9, 1, 0, 7};
    struct cc_bytes v;

    (void)state;
    assert_true(cc_record_find(cc_bytes(record, sizeof(record)), 9, &v));
    assert_int_equal(v.len, 1);
    assert_int_equal(v.data[0], 7);
    assert_true(cc_record_find(cc_bytes(record, sizeof(record)), 5, &v));
    assert_int_equal(v.len, 0);
    assert_false(cc_record_find(cc_bytes(record, sizeof(record)), 2, &v));
    assert_false(cc_record_find(cc_bytes(record, sizeof(record) - 1), 9, &v));
}

/* --- Witnesses ------------------------------------------------------------ */

/* What is written is read back, for every action. */
static void test_heads(void **state)
{
    static const struct {
        enum cc_action action;
        enum cc_kind kind;
        size_t sigs;
    } all[] = {
        {CC_ACTION_PROVE, CC_KIND_CONTRACT, 1},
        {CC_ACTION_SYNC, CC_KIND_CONTRACT, 1},
        {CC_ACTION_REVISE, CC_KIND_CONTRACT, 2},
        {CC_ACTION_END, CC_KIND_CONTRACT, 1},
        {CC_ACTION_CLOSE, CC_KIND_CONTRACT, 2},
        {CC_ACTION_UPDATE, CC_KIND_IDENTITY, 1},
        {CC_ACTION_RETIRE_IDENTITY, CC_KIND_IDENTITY, 1},
        {CC_ACTION_CLAIM, CC_KIND_SEAL, 1},
        {CC_ACTION_RETIRE_SEAL, CC_KIND_SEAL, 1},
    };
    static const uint8_t sig[64], rev[CC_REV_SIZE];
    uint8_t head[CC_ACTION_HEAD_ROOM];
    struct cc_bytes stack[8];
    struct cc_act a, b;
    size_t n;

    (void)state;
    for (size_t k = 0; k < COUNT(all); k++) {
        memset(&a, 0, sizeof(a));
        a.action = all[k].action;
        a.i = 0x1234;
        a.d = 0x12345678;
        a.leaf = UINT64_C(0x123456789abcdef0);
        a.flags = a.action == CC_ACTION_SYNC ? CC_FLAG_REV : 0;
        n = 0;
        stack[n++] = cc_bytes(head, cc_act_write_head(head, &a));
        if (a.flags)
            stack[n++] = cc_bytes(rev, sizeof(rev));
        for (size_t i = 0; i < all[k].sigs; i++)
            stack[n++] = cc_bytes(sig, sizeof(sig));
        assert_int_equal(cc_action_signatures(a.action), all[k].sigs);
        assert_int_equal(cc_act_parse(&b, all[k].kind, stack, n, NULL), CC_OK);
        assert_int_equal(b.action, a.action);
        assert_int_equal(b.flags, a.flags);
        if (a.action == CC_ACTION_PROVE)
            assert_int_equal(b.i, a.i);
        if (a.action == CC_ACTION_CLAIM) {
            assert_int_equal(b.d, a.d);
            assert_true(b.leaf == a.leaf);
        }
        assert_int_equal(b.sig_count, all[k].sigs);
        /* One kind of coin only. */
        for (int kind = 1; kind <= 3; kind++)
            assert_int_equal(
                cc_act_parse(&b, (enum cc_kind)kind, stack, n, NULL) == CC_OK,
                kind == (int)all[k].kind);
        /* An element more is for what shows proofs. */
        memmove(stack + n - all[k].sigs + 1, stack + n - all[k].sigs,
                all[k].sigs * sizeof(*stack));
        stack[n - all[k].sigs] = cc_bytes(sig, 1);
        assert_int_equal(
            cc_act_parse(&b, all[k].kind, stack, n + 1, NULL) == CC_OK,
            a.action == CC_ACTION_PROVE || a.action == CC_ACTION_CLAIM);
        memmove(stack + n - all[k].sigs, stack + n - all[k].sigs + 1,
                all[k].sigs * sizeof(*stack));
        /* A signature less. */
        assert_int_equal(cc_act_parse(&b, all[k].kind, stack, n - 1, NULL),
                         CC_INVALID);
    }
    assert_int_equal(cc_action_signatures((enum cc_action)0x7f), 0);
}

static void test_rev_and_vou(void **state)
{
    uint8_t root[32], sig[64], rev[CC_REV_SIZE], vou[CC_VOU_SIZE], got[32];
    uint32_t revision, sectors;

    (void)state;
    memset(root, 3, sizeof(root));
    memset(sig, 4, sizeof(sig));
    cc_rev_write(rev, 0x01020304, root, 0x05060708, sig);
    cc_rev_read(rev, &revision, got, &sectors);
    assert_int_equal(revision, 0x01020304);
    assert_int_equal(sectors, 0x05060708);
    assert_memory_equal(got, root, 32);
    assert_memory_equal(rev + 40, sig, 64);
    assert_int_equal(rev[0], 4); /* little-endian */
    cc_vou_write(vou, UINT64_C(0x0102030405060708), sig);
    assert_true(cc_get_u64le(vou) == UINT64_C(0x0102030405060708));
    assert_memory_equal(vou + 8, sig, 64);
}

/* All 256 flags of the three actions that have them. */
static void test_flags(void **state)
{
    static const uint8_t sig[64], rev[CC_REV_SIZE], vou[CC_VOU_SIZE];
    static const struct {
        enum cc_action action;
        size_t size;
        unsigned allowed;
    } all[] = {{CC_ACTION_PROVE, 4, 0x0f},
               {CC_ACTION_SYNC, 2, 0x2e},
               {CC_ACTION_END, 2, 0x15}};
    struct cc_bytes stack[4];
    uint8_t head[4] = {0};
    struct cc_act a;
    size_t n;

    (void)state;
    for (size_t k = 0; k < COUNT(all); k++) {
        for (unsigned flags = 0; flags < 256; flags++) {
            head[0] = (uint8_t)all[k].action;
            head[all[k].size - 1] = (uint8_t)flags;
            n = 0;
            stack[n++] = cc_bytes(head, all[k].size);
            if (flags & CC_FLAG_REV)
                stack[n++] = cc_bytes(rev, sizeof(rev));
            if (flags & CC_FLAG_VOU)
                stack[n++] = cc_bytes(vou, sizeof(vou));
            stack[n++] = cc_bytes(sig, sizeof(sig));
            assert_int_equal(
                cc_act_parse(&a, CC_KIND_CONTRACT, stack, n, NULL) == CC_OK,
                flags < 8 && (all[k].allowed >> flags & 1));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_write_push),
        cmocka_unit_test(test_contract_need),
        cmocka_unit_test(test_contract_edges),
        cmocka_unit_test(test_value_range),
        cmocka_unit_test(test_seal_edges),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_record_find),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_rev_and_vou),
        cmocka_unit_test(test_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
