/*
 * addrfile.h: peers.dat and anchors.dat, in Bitcoin Core's formats.
 *
 * peers.dat: the chain's magic 4, format 1, 32 + the oldest format whose
 * readers can read it 1, the book's key 32, number of new and of tried
 * addresses 4 + 4, number of buckets xor 2^30 4, the new addresses, the tried
 * ones, per bucket its count 4 and numbers of new addresses 4 each, a hash of
 * the map of providers (none: zero) 32; at the end hash256 of all before, 32.
 * An address: version of its form 4, time 4, services compact, network 1,
 * compact length and bytes, port 2 big-endian; then without a port who told
 * us, last success 8, attempts 4. anchors.dat: magic, compact count,
 * addresses, hash256. Integers little-endian.
 *
 * Places inside buckets follow from the key and are not in the file.
 */
#ifndef CC_NET_ADDRFILE_H
#define CC_NET_ADDRFILE_H

#include "net/addrbook.h"

#define CC_ANCHORS_MAX 2

/* Into an empty book. CC_NOTFOUND: no file; CC_INVALID: of a version that we
 * cannot read; CC_CORRUPT. The book is empty unless CC_OK; err has Bitcoin
 * Core's sentence for what is wrong inside. */
enum cc_status cc_addrfile_load(struct cc_addrbook *b, const char *path,
                                uint32_t magic, int64_t now,
                                struct cc_error *err);
enum cc_status cc_addrfile_save(const struct cc_addrbook *b, const char *path,
                                uint32_t magic, struct cc_error *err);
/* The bytes of the file, for tests and fuzzing. */
enum cc_status cc_addrfile_decode(struct cc_addrbook *b, const void *data,
                                  size_t len, uint32_t magic, int64_t now,
                                  struct cc_error *err);

/* The peers of block-relay-only connections, so that a restart does not lose
 * the way to the chain. Load removes the file: after a crash they are not
 * tried again. Returns how many. */
enum cc_status cc_anchors_save(const char *path, uint32_t magic,
                               const struct cc_book_entry *e, size_t count,
                               struct cc_error *err);
size_t cc_anchors_load(const char *path, uint32_t magic,
                       struct cc_book_entry out[CC_ANCHORS_MAX]);
size_t cc_anchors_decode(const void *data, size_t len, uint32_t magic,
                         struct cc_book_entry out[CC_ANCHORS_MAX]);

#endif
