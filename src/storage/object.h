/*
 * object.h: a file as shards for many hosts, and back (doc/protocol.md 8).
 *
 * The plain bytes are cut into slabs; each slab is sealed in segments of
 * 64 KiB by AES-256-GCM, its sealed bytes laid into k data shards of one
 * sector each, completed by Reed-Solomon to n, and each shard encrypted once
 * more, by AES-256-CTR with (slab, shard) as nonce, so that no two hosts hold
 * anything alike or derive one shard from others.
 *
 * Two keys come from the object's key by HKDF-SHA256: "CloudCoin/segments"
 * and "CloudCoin/shards". A segment's nonce is its number in the object
 * (8 bytes little-endian) and 1 for the last one, else 0 (4 bytes): bound to
 * its place, and a cut-off tail shows. A key serves one object, so no nonce
 * comes twice. A shard's counter starts at slab 4 ‖ shard 4 ‖ zero 8,
 * big-endian.
 *
 * A slab holds a whole number of segments, so each can be fetched alone. An
 * empty object has one slab with one empty segment.
 *
 * Pure functions over the caller's memory, any thread.
 */
#ifndef CC_STORAGE_OBJECT_H
#define CC_STORAGE_OBJECT_H

#include "crypto/mtree.h"
#include "storage/erasure.h"
#include "util/error.h"

#define CC_SEGMENT_SIZE 65536
#define CC_OBJECT_MAX (UINT64_C(1) << 50) /* bytes */

struct cc_object {
    uint64_t size; /* plain bytes */
    uint8_t k, n;
    uint8_t key[32];
};

/* Plain bytes in a full slab of k data shards. */
size_t cc_object_slab_size(unsigned k);
/* Number of slabs, at least 1. */
uint32_t cc_object_slabs(const struct cc_object *o);
/* Plain bytes in this slab. */
size_t cc_object_slab_len(const struct cc_object *o, uint32_t slab);

/* Bytes at the start of each shard of this slab that matter, in whole leaves:
 * what lies behind is filler, and a reader need not fetch it. */
size_t cc_object_slab_span(const struct cc_object *o, uint32_t slab);

/* plain: cc_object_slab_len bytes. shards: n pointers to CC_SECTOR_SIZE bytes
 * each, filled with what the hosts get. */
void cc_object_seal_slab(const struct cc_object *o, const struct cc_erasure *e,
                         uint32_t slab, const uint8_t *plain,
                         uint8_t *const *shards);

/* The way back. have[i]: shards[i] holds the first cc_object_slab_span bytes
 * of what host i keeps; they are decrypted in place. The pointers of the first
 * k must be good whether there or not. CC_INVALID if fewer than k are there,
 * CC_CORRUPT if a segment does not open: some shard is not what was stored. */
enum cc_status cc_object_open_slab(const struct cc_object *o,
                                   const struct cc_erasure *e, uint32_t slab,
                                   uint8_t *plain, uint8_t *const *shards,
                                   const bool *have, struct cc_error *err);

#endif
