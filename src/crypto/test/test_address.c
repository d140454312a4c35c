#include "crypto/address.h"

#include "crypto/base58.h"
#include "crypto/bech32.h"
#include "support.h"

#include <stdlib.h>

/* The vectors are Bitcoin's, so the test brings its prefixes. */
static const struct {
    const char *name;
    struct cc_address_prefixes p;
} chains[] = {
    {"main", {0, 5, 128, 0x0488b21e, 0x0488ade4, "bc"}},
    {"test", {111, 196, 239, 0x043587cf, 0x04358394, "tb"}},
    {"signet", {111, 196, 239, 0x043587cf, 0x04358394, "tb"}},
    {"regtest", {111, 196, 239, 0x043587cf, 0x04358394, "bcrt"}},
};

static const struct cc_address_prefixes *chain(const char *name)
{
    for (size_t i = 0; i < 4; i++)
        if (!strcmp(chains[i].name, name))
            return &chains[i].p;
    fail_msg("chain %s", name);
    return NULL;
}

static void test_base58(void **state)
{
    json_t *root = cc_test_load_json("base58_encode_decode.json"), *row;
    size_t i;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(root, i, row)
    {
        const char *text = json_string_value(json_array_get(row, 1));
        char out[600];
        uint8_t back[300], *data;
        size_t len, n = sizeof(back);

        data = cc_test_unhex(json_string_value(json_array_get(row, 0)), &len);
        assert_true(cc_base58_encode(out, sizeof(out), data, len));
        assert_string_equal(out, text);
        assert_false(cc_base58_encode(out, strlen(text), data, len));
        assert_true(cc_base58_decode(back, &n, text));
        assert_int_equal(n, len);
        assert_memory_equal(back, data, len);
        if (len) {
            n = len - 1;
            assert_false(cc_base58_decode(back, &n, text));
        }
        free(data);
    }
    cc_test_ran("base58", i);
    json_decref(root);
}

static void test_base58_edges(void **state)
{
    uint8_t out[256], big[257];
    char text[500];
    size_t n;

    (void)state;
    n = sizeof(out);
    assert_true(cc_base58_decode(out, &n, " \t\n\v\f\r skip \r\f\v\n\t "));
    assert_int_equal(n, 3);
    n = sizeof(out);
    assert_false(cc_base58_decode(out, &n, " \t\n\v\f\r skip \r\f\v\n\t a"));
    n = sizeof(out);
    assert_false(cc_base58_decode(out, &n, "bad0IOl"));
    n = sizeof(out);
    assert_false(cc_base58_decode(out, &n, "good\xff"));
    memset(text, 'z', 499);
    text[499] = 0;
    n = sizeof(out);
    assert_false(cc_base58_decode(out, &n, text));
    memset(text, '1', 499);
    n = sizeof(out);
    assert_false(cc_base58_decode(out, &n, text));
    memset(big, 0xff, sizeof(big));
    assert_false(cc_base58_encode(text, sizeof(text), big, 257));
    assert_true(cc_base58_encode(text, sizeof(text), big, 256));
    n = sizeof(out);
    assert_true(cc_base58_decode(out, &n, text));
    assert_int_equal(n, 256);
    assert_memory_equal(out, big, 256);
    /* The checksum is four bytes, and each counts. */
    assert_true(cc_base58check_encode(text, sizeof(text), "abc", 3));
    n = sizeof(out);
    assert_true(cc_base58check_decode(out, &n, text));
    assert_int_equal(n, 3);
    text[2] = text[2] == 'a' ? 'b' : 'a';
    n = sizeof(out);
    assert_false(cc_base58check_decode(out, &n, text));
    n = sizeof(out);
    assert_false(cc_base58check_decode(out, &n, ""));
    assert_false(cc_base58check_encode(text, sizeof(text), big, 253));
    /* A good checksum over the right first byte and too few others. */
    {
        struct cc_address_error err;
        struct cc_address a = {.kind = CC_ADDRESS_TR};
        static const uint8_t versions[] = {0, 5};

        for (int i = 0; i < 2; i++) {
            big[0] = versions[i];
            for (size_t len = 1; len < 21; len += 19) {
                assert_true(
                    cc_base58check_encode(text, sizeof(text), big, len));
                assert_false(cc_address_parse(&a, text, &chains[0].p, &err));
                assert_string_equal(
                    err.text,
                    "Invalid length for Base58 address (P2PKH or P2SH)");
                assert_int_equal(a.kind, CC_ADDRESS_NONE);
            }
        }
    }
}

static void test_key_io_valid(void **state)
{
    json_t *root = cc_test_load_json("key_io_valid.json"), *row;
    size_t i;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(root, i, row)
    {
        const char *text = json_string_value(json_array_get(row, 0));
        json_t *meta = json_array_get(row, 2);
        const struct cc_address_prefixes *p =
            chain(cc_test_string(meta, "chain"));
        uint8_t *want, script[CC_ADDRESS_SCRIPT_MAX], secret[32];
        size_t len, n;
        char out[CC_ADDRESS_MAX];
        bool compressed;

        want = cc_test_unhex(json_string_value(json_array_get(row, 1)), &len);
        if (json_is_true(json_object_get(meta, "isPrivkey"))) {
            assert_true(cc_wif_decode(secret, &compressed, text, p));
            assert_int_equal(len, 32);
            assert_memory_equal(secret, want, 32);
            assert_int_equal(compressed, json_is_true(json_object_get(
                                             meta, "isCompressed")));
            cc_wif_encode(out, secret, compressed, p);
            assert_string_equal(out, text);
            assert_false(cc_address_decode(script, &n, text, p, NULL));
        } else {
            assert_true(cc_address_decode(script, &n, text, p, NULL));
            assert_int_equal(n, len);
            assert_memory_equal(script, want, len);
            assert_true(cc_address_encode(out, want, len, p));
            assert_string_equal(out, text);
            assert_false(cc_wif_decode(secret, &compressed, text, p));
            if (json_is_true(json_object_get(meta, "tryCaseFlip"))) {
                char flip[CC_ADDRESS_MAX];

                for (n = 0; (flip[n] = text[n]); n++)
                    if (flip[n] >= 'a' && flip[n] <= 'z')
                        flip[n] = (char)(flip[n] - 'a' + 'A');
                    else if (flip[n] >= 'A' && flip[n] <= 'Z')
                        flip[n] = (char)(flip[n] - 'A' + 'a');
                assert_true(cc_address_decode(script, &n, flip, p, NULL));
                assert_memory_equal(script, want, len);
            }
        }
        free(want);
    }
    cc_test_ran("key_io_valid", i);
    json_decref(root);
}

static void test_key_io_invalid(void **state)
{
    json_t *root = cc_test_load_json("key_io_invalid.json"), *row;
    size_t i;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(root, i, row)
    {
        const char *text = json_string_value(json_array_get(row, 0));
        struct cc_address_error err;
        uint8_t script[CC_ADDRESS_SCRIPT_MAX], secret[32];
        bool compressed;
        size_t n;

        for (size_t c = 0; c < 4; c++) {
            assert_false(
                cc_address_decode(script, &n, text, &chains[c].p, &err));
            assert_true(err.text[0]);
            assert_false(
                cc_wif_decode(secret, &compressed, text, &chains[c].p));
        }
    }
    cc_test_ran("key_io_invalid", i);
    json_decref(root);
}

#define QS "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
#define LS "llllllllllllllllllllllllllllllllllllllll"

/* BIP 173 and BIP 350: checksums that hold, and that do not. */
static void test_bech32(void **state)
{
    static const char *const good[2][8] = {
        {"A12UEL5L", "a12uel5l",
         "an83characterlonghumanreadablepartthatcontainsthenumber1andthe"
         "excludedcharactersbio1tt5tgs",
         "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "11" QS QS "qqc8247j",
         "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
         "?1ezyfcl", NULL},
        {"A1LQFN3A", "a1lqfn3a",
         "an83characterlonghumanreadablepartthatcontainsthetheexcluded"
         "charactersbioandnumber11sg7hg6",
         "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "11" LS LS "llludsr8",
         "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
         "?1v759aa", NULL},
    };
    static const char *const bad[] = {
        "\x20"
        "1nwldj5",
        "\x7f"
        "1axkwrx",
        "an84characterslonghumanreadablepartthatcontainsthenumber1andthe"
        "excludedcharactersbio1569pvx",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "a12UEL5L",
        "A12uEL5L",
        "qyrz8wqd2c9m",
        "1qyrz8wqd2c9m",
        "y1b0jsk6g",
        "lt1igcx5c0",
        "in1muywd",
        "mm1crxm3i",
        "au1s5cgom",
        "M1VUXWEZ",
        "16plkw9",
        "1p2gdwpf",
        "",
    };
    struct cc_bech32 b;
    char out[CC_BECH32_MAX + 1];
    size_t ran = 0;

    (void)state;
    for (int k = 0; k < 2; k++) {
        enum cc_bech32_kind kind = k ? CC_BECH32M : CC_BECH32;

        for (int i = 0; good[k][i]; i++) {
            if (cc_bech32_decode(&b, good[k][i]) != kind)
                fail_msg("%s", good[k][i]);
            assert_true(cc_bech32_encode(out, kind, b.hrp, b.data, b.len));
            for (size_t j = 0; out[j]; j++) {
                char c = good[k][i][j];

                assert_int_equal(out[j],
                                 c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
            }
            ran++;
        }
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (cc_bech32_decode(&b, bad[i]) != CC_BECH32_NONE)
            fail_msg("%s", bad[i]);
        ran++;
    }
    cc_test_ran("BIP 173 and BIP 350", ran);
    b.data[0] = 32;
    assert_false(cc_bech32_encode(out, CC_BECH32, "a", b.data, 1));
    assert_false(cc_bech32_encode(out, CC_BECH32, "", b.data, 0));
    memset(b.data, 0, sizeof(b.data));
    assert_true(cc_bech32_encode(out, CC_BECH32, "a", b.data, 82));
    assert_false(cc_bech32_encode(out, CC_BECH32, "a", b.data, 83));
}

static void test_messages(void **state)
{
    static const struct {
        const char *text, *says;
        size_t at[3], count;
    } rows[] = {
        {"bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv", "", {0}, 0},
        {"bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnvqqqqqqqqqqqqqqqqqqqqqqq"
         "qqqqqqqqqqqqqqqqqqqqqqqqqq",
         "Bech32 string too long",
         {90, 91, 92},
         3},
        {"bcrt1qq", "Invalid separator position", {4}, 1},
        {"bcrtqpzry9x8gf2tvdw0", "Missing separator", {0}, 0},
        {"bcrt1Qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv",
         "Invalid character or mixed case",
         {5},
         1},
        {"BCrT1QTMp74AYG7P24USLCTSSVJM06Q5PHZ4YRXUCGNV",
         "Invalid character or mixed case",
         {2, 8},
         2},
        {"bcrt1qax9suht3qv95sw33wavx8crpxduefdrsvgsklu",
         "Invalid Bech32 checksum",
         {43},
         1},
        {"bcrt1qax9suht3qv95sw33xavx8crpxduefdrsvgsklu",
         "Invalid Bech32 checksum",
         {22, 43},
         2},
        {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
         "Invalid or unsupported Segwit (Bech32) or Base58 encoding.",
         {0},
         0},
        {"bcrt1qbmp74ayg7p24uslctssvjm06q5phz4yrxucgnv",
         "Invalid Base 32 character",
         {6},
         1},
        {"17VZNX1SN5NtKa8UQFxwQbFeFc3iqRYhem",
         "Invalid or unsupported Base58-encoded address.",
         {0},
         0},
        {"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJJfn",
         "Invalid checksum or length of Base58 address (P2PKH or P2SH)",
         {0},
         0},
        {"2VKf7XKMrp4bVNVmuRbyCewkP8FhGLP2E54LHDPakr9Sq5mtU2",
         "Invalid checksum or length of Base58 address (P2PKH or P2SH)",
         {0},
         0},
        {"asfah14i8fajz0123f",
         "Invalid or unsupported Segwit (Bech32) or Base58 encoding.",
         {0},
         0},
        {"",
         "Invalid checksum or length of Base58 address (P2PKH or P2SH)",
         {0},
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cc_address_error err;
        struct cc_address a;
        bool ok = cc_address_parse(&a, rows[i].text, &chains[3].p, &err);

        if (strcmp(err.text, rows[i].says))
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].text, err.text,
                     rows[i].says);
        assert_int_equal(ok, !*rows[i].says);
        if (rows[i].count < 3)
            assert_int_equal(err.count, rows[i].count);
        for (size_t j = 0; j < rows[i].count; j++)
            assert_int_equal(err.at[j], rows[i].at[j]);
    }
}

/* Programs that BIP 173/350 forbid, made here so that each rule is met. */
static void test_programs(void **state)
{
    const struct cc_address_prefixes *p = &chains[3].p;
    static const struct {
        uint8_t version, len;
        enum cc_bech32_kind kind;
        const char *says;
    } rows[] = {
        {0, 20, CC_BECH32, ""},
        {0, 32, CC_BECH32, ""},
        {1, 32, CC_BECH32M, ""},
        {1, 2, CC_BECH32M, ""},
        {16, 40, CC_BECH32M, ""},
        {0, 21, CC_BECH32,
         "Invalid Bech32 v0 address program size (21 bytes), per BIP141"},
        {0, 1, CC_BECH32,
         "Invalid Bech32 v0 address program size (1 byte), per BIP141"},
        {0, 20, CC_BECH32M,
         "Version 0 witness address must use Bech32 checksum"},
        {1, 32, CC_BECH32,
         "Version 1+ witness address must use Bech32m checksum"},
        {17, 32, CC_BECH32M, "Invalid Bech32 address witness version"},
        {2, 1, CC_BECH32M, "Invalid Bech32 address program size (1 byte)"},
        {1, 41, CC_BECH32M, "Invalid Bech32 address program size (41 bytes)"},
    };
    uint8_t program[41] = {1, 2, 3}, values[70];
    struct cc_address_error err;
    struct cc_address a;
    char text[CC_BECH32_MAX + 1], again[CC_ADDRESS_MAX];
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        values[0] = rows[i].version;
        n = cc_bech32_from_bytes(values + 1, program, rows[i].len);
        assert_true(
            cc_bech32_encode(text, rows[i].kind, p->hrp, values, n + 1));
        assert_int_equal(cc_address_parse(&a, text, p, &err), !*rows[i].says);
        assert_string_equal(err.text, rows[i].says);
        if (!*rows[i].says) {
            assert_true(cc_address_format(again, &a, p));
            assert_string_equal(again, text);
        }
    }
    /* Five bits too many, and padding that is not zero. */
    values[0] = 0;
    n = cc_bech32_from_bytes(values + 1, program, 20);
    values[1 + n] = 0;
    assert_true(cc_bech32_encode(text, CC_BECH32, p->hrp, values, n + 2));
    assert_false(cc_address_parse(&a, text, p, &err));
    assert_string_equal(err.text, "Invalid padding in Bech32 data section");
    values[0] = 1;
    n = cc_bech32_from_bytes(values + 1, program, 32);
    values[n] |= 1;
    assert_true(cc_bech32_encode(text, CC_BECH32M, p->hrp, values, n + 1));
    assert_false(cc_address_parse(&a, text, p, &err));
    assert_string_equal(err.text, "Invalid padding in Bech32 data section");
    assert_true(cc_bech32_encode(text, CC_BECH32, p->hrp, values, 0));
    assert_false(cc_address_parse(&a, text, p, &err));
    assert_string_equal(err.text, "Empty Bech32 data section");
    /* On a chain whose prefix begins another's. */
    {
        struct cc_address_prefixes own = *p;

        own.hrp = "bc";
        assert_false(cc_address_parse(
            &a, "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv", &own, &err));
        assert_string_equal(err.text,
                            "Invalid or unsupported prefix for Segwit "
                            "(Bech32) address (expected bc, got bcrt).");
    }
}

/* Whatever one or two characters of the data part are changed, they are
 * found. */
static void test_locate(void **state)
{
    const char *good = "bcrt1qtmp74ayg7p24uslctssvjm06q5phz4yrxucgnv";
    static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    struct cc_test_random r;
    size_t len = strlen(good);

    (void)state;
    cc_test_random_init(&r, 4);
    for (int i = 0; i < 60; i++) {
        char text[64];
        size_t a = 5 + cc_test_random(&r) % (len - 5), at[8], count;
        size_t b = 5 + cc_test_random(&r) % (len - 5), t;

        if (b < a) {
            t = a;
            a = b;
            b = t;
        }
        strcpy(text, good);
        do
            text[a] = digits[cc_test_random(&r) % 32];
        while (text[a] == good[a]);
        if (a != b)
            do
                text[b] = digits[cc_test_random(&r) % 32];
            while (text[b] == good[b]);
        assert_string_equal(cc_bech32_locate(text, at, 8, &count),
                            "Invalid Bech32 checksum");
        assert_int_equal(count, a == b ? 1 : 2);
        assert_int_equal(at[0], a);
        if (a != b)
            assert_int_equal(at[1], b);
    }
    {
        size_t at[8], count;

        assert_string_equal(cc_bech32_locate(good, at, 8, &count), "");
    }
}

static void test_scripts(void **state)
{
    uint8_t s[43] = {0};
    struct cc_address a;
    char text[CC_ADDRESS_MAX];

    (void)state;
    /* Nearly a P2PKH, nearly a P2SH, nearly a program. */
    cc_test_unhex_into(s, 25,
                       "76a914000102030405060708090a0b0c0d0e0f1011121388ac");
    assert_int_equal(cc_address_from_script(&a, s, 25), CC_ADDRESS_PKH);
    assert_int_equal(cc_address_from_script(&a, s, 24), CC_ADDRESS_NONE);
    for (int i = 0; i < 25; i++) {
        if (i >= 3 && i < 23)
            continue;
        s[i] ^= 0x80;
        assert_int_equal(cc_address_from_script(&a, s, 25), CC_ADDRESS_NONE);
        s[i] ^= 0x80;
    }
    assert_false(cc_address_encode(text, s, 24, &chains[0].p));
    memset(s, 0, sizeof(s));
    s[0] = 0xa9;
    s[1] = 20;
    s[22] = 0x87;
    assert_int_equal(cc_address_from_script(&a, s, 23), CC_ADDRESS_SH);
    for (int i = 0; i < 23; i++) {
        if (i >= 2 && i < 22)
            continue;
        s[i] ^= 0x80;
        assert_int_equal(cc_address_from_script(&a, s, 23), CC_ADDRESS_NONE);
        s[i] ^= 0x80;
    }
    for (uint8_t len = 0; len <= 41; len++) {
        s[0] = 0;
        s[1] = len;
        assert_int_equal(cc_address_from_script(&a, s, len + 2u),
                         len == 20   ? CC_ADDRESS_WPKH
                         : len == 32 ? CC_ADDRESS_WSH
                                     : CC_ADDRESS_NONE);
        s[0] = 0x51;
        assert_int_equal(cc_address_from_script(&a, s, len + 2u),
                         len < 2 || len > 40 ? CC_ADDRESS_NONE
                         : len == 32         ? CC_ADDRESS_TR
                                             : CC_ADDRESS_WITNESS);
        s[0] = 0x61;
        assert_int_equal(cc_address_from_script(&a, s, len + 2u),
                         CC_ADDRESS_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base58),
        cmocka_unit_test(test_base58_edges),
        cmocka_unit_test(test_key_io_valid),
        cmocka_unit_test(test_key_io_invalid),
        cmocka_unit_test(test_bech32),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_scripts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
