#include "crypto/sha256_impl.h"

/* FIPS 180-4 4.2.2: fractional parts of the cube roots of the first 64
 * primes. */
const uint32_t cc_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* The constants plus the message schedule of the block that pads 64 bytes:
 * half the work on it is done. The tests compute it anew. */
const uint32_t cc_sha256_kw64[64] = {
    0xc28a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf374, 0x649b69c1, 0xf0fe4786,
    0x0fe1edc6, 0x240cf254, 0x4fe9346f, 0x6cc984be, 0x61b9411e, 0x16f988fa,
    0xf2c65152, 0xa88e5a6d, 0xb019fc65, 0xb9d99ec7, 0x9a1231c3, 0xe70eeaa0,
    0xfdb1232b, 0xc7353eb0, 0x3069bad5, 0xcb976d5f, 0x5a0f118f, 0xdc1eeefd,
    0x0a35b689, 0xde0b7a04, 0x58f4ca9d, 0xe15d5b16, 0x007f3e86, 0x37088980,
    0xa507ea32, 0x6fab9537, 0x17406110, 0x0d8cd6f1, 0xcdaa3b6d, 0xc0bbbe37,
    0x83613bda, 0xdb48a363, 0x0b02e931, 0x6fd15ca7, 0x521afaca, 0x31338431,
    0x6ed41a95, 0x6d437890, 0xc39c91f2, 0x9eccabbd, 0xb5c9a0e6, 0x532fb63c,
    0xd2c741c6, 0x07237ea3, 0xa4954b68, 0x4c191d76,
};

const uint32_t cc_sha256_h0[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static inline uint32_t rotr(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* One round leaves the eight words turned by one place: a round on (a … h)
 * writes only d and h, so eight rounds in turn need no moves. */
static inline void round1(uint32_t a, uint32_t b, uint32_t c, uint32_t *d,
                          uint32_t e, uint32_t f, uint32_t g, uint32_t *h,
                          uint32_t kw)
{
    uint32_t t = *h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
                 (g ^ (e & (f ^ g))) + kw;

    *d += t;
    *h = t + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
         ((a & b) | (c & (a | b)));
}

static void one_block(uint32_t state[8], const uint8_t *data)
{
    uint32_t w[64], s[8];

    for (int i = 0; i < 16; i++)
        w[i] = cc_get_u32be(data + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];

        w[i] = w[i - 16] + (rotr(x, 7) ^ rotr(x, 18) ^ x >> 3) + w[i - 7] +
               (rotr(y, 17) ^ rotr(y, 19) ^ y >> 10);
    }
    memcpy(s, state, sizeof(s));
    for (int i = 0; i < 64; i += 8) {
        const uint32_t *k = cc_sha256_k + i, *v = w + i;

        round1(s[0], s[1], s[2], &s[3], s[4], s[5], s[6], &s[7], k[0] + v[0]);
        round1(s[7], s[0], s[1], &s[2], s[3], s[4], s[5], &s[6], k[1] + v[1]);
        round1(s[6], s[7], s[0], &s[1], s[2], s[3], s[4], &s[5], k[2] + v[2]);
        round1(s[5], s[6], s[7], &s[0], s[1], s[2], s[3], &s[4], k[3] + v[3]);
        round1(s[4], s[5], s[6], &s[7], s[0], s[1], s[2], &s[3], k[4] + v[4]);
        round1(s[3], s[4], s[5], &s[6], s[7], s[0], s[1], &s[2], k[5] + v[5]);
        round1(s[2], s[3], s[4], &s[5], s[6], s[7], s[0], &s[1], k[6] + v[6]);
        round1(s[1], s[2], s[3], &s[4], s[5], s[6], s[7], &s[0], k[7] + v[7]);
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static void portable_blocks(uint32_t state[8], const uint8_t *data,
                            size_t count)
{
    for (; count; count--, data += 64)
        one_block(state, data);
}

void cc_sha256_pairs_simple(const struct cc_sha256_impl *impl, uint8_t *out,
                            const uint8_t *in)
{
    uint32_t state[8];
    uint8_t block[64] = {[32] = 0x80, [62] = 0x01};
    static const uint8_t pad[64] = {0x80, [62] = 0x02};

    memcpy(state, cc_sha256_h0, sizeof(state));
    impl->blocks(state, in, 1);
    impl->blocks(state, pad, 1);
    for (int i = 0; i < 8; i++)
        cc_put_u32be(block + 4 * i, state[i]);
    memcpy(state, cc_sha256_h0, sizeof(state));
    impl->blocks(state, block, 1);
    for (int i = 0; i < 8; i++)
        cc_put_u32be(out + 4 * i, state[i]);
}

static void portable_pairs(uint8_t *out, const uint8_t *in)
{
    cc_sha256_pairs_simple(&cc_sha256_portable, out, in);
}

static void portable_many(uint32_t (*state)[8], const uint8_t *const *data,
                          size_t count)
{
    portable_blocks(state[0], data[0], count);
}

static bool portable_usable(void) { return true; }

const struct cc_sha256_impl cc_sha256_portable = {
    "portable", portable_usable, portable_blocks,
    1,          portable_many,   portable_pairs,
};
