/* blockchain: waiting for the tip, and moving it by hand. */
#include <stdlib.h>

#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "rpc/waiter.h"
#include "util/clock.h"
#include "util/log.h"

/* --- Waiting ----------------------------------------------------------- */

static json_t *tip_json(struct cc_chain *c)
{
    const struct cc_index *tip = cc_chain_tip(c);
    json_t *o = json_object();

    cc_json_set_hash(o, "hash", tip->hash);
    cc_json_set_int(o, "height", tip->height);
    return o;
}

typedef bool (*tip_wanted)(const struct cc_index *tip, const void *arg);

/* The tip as soon as it is the wanted one, or as it is when time is up. */
static json_t *wait_for(struct cc_rpc_call *call, size_t timeout_arg,
                        tip_wanted wanted, const void *arg)
{
    struct cc_waiter *w = call->env->waiter;
    int64_t timeout = 0, deadline = -1;
    uint64_t seen;

    if (!cc_rpc_get_int(call, timeout_arg, &timeout))
        return NULL;
    if (timeout < 0)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR, "Negative timeout");
    if (timeout > 0 && timeout < INT64_C(1) << 40)
        deadline = cc_clock_monotonic_ms() + timeout + 1; /* now is cut off */
    do {
        seen = cc_waiter_count(w);
        if (wanted(cc_chain_tip(call->env->chain), arg))
            break;
        if (deadline >= 0 && cc_clock_monotonic_ms() >= deadline)
            break;
    } while (cc_waiter_wait(w, seen, deadline));
    return tip_json(call->env->chain);
}

static bool not_this(const struct cc_index *tip, const void *arg)
{
    return tip != arg;
}

static bool this_hash(const struct cc_index *tip, const void *arg)
{
    return !memcmp(tip->hash, arg, 32);
}

static bool this_high(const struct cc_index *tip, const void *arg)
{
    return (int64_t)tip->height >= *(const int *)arg;
}

static json_t *waitfornewblock(struct cc_rpc_call *call)
{
    return wait_for(call, 0, not_this, cc_chain_tip(call->env->chain));
}

static json_t *waitforblock(struct cc_rpc_call *call)
{
    uint8_t hash[32];

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "blockhash", hash))
        return NULL;
    return wait_for(call, 1, this_hash, hash);
}

static json_t *waitforblockheight(struct cc_rpc_call *call)
{
    int height = 0;

    if (!cc_rpc_get_int32(call, 0, &height))
        return NULL;
    return wait_for(call, 1, this_high, &height);
}

/* --- Moving ------------------------------------------------------------ */

typedef enum cc_status (*tip_move)(struct cc_chain *c, struct cc_index *i,
                                   struct cc_error *err);

static json_t *move(struct cc_rpc_call *call, tip_move how)
{
    struct cc_index *i = cc_rpc_block_arg(call, 0);
    struct cc_error err;

    if (!i)
        return NULL;
    cc_error_init(&err);
    if (how(call->env->chain, i, &err) != CC_OK ||
        cc_chain_flush(call->env->chain, &err) != CC_OK)
        return cc_rpc_error(call, CC_RPC_DATABASE_ERROR, "%s", err.text);
    return json_null();
}

/* The genesis block stays, and as in bitcoind that is no error. */
static json_t *invalidateblock(struct cc_rpc_call *call)
{
    const struct cc_index *i = cc_rpc_block_arg(call, 0);

    if (!i || !i->height)
        return i ? json_null() : NULL;
    return move(call, cc_chain_invalidate);
}

static json_t *reconsiderblock(struct cc_rpc_call *call)
{
    return move(call, cc_chain_reconsider);
}

static json_t *preciousblock(struct cc_rpc_call *call)
{
    return move(call, cc_chain_precious);
}

/* What the chain tells is heard before its call returns, so there is no queue
 * to wait for; the lock waits for a call under way. */
static json_t *sync_with_queue(struct cc_rpc_call *call)
{
    cc_chain_lock(call->env->chain);
    cc_chain_unlock(call->env->chain);
    return json_null();
}

/* --- Pruning ----------------------------------------------------------- */

#define KEEP_BLOCKS 288
/* Numbers above are times. */
#define MAX_HEIGHT 1000000000
/* How far a block's time may be from its true one. */
#define TIME_WINDOW_S 7200

/* Height of the first block of the chain at or before which a block has at
 * least this time; above the tip: none. */
static uint32_t first_at(struct cc_chain *c, int64_t time)
{
    uint32_t low = 0, high = cc_chain_tip(c)->height + 1;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (cc_chain_at(c, mid)->time_max < time)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Under the chain's lock. False: the error is told. */
static bool prune_height(struct cc_rpc_call *call, uint32_t *out)
{
    struct cc_chain *c = call->env->chain;
    int64_t tip = cc_chain_tip(c)->height;
    int height = 0;

    if (!cc_rpc_get_int32(call, 0, &height))
        return false;
    if (height < 0) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Negative block height.");
        return false;
    }
    if (height > MAX_HEIGHT) {
        height = (int)first_at(c, height - TIME_WINDOW_S);
        if (height > tip) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Could not find block with at least the specified "
                         "timestamp.");
            return false;
        }
    }
    if (tip < (int64_t)cc_chain_prune_info(c).after) {
        cc_rpc_error(call, CC_RPC_MISC_ERROR,
                     "Blockchain is too short for pruning.");
        return false;
    }
    if (height > tip) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Blockchain is shorter than the attempted prune height.");
        return false;
    }
    if (height > tip - KEEP_BLOCKS) {
        cc_debug(call->env->log, CC_LOG_RPC,
                 "Attempt to prune blocks close to the tip.  Retaining the "
                 "minimum number of blocks.");
        height = (int)(tip > KEEP_BLOCKS ? tip - KEEP_BLOCKS : 0);
    }
    *out = (uint32_t)height;
    return true;
}

static json_t *pruneblockchain(struct cc_rpc_call *call)
{
    struct cc_chain *c = call->env->chain;
    enum cc_status st = CC_OK;
    struct cc_error err;
    uint32_t height = 0;
    bool good;

    if (!cc_chain_prune_info(c).on)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "Cannot prune blocks because node is not in prune "
                            "mode.");
    cc_error_init(&err);
    cc_chain_lock(c);
    good = prune_height(call, &height);
    if (good)
        st = cc_chain_prune(c, height, &err);
    cc_chain_unlock(c);
    if (!good)
        return NULL;
    if (st != CC_OK)
        return cc_rpc_error_from(call, st, &err);
    return json_integer((int64_t)cc_chain_prune_info(c).first - 1);
}

/* --- getchainstates ------------------------------------------------------ */

/* Core has a second one while it checks a snapshot; this node has none. */
static json_t *getchainstates(struct cc_rpc_call *call)
{
    struct cc_chain *c = call->env->chain;
    const struct cc_index *tip, *best;
    json_t *o = json_object(), *list = json_array(), *s = json_object();
    uint64_t db, coins;

    cc_chain_lock(c);
    tip = cc_chain_tip(c);
    best = cc_chain_best_header(c);
    cc_chain_cache_sizes(c, &db, &coins);
    cc_json_set_int(o, "headers", best ? (int64_t)best->height : -1);
    cc_json_set_int(s, "blocks", tip->height);
    cc_json_set_hash(s, "bestblockhash", tip->hash);
    cc_json_set(s, "difficulty",
                cc_json_double(cc_difficulty(tip->header.bits)));
    cc_json_set(s, "verificationprogress",
                cc_json_double(
                    cc_chain_progress(c, tip, cc_clock_now(call->env->clock))));
    cc_json_set(s, "coins_db_cache_bytes", cc_json_u64(db));
    cc_json_set(s, "coins_tip_cache_bytes", cc_json_u64(coins));
    cc_json_set_bool(s, "validated", true);
    cc_chain_unlock(c);
    json_array_append_new(list, s);
    cc_json_set(o, "chainstates", list);
    return o;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg hash_args[] = {
    CC_ARG("blockhash", CC_RPC_HEX, NULL, "the hash of the block"),
};
static const struct cc_rpc_arg new_args[] = {
    CC_ARG("timeout", CC_RPC_NUM, "0",
           "Time in milliseconds to wait for a response. 0 indicates no "
           "timeout."),
};
static const struct cc_rpc_arg block_args[] = {
    CC_ARG("blockhash", CC_RPC_HEX, NULL, "Block hash to wait for."),
    CC_ARG("timeout", CC_RPC_NUM, "0",
           "Time in milliseconds to wait for a response. 0 indicates no "
           "timeout."),
};
static const struct cc_rpc_arg height_args[] = {
    CC_ARG("height", CC_RPC_NUM, NULL, "Block height to wait for."),
    CC_ARG("timeout", CC_RPC_NUM, "0",
           "Time in milliseconds to wait for a response. 0 indicates no "
           "timeout."),
};

static const struct cc_rpc_arg prune_args[] = {
    CC_ARG("height", CC_RPC_NUM, NULL,
           "The block height to prune up to. May be set to a discrete height, "
           "or to a UNIX epoch time to prune blocks whose block time is at "
           "least 2 hours older than the provided timestamp."),
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "preciousblock", preciousblock, CC_RPC_ARGS(hash_args),
     "Treats a block as if it were received before others with the same "
     "work.\nA later call overrides the effect of an earlier one; it is not "
     "kept over a restart.",
     "null", "\"blockhash\"", 0},
    {"blockchain", "getchainstates", getchainstates, CC_RPC_NO_ARGS,
     "Return information about chainstates.",
     "{...}    headers, chainstates: blocks, bestblockhash, difficulty, "
     "verificationprogress, coins_db_cache_bytes, coins_tip_cache_bytes, "
     "validated",
     "", 0},
    {"blockchain", "pruneblockchain", pruneblockchain, CC_RPC_ARGS(prune_args),
     "Prunes the blockchain: block files whose blocks all lie deep enough are "
     "deleted.",
     "n    (numeric) Height of the last block pruned", "1000", 0},
    {"hidden", "invalidateblock", invalidateblock, CC_RPC_ARGS(hash_args),
     "Permanently marks a block as invalid, as if it violated a consensus "
     "rule.",
     "null", "\"blockhash\"", CC_RPC_HIDDEN},
    {"hidden", "reconsiderblock", reconsiderblock, CC_RPC_ARGS(hash_args),
     "Removes invalidity status of a block, its ancestors and its "
     "descendants, reconsider them for activation.\nThis can be used to undo "
     "the effects of invalidateblock.",
     "null", "\"blockhash\"", CC_RPC_HIDDEN},
    {"hidden", "syncwithvalidationinterfacequeue", sync_with_queue,
     CC_RPC_NO_ARGS,
     "Waits for the validation interface queue to catch up on everything that "
     "was there when we entered this function.",
     "null", "", CC_RPC_HIDDEN},
    {"hidden", "waitforblock", waitforblock, CC_RPC_ARGS(block_args),
     "Waits for a specific new block and returns useful info about it.\n"
     "Returns the current block on timeout or exit.",
     "{...}    hash, height", "\"blockhash\" 1000", CC_RPC_HIDDEN},
    {"hidden", "waitforblockheight", waitforblockheight,
     CC_RPC_ARGS(height_args),
     "Waits for (at least) block height and returns the height and hash of "
     "the current tip.\nReturns the current block on timeout or exit.",
     "{...}    hash, height", "100 1000", CC_RPC_HIDDEN},
    {"hidden", "waitfornewblock", waitfornewblock, CC_RPC_ARGS(new_args),
     "Waits for any new block and returns useful info about it.\nReturns the "
     "current block on timeout or exit.",
     "{...}    hash, height", "1000", CC_RPC_HIDDEN},
};

void cc_rpc_register_chain_control(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
