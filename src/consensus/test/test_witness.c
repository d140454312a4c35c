/* Witness programs before taproot: version 0 at its edges, and all versions and
 * lengths that mean nothing yet. */
#include <stdlib.h>

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "script_text.h"

#define BOTH (CC_VERIFY_P2SH | CC_VERIFY_WITNESS)
#define TAP (BOTH | CC_VERIFY_TAPROOT)

static const uint8_t secret[32] = {[31] = 7};

/* A P2WSH spend of script with the given items below it. */
static enum cc_script_error eval_v0(struct cc_bytes script,
                                    const struct cc_bytes *items, size_t count,
                                    uint32_t flags)
{
    struct cc_bytes *w = calloc(count + 1, sizeof(*w));
    uint8_t program[34] = {0, 32};
    enum cc_script_error e;
    struct pair p;

    if (count)
        memcpy(w, items, count * sizeof(*w));
    w[count] = script;
    cc_sha256_once(program + 2, script.data, script.len);
    pair_init(&p, cc_bytes(NULL, 0), cc_bytes(program, 34), w, count + 1, 0);
    e = pair_verify(&p, flags);
    free(w);
    return e;
}

static void test_v0_limits(void **state)
{
    static uint8_t big[CC_MAX_SCRIPT_SIZE + 1], one = 1;
    uint8_t script[64] = {CC_OP_SIZE, CC_OP_NIP}, dup[] = {CC_OP_DROP};
    struct cc_bytes *items = calloc(5000, sizeof(*items));
    struct cc_bytes item;
    size_t n;

    (void)state;
    item = cc_bytes(big, CC_MAX_SCRIPT_ELEMENT_SIZE);
    script_expect(eval_v0(cc_bytes(script, 2), &item, 1, BOTH), ERR(OK));
    item.len++;
    script_expect(eval_v0(cc_bytes(script, 2), &item, 1, BOTH), ERR(PUSH_SIZE));
    /* Too many elements, unless the first operation brings them down. */
    for (size_t i = 0; i < 5000; i++)
        items[i] = cc_bytes(&one, 0);
    items[0] = cc_bytes(&one, 1);
    script_expect(eval_v0(cc_bytes(dup, 1), items, 1001, BOTH),
                  ERR(CLEANSTACK));
    script_expect(eval_v0(cc_bytes(dup, 1), items, 1002, BOTH),
                  ERR(STACK_SIZE));
    script_expect(eval_v0(cc_bytes(dup, 1), items, 5000, BOTH),
                  ERR(STACK_SIZE));
    /* CHECKMULTISIG with 20 signatures and 20 keys takes 43, gives one. */
    {
        const uint8_t code[] = {CC_OP_CHECKMULTISIG};
        const uint8_t twenty = 20;

        n = 1000 - 1 + 43;
        for (size_t i = 1; i < n; i++)
            items[i] = cc_bytes(&one, 0);
        items[n - 1] = items[n - 22] = cc_bytes(&twenty, 1);
        script_expect(eval_v0(cc_bytes(code, 1), items, n, BOTH),
                      ERR(CLEANSTACK));
        memmove(items + 1, items, n * sizeof(*items));
        script_expect(eval_v0(cc_bytes(code, 1), items, n + 1, BOTH),
                      ERR(STACK_SIZE));
    }
    free(items);
    /* Size of the script. */
    memset(big, CC_OP_1, sizeof(big));
    script_expect(eval_v0(cc_bytes(big, CC_MAX_SCRIPT_SIZE), NULL, 0, BOTH),
                  ERR(STACK_SIZE));
    script_expect(eval_v0(cc_bytes(big, CC_MAX_SCRIPT_SIZE + 1), NULL, 0, BOTH),
                  ERR(SCRIPT_SIZE));
}

static void test_v0_rules(void **state)
{
    static const uint8_t one = 1, two = 2, zero = 0;
    const uint8_t yes[] = {CC_OP_IF, CC_OP_1, CC_OP_ELSE, CC_OP_1, CC_OP_ENDIF};
    const uint8_t add[] = {CC_OP_CHECKSIGADD};
    const uint8_t nothing[] = {CC_OP_DROP, CC_OP_0};
    struct cc_bytes item = cc_bytes(&two, 1), three[3];

    (void)state;
    script_expect(eval_v0(cc_bytes(yes, 5), &item, 1, BOTH), ERR(OK));
    script_expect(
        eval_v0(cc_bytes(yes, 5), &item, 1, BOTH | CC_VERIFY_MINIMALIF),
        ERR(MINIMALIF));
    item = cc_bytes(&zero, 1);
    script_expect(
        eval_v0(cc_bytes(yes, 5), &item, 1, BOTH | CC_VERIFY_MINIMALIF),
        ERR(MINIMALIF));
    item = cc_bytes(&zero, 0);
    script_expect(
        eval_v0(cc_bytes(yes, 5), &item, 1, BOTH | CC_VERIFY_MINIMALIF),
        ERR(OK));
    item = cc_bytes(&one, 1);
    script_expect(
        eval_v0(cc_bytes(yes, 5), &item, 1, BOTH | CC_VERIFY_MINIMALIF),
        ERR(OK));
    three[0] = three[1] = three[2] = item;
    script_expect(eval_v0(cc_bytes(add, 1), three, 3, BOTH), ERR(BAD_OPCODE));
    script_expect(eval_v0(cc_bytes(nothing, 2), &item, 1, BOTH),
                  ERR(EVAL_FALSE));
    script_expect(eval_v0(cc_bytes(yes, 5), three, 2, BOTH), ERR(CLEANSTACK));
    script_expect(eval_v0(cc_bytes(nothing, 1), &item, 1, BOTH),
                  ERR(CLEANSTACK));
}

/* Programs by version and length. */
/* Every byte of a P2WSH program counts. */
static void test_p2wsh_hash(void **state)
{
    static const uint8_t one = CC_OP_1;
    struct cc_bytes item = cc_bytes(&one, 1);
    uint8_t program[34] = {0, 32};
    struct pair p;

    (void)state;
    cc_sha256_once(program + 2, &one, 1);
    pair_init(&p, cc_bytes(NULL, 0), cc_bytes(program, 34), &item, 1, 0);
    script_expect(pair_verify(&p, BOTH), ERR(OK));
    for (size_t i = 2; i < 34; i++) {
        program[i] ^= 1;
        script_expect(pair_verify(&p, BOTH), ERR(WITNESS_PROGRAM_MISMATCH));
        program[i] ^= 1;
    }
}

static void test_programs(void **state)
{
    static const uint8_t data[40] = {1};
    const uint32_t all = TAP | CC_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM;
    struct cc_bytes item = cc_bytes(data, 1);
    struct cc_writer w;
    struct pair p;

    (void)state;
    for (int version = 0; version <= 16; version++) {
        for (size_t len = 2; len <= 40; len++) {
            bool known = version == 1 && len == 32;

            if (version == 0 && (len == 20 || len == 32))
                continue;
            cc_writer_init_heap(&w);
            cc_script_push_int(&w, version);
            cc_script_push_plain(&w, data, len);
            pair_init(&p, cc_bytes(NULL, 0), written(&w), &item, 1, 0);
            script_expect(pair_verify(&p, BOTH),
                          version ? ERR(OK)
                                  : ERR(WITNESS_PROGRAM_WRONG_LENGTH));
            script_expect(pair_verify(&p, TAP),
                          !version ? ERR(WITNESS_PROGRAM_WRONG_LENGTH)
                          : known  ? ERR(SCHNORR_SIG_SIZE)
                                   : ERR(OK));
            script_expect(pair_verify(&p, all),
                          !version ? ERR(WITNESS_PROGRAM_WRONG_LENGTH)
                          : known  ? ERR(SCHNORR_SIG_SIZE)
                                  : ERR(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM));
            cc_writer_clear(&w);
        }
    }
}

static void test_p2wpkh_shape(void **state)
{
    uint8_t program[22] = {0, 20}, key[33], sig[80], h[32], code[25];
    struct cc_bytes items[3];
    size_t len = sizeof(sig);
    struct pair p;

    cc_ec_pubkey(*state, key, secret);
    cc_hash160(program + 2, key, 33);
    pair_init(&p, cc_bytes(NULL, 0), cc_bytes(program, 22), items, 2, 5);
    memcpy(code, "\x76\xa9\x14", 3);
    memcpy(code + 3, program + 2, 20);
    memcpy(code + 23, "\x88\xac", 2);
    cc_sighash_v0(h, &p.sighash, 0, cc_bytes(code, 25), 1, 5);
    assert_true(cc_ecdsa_sign(*state, sig, &len, secret, h));
    sig[len] = 1; /* ALL */
    items[0] = cc_bytes(sig, len + 1);
    items[1] = cc_bytes(key, 33);
    script_expect(pair_verify(&p, CC_VERIFY_STANDARD), ERR(OK));
    p.in.witness_count = 1;
    script_expect(pair_verify(&p, BOTH), ERR(WITNESS_PROGRAM_MISMATCH));
    items[2] = items[1];
    items[1] = items[0];
    p.in.witness_count = 3;
    script_expect(pair_verify(&p, BOTH), ERR(WITNESS_PROGRAM_MISMATCH));
    p.in.witness_count = 0;
    script_expect(pair_verify(&p, BOTH), ERR(WITNESS_PROGRAM_MISMATCH));
    items[1] = items[2];
    p.in.witness_count = 2;
    p.in.script_sig = cc_bytes("\x51", 1);
    script_expect(pair_verify(&p, BOTH), ERR(WITNESS_MALLEATED));
    /* The amount is signed. */
    p.in.script_sig.len = 0;
    p.coin.out.value++;
    script_expect(pair_verify(&p, BOTH), ERR(EVAL_FALSE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v0_limits),    cmocka_unit_test(test_v0_rules),
        cmocka_unit_test(test_p2wsh_hash),   cmocka_unit_test(test_programs),
        cmocka_unit_test(test_p2wpkh_shape),
    };

    return cmocka_run_group_tests(tests, script_setup, script_teardown);
}
