/* What handlers use to look at their arguments and to say what is wrong. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/rpc.h"
#include "util/hex.h"
#include "util/mem.h"

json_t *cc_rpc_error(struct cc_rpc_call *call, int code, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return NULL;
    free(call->message);
    call->message = cc_malloc((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(call->message, (size_t)n + 1, fmt, ap);
    va_end(ap);
    call->code = code;
    return NULL;
}

json_t *cc_rpc_bad_address(struct cc_rpc_call *call, const char *text)
{
    return cc_rpc_error(
        call, CC_RPC_INVALID_ADDRESS_OR_KEY, "Invalid %s address%s%s",
        call->env->params->storage_active ? "CloudCoin" : "Bitcoin",
        text ? ": " : "", text ? text : "");
}

json_t *cc_rpc_error_from(struct cc_rpc_call *call, enum cc_status st,
                          const struct cc_error *err)
{
    switch (st) {
    case CC_MALFORMED:
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR, "%s",
                            err->text);
    case CC_INVALID:
        return cc_rpc_error(call, CC_RPC_VERIFY_REJECTED, "%s", err->text);
    case CC_NOTFOUND:
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "%s",
                            err->text);
    case CC_IO:
    case CC_CORRUPT:
        return cc_rpc_error(call, CC_RPC_DATABASE_ERROR, "%s", err->text);
    case CC_OK:
    case CC_LIMIT:
        break;
    }
    return cc_rpc_error(call, CC_RPC_MISC_ERROR, "%s", err->text);
}

bool cc_rpc_has_net(struct cc_rpc_call *call)
{
    if (call->env->net)
        return true;
    cc_rpc_error(call, CC_RPC_CLIENT_P2P_DISABLED,
                 "Error: Peer-to-peer functionality missing or disabled");
    return false;
}

json_t *cc_rpc_arg(const struct cc_rpc_call *call, size_t i)
{
    json_t *v = json_array_get(call->params, i);

    return json_is_null(v) ? NULL : v;
}

const char *cc_rpc_str(const struct cc_rpc_call *call, size_t i,
                       const char *fallback)
{
    const json_t *v = cc_rpc_arg(call, i);

    return cc_json_is_string(v) ? json_string_value(v) : fallback;
}

bool cc_rpc_bool(const struct cc_rpc_call *call, size_t i, bool fallback)
{
    const json_t *v = cc_rpc_arg(call, i);

    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

bool cc_rpc_wrong_type(struct cc_rpc_call *call, const json_t *v,
                       const char *wanted)
{
    cc_rpc_error(call, CC_RPC_TYPE_ERROR,
                 "JSON value of type %s is not of expected type %s",
                 cc_json_type_name(v), wanted);
    return false;
}

bool cc_rpc_get_int(struct cc_rpc_call *call, size_t i, int64_t *out)
{
    const json_t *v = cc_rpc_arg(call, i);

    if (!v)
        return true;
    if (!cc_json_is_number(v))
        return cc_rpc_wrong_type(call, v, "number");
    if (cc_json_get_int(v, out))
        return true;
    /* Core's words, and its code for what UniValue throws. */
    cc_rpc_error(call, CC_RPC_MISC_ERROR, "JSON integer out of range");
    return false;
}

bool cc_rpc_get_int32(struct cc_rpc_call *call, size_t i, int *out)
{
    int64_t n = *out;

    if (!cc_rpc_get_int(call, i, &n))
        return false;
    if (n < INT32_MIN || n > INT32_MAX) {
        cc_rpc_error(call, CC_RPC_MISC_ERROR, "JSON integer out of range");
        return false;
    }
    *out = (int)n;
    return true;
}

bool cc_rpc_get_fixed(struct cc_rpc_call *call, const json_t *v,
                      unsigned places, cc_amount *out)
{
    cc_amount a;

    if (!v || json_is_null(v))
        return true;
    if (!cc_json_is_number(v) && !cc_json_is_string(v)) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR,
                     "Amount is not a number or string");
        return false;
    }
    if (!cc_json_get_amount(v, places, &a)) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR, "Invalid amount");
        return false;
    }
    if (!cc_amount_in_range(a, call->env->params->max_money)) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR, "Amount out of range");
        return false;
    }
    *out = a;
    return true;
}

bool cc_rpc_get_amount(struct cc_rpc_call *call, const json_t *v,
                       cc_amount *out)
{
    return cc_rpc_get_fixed(call, v, 8, out);
}

bool cc_rpc_get_str(struct cc_rpc_call *call, const json_t *v, const char **out)
{
    if (cc_json_is_string(v)) {
        *out = json_string_value(v);
        return true;
    }
    return cc_rpc_wrong_type(call, v, "string");
}

bool cc_rpc_get_hash(struct cc_rpc_call *call, const json_t *v,
                     const char *name, uint8_t out[32])
{
    const char *s;
    size_t len;

    if (!cc_rpc_get_str(call, v, &s))
        return false;
    len = json_string_length(v);
    if (len != 64) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "%s must be of length 64 (not %zu, for '%s')", name, len,
                     s);
        return false;
    }
    if (!cc_hex_decode_rev(out, 32, s)) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "%s must be hexadecimal string (not '%s')", name, s);
        return false;
    }
    return true;
}

bool cc_rpc_get_hex(struct cc_rpc_call *call, const json_t *v, const char *name,
                    uint8_t **out, size_t *len)
{
    const char *s = cc_json_is_string(v) ? json_string_value(v) : "";
    uint8_t *data = *s ? cc_hex_decode_dup(s, len) : NULL;

    if (!data) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "%s must be hexadecimal string (not '%s')", name, s);
        return false;
    }
    *out = data;
    return true;
}

bool cc_rpc_member(struct cc_rpc_call *call, const json_t *object,
                   const char *name, enum cc_rpc_type type, json_t **out)
{
    json_t *v = json_object_get(object, name);
    const char *have = cc_json_type_name(v), *want = NULL;

    *out = NULL;
    if (!v || json_is_null(v))
        return true;
    switch (type) {
    case CC_RPC_STR:
    case CC_RPC_HEX:
        want = "string";
        break;
    case CC_RPC_NUM:
        want = "number";
        break;
    case CC_RPC_BOOL:
        want = "bool";
        break;
    case CC_RPC_OBJ:
        want = "object";
        break;
    case CC_RPC_ARR:
        want = "array";
        break;
    case CC_RPC_ANY:
    case CC_RPC_AMOUNT:
    case CC_RPC_RANGE:
        break;
    }
    if (want && strcmp(have, want) != 0) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR,
                     "JSON value of type %s for field %s is not of expected "
                     "type %s",
                     have, name, want);
        return false;
    }
    *out = v;
    return true;
}

bool cc_rpc_strict(struct cc_rpc_call *call, const json_t *object,
                   const char *const *names, size_t count)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)object, key, v)
    {
        size_t i = 0;

        while (i < count && strcmp(names[i], key) != 0)
            i++;
        if (i == count) {
            cc_rpc_error(call, CC_RPC_TYPE_ERROR, "Unexpected key %s", key);
            return false;
        }
    }
    return true;
}

bool cc_rpc_get_outpoint(struct cc_rpc_call *call, const json_t *v,
                         struct cc_outpoint *out)
{
    const json_t *txid;
    json_t *vout;
    int64_t n;

    if (!json_is_object(v))
        return cc_rpc_wrong_type(call, v, "object");
    txid = json_object_get(v, "txid");
    if (!cc_rpc_member(call, v, "vout", CC_RPC_NUM, &vout))
        return false;
    if (!txid || !vout) {
        cc_rpc_error(call, CC_RPC_TYPE_ERROR, "Missing %s",
                     txid ? "vout" : "txid");
        return false;
    }
    if (!cc_rpc_get_hash(call, txid, "txid", out->txid))
        return false;
    if (!cc_json_get_int(vout, &n) || n < 0 || n > INT32_MAX) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Invalid parameter, vout cannot be negative");
        return false;
    }
    out->index = (uint32_t)n;
    return true;
}
