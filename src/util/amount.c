#include "util/amount.h"

#include <inttypes.h>
#include <stdio.h>

#define FIXED_MAX INT64_C(999999999999999999)

void cc_amount_format(char out[CC_AMOUNT_TEXT_SIZE], cc_amount a)
{
    uint64_t u = a < 0 ? 0 - (uint64_t)a : (uint64_t)a;

    snprintf(out, CC_AMOUNT_TEXT_SIZE, "%s%" PRIu64 ".%08" PRIu64,
             a < 0 ? "-" : "", u / CC_COIN, u % CC_COIN);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A number as digits without those zeros at its end, and how many there are:
 * 1200 is 12 and 2. Zeros count even before the first other digit. */
struct mantissa {
    int64_t value;
    int64_t zeros;
};

static bool take_digit(struct mantissa *m, char c)
{
    if (c == '0') {
        m->zeros++;
        return true;
    }
    for (int64_t i = 0; i <= m->zeros; i++) {
        if (m->value > FIXED_MAX / 10)
            return false;
        m->value *= 10;
        if (!m->value)
            break; /* leading zeros change nothing */
    }
    m->value += c - '0';
    m->zeros = 0;
    return true;
}

/* "e-7" at *p, if there is one. */
static bool take_exponent(const char **p, int64_t *exponent)
{
    const char *s = *p;
    bool negative;
    int64_t e = 0;

    if (*s != 'e' && *s != 'E')
        return true;
    s++;
    negative = *s == '-';
    if (*s == '+' || *s == '-')
        s++;
    if (!is_digit(*s))
        return false;
    for (; is_digit(*s); s++) {
        if (e > FIXED_MAX / 10)
            return false;
        e = e * 10 + (*s - '0');
    }
    *exponent += negative ? -e : e;
    *p = s;
    return true;
}

bool cc_fixed_parse(int64_t *out, const char *text, unsigned decimals)
{
    struct mantissa m = {0, 0};
    int64_t exponent = (int64_t)decimals;
    bool negative = *text == '-';

    if (negative)
        text++;
    if (*text == '0') {
        text++;
    } else if (is_digit(*text)) {
        for (; is_digit(*text); text++) {
            if (!take_digit(&m, *text))
                return false;
        }
    } else {
        return false;
    }
    if (*text == '.') {
        text++;
        if (!is_digit(*text))
            return false;
        for (; is_digit(*text); text++, exponent--) {
            if (!take_digit(&m, *text))
                return false;
        }
    }
    if (!take_exponent(&text, &exponent) || *text)
        return false;
    exponent += m.zeros;
    if (exponent < 0 || exponent >= 18)
        return false;
    for (; exponent > 0; exponent--) {
        if (m.value > FIXED_MAX / 10)
            return false;
        m.value *= 10;
    }
    *out = negative ? -m.value : m.value;
    return true;
}

bool cc_amount_parse(cc_amount *out, const char *text, cc_amount max)
{
    int64_t v;

    if (!cc_fixed_parse(&v, text, 8) || !cc_amount_in_range(v, max))
        return false;
    *out = v;
    return true;
}
