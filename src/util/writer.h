/*
 * writer.h: the one way out for bytes.
 *
 * Over the caller's buffer (bounded: past its end the writer fails, sticky) or
 * over memory of its own that grows (cc_writer_clear frees it, or
 * cc_writer_take hands it over).
 */
#ifndef CC_UTIL_WRITER_H
#define CC_UTIL_WRITER_H

#include "util/bytes.h"

struct cc_writer {
    uint8_t *data;
    size_t len, cap;
    bool grows, failed;
};

void cc_writer_init(struct cc_writer *w, void *buf, size_t cap);
void cc_writer_init_heap(struct cc_writer *w);
void cc_writer_clear(struct cc_writer *w);
/* The heap bytes, now the caller's to free; the writer is empty again. */
uint8_t *cc_writer_take(struct cc_writer *w, size_t *len);

void cc_write_u8(struct cc_writer *w, uint8_t v);
void cc_write_u16le(struct cc_writer *w, uint16_t v);
void cc_write_u16be(struct cc_writer *w, uint16_t v);
void cc_write_u32le(struct cc_writer *w, uint32_t v);
void cc_write_u32be(struct cc_writer *w, uint32_t v);
void cc_write_u64le(struct cc_writer *w, uint64_t v);
void cc_write_bytes(struct cc_writer *w, const void *data, size_t len);
void cc_write_compact(struct cc_writer *w, uint64_t v);
/* compact size, then the bytes. */
void cc_write_var(struct cc_writer *w, const void *data, size_t len);

/* Bytes that cc_write_compact needs for v. */
size_t cc_compact_size(uint64_t v);

#endif
