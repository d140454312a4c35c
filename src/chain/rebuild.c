/* Making anew what can be made from the block files. */
#include <stdlib.h>

#include "chain/internal.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

/* --- Coins -------------------------------------------------------------- */

static enum cc_status delete_family(struct cc_chain *c, unsigned family,
                                    struct cc_error *err)
{
    struct cc_db_batch *batch = cc_db_batch_new();
    struct cc_db_iter *it =
        cc_db_iter_new(c->db, family, cc_bytes(NULL, 0), NULL);
    struct cc_bytes key, value;
    enum cc_status st = CC_OK;
    bool more = true;

    while (st == CC_OK && more) {
        more = cc_db_iter_next(it, &key, &value);
        if (more)
            cc_db_batch_delete(batch, c->db, family, key);
        if (cc_db_batch_count(batch) >= 10000 || !more) {
            st = cc_db_write(c->db, batch, !more, err);
            cc_db_batch_clear(batch);
        }
    }
    if (st == CC_OK)
        st = cc_db_iter_status(it, err);
    cc_db_iter_free(it);
    cc_db_batch_free(batch);
    return st;
}

static enum cc_status mark_reset(struct cc_chain *c, bool on,
                                 struct cc_error *err)
{
    struct cc_db_batch *batch = cc_db_batch_new();
    struct cc_bytes key = cc_bytes("reset", 5);
    enum cc_status st;

    if (on)
        cc_db_batch_put(batch, c->db, CC_FAMILY_META, key, key);
    else
        cc_db_batch_delete(batch, c->db, CC_FAMILY_META, key);
    st = cc_db_write(c->db, batch, true, err);
    cc_db_batch_free(batch);
    return st;
}

/* Deleting takes many batches; until the last one a mark stands in the
 * database, and a start that finds it begins again. */
enum cc_status cc_chain_reset_coins(struct cc_chain *c, struct cc_error *err)
{
    struct cc_index *genesis = c->tree.genesis, *i;
    enum cc_status st = mark_reset(c, true, err);

    for (i = genesis; i; i = cc_index_walk(i, genesis)) {
        if (i == genesis || !(i->status & (CC_INDEX_VALID | CC_INDEX_UNDO)))
            continue;
        i->status &= ~(unsigned)(CC_INDEX_VALID | CC_INDEX_UNDO);
        cc_tree_touch(&c->tree, i);
    }
    cc_chain_set_tip(c, genesis);
    if (st == CC_OK)
        st = cc_chain_flush(c, err);
    if (st == CC_OK)
        st = delete_family(c, CC_FAMILY_COINS, err);
    if (st == CC_OK)
        st = delete_family(c, CC_FAMILY_TYPED, err);
    if (st == CC_OK)
        st = mark_reset(c, false, err);
    cc_tree_rebuild(&c->tree, genesis);
    return st;
}

/* --- Index -------------------------------------------------------------- */

/* A frame whose parent is not known yet. */
struct orphan {
    uint32_t file, pos, size;
    uint32_t next; /* with the same parent: number + 1 */
};

struct rebuild {
    struct cc_chain *c;
    struct cc_map by_parent; /* parent's hash to number + 1 */
    struct orphan *orphans;
    size_t count, cap;
    size_t blocks;
};

/* False: no block of this chain, or one that breaks a rule. */
static bool index_block(struct rebuild *r, const struct cc_block *block,
                        const struct orphan *where)
{
    struct cc_chain *c = r->c;
    struct cc_index *i = cc_tree_find(&c->tree, block->hash), *prev = NULL;
    bool genesis = !memcmp(block->hash, c->params->genesis_hash, 32);

    if (i && i->status & CC_INDEX_DATA)
        return false;
    if (!genesis) {
        struct cc_place place;

        prev = cc_tree_find(&c->tree, block->header.prev);
        if (!prev)
            return false;
        place = cc_chain_place(c, prev);
        if (cc_block_check(block, c->params, CC_CHECK_ALL, NULL) != CC_OK ||
            cc_header_check_place(&block->header, c->params, &place, NULL) !=
                CC_OK ||
            cc_block_check_place(block, c->params, &place, NULL) != CC_OK)
            return false;
    }
    if (!i)
        i = cc_tree_add(&c->tree, &block->header, block->hash, prev);
    i->file = where->file;
    i->data_pos = where->pos;
    i->size = where->size;
    cc_blockfiles_seen(c->files, i->file, i->data_pos + i->size, 0);
    cc_blockfiles_keep(c->files, i->file);
    cc_tree_received(&c->tree, i, (uint32_t)block->tx_count, NULL);
    r->blocks++;
    return true;
}

static void remember_orphan(struct rebuild *r, const uint8_t parent[32],
                            const struct orphan *o)
{
    uint32_t *first = cc_map_put(&r->by_parent, parent, NULL);

    r->orphans =
        cc_grow(r->orphans, &r->cap, r->count + 1, sizeof(*r->orphans));
    r->orphans[r->count] = *o;
    r->orphans[r->count].next = *first;
    *first = (uint32_t)++r->count;
}

static void log_orphan(const struct cc_chain *c, const struct cc_block *block)
{
    char hash[65], parent[65];

    cc_hex_encode_rev(hash, block->hash, 32);
    cc_hex_encode_rev(parent, block->header.prev, 32);
    cc_debug(c->log, CC_LOG_REINDEX,
             "LoadExternalBlockFile: Out of order block %s, parent %s not "
             "known",
             hash, parent);
}

static void log_child(const struct cc_chain *c, const struct cc_block *block)
{
    char hash[65], parent[65];

    cc_hex_encode_rev(hash, block->hash, 32);
    cc_hex_encode_rev(parent, block->header.prev, 32);
    cc_debug(c->log, CC_LOG_REINDEX,
             "LoadExternalBlockFile: Processing out of order child %s of %s",
             hash, parent);
}

/* What waited for this block, and for those in turn. */
static void adopt(struct rebuild *r, const uint8_t hash[32])
{
    uint8_t(*stack)[32] = cc_malloc(32);
    size_t depth = 1, cap = 1;

    memcpy(stack[0], hash, 32);
    while (depth) {
        uint32_t next = 0;

        depth--;
        cc_map_remove(&r->by_parent, stack[depth], &next);
        while (next) {
            const struct orphan *o = &r->orphans[next - 1];
            struct cc_block block;
            uint8_t *data;

            next = o->next;
            if (cc_blockfiles_read(r->c->files, o->file, o->pos, o->size, &data,
                                   NULL) != CC_OK ||
                cc_block_decode_take(&block, data, o->size) != CC_OK)
                continue;
            log_child(r->c, &block);
            if (index_block(r, &block, o)) {
                stack = cc_grow(stack, &cap, depth + 1, sizeof(*stack));
                memcpy(stack[depth++], block.hash, 32);
            }
            cc_block_clear(&block);
        }
    }
    free(stack);
}

static bool found(void *arg, uint32_t file, uint32_t pos, struct cc_bytes bytes)
{
    struct rebuild *r = arg;
    struct orphan o = {file, pos, (uint32_t)bytes.len, 0};
    struct cc_block block;

    if (r->c->stop && *r->c->stop)
        return false;
    if (cc_block_decode(&block, bytes.data, bytes.len) != CC_OK)
        return true;
    if (memcmp(block.hash, r->c->params->genesis_hash, 32) &&
        !cc_tree_find(&r->c->tree, block.header.prev)) {
        log_orphan(r->c, &block);
        remember_orphan(r, block.header.prev, &o);
    } else if (index_block(r, &block, &o)) {
        adopt(r, block.hash);
    }
    cc_block_clear(&block);
    return true;
}

/* Everything is found in memory first and written with one batch, so that a
 * database is either empty or whole. */
enum cc_status cc_chain_reindex(struct cc_chain *c, struct cc_error *err)
{
    struct rebuild r = {.c = c};
    struct cc_index *genesis;
    uint8_t seed[16];
    enum cc_status st = CC_OK;

    if (c->prune)
        st = cc_blockfiles_remove_unusable(c->files, err);
    if (st != CC_OK)
        return st;
    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&r.by_parent, 32, sizeof(uint32_t), seed);
    st = cc_blockfiles_each(c->files, found, &r, err);
    cc_map_clear(&r.by_parent);
    free(r.orphans);
    if (st != CC_OK)
        return st;
    if (c->stop && *c->stop)
        return cc_fail(err, CC_LIMIT, "stopped while reindexing");
    genesis = c->tree.genesis;
    if (!genesis)
        return cc_chain_start(c, err);
    genesis->sequence = 0;
    genesis->status |= CC_INDEX_VALID;
    cc_mint_first(&genesis->state, c->params);
    cc_chain_set_tip(c, genesis);
    c->must_sync = true;
    cc_log(c->log, "Reindexing finished: %zu blocks", r.blocks);
    return cc_chain_flush(c, err);
}
