/* rawtransactions: making transactions from a list of inputs and outputs. */
#include <stdlib.h>

#include "consensus/script.h"
#include "crypto/address.h"
#include "rpc/families.h"
#include "rpc/rawtransaction.h"
#include "rpc/txjson.h"
#include "util/mem.h"

#define SEQUENCE_RBF 0xfffffffdu /* BIP 125: the highest that signals */

/* --- Inputs ------------------------------------------------------------ */

static bool fail(struct cc_rpc_call *call, const char *text)
{
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "%s", text);
    return false;
}

static bool out_of_range(struct cc_rpc_call *call)
{
    cc_rpc_error(call, CC_RPC_MISC_ERROR, "JSON integer out of range");
    return false;
}

static bool build_input(struct cc_rpc_call *call, const json_t *v,
                        uint32_t fallback, struct cc_txin *in)
{
    const json_t *vout, *sequence;
    int64_t n;

    if (!json_is_object(v))
        return cc_rpc_wrong_type(call, v, "object");
    if (!cc_rpc_get_hash(call, json_object_get(v, "txid"), "txid",
                         in->prevout.txid))
        return false;
    vout = json_object_get(v, "vout");
    if (!cc_json_is_number(vout))
        return fail(call, "Invalid parameter, missing vout key");
    if (!cc_json_get_int(vout, &n) || n < INT32_MIN || n > INT32_MAX)
        return out_of_range(call);
    if (n < 0)
        return fail(call, "Invalid parameter, vout cannot be negative");
    in->prevout.index = (uint32_t)n;
    in->sequence = fallback;
    sequence = json_object_get(v, "sequence");
    if (cc_json_is_number(sequence)) {
        if (!cc_json_get_int(sequence, &n))
            return out_of_range(call);
        if (n < 0 || n > UINT32_MAX)
            return fail(call, "Invalid parameter, sequence number is out of "
                              "range");
        in->sequence = (uint32_t)n;
    }
    return true;
}

static bool build_inputs(struct cc_rpc_call *call, const json_t *inputs,
                         const json_t *replaceable, struct cc_tx *tx)
{
    bool rbf =
        !replaceable || json_is_null(replaceable) || json_is_true(replaceable);
    uint32_t fallback = rbf            ? SEQUENCE_RBF
                        : tx->locktime ? CC_SEQUENCE_FINAL - 1
                                       : CC_SEQUENCE_FINAL;
    size_t n = json_array_size(inputs);

    tx->vin = cc_arena_calloc(&tx->arena, n + 1, sizeof(*tx->vin));
    for (size_t i = 0; i < n; i++) {
        if (!build_input(call, json_array_get(inputs, i), fallback,
                         &tx->vin[i]))
            return false;
    }
    tx->vin_count = n;
    return true;
}

static bool signals(const struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (tx->vin[i].sequence <= SEQUENCE_RBF)
            return true;
    return false;
}

/* --- Outputs ----------------------------------------------------------- */

static struct cc_bytes keep(struct cc_tx *tx, const void *data, size_t len)
{
    return cc_bytes(cc_arena_dup(&tx->arena, data, len), len);
}

static bool data_output(struct cc_rpc_call *call, const json_t *v,
                        struct cc_tx *tx, struct cc_txout *out)
{
    struct cc_writer w;
    uint8_t *data;
    size_t len;

    if (!cc_rpc_get_hex(call, v, "Data", &data, &len))
        return false;
    cc_writer_init_heap(&w);
    cc_write_u8(&w, CC_OP_RETURN);
    cc_script_push(&w, data, len);
    out->value = 0;
    out->script = keep(tx, w.data, w.len);
    cc_writer_clear(&w);
    free(data);
    return true;
}

static bool build_output(struct cc_rpc_call *call, const char *key,
                         const json_t *v, struct cc_tx *tx)
{
    struct cc_txout *out = &tx->vout[tx->vout_count];
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    size_t len;

    if (!strcmp(key, "data")) {
        for (size_t i = 0; i < tx->vout_count; i++)
            if (tx->vout[i].script.data[0] == CC_OP_RETURN)
                return fail(call, "Invalid parameter, duplicate key: data");
        if (!data_output(call, v, tx, out))
            return false;
        tx->vout_count++;
        return true;
    }
    if (!cc_address_decode(script, &len, key, &call->env->params->prefixes,
                           NULL)) {
        cc_rpc_bad_address(call, key);
        return false;
    }
    for (size_t i = 0; i < tx->vout_count; i++)
        if (cc_bytes_equal(tx->vout[i].script, cc_bytes(script, len))) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Invalid parameter, duplicated address: %s", key);
            return false;
        }
    if (!v || json_is_null(v)) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR,
                     "Amount is not a number or string");
        return false;
    }
    if (!cc_rpc_get_amount(call, v, &out->value))
        return false;
    out->script = keep(tx, script, len);
    tx->vout_count++;
    return true;
}

static bool build_outputs(struct cc_rpc_call *call, const json_t *outputs,
                          struct cc_tx *tx)
{
    size_t n = json_is_object(outputs) ? json_object_size(outputs)
                                       : json_array_size(outputs);
    const char *key;
    json_t *v;

    if (!outputs || json_is_null(outputs))
        return fail(call, "Invalid parameter, output argument must be "
                          "non-null");
    if (!json_is_object(outputs) && !json_is_array(outputs))
        return cc_rpc_wrong_type(call, outputs, "array");
    tx->vout = cc_arena_calloc(&tx->arena, n + 1, sizeof(*tx->vout));
    if (json_is_object(outputs)) {
        json_object_foreach((json_t *)outputs, key, v)
        {
            size_t len;
            char *name;

            (void)cc_json_key_repeated(key, &len);
            name = cc_asprintf("%.*s", (int)len, key);
            if (!build_output(call, name, v, tx)) {
                free(name);
                return false;
            }
            free(name);
        }
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(outputs, i);
        void *it;

        if (!json_is_object(o))
            return fail(call, "Invalid parameter, key-value pair not an "
                              "object as expected");
        if (json_object_size(o) != 1)
            return fail(call, "Invalid parameter, key-value pair must contain "
                              "exactly one key");
        it = json_object_iter((json_t *)o);
        if (!build_output(call, json_object_iter_key(it),
                          json_object_iter_value(it), tx))
            return false;
    }
    return true;
}

bool cc_rpc_construct(struct cc_rpc_call *call, const json_t *inputs,
                      const json_t *outputs, const json_t *locktime,
                      const json_t *replaceable, struct cc_tx *out)
{
    struct cc_tx tx = {.version = 2};
    int64_t n = 0;

    if (locktime && !json_is_null(locktime) && !cc_json_get_int(locktime, &n))
        return out_of_range(call);
    if (n < 0 || n > UINT32_MAX)
        return fail(call, "Invalid parameter, locktime out of range");
    tx.locktime = (uint32_t)n;
    cc_arena_init(&tx.arena);
    if (!build_inputs(call, inputs, replaceable, &tx) ||
        !build_outputs(call, outputs, &tx)) {
        cc_tx_clear(&tx);
        return false;
    }
    if (json_is_true(replaceable) && tx.vin_count && !signals(&tx)) {
        cc_tx_clear(&tx);
        return fail(call, "Invalid parameter combination: Sequence number(s) "
                          "contradict replaceable option");
    }
    cc_tx_finish(&tx);
    *out = tx;
    return true;
}

static json_t *createrawtransaction(struct cc_rpc_call *call)
{
    struct cc_tx tx;
    json_t *result;

    if (!cc_rpc_construct(call, cc_rpc_arg(call, 0), cc_rpc_arg(call, 1),
                          cc_rpc_arg(call, 2), cc_rpc_arg(call, 3), &tx))
        return NULL;
    result = cc_tx_hex(&tx);
    cc_tx_clear(&tx);
    return result;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg create_args[] = {
    CC_ARG_AS("inputs", CC_RPC_ARR, NULL,
              "The inputs, each an object of txid, vout and maybe sequence",
              "[{\"txid\":\"hex\",\"vout\":n,\"sequence\":n},...]"),
    CC_ARG_AS("outputs", CC_RPC_ANY, NULL,
              "The outputs: {address: amount, ...}, or a list of such pairs. "
              "\"data\" with hex makes an output that carries it.",
              "[{\"address\":amount,...},{\"data\":\"hex\"},...]"),
    CC_ARG("locktime", CC_RPC_NUM, "0",
           "Raw locktime. Non-0 value also locktime-activates inputs"),
    CC_ARG("replaceable", CC_RPC_BOOL, "true",
           "Marks this transaction as BIP125-replaceable."),
};

static const struct cc_rpc_method methods[] = {
    {"rawtransactions", "createrawtransaction", createrawtransaction,
     CC_RPC_ARGS(create_args),
     "Create a transaction spending the given inputs and creating new "
     "outputs.\nReturns hex-encoded raw transaction. Its inputs are not "
     "signed, and it is not stored or sent.",
     "\"hex\"    (string) hex string of the transaction",
     "'[{\"txid\":\"myid\",\"vout\":0}]' '[{\"address\":0.01}]'", 0},
};

void cc_rpc_register_rawcreate(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
