/*
 * aes.h: AES-256 in the modes we use; OpenSSL does the work. Any thread.
 */
#ifndef CC_CRYPTO_AES_H
#define CC_CRYPTO_AES_H

#include "util/bytes.h"

/* Counter mode (SP 800-38A): the key stream from the 128-bit big-endian
 * counter block on is XORed into data, in place. Its own inverse. */
void cc_aes256_ctr(uint8_t *data, size_t len, const uint8_t key[32],
                   const uint8_t counter[16]);

#define CC_GCM_TAG 16

/* Galois counter mode (SP 800-38D). out has len + CC_GCM_TAG bytes, the tag
 * last; out == data is allowed. A nonce is used once per key. */
void cc_aes256_gcm_seal(uint8_t *out, const void *data, size_t len,
                        const uint8_t key[32], const uint8_t nonce[12],
                        const void *aad, size_t aad_len);
/* len counts the tag; out gets len - CC_GCM_TAG bytes. False, with nothing of
 * use in out, if anything was changed. */
bool cc_aes256_gcm_open(uint8_t *out, const uint8_t *data, size_t len,
                        const uint8_t key[32], const uint8_t nonce[12],
                        const void *aad, size_t aad_len);

/* Cipher block chaining with PKCS #7 padding, for wallet files: out has
 * len rounded up to the next multiple of 16 (always at least one byte more).
 */
size_t cc_aes256_cbc_encrypt(uint8_t *out, const void *data, size_t len,
                             const uint8_t key[32], const uint8_t iv[16]);
/* out has room for len bytes; false if the padding is wrong. */
bool cc_aes256_cbc_decrypt(uint8_t *out, size_t *out_len, const uint8_t *data,
                           size_t len, const uint8_t key[32],
                           const uint8_t iv[16]);

#endif
