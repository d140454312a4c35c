#include "util/u256.h"

#include "util/bytes.h"

__extension__ typedef unsigned __int128 wide;

struct cc_u256 cc_u256_from_u64(uint64_t v)
{
    struct cc_u256 a = {{v, 0, 0, 0}};

    return a;
}

struct cc_u256 cc_u256_from_le(const uint8_t b[32])
{
    struct cc_u256 a;

    for (int i = 0; i < 4; i++)
        a.w[i] = cc_get_u64le(b + 8 * i);
    return a;
}

struct cc_u256 cc_u256_from_be(const uint8_t b[32])
{
    struct cc_u256 a;

    for (int i = 0; i < 4; i++)
        a.w[i] = cc_get_u64be(b + 24 - 8 * i);
    return a;
}

void cc_u256_to_le(uint8_t b[32], const struct cc_u256 *a)
{
    for (int i = 0; i < 4; i++)
        cc_put_u64le(b + 8 * i, a->w[i]);
}

void cc_u256_to_be(uint8_t b[32], const struct cc_u256 *a)
{
    for (int i = 0; i < 4; i++)
        cc_put_u64be(b + 24 - 8 * i, a->w[i]);
}

int cc_u256_cmp(const struct cc_u256 *a, const struct cc_u256 *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    }
    return 0;
}

bool cc_u256_is_zero(const struct cc_u256 *a)
{
    return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

unsigned cc_u256_bits(const struct cc_u256 *a)
{
    for (unsigned i = 4; i-- > 0;) {
        if (a->w[i])
            return 64 * (i + 1) - (unsigned)__builtin_clzll(a->w[i]);
    }
    return 0;
}

bool cc_u256_add(struct cc_u256 *out, const struct cc_u256 *a,
                 const struct cc_u256 *b)
{
    wide carry = 0;

    for (int i = 0; i < 4; i++) {
        carry += (wide)a->w[i] + b->w[i];
        out->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry != 0;
}

bool cc_u256_sub(struct cc_u256 *out, const struct cc_u256 *a,
                 const struct cc_u256 *b)
{
    bool borrow = false;

    for (int i = 0; i < 4; i++) {
        wide d = (wide)a->w[i] - b->w[i] - borrow;

        out->w[i] = (uint64_t)d;
        borrow = d >> 64 != 0;
    }
    return borrow;
}

uint64_t cc_u256_mul_u64(struct cc_u256 *out, const struct cc_u256 *a,
                         uint64_t m)
{
    wide carry = 0;

    for (int i = 0; i < 4; i++) {
        carry += (wide)a->w[i] * m;
        out->w[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return (uint64_t)carry;
}

void cc_u256_shl(struct cc_u256 *out, const struct cc_u256 *a, unsigned n)
{
    struct cc_u256 r = {{0}};
    unsigned words = n / 64, bits = n % 64;

    for (unsigned i = words; i < 4; i++) {
        r.w[i] = a->w[i - words] << bits;
        if (bits && i > words)
            r.w[i] |= a->w[i - words - 1] >> (64 - bits);
    }
    *out = r;
}

void cc_u256_shr(struct cc_u256 *out, const struct cc_u256 *a, unsigned n)
{
    struct cc_u256 r = {{0}};
    unsigned words = n / 64, bits = n % 64;

    for (unsigned i = 0; i + words < 4; i++) {
        r.w[i] = a->w[i + words] >> bits;
        if (bits && i + words + 1 < 4)
            r.w[i] |= a->w[i + words + 1] << (64 - bits);
    }
    *out = r;
}

/* Long division, bit by bit: divisors are targets, once per header. */
void cc_u256_div(struct cc_u256 *out, const struct cc_u256 *a,
                 const struct cc_u256 *b)
{
    struct cc_u256 q = {{0}}, rest = *a, d;
    unsigned top = cc_u256_bits(a), low = cc_u256_bits(b);

    if (low == 0 || top < low) {
        *out = q;
        return;
    }
    for (unsigned n = top - low + 1; n-- > 0;) {
        cc_u256_shl(&d, b, n);
        if (cc_u256_cmp(&rest, &d) >= 0) {
            cc_u256_sub(&rest, &rest, &d);
            q.w[n / 64] |= UINT64_C(1) << n % 64;
        }
    }
    *out = q;
}

double cc_u256_to_double(const struct cc_u256 *a)
{
    double r = 0;

    for (int i = 3; i >= 0; i--)
        r = r * 18446744073709551616.0 + (double)a->w[i];
    return r;
}
