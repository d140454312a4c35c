#include "chain/internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chain/undo.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"

/* While catching up, a batch covers at most so much. */
#define BATCH_BLOCKS 1000
#define BATCH_MS 60000
/* Catching up: so many headers more than blocks. */
#define CATCH_UP_HEADERS 24
#define DEFAULT_TIP_AGE_S (24 * 60 * 60)
/* Of coins that were written, so many are marked in one go. */
#define CLEAN_COINS 10000
#define MIN_SPACE ((uint64_t)50 << 20)

static const char *const families[] = {"meta", "coins", "typed", "index"};

/* --- The lock ----------------------------------------------------------- */

static void lock_init(struct cc_chain_mutex *l)
{
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->turn, NULL);
}

static void lock_clear(struct cc_chain_mutex *l)
{
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->turn);
}

static void enter(struct cc_chain_mutex *l)
{
    pthread_mutex_lock(&l->mutex);
    if (!l->depth || !pthread_equal(l->owner, pthread_self())) {
        uint64_t ticket = l->next++;

        while (ticket != l->serving)
            pthread_cond_wait(&l->turn, &l->mutex);
        l->owner = pthread_self();
    }
    l->depth++;
    pthread_mutex_unlock(&l->mutex);
}

static void leave(struct cc_chain_mutex *l)
{
    pthread_mutex_lock(&l->mutex);
    if (--l->depth == 0) {
        l->serving++;
        if (l->next != l->serving)
            pthread_cond_broadcast(&l->turn);
    }
    pthread_mutex_unlock(&l->mutex);
}

static bool is_inside(struct cc_chain_mutex *l)
{
    bool inside;

    pthread_mutex_lock(&l->mutex);
    inside = l->depth && pthread_equal(l->owner, pthread_self());
    pthread_mutex_unlock(&l->mutex);
    return inside;
}

void cc_chain_lock(struct cc_chain *c) { enter(&c->lock); }

void cc_chain_unlock(struct cc_chain *c) { leave(&c->lock); }

void cc_chain_begin_move(struct cc_chain *c)
{
    /* who moves may wait for the lock while we wait for it to be done */
    if (is_inside(&c->lock))
        abort();
    enter(&c->move);
}

void cc_chain_end_move(struct cc_chain *c) { leave(&c->move); }

/* --- Failure ------------------------------------------------------------ */

enum cc_status cc_chain_fail(struct cc_chain *c, enum cc_status st,
                             const struct cc_error *err)
{
    if (!c->failed) {
        c->failed = true;
        c->failure = *err;
        c->failure.status = st;
        cc_log(c->log, "A fatal internal error occurred: %s", err->text);
    }
    return st;
}

enum cc_status cc_chain_check_failed(struct cc_chain *c, struct cc_error *err)
{
    if (!c->failed)
        return CC_OK;
    if (err)
        *err = c->failure;
    return c->failure.status;
}

bool cc_chain_failed(struct cc_chain *c, struct cc_error *err)
{
    bool failed;

    cc_chain_lock(c);
    failed = cc_chain_check_failed(c, err) != CC_OK;
    cc_chain_unlock(c);
    return failed;
}

/* --- Writing ------------------------------------------------------------ */

/* A record as of before its block was connected: whatever tip the database
 * names, it fits. */
static struct cc_index only_stored(const struct cc_index *i)
{
    struct cc_index it = *i;

    it.status &= CC_INDEX_DATA | CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD;
    it.undo_pos = it.undo_size = 0;
    if (!(it.status & CC_INDEX_DATA))
        it.tx_count = it.file = it.data_pos = it.size = 0;
    return it;
}

static void put_record(struct cc_chain *c, struct cc_db_batch *batch,
                       struct cc_writer *w, const struct cc_index *i)
{
    w->len = 0;
    cc_index_write(w, i);
    cc_db_batch_put(batch, c->db, CC_FAMILY_INDEX, cc_bytes(i->hash, 32),
                    cc_bytes(w->data, w->len));
}

/* first: of blocks that the database does not have yet, that they are here.
 * Not with the very first batch: it is the one that names a tip. */
static void put_index(struct cc_chain *c, struct cc_db_batch *first,
                      struct cc_db_batch *batch)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    for (size_t n = 0; n < c->tree.dirty_count; n++) {
        struct cc_index *i = c->tree.dirty[n];

        if (c->tip_saved && !i->stored) {
            struct cc_index early = only_stored(i);

            put_record(c, first, &w, &early);
        }
        put_record(c, batch, &w, i);
        i->stored = i->stored || i->status & (CC_INDEX_DATA | CC_INDEX_PRUNED);
    }
    c->tip_saved = true;
    cc_writer_clear(&w);
}

/* A disk that is nearly full is told of while everything can still be saved,
 * by stopping before the database finds out in the middle of its own work. */
static enum cc_status check_space(struct cc_chain *c, struct cc_error *err)
{
    bool fails = c->fault.fail && c->fault.fail(c->fault.arg, "space");
    uint64_t left = 0;

    if (!fails && (cc_fs_free_space(c->directory, &left, NULL) != CC_OK ||
                   left >= MIN_SPACE))
        return CC_OK;
    return cc_fail(err, CC_IO,
                   "Disk space is too low! (%s has %" PRIu64 " MiB left)",
                   c->directory, left >> 20);
}

/* What a flush writes, in this order. */
struct saving {
    struct cc_blockfiles_dirty bytes;
    struct cc_db_batch *first, *batch;
    bool moved; /* the tip, or the first one is named */
};

/* Everything that changed, as of one moment, and what must be on the disk
 * before. From here on it counts as saved: if it is not, the chain fails. */
static void collect(struct cc_chain *c, struct saving *f)
{
    struct cc_db_batch *batch = cc_db_batch_new();
    uint8_t segwit[4];

    f->first = cc_db_batch_new();
    f->batch = batch;
    f->moved = c->tip_dirty || !c->tip_saved;
    cc_blockfiles_take_dirty(c->files, &f->bytes);
    put_index(c, f->first, batch);
    for (size_t n = 0; n < c->tree.dirty_count; n++)
        c->tree.dirty[n]->dirty = false;
    c->tree.dirty_count = 0;
    cc_db_batch_put(batch, c->db, CC_FAMILY_META, cc_bytes("tip", 3),
                    cc_bytes(c->tip->hash, 32));
    cc_put_u32le(segwit, c->params->segwit_height);
    cc_db_batch_put(batch, c->db, CC_FAMILY_META, cc_bytes("segwit", 6),
                    cc_bytes(segwit, sizeof(segwit)));
    if (c->pruned)
        cc_db_batch_put(batch, c->db, CC_FAMILY_META, cc_bytes("pruned", 6),
                        cc_bytes("1", 1));
    c->tip_dirty = c->must_sync = false;
}

static void flush_clear(struct saving *f)
{
    cc_blockfiles_dirty_clear(&f->bytes);
    cc_db_batch_free(f->first);
    cc_db_batch_free(f->batch);
}

static enum cc_status write_out(struct cc_chain *c, struct cc_coins *coins,
                                struct saving *f, struct cc_error *err)
{
    enum cc_status st = check_space(c, err);
    int64_t start = cc_clock_monotonic_ms();

    if (st == CC_OK)
        st = cc_blockfiles_sync_dirty(c->files, &f->bytes, err);
    cc_debug(c->log, CC_LOG_BENCH,
             "FlushStateToDisk: write block and undo data to disk %s (%" PRId64
             "ms)",
             st == CC_OK ? "completed" : "failed",
             cc_clock_monotonic_ms() - start);
    if (st == CC_OK && f->moved && cc_db_batch_count(f->first))
        st = cc_db_announce(c->db, f->first, false, err);
    if (st != CC_OK)
        return st;
    cc_coins_flush(coins, f->batch);
    if (!f->moved && !cc_coins_dirty(coins))
        return cc_db_announce(c->db, f->batch, true, err);
    return cc_db_write(c->db, f->batch, true, err);
}

/* Coins that were written are clean; a few at a time, so that others have the
 * lock in between. */
static void clean_coins(struct cc_chain *c, bool pause)
{
    struct cc_map garbage;

    while (
        !cc_coins_flushed(c->coins, pause ? CLEAN_COINS : SIZE_MAX, &garbage)) {
        cc_chain_unlock(c);
        cc_chain_lock(c);
    }
    if (pause)
        cc_chain_unlock(c);
    cc_coins_drop(&garbage);
    if (pause)
        cc_chain_lock(c);
}

/* The bytes first, then that they are there, then one batch: coins, storage
 * lists, index entries and the tip are those of one moment. pause: others have
 * the lock while it is written; coins and tip stay what they are, for only who
 * moves the tip changes them, and who flushes beside us waits until this batch
 * is down, so that none overtakes another. */
static enum cc_status flush(struct cc_chain *c, bool pause,
                            struct cc_error *err)
{
    struct cc_coins *coins = c->coins;
    struct cc_prune_list pruned;
    struct saving f;
    struct cc_error local;
    enum cc_status st = cc_chain_check_failed(c, err);

    if (st != CC_OK)
        return st;
    cc_prune_find(c, &pruned);
    c->since_flush = 0;
    c->flushed_ms = cc_clock_monotonic_ms();
    cc_error_init(&local);
    pthread_mutex_lock(&c->writing);
    if (!c->write_failed && !c->tip_dirty && !c->must_sync &&
        !c->tree.dirty_count && !cc_coins_dirty(coins)) {
        pthread_mutex_unlock(&c->writing);
        return CC_OK;
    }
    collect(c, &f);
    if (pause)
        cc_chain_unlock(c);
    if (c->write_failed)
        st = cc_fail(&local, CC_IO, "a write before this one failed");
    else
        st = write_out(c, coins, &f, &local);
    c->write_failed = st != CC_OK;
    pthread_mutex_unlock(&c->writing);
    flush_clear(&f);
    if (pause)
        cc_chain_lock(c);
    if (st != CC_OK) {
        free(pruned.files);
        cc_context(&local, st, "cannot save the chain state");
        if (err)
            *err = local;
        return cc_chain_fail(c, st, &local);
    }
    cc_prune_remove(c, &pruned);
    clean_coins(c, pause);
    return CC_OK;
}

bool cc_chain_is_full(const struct cc_chain *c)
{
    return cc_coins_full(c->coins) ||
           (c->batch_bytes && cc_coins_unsaved(c->coins) >= c->batch_bytes);
}

enum cc_status cc_chain_settle(struct cc_chain *c, bool pause,
                               struct cc_error *err)
{
    bool catching_up = c->tree.best_header->height >
                       (uint64_t)c->tip->height + CATCH_UP_HEADERS;

    if (cc_chain_is_full(c) || c->since_flush >= BATCH_BLOCKS ||
        cc_prune_is_due(c) ||
        cc_clock_monotonic_ms() - c->flushed_ms > BATCH_MS)
        return flush(c, pause, err);
    if (catching_up || c->hold)
        return cc_chain_check_failed(c, err);
    /* a header alone is no answer that anybody builds on */
    if (!c->tip_dirty && !c->must_sync)
        return cc_chain_check_failed(c, err);
    return flush(c, pause, err);
}

enum cc_status cc_chain_flush(struct cc_chain *c, struct cc_error *err)
{
    enum cc_status st;

    cc_chain_lock(c);
    st = flush(c, false, err);
    cc_chain_unlock(c);
    return st;
}

void cc_chain_hold(struct cc_chain *c)
{
    cc_chain_lock(c);
    c->hold++;
    cc_chain_unlock(c);
}

enum cc_status cc_chain_release(struct cc_chain *c, struct cc_error *err)
{
    enum cc_status st;

    cc_chain_lock(c);
    c->hold--;
    st = flush(c, false, err);
    cc_chain_unlock(c);
    return st;
}

void cc_chain_set_tip(struct cc_chain *c, struct cc_index *tip)
{
    size_t need = (size_t)tip->height + 1;

    c->at = cc_grow(c->at, &c->at_cap, need, sizeof(*c->at));
    c->hash = cc_grow(c->hash, &c->hash_cap, need, sizeof(*c->hash));
    for (struct cc_index *i = tip;
         i && (!c->tip || i->height > c->tip->height || c->at[i->height] != i);
         i = i->prev) {
        c->at[i->height] = i;
        memcpy(c->hash[i->height], i->hash, 32);
    }
    c->tip = tip;
    c->tip_dirty = true;
}

/* --- Opening ------------------------------------------------------------ */

enum cc_status cc_chain_ask_rebuild(struct cc_chain *c, enum cc_status st,
                                    const char *what, struct cc_error *err)
{
    if (st == CC_OK || !err)
        return st;
    cc_log(c->log, "%s: %s", what, err->text);
    return cc_fail(err, st,
                   ": %s.\nPlease restart with -reindex or -reindex-chainstate "
                   "to recover.",
                   what);
}

/* bitcoind keeps a database of another kind in a folder of this name, which
 * RocksDB would take for its own; but it gives each of its own an identity. */
static enum cc_status check_owner(const char *path, struct cc_error *err)
{
    char *current = cc_fs_join(path, "CURRENT");
    char *identity = cc_fs_join(path, "IDENTITY");
    char *removed = cc_fs_join(path, CC_DB_REMOVED);
    bool foreign = cc_fs_exists(current) && !cc_fs_exists(identity) &&
                   !cc_fs_exists(removed);

    free(current);
    free(identity);
    free(removed);
    if (!foreign)
        return CC_OK;
    return cc_fail(err, CC_INVALID,
                   "\"%s\" holds the database of another program. Choose "
                   "another data directory.",
                   path);
}

static enum cc_status open_parts(struct cc_chain *c,
                                 const struct cc_chain_config *config,
                                 struct cc_error *err)
{
    char *blocks = config->blocks_directory
                       ? cc_strdup(config->blocks_directory)
                       : cc_fs_join(c->directory, "blocks");
    char *state = cc_fs_join(c->directory, "chainstate");
    struct cc_db_config db = {
        .path = state,
        .families = families,
        .family_count = sizeof(families) / sizeof(families[0]),
        .cache_bytes = c->cache_bytes / 2,
        .fault = config->fault,
    };
    enum cc_status st = check_owner(state, err);

    if (st == CC_OK && config->reindex)
        st = cc_db_destroy(state, err);
    if (st == CC_OK)
        st = cc_chain_ask_rebuild(c, cc_db_open(&c->db, &db, err),
                                  "Error opening block database", err);
    if (st == CC_OK)
        st = cc_blockfiles_open(&c->files, blocks, c->params->magic,
                                &config->fault, err);
    if (st == CC_OK && config->small_files)
        cc_blockfiles_small(c->files);
    if (st == CC_OK && config->reindex && config->prune)
        cc_log(c->log, "Removing unusable blk?????.dat and rev?????.dat files "
                       "for -reindex with -prune");
    if (st == CC_OK)
        c->coins = cc_coins_new(c->db, CC_FAMILY_COINS, CC_FAMILY_TYPED,
                                c->params->storage_active, c->cache_bytes / 2);
    free(blocks);
    free(state);
    return st;
}

static enum cc_status fill(struct cc_chain *c,
                           const struct cc_chain_config *config,
                           struct cc_error *err)
{
    enum cc_status st;

    if (config->reindex)
        st = cc_chain_reindex(c, err);
    else
        st = cc_chain_load(c, err);
    if (st == CC_OK && !config->reindex && !config->reindex_chainstate)
        st = cc_chain_check_witness(c, err);
    if (st == CC_OK && !config->reindex && !config->reindex_chainstate)
        st = cc_chain_check_clock(c, err);
    if (st == CC_OK && config->reindex_chainstate && !config->reindex)
        st = cc_chain_reset_coins(c, err);
    if (st == CC_OK && config->check_blocks)
        cc_log(c->log, "init message: Verifying blocks\xe2\x80\xa6");
    if (st == CC_OK && config->check_blocks)
        st = cc_verify_start(c, config->check_level, config->check_blocks, err);
    if (st == CC_OK)
        st = cc_chain_activate(c, NULL, NULL, err);
    return st;
}

enum cc_status cc_chain_open(struct cc_chain **out,
                             const struct cc_chain_config *config,
                             struct cc_error *err)
{
    struct cc_chain *c = cc_calloc(1, sizeof(*c));
    enum cc_status st;

    c->params = config->params;
    c->directory = cc_strdup(config->directory);
    c->cache_bytes = config->cache_bytes;
    c->batch_bytes = config->batch_bytes;
    c->check_index = config->check_index;
    c->now = config->now;
    c->now_arg = config->now_arg;
    c->log = config->log;
    c->fault = config->fault;
    c->stop = config->stop;
    c->stop_height = config->stop_height;
    c->prune = c->prune_check = config->prune;
    c->prune_target = config->prune_target;
    c->prune_after = config->prune_after;
    c->assume = config->assume_valid != NULL;
    if (c->assume)
        memcpy(c->assume_valid, config->assume_valid, 32);
    c->flushed_ms = cc_clock_monotonic_ms();
    atomic_init(&c->ibd, true);
    c->max_tip_age_s =
        config->max_tip_age_s ? config->max_tip_age_s : DEFAULT_TIP_AGE_S;
    lock_init(&c->lock);
    lock_init(&c->move);
    pthread_mutex_init(&c->writing, NULL);
    cc_tree_init(&c->tree);
    c->pool = cc_pool_new(config->threads, "scriptch");
    st = open_parts(c, config, err);
    if (st == CC_OK)
        st = fill(c, config, err);
    if (st == CC_OK) {
        *out = c;
        return CC_OK;
    }
    if (c->failed)
        st = cc_fail(err, st, CC_CHAIN_FATAL);
    c->failed = true; /* nothing to save */
    cc_chain_free(c);
    return st;
}

void cc_chain_free(struct cc_chain *c)
{
    struct cc_error err;

    if (!c)
        return;
    if (!c->failed && flush(c, false, &err) != CC_OK)
        cc_log(c->log, "%s", err.text);
    cc_pool_free(c->pool);
    cc_coins_free(c->coins);
    cc_blockfiles_free(c->files);
    cc_db_close(c->db);
    cc_tree_clear(&c->tree);
    lock_clear(&c->lock);
    lock_clear(&c->move);
    pthread_mutex_destroy(&c->writing);
    free(c->at);
    free(c->hash);
    free(c->directory);
    free(c);
}

void cc_chain_listen(struct cc_chain *c, const struct cc_chain_listener *l)
{
    cc_chain_lock(c);
    if (c->listener_count == CC_CHAIN_MAX_LISTENERS)
        abort(); /* a fixed set of modules listens */
    c->listeners[c->listener_count++] = *l;
    cc_chain_unlock(c);
}

void cc_chain_set_known(struct cc_chain *c, cc_known_fn known, void *arg)
{
    cc_chain_lock(c);
    c->known = known;
    c->known_arg = arg;
    cc_chain_unlock(c);
}

/* --- Stored blocks ------------------------------------------------------ */

enum cc_status cc_chain_read_raw(struct cc_chain *c, const struct cc_index *i,
                                 uint8_t **data, size_t *len,
                                 struct cc_error *err)
{
    uint32_t file, pos, size;
    bool there;
    enum cc_status st;

    cc_chain_lock(c);
    there = i->status & CC_INDEX_DATA;
    file = i->file;
    pos = i->data_pos;
    size = i->size;
    cc_chain_unlock(c);
    if (!there)
        return cc_fail(err, CC_NOTFOUND, "Block not found on disk");
    st = cc_blockfiles_read(c->files, file, pos, size, data, err);
    if (st == CC_OK)
        *len = size;
    else if (cc_chain_is_pruned(c, i)) /* since we looked */
        st = cc_fail(err, CC_NOTFOUND, "Block not found on disk");
    return st;
}

enum cc_status cc_chain_read_block(struct cc_chain *c, const struct cc_index *i,
                                   struct cc_block *out, struct cc_error *err)
{
    struct cc_block block;
    uint8_t *data;
    size_t len;
    enum cc_status st = cc_chain_read_raw(c, i, &data, &len, err);

    if (st != CC_OK)
        return st;
    if (cc_block_decode_take(&block, data, len) != CC_OK)
        return cc_fail(err, CC_CORRUPT,
                       "blk%05" PRIu32 ".dat, offset %" PRIu32
                       ": the block does not decode",
                       i->file, i->data_pos);
    if (memcmp(block.hash, i->hash, 32)) {
        cc_block_clear(&block);
        return cc_fail(err, CC_CORRUPT,
                       "blk%05" PRIu32 ".dat, offset %" PRIu32
                       ": another block than the index says",
                       i->file, i->data_pos);
    }
    *out = block;
    return CC_OK;
}

enum cc_status cc_chain_load_block(struct cc_chain *c, const struct cc_index *i,
                                   struct cc_block *out, struct cc_error *err)
{
    struct cc_place place = {0};
    struct cc_block block;
    uint8_t root[32];
    enum cc_status st = cc_chain_read_block(c, i, &block, err);

    if (st != CC_OK)
        return st;
    /* It was judged before it was stored: what breaks a rule now is damage,
     * and no fault of the block's. The Merkle root has all of it but the
     * witnesses, which say nothing before their time has come. */
    cc_block_merkle_root(root, &block, NULL);
    if (i->prev)
        place = cc_chain_place(c, i->prev);
    if (memcmp(root, block.header.merkle_root, 32) ||
        (i->prev && place.height >= c->params->segwit_height &&
         cc_block_check_place(&block, c->params, &place, err))) {
        cc_block_clear(&block);
        return cc_fail(err, CC_CORRUPT,
                       "blk%05" PRIu32 ".dat, offset %" PRIu32
                       ": the block is not what was checked",
                       i->file, i->data_pos);
    }
    *out = block;
    return CC_OK;
}

enum cc_status cc_chain_read_undo(struct cc_chain *c, const struct cc_index *i,
                                  struct cc_undo *out, struct cc_error *err)
{
    uint32_t file, pos;
    uint8_t *data;
    size_t len;
    bool there;
    enum cc_status st;

    cc_chain_lock(c);
    there = i->status & CC_INDEX_UNDO;
    file = i->file;
    pos = i->undo_pos;
    cc_chain_unlock(c);
    if (!there || !i->prev)
        return cc_fail(err, CC_NOTFOUND, "no undo data of this block");
    st = cc_blockfiles_read_undo(c->files, file, pos, i->prev->hash, &data,
                                 &len, err);
    if (st != CC_OK && cc_chain_is_pruned(c, i))
        st = cc_fail(err, CC_NOTFOUND, "no undo data of this block");
    if (st != CC_OK)
        return st;
    st = cc_undo_decode(out, data, len);
    free(data);
    if (st != CC_OK)
        return cc_fail(err, CC_CORRUPT,
                       "rev%05" PRIu32 ".dat, offset %" PRIu32
                       ": the undo data do not decode",
                       file, pos);
    return CC_OK;
}

enum cc_status cc_chain_load_undo(struct cc_chain *c, const struct cc_index *i,
                                  const struct cc_block *block,
                                  struct cc_undo *out, struct cc_error *err)
{
    struct cc_undo undo;
    enum cc_status st = cc_chain_read_undo(c, i, &undo, err);

    if (st != CC_OK)
        return st == CC_NOTFOUND ? CC_CORRUPT : st;
    if (!cc_undo_fits(&undo, block)) {
        cc_undo_clear(&undo);
        return cc_fail(err, CC_CORRUPT,
                       "rev%05" PRIu32 ".dat, offset %" PRIu32
                       ": the undo data are of another block",
                       i->file, i->undo_pos);
    }
    *out = undo;
    return CC_OK;
}

void cc_chain_cache_sizes(const struct cc_chain *c, uint64_t *db,
                          uint64_t *coins)
{
    *db = *coins = c->cache_bytes / 2;
}

uint64_t cc_chain_state_size(struct cc_chain *c)
{
    return cc_db_family_size(c->db, CC_FAMILY_COINS, CC_COIN_RECORD_BYTES);
}

uint64_t cc_chain_disk_size(struct cc_chain *c)
{
    uint64_t size;

    cc_chain_lock(c);
    size = cc_blockfiles_size(c->files);
    cc_chain_unlock(c);
    return size;
}
