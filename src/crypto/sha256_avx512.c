/*
 * SHA-256 of sixteen messages at once, one in each 32-bit lane of AVX-512.
 *
 * Worth it only where many messages of one length wait: Merkle trees. A
 * single message goes to the next best backend.
 */
#include "crypto/sha256_impl.h"

typedef int cc_sha256_avx512_unit; /* no empty unit on other machines */

#ifdef __x86_64__
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))
#define INLINE static inline __attribute__((always_inline)) TARGET

#define XOR3 0x96 /* truth tables of three inputs, for vpternlog */
#define CHOOSE 0xca
#define MAJORITY 0xe8

#define ADD _mm512_add_epi32
#define ROR _mm512_ror_epi32

INLINE __m512i sigma(__m512i x, __m512i y, __m512i z)
{
    return _mm512_ternarylogic_epi32(x, y, z, XOR3);
}

/* Sixteen rows of sixteen words to sixteen columns, big-endian words turned
 * into the machine's. */
INLINE void transpose(__m512i r[16])
{
    __m512i t[16];

    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

INLINE __m512i next_word(const __m512i w[16], int i)
{
    __m512i x = w[(i + 1) & 15], y = w[(i + 14) & 15];

    return ADD(ADD(w[i], w[(i + 9) & 15]),
               ADD(sigma(ROR(x, 7), ROR(x, 18), _mm512_srli_epi32(x, 3)),
                   sigma(ROR(y, 17), ROR(y, 19), _mm512_srli_epi32(y, 10))));
}

INLINE void round16(const __m512i s[8], __m512i *d, __m512i *h, int at,
                    __m512i kw)
{
    __m512i a = s[(8 - at) & 7], b = s[(9 - at) & 7], c = s[(10 - at) & 7];
    __m512i e = s[(12 - at) & 7], f = s[(13 - at) & 7], g = s[(14 - at) & 7];
    __m512i t =
        ADD(ADD(*h, kw), ADD(sigma(ROR(e, 6), ROR(e, 11), ROR(e, 25)),
                             _mm512_ternarylogic_epi32(e, f, g, CHOOSE)));

    *d = ADD(*d, t);
    *h = ADD(ADD(t, sigma(ROR(a, 2), ROR(a, 13), ROR(a, 22))),
             _mm512_ternarylogic_epi32(a, b, c, MAJORITY));
}

#define ROUND(i, kw)                                                           \
    round16(s, &s[(11 - (i)) & 7], &s[(15 - (i)) & 7], (i)&7, kw)
#define KW(i) ADD(w[i], _mm512_set1_epi32((int)k[i]))
#define LAST(i) ROUND(i, KW(i))
#define STEP(i)                                                                \
    do {                                                                       \
        ROUND(i, KW(i));                                                       \
        w[i] = next_word(w, i);                                                \
    } while (0)
#define FIXED(i) ROUND(i, _mm512_set1_epi32((int)k[i]))
#define ALL(M)                                                                 \
    M(0);                                                                      \
    M(1);                                                                      \
    M(2);                                                                      \
    M(3);                                                                      \
    M(4);                                                                      \
    M(5);                                                                      \
    M(6);                                                                      \
    M(7);                                                                      \
    M(8);                                                                      \
    M(9);                                                                      \
    M(10);                                                                     \
    M(11);                                                                     \
    M(12);                                                                     \
    M(13);                                                                     \
    M(14);                                                                     \
    M(15)

TARGET static void compress(__m512i state[8], const __m512i words[16])
{
    const uint32_t *k = cc_sha256_k;
    __m512i s[8], w[16];

    memcpy(s, state, sizeof(s));
    memcpy(w, words, sizeof(w));
    for (int g = 0; g < 3; g++, k += 16) {
        ALL(STEP);
    }
    ALL(LAST);
    for (int j = 0; j < 8; j++)
        state[j] = ADD(state[j], s[j]);
}

/* The block that pads 64 bytes. */
TARGET static void compress_pad(__m512i state[8])
{
    const uint32_t *k = cc_sha256_kw64;
    __m512i s[8];

    memcpy(s, state, sizeof(s));
    for (int g = 0; g < 4; g++, k += 16) {
        ALL(FIXED);
    }
    for (int j = 0; j < 8; j++)
        state[j] = ADD(state[j], s[j]);
}

INLINE __m512i swap_words(__m512i x)
{
    const __m512i swap = _mm512_set_epi32(
        0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203, 0x0c0d0e0f, 0x08090a0b,
        0x04050607, 0x00010203, 0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203,
        0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);

    return _mm512_shuffle_epi8(x, swap);
}

INLINE void first_state(__m512i s[8])
{
    for (int j = 0; j < 8; j++)
        s[j] = _mm512_set1_epi32((int)cc_sha256_h0[j]);
}

TARGET static void avx512_many(uint32_t (*state)[8], const uint8_t *const *data,
                               size_t count)
{
    uint32_t turned[8][16];
    __m512i s[8], w[16];

    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 8; j++)
            turned[j][i] = state[i][j];
    for (int j = 0; j < 8; j++)
        s[j] = _mm512_loadu_si512(turned[j]);
    for (size_t n = 0; n < count; n++) {
        for (int i = 0; i < 16; i++)
            w[i] = swap_words(_mm512_loadu_si512(data[i] + 64 * n));
        transpose(w);
        compress(s, w);
    }
    for (int j = 0; j < 8; j++)
        _mm512_storeu_si512(turned[j], s[j]);
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 8; j++)
            state[i][j] = turned[j][i];
}

/* Between the two hashes nothing is turned: the first one's words are, lane by
 * lane, the second one's message. */
TARGET static void avx512_pairs(uint8_t *out, const uint8_t *in)
{
    __m512i s[8], w[16];

    for (int i = 0; i < 16; i++)
        w[i] = swap_words(_mm512_loadu_si512(in + 64 * i));
    transpose(w);
    first_state(s);
    compress(s, w);
    compress_pad(s);
    memcpy(w, s, sizeof(s));
    for (int i = 8; i < 16; i++)
        w[i] = _mm512_setzero_si512();
    w[8] = _mm512_set1_epi32((int)0x80000000);
    w[15] = _mm512_set1_epi32(256);
    first_state(s);
    compress(s, w);
    memcpy(w, s, sizeof(s));
    transpose(w);
    for (int i = 0; i < 16; i++)
        _mm256_storeu_si256((__m256i *)(out + 32 * i),
                            _mm512_castsi512_si256(swap_words(w[i])));
}

static const struct cc_sha256_impl *single(void)
{
    return cc_sha256_shani.usable() ? &cc_sha256_shani : &cc_sha256_portable;
}

static void avx512_blocks(uint32_t state[8], const uint8_t *data, size_t count)
{
    single()->blocks(state, data, count);
}

static bool avx512_usable(void)
{
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw");
}

const struct cc_sha256_impl cc_sha256_avx512 = {
    "avx-512", avx512_usable, avx512_blocks, 16, avx512_many, avx512_pairs,
};
#endif
