/*
 * wallet.h: the wallets of a node: our keys, our coins, spending them.
 *
 * struct cc_wallets holds every loaded wallet and listens to chain and
 * mempool, so that each knows its coins. A wallet is one file
 * (wallet/file.h), <directory>/<name>/wallet.dat; the wallet named "" is
 * <directory>/wallet.dat. All keys come from BIP 39 words (wallet/keys.h), so
 * words and a birthday bring everything back but labels and comments.
 *
 * Threads: one lock over all wallets, taken after the chain's.
 * cc_wallets_lock() takes both; calls marked "locked" are made inside, and a
 * struct cc_wallet * is good until cc_wallets_unlock(). Calls marked "free"
 * are made outside, because they take long: they lock by themselves in
 * between. One thread of its own locks keys again in time, writes what is
 * pending and offers our unconfirmed transactions to the mempool anew.
 *
 * Durability: what a caller was told (an address, a transaction sent) is on
 * disk before the answer. What came from blocks may be written later: after
 * a crash the wallet goes on from the last block it wrote.
 */
#ifndef CC_WALLET_WALLET_H
#define CC_WALLET_WALLET_H

#include "mempool/mempool.h"
#include "wallet/book.h"
#include "wallet/keys.h"

struct cc_clock;
struct cc_ec;
struct cc_log;
struct cc_wallet;
struct cc_wallets;

#define CC_WALLET_NAME_MAX 128

struct cc_wallets_config {
    struct cc_chain *chain;     /* borrowed, as all here; listened to */
    struct cc_mempool *mempool; /* listened to */
    /* Tell the network of a transaction that we put into the pool; under any
     * lock. NULL: nobody is told. */
    void (*broadcast)(void *arg, const uint8_t txid[32]);
    void *broadcast_arg;
    /* Told of a transaction of a wallet that came or changed, under any lock.
     * NULL: nobody is. */
    void (*changed)(void *arg, const char *wallet,
                    const struct cc_wallet_tx *tx);
    void *changed_arg;
    const struct cc_ec *ec;
    struct cc_clock *clock;
    struct cc_log *log;         /* may be NULL */
    const char *directory;      /* -walletdir: <datadir>/<chain>/wallets */
    cc_amount fallback_feerate; /* -fallbackfee, per 1000 vbytes; 0: none */
    cc_amount min_feerate;      /* -mintxfee */
    cc_amount discard_feerate;  /* -discardfee: change worth less is fee */
    cc_amount dust_feerate;     /* -dustrelayfee */
    cc_amount pay_feerate;      /* -paytxfee; 0: not set */
    cc_amount max_fee;          /* -maxtxfee */
    bool signal_rbf;            /* -walletrbf */
    bool spend_unconfirmed;     /* -spendzeroconfchange */
};

/* bitcoind's defaults, but a fallback feerate where storage is active; the
 * caller sets the pointers. */
void cc_wallets_config_init(struct cc_wallets_config *c,
                            const struct cc_params *params);

/* Makes the directory. Adds the listeners: before threads start. */
enum cc_status cc_wallets_new(struct cc_wallets **out,
                              const struct cc_wallets_config *config,
                              struct cc_error *err);
/* Writes and unloads all. The chain must not move meanwhile or after. */
void cc_wallets_free(struct cc_wallets *ws);
const struct cc_wallets_config *cc_wallets_config(const struct cc_wallets *ws);

void cc_wallets_lock(struct cc_wallets *ws);
void cc_wallets_unlock(struct cc_wallets *ws);

/* --- Wallets ------------------------------------------------------------- */

/* Is this a name that we take: a folder's name of at most CC_WALLET_NAME_MAX
 * bytes without '/' and control characters? "" is one. */
bool cc_wallet_name_valid(const char *name);

struct cc_wallet_create {
    const char *words;            /* NULL: fresh ones */
    unsigned word_count;          /* of fresh ones: 12 or 24 */
    const char *words_passphrase; /* BIP 39; NULL: none */
    const char *passphrase;       /* encrypt with it; NULL or "": do not */
    /* Height from which given words may have been paid; the chain is scanned
     * from there. -1: as of now, nothing to scan. */
    int64_t birthday;
};

/* Free. A new wallet, loaded. CC_INVALID for words that are none and names
 * we do not take, CC_LIMIT if the name is taken. A scan that was cut short
 * goes on when the wallet is loaded next. */
enum cc_status cc_wallets_create(struct cc_wallets *ws, const char *name,
                                 const struct cc_wallet_create *how,
                                 struct cc_error *err);
/* Free. Reads the file and catches up with the chain. CC_NOTFOUND: no such
 * file; CC_LIMIT: it is loaded; CC_CORRUPT: it is damaged; CC_INVALID: it is
 * of another chain. */
enum cc_status cc_wallets_load(struct cc_wallets *ws, const char *name,
                               struct cc_error *err);
/* Free. A new wallet from a backup's file, loaded. As cc_wallets_load, and
 * CC_LIMIT with reason "exists": the name is taken. */
enum cc_status cc_wallets_restore(struct cc_wallets *ws, const char *name,
                                  const char *backup, struct cc_error *err);
/* Free. CC_NOTFOUND; CC_LIMIT: it is being scanned. */
enum cc_status cc_wallets_unload(struct cc_wallets *ws, const char *name,
                                 struct cc_error *err);
/* Free. Copies the wallet's present state to a file. */
enum cc_status cc_wallets_backup(struct cc_wallets *ws, const char *name,
                                 const char *path, struct cc_error *err);
/* Names of wallets in the directory, loaded or not, sorted; cc_fs_list_free. */
enum cc_status cc_wallets_list_dir(struct cc_wallets *ws, char ***names,
                                   size_t *count, struct cc_error *err);

/* Free. Look at the blocks [from, to] (to -1: tip) again. *last: the last
 * block that was seen, -1 if none. CC_LIMIT: with reason "scanning" another
 * scan is running, with "aborted" this one was ended. */
enum cc_status cc_wallets_rescan(struct cc_wallets *ws, const char *name,
                                 int64_t from, int64_t to, int64_t *last,
                                 struct cc_error *err);

/* Locked. End a running scan soon; false: none runs. */
bool cc_wallet_abort_scan(struct cc_wallet *w);

/* Locked. Wallet i in order of loading, NULL past the last. */
struct cc_wallet *cc_wallets_at(struct cc_wallets *ws, size_t i);
struct cc_wallet *cc_wallets_find(struct cc_wallets *ws, const char *name);

/* --- One wallet: all locked ---------------------------------------------- */

const char *cc_wallet_name(const struct cc_wallet *w);
struct cc_wallet_keys *cc_wallet_keys(struct cc_wallet *w);
struct cc_book *cc_wallet_book(struct cc_wallet *w);
/* Progress of a running scan, 0 to 1; negative: none runs. *seconds: how
 * long it has been running. */
double cc_wallet_scanning(const struct cc_wallet *w, int64_t *seconds);
/* Height from which the chain was scanned for it; unix time of making. */
int64_t cc_wallet_birthday(const struct cc_wallet *w);
int64_t cc_wallet_made(const struct cc_wallet *w);
/* The last block it knows of; NULL before any. */
const struct cc_index *cc_wallet_synced(const struct cc_wallet *w);
/* settxfee: per 1000 vbytes, 0: none. Not kept over a restart. */
cc_amount cc_wallet_pay_feerate(const struct cc_wallet *w);
void cc_wallet_set_pay_feerate(struct cc_wallet *w, cc_amount feerate);
/* A key of a chain, never handed out before, and durable as such. label (may
 * be NULL) is kept with it. */
enum cc_status cc_wallet_new_key(struct cc_wallet *w, enum cc_key_chain chain,
                                 const char *label, struct cc_wallet_key *out,
                                 struct cc_error *err);
/* Key number index and all before it count as handed out. */
enum cc_status cc_wallet_use_key(struct cc_wallet *w, enum cc_key_chain chain,
                                 uint32_t index, struct cc_wallet_key *out,
                                 struct cc_error *err);
/* Its label, durable. */
enum cc_status cc_wallet_set_label(struct cc_wallet *w, struct cc_bytes script,
                                   const char *label, struct cc_error *err);

/* Free, all three: they take a while on purpose (scrypt). CC_INVALID with
 * reason "passphrase": it is wrong; "state": the wallet is (not) encrypted.
 * timeout_s is cut at 100,000,000. */
enum cc_status cc_wallets_encrypt(struct cc_wallets *ws, const char *name,
                                  const char *passphrase, struct cc_error *err);
enum cc_status cc_wallets_change_passphrase(struct cc_wallets *ws,
                                            const char *name, const char *old,
                                            const char *fresh,
                                            struct cc_error *err);
enum cc_status cc_wallets_unlock_keys(struct cc_wallets *ws, const char *name,
                                      const char *passphrase, int64_t timeout_s,
                                      struct cc_error *err);
/* Locked. */
void cc_wallet_lock_keys(struct cc_wallet *w);
/* Unix seconds when keys are locked again; 0: they are. */
int64_t cc_wallet_unlocked_until(const struct cc_wallet *w);

/* --- Spending ------------------------------------------------------------ */

struct cc_payment {
    struct cc_bytes script;
    cc_amount value;
    bool subtract_fee; /* this output bears (its share of) the fee */
};

/* All zero but the pointers means: as the wallet's options say. */
struct cc_spend {
    const struct cc_payment *payments;
    size_t payment_count;
    /* Inputs that must be there, in this order before all others. Their coins
     * are looked up if coins is NULL. weights: 0 for "ours"; others must be
     * told what their input will weigh. */
    const struct cc_outpoint *inputs;
    const struct cc_coin *coins;
    const uint32_t *sequences; /* NULL: by the wallet's choice */
    const size_t *weights;
    size_t input_count;
    bool no_more_inputs; /* nothing beside them */
    cc_amount feerate;   /* per 1000 vbytes; 0: settxfee or the fallback */
    struct cc_bytes change_script; /* empty: a fresh change key */
    int change_position;           /* -1: any place */
    int rbf;                       /* 0: -walletrbf, 1: yes, -1: no */
    uint32_t locktime;             /* with set_locktime; else by the wallet */
    bool set_locktime;
    int32_t version;              /* 0: 2 */
    bool include_unsafe;          /* unconfirmed coins of others too */
    int64_t min_depth, max_depth; /* 0: any */
    bool lock_inputs;             /* lockunspent what was picked */
    cc_amount extra_in; /* beside the coins: minted or released value */
};

/* What cc_wallet_build made: owned, cc_built_clear. Unsigned inputs have
 * neither scriptSig nor witness. */
struct cc_built {
    struct cc_tx tx;
    struct cc_coin *coins; /* in order of tx.vin; scripts in arena */
    cc_amount fee;
    int change_position; /* -1: none */
    struct cc_wallet_key change_key;
    bool change_is_ours; /* change_key is a key not yet marked as used */
    struct cc_arena arena;
};
void cc_built_clear(struct cc_built *b);

/* Pick coins, add change, leave it unsigned. CC_LIMIT with reason "funds":
 * not enough; CC_INVALID: the sentence is Core's. Nothing is marked. */
enum cc_status cc_wallet_build(struct cc_wallet *w, const struct cc_spend *s,
                               struct cc_built *out, struct cc_error *err);

/* Never hand out again the key that b's change goes to; durable. Not needed
 * before cc_wallet_commit. */
enum cc_status cc_wallet_reserve_change(struct cc_wallet *w,
                                        const struct cc_built *b,
                                        struct cc_error *err);

/* Sign every input whose coin is ours. type: CC_SIGHASH_*. signed_count (may
 * be NULL) tells how many. CC_INVALID with reason "locked" if keys are. */
enum cc_status cc_wallet_sign(struct cc_wallet *w, struct cc_tx *tx,
                              const struct cc_coin *coins, uint8_t type,
                              size_t *signed_count, struct cc_error *err);

/* A finished transaction of ours: judged by the mempool, kept durably, then
 * given to the mempool, which tells the peers. comment and to may be NULL. */
enum cc_status cc_wallet_commit(struct cc_wallet *w, const struct cc_tx *tx,
                                const char *comment, const char *to,
                                struct cc_error *err);

/* Give up on a transaction, durably (cc_book_abandon). CC_INVALID: it cannot
 * be. */
enum cc_status cc_wallet_abandon(struct cc_wallet *w, const uint8_t txid[32],
                                 struct cc_error *err);

/* The coin at an outpoint as this wallet can see it: its own, the chain's or
 * the mempool's, spent by the mempool or not. CC_NOTFOUND. */
enum cc_status cc_wallet_find_coin(struct cc_wallet *w,
                                   const struct cc_outpoint *o,
                                   struct cc_coin *coin, struct cc_arena *arena,
                                   struct cc_error *err);

#endif
