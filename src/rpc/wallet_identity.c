/* wallets: registering, changing and retiring identities. */
#include <inttypes.h>
#include <stdlib.h>

#include "rpc/walletcall.h"
#include "util/hex.h"
#include "util/mem.h"
#include "wallet/identity.h"

/* What an identity says of itself; NULL and -1: as it was. */
struct profile {
    const char *name, *url;
    json_t *endpoints, *addresses;
    int roles;
};

static bool roles_of(struct cc_rpc_call *call, const json_t *list, int *out)
{
    int bits = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *s;

        if (!cc_rpc_get_str(call, json_array_get(list, i), &s))
            return false;
        if (!strcmp(s, "user"))
            bits |= CC_ROLE_USER;
        else if (!strcmp(s, "host"))
            bits |= CC_ROLE_HOST;
        else if (!strcmp(s, "app"))
            bits |= CC_ROLE_APP;
        else {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Unknown role '%s': there are user, host, app", s);
            return false;
        }
    }
    *out = bits;
    return true;
}

static void put_entry(struct cc_writer *w, enum cc_record_type type,
                      struct cc_bytes value)
{
    if (!value.len)
        return;
    cc_write_u8(w, (uint8_t)type);
    cc_write_u16le(w, (uint16_t)value.len);
    cc_write_bytes(w, value.data, value.len);
}

static struct cc_bytes text_bytes(const char *s)
{
    return cc_bytes(s, strlen(s));
}

/* "a,b" of a list of strings, or the old entry. */
static bool put_list(struct cc_rpc_call *call, struct cc_writer *w,
                     enum cc_record_type type, const json_t *list,
                     struct cc_bytes old)
{
    struct cc_writer joined;
    struct cc_bytes was = cc_bytes(NULL, 0);
    bool ok = true;

    if (!list) {
        if (cc_record_find(old, (uint8_t)type, &was))
            put_entry(w, type, was);
        return true;
    }
    cc_writer_init_heap(&joined);
    for (size_t i = 0; ok && i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        const char *s = cc_json_is_string(v) ? json_string_value(v) : "";

        ok = *s && !strchr(s, ',');
        if (!ok)
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Expected host:port, not '%s'", s);
        if (i)
            cc_write_u8(&joined, ',');
        cc_write_bytes(&joined, s, strlen(s));
    }
    ok = ok && joined.len <= CC_RECORD_LIMIT;
    if (ok)
        put_entry(w, type, cc_bytes(joined.data, joined.len));
    else
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "The record is longer than %d bytes", CC_RECORD_LIMIT);
    cc_writer_clear(&joined);
    return ok;
}

static void put_text(struct cc_writer *w, enum cc_record_type type,
                     const char *text, struct cc_bytes old)
{
    struct cc_bytes was = cc_bytes(NULL, 0);

    if (text)
        put_entry(w, type, text_bytes(text));
    else if (cc_record_find(old, (uint8_t)type, &was))
        put_entry(w, type, was);
}

/* The record of a profile; what it does not name is taken from old. */
static bool put_record(struct cc_rpc_call *call, struct cc_writer *w,
                       const struct profile *p, struct cc_bytes old)
{
    struct cc_bytes was = cc_bytes(NULL, 0);
    uint8_t bits = (uint8_t)p->roles;

    if ((p->name && strlen(p->name) > CC_RECORD_LIMIT) ||
        (p->url && strlen(p->url) > CC_RECORD_LIMIT)) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "The record is longer than %d bytes", CC_RECORD_LIMIT);
        return false;
    }
    put_text(w, CC_RECORD_NAME, p->name, old);
    if (p->roles >= 0)
        put_entry(w, CC_RECORD_ROLES, cc_bytes(&bits, 1));
    else if (cc_record_find(old, CC_RECORD_ROLES, &was))
        put_entry(w, CC_RECORD_ROLES, was);
    if (!put_list(call, w, CC_RECORD_ADDRESSES, p->addresses, old))
        return false;
    put_text(w, CC_RECORD_URL, p->url, old);
    if (!put_list(call, w, CC_RECORD_ENDPOINTS, p->endpoints, old))
        return false;
    if (w->len <= CC_RECORD_LIMIT)
        return true;
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                 "The record is longer than %d bytes", CC_RECORD_LIMIT);
    return false;
}

static json_t *send_built(struct cc_rpc_call *call, struct cc_wallet *w,
                          enum cc_status st, struct cc_built *b,
                          const struct cc_wallet_key *key, struct cc_error *err)
{
    char text[CC_ADDRESS_MAX];
    json_t *o;

    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, err,
                                   CC_RPC_WALLET_INSUFFICIENT_FUNDS);
    st = cc_wallet_commit(w, &b->tx, NULL, NULL, err);
    if (st != CC_OK) {
        o = cc_rpc_wallet_error(call, st, err, CC_RPC_WALLET_ERROR);
    } else {
        o = json_object();
        cc_json_set_hash(o, "txid", b->tx.txid);
        cc_json_set(o, "key", cc_json_hex(cc_bytes(key->output, 32)));
        cc_json_set_str(o, "address",
                        cc_rpc_address(call,
                                       cc_bytes(key->script, CC_TAPROOT_SCRIPT),
                                       text));
    }
    cc_built_clear(b);
    return o;
}

/* --- registeridentity -------------------------------------------------- */

static json_t *register_identity(struct cc_rpc_call *call, struct cc_wallet *w,
                                 const struct profile *p, cc_amount bond,
                                 uint32_t index, cc_amount feerate)
{
    struct cc_wallet_key key;
    struct cc_outpoint o;
    struct cc_coin coin;
    struct cc_arena arena;
    struct cc_writer record;
    struct cc_built b;
    struct cc_error err;
    enum cc_status st;
    json_t *answer = NULL;

    st = cc_wallet_use_key(w, CC_CHAIN_STORAGE, index, &key, &err);
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err, CC_RPC_WALLET_ERROR);
    cc_arena_init(&arena);
    cc_writer_init_heap(&record);
    if (cc_chain_typed(call->env->chain, CC_KIND_IDENTITY, key.output, &o,
                       &coin, &arena, &err) == CC_OK)
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "This key is registered already; updateidentity changes "
                     "it");
    else if (put_record(call, &record, p, cc_bytes(NULL, 0))) {
        st = cc_wallet_identity_form(w, &key, cc_bytes(record.data, record.len),
                                     bond, feerate, &b, &err);
        answer = send_built(call, w, st, &b, &key, &err);
    }
    cc_writer_clear(&record);
    cc_arena_clear(&arena);
    return answer;
}

static json_t *registeridentity(struct cc_rpc_call *call)
{
    struct profile p = {.name = cc_rpc_str(call, 0, ""),
                        .roles = CC_ROLE_USER,
                        .endpoints = cc_rpc_arg(call, 2),
                        .url = cc_rpc_str(call, 4, NULL),
                        .addresses = cc_rpc_arg(call, 5)};
    cc_amount bond = call->env->params->storage.bond_min, feerate = 0;
    int64_t index = 0;
    struct cc_wallet *w;
    json_t *o = NULL;

    if ((cc_rpc_arg(call, 1) &&
         !roles_of(call, cc_rpc_arg(call, 1), &p.roles)) ||
        !cc_rpc_get_amount(call, cc_rpc_arg(call, 3), &bond) ||
        !cc_rpc_get_int(call, 6, &index) ||
        (cc_rpc_arg(call, 7) &&
         !cc_rpc_get_fixed(call, cc_rpc_arg(call, 7), 3, &feerate)))
        return NULL;
    if (bond < call->env->params->storage.bond_min)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "The bond is below the least that is allowed");
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    if (index < 0 || index > (int64_t)cc_wallet_keys_next(cc_wallet_keys(w),
                                                          CC_CHAIN_STORAGE))
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Invalid index");
    else if (cc_rpc_wallet_unlocked(call, w))
        o = register_identity(call, w, &p, bond, (uint32_t)index, feerate);
    cc_rpc_wallet_end(call);
    return o;
}

/* --- The present identity of a key of ours ----------------------------- */

struct present {
    struct cc_wallet_key key;
    struct cc_outpoint o;
    struct cc_coin coin;
    struct cc_typed typed;
    struct cc_arena arena;
};

/* Argument 0 names it. present->arena is the caller's in any case. */
static bool find_identity(struct cc_rpc_call *call, struct cc_wallet *w,
                          struct present *p)
{
    uint8_t script[CC_TAPROOT_SCRIPT] = {0x51, 32};
    struct cc_error err;
    enum cc_status st;

    if (!cc_hex_decode(script + 2, 32, cc_rpc_str(call, 0, ""))) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "key must be 64 hexadecimal digits");
        return false;
    }
    if (!cc_wallet_keys_find(cc_wallet_keys(w),
                             cc_bytes(script, sizeof(script)), &p->key) ||
        p->key.chain != CC_CHAIN_STORAGE) {
        cc_rpc_error(call, CC_RPC_WALLET_ERROR,
                     "This key is no storage key of the wallet");
        return false;
    }
    st = cc_chain_typed(call->env->chain, CC_KIND_IDENTITY, p->key.output,
                        &p->o, &p->coin, &p->arena, &err);
    if (st == CC_OK)
        st = cc_typed_parse(&p->typed, p->coin.out.script, &err);
    if (st == CC_NOTFOUND)
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "No identity is registered for this key");
    else if (st != CC_OK)
        cc_rpc_error_from(call, st, &err);
    return st == CC_OK;
}

static bool take_profile(struct cc_rpc_call *call, const json_t *o,
                         struct profile *p, cc_amount *bond)
{
    static const char *const names[] = {"name", "roles",     "endpoints",
                                        "url",  "addresses", "bond"};
    json_t *v;

    p->roles = -1;
    if (!cc_rpc_strict(call, o, names, 6) ||
        !cc_rpc_member(call, o, "name", CC_RPC_STR, &v))
        return false;
    p->name = json_string_value(v);
    if (!cc_rpc_member(call, o, "url", CC_RPC_STR, &v))
        return false;
    p->url = json_string_value(v);
    if (!cc_rpc_member(call, o, "roles", CC_RPC_ARR, &v) ||
        (v && !roles_of(call, v, &p->roles)))
        return false;
    return cc_rpc_member(call, o, "endpoints", CC_RPC_ARR, &p->endpoints) &&
           cc_rpc_member(call, o, "addresses", CC_RPC_ARR, &p->addresses) &&
           cc_rpc_get_amount(call, json_object_get(o, "bond"), bond);
}

static json_t *update_identity(struct cc_rpc_call *call, struct cc_wallet *w,
                               const struct present *now, cc_amount feerate)
{
    struct profile p = {.name = NULL};
    cc_amount bond = now->coin.out.value;
    struct cc_writer record;
    struct cc_built b;
    struct cc_error err;
    enum cc_status st;
    json_t *o = NULL;

    if (!take_profile(call, cc_rpc_arg(call, 1), &p, &bond))
        return NULL;
    cc_writer_init_heap(&record);
    if (put_record(call, &record, &p, now->typed.u.identity.record)) {
        st = cc_wallet_identity_update(w, &now->key, &now->o, &now->coin,
                                       cc_bytes(record.data, record.len), bond,
                                       feerate, &b, &err);
        o = send_built(call, w, st, &b, &now->key, &err);
    }
    cc_writer_clear(&record);
    return o;
}

static json_t *retire_identity(struct cc_rpc_call *call, struct cc_wallet *w,
                               const struct present *now, cc_amount feerate)
{
    const char *address = cc_rpc_str(call, 1, NULL);
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    size_t len = CC_TAPROOT_SCRIPT;
    struct cc_wallet_key key;
    struct cc_built b;
    struct cc_error err;
    enum cc_status st = CC_OK;

    if (address) {
        if (!cc_rpc_get_payee(call, address, script, &len))
            return NULL;
    } else {
        st = cc_wallet_new_key(w, CC_CHAIN_CHANGE, NULL, &key, &err);
        memcpy(script, key.script, CC_TAPROOT_SCRIPT);
    }
    if (st == CC_OK)
        st =
            cc_wallet_identity_retire(w, &now->key, &now->o, &now->coin,
                                      cc_bytes(script, len), feerate, &b, &err);
    return send_built(call, w, st, &b, &now->key, &err);
}

/* Both calls: find, act, end. */
static json_t *
with_identity(struct cc_rpc_call *call,
              json_t *(*fn)(struct cc_rpc_call *call, struct cc_wallet *w,
                            const struct present *now, cc_amount feerate))
{
    cc_amount feerate = 0;
    struct cc_wallet *w;
    struct present now;
    json_t *o = NULL;

    if (cc_rpc_arg(call, 2) &&
        !cc_rpc_get_fixed(call, cc_rpc_arg(call, 2), 3, &feerate))
        return NULL;
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    cc_arena_init(&now.arena);
    if (cc_rpc_wallet_unlocked(call, w) && find_identity(call, w, &now))
        o = fn(call, w, &now, feerate);
    cc_arena_clear(&now.arena);
    cc_rpc_wallet_end(call);
    return o;
}

static json_t *updateidentity(struct cc_rpc_call *call)
{
    return with_identity(call, update_identity);
}

static json_t *retireidentity(struct cc_rpc_call *call)
{
    return with_identity(call, retire_identity);
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg register_args[] = {
    CC_ARG("name", CC_RPC_STR, NULL, "A name for people; not unique."),
    CC_ARG_AS("roles", CC_RPC_ARR, "[\"user\"]", "Of user, host, app.",
              "[\"role\",...]"),
    CC_ARG_AS("endpoints", CC_RPC_ARR, "[]",
              "Where sessions are accepted, each host:port.",
              "[\"host:port\",...]"),
    CC_ARG("bond", CC_RPC_AMOUNT, "",
           "The bond; left out: the least that is allowed."),
    CC_ARG("url", CC_RPC_STR, "", "Of a file server."),
    CC_ARG_AS("addresses", CC_RPC_ARR, "[]",
              "Of nodes that serve it, each host:port.", "[\"host:port\",...]"),
    CC_ARG("index", CC_RPC_NUM, "0",
           "Which storage key of the wallet it is to be."),
    CC_ARG("fee_rate", CC_RPC_AMOUNT, "", "Fee rate in sat/vB."),
};
static const struct cc_rpc_arg update_args[] = {
    CC_ARG("key", CC_RPC_HEX, NULL, "The identity's key."),
    CC_ARG_AS("changes", CC_RPC_OBJ, NULL,
              "What is to change of name, roles, endpoints, url, addresses, "
              "bond; the rest stays.",
              "{\"name\":value,...}"),
    CC_ARG("fee_rate", CC_RPC_AMOUNT, "", "Fee rate in sat/vB."),
};
static const struct cc_rpc_arg retire_args[] = {
    CC_ARG("key", CC_RPC_HEX, NULL, "The identity's key."),
    CC_ARG("address", CC_RPC_STR, "",
           "Where the bond goes; left out: into the wallet."),
    CC_ARG("fee_rate", CC_RPC_AMOUNT, "", "Fee rate in sat/vB."),
};

static const struct cc_rpc_method methods[] = {
    {"wallet", "registeridentity", registeridentity, CC_RPC_ARGS(register_args),
     "Registers a storage key of the wallet as an identity: makes, signs and "
     "sends the transaction that locks its bond.",
     "{...}    txid, key, address",
     "\"my host\" '[\"host\"]' '[\"127.0.0.1:9000\"]'", CC_RPC_STORAGE_ONLY},
    {"wallet", "retireidentity", retireidentity, CC_RPC_ARGS(retire_args),
     "Ends an identity of the wallet and frees its bond, which must be old "
     "enough.",
     "{...}    txid, key, address", "\"key\"", CC_RPC_STORAGE_ONLY},
    {"wallet", "updateidentity", updateidentity, CC_RPC_ARGS(update_args),
     "Changes what an identity of the wallet says of itself.",
     "{...}    txid, key, address",
     "\"key\" '{\"endpoints\":[\"127.0.0.1:9001\"]}'", CC_RPC_STORAGE_ONLY},
};

void cc_rpc_register_wallet_identity(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
