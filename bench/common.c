/* What the programs here share. */
#include "bench.h"

#include <stdio.h>

void bench_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
    exit(1);
}

void bench_fill(void *out, size_t len, uint64_t seed)
{
    uint8_t *p = out;

    for (size_t i = 0; i < len; i++) {
        uint64_t z = seed + (i / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        p[i] = (uint8_t)((z ^ z >> 31) >> 8 * (i % 8));
    }
}
