/* book_record.c: transactions as records of the file, and back. */
#include <stdlib.h>

#include "util/mem.h"
#include "wallet/book_i.h"

void cc_book_changed(struct cc_book *b,
                     void (*fn)(void *arg, const struct cc_wallet_tx *tx),
                     void *arg)
{
    for (size_t i = 0; i < b->count; i++) {
        if (!b->txs[i]->dirty)
            continue;
        b->txs[i]->dirty = false;
        if (fn)
            fn(arg, &b->txs[i]->pub);
    }
}

enum {
    RECORD_GENERATED = 1,
    RECORD_OURS = 2,
    RECORD_FEE = 4,
    RECORD_ABANDONED = 8
};

void cc_book_tx_write(struct cc_writer *w, const struct cc_wallet_tx *t)
{
    struct cc_writer raw;

    cc_write_u8(w, (uint8_t)((t->generated ? RECORD_GENERATED : 0) |
                             (t->ours ? RECORD_OURS : 0) |
                             (t->fee_known ? RECORD_FEE : 0) |
                             (t->abandoned ? RECORD_ABANDONED : 0)));
    cc_write_u64le(w, t->order);
    cc_write_u64le(w, (uint64_t)t->time);
    cc_write_u32le(w, (uint32_t)t->height);
    cc_write_u32le(w, (uint32_t)t->conflict);
    cc_write_bytes(w, t->block, 32);
    cc_write_u32le(w, t->position);
    cc_write_u64le(w, (uint64_t)t->block_time);
    cc_write_u64le(w, (uint64_t)t->fee);
    cc_write_var(w, t->comment, t->comment ? strlen(t->comment) : 0);
    cc_write_var(w, t->to, t->to ? strlen(t->to) : 0);
    cc_writer_init_heap(&raw);
    cc_tx_write(&raw, &t->tx, true);
    cc_write_var(w, raw.data, raw.len);
    cc_writer_clear(&raw);
}

static char *text_of(struct cc_bytes b)
{
    char *s;

    if (!b.len)
        return NULL;
    s = cc_calloc(b.len + 1, 1);
    memcpy(s, b.data, b.len);
    return s;
}

enum cc_status cc_book_tx_read(struct cc_book *b, struct cc_bytes record,
                               struct cc_error *err)
{
    struct cc_wallet_tx t = {.order = 0};
    struct cc_bytes comment, to, raw;
    struct cc_reader r;
    struct cc_book_entry *e;
    uint8_t flags;

    cc_reader_init(&r, record.data, record.len);
    flags = cc_read_u8(&r);
    t.order = cc_read_u64le(&r);
    t.time = (int64_t)cc_read_u64le(&r);
    t.height = (int32_t)cc_read_u32le(&r);
    t.conflict = (int32_t)cc_read_u32le(&r);
    cc_read_bytes(&r, t.block, 32);
    t.position = cc_read_u32le(&r);
    t.block_time = (int64_t)cc_read_u64le(&r);
    t.fee = (cc_amount)cc_read_u64le(&r);
    comment = cc_read_var(&r);
    to = cc_read_var(&r);
    raw = cc_read_var(&r);
    if (!cc_reader_done(&r) ||
        cc_tx_decode(&t.tx, raw.data, raw.len, true) != CC_OK)
        return cc_fail(err, CC_CORRUPT,
                       "the record of a transaction is "
                       "damaged");
    e = cc_book_entry(b, t.tx.txid);
    if (!e)
        e = cc_book_insert(b, &t.tx);
    cc_tx_clear(&t.tx);
    free(e->pub.comment);
    free(e->pub.to);
    t.tx = e->pub.tx;
    t.comment = text_of(comment);
    t.to = text_of(to);
    t.generated = flags & RECORD_GENERATED;
    t.ours = flags & RECORD_OURS;
    t.fee_known = flags & RECORD_FEE;
    t.abandoned = flags & RECORD_ABANDONED;
    e->pub = t;
    e->dirty = false;
    if (b->next_order <= t.order)
        b->next_order = t.order + 1;
    return CC_OK;
}

static int by_order(const void *a, const void *b)
{
    const struct cc_book_entry *x = *(struct cc_book_entry *const *)a;
    const struct cc_book_entry *y = *(struct cc_book_entry *const *)b;

    return x->pub.order < y->pub.order ? -1 : x->pub.order > y->pub.order;
}

void cc_book_review(struct cc_book *b,
                    bool (*holds)(void *arg, int32_t height,
                                  const uint8_t hash[32]),
                    void *arg)
{
    for (size_t i = 0; i < b->count; i++) {
        struct cc_wallet_tx *t = &b->txs[i]->pub;
        int32_t height = t->height >= 0 ? t->height : t->conflict;

        if (height < 0 || holds(arg, height, t->block))
            continue;
        t->height = t->conflict = -1;
        b->txs[i]->dirty = true;
    }
    if (b->count)
        qsort(b->txs, b->count, sizeof(struct cc_book_entry *), by_order);
}
