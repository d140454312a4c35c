#include "consensus/pow.h"

#include <assert.h>
#include <string.h>

struct cc_u256 cc_compact_to_u256(uint32_t bits, bool *negative, bool *overflow)
{
    unsigned size = bits >> 24;
    uint32_t word = bits & 0x007fffff;
    struct cc_u256 target;

    if (size <= 3) {
        word >>= 8 * (3 - size);
        target = cc_u256_from_u64(word);
    } else {
        target = cc_u256_from_u64(word);
        cc_u256_shl(&target, &target, 8 * (size - 3));
    }
    if (negative)
        *negative = word != 0 && (bits & 0x00800000);
    if (overflow)
        *overflow = word != 0 && (size > 34 || (word > 0xff && size > 33) ||
                                  (word > 0xffff && size > 32));
    return target;
}

uint32_t cc_u256_to_compact(const struct cc_u256 *target)
{
    unsigned size = (cc_u256_bits(target) + 7) / 8;
    struct cc_u256 t = *target;
    uint32_t word;

    if (size <= 3) {
        word = (uint32_t)(t.w[0] << 8 * (3 - size));
    } else {
        cc_u256_shr(&t, &t, 8 * (size - 3));
        word = (uint32_t)t.w[0];
    }
    /* The top bit of the word is a sign: make room for it. */
    if (word & 0x00800000) {
        word >>= 8;
        size++;
    }
    return word | (uint32_t)size << 24;
}

/* The target that bits stand for, if it is one: positive and below 2^256. */
static bool target_of(struct cc_u256 *target, uint32_t bits)
{
    bool negative, overflow;

    *target = cc_compact_to_u256(bits, &negative, &overflow);
    return !negative && !overflow && !cc_u256_is_zero(target);
}

bool cc_pow_check(const uint8_t hash[32], uint32_t bits,
                  const struct cc_params *p)
{
    struct cc_u256 target, h = cc_u256_from_le(hash);

    if (!target_of(&target, bits) || cc_u256_cmp(&target, &p->pow_limit) > 0)
        return false;
    return cc_u256_cmp(&h, &target) <= 0;
}

struct cc_u256 cc_pow_work(uint32_t bits)
{
    struct cc_u256 target, divisor, work;
    struct cc_u256 one = cc_u256_from_u64(1);

    if (!target_of(&target, bits))
        return cc_u256_from_u64(0);
    /* floor(2^256 / (t + 1)) = floor((2^256 - t - 1) / (t + 1)) + 1, and
     * 2^256 - t - 1 is t with all bits turned. t + 1 does not wrap: a compact
     * target has zero low bits or is small. */
    for (int i = 0; i < 4; i++)
        work.w[i] = ~target.w[i];
    (void)cc_u256_add(&divisor, &target, &one);
    cc_u256_div(&work, &work, &divisor);
    (void)cc_u256_add(&work, &work, &one);
    return work;
}

/*
 * aserti3-2d: next = anchor * 2^((time - spacing * (height + 1)) / half_life).
 * The exponent is a fixed-point number of 16 fractional bits; 2^fraction is a
 * cubic that errs by less than 0.013 %. Every operation is on integers, so all
 * machines agree.
 */
uint32_t cc_asert_next(const struct cc_u256 *pow_limit, uint32_t anchor_bits,
                       int64_t spacing_s, int64_t half_life_s,
                       int64_t time_diff, int64_t height_diff)
{
    struct cc_u256 target = cc_compact_to_u256(anchor_bits, NULL, NULL), low;
    uint64_t factor, frac, carry;
    int64_t exponent, shifts;
    unsigned n;

    /* 2^33 seconds, 2^32 blocks: far from the ends of int64. */
    assert(half_life_s > 0);
    exponent =
        (time_diff - spacing_s * (height_diff + 1)) * 65536 / half_life_s;
    /* Floor, for either sign, without shifting a negative number. */
    shifts = exponent / 65536 - (exponent % 65536 < 0);
    frac = (uint64_t)(exponent - shifts * 65536);
    factor =
        65536 +
        ((UINT64_C(195766423245049) * frac + UINT64_C(971821376) * frac * frac +
          UINT64_C(5127) * frac * frac * frac + (UINT64_C(1) << 47)) >>
         48);
    /* target * factor has up to 273 bits: carry holds those above 256. */
    carry = cc_u256_mul_u64(&low, &target, factor);
    shifts -= 16;
    if (shifts >= 0) {
        if (carry || (int64_t)cc_u256_bits(&low) + shifts > 256)
            return cc_u256_to_compact(pow_limit);
        cc_u256_shl(&target, &low, (unsigned)shifts);
    } else if (shifts <= -320) {
        target = cc_u256_from_u64(0);
    } else {
        n = (unsigned)-shifts;
        if (n < 64 && carry >> n)
            return cc_u256_to_compact(pow_limit);
        target = cc_u256_from_u64(carry);
        if (n <= 256)
            cc_u256_shl(&target, &target, 256 - n);
        else
            cc_u256_shr(&target, &target, n - 256);
        cc_u256_shr(&low, &low, n);
        (void)cc_u256_add(&target, &target, &low);
    }
    if (cc_u256_is_zero(&target))
        return cc_u256_to_compact(&(struct cc_u256){{1, 0, 0, 0}});
    if (cc_u256_cmp(&target, pow_limit) > 0)
        return cc_u256_to_compact(pow_limit);
    return cc_u256_to_compact(&target);
}

uint32_t cc_pow_next_bits(const struct cc_params *p, uint32_t prev_height,
                          uint32_t prev_time, uint32_t prev_bits)
{
    if (p->no_retarget)
        return prev_bits;
    return cc_asert_next(
        &p->pow_limit, p->genesis.bits, p->spacing_s, p->half_life_s,
        (int64_t)prev_time - (int64_t)p->genesis.time, prev_height);
}
