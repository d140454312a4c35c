/* A disk that fails at the n-th write, for every n. */
#include "chain/internal.h"
#include "chain/test/world.h"

struct disk {
    unsigned calls, fail_at;
    bool unsynced[2]; /* blk, rev: written and not synced */
    bool early;       /* a batch was written before what it refers to */
};

static bool disk_op(void *arg, const char *what)
{
    struct disk *d = arg;

    if (++d->calls == d->fail_at)
        return true;
    if (!strncmp(what, "write blk", 9))
        d->unsynced[0] = true;
    else if (!strncmp(what, "write rev", 9))
        d->unsynced[1] = true;
    else if (!strncmp(what, "sync blk", 8))
        d->unsynced[0] = false;
    else if (!strncmp(what, "sync rev", 8))
        d->unsynced[1] = false;
    else if (!strcmp(what, "db write") || !strcmp(what, "db announce"))
        d->early = d->early || d->unsynced[0] || d->unsynced[1];
    else if (strcmp(what, "space") != 0)
        fail_msg("unknown operation: %s", what);
    return false;
}

/* Two branches, the second becoming the better one, a bad block on it. */
struct scenario {
    struct world w;
    int last; /* of the better branch */
    int bad;
};

static void make_scenario(struct scenario *s)
{
    int base = 0, a, b;

    world_init(&s->w, 77, true);
    for (int i = 0; i < 6; i++)
        base = world_make(&s->w, base, RIGHT);
    a = b = base;
    for (int i = 0; i < 3; i++)
        a = world_make(&s->w, a, RIGHT);
    for (int i = 0; i < 4; i++)
        b = world_make(&s->w, b, RIGHT);
    s->last = b;
    s->bad = world_make(&s->w, b, WRONG_AMOUNT);
    assert_int_equal(s->w.blocks[s->bad].wrong, WRONG_AMOUNT);
}

static enum cc_status open_chain(const struct scenario *s, const char *dir,
                                 struct disk *disk, struct cc_chain **c,
                                 struct cc_error *err)
{
    struct cc_chain_config config;

    world_config(&s->w, &config, dir);
    config.cache_bytes = (size_t)32 << 10; /* always full */
    if (disk)
        config.fault = (struct cc_fault){disk_op, disk, NULL};
    return cc_chain_open(c, &config, err);
}

/* Blocks 1 to last, each taken. */
static void give(const struct scenario *s, struct cc_chain *c, int last)
{
    for (int i = 1; i <= last; i++)
        assert_int_equal(cc_chain_accept_block(c, &s->w.blocks[i].block, true,
                                               NULL, NULL, NULL),
                         CC_OK);
}

/* Gives all blocks until the disk fails; *answered: the height of the tip that
 * the last good answer left. False if it failed. */
static bool play(const struct scenario *s, struct cc_chain *c,
                 uint32_t *answered)
{
    struct cc_error err;

    for (size_t i = 1; i < s->w.count; i++) {
        enum cc_status st = cc_chain_accept_block(c, &s->w.blocks[i].block,
                                                  true, NULL, NULL, &err);

        if (st == CC_IO)
            return false;
        if ((int)i == s->bad)
            assert_int_equal(st, CC_INVALID);
        else
            assert_int_equal(st, CC_OK);
        *answered = cc_chain_tip(c)->height;
    }
    return true;
}

static bool not_condemned(void *arg, struct cc_index *i)
{
    const struct scenario *s = arg;

    if (cc_index_failed(i))
        assert_memory_equal(i->hash, s->w.blocks[s->bad].block.hash, 32);
    return true;
}

static void test_every_write(void **state)
{
    struct scenario s;
    unsigned n;
    bool whole = false;

    (void)state;
    make_scenario(&s);
    for (n = 1; !whole; n++) {
        struct disk disk = {.fail_at = n};
        char *dir = cc_test_mkdir();
        struct cc_chain *c;
        struct cc_error err;
        uint32_t answered = 0;
        unsigned before;

        if (open_chain(&s, dir, &disk, &c, &err) == CC_OK) {
            whole = play(&s, c, &answered);
            assert_int_equal(cc_chain_failed(c, &err), !whole);
            if (!whole) {
                /* it stands still, and says why, and blames no block */
                assert_true(strstr(err.text, "failed") ||
                            strstr(err.text, "Disk space is too low!"));
                before = disk.calls;
                assert_int_equal(cc_chain_accept_block(c,
                                                       &s.w.blocks[s.bad].block,
                                                       true, NULL, NULL, &err),
                                 CC_IO);
                assert_int_equal(disk.calls, before);
                assert_int_equal(cc_chain_flush(c, &err), CC_IO);
                cc_chain_each(c, not_condemned, &s);
            }
            assert_false(disk.early);
            cc_chain_free(c);
        }
        if (open_chain(&s, dir, NULL, &c, &err) != CC_OK)
            fail_msg("after failure %u: %s", n, err.text);
        assert_true(cc_chain_tip(c)->height >= answered);
        cc_chain_each(c, not_condemned, &s);
        world_expect(&s.w, c, world_find(&s.w, cc_chain_tip(c)->hash));
        if (cc_chain_verify(c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err) != CC_OK)
            fail_msg("after failure %u: %s", n, err.text);
        assert_true(play(&s, c, &answered) || whole);
        world_expect(&s.w, c, s.last);
        cc_chain_free(c);
        cc_test_rmdir(dir);
    }
    assert_true(n > 40);
    cc_test_ran("write failures", n - 1);
    world_clear(&s.w);
}

/* Everything that was ever written is synced before a batch refers to it, and
 * an answer leaves nothing unsynced. */
static void test_order(void **state)
{
    struct scenario s;
    struct disk disk = {.fail_at = 0};
    char *dir = cc_test_mkdir();
    struct cc_chain *c;

    (void)state;
    make_scenario(&s);
    assert_int_equal(open_chain(&s, dir, &disk, &c, NULL), CC_OK);
    for (size_t i = 1; i < s.w.count; i++) {
        unsigned before = disk.calls;

        (void)cc_chain_accept_block(c, &s.w.blocks[i].block, true, NULL, NULL,
                                    NULL);
        assert_true(disk.calls >= before + 4); /* write, space, sync, batch */
        assert_false(disk.unsynced[0]);
        assert_false(disk.unsynced[1]);
    }
    assert_false(disk.early);
    cc_chain_free(c);
    cc_test_rmdir(dir);
    world_clear(&s.w);
}

/* Between hold and release nothing is synced, then all at once. */
static void test_hold(void **state)
{
    struct scenario s;
    struct disk disk = {.fail_at = 0};
    struct cc_chain_config config;
    char *dir = cc_test_mkdir();
    struct cc_chain *c;
    unsigned before;

    (void)state;
    make_scenario(&s);
    world_config(&s.w, &config, dir);
    config.fault = (struct cc_fault){disk_op, &disk, NULL};
    assert_int_equal(cc_chain_open(&c, &config, NULL), CC_OK);
    cc_chain_hold(c);
    cc_chain_hold(c);
    before = disk.calls;
    give(&s, c, 6);
    assert_int_equal(disk.calls, before + 12); /* blk and rev, no sync */
    assert_int_equal(cc_chain_release(c, NULL), CC_OK);
    assert_int_equal(disk.calls,
                     before + 17); /* space, two syncs, two batches */
    assert_int_equal(cc_chain_release(c, NULL), CC_OK);
    assert_int_equal(disk.calls, before + 17);
    cc_chain_free(c);
    cc_test_rmdir(dir);
    world_clear(&s.w);
}

/* With many more headers than blocks nobody is answered yet: one batch for
 * many. From 24 before the best header on, each block is synced; so is what a
 * caller asks to be. */
static void test_catching_up(void **state)
{
    enum { N = 60, NEAR = 24 };
    struct world w;
    struct disk disk = {.fail_at = 0};
    struct cc_chain_config config;
    char *dir = cc_test_mkdir();
    struct cc_chain *c;
    int tip = 0;

    (void)state;
    world_init(&w, 5, true);
    w.max_tx = 0;
    for (int i = 0; i < N; i++)
        tip = world_make(&w, tip, RIGHT);
    world_config(&w, &config, dir);
    config.fault = (struct cc_fault){disk_op, &disk, NULL};
    assert_int_equal(cc_chain_open(&c, &config, NULL), CC_OK);
    for (int i = 1; i <= N; i++)
        assert_int_equal(
            cc_chain_accept_header(c, &w.blocks[i].block.header, NULL, NULL),
            CC_OK);
    for (int i = 1; i <= N; i++) {
        unsigned before = disk.calls;

        assert_int_equal(cc_chain_accept_block(c, &w.blocks[i].block, true,
                                               NULL, NULL, NULL),
                         CC_OK);
        assert_int_equal(disk.calls - before, i < N - NEAR ? 2 : 7);
        if (i == 10) {
            assert_int_equal(cc_chain_flush(c, NULL), CC_OK);
            assert_int_equal(disk.calls - before, 7);
        }
    }
    assert_false(disk.early);
    cc_chain_free(c);
    cc_test_rmdir(dir);
    world_clear(&w);
}

/* A chain of the scenario with blocks 1 to 5, where batches fail when told. */
struct failing {
    struct scenario s;
    struct cc_chain_config config;
    char *dir;
    bool fail;
    struct cc_chain *c;
};

static bool fails_at_batch(void *arg, const char *what)
{
    return *(bool *)arg && !strcmp(what, "db write");
}

static void failing_init(struct failing *t)
{
    make_scenario(&t->s);
    t->dir = cc_test_mkdir();
    t->fail = false;
    world_config(&t->s.w, &t->config, t->dir);
    t->config.fault = (struct cc_fault){fails_at_batch, &t->fail, NULL};
    assert_int_equal(cc_chain_open(&t->c, &t->config, NULL), CC_OK);
    give(&t->s, t->c, 5);
}

/* On a disk that works. */
static void failing_restart(struct failing *t)
{
    struct cc_error err;

    cc_chain_free(t->c);
    t->config.fault = (struct cc_fault){0};
    if (cc_chain_open(&t->c, &t->config, &err) != CC_OK)
        fail_msg("%s", err.text);
}

static void failing_clear(struct failing *t)
{
    cc_chain_free(t->c);
    cc_test_rmdir(t->dir);
    world_clear(&t->s.w);
}

/* What was stored when the batch that connects it failed is there at the next
 * start, which goes on to it: nobody needs to send it again. */
static void test_stored_comes_before_connected(void **state)
{
    struct failing t;

    (void)state;
    for (int again = 0; again < 2; again++) { /* then after a start */
        failing_init(&t);
        if (again) {
            cc_chain_free(t.c);
            assert_int_equal(cc_chain_open(&t.c, &t.config, NULL), CC_OK);
        }
        t.fail = true;
        assert_int_equal(cc_chain_accept_block(t.c, &t.s.w.blocks[6].block,
                                               true, NULL, NULL, NULL),
                         CC_IO);
        failing_restart(&t);
        world_expect(&t.s.w, t.c, 6);
        failing_clear(&t);
    }
}

/* What the database has of a block that was connected is not unsaid before the
 * tip has moved: the tip it names must stay one. */
static void test_connected_stays_connected(void **state)
{
    struct failing t;

    (void)state;
    for (int again = 0; again < 2; again++) { /* then after a start */
        failing_init(&t);
        assert_int_equal(cc_chain_flush(t.c, NULL), CC_OK);
        if (again) {
            cc_chain_free(t.c);
            assert_int_equal(cc_chain_open(&t.c, &t.config, NULL), CC_OK);
        }
        t.fail = true;
        if (cc_chain_invalidate(t.c, cc_chain_tip(t.c), NULL) == CC_OK)
            assert_int_equal(cc_chain_flush(t.c, NULL), CC_IO);
        failing_restart(&t);
        world_expect(&t.s.w, t.c, 5);
        failing_clear(&t);
    }
}

/* A new block is written of before the batch that condemns its parent. Where
 * that fails, neither is condemned at the next start. */
static void test_condemned_with_parent(void **state)
{
    struct failing t;
    const struct cc_block *child;

    (void)state;
    failing_init(&t);
    child = &t.s.w.blocks[6].block;
    assert_int_equal(cc_chain_flush(t.c, NULL), CC_OK);
    assert_int_equal(cc_chain_accept_header(t.c, &child->header, NULL, NULL),
                     CC_OK);
    t.fail = true;
    if (cc_chain_invalidate(t.c, cc_chain_tip(t.c), NULL) == CC_OK)
        assert_int_equal(cc_chain_flush(t.c, NULL), CC_IO);
    failing_restart(&t);
    world_expect(&t.s.w, t.c, 5);
    assert_int_equal(cc_chain_accept_block(t.c, child, true, NULL, NULL, NULL),
                     CC_OK);
    world_expect(&t.s.w, t.c, 6);
    failing_clear(&t);
}

static bool fails_at_sync(void *arg, const char *what)
{
    (void)arg;
    return !strncmp(what, "sync blk", 8);
}

/* Block files that a reindex finds are synced before the index names them,
 * whoever wrote them. */
static void test_found_files_are_synced(void **state)
{
    struct scenario s;
    struct cc_chain_config config;
    char *dir = cc_test_mkdir();
    struct cc_chain *c;
    struct cc_error err;

    (void)state;
    make_scenario(&s);
    world_config(&s.w, &config, dir);
    assert_int_equal(cc_chain_open(&c, &config, NULL), CC_OK);
    assert_int_equal(
        cc_chain_accept_block(c, &s.w.blocks[1].block, true, NULL, NULL, NULL),
        CC_OK);
    cc_chain_free(c);
    config.reindex = true;
    config.fault = (struct cc_fault){fails_at_sync, NULL, NULL};
    assert_int_equal(cc_chain_open(&c, &config, &err), CC_IO);
    assert_string_equal(err.text, CC_CHAIN_FATAL);
    config.fault = (struct cc_fault){0};
    assert_int_equal(cc_chain_open(&c, &config, NULL), CC_OK);
    world_expect(&s.w, c, 1);
    cc_chain_free(c);
    cc_test_rmdir(dir);
    world_clear(&s.w);
}

static bool count_batches(void *arg, const char *what)
{
    *(unsigned *)arg += !strcmp(what, "db write");
    return false;
}

/* Batches written while six blocks come that need not be kept one by one. */
static unsigned batches(const struct scenario *s, uint64_t batch_bytes)
{
    char *dir = cc_test_mkdir();
    struct cc_chain_config config;
    struct cc_chain *c;
    struct cc_error err;
    unsigned count = 0, at;

    world_config(&s->w, &config, dir);
    config.batch_bytes = batch_bytes;
    config.fault = (struct cc_fault){count_batches, &count, NULL};
    assert_int_equal(cc_chain_open(&c, &config, &err), CC_OK);
    cc_chain_hold(c);
    at = count;
    give(s, c, 6);
    at = count - at;
    cc_chain_free(c);
    cc_test_rmdir(dir);
    return at;
}

static void test_a_batch_is_no_larger_than_asked(void **state)
{
    struct scenario s;

    (void)state;
    make_scenario(&s);
    assert_int_equal(batches(&s, 0), 0);
    assert_int_equal(batches(&s, 1), 6);
    assert_int_equal(batches(&s, UINT64_C(1) << 40), 0);
    world_clear(&s.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_comes_before_connected),
        cmocka_unit_test(test_connected_stays_connected),
        cmocka_unit_test(test_condemned_with_parent),
        cmocka_unit_test(test_found_files_are_synced),
        cmocka_unit_test(test_a_batch_is_no_larger_than_asked),
        cmocka_unit_test(test_every_write),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_catching_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
