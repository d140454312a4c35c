/*
 * siphash.h: SipHash-2-4, the keyed hash behind our tables and short ids.
 *
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
 * Here, below crypto, because util/map.h needs it.
 */
#ifndef CC_UTIL_SIPHASH_H
#define CC_UTIL_SIPHASH_H

#include "util/bytes.h"

uint64_t cc_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len);

#endif
