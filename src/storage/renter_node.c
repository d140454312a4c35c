#include "storage/renter_internal.h"

#include "util/hex.h"
#include "util/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { /* error codes of the node's wallet calls, as Bitcoin Core's */
       RPC_WALLET_LOCKED = -13,
       RPC_WALLET_NOT_FOUND = -18,
       RPC_WALLET_NOT_SPECIFIED = -19,
       RPC_METHOD_NOT_FOUND = -32601,
       RPC_IN_WARMUP = -28,
};

void cc_renter_say(const struct cc_renter *r, const char *fmt, ...)
{
    char line[600];
    va_list ap;

    if (!r->o.progress)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    r->o.progress(r->o.arg, line);
}

void cc_renter_say_fault(const struct cc_renter *r, const char *what,
                         const char *endpoint, const char *fault)
{
    size_t len = strlen(endpoint);

    if (!strncmp(fault, endpoint, len) && !strncmp(fault + len, ": ", 2))
        fault += len + 2;
    cc_renter_say(r, "%s: %s: %s", what, endpoint, fault);
}

enum cc_status cc_renter_ours(struct cc_error *err, enum cc_status st)
{
    if (err)
        snprintf(err->reason, sizeof(err->reason), "ours");
    return st;
}

static enum cc_status advise(const struct cc_renter *r, const char *method,
                             enum cc_status st, const struct cc_error *e,
                             struct cc_error *err)
{
    switch (cc_node_client_code(r->o.node)) {
    case RPC_WALLET_LOCKED:
        return cc_fail(err, st,
                       "the wallet is locked: unlock it with "
                       "walletpassphrase, then try again");
    case RPC_WALLET_NOT_FOUND:
        return cc_fail(err, st,
                       "%s: %s (load it with loadwallet, or name another one "
                       "with -rpcwallet)",
                       method, e->text);
    case RPC_WALLET_NOT_SPECIFIED:
        return cc_fail(err, st,
                       "the node has several wallets: say which one with "
                       "-rpcwallet");
    case RPC_METHOD_NOT_FOUND:
        return cc_fail(err, st,
                       "the node has no method %s: it runs without a wallet, "
                       "or storage is not active on its chain",
                       method);
    case RPC_IN_WARMUP:
        return cc_fail(err, CC_IO, "the node is still starting: %s", e->text);
    default:
        return cc_fail(err, st, "%s: %s", method, e->text);
    }
}

enum cc_status cc_renter_call(struct cc_renter *r, const char *method,
                              json_t *params, json_t **result,
                              struct cc_error *err)
{
    struct cc_error e;
    enum cc_status st;

    cc_error_init(&e);
    st = cc_node_call(r->o.node, method, params, result, &e);
    return st == CC_OK ? CC_OK
                       : cc_renter_ours(err, advise(r, method, st, &e, err));
}

cc_amount cc_renter_amount(const json_t *coins)
{
    double v = json_number_value(coins) * (double)CC_COIN;

    /* Exact: amounts have less than the 53 bits of a double. */
    return v < -9e15 || v > 9e15 ? -1 : (cc_amount)llround(v);
}

enum cc_status cc_renter_height(struct cc_renter *r, uint32_t *height,
                                struct cc_error *err)
{
    json_t *v = NULL;
    enum cc_status st = cc_renter_call(r, "getblockcount", NULL, &v, err);

    if (st == CC_OK && (!json_is_integer(v) || json_integer_value(v) < 0 ||
                        json_integer_value(v) > UINT32_MAX))
        st = cc_fail(err, CC_MALFORMED, "getblockcount: no height");
    if (st == CC_OK)
        *height = (uint32_t)json_integer_value(v);
    json_decref(v);
    return st;
}

enum cc_status cc_renter_storage_key(struct cc_renter *r, int64_t index,
                                     uint32_t *out_index, uint8_t xonly[32],
                                     uint8_t secret[32], struct cc_error *err)
{
    json_t *params = json_array(), *v = NULL;
    const char *key, *hex;
    enum cc_status st;

    if (index >= 0)
        json_array_append_new(params, json_integer(index));
    st = cc_renter_call(r, "getstoragekey", params, &v, err);
    if (st != CC_OK)
        return st;
    key = json_string_value(json_object_get(v, "key"));
    hex = json_string_value(json_object_get(v, "secret"));
    if (!key || !hex || !cc_hex_decode(xonly, 32, key) ||
        !cc_hex_decode(secret, 32, hex))
        st = cc_fail(err, CC_MALFORMED, "getstoragekey: no key");
    else
        *out_index = (uint32_t)json_integer_value(json_object_get(v, "index"));
    json_decref(v);
    return st;
}

enum cc_status cc_renter_need_secret(struct cc_renter *r, struct cc_error *err)
{
    uint8_t key[32];
    uint32_t index;
    enum cc_status st;

    if (r->has_secret)
        return CC_OK;
    st = cc_renter_storage_key(r, 0, &index, key, r->secret, err);
    r->has_secret = st == CC_OK;
    return st;
}
