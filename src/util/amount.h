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

#endif
