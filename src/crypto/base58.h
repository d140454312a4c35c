/*
 * base58.h: Base58 and Base58Check, the alphabet of Bitcoin's first addresses
 * and of its extended keys. Pure functions, any thread.
 */
#ifndef CC_CRYPTO_BASE58_H
#define CC_CRYPTO_BASE58_H

#include "util/bytes.h"

/* Both work on at most this many bytes; longer input is refused. The work
 * grows with the square of the length. */
#define CC_BASE58_MAX 256

/* Text with its NUL into out, which has room for size bytes; false if that is
 * too little or len is above CC_BASE58_MAX. */
bool cc_base58_encode(char *out, size_t size, const void *data, size_t len);

/* *len in: room in out, out: bytes. White space around the text is allowed,
 * as Core allows it. False for a foreign character or too little room. */
bool cc_base58_decode(uint8_t *out, size_t *len, const char *text);

/* The same with the first four bytes of hash256 behind the data. */
bool cc_base58check_encode(char *out, size_t size, const void *data,
                           size_t len);
bool cc_base58check_decode(uint8_t *out, size_t *len, const char *text);

#endif
