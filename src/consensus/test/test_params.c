#include "support.h"

#include "consensus/block.h"
#include "consensus/params.h"
#include "consensus/pow.h"

#include <string.h>

/* The genesis of each chain: what its fields build has the hash the table
 * says, and meets its own bits at the easiest target the chain allows. */
static void test_genesis(void **state)
{
    static const char *const hashes[] = {
        "00000067c649a2c2d52cd78d0437f6c5a41069eb87e2a62ac855af6cbf6177f5",
        "000001df7fa7e1a2e9c7be070326e0ba80ac3e129055cbab95dfca9e6dbe088c",
        "4228f4b616e9a6b55b46f7f190cbb04bbfaf291313c6ba2fe4ec37dda20173ad",
        "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    };

    (void)state;
    for (int id = 0; id < 4; id++) {
        const struct cc_params *p = cc_params_get((enum cc_chain_id)id);
        struct cc_block block;
        struct cc_writer w;
        uint8_t shown[32], root[32];

        cc_writer_init_heap(&w);
        cc_params_genesis(&w, p);
        assert_int_equal(cc_block_decode(&block, w.data, w.len), CC_OK);
        cc_writer_clear(&w);
        cc_test_unhex_into(shown, 32, hashes[id]);
        for (int i = 0; i < 32; i++)
            assert_int_equal(block.hash[i], shown[31 - i]);
        assert_memory_equal(block.hash, p->genesis_hash, 32);
        cc_block_merkle_root(root, &block, NULL);
        assert_memory_equal(block.header.merkle_root, root, 32);
        assert_true(cc_pow_check(block.hash, block.header.bits, p));
        assert_int_equal(block.header.bits, cc_u256_to_compact(&p->pow_limit));
        assert_int_equal(block.tx_count, 1);
        assert_true(cc_tx_is_coinbase(&block.tx[0]));
        assert_true(block.tx[0].vin[0].script_sig.len <= 100);
        /* Without storage all of the subsidy, with it the miner's half. */
        assert_int_equal(block.tx[0].vout[0].value,
                         cc_subsidy(p, 0) - cc_subsidy_storage(p, 0));
        cc_block_clear(&block);
    }
}

static void test_bitcoin_regtest(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
    uint8_t magic[4];

    (void)state;
    cc_put_u32le(magic, p->magic);
    assert_memory_equal(magic, "\xfa\xbf\xb5\xda", 4);
    assert_int_equal(p->port, 18444);
    assert_int_equal(p->rpc_port, 18443);
    assert_int_equal(p->prefixes.pubkey, 111);
    assert_int_equal(p->prefixes.script, 196);
    assert_int_equal(p->prefixes.secret, 239);
    assert_int_equal(p->prefixes.xpub, 0x043587cf);
    assert_int_equal(p->prefixes.xprv, 0x04358394);
    assert_string_equal(p->prefixes.hrp, "bcrt");
    assert_string_equal(p->name, "regtest");
    assert_string_equal(p->directory, "regtest");
    assert_false(p->storage_active);
    assert_true(p->no_retarget);
    assert_int_equal(p->max_money, INT64_C(2100000000000000));
    assert_int_equal(p->coinbase_maturity, 100);
    assert_int_equal(p->bip34_height, 1);
    assert_int_equal(p->bip65_height, 1);
    assert_int_equal(p->bip66_height, 1);
    assert_int_equal(p->csv_height, 1);
    assert_int_equal(p->segwit_height, 0);
    assert_int_equal(p->taproot_height, 0);
    assert_int_equal(p->spacing_s, 600);
    assert_int_equal(p->half_life_s, 172800);
    assert_int_equal(p->testdummy.bit, 28);
    assert_int_equal(p->testdummy.window, 144);
    assert_int_equal(p->testdummy.threshold, 108);
}

/* Our own three, as doc/protocol.md has them: a node that differs in any of
 * these talks to nobody, or about other money. */
static void test_own_chains(void **state)
{
    static const struct {
        uint32_t magic;
        uint16_t port, rpc_port;
        uint8_t pubkey, script, secret;
        uint32_t xpub, xprv;
        const char *hrp, *directory;
        uint64_t limit_top;
        bool no_retarget;
    } rows[] = {
        {0xc0dce5c1, 7733, 7732, 28, 63, 156, 0x0488b21e, 0x0488ade4, "cc", "",
         (UINT64_C(1) << 40) - 1, false},
        {0xc1dce5c1, 17733, 17732, 87, 125, 215, 0x043587cf, 0x04358394, "tcc",
         "test", (UINT64_C(1) << 44) - 1, false},
        {0xc2dce5c1, 17744, 17743, 87, 125, 215, 0x043587cf, 0x04358394, "ccrt",
         "regtest", UINT64_MAX >> 1, true},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct cc_params *p = cc_params_get((enum cc_chain_id)i);

        assert_int_equal(p->id, i);
        assert_int_equal(p->magic, rows[i].magic);
        assert_int_equal(p->port, rows[i].port);
        assert_int_equal(p->rpc_port, rows[i].rpc_port);
        assert_int_equal(p->prefixes.pubkey, rows[i].pubkey);
        assert_int_equal(p->prefixes.script, rows[i].script);
        assert_int_equal(p->prefixes.secret, rows[i].secret);
        assert_int_equal(p->prefixes.xpub, rows[i].xpub);
        assert_int_equal(p->prefixes.xprv, rows[i].xprv);
        assert_string_equal(p->prefixes.hrp, rows[i].hrp);
        assert_string_equal(p->directory, rows[i].directory);
        assert_true(p->storage_active);
        assert_int_equal(p->max_money, INT64_C(8400000000000000));
        assert_int_equal(p->coinbase_maturity, 100);
        assert_true(p->pow_limit.w[3] == rows[i].limit_top);
        for (int word = 0; word < 3; word++)
            assert_true(p->pow_limit.w[word] == UINT64_MAX);
        assert_int_equal(p->no_retarget, rows[i].no_retarget);
        assert_int_equal(p->spacing_s, 150);
        assert_int_equal(p->half_life_s, 86400);
        assert_int_equal(p->testdummy.window, 0);
        assert_int_equal(p->bip34_height, 1);
        assert_int_equal(p->bip65_height, 1);
        assert_int_equal(p->bip66_height, 1);
        assert_int_equal(p->csv_height, 1);
        assert_int_equal(p->segwit_height, 0);
        assert_int_equal(p->taproot_height, 0);
    }
}

static void test_storage_columns(void **state)
{
    const struct cc_storage_params *m = &cc_params_get(CC_CHAIN_MAIN)->storage;
    const struct cc_storage_params *t = &cc_params_get(CC_CHAIN_TEST)->storage;
    const struct cc_storage_params *r =
        &cc_params_get(CC_CHAIN_REGTEST)->storage;

    (void)state;
    assert_memory_equal(m, t, sizeof(*m));
    assert_int_equal(m->window, 288);
    assert_int_equal(r->window, 6);
    assert_int_equal(m->min_period, 576);
    assert_int_equal(r->min_period, 12);
    assert_int_equal(m->max_periods, 4096);
    assert_int_equal(m->max_miss, 3);
    assert_int_equal(m->max_span, 1 << 22);
    assert_int_equal(m->max_lead, 20160);
    assert_int_equal(m->seal_delay, 100);
    assert_int_equal(r->seal_delay, 10);
    assert_int_equal(m->seal_slack, 288);
    assert_int_equal(m->claim_window, 16);
    assert_int_equal(m->max_claims, 16);
    assert_int_equal(m->mint_div, 512);
    assert_int_equal(m->deposit, 20000);
    assert_int_equal(m->owed_min, 1000);
    assert_int_equal(m->bond_min, CC_COIN);
    assert_int_equal(m->bond_lock, 1000);
    assert_int_equal(r->bond_lock, 20);
    assert_int_equal(m->seal_bond, CC_COIN / 10);
    assert_int_equal(m->seal_min, 256);
    assert_int_equal(r->seal_min, 1);
    assert_int_equal(m->unit, 2048);
    assert_int_equal(r->unit, 4);
    assert_int_equal(m->max_sectors, 1 << 24);
    assert_int_equal(m->max_typed, 256);
    assert_int_equal(m->ticket_min_bits, 160);
    assert_int_equal(cc_u256_bits(&m->ticket_max), 240); /* 2^239 */
    assert_int_equal(m->ticket_max.w[0], 0);
    assert_int_equal(cc_u256_bits(&r->ticket_max), 256);
    assert_int_equal(m->seal_bits, 4096);
    assert_int_equal(m->seal_c, 2549);
    assert_int_equal(r->seal_bits, 1024);
    assert_int_equal(r->seal_c, 179);
    /* What both columns share. */
    assert_int_equal(r->max_span, m->max_span);
    assert_int_equal(r->deposit, m->deposit);
    assert_int_equal(r->max_claims, m->max_claims);
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(cc_params_find("main", false),
                     cc_params_get(CC_CHAIN_MAIN));
    assert_ptr_equal(cc_params_find("test", false),
                     cc_params_get(CC_CHAIN_TEST));
    assert_ptr_equal(cc_params_find("regtest", false),
                     cc_params_get(CC_CHAIN_REGTEST));
    assert_ptr_equal(cc_params_find("regtest", true),
                     cc_params_get(CC_CHAIN_BITCOIN_REGTEST));
    assert_null(cc_params_find("main", true));
    assert_null(cc_params_find("signet", false));
    assert_null(cc_params_find("", false));
}

/* Chains that could be taken for each other would share money and peers. */
static void test_distinct(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) {
            const struct cc_params *a = cc_params_get((enum cc_chain_id)i);
            const struct cc_params *b = cc_params_get((enum cc_chain_id)j);

            assert_int_not_equal(a->magic, b->magic);
            assert_int_not_equal(a->port, b->port);
            assert_int_not_equal(a->rpc_port, b->rpc_port);
            assert_string_not_equal(a->prefixes.hrp, b->prefixes.hrp);
            assert_memory_not_equal(a->genesis_hash, b->genesis_hash, 32);
        }
}

static void test_subsidy(void **state)
{
    const struct cc_params *own = cc_params_get(CC_CHAIN_MAIN);
    const struct cc_params *bitcoin = cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
    cc_amount total = 0, storage = 0;

    (void)state;
    assert_int_equal(cc_subsidy(own, 839999), 50 * CC_COIN);
    assert_int_equal(cc_subsidy(own, 840000), 25 * CC_COIN);
    assert_int_equal(cc_subsidy_storage(own, 839999), 25 * CC_COIN);
    assert_int_equal(cc_subsidy(bitcoin, 149), 50 * CC_COIN);
    assert_int_equal(cc_subsidy(bitcoin, 150), 25 * CC_COIN);
    assert_int_equal(cc_subsidy_storage(bitcoin, 149), 0);
    /* An odd subsidy: the odd satoshi goes to storage. 5e9 / 2^10. */
    assert_int_equal(cc_subsidy(own, 10 * 840000), 4882812);
    assert_int_equal(cc_subsidy(own, 11 * 840000), 2441406);
    assert_int_equal(cc_subsidy(own, 12 * 840000), 1220703);
    assert_int_equal(cc_subsidy_storage(own, 12 * 840000), 610352);
    /* Shifting by 64 is no shift in C. */
    assert_int_equal(cc_subsidy(bitcoin, 64 * 150), 0);
    assert_int_equal(cc_subsidy(bitcoin, UINT32_MAX), 0);
    for (uint32_t era = 0; era < 64; era++) {
        total += cc_subsidy(own, era * 840000) * 840000;
        storage += cc_subsidy_storage(own, era * 840000) * 840000;
    }
    assert_true(total <= own->max_money);
    assert_true(total > own->max_money - 84000 * CC_COIN);
    assert_true(storage >= total - storage);
}

static void test_activate(void **state)
{
    static const struct {
        const char *spec, *error;
    } bad[] = {
        {"segwit", "Invalid format (segwit) for "
                   "-testactivationheight=name@height."},
        {"segwit@", "Invalid height value (segwit@) for "
                    "-testactivationheight=name@height."},
        {"segwit@-1", "Invalid height value (segwit@-1) for "
                      "-testactivationheight=name@height."},
        {"segwit@x", "Invalid height value (segwit@x) for "
                     "-testactivationheight=name@height."},
        {"segwit@1/", "Invalid height value (segwit@1/) for "
                      "-testactivationheight=name@height."},
        {"segwit@1:", "Invalid height value (segwit@1:) for "
                      "-testactivationheight=name@height."},
        {"segwit@2147483647", "Invalid height value (segwit@2147483647) for "
                              "-testactivationheight=name@height."},
        {"segwi@1", "Invalid name (segwi@1) for "
                    "-testactivationheight=name@height."},
        {"segwitt@1", "Invalid name (segwitt@1) for "
                      "-testactivationheight=name@height."},
    };
    struct cc_params p = *cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
    struct cc_error err;

    (void)state;
    assert_int_equal(cc_params_activate(&p, "segwit@432", &err), CC_OK);
    assert_int_equal(cc_params_activate(&p, "bip34@1907", &err), CC_OK);
    assert_int_equal(cc_params_activate(&p, "dersig@3", &err), CC_OK);
    assert_int_equal(cc_params_activate(&p, "cltv@4", &err), CC_OK);
    assert_int_equal(cc_params_activate(&p, "csv@2147483646", &err), CC_OK);
    assert_int_equal(p.segwit_height, 432);
    assert_int_equal(p.bip34_height, 1907);
    assert_int_equal(p.bip66_height, 3);
    assert_int_equal(p.bip65_height, 4);
    assert_int_equal(p.csv_height, 2147483646);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(cc_params_activate(&p, bad[i].spec, &err), CC_INVALID);
        assert_string_equal(err.text, bad[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genesis),
        cmocka_unit_test(test_bitcoin_regtest),
        cmocka_unit_test(test_own_chains),
        cmocka_unit_test(test_storage_columns),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_subsidy),
        cmocka_unit_test(test_activate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
