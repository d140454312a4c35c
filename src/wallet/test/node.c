#include "node.h"

#include <stdlib.h>

#include "crypto/ec.h"
#include "mempool/miner.h"
#include "util/fs.h"

#define START INT64_C(1800000000)

static void start(struct node *n)
{
    struct cc_error err;
    struct cc_chain_config chain = {.params = n->params,
                                    .directory = n->folder,
                                    .cache_bytes = 1 << 22,
                                    .now = cc_clock_now_fn,
                                    .now_arg = &n->clock};
    struct cc_mempool_config pool = {.max_bytes = 300000000,
                                     .expiry_s = 336 * 3600,
                                     .min_relay_feerate = 1000,
                                     .incremental_feerate = 1000,
                                     .dust_feerate = 3000,
                                     .require_standard = true,
                                     .datacarrier_bytes = 83,
                                     .ancestor_limit = 25,
                                     .descendant_limit = 25,
                                     .bytes_per_sigop = 20,
                                     .now = cc_clock_now_fn,
                                     .now_arg = &n->clock};
    struct cc_wallets_config config;
    char *dir = cc_fs_join(n->folder, "wallets");

    if (cc_chain_open(&n->chain, &chain, &err) != CC_OK)
        fail_msg("%s", err.text);
    pool.chain = n->chain;
    n->pool = cc_mempool_new(&pool);
    cc_wallets_config_init(&config, n->params);
    config.chain = n->chain;
    config.mempool = n->pool;
    config.ec = n->ec;
    config.clock = &n->clock;
    config.directory = dir;
    config.fallback_feerate = 10000;
    if (cc_wallets_new(&n->wallets, &config, &err) != CC_OK)
        fail_msg("%s", err.text);
    free(dir);
}

void node_open(struct node *n, enum cc_chain_id id)
{
    memset(n, 0, sizeof(*n));
    n->folder = cc_test_mkdir();
    n->params = cc_params_get(id);
    n->ec = cc_ec_new();
    cc_clock_init(&n->clock);
    cc_clock_set_mock(&n->clock, START);
    start(n);
}

static void stop(struct node *n)
{
    cc_wallets_free(n->wallets);
    cc_mempool_free(n->pool);
    cc_chain_free(n->chain);
}

void node_restart(struct node *n)
{
    stop(n);
    start(n);
}

void node_close(struct node *n)
{
    stop(n);
    cc_ec_free(n->ec);
    cc_test_rmdir(n->folder);
}

void node_mine(struct node *n, struct cc_bytes script, unsigned count)
{
    struct cc_error err;

    cc_chain_hold(n->chain);
    while (count-- > 0) {
        uint64_t tries = 1000000;
        struct cc_block block;
        bool fresh;

        cc_clock_set_mock(&n->clock, cc_clock_now(&n->clock) + 150);
        if (cc_generate(&block, n->pool, script, NULL, 0, &tries, NULL, &err) !=
                CC_OK ||
            cc_chain_accept_block(n->chain, &block, true, NULL, &fresh, &err) !=
                CC_OK)
            fail_msg("%s", err.text);
        cc_block_clear(&block);
    }
    assert_int_equal(cc_chain_release(n->chain, NULL), CC_OK);
}

void node_mine_away(struct node *n, unsigned count)
{
    node_mine(n, cc_bytes("\x51", 1), count);
}

void node_wallet(struct node *n, const char *name, const char *words,
                 int64_t birthday)
{
    struct cc_wallet_create how = {
        .words = words, .word_count = 12, .birthday = birthday};
    struct cc_error err;

    if (cc_wallets_create(n->wallets, name, &how, &err) != CC_OK)
        fail_msg("%s", err.text);
}

struct cc_wallet_key node_key(struct node *n, const char *name)
{
    struct cc_wallet_key key;
    struct cc_error err;

    cc_wallets_lock(n->wallets);
    if (cc_wallet_new_key(cc_wallets_find(n->wallets, name), CC_CHAIN_RECEIVE,
                          "", &key, &err) != CC_OK)
        fail_msg("%s", err.text);
    cc_wallets_unlock(n->wallets);
    return key;
}

struct cc_balance node_balance(struct node *n, const char *name)
{
    struct cc_balance b;

    cc_wallets_lock(n->wallets);
    cc_book_balance(cc_wallet_book(cc_wallets_find(n->wallets, name)), 0, &b);
    cc_wallets_unlock(n->wallets);
    return b;
}

void node_send(struct node *n, const char *name, struct cc_bytes script,
               cc_amount value, uint8_t txid[32])
{
    struct cc_payment pay = {.script = script, .value = value};
    struct cc_spend s = {
        .payments = &pay, .payment_count = 1, .change_position = -1};
    struct cc_built b;
    struct cc_error err;
    struct cc_wallet *w;

    cc_wallets_lock(n->wallets);
    w = cc_wallets_find(n->wallets, name);
    if (cc_wallet_build(w, &s, &b, &err) != CC_OK ||
        cc_wallet_sign(w, &b.tx, b.coins, CC_SIGHASH_DEFAULT, NULL, &err) !=
            CC_OK ||
        cc_wallet_commit(w, &b.tx, NULL, NULL, &err) != CC_OK)
        fail_msg("%s", err.text);
    if (txid)
        memcpy(txid, b.tx.txid, 32);
    cc_built_clear(&b);
    cc_wallets_unlock(n->wallets);
}
