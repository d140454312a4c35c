/*
 * muhash.h: MuHash3072, the hash of a set: in whatever order its elements
 * come, and whatever came and went meanwhile.
 *
 * Each element becomes a number modulo the prime 2^3072 - 1103717: the first
 * 384 bytes of the ChaCha20 stream (nonce and counter zero) under its SHA-256.
 * The set is the product of them; an element that goes is divided by. What is
 * shown is the SHA-256 of that product, little-endian. Two sets of one hash are
 * as hard to find as a discrete logarithm there (Bellare and Micciancio,
 * "A New Paradigm for Collision-Free Hashing", 1997).
 *
 * Bitcoin Core's hash of its coins, `gettxoutsetinfo muhash`.
 */
#ifndef CC_CRYPTO_MUHASH_H
#define CC_CRYPTO_MUHASH_H

#include "util/bytes.h"

struct cc_muhash;

struct cc_muhash *cc_muhash_new(void); /* of the empty set */
void cc_muhash_free(struct cc_muhash *m);
void cc_muhash_add(struct cc_muhash *m, const void *data, size_t len);
void cc_muhash_remove(struct cc_muhash *m, const void *data, size_t len);
/* To go on another time. load: false if there are no such numbers. */
#define CC_MUHASH_STATE 768
void cc_muhash_save(const struct cc_muhash *m, uint8_t out[CC_MUHASH_STATE]);
bool cc_muhash_load(struct cc_muhash *m, const uint8_t in[CC_MUHASH_STATE]);
/* m stays as it is. */
void cc_muhash_final(struct cc_muhash *m, uint8_t out[32]);

#endif
