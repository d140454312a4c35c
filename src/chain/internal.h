/*
 * internal.h: what the files of this floor share of struct cc_chain.
 *
 * Everything here is called with the lock held, but where it says otherwise.
 */
#ifndef CC_CHAIN_INTERNAL_H
#define CC_CHAIN_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "chain/blockfile.h"
#include "chain/coins.h"
#include "chain/index.h"
#include "util/log.h"
#include "util/pool.h"

#define CC_CHAIN_MAX_LISTENERS 16
#define CC_CHAIN_VERDICTS 16

enum { CC_FAMILY_META, CC_FAMILY_COINS, CC_FAMILY_TYPED, CC_FAMILY_INDEX };

/* Recursive, and first come first served: who waits gets its turn between two
 * blocks of a long series. */
struct cc_chain_mutex {
    pthread_mutex_t mutex;
    pthread_cond_t turn;
    pthread_t owner;
    unsigned depth;
    uint64_t next, serving;
};

struct cc_chain {
    const struct cc_params *params;
    char *directory;
    size_t cache_bytes;
    uint64_t batch_bytes;
    uint64_t check_index;
    int64_t (*now)(void *arg);
    void *now_arg;
    struct cc_log *log;
    struct cc_fault fault;
    const atomic_bool *stop;
    uint8_t assume_valid[32];
    bool assume;
    bool prune;            /* -prune, by hand or by itself */
    uint64_t prune_target; /* bytes of block files; 0: by hand */
    uint32_t prune_after;  /* not by itself below this height */

    struct cc_chain_mutex lock;
    struct cc_chain_mutex move; /* taken before lock by who moves the tip */
    pthread_mutex_t writing;    /* a batch is being written; taken after lock */
    bool write_failed;          /* under writing */
    struct cc_db *db;
    struct cc_blockfiles *files;
    struct cc_coins *coins;
    struct cc_tree tree;
    struct cc_pool *pool;

    struct cc_index *tip;
    struct cc_index **at; /* the active chain by height */
    uint8_t (*hash)[32];  /* its hashes, side by side for the storage rules */
    size_t at_cap, hash_cap;

    struct cc_chain_listener listeners[CC_CHAIN_MAX_LISTENERS];
    size_t listener_count;
    cc_known_fn known; /* NULL: nobody's scripts are known */
    void *known_arg;

    /* the last blocks found bad, and why */
    struct {
        uint8_t hash[32];
        struct cc_error err;
    } verdicts[CC_CHAIN_VERDICTS];
    size_t verdict_next;

    bool pruned;           /* some block was, ever */
    bool prune_check;      /* files have grown: is it too much? */
    uint32_t prune_height; /* asked for by hand, up to here; 0: not */

    bool tip_saved; /* the database names a tip */
    bool tip_dirty; /* the tip moved since the last flush */
    bool must_sync; /* block bytes were stored since */
    uint32_t stop_height;
    bool reached;               /* stop_height */
    unsigned hold, since_flush; /* since_flush: blocks */
    int64_t flushed_ms;
    bool failed;
    struct cc_error failure;
    atomic_bool ibd;
    int64_t max_tip_age_s;
};

/* --- chain.c ------------------------------------------------------------- */

/* Not CC_OK while opening: what err says goes into the log, and err asks for a
 * rebuild, as bitcoind does. */
enum cc_status cc_chain_ask_rebuild(struct cc_chain *c, enum cc_status st,
                                    const char *what, struct cc_error *err);
/* A fault that is no verdict: from here on the chain stands still. */
enum cc_status cc_chain_fail(struct cc_chain *c, enum cc_status st,
                             const struct cc_error *err);
enum cc_status cc_chain_check_failed(struct cc_chain *c, struct cc_error *err);
/* Is there so much to write that it should not wait? */
bool cc_chain_is_full(const struct cc_chain *c);
/* Only one thread at a time moves the tip: it holds this from before it takes
 * the lock until it is done. So it may let go of the lock in between, where
 * its work needs nothing that others change, and finds the tip and what hangs
 * on it as it was. Never with the lock held. */
void cc_chain_begin_move(struct cc_chain *c);
void cc_chain_end_move(struct cc_chain *c);
/* After a move: flush as the promise in chain.h demands. pause: the lock, held
 * once, may be let go of meanwhile, by who moves the tip. */
enum cc_status cc_chain_settle(struct cc_chain *c, bool pause,
                               struct cc_error *err);
void cc_chain_set_tip(struct cc_chain *c, struct cc_index *tip);
/* What was stored of i, checked against its header: bytes that do not match
 * are CC_CORRUPT. */
enum cc_status cc_chain_load_block(struct cc_chain *c, const struct cc_index *i,
                                   struct cc_block *out, struct cc_error *err);
enum cc_status cc_chain_load_undo(struct cc_chain *c, const struct cc_index *i,
                                  const struct cc_block *block,
                                  struct cc_undo *out, struct cc_error *err);

/* --- load.c -------------------------------------------------------------- */

enum cc_status cc_chain_load(struct cc_chain *c, struct cc_error *err);
/* Were the blocks judged under the rules of BIP 141 from where on they hold
 * now? */
enum cc_status cc_chain_check_witness(struct cc_chain *c, struct cc_error *err);
/* Is the tip of a time that can be? */
enum cc_status cc_chain_check_clock(struct cc_chain *c, struct cc_error *err);
/* The genesis block into empty files and an empty database. */
enum cc_status cc_chain_start(struct cc_chain *c, struct cc_error *err);
/* Forget coins and what connecting told of blocks; the tip is genesis. */
enum cc_status cc_chain_reset_coins(struct cc_chain *c, struct cc_error *err);
/* Index the blocks that the block files hold; where blocks are pruned, those
 * behind a gap are removed first. */
enum cc_status cc_chain_reindex(struct cc_chain *c, struct cc_error *err);

/* --- connect.c ----------------------------------------------------------- */

/* What connecting a block would do. */
struct cc_connected {
    struct cc_undo undo;
    struct cc_mint_state state;
    bool **maturing; /* per transaction, NULL or per output; in undo.arena */
    struct cc_map spent; /* 36 bytes: outpoints that the block spends */
};
void cc_connected_clear(struct cc_connected *k);
/* Judge block on top of prev, the tip. Nothing changes but what is cached.
 * scripts: false where this very block passed before or is assumed to
 * (assume.c), so that scripts and storage proofs need not be run. */
enum {
    CC_JUDGE_SCRIPTS = 1,
    /* Let go of the lock, held once, while scripts and proofs are run: for who
     * moves the tip. */
    CC_JUDGE_PAUSE = 2,
};
enum cc_status cc_connect_judge(struct cc_chain *c, const struct cc_index *prev,
                                const struct cc_block *block, unsigned how,
                                struct cc_connected *out, struct cc_error *err);
/* Make the coins what they are after (before) the block. */
void cc_connect_apply(struct cc_chain *c, const struct cc_block *block,
                      uint32_t height, const struct cc_connected *k);
/* CC_CORRUPT, with the coins half changed, if block, undo and coins do not
 * agree. */
enum cc_status cc_connect_undo(struct cc_chain *c, const struct cc_block *block,
                               uint32_t height, const struct cc_undo *undo,
                               struct cc_error *err);

/* --- assume.c ------------------------------------------------------------ */

/* Is i among what -assumevalid names, so that its scripts and storage proofs
 * need not be run? All else is checked. */
bool cc_chain_assumes(const struct cc_chain *c, const struct cc_index *i);

/* --- prune.c ------------------------------------------------------------- */

struct cc_prune_list {
    uint32_t *files;
    size_t count, cap;
};
/* Should a flush come soon, to prune? */
bool cc_prune_is_due(const struct cc_chain *c);
/* What is to go now: the index entries forget it, for the coming batch. The
 * list is for cc_prune_remove. */
void cc_prune_find(struct cc_chain *c, struct cc_prune_list *list);
/* After the batch: the files go. */
void cc_prune_remove(struct cc_chain *c, struct cc_prune_list *list);
/* At start, with the index loaded. */
enum cc_status cc_prune_load(struct cc_chain *c, struct cc_error *err);
/* Is there what it takes to go back from the tip to fork, below it? */
bool cc_prune_can_undo(const struct cc_chain *c, const struct cc_index *fork);
/* The best block that the tip can move to. */
struct cc_index *cc_prune_best(struct cc_chain *c);

/* --- consistent.c -------------------------------------------------------- */

/* NULL, or what in the tree of headers is not as it should be. */
const char *cc_chain_inconsistency(const struct cc_chain *c);
/* As often as -checkblockindex says. CC_CORRUPT. */
enum cc_status cc_chain_check_index(struct cc_chain *c, struct cc_error *err);

/* --- verify.c ------------------------------------------------------------ */

/* The last blocks, on a copy of the coins. */
enum cc_status cc_verify_start(struct cc_chain *c, enum cc_verify_level level,
                               uint32_t depth, struct cc_error *err);

/* --- reorg.c ------------------------------------------------------------- */

void cc_chain_tell_checked(struct cc_chain *c, const uint8_t hash[32],
                           enum cc_status st, const struct cc_error *err);

/* Walk to the best chain; block: the bytes of given, or both NULL. Takes the
 * lock, and lets go of it between steps. Fails only if going on is unsafe. */
enum cc_status cc_chain_activate(struct cc_chain *c,
                                 const struct cc_index *given,
                                 const struct cc_block *block,
                                 struct cc_error *err);
/* Why this block was condemned; CC_OK if it was not. */
enum cc_status cc_chain_verdict(struct cc_chain *c, const struct cc_index *i,
                                struct cc_error *err);

#endif
