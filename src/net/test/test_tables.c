/*
 * What the peer logic remembers of transactions: recent hashes, requests,
 * orphans. Times and randomness are given, so every run is the same.
 */
#include "support.h"

#include "net/orphans.h"
#include "net/recent.h"
#include "net/txrequest.h"

static const uint8_t seed[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
#define NOW INT64_C(1700000000)
#define SECOND INT64_C(1000000)

/* --- Recent --------------------------------------------------------------- */

static void hash_of(uint8_t out[32], unsigned i)
{
    memset(out, 0, 32);
    cc_put_u32le(out, i);
}

static void test_recent(void **state)
{
    struct cc_recent r;
    uint8_t h[32];
    unsigned seen = 0;

    (void)state;
    cc_recent_init(&r, 1000, seed);
    for (unsigned i = 0; i < 10000; i++) {
        hash_of(h, i);
        assert_false(cc_recent_has(&r, h));
        cc_recent_add(&r, h);
        assert_true(cc_recent_has(&r, h));
        hash_of(h, i < 999 ? 0 : i - 999); /* the last thousand are there */
        assert_true(cc_recent_has(&r, h));
    }
    for (unsigned i = 0; i < 10000; i++) {
        hash_of(h, i);
        seen += cc_recent_has(&r, h);
    }
    assert_true(seen >= 1000 && seen <= 2000); /* and memory is bounded */
    assert_true(r.now.cap + r.before.cap <= 8 * 1000);
    cc_recent_reset(&r);
    assert_false(cc_recent_has(&r, h));
    cc_recent_clear(&r);
}

/* --- Requests ------------------------------------------------------------- */

static size_t due(struct cc_txreq *t, int64_t peer, int64_t now)
{
    struct cc_txreq_want w[10];

    return cc_txreq_due(t, peer, now, w, 10);
}

static void test_txreq_one_at_a_time(void **state)
{
    struct cc_txreq *t = cc_txreq_new(seed);
    uint8_t h[32];

    (void)state;
    hash_of(h, 1);
    assert_true(
        cc_txreq_announce(t, 1, h, true, false, 5 * SECOND, CC_TXREQ_PER_PEER));
    assert_true(
        cc_txreq_announce(t, 2, h, true, true, 5 * SECOND, CC_TXREQ_PER_PEER));
    assert_true(
        cc_txreq_announce(t, 3, h, true, false, 5 * SECOND, CC_TXREQ_PER_PEER));
    assert_int_equal(due(t, 1, 4 * SECOND), 0); /* not yet */
    assert_int_equal(due(t, 1, 5 * SECOND), 0); /* 2 is preferred */
    assert_int_equal(due(t, 2, 5 * SECOND), 1);
    assert_int_equal(due(t, 2, 5 * SECOND), 0);
    assert_int_equal(due(t, 1, 6 * SECOND), 0);
    assert_int_equal(cc_txreq_in_flight(t, 2), 1);
    /* No answer for a minute: the next in order. */
    assert_int_equal(due(t, 3, 66 * SECOND), 0);
    assert_int_equal(due(t, 1, 66 * SECOND), 1);
    assert_int_equal(cc_txreq_in_flight(t, 2), 0);
    assert_int_equal(cc_txreq_count(t, 2), 0);
    /* notfound: the next at once. */
    cc_txreq_answered(t, 1, h);
    assert_int_equal(due(t, 3, 67 * SECOND), 1);
    cc_txreq_forget(t, h);
    assert_int_equal(cc_txreq_size(t), 0);
    assert_int_equal(cc_txreq_in_flight(t, 3), 0);
    cc_txreq_free(t);
}

static void test_txreq_peer_gone(void **state)
{
    struct cc_txreq *t = cc_txreq_new(seed);
    uint8_t h[32];

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        hash_of(h, i);
        cc_txreq_announce(t, 1, h, i % 2, true, 0, CC_TXREQ_PER_PEER);
        cc_txreq_announce(t, 2, h, i % 2, false, 0, CC_TXREQ_PER_PEER);
    }
    assert_int_equal(due(t, 1, SECOND), 5);
    assert_int_equal(due(t, 2, SECOND), 0);
    cc_txreq_peer_gone(t, 1);
    assert_int_equal(due(t, 2, SECOND), 5);
    cc_txreq_peer_gone(t, 2);
    assert_int_equal(cc_txreq_size(t), 0);
    cc_txreq_free(t);
}

static void test_txreq_bound(void **state)
{
    struct cc_txreq *t = cc_txreq_new(seed);
    uint8_t h[32];

    (void)state;
    for (unsigned i = 0; i < CC_TXREQ_PER_PEER; i++) {
        hash_of(h, i);
        assert_true(
            cc_txreq_announce(t, 1, h, true, true, 0, CC_TXREQ_PER_PEER));
    }
    hash_of(h, CC_TXREQ_PER_PEER);
    assert_false(cc_txreq_announce(t, 1, h, true, true, 0, CC_TXREQ_PER_PEER));
    assert_true(cc_txreq_announce(t, 2, h, true, true, 0, CC_TXREQ_PER_PEER));
    hash_of(h, 0);
    assert_true(cc_txreq_announce(t, 1, h, true, true, 0,
                                  CC_TXREQ_PER_PEER)); /* known */
    assert_int_equal(cc_txreq_count(t, 1), CC_TXREQ_PER_PEER);
    cc_txreq_answered(t, 1, h);
    assert_int_equal(cc_txreq_count(t, 1), CC_TXREQ_PER_PEER - 1);
    cc_txreq_free(t);
}

/* Random calls against the invariants: at most one peer is asked, and counts
 * agree. */
static void test_txreq_random(void **state)
{
    struct cc_txreq *t = cc_txreq_new(seed);
    struct cc_test_random r;
    int asked_of[20];
    int64_t now = 0, asked_at[20] = {0};

    (void)state;
    cc_test_random_init(&r, 4);
    memset(asked_of, -1, sizeof(asked_of));
    for (int i = 0; i < 100000; i++) {
        unsigned k = (unsigned)(cc_test_random(&r) % 20);
        int64_t peer = (int64_t)(cc_test_random(&r) % 6);
        struct cc_txreq_want w[4];
        uint8_t h[32];
        size_t n;

        hash_of(h, k);
        now += (int64_t)(cc_test_random(&r) % (2 * (uint64_t)SECOND));
        switch (cc_test_random(&r) % 8) {
        case 0:
        case 1:
        case 2:
            cc_txreq_announce(
                t, peer, h, true, cc_test_random(&r) & 1,
                now + (int64_t)(cc_test_random(&r) % (uint64_t)(4 * SECOND)),
                CC_TXREQ_PER_PEER);
            break;
        case 3:
            cc_txreq_answered(t, peer, h);
            if (asked_of[k] == (int)peer)
                asked_of[k] = -1;
            break;
        case 4:
            if (cc_test_random(&r) % 8 == 0) {
                cc_txreq_peer_gone(t, peer);
                for (int j = 0; j < 20; j++)
                    if (asked_of[j] == (int)peer)
                        asked_of[j] = -1;
            }
            break;
        case 5:
            if (cc_test_random(&r) % 4 == 0) {
                cc_txreq_forget(t, h);
                asked_of[k] = -1;
            }
            break;
        default:
            n = cc_txreq_due(t, peer, now, w, 4);
            for (size_t j = 0; j < n; j++) {
                uint32_t id = cc_get_u32le(w[j].hash);

                if (asked_of[id] >= 0)
                    assert_true(now >= asked_at[id] + CC_TXREQ_TIMEOUT_US);
                asked_of[id] = (int)peer;
                asked_at[id] = now;
            }
        }
    }
    for (int64_t p = 0; p < 6; p++)
        cc_txreq_peer_gone(t, p);
    assert_int_equal(cc_txreq_size(t), 0);
    cc_txreq_free(t);
}

/* --- Orphans -------------------------------------------------------------- */

static void make_orphan(struct cc_tx *tx, unsigned parent, unsigned salt)
{
    struct cc_writer w;
    uint8_t h[32];

    hash_of(h, parent);
    cc_writer_init_heap(&w);
    cc_write_u32le(&w, salt);
    cc_write_compact(&w, 1);
    cc_write_bytes(&w, h, 32);
    cc_write_u32le(&w, 0);
    cc_write_compact(&w, 0);
    cc_write_u32le(&w, 0);
    cc_write_compact(&w, 1);
    cc_write_u64le(&w, 1);
    cc_write_compact(&w, 0);
    cc_write_u32le(&w, 0);
    assert_int_equal(cc_tx_decode(tx, w.data, w.len, true), CC_OK);
    cc_writer_clear(&w);
}

static void test_orphans(void **state)
{
    struct cc_orphans *o = cc_orphans_new(CC_ORPHANS_MAX);
    static const uint8_t map_seed[16] = {1};
    struct cc_outpoint out = {{0}, 0};
    struct cc_map spent, came;
    const struct cc_tx *work;
    struct cc_tx tx;
    uint8_t h[32], other[32];

    (void)state;
    make_orphan(&tx, 1, 7);
    assert_true(cc_orphans_add(o, &tx, 1, NOW, 0));
    assert_false(cc_orphans_add(o, &tx, 2, NOW, 0));
    assert_true(cc_orphans_has(o, tx.wtxid, true));
    assert_true(cc_orphans_has(o, tx.txid, false));
    assert_null(cc_orphans_work(o, 1));
    hash_of(h, 1);
    cc_orphans_parent_came(o, h);
    assert_false(cc_orphans_has_work(o, 2));
    assert_true(cc_orphans_has_work(o, 1));
    work = cc_orphans_work(o, 1);
    assert_non_null(work);
    assert_memory_equal(work->txid, tx.txid, 32);
    assert_null(cc_orphans_work(o, 1)); /* once */
    cc_map_init(&came, 32, 1, map_seed);
    hash_of(other, 2);
    cc_map_put(&came, other, NULL);
    cc_orphans_parents_came(o, &came);
    assert_false(cc_orphans_has_work(o, 1));
    cc_map_put(&came, h, NULL);
    cc_orphans_parents_came(o, &came);
    assert_true(cc_orphans_has_work(o, 1));
    cc_map_put(&came, tx.txid, NULL);
    cc_map_remove(&came, h, NULL);
    cc_orphans_parents_came(o, &came); /* what waits goes on waiting */
    assert_true(cc_orphans_has_work(o, 1));
    cc_map_clear(&came);
    memcpy(out.txid, h, 32);
    cc_map_init(&spent, sizeof(out), 1, map_seed);
    cc_orphans_remove_spending(o, &spent);
    assert_int_equal(cc_orphans_count(o), 1);
    cc_map_put(&spent, &out, NULL);
    cc_orphans_remove_spending(o, &spent);
    assert_int_equal(cc_orphans_count(o), 0);
    cc_map_clear(&spent);
    cc_orphans_add(o, &tx, 1, NOW, 0);
    cc_orphans_remove_peer(o, 2);
    assert_int_equal(cc_orphans_count(o), 1);
    cc_orphans_remove_peer(o, 1);
    assert_int_equal(cc_orphans_count(o), 0);
    cc_tx_clear(&tx);
    cc_orphans_free(o);
}

static void test_orphans_bound(void **state)
{
    struct cc_orphans *o = cc_orphans_new(CC_ORPHANS_MAX);
    struct cc_tx tx;

    (void)state;
    for (unsigned i = 0; i < 3 * CC_ORPHANS_MAX; i++) {
        make_orphan(&tx, i, i);
        assert_true(cc_orphans_add(o, &tx, 1, NOW, i * 7919));
        assert_true(cc_orphans_count(o) <= CC_ORPHANS_MAX);
        cc_tx_clear(&tx);
    }
    assert_int_equal(cc_orphans_count(o), CC_ORPHANS_MAX);
    make_orphan(&tx, 5000, 1);
    /* After twenty minutes all of them have gone. */
    assert_true(cc_orphans_add(o, &tx, 1, NOW + CC_ORPHAN_EXPIRE_S, 0));
    assert_int_equal(cc_orphans_count(o), 1);
    cc_tx_clear(&tx);
    cc_orphans_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recent),
        cmocka_unit_test(test_txreq_one_at_a_time),
        cmocka_unit_test(test_txreq_peer_gone),
        cmocka_unit_test(test_txreq_bound),
        cmocka_unit_test(test_txreq_random),
        cmocka_unit_test(test_orphans),
        cmocka_unit_test(test_orphans_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
