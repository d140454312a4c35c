/* What the coins a block spends allow, and what connecting adds up. */
#include "support.h"

#include "consensus/check.h"
#include "consensus/test/build.h"
#include "util/hex.h"

#include <stdlib.h>
#include <string.h>

static struct cc_build b;
static struct cc_error err;

static const struct cc_params *bitcoin(void)
{
    return cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
}

static struct cc_coin coin_of(cc_amount value, uint32_t height, bool coinbase)
{
    struct cc_coin coin = {
        .out = {value, cc_bytes("\x51", 1)},
        .height = height,
        .coinbase = coinbase,
    };

    return coin;
}

/* --- Coins -----------------------------------------------------------------
 */

static enum cc_status check_coins(cc_amount *fee, struct cc_coin first,
                                  struct cc_coin second, cc_amount out,
                                  uint32_t height, const struct cc_params *p)
{
    const struct cc_coin coins[2] = {first, second};
    struct cc_tx *tx;
    enum cc_status st;

    cc_build_init(&b);
    tx = cc_build_tx(&b);
    cc_build_in(&b, tx, 1, 0);
    cc_build_in(&b, tx, 2, 0);
    cc_build_out(&b, tx, out, "\x51", 1);
    cc_error_init(&err);
    st = cc_tx_check_coins(fee, tx, coins, height, p, &err);
    cc_build_clear(&b);
    return st;
}

static void test_maturity(void **state)
{
    struct cc_coin old = coin_of(1000, 10, true), plain = coin_of(1000, 109, 0);
    cc_amount fee;

    (void)state;
    assert_int_equal(check_coins(&fee, plain, old, 1500, 110, bitcoin()),
                     CC_OK);
    assert_int_equal(fee, 500);
    assert_int_equal(check_coins(&fee, plain, old, 1500, 109, bitcoin()),
                     CC_INVALID);
    assert_string_equal(err.text, "bad-txns-premature-spend-of-coinbase, "
                                  "tried to spend coinbase at depth 99");
    assert_int_equal(err.verdict, CC_VERDICT_PREMATURE);
}

static void test_values(void **state)
{
    const cc_amount max = bitcoin()->max_money;
    cc_amount fee;

    (void)state;
    assert_int_equal(check_coins(&fee, coin_of(max - 1, 1, 0), coin_of(1, 1, 0),
                                 max, 9, bitcoin()),
                     CC_OK);
    assert_int_equal(fee, 0);
    assert_int_equal(check_coins(&fee, coin_of(max - 1, 1, 0), coin_of(2, 1, 0),
                                 1, 9, bitcoin()),
                     CC_INVALID);
    assert_string_equal(err.reason, "bad-txns-inputvalues-outofrange");
    assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
    assert_int_equal(
        check_coins(&fee, coin_of(-1, 1, 0), coin_of(2, 1, 0), 1, 9, bitcoin()),
        CC_INVALID);
    assert_string_equal(err.reason, "bad-txns-inputvalues-outofrange");
    assert_int_equal(
        check_coins(&fee, coin_of(1, 1, 0), coin_of(2, 1, 0), -1, 9, bitcoin()),
        CC_INVALID);
    assert_string_equal(err.reason, "bad-txns-txouttotal-toolarge");
}

static void test_below_out(void **state)
{
    static const struct {
        cc_amount in, out;
        const char *detail;
    } rows[] = {
        {1, 2, "value in (0.00000001) < value out (0.00000002)"},
        {100000000, 150000000, "value in (1.00) < value out (1.50)"},
        {123456789, 2099999999999990,
         "value in (1.23456789) < value out (20999999.9999999)"},
    };
    cc_amount fee;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[160] = "bad-txns-in-belowout, ";

        assert_int_equal(check_coins(&fee, coin_of(rows[i].in, 1, 0),
                                     coin_of(0, 1, 0), rows[i].out, 9,
                                     bitcoin()),
                         CC_INVALID);
        strcat(text, rows[i].detail);
        assert_string_equal(err.text, text);
        assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
    }
}

/* A claim brings money that no coin holds: only where storage is active. */
static void test_below_out_typed(void **state)
{
    struct cc_coin typed = coin_of(1, 1, 0);
    cc_amount fee = 0;

    (void)state;
    typed.out.script = cc_bytes("\xbb\x01\x80", 3);
    assert_int_equal(check_coins(&fee, coin_of(1, 1, 0), typed, 10, 9,
                                 cc_params_get(CC_CHAIN_REGTEST)),
                     CC_OK);
    assert_int_equal(fee, -8);
    assert_int_equal(
        check_coins(&fee, coin_of(1, 1, 0), typed, 10, 9, bitcoin()),
        CC_INVALID);
    assert_int_equal(check_coins(&fee, coin_of(1, 1, 0), coin_of(1, 1, 0), 10,
                                 9, cc_params_get(CC_CHAIN_REGTEST)),
                     CC_INVALID);
    typed.out.script.len = 1;
    assert_int_equal(check_coins(&fee, coin_of(1, 1, 0), typed, 10, 9,
                                 cc_params_get(CC_CHAIN_REGTEST)),
                     CC_OK);
    typed.out.script.len = 0;
    assert_int_equal(check_coins(&fee, coin_of(1, 1, 0), typed, 10, 9,
                                 cc_params_get(CC_CHAIN_REGTEST)),
                     CC_INVALID);
}

/* --- Connecting ------------------------------------------------------------
 */

static struct cc_connect c;
static struct cc_block block;

static int64_t mtp(void *arg, uint32_t height)
{
    (void)arg;
    return 1000 + height;
}

/* A coinbase of height paying value; tests append transactions of b. */
static struct cc_tx *start(uint32_t height, cc_amount value)
{
    cc_build_init(&b);
    return cc_build_coinbase(&b, height, value);
}

static struct cc_tx *add_tx(cc_amount out)
{
    struct cc_tx *tx = cc_build_tx(&b);

    cc_build_in(&b, tx, (uint8_t)b.count, 0);
    cc_build_out(&b, tx, out, "\x51", 1);
    return tx;
}

static void begin(const struct cc_params *p, uint32_t height)
{
    cc_build_block(&b, &block);
    memset(&c, 0, sizeof(c));
    c.fees = c.minted = c.penalties = 1; /* the sums start anew */
    c.claims = 1;
    c.params = p;
    c.block = &block;
    c.place.height = height;
    c.place.prev_median_time = 1000 + height;
    c.view.params = p;
    c.view.height = height;
    c.mtp = mtp;
    cc_connect_init(&c);
}

static enum cc_status connect(size_t index, struct cc_coin coin)
{
    struct cc_sighash s;
    struct cc_storage_result r;
    enum cc_status st;

    cc_error_init(&err);
    cc_storage_result_init(&r);
    st = cc_connect_tx(&c, &block.tx[index], &coin, &s, &r, &err);
    cc_storage_result_clear(&r);
    assert_int_equal(err.verdict,
                     st == CC_OK ? CC_VERDICT_NONE : CC_VERDICT_CONSENSUS);
    return st;
}

static enum cc_status finish(void)
{
    struct cc_mint_state s = {.pool = -7};
    enum cc_status st;

    cc_error_init(&err);
    st = cc_connect_finish(&c, &s, &err);
    if (!c.params->storage_active)
        assert_int_equal(s.pool, -7);
    cc_block_clear(&block);
    cc_build_clear(&b);
    return st;
}

/* Subsidy (its half where the other half is the storers') plus fees, and not
 * a satoshi more. */
static void test_cb_amount(void **state)
{
    static const struct {
        enum cc_chain_id id;
        cc_amount limit;
    } rows[] = {{CC_CHAIN_BITCOIN_REGTEST, 50 * CC_COIN},
                {CC_CHAIN_REGTEST, 25 * CC_COIN}};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int over = 0; over < 2; over++) {
            const struct cc_params *p = cc_params_get(rows[i].id);

            start(149, rows[i].limit + 700 + over);
            add_tx(1000);
            add_tx(2000);
            begin(p, 149);
            cc_mint_first(&c.prev_state, p);
            assert_int_equal(connect(1, coin_of(1300, 1, 0)), CC_OK);
            assert_int_equal(connect(2, coin_of(2400, 1, 0)), CC_OK);
            assert_int_equal(c.fees, 700);
            assert_int_equal(finish(), over ? CC_INVALID : CC_OK);
            assert_string_equal(err.reason, over ? "bad-cb-amount" : "");
        }
    /* The next era. */
    start(150, 25 * CC_COIN + 1);
    begin(bitcoin(), 150);
    assert_int_equal(finish(), CC_INVALID);
    assert_string_equal(err.text, "bad-cb-amount");
}

static void test_fees_range(void **state)
{
    const cc_amount max = bitcoin()->max_money;

    (void)state;
    start(9, 0);
    add_tx(0);
    add_tx(0);
    begin(bitcoin(), 9);
    assert_int_equal(connect(1, coin_of(max, 1, 0)), CC_OK);
    assert_int_equal(connect(2, coin_of(1, 1, 0)), CC_INVALID);
    assert_string_equal(err.reason, "bad-txns-accumulated-fee-outofrange");
    (void)finish();
}

/* A fault of a transaction condemns the block that holds it. */
static void test_verdict(void **state)
{
    (void)state;
    start(9, 0);
    add_tx(1);
    begin(bitcoin(), 9);
    assert_int_equal(connect(1, coin_of(1, 1, true)), CC_INVALID);
    assert_string_equal(err.reason, "bad-txns-premature-spend-of-coinbase");
    assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
    (void)finish();
}

static void test_sequence(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++)
        for (unsigned inputs = 1; inputs <= 20; inputs += 19) {
            struct cc_coin coins[20];
            struct cc_sighash s;
            struct cc_storage_result r;
            struct cc_params p = *bitcoin();
            struct cc_tx *tx;
            enum cc_status st;

            start(30, 0);
            tx = add_tx(1);
            for (unsigned i = 1; i < inputs; i++)
                cc_build_in(&b, tx, 99, i);
            tx->vin[inputs - 1].sequence = 10;
            p.csv_height = 30;
            begin(&p, 30);
            for (unsigned i = 0; i < inputs; i++)
                coins[i] =
                    coin_of(1, i + 1 == inputs ? 20 + (uint32_t)late : 5, 0);
            cc_error_init(&err);
            cc_storage_result_init(&r);
            st = cc_connect_tx(&c, &block.tx[1], coins, &s, &r, &err);
            assert_int_equal(st, late ? CC_INVALID : CC_OK);
            assert_string_equal(err.text, late ? "bad-txns-nonfinal" : "");
            /* Before BIP 68 nothing is locked. */
            p.csv_height = 31;
            assert_int_equal(
                cc_connect_tx(&c, &block.tx[1], coins, &s, &r, &err), CC_OK);
            (void)finish();
        }
}

/* 80,000 over the whole block: the coinbase's legacy sigops, four each, those
 * of transactions, and of what they spend. */
static void test_sigops(void **state)
{
    static uint8_t redeem[101];
    struct cc_coin coin = coin_of(10, 1, 0);
    struct cc_tx *tx;

    (void)state;
    for (int over = 0; over < 2; over++) {
        uint8_t script[10000];

        tx = start(9, 0);
        memset(script, CC_OP_CHECKSIG, sizeof(script));
        tx->vout[0].script = cc_build_fill(&b, CC_OP_CHECKSIG, 9900);
        tx = add_tx(1);
        tx->vout[0].script = cc_build_fill(&b, CC_OP_CHECKSIG, 10000);
        tx = add_tx(1);
        /* P2SH: 100 sigops in the redeem script, 101 if over. */
        memset(redeem, CC_OP_CHECKSIG, sizeof(redeem));
        {
            uint8_t sig[103] = {CC_OP_PUSHDATA1, (uint8_t)(100 + over)};

            memcpy(sig + 2, redeem, 100 + (size_t)over);
            tx->vin[0].script_sig =
                cc_bytes(cc_arena_dup(&b.arena, sig, 102 + (size_t)over),
                         102 + (size_t)over);
        }
        add_tx(1);
        begin(bitcoin(), 9);
        assert_int_equal(c.sigop_cost, 4 * 9900);
        assert_int_equal(connect(1, coin), CC_OK);
        assert_int_equal(c.sigop_cost, 4 * 19900);
        coin.out.script = cc_bytes("\xa9\x14"
                                   "aaaaaaaaaaaaaaaaaaaa"
                                   "\x87",
                                   23);
        assert_int_equal(connect(2, coin), over ? CC_INVALID : CC_OK);
        assert_string_equal(err.text, over ? "bad-blk-sigops" : "");
        if (!over) { /* full: no room for the one of a P2WPKH */
            assert_int_equal(c.sigop_cost, 80000);
            coin.out.script = cc_bytes("\x00\x14"
                                       "aaaaaaaaaaaaaaaaaaaa",
                                       22);
            assert_int_equal(connect(3, coin), CC_INVALID);
            assert_string_equal(err.text, "bad-blk-sigops");
        }
        coin = coin_of(10, 1, 0);
        (void)finish();
    }
}

/* --- Storage ---------------------------------------------------------------
 */

struct world {
    uint8_t hashes[640][32];
    json_t *states;
};

static const uint8_t *world_hash(void *arg, uint32_t height)
{
    struct world *w = arg;

    assert_true(height < 640);
    return w->hashes[height];
}

static bool world_state(void *arg, uint32_t height, struct cc_mint_state *out)
{
    struct world *w = arg;
    char key[16];
    json_t *s;
    const char *ticket;
    char padded[65];
    uint8_t bytes[32];

    snprintf(key, sizeof(key), "%u", (unsigned)height);
    s = json_object_get(w->states, key);
    if (!s)
        return false;
    out->pool = cc_test_int(s, "pool");
    out->claims = (uint32_t)cc_test_int(s, "n");
    ticket = cc_test_string(s, "T");
    memset(padded, '0', 64);
    strcpy(padded + 64 - strlen(ticket), ticket);
    cc_test_unhex_into(bytes, 32, padded);
    out->ticket = cc_u256_from_be(bytes);
    return true;
}

static struct cc_coin *read_coins(const json_t *rows, struct cc_arena *arena)
{
    struct cc_coin *coins =
        cc_arena_calloc(arena, json_array_size(rows), sizeof(*coins));
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        size_t len;
        uint8_t *script = cc_test_unhex(cc_test_string(row, "script"), &len);

        coins[i].out.value = cc_test_int(row, "value");
        coins[i].out.script = cc_bytes(cc_arena_dup(arena, script, len), len);
        coins[i].height = (uint32_t)cc_test_int(row, "height");
        coins[i].coinbase = json_is_true(json_object_get(row, "coinbase"));
        free(script);
    }
    return coins;
}

/* No more is minted than the pool holds, nor by more claims than a block may
 * have. */
static void mint_case(cc_amount mint, const struct cc_params *p)
{
    struct cc_mint_state next;

    c.prev_state.pool = mint;
    assert_int_equal(cc_connect_finish(&c, &next, &err), CC_OK);
    c.prev_state.pool = mint - 1;
    assert_int_equal(cc_connect_finish(&c, &next, &err), CC_INVALID);
    assert_string_equal(err.reason, "bad-storage-mint");
    c.prev_state.pool = mint;
    c.claims = (uint32_t)p->storage.max_claims;
    assert_int_equal(cc_connect_finish(&c, &next, &err), CC_OK);
    c.claims++;
    assert_int_equal(cc_connect_finish(&c, &next, &err), CC_INVALID);
    assert_string_equal(err.reason, "bad-storage-mint");
}

/* Every good storage transaction of the vectors as the only one of a block:
 * what it mints, forfeits and pays must arrive in the block's sums, and the
 * miner may take the fee and nothing of the rest. */
static void connect_case(const json_t *row, struct world *w,
                         struct cc_params *p)
{
    const json_t *expect = json_object_get(row, "expect");
    uint32_t height = (uint32_t)cc_test_int(row, "h");
    cc_amount fee = cc_test_int(expect, "fee");
    cc_amount mint = cc_test_int(expect, "mint");
    cc_amount pool = cc_test_int(expect, "pool");
    struct cc_storage_result r;
    struct cc_mint_state next;
    struct cc_sighash s;
    struct cc_coin *coins;
    struct cc_arena arena;
    struct cc_tx tx;
    size_t len;
    uint8_t *raw = cc_test_unhex(cc_test_string(row, "tx"), &len);

    cc_arena_init(&arena);
    assert_int_equal(cc_tx_decode(&tx, raw, len, true), CC_OK);
    free(raw);
    if (cc_tx_is_coinbase(&tx)) { /* those are never given coins */
        cc_tx_clear(&tx);
        cc_arena_clear(&arena);
        return;
    }
    coins = read_coins(json_object_get(row, "prevouts"), &arena);
    start(height, 25 * CC_COIN + fee);
    begin(p, height);
    c.view.hash = world_hash;
    c.view.state = world_state;
    c.view.arg = w;
    c.place.prev_median_time = INT64_MAX;
    /* Enough to mint from: a rule of its own, tested below. */
    c.prev_state.pool = 100 * CC_COIN;
    c.prev_state.ticket = p->storage.ticket_max;
    cc_storage_result_init(&r);
    if (cc_connect_tx(&c, &tx, coins, &s, &r, &err) != CC_OK)
        fail_msg("%s: %s", cc_test_string(row, "why"), err.text);
    assert_int_equal(c.fees, fee);
    assert_int_equal(c.minted, mint);
    assert_int_equal(c.penalties, pool);
    assert_int_equal(c.claims, cc_test_int(expect, "claims"));
    assert_int_equal(c.sigop_cost, cc_test_int(expect, "sigops") +
                                       cc_tx_sigop_cost(&tx, coins, c.flags));
    assert_int_equal(cc_connect_finish(&c, &next, &err), CC_OK);
    assert_int_equal(next.pool, 100 * CC_COIN + 25 * CC_COIN + pool - mint);
    assert_int_equal(next.claims, c.claims);
    /* One satoshi more is the coinbase's to take from nobody. */
    block.tx[0].vout[0].value++;
    assert_int_equal(cc_connect_finish(&c, &next, &err), CC_INVALID);
    assert_string_equal(err.reason, "bad-cb-amount");
    block.tx[0].vout[0].value--;
    if (mint > 0)
        mint_case(mint, p);
    cc_storage_result_clear(&r);
    cc_block_clear(&block);
    cc_build_clear(&b);
    cc_tx_clear(&tx);
    cc_arena_clear(&arena);
}

static void test_storage(void **state)
{
    json_t *all = cc_test_load_json("storage_tx.json");
    struct cc_params p = *cc_params_get(CC_CHAIN_REGTEST);
    static struct world w;
    size_t i, ran = 0;
    json_t *row;

    (void)state;
    if (!all)
        skip();
    cc_test_unhex_into(p.genesis_hash, 32, cc_test_string(all, "genesis"));
    w.states = json_object_get(all, "states");
    json_array_foreach(json_object_get(all, "hashes"), i, row)
        cc_test_unhex_into(w.hashes[i], 32, json_string_value(row));
    json_array_foreach(json_object_get(all, "cases"), i, row)
    {
        if (!json_is_true(json_object_get(row, "valid")))
            continue;
        connect_case(row, &w, &p);
        ran++;
    }
    json_decref(all);
    assert_true(ran > 0);
    cc_test_ran("storage_tx, good ones connected", ran);
}

/* A typed fault is the block's: here a typed output that does not parse. */
static void test_storage_fault(void **state)
{
    (void)state;
    start(9, 0);
    cc_build_out(&b, add_tx(1), 0, "\xbb\x51", 2);
    begin(cc_params_get(CC_CHAIN_REGTEST), 9);
    assert_int_equal(connect(1, coin_of(1, 1, 0)), CC_INVALID);
    assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
    c.params = bitcoin();
    assert_int_equal(connect(1, coin_of(1, 1, 0)), CC_OK);
    (void)finish();
}

/* --- Inputs ----------------------------------------------------------------
 */

static void test_input(void **state)
{
    struct cc_coin coin = coin_of(1, 1, 0);
    struct cc_sighash s;
    struct cc_tx *tx;

    (void)state;
    cc_build_init(&b);
    tx = cc_build_tx(&b);
    cc_build_in(&b, tx, 1, 0);
    cc_build_out(&b, tx, 1, "\x51", 1);
    cc_build_finish(&b);
    cc_sighash_init(&s, tx, &coin);
    assert_int_equal(cc_input_check(&s, 0, CC_VERIFY_MANDATORY, false, &err),
                     CC_OK);
    coin.out.script = cc_bytes("\x00", 1);
    assert_int_equal(cc_input_check(&s, 0, CC_VERIFY_MANDATORY, false, &err),
                     CC_INVALID);
    assert_string_equal(err.text, "mandatory-script-verify-flag-failed (Script "
                                  "evaluated without error but finished with a "
                                  "false/empty top stack element)");
    assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
    coin.out.script = cc_bytes("\xbb", 0); /* empty */
    assert_int_equal(cc_input_check(&s, 0, CC_VERIFY_MANDATORY, true, &err),
                     CC_INVALID);
    /* Typed coins obey other rules, where there are such. */
    coin.out.script = cc_bytes("\xbb", 1);
    assert_int_equal(cc_input_check(&s, 0, CC_VERIFY_MANDATORY, true, &err),
                     CC_OK);
    assert_int_equal(cc_input_check(&s, 0, CC_VERIFY_MANDATORY, false, &err),
                     CC_INVALID);
    cc_build_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maturity),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_below_out),
        cmocka_unit_test(test_below_out_typed),
        cmocka_unit_test(test_cb_amount),
        cmocka_unit_test(test_fees_range),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_sigops),
        cmocka_unit_test(test_storage),
        cmocka_unit_test(test_storage_fault),
        cmocka_unit_test(test_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
