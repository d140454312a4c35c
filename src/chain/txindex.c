#include "chain/txindex.h"

#include <stdlib.h>

#include "util/mem.h"

enum { FAMILY_TX, FAMILY_STATE };
static const char *const families[] = {"tx", "state"};

struct cc_txindex {
    struct cc_follow f;
};

/* All transactions of a block and that it is in, together or not at all. */
static enum cc_status put_block(void *arg, const struct cc_index *index,
                                const struct cc_block *block,
                                const struct cc_undo *undo,
                                struct cc_error *err)
{
    struct cc_follow *f = arg;
    struct cc_bytes hash = cc_bytes(index->hash, 32);
    enum cc_status st;

    (void)undo;
    cc_db_batch_clear(f->batch);
    /* The genesis block's can be spent by nobody and is nowhere found. */
    for (size_t i = 0; i < block->tx_count && index->height; i++)
        cc_db_batch_put(f->batch, f->db, FAMILY_TX,
                        cc_bytes(block->tx[i].txid, 32), hash);
    cc_follow_put_best(f, FAMILY_STATE, index);
    st = cc_db_write(f->db, f->batch, false, err);
    if (st == CC_OK)
        atomic_store(&f->height, index->height);
    return st;
}

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_error err;

    cc_error_init(&err);
    if (!cc_follow_failed(arg, NULL) &&
        put_block(arg, index, block, undo, &err) != CC_OK)
        cc_follow_fail(arg, index, &err);
}

enum cc_status cc_txindex_open(struct cc_txindex **out,
                               const struct cc_follow_config *config,
                               struct cc_error *err)
{
    struct cc_txindex *t = cc_calloc(1, sizeof(*t));
    struct cc_chain_listener listener = {.arg = &t->f,
                                         .connected = on_connected};
    struct cc_index *best = NULL;
    enum cc_status st =
        cc_follow_init(&t->f, "txindex", config, families, 2, err);

    if (st == CC_OK)
        st = cc_follow_best(&t->f, FAMILY_STATE, &best, err);
    if (st == CC_OK)
        st = cc_follow_catch_up(&t->f, best ? best->height + 1 : 0, false,
                                config->stop, put_block, &t->f, err);
    if (st != CC_OK) {
        cc_txindex_free(t);
        return st;
    }
    cc_chain_listen(config->chain, &listener);
    *out = t;
    return CC_OK;
}

void cc_txindex_free(struct cc_txindex *t)
{
    if (t)
        cc_follow_clear(&t->f);
    free(t);
}

enum cc_status cc_txindex_find(struct cc_txindex *t, const uint8_t txid[32],
                               uint8_t block[32], struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st =
        cc_db_get(t->f.db, FAMILY_TX, cc_bytes(txid, 32), &v, err);

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
    return atomic_load(&t->f.height);
}

bool cc_txindex_failed(struct cc_txindex *t, struct cc_error *err)
{
    return cc_follow_failed(&t->f, err);
}
