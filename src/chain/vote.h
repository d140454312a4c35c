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

#endif
