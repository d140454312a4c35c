/* util: addresses, messages and scripts, without looking at the chain. */
#include <stdlib.h>

#include "chain/filterindex.h"
#include "chain/statsindex.h"
#include "chain/txindex.h"
#include "consensus/script.h"
#include "crypto/address.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "rpc/families.h"
#include "rpc/txjson.h"
#include "util/base64.h"
#include "util/hex.h"
#include "util/mem.h"
#include "wallet/descriptor.h"

/* --- validateaddress --------------------------------------------------- */

void cc_rpc_describe_address(json_t *o, const struct cc_address *a)
{
    switch (a->kind) {
    case CC_ADDRESS_PKH:
        cc_json_set_bool(o, "isscript", false);
        cc_json_set_bool(o, "iswitness", false);
        return;
    case CC_ADDRESS_SH:
        cc_json_set_bool(o, "isscript", true);
        cc_json_set_bool(o, "iswitness", false);
        return;
    case CC_ADDRESS_WPKH:
        cc_json_set_bool(o, "isscript", false);
        break;
    case CC_ADDRESS_WSH:
    case CC_ADDRESS_TR:
        cc_json_set_bool(o, "isscript", true);
        break;
    case CC_ADDRESS_NONE:
    case CC_ADDRESS_WITNESS:
        break;
    }
    cc_json_set_bool(o, "iswitness", true);
    cc_json_set_int(o, "witness_version", a->version);
    cc_json_set(o, "witness_program", cc_json_hex(cc_bytes(a->data, a->len)));
}

static json_t *validateaddress(struct cc_rpc_call *call)
{
    const char *text = cc_rpc_str(call, 0, "");
    const struct cc_address_prefixes *p = &call->env->params->prefixes;
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    struct cc_address_error wrong = {0};
    struct cc_address a;
    char shown[CC_ADDRESS_MAX];
    json_t *o = json_object(), *at;
    bool ok = cc_address_parse(&a, text, p, &wrong);

    cc_json_set_bool(o, "isvalid", ok);
    if (ok) {
        cc_address_format(shown, &a, p);
        cc_json_set_str(o, "address", shown);
        cc_json_set(
            o, "scriptPubKey",
            cc_json_hex(cc_bytes(script, cc_address_to_script(script, &a))));
        cc_rpc_describe_address(o, &a);
        return o;
    }
    at = json_array();
    for (size_t i = 0; i < wrong.count && i < 128; i++)
        json_array_append_new(at, json_integer((json_int_t)wrong.at[i]));
    cc_json_set(o, "error_locations", at);
    cc_json_set_str(o, "error", wrong.text);
    return o;
}

/* --- Messages ---------------------------------------------------------- */

void cc_rpc_message_hash(uint8_t out[32], const struct cc_params *p,
                         const char *message)
{
    const char *magic = p->storage_active ? "CloudCoin Signed Message:\n"
                                          : "Bitcoin Signed Message:\n";
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_write_var(&w, magic, strlen(magic));
    cc_write_var(&w, message, strlen(message));
    cc_hash256(out, w.data, w.len);
    cc_writer_clear(&w);
}

static json_t *verifymessage(struct cc_rpc_call *call)
{
    const struct cc_params *p = call->env->params;
    struct cc_address a;
    uint8_t sig[65], pub[65], hash[32], id[20];
    size_t len = 0, pub_len;
    uint8_t *data;
    bool ok;

    if (!cc_address_parse(&a, cc_rpc_str(call, 0, ""), &p->prefixes, NULL))
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "Invalid address");
    if (a.kind != CC_ADDRESS_PKH)
        return cc_rpc_error(call, CC_RPC_TYPE_ERROR,
                            "Address does not refer to key");
    data = cc_base64_decode(cc_rpc_str(call, 1, ""), &len);
    ok = data && len == sizeof(sig);
    if (ok)
        memcpy(sig, data, sizeof(sig));
    free(data);
    if (!data)
        return cc_rpc_error(call, CC_RPC_TYPE_ERROR,
                            "Malformed base64 encoding");
    cc_rpc_message_hash(hash, p, cc_rpc_str(call, 2, ""));
    if (!ok || !cc_ecdsa_recover(pub, &pub_len, sig, hash))
        return json_false();
    cc_hash160(id, pub, pub_len);
    return json_boolean(!memcmp(id, a.data, 20));
}

static json_t *signmessagewithprivkey(struct cc_rpc_call *call)
{
    uint8_t secret[32], hash[32], sig[65];
    bool compressed, ok;
    json_t *result;
    char *text;

    if (!cc_wif_decode(secret, &compressed, cc_rpc_str(call, 0, ""),
                       &call->env->params->prefixes))
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "Invalid private key");
    cc_rpc_message_hash(hash, call->env->params, cc_rpc_str(call, 1, ""));
    ok =
        cc_ecdsa_sign_recoverable(call->env->ec, sig, secret, hash, compressed);
    cc_cleanse(secret, sizeof(secret));
    if (!ok)
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "Sign failed");
    text = cc_base64_encode(sig, sizeof(sig));
    result = json_string(text);
    free(text);
    return result;
}

/* --- createmultisig ---------------------------------------------------- */

#define MAX_KEYS 20
#define MAX_REDEEM 520 /* who spends pushes the script as one element */

static bool get_key(struct cc_rpc_call *call, const json_t *v, uint8_t out[65],
                    size_t *len)
{
    const char *hex;
    size_t n;

    if (!cc_rpc_get_str(call, v, &hex))
        return false;
    n = strlen(hex) / 2;
    if ((n != 33 && n != 65) || !cc_hex_decode(out, n, hex)) {
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Invalid public key: %s\n.", hex);
        return false;
    }
    if (!cc_ec_pubkey_valid(out, n)) {
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Invalid public key: %s", hex);
        return false;
    }
    *len = n;
    return true;
}

static bool check_keys(struct cc_rpc_call *call, const json_t *keys,
                       bool *compressed)
{
    uint8_t key[65];
    size_t len;

    *compressed = true;
    for (size_t i = 0; i < json_array_size(keys); i++) {
        if (!get_key(call, json_array_get(keys, i), key, &len))
            return false;
        *compressed = *compressed && len == 33;
    }
    return true;
}

/* The keys have been looked at. */
static bool write_multisig(struct cc_rpc_call *call, int required,
                           const json_t *keys, struct cc_writer *w)
{
    int n = (int)json_array_size(keys);

    if (required < 1) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "a multisignature address must require at least one key "
                     "to redeem");
        return false;
    }
    if (n < required) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "not enough keys supplied (got %d keys, but need at "
                     "least %d to redeem)",
                     n, required);
        return false;
    }
    if (n > MAX_KEYS) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Number of keys involved in the multisignature address "
                     "creation > %d\nReduce the number",
                     MAX_KEYS);
        return false;
    }
    cc_script_push_int(w, required);
    for (int i = 0; i < n; i++) {
        uint8_t key[65];
        size_t len;

        if (!get_key(call, json_array_get(keys, (size_t)i), key, &len))
            return false;
        cc_script_push(w, key, len);
    }
    cc_script_push_int(w, n);
    cc_write_u8(w, CC_OP_CHECKMULTISIG);
    return true;
}

/* The output script for a redeem script: "legacy", "p2sh-segwit", "bech32". */
static size_t wrap(uint8_t out[34], const char *type, struct cc_bytes redeem)
{
    uint8_t program[34] = {0, 32};

    cc_sha256_once(program + 2, redeem.data, redeem.len);
    if (!strcmp(type, "bech32")) {
        memcpy(out, program, 34);
        return 34;
    }
    out[0] = CC_OP_HASH160;
    out[1] = 20;
    if (!strcmp(type, "legacy"))
        cc_hash160(out + 2, redeem.data, redeem.len);
    else
        cc_hash160(out + 2, program, 34);
    out[22] = CC_OP_EQUAL;
    return 23;
}

static json_t *multisig_json(struct cc_rpc_call *call, const char *type,
                             struct cc_bytes redeem)
{
    uint8_t script[34];
    size_t len = wrap(script, type, redeem);
    const struct cc_params *p = call->env->params;
    char address[CC_ADDRESS_MAX] = "",
         *desc = cc_descriptor_infer(cc_bytes(script, len), redeem, p);
    json_t *o = json_object();

    cc_address_encode(address, script, len, &p->prefixes);
    cc_json_set_str(o, "address", address);
    cc_json_set(o, "redeemScript", cc_json_hex(redeem));
    cc_json_set_str(o, "descriptor", desc);
    free(desc);
    return o;
}

static json_t *createmultisig(struct cc_rpc_call *call)
{
    const char *type = cc_rpc_str(call, 2, "legacy");
    int required = 0;
    bool compressed, plain;
    struct cc_writer w;
    json_t *o = NULL, *warnings;

    if (!cc_rpc_get_int32(call, 0, &required) ||
        !check_keys(call, cc_rpc_arg(call, 1), &compressed))
        return NULL;
    if (!strcmp(type, "bech32m"))
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "createmultisig cannot create bech32m multisig "
                            "addresses");
    plain = !strcmp(type, "legacy");
    if (!plain && strcmp(type, "bech32") != 0 &&
        strcmp(type, "p2sh-segwit") != 0)
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "Unknown address type '%s'", type);
    cc_writer_init_heap(&w);
    if (!write_multisig(call, required, cc_rpc_arg(call, 1), &w)) {
        ; /* said */
    } else if ((plain || !compressed) && w.len > MAX_REDEEM) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "redeemScript exceeds size limit: %zu > %d", w.len,
                     MAX_REDEEM);
    } else {
        /* Witness scripts take compressed keys only. */
        o = multisig_json(call, compressed ? type : "legacy",
                          cc_bytes(w.data, w.len));
        if (!compressed && !plain) {
            warnings = json_array();
            json_array_append_new(
                warnings,
                json_string("Unable to make chosen address type, please "
                            "ensure no uncompressed public keys are "
                            "present."));
            cc_json_set(o, "warnings", warnings);
        }
    }
    cc_writer_clear(&w);
    return o;
}

/* An index moves with the tip, so it is never behind. */
static void add_index(struct cc_rpc_call *call, json_t *all, const char *name,
                      uint32_t height)
{
    json_t *o;

    if (strcmp(cc_rpc_str(call, 0, name), name) != 0)
        return;
    o = json_object();
    cc_json_set_bool(o, "synced", true);
    cc_json_set_int(o, "best_block_height", height);
    cc_json_set(all, name, o);
}

static json_t *getindexinfo(struct cc_rpc_call *call)
{
    const struct cc_rpc_env *env = call->env;
    json_t *all = json_object();

    if (env->txindex)
        add_index(call, all, "txindex", cc_txindex_height(env->txindex));
    if (env->statsindex)
        add_index(call, all, "coinstatsindex",
                  cc_statsindex_height(env->statsindex));
    if (env->filters)
        add_index(call, all, "basic block filter index",
                  cc_filterindex_height(env->filters));
    return all;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg address_args[] = {
    CC_ARG("address", CC_RPC_STR, NULL, "The address to validate"),
};
static const struct cc_rpc_arg verify_args[] = {
    CC_ARG("address", CC_RPC_STR, NULL,
           "The address to use for the signature."),
    CC_ARG("signature", CC_RPC_STR, NULL,
           "The signature provided by the signer in base 64 encoding."),
    CC_ARG("message", CC_RPC_STR, NULL, "The message that was signed."),
};
static const struct cc_rpc_arg sign_args[] = {
    CC_ARG("privkey", CC_RPC_STR, NULL,
           "The private key to sign the message with."),
    CC_ARG("message", CC_RPC_STR, NULL,
           "The message to create a signature of."),
};
static const struct cc_rpc_arg multisig_args[] = {
    CC_ARG("nrequired", CC_RPC_NUM, NULL,
           "The number of required signatures out of the n keys."),
    CC_ARG_AS("keys", CC_RPC_ARR, NULL, "The hex-encoded public keys.",
              "[\"key\",...]"),
    CC_ARG("address_type", CC_RPC_STR, "legacy",
           "The address type to use. Options are \"legacy\", \"p2sh-segwit\", "
           "and \"bech32\"."),
};
static const struct cc_rpc_arg index_args[] = {
    CC_ARG("index_name", CC_RPC_STR, "",
           "Filter results for an index with a specific name."),
};

#define VALIDATE_RESULT                                                        \
    "{...}    isvalid, address, scriptPubKey, isscript, iswitness, "           \
    "witness_version, witness_program;\n         or error and "                \
    "error_locations"
#define VALIDATE_EXAMPLE "\"bcrt1q09vm5lfy0j5reeulh4x5752q25uqqvz34hufdl\""

static const struct cc_rpc_method methods[] = {
    {"util", "createmultisig", createmultisig, CC_RPC_ARGS(multisig_args),
     "Creates a multi-signature address with n signature of m keys "
     "required.\nIt returns a json object with the address and redeemScript.",
     "{...}    address, redeemScript, descriptor, warnings",
     "2 '[\"03789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7ace5fd"
     "\",\"03dbc6764b8884a92e871274b87583e6d5c2a58819473e17e107ef3f6aa5a61626"
     "\"]'",
     0},
    {"util", "getindexinfo", getindexinfo, CC_RPC_ARGS(index_args),
     "Returns the status of one or all available indices currently running in "
     "the node.",
     "{...}    of each index: synced, best_block_height", "", 0},
    {"util", "signmessagewithprivkey", signmessagewithprivkey,
     CC_RPC_ARGS(sign_args),
     "Sign a message with the private key of an address",
     "\"str\"    (string) The signature of the message encoded in base 64",
     "\"privkey\" \"my message\"", 0},
    {"util", "validateaddress", validateaddress, CC_RPC_ARGS(address_args),
     "Return information about the given bitcoin address.", VALIDATE_RESULT,
     VALIDATE_EXAMPLE, 0},
    /* takes its place where storage is active */
    {"util", "validateaddress", validateaddress, CC_RPC_ARGS(address_args),
     "Return information about the given address.", VALIDATE_RESULT,
     VALIDATE_EXAMPLE, CC_RPC_STORAGE_ONLY},
    {"util", "verifymessage", verifymessage, CC_RPC_ARGS(verify_args),
     "Verify a signed message.",
     "true|false    (boolean) If the signature is verified or not.",
     "\"address\" \"signature\" \"my message\"", 0},
};

void cc_rpc_register_util(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
