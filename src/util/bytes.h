/* bytes.h: slices, and integers at fixed places. All inline, no state. */
#ifndef CC_UTIL_BYTES_H
#define CC_UTIL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes: whoever made it says how long it lives. */
struct cc_bytes {
    const uint8_t *data;
    size_t len;
};

static inline struct cc_bytes cc_bytes(const void *data, size_t len)
{
    struct cc_bytes b = {(const uint8_t *)data, len};

    return b;
}

static inline bool cc_bytes_equal(struct cc_bytes a, struct cc_bytes b)
{
    return a.len == b.len && (a.len == 0 || !memcmp(a.data, b.data, a.len));
}

static inline uint16_t cc_get_u16le(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t cc_get_u32le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static inline uint64_t cc_get_u64le(const uint8_t *p)
{
    return (uint64_t)cc_get_u32le(p) | (uint64_t)cc_get_u32le(p + 4) << 32;
}

static inline uint32_t cc_get_u32be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           (uint32_t)p[3];
}

static inline uint64_t cc_get_u64be(const uint8_t *p)
{
    return (uint64_t)cc_get_u32be(p) << 32 | cc_get_u32be(p + 4);
}

static inline void cc_put_u16le(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void cc_put_u32le(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static inline void cc_put_u64le(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static inline void cc_put_u32be(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline void cc_put_u64be(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}

#endif
