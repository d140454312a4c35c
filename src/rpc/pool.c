/* blockchain: what waits in the memory pool. */
#include "rpc/pool.h"

#include <stdlib.h>

#include "rpc/families.h"
#include "rpc/txjson.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"

/* --- One entry --------------------------------------------------------- */

static bool add_txid(void *arg, const struct cc_mempool_entry *e)
{
    json_array_append_new(arg, cc_json_hash(e->tx.txid));
    return true;
}

static json_t *depends(struct cc_mempool *m, const struct cc_mempool_entry *e)
{
    json_t *a = json_array();

    cc_mempool_relatives(m, e->tx.txid, false, false, add_txid, a);
    return a;
}

static json_t *spent_by(struct cc_mempool *m, const struct cc_mempool_entry *e)
{
    json_t *a = json_array();

    cc_mempool_relatives(m, e->tx.txid, true, false, add_txid, a);
    return a;
}

/* BIP 125: it, or something it rests on, says so; typed coins always. */
static bool signals_replacement(const struct cc_mempool_entry *e)
{
    if (e->typed)
        return true;
    for (size_t i = 0; i < e->tx.vin_count; i++)
        if (e->tx.vin[i].sequence < CC_SEQUENCE_FINAL - 1)
            return true;
    return false;
}

static bool find_signal(void *arg, const struct cc_mempool_entry *e)
{
    bool *found = arg;

    *found = signals_replacement(e);
    return !*found;
}

static bool replaceable(struct cc_mempool *m, const struct cc_mempool_entry *e)
{
    bool found = signals_replacement(e);

    if (!found)
        cc_mempool_relatives(m, e->tx.txid, false, true, find_signal, &found);
    return found;
}

/* Under the lock. */
static json_t *entry_json(struct cc_mempool *m,
                          const struct cc_mempool_entry *e)
{
    json_t *o = json_object(), *fees = json_object();

    cc_json_set_int(o, "vsize", (int64_t)e->vsize);
    cc_json_set_int(o, "weight", (int64_t)cc_tx_weight(&e->tx));
    cc_json_set_int(o, "time", e->time);
    cc_json_set_int(o, "height", e->height);
    cc_json_set_int(o, "descendantcount", (int64_t)e->descendant_count);
    cc_json_set_int(o, "descendantsize", (int64_t)e->descendant_size);
    cc_json_set_int(o, "ancestorcount", (int64_t)e->ancestor_count);
    cc_json_set_int(o, "ancestorsize", (int64_t)e->ancestor_size);
    cc_json_set_hash(o, "wtxid", e->tx.wtxid);
    cc_json_set_amount(fees, "base", e->fee);
    cc_json_set_amount(fees, "modified", e->fee + e->fee_delta);
    cc_json_set_amount(fees, "ancestor", e->ancestor_fees);
    cc_json_set_amount(fees, "descendant", e->descendant_fees);
    cc_json_set(o, "fees", fees);
    cc_json_set(o, "depends", depends(m, e));
    cc_json_set(o, "spentby", spent_by(m, e));
    cc_json_set_bool(o, "bip125-replaceable", replaceable(m, e));
    cc_json_set_bool(o, "unbroadcast", e->unbroadcast);
    return o;
}

/* The entry that argument 0 names, under the lock; NULL and error. */
static const struct cc_mempool_entry *get_entry(struct cc_rpc_call *call)
{
    const struct cc_mempool_entry *e;
    uint8_t txid[32];

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "parameter 1", txid))
        return NULL;
    e = cc_mempool_find(call->env->mempool, txid);
    if (!e)
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Transaction not in mempool");
    return e;
}

static json_t *getmempoolentry(struct cc_rpc_call *call)
{
    const struct cc_mempool_entry *e;
    json_t *result = NULL;

    cc_chain_lock(call->env->chain);
    e = get_entry(call);
    if (e)
        result = entry_json(call->env->mempool, e);
    cc_chain_unlock(call->env->chain);
    return result;
}

/* --- Many -------------------------------------------------------------- */

struct listing {
    struct cc_mempool *pool;
    json_t *out; /* array of ids, or object of entries */
};

static bool list_entry(void *arg, const struct cc_mempool_entry *e)
{
    struct listing *l = arg;
    char id[65];

    if (json_is_array(l->out)) {
        json_array_append_new(l->out, cc_json_hash(e->tx.txid));
    } else {
        cc_hex_encode_rev(id, e->tx.txid, 32);
        cc_json_set(l->out, id, entry_json(l->pool, e));
    }
    return true;
}

static json_t *relatives(struct cc_rpc_call *call, bool descendants)
{
    struct cc_mempool *m = call->env->mempool;
    bool verbose = cc_rpc_bool(call, 1, false);
    struct listing l = {m, NULL};
    const struct cc_mempool_entry *e;

    cc_chain_lock(call->env->chain);
    e = get_entry(call);
    if (e) {
        l.out = verbose ? json_object() : json_array();
        cc_mempool_relatives(m, e->tx.txid, descendants, true, list_entry, &l);
    }
    cc_chain_unlock(call->env->chain);
    return l.out;
}

static json_t *getmempoolancestors(struct cc_rpc_call *call)
{
    return relatives(call, false);
}

static json_t *getmempooldescendants(struct cc_rpc_call *call)
{
    return relatives(call, true);
}

static json_t *getrawmempool(struct cc_rpc_call *call)
{
    bool verbose = cc_rpc_bool(call, 0, false);
    bool sequence = cc_rpc_bool(call, 1, false);
    struct cc_mempool_stats stats;
    struct listing l = {call->env->mempool, NULL};
    json_t *o;

    if (verbose && sequence)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Verbose results cannot contain mempool sequence "
                            "values.");
    l.out = verbose ? json_object() : json_array();
    cc_chain_lock(call->env->chain);
    cc_mempool_each(call->env->mempool, list_entry, &l);
    cc_mempool_stats(call->env->mempool, &stats);
    cc_chain_unlock(call->env->chain);
    if (!sequence)
        return l.out;
    o = json_object();
    cc_json_set(o, "txids", l.out);
    cc_json_set(o, "mempool_sequence", cc_json_u64(stats.sequence));
    return o;
}

static json_t *getmempoolinfo(struct cc_rpc_call *call)
{
    struct cc_mempool_stats s;
    json_t *o = json_object();

    cc_mempool_stats(call->env->mempool, &s);
    cc_json_set_bool(o, "loaded", true);
    cc_json_set_int(o, "size", (int64_t)s.count);
    cc_json_set_int(o, "bytes", (int64_t)s.bytes);
    cc_json_set_int(o, "usage", (int64_t)s.usage);
    cc_json_set_amount(o, "total_fee", s.total_fee);
    cc_json_set_int(o, "maxmempool", (int64_t)s.max_bytes);
    cc_json_set_amount(o, "mempoolminfee", s.min_feerate);
    cc_json_set_amount(o, "minrelaytxfee", s.min_relay_feerate);
    cc_json_set_amount(o, "incrementalrelayfee", s.incremental_feerate);
    cc_json_set_int(o, "unbroadcastcount", (int64_t)s.unbroadcast);
    cc_json_set_bool(o, "fullrbf", s.full_rbf);
    return o;
}

/* --- Who spends it ----------------------------------------------------- */

static json_t *gettxspendingprevout(struct cc_rpc_call *call)
{
    static const char *const names[] = {"txid", "vout"};
    const json_t *list = cc_rpc_arg(call, 0);
    json_t *a, *o;

    if (json_array_size(list) == 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Invalid parameter, outputs are missing");
    a = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        const struct cc_mempool_entry *e;
        struct cc_outpoint out;
        json_t *txid = NULL;

        if ((json_is_object(v) &&
             !cc_rpc_member(call, v, "txid", CC_RPC_STR, &txid)) ||
            !cc_rpc_get_outpoint(call, v, &out) ||
            !cc_rpc_strict(call, v, names, 2)) {
            json_decref(a);
            return NULL;
        }
        o = json_object();
        cc_json_set_hash(o, "txid", out.txid);
        cc_json_set_int(o, "vout", out.index);
        cc_chain_lock(call->env->chain);
        e = cc_mempool_spender(call->env->mempool, &out);
        if (e)
            cc_json_set_hash(o, "spendingtxid", e->tx.txid);
        cc_chain_unlock(call->env->chain);
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *savemempool(struct cc_rpc_call *call)
{
    char *path = cc_fs_join(call->env->chaindir, "mempool.dat");
    struct cc_error err;
    json_t *o = NULL;

    if (cc_mempool_save(call->env->mempool, path, &err) != CC_OK) {
        cc_rpc_error(call, CC_RPC_MISC_ERROR, "Unable to dump mempool to disk");
    } else {
        o = json_object();
        cc_json_set_str(o, "filename", path);
    }
    free(path);
    return o;
}

static json_t *importmempool(struct cc_rpc_call *call)
{
    static const struct {
        const char *name;
        bool fallback;
    } members[] = {{"use_current_time", true},
                   {"apply_fee_delta_priority", false},
                   {"apply_unbroadcast_set", false}};
    const json_t *options = cc_rpc_arg(call, 1);
    struct cc_mempool_import how;
    bool said[3];
    struct cc_error err;
    json_t *v = NULL;

    for (size_t i = 0; i < 3; i++) {
        if (options &&
            !cc_rpc_member(call, options, members[i].name, CC_RPC_BOOL, &v))
            return NULL;
        said[i] = v ? json_is_true(v) : members[i].fallback;
    }
    how = (struct cc_mempool_import){said[0], said[1], said[2]};
    if (cc_chain_in_ibd(call->env->chain))
        return cc_rpc_error(call, CC_RPC_CLIENT_IN_INITIAL_DOWNLOAD,
                            "Can only import the mempool after the block "
                            "download and sync is done.");
    cc_error_init(&err);
    if (cc_mempool_import(call->env->mempool, cc_rpc_str(call, 0, ""), &how,
                          &err) == CC_OK)
        return json_object();
    cc_log(call->env->log, "importmempool: %s", err.text);
    return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                        "Unable to import mempool file, see debug.log for "
                        "details.");
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg entry_args[] = {
    CC_ARG("txid", CC_RPC_HEX, NULL, "The transaction id (must be in mempool)"),
};
static const struct cc_rpc_arg import_inner[] = {
    CC_ARG("use_current_time", CC_RPC_BOOL, "true",
           "Whether to use the current system time or use the entry time "
           "metadata from the mempool file."),
    CC_ARG("apply_fee_delta_priority", CC_RPC_BOOL, "false",
           "Whether to apply the fee delta metadata from the mempool file."),
    CC_ARG("apply_unbroadcast_set", CC_RPC_BOOL, "false",
           "Whether to apply the unbroadcast set metadata from the mempool "
           "file."),
};
static const struct cc_rpc_arg import_args[] = {
    CC_ARG("filepath", CC_RPC_STR, NULL, "The mempool file"),
    {.name = "options",
     .type = CC_RPC_OBJ,
     .fallback = "",
     .help = "",
     .inner = import_inner,
     .inner_count = sizeof(import_inner) / sizeof(import_inner[0])},
};
static const struct cc_rpc_arg relatives_args[] = {
    CC_ARG("txid", CC_RPC_HEX, NULL, "The transaction id (must be in mempool)"),
    CC_ARG("verbose", CC_RPC_BOOL, "false",
           "True for a json object, false for array of transaction ids"),
};
static const struct cc_rpc_arg raw_args[] = {
    CC_ARG("verbose", CC_RPC_BOOL, "false",
           "True for a json object, false for array of transaction ids"),
    CC_ARG("mempool_sequence", CC_RPC_BOOL, "false",
           "If verbose=false, returns a json object with transaction list and "
           "mempool sequence number attached."),
};
static const struct cc_rpc_arg spending_args[] = {
    CC_ARG_AS("outputs", CC_RPC_ARR, NULL,
              "The transaction outputs that we want to check, each an object "
              "of txid and vout.",
              "[{\"txid\":\"hex\",\"vout\":n},...]"),
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "getmempoolancestors", getmempoolancestors,
     CC_RPC_ARGS(relatives_args),
     "If txid is in the mempool, returns all in-mempool ancestors.",
     "[...] or {...}    ids, or entries by id", "\"mytxid\"", 0},
    {"blockchain", "getmempooldescendants", getmempooldescendants,
     CC_RPC_ARGS(relatives_args),
     "If txid is in the mempool, returns all in-mempool descendants.",
     "[...] or {...}    ids, or entries by id", "\"mytxid\"", 0},
    {"blockchain", "getmempoolentry", getmempoolentry, CC_RPC_ARGS(entry_args),
     "Returns mempool data for given transaction",
     "{...}    vsize, weight, time, height, fees, depends, spentby, ...",
     "\"mytxid\"", 0},
    {"blockchain", "getmempoolinfo", getmempoolinfo, CC_RPC_NO_ARGS,
     "Returns details on the active state of the TX memory pool.",
     "{...}    size, bytes, usage, total_fee, mempoolminfee, ...", "", 0},
    {"blockchain", "getrawmempool", getrawmempool, CC_RPC_ARGS(raw_args),
     "Returns all transaction ids in memory pool as a json array of string "
     "transaction ids.",
     "[...] or {...}    ids, or entries by id", "true", 0},
    {"blockchain", "gettxspendingprevout", gettxspendingprevout,
     CC_RPC_ARGS(spending_args),
     "Scans the mempool to find transactions spending any of the given "
     "outputs",
     "[...]    of each: txid, vout, spendingtxid if there is one",
     "'[{\"txid\":\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df"
     "1aadf0\",\"vout\":3}]'",
     0},
    {"blockchain", "importmempool", importmempool, CC_RPC_ARGS(import_args),
     "Import a mempool.dat file and attempt to add its contents to the "
     "mempool.\nWarning: Importing untrusted files is dangerous, especially if "
     "metadata from the file is taken over.",
     "{}    (empty JSON object)", "/path/to/mempool.dat", 0},
    {"blockchain", "savemempool", savemempool, CC_RPC_NO_ARGS,
     "Dumps the mempool to disk.", "{...}    filename", "", 0},
};

void cc_rpc_register_pool(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
