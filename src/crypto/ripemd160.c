/*
 * RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996). Our own because it is a
 * rule of consensus, and OpenSSL serves it only where its legacy provider is
 * installed and willing.
 */
#include "crypto/hash.h"

/* Message word and rotation of each step, in the left and the right line. */
static const uint8_t word[2][80] = {
    {0, 1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15,
     7, 4,  13, 1,  10, 6,  15, 3,  12, 0, 9,  5,  2,  14, 11, 8,
     3, 10, 14, 4,  9,  15, 8,  1,  2,  7, 0,  6,  13, 11, 5,  12,
     1, 9,  11, 10, 0,  8,  12, 4,  13, 3, 7,  15, 14, 5,  6,  2,
     4, 0,  5,  9,  7,  12, 2,  10, 14, 1, 3,  8,  11, 6,  15, 13},
    {5,  14, 7,  0, 9, 2,  11, 4,  13, 6,  15, 8,  1,  10, 3,  12,
     6,  11, 3,  7, 0, 13, 5,  10, 14, 15, 8,  12, 4,  9,  1,  2,
     15, 5,  1,  3, 7, 14, 6,  9,  11, 8,  12, 2,  10, 0,  4,  13,
     8,  6,  4,  1, 3, 11, 15, 0,  5,  12, 2,  13, 9,  7,  10, 14,
     12, 15, 10, 4, 1, 5,  8,  7,  6,  2,  13, 14, 0,  3,  9,  11},
};
static const uint8_t turn[2][80] = {
    {11, 14, 15, 12, 5,  8,  7,  9,  11, 13, 14, 15, 6,  7,  9,  8,
     7,  6,  8,  13, 11, 9,  7,  15, 7,  12, 15, 9,  11, 7,  13, 12,
     11, 13, 6,  7,  14, 9,  13, 15, 14, 8,  13, 6,  5,  12, 7,  5,
     11, 12, 14, 15, 14, 15, 9,  8,  9,  14, 5,  6,  8,  6,  5,  12,
     9,  15, 5,  11, 6,  8,  13, 12, 5,  12, 13, 14, 11, 8,  5,  6},
    {8,  9,  9,  11, 13, 15, 15, 5,  7,  7,  8,  11, 14, 14, 12, 6,
     9,  13, 15, 7,  12, 8,  9,  11, 7,  7,  12, 7,  6,  15, 13, 11,
     9,  7,  15, 11, 8,  6,  6,  14, 12, 13, 5,  14, 13, 13, 7,  5,
     15, 5,  8,  11, 14, 14, 6,  14, 6,  9,  12, 9,  12, 5,  15, 8,
     8,  5,  12, 9,  12, 5,  14, 6,  8,  13, 6,  5,  15, 13, 11, 11},
};
static const uint32_t add[2][5] = {
    {0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e},
    {0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0},
};

static uint32_t rotl(uint32_t x, unsigned n) { return x << n | x >> (32 - n); }

static uint32_t mix(int kind, uint32_t x, uint32_t y, uint32_t z)
{
    switch (kind) {
    case 0:
        return x ^ y ^ z;
    case 1:
        return (x & y) | (~x & z);
    case 2:
        return (x | ~y) ^ z;
    case 3:
        return (x & z) | (y & ~z);
    default:
        return x ^ (y | ~z);
    }
}

static void one_block(uint32_t h[5], const uint8_t *data)
{
    uint32_t x[16], line[2][5];

    for (int i = 0; i < 16; i++)
        x[i] = cc_get_u32le(data + 4 * i);
    for (int l = 0; l < 2; l++) {
        uint32_t *s = line[l];

        memcpy(s, h, 5 * sizeof(*h));
        for (int i = 0; i < 80; i++) {
            int kind = l ? 4 - i / 16 : i / 16;
            uint32_t t = s[0] + mix(kind, s[1], s[2], s[3]) + x[word[l][i]] +
                         add[l][i / 16];

            t = rotl(t, turn[l][i]) + s[4];
            s[0] = s[4];
            s[4] = s[3];
            s[3] = rotl(s[2], 10);
            s[2] = s[1];
            s[1] = t;
        }
    }
    for (int i = 0; i < 5; i++)
        x[i] = h[(i + 1) % 5] + line[0][(i + 2) % 5] + line[1][(i + 3) % 5];
    memcpy(h, x, 5 * sizeof(*h));
}

void cc_ripemd160(uint8_t out[20], const void *data, size_t len)
{
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                     0xc3d2e1f0};
    uint8_t tail[128] = {0};
    const uint8_t *p = data;
    size_t left = len, size;

    for (; left >= 64; left -= 64, p += 64)
        one_block(h, p);
    if (left)
        memcpy(tail, p, left);
    tail[left] = 0x80;
    size = left < 56 ? 64 : 128;
    cc_put_u64le(tail + size - 8, (uint64_t)len * 8);
    for (size_t i = 0; i < size; i += 64)
        one_block(h, tail + i);
    for (int i = 0; i < 5; i++)
        cc_put_u32le(out + 4 * i, h[i]);
}
