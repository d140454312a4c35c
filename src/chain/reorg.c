/*
 * The walk to the best chain: one block off or on at a time, in memory; the
 * flush that follows makes the whole walk one batch.
 *
 * A block that breaks a rule is condemned with all that is built on it, and
 * the walk goes on to the best of what is left. A disk or database that fails
 * says nothing about any block: the chain stops where it is.
 */
#include <inttypes.h>
#include <math.h>

#include "chain/internal.h"
#include "chain/undo.h"
#include "util/clock.h"
#include "util/hex.h"

/* Let others have the lock after so many blocks. */
#define STEP_BLOCKS 32

static void tell_connected(struct cc_chain *c, const struct cc_index *i,
                           const struct cc_block *block,
                           const struct cc_undo *undo)
{
    for (size_t n = 0; n < c->listener_count; n++)
        if (c->listeners[n].connected)
            c->listeners[n].connected(c->listeners[n].arg, i, block, undo);
}

static void tell_disconnected(struct cc_chain *c, const struct cc_index *i,
                              const struct cc_block *block,
                              const struct cc_undo *undo)
{
    for (size_t n = 0; n < c->listener_count; n++) {
        const struct cc_chain_listener *l = &c->listeners[n];

        if (l->disconnected)
            l->disconnected(l->arg, i, block, undo);
        if (l->index && c->prune)
            cc_debug(c->log, CC_LOG_PRUNE,
                     "%s prune lock moved back to %" PRIu32, l->index,
                     i->height - 1);
    }
}

static void tell_tip(struct cc_chain *c)
{
    for (size_t n = 0; n < c->listener_count; n++)
        if (c->listeners[n].tip)
            c->listeners[n].tip(c->listeners[n].arg, c->tip);
}

void cc_chain_tell_checked(struct cc_chain *c, const uint8_t hash[32],
                           enum cc_status st, const struct cc_error *err)
{
    for (size_t n = 0; n < c->listener_count; n++)
        if (c->listeners[n].checked)
            c->listeners[n].checked(c->listeners[n].arg, hash, st, err);
}

static enum cc_status store_undo(struct cc_chain *c, struct cc_index *i,
                                 const struct cc_undo *undo,
                                 struct cc_error *err)
{
    struct cc_writer w;
    enum cc_status st;

    if (i->status & CC_INDEX_UNDO)
        return CC_OK; /* as it was when it was connected before */
    cc_writer_init_heap(&w);
    cc_undo_write(&w, undo);
    st = cc_blockfiles_append_undo(c->files, i->file, i->prev->hash,
                                   cc_bytes(w.data, w.len), &i->undo_pos, err);
    if (st == CC_OK) {
        i->undo_size = (uint32_t)w.len;
        i->status |= CC_INDEX_UNDO;
    }
    cc_writer_clear(&w);
    return st;
}

static void log_tip(struct cc_chain *c)
{
    const struct cc_index *i = c->tip;
    char hex[65], date[32];

    if (!c->log)
        return;
    cc_hex_encode_rev(hex, i->hash, 32);
    cc_clock_format(date, i->header.time);
    cc_log(c->log,
           "UpdateTip: new best=%s height=%" PRIu32 " version=0x%08" PRIx32
           " log2_work=%f tx=%" PRIu64 " date='%s' progress=%f "
           "cache=%.1fMiB(%zutxo)",
           hex, i->height, (uint32_t)i->header.version,
           log2(cc_u256_to_double(&i->work)), i->chain_tx, date,
           cc_chain_progress(c, i, c->now(c->now_arg)),
           (double)cc_coins_memory(c->coins) / (1 << 20),
           cc_coins_count(c->coins));
}

/* Read and decoded while others have the lock, if pause. */
static enum cc_status load(struct cc_chain *c, const struct cc_index *i,
                           bool pause, struct cc_block *out,
                           struct cc_error *err)
{
    enum cc_status st;

    if (pause)
        cc_chain_unlock(c);
    st = cc_chain_load_block(c, i, out, err);
    if (pause)
        cc_chain_lock(c);
    return st;
}

/* given: the block if it is at hand, else NULL. CC_INVALID: it breaks a rule;
 * any other failure: we could not tell. */
static enum cc_status connect_tip(struct cc_chain *c, struct cc_index *i,
                                  const struct cc_block *given, bool pause,
                                  struct cc_error *err)
{
    struct cc_connected k;
    struct cc_block read;
    const struct cc_block *block = given;
    unsigned how = pause ? CC_JUDGE_PAUSE : 0;
    enum cc_status st;

    if (!given) {
        st = load(c, i, pause, &read, err);
        if (st != CC_OK)
            return st;
        block = &read;
    }
    if (!(i->status & CC_INDEX_VALID) && !cc_chain_assumes(c, i))
        how |= CC_JUDGE_SCRIPTS;
    st = cc_connect_judge(c, c->tip, block, how, &k, err);
    if (st != CC_OK)
        goto out;
    st = store_undo(c, i, &k.undo, err);
    if (st == CC_OK) {
        cc_connect_apply(c, block, i->height, &k);
        i->status |= CC_INDEX_VALID;
        i->state = k.state;
        cc_tree_touch(&c->tree, i);
        cc_chain_set_tip(c, i);
        c->since_flush++;
        c->reached |= c->stop_height && i->height >= c->stop_height;
        cc_tree_prune(&c->tree, i);
        log_tip(c);
        tell_connected(c, i, block, &k.undo);
    }
    cc_connected_clear(&k);
out:
    if (!given)
        cc_block_clear(&read);
    return st;
}

static enum cc_status disconnect_tip(struct cc_chain *c, struct cc_error *err)
{
    struct cc_index *i = c->tip;
    struct cc_block block;
    struct cc_undo undo;
    enum cc_status st = cc_chain_load_block(c, i, &block, err);

    if (st != CC_OK)
        return cc_context(err, st, "Failed to disconnect block");
    st = cc_chain_load_undo(c, i, &block, &undo, err);
    if (st != CC_OK)
        goto out;
    st = cc_connect_undo(c, &block, i->height, &undo, err);
    if (st == CC_OK) {
        cc_chain_set_tip(c, i->prev);
        c->since_flush++;
        tell_disconnected(c, i, &block, &undo);
    }
    cc_undo_clear(&undo);
out:
    cc_block_clear(&block);
    return cc_context(err, st, "Failed to disconnect block");
}

static void condemn(struct cc_chain *c, struct cc_index *i,
                    const struct cc_error *err)
{
    size_t n = c->verdict_next++ % CC_CHAIN_VERDICTS;
    char hex[65];

    cc_hex_encode_rev(hex, i->hash, 32);
    cc_log(c->log, "InvalidChainFound: invalid block=%s  height=%u: %s", hex,
           (unsigned)i->height, err->text);
    memcpy(c->verdicts[n].hash, i->hash, 32);
    c->verdicts[n].err = *err;
    cc_tree_fail(&c->tree, i, c->tip);
    c->must_sync = true; /* a verdict is kept */
    cc_chain_tell_checked(c, i->hash, CC_INVALID, err);
}

enum cc_status cc_chain_verdict(struct cc_chain *c, const struct cc_index *i,
                                struct cc_error *err)
{
    if (!(i->status & CC_INDEX_FAILED))
        return CC_OK;
    for (size_t n = 0; n < CC_CHAIN_VERDICTS; n++) {
        if (memcmp(c->verdicts[n].hash, i->hash, 32))
            continue;
        if (err)
            *err = c->verdicts[n].err;
        return CC_INVALID;
    }
    return cc_reject(err, CC_VERDICT_CONFLICT, "duplicate", NULL);
}

/* May others have the lock now? Not while the tip is worse than *told, the
 * last that was told of, and never without telling: until then what follows
 * the chain, such as the pool, is of another tip. */
static bool may_pause(struct cc_chain *c, struct cc_index **told)
{
    if (c->tip != *told && cc_u256_cmp(&c->tip->work, &(*told)->work) > 0) {
        tell_tip(c);
        *told = c->tip;
    }
    return c->tip == *told;
}

/* Towards best, until the new chain is the better one, it has no more, or a
 * block turns out bad. */
static enum cc_status step(struct cc_chain *c, struct cc_index *best,
                           struct cc_index **told, const struct cc_index *given,
                           const struct cc_block *block, struct cc_error *err)
{
    struct cc_index *old = c->tip, *fork = cc_index_fork(old, best);
    enum cc_status st = CC_OK;

    while (st == CC_OK && c->tip != fork)
        st = disconnect_tip(c, err);
    for (unsigned n = 0; st == CC_OK && c->tip != best; n++) {
        struct cc_index *i = cc_index_ancestor(best, c->tip->height + 1);

        if ((n >= STEP_BLOCKS || c->reached) &&
            cc_u256_cmp(&c->tip->work, &old->work) > 0)
            break;
        st = connect_tip(c, i, i == given ? block : NULL, may_pause(c, told),
                         err);
        if (st == CC_INVALID) {
            condemn(c, i, err);
            st = CC_OK;
            break;
        }
        if (st == CC_OK)
            cc_chain_tell_checked(c, i->hash, CC_OK, NULL);
        if (cc_chain_is_full(c) && st == CC_OK)
            st = cc_chain_settle(c, may_pause(c, told), err);
    }
    return st;
}

static bool stopped(const struct cc_chain *c)
{
    return (c->stop && *c->stop) || c->reached;
}

enum cc_status cc_chain_activate(struct cc_chain *c,
                                 const struct cc_index *given,
                                 const struct cc_block *block,
                                 struct cc_error *err)
{
    struct cc_error fault;
    struct cc_index *best, *told;
    enum cc_status st;
    bool more = true;

    cc_chain_begin_move(c);
    while (more) {
        cc_chain_lock(c);
        cc_error_init(&fault);
        st = cc_chain_check_failed(c, &fault);
        told = c->tip;
        best = cc_prune_best(c);
        if (st == CC_OK && best != c->tip && !stopped(c)) {
            st = step(c, best, &told, given, block, &fault);
            if (st != CC_OK)
                cc_chain_fail(c, st, &fault);
        }
        more = st == CC_OK && cc_prune_best(c) != c->tip && !stopped(c);
        if (st == CC_OK) {
            st = cc_chain_check_index(c, &fault);
            if (st != CC_OK)
                cc_chain_fail(c, st, &fault);
        }
        if (c->tip != told && st == CC_OK)
            tell_tip(c);
        if (!more && st == CC_OK)
            st = cc_chain_settle(c, true, &fault);
        cc_chain_unlock(c);
    }
    cc_chain_end_move(c);
    if (st != CC_OK && err)
        *err = fault;
    return st;
}

/* --- By hand ------------------------------------------------------------ */

enum cc_status cc_chain_invalidate(struct cc_chain *c, struct cc_index *i,
                                   struct cc_error *err)
{
    struct cc_error fault;
    enum cc_status st;

    if (!i->prev)
        return cc_fail(err, CC_INVALID, "the genesis block stays");
    cc_chain_begin_move(c);
    cc_chain_lock(c);
    cc_error_init(&fault);
    st = cc_chain_check_failed(c, &fault);
    if (st == CC_OK && cc_chain_contains(c, i) &&
        !cc_prune_can_undo(c, i->prev)) {
        cc_chain_unlock(c);
        cc_chain_end_move(c);
        return cc_fail(err, CC_LIMIT,
                       "the chain cannot go back behind pruned blocks");
    }
    while (st == CC_OK &&
           c->at[i->height <= c->tip->height ? i->height : 0] == i) {
        st = disconnect_tip(c, &fault);
        if (st == CC_OK && cc_chain_is_full(c))
            st = cc_chain_settle(c, false, &fault);
    }
    if (st == CC_OK) {
        cc_tree_fail(&c->tree, i, c->tip);
        c->must_sync = true;
        tell_tip(c);
    } else {
        cc_chain_fail(c, st, &fault);
    }
    cc_chain_unlock(c);
    cc_chain_end_move(c);
    if (st != CC_OK) {
        if (err)
            *err = fault;
        return st;
    }
    return cc_chain_activate(c, NULL, NULL, err);
}

enum cc_status cc_chain_reconsider(struct cc_chain *c, struct cc_index *i,
                                   struct cc_error *err)
{
    cc_chain_lock(c);
    cc_tree_unfail(&c->tree, i, c->tip);
    c->must_sync = true;
    cc_chain_unlock(c);
    return cc_chain_activate(c, NULL, NULL, err);
}

enum cc_status cc_chain_precious(struct cc_chain *c, struct cc_index *i,
                                 struct cc_error *err)
{
    cc_chain_lock(c);
    if (cc_u256_cmp(&i->work, &c->tip->work) >= 0)
        cc_tree_precious(&c->tree, i, c->tip);
    cc_chain_unlock(c);
    return cc_chain_activate(c, NULL, NULL, err);
}
