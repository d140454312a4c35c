/* -assumevalid: scripts are left out where everything says so, and nothing
 * else ever is. */
#include "chain/test/world.h"

/* One more block than this on top is enough. */
#define SPACING_S (INT64_C(14) * 24 * 60 * 60)

struct setting {
    enum wrong wrong;
    int above;          /* headers on the block in question */
    bool other_assumed; /* what is assumed is its sibling */
    bool other_best;    /* the best header is on a sibling */
    bool short_of_work; /* the best header has too little */
};

/* Is the block in question connected? */
static bool connects(const struct setting *s)
{
    char *dir = cc_test_mkdir();
    struct cc_chain_config config;
    struct cc_chain *c;
    struct cc_error err;
    struct world w;
    int base = 0, bad, other, last, tops[8];
    bool connected;

    world_init(&w, 5, false);
    w.params.spacing_s = SPACING_S;
    for (int i = 0; i < 12; i++)
        base = world_make(&w, base, RIGHT);
    bad = world_make(&w, base, s->wrong);
    assert_int_equal(w.blocks[bad].wrong, s->wrong);
    last = bad;
    for (int i = 0; i < s->above; i++)
        last = tops[i] = world_make(&w, last, RIGHT);
    other = world_make(&w, base, RIGHT);
    if (s->short_of_work)
        w.params.minimum_chain_work.w[3] = 1;

    world_config(&w, &config, dir);
    config.assume_valid = w.blocks[s->other_assumed ? other : bad].block.hash;
    assert_int_equal(cc_chain_open(&c, &config, &err), CC_OK);
    for (int i = 1; i <= base; i++)
        assert_int_equal(cc_chain_accept_block(c, &w.blocks[i].block, true,
                                               NULL, NULL, &err),
                         CC_OK);
    assert_int_equal(
        cc_chain_accept_header(c, &w.blocks[bad].block.header, NULL, &err),
        CC_OK);
    for (int i = 0; i < s->above; i++)
        assert_int_equal(cc_chain_accept_header(
                             c, &w.blocks[tops[i]].block.header, NULL, &err),
                         CC_OK);
    assert_int_equal(
        cc_chain_accept_header(c, &w.blocks[other].block.header, NULL, &err),
        CC_OK);
    for (int i = 0; s->other_best && i <= s->above; i++) {
        other = world_make(&w, other, RIGHT);
        assert_int_equal(cc_chain_accept_header(
                             c, &w.blocks[other].block.header, NULL, &err),
                         CC_OK);
    }
    cc_chain_accept_block(c, &w.blocks[bad].block, true, NULL, NULL, &err);
    connected = !memcmp(cc_chain_tip(c)->hash, w.blocks[bad].block.hash, 32);
    assert_int_equal(cc_chain_tip(c)->height,
                     w.blocks[base].height + connected);
    /* who looks later leaves out the same */
    assert_int_equal(cc_chain_verify(c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err),
                     CC_OK);
    cc_chain_free(c);
    cc_test_rmdir(dir);
    world_clear(&w);
    return connected;
}

static void test_scripts_are_left_out(void **state)
{
    static const struct setting deep = {WRONG_SCRIPT, 2, 0, 0, 0};

    (void)state;
    assert_true(connects(&deep));
}

static void test_only_where_all_says_so(void **state)
{
    static const struct setting settings[] = {
        {WRONG_SCRIPT, 1, false, false, false}, /* not deep enough */
        {WRONG_SCRIPT, 2, true, false, false},
        {WRONG_SCRIPT, 2, false, true, false},
        {WRONG_SCRIPT, 2, false, false, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (connects(&settings[i]))
            fail_msg("setting %zu: a bad script was let through", i);
}

static void test_all_else_is_checked(void **state)
{
    (void)state;
    for (int wrong = WRONG_MISSING; wrong <= WRONG_SCRIPT_FIRST; wrong++) {
        struct setting s = {(enum wrong)wrong, 2, false, false, false};

        if (connects(&s))
            fail_msg("fault %d was let through", wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts_are_left_out),
        cmocka_unit_test(test_only_where_all_says_so),
        cmocka_unit_test(test_all_else_is_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
