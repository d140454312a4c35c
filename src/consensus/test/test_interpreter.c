/* Rules of Script before taproot, at their edges: limits, policy, signatures.
 * What the published vectors pin is not repeated here. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "script_text.h"

#define BOTH (CC_VERIFY_P2SH | CC_VERIFY_WITNESS)

static const uint8_t secret[32] = {[31] = 7};

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
        script_expect(pair_verify(&p, 0),
                      len > CC_MAX_SCRIPT_SIZE ? ERR(SCRIPT_SIZE) : ERR(OK));
    }
    free(script);
}

static void test_op_count(void **state)
{
    char *keys;

    (void)state;
    script_expect(eval_repeat("NOP", 201, "1"), ERR(OK));
    script_expect(eval_repeat("NOP", 202, "1"), ERR(OP_COUNT));
    /* What does not run counts too; pushes do not. */
    script_expect(eval_repeat("NOP", 198, "0 IF NOP ENDIF 1"), ERR(OK));
    script_expect(eval_repeat("NOP", 199, "0 IF NOP ENDIF 1"), ERR(OP_COUNT));
    script_expect(eval_repeat("1", 500, "0x50"), ERR(BAD_OPCODE));
    script_expect(eval_repeat("1", 500, "1"), ERR(OK));
    script_expect(eval_repeat("16", 500, "1"), ERR(OK)); /* the last of them */
    /* Keys of a CHECKMULTISIG count as operations. */
    keys = repeat("0", 2 + 20, "20 CHECKMULTISIG");
    for (size_t nops = 180; nops <= 181; nops++) {
        char *text = repeat("NOP", nops, keys);

        script_expect(eval("", text, 0), nops == 180 ? ERR(OK) : ERR(OP_COUNT));
        free(text);
    }
    free(keys);
    /* More keys announced than the stack holds. */
    script_expect(eval_repeat("0", 20, "20 CHECKMULTISIG"),
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
        script_expect(eval("", text, 0), want);
        /* Where it does not run, too. */
        memmove(text + 5, text, strlen(text) + 1);
        memcpy(text, "0 IF ", 5);
        strcat(text, " ENDIF 1");
        script_expect(eval("", text, 0), want);
        free(text);
    }
}

/* A push cut short, within its length or its data, ends the script. */
static void test_cut_push(void **state)
{
    static const char *const cuts[] = {
        "0x4c",
        "0x4d",
        "0x4d 0x01",
        "0x4e",
        "0x4e 0x010000",
        "0x02 0x01",
        "0x4c 0x02 0x01",
        "0x4d 0x0200 0x01",
        "0x4e 0x02000000 0x01",
        "0x4d 0x0101 0x01", /* every byte of a length counts */
        "0x4e 0x01010000 0x01",
        "0x4e 0x01000100 0x01",
        "0x4e 0x01000001 0x01",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
        script_expect(eval("1", cuts[i], 0), ERR(BAD_OPCODE));
    script_expect(eval("", "0x4c 0x01 0x01", 0), ERR(OK));
    script_expect(eval("", "0x4d 0x0100 0x01", 0), ERR(OK));
    script_expect(eval("", "0x4e 0x01000000 0x01", 0), ERR(OK));
}

static void test_stack_size(void **state)
{
    (void)state;
    script_expect(eval_repeat("1", 1000, ""), ERR(OK));
    script_expect(eval_repeat("1", 1001, ""), ERR(STACK_SIZE));
    /* Both stacks count together. */
    script_expect(eval_repeat("1", 1000, "TOALTSTACK TOALTSTACK"), ERR(OK));
    script_expect(eval_repeat("1", 999, "TOALTSTACK TOALTSTACK 1 1"),
                  ERR(STACK_SIZE));
    script_expect(eval_repeat("1", 998, "3DUP"), ERR(STACK_SIZE));
    script_expect(eval_repeat("1", 997, "3DUP"), ERR(OK));
    /* Deep moves keep the order. */
    script_expect(eval_repeat("5", 998, "7 998 ROLL 5 EQUALVERIFY 7 EQUAL"),
                  ERR(OK));
    script_expect(
        eval("7", "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 18 PICK 7 EQUAL", 0),
        ERR(OK));
}

/* What an operation takes from the stack must be there: by how much, each. */
static void test_too_few(void **state)
{
    static const char *const words[] = {
        "VERIFY TOALTSTACK IFDUP DROP DUP SIZE 1ADD 1SUB NEGATE ABS NOT "
        "0NOTEQUAL RIPEMD160 SHA1 SHA256 HASH160 HASH256 CHECKMULTISIG "
        "CHECKMULTISIGVERIFY CHECKLOCKTIMEVERIFY CHECKSEQUENCEVERIFY",
        "2DROP 2DUP NIP OVER PICK ROLL SWAP TUCK EQUAL EQUALVERIFY ADD SUB "
        "BOOLAND BOOLOR NUMEQUAL NUMEQUALVERIFY NUMNOTEQUAL LESSTHAN "
        "GREATERTHAN LESSTHANOREQUAL GREATERTHANOREQUAL MIN MAX CHECKSIG "
        "CHECKSIGVERIFY",
        "3DUP ROT WITHIN",
        "2OVER 2SWAP",
        "",
        "2ROT"};
    const uint32_t locks =
        CC_VERIFY_CHECKLOCKTIMEVERIFY | CC_VERIFY_CHECKSEQUENCEVERIFY;
    char list[400], *rest, *word;

    (void)state;
    for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
        strcpy(list, words[n]);
        for (word = strtok_r(list, " ", &rest); word;
             word = strtok_r(NULL, " ", &rest)) {
            char *few = repeat("1", n, word);

            script_expect(eval("", few, locks), ERR(INVALID_STACK_OPERATION));
            free(few);
        }
    }
}

static void test_results_in_place(void **state)
{
    (void)state;
    /* Copies of a result do not share it. */
    script_expect(eval("1 2 ADD DUP 1ADD", "4 EQUALVERIFY 3 EQUAL", 0),
                  ERR(OK));
    script_expect(eval("'a' SHA256 DUP SHA256 SWAP SHA256", "EQUAL", 0),
                  ERR(OK));
    script_expect(
        eval("1 2 3 4 5 6", "2ROT 2 EQUALVERIFY 1 EQUALVERIFY 6 EQUAL", 0),
        ERR(OK));
    script_expect(
        eval("1 2 3 4", "2OVER 2 EQUALVERIFY 1 EQUALVERIFY 4 EQUAL", 0),
        ERR(OK));
    script_expect(
        eval("1 2 3 4", "2SWAP 2 EQUALVERIFY 1 EQUALVERIFY 4 EQUAL", 0),
        ERR(OK));
    script_expect(eval("1 2", "TUCK 2 EQUALVERIFY 1 EQUALVERIFY 2 EQUAL", 0),
                  ERR(OK));
    script_expect(eval("1 2 3", "ROT 1 EQUALVERIFY 3 EQUALVERIFY 2 EQUAL", 0),
                  ERR(OK));
    script_expect(eval("1 1 1 1", "WITHIN DEPTH 2 EQUAL", 0), ERR(OK));
    script_expect(eval("1 2", "NUMEQUALVERIFY 1", 0), ERR(NUMEQUALVERIFY));
    script_expect(eval("1 2 2", "NUMEQUALVERIFY DEPTH 1 EQUAL", 0), ERR(OK));
    script_expect(eval("", "1 1 TOALTSTACK FROMALTSTACK FROMALTSTACK", 0),
                  ERR(INVALID_ALTSTACK_OPERATION));
    /* The two stacks of scriptSig and script are not one. */
    script_expect(eval("1 1 TOALTSTACK", "FROMALTSTACK", 0),
                  ERR(INVALID_ALTSTACK_OPERATION));
    /* A redeem script that is itself a result of one byte: OP_1 as 0x51 in
     * place. HASH160 of it is taken from the stack. */
    script_expect(eval("0x01 0x51",
                       "HASH160 0x14 "
                       "0xda1745e9b549bd0bfa1a569971c77eba30cd5a4b "
                       "EQUAL",
                       CC_VERIFY_P2SH),
                  ERR(OK));
    /* P2SH keeps a stack of any size: 20 ones, then DEPTH 20 EQUAL. */
    script_expect(
        eval("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 0x04 0x74011487",
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
        script_expect(pair_verify(&p, CC_VERIFY_P2SH), ERR(BAD_OPCODE));
        script_expect(pair_verify(&p, 0), ERR(OK));
    }
}

/* --- Conditionals ------------------------------------------------------ */

static void test_conditionals(void **state)
{
    char *text;

    (void)state;
    script_expect(eval("0", "IF 0 IF ELSE 0 ENDIF ELSE 1 ENDIF", 0), ERR(OK));
    script_expect(eval("1", "IF 0 IF 0 ELSE 1 ENDIF ELSE 0 ENDIF", 0), ERR(OK));
    script_expect(eval("0", "IF 1 IF 0 ELSE 0 ENDIF 0 ENDIF 1", 0), ERR(OK));
    script_expect(eval("1", "IF 1 ELSE 0 ELSE 2 EQUAL ENDIF", 0),
                  ERR(EVAL_FALSE));
    script_expect(eval("0", "NOTIF 1 ELSE 0 ENDIF", 0), ERR(OK));
    script_expect(eval("", "1 IF", 0), ERR(UNBALANCED_CONDITIONAL));
    /* Not across the two scripts. */
    script_expect(eval("1 IF", "1 ENDIF", 0), ERR(UNBALANCED_CONDITIONAL));
    text = repeat("1 IF", 100, "1 0 IF 1 IF ELSE ENDIF 0 ENDIF");
    script_expect(eval("", text, 0), ERR(UNBALANCED_CONDITIONAL));
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
    script_expect(eval_lock(cltv, 1, 499999999, 0), ERR(OK));
    script_expect(eval_lock(cltv, 1, 499999998, 0), ERR(UNSATISFIED_LOCKTIME));
    script_expect(eval_lock(cltv, 1, 500000000, 0), ERR(UNSATISFIED_LOCKTIME));
    script_expect(eval_lock(cltv, 1, 499999999, CC_SEQUENCE_FINAL),
                  ERR(UNSATISFIED_LOCKTIME));
    script_expect(eval_lock("500000000 CHECKLOCKTIMEVERIFY", 1, 500000000, 0),
                  ERR(OK));
    script_expect(eval_lock("500000000 CHECKLOCKTIMEVERIFY", 1, 499999999, 0),
                  ERR(UNSATISFIED_LOCKTIME));
    script_expect(eval_lock("-1 CHECKLOCKTIMEVERIFY", 1, 0, 0),
                  ERR(NEGATIVE_LOCKTIME));
    /* Five bytes are a number here, six are not. */
    script_expect(eval_lock("4294967295 CHECKLOCKTIMEVERIFY", 1, UINT32_MAX, 0),
                  ERR(OK));
    script_expect(eval_lock("0x06 0x000000000001 CHECKLOCKTIMEVERIFY", 1, 0, 0),
                  ERR(UNKNOWN_ERROR));

    script_expect(eval_lock("CHECKLOCKTIMEVERIFY", 1, 0, 0),
                  ERR(INVALID_STACK_OPERATION));
    script_expect(eval_lock("CHECKSEQUENCEVERIFY", 2, 0, 0),
                  ERR(INVALID_STACK_OPERATION));

    script_expect(eval_lock(csv, 2, 0, 0x00400001), ERR(OK));
    script_expect(eval_lock(csv, 2, 0, 0x00400000), ERR(UNSATISFIED_LOCKTIME));
    script_expect(eval_lock(csv, 2, 0, 0x00000001), ERR(UNSATISFIED_LOCKTIME));
    script_expect(eval_lock(csv, 1, 0, 0x00400001), ERR(UNSATISFIED_LOCKTIME));
    script_expect(eval_lock(csv, -1, 0, 0x00400001), ERR(OK)); /* unsigned */
    script_expect(eval_lock(csv, 2, 0, 0x80400001), ERR(UNSATISFIED_LOCKTIME));
    /* Bits outside the mask mean nothing. */
    script_expect(eval_lock(csv, 2, 0, 0x7fc00001), ERR(OK));
    script_expect(eval_lock("1 CHECKSEQUENCEVERIFY", 2, 0, 0x00010001),
                  ERR(OK));
    script_expect(eval_lock("1 CHECKSEQUENCEVERIFY", 2, 0, 0x00010000),
                  ERR(UNSATISFIED_LOCKTIME));
    script_expect(eval_lock("65537 CHECKSEQUENCEVERIFY", 2, 0, 1), ERR(OK));
    /* The operand's own bit 31 switches the rule off. */
    script_expect(eval_lock("2147483649 CHECKSEQUENCEVERIFY", 1, 0, 0),
                  ERR(OK));
    script_expect(eval_lock("-1 CHECKSEQUENCEVERIFY", 2, 0, 0),
                  ERR(NEGATIVE_LOCKTIME));
}

/* Counts and depths have four bytes at most, and need not be short. */
static void test_counts(void **state)
{
    (void)state;
    script_expect(eval("7 0x04 0x00000000", "PICK EQUAL", 0), ERR(OK));
    script_expect(eval("7 7 0x04 0x01000000", "ROLL EQUAL", 0), ERR(OK));
    script_expect(eval("7 0x05 0x0000000000", "PICK EQUAL", 0),
                  ERR(UNKNOWN_ERROR));
    script_expect(eval("0 0 0x04 0x00000000", "CHECKMULTISIG", 0), ERR(OK));
    script_expect(eval("0 0x04 0x00000000 0", "CHECKMULTISIG", 0), ERR(OK));
    script_expect(eval("0 0 0x05 0x0000000000", "CHECKMULTISIG", 0),
                  ERR(UNKNOWN_ERROR));
    script_expect(eval("0 0x05 0x0000000000 0", "CHECKMULTISIG", 0),
                  ERR(UNKNOWN_ERROR));
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
    script_expect(pair_verify(&p, BOTH), ERR(OK));
    if (!witness)
        script_expect(pair_verify(&p, BOTH | CC_VERIFY_CONST_SCRIPTCODE),
                      separator ? ERR(OP_CODESEPARATOR) : ERR(OK));

    /* The other code's signature does not do. */
    if (separator) {
        items[0] = sigs[0];
        script_sig.len = 0;
        cc_script_push_plain(&script_sig, items[0].data, items[0].len);
        cc_script_push_plain(&script_sig, items[1].data, items[1].len);
        if (!witness)
            p.in.script_sig = written(&script_sig);
        script_expect(pair_verify(&p, BOTH), ERR(EVAL_FALSE));
        script_expect(pair_verify(&p, BOTH | CC_VERIFY_NULLFAIL),
                      ERR(NULLFAIL));
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
    script_expect(pair_verify(&p, CC_VERIFY_DERSIG | CC_VERIFY_LOW_S), ERR(OK));
    script_expect(pair_verify(&p, CC_VERIFY_STRICTENC), ERR(SIG_HASHTYPE));
    script_sig.data[script_sig.len - 5] ^= 1;
    script_expect(pair_verify(&p, 0), ERR(EVAL_FALSE));
    script_sig.data[script_sig.len - 5] ^= 1;
    p.out.value++;
    script_expect(pair_verify(&p, 0), ERR(EVAL_FALSE));
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
    script_expect(pair_verify(&p, 0), ERR(OK));
    script_expect(pair_verify(&p, CC_VERIFY_CONST_SCRIPTCODE),
                  ERR(SIG_FINDANDDELETE));
    cc_writer_clear(&code);
    cc_writer_clear(&script);
}

/* The longest element there is, cut from the code as a signature. */
static void test_longest_cut(void **state)
{
    static const uint8_t element[CC_MAX_SCRIPT_ELEMENT_SIZE] = {1};
    struct cc_writer script;
    struct pair p;

    (void)state;
    cc_writer_init_heap(&script);
    cc_script_push_plain(&script, element, sizeof(element));
    script_parse(&script, "0 CHECKSIG NOT");
    pair_init(&p, cc_bytes(NULL, 0), written(&script), NULL, 0, 0);
    script_expect(pair_verify(&p, 0), ERR(OK));
    script_expect(pair_verify(&p, CC_VERIFY_CONST_SCRIPTCODE),
                  ERR(SIG_FINDANDDELETE));
    cc_writer_clear(&script);
}

/* An empty signature is none, whatever lies around it in memory: here a good
 * one and its type. */
static void test_empty_signature(void **state)
{
    uint8_t buf[81], key[33], h[32], code[36];
    struct cc_bytes items[2];
    struct cc_writer w;
    struct pair p;
    uint8_t program[34] = {0, 32};

    cc_ec_pubkey(*state, key, secret);
    cc_writer_init(&w, code, sizeof(code));
    cc_script_push_plain(&w, key, 33);
    cc_write_u8(&w, CC_OP_CHECKSIG);
    cc_sha256_once(program + 2, code, w.len);
    pair_init(&p, cc_bytes(NULL, 0), cc_bytes(program, 34), items, 2, 5);
    cc_sighash_v0(h, &p.sighash, 0, written(&w), 1, 5);
    items[0] = ecdsa(*state, buf + 1, h, 1);
    items[1] = written(&w);
    buf[0] = 1;
    script_expect(pair_verify(&p, BOTH), ERR(OK));
    items[0].len = 0;
    script_expect(pair_verify(&p, BOTH), ERR(EVAL_FALSE));
}

/* --- P2SH and whole inputs --------------------------------------------- */

/* BIP 141: inside P2SH the scriptSig is one direct push of the program and
 * nothing else, as no signature covers it. */
static void test_p2sh_push(void **state)
{
    static const uint8_t redeem[] = {CC_OP_16, 2, 7, 7};
    static const struct {
        const char *script_sig;
        enum cc_script_error want;
    } rows[] = {
        {"0x04 0x60020707", ERR(OK)},
        {"0x4c 0x04 0x60020707", ERR(WITNESS_MALLEATED_P2SH)},
        {"0x04 0x60020707 0x04 0x60020707", ERR(WITNESS_MALLEATED_P2SH)},
        {"1 0x04 0x60020707", ERR(WITNESS_MALLEATED_P2SH)},
        {"0x04 0x60020708 0x04 0x60020707", ERR(WITNESS_MALLEATED_P2SH)},
    };
    uint8_t hash[20];
    char script[80];

    (void)state;
    cc_hash160(hash, redeem, sizeof(redeem));
    snprintf(script, sizeof(script), "HASH160 0x14 0x%s EQUAL",
             cc_test_hex(hash, sizeof(hash)));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        script_expect(eval(rows[i].script_sig, script, BOTH), rows[i].want);
        script_expect(eval(rows[i].script_sig, script, CC_VERIFY_P2SH),
                      ERR(OK));
    }
}

static void test_whole(void **state)
{
    static const uint8_t nothing[1];
    struct cc_bytes item = cc_bytes(nothing, 0);
    const uint8_t one = CC_OP_1;
    struct pair p;

    (void)state;
    script_expect(eval("NOP 1", "1", CC_VERIFY_SIGPUSHONLY), ERR(SIG_PUSHONLY));
    script_expect(eval("1", "1", BOTH | CC_VERIFY_CLEANSTACK), ERR(CLEANSTACK));
    script_expect(eval("", "", 0), ERR(EVAL_FALSE));
    pair_init(&p, cc_bytes(NULL, 0), cc_bytes(&one, 1), &item, 1, 0);
    script_expect(pair_verify(&p, CC_VERIFY_P2SH), ERR(OK));
    script_expect(pair_verify(&p, BOTH), ERR(WITNESS_UNEXPECTED));
    /* The verdict needs no room for a reason. */
    assert_true(cc_script_verify(&p.sighash, 0, cc_bytes(&one, 1), 0, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script_size),
        cmocka_unit_test(test_op_count),
        cmocka_unit_test(test_push_size),
        cmocka_unit_test(test_cut_push),
        cmocka_unit_test(test_stack_size),
        cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_results_in_place),
        cmocka_unit_test(test_conditionals),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_many_types),
        cmocka_unit_test(test_cut_codes),
        cmocka_unit_test(test_longest_cut),
        cmocka_unit_test(test_empty_signature),
        cmocka_unit_test(test_p2sh_push),
        cmocka_unit_test(test_whole),
    };

    return cmocka_run_group_tests(tests, script_setup, script_teardown);
}
