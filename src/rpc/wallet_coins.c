/* wallets: unspent outputs, and locking them. */
#include <inttypes.h>
#include <stdlib.h>

#include "rpc/walletcall.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/random.h"

/* --- listunspent ------------------------------------------------------- */

struct filter {
    int64_t min_depth, max_depth, max_count;
    cc_amount min_amount, max_amount, min_sum;
    bool unsafe, immature, by_script;
    struct cc_map scripts; /* taproot scripts */
};

static bool take_addresses(struct cc_rpc_call *call, const json_t *list,
                           struct filter *f)
{
    uint8_t script[CC_ADDRESS_SCRIPT_MAX], seed[16];
    size_t len;
    bool fresh;

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&f->scripts, CC_TAPROOT_SCRIPT, 1, seed);
    f->by_script = json_array_size(list) > 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text;

        if (!cc_rpc_get_str(call, json_array_get(list, i), &text) ||
            !cc_rpc_get_payee(call, text, script, &len))
            return false;
        fresh = true;
        if (len == CC_TAPROOT_SCRIPT)
            cc_map_put(&f->scripts, script, &fresh);
        if (!fresh) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Invalid parameter, duplicated address: %s", text);
            return false;
        }
    }
    return true;
}

static bool take_options(struct cc_rpc_call *call, const json_t *o,
                         struct filter *f)
{
    static const char *const names[] = {"minimumAmount", "maximumAmount",
                                        "minimumSumAmount", "maximumCount",
                                        "include_immature_coinbase"};
    json_t *v;

    if (!o)
        return true;
    if (!cc_rpc_strict(call, o, names, 5) ||
        !cc_rpc_get_amount(call, json_object_get(o, names[0]),
                           &f->min_amount) ||
        !cc_rpc_get_amount(call, json_object_get(o, names[1]),
                           &f->max_amount) ||
        !cc_rpc_get_amount(call, json_object_get(o, names[2]), &f->min_sum) ||
        !cc_rpc_member(call, o, names[3], CC_RPC_NUM, &v))
        return false;
    if (v && !cc_json_get_int(v, &f->max_count)) {
        cc_rpc_error(call, CC_RPC_MISC_ERROR, "JSON integer out of range");
        return false;
    }
    if (!cc_rpc_member(call, o, names[4], CC_RPC_BOOL, &v))
        return false;
    f->immature = json_is_true(v);
    return true;
}

static bool passes(const struct filter *f, const struct cc_wallet_coin *c)
{
    return !c->locked && c->depth >= f->min_depth && c->depth <= f->max_depth &&
           c->value >= f->min_amount && c->value <= f->max_amount &&
           (f->unsafe || c->safe) &&
           (!f->by_script || cc_map_get(&f->scripts, c->key.script));
}

static json_t *coin_json(struct cc_rpc_call *call, struct cc_wallet *w,
                         const struct cc_wallet_coin *c)
{
    struct cc_bytes script = cc_bytes(c->key.script, CC_TAPROOT_SCRIPT);
    const char *label = cc_book_label(cc_wallet_book(w), script);
    const struct cc_mempool_entry *e =
        c->depth == 0 ? cc_mempool_find(call->env->mempool, c->outpoint.txid)
                      : NULL;
    char text[CC_ADDRESS_MAX], *desc;
    json_t *o = json_object(), *descs = json_array();

    cc_json_set_hash(o, "txid", c->outpoint.txid);
    cc_json_set_int(o, "vout", c->outpoint.index);
    cc_json_set_str(o, "address", cc_rpc_address(call, script, text));
    if (label)
        cc_json_set_str(o, "label", label);
    cc_json_set(o, "scriptPubKey", cc_json_hex(script));
    cc_json_set_amount(o, "amount", c->value);
    cc_json_set_int(o, "confirmations", c->depth);
    if (e) {
        cc_json_set_int(o, "ancestorcount", (int64_t)e->ancestor_count);
        cc_json_set_int(o, "ancestorsize", (int64_t)e->ancestor_size);
        cc_json_set_int(o, "ancestorfees", e->ancestor_fees);
    }
    cc_json_set_bool(o, "spendable", true);
    cc_json_set_bool(o, "solvable", true);
    desc = cc_rpc_key_descriptor(w, &c->key);
    cc_json_set_str(o, "desc", desc);
    free(desc);
    desc = cc_rpc_chain_descriptor(call, w, c->key.chain);
    json_array_append_new(descs, json_string(desc));
    free(desc);
    cc_json_set(o, "parent_descs", descs);
    cc_json_set_bool(o, "safe", c->safe);
    return o;
}

static json_t *listunspent(struct cc_rpc_call *call)
{
    struct filter f = {.min_depth = 1,
                       .max_depth = 9999999,
                       .max_count = INT64_MAX,
                       .max_amount = INT64_MAX,
                       .min_sum = INT64_MAX,
                       .unsafe = cc_rpc_bool(call, 3, true)};
    struct cc_wallet *w;
    struct cc_wallet_coin *coins;
    cc_amount sum = 0;
    json_t *a = NULL;
    size_t n;

    if (!take_addresses(call, cc_rpc_arg(call, 2), &f) ||
        !cc_rpc_get_int(call, 0, &f.min_depth) ||
        !cc_rpc_get_int(call, 1, &f.max_depth) ||
        !take_options(call, cc_rpc_arg(call, 4), &f))
        goto out;
    w = cc_rpc_wallet(call);
    if (!w)
        goto out;
    a = json_array();
    n = cc_book_coins(cc_wallet_book(w), f.immature, &coins);
    for (size_t i = 0; i < n; i++) {
        if (!passes(&f, &coins[i]))
            continue;
        if ((int64_t)json_array_size(a) >= f.max_count || sum >= f.min_sum)
            break;
        json_array_append_new(a, coin_json(call, w, &coins[i]));
        sum += coins[i].value;
    }
    free(coins);
    cc_rpc_wallet_end(call);
out:
    cc_map_clear(&f.scripts);
    return a;
}

/* --- Locking ----------------------------------------------------------- */

/* May this output be (un)locked now? Core's sentence if not. */
static const char *lock_fault(struct cc_book *b, const struct cc_outpoint *o,
                              bool unlock, bool persistent)
{
    const struct cc_wallet_tx *t = cc_book_find(b, o->txid);
    bool locked = cc_book_is_locked(b, o);

    if (!t)
        return "Invalid parameter, unknown transaction";
    if (o->index >= t->tx.vout_count)
        return "Invalid parameter, vout index out of bounds";
    if (cc_book_spent(b, o))
        return "Invalid parameter, expected unspent output";
    if (unlock && !locked)
        return "Invalid parameter, expected locked output";
    if (!unlock && locked && !persistent)
        return "Invalid parameter, output already locked";
    return NULL;
}

static bool lock_listed(struct cc_rpc_call *call, struct cc_wallet *w,
                        const json_t *list, bool unlock)
{
    struct cc_book *b = cc_wallet_book(w);
    bool persistent = cc_rpc_bool(call, 2, false);
    struct cc_outpoint o;

    /* All are judged before one is touched. */
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *fault;

        if (!cc_rpc_get_outpoint(call, json_array_get(list, i), &o))
            return false;
        fault = lock_fault(b, &o, unlock, persistent);
        if (fault) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "%s", fault);
            return false;
        }
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (cc_rpc_get_outpoint(call, json_array_get(list, i), &o))
            cc_book_lock(b, &o, !unlock);
    }
    return true;
}

static json_t *lockunspent(struct cc_rpc_call *call)
{
    bool unlock = cc_rpc_bool(call, 0, false), ok = true;
    const json_t *list = cc_rpc_arg(call, 1);
    struct cc_wallet *w = cc_rpc_wallet(call);

    if (!w)
        return NULL;
    if (list)
        ok = lock_listed(call, w, list, unlock);
    else if (unlock)
        cc_book_unlock_all(cc_wallet_book(w));
    cc_rpc_wallet_end(call);
    return ok ? json_true() : NULL;
}

static json_t *listlockunspent(struct cc_rpc_call *call)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    struct cc_outpoint *list;
    json_t *a, *o;
    size_t n;

    if (!w)
        return NULL;
    n = cc_book_locked(cc_wallet_book(w), &list);
    cc_rpc_wallet_end(call);
    a = json_array();
    for (size_t i = 0; i < n; i++) {
        o = json_object();
        cc_json_set_hash(o, "txid", list[i].txid);
        cc_json_set_int(o, "vout", list[i].index);
        json_array_append_new(a, o);
    }
    free(list);
    return a;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg unspent_args[] = {
    CC_ARG("minconf", CC_RPC_NUM, "1", "The minimum confirmations to filter"),
    CC_ARG("maxconf", CC_RPC_NUM, "9999999",
           "The maximum confirmations to filter"),
    CC_ARG_AS("addresses", CC_RPC_ARR, "[]", "The addresses to filter",
              "[\"address\",...]"),
    CC_ARG("include_unsafe", CC_RPC_BOOL, "true",
           "Include outputs that are not safe to spend"),
    CC_ARG_AS("query_options", CC_RPC_OBJ, "",
              "minimumAmount, maximumAmount, maximumCount, minimumSumAmount, "
              "include_immature_coinbase",
              "query_options"),
};
static const struct cc_rpc_arg lock_args[] = {
    CC_ARG("unlock", CC_RPC_BOOL, NULL,
           "Whether to unlock (true) or lock (false) the specified "
           "transactions"),
    CC_ARG_AS("transactions", CC_RPC_ARR, "[]",
              "The transaction outputs, each an object of txid and vout.",
              "[{\"txid\":\"hex\",\"vout\":n},...]"),
    CC_ARG("persistent", CC_RPC_BOOL, "false",
           "Locks are kept in memory; this only allows to lock what is locked "
           "already."),
};

static const struct cc_rpc_method methods[] = {
    {"wallet", "listlockunspent", listlockunspent, CC_RPC_NO_ARGS,
     "Returns list of temporarily unspendable outputs.\n"
     "See the lockunspent call to lock and unlock transactions for spending.",
     "[...]    of each: txid, vout", "", 0},
    {"wallet", "listunspent", listunspent, CC_RPC_ARGS(unspent_args),
     "Returns array of unspent transaction outputs with between minconf and "
     "maxconf (inclusive) confirmations.\n"
     "Optionally filter to only include txouts paid to specified addresses.",
     "[...]    of each: txid, vout, address, label, scriptPubKey, amount, "
     "confirmations, spendable, desc, safe, ...",
     "6 9999999", 0},
    {"wallet", "lockunspent", lockunspent, CC_RPC_ARGS(lock_args),
     "Updates list of temporarily unspendable outputs.\n"
     "Temporarily lock (unlock=false) or unlock (unlock=true) specified "
     "transaction outputs.\n"
     "If no transaction outputs are specified when unlocking then all current "
     "locked transaction outputs are unlocked.\n"
     "A locked transaction output will not be chosen by automatic coin "
     "selection, when spending.",
     "true|false    Whether the command was successful or not",
     "false '[{\"txid\":\"mytxid\",\"vout\":0}]'", 0},
};

void cc_rpc_register_wallet_coins(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
