/*
 * file.h: the file of a wallet.
 *
 * Problem: small changes that must be durable one by one, a file that people
 * copy, and no torn state after a power cut. So: one file of frames that only
 * grows; a frame is what one commit added, synced before the next is written.
 *
 *     file   = "CCWALLET" ‖ version 4 (1) ‖ genesis hash 32 ‖ check 8 ‖ frame*
 *     frame  = length 4 ‖ check 4 ‖ check 8 ‖ payload of that length
 *     payload = (type 1 ‖ compact size ‖ bytes)*
 *
 * Integers are little-endian. Checks are the first bytes of a SHA-256: of the
 * header before it; of offset 8 ‖ length 4; of offset 8 ‖ payload. Only the
 * last frame can be torn, so a frame that fails its check and has none behind
 * it is cut off (it was never acknowledged), while one in the middle means
 * that the medium lost data, and the file is refused.
 *
 * Records say what is, not what changed: a later one replaces an earlier one
 * of the same thing. When most of a file is replaced records, it is written
 * anew as a whole (beside, synced, renamed).
 *
 * A RocksDB of its own would do the same with a folder of a dozen files that
 * nobody can copy while it is open, and 20 MB of memory for each wallet.
 *
 * Not thread safe. The file is locked against other processes.
 */
#ifndef CC_WALLET_FILE_H
#define CC_WALLET_FILE_H

#include "util/bytes.h"
#include "util/error.h"

struct cc_wallet_file;

#define CC_WALLET_FILE_MAX (UINT64_C(1) << 31)

/* A new one with the records added until the first commit. CC_LIMIT if
 * something is there. The folder must exist. */
enum cc_status cc_wallet_file_create(struct cc_wallet_file **out,
                                     const char *path,
                                     const uint8_t genesis[32],
                                     struct cc_error *err);

/* Reads every record in order through fn, which may refuse. torn (may be
 * NULL): bytes that were cut off. CC_LIMIT: another process has it; CC_INVALID:
 * no wallet, or of another chain; CC_CORRUPT. */
enum cc_status cc_wallet_file_open(struct cc_wallet_file **out,
                                   const char *path, const uint8_t genesis[32],
                                   enum cc_status (*fn)(void *arg, uint8_t type,
                                                        struct cc_bytes record,
                                                        struct cc_error *err),
                                   void *arg, size_t *torn,
                                   struct cc_error *err);

/* A copy of backup under path, where nothing may be yet: CC_LIMIT with reason
 * "exists". What it holds is for cc_wallet_file_open to judge. */
enum cc_status cc_wallet_file_adopt(const char *backup, const char *path,
                                    struct cc_error *err);

/* What was added and not committed is lost. */
void cc_wallet_file_close(struct cc_wallet_file *f);

/* Into memory, until the next commit. */
void cc_wallet_file_add(struct cc_wallet_file *f, uint8_t type,
                        const void *data, size_t len);
size_t cc_wallet_file_pending(const struct cc_wallet_file *f);
uint64_t cc_wallet_file_size(const struct cc_wallet_file *f);

/* Everything added is on disk on CC_OK. On CC_IO nothing of it is, and it
 * stays pending. */
enum cc_status cc_wallet_file_commit(struct cc_wallet_file *f,
                                     struct cc_error *err);
/* The same, but what is pending becomes the whole content: the old is gone. */
enum cc_status cc_wallet_file_replace(struct cc_wallet_file *f,
                                      struct cc_error *err);
/* Forget what is pending. */
void cc_wallet_file_drop(struct cc_wallet_file *f);
/* A copy of the committed state. */
enum cc_status cc_wallet_file_copy(struct cc_wallet_file *f, const char *path,
                                   struct cc_error *err);

#endif
