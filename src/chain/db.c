#include "chain/db.h"

#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/fs.h"
#include "util/mem.h"

struct cc_db {
    rocksdb_t *db;
    rocksdb_column_family_handle_t *family[CC_DB_MAX_FAMILIES];
    size_t family_count;
    rocksdb_options_t *options;
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write, *write_sync;
    rocksdb_cache_t *cache;
    char *path;
    struct cc_fault fault;
};

struct cc_db_batch {
    rocksdb_writebatch_t *batch;
};

struct cc_db_snapshot {
    struct cc_db *db;
    const rocksdb_snapshot_t *snapshot;
};

struct cc_db_iter {
    struct cc_db *db;
    rocksdb_readoptions_t *read;
    rocksdb_iterator_t *it;
    bool started;
    size_t prefix_len;
    uint8_t prefix[64];
};

/* What it says of LOCK, this process's or another's. That the word is in it
 * tells nothing: so it is in "block checksum mismatch", and maybe in a path. */
static bool is_locked(const char *text)
{
    static const char *const starts[] = {"IO error: lock hold by ",
                                         "IO error: While lock file: "};

    for (size_t i = 0; i < 2; i++)
        if (!strncmp(text, starts[i], strlen(starts[i])))
            return true;
    return false;
}

/* RocksDB's answer, which is freed, as ours. */
static enum cc_status db_error(struct cc_error *err, char *text,
                               const char *path)
{
    enum cc_status st = CC_IO;

    if (is_locked(text))
        cc_fail(err, st,
                "Cannot obtain a lock on database %s. It is probably in use "
                "by another process.",
                path);
    else {
        if (!strncmp(text, "Corruption", strlen("Corruption")))
            st = CC_CORRUPT;
        cc_fail(err, st, "database %s: %s", path, text);
    }
    rocksdb_free(text);
    return st;
}

/* What is stored are hashes and signatures: nothing to compress, no key that
 * is likely asked for again but the newest. So: no compression, bloom filters
 * over whole keys (a coin that is not there costs no read), filters and
 * indexes inside the bounded cache, few files and short logs. */
static rocksdb_options_t *make_options(struct cc_db *db, size_t cache_bytes)
{
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_block_based_table_options_t *t =
        rocksdb_block_based_options_create();
    size_t buffers = cache_bytes / 4;

    if (buffers < (size_t)1 << 20)
        buffers = (size_t)1 << 20;
    db->cache = rocksdb_cache_create_lru(
        cache_bytes > 2 * buffers ? cache_bytes - buffers : buffers);
    rocksdb_block_based_options_set_block_cache(t, db->cache);
    rocksdb_block_based_options_set_filter_policy(
        t, rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_block_based_options_set_whole_key_filtering(t, 1);
    rocksdb_block_based_options_set_block_size(t, (size_t)8 << 10);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(t, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(t,
                                                                            1);
    rocksdb_block_based_options_set_format_version(t, 5);
    rocksdb_options_set_block_based_table_factory(o, t);
    rocksdb_block_based_options_destroy(t);

    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_create_missing_column_families(o, 1);
    rocksdb_options_set_paranoid_checks(o, 1);
    rocksdb_options_set_compression(o, rocksdb_no_compression);
    rocksdb_options_set_write_buffer_size(o, buffers / 2);
    rocksdb_options_set_db_write_buffer_size(o, buffers);
    rocksdb_options_set_max_total_wal_size(o, (uint64_t)buffers * 2);
    rocksdb_options_set_max_open_files(o, 256);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_max_log_file_size(o, (size_t)1 << 20);
    rocksdb_options_set_keep_log_file_num(o, 2);
    rocksdb_options_set_max_manifest_file_size(o, (size_t)4 << 20);
    rocksdb_options_set_info_log_level(o, 2); /* warnings */
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
    /* A torn tail of the log ends the replay at the last whole batch: the
     * state that was written before it. */
    rocksdb_options_set_wal_recovery_mode(o, rocksdb_point_in_time_recovery);
    return o;
}

/* Everything in the folder, and that it is to be removed last. The folder
 * stays: it may be a link, or a disk of its own. */
static enum cc_status remove_rest(const char *path, struct cc_error *err)
{
    char **names, *mark = cc_fs_join(path, CC_DB_REMOVED);
    size_t n;
    enum cc_status st = cc_fs_list(path, &names, &n, err);

    if (st != CC_OK) {
        free(mark);
        return st;
    }
    for (size_t i = 0; st == CC_OK && i < n; i++) {
        char *sub = cc_fs_join(path, names[i]);

        if (strcmp(names[i], CC_DB_REMOVED) != 0)
            st = cc_fs_remove_tree(sub, err);
        free(sub);
    }
    cc_fs_list_free(names, n);
    if (st == CC_OK)
        st = cc_fs_sync_dir(path, err);
    if (st == CC_OK)
        st = cc_fs_remove(mark, err);
    free(mark);
    return st;
}

/* What is left of it if the process died meanwhile. */
static enum cc_status finish_removal(const char *path, struct cc_error *err)
{
    char *mark = cc_fs_join(path, CC_DB_REMOVED);
    bool begun = cc_fs_exists(mark);

    free(mark);
    return begun ? remove_rest(path, err) : CC_OK;
}

/* The families on disk may be more than those asked for (an older or newer
 * program): RocksDB wants all of them named, so that is a clear refusal. */
enum cc_status cc_db_open(struct cc_db **out, const struct cc_db_config *config,
                          struct cc_error *err)
{
    /* RocksDB's own default family stays empty */
    const char *names[CC_DB_MAX_FAMILIES + 1];
    const rocksdb_options_t *options[CC_DB_MAX_FAMILIES + 1];
    rocksdb_column_family_handle_t *handles[CC_DB_MAX_FAMILIES + 1];
    struct cc_db *db;
    char *e = NULL;
    enum cc_status st;

    st = finish_removal(config->path, err);
    if (st == CC_OK)
        st = cc_fs_mkdirs(config->path, err);
    if (st != CC_OK)
        return st;
    db = cc_calloc(1, sizeof(*db));
    db->path = cc_strdup(config->path);
    db->fault = config->fault;
    db->family_count = config->family_count;
    db->options = make_options(db, config->cache_bytes);
    db->read = rocksdb_readoptions_create();
    db->write = rocksdb_writeoptions_create();
    db->write_sync = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(db->write_sync, 1);
    names[0] = "default";
    options[0] = db->options;
    for (size_t i = 0; i < db->family_count; i++) {
        names[i + 1] = config->families[i];
        options[i + 1] = db->options;
    }
    db->db = rocksdb_open_column_families(db->options, db->path,
                                          (int)db->family_count + 1, names,
                                          options, handles, &e);
    if (e) {
        st = db_error(err, e, db->path);
        cc_db_close(db);
        return st;
    }
    rocksdb_column_family_handle_destroy(handles[0]);
    memcpy(db->family, handles + 1, db->family_count * sizeof(handles[0]));
    *out = db;
    return CC_OK;
}

void cc_db_close(struct cc_db *db)
{
    if (!db)
        return;
    if (db->db) {
        for (size_t i = 0; i < db->family_count; i++)
            rocksdb_column_family_handle_destroy(db->family[i]);
        rocksdb_close(db->db);
    }
    rocksdb_options_destroy(db->options);
    rocksdb_readoptions_destroy(db->read);
    rocksdb_writeoptions_destroy(db->write);
    rocksdb_writeoptions_destroy(db->write_sync);
    rocksdb_cache_destroy(db->cache);
    free(db->path);
    free(db);
}

/* It is marked first: half a database would neither open nor be empty. */
enum cc_status cc_db_destroy(const char *path, struct cc_error *err)
{
    char *mark;
    enum cc_status st;

    if (!cc_fs_exists(path))
        return CC_OK;
    mark = cc_fs_join(path, CC_DB_REMOVED);
    st = cc_fs_write(mark, "", 0, 0600, err);
    free(mark);
    return st == CC_OK ? remove_rest(path, err) : st;
}

void cc_db_value_clear(struct cc_db_value *v)
{
    if (v->pin)
        rocksdb_pinnableslice_destroy(v->pin);
    v->pin = NULL;
    v->bytes = cc_bytes(NULL, 0);
}

static void take_pin(struct cc_db_value *v, rocksdb_pinnableslice_t *pin)
{
    size_t len = 0;
    const char *p = rocksdb_pinnableslice_value(pin, &len);

    v->pin = pin;
    v->bytes = cc_bytes(p, len);
}

enum cc_status cc_db_get(struct cc_db *db, unsigned family, struct cc_bytes key,
                         struct cc_db_value *value, struct cc_error *err)
{
    rocksdb_pinnableslice_t *pin;
    char *e = NULL;

    pin = rocksdb_get_pinned_cf(db->db, db->read, db->family[family],
                                (const char *)key.data, key.len, &e);
    if (e)
        return db_error(err, e, db->path);
    if (!pin)
        return CC_NOTFOUND;
    take_pin(value, pin);
    return CC_OK;
}

#define GET_MANY 256 /* keys handed over in one call */

static enum cc_status get_some(struct cc_db *db, unsigned family,
                               const struct cc_bytes *keys, size_t count,
                               struct cc_db_value *values, struct cc_error *err)
{
    const char *k[GET_MANY] = {0};
    size_t len[GET_MANY] = {0};
    rocksdb_pinnableslice_t *pin[GET_MANY];
    char *e[GET_MANY];
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < count; i++) {
        k[i] = (const char *)keys[i].data;
        len[i] = keys[i].len;
    }
    rocksdb_batched_multi_get_cf(db->db, db->read, db->family[family], count, k,
                                 len, pin, e, true);
    for (size_t i = 0; i < count; i++) {
        values[i].pin = NULL;
        if (e[i]) {
            if (st == CC_OK)
                st = db_error(err, e[i], db->path);
            else
                rocksdb_free(e[i]);
        } else if (pin[i]) {
            take_pin(&values[i], pin[i]);
        }
    }
    return st;
}

enum cc_status cc_db_get_many(struct cc_db *db, unsigned family,
                              const struct cc_bytes *keys, size_t count,
                              struct cc_db_value *values, struct cc_error *err)
{
    for (size_t i = 0; i < count; i += GET_MANY) {
        size_t n = count - i < GET_MANY ? count - i : GET_MANY;
        enum cc_status st = get_some(db, family, keys + i, n, values + i, err);

        if (st != CC_OK) {
            for (size_t j = 0; j < i + n; j++)
                cc_db_value_clear(&values[j]);
            return st;
        }
    }
    return CC_OK;
}

struct cc_db_batch *cc_db_batch_new(void)
{
    struct cc_db_batch *b = cc_calloc(1, sizeof(*b));

    b->batch = rocksdb_writebatch_create();
    return b;
}

void cc_db_batch_free(struct cc_db_batch *b)
{
    if (!b)
        return;
    rocksdb_writebatch_destroy(b->batch);
    free(b);
}

void cc_db_batch_clear(struct cc_db_batch *b)
{
    rocksdb_writebatch_clear(b->batch);
}

void cc_db_batch_put(struct cc_db_batch *b, const struct cc_db *db,
                     unsigned family, struct cc_bytes key,
                     struct cc_bytes value)
{
    rocksdb_writebatch_put_cf(b->batch, db->family[family],
                              (const char *)key.data, key.len,
                              (const char *)value.data, value.len);
}

void cc_db_batch_delete(struct cc_db_batch *b, const struct cc_db *db,
                        unsigned family, struct cc_bytes key)
{
    rocksdb_writebatch_delete_cf(b->batch, db->family[family],
                                 (const char *)key.data, key.len);
}

size_t cc_db_batch_count(const struct cc_db_batch *b)
{
    return (size_t)rocksdb_writebatch_count(b->batch);
}

static enum cc_status write_batch(struct cc_db *db, struct cc_db_batch *b,
                                  bool sync, const char *what,
                                  struct cc_error *err)
{
    char *e = NULL;

    if (db->fault.fail && db->fault.fail(db->fault.arg, what))
        return cc_fail(err, CC_IO, "database %s: write failed", db->path);
    rocksdb_write(db->db, sync ? db->write_sync : db->write, b->batch, &e);
    if (db->fault.written)
        db->fault.written(db->fault.arg, what);
    return e ? db_error(err, e, db->path) : CC_OK;
}

enum cc_status cc_db_write(struct cc_db *db, struct cc_db_batch *b, bool sync,
                           struct cc_error *err)
{
    return write_batch(db, b, sync, "db write", err);
}

enum cc_status cc_db_announce(struct cc_db *db, struct cc_db_batch *b,
                              bool sync, struct cc_error *err)
{
    return write_batch(db, b, sync, "db announce", err);
}

struct cc_db_snapshot *cc_db_snapshot_new(struct cc_db *db)
{
    struct cc_db_snapshot *s = cc_calloc(1, sizeof(*s));

    s->db = db;
    s->snapshot = rocksdb_create_snapshot(db->db);
    return s;
}

void cc_db_snapshot_free(struct cc_db_snapshot *s)
{
    if (!s)
        return;
    rocksdb_release_snapshot(s->db->db, s->snapshot);
    free(s);
}

struct cc_db_iter *cc_db_iter_new(struct cc_db *db, unsigned family,
                                  struct cc_bytes prefix,
                                  const struct cc_db_snapshot *snapshot)
{
    struct cc_db_iter *it = cc_calloc(1, sizeof(*it));

    it->db = db;
    it->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(it->read, 0);
    if (snapshot)
        rocksdb_readoptions_set_snapshot(it->read, snapshot->snapshot);
    if (prefix.len > sizeof(it->prefix)) /* our own keys are short */
        abort();
    it->prefix_len = prefix.len;
    if (prefix.len)
        memcpy(it->prefix, prefix.data, prefix.len);
    it->it = rocksdb_create_iterator_cf(db->db, it->read, db->family[family]);
    rocksdb_iter_seek(it->it, (const char *)it->prefix, it->prefix_len);
    return it;
}

void cc_db_iter_free(struct cc_db_iter *it)
{
    if (!it)
        return;
    rocksdb_iter_destroy(it->it);
    rocksdb_readoptions_destroy(it->read);
    free(it);
}

bool cc_db_iter_next(struct cc_db_iter *it, struct cc_bytes *key,
                     struct cc_bytes *value)
{
    size_t len;
    const char *p;

    if (it->started && rocksdb_iter_valid(it->it))
        rocksdb_iter_next(it->it);
    it->started = true;
    if (!rocksdb_iter_valid(it->it))
        return false;
    p = rocksdb_iter_key(it->it, &len);
    if (len < it->prefix_len || memcmp(p, it->prefix, it->prefix_len))
        return false;
    *key = cc_bytes(p, len);
    p = rocksdb_iter_value(it->it, &len);
    *value = cc_bytes(p, len);
    return true;
}

enum cc_status cc_db_iter_status(struct cc_db_iter *it, struct cc_error *err)
{
    char *e = NULL;

    rocksdb_iter_get_error(it->it, &e);
    return e ? db_error(err, e, it->db->path) : CC_OK;
}

static uint64_t property(struct cc_db *db, unsigned family, const char *name)
{
    uint64_t n = 0;

    if (rocksdb_property_int_cf(db->db, db->family[family], name, &n))
        return 0;
    return n;
}

uint64_t cc_db_family_size(struct cc_db *db, unsigned family,
                           size_t record_bytes)
{
    /* What the log alone has of it yet takes much more room in memory. */
    uint64_t fresh =
        property(db, family, "rocksdb.num-entries-active-mem-table") +
        property(db, family, "rocksdb.num-entries-imm-mem-tables");

    return property(db, family, "rocksdb.live-sst-files-size") +
           fresh * record_bytes;
}
