#include "crypto/base58.h"

#include "crypto/hash.h"
#include "util/mem.h"

static const char digits[] =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

bool cc_base58_encode(char *out, size_t size, const void *data, size_t len)
{
    /* log(256) / log(58) < 1.38 digits a byte. */
    uint8_t big[CC_BASE58_MAX * 138 / 100 + 1] = {0};
    const uint8_t *p = data;
    size_t used = 0, zeros = 0;

    if (len > CC_BASE58_MAX)
        return false;
    while (zeros < len && !p[zeros])
        zeros++;
    /* big holds used digits, lowest first. */
    for (size_t i = zeros; i < len; i++) {
        unsigned carry = p[i];

        for (size_t j = 0; j < used || carry; j++) {
            if (j == used)
                used++;
            carry += 256u * big[j];
            big[j] = (uint8_t)(carry % 58);
            carry /= 58;
        }
    }
    if (zeros + used + 1 > size)
        return false;
    memset(out, '1', zeros);
    for (size_t i = 0; i < used; i++)
        out[zeros + i] = digits[big[used - 1 - i]];
    out[zeros + used] = 0;
    cc_cleanse(big, sizeof(big));
    return true;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool cc_base58_decode(uint8_t *out, size_t *len, const char *text)
{
    uint8_t big[CC_BASE58_MAX] = {0};
    size_t used = 0, zeros = 0;
    bool ok = false;

    while (is_space(*text))
        text++;
    for (; *text == '1'; text++)
        zeros++;
    for (; *text && !is_space(*text); text++) {
        const char *digit = strchr(digits, *text);
        unsigned carry;

        if (!digit)
            goto out;
        carry = (unsigned)(digit - digits);
        for (size_t j = 0; j < used || carry; j++) {
            if (j == used && used++ == sizeof(big))
                goto out;
            carry += 58u * big[j];
            big[j] = (uint8_t)carry;
            carry >>= 8;
        }
    }
    while (is_space(*text))
        text++;
    if (*text || zeros > CC_BASE58_MAX || zeros + used > *len)
        goto out;
    memset(out, 0, zeros);
    for (size_t i = 0; i < used; i++)
        out[zeros + i] = big[used - 1 - i];
    *len = zeros + used;
    ok = true;
out:
    cc_cleanse(big, sizeof(big));
    return ok;
}

bool cc_base58check_encode(char *out, size_t size, const void *data, size_t len)
{
    uint8_t buf[CC_BASE58_MAX], sum[32];
    bool ok;

    if (len > sizeof(buf) - 4)
        return false;
    memcpy(buf, data, len);
    cc_hash256(sum, data, len);
    memcpy(buf + len, sum, 4);
    ok = cc_base58_encode(out, size, buf, len + 4);
    cc_cleanse(buf, sizeof(buf));
    return ok;
}

bool cc_base58check_decode(uint8_t *out, size_t *len, const char *text)
{
    uint8_t buf[CC_BASE58_MAX], sum[32];
    size_t n = sizeof(buf);
    bool ok = false;

    if (!cc_base58_decode(buf, &n, text) || n < 4 || n - 4 > *len)
        goto out;
    cc_hash256(sum, buf, n - 4);
    if (memcmp(sum, buf + n - 4, 4))
        goto out;
    memcpy(out, buf, n - 4);
    *len = n - 4;
    ok = true;
out:
    cc_cleanse(buf, sizeof(buf));
    return ok;
}
