/*
 * Storage transactions in the pool (doc/protocol.md 4.6), on the real chain:
 * contracts without data, so that a proof needs no samples.
 */
#include "support.h"

#include "consensus/action.h"
#include "consensus/transition.h"
#include "crypto/ec.h"
#include "mempool/select.h"
#include "mempool/test/fixture.h"

#include <string.h>

#define RENT 100000
#define PENALTY 30000

static struct fixture f;
static struct cc_ec *ec;
static uint8_t renter[32] = {1}, host[32] = {2}; /* secrets */

/* A contract and the coin that holds it now. */
struct deal {
    struct cc_typed t;
    struct cc_coin coin;
    struct cc_outpoint o;
    uint8_t id[32];
};

static int open_regtest(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_REGTEST);
    fixture_mine(&f, 20);
    ec = cc_ec_new();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    cc_ec_free(ec);
    fixture_close(&f);
    return 0;
}

static uint32_t next_height(void) { return cc_chain_tip(f.chain)->height + 1; }

static struct cc_bytes script_of(const struct cc_typed *t)
{
    uint8_t buf[2000];
    struct cc_writer w;

    cc_writer_init(&w, buf, sizeof(buf));
    cc_typed_write(&w, t);
    return cc_bytes(cc_arena_dup(&f.b.arena, buf, w.len), w.len);
}

static void sign(uint8_t sig[64], const uint8_t secret[32],
                 const uint8_t msg[32])
{
    static const uint8_t aux[32];

    assert_true(cc_schnorr_sign(ec, sig, secret, msg, 32, aux));
}

/* A transaction that forms a contract starting at the next block: due heights
 * 12 blocks apart from there, all called. */
static struct cc_tx *form(struct deal *d, uint32_t coin_height)
{
    struct cc_contract *c = &d->t.u.contract;
    struct cc_tx *tx = fixture_tx(&f);
    struct cc_outpoint o = fixture_coin(&f, coin_height);
    uint8_t msg[32], sigs[128];
    cc_amount need;

    memset(d, 0, sizeof(*d));
    d->t.kind = CC_KIND_CONTRACT;
    d->t.forming = true;
    cc_ec_xonly(ec, c->renter_key, renter);
    cc_ec_xonly(ec, c->host_key, host);
    c->start = next_height();
    c->period = 12;
    c->periods = 6;
    c->samples = 1;
    c->odds = 1;
    c->rent = RENT;
    c->penalty = PENALTY;
    c->allowance = 500000;
    assert_true(cc_contract_need(&need, c, &f.params));
    fixture_spend(&f, tx, &o);
    cc_typed_form_message(msg, &d->t, &o, 0, need, &f.params);
    sign(sigs, renter, msg);
    sign(sigs + 64, host, msg);
    d->t.sigs = cc_bytes(sigs, sizeof(sigs));
    d->coin.out.value = need;
    d->coin.out.script = script_of(&d->t);
    cc_build_out(&f.b, tx, need, d->coin.out.script.data,
                 d->coin.out.script.len);
    fixture_pay(&f, tx, 25 * CC_COIN - need - 20000);
    cc_tx_finish(tx);
    memcpy(d->o.txid, tx->txid, 32);
    cc_typed_formed_id(d->id, &d->o);
    d->t.forming = false;
    d->t.sigs = cc_bytes(NULL, 0);
    memcpy(c->id, d->id, 32);
    return tx;
}

/* Spend d by an action whose successor is next with value; what is released
 * goes to an output, less fee. extra (may be NULL): REV or VOU. */
static struct cc_tx *act(const struct deal *d, const struct cc_act *a,
                         struct cc_bytes extra, const struct deal *next,
                         cc_amount fee, const uint8_t secret[32])
{
    struct cc_tx *tx = fixture_tx(&f);
    struct cc_txin *in = cc_build_in(&f.b, tx, 0, 0);
    uint8_t head[CC_ACTION_HEAD_ROOM], msg[32], sig[64];
    struct cc_sighash s;
    cc_amount released = d->coin.out.value - next->coin.out.value;

    in->prevout = d->o;
    cc_build_witness(&f.b, in, head, cc_act_write_head(head, a));
    if (extra.len)
        cc_build_witness(&f.b, in, extra.data, extra.len);
    cc_build_out(&f.b, tx, next->coin.out.value, next->coin.out.script.data,
                 next->coin.out.script.len);
    fixture_pay(&f, tx, released - fee);
    cc_tx_finish(tx);
    cc_sighash_init(&s, tx, &d->coin);
    cc_action_message(msg, &s, 0, in->witness, in->witness_count, &f.params);
    sign(sig, secret, msg);
    cc_build_witness(&f.b, in, sig, sizeof(sig));
    cc_tx_finish(tx);
    return tx;
}

static void renew(struct deal *next, const struct deal *d) { *next = *d; }

static struct cc_tx *prove(const struct deal *d, uint16_t i, cc_amount fee)
{
    const struct cc_act a = {.action = CC_ACTION_PROVE, .i = i};
    struct deal next;

    renew(&next, d);
    next.t.u.contract.done = i;
    next.coin.out.value -= RENT;
    next.coin.out.script = script_of(&next.t);
    return act(d, &a, cc_bytes(NULL, 0), &next, fee, host);
}

/* The host redeems a voucher. *next (may be NULL): what comes of it. */
static struct cc_tx *redeem(const struct deal *d, uint64_t amount,
                            cc_amount fee, struct deal *next)
{
    const struct cc_act a = {.action = CC_ACTION_SYNC, .flags = CC_FLAG_VOU};
    uint8_t msg[32], sig[64], vou[CC_VOU_SIZE];
    struct deal n;
    struct cc_tx *tx;

    cc_voucher_message(msg, d->id, amount, &f.params);
    sign(sig, renter, msg);
    cc_vou_write(vou, amount, sig);
    renew(&n, d);
    n.coin.out.value -= (cc_amount)(amount - n.t.u.contract.redeemed);
    n.t.u.contract.redeemed = amount;
    n.coin.out.script = script_of(&n.t);
    tx = act(d, &a, cc_bytes(vou, sizeof(vou)), &n, fee, host);
    memcpy(n.o.txid, tx->txid, 32);
    n.o.index = 0;
    if (next)
        *next = n;
    return tx;
}

/* A revision of nothing put on chain by one party; the fee comes from a
 * coinbase. */
static struct cc_tx *revise(const struct deal *d, bool by_renter,
                            uint32_t coin_height)
{
    const struct cc_act a = {
        .action = CC_ACTION_SYNC,
        .flags = CC_FLAG_REV | (by_renter ? (unsigned)CC_FLAG_BY_RENTER : 0)};
    struct cc_outpoint o = fixture_coin(&f, coin_height);
    uint8_t msg[32], sig[64], rev[CC_REV_SIZE], head[CC_ACTION_HEAD_ROOM];
    static const uint8_t root[32] = {5};
    struct cc_tx *tx = fixture_tx(&f);
    struct cc_coin coins[2] = {d->coin};
    struct cc_sighash s;
    struct cc_txin *in;
    struct deal n;

    cc_revision_message(msg, d->id, 7, root, 3, &f.params);
    sign(sig, by_renter ? host : renter, msg);
    cc_rev_write(rev, 7, root, 3, sig);
    renew(&n, d);
    n.t.u.contract.revision = 7;
    n.t.u.contract.sectors = 3;
    memcpy(n.t.u.contract.root, root, 32);
    n.coin.out.script = script_of(&n.t);
    cc_build_in(&f.b, tx, 0, 0)->prevout = d->o;
    fixture_spend(&f, tx, &o);
    in = &tx->vin[0];
    cc_build_out(&f.b, tx, n.coin.out.value, n.coin.out.script.data,
                 n.coin.out.script.len);
    fixture_pay(&f, tx, 25 * CC_COIN - 20000);
    cc_build_witness(&f.b, in, head, cc_act_write_head(head, &a));
    cc_build_witness(&f.b, in, rev, sizeof(rev));
    cc_tx_finish(tx);
    coins[1].out.value = 25 * CC_COIN;
    coins[1].out.script = fixture_script();
    cc_sighash_init(&s, tx, coins);
    cc_action_message(msg, &s, 0, in->witness, in->witness_count, &f.params);
    sign(sig, by_renter ? renter : host, msg);
    cc_build_witness(&f.b, in, sig, sizeof(sig));
    cc_tx_finish(tx);
    return tx;
}

/* A confirmed contract. */
static void settle(struct deal *d, uint32_t coin_height)
{
    fixture_add(&f, form(d, coin_height));
    fixture_mine(&f, 1);
    f.left_count = f.added_count = 0;
}

static void mine_to(uint32_t height)
{
    while (next_height() <= height)
        fixture_mine_txs(&f, NULL, 0);
}

/* --- Tests -----------------------------------------------------------------
 */

static void test_entry(void **state)
{
    const struct cc_mempool_entry *e;
    struct deal d;
    struct cc_tx *tx;

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 12);
    tx = prove(&d, 1, 10000);
    fixture_add(&f, tx);
    e = cc_mempool_find(f.pool, tx->txid);
    assert_true(e->typed);
    assert_int_equal(e->fee, 10000);
    assert_int_equal(e->sigop_cost, 1);
    assert_int_equal(e->facts.lo, d.t.u.contract.start + 13);
    assert_int_equal(e->facts.hi, d.t.u.contract.start + 12 + 6);
    assert_int_equal(e->facts.read, d.t.u.contract.start + 12);
    fixture_mine(&f, 1);
    assert_int_equal(f.left[0], CC_LEAVE_BLOCK);
}

/* A revision is good until a challenge is out; then it goes by itself, and
 * with it what builds on it. */
static void test_facts_pass(void **state)
{
    struct deal d;
    struct cc_tx *tx, *child;
    uint32_t due;

    (void)state;
    settle(&d, 1);
    due = d.t.u.contract.start + 12;
    tx = revise(&d, false, 2);
    fixture_add(&f, tx);
    assert_int_equal(cc_mempool_find(f.pool, tx->txid)->facts.hi, due);
    child = fixture_child(&f, tx, 1, 10000);
    fixture_add(&f, child);
    mine_to(due - 1);
    assert_true(fixture_has(&f, tx));
    mine_to(due);
    assert_false(fixture_has(&f, tx));
    assert_false(fixture_has(&f, child));
    assert_int_equal(f.left_count, 2);
    assert_int_equal(f.left[0], CC_LEAVE_FACTS);
}

/* Wrong by one block: it waits and enters by itself, once. */
static void test_hold(void **state)
{
    struct deal d;
    struct cc_tx *tx, *early;

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 11);
    tx = prove(&d, 1, 10000);
    cc_tx_finish(tx);
    assert_int_equal(cc_mempool_add(f.pool, tx, true, NULL, &f.err),
                     CC_INVALID);
    assert_int_equal(f.err.verdict, CC_VERDICT_CONTEXT);
    mine_to(d.t.u.contract.start + 12);
    assert_false(fixture_has(&f, tx)); /* a test holds nothing */

    settle(&d, 2);
    mine_to(d.t.u.contract.start + 11);
    tx = prove(&d, 1, 10000);
    assert_int_equal(cc_mempool_add(f.pool, tx, false, NULL, &f.err),
                     CC_INVALID);
    assert_int_equal(cc_mempool_add(f.pool, tx, false, NULL, &f.err),
                     CC_INVALID);
    assert_int_equal(f.added_count, 0);
    mine_to(d.t.u.contract.start + 12);
    assert_true(fixture_has(&f, tx));
    assert_int_equal(f.added_count, 1);

    settle(&d, 3);
    mine_to(d.t.u.contract.start + 10);
    early = prove(&d, 1, 10000);
    assert_int_equal(cc_mempool_add(f.pool, early, false, NULL, &f.err),
                     CC_INVALID);
    mine_to(d.t.u.contract.start + 12);
    assert_false(fixture_has(&f, early)); /* two blocks were too many */
}

/* No signal is asked for. */
static void test_replaceable(void **state)
{
    struct deal d;
    struct cc_tx *tx, *dearer;

    (void)state;
    settle(&d, 1);
    tx = redeem(&d, 200000, 10000, NULL);
    assert_int_equal(tx->vin[0].sequence, CC_SEQUENCE_FINAL);
    fixture_add(&f, tx);
    dearer = redeem(&d, 300000, 20000, NULL);
    fixture_add(&f, dearer);
    assert_false(fixture_has(&f, tx));
    assert_int_equal(f.accepted.replaced, 1);
}

/* A proof pays for its own relay and pushes out what one party put in its
 * way, however dear; other conflicts are Bitcoin's. */
static void test_urgent(void **state)
{
    struct deal d;
    struct cc_tx *tx, *child, *cheap;

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 12);
    tx = redeem(&d, 400000, 300000, NULL);
    fixture_add(&f, tx);
    child = fixture_child(&f, tx, 1, 90000);
    fixture_add(&f, child);
    cheap = prove(&d, 1, 200);
    assert_int_equal(cc_mempool_add(f.pool, cheap, false, NULL, &f.err),
                     CC_INVALID); /* less than the increment */
    cheap = prove(&d, 1, 1000);
    fixture_add(&f, cheap);
    assert_int_equal(f.accepted.replaced, 2);
    /* And not the other way round, nor one proof another. */
    assert_int_equal(
        cc_mempool_add(f.pool, prove(&d, 1, 1001), false, NULL, &f.err),
        CC_INVALID);
    assert_string_equal(f.err.reason, "insufficient fee");
    assert_int_equal(cc_mempool_add(f.pool, redeem(&d, 400000, 1000, NULL),
                                    false, NULL, &f.err),
                     CC_INVALID);
    assert_string_equal(f.err.reason, "insufficient fee");
}

static void test_renter(void **state)
{
    struct deal d, next;
    struct cc_tx *tx;

    (void)state;
    tx = form(&d, 1);
    fixture_add(&f, tx);
    fixture_expect(&f, revise(&d, true, 2),
                   "storage-unconfirmed-input, a renter's one-sided action "
                   "spends confirmed coins only");
    assert_int_equal(f.err.verdict, CC_VERDICT_POLICY);
    fixture_add(&f, redeem(&d, 1000 + 20000, 5000, &next)); /* the host may */
    fixture_mine(&f, 1);
    fixture_add(&f, revise(&next, true, 2));
}

/* Nothing that expires waits behind more than fits in the blocks it has. */
static void test_expires(void **state)
{
    struct cc_tx *rich, *proof;
    struct deal d;

    (void)state;
    settle(&d, 1);
    mine_to(d.t.u.contract.start + 12 + 5); /* one block of its window left */
    proof = prove(&d, 1, 10000);
    for (uint32_t i = 0; i < 11; i++) {
        assert_int_equal(cc_mempool_add(f.pool, proof, true, NULL, &f.err),
                         CC_OK);
        rich = fixture_simple(&f, 2 + i, 1, 20000000);
        for (int k = 0; k < 2200; k++)
            fixture_pay(&f, rich, 1000);
        rich->vout[0].value -= 2200 * 1000;
        cc_tx_finish(rich);
        assert_in_range(cc_tx_weight(rich), 4000000 / 11, 4000000 / 10 - 2000);
        fixture_add(&f, rich);
    }
    fixture_expect(&f, proof,
                   "storage-expires, expires before the transactions ahead of "
                   "it can be mined");
    assert_int_equal(f.err.verdict, CC_VERDICT_POLICY);
    /* One that pays more than they do has nobody ahead. */
    fixture_add(&f, prove(&d, 1, 90000));
}

/* Back over the block whose hash was read: judged again on the new branch. */
static void test_reorg(void **state)
{
    struct deal d;
    struct cc_tx *proof, *tx;
    uint32_t due;

    (void)state;
    settle(&d, 1);
    due = d.t.u.contract.start + 12;
    mine_to(due);
    proof = prove(&d, 1, 10000);
    fixture_add(&f, proof);
    assert_int_equal(
        cc_chain_invalidate(f.chain, cc_chain_tip(f.chain), &f.err), CC_OK);
    assert_false(fixture_has(&f, proof));
    /* The contract itself is taken back, and is good again. */
    tx = revise(&d, false, 2);
    fixture_add(&f, tx);
    assert_int_equal(
        cc_chain_invalidate(f.chain, cc_chain_at(f.chain, d.t.u.contract.start),
                            &f.err),
        CC_OK);
    assert_non_null(cc_mempool_find(f.pool, d.o.txid));
    assert_true(fixture_has(&f, tx));
    assert_int_equal(cc_mempool_find(f.pool, tx->txid)->ancestor_count, 2);
}

/* Half of the subsidy is not the miner's. */
static void test_template(void **state)
{
    struct cc_template t;
    struct deal d;

    (void)state;
    fixture_add(&f, form(&d, 1));
    assert_int_equal(cc_template_new(&t, f.pool, fixture_script(), &f.err),
                     CC_OK);
    assert_int_equal(t.coinbase_value, 25 * CC_COIN + 20000);
    assert_int_equal(t.block.tx_count, 2);
    cc_template_clear(&t);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_regtest, close_all)
    const struct CMUnitTest tests[] = {
        T(test_entry),       T(test_facts_pass), T(test_hold),
        T(test_replaceable), T(test_urgent),     T(test_renter),
        T(test_expires),     T(test_reorg),      T(test_template),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
