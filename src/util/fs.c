#include "util/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util/mem.h"

char *cc_fs_join(const char *a, const char *b)
{
    size_t len = strlen(a);

    if (b[0] == '/' || len == 0)
        return cc_strdup(b);
    return cc_asprintf("%s%s%s", a, a[len - 1] == '/' ? "" : "/", b);
}

bool cc_fs_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

bool cc_fs_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum cc_status cc_fs_mkdirs(const char *path, struct cc_error *err)
{
    char *p = cc_strdup(path);
    enum cc_status st = CC_OK;
    size_t i = 0;

    while (st == CC_OK && p[i]) {
        char c;

        while (p[i] == '/')
            i++;
        while (p[i] && p[i] != '/')
            i++;
        c = p[i];
        p[i] = '\0';
        if (mkdir(p, 0700) != 0 && !(errno == EEXIST && cc_fs_is_dir(p)) &&
            !(errno == EROFS && cc_fs_is_dir(p)))
            st = cc_fail_errno(err, "cannot make folder %s", p);
        p[i] = c;
    }
    free(p);
    return st;
}

enum cc_status cc_fs_free_space(const char *path, uint64_t *bytes,
                                struct cc_error *err)
{
    struct statvfs v;

    if (statvfs(path, &v) != 0)
        return cc_fail_errno(err, "cannot ask for free space at %s", path);
    *bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return CC_OK;
}

enum cc_status cc_fs_read(const char *path, size_t max, uint8_t **out,
                          size_t *len, struct cc_error *err)
{
    uint8_t *data = NULL;
    size_t have = 0, cap = 0;
    enum cc_status st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return cc_fail(err, CC_NOTFOUND, "%s does not exist", path);
    if (fd < 0)
        return cc_fail_errno(err, "cannot open %s", path);
    for (;;) {
        ssize_t n;

        data = cc_grow(data, &cap, have + 4096, 1);
        n = read(fd, data + have, cap - have - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            st = cc_fail_errno(err, "cannot read %s", path);
            goto out;
        }
        if (n == 0)
            break;
        have += (size_t)n;
        if (have > max) {
            st = cc_fail(err, CC_LIMIT, "%s is longer than %zu bytes", path,
                         max);
            goto out;
        }
    }
    data[have] = '\0';
    *out = data;
    *len = have;
    data = NULL;
    st = CC_OK;
out:
    free(data);
    close(fd);
    return st;
}

/* The folder that path lies in. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *p;

    if (!slash)
        return cc_strdup(".");
    if (slash == path)
        return cc_strdup("/");
    p = cc_strdup(path);
    p[slash - path] = '\0';
    return p;
}

enum cc_status cc_fs_sync_dir(const char *path, struct cc_error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum cc_status st = CC_OK;

    if (fd < 0)
        return cc_fail_errno(err, "cannot open folder %s", path);
    /* Some file systems have no such thing as a folder to sync. */
    if (fsync(fd) != 0 && errno != EINVAL)
        st = cc_fail_errno(err, "cannot sync folder %s", path);
    close(fd);
    return st;
}

enum cc_status cc_fs_write(const char *path, const void *data, size_t len,
                           mode_t mode, struct cc_error *err)
{
    char *fresh = cc_asprintf("%s.new", path), *dir = parent_of(path);
    enum cc_status st;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    if (fd < 0) {
        st = cc_fail_errno(err, "cannot write %s", fresh);
        goto out;
    }
    st = cc_fs_write_all(fd, data, len, err);
    if (st == CC_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
        st = cc_fail_errno(err, "cannot sync %s", fresh);
    if (close(fd) != 0 && st == CC_OK)
        st = cc_fail_errno(err, "cannot close %s", fresh);
    if (st == CC_OK && rename(fresh, path) != 0)
        st = cc_fail_errno(err, "cannot rename to %s", path);
    if (st != CC_OK) {
        unlink(fresh);
        goto out;
    }
    st = cc_fs_sync_dir(dir, err);
out:
    free(fresh);
    free(dir);
    return cc_context(err, st, "write %s", path);
}

enum cc_status cc_fs_remove(const char *path, struct cc_error *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return cc_fail_errno(err, "cannot remove %s", path);
    return CC_OK;
}

enum cc_status cc_fs_remove_tree(const char *path, struct cc_error *err)
{
    enum cc_status st = CC_OK;
    struct stat info;
    char **names;
    size_t n;

    if (lstat(path, &info) != 0)
        return errno == ENOENT ? CC_OK
                               : cc_fail_errno(err, "cannot see %s", path);
    if (!S_ISDIR(info.st_mode))
        return cc_fs_remove(path, err);
    st = cc_fs_list(path, &names, &n, err);
    if (st != CC_OK)
        return st;
    for (size_t i = 0; st == CC_OK && i < n; i++) {
        char *sub = cc_fs_join(path, names[i]);

        st = cc_fs_remove_tree(sub, err);
        free(sub);
    }
    cc_fs_list_free(names, n);
    if (st == CC_OK && rmdir(path) != 0)
        st = cc_fail_errno(err, "cannot remove folder %s", path);
    return st;
}

uint64_t cc_fs_allow_files(uint64_t want)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return want; /* nobody limits it */
    if (limit.rlim_cur >= want)
        return limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return getrlimit(RLIMIT_NOFILE, &limit) ? 0 : limit.rlim_cur;
}

enum cc_status cc_fs_write_all(int fd, const void *data, size_t len,
                               struct cc_error *err)
{
    const uint8_t *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cc_fail_errno(err, "cannot write");
        p += n;
        len -= (size_t)n;
    }
    return CC_OK;
}

enum cc_status cc_fs_pwrite_all(int fd, const void *data, size_t len,
                                uint64_t offset, struct cc_error *err)
{
    const uint8_t *p = data;

    while (len) {
        ssize_t n = pwrite(fd, p, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cc_fail_errno(err, "cannot write");
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return CC_OK;
}

enum cc_status cc_fs_pread_all(int fd, void *data, size_t len, uint64_t offset,
                               struct cc_error *err)
{
    uint8_t *p = data;

    while (len) {
        ssize_t n = pread(fd, p, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cc_fail_errno(err, "cannot read");
        if (n == 0)
            return cc_fail(err, CC_CORRUPT,
                           "file ends %zu bytes before it should", len);
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return CC_OK;
}

enum cc_status cc_fs_lock(const char *path, int *fd, struct cc_error *err)
{
    int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (f < 0)
        return cc_fail_errno(err, "cannot open %s", path);
    if (flock(f, LOCK_EX | LOCK_NB) != 0) {
        enum cc_status st =
            errno == EWOULDBLOCK
                ? cc_fail(err, CC_LIMIT, "%s is held by another process", path)
                : cc_fail_errno(err, "cannot lock %s", path);

        close(f);
        return st;
    }
    *fd = f;
    return CC_OK;
}

void cc_fs_unlock(int fd)
{
    if (fd >= 0)
        close(fd);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum cc_status cc_fs_list(const char *path, char ***names, size_t *count,
                          struct cc_error *err)
{
    DIR *dir = opendir(path);
    char **list = NULL;
    size_t n = 0, cap = 0;
    struct dirent *e;

    if (!dir)
        return cc_fail_errno(err, "cannot list folder %s", path);
    while ((e = readdir(dir))) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        list = cc_grow(list, &cap, n + 1, sizeof(*list));
        list[n++] = cc_strdup(e->d_name);
    }
    closedir(dir);
    if (n)
        qsort(list, n, sizeof(*list), by_name);
    *names = list;
    *count = n;
    return CC_OK;
}

void cc_fs_list_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}
