/* BIP 32 trees and BIP 39 words. */
#include "crypto/bip32.h"
#include "crypto/bip39.h"

#include "crypto/bip39_words.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "support.h"
#include "util/mem.h"

#include <stdio.h>
#include <stdlib.h>

static struct cc_ec *ec;
static const struct cc_address_prefixes bitcoin = {
    0, 5, 128, 0x0488b21e, 0x0488ade4, "bc"};
/* BIP 84's serialisation. */
static const struct cc_address_prefixes zpub = {0,          5,          128,
                                                0x04b24746, 0x04b2430c, "bc"};

/* Behind "label" on this line, up to the next blank; NULL if it is not
 * there. */
static char *after(const char *line, const char *label)
{
    static char out[256];
    const char *p = strstr(line, label);

    if (!p || sscanf(p + strlen(label), " %255s", out) != 1)
        return NULL;
    return out;
}

static void expect_text(const struct cc_bip32 *k, const char *want)
{
    char text[CC_BIP32_TEXT_MAX];
    struct cc_bip32 back;

    cc_bip32_encode(text, k, &bitcoin);
    assert_string_equal(text, want);
    assert_true(cc_bip32_decode(&back, ec, want, &bitcoin));
    assert_memory_equal(&back, k, sizeof(back));
}

static void test_bip32(void **state)
{
    char *text = cc_test_load("bip32_vectors.mediawiki", NULL), *line;
    struct cc_bip32 master, k, pub;
    size_t ran = 0, invalid = 0;

    (void)state;
    if (!text)
        skip();
    memset(&k, 0, sizeof(k));
    for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *v;

        if ((v = after(line, "Seed (hex):"))) {
            size_t len;
            uint8_t *seed = cc_test_unhex(v, &len);

            assert_true(cc_bip32_master(&master, ec, seed, len));
            free(seed);
        } else if ((v = after(line, "* Chain m"))) {
            char path[200] = "m";
            uint32_t steps[16];
            size_t count = 16, at = 1;

            /* "/0<sub>H</sub>/1" */
            for (const char *p = v; *p && at < sizeof(path) - 1;) {
                if (!strncmp(p, "<sub>H</sub>", 12)) {
                    path[at++] = 'h';
                    p += 12;
                } else {
                    path[at++] = *p++;
                }
            }
            path[at] = 0;
            assert_true(cc_bip32_path_parse(steps, &count, path));
            assert_true(cc_bip32_path(&k, ec, &master, steps, count));
            /* The same by public derivation where the last step allows. */
            if (count && steps[count - 1] < CC_BIP32_HARDENED) {
                struct cc_bip32 above, below;

                assert_true(
                    cc_bip32_path(&above, ec, &master, steps, count - 1));
                cc_bip32_neuter(&above);
                assert_true(
                    cc_bip32_child(&below, ec, &above, steps[count - 1]));
                pub = k;
                cc_bip32_neuter(&pub);
                assert_memory_equal(&below, &pub, sizeof(pub));
                assert_false(
                    cc_bip32_child(&below, ec, &above, CC_BIP32_HARDENED));
            }
        } else if (strstr(line, "* Chain m")) {
            k = master;
        } else if ((v = after(line, "** ext pub:"))) {
            pub = k;
            cc_bip32_neuter(&pub);
            expect_text(&pub, v);
            ran++;
        } else if ((v = after(line, "** ext prv:"))) {
            expect_text(&k, v);
            ran++;
        } else if (line[0] == '*' && line[1] == ' ' && strchr(line, '(')) {
            v = after(line, "*");
            assert_non_null(v);
            if (cc_bip32_decode(&k, ec, v, &bitcoin))
                fail_msg("%s", line);
            invalid++;
        }
    }
    assert_int_equal(ran, 34);
    assert_int_equal(invalid, 16);
    cc_test_ran("bip32", ran + invalid);
    free(text);
}

/* BIP 84 and BIP 86 share their shape: words, roots, account, three keys. */
static void account_file(const char *name, uint32_t purpose,
                         const struct cc_address_prefixes *p, size_t expected)
{
    char *text = cc_test_load(name, NULL), *line;
    struct cc_bip32 root, k;
    size_t ran = 0;

    if (!text)
        skip();
    memset(&root, 0, sizeof(root));
    k = root;
    for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char out[CC_BIP32_TEXT_MAX], *v;
        struct cc_bip32 pub;
        const char *m;

        if ((m = strstr(line, "mnemonic = "))) {
            uint8_t seed[64];

            cc_bip39_seed(seed, m + 11, "");
            assert_true(cc_bip32_master(&root, ec, seed, 64));
            k = root;
            continue;
        }
        if ((m = strstr(line, "m/"))) {
            uint32_t steps[8];
            size_t count = 8;

            assert_true(cc_bip32_path_parse(steps, &count, m));
            assert_int_equal(steps[0], purpose | CC_BIP32_HARDENED);
            assert_true(cc_bip32_path(&k, ec, &root, steps, count));
            continue;
        }
        m = strchr(line, '=');
        if (!m || !(v = after(line, "=")))
            continue;
        line += strspn(line, " ");
        pub = k;
        cc_bip32_neuter(&pub);
        if (!strncmp(line, "rootpriv", 8) || !strncmp(line, "xpriv", 5) ||
            !strncmp(line, "xprv", 4)) {
            cc_bip32_encode(out, &k, p);
            assert_string_equal(out, v);
        } else if (!strncmp(line, "rootpub", 7) || !strncmp(line, "xpub", 4)) {
            cc_bip32_encode(out, &pub, p);
            assert_string_equal(out, v);
        } else if (!strncmp(line, "privkey", 7)) {
            cc_wif_encode(out, k.secret, true, p);
            assert_string_equal(out, v);
        } else if (!strncmp(line, "pubkey", 6)) {
            assert_string_equal(cc_test_hex(k.pubkey, 33), v);
        } else if (!strncmp(line, "internal_key", 12)) {
            assert_string_equal(cc_test_hex(k.pubkey + 1, 32), v);
        } else if (!strncmp(line, "output_key", 10) ||
                   !strncmp(line, "scriptPubKey", 12) ||
                   !strncmp(line, "address", 7)) {
            uint8_t script[34] = {0x51, 32}, tweak[32], hash[20];
            bool odd;

            if (purpose == 86) {
                cc_tagged_hash(tweak, "TapTweak", k.pubkey + 1, 32);
                assert_true(
                    cc_ec_xonly_tweak(script + 2, &odd, k.pubkey + 1, tweak));
            } else {
                cc_hash160(hash, k.pubkey, 33);
                script[0] = 0;
                script[1] = 20;
                memcpy(script + 2, hash, 20);
            }
            if (line[0] == 'o') {
                assert_string_equal(cc_test_hex(script + 2, 32), v);
            } else if (line[0] == 's') {
                assert_string_equal(cc_test_hex(script, 34), v);
            } else {
                assert_true(cc_address_encode(out, script, script[1] + 2u, p));
                assert_string_equal(out, v);
            }
        } else {
            continue;
        }
        ran++;
    }
    assert_int_equal(ran, expected);
    cc_test_ran(name, ran);
    free(text);
}

static void test_bip84(void **state)
{
    (void)state;
    account_file("bip084_vectors.mediawiki", 84, &zpub, 13);
}

static void test_bip86(void **state)
{
    (void)state;
    account_file("bip086_vectors.mediawiki", 86, &bitcoin, 22);
}

static void test_paths(void **state)
{
    static const char *const bad[] = {
        "",
        "/",
        "m/",
        "m//1",
        "m/1/",
        "m/x",
        "m/1x",
        "m/-1",
        "mm",
        "m/2147483648",
        "m/1hh",
        "m/1''",
        "m/1 ",
        "x/1",
        "m/99999999999999999999",
        "m/1/2/3/4/5",
    };
    uint32_t path[4];
    size_t count = 4;
    struct cc_bip32 k;
    uint8_t seed[64] = {1};

    (void)state;
    assert_true(cc_bip32_path_parse(path, &count, "m"));
    assert_int_equal(count, 0);
    count = 4;
    assert_true(cc_bip32_path_parse(path, &count, "m/86'/1h/2147483647H/4"));
    assert_int_equal(count, 4);
    assert_int_equal(path[0], CC_BIP32_HARDENED + 86);
    assert_int_equal(path[1], CC_BIP32_HARDENED + 1);
    assert_int_equal(path[2], UINT32_MAX);
    assert_int_equal(path[3], 4);
    count = 4;
    assert_true(cc_bip32_path_parse(path, &count, "0/1"));
    assert_int_equal(count, 2);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        count = 4;
        if (cc_bip32_path_parse(path, &count, bad[i]))
            fail_msg("\"%s\"", bad[i]);
    }
    assert_false(cc_bip32_master(&k, ec, seed, 15));
    assert_false(cc_bip32_master(&k, ec, seed, 65));
    assert_true(cc_bip32_master(&k, ec, seed, 64));
    k.depth = 255;
    assert_false(cc_bip32_child(&k, ec, &k, 0));
}

static void test_bip39(void **state)
{
    json_t *root = cc_test_load_json("bip39_english_vectors.json"), *row;
    size_t i;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(root, i, row)
    {
        const char *words = json_string_value(json_array_get(row, 1));
        const char *pass = json_string_value(json_array_get(row, 2));
        uint8_t *entropy, seed[64], back[32];
        char text[CC_BIP39_TEXT_MAX], xprv[CC_BIP32_TEXT_MAX];
        size_t len, n;
        struct cc_bip32 k;

        entropy =
            cc_test_unhex(json_string_value(json_array_get(row, 0)), &len);
        assert_true(cc_bip39_encode(text, entropy, len));
        assert_string_equal(text, words);
        assert_int_equal(cc_bip39_decode(back, &n, words, NULL), CC_OK);
        assert_int_equal(n, len);
        assert_memory_equal(back, entropy, len);
        cc_bip39_seed(seed, words, pass);
        assert_string_equal(cc_test_hex(seed, 64),
                            json_string_value(json_array_get(row, 3)));
        assert_true(cc_bip32_master(&k, ec, seed, 64));
        cc_bip32_encode(xprv, &k, &bitcoin);
        assert_string_equal(xprv, json_string_value(json_array_get(row, 4)));
        free(entropy);
    }
    cc_test_ran("bip39", i);
    json_decref(root);
}

static void test_word_list(void **state)
{
    char *text = cc_test_load("bip39_english.txt", NULL), *w;
    unsigned n = 0;

    (void)state;
    if (!text)
        skip();
    for (w = strtok(text, "\n"); w; w = strtok(NULL, "\n"), n++) {
        assert_string_equal(cc_bip39_word(n), w);
        assert_int_equal(cc_bip39_find(w, strlen(w)), n);
    }
    assert_int_equal(n, 2048);
    assert_null(cc_bip39_word(2048));
    assert_int_equal(cc_bip39_find("abando", 6), -1);
    assert_int_equal(cc_bip39_find("", 0), -1);
    assert_int_equal(cc_bip39_find("abandonabandon", 14), -1);
    free(text);
}

static void expect_fault(const char *words, const char *part)
{
    struct cc_error err;
    uint8_t entropy[32];
    size_t len;

    cc_error_init(&err);
    assert_int_equal(cc_bip39_decode(entropy, &len, words, &err), CC_INVALID);
    if (!strstr(err.text, part))
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void test_bip39_faults(void **state)
{
    static const uint8_t zero[33] = {0};
    uint8_t a[64], b[64], entropy[32];
    char text[CC_BIP39_TEXT_MAX], many[400] = "";
    size_t len;

    (void)state;
    expect_fault("abandon abandon abandon abandon abandon abandon abandon "
                 "abandon abandon abandon abandon abandon",
                 "checksum");
    expect_fault("abandon abandon abandon abandon abandon abandon abandon "
                 "abandon abandon abandon abandon abowt",
                 "word 12, \"abowt\"");
    expect_fault("abandon abandon", "2 words");
    expect_fault("", "0 words");
    expect_fault("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo",
                 "13 words");
    for (int i = 0; i < 25; i++)
        strcat(many, "zoo ");
    expect_fault(many, "more than 24");
    /* White space and case do not matter, neither here nor for the seed. */
    assert_int_equal(
        cc_bip39_decode(entropy, &len,
                        "  Abandon ABANDON abandon\tabandon abandon abandon "
                        "abandon abandon abandon abandon\n abandon about ",
                        NULL),
        CC_OK);
    assert_int_equal(len, 16);
    cc_bip39_seed(a, " Legal  winner\tthank", "x");
    cc_bip39_seed(b, "legal winner thank", "x");
    assert_memory_equal(a, b, 64);
    cc_bip39_seed(b, "legal winner thank", "y");
    assert_memory_not_equal(a, b, 64);
    assert_false(cc_bip39_encode(text, zero, 15));
    assert_false(cc_bip39_encode(text, zero, 17));
    assert_false(cc_bip39_encode(text, zero, 33));
    assert_false(cc_bip39_encode(text, zero, 12));
}

static int setup(void **state)
{
    (void)state;
    ec = cc_ec_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_ec_free(ec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bip32),        cmocka_unit_test(test_bip84),
        cmocka_unit_test(test_bip86),        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_bip39),        cmocka_unit_test(test_word_list),
        cmocka_unit_test(test_bip39_faults),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
