/*
 * hash.h: the hashes of the protocol.
 *
 * SHA-256 (FIPS 180-4) is our own code, because a node spends its life in it:
 * it uses the processor's SHA extensions where they are, found once at start
 * (results never depend on it). The rest is OpenSSL's. All calls are thread
 * safe; contexts belong to their caller and need no clearing.
 */
#ifndef CC_CRYPTO_HASH_H
#define CC_CRYPTO_HASH_H

#include "util/bytes.h"

struct cc_sha256 {
    uint32_t state[8];
    uint64_t count; /* bytes so far */
    uint8_t buf[64];
};

void cc_sha256_init(struct cc_sha256 *c);
void cc_sha256_update(struct cc_sha256 *c, const void *data, size_t len);
void cc_sha256_final(struct cc_sha256 *c, uint8_t out[32]);
/* Final, then SHA-256 of the result. */
void cc_sha256_final2(struct cc_sha256 *c, uint8_t out[32]);

void cc_sha256_once(uint8_t out[32], const void *data, size_t len);
/* SHA-256 of SHA-256: txids, block hashes. */
void cc_hash256(uint8_t out[32], const void *data, size_t len);
/* out[i] = hash256 of the 64 bytes in[i], for n of them; out == in allowed.
 * The fast way up a Bitcoin Merkle tree. */
void cc_hash256_pairs(uint8_t *out, const uint8_t *in, size_t n);
/* out[i] = SHA-256 of (prefix ‖ in[i]), each in[i] being len bytes: RFC 9162
 * leaves and nodes of a whole level, several at once. out must not overlap. */
void cc_sha256_prefixed_many(uint8_t *out, uint8_t prefix, const uint8_t *in,
                             size_t len, size_t n);

/* BIP 340 tagged hash: SHA256(SHA256(tag) ‖ SHA256(tag) ‖ ...). */
void cc_sha256_init_tag(struct cc_sha256 *c, const char *tag);
void cc_tagged_hash(uint8_t out[32], const char *tag, const void *data,
                    size_t len);

void cc_sha1(uint8_t out[20], const void *data, size_t len);
void cc_ripemd160(uint8_t out[20], const void *data, size_t len);
/* RIPEMD-160 of SHA-256. */
void cc_hash160(uint8_t out[20], const void *data, size_t len);
void cc_sha512(uint8_t out[64], const void *data, size_t len);
void cc_sha3_256(uint8_t out[32], const void *data, size_t len); /* FIPS 202 */
void cc_hmac_sha256(uint8_t out[32], const void *key, size_t key_len,
                    const void *data, size_t len);
void cc_hmac_sha512(uint8_t out[64], const void *key, size_t key_len,
                    const void *data, size_t len);

/* "avx-512", "sha-ni", "portable": for the log and the bench. */
const char *cc_sha256_backend(void);

#endif
