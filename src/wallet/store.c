/* store.c: a wallet's state as records of its file, and back. */
#include <stdlib.h>

#include "util/clock.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "wallet/wallet_i.h"

#define META_VERSION 1
#define LOCATOR_MAX 64
#define LABEL_MAX 4096

static void add_writer(struct cc_wallet *w, enum record_type type,
                       struct cc_writer *out)
{
    cc_wallet_file_add(w->file, (uint8_t)type, out->data, out->len);
    if (out->data)
        cc_cleanse(out->data, out->cap); /* it may have held keys */
    cc_writer_clear(out);
}

static void add_meta(struct cc_wallet *w)
{
    struct cc_writer out;

    cc_writer_init_heap(&out);
    cc_write_u8(&out, META_VERSION);
    cc_write_u64le(&out, (uint64_t)w->birthday);
    cc_write_u64le(&out, (uint64_t)w->made);
    add_writer(w, RECORD_META, &out);
}

static void add_keys(struct cc_wallet *w)
{
    struct cc_writer out;

    cc_writer_init_heap(&out);
    cc_wallet_keys_write(&out, w->keys);
    add_writer(w, RECORD_KEYS, &out);
}

static void add_next(struct cc_wallet *w, enum cc_key_chain chain)
{
    struct cc_writer out;

    cc_writer_init_heap(&out);
    cc_write_u8(&out, (uint8_t)chain);
    cc_write_u32le(&out, cc_wallet_keys_next(w->keys, chain));
    add_writer(w, RECORD_NEXT, &out);
    w->saved_next[chain] = cc_wallet_keys_next(w->keys, chain);
}

static void add_tx(void *arg, const struct cc_wallet_tx *tx)
{
    struct cc_writer out;

    cc_writer_init_heap(&out);
    cc_book_tx_write(&out, tx);
    add_writer(arg, RECORD_TX, &out);
}

static bool add_label(void *arg, struct cc_bytes script, const char *label)
{
    struct cc_writer out;

    cc_writer_init_heap(&out);
    cc_write_var(&out, script.data, script.len);
    cc_write_var(&out, label, strlen(label));
    add_writer(arg, RECORD_LABEL, &out);
    return true;
}

static void add_sync(struct cc_wallet *w)
{
    uint8_t locator[LOCATOR_MAX][32];
    struct cc_writer out;
    size_t n = 0;

    if (w->synced)
        n = cc_chain_locator(w->ws->config.chain, (struct cc_index *)w->synced,
                             locator, LOCATOR_MAX);
    cc_writer_init_heap(&out);
    cc_write_u8(&out, (uint8_t)n);
    cc_write_bytes(&out, locator, 32 * n);
    add_writer(w, RECORD_SYNC, &out);
}

void cc_wallet_snapshot(struct cc_wallet *w)
{
    cc_wallet_file_drop(w->file);
    add_meta(w);
    add_keys(w);
    for (enum cc_key_chain c = 0; c < CC_CHAINS; c++)
        add_next(w, c);
    cc_book_each_label(w->book, add_label, w);
    cc_book_changed(w->book, NULL, NULL);
    for (size_t i = 0; i < cc_book_count(w->book); i++)
        add_tx(w, cc_book_at(w->book, i));
    add_sync(w);
}

enum cc_status cc_wallet_flush(struct cc_wallet *w, struct cc_error *err)
{
    enum cc_status st;

    if (w->renew) {
        cc_wallet_snapshot(w);
        st = cc_wallet_file_replace(w->file, err);
    } else {
        cc_book_changed(w->book, add_tx, w);
        for (enum cc_key_chain c = 0; c < CC_CHAINS; c++) {
            if (w->saved_next[c] != cc_wallet_keys_next(w->keys, c))
                add_next(w, c);
        }
        if (w->moved)
            add_sync(w);
        st = cc_wallet_file_commit(w->file, err);
    }
    if (st == CC_OK)
        w->renew = w->moved = w->changed = false;
    else
        w->changed = true; /* try again */
    return st == CC_OK ? st : cc_context(err, st, "wallet %s", w->name);
}

enum cc_status cc_wallet_set_label(struct cc_wallet *w, struct cc_bytes script,
                                   const char *label, struct cc_error *err)
{
    if (strlen(label) > LABEL_MAX)
        return cc_fail(err, CC_INVALID, "The label is too long");
    cc_book_set_label(w->book, script, label);
    add_label(w, script, label);
    return cc_wallet_flush(w, err);
}

/* --- Reading ------------------------------------------------------------- */

/* While the file is read. Transactions need the keys, which come first. */
struct reading {
    struct cc_wallet *w;
    uint8_t locator[LOCATOR_MAX][32];
    size_t locator_len;
    bool meta;
};

static bool read_meta(struct reading *in, struct cc_reader *r)
{
    if (cc_read_u8(r) != META_VERSION)
        return false;
    in->w->birthday = (int64_t)cc_read_u64le(r);
    in->w->made = (int64_t)cc_read_u64le(r);
    in->meta = true;
    return cc_reader_done(r);
}

static enum cc_status read_keys(struct reading *in, struct cc_bytes record,
                                struct cc_error *err)
{
    struct cc_wallet *w = in->w;
    struct cc_wallet_keys *keys;
    enum cc_status st = cc_wallet_keys_read(&keys, record, w->ws->params,
                                            w->ws->config.ec, err);

    if (st != CC_OK)
        return st;
    if (w->keys) { /* the same keys, encrypted since or differently */
        for (enum cc_key_chain c = 0; c < CC_CHAINS; c++) {
            uint32_t next = cc_wallet_keys_next(w->keys, c);

            if (next)
                cc_wallet_keys_use(keys, c, next - 1);
        }
        cc_book_set_keys(w->book, keys);
        cc_wallet_keys_free(w->keys);
    } else {
        w->book = cc_book_new(keys, w->ws->params);
    }
    w->keys = keys;
    return CC_OK;
}

static bool read_next(struct reading *in, struct cc_reader *r)
{
    uint8_t chain = cc_read_u8(r);
    uint32_t next = cc_read_u32le(r);

    if (!cc_reader_done(r) || chain >= CC_CHAINS || next > CC_WALLET_KEYS_MAX)
        return false;
    if (next)
        cc_wallet_keys_use(in->w->keys, (enum cc_key_chain)chain, next - 1);
    in->w->saved_next[chain] = next;
    return true;
}

static bool read_label(struct reading *in, struct cc_reader *r)
{
    struct cc_bytes script = cc_read_var(r), label = cc_read_var(r);
    char *text;

    if (!cc_reader_done(r) || label.len > LABEL_MAX)
        return false;
    text = cc_calloc(label.len + 1, 1);
    if (label.len)
        memcpy(text, label.data, label.len);
    cc_book_set_label(in->w->book, script, text);
    free(text);
    return true;
}

static bool read_sync(struct reading *in, struct cc_reader *r)
{
    size_t n = cc_read_u8(r);

    if (n > LOCATOR_MAX)
        return false;
    cc_read_bytes(r, in->locator, 32 * n);
    in->locator_len = n;
    return cc_reader_done(r);
}

static enum cc_status read_record(void *arg, uint8_t type,
                                  struct cc_bytes record, struct cc_error *err)
{
    struct reading *in = arg;
    struct cc_reader r;
    bool ok = false;

    cc_reader_init(&r, record.data, record.len);
    if (!in->w->keys && type != RECORD_META && type != RECORD_KEYS)
        return cc_fail(err, CC_CORRUPT, "the keys are missing");
    switch (type) {
    case RECORD_META:
        ok = read_meta(in, &r);
        break;
    case RECORD_KEYS:
        return read_keys(in, record, err);
    case RECORD_NEXT:
        ok = read_next(in, &r);
        break;
    case RECORD_TX:
        return cc_book_tx_read(in->w->book, record, err);
    case RECORD_LABEL:
        ok = read_label(in, &r);
        break;
    case RECORD_SYNC:
        ok = read_sync(in, &r);
        break;
    default:
        return cc_fail(err, CC_INVALID,
                       "it holds records of kind %u: a newer version of this "
                       "program made it",
                       type);
    }
    return ok ? CC_OK
              : cc_fail(err, CC_CORRUPT, "a record of kind %u is damaged",
                        type);
}

static bool on_chain(void *arg, int32_t height, const uint8_t hash[32])
{
    struct cc_wallet *w = arg;
    const struct cc_index *i;

    if (!w->synced || (uint32_t)height > w->synced->height)
        return false;
    i = cc_chain_at(w->ws->config.chain, (uint32_t)height);
    return i && !memcmp(i->hash, hash, 32);
}

void cc_wallet_goto_fork(struct cc_wallet *w, const struct cc_index *fork)
{
    w->synced = fork;
    cc_book_set_tip(w->book, fork ? (int32_t)fork->height : -1);
    cc_book_review(w->book, on_chain, w);
    w->moved = w->changed = true;
}

enum cc_status cc_wallet_open_file(struct cc_wallet *w, struct cc_error *err)
{
    struct reading in = {.w = w};
    struct cc_chain *chain = w->ws->config.chain;
    char *path = cc_wallet_path(w->ws, w->name);
    size_t torn = 0;
    enum cc_status st =
        cc_wallet_file_open(&w->file, path, w->ws->params->genesis_hash,
                            read_record, &in, &torn, err);

    if (st == CC_OK && (!in.meta || !w->keys))
        st = cc_fail(err, CC_CORRUPT, "%s: the keys are missing", path);
    free(path);
    if (st != CC_OK)
        return st;
    if (torn)
        cc_log(w->ws->config.log,
               "wallet %s: %zu bytes that an interrupted write left at the "
               "end of the file were cut off",
               w->name, torn);
    cc_chain_lock(chain);
    cc_wallet_goto_fork(
        w, in.locator_len
               ? cc_chain_find_fork(chain, (const uint8_t(*)[32])in.locator,
                                    in.locator_len)
               : NULL);
    cc_chain_unlock(chain);
    return CC_OK;
}
