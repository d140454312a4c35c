/*
 * hex.h: bytes as hex digits.
 *
 * The _rev calls turn the bytes around: hashes and txids are shown highest
 * byte first, as in Bitcoin, and kept in internal order.
 */
#ifndef CC_UTIL_HEX_H
#define CC_UTIL_HEX_H

#include "util/bytes.h"

/* out gets 2 * len digits in lower case and a NUL. */
void cc_hex_encode(char *out, const void *data, size_t len);
void cc_hex_encode_rev(char *out, const void *data, size_t len);
/* The same in fresh memory, the caller's to free. */
char *cc_hex_dup(const void *data, size_t len);

/* True if text is nothing but an even number of digits; "" counts. */
bool cc_hex_valid(const char *text);
/* Exactly 2 * len digits of either case, or false with out untouched. */
bool cc_hex_decode(void *out, size_t len, const char *text);
bool cc_hex_decode_rev(void *out, size_t len, const char *text);
/* Any even number of digits into fresh memory, the caller's to free; NULL if
 * text is no hex. *len (never NULL) counts bytes. */
uint8_t *cc_hex_decode_dup(const char *text, size_t *len);

#endif
