#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "consensus/interpreter.h"
#include "node.h"
#include "util/fs.h"
#include "util/mem.h"

static void test_receive_send_and_restart(void **state)
{
    struct node n;
    struct cc_wallet_key a, b;
    struct cc_balance had, has;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    node_wallet(&n, "a", NULL, -1);
    node_wallet(&n, "b", NULL, -1);
    a = node_key(&n, "a");
    b = node_key(&n, "b");
    node_mine(&n, SCRIPT(a), 1);
    assert_int_equal(node_balance(&n, "a").immature, 25 * CC_COIN);
    node_mine_away(&n, 99);
    assert_int_equal(node_balance(&n, "a").trusted, 0);
    node_mine_away(&n, 1);
    had = node_balance(&n, "a");
    assert_int_equal(had.trusted, 25 * CC_COIN);
    assert_int_equal(had.immature, 0);

    node_send(&n, "a", SCRIPT(b), 3 * CC_COIN, NULL);
    has = node_balance(&n, "a");
    assert_true(has.trusted < 22 * CC_COIN &&
                has.trusted > 22 * CC_COIN - 10000);
    assert_int_equal(node_balance(&n, "b").pending, 3 * CC_COIN);
    assert_int_equal(node_balance(&n, "b").trusted, 0);
    node_mine_away(&n, 1);
    assert_int_equal(node_balance(&n, "b").trusted, 3 * CC_COIN);
    assert_int_equal(node_balance(&n, "a").trusted, has.trusted);

    node_restart(&n);
    assert_null(cc_wallets_at(n.wallets, 0));
    assert_int_equal(cc_wallets_load(n.wallets, "b", NULL), CC_OK);
    assert_int_equal(cc_wallets_load(n.wallets, "a", NULL), CC_OK);
    assert_int_equal(node_balance(&n, "b").trusted, 3 * CC_COIN);
    assert_int_equal(node_balance(&n, "a").trusted, has.trusted);
    node_close(&n);
}

/* Words of a loaded wallet, in a static buffer. */
static const char *words_of(struct node *n, const char *name)
{
    static char words[256];
    const char *pass;

    cc_wallets_lock(n->wallets);
    assert_true(cc_wallet_keys_words(
        cc_wallet_keys(cc_wallets_find(n->wallets, name)), words, &pass));
    cc_wallets_unlock(n->wallets);
    return words;
}

static void same_balance(struct node *n, const char *a, const char *b)
{
    struct cc_balance x = node_balance(n, a), y = node_balance(n, b);

    assert_int_equal(x.trusted, y.trusted);
    assert_int_equal(x.pending, y.pending);
    assert_int_equal(x.immature, y.immature);
}

static size_t tx_count(struct node *n, const char *name)
{
    size_t c;

    cc_wallets_lock(n->wallets);
    c = cc_book_count(cc_wallet_book(cc_wallets_find(n->wallets, name)));
    cc_wallets_unlock(n->wallets);
    return c;
}

/* A wallet with a history: mined, sent, received, change, storage key. */
static void busy(struct node *n)
{
    struct cc_wallet_key a, b, s;

    node_wallet(n, "a", NULL, -1);
    node_wallet(n, "b", NULL, -1);
    a = node_key(n, "a");
    node_mine(n, SCRIPT(a), 3);
    node_mine_away(n, 100);
    for (int i = 0; i < 5; i++) {
        b = node_key(n, "b");
        node_send(n, "a", SCRIPT(b), (i + 1) * CC_COIN, NULL);
        if (i % 2)
            node_mine_away(n, 1);
    }
    node_mine_away(n, 1);
    a = node_key(n, "a");
    node_send(n, "b", SCRIPT(a), CC_COIN / 3, NULL);
    cc_wallets_lock(n->wallets);
    assert_int_equal(cc_wallet_new_key(cc_wallets_find(n->wallets, "a"),
                                       CC_CHAIN_STORAGE, NULL, &s, NULL),
                     CC_OK);
    cc_wallets_unlock(n->wallets);
    node_send(n, "b", SCRIPT(s), CC_COIN / 7, NULL);
    node_mine_away(n, 1);
}

static void test_words_bring_everything_back(void **state)
{
    struct node n;
    struct cc_wallet_key next, again;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n);
    node_wallet(&n, "again", words_of(&n, "a"), 0);
    same_balance(&n, "a", "again");
    assert_int_equal(tx_count(&n, "a"), tx_count(&n, "again"));
    next = node_key(&n, "a"); /* both know which keys are used */
    again = node_key(&n, "again");
    assert_memory_equal(next.script, again.script, CC_TAPROOT_SCRIPT);

    /* From a height above the coins there is nothing to see, until the chain
     * is looked at again. */
    node_wallet(&n, "late", words_of(&n, "a"),
                cc_chain_tip(n.chain)->height + 1);
    assert_int_equal(node_balance(&n, "late").trusted, 0);
    int64_t last = 0;
    assert_int_equal(cc_wallets_rescan(n.wallets, "late", 0, -1, &last, NULL),
                     CC_OK);
    assert_int_equal(last, cc_chain_tip(n.chain)->height);
    same_balance(&n, "a", "late");

    /* A rescan changes nothing that was right. */
    assert_int_equal(cc_wallets_rescan(n.wallets, "a", 0, -1, &last, NULL),
                     CC_OK);
    same_balance(&n, "a", "again");
    node_close(&n);
}

static void test_reorganisation(void **state)
{
    struct node n;
    struct cc_balance before;
    struct cc_index *was;
    struct cc_wallet_key key;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n);
    before = node_balance(&n, "a");
    key = node_key(&n, "a");
    node_mine(&n, SCRIPT(key), 2);
    assert_int_equal(node_balance(&n, "a").immature,
                     before.immature + 50 * CC_COIN);
    was = cc_chain_tip(n.chain)->prev;
    assert_int_equal(cc_chain_invalidate(n.chain, was, NULL), CC_OK);
    assert_int_equal(node_balance(&n, "a").immature, before.immature);
    assert_int_equal(node_balance(&n, "a").trusted, before.trusted);
    node_mine_away(&n, 4);
    assert_int_equal(cc_chain_reconsider(n.chain, was, NULL), CC_OK);
    assert_int_equal(node_balance(&n, "a").immature, before.immature);

    /* Deep: transactions go back to the mempool and into other blocks. Those
     * whose nLockTime was then too high were dropped there, but not by the
     * wallet that made them. */
    was = cc_chain_at(n.chain, 105);
    assert_int_equal(cc_chain_invalidate(n.chain, was, NULL), CC_OK);
    node_mine_away(&n, 12);
    node_restart(&n);
    assert_int_equal(cc_wallets_load(n.wallets, "a", NULL), CC_OK);
    assert_int_equal(cc_wallets_load(n.wallets, "b", NULL), CC_OK);
    node_mine_away(&n, 1);
    node_wallet(&n, "a2", words_of(&n, "a"), 0);
    node_wallet(&n, "b2", words_of(&n, "b"), 0);
    same_balance(&n, "a", "a2");
    same_balance(&n, "b", "b2");
    node_close(&n);
}

/* The file of a wallet as a kill at that moment would leave it. */
static void keep_file(struct node *n, const char *name, const char *as)
{
    char *from = cc_asprintf("%s/wallets/%s/wallet.dat", n->folder, name);
    char *dir = cc_asprintf("%s/wallets/%s", n->folder, as);
    char *to = cc_asprintf("%s/wallet.dat", dir);
    uint8_t *data;
    size_t len;

    assert_int_equal(cc_fs_mkdirs(dir, NULL), CC_OK);
    assert_int_equal(cc_fs_read(from, 1 << 26, &data, &len, NULL), CC_OK);
    assert_int_equal(cc_fs_write(to, data, len, 0600, NULL), CC_OK);
    free(data);
    free(from);
    free(dir);
    free(to);
}

static void test_catching_up_after_a_kill(void **state)
{
    struct node n;
    struct cc_wallet_key a, b;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n);
    keep_file(&n, "a", "early"); /* while blocks may not be written yet */
    a = node_key(&n, "a");
    b = node_key(&n, "b");
    node_mine(&n, SCRIPT(a), 1);
    keep_file(&n, "a", "middle");
    /* A fork since: the last block of "middle" is gone. */
    assert_int_equal(cc_chain_invalidate(n.chain, cc_chain_tip(n.chain), NULL),
                     CC_OK);
    node_mine(&n, SCRIPT(b), 3);
    node_send(&n, "a", SCRIPT(b), CC_COIN, NULL);
    node_mine_away(&n, 2);
    assert_int_equal(cc_wallets_load(n.wallets, "early", NULL), CC_OK);
    assert_int_equal(cc_wallets_load(n.wallets, "middle", NULL), CC_OK);
    same_balance(&n, "a", "early");
    same_balance(&n, "a", "middle");
    assert_int_equal(node_key(&n, "middle").index, node_key(&n, "a").index);

    /* And through an orderly stop, each by its own file. */
    node_restart(&n);
    assert_int_equal(cc_wallets_load(n.wallets, "a", NULL), CC_OK);
    assert_int_equal(cc_wallets_load(n.wallets, "early", NULL), CC_OK);
    same_balance(&n, "a", "early");
    node_close(&n);
}

static void test_an_unconfirmed_payment_is_offered_again(void **state)
{
    struct node n;
    struct cc_wallet_key b;
    uint8_t txid[32];

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n);
    b = node_key(&n, "b");
    node_send(&n, "a", SCRIPT(b), CC_COIN, txid);
    node_restart(&n); /* this mempool is not kept */
    assert_null(cc_mempool_find(n.pool, txid));
    assert_int_equal(cc_wallets_load(n.wallets, "a", NULL), CC_OK);
    assert_non_null(cc_mempool_find(n.pool, txid));
    assert_int_equal(cc_wallets_load(n.wallets, "b", NULL), CC_OK);
    assert_int_equal(node_balance(&n, "b").pending, CC_COIN);
    node_close(&n);
}

struct awaited {
    struct cc_mempool *pool;
    const uint8_t *txid;
};

static bool is_in_pool(void *arg)
{
    const struct awaited *a = arg;

    return cc_mempool_find(a->pool, a->txid) != NULL;
}

/* What a reorganisation made non-final comes back with the next blocks. */
static void test_payments_survive_a_reorganisation(void **state)
{
    struct node n;
    struct cc_wallet_key b;
    struct cc_payment pay;
    struct cc_spend s = {.payments = &pay,
                         .payment_count = 1,
                         .change_position = -1,
                         .set_locktime = true};
    struct cc_built built;
    struct cc_error err;
    struct cc_wallet *w;
    struct cc_index *tip;
    struct awaited awaited;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n);
    b = node_key(&n, "b");
    tip = cc_chain_tip(n.chain);
    pay = (struct cc_payment){.script = SCRIPT(b), .value = CC_COIN};
    s.locktime = tip->height; /* final in the next block, in none before */
    cc_wallets_lock(n.wallets);
    w = cc_wallets_find(n.wallets, "a");
    assert_int_equal(cc_wallet_build(w, &s, &built, &err), CC_OK);
    assert_int_equal(cc_wallet_sign(w, &built.tx, built.coins, 0, NULL, &err),
                     CC_OK);
    assert_int_equal(cc_wallet_commit(w, &built.tx, NULL, NULL, &err), CC_OK);
    cc_wallets_unlock(n.wallets);
    assert_int_equal(cc_chain_invalidate(n.chain, tip, NULL), CC_OK);
    assert_null(cc_mempool_find(n.pool, built.tx.txid));
    node_mine_away(&n, 1);
    awaited.pool = n.pool;
    awaited.txid = built.tx.txid;
    cc_test_until(is_in_pool, &awaited, "it is in the pool");
    cc_built_clear(&built);
    node_close(&n);
}

/* --- Encryption ---------------------------------------------------------- */

static enum cc_status try_send(struct node *n, const char *name,
                               struct cc_bytes script, cc_amount value,
                               struct cc_error *err)
{
    struct cc_payment pay = {.script = script, .value = value};
    struct cc_spend s = {
        .payments = &pay, .payment_count = 1, .change_position = -1};
    struct cc_built b;
    struct cc_wallet *w;
    enum cc_status st;

    cc_error_init(err);
    cc_wallets_lock(n->wallets);
    w = cc_wallets_find(n->wallets, name);
    st = cc_wallet_build(w, &s, &b, err);
    if (st == CC_OK) {
        st = cc_wallet_sign(w, &b.tx, b.coins, CC_SIGHASH_DEFAULT, NULL, err);
        cc_built_clear(&b);
    }
    cc_wallets_unlock(n->wallets);
    return st;
}

static bool is_locked(void *arg)
{
    struct node *n = arg;
    bool yes;

    cc_wallets_lock(n->wallets);
    yes =
        cc_wallet_keys_locked(cc_wallet_keys(cc_wallets_find(n->wallets, "a")));
    cc_wallets_unlock(n->wallets);
    return yes;
}

static void test_encryption(void **state)
{
    struct node n;
    struct cc_wallet_key b;
    struct cc_error err;
    struct cc_wallets *ws;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n);
    b = node_key(&n, "b");
    ws = n.wallets;
    assert_int_equal(cc_wallets_unlock_keys(ws, "a", "x", 9, &err), CC_INVALID);
    assert_string_equal(err.reason, "state");
    assert_int_equal(cc_wallets_encrypt(ws, "a", "secret", &err), CC_OK);
    assert_int_equal(cc_wallets_encrypt(ws, "a", "secret", &err), CC_INVALID);
    assert_string_equal(err.reason, "state");
    assert_int_equal(try_send(&n, "a", SCRIPT(b), CC_COIN, &err), CC_INVALID);
    assert_string_equal(err.reason, "locked");
    node_key(&n, "a"); /* addresses need no secret */

    assert_int_equal(cc_wallets_unlock_keys(ws, "a", "Secret", 9, &err),
                     CC_INVALID);
    assert_string_equal(err.reason, "passphrase");
    assert_int_equal(cc_wallets_unlock_keys(ws, "a", "secret", 1000, &err),
                     CC_OK);
    assert_int_equal(try_send(&n, "a", SCRIPT(b), CC_COIN, &err), CC_OK);
    /* A new term takes the place of the old one; then keys lock themselves. */
    assert_int_equal(cc_wallets_unlock_keys(ws, "a", "secret", 1, &err), CC_OK);
    cc_test_until(is_locked, &n, "the keys lock themselves");

    assert_int_equal(
        cc_wallets_change_passphrase(ws, "a", "wrong", "other", &err),
        CC_INVALID);
    assert_string_equal(err.reason, "passphrase");
    assert_int_equal(
        cc_wallets_change_passphrase(ws, "a", "secret", "other", &err), CC_OK);
    node_restart(&n);
    ws = n.wallets;
    assert_int_equal(cc_wallets_load(ws, "a", NULL), CC_OK);
    assert_true(is_locked(&n));
    assert_int_equal(cc_wallets_unlock_keys(ws, "a", "secret", 9, &err),
                     CC_INVALID);
    assert_int_equal(cc_wallets_unlock_keys(ws, "a", "other", 9, &err), CC_OK);
    node_send(&n, "a", SCRIPT(b), CC_COIN, NULL);
    node_close(&n);
}

/* --- Names, files, faults ------------------------------------------------ */

static void test_names(void **state)
{
    char big[CC_WALLET_NAME_MAX + 2];

    (void)state;
    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\0';
    assert_false(cc_wallet_name_valid(big));
    big[sizeof(big) - 2] = '\0';
    assert_true(cc_wallet_name_valid(big));
    assert_true(cc_wallet_name_valid(""));
    assert_true(cc_wallet_name_valid("my wallet"));
    assert_false(cc_wallet_name_valid("."));
    assert_false(cc_wallet_name_valid(".."));
    assert_false(cc_wallet_name_valid("../x"));
    assert_false(cc_wallet_name_valid("/etc"));
    assert_false(cc_wallet_name_valid("a\nb"));
}

static void test_loading_and_unloading(void **state)
{
    struct cc_wallet_create how = {.word_count = 12};
    struct node n;
    struct cc_error err;
    char **names, *copy;
    size_t count;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    node_wallet(&n, "", NULL, -1);
    node_wallet(&n, "b", NULL, -1);
    assert_int_equal(cc_wallets_load(n.wallets, "b", &err), CC_LIMIT);
    assert_string_equal(err.reason, "loaded");
    assert_int_equal(cc_wallets_load(n.wallets, "c", &err), CC_NOTFOUND);
    assert_int_equal(cc_wallets_create(n.wallets, "b", &how, &err), CC_LIMIT);
    assert_string_equal(err.reason, "exists");
    assert_int_equal(cc_wallets_create(n.wallets, "a/b", &how, &err),
                     CC_INVALID);
    how.words = "abandon abandon";
    assert_int_equal(cc_wallets_create(n.wallets, "c", &how, &err), CC_INVALID);
    assert_int_equal(cc_wallets_unload(n.wallets, "b", &err), CC_OK);
    assert_int_equal(cc_wallets_unload(n.wallets, "b", &err), CC_NOTFOUND);
    assert_int_equal(cc_wallets_list_dir(n.wallets, &names, &count, &err),
                     CC_OK);
    assert_int_equal(count, 2);
    cc_fs_list_free(names, count);
    assert_int_equal(cc_wallets_load(n.wallets, "b", &err), CC_OK);

    copy = cc_fs_join(n.folder, "copy");
    assert_int_equal(cc_wallets_backup(n.wallets, "b", copy, &err), CC_OK);
    assert_true(cc_fs_exists(copy));
    assert_int_equal(cc_wallets_backup(n.wallets, "b", "/nowhere/x", &err),
                     CC_IO);
    free(copy);
    node_close(&n);
}

static void test_no_address_that_is_not_kept(void **state)
{
    struct node n;
    struct rlimit limit, was;
    struct cc_wallet_key key;
    struct cc_error err;
    struct cc_wallet *w;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    node_wallet(&n, "a", NULL, -1);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    limit = was;
    limit.rlim_cur = 0;
    cc_wallets_lock(n.wallets);
    w = cc_wallets_find(n.wallets, "a");
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(cc_wallet_new_key(w, CC_CHAIN_RECEIVE, "x", &key, &err),
                     CC_IO);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_non_null(strstr(err.text, "wallet a: "));
    assert_int_equal(cc_wallet_new_key(w, CC_CHAIN_RECEIVE, "x", &key, &err),
                     CC_OK);
    cc_wallets_unlock(n.wallets);
    node_close(&n);
}

/* --- Spending ------------------------------------------------------------ */

static cc_amount fee_for(cc_amount feerate, size_t weight)
{
    return (feerate * (cc_amount)((weight + 3) / 4) + 999) / 1000;
}

/* Whatever is asked: coins in and out balance, the fee is the feerate times
 * the size that was signed, change is no dust, every input is valid. */
static void check_built(struct node *n, const struct cc_spend *s,
                        const struct cc_built *b)
{
    cc_amount in = 0, out = 0, need = fee_for(s->feerate, cc_tx_weight(&b->tx));
    struct cc_sighash hashes;
    enum cc_script_error error;

    cc_sighash_init(&hashes, &b->tx, b->coins);
    for (size_t i = 0; i < b->tx.vin_count; i++) {
        in += b->coins[i].out.value;
        assert_true(cc_script_verify(&hashes, i, b->coins[i].out.script,
                                     b->coins[i].out.value, CC_VERIFY_STANDARD,
                                     &error));
    }
    for (size_t i = 0; i < b->tx.vout_count; i++)
        out += b->tx.vout[i].value;
    assert_int_equal(in - out, b->fee);
    assert_true(b->fee >= need);
    assert_int_equal(b->tx.vout_count,
                     s->payment_count + (b->change_position >= 0));
    if (b->change_position >= 0) {
        assert_int_equal(b->fee, need);
        assert_true(b->tx.vout[b->change_position].value >= 330);
    } else {
        /* what was given away is less than change would have cost */
        assert_true(b->fee - need <=
                    fee_for(s->feerate, 4 * 43) + fee_for(10000, 230) + 330);
    }
    (void)n;
}

static void random_spend(struct node *n, struct cc_test_random *r,
                         struct cc_wallet *w, struct cc_bytes script,
                         unsigned *good, unsigned *poor)
{
    struct cc_payment pay[3];
    struct cc_spend s = {.payments = pay,
                         .payment_count = 1 + cc_test_random(r) % 3,
                         .change_position = -1,
                         .feerate =
                             1000 + (cc_amount)(cc_test_random(r) % 20000)};
    cc_amount total = 0;
    struct cc_built b;
    struct cc_error err;
    enum cc_status st;
    bool subtract = cc_test_random(r) % 3 == 0;

    for (size_t i = 0; i < s.payment_count; i++) {
        pay[i].script = script;
        pay[i].value = 10000 + (cc_amount)(cc_test_random(r) % 900000000);
        pay[i].subtract_fee = subtract && i != 1;
        total += pay[i].value;
    }
    cc_error_init(&err);
    st = cc_wallet_build(w, &s, &b, &err);
    if (st == CC_LIMIT) {
        assert_string_equal(err.text, "Insufficient funds");
        (*poor)++;
        return;
    }
    if (st != CC_OK) { /* a payment of a few satoshi cannot bear the fee */
        assert_true(subtract);
        assert_non_null(strstr(err.text, "amount is too small"));
        return;
    }
    assert_int_equal(
        cc_wallet_sign(w, &b.tx, b.coins, CC_SIGHASH_DEFAULT, NULL, &err),
        CC_OK);
    check_built(n, &s, &b);
    for (size_t i = 0; i < b.tx.vout_count; i++) {
        if ((int)i != b.change_position)
            total -= b.tx.vout[i].value;
    }
    if (!subtract)
        assert_int_equal(total, 0);
    else
        assert_true(total >= 0 && total <= b.fee);
    (*good)++;
    cc_built_clear(&b);
}

static void test_random_spending(void **state)
{
    struct cc_test_random r;
    struct cc_wallet_key key;
    struct node n;
    unsigned good = 0, poor = 0;

    (void)state;
    cc_test_random_init(&r, 31);
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n); /* b has coins of 1 to 5, less two payments */
    for (int i = 0; i < 12; i++) {
        key = node_key(&n, "b");
        node_send(&n, "a", SCRIPT(key),
                  1000 + (cc_amount)(cc_test_random(&r) % 3000000), NULL);
        node_mine_away(&n, 1);
    }
    key = node_key(&n, "a");
    cc_wallets_lock(n.wallets);
    for (int i = 0; i < 300; i++)
        random_spend(&n, &r, cc_wallets_find(n.wallets, "b"), SCRIPT(key),
                     &good, &poor);
    cc_wallets_unlock(n.wallets);
    assert_true(good > 100 && poor > 5);
    node_close(&n);
}

static void test_faults_of_spending(void **state)
{
    struct node n;
    struct cc_wallet_key key;
    struct cc_error err;
    struct cc_payment pay;
    struct cc_spend s = {
        .payments = &pay, .payment_count = 1, .change_position = -1};
    struct cc_outpoint nowhere = {.index = 0};
    struct cc_built b;
    struct cc_wallet *w;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n);
    key = node_key(&n, "a");
    cc_wallets_lock(n.wallets);
    w = cc_wallets_find(n.wallets, "b");
    pay = (struct cc_payment){.script = SCRIPT(key), .value = 329};
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_INVALID);
    assert_string_equal(err.text, "Transaction amount too small");
    pay.value = 330;
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_OK);
    /* neither is used up by building */
    assert_int_equal(cc_wallet_keys_next(cc_wallet_keys(w), CC_CHAIN_CHANGE),
                     b.change_key.index);
    assert_int_equal(cc_wallet_reserve_change(w, &b, &err), CC_OK);
    assert_int_equal(cc_wallet_keys_next(cc_wallet_keys(w), CC_CHAIN_CHANGE),
                     b.change_key.index + 1);
    cc_built_clear(&b);
    pay.value = -1;
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_INVALID);
    assert_string_equal(err.text, "Transaction amounts must not be negative");
    pay.value = 1000000 * CC_COIN;
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_LIMIT);
    assert_string_equal(err.reason, "funds");
    pay.value = CC_COIN;
    s.feerate = 999;
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_INVALID);
    assert_string_equal(err.text,
                        "Fee rate (0.999 sat/vB) is lower than the minimum fee "
                        "rate setting (1.000 sat/vB)");
    s.feerate = 100 * CC_COIN;
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_LIMIT);
    s.feerate = CC_COIN;
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_INVALID);
    assert_non_null(strstr(err.text, "Fee exceeds maximum configured by user"));
    s.feerate = 0;
    s.inputs = &nowhere;
    s.input_count = 1;
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_INVALID);
    assert_string_equal(err.text,
                        "Not found pre-selected input COutPoint(0000000000, "
                        "0)");
    s.input_count = 0;
    s.payment_count = 0;
    assert_int_equal(cc_wallet_build(w, &s, &b, &err), CC_INVALID);
    assert_string_equal(err.text,
                        "Transaction must have at least one recipient");
    cc_wallets_unlock(n.wallets);
    node_close(&n);
}

static void test_locked_coins_are_left_alone(void **state)
{
    struct node n;
    struct cc_wallet_coin *coins;
    struct cc_wallet_key key;
    struct cc_error err;
    struct cc_book *b;
    size_t count;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    busy(&n);
    key = node_key(&n, "a");
    assert_int_equal(try_send(&n, "b", SCRIPT(key), CC_COIN, &err), CC_OK);
    cc_wallets_lock(n.wallets);
    b = cc_wallet_book(cc_wallets_find(n.wallets, "b"));
    count = cc_book_coins(b, false, &coins);
    assert_true(count > 1);
    for (size_t i = 0; i < count; i++)
        cc_book_lock(b, &coins[i].outpoint, true);
    free(coins);
    cc_wallets_unlock(n.wallets);
    assert_int_equal(try_send(&n, "b", SCRIPT(key), CC_COIN, &err), CC_LIMIT);
    node_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receive_send_and_restart),
        cmocka_unit_test(test_words_bring_everything_back),
        cmocka_unit_test(test_reorganisation),
        cmocka_unit_test(test_catching_up_after_a_kill),
        cmocka_unit_test(test_an_unconfirmed_payment_is_offered_again),
        cmocka_unit_test(test_payments_survive_a_reorganisation),
        cmocka_unit_test(test_encryption),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_loading_and_unloading),
        cmocka_unit_test(test_no_address_that_is_not_kept),
        cmocka_unit_test(test_random_spending),
        cmocka_unit_test(test_faults_of_spending),
        cmocka_unit_test(test_locked_coins_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
