/*
 * vote.h: soft forks that miners vote for with bits of the version (BIP 9).
 *
 * The vote is counted at the end of each window of blocks; what it comes to
 * holds for the whole next window. Functions of the fixed fields of index
 * entries: any thread, no lock.
 */
#ifndef CC_CHAIN_VOTE_H
#define CC_CHAIN_VOTE_H

#include "chain/chain.h"

enum cc_vote_state {
    CC_VOTE_DEFINED,
    CC_VOTE_STARTED,
    CC_VOTE_LOCKED_IN, /* enough blocks signalled */
    CC_VOTE_ACTIVE,
    CC_VOTE_FAILED, /* not enough until the timeout */
};

struct cc_vote_status {
    enum cc_vote_state state;
    uint32_t since; /* height of the first block with this state */
};

/* Of the block after prev; NULL: of the genesis block. Cost: the windows until
 * it became active. */
struct cc_vote_status cc_vote_status(const struct cc_vote *v,
                                     const struct cc_index *prev);
bool cc_vote_signals(const struct cc_vote *v, const struct cc_index *block);
/* The version of a block that is to follow prev: it signals what is open. */
int32_t cc_vote_version(const struct cc_params *p, const struct cc_index *prev);

/* --- Votes that we do not know -------------------------------------------- */

#define CC_VOTE_BITS 29

/* Counts, block by block, what others vote for. Zeroed at first; the caller
 * serialises calls. */
struct cc_vote_watch {
    const struct cc_index *at; /* last of the last whole window looked at */
    uint8_t state[CC_VOTE_BITS];
};

/* Follow the chain to tip. Bits that stand for a rule locked in or active that
 * we do not know: state says which. Cost: the windows since the last call; all
 * if the branch is another. */
void cc_vote_watch_update(struct cc_vote_watch *w, const struct cc_params *p,
                          const struct cc_index *tip);

#endif
