#include "util/reader.h"

void cc_reader_init(struct cc_reader *r, const void *data, size_t len)
{
    r->pos = data;
    r->left = len;
    r->failed = false;
    r->fault = NULL;
}

bool cc_reader_done(const struct cc_reader *r)
{
    return !r->failed && r->left == 0;
}

/* The next len bytes, or NULL after setting the sticky flag. */
static const uint8_t *take(struct cc_reader *r, size_t len)
{
    const uint8_t *p = r->pos;

    if (r->failed || len > r->left) {
        r->failed = true;
        return NULL;
    }
    r->pos += len;
    r->left -= len;
    return p;
}

uint8_t cc_read_u8(struct cc_reader *r)
{
    const uint8_t *p = take(r, 1);

    return p ? *p : 0;
}

uint16_t cc_read_u16le(struct cc_reader *r)
{
    const uint8_t *p = take(r, 2);

    return p ? cc_get_u16le(p) : 0;
}

uint16_t cc_read_u16be(struct cc_reader *r)
{
    const uint8_t *p = take(r, 2);

    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

uint32_t cc_read_u32le(struct cc_reader *r)
{
    const uint8_t *p = take(r, 4);

    return p ? cc_get_u32le(p) : 0;
}

uint32_t cc_read_u32be(struct cc_reader *r)
{
    const uint8_t *p = take(r, 4);

    return p ? cc_get_u32be(p) : 0;
}

uint64_t cc_read_u64le(struct cc_reader *r)
{
    const uint8_t *p = take(r, 8);

    return p ? cc_get_u64le(p) : 0;
}

void cc_read_bytes(struct cc_reader *r, void *out, size_t len)
{
    const uint8_t *p = take(r, len);

    if (!len)
        return;
    if (p)
        memcpy(out, p, len);
    else
        memset(out, 0, len);
}

struct cc_bytes cc_read_slice(struct cc_reader *r, size_t len)
{
    const uint8_t *p = take(r, len);

    return cc_bytes(p, p ? len : 0);
}

uint64_t cc_read_compact(struct cc_reader *r)
{
    uint8_t first = cc_read_u8(r);
    uint64_t n, least;

    switch (first) {
    case 0xfd:
        n = cc_read_u16le(r);
        least = 0xfd;
        break;
    case 0xfe:
        n = cc_read_u32le(r);
        least = 0x10000;
        break;
    case 0xff:
        n = cc_read_u64le(r);
        least = UINT64_C(0x100000000);
        break;
    default:
        return first;
    }
    if (n < least)
        r->failed = true;
    return r->failed ? 0 : n;
}

size_t cc_read_count(struct cc_reader *r, size_t min_size)
{
    uint64_t n = cc_read_compact(r);

    if (n > r->left / (min_size ? min_size : 1))
        r->failed = true;
    return r->failed ? 0 : (size_t)n;
}

struct cc_bytes cc_read_var(struct cc_reader *r)
{
    return cc_read_slice(r, cc_read_count(r, 1));
}
