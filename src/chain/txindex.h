/*
 * txindex.h: in which block a transaction is, for all of them (-txindex).
 *
 * A database of its own beside the chain's: txid to block hash, and the last
 * block that is in. It follows the tip as a listener; where it finds itself
 * behind when opened (-txindex is new, or the process died) it reads the
 * blocks that are missing. What a disconnected block put in stays until the
 * transaction is in another: who asks reads the block that is named.
 *
 * Threads: any may ask.
 */
#ifndef CC_CHAIN_TXINDEX_H
#define CC_CHAIN_TXINDEX_H

#include "chain/follow.h"

struct cc_txindex;

/* Opens and catches up; before threads start. CC_LIMIT: stopped meanwhile. */
enum cc_status cc_txindex_open(struct cc_txindex **out,
                               const struct cc_follow_config *config,
                               struct cc_error *err);
/* After the last move of the chain. */
void cc_txindex_free(struct cc_txindex *t);

/* The block that txid was last connected in; CC_NOTFOUND. */
enum cc_status cc_txindex_find(struct cc_txindex *t, const uint8_t txid[32],
                               uint8_t block[32], struct cc_error *err);
/* Height of the last block that is in. */
uint32_t cc_txindex_height(struct cc_txindex *t);
/* Set when it could not write: the node must stop; the sentence is in err. */
bool cc_txindex_failed(struct cc_txindex *t, struct cc_error *err);

#endif
