/* What -checkmempool looks at: each thing that the pool keeps, broken alone. */
#include "support.h"

#include "mempool/internal.h"
#include "mempool/test/fixture.h"

#include <string.h>

static struct fixture f;
static struct cc_txpool_node *parent, *child, *other;
static struct cc_tx *first;

/* parent <- child, and other beside them. */
static int open_family(void **state)
{
    struct cc_tx *second, *third;

    (void)state;
    fixture_open(&f, CC_CHAIN_BITCOIN_REGTEST);
    f.config.check = 0;
    fixture_reopen(&f);
    fixture_mine(&f, 10);
    first = fixture_simple(&f, 1, 2, 1000);
    second = fixture_child(&f, first, 0, 5000);
    third = fixture_simple(&f, 2, 1, 9000);
    fixture_add(&f, first);
    fixture_add(&f, second);
    fixture_add(&f, third);
    parent = cc_txpool_get(f.pool, first->txid);
    child = cc_txpool_get(f.pool, second->txid);
    other = cc_txpool_get(f.pool, third->txid);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static void expect_good(void)
{
    if (cc_mempool_audit(f.pool, &f.err) != CC_OK)
        fail_msg("%s", f.err.text);
}

static void expect_fault(const char *words)
{
    assert_int_equal(cc_mempool_audit(f.pool, &f.err), CC_CORRUPT);
    if (!strstr(f.err.text, words))
        fail_msg("%s, not %s", f.err.text, words);
}

/* Break one number by one, look, mend it. */
#define BREAK(what, words)                                                     \
    do {                                                                       \
        (what)++;                                                              \
        expect_fault(words);                                                   \
        (what)--;                                                              \
        expect_good();                                                         \
    } while (0)

static void test_totals(void **state)
{
    (void)state;
    expect_good();
    BREAK(f.pool->bytes, "wrong totals");
    BREAK(f.pool->usage, "wrong totals");
    BREAK(f.pool->total_fee, "wrong totals");
    BREAK(f.pool->unbroadcast, "wrong totals");
    BREAK(f.pool->by_txid.count, "do not agree");
    BREAK(f.pool->by_wtxid.count, "do not agree");
    BREAK(f.pool->spenders.count, "do not agree");
    f.pool->ranked_count--;
    expect_fault("do not agree");
    f.pool->ranked_count++;
    expect_good();
}

static void test_sums(void **state)
{
    (void)state;
    BREAK(child->e.ancestor_size, "over its ancestors");
    BREAK(child->e.ancestor_fees, "over its ancestors");
    BREAK(child->e.ancestor_count, "over its ancestors");
    BREAK(parent->e.descendant_size, "over its descendants");
    BREAK(parent->e.descendant_fees, "over its descendants");
    BREAK(parent->e.descendant_count, "over its descendants");
    parent->e.ancestor_count += 1;
    expect_fault(":"); /* whoever is looked at first */
    parent->e.ancestor_count -= 1;
    expect_good();
}

static void test_places(void **state)
{
    struct cc_txpool_node *swap = f.pool->nodes[0];

    (void)state;
    f.pool->nodes[0] = f.pool->nodes[1];
    expect_fault(""); /* one counted twice */
    f.pool->nodes[0] = swap;
    expect_good();
    BREAK(other->at, "is not where it says");
    other->rank_at ^= 1;
    expect_fault("is not where it says");
    other->rank_at ^= 1;
    BREAK(other->e.fee_delta, "another delta");
    f.pool->oldest += 1;
    expect_fault("older than the oldest");
    f.pool->oldest -= 1;
    expect_good();
    cc_map_put_ptr(&f.pool->by_wtxid, other->e.tx.wtxid, parent);
    expect_fault("is not found by its hashes");
    cc_map_put_ptr(&f.pool->by_wtxid, other->e.tx.wtxid, other);
    cc_map_put_ptr(&f.pool->by_txid, other->e.tx.txid, parent);
    expect_fault("is not found by its hashes");
    cc_map_put_ptr(&f.pool->by_txid, other->e.tx.txid, other);
    expect_good();
}

static void test_rank(void **state)
{
    struct cc_txpool_node *worst = cc_txpool_rank_worst(f.pool);
    struct cc_txpool_node *last = f.pool->ranked[f.pool->ranked_count - 1];

    (void)state;
    assert_ptr_not_equal(worst, last);
    f.pool->ranked[0] = last;
    f.pool->ranked[worst->rank_at = last->rank_at] = worst;
    last->rank_at = 0;
    expect_fault("ranks above");
}

static void test_links(void **state)
{
    const struct cc_outpoint *o = &child->e.tx.vin[0].prevout;

    (void)state;
    cc_map_put_ptr(&f.pool->spenders, o, parent);
    expect_fault("is not known to spend");
    cc_map_put_ptr(&f.pool->spenders, o, child);
    expect_good();
    child->parents[0] = other;
    expect_fault("is not linked with its parent");
    child->parents[0] = parent;
    parent->children[0] = other;
    expect_fault("over its descendants"); /* the parent comes first */
    parent->children[0] = child;
    expect_good();
    child->parent_count = 0;
    expect_fault("do not agree"); /* links that go one way */
    parent->child_count = 0;
    expect_fault("over its descendants");
    child->parent_count = parent->child_count = 1;
    expect_good();
    child->e.ancestor_count = 1;
    expect_fault("goes before its parent");
}

/* One too many, known to both. */
static void test_strange_parent(void **state)
{
    struct cc_txpool_node *two[2] = {parent, other}, *one[1] = {child};
    struct cc_txpool_node **parents = child->parents;
    struct cc_txpool_node **children = other->children;

    (void)state;
    child->parents = two;
    child->parent_count = 2;
    other->children = one;
    other->child_count = 1;
    expect_fault("that it does not spend");
    child->parents = parents;
    child->parent_count = 1;
    other->children = children;
    other->child_count = 0;
    expect_good();
}

static void test_context(void **state)
{
    struct cc_outpoint coin = other->e.tx.vin[0].prevout;

    (void)state;
    f.pool->total_fee++;
    other->e.fee++;
    other->e.ancestor_fees++;
    other->e.descendant_fees++;
    expect_fault("otherwise than was kept");
    f.pool->total_fee--;
    other->e.fee--;
    other->e.ancestor_fees--;
    other->e.descendant_fees--;
    other->e.typed = true;
    expect_fault("otherwise than was kept");
    other->e.typed = false;
    other->e.mint = 1;
    expect_fault("otherwise than was kept");
    other->e.mint = 0;
    other->e.claims = 1;
    expect_fault("otherwise than was kept");
    other->e.claims = 0;
    expect_good();
    /* A coin that is not there. */
    cc_map_remove_ptr(&f.pool->spenders, &coin);
    other->e.tx.vin[0].prevout.txid[0] ^= 1;
    cc_map_put_ptr(&f.pool->spenders, &other->e.tx.vin[0].prevout, other);
    expect_fault("bad-txns-inputs-missingorspent");
}

static void test_not_final(void **state)
{
    (void)state;
    other->e.tx.locktime = 400;
    other->e.tx.vin[0].sequence = 0xfffffffe;
    expect_fault("is not final");
}

/* How often it runs. */
static void test_how_often(void **state)
{
    (void)state;
    cc_mempool_prioritise(f.pool, first->txid, 5);
    assert_int_equal(f.pool->audited, 0); /* never */
    f.pool->config.check = 1;
    cc_mempool_prioritise(f.pool, first->txid, 5);
    assert_int_equal(f.pool->audited, f.pool->changes);
    f.pool->config.check = UINT64_C(1) << 60;
    cc_mempool_prioritise(f.pool, first->txid, 5);
    assert_int_equal(f.pool->audited, f.pool->changes - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_totals, open_family, close_all),
        cmocka_unit_test_setup_teardown(test_sums, open_family, close_all),
        cmocka_unit_test_setup_teardown(test_places, open_family, close_all),
        cmocka_unit_test_setup_teardown(test_rank, open_family, close_all),
        cmocka_unit_test_setup_teardown(test_links, open_family, close_all),
        cmocka_unit_test_setup_teardown(test_strange_parent, open_family,
                                        close_all),
        cmocka_unit_test_setup_teardown(test_context, open_family, close_all),
        cmocka_unit_test_setup_teardown(test_not_final, open_family, close_all),
        cmocka_unit_test_setup_teardown(test_how_often, open_family, close_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
