/*
 * internal.h: the pool's own structure, shared by its files.
 *
 * pool.c keeps the graph: nodes, who spends whom, and the sums over ancestors
 * and descendants, right after every call. accept.c judges, replace.c says who
 * may push out whom, sync.c follows the chain, facts.c knows what is special
 * about storage transactions. All under the chain's lock.
 */
#ifndef CC_MEMPOOL_INTERNAL_H
#define CC_MEMPOOL_INTERNAL_H

#include "consensus/action.h"
#include "mempool/mempool.h"
#include "mempool/policy.h"
#include "util/map.h"

#define CC_TXPOOL_LISTENERS 8

struct cc_txpool_node {
    struct cc_mempool_entry e; /* first: an entry is its node */
    struct cc_txpool_node **parents, **children;
    size_t parent_count, parent_cap, child_count, child_cap;
    bool *maturing; /* per output, NULL if none */
    size_t usage;   /* memory, about */
    size_t at;      /* its place in nodes */
    size_t rank_at; /* and in ranked */
    uint64_t mark;  /* visited in walk number mark */
};

struct cc_txpool_list {
    struct cc_txpool_node **items;
    size_t count, cap;
};

/* Transactions kept aside: of disconnected blocks, or before their time. */
struct cc_txpool_aside {
    struct cc_tx *tx;
    size_t count, cap, bytes;
};

struct cc_txpool_known {
    struct cc_map now, before; /* wtxids */
    size_t most;               /* of each */
};

struct cc_mempool {
    struct cc_mempool_config config;
    const struct cc_params *params;
    struct cc_policy policy;
    struct cc_map by_txid, by_wtxid; /* 32 bytes: node */
    struct cc_map spenders;          /* struct cc_outpoint: node */
    struct cc_map deltas;            /* txid: cc_amount */
    struct cc_txpool_known known;    /* whose scripts held */
    struct cc_txpool_node **nodes;   /* all, in no order */
    size_t count, cap;
    struct cc_txpool_node **ranked; /* all, a heap: the worst first */
    size_t ranked_count, ranked_cap;
    size_t bytes, usage, unbroadcast;
    cc_amount total_fee;
    uint64_t sequence, walk;
    _Atomic uint64_t changes; /* may be read without the lock */
    uint64_t audited;         /* changes at the last audit */
    uint64_t rolling; /* feerate, in 65536ths of satoshi per kvB; decays */
    int64_t rolling_time, oldest; /* oldest: no entry is older */
    bool block_since_bump;
    struct cc_mempool_listener listeners[CC_TXPOOL_LISTENERS];
    size_t listener_count;
    struct cc_txpool_aside disconnected, held;
    size_t block_txs, block_weight; /* of the last one put together */
    bool moved_back; /* a block was disconnected since the last tip */
};

/* --- known.c ---------------------------------------------------------------
 */

/* bytes: of memory, for all of it; 0: nothing is remembered. */
void cc_txpool_known_init(struct cc_txpool_known *k, size_t bytes);
void cc_txpool_known_clear(struct cc_txpool_known *k);
bool cc_txpool_known_has(const struct cc_txpool_known *k,
                         const uint8_t wtxid[32]);
void cc_txpool_known_add(struct cc_txpool_known *k, const uint8_t wtxid[32]);

/* --- pool.c ----------------------------------------------------------------
 */

struct cc_txpool_node *cc_txpool_get(struct cc_mempool *m,
                                     const uint8_t txid[32]);
/* e filled but for sums and links; parents must be in the pool. Takes node.
 * quiet: it only was away for a moment, nobody is told. */
void cc_txpool_insert(struct cc_mempool *m, struct cc_txpool_node *node,
                      bool quiet);
/* Everything out, the graph cut, nobody told: nodes, parents before children,
 * become the caller's. */
void cc_txpool_take_all(struct cc_mempool *m, struct cc_txpool_list *out);
void cc_txpool_tell_removed(struct cc_mempool *m,
                            const struct cc_txpool_node *node,
                            enum cc_mempool_leave why);
/* It is no longer among those that nobody has asked for. */
void cc_txpool_log_broadcast(struct cc_mempool *m,
                             const struct cc_txpool_node *node,
                             const char *when);
/* Take one node out of the graph, tell, free. Its children stay. */
void cc_txpool_remove(struct cc_mempool *m, struct cc_txpool_node *node,
                      enum cc_mempool_leave why);
/* With all that descends from it. */
void cc_txpool_remove_deep(struct cc_mempool *m, struct cc_txpool_node *node,
                           enum cc_mempool_leave why);
/* A node without links for a transaction, which is copied. */
struct cc_txpool_node *cc_txpool_node_new(const struct cc_tx *tx);
void cc_txpool_node_free(struct cc_txpool_node *node);
/* Append start (unless there) and all its descendants or ancestors to list;
 * visited nodes carry the walk's number, so several starts join. Begin a walk
 * with cc_txpool_walk. Parents come before their children in neither order. */
void cc_txpool_walk(struct cc_mempool *m);
void cc_txpool_collect(struct cc_mempool *m, struct cc_txpool_list *list,
                       struct cc_txpool_node *start, bool descendants);
bool cc_txpool_visited(const struct cc_mempool *m,
                       const struct cc_txpool_node *node);
void cc_txpool_list_add(struct cc_txpool_list *list,
                        struct cc_txpool_node *node);
void cc_txpool_list_clear(struct cc_txpool_list *list);
/* For qsort over nodes: parents before children (a child has all ancestors of
 * its parents, and them), then by arrival. */
int cc_txpool_by_ancestors(const void *a, const void *b);
/* A coin as cc_mempool_coin, but though the pool spends it. */
enum cc_status cc_txpool_coin(struct cc_mempool *m, const struct cc_outpoint *o,
                              struct cc_coin *coin, struct cc_arena *arena,
                              struct cc_error *err);
cc_amount cc_txpool_delta(struct cc_mempool *m, const uint8_t txid[32]);
static inline cc_amount cc_txpool_fee(const struct cc_txpool_node *n)
{
    return n->e.fee + n->e.fee_delta;
}
void cc_txpool_aside_add(struct cc_txpool_aside *a, const struct cc_tx *tx,
                         size_t max_bytes);
void cc_txpool_aside_clear(struct cc_txpool_aside *a);

/* --- accept.c --------------------------------------------------------------
 */

/* One transaction on its way in. */
struct cc_txpool_candidate {
    const struct cc_tx *tx;
    const uint8_t *txid;
    struct cc_place place; /* of the next block */
    struct cc_arena arena;
    struct cc_coin *coins;
    struct cc_sighash sighash;
    struct cc_chain_view chain_view;
    struct cc_storage_view view;
    struct cc_storage_result storage;
    cc_amount fee, modified;
    int64_t sigop_cost;
    size_t vsize;
    struct cc_txpool_list parents;   /* direct, in the pool */
    struct cc_txpool_list ancestors; /* all in the pool */
    struct cc_txpool_list conflicts; /* direct */
    struct cc_txpool_list replaced;  /* with what descends from them */
    /* Of a package: those before it may be spent, nothing may be replaced. */
    const struct cc_txpool_candidate *package;
    size_t package_before;
    unsigned how;
};

enum {
    CC_TXPOOL_TEST = 1,   /* judge only */
    CC_TXPOOL_BYPASS = 2, /* from a disconnected block: no fee, no full pool */
    /* Alone, but one of a package: nothing goes beyond the limits on chains,
     * or what makes room for one would make it for the next. */
    CC_TXPOOL_IN_PACKAGE = 4,
    CC_TXPOOL_TOGETHER = 8, /* the feerate of the whole package counts */
};
/* time: when it came, which is earlier than now for one that comes back. */
enum cc_status cc_txpool_accept(struct cc_mempool *m, const struct cc_tx *tx,
                                unsigned how, int64_t time,
                                struct cc_mempool_accept *out,
                                struct cc_error *err);
/* What accept does, in two halves: all but scripts and storage jobs, and
 * these; and what follows. */
enum cc_status cc_txpool_judge_cheap(struct cc_mempool *m,
                                     struct cc_txpool_candidate *c,
                                     struct cc_error *err);
enum cc_status cc_txpool_judge_dear(struct cc_mempool *m,
                                    struct cc_txpool_candidate *c,
                                    struct cc_error *err);
void cc_txpool_enter(struct cc_mempool *m, struct cc_txpool_candidate *c,
                     int64_t time);
/* Do fee and size meet the feerates of the pool and of relay? */
enum cc_status cc_txpool_check_feerate(struct cc_mempool *m, cc_amount fee,
                                       size_t vsize, struct cc_error *err);
/* Finality, coins, maturity, locks, storage rules for the block after the tip:
 * all that moves with the chain. Fills coins, parents, fee, storage. */
enum cc_status cc_txpool_check_context(struct cc_mempool *m,
                                       struct cc_txpool_candidate *c,
                                       struct cc_error *err);
void cc_txpool_candidate_init(struct cc_txpool_candidate *c,
                              struct cc_mempool *m, const struct cc_tx *tx);
void cc_txpool_candidate_clear(struct cc_txpool_candidate *c);
enum cc_status cc_txpool_run_jobs(struct cc_mempool *m,
                                  const struct cc_txpool_candidate *c,
                                  struct cc_error *err);
/* Judge an entry again for the block after the tip, but for its scripts; its
 * facts are renewed. */
enum cc_status cc_txpool_recheck(struct cc_mempool *m,
                                 struct cc_txpool_node *node,
                                 struct cc_error *err);

/* --- replace.c -------------------------------------------------------------
 */

#define CC_FEERATE_TEXT 48
/* "0.00001000 BTC/kvB" */
const char *cc_txpool_format_feerate(char out[CC_FEERATE_TEXT],
                                     const struct cc_mempool *m,
                                     cc_amount rate);
/* Who is in the way, and may it be pushed out? Fills conflicts. */
enum cc_status cc_txpool_find_conflicts(struct cc_mempool *m,
                                        struct cc_txpool_candidate *c,
                                        struct cc_error *err);
/* BIP 125 over conflicts; fills replaced. Call after the ancestors. */
enum cc_status cc_txpool_check_replacement(struct cc_mempool *m,
                                           struct cc_txpool_candidate *c,
                                           struct cc_error *err);
/* Limits on chains; fills ancestors. */
enum cc_status cc_txpool_check_ancestors(struct cc_mempool *m,
                                         struct cc_txpool_candidate *c,
                                         struct cc_error *err);

/* --- package.c -------------------------------------------------------------
 */

bool cc_txpool_is_child(const struct cc_tx *tx, const struct cc_tx *parent);
/* The package by itself. */
enum cc_status cc_txpool_check_package(const struct cc_tx *txs, size_t count,
                                       struct cc_error *err);
/* CC_INVALID is about all of them; else items says what was found of each, up
 * to the first that fails. */
enum cc_status cc_txpool_judge_package(struct cc_mempool *m,
                                       struct cc_txpool_candidate *c,
                                       size_t count,
                                       struct cc_mempool_package_item *items,
                                       struct cc_error *err);

/* --- version3.c ------------------------------------------------------------
 */

/* After the ancestors and conflicts are known. */
enum cc_status cc_txpool_check_version3(const struct cc_txpool_candidate *c,
                                        struct cc_error *err);
enum cc_status
cc_txpool_check_version3_package(const struct cc_txpool_candidate *c,
                                 size_t count, struct cc_error *err);

/* --- limit.c ---------------------------------------------------------------
 */

/* The rolling minimum, per kvB. */
cc_amount cc_txpool_min_feerate(struct cc_mempool *m);
/* Expire, then cut down to max_bytes, least deserving first. */
void cc_txpool_limit(struct cc_mempool *m);

/* --- rank.c ----------------------------------------------------------------
 */

bool cc_txpool_worth_less(const struct cc_txpool_node *a,
                          const struct cc_txpool_node *b);
void cc_txpool_rank_add(struct cc_mempool *m, struct cc_txpool_node *n);
void cc_txpool_rank_remove(struct cc_mempool *m, struct cc_txpool_node *n);
/* After its fee or the sums over its descendants changed. */
void cc_txpool_rank_fix(struct cc_mempool *m, struct cc_txpool_node *n);
/* NULL: the pool is empty. */
struct cc_txpool_node *cc_txpool_rank_worst(struct cc_mempool *m);

/* --- facts.c ---------------------------------------------------------------
 */

/* Policy on storage transactions after cc_txpool_check_context. */
enum cc_status cc_txpool_check_storage(struct cc_mempool *m,
                                       struct cc_txpool_candidate *c,
                                       struct cc_error *err);
/* May c push out its conflicts at the incremental rate alone? */
bool cc_txpool_is_urgent(struct cc_mempool *m,
                         const struct cc_txpool_candidate *c);
/* Refused here and now: keep it for the next tip, where a proof that came a
 * block early is good. */
void cc_txpool_hold(struct cc_mempool *m, const struct cc_tx *tx);
/* Run those again whose facts no longer hold for the block after the tip. */
void cc_txpool_refresh(struct cc_mempool *m);
/* Once more, and then no more. */
void cc_txpool_retry_held(struct cc_mempool *m);

/* --- audit.c ---------------------------------------------------------------
 */

/* After a change is done: audit as often as the configuration says; a fault
 * ends the program. */
void cc_txpool_audit_maybe(struct cc_mempool *m);

/* --- sync.c ----------------------------------------------------------------
 */

void cc_txpool_listen_chain(struct cc_mempool *m);

#endif
