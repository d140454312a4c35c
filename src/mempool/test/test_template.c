/* What a block template holds, in what order, and mining it. */
#include "support.h"

#include "consensus/pow.h"
#include "mempool/select.h"
#include "mempool/test/fixture.h"

#include <string.h>

static struct fixture f;
static struct cc_template t;

static int open_bitcoin(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_BITCOIN_REGTEST);
    fixture_mine(&f, 40);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

static void make_template(void)
{
    if (cc_template_new(&t, f.pool, fixture_script(), &f.err) != CC_OK)
        fail_msg("%s", f.err.text);
}

/* Place of tx in the template, 0 if it is not there. */
static size_t place(const struct cc_tx *tx)
{
    for (size_t i = 1; i < t.block.tx_count; i++)
        if (!memcmp(t.block.tx[i].txid, tx->txid, 32))
            return i;
    return 0;
}

static void test_empty(void **state)
{
    const struct cc_index *tip = cc_chain_tip(f.chain);
    const struct cc_tx *coinbase;

    (void)state;
    make_template();
    coinbase = &t.block.tx[0];
    assert_int_equal(t.height, 41);
    assert_int_equal(t.min_time, tip->median_time + 1);
    assert_int_equal(t.coinbase_value, 50 * CC_COIN);
    assert_int_equal(t.block.tx_count, 1);
    assert_int_equal(t.fees[0], 0);
    assert_memory_equal(t.block.header.prev, tip->hash, 32);
    assert_int_equal(t.block.header.time, f.now);
    assert_int_equal(t.block.header.bits, 0x207fffff);
    assert_int_equal(t.block.header.version, 0x20000000);
    /* Height, one byte more, the reward, the commitment, its nonce. */
    assert_memory_equal(coinbase->vin[0].script_sig.data, "\x01\x29\x00", 3);
    assert_int_equal(coinbase->vout[0].value, 50 * CC_COIN);
    assert_true(cc_bytes_equal(coinbase->vout[0].script, fixture_script()));
    assert_int_equal(cc_block_commitment_index(&t.block), 1);
    assert_true(
        cc_bytes_equal(coinbase->vout[1].script,
                       cc_bytes(t.commitment_script, t.commitment_len)));
    assert_int_equal(coinbase->vin[0].witness_count, 1);
    assert_int_equal(coinbase->vin[0].witness[0].len, 32);
    cc_template_clear(&t);
    /* A clock behind the chain. */
    f.now = tip->median_time - 100;
    make_template();
    assert_int_equal(t.block.header.time, tip->median_time + 1);
    cc_template_clear(&t);
}

static void test_order(void **state)
{
    struct cc_tx *low = fixture_simple(&f, 1, 1, 1000);
    struct cc_tx *mid = fixture_simple(&f, 2, 1, 5000);
    struct cc_tx *parent = fixture_simple(&f, 3, 2, 200);
    struct cc_tx *child = fixture_child(&f, parent, 0, 30000);
    struct cc_tx *other = fixture_child(&f, parent, 1, 2000);

    (void)state;
    fixture_add(&f, low);
    fixture_add(&f, mid);
    fixture_add(&f, parent);
    fixture_add(&f, child);
    fixture_add(&f, other);
    make_template();
    /* The child brings its parent in first; then the parent burdens nobody. */
    assert_int_equal(t.block.tx_count, 6);
    assert_int_equal(place(parent), 1);
    assert_int_equal(place(child), 2);
    assert_int_equal(place(mid), 3);
    assert_int_equal(place(other), 4);
    assert_int_equal(place(low), 5);
    assert_int_equal(t.fees[3], 5000);
    assert_int_equal(t.fees[0], -38200);
    assert_int_equal(t.coinbase_value, 50 * CC_COIN + 38200);
    assert_int_equal(t.sigop_costs[1], 0);
    cc_template_clear(&t);
    /* A user's word moves it. */
    cc_mempool_prioritise(f.pool, low->txid, 1000000);
    make_template();
    assert_int_equal(place(low), 1);
    assert_int_equal(t.fees[1], 1000);
    cc_template_clear(&t);
    cc_mempool_prioritise(f.pool, low->txid, -1001000);
    make_template();
    assert_int_equal(place(low), 0);
    cc_template_clear(&t);
}

static void test_options(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 5000);
    struct cc_tx *b = fixture_simple(&f, 2, 1, 3000);

    (void)state;
    f.config.block_version = 0x20000005;
    f.config.block_max_weight = 4000 + 2 * cc_tx_weight(a) - 1;
    fixture_reopen(&f);
    fixture_add(&f, a);
    fixture_add(&f, b);
    make_template();
    assert_int_equal(t.block.header.version, 0x20000005);
    assert_int_equal(t.block.tx_count, 2);
    assert_int_equal(place(a), 1);
    cc_template_clear(&t);
    f.config.block_max_weight++;
    f.config.block_min_feerate = 3000 * 1000 / 96;
    fixture_reopen(&f);
    fixture_add(&f, a);
    fixture_add(&f, b);
    make_template();
    assert_int_equal(t.block.tx_count, 3);
    cc_template_clear(&t);
    f.config.block_min_feerate += 11; /* 96 bytes: one satoshi more */
    fixture_reopen(&f);
    fixture_add(&f, a);
    fixture_add(&f, b);
    make_template();
    assert_int_equal(t.block.tx_count, 2);
    cc_template_clear(&t);
}

/* A child that pays less than its parents does not profit from them. */
static void test_poor_child(void **state)
{
    struct cc_tx *rich = fixture_simple(&f, 1, 1, 100000);
    struct cc_tx *poor = fixture_child(&f, rich, 0, 200);
    struct cc_tx *mid = fixture_simple(&f, 2, 1, 5000);

    (void)state;
    fixture_add(&f, rich);
    fixture_add(&f, poor);
    fixture_add(&f, mid);
    make_template();
    assert_int_equal(place(rich), 1);
    assert_int_equal(place(mid), 2);
    assert_int_equal(place(poor), 3);
    cc_template_clear(&t);
}

/* Each kind of room by itself, exactly enough and one too little. */
static void test_room(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000);
    struct cc_tx *b = fixture_child(&f, a, 0, 10000);
    struct cc_mempool_entry *e;
    struct cc_select_room room;
    struct cc_txpool_list out = {0};

    (void)state;
    fixture_add(&f, a);
    fixture_add(&f, b);
    e = (struct cc_mempool_entry *)(uintptr_t)cc_mempool_find(f.pool, b->txid);
    e->claims = 3;
    e->mint = 500;
    e->sigop_cost = 40;
    for (int which = 0; which < 5; which++) {
        room = (struct cc_select_room){
            .weight = cc_tx_weight(a) + cc_tx_weight(b),
            .sigop_cost = 40,
            .claims = 3,
            .mint = 500,
        };
        room.weight -= which == 1;
        room.sigop_cost -= which == 2;
        room.claims -= which == 3;
        room.mint -= which == 4;
        out.count = 0;
        cc_txpool_select(f.pool, &room, &out);
        assert_int_equal(out.count, which ? 1 : 2);
        assert_memory_equal(out.items[0]->e.tx.txid, a->txid, 32);
    }
    room.min_feerate = 10000 * 1000 / 96 + 1;
    out.count = 0;
    cc_txpool_select(f.pool, &room, &out);
    assert_int_equal(out.count, 0);
    cc_txpool_list_clear(&out);
}

/* Random families, held against what must be true of any template. */
static void test_random(void **state)
{
    struct cc_test_random r;
    struct cc_tx *made[120];
    size_t n = 0;
    struct cc_select_room room = {.weight = 20000, .sigop_cost = 80000};
    struct cc_txpool_list out = {0};
    size_t weight = 0;

    (void)state;
    cc_test_random_init(&r, 7);
    for (uint32_t h = 1; h <= 38; h++) {
        made[n] = fixture_simple(&f, h, 3,
                                 200 + (cc_amount)(cc_test_random(&r) % 20000));
        fixture_add(&f, made[n]);
        n++;
        for (int k = 0; k < 2; k++) {
            const struct cc_tx *parent = made[n - 1];

            made[n] = fixture_child(
                &f, parent, (uint32_t)k % (uint32_t)parent->vout_count,
                200 + (cc_amount)(cc_test_random(&r) % 20000));
            if (cc_mempool_add(f.pool, made[n], false, NULL, &f.err) == CC_OK)
                n++;
        }
    }
    cc_txpool_select(f.pool, &room, &out);
    assert_true(out.count > 20);
    for (size_t i = 0; i < out.count; i++) {
        weight += cc_tx_weight(&out.items[i]->e.tx);
        /* Parents first, nobody twice. */
        for (size_t j = i; j < out.count; j++) {
            if (j > i)
                assert_ptr_not_equal(out.items[i], out.items[j]);
            for (size_t k = 0; k < out.items[i]->parent_count; k++)
                assert_ptr_not_equal(out.items[i]->parents[k], out.items[j]);
        }
    }
    assert_true(weight <= 20000);
    assert_true(weight > 20000 - 1500); /* full but for the last package */
    cc_txpool_list_clear(&out);
    fixture_mine(&f, 1); /* and the chain agrees */
}

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

static void test_generate(void **state)
{
    struct cc_tx *a = fixture_simple(&f, 1, 1, 10000), *none = fixture_tx(&f);
    struct cc_block block;
    uint64_t tries = 0;
    const struct cc_mine_stop stop = {at_once, NULL};

    (void)state;
    fixture_add(&f, a);
    assert_int_equal(cc_generate(&block, f.pool, fixture_script(), NULL, 0,
                                 &tries, NULL, &f.err),
                     CC_LIMIT);
    tries = 1000;
    assert_int_equal(cc_generate(&block, f.pool, fixture_script(), NULL, 0,
                                 &tries, &stop, &f.err),
                     CC_LIMIT);
    assert_int_equal(tries, 1000);
    /* Given transactions only; the fee is nobody's. */
    assert_int_equal(cc_generate(&block, f.pool, fixture_script(), none, 0,
                                 &tries, NULL, &f.err),
                     CC_OK);
    assert_int_equal(block.tx_count, 1);
    cc_block_clear(&block);
    assert_int_equal(cc_generate(&block, f.pool, fixture_script(), a, 1, &tries,
                                 NULL, &f.err),
                     CC_OK);
    assert_int_equal(block.tx_count, 2);
    assert_int_equal(block.tx[0].vout[0].value, 50 * CC_COIN);
    assert_true(cc_pow_check(block.hash, block.header.bits, &f.params));
    cc_block_clear(&block);
    /* One that breaks a rule is told before mining. */
    a->vout[0].value += 20000;
    cc_tx_finish(a);
    assert_int_equal(cc_generate(&block, f.pool, fixture_script(), a, 1, &tries,
                                 NULL, &f.err),
                     CC_INVALID);
    assert_string_equal(f.err.reason, "bad-txns-in-belowout");
    assert_non_null(strstr(f.err.text, "TestBlockValidity failed: "));
}

static bool third_time(void *arg) { return ++*(int *)arg == 3; }

static void test_mine(void **state)
{
    struct cc_header h = {.version = 4, .bits = 0x1f00ffff, .time = 77};
    struct cc_params p = f.params;
    uint64_t tries = 1 << 20;
    uint8_t hash[32];
    int asked = 0;
    const struct cc_mine_stop stop = {third_time, &asked};

    (void)state;
    assert_true(cc_mine(&h, &p, &tries, NULL));
    cc_header_hash(hash, &h);
    assert_true(cc_pow_check(hash, 0x1f00ffff, &p));
    assert_int_equal(tries, (1 << 20) - (uint64_t)h.nonce - 1);
    assert_int_equal(h.time, 77);
    tries = 5;
    h.bits = 0x1d00ffff;
    assert_false(cc_mine(&h, &p, &tries, NULL));
    assert_int_equal(tries, 0);
    tries = UINT64_MAX;
    h.bits = 0x1c00ffff;
    assert_false(cc_mine(&h, &p, &tries, &stop));
    assert_int_equal(asked, 3);
    assert_int_equal(UINT64_MAX - tries, 2 << 16);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_bitcoin, close_all)
    const struct CMUnitTest tests[] = {
        T(test_empty), T(test_order),  T(test_options),  T(test_poor_child),
        T(test_room),  T(test_random), T(test_generate), T(test_mine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
