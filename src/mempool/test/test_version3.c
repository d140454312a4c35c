/* Transactions of version 3, alone and several at once. */
#include "mempool/test/package_support.h"

#include "util/hex.h"

#include <stdio.h>
#include <string.h>

#define RULE "v3-rule-violation, "
#define PACKAGE_RULE "v3-violation, "

/* --- Version 3 -------------------------------------------------------------
 */

static struct cc_tx *three(struct cc_tx *tx)
{
    tx->version = 3;
    cc_tx_finish(tx);
    return tx;
}

static const char *names(const struct cc_tx *tx)
{
    static char text[4][200];
    static int n;

    n = (n + 1) % 4;
    char wtxid[65];

    cc_hex_encode_rev(wtxid, tx->wtxid, 32);
    snprintf(text[n], sizeof(text[n]), "tx %s (wtxid=%s)", id(tx), wtxid);
    return text[n];
}

/* Filled up to that many virtual bytes. */
static struct cc_tx *sized(struct cc_tx *tx, size_t size)
{
    size_t more = size - vsize(tx) - 11;

    cc_build_out(&f.b, tx, 0, cc_build_fill(&f.b, 0x6a, more).data, more);
    cc_tx_finish(tx);
    assert_int_equal(vsize(tx), size);
    return tx;
}

static struct cc_tx *large(const struct cc_tx *parent, uint32_t index,
                           size_t size)
{
    return sized(three(fixture_child(&f, parent, index, 10000)), size);
}

/* One small child more than the limit, but not for a package, nor below one of
 * version 3. */
static void test_carve_out(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000), *tx;
    const char *text;

    (void)state;
    limits(25, 2, WIDE, WIDE);
    fixture_add(&f, a);
    fixture_add(&f, fixture_child(&f, a, 0, 10000));
    text = words("too-long-mempool-chain, too many descendants for tx %s "
                 "[limit: 2]",
                 id(a));
    tx = sized(fixture_child(&f, a, 1, 20000), 10001);
    fixture_expect(&f, tx, text);
    tx = fixture_child(&f, a, 1, 20000);
    judge("", tx, fixture_simple(&f, 2, 1, 10000), NULL);
    judged(0, text);
    fixture_add(&f, sized(tx, 10000));
    limits(25, 1, WIDE, WIDE);
    a = fixture_simple(&f, 2, 1, 10000);
    fixture_add(&f, a);
    fixture_add(&f, fixture_child(&f, a, 0, 10000));
    a = three(fixture_simple(&f, 3, 1, 10000));
    fixture_add(&f, a);
    fixture_expect(&f, three(fixture_child(&f, a, 0, 10000)),
                   words("too-long-mempool-chain, too many descendants for tx "
                         "%s [limit: 1]",
                         id(a)));
}

static void test_version3(void **state)
{
    struct cc_tx *parent = three(fixture_simple(&f, 1, 2, 1000));
    struct cc_tx *two = fixture_simple(&f, 2, 2, 1000), *tx, *other;

    (void)state;
    fixture_add(&f, parent);
    fixture_add(&f, two);
    tx = fixture_child(&f, parent, 0, 1000);
    fixture_expect(&f, tx,
                   words(RULE "non-v3 %s cannot spend from v3 %s", names(tx),
                         names(parent)));
    tx = three(fixture_child(&f, two, 0, 1000));
    fixture_expect(
        &f, tx,
        words(RULE "v3 %s cannot spend from non-v3 %s", names(tx), names(two)));
    /* Of several the one of least txid is named. */
    other = fixture_simple(&f, 3, 1, 1000);
    fixture_add(&f, other);
    for (int i = 0; i < 2; i++) {
        const struct cc_tx *least =
            memcmp(two->txid, other->txid, 32) < 0 ? two : other;

        tx = fixture_child(&f, i ? two : other, 0, 1000);
        fixture_spend_tx(&f, tx, i ? other : two, 0);
        three(tx);
        fixture_expect(&f, tx,
                       words(RULE "v3 %s cannot spend from non-v3 %s",
                             names(tx), names(least)));
    }
    tx = large(parent, 0, 1001);
    fixture_expect(&f, tx,
                   words(RULE "v3 child %s is too big: 1001 > 1000 virtual "
                              "bytes",
                         names(tx)));
    /* One without ancestors may be of any size. */
    tx = three(fixture_simple(&f, 4, 30, 10000));
    assert_true(vsize(tx) > 1000);
    fixture_add(&f, tx);
    tx = large(parent, 0, 1000);
    tx->vin[0].sequence = 0xffffffff;
    fixture_add(&f, tx);
    other = three(fixture_child(&f, tx, 0, 1000));
    fixture_expect(
        &f, other,
        words(RULE "%s would have too many ancestors", names(other)));
    other = three(fixture_child(&f, parent, 1, 1000));
    fixture_expect(
        &f, other,
        words(RULE "%s would exceed descendant count limit", names(parent)));
    /* In the place of the other it may come, signalling or not. */
    other = three(fixture_child(&f, parent, 0, 20000));
    fixture_add(&f, other);
    tx = three(fixture_child(&f, parent, 0, 40000));
    fixture_spend_tx(&f, tx, parent, 1);
    fixture_add(&f, tx);
    assert_false(fixture_has(&f, other));
}

/* Who replaces somebody else makes no room below the parent. */
static void test_version3_other_conflict(void **state)
{
    struct cc_tx *parent = three(fixture_simple(&f, 1, 2, 1000));
    struct cc_tx *stranger = fixture_simple(&f, 2, 1, 1000), *tx;
    struct cc_outpoint o = fixture_coin(&f, 2);

    (void)state;
    fixture_add(&f, parent);
    fixture_add(&f, three(fixture_child(&f, parent, 0, 1000)));
    stranger->vin[0].sequence = 0;
    fixture_add(&f, stranger);
    tx = fixture_child(&f, parent, 1, 100000);
    fixture_spend(&f, tx, &o);
    three(tx);
    fixture_expect(
        &f, tx,
        words(RULE "%s would exceed descendant count limit", names(parent)));
}

static void test_parent_for_nothing(void **state)
{
    struct cc_tx *parent = three(fixture_simple(&f, 1, 1, 0)), *child;
    size_t size;

    (void)state;
    child = three(fixture_child(&f, parent, 0, 0));
    size = vsize(parent) + vsize(child);
    child->vout[0].value -= (cc_amount)size - 1;
    submit("transaction failed", parent, child, NULL);
    refused(0, words("min relay fee not met, 0 < %zu", vsize(parent)));
    refused(1, words("min relay fee not met, %zu < %zu", size - 1, size));
    child->vout[0].value--;
    submit("", parent, child, NULL);
    entered(0, parent, 0);
    entered(1, child, (cc_amount)size);
    assert_int_equal(out.items[0].paid, size);
    /* Worse than nothing is no more than that to a pool that asks nothing. */
    parent = three(fixture_simple(&f, 2, 1, 0));
    cc_mempool_prioritise(f.pool, parent->txid, -1);
    fixture_expect(&f, parent,
                   words("min relay fee not met, -1 < %zu", vsize(parent)));
}

/* One that no fee would help leaves the others to themselves. */
static void test_refused_for_good(void **state)
{
    struct cc_tx *known = fixture_simple(&f, 1, 1, 1000);
    struct cc_tx *parent = three(fixture_simple(&f, 2, 1, 0)), *child;

    (void)state;
    fixture_mine_txs(&f, known, 1);
    child = fixture_child(&f, parent, 0, 1000);
    fixture_spend_tx(&f, child, known, 0);
    three(child);
    submit("transaction failed", known, parent, child, NULL);
    refused(0, "txn-already-known");
    refused(2, MISSING);
    assert_false(fixture_has(&f, parent));
    submit("", parent, child, NULL);
}

static void test_version3_package(void **state)
{
    struct cc_tx *a = three(fixture_simple(&f, 1, 2, 1000));
    struct cc_tx *b = fixture_simple(&f, 2, 1, 1000);
    struct cc_tx *other = three(fixture_simple(&f, 3, 1, 1000));
    struct cc_tx *child = three(fixture_child(&f, a, 0, 1000)), *tx, *both;
    struct cc_tx *grandchild = three(fixture_child(&f, child, 0, 1000));
    struct cc_tx *sibling = three(fixture_child(&f, a, 1, 1000));
    struct cc_tx *of_b = fixture_child(&f, b, 0, 1000);

    (void)state;
    judge("", a, b, child, of_b, NULL);
    judged(3, "");
    tx = fixture_child(&f, a, 0, 1000);
    judge(words(PACKAGE_RULE "non-v3 %s cannot spend from v3 %s", names(tx),
                names(a)),
          b, a, tx, NULL);
    tx = three(fixture_child(&f, b, 0, 1000));
    judge(words(PACKAGE_RULE "v3 %s cannot spend from non-v3 %s", names(tx),
                names(b)),
          a, b, tx, NULL);
    judge(
        words(PACKAGE_RULE "%s would exceed descendant count limit", names(a)),
        a, child, sibling, NULL);
    judge(words(PACKAGE_RULE "%s would have too many ancestors",
                names(grandchild)),
          a, child, grandchild, NULL);
    both = fixture_child(&f, a, 1, 1000);
    fixture_spend_tx(&f, both, other, 0);
    three(both);
    judge(words(PACKAGE_RULE "%s would have too many ancestors", names(both)),
          a, other, both, NULL);
    tx = large(a, 0, 1001);
    judge(words(PACKAGE_RULE "v3 child %s is too big: 1001 > 1000 virtual "
                             "bytes",
                names(tx)),
          a, tx, NULL);
    judge("", a, large(a, 0, 1000), NULL);
    /* Two of version 3 are named by the first that is spent. */
    tx = fixture_child(&f, other, 0, 1000);
    fixture_spend_tx(&f, tx, a, 0);
    cc_tx_finish(tx);
    judge(words(PACKAGE_RULE "non-v3 %s cannot spend from v3 %s", names(tx),
                names(a)),
          a, other, tx, NULL);
    /* Half of the family in the pool. */
    fixture_add(&f, a);
    judge("", child, b, NULL);
    judge(
        words(PACKAGE_RULE "%s would exceed descendant count limit", names(a)),
        child, sibling, NULL);
    judge(words(PACKAGE_RULE "%s would have too many ancestors",
                names(grandchild)),
          child, grandchild, NULL);
    judge(words(PACKAGE_RULE "%s would have too many ancestors", names(both)),
          other, both, NULL);
    judge("", b, of_b, NULL);
}

int main(void)
{
#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, package_open_nonstandard,            \
                                    package_close)
    const struct CMUnitTest tests[] = {
        T(test_carve_out),
        T(test_version3),
        T(test_version3_other_conflict),
        T(test_parent_for_nothing),
        T(test_refused_for_good),
        T(test_version3_package),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
