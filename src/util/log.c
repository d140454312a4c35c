#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"

#define LINE_MAX_BYTES 4096
#define KEPT_BYTES 10000000

struct cc_log {
    char *path; /* NULL: no file */
    int fd;     /* -1: none */
    bool console, timestamps, time_micros, thread_names, source_locations;
    _Atomic uint32_t categories;
    uint32_t quiet;
    pthread_mutex_t lock; /* over fd, and for whole lines */
};

/* In the order of the bits. */
static const char *const names[] = {
    "net",         "mempool",    "http",
    "bench",       "rpc",        "addrman",
    "reindex",     "validation", "blockstorage",
    "coindb",      "wallet",     "storage",
    "extension",   "libevent",   "cmpctblock",
    "txpackages",  "util",       "estimatefee",
    "i2p",         "ipc",        "leveldb",
    "mempoolrej",  "proxy",      "prune",
    "qt",          "rand",       "scan",
    "selectcoins", "tor",        "txreconciliation",
    "walletdb",    "zmq",
};

#define NAMES (sizeof(names) / sizeof(*names))

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Keep the end of a file that has grown by a tenth over what is kept. A fault
 * leaves it as it is. */
static void shrink(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *end = NULL;
    struct stat info;
    ssize_t got = 0;
    size_t len = 0;

    if (fd < 0)
        return;
    if (!fstat(fd, &info) && S_ISREG(info.st_mode) &&
        info.st_size > KEPT_BYTES / 10 * 11) {
        end = cc_calloc(1, KEPT_BYTES);
        do {
            got = pread(fd, end + len, KEPT_BYTES - len,
                        info.st_size - KEPT_BYTES + (off_t)len);
            len += got > 0 ? (size_t)got : 0;
        } while (got > 0 && len < KEPT_BYTES);
    }
    close(fd);
    if (end && len == KEPT_BYTES)
        (void)cc_fs_write(path, end, len, 0600, NULL);
    free(end);
}

enum cc_status cc_log_open(struct cc_log **out,
                           const struct cc_log_options *options,
                           struct cc_error *err)
{
    struct cc_log *log;
    int fd = -1;

    if (options->path) {
        if (options->shrink)
            shrink(options->path);
        fd = open_file(options->path);
        if (fd < 0)
            return cc_fail(err, CC_IO, "Could not open debug log file %s",
                           options->path);
    }
    log = cc_calloc(1, sizeof(*log));
    log->path = options->path ? cc_strdup(options->path) : NULL;
    log->fd = fd;
    log->console = options->console;
    log->timestamps = options->timestamps;
    log->time_micros = options->time_micros;
    log->thread_names = options->thread_names;
    log->source_locations = options->source_locations;
    log->quiet = options->quiet;
    atomic_init(&log->categories, options->categories);
    pthread_mutex_init(&log->lock, NULL);
    *out = log;
    return CC_OK;
}

void cc_log_close(struct cc_log *log)
{
    if (!log)
        return;
    if (log->fd >= 0)
        close(log->fd);
    pthread_mutex_destroy(&log->lock);
    free(log->path);
    free(log);
}

void cc_log_reopen(struct cc_log *log)
{
    int fd;

    if (!log || !log->path)
        return;
    fd = open_file(log->path);
    if (fd < 0)
        return; /* keep writing to the old one rather than nowhere */
    pthread_mutex_lock(&log->lock);
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    pthread_mutex_unlock(&log->lock);
}

uint32_t cc_log_categories(const struct cc_log *log)
{
    return log ? atomic_load(&((struct cc_log *)log)->categories) : 0;
}

void cc_log_set_categories(struct cc_log *log, uint32_t categories)
{
    if (log)
        atomic_store(&log->categories, categories);
}

uint32_t cc_log_category_find(const char *name)
{
    if (!strcmp(name, "all") || !strcmp(name, "1") || !strcmp(name, ""))
        return (uint32_t)((UINT64_C(1) << NAMES) - 1);
    for (unsigned i = 0; i < NAMES; i++) {
        if (!strcmp(name, names[i]))
            return UINT32_C(1) << i;
    }
    return 0;
}

const char *cc_log_category_name(unsigned i)
{
    return i < NAMES ? names[i] : NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t cc_log_category_list(const char *out[32], bool ours)
{
    size_t count = 0;

    for (unsigned i = 0; i < NAMES; i++)
        if (ours || (strcmp(names[i], "extension") != 0 &&
                     strcmp(names[i], "storage") != 0 &&
                     strcmp(names[i], "wallet") != 0))
            out[count++] = names[i];
    qsort(out, count, sizeof(*out), by_name);
    return count;
}

bool cc_log_wants(const struct cc_log *log, enum cc_log_category cat)
{
    return log && (cat == CC_LOG_ALWAYS ||
                   (cc_log_categories(log) & ~log->quiet & (uint32_t)cat) != 0);
}

/* Adds to a line of LINE_MAX_BYTES + 2 bytes; what is too long is cut. */
struct line {
    char text[LINE_MAX_BYTES + 2];
    size_t len;
};

static void add(struct line *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(l->text + l->len, LINE_MAX_BYTES - l->len, fmt, ap);
    va_end(ap);
    if (n > 0)
        l->len += (size_t)n;
    if (l->len >= LINE_MAX_BYTES)
        l->len = LINE_MAX_BYTES - 1;
}

/* Whatever a peer put into a text, the log shows it on one line and sends no
 * commands to a terminal. */
static void add_escaped(struct line *l, const char *text)
{
    for (; *text && l->len < LINE_MAX_BYTES - 5; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c != 0x7f)
            l->text[l->len++] = (char)c;
        else
            add(l, "\\x%02x", c);
    }
}

static void add_head(const struct cc_log *log, struct line *l, const char *file,
                     int number)
{
    if (log->timestamps) {
        int64_t us = cc_clock_now_us(NULL);
        char when[32];

        cc_clock_format(when, us / 1000000);
        if (log->time_micros) /* in place of the Z */
            add(l, "%.19s.%06dZ ", when, (int)(us % 1000000));
        else
            add(l, "%s ", when);
    }
    if (log->thread_names) {
        char name[16] = "";

        pthread_getname_np(pthread_self(), name, sizeof(name));
        add(l, "[%s] ", name);
    }
    if (log->source_locations)
        add(l, "[%s:%d] ", file, number);
}

void cc_log_write(struct cc_log *log, enum cc_log_category cat,
                  const char *file, int line, const char *fmt, ...)
{
    char message[LINE_MAX_BYTES];
    struct line l = {.len = 0};
    size_t len;
    va_list ap;

    if (!cc_log_wants(log, cat))
        return;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    len = strlen(message);
    if (len && message[len - 1] == '\n')
        message[len - 1] = '\0';

    add_head(log, &l, file, line);
    if (cat != CC_LOG_ALWAYS)
        add(&l, "[%s] ", names[__builtin_ctz((unsigned)cat)]);
    add_escaped(&l, message);
    l.text[l.len++] = '\n';

    /* A log that cannot be written (full disk) must not stop the node. */
    pthread_mutex_lock(&log->lock);
    if (log->fd >= 0)
        (void)cc_fs_write_all(log->fd, l.text, l.len, NULL);
    if (log->console)
        (void)cc_fs_write_all(STDOUT_FILENO, l.text, l.len, NULL);
    pthread_mutex_unlock(&log->lock);
}

void cc_log_name_thread(const char *name)
{
    char copy[16];

    snprintf(copy, sizeof(copy), "%s", name);
    pthread_setname_np(pthread_self(), copy);
}

/*
 * The bucket as one number (generic cell rate algorithm): each line moves
 * until_us on by the interval of one line, and a line is let through while
 * until_us lies less than burst intervals ahead of now.
 */
bool cc_log_allow(struct cc_log_limit *limit, uint64_t *dropped)
{
    int64_t step = INT64_C(60000000) /
                   (limit->per_minute ? (int64_t)limit->per_minute : 1);
    int64_t now = cc_clock_monotonic_us();
    int64_t until = atomic_load(&limit->until_us), next;

    do {
        next = (until > now ? until : now) + step;
        if (next - now > step * (int64_t)limit->burst) {
            atomic_fetch_add(&limit->dropped, 1);
            return false;
        }
    } while (!atomic_compare_exchange_weak(&limit->until_us, &until, next));
    *dropped = atomic_exchange(&limit->dropped, 0);
    return true;
}
