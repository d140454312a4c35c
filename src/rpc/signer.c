#include "rpc/signer.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "util/mem.h"

#define MAX_SIGS 20
#define MAX_SIG 73

/* What an input is to hold. */
struct stack {
    uint8_t sigs[MAX_SIGS + 1][80]; /* pushes, in order */
    struct cc_bytes item[MAX_SIGS + 4];
    size_t count;
};

static void push_item(struct stack *s, struct cc_bytes item)
{
    s->item[s->count++] = item;
}

static const struct cc_signer_key *key_by_id(const struct cc_signer *g,
                                             const uint8_t id[20])
{
    for (size_t i = 0; i < g->key_count; i++)
        if (!memcmp(g->keys[i].id, id, 20))
            return &g->keys[i];
    return NULL;
}

static const struct cc_signer_key *key_by_pub(const struct cc_signer *g,
                                              struct cc_bytes pub)
{
    uint8_t id[20];

    cc_hash160(id, pub.data, pub.len);
    return key_by_id(g, id);
}

static struct cc_bytes script_by_hash(const struct cc_signer *g,
                                      struct cc_bytes hash)
{
    uint8_t h[32];

    for (size_t i = 0; i < g->script_count; i++) {
        if (hash.len == 20)
            cc_hash160(h, g->scripts[i].data, g->scripts[i].len);
        else
            cc_sha256_once(h, g->scripts[i].data, g->scripts[i].len);
        if (!memcmp(h, hash.data, hash.len))
            return g->scripts[i];
    }
    return cc_bytes(NULL, 0);
}

/* --- One signature ----------------------------------------------------- */

static void hash_for(const struct cc_signer *g, size_t index,
                     struct cc_bytes code, bool witness, uint8_t out[32])
{
    if (witness)
        cc_sighash_v0(out, &g->sighash, index, code, g->type,
                      g->sighash.coins[index].out.value);
    else
        cc_sighash_legacy(out, g->tx, index, code, g->type);
}

static bool sign_ecdsa(const struct cc_signer *g, size_t index,
                       const struct cc_signer_key *key, struct cc_bytes code,
                       bool witness, struct stack *s, size_t slot)
{
    uint8_t hash[32];
    size_t len = MAX_SIG;

    hash_for(g, index, code, witness, hash);
    if (!key || !cc_ecdsa_sign(g->ec, s->sigs[slot], &len, key->secret, hash))
        return false;
    s->sigs[slot][len++] = (uint8_t)g->type;
    push_item(s, cc_bytes(s->sigs[slot], len));
    return true;
}

/* A signature that stands in the input already and fits this key. */
static bool keep_signature(const struct cc_signer *g, size_t index,
                           struct cc_bytes pub, struct cc_bytes code,
                           bool witness, const struct cc_bytes *old,
                           size_t old_count, struct stack *s)
{
    struct cc_signer with = *g;
    uint8_t hash[32];

    for (size_t i = 0; i < old_count; i++) {
        if (old[i].len < 9 || old[i].len > MAX_SIG)
            continue;
        with.type = old[i].data[old[i].len - 1];
        hash_for(&with, index, code, witness, hash);
        if (cc_ecdsa_verify(pub.data, pub.len, old[i].data, old[i].len - 1,
                            hash)) {
            push_item(s, old[i]);
            return true;
        }
    }
    return false;
}

static bool sign_multisig(const struct cc_signer *g, size_t index,
                          const struct cc_bytes *sols, size_t count,
                          struct cc_bytes code, bool witness,
                          const struct cc_bytes *old, size_t old_count,
                          struct stack *s)
{
    unsigned required = sols[0].data[0], have = 0;

    push_item(s, cc_bytes(NULL, 0)); /* what CHECKMULTISIG takes too much */
    for (size_t i = 1; i + 1 < count && have < required; i++)
        if (keep_signature(g, index, sols[i], code, witness, old, old_count,
                           s) ||
            sign_ecdsa(g, index, key_by_pub(g, sols[i]), code, witness, s,
                       have))
            have++;
    return have == required;
}

/* Fill s with what satisfies script, without the script itself. */
static bool sign_plain(const struct cc_signer *g, size_t index,
                       struct cc_bytes script, bool witness,
                       const struct cc_bytes *old, size_t old_count,
                       struct stack *s)
{
    struct cc_bytes sols[22];
    size_t count;
    const struct cc_signer_key *key;

    switch (cc_script_solve(script, false, sols, &count)) {
    case CC_SCRIPT_PUBKEY:
        return sign_ecdsa(g, index, key_by_pub(g, sols[0]), script, witness, s,
                          0);
    case CC_SCRIPT_PUBKEYHASH:
        key = key_by_id(g, sols[0].data);
        if (!sign_ecdsa(g, index, key, script, witness, s, 0))
            return false;
        push_item(s, cc_bytes(key->pub, key->pub_len));
        return true;
    case CC_SCRIPT_MULTISIG:
        return sign_multisig(g, index, sols, count, script, witness, old,
                             old_count, s);
    default:
        return false;
    }
}

/* --- Taproot by key ---------------------------------------------------- */

/* The secret of an output key: ours as it is, or tweaked without a tree. */
static bool taproot_secret(const struct cc_signer *g,
                           const struct cc_signer_key *key,
                           const uint8_t output[32], uint8_t secret[32])
{
    uint8_t xonly[32], tweak[32];

    if (!cc_ec_xonly(g->ec, xonly, key->secret))
        return false;
    memcpy(secret, key->secret, 32);
    if (!memcmp(xonly, output, 32))
        return true;
    cc_tagged_hash(tweak, "TapTweak", xonly, 32);
    return cc_ec_secret_taproot(g->ec, secret, tweak) &&
           cc_ec_xonly(g->ec, xonly, secret) && !memcmp(xonly, output, 32);
}

static bool sign_taproot(const struct cc_signer *g, size_t index,
                         struct cc_bytes output, bool default_type,
                         struct stack *s)
{
    uint8_t type = default_type ? CC_SIGHASH_DEFAULT : (uint8_t)g->type;
    struct cc_taproot_ctx ctx = {0};
    uint8_t secret[32], hash[32];
    bool ok = false;

    for (size_t i = 0; i < g->key_count && !ok; i++) {
        if (!taproot_secret(g, &g->keys[i], output.data, secret) ||
            !cc_sighash_v1(hash, &g->sighash, index, type, &ctx))
            continue;
        ok = cc_schnorr_sign(g->ec, s->sigs[0], secret, hash, 32, NULL);
    }
    cc_cleanse(secret, sizeof(secret));
    if (!ok)
        return false;
    s->sigs[0][64] = type;
    push_item(s, cc_bytes(s->sigs[0], type ? 65 : 64));
    return true;
}

/* --- One input --------------------------------------------------------- */

static void set_script_sig(struct cc_tx *tx, size_t index,
                           const struct stack *s, struct cc_bytes redeem)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    for (size_t i = 0; s && i < s->count; i++)
        cc_script_push(&w, s->item[i].data, s->item[i].len);
    if (redeem.len)
        cc_script_push(&w, redeem.data, redeem.len);
    tx->vin[index].script_sig =
        cc_bytes(cc_arena_dup(&tx->arena, w.data, w.len), w.len);
    cc_writer_clear(&w);
}

static void set_witness(struct cc_tx *tx, size_t index, const struct stack *s,
                        struct cc_bytes script)
{
    size_t n = s->count + (script.len ? 1 : 0);
    struct cc_bytes *items = cc_arena_calloc(&tx->arena, n + 1, sizeof(*items));

    for (size_t i = 0; i < s->count; i++)
        items[i] =
            cc_bytes(cc_arena_dup(&tx->arena, s->item[i].data, s->item[i].len),
                     s->item[i].len);
    if (script.len)
        items[s->count] = cc_bytes(
            cc_arena_dup(&tx->arena, script.data, script.len), script.len);
    tx->vin[index].witness = items;
    tx->vin[index].witness_count = n;
}

size_t cc_signer_pushes(struct cc_bytes script, struct cc_bytes *out,
                        size_t room)
{
    size_t pos = 0, n = 0;
    uint8_t op;

    while (n < room && cc_script_next(script, &pos, &op, &out[n]))
        n++;
    return n;
}

static void sign_witness(struct cc_signer *g, size_t index,
                         struct cc_bytes program_script, struct cc_bytes redeem,
                         bool default_type)
{
    struct cc_bytes program, script = cc_bytes(NULL, 0);
    struct cc_txin *in = &g->tx->vin[index];
    struct stack s = {.count = 0};
    uint8_t code[25] = {CC_OP_DUP, CC_OP_HASH160, 20};
    const struct cc_signer_key *key;
    int version;
    bool ok = false;

    if (!cc_script_is_witness(program_script, &version, &program))
        return;
    if (version == 0 && program.len == 20) {
        memcpy(code + 3, program.data, 20);
        code[23] = CC_OP_EQUALVERIFY;
        code[24] = CC_OP_CHECKSIG;
        key = key_by_id(g, program.data);
        ok = sign_ecdsa(g, index, key, cc_bytes(code, 25), true, &s, 0);
        if (ok)
            push_item(&s, cc_bytes(key->pub, key->pub_len));
    } else if (version == 0 && program.len == 32) {
        script = script_by_hash(g, program);
        ok = script.len && sign_plain(g, index, script, true, in->witness,
                                      in->witness_count, &s);
        ok = ok || s.count > 1; /* some signatures are better than none */
    } else if (version == 1 && program.len == 32 && !redeem.len) {
        ok = sign_taproot(g, index, program, default_type, &s);
    }
    if (!ok)
        return;
    set_witness(g->tx, index, &s, script);
    if (redeem.len)
        set_script_sig(g->tx, index, NULL, redeem);
}

void cc_signer_input(struct cc_signer *g, size_t index, bool default_type)
{
    struct cc_bytes script = g->sighash.coins[index].out.script, sols[22];
    struct cc_bytes redeem = cc_bytes(NULL, 0), program, old[CC_SIGNER_PUSHES];
    struct stack s = {.count = 0};
    size_t count, old_count;
    int version;

    if (cc_script_solve(script, false, sols, &count) == CC_SCRIPT_SCRIPTHASH) {
        redeem = script_by_hash(g, sols[0]);
        if (!redeem.len)
            return;
        script = redeem;
    }
    if (cc_script_is_witness(script, &version, &program)) {
        sign_witness(g, index, script, redeem, default_type);
        return;
    }
    old_count =
        cc_signer_pushes(g->tx->vin[index].script_sig, old, CC_SIGNER_PUSHES);
    if (sign_plain(g, index, script, false, old, old_count, &s) || s.count > 1)
        set_script_sig(g->tx, index, &s, redeem);
}

void cc_signer_add_script(struct cc_signer *g, const uint8_t *data, size_t len)
{
    g->scripts[g->script_count++] = cc_bytes(cc_memdup(data, len), len);
}
