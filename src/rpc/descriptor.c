/* util: output descriptors. */
#include "rpc/descriptor.h"

#include <stdlib.h>

#include "crypto/address.h"
#include "rpc/families.h"
#include "util/mem.h"

#define DEFAULT_LAST 1000
#define MAX_RANGE 1000000

/* --- Ranges ------------------------------------------------------------ */

static bool bad_range(struct cc_rpc_call *call, const char *sentence)
{
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "%s", sentence);
    return false;
}

static bool range_number(struct cc_rpc_call *call, const json_t *v,
                         int64_t *out)
{
    if (cc_json_get_int(v, out))
        return true;
    cc_rpc_error(call, CC_RPC_MISC_ERROR, "JSON integer out of range");
    return false;
}

/* A number is the end, a pair begin and end. */
static bool get_range(struct cc_rpc_call *call, const json_t *v,
                      uint32_t *first, uint32_t *last)
{
    const json_t *begin = json_array_get(v, 0), *end = json_array_get(v, 1);
    int64_t low = 0, high = 0;

    if (cc_json_is_number(v)) {
        if (!range_number(call, v, &high))
            return false;
    } else if (json_array_size(v) == 2 && cc_json_is_number(begin) &&
               cc_json_is_number(end)) {
        if (!range_number(call, begin, &low) || !range_number(call, end, &high))
            return false;
        if (low > high)
            return bad_range(call, "Range specified as [begin,end] must not "
                                   "have begin after end");
    } else {
        return bad_range(call, "Range must be specified as end or as "
                               "[begin,end]");
    }
    if (low < 0)
        return bad_range(call, "Range should be greater or equal than 0");
    if (high < 0 || high > INT32_MAX)
        return bad_range(call, "End of range is too high");
    if (high >= low + MAX_RANGE)
        return bad_range(call, "Range is too large");
    *first = (uint32_t)low;
    *last = (uint32_t)high;
    return true;
}

/* --- Arguments --------------------------------------------------------- */

static struct cc_descriptor *parse(struct cc_rpc_call *call, const char *text,
                                   bool need_checksum)
{
    char *why;
    struct cc_descriptor *d = cc_descriptor_parse(
        text, need_checksum, call->env->params, call->env->ec, &why);

    if (d)
        return d;
    cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "%s", why);
    free(why);
    return NULL;
}

struct cc_descriptor *cc_rpc_get_descriptor(struct cc_rpc_call *call,
                                            const json_t *v, uint32_t *first,
                                            uint32_t *last)
{
    const json_t *range = NULL;
    struct cc_descriptor *d;
    const char *text;

    *first = 0;
    *last = DEFAULT_LAST;
    if (json_is_object(v)) {
        range = json_object_get(v, "range");
        v = json_object_get(v, "desc");
        if (!v || json_is_null(v)) {
            bad_range(call, "Descriptor needs to be provided in scan object");
            return NULL;
        }
        if (!cc_rpc_get_str(call, v, &text))
            return NULL;
        if (range && !json_is_null(range) &&
            !get_range(call, range, first, last))
            return NULL;
    } else if (cc_json_is_string(v)) {
        text = json_string_value(v);
    } else {
        bad_range(call, "Scan object needs to be either a string or an object");
        return NULL;
    }
    d = parse(call, text, false);
    if (d && !cc_descriptor_is_range(d))
        *first = *last = 0;
    return d;
}

bool cc_rpc_descriptor_script(struct cc_rpc_call *call, const char *text,
                              char **why, uint8_t **script, size_t *len)
{
    struct cc_descriptor_scripts s = {.count = 0};
    struct cc_descriptor *d =
        cc_descriptor_parse(text, false, call->env->params, call->env->ec, why);
    size_t which;

    if (!d)
        return false;
    if (cc_descriptor_is_range(d))
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Ranged descriptor not accepted. Maybe pass through "
                     "deriveaddresses first?");
    else if (!cc_descriptor_expand(d, 0, &s))
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Cannot derive script without private keys");
    cc_descriptor_free(d);
    if (!s.count)
        return false;
    which = s.count == 4 ? 2 : s.count - 1;
    *script = s.script[which].data;
    *len = s.script[which].len;
    s.script[which].data = NULL;
    cc_descriptor_scripts_clear(&s);
    return true;
}

/* --- The calls --------------------------------------------------------- */

static json_t *getdescriptorinfo(struct cc_rpc_call *call)
{
    const char *given = cc_rpc_str(call, 0, "");
    struct cc_descriptor *d = parse(call, given, false);
    char sum[9] = "", *text, *body;
    json_t *o;

    if (!d)
        return NULL;
    o = json_object();
    text = cc_descriptor_text(d);
    cc_json_set_str(o, "descriptor", text);
    free(text);
    body = cc_strdup(given);
    body[strcspn(body, "#")] = '\0';
    cc_descriptor_checksum(body, sum);
    cc_cleanse(body, strlen(body));
    free(body);
    cc_json_set_str(o, "checksum", sum);
    cc_json_set_bool(o, "isrange", cc_descriptor_is_range(d));
    cc_json_set_bool(o, "issolvable", cc_descriptor_is_solvable(d));
    cc_json_set_bool(o, "hasprivatekeys", cc_descriptor_has_private(d));
    cc_descriptor_free(d);
    return o;
}

/* The addresses at one index; a public key as such has none, which is no
 * fault where others do. */
static bool add_addresses(struct cc_rpc_call *call, json_t *list,
                          const struct cc_descriptor_scripts *s)
{
    char text[CC_ADDRESS_MAX];

    for (size_t i = 0; i < s->count; i++) {
        if (cc_address_encode(text, s->script[i].data, s->script[i].len,
                              &call->env->params->prefixes)) {
            json_array_append_new(list, json_string(text));
        } else if (i || s->count == 1) {
            cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                         "Descriptor does not have a corresponding address");
            return false;
        }
    }
    return true;
}

static json_t *derive(struct cc_rpc_call *call, const struct cc_descriptor *d,
                      uint32_t first, uint32_t last)
{
    json_t *list = json_array();
    struct cc_descriptor_scripts s;
    bool ok = true;

    for (uint32_t i = first; ok && i <= last; i++) {
        if (!cc_descriptor_expand(d, i, &s)) {
            cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                         "Cannot derive script without private keys");
            ok = false;
            break;
        }
        ok = add_addresses(call, list, &s);
        cc_descriptor_scripts_clear(&s);
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *deriveaddresses(struct cc_rpc_call *call)
{
    bool given = json_array_size(call->params) > 1;
    uint32_t first = 0, last = 0;
    struct cc_descriptor *d;
    json_t *list = NULL;

    if (cc_rpc_arg(call, 1) &&
        !get_range(call, cc_rpc_arg(call, 1), &first, &last))
        return NULL;
    d = parse(call, cc_rpc_str(call, 0, ""), true);
    if (!d)
        return NULL;
    if (!cc_descriptor_is_range(d) && given)
        bad_range(call, "Range should not be specified for an un-ranged "
                        "descriptor");
    else if (cc_descriptor_is_range(d) && !given)
        bad_range(call, "Range must be specified for a ranged descriptor");
    else
        list = derive(call, d, first, last);
    cc_descriptor_free(d);
    return list;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg info_args[] = {
    CC_ARG("descriptor", CC_RPC_STR, NULL, "The descriptor."),
};
static const struct cc_rpc_arg derive_args[] = {
    CC_ARG("descriptor", CC_RPC_STR, NULL, "The descriptor."),
    CC_ARG_AS("range", CC_RPC_RANGE, "",
              "If a ranged descriptor is used, this specifies the end or the "
              "range (in [begin,end] notation) to derive.",
              "range"),
};

static const struct cc_rpc_method methods[] = {
    {"util", "deriveaddresses", deriveaddresses, CC_RPC_ARGS(derive_args),
     "Derives one or more addresses corresponding to an output "
     "descriptor.\nExamples of output descriptors are:\n    pkh(<pubkey>)      "
     "                               P2PKH outputs for the given pubkey\n    "
     "wpkh(<pubkey>)                                    Native segwit P2PKH "
     "outputs for the given pubkey\n    sh(multi(<n>,<pubkey>,<pubkey>,...))   "
     "           P2SH-multisig outputs for the given threshold and pubkeys\n"
     "In the above, <pubkey> either refers to a fixed public key in "
     "hexadecimal notation, or to an xpub/xprv optionally followed by one\nor "
     "more path elements separated by \"/\", where \"h\" represents a hardened "
     "child key.",
     "[...]    (json array) the derived addresses",
     "\"wpkh([d34db33f/84h/0h/0h]xpub6DJ2dNUysrn5Vt36jH2KLBT2i1auw1tTSSomg8PhqN"
     "iUtx8QX2SvC9nrHu81fT41fvDUnhMjEzQgXnQjKEu3oaqMSzhSrHMxyyoEAmUHQbY/0/*)#"
     "cjjspncu\" \"[0,2]\"",
     0},
    {"util", "getdescriptorinfo", getdescriptorinfo, CC_RPC_ARGS(info_args),
     "Analyses a descriptor.",
     "{...}    descriptor (canonical, without private keys), checksum (of the "
     "input), isrange, issolvable, hasprivatekeys",
     "\"wpkh([d34db33f/84h/0h/0h]xpub6DJ2dNUysrn5Vt36jH2KLBT2i1auw1tTSSomg8PhqN"
     "iUtx8QX2SvC9nrHu81fT41fvDUnhMjEzQgXnQjKEu3oaqMSzhSrHMxyyoEAmUHQbY/0/*)\"",
     0},
};

void cc_rpc_register_descriptor(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
