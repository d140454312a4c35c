/* rawtransactions: signing with keys that the caller brings, and joining what
 * several have signed. */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/script.h"
#include "crypto/address.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "mempool/mempool.h"
#include "rpc/families.h"
#include "rpc/rawtransaction.h"
#include "rpc/signer.h"
#include "rpc/txjson.h"
#include "util/hex.h"
#include "util/mem.h"

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
                 "%s is not a valid sighash parameter.", name);
    return false;
}

/* A key also stands for the P2WPKH program that P2SH may wrap. */
static bool add_key(struct cc_rpc_call *call, struct cc_signer *g,
                    const json_t *v)
{
    struct cc_signer_key *k = &g->keys[g->key_count];
    uint8_t compressed_key[33], program[22] = {0, 20};
    const char *text;
    bool compressed;

    if (!cc_rpc_get_str(call, v, &text))
        return false;
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
        cc_signer_add_script(g, program, sizeof(program));
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

/* Hex of a member, for free with *data; absent: *data NULL. */
static bool script_member(struct cc_rpc_call *call, const json_t *o,
                          const char *name, uint8_t **data, size_t *len)
{
    json_t *v;

    *data = NULL;
    return cc_rpc_member(call, o, name, CC_RPC_STR, &v) &&
           (!v || cc_rpc_get_hex(call, v, name, data, len));
}

static bool scripts_fail(struct cc_rpc_call *call, const char *sentence)
{
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "%s", sentence);
    return false;
}

/* Is script, or what wsh (its P2WSH form) hashes to, what pays asks for? */
static bool pays_to(struct cc_bytes pays, struct cc_bytes script,
                    struct cc_bytes wsh)
{
    uint8_t id[20];

    if (!cc_script_is_p2sh(pays))
        return cc_bytes_equal(pays, wsh);
    cc_hash160(id, script.data, script.len);
    if (!memcmp(id, pays.data + 2, 20))
        return true;
    cc_hash160(id, wsh.data, wsh.len);
    return !memcmp(id, pays.data + 2, 20);
}

/* Redeem and witness script, where the coin needs one. The witness script
 * counts if there is one; a redeem script beside it must be the same, or its
 * P2WSH form. */
static bool add_scripts(struct cc_rpc_call *call, struct cc_signer *g,
                        const json_t *o, struct cc_bytes pays)
{
    uint8_t *redeem = NULL, *witness = NULL, program[34] = {0, 32};
    size_t redeem_len = 0, witness_len = 0;
    struct cc_bytes wsh = cc_bytes(program, sizeof(program)), program_of,
                    script, beside;
    int version;
    bool ok = false;

    if (!cc_script_is_p2sh(pays) &&
        !(cc_script_is_witness(pays, &version, &program_of) && version == 0 &&
          program_of.len == 32))
        return true;
    if (!script_member(call, o, "redeemScript", &redeem, &redeem_len) ||
        !script_member(call, o, "witnessScript", &witness, &witness_len))
        goto out;
    beside = cc_bytes(redeem, redeem_len);
    script = witness ? cc_bytes(witness, witness_len) : beside;
    cc_sha256_once(program + 2, script.data, script.len);
    if (!redeem && !witness)
        scripts_fail(call, "Missing redeemScript/witnessScript");
    else if (redeem && witness && !cc_bytes_equal(beside, script) &&
             !cc_bytes_equal(beside, wsh))
        scripts_fail(call, "redeemScript does not correspond to witnessScript");
    else if (!pays_to(pays, script, wsh))
        scripts_fail(call, "redeemScript/witnessScript does not match "
                           "scriptPubKey");
    else
        ok = true;
    if (ok) {
        cc_signer_add_script(g, script.data, script.len);
        cc_signer_add_script(g, program, sizeof(program));
    }
out:
    free(redeem);
    free(witness);
    return ok;
}

/* "Previous output scriptPubKey mismatch", and both. */
static void script_mismatch(struct cc_rpc_call *call, struct cc_bytes known,
                            struct cc_bytes given)
{
    struct cc_writer a, b;

    cc_writer_init_heap(&a);
    cc_writer_init_heap(&b);
    cc_script_asm(&a, known, false);
    cc_script_asm(&b, given, false);
    cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                 "Previous output scriptPubKey mismatch:\n%.*s\nvs:\n%.*s",
                 (int)a.len, a.len ? (const char *)a.data : "", (int)b.len,
                 b.len ? (const char *)b.data : "");
    cc_writer_clear(&a);
    cc_writer_clear(&b);
}

/* One of prevtxs; script is for free if it was read. */
struct prev {
    struct cc_outpoint out;
    uint8_t *script;
    size_t len;
    json_t *amount; /* NULL: none was given */
};

static bool read_prev(struct cc_rpc_call *call, const json_t *o,
                      struct prev *out)
{
    json_t *vout, *script;
    int64_t n;

    if (!json_is_object(o)) {
        cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                     "expected object with {\"txid'\",\"vout\","
                     "\"scriptPubKey\"}");
        return false;
    }
    if (!json_object_get(o, "txid")) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR, "Missing txid");
        return false;
    }
    if (!cc_rpc_get_hash(call, json_object_get(o, "txid"), "txid",
                         out->out.txid) ||
        !cc_rpc_member(call, o, "vout", CC_RPC_NUM, &vout) ||
        !cc_rpc_member(call, o, "scriptPubKey", CC_RPC_STR, &script) ||
        !cc_rpc_member(call, o, "amount", CC_RPC_ANY, &out->amount))
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
    out->out.index = (uint32_t)n;
    return cc_rpc_get_hex(call, script, "scriptPubKey", &out->script,
                          &out->len);
}

/* To what is known of input i. */
static bool set_prev(struct cc_rpc_call *call, struct prevs *p, size_t i,
                     const struct prev *prev)
{
    struct cc_bytes script = cc_bytes(prev->script, prev->len);
    struct cc_txout *out = &p->coins[i].out;
    cc_amount value = call->env->params->max_money;

    if (p->known[i] && !cc_bytes_equal(out->script, script)) {
        script_mismatch(call, out->script, script);
        return false;
    }
    p->known[i] = true;
    out->script =
        cc_bytes(cc_arena_dup(&p->arena, script.data, script.len), script.len);
    out->value = value;
    if (!prev->amount)
        return true;
    if (!cc_rpc_get_amount(call, prev->amount, &value))
        return false;
    out->value = value;
    return true;
}

static bool add_prev(struct cc_rpc_call *call, struct cc_signer *g,
                     const json_t *o, struct prevs *p)
{
    struct prev prev;
    bool ok = true;

    if (!read_prev(call, o, &prev))
        return false;
    for (size_t i = 0; ok && i < g->tx->vin_count; i++) {
        if (cc_outpoint_equal(&g->tx->vin[i].prevout, &prev.out))
            ok = set_prev(call, p, i, &prev);
    }
    ok = ok && add_scripts(call, g, o, cc_bytes(prev.script, prev.len));
    free(prev.script);
    return ok;
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

/* What is wrong with input i; NULL: nothing. */
static const char *input_fault(const struct cc_rpc_call *call,
                               const struct cc_sighash *s, size_t i)
{
    const struct cc_coin *coin = &s->coins[i];
    enum cc_script_error why;

    /* A typed coin is spent by rules that need the chain: its owner's
     * witness is taken as it is. */
    if (call->env->params->storage_active && coin->out.script.len &&
        coin->out.script.data[0] == CC_OP_STORAGE)
        return s->tx->vin[i].witness_count ? NULL
                                           : "Typed coin without a witness";
    if (cc_script_verify(s, i, coin->out.script, coin->out.value,
                         CC_VERIFY_STANDARD, &why))
        return NULL;
    if (why == CC_SCRIPT_ERR_INVALID_STACK_OPERATION)
        return "Unable to sign input, invalid stack size (possibly missing "
               "key)";
    return cc_script_error_string(why);
}

json_t *cc_rpc_sign_result(const struct cc_rpc_call *call,
                           const struct cc_tx *tx, const struct cc_coin *coins,
                           const bool *known)
{
    json_t *o = json_object(), *errors = json_array();
    struct cc_sighash s;

    cc_sighash_init(&s, tx, coins);
    for (size_t i = 0; i < tx->vin_count; i++) {
        const char *fault = known[i] ? input_fault(call, &s, i)
                                     : "Input not found or already spent";

        if (fault)
            json_array_append_new(errors, input_error(&tx->vin[i], fault));
    }
    cc_json_set(o, "hex", cc_tx_hex(tx));
    cc_json_set_bool(o, "complete", !json_array_size(errors));
    if (json_array_size(errors))
        cc_json_set(o, "errors", errors);
    else
        json_decref(errors);
    return o;
}

/* A witness signs the amount: one that nobody told cannot have been right. */
static bool amount_missing(struct cc_rpc_call *call, const struct cc_tx *tx,
                           const struct prevs *p)
{
    char script[31] = "";

    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_txout *out = &p->coins[i].out;
        size_t shown = out->script.len < 15 ? out->script.len : 15;

        if (!p->known[i] || !tx->vin[i].witness_count ||
            out->value != call->env->params->max_money)
            continue;
        cc_hex_encode(script, out->script.data, shown);
        cc_rpc_error(call, CC_RPC_TYPE_ERROR,
                     "Missing amount for CTxOut(nValue=%" PRId64
                     ".%08d, scriptPubKey=%s)",
                     out->value / CC_COIN, (int)(out->value % CC_COIN), script);
        return true;
    }
    return false;
}

static json_t *sign_all(struct cc_rpc_call *call, struct cc_signer *g)
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
            cc_signer_input(g, i, default_type);
    cc_tx_finish(g->tx);
    if (amount_missing(call, g->tx, &p))
        goto out;
    result = cc_rpc_sign_result(call, g->tx, p.coins, p.known);
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
    struct cc_signer g = {.ec = call->env->ec};
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

/* --- Combining --------------------------------------------------------- */

/* Every push and witness item of input i in any variant goes into tx's input,
 * where cc_signer_input picks the signatures from; scripts among them are
 * learnt. */
static void pour_together(struct cc_signer *g, size_t i,
                          const struct cc_tx *variants, size_t count)
{
    struct cc_bytes pushes[CC_SIGNER_PUSHES], *items;
    size_t n, total = 0;
    struct cc_writer w;

    for (size_t v = 0; v < count; v++)
        total +=
            i < variants[v].vin_count ? variants[v].vin[i].witness_count : 0;
    items = cc_arena_calloc(&g->tx->arena, total + 1, sizeof(*items));
    total = 0;
    cc_writer_init_heap(&w);
    for (size_t v = 0; v < count; v++) {
        const struct cc_txin *in = &variants[v].vin[i];

        if (i >= variants[v].vin_count)
            continue;
        n = cc_signer_pushes(in->script_sig, pushes, CC_SIGNER_PUSHES);
        cc_write_bytes(&w, in->script_sig.data, in->script_sig.len);
        if (n)
            cc_signer_add_script(g, pushes[n - 1].data, pushes[n - 1].len);
        for (size_t k = 0; k < in->witness_count; k++)
            items[total++] = in->witness[k];
        if (in->witness_count)
            cc_signer_add_script(g, items[total - 1].data,
                                 items[total - 1].len);
    }
    g->tx->vin[i].script_sig =
        cc_bytes(cc_arena_dup(&g->tx->arena, w.data, w.len), w.len);
    g->tx->vin[i].witness = items;
    g->tx->vin[i].witness_count = total;
    cc_writer_clear(&w);
}

/* The variant whose input i is good as it is, else the first that has
 * anything there; NULL: none. */
static const struct cc_txin *best_input(const struct cc_signer *g, size_t i,
                                        const struct cc_tx *variants,
                                        size_t count, bool *good)
{
    const struct cc_txin *first = NULL;
    const struct cc_coin *coin = &g->sighash.coins[i];
    struct cc_sighash s;

    *good = false;
    for (size_t v = 0; v < count; v++) {
        const struct cc_txin *in = &variants[v].vin[i];

        if (i >= variants[v].vin_count ||
            (!in->script_sig.len && !in->witness_count))
            continue;
        cc_sighash_init(&s, &variants[v], g->sighash.coins);
        *good = variants[v].vin_count == g->tx->vin_count &&
                cc_script_verify(&s, i, coin->out.script, coin->out.value,
                                 CC_VERIFY_STANDARD, NULL);
        if (*good)
            return in;
        first = first ? first : in;
    }
    return first;
}

static void combine_input(struct cc_signer *g, size_t i,
                          const struct cc_tx *variants, size_t count)
{
    const struct cc_txin *in;
    struct cc_bytes poured;
    size_t items;
    bool good;

    in = best_input(g, i, variants, count, &good);
    if (!in)
        return;
    if (!good) {
        pour_together(g, i, variants, count);
        poured = g->tx->vin[i].script_sig;
        items = g->tx->vin[i].witness_count;
        cc_signer_input(g, i, true);
        if (!cc_bytes_equal(poured, g->tx->vin[i].script_sig) ||
            items != g->tx->vin[i].witness_count)
            return; /* something was made of it */
    }
    g->tx->vin[i].script_sig = in->script_sig;
    g->tx->vin[i].witness = in->witness;
    g->tx->vin[i].witness_count = in->witness_count;
}

static json_t *combine(struct cc_rpc_call *call, const struct cc_tx *variants,
                       size_t count)
{
    struct cc_signer g = {.ec = call->env->ec, .type = CC_SIGHASH_ALL};
    struct prevs p = {0};
    struct cc_tx tx;
    json_t *result = NULL;
    bool all = true;

    cc_tx_copy(&tx, &variants[0]);
    g.tx = &tx;
    g.scripts = cc_calloc(2 * count * (tx.vin_count + 1), sizeof(*g.scripts));
    cc_arena_init(&p.arena);
    p.coins = cc_calloc(tx.vin_count + 1, sizeof(*p.coins));
    p.known = cc_calloc(tx.vin_count + 1, sizeof(*p.known));
    find_coins(call, &tx, &p);
    for (size_t i = 0; i < tx.vin_count; i++)
        all = all && p.known[i];
    if (all) {
        cc_sighash_init(&g.sighash, &tx, p.coins);
        for (size_t i = 0; i < tx.vin_count; i++)
            combine_input(&g, i, variants, count);
        cc_tx_finish(&tx);
        result = cc_tx_hex(&tx);
    } else {
        cc_rpc_error(call, CC_RPC_VERIFY_ERROR,
                     "Input not found or already spent");
    }
    cc_tx_clear(&tx);
    while (g.script_count)
        free((void *)g.scripts[--g.script_count].data);
    free(g.scripts);
    free(p.coins);
    free(p.known);
    cc_arena_clear(&p.arena);
    return result;
}

static json_t *combinerawtransaction(struct cc_rpc_call *call)
{
    const json_t *list = cc_rpc_arg(call, 0);
    size_t n = json_array_size(list), have = 0;
    struct cc_tx *variants = cc_calloc(n + 1, sizeof(*variants));
    json_t *result = NULL;

    for (; have < n; have++) {
        const char *hex;

        if (!cc_rpc_get_str(call, json_array_get(list, have), &hex))
            goto out;
        if (!cc_tx_from_hex(hex, true, true, &variants[have])) {
            cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                         "TX decode failed for tx %zu. Make sure the tx has "
                         "at least one input.",
                         have);
            goto out;
        }
    }
    if (n)
        result = combine(call, variants, n);
    else
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Missing transactions");
out:
    while (have)
        cc_tx_clear(&variants[--have]);
    free(variants);
    return result;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg combine_args[] = {
    CC_ARG_AS("txs", CC_RPC_ARR, NULL,
              "The hex strings of partially signed transactions",
              "[\"hexstring\",...]"),
};
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
    {"rawtransactions", "combinerawtransaction", combinerawtransaction,
     CC_RPC_ARGS(combine_args),
     "Combine multiple partially signed transactions into one transaction.\n"
     "The combined transaction may be another partially signed transaction or "
     "a fully signed transaction.",
     "\"hex\"    (string) The hex-encoded raw transaction with signature(s)",
     "'[\"myhex1\", \"myhex2\", \"myhex3\"]'", 0},
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
