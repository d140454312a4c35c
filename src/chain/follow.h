/*
 * follow.h: what every index beside the chain is made of: a database of its
 * own that follows the tip block by block, catches up when it is opened, and
 * stops for good where it cannot write.
 *
 * Threads: the fields under "the chain's lock" are for the chain's listeners
 * and for opening; any may ask for height and failure.
 */
#ifndef CC_CHAIN_FOLLOW_H
#define CC_CHAIN_FOLLOW_H

#include <pthread.h>

#include "chain/chain.h"

struct cc_follow_config {
    struct cc_chain *chain; /* outlives the index; it listens there */
    const char *directory;  /* made if missing */
    size_t cache_bytes;
    struct cc_log *log; /* may be NULL */
    struct cc_fault fault;
    const atomic_bool *stop; /* set: end catching up; may be NULL */
    bool anew;               /* forget what is there */
};

struct cc_follow {
    const char *name; /* as the log has it */
    struct cc_chain *chain;
    struct cc_log *log;
    struct cc_db *db;
    struct cc_db_batch *batch; /* under the chain's lock */
    _Atomic uint32_t height;   /* of the last block that is in */
    pthread_mutex_t lock;      /* over what follows */
    bool failed;
    struct cc_error err;
};

/* Opens the database of these families. To be cleared, whatever it returns. */
enum cc_status cc_follow_init(struct cc_follow *f, const char *name,
                              const struct cc_follow_config *config,
                              const char *const *families, size_t count,
                              struct cc_error *err);
void cc_follow_clear(struct cc_follow *f);

/* Into the batch, as "best" of this family: that index is the last block that
 * is in. */
void cc_follow_put_best(struct cc_follow *f, unsigned family,
                        const struct cc_index *index);
/* The last block of the active chain that is in; NULL: none is. */
enum cc_status cc_follow_best(struct cc_follow *f, unsigned family,
                              struct cc_index **out, struct cc_error *err);

/* undo is NULL for the genesis block, and where none is asked for. */
typedef enum cc_status cc_follow_put(void *arg, const struct cc_index *index,
                                     const struct cc_block *block,
                                     const struct cc_undo *undo,
                                     struct cc_error *err);
/* All blocks of the active chain from that height on. CC_LIMIT: stopped;
 * CC_INVALID: a block that is missing was pruned. */
enum cc_status cc_follow_catch_up(struct cc_follow *f, uint32_t from,
                                  bool with_undo, const atomic_bool *stop,
                                  cc_follow_put *put, void *arg,
                                  struct cc_error *err);

/* No block goes in over one that is missing: the next start would not look
 * for it. */
void cc_follow_fail(struct cc_follow *f, const struct cc_index *index,
                    const struct cc_error *err);
bool cc_follow_failed(struct cc_follow *f, struct cc_error *err);

#endif
