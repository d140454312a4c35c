/*
 * p = 2^bits - c lies so close below a power of two that reducing costs one
 * multiplication by c: hi * 2^bits + lo = lo + hi * c (mod p).
 *
 * The exponent of the cube root has the regular form
 *     (2p - 1) / 3 = (2^(bits+1) - 2c - 1) / 3 = 2(4^h - 1)/3 - (2c - 1)/3,
 * h = bits / 2: binary 1010…10, but for the end. Powers with exponents
 * R(m) = (4^m - 1)/3 = 0101…01 double by R(2m) = R(m) * 4^m + R(m), so nearly
 * all the work is the squarings, and hardly any multiplication is left.
 */
#include "crypto/sealfield.h"

#include "util/mem.h"

#include <assert.h>

#include <gmp.h>

#if GMP_NAIL_BITS != 0
#error "GMP with nails is not supported"
#endif

#define LIMBS_MAX (CC_SEALFIELD_BITS_MAX / GMP_LIMB_BITS)
#define LIMB_BYTES (GMP_LIMB_BITS / 8)
#define TAIL_BITS 32 /* of the exponent's end, done bit by bit */

struct elem {
    mp_limb_t w[LIMBS_MAX];
};

static mp_size_t limbs(const struct cc_sealfield *f)
{
    return (mp_size_t)(f->bits / GMP_LIMB_BITS);
}

static void from_bytes(struct elem *x, const uint8_t *p, mp_size_t n)
{
    for (mp_size_t i = 0; i < n; i++) {
        x->w[i] = 0;
        for (int b = LIMB_BYTES - 1; b >= 0; b--)
            x->w[i] = x->w[i] << 8 | p[i * LIMB_BYTES + b];
    }
}

static void to_bytes(uint8_t *p, const struct elem *x, mp_size_t n)
{
    for (mp_size_t i = 0; i < n; i++)
        for (int b = 0; b < LIMB_BYTES; b++)
            p[i * LIMB_BYTES + b] = (uint8_t)(x->w[i] >> 8 * b);
}

/* x >= p: all ones but for the lowest limb, and that at least 2^64 - c. */
static bool at_least_p(const struct elem *x, const struct cc_sealfield *f)
{
    mp_size_t n = limbs(f);

    for (mp_size_t i = 1; i < n; i++)
        if (x->w[i] != ~(mp_limb_t)0)
            return false;
    return x->w[0] >= (mp_limb_t)0 - f->c;
}

/* 2n limbs to n, below 2^bits but not always below p. */
static void fold(struct elem *out, const mp_limb_t *wide,
                 const struct cc_sealfield *f)
{
    mp_size_t n = limbs(f);
    mp_limb_t over;

    memcpy(out->w, wide, (size_t)n * sizeof(*wide));
    over = mpn_addmul_1(out->w, wide + n, n, f->c);
    /* over < c, so over * c fits, and at most one more carry comes of it. */
    while (over)
        over = mpn_add_1(out->w, out->w, n, over * f->c);
}

static void square(struct elem *x, unsigned times, const struct cc_sealfield *f)
{
    mp_limb_t wide[2 * LIMBS_MAX];

    for (; times; times--) {
        mpn_sqr(wide, x->w, limbs(f));
        fold(x, wide, f);
    }
}

static void multiply(struct elem *x, const struct elem *y,
                     const struct cc_sealfield *f)
{
    mp_limb_t wide[2 * LIMBS_MAX];

    mpn_mul_n(wide, x->w, y->w, limbs(f));
    fold(x, wide, f);
}

static void cube(struct elem *x, const struct cc_sealfield *f)
{
    struct elem y = *x;

    square(&y, 1, f);
    multiply(x, &y, f);
}

/* x to the power R(m). */
static void power_r(struct elem *x, unsigned m, const struct cc_sealfield *f)
{
    struct elem base = *x, part;
    unsigned done = 1, bit = 1;

    while (bit <= m / 2)
        bit *= 2;
    for (bit /= 2; bit; bit /= 2) {
        part = *x;
        square(x, 2 * done, f);
        multiply(x, &part, f);
        done *= 2;
        if (m & bit) {
            square(x, 2, f);
            multiply(x, &base, f);
            done++;
        }
    }
}

static void root(struct elem *x, const struct cc_sealfield *f)
{
    /* 2(4^h - 1)/3 ends in 0xaaaaaaaa; what c takes off borrows no further. */
    uint32_t tail = 0xaaaaaaaa - (2 * f->c - 1) / 3;
    struct elem base = *x;

    power_r(x, f->bits / 2 - TAIL_BITS / 2, f);
    square(x, 1, f);
    for (int i = TAIL_BITS - 1; i >= 0; i--) {
        square(x, 1, f);
        if (tail >> i & 1)
            multiply(x, &base, f);
    }
}

static void each(const struct cc_sealfield *f, uint8_t *data, size_t count,
                 void (*step)(struct elem *, const struct cc_sealfield *))
{
    mp_size_t n = limbs(f);
    size_t size = f->bits / 8;

    assert(f->bits % 128 == 0 && f->bits >= 128 &&
           f->bits <= CC_SEALFIELD_BITS_MAX && f->c < 1u << 16 &&
           (2 * f->c - 1) % 3 == 0);
    for (; count; count--, data += size) {
        struct elem x;

        from_bytes(&x, data, n);
        if (at_least_p(&x, f))
            continue;
        step(&x, f);
        /* The one value of each residue: p <= x < 2^bits means x - p, and
         * x + c wraps to it. */
        if (at_least_p(&x, f))
            mpn_add_1(x.w, x.w, n, f->c);
        to_bytes(data, &x, n);
    }
}

void cc_sealfield_cube(const struct cc_sealfield *f, uint8_t *data,
                       size_t count)
{
    each(f, data, count, cube);
}

void cc_sealfield_root(const struct cc_sealfield *f, uint8_t *data,
                       size_t count)
{
    each(f, data, count, root);
}
