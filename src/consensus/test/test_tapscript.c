/* BIP 341 and 342 at their edges: control blocks, leaf versions, tapscript's
 * limits and rules, signatures. */
#include <stdlib.h>

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "script_text.h"

#define TAP (CC_VERIFY_P2SH | CC_VERIFY_WITNESS | CC_VERIFY_TAPROOT)

static const uint8_t secret[32] = {[31] = 7};

/* A coin that one leaf can spend, and its spend: items, script, control. */
struct tap {
    struct pair p;
    uint8_t internal[32], output[34], leaf[32];
    uint8_t control[33 + 32 * 130];
    struct cc_bytes *items; /* room for 1100 */
    size_t count;           /* items below the script */
    struct cc_bytes script;
};

static void tap_control(struct tap *t, uint8_t version, size_t nodes)
{
    uint8_t root[32], tweak[32];
    bool odd;

    cc_tapleaf_hash(t->leaf, version, t->script);
    memset(t->control + 33, 0x55, 32 * nodes);
    cc_tap_root(root, t->leaf, t->control + 33, nodes);
    cc_taptweak_hash(tweak, t->internal, root);
    assert_true(cc_ec_xonly_tweak(t->output + 2, &odd, t->internal, tweak));
    t->control[0] = (uint8_t)(version | odd);
    memcpy(t->control + 1, t->internal, 32);
    t->items[t->count] = t->script;
    t->items[t->count + 1] = cc_bytes(t->control, 33 + 32 * nodes);
    pair_init(&t->p, cc_bytes(NULL, 0), cc_bytes(t->output, 34), t->items,
              t->count + 2, 1000);
}

static void tap_init(struct tap *t, const struct cc_ec *ec,
                     struct cc_bytes script)
{
    t->items = calloc(1100, sizeof(*t->items));
    t->count = 0;
    t->script = script;
    t->output[0] = CC_OP_1;
    t->output[1] = 32;
    assert_true(cc_ec_xonly(ec, t->internal, secret));
    tap_control(t, 0xc0, 0);
}

static void tap_clear(struct tap *t) { free(t->items); }

/* Items of no bytes below the script. */
static void tap_empty_items(struct tap *t, size_t n)
{
    static const uint8_t none[1];

    for (size_t i = 0; i < n; i++)
        t->items[i] = cc_bytes(none, 0);
    t->count = n;
    tap_control(t, 0xc0, 0);
}

static enum cc_script_error tap_eval(const struct tap *t, uint32_t flags)
{
    return pair_verify(&t->p, flags);
}

static void test_control_size(void **state)
{
    static const uint8_t one = CC_OP_1;
    struct tap t;

    tap_init(&t, *state, cc_bytes(&one, 1));
    for (size_t nodes = 0; nodes <= 129; nodes++) {
        tap_control(&t, 0xc0, nodes);
        script_expect(tap_eval(&t, TAP),
                      nodes <= 128 ? ERR(OK) : ERR(TAPROOT_WRONG_CONTROL_SIZE));
        t.items[1].len--;
        script_expect(tap_eval(&t, TAP), ERR(TAPROOT_WRONG_CONTROL_SIZE));
        t.items[1].len += 2;
        script_expect(tap_eval(&t, TAP), ERR(TAPROOT_WRONG_CONTROL_SIZE));
    }
    tap_control(&t, 0xc0, 3);
    for (size_t i = 0; i < 33 + 96; i++) { /* every byte of it counts */
        t.control[i] ^= i ? 0x10 : 0x01;
        script_expect(tap_eval(&t, TAP), ERR(WITNESS_PROGRAM_MISMATCH));
        t.control[i] ^= i ? 0x10 : 0x01;
    }
    script_expect(tap_eval(&t, TAP), ERR(OK));
    t.items[1].len = 0;
    script_expect(tap_eval(&t, TAP), ERR(TAPROOT_WRONG_CONTROL_SIZE));
    t.p.in.witness_count = 0;
    script_expect(tap_eval(&t, TAP), ERR(WITNESS_PROGRAM_WITNESS_EMPTY));
    tap_clear(&t);
}

static void test_leaf_versions(void **state)
{
    static const uint8_t ret = CC_OP_RETURN;
    const uint32_t policy =
        TAP | CC_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION;
    struct tap t;

    tap_init(&t, *state, cc_bytes(&ret, 1));
    for (unsigned v = 0; v < 256; v += 2) {
        if (v == 0x50)
            continue; /* would be an annex */
        tap_control(&t, (uint8_t)v, 0);
        script_expect(tap_eval(&t, TAP), v == 0xc0 ? ERR(OP_RETURN) : ERR(OK));
        script_expect(tap_eval(&t, policy),
                      v == 0xc0 ? ERR(OP_RETURN)
                                : ERR(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION));
    }
    tap_clear(&t);
}

static void test_p2sh_taproot(void **state)
{
    uint8_t redeem[34] = {CC_OP_1, 32, 1}, script[23] = {CC_OP_HASH160, 20};
    uint8_t script_sig[35] = {34};
    struct cc_bytes item = cc_bytes(redeem, 1);
    struct pair p;

    (void)state;
    cc_hash160(script + 2, redeem, 34);
    script[22] = CC_OP_EQUAL;
    memcpy(script_sig + 1, redeem, 34);
    pair_init(&p, cc_bytes(script_sig, 35), cc_bytes(script, 23), &item, 1, 0);
    script_expect(pair_verify(&p, TAP), ERR(OK));
    script_expect(
        pair_verify(&p, TAP | CC_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM),
        ERR(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM));
}

static void test_op_success(void **state)
{
    uint8_t script[3] = {0, 0x4c, 0xff}; /* then a push cut short */
    struct tap t;

    tap_init(&t, *state, cc_bytes(script, 3));
    for (unsigned op = 0; op < 256; op++) {
        bool success = op == 80 || op == 98 || (op >= 126 && op <= 129) ||
                       (op >= 131 && op <= 134) || op == 137 || op == 138 ||
                       op == 141 || op == 142 || (op >= 149 && op <= 153) ||
                       (op >= 187 && op <= 254);

        if (op >= 1 && op <= 0x4e)
            continue;
        script[0] = (uint8_t)op;
        tap_control(&t, 0xc0, 0);
        script_expect(tap_eval(&t, TAP), success ? ERR(OK) : ERR(BAD_OPCODE));
        script_expect(tap_eval(&t, TAP | CC_VERIFY_DISCOURAGE_OP_SUCCESS),
                      success ? ERR(DISCOURAGE_OP_SUCCESS) : ERR(BAD_OPCODE));
    }
    /* Behind the cut push it is no operation. */
    script[0] = 0x4c;
    script[1] = 0x05;
    script[2] = 0x50;
    tap_control(&t, 0xc0, 0);
    script_expect(tap_eval(&t, TAP), ERR(BAD_OPCODE));
    /* It comes before every limit of the stack. */
    script[0] = 0x50;
    tap_empty_items(&t, 1050);
    script_expect(tap_eval(&t, TAP), ERR(OK));
    tap_clear(&t);
}

static void test_tapscript_limits(void **state)
{
    static uint8_t script[20001], big[521] = {1};
    struct tap t;

    memset(script, CC_OP_NOP, sizeof(script));
    script[20000] = CC_OP_1;
    tap_init(&t, *state, cc_bytes(script, sizeof(script)));
    /* Neither size nor count of operations. */
    script_expect(tap_eval(&t, TAP), ERR(OK));
    script[0] = CC_OP_2DROP;
    t.script.len = 1;
    tap_empty_items(&t, 1000);
    script_expect(tap_eval(&t, TAP), ERR(CLEANSTACK));
    tap_empty_items(&t, 1001); /* although 2DROP would bring it down */
    script_expect(tap_eval(&t, TAP), ERR(STACK_SIZE));
    script[0] = CC_OP_DUP;
    tap_empty_items(&t, 1000);
    script_expect(tap_eval(&t, TAP), ERR(STACK_SIZE));

    script[0] = CC_OP_NOP;
    tap_empty_items(&t, 1);
    t.items[0] = cc_bytes(big, 520);
    script_expect(tap_eval(&t, TAP), ERR(OK));
    t.items[0].len = 521;
    script_expect(tap_eval(&t, TAP), ERR(PUSH_SIZE));
    tap_clear(&t);
}

static void test_tapscript_rules(void **state)
{
    static const uint8_t two = 2, one = 1;
    uint8_t script[8] = {CC_OP_IF, CC_OP_1, CC_OP_ELSE, CC_OP_1, CC_OP_ENDIF};
    struct tap t;

    tap_init(&t, *state, cc_bytes(script, 5));
    tap_empty_items(&t, 1);
    script_expect(tap_eval(&t, TAP), ERR(OK));
    t.items[0] = cc_bytes(&one, 1);
    script_expect(tap_eval(&t, TAP), ERR(OK));
    t.items[0] = cc_bytes(&two, 1);
    script_expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_MINIMALIF));
    t.items[0] = cc_bytes("\0", 1);
    script_expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_MINIMALIF));
    t.items[0] = cc_bytes("\1\0", 2);
    script_expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_MINIMALIF));

    script[0] = CC_OP_CHECKMULTISIG;
    t.script.len = 1;
    tap_empty_items(&t, 0);
    script_expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_CHECKMULTISIG));
    script[0] = CC_OP_CHECKMULTISIGVERIFY;
    tap_empty_items(&t, 0);
    script_expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_CHECKMULTISIG));

    /* CHECKSIGADD: sig n key; n has at most four bytes. */
    script[0] = CC_OP_CHECKSIGADD;
    tap_empty_items(&t, 2);
    script_expect(tap_eval(&t, TAP), ERR(INVALID_STACK_OPERATION));
    tap_empty_items(&t, 3);
    script_expect(tap_eval(&t, TAP), ERR(PUBKEYTYPE));
    t.items[2] = cc_bytes(&one, 1);
    t.items[1] = cc_bytes("\1\0\0\0\0", 5);
    script_expect(tap_eval(&t, TAP), ERR(UNKNOWN_ERROR));
    t.items[1] = cc_bytes("\1\0\0\1", 4);
    script_expect(tap_eval(&t, TAP), ERR(OK));
    t.items[1] = cc_bytes(&two, 1);
    script_expect(tap_eval(&t, TAP), ERR(OK)); /* empty signature: 2 + 0 */
    t.items[1].len = 0;
    script_expect(tap_eval(&t, TAP), ERR(EVAL_FALSE)); /* 0 + 0 */
    t.items[0] = cc_bytes(&one, 1);
    script_expect(tap_eval(&t, TAP), ERR(OK)); /* unknown key type: 0 + 1 */
    script_expect(
        tap_eval(&t, TAP | CC_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE),
        ERR(DISCOURAGE_UPGRADABLE_PUBKEYTYPE));
    script[1] = CC_OP_3;
    script[2] = CC_OP_NUMEQUAL;
    t.script.len = 3;
    tap_empty_items(&t, 3);
    t.items[0] = t.items[2] = cc_bytes(&one, 1);
    t.items[1] = cc_bytes(&two, 1);
    script_expect(tap_eval(&t, TAP), ERR(OK)); /* 2 + 1 */
    tap_clear(&t);
}

/* n of <key of unknown type> with a signature of one byte: each costs 50 of
 * witness size + 50. */
static void test_budget(void **state)
{
    static uint8_t script[16];
    size_t size, len = 0, n = 3;
    struct tap t;

    tap_init(&t, *state, cc_bytes(script, 0));
    for (size_t i = 0; i < n; i++) { /* 1 1 CHECKSIGVERIFY */
        script[len++] = CC_OP_1;
        script[len++] = CC_OP_1;
        script[len++] = CC_OP_CHECKSIGVERIFY;
    }
    script[len++] = CC_OP_NOP;
    t.script.len = len;
    /* One item fills the witness up: count, item, script, control. */
    tap_empty_items(&t, 1);
    size = 1 + 1 + 1 + len + 1 + 33;
    assert_in_range(size, 1, 50 * n - 50);
    {
        static const uint8_t fill[100] = {1};
        size_t want = 50 * n - 50 - size;

        t.items[0] = cc_bytes(fill, want);
        script_expect(tap_eval(&t, TAP), ERR(OK));
        t.items[0].len--;
        script_expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_VALIDATION_WEIGHT));
    }
    /* Empty signatures cost nothing. */
    script[0] = script[3] = script[6] = CC_OP_0;
    script[2] = script[5] = script[8] = CC_OP_CHECKSIG;
    t.script.len = 9;
    tap_empty_items(&t, 0);
    script_expect(tap_eval(&t, TAP), ERR(CLEANSTACK));
    tap_clear(&t);
}

/* Key path. */
static void test_schnorr_form(void **state)
{
    uint8_t script[34] = {CC_OP_1, 32}, sig[66], h[32];
    struct cc_taproot_ctx ctx = {.tapscript = false};
    struct cc_bytes items[2];
    struct pair p;

    assert_true(cc_ec_xonly(*state, script + 2, secret));
    pair_init(&p, cc_bytes(NULL, 0), cc_bytes(script, 34), items, 1, 77);
    assert_true(cc_sighash_v1(h, &p.sighash, 0, 0, &ctx));
    assert_true(cc_schnorr_sign(*state, sig, secret, h, 32, NULL));
    items[0] = cc_bytes(sig, 64);
    script_expect(pair_verify(&p, CC_VERIFY_STANDARD), ERR(OK));
    items[0].len = 63;
    script_expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_SIZE));
    items[0].len = 66;
    script_expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_SIZE));
    items[0].len = 65;
    sig[64] = 0; /* the default may not be written out */
    script_expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_HASHTYPE));
    sig[64] = 4;
    script_expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_HASHTYPE));
    sig[64] = 1; /* ALL signs another message than DEFAULT */
    script_expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG));
    assert_true(cc_sighash_v1(h, &p.sighash, 0, 1, &ctx));
    assert_true(cc_schnorr_sign(*state, sig, secret, h, 32, NULL));
    script_expect(pair_verify(&p, TAP), ERR(OK));

    /* An annex is signed; a lone item is never one. */
    items[0] = cc_bytes(sig, 65);
    items[1] = cc_bytes("\x50\x01", 2);
    p.in.witness_count = 2;
    script_expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG));
    {
        uint8_t annex[3] = {2, 0x50, 1}, annex_hash[32];

        cc_sha256_once(annex_hash, annex, 3);
        ctx.annex_hash = annex_hash;
        assert_true(cc_sighash_v1(h, &p.sighash, 0, 1, &ctx));
        assert_true(cc_schnorr_sign(*state, sig, secret, h, 32, NULL));
        script_expect(pair_verify(&p, TAP), ERR(OK));
    }
    items[1] = cc_bytes("\x50\x02", 2);
    script_expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG));
    items[1] = cc_bytes("\x50", 0); /* an empty one is none */
    script_expect(pair_verify(&p, TAP), ERR(TAPROOT_WRONG_CONTROL_SIZE));
    items[0] = cc_bytes("\x50\x01", 2);
    p.in.witness_count = 1;
    script_expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_SIZE));
}

/* A signature tells where the last OP_CODESEPARATOR that ran stood, counted
 * in operations. */
static void test_codeseparator(void **state)
{
    uint8_t script[40] = {CC_OP_NOP, CC_OP_CODESEPARATOR, CC_OP_NOP, 32};
    struct cc_taproot_ctx ctx = {.tapscript = true};
    uint8_t sig[64], h[32];
    struct tap t;

    assert_true(cc_ec_xonly(*state, script + 4, secret));
    script[36] = CC_OP_CHECKSIG;
    tap_init(&t, *state, cc_bytes(script, 37));
    for (int i = 0; i < 2; i++) {
        uint32_t pos = i ? UINT32_MAX : 1;

        script[1] = i ? CC_OP_NOP : CC_OP_CODESEPARATOR;
        tap_empty_items(&t, 1);
        memcpy(ctx.leaf_hash, t.leaf, 32);
        for (uint32_t p = 0; p < 4; p++) {
            ctx.codesep_pos = p == 3 ? UINT32_MAX : p;
            assert_true(cc_sighash_v1(h, &t.p.sighash, 0, 0, &ctx));
            assert_true(cc_schnorr_sign(*state, sig, secret, h, 32, NULL));
            t.items[0] = cc_bytes(sig, 64);
            script_expect(tap_eval(&t, TAP),
                          ctx.codesep_pos == pos ? ERR(OK) : ERR(SCHNORR_SIG));
        }
    }
    /* An empty signature is false, any other that is wrong ends it. */
    t.items[0].len = 0;
    script_expect(tap_eval(&t, TAP), ERR(EVAL_FALSE));
    t.items[0].len = 1;
    script_expect(tap_eval(&t, TAP), ERR(SCHNORR_SIG_SIZE));
    tap_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_size),
        cmocka_unit_test(test_leaf_versions),
        cmocka_unit_test(test_p2sh_taproot),
        cmocka_unit_test(test_op_success),
        cmocka_unit_test(test_tapscript_limits),
        cmocka_unit_test(test_tapscript_rules),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_schnorr_form),
        cmocka_unit_test(test_codeseparator),
    };

    return cmocka_run_group_tests(tests, script_setup, script_teardown);
}
