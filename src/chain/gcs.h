/*
 * gcs.h: filters of blocks (BIP 158), of the basic kind: the scripts that a
 * block pays and those it spends, as a set coded in few bits. Who holds some
 * scripts can tell of a block that it has none of them.
 *
 * A filter is the number of its elements (compact size) and the bits. With the
 * filters before it it is bound by a header: a hash over the filter's own and
 * the header of the block before.
 */
#ifndef CC_CHAIN_GCS_H
#define CC_CHAIN_GCS_H

#include "chain/chain.h"

#define CC_FILTER_BASIC 0

/* Append the block's filter to w. undo NULL: it spends nothing. */
void cc_gcs_write(struct cc_writer *w, const struct cc_block *block,
                  const struct cc_undo *undo);
/* The header of a filter of that hash after one of that header; 32 zeros are
 * before the first. */
void cc_gcs_header(uint8_t out[32], const uint8_t filter_hash[32],
                   const uint8_t prev[32]);
/* May the filter of this block hold one of the scripts? It may say so of one
 * in 784,931 that it does not hold. CC_MALFORMED: it is no filter. */
enum cc_status cc_gcs_match(struct cc_bytes filter, const uint8_t block[32],
                            const struct cc_bytes *scripts, size_t count,
                            bool *found);

#endif
