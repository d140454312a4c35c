/*
 * sealfield.h: cubes and cube roots modulo p = 2^bits - c, the slow-to-make,
 * fast-to-undo step of the seal (doc/protocol.md 6). GMP's mpn layer.
 *
 * An element is bits / 8 bytes, little-endian. What is not below p stays as it
 * is, in both directions, so every string of bytes has its image and the map
 * is a permutation: p is 2 mod 3, so each residue has exactly one cube root.
 * Pure; any thread; nothing is kept between calls.
 */
#ifndef CC_CRYPTO_SEALFIELD_H
#define CC_CRYPTO_SEALFIELD_H

#include "util/bytes.h"

#define CC_SEALFIELD_BITS_MAX 4096

/* bits a multiple of 128, at most CC_SEALFIELD_BITS_MAX; c odd, below 2^16,
 * 2^bits - c prime and 2 mod 3. */
struct cc_sealfield {
    unsigned bits, c;
};

/* In place: count elements, one behind the other. */
void cc_sealfield_cube(const struct cc_sealfield *f, uint8_t *data,
                       size_t count);
/* The inverse: x^((2p - 1) / 3), about `bits` squarings an element. */
void cc_sealfield_root(const struct cc_sealfield *f, uint8_t *data,
                       size_t count);

#endif
