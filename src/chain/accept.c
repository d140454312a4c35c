/* Headers and blocks from outside. */
#include "chain/internal.h"
#include "util/hex.h"
#include "util/log.h"

/* Unasked blocks further ahead of the tip than this are not kept. */
#define MAX_AHEAD 288

/* Does this fault condemn the hash for good? A body that does not belong to
 * its header, a time that will come, a parent that may come: no. */
static bool condemns(const struct cc_error *err)
{
    switch (err->verdict) {
    case CC_VERDICT_CONSENSUS:
    case CC_VERDICT_PREMATURE:
    case CC_VERDICT_MISSING_INPUTS:
    case CC_VERDICT_CONTEXT:
        return true;
    case CC_VERDICT_NONE:
    case CC_VERDICT_MUTATED:
    case CC_VERDICT_HEADER:
    case CC_VERDICT_FUTURE:
    case CC_VERDICT_MISSING_PREV:
    case CC_VERDICT_INVALID_PREV:
    case CC_VERDICT_WITNESS:
    case CC_VERDICT_POLICY:
    case CC_VERDICT_FEE:
    case CC_VERDICT_CONFLICT:
        break;
    }
    return false;
}

/* A header's fault, in the words that bitcoind has for it. */
static enum cc_status bad_header(const struct cc_chain *c, const char *check,
                                 const uint8_t hash[32], enum cc_status st,
                                 const struct cc_error *err)
{
    char hex[65];

    cc_hex_encode_rev(hex, hash, 32);
    cc_debug(c->log, CC_LOG_VALIDATION,
             "AcceptBlockHeader: Consensus::%s: %s, %s", check, hex,
             err ? err->text : cc_status_name(st));
    return st;
}

static enum cc_status accept_header(struct cc_chain *c,
                                    const struct cc_header *h,
                                    const uint8_t hash[32],
                                    struct cc_index **out, struct cc_error *err)
{
    struct cc_index *i = cc_tree_find(&c->tree, hash), *prev;
    struct cc_place place;
    enum cc_status st;

    if (i) {
        *out = i;
        if (cc_index_failed(i))
            return cc_reject(err, CC_VERDICT_CONFLICT, "duplicate", NULL);
        return CC_OK;
    }
    st = cc_header_check(h, hash, c->params, err);
    if (st != CC_OK)
        return bad_header(c, "CheckBlockHeader", hash, st, err);
    prev = cc_tree_find(&c->tree, h->prev);
    if (!prev)
        return cc_reject_code(err, CC_REJECT_PREV_NOT_FOUND);
    if (cc_index_failed(prev))
        return cc_reject_code(err, CC_REJECT_PREV_BAD);
    place = cc_chain_place(c, prev);
    st = cc_header_check_place(h, c->params, &place, err);
    if (st != CC_OK)
        return bad_header(c, "ContextualCheckBlockHeader", hash, st, err);
    *out = cc_tree_add(&c->tree, h, hash, prev);
    return CC_OK;
}

enum cc_status cc_chain_accept_header(struct cc_chain *c,
                                      const struct cc_header *h,
                                      struct cc_index **out,
                                      struct cc_error *err)
{
    struct cc_index *i = NULL;
    uint8_t hash[32];
    enum cc_status st;

    cc_header_hash(hash, h);
    cc_chain_lock(c);
    st = cc_chain_check_failed(c, err);
    if (st == CC_OK)
        st = accept_header(c, h, hash, &i, err);
    cc_chain_unlock(c);
    if (out)
        *out = i;
    return st;
}

/* Is a block that nobody asked for worth its place on the disk? */
static bool worth_keeping(const struct cc_chain *c, const struct cc_index *i)
{
    return i->tx_count == 0 && cc_u256_cmp(&i->work, &c->tip->work) >= 0 &&
           i->height <= (uint64_t)c->tip->height + MAX_AHEAD &&
           cc_u256_cmp(&i->work, &c->params->minimum_chain_work) >= 0;
}

/* The block's bytes to disk and its entry among those that may be connected.
 * The block has passed all checks that need no coins. */
static enum cc_status store(struct cc_chain *c, struct cc_index *i,
                            const struct cc_block *block, struct cc_error *err)
{
    struct cc_error fault;
    enum cc_status st;

    cc_error_init(&fault);
    st = cc_blockfiles_append(c->files, block->raw, &i->file, &i->data_pos,
                              &fault);
    if (st != CC_OK) {
        if (err)
            *err = fault;
        return cc_chain_fail(c, st, &fault);
    }
    i->size = (uint32_t)block->raw.len;
    c->must_sync = true;
    c->prune_check |= c->prune && cc_blockfiles_grew(c->files);
    cc_tree_received(&c->tree, i, (uint32_t)block->tx_count, c->tip);
    return CC_OK;
}

/* alone: what the block's check by itself came to, with its fault. */
static enum cc_status accept(struct cc_chain *c, const struct cc_block *block,
                             enum cc_status alone, struct cc_error *fault,
                             bool force, struct cc_index **out, bool *is_new,
                             struct cc_error *err)
{
    struct cc_place place;
    struct cc_index *i;
    enum cc_status st = cc_chain_check_failed(c, err);

    if (st != CC_OK)
        return st;
    st = alone;
    if (st == CC_OK)
        st = accept_header(c, &block->header, block->hash, out, fault);
    if (st != CC_OK)
        goto out;
    i = *out;
    if (i->status & CC_INDEX_DATA || (!force && !worth_keeping(c, i)))
        return CC_OK;
    place = cc_chain_place(c, i->prev);
    st = cc_block_check_place(block, c->params, &place, fault);
    if (st == CC_OK) {
        *is_new = true;
        return store(c, i, block, err);
    }
    if (st == CC_INVALID && condemns(fault))
        cc_tree_fail(&c->tree, i, c->tip);
out:
    cc_chain_tell_checked(c, block->hash, st, fault);
    if (err)
        *err = *fault;
    return st;
}

enum cc_status cc_chain_accept_block(struct cc_chain *c,
                                     const struct cc_block *block, bool force,
                                     struct cc_index **out, bool *is_new,
                                     struct cc_error *err)
{
    struct cc_index *i = NULL;
    struct cc_error fault;
    bool fresh = false;
    enum cc_status st, alone;

    cc_error_init(&fault);
    alone = cc_block_check(block, c->params, CC_CHECK_ALL, &fault);
    cc_chain_lock(c);
    st = accept(c, block, alone, &fault, force, &i, &fresh, err);
    cc_chain_unlock(c);
    if (out)
        *out = i;
    if (is_new)
        *is_new = fresh;
    if (st != CC_OK)
        return st;
    st = cc_chain_activate(c, i, block, err);
    if (st != CC_OK)
        return st;
    cc_chain_lock(c);
    st = cc_chain_verdict(c, i, err);
    cc_chain_unlock(c);
    return st;
}

enum cc_status cc_chain_test_block(struct cc_chain *c,
                                   const struct cc_block *block, bool check_pow,
                                   bool check_merkle, struct cc_error *err)
{
    unsigned flags = (check_pow ? (unsigned)CC_CHECK_POW : 0) |
                     (check_merkle ? (unsigned)CC_CHECK_MERKLE : 0);
    struct cc_connected k;
    struct cc_place place;
    enum cc_status st;

    cc_chain_lock(c);
    st = cc_chain_check_failed(c, err);
    if (st == CC_OK && memcmp(block->header.prev, c->tip->hash, 32))
        st = cc_reject(err, CC_VERDICT_CONTEXT, "inconclusive-not-best-prevblk",
                       NULL);
    place = cc_chain_place(c, c->tip);
    if (st == CC_OK)
        st = cc_header_check_place(&block->header, c->params, &place, err);
    if (st == CC_OK)
        st = cc_block_check(block, c->params, flags, err);
    if (st == CC_OK)
        st = cc_block_check_place(block, c->params, &place, err);
    if (st == CC_OK)
        st = cc_connect_judge(c, c->tip, block, CC_JUDGE_SCRIPTS, &k, err);
    if (st == CC_OK)
        cc_connected_clear(&k);
    cc_chain_unlock(c);
    return st;
}
