/* wallets: balances and the list of transactions. */
#include <inttypes.h>
#include <stdlib.h>

#include "chain/chain.h"
#include "consensus/script.h"
#include "rpc/walletcall.h"
#include "util/mem.h"

#define CONFLICTS_SHOWN 64

/* --- Balances ---------------------------------------------------------- */

static json_t *getbalance(struct cc_rpc_call *call)
{
    const char *dummy = cc_rpc_str(call, 0, "*");
    int64_t depth = 0;
    struct cc_balance b;
    struct cc_wallet *w;

    if (strcmp(dummy, "*") != 0)
        return cc_rpc_error(call, CC_RPC_METHOD_DEPRECATED,
                            "dummy first argument must be excluded or set to "
                            "\"*\".");
    if (!cc_rpc_get_int(call, 1, &depth))
        return NULL;
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    cc_book_balance(cc_wallet_book(w), depth, &b);
    cc_rpc_wallet_end(call);
    return cc_json_amount(b.trusted);
}

static json_t *getbalances(struct cc_rpc_call *call)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    struct cc_balance b;
    json_t *o, *mine;

    if (!w)
        return NULL;
    cc_book_balance(cc_wallet_book(w), 0, &b);
    o = json_object();
    mine = json_object();
    cc_json_set_amount(mine, "trusted", b.trusted);
    cc_json_set_amount(mine, "untrusted_pending", b.pending);
    cc_json_set_amount(mine, "immature", b.immature);
    cc_json_set(o, "mine", mine);
    cc_json_set(o, "lastprocessedblock", cc_rpc_last_processed(w));
    cc_rpc_wallet_end(call);
    return o;
}

static json_t *getunconfirmedbalance(struct cc_rpc_call *call)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    struct cc_balance b;

    if (!w)
        return NULL;
    cc_book_balance(cc_wallet_book(w), 0, &b);
    cc_rpc_wallet_end(call);
    return cc_json_amount(b.pending);
}

/* --- One transaction --------------------------------------------------- */

static const char *replaceable(const struct cc_wallet_tx *t)
{
    if (t->height >= 0)
        return "no";
    for (size_t i = 0; i < t->tx.vin_count; i++) {
        if (t->tx.vin[i].sequence <= 0xfffffffd)
            return "yes";
    }
    return t->in_mempool ? "no" : "unknown";
}

/* Core's WalletTxToJSON: what entries of lists and gettransaction share. */
static void set_common(struct cc_wallet *w, json_t *o,
                       const struct cc_wallet_tx *t)
{
    struct cc_book *b = cc_wallet_book(w);
    uint8_t conflicts[CONFLICTS_SHOWN][32];
    size_t n = cc_book_conflicts(b, t, conflicts, CONFLICTS_SHOWN);
    json_t *a = json_array();

    cc_json_set_int(o, "confirmations", cc_book_depth(b, t));
    if (t->generated)
        cc_json_set_bool(o, "generated", true);
    if (t->height >= 0) {
        cc_json_set_hash(o, "blockhash", t->block);
        cc_json_set_int(o, "blockheight", t->height);
        cc_json_set_int(o, "blockindex", t->position);
        cc_json_set_int(o, "blocktime", t->block_time);
    } else {
        cc_json_set_bool(o, "trusted", cc_book_trusted(b, t));
    }
    cc_json_set_hash(o, "txid", t->tx.txid);
    cc_json_set_hash(o, "wtxid", t->tx.wtxid);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, cc_json_hash(conflicts[i]));
    cc_json_set(o, "walletconflicts", a);
    cc_json_set_int(o, "time", t->time);
    cc_json_set_int(o, "timereceived", t->time);
    cc_json_set_str(o, "bip125-replaceable", replaceable(t));
    if (t->comment)
        cc_json_set_str(o, "comment", t->comment);
    if (t->to)
        cc_json_set_str(o, "to", t->to);
}

/* The fee that we paid: known if every input is ours. */
static bool own_fee(struct cc_book *b, const struct cc_wallet_tx *t,
                    cc_amount *fee)
{
    size_t inputs;
    cc_amount debit = cc_book_debit(b, &t->tx, &inputs), out = 0;

    for (size_t i = 0; i < t->tx.vout_count; i++)
        out += t->tx.vout[i].value;
    *fee = debit - out;
    return debit > 0 && inputs == t->tx.vin_count;
}

struct listing {
    struct cc_rpc_call *call;
    struct cc_wallet *w;
    const char *label; /* NULL: all */
    int64_t min_depth;
    bool common, change;
    json_t *out;
};

static json_t *entry(const struct listing *l, const struct cc_wallet_tx *t,
                     size_t i, const char *category, cc_amount amount)
{
    const struct cc_txout *out = &t->tx.vout[i];
    const char *label = cc_book_label(cc_wallet_book(l->w), out->script);
    char text[CC_ADDRESS_MAX];
    json_t *o = json_object();

    if (*cc_rpc_address(l->call, out->script, text))
        cc_json_set_str(o, "address", text);
    cc_json_set_str(o, "category", category);
    cc_json_set_amount(o, "amount", amount);
    if (label)
        cc_json_set_str(o, "label", label);
    cc_json_set_int(o, "vout", (int64_t)i);
    return o;
}

static void list_sent(const struct listing *l, const struct cc_wallet_tx *t)
{
    struct cc_book *b = cc_wallet_book(l->w);
    cc_amount fee;
    bool known = own_fee(b, t, &fee);

    for (size_t i = 0; i < t->tx.vout_count; i++) {
        const struct cc_txout *out = &t->tx.vout[i];
        json_t *o;

        if (!l->change && cc_book_is_change(b, out->script))
            continue;
        o = entry(l, t, i, "send", -out->value);
        cc_json_set_amount(o, "fee", known ? -fee : 0);
        if (l->common)
            set_common(l->w, o, t);
        cc_json_set_bool(o, "abandoned", t->abandoned);
        json_array_append_new(l->out, o);
    }
}

static const char *received_category(struct cc_book *b,
                                     const struct cc_wallet_tx *t)
{
    if (!t->generated)
        return "receive";
    if (cc_book_depth(b, t) < 1)
        return "orphan";
    return cc_book_immature(b, t) ? "immature" : "generate";
}

static void list_received(const struct listing *l, const struct cc_wallet_tx *t,
                          bool from_us)
{
    struct cc_book *b = cc_wallet_book(l->w);
    struct cc_wallet_key key;

    for (size_t i = 0; i < t->tx.vout_count; i++) {
        const struct cc_txout *out = &t->tx.vout[i];
        const char *label = cc_book_label(b, out->script);
        json_t *o, *descs;
        char *desc;

        if (!cc_wallet_keys_find(cc_wallet_keys(l->w), out->script, &key) ||
            (from_us && !l->change && cc_book_is_change(b, out->script)) ||
            (l->label && (!label || strcmp(label, l->label) != 0)))
            continue;
        o = entry(l, t, i, received_category(b, t), out->value);
        descs = json_array();
        desc = cc_rpc_chain_descriptor(l->call, l->w, key.chain);
        json_array_append_new(descs, json_string(desc));
        free(desc);
        cc_json_set(o, "parent_descs", descs);
        cc_json_set_bool(o, "abandoned", t->abandoned);
        if (l->common)
            set_common(l->w, o, t);
        json_array_append_new(l->out, o);
    }
}

/* Core's ListTransactions: sent entries, then received ones. */
static void list_tx(const struct listing *l, const struct cc_wallet_tx *t)
{
    struct cc_book *b = cc_wallet_book(l->w);
    bool from_us = cc_book_debit(b, &t->tx, NULL) > 0;

    if (from_us && !l->label)
        list_sent(l, t);
    if (cc_book_depth(b, t) >= l->min_depth)
        list_received(l, t, from_us);
}

/* --- Lists ------------------------------------------------------------- */

static json_t *listtransactions(struct cc_rpc_call *call)
{
    const char *label = cc_rpc_str(call, 0, NULL);
    int64_t count = 10, skip = 0, size;
    struct listing l = {.call = call, .common = true};
    json_t *all, *a;
    size_t n;

    if (label && !*label)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Label argument must be a valid label name or "
                            "\"*\".");
    if (label && strcmp(label, "*") != 0)
        l.label = label;
    if (!cc_rpc_get_int(call, 1, &count) || !cc_rpc_get_int(call, 2, &skip))
        return NULL;
    if (count < 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Negative count");
    if (skip < 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Negative from");
    l.w = cc_rpc_wallet(call);
    if (!l.w)
        return NULL;
    /* Newest first until there is enough; the answer is oldest first. */
    all = l.out = json_array();
    n = cc_book_count(cc_wallet_book(l.w));
    while (n-- > 0 && (int64_t)json_array_size(all) - skip < count)
        list_tx(&l, cc_book_at(cc_wallet_book(l.w), n));
    cc_rpc_wallet_end(call);
    size = (int64_t)json_array_size(all);
    if (skip > size)
        skip = size;
    if (count > size - skip)
        count = size - skip;
    a = json_array();
    for (int64_t i = skip + count; i-- > skip;)
        json_array_append(a, json_array_get(all, (size_t)i));
    json_decref(all);
    return a;
}

/* The block that argument 0 names, and what it needs of the past. */
static bool since_block(struct cc_rpc_call *call, struct cc_index **out)
{
    const json_t *v = cc_rpc_arg(call, 0);
    uint8_t hash[32];

    *out = NULL;
    if (!v || !*json_string_value(v))
        return true;
    if (!cc_rpc_get_hash(call, v, "blockhash", hash))
        return false;
    *out = cc_chain_find(call->env->chain, hash);
    if (*out)
        return true;
    cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    return false;
}

/* Transactions of blocks from i down to the active chain. */
static bool list_removed(struct listing *l, const struct cc_index *i)
{
    struct cc_chain *chain = l->call->env->chain;
    struct cc_book *b = cc_wallet_book(l->w);

    for (; i && !cc_chain_contains(chain, i); i = i->prev) {
        struct cc_block block;
        struct cc_error err;

        if (cc_chain_read_block(chain, i, &block, &err) != CC_OK) {
            cc_rpc_error(l->call, CC_RPC_INTERNAL_ERROR,
                         "Can't read block from disk");
            return false;
        }
        for (size_t k = 0; k < block.tx_count; k++) {
            const struct cc_wallet_tx *t = cc_book_find(b, block.tx[k].txid);

            if (t)
                list_tx(l, t);
        }
        cc_block_clear(&block);
    }
    return true;
}

static json_t *listsinceblock(struct cc_rpc_call *call)
{
    int64_t target = 1, depth_limit;
    struct listing l = {
        .call = call, .common = true, .change = cc_rpc_bool(call, 4, false)};
    struct cc_index *since, *fork, *last, *tip;
    struct cc_book *b;
    json_t *o, *removed;

    if (!cc_rpc_get_int(call, 1, &target))
        return NULL;
    if (target < 1)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Invalid parameter");
    l.w = cc_rpc_wallet(call);
    if (!l.w)
        return NULL;
    if (!since_block(call, &since)) {
        cc_rpc_wallet_end(call);
        return NULL;
    }
    b = cc_wallet_book(l.w);
    tip = cc_chain_tip(call->env->chain);
    fork = since;
    while (fork && !cc_chain_contains(call->env->chain, fork))
        fork = fork->prev;
    depth_limit = fork ? (int64_t)tip->height + 1 - fork->height : -1;
    l.out = json_array();
    for (size_t i = 0; i < cc_book_count(b); i++) {
        const struct cc_wallet_tx *t = cc_book_at(b, i);

        if (depth_limit < 0 || cc_book_depth(b, t) < depth_limit)
            list_tx(&l, t);
    }
    o = json_object();
    cc_json_set(o, "transactions", l.out);
    if (cc_rpc_bool(call, 3, true)) {
        l.min_depth = INT64_MIN;
        l.out = removed = json_array();
        cc_json_set(o, "removed", removed);
        if (since && !list_removed(&l, since)) {
            cc_rpc_wallet_end(call);
            json_decref(o);
            return NULL;
        }
    }
    last = cc_chain_at(call->env->chain,
                       (int64_t)tip->height + 1 > target
                           ? (uint32_t)((int64_t)tip->height + 1 - target)
                           : 0);
    cc_json_set_hash(o, "lastblock", last->hash);
    cc_rpc_wallet_end(call);
    return o;
}

static json_t *tx_details(struct cc_rpc_call *call, struct cc_wallet *w,
                          const struct cc_wallet_tx *t)
{
    struct cc_book *b = cc_wallet_book(w);
    struct listing l = {.call = call, .w = w, .min_depth = INT64_MIN};
    cc_amount fee = 0, net;
    bool from_us = own_fee(b, t, &fee);
    json_t *o = json_object();

    net = cc_book_credit(b, &t->tx) - cc_book_debit(b, &t->tx, NULL);
    /* Core: the fee is told apart from what changed hands. */
    cc_json_set_amount(o, "amount", from_us ? net + fee : net);
    if (from_us)
        cc_json_set_amount(o, "fee", -fee);
    set_common(w, o, t);
    l.out = json_array();
    list_tx(&l, t);
    cc_json_set(o, "details", l.out);
    cc_json_set(o, "hex", cc_tx_hex(&t->tx));
    if (cc_rpc_bool(call, 2, false)) {
        const struct cc_tx_json_options options = {.no_hex = true};

        cc_json_set(o, "decoded",
                    cc_tx_json(&t->tx, call->env->params, &options));
    }
    cc_json_set(o, "lastprocessedblock", cc_rpc_last_processed(w));
    return o;
}

static json_t *gettransaction(struct cc_rpc_call *call)
{
    const struct cc_wallet_tx *t;
    struct cc_wallet *w;
    uint8_t txid[32];
    json_t *o = NULL;

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "txid", txid))
        return NULL;
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    t = cc_book_find(cc_wallet_book(w), txid);
    if (t)
        o = tx_details(call, w, t);
    else
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Invalid or non-wallet transaction id");
    cc_rpc_wallet_end(call);
    return o;
}

static json_t *abandontransaction(struct cc_rpc_call *call)
{
    struct cc_wallet *w;
    struct cc_error err;
    uint8_t txid[32];
    enum cc_status st = CC_NOTFOUND;

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "txid", txid))
        return NULL;
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    if (cc_book_find(cc_wallet_book(w), txid))
        st = cc_wallet_abandon(w, txid, &err);
    else
        cc_fail(&err, st, "Invalid or non-wallet transaction id");
    cc_rpc_wallet_end(call);
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err,
                                   CC_RPC_INVALID_ADDRESS_OR_KEY);
    return json_null();
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg abandon_args[] = {
    CC_ARG("txid", CC_RPC_HEX, NULL, "The transaction id"),
};
static const struct cc_rpc_arg balance_args[] = {
    CC_ARG("dummy", CC_RPC_STR, "*",
           "Remains for backward compatibility. Must be excluded or set to "
           "\"*\"."),
    CC_ARG("minconf", CC_RPC_NUM, "0",
           "Only include transactions confirmed at least this many times."),
    CC_ARG("include_watchonly", CC_RPC_BOOL, "false", "Without effect."),
    CC_ARG("avoid_reuse", CC_RPC_BOOL, "true", "Without effect."),
};
static const struct cc_rpc_arg list_args[] = {
    CC_ARG("label|dummy", CC_RPC_STR, "",
           "If set, should be a valid label name to return only incoming "
           "transactions with the specified label, or \"*\" to disable "
           "filtering and return all transactions."),
    CC_ARG("count", CC_RPC_NUM, "10", "The number of transactions to return"),
    CC_ARG("skip", CC_RPC_NUM, "0", "The number of transactions to skip"),
    CC_ARG("include_watchonly", CC_RPC_BOOL, "false", "Without effect."),
};
static const struct cc_rpc_arg since_args[] = {
    CC_ARG("blockhash", CC_RPC_STR, "",
           "If set, the block hash to list transactions since, otherwise list "
           "all transactions."),
    CC_ARG("target_confirmations", CC_RPC_NUM, "1",
           "Return the nth block hash from the main chain. e.g. 1 would mean "
           "the best block hash. Note: this is not used as a filter, but only "
           "affects [lastblock] in the return value"),
    CC_ARG("include_watchonly", CC_RPC_BOOL, "false", "Without effect."),
    CC_ARG("include_removed", CC_RPC_BOOL, "true",
           "Show transactions that were removed due to a reorg in the "
           "\"removed\" array"),
    CC_ARG("include_change", CC_RPC_BOOL, "false",
           "Also add entries for change outputs."),
    CC_ARG("label", CC_RPC_STR, "", "Without effect."),
};
static const struct cc_rpc_arg get_args[] = {
    CC_ARG("txid", CC_RPC_HEX, NULL, "The transaction id"),
    CC_ARG("include_watchonly", CC_RPC_BOOL, "true", "Without effect."),
    CC_ARG("verbose", CC_RPC_BOOL, "false",
           "Whether to include a `decoded` field containing the decoded "
           "transaction (equivalent to RPC decoderawtransaction)"),
};

static const struct cc_rpc_method methods[] = {
    {"wallet", "abandontransaction", abandontransaction,
     CC_RPC_ARGS(abandon_args),
     "Mark in-wallet transaction <txid> as abandoned\n"
     "This will mark this transaction and all its in-wallet descendants as "
     "abandoned which will allow for their inputs to be respent. It only works "
     "on transactions which are not included in a block and are not currently "
     "in the mempool.",
     "null", "\"mytxid\"", 0},
    {"wallet", "getbalance", getbalance, CC_RPC_ARGS(balance_args),
     "Returns the total available balance.\n"
     "The available balance is what the wallet considers currently spendable, "
     "and is thus affected by options which limit spendability such as "
     "-spendzeroconfchange.",
     "n    The total amount received for this wallet.", "\"*\" 6", 0},
    {"wallet", "getbalances", getbalances, CC_RPC_NO_ARGS,
     "Returns an object with all balances.",
     "{...}    mine: trusted, untrusted_pending, immature", "", 0},
    {"wallet", "gettransaction", gettransaction, CC_RPC_ARGS(get_args),
     "Get detailed information about in-wallet transaction <txid>",
     "{...}    amount, fee, confirmations, details, hex, ...", "\"mytxid\"", 0},
    {"wallet", "getunconfirmedbalance", getunconfirmedbalance, CC_RPC_NO_ARGS,
     "DEPRECATED\nIdentical to getbalances().mine.untrusted_pending",
     "n    The balance", "", 0},
    {"wallet", "listsinceblock", listsinceblock, CC_RPC_ARGS(since_args),
     "Get all transactions in blocks since block [blockhash], or all "
     "transactions if omitted.\n"
     "If \"blockhash\" is no longer a part of the main chain, transactions "
     "from the fork point onward are included.",
     "{...}    transactions, removed, lastblock", "", 0},
    {"wallet", "listtransactions", listtransactions, CC_RPC_ARGS(list_args),
     "If a label name is provided, this will return only incoming transactions "
     "paying to addresses with the specified label.\n"
     "Returns up to 'count' most recent transactions skipping the first 'from' "
     "transactions.",
     "[...]    of each: address, category, amount, label, vout, ...",
     "\"*\" 20 100", 0},
};

void cc_rpc_register_wallet_history(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
