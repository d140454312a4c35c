/* blockchain: the chain as it stands. Waiting and moving it: chain_control.c;
 * the coins: coins.c; the pool: pool.c. */
#include "rpc/blockchain.h"

#include <math.h>
#include <stdlib.h>

#include "chain/vote.h"
#include "consensus/pow.h"
#include "consensus/script.h"
#include "rpc/families.h"
#include "rpc/txjson.h"
#include "rpc/warnings.h"
#include "util/clock.h"
#include "util/mem.h"

double cc_difficulty(uint32_t bits)
{
    unsigned shift = bits >> 24;
    double d = (double)0x0000ffff / (double)(bits & 0x00ffffff);

    if (!(bits & 0x00ffffff))
        return 0;
    for (; shift < 29; shift++)
        d *= 256.0;
    for (; shift > 29; shift--)
        d /= 256.0;
    return d;
}

json_t *cc_json_u256(const struct cc_u256 *v)
{
    uint8_t be[32];

    cc_u256_to_be(be, v);
    return cc_json_hex(cc_bytes(be, 32));
}

int64_t cc_confirmations(struct cc_chain *c, const struct cc_index *i)
{
    int64_t n = -1;

    cc_chain_lock(c);
    if (cc_chain_contains(c, i))
        n = (int64_t)cc_chain_tip(c)->height - i->height + 1;
    cc_chain_unlock(c);
    return n;
}

struct cc_index *cc_rpc_block_arg(struct cc_rpc_call *call, size_t i)
{
    uint8_t hash[32];
    struct cc_index *index;

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, i), "blockhash", hash))
        return NULL;
    index = cc_chain_find(call->env->chain, hash);
    if (!index)
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    return index;
}

struct cc_index *cc_rpc_hash_or_height(struct cc_rpc_call *call, size_t i)
{
    struct cc_chain *c = call->env->chain;
    json_t *arg = cc_rpc_arg(call, i);
    struct cc_index *index;
    uint8_t hash[32];
    int height = 0;

    if (cc_json_is_number(arg)) {
        int tip = (int)cc_chain_tip(c)->height;

        if (!cc_rpc_get_int32(call, i, &height))
            return NULL;
        if (height < 0) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Target block height %d is negative", height);
            return NULL;
        }
        if (height > tip) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Target block height %d after current tip %d", height,
                         tip);
            return NULL;
        }
        return cc_chain_at(c, (uint32_t)height);
    }
    if (!cc_rpc_get_hash(call, arg, "hash_or_height", hash))
        return NULL;
    index = cc_chain_find(c, hash);
    if (!index)
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    return index;
}

bool cc_rpc_read_block(struct cc_rpc_call *call, const struct cc_index *i,
                       struct cc_block *out)
{
    struct cc_error err;

    /* That there are no data is an answer of the same words. */
    if (cc_chain_read_block(call->env->chain, i, out, &err) == CC_OK)
        return true;
    cc_rpc_error(call, CC_RPC_MISC_ERROR, "%s",
                 cc_chain_is_pruned(call->env->chain, i)
                     ? "Block not available (pruned data)"
                     : "Block not found on disk");
    return false;
}

/* --- Headers and blocks ------------------------------------------------ */

static void set_version_hex(json_t *o, int32_t version)
{
    uint8_t be[4];

    cc_put_u32be(be, (uint32_t)version);
    cc_json_set(o, "versionHex", cc_json_hex(cc_bytes(be, 4)));
}

json_t *cc_header_json(struct cc_chain *c, const struct cc_index *i)
{
    const struct cc_index *next = NULL;
    json_t *o = json_object();
    int64_t confirmations;
    uint32_t txs;
    uint8_t be[4];

    cc_chain_lock(c);
    confirmations = cc_confirmations(c, i);
    if (confirmations >= 0)
        next = cc_chain_at(c, i->height + 1);
    txs = i->tx_count;
    cc_chain_unlock(c);
    cc_json_set_hash(o, "hash", i->hash);
    cc_json_set_int(o, "confirmations", confirmations);
    cc_json_set_int(o, "height", i->height);
    cc_json_set_int(o, "version", i->header.version);
    set_version_hex(o, i->header.version);
    cc_json_set_hash(o, "merkleroot", i->header.merkle_root);
    cc_json_set_int(o, "time", i->header.time);
    cc_json_set_int(o, "mediantime", i->median_time);
    cc_json_set_int(o, "nonce", i->header.nonce);
    cc_put_u32be(be, i->header.bits);
    cc_json_set(o, "bits", cc_json_hex(cc_bytes(be, 4)));
    cc_json_set(o, "difficulty", cc_json_double(cc_difficulty(i->header.bits)));
    cc_json_set(o, "chainwork", cc_json_u256(&i->work));
    cc_json_set_int(o, "nTx", txs);
    if (i->prev)
        cc_json_set_hash(o, "previousblockhash", i->prev->hash);
    if (next)
        cc_json_set_hash(o, "nextblockhash", next->hash);
    return o;
}

static json_t *block_txs(const struct cc_rpc_env *env,
                         const struct cc_block *block,
                         const struct cc_undo *undo, int verbosity)
{
    json_t *a = json_array();

    for (size_t i = 0; i < block->tx_count; i++) {
        struct cc_tx_json_options o = {.prevout = verbosity >= 3};

        if (undo && i > 0 && i - 1 < undo->count)
            o.undo = &undo->tx[i - 1];
        json_array_append_new(
            a, verbosity == 1 ? cc_json_hash(block->tx[i].txid)
                              : cc_tx_json(&block->tx[i], env->params, &o));
    }
    return a;
}

static json_t *block_json(const struct cc_rpc_env *env,
                          const struct cc_index *i,
                          const struct cc_block *block, int verbosity)
{
    json_t *o = cc_header_json(env->chain, i);
    struct cc_undo undo;
    bool have_undo = false;

    cc_json_set_int(o, "strippedsize", (int64_t)block->stripped_size);
    cc_json_set_int(o, "size", (int64_t)block->raw.len);
    cc_json_set_int(o, "weight", (int64_t)cc_block_weight(block));
    if (verbosity >= 2) /* CC_NOTFOUND: it was never connected */
        have_undo = cc_chain_read_undo(env->chain, i, &undo, NULL) == CC_OK;
    cc_json_set(o, "tx",
                block_txs(env, block, have_undo ? &undo : NULL, verbosity));
    if (have_undo)
        cc_undo_clear(&undo);
    return o;
}

/* true and false stand for 1 and 0. */
static bool get_verbosity(struct cc_rpc_call *call, size_t i, int otherwise,
                          int *out)
{
    json_t *arg = cc_rpc_arg(call, i);

    *out = otherwise;
    if (json_is_boolean(arg)) {
        *out = json_is_true(arg);
        return true;
    }
    return cc_rpc_get_int32(call, i, out);
}

static json_t *getblock(struct cc_rpc_call *call)
{
    const struct cc_rpc_env *env = call->env;
    const struct cc_index *i;
    struct cc_block block;
    json_t *result;
    int verbosity;

    i = cc_rpc_block_arg(call, 0);
    if (!i || !get_verbosity(call, 1, 1, &verbosity) ||
        !cc_rpc_read_block(call, i, &block))
        return NULL;
    if (verbosity <= 0)
        result = cc_json_hex(block.raw);
    else
        result = block_json(env, i, &block, verbosity);
    cc_block_clear(&block);
    return result;
}

static json_t *getblockheader(struct cc_rpc_call *call)
{
    const struct cc_index *i = cc_rpc_block_arg(call, 0);
    uint8_t raw[CC_HEADER_SIZE];
    struct cc_writer w;

    if (!i)
        return NULL;
    if (cc_rpc_bool(call, 1, true))
        return cc_header_json(call->env->chain, i);
    cc_writer_init(&w, raw, sizeof(raw));
    cc_header_write(&w, &i->header);
    return cc_json_hex(cc_bytes(raw, sizeof(raw)));
}

static json_t *getblockhash(struct cc_rpc_call *call)
{
    struct cc_index *i;
    int height = 0;

    if (!cc_rpc_get_int32(call, 0, &height))
        return NULL;
    i = height < 0 ? NULL : cc_chain_at(call->env->chain, (uint32_t)height);
    if (!i)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Block height out of range");
    return cc_json_hash(i->hash);
}

static json_t *getbestblockhash(struct cc_rpc_call *call)
{
    return cc_json_hash(cc_chain_tip(call->env->chain)->hash);
}

static json_t *getblockcount(struct cc_rpc_call *call)
{
    return json_integer(cc_chain_tip(call->env->chain)->height);
}

static json_t *getdifficulty(struct cc_rpc_call *call)
{
    return cc_json_double(
        cc_difficulty(cc_chain_tip(call->env->chain)->header.bits));
}

/* --- The whole --------------------------------------------------------- */

static void add_pruning(json_t *o, struct cc_chain *c)
{
    struct cc_chain_prune_info info = cc_chain_prune_info(c);

    cc_json_set_bool(o, "pruned", info.on);
    if (!info.on)
        return;
    cc_json_set_int(o, "pruneheight", info.first);
    cc_json_set_bool(o, "automatic_pruning", info.automatic);
    if (info.automatic)
        cc_json_set(o, "prune_target_size", cc_json_u64(info.target));
}

static json_t *getblockchaininfo(struct cc_rpc_call *call)
{
    const struct cc_rpc_env *env = call->env;
    struct cc_chain *c = env->chain;
    const struct cc_index *tip, *best;
    json_t *o = json_object();

    cc_chain_lock(c);
    tip = cc_chain_tip(c);
    best = cc_chain_best_header(c);
    cc_json_set_str(o, "chain", env->params->name);
    cc_json_set_int(o, "blocks", tip->height);
    cc_json_set_int(o, "headers", best ? (int64_t)best->height : -1);
    cc_json_set_hash(o, "bestblockhash", tip->hash);
    cc_json_set(o, "difficulty",
                cc_json_double(cc_difficulty(tip->header.bits)));
    cc_json_set_int(o, "time", tip->header.time);
    cc_json_set_int(o, "mediantime", tip->median_time);
    cc_json_set(
        o, "verificationprogress",
        cc_json_double(cc_chain_progress(c, tip, cc_clock_now(env->clock))));
    cc_json_set_bool(o, "initialblockdownload", cc_chain_in_ibd(c));
    cc_json_set(o, "chainwork", cc_json_u256(&tip->work));
    cc_json_set_int(o, "size_on_disk", (int64_t)cc_chain_disk_size(c));
    add_pruning(o, c);
    if (env->params->storage_active)
        cc_json_set_amount(o, "storagepool", tip->state.pool);
    cc_json_set(o, "warnings", cc_warnings_json(env->warnings));
    cc_chain_unlock(c);
    return o;
}

static json_t *buried(uint32_t height, uint32_t next)
{
    json_t *o = json_object();

    cc_json_set_str(o, "type", "buried");
    cc_json_set_bool(o, "active", next >= height);
    cc_json_set_int(o, "height", height);
    return o;
}

static const char *vote_name(struct cc_vote_status s)
{
    static const char *const names[] = {"defined", "started", "locked_in",
                                        "active", "failed"};

    return names[s.state];
}

/* The vote in the window that i stands in, so far. */
static void add_signals(json_t *o, const struct cc_vote *v,
                        const struct cc_index *i, bool open)
{
    uint32_t elapsed = i->height % v->window + 1, count = 0;
    char *signals = cc_malloc(elapsed + 1);
    json_t *s = json_object();

    signals[elapsed] = '\0';
    for (uint32_t n = elapsed; n-- > 0; i = i->prev) {
        bool yes = cc_vote_signals(v, i);

        signals[n] = yes ? '#' : '-';
        count += yes;
    }
    cc_json_set_int(s, "period", v->window);
    cc_json_set_int(s, "elapsed", elapsed);
    cc_json_set_int(s, "count", count);
    if (open) {
        cc_json_set_int(s, "threshold", v->threshold);
        cc_json_set_bool(s, "possible",
                         elapsed - count <= v->window - v->threshold);
    }
    cc_json_set(o, "statistics", s);
    cc_json_set_str(o, "signalling", signals);
    free(signals);
}

static json_t *voted(const struct cc_vote *v, const struct cc_index *i)
{
    struct cc_vote_status now = cc_vote_status(v, i->prev);
    struct cc_vote_status next = cc_vote_status(v, i);
    bool open = now.state == CC_VOTE_STARTED;
    bool signals = open || now.state == CC_VOTE_LOCKED_IN;
    json_t *o = json_object(), *b = json_object();

    if (signals)
        cc_json_set_int(b, "bit", v->bit);
    cc_json_set_int(b, "start_time", v->start);
    cc_json_set_int(b, "timeout", v->timeout);
    cc_json_set_int(b, "min_activation_height", v->min_height);
    cc_json_set_str(b, "status", vote_name(now));
    cc_json_set_int(b, "since", now.since);
    cc_json_set_str(b, "status_next", vote_name(next));
    if (signals)
        add_signals(b, v, i, open);
    cc_json_set_str(o, "type", "bip9");
    if (next.state == CC_VOTE_ACTIVE)
        cc_json_set_int(o, "height", next.since);
    cc_json_set_bool(o, "active", next.state == CC_VOTE_ACTIVE);
    cc_json_set(o, "bip9", b);
    return o;
}

/* Core's regtest lists taproot as one that needed no vote. */
static json_t *always_active(void)
{
    json_t *o = json_object(), *b = json_object();

    cc_json_set_int(b, "start_time", -1);
    cc_json_set_int(b, "timeout", INT64_MAX);
    cc_json_set_int(b, "min_activation_height", 0);
    cc_json_set_str(b, "status", "active");
    cc_json_set_int(b, "since", 0);
    cc_json_set_str(b, "status_next", "active");
    cc_json_set_str(o, "type", "bip9");
    cc_json_set_int(o, "height", 0);
    cc_json_set_bool(o, "active", true);
    cc_json_set(o, "bip9", b);
    return o;
}

static json_t *getdeploymentinfo(struct cc_rpc_call *call)
{
    const struct cc_params *p = call->env->params;
    const struct cc_index *i;
    json_t *o, *d;
    uint32_t next;

    i = cc_rpc_arg(call, 0) ? cc_rpc_block_arg(call, 0)
                            : cc_chain_tip(call->env->chain);
    if (!i)
        return NULL;
    next = i->height + 1;
    o = json_object();
    d = json_object();
    cc_json_set_hash(o, "hash", i->hash);
    cc_json_set_int(o, "height", i->height);
    cc_json_set(d, "bip34", buried(p->bip34_height, next));
    cc_json_set(d, "bip66", buried(p->bip66_height, next));
    cc_json_set(d, "bip65", buried(p->bip65_height, next));
    cc_json_set(d, "csv", buried(p->csv_height, next));
    cc_json_set(d, "segwit", buried(p->segwit_height, next));
    if (p->testdummy.window)
        cc_json_set(d, "testdummy", voted(&p->testdummy, i));
    cc_json_set(d, "taproot",
                p->storage_active ? buried(p->taproot_height, next)
                                  : always_active());
    cc_json_set(o, "deployments", d);
    return o;
}

/* --- Tips -------------------------------------------------------------- */

struct tips {
    const struct cc_index **list;
    size_t count, cap;
    struct cc_chain *chain;
};

static bool collect(void *arg, struct cc_index *i)
{
    struct tips *t = arg;

    t->list = cc_grow(t->list, &t->cap, t->count + 1, sizeof(*t->list));
    t->list[t->count++] = i;
    return true;
}

/* Highest first; of equal ones by hash, so that the order is stable. */
static int by_height(const void *a, const void *b)
{
    const struct cc_index *x = *(const struct cc_index *const *)a;
    const struct cc_index *y = *(const struct cc_index *const *)b;

    if (x->height != y->height)
        return x->height < y->height ? 1 : -1;
    return memcmp(x->hash, y->hash, 32);
}

static int by_address(const void *a, const void *b)
{
    const struct cc_index *x = *(const struct cc_index *const *)a;
    const struct cc_index *y = *(const struct cc_index *const *)b;

    return x < y ? -1 : x > y;
}

/* Under the lock. */
static const char *tip_status(struct cc_chain *c, const struct cc_index *i)
{
    if (cc_chain_contains(c, i))
        return "active";
    if (i->status & (CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD))
        return "invalid";
    if (!i->chain_tx)
        return "headers-only";
    if (i->status & CC_INDEX_VALID)
        return "valid-fork";
    return "valid-headers";
}

/* Keep of all entries those that none builds upon; the tip is one. */
static void leaves(struct tips *t)
{
    const struct cc_index **parents =
        cc_reallocarray(NULL, t->count + 1, sizeof(*parents));
    size_t parent_count = 0, kept = 0;
    const struct cc_index *tip = cc_chain_tip(t->chain);

    for (size_t i = 0; i < t->count; i++)
        if (t->list[i]->prev && t->list[i]->prev != tip)
            parents[parent_count++] = t->list[i]->prev;
    qsort(parents, parent_count, sizeof(*parents), by_address);
    for (size_t i = 0; i < t->count; i++)
        if (!bsearch(&t->list[i], parents, parent_count, sizeof(*parents),
                     by_address))
            t->list[kept++] = t->list[i];
    t->count = kept;
    free(parents);
    qsort(t->list, t->count, sizeof(*t->list), by_height);
}

static json_t *getchaintips(struct cc_rpc_call *call)
{
    struct cc_chain *c = call->env->chain;
    struct tips t = {.chain = c};
    json_t *a = json_array(), *o;

    cc_chain_lock(c);
    cc_chain_each(c, collect, &t);
    leaves(&t);
    for (size_t i = 0; i < t.count; i++) {
        const struct cc_index *fork = t.list[i];

        while (fork && !cc_chain_contains(c, fork))
            fork = fork->prev;
        o = json_object();
        cc_json_set_int(o, "height", t.list[i]->height);
        cc_json_set_hash(o, "hash", t.list[i]->hash);
        cc_json_set_int(o, "branchlen",
                        fork ? t.list[i]->height - fork->height : 0);
        cc_json_set_str(o, "status", tip_status(c, t.list[i]));
        json_array_append_new(a, o);
    }
    cc_chain_unlock(c);
    free(t.list);
    return a;
}

/* --- Statistics -------------------------------------------------------- */

static json_t *chain_tx_stats(struct cc_chain *c, const struct cc_index *i,
                              int blocks)
{
    const struct cc_index *past =
        cc_index_ancestor(i, i->height - (uint32_t)blocks);
    uint64_t total = cc_chain_look(c, i).chain_tx;
    json_t *o = json_object();
    int64_t interval, txs;

    cc_json_set_int(o, "time", i->header.time);
    cc_json_set(o, "txcount", cc_json_u64(total));
    cc_json_set_hash(o, "window_final_block_hash", i->hash);
    cc_json_set_int(o, "window_final_block_height", i->height);
    cc_json_set_int(o, "window_block_count", blocks);
    if (blocks > 0) {
        interval = i->median_time - past->median_time;
        txs = (int64_t)(total - cc_chain_look(c, past).chain_tx);
        cc_json_set_int(o, "window_interval", interval);
        cc_json_set_int(o, "window_tx_count", txs);
        if (interval > 0)
            cc_json_set(o, "txrate",
                        cc_json_double((double)txs / (double)interval));
    }
    return o;
}

static json_t *getchaintxstats(struct cc_rpc_call *call)
{
    struct cc_chain *c = call->env->chain;
    const struct cc_index *i = cc_chain_tip(c);
    int64_t month = 30 * 24 * 3600 / call->env->params->spacing_s;
    int blocks;

    if (cc_rpc_arg(call, 1)) {
        i = cc_rpc_block_arg(call, 1);
        if (!i)
            return NULL;
        if (!cc_chain_contains(c, i))
            return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                                "Block is not in main chain");
    }
    blocks =
        (int)(month < (int64_t)i->height - 1 ? month : (int64_t)i->height - 1);
    blocks = blocks < 0 ? 0 : blocks;
    if (cc_rpc_arg(call, 0)) {
        if (!cc_rpc_get_int32(call, 0, &blocks))
            return NULL;
        if (blocks < 0 || (blocks > 0 && blocks >= (int)i->height))
            return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                                "Invalid block count: should be between 0 and "
                                "the block's height - 1");
    }
    return chain_tx_stats(c, i, blocks);
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg block_args[] = {
    CC_ARG("blockhash", CC_RPC_HEX, NULL, "The block hash"),
    CC_ARG(
        "verbosity|verbose", CC_RPC_ANY, "1",
        "0 for hex-encoded data, 1 for a JSON object, 2 for JSON object with "
        "transaction data,\nand 3 for JSON object with transaction data "
        "including prevout information for inputs"),
};
static const struct cc_rpc_arg header_args[] = {
    CC_ARG("blockhash", CC_RPC_HEX, NULL, "The block hash"),
    CC_ARG("verbose", CC_RPC_BOOL, "true",
           "true for a json object, false for the hex-encoded data"),
};
static const struct cc_rpc_arg height_args[] = {
    CC_ARG("height", CC_RPC_NUM, NULL, "The height index"),
};
static const struct cc_rpc_arg deployment_args[] = {
    CC_ARG("blockhash", CC_RPC_HEX, "hash of current chain tip",
           "The block hash at which to query deployment state"),
};
static const struct cc_rpc_arg stats_args[] = {
    CC_ARG("nblocks", CC_RPC_NUM, "one month", "Size of the window in blocks"),
    CC_ARG("blockhash", CC_RPC_HEX, "chain tip",
           "The hash of the block that ends the window."),
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "getbestblockhash", getbestblockhash, CC_RPC_NO_ARGS,
     "Returns the hash of the best (tip) block in the most-work "
     "fully-validated "
     "chain.",
     "\"hex\"    (string) the block hash, hex-encoded", "", 0},
    {"blockchain", "getblock", getblock, CC_RPC_ARGS(block_args),
     "Returns a block: with verbosity 0 its bytes in hex, else an object about "
     "it, with 2 and more\nwith all its transactions.",
     "\"hex\" or {...}    the block",
     "\"00000000c937983704a73af28acdec37b049d2"
     "14adbda81d7e2a3dd146f6ed09\"",
     0},
    {"blockchain", "getblockchaininfo", getblockchaininfo, CC_RPC_NO_ARGS,
     "Returns an object containing various state info regarding blockchain "
     "processing.",
     "{...}    chain, blocks, headers, bestblockhash, difficulty, time, "
     "mediantime, ...",
     "", 0},
    {"blockchain", "getblockcount", getblockcount, CC_RPC_NO_ARGS,
     "Returns the height of the most-work fully-validated chain.\nThe genesis "
     "block has height 0.",
     "n    (numeric) The current block count", "", 0},
    {"blockchain", "getblockhash", getblockhash, CC_RPC_ARGS(height_args),
     "Returns hash of block in best-block-chain at height provided.",
     "\"hex\"    (string) The block hash", "1000", 0},
    {"blockchain", "getblockheader", getblockheader, CC_RPC_ARGS(header_args),
     "Returns the header of a block as an object, or its 80 bytes in hex.",
     "{...} or \"hex\"    the header",
     "\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\"", 0},
    {"blockchain", "getchaintips", getchaintips, CC_RPC_NO_ARGS,
     "Return information about all known tips in the block tree, including "
     "the main chain as well as\norphaned branches.",
     "[...]    of each: height, hash, branchlen, status", "", 0},
    {"blockchain", "getchaintxstats", getchaintxstats, CC_RPC_ARGS(stats_args),
     "Compute statistics about the total number and rate of transactions in "
     "the chain.",
     "{...}    time, txcount, window_..., txrate", "2016", 0},
    {"blockchain", "getdeploymentinfo", getdeploymentinfo,
     CC_RPC_ARGS(deployment_args),
     "Returns an object containing various state info regarding deployments "
     "of consensus changes.",
     "{...}    hash, height, deployments", "", 0},
    {"blockchain", "getdifficulty", getdifficulty, CC_RPC_NO_ARGS,
     "Returns the proof-of-work difficulty as a multiple of the minimum "
     "difficulty.",
     "n    (numeric) the difficulty", "", 0},
};

void cc_rpc_register_blockchain(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
