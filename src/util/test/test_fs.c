#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "util/fs.h"
#include "util/mem.h"

static char *dir;

static int setup(void **state)
{
    (void)state;
    dir = cc_test_mkdir();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_test_rmdir(dir);
    return 0;
}

static void test_join(void **state)
{
    static const char *const cases[][3] = {{"a", "b", "a/b"},
                                           {"a/", "b", "a/b"},
                                           {"a", "/b", "/b"},
                                           {"", "b", "b"}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char *p = cc_fs_join(cases[i][0], cases[i][1]);

        assert_string_equal(p, cases[i][2]);
        free(p);
    }
}

static void test_write_replaces_and_read_is_bounded(void **state)
{
    char *path = cc_fs_join(dir, "f"), *left = cc_fs_join(dir, "f.new");
    struct cc_error err;
    struct stat st;
    uint8_t *data;
    size_t len;

    (void)state;
    assert_int_equal(cc_fs_read(path, 9, &data, &len, &err), CC_NOTFOUND);
    assert_int_equal(cc_fs_write(path, "0123456789", 10, 0644, &err), CC_OK);
    assert_int_equal(cc_fs_read(path, 9, &data, &len, &err), CC_LIMIT);
    assert_int_equal(cc_fs_write(path, "abc", 3, 0600, &err), CC_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_false(cc_fs_exists(left));
    assert_int_equal(cc_fs_read(path, 3, &data, &len, &err), CC_OK);
    assert_int_equal(len, 3);
    assert_string_equal((char *)data, "abc");
    free(data);
    char *inside = cc_fs_join(path, "x");
    assert_int_equal(cc_fs_read(inside, 9, &data, &len, &err), CC_IO);
    free(inside);
    assert_int_equal(cc_fs_read(dir, 9, &data, &len, &err), CC_IO);
    assert_non_null(strstr(err.text, "cannot read"));
    /* What cannot be written leaves the old content. */
    assert_int_equal(mkdir(left, 0700), 0);
    assert_int_equal(cc_fs_write(path, "x", 1, 0600, &err), CC_IO);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(cc_fs_read(path, 3, &data, &len, &err), CC_OK);
    assert_string_equal((char *)data, "abc");
    free(data);
    assert_int_equal(cc_fs_remove(path, &err), CC_OK);
    assert_int_equal(cc_fs_remove(path, &err), CC_OK);
    free(path);
    free(left);
}

static void test_full_disk_is_told(void **state)
{
    struct cc_error err;
    FILE *full = fopen("/dev/full", "w");

    (void)state;
    if (!full)
        skip();
    assert_int_equal(cc_fs_write_all(fileno(full), "x", 1, &err), CC_IO);
    assert_string_equal(err.text, "cannot write: No space left on device");
    fclose(full);
}

static void test_mkdirs_list_and_remove(void **state)
{
    char *deep = cc_fs_join(dir, "a/b/c"), *top = cc_fs_join(dir, "a"),
         *file = cc_fs_join(dir, "a/file"), *link = cc_fs_join(dir, "a/link"),
         *kept = cc_fs_join(dir, "kept"), *below = cc_asprintf("%s/x", file);
    struct cc_error err;
    char **names;
    size_t n;

    (void)state;
    assert_int_equal(cc_fs_mkdirs(deep, &err), CC_OK);
    assert_int_equal(cc_fs_mkdirs(deep, &err), CC_OK);
    assert_true(cc_fs_is_dir(deep));
    assert_int_equal(cc_fs_write(file, "", 0, 0600, &err), CC_OK);
    assert_int_equal(cc_fs_mkdirs(below, &err), CC_IO);
    assert_int_equal(cc_fs_mkdirs(kept, &err), CC_OK);
    assert_int_equal(symlink(kept, link), 0);
    assert_int_equal(cc_fs_list(top, &names, &n, &err), CC_OK);
    assert_int_equal(n, 3);
    assert_string_equal(names[0], "b");
    assert_string_equal(names[1], "file");
    assert_string_equal(names[2], "link");
    cc_fs_list_free(names, n);
    assert_int_equal(cc_fs_remove_tree(top, &err), CC_OK);
    assert_false(cc_fs_exists(top));
    assert_true(cc_fs_exists(kept)); /* the link went, not what it shows */
    assert_int_equal(cc_fs_list(top, &names, &n, &err), CC_IO);
    free(deep);
    free(top);
    free(file);
    free(link);
    free(kept);
    free(below);
}

static void test_lock_is_exclusive(void **state)
{
    char *path = cc_fs_join(dir, ".lock");
    struct cc_error err;
    int a, b;

    (void)state;
    assert_int_equal(cc_fs_lock(path, &a, &err), CC_OK);
    assert_int_equal(cc_fs_lock(path, &b, &err), CC_LIMIT);
    cc_fs_unlock(a);
    assert_int_equal(cc_fs_lock(path, &b, &err), CC_OK);
    cc_fs_unlock(b);
    free(path);
}

static void test_positioned_reads(void **state)
{
    char *path = cc_fs_join(dir, "pos"), buf[4];
    struct cc_error err;
    uint64_t space = 0;
    FILE *f = fopen(path, "w+");

    (void)state;
    assert_non_null(f);
    assert_int_equal(cc_fs_pwrite_all(fileno(f), "abcdef", 6, 2, &err), CC_OK);
    assert_int_equal(cc_fs_pread_all(fileno(f), buf, 4, 4, &err), CC_OK);
    assert_memory_equal(buf, "cdef", 4);
    assert_int_equal(cc_fs_pread_all(fileno(f), buf, 4, 5, &err), CC_CORRUPT);
    assert_int_equal(cc_fs_free_space(dir, &space, &err), CC_OK);
    assert_true(space > 0);
    fclose(f);
    free(path);
}

static size_t open_files(void)
{
    char **names;
    size_t n;

    assert_int_equal(cc_fs_list("/proc/self/fd", &names, &n, NULL), CC_OK);
    cc_fs_list_free(names, n);
    return n;
}

static void test_nothing_stays_open(void **state)
{
    char *path = cc_fs_join(dir, "open");
    size_t before = open_files(), len;
    uint8_t *data;
    int fd;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cc_fs_write(path, "abc", 3, 0600, NULL), CC_OK);
        assert_int_equal(cc_fs_read(path, 9, &data, &len, NULL), CC_OK);
        free(data);
        assert_int_equal(cc_fs_read(path, 1, &data, &len, NULL), CC_LIMIT);
        assert_int_equal(cc_fs_lock(path, &fd, NULL), CC_OK);
        assert_int_equal(cc_fs_lock(path, &fd, NULL), CC_LIMIT);
        cc_fs_unlock(fd);
        assert_int_equal(cc_fs_sync_dir(dir, NULL), CC_OK);
    }
    assert_int_equal(open_files(), before);
    free(path);
}

static void test_faults(void **state)
{
    char *folder = cc_fs_join(dir, "full/inside"), *path, *left, here[256];
    struct cc_error err;
    char byte = 0;
    FILE *f;

    (void)state;
    assert_int_equal(cc_fs_mkdirs(folder, &err), CC_OK);
    free(folder);
    path = cc_fs_join(dir, "full");
    left = cc_fs_join(dir, "full.new");
    assert_int_equal(cc_fs_write(path, "x", 1, 0600, &err), CC_IO);
    assert_false(cc_fs_exists(left)); /* nothing lies about */
    assert_int_equal(cc_fs_remove(path, &err), CC_IO);
    assert_int_equal(cc_fs_sync_dir(left, &err), CC_IO);
    free(left);
    free(path);

    path = cc_fs_join(dir, "one-way");
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(cc_fs_pread_all(fileno(f), &byte, 1, 0, &err), CC_IO);
    fclose(f);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(cc_fs_pwrite_all(fileno(f), &byte, 1, 0, &err), CC_IO);
    assert_int_equal(cc_fs_write_all(fileno(f), &byte, 1, &err), CC_IO);
    fclose(f);
    free(path);

    /* A name without a folder is of the present one. */
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(cc_fs_write("bare", "x", 1, 0600, &err), CC_OK);
    assert_int_equal(chdir(here), 0);
    path = cc_fs_join(dir, "bare");
    assert_true(cc_fs_exists(path));
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_write_replaces_and_read_is_bounded),
        cmocka_unit_test(test_full_disk_is_told),
        cmocka_unit_test(test_mkdirs_list_and_remove),
        cmocka_unit_test(test_lock_is_exclusive),
        cmocka_unit_test(test_positioned_reads),
        cmocka_unit_test(test_nothing_stays_open),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
