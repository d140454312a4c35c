/*
 * bech32.h: Bech32 (BIP 173) and Bech32m (BIP 350), and where the errors of a
 * mistyped one are. Pure functions, any thread.
 */
#ifndef CC_CRYPTO_BECH32_H
#define CC_CRYPTO_BECH32_H

#include "util/bytes.h"

#define CC_BECH32_MAX 90 /* characters */

enum cc_bech32_kind {
    CC_BECH32_NONE, /* does not decode */
    CC_BECH32,
    CC_BECH32M,
};

struct cc_bech32 {
    enum cc_bech32_kind kind;
    char hrp[CC_BECH32_MAX + 1]; /* lower case */
    uint8_t data[CC_BECH32_MAX]; /* 5-bit values, checksum removed */
    size_t len;
};

/* False unless the whole comes out in CC_BECH32_MAX characters and each value
 * is below 32. out has room for CC_BECH32_MAX + 1 bytes. hrp in lower case. */
bool cc_bech32_encode(char *out, enum cc_bech32_kind kind, const char *hrp,
                      const uint8_t *data, size_t len);

/* The kind found, also in out->kind. */
enum cc_bech32_kind cc_bech32_decode(struct cc_bech32 *out, const char *text);

/* What is wrong with a text that does not decode, in Core's words, and at
 * which characters (at most room of them, *count says how many). Up to two
 * substituted characters are found. "" if nothing is wrong. */
const char *cc_bech32_locate(const char *text, size_t *at, size_t room,
                             size_t *count);

/* 8-bit bytes to 5-bit values, the last one filled up with zeros; returns
 * their number, (len * 8 + 4) / 5. */
size_t cc_bech32_from_bytes(uint8_t *out, const uint8_t *data, size_t len);
/* 5-bit values to bytes, at most len * 5 / 8; false if what is left over is
 * 5 bits or more or not zero. */
bool cc_bech32_to_bytes(uint8_t *out, size_t *out_len, const uint8_t *values,
                        size_t len);

#endif
