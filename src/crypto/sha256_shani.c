/*
 * SHA-256 with the SHA extensions of x86 processors, one and two messages at
 * a time.
 *
 * The instruction that does two rounds has a latency of four cycles and may
 * start every second one, so a single message leaves the unit idle half of
 * the time; two messages interleaved fill it.
 *
 * The unit wants the eight words as (a b e f) and (c d g h), highest first.
 */
#include "crypto/sha256_impl.h"

typedef int cc_sha256_shani_unit; /* no empty unit on other machines */

#ifdef __x86_64__
#include <immintrin.h>

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE static inline __attribute__((always_inline)) TARGET

struct pair {
    __m128i abef, cdgh;
};

INLINE struct pair load_state(const uint32_t s[8])
{
    __m128i dcba = _mm_loadu_si128((const __m128i *)s);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(s + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    struct pair p = {_mm_alignr_epi8(cdab, efgh, 8),
                     _mm_blend_epi16(efgh, cdab, 0xf0)};

    return p;
}

INLINE void store_state(uint32_t s[8], struct pair p)
{
    __m128i feba = _mm_shuffle_epi32(p.abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(p.cdgh, 0xb1);

    _mm_storeu_si128((__m128i *)s, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(s + 4), _mm_alignr_epi8(dchg, feba, 8));
}

INLINE __m128i load_words(const uint8_t *p)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p), swap);
}

INLINE __m128i constants(int group)
{
    return _mm_loadu_si128((const __m128i *)(cc_sha256_k + 4 * group));
}

/* Four rounds. */
INLINE void rounds(struct pair *p, __m128i kw)
{
    p->cdgh = _mm_sha256rnds2_epu32(p->cdgh, p->abef, kw);
    p->abef =
        _mm_sha256rnds2_epu32(p->abef, p->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

/* The next four words of the schedule, from the last sixteen; takes the place
 * of the oldest. */
INLINE __m128i schedule(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    __m128i t =
        _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));

    return _mm_sha256msg2_epu32(t, w3);
}

#define GROUP1(g, w) rounds(&p, _mm_add_epi32(w, constants(g)))
#define FOUR1(g)                                                               \
    GROUP1(g, w0);                                                             \
    w0 = schedule(w0, w1, w2, w3);                                             \
    GROUP1(g + 1, w1);                                                         \
    w1 = schedule(w1, w2, w3, w0);                                             \
    GROUP1(g + 2, w2);                                                         \
    w2 = schedule(w2, w3, w0, w1);                                             \
    GROUP1(g + 3, w3);                                                         \
    w3 = schedule(w3, w0, w1, w2)

TARGET static void shani_blocks(uint32_t state[8], const uint8_t *data,
                                size_t count)
{
    struct pair p = load_state(state);

    for (; count; count--, data += 64) {
        struct pair before = p;
        __m128i w0 = load_words(data), w1 = load_words(data + 16);
        __m128i w2 = load_words(data + 32), w3 = load_words(data + 48);

        FOUR1(0);
        FOUR1(4);
        FOUR1(8);
        GROUP1(12, w0);
        GROUP1(13, w1);
        GROUP1(14, w2);
        GROUP1(15, w3);
        p.abef = _mm_add_epi32(p.abef, before.abef);
        p.cdgh = _mm_add_epi32(p.cdgh, before.cdgh);
    }
    store_state(state, p);
}

#define GROUP2(g, w, v)                                                        \
    do {                                                                       \
        __m128i k_ = constants(g);                                             \
        rounds(&p, _mm_add_epi32(w, k_));                                      \
        rounds(&q, _mm_add_epi32(v, k_));                                      \
    } while (0)
#define FOUR2(g)                                                               \
    GROUP2(g, w0, v0);                                                         \
    w0 = schedule(w0, w1, w2, w3);                                             \
    v0 = schedule(v0, v1, v2, v3);                                             \
    GROUP2(g + 1, w1, v1);                                                     \
    w1 = schedule(w1, w2, w3, w0);                                             \
    v1 = schedule(v1, v2, v3, v0);                                             \
    GROUP2(g + 2, w2, v2);                                                     \
    w2 = schedule(w2, w3, w0, w1);                                             \
    v2 = schedule(v2, v3, v0, v1);                                             \
    GROUP2(g + 3, w3, v3);                                                     \
    w3 = schedule(w3, w0, w1, w2);                                             \
    v3 = schedule(v3, v0, v1, v2)

TARGET static void shani_many(uint32_t (*state)[8], const uint8_t *const *data,
                              size_t count)
{
    struct pair p = load_state(state[0]), q = load_state(state[1]);
    const uint8_t *d = data[0], *e = data[1];

    for (; count; count--, d += 64, e += 64) {
        struct pair p0 = p, q0 = q;
        __m128i w0 = load_words(d), w1 = load_words(d + 16);
        __m128i w2 = load_words(d + 32), w3 = load_words(d + 48);
        __m128i v0 = load_words(e), v1 = load_words(e + 16);
        __m128i v2 = load_words(e + 32), v3 = load_words(e + 48);

        FOUR2(0);
        FOUR2(4);
        FOUR2(8);
        GROUP2(12, w0, v0);
        GROUP2(13, w1, v1);
        GROUP2(14, w2, v2);
        GROUP2(15, w3, v3);
        p.abef = _mm_add_epi32(p.abef, p0.abef);
        p.cdgh = _mm_add_epi32(p.cdgh, p0.cdgh);
        q.abef = _mm_add_epi32(q.abef, q0.abef);
        q.cdgh = _mm_add_epi32(q.cdgh, q0.cdgh);
    }
    store_state(state[0], p);
    store_state(state[1], q);
}

/* Rounds over a block whose schedule is known. */
#define FIXED2(g)                                                              \
    do {                                                                       \
        __m128i k_ =                                                           \
            _mm_loadu_si128((const __m128i *)(cc_sha256_kw64 + 4 * (g)));      \
        rounds(&p, k_);                                                        \
        rounds(&q, k_);                                                        \
    } while (0)

TARGET static void pad_two(uint32_t (*state)[8])
{
    struct pair p = load_state(state[0]), q = load_state(state[1]);
    struct pair p0 = p, q0 = q;

    for (int g = 0; g < 16; g += 4) {
        FIXED2(g);
        FIXED2(g + 1);
        FIXED2(g + 2);
        FIXED2(g + 3);
    }
    p.abef = _mm_add_epi32(p.abef, p0.abef);
    p.cdgh = _mm_add_epi32(p.cdgh, p0.cdgh);
    q.abef = _mm_add_epi32(q.abef, q0.abef);
    q.cdgh = _mm_add_epi32(q.cdgh, q0.cdgh);
    store_state(state[0], p);
    store_state(state[1], q);
}

static void shani_pairs(uint8_t *out, const uint8_t *in)
{
    uint8_t block[2][64] = {{[32] = 0x80, [62] = 0x01},
                            {[32] = 0x80, [62] = 0x01}};
    const uint8_t *data[2] = {in, in + 64}, *inner[2] = {block[0], block[1]};
    uint32_t state[2][8];

    memcpy(state[0], cc_sha256_h0, 32);
    memcpy(state[1], cc_sha256_h0, 32);
    shani_many(state, data, 1);
    pad_two(state);
    for (int i = 0; i < 16; i++)
        cc_put_u32be(block[i / 8] + 4 * (i % 8), state[i / 8][i % 8]);
    memcpy(state[0], cc_sha256_h0, 32);
    memcpy(state[1], cc_sha256_h0, 32);
    shani_many(state, inner, 1);
    for (int i = 0; i < 16; i++)
        cc_put_u32be(out + 4 * i, state[i / 8][i % 8]);
}

static bool shani_usable(void)
{
    unsigned a = 7, b = 0, c = 0, d = 0;

    /* Leaf 7, EBX bit 29; __builtin_cpu_supports of older compilers does not
     * know the name. */
    if (!__builtin_cpu_supports("sse4.1") || !__builtin_cpu_supports("ssse3"))
        return false;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (b >> 29 & 1) != 0;
}

const struct cc_sha256_impl cc_sha256_shani = {
    "sha-ni", shani_usable, shani_blocks, 2, shani_many, shani_pairs,
};
#endif
