#include "util/siphash.h"

static uint64_t rotl(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

static void rounds(uint64_t v[4], int n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] = rotl(v[0], 32) + v[3];
        v[2] += v[1];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[2] = rotl(v[2], 32);
    }
}

uint64_t cc_siphash(uint64_t k0, uint64_t k1, const void *data, size_t len)
{
    /* "somepseudorandomlygeneratedbytes" */
    uint64_t v[4] = {
        k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
        k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    const uint8_t *p = data;
    uint8_t tail[8] = {0};
    uint64_t m;

    for (size_t left = len; left >= 8; left -= 8, p += 8) {
        m = cc_get_u64le(p);
        v[3] ^= m;
        rounds(v, 2);
        v[0] ^= m;
    }
    if (len % 8)
        memcpy(tail, p, len % 8);
    tail[7] = (uint8_t)len;
    m = cc_get_u64le(tail);
    v[3] ^= m;
    rounds(v, 2);
    v[0] ^= m;
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
