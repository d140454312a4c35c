#include "storage/renter_journal.h"

#include "crypto/hash.h"
#include "util/fs.h"
#include "util/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MAGIC "CCJ2"
#define CHECK 16
#define HEAD (4 + 64 + CHECK)
#define ENTRY (64 + CHECK)
#define JOURNAL_MAX ((size_t)1 << 30)

/* Of a record at its place, so that nothing is garbage by a flipped bit. */
static void check_of(uint8_t out[CHECK], const uint8_t *record, size_t len,
                     uint64_t number)
{
    uint8_t buf[4 + 64 + 8], hash[32];

    memcpy(buf, record, len);
    cc_put_u64le(buf + len, number);
    cc_sha256_once(hash, buf, len + 8);
    memcpy(out, hash, CHECK);
}

static bool holds(const uint8_t *record, size_t len, uint64_t number)
{
    uint8_t check[CHECK];

    check_of(check, record, len - CHECK, number);
    return !memcmp(check, record + len - CHECK, CHECK);
}

/* What was written last, len bytes of it, gets its check. */
static void seal_record(struct cc_journal *j, size_t len)
{
    uint8_t check[CHECK];

    check_of(check, j->buffer.data + j->buffer.len - len, len, j->count++);
    cc_write_bytes(&j->buffer, check, CHECK);
}

enum cc_status cc_journal_begin(struct cc_journal *j, const char *dir,
                                const char *file, struct cc_error *err)
{
    memset(j, 0, sizeof(*j));
    cc_writer_init_heap(&j->buffer);
    j->dir = cc_strdup(dir);
    j->path = cc_fs_join(dir, "journal");
    j->fd = open(j->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (j->fd < 0)
        return cc_fail_errno(err, "%s", j->path);
    cc_write_bytes(&j->buffer, MAGIC, 4);
    cc_write_bytes(&j->buffer, file, 64);
    seal_record(j, HEAD - CHECK);
    return CC_OK;
}

void cc_journal_add(struct cc_journal *j, const uint8_t contract[32],
                    const uint8_t root[32])
{
    cc_write_bytes(&j->buffer, contract, 32);
    cc_write_bytes(&j->buffer, root, 32);
    seal_record(j, ENTRY - CHECK);
}

enum cc_status cc_journal_sync(struct cc_journal *j, struct cc_error *err)
{
    enum cc_status st;

    st = cc_fs_write_all(j->fd, j->buffer.data, j->buffer.len, err);
    if (st == CC_OK && fsync(j->fd))
        st = cc_fail_errno(err, "%s", j->path);
    if (st == CC_OK)
        st = cc_fs_sync_dir(j->dir, err);
    cc_writer_clear(&j->buffer);
    cc_writer_init_heap(&j->buffer);
    return st;
}

enum cc_status cc_journal_end(struct cc_journal *j, struct cc_error *err)
{
    enum cc_status st = cc_fs_remove(j->path, err);

    cc_journal_close(j);
    return st;
}

void cc_journal_close(struct cc_journal *j)
{
    if (!j->path)
        return;
    if (j->fd >= 0)
        close(j->fd);
    cc_writer_clear(&j->buffer);
    free(j->path);
    free(j->dir);
    memset(j, 0, sizeof(*j));
}

/* Is the manifest that the journal speaks of there? */
static bool has_manifest(const char *dir, const uint8_t *name)
{
    char *path = cc_asprintf("%s/objects/%.64s", dir, (const char *)name);
    bool there = cc_fs_exists(path);

    free(path);
    return there;
}

enum cc_status cc_journal_recover(
    const char *dir,
    enum cc_status (*garbage)(void *arg, const uint8_t contract[32],
                              const uint8_t root[32], struct cc_error *err),
    void *arg, struct cc_error *err)
{
    char *path = cc_fs_join(dir, "journal");
    uint8_t *data = NULL;
    size_t len = 0;
    uint64_t n = 0;
    enum cc_status st = cc_fs_read(path, JOURNAL_MAX, &data, &len, err);

    if (st == CC_NOTFOUND) {
        st = CC_OK;
        goto out;
    }
    if (st == CC_OK && len >= HEAD && !memcmp(data, MAGIC, 4) &&
        holds(data, HEAD, n++) && !has_manifest(dir, data + 4))
        for (size_t at = HEAD; st == CC_OK && at + ENTRY <= len; at += ENTRY)
            if (holds(data + at, ENTRY, n++))
                st = garbage(arg, data + at, data + at + 32, err);
    if (st == CC_OK)
        st = cc_fs_remove(path, err);
out:
    free(data);
    free(path);
    return st;
}
