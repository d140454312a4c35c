/* Several transactions at once: judged, submitted, and of version 3. */
#include "support.h"

#include "mempool/internal.h"
#include "mempool/test/fixture.h"
#include "util/hex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE "v3-rule-violation, "
#define PACKAGE_RULE "v3-violation, "
#define MISSING "bad-txns-inputs-missingorspent"

static struct fixture f;
static struct cc_mempool_package_item items[CC_MAX_PACKAGE_COUNT];
static struct cc_mempool_submitted out;

static int open_bitcoin(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_BITCOIN_REGTEST);
    fixture_mine(&f, 60);
    return 0;
}

static int open_nonstandard(void **state)
{
    open_bitcoin(state);
    f.config.require_standard = false;
    fixture_reopen(&f);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    cc_mempool_submitted_clear(&out);
    fixture_close(&f);
    return 0;
}

/* NULL ends the list. */
struct list {
    struct cc_tx tx[CC_MAX_PACKAGE_COUNT + 1];
    size_t count;
};

static void gather(struct list *l, struct cc_tx *first, va_list ap)
{
    l->count = 0;
    for (struct cc_tx *tx = first; tx; tx = va_arg(ap, struct cc_tx *)) {
        cc_tx_finish(tx);
        l->tx[l->count++] = *tx;
    }
}

static void judge_list(const struct list *l, const char *text)
{
    enum cc_status st;

    st = cc_mempool_test_package(f.pool, l->tx, l->count, items, &f.err);
    assert_string_equal(st == CC_OK ? "" : f.err.text, text);
}

/* text: of the package. */
static void judge(const char *text, struct cc_tx *first, ...)
{
    struct list l;
    va_list ap;

    va_start(ap, first);
    gather(&l, first, ap);
    va_end(ap);
    judge_list(&l, text);
}

/* text NULL: not judged. */
static void judged(size_t at, const char *text)
{
    assert_int_equal(items[at].judged, text != NULL);
    if (text) {
        assert_int_equal(items[at].status, *text ? CC_INVALID : CC_OK);
        assert_string_equal(*text ? items[at].err.text : "", text);
    }
}

static void submit(const char *text, struct cc_tx *first, ...)
{
    struct list l;
    va_list ap;
    enum cc_status st;

    va_start(ap, first);
    gather(&l, first, ap);
    va_end(ap);
    cc_mempool_submitted_clear(&out);
    st = cc_mempool_submit_package(f.pool, l.tx, l.count, &out, &f.err);
    assert_string_equal(st == CC_OK ? "" : f.err.text, text);
}

static void refused(size_t at, const char *text)
{
    assert_int_equal(out.items[at].result, CC_SUBMIT_REFUSED);
    assert_string_equal(out.items[at].err.text, text);
}

static void entered(size_t at, const struct cc_tx *tx, cc_amount fee)
{
    const struct cc_mempool_submit_item *item = &out.items[at];

    assert_int_equal(item->result, CC_SUBMIT_ENTERED);
    assert_true(fixture_has(&f, tx));
    assert_int_equal(item->fee, fee);
    assert_int_equal(item->vsize, (cc_tx_weight(tx) + 3) / 4);
}

static const char *id(const struct cc_tx *tx)
{
    static char text[4][65];
    static int n;

    n = (n + 1) % 4;
    cc_hex_encode_rev(text[n], tx->txid, 32);
    return text[n];
}

static size_t vsize(const struct cc_tx *tx)
{
    return (cc_tx_weight(tx) + 3) / 4;
}

static const char *words(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static const char *words(const char *fmt, ...)
{
    static char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return text;
}

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

static void limits(unsigned ancestors, unsigned descendants,
                   size_t ancestor_size, size_t descendant_size)
{
    f.config.ancestor_limit = ancestors;
    f.config.descendant_limit = descendants;
    f.config.ancestor_size_limit = ancestor_size;
    f.config.descendant_size_limit = descendant_size;
    fixture_reopen(&f);
}

#define WIDE 1000000
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

/* --- Submitted -------------------------------------------------------------
 */

static void test_family(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000);
    struct cc_tx *b = fixture_simple(&f, 2, 1, 10000);
    struct cc_tx *c = fixture_child(&f, a, 0, 10000), *d;
    struct cc_tx txs[3];

    (void)state;
    fixture_spend_tx(&f, c, b, 0);
    cc_tx_finish(c);
    txs[0] = *a;
    txs[1] = *b;
    txs[2] = *c;
    assert_true(cc_mempool_is_family(txs, 3));
    assert_false(cc_mempool_is_family(txs, 2)); /* strangers */
    assert_false(cc_mempool_is_family(txs, 1));
    assert_false(cc_mempool_is_family(txs + 2, 1));
    txs[1] = *c; /* a and c, then one of c alone */
    d = fixture_child(&f, c, 0, 1000);
    txs[2] = *d;
    assert_true(cc_mempool_is_family(txs, 2));
    assert_true(cc_mempool_is_family(txs + 1, 2));
    assert_false(cc_mempool_is_family(txs, 3));
    /* A child of both, but the one is a child of the other. */
    fixture_spend_tx(&f, d, a, 1);
    cc_tx_finish(d);
    txs[2] = *d;
    assert_false(cc_mempool_is_family(txs, 3));
    txs[0] = *c;
    txs[1] = *a;
    assert_false(cc_mempool_is_family(txs, 3));
}

static void test_each_pays_for_itself(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 1000);
    struct cc_tx *b = fixture_simple(&f, 2, 1, 2000);
    struct cc_tx *c = fixture_child(&f, a, 0, 3000);

    (void)state;
    fixture_spend_tx(&f, c, b, 0);
    c->vout[0].value += b->vout[0].value;
    cc_tx_finish(c);
    cc_mempool_prioritise(f.pool, b->txid, 5);
    submit("", a, b, c, NULL);
    for (size_t i = 0; i < 3; i++) {
        const struct cc_mempool_submit_item *item = &out.items[i];

        assert_int_equal(item->result, CC_SUBMIT_ENTERED);
        assert_int_equal(item->fee, 1000 * (i + 1));
        assert_int_equal(item->paid, 1000 * (i + 1) + (i == 1 ? 5 : 0));
        assert_int_equal(item->paid_vsize, item->vsize);
        assert_false(item->together);
    }
    entered(2, c, 3000);
    assert_int_equal(cc_mempool_find(f.pool, a->txid)->time, f.now);
    assert_int_equal(out.replaced_count, 0);
    /* Again, and with another witness. */
    fixture_mine_txs(&f, NULL, 0); /* the time moves on */
    submit("", a, b, c, NULL);
    assert_int_equal(out.items[1].result, CC_SUBMIT_THERE);
    assert_int_equal(out.items[1].fee, 2000);
    assert_int_equal(out.items[1].vsize, vsize(b));
    {
        struct cc_tx other = *c;

        other.vin = cc_arena_dup(&f.b.arena, c->vin, 2 * sizeof(*c->vin));
        cc_build_witness(&f.b, &other.vin[0], "\x51", 1);
        submit("", a, b, &other, NULL);
    }
    assert_int_equal(out.items[2].result, CC_SUBMIT_OTHER_WITNESS);
    assert_memory_equal(out.items[2].other_wtxid, c->wtxid, 32);
}

static void test_not_even_judged(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 1000);
    struct cc_tx *b = fixture_simple(&f, 2, 1, 1000), *c;
    struct cc_outpoint o = fixture_coin(&f, 3);

    (void)state;
    submit("package-contains-duplicates", a, a, NULL);
    assert_int_equal(out.items[0].result, CC_SUBMIT_NOT_JUDGED);
    /* What the child spends is of the package or of the chain. */
    fixture_add(&f, b);
    c = fixture_child(&f, a, 0, 1000);
    fixture_spend_tx(&f, c, b, 0);
    submit("package-not-child-with-unconfirmed-parents", a, c, NULL);
    assert_int_equal(out.items[0].result, CC_SUBMIT_NOT_JUDGED);
    assert_false(fixture_has(&f, a));
    c = fixture_child(&f, a, 0, 1000);
    fixture_spend(&f, c, &o);
    fixture_spend_tx(&f, c, b, 0);
    submit("package-not-child-with-unconfirmed-parents", a, c, NULL);
    c = fixture_child(&f, a, 0, 1000);
    fixture_spend(&f, c, &o);
    submit("", a, c, NULL);
    /* And what its parents spend may be of the pool. */
    a = fixture_child(&f, b, 0, 1000);
    submit("", a, fixture_child(&f, a, 0, 1000), NULL);
}

static void test_a_part_gets_in(void **state)
{
    struct cc_tx *good = fixture_simple(&f, 1, 1, 1000);
    struct cc_tx *bad = fixture_simple(&f, 2, 1, 1000);
    struct cc_tx *poor = fixture_simple(&f, 3, 1, 0);
    struct cc_tx *child = fixture_child(&f, bad, 0, 1000);

    (void)state;
    fixture_spend_tx(&f, child, good, 0);
    bad->vin[0].witness[0] = cc_bytes("\x52", 1);
    submit("transaction failed", bad, good, child, NULL);
    refused(0, "mandatory-script-verify-flag-failed (Witness program hash "
               "mismatch)");
    entered(1, good, 1000);
    refused(2, MISSING);
    assert_false(fixture_has(&f, bad));
    /* Below what relay costs nobody can pay for another. */
    child = fixture_child(&f, poor, 0, 10000);
    submit("transaction failed", poor, child, NULL);
    refused(0, words("min relay fee not met, 0 < %zu", vsize(poor)));
    refused(1, MISSING);
}

static void test_replaces(void **state)
{
    struct cc_tx *old[2], *new[2], *child, *poor;
    char text[160];

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        old[i] = fixture_simple(&f, i + 1, 1, 1000);
        old[i]->vin[0].sequence = 0;
        fixture_add(&f, old[i]);
        new[i] = fixture_simple(&f, i + 1, 2, 10000);
    }
    child = fixture_child(&f, new[0], 0, 1000);
    fixture_spend_tx(&f, child, new[1], 0);
    submit("", new[0], new[1], child, NULL);
    assert_int_equal(out.replaced_count, 2);
    assert_memory_equal(out.replaced[0], old[0]->txid, 32);
    assert_memory_equal(out.replaced[1], old[1]->txid, 32);
    assert_false(fixture_has(&f, old[0]));
    /* No child helps a parent that pays too little for that. */
    old[0] = fixture_simple(&f, 3, 1, 1000);
    old[0]->vin[0].sequence = 0;
    fixture_add(&f, old[0]);
    poor = fixture_simple(&f, 3, 1, 1010);
    submit("transaction failed", poor, fixture_child(&f, poor, 0, 100000),
           NULL);
    snprintf(text, sizeof(text), "rejecting replacement %s, not enough",
             id(poor));
    assert_non_null(strstr(out.items[0].err.text, text));
    refused(1, MISSING);
    assert_true(fixture_has(&f, old[0]));
}

/* Neither what is replaced nor a small child goes beyond the limits. */
static void test_no_room_is_made(void **state)
{
    struct cc_tx *root = fixture_simple(&f, 1, 2, 1000);
    struct cc_tx *old = fixture_child(&f, root, 0, 1000), *tx;

    (void)state;
    limits(3, 2, WIDE, WIDE);
    fixture_add(&f, root);
    old->vin[0].sequence = 0;
    fixture_add(&f, old);
    for (uint32_t i = 0; i < 2; i++) {
        tx = fixture_child(&f, root, i, i ? 1000 : 10000);
        assert_int_equal(cc_mempool_add(f.pool, tx, true, NULL, &f.err), CC_OK);
        submit("transaction failed", tx, fixture_child(&f, tx, 0, 1000), NULL);
        refused(0, words("too-long-mempool-chain, too many descendants for "
                         "tx %s [limit: 2]",
                         id(root)));
    }
}

/* --- A full pool -----------------------------------------------------------
 */

static void test_child_pays(void **state)
{
    struct cc_tx *poor = fixture_simple(&f, 1, 1, 200);
    struct cc_tx *rich = fixture_simple(&f, 2, 1, 0), *child;
    size_t size;

    (void)state;
    cc_mempool_prioritise(f.pool, rich->txid, 5000);
    f.pool->rolling = (uint64_t)10000 << 16;
    f.pool->rolling_time = f.now;
    child = fixture_child(&f, poor, 0, 2);
    fixture_spend_tx(&f, child, rich, 0);
    child->vout[0].value += rich->vout[0].value;
    cc_tx_finish(child);
    size = vsize(poor) + vsize(child);
    /* Who pays for itself pays for nobody else. */
    submit("transaction failed", poor, rich, child, NULL);
    refused(0, words("mempool min fee not met, 200 < %zu", 10 * vsize(poor)));
    entered(1, rich, 0);
    refused(2, words("min relay fee not met, 2 < %zu", vsize(child)));
    /* One satoshi less than all of them need. */
    child->vout[0].value -= (cc_amount)(10 * size) - 200 - 2 - 1;
    submit("transaction failed", poor, rich, child, NULL);
    refused(2, words("mempool min fee not met, %zu < %zu", 10 * size - 1,
                     10 * size));
    refused(0, words("mempool min fee not met, 200 < %zu", 10 * vsize(poor)));
    assert_false(fixture_has(&f, poor));
    child->vout[0].value--;
    submit("", poor, rich, child, NULL);
    entered(0, poor, 200);
    entered(2, child, (cc_amount)(10 * size) - 200);
    assert_int_equal(out.items[1].result, CC_SUBMIT_THERE);
    for (size_t i = 0; i < 3; i += 2) {
        assert_true(out.items[i].together);
        assert_int_equal(out.items[i].paid, 10 * size);
        assert_int_equal(out.items[i].paid_vsize, size);
    }
    assert_false(out.items[1].together);
}

/* A bad script is found when they are judged together, and nobody enters. */
static void test_bad_together(void **state)
{
    struct cc_tx *poor = fixture_simple(&f, 1, 1, 200);
    struct cc_tx *child = fixture_child(&f, poor, 0, 10000);

    (void)state;
    f.pool->rolling = (uint64_t)10000 << 16;
    f.pool->rolling_time = f.now;
    child->vin[0].witness[0] = cc_bytes("\x52", 1);
    submit("transaction failed", poor, child, NULL);
    refused(0, words("mempool min fee not met, 200 < %zu", 10 * vsize(poor)));
    refused(1, "mandatory-script-verify-flag-failed (Witness program hash "
               "mismatch)");
    assert_false(fixture_has(&f, poor));
}

/* It paid what was asked, and is still the least deserving. */
static void test_no_room(void **state)
{
    struct cc_tx *rich = fixture_simple(&f, 1, 1, 100000);
    struct cc_tx *a = fixture_simple(&f, 2, 1, 1000);
    struct cc_tx *b = fixture_child(&f, a, 0, 1000);

    (void)state;
    fixture_add(&f, rich);
    f.pool->config.max_bytes = f.pool->usage + 100;
    submit("transaction failed", a, b, NULL);
    refused(0, "mempool full");
    refused(1, "mempool full");
    assert_int_equal(f.pool->count, 1);
    assert_int_equal(f.left[f.left_count - 1], CC_LEAVE_SIZELIMIT);
}

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
#define T(name) cmocka_unit_test_setup_teardown(name, open_bitcoin, close_all)
#define V3(name)                                                               \
    cmocka_unit_test_setup_teardown(name, open_nonstandard, close_all)
    const struct CMUnitTest tests[] = {
        T(test_bounds),
        T(test_order),
        T(test_one_after_the_other),
        T(test_maturing),
        T(test_nothing_is_replaced),
        T(test_limits_of_count),
        T(test_limit_of_descendants),
        T(test_limits_of_size),
        T(test_family),
        T(test_each_pays_for_itself),
        T(test_not_even_judged),
        T(test_a_part_gets_in),
        T(test_replaces),
        T(test_no_room_is_made),
        T(test_child_pays),
        T(test_bad_together),
        T(test_no_room),
        V3(test_carve_out),
        V3(test_version3),
        V3(test_version3_other_conflict),
        V3(test_parent_for_nothing),
        V3(test_refused_for_good),
        V3(test_version3_package),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
