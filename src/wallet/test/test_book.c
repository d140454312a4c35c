#include <stdlib.h>

#include "chain/chain.h"
#include "crypto/ec.h"
#include "support.h"
#include "util/mem.h"
#include "wallet/book.h"

#define WORDS                                                                  \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon " \
    "abandon abandon about"
#define TXS 16

/* Blocks and transactions made by hand: the book knows no chain. */
struct world {
    struct cc_ec *ec;
    const struct cc_params *params;
    struct cc_wallet_keys *keys;
    struct cc_book *book;
    uint32_t unique;
    int32_t height;
};

static void world_open(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->ec = cc_ec_new();
    w->params = cc_params_get(CC_CHAIN_REGTEST);
    w->height = -1;
    assert_int_equal(
        cc_wallet_keys_new(&w->keys, WORDS, NULL, w->params, w->ec, NULL),
        CC_OK);
    w->book = cc_book_new(w->keys, w->params);
}

static void world_close(struct world *w)
{
    cc_book_free(w->book);
    cc_wallet_keys_free(w->keys);
    cc_ec_free(w->ec);
}

static struct cc_bytes ours(struct world *w, struct cc_tx *tx,
                            enum cc_key_chain chain, uint32_t index)
{
    struct cc_wallet_key key;

    cc_wallet_keys_at(w->keys, chain, index, &key);
    return cc_bytes(cc_arena_dup(&tx->arena, key.script, CC_TAPROOT_SCRIPT),
                    CC_TAPROOT_SCRIPT);
}

/* One input (prev NULL: a coinbase) and up to two outputs: value to us (chain
 * CC_CHAINS: to a stranger), and change to our change chain if not 0. */
static void make(struct world *w, struct cc_tx *tx, const struct cc_tx *prev,
                 uint32_t index, enum cc_key_chain chain, cc_amount value,
                 cc_amount change)
{
    memset(tx, 0, sizeof(*tx));
    cc_arena_init(&tx->arena);
    tx->version = 2;
    tx->locktime = w->unique++;
    tx->vin_count = 1;
    tx->vin = cc_arena_calloc(&tx->arena, 1, sizeof(*tx->vin));
    tx->vout_count = change ? 2 : 1;
    tx->vout = cc_arena_calloc(&tx->arena, 2, sizeof(*tx->vout));
    if (prev)
        memcpy(tx->vin[0].prevout.txid, prev->txid, 32);
    tx->vin[0].prevout.index = prev ? index : UINT32_MAX;
    tx->vout[0].value = value;
    tx->vout[0].script = chain == CC_CHAINS ? cc_bytes("\x51", 1)
                                            : ours(w, tx, chain, w->unique);
    tx->vout[1].value = change;
    if (change)
        tx->vout[1].script = ours(w, tx, CC_CHAIN_CHANGE, w->unique);
    cc_tx_finish(tx);
}

static void hash_of(uint8_t hash[32], int32_t height, uint8_t branch)
{
    memset(hash, branch, 32);
    cc_put_u32le(hash, (uint32_t)height);
}

/* A block of a coinbase to nobody and these; coins: what tx 0 spends. */
static bool connect_with(struct world *w, uint8_t branch,
                         const struct cc_tx *const *txs, size_t n,
                         struct cc_undo *undo)
{
    struct cc_block block = {.tx_count = n + 1};
    struct cc_tx list[TXS], nobody;
    uint8_t hash[32];
    bool any;

    make(w, &nobody, NULL, 0, CC_CHAINS, 50, 0);
    list[0] = nobody;
    for (size_t i = 0; i < n; i++)
        list[i + 1] = *txs[i];
    /* a coinbase of ours takes the first place */
    if (n && cc_tx_is_coinbase(txs[0])) {
        memmove(list, list + 1, n * sizeof(*list));
        block.tx_count--;
    }
    block.tx = list;
    block.header.time = 1000000 + (uint32_t)w->height;
    hash_of(hash, ++w->height, branch);
    any = cc_book_connect(w->book, w->height, hash, &block, undo);
    cc_tx_clear(&nobody);
    return any;
}

static bool connect(struct world *w, uint8_t branch, const struct cc_tx *tx)
{
    return connect_with(w, branch, &tx, tx != NULL, NULL);
}

static void connect_empty(struct world *w, unsigned count)
{
    while (count--)
        assert_false(connect(w, 0, NULL));
}

static bool disconnect(struct world *w, uint8_t branch)
{
    uint8_t hash[32];

    hash_of(hash, w->height, branch);
    return cc_book_disconnect(w->book, w->height--, hash);
}

static void check_balance(struct world *w, cc_amount trusted, cc_amount pending,
                          cc_amount immature)
{
    struct cc_balance b;

    cc_book_balance(w->book, 0, &b);
    assert_int_equal(b.trusted, trusted);
    assert_int_equal(b.pending, pending);
    assert_int_equal(b.immature, immature);
}

static int64_t depth_of(struct world *w, const struct cc_tx *tx)
{
    return cc_book_depth(w->book, cc_book_find(w->book, tx->txid));
}

static void count_one(void *arg, const struct cc_wallet_tx *tx)
{
    (void)tx;
    ++*(size_t *)arg;
}

/* How many records are to be written since the last time. */
static size_t changed(struct world *w)
{
    size_t n = 0;

    cc_book_changed(w->book, count_one, &n);
    return n;
}

static size_t coin_count(struct world *w)
{
    struct cc_wallet_coin *coins;
    size_t n = cc_book_coins(w->book, false, &coins);

    free(coins);
    return n;
}

/* A coin of value for us, deep in the chain. */
static void fund(struct world *w, struct cc_tx *tx, cc_amount value)
{
    struct cc_tx far;

    make(w, &far, NULL, 0, CC_CHAINS, 1, 0);
    make(w, tx, &far, 0, CC_CHAIN_RECEIVE, value, 0);
    assert_true(connect(w, 0, tx));
    cc_tx_clear(&far);
}

static void test_receive_and_spend(void **state)
{
    struct world w;
    struct cc_tx in, out;
    size_t inputs;

    (void)state;
    world_open(&w);
    connect_empty(&w, 3);
    fund(&w, &in, 1000);
    check_balance(&w, 1000, 0, 0);
    assert_int_equal(depth_of(&w, &in), 1);
    connect_empty(&w, 2);
    assert_int_equal(depth_of(&w, &in), 3);

    make(&w, &out, &in, 0, CC_CHAINS, 700, 290);
    assert_true(cc_book_mempool_add(w.book, &out, false, 10, 77));
    /* our own change is trusted while it is in the mempool, */
    check_balance(&w, 290, 0, 0);
    assert_int_equal(cc_book_debit(w.book, &out, &inputs), 1000);
    assert_int_equal(inputs, 1);
    assert_int_equal(cc_book_credit(w.book, &out), 290);
    /* and not spendable when it fell out; its input stays spent */
    cc_book_mempool_remove(w.book, out.txid);
    check_balance(&w, 0, 0, 0);
    assert_int_equal(coin_count(&w), 0);
    assert_true(connect(&w, 0, &out));
    check_balance(&w, 290, 0, 0);
    assert_int_equal(depth_of(&w, &out), 1);
    assert_true(disconnect(&w, 0));
    assert_int_equal(depth_of(&w, &out), 0);
    check_balance(&w, 0, 0, 0);
    cc_tx_clear(&in);
    cc_tx_clear(&out);
    world_close(&w);
}

static void test_money_of_strangers_is_pending(void **state)
{
    struct world w;
    struct cc_tx far, in, chained, theirs;

    (void)state;
    world_open(&w);
    connect_empty(&w, 1);
    make(&w, &far, NULL, 0, CC_CHAINS, 1, 0);
    make(&w, &in, &far, 0, CC_CHAIN_RECEIVE, 500, 0);
    assert_true(cc_book_mempool_add(w.book, &in, false, 1, 0));
    check_balance(&w, 0, 500, 0);
    /* spent on by ourselves it is still theirs to take back */
    make(&w, &chained, &in, 0, CC_CHAINS, 100, 390);
    assert_true(cc_book_mempool_add(w.book, &chained, false, 10, 0));
    check_balance(&w, 0, 390, 0);
    /* what does not concern us is not kept */
    make(&w, &theirs, &far, 1, CC_CHAINS, 9, 0);
    assert_false(cc_book_mempool_add(w.book, &theirs, false, 1, 0));
    assert_int_equal(cc_book_count(w.book), 2);
    assert_true(connect(&w, 0, &in));
    check_balance(&w, 390, 0, 0);
    cc_tx_clear(&far);
    cc_tx_clear(&in);
    cc_tx_clear(&chained);
    cc_tx_clear(&theirs);
    world_close(&w);
}

static void test_maturity_of_coinbases(void **state)
{
    struct world w;
    struct cc_tx mined;
    struct cc_balance deep;

    (void)state;
    world_open(&w);
    connect_empty(&w, 1);
    make(&w, &mined, NULL, 0, CC_CHAIN_RECEIVE, 25, 0);
    assert_true(connect(&w, 0, &mined));
    check_balance(&w, 0, 0, 25);
    assert_int_equal(cc_book_immature(w.book, cc_book_find(w.book, mined.txid)),
                     100);
    connect_empty(&w, 99);
    check_balance(&w, 0, 0, 25);
    assert_int_equal(coin_count(&w), 0);
    connect_empty(&w, 1);
    check_balance(&w, 25, 0, 0);
    assert_int_equal(coin_count(&w), 1);
    cc_book_balance(w.book, 101, &deep);
    assert_int_equal(deep.trusted, 25);
    cc_book_balance(w.book, 102, &deep);
    assert_int_equal(deep.trusted, 0);
    for (int i = 0; i < 100; i++)
        disconnect(&w, 0);
    assert_true(disconnect(&w, 0));
    check_balance(&w, 0, 0, 0); /* an orphan is worth nothing */
    assert_int_equal(coin_count(&w), 0);
    cc_tx_clear(&mined);
    world_close(&w);
}

/* Outputs of a transaction that claims minted coins mature like a coinbase's;
 * that it does shows in the coin it spends. */
static void test_claims_mature(void **state)
{
    struct world w;
    struct cc_tx far, claim, plain;
    static const uint8_t seal[] = {CC_OP_STORAGE, 1, 3};
    static const uint8_t act[] = {CC_ACTION_CLAIM};
    struct cc_coin coin = {.out = {10, {seal, sizeof(seal)}}};
    struct cc_tx_undo spent = {&coin, 1};
    struct cc_undo undo = {.tx = &spent, .count = 1};
    const struct cc_tx *list[1];

    (void)state;
    world_open(&w);
    make(&w, &far, NULL, 0, CC_CHAINS, 1, 0);
    make(&w, &claim, &far, 0, CC_CHAIN_STORAGE, 40, 0);
    claim.vin[0].witness =
        cc_arena_calloc(&claim.arena, 1, sizeof(*claim.vin[0].witness));
    claim.vin[0].witness[0] = cc_bytes(act, 1);
    claim.vin[0].witness_count = 1;
    cc_tx_finish(&claim);
    list[0] = &claim;
    assert_true(connect_with(&w, 0, list, 1, &undo));
    check_balance(&w, 0, 0, 40);
    assert_false(cc_book_find(w.book, claim.txid)->fee_known);
    assert_int_equal(cc_book_find(w.book, claim.txid)->time, 999999);
    connect_empty(&w, 100);
    check_balance(&w, 40, 0, 0);
    /* The same witness on an ordinary coin is no claim, and its fee shows. */
    coin.out.script = cc_bytes("\x51", 1);
    w.unique = 30; /* within the gap of keys */
    make(&w, &plain, &far, 1, CC_CHAIN_STORAGE, 7, 0);
    plain.vin[0].witness = claim.vin[0].witness;
    plain.vin[0].witness_count = 1;
    cc_tx_finish(&plain);
    list[0] = &plain;
    assert_true(connect_with(&w, 0, list, 1, &undo));
    check_balance(&w, 47, 0, 0);
    assert_true(cc_book_find(w.book, plain.txid)->fee_known);
    assert_int_equal(cc_book_find(w.book, plain.txid)->fee, 3);
    cc_tx_clear(&far);
    cc_tx_clear(&claim);
    cc_tx_clear(&plain);
    world_close(&w);
}

static void test_conflicts(void **state)
{
    struct world w;
    struct cc_tx in, ours_, child, rival;
    uint8_t found[4][32];

    (void)state;
    world_open(&w);
    fund(&w, &in, 1000);
    make(&w, &ours_, &in, 0, CC_CHAIN_RECEIVE, 600, 390);
    make(&w, &child, &ours_, 0, CC_CHAIN_RECEIVE, 550, 0);
    make(&w, &rival, &in, 0, CC_CHAINS, 900, 80);
    cc_book_add_ours(w.book, &ours_, 10, true, 5, "why", "whom");
    assert_true(cc_book_mempool_add(w.book, &ours_, false, 10, 5));
    assert_true(cc_book_mempool_add(w.book, &child, false, 50, 5));
    check_balance(&w, 390 + 550, 0, 0);

    assert_true(connect(&w, 1, &rival));
    assert_int_equal(depth_of(&w, &ours_), -1);
    assert_int_equal(depth_of(&w, &child), -1); /* its descendants too */
    assert_int_equal(depth_of(&w, &rival), 1);
    check_balance(&w, 80, 0, 0);
    assert_int_equal(coin_count(&w), 1);
    connect_empty(&w, 1);
    assert_int_equal(depth_of(&w, &ours_), -2);
    assert_int_equal(
        cc_book_conflicts(w.book, cc_book_find(w.book, rival.txid), found, 4),
        1);
    assert_memory_equal(found[0], ours_.txid, 32);

    disconnect(&w, 0);
    assert_true(disconnect(&w, 1));
    assert_int_equal(depth_of(&w, &ours_), 0);
    assert_int_equal(depth_of(&w, &child), 0);
    assert_true(cc_book_mempool_add(w.book, &ours_, false, 10, 5));
    check_balance(&w, 390, 0, 0);
    assert_true(connect(&w, 2, &ours_));
    assert_int_equal(depth_of(&w, &rival), -1);
    assert_string_equal(cc_book_find(w.book, ours_.txid)->comment, "why");
    cc_tx_clear(&in);
    cc_tx_clear(&ours_);
    cc_tx_clear(&child);
    cc_tx_clear(&rival);
    world_close(&w);
}

/* A payment to us that its sender took back. */
static void test_a_stranger_takes_it_back(void **state)
{
    struct world w;
    struct cc_tx far, in, back;

    (void)state;
    world_open(&w);
    make(&w, &far, NULL, 0, CC_CHAINS, 1, 0);
    make(&w, &in, &far, 0, CC_CHAIN_RECEIVE, 500, 0);
    make(&w, &back, &far, 0, CC_CHAINS, 499, 0);
    assert_true(cc_book_mempool_add(w.book, &in, false, 1, 0));
    check_balance(&w, 0, 500, 0);
    cc_book_changed(w.book, NULL, NULL);
    assert_true(connect(&w, 0, &back)); /* news, though it is not ours */
    assert_null(cc_book_find(w.book, back.txid));
    assert_int_equal(depth_of(&w, &in), -1);
    check_balance(&w, 0, 0, 0);
    assert_int_equal(changed(&w), 1);
    cc_tx_clear(&far);
    cc_tx_clear(&in);
    cc_tx_clear(&back);
    world_close(&w);
}

/* What the lists tell of a transaction, and when it must be written again. */
static void test_what_is_kept_of_a_transaction(void **state)
{
    struct world w;
    struct cc_tx far, in, claim;
    const struct cc_wallet_tx *t;

    (void)state;
    world_open(&w);
    connect_empty(&w, 1);
    make(&w, &far, NULL, 0, CC_CHAINS, 1, 0);
    make(&w, &in, &far, 0, CC_CHAIN_RECEIVE, 500, 0);
    assert_true(cc_book_mempool_add(w.book, &in, false, 12, 77));
    t = cc_book_find(w.book, in.txid);
    assert_int_equal(t->time, 77);
    assert_true(t->fee_known && t->in_mempool && !t->generated);
    assert_int_equal(t->fee, 12);
    assert_int_equal(t->height, -1);
    assert_int_equal(changed(&w), 1);
    assert_int_equal(changed(&w), 0);
    assert_true(connect(&w, 0, &in));
    assert_int_equal(t->time, 77); /* when we first saw it */
    assert_int_equal(t->height, 1);
    assert_int_equal(t->position, 1);
    assert_int_equal(t->block_time, 1000000);
    assert_false(t->in_mempool);
    assert_int_equal(changed(&w), 1);

    make(&w, &claim, &far, 1, CC_CHAIN_RECEIVE, 500, 0);
    assert_true(cc_book_mempool_add(w.book, &claim, false, 1, 0));
    assert_int_equal(changed(&w), 1);
    assert_true(cc_book_mempool_add(w.book, &claim, true, 1, 0));
    assert_true(cc_book_find(w.book, claim.txid)->generated);
    assert_int_equal(changed(&w), 1);
    assert_int_equal(coin_count(&w), 1); /* it has to mature first */
    cc_tx_clear(&far);
    cc_tx_clear(&in);
    cc_tx_clear(&claim);
    world_close(&w);
}

static void test_forgetting_what_was_not_kept(void **state)
{
    struct world w;
    struct cc_tx in, out, other;
    struct cc_outpoint o = {.index = 0};
    const struct cc_wallet_tx *t;

    (void)state;
    world_open(&w);
    fund(&w, &in, 1000);
    memcpy(o.txid, in.txid, 32);
    make(&w, &out, &in, 0, CC_CHAINS, 700, 290);
    make(&w, &other, &in, 0, CC_CHAINS, 990, 0);
    t = cc_book_add_ours(w.book, &out, 10, true, 5, NULL, "whom");
    assert_true(t->ours && t->fee_known);
    assert_int_equal(t->fee, 10);
    assert_int_equal(t->time, 5);
    assert_string_equal(t->to, "whom");
    assert_int_equal(t->order, 1);
    check_balance(&w, 0, 0, 0);
    cc_book_forget(w.book, out.txid);
    assert_null(cc_book_find(w.book, out.txid));
    assert_int_equal(cc_book_count(w.book), 1);
    check_balance(&w, 1000, 0, 0);
    assert_false(cc_book_spent(w.book, &o));
    /* One of two that spend the same. It pays nobody we know, but from us. */
    assert_true(cc_book_mempool_add(w.book, &other, false, 10, 0));
    cc_book_add_ours(w.book, &out, 0, false, 5, NULL, NULL);
    assert_false(cc_book_find(w.book, out.txid)->fee_known);
    cc_book_forget(w.book, out.txid);
    assert_true(cc_book_spent(w.book, &o));
    check_balance(&w, 0, 0, 0);
    cc_book_changed(w.book, NULL, NULL);
    cc_book_add_ours(w.book, &other, 10, true, 5, NULL, NULL); /* known: ours */
    assert_true(cc_book_find(w.book, other.txid)->ours);
    assert_int_equal(changed(&w), 1);
    cc_tx_clear(&in);
    cc_tx_clear(&out);
    cc_tx_clear(&other);
    world_close(&w);
}

static void test_abandoning(void **state)
{
    struct world w;
    struct cc_tx in, out, child;
    struct cc_outpoint o = {.index = 0};

    (void)state;
    world_open(&w);
    fund(&w, &in, 1000);
    memcpy(o.txid, in.txid, 32);
    make(&w, &out, &in, 0, CC_CHAIN_RECEIVE, 990, 0);
    make(&w, &child, &out, 0, CC_CHAIN_RECEIVE, 980, 0);
    assert_false(cc_book_abandon(w.book, out.txid)); /* unknown */
    assert_false(cc_book_abandon(w.book, in.txid));  /* in a block */
    assert_true(cc_book_mempool_add(w.book, &out, false, 10, 0));
    assert_true(cc_book_mempool_add(w.book, &child, false, 10, 0));
    assert_false(cc_book_abandon(w.book, out.txid)); /* in the mempool */
    cc_book_mempool_remove(w.book, out.txid);
    cc_book_changed(w.book, NULL, NULL);
    assert_true(cc_book_abandon(w.book, out.txid));
    assert_int_equal(changed(&w), 2);
    assert_true(cc_book_find(w.book, child.txid)->abandoned);
    assert_false(cc_book_find(w.book, child.txid)->in_mempool);
    assert_false(cc_book_abandon(w.book, out.txid)); /* already */
    assert_false(cc_book_spent(w.book, &o));
    check_balance(&w, 1000, 0, 0);
    /* It turns up after all: first there, then in a block. */
    assert_true(cc_book_mempool_add(w.book, &out, false, 10, 0));
    assert_int_equal(changed(&w), 1);
    check_balance(&w, 990, 0, 0);
    assert_true(connect(&w, 0, &child));
    assert_false(cc_book_find(w.book, child.txid)->abandoned);
    cc_tx_clear(&in);
    cc_tx_clear(&out);
    cc_tx_clear(&child);
    world_close(&w);
}

static void test_keys_in_use_are_not_handed_out(void **state)
{
    struct world w;
    struct cc_tx far, in;

    (void)state;
    world_open(&w);
    make(&w, &far, NULL, 0, CC_CHAINS, 1, 0);
    w.unique = 20;
    make(&w, &in, &far, 0, CC_CHAIN_STORAGE, 500, 0); /* pays key 21 */
    assert_true(connect(&w, 0, &in));
    assert_int_equal(cc_wallet_keys_next(w.keys, CC_CHAIN_STORAGE), 22);
    cc_tx_clear(&far);
    cc_tx_clear(&in);
    world_close(&w);
}

static void test_locks(void **state)
{
    struct world w;
    struct cc_tx in, out;
    struct cc_outpoint o = {.index = 0}, *list;
    struct cc_wallet_coin coin;

    (void)state;
    world_open(&w);
    fund(&w, &in, 1000);
    memcpy(o.txid, in.txid, 32);
    assert_true(cc_book_output(w.book, &o, &coin));
    assert_false(coin.locked);
    assert_true(cc_book_lock(w.book, &o, true));
    assert_false(cc_book_lock(w.book, &o, true));
    assert_true(cc_book_output(w.book, &o, &coin));
    assert_true(coin.locked);
    assert_int_equal(cc_book_locked(w.book, &list), 1);
    assert_memory_equal(list[0].txid, in.txid, 32);
    free(list);
    make(&w, &out, &in, 0, CC_CHAINS, 700, 290);
    assert_true(cc_book_mempool_add(w.book, &out, false, 10, 5));
    assert_false(cc_book_is_locked(w.book, &o)); /* spent: no more to lock */
    o.index = 5;
    assert_false(cc_book_output(w.book, &o, &coin));
    assert_false(cc_book_lock(w.book, &o, false));
    cc_book_lock(w.book, &o, true);
    cc_book_unlock_all(w.book);
    assert_false(cc_book_is_locked(w.book, &o));
    cc_tx_clear(&in);
    cc_tx_clear(&out);
    world_close(&w);
}

static bool count_labels(void *arg, struct cc_bytes script, const char *label)
{
    int *seen = arg;

    assert_int_equal(script.len, CC_TAPROOT_SCRIPT);
    assert_int_equal(strlen(label), 1);
    return ++*seen < 2; /* enough after two */
}

static void test_labels_and_change(void **state)
{
    int seen = 0;

    struct world w;
    struct cc_wallet_key key;
    struct cc_bytes script;

    (void)state;
    world_open(&w);
    cc_wallet_keys_at(w.keys, CC_CHAIN_CHANGE, 3, &key);
    script = cc_bytes(key.script, CC_TAPROOT_SCRIPT);
    assert_null(cc_book_label(w.book, script));
    assert_true(cc_book_is_change(w.book, script));
    cc_book_set_label(w.book, script, "a");
    cc_book_set_label(w.book, script, "b");
    assert_string_equal(cc_book_label(w.book, script), "b");
    assert_false(cc_book_is_change(w.book, script));
    cc_wallet_keys_at(w.keys, CC_CHAIN_RECEIVE, 3, &key);
    assert_false(cc_book_is_change(w.book, script));
    cc_book_set_label(w.book, script, "c");
    cc_wallet_keys_at(w.keys, CC_CHAIN_CHANGE, 3, &key);
    assert_string_equal(cc_book_label(w.book, script), "b");
    cc_wallet_keys_at(w.keys, CC_CHAIN_STORAGE, 3, &key);
    cc_book_set_label(w.book, script, "d");
    cc_book_each_label(w.book, count_labels, &seen);
    assert_int_equal(seen, 2);
    world_close(&w);
    cc_book_free(NULL);
}

struct records {
    struct cc_writer w[TXS];
    size_t count;
};

static void keep(void *arg, const struct cc_wallet_tx *tx)
{
    struct records *r = arg;

    cc_writer_init_heap(&r->w[r->count]);
    cc_book_tx_write(&r->w[r->count++], tx);
}

/* Blocks of branch 0 up to height 1 are still there. */
static bool holds(void *arg, int32_t height, const uint8_t hash[32])
{
    uint8_t want[32];

    (void)arg;
    hash_of(want, height, 0);
    return height <= 1 && !memcmp(hash, want, 32);
}

static void test_records_come_back(void **state)
{
    struct world w, v;
    struct cc_tx in, out, rival, extra;
    const struct cc_wallet_tx *t;
    struct records r = {.count = 0};
    struct cc_balance a, b;

    (void)state;
    world_open(&w);
    connect_empty(&w, 1);
    fund(&w, &in, 1000);
    make(&w, &out, &in, 0, CC_CHAINS, 700, 290);
    make(&w, &rival, &in, 0, CC_CHAINS, 600, 390);
    make(&w, &extra, &in, 9, CC_CHAINS, 600, 390);
    cc_book_add_ours(w.book, &rival, 10, true, 5, "why", "whom");
    assert_true(connect(&w, 0, &out)); /* height 2: rival is in conflict */
    cc_book_changed(w.book, keep, &r);
    assert_int_equal(r.count, 3);
    cc_book_changed(w.book, keep, &r);
    assert_int_equal(r.count, 3); /* nothing changed since */

    world_open(&v);
    for (size_t i = 0; i < r.count; i++)
        assert_int_equal(
            cc_book_tx_read(v.book, cc_bytes(r.w[i].data, r.w[i].len), NULL),
            CC_OK);
    cc_book_set_tip(v.book, 2);
    cc_book_balance(w.book, 0, &a);
    cc_book_balance(v.book, 0, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_int_equal(a.trusted, 290);
    t = cc_book_find(v.book, rival.txid);
    assert_string_equal(t->comment, "why");
    assert_string_equal(t->to, "whom");
    assert_true(t->ours && t->fee_known && !t->generated && !t->abandoned);
    assert_int_equal(t->fee, 10);
    assert_int_equal(t->time, 5);
    t = cc_book_find(v.book, in.txid);
    assert_true(!t->ours && !t->fee_known && t->comment == NULL);
    assert_int_equal(t->position, 1);
    assert_int_equal(depth_of(&v, &rival), -1);
    assert_int_equal(cc_book_find(v.book, in.txid)->order,
                     cc_book_find(w.book, in.txid)->order);
    /* The block at height 2 is gone: out and its conflict are open again. */
    cc_book_set_tip(v.book, 1);
    cc_book_review(v.book, holds, NULL);
    assert_int_equal(changed(&v), 2);
    for (size_t i = 1; i < 3; i++)
        assert_true(cc_book_at(v.book, i - 1)->order <
                    cc_book_at(v.book, i)->order);
    t = cc_book_add_ours(v.book, &extra, 1, true, 5, NULL, NULL);
    assert_int_equal(t->order, 3); /* after all that were read */
    cc_book_forget(v.book, extra.txid);
    assert_int_equal(depth_of(&v, &in), 1);
    assert_int_equal(depth_of(&v, &out), 0);
    assert_int_equal(depth_of(&v, &rival), 0);
    for (size_t i = 0; i < r.count; i++) {
        for (size_t len = 0; len < r.w[i].len; len++)
            assert_int_equal(
                cc_book_tx_read(v.book, cc_bytes(r.w[i].data, len), NULL),
                CC_CORRUPT);
        cc_writer_clear(&r.w[i]);
    }
    cc_tx_clear(&in);
    cc_tx_clear(&out);
    cc_tx_clear(&rival);
    cc_tx_clear(&extra);
    world_close(&v);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receive_and_spend),
        cmocka_unit_test(test_money_of_strangers_is_pending),
        cmocka_unit_test(test_maturity_of_coinbases),
        cmocka_unit_test(test_claims_mature),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_a_stranger_takes_it_back),
        cmocka_unit_test(test_what_is_kept_of_a_transaction),
        cmocka_unit_test(test_abandoning),
        cmocka_unit_test(test_forgetting_what_was_not_kept),
        cmocka_unit_test(test_keys_in_use_are_not_handed_out),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_labels_and_change),
        cmocka_unit_test(test_records_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
