#include "chain/follow.h"

#include <inttypes.h>

#include "util/log.h"

/* The locator of the last block that is in. Its own hash is not enough: the
 * chain may have been killed before it had kept the block, and then all would
 * have to be read again. */
#define BEST_KEY cc_bytes("best", 4)
#define LOCATOR_MAX 32
/* While catching up: blocks between two lines of the log. */
#define LOG_EVERY 10000

enum cc_status cc_follow_init(struct cc_follow *f, const char *name,
                              const struct cc_follow_config *config,
                              const char *const *families, size_t count,
                              struct cc_error *err)
{
    struct cc_db_config db = {config->directory, families, count,
                              config->cache_bytes, config->fault};
    enum cc_status st;

    f->name = name;
    f->chain = config->chain;
    f->log = config->log;
    f->db = NULL;
    f->failed = false;
    atomic_init(&f->height, 0);
    pthread_mutex_init(&f->lock, NULL);
    f->batch = cc_db_batch_new();
    st = config->anew ? cc_db_destroy(db.path, err) : CC_OK;
    return st == CC_OK ? cc_db_open(&f->db, &db, err) : st;
}

void cc_follow_clear(struct cc_follow *f)
{
    if (f->db)
        cc_db_close(f->db);
    cc_db_batch_free(f->batch);
    pthread_mutex_destroy(&f->lock);
}

void cc_follow_put_best(struct cc_follow *f, unsigned family,
                        const struct cc_index *index)
{
    uint8_t locator[LOCATOR_MAX][32];
    size_t n = cc_chain_locator(f->chain, index, locator, LOCATOR_MAX);

    cc_db_batch_put(f->batch, f->db, family, BEST_KEY,
                    cc_bytes(locator, 32 * n));
}

enum cc_status cc_follow_best(struct cc_follow *f, unsigned family,
                              struct cc_index **out, struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st = cc_db_get(f->db, family, BEST_KEY, &v, err);
    struct cc_index *i = NULL;

    *out = NULL;
    if (st != CC_OK)
        return st == CC_NOTFOUND ? CC_OK : st;
    for (size_t at = 0; !i && v.bytes.len - at >= 32; at += 32)
        i = cc_chain_find(f->chain, v.bytes.data + at);
    cc_db_value_clear(&v);
    while (i && !cc_chain_contains(f->chain, i))
        i = i->prev;
    *out = i;
    if (i)
        atomic_store(&f->height, i->height);
    return CC_OK;
}

static enum cc_status put_stored(struct cc_follow *f, const struct cc_index *i,
                                 bool with_undo, cc_follow_put *put, void *arg,
                                 struct cc_error *err)
{
    struct cc_block block;
    struct cc_undo undo;
    enum cc_status st = cc_chain_read_block(f->chain, i, &block, err);

    if (st != CC_OK)
        return st;
    if (!with_undo || !i->height) {
        st = put(arg, i, &block, NULL, err);
    } else {
        st = cc_chain_read_undo(f->chain, i, &undo, err);
        if (st == CC_OK) {
            st = put(arg, i, &block, &undo, err);
            cc_undo_clear(&undo);
        }
    }
    cc_block_clear(&block);
    return st;
}

enum cc_status cc_follow_catch_up(struct cc_follow *f, uint32_t from,
                                  bool with_undo, const atomic_bool *stop,
                                  cc_follow_put *put, void *arg,
                                  struct cc_error *err)
{
    const uint32_t tip = cc_chain_tip(f->chain)->height;
    enum cc_status st = CC_OK;

    if (from <= tip)
        cc_log(f->log, "Syncing %s with block chain from height %" PRIu32,
               f->name, from);
    for (uint32_t h = from; st == CC_OK && h <= tip; h++) {
        struct cc_index *i = cc_chain_at(f->chain, h);

        if (stop && *stop)
            return cc_fail(err, CC_LIMIT, "%s: stopped", f->name);
        if (cc_chain_is_pruned(f->chain, i))
            return cc_fail(err, CC_INVALID,
                           "%s best block of the index goes beyond pruned "
                           "data. Please disable the index or reindex "
                           "(which will download the whole blockchain "
                           "again)\nError: Failed to start indexes, shutting "
                           "down..",
                           f->name);
        if (h > from && h % LOG_EVERY == 0)
            cc_log(f->log, "%s: at height %" PRIu32, f->name, h);
        st = put_stored(f, i, with_undo, put, arg, err);
    }
    if (st == CC_OK)
        cc_log(f->log, "%s is enabled at height %" PRIu32, f->name, tip);
    return cc_context(err, st, "%s", f->name);
}

void cc_follow_fail(struct cc_follow *f, const struct cc_index *index,
                    const struct cc_error *err)
{
    cc_log(f->log, "%s: block at height %" PRIu32 ": %s", f->name,
           index->height, err->text);
    pthread_mutex_lock(&f->lock);
    f->failed = true;
    f->err = *err;
    pthread_mutex_unlock(&f->lock);
}

bool cc_follow_failed(struct cc_follow *f, struct cc_error *err)
{
    bool failed;

    pthread_mutex_lock(&f->lock);
    failed = f->failed;
    if (failed && err)
        *err = f->err;
    pthread_mutex_unlock(&f->lock);
    return failed;
}
