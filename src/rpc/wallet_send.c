/* wallets: paying. */
#include <inttypes.h>
#include <stdlib.h>

#include "rpc/walletcall.h"
#include "util/mem.h"

#define PAYMENTS_MAX 10000

/* What a call wants to pay. */
struct wish {
    struct cc_payment *payments;
    uint8_t (*scripts)[CC_ADDRESS_SCRIPT_MAX];
    size_t count;
};

static void wish_init(struct wish *w, size_t room)
{
    w->payments = cc_calloc(room + 1, sizeof(*w->payments));
    w->scripts = cc_calloc(room + 1, sizeof(*w->scripts));
    w->count = 0;
}

static void wish_clear(struct wish *w)
{
    free(w->payments);
    free(w->scripts);
}

static bool wish_add(struct cc_rpc_call *call, struct wish *w,
                     const char *address, const json_t *amount)
{
    struct cc_payment *p = &w->payments[w->count];
    uint8_t *script = w->scripts[w->count];
    size_t len;

    if (!cc_rpc_get_payee(call, address, script, &len))
        return false;
    p->script = cc_bytes(script, len);
    for (size_t i = 0; i < w->count; i++) {
        if (cc_bytes_equal(w->payments[i].script, p->script)) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Invalid parameter, duplicated address: %s", address);
            return false;
        }
    }
    if (!cc_rpc_get_amount(call, amount, &p->value))
        return false;
    if (p->value <= 0) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR, "Invalid amount for send");
        return false;
    }
    w->count++;
    return true;
}

/* Arguments conf_target, estimate_mode, fee_rate at these places. */
static bool take_fee(struct cc_rpc_call *call, size_t target, size_t mode,
                     size_t rate, struct cc_spend *s)
{
    const json_t *v = cc_rpc_arg(call, rate);
    const char *name = cc_rpc_str(call, mode, "unset");

    if (v && cc_rpc_arg(call, target)) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Cannot specify both conf_target and fee_rate. Please "
                     "provide either a confirmation target in blocks for "
                     "automatic fee estimation, or an explicit fee rate.");
        return false;
    }
    if (v && strcmp(name, "unset") != 0) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Cannot specify both estimate_mode and fee_rate");
        return false;
    }
    return !v || cc_rpc_get_fixed(call, v, 3, &s->feerate);
}

/* Build, sign, send. Locked. */
static json_t *pay(struct cc_rpc_call *call, struct cc_wallet *w,
                   const struct cc_spend *s, const char *comment,
                   const char *to, bool verbose)
{
    struct cc_built b;
    struct cc_error err;
    enum cc_status st = cc_wallet_build(w, s, &b, &err);
    json_t *o;

    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err,
                                   CC_RPC_WALLET_INSUFFICIENT_FUNDS);
    st = cc_wallet_sign(w, &b.tx, b.coins, CC_SIGHASH_DEFAULT, NULL, &err);
    if (st == CC_OK)
        st = cc_wallet_commit(w, &b.tx, comment && *comment ? comment : NULL,
                              to && *to ? to : NULL, &err);
    if (st != CC_OK) {
        o = cc_rpc_wallet_error(call, st, &err, CC_RPC_WALLET_ERROR);
    } else if (verbose) {
        o = json_object();
        cc_json_set_hash(o, "txid", b.tx.txid);
        cc_json_set_str(o, "fee_reason",
                        s->feerate || cc_wallet_pay_feerate(w)
                            ? "PayTxFee set"
                            : "Fallback fee");
    } else {
        o = cc_json_hash(b.tx.txid);
    }
    cc_built_clear(&b);
    return o;
}

static int rbf_of(const struct cc_rpc_call *call, size_t i)
{
    if (!cc_rpc_arg(call, i))
        return 0;
    return cc_rpc_bool(call, i, false) ? 1 : -1;
}

static json_t *sendtoaddress(struct cc_rpc_call *call)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    struct cc_spend s = {.change_position = -1, .rbf = rbf_of(call, 5)};
    struct wish wish;
    json_t *o = NULL;

    if (!w)
        return NULL;
    wish_init(&wish, 1);
    if (take_fee(call, 6, 7, 9, &s) && cc_rpc_wallet_unlocked(call, w) &&
        wish_add(call, &wish, cc_rpc_str(call, 0, ""), cc_rpc_arg(call, 1))) {
        wish.payments[0].subtract_fee = cc_rpc_bool(call, 4, false);
        s.payments = wish.payments;
        s.payment_count = 1;
        o = pay(call, w, &s, cc_rpc_str(call, 2, NULL),
                cc_rpc_str(call, 3, NULL), cc_rpc_bool(call, 10, false));
    }
    cc_rpc_wallet_end(call);
    wish_clear(&wish);
    return o;
}

/* The addresses that bear the fee. */
static bool take_subtract(struct cc_rpc_call *call, const json_t *list,
                          struct wish *wish)
{
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    size_t len;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text;
        bool found = false;

        if (!cc_rpc_get_str(call, json_array_get(list, i), &text))
            return false;
        if (cc_address_decode(script, &len, text, &call->env->params->prefixes,
                              NULL)) {
            for (size_t k = 0; k < wish->count; k++) {
                struct cc_payment *p = &wish->payments[k];

                if (cc_bytes_equal(p->script, cc_bytes(script, len)))
                    found = p->subtract_fee = true;
            }
        }
        if (!found) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Invalid parameter, destination %s not found in tx "
                         "output",
                         text);
            return false;
        }
    }
    return true;
}

static bool take_amounts(struct cc_rpc_call *call, struct wish *wish)
{
    const char *address;
    json_t *v;

    json_object_foreach(cc_rpc_arg(call, 1), address, v)
    {
        if (!wish_add(call, wish, address, v))
            return false;
    }
    return true;
}

static json_t *sendmany(struct cc_rpc_call *call)
{
    size_t room = json_object_size(cc_rpc_arg(call, 1));
    struct cc_spend s = {.change_position = -1, .rbf = rbf_of(call, 5)};
    struct cc_wallet *w;
    struct wish wish;
    json_t *o = NULL;

    if (*cc_rpc_str(call, 0, ""))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Dummy value must be set to \"\"");
    if (room > PAYMENTS_MAX)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Transaction too large");
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    wish_init(&wish, room);
    if (take_fee(call, 6, 7, 8, &s) && cc_rpc_wallet_unlocked(call, w) &&
        take_amounts(call, &wish) &&
        take_subtract(call, cc_rpc_arg(call, 4), &wish)) {
        s.payments = wish.payments;
        s.payment_count = wish.count;
        o = pay(call, w, &s, cc_rpc_str(call, 3, NULL), NULL,
                cc_rpc_bool(call, 9, false));
    }
    cc_rpc_wallet_end(call);
    wish_clear(&wish);
    return o;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg to_address_args[] = {
    CC_ARG("address", CC_RPC_STR, NULL, "The address to send to."),
    CC_ARG("amount", CC_RPC_AMOUNT, NULL, "The amount to send. eg 0.1"),
    CC_ARG("comment", CC_RPC_STR, "",
           "A comment used to store what the transaction is for. This is not "
           "part of the transaction, just kept in your wallet."),
    CC_ARG("comment_to", CC_RPC_STR, "",
           "A comment to store the name of the person or organization to which "
           "you're sending the transaction. This is not part of the "
           "transaction, just kept in your wallet."),
    CC_ARG("subtractfeefromamount", CC_RPC_BOOL, "false",
           "The fee will be deducted from the amount being sent."),
    CC_ARG("replaceable", CC_RPC_BOOL, "",
           "Signal that this transaction can be replaced by a transaction (BIP "
           "125)"),
    CC_ARG("conf_target", CC_RPC_NUM, "", "Confirmation target in blocks"),
    CC_ARG("estimate_mode", CC_RPC_STR, "unset", "The fee estimate mode"),
    CC_ARG("avoid_reuse", CC_RPC_BOOL, "true", "Without effect."),
    CC_ARG("fee_rate", CC_RPC_AMOUNT, "", "Specify a fee rate in sat/vB."),
    CC_ARG("verbose", CC_RPC_BOOL, "false",
           "If true, return extra information about the transaction."),
};
static const struct cc_rpc_arg many_args[] = {
    CC_ARG_AS("dummy", CC_RPC_STR, "",
              "Must be set to \"\" for backwards compatibility.", "\"\""),
    CC_ARG_AS("amounts", CC_RPC_OBJ, NULL, "The addresses and amounts",
              "{\"address\":amount,...}"),
    CC_ARG("minconf", CC_RPC_NUM, "", "Ignored dummy value"),
    CC_ARG("comment", CC_RPC_STR, "", "A comment"),
    CC_ARG_AS("subtractfeefrom", CC_RPC_ARR, "[]",
              "The addresses. The fee will be equally deducted from the amount "
              "of each selected address.",
              "[\"address\",...]"),
    CC_ARG("replaceable", CC_RPC_BOOL, "",
           "Signal that this transaction can be replaced by a transaction (BIP "
           "125)"),
    CC_ARG("conf_target", CC_RPC_NUM, "", "Confirmation target in blocks"),
    CC_ARG("estimate_mode", CC_RPC_STR, "unset", "The fee estimate mode"),
    CC_ARG("fee_rate", CC_RPC_AMOUNT, "", "Specify a fee rate in sat/vB."),
    CC_ARG("verbose", CC_RPC_BOOL, "false",
           "If true, return extra information about the transaction."),
};

static const struct cc_rpc_method methods[] = {
    {"wallet", "sendmany", sendmany, CC_RPC_ARGS(many_args),
     "Send multiple times. Amounts are double-precision floating point "
     "numbers.",
     "\"hex\"    The transaction id for the send.",
     "\"\" '{\"address\":0.01,\"other\":0.02}'", 0},
    {"wallet", "sendtoaddress", sendtoaddress, CC_RPC_ARGS(to_address_args),
     "Send an amount to a given address.", "\"hex\"    The transaction id.",
     "\"address\" 0.1", 0},
};

void cc_rpc_register_wallet_send(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
