/* What the chain answers when it is asked. */
#include <pthread.h>
#include <sched.h>

#include "chain/index.h"
#include "chain/test/world.h"
#include "consensus/test/build.h"

struct fixture {
    struct world w;
    char *dir;
    struct cc_chain *c;
};

static void give(struct fixture *f, int i)
{
    struct cc_error err;

    if (cc_chain_accept_block(f->c, &f->w.blocks[i].block, true, NULL, NULL,
                              &err) != CC_OK)
        fail_msg("block %d: %s", i, err.text);
}

static int extend(struct fixture *f, int i, unsigned n)
{
    while (n--) {
        i = world_make(&f->w, i, RIGHT);
        give(f, i);
    }
    return i;
}

static void setup(struct fixture *f, bool storage)
{
    world_init(&f->w, 31, storage);
    f->dir = cc_test_mkdir();
    f->c = world_open(&f->w, f->dir);
}

static void teardown(struct fixture *f)
{
    cc_chain_free(f->c);
    cc_test_rmdir(f->dir);
    world_clear(&f->w);
}

static struct cc_index *index_of(struct fixture *f, int i)
{
    return cc_chain_find(f->c, f->w.blocks[i].block.hash);
}

static void test_places(void **state)
{
    struct fixture f;
    int base, a, b;

    (void)state;
    setup(&f, true);
    base = extend(&f, 0, 5);
    b = extend(&f, base, 2);
    a = extend(&f, base, 4);
    assert_int_equal(cc_chain_tip(f.c)->height, 9);
    for (uint32_t h = 0; h <= 9; h++)
        assert_int_equal(cc_chain_at(f.c, h)->height, h);
    assert_null(cc_chain_at(f.c, 10));
    assert_true(cc_chain_contains(f.c, index_of(&f, a)));
    assert_false(cc_chain_contains(f.c, index_of(&f, b)));
    assert_ptr_equal(cc_index_fork(index_of(&f, a), index_of(&f, b)),
                     index_of(&f, base));
    assert_null(cc_chain_find(f.c, (const uint8_t[32]){1}));
    assert_ptr_equal(cc_chain_params(f.c), &f.w.params);
    /* a shorter branch becomes the chain: what lay above is gone */
    assert_int_equal(cc_chain_invalidate(f.c, cc_chain_at(f.c, 6), NULL),
                     CC_OK);
    assert_ptr_equal(cc_chain_tip(f.c), index_of(&f, b));
    assert_null(cc_chain_at(f.c, 8));
    assert_false(cc_chain_contains(f.c, index_of(&f, a)));
    teardown(&f);
}

static void test_locator(void **state)
{
    static const uint32_t want[] = {70, 69, 68, 67, 66, 65, 64, 63, 62,
                                    61, 60, 59, 57, 53, 45, 29, 0};
    uint8_t locator[32][32];
    struct fixture f;
    size_t n;
    int side, tip;

    (void)state;
    setup(&f, true);
    f.w.max_tx = 0;
    tip = extend(&f, 0, 70);
    n = cc_chain_locator(f.c, NULL, locator, 32);
    assert_true(n >= 12 && n < 24);
    for (size_t i = 0; i < n; i++) {
        const struct cc_index *x = cc_chain_find(f.c, locator[i]);

        assert_non_null(x);
        if (i < 11)
            assert_int_equal(x->height, want[i]);
        else
            assert_true(x->height < cc_chain_find(f.c, locator[i - 1])->height);
    }
    assert_memory_equal(locator[n - 1], f.w.params.genesis_hash, 32);
    assert_ptr_equal(cc_chain_find_fork(f.c, (const uint8_t(*)[32])locator, n),
                     cc_chain_tip(f.c));
    /* little room: still from the tip to genesis */
    assert_int_equal(cc_chain_locator(f.c, NULL, locator, 4), 4);
    assert_memory_equal(locator[3], f.w.params.genesis_hash, 32);

    /* from a side branch the fork is where it left */
    side = world_make(&f.w, 50, RIGHT);
    give(&f, side);
    n = cc_chain_locator(f.c, index_of(&f, side), locator, 32);
    assert_memory_equal(locator[0], f.w.blocks[side].block.hash, 32);
    assert_ptr_equal(cc_chain_find_fork(f.c, (const uint8_t(*)[32])locator, n),
                     index_of(&f, 50));
    /* unknown hashes alone: genesis */
    memset(locator, 5, sizeof(locator));
    assert_ptr_equal(cc_chain_find_fork(f.c, (const uint8_t(*)[32])locator, 3),
                     cc_chain_genesis(f.c));
    (void)tip;
    teardown(&f);
}

/* --- Catching up -------------------------------------------------------- */

static int64_t clock_of(void *arg) { return *(int64_t *)arg; }

static void test_ibd(void **state)
{
    struct fixture f;
    struct cc_chain_config config;
    int64_t now;
    int tip;

    (void)state;
    setup(&f, true);
    tip = extend(&f, 0, 3);
    cc_chain_free(f.c);
    world_config(&f.w, &config, f.dir);
    config.now = clock_of;
    config.now_arg = &now;
    now = (int64_t)f.w.blocks[tip].block.header.time + 24 * 3600 + 1;
    assert_int_equal(cc_chain_open(&f.c, &config, NULL), CC_OK);
    assert_true(cc_chain_in_ibd(f.c)); /* the tip is too old */
    now--;
    assert_false(cc_chain_in_ibd(f.c));
    now += 1000000;
    assert_false(cc_chain_in_ibd(f.c)); /* once out, out */
    cc_chain_free(f.c);

    now = (int64_t)f.w.blocks[tip].block.header.time;
    f.w.params.minimum_chain_work = cc_u256_from_u64(9);
    assert_int_equal(cc_chain_open(&f.c, &config, NULL), CC_OK);
    assert_true(cc_chain_in_ibd(f.c)); /* too little work: 4 blocks of 2 */
    extend(&f, tip, 1);
    assert_false(cc_chain_in_ibd(f.c));
    teardown(&f);
}

/* --- Blocks that nobody asked for --------------------------------------- */

static bool stored(struct fixture *f, int i)
{
    const struct cc_index *x = index_of(f, i);

    return x && x->status & CC_INDEX_DATA;
}

static enum cc_status offer(struct fixture *f, int i)
{
    return cc_chain_accept_block(f->c, &f->w.blocks[i].block, false, NULL, NULL,
                                 NULL);
}

static void test_unasked(void **state)
{
    struct fixture f;
    int tip, weak, far;

    (void)state;
    setup(&f, true);
    f.w.max_tx = 0;
    tip = extend(&f, 0, 4);
    weak = world_make(&f.w, 1, RIGHT);
    assert_int_equal(offer(&f, weak), CC_OK);
    assert_false(stored(&f, weak)); /* less work than the tip */
    give(&f, weak);
    assert_true(stored(&f, weak)); /* asked for */
    far = tip;
    for (int n = 0; n < 289; n++) {
        far = world_make(&f.w, far, RIGHT);
        assert_int_equal(cc_chain_accept_header(
                             f.c, &f.w.blocks[far].block.header, NULL, NULL),
                         CC_OK);
    }
    assert_int_equal(offer(&f, far), CC_OK);
    assert_false(stored(&f, far)); /* too far ahead */
    assert_int_equal(offer(&f, f.w.blocks[far].prev), CC_OK);
    assert_true(stored(&f, f.w.blocks[far].prev));
    teardown(&f);
}

/* --- Coins -------------------------------------------------------------- */

static void test_coin(void **state)
{
    struct fixture f;
    struct cc_arena arena;
    int tip;

    (void)state;
    setup(&f, true);
    tip = extend(&f, 0, 25);
    cc_arena_init(&arena);
    for (size_t i = 0; i < f.w.blocks[tip].coin_count; i++) {
        const struct wcoin *want = &f.w.blocks[tip].coins[i];
        struct cc_coin got;

        assert_int_equal(cc_chain_coin(f.c, &want->o, &got, &arena, NULL),
                         CC_OK);
        assert_int_equal(got.height, want->coin.height);
        assert_int_equal(got.out.value, want->coin.out.value);
        assert_true(cc_bytes_equal(got.out.script, want->coin.out.script));
    }
    for (int b = 1; b <= tip; b++) {
        const struct cc_block *block = &f.w.blocks[b].block;

        for (size_t i = 1; i < block->tx_count; i++) {
            struct cc_coin got;

            assert_int_equal(cc_chain_coin(f.c, &block->tx[i].vin[0].prevout,
                                           &got, &arena, NULL),
                             CC_NOTFOUND);
        }
    }
    cc_arena_clear(&arena);
    teardown(&f);
}

static bool stop_after_three(void *arg, const struct cc_outpoint *o,
                             const struct cc_coin *coin)
{
    (void)o;
    (void)coin;
    return ++*(int *)arg < 3;
}

static void test_walk_stops(void **state)
{
    struct fixture f;
    int count = 0;

    (void)state;
    setup(&f, true);
    extend(&f, 0, 10);
    assert_int_equal(cc_chain_each_coin(f.c, stop_after_three, &count, NULL),
                     CC_OK);
    assert_int_equal(count, 3);
    teardown(&f);
}

static void test_stored(void **state)
{
    struct fixture f;
    struct cc_block block;
    struct cc_undo undo;
    struct cc_index *x;
    uint8_t *raw;
    size_t len;
    int tip;

    (void)state;
    setup(&f, true);
    tip = extend(&f, 0, 10);
    x = index_of(&f, tip);
    assert_int_equal(cc_chain_read_raw(f.c, x, &raw, &len, NULL), CC_OK);
    assert_true(cc_bytes_equal(cc_bytes(raw, len), f.w.blocks[tip].block.raw));
    free(raw);
    assert_int_equal(cc_chain_read_block(f.c, x, &block, NULL), CC_OK);
    assert_int_equal(cc_chain_read_undo(f.c, x, &undo, NULL), CC_OK);
    assert_int_equal(undo.count + 1, block.tx_count);
    cc_undo_clear(&undo);
    cc_block_clear(&block);
    assert_true(cc_chain_disk_size(f.c) > len);
    /* genesis can be read and has nothing to undo */
    x = cc_chain_genesis(f.c);
    assert_int_equal(cc_chain_read_block(f.c, x, &block, NULL), CC_OK);
    cc_block_clear(&block);
    assert_int_equal(cc_chain_read_undo(f.c, x, &undo, NULL), CC_NOTFOUND);
    /* a header alone has no block */
    tip = world_make(&f.w, tip, RIGHT);
    assert_int_equal(
        cc_chain_accept_header(f.c, &f.w.blocks[tip].block.header, &x, NULL),
        CC_OK);
    assert_int_equal(cc_chain_read_block(f.c, x, &block, NULL), CC_NOTFOUND);
    teardown(&f);
}

/* --- The view of the storage rules -------------------------------------- */

static void test_view(void **state)
{
    struct fixture f;
    struct cc_chain_view v;
    struct cc_storage_view view;
    struct cc_mint_state s;
    int base, a, b;

    (void)state;
    setup(&f, true);
    base = extend(&f, 0, 6);
    b = extend(&f, base, 3);
    a = extend(&f, base, 4);
    for (int side = 0; side < 2; side++) {
        const struct cc_index *prev = index_of(&f, side ? b : a);

        view = cc_chain_storage_view(&v, f.c, prev);
        assert_int_equal(view.height, prev->height + 1);
        for (uint32_t h = 0; h <= prev->height; h++)
            assert_memory_equal(view.hash(view.arg, h),
                                cc_index_ancestor(prev, h)->hash, 32);
        assert_null(view.hash(view.arg, prev->height + 1));
        assert_true(view.state(view.arg, 6, &s));
        assert_int_equal(s.pool, 6 * cc_subsidy_storage(&f.w.params, 1));
        assert_false(view.state(view.arg, prev->height + 1, &s));
    }
    assert_int_equal(cc_chain_place(f.c, index_of(&f, a)).height, 11);
    teardown(&f);
}

/* --- Proposals ---------------------------------------------------------- */

static void test_proposal(void **state)
{
    struct fixture f;
    struct cc_error err;
    int tip, next, wrong;

    (void)state;
    setup(&f, true);
    tip = extend(&f, 0, 20);
    next = world_make(&f.w, tip, RIGHT);
    wrong = world_make(&f.w, tip, WRONG_REWARD);
    assert_int_equal(
        cc_chain_test_block(f.c, &f.w.blocks[next].block, true, true, NULL),
        CC_OK);
    assert_int_equal(
        cc_chain_test_block(f.c, &f.w.blocks[wrong].block, true, true, &err),
        CC_INVALID);
    assert_string_equal(err.reason, "bad-cb-amount");
    /* nothing is kept, no hash condemned */
    assert_null(index_of(&f, next));
    assert_null(index_of(&f, wrong));
    world_expect(&f.w, f.c, tip);
    f.w.blocks[next].block.header.merkle_root[0] ^= 1;
    assert_int_equal(
        cc_chain_test_block(f.c, &f.w.blocks[next].block, false, true, &err),
        CC_INVALID);
    assert_string_equal(err.reason, "bad-txnmrklroot");
    assert_int_equal(
        cc_chain_test_block(f.c, &f.w.blocks[next].block, false, false, &err),
        CC_OK);
    f.w.blocks[next].block.header.merkle_root[0] ^= 1;
    give(&f, next);
    assert_int_equal(
        cc_chain_test_block(f.c, &f.w.blocks[wrong].block, true, true, &err),
        CC_INVALID);
    assert_string_equal(err.reason, "inconclusive-not-best-prevblk");
    teardown(&f);
}

/* --- Scripts found good before ------------------------------------------ */

/* The last transaction of such a block is the one whose script fails. */
static const uint8_t *bad_wtxid(const struct fixture *f, int i)
{
    const struct cc_block *b = &f->w.blocks[i].block;

    return b->tx[b->tx_count - 1].wtxid;
}

struct known {
    uint8_t wtxid[32];
    uint32_t flags;
};

static bool is_known(void *arg, const uint8_t wtxid[32], uint32_t flags)
{
    const struct known *k = arg;

    return flags == k->flags && !memcmp(wtxid, k->wtxid, 32);
}

static void test_scripts_known(void **state)
{
    struct fixture f;
    struct known k;
    int tip, bad;

    (void)state;
    setup(&f, true);
    tip = extend(&f, 0, 30);
    bad = world_make(&f.w, tip, WRONG_SCRIPT);
    assert_int_equal(f.w.blocks[bad].wrong, WRONG_SCRIPT);
    memcpy(k.wtxid, bad_wtxid(&f, bad), 32);
    k.flags = cc_block_script_flags(&f.w.params, 31);
    cc_chain_set_known(f.c, is_known, &k);
    assert_int_equal(
        cc_chain_test_block(f.c, &f.w.blocks[bad].block, true, true, NULL),
        CC_OK); /* taken at that word */
    k.wtxid[0] ^= 1;
    assert_int_equal(
        cc_chain_test_block(f.c, &f.w.blocks[bad].block, true, true, NULL),
        CC_INVALID);
    teardown(&f);
}

/* A block that was connected once is not verified again on its way back. */
static void test_connected_before(void **state)
{
    struct fixture f;
    struct cc_index *x;
    int tip, bad, a;

    (void)state;
    setup(&f, true);
    tip = extend(&f, 0, 30);
    a = world_make(&f.w, tip, RIGHT);
    bad = world_make(&f.w, tip, WRONG_SCRIPT);
    assert_int_equal(f.w.blocks[bad].wrong, WRONG_SCRIPT);
    give(&f, a);
    give(&f, bad); /* beside the chain: stored only */
    x = index_of(&f, bad);
    x->status |= CC_INDEX_VALID; /* as if it had been */
    assert_int_equal(cc_chain_precious(f.c, x, NULL), CC_OK);
    assert_ptr_equal(cc_chain_tip(f.c), x);
    teardown(&f);
}

/* --- BIP 30 ------------------------------------------------------------- */

/* A block with the same coinbase as another, possible where no height stands
 * in it. */
static void same_coinbase(struct fixture *f, struct cc_block *out, uint8_t salt)
{
    const struct cc_index *tip = cc_chain_tip(f->c);
    struct cc_build b;

    cc_build_init(&b);
    b.params = &f->w.params;
    b.mine = true;
    memcpy(b.header.prev, tip->hash, 32);
    b.header.time = tip->header.time + 1 + salt;
    b.header.bits = f->w.params.genesis.bits;
    cc_build_coinbase(&b, 1, 5 * CC_COIN);
    cc_build_block(&b, out);
    cc_build_clear(&b);
}

static void test_bip30(void **state)
{
    struct fixture f;
    struct cc_block one, two;
    struct cc_error err;

    (void)state;
    world_init(&f.w, 31, false);
    f.w.params.bip34_height = 1000;
    f.dir = cc_test_mkdir();
    f.c = world_open(&f.w, f.dir);
    same_coinbase(&f, &one, 0);
    assert_int_equal(cc_chain_accept_block(f.c, &one, true, NULL, NULL, NULL),
                     CC_OK);
    same_coinbase(&f, &two, 1);
    assert_memory_equal(one.tx[0].txid, two.tx[0].txid, 32);
    assert_int_equal(cc_chain_accept_block(f.c, &two, true, NULL, NULL, &err),
                     CC_INVALID);
    assert_string_equal(err.reason, "bad-txns-BIP30");
    cc_block_clear(&one);
    cc_block_clear(&two);
    teardown(&f);
}

/* --- The lock ----------------------------------------------------------- */

struct racer {
    struct fixture *f;
    int first, step;
};

static void *race(void *arg)
{
    struct racer *r = arg;

    for (int i = r->first; i < (int)r->f->w.count; i += r->step) {
        cc_chain_lock(r->f->c);
        assert_true(cc_chain_at(r->f->c, cc_chain_tip(r->f->c)->height) ==
                    cc_chain_tip(r->f->c)); /* it is recursive */
        cc_chain_unlock(r->f->c);
        (void)cc_chain_accept_block(r->f->c, &r->f->w.blocks[i].block, true,
                                    NULL, NULL, NULL);
    }
    return NULL;
}

/* Several threads give blocks of two branches at once. */
static void test_threads(void **state)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    struct racer racer[THREADS];
    struct fixture f;
    int a = 0, b = 0;

    (void)state;
    setup(&f, true);
    for (int n = 0; n < 40; n++) {
        a = world_make(&f.w, a, RIGHT);
        b = world_make(&f.w, b, RIGHT);
    }
    a = world_make(&f.w, a, RIGHT);
    for (size_t i = 1; i < f.w.count; i++)
        assert_int_equal(cc_chain_accept_header(
                             f.c, &f.w.blocks[i].block.header, NULL, NULL),
                         CC_OK);
    for (int i = 0; i < THREADS; i++) {
        racer[i] = (struct racer){&f, i + 1, THREADS};
        assert_int_equal(pthread_create(&thread[i], NULL, race, &racer[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    world_expect(&f.w, f.c, a);
    teardown(&f);
}

struct pest {
    struct cc_chain *c;
    atomic_bool done;
    unsigned rounds;
};

/* As callers of RPC are: flushing, looking at coins, checking it all. */
static void *pester(void *arg)
{
    struct pest *p = arg;

    while (!p->done) {
        struct cc_error err;

        if (cc_chain_flush(p->c, &err) != CC_OK)
            fail_msg("flush: %s", err.text);
        if (++p->rounds % 16 == 0 && cc_chain_verify(p->c, CC_VERIFY_CONNECT, 3,
                                                     NULL, NULL, &err) != CC_OK)
            fail_msg("verify: %s", err.text);
    }
    return NULL;
}

/* Others have their turn while scripts run: they may write the coins down and
 * empty the cache, which is half full and more, and the block that is judged
 * meanwhile finds what it spends all the same. */
static void test_others_meanwhile(void **state)
{
    struct cc_chain_config config;
    struct fixture f = {0};
    struct pest pest = {0};
    pthread_t thread;
    int i = 0;

    (void)state;
    world_init(&f.w, 33, false);
    f.w.max_tx = 40;
    f.dir = cc_test_mkdir();
    world_config(&f.w, &config, f.dir);
    config.cache_bytes = 100000;
    assert_int_equal(cc_chain_open(&f.c, &config, NULL), CC_OK);
    for (int n = 0; n < 150; n++)
        i = world_make(&f.w, i, RIGHT);
    for (size_t n = 1; n < f.w.count; n++) /* catching up: many in a batch */
        assert_int_equal(cc_chain_accept_header(
                             f.c, &f.w.blocks[n].block.header, NULL, NULL),
                         CC_OK);
    pest.c = f.c;
    assert_int_equal(pthread_create(&thread, NULL, pester, &pest), 0);
    for (size_t n = 1; n < f.w.count; n++)
        give(&f, (int)n);
    pest.done = true;
    pthread_join(thread, NULL);
    assert_true(pest.rounds > 150);
    world_expect(&f.w, f.c, i);
    teardown(&f);
}

struct watch {
    struct cc_chain *c;
    atomic_bool done, waits;
    const struct cc_index *first, *told;
    unsigned moves, untold, worse;
};

static void on_watched_tip(void *arg, const struct cc_index *tip)
{
    struct watch *w = arg;

    w->told = tip;
    while (!w->waits) /* it is to have the next turn */
        sched_yield();
}

static void *watch(void *arg)
{
    struct watch *w = arg;
    const struct cc_index *seen = w->first, *tip;
    bool last;

    do {
        last = w->done;
        w->waits = true;
        cc_chain_lock(w->c);
        w->waits = false;
        tip = cc_chain_tip(w->c);
        w->moves += tip != seen;
        w->untold += tip != w->told;
        w->worse += cc_u256_cmp(&tip->work, &seen->work) < 0;
        seen = tip;
        cc_chain_unlock(w->c);
    } while (!last);
    return NULL;
}

/* Many blocks in one go, off one branch and on another: others have the lock
 * in between, and what follows the chain was told of every tip they see. */
static void test_told_of_what_is_seen(void **state)
{
    struct cc_chain_listener l = {.tip = on_watched_tip};
    struct watch w = {0};
    struct fixture f;
    pthread_t thread;
    int first, i;

    (void)state;
    setup(&f, false);
    first = extend(&f, 0, 2);
    extend(&f, first, 5);
    i = first;
    for (int n = 0; n < 60; n++)
        i = world_make(&f.w, i, RIGHT);
    for (int n = 59; n >= 0; n--)
        assert_int_equal(cc_chain_accept_header(
                             f.c, &f.w.blocks[i - n].block.header, NULL, NULL),
                         CC_OK);
    w.c = f.c;
    w.first = w.told = cc_chain_tip(f.c);
    l.arg = &w;
    cc_chain_listen(f.c, &l);
    assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
    for (int n = 0; n < 60; n++) /* the one on the fork last */
        give(&f, i - n);
    w.done = true;
    pthread_join(thread, NULL);
    world_expect(&f.w, f.c, i);
    assert_int_equal(w.untold, 0);
    assert_int_equal(w.worse, 0);
    assert_true(w.moves > 0);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_locator),
        cmocka_unit_test(test_ibd),
        cmocka_unit_test(test_unasked),
        cmocka_unit_test(test_coin),
        cmocka_unit_test(test_walk_stops),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_proposal),
        cmocka_unit_test(test_bip30),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_others_meanwhile),
        cmocka_unit_test(test_told_of_what_is_seen),
        cmocka_unit_test(test_scripts_known),
        cmocka_unit_test(test_connected_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
