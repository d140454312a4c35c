/*
 * fs.h: files, with what durability costs said in the name.
 *
 * Paths are the process's locale bytes. Errors name the path and the cause.
 */
#ifndef CC_UTIL_FS_H
#define CC_UTIL_FS_H

#include <sys/types.h>

#include "util/bytes.h"
#include "util/error.h"

/* "a/b" in fresh memory, the caller's to free; b alone if it is absolute or a
 * is "". */
char *cc_fs_join(const char *a, const char *b);
bool cc_fs_exists(const char *path);
bool cc_fs_is_dir(const char *path);
/* Make the folder and those above it, mode 0700; fine if it is there. */
enum cc_status cc_fs_mkdirs(const char *path, struct cc_error *err);
/* Bytes that this user may still write there. */
enum cc_status cc_fs_free_space(const char *path, uint64_t *bytes,
                                struct cc_error *err);

/* A whole file of at most max bytes, NUL behind it, the caller's to free.
 * CC_NOTFOUND if it is not there, CC_LIMIT if it is longer. */
enum cc_status cc_fs_read(const char *path, size_t max, uint8_t **out,
                          size_t *len, struct cc_error *err);
/* Replace path as a whole: written beside it, synced, renamed, folder synced.
 * After a crash there is the old content or the new, never a mixture. mode as
 * chmod, 0600 for secrets. */
enum cc_status cc_fs_write(const char *path, const void *data, size_t len,
                           mode_t mode, struct cc_error *err);
/* Remove a file; fine if it is not there. */
enum cc_status cc_fs_remove(const char *path, struct cc_error *err);
/* Remove a folder with all that is in it; fine if it is not there. Symbolic
 * links are removed, not followed. */
enum cc_status cc_fs_remove_tree(const char *path, struct cc_error *err);
enum cc_status cc_fs_sync_dir(const char *path, struct cc_error *err);

/* Let this process have so many files open at once, as far as it may; how
 * many it can have. */
uint64_t cc_fs_allow_files(uint64_t want);

/* All len bytes or a fault; an end of file is CC_CORRUPT. */
enum cc_status cc_fs_write_all(int fd, const void *data, size_t len,
                               struct cc_error *err);
enum cc_status cc_fs_pwrite_all(int fd, const void *data, size_t len,
                                uint64_t offset, struct cc_error *err);
enum cc_status cc_fs_pread_all(int fd, void *data, size_t len, uint64_t offset,
                               struct cc_error *err);

/* Lock a file (made if missing) for this process until cc_fs_unlock or its
 * end. CC_LIMIT if another holds it. The descriptor is close-on-exec. */
enum cc_status cc_fs_lock(const char *path, int *fd, struct cc_error *err);
void cc_fs_unlock(int fd);

/* Sorted names of what is in a folder without "." and "..", each and the list
 * the caller's to free (cc_fs_list_free). */
enum cc_status cc_fs_list(const char *path, char ***names, size_t *count,
                          struct cc_error *err);
void cc_fs_list_free(char **names, size_t count);

#endif
