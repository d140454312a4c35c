/* Start: the index from the database, or all of it from the block files. */
#include <inttypes.h>
#include <stdlib.h>

#include "chain/internal.h"
#include "util/clock.h"
#include "util/hex.h"
#include "util/mem.h"

#define LOADING "Error loading block database"

enum cc_status cc_chain_start(struct cc_chain *c, struct cc_error *err)
{
    struct cc_block block;
    struct cc_writer w;
    struct cc_index *i;
    enum cc_status st;

    cc_writer_init_heap(&w);
    cc_params_genesis(&w, c->params);
    if (cc_block_decode(&block, w.data, w.len) != CC_OK)
        abort(); /* we wrote it ourselves */
    cc_writer_clear(&w);
    i = cc_tree_add(&c->tree, &block.header, block.hash, NULL);
    i->size = (uint32_t)block.raw.len;
    st = cc_blockfiles_append(c->files, block.raw, &i->file, &i->data_pos, err);
    if (st == CC_OK) {
        cc_tree_received(&c->tree, i, (uint32_t)block.tx_count, NULL);
        i->sequence = 0;
        i->status |= CC_INDEX_VALID;
        cc_mint_first(&i->state, c->params);
        cc_chain_set_tip(c, i);
        st = cc_chain_flush(c, err);
    }
    cc_block_clear(&block);
    return st;
}

struct records {
    struct cc_index *list;
    size_t count, cap;
};

static int by_height(const void *a, const void *b)
{
    const struct cc_index *x = a, *y = b;

    return x->height < y->height ? -1 : x->height > y->height;
}

static enum cc_status damaged(struct cc_error *err, const uint8_t hash[32],
                              const char *what)
{
    char hex[65];

    cc_hex_encode_rev(hex, hash, 32);
    return cc_fail(err, CC_CORRUPT,
                   "the block index is damaged: %s: %s. Restart with -reindex "
                   "to rebuild it.",
                   hex, what);
}

static enum cc_status read_records(struct cc_chain *c, struct records *r,
                                   struct cc_error *err)
{
    struct cc_db_iter *it =
        cc_db_iter_new(c->db, CC_FAMILY_INDEX, cc_bytes(NULL, 0), NULL);
    struct cc_bytes key, value;
    enum cc_status st = CC_OK;

    while (st == CC_OK && cc_db_iter_next(it, &key, &value)) {
        struct cc_index *i;
        struct cc_reader reader;

        r->list = cc_grow(r->list, &r->cap, r->count + 1, sizeof(*r->list));
        i = &r->list[r->count++];
        cc_reader_init(&reader, value.data, value.len);
        cc_index_read(&reader, i);
        cc_header_hash(i->hash, &i->header);
        if (!cc_reader_done(&reader) || key.len != 32 ||
            memcmp(key.data, i->hash, 32)) {
            uint8_t name[32] = {0};

            memcpy(name, key.data, key.len < 32 ? key.len : 32);
            st = damaged(err, name, "the record does not decode");
        }
    }
    if (st == CC_OK)
        st = cc_db_iter_status(it, err);
    cc_db_iter_free(it);
    if (st == CC_OK && r->count)
        qsort(r->list, r->count, sizeof(*r->list), by_height);
    return st;
}

/* One record into the tree; its parent is there already. */
static enum cc_status place_record(struct cc_chain *c,
                                   const struct cc_index *record,
                                   struct cc_error *err)
{
    struct cc_index *prev = NULL, *i;

    if (record->height) {
        prev = cc_tree_find(&c->tree, record->header.prev);
        if (!prev || prev->height + 1 != record->height)
            return damaged(err, record->hash, "its parent is not there");
    } else if (memcmp(record->hash, c->params->genesis_hash, 32)) {
        return cc_fail(err, CC_INVALID,
                       "Incorrect or no genesis block found. Wrong datadir for "
                       "network?");
    }
    i = cc_tree_add(&c->tree, &record->header, record->hash, prev);
    /* Whether its parent is condemned, the parent says: a crash may have come
     * between the record of a new block and that of its parent. */
    i->status |= record->status & ~(unsigned)CC_INDEX_FAILED_CHILD;
    i->file = record->file;
    i->data_pos = record->data_pos;
    i->size = record->size;
    i->undo_pos = record->undo_pos;
    i->undo_size = record->undo_size;
    i->state = record->state;
    i->sequence = 1;
    i->tx_count = record->tx_count;
    i->stored = i->status & (CC_INDEX_DATA | CC_INDEX_PRUNED);
    if (i->status & (CC_INDEX_DATA | CC_INDEX_PRUNED) &&
        (!prev || prev->chain_tx))
        i->chain_tx = (prev ? prev->chain_tx : 0) + i->tx_count;
    if (!(i->status & CC_INDEX_DATA))
        return CC_OK;
    cc_blockfiles_seen(
        c->files, i->file, i->data_pos + i->size,
        i->status & CC_INDEX_UNDO ? i->undo_pos + i->undo_size + 32 : 0);
    return CC_OK;
}

static enum cc_status load_tip(struct cc_chain *c, struct cc_error *err)
{
    struct cc_db_value value;
    struct cc_index *tip = NULL;
    enum cc_status st =
        cc_db_get(c->db, CC_FAMILY_META, cc_bytes("tip", 3), &value, err);

    if (st == CC_OK) {
        if (value.bytes.len == 32)
            tip = cc_tree_find(&c->tree, value.bytes.data);
        cc_db_value_clear(&value);
    }
    if (st != CC_OK && st != CC_NOTFOUND)
        return st;
    if (!tip || !(tip->status & CC_INDEX_VALID) || !tip->chain_tx)
        return cc_fail(err, CC_CORRUPT,
                       "the database names no tip that the block index knows. "
                       "Restart with -reindex to rebuild it.");
    cc_chain_set_tip(c, tip);
    c->tip_saved = true;
    for (struct cc_index *i = tip; i; i = i->prev)
        i->sequence = 0; /* we were there: nobody is first but we */
    return CC_OK;
}

/* Records were written by ourselves: they are clean as they come in. */
static void clean(struct cc_chain *c)
{
    for (size_t n = 0; n < c->tree.dirty_count; n++)
        c->tree.dirty[n]->dirty = false;
    c->tree.dirty_count = 0;
    c->tip_dirty = false;
}

/* A rebuild of the coins that did not come to its end goes on. */
static enum cc_status finish_reset(struct cc_chain *c, struct cc_error *err)
{
    struct cc_db_value value;
    enum cc_status st =
        cc_db_get(c->db, CC_FAMILY_META, cc_bytes("reset", 5), &value, err);

    if (st != CC_OK)
        return st == CC_NOTFOUND ? CC_OK : st;
    cc_db_value_clear(&value);
    return cc_chain_reset_coins(c, err);
}

/* A database of before the height was kept has it as it is. */
enum cc_status cc_chain_check_witness(struct cc_chain *c, struct cc_error *err)
{
    uint32_t now = c->params->segwit_height, then = now;
    struct cc_db_value value;
    enum cc_status st =
        cc_db_get(c->db, CC_FAMILY_META, cc_bytes("segwit", 6), &value, err);

    if (st == CC_OK) {
        if (value.bytes.len == 4)
            then = cc_get_u32le(value.bytes.data);
        cc_db_value_clear(&value);
    }
    if (st != CC_OK && st != CC_NOTFOUND)
        return st;
    if (then <= now || c->tip->height < now)
        return CC_OK;
    return cc_fail(err, CC_INVALID,
                   ": Witness data for blocks after height %" PRIu32
                   " requires validation. Please restart with -reindex..\n"
                   "Please restart with -reindex or -reindex-chainstate to "
                   "recover.",
                   now);
}

/* A clock that is wrong would have us doubt what was found to be good. */
enum cc_status cc_chain_check_clock(struct cc_chain *c, struct cc_error *err)
{
    if (c->tip->header.time <= c->now(c->now_arg) + CC_MAX_FUTURE_S)
        return CC_OK;
    return cc_fail(err, CC_INVALID,
                   ": The block database contains a block which appears to be "
                   "from the future. This may be due to your computer's date "
                   "and time being set incorrectly. Only rebuild the block "
                   "database if you are sure that your computer's date and "
                   "time are correct.\n"
                   "Please restart with -reindex or -reindex-chainstate to "
                   "recover.");
}

static void log_best(const struct cc_chain *c, size_t count)
{
    char hex[65], date[32];

    cc_hex_encode_rev(hex, c->tip->hash, 32);
    cc_clock_format(date, c->tip->header.time);
    cc_log(c->log, "Loaded block index: %zu blocks, tip height %" PRIu32, count,
           c->tip->height);
    cc_log(c->log,
           "Loaded best chain: hashBestChain=%s height=%" PRIu32 " date=%s",
           hex, c->tip->height, date);
}

enum cc_status cc_chain_load(struct cc_chain *c, struct cc_error *err)
{
    struct records r = {0};
    enum cc_status st = read_records(c, &r, err);

    if (st != CC_OK) {
        st = cc_chain_ask_rebuild(c, st, LOADING, err);
        goto out;
    }
    if (!r.count) { /* a new folder, or block files that lost their index */
        st = cc_chain_reindex(c, err);
        goto out;
    }
    cc_map_reserve(&c->tree.by_hash, r.count);
    for (size_t n = 0; st == CC_OK && n < r.count; n++)
        st = place_record(c, &r.list[n], err);
    if (st == CC_OK)
        st = load_tip(c, err);
    if (st == CC_CORRUPT || st == CC_IO)
        st = cc_chain_ask_rebuild(c, st, LOADING, err);
    if (st == CC_OK) {
        clean(c);
        cc_tree_rebuild(&c->tree, c->tip);
        log_best(c, r.count);
        st = cc_prune_load(c, err);
    }
    if (st == CC_OK) {
        cc_log(c->log, "Checking all blk files are present...");
        st = cc_chain_ask_rebuild(c, cc_blockfiles_check(c->files, err),
                                  LOADING, err);
    }
    if (st == CC_OK) {
        st = finish_reset(c, err);
    }
out:
    free(r.list);
    return st;
}
