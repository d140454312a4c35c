/* The pool over time: blocks, reorganisations, age, memory, restarts. */
#include "support.h"

#include "mempool/internal.h"
#include "mempool/test/fixture.h"
#include "util/fs.h"

#include <stdlib.h>
#include <string.h>

static struct fixture f;

static int open_bitcoin(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_BITCOIN_REGTEST);
    fixture_mine(&f, 30);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static void invalidate_tip(unsigned blocks)
{
    uint32_t height = cc_chain_tip(f.chain)->height + 1 - blocks;

    if (cc_chain_invalidate(f.chain, cc_chain_at(f.chain, height), &f.err) !=
        CC_OK)
        fail_msg("%s", f.err.text);
    assert_int_equal(cc_chain_tip(f.chain)->height, height - 1);
}

static size_t count(void)
{
    struct cc_mempool_stats stats;

    cc_mempool_stats(f.pool, &stats);
    return stats.count;
}

static void test_block(void **state)
{
    struct cc_tx *parent = fixture_simple(&f, 1, 2, 10000);
    struct cc_tx *child = fixture_child(&f, parent, 0, 10000);
    struct cc_tx *grandchild = fixture_child(&f, child, 0, 10000);
    struct cc_tx *rival = fixture_simple(&f, 2, 2, 10000);
    struct cc_tx *lost = fixture_simple(&f, 2, 1, 10000);
    struct cc_tx *under = fixture_child(&f, lost, 0, 10000);

    (void)state;
    fixture_add(&f, parent);
    fixture_add(&f, child);
    fixture_add(&f, grandchild);
    fixture_add(&f, lost);
    fixture_add(&f, under);
    cc_mempool_prioritise(f.pool, parent->txid, 500);
    cc_mempool_prioritise(f.pool, rival->txid, 500);
    fixture_check(&f);
    {
        struct cc_tx both[2] = {*parent, *rival};

        fixture_mine_txs(&f, both, 2);
    }
    /* The parent is in, its child stays with less above it; what conflicts
     * goes with all that builds on it. */
    assert_int_equal(count(), 2);
    assert_true(fixture_has(&f, child));
    assert_true(fixture_has(&f, grandchild));
    assert_int_equal(cc_mempool_find(f.pool, grandchild->txid)->ancestor_count,
                     2);
    assert_int_equal(f.left_count, 3);
    assert_int_equal(f.left[0], CC_LEAVE_BLOCK);
    assert_int_equal(f.left[1], CC_LEAVE_CONFLICT);
    assert_int_equal(f.left[2], CC_LEAVE_CONFLICT);
    assert_memory_equal(f.left_txid[1], under->txid, 32);
    fixture_check(&f);
    /* A delta is for once. */
    invalidate_tip(1);
    assert_int_equal(cc_mempool_find(f.pool, parent->txid)->fee_delta, 0);
    assert_int_equal(cc_mempool_find(f.pool, rival->txid)->fee_delta, 0);
}

static void test_reorg(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 2, 10000);
    struct cc_tx *b = fixture_child(&f, a, 0, 10000);
    struct cc_tx *c = fixture_child(&f, b, 0, 10000);
    struct cc_tx *d = fixture_child(&f, c, 0, 10000);
    struct cc_tx *free_one = fixture_simple(&f, 2, 1, 0);
    struct cc_tx *late, *locked, *apart = fixture_simple(&f, 3, 1, 10000);
    uint32_t height;

    (void)state;
    fixture_add(&f, a);
    fixture_mine(&f, 1); /* a */
    fixture_add(&f, b);
    fixture_mine(&f, 1); /* b */
    {
        /* A miner's own, without a fee, and c that we never heard of. */
        struct cc_tx both[2] = {*free_one, *c};

        fixture_mine_txs(&f, both, 2);
    }
    height = cc_chain_tip(f.chain)->height;
    fixture_add(&f, d);
    fixture_add(&f, apart);
    /* Good at this height only: a young coinbase, a lock time. */
    late = fixture_simple(&f, height - 1, 1, 10000);
    fixture_add(&f, late);
    locked = fixture_simple(&f, 4, 1, 10000);
    locked->locktime = height;
    locked->vin[0].sequence = 0;
    fixture_add(&f, locked);
    f.added_count = f.left_count = 0;
    invalidate_tip(3);
    /* All of it is back, in order, a fee being no question now; what the new
     * tip does not allow is gone. */
    assert_true(fixture_has(&f, a));
    assert_true(fixture_has(&f, b));
    assert_true(fixture_has(&f, c));
    assert_true(fixture_has(&f, d));
    assert_true(fixture_has(&f, free_one));
    assert_true(fixture_has(&f, apart));
    assert_false(fixture_has(&f, late));
    assert_false(fixture_has(&f, locked));
    assert_int_equal(f.added_count, 4);
    assert_int_equal(f.left_count, 2);
    assert_int_equal(f.left[0], CC_LEAVE_REORG);
    assert_int_equal(cc_mempool_find(f.pool, d->txid)->ancestor_count, 4);
    /* Who was in a block is no secret. */
    assert_true(cc_mempool_find(f.pool, a->txid)->returned);
    assert_false(cc_mempool_find(f.pool, d->txid)->returned);
    fixture_check(&f);
    fixture_mine(&f, 1);
    assert_int_equal(count(), 1); /* who pays nothing waits */
    assert_true(fixture_has(&f, free_one));
}

/* Blocks are taken back below one of the pool: those with too many ancestors
 * go, those with too many children stay. */
static void test_reorg_limits(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000);
    struct cc_tx *b = fixture_child(&f, a, 0, 10000);
    struct cc_tx *c = fixture_child(&f, b, 0, 10000);
    struct cc_tx *d = fixture_child(&f, c, 0, 10000);
    const size_t all = 96 * 4;

    (void)state;
    f.config.descendant_limit = 2;
    for (int i = 0; i < 4; i++) {
        bool stays = i % 2 == 0;

        f.config.ancestor_limit = i == 0 ? 4 : i == 1 ? 3 : 25;
        f.config.ancestor_size_limit = i == 2 ? all : i == 3 ? all - 1 : 0;
        fixture_reopen(&f);
        fixture_mine_txs(&f, a, 1);
        fixture_mine_txs(&f, b, 1);
        fixture_mine_txs(&f, c, 1);
        fixture_add(&f, d);
        invalidate_tip(3);
        assert_true(fixture_has(&f, a));
        assert_true(fixture_has(&f, c));
        assert_int_equal(fixture_has(&f, d), stays);
        assert_int_equal(cc_mempool_find(f.pool, c->txid)->ancestor_size,
                         3 * 96);
        if (!stays)
            assert_int_equal(f.left[f.left_count - 1], CC_LEAVE_SIZELIMIT);
        fixture_check(&f);
    }
    /* Alone it is no chain. */
    f.config.ancestor_size_limit = 90;
    fixture_reopen(&f);
    fixture_add(&f, a);
    fixture_mine_txs(&f, NULL, 0);
    invalidate_tip(1);
    assert_true(fixture_has(&f, a));
}

/* A branch with other transactions: what it took stays out, what it spent
 * otherwise falls with all that builds on it. */
static void test_reorg_branch(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000);
    struct cc_tx *twin = fixture_simple(&f, 1, 2, 10000);
    struct cc_tx *child = fixture_child(&f, a, 0, 10000);
    struct cc_tx *same = fixture_simple(&f, 2, 1, 10000);
    struct cc_index *old;

    (void)state;
    fixture_mine_txs(&f, NULL, 0);
    {
        struct cc_tx both[2] = {*a, *same};

        fixture_mine_txs(&f, both, 2);
    }
    old = cc_chain_tip(f.chain);
    fixture_add(&f, child);
    invalidate_tip(2);
    assert_int_equal(count(), 3);
    {
        struct cc_tx both[2] = {*twin, *same};

        fixture_mine_txs(&f, both, 2);
    }
    assert_int_equal(count(), 0);
    /* Back over the fork in one go: two blocks off, two on. */
    fixture_add(&f, fixture_child(&f, twin, 1, 10000));
    f.left_count = 0;
    assert_int_equal(cc_chain_reconsider(f.chain, old->prev, &f.err), CC_OK);
    assert_ptr_equal(cc_chain_tip(f.chain), old);
    assert_int_equal(count(), 0);
    fixture_check(&f);
}

static void test_expiry(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000);
    struct cc_tx *child = fixture_child(&f, a, 0, 10000);
    struct cc_tx *young = fixture_simple(&f, 2, 1, 10000);
    int64_t first = f.now;

    (void)state;
    fixture_add(&f, a);
    f.now = first + 100;
    fixture_add(&f, child);
    f.now = first + f.config.expiry_s;
    fixture_add(&f, young);
    assert_int_equal(count(), 3);
    f.now++;
    fixture_add(&f, fixture_simple(&f, 3, 1, 10000));
    assert_false(fixture_has(&f, a));
    assert_false(fixture_has(&f, child));
    assert_true(fixture_has(&f, young));
    assert_int_equal(f.left_count, 2);
    assert_int_equal(f.left[0], CC_LEAVE_EXPIRY);
    fixture_check(&f);
}

static void test_limit(void **state)
{
    struct cc_tx *poor, *parent, *child, *rich;
    struct cc_mempool_stats stats;
    size_t usage;

    (void)state;
    poor = fixture_simple(&f, 1, 1, 300);
    parent = fixture_simple(&f, 2, 1, 200); /* its child pays for it */
    child = fixture_child(&f, parent, 0, 20000);
    fixture_add(&f, poor);
    fixture_add(&f, parent);
    fixture_add(&f, child);
    cc_mempool_stats(f.pool, &stats);
    usage = stats.usage;
    f.config.max_bytes = usage + usage / 6;
    fixture_reopen(&f);
    fixture_add(&f, poor);
    fixture_add(&f, parent);
    fixture_add(&f, child);
    rich = fixture_simple(&f, 3, 1, 9600);
    fixture_add(&f, rich);
    assert_false(fixture_has(&f, poor));
    assert_true(fixture_has(&f, parent));
    assert_int_equal(f.left_count, 1);
    assert_int_equal(f.left[0], CC_LEAVE_SIZELIMIT);
    /* 300 for 96 bytes, and the increment. */
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.min_feerate, 3125 + 1000);
    fixture_expect(&f, fixture_simple(&f, 4, 1, 395),
                   "mempool min fee not met, 395 < 396");
}

static void test_limit_full(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000);

    (void)state;
    f.config.max_bytes = 1;
    fixture_reopen(&f);
    fixture_expect(&f, tx, "mempool full");
    assert_int_equal(f.err.verdict, CC_VERDICT_FEE);
    assert_int_equal(count(), 0);
}

/* The minimum falls by half in 12 hours after a block, faster when the pool
 * is nearly empty, and ends at nothing. */
static void test_rolling(void **state)
{
    struct cc_mempool_stats stats;

    (void)state;
    f.config.max_bytes = 1;
    f.config.min_relay_feerate = 0;
    fixture_reopen(&f);
    fixture_expect(&f, fixture_simple(&f, 1, 1, 96000), "mempool full");
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.min_feerate, 1001000);
    f.now += 12 * 3600;
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.min_feerate, 1001000);
    fixture_mine(&f, 1);
    /* usage 0 is not below a quarter of 1: integers. */
    f.now += 12 * 3600;
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.min_feerate, 500500);
    f.now += 6 * 3600;
    cc_mempool_stats(f.pool, &stats);
    assert_in_range(stats.min_feerate, 353000, 355000); /* / sqrt(2) */
    f.now += 9 * 12 * 3600;
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.min_feerate, 1000); /* the increment */
    f.now += 12 * 3600;
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.min_feerate, 0);
}

static void test_prioritise(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000);
    struct cc_tx *b = fixture_child(&f, a, 0, 10000);
    struct cc_tx *c = fixture_child(&f, b, 0, 10000);

    (void)state;
    fixture_add(&f, a);
    fixture_add(&f, b);
    fixture_add(&f, c);
    cc_mempool_prioritise(f.pool, b->txid, 700);
    fixture_check(&f);
    assert_int_equal(cc_mempool_find(f.pool, a->txid)->descendant_fees, 30700);
    assert_int_equal(cc_mempool_find(f.pool, c->txid)->ancestor_fees, 30700);
    cc_mempool_prioritise(f.pool, b->txid, -700);
    fixture_check(&f);
    assert_int_equal(cc_mempool_find(f.pool, b->txid)->fee_delta, 0);
    /* However much is asked for, sums stay sums. */
    for (int i = 0; i < 3; i++)
        cc_mempool_prioritise(f.pool, b->txid, INT64_MAX);
    assert_int_equal(cc_mempool_find(f.pool, b->txid)->fee_delta,
                     f.params.max_money);
    for (int i = 0; i < 3; i++)
        cc_mempool_prioritise(f.pool, b->txid, INT64_MIN);
    assert_int_equal(cc_mempool_find(f.pool, b->txid)->fee_delta,
                     -f.params.max_money);
    cc_mempool_prioritise(f.pool, b->txid, f.params.max_money);
    fixture_check(&f);
    assert_int_equal(cc_mempool_find(f.pool, b->txid)->fee_delta, 0);
}

/* A block's scripts that the pool has run are not run again: so one slipped
 * into the pool unchecked gets through with it, and not without. */
static void test_known_scripts(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 1, 10000);
    struct cc_txpool_node *node;
    struct cc_block block;
    uint64_t tries = 1000;

    (void)state;
    tx->vin[0].witness[0] = cc_bytes("\x52", 1);
    cc_tx_finish(tx);
    assert_int_equal(cc_generate(&block, f.pool, fixture_script(), tx, 1,
                                 &tries, NULL, &f.err),
                     CC_INVALID);
    assert_non_null(strstr(f.err.reason, "script-verify-flag"));
    node = cc_txpool_node_new(tx);
    cc_txpool_insert(f.pool, node, true);
    assert_int_equal(cc_generate(&block, f.pool, fixture_script(), tx, 1,
                                 &tries, NULL, &f.err),
                     CC_OK);
    cc_block_clear(&block);
    /* The same transaction with another witness is another. */
    tx->vin[0].witness[0] = cc_bytes("\x53", 1);
    cc_tx_finish(tx);
    assert_int_equal(cc_generate(&block, f.pool, fixture_script(), tx, 1,
                                 &tries, NULL, &f.err),
                     CC_INVALID);
    assert_int_equal(count(), 1);
}

/* --- mempool.dat -----------------------------------------------------------
 */

static bool one_delta(void *arg, const uint8_t txid[32], cc_amount delta)
{
    cc_amount *sum = arg;

    (void)txid;
    *sum += delta;
    return true;
}

/* A pool that was saved: three entries, the delta of one that is not there, one
 * that nobody has asked for yet. */
struct dump {
    struct cc_tx *a, *b, *away, *old;
    char *path;
    int64_t when; /* a and b came */
    uint8_t *data;
    size_t len;
};

static void make_dump(struct dump *d)
{
    d->a = fixture_simple(&f, 1, 1, 10000);
    d->b = fixture_child(&f, d->a, 0, 10000);
    d->away = fixture_simple(&f, 3, 1, 10000);
    d->old = fixture_simple(&f, 2, 1, 10000);
    d->path = cc_fs_join(f.dir, "mempool.dat");
    f.config.persist_v1 = true;
    fixture_reopen(&f);
    assert_int_equal(cc_mempool_load(f.pool, d->path, &f.err), CC_NOTFOUND);
    fixture_add(&f, d->old);
    f.now += 500;
    d->when = f.now;
    fixture_add(&f, d->a);
    fixture_add(&f, d->b);
    cc_mempool_prioritise(f.pool, d->b->txid, 77);
    cc_mempool_prioritise(f.pool, d->away->txid, 1000);
    cc_mempool_set_unbroadcast(f.pool, d->a->txid);
    cc_mempool_set_unbroadcast(f.pool, d->a->txid);
    cc_mempool_set_unbroadcast(f.pool, d->b->txid);
    cc_mempool_set_broadcast(f.pool, d->b->txid);
    cc_mempool_set_unbroadcast(f.pool, d->away->txid); /* not in the pool */
    assert_int_equal(cc_mempool_save(f.pool, d->path, &f.err), CC_OK);
    assert_int_equal(cc_fs_read(d->path, 1 << 20, &d->data, &d->len, &f.err),
                     CC_OK);
}

static void free_dump(struct dump *d)
{
    free(d->data);
    free(d->path);
}

static void test_dump(void **state)
{
    struct dump d;
    const uint8_t *end;
    struct cc_mempool_stats stats;
    cc_amount deltas = 0;

    (void)state;
    make_dump(&d);
    end = d.data + d.len;
    /* Byte by byte: version 1, three entries, one delta, one unannounced. */
    assert_int_equal(d.len, 8 + 8 + d.old->size + d.a->size + d.b->size +
                                3 * 16 + 1 + 40 + 1 + 32);
    assert_int_equal(cc_get_u64le(d.data), 1);
    assert_int_equal(cc_get_u64le(d.data + 8), 3);
    assert_int_equal(cc_get_u64le(d.data + 16 + d.old->size), d.when - 500);
    assert_int_equal(end[-74], 1);
    assert_memory_equal(end - 73, d.away->txid, 32);
    assert_int_equal(cc_get_u64le(end - 41), 1000);
    assert_int_equal(end[-33], 1);
    assert_memory_equal(end - 32, d.a->txid, 32);

    f.now = d.when - 500 + f.config.expiry_s; /* the first has just expired */
    fixture_reopen(&f);
    assert_int_equal(cc_mempool_load(f.pool, d.path, &f.err), CC_OK);
    assert_int_equal(count(), 2);
    assert_false(fixture_has(&f, d.old));
    assert_int_equal(cc_mempool_find(f.pool, d.a->txid)->time, d.when);
    assert_int_equal(cc_mempool_find(f.pool, d.b->txid)->fee_delta, 77);
    cc_mempool_each_delta(f.pool, one_delta, &deltas);
    assert_int_equal(deltas, 1077);
    cc_mempool_stats(f.pool, &stats);
    assert_int_equal(stats.unbroadcast, 1);
    assert_true(cc_mempool_find(f.pool, d.a->txid)->unbroadcast);
    fixture_check(&f);
    free_dump(&d);
}

static void test_damaged_dump(void **state)
{
    struct dump d;

    (void)state;
    make_dump(&d);
    f.now = d.when - 500 + f.config.expiry_s;
    /* Cut anywhere it does not decode, and does no harm. */
    for (size_t cut = 0; cut < d.len; cut += 1 + d.len / 97) {
        fixture_reopen(&f);
        assert_int_equal(cc_fs_write(d.path, d.data, cut, 0600, &f.err), CC_OK);
        assert_int_equal(cc_mempool_load(f.pool, d.path, &f.err), CC_CORRUPT);
    }
    /* Nor a byte changed anywhere; what it yields is still a pool. */
    fixture_reopen(&f);
    for (size_t at = 0; at < d.len; at += 1 + d.len / 199) {
        d.data[at] ^= 0x55;
        assert_int_equal(cc_fs_write(d.path, d.data, d.len, 0600, &f.err),
                         CC_OK);
        (void)cc_mempool_load(f.pool, d.path, &f.err);
        fixture_check(&f);
        d.data[at] ^= 0x55;
    }
    d.data[0] = 3;
    assert_int_equal(cc_fs_write(d.path, d.data, d.len, 0600, &f.err), CC_OK);
    assert_int_equal(cc_mempool_load(f.pool, d.path, &f.err), CC_CORRUPT);
    free_dump(&d);
}

/* Of the pool of somebody else no more is taken than is asked for. */
static void test_import(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000);
    struct cc_tx *away = fixture_simple(&f, 3, 1, 10000);
    char *path = cc_fs_join(f.dir, "mempool.dat");

    (void)state;
    fixture_add(&f, a);
    cc_mempool_prioritise(f.pool, a->txid, 77);
    cc_mempool_prioritise(f.pool, away->txid, 1000);
    cc_mempool_set_unbroadcast(f.pool, a->txid);
    assert_int_equal(cc_mempool_save(f.pool, path, &f.err), CC_OK);
    f.now += 500;
    for (int i = 0; i < 4; i++) {
        struct cc_mempool_import how = {i == 1, i == 2, i == 3};
        const struct cc_mempool_entry *e;
        cc_amount deltas = 0;

        fixture_reopen(&f);
        assert_int_equal(cc_mempool_import(f.pool, path, &how, &f.err), CC_OK);
        e = cc_mempool_find(f.pool, a->txid);
        assert_int_equal(e->time, i == 1 ? f.now : f.now - 500);
        assert_int_equal(e->fee_delta, i == 2 ? 77 : 0);
        assert_int_equal(e->unbroadcast, i == 3);
        cc_mempool_each_delta(f.pool, one_delta, &deltas);
        assert_int_equal(deltas, i == 2 ? 1077 : 0);
    }
    /* What has expired comes back only as new. */
    f.now += f.config.expiry_s;
    for (int i = 0; i < 2; i++) {
        struct cc_mempool_import how = {i == 1, false, false};

        fixture_reopen(&f);
        assert_int_equal(cc_mempool_import(f.pool, path, &how, &f.err), CC_OK);
        assert_int_equal(count(), i);
    }
    free(path);
}

/* Version 2: the same under a mask of 8 bytes, by the place in the file. */
static void test_dump_masked(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000);
    char *path = cc_fs_join(f.dir, "mempool.dat");
    uint8_t *plain, *masked;
    size_t len, masked_len;

    (void)state;
    fixture_add(&f, a);
    f.pool->config.persist_v1 = true;
    assert_int_equal(cc_mempool_save(f.pool, path, &f.err), CC_OK);
    assert_int_equal(cc_fs_read(path, 1 << 20, &plain, &len, &f.err), CC_OK);
    f.pool->config.persist_v1 = false;
    assert_int_equal(cc_mempool_save(f.pool, path, &f.err), CC_OK);
    assert_int_equal(cc_fs_read(path, 1 << 20, &masked, &masked_len, &f.err),
                     CC_OK);
    assert_int_equal(masked_len, len + 9);
    assert_int_equal(cc_get_u64le(masked), 2);
    assert_int_equal(masked[8], 8);
    for (size_t i = 17; i < masked_len; i++)
        assert_int_equal(masked[i] ^ masked[9 + i % 8], plain[i - 9]);
    fixture_reopen(&f);
    assert_int_equal(cc_mempool_load(f.pool, path, &f.err), CC_OK);
    assert_true(fixture_has(&f, a));
    for (size_t cut = 0; cut < masked_len; cut += 3) {
        fixture_reopen(&f);
        assert_int_equal(cc_fs_write(path, masked, cut, 0600, &f.err), CC_OK);
        assert_int_equal(cc_mempool_load(f.pool, path, &f.err), CC_CORRUPT);
    }
    masked[8] = 7; /* a mask of another length */
    assert_int_equal(cc_fs_write(path, masked, masked_len, 0600, &f.err),
                     CC_OK);
    assert_int_equal(cc_mempool_load(f.pool, path, &f.err), CC_CORRUPT);
    free(plain);
    free(masked);
    free(path);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_bitcoin, close_all)
    const struct CMUnitTest tests[] = {
        T(test_block),         T(test_reorg),       T(test_reorg_limits),
        T(test_reorg_branch),  T(test_expiry),      T(test_limit),
        T(test_limit_full),    T(test_rolling),     T(test_prioritise),
        T(test_known_scripts), T(test_dump),        T(test_damaged_dump),
        T(test_import),        T(test_dump_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
