/* wallets: funding and signing transactions made elsewhere. */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/interpreter.h"
#include "rpc/rawtransaction.h"
#include "rpc/walletcall.h"
#include "util/hex.h"
#include "util/mem.h"

#define WEIGHT_MIN (4 * 41)
#define WEIGHT_MAX 400000

/* --- fundrawtransaction ------------------------------------------------ */

struct fund {
    struct cc_tx tx; /* as given */
    struct cc_spend s;
    struct cc_payment *payments;
    struct cc_outpoint *inputs;
    uint32_t *sequences;
    size_t *weights;
    uint8_t change[CC_ADDRESS_SCRIPT_MAX];
};

static void fund_clear(struct fund *f)
{
    cc_tx_clear(&f->tx);
    free(f->payments);
    free(f->inputs);
    free(f->sequences);
    free(f->weights);
}

/* The transaction as a wish: what it has stays as it is. */
static void fund_init(struct fund *f)
{
    f->payments = cc_calloc(f->tx.vout_count + 1, sizeof(*f->payments));
    f->inputs = cc_calloc(f->tx.vin_count + 1, sizeof(*f->inputs));
    f->sequences = cc_calloc(f->tx.vin_count + 1, sizeof(*f->sequences));
    f->weights = cc_calloc(f->tx.vin_count + 1, sizeof(*f->weights));
    for (size_t i = 0; i < f->tx.vout_count; i++) {
        f->payments[i].script = f->tx.vout[i].script;
        f->payments[i].value = f->tx.vout[i].value;
    }
    for (size_t i = 0; i < f->tx.vin_count; i++) {
        f->inputs[i] = f->tx.vin[i].prevout;
        f->sequences[i] = f->tx.vin[i].sequence;
    }
    f->s.payments = f->payments;
    f->s.payment_count = f->tx.vout_count;
    f->s.inputs = f->inputs;
    f->s.input_count = f->tx.vin_count;
    f->s.sequences = f->sequences;
    f->s.weights = f->weights;
    f->s.locktime = f->tx.locktime;
    f->s.set_locktime = true;
    f->s.version = f->tx.version;
    f->s.change_position = -1;
}

/* Member by either of its names (old, new). */
static bool member(struct cc_rpc_call *call, const json_t *o, const char *old,
                   const char *fresh, enum cc_rpc_type type, json_t **out)
{
    if (!cc_rpc_member(call, o, old, type, out))
        return false;
    return *out || cc_rpc_member(call, o, fresh, type, out);
}

static bool take_change(struct cc_rpc_call *call, const json_t *o,
                        struct fund *f)
{
    json_t *v;
    int64_t place;
    size_t len;

    if (!member(call, o, "changeAddress", "change_address", CC_RPC_STR, &v))
        return false;
    if (v) {
        if (!cc_address_decode(f->change, &len, json_string_value(v),
                               &call->env->params->prefixes, NULL)) {
            cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                         "Change address must be a valid bitcoin address");
            return false;
        }
        f->s.change_script = cc_bytes(f->change, len);
    }
    if (!member(call, o, "changePosition", "change_position", CC_RPC_NUM, &v))
        return false;
    if (!v)
        return true;
    if (!cc_json_get_int(v, &place) || place < -1 ||
        place > (int64_t)f->tx.vout_count) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "changePosition out of bounds");
        return false;
    }
    f->s.change_position = (int)place;
    return true;
}

static bool take_feerate(struct cc_rpc_call *call, const json_t *o,
                         struct fund *f)
{
    const json_t *coins = json_object_get(o, "feeRate"),
                 *sat = json_object_get(o, "fee_rate");

    if (coins && sat) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Cannot specify both fee_rate (sat/vB) and feeRate "
                     "(BTC/kvB)");
        return false;
    }
    if ((coins || sat) && json_object_get(o, "conf_target")) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Cannot specify both conf_target and %s. Please provide "
                     "either a confirmation target in blocks for automatic fee "
                     "estimation, or an explicit fee rate.",
                     coins ? "feeRate" : "fee_rate");
        return false;
    }
    if (sat)
        return cc_rpc_get_fixed(call, sat, 3, &f->s.feerate);
    return cc_rpc_get_amount(call, coins, &f->s.feerate);
}

static bool take_subtract(struct cc_rpc_call *call, const json_t *o,
                          struct fund *f)
{
    json_t *list;

    if (!member(call, o, "subtractFeeFromOutputs", "subtract_fee_from_outputs",
                CC_RPC_ARR, &list))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *fault = NULL;
        int64_t n = -1;

        if (!cc_json_get_int(json_array_get(list, i), &n)) {
            cc_rpc_error(call, CC_RPC_MISC_ERROR, "JSON integer out of range");
            return false;
        }
        if (n < 0)
            fault = "negative position";
        else if (n >= (int64_t)f->tx.vout_count)
            fault = "position too large";
        else if (f->payments[n].subtract_fee)
            fault = "duplicated position";
        if (fault) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Invalid parameter, %s: %" PRId64, fault, n);
            return false;
        }
        f->payments[n].subtract_fee = true;
    }
    return true;
}

static bool take_weight(struct cc_rpc_call *call, const json_t *v,
                        struct fund *f)
{
    struct cc_outpoint o;
    int64_t vout = -1, weight = -1;

    if (!cc_rpc_get_hash(call, json_object_get(v, "txid"), "txid", o.txid))
        return false;
    if (!cc_json_get_int(json_object_get(v, "vout"), &vout)) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Invalid parameter, missing vout key");
        return false;
    }
    if (vout < 0 || vout > UINT32_MAX) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Invalid parameter, vout cannot be negative");
        return false;
    }
    if (!cc_json_get_int(json_object_get(v, "weight"), &weight)) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Invalid parameter, missing weight key");
        return false;
    }
    if (weight < WEIGHT_MIN || weight > WEIGHT_MAX) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     weight < WEIGHT_MIN
                         ? "Invalid parameter, weight cannot be less than 165 "
                           "(41 bytes (size of outpoint + sequence + empty "
                           "scriptSig) * 4 (witness scaling factor)) + 1 "
                           "(empty witness)"
                         : "Invalid parameter, weight cannot be greater than "
                           "the maximum standard tx weight of 400000");
        return false;
    }
    o.index = (uint32_t)vout;
    for (size_t i = 0; i < f->tx.vin_count; i++) {
        if (cc_outpoint_equal(&f->inputs[i], &o))
            f->weights[i] = (size_t)weight;
    }
    return true;
}

static bool take_weights(struct cc_rpc_call *call, const json_t *o,
                         struct fund *f)
{
    json_t *list;

    if (!cc_rpc_member(call, o, "input_weights", CC_RPC_ARR, &list))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!take_weight(call, json_array_get(list, i), f))
            return false;
    }
    return true;
}

static bool take_flags(struct cc_rpc_call *call, const json_t *o,
                       struct fund *f)
{
    json_t *v;

    if (!cc_rpc_member(call, o, "add_inputs", CC_RPC_BOOL, &v))
        return false;
    f->s.no_more_inputs = v && !json_is_true(v);
    if (!cc_rpc_member(call, o, "include_unsafe", CC_RPC_BOOL, &v))
        return false;
    f->s.include_unsafe = json_is_true(v);
    if (!member(call, o, "lockUnspents", "lock_unspents", CC_RPC_BOOL, &v))
        return false;
    f->s.lock_inputs = json_is_true(v);
    if (!cc_rpc_member(call, o, "replaceable", CC_RPC_BOOL, &v))
        return false;
    f->s.rbf = !v ? 0 : json_is_true(v) ? 1 : -1;
    if (!cc_rpc_member(call, o, "minconf", CC_RPC_NUM, &v))
        return false;
    if (v && (!cc_json_get_int(v, &f->s.min_depth) || f->s.min_depth < 0)) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Negative minconf");
        return false;
    }
    if (!cc_rpc_member(call, o, "maxconf", CC_RPC_NUM, &v))
        return false;
    if (v && (!cc_json_get_int(v, &f->s.max_depth) ||
              f->s.max_depth < f->s.min_depth)) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "maxconf can't be lower than minconf: %" PRId64
                     " < %" PRId64,
                     f->s.max_depth, f->s.min_depth);
        return false;
    }
    return true;
}

static bool take_options(struct cc_rpc_call *call, const json_t *o,
                         struct fund *f)
{
    static const char *const names[] = {
        "add_inputs",
        "include_unsafe",
        "changeAddress",
        "change_address",
        "changePosition",
        "change_position",
        "change_type",
        "includeWatching",
        "include_watching",
        "lockUnspents",
        "lock_unspents",
        "feeRate",
        "fee_rate",
        "subtractFeeFromOutputs",
        "subtract_fee_from_outputs",
        "input_weights",
        "replaceable",
        "conf_target",
        "estimate_mode",
        "minconf",
        "maxconf",
        "solving_data",
    };

    if (!json_is_object(o)) /* true and false once meant includeWatching */
        return true;
    return cc_rpc_strict(call, o, names, sizeof(names) / sizeof(*names)) &&
           take_change(call, o, f) && take_feerate(call, o, f) &&
           take_subtract(call, o, f) && take_weights(call, o, f) &&
           take_flags(call, o, f);
}

static json_t *fund(struct cc_rpc_call *call, struct cc_wallet *w,
                    struct fund *f)
{
    struct cc_built b;
    struct cc_error err;
    enum cc_status st = cc_wallet_build(w, &f->s, &b, &err);
    json_t *o;

    if (st != CC_OK)
        return cc_rpc_error(call,
                            st == CC_IO || st == CC_CORRUPT
                                ? CC_RPC_DATABASE_ERROR
                                : CC_RPC_WALLET_ERROR,
                            "%s", err.text);
    for (size_t i = 0; i < f->tx.vin_count; i++) {
        b.tx.vin[i].script_sig = f->tx.vin[i].script_sig;
        b.tx.vin[i].witness = f->tx.vin[i].witness;
        b.tx.vin[i].witness_count = f->tx.vin[i].witness_count;
    }
    cc_tx_finish(&b.tx);
    st = cc_wallet_reserve_change(w, &b, &err);
    if (st != CC_OK) {
        cc_built_clear(&b);
        return cc_rpc_wallet_error(call, st, &err, CC_RPC_WALLET_ERROR);
    }
    o = json_object();
    cc_json_set(o, "hex", cc_tx_hex(&b.tx));
    cc_json_set_amount(o, "fee", b.fee);
    cc_json_set_int(o, "changepos", b.change_position);
    cc_built_clear(&b);
    return o;
}

static json_t *fundrawtransaction(struct cc_rpc_call *call)
{
    const json_t *options = cc_rpc_arg(call, 1);
    bool given = cc_rpc_arg(call, 2) != NULL;
    bool witness = cc_rpc_bool(call, 2, false);
    struct fund f = {.s = {.payments = NULL}};
    struct cc_wallet *w;
    json_t *o = NULL;

    if (options && !json_is_object(options) && !json_is_boolean(options)) {
        cc_rpc_wrong_type(call, options, "object");
        return NULL;
    }
    if (!cc_tx_from_hex(cc_rpc_str(call, 0, ""), !given || !witness,
                        !given || witness, &f.tx))
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                            "TX decode failed");
    fund_init(&f);
    if (!f.tx.vout_count)
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "TX must have at least one output");
    else if (take_options(call, options, &f) && (w = cc_rpc_wallet(call))) {
        o = fund(call, w, &f);
        cc_rpc_wallet_end(call);
    }
    fund_clear(&f);
    return o;
}

/* --- signrawtransactionwithwallet -------------------------------------- */

static bool take_hash_type(struct cc_rpc_call *call, size_t arg, uint8_t *type)
{
    static const struct {
        const char *name;
        uint8_t type;
    } types[] = {
        {"DEFAULT", CC_SIGHASH_DEFAULT},
        {"ALL", CC_SIGHASH_ALL},
        {"ALL|ANYONECANPAY", CC_SIGHASH_ALL | CC_SIGHASH_ANYONECANPAY},
        {"NONE", CC_SIGHASH_NONE},
        {"NONE|ANYONECANPAY", CC_SIGHASH_NONE | CC_SIGHASH_ANYONECANPAY},
        {"SINGLE", CC_SIGHASH_SINGLE},
        {"SINGLE|ANYONECANPAY", CC_SIGHASH_SINGLE | CC_SIGHASH_ANYONECANPAY},
    };
    const char *name = cc_rpc_str(call, arg, "DEFAULT");

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (!strcmp(types[i].name, name)) {
            *type = types[i].type;
            return true;
        }
    }
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                 "%s is not a valid sighash parameter.", name);
    return false;
}

struct sign {
    struct cc_tx tx;
    struct cc_coin *coins;
    bool *known;
    struct cc_arena arena;
};

/* One of prevtxs: a coin the node may not know yet. */
static bool take_prevtx(struct cc_rpc_call *call, const json_t *v,
                        struct sign *s)
{
    struct cc_outpoint o;
    struct cc_coin coin = {.height = 0};
    uint8_t *script;
    int64_t vout = -1;
    size_t len;

    if (!json_is_object(v)) {
        cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                     "expected object with {\"txid'\",\"vout\",\"scriptPubKey\""
                     "}");
        return false;
    }
    if (!cc_rpc_get_hash(call, json_object_get(v, "txid"), "txid", o.txid))
        return false;
    if (!cc_json_get_int(json_object_get(v, "vout"), &vout) || vout < 0 ||
        vout > UINT32_MAX) {
        cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                     "vout cannot be negative");
        return false;
    }
    o.index = (uint32_t)vout;
    if (!cc_rpc_get_amount(call, json_object_get(v, "amount"),
                           &coin.out.value) ||
        !cc_rpc_get_hex(call, json_object_get(v, "scriptPubKey"),
                        "scriptPubKey", &script, &len))
        return false;
    coin.out.script = cc_bytes(cc_arena_dup(&s->arena, script, len), len);
    free(script);
    for (size_t i = 0; i < s->tx.vin_count; i++) {
        if (!cc_outpoint_equal(&s->tx.vin[i].prevout, &o))
            continue;
        if (s->known[i] &&
            !cc_bytes_equal(s->coins[i].out.script, coin.out.script)) {
            cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                         "Previous output scriptPubKey mismatch");
            return false;
        }
        s->coins[i] = coin;
        s->known[i] = true;
    }
    return true;
}

static bool find_coins(struct cc_rpc_call *call, struct cc_wallet *w,
                       struct sign *s)
{
    const json_t *list = cc_rpc_arg(call, 1);

    for (size_t i = 0; i < s->tx.vin_count; i++)
        s->known[i] =
            cc_wallet_find_coin(w, &s->tx.vin[i].prevout, &s->coins[i],
                                &s->arena, NULL) == CC_OK;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!take_prevtx(call, json_array_get(list, i), s))
            return false;
    }
    return true;
}

static json_t *sign(struct cc_rpc_call *call, struct cc_wallet *w,
                    struct sign *s, uint8_t type)
{
    struct cc_error err;
    enum cc_status st = CC_OK;
    bool all = true;

    if (!find_coins(call, w, s))
        return NULL;
    for (size_t i = 0; i < s->tx.vin_count; i++)
        all &= s->known[i];
    /* BIP 341 signs over all coins: with one unknown there is nothing to
     * sign. */
    if (all)
        st = cc_wallet_sign(w, &s->tx, s->coins, type, NULL, &err);
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err, CC_RPC_WALLET_ERROR);
    return cc_rpc_sign_result(call, &s->tx, s->coins, s->known);
}

static json_t *signrawtransactionwithwallet(struct cc_rpc_call *call)
{
    struct cc_wallet *w;
    struct sign s;
    uint8_t type;
    json_t *o = NULL;

    memset(&s, 0, sizeof(s));
    if (!cc_tx_from_hex(cc_rpc_str(call, 0, ""), true, true, &s.tx))
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                            "TX decode failed. Make sure the tx has at least "
                            "one input.");
    cc_arena_init(&s.arena);
    s.coins = cc_arena_calloc(&s.arena, s.tx.vin_count + 1, sizeof(*s.coins));
    s.known = cc_arena_calloc(&s.arena, s.tx.vin_count + 1, sizeof(*s.known));
    if (take_hash_type(call, 2, &type) && (w = cc_rpc_wallet(call))) {
        if (cc_rpc_wallet_unlocked(call, w))
            o = sign(call, w, &s, type);
        cc_rpc_wallet_end(call);
    }
    cc_tx_clear(&s.tx);
    cc_arena_clear(&s.arena);
    return o;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg fund_args[] = {
    CC_ARG("hexstring", CC_RPC_HEX, NULL,
           "The hex string of the raw transaction"),
    CC_ARG("options", CC_RPC_ANY, "",
           "add_inputs, include_unsafe, changeAddress, changePosition, "
           "lockUnspents, fee_rate (sat/vB), feeRate (per kvB), "
           "subtractFeeFromOutputs, input_weights, replaceable, minconf, "
           "maxconf"),
    CC_ARG("iswitness", CC_RPC_BOOL, "",
           "Whether the transaction hex is a serialized witness transaction."),
};
static const struct cc_rpc_arg sign_args[] = {
    CC_ARG("hexstring", CC_RPC_STR, NULL, "The transaction hex string"),
    CC_ARG_AS("prevtxs", CC_RPC_ARR, "",
              "The previous dependent transaction outputs, each with txid, "
              "vout, scriptPubKey, amount",
              "[{\"txid\":\"hex\",\"vout\":n,\"scriptPubKey\":\"hex\","
              "\"redeemScript\":\"hex\",\"witnessScript\":\"hex\","
              "\"amount\":amount},...]"),
    CC_ARG("sighashtype", CC_RPC_STR, "DEFAULT",
           "The signature hash type: DEFAULT, ALL, NONE, SINGLE, and the three "
           "with |ANYONECANPAY"),
};

static const struct cc_rpc_method methods[] = {
    {"rawtransactions", "fundrawtransaction", fundrawtransaction,
     CC_RPC_ARGS(fund_args),
     "If the transaction has no inputs, they will be automatically selected to "
     "meet its out value.\n"
     "It will add at most one change output to the outputs.\n"
     "No existing outputs will be modified unless \"subtractFeeFromOutputs\" "
     "is specified.\n"
     "Note that inputs which were signed may need to be resigned after "
     "completion since in/outputs have been added.",
     "{...}    hex, fee, changepos", "\"rawtransactionhex\"", 0},
    {"wallet", "signrawtransactionwithwallet", signrawtransactionwithwallet,
     CC_RPC_ARGS(sign_args),
     "Sign inputs for raw transaction (serialized, hex-encoded).\n"
     "The second optional argument (may be null) is an array of previous "
     "transaction outputs that this transaction depends on but may not yet be "
     "in the block chain.",
     "{...}    hex, complete, errors: txid, vout, witness, scriptSig, "
     "sequence, error",
     "\"myhex\"", 0},
};

void cc_rpc_register_wallet_raw(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
