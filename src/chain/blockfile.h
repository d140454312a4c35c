/*
 * blockfile.h: blocks and undo data in flat files.
 *
 * blkNNNNN.dat: frames of magic 4 ‖ size 4 ‖ block, in order of arrival;
 * revNNNNN.dat: magic 4 ‖ size 4 ‖ undo ‖ hash256(hash of the block's parent ‖
 * undo) 32, for the blocks of the blk file of the same number. Framed as
 * Bitcoin's, so its tools can read them. A position is that of the data, after
 * the frame's head. Files grow by whole chunks of zeros, up to 128 MiB.
 *
 * The index in the database says what the files hold. Bytes past what it
 * knows are the tail of a write that was never committed: ignored, and written
 * over. So nothing here is ever repaired; bytes must only be synced before the
 * batch that refers to them is written.
 *
 * Threads: appending under the chain's lock; reading from any thread.
 * Errors name file and offset.
 */
#ifndef CC_CHAIN_BLOCKFILE_H
#define CC_CHAIN_BLOCKFILE_H

#include "chain/db.h"

#define CC_BLOCKFILE_MAX (UINT32_C(128) << 20)
#define CC_BLOCKFILE_CHUNK (UINT32_C(16) << 20)
#define CC_UNDOFILE_CHUNK (UINT32_C(1) << 20)
/* A frame's size field beyond this is damage. */
#define CC_BLOCKFILE_MAX_FRAME (UINT32_C(32) << 20)

struct cc_blockfiles;

/* directory: made if missing. */
enum cc_status cc_blockfiles_open(struct cc_blockfiles **out,
                                  const char *directory, uint32_t magic,
                                  const struct cc_fault *fault,
                                  struct cc_error *err);
void cc_blockfiles_free(struct cc_blockfiles *b);
/* Files of 64 KiB that grow by 16: so that tests have many. Before anything is
 * written. */
void cc_blockfiles_small(struct cc_blockfiles *b);

/* At start, for each index entry: its block ends there, its undo there
 * (0: has none). Appending goes on behind the highest. */
void cc_blockfiles_seen(struct cc_blockfiles *b, uint32_t file,
                        uint32_t data_end, uint32_t undo_end);

/* What a blk file holds was found and not written by us: it is synced with the
 * next flush as if it had been, and so must be one that may be written. */
void cc_blockfiles_keep(struct cc_blockfiles *b, uint32_t file);

enum cc_status cc_blockfiles_append(struct cc_blockfiles *b,
                                    struct cc_bytes block, uint32_t *file,
                                    uint32_t *pos, struct cc_error *err);
/* file: that of the block. prev_hash: the parent's, part of the checksum. */
enum cc_status cc_blockfiles_append_undo(struct cc_blockfiles *b, uint32_t file,
                                         const uint8_t prev_hash[32],
                                         struct cc_bytes undo, uint32_t *pos,
                                         struct cc_error *err);
/* What was appended since this was called last, as descriptors of its own to
 * sync: that may be done while others append. */
struct cc_blockfiles_dirty {
    struct cc_blockfiles_write *writes;
    size_t count;
    bool directory; /* a file was made */
};
void cc_blockfiles_take_dirty(struct cc_blockfiles *b,
                              struct cc_blockfiles_dirty *out);
/* All of it is on the disk when this returns CC_OK. */
enum cc_status cc_blockfiles_sync_dirty(const struct cc_blockfiles *b,
                                        const struct cc_blockfiles_dirty *d,
                                        struct cc_error *err);
void cc_blockfiles_dirty_clear(struct cc_blockfiles_dirty *d);

/* malloc'd. CC_CORRUPT if the frame there is not of that size. */
enum cc_status cc_blockfiles_read(struct cc_blockfiles *b, uint32_t file,
                                  uint32_t pos, uint32_t size, uint8_t **data,
                                  struct cc_error *err);
/* malloc'd, without the checksum, which is verified. */
enum cc_status cc_blockfiles_read_undo(struct cc_blockfiles *b, uint32_t file,
                                       uint32_t pos,
                                       const uint8_t prev_hash[32],
                                       uint8_t **data, size_t *len,
                                       struct cc_error *err);

/* Walk the frames of all blk files whatever the index knows: what -reindex
 * does. Damaged stretches are skipped. Return false to stop. */
enum cc_status cc_blockfiles_each(struct cc_blockfiles *b,
                                  bool (*fn)(void *arg, uint32_t file,
                                             uint32_t pos,
                                             struct cc_bytes block),
                                  void *arg, struct cc_error *err);

/* After cc_blockfiles_seen: are the blk files that blocks were seen of there?
 * CC_CORRUPT names one that is not. */
enum cc_status cc_blockfiles_check(const struct cc_blockfiles *b,
                                   struct cc_error *err);

/* Bytes that blocks and undo data take, without what is preallocated. */
uint64_t cc_blockfiles_size(const struct cc_blockfiles *b);

/* --- Pruning ------------------------------------------------------------- */

/* One more than the number of the file that blocks go to now. */
size_t cc_blockfiles_count(const struct cc_blockfiles *b);
uint64_t cc_blockfiles_file_size(const struct cc_blockfiles *b, uint32_t file);
/* What both kinds take from the file system at once. */
uint64_t cc_blockfiles_chunks(const struct cc_blockfiles *b);
/* Has a file taken more room since this was last asked? */
bool cc_blockfiles_grew(struct cc_blockfiles *b);
/* A blk file and its rev file, neither the last: gone, and the bytes no longer
 * counted, even if the files resist. */
enum cc_status cc_blockfiles_remove(struct cc_blockfiles *b, uint32_t file,
                                    struct cc_error *err);
/* After cc_blockfiles_seen: files below the last that nothing was seen of, left
 * by a removal that was cut short. */
enum cc_status cc_blockfiles_remove_unseen(struct cc_blockfiles *b,
                                           struct cc_error *err);
/* Before a reindex of files that were pruned: all rev files, and the blk files
 * behind the first that is missing, which the walk would not reach. */
enum cc_status cc_blockfiles_remove_unusable(struct cc_blockfiles *b,
                                             struct cc_error *err);

#endif
