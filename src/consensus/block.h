/*
 * block.h: blocks on the wire.
 *
 * A decoded block owns its raw bytes; its transactions are slices of them.
 */
#ifndef CC_CONSENSUS_BLOCK_H
#define CC_CONSENSUS_BLOCK_H

#include "consensus/tx.h"

#define CC_HEADER_SIZE 80

struct cc_header {
    int32_t version;
    uint8_t prev[32], merkle_root[32];
    uint32_t time, bits, nonce;
};

struct cc_block {
    struct cc_header header;
    uint8_t hash[32]; /* internal byte order */
    struct cc_tx *tx;
    size_t tx_count;
    struct cc_bytes raw; /* the whole block, owned (heap) */
    size_t stripped_size;
    struct cc_arena arena;
};

void cc_header_read(struct cc_reader *r, struct cc_header *h);
void cc_header_write(struct cc_writer *w, const struct cc_header *h);
void cc_header_hash(uint8_t out[32], const struct cc_header *h);

/* data is copied. CC_MALFORMED: block untouched. */
enum cc_status cc_block_decode(struct cc_block *block, const void *data,
                               size_t len);
/* As cc_block_decode but takes data (from malloc), also on failure. */
enum cc_status cc_block_decode_take(struct cc_block *block, uint8_t *data,
                                    size_t len);
/* As cc_block_decode_take; what follows the block in data does not matter. */
enum cc_status cc_block_decode_front(struct cc_block *block, uint8_t *data,
                                     size_t len);
void cc_block_clear(struct cc_block *block);
size_t cc_block_weight(const struct cc_block *block);

/* Root over ids of 32 bytes. *mutated (may be NULL): two equal neighbours were
 * paired on some level, so another list has the same root (CVE-2012-2459). */
void cc_merkle_root(uint8_t out[32], const uint8_t *ids, size_t n,
                    bool *mutated);
void cc_block_merkle_root(uint8_t out[32], const struct cc_block *block,
                          bool *mutated);
/* Root over wtxids, the coinbase's taken as zero (BIP 141). */
void cc_block_witness_root(uint8_t out[32], const struct cc_block *block);
/* Index of the coinbase output that holds the witness commitment, or -1. */
int cc_block_commitment_index(const struct cc_block *block);

#endif
