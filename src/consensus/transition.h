/*
 * transition.h: what one typed input does to its coin (doc/protocol.md 4.5).
 *
 * The transaction check runs these for each typed input; a host or renter who
 * builds a transaction runs the same ones, so that it cannot differ from what
 * will be judged.
 */
#ifndef CC_CONSENSUS_TRANSITION_H
#define CC_CONSENSUS_TRANSITION_H

#include "consensus/action.h"
#include "consensus/storage.h"

/* The chain as a check sees it, remembering the highest hash read. */
struct cc_chain_read {
    const struct cc_storage_view *view;
    int64_t top; /* -1: none read */
    uint8_t top_hash[32];
};

void cc_chain_read_init(struct cc_chain_read *c,
                        const struct cc_storage_view *view);
/* 0 <= height < view's height. Good until the next call. */
const uint8_t *cc_chain_read_hash(struct cc_chain_read *c, int64_t height);

/* A typed input: its coin, taken apart, and what is asked of it. */
struct cc_spent {
    size_t index;
    const struct cc_coin *coin;
    struct cc_typed body;
    uint8_t id[32];
    struct cc_act act;
    const struct cc_txout *out;    /* its continuing output, NULL: none */
    const struct cc_typed *output; /* out's script, taken apart */
    size_t output_index;
};

#define CC_STEP_JOBS 20 /* 2 signatures, REV, VOU, 16 samples */

/* What comes of one. */
struct cc_step {
    struct cc_typed next; /* the successor, if act.continues */
    cc_amount value;      /* its value */
    cc_amount pool, mint;
    bool owes;
    uint8_t owed_key[32];
    cc_amount owed;
    const uint8_t *signers[2]; /* in order of the signatures */
    int64_t lo, hi;            /* INT64_MIN, INT64_MAX: no bound */
    struct cc_storage_job jobs[CC_STEP_JOBS]; /* but the action's signatures */
    size_t job_count;
};

/* Run spent's action. The successor is computed, not yet compared. CC_INVALID
 * with CC_VERDICT_CONSENSUS or _CONTEXT; whoever runs a whole transaction
 * makes the former the latter once a hash was read. */
enum cc_status cc_step_run(struct cc_step *step, const struct cc_spent *spent,
                           struct cc_chain_read *chain, struct cc_error *err);

/* How a contract that ends is divided: a function of the coin and the voucher
 * alone. missed: called heights not proved, MAX_MISS and more being equal. */
struct cc_end_split {
    cc_amount renter, host, pool;
};
void cc_contract_end_split(struct cc_end_split *split,
                           const struct cc_contract *c, cc_amount value,
                           cc_amount redeemed_now, int64_t missed,
                           const struct cc_params *p);

#endif
