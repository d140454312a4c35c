/*
 * rawtransactions: signing with keys that the caller brings.
 *
 * What is signed: public key, public key hash and multisignature outputs,
 * bare or behind P2SH, P2WSH and both; P2WPKH; and taproot outputs by key,
 * where the key is the output's own or, tweaked as BIP 86 says, becomes it.
 * Signatures that are there already are kept.
 */
#include <stdlib.h>

#include "consensus/interpreter.h"
#include "consensus/script.h"
#include "crypto/address.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "mempool/mempool.h"
#include "rpc/families.h"
#include "rpc/rawtransaction.h"
#include "rpc/txjson.h"
#include "util/hex.h"
#include "util/mem.h"

#define MAX_SIGS 20
#define MAX_SIG 73

struct key {
    uint8_t secret[32];
    uint8_t pub[65];
    size_t pub_len;
    uint8_t id[20]; /* hash of pub */
};

struct signer {
    const struct cc_ec *ec;
    struct key *keys;
    size_t key_count;
    struct cc_bytes *scripts; /* redeem and witness scripts, owned */
    size_t script_count;
    struct cc_tx *tx;
    struct cc_sighash sighash;
    uint32_t type;
};

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

static const struct key *key_by_id(const struct signer *g, const uint8_t id[20])
{
    for (size_t i = 0; i < g->key_count; i++)
        if (!memcmp(g->keys[i].id, id, 20))
            return &g->keys[i];
    return NULL;
}

static const struct key *key_by_pub(const struct signer *g, struct cc_bytes pub)
{
    uint8_t id[20];

    cc_hash160(id, pub.data, pub.len);
    return key_by_id(g, id);
}

static struct cc_bytes script_by_hash(const struct signer *g,
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

static void hash_for(const struct signer *g, size_t index, struct cc_bytes code,
                     bool witness, uint8_t out[32])
{
    if (witness)
        cc_sighash_v0(out, &g->sighash, index, code, g->type,
                      g->sighash.coins[index].out.value);
    else
        cc_sighash_legacy(out, g->tx, index, code, g->type);
}

static bool sign_ecdsa(const struct signer *g, size_t index,
                       const struct key *key, struct cc_bytes code,
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
static bool keep_signature(const struct signer *g, size_t index,
                           struct cc_bytes pub, struct cc_bytes code,
                           bool witness, const struct cc_bytes *old,
                           size_t old_count, struct stack *s)
{
    struct signer with = *g;
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

static bool sign_multisig(const struct signer *g, size_t index,
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
static bool sign_plain(const struct signer *g, size_t index,
                       struct cc_bytes script, bool witness,
                       const struct cc_bytes *old, size_t old_count,
                       struct stack *s)
{
    struct cc_bytes sols[22];
    size_t count;
    const struct key *key;

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
static bool taproot_secret(const struct signer *g, const struct key *key,
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

static bool sign_taproot(const struct signer *g, size_t index,
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

/* Data pushed by a scriptSig, at most room of them. */
static size_t pushes_of(struct cc_bytes script, struct cc_bytes *out,
                        size_t room)
{
    size_t pos = 0, n = 0;
    uint8_t op;

    while (n < room && cc_script_next(script, &pos, &op, &out[n]))
        n++;
    return n;
}

static void sign_witness(struct signer *g, size_t index,
                         struct cc_bytes program_script, struct cc_bytes redeem,
                         bool default_type)
{
    struct cc_bytes program, script = cc_bytes(NULL, 0);
    struct cc_txin *in = &g->tx->vin[index];
    struct stack s = {.count = 0};
    uint8_t code[25] = {CC_OP_DUP, CC_OP_HASH160, 20};
    const struct key *key;
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

static void sign_input(struct signer *g, size_t index, bool default_type)
{
    struct cc_bytes script = g->sighash.coins[index].out.script, sols[22];
    struct cc_bytes redeem = cc_bytes(NULL, 0), program, old[24];
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
    old_count = pushes_of(g->tx->vin[index].script_sig, old, 24);
    if (sign_plain(g, index, script, false, old, old_count, &s) || s.count > 1)
        set_script_sig(g->tx, index, &s, redeem);
}

/* --- Arguments --------------------------------------------------------- */

static bool parse_hash_type(struct cc_rpc_call *call, size_t i, uint32_t *type,
                            bool *is_default)
{
    static const char *const names[] = {
        "DEFAULT",           "ALL",    "ALL|ANYONECANPAY",   "NONE",
        "NONE|ANYONECANPAY", "SINGLE", "SINGLE|ANYONECANPAY"};
    static const uint8_t types[] = {1, 1, 0x81, 2, 0x82, 3, 0x83};
    const char *name = cc_rpc_str(call, i, "DEFAULT");

    for (size_t n = 0; n < 7; n++)
        if (!strcmp(names[n], name)) {
            *type = types[n];
            *is_default = n == 0;
            return true;
        }
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                 "'%s' is not a valid sighash parameter.", name);
    return false;
}

static void add_script(struct signer *g, const uint8_t *data, size_t len)
{
    g->scripts[g->script_count++] = cc_bytes(cc_memdup(data, len), len);
}

/* A key also stands for the P2WPKH program that P2SH may wrap. */
static bool add_key(struct cc_rpc_call *call, struct signer *g, const json_t *v)
{
    const char *text = cc_json_is_string(v) ? json_string_value(v) : "";
    struct key *k = &g->keys[g->key_count];
    uint8_t compressed_key[33], program[22] = {0, 20};
    bool compressed;

    if (!cc_wif_decode(k->secret, &compressed, text,
                       &call->env->params->prefixes) ||
        !cc_ec_pubkey(g->ec, compressed_key, k->secret)) {
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Invalid private key");
        return false;
    }
    memcpy(k->pub, compressed_key, 33);
    k->pub_len = 33;
    if (!compressed) {
        cc_ec_pubkey_uncompress(k->pub, compressed_key, 33);
        k->pub_len = 65;
    }
    cc_hash160(k->id, k->pub, k->pub_len);
    g->key_count++;
    memcpy(program + 2, k->id, 20);
    if (compressed)
        add_script(g, program, sizeof(program));
    return true;
}

struct prevs {
    struct cc_coin *coins;
    bool *known;
    struct cc_arena arena;
};

/* The coins of the chain and the pool; those spent by the pool too. */
static void find_coins(struct cc_rpc_call *call, const struct cc_tx *tx,
                       struct prevs *p)
{
    cc_chain_lock(call->env->chain);
    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_outpoint *o = &tx->vin[i].prevout;
        const struct cc_mempool_entry *e =
            cc_mempool_find(call->env->mempool, o->txid);

        if (e && o->index < e->tx.vout_count) {
            const struct cc_txout *out = &e->tx.vout[o->index];

            p->coins[i].out.value = out->value;
            p->coins[i].out.script = cc_bytes(
                cc_arena_dup(&p->arena, out->script.data, out->script.len),
                out->script.len);
            p->known[i] = true;
            continue;
        }
        p->known[i] = cc_chain_coin(call->env->chain, o, &p->coins[i],
                                    &p->arena, NULL) == CC_OK;
    }
    cc_chain_unlock(call->env->chain);
}

static bool add_script_member(struct cc_rpc_call *call, struct signer *g,
                              const json_t *o, const char *name)
{
    json_t *v;
    uint8_t *data, program[34] = {0, 32};
    size_t len;

    if (!cc_rpc_member(call, o, name, CC_RPC_STR, &v))
        return false;
    if (!v)
        return true;
    if (!cc_rpc_get_hex(call, v, name, &data, &len))
        return false;
    add_script(g, data, len);
    cc_sha256_once(program + 2, data, len); /* P2SH may hold it as P2WSH */
    add_script(g, program, sizeof(program));
    free(data);
    return true;
}

static bool add_prev(struct cc_rpc_call *call, struct signer *g,
                     const json_t *o, struct prevs *p)
{
    struct cc_outpoint out;
    json_t *vout, *script, *amount;
    cc_amount value = 0;
    uint8_t *data;
    size_t len;
    int64_t n;

    if (!json_is_object(o)) {
        cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                     "expected object with {\"txid'\",\"vout\","
                     "\"scriptPubKey\"}");
        return false;
    }
    if (!cc_rpc_get_hash(call, json_object_get(o, "txid"), "txid", out.txid) ||
        !cc_rpc_member(call, o, "vout", CC_RPC_NUM, &vout) ||
        !cc_rpc_member(call, o, "scriptPubKey", CC_RPC_STR, &script) ||
        !cc_rpc_member(call, o, "amount", CC_RPC_ANY, &amount))
        return false;
    if (!vout || !script) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR, "Missing %s",
                     vout ? "scriptPubKey" : "vout");
        return false;
    }
    if (!cc_json_get_int(vout, &n) || n < 0 || n > UINT32_MAX) {
        cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                     "vout cannot be negative");
        return false;
    }
    out.index = (uint32_t)n;
    if (!cc_rpc_get_hex(call, script, "scriptPubKey", &data, &len))
        return false;
    for (size_t i = 0; i < g->tx->vin_count; i++) {
        if (!cc_outpoint_equal(&g->tx->vin[i].prevout, &out))
            continue;
        if (p->known[i] &&
            !cc_bytes_equal(p->coins[i].out.script, cc_bytes(data, len))) {
            cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                         "Previous output scriptPubKey mismatch");
            free(data);
            return false;
        }
        p->known[i] = true;
        p->coins[i].out.script =
            cc_bytes(cc_arena_dup(&p->arena, data, len), len);
        p->coins[i].out.value = call->env->params->max_money;
        if (amount) {
            if (!cc_rpc_get_amount(call, amount, &value)) {
                free(data);
                return false;
            }
            p->coins[i].out.value = value;
        }
    }
    free(data);
    return add_script_member(call, g, o, "redeemScript") &&
           add_script_member(call, g, o, "witnessScript");
}

/* --- The answer -------------------------------------------------------- */

static json_t *input_error(const struct cc_txin *in, const char *text)
{
    json_t *o = json_object(), *witness = json_array();

    cc_json_set_hash(o, "txid", in->prevout.txid);
    cc_json_set_int(o, "vout", in->prevout.index);
    for (size_t i = 0; i < in->witness_count; i++)
        json_array_append_new(witness, cc_json_hex(in->witness[i]));
    cc_json_set(o, "witness", witness);
    cc_json_set(o, "scriptSig", cc_json_hex(in->script_sig));
    cc_json_set_int(o, "sequence", in->sequence);
    cc_json_set_str(o, "error", text);
    return o;
}

json_t *cc_rpc_sign_result(const struct cc_tx *tx, const struct cc_coin *coins,
                           const bool *known)
{
    json_t *o = json_object(), *errors = json_array();
    struct cc_sighash s;
    enum cc_script_error why;

    cc_sighash_init(&s, tx, coins);
    for (size_t i = 0; i < tx->vin_count; i++) {
        if (known && !known[i])
            json_array_append_new(
                errors,
                input_error(&tx->vin[i], "Input not found or already spent"));
        else if (!cc_script_verify(&s, i, coins[i].out.script,
                                   coins[i].out.value, CC_VERIFY_STANDARD,
                                   &why))
            json_array_append_new(
                errors,
                input_error(&tx->vin[i],
                            why == CC_SCRIPT_ERR_INVALID_STACK_OPERATION
                                ? "Unable to sign input, invalid stack size "
                                  "(possibly missing key)"
                                : cc_script_error_string(why)));
    }
    cc_json_set(o, "hex", cc_tx_hex(tx));
    cc_json_set_bool(o, "complete", !json_array_size(errors));
    if (json_array_size(errors))
        cc_json_set(o, "errors", errors);
    else
        json_decref(errors);
    return o;
}

static json_t *sign_all(struct cc_rpc_call *call, struct signer *g)
{
    const json_t *keys = cc_rpc_arg(call, 1), *prevs = cc_rpc_arg(call, 2);
    size_t n = g->tx->vin_count;
    struct prevs p = {0};
    bool default_type;
    json_t *result = NULL;

    g->keys = cc_calloc(json_array_size(keys) + 1, sizeof(*g->keys));
    g->scripts =
        cc_calloc(json_array_size(keys) + 4 * json_array_size(prevs) + 1,
                  sizeof(*g->scripts));
    cc_arena_init(&p.arena);
    p.coins = cc_calloc(n + 1, sizeof(*p.coins));
    p.known = cc_calloc(n + 1, sizeof(*p.known));
    if (!parse_hash_type(call, 3, &g->type, &default_type))
        goto out;
    for (size_t i = 0; i < json_array_size(keys); i++)
        if (!add_key(call, g, json_array_get(keys, i)))
            goto out;
    find_coins(call, g->tx, &p);
    for (size_t i = 0; i < json_array_size(prevs); i++)
        if (!add_prev(call, g, json_array_get(prevs, i), &p))
            goto out;
    cc_sighash_init(&g->sighash, g->tx, p.coins);
    for (size_t i = 0; i < n; i++)
        if (p.known[i])
            sign_input(g, i, default_type);
    cc_tx_finish(g->tx);
    result = cc_rpc_sign_result(g->tx, p.coins, p.known);
out:
    cc_cleanse(g->keys, (json_array_size(keys) + 1) * sizeof(*g->keys));
    while (g->script_count)
        free((void *)g->scripts[--g->script_count].data);
    free(g->scripts);
    free(g->keys);
    free(p.coins);
    free(p.known);
    cc_arena_clear(&p.arena);
    return result;
}

static json_t *signrawtransactionwithkey(struct cc_rpc_call *call)
{
    struct signer g = {.ec = call->env->ec};
    struct cc_tx tx;
    json_t *result;

    if (!cc_tx_from_hex(cc_rpc_str(call, 0, ""), true, true, &tx))
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                            "TX decode failed. Make sure the tx has at least "
                            "one input.");
    g.tx = &tx;
    result = sign_all(call, &g);
    cc_tx_clear(&tx);
    return result;
}

static const struct cc_rpc_arg sign_args[] = {
    CC_ARG("hexstring", CC_RPC_STR, NULL, "The transaction hex string"),
    CC_ARG_AS("privkeys", CC_RPC_ARR, NULL,
              "The base58-encoded private keys for signing",
              "[\"privatekey\",...]"),
    CC_ARG_AS("prevtxs", CC_RPC_ARR, "",
              "The previous dependent transaction outputs, each an object of "
              "txid, vout, scriptPubKey and, as needed, redeemScript, "
              "witnessScript, amount",
              "[{\"txid\":\"hex\",\"vout\":n,\"scriptPubKey\":\"hex\","
              "\"redeemScript\":\"hex\",\"witnessScript\":\"hex\","
              "\"amount\":amount},...]"),
    CC_ARG("sighashtype", CC_RPC_STR, "DEFAULT for Taproot, ALL otherwise",
           "The signature hash type: DEFAULT, ALL, NONE, SINGLE, each also "
           "with |ANYONECANPAY (but DEFAULT)"),
};

static const struct cc_rpc_method methods[] = {
    {"rawtransactions", "signrawtransactionwithkey", signrawtransactionwithkey,
     CC_RPC_ARGS(sign_args),
     "Sign inputs for raw transaction (serialized, hex-encoded) with the given "
     "keys.",
     "{...}    hex, complete, and errors if it is not complete",
     "\"myhex\" '[\"key1\",\"key2\"]'", 0},
};

void cc_rpc_register_rawsign(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
