/* The check of the tree of headers finds what is wrong with it, whatever it
 * is, and nothing where nothing is. */
#include "chain/internal.h"
#include "chain/test/world.h"

/* Two branches: 1 2 3 4, and 2' 3' 4' that came later; 5' is a header alone;
 * 3" breaks a rule, and 4" is a header on it. */
struct setting {
    struct world w;
    char *dir;
    struct cc_chain *c;
    int main[5], side[6], bad, on_bad;
};

static void give(struct setting *s, int block)
{
    struct cc_error err;

    cc_chain_accept_block(s->c, &s->w.blocks[block].block, true, NULL, NULL,
                          &err);
    assert_false(cc_chain_failed(s->c, NULL));
}

static void tell(struct setting *s, int block)
{
    assert_int_equal(cc_chain_accept_header(
                         s->c, &s->w.blocks[block].block.header, NULL, NULL),
                     CC_OK);
}

static struct cc_index *entry(struct setting *s, int block)
{
    return cc_chain_find(s->c, s->w.blocks[block].block.hash);
}

static int set_up(void **state)
{
    struct setting *s = calloc(1, sizeof(*s));

    world_init(&s->w, 3, false);
    s->dir = cc_test_mkdir();
    s->c = world_open(&s->w, s->dir);
    for (int i = 1; i <= 4; i++)
        s->main[i] = world_make(&s->w, s->main[i - 1], RIGHT);
    s->side[1] = s->main[1];
    for (int i = 2; i <= 5; i++)
        s->side[i] = world_make(&s->w, s->side[i - 1], RIGHT);
    s->bad = world_make(&s->w, s->main[4], WRONG_REWARD);
    s->on_bad = world_make(&s->w, s->bad, RIGHT);
    for (int i = 1; i <= 4; i++)
        give(s, s->main[i]);
    for (int i = 2; i <= 4; i++)
        give(s, s->side[i]);
    tell(s, s->side[5]);
    tell(s, s->bad);
    tell(s, s->on_bad);
    give(s, s->bad);
    assert_true(entry(s, s->bad)->status & CC_INDEX_FAILED);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *s = *state;

    cc_chain_free(s->c);
    cc_test_rmdir(s->dir);
    world_clear(&s->w);
    free(s);
    return 0;
}

/* field holds value: that is found. */
#define FINDS(s, field, value, words)                                          \
    do {                                                                       \
        __typeof__(field) before = (field);                                    \
        const char *fault;                                                     \
                                                                               \
        (field) = (value);                                                     \
        fault = cc_chain_inconsistency((s)->c);                                \
        (field) = before;                                                      \
        assert_non_null(fault);                                                \
        assert_string_equal(fault, words);                                     \
        assert_null(cc_chain_inconsistency((s)->c));                           \
    } while (0)

static void test_fixed(void **state)
{
    struct setting *s = *state;
    struct cc_index *i = entry(s, s->main[3]), *j = entry(s, s->side[5]);

    assert_null(cc_chain_inconsistency(s->c));
    FINDS(s, i->height, 4, "a height");
    FINDS(s, i->header.prev[0], (uint8_t)(i->header.prev[0] ^ 1), "a parent");
    FINDS(s, i->skip, NULL, "a far ancestor");
    FINDS(s, j->work.w[0], j->work.w[0] + 1, "a sum of work");
    FINDS(s, i->time_max, i->time_max + 1, "a greatest time");
    {
        /* One that is earlier than those before it. */
        const struct cc_index kept = *j;

        j->header.time = (uint32_t)j->prev->time_max - 1;
        j->time_max = j->prev->time_max;
        FINDS(s, j->time_max, j->header.time, "a greatest time");
        *j = kept;
    }
    FINDS(s, i->hash[0], (uint8_t)(i->hash[0] ^ 1), "a name");
    FINDS(s, s->c->tree.by_hash.count, s->c->tree.by_hash.count + 1,
          "a header outside the tree");
}

static void test_status(void **state)
{
    struct setting *s = *state;
    struct cc_index *i = entry(s, s->side[3]), *head = entry(s, s->side[5]);
    struct cc_index *tip = entry(s, s->main[4]), *bad = entry(s, s->on_bad);

    FINDS(s, head->status, 0, "a header that was never checked");
    FINDS(s, i->tx_count, 0, "a block of nothing");
    FINDS(s, head->status, head->status | CC_INDEX_UNDO,
          "undo data without the block");
    FINDS(s, i->status, i->status | CC_INDEX_UNDO,
          "undo data of a block never connected");
    FINDS(s, i->chain_tx, 0, "a chain said to be whole, or not");
    FINDS(s, head->chain_tx, 9, "a chain said to be whole, or not");
    FINDS(s, tip->chain_tx, tip->chain_tx + 1, "a number of transactions");
    FINDS(s, i->status, i->status | CC_INDEX_VALID,
          "a block connected on one that never was");
    FINDS(s, bad->status, bad->status & ~(unsigned)CC_INDEX_FAILED_CHILD,
          "a block condemned with its parent, or not");
    FINDS(s, head->status, head->status | CC_INDEX_FAILED_CHILD,
          "a block condemned with its parent, or not");
}

static void test_choice(void **state)
{
    struct setting *s = *state;
    struct cc_tree *t = &s->c->tree;
    struct cc_index *i = entry(s, s->side[4]), *tip = entry(s, s->main[4]);

    assert_true(t->candidate_count == 1 && tip->candidate);
    FINDS(s, i->candidate, true, "a candidate that cannot be one");
    FINDS(s, tip->candidate, false, "a better block that is no candidate");
    FINDS(s, i->sequence, tip->sequence - 1,
          "a better block that is no candidate");
    FINDS(s, t->candidate_count, 2, "the candidates");
    FINDS(s, t->best_header, tip, "a header better than the best");
    FINDS(s, t->best_header, entry(s, s->on_bad), "the best header");
    FINDS(s, s->c->at[2], i, "the active chain");
    FINDS(s, s->c->hash[2][5], (uint8_t)(s->c->hash[2][5] ^ 1),
          "the active chain's hashes");
    FINDS(s, tip->status,
          tip->status & ~(unsigned)(CC_INDEX_VALID | CC_INDEX_UNDO),
          "a block of the active chain");
}

/* It is looked for as often as is asked for. */
static void test_asked_for(void **state)
{
    struct setting *s = *state;
    struct cc_error err;

    s->c->tree.candidate_count++;
    s->c->check_index = 0;
    assert_int_equal(cc_chain_check_index(s->c, &err), CC_OK);
    s->c->check_index = 1;
    assert_int_equal(cc_chain_check_index(s->c, &err), CC_CORRUPT);
    assert_string_equal(err.text,
                        "the block index is inconsistent: the candidates");
    s->c->tree.candidate_count--;
    assert_int_equal(cc_chain_check_index(s->c, &err), CC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fixed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_status, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_choice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_asked_for, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
