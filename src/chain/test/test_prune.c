/* Old block files go, and nothing else. */
#include <pthread.h>

#include "chain/internal.h"
#include "chain/test/world.h"

#define KEPT 288
#define KIB UINT64_C(1024)

struct setting {
    struct world w;
    char *dir;
    struct cc_chain *c;
    struct cc_chain_config config;
    int main[800]; /* block numbers by height; 0: genesis */
    uint32_t height;
};

static void set_up(struct setting *s, uint32_t height)
{
    memset(s, 0, sizeof(*s));
    world_init(&s->w, 21, false);
    s->w.max_tx = 3;
    while (s->height < height) {
        s->main[s->height + 1] = world_make(&s->w, s->main[s->height], RIGHT);
        s->height++;
    }
    s->dir = cc_test_mkdir();
    world_config(&s->w, &s->config, s->dir);
    s->config.prune = s->config.small_files = true;
    s->config.prune_after = 100;
}

static void open_it(struct setting *s)
{
    struct cc_error err;

    cc_error_init(&err);
    if (cc_chain_open(&s->c, &s->config, &err) != CC_OK)
        fail_msg("%s", err.text);
}

static void tear_down(struct setting *s)
{
    cc_chain_free(s->c);
    cc_test_rmdir(s->dir);
    world_clear(&s->w);
}

static void reopen(struct setting *s)
{
    cc_chain_free(s->c);
    open_it(s);
}

static enum cc_status give(struct setting *s, int block, bool *is_new)
{
    struct cc_error err;

    return cc_chain_accept_block(s->c, &s->w.blocks[block].block, true, NULL,
                                 is_new, &err);
}

static void give_main(struct setting *s, uint32_t from, uint32_t to)
{
    for (uint32_t h = from; h <= to; h++)
        assert_int_equal(give(s, s->main[h], NULL), CC_OK);
}

static struct cc_index *entry(struct setting *s, int block)
{
    return cc_chain_find(s->c, s->w.blocks[block].block.hash);
}

static bool stored(struct setting *s, int block)
{
    struct cc_block b;
    struct cc_error err;
    enum cc_status st = cc_chain_read_block(s->c, entry(s, block), &b, &err);

    if (st == CC_OK)
        cc_block_clear(&b);
    else
        assert_int_equal(st, CC_NOTFOUND);
    return st == CC_OK;
}

static char *file_path(const struct setting *s, const char *name)
{
    char *blocks = cc_fs_join(s->dir, "blocks");
    char *path = cc_fs_join(blocks, name);

    free(blocks);
    return path;
}

static bool file_exists(const struct setting *s, const char *name)
{
    char *path = file_path(s, name);
    bool there = cc_fs_exists(path);

    free(path);
    return there;
}

/* From the lowest one that is there on, all are. */
static void expect_kept(struct setting *s)
{
    struct cc_chain_prune_info info = cc_chain_prune_info(s->c);
    uint32_t tip = cc_chain_tip(s->c)->height;

    assert_true(info.first + KEPT <= tip + 1 || info.first == 0);
    for (uint32_t h = 0; h <= tip; h++) {
        assert_int_equal(stored(s, s->main[h]), h >= info.first);
        assert_int_equal(cc_chain_is_pruned(s->c, entry(s, s->main[h])),
                         h < info.first);
        assert_true(entry(s, s->main[h])->chain_tx > 0);
    }
}

static void test_by_itself(void **state)
{
    struct setting s;
    struct cc_error err;
    uint32_t first;

    (void)state;
    set_up(&s, 700);
    s.config.prune_target = 300 * KIB;
    open_it(&s);
    cc_chain_hold(s.c); /* room cannot wait for the end of a long series */
    give_main(&s, 1, 700);
    first = cc_chain_prune_info(s.c).first;
    assert_true(first > 0 && cc_chain_prune_info(s.c).automatic);
    assert_int_equal(cc_chain_release(s.c, &err), CC_OK);
    first = cc_chain_prune_info(s.c).first;
    assert_false(file_exists(&s, "blk00000.dat"));
    assert_false(file_exists(&s, "rev00000.dat"));
    expect_kept(&s);
    world_expect(&s.w, s.c, s.main[700]);
    assert_int_equal(
        cc_chain_verify(s.c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err),
        CC_NOTFOUND);
    assert_int_equal(
        cc_chain_verify(s.c, CC_VERIFY_CONNECT, 100, NULL, NULL, &err), CC_OK);
    s.config.check_level = CC_VERIFY_COINS;
    s.config.check_blocks = UINT32_MAX;
    reopen(&s);
    assert_int_equal(cc_chain_prune_info(s.c).first, first);
    expect_kept(&s);
    world_expect(&s.w, s.c, s.main[700]);
    tear_down(&s);
}

static void test_not_below_the_target_nor_too_early(void **state)
{
    struct setting s;

    (void)state;
    set_up(&s, 500);
    s.config.prune_target = 100 * KIB;
    s.config.prune_after = 500;
    open_it(&s);
    give_main(&s, 1, 500);
    assert_int_equal(cc_chain_prune_info(s.c).first, 0);
    reopen(&s); /* which looks at once */
    assert_int_equal(cc_chain_prune_info(s.c).first, 0);
    s.config.prune_after = 100;
    s.config.prune_target = UINT64_C(1) << 30;
    reopen(&s);
    assert_int_equal(cc_chain_flush(s.c, NULL), CC_OK);
    assert_int_equal(cc_chain_prune_info(s.c).first, 0);
    s.config.prune_target = 100 * KIB; /* looked at after the start */
    reopen(&s);
    assert_int_equal(cc_chain_flush(s.c, NULL), CC_OK);
    assert_true(cc_chain_prune_info(s.c).first > 0);
    tear_down(&s);
}

static void test_by_hand(void **state)
{
    struct setting s;
    uint32_t first;

    (void)state;
    set_up(&s, 600);
    open_it(&s);
    give_main(&s, 1, 600);
    assert_int_equal(cc_chain_prune_info(s.c).first, 0);
    assert_int_equal(cc_chain_prune(s.c, 150, NULL), CC_OK);
    first = cc_chain_prune_info(s.c).first;
    assert_true(first > 0 && first <= 151);
    expect_kept(&s);
    assert_int_equal(cc_chain_prune(s.c, 600, NULL), CC_OK);
    assert_true(cc_chain_prune_info(s.c).first > first);
    expect_kept(&s);
    tear_down(&s);
}

/* Height of the last block in file 0. */
static uint32_t end_of_first(struct setting *s)
{
    uint32_t h = 0;

    while (entry(s, s->main[h + 1])->file == 0)
        h++;
    return h;
}

static void test_288_are_kept(void **state)
{
    struct setting s;
    uint32_t end;

    (void)state;
    set_up(&s, 600);
    open_it(&s);
    give_main(&s, 1, 200);
    end = end_of_first(&s);
    give_main(&s, 201, end + KEPT - 1);
    assert_int_equal(cc_chain_prune(s.c, 600, NULL), CC_OK);
    assert_int_equal(cc_chain_prune_info(s.c).first, 0);
    give_main(&s, end + KEPT, end + KEPT);
    assert_int_equal(cc_chain_prune(s.c, end - 1, NULL), CC_OK);
    assert_int_equal(cc_chain_prune_info(s.c).first, 0);
    assert_int_equal(cc_chain_prune(s.c, end, NULL), CC_OK);
    assert_int_equal(cc_chain_prune_info(s.c).first, end + 1);
    tear_down(&s);
}

/* While catching up a tenth of the target is left free as well. */
static void test_no_more_than_it_takes(void **state)
{
    struct setting s;
    uint64_t used;
    uint32_t end;

    (void)state;
    set_up(&s, 600);
    open_it(&s);
    give_main(&s, 1, 600);
    end = end_of_first(&s);
    used = cc_blockfiles_size(s.c->files) + cc_blockfiles_chunks(s.c->files);
    assert_true(cc_chain_in_ibd(s.c));
    s.config.prune_target = (used + KIB) / 9 * 10;
    reopen(&s);
    assert_int_equal(cc_chain_flush(s.c, NULL), CC_OK);
    assert_int_equal(cc_chain_prune_info(s.c).first, 0);
    s.config.prune_target = (used - KIB) / 9 * 10;
    reopen(&s);
    assert_int_equal(cc_chain_flush(s.c, NULL), CC_OK);
    assert_int_equal(cc_chain_prune_info(s.c).first, end + 1);
    tear_down(&s);
}

/* The batch says that they are gone, and the power went before they were. */
static void test_what_a_crash_left_goes(void **state)
{
    struct setting s;
    char *path;

    (void)state;
    set_up(&s, 600);
    open_it(&s);
    give_main(&s, 1, 600);
    assert_int_equal(cc_chain_prune(s.c, 200, NULL), CC_OK);
    path = file_path(&s, "blk00000.dat");
    assert_int_equal(cc_fs_write(path, "x", 1, 0600, NULL), CC_OK);
    reopen(&s);
    assert_false(file_exists(&s, "blk00000.dat"));
    free(path);
    tear_down(&s);
}

static void test_no_way_back_but_reindex(void **state)
{
    struct setting s;
    struct cc_error err;
    struct cc_chain *c;

    (void)state;
    set_up(&s, 600);
    open_it(&s);
    give_main(&s, 1, 600);
    assert_int_equal(cc_chain_prune(s.c, 200, NULL), CC_OK);
    cc_chain_free(s.c);
    s.config.prune = false;
    assert_int_equal(cc_chain_open(&c, &s.config, &err), CC_INVALID);
    assert_non_null(strstr(err.text, "go back to unpruned mode"));
    s.config.reindex = s.config.prune = true;
    open_it(&s); /* the first file is missing: nothing that could be used */
    assert_int_equal(cc_chain_tip(s.c)->height, 0);
    assert_false(file_exists(&s, "blk00003.dat"));
    assert_false(file_exists(&s, "rev00003.dat"));
    give_main(&s, 1, 600);
    s.config.reindex = false;
    reopen(&s);
    world_expect(&s.w, s.c, s.main[600]);
    tear_down(&s);
}

static void *precious(void *arg)
{
    struct setting *s = arg;

    return cc_chain_precious(s->c, cc_chain_tip(s->c), NULL) == CC_OK ? s
                                                                      : NULL;
}

static void others_can_move(struct setting *s)
{
    pthread_t thread;
    void *answer;

    assert_int_equal(pthread_create(&thread, NULL, precious, s), 0);
    pthread_join(thread, &answer);
    assert_ptr_equal(answer, s);
}

/* A branch from far below that has more work. */
static void test_no_reorganisation_behind(void **state)
{
    struct setting s;
    struct cc_error err;
    uint32_t first;
    int side;

    (void)state;
    set_up(&s, 500);
    open_it(&s);
    give_main(&s, 1, 500);
    assert_int_equal(cc_chain_prune(s.c, 400, NULL), CC_OK);
    assert_true(cc_chain_prune_info(s.c).first > 20);
    s.w.max_tx = 0;
    side = s.main[10];
    for (int i = 0; i < 500; i++) {
        side = world_make(&s.w, side, RIGHT);
        assert_int_equal(give(&s, side, NULL), CC_OK);
    }
    assert_false(cc_chain_failed(s.c, NULL));
    world_expect(&s.w, s.c, s.main[500]);
    assert_int_equal(cc_chain_invalidate(s.c, entry(&s, s.main[12]), &err),
                     CC_LIMIT);
    assert_false(cc_chain_failed(s.c, NULL));
    others_can_move(&s);
    /* nor over one whose data came again, but not what undoes it */
    first = cc_chain_prune_info(s.c).first;
    assert_int_equal(give(&s, s.main[first - 1], NULL), CC_OK);
    assert_int_equal(cc_chain_prune_info(s.c).first, first - 1);
    assert_int_equal(
        cc_chain_invalidate(s.c, entry(&s, s.main[first - 1]), &err), CC_LIMIT);
    assert_false(cc_chain_failed(s.c, NULL));
    /* but as far as there are data */
    assert_int_equal(cc_chain_invalidate(s.c, entry(&s, s.main[490]), &err),
                     CC_OK);
    world_expect(&s.w, s.c, s.main[489]);
    assert_int_equal(cc_chain_reconsider(s.c, entry(&s, s.main[490]), &err),
                     CC_OK);
    reopen(&s);
    world_expect(&s.w, s.c, s.main[500]);
    tear_down(&s);
}

/* Blocks beside the chain are forgotten, and taken again when they come. */
static void test_what_was_beside_may_come_again(void **state)
{
    struct setting s;
    int side[400];
    bool is_new;

    (void)state;
    set_up(&s, 450);
    open_it(&s);
    give_main(&s, 1, 20);
    side[0] = s.main[15];
    for (int i = 1; i < 350; i++)
        side[i] = world_make(&s.w, side[i - 1], RIGHT);
    for (int i = 1; i < 4; i++)
        assert_int_equal(give(&s, side[i], NULL), CC_OK);
    give_main(&s, 21, 450);
    assert_int_equal(give(&s, side[4], NULL), CC_OK);
    assert_int_equal(cc_chain_prune(s.c, 450, NULL), CC_OK);
    assert_true(cc_chain_prune_info(s.c).first > 20);
    for (int round = 0; round < 2; round++) {
        assert_false(stored(&s, side[1]));
        assert_int_equal(entry(&s, side[3])->chain_tx, 0);
        assert_true(stored(&s, side[4]));
        assert_int_equal(entry(&s, side[4])->chain_tx, 0);
        reopen(&s);
    }
    for (int i = 3; i > 0; i--) {
        assert_int_equal(give(&s, side[i], &is_new), CC_OK);
        assert_true(is_new && stored(&s, side[i]));
        assert_int_equal(entry(&s, side[4])->chain_tx > 0, i == 1);
    }
    /* of the chain itself, too: somebody wants to look at it */
    assert_int_equal(give(&s, s.main[3], &is_new), CC_OK);
    assert_true(is_new && stored(&s, s.main[3]));
    world_expect(&s.w, s.c, s.main[450]);
    reopen(&s);
    assert_true(stored(&s, s.main[3]));
    world_expect(&s.w, s.c, s.main[450]);
    tear_down(&s);
}

/* A pruned block that a peer gave again has no undo data: what is to be
 * checked ends above it, and nothing is damaged. */
static void test_given_again(void **state)
{
    struct setting s;
    struct cc_error err;
    uint32_t first;
    bool is_new = false;

    (void)state;
    set_up(&s, 700);
    open_it(&s);
    give_main(&s, 1, 700);
    assert_int_equal(cc_chain_prune(s.c, 300, &err), CC_OK);
    first = cc_chain_prune_info(s.c).first;
    assert_true(first > 0);
    assert_int_equal(give(&s, s.main[first - 1], &is_new), CC_OK);
    assert_true(is_new);
    assert_int_equal(cc_chain_verify(s.c, CC_VERIFY_RULES, 700 - first + 1,
                                     NULL, NULL, &err),
                     CC_OK);
    for (enum cc_verify_level l = CC_VERIFY_UNDO_DATA; l <= CC_VERIFY_CONNECT;
         l++)
        assert_int_equal(cc_chain_verify(s.c, l, 0, NULL, NULL, &err),
                         CC_NOTFOUND);
    s.config.check_blocks = UINT32_MAX;
    s.config.check_level = CC_VERIFY_CONNECT;
    reopen(&s);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_itself),
        cmocka_unit_test(test_given_again),
        cmocka_unit_test(test_not_below_the_target_nor_too_early),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_288_are_kept),
        cmocka_unit_test(test_no_more_than_it_takes),
        cmocka_unit_test(test_what_a_crash_left_goes),
        cmocka_unit_test(test_no_way_back_but_reindex),
        cmocka_unit_test(test_no_reorganisation_behind),
        cmocka_unit_test(test_what_was_beside_may_come_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
