#include "chain/filterindex.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "chain/gcs.h"
#include "crypto/hash.h"
#include "util/log.h"
#include "util/mem.h"

#define NAME "basic block filter index"

/* By block hash: the filter; its header and its hash. */
enum { FAMILY_FILTER, FAMILY_HEADER, FAMILY_STATE };
static const char *const families[] = {"filter", "header", "state"};

/* The locator of the last block that is in, as in txindex.c. */
#define BEST_KEY cc_bytes("best", 4)
#define LOCATOR_MAX 32
/* While catching up: blocks between two lines of the log. */
#define LOG_EVERY 10000

struct cc_filterindex {
    struct cc_chain *chain;
    struct cc_db *db;
    struct cc_log *log;
    struct cc_db_batch *batch; /* under the chain's lock */
    _Atomic uint32_t height;
    pthread_mutex_t lock; /* over what follows */
    bool failed;
    struct cc_error err;
};

static enum cc_status previous(struct cc_filterindex *t,
                               const struct cc_index *index, uint8_t out[32],
                               struct cc_error *err)
{
    enum cc_status st;

    memset(out, 0, 32);
    if (!index->prev)
        return CC_OK;
    st = cc_filterindex_header(t, index->prev->hash, out, NULL, err);
    if (st == CC_NOTFOUND)
        st = cc_fail(err, CC_CORRUPT, "no header of the filter before");
    return st;
}

/* A block's filter and that it is in, together or not at all. */
static enum cc_status put_block(struct cc_filterindex *t,
                                const struct cc_index *index,
                                const struct cc_block *block,
                                const struct cc_undo *undo,
                                struct cc_error *err)
{
    struct cc_bytes key = cc_bytes(index->hash, 32);
    uint8_t locator[LOCATOR_MAX][32], prev[32], heads[64];
    struct cc_writer w;
    size_t n;
    enum cc_status st = previous(t, index, prev, err);

    if (st != CC_OK)
        return st;
    cc_writer_init_heap(&w);
    cc_gcs_write(&w, block, undo);
    cc_hash256(heads + 32, w.data, w.len);
    cc_gcs_header(heads, heads + 32, prev);
    n = cc_chain_locator(t->chain, index, locator, LOCATOR_MAX);
    cc_db_batch_clear(t->batch);
    cc_db_batch_put(t->batch, t->db, FAMILY_FILTER, key,
                    cc_bytes(w.data, w.len));
    cc_db_batch_put(t->batch, t->db, FAMILY_HEADER, key,
                    cc_bytes(heads, sizeof(heads)));
    cc_db_batch_put(t->batch, t->db, FAMILY_STATE, BEST_KEY,
                    cc_bytes(locator, 32 * n));
    st = cc_db_write(t->db, t->batch, false, err);
    cc_writer_clear(&w);
    if (st == CC_OK)
        atomic_store(&t->height, index->height);
    return st;
}

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_filterindex *t = arg;
    struct cc_error err;

    cc_error_init(&err);
    /* No block goes in over one that is missing. */
    if (cc_filterindex_failed(t, NULL) ||
        put_block(t, index, block, undo, &err) == CC_OK)
        return;
    cc_log(t->log, NAME ": block at height %" PRIu32 ": %s", index->height,
           err.text);
    pthread_mutex_lock(&t->lock);
    t->failed = true;
    t->err = err;
    pthread_mutex_unlock(&t->lock);
}

/* The last block of the active chain that is in; NULL: none is. */
static enum cc_status find_best(struct cc_filterindex *t, struct cc_index **out,
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

static enum cc_status put_stored(struct cc_filterindex *t,
                                 const struct cc_index *i, struct cc_error *err)
{
    struct cc_block block;
    struct cc_undo undo;
    enum cc_status st = cc_chain_read_block(t->chain, i, &block, err);

    if (st != CC_OK)
        return st;
    if (!i->height) {
        st = put_block(t, i, &block, NULL, err);
    } else {
        st = cc_chain_read_undo(t->chain, i, &undo, err);
        if (st == CC_OK) {
            st = put_block(t, i, &block, &undo, err);
            cc_undo_clear(&undo);
        }
    }
    cc_block_clear(&block);
    return st;
}

static enum cc_status catch_up(struct cc_filterindex *t,
                               const atomic_bool *stop, struct cc_error *err)
{
    const struct cc_index *tip = cc_chain_tip(t->chain);
    struct cc_index *best;
    enum cc_status st = find_best(t, &best, err);
    uint32_t from = best ? best->height + 1 : 0;

    if (best)
        atomic_store(&t->height, best->height);
    if (st == CC_OK && from <= tip->height)
        cc_log(t->log, "Syncing " NAME " with block chain from height %" PRIu32,
               from);
    for (uint32_t h = from; st == CC_OK && h <= tip->height; h++) {
        struct cc_index *i = cc_chain_at(t->chain, h);

        if (stop && *stop)
            return cc_fail(err, CC_LIMIT, NAME ": stopped");
        if (cc_chain_is_pruned(t->chain, i))
            return cc_fail(err, CC_INVALID,
                           NAME
                           " best block of the index goes beyond pruned "
                           "data. Please disable the index or reindex "
                           "(which will download the whole blockchain "
                           "again)\nError: Failed to start indexes, shutting "
                           "down..");
        if (h > from && h % LOG_EVERY == 0)
            cc_log(t->log, NAME ": at height %" PRIu32, h);
        st = put_stored(t, i, err);
    }
    if (st == CC_OK)
        cc_log(t->log, NAME " is enabled at height %" PRIu32, tip->height);
    return cc_context(err, st, NAME);
}

enum cc_status cc_filterindex_open(struct cc_filterindex **out,
                                   const struct cc_filterindex_config *config,
                                   struct cc_error *err)
{
    struct cc_db_config db = {config->directory, families, 3,
                              config->cache_bytes, config->fault};
    struct cc_filterindex *t = cc_calloc(1, sizeof(*t));
    struct cc_chain_listener listener = {
        .arg = t, .connected = on_connected, .index = NAME};
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
        cc_filterindex_free(t);
        return st;
    }
    cc_chain_listen(t->chain, &listener);
    *out = t;
    return CC_OK;
}

void cc_filterindex_free(struct cc_filterindex *t)
{
    if (!t)
        return;
    if (t->db)
        cc_db_close(t->db);
    cc_db_batch_free(t->batch);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

enum cc_status cc_filterindex_filter(struct cc_filterindex *t,
                                     const uint8_t block[32], uint8_t **data,
                                     size_t *len, struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st =
        cc_db_get(t->db, FAMILY_FILTER, cc_bytes(block, 32), &v, err);

    if (st != CC_OK)
        return st;
    *data = cc_memdup(v.bytes.data, v.bytes.len);
    *len = v.bytes.len;
    cc_db_value_clear(&v);
    return CC_OK;
}

enum cc_status cc_filterindex_header(struct cc_filterindex *t,
                                     const uint8_t block[32],
                                     uint8_t header[32], uint8_t hash[32],
                                     struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st =
        cc_db_get(t->db, FAMILY_HEADER, cc_bytes(block, 32), &v, err);

    if (st != CC_OK)
        return st;
    if (v.bytes.len == 64) {
        memcpy(header, v.bytes.data, 32);
        if (hash)
            memcpy(hash, v.bytes.data + 32, 32);
    } else {
        st = cc_fail(err, CC_CORRUPT, NAME ": an entry of %zu bytes",
                     v.bytes.len);
    }
    cc_db_value_clear(&v);
    return st;
}

uint32_t cc_filterindex_height(struct cc_filterindex *t)
{
    return atomic_load(&t->height);
}

bool cc_filterindex_failed(struct cc_filterindex *t, struct cc_error *err)
{
    bool failed;

    pthread_mutex_lock(&t->lock);
    failed = t->failed;
    if (failed && err)
        *err = t->err;
    pthread_mutex_unlock(&t->lock);
    return failed;
}
