/*
 * u256.h: 256-bit unsigned integers for work, targets and tickets.
 *
 * Four 64-bit words, least significant first. Wraps at 2^256 where nothing
 * else is said.
 */
#ifndef CC_UTIL_U256_H
#define CC_UTIL_U256_H

#include <stdbool.h>
#include <stdint.h>

struct cc_u256 {
    uint64_t w[4];
};

struct cc_u256 cc_u256_from_u64(uint64_t v);
struct cc_u256 cc_u256_from_le(const uint8_t b[32]);
struct cc_u256 cc_u256_from_be(const uint8_t b[32]);
void cc_u256_to_le(uint8_t b[32], const struct cc_u256 *a);
void cc_u256_to_be(uint8_t b[32], const struct cc_u256 *a);
int cc_u256_cmp(const struct cc_u256 *a, const struct cc_u256 *b);
bool cc_u256_is_zero(const struct cc_u256 *a);
/* Number of bits: 0 for zero, 256 at the most. */
unsigned cc_u256_bits(const struct cc_u256 *a);
/* These two return the carry out / borrow; out may be a or b. */
bool cc_u256_add(struct cc_u256 *out, const struct cc_u256 *a,
                 const struct cc_u256 *b);
bool cc_u256_sub(struct cc_u256 *out, const struct cc_u256 *a,
                 const struct cc_u256 *b);
/* Returns what does not fit (the word above). */
uint64_t cc_u256_mul_u64(struct cc_u256 *out, const struct cc_u256 *a,
                         uint64_t m);
void cc_u256_shl(struct cc_u256 *out, const struct cc_u256 *a, unsigned n);
void cc_u256_shr(struct cc_u256 *out, const struct cc_u256 *a, unsigned n);
/* Quotient; division by zero gives zero. */
void cc_u256_div(struct cc_u256 *out, const struct cc_u256 *a,
                 const struct cc_u256 *b);
double cc_u256_to_double(const struct cc_u256 *a); /* for display only */

#endif
