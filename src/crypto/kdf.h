/*
 * kdf.h: keys from keys, and keys from passwords. Any thread.
 */
#ifndef CC_CRYPTO_KDF_H
#define CC_CRYPTO_KDF_H

#include "util/bytes.h"

/* HKDF with SHA-256 (RFC 5869), extract and expand; len <= 255 * 32. */
void cc_hkdf_sha256(uint8_t *out, size_t len, const void *salt, size_t salt_len,
                    const void *secret, size_t secret_len, const void *info,
                    size_t info_len);

/* PBKDF2 with HMAC-SHA-512 (RFC 8018), as BIP 39 uses it. */
void cc_pbkdf2_sha512(uint8_t *out, size_t len, const void *password,
                      size_t password_len, const void *salt, size_t salt_len,
                      unsigned rounds);

/* scrypt (RFC 7914): n a power of two above 1; uses 128 * n * r bytes, at
 * most 1 GiB. False if the parameters are none or memory is short. */
bool cc_scrypt(uint8_t *out, size_t len, const void *password,
               size_t password_len, const void *salt, size_t salt_len,
               uint64_t n, uint32_t r, uint32_t p);

#endif
