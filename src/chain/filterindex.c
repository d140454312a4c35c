#include "chain/filterindex.h"

#include <stdlib.h>

#include "chain/gcs.h"
#include "crypto/hash.h"
#include "util/mem.h"

#define NAME "basic block filter index"

/* By block hash: the filter; its header and its hash. */
enum { FAMILY_FILTER, FAMILY_HEADER, FAMILY_STATE };
static const char *const families[] = {"filter", "header", "state"};

struct cc_filterindex {
    struct cc_follow f;
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
static enum cc_status put_block(void *arg, const struct cc_index *index,
                                const struct cc_block *block,
                                const struct cc_undo *undo,
                                struct cc_error *err)
{
    struct cc_filterindex *t = arg;
    struct cc_follow *f = &t->f;
    struct cc_bytes key = cc_bytes(index->hash, 32);
    uint8_t prev[32], heads[64];
    struct cc_writer w;
    enum cc_status st = previous(t, index, prev, err);

    if (st != CC_OK)
        return st;
    cc_writer_init_heap(&w);
    cc_gcs_write(&w, block, undo);
    cc_hash256(heads + 32, w.data, w.len);
    cc_gcs_header(heads, heads + 32, prev);
    cc_db_batch_clear(f->batch);
    cc_db_batch_put(f->batch, f->db, FAMILY_FILTER, key,
                    cc_bytes(w.data, w.len));
    cc_db_batch_put(f->batch, f->db, FAMILY_HEADER, key,
                    cc_bytes(heads, sizeof(heads)));
    cc_follow_put_best(f, FAMILY_STATE, index);
    st = cc_db_write(f->db, f->batch, false, err);
    cc_writer_clear(&w);
    if (st == CC_OK)
        atomic_store(&f->height, index->height);
    return st;
}

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_filterindex *t = arg;
    struct cc_error err;

    cc_error_init(&err);
    if (!cc_follow_failed(&t->f, NULL) &&
        put_block(t, index, block, undo, &err) != CC_OK)
        cc_follow_fail(&t->f, index, &err);
}

enum cc_status cc_filterindex_open(struct cc_filterindex **out,
                                   const struct cc_follow_config *config,
                                   struct cc_error *err)
{
    struct cc_filterindex *t = cc_calloc(1, sizeof(*t));
    struct cc_chain_listener listener = {
        .arg = t, .connected = on_connected, .index = NAME};
    struct cc_index *best = NULL;
    enum cc_status st = cc_follow_init(&t->f, NAME, config, families, 3, err);

    if (st == CC_OK)
        st = cc_follow_best(&t->f, FAMILY_STATE, &best, err);
    if (st == CC_OK)
        st = cc_follow_catch_up(&t->f, best ? best->height + 1 : 0, true,
                                config->stop, put_block, t, err);
    if (st != CC_OK) {
        cc_filterindex_free(t);
        return st;
    }
    cc_chain_listen(config->chain, &listener);
    *out = t;
    return CC_OK;
}

void cc_filterindex_free(struct cc_filterindex *t)
{
    if (t)
        cc_follow_clear(&t->f);
    free(t);
}

enum cc_status cc_filterindex_filter(struct cc_filterindex *t,
                                     const uint8_t block[32], uint8_t **data,
                                     size_t *len, struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st =
        cc_db_get(t->f.db, FAMILY_FILTER, cc_bytes(block, 32), &v, err);

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
        cc_db_get(t->f.db, FAMILY_HEADER, cc_bytes(block, 32), &v, err);

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
    return atomic_load(&t->f.height);
}

bool cc_filterindex_failed(struct cc_filterindex *t, struct cc_error *err)
{
    return cc_follow_failed(&t->f, err);
}
