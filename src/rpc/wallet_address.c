/* wallets: addresses, keys, labels, and what they received. */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/script.h"
#include "rpc/walletcall.h"
#include "util/hex.h"
#include "util/mem.h"

#define MAX_AHEAD 1000 /* each key up to an index is derived */

/* A new key of a chain as an address. */
static json_t *new_address(struct cc_rpc_call *call, enum cc_key_chain chain,
                           const char *label, const char *type)
{
    struct cc_wallet *w;
    struct cc_wallet_key key;
    struct cc_error err;
    enum cc_status st;
    char text[CC_ADDRESS_MAX];

    if (type && strcmp(type, "bech32m") != 0) {
        if (!strcmp(type, "bech32") || !strcmp(type, "legacy") ||
            !strcmp(type, "p2sh-segwit"))
            return cc_rpc_error(call, CC_RPC_WALLET_KEYPOOL_RAN_OUT,
                                "Error: No %s addresses available.", type);
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "Unknown address type '%s'", type);
    }
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    st = cc_wallet_new_key(w, chain, label, &key, &err);
    cc_rpc_wallet_end(call);
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err, CC_RPC_WALLET_ERROR);
    return json_string(
        cc_rpc_address(call, cc_bytes(key.script, CC_TAPROOT_SCRIPT), text));
}

static json_t *getnewaddress(struct cc_rpc_call *call)
{
    const char *label;

    if (!cc_rpc_label(call, 0, &label))
        return NULL;
    return new_address(call, CC_CHAIN_RECEIVE, label,
                       cc_rpc_str(call, 1, NULL));
}

static json_t *getrawchangeaddress(struct cc_rpc_call *call)
{
    return new_address(call, CC_CHAIN_CHANGE, NULL, cc_rpc_str(call, 0, NULL));
}

static json_t *key_json(struct cc_rpc_call *call, struct cc_wallet *w,
                        const struct cc_wallet_key *key)
{
    char text[CC_ADDRESS_MAX];
    uint8_t secret[32];
    char *hex;
    json_t *o;

    if (!cc_wallet_keys_secret(cc_wallet_keys(w), key, secret))
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR, "No such key");
    o = json_object();
    cc_json_set_int(o, "index", key->index);
    cc_json_set(o, "key", cc_json_hex(cc_bytes(key->output, 32)));
    cc_json_set_str(
        o, "address",
        cc_rpc_address(call, cc_bytes(key->script, CC_TAPROOT_SCRIPT), text));
    hex = cc_hex_dup(secret, 32);
    cc_json_set_str(o, "secret", hex);
    cc_cleanse(secret, sizeof(secret));
    cc_cleanse(hex, 64);
    free(hex);
    return o;
}

static json_t *getstoragekey(struct cc_rpc_call *call)
{
    struct cc_wallet *w;
    struct cc_wallet_key key;
    struct cc_error err;
    int64_t index = -1;
    enum cc_status st = CC_OK;
    json_t *o = NULL;

    if (!cc_rpc_get_int(call, 0, &index))
        return NULL;
    if (cc_rpc_arg(call, 0) && (index < 0 || index >= CC_WALLET_KEYS_MAX))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Invalid index");
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    if (index >
        (int64_t)cc_wallet_keys_next(cc_wallet_keys(w), CC_CHAIN_STORAGE) +
            MAX_AHEAD) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Keys are handed out in order: this index is more than "
                     "%d ahead",
                     MAX_AHEAD);
    } else if (cc_rpc_wallet_unlocked(call, w)) {
        if (index < 0)
            st = cc_wallet_new_key(w, CC_CHAIN_STORAGE, NULL, &key, &err);
        else
            st = cc_wallet_use_key(w, CC_CHAIN_STORAGE, (uint32_t)index, &key,
                                   &err);
        o = st == CC_OK ? key_json(call, w, &key) : NULL;
        if (st != CC_OK)
            cc_rpc_wallet_error(call, st, &err, CC_RPC_WALLET_ERROR);
    }
    cc_rpc_wallet_end(call);
    return o;
}

/* --- What an address is ------------------------------------------------ */

static void set_ours(struct cc_rpc_call *call, struct cc_wallet *w, json_t *o,
                     const struct cc_wallet_key *key)
{
    char path[64], print[9], *desc = cc_rpc_key_descriptor(w, key);
    uint8_t fingerprint[4];

    cc_json_set_str(o, "desc", desc);
    free(desc);
    desc = cc_rpc_chain_descriptor(call, w, key->chain);
    cc_json_set_str(o, "parent_desc", desc);
    free(desc);
    cc_wallet_keys_path(cc_wallet_keys(w), key, path);
    for (char *c = path; *c; c++)
        *c = *c == '\'' ? 'h' : *c;
    cc_json_set_int(o, "timestamp", cc_wallet_made(w));
    cc_json_set_str(o, "hdkeypath", path);
    cc_json_set_str(o, "hdseedid", "0000000000000000000000000000000000000000");
    cc_wallet_keys_fingerprint(cc_wallet_keys(w), fingerprint);
    cc_hex_encode(print, fingerprint, 4);
    cc_json_set_str(o, "hdmasterfingerprint", print);
}

static json_t *getaddressinfo(struct cc_rpc_call *call)
{
    const char *address = cc_rpc_str(call, 0, ""), *label;
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    struct cc_address_error why;
    struct cc_wallet *w;
    struct cc_wallet_key key;
    struct cc_bytes s, program;
    char text[CC_ADDRESS_MAX];
    size_t len;
    int version;
    bool mine;
    json_t *o, *labels;

    if (!cc_address_decode(script, &len, address, &call->env->params->prefixes,
                           &why))
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "%s",
                            *why.text ? why.text : "Invalid address");
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    s = cc_bytes(script, len);
    mine = cc_wallet_keys_find(cc_wallet_keys(w), s, &key);
    o = json_object();
    cc_json_set_str(o, "address", cc_rpc_address(call, s, text));
    cc_json_set(o, "scriptPubKey", cc_json_hex(s));
    cc_json_set_bool(o, "ismine", mine);
    cc_json_set_bool(o, "iswatchonly", false);
    cc_json_set_bool(o, "solvable", mine);
    cc_json_set_bool(o, "isscript", cc_script_is_p2sh(s));
    if (cc_script_is_witness(s, &version, &program)) {
        cc_json_set_bool(o, "iswitness", true);
        cc_json_set_int(o, "witness_version", version);
        cc_json_set(o, "witness_program", cc_json_hex(program));
    } else {
        cc_json_set_bool(o, "iswitness", false);
    }
    cc_json_set_bool(o, "ischange", cc_book_is_change(cc_wallet_book(w), s));
    if (mine)
        set_ours(call, w, o, &key);
    labels = json_array();
    label = cc_book_label(cc_wallet_book(w), s);
    if (label)
        json_array_append_new(labels, json_string(label));
    cc_json_set(o, "labels", labels);
    cc_rpc_wallet_end(call);
    return o;
}

static json_t *listdescriptors(struct cc_rpc_call *call)
{
    struct cc_wallet *w;
    json_t *o, *a;

    if (cc_rpc_bool(call, 0, false))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Private keys are told as words: getwalletwords");
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    o = json_object();
    a = json_array();
    cc_json_set_str(o, "wallet_name", cc_wallet_name(w));
    for (enum cc_key_chain c = 0; c < CC_CHAINS; c++) {
        int64_t next = cc_wallet_keys_next(cc_wallet_keys(w), c);
        json_t *one, *range;
        char *desc;

        if (c == CC_CHAIN_STORAGE && !call->env->params->storage_active)
            continue;
        one = json_object();
        range = json_array();
        desc = cc_rpc_chain_descriptor(call, w, c);
        cc_json_set_str(one, "desc", desc);
        free(desc);
        cc_json_set_int(one, "timestamp", cc_wallet_made(w));
        cc_json_set_bool(one, "active", c != CC_CHAIN_STORAGE);
        if (c != CC_CHAIN_STORAGE)
            cc_json_set_bool(one, "internal", c == CC_CHAIN_CHANGE);
        json_array_append_new(range, json_integer(0));
        json_array_append_new(range, json_integer(next + CC_WALLET_GAP - 1));
        cc_json_set(one, "range", range);
        cc_json_set_int(one, "next", next);
        cc_json_set_int(one, "next_index", next);
        json_array_append_new(a, one);
    }
    cc_json_set(o, "descriptors", a);
    cc_rpc_wallet_end(call);
    return o;
}

/* --- Labels ------------------------------------------------------------ */

/* The script of the address in the first argument. */
static bool first_script(struct cc_rpc_call *call,
                         uint8_t script[CC_ADDRESS_SCRIPT_MAX], size_t *len)
{
    if (cc_address_decode(script, len, cc_rpc_str(call, 0, ""),
                          &call->env->params->prefixes, NULL))
        return true;
    cc_rpc_bad_address(call, NULL);
    return false;
}

static json_t *setlabel(struct cc_rpc_call *call)
{
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    const char *label;
    struct cc_wallet *w;
    struct cc_error err;
    enum cc_status st;
    size_t len;

    if (!first_script(call, script, &len) || !cc_rpc_label(call, 1, &label))
        return NULL;
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    st = cc_wallet_set_label(w, cc_bytes(script, len), label, &err);
    cc_rpc_wallet_end(call);
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err, CC_RPC_WALLET_ERROR);
    return json_null();
}

struct label_walk {
    struct cc_rpc_call *call;
    struct cc_wallet *w;
    const char *label; /* NULL: all */
    json_t *out;
};

static bool add_address(void *arg, struct cc_bytes script, const char *label)
{
    struct label_walk *walk = arg;
    char text[CC_ADDRESS_MAX];
    bool mine = cc_wallet_keys_find(cc_wallet_keys(walk->w), script, NULL);
    json_t *o;

    if (strcmp(label, walk->label) != 0)
        return true;
    o = json_object();
    cc_json_set_str(o, "purpose", mine ? "receive" : "send");
    cc_json_set(walk->out, cc_rpc_address(walk->call, script, text), o);
    return true;
}

static json_t *getaddressesbylabel(struct cc_rpc_call *call)
{
    struct label_walk walk = {.call = call};

    if (!cc_rpc_label(call, 0, &walk.label))
        return NULL;
    walk.w = cc_rpc_wallet(call);
    if (!walk.w)
        return NULL;
    walk.out = json_object();
    cc_book_each_label(cc_wallet_book(walk.w), add_address, &walk);
    cc_rpc_wallet_end(call);
    if (json_object_size(walk.out) == 0) {
        json_decref(walk.out);
        return cc_rpc_error(call, CC_RPC_WALLET_INVALID_LABEL_NAME,
                            "No addresses with label %s", walk.label);
    }
    return walk.out;
}

static bool add_label(void *arg, struct cc_bytes script, const char *label)
{
    struct label_walk *walk = arg;

    (void)script;
    cc_json_set(walk->out, label, json_null());
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *listlabels(struct cc_rpc_call *call)
{
    struct label_walk walk = {.call = call};
    const char **names, *key;
    json_t *a, *v;
    size_t n = 0;

    walk.w = cc_rpc_wallet(call);
    if (!walk.w)
        return NULL;
    walk.out = json_object();
    cc_book_each_label(cc_wallet_book(walk.w), add_label, &walk);
    cc_rpc_wallet_end(call);
    names = cc_calloc(json_object_size(walk.out) + 1, sizeof(*names));
    json_object_foreach(walk.out, key, v) names[n++] = key;
    qsort(names, n, sizeof(*names), by_text);
    a = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, json_string(names[i]));
    free(names);
    json_decref(walk.out);
    return a;
}

/* --- What was received ------------------------------------------------- */

/* Does this output count: paid to script, or to anything with label? */
static bool counts(struct cc_book *b, const struct cc_txout *out,
                   struct cc_bytes script, const char *label)
{
    const char *has;

    if (!label)
        return cc_bytes_equal(out->script, script);
    has = cc_book_label(b, out->script);
    return has && !strcmp(has, label);
}

static cc_amount received(struct cc_wallet *w, struct cc_bytes script,
                          const char *label, int64_t min_depth,
                          bool immature_too)
{
    struct cc_book *b = cc_wallet_book(w);
    cc_amount sum = 0;

    for (size_t i = 0; i < cc_book_count(b); i++) {
        const struct cc_wallet_tx *t = cc_book_at(b, i);
        int64_t depth = cc_book_depth(b, t);

        if (depth < min_depth || depth < 0 || (depth == 0 && !t->in_mempool) ||
            (cc_book_immature(b, t) && !immature_too))
            continue;
        for (size_t k = 0; k < t->tx.vout_count; k++) {
            if (counts(b, &t->tx.vout[k], script, label))
                sum += t->tx.vout[k].value;
        }
    }
    return sum;
}

static json_t *getreceivedbyaddress(struct cc_rpc_call *call)
{
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    int64_t depth = 1;
    struct cc_wallet *w;
    json_t *sum = NULL;
    size_t len;

    if (!first_script(call, script, &len) || !cc_rpc_get_int(call, 1, &depth))
        return NULL;
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    if (!cc_wallet_keys_find(cc_wallet_keys(w), cc_bytes(script, len), NULL))
        cc_rpc_error(call, CC_RPC_WALLET_ERROR, "Address not found in wallet");
    else
        sum = cc_json_amount(received(w, cc_bytes(script, len), NULL, depth,
                                      cc_rpc_bool(call, 2, false)));
    cc_rpc_wallet_end(call);
    return sum;
}

static json_t *getreceivedbylabel(struct cc_rpc_call *call)
{
    struct label_walk walk = {.call = call};
    int64_t depth = 1;
    json_t *sum = NULL;

    if (!cc_rpc_label(call, 0, &walk.label) || !cc_rpc_get_int(call, 1, &depth))
        return NULL;
    walk.w = cc_rpc_wallet(call);
    if (!walk.w)
        return NULL;
    walk.out = json_object();
    cc_book_each_label(cc_wallet_book(walk.w), add_address, &walk);
    if (json_object_size(walk.out) == 0)
        cc_rpc_error(call, CC_RPC_WALLET_ERROR, "Label not found in wallet");
    else
        sum = cc_json_amount(received(walk.w, cc_bytes(NULL, 0), walk.label,
                                      depth, cc_rpc_bool(call, 2, false)));
    json_decref(walk.out);
    cc_rpc_wallet_end(call);
    return sum;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg new_args[] = {
    CC_ARG("label", CC_RPC_STR, "",
           "The label name for the address to be linked to."),
    CC_ARG("address_type", CC_RPC_STR, "bech32m", "The address type to use."),
};
static const struct cc_rpc_arg change_args[] = {
    CC_ARG("address_type", CC_RPC_STR, "bech32m", "The address type to use."),
};
static const struct cc_rpc_arg storage_args[] = {
    CC_ARG("index", CC_RPC_NUM, "",
           "Which one; left out: the next that was never asked for."),
};
static const struct cc_rpc_arg info_args[] = {
    CC_ARG("address", CC_RPC_STR, NULL,
           "The address for which to get information."),
};
static const struct cc_rpc_arg set_args[] = {
    CC_ARG("address", CC_RPC_STR, NULL,
           "The address to be associated with a label."),
    CC_ARG("label", CC_RPC_STR, NULL, "The label to assign to the address."),
};
static const struct cc_rpc_arg label_args[] = {
    CC_ARG("label", CC_RPC_STR, NULL, "The label."),
};
static const struct cc_rpc_arg descriptors_args[] = {
    CC_ARG("private", CC_RPC_BOOL, "false", "Must be false."),
};
static const struct cc_rpc_arg labels_args[] = {
    CC_ARG("purpose", CC_RPC_STR, "", "Without effect."),
};
static const struct cc_rpc_arg received_args[] = {
    CC_ARG("address", CC_RPC_STR, NULL, "The address for transactions."),
    CC_ARG("minconf", CC_RPC_NUM, "1",
           "Only include transactions confirmed at least this many times."),
    CC_ARG("include_immature_coinbase", CC_RPC_BOOL, "false",
           "Include immature coinbase transactions."),
};
static const struct cc_rpc_arg by_label_args[] = {
    CC_ARG("label", CC_RPC_STR, NULL,
           "The selected label, may be the default label using \"\"."),
    CC_ARG("minconf", CC_RPC_NUM, "1",
           "Only include transactions confirmed at least this many times."),
    CC_ARG("include_immature_coinbase", CC_RPC_BOOL, "false",
           "Include immature coinbase transactions."),
};

static const struct cc_rpc_method methods[] = {
    {"wallet", "getaddressesbylabel", getaddressesbylabel,
     CC_RPC_ARGS(label_args),
     "Returns the list of addresses assigned the specified label.",
     "{...}    by address: purpose", "\"tabby\"", 0},
    {"wallet", "getaddressinfo", getaddressinfo, CC_RPC_ARGS(info_args),
     "Return information about the given address.\n"
     "Some of the information will only be present if the address is in the "
     "active wallet.",
     "{...}    address, scriptPubKey, ismine, ischange, labels, ...",
     "\"address\"", 0},
    {"wallet", "getnewaddress", getnewaddress, CC_RPC_ARGS(new_args),
     "Returns a new address for receiving payments.\n"
     "If 'label' is specified, it is added to the address book so payments "
     "received with the address will be associated with 'label'.",
     "\"str\"    The new address", "", 0},
    {"wallet", "getrawchangeaddress", getrawchangeaddress,
     CC_RPC_ARGS(change_args),
     "Returns a new address, for receiving change.\n"
     "This is for use with raw transactions, NOT normal use.",
     "\"str\"    The address", "", 0},
    {"wallet", "getreceivedbyaddress", getreceivedbyaddress,
     CC_RPC_ARGS(received_args),
     "Returns the total amount received by the given address in transactions "
     "with at least minconf confirmations.",
     "n    The total amount received at this address.", "\"address\" 6", 0},
    {"wallet", "getreceivedbylabel", getreceivedbylabel,
     CC_RPC_ARGS(by_label_args),
     "Returns the total amount received by addresses with <label> in "
     "transactions with at least [minconf] confirmations.",
     "n    The total amount received for this label.", "\"tabby\" 6", 0},
    {"wallet", "getstoragekey", getstoragekey, CC_RPC_ARGS(storage_args),
     "Returns a storage key of the wallet: of an identity or a contract. What "
     "is owed to such a key is paid to its address and is the wallet's. Needs "
     "the wallet to be unlocked.",
     "{...}    index, key, address, secret", "0", CC_RPC_STORAGE_ONLY},
    {"wallet", "listdescriptors", listdescriptors,
     CC_RPC_ARGS(descriptors_args),
     "List the wallet's chains of keys as output descriptors.",
     "{...}    wallet_name, descriptors: desc, range, next, ...", "", 0},
    {"wallet", "listlabels", listlabels, CC_RPC_ARGS(labels_args),
     "Returns the list of all labels, or labels that are assigned to addresses "
     "with a specific purpose.",
     "[...]    labels", "", 0},
    {"wallet", "setlabel", setlabel, CC_RPC_ARGS(set_args),
     "Sets the label associated with the given address.", "null",
     "\"address\" \"tabby\"", 0},
};

void cc_rpc_register_wallet_address(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
