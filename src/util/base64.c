#include "util/base64.h"

#include <stdlib.h>

#include "util/mem.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789+/";

char *cc_base64_encode(const void *data, size_t len)
{
    const uint8_t *d = data;
    char *out = cc_malloc(4 * ((len + 2) / 3) + 1), *p = out;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)d[i] << 16;

        if (i + 1 < len)
            v |= (uint32_t)d[i + 1] << 8;
        if (i + 2 < len)
            v |= d[i + 2];
        *p++ = digits[v >> 18];
        *p++ = digits[v >> 12 & 63];
        *p++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
        *p++ = i + 2 < len ? digits[v & 63] : '=';
    }
    *p = '\0';
    return out;
}

static int digit(char c)
{
    const char *p = c ? strchr(digits, c) : NULL;

    return p ? (int)(p - digits) : -1;
}

uint8_t *cc_base64_decode(const char *text, size_t *len)
{
    size_t n = strlen(text), pad = 0, out_len = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    uint8_t *out;

    while (pad < 2 && n > pad && text[n - 1 - pad] == '=')
        pad++;
    if (n % 4)
        return NULL;
    out = cc_malloc(n / 4 * 3 + 1);
    for (size_t i = 0; i < n - pad; i++) {
        int d = digit(text[i]);

        if (d < 0)
            goto fail;
        bits = (bits << 6 | (uint32_t)d) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[out_len++] = (uint8_t)(bits >> have);
        }
    }
    if (bits & ((1u << have) - 1))
        goto fail; /* bits that stand for nothing */
    out[out_len] = '\0';
    *len = out_len;
    return out;
fail:
    free(out);
    return NULL;
}
