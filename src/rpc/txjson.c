#include "rpc/txjson.h"

#include <stdio.h>
#include <stdlib.h>

#include "consensus/script.h"
#include "crypto/address.h"
#include "crypto/ec.h"
#include "rpc/internal.h"
#include "util/hex.h"
#include "util/mem.h"
#include "wallet/descriptor.h"

/* --- Scripts as JSON --------------------------------------------------- */

static json_t *asm_json(struct cc_bytes script, bool sighash)
{
    struct cc_writer w;
    json_t *v;

    cc_writer_init_heap(&w);
    cc_script_asm(&w, script, sighash);
    v = json_stringn_nocheck(w.len ? (const char *)w.data : "", w.len);
    cc_writer_clear(&w);
    return v;
}

void cc_script_json_into(json_t *o, struct cc_bytes script,
                         struct cc_bytes inner, const struct cc_params *p,
                         bool hex, bool address)
{
    struct cc_bytes sols[22];
    char text[CC_ADDRESS_MAX];
    size_t count;
    enum cc_script_type type =
        cc_script_solve(script, p->storage_active, sols, &count);
    json_t *typed;
    char *s;

    cc_json_set(o, "asm", asm_json(script, false));
    if (address) {
        s = cc_descriptor_infer(script, inner, p);
        cc_json_set_str(o, "desc", s);
        free(s);
    }
    if (hex)
        cc_json_set(o, "hex", cc_json_hex(script));
    if (address && type != CC_SCRIPT_PUBKEY &&
        cc_address_encode(text, script.data, script.len, &p->prefixes))
        cc_json_set_str(o, "address", text);
    cc_json_set_str(o, "type", cc_script_type_name(type));
    typed = type == CC_SCRIPT_STORAGE ? cc_typed_json(script, p) : NULL;
    if (typed)
        cc_json_set(o, "storage", typed);
}

json_t *cc_script_json(struct cc_bytes script, const struct cc_params *p)
{
    json_t *o = json_object();

    cc_script_json_into(o, script, cc_bytes(NULL, 0), p, true, true);
    return o;
}

/* --- Transactions as JSON ---------------------------------------------- */

json_t *cc_tx_hex(const struct cc_tx *tx)
{
    struct cc_writer w;
    json_t *v;

    cc_writer_init_heap(&w);
    cc_tx_write(&w, tx, true);
    v = cc_json_hex(cc_bytes(w.data, w.len));
    cc_writer_clear(&w);
    return v;
}

static json_t *witness_json(const struct cc_txin *in)
{
    json_t *a = json_array();

    for (size_t i = 0; i < in->witness_count; i++)
        json_array_append_new(a, cc_json_hex(in->witness[i]));
    return a;
}

static json_t *prevout_json(const struct cc_coin *coin,
                            const struct cc_params *p)
{
    json_t *o = json_object();

    cc_json_set_bool(o, "generated", coin->coinbase);
    cc_json_set_int(o, "height", coin->height);
    cc_json_set_amount(o, "value", coin->out.value);
    cc_json_set(o, "scriptPubKey", cc_script_json(coin->out.script, p));
    return o;
}

static json_t *input_json(const struct cc_txin *in, bool coinbase,
                          const struct cc_coin *coin, const struct cc_params *p)
{
    json_t *o = json_object(), *sig;

    if (coinbase) {
        cc_json_set(o, "coinbase", cc_json_hex(in->script_sig));
    } else {
        cc_json_set_hash(o, "txid", in->prevout.txid);
        cc_json_set_int(o, "vout", in->prevout.index);
        sig = json_object();
        cc_json_set(sig, "asm", asm_json(in->script_sig, true));
        cc_json_set(sig, "hex", cc_json_hex(in->script_sig));
        cc_json_set(o, "scriptSig", sig);
    }
    if (in->witness_count)
        cc_json_set(o, "txinwitness", witness_json(in));
    if (coin)
        cc_json_set(o, "prevout", prevout_json(coin, p));
    cc_json_set_int(o, "sequence", in->sequence);
    return o;
}

static json_t *inputs_json(const struct cc_tx *tx, const struct cc_params *p,
                           const struct cc_tx_json_options *options)
{
    bool coinbase = cc_tx_is_coinbase(tx);
    json_t *a = json_array();

    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_coin *coin = NULL;

        if (options && options->prevout && options->undo && !coinbase)
            coin = &options->undo->coins[i];
        json_array_append_new(a, input_json(&tx->vin[i], coinbase, coin, p));
    }
    return a;
}

static json_t *outputs_json(const struct cc_tx *tx, const struct cc_params *p)
{
    json_t *a = json_array(), *o;

    for (size_t i = 0; i < tx->vout_count; i++) {
        o = json_object();
        cc_json_set_amount(o, "value", tx->vout[i].value);
        cc_json_set_int(o, "n", (int64_t)i);
        cc_json_set(o, "scriptPubKey", cc_script_json(tx->vout[i].script, p));
        json_array_append_new(a, o);
    }
    return a;
}

static bool is_typed(const struct cc_txout *out, const struct cc_params *p)
{
    return p->storage_active && out->script.len &&
           out->script.data[0] == CC_OP_STORAGE;
}

json_t *cc_tx_json(const struct cc_tx *tx, const struct cc_params *p,
                   const struct cc_tx_json_options *options)
{
    size_t weight = cc_tx_weight(tx);
    json_t *o = json_object();

    cc_json_set_hash(o, "txid", tx->txid);
    cc_json_set_hash(o, "hash", tx->wtxid);
    cc_json_set_int(o, "version", (uint32_t)tx->version);
    cc_json_set_int(o, "size", (int64_t)tx->size);
    cc_json_set_int(o, "vsize", (int64_t)((weight + 3) / 4));
    cc_json_set_int(o, "weight", (int64_t)weight);
    cc_json_set_int(o, "locktime", tx->locktime);
    cc_json_set(o, "vin", inputs_json(tx, p, options));
    cc_json_set(o, "vout", outputs_json(tx, p));
    if (options && options->undo && !cc_tx_is_coinbase(tx)) {
        cc_amount fee = 0;
        bool typed = false;

        for (size_t i = 0; i < options->undo->count; i++) {
            fee += options->undo->coins[i].out.value;
            typed = typed || is_typed(&options->undo->coins[i].out, p);
        }
        for (size_t i = 0; i < tx->vout_count; i++)
            fee -= tx->vout[i].value;
        /* Where coins are minted or go to the pool, this is not the fee. */
        if (!typed)
            cc_json_set_amount(o, "fee", fee);
    }
    if (!options || !options->no_hex)
        cc_json_set(o, "hex", cc_tx_hex(tx));
    return o;
}

/* --- And back ---------------------------------------------------------- */

/* Core prefers, of two readings, the one whose scripts look like scripts. */
static bool scripts_plausible(const struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (!cc_outpoint_is_null(&tx->vin[i].prevout)) {
            struct cc_bytes s = tx->vin[i].script_sig, push;
            size_t pos = 0;
            uint8_t op;

            while (pos < s.len)
                if (!cc_script_next(s, &pos, &op, &push))
                    return false;
        }
    for (size_t i = 0; i < tx->vout_count; i++) {
        struct cc_bytes s = tx->vout[i].script, push;
        size_t pos = 0;
        uint8_t op;

        if (s.len > CC_MAX_SCRIPT_SIZE)
            return false;
        while (pos < s.len)
            if (!cc_script_next(s, &pos, &op, &push))
                return false;
    }
    return true;
}

bool cc_tx_from_hex(const char *hex, bool try_no_witness, bool try_witness,
                    struct cc_tx *out)
{
    struct cc_tx extended, legacy;
    bool have_extended, have_legacy, ok = true;
    size_t len;
    uint8_t *data = cc_hex_decode_dup(hex, &len);

    if (!data)
        return false;
    have_extended =
        try_witness && cc_tx_decode(&extended, data, len, true) == CC_OK;
    have_legacy = try_no_witness &&
                  !(have_extended && scripts_plausible(&extended)) &&
                  cc_tx_decode(&legacy, data, len, false) == CC_OK;
    free(data);
    if (have_legacy && (!have_extended || scripts_plausible(&legacy))) {
        *out = legacy;
        if (have_extended)
            cc_tx_clear(&extended);
    } else if (have_extended) {
        *out = extended;
        if (have_legacy)
            cc_tx_clear(&legacy);
    } else {
        ok = false;
    }
    return ok;
}

bool cc_rpc_get_script(struct cc_rpc_call *call, const char *address,
                       uint8_t *script, size_t *len)
{
    if (cc_address_decode(script, len, address, &call->env->params->prefixes,
                          NULL))
        return true;
    cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address");
    return false;
}
