/* blockchain: filters of blocks (BIP 158). */
#include <stdlib.h>

#include "chain/filterindex.h"
#include "chain/gcs.h"
#include "rpc/blockchain.h"
#include "rpc/descriptor.h"
#include "rpc/families.h"
#include "rpc/internal.h"
#include "util/mem.h"

/* What may be behind a block without one. */
static json_t *missing(struct cc_rpc_call *call, const struct cc_index *i)
{
    if (!(cc_chain_look(call->env->chain, i).status & CC_INDEX_VALID))
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "Filter not found. Block was not connected to "
                            "active chain.");
    if (i->height > cc_filterindex_height(call->env->filters))
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "Filter not found. Block filters are still in the "
                            "process of being indexed.");
    return cc_rpc_error(call, CC_RPC_INTERNAL_ERROR,
                        "Filter not found. This error is unexpected and "
                        "indicates index corruption.");
}

/* The index for the type that argument i names; NULL and error. */
static struct cc_filterindex *filters_of(struct cc_rpc_call *call, size_t i)
{
    if (strcmp(cc_rpc_str(call, i, "basic"), "basic"))
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "Unknown filtertype");
    else if (!call->env->filters)
        cc_rpc_error(call, CC_RPC_MISC_ERROR,
                     "Index is not enabled for filtertype basic");
    else
        return call->env->filters;
    return NULL;
}

static json_t *getblockfilter(struct cc_rpc_call *call)
{
    struct cc_filterindex *filters;
    uint8_t hash[32], header[32], *data;
    struct cc_index *i;
    size_t len;
    json_t *o;

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "blockhash", hash))
        return NULL;
    filters = filters_of(call, 1);
    if (!filters)
        return NULL;
    i = cc_chain_find(call->env->chain, hash);
    if (!i)
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "Block not found");
    if (cc_filterindex_header(filters, hash, header, NULL, NULL) != CC_OK ||
        cc_filterindex_filter(filters, hash, &data, &len, NULL) != CC_OK)
        return missing(call, i);
    o = json_object();
    json_object_set_new(o, "filter", cc_json_hex(cc_bytes(data, len)));
    cc_json_set_hash(o, "header", header);
    free(data);
    return o;
}

/* --- scanblocks -------------------------------------------------------- */

struct scan {
    struct cc_rpc_call *call;
    struct cc_scan_state *state;
    struct cc_filterindex *filters;
    struct cc_arena arena; /* of the scripts looked for */
    struct cc_bytes *needle;
    size_t count, room;
    uint32_t first, last, at;
    bool exact; /* look into blocks, too */
    json_t *found;
};

static bool add_scripts(struct scan *s, const json_t *object,
                        const struct cc_descriptor *d, uint32_t index)
{
    struct cc_descriptor_scripts scripts;

    if (!cc_descriptor_expand(d, index, &scripts)) {
        if (json_is_object(object))
            object = json_object_get(object, "desc");
        cc_rpc_error(s->call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Cannot derive script without private keys: '%s'",
                     json_string_value(object));
        return false;
    }
    for (size_t i = 0; i < scripts.count; i++) {
        s->needle =
            cc_grow(s->needle, &s->room, s->count + 1, sizeof(*s->needle));
        s->needle[s->count++] =
            cc_bytes(cc_arena_dup(&s->arena, scripts.script[i].data,
                                  scripts.script[i].len),
                     scripts.script[i].len);
    }
    cc_descriptor_scripts_clear(&scripts);
    return true;
}

static bool read_objects(struct scan *s, const json_t *list)
{
    bool ok = true;

    if (!list) {
        cc_rpc_error(s->call, CC_RPC_MISC_ERROR,
                     "scanobjects argument is required for the start action");
        return false;
    }
    for (size_t i = 0; ok && i < json_array_size(list); i++) {
        const json_t *object = json_array_get(list, i);
        uint32_t first, last;
        struct cc_descriptor *d =
            cc_rpc_get_descriptor(s->call, object, &first, &last);

        ok = d != NULL;
        for (uint32_t k = first; ok && k <= last; k++)
            ok = add_scripts(s, object, d, k);
        cc_descriptor_free(d);
    }
    return ok;
}

static bool read_range(struct scan *s)
{
    uint32_t tip = cc_chain_tip(s->call->env->chain)->height;
    int first = 0, last = (int)tip;

    if (!cc_rpc_get_int32(s->call, 2, &first))
        return false;
    if (first < 0 || (uint32_t)first > tip) {
        cc_rpc_error(s->call, CC_RPC_MISC_ERROR, "Invalid start_height");
        return false;
    }
    if (!cc_rpc_get_int32(s->call, 3, &last))
        return false;
    if (last < first || (uint32_t)last > tip) {
        cc_rpc_error(s->call, CC_RPC_MISC_ERROR, "Invalid stop_height");
        return false;
    }
    s->first = s->at = (uint32_t)first;
    s->last = (uint32_t)last;
    return true;
}

static bool is_needle(const struct scan *s, struct cc_bytes script)
{
    for (size_t i = 0; i < s->count; i++)
        if (cc_bytes_equal(s->needle[i], script))
            return true;
    return false;
}

static bool spends(const struct scan *s, const struct cc_undo *undo)
{
    for (size_t t = 0; t < undo->count; t++)
        for (size_t k = 0; k < undo->tx[t].count; k++)
            if (is_needle(s, undo->tx[t].coins[k].out.script))
                return true;
    return false;
}

static bool pays(const struct scan *s, const struct cc_block *block)
{
    for (size_t t = 0; t < block->tx_count; t++)
        for (size_t k = 0; k < block->tx[t].vout_count; k++)
            if (is_needle(s, block->tx[t].vout[k].script))
                return true;
    return false;
}

/* Does the block really pay or spend one of them? False: it cannot be asked,
 * for its data are gone, and the call has failed. */
static bool look(const struct scan *s, const struct cc_index *i, bool *found)
{
    struct cc_chain *c = s->call->env->chain;
    struct cc_block block;
    struct cc_undo undo;

    if (!cc_rpc_read_block(s->call, i, &block))
        return false;
    *found = pays(s, &block);
    cc_block_clear(&block);
    if (*found || !i->height)
        return true;
    if (cc_chain_read_undo(c, i, &undo, NULL) != CC_OK) {
        cc_rpc_error(s->call, CC_RPC_MISC_ERROR, "%s",
                     cc_chain_is_pruned(c, i)
                         ? "Undo data not available (pruned data)"
                         : "Can't read undo data from disk");
        return false;
    }
    *found = spends(s, &undo);
    cc_undo_clear(&undo);
    return true;
}

/* False: the call has failed. */
static bool scan_block(const struct scan *s, const struct cc_index *i)
{
    uint8_t *data;
    size_t len;
    bool found;

    if (cc_filterindex_filter(s->filters, i->hash, &data, &len, NULL) != CC_OK)
        return true;
    if (cc_gcs_match(cc_bytes(data, len), i->hash, s->needle, s->count,
                     &found) != CC_OK)
        found = false;
    free(data);
    if (found && s->exact && !look(s, i, &found))
        return false;
    if (found)
        json_array_append_new(s->found, cc_json_hash(i->hash));
    return true;
}

/* NULL: the call has failed. */
static json_t *scan(struct scan *s)
{
    const struct cc_index *last = cc_chain_at(s->call->env->chain, s->last);
    json_t *o;
    bool stopped = false;

    for (uint32_t h = s->first; last && h <= s->last; h++) {
        stopped = cc_scan_stopped(s->call, s->state);
        if (stopped)
            break;
        s->at = h;
        if (!scan_block(s, cc_index_ancestor(last, h)))
            return NULL;
        atomic_store(&s->state->height, (int)h);
        atomic_store(&s->state->percent, (int)((uint64_t)(h - s->first) * 100 /
                                               (s->last - s->first + 1)));
    }
    o = json_object();
    cc_json_set_int(o, "from_height", s->first);
    cc_json_set_int(o, "to_height", s->at);
    cc_json_set(o, "relevant_blocks", json_incref(s->found));
    cc_json_set_bool(o, "completed", !stopped);
    return o;
}

static json_t *start(struct cc_rpc_call *call, struct cc_scan_state *state)
{
    struct scan s = {.call = call, .state = state};
    json_t *exact, *o = NULL;

    s.filters = filters_of(call, 4);
    if (!s.filters ||
        !cc_rpc_member(call, cc_rpc_arg(call, 5), "filter_false_positives",
                       CC_RPC_BOOL, &exact))
        return NULL;
    s.exact = json_is_true(exact);
    s.found = json_array();
    cc_arena_init(&s.arena);
    if (read_range(&s) && read_objects(&s, cc_rpc_arg(call, 1)))
        o = scan(&s);
    cc_arena_clear(&s.arena);
    free(s.needle);
    json_decref(s.found);
    return o;
}

static json_t *scanblocks(struct cc_rpc_call *call)
{
    return cc_scan_call(call, &cc_rpc_scan(call->env->rpc)->blocks, true,
                        start);
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg scan_options[] = {
    CC_ARG("filter_false_positives", CC_RPC_BOOL, "false",
           "Filter false positives (slower and may fail on pruned nodes). "
           "Otherwise they may occur at a rate of 1/M"),
};
static const struct cc_rpc_arg scan_args[] = {
    CC_SCAN_ARGS,
    CC_ARG("start_height", CC_RPC_NUM, "0", "Height to start to scan from"),
    CC_ARG("stop_height", CC_RPC_NUM, "", "Height to stop to scan"),
    CC_ARG("filtertype", CC_RPC_STR, "basic", "The type name of the filter"),
    {.name = "options",
     .type = CC_RPC_OBJ,
     .fallback = "",
     .help = "",
     .oneline = "options",
     .inner = scan_options,
     .inner_count = sizeof(scan_options) / sizeof(scan_options[0])},
};
static const struct cc_rpc_arg filter_args[] = {
    CC_ARG("blockhash", CC_RPC_HEX, NULL, "The hash of the block"),
    CC_ARG("filtertype", CC_RPC_STR, "basic", "The type name of the filter"),
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "getblockfilter", getblockfilter, CC_RPC_ARGS(filter_args),
     "Retrieve a BIP 157 content filter for a particular block.",
     "{\n"
     "  \"filter\" : \"hex\",    (string) the hex-encoded filter data\n"
     "  \"header\" : \"hex\"     (string) the hex-encoded filter header\n"
     "}",
     "\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\" "
     "\"basic\"",
     0},
    {"blockchain", "scanblocks", scanblocks, CC_RPC_ARGS(scan_args),
     "Return relevant blockhashes for given descriptors (requires "
     "blockfilterindex).\nThis call may take several minutes. Make sure to "
     "use no RPC timeout (bitcoin-cli -rpcclienttimeout=0)",
     "{...}    of start: from_height, to_height, relevant_blocks, completed; "
     "of abort: true or false; of status: progress, current_height, or null",
     "start '[\"addr(bcrt1q4u4nsgk6ug0sqz7r3rj9tykjxrsl0yy4d0wwte)\"]' 300000",
     0},
};

void cc_rpc_register_blockfilter(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
