/*
 * Forming contracts, against a node and a host that are played
 * (renter_world.h): the transaction to the field, and every lie caught before
 * anything is signed.
 */
#include "storage/test/renter_world.h"

#include "crypto/ec.h"
#include "support.h"

#include <stdlib.h>

/* The transaction that an honest host gets, field by field. */
static void test_honest(void **state)
{
    struct cc_renter_contract *c = NULL;
    struct cc_typed t;
    struct cc_tx tx;
    struct world w;
    struct cc_host h;
    cc_amount in, out = 0, need;
    uint8_t msg[32], id[32];
    struct cc_outpoint o = {.index = 0};

    (void)state;
    world_init(&w, HONEST);
    h = only_host(&w);
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_OK);
    assert_int_equal(cc_tx_decode(&tx, w.tx, w.tx_len, true), CC_OK);
    /* Our coin first, with a witness; the host's last, without. */
    assert_int_equal(tx.vin_count, 2);
    assert_int_equal(tx.vin[0].witness_count, 1);
    assert_int_equal(tx.vin[1].witness_count, 0);
    assert_int_equal(tx.vin[1].prevout.txid[0], 0x99);
    /* The contract, our change, the host's change. */
    assert_int_equal(tx.vout_count, 3);
    assert_int_equal(tx.version, 2);
    assert_int_equal(tx.locktime, 0);
    assert_int_equal(tx.vin[0].sequence, 0xfffffffd);
    assert_int_equal(tx.vin[1].sequence, 0xfffffffd);
    assert_int_equal(tx.vout[1].script.len, 34);
    assert_int_equal(tx.vout[1].script.data[33], 0x11);
    assert_int_equal(tx.vout[2].value, 5000);
    assert_int_equal(tx.vout[2].script.len, 22);
    assert_int_equal(tx.vout[2].script.data[2], 9);
    assert_int_equal(cc_typed_parse(&t, tx.vout[0].script, NULL), CC_OK);
    assert_int_equal(t.kind, CC_KIND_CONTRACT);
    assert_true(t.forming);
    assert_int_equal(cc_typed_check(&t, tx.vout[0].value, w.params, NULL),
                     CC_OK);
    cc_typed_form_message(msg, &t, &tx.vin[0].prevout, 0, tx.vout[0].value,
                          w.params);
    assert_true(
        cc_schnorr_verify(t.u.contract.renter_key, t.sigs.data, msg, 32));
    assert_true(cc_schnorr_verify(w.host_key, t.sigs.data + 64, msg, 32));
    assert_true(cc_contract_need(&need, &t.u.contract, w.params));
    assert_int_equal(tx.vout[0].value, need);
    /* Terms: what both can do. */
    assert_int_equal(t.u.contract.period, 12);
    assert_int_equal(t.u.contract.periods, 30);
    assert_int_equal(t.u.contract.odds, 4);
    assert_int_equal(t.u.contract.samples, 2);
    assert_int_equal(t.u.contract.rent, 32 * 12);
    assert_int_equal(t.u.contract.penalty, 32 * 12);
    assert_true(t.u.contract.start > TIP + 1);
    /* A fee, and not a large one. */
    in = CC_COIN + (cc_amount)t.u.contract.penalty * 30 + 5000;
    for (size_t i = 0; i < tx.vout_count; i++)
        out += tx.vout[i].value;
    assert_true(in - out > 500 && in - out < 5000);
    /* Known by its id, on disk, and not as forming any more. */
    memcpy(o.txid, tx.txid, 32);
    cc_typed_formed_id(id, &o);
    assert_memory_equal(c->id, id, 32);
    assert_false(c->forming);
    assert_int_equal(c->capacity, 32);
    assert_string_equal(c->endpoint, h.endpoint);
    assert_int_equal(c->price_write, 1000);
    assert_int_equal(c->price_read, 10);
    assert_int_equal(c->price_request, 1);
    assert_int_equal(w.locked, 1);
    assert_int_equal(w.unlocked, 0);
    assert_int_equal(w.sent, 1);
    cc_renter_close(w.renter);
    open_renter(&w);
    assert_non_null(cc_renter_find_contract(w.renter, id));
    cc_tx_clear(&tx);
    world_clear(&w);
}

static void test_lies(void **state)
{
    static const struct {
        enum lie lie;
        enum cc_status st;
        const char *says;
    } rows[] = {
        {NOT_ACCEPTING, CC_INVALID, "takes no new contracts"},
        {NO_ROOM, CC_INVALID, "has room for 3 sectors"},
        {LONG_PERIODS, CC_INVALID, "periods of 20 to 100"},
        {DEAR, CC_INVALID, "above -maxrent=1.00000000"},
        {DEAR_TRANSFERS, CC_INVALID,
         "of transfers for 32 sectors, above -maxrent"},
        {NO_STAKE, CC_INVALID, "stakes only 999 thousandths"},
        {REFUSE, CC_INVALID, "refused: not with you"},
        {LITTLE_COLLATERAL, CC_CORRUPT, "of collateral"},
        {WRONG_SIGNATURE, CC_CORRUPT, "signed other terms"},
        {OUR_COIN, CC_CORRUPT, "a coin of ours"},
        {LEGACY, CC_CORRUPT, "not spent by a witness"},
        {TOO_HEAVY, CC_CORRUPT, "weight units"},
        {ABSURD_OUTPUT, CC_CORRUPT, "absurd outputs"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cc_renter_contract *c = NULL;
        struct world w;
        struct cc_host h;

        world_init(&w, rows[i].lie);
        h = only_host(&w);
        assert_true(h.answers);
        assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err),
                         rows[i].st);
        if (!strstr(w.err.text, rows[i].says))
            fail_msg("\"%s\" does not say \"%s\"", w.err.text, rows[i].says);
        assert_string_equal(w.err.reason, ""); /* the host's fault */
        /* Nothing signed, nothing kept, and the coins are free again. */
        assert_null(w.tx);
        assert_int_equal(w.renter->count, 0);
        assert_int_equal(w.locked, w.unlocked);
        world_clear(&w);
    }
}

static cc_amount fee_with(enum lie lie)
{
    struct cc_renter_contract *c = NULL;
    cc_amount fee;
    struct world w;
    struct cc_host h;
    struct cc_tx tx;

    world_init(&w, lie);
    h = only_host(&w);
    assert_int_equal(cc_renter_form(w.renter, &h, 33, &c, &w.err), CC_OK);
    /* Room to grow: the next power of two. */
    assert_int_equal(c->capacity, 64);
    assert_int_equal(cc_tx_decode(&tx, w.tx, w.tx_len, true), CC_OK);
    fee = CC_COIN - tx.vout[1].value -
          ((cc_amount)c->value - (cc_amount)c->terms.penalty * 30);
    cc_tx_clear(&tx);
    world_clear(&w);
    return fee;
}

/* We pay for the host's input as it tells its weight: two satoshi a vbyte. */
static void test_fee(void **state)
{
    (void)state;
    assert_int_equal(fee_with(HEAVIER) - fee_with(HONEST), 2000 / 4 * 2);
}

/* Faults of our own node or wallet are said to be ours: no use in asking the
 * next host. */
static void test_our_faults(void **state)
{
    struct cc_renter_contract *c = NULL;
    struct cc_host h, *hosts;
    struct world w;
    size_t count;

    (void)state;
    world_init(&w, HONEST);
    h = only_host(&w);
    w.signs_nothing = true;
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_INVALID);
    assert_non_null(strstr(w.err.text, "did not sign its inputs"));
    assert_string_not_equal(w.err.reason, "");
    assert_int_equal(w.renter->count, 0);
    assert_int_equal(w.locked, w.unlocked);
    w.down = true;
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_IO);
    assert_string_not_equal(w.err.reason, "");
    assert_int_equal(cc_renter_find_hosts(w.renter, &hosts, &count, &w.err),
                     CC_IO);
    world_clear(&w);
}

/* After FORM_SIGN the contract may be on its way, whatever the host says. */
static void test_doubt(void **state)
{
    static const enum lie lies[] = {HANG_UP, OTHER_TXID};

    (void)state;
    for (int i = 0; i < 2; i++) {
        for (int mined = 0; mined < 2; mined++) {
            struct cc_renter_contract *c = NULL;
            struct world w;
            struct cc_host h;

            world_init(&w, lies[i]);
            h = only_host(&w);
            assert_int_not_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err),
                                 CC_OK);
            assert_int_equal(w.renter->count, 1);
            assert_true(w.renter->contracts[0]->forming);
            assert_int_equal(w.unlocked, 0);
            /* It is on disk, and its fate shows on the chain. */
            cc_renter_close(w.renter);
            open_renter(&w);
            assert_int_equal(w.renter->count, 1);
            assert_int_equal(
                cc_renter_settle_forming(w.renter, TIP + 1, &w.err), CC_OK);
            assert_true(w.renter->contracts[0]->forming);
            w.on_chain = mined != 0;
            assert_int_equal(
                cc_renter_settle_forming(w.renter, TIP + 1000, &w.err), CC_OK);
            assert_int_equal(w.renter->count, mined);
            if (mined)
                assert_false(w.renter->contracts[0]->forming);
            world_clear(&w);
        }
    }
}

/* The host says that it sent it, but our node does not take it: the chain
 * decides if there is a contract. */
static void test_not_taken(void **state)
{
    (void)state;
    for (int mined = 0; mined < 2; mined++) {
        struct cc_renter_contract *c = NULL;
        struct world w;
        struct cc_host h;

        world_init(&w, HONEST);
        w.refuse = true;
        h = only_host(&w);
        assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_OK);
        assert_int_equal(w.sent, 1);
        assert_true(c->forming);
        w.on_chain = mined != 0;
        assert_int_equal(cc_renter_settle_forming(w.renter, TIP + 1000, &w.err),
                         CC_OK);
        assert_int_equal(w.renter->count, mined);
        world_clear(&w);
    }
}

/* A key that was got for nothing is taken for the next contract. */
static void test_spare_key(void **state)
{
    struct cc_renter_contract *c = NULL;
    struct world w;
    struct cc_host h;

    (void)state;
    world_init(&w, REFUSE);
    h = only_host(&w);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err),
                         CC_INVALID);
    assert_int_equal(w.next_key, 2);
    w.lie = HONEST;
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_OK);
    assert_int_equal(c->key_index, 1);
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_OK);
    assert_int_equal(c->key_index, 2);
    world_clear(&w);
}

/* A contract dearer than all our coins. */
static void test_funds(void **state)
{
    struct cc_renter_contract *c = NULL;
    struct world w;
    struct cc_host h;

    (void)state;
    world_init(&w, DEAR);
    h = only_host(&w);
    w.renter->o.rent_max = w.params->max_money;
    assert_int_equal(cc_renter_form(w.renter, &h, 200, &c, &w.err), CC_LIMIT);
    assert_non_null(strstr(w.err.text, "insufficient funds"));
    assert_non_null(strstr(w.err.text, "and 5.00000000 can be spent"));
    assert_string_not_equal(w.err.reason, ""); /* ours */
    assert_int_equal(w.locked, 0);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),    cmocka_unit_test(test_lies),
        cmocka_unit_test(test_fee),       cmocka_unit_test(test_our_faults),
        cmocka_unit_test(test_doubt),     cmocka_unit_test(test_not_taken),
        cmocka_unit_test(test_spare_key), cmocka_unit_test(test_funds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
