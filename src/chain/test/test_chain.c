#include "chain/chain.h"

#include "chain/index.h"
#include "chain/test/world.h"
#include "consensus/pow.h"
#include "consensus/test/build.h"

/* A world, a chain on a folder, and what its listener heard. */
struct fixture {
    struct world w;
    char *dir;
    struct cc_chain *c;
    unsigned connected, disconnected, tips, bad;
    uint8_t told[32]; /* the tip as the listener follows it */
    char reason[160];
};

static void on_connected(void *arg, const struct cc_index *i,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct fixture *f = arg;

    assert_memory_equal(f->told, i->prev->hash, 32);
    assert_memory_equal(block->hash, i->hash, 32);
    assert_int_equal(undo->count + 1, block->tx_count);
    memcpy(f->told, i->hash, 32);
    f->connected++;
}

static void on_disconnected(void *arg, const struct cc_index *i,
                            const struct cc_block *block,
                            const struct cc_undo *undo)
{
    struct fixture *f = arg;

    assert_memory_equal(f->told, i->hash, 32);
    assert_memory_equal(block->hash, i->hash, 32);
    assert_int_equal(undo->count + 1, block->tx_count);
    memcpy(f->told, i->prev->hash, 32);
    f->disconnected++;
}

static void on_tip(void *arg, const struct cc_index *tip)
{
    struct fixture *f = arg;

    assert_memory_equal(f->told, tip->hash, 32);
    f->tips++;
}

static void on_checked(void *arg, const uint8_t hash[32], enum cc_status st,
                       const struct cc_error *err)
{
    struct fixture *f = arg;

    (void)hash;
    if (st == CC_OK)
        return;
    f->bad++;
    snprintf(f->reason, sizeof(f->reason), "%s", err->reason);
}

static void listen(struct fixture *f)
{
    struct cc_chain_listener l = {.arg = f,
                                  .connected = on_connected,
                                  .disconnected = on_disconnected,
                                  .tip = on_tip,
                                  .checked = on_checked};

    memcpy(f->told, cc_chain_tip(f->c)->hash, 32);
    cc_chain_listen(f->c, &l);
}

static void setup(struct fixture *f, uint64_t seed, bool storage)
{
    memset(f, 0, sizeof(*f));
    world_init(&f->w, seed, storage);
    f->dir = cc_test_mkdir();
    f->c = world_open(&f->w, f->dir);
    listen(f);
}

static void reopen(struct fixture *f)
{
    cc_chain_free(f->c);
    f->c = world_open(&f->w, f->dir);
    listen(f);
}

static void teardown(struct fixture *f)
{
    struct cc_error err;

    if (cc_chain_verify(f->c, CC_VERIFY_CONNECT, 0, NULL, NULL, &err) != CC_OK)
        fail_msg("%s", err.text);
    cc_chain_free(f->c);
    world_clear(&f->w);
    cc_test_rmdir(f->dir);
}

static enum cc_status give(struct fixture *f, int i, struct cc_error *err)
{
    return cc_chain_accept_block(f->c, &f->w.blocks[i].block, true, NULL, NULL,
                                 err);
}

static void give_good(struct fixture *f, int i)
{
    struct cc_error err;

    if (give(f, i, &err) != CC_OK)
        fail_msg("block %d: %s", i, err.text);
}

static struct cc_index *index_of(struct fixture *f, int i)
{
    struct cc_index *x = cc_chain_find(f->c, f->w.blocks[i].block.hash);

    assert_non_null(x);
    return x;
}

static int tip_of(struct fixture *f)
{
    return world_find(&f->w, cc_chain_tip(f->c)->hash);
}

/* length blocks on top of number i, given if give is set; the last one. */
static int extend(struct fixture *f, int i, unsigned length, bool given)
{
    while (length--) {
        i = world_make(&f->w, i, RIGHT);
        if (given)
            give_good(f, i);
    }
    return i;
}

/* --- Straight on -------------------------------------------------------- */

static void test_genesis(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, 1, true);
    assert_int_equal(cc_chain_tip(f.c)->height, 0);
    assert_ptr_equal(cc_chain_genesis(f.c), cc_chain_tip(f.c));
    assert_memory_equal(cc_chain_tip(f.c)->hash, f.w.params.genesis_hash, 32);
    world_expect(&f.w, f.c, 0); /* its coinbase is no coin */
    reopen(&f);
    world_expect(&f.w, f.c, 0);
    assert_int_equal(cc_chain_index_count(f.c), 1);
    teardown(&f);
}

static void test_grow(void **state)
{
    struct fixture f;
    int i = 0;

    (void)state;
    for (int storage = 0; storage < 2; storage++) {
        setup(&f, 2, storage);
        for (int n = 0; n < 60; n++) {
            i = extend(&f, n ? i : 0, 1, true);
            world_expect(&f.w, f.c, i);
        }
        assert_int_equal(f.connected, 60);
        assert_int_equal(f.tips, 60);
        assert_int_equal(cc_chain_tip(f.c)->height, 60);
        reopen(&f);
        world_expect(&f.w, f.c, i);
        assert_int_equal(index_of(&f, i)->chain_tx > 60, true);
        i = extend(&f, i, 5, true);
        world_expect(&f.w, f.c, i);
        teardown(&f);
    }
}

static void test_known_again(void **state)
{
    struct fixture f;
    bool is_new = true;
    struct cc_index *x;
    int i;

    (void)state;
    setup(&f, 3, true);
    i = extend(&f, 0, 1, true);
    assert_int_equal(cc_chain_accept_block(f.c, &f.w.blocks[i].block, true, &x,
                                           &is_new, NULL),
                     CC_OK);
    assert_false(is_new);
    assert_ptr_equal(x, index_of(&f, i));
    assert_int_equal(f.connected, 1);
    teardown(&f);
}

/* Headers first, blocks in any order: connected as soon as it can be. */
static void test_out_of_order(void **state)
{
    struct fixture f;
    int last, i;

    (void)state;
    setup(&f, 4, true);
    last = extend(&f, 0, 40, false);
    for (int n = 1; n <= last; n++)
        assert_int_equal(cc_chain_accept_header(
                             f.c, &f.w.blocks[n].block.header, NULL, NULL),
                         CC_OK);
    assert_int_equal(cc_chain_best_header(f.c)->height, 40);
    for (i = last; i > 1; i--)
        give_good(&f, i);
    assert_int_equal(cc_chain_tip(f.c)->height, 0);
    reopen(&f);
    assert_int_equal(cc_chain_best_header(f.c)->height, 40);
    give_good(&f, 1);
    world_expect(&f.w, f.c, last);
    assert_int_equal(f.connected, 40);
    teardown(&f);
}

static void test_header_verdicts(void **state)
{
    struct fixture f;
    struct cc_header h;
    struct cc_error err;
    int a;

    (void)state;
    setup(&f, 5, true);
    a = world_make(&f.w, 0, RIGHT);
    h = f.w.blocks[a].block.header;
    while (h.nonce++ < 1000) { /* one without the work */
        uint8_t hash[32];

        cc_header_hash(hash, &h);
        if (!cc_pow_check(hash, h.bits, &f.w.params))
            break;
    }
    assert_int_equal(cc_chain_accept_header(f.c, &h, NULL, &err), CC_INVALID);
    assert_string_equal(err.reason, "high-hash");
    h = f.w.blocks[a].block.header;
    memset(h.prev, 9, 32);
    while (cc_chain_accept_header(f.c, &h, NULL, &err) == CC_INVALID &&
           err.verdict == CC_VERDICT_HEADER)
        h.nonce++; /* until the work is there */
    assert_string_equal(err.reason, "prev-blk-not-found");
    assert_int_equal(err.verdict, CC_VERDICT_MISSING_PREV);

    h = f.w.blocks[a].block.header;
    h.time = (uint32_t)world_now(NULL) + 7201;
    while (cc_chain_accept_header(f.c, &h, NULL, &err) == CC_INVALID &&
           err.verdict == CC_VERDICT_HEADER)
        h.nonce++;
    assert_string_equal(err.reason, "time-too-new");
    assert_int_equal(err.verdict, CC_VERDICT_FUTURE);
    assert_int_equal(cc_chain_index_count(f.c), 1); /* not remembered */
    teardown(&f);
}

/* --- Blocks that break a rule ------------------------------------------- */

static const char *const reasons[WRONG_COUNT] = {
    [WRONG_SCRIPT] =
        "mandatory-script-verify-flag-failed (Script evaluated without error "
        "but finished with a false/empty top stack element)",
    [WRONG_SCRIPT_FIRST] =
        "mandatory-script-verify-flag-failed (Script evaluated without error "
        "but finished with a false/empty top stack element)",
    [WRONG_MISSING] = "bad-txns-inputs-missingorspent",
    [WRONG_TWICE] = "bad-txns-inputs-missingorspent",
    [WRONG_AMOUNT] = "bad-txns-in-belowout",
    [WRONG_REWARD] = "bad-cb-amount",
    [WRONG_IMMATURE] = "bad-txns-premature-spend-of-coinbase",
};

static void test_wrong_blocks(void **state)
{
    struct fixture f;
    struct cc_error err;
    int base, bad, child;

    (void)state;
    setup(&f, 6, true);
    base = extend(&f, 0, 30, true);
    for (int wrong = RIGHT + 1; wrong < WRONG_COUNT; wrong++) {
        bad = world_make(&f.w, base, (enum wrong)wrong);
        assert_int_equal(f.w.blocks[bad].wrong, wrong);
        assert_int_equal(give(&f, bad, &err), CC_INVALID);
        assert_string_equal(err.reason, reasons[wrong]);
        assert_string_equal(f.reason, reasons[wrong]);
        assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
        assert_true(index_of(&f, bad)->status & CC_INDEX_FAILED);
        world_expect(&f.w, f.c, base);
        /* for good: not judged again, and nothing on top of it */
        assert_int_equal(give(&f, bad, &err), CC_INVALID);
        assert_string_equal(err.reason, "duplicate");
        child = world_make(&f.w, bad, RIGHT);
        assert_int_equal(give(&f, child, &err), CC_INVALID);
        assert_string_equal(err.reason, "bad-prevblk");
        assert_null(cc_chain_find(f.c, f.w.blocks[child].block.hash));
    }
    reopen(&f);
    assert_true(index_of(&f, bad)->status & CC_INDEX_FAILED);
    give_good(&f, world_make(&f.w, base, RIGHT));
    assert_int_equal(cc_chain_tip(f.c)->height, 31);
    teardown(&f);
}

/* A fault of the block in its place: told at once, and for good. */
static void test_wrong_place(void **state)
{
    struct fixture f;
    struct cc_build b;
    struct cc_block block;
    struct cc_error err;
    int base;

    (void)state;
    setup(&f, 12, true);
    base = extend(&f, 0, 5, true);
    cc_build_init(&b);
    b.params = &f.w.params;
    b.mine = b.commit = true;
    memcpy(b.header.prev, f.w.blocks[base].block.hash, 32);
    b.header.time = f.w.blocks[base].block.header.time + 1;
    cc_build_coinbase(&b, 7, CC_COIN); /* should be 6 */
    cc_build_block(&b, &block);
    assert_int_equal(cc_chain_accept_block(f.c, &block, true, NULL, NULL, &err),
                     CC_INVALID);
    assert_string_equal(err.reason, "bad-cb-height");
    assert_string_equal(f.reason, "bad-cb-height");
    assert_true(cc_chain_find(f.c, block.hash)->status & CC_INDEX_FAILED);
    assert_ptr_equal(cc_chain_best_header(f.c), index_of(&f, base));
    assert_int_equal(cc_chain_accept_block(f.c, &block, true, NULL, NULL, &err),
                     CC_INVALID);
    assert_string_equal(err.reason, "duplicate");
    cc_block_clear(&block);
    cc_build_clear(&b);
    teardown(&f);
}

/* A fault of the block alone: not even its header is remembered. */
static void test_wrong_alone(void **state)
{
    struct fixture f;
    struct cc_build b;
    struct cc_block block;
    struct cc_error err;
    int base;

    (void)state;
    setup(&f, 13, true);
    base = extend(&f, 0, 5, true);
    cc_build_init(&b);
    b.params = &f.w.params;
    b.mine = b.commit = true;
    memcpy(b.header.prev, f.w.blocks[base].block.hash, 32);
    b.header.time = f.w.blocks[base].block.header.time + 1;
    cc_build_coinbase(&b, 6, CC_COIN);
    cc_build_coinbase(&b, 6, CC_COIN + 1);
    cc_build_block(&b, &block);
    assert_int_equal(cc_chain_accept_block(f.c, &block, true, NULL, NULL, &err),
                     CC_INVALID);
    assert_string_equal(err.reason, "bad-cb-multiple");
    assert_string_equal(f.reason, "bad-cb-multiple");
    assert_null(cc_chain_find(f.c, block.hash));
    assert_int_equal(cc_chain_test_block(f.c, &block, true, true, &err),
                     CC_INVALID);
    assert_string_equal(err.reason, "bad-cb-multiple");
    cc_block_clear(&block);
    cc_build_clear(&b);
    teardown(&f);
}

/* A body that does not belong to its header: the hash stays innocent. */
static void test_mutated(void **state)
{
    struct fixture f;
    struct cc_error err;
    struct cc_block bad;
    const struct cc_block *good;
    uint8_t *raw;
    int i;

    (void)state;
    setup(&f, 7, true);
    extend(&f, 0, 5, true);
    i = world_make(&f.w, tip_of(&f), RIGHT);
    good = &f.w.blocks[i].block;
    raw = malloc(good->raw.len);
    memcpy(raw, good->raw.data, good->raw.len);
    raw[good->raw.len - 5]++; /* the coinbase's or a transaction's last bytes */
    if (cc_block_decode_take(&bad, raw, good->raw.len) != CC_OK)
        fail_msg("no block any more");
    assert_int_equal(cc_chain_accept_block(f.c, &bad, true, NULL, NULL, &err),
                     CC_INVALID);
    assert_int_equal(err.verdict, CC_VERDICT_MUTATED);
    cc_block_clear(&bad);
    give_good(&f, i);
    world_expect(&f.w, f.c, i);
    teardown(&f);
}

/* A block on the tip at that time, spending o (NULL: nothing) with sequence. */
static enum cc_status give_spend(struct fixture *f, uint32_t time,
                                 const struct wcoin *coin, uint32_t sequence,
                                 struct cc_error *err)
{
    const struct cc_index *tip = cc_chain_tip(f->c);
    struct cc_build b;
    struct cc_block block;
    enum cc_status st;

    cc_build_init(&b);
    b.params = &f->w.params;
    b.mine = b.commit = true;
    memcpy(b.header.prev, tip->hash, 32);
    b.header.time = time;
    cc_build_coinbase(&b, tip->height + 1, CC_COIN);
    if (coin) {
        struct cc_tx *tx = cc_build_tx(&b);
        struct cc_txin *in = cc_build_in(&b, tx, 0, 0);

        in->prevout = coin->o;
        in->sequence = sequence;
        cc_build_out(&b, tx, coin->coin.out.value, "\x51", 1);
    }
    cc_build_block(&b, &block);
    st = cc_chain_accept_block(f->c, &block, true, NULL, NULL, err);
    cc_block_clear(&block);
    cc_build_clear(&b);
    return st;
}

/* A relative lock by time (BIP 68): the chain tells the median times. */
static void test_time_lock(void **state)
{
    const uint32_t one_unit = 1u << 22 | 1; /* 512 seconds */
    const struct wcoin *coin = NULL;
    struct fixture f;
    struct cc_error err;
    uint32_t time;
    int tip;

    (void)state;
    setup(&f, 14, true);
    tip = extend(&f, 0, 15, true);
    for (size_t i = 0; i < f.w.blocks[tip].coin_count && !coin; i++) {
        const struct wcoin *c = &f.w.blocks[tip].coins[i];

        if (c->coin.out.script.data[0] == 0x51 && c->coin.height < 14 &&
            c->coin.out.value > 0)
            coin = c;
    }
    assert_non_null(coin);
    time = f.w.blocks[tip].block.header.time;
    assert_int_equal(give_spend(&f, time + 1, coin, one_unit, &err),
                     CC_INVALID);
    assert_string_equal(err.reason, "bad-txns-nonfinal");
    for (int i = 0; i < 7; i++) { /* the median follows half way behind */
        time += 600;
        assert_int_equal(give_spend(&f, time, NULL, 0, &err), CC_OK);
    }
    assert_int_equal(give_spend(&f, time + 1, coin, one_unit, &err), CC_OK);
    teardown(&f);
}

/* --- Branches ----------------------------------------------------------- */

static void test_reorg(void **state)
{
    struct fixture f;
    int base, a, b;

    (void)state;
    setup(&f, 8, true);
    base = extend(&f, 0, 30, true);
    a = extend(&f, base, 20, true);
    b = extend(&f, base, 20, true);
    world_expect(&f.w, f.c, a); /* first seen */
    assert_int_equal(f.disconnected, 0);
    b = extend(&f, b, 1, true);
    world_expect(&f.w, f.c, b);
    assert_int_equal(f.disconnected, 20);
    a = extend(&f, a, 2, true);
    world_expect(&f.w, f.c, a);
    assert_int_equal(f.disconnected, 41);
    reopen(&f);
    world_expect(&f.w, f.c, a);
    b = extend(&f, b, 2, true);
    world_expect(&f.w, f.c, b);
    teardown(&f);
}

/* The better branch is bad in its middle: back to the best of the rest. */
static void test_bad_branch(void **state)
{
    struct fixture f;
    int base, a, b, bad, top;

    (void)state;
    setup(&f, 9, true);
    base = extend(&f, 0, 20, true);
    a = extend(&f, base, 5, true);
    b = extend(&f, base, 3, true);
    bad = world_make(&f.w, b, WRONG_AMOUNT);
    assert_int_equal(f.w.blocks[bad].wrong, WRONG_AMOUNT);
    give_good(&f, bad); /* not tried yet */
    top = extend(&f, bad, 5, false);
    for (int i = bad + 1; i < top; i++)
        (void)give(&f, i, NULL);
    world_expect(&f.w, f.c, a);
    assert_int_equal(f.bad > 0, true);
    assert_true(index_of(&f, bad)->status & CC_INDEX_FAILED);
    assert_true(index_of(&f, bad + 1)->status & CC_INDEX_FAILED_CHILD);
    assert_ptr_equal(cc_chain_best_header(f.c), index_of(&f, a));
    reopen(&f);
    world_expect(&f.w, f.c, a);
    /* the good part of the branch is still there to build on */
    b = extend(&f, b, 4, true);
    world_expect(&f.w, f.c, b);
    teardown(&f);
}

static void test_invalidate(void **state)
{
    struct fixture f;
    int base, a, b, middle;

    (void)state;
    setup(&f, 10, true);
    base = extend(&f, 0, 10, true);
    b = extend(&f, base, 3, true);
    middle = extend(&f, base, 4, true);
    a = extend(&f, middle, 4, true);
    world_expect(&f.w, f.c, a);
    assert_int_equal(cc_chain_invalidate(f.c, index_of(&f, middle), NULL),
                     CC_OK);
    world_expect(&f.w, f.c, b); /* as good as the rest, and first seen */
    assert_true(index_of(&f, a)->status & CC_INDEX_FAILED_CHILD);
    reopen(&f);
    world_expect(&f.w, f.c, tip_of(&f));
    assert_int_equal(cc_chain_tip(f.c)->height, 13);
    assert_int_equal(cc_chain_reconsider(f.c, index_of(&f, a), NULL), CC_OK);
    world_expect(&f.w, f.c, a);
    assert_false(index_of(&f, middle)->status &
                 (CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD));
    assert_int_equal(cc_chain_invalidate(f.c, cc_chain_at(f.c, 11), NULL),
                     CC_OK);
    world_expect(&f.w, f.c, b);
    assert_int_equal(cc_chain_invalidate(f.c, cc_chain_genesis(f.c), NULL),
                     CC_INVALID);
    teardown(&f);
}

static void test_precious(void **state)
{
    struct fixture f;
    int base, a, b;

    (void)state;
    setup(&f, 11, true);
    base = extend(&f, 0, 4, true);
    a = extend(&f, base, 2, true);
    b = extend(&f, base, 2, true);
    world_expect(&f.w, f.c, a);
    assert_int_equal(cc_chain_precious(f.c, index_of(&f, b), NULL), CC_OK);
    world_expect(&f.w, f.c, b);
    assert_int_equal(cc_chain_precious(f.c, index_of(&f, a), NULL), CC_OK);
    world_expect(&f.w, f.c, a);
    /* of less work: no */
    assert_int_equal(
        cc_chain_precious(f.c, index_of(&f, f.w.blocks[b].prev), NULL), CC_OK);
    world_expect(&f.w, f.c, a);
    b = extend(&f, b, 1, true);
    world_expect(&f.w, f.c, b);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genesis),
        cmocka_unit_test(test_grow),
        cmocka_unit_test(test_known_again),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_header_verdicts),
        cmocka_unit_test(test_wrong_blocks),
        cmocka_unit_test(test_wrong_place),
        cmocka_unit_test(test_wrong_alone),
        cmocka_unit_test(test_mutated),
        cmocka_unit_test(test_time_lock),
        cmocka_unit_test(test_reorg),
        cmocka_unit_test(test_bad_branch),
        cmocka_unit_test(test_invalidate),
        cmocka_unit_test(test_precious),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
