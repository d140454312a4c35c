#include "util/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void cc_mem_keep(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 16 << 20); /* bytes: larger ones come and go */
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

static void *checked(void *p, size_t len)
{
    if (!p && len) {
        fprintf(stderr, "Error: out of memory (%zu bytes wanted)\n", len);
        abort();
    }
    return p;
}

void *cc_malloc(size_t len)
{
    return checked(malloc(len ? len : 1), len ? len : 1);
}

void *cc_calloc(size_t count, size_t size)
{
    if (!count || !size)
        count = size = 1;
    return checked(calloc(count, size), size);
}

void *cc_reallocarray(void *p, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return checked(NULL, SIZE_MAX);
    if (!count || !size)
        count = size = 1;
    return checked(realloc(p, count * size), count * size);
}

void *cc_memdup(const void *p, size_t len)
{
    void *out = cc_malloc(len);

    if (len)
        memcpy(out, p, len);
    return out;
}

char *cc_strdup(const char *s) { return cc_memdup(s, strlen(s) + 1); }

char *cc_vasprintf(const char *fmt, va_list ap)
{
    va_list again;
    char *out;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    out = cc_malloc((size_t)n + 1);
    vsnprintf(out, (size_t)n + 1, fmt, again);
    va_end(again);
    return out;
}

char *cc_asprintf(const char *fmt, ...)
{
    va_list ap;
    char *out;

    va_start(ap, fmt);
    out = cc_vasprintf(fmt, ap);
    va_end(ap);
    return out;
}

void cc_cleanse(void *p, size_t len)
{
    if (!len)
        return;
    memset(p, 0, len);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

bool cc_equal_ct(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;
    unsigned diff = 0;

    for (size_t i = 0; i < len; i++)
        diff |= (unsigned)(x[i] ^ y[i]);
    return diff == 0;
}

void *cc_grow(void *p, size_t *cap, size_t count, size_t size)
{
    size_t want = *cap ? *cap : 8;

    if (count <= *cap)
        return p;
    while (want < count)
        want = want > SIZE_MAX / 2 ? count : want * 2;
    *cap = want;
    return cc_reallocarray(p, want, size);
}
