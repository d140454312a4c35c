#include "wallet/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/reader.h"
#include "util/writer.h"

#define MAGIC "CCWALLET"
#define VERSION 1
#define HEADER 52
#define FRAME_HEAD 16

struct cc_wallet_file {
    char *path;
    int fd;
    uint8_t genesis[32];
    uint64_t size; /* committed bytes */
    bool broken;   /* bytes past size could not be cut off */
    struct cc_writer pending;
};

/* --- Checks -------------------------------------------------------------- */

static void header_make(uint8_t out[HEADER], const uint8_t genesis[32])
{
    uint8_t hash[32];

    memcpy(out, MAGIC, 8);
    cc_put_u32le(out + 8, VERSION);
    memcpy(out + 12, genesis, 32);
    cc_sha256_once(hash, out, 44);
    memcpy(out + 44, hash, 8);
}

static void check_of(uint8_t hash[32], uint64_t offset, const void *data,
                     size_t len)
{
    struct cc_sha256 c;
    uint8_t at[8];

    cc_put_u64le(at, offset);
    cc_sha256_init(&c);
    cc_sha256_update(&c, at, 8);
    cc_sha256_update(&c, data, len);
    cc_sha256_final(&c, hash);
}

static void frame_head(uint8_t head[FRAME_HEAD], uint64_t offset,
                       const uint8_t *payload, size_t len)
{
    uint8_t hash[32];

    cc_put_u32le(head, (uint32_t)len);
    check_of(hash, offset, head, 4);
    memcpy(head + 4, hash, 4);
    check_of(hash, offset, payload, len);
    memcpy(head + 8, hash, 8);
}

enum frame { FRAME_GOOD, FRAME_HEAD_BAD, FRAME_SHORT, FRAME_BODY_BAD };

/* What stands at offset at of data; *len: of its payload. */
static enum frame frame_judge(const uint8_t *data, size_t size, size_t at,
                              size_t *len)
{
    uint8_t hash[32];

    if (size - at < FRAME_HEAD)
        return FRAME_SHORT;
    check_of(hash, at, data + at, 4);
    if (memcmp(hash, data + at + 4, 4) != 0)
        return FRAME_HEAD_BAD;
    *len = cc_get_u32le(data + at);
    if (*len > size - at - FRAME_HEAD)
        return FRAME_SHORT;
    check_of(hash, at, data + at + FRAME_HEAD, *len);
    return memcmp(hash, data + at + 8, 8) ? FRAME_BODY_BAD : FRAME_GOOD;
}

/* Is the frame at `at`, which is not good, the last thing in the file? */
static bool is_tail(const uint8_t *data, size_t size, size_t at,
                    enum frame what, size_t len)
{
    if (what == FRAME_BODY_BAD)
        return at + FRAME_HEAD + len == size;
    for (size_t p = at + 1; p < size; p++) {
        if (frame_judge(data, size, p, &len) == FRAME_GOOD)
            return false;
    }
    return true;
}

/* --- Opening ------------------------------------------------------------- */

static struct cc_wallet_file *file_new(const char *path, int fd,
                                       const uint8_t genesis[32])
{
    struct cc_wallet_file *f = cc_calloc(1, sizeof(*f));

    f->path = cc_strdup(path);
    f->fd = fd;
    memcpy(f->genesis, genesis, 32);
    cc_writer_init_heap(&f->pending);
    return f;
}

void cc_wallet_file_close(struct cc_wallet_file *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    cc_wallet_file_drop(f);
    free(f->path);
    free(f);
}

/* Write data under a name that nobody has: unlike a rename this never replaces
 * a file that came between. */
static enum cc_status write_new(const char *path, const void *data, size_t len,
                                struct cc_error *err)
{
    char *fresh = cc_asprintf("%s.%016" PRIx64, path, cc_random_u64());
    enum cc_status st = cc_fs_write(fresh, data, len, 0600, err);

    if (st == CC_OK && link(fresh, path) != 0) {
        if (errno == EEXIST) {
            st = cc_fail(err, CC_LIMIT, "%s exists", path);
            if (err)
                strcpy(err->reason, "exists");
        } else {
            st = cc_fail_errno(err, "cannot name %s", path);
        }
    }
    unlink(fresh);
    free(fresh);
    return st;
}

enum cc_status cc_wallet_file_adopt(const char *backup, const char *path,
                                    struct cc_error *err)
{
    uint8_t *data;
    size_t len;
    enum cc_status st =
        cc_fs_read(backup, CC_WALLET_FILE_MAX, &data, &len, err);

    if (st != CC_OK)
        return st;
    st = write_new(path, data, len, err);
    cc_cleanse(data, len);
    free(data);
    return st;
}

enum cc_status cc_wallet_file_create(struct cc_wallet_file **out,
                                     const char *path,
                                     const uint8_t genesis[32],
                                     struct cc_error *err)
{
    uint8_t header[HEADER];
    struct cc_wallet_file *f;
    enum cc_status st;
    int fd;

    header_make(header, genesis);
    st = write_new(path, header, HEADER, err);
    if (st != CC_OK)
        return st;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return cc_fail_errno(err, "cannot open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return cc_fail(err, CC_LIMIT, "%s is held by another process", path);
    }
    f = file_new(path, fd, genesis);
    f->size = HEADER;
    *out = f;
    return CC_OK;
}

typedef enum cc_status (*record_fn)(void *arg, uint8_t type,
                                    struct cc_bytes record,
                                    struct cc_error *err);

static enum cc_status read_payload(const uint8_t *data, size_t len,
                                   record_fn fn, void *arg,
                                   struct cc_error *err)
{
    struct cc_reader r;

    cc_reader_init(&r, data, len);
    while (!cc_reader_done(&r)) {
        uint8_t type = cc_read_u8(&r);
        struct cc_bytes record = cc_read_var(&r);
        enum cc_status st;

        if (r.failed)
            return cc_fail(err, CC_CORRUPT, "a record is cut short");
        st = fn(arg, type, record, err);
        if (st != CC_OK)
            return st;
    }
    return CC_OK;
}

static enum cc_status read_frames(struct cc_wallet_file *f, const uint8_t *data,
                                  size_t size, record_fn fn, void *arg,
                                  struct cc_error *err)
{
    size_t at = HEADER, len = 0;

    while (at < size) {
        enum frame what = frame_judge(data, size, at, &len);
        enum cc_status st;

        if (what != FRAME_GOOD && is_tail(data, size, at, what, len))
            break;
        if (what != FRAME_GOOD)
            return cc_fail(err, CC_CORRUPT,
                           "the data at byte %zu is damaged; restore a backup, "
                           "or make a wallet from the words",
                           at);
        st = read_payload(data + at + FRAME_HEAD, len, fn, arg, err);
        if (st != CC_OK)
            return st;
        at += FRAME_HEAD + len;
    }
    f->size = at;
    return CC_OK;
}

static enum cc_status check_header(const uint8_t *data, size_t size,
                                   const uint8_t genesis[32],
                                   struct cc_error *err)
{
    uint8_t want[HEADER];

    header_make(want, genesis);
    if (size < HEADER || memcmp(data, MAGIC, 8) != 0)
        return cc_fail(err, CC_INVALID, "this is no wallet file");
    if (memcmp(data + 8, want + 8, 4) != 0)
        return cc_fail(err, CC_INVALID, "version %u of the file is not known",
                       cc_get_u32le(data + 8));
    if (memcmp(data + 12, want + 12, 32) != 0)
        return cc_fail(err, CC_INVALID,
                       "Wallet files should not be reused across chains.");
    if (memcmp(data + 44, want + 44, 8) != 0)
        return cc_fail(err, CC_CORRUPT, "the header is damaged");
    return CC_OK;
}

/* Cut off what lies behind the committed part. */
static enum cc_status cut(struct cc_wallet_file *f, struct cc_error *err)
{
    f->broken = ftruncate(f->fd, (off_t)f->size) != 0 || fsync(f->fd) != 0;
    return f->broken ? cc_fail_errno(err, "cannot shorten %s", f->path) : CC_OK;
}

enum cc_status cc_wallet_file_open(struct cc_wallet_file **out,
                                   const char *path, const uint8_t genesis[32],
                                   record_fn fn, void *arg, size_t *torn,
                                   struct cc_error *err)
{
    struct cc_wallet_file *f = NULL;
    uint8_t *data = NULL;
    size_t size = 0;
    enum cc_status st;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return cc_fail(err, CC_NOTFOUND, "%s does not exist", path);
    if (fd < 0)
        return cc_fail_errno(err, "cannot open %s", path);
    f = file_new(path, fd, genesis);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        st = cc_fail(err, CC_LIMIT, "%s is held by another process", path);
        goto out;
    }
    st = cc_fs_read(path, CC_WALLET_FILE_MAX, &data, &size, err);
    if (st == CC_OK)
        st = check_header(data, size, genesis, err);
    if (st == CC_OK)
        st = read_frames(f, data, size, fn, arg, err);
    if (st == CC_OK && f->size < size)
        st = cut(f, err);
    if (st != CC_OK)
        goto out;
    if (torn)
        *torn = size - (size_t)f->size;
    *out = f;
    f = NULL;
out:
    if (data)
        cc_cleanse(data, size);
    free(data);
    cc_wallet_file_close(f);
    return st == CC_OK ? st : cc_context(err, st, "%s", path);
}

/* --- Writing ------------------------------------------------------------- */

void cc_wallet_file_add(struct cc_wallet_file *f, uint8_t type,
                        const void *data, size_t len)
{
    cc_write_u8(&f->pending, type);
    cc_write_var(&f->pending, data, len);
}

size_t cc_wallet_file_pending(const struct cc_wallet_file *f)
{
    return f->pending.len;
}

uint64_t cc_wallet_file_size(const struct cc_wallet_file *f) { return f->size; }

void cc_wallet_file_drop(struct cc_wallet_file *f)
{
    /* There may be keys in it. */
    if (f->pending.data)
        cc_cleanse(f->pending.data, f->pending.cap);
    cc_writer_clear(&f->pending);
}

enum cc_status cc_wallet_file_commit(struct cc_wallet_file *f,
                                     struct cc_error *err)
{
    uint8_t head[FRAME_HEAD];
    enum cc_status st;

    if (!f->pending.len)
        return CC_OK;
    if (f->size + FRAME_HEAD + f->pending.len > CC_WALLET_FILE_MAX)
        return cc_fail(err, CC_LIMIT, "%s would grow too large", f->path);
    if (f->broken) {
        st = cut(f, err);
        if (st != CC_OK)
            return st;
    }
    frame_head(head, f->size, f->pending.data, f->pending.len);
    st = cc_fs_pwrite_all(f->fd, head, FRAME_HEAD, f->size, err);
    if (st == CC_OK)
        st = cc_fs_pwrite_all(f->fd, f->pending.data, f->pending.len,
                              f->size + FRAME_HEAD, err);
    if (st == CC_OK && fdatasync(f->fd) != 0)
        st = cc_fail_errno(err, "cannot sync");
    if (st != CC_OK) {
        (void)cut(f, NULL);
        return cc_context(err, st, "%s", f->path);
    }
    f->size += FRAME_HEAD + f->pending.len;
    cc_wallet_file_drop(f);
    return CC_OK;
}

enum cc_status cc_wallet_file_replace(struct cc_wallet_file *f,
                                      struct cc_error *err)
{
    size_t size = HEADER + FRAME_HEAD + f->pending.len;
    uint8_t *data = cc_malloc(size);
    enum cc_status st;
    int fd;

    header_make(data, f->genesis);
    frame_head(data + HEADER, HEADER, f->pending.data, f->pending.len);
    if (f->pending.len)
        memcpy(data + HEADER + FRAME_HEAD, f->pending.data, f->pending.len);
    st = cc_fs_write(f->path, data, size, 0600, err);
    cc_cleanse(data, size);
    free(data);
    if (st != CC_OK)
        return st;
    fd = open(f->path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        st = cc_fail_errno(err, "cannot open %s", f->path);
        if (fd >= 0)
            close(fd);
        /* The old file has no name any more: nothing may be written to it. */
        close(f->fd);
        f->fd = -1;
        return st;
    }
    close(f->fd);
    f->fd = fd;
    f->size = size;
    f->broken = false;
    cc_wallet_file_drop(f);
    return CC_OK;
}

enum cc_status cc_wallet_file_copy(struct cc_wallet_file *f, const char *path,
                                   struct cc_error *err)
{
    uint8_t *data = cc_malloc((size_t)f->size);
    enum cc_status st = cc_fs_pread_all(f->fd, data, (size_t)f->size, 0, err);

    if (st == CC_OK)
        st = cc_fs_write(path, data, (size_t)f->size, 0600, err);
    cc_cleanse(data, (size_t)f->size);
    free(data);
    return st;
}
