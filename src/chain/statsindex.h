/*
 * statsindex.h: what the coins come to after each block (-coinstatsindex).
 *
 * A database of its own beside the chain's. Of each block, by its hash: how
 * many coins there are after it, of what worth, their MuHash, and what was
 * spent, made and lost since the genesis block. What a block of another branch
 * put in stays and can be asked for. It follows the tip as a listener; where
 * it finds itself on another branch when opened, it goes back to a place that
 * it marked on the way, and reads on from there.
 *
 * Where storage is active there is none: whether a coin must mature is not
 * told by its block alone.
 *
 * Threads: any may ask.
 */
#ifndef CC_CHAIN_STATSINDEX_H
#define CC_CHAIN_STATSINDEX_H

#include "chain/follow.h"

struct cc_statsindex;

/* All amounts since the genesis block, with this block. */
struct cc_coin_totals {
    uint64_t count, bogo_size; /* of the coins that are there */
    cc_amount amount;
    /* Modulo 2^64, since the same coins may move without end: */
    uint64_t subsidy;
    uint64_t spent;    /* the coins that went */
    uint64_t created;  /* those that came, but by coinbases */
    uint64_t coinbase; /* those by coinbases */
    /* what nobody can spend: */
    cc_amount genesis, scripts;
    cc_amount unclaimed; /* what a miner did not take */
    uint8_t muhash[32];
};

/* Opens and catches up; before threads start. CC_LIMIT: stopped meanwhile.
 * CC_INVALID: what is missing is pruned. */
enum cc_status cc_statsindex_open(struct cc_statsindex **out,
                                  const struct cc_follow_config *config,
                                  struct cc_error *err);
/* After the last move of the chain. */
void cc_statsindex_free(struct cc_statsindex *s);

/* CC_NOTFOUND: that block was never connected here. */
enum cc_status cc_statsindex_find(struct cc_statsindex *s,
                                  const uint8_t block[32],
                                  struct cc_coin_totals *out,
                                  struct cc_error *err);
/* Height of the last block that is in. */
uint32_t cc_statsindex_height(struct cc_statsindex *s);
/* Set when it could not write: the node must stop; the sentence is in err. */
bool cc_statsindex_failed(struct cc_statsindex *s, struct cc_error *err);

/* A coin as hashes over the set have it: outpoint, 2 x height + coinbase,
 * output. */
void cc_coin_write_hashed(struct cc_writer *w, const struct cc_outpoint *o,
                          const struct cc_coin *coin);
/* Bitcoin Core's measure of a coin's size, whatever the database does. */
size_t cc_coin_bogo_size(const struct cc_coin *coin);

#endif
