/* rawtransactions: several at once, judged or taken. */
#include <stdlib.h>
#include <string.h>

#include "mempool/mempool.h"
#include "mempool/policy.h"
#include "net/net.h"
#include "rpc/families.h"
#include "rpc/pool.h"
#include "rpc/rpc.h"
#include "rpc/txjson.h"
#include "util/hex.h"
#include "util/mem.h"

#define MAX_PACKAGE CC_MAX_PACKAGE_COUNT

/* --- Reading ----------------------------------------------------------- */

struct package {
    struct cc_tx txs[MAX_PACKAGE];
    size_t count;
};

static void package_clear(struct package *p)
{
    while (p->count)
        cc_tx_clear(&p->txs[--p->count]);
}

static bool read_one(struct cc_rpc_call *call, const json_t *item,
                     struct cc_tx *out)
{
    const char *hex;

    if (!cc_rpc_get_str(call, item, &hex))
        return false;
    if (cc_tx_from_hex(hex, true, true, out))
        return true;
    cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                 "TX decode failed: %s Make sure the tx has at least one "
                 "input.",
                 hex);
    return false;
}

/* False: an error is said, and nothing to clear. */
static bool read_package(struct cc_rpc_call *call, const json_t *list,
                         struct package *p)
{
    size_t n = json_array_size(list);

    p->count = 0;
    if (n < 1 || n > MAX_PACKAGE) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Array must contain between 1 and %d transactions.",
                     MAX_PACKAGE);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_one(call, json_array_get(list, i), &p->txs[p->count])) {
            package_clear(p);
            return false;
        }
        p->count++;
    }
    return true;
}

/* --- Judging ----------------------------------------------------------- */

/* What a transaction pays for itself and others, and which others. */
static void set_rate(json_t *fees, cc_amount paid, size_t vsize,
                     json_t *includes)
{
    cc_json_set_amount(fees, "effective-feerate", cc_feerate_of(paid, vsize));
    cc_json_set(fees, "effective-includes", includes);
}

static json_t *only(const struct cc_tx *tx)
{
    json_t *list = json_array();

    json_array_append_new(list, cc_json_hash(tx->wtxid));
    return list;
}

/* What became of one; false: those after it are not told. */
static bool add_result(json_t *o, const struct cc_tx *tx, enum cc_status st,
                       const struct cc_error *err,
                       const struct cc_mempool_accept *accept,
                       cc_amount max_feerate)
{
    json_t *fees;

    if (st != CC_OK) {
        cc_json_set_bool(o, "allowed", false);
        cc_json_set_str(o, "reject-reason",
                        err->verdict == CC_VERDICT_MISSING_INPUTS
                            ? "missing-inputs"
                        : err->reason[0] ? err->reason
                                         : err->text);
        return true;
    }
    if (max_feerate &&
        accept->fee > cc_rpc_max_fee(max_feerate, accept->vsize)) {
        cc_json_set_bool(o, "allowed", false);
        cc_json_set_str(o, "reject-reason", "max-fee-exceeded");
        return false;
    }
    fees = json_object();
    cc_json_set_bool(o, "allowed", true);
    cc_json_set_int(o, "vsize", (int64_t)accept->vsize);
    cc_json_set_amount(fees, "base", accept->fee);
    set_rate(fees, accept->modified, accept->vsize, only(tx));
    cc_json_set(o, "fees", fees);
    return true;
}

static json_t *test_package(struct cc_rpc_call *call, const struct cc_tx *txs,
                            size_t count, cc_amount max_feerate)
{
    struct cc_mempool *m = call->env->mempool;
    struct cc_mempool_package_item items[MAX_PACKAGE];
    struct cc_error err;
    json_t *result = json_array(), *o;
    enum cc_status st = CC_OK;
    bool going = true;

    cc_error_init(&err);
    if (count > 1) {
        st = cc_mempool_test_package(m, txs, count, items, &err);
    } else {
        items[0].judged = true;
        items[0].status =
            cc_mempool_add(m, txs, true, &items[0].accept, &items[0].err);
    }
    for (size_t i = 0; i < count; i++) {
        o = json_object();
        cc_json_set_hash(o, "txid", txs[i].txid);
        cc_json_set_hash(o, "wtxid", txs[i].wtxid);
        if (st != CC_OK)
            cc_json_set_str(o, "package-error", err.text);
        else if (going && items[i].judged)
            going = add_result(o, &txs[i], items[i].status, &items[i].err,
                               &items[i].accept, max_feerate);
        json_array_append_new(result, o);
    }
    return result;
}

static json_t *testmempoolaccept(struct cc_rpc_call *call)
{
    struct package p;
    cc_amount max_feerate;
    json_t *result;

    if (!cc_rpc_max_feerate(call, 1, &max_feerate) ||
        !read_package(call, cc_rpc_arg(call, 0), &p))
        return NULL;
    result = test_package(call, p.txs, p.count, max_feerate);
    package_clear(&p);
    return result;
}

/* --- Taking ------------------------------------------------------------ */

static json_t *all_together(const struct package *p,
                            const struct cc_mempool_submitted *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->count; i++)
        if (s->items[i].together)
            json_array_append_new(list, cc_json_hash(p->txs[i].wtxid));
    return list;
}

static json_t *submit_result(const struct package *p,
                             const struct cc_mempool_submitted *s, size_t at)
{
    const struct cc_mempool_submit_item *item = &s->items[at];
    const struct cc_tx *tx = &p->txs[at];
    json_t *o = json_object(), *fees;

    cc_json_set_hash(o, "txid", tx->txid);
    switch (item->result) {
    case CC_SUBMIT_NOT_JUDGED:
        break;
    case CC_SUBMIT_REFUSED:
        cc_json_set_str(o, "error", item->err.text);
        break;
    case CC_SUBMIT_OTHER_WITNESS:
        cc_json_set_hash(o, "other-wtxid", item->other_wtxid);
        break;
    case CC_SUBMIT_THERE:
    case CC_SUBMIT_ENTERED:
        cc_json_set_int(o, "vsize", (int64_t)item->vsize);
        fees = json_object();
        cc_json_set_amount(fees, "base", item->fee);
        /* What it once came in with is not known. */
        if (item->result == CC_SUBMIT_ENTERED)
            set_rate(fees, item->paid, item->paid_vsize,
                     item->together ? all_together(p, s) : only(tx));
        cc_json_set(o, "fees", fees);
        break;
    }
    return o;
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, 32); }

static json_t *submit_results(const struct package *p,
                              struct cc_mempool_submitted *s,
                              const char *message)
{
    json_t *o = json_object(), *txs = json_object(), *replaced = json_array();
    char wtxid[65];

    for (size_t i = 0; i < p->count; i++) {
        if (s->items[i].result == CC_SUBMIT_NOT_JUDGED)
            continue;
        cc_hex_encode_rev(wtxid, p->txs[i].wtxid, 32);
        cc_json_set(txs, wtxid, submit_result(p, s, i));
    }
    if (s->replaced_count)
        qsort(s->replaced, s->replaced_count, 32, by_bytes);
    for (size_t i = 0; i < s->replaced_count; i++)
        json_array_append_new(replaced, cc_json_hash(s->replaced[i]));
    cc_json_set_str(o, "package_msg", message);
    cc_json_set(o, "tx-results", txs);
    cc_json_set(o, "replaced-transactions", replaced);
    return o;
}

static json_t *submit(struct cc_rpc_call *call, const struct package *p)
{
    struct cc_mempool *m = call->env->mempool;
    struct cc_mempool_submitted *s = cc_malloc(sizeof(*s));
    struct cc_error err;
    json_t *result = NULL;
    enum cc_status st;

    cc_chain_lock(call->env->chain);
    st = cc_mempool_submit_package(m, p->txs, p->count, s, &err);
    for (size_t i = 0; i < p->count && call->env->net; i++)
        if (cc_mempool_find(m, p->txs[i].txid))
            cc_net_announce(call->env->net, p->txs[i].txid);
    cc_chain_unlock(call->env->chain);
    if (st == CC_OK || st == CC_INVALID)
        result = submit_results(p, s, st == CC_OK ? "success" : err.text);
    else
        cc_rpc_error(call, CC_RPC_VERIFY_ERROR, "%s", err.text);
    cc_mempool_submitted_clear(s);
    free(s);
    return result;
}

static json_t *submitpackage(struct cc_rpc_call *call)
{
    struct package p;
    json_t *result;

    if (!read_package(call, cc_rpc_arg(call, 0), &p))
        return NULL;
    if (cc_mempool_is_family(p.txs, p.count))
        result = submit(call, &p);
    else
        result = cc_rpc_error(call, CC_RPC_VERIFY_ERROR,
                              "package topology disallowed. not "
                              "child-with-parents or parents depend on each "
                              "other.");
    package_clear(&p);
    return result;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg test_args[] = {
    CC_ARG_AS("rawtxs", CC_RPC_ARR, NULL,
              "An array of hex strings of raw transactions.",
              "[\"rawtx\",...]"),
    CC_ARG("maxfeerate", CC_RPC_AMOUNT, "0.10",
           "Reject transactions whose fee rate is higher than the specified "
           "value, in coins per kvB"),
};
static const struct cc_rpc_arg submit_args[] = {
    CC_ARG_AS("package", CC_RPC_ARR, NULL, "An array of raw transactions.",
              "[\"rawtx\",...]"),
};

static const struct cc_rpc_method methods[] = {
    {"rawtransactions", "submitpackage", submitpackage,
     CC_RPC_ARGS(submit_args),
     "Submit a package of raw transactions (serialized, hex-encoded) to local "
     "node.\nThe package must consist of a child with its parents, and none "
     "of the parents may depend on one another.\nAny transaction that passes "
     "consensus and mempool policy is accepted; the child may pay for its "
     "parents.\nWarning: success does not mean that the transactions "
     "propagate through the network.",
     "{...}    package_msg, tx-results by wtxid (txid, other-wtxid, vsize, "
     "fees, error), replaced-transactions",
     "'[\"rawtx1\",\"rawtx2\"]'", 0},
    {"rawtransactions", "testmempoolaccept", testmempoolaccept,
     CC_RPC_ARGS(test_args),
     "Returns result of mempool acceptance tests indicating if raw "
     "transactions would be accepted by mempool, one after the other: those "
     "after may spend those before.",
     "[...]    of each: txid, wtxid, package-error, allowed, and vsize and "
     "fees or reject-reason",
     "'[\"signedhex\"]'", 0},
};

void cc_rpc_register_rawpackage(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
