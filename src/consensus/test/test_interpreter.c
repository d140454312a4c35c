/* Rules of Script at their edges: limits, policy, witness programs, taproot
 * and tapscript. What the published vectors pin is not repeated here. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "script_text.h"

#define ERR(name) CC_SCRIPT_ERR_##name
#define BOTH (CC_VERIFY_P2SH | CC_VERIFY_WITNESS)
#define TAP (BOTH | CC_VERIFY_TAPROOT)

static const uint8_t secret[32] = {[31] = 7};

static int setup(void **state)
{
    *state = cc_ec_new();
    return *state == NULL;
}

static int teardown(void **state)
{
    cc_ec_free(*state);
    return 0;
}

static struct cc_bytes written(const struct cc_writer *w)
{
    return cc_bytes(w->data, w->len);
}

static void expect(enum cc_script_error got, enum cc_script_error want)
{
    if (got != want)
        fail_msg("%s, expected %s", cc_script_error_name(got),
                 cc_script_error_name(want));
}

/* script_sig, then script, both in words. */
static enum cc_script_error eval(const char *script_sig, const char *script,
                                 uint32_t flags)
{
    struct cc_writer a, b;
    enum cc_script_error e;
    struct pair p;

    cc_writer_init_heap(&a);
    cc_writer_init_heap(&b);
    script_parse(&a, script_sig);
    script_parse(&b, script);
    pair_init(&p, written(&a), written(&b), NULL, 0, 0);
    e = pair_verify(&p, flags);
    cc_writer_clear(&a);
    cc_writer_clear(&b);
    return e;
}

/* n times word, then end: freed by the caller. */
static char *repeat(const char *word, size_t n, const char *end)
{
    size_t step = strlen(word) + 1;
    char *text = malloc(step * n + strlen(end) + 1), *p = text;

    for (size_t i = 0; i < n; i++, p += step)
        sprintf(p, "%s ", word);
    strcpy(p, end);
    return text;
}

static enum cc_script_error eval_repeat(const char *word, size_t n,
                                        const char *end)
{
    char *text = repeat(word, n, end);
    enum cc_script_error e = eval("", text, 0);

    free(text);
    return e;
}

/* --- Limits before tapscript ------------------------------------------- */

static void test_script_size(void **state)
{
    uint8_t *script = calloc(1, CC_MAX_SCRIPT_SIZE + 1);
    struct pair p;

    (void)state;
    /* OP_0s on the stack would be too many: pushes of 255 and drops. */
    for (size_t len = CC_MAX_SCRIPT_SIZE; len <= CC_MAX_SCRIPT_SIZE + 1;
         len++) {
        size_t i = 0;

        memset(script, CC_OP_1, len);
        for (; i + 258 < len; i += 258) {
            script[i] = CC_OP_PUSHDATA1;
            script[i + 1] = 255;
            script[i + 257] = CC_OP_DROP;
        }
        pair_init(&p, cc_bytes(NULL, 0), cc_bytes(script, len), NULL, 0, 0);
        expect(pair_verify(&p, 0),
               len > CC_MAX_SCRIPT_SIZE ? ERR(SCRIPT_SIZE) : ERR(OK));
    }
    free(script);
}

static void test_op_count(void **state)
{
    char *keys;

    (void)state;
    expect(eval_repeat("NOP", 201, "1"), ERR(OK));
    expect(eval_repeat("NOP", 202, "1"), ERR(OP_COUNT));
    /* What does not run counts too; pushes do not. */
    expect(eval_repeat("NOP", 198, "0 IF NOP ENDIF 1"), ERR(OK));
    expect(eval_repeat("NOP", 199, "0 IF NOP ENDIF 1"), ERR(OP_COUNT));
    expect(eval_repeat("1", 500, "0x50"), ERR(BAD_OPCODE));
    expect(eval_repeat("1", 500, "1"), ERR(OK));
    /* Keys of a CHECKMULTISIG count as operations. */
    keys = repeat("0", 2 + 20, "20 CHECKMULTISIG");
    for (size_t nops = 180; nops <= 181; nops++) {
        char *text = repeat("NOP", nops, keys);

        expect(eval("", text, 0), nops == 180 ? ERR(OK) : ERR(OP_COUNT));
        free(text);
    }
    free(keys);
    /* More keys announced than the stack holds. */
    expect(eval_repeat("0", 20, "20 CHECKMULTISIG"),
           ERR(INVALID_STACK_OPERATION));
}

static void test_push_size(void **state)
{
    for (size_t len = CC_MAX_SCRIPT_ELEMENT_SIZE;
         len <= CC_MAX_SCRIPT_ELEMENT_SIZE + 1; len++) {
        enum cc_script_error want =
            len > CC_MAX_SCRIPT_ELEMENT_SIZE ? ERR(PUSH_SIZE) : ERR(OK);
        char head[64], *text;

        (void)state;
        snprintf(head, sizeof(head), "0x4d 0x%02x%02x 0x", (unsigned)len & 255,
                 (unsigned)len >> 8);
        text = calloc(1, 3 * len + 100);
        strcpy(text, head);
        for (size_t i = 0; i < len; i++)
            strcat(text, "11");
        expect(eval("", text, 0), want);
        /* Where it does not run, too. */
        memmove(text + 5, text, strlen(text) + 1);
        memcpy(text, "0 IF ", 5);
        strcat(text, " ENDIF 1");
        expect(eval("", text, 0), want);
        free(text);
    }
}

static void test_stack_size(void **state)
{
    (void)state;
    expect(eval_repeat("1", 1000, ""), ERR(OK));
    expect(eval_repeat("1", 1001, ""), ERR(STACK_SIZE));
    /* Both stacks count together. */
    expect(eval_repeat("1", 1000, "TOALTSTACK TOALTSTACK"), ERR(OK));
    expect(eval_repeat("1", 999, "TOALTSTACK TOALTSTACK 1 1"), ERR(STACK_SIZE));
    expect(eval_repeat("1", 998, "3DUP"), ERR(STACK_SIZE));
    expect(eval_repeat("1", 997, "3DUP"), ERR(OK));
    /* Deep moves keep the order. */
    expect(eval_repeat("5", 998, "7 998 ROLL 5 EQUALVERIFY 7 EQUAL"), ERR(OK));
    expect(eval("7", "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 18 PICK 7 EQUAL", 0),
           ERR(OK));
}

static void test_results_in_place(void **state)
{
    (void)state;
    /* Copies of a result do not share it. */
    expect(eval("1 2 ADD DUP 1ADD", "4 EQUALVERIFY 3 EQUAL", 0), ERR(OK));
    expect(eval("'a' SHA256 DUP SHA256 SWAP SHA256", "EQUAL", 0), ERR(OK));
    expect(eval("1 2 3 4 5 6", "2ROT 2 EQUALVERIFY 1 EQUALVERIFY 6 EQUAL", 0),
           ERR(OK));
    expect(eval("1 2 3 4", "2OVER 2 EQUALVERIFY 1 EQUALVERIFY 4 EQUAL", 0),
           ERR(OK));
    expect(eval("1 2 3 4", "2SWAP 2 EQUALVERIFY 1 EQUALVERIFY 4 EQUAL", 0),
           ERR(OK));
    expect(eval("1 2", "TUCK 2 EQUALVERIFY 1 EQUALVERIFY 2 EQUAL", 0), ERR(OK));
    expect(eval("1 2 3", "ROT 1 EQUALVERIFY 3 EQUALVERIFY 2 EQUAL", 0),
           ERR(OK));
    expect(eval("1 1 1 1", "WITHIN DEPTH 2 EQUAL", 0), ERR(OK));
    expect(eval("1 2", "NUMEQUALVERIFY 1", 0), ERR(NUMEQUALVERIFY));
    expect(eval("1 2 2", "NUMEQUALVERIFY DEPTH 1 EQUAL", 0), ERR(OK));
    expect(eval("", "1 1 TOALTSTACK FROMALTSTACK FROMALTSTACK", 0),
           ERR(INVALID_ALTSTACK_OPERATION));
    /* The two stacks of scriptSig and script are not one. */
    expect(eval("1 1 TOALTSTACK", "FROMALTSTACK", 0),
           ERR(INVALID_ALTSTACK_OPERATION));
    /* A redeem script that is itself a result of one byte: OP_1 as 0x51 in
     * place. HASH160 of it is taken from the stack. */
    expect(eval("0x01 0x51",
                "HASH160 0x14 "
                "0xda1745e9b549bd0bfa1a569971c77eba30cd5a4b "
                "EQUAL",
                CC_VERIFY_P2SH),
           ERR(OK));
    /* P2SH keeps a stack of any size: 20 ones, then DEPTH 20 EQUAL. */
    expect(eval("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 0x04 0x74011487",
                "HASH160 0x14 0xf5c088f0e1e30488db155035d438f8f33649b92f EQUAL",
                CC_VERIFY_P2SH),
           ERR(OK));
    /* Pushed by number: OP_5 is the script 05, a push cut short. */
    {
        uint8_t h[20], five = 5, script[23] = {CC_OP_HASH160, 20};
        const uint8_t sig = CC_OP_5;
        struct pair p;

        cc_hash160(h, &five, 1);
        memcpy(script + 2, h, 20);
        script[22] = CC_OP_EQUAL;
        pair_init(&p, cc_bytes(&sig, 1), cc_bytes(script, 23), NULL, 0, 0);
        expect(pair_verify(&p, CC_VERIFY_P2SH), ERR(BAD_OPCODE));
        expect(pair_verify(&p, 0), ERR(OK));
    }
}

/* --- Conditionals ------------------------------------------------------ */

static void test_conditionals(void **state)
{
    char *text;

    (void)state;
    expect(eval("0", "IF 0 IF ELSE 0 ENDIF ELSE 1 ENDIF", 0), ERR(OK));
    expect(eval("1", "IF 0 IF 0 ELSE 1 ENDIF ELSE 0 ENDIF", 0), ERR(OK));
    expect(eval("0", "IF 1 IF 0 ELSE 0 ENDIF 0 ENDIF 1", 0), ERR(OK));
    expect(eval("1", "IF 1 ELSE 0 ELSE 2 EQUAL ENDIF", 0), ERR(EVAL_FALSE));
    expect(eval("0", "NOTIF 1 ELSE 0 ENDIF", 0), ERR(OK));
    expect(eval("", "1 IF", 0), ERR(UNBALANCED_CONDITIONAL));
    /* Not across the two scripts. */
    expect(eval("1 IF", "1 ENDIF", 0), ERR(UNBALANCED_CONDITIONAL));
    text = repeat("1 IF", 100, "1 0 IF 1 IF ELSE ENDIF 0 ENDIF");
    expect(eval("", text, 0), ERR(UNBALANCED_CONDITIONAL));
    free(text);
}

/* --- BIP 65, BIP 112 --------------------------------------------------- */

static enum cc_script_error eval_lock(const char *script, int32_t version,
                                      uint32_t locktime, uint32_t sequence)
{
    struct cc_writer w;
    enum cc_script_error e;
    struct pair p;

    cc_writer_init_heap(&w);
    script_parse(&w, script);
    pair_init(&p, cc_bytes(NULL, 0), written(&w), NULL, 0, 0);
    p.tx.version = version;
    p.tx.locktime = locktime;
    p.in.sequence = sequence;
    pair_update(&p);
    e = pair_verify(&p, CC_VERIFY_CHECKLOCKTIMEVERIFY |
                            CC_VERIFY_CHECKSEQUENCEVERIFY);
    cc_writer_clear(&w);
    return e;
}

static void test_locks(void **state)
{
    const char *cltv = "499999999 CHECKLOCKTIMEVERIFY";
    const char *csv = "4194305 CHECKSEQUENCEVERIFY"; /* one unit of time */

    (void)state;
    expect(eval_lock(cltv, 1, 499999999, 0), ERR(OK));
    expect(eval_lock(cltv, 1, 499999998, 0), ERR(UNSATISFIED_LOCKTIME));
    expect(eval_lock(cltv, 1, 500000000, 0), ERR(UNSATISFIED_LOCKTIME));
    expect(eval_lock(cltv, 1, 499999999, CC_SEQUENCE_FINAL),
           ERR(UNSATISFIED_LOCKTIME));
    expect(eval_lock("500000000 CHECKLOCKTIMEVERIFY", 1, 500000000, 0),
           ERR(OK));
    expect(eval_lock("500000000 CHECKLOCKTIMEVERIFY", 1, 499999999, 0),
           ERR(UNSATISFIED_LOCKTIME));
    expect(eval_lock("-1 CHECKLOCKTIMEVERIFY", 1, 0, 0),
           ERR(NEGATIVE_LOCKTIME));
    /* Five bytes are a number here, six are not. */
    expect(eval_lock("4294967295 CHECKLOCKTIMEVERIFY", 1, UINT32_MAX, 0),
           ERR(OK));
    expect(eval_lock("0x06 0x000000000001 CHECKLOCKTIMEVERIFY", 1, 0, 0),
           ERR(UNKNOWN_ERROR));

    expect(eval_lock("CHECKLOCKTIMEVERIFY", 1, 0, 0),
           ERR(INVALID_STACK_OPERATION));
    expect(eval_lock("CHECKSEQUENCEVERIFY", 2, 0, 0),
           ERR(INVALID_STACK_OPERATION));

    expect(eval_lock(csv, 2, 0, 0x00400001), ERR(OK));
    expect(eval_lock(csv, 2, 0, 0x00400000), ERR(UNSATISFIED_LOCKTIME));
    expect(eval_lock(csv, 2, 0, 0x00000001), ERR(UNSATISFIED_LOCKTIME));
    expect(eval_lock(csv, 1, 0, 0x00400001), ERR(UNSATISFIED_LOCKTIME));
    expect(eval_lock(csv, -1, 0, 0x00400001), ERR(OK)); /* unsigned */
    expect(eval_lock(csv, 2, 0, 0x80400001), ERR(UNSATISFIED_LOCKTIME));
    /* Bits outside the mask mean nothing. */
    expect(eval_lock(csv, 2, 0, 0x7fc00001), ERR(OK));
    expect(eval_lock("1 CHECKSEQUENCEVERIFY", 2, 0, 0x00010001), ERR(OK));
    expect(eval_lock("1 CHECKSEQUENCEVERIFY", 2, 0, 0x00010000),
           ERR(UNSATISFIED_LOCKTIME));
    expect(eval_lock("65537 CHECKSEQUENCEVERIFY", 2, 0, 1), ERR(OK));
    /* The operand's own bit 31 switches the rule off. */
    expect(eval_lock("2147483649 CHECKSEQUENCEVERIFY", 1, 0, 0), ERR(OK));
    expect(eval_lock("-1 CHECKSEQUENCEVERIFY", 2, 0, 0),
           ERR(NEGATIVE_LOCKTIME));
}

/* --- ECDSA ------------------------------------------------------------- */

/* DER and hash type; secret signs. */
static struct cc_bytes ecdsa(const struct cc_ec *ec, uint8_t buf[80],
                             const uint8_t hash[32], uint8_t type)
{
    size_t len = 80;

    assert_true(cc_ecdsa_sign(ec, buf, &len, secret, hash));
    buf[len] = type;
    return cc_bytes(buf, len + 1);
}

/* <key> CHECKSIGVERIFY [CODESEPARATOR] <key> CHECKSIG: the same code and type
 * hash alike, another code does not, in all versions before tapscript. */
static void check_code(const struct cc_ec *ec, bool witness, bool separator)
{
    uint8_t key[33], a[80], b[80], h[32], program[34] = {0, 32}, sep;
    struct cc_bytes items[3], code, code2, sigs[2];
    struct cc_writer script, script_sig;
    struct pair p;

    sep = separator ? CC_OP_CODESEPARATOR : CC_OP_NOP;
    cc_writer_init_heap(&script);
    cc_writer_init_heap(&script_sig);
    cc_ec_pubkey(ec, key, secret);
    cc_script_push_plain(&script, key, 33);
    cc_write_u8(&script, CC_OP_CHECKSIGVERIFY);
    cc_write_u8(&script, sep);
    cc_script_push_plain(&script, key, 33);
    cc_write_u8(&script, CC_OP_CHECKSIG);
    code = written(&script);
    code2 = separator ? cc_bytes(code.data + 36, code.len - 36) : code;

    if (witness) {
        cc_sha256_once(program + 2, code.data, code.len);
        pair_init(&p, cc_bytes(NULL, 0), cc_bytes(program, 34), items, 3, 9);
    } else {
        pair_init(&p, cc_bytes(NULL, 0), code, NULL, 0, 9);
    }
    for (int i = 0; i < 2; i++) {
        if (witness)
            cc_sighash_v0(h, &p.sighash, 0, i ? code2 : code, 1, 9);
        else
            cc_sighash_legacy(h, &p.tx, 0, i ? code2 : code, 1);
        sigs[i] = ecdsa(ec, i ? b : a, h, 1);
    }
    items[0] = sigs[1];
    items[1] = sigs[0];
    items[2] = code;
    cc_script_push_plain(&script_sig, items[0].data, items[0].len);
    cc_script_push_plain(&script_sig, items[1].data, items[1].len);
    if (!witness)
        p.in.script_sig = written(&script_sig);
    expect(pair_verify(&p, BOTH), ERR(OK));
    if (!witness)
        expect(pair_verify(&p, BOTH | CC_VERIFY_CONST_SCRIPTCODE),
               separator ? ERR(OP_CODESEPARATOR) : ERR(OK));

    /* The other code's signature does not do. */
    if (separator) {
        items[0] = sigs[0];
        script_sig.len = 0;
        cc_script_push_plain(&script_sig, items[0].data, items[0].len);
        cc_script_push_plain(&script_sig, items[1].data, items[1].len);
        if (!witness)
            p.in.script_sig = written(&script_sig);
        expect(pair_verify(&p, BOTH), ERR(EVAL_FALSE));
        expect(pair_verify(&p, BOTH | CC_VERIFY_NULLFAIL), ERR(NULLFAIL));
    }
    cc_writer_clear(&script);
    cc_writer_clear(&script_sig);
}

static void test_code(void **state)
{
    for (int witness = 0; witness < 2; witness++)
        for (int separator = 0; separator < 2; separator++)
            check_code(*state, witness, separator);
}

/* More types than the interpreter keeps hashes of, each twice. */
static void test_many_types(void **state)
{
    static const uint8_t types[] = {0x01, 0x02, 0x03, 0x81, 0x82, 0x83,
                                    0x00, 0x04, 0x41, 0x01, 0x02, 0x03};
    const size_t n = sizeof(types);
    uint8_t key[33], sig[80], h[32];
    struct cc_writer script, script_sig;
    struct cc_bytes s;
    struct pair p;

    cc_writer_init_heap(&script);
    cc_writer_init_heap(&script_sig);
    cc_ec_pubkey(*state, key, secret);
    cc_script_push_int(&script, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        cc_script_push_plain(&script, key, 33);
    cc_script_push_int(&script, (int64_t)n);
    cc_write_u8(&script, CC_OP_CHECKMULTISIG);
    pair_init(&p, cc_bytes(NULL, 0), written(&script), NULL, 0, 0);
    cc_write_u8(&script_sig, CC_OP_0);
    for (size_t i = 0; i < n; i++) {
        cc_sighash_legacy(h, &p.tx, 0, written(&script), types[i]);
        s = ecdsa(*state, sig, h, types[i]);
        cc_script_push_plain(&script_sig, s.data, s.len);
    }
    p.in.script_sig = written(&script_sig);
    expect(pair_verify(&p, CC_VERIFY_DERSIG | CC_VERIFY_LOW_S), ERR(OK));
    expect(pair_verify(&p, CC_VERIFY_STRICTENC), ERR(SIG_HASHTYPE));
    script_sig.data[script_sig.len - 5] ^= 1;
    expect(pair_verify(&p, 0), ERR(EVAL_FALSE));
    script_sig.data[script_sig.len - 5] ^= 1;
    p.out.value++;
    expect(pair_verify(&p, 0), ERR(EVAL_FALSE));
    cc_writer_clear(&script);
    cc_writer_clear(&script_sig);
}

/* <other> <key> CHECKSIG DROP <sig> <key> CHECKSIG, all in the script: each
 * check signs the code without its own signature, so the two codes have one
 * length and differ. The hash of the first must not serve the second. */
static void test_cut_codes(void **state)
{
    uint8_t key[33], sig[80], other[80], h[32], hash[32];
    struct cc_writer code, script;
    struct cc_bytes s = {0};
    struct pair p;

    cc_ec_pubkey(*state, key, secret);
    cc_writer_init_heap(&code);
    cc_writer_init_heap(&script);
    memset(h, 1, sizeof(h));
    for (size_t len = 0; s.len != len || !len; h[0]++) {
        struct cc_bytes o = ecdsa(*state, other, h, 1);

        len = o.len;
        code.len = script.len = 0;
        cc_script_push_plain(&script, o.data, o.len);
        for (int i = 0; i < 2; i++) {
            struct cc_writer *w = i ? &code : &script;

            if (i)
                cc_script_push_plain(w, o.data, o.len);
            cc_script_push_plain(w, key, 33);
            cc_write_u8(w, CC_OP_CHECKSIG);
            cc_write_u8(w, CC_OP_DROP);
        }
        cc_script_push_plain(&code, key, 33);
        cc_write_u8(&code, CC_OP_CHECKSIG);
        pair_init(&p, cc_bytes(NULL, 0), cc_bytes(NULL, 0), NULL, 0, 0);
        cc_sighash_legacy(hash, &p.tx, 0, written(&code), 1);
        s = ecdsa(*state, sig, hash, 1);
    }
    cc_script_push_plain(&script, s.data, s.len);
    cc_script_push_plain(&script, key, 33);
    cc_write_u8(&script, CC_OP_CHECKSIG);
    p.coin.out.script = written(&script);
    pair_update(&p);
    expect(pair_verify(&p, 0), ERR(OK));
    expect(pair_verify(&p, CC_VERIFY_CONST_SCRIPTCODE), ERR(SIG_FINDANDDELETE));
    cc_writer_clear(&code);
    cc_writer_clear(&script);
}

/* --- Witness v0 -------------------------------------------------------- */

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
    expect(eval_v0(cc_bytes(script, 2), &item, 1, BOTH), ERR(OK));
    item.len++;
    expect(eval_v0(cc_bytes(script, 2), &item, 1, BOTH), ERR(PUSH_SIZE));
    /* Too many elements, unless the first operation brings them down. */
    for (size_t i = 0; i < 5000; i++)
        items[i] = cc_bytes(&one, 0);
    items[0] = cc_bytes(&one, 1);
    expect(eval_v0(cc_bytes(dup, 1), items, 1001, BOTH), ERR(CLEANSTACK));
    expect(eval_v0(cc_bytes(dup, 1), items, 1002, BOTH), ERR(STACK_SIZE));
    expect(eval_v0(cc_bytes(dup, 1), items, 5000, BOTH), ERR(STACK_SIZE));
    /* CHECKMULTISIG with 20 signatures and 20 keys takes 43, gives one. */
    {
        const uint8_t code[] = {CC_OP_CHECKMULTISIG};
        const uint8_t twenty = 20;

        n = 1000 - 1 + 43;
        for (size_t i = 1; i < n; i++)
            items[i] = cc_bytes(&one, 0);
        items[n - 1] = items[n - 22] = cc_bytes(&twenty, 1);
        expect(eval_v0(cc_bytes(code, 1), items, n, BOTH), ERR(CLEANSTACK));
        memmove(items + 1, items, n * sizeof(*items));
        expect(eval_v0(cc_bytes(code, 1), items, n + 1, BOTH), ERR(STACK_SIZE));
    }
    free(items);
    /* Size of the script. */
    memset(big, CC_OP_1, sizeof(big));
    expect(eval_v0(cc_bytes(big, CC_MAX_SCRIPT_SIZE), NULL, 0, BOTH),
           ERR(STACK_SIZE));
    expect(eval_v0(cc_bytes(big, CC_MAX_SCRIPT_SIZE + 1), NULL, 0, BOTH),
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
    expect(eval_v0(cc_bytes(yes, 5), &item, 1, BOTH), ERR(OK));
    expect(eval_v0(cc_bytes(yes, 5), &item, 1, BOTH | CC_VERIFY_MINIMALIF),
           ERR(MINIMALIF));
    item = cc_bytes(&zero, 1);
    expect(eval_v0(cc_bytes(yes, 5), &item, 1, BOTH | CC_VERIFY_MINIMALIF),
           ERR(MINIMALIF));
    item = cc_bytes(&zero, 0);
    expect(eval_v0(cc_bytes(yes, 5), &item, 1, BOTH | CC_VERIFY_MINIMALIF),
           ERR(OK));
    item = cc_bytes(&one, 1);
    expect(eval_v0(cc_bytes(yes, 5), &item, 1, BOTH | CC_VERIFY_MINIMALIF),
           ERR(OK));
    three[0] = three[1] = three[2] = item;
    expect(eval_v0(cc_bytes(add, 1), three, 3, BOTH), ERR(BAD_OPCODE));
    expect(eval_v0(cc_bytes(nothing, 2), &item, 1, BOTH), ERR(EVAL_FALSE));
    expect(eval_v0(cc_bytes(yes, 5), three, 2, BOTH), ERR(CLEANSTACK));
    expect(eval_v0(cc_bytes(nothing, 1), &item, 1, BOTH), ERR(CLEANSTACK));
}

/* Programs by version and length. */
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
            expect(pair_verify(&p, BOTH),
                   version ? ERR(OK) : ERR(WITNESS_PROGRAM_WRONG_LENGTH));
            expect(pair_verify(&p, TAP), !version
                                             ? ERR(WITNESS_PROGRAM_WRONG_LENGTH)
                                         : known ? ERR(SCHNORR_SIG_SIZE)
                                                 : ERR(OK));
            expect(pair_verify(&p, all),
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
    struct pair p;

    cc_ec_pubkey(*state, key, secret);
    cc_hash160(program + 2, key, 33);
    pair_init(&p, cc_bytes(NULL, 0), cc_bytes(program, 22), items, 2, 5);
    memcpy(code, "\x76\xa9\x14", 3);
    memcpy(code + 3, program + 2, 20);
    memcpy(code + 23, "\x88\xac", 2);
    cc_sighash_v0(h, &p.sighash, 0, cc_bytes(code, 25), 1, 5);
    items[0] = ecdsa(*state, sig, h, 1);
    items[1] = cc_bytes(key, 33);
    expect(pair_verify(&p, CC_VERIFY_STANDARD), ERR(OK));
    p.in.witness_count = 1;
    expect(pair_verify(&p, BOTH), ERR(WITNESS_PROGRAM_MISMATCH));
    items[2] = items[1];
    items[1] = items[0];
    p.in.witness_count = 3;
    expect(pair_verify(&p, BOTH), ERR(WITNESS_PROGRAM_MISMATCH));
    p.in.witness_count = 0;
    expect(pair_verify(&p, BOTH), ERR(WITNESS_PROGRAM_MISMATCH));
    items[1] = items[2];
    p.in.witness_count = 2;
    p.in.script_sig = cc_bytes("\x51", 1);
    expect(pair_verify(&p, BOTH), ERR(WITNESS_MALLEATED));
    /* The amount is signed. */
    p.in.script_sig.len = 0;
    p.coin.out.value++;
    expect(pair_verify(&p, BOTH), ERR(EVAL_FALSE));
}

/* --- Taproot ----------------------------------------------------------- */

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
        expect(tap_eval(&t, TAP),
               nodes <= 128 ? ERR(OK) : ERR(TAPROOT_WRONG_CONTROL_SIZE));
        t.items[1].len--;
        expect(tap_eval(&t, TAP), ERR(TAPROOT_WRONG_CONTROL_SIZE));
        t.items[1].len += 2;
        expect(tap_eval(&t, TAP), ERR(TAPROOT_WRONG_CONTROL_SIZE));
    }
    tap_control(&t, 0xc0, 3);
    for (size_t i = 0; i < 33 + 96; i++) { /* every byte of it counts */
        t.control[i] ^= i ? 0x10 : 0x01;
        expect(tap_eval(&t, TAP), ERR(WITNESS_PROGRAM_MISMATCH));
        t.control[i] ^= i ? 0x10 : 0x01;
    }
    expect(tap_eval(&t, TAP), ERR(OK));
    t.items[1].len = 0;
    expect(tap_eval(&t, TAP), ERR(TAPROOT_WRONG_CONTROL_SIZE));
    t.p.in.witness_count = 0;
    expect(tap_eval(&t, TAP), ERR(WITNESS_PROGRAM_WITNESS_EMPTY));
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
        expect(tap_eval(&t, TAP), v == 0xc0 ? ERR(OP_RETURN) : ERR(OK));
        expect(tap_eval(&t, policy),
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
    expect(pair_verify(&p, TAP), ERR(OK));
    expect(
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
        expect(tap_eval(&t, TAP), success ? ERR(OK) : ERR(BAD_OPCODE));
        expect(tap_eval(&t, TAP | CC_VERIFY_DISCOURAGE_OP_SUCCESS),
               success ? ERR(DISCOURAGE_OP_SUCCESS) : ERR(BAD_OPCODE));
    }
    /* Behind the cut push it is no operation. */
    script[0] = 0x4c;
    script[1] = 0x05;
    script[2] = 0x50;
    tap_control(&t, 0xc0, 0);
    expect(tap_eval(&t, TAP), ERR(BAD_OPCODE));
    /* It comes before every limit of the stack. */
    script[0] = 0x50;
    tap_empty_items(&t, 1050);
    expect(tap_eval(&t, TAP), ERR(OK));
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
    expect(tap_eval(&t, TAP), ERR(OK));
    script[0] = CC_OP_2DROP;
    t.script.len = 1;
    tap_empty_items(&t, 1000);
    expect(tap_eval(&t, TAP), ERR(CLEANSTACK));
    tap_empty_items(&t, 1001); /* although 2DROP would bring it down */
    expect(tap_eval(&t, TAP), ERR(STACK_SIZE));
    script[0] = CC_OP_DUP;
    tap_empty_items(&t, 1000);
    expect(tap_eval(&t, TAP), ERR(STACK_SIZE));

    script[0] = CC_OP_NOP;
    tap_empty_items(&t, 1);
    t.items[0] = cc_bytes(big, 520);
    expect(tap_eval(&t, TAP), ERR(OK));
    t.items[0].len = 521;
    expect(tap_eval(&t, TAP), ERR(PUSH_SIZE));
    tap_clear(&t);
}

static void test_tapscript_rules(void **state)
{
    static const uint8_t two = 2, one = 1;
    uint8_t script[8] = {CC_OP_IF, CC_OP_1, CC_OP_ELSE, CC_OP_1, CC_OP_ENDIF};
    struct tap t;

    tap_init(&t, *state, cc_bytes(script, 5));
    tap_empty_items(&t, 1);
    expect(tap_eval(&t, TAP), ERR(OK));
    t.items[0] = cc_bytes(&one, 1);
    expect(tap_eval(&t, TAP), ERR(OK));
    t.items[0] = cc_bytes(&two, 1);
    expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_MINIMALIF));
    t.items[0] = cc_bytes("\0", 1);
    expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_MINIMALIF));
    t.items[0] = cc_bytes("\1\0", 2);
    expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_MINIMALIF));

    script[0] = CC_OP_CHECKMULTISIG;
    t.script.len = 1;
    tap_empty_items(&t, 0);
    expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_CHECKMULTISIG));
    script[0] = CC_OP_CHECKMULTISIGVERIFY;
    tap_empty_items(&t, 0);
    expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_CHECKMULTISIG));

    /* CHECKSIGADD: sig n key; n has at most four bytes. */
    script[0] = CC_OP_CHECKSIGADD;
    tap_empty_items(&t, 2);
    expect(tap_eval(&t, TAP), ERR(INVALID_STACK_OPERATION));
    tap_empty_items(&t, 3);
    expect(tap_eval(&t, TAP), ERR(PUBKEYTYPE));
    t.items[2] = cc_bytes(&one, 1);
    t.items[1] = cc_bytes("\1\0\0\0\0", 5);
    expect(tap_eval(&t, TAP), ERR(UNKNOWN_ERROR));
    t.items[1] = cc_bytes(&two, 1);
    expect(tap_eval(&t, TAP), ERR(OK)); /* empty signature: 2 + 0 */
    t.items[1].len = 0;
    expect(tap_eval(&t, TAP), ERR(EVAL_FALSE)); /* 0 + 0 */
    t.items[0] = cc_bytes(&one, 1);
    expect(tap_eval(&t, TAP), ERR(OK)); /* unknown key type: 0 + 1 */
    expect(tap_eval(&t, TAP | CC_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE),
           ERR(DISCOURAGE_UPGRADABLE_PUBKEYTYPE));
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
        expect(tap_eval(&t, TAP), ERR(OK));
        t.items[0].len--;
        expect(tap_eval(&t, TAP), ERR(TAPSCRIPT_VALIDATION_WEIGHT));
    }
    /* Empty signatures cost nothing. */
    script[0] = script[3] = script[6] = CC_OP_0;
    script[2] = script[5] = script[8] = CC_OP_CHECKSIG;
    t.script.len = 9;
    tap_empty_items(&t, 0);
    expect(tap_eval(&t, TAP), ERR(CLEANSTACK));
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
    expect(pair_verify(&p, CC_VERIFY_STANDARD), ERR(OK));
    items[0].len = 63;
    expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_SIZE));
    items[0].len = 66;
    expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_SIZE));
    items[0].len = 65;
    sig[64] = 0; /* the default may not be written out */
    expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_HASHTYPE));
    sig[64] = 4;
    expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_HASHTYPE));
    sig[64] = 1; /* ALL signs another message than DEFAULT */
    expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG));
    assert_true(cc_sighash_v1(h, &p.sighash, 0, 1, &ctx));
    assert_true(cc_schnorr_sign(*state, sig, secret, h, 32, NULL));
    expect(pair_verify(&p, TAP), ERR(OK));

    /* An annex is signed; a lone item is never one. */
    items[0] = cc_bytes(sig, 65);
    items[1] = cc_bytes("\x50\x01", 2);
    p.in.witness_count = 2;
    expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG));
    {
        uint8_t annex[3] = {2, 0x50, 1}, annex_hash[32];

        cc_sha256_once(annex_hash, annex, 3);
        ctx.annex_hash = annex_hash;
        assert_true(cc_sighash_v1(h, &p.sighash, 0, 1, &ctx));
        assert_true(cc_schnorr_sign(*state, sig, secret, h, 32, NULL));
        expect(pair_verify(&p, TAP), ERR(OK));
    }
    items[1] = cc_bytes("\x50\x02", 2);
    expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG));
    items[1] = cc_bytes("\x50", 0); /* an empty one is none */
    expect(pair_verify(&p, TAP), ERR(TAPROOT_WRONG_CONTROL_SIZE));
    items[0] = cc_bytes("\x50\x01", 2);
    p.in.witness_count = 1;
    expect(pair_verify(&p, TAP), ERR(SCHNORR_SIG_SIZE));
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
            expect(tap_eval(&t, TAP),
                   ctx.codesep_pos == pos ? ERR(OK) : ERR(SCHNORR_SIG));
        }
    }
    tap_clear(&t);
}

/* --- P2SH and whole inputs --------------------------------------------- */

static void test_whole(void **state)
{
    static const uint8_t nothing[1];
    struct cc_bytes item = cc_bytes(nothing, 0);
    const uint8_t one = CC_OP_1;
    struct pair p;

    (void)state;
    expect(eval("NOP 1", "1", CC_VERIFY_SIGPUSHONLY), ERR(SIG_PUSHONLY));
    expect(eval("1", "1", BOTH | CC_VERIFY_CLEANSTACK), ERR(CLEANSTACK));
    expect(eval("", "", 0), ERR(EVAL_FALSE));
    pair_init(&p, cc_bytes(NULL, 0), cc_bytes(&one, 1), &item, 1, 0);
    expect(pair_verify(&p, CC_VERIFY_P2SH), ERR(OK));
    expect(pair_verify(&p, BOTH), ERR(WITNESS_UNEXPECTED));
    /* The verdict needs no room for a reason. */
    assert_true(cc_script_verify(&p.sighash, 0, cc_bytes(&one, 1), 0, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script_size),
        cmocka_unit_test(test_op_count),
        cmocka_unit_test(test_push_size),
        cmocka_unit_test(test_stack_size),
        cmocka_unit_test(test_results_in_place),
        cmocka_unit_test(test_conditionals),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_many_types),
        cmocka_unit_test(test_cut_codes),
        cmocka_unit_test(test_v0_limits),
        cmocka_unit_test(test_v0_rules),
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_p2wpkh_shape),
        cmocka_unit_test(test_control_size),
        cmocka_unit_test(test_leaf_versions),
        cmocka_unit_test(test_p2sh_taproot),
        cmocka_unit_test(test_op_success),
        cmocka_unit_test(test_tapscript_limits),
        cmocka_unit_test(test_tapscript_rules),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_schnorr_form),
        cmocka_unit_test(test_codeseparator),
        cmocka_unit_test(test_whole),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
