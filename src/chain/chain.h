/*
 * chain.h: the chain a node believes in: block index, coins, block files, and
 * the one place where the tip moves.
 *
 * Threads: one recursive lock guards all state (cc_chain_lock); every call
 * here takes it itself, a caller holds it to see several answers of one
 * moment. Index entries are never freed before cc_chain_free, and their
 * fields named "fixed" may be read without the lock; who does not hold it
 * asks cc_chain_look for the others. No call knows peers.
 *
 * What moves the tip (accept_block, invalidate, reconsider, precious) does so
 * for one caller at a time, and lets go of the lock while it reads a block,
 * runs its scripts or writes a batch, wherever the state others see is whole
 * and no worse than before. So it is never called with the lock held.
 *
 * Durability: one database batch moves the tip (coins, undo position, index
 * status, storage state together), after block and undo bytes are synced. So
 * whatever instant the process dies, the node starts at some tip it once had.
 * A call that moves or stores something returns after that batch is synced:
 * what it answered holds. Two exceptions, where a batch covers several blocks:
 * while the node knows of many more headers than blocks (catching up), and
 * between cc_chain_hold and cc_chain_release (generating many).
 */
#ifndef CC_CHAIN_CHAIN_H
#define CC_CHAIN_CHAIN_H

#include <stdatomic.h>

#include "chain/db.h"
#include "consensus/check.h"

struct cc_chain;

enum cc_index_status {
    CC_INDEX_HEADER = 1,        /* header is valid */
    CC_INDEX_DATA = 2,          /* block bytes are on disk */
    CC_INDEX_UNDO = 4,          /* undo bytes are on disk */
    CC_INDEX_VALID = 8,         /* was connected once: scripts are good */
    CC_INDEX_FAILED = 16,       /* breaks a rule */
    CC_INDEX_FAILED_CHILD = 32, /* descends from such a block */
    CC_INDEX_PRUNED = 64,       /* was on the active chain when its data went */
};

struct cc_index {
    /* fixed */
    uint8_t hash[32];
    struct cc_header header;
    struct cc_index *prev; /* NULL for genesis */
    struct cc_index *skip; /* far ancestor, for cc_index_ancestor */
    uint32_t height;
    struct cc_u256 work; /* of the whole chain up to here */
    int64_t median_time; /* of the 11 blocks ending here */
    uint32_t time_max;
    /* under the lock */
    unsigned status;
    uint32_t tx_count; /* 0 while the data was never here */
    uint64_t chain_tx; /* up to here; 0 while any data is missing, pruned or
                        * not, but for pruned blocks of the active chain */
    uint32_t file, data_pos, undo_pos, size;
    int64_t sequence; /* order of arrival: first seen wins a tie of work */
    struct cc_mint_state state; /* S(height), once connected */
    /* of the index itself */
    uint32_t undo_size;
    bool dirty, candidate;
    bool stored; /* the database says that its data are there, or were */
    struct cc_index *child, *sibling; /* known children, a list */
};

/* One transaction's spent coins, in order of vin; of a block without its
 * coinbase. */
struct cc_tx_undo {
    struct cc_coin *coins;
    size_t count;
};
struct cc_undo {
    struct cc_tx_undo *tx; /* block->tx_count - 1 */
    size_t count;
    struct cc_arena arena;
};
void cc_undo_clear(struct cc_undo *u);

/* Told under the lock, in order. connected and disconnected: once per block
 * as the tip walks; tip: after the last of a series. Never call back into
 * functions that move the tip. */
struct cc_chain_listener {
    void *arg;
    void (*connected)(void *arg, const struct cc_index *index,
                      const struct cc_block *block, const struct cc_undo *undo);
    void (*disconnected)(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo);
    void (*tip)(void *arg, const struct cc_index *tip);
    /* A block was judged, good or not, when connecting was tried. */
    void (*checked)(void *arg, const uint8_t hash[32], enum cc_status st,
                    const struct cc_error *err);
    /* NULL, or the name of an index that is made of the blocks told: the last
     * ones are not pruned before it has had time to go back over them. */
    const char *index;
};

/* Core's levels of -checklevel; each does what those before it do, too. */
enum cc_verify_level {
    CC_VERIFY_READ,      /* the block is there, with its Merkle root */
    CC_VERIFY_RULES,     /* it keeps the rules of a block alone */
    CC_VERIFY_UNDO_DATA, /* what undoes it is there */
    CC_VERIFY_COINS,     /* it is undone, on a copy of the coins */
    CC_VERIFY_CONNECT,   /* and connected again */
};

struct cc_chain_config {
    const struct cc_params *params;
    const char *directory; /* <datadir>/<chain>: blocks/, chainstate/ inside */
    const char *blocks_directory; /* NULL: blocks/ there */
    size_t cache_bytes;           /* -dbcache */
    uint64_t batch_bytes; /* -dbbatchsize: write when there is so much; 0: when
                           * the cache is full */
    unsigned threads;     /* -par: script check workers, 0: this thread */
    int64_t (*now)(void *arg); /* unix seconds, mockable */
    void *now_arg;
    struct cc_log *log; /* may be NULL */
    bool reindex, reindex_chainstate;
    /* -checkblockindex: after one move in so many, see whether the tree of
     * headers agrees with itself; 0: never. */
    uint64_t check_index;
    /* 32 bytes, copied; NULL: none. Deep below this block and the best header
     * scripts and storage proofs are taken as good. */
    const uint8_t *assume_valid;
    bool prune; /* old block files may go */
    uint64_t
        prune_target; /* by itself, down to so many bytes; 0: only by hand */
    uint32_t prune_after;  /* not by itself before the tip is higher */
    bool small_files;      /* 64 KiB each, to try pruning with */
    uint32_t check_blocks; /* look at so many at start; 0: none */
    enum cc_verify_level check_level;
    uint32_t stop_height;  /* connect none after one of this height; 0: go on */
    int64_t max_tip_age_s; /* an older tip is still downloading; 0: a day */
    struct cc_fault fault; /* for tests; zero otherwise */
    const atomic_bool *stop; /* set: end long work soon; may be NULL */
};

/* What to tell the operator when the chain could not be saved; why is in the
 * log. */
#define CC_CHAIN_FATAL                                                         \
    "A fatal internal error occurred, see debug.log for details"

/* err is CC_CHAIN_FATAL where it could not be saved. */
enum cc_status cc_chain_open(struct cc_chain **out,
                             const struct cc_chain_config *config,
                             struct cc_error *err);
/* Was a block of stop_height, or above it, connected? */
bool cc_chain_reached(struct cc_chain *c);
/* Flushes, unless the chain has failed. */
void cc_chain_free(struct cc_chain *c);
/* Everything answered so far is durable when this returns CC_OK. */
enum cc_status cc_chain_flush(struct cc_chain *c, struct cc_error *err);
/* From here to the release (they nest), moves need not be durable one by one;
 * release flushes what there is. For who makes many blocks in one call. */
void cc_chain_hold(struct cc_chain *c);
enum cc_status cc_chain_release(struct cc_chain *c, struct cc_error *err);

void cc_chain_lock(struct cc_chain *c);
void cc_chain_unlock(struct cc_chain *c);
const struct cc_params *cc_chain_params(const struct cc_chain *c);
/* listener is copied; add before threads start. */
void cc_chain_listen(struct cc_chain *c, const struct cc_chain_listener *l);
/* known says under the lock whether the scripts of a transaction have held
 * under these flags before (the pool's have): its block then need not run them
 * again. Storage proofs are run always, since they depend on the branch. One
 * at a time; NULL: nobody. */
typedef bool (*cc_known_fn)(void *arg, const uint8_t wtxid[32], uint32_t flags);
void cc_chain_set_known(struct cc_chain *c, cc_known_fn known, void *arg);

/* --- Asking -------------------------------------------------------------- */

struct cc_index *cc_chain_tip(struct cc_chain *c);
struct cc_index *cc_chain_genesis(struct cc_chain *c);
/* Header with most work, connected or not, not known bad. */
struct cc_index *cc_chain_best_header(struct cc_chain *c);
struct cc_index *cc_chain_find(struct cc_chain *c, const uint8_t hash[32]);
/* On the active chain; NULL above the tip. */
struct cc_index *cc_chain_at(struct cc_chain *c, uint32_t height);
bool cc_chain_contains(struct cc_chain *c, const struct cc_index *i);
/* What changes of an entry, as it is at one moment. */
struct cc_index_look {
    unsigned status;
    uint32_t tx_count;
    uint64_t chain_tx;
    struct cc_mint_state state;
    bool active; /* on the active chain */
};
struct cc_index_look cc_chain_look(struct cc_chain *c,
                                   const struct cc_index *i);
/* No lock needed. */
struct cc_index *cc_index_ancestor(const struct cc_index *i, uint32_t height);
struct cc_index *cc_index_fork(struct cc_index *a, struct cc_index *b);
/* Is this node still catching up? (old tip or little work) */
bool cc_chain_in_ibd(struct cc_chain *c);
/* How much of the chain is connected up to tip, from 0 to 1, as far as one can
 * tell at this time. */
double cc_chain_progress(struct cc_chain *c, const struct cc_index *tip,
                         int64_t now);
size_t cc_chain_index_count(struct cc_chain *c);
/* Every index entry, in no order; return false to stop. Under the lock. */
void cc_chain_each(struct cc_chain *c,
                   bool (*fn)(void *arg, struct cc_index *i), void *arg);

/* BIP 130-style locator: up to 32 hashes from index (NULL: tip) backward. */
size_t cc_chain_locator(struct cc_chain *c, const struct cc_index *i,
                        uint8_t (*out)[32], size_t room);
/* Last common block of ours; genesis if none. */
struct cc_index *cc_chain_find_fork(struct cc_chain *c,
                                    const uint8_t (*locator)[32], size_t n);

/* CC_NOTFOUND: spent or never there. script is copied into arena. */
enum cc_status cc_chain_coin(struct cc_chain *c, const struct cc_outpoint *o,
                             struct cc_coin *coin, struct cc_arena *arena,
                             struct cc_error *err);
/* All coins in order of (txid, index), over a snapshot, without the lock held
 * meanwhile; return false to stop. */
enum cc_status cc_chain_each_coin(struct cc_chain *c,
                                  bool (*fn)(void *arg,
                                             const struct cc_outpoint *o,
                                             const struct cc_coin *coin),
                                  void *arg, struct cc_error *err);
/* The same; *at: the block that the coins are those after. */
enum cc_status cc_chain_each_coin_at(struct cc_chain *c, struct cc_index **at,
                                     bool (*fn)(void *arg,
                                                const struct cc_outpoint *o,
                                                const struct cc_coin *coin),
                                     void *arg, struct cc_error *err);
/* Typed coins (identities, contracts, seals) of the tip only. */
enum cc_status cc_chain_each_typed(struct cc_chain *c,
                                   bool (*fn)(void *arg,
                                              const struct cc_outpoint *o,
                                              const struct cc_coin *coin),
                                   void *arg, struct cc_error *err);
/* Those in which this x-only key has a part: its identity, contracts as renter
 * or host, seals. */
enum cc_status
cc_chain_each_typed_key(struct cc_chain *c, const uint8_t key[32],
                        bool (*fn)(void *arg, const struct cc_outpoint *o,
                                   const struct cc_coin *coin),
                        void *arg, struct cc_error *err);
/* The coin that now carries this name (kind, id); CC_NOTFOUND. For an
 * identity: highest sequence, then the oldest, then by outpoint. */
enum cc_status cc_chain_typed(struct cc_chain *c, enum cc_kind kind,
                              const uint8_t id[32], struct cc_outpoint *o,
                              struct cc_coin *coin, struct cc_arena *arena,
                              struct cc_error *err);

enum cc_status cc_chain_read_block(struct cc_chain *c, const struct cc_index *i,
                                   struct cc_block *out, struct cc_error *err);
/* As stored, malloc'd: for peers and RPC, without decoding. */
enum cc_status cc_chain_read_raw(struct cc_chain *c, const struct cc_index *i,
                                 uint8_t **data, size_t *len,
                                 struct cc_error *err);
enum cc_status cc_chain_read_undo(struct cc_chain *c, const struct cc_index *i,
                                  struct cc_undo *out, struct cc_error *err);
struct cc_chain_prune_info {
    bool on, automatic;
    uint64_t target;       /* bytes */
    uint32_t after, first; /* from here on up to the tip all data are here */
};
struct cc_chain_prune_info cc_chain_prune_info(struct cc_chain *c);
/* Was the data of this block here, and is gone? */
bool cc_chain_is_pruned(struct cc_chain *c, const struct cc_index *i);
/* Memory for the database's cache, and for coins. */
void cc_chain_cache_sizes(const struct cc_chain *c, uint64_t *db,
                          uint64_t *coins);
/* Bytes of blocks and undo data; of the coins in the database, about. */
uint64_t cc_chain_disk_size(struct cc_chain *c);
uint64_t cc_chain_state_size(struct cc_chain *c);

/* The view of the storage rules for a block on top of prev. arg keeps state:
 * owned by the caller while the view is used, under the lock. */
struct cc_chain_view {
    struct cc_chain *chain;
    const struct cc_index *prev;
};
struct cc_storage_view cc_chain_storage_view(struct cc_chain_view *v,
                                             struct cc_chain *c,
                                             const struct cc_index *prev);
/* Place of the block after prev. */
struct cc_place cc_chain_place(struct cc_chain *c, const struct cc_index *prev);

/* --- Moving -------------------------------------------------------------- */

/* Judge and remember a header. *out (may be NULL): its entry. */
enum cc_status cc_chain_accept_header(struct cc_chain *c,
                                      const struct cc_header *h,
                                      struct cc_index **out,
                                      struct cc_error *err);
/* Judge, store and, if its chain has most work, connect. CC_OK also if it was
 * known (*is_new false) or is only stored. A block found bad when connecting
 * is told to listeners' checked() and does not fail this call unless it is
 * this one. force: keep it though it has too little work to be asked for. */
enum cc_status cc_chain_accept_block(struct cc_chain *c,
                                     const struct cc_block *block, bool force,
                                     struct cc_index **out, bool *is_new,
                                     struct cc_error *err);
/* Judge as if on top of the tip, without work unless check_pow; nothing is
 * kept. For templates and proposals. */
enum cc_status cc_chain_test_block(struct cc_chain *c,
                                   const struct cc_block *block, bool check_pow,
                                   bool check_merkle, struct cc_error *err);
enum cc_status cc_chain_invalidate(struct cc_chain *c, struct cc_index *i,
                                   struct cc_error *err);
enum cc_status cc_chain_reconsider(struct cc_chain *c, struct cc_index *i,
                                   struct cc_error *err);
enum cc_status cc_chain_precious(struct cc_chain *c, struct cc_index *i,
                                 struct cc_error *err);
/* Let go of block files whose blocks are none higher than this, but of the last
 * 288 blocks none. */
enum cc_status cc_chain_prune(struct cc_chain *c, uint32_t height,
                              struct cc_error *err);

/* Blocks from a file framed as block files are, whatever else is in it. Those
 * known are passed over, those that break a rule left alone. CC_NOTFOUND: it
 * cannot be opened; else as cc_chain_accept_block. Ends early, with CC_OK, if
 * the chain is to stop. */
enum cc_status cc_chain_import(struct cc_chain *c, const char *path,
                               struct cc_error *err);

/* Does what is stored agree? Walks back up to depth blocks (0: all) from the
 * tip, as deep as level says; to connect again with depth 0 decodes the whole
 * coin set too, and holds storage coins against their lists. CC_CORRUPT says
 * what does not agree. *blocks, *coins (may be NULL): how much was compared. */
enum cc_status cc_chain_verify(struct cc_chain *c, enum cc_verify_level level,
                               uint32_t depth, uint32_t *blocks,
                               uint64_t *coins, struct cc_error *err);

/* Set when a database or disk error made going on unsafe: the node must stop;
 * the sentence is in err. */
bool cc_chain_failed(struct cc_chain *c, struct cc_error *err);

#endif
