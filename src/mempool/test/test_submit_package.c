/* Several transactions at once, submitted. */
#include "mempool/test/package_support.h"

#include <stdio.h>
#include <string.h>

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

int main(void)
{
#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, package_open, package_close)
    const struct CMUnitTest tests[] = {
        T(test_family),          T(test_each_pays_for_itself),
        T(test_not_even_judged), T(test_a_part_gets_in),
        T(test_replaces),        T(test_no_room_is_made),
        T(test_child_pays),      T(test_bad_together),
        T(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
