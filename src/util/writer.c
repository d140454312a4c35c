#include "util/writer.h"

#include <stdlib.h>

#include "util/mem.h"

void cc_writer_init(struct cc_writer *w, void *buf, size_t cap)
{
    w->data = buf;
    w->len = 0;
    w->cap = cap;
    w->grows = w->failed = false;
}

void cc_writer_init_heap(struct cc_writer *w)
{
    cc_writer_init(w, NULL, 0);
    w->grows = true;
}

void cc_writer_clear(struct cc_writer *w)
{
    if (w->grows)
        free(w->data);
    cc_writer_init_heap(w);
}

uint8_t *cc_writer_take(struct cc_writer *w, size_t *len)
{
    uint8_t *data = w->data ? w->data : cc_malloc(1);

    if (len)
        *len = w->len;
    cc_writer_init_heap(w);
    return data;
}

/* Room for len more bytes, or NULL after setting the sticky flag. */
static uint8_t *room(struct cc_writer *w, size_t len)
{
    uint8_t *p;

    if (w->failed || len > SIZE_MAX - w->len ||
        (!w->grows && len > w->cap - w->len)) {
        w->failed = true;
        return NULL;
    }
    if (w->grows && w->len + len > w->cap)
        w->data = cc_grow(w->data, &w->cap, w->len + len, 1);
    p = w->data + w->len;
    w->len += len;
    return p;
}

void cc_write_u8(struct cc_writer *w, uint8_t v)
{
    uint8_t *p;

    if (w->len < w->cap && !w->failed) { /* mostly */
        w->data[w->len++] = v;
        return;
    }
    p = room(w, 1);
    if (p)
        *p = v;
}

void cc_write_u16le(struct cc_writer *w, uint16_t v)
{
    uint8_t *p = room(w, 2);

    if (p)
        cc_put_u16le(p, v);
}

void cc_write_u16be(struct cc_writer *w, uint16_t v)
{
    uint8_t *p = room(w, 2);

    if (p) {
        p[0] = (uint8_t)(v >> 8);
        p[1] = (uint8_t)v;
    }
}

void cc_write_u32le(struct cc_writer *w, uint32_t v)
{
    uint8_t *p = room(w, 4);

    if (p)
        cc_put_u32le(p, v);
}

void cc_write_u32be(struct cc_writer *w, uint32_t v)
{
    uint8_t *p = room(w, 4);

    if (p)
        cc_put_u32be(p, v);
}

void cc_write_u64le(struct cc_writer *w, uint64_t v)
{
    uint8_t *p = room(w, 8);

    if (p)
        cc_put_u64le(p, v);
}

void cc_write_bytes(struct cc_writer *w, const void *data, size_t len)
{
    uint8_t *p = len ? room(w, len) : NULL;

    if (p)
        memcpy(p, data, len);
}

size_t cc_compact_size(uint64_t v)
{
    if (v < 0xfd)
        return 1;
    if (v <= 0xffff)
        return 3;
    return v <= 0xffffffff ? 5 : 9;
}

void cc_write_compact(struct cc_writer *w, uint64_t v)
{
    switch (cc_compact_size(v)) {
    case 1:
        cc_write_u8(w, (uint8_t)v);
        break;
    case 3:
        cc_write_u8(w, 0xfd);
        cc_write_u16le(w, (uint16_t)v);
        break;
    case 5:
        cc_write_u8(w, 0xfe);
        cc_write_u32le(w, (uint32_t)v);
        break;
    default:
        cc_write_u8(w, 0xff);
        cc_write_u64le(w, v);
    }
}

void cc_write_var(struct cc_writer *w, const void *data, size_t len)
{
    cc_write_compact(w, len);
    cc_write_bytes(w, data, len);
}
