/*
 * storage.h: the rules of typed coins (doc/protocol.md 4 and 6).
 *
 * cc_storage_check runs in order, cheap and alone; what is dear (signatures,
 * paths, unsealing) it hands back as self-contained jobs for any thread.
 * Pure: the chain is seen only through struct cc_storage_view.
 */
#ifndef CC_CONSENSUS_STORAGE_H
#define CC_CONSENSUS_STORAGE_H

#include "consensus/interpreter.h"
#include "consensus/params.h"
#include "consensus/typed.h"

/* S(h): lottery state per block, kept with the block index by block hash. */
struct cc_mint_state {
    cc_amount pool;
    struct cc_u256 ticket; /* T */
    uint32_t claims;       /* n */
};

/* What the rules may see. height: of the block that holds the transaction;
 * only heights below it are asked for, on that block's own branch. hash gives
 * a pointer good until the next call. */
struct cc_storage_view {
    const struct cc_params *params;
    uint32_t height;
    const uint8_t *(*hash)(void *arg, uint32_t height);
    bool (*state)(void *arg, uint32_t height, struct cc_mint_state *out);
    void *arg;
};

/* Heights over which a verdict cannot change without a new read. */
struct cc_storage_facts {
    int64_t lo, hi;        /* INT64_MIN, INT64_MAX: no bound */
    int64_t read;          /* highest height whose hash was read, -1 none */
    uint8_t read_hash[32]; /* that hash */
};

enum cc_job_kind { CC_JOB_SIG, CC_JOB_PATH, CC_JOB_UNSEAL };

/* One heavy check. Slices point into the transaction and its coins. */
struct cc_storage_job {
    enum cc_job_kind kind;
    uint8_t key[32], msg[32]; /* SIG: key, message; UNSEAL: key = K */
    uint8_t root[32];         /* PATH, UNSEAL */
    uint64_t index, leaves;   /* PATH, UNSEAL: leaf index of leaves */
    struct cc_bytes data;     /* SIG: 64 bytes; else leaf, then path */
};

struct cc_storage_owed {
    uint8_t key[32];
    cc_amount sum;
};

struct cc_storage_result {
    bool typed; /* there is any typed input or output */
    cc_amount fee, mint, pool;
    uint32_t claims;
    int64_t sigops;
    struct cc_storage_facts facts;
    struct cc_storage_job *jobs;
    size_t job_count;
    struct cc_storage_owed *owed; /* only sums that outputs must reach */
    size_t owed_count;
    bool *maturing; /* per output, NULL if none: store with coinbase bit */
    struct cc_arena arena; /* holds the arrays above */
};

void cc_storage_result_init(struct cc_storage_result *r);
void cc_storage_result_clear(struct cc_storage_result *r);

/* Judge tx (no coinbase rules but "no typed output"), spending coins in order
 * of vin. Amount sums, maturity and missing coins are the caller's too; it
 * also adds up money itself, since mint and pool enter the sum. s: the
 * transaction's shared hashes, coins included.
 * CC_INVALID with CC_VERDICT_CONSENSUS, or CC_VERDICT_CONTEXT for what may be
 * right elsewhere (whatever fails once a hash was read, but a signature). */
enum cc_status
cc_storage_check(struct cc_storage_result *r, const struct cc_tx *tx,
                 const struct cc_coin *coins, const struct cc_sighash *s,
                 const struct cc_storage_view *view, struct cc_error *err);

/* Run one job. CC_INVALID: CONSENSUS for a signature, CONTEXT for others. */
enum cc_status cc_storage_job_run(const struct cc_storage_job *job,
                                  const struct cc_params *params,
                                  struct cc_error *err);

/* S(0). */
void cc_mint_first(struct cc_mint_state *s, const struct cc_params *p);
/* S(height) from S(height - 1) and what the block's transactions did; in
 * blocks over a limit CC_INVALID. */
enum cc_status cc_mint_next(struct cc_mint_state *next,
                            const struct cc_mint_state *prev, uint32_t height,
                            cc_amount penalties, cc_amount minted,
                            uint32_t claims, const struct cc_params *p,
                            struct cc_error *err);
/* mint(d): what one claim on the draw of block d, with state S(d), pays. */
cc_amount cc_mint_reward(const struct cc_mint_state *s, uint32_t d,
                         const struct cc_params *p);

#endif
