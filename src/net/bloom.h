/*
 * bloom.h: the filter by which a peer says what it wants to be told of.
 *
 * Source: BIP 37; its hash is MurmurHash3 for 32 bits. What the filter is asked
 * of is not secret from the peer that sent it, so the hash needs no key.
 */
#ifndef CC_NET_BLOOM_H
#define CC_NET_BLOOM_H

#include "consensus/tx.h"
#include "util/error.h"

#define CC_BLOOM_MAX_SIZE 36000
#define CC_BLOOM_MAX_HASHES 50

struct cc_bloom;

/* A filterload. CC_LIMIT: larger than BIP 37 allows. */
enum cc_status cc_bloom_decode(struct cc_bloom **out, const void *data,
                               size_t len);
void cc_bloom_free(struct cc_bloom *b); /* NULL is fine */
void cc_bloom_add(struct cc_bloom *b, const void *data, size_t len);
bool cc_bloom_has(const struct cc_bloom *b, const void *data, size_t len);
/* Is it for this peer? An output that is goes into the filter, if the peer
 * asked for that, so that what spends it will be too. */
bool cc_bloom_match(struct cc_bloom *b, const struct cc_tx *tx);

uint32_t cc_murmur3(uint32_t seed, const void *data, size_t len);

#endif
