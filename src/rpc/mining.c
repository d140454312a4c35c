/* mining: templates for miners elsewhere, and the blocks they bring back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "consensus/pow.h"
#include "mempool/mempool.h"
#include "net/net.h"
#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "rpc/template.h"
#include "rpc/txjson.h"
#include "rpc/waiter.h"
#include "rpc/warnings.h"
#include "util/args.h"
#include "util/clock.h"
#include "util/hex.h"
#include "util/mem.h"

/* --- Asking ------------------------------------------------------------ */

static double hashes_per_second(struct cc_rpc_call *call, int blocks,
                                int height)
{
    struct cc_chain *c = call->env->chain;
    const struct cc_index *end = cc_chain_tip(c), *i;
    int64_t min, max;
    struct cc_u256 work;

    if (height >= 0 && (uint32_t)height < end->height)
        end = cc_chain_at(c, (uint32_t)height);
    if (!end || !end->height)
        return 0;
    if (blocks <= 0) /* since the last change of difficulty, Bitcoin's way */
        blocks = (int)(end->height % 2016) + 1;
    if ((uint32_t)blocks > end->height)
        blocks = (int)end->height;
    i = end;
    min = max = i->header.time;
    for (int n = 0; n < blocks; n++) {
        i = i->prev;
        min = i->header.time < min ? i->header.time : min;
        max = i->header.time > max ? i->header.time : max;
    }
    if (min == max)
        return 0;
    cc_u256_sub(&work, &end->work, &i->work);
    return cc_u256_to_double(&work) / (double)(max - min);
}

static json_t *getnetworkhashps(struct cc_rpc_call *call)
{
    int blocks = 120, height = -1;

    if (!cc_rpc_get_int32(call, 0, &blocks) ||
        !cc_rpc_get_int32(call, 1, &height))
        return NULL;
    if (blocks < -1 || blocks == 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Invalid nblocks. Must be a positive number or "
                            "-1.");
    if (height < -1 || height > (int64_t)cc_chain_tip(call->env->chain)->height)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Block does not exist at specified height");
    return cc_json_double(hashes_per_second(call, blocks, height));
}

static json_t *getmininginfo(struct cc_rpc_call *call)
{
    struct cc_mempool_stats stats;
    const struct cc_index *tip = cc_chain_tip(call->env->chain);
    json_t *o = json_object();

    cc_mempool_stats(call->env->mempool, &stats);
    cc_json_set_int(o, "blocks", tip->height);
    if (stats.block_weight) {
        cc_json_set_int(o, "currentblockweight", (int64_t)stats.block_weight);
        cc_json_set_int(o, "currentblocktx", (int64_t)stats.block_txs);
    }
    cc_json_set(o, "difficulty",
                cc_json_double(cc_difficulty(tip->header.bits)));
    cc_json_set(o, "networkhashps",
                cc_json_double(hashes_per_second(call, 120, -1)));
    cc_json_set_int(o, "pooledtx", (int64_t)stats.count);
    cc_json_set_str(o, "chain", call->env->params->name);
    cc_json_set(o, "warnings", cc_warnings_json(call->env->warnings));
    return o;
}

struct deltas {
    json_t *out;
    struct cc_mempool *pool;
};

static bool add_delta(void *arg, const uint8_t txid[32], cc_amount delta)
{
    struct deltas *d = arg;
    const struct cc_mempool_entry *e = cc_mempool_find(d->pool, txid);
    json_t *o = json_object();
    char id[65];

    cc_json_set_int(o, "fee_delta", delta);
    cc_json_set_bool(o, "in_mempool", e != NULL);
    if (e)
        cc_json_set_int(o, "modified_fee", e->fee + e->fee_delta);
    cc_hex_encode_rev(id, txid, 32);
    cc_json_set(d->out, id, o);
    return true;
}

static json_t *getprioritisedtransactions(struct cc_rpc_call *call)
{
    struct deltas d = {json_object(), call->env->mempool};

    cc_chain_lock(call->env->chain);
    cc_mempool_each_delta(call->env->mempool, add_delta, &d);
    cc_chain_unlock(call->env->chain);
    return d.out;
}

static json_t *prioritisetransaction(struct cc_rpc_call *call)
{
    uint8_t txid[32];
    int64_t delta = 0;
    double dummy = 0;
    const json_t *old = cc_rpc_arg(call, 1);

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "txid", txid) ||
        !cc_rpc_get_int(call, 2, &delta))
        return NULL;
    if (old && (!cc_json_get_double(old, &dummy) || dummy != 0))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Priority is no longer supported, dummy argument "
                            "to prioritisetransaction must be 0.");
    cc_mempool_prioritise(call->env->mempool, txid, delta);
    return json_true();
}

/* --- Bringing ---------------------------------------------------------- */

/* BIP 22's words for what became of a block; NULL stands for accepted. */
static json_t *bip22(struct cc_rpc_call *call, enum cc_status st,
                     const struct cc_error *err)
{
    if (st == CC_OK)
        return json_null();
    if (st != CC_INVALID && st != CC_MALFORMED)
        return cc_rpc_error(call, CC_RPC_VERIFY_ERROR, "%s", err->text);
    return json_string(err->reason[0] ? err->reason : "rejected");
}

static bool decode_block(struct cc_rpc_call *call, const char *hex,
                         struct cc_block *block)
{
    size_t len;
    uint8_t *data = cc_hex_decode_dup(hex, &len);
    enum cc_status st = CC_MALFORMED;

    if (data)
        st = cc_block_decode_front(block, data, len);
    if (st == CC_OK)
        return true;
    cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR, "Block decode failed");
    return false;
}

static const char *known_block(struct cc_chain *c, const struct cc_index *i)
{
    unsigned status = cc_chain_look(c, i).status;

    if (status & (CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD))
        return "duplicate-invalid";
    if (status & CC_INDEX_VALID)
        return "duplicate";
    return NULL;
}

static json_t *judge(struct cc_rpc_call *call, const struct cc_block *block)
{
    struct cc_chain *c = call->env->chain;
    struct cc_index *i = cc_chain_find(c, block->hash);
    const char *known = i ? known_block(c, i) : NULL;
    struct cc_error err;
    enum cc_status st;
    bool is_new;

    if (known)
        return json_string(known);
    cc_error_init(&err);
    st = cc_chain_accept_block(c, block, true, &i, &is_new, &err);
    if (st != CC_OK)
        return bip22(call, st, &err);
    if (!is_new)
        return json_string("duplicate");
    /* Stored, but was it tried? A block beside the best chain is not. */
    if (i && !(cc_chain_look(c, i).status & CC_INDEX_VALID))
        return json_string("inconclusive");
    return json_null();
}

static json_t *submit_decoded(struct cc_rpc_call *call,
                              const struct cc_block *block)
{
    struct cc_error err;
    json_t *result;

    if (!block->tx_count || !cc_tx_is_coinbase(&block->tx[0]))
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                            "Block does not start with a coinbase");
    result = judge(call, block);
    /* A chain that is catching up syncs now and then; an answer holds now,
     * also of a block that came by another way before. */
    if (!result || cc_chain_flush(call->env->chain, &err) == CC_OK)
        return result;
    json_decref(result);
    return cc_rpc_error(call, CC_RPC_DATABASE_ERROR, "%s", err.text);
}

/* A block that commits to witnesses needs a value in its coinbase's witness
 * (BIP 141); to one that lacks it, bitcoind adds the 32 zeros that everybody
 * uses. */
static void add_witness_value(struct cc_rpc_call *call, struct cc_block *block)
{
    static const uint8_t zeros[32];
    struct cc_bytes item = cc_bytes(zeros, sizeof(zeros));
    const struct cc_index *prev;
    struct cc_tx coinbase;
    struct cc_writer w;
    uint8_t *data;
    size_t len;

    if (!block->tx_count || block->tx[0].vin_count != 1 ||
        block->tx[0].has_witness || cc_block_commitment_index(block) < 0)
        return;
    prev = cc_chain_find(call->env->chain, block->header.prev);
    if (!prev || prev->height + 1 < call->env->params->segwit_height)
        return;
    cc_tx_copy(&coinbase, &block->tx[0]);
    coinbase.vin[0].witness = &item;
    coinbase.vin[0].witness_count = 1;
    cc_tx_finish(&coinbase);
    cc_writer_init_heap(&w);
    cc_header_write(&w, &block->header);
    cc_write_compact(&w, block->tx_count);
    cc_tx_write(&w, &coinbase, true);
    for (size_t i = 1; i < block->tx_count; i++)
        cc_tx_write(&w, &block->tx[i], true);
    cc_tx_clear(&coinbase);
    data = cc_writer_take(&w, &len);
    cc_block_clear(block);
    if (cc_block_decode_take(block, data, len) != CC_OK)
        memset(block, 0, sizeof(*block)); /* cannot be: it was just written */
}

static json_t *submitblock(struct cc_rpc_call *call)
{
    struct cc_block block;
    json_t *result;

    if (!decode_block(call, cc_rpc_str(call, 0, ""), &block))
        return NULL;
    add_witness_value(call, &block);
    result = submit_decoded(call, &block);
    cc_block_clear(&block);
    return result;
}

static json_t *submitheader(struct cc_rpc_call *call)
{
    size_t len = 0;
    uint8_t *raw = cc_hex_decode_dup(cc_rpc_str(call, 0, ""), &len);
    struct cc_header h;
    struct cc_reader r;
    struct cc_error err;
    enum cc_status st;
    char prev[65];

    /* A whole block will do: it begins with its header. */
    cc_reader_init(&r, raw, len);
    cc_header_read(&r, &h);
    free(raw);
    if (r.failed)
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                            "Block header decode failed");
    if (!cc_chain_find(call->env->chain, h.prev)) {
        cc_hex_encode_rev(prev, h.prev, 32);
        return cc_rpc_error(call, CC_RPC_VERIFY_ERROR,
                            "Must submit previous header (%s) first", prev);
    }
    cc_error_init(&err);
    st = cc_chain_accept_header(call->env->chain, &h, NULL, &err);
    if (st == CC_OK)
        return json_null();
    return cc_rpc_error(call, CC_RPC_VERIFY_ERROR, "%s",
                        err.reason[0] ? err.reason : err.text);
}

/* --- getblocktemplate -------------------------------------------------- */

static json_t *propose(struct cc_rpc_call *call, const json_t *request)
{
    struct cc_chain *c = call->env->chain;
    const json_t *data = json_object_get(request, "data");
    const struct cc_index *i;
    struct cc_block block;
    struct cc_error err;
    enum cc_status st;
    json_t *result;

    if (!cc_json_is_string(data))
        return cc_rpc_error(call, CC_RPC_TYPE_ERROR,
                            "Missing data String key for proposal");
    if (!decode_block(call, json_string_value(data), &block))
        return NULL;
    i = cc_chain_find(c, block.hash);
    if (i) {
        const char *known = known_block(c, i);

        result = json_string(known ? known : "duplicate-inconclusive");
    } else if (memcmp(cc_chain_tip(c)->hash, block.header.prev, 32) != 0) {
        result = json_string("inconclusive-not-best-prevblk");
    } else {
        cc_error_init(&err);
        st = cc_chain_test_block(c, &block, false, true, &err);
        result = bip22(call, st, &err);
    }
    cc_block_clear(&block);
    return result;
}

/* The template that id names: "<tip hash><changes>"; what is no text stands
 * for the one of now. */
static bool read_poll_id(struct cc_rpc_call *call, const json_t *id,
                         uint8_t hash[32], uint64_t *changes)
{
    const char *text = cc_json_is_string(id) ? json_string_value(id) : NULL;
    json_t *first;
    bool good;

    if (!text) {
        memcpy(hash, cc_chain_tip(call->env->chain)->hash, 32);
        *changes = cc_mempool_changes(call->env->mempool);
        return true;
    }
    first = json_stringn_nocheck(text, strnlen(text, 64));
    good = cc_rpc_get_hash(call, first, "longpollid", hash);
    json_decref(first);
    if (good)
        *changes = strtoull(text + 64, NULL, 10);
    return good;
}

/* Sleep until that template is stale: a new tip, or after a minute other
 * transactions. False: the end. */
static bool long_poll(struct cc_rpc_call *call, const uint8_t hash[32],
                      uint64_t changes)
{
    struct cc_waiter *w = call->env->waiter;
    uint64_t seen;
    int64_t check = cc_clock_monotonic_ms() + 60000, deadline;

    for (deadline = check;; deadline = cc_clock_monotonic_ms() + 10000) {
        seen = cc_waiter_count(w);
        if (memcmp(cc_chain_tip(call->env->chain)->hash, hash, 32) != 0)
            return true;
        if (cc_clock_monotonic_ms() >= check &&
            cc_mempool_changes(call->env->mempool) != changes)
            return true;
        if (!cc_waiter_wait(w, seen, deadline))
            return false;
    }
}

/* Does the caller know segwit? False: one of his rules is no text. */
static bool read_rules(struct cc_rpc_call *call, const json_t *request,
                       bool *segwit)
{
    const json_t *rules = json_object_get(request, "rules");
    const char *name;

    for (size_t i = 0; i < json_array_size(rules); i++) {
        if (!cc_rpc_get_str(call, json_array_get(rules, i), &name))
            return false;
        *segwit |= !strcmp(name, "segwit");
    }
    return true;
}

/* Chains for tests need neither peers nor an end of the download. */
static bool may_mine(struct cc_rpc_call *call)
{
    const struct cc_rpc_env *env = call->env;

    if (strcmp(env->params->name, "main") != 0)
        return true;
    if (!env->net || !cc_net_counts(env->net).total) {
        cc_rpc_error(call, CC_RPC_CLIENT_NOT_CONNECTED, "%s is not connected!",
                     cc_params_product(env->params));
        return false;
    }
    if (cc_chain_in_ibd(env->chain)) {
        cc_rpc_error(call, CC_RPC_CLIENT_IN_INITIAL_DOWNLOAD,
                     "%s is in initial sync and waiting for blocks...",
                     cc_params_product(env->params));
        return false;
    }
    return true;
}

static json_t *getblocktemplate(struct cc_rpc_call *call)
{
    const json_t *request = cc_rpc_arg(call, 0);
    const json_t *mode = json_object_get(request, "mode");
    const json_t *poll = json_object_get(request, "longpollid");
    const bool polls = poll && !json_is_null(poll);
    uint8_t hash[32];
    uint64_t changes = 0;
    bool segwit = false;
    struct cc_error err;
    json_t *o;

    if (mode && !json_is_null(mode) && !cc_json_is_string(mode))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Invalid mode");
    if (cc_json_is_string(mode) && !strcmp(json_string_value(mode), "proposal"))
        return propose(call, request);
    if (cc_json_is_string(mode) && strcmp(json_string_value(mode), "template"))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Invalid mode");
    if (!read_rules(call, request, &segwit) || !may_mine(call))
        return NULL;
    if (polls && !read_poll_id(call, poll, hash, &changes))
        return NULL;
    if (polls && !long_poll(call, hash, changes))
        return cc_rpc_error(call, CC_RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    if (!segwit)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "getblocktemplate must be called with the segwit "
                            "rule set (call with {\"rules\": [\"segwit\"]})");
    cc_error_init(&err);
    if (cc_templates_get(call->env->templates, &o, &err) != CC_OK)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR, "%s", err.text);
    return o;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg hashps_args[] = {
    CC_ARG("nblocks", CC_RPC_NUM, "120",
           "The number of previous blocks to calculate estimate from, or -1 "
           "for blocks since last difficulty change."),
    CC_ARG("height", CC_RPC_NUM, "-1",
           "To estimate at the time of the given height."),
};
static const struct cc_rpc_arg prioritise_args[] = {
    CC_ARG("txid", CC_RPC_HEX, NULL, "The transaction id."),
    CC_ARG("dummy", CC_RPC_NUM, "",
           "API-Compatibility for previous API. Must be zero or null."),
    CC_ARG("fee_delta", CC_RPC_NUM, NULL,
           "The fee value (in satoshis) to add (or subtract, if negative). It "
           "is not paid, the transaction is only chosen as if it were."),
};
static const struct cc_rpc_arg template_args[] = {
    CC_ARG_AS(
        "template_request", CC_RPC_OBJ, NULL,
        "Members: mode (\"template\" or \"proposal\"), capabilities, rules "
        "(must hold \"segwit\"), longpollid, data (the block proposed)",
        "{\"mode\":\"str\",\"capabilities\":[\"str\",...],\"rules\":["
        "\"segwit\",\"str\",...],\"longpollid\":\"str\",\"data\":\"hex\"}"),
};
static const struct cc_rpc_arg submit_args[] = {
    CC_ARG("hexdata", CC_RPC_HEX, NULL, "the hex-encoded block data to submit"),
    CC_ARG_AS(
        "dummy", CC_RPC_STR, "ignored",
        "dummy value, for compatibility with BIP22. This value is ignored.",
        "\"dummy\""),
};
static const struct cc_rpc_arg header_args[] = {
    CC_ARG("hexdata", CC_RPC_HEX, NULL, "the hex-encoded block header data"),
};

static const struct cc_rpc_method methods[] = {
    {"mining", "getblocktemplate", getblocktemplate, CC_RPC_ARGS(template_args),
     "Returns the data needed to construct a block to work on (BIP 22, 23, 9, "
     "145), or judges a proposed block.",
     "{...}    the template; of a proposal null, or why it would be refused",
     "'{\"rules\": [\"segwit\"]}'", 0},
    {"mining", "getmininginfo", getmininginfo, CC_RPC_NO_ARGS,
     "Returns a json object containing mining-related information.",
     "{...}    blocks, currentblockweight, currentblocktx, difficulty, "
     "networkhashps, pooledtx, chain, warnings",
     "", 0},
    {"mining", "getnetworkhashps", getnetworkhashps, CC_RPC_ARGS(hashps_args),
     "Returns the estimated network hashes per second based on the last n "
     "blocks.",
     "n    (numeric) Hashes per second estimated", "", 0},
    {"mining", "getprioritisedtransactions", getprioritisedtransactions,
     CC_RPC_NO_ARGS,
     "Returns a map of all user-created (see prioritisetransaction) fee deltas "
     "by txid, and whether the tx is present in mempool.",
     "{...}    of each txid: fee_delta, in_mempool, modified_fee", "", 0},
    {"mining", "prioritisetransaction", prioritisetransaction,
     CC_RPC_ARGS(prioritise_args),
     "Accepts the transaction into mined blocks at a higher (or lower) "
     "priority",
     "true    (boolean) Returns true", "\"txid\" 0.0 10000", 0},
    {"mining", "submitblock", submitblock, CC_RPC_ARGS(submit_args),
     "Attempts to submit new block to network.",
     "null or \"str\"    null if it was accepted, else why not", "\"mydata\"",
     0},
    {"mining", "submitheader", submitheader, CC_RPC_ARGS(header_args),
     "Decode the given hexdata as a header and submit it as a candidate chain "
     "tip if valid.\nThrows when the header is invalid.",
     "null", "\"aabbcc\"", 0},
};

void cc_rpc_register_mining(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
