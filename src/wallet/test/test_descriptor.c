#include <stdlib.h>

#include "crypto/ec.h"
#include "support.h"
#include "util/hex.h"
#include "util/mem.h"
#include "wallet/descriptor.h"

#define KEY "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define KEY2                                                                   \
    "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define KEY3                                                                   \
    "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define XONLY "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define LONG                                                                   \
    "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"       \
    "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define HYBRID "06" /* then the same */
#define TPRV                                                                   \
    "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRt" \
    "fnLcJ5MQ2AtHcQJCCRUcMRvmDUjyEmNUWwx8UbK"
#define TPUB                                                                   \
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao" \
    "8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B"

static struct cc_ec *ec;
static struct cc_params bitcoin; /* with the texts of Bitcoin's main chain */
static const struct cc_params *regtest;

static int setup(void **state)
{
    (void)state;
    ec = cc_ec_new();
    regtest = cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
    bitcoin = *regtest;
    bitcoin.prefixes =
        (struct cc_address_prefixes){0, 5, 128, 0x0488b21e, 0x0488ade4, "bc"};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_ec_free(ec);
    return 0;
}

static struct cc_descriptor *parse(const char *text, const struct cc_params *p)
{
    char *why;
    struct cc_descriptor *d = cc_descriptor_parse(text, false, p, ec, &why);

    if (!d)
        fail_msg("%s: %s", text, why);
    return d;
}

static void expect_error(const char *text, const struct cc_params *p,
                         const char *sentence)
{
    char *why;
    struct cc_descriptor *d = cc_descriptor_parse(text, false, p, ec, &why);

    if (d)
        fail_msg("%s: parsed", text);
    if (strcmp(why, sentence) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", text, why, sentence);
    free(why);
}

static void check_scripts(const char *text, const json_t *scripts)
{
    struct cc_descriptor *d = parse(text, &bitcoin), *again;
    struct cc_descriptor_scripts s;
    char *shown = cc_descriptor_text(d), *twice;
    const json_t *want;
    size_t i;

    json_array_foreach(scripts, i, want)
    {
        assert_true(cc_descriptor_expand(d, (uint32_t)i, &s));
        assert_int_equal(s.count, 1);
        assert_string_equal(cc_test_hex(s.script[0].data, s.script[0].len),
                            json_string_value(want));
        cc_descriptor_scripts_clear(&s);
    }
    assert_int_equal(cc_descriptor_is_range(d), i == 3);
    /* What is shown has no secret, and is shown as it was read. */
    again = parse(shown, &bitcoin);
    twice = cc_descriptor_text(again);
    assert_string_equal(shown, twice);
    assert_false(cc_descriptor_has_private(again));
    free(shown);
    free(twice);
    cc_descriptor_free(again);
    cc_descriptor_free(d);
}

static void test_bips(void **state)
{
    json_t *all = cc_test_load_json("descriptors.json");
    const json_t *v;
    size_t i, ran = 0;

    (void)state;
    if (!all)
        skip();
    json_array_foreach(json_object_get(all, "valid"), i, v)
    {
        check_scripts(cc_test_string(v, "descriptor"),
                      json_object_get(v, "scripts"));
        ran++;
    }
    json_array_foreach(json_object_get(all, "invalid"), i, v)
    {
        expect_error(cc_test_string(v, "descriptor"), &bitcoin,
                     cc_test_string(v, "error"));
        ran++;
    }
    json_decref(all);
    cc_test_ran("descriptors", ran);
}

static void test_checksum(void **state)
{
    char sum[9], *why;

    (void)state;
    assert_true(cc_descriptor_checksum("raw(deadbeef)", sum));
    assert_string_equal(sum, "89f8spxm");
    assert_true(cc_descriptor_checksum("raw(51)", sum));
    assert_string_equal(sum, "8lvh9jxk");
    assert_false(cc_descriptor_checksum("raw(\x01)", sum));
    assert_null(cc_descriptor_parse("raw(51)", true, regtest, ec, &why));
    assert_string_equal(why, "Missing checksum");
    free(why);
}

/* Faults that the BIPs have no example of. */
static void test_errors(void **state)
{
    static const char *const cases[][2] = {
        {"", "'' is not a valid descriptor function"},
        {"pk(" KEY ")x", "'pk(" KEY ")x' is not a valid descriptor function"},
        {"pk(" KEY "),x", ""},
        {"sh(pk(" KEY "),x)", ""},
        {"pk()", "pk(): No key provided"},
        {"pk(" HYBRID "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b"
         "16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10"
         "d4b8)",
         "pk(): Hybrid public keys are not allowed"},
        {"pk(" XONLY ")", "pk(): Pubkey '" XONLY "' is invalid"},
        {"pk([d34db33f/4294967296]" KEY ")",
         "pk(): Key path value '4294967296' is not a valid uint32"},
        {"pk(]" KEY ")", "pk(): Key origin start '[ character expected but not "
                         "found, got ']' instead"},
        {"sh(combo(" KEY "))", "Can only have combo() at top level"},
        {"multi()", "Multi threshold '' is not valid"},
        {"multi(1)", "Cannot have 0 keys in multisig; must have between 1 and "
                     "20 keys, inclusive"},
        {"multi(1,)", "Multi: No key provided"},
        {"multi(1}{)", "Multi: expected ',', got '}'"},
        {"multi(1," KEY "," KEY "," KEY "," KEY ")",
         "Cannot have 4 pubkeys in bare multisig; only at most 3 pubkeys"},
        {"tr(" XONLY ",multi(1," KEY "))",
         "Can only have multi/sortedmulti at top level, in sh(), or in wsh()"},
        {"sh(multi_a(1," KEY "))",
         "Can only have multi_a/sortedmulti_a inside tr()"},
        {"tr(" XONLY ",multi_a(1))",
         "Cannot have 0 keys in multi_a; must have between 1 and 999 keys, "
         "inclusive"},
        {"tr(" XONLY "}", "'tr(" XONLY "}' is not a valid descriptor function"},
        {"tr(" XONLY "}{)", "tr: expected ',', got '}'"},
        {"tr(" XONLY ",{pk(" KEY "),pk(" KEY ")})x",
         "'tr(" XONLY ",{pk(" KEY "),pk(" KEY ")})x' is not a valid descriptor "
         "function"},
        {"tr(" XONLY ",{pk(" KEY "),pk(" KEY "))",
         "tr(): expected '}' after script expression"},
        {"tr(" XONLY ",{pk(" KEY "))",
         "tr(): expected ',' after script expression"},
        {"tr(" XONLY ",pk(" KEY "),x)",
         "tr(): expected ')' after script expression"},
        {"tr(" XONLY ",raw(51))", "Can only have raw() at top level"},
        {"rawtr(" XONLY "," XONLY ")", "rawtr(): only one key expected."},
        {"sh(rawtr(" XONLY "))", "Can only have rawtr at top level"},
        {"rawtr(" LONG ")", "rawtr(): Uncompressed keys are not allowed"},
        {"raw()", "Raw script is not hex"},
        {"raw(5)", "Raw script is not hex"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        expect_error(cases[i][0], regtest, cases[i][1]);
}

/* A text of many pieces; for free. */
static char *repeat(const char *head, const char *piece, size_t count,
                    const char *tail)
{
    char *s =
        cc_malloc(strlen(head) + count * strlen(piece) + strlen(tail) + 1);

    strcpy(s, head);
    for (size_t i = 0; i < count; i++)
        strcat(s, piece);
    strcat(s, tail);
    return s;
}

static void test_limits(void **state)
{
    char *s;

    (void)state;
    s = repeat("wsh(multi(1", "," KEY, 20, "))");
    cc_descriptor_free(parse(s, regtest));
    free(s);
    s = repeat("wsh(multi(1", "," KEY, 21, "))");
    expect_error(s, regtest,
                 "Cannot have 21 keys in multisig; must have between 1 and 20 "
                 "keys, inclusive");
    free(s);
    /* An uncompressed key counts as it is: 7 fit, 8 do not. */
    s = repeat("sh(multi(1", "," LONG, 7, "))");
    cc_descriptor_free(parse(s, regtest));
    free(s);
    s = repeat("sh(multi(1", "," LONG, 8, "))");
    expect_error(s, regtest,
                 "P2SH script is too large, 531 bytes is larger than 520 "
                 "bytes");
    free(s);
    s = repeat("tr(" XONLY ",multi_a(1", "," KEY, 1000, "))");
    expect_error(s, regtest,
                 "Cannot have 1000 keys in multi_a; must have between 1 and "
                 "999 keys, inclusive");
    free(s);
    s = repeat("tr(" XONLY ",", "{", 129, "pk(" KEY "))");
    expect_error(s, regtest, "tr() supports at most 128 nesting levels");
    free(s);
}

/* A tree of the greatest depth: as deep on the left, then all to the right. */
static void test_deep_tree(void **state)
{
    char *left = repeat("tr(" XONLY ",", "{", 128, "pk(" KEY ")"), *s, *shown;
    struct cc_descriptor_scripts scripts;
    struct cc_descriptor *d;

    (void)state;
    s = repeat(left, ",pk(" KEY2 ")}", 128, ")");
    d = parse(s, regtest);
    assert_true(cc_descriptor_expand(d, 0, &scripts));
    assert_int_equal(scripts.script[0].len, 34);
    cc_descriptor_scripts_clear(&scripts);
    shown = cc_descriptor_text(d);
    *strchr(shown, '#') = '\0';
    assert_string_equal(shown, s);
    free(shown);
    free(left);
    free(s);
    cc_descriptor_free(d);
}

static void check_text(const char *text, const char *want)
{
    struct cc_descriptor *d = parse(text, regtest);
    char *shown = cc_descriptor_text(d);

    assert_string_equal(shown, want);
    free(shown);
    cc_descriptor_free(d);
}

/* Secrets become public keys; marks of hardening stay, of several the last. */
static void test_text(void **state)
{
    (void)state;
    check_text("wpkh(" TPRV "/1/1/0)", "wpkh(" TPUB "/1/1/0)#s9ga3alw");
    check_text("pkh([d34db33f/44'/0'/0']" TPUB "/1/*)",
               "pkh([d34db33f/44'/0'/0']" TPUB "/1/*)#j8kcuq32");
    check_text("pkh([d34db33f/1h/2']" TPUB "/3h/*)",
               "pkh([d34db33f/1h/2h]" TPUB "/3h/*)#mme7cpt7");
    check_text("pkh(" TPUB "/3'/*h)", "pkh(" TPUB "/3'/*')#fn9ccqa9");
    check_text("addr(mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ)",
               "addr(mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ)#rggwght0");
}

static void check_asks(const char *text, bool range, bool solvable,
                       bool private)
{
    struct cc_descriptor *d = parse(text, regtest);

    assert_int_equal(cc_descriptor_is_range(d), range);
    assert_int_equal(cc_descriptor_is_solvable(d), solvable);
    assert_int_equal(cc_descriptor_has_private(d), private);
    cc_descriptor_free(d);
}

static void test_asks(void **state)
{
    (void)state;
    check_asks("raw(51)", false, false, false);
    check_asks("addr(mtfUoUax9L4tzXARpw1oTGxWyoogp52KhJ)", false, false, false);
    check_asks("pk(" KEY ")", false, true, false);
    check_asks("tr(" XONLY ",pk(" TPRV "/*))", true, true, true);
    check_asks("sh(wsh(multi(1," KEY "," TPUB "/*)))", true, true, false);
}

static char *shown_of(const char *text, uint32_t index, size_t which)
{
    struct cc_descriptor *d = parse(text, regtest);
    char *shown = cc_descriptor_of(d, index, which);

    assert_non_null(shown);
    cc_descriptor_free(d);
    return shown;
}

static void check_of(const char *text, uint32_t index, size_t which,
                     const char *want)
{
    char *shown = shown_of(text, index, which);

    assert_string_equal(shown, want);
    free(shown);
}

/* As Bitcoin Core tells what scantxoutset found. */
static void test_of(void **state)
{
    (void)state;
    check_of("combo(" TPRV "/0h/0'/*)", 0, 1,
             "pkh([0c5f9a1e/0h/0h/0]026dbd8b2315f296d36e6b6920b1579ca75569464"
             "875c7ebe869b536a7d9503c8c)#rthll0rg");
    check_of("combo(" TPRV "/0h/0'/*)", 1, 1,
             "pkh([0c5f9a1e/0h/0h/1]033e6f25d76c00bedb3a8993c7d5739ee806397f0"
             "529b1b31dda31ef890f19a60c)#mcjajulr");
    check_of("combo(" TPRV "/1/1/0)", 0, 1,
             "pkh([0c5f9a1e/1/1/0]03e1c5b6e650966971d7e71ef2674f80222752740fc"
             "1dfd63bbbd220d2da9bd0fb)#cxmct4w8");
    check_of("combo(" TPUB "/1/1/*)", 1500, 1,
             "pkh([0c5f9a1e/1/1/1500]03832901c250025da2aebae2bfb38d5c703a57ab"
             "66ad477f9c578bfbcd78abca6f)#vchwd07g");
}

/* Whatever its checksum. */
static void check_body(const char *text, uint32_t index, size_t which,
                       const char *want)
{
    char *shown = shown_of(text, index, which);

    *strchr(shown, '#') = '\0';
    assert_string_equal(shown, want);
    free(shown);
}

/* Each form, with fingerprints of plain keys; hash160 of KEY: 751e76e8. */
static void test_of_forms(void **state)
{
    const char *x2 = KEY2 + 2;
    char *s;

    (void)state;
    check_body("combo(" KEY ")", 0, 0, "pk([751e76e8]" KEY ")");
    check_body("combo(" KEY ")", 0, 2, "wpkh([751e76e8]" KEY ")");
    check_body("combo(" KEY ")", 0, 3, "sh(wpkh([751e76e8]" KEY "))");
    check_body("pk([d34db33f/1'/2]" KEY ")", 0, 0,
               "pk([d34db33f/1h/2]" KEY ")");
    check_body("sortedmulti(1," KEY2 "," KEY ")", 0, 0,
               "multi(1,[751e76e8]" KEY ",[06afd46b]" KEY2 ")");
    check_body("multi(1," KEY2 "," KEY ")", 0, 0,
               "multi(1,[06afd46b]" KEY2 ",[751e76e8]" KEY ")");
    check_body("tr(" XONLY ")", 0, 0, "tr([751e76e8]" XONLY ")");
    check_body("rawtr(" XONLY ")", 0, 0, "rawtr([751e76e8]" XONLY ")");
    s = cc_asprintf("tr([751e76e8]" XONLY ",{pk([06afd46b]%s),multi_a(2,"
                    "[751e76e8]" XONLY ",[06afd46b]%s)})",
                    x2, x2);
    check_body("tr(" XONLY ",{pk(" KEY2 "),sortedmulti_a(2," KEY2 "," KEY ")})",
               0, 0, s);
    free(s);
    check_body("raw(5121" KEY "51ae)", 0, 0, "multi(1," KEY ")");
    check_body("addr(mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r)", 0, 0,
               "addr(mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r)");
}

/* combo of a key that is not compressed has no witness forms. */
static void test_combo(void **state)
{
    struct cc_descriptor *d = parse("combo(" LONG ")", regtest);
    struct cc_descriptor_scripts s;

    (void)state;
    assert_true(cc_descriptor_expand(d, 0, &s));
    assert_int_equal(s.count, 2);
    cc_descriptor_scripts_clear(&s);
    cc_descriptor_free(d);
    d = parse("combo(" KEY ")", regtest);
    assert_true(cc_descriptor_expand(d, 0, &s));
    assert_int_equal(s.count, 4);
    assert_string_equal(cc_test_hex(s.script[2].data, s.script[2].len),
                        "0014751e76e8199196d454941c45d1b3a323f1433bd6");
    assert_string_equal(cc_test_hex(s.script[3].data, s.script[3].len),
                        "a914bcfeb728b584253d5f3f70bcb780e9ef218a68f487");
    cc_descriptor_scripts_clear(&s);
    cc_descriptor_free(d);
}

static void check_underivable(const char *text)
{
    struct cc_descriptor *d = parse(text, regtest);
    struct cc_descriptor_scripts s;

    assert_false(cc_descriptor_expand(d, 0, &s));
    assert_int_equal(s.count, 0);
    assert_null(cc_descriptor_of(d, 0, 0));
    cc_descriptor_free(d);
}

/* Hardened steps need the secret. */
static void test_underivable(void **state)
{
    (void)state;
    check_underivable("wpkh(" TPUB "/1'/1/0)");
    check_underivable("wpkh(" TPUB "/1/*h)");
    check_underivable("sh(wsh(multi(1," KEY "," TPUB "/*h)))");
    check_underivable("tr(" XONLY ",{pk(" KEY "),pk(" TPUB "/0h)})");
}

static void check_infer(const char *script, const char *inner, const char *want)
{
    size_t len, inner_len;
    uint8_t *s = cc_test_unhex(script, &len),
            *t = cc_test_unhex(inner, &inner_len);
    char *got =
        cc_descriptor_infer(cc_bytes(s, len), cc_bytes(t, inner_len), regtest);

    *strchr(got, '#') = '\0';
    assert_string_equal(got, want);
    free(got);
    free(s);
    free(t);
}

static void test_infer(void **state)
{
    (void)state;
    check_infer("21" KEY "ac", "", "pk(" KEY ")");
    /* whether the key is on the curve is not asked */
    check_infer("21020000000000000000000000000000000000000000000000000000000000"
                "000005ac",
                "",
                "pk(02000000000000000000000000000000000000000000000000000000000"
                "0000005)");
    check_infer("5121" KEY "21" KEY2 "52ae", "", "multi(1," KEY "," KEY2 ")");
    check_infer("5120" XONLY, "", "rawtr(" XONLY ")");
    /* no key has this x */
    check_infer("5120"
                "0000000000000000000000000000000000000000000000000000000"
                "000000005",
                "",
                "addr(bcrt1pqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqz"
                "ssr24l3)");
    check_infer("76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", "",
                "addr(mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r)");
    check_infer("6a", "", "raw(6a)");
    check_infer("", "", "raw()");
    /* sh(), wsh() and both, if the script is known */
#define MULTI "5121" KEY "51ae"
    check_infer("a91483eebb7d79aa1d388e3b0ac65b98ac580c4da01a87", MULTI,
                "sh(multi(1," KEY "))");
    check_infer(
        "002028205333db922f66e8a941b4a32d66de5cea03d9cda46e3e6658935272b9b24"
        "f",
        MULTI, "wsh(multi(1," KEY "))");
    check_infer("a9141a027ab82ae61bf90602223514dc6b6bc1d097ee87", MULTI,
                "sh(wsh(multi(1," KEY ")))");
    /* another script, or a key that no witness may hold */
    check_infer("a914da1745e9b549bd0bfa1a569971c77eba30cd5a4b87", MULTI,
                "addr(2ND8PB9RrfCaAcjfjP1Y6nAgFd9zWHYX4DN)");
    check_infer("a914130c2b019acc86de3c50d18ca7dcd2da7811e55f87",
                "5141" LONG "51ae", "sh(multi(1," LONG "))");
    check_infer(
        "002008be395e3a839921b4dedc38c0800a6d54d465002fcff7e9a9e07fc662cd466"
        "5",
        "5141" LONG "51ae",
        "addr(bcrt1qpzlrjh36swvjrdx7msuvpqq2d42dgegq9l8l06dfupluvckdgejs"
        "8n6vsg)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum),    cmocka_unit_test(test_bips),
        cmocka_unit_test(test_errors),      cmocka_unit_test(test_limits),
        cmocka_unit_test(test_deep_tree),   cmocka_unit_test(test_text),
        cmocka_unit_test(test_asks),        cmocka_unit_test(test_of),
        cmocka_unit_test(test_of_forms),    cmocka_unit_test(test_combo),
        cmocka_unit_test(test_underivable), cmocka_unit_test(test_infer),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
