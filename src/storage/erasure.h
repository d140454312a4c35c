/*
 * erasure.h: Reed-Solomon over GF(2^8): k data shards and n - k more, of
 * which any k bring all back. ISA-L does the arithmetic, with a Cauchy
 * matrix, every square part of which can be inverted.
 *
 * A struct cc_erasure is read-only once made: any thread may use it.
 */
#ifndef CC_STORAGE_ERASURE_H
#define CC_STORAGE_ERASURE_H

#include "util/bytes.h"

#define CC_ERASURE_MAX 255 /* shards */

struct cc_erasure;

/* 1 <= k <= n <= CC_ERASURE_MAX, or NULL. */
struct cc_erasure *cc_erasure_new(unsigned k, unsigned n);
void cc_erasure_free(struct cc_erasure *e);

/* shards: n pointers to len bytes each; the first k are read, the others
 * written. len < 2^31. */
void cc_erasure_encode(const struct cc_erasure *e, uint8_t *const *shards,
                       size_t len);

/* have[i]: shard i is there. Fills in those of the first k that are not; the
 * pointers of these must be good. False with fewer than k of n there. */
bool cc_erasure_restore(const struct cc_erasure *e, uint8_t *const *shards,
                        const bool *have, size_t len);

#endif
