/*
 * mempool.dat as Bitcoin Core writes it: version 2 (8), a mask of 8 bytes as
 * compact size and bytes, and from there on every byte under the mask by its
 * place in the file: count (8), per transaction its bytes, time of arrival (8),
 * fee delta (8); then the deltas of transactions not in the pool, as compact
 * size, (txid 32, delta 8); then the txids not yet announced to anybody, as
 * compact size, 32 each. Version 1 is the same without a mask. The mask keeps
 * virus scanners from finding in the file what somebody sent to the pool.
 */
#include "mempool/internal.h"

#include "util/fs.h"
#include "util/log.h"
#include "util/random.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_PLAIN 1
#define VERSION_MASKED 2
#define MASK_BYTES 8
#define MAX_FILE ((size_t)4 << 30)

/* Both ways. */
static void apply_mask(uint8_t *data, size_t from, size_t len,
                       const uint8_t mask[MASK_BYTES])
{
    for (size_t i = from; i < len; i++)
        data[i] ^= mask[i % MASK_BYTES];
}

/* Parents first, so that loading needs one pass. */
static void write_entries(struct cc_mempool *m, struct cc_writer *w)
{
    struct cc_txpool_list all = {0};

    for (size_t i = 0; i < m->count; i++)
        cc_txpool_list_add(&all, m->nodes[i]);
    if (all.count)
        qsort(all.items, all.count, sizeof(*all.items), cc_txpool_by_ancestors);
    cc_write_u64le(w, all.count);
    for (size_t i = 0; i < all.count; i++) {
        cc_tx_write(w, &all.items[i]->e.tx, true);
        cc_write_u64le(w, (uint64_t)all.items[i]->e.time);
        cc_write_u64le(w, (uint64_t)all.items[i]->e.fee_delta);
    }
    cc_txpool_list_clear(&all);
}

static void write_deltas(struct cc_mempool *m, struct cc_writer *w)
{
    const void *txid;
    void *delta;
    size_t pos = 0, count = 0;

    while (cc_map_next(&m->deltas, &pos, &txid, &delta))
        count += !cc_txpool_get(m, txid);
    cc_write_compact(w, count);
    for (pos = 0; cc_map_next(&m->deltas, &pos, &txid, &delta);) {
        if (cc_txpool_get(m, txid))
            continue;
        cc_write_bytes(w, txid, 32);
        cc_write_u64le(w, (uint64_t) * (const cc_amount *)delta);
    }
}

static void write_unbroadcast(struct cc_mempool *m, struct cc_writer *w)
{
    cc_write_compact(w, m->unbroadcast);
    for (size_t i = 0; i < m->count; i++)
        if (m->nodes[i]->e.unbroadcast)
            cc_write_bytes(w, m->nodes[i]->e.tx.txid, 32);
}

enum cc_status cc_mempool_save(struct cc_mempool *m, const char *path,
                               struct cc_error *err)
{
    const bool plain = m->config.persist_v1;
    uint8_t mask[MASK_BYTES];
    struct cc_writer w;
    size_t head;
    enum cc_status st;

    cc_writer_init_heap(&w);
    cc_chain_lock(m->config.chain);
    cc_write_u64le(&w, plain ? VERSION_PLAIN : VERSION_MASKED);
    if (!plain) {
        cc_random_bytes(mask, sizeof(mask));
        cc_write_compact(&w, sizeof(mask));
        cc_write_bytes(&w, mask, sizeof(mask));
    }
    head = w.len;
    write_entries(m, &w);
    write_deltas(m, &w);
    write_unbroadcast(m, &w);
    cc_chain_unlock(m->config.chain);
    if (!plain)
        apply_mask(w.data, head, w.len, mask);
    st = cc_fs_write(path, w.data, w.len, 0600, err);
    cc_writer_clear(&w);
    return cc_context(err, st, "mempool");
}

/* One entry; what is no longer good is passed over. */
static void load_entry(struct cc_mempool *m, struct cc_reader *r,
                       const struct cc_mempool_import *how)
{
    int64_t now = m->config.now(m->config.now_arg), time;
    struct cc_arena arena;
    struct cc_error err;
    struct cc_tx tx;
    cc_amount delta;

    cc_arena_init(&arena);
    cc_tx_read(r, &tx, &arena, true);
    time = (int64_t)cc_read_u64le(r);
    delta = (cc_amount)cc_read_u64le(r);
    if (!r->failed) {
        if (how->current_time)
            time = now;
        if (delta != 0 && how->deltas)
            cc_mempool_prioritise(m, tx.txid, delta);
        if (time > now - m->config.expiry_s)
            (void)cc_txpool_accept(m, &tx, 0, time, NULL, &err);
    }
    cc_arena_clear(&arena);
}

static void load(struct cc_mempool *m, struct cc_reader *r,
                 const struct cc_mempool_import *how)
{
    uint64_t count = cc_read_u64le(r);
    size_t rest;

    while (count-- > 0 && !r->failed)
        load_entry(m, r, how);
    rest = cc_read_count(r, 32 + 8);
    while (rest-- > 0 && !r->failed) {
        uint8_t txid[32];
        cc_amount delta;

        cc_read_bytes(r, txid, sizeof(txid));
        delta = (cc_amount)cc_read_u64le(r);
        if (!r->failed && how->deltas)
            cc_mempool_prioritise(m, txid, delta);
    }
    rest = cc_read_count(r, 32);
    while (rest-- > 0) {
        uint8_t txid[32];

        cc_read_bytes(r, txid, sizeof(txid));
        if (!r->failed && how->unbroadcast)
            cc_mempool_set_unbroadcast(m, txid);
    }
}

/* Version and mask; what follows is laid open. */
static enum cc_status open_data(struct cc_reader *r, uint8_t *data, size_t len,
                                const char *path, struct cc_error *err)
{
    uint8_t mask[MASK_BYTES];
    uint64_t version;

    cc_reader_init(r, data, len);
    version = cc_read_u64le(r);
    if (!r->failed && version != VERSION_PLAIN && version != VERSION_MASKED)
        return cc_fail(err, CC_CORRUPT, "%s: version %llu is not known", path,
                       (unsigned long long)version);
    if (version != VERSION_MASKED)
        return CC_OK;
    if (cc_read_compact(r) != MASK_BYTES)
        return cc_fail(err, CC_CORRUPT, "%s: does not decode", path);
    cc_read_bytes(r, mask, sizeof(mask));
    if (!r->failed)
        apply_mask(data, len - r->left, len, mask);
    return CC_OK;
}

enum cc_status cc_mempool_load(struct cc_mempool *m, const char *path,
                               struct cc_error *err)
{
    static const struct cc_mempool_import all = {false, true, true};

    return cc_mempool_import(m, path, &all, err);
}

enum cc_status cc_mempool_import(struct cc_mempool *m, const char *path,
                                 const struct cc_mempool_import *how,
                                 struct cc_error *err)
{
    struct cc_reader r;
    uint8_t *data;
    size_t len, count;
    enum cc_status st = cc_fs_read(path, MAX_FILE, &data, &len, err);

    if (st != CC_OK)
        return st;
    st = open_data(&r, data, len, path, err);
    cc_chain_lock(m->config.chain);
    if (st == CC_OK)
        load(m, &r, how);
    count = m->count;
    cc_txpool_audit_maybe(m);
    cc_chain_unlock(m->config.chain);
    if (st == CC_OK && !cc_reader_done(&r))
        st = cc_fail(err, CC_CORRUPT, "%s: does not decode", path);
    free(data);
    cc_log(m->config.log,
           "Imported mempool transactions from file: %zu in "
           "the pool",
           count);
    return st;
}
