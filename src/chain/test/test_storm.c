/* Random branches, faults, restarts and orders by hand, held against the model
 * after each step. */
#include "chain/index.h"
#include "chain/test/world.h"

#define STEPS 700

struct storm {
    struct world w;
    char *dir;
    struct cc_chain *c;
    bool *given;   /* by block */
    bool *refused; /* by hand, or a descendant of such */
    size_t cap;
};

static void room(struct storm *s)
{
    size_t n = s->w.count;

    if (s->cap >= n)
        return;
    s->given = realloc(s->given, n);
    s->refused = realloc(s->refused, n);
    memset(s->given + s->cap, 0, n - s->cap);
    memset(s->refused + s->cap, 0, n - s->cap);
    s->cap = n;
}

/* May block i be the tip? All below it given, nothing wrong or refused. */
static bool eligible(const struct storm *s, int i)
{
    for (; i > 0; i = s->w.blocks[i].prev)
        if (!s->given[i] || s->refused[i] || s->w.blocks[i].tainted)
            return false;
    return true;
}

static uint32_t best_height(const struct storm *s)
{
    uint32_t best = 0;

    for (size_t i = 0; i < s->w.count; i++)
        if (s->w.blocks[i].height > best && eligible(s, (int)i))
            best = s->w.blocks[i].height;
    return best;
}

static void check(struct storm *s)
{
    int tip = world_find(&s->w, cc_chain_tip(s->c)->hash);

    assert_true(eligible(s, tip));
    assert_int_equal(s->w.blocks[tip].height, best_height(s));
    world_expect(&s->w, s->c, tip);
}

static int random_recent(struct storm *s)
{
    unsigned span = s->w.count < 40 ? (unsigned)s->w.count : 40;

    return (int)(s->w.count - 1 - world_random(&s->w, span));
}

static void give(struct storm *s, int i)
{
    const struct wblock *b = &s->w.blocks[i];
    struct cc_index *x = NULL;
    struct cc_error err;
    enum cc_status st;

    st = cc_chain_accept_block(s->c, &b->block, true, &x, NULL, &err);
    if (st == CC_OK)
        s->given[i] = true;
    else if (!strcmp(err.reason, "prev-blk-not-found"))
        assert_null(x);
    else
        assert_true(b->tainted || s->refused[i] ||
                    (b->prev > 0 && s->refused[b->prev]));
}

static void refuse(struct storm *s, int i)
{
    struct cc_index *x = cc_chain_find(s->c, s->w.blocks[i].block.hash);
    bool back = s->refused[i];

    if (!x || i == 0 || s->w.blocks[i].tainted)
        return;
    if (!back) {
        assert_int_equal(cc_chain_invalidate(s->c, x, NULL), CC_OK);
        for (size_t n = 0; n < s->w.count; n++)
            for (int k = (int)n; k > 0; k = s->w.blocks[k].prev)
                s->refused[n] = s->refused[n] || k == i;
        return;
    }
    assert_int_equal(cc_chain_reconsider(s->c, x, NULL), CC_OK);
    /* the block, what is below it and above it, and the rest as it hangs */
    for (size_t n = 0; n < s->w.count; n++)
        s->refused[n] = false;
    for (size_t n = 1; n < s->w.count; n++) {
        const struct cc_index *y =
            cc_chain_find(s->c, s->w.blocks[n].block.hash);

        if (y && cc_index_failed(y))
            s->refused[n] = true;
        if (!y && s->refused[s->w.blocks[n].prev])
            s->refused[n] = true;
    }
    for (int k = i; k > 0; k = s->w.blocks[k].prev)
        assert_false(s->refused[k]);
}

static void step(struct storm *s)
{
    unsigned what = world_random(&s->w, 100);
    struct cc_error err;
    int i;

    if (what < 60) { /* grow the best, or fork */
        i = what < 40 ? world_find(&s->w, cc_chain_tip(s->c)->hash)
                      : random_recent(s);
        i = world_make(
            &s->w, i,
            world_random(&s->w, 8)
                ? RIGHT
                : (enum wrong)(1 + world_random(&s->w, WRONG_COUNT - 1)));
        room(s);
        if (s->refused[s->w.blocks[i].prev])
            s->refused[i] = true;
        if (world_random(&s->w, 4))
            give(s, i);
    } else if (what < 90) {
        give(s, random_recent(s));
    } else if (what < 94) {
        refuse(s, random_recent(s));
    } else if (what < 96) {
        struct cc_index *x =
            cc_chain_find(s->c, s->w.blocks[random_recent(s)].block.hash);

        if (x)
            assert_int_equal(cc_chain_precious(s->c, x, NULL), CC_OK);
    } else if (what < 98) {
        if (cc_chain_verify(s->c, CC_VERIFY_CONNECT, 12, NULL, NULL, &err) !=
            CC_OK)
            fail_msg("%s", err.text);
    } else {
        cc_chain_free(s->c);
        s->c = world_open(&s->w, s->dir);
    }
}

static void storm(uint64_t seed, bool storage)
{
    struct storm s = {.cap = 0};
    struct cc_error err;

    world_init(&s.w, seed, storage);
    s.dir = cc_test_mkdir();
    s.c = world_open(&s.w, s.dir);
    room(&s);
    s.given[0] = true;
    for (int n = 0; n < STEPS; n++) {
        step(&s);
        check(&s);
    }
    if (cc_chain_verify(s.c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err) != CC_OK)
        fail_msg("%s", err.text);
    cc_test_ran("steps of the storm", STEPS);
    if (storage) {
        static const uint8_t actions[] = {
            CC_ACTION_PROVE,           CC_ACTION_CLOSE,       CC_ACTION_UPDATE,
            CC_ACTION_RETIRE_IDENTITY, CC_ACTION_RETIRE_SEAL, CC_ACTION_CLAIM};

        cc_test_ran("storage coins formed in it", s.w.formed);
        for (size_t i = 0; i < sizeof(actions); i++)
            assert_true(s.w.acts[actions[i]] > 0);
    }
    cc_chain_free(s.c);
    cc_test_rmdir(s.dir);
    world_clear(&s.w);
    free(s.given);
    free(s.refused);
}

static void test_storm(void **state)
{
    struct cc_test_random r;

    (void)state;
    cc_test_random_init(&r, 1);
    storm(cc_test_random(&r), true);
    storm(cc_test_random(&r), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_storm)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
