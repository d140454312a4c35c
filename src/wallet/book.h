/*
 * book.h: the transactions of one wallet, and what its coins are worth.
 *
 * Pure bookkeeping: it is told of blocks that come and go and of the mempool,
 * and answers in Bitcoin Core's terms (trusted, immature, conflicted). It
 * knows no chain: depth comes from the heights it is told. Not thread safe;
 * the wallet's lock guards it.
 */
#ifndef CC_WALLET_BOOK_H
#define CC_WALLET_BOOK_H

#include "consensus/tx.h"
#include "wallet/keys.h"

struct cc_undo;
struct cc_block;

/* One transaction that pays to us or from us. Owned by the book; read-only
 * outside. */
struct cc_wallet_tx {
    struct cc_tx tx;
    uint64_t order;    /* rises by one per arrival */
    int64_t time;      /* received, or of the block if that is earlier */
    int32_t height;    /* -1: not in a block */
    uint8_t block[32]; /* if height >= 0; or of the conflict */
    uint32_t position; /* in the block */
    int64_t block_time;
    int32_t conflict; /* height of the block that made it impossible, -1 */
    bool in_mempool;
    bool abandoned; /* will not be sent again: its inputs are free */
    bool generated; /* a coinbase, or it carries a CLAIM */
    bool ours;      /* made by this wallet */
    bool fee_known;
    cc_amount fee;      /* if fee_known */
    uint32_t ours_out;  /* number of outputs that pay to us */
    char *comment, *to; /* NULL: none */
};

/* An output of ours. */
struct cc_wallet_coin {
    struct cc_outpoint outpoint;
    cc_amount value;
    struct cc_wallet_key key;
    const struct cc_wallet_tx *from;
    int64_t depth;
    bool safe;   /* confirmed, or ours throughout */
    bool locked; /* lockunspent */
};

struct cc_balance {
    cc_amount trusted, pending, immature;
};

struct cc_book;

/* maturity: of coinbases. keys is borrowed: outputs found move its counters.
 * max_money bounds sums. */
struct cc_book *cc_book_new(struct cc_wallet_keys *keys,
                            const struct cc_params *params);
void cc_book_free(struct cc_book *b);
/* Whoever is to be told of a transaction that came or changed. */
void cc_book_listen(struct cc_book *b,
                    void (*changed)(void *arg, const struct cc_wallet_tx *tx),
                    void *arg);
/* The same keys in another object. */
void cc_book_set_keys(struct cc_book *b, struct cc_wallet_keys *keys);

/* --- Being told ---------------------------------------------------------- */

/* Depths count from here. */
void cc_book_set_tip(struct cc_book *b, int32_t height);
int32_t cc_book_tip(const struct cc_book *b);

/* A block on top. coins: what each transaction but the coinbase spends (of
 * undo). True if anything of ours was in it. */
bool cc_book_connect(struct cc_book *b, int32_t height, const uint8_t hash[32],
                     const struct cc_block *block, const struct cc_undo *undo);
bool cc_book_disconnect(struct cc_book *b, int32_t height,
                        const uint8_t hash[32]);
/* Into the mempool (if it concerns us, then true), and out of it. */
bool cc_book_mempool_add(struct cc_book *b, const struct cc_tx *tx, bool claim,
                         cc_amount fee, int64_t now);
void cc_book_mempool_remove(struct cc_book *b, const uint8_t txid[32]);
/* Give up on one that no block and no mempool has, and on what spends it: its
 * inputs are free again. Undone if it turns up after all. False: a block or
 * the mempool has it, a block made it impossible, or it is unknown. */
bool cc_book_abandon(struct cc_book *b, const uint8_t txid[32]);
/* A transaction we made, before the mempool has it. */
const struct cc_wallet_tx *cc_book_add_ours(struct cc_book *b,
                                            const struct cc_tx *tx,
                                            cc_amount fee, bool fee_known,
                                            int64_t now, const char *comment,
                                            const char *to);
/* Undo that at once, the book untouched in between: it could not be kept. */
void cc_book_forget(struct cc_book *b, const uint8_t txid[32]);

/* Records of transactions that changed since the last call, for the file:
 * fn(arg, tx) for each; NULL only forgets that they did. */
void cc_book_changed(struct cc_book *b,
                     void (*fn)(void *arg, const struct cc_wallet_tx *tx),
                     void *arg);
void cc_book_tx_write(struct cc_writer *w, const struct cc_wallet_tx *tx);
/* Puts one back; a later record of the same txid replaces it. */
enum cc_status cc_book_tx_read(struct cc_book *b, struct cc_bytes record,
                               struct cc_error *err);
/* After all of them: which transactions of the file stand on blocks of the
 * present chain? holds(arg, height, hash) says. */
void cc_book_review(struct cc_book *b,
                    bool (*holds)(void *arg, int32_t height,
                                  const uint8_t hash[32]),
                    void *arg);

/* --- Asking -------------------------------------------------------------- */

size_t cc_book_count(const struct cc_book *b);
/* In order of arrival. */
const struct cc_wallet_tx *cc_book_at(const struct cc_book *b, size_t i);
const struct cc_wallet_tx *cc_book_find(const struct cc_book *b,
                                        const uint8_t txid[32]);
/* Confirmations; 0: none, negative: a conflict is that deep. */
int64_t cc_book_depth(const struct cc_book *b, const struct cc_wallet_tx *tx);
/* Blocks until a generated transaction may be spent; 0: now. */
int64_t cc_book_immature(const struct cc_book *b,
                         const struct cc_wallet_tx *tx);
bool cc_book_trusted(const struct cc_book *b, const struct cc_wallet_tx *tx);
/* Is it spent by a transaction that stands or may yet? */
bool cc_book_spent(const struct cc_book *b, const struct cc_outpoint *o);
/* Our output that o names; false: not ours or unknown. */
bool cc_book_output(const struct cc_book *b, const struct cc_outpoint *o,
                    struct cc_wallet_coin *out);
/* Sum of our outputs that tx spends; of those it makes. inputs (may be NULL):
 * how many inputs are ours. */
cc_amount cc_book_debit(const struct cc_book *b, const struct cc_tx *tx,
                        size_t *inputs);
cc_amount cc_book_credit(const struct cc_book *b, const struct cc_tx *tx);
/* Those in the wallet that spend an input of tx too, by txid. */
size_t cc_book_conflicts(const struct cc_book *b, const struct cc_wallet_tx *tx,
                         uint8_t (*out)[32], size_t room);

void cc_book_balance(const struct cc_book *b, int64_t min_depth,
                     struct cc_balance *out);
/* Unspent outputs of ours that could be spent now (in a block and mature, or
 * in the mempool), locked ones too, with immature also those that are not yet
 * mature; the caller frees *out. */
size_t cc_book_coins(const struct cc_book *b, bool immature,
                     struct cc_wallet_coin **out);

/* lockunspent: in memory only. False if it was (un)locked already. */
bool cc_book_lock(struct cc_book *b, const struct cc_outpoint *o, bool lock);
bool cc_book_is_locked(const struct cc_book *b, const struct cc_outpoint *o);
void cc_book_unlock_all(struct cc_book *b);
size_t cc_book_locked(const struct cc_book *b, struct cc_outpoint **out);

/* Labels of scripts ("" is one): set, and NULL if there is none. */
void cc_book_set_label(struct cc_book *b, struct cc_bytes script,
                       const char *label);
const char *cc_book_label(const struct cc_book *b, struct cc_bytes script);
/* Every label; fn returns false to stop. */
void cc_book_each_label(const struct cc_book *b,
                        bool (*fn)(void *arg, struct cc_bytes script,
                                   const char *label),
                        void *arg);
/* Change: ours, of the change chain, without a label. */
bool cc_book_is_change(const struct cc_book *b, struct cc_bytes script);

#endif
