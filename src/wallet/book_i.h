/* book_i.h: what the files of the book share. */
#ifndef CC_WALLET_BOOK_I_H
#define CC_WALLET_BOOK_I_H

#include "util/map.h"
#include "wallet/book.h"

struct cc_book_entry {
    struct cc_wallet_tx pub; /* first: a pointer to it is one to the entry */
    bool dirty;
};

struct cc_book_spend {
    struct cc_book_entry *by;
    struct cc_book_spend *next;
};

struct cc_book_label {
    uint8_t *script;
    size_t len;
    char *text;
};

struct cc_book {
    struct cc_wallet_keys *keys;
    const struct cc_params *params;
    int32_t tip;
    void (*changed)(void *arg, const struct cc_wallet_tx *tx);
    void *changed_arg;
    struct cc_book_entry **txs;
    size_t count, cap;
    uint64_t next_order;
    struct cc_map by_txid; /* 32 bytes to struct cc_book_entry * */
    struct cc_map spends;  /* struct cc_outpoint to struct cc_book_spend * */
    struct cc_map locked;  /* struct cc_outpoint to nothing */
    struct cc_book_label *labels;
    size_t label_count, label_cap;
    struct cc_map by_script; /* SHA-256 of script to size_t */
};

struct cc_book_entry *cc_book_entry(const struct cc_book *b,
                                    const uint8_t txid[32]);
/* Those that spend an outpoint; NULL: none. */
struct cc_book_spend *cc_book_spends(const struct cc_book *b,
                                     const struct cc_outpoint *o);
bool cc_book_is_ours(const struct cc_book *b, const struct cc_txout *out);
/* The output that o names, of a transaction we keep; or NULL. */
const struct cc_txout *cc_book_txout(const struct cc_book *b,
                                     const struct cc_outpoint *o);
/* A copy of tx, which is not there yet. */
struct cc_book_entry *cc_book_insert(struct cc_book *b, const struct cc_tx *tx);

#endif
