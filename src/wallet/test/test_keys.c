#include <stdlib.h>

#include "crypto/bip39.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "support.h"
#include "util/mem.h"
#include "wallet/keys.h"

#define WORDS                                                                  \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon " \
    "abandon abandon about"
#define COST 4 /* of scrypt: quick */

static struct cc_ec *ec;
static const struct cc_params *params;

static int setup(void **state)
{
    (void)state;
    ec = cc_ec_new();
    params = cc_params_get(CC_CHAIN_REGTEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_ec_free(ec);
    return 0;
}

static struct cc_wallet_keys *keys_of(const char *words, const char *pass,
                                      const struct cc_params *p)
{
    struct cc_wallet_keys *k;
    struct cc_error err;

    if (cc_wallet_keys_new(&k, words, pass, p, ec, &err) != CC_OK)
        fail_msg("%s", err.text);
    return k;
}

/* The secret at a path, by the tree alone. */
static void secret_at(uint8_t secret[32], uint32_t coin, uint32_t account,
                      uint32_t branch, uint32_t index)
{
    const uint32_t path[5] = {CC_BIP32_HARDENED + 86, CC_BIP32_HARDENED + coin,
                              CC_BIP32_HARDENED + account, branch, index};
    struct cc_bip32 master, k;
    uint8_t seed[64];

    cc_bip39_seed(seed, WORDS, "");
    assert_true(cc_bip32_master(&master, ec, seed, 64));
    assert_true(cc_bip32_path(&k, ec, &master, path, 5));
    memcpy(secret, k.secret, 32);
}

static void check_key(struct cc_wallet_keys *k, enum cc_key_chain chain,
                      uint32_t index, const uint8_t raw[32], bool tweaked)
{
    struct cc_wallet_key key;
    uint8_t secret[32], want[32], xonly[32], tweak[32];

    memcpy(want, raw, 32);
    cc_wallet_keys_at(k, chain, index, &key);
    assert_true(cc_ec_xonly(ec, xonly, want));
    assert_memory_equal(xonly, key.internal, 32);
    if (tweaked) {
        cc_tagged_hash(tweak, "TapTweak", xonly, 32);
        assert_true(cc_ec_secret_taproot(ec, want, tweak));
    }
    assert_true(cc_ec_xonly(ec, xonly, want));
    assert_memory_equal(xonly, key.output, 32);
    assert_int_equal(key.script[0], 0x51);
    assert_int_equal(key.script[1], 32);
    assert_memory_equal(key.script + 2, xonly, 32);
    assert_true(cc_wallet_keys_secret(k, &key, secret));
    assert_true(cc_ec_xonly(ec, xonly, secret));
    assert_memory_equal(xonly, key.output, 32);
}

static void test_paths(void **state)
{
    struct cc_wallet_keys *k = keys_of(WORDS, NULL, params);
    struct cc_wallet_keys *m =
        keys_of(WORDS, NULL, cc_params_get(CC_CHAIN_MAIN));
    struct cc_wallet_key key;
    struct cc_bip32 account;
    uint8_t raw[32], print[4];
    uint32_t branch;
    char path[64];

    (void)state;
    secret_at(raw, 1, 0, 0, 5);
    check_key(k, CC_CHAIN_RECEIVE, 5, raw, true);
    secret_at(raw, 1, 0, 1, 0);
    check_key(k, CC_CHAIN_CHANGE, 0, raw, true);
    secret_at(raw, 1, 1, 0, 3);
    check_key(k, CC_CHAIN_STORAGE, 3, raw, false);
    secret_at(raw, 1, 0, 0, 1000); /* beyond what is kept ready */
    check_key(k, CC_CHAIN_RECEIVE, 1000, raw, true);
    secret_at(raw, 7733, 0, 0, 5);
    check_key(m, CC_CHAIN_RECEIVE, 5, raw, true);
    cc_wallet_keys_at(m, CC_CHAIN_STORAGE, 9, &key);
    cc_wallet_keys_path(m, &key, path);
    assert_string_equal(path, "m/86'/7733'/1'/0/9");
    cc_wallet_keys_fingerprint(m, print);
    assert_string_equal(cc_test_hex(print, 4), "73c5da0a"); /* of BIP 86 */
    cc_wallet_keys_account(m, CC_CHAIN_CHANGE, path, &account, &branch);
    assert_string_equal(path, "m/86'/7733'/0'");
    assert_int_equal(branch, 1);
    assert_false(account.is_private);
    assert_true(cc_bip32_child(&account, ec, &account, branch));
    assert_true(cc_bip32_child(&account, ec, &account, 4));
    cc_wallet_keys_at(m, CC_CHAIN_CHANGE, 4, &key);
    assert_memory_equal(account.pubkey + 1, key.internal, 32);
    cc_wallet_keys_free(k);
    cc_wallet_keys_free(m);
}

static void test_words_and_their_passphrase(void **state)
{
    struct cc_wallet_keys *a = keys_of(WORDS, NULL, params),
                          *b = keys_of(WORDS, "TREZOR", params), *bad = NULL;
    struct cc_wallet_key ka, kb;
    const char *pass;
    char words[256];

    (void)state;
    cc_wallet_keys_at(a, CC_CHAIN_RECEIVE, 0, &ka);
    cc_wallet_keys_at(b, CC_CHAIN_RECEIVE, 0, &kb);
    assert_memory_not_equal(ka.output, kb.output, 32);
    assert_true(cc_wallet_keys_words(b, words, &pass));
    assert_string_equal(words, WORDS);
    assert_string_equal(pass, "TREZOR");
    assert_int_equal(
        cc_wallet_keys_new(&bad, "abandon about", NULL, params, ec, NULL),
        CC_INVALID);
    assert_null(bad);
    cc_wallet_keys_free(a);
    cc_wallet_keys_free(b);
    for (unsigned n = 12; n <= 24; n += 12) {
        unsigned count = 1;

        cc_wallet_words_new(words, n);
        for (const char *c = words; *c; c++)
            count += *c == ' ';
        assert_int_equal(count, n);
        cc_wallet_keys_free(keys_of(words, NULL, params));
    }
}

static void test_gap(void **state)
{
    struct cc_wallet_keys *k = keys_of(WORDS, NULL, params);
    struct cc_wallet_key key, found;

    (void)state;
    cc_wallet_keys_at(k, CC_CHAIN_CHANGE, CC_WALLET_GAP - 1, &key);
    assert_true(cc_wallet_keys_find(k, cc_bytes(key.script, CC_TAPROOT_SCRIPT),
                                    &found));
    assert_int_equal(found.chain, CC_CHAIN_CHANGE);
    assert_int_equal(found.index, CC_WALLET_GAP - 1);
    cc_wallet_keys_at(k, CC_CHAIN_CHANGE, CC_WALLET_GAP, &key);
    assert_false(
        cc_wallet_keys_find(k, cc_bytes(key.script, CC_TAPROOT_SCRIPT), NULL));
    cc_wallet_keys_use(k, CC_CHAIN_CHANGE, 0);
    assert_int_equal(cc_wallet_keys_next(k, CC_CHAIN_CHANGE), 1);
    assert_true(cc_wallet_keys_find(k, cc_bytes(key.script, CC_TAPROOT_SCRIPT),
                                    &found));
    assert_int_equal(found.index, CC_WALLET_GAP);
    /* never falls */
    cc_wallet_keys_use(k, CC_CHAIN_CHANGE, 7);
    cc_wallet_keys_use(k, CC_CHAIN_CHANGE, 3);
    assert_int_equal(cc_wallet_keys_next(k, CC_CHAIN_CHANGE), 8);
    assert_int_equal(cc_wallet_keys_next(k, CC_CHAIN_RECEIVE), 0);
    /* nothing else is ours */
    key.script[1] = 33;
    assert_false(
        cc_wallet_keys_find(k, cc_bytes(key.script, CC_TAPROOT_SCRIPT), NULL));
    assert_false(cc_wallet_keys_find(k, cc_bytes(NULL, 0), NULL));
    cc_wallet_keys_free(k);
}

static void derive(uint8_t key[32], const struct cc_wallet_lockbox *box,
                   const char *pass)
{
    assert_true(cc_wallet_lockbox_derive(key, box, pass));
}

static struct cc_wallet_keys *reread(const struct cc_wallet_keys *k)
{
    struct cc_wallet_keys *out;
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_wallet_keys_write(&w, k);
    assert_int_equal(
        cc_wallet_keys_read(&out, cc_bytes(w.data, w.len), params, ec, NULL),
        CC_OK);
    cc_writer_clear(&w);
    return out;
}

static void test_encryption(void **state)
{
    struct cc_wallet_keys *k = keys_of(WORDS, NULL, params), *r;
    struct cc_wallet_lockbox box, next;
    struct cc_wallet_key key;
    uint8_t good[32], wrong[32], fresh[32], secret[32], plain[32];
    const char *pass;
    char words[256];

    (void)state;
    cc_wallet_keys_at(k, CC_CHAIN_RECEIVE, 2, &key);
    assert_true(cc_wallet_keys_secret(k, &key, plain));
    assert_false(cc_wallet_keys_encrypted(k));
    cc_wallet_keys_lock(k); /* nothing to lock with */
    assert_false(cc_wallet_keys_locked(k));

    cc_wallet_lockbox_new(&box, COST);
    derive(good, &box, "right");
    derive(wrong, &box, "wrong");
    cc_wallet_keys_encrypt(k, &box, good);
    assert_true(cc_wallet_keys_encrypted(k));
    assert_true(cc_wallet_keys_locked(k));
    assert_false(cc_wallet_keys_secret(k, &key, secret));
    assert_false(cc_wallet_keys_words(k, words, &pass));
    assert_false(cc_wallet_keys_unlock(k, wrong));
    assert_true(cc_wallet_keys_locked(k));

    r = reread(k);
    cc_wallet_keys_free(k);
    assert_true(cc_wallet_keys_locked(r));
    assert_true(
        cc_wallet_keys_find(r, cc_bytes(key.script, CC_TAPROOT_SCRIPT), NULL));
    assert_true(cc_wallet_keys_unlock(r, good));
    assert_true(cc_wallet_keys_secret(r, &key, secret));
    assert_memory_equal(secret, plain, 32);
    cc_wallet_keys_lock(r);
    assert_false(cc_wallet_keys_secret(r, &key, secret));

    cc_wallet_lockbox_new(&next, COST);
    derive(fresh, &next, "fresh");
    assert_false(cc_wallet_keys_change(r, wrong, &next, fresh));
    assert_true(cc_wallet_keys_change(r, good, &next, fresh));
    assert_true(cc_wallet_keys_locked(r));
    assert_false(cc_wallet_keys_unlock(r, good));
    assert_true(cc_wallet_keys_unlock(r, fresh));
    assert_true(cc_wallet_keys_words(r, words, &pass));
    assert_string_equal(words, WORDS);
    cc_wallet_keys_lockbox(r, &box);
    assert_memory_equal(box.salt, next.salt, CC_WALLET_SALT);
    cc_wallet_keys_free(r);
}

static bool holds(const uint8_t *data, size_t len, const void *what, size_t n)
{
    for (size_t i = 0; i + n <= len; i++) {
        if (!memcmp(data + i, what, n))
            return true;
    }
    return false;
}

static void test_no_secret_in_an_encrypted_record(void **state)
{
    char words[256];
    uint8_t entropy[32], key[32];
    struct cc_wallet_keys *k;
    struct cc_wallet_lockbox box;
    struct cc_writer w;
    size_t len;

    (void)state;
    cc_wallet_words_new(words, 24);
    assert_int_equal(cc_bip39_decode(entropy, &len, words, NULL), CC_OK);
    k = keys_of(words, "of the words", params);
    cc_writer_init_heap(&w);
    cc_wallet_keys_write(&w, k);
    assert_true(holds(w.data, w.len, entropy, 8)); /* the test can see it */
    cc_writer_clear(&w);
    cc_wallet_lockbox_new(&box, COST);
    derive(key, &box, "x");
    cc_wallet_keys_encrypt(k, &box, key);
    cc_writer_init_heap(&w);
    cc_wallet_keys_write(&w, k);
    for (size_t i = 0; i + 8 <= 32; i += 8)
        assert_false(holds(w.data, w.len, entropy + i, 8));
    assert_false(holds(w.data, w.len, "of the words", 12));
    cc_writer_clear(&w);
    cc_wallet_keys_free(k);
}

/* Any changed byte of a record is noticed at reading or at unlocking, but for
 * the fingerprints, which are for display; none crashes. */
static void test_damaged_records(void **state)
{
    struct cc_wallet_keys *k = keys_of(WORDS, NULL, params), *r;
    struct cc_wallet_lockbox box;
    struct cc_writer w;
    uint8_t key[32];

    (void)state;
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        if (encrypted) {
            cc_wallet_lockbox_new(&box, COST);
            derive(key, &box, "x");
            cc_wallet_keys_encrypt(k, &box, key);
        }
        cc_writer_init_heap(&w);
        cc_wallet_keys_write(&w, k);
        for (size_t i = 0; i < w.len; i++) {
            bool shown_only = i >= 5 && i < 13; /* prints of both accounts */
            bool box_bytes = encrypted && i >= 148 && i < 148 + 32;

            if (shown_only || (i >= 78 && i < 82) || box_bytes)
                continue;
            w.data[i] ^= 1;
            if (cc_wallet_keys_read(&r, cc_bytes(w.data, w.len), params, ec,
                                    NULL) == CC_OK) {
                if (!encrypted)
                    fail_msg("byte %zu changed, and nobody saw", i);
                if (cc_wallet_keys_unlock(r, key))
                    fail_msg("byte %zu changed, and it opens", i);
                cc_wallet_keys_free(r);
            }
            w.data[i] ^= 1;
        }
        for (size_t len = 0; len < w.len; len++)
            assert_int_equal(cc_wallet_keys_read(&r, cc_bytes(w.data, len),
                                                 params, ec, NULL),
                             CC_CORRUPT);
        cc_writer_clear(&w);
    }
    cc_wallet_keys_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_words_and_their_passphrase),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_encryption),
        cmocka_unit_test(test_no_secret_in_an_encrypted_record),
        cmocka_unit_test(test_damaged_records),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
