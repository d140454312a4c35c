/*
 * seal.h: sealing data to a host, and the lottery over it (doc/protocol.md 6).
 *
 * Pure and thread safe. Making (cc_seal_leaf) is slow on purpose: eight or two
 * cube roots a leaf; undoing takes as many cubings.
 */
#ifndef CC_CONSENSUS_SEAL_H
#define CC_CONSENSUS_SEAL_H

#include "consensus/params.h"
#include "crypto/mtree.h"
#include "util/u256.h"

#define CC_SEAL_COLUMNS 16

/* K: hash is that of the block at the seal's seal_height. */
void cc_seal_key(uint8_t key[32], const uint8_t hash[32],
                 const uint8_t seal_id[32], const uint8_t host_key[32]);

/* Leaf index of the seal, raw to sealed and back; in place is allowed. */
void cc_seal_leaf(uint8_t sealed[CC_LEAF_SIZE], const uint8_t raw[CC_LEAF_SIZE],
                  uint64_t index, const uint8_t key[32],
                  const struct cc_params *p);
void cc_unseal_leaf(uint8_t raw[CC_LEAF_SIZE],
                    const uint8_t sealed[CC_LEAF_SIZE], uint64_t index,
                    const uint8_t key[32], const struct cc_params *p);

/* What the block with this hash draws from a unit: a sector, counted from the
 * seal's start (past its end: nothing is drawn), and a column of its leaves. */
void cc_seal_draw(uint64_t *sector, unsigned *column, const uint8_t hash[32],
                  const uint8_t key[32], uint32_t unit,
                  const struct cc_params *p);

/* The ticket of a sealed leaf: it wins if it is below T. */
void cc_seal_ticket(struct cc_u256 *ticket, const uint8_t hash[32],
                    const uint8_t key[32], uint64_t index, unsigned column,
                    const uint8_t sealed[CC_LEAF_SIZE],
                    const struct cc_params *p);

/* The bytes of one column of a sealed leaf, 64 in all: what a host that lays
 * its sectors out by columns keeps together. */
#define CC_SEAL_SLICE (CC_LEAF_SIZE / CC_SEAL_COLUMNS)
void cc_seal_slice(uint8_t slice[CC_SEAL_SLICE],
                   const uint8_t sealed[CC_LEAF_SIZE], unsigned column,
                   const struct cc_params *p);
/* A ticket from the slice alone. */
void cc_seal_ticket_slice(struct cc_u256 *ticket, const uint8_t hash[32],
                          const uint8_t key[32], uint64_t index,
                          const uint8_t slice[CC_SEAL_SLICE]);

#endif
