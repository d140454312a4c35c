/*
 * Pruning: whole pairs of block and undo files go, oldest first, once all of
 * their blocks lie deep below the tip.
 *
 * A block of the active chain that is gone counts as there for what is built
 * on it (CC_INDEX_PRUNED): it was connected, and the chain never goes back
 * behind it. One beside the active chain is as if it had never come. The batch
 * that says so is written first and the files go then; what a crash between
 * the two leaves is removed at the next start.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "chain/internal.h"
#include "util/mem.h"

/* Blocks below the tip that are always kept: no reorganisation is as long. */
#define KEEP_BLOCKS 288

/* Blocks below what an index has that are kept for it, and one more. */
#define KEEP_FOR_INDEX 11

/* What a file holds. */
struct span {
    uint32_t high;
    bool any;
};

static struct span *find_spans(const struct cc_chain *c, size_t count)
{
    struct span *spans = cc_calloc(count, sizeof(*spans));
    size_t pos = 0;
    void *slot;

    while (cc_map_next(&c->tree.by_hash, &pos, NULL, &slot)) {
        const struct cc_index *i = *(struct cc_index **)slot;
        struct span *s;

        if (!(i->status & CC_INDEX_DATA))
            continue;
        s = &spans[i->file];
        if (!s->any || s->high < i->height)
            s->high = i->height;
        s->any = true;
    }
    return spans;
}

/* Room to leave: a chunk of each kind is taken before it is filled; while much
 * comes in, a tenth more, so as not to prune with every block. */
static uint64_t room(struct cc_chain *c)
{
    uint64_t bytes = cc_blockfiles_chunks(c->files);

    return cc_chain_in_ibd(c) ? bytes + c->prune_target / 10 : bytes;
}

static bool over_target(const struct cc_chain *c, uint64_t reserve,
                        uint64_t used)
{
    return used > UINT64_MAX - reserve || used + reserve >= c->prune_target;
}

bool cc_prune_is_due(const struct cc_chain *c)
{
    return c->prune_height || c->prune_check;
}

static void choose(struct cc_chain *c, uint32_t top, bool automatic,
                   struct cc_prune_list *list)
{
    size_t count = cc_blockfiles_count(c->files);
    struct span *spans = find_spans(c, count);
    uint64_t used = cc_blockfiles_size(c->files), reserve = room(c);

    /* never the last: blocks go there */
    for (uint32_t f = 0; f + 1 < count; f++) {
        if (automatic && !over_target(c, reserve, used))
            break;
        if (!spans[f].any || spans[f].high > top)
            continue;
        used -= cc_blockfiles_file_size(c->files, f);
        list->files = cc_grow(list->files, &list->cap, list->count + 1,
                              sizeof(*list->files));
        list->files[list->count++] = f;
    }
    free(spans);
}

static void forget(struct cc_chain *c, const struct cc_prune_list *list)
{
    size_t pos = 0, count = cc_blockfiles_count(c->files);
    bool *going = cc_calloc(count, sizeof(*going));
    void *slot;

    for (size_t n = 0; n < list->count; n++)
        going[list->files[n]] = true;
    while (cc_map_next(&c->tree.by_hash, &pos, NULL, &slot)) {
        struct cc_index *i = *(struct cc_index **)slot;

        if (i->status & CC_INDEX_DATA && going[i->file])
            cc_tree_pruned(&c->tree, i, c->at[i->height] == i);
    }
    free(going);
    cc_tree_prune(&c->tree, c->tip);
}

/* Indexes are told of blocks as they are connected, so each is at the tip. */
static uint32_t limit_by_indexes(const struct cc_chain *c, uint32_t top)
{
    uint32_t tip = c->tip->height,
             limit = tip > KEEP_FOR_INDEX ? tip - KEEP_FOR_INDEX : 1;
    const char *by = NULL;

    for (size_t n = 0; n < c->listener_count; n++)
        if (c->listeners[n].index)
            by = c->listeners[n].index;
    if (!by)
        return top;
    cc_debug(c->log, CC_LOG_PRUNE, "%s limited pruning to height %" PRIu32, by,
             limit);
    return top < limit ? top : limit;
}

void cc_prune_find(struct cc_chain *c, struct cc_prune_list *list)
{
    uint32_t tip = c->tip->height,
             top = tip > KEEP_BLOCKS ? tip - KEEP_BLOCKS : 0;
    bool manual = c->prune_height > 0;

    memset(list, 0, sizeof(*list));
    if (!c->prune || !cc_prune_is_due(c))
        return;
    top = limit_by_indexes(c, top);
    c->prune_check = false;
    if (manual && c->prune_height < top)
        top = c->prune_height;
    c->prune_height = 0;
    if (!manual && (!c->prune_target || tip <= c->prune_after))
        return;
    if (!manual && !over_target(c, room(c), cc_blockfiles_size(c->files)))
        return;
    choose(c, top, !manual, list);
    if (!list->count)
        return;
    forget(c, list);
    c->pruned = true;
    cc_debug(c->log, CC_LOG_PRUNE,
             "[default] %s target=%" PRIu64 "MiB actual=%" PRIu64
             "MiB max_prune_height=%" PRIu32 " removed %zu blk/rev pairs",
             manual ? "manual" : "automatic", c->prune_target >> 20,
             cc_blockfiles_size(c->files) >> 20, top, list->count);
}

void cc_prune_remove(struct cc_chain *c, struct cc_prune_list *list)
{
    struct cc_error err;

    for (size_t n = 0; n < list->count; n++) {
        uint32_t f = list->files[n];

        /* nothing refers to it any more: the next start tries again */
        if (cc_blockfiles_remove(c->files, f, &err) != CC_OK)
            cc_log(c->log, "Prune: %s", err.text);
        else
            cc_debug(c->log, CC_LOG_BLOCKSTORAGE,
                     "Prune: UnlinkPrunedFiles deleted blk/rev (%05" PRIu32 ")",
                     f);
    }
    free(list->files);
    memset(list, 0, sizeof(*list));
}

enum cc_status cc_prune_load(struct cc_chain *c, struct cc_error *err)
{
    struct cc_db_value value;
    enum cc_status st =
        cc_db_get(c->db, CC_FAMILY_META, cc_bytes("pruned", 6), &value, err);

    if (st != CC_OK)
        return st == CC_NOTFOUND ? CC_OK : st;
    cc_db_value_clear(&value);
    c->pruned = true;
    cc_log(c->log,
           "LoadBlockIndexDB(): Block files have previously been pruned");
    if (!c->prune)
        return cc_fail(
            err, CC_INVALID,
            ": You need to rebuild the database using -reindex to go "
            "back to unpruned mode.  This will redownload the "
            "entire blockchain.\nPlease restart with -reindex or "
            "-reindex-chainstate to recover.");
    return cc_blockfiles_remove_unseen(c->files, err);
}

bool cc_prune_can_undo(const struct cc_chain *c, const struct cc_index *fork)
{
    const unsigned undoable = CC_INDEX_DATA | CC_INDEX_UNDO;

    for (const struct cc_index *i = c->tip; i != fork; i = i->prev)
        if ((i->status & undoable) != undoable)
            return false;
    return true;
}

/* Can the chain go from its tip to best? Back only over what can be undone,
 * forward only over what is here. */
static bool reachable(const struct cc_chain *c, struct cc_index *best)
{
    const struct cc_index *fork = cc_index_fork(c->tip, best);

    if (!cc_prune_can_undo(c, fork))
        return false;
    for (const struct cc_index *i = best; i != fork; i = i->prev)
        if (!(i->status & CC_INDEX_DATA))
            return false;
    return true;
}

struct cc_index *cc_prune_best(struct cc_chain *c)
{
    struct cc_index *best = cc_tree_best(&c->tree);

    while (c->pruned && best != c->tip && !reachable(c, best)) {
        cc_log(c->log,
               "Refusing a reorganisation to height %" PRIu32
               " that would go back behind pruned blocks",
               best->height);
        cc_tree_drop(&c->tree, best);
        best = cc_tree_best(&c->tree);
    }
    return best;
}

/* --- What others may ask ------------------------------------------------ */

static const struct cc_index *first_stored(const struct cc_chain *c)
{
    const struct cc_index *i = c->tip;

    while (i->prev && i->prev->status & CC_INDEX_DATA)
        i = i->prev;
    return i;
}

struct cc_chain_prune_info cc_chain_prune_info(struct cc_chain *c)
{
    struct cc_chain_prune_info info = {.on = c->prune,
                                       .automatic = c->prune_target > 0,
                                       .target = c->prune_target,
                                       .after = c->prune_after};

    cc_chain_lock(c);
    if (c->prune)
        info.first = first_stored(c)->height;
    cc_chain_unlock(c);
    return info;
}

bool cc_chain_is_pruned(struct cc_chain *c, const struct cc_index *i)
{
    bool gone;

    cc_chain_lock(c);
    gone = c->pruned && !(i->status & CC_INDEX_DATA) && i->tx_count;
    cc_chain_unlock(c);
    return gone;
}

enum cc_status cc_chain_prune(struct cc_chain *c, uint32_t height,
                              struct cc_error *err)
{
    enum cc_status st;

    cc_chain_lock(c);
    c->prune_height = height;
    st = cc_chain_flush(c, err);
    cc_chain_unlock(c);
    return st;
}
