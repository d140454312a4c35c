#include "util/hex.h"

#include "util/mem.h"

static const char digits[] = "0123456789abcdef";

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void cc_hex_encode(char *out, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = '\0';
}

void cc_hex_encode_rev(char *out, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = len; i-- > 0;) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = '\0';
}

char *cc_hex_dup(const void *data, size_t len)
{
    char *out = cc_reallocarray(NULL, len + 1, 2);

    cc_hex_encode(out, data, len);
    return out;
}

bool cc_hex_valid(const char *text)
{
    size_t n = 0;

    for (; text[n]; n++) {
        if (digit(text[n]) < 0)
            return false;
    }
    return n % 2 == 0;
}

bool cc_hex_decode(void *out, size_t len, const char *text)
{
    uint8_t *p = out;

    if (strlen(text) / 2 != len || !cc_hex_valid(text))
        return false;
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return true;
}

bool cc_hex_decode_rev(void *out, size_t len, const char *text)
{
    uint8_t *p = out;

    if (!cc_hex_decode(out, len, text))
        return false;
    for (size_t i = 0; i < len / 2; i++) {
        uint8_t t = p[i];

        p[i] = p[len - 1 - i];
        p[len - 1 - i] = t;
    }
    return true;
}

uint8_t *cc_hex_decode_dup(const char *text, size_t *len)
{
    size_t n = strlen(text) / 2;
    uint8_t *out;

    if (!cc_hex_valid(text))
        return NULL;
    out = cc_malloc(n + 1);
    cc_hex_decode(out, n, text);
    *len = n;
    return out;
}
