#include "chain/txindex.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "util/log.h"
#include "util/mem.h"

enum { FAMILY_TX, FAMILY_STATE };
static const char *const families[] = {"tx", "state"};

/* The locator of the last block that is in. Its own hash is not enough: the
 * chain may have been killed before it had kept the block, and then all would
 * have to be read again. */
#define BEST_KEY cc_bytes("best", 4)
#define LOCATOR_MAX 32
/* While catching up: blocks between two lines of the log. */
#define LOG_EVERY 10000

struct cc_txindex {
    struct cc_chain *chain;
    struct cc_db *db;
    struct cc_log *log;
    struct cc_db_batch *batch; /* under the chain's lock */
    _Atomic uint32_t height;
    pthread_mutex_t lock; /* over what follows */
    bool failed;
    struct cc_error err;
};

/* All transactions of a block and that it is in, together or not at all. */
static enum cc_status put_block(struct cc_txindex *t,
                                const struct cc_index *index,
                                const struct cc_block *block,
                                struct cc_error *err)
{
    struct cc_bytes hash = cc_bytes(index->hash, 32);
    uint8_t locator[LOCATOR_MAX][32];
    size_t n = cc_chain_locator(t->chain, index, locator, LOCATOR_MAX);
    enum cc_status st;

    cc_db_batch_clear(t->batch);
    /* The genesis block's can be spent by nobody and is nowhere found. */
    for (size_t i = 0; i < block->tx_count && index->height; i++)
        cc_db_batch_put(t->batch, t->db, FAMILY_TX,
                        cc_bytes(block->tx[i].txid, 32), hash);
    cc_db_batch_put(t->batch, t->db, FAMILY_STATE, BEST_KEY,
                    cc_bytes(locator, 32 * n));
    st = cc_db_write(t->db, t->batch, false, err);
    if (st == CC_OK)
        atomic_store(&t->height, index->height);
    return st;
}

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_txindex *t = arg;
    struct cc_error err;

    (void)undo;
    cc_error_init(&err);
    /* No block goes in over one that is missing: the next start would not
     * look for it. */
    if (cc_txindex_failed(t, NULL) || put_block(t, index, block, &err) == CC_OK)
        return;
    cc_log(t->log, "txindex: block at height %" PRIu32 ": %s", index->height,
           err.text);
    pthread_mutex_lock(&t->lock);
    t->failed = true;
    t->err = err;
    pthread_mutex_unlock(&t->lock);
}

/* The last block of the active chain that is in; NULL: none is. */
static enum cc_status find_best(struct cc_txindex *t, struct cc_index **out,
                                struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st = cc_db_get(t->db, FAMILY_STATE, BEST_KEY, &v, err);
    struct cc_index *i = NULL;

    *out = NULL;
    if (st != CC_OK)
        return st == CC_NOTFOUND ? CC_OK : st;
    for (size_t at = 0; !i && v.bytes.len - at >= 32; at += 32)
        i = cc_chain_find(t->chain, v.bytes.data + at);
    cc_db_value_clear(&v);
    while (i && !cc_chain_contains(t->chain, i))
        i = i->prev;
    *out = i;
    return CC_OK;
}

static enum cc_status catch_up(struct cc_txindex *t, const atomic_bool *stop,
                               struct cc_error *err)
{
    const struct cc_index *tip = cc_chain_tip(t->chain);
    struct cc_block block;
    struct cc_index *best;
    enum cc_status st = find_best(t, &best, err);
    uint32_t from = best ? best->height + 1 : 0;

    if (best)
        atomic_store(&t->height, best->height);
    if (st == CC_OK && from <= tip->height)
        cc_log(t->log, "Syncing txindex with block chain from height %" PRIu32,
               from);
    for (uint32_t h = from; st == CC_OK && h <= tip->height; h++) {
        const struct cc_index *i = cc_chain_at(t->chain, h);

        if (stop && *stop)
            return cc_fail(err, CC_LIMIT, "txindex: stopped");
        if (h > from && h % LOG_EVERY == 0)
            cc_log(t->log, "txindex: at height %" PRIu32, h);
        st = cc_chain_read_block(t->chain, i, &block, err);
        if (st != CC_OK)
            break;
        st = put_block(t, i, &block, err);
        cc_block_clear(&block);
    }
    if (st == CC_OK)
        cc_log(t->log, "txindex is enabled at height %" PRIu32, tip->height);
    return cc_context(err, st, "txindex");
}

enum cc_status cc_txindex_open(struct cc_txindex **out,
                               const struct cc_txindex_config *config,
                               struct cc_error *err)
{
    struct cc_db_config db = {config->directory, families, 2,
                              config->cache_bytes, config->fault};
    struct cc_txindex *t = cc_calloc(1, sizeof(*t));
    struct cc_chain_listener listener = {.arg = t, .connected = on_connected};
    enum cc_status st;

    t->chain = config->chain;
    t->log = config->log;
    atomic_init(&t->height, 0);
    pthread_mutex_init(&t->lock, NULL);
    t->batch = cc_db_batch_new();
    st = cc_db_open(&t->db, &db, err);
    if (st == CC_OK)
        st = catch_up(t, config->stop, err);
    if (st != CC_OK) {
        cc_txindex_free(t);
        return st;
    }
    cc_chain_listen(t->chain, &listener);
    *out = t;
    return CC_OK;
}

void cc_txindex_free(struct cc_txindex *t)
{
    if (!t)
        return;
    if (t->db)
        cc_db_close(t->db);
    cc_db_batch_free(t->batch);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

enum cc_status cc_txindex_find(struct cc_txindex *t, const uint8_t txid[32],
                               uint8_t block[32], struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st =
        cc_db_get(t->db, FAMILY_TX, cc_bytes(txid, 32), &v, err);

    if (st != CC_OK)
        return st;
    if (v.bytes.len == 32)
        memcpy(block, v.bytes.data, 32);
    else
        st = cc_fail(err, CC_CORRUPT, "txindex: an entry of %zu bytes",
                     v.bytes.len);
    cc_db_value_clear(&v);
    return st;
}

uint32_t cc_txindex_height(struct cc_txindex *t)
{
    return atomic_load(&t->height);
}

bool cc_txindex_failed(struct cc_txindex *t, struct cc_error *err)
{
    bool failed;

    pthread_mutex_lock(&t->lock);
    failed = t->failed;
    if (failed && err)
        *err = t->err;
    pthread_mutex_unlock(&t->lock);
    return failed;
}
