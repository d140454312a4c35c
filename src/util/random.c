#include "util/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void cc_random_bytes(void *out, size_t len)
{
    uint8_t *p = out;

    while (len) {
        ssize_t n = getrandom(p, len, 0);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno != EINTR) {
            fputs("Error: the system gives no random numbers\n", stderr);
            abort();
        }
    }
}

uint64_t cc_random_u64(void)
{
    uint64_t v;

    cc_random_bytes(&v, sizeof(v));
    return v;
}

uint64_t cc_random_below(uint64_t n)
{
    /* Refuse the incomplete last multiple of n, so that none is favoured. */
    uint64_t skip = (UINT64_MAX - n + 1) % n, v;

    do
        v = cc_random_u64();
    while (v < skip);
    return v % n;
}
