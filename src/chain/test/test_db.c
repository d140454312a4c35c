#include "chain/db.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "util/fs.h"
#include "util/mem.h"

static const char *const families[] = {"one", "two"};

struct fault {
    unsigned calls, fail_at; /* 0: never */
};

static bool fail_nth(void *arg, const char *what)
{
    struct fault *f = arg;

    (void)what;
    return ++f->calls == f->fail_at;
}

static struct cc_db *open_db(const char *path, struct fault *fault)
{
    struct cc_db_config config = {
        .path = path,
        .families = families,
        .family_count = 2,
        .cache_bytes = 4 << 20,
        .fault = {fault ? fail_nth : NULL, fault},
    };
    struct cc_error err;
    struct cc_db *db;

    if (cc_db_open(&db, &config, &err) != CC_OK)
        fail_msg("%s", err.text);
    return db;
}

static struct cc_bytes text(const char *s) { return cc_bytes(s, strlen(s)); }

static void put(struct cc_db *db, unsigned family, const char *k, const char *v)
{
    struct cc_db_batch *b = cc_db_batch_new();

    cc_db_batch_put(b, db, family, text(k), text(v));
    assert_int_equal(cc_db_write(db, b, false, NULL), CC_OK);
    cc_db_batch_free(b);
}

static void expect(struct cc_db *db, unsigned family, const char *k,
                   const char *v)
{
    struct cc_db_value value;
    enum cc_status st = cc_db_get(db, family, text(k), &value, NULL);

    if (!v) {
        assert_int_equal(st, CC_NOTFOUND);
        return;
    }
    assert_int_equal(st, CC_OK);
    assert_true(cc_bytes_equal(value.bytes, text(v)));
    cc_db_value_clear(&value);
}

static void test_families(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir, NULL);

    (void)state;
    put(db, 0, "a", "1");
    put(db, 1, "a", "2");
    expect(db, 0, "a", "1");
    expect(db, 1, "a", "2");
    expect(db, 0, "b", NULL);
    cc_db_close(db);
    db = open_db(dir, NULL);
    expect(db, 0, "a", "1");
    expect(db, 1, "a", "2");
    cc_db_close(db);
    cc_test_rmdir(dir);
}

/* A batch is there as a whole or not at all. */
static void test_fault(void **state)
{
    char *dir = cc_test_mkdir();
    struct fault fault = {0, 2};
    struct cc_db *db = open_db(dir, &fault);
    struct cc_db_batch *b = cc_db_batch_new();
    struct cc_error err;

    (void)state;
    cc_db_batch_put(b, db, 0, text("x"), text("1"));
    cc_db_batch_put(b, db, 1, text("y"), text("1"));
    assert_int_equal(cc_db_batch_count(b), 2);
    assert_int_equal(cc_db_write(db, b, true, &err), CC_OK);
    cc_db_batch_clear(b);
    cc_db_batch_delete(b, db, 0, text("x"));
    cc_db_batch_put(b, db, 1, text("y"), text("2"));
    assert_int_equal(cc_db_write(db, b, true, &err), CC_IO);
    assert_non_null(strstr(err.text, dir));
    expect(db, 0, "x", "1");
    expect(db, 1, "y", "1");
    assert_int_equal(cc_db_write(db, b, true, &err), CC_OK);
    expect(db, 0, "x", NULL);
    expect(db, 1, "y", "2");
    cc_db_batch_free(b);
    cc_db_close(db);
    cc_test_rmdir(dir);
}

static void test_get_many(void **state)
{
    enum { N = 600 };
    static char names[N][16];
    static struct cc_bytes keys[N];
    static struct cc_db_value values[N];
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir, NULL);

    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(names[i], sizeof(names[i]), "k%05d", i);
        keys[i] = text(names[i]);
        if (i % 3)
            put(db, 0, names[i], names[i]);
    }
    assert_int_equal(cc_db_get_many(db, 0, keys, N, values, NULL), CC_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(values[i].pin != NULL, i % 3 != 0);
        if (values[i].pin)
            assert_true(cc_bytes_equal(values[i].bytes, keys[i]));
        cc_db_value_clear(&values[i]);
    }
    cc_db_close(db);
    cc_test_rmdir(dir);
}

static void walk(struct cc_db *db, const char *prefix,
                 struct cc_db_snapshot *snapshot, const char *want)
{
    struct cc_db_iter *it = cc_db_iter_new(db, 0, text(prefix), snapshot);
    struct cc_bytes key, value;
    char got[64] = "";

    while (cc_db_iter_next(it, &key, &value)) {
        strncat(got, (const char *)key.data, key.len);
        strcat(got, " ");
    }
    assert_int_equal(cc_db_iter_status(it, NULL), CC_OK);
    assert_string_equal(got, want);
    cc_db_iter_free(it);
}

static void test_iterate(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir, NULL);
    struct cc_db_snapshot *s;

    (void)state;
    put(db, 0, "b2", "");
    put(db, 0, "a", "");
    put(db, 0, "b1", "");
    put(db, 0, "c", "");
    put(db, 1, "b9", "");
    walk(db, "", NULL, "a b1 b2 c ");
    walk(db, "b", NULL, "b1 b2 ");
    walk(db, "d", NULL, "");
    s = cc_db_snapshot_new(db);
    put(db, 0, "b3", "");
    walk(db, "b", s, "b1 b2 ");
    walk(db, "b", NULL, "b1 b2 b3 ");
    cc_db_snapshot_free(s);
    cc_db_close(db);
    cc_test_rmdir(dir);
}

static void test_lock(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir, NULL), *second;
    struct cc_db_config config = {
        .path = dir, .families = families, .family_count = 2};
    struct cc_error err;

    (void)state;
    assert_int_equal(cc_db_open(&second, &config, &err), CC_IO);
    assert_non_null(strstr(err.text, "Cannot obtain a lock"));
    assert_non_null(strstr(err.text, dir));
    cc_db_close(db);
    db = open_db(dir, NULL);
    cc_db_close(db);
    cc_test_rmdir(dir);
}

/* A damaged table is an error of its own kind, with the folder's name. */
static void test_corrupt(void **state)
{
    char *dir = cc_test_mkdir(), path[600];
    struct cc_db *db = open_db(dir, NULL);
    struct cc_db_config config = {
        .path = dir, .families = families, .family_count = 2};
    struct cc_error err;
    FILE *f;

    (void)state;
    put(db, 0, "a", "1");
    cc_db_close(db);
    snprintf(path, sizeof(path), "%s/CURRENT", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("nonsense\n", f);
    fclose(f);
    assert_int_equal(cc_db_open(&db, &config, &err), CC_CORRUPT);
    assert_non_null(strstr(err.text, dir));
    cc_test_rmdir(dir);
}

/* So is a byte that changed in a table, which RocksDB calls a "block checksum
 * mismatch": no lock is in the way. */
static void test_damaged_table(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir, NULL);
    char **names = NULL, *path = NULL;
    struct cc_db_value v;
    struct cc_error err;
    size_t count, len;
    uint8_t *data;

    (void)state;
    put(db, 0, "key", "value");
    cc_db_close(db);
    cc_db_close(open_db(dir, NULL)); /* the log becomes a table */
    assert_int_equal(cc_fs_list(dir, &names, &count, NULL), CC_OK);
    for (size_t i = 0; i < count; i++)
        if (!path && strstr(names[i], ".sst"))
            path = cc_fs_join(dir, names[i]);
    assert_non_null(path);
    assert_int_equal(cc_fs_read(path, 1 << 20, &data, &len, NULL), CC_OK);
    data[5] ^= 1;
    assert_int_equal(cc_fs_write(path, data, len, 0600, NULL), CC_OK);
    db = open_db(dir, NULL);
    assert_int_equal(cc_db_get(db, 0, cc_bytes("key", 3), &v, &err),
                     CC_CORRUPT);
    assert_non_null(strstr(err.text, "checksum"));
    cc_db_close(db);
    cc_fs_list_free(names, count);
    free(data);
    free(path);
    cc_test_rmdir(dir);
}

/* A database that cannot be made. */
static void test_no_folder(void **state)
{
    struct cc_db_config config = {
        .path = "/proc/nowhere/db", .families = families, .family_count = 2};
    struct cc_error err;
    struct cc_db *db;

    (void)state;
    assert_int_equal(cc_db_open(&db, &config, &err), CC_IO);
    assert_non_null(strstr(err.text, "/proc/nowhere"));
}

/* A name below name ... below path that is longer than any call takes: what
 * holds it cannot be removed. */
static void make_deep(const char *path)
{
    char name[201];
    int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), below;

    memset(name, 'z', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t len = 0; len < 8192; len += sizeof(name)) {
        assert_int_equal(mkdirat(at, name, 0700), 0);
        below = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(below >= 0);
        close(at);
        at = below;
    }
    close(at);
}

/* Removing that ends half way leaves no half of a database, but one that is
 * empty for who opens it. */
static void test_destroy_half_way(void **state)
{
    char *dir = cc_test_mkdir(), *path = cc_fs_join(dir, "db"), *rm;
    struct cc_db *db = open_db(path, NULL);
    struct cc_error err;

    (void)state;
    put(db, 0, "key", "value");
    cc_db_close(db);
    make_deep(path);
    assert_int_equal(cc_db_destroy(path, &err), CC_IO);
    rm = cc_asprintf("rm -r '%s'/zzz*", path);
    assert_int_equal(system(rm), 0);
    db = open_db(path, NULL);
    expect(db, 0, "key", NULL);
    put(db, 0, "key", "other");
    cc_db_close(db);
    db = open_db(path, NULL);
    expect(db, 0, "key", "other");
    cc_db_close(db);
    free(rm);
    free(path);
    cc_test_rmdir(dir);
}

/* A folder that is a link to another disk stays one. */
static void test_destroy_behind_link(void **state)
{
    char *dir = cc_test_mkdir(), *path = cc_fs_join(dir, "db");
    char *disk = cc_fs_join(dir, "disk"), *file = cc_fs_join(disk, "CURRENT");
    struct cc_db *db;

    (void)state;
    assert_int_equal(mkdir(disk, 0700), 0);
    assert_int_equal(symlink("disk", path), 0);
    db = open_db(path, NULL);
    put(db, 0, "key", "value");
    cc_db_close(db);
    assert_true(cc_fs_exists(file));
    assert_int_equal(cc_db_destroy(path, NULL), CC_OK);
    assert_false(cc_fs_exists(file));
    db = open_db(path, NULL);
    expect(db, 0, "key", NULL);
    cc_db_close(db);
    assert_true(cc_fs_exists(file));
    free(file);
    free(disk);
    free(path);
    cc_test_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_destroy_half_way),
        cmocka_unit_test(test_destroy_behind_link),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_fault),
        cmocka_unit_test(test_get_many),
        cmocka_unit_test(test_iterate),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_corrupt),
        cmocka_unit_test(test_damaged_table),
        cmocka_unit_test(test_no_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
