/* Operations that check signatures, and how signatures and keys must look. */
#include <stdlib.h>

#include "consensus/machine.h"
#include "crypto/ec.h"
#include "util/mem.h"

#define OK CC_SCRIPT_ERR_OK

/* BIP 342: what a signature costs of the input's weight. */
#define SIG_BUDGET 50

OP_FN(codeseparator)
{
    m->code_start = m->pos;
    m->spend->tap.codesep_pos = m->op_index;
    return OK;
}

/* --- Form -------------------------------------------------------------- */

/* One DER integer of len bytes: not empty, not negative, no padding. */
static bool strict_integer(const uint8_t *p, size_t len)
{
    if (len == 0 || p[0] & 0x80)
        return false;
    return len == 1 || p[0] != 0 || p[1] & 0x80;
}

/* 30 total 02 len R 02 len S type. */
bool cc_sig_is_strict_der(struct cc_bytes sig)
{
    const uint8_t *p = sig.data;
    size_t r, s;

    if (sig.len < 9 || sig.len > 73 || p[0] != 0x30 || p[1] != sig.len - 3)
        return false;
    r = p[3];
    if (p[2] != 2 || 5 + r >= sig.len)
        return false;
    s = p[5 + r];
    if (r + s + 7 != sig.len || p[4 + r] != 2)
        return false;
    return strict_integer(p + 4, r) && strict_integer(p + 6 + r, s);
}

static bool type_is_defined(uint8_t type)
{
    type &= (uint8_t)~CC_SIGHASH_ANYONECANPAY;
    return type >= CC_SIGHASH_ALL && type <= CC_SIGHASH_SINGLE;
}

static enum cc_script_error check_sig_form(const struct machine *m,
                                           struct cc_bytes sig)
{
    if (!sig.len)
        return OK; /* a signature that is meant to fail */
    if (m->flags & (CC_VERIFY_DERSIG | CC_VERIFY_LOW_S | CC_VERIFY_STRICTENC) &&
        !cc_sig_is_strict_der(sig))
        return CC_SCRIPT_ERR_SIG_DER;
    if (m->flags & CC_VERIFY_LOW_S && !cc_ecdsa_low_s(sig.data, sig.len - 1))
        return CC_SCRIPT_ERR_SIG_HIGH_S;
    if (m->flags & CC_VERIFY_STRICTENC &&
        !type_is_defined(sig.data[sig.len - 1]))
        return CC_SCRIPT_ERR_SIG_HASHTYPE;
    return OK;
}

static enum cc_script_error check_key_form(const struct machine *m,
                                           struct cc_bytes key)
{
    bool looks = cc_script_is_pubkey(key);

    if (m->flags & CC_VERIFY_STRICTENC &&
        (!looks || (key.len == 65 && key.data[0] != 4)))
        return CC_SCRIPT_ERR_PUBKEYTYPE;
    if (m->flags & CC_VERIFY_WITNESS_PUBKEYTYPE &&
        m->version == SIG_WITNESS_V0 && (!looks || key.len != 33))
        return CC_SCRIPT_ERR_WITNESS_PUBKEYTYPE;
    return OK;
}

/* --- ECDSA ------------------------------------------------------------- */

static void compute_sighash(uint8_t out[32], const struct machine *m,
                            struct cc_bytes code, uint8_t type)
{
    const struct spend *sp = m->spend;

    if (m->version == SIG_WITNESS_V0)
        cc_sighash_v0(out, sp->s, sp->index, code, type, sp->value);
    else
        cc_sighash_legacy(out, sp->s->tx, sp->index, code, type);
}

/* Code is told apart by where it lies: it is a slice of the script, or of a
 * copy that drops the cache when it goes. */
static const uint8_t *sighash(struct machine *m, struct cc_bytes code,
                              uint8_t type)
{
    struct sighash_cache *c = &m->cache;
    unsigned i;

    for (i = 0; i < c->count; i++)
        if (c->entry[i].code.data == code.data &&
            c->entry[i].code.len == code.len && c->entry[i].type == type)
            return c->entry[i].hash;
    i = c->next;
    c->next = (i + 1) % CACHE_SIZE;
    if (c->count < CACHE_SIZE)
        c->count++;
    c->entry[i].code = code;
    c->entry[i].type = type;
    compute_sighash(c->entry[i].hash, m, code, type);
    return c->entry[i].hash;
}

static bool check_ecdsa(struct machine *m, struct cc_bytes sig,
                        struct cc_bytes key, struct cc_bytes code)
{
    if (!sig.len || !cc_script_is_pubkey(key))
        return false;
    return cc_ecdsa_verify(key.data, key.len, sig.data, sig.len - 1,
                           sighash(m, code, sig.data[sig.len - 1]));
}

/*
 * The original client cut the signature out of the code before hashing it:
 * a signature cannot sign itself. What is cut is every run of bytes that, at
 * the start of an operation, equals the plain push of the signature; so an
 * empty signature cuts OP_0. Left by BIP 143. (tx_valid.json, "FindAndDelete")
 *
 * *copy holds the shortened code, if any, and is the caller's to free.
 */
static struct cc_bytes cut_signature(struct cc_bytes code, struct cc_bytes sig,
                                     uint8_t **copy)
{
    uint8_t pattern[CC_MAX_SCRIPT_ELEMENT_SIZE + 3], op;
    size_t pos = 0, from = 0, len = 0;
    struct cc_bytes push;
    struct cc_writer w;

    cc_writer_init(&w, pattern, sizeof(pattern));
    cc_script_push_plain(&w, sig.data, sig.len);
    do {
        size_t start = pos;

        while (code.len - pos >= w.len &&
               !memcmp(code.data + pos, pattern, w.len))
            pos += w.len;
        if (pos != start) {
            if (!*copy)
                *copy = cc_malloc(code.len);
            memmove(*copy + len, code.data + from, start - from);
            len += start - from;
            from = pos;
        }
    } while (cc_script_next(code, &pos, &op, &push));
    if (!from)
        return code;
    memmove(*copy + len, code.data + from, code.len - from);
    return cc_bytes(*copy, len + code.len - from);
}

/* The code that signatures of the n elements from depth i down sign. */
static enum cc_script_error signed_code(const struct machine *m, size_t i,
                                        size_t n, struct cc_bytes *code,
                                        uint8_t **copy)
{
    *copy = NULL;
    *code =
        cc_bytes(m->script.data + m->code_start, m->script.len - m->code_start);
    if (m->version != SIG_BASE)
        return OK;
    for (; n; n--, i++) {
        size_t before = code->len;

        *code = cut_signature(*code, cc_stack_bytes(m->stack, i), copy);
        if (code->len != before && m->flags & CC_VERIFY_CONST_SCRIPTCODE)
            return CC_SCRIPT_ERR_SIG_FINDANDDELETE;
    }
    return OK;
}

static void drop_code(struct machine *m, uint8_t *copy)
{
    if (!copy)
        return;
    free(copy);
    m->cache.count = m->cache.next = 0;
}

static enum cc_script_error check_pre_tapscript(struct machine *m,
                                                struct cc_bytes sig,
                                                struct cc_bytes key, bool *ok)
{
    enum cc_script_error e;
    struct cc_bytes code;
    uint8_t *copy;

    e = signed_code(m, 2, 1, &code, &copy);
    if (e == OK)
        e = check_sig_form(m, sig);
    if (e == OK)
        e = check_key_form(m, key);
    if (e == OK) {
        *ok = check_ecdsa(m, sig, key, code);
        if (!*ok && m->flags & CC_VERIFY_NULLFAIL && sig.len)
            e = CC_SCRIPT_ERR_NULLFAIL;
    }
    drop_code(m, copy);
    return e;
}

/* --- Schnorr ----------------------------------------------------------- */

enum cc_script_error cc_check_schnorr(const struct spend *spend,
                                      const uint8_t key[32],
                                      struct cc_bytes sig)
{
    uint8_t type = CC_SIGHASH_DEFAULT, hash[32];

    if (sig.len != 64 && sig.len != 65)
        return CC_SCRIPT_ERR_SCHNORR_SIG_SIZE;
    if (sig.len == 65) {
        type = sig.data[64];
        if (type == CC_SIGHASH_DEFAULT) /* it has a shorter form */
            return CC_SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
    }
    if (!cc_sighash_v1(hash, spend->s, spend->index, type, &spend->tap))
        return CC_SCRIPT_ERR_SCHNORR_SIG_HASHTYPE;
    if (!cc_schnorr_verify(key, sig.data, hash, 32))
        return CC_SCRIPT_ERR_SCHNORR_SIG;
    return OK;
}

/* BIP 342: an empty signature fails quietly, a wrong one fails the script. */
static enum cc_script_error check_tapscript(const struct machine *m,
                                            struct cc_bytes sig,
                                            struct cc_bytes key, bool *ok)
{
    *ok = sig.len != 0;
    if (*ok) {
        m->spend->budget -= SIG_BUDGET;
        if (m->spend->budget < 0)
            return CC_SCRIPT_ERR_TAPSCRIPT_VALIDATION_WEIGHT;
    }
    if (!key.len)
        return CC_SCRIPT_ERR_PUBKEYTYPE;
    if (key.len == 32)
        return *ok ? cc_check_schnorr(m->spend, key.data, sig) : OK;
    /* A key of a type to come accepts every signature. */
    if (m->flags & CC_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE)
        return CC_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_PUBKEYTYPE;
    return OK;
}

/* --- The operations ---------------------------------------------------- */

/* sig key */
OP_FN(checksig)
{
    struct cc_bytes sig = cc_stack_bytes(m->stack, 2);
    struct cc_bytes key = cc_stack_bytes(m->stack, 1);
    enum cc_script_error e;
    bool ok = false;

    e = m->version == SIG_TAPSCRIPT ? check_tapscript(m, sig, key, &ok)
                                    : check_pre_tapscript(m, sig, key, &ok);
    if (e != OK)
        return e;
    m->stack->count -= 2;
    if (op == CC_OP_CHECKSIGVERIFY)
        return ok ? OK : CC_SCRIPT_ERR_CHECKSIGVERIFY;
    cc_stack_push_bool(m->stack, ok);
    return OK;
}

/* sig n key */
OP_FN(checksigadd)
{
    enum cc_script_error e;
    int64_t n;
    bool ok;

    if (m->version != SIG_TAPSCRIPT)
        return CC_SCRIPT_ERR_BAD_OPCODE;
    if (m->stack->count < 3)
        return CC_SCRIPT_ERR_INVALID_STACK_OPERATION;
    e = cc_machine_num(m, 2, 4, &n);
    if (e != OK)
        return e;
    e = check_tapscript(m, cc_stack_bytes(m->stack, 3),
                        cc_stack_bytes(m->stack, 1), &ok);
    if (e != OK)
        return e;
    m->stack->count -= 3;
    cc_stack_push_num(m->stack, n + ok);
    return OK;
}

/* dummy sig... m key... n, each depth counted from the top. */
struct multisig {
    size_t keys, key_count, sigs, sig_count, dummy;
};

static enum cc_script_error read_multisig(struct machine *m,
                                          struct multisig *ms)
{
    enum cc_script_error e;
    int64_t n;

    if (m->stack->count < 1)
        return CC_SCRIPT_ERR_INVALID_STACK_OPERATION;
    e = cc_machine_num(m, 1, 4, &n);
    if (e != OK)
        return e;
    if (n < 0 || n > CC_MAX_PUBKEYS_PER_MULTISIG)
        return CC_SCRIPT_ERR_PUBKEY_COUNT;
    ms->key_count = (size_t)n;
    m->ops += (unsigned)n;
    if (m->ops > CC_MAX_SCRIPT_OPS)
        return CC_SCRIPT_ERR_OP_COUNT;
    ms->keys = 2;
    if (m->stack->count < ms->keys + ms->key_count)
        return CC_SCRIPT_ERR_INVALID_STACK_OPERATION;
    e = cc_machine_num(m, ms->keys + ms->key_count, 4, &n);
    if (e != OK)
        return e;
    if (n < 0 || (uint64_t)n > ms->key_count)
        return CC_SCRIPT_ERR_SIG_COUNT;
    ms->sig_count = (size_t)n;
    ms->sigs = ms->keys + ms->key_count + 1;
    ms->dummy = ms->sigs + ms->sig_count;
    if (m->stack->count < ms->dummy)
        return CC_SCRIPT_ERR_INVALID_STACK_OPERATION;
    return OK;
}

/* Signatures stand in the order of their keys; each key is tried once, and
 * the walk ends when more signatures than keys are left. */
static enum cc_script_error match_sigs(struct machine *m,
                                       const struct multisig *ms,
                                       struct cc_bytes code, bool *ok)
{
    size_t sig = 0, key = 0;
    enum cc_script_error e;

    while (sig < ms->sig_count) {
        struct cc_bytes s, k;

        if (ms->sig_count - sig > ms->key_count - key)
            break;
        s = cc_stack_bytes(m->stack, ms->sigs + sig);
        k = cc_stack_bytes(m->stack, ms->keys + key);
        e = check_sig_form(m, s);
        if (e == OK)
            e = check_key_form(m, k);
        if (e != OK)
            return e;
        if (check_ecdsa(m, s, k, code))
            sig++;
        key++;
    }
    *ok = sig == ms->sig_count;
    return OK;
}

static bool any_sig(const struct machine *m, const struct multisig *ms)
{
    for (size_t i = 0; i < ms->sig_count; i++)
        if (cc_stack_at(m->stack, ms->sigs + i)->len)
            return true;
    return false;
}

OP_FN(checkmultisig)
{
    enum cc_script_error e;
    struct multisig ms;
    struct cc_bytes code;
    bool ok = false;
    uint8_t *copy;

    if (m->version == SIG_TAPSCRIPT)
        return CC_SCRIPT_ERR_TAPSCRIPT_CHECKMULTISIG;
    e = read_multisig(m, &ms);
    if (e != OK)
        return e;
    e = signed_code(m, ms.sigs, ms.sig_count, &code, &copy);
    if (e == OK)
        e = match_sigs(m, &ms, code, &ok);
    drop_code(m, copy);
    if (e != OK)
        return e;
    if (!ok && m->flags & CC_VERIFY_NULLFAIL && any_sig(m, &ms))
        return CC_SCRIPT_ERR_NULLFAIL;
    /* One element too many is taken off, a fault of the original client that
     * stayed; BIP 147 lets it be nothing but empty. */
    if (m->flags & CC_VERIFY_NULLDUMMY && cc_stack_at(m->stack, ms.dummy)->len)
        return CC_SCRIPT_ERR_SIG_NULLDUMMY;
    m->stack->count -= ms.dummy;
    if (op == CC_OP_CHECKMULTISIGVERIFY)
        return ok ? OK : CC_SCRIPT_ERR_CHECKMULTISIGVERIFY;
    cc_stack_push_bool(m->stack, ok);
    return OK;
}
