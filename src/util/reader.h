/*
 * reader.h: the one way in for bytes from outside.
 *
 * A cursor over borrowed bytes. Failure is sticky and later reads yield zero,
 * so a decoder runs straight and checks once, with cc_reader_done().
 */
#ifndef CC_UTIL_READER_H
#define CC_UTIL_READER_H

#include "util/bytes.h"

struct cc_reader {
    const uint8_t *pos;
    size_t left;
    bool failed;
    const char *fault; /* of the format, if its decoder says more; or NULL */
};

void cc_reader_init(struct cc_reader *r, const void *data, size_t len);

/* True if nothing failed and nothing is left. */
bool cc_reader_done(const struct cc_reader *r);

uint8_t cc_read_u8(struct cc_reader *r);
uint16_t cc_read_u16le(struct cc_reader *r);
uint16_t cc_read_u16be(struct cc_reader *r);
uint32_t cc_read_u32le(struct cc_reader *r);
uint32_t cc_read_u32be(struct cc_reader *r);
uint64_t cc_read_u64le(struct cc_reader *r);
void cc_read_bytes(struct cc_reader *r, void *out, size_t len);

/* A slice of the input, not copied; empty after failure. */
struct cc_bytes cc_read_slice(struct cc_reader *r, size_t len);

/* Bitcoin's compact size; one that is not the shortest fails. */
uint64_t cc_read_compact(struct cc_reader *r);

/* A compact size that counts items of at least min_size bytes each: fails if
 * they cannot fit in what is left, so the answer is safe to allocate. */
size_t cc_read_count(struct cc_reader *r, size_t min_size);

/* compact size, then that many bytes, as a slice. */
struct cc_bytes cc_read_var(struct cc_reader *r);

#endif
