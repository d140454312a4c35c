/* Counting votes (BIP 9): ours by -vbparams, and those we do not know. */
#include "support.h"

#include "chain/vote.h"

#include <string.h>

#define WINDOW 10
#define BLOCKS 200

static struct cc_index chain[BLOCKS];
static struct cc_params params;

/* Blocks a minute apart, all with the version of blocks that say nothing. */
static int make(void **state)
{
    (void)state;
    memset(chain, 0, sizeof(chain));
    memset(&params, 0, sizeof(params));
    params.testdummy = (struct cc_vote){
        .bit = 28, .window = WINDOW, .threshold = 8, .timeout = INT64_MAX};
    for (uint32_t i = 0; i < BLOCKS; i++) {
        chain[i].height = i;
        chain[i].prev = i ? &chain[i - 1] : NULL;
        chain[i].skip = chain[i].prev;
        chain[i].median_time = 1000 + 60 * (int64_t)i;
        chain[i].header.version = 0x20000000;
    }
    return 0;
}

static void signal_in(uint32_t from, uint32_t count, unsigned bit)
{
    while (count-- > 0)
        chain[from++].header.version |= (int32_t)(UINT32_C(1) << bit);
}

static void expect(uint32_t height, enum cc_vote_state state, uint32_t since)
{
    struct cc_vote_status s =
        cc_vote_status(&params.testdummy, height ? &chain[height - 1] : NULL);

    if (s.state != state || s.since != since)
        fail_msg("at %u: %d since %u", height, (int)s.state, s.since);
}

static void test_usual(void **state)
{
    (void)state;
    signal_in(20, 7, 28); /* one too few */
    signal_in(30, 8, 28);
    expect(0, CC_VOTE_DEFINED, 0);
    expect(9, CC_VOTE_DEFINED, 0);
    expect(10, CC_VOTE_STARTED, 10);
    expect(39, CC_VOTE_STARTED, 10);
    expect(40, CC_VOTE_LOCKED_IN, 40);
    expect(49, CC_VOTE_LOCKED_IN, 40);
    expect(50, CC_VOTE_ACTIVE, 50);
    expect(BLOCKS, CC_VOTE_ACTIVE, 50);
}

static void test_start_and_end(void **state)
{
    (void)state;
    signal_in(20, 10, 28);
    params.testdummy.start = chain[29].median_time; /* too late for those */
    expect(29, CC_VOTE_DEFINED, 0);
    expect(30, CC_VOTE_STARTED, 30);
    params.testdummy.start++;
    expect(39, CC_VOTE_DEFINED, 0);
    expect(40, CC_VOTE_STARTED, 40);
    params.testdummy.timeout = chain[69].median_time;
    expect(69, CC_VOTE_STARTED, 40);
    expect(70, CC_VOTE_FAILED, 70);
    expect(BLOCKS, CC_VOTE_FAILED, 70);
    signal_in(60, 8, 28); /* in the last window, enough */
    expect(70, CC_VOTE_LOCKED_IN, 70);
    params.testdummy.min_height = 95;
    expect(99, CC_VOTE_LOCKED_IN, 70);
    expect(100, CC_VOTE_ACTIVE, 100);
    params.testdummy.min_height = 80;
    expect(80, CC_VOTE_ACTIVE, 80);
}

static void test_always_and_never(void **state)
{
    (void)state;
    params.testdummy.start = CC_VOTE_ALWAYS;
    expect(0, CC_VOTE_ACTIVE, 0);
    expect(BLOCKS, CC_VOTE_ACTIVE, 0);
    params.testdummy.start = CC_VOTE_NEVER;
    signal_in(0, BLOCKS, 28);
    expect(BLOCKS, CC_VOTE_FAILED, 0);
}

static struct cc_vote_watch watch_to(struct cc_vote_watch w, uint32_t height)
{
    cc_vote_watch_update(&w, &params, &chain[height]);
    return w;
}

static void test_unknown(void **state)
{
    struct cc_vote_watch w = {0};

    (void)state;
    signal_in(20, 7, 5);
    signal_in(40, 8, 5);
    signal_in(60, 10, 28); /* ours */
    chain[80].header.version = 5;
    signal_in(80, 10, 4);
    chain[89].header.version = (int32_t)0xa0000010;
    assert_int_equal(watch_to(w, 48).state[5], CC_VOTE_STARTED);
    assert_int_equal(watch_to(w, 49).state[5], CC_VOTE_LOCKED_IN);
    assert_int_equal(watch_to(w, 58).state[5], CC_VOTE_LOCKED_IN);
    assert_int_equal(watch_to(w, 59).state[5], CC_VOTE_ACTIVE);
    w = watch_to(w, BLOCKS - 1);
    assert_int_equal(w.state[5], CC_VOTE_ACTIVE);
    assert_int_equal(w.state[28], CC_VOTE_STARTED);
    assert_int_equal(w.state[4], CC_VOTE_ACTIVE); /* 8 of 10 */
    /* Step by step comes to the same, and a branch is counted anew. */
    memset(&w, 0, sizeof(w));
    for (uint32_t i = 0; i < 60; i++)
        w = watch_to(w, i);
    assert_int_equal(w.state[5], CC_VOTE_ACTIVE);
    w = watch_to(w, 45);
    assert_int_equal(w.state[5], CC_VOTE_STARTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_usual, make),
        cmocka_unit_test_setup(test_start_and_end, make),
        cmocka_unit_test_setup(test_always_and_never, make),
        cmocka_unit_test_setup(test_unknown, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
