/* Several transactions at once, judged. */
#include "mempool/test/package_support.h"

/* --- The package by itself -------------------------------------------------
 */

static void check(const char *reason, const struct cc_tx *txs, size_t count)
{
    enum cc_status st = cc_txpool_check_package(txs, count, &f.err);

    assert_string_equal(st == CC_OK ? "" : f.err.text, reason);
}

static void test_bounds(void **state)
{
    struct cc_tx txs[26];

    (void)state;
    for (uint32_t i = 0; i < 26; i++)
        txs[i] = *fixture_simple(&f, i + 1, 1, 10000);
    check("", txs, 25);
    check("package-too-many-transactions", txs, 26);
    txs[25] = txs[24];
    check("package-too-many-transactions", txs, 26);
    /* Together 404,000 units of weight; one alone is told by its own check. */
    txs[0].size = txs[0].stripped_size = 101000;
    check("", txs, 1);
    txs[0].size++;
    check("", txs, 1);
    txs[0].size = 101000 - cc_tx_weight(&txs[1]);
    check("", txs, 2);
    txs[0].size++;
    check("package-too-large", txs, 2);
    txs[1].size = txs[1].stripped_size = txs[0].size = 0;
    txs[2].size += 404000;
    check("", txs, 2);
    check("package-too-large", txs, 3);
}

static void test_order(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000);
    struct cc_tx *b = fixture_simple(&f, 2, 1, 10000), *c;
    struct cc_outpoint o;

    (void)state;
    judge("package-contains-duplicates", a, b, a, NULL);
    judge("package-contains-duplicates", b, a, a, NULL);
    /* Its second input comes later. */
    c = fixture_child(&f, b, 0, 10000);
    fixture_spend_tx(&f, c, a, 0);
    judge("", b, a, c, NULL);
    judge("package-not-sorted", b, c, a, NULL);
    judge("package-not-sorted", c, b, a, NULL);
    /* The second input of one is the second of another. */
    c = fixture_child(&f, b, 0, 10000);
    o = fixture_coin(&f, 3);
    fixture_spend(&f, c, &o);
    a = fixture_simple(&f, 4, 1, 10000);
    fixture_spend(&f, a, &o);
    judge("conflict-in-package", b, c, a, NULL);
    judge("conflict-in-package", a, b, c, NULL);
}

/* --- With the pool ---------------------------------------------------------
 */

static void test_one_after_the_other(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000);
    struct cc_tx *b = fixture_child(&f, a, 1, 20000);
    struct cc_tx *c = fixture_child(&f, b, 0, 30000), *tx;
    struct cc_mempool_stats stats;

    (void)state;
    cc_mempool_prioritise(f.pool, b->txid, 7);
    judge("", a, b, c, NULL);
    for (size_t i = 0; i < 3; i++) {
        judged(i, "");
        assert_int_equal(items[i].accept.fee, 10000 * (i + 1));
        assert_int_equal(items[i].accept.modified,
                         10000 * (i + 1) + (i == 1 ? 7 : 0));
    }
    assert_int_equal(items[0].accept.vsize, vsize(a));
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.count, 0);
    /* One that fails ends it, and but for scripts before anyone is judged. */
    tx = fixture_simple(&f, 2, 1, 0);
    judge("", a, tx, b, NULL);
    judged(0, NULL);
    judged(1, words("min relay fee not met, 0 < %zu", vsize(tx)));
    judged(2, NULL);
    tx = fixture_simple(&f, 2, 1, 1000);
    tx->vin[0].witness[0] = cc_bytes("\x52", 1);
    judge("", a, tx, b, NULL);
    judged(0, "");
    judged(1, "mandatory-script-verify-flag-failed (Witness program hash "
              "mismatch)");
    judged(2, NULL);
    /* A coin that the other does not make, or that stands behind. */
    tx = fixture_child(&f, a, 1, 1000);
    tx->vin[0].prevout.index = 2;
    judge("", a, tx, NULL);
    judged(1, MISSING);
    /* Theirs are coins of the next block. */
    tx = fixture_child(&f, a, 0, 1000);
    tx->vin[0].sequence = 1;
    judge("", a, tx, NULL);
    judged(1, "non-BIP68-final");
    tx->vin[0].sequence = 0;
    judge("", a, tx, NULL);
    judged(1, "");
}

/* What a CLAIM mints matures like a coinbase, before it is in a block, too. */
static void test_maturing(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000);
    struct cc_txpool_candidate c[2];
    bool maturing[2] = {true, false};

    (void)state;
    cc_chain_lock(f.chain);
    cc_txpool_candidate_init(&c[0], f.pool, a);
    assert_int_equal(cc_txpool_judge_cheap(f.pool, &c[0], &f.err), CC_OK);
    c[0].storage.maturing = maturing;
    for (uint32_t i = 0; i < 2; i++) {
        struct cc_tx *child = fixture_child(&f, a, i, 10000);

        cc_txpool_candidate_init(&c[1], f.pool, child);
        c[1].package = c;
        c[1].package_before = 1;
        assert_int_equal(cc_txpool_judge_cheap(f.pool, &c[1], &f.err),
                         i ? CC_OK : CC_INVALID);
        if (i == 0)
            assert_string_equal(f.err.reason,
                                "bad-txns-premature-spend-of-coinbase");
        cc_txpool_candidate_clear(&c[1]);
    }
    cc_txpool_candidate_clear(&c[0]);
    cc_chain_unlock(f.chain);
}

static void test_nothing_is_replaced(void **state)
{
    struct cc_tx *old = fixture_simple(&f, 1, 1, 1000);
    struct cc_tx *other = fixture_simple(&f, 2, 1, 1000);
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 90000);

    (void)state;
    old->vin[0].sequence = 0;
    fixture_add(&f, old);
    judge("", other, tx, NULL);
    judged(0, NULL);
    judged(1, "bip125-replacement-disallowed");
}

#define LIMITS "package-mempool-limits, "

/* Taken as one, however they hang together. */
static void test_limits_of_count(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000), *b, *c, *d;

    (void)state;
    b = fixture_simple(&f, 2, 1, 10000);
    c = fixture_simple(&f, 3, 1, 10000);
    d = fixture_simple(&f, 4, 1, 10000);
    limits(3, 25, WIDE, WIDE);
    judge("", a, b, c, NULL);
    judge(LIMITS "package count 4 exceeds ancestor count limit [limit: 3]", a,
          b, c, d, NULL);
    limits(25, 3, WIDE, WIDE);
    judge("", a, b, c, NULL);
    judge(LIMITS "package count 4 exceeds descendant count limit [limit: 3]", a,
          b, c, d, NULL);
    /* Two parents in the pool, or one of both. */
    limits(3, 25, WIDE, WIDE);
    fixture_add(&f, a);
    fixture_add(&f, b);
    c = fixture_child(&f, a, 0, 10000);
    d = fixture_child(&f, b, 0, 10000);
    judge(LIMITS "too many unconfirmed parents [limit: 3]", c, d, NULL);
    judge("", c, fixture_child(&f, a, 1, 10000), NULL);
    /* And theirs. */
    fixture_add(&f, c);
    a = fixture_child(&f, c, 0, 10000);
    judge(LIMITS "possibly too many unconfirmed ancestors [limit: 3]", a,
          fixture_simple(&f, 3, 1, 10000), NULL);
    limits(4, 25, WIDE, WIDE);
    fixture_add(&f, fixture_simple(&f, 1, 2, 10000));
    fixture_add(&f, b);
    fixture_add(&f, c);
    judge("", a, fixture_simple(&f, 3, 1, 10000), NULL);
    judge("", d, fixture_child(&f, fixture_simple(&f, 1, 2, 10000), 1, 10000),
          NULL);
}

static void test_limit_of_descendants(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000), *b, *c;

    (void)state;
    b = fixture_child(&f, a, 0, 10000);
    c = fixture_child(&f, a, 1, 10000);
    limits(25, 2, WIDE, WIDE);
    fixture_add(&f, a);
    judge(words(LIMITS "possibly too many descendants for tx %s [limit: 2]",
                id(a)),
          b, c, NULL);
    limits(25, 3, WIDE, WIDE);
    fixture_add(&f, a);
    judge("", b, c, NULL);
}

static void test_limits_of_size(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000), *b, *c;
    size_t size;

    (void)state;
    b = fixture_simple(&f, 2, 1, 10000);
    size = vsize(a) + vsize(b);
    limits(25, 25, size, WIDE);
    judge("", a, b, NULL);
    limits(25, 25, size - 1, WIDE);
    judge(words(LIMITS "package size %zu exceeds ancestor size limit "
                       "[limit: %zu]",
                size, size - 1),
          a, b, NULL);
    limits(25, 25, WIDE, size);
    judge("", a, b, NULL);
    limits(25, 25, WIDE, size - 1);
    judge(words(LIMITS "package size %zu exceeds descendant size limit "
                       "[limit: %zu]",
                size, size - 1),
          a, b, NULL);
    /* With one in the pool. */
    b = fixture_child(&f, a, 0, 10000);
    c = fixture_child(&f, a, 1, 10000);
    size = vsize(a) + vsize(b) + vsize(c);
    limits(25, 25, size, size);
    fixture_add(&f, a);
    judge("", b, c, NULL);
    limits(25, 25, WIDE, size - 1);
    fixture_add(&f, a);
    judge(words(LIMITS "possibly exceeds descendant size limit for tx %s "
                       "[limit: %zu]",
                id(a), size - 1),
          b, c, NULL);
    limits(25, 25, size - 1, WIDE);
    fixture_add(&f, a);
    judge(words(LIMITS "possibly exceeds ancestor size limit [limit: %zu]",
                size - 1),
          b, c, NULL);
    /* They are for two and more: alone one has its own. */
    limits(25, 25, 90, 90);
    judge("", fixture_simple(&f, 3, 1, 10000), NULL);
    judged(0, "");
    /* Which a child comes up to. */
    size = vsize(a) + vsize(b);
    limits(25, 25, size, WIDE);
    fixture_add(&f, a);
    fixture_add(&f, b);
    limits(25, 25, size - 1, WIDE);
    fixture_add(&f, a);
    fixture_expect(&f, b,
                   words("too-long-mempool-chain, exceeds ancestor size limit "
                         "[limit: %zu]",
                         size - 1));
}

int main(void)
{
#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, package_open, package_close)
    const struct CMUnitTest tests[] = {
        T(test_bounds),
        T(test_order),
        T(test_one_after_the_other),
        T(test_maturing),
        T(test_nothing_is_replaced),
        T(test_limits_of_count),
        T(test_limit_of_descendants),
        T(test_limits_of_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
