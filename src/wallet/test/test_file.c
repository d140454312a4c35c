#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "support.h"
#include "util/fs.h"
#include "util/mem.h"
#include "wallet/file.h"

static char *dir, *path, *other;
static const uint8_t genesis[32] = {1, 2, 3};

static int setup(void **state)
{
    (void)state;
    dir = cc_test_mkdir();
    path = cc_fs_join(dir, "wallet.dat");
    other = cc_fs_join(dir, "copy.dat");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_test_rmdir(dir);
    free(path);
    free(other);
    return 0;
}

/* Numbers written as records come back in order. */
struct seen {
    unsigned count;
    bool wrong;
};

static enum cc_status see(void *arg, uint8_t type, struct cc_bytes record,
                          struct cc_error *err)
{
    struct seen *s = arg;

    (void)err;
    s->wrong |=
        type != 7 || record.len != 4 || cc_get_u32le(record.data) != s->count;
    s->count++;
    return CC_OK;
}

static void put(struct cc_wallet_file *f, unsigned n)
{
    uint8_t b[4];

    cc_put_u32le(b, n);
    cc_wallet_file_add(f, 7, b, 4);
}

static enum cc_status reopen(const char *p, struct cc_wallet_file **f,
                             unsigned *count, size_t *torn)
{
    struct seen s = {0, false};
    enum cc_status st = cc_wallet_file_open(f, p, genesis, see, &s, torn, NULL);

    *count = s.count;
    if (st == CC_OK)
        assert_false(s.wrong);
    return st;
}

/* A file of three commits: records 0 1 | 2 | 3 4 5; ends[i]: its size after
 * commit i. */
static void make(uint64_t ends[4])
{
    struct cc_wallet_file *f;

    cc_fs_remove(path, NULL);
    assert_int_equal(cc_wallet_file_create(&f, path, genesis, NULL), CC_OK);
    ends[0] = cc_wallet_file_size(f);
    put(f, 0);
    put(f, 1);
    assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK);
    ends[1] = cc_wallet_file_size(f);
    put(f, 2);
    assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK);
    ends[2] = cc_wallet_file_size(f);
    put(f, 3);
    put(f, 4);
    put(f, 5);
    assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK);
    ends[3] = cc_wallet_file_size(f);
    put(f, 6); /* never committed */
    cc_wallet_file_close(f);
}

static void test_commits_come_back(void **state)
{
    struct cc_wallet_file *f, *g;
    uint64_t ends[4];
    unsigned n;
    size_t torn = 1;

    (void)state;
    make(ends);
    assert_int_equal(reopen(path, &f, &n, &torn), CC_OK);
    assert_int_equal(n, 6);
    assert_int_equal(torn, 0);
    /* and go on */
    put(f, 6);
    assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK);
    /* held against others, here and elsewhere */
    assert_int_equal(reopen(path, &g, &n, NULL), CC_LIMIT);
    assert_int_equal(cc_wallet_file_create(&g, path, genesis, NULL), CC_LIMIT);
    cc_wallet_file_close(f);
    assert_int_equal(reopen(path, &f, &n, NULL), CC_OK);
    assert_int_equal(n, 7);
    ends[0] = cc_wallet_file_size(f);
    assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK); /* of nothing */
    assert_int_equal(cc_wallet_file_size(f), ends[0]);
    cc_wallet_file_close(f);
    /* a new one never takes the place of one that is there */
    assert_int_equal(cc_wallet_file_create(&g, path, genesis, NULL), CC_LIMIT);
    assert_int_equal(reopen(path, &f, &n, NULL), CC_OK);
    assert_int_equal(n, 7);
    cc_wallet_file_close(f);
    char **names;
    size_t count;
    assert_int_equal(cc_fs_list(dir, &names, &count, NULL), CC_OK);
    assert_int_equal(count, 1); /* nothing is left beside it */
    cc_fs_list_free(names, count);
}

/* A power cut may leave any part of the last commit: what was committed
 * before is there, nothing of it, and the next commit works. */
static void test_torn_at_every_byte(void **state)
{
    struct cc_wallet_file *f;
    uint64_t ends[4];
    uint8_t *all;
    size_t size, torn;
    unsigned n;

    (void)state;
    make(ends);
    assert_int_equal(cc_fs_read(path, 9999, &all, &size, NULL), CC_OK);
    assert_int_equal(size, ends[3]);
    for (size_t len = ends[0]; len < size; len++) {
        unsigned want = len >= ends[2] ? 3 : len >= ends[1] ? 2 : 0;

        cc_fs_write(other, all, len, 0600, NULL);
        assert_int_equal(reopen(other, &f, &n, &torn), CC_OK);
        assert_int_equal(n, want);
        assert_int_equal(torn, len - cc_wallet_file_size(f));
        put(f, want);
        assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK);
        cc_wallet_file_close(f);
        assert_int_equal(reopen(other, &f, &n, &torn), CC_OK);
        assert_int_equal(n, want + 1);
        assert_int_equal(torn, 0);
        cc_wallet_file_close(f);
    }
    /* Some of its pages written, others still zero. */
    for (size_t at = ends[2]; at < size; at++) {
        uint8_t *cut = cc_memdup(all, size);

        memset(cut + at, 0, size - at);
        cc_fs_write(other, cut, size, 0600, NULL);
        assert_int_equal(reopen(other, &f, &n, NULL), CC_OK);
        assert_int_equal(n, memcmp(cut, all, size) ? 3 : 6);
        cc_wallet_file_close(f);
        memcpy(cut, all, size);
        memset(cut + ends[2], 0, at + 1 - ends[2]);
        cc_fs_write(other, cut, size, 0600, NULL);
        assert_int_equal(reopen(other, &f, &n, NULL), CC_OK);
        assert_int_equal(n, 3);
        cc_wallet_file_close(f);
        free(cut);
    }
    free(all);
}

static void test_damage_in_the_middle_is_refused(void **state)
{
    struct cc_wallet_file *f;
    uint64_t ends[4];
    uint8_t *all;
    size_t size;
    unsigned n;

    (void)state;
    make(ends);
    assert_int_equal(cc_fs_read(path, 9999, &all, &size, NULL), CC_OK);
    for (size_t at = 0; at < ends[2]; at++) {
        enum cc_status st;

        all[at] ^= 0x10;
        cc_fs_write(other, all, size, 0600, NULL);
        st = reopen(other, &f, &n, NULL);
        if (at < 44) /* magic, version, chain */
            assert_int_equal(st, CC_INVALID);
        else
            assert_int_equal(st, CC_CORRUPT);
        all[at] ^= 0x10;
    }
    free(all);
}

/* Two commits that are damaged cannot both be torn; and each belongs where it
 * was written. */
static void test_damage_of_several_frames(void **state)
{
    struct cc_wallet_file *f;
    uint64_t at[4];
    uint8_t *all, *moved;
    size_t size, len;
    unsigned n;

    (void)state;
    cc_fs_remove(path, NULL);
    assert_int_equal(cc_wallet_file_create(&f, path, genesis, NULL), CC_OK);
    for (unsigned i = 0; i < 4; i++) {
        at[i] = cc_wallet_file_size(f);
        put(f, i);
        assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK);
    }
    cc_wallet_file_close(f);
    assert_int_equal(cc_fs_read(path, 9999, &all, &size, NULL), CC_OK);
    moved = cc_memdup(all, size);
    len = (size_t)(at[1] - at[0]);
    memcpy(moved + at[1], all + at[2], len);
    memcpy(moved + at[2], all + at[1], len);
    cc_fs_write(other, moved, size, 0600, NULL);
    assert_int_equal(reopen(other, &f, &n, NULL), CC_CORRUPT);
    memcpy(moved, all, size);
    moved[at[2] + 18] ^= 1;
    moved[at[3] + 18] ^= 1;
    cc_fs_write(other, moved, size, 0600, NULL);
    assert_int_equal(reopen(other, &f, &n, NULL), CC_CORRUPT);
    free(all);
    free(moved);
}

static enum cc_status refuse(void *arg, uint8_t type, struct cc_bytes record,
                             struct cc_error *err)
{
    (void)arg;
    (void)type;
    (void)record;
    return cc_fail(err, CC_INVALID, "no");
}

static void test_records_that_are_refused(void **state)
{
    struct cc_wallet_file *f = NULL;
    struct cc_error err;
    uint64_t ends[4];
    uint8_t *all, head[16], at8[12] = {0}, hash[32];
    struct cc_sha256 c;
    static const uint8_t cut[] = {7, 200, 1, 2, 3}; /* of 200 bytes only 3 */
    size_t size;
    unsigned n;

    (void)state;
    make(ends);
    assert_int_equal(
        cc_wallet_file_open(&f, path, genesis, refuse, NULL, NULL, &err),
        CC_INVALID);
    assert_null(f);
    assert_int_equal(reopen(path, &f, &n, NULL), CC_OK); /* not held */
    cc_wallet_file_close(f);

    /* A frame whose checks are right and whose records are not. */
    assert_int_equal(cc_fs_read(path, 9999, &all, &size, NULL), CC_OK);
    cc_put_u32le(head, sizeof(cut));
    cc_put_u64le(at8, ends[0]);
    memcpy(at8 + 8, head, 4);
    cc_sha256_once(hash, at8, 12);
    memcpy(head + 4, hash, 4);
    cc_sha256_init(&c);
    cc_sha256_update(&c, at8, 8);
    cc_sha256_update(&c, cut, sizeof(cut));
    cc_sha256_final(&c, hash);
    memcpy(head + 8, hash, 8);
    memcpy(all + ends[0], head, 16);
    memcpy(all + ends[0] + 16, cut, sizeof(cut));
    cc_fs_write(other, all, ends[0] + 16 + sizeof(cut), 0600, NULL);
    assert_int_equal(reopen(other, &f, &n, NULL), CC_CORRUPT);
    free(all);
}

static void test_replace_and_copy(void **state)
{
    struct cc_wallet_file *f;
    uint64_t ends[4];
    uint8_t *all;
    size_t size;
    unsigned n;

    (void)state;
    make(ends);
    assert_int_equal(reopen(path, &f, &n, NULL), CC_OK);
    put(f, 0);
    assert_int_equal(cc_wallet_file_replace(f, NULL), CC_OK);
    assert_int_equal(cc_wallet_file_pending(f), 0);
    put(f, 1);
    assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK);
    put(f, 2);
    cc_wallet_file_drop(f);
    assert_int_equal(cc_wallet_file_commit(f, NULL), CC_OK);
    assert_int_equal(cc_wallet_file_copy(f, other, NULL), CC_OK);
    assert_int_equal(cc_fs_read(path, 9999, &all, &size, NULL), CC_OK);
    assert_int_equal(size, cc_wallet_file_size(f));
    free(all);
    cc_wallet_file_close(f);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(reopen(i ? other : path, &f, &n, NULL), CC_OK);
        assert_int_equal(n, 2);
        cc_wallet_file_close(f);
    }
}

static void test_full_disk(void **state)
{
    struct cc_wallet_file *f;
    struct rlimit limit, was;
    struct cc_error err;
    uint64_t ends[4];
    unsigned n;

    (void)state;
    make(ends);
    assert_int_equal(reopen(path, &f, &n, NULL), CC_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    limit = was;
    limit.rlim_cur = ends[3] + 20; /* in the midst of the next frame */
    setrlimit(RLIMIT_FSIZE, &limit);
    put(f, 6);
    assert_int_equal(cc_wallet_file_commit(f, &err), CC_IO);
    assert_int_equal(cc_wallet_file_size(f), ends[3]);
    setrlimit(RLIMIT_FSIZE, &was);
    /* It stays pending: room again, and it is there. */
    put(f, 7);
    assert_int_equal(cc_wallet_file_commit(f, &err), CC_OK);
    cc_wallet_file_close(f);
    assert_int_equal(reopen(path, &f, &n, NULL), CC_OK);
    assert_int_equal(n, 8);
    cc_wallet_file_close(f);
}

static void test_what_is_no_wallet(void **state)
{
    static const uint8_t foreign[32] = {9};
    struct cc_wallet_file *f;
    struct cc_error err;
    struct seen s = {0, false};
    uint64_t ends[4];
    unsigned n;

    (void)state;
    cc_fs_remove(other, NULL);
    assert_int_equal(reopen(other, &f, &n, NULL), CC_NOTFOUND);
    cc_fs_write(other, "", 0, 0600, NULL);
    assert_int_equal(reopen(other, &f, &n, NULL), CC_INVALID);
    cc_fs_write(other, "SQLite format 3", 15, 0600, NULL);
    assert_int_equal(reopen(other, &f, &n, NULL), CC_INVALID);
    make(ends);
    assert_int_equal(
        cc_wallet_file_open(&f, path, foreign, see, &s, NULL, &err),
        CC_INVALID);
    assert_non_null(strstr(err.text, "across chains"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_come_back),
        cmocka_unit_test(test_torn_at_every_byte),
        cmocka_unit_test(test_damage_in_the_middle_is_refused),
        cmocka_unit_test(test_damage_of_several_frames),
        cmocka_unit_test(test_records_that_are_refused),
        cmocka_unit_test(test_replace_and_copy),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_what_is_no_wallet),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
