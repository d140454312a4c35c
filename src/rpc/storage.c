/* storage: typed coins (identities, contracts, seals) and the mint, as the
 * chain has them now. Amounts are in coins; keys, ids and roots are hex of
 * their bytes in order. */
#include <stdlib.h>

#include "consensus/script.h"
#include "consensus/storage.h"
#include "consensus/typed.h"
#include "crypto/address.h"
#include "crypto/mtree.h"
#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "rpc/txjson.h"
#include "util/hex.h"
#include "util/mem.h"

/* Blocks over which claims are averaged to tell how much is sealed. */
#define ESTIMATE_BLOCKS 1024

/* --- Bodies ------------------------------------------------------------ */

static void set_bytes(json_t *o, const char *key, const void *data, size_t len)
{
    cc_json_set(o, key, cc_json_hex(cc_bytes(data, len)));
}

static void set_text(json_t *o, const char *key, struct cc_bytes text)
{
    json_t *v = json_stringn((const char *)text.data, text.len);

    /* Not UTF-8: its bytes, so that nothing is lost. */
    cc_json_set(o, key, v ? v : cc_json_hex(text));
}

/* "a,b" as ["a","b"]; empty parts are left out. */
static json_t *text_list(struct cc_bytes text)
{
    json_t *a = json_array(), *v;
    size_t from = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.data[i] != ',')
            continue;
        if (i > from) {
            v = json_stringn((const char *)text.data + from, i - from);
            json_array_append_new(
                a, v ? v : cc_json_hex(cc_bytes(text.data + from, i - from)));
        }
        from = i + 1;
    }
    return a;
}

static json_t *roles_json(unsigned bits)
{
    json_t *a = json_array();

    if (bits & CC_ROLE_USER)
        json_array_append_new(a, json_string("user"));
    if (bits & CC_ROLE_HOST)
        json_array_append_new(a, json_string("host"));
    if (bits & CC_ROLE_APP)
        json_array_append_new(a, json_string("app"));
    return a;
}

/* Value of a record entry; false: not there. */
static bool record_entry(struct cc_bytes record, uint8_t type,
                         struct cc_bytes *out)
{
    struct cc_reader r;

    cc_reader_init(&r, record.data, record.len);
    while (r.left) {
        uint8_t t = cc_read_u8(&r);
        struct cc_bytes v = cc_read_slice(&r, cc_read_u16le(&r));

        if (r.failed)
            return false;
        if (t == type) {
            *out = v;
            return true;
        }
    }
    return false;
}

static unsigned identity_roles(const struct cc_identity *i)
{
    struct cc_bytes v;

    return record_entry(i->record, CC_RECORD_ROLES, &v) && v.len ? v.data[0]
                                                                 : 0;
}

static void put_identity(json_t *o, const struct cc_identity *i,
                         const struct cc_params *p)
{
    uint8_t script[34] = {CC_OP_1, 32};
    char address[CC_ADDRESS_MAX];
    struct cc_bytes v;

    memcpy(script + 2, i->key, 32);
    set_bytes(o, "key", i->key, 32);
    if (cc_address_encode(address, script, sizeof(script), &p->prefixes))
        cc_json_set_str(o, "address", address);
    cc_json_set_int(o, "sequence", i->sequence);
    if (record_entry(i->record, CC_RECORD_NAME, &v))
        set_text(o, "name", v);
    cc_json_set(o, "roles", roles_json(identity_roles(i)));
    if (record_entry(i->record, CC_RECORD_ADDRESSES, &v))
        cc_json_set(o, "addresses", text_list(v));
    v.len = 0;
    record_entry(i->record, CC_RECORD_ENDPOINTS, &v);
    cc_json_set(o, "endpoints", text_list(v));
    if (record_entry(i->record, CC_RECORD_URL, &v))
        set_text(o, "url", v);
}

static void set_u64_amount(json_t *o, const char *key, uint64_t v)
{
    cc_json_set_amount(o, key, v > INT64_MAX ? INT64_MAX : (cc_amount)v);
}

static void put_contract(json_t *o, const struct cc_contract *c,
                         const uint8_t id[32], const struct cc_params *p)
{
    cc_amount need;

    set_bytes(o, "id", id, 32);
    set_bytes(o, "renter", c->renter_key, 32);
    set_bytes(o, "host", c->host_key, 32);
    set_bytes(o, "root", c->root, 32);
    cc_json_set_int(o, "sectors", c->sectors);
    cc_json_set_int(o, "revision", c->revision);
    cc_json_set_int(o, "start", c->start);
    cc_json_set_int(o, "period", c->period);
    cc_json_set_int(o, "periods", c->periods);
    cc_json_set_int(o, "done", c->done);
    cc_json_set_int(o, "samples", c->samples);
    cc_json_set_int(o, "odds", c->odds);
    set_u64_amount(o, "rent", c->rent);
    set_u64_amount(o, "penalty", c->penalty);
    set_u64_amount(o, "allowance", c->allowance);
    set_u64_amount(o, "redeemed", c->redeemed);
    if (cc_contract_need(&need, c, p))
        cc_json_set_amount(o, "need", need);
}

static void put_seal(json_t *o, const struct cc_seal *s, const uint8_t id[32])
{
    set_bytes(o, "id", id, 32);
    cc_json_set_int(o, "version", s->version);
    set_bytes(o, "host", s->host_key, 32);
    set_bytes(o, "root", s->root, 32);
    cc_json_set_int(o, "sectors", s->sectors);
    cc_json_set_int(o, "seal_height", s->seal_height);
    cc_json_set_int(o, "mark_height", s->mark_height);
    cc_json_set(o, "mark_leaf", cc_json_u64(s->mark_leaf));
}

static const char *kind_name(enum cc_kind kind)
{
    switch (kind) {
    case CC_KIND_IDENTITY:
        return "identity";
    case CC_KIND_CONTRACT:
        return "contract";
    case CC_KIND_SEAL:
        return "seal";
    case CC_KIND_RESERVED:
        return "reserved";
    case CC_KIND_NONE:
        break;
    }
    return "none";
}

static void put_body(json_t *o, const struct cc_typed *t, const uint8_t id[32],
                     const struct cc_params *p)
{
    switch (t->kind) {
    case CC_KIND_IDENTITY:
        put_identity(o, &t->u.identity, p);
        break;
    case CC_KIND_CONTRACT:
        put_contract(o, &t->u.contract, id, p);
        break;
    case CC_KIND_SEAL:
        put_seal(o, &t->u.seal, id);
        break;
    case CC_KIND_NONE:
    case CC_KIND_RESERVED:
        break;
    }
}

json_t *cc_typed_json(struct cc_bytes script, const struct cc_params *p)
{
    struct cc_typed t;
    const uint8_t *id;
    json_t *o;

    if (cc_typed_parse(&t, script, NULL) != CC_OK || t.kind == CC_KIND_NONE)
        return NULL;
    id = t.kind == CC_KIND_SEAL ? t.u.seal.id : t.u.contract.id;
    o = json_object();
    cc_json_set_str(o, "kind", kind_name(t.kind));
    cc_json_set_bool(o, "forming", t.forming);
    put_body(o, &t, id, p);
    return o;
}

/* --- Coins ------------------------------------------------------------- */

static void put_coin(json_t *o, const struct cc_outpoint *out,
                     const struct cc_coin *coin, const char *value_name)
{
    cc_json_set_amount(o, value_name, coin->out.value);
    cc_json_set_hash(o, "txid", out->txid);
    cc_json_set_int(o, "vout", out->index);
    cc_json_set_int(o, "height", coin->height);
}

static json_t *coin_json(const struct cc_typed *t,
                         const struct cc_outpoint *out,
                         const struct cc_coin *coin, const struct cc_params *p)
{
    json_t *o = json_object();
    uint8_t id[32];

    cc_typed_id(id, t, out);
    put_body(o, t, id, p);
    put_coin(o, out, coin, t->kind == CC_KIND_IDENTITY ? "bond" : "value");
    return o;
}

struct listing {
    const struct cc_params *params;
    enum cc_kind kind;
    unsigned roles;     /* of identities: one of these; 0: any */
    const uint8_t *key; /* a party; NULL: any */
    json_t *out;
    /* sums, for getnetworkstorage */
    uint64_t count[4], sectors[4], hosts;
    cc_amount value[4];
};

static bool concerns(const struct listing *l, const struct cc_typed *t)
{
    return t->kind == l->kind &&
           (!l->roles || (identity_roles(&t->u.identity) & l->roles));
}

static bool list_coin(void *arg, const struct cc_outpoint *out,
                      const struct cc_coin *coin)
{
    struct listing *l = arg;
    struct cc_typed t;

    if (cc_typed_parse(&t, coin->out.script, NULL) != CC_OK || !concerns(l, &t))
        return true;
    json_array_append_new(l->out, coin_json(&t, out, coin, l->params));
    return true;
}

static json_t *list(struct cc_rpc_call *call, struct listing *l)
{
    struct cc_error err;
    enum cc_status st;

    cc_error_init(&err);
    l->params = call->env->params;
    l->out = json_array();
    st = l->key ? cc_chain_each_typed_key(call->env->chain, l->key, list_coin,
                                          l, &err)
                : cc_chain_each_typed(call->env->chain, list_coin, l, &err);
    if (st == CC_OK)
        return l->out;
    json_decref(l->out);
    return cc_rpc_error_from(call, st, &err);
}

static bool get_bytes32(struct cc_rpc_call *call, size_t i, uint8_t out[32])
{
    const char *s = cc_rpc_str(call, i, "");

    if (cc_hex_decode(out, 32, s))
        return true;
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                 "%s must be 64 hexadecimal digits (not '%s')",
                 call->method->args[i].name, s);
    return false;
}

static json_t *listidentities(struct cc_rpc_call *call)
{
    const char *role = cc_rpc_str(call, 0, NULL);
    struct listing l = {.kind = CC_KIND_IDENTITY};

    if (role) {
        l.roles = !strcmp(role, "user")   ? CC_ROLE_USER
                  : !strcmp(role, "host") ? CC_ROLE_HOST
                  : !strcmp(role, "app")  ? CC_ROLE_APP
                                          : 0;
        if (!l.roles)
            return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                                "Unknown role '%s': user, host or app", role);
    }
    return list(call, &l);
}

static json_t *list_of_key(struct cc_rpc_call *call, enum cc_kind kind)
{
    struct listing l = {.kind = kind};
    uint8_t key[32];

    if (cc_rpc_arg(call, 0)) {
        if (!get_bytes32(call, 0, key))
            return NULL;
        l.key = key;
    }
    return list(call, &l);
}

static json_t *listcontracts(struct cc_rpc_call *call)
{
    return list_of_key(call, CC_KIND_CONTRACT);
}

static json_t *listseals(struct cc_rpc_call *call)
{
    return list_of_key(call, CC_KIND_SEAL);
}

static json_t *get_typed(struct cc_rpc_call *call, enum cc_kind kind)
{
    struct cc_outpoint out;
    struct cc_coin coin;
    struct cc_typed t;
    struct cc_arena arena;
    struct cc_error err;
    enum cc_status st;
    uint8_t id[32];
    json_t *o = NULL;

    if (!get_bytes32(call, 0, id))
        return NULL;
    cc_error_init(&err);
    cc_arena_init(&arena);
    st = cc_chain_typed(call->env->chain, kind, id, &out, &coin, &arena, &err);
    if (st == CC_OK)
        st = cc_typed_parse(&t, coin.out.script, &err);
    if (st == CC_OK)
        o = coin_json(&t, &out, &coin, call->env->params);
    else if (st == CC_NOTFOUND)
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "No %s of this name is on the chain", kind_name(kind));
    else
        cc_rpc_error_from(call, st, &err);
    cc_arena_clear(&arena);
    return o;
}

static json_t *getidentity(struct cc_rpc_call *call)
{
    return get_typed(call, CC_KIND_IDENTITY);
}

static json_t *getcontract(struct cc_rpc_call *call)
{
    return get_typed(call, CC_KIND_CONTRACT);
}

static json_t *getseal(struct cc_rpc_call *call)
{
    return get_typed(call, CC_KIND_SEAL);
}

/* --- The mint ---------------------------------------------------------- */

static json_t *getstoragestate(struct cc_rpc_call *call)
{
    const struct cc_index *i = cc_chain_tip(call->env->chain);
    struct cc_mint_state state;
    int height = 0;
    json_t *o;

    if (cc_rpc_arg(call, 0)) {
        if (!cc_rpc_get_int32(call, 0, &height))
            return NULL;
        i = height < 0 ? NULL : cc_chain_at(call->env->chain, (uint32_t)height);
        if (!i)
            return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                                "Block height out of range");
    }
    state = cc_chain_look(call->env->chain, i).state;
    o = json_object();
    cc_json_set_int(o, "height", i->height);
    cc_json_set_amount(o, "pool", state.pool);
    cc_json_set(o, "ticket_target", cc_json_u256(&state.ticket));
    cc_json_set_int(o, "claims", state.claims);
    cc_json_set_amount(o, "mint",
                       cc_mint_reward(&state, i->height, call->env->params));
    return o;
}

static bool add_up(void *arg, const struct cc_outpoint *out,
                   const struct cc_coin *coin)
{
    struct listing *l = arg;
    struct cc_typed t;

    (void)out;
    if (cc_typed_parse(&t, coin->out.script, NULL) != CC_OK ||
        t.kind == CC_KIND_NONE || t.kind > CC_KIND_SEAL)
        return true;
    l->count[t.kind]++;
    l->value[t.kind] += coin->out.value;
    if (t.kind == CC_KIND_CONTRACT)
        l->sectors[t.kind] += t.u.contract.sectors;
    else if (t.kind == CC_KIND_SEAL)
        l->sectors[t.kind] += t.u.seal.sectors;
    else if (identity_roles(&t.u.identity) & CC_ROLE_HOST)
        l->hosts++;
    return true;
}

/* A unit of sealed sectors has SECTOR_LEAVES tickets a block, each winning
 * with chance T / 2^256: so claims tell how many units there are. */
static double sealed_estimate(struct cc_chain *c, const struct cc_index *tip,
                              uint32_t *blocks)
{
    double chances = 0, claims = 0;

    *blocks = 0;
    cc_chain_lock(c);
    for (const struct cc_index *i = tip;
         i && i->height > 0 && *blocks < ESTIMATE_BLOCKS; i = i->prev) {
        struct cc_u256 t;

        cc_u256_shr(&t, &i->state.ticket, 192);
        chances += (double)t.w[0] / 18446744073709551616.0 * CC_SECTOR_LEAVES;
        claims += i->state.claims;
        (*blocks)++;
    }
    cc_chain_unlock(c);
    return chances > 0 ? claims / chances * cc_chain_params(c)->storage.unit
                       : 0;
}

static json_t *getnetworkstorage(struct cc_rpc_call *call)
{
    const struct cc_rpc_env *env = call->env;
    const struct cc_index *tip = cc_chain_tip(env->chain);
    struct listing l = {.params = env->params};
    struct cc_error err;
    uint32_t blocks;
    double sealed = sealed_estimate(env->chain, tip, &blocks);
    struct cc_mint_state state = cc_chain_look(env->chain, tip).state;
    json_t *o;
    enum cc_status st;

    cc_error_init(&err);
    st = cc_chain_each_typed(env->chain, add_up, &l, &err);
    if (st != CC_OK)
        return cc_rpc_error_from(call, st, &err);
    o = json_object();
    cc_json_set_int(o, "height", tip->height);
    cc_json_set(o, "hosts", cc_json_u64(l.hosts));
    cc_json_set(o, "identities", cc_json_u64(l.count[CC_KIND_IDENTITY]));
    cc_json_set_amount(o, "bonds", l.value[CC_KIND_IDENTITY]);
    cc_json_set(o, "contracts", cc_json_u64(l.count[CC_KIND_CONTRACT]));
    cc_json_set(o, "contract_sectors",
                cc_json_u64(l.sectors[CC_KIND_CONTRACT]));
    cc_json_set_amount(o, "contract_value", l.value[CC_KIND_CONTRACT]);
    cc_json_set(o, "seals", cc_json_u64(l.count[CC_KIND_SEAL]));
    cc_json_set(o, "seal_sectors", cc_json_u64(l.sectors[CC_KIND_SEAL]));
    cc_json_set(o, "ticket_target", cc_json_u256(&state.ticket));
    cc_json_set_int(o, "estimate_blocks", blocks);
    cc_json_set(o, "estimated_sealed_sectors", cc_json_double(sealed));
    cc_json_set(o, "estimated_sealed_bytes",
                cc_json_double(sealed * CC_SECTOR_SIZE));
    cc_json_set_amount(o, "pool", state.pool);
    return o;
}

static json_t *decodestorage(struct cc_rpc_call *call)
{
    struct cc_typed t;
    struct cc_error err;
    uint8_t *data;
    size_t len;
    json_t *o;

    if (!cc_rpc_get_hex(call, cc_rpc_arg(call, 0), "script", &data, &len))
        return NULL;
    cc_error_init(&err);
    if (cc_typed_parse(&t, cc_bytes(data, len), &err) != CC_OK) {
        free(data);
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                            "Script decode failed: %s", err.text);
    }
    o = cc_typed_json(cc_bytes(data, len), call->env->params);
    free(data);
    if (!o)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "This script holds no typed coin");
    return o;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg role_args[] = {
    CC_ARG("role", CC_RPC_STR, "all",
           "Only identities of this role: user, host or app"),
};
static const struct cc_rpc_arg key_args[] = {
    CC_ARG("key", CC_RPC_HEX, NULL, "The identity's x-only public key"),
};
static const struct cc_rpc_arg party_args[] = {
    CC_ARG("key", CC_RPC_HEX, "all",
           "Only those to which this x-only public key is a party"),
};
static const struct cc_rpc_arg id_args[] = {
    CC_ARG("id", CC_RPC_HEX, NULL, "Its id"),
};
static const struct cc_rpc_arg state_args[] = {
    CC_ARG("height", CC_RPC_NUM, "the tip", "Height of the block"),
};
static const struct cc_rpc_arg decode_args[] = {
    CC_ARG("script", CC_RPC_HEX, NULL, "The output script"),
};

#define ONLY CC_RPC_STORAGE_ONLY
#define EXAMPLE_KEY                                                            \
    "\"50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0\""

static const struct cc_rpc_method methods[] = {
    {"storage", "decodestorage", decodestorage, CC_RPC_ARGS(decode_args),
     "Shows what a typed output script says.",
     "{...}    kind, forming, and the fields of that kind", "\"bb...\"", ONLY},
    {"storage", "getcontract", getcontract, CC_RPC_ARGS(id_args),
     "Returns a contract as it stands on the chain.",
     "{...}    id, renter, host, root, sectors, revision, start, period, "
     "periods, done,\n         samples, odds, rent, penalty, allowance, "
     "redeemed, need, value, txid, vout, height",
     EXAMPLE_KEY, ONLY},
    {"storage", "getidentity", getidentity, CC_RPC_ARGS(key_args),
     "Returns a registered identity: its coin with the highest sequence, then "
     "the oldest.",
     "{...}    key, address, sequence, name, roles, endpoints, url, bond, "
     "txid, vout, height",
     EXAMPLE_KEY, ONLY},
    {"storage", "getnetworkstorage", getnetworkstorage, CC_RPC_NO_ARGS,
     "Returns how much the network stores: what contracts and seals name, and "
     "an estimate,\nfrom the claims of recent blocks, of the data that is "
     "kept sealed (or could as cheaply be remade).",
     "{...}    hosts, identities, contracts, contract_sectors, seals, "
     "seal_sectors,\n         estimated_sealed_sectors, "
     "estimated_sealed_bytes, pool, ...",
     "", ONLY},
    {"storage", "getseal", getseal, CC_RPC_ARGS(id_args),
     "Returns a seal as it stands on the chain.",
     "{...}    id, version, host, root, sectors, seal_height, mark_height, "
     "mark_leaf, value, txid, vout, height",
     EXAMPLE_KEY, ONLY},
    {"storage", "getstoragestate", getstoragestate, CC_RPC_ARGS(state_args),
     "Returns the state of the mint at a block.",
     "{...}    height, pool, ticket_target (hex, highest digit first), claims "
     "(in that block),\n         mint (what one claim on this block's draw "
     "pays)",
     "100", ONLY},
    {"storage", "listcontracts", listcontracts, CC_RPC_ARGS(party_args),
     "Lists contracts on the chain.", "[...]    each as getcontract shows it",
     "", ONLY},
    {"storage", "listidentities", listidentities, CC_RPC_ARGS(role_args),
     "Lists registered identities.", "[...]    each as getidentity shows it",
     "\"host\"", ONLY},
    {"storage", "listseals", listseals, CC_RPC_ARGS(party_args),
     "Lists seals on the chain.", "[...]    each as getseal shows it", "",
     ONLY},
};

void cc_rpc_register_storage(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
