/* world_typed.h: the part of world.h that knows storage coins. */
#ifndef CC_CHAIN_TEST_WORLD_TYPED_H
#define CC_CHAIN_TEST_WORLD_TYPED_H

#include "chain/test/world.h"
#include "consensus/test/build.h"

void world_keys(struct world *w);
/* A transaction that forms a coin at random from money, in a block of that
 * height; false, nothing appended, if the money is too little. */
bool world_form(struct world *w, struct cc_build *b, const struct wcoin *money,
                uint32_t height);
/* One that spends storage coin c as it may be in a block on prev; false: as it
 * stands nothing is to be done. */
bool world_act(struct world *w, struct cc_build *b, const struct wcoin *c,
               int prev);
/* Is this a claim? Then what it pays matures like a coinbase. */
bool world_is_claim(const struct cc_tx *tx);
/* NULL, or what is wrong with the chain's lists of storage coins. */
const char *world_compare_typed(const struct world *w, struct cc_chain *c,
                                int number);

#endif
