/*
 * The host's volume: what was acknowledged is there after kill -9 and torn
 * writes; what is damaged is found and not served.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/volume.h"
#include "support.h"
#include "util/fs.h"
#include "util/mem.h"

struct place {
    char *directory;
    struct cc_volume *v;
    uint8_t *sector, *hashes;
};

static int setup(void **state)
{
    struct place *p = cc_calloc(1, sizeof(*p));

    p->directory = cc_test_mkdir();
    p->sector = cc_malloc(CC_SECTOR_SIZE);
    p->hashes = cc_malloc(CC_SECTOR_LEAVES * 32);
    assert_int_equal(cc_volume_open(&p->v, p->directory, 8, NULL, NULL), CC_OK);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;

    cc_volume_close(p->v);
    cc_test_rmdir(p->directory);
    free(p->sector);
    free(p->hashes);
    free(p);
    return 0;
}

/* Sector n: told apart everywhere, quick to make. */
static void make(uint8_t *sector, uint8_t root[32], uint32_t n)
{
    for (size_t i = 0; i < CC_SECTOR_SIZE; i += 4)
        cc_put_u32le(sector + i, n * 2654435761u + (uint32_t)i);
    cc_mtree_sector_root(root, sector);
}

static enum cc_status put(struct place *p, uint32_t n, uint8_t root[32])
{
    make(p->sector, root, n);
    return cc_volume_write(p->v, root, p->sector, NULL);
}

static void assert_holds(struct place *p, uint32_t n)
{
    uint8_t root[32], *want = cc_malloc(CC_SECTOR_SIZE);

    make(want, root, n);
    assert_int_equal(cc_volume_read(p->v, root, p->sector, NULL), CC_OK);
    assert_memory_equal(p->sector, want, CC_SECTOR_SIZE);
    free(want);
}

static void reopen(struct place *p)
{
    cc_volume_close(p->v);
    assert_int_equal(cc_volume_open(&p->v, p->directory, 8, NULL, NULL), CC_OK);
}

/* Bytes into one of the two files, or its size set (data NULL). */
static void poke(struct place *p, const char *name, off_t at, const void *data,
                 size_t len)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", p->directory, name);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    if (data)
        assert_int_equal(pwrite(fd, data, len, at), len);
    else
        assert_int_equal(ftruncate(fd, at), 0);
    close(fd);
}

static void test_keeps(void **state)
{
    struct place *p = *state;
    uint8_t root[32];

    for (uint32_t n = 0; n < 5; n++)
        assert_int_equal(put(p, n, root), CC_OK);
    assert_int_equal(put(p, 3, root), CC_OK); /* there: nothing to do */
    assert_int_equal(cc_volume_counts(p->v).used, 5);
    reopen(p);
    for (uint32_t n = 0; n < 5; n++)
        assert_holds(p, n);
    assert_int_equal(cc_volume_counts(p->v).used, 5);
    assert_int_equal(cc_volume_counts(p->v).torn, 0);
    make(p->sector, root, 9);
    assert_false(cc_volume_has(p->v, root));
    assert_int_equal(cc_volume_read(p->v, root, p->sector, NULL), CC_NOTFOUND);
}

static void test_full_and_release(void **state)
{
    struct place *p = *state;
    uint8_t root[32];

    for (uint32_t n = 0; n < 8; n++)
        assert_int_equal(put(p, n, root), CC_OK);
    assert_int_equal(put(p, 8, root), CC_LIMIT);
    make(p->sector, root, 3);
    assert_int_equal(cc_volume_release(p->v, root, NULL), CC_OK);
    assert_int_equal(cc_volume_release(p->v, root, NULL), CC_OK);
    assert_false(cc_volume_has(p->v, root));
    assert_int_equal(put(p, 8, root), CC_OK);
    reopen(p);
    assert_holds(p, 8);
    make(p->sector, root, 3);
    assert_false(cc_volume_has(p->v, root));
    assert_int_equal(cc_volume_counts(p->v).used, 8);
    /* The freed slot was used again. */
    struct stat info;
    char path[128];
    snprintf(path, sizeof(path), "%s/sectors", p->directory);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 8 * CC_SECTOR_SIZE);
}

static void test_leaves(void **state)
{
    struct place *p = *state;
    uint8_t root[32], want[32], *part = cc_malloc(CC_SECTOR_SIZE);

    assert_int_equal(put(p, 1, root), CC_OK);
    for (int round = 0; round < 2; round++) { /* then from the cache */
        assert_int_equal(
            cc_volume_read_leaves(p->v, root, 7, 10, part, p->hashes, NULL),
            CC_OK);
        make(p->sector, want, 1);
        assert_memory_equal(part, p->sector + 7 * CC_LEAF_SIZE,
                            3 * CC_LEAF_SIZE);
        cc_mtree_root(want, p->hashes, CC_SECTOR_LEAVES);
        assert_memory_equal(want, root, 32);
    }
    /* Damage behind the cache's back is found all the same. */
    poke(p, "sectors", 8 * CC_LEAF_SIZE + 5, "x", 1);
    assert_int_equal(
        cc_volume_read_leaves(p->v, root, 0, 7, part, p->hashes, NULL), CC_OK);
    assert_int_equal(
        cc_volume_read_leaves(p->v, root, 7, 10, part, p->hashes, NULL),
        CC_CORRUPT);
    assert_true(cc_volume_is_bad(p->v, root));
    assert_false(cc_volume_has(p->v, root));
    assert_int_equal(cc_volume_counts(p->v).bad, 1);
    /* Once known, nothing of it is served, and told once. */
    assert_int_equal(cc_volume_read(p->v, root, part, NULL), CC_CORRUPT);
    assert_int_equal(cc_volume_counts(p->v).bad, 1);
    assert_int_equal(put(p, 1, root), CC_OK); /* mended */
    assert_int_equal(cc_volume_counts(p->v).bad, 0);
    assert_holds(p, 1);
    free(part);
}

static void test_files_cut_short(void **state)
{
    struct place *p = *state;
    uint8_t root[32];

    assert_int_equal(put(p, 0, root), CC_OK);
    assert_int_equal(put(p, 1, root), CC_OK);
    poke(p, "sectors", CC_SECTOR_SIZE + 17, NULL, 0);
    reopen(p);
    assert_holds(p, 0);
    assert_int_equal(cc_volume_read(p->v, root, p->sector, NULL), CC_CORRUPT);
    /* Half a record at the end: the slot is free. */
    poke(p, "index", 64 + 30, NULL, 0);
    reopen(p);
    assert_int_equal(cc_volume_counts(p->v).used, 1);
    assert_int_equal(cc_volume_counts(p->v).torn, 1);
    assert_holds(p, 0);
    assert_int_equal(put(p, 5, root), CC_OK);
    reopen(p);
    assert_holds(p, 5);
}

/* Whatever single byte of a record changes, its slot is free, no other. */
static void test_torn_records(void **state)
{
    struct place *p = *state;
    uint8_t root[32], record[64], other;
    char path[128];
    int fd;

    for (uint32_t n = 0; n < 3; n++)
        assert_int_equal(put(p, n, root), CC_OK);
    snprintf(path, sizeof(path), "%s/index", p->directory);
    fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, record, 64, 64), 64);
    for (off_t i = 0; i < 64; i++) {
        other = record[i] ^ 0x40;
        assert_int_equal(pwrite(fd, &other, 1, 64 + i), 1);
        reopen(p);
        assert_int_equal(cc_volume_counts(p->v).torn, 1);
        assert_int_equal(cc_volume_counts(p->v).used, 2);
        assert_int_equal(pwrite(fd, record + i, 1, 64 + i), 1);
    }
    /* A record in another's place does not count either. */
    assert_int_equal(pwrite(fd, record, 64, 0), 64);
    reopen(p);
    assert_int_equal(cc_volume_counts(p->v).torn, 1);
    assert_int_equal(cc_volume_counts(p->v).used, 2);
    close(fd);
}

/* The index cut at any length: whole records before the cut count. One too
 * large is no index. */
static void test_index_sizes(void **state)
{
    struct place *p = *state;
    struct cc_volume *again;
    struct cc_error err;
    uint8_t root[32], all[3 * 64];
    char path[128];
    int fd;

    for (uint32_t n = 0; n < 3; n++)
        assert_int_equal(put(p, n, root), CC_OK);
    snprintf(path, sizeof(path), "%s/index", p->directory);
    fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, all, sizeof(all), 0), sizeof(all));
    for (off_t cut = sizeof(all); cut >= 0; cut--) {
        assert_int_equal(ftruncate(fd, cut), 0);
        reopen(p);
        assert_int_equal(cc_volume_counts(p->v).used, cut / 64);
        assert_int_equal(cc_volume_counts(p->v).torn, cut % 64 != 0);
        for (uint32_t n = 0; cut % 64 == 0 && n < cut / 64; n++)
            assert_holds(p, n);
    }
    assert_int_equal(pwrite(fd, all, sizeof(all), 0), sizeof(all));
    cc_volume_close(p->v);
    assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
    cc_error_init(&err);
    assert_int_equal(cc_volume_open(&again, p->directory, 8, NULL, &err),
                     CC_CORRUPT);
    assert_non_null(strstr(err.text, "index"));
    assert_int_equal(ftruncate(fd, sizeof(all)), 0);
    close(fd);
    assert_int_equal(cc_volume_open(&p->v, p->directory, 8, NULL, NULL), CC_OK);
    for (uint32_t n = 0; n < 3; n++)
        assert_holds(p, n);
}

static void test_one_at_a_time(void **state)
{
    struct place *p = *state;
    struct cc_volume *second;
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit((int)cc_volume_open(&second, p->directory, 8, NULL, NULL));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CC_LIMIT);
}

/* A disk that is full, as the file size limit plays it: refused cleanly, and
 * what was there stays. */
static void test_disk_full(void **state)
{
    struct place *p = *state;
    pid_t child = fork();
    uint8_t root[32];
    int status;

    if (child == 0) {
        struct rlimit limit = {2 * CC_SECTOR_SIZE + 1000,
                               2 * CC_SECTOR_SIZE + 1000};
        bool ok;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        ok = put(p, 0, root) == CC_OK && put(p, 1, root) == CC_OK &&
             put(p, 2, root) == CC_LIMIT && !cc_volume_has(p->v, root) &&
             cc_volume_counts(p->v).used == 2;
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    reopen(p);
    assert_holds(p, 0);
    assert_holds(p, 1);
}

/* --- Threads -------------------------------------------------------------- */

#define WRITERS 6

struct writer {
    struct place *p;
    pthread_barrier_t *start;
    const uint8_t *root, *sector;
    struct cc_test_random random;
    pthread_t thread;
};

static void *write_once(void *arg)
{
    struct writer *w = arg;

    pthread_barrier_wait(w->start);
    return cc_volume_write(w->p->v, w->root, w->sector, NULL) == CC_OK ? w
                                                                       : NULL;
}

static void run_writers(struct place *p, const uint8_t *root,
                        const uint8_t *sector)
{
    struct writer w[WRITERS];
    pthread_barrier_t start;
    void *good;

    pthread_barrier_init(&start, NULL, WRITERS);
    for (int i = 0; i < WRITERS; i++) {
        w[i] = (struct writer){
            .p = p, .start = &start, .root = root, .sector = sector};
        assert_int_equal(pthread_create(&w[i].thread, NULL, write_once, &w[i]),
                         0);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(w[i].thread, &good), 0);
        assert_non_null(good);
    }
    pthread_barrier_destroy(&start);
}

/* The same sector from all sides at once, new or to mend: one slot. */
static void test_same_sector_at_once(void **state)
{
    struct place *p = *state;
    uint8_t root[32], *sector = cc_malloc(CC_SECTOR_SIZE);
    struct stat info;
    char path[128];

    for (uint32_t n = 0; n < 8; n++) {
        make(sector, root, n);
        run_writers(p, root, sector);
        assert_int_equal(cc_volume_counts(p->v).used, n + 1);
    }
    poke(p, "sectors", 7 * CC_SECTOR_SIZE + 5, "x", 1);
    assert_int_equal(cc_volume_read(p->v, root, p->sector, NULL), CC_CORRUPT);
    run_writers(p, root, sector);
    assert_int_equal(cc_volume_counts(p->v).used, 8);
    assert_int_equal(cc_volume_counts(p->v).bad, 0);
    for (uint32_t n = 0; n < 8; n++)
        assert_holds(p, n);
    snprintf(path, sizeof(path), "%s/sectors", p->directory);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 8 * CC_SECTOR_SIZE);
    reopen(p);
    assert_int_equal(cc_volume_counts(p->v).used, 8);
    make(sector, root, 3);
    assert_int_equal(cc_volume_release(p->v, root, NULL), CC_OK);
    reopen(p); /* no other copy comes up */
    assert_false(cc_volume_has(p->v, root));
    free(sector);
}

#define STEPS 40
#define PLENTY 3 /* sectors */

static void *write_and_release(void *arg)
{
    struct writer *w = arg;
    uint8_t *mine = cc_malloc(CC_SECTOR_SIZE);

    for (int i = 0; i < STEPS; i++) {
        uint32_t n = (uint32_t)(cc_test_random(&w->random) % PLENTY);
        const uint8_t *root = w->root + 32 * n;
        enum cc_status st;

        switch (cc_test_random(&w->random) % 4) {
        case 0:
            st = cc_volume_release(w->p->v, root, NULL);
            break;
        case 1:
            st = cc_volume_read(w->p->v, root, mine, NULL);
            if (st == CC_NOTFOUND)
                st = CC_OK;
            break;
        default:
            st = cc_volume_write(w->p->v, root,
                                 w->sector + (size_t)n * CC_SECTOR_SIZE, NULL);
        }
        if (st != CC_OK) {
            w = NULL;
            break;
        }
    }
    free(mine);
    return w;
}

/* Written, read and given away in any order: no slot is lost or in two
 * hands. */
static void test_many_hands(void **state)
{
    struct place *p = *state;
    uint8_t roots[PLENTY * 32], *all;
    uint8_t *data = cc_malloc(PLENTY * CC_SECTOR_SIZE);
    struct writer w[WRITERS];
    struct cc_volume_counts c;
    void *good;
    size_t count;

    for (uint32_t n = 0; n < PLENTY; n++)
        make(data + (size_t)n * CC_SECTOR_SIZE, roots + 32 * n, n);
    for (int i = 0; i < WRITERS; i++) {
        w[i] = (struct writer){.p = p, .root = roots, .sector = data};
        cc_test_random_init(&w[i].random, 20261122 + (uint64_t)i);
        assert_int_equal(
            pthread_create(&w[i].thread, NULL, write_and_release, &w[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(w[i].thread, &good), 0);
        assert_non_null(good);
    }
    c = cc_volume_counts(p->v);
    all = cc_volume_list(p->v, &count);
    free(all);
    assert_int_equal(c.used, count);
    assert_int_equal(c.bad, 0);
    reopen(p);
    assert_int_equal(cc_volume_counts(p->v).used, count);
    for (uint32_t n = 0; n < PLENTY; n++) {
        if (cc_volume_has(p->v, roots + 32 * n))
            assert_holds(p, n);
        assert_int_equal(cc_volume_release(p->v, roots + 32 * n, NULL), CC_OK);
    }
    assert_int_equal(cc_volume_counts(p->v).used, 0);
    free(data);
}

/* A child writes and releases, telling after each what it was told; it is
 * killed at a random moment, many times over. */
#define KILLS 25
#define DIFFERENT 12 /* sectors */
static void test_kill(void **state)
{
    struct place *p = *state;
    struct cc_test_random random;
    bool held[DIFFERENT] = {false};
    uint32_t total = 0;
    uint8_t root[32];

    cc_test_random_init(&random, 20261121);
    for (unsigned k = 0; k < KILLS; k++) {
        int pipes[2], status;
        uint32_t flight = k % DIFFERENT; /* the change under way */
        uint8_t told[2];
        pid_t child;
        unsigned us = (unsigned)(cc_test_random(&random) % 40000);
        unsigned wanted = (unsigned)(cc_test_random(&random) % 4);

        cc_volume_close(p->v);
        assert_int_equal(pipe(pipes), 0);
        child = fork();
        if (child == 0) {
            struct cc_volume *v;

            if (cc_volume_open(&v, p->directory, DIFFERENT, NULL, NULL) !=
                CC_OK)
                _exit(1);
            p->v = v;
            for (uint32_t n = k % DIFFERENT;; n = (n + 5) % DIFFERENT) {
                uint8_t word[2] = {(uint8_t)n, held[n]};

                make(p->sector, root, n);
                if (held[n] ? cc_volume_release(v, root, NULL)
                            : cc_volume_write(v, root, p->sector, NULL))
                    _exit(2);
                held[n] = !held[n];
                if (write(pipes[1], word, 2) != 2)
                    _exit(3);
            }
        }
        close(pipes[1]);
        while (wanted-- && read(pipes[0], told, 2) == 2) {
            held[told[0]] = !told[1];
            flight = (flight + 5) % DIFFERENT;
            total++;
        }
        usleep(us);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(pipes[0], told, 2) == 2) {
            held[told[0]] = !told[1];
            flight = (flight + 5) % DIFFERENT;
            total++;
        }
        close(pipes[0]);
        assert_int_equal(
            cc_volume_open(&p->v, p->directory, DIFFERENT, NULL, NULL), CC_OK);
        for (uint32_t n = 0; n < DIFFERENT; n++) {
            make(p->sector, root, n);
            if (held[n] && n != flight)
                assert_holds(p, n);
            /* The change not told is made or not, but then whole. */
            held[n] = cc_volume_has(p->v, root);
            if (held[n])
                assert_int_equal(cc_volume_read(p->v, root, p->sector, NULL),
                                 CC_OK);
        }
    }
    cc_test_ran("kills of a volume", KILLS);
    cc_test_ran("acknowledged changes in all", total);
    assert_true(total > KILLS);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_keeps),
        TEST(test_full_and_release),
        TEST(test_leaves),
        TEST(test_files_cut_short),
        TEST(test_torn_records),
        TEST(test_index_sizes),
        TEST(test_one_at_a_time),
        TEST(test_disk_full),
        TEST(test_same_sector_at_once),
        TEST(test_many_hands),
        TEST(test_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
