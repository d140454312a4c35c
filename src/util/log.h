/*
 * log.h: debug.log and the console, by category as bitcoind's.
 *
 * One struct cc_log, made by main, given to whoever speaks; NULL is silent.
 * Any thread may write. Volume per call site is the caller's duty for what
 * peers can trigger: cc_log_limited.
 */
#ifndef CC_UTIL_LOG_H
#define CC_UTIL_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct cc_log;

/* Bits; CC_LOG_ALWAYS lines are printed whatever -debug says. */
enum cc_log_category {
    CC_LOG_ALWAYS = 0,
    CC_LOG_NET = 1u << 0,
    CC_LOG_MEMPOOL = 1u << 1,
    CC_LOG_HTTP = 1u << 2,
    CC_LOG_BENCH = 1u << 3,
    CC_LOG_RPC = 1u << 4,
    CC_LOG_ADDRMAN = 1u << 5,
    CC_LOG_REINDEX = 1u << 6,
    CC_LOG_VALIDATION = 1u << 7,
    CC_LOG_BLOCKSTORAGE = 1u << 8,
    CC_LOG_COINDB = 1u << 9,
    CC_LOG_WALLET = 1u << 10,
    CC_LOG_STORAGE = 1u << 11, /* contracts, proofs, seals */
    CC_LOG_EXTENSION = 1u << 12,
    CC_LOG_LIBEVENT = 1u << 13,
    CC_LOG_CMPCTBLOCK = 1u << 14,
    CC_LOG_TXPACKAGES = 1u << 15,
    CC_LOG_UTIL = 1u << 16,
    CC_LOG_I2P = 1u << 18,
    CC_LOG_PRUNE = 1u << 23,
    CC_LOG_TXRECONCILIATION = 1u << 29,
    /* the others are bitcoind's: they can be named, nothing speaks there */
};

struct cc_log_options {
    const char *path; /* NULL: no file */
    bool console;     /* -printtoconsole */
    bool timestamps, time_micros, thread_names, source_locations;
    bool shrink; /* of a long file, keep the last 10 MB */
    uint32_t categories;
    uint32_t quiet; /* -loglevel=info: silent though they are on */
};

enum cc_status cc_log_open(struct cc_log **out,
                           const struct cc_log_options *options,
                           struct cc_error *err);
void cc_log_close(struct cc_log *log);
/* SIGHUP: open the file anew. */
void cc_log_reopen(struct cc_log *log);
uint32_t cc_log_categories(const struct cc_log *log);
void cc_log_set_categories(struct cc_log *log, uint32_t categories);
/* "net" to its bit; "all" and "1" to all bits; 0: unknown. */
uint32_t cc_log_category_find(const char *name);
/* Name of bit i, NULL past the last. */
const char *cc_log_category_name(unsigned i);
/* All names in order of the alphabet, for listing; returns how many. ours:
 * with those that bitcoind does not have. */
size_t cc_log_category_list(const char *out[32], bool ours);

void cc_log_write(struct cc_log *log, enum cc_log_category cat,
                  const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* The name that -logthreadnames shows for the calling thread; copied, at most
 * 15 characters. */
void cc_log_name_thread(const char *name);

/* A bucket for lines that peers can provoke: at most burst lines at once and
 * per_minute in the long run; what is dropped is counted and told with the
 * next line let through. Any thread; zeroed state and limits by the caller. */
struct cc_log_limit {
    unsigned burst, per_minute;
    _Atomic int64_t until_us; /* when the bucket is empty of lines again */
    _Atomic uint64_t dropped;
};

/* False: be silent. *dropped: lines kept back since the last one. */
bool cc_log_allow(struct cc_log_limit *limit, uint64_t *dropped);

#define cc_log_limited(log, limit, cat, ...)                                   \
    do {                                                                       \
        uint64_t cc_dropped_;                                                  \
                                                                               \
        if (!cc_log_wants(log, cat) || !cc_log_allow(limit, &cc_dropped_))     \
            break;                                                             \
        if (cc_dropped_)                                                       \
            cc_log_write(log, cat, __FILE__, __LINE__,                         \
                         "%llu similar lines left out",                        \
                         (unsigned long long)cc_dropped_);                     \
        cc_log_write(log, cat, __FILE__, __LINE__, __VA_ARGS__);               \
    } while (0)

/* Would a line of this category be written? For costly arguments. */
bool cc_log_wants(const struct cc_log *log, enum cc_log_category cat);

#define cc_log(log, ...)                                                       \
    cc_log_write(log, CC_LOG_ALWAYS, __FILE__, __LINE__, __VA_ARGS__)
#define cc_debug(log, cat, ...)                                                \
    cc_log_write(log, cat, __FILE__, __LINE__, __VA_ARGS__)

#endif
