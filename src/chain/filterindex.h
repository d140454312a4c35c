/*
 * filterindex.h: the filters of all blocks (-blockfilterindex), gcs.h.
 *
 * A database of its own beside the chain's: block hash to filter, to the
 * filter's hash and header, and the last block that is in. It follows the tip
 * as a listener; where it finds itself behind when opened it reads blocks and
 * undo data that are missing. Of a block that was disconnected the filter
 * stays.
 *
 * Threads: any may ask.
 */
#ifndef CC_CHAIN_FILTERINDEX_H
#define CC_CHAIN_FILTERINDEX_H

#include "chain/follow.h"

struct cc_filterindex;

/* Opens and catches up; before threads start. CC_LIMIT: stopped meanwhile.
 * CC_INVALID: what is missing is pruned. */
enum cc_status cc_filterindex_open(struct cc_filterindex **out,
                                   const struct cc_follow_config *config,
                                   struct cc_error *err);
/* After the last move of the chain. */
void cc_filterindex_free(struct cc_filterindex *t);

/* malloc'd; CC_NOTFOUND: the block was never connected. */
enum cc_status cc_filterindex_filter(struct cc_filterindex *t,
                                     const uint8_t block[32], uint8_t **data,
                                     size_t *len, struct cc_error *err);
/* hash may be NULL. */
enum cc_status cc_filterindex_header(struct cc_filterindex *t,
                                     const uint8_t block[32],
                                     uint8_t header[32], uint8_t hash[32],
                                     struct cc_error *err);
/* Height of the last block that is in. */
uint32_t cc_filterindex_height(struct cc_filterindex *t);
/* Set when it could not write: the node must stop; the sentence is in err. */
bool cc_filterindex_failed(struct cc_filterindex *t, struct cc_error *err);

#endif
