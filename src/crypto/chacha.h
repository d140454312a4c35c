/*
 * chacha.h: ChaCha20-Poly1305 with associated data (RFC 8439 2.8); OpenSSL
 * does the work. Any thread.
 */
#ifndef CC_CRYPTO_CHACHA_H
#define CC_CRYPTO_CHACHA_H

#include "util/bytes.h"

#define CC_CHACHA_TAG 16

/* out has len + CC_CHACHA_TAG bytes, the tag last; out == data is allowed. */
void cc_chacha_seal(uint8_t *out, const void *data, size_t len,
                    const uint8_t key[32], const uint8_t nonce[12],
                    const void *aad, size_t aad_len);
/* len counts the tag. False, with nothing of use in out, if anything was
 * changed. */
bool cc_chacha_open(uint8_t *out, const uint8_t *data, size_t len,
                    const uint8_t key[32], const uint8_t nonce[12],
                    const void *aad, size_t aad_len);

#endif
