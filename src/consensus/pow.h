/*
 * pow.h: targets, work and the next difficulty.
 */
#ifndef CC_CONSENSUS_POW_H
#define CC_CONSENSUS_POW_H

#include "consensus/params.h"

/* Bitcoin's compact form; *negative and *overflow (may be NULL) as Core's. */
struct cc_u256 cc_compact_to_u256(uint32_t bits, bool *negative,
                                  bool *overflow);
uint32_t cc_u256_to_compact(const struct cc_u256 *target);

/* Does hash (internal byte order) meet bits, and bits lie within the limit? */
bool cc_pow_check(const uint8_t hash[32], uint32_t bits,
                  const struct cc_params *p);
/* Expected hashes: floor(2^256 / (target + 1)); zero for an invalid target. */
struct cc_u256 cc_pow_work(uint32_t bits);

/* aserti3-2d: bits of the block after height_diff blocks and time_diff seconds
 * from the anchor (its parent's time). Integer arithmetic only. */
uint32_t cc_asert_next(const struct cc_u256 *pow_limit, uint32_t anchor_bits,
                       int64_t spacing_s, int64_t half_life_s,
                       int64_t time_diff, int64_t height_diff);
/* Required bits of the block after prev (prev_height, prev_time); genesis is
 * the anchor, its own time standing for its parent's. */
uint32_t cc_pow_next_bits(const struct cc_params *p, uint32_t prev_height,
                          uint32_t prev_time, uint32_t prev_bits);

#endif
