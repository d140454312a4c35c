/*
 * amount.h: money in satoshi.
 *
 * The bound differs between chains (84,000,000 or 21,000,000 coins), so it is
 * an argument, params->max_money, and every sum names it. An answer that is
 * dropped is a warning.
 */
#ifndef CC_UTIL_AMOUNT_H
#define CC_UTIL_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t cc_amount;

#define CC_COIN INT64_C(100000000)

static inline bool cc_amount_in_range(cc_amount a, cc_amount max)
{
    return a >= 0 && a <= max;
}

/* *sum = a + b; false, *sum untouched, if a, b or the sum leaves [0, max]. */
__attribute__((warn_unused_result)) static inline bool
cc_amount_add(cc_amount *sum, cc_amount a, cc_amount b, cc_amount max)
{
    if (!cc_amount_in_range(a, max) || !cc_amount_in_range(b, max) ||
        a > max - b)
        return false;
    *sum = a + b;
    return true;
}

/* *out = a * n; false, *out untouched, if it leaves [0, max]. */
__attribute__((warn_unused_result)) static inline bool
cc_amount_mul(cc_amount *out, cc_amount a, uint64_t n, cc_amount max)
{
    uint64_t p;

    if (a < 0 || __builtin_mul_overflow((uint64_t)a, n, &p) ||
        p > (uint64_t)max)
        return false;
    *out = (cc_amount)p;
    return true;
}

/* "1.50000000", "-0.00000001": Core's ValueFromAmount; always 8 decimals. */
#define CC_AMOUNT_TEXT_SIZE 24
void cc_amount_format(char out[CC_AMOUNT_TEXT_SIZE], cc_amount a);

/* A decimal number as JSON writes it (optional '-', no '+', no leading zero,
 * optional exponent) as an integer of 10^-decimals units (8: satoshi). False,
 * *out untouched, if text is none, is finer than a unit, or is 10^18 units or
 * more: Core's ParseFixedPoint. */
bool cc_fixed_parse(int64_t *out, const char *text, unsigned decimals);
/* The same as money: 8 decimals, in [0, max]. */
bool cc_amount_parse(cc_amount *out, const char *text, cc_amount max);

#endif
