/*
 * volume.h: a host's sectors on disk, found by their root.
 *
 * Two files in a folder: "sectors", slots of CC_SECTOR_SIZE; "index", one
 * record of 64 bytes for each slot, which says what the slot holds and carries
 * its own checksum. A sector is written and synced before its record, the
 * record before the caller hears of it; so after a power cut a slot is either
 * whole or free, and what was acknowledged is there. A record that is torn or
 * does not check makes its slot free.
 *
 * Whatever is read is held against its root: silent corruption is found, told
 * once, counted, and never served.
 *
 * Threads: any. One lock for the index; data moves outside it. Someone who
 * releases a sector while another reads it may make that read fail, no more.
 */
#ifndef CC_STORAGE_VOLUME_H
#define CC_STORAGE_VOLUME_H

#include "crypto/mtree.h"
#include "util/error.h"

struct cc_log;
struct cc_volume;

/* Opens or makes the files in directory, for capacity sectors at most; a
 * volume that holds more keeps them but takes no new ones. CC_LIMIT: another
 * process has it open. log may be NULL. */
enum cc_status cc_volume_open(struct cc_volume **out, const char *directory,
                              uint64_t capacity, struct cc_log *log,
                              struct cc_error *err);
void cc_volume_close(struct cc_volume *v);

struct cc_volume_counts {
    uint64_t capacity, used, bad; /* sectors; bad: found damaged */
    uint64_t torn;                /* index records that did not check */
};
struct cc_volume_counts cc_volume_counts(struct cc_volume *v);

/* Keep a sector; durable when this returns CC_OK. root: its root, computed by
 * the caller. One that is there already is not written again, unless it was
 * found damaged. CC_LIMIT: the volume or the disk is full. */
enum cc_status cc_volume_write(struct cc_volume *v, const uint8_t root[32],
                               const uint8_t *sector, struct cc_error *err);
bool cc_volume_has(struct cc_volume *v, const uint8_t root[32]);
/* Known to be damaged. */
bool cc_volume_is_bad(struct cc_volume *v, const uint8_t root[32]);

/* The whole sector. CC_NOTFOUND; CC_CORRUPT: it is not what was stored. */
enum cc_status cc_volume_read(struct cc_volume *v, const uint8_t root[32],
                              uint8_t *sector, struct cc_error *err);
/* Leaves [begin, end) of a sector into data, and all its leaf hashes (32 bytes
 * each, CC_SECTOR_LEAVES of them) into hashes, data checked against them and
 * they against root. Sectors read of late cost only what is asked for. */
enum cc_status cc_volume_read_leaves(struct cc_volume *v,
                                     const uint8_t root[32], uint32_t begin,
                                     uint32_t end, uint8_t *data,
                                     uint8_t *hashes, struct cc_error *err);

/* Forget a sector: its slot is free again, durably. Fine if it is not there.
 */
enum cc_status cc_volume_release(struct cc_volume *v, const uint8_t root[32],
                                 struct cc_error *err);
/* Bytes of the disk to leave free for other files (default 16 MiB). Before
 * anybody writes. */
void cc_volume_set_reserve(struct cc_volume *v, uint64_t bytes);
/* Roots of all sectors, 32 bytes each, for free; in no order. */
uint8_t *cc_volume_list(struct cc_volume *v, size_t *count);

#endif
