/* base64.h: RFC 4648 4, padded. Pure functions, any thread. */
#ifndef CC_UTIL_BASE64_H
#define CC_UTIL_BASE64_H

#include "util/bytes.h"

/* Text in fresh memory, the caller's to free. */
char *cc_base64_encode(const void *data, size_t len);
/* Bytes, a NUL behind them, the caller's to free; NULL unless text is exactly
 * what encoding them gives. */
uint8_t *cc_base64_decode(const char *text, size_t *len);

#endif
