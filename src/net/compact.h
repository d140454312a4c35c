/*
 * compact.h: blocks as short ids (BIP 152, version 2), and putting them
 * together again.
 *
 * Pure: bytes in, bytes out; peers and pool are the caller's.
 */
#ifndef CC_NET_COMPACT_H
#define CC_NET_COMPACT_H

#include "consensus/block.h"

/* No valid block has more: the smallest transaction weighs 240. */
#define CC_COMPACT_MAX_TX (CC_MAX_BLOCK_WEIGHT / 240)

/* A cmpctblock: the coinbase whole, the rest as short ids. */
void cc_compact_write(struct cc_writer *w, const struct cc_block *block,
                      uint64_t nonce);

/* A block of which some transactions are known. */
struct cc_partial;

/* CC_MALFORMED: not a cmpctblock; CC_INVALID: it cannot be one of any block. */
enum cc_status cc_partial_decode(struct cc_partial **out, const void *data,
                                 size_t len);
void cc_partial_free(struct cc_partial *p);
const uint8_t *cc_partial_hash(const struct cc_partial *p);
const struct cc_header *cc_partial_header(const struct cc_partial *p);
size_t cc_partial_count(const struct cc_partial *p);
/* Two short ids are equal: it cannot be put together, ask for the block. */
bool cc_partial_collides(const struct cc_partial *p);
/* A transaction that we have; put in if one is missing under its short id. A
 * second one with that id leaves the place empty for good. */
void cc_partial_offer(struct cc_partial *p, const struct cc_tx *tx);
/* Positions still empty, rising; *out is the caller's. */
size_t cc_partial_missing(const struct cc_partial *p, uint32_t **out);
/* Fill the empty positions, in order. False: not exactly as many. */
bool cc_partial_fill(struct cc_partial *p, const struct cc_tx *txs,
                     size_t count);
/* The block. CC_CORRUPT: the root does not match, so a short id matched a
 * transaction that was not meant; nobody's fault. */
enum cc_status cc_partial_block(const struct cc_partial *p,
                                struct cc_block *out);

struct cc_getblocktxn {
    uint8_t hash[32];
    uint32_t *index; /* rising; malloc'd, the caller's */
    size_t count;
};
enum cc_status cc_getblocktxn_decode(struct cc_getblocktxn *out,
                                     const void *data, size_t len);
void cc_getblocktxn_write(struct cc_writer *w, const uint8_t hash[32],
                          const uint32_t *index, size_t count);

struct cc_blocktxn {
    uint8_t hash[32];
    struct cc_tx *txs; /* in the arena; slices of data */
    size_t count;
    struct cc_arena arena;
};
/* data must outlive *out. */
enum cc_status cc_blocktxn_decode(struct cc_blocktxn *out, const void *data,
                                  size_t len);
void cc_blocktxn_clear(struct cc_blocktxn *b);
/* index: positions within block, all below its count. */
void cc_blocktxn_write(struct cc_writer *w, const struct cc_block *block,
                       const uint32_t *index, size_t count);

#endif
