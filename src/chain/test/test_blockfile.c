#include "chain/blockfile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support.h"
#include "util/fs.h"

#define MAGIC 0x01020304u

static const uint8_t parent[32] = {7, 7};

struct fault {
    unsigned calls, fail_at;
};

static bool fail_nth(void *arg, const char *what)
{
    struct fault *f = arg;

    (void)what;
    return ++f->calls == f->fail_at;
}

static struct cc_blockfiles *open_files(const char *dir, struct fault *f)
{
    struct cc_fault fault = {f ? fail_nth : NULL, f, NULL};
    struct cc_blockfiles *b;

    assert_int_equal(cc_blockfiles_open(&b, dir, MAGIC, &fault, NULL), CC_OK);
    return b;
}

static struct cc_bytes text(const char *s) { return cc_bytes(s, strlen(s)); }

static void expect_block(struct cc_blockfiles *b, uint32_t file, uint32_t pos,
                         const char *want)
{
    struct cc_error err;
    uint8_t *data;

    if (cc_blockfiles_read(b, file, pos, (uint32_t)strlen(want), &data, &err))
        fail_msg("%s", err.text);
    assert_memory_equal(data, want, strlen(want));
    free(data);
}

static void poke(const char *dir, const char *name, long at, uint8_t byte)
{
    char path[600];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fputc(byte, f), byte);
    fclose(f);
}

static void test_round_trip(void **state)
{
    char *dir = cc_test_mkdir(), path[600];
    struct cc_blockfiles *b = open_files(dir, NULL);
    struct cc_blockfiles_dirty d;
    uint32_t file, pos, pos2, undo_pos;
    struct stat info;
    uint8_t *data;
    size_t len;

    (void)state;
    assert_int_equal(
        cc_blockfiles_append(b, text("block one"), &file, &pos, NULL), CC_OK);
    assert_int_equal(file, 0);
    assert_int_equal(pos, 8);
    assert_int_equal(cc_blockfiles_append(b, text("two"), &file, &pos2, NULL),
                     CC_OK);
    assert_int_equal(pos2, 8 + 9 + 8);
    assert_int_equal(
        cc_blockfiles_append_undo(b, 0, parent, text("undo"), &undo_pos, NULL),
        CC_OK);
    assert_int_equal(undo_pos, 8);
    cc_blockfiles_take_dirty(b, &d);
    assert_int_equal(cc_blockfiles_sync_dirty(b, &d, NULL), CC_OK);
    cc_blockfiles_dirty_clear(&d);
    expect_block(b, 0, pos, "block one");
    expect_block(b, 0, pos2, "two");
    assert_int_equal(
        cc_blockfiles_read_undo(b, 0, undo_pos, parent, &data, &len, NULL),
        CC_OK);
    assert_int_equal(len, 4);
    assert_memory_equal(data, "undo", 4);
    free(data);
    assert_int_equal(cc_blockfiles_size(b), 8 + 9 + 8 + 3 + 8 + 4 + 32);
    /* preallocated by chunks */
    snprintf(path, sizeof(path), "%s/blk00000.dat", dir);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, CC_BLOCKFILE_CHUNK);
    cc_blockfiles_free(b);
    cc_test_rmdir(dir);
}

/* What no index entry knows of is written over; what one knows stays. */
static void test_torn_tail(void **state)
{
    char *dir = cc_test_mkdir();
    struct fault fault = {0, 2};
    struct cc_blockfiles *b = open_files(dir, &fault);
    uint32_t file, pos, pos2;
    struct cc_error err;

    (void)state;
    assert_int_equal(cc_blockfiles_append(b, text("kept"), &file, &pos, NULL),
                     CC_OK);
    assert_int_equal(
        cc_blockfiles_append(b, text("torn apart"), &file, &pos2, &err), CC_IO);
    assert_non_null(strstr(err.text, "blk00000.dat"));
    assert_non_null(strstr(err.text, "offset 12"));
    cc_blockfiles_free(b);
    b = open_files(dir, NULL);
    cc_blockfiles_seen(b, file, pos + 4, 0);
    assert_int_equal(cc_blockfiles_append(b, text("next"), &file, &pos2, NULL),
                     CC_OK);
    assert_int_equal(pos2, 8 + 4 + 8);
    expect_block(b, 0, pos, "kept");
    expect_block(b, 0, pos2, "next");
    cc_blockfiles_free(b);
    cc_test_rmdir(dir);
}

static void test_damage(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_blockfiles *b = open_files(dir, NULL);
    static const uint8_t other[32] = {9};
    uint32_t file, pos, undo_pos;
    struct cc_error err;
    uint8_t *data;
    size_t len;

    (void)state;
    assert_int_equal(cc_blockfiles_append(b, text("block"), &file, &pos, NULL),
                     CC_OK);
    assert_int_equal(cc_blockfiles_append_undo(b, file, parent, text("undo"),
                                               &undo_pos, NULL),
                     CC_OK);
    /* of another parent, so of another block */
    assert_int_equal(
        cc_blockfiles_read_undo(b, file, undo_pos, other, &data, &len, &err),
        CC_CORRUPT);
    poke(dir, "rev00000.dat", 9, 'N');
    assert_int_equal(
        cc_blockfiles_read_undo(b, file, undo_pos, parent, &data, &len, &err),
        CC_CORRUPT);
    assert_non_null(strstr(err.text, "rev00000.dat, offset 8"));
    assert_int_equal(cc_blockfiles_read(b, file, pos, 6, &data, &err),
                     CC_CORRUPT); /* the index says another size */
    assert_int_equal(cc_blockfiles_read(b, file, 3, 5, &data, &err),
                     CC_CORRUPT);
    assert_int_equal(
        cc_blockfiles_read(b, file, CC_BLOCKFILE_CHUNK + 8, 5, &data, &err),
        CC_CORRUPT); /* past the end */
    poke(dir, "blk00000.dat", 0, 0xff);
    assert_int_equal(cc_blockfiles_read(b, file, pos, 5, &data, &err),
                     CC_CORRUPT);
    assert_non_null(strstr(err.text, "blk00000.dat, offset 8"));
    assert_int_equal(cc_blockfiles_read(b, 5, pos, 5, &data, &err), CC_IO);
    assert_non_null(strstr(err.text, "blk00005.dat"));
    cc_blockfiles_free(b);
    cc_test_rmdir(dir);
}

static void test_sync_fails(void **state)
{
    char *dir = cc_test_mkdir();
    struct fault fault = {0, 2};
    struct cc_blockfiles *b = open_files(dir, &fault);
    struct cc_blockfiles_dirty d;
    uint32_t file, pos;

    (void)state;
    assert_int_equal(cc_blockfiles_append(b, text("x"), &file, &pos, NULL),
                     CC_OK);
    cc_blockfiles_take_dirty(b, &d);
    assert_int_equal(d.count, 1);
    assert_true(d.directory);
    /* meanwhile somebody goes on writing: that is the next one's */
    fault.calls = 5;
    assert_int_equal(cc_blockfiles_append(b, text("y"), &file, &pos, NULL),
                     CC_OK);
    fault.calls = 1;
    assert_int_equal(cc_blockfiles_sync_dirty(b, &d, NULL), CC_IO);
    assert_int_equal(cc_blockfiles_sync_dirty(b, &d, NULL), CC_OK);
    assert_int_equal(fault.calls, 3);
    cc_blockfiles_dirty_clear(&d);
    cc_blockfiles_take_dirty(b, &d);
    assert_int_equal(d.count, 1);
    assert_false(d.directory);
    cc_blockfiles_dirty_clear(&d);
    cc_blockfiles_take_dirty(b, &d);
    assert_int_equal(d.count, 0); /* nothing was left to do */
    cc_blockfiles_dirty_clear(&d);
    cc_blockfiles_free(b);
    cc_test_rmdir(dir);
}

/* No room: the caller is told, and once there is, all goes on. */
static void test_no_room(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_blockfiles *b = open_files(dir, NULL);
    struct rlimit old, small;
    uint32_t file, pos;
    struct cc_error err;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = CC_BLOCKFILE_CHUNK / 2;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(cc_blockfiles_append(b, text("x"), &file, &pos, &err),
                     CC_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_non_null(strstr(err.text, "blk00000.dat"));
    assert_non_null(strstr(err.text, "cannot make room"));
    assert_int_equal(cc_blockfiles_append(b, text("x"), &file, &pos, NULL),
                     CC_OK);
    assert_int_equal(pos, 8);
    expect_block(b, 0, pos, "x");
    cc_blockfiles_free(b);
    cc_test_rmdir(dir);
}

/* A full file is cut to what it holds, and the next begins. */
static void test_next_file(void **state)
{
    char *dir = cc_test_mkdir(), path[600];
    struct cc_blockfiles *b = open_files(dir, NULL);
    uint32_t file, pos, end = CC_BLOCKFILE_MAX - 20;
    struct stat info;

    (void)state;
    cc_blockfiles_seen(b, 0, end, 0);
    assert_int_equal(
        cc_blockfiles_append(b, text("fits in it."), &file, &pos, NULL), CC_OK);
    assert_int_equal(file, 0);
    assert_int_equal(pos, end + 8);
    assert_int_equal(
        cc_blockfiles_append(b, text("no more"), &file, &pos, NULL), CC_OK);
    assert_int_equal(file, 1);
    assert_int_equal(pos, 8);
    snprintf(path, sizeof(path), "%s/blk00000.dat", dir);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, end + 8 + 11);
    expect_block(b, 0, end + 8, "fits in it.");
    expect_block(b, 1, 8, "no more");
    cc_blockfiles_free(b);
    cc_test_rmdir(dir);
}

struct seen {
    char all[64];
    unsigned count, stop_at;
};

static bool see(void *arg, uint32_t file, uint32_t pos, struct cc_bytes block)
{
    struct seen *s = arg;

    (void)file;
    (void)pos;
    strncat(s->all, (const char *)block.data, block.len);
    strcat(s->all, " ");
    return ++s->count != s->stop_at;
}

static void test_walk(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_blockfiles *b = open_files(dir, NULL);
    struct seen s = {.count = 0};
    uint32_t file, pos;

    (void)state;
    assert_int_equal(cc_blockfiles_each(b, see, &s, NULL), CC_OK);
    assert_int_equal(s.count, 0);
    cc_blockfiles_append(b, text("a"), &file, &pos, NULL);
    cc_blockfiles_append(b, text("bb"), &file, &pos, NULL);
    cc_blockfiles_append(b, text("ccc"), &file, &pos, NULL);
    assert_int_equal(cc_blockfiles_each(b, see, &s, NULL), CC_OK);
    assert_string_equal(s.all, "a bb ccc ");
    poke(dir, "blk00000.dat", 9, 0); /* the head of the second */
    memset(&s, 0, sizeof(s));
    assert_int_equal(cc_blockfiles_each(b, see, &s, NULL), CC_OK);
    assert_string_equal(s.all, "a ccc ");
    memset(&s, 0, sizeof(s));
    s.stop_at = 1;
    assert_int_equal(cc_blockfiles_each(b, see, &s, NULL), CC_OK);
    assert_string_equal(s.all, "a ");
    cc_blockfiles_free(b);
    cc_test_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_torn_tail),
        cmocka_unit_test(test_damage),     cmocka_unit_test(test_sync_fails),
        cmocka_unit_test(test_no_room),    cmocka_unit_test(test_next_file),
        cmocka_unit_test(test_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
