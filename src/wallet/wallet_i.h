/* wallet_i.h: what the .c files of this floor share. */
#ifndef CC_WALLET_WALLET_I_H
#define CC_WALLET_WALLET_I_H

#include <pthread.h>

#include "wallet/file.h"
#include "wallet/wallet.h"

#define CC_WALLET_SCRYPT_COST 15 /* 32 MiB, a tenth of a second */

enum record_type {
    RECORD_META = 1,  /* version 1, birthday 8, made 8 */
    RECORD_KEYS = 2,  /* cc_wallet_keys_write */
    RECORD_NEXT = 3,  /* chain 1, next 4 */
    RECORD_TX = 4,    /* cc_book_tx_write */
    RECORD_LABEL = 5, /* script, label, each with its compact size */
    RECORD_SYNC = 6,  /* count 1, block hashes: a locator */
};

struct cc_wallet {
    struct cc_wallets *ws;
    char *name;
    struct cc_wallet_file *file;
    struct cc_wallet_keys *keys;
    struct cc_book *book;
    int64_t birthday, made;
    const struct cc_index *synced; /* NULL: not even genesis */
    uint32_t saved_next[CC_CHAINS];
    cc_amount pay_feerate;
    /* what is not in the file yet */
    bool moved;   /* synced */
    bool changed; /* more than that: to be written within a second */
    bool renew;   /* the file must be written as a whole */
    int64_t locked_at_ms, unlocked_until; /* monotonic, unix; 0: locked */
    bool scanning, abort_scan;
    double progress;
    int64_t scan_started_ms;
};

struct cc_wallets {
    struct cc_wallets_config config;
    const struct cc_params *params;
    char *directory;
    struct cc_wallet **list;
    size_t count, cap;
    pthread_mutex_t lock; /* recursive; after the chain's */
    /* After a block went, the mempool has dropped what was not final below
     * it. Until the chain is well past that height, each new tip is a reason
     * to offer our transactions again. */
    bool tip_moved, retry;
    uint32_t retry_to;
    pthread_t thread;
    pthread_mutex_t sleep_lock;
    pthread_cond_t sleep;
    bool stop;
};

/* Write what is not in the file yet, durably. */
enum cc_status cc_wallet_flush(struct cc_wallet *w, struct cc_error *err);
char *cc_wallet_path(const struct cc_wallets *ws, const char *name);
/* The whole state into an empty file's pending records. */
void cc_wallet_snapshot(struct cc_wallet *w);
enum cc_status cc_wallet_open_file(struct cc_wallet *w, struct cc_error *err);
/* Chain locked: everything above fork is to be looked at again. */
void cc_wallet_goto_fork(struct cc_wallet *w, const struct cc_index *fork);
struct cc_wallet *cc_wallet_alloc(struct cc_wallets *ws, const char *name);
void cc_wallet_dealloc(struct cc_wallet *w);

/* Free of locks: bring a wallet that is not in the list up to the tip, then
 * put it there (under the lock). */
enum cc_status cc_wallet_attach(struct cc_wallet *w, struct cc_error *err);
/* Locked: give the mempool our transactions that it lacks. */
void cc_wallet_resubmit(struct cc_wallet *w);
/* Have the network told of a transaction of ours that entered the pool. */
void cc_wallet_broadcast(struct cc_wallet *w, const uint8_t txid[32]);

/* The least an output with this script may hold to be relayed. */
cc_amount cc_wallet_dust(const struct cc_wallets_config *c,
                         struct cc_bytes script);

/* Locked. The wallet of that name, or CC_NOTFOUND. */
enum cc_status cc_wallets_get(struct cc_wallet **out, struct cc_wallets *ws,
                              const char *name, struct cc_error *err);
/* Locked. One that no scan is at work on; else CC_LIMIT, "scanning". */
enum cc_status cc_wallets_get_idle(struct cc_wallet **out,
                                   struct cc_wallets *ws, const char *name,
                                   struct cc_error *err);
/* cc_fail with a reason to go by. */
enum cc_status cc_wallet_refuse(struct cc_error *err, enum cc_status st,
                                const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
