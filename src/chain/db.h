/*
 * db.h: the key-value store; the one place that knows RocksDB.
 *
 * A database is a folder with named families of keys. Keys order as byte
 * strings. What one batch holds, over all families, is there after a crash
 * altogether or not at all; with sync it is there for good when
 * cc_db_write returns. A process that holds a database open has it alone.
 *
 * Threads: any may call anything, except that a batch or an iterator belongs
 * to one at a time.
 *
 * Errors: CC_IO the disk or the lock, CC_CORRUPT stored bytes that fail their
 * check; both name the folder.
 */
#ifndef CC_CHAIN_DB_H
#define CC_CHAIN_DB_H

#include "util/bytes.h"
#include "util/error.h"

/* A disk that fails on demand, for tests: asked before each write or sync
 * with what is about to happen ("db write", "db announce", "write
 * blk00000.dat", and "space" where free space is asked for); true makes it
 * fail. written: told after a write to the database. Both may be NULL. */
struct cc_fault {
    bool (*fail)(void *arg, const char *what);
    void *arg;
    void (*written)(void *arg, const char *what);
};

struct cc_db;
struct cc_db_batch;
struct cc_db_iter;
struct cc_db_snapshot;

struct cc_db_config {
    const char *path;            /* made if missing */
    const char *const *families; /* names; index into it names a family */
    size_t family_count;         /* at most CC_DB_MAX_FAMILIES */
    size_t cache_bytes;          /* read cache and write buffers together */
    struct cc_fault fault;
};
#define CC_DB_MAX_FAMILIES 8

enum cc_status cc_db_open(struct cc_db **out, const struct cc_db_config *config,
                          struct cc_error *err);
void cc_db_close(struct cc_db *db);
/* Remove everything in a closed database: there whole, or not at all, also for
 * who opens it after the process died meanwhile, for a file of this name is
 * the first to come and the last to go. */
#define CC_DB_REMOVED "REMOVED"
enum cc_status cc_db_destroy(const char *path, struct cc_error *err);

/* A value that stays where the store has it. */
struct cc_db_value {
    struct cc_bytes bytes;
    void *pin;
};
void cc_db_value_clear(struct cc_db_value *v);

/* CC_NOTFOUND: *value untouched. */
enum cc_status cc_db_get(struct cc_db *db, unsigned family, struct cc_bytes key,
                         struct cc_db_value *value, struct cc_error *err);
/* Many at once, cheaper than one by one; keys must ascend. values[i].pin is
 * NULL where there is none. On failure nothing is to be cleared. */
enum cc_status cc_db_get_many(struct cc_db *db, unsigned family,
                              const struct cc_bytes *keys, size_t count,
                              struct cc_db_value *values, struct cc_error *err);

struct cc_db_batch *cc_db_batch_new(void);
void cc_db_batch_free(struct cc_db_batch *b);
void cc_db_batch_clear(struct cc_db_batch *b);
/* Keys and values are copied. */
void cc_db_batch_put(struct cc_db_batch *b, const struct cc_db *db,
                     unsigned family, struct cc_bytes key,
                     struct cc_bytes value);
void cc_db_batch_delete(struct cc_db_batch *b, const struct cc_db *db,
                        unsigned family, struct cc_bytes key);
size_t cc_db_batch_count(const struct cc_db_batch *b);
/* The batch is left as it is. After a failure nothing of it is there. */
enum cc_status cc_db_write(struct cc_db *db, struct cc_db_batch *b, bool sync,
                           struct cc_error *err);
/* The same for what moves nothing: records that a later batch may need or
 * not. Not synced it comes before all that is written later. */
enum cc_status cc_db_announce(struct cc_db *db, struct cc_db_batch *b,
                              bool sync, struct cc_error *err);

/* The store as it is now, for iterators that start later. */
struct cc_db_snapshot *cc_db_snapshot_new(struct cc_db *db);
void cc_db_snapshot_free(struct cc_db_snapshot *s);

/* Keys that start with prefix, ascending; snapshot may be NULL. key and value
 * hold until the next step. */
struct cc_db_iter *cc_db_iter_new(struct cc_db *db, unsigned family,
                                  struct cc_bytes prefix,
                                  const struct cc_db_snapshot *snapshot);
void cc_db_iter_free(struct cc_db_iter *it);
/* False at the end or on a fault: cc_db_iter_status tells which. */
bool cc_db_iter_next(struct cc_db_iter *it, struct cc_bytes *key,
                     struct cc_bytes *value);
enum cc_status cc_db_iter_status(struct cc_db_iter *it, struct cc_error *err);

/* Roughly the bytes that a family takes on disk; record_bytes: what one key and
 * value of it take mostly. */
uint64_t cc_db_family_size(struct cc_db *db, unsigned family,
                           size_t record_bytes);

#endif
