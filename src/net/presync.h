/*
 * presync.h: headers of a chain that does not yet show enough work to be
 * worth remembering.
 *
 * A peer could feed us headers of little work for ever, and each would stay in
 * the index. So such a chain is walked twice. First its headers are only
 * checked (work, difficulty, continuity), added up and forgotten, but for one
 * keyed bit in every 600. When the sum reaches the threshold, the peer is asked
 * for the same headers again; they must agree with the bits, and are handed
 * on only with 14,000 more behind them, so that a different chain would have to
 * guess 20 bits or more. Memory: 80 bytes times the buffer, and the bits.
 *
 * Own pure state, no clock, no sockets; the chain gives only where it starts.
 */
#ifndef CC_NET_PRESYNC_H
#define CC_NET_PRESYNC_H

#include "chain/chain.h"

#define CC_PRESYNC_PERIOD 600   /* headers per committed bit */
#define CC_PRESYNC_BUFFER 14000 /* headers held back in the second walk */

struct cc_presync;

enum cc_presync_result {
    CC_PRESYNC_FAILED, /* give up; nothing of it is kept */
    CC_PRESYNC_MORE,   /* ask on: cc_presync_locator */
    CC_PRESYNC_DONE,   /* the second walk is through */
};

/* start: the last block that we have and it builds on. max_headers: no honest
 * chain on start can have more by now. */
struct cc_presync *cc_presync_new(const struct cc_params *params,
                                  const struct cc_index *start,
                                  const struct cc_u256 *threshold,
                                  uint64_t max_headers, const uint8_t key[16]);
void cc_presync_free(struct cc_presync *s);

/* One headers message, in order. *out (may be empty) is headers to give to
 * the chain, malloc'd, the caller's. full: there may be more behind. */
enum cc_presync_result cc_presync_headers(struct cc_presync *s,
                                          const struct cc_header *h,
                                          size_t count, bool full,
                                          struct cc_header **out,
                                          size_t *out_count);
/* Hash to ask from, to be put before the locator of start. */
void cc_presync_last(const struct cc_presync *s, uint8_t hash[32]);
const struct cc_index *cc_presync_start(const struct cc_presync *s);
/* Height reached in the first walk; -1 in the second. */
int64_t cc_presync_height(const struct cc_presync *s);

#endif
