/*
 * mempool.h: transactions waiting for a block.
 *
 * Threads: guarded by the chain's lock (cc_chain_lock); every call takes it.
 * Pointers into the pool are good while the lock is held.
 */
#ifndef CC_MEMPOOL_MEMPOOL_H
#define CC_MEMPOOL_MEMPOOL_H

#include "chain/chain.h"

struct cc_mempool;

struct cc_mempool_config {
    struct cc_chain *chain; /* borrowed; a listener is added to it */
    size_t max_bytes;       /* -maxmempool, memory */
    size_t known_bytes;     /* -maxsigcachesize: to know whose scripts held */
    int64_t expiry_s;       /* -mempoolexpiry */
    cc_amount min_relay_feerate, incremental_feerate, dust_feerate; /* /kvB */
    bool require_standard, full_rbf, bare_multisig;
    size_t datacarrier_bytes;                  /* 0: none */
    unsigned ancestor_limit, descendant_limit; /* counts */
    /* Virtual bytes; 0: 101,000. */
    size_t ancestor_size_limit, descendant_size_limit;
    unsigned bytes_per_sigop; /* CC_BYTES_PER_SIGOP */
    /* -checkmempool: audit once in so many changes, 0 never; bounded: seldomer
     * in a large pool. */
    uint64_t check;
    bool check_bounded;
    bool print_priority;         /* log what goes into a block */
    bool persist_v1;             /* mempool.dat without the mask */
    size_t block_max_weight;     /* of templates; 0: 3,996,000 */
    cc_amount block_min_feerate; /* a package that pays less stays out */
    int32_t block_version;       /* 0: as BIP 9 has it */
    int64_t (*now)(void *arg);
    void *now_arg;
    struct cc_log *log;
};

struct cc_mempool_entry {
    struct cc_tx tx;          /* owned */
    cc_amount fee, fee_delta; /* delta: prioritisetransaction */
    int64_t sigop_cost;
    size_t vsize;      /* sigop-adjusted */
    int64_t time;      /* unix seconds */
    uint32_t height;   /* tip when it came */
    uint64_t sequence; /* order of arrival; those who leave count too */
    bool typed;
    bool returned; /* of a block that was taken back: it is no secret */
    struct cc_storage_facts facts;
    cc_amount mint;
    uint32_t claims;
    /* with itself */
    size_t ancestor_count, ancestor_size, descendant_count, descendant_size;
    cc_amount ancestor_fees, descendant_fees;
    bool unbroadcast;
};

enum cc_mempool_leave {
    CC_LEAVE_BLOCK,
    CC_LEAVE_CONFLICT,
    CC_LEAVE_REPLACED,
    CC_LEAVE_EXPIRY,
    CC_LEAVE_SIZELIMIT,
    CC_LEAVE_REORG,
    CC_LEAVE_FACTS,
};

/* Told under the lock. */
struct cc_mempool_listener {
    void *arg;
    void (*added)(void *arg, const struct cc_mempool_entry *e);
    void (*removed)(void *arg, const struct cc_mempool_entry *e,
                    enum cc_mempool_leave why);
};

struct cc_mempool *cc_mempool_new(const struct cc_mempool_config *config);
void cc_mempool_free(struct cc_mempool *m);
void cc_mempool_listen(struct cc_mempool *m,
                       const struct cc_mempool_listener *l);

struct cc_mempool_accept {
    cc_amount fee, modified; /* without and with prioritisetransaction */
    size_t vsize;
    size_t replaced;
};
/* Judge and add (test: judge only). CC_INVALID with Core's reasons:
 * "txn-already-in-mempool", "min relay fee not met", ...; inputs that we do
 * not know: "bad-txns-inputs-missingorspent" and CC_VERDICT_MISSING_INPUTS.
 * A storage transaction that comes a block too early is refused likewise
 * (CC_VERDICT_CONTEXT), and tried again by itself after the next block. */
enum cc_status cc_mempool_add(struct cc_mempool *m, const struct cc_tx *tx,
                              bool test, struct cc_mempool_accept *out,
                              struct cc_error *err);

#define CC_MAX_PACKAGE_COUNT 25

struct cc_mempool_package_item {
    bool judged; /* false: another failed first */
    enum cc_status status;
    struct cc_error err;
    struct cc_mempool_accept accept;
};
/* Judge transactions that may spend each other, parents first, without adding
 * them. CC_INVALID ("package-not-sorted", "package-mempool-limits", ...) is
 * about all of them, and items says nothing then; else CC_OK, and items says
 * what becomes of each. Nothing is replaced. */
enum cc_status cc_mempool_test_package(struct cc_mempool *m,
                                       const struct cc_tx *txs, size_t count,
                                       struct cc_mempool_package_item *items,
                                       struct cc_error *err);

enum cc_mempool_submit_result {
    CC_SUBMIT_NOT_JUDGED,
    CC_SUBMIT_ENTERED,
    CC_SUBMIT_THERE,         /* it was in the pool before */
    CC_SUBMIT_OTHER_WITNESS, /* or its like with another witness was */
    CC_SUBMIT_REFUSED,
};
struct cc_mempool_submit_item {
    enum cc_mempool_submit_result result;
    struct cc_error err;     /* REFUSED */
    uint8_t other_wtxid[32]; /* OTHER_WITNESS */
    size_t vsize;            /* ENTERED, THERE */
    cc_amount fee;
    cc_amount paid; /* ENTERED: at this fee, with deltas, for this size */
    size_t paid_vsize;
    bool together; /* which is of all that have this flag */
};
struct cc_mempool_submitted {
    struct cc_mempool_submit_item items[CC_MAX_PACKAGE_COUNT];
    uint8_t (*replaced)[32]; /* txids */
    size_t replaced_count;
};
/* Is the last one a child of all others, none of which spends another? */
bool cc_mempool_is_family(const struct cc_tx *txs, size_t count);
/* Add such a family; the child may pay for its parents. CC_OK: all are in the
 * pool. CC_INVALID: not all; err is Core's word on the package. out is filled
 * in any case. */
enum cc_status cc_mempool_submit_package(struct cc_mempool *m,
                                         const struct cc_tx *txs, size_t count,
                                         struct cc_mempool_submitted *out,
                                         struct cc_error *err);
void cc_mempool_submitted_clear(struct cc_mempool_submitted *s);

const struct cc_mempool_entry *cc_mempool_find(struct cc_mempool *m,
                                               const uint8_t txid[32]);
const struct cc_mempool_entry *cc_mempool_find_wtxid(struct cc_mempool *m,
                                                     const uint8_t wtxid[32]);
/* Who spends this output in the pool; NULL if nobody. */
const struct cc_mempool_entry *cc_mempool_spender(struct cc_mempool *m,
                                                  const struct cc_outpoint *o);
void cc_mempool_each(struct cc_mempool *m,
                     bool (*fn)(void *arg, const struct cc_mempool_entry *e),
                     void *arg);
/* Direct parents / children, or with deep all of them. */
void cc_mempool_relatives(
    struct cc_mempool *m, const uint8_t txid[32], bool descendants, bool deep,
    bool (*fn)(void *arg, const struct cc_mempool_entry *e), void *arg);
/* A coin as the pool sees it: of the chain or of a transaction in the pool
 * (height = tip + 1), unspent by the pool. CC_NOTFOUND. */
enum cc_status cc_mempool_coin(struct cc_mempool *m,
                               const struct cc_outpoint *o,
                               struct cc_coin *coin, struct cc_arena *arena,
                               struct cc_error *err);

struct cc_mempool_stats {
    size_t count, bytes, usage, max_bytes;
    cc_amount total_fee, min_feerate, min_relay_feerate, incremental_feerate;
    uint64_t sequence;
    size_t unbroadcast;
    bool full_rbf;
    /* Of the last block put together here, without its coinbase, whose room
     * counts; weight 0: there was none. */
    size_t block_txs, block_weight;
};
void cc_mempool_stats(struct cc_mempool *m, struct cc_mempool_stats *out);
/* Adds to the fee that counts here; the sum stays within what money there is,
 * either way. */
void cc_mempool_prioritise(struct cc_mempool *m, const uint8_t txid[32],
                           cc_amount delta);
/* Deltas that were set, in the pool or not, in no order; return false to
 * stop. */
void cc_mempool_each_delta(struct cc_mempool *m,
                           bool (*fn)(void *arg, const uint8_t txid[32],
                                      cc_amount delta),
                           void *arg);
/* Number of changes so far: getblocktemplate's longpoll. Takes no lock. */
uint64_t cc_mempool_changes(struct cc_mempool *m);
/* Ours: announced again and again, over restarts too, until a peer asked for
 * it, which _set_broadcast says. */
void cc_mempool_set_unbroadcast(struct cc_mempool *m, const uint8_t txid[32]);
void cc_mempool_set_broadcast(struct cc_mempool *m, const uint8_t txid[32]);
/* Works out anew all that the pool keeps: CC_CORRUPT with a sentence if it is
 * not so. For tests and -checkmempool. */
enum cc_status cc_mempool_audit(struct cc_mempool *m, struct cc_error *err);
/* mempool.dat, Core's format (version 2, or 1 with persist_v1). Load adds what
 * is still good and not expired; CC_NOTFOUND if there is no file, CC_CORRUPT if
 * it does not decode (what came before is kept). */
enum cc_status cc_mempool_save(struct cc_mempool *m, const char *path,
                               struct cc_error *err);
enum cc_status cc_mempool_load(struct cc_mempool *m, const char *path,
                               struct cc_error *err);
/* Such a file of somewhere else: when its transactions came (or now, with
 * current_time), and of what it says beside them what is wanted. */
struct cc_mempool_import {
    bool current_time, deltas, unbroadcast;
};
enum cc_status cc_mempool_import(struct cc_mempool *m, const char *path,
                                 const struct cc_mempool_import *how,
                                 struct cc_error *err);

#endif
