#include "chain/blockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "util/fs.h"
#include "util/mem.h"

#define FRAME_HEAD 8
#define UNDO_SUM 32

enum kind { BLK, REV, KINDS };
static const char *const prefix[KINDS] = {"blk", "rev"};

struct file {
    uint32_t end[KINDS];     /* where the next frame goes */
    uint32_t alloced[KINDS]; /* what the file system has given us */
    bool dirty[KINDS];       /* written since the last sync */
};

struct cc_blockfiles {
    char *directory;
    uint32_t magic;
    uint32_t max, chunk[KINDS]; /* of a file; what it grows by */
    bool grew;
    struct cc_fault fault;
    struct file *files;
    size_t count, cap; /* the last one is where blocks go */
    uint32_t *dirty;   /* numbers with anything dirty */
    size_t dirty_count, dirty_cap;
    bool sync_dir; /* a file was made */
    int fd[KINDS]; /* the one last written, -1: none */
    uint32_t fd_file[KINDS];
};

static void file_name(char out[32], enum kind k, uint32_t file)
{
    snprintf(out, 32, "%s%05" PRIu32 ".dat", prefix[k], file);
}

static bool fails(const struct cc_blockfiles *b, const char *verb,
                  const char *name)
{
    char what[64];

    if (!b->fault.fail)
        return false;
    snprintf(what, sizeof(what), "%s %s", verb, name);
    return b->fault.fail(b->fault.arg, what);
}

enum cc_status cc_blockfiles_open(struct cc_blockfiles **out,
                                  const char *directory, uint32_t magic,
                                  const struct cc_fault *fault,
                                  struct cc_error *err)
{
    enum cc_status st = cc_fs_mkdirs(directory, err);
    struct cc_blockfiles *b;

    if (st != CC_OK)
        return st;
    b = cc_calloc(1, sizeof(*b));
    b->directory = cc_strdup(directory);
    b->magic = magic;
    b->max = CC_BLOCKFILE_MAX;
    b->chunk[BLK] = CC_BLOCKFILE_CHUNK;
    b->chunk[REV] = CC_UNDOFILE_CHUNK;
    if (fault)
        b->fault = *fault;
    b->fd[BLK] = b->fd[REV] = -1;
    *out = b;
    return CC_OK;
}

void cc_blockfiles_free(struct cc_blockfiles *b)
{
    if (!b)
        return;
    for (int k = 0; k < KINDS; k++)
        if (b->fd[k] >= 0)
            close(b->fd[k]);
    free(b->files);
    free(b->dirty);
    free(b->directory);
    free(b);
}

void cc_blockfiles_small(struct cc_blockfiles *b)
{
    b->max = UINT32_C(64) << 10;
    b->chunk[BLK] = UINT32_C(16) << 10;
}

static struct file *file_at(struct cc_blockfiles *b, uint32_t file)
{
    if (file >= b->count) {
        b->files =
            cc_grow(b->files, &b->cap, (size_t)file + 1, sizeof(*b->files));
        memset(b->files + b->count, 0,
               (file + 1 - b->count) * sizeof(*b->files));
        b->count = (size_t)file + 1;
    }
    return &b->files[file];
}

void cc_blockfiles_seen(struct cc_blockfiles *b, uint32_t file,
                        uint32_t data_end, uint32_t undo_end)
{
    struct file *f = file_at(b, file);

    if (f->end[BLK] < data_end)
        f->end[BLK] = data_end;
    if (f->end[REV] < undo_end)
        f->end[REV] = undo_end;
}

static enum cc_status open_file(const struct cc_blockfiles *b, enum kind k,
                                uint32_t file, int flags, int *fd,
                                struct cc_error *err)
{
    char name[32], *path;
    enum cc_status st = CC_OK;

    file_name(name, k, file);
    path = cc_fs_join(b->directory, name);
    *fd = open(path, flags | O_CLOEXEC, 0600);
    if (*fd < 0)
        st = cc_fail_errno(err, "cannot open %s", path);
    free(path);
    return st;
}

/* The descriptor to write this file with; it stays open. */
static enum cc_status writable(struct cc_blockfiles *b, enum kind k,
                               uint32_t file, int *fd, struct cc_error *err)
{
    struct stat info;
    enum cc_status st;

    if (b->fd[k] >= 0 && b->fd_file[k] == file) {
        *fd = b->fd[k];
        return CC_OK;
    }
    if (b->fd[k] >= 0)
        close(b->fd[k]);
    b->fd[k] = -1;
    st = open_file(b, k, file, O_RDWR | O_CREAT, fd, err);
    if (st != CC_OK)
        return st;
    if (fstat(*fd, &info)) {
        st = cc_fail_errno(err, "%s%05" PRIu32 ".dat", prefix[k], file);
        close(*fd);
        return st;
    }
    if (info.st_size == 0)
        b->sync_dir = true;
    file_at(b, file)->alloced[k] = (uint32_t)info.st_size;
    b->fd[k] = *fd;
    b->fd_file[k] = file;
    return CC_OK;
}

static void mark_dirty(struct cc_blockfiles *b, enum kind k, uint32_t file)
{
    struct file *f = &b->files[file];

    if (!f->dirty[BLK] && !f->dirty[REV]) {
        b->dirty = cc_grow(b->dirty, &b->dirty_cap, b->dirty_count + 1,
                           sizeof(*b->dirty));
        b->dirty[b->dirty_count++] = file;
    }
    f->dirty[k] = true;
}

void cc_blockfiles_keep(struct cc_blockfiles *b, uint32_t file)
{
    file_at(b, file);
    mark_dirty(b, BLK, file);
}

/* head, data and tail as one frame at the file's end; *pos is that of data. */
static enum cc_status append(struct cc_blockfiles *b, enum kind k,
                             uint32_t file, struct cc_bytes data,
                             const uint8_t *tail, size_t tail_len,
                             uint32_t *pos, struct cc_error *err)
{
    struct file *f = file_at(b, file);
    uint32_t at = f->end[k];
    size_t len = FRAME_HEAD + data.len + tail_len;
    uint8_t *frame;
    char name[32];
    int fd;
    enum cc_status st;

    file_name(name, k, file);
    if (data.len > CC_BLOCKFILE_MAX_FRAME ||
        at > UINT32_MAX - len - b->chunk[k])
        return cc_fail(err, CC_LIMIT, "%s: no room for %zu bytes", name, len);
    st = writable(b, k, file, &fd, err);
    if (st != CC_OK)
        return st;
    frame = cc_malloc(len);
    cc_put_u32le(frame, b->magic);
    cc_put_u32le(frame + 4, (uint32_t)data.len);
    memcpy(frame + FRAME_HEAD, data.data, data.len);
    if (tail_len)
        memcpy(frame + FRAME_HEAD + data.len, tail, tail_len);
    while (f->alloced[k] < at + len) {
        int e = posix_fallocate(fd, f->alloced[k], b->chunk[k]);

        if (e) {
            errno = e;
            st = cc_fail_errno(err, "cannot make room for %s", name);
            goto out;
        }
        f->alloced[k] += b->chunk[k];
        b->grew = true;
    }
    if (fails(b, "write", name)) {
        /* as a dying disk does: some of it is there */
        st = cc_fs_pwrite_all(fd, frame, len / 2, at, NULL);
        st = cc_fail(err, CC_IO, "offset %" PRIu32 ": write failed", at);
    } else {
        st = cc_fs_pwrite_all(fd, frame, len, at, err);
    }
    if (st != CC_OK)
        goto out;
    mark_dirty(b, k, file);
    f->end[k] = at + (uint32_t)len;
    *pos = at + FRAME_HEAD;
out:
    free(frame);
    return cc_context(err, st, "%s/%s", b->directory, name);
}

/* A full file gives back what it did not need. */
static void finish_file(struct cc_blockfiles *b, uint32_t file)
{
    if (b->fd[BLK] >= 0 && b->fd_file[BLK] == file &&
        b->files[file].alloced[BLK] > b->files[file].end[BLK] &&
        !ftruncate(b->fd[BLK], b->files[file].end[BLK]))
        b->files[file].alloced[BLK] = b->files[file].end[BLK];
}

enum cc_status cc_blockfiles_append(struct cc_blockfiles *b,
                                    struct cc_bytes block, uint32_t *file,
                                    uint32_t *pos, struct cc_error *err)
{
    uint32_t last = b->count ? (uint32_t)b->count - 1 : 0;
    uint32_t end = file_at(b, last)->end[BLK];

    if (end && end + FRAME_HEAD + block.len >= b->max) {
        finish_file(b, last);
        last++;
    }
    *file = last;
    return append(b, BLK, last, block, NULL, 0, pos, err);
}

static void undo_sum(uint8_t out[32], const uint8_t prev_hash[32],
                     struct cc_bytes undo)
{
    struct cc_sha256 h;

    cc_sha256_init(&h);
    cc_sha256_update(&h, prev_hash, 32);
    cc_sha256_update(&h, undo.data, undo.len);
    cc_sha256_final2(&h, out);
}

enum cc_status cc_blockfiles_append_undo(struct cc_blockfiles *b, uint32_t file,
                                         const uint8_t prev_hash[32],
                                         struct cc_bytes undo, uint32_t *pos,
                                         struct cc_error *err)
{
    uint8_t sum[UNDO_SUM];

    undo_sum(sum, prev_hash, undo);
    return append(b, REV, file, undo, sum, sizeof(sum), pos, err);
}

/* One written file, by its descriptor: a duplicate of the one it was written
 * with, which would be told of a fault of the disk first; -1: not open. */
struct cc_blockfiles_write {
    uint32_t file;
    enum kind kind;
    int fd;
};

void cc_blockfiles_take_dirty(struct cc_blockfiles *b,
                              struct cc_blockfiles_dirty *out)
{
    memset(out, 0, sizeof(*out));
    out->writes =
        cc_reallocarray(NULL, b->dirty_count * KINDS, sizeof(*out->writes));
    while (b->dirty_count) {
        uint32_t file = b->dirty[--b->dirty_count];

        for (enum kind k = BLK; k < KINDS; k++) {
            bool ours = b->fd[k] >= 0 && b->fd_file[k] == file;

            if (!b->files[file].dirty[k])
                continue;
            b->files[file].dirty[k] = false;
            out->writes[out->count++] = (struct cc_blockfiles_write){
                file, k, ours ? fcntl(b->fd[k], F_DUPFD_CLOEXEC, 0) : -1};
        }
    }
    out->directory = b->sync_dir;
    b->sync_dir = false;
}

static enum cc_status sync_one(const struct cc_blockfiles *b,
                               const struct cc_blockfiles_write *w,
                               struct cc_error *err)
{
    char name[32];
    int fd = w->fd;
    enum cc_status st = CC_OK;

    file_name(name, w->kind, w->file);
    if (fd < 0) {
        st = open_file(b, w->kind, w->file, O_RDWR, &fd, err);
        if (st != CC_OK)
            return cc_context(err, st, "failed to open file %" PRIu32, w->file);
    }
    if (fails(b, "sync", name))
        st = cc_fail(err, CC_IO, "%s: sync failed", name);
    else if (fdatasync(fd))
        st = cc_fail_errno(err, "cannot sync %s/%s", b->directory, name);
    if (fd != w->fd)
        close(fd);
    return st;
}

enum cc_status cc_blockfiles_sync_dirty(const struct cc_blockfiles *b,
                                        const struct cc_blockfiles_dirty *d,
                                        struct cc_error *err)
{
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < d->count && st == CC_OK; i++)
        st = sync_one(b, &d->writes[i], err);
    if (st == CC_OK && d->directory)
        st = cc_fs_sync_dir(b->directory, err);
    return st;
}

void cc_blockfiles_dirty_clear(struct cc_blockfiles_dirty *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->writes[i].fd >= 0)
            close(d->writes[i].fd);
    free(d->writes);
    memset(d, 0, sizeof(*d));
}

/* The frame at pos, with tail more bytes behind it. want: its size, or
 * UINT32_MAX where only the frame knows. */
static enum cc_status read_frame(const struct cc_blockfiles *b, enum kind k,
                                 uint32_t file, uint32_t pos, uint32_t want,
                                 size_t tail, uint8_t **data, uint32_t *size,
                                 struct cc_error *err)
{
    uint8_t head[FRAME_HEAD], *p;
    char name[32];
    int fd;
    enum cc_status st = open_file(b, k, file, O_RDONLY, &fd, err);

    if (st != CC_OK)
        return st;
    file_name(name, k, file);
    st = pos < FRAME_HEAD
             ? cc_fail(err, CC_CORRUPT, "no frame starts there")
             : cc_fs_pread_all(fd, head, FRAME_HEAD, pos - FRAME_HEAD, err);
    if (st != CC_OK)
        goto out;
    *size = cc_get_u32le(head + 4);
    if (cc_get_u32le(head) != b->magic || *size > CC_BLOCKFILE_MAX_FRAME ||
        (want != UINT32_MAX && *size != want)) {
        st = cc_fail(err, CC_CORRUPT, "the frame is damaged");
        goto out;
    }
    p = cc_malloc(*size + tail + 1);
    st = cc_fs_pread_all(fd, p, *size + tail, pos, err);
    if (st == CC_OK)
        *data = p;
    else
        free(p);
out:
    close(fd);
    return cc_context(err, st, "%s/%s, offset %" PRIu32, b->directory, name,
                      pos);
}

enum cc_status cc_blockfiles_read(struct cc_blockfiles *b, uint32_t file,
                                  uint32_t pos, uint32_t size, uint8_t **data,
                                  struct cc_error *err)
{
    uint32_t got;

    return read_frame(b, BLK, file, pos, size, 0, data, &got, err);
}

enum cc_status cc_blockfiles_read_undo(struct cc_blockfiles *b, uint32_t file,
                                       uint32_t pos,
                                       const uint8_t prev_hash[32],
                                       uint8_t **data, size_t *len,
                                       struct cc_error *err)
{
    uint8_t sum[UNDO_SUM], *p;
    uint32_t size;
    enum cc_status st =
        read_frame(b, REV, file, pos, UINT32_MAX, UNDO_SUM, &p, &size, err);

    if (st != CC_OK)
        return st;
    undo_sum(sum, prev_hash, cc_bytes(p, size));
    if (memcmp(sum, p + size, UNDO_SUM)) {
        free(p);
        return cc_fail(err, CC_CORRUPT,
                       "%s/rev%05" PRIu32 ".dat, offset %" PRIu32
                       ": the checksum of the undo data does not match",
                       b->directory, file, pos);
    }
    *data = p;
    *len = size;
    return CC_OK;
}

/* False: stop. */
static bool scan(const struct cc_blockfiles *b, uint32_t file,
                 const uint8_t *data, size_t len,
                 bool (*fn)(void *arg, uint32_t file, uint32_t pos,
                            struct cc_bytes block),
                 void *arg)
{
    size_t at = 0;

    while (len - at > FRAME_HEAD) {
        uint32_t size = cc_get_u32le(data + at + 4);

        if (cc_get_u32le(data + at) != b->magic || size == 0 ||
            size > CC_BLOCKFILE_MAX_FRAME || size > len - at - FRAME_HEAD) {
            at++;
            continue;
        }
        if (!fn(arg, file, (uint32_t)at + FRAME_HEAD,
                cc_bytes(data + at + FRAME_HEAD, size)))
            return false;
        at += FRAME_HEAD + size;
    }
    return true;
}

enum cc_status cc_blockfiles_each(struct cc_blockfiles *b,
                                  bool (*fn)(void *arg, uint32_t file,
                                             uint32_t pos,
                                             struct cc_bytes block),
                                  void *arg, struct cc_error *err)
{
    bool more = true;

    for (uint32_t file = 0; more; file++) {
        char name[32], *path;
        uint8_t *data;
        size_t len;
        enum cc_status st;

        file_name(name, BLK, file);
        path = cc_fs_join(b->directory, name);
        st = cc_fs_read(path, (size_t)CC_BLOCKFILE_MAX + CC_BLOCKFILE_CHUNK,
                        &data, &len, err);
        free(path);
        if (st == CC_NOTFOUND)
            return CC_OK;
        if (st != CC_OK)
            return st;
        more = scan(b, file, data, len, fn, arg);
        free(data);
    }
    return CC_OK;
}

enum cc_status cc_blockfiles_check(const struct cc_blockfiles *b,
                                   struct cc_error *err)
{
    for (size_t i = 0; i < b->count; i++) {
        char name[32], *path;
        bool there;

        file_name(name, BLK, (uint32_t)i);
        path = cc_fs_join(b->directory, name);
        there = cc_fs_exists(path);
        free(path);
        if (b->files[i].end[BLK] && !there)
            return cc_fail(err, CC_CORRUPT, "%s/%s is missing", b->directory,
                           name);
    }
    return CC_OK;
}

uint64_t cc_blockfiles_size(const struct cc_blockfiles *b)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < b->count; i++)
        sum += (uint64_t)b->files[i].end[BLK] + b->files[i].end[REV];
    return sum;
}

/* --- Pruning ------------------------------------------------------------ */

size_t cc_blockfiles_count(const struct cc_blockfiles *b) { return b->count; }

uint64_t cc_blockfiles_file_size(const struct cc_blockfiles *b, uint32_t file)
{
    const struct file *f = &b->files[file];

    return (uint64_t)f->end[BLK] + f->end[REV];
}

uint64_t cc_blockfiles_chunks(const struct cc_blockfiles *b)
{
    return (uint64_t)b->chunk[BLK] + b->chunk[REV];
}

bool cc_blockfiles_grew(struct cc_blockfiles *b)
{
    bool grew = b->grew;

    b->grew = false;
    return grew;
}

static char *file_path(const struct cc_blockfiles *b, enum kind k,
                       uint32_t file)
{
    char name[32];

    file_name(name, k, file);
    return cc_fs_join(b->directory, name);
}

static enum cc_status remove_kind(struct cc_blockfiles *b, enum kind k,
                                  uint32_t file, struct cc_error *err)
{
    char *path = file_path(b, k, file);
    enum cc_status st;

    if (b->fd[k] >= 0 && b->fd_file[k] == file) {
        close(b->fd[k]);
        b->fd[k] = -1;
    }
    st = cc_fs_exists(path) ? cc_fs_remove(path, err) : CC_OK;
    free(path);
    return st;
}

enum cc_status cc_blockfiles_remove(struct cc_blockfiles *b, uint32_t file,
                                    struct cc_error *err)
{
    struct file *f = &b->files[file];
    enum cc_status st, other;

    /* dirty[] may name the file yet: there is nothing of it to sync */
    memset(f, 0, sizeof(*f));
    st = remove_kind(b, BLK, file, err);
    other = remove_kind(b, REV, file, err);
    return st == CC_OK ? other : st;
}

enum cc_status cc_blockfiles_remove_unseen(struct cc_blockfiles *b,
                                           struct cc_error *err)
{
    enum cc_status st = CC_OK;

    for (size_t i = 0; st == CC_OK && i + 1 < b->count; i++)
        if (!b->files[i].end[BLK])
            st = cc_blockfiles_remove(b, (uint32_t)i, err);
    return st;
}

/* The number in "blk00012.dat"; false: another name. */
static bool name_number(const char *name, enum kind k, uint32_t *number)
{
    const size_t len = strlen(prefix[k]);
    char again[32], *end;
    unsigned long n;

    if (strncmp(name, prefix[k], len) != 0)
        return false;
    n = strtoul(name + len, &end, 10);
    if (n > UINT32_MAX)
        return false;
    file_name(again, k, (uint32_t)n);
    *number = (uint32_t)n;
    return !strcmp(name, again);
}

enum cc_status cc_blockfiles_remove_unusable(struct cc_blockfiles *b,
                                             struct cc_error *err)
{
    char **names;
    size_t count;
    uint32_t next = 0, number;
    enum cc_status st = cc_fs_list(b->directory, &names, &count, err);

    if (st != CC_OK)
        return st;
    /* in order of names, which is that of the numbers */
    for (size_t i = 0; st == CC_OK && i < count; i++) {
        if (name_number(names[i], REV, &number))
            st = remove_kind(b, REV, number, err);
        else if (name_number(names[i], BLK, &number) && number == next)
            next++;
        else if (name_number(names[i], BLK, &number))
            st = remove_kind(b, BLK, number, err);
    }
    cc_fs_list_free(names, count);
    return st;
}
