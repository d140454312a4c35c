/* blockchain: the coin set. */
#include <stdlib.h>

#include "chain/statsindex.h"
#include "consensus/script.h"
#include "crypto/hash.h"
#include "crypto/muhash.h"
#include "mempool/mempool.h"
#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "rpc/txjson.h"
#include "rpc/waiter.h"
#include "util/mem.h"

/* --- gettxout ---------------------------------------------------------- */

static json_t *coin_json(struct cc_rpc_call *call, const struct cc_coin *coin)
{
    const struct cc_index *tip = cc_chain_tip(call->env->chain);
    json_t *o = json_object();

    cc_json_set_hash(o, "bestblock", tip->hash);
    /* A coin of the pool is given the height of the next block. */
    cc_json_set_int(o, "confirmations",
                    (int64_t)tip->height + 1 - (int64_t)coin->height);
    cc_json_set_amount(o, "value", coin->out.value);
    cc_json_set(o, "scriptPubKey",
                cc_script_json(coin->out.script, call->env->params));
    cc_json_set_bool(o, "coinbase", coin->coinbase);
    return o;
}

static json_t *gettxout(struct cc_rpc_call *call)
{
    struct cc_outpoint out;
    struct cc_arena arena;
    struct cc_coin coin;
    struct cc_error err;
    int n = 0;
    json_t *result;
    enum cc_status st;

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "txid", out.txid) ||
        !cc_rpc_get_int32(call, 1, &n))
        return NULL;
    if (n < 0)
        return json_null();
    out.index = (uint32_t)n;
    cc_error_init(&err);
    cc_arena_init(&arena);
    cc_chain_lock(call->env->chain);
    st = cc_rpc_bool(call, 2, true)
             ? cc_mempool_coin(call->env->mempool, &out, &coin, &arena, &err)
             : cc_chain_coin(call->env->chain, &out, &coin, &arena, &err);
    if (st == CC_OK)
        result = coin_json(call, &coin);
    else if (st == CC_NOTFOUND)
        result = json_null();
    else
        result = cc_rpc_error_from(call, st, &err);
    cc_chain_unlock(call->env->chain);
    cc_arena_clear(&arena);
    return result;
}

/* --- gettxoutsetinfo --------------------------------------------------- */

struct totals {
    const struct cc_rpc_call *call;
    bool ended; /* the node did, before the last coin */
    uint64_t txs, outs, bogo_size;
    cc_amount amount;
    uint8_t last[32];
    struct cc_sha256 *hash;   /* of all in order; or NULL */
    struct cc_muhash *muhash; /* of the set; or NULL */
};

static bool add_coin(void *arg, const struct cc_outpoint *out,
                     const struct cc_coin *coin)
{
    struct totals *t = arg;
    struct cc_writer w;

    t->ended = cc_waiter_ends_walk(t->call->env->waiter, t->outs);
    if (t->ended)
        return false;
    if (!t->outs || memcmp(t->last, out->txid, 32) != 0)
        t->txs++;
    memcpy(t->last, out->txid, 32);
    t->outs++;
    t->bogo_size += cc_coin_bogo_size(coin);
    t->amount += coin->out.value;
    if (!t->hash && !t->muhash)
        return true;
    cc_writer_init_heap(&w);
    cc_coin_write_hashed(&w, out, coin);
    if (t->hash)
        cc_sha256_update(t->hash, w.data, w.len);
    else
        cc_muhash_add(t->muhash, w.data, w.len);
    cc_writer_clear(&w);
    return true;
}

static json_t *totals_json(const struct totals *t, struct cc_chain *c,
                           const struct cc_index *at)
{
    json_t *o = json_object();
    uint8_t hash[32];

    cc_json_set_int(o, "height", at->height);
    cc_json_set_hash(o, "bestblock", at->hash);
    cc_json_set(o, "txouts", cc_json_u64(t->outs));
    cc_json_set(o, "bogosize", cc_json_u64(t->bogo_size));
    if (t->hash) {
        cc_sha256_final2(t->hash, hash);
        cc_json_set_hash(o, "hash_serialized_3", hash);
    }
    if (t->muhash) {
        cc_muhash_final(t->muhash, hash);
        cc_json_set_hash(o, "muhash", hash);
    }
    cc_json_set_amount(o, "total_amount", t->amount);
    cc_json_set(o, "transactions", cc_json_u64(t->txs));
    cc_json_set(o, "disk_size", cc_json_u64(cc_chain_state_size(c)));
    return o;
}

/* From -coinstatsindex: nothing is counted. What the block did is what it
 * adds to the block before. */
static json_t *block_info(const struct cc_coin_totals *t,
                          const struct cc_coin_totals *before)
{
    json_t *o = json_object(), *lost = json_object();
    const cc_amount genesis = t->genesis - before->genesis;
    const cc_amount scripts = t->scripts - before->scripts;
    const cc_amount unclaimed = t->unclaimed - before->unclaimed;

    cc_json_set_amount(lost, "genesis_block", genesis);
    cc_json_set_amount(lost, "bip30",
                       0); /* two blocks of Bitcoin's main chain */
    cc_json_set_amount(lost, "scripts", scripts);
    cc_json_set_amount(lost, "unclaimed_rewards", unclaimed);
    cc_json_set_amount(o, "prevout_spent",
                       (cc_amount)(t->spent - before->spent));
    cc_json_set_amount(o, "coinbase",
                       (cc_amount)(t->coinbase - before->coinbase));
    cc_json_set_amount(o, "new_outputs_ex_coinbase",
                       (cc_amount)(t->created - before->created));
    cc_json_set_amount(o, "unspendable", genesis + scripts + unclaimed);
    cc_json_set(o, "unspendables", lost);
    return o;
}

static json_t *indexed_json(struct cc_rpc_call *call, const struct cc_index *at,
                            bool muhash)
{
    struct cc_statsindex *s = call->env->statsindex;
    struct cc_coin_totals t, before = {0};
    struct cc_error err;
    json_t *o;

    cc_error_init(&err);
    if (cc_statsindex_find(s, at->hash, &t, &err) != CC_OK ||
        (at->prev &&
         cc_statsindex_find(s, at->prev->hash, &before, &err) != CC_OK))
        return cc_rpc_error(call, CC_RPC_INTERNAL_ERROR,
                            "Unable to read UTXO set");
    o = json_object();
    cc_json_set_int(o, "height", at->height);
    cc_json_set_hash(o, "bestblock", at->hash);
    cc_json_set(o, "txouts", cc_json_u64(t.count));
    cc_json_set(o, "bogosize", cc_json_u64(t.bogo_size));
    if (muhash)
        cc_json_set_hash(o, "muhash", t.muhash);
    cc_json_set_amount(o, "total_amount", t.amount);
    cc_json_set_amount(o, "total_unspendable_amount",
                       t.genesis + t.scripts + t.unclaimed);
    cc_json_set(o, "block_info", block_info(&t, &before));
    return o;
}

/* The tip, when all who follow it know of it. */
static struct cc_index *tip_told(struct cc_chain *c)
{
    struct cc_index *tip;

    cc_chain_lock(c);
    tip = cc_chain_tip(c);
    cc_chain_unlock(c);
    return tip;
}

/* NULL: an error is said. */
static struct cc_index *asked_block(struct cc_rpc_call *call, bool serialized,
                                    bool use_index)
{
    const char *words = NULL;

    if (!cc_rpc_arg(call, 1))
        return tip_told(call->env->chain);
    if (!call->env->statsindex)
        words = "Querying specific block heights requires coinstatsindex";
    else if (serialized)
        words = "hash_serialized_3 hash type cannot be queried for a specific "
                "block";
    else if (!use_index)
        words = "Cannot set use_index to false when querying for a specific "
                "block";
    if (!words)
        return cc_rpc_hash_or_height(call, 1);
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "%s", words);
    return NULL;
}

static json_t *count_all(struct cc_rpc_call *call, bool serialized, bool muhash)
{
    struct cc_chain *c = call->env->chain;
    struct totals t = {.call = call};
    struct cc_sha256 hash;
    struct cc_index *at;
    struct cc_error err;
    json_t *o = NULL;

    cc_error_init(&err);
    cc_sha256_init(&hash);
    t.hash = serialized ? &hash : NULL;
    t.muhash = muhash ? cc_muhash_new() : NULL;
    if (cc_chain_each_coin_at(c, &at, add_coin, &t, &err) != CC_OK)
        cc_rpc_error(call, CC_RPC_INTERNAL_ERROR, "Unable to read UTXO set");
    else if (t.ended)
        cc_rpc_error(call, CC_RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    else
        o = totals_json(&t, c, at);
    cc_muhash_free(t.muhash);
    return o;
}

static json_t *gettxoutsetinfo(struct cc_rpc_call *call)
{
    const char *type = cc_rpc_str(call, 0, "hash_serialized_3");
    const bool use_index = cc_rpc_bool(call, 2, true);
    const bool serialized = !strcmp(type, "hash_serialized_3");
    const bool muhash = !strcmp(type, "muhash");
    struct cc_index *at;

    if (!serialized && !muhash && strcmp(type, "none") != 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "'%s' is not a valid hash_type", type);
    at = asked_block(call, serialized, use_index);
    if (!at)
        return NULL;
    if (call->env->statsindex && use_index && !serialized)
        return indexed_json(call, at, muhash);
    return count_all(call, serialized, muhash);
}

/* --- verifychain ------------------------------------------------------- */

static json_t *verifychain(struct cc_rpc_call *call)
{
    int level = 3, blocks = 6;
    struct cc_error err;

    if (!cc_rpc_get_int32(call, 0, &level) ||
        !cc_rpc_get_int32(call, 1, &blocks))
        return NULL;
    cc_error_init(&err);
    level = level < 0                   ? 0
            : level > CC_VERIFY_CONNECT ? CC_VERIFY_CONNECT
                                        : level;
    return json_boolean(cc_chain_verify(call->env->chain,
                                        (enum cc_verify_level)level,
                                        blocks <= 0 ? 0 : (uint32_t)blocks,
                                        NULL, NULL, &err) == CC_OK);
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg txout_args[] = {
    CC_ARG("txid", CC_RPC_STR, NULL, "The transaction id"),
    CC_ARG("n", CC_RPC_NUM, NULL, "vout number"),
    CC_ARG("include_mempool", CC_RPC_BOOL, "true",
           "Whether to include the mempool. Note that an unspent output that "
           "is spent in the mempool won't appear."),
};
static const struct cc_rpc_arg set_args[] = {
    CC_ARG("hash_type", CC_RPC_STR, "hash_serialized_3",
           "Which UTXO set hash should be calculated. Options: "
           "'hash_serialized_3' (the legacy algorithm), 'muhash', 'none'."),
    CC_ARG("hash_or_height", CC_RPC_ANY, "the current best block",
           "The block of which to tell, by hash or height; needs "
           "-coinstatsindex."),
    CC_ARG("use_index", CC_RPC_BOOL, "true", "Use the index, if there is one."),
};
static const struct cc_rpc_arg verify_args[] = {
    CC_ARG("checklevel", CC_RPC_NUM, "3",
           "How thorough the block verification is (0-4)."),
    CC_ARG("nblocks", CC_RPC_NUM, "6",
           "The number of blocks to check; 0 for all."),
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "gettxout", gettxout, CC_RPC_ARGS(txout_args),
     "Returns details about an unspent transaction output.",
     "null or {...}    bestblock, confirmations, value, scriptPubKey, coinbase",
     "\"txid\" 1", 0},
    {"blockchain", "gettxoutsetinfo", gettxoutsetinfo, CC_RPC_ARGS(set_args),
     "Returns statistics about the unspent transaction output set.\nNote this "
     "call may take some time.",
     "{...}    height, bestblock, txouts, bogosize, hash_serialized_3 or "
     "muhash, total_amount, and transactions, disk_size or, with "
     "-coinstatsindex,\n         total_unspendable_amount, block_info",
     "", 0},
    {"blockchain", "verifychain", verifychain, CC_RPC_ARGS(verify_args),
     "Verifies blockchain database.",
     "true|false    (boolean) Verification finished successfully. If false, "
     "check debug.log for reason.",
     "", 0},
};

void cc_rpc_register_coins(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
