/* JSON of the RPC floor: exact numbers, bounds, and what must be refused. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "rpc/json.h"

static json_t *parse(const char *text)
{
    return cc_json_parse(text, strlen(text));
}

/* What was read is printed as it was written. */
static void assert_same(const char *text)
{
    json_t *v = parse(text);
    char *out;

    assert_non_null(v);
    out = cc_json_dump(v, 0);
    assert_string_equal(out, text);
    free(out);
    json_decref(v);
}

static void test_round_trips(void **state)
{
    (void)state;
    assert_same("null");
    assert_same("[1,-1,0,-0,1.0,0.10000000,1e8,1E-8,-2.5e+3]");
    assert_same("[999999999999999999,-999999999999999999,9223372036854775807,"
                "-9223372036854775808,123456789012345678901234567890]");
    assert_same("{\"b\":1,\"a\":{\"c\":[]},\"\":{}}"); /* order stays */
    assert_same("\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\xc3\xa9\"");
    assert_same("[true,false,\"\",\"1\",\"1.5\"]");
}

/* The first of equal keys counts; the others are there, and told as such. */
static void test_repeated_keys(void **state)
{
    json_t *v = parse("{\"a\":1,\"a\":{\"a\":2,\"b\\\"\":[\"b\\\"\"]},"
                      "\"c\":\"a\",\"a\":3}");
    const char *key;
    json_t *member;
    size_t len, repeated = 0;
    int64_t n = 0;

    (void)state;
    assert_non_null(v);
    assert_int_equal(json_object_size(v), 4);
    assert_true(cc_json_get_int(json_object_get(v, "a"), &n));
    assert_int_equal(n, 1);
    json_object_foreach(v, key, member)
    {
        if (!cc_json_key_repeated(key, &len)) {
            assert_int_equal(len, strlen(key));
            continue;
        }
        assert_int_equal(len, 1);
        assert_int_equal(key[0], 'a');
        repeated++;
    }
    assert_int_equal(repeated, 2);
    assert_string_equal(json_string_value(json_object_get(v, "c")), "a");
    json_decref(v);
    /* Each object by itself, and what stands in a list is no key. */
    v = parse("[{\"a\":1},{\"a\":[\"a\",\"a\"]},{\"b\":{\"a\":4},\"b\":2}]");
    for (size_t i = 0; i < 2; i++)
        assert_non_null(json_object_get(json_array_get(v, i), "a"));
    member = json_object_get(json_array_get(v, 1), "a");
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(json_string_value(json_array_get(member, i)), "a");
    member = json_object_get(json_array_get(v, 2), "b");
    assert_true(cc_json_get_int(json_object_get(member, "a"), &n));
    assert_int_equal(n, 4);
    json_decref(v);
    /* So are they made. */
    v = json_object();
    for (int i = 0; i < 2; i++) {
        member = json_integer(i);
        cc_json_set_again(v, "a", member);
        json_decref(member);
    }
    assert_int_equal(json_object_size(v), 2);
    assert_true(cc_json_get_int(json_object_get(v, "a"), &n) && n == 0);
    json_object_del(v, "a");
    assert_true(
        cc_json_key_repeated(json_object_iter_key(json_object_iter(v)), &len));
    assert_int_equal(len, 1);
    json_decref(v);
    assert_same("[{\"a\":1},{\"a\":{\"a\":1}}]");
    assert_same("{\"a\":1,\"b\":[\"a\",\"a\"],\"a\":2}");
    assert_null(parse("{\"a\":1,\"a\":2"));
    assert_null(parse("{\"a\":1,\"a\":2}]"));
    assert_null(parse("{\"a\":1,\"a\":2,\"b}"));
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "nul",
        "[1,]",
        "{\"a\"}",
        "{a:1}",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "0x1",
        "--1",
        "1 2",
        "[1}",
        "\"",
        "\"\\\"",
        "\"\n\"",
        "[1",
        "\"\\x\"",
        "1.5.5",
        "-01",
        "\"\xff\"",
        "\"\\ud800\"",
        "[\"\\u0000\"]",
        "{\"\\u0000\":1}",
        "Infinity",
        "NaN",
        "'a'",
        "[1] x",
        "{\"a\":1,}",
        "00",
        "-.5",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *v = parse(bad[i]);

        if (v)
            fail_msg("taken: %s", bad[i]);
    }
    assert_null(cc_json_parse("1\0", 2));
}

static void test_depth(void **state)
{
    char text[2 * (CC_JSON_MAX_DEPTH + 1)];
    json_t *v;

    (void)state;
    memset(text, '[', CC_JSON_MAX_DEPTH);
    memset(text + CC_JSON_MAX_DEPTH, ']', CC_JSON_MAX_DEPTH);
    v = cc_json_parse(text, 2 * CC_JSON_MAX_DEPTH);
    assert_non_null(v);
    json_decref(v);
    memset(text, '[', CC_JSON_MAX_DEPTH + 1);
    memset(text + CC_JSON_MAX_DEPTH + 1, ']', CC_JSON_MAX_DEPTH + 1);
    assert_null(cc_json_parse(text, sizeof(text)));
    /* Brackets inside a string nest nothing. */
    memset(text, '[', sizeof(text));
    text[0] = text[sizeof(text) - 1] = '"';
    v = cc_json_parse(text, sizeof(text));
    assert_non_null(v);
    json_decref(v);
}

static void test_amounts(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        cc_amount want;
    } rows[] = {
        {"1", true, 100000000},
        {"0.1", true, 10000000},
        {"\"0.1\"", true, 10000000},
        {"0.00000001", true, 1},
        {"1e-8", true, 1},
        {"1e-9", false, 0},
        {"0.000000001", false, 0},
        {"0.0000000010000000", false, 0},
        {"0.010000000000", true, 1000000},
        {"20999999.99999999", true, 2099999999999999},
        {"83999999.99999999", true, 8399999999999999},
        {"-1", true, -100000000},
        {"0.1e1", true, 100000000},
        {"10000000000", false, 0},
        {"1e11", false, 0},
        {"\"\"", false, 0},
        {"\"1 \"", false, 0},
        {"\"0x1\"", false, 0},
        {"true", false, 0},
        {"null", false, 0},
        {"[1]", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *v = parse(rows[i].text);
        cc_amount got = 0;

        assert_non_null(v);
        if (cc_json_get_amount(v, 8, &got) != rows[i].ok || got != rows[i].want)
            fail_msg("%s: %lld", rows[i].text, (long long)got);
        json_decref(v);
    }
}

static void assert_text(json_t *v, const char *want)
{
    char *out = cc_json_dump(v, 0);

    assert_string_equal(out, want);
    free(out);
    json_decref(v);
}

static void test_made(void **state)
{
    uint8_t hash[32] = {1, 2};

    (void)state;
    assert_text(cc_json_amount(0), "0.00000000");
    assert_text(cc_json_amount(-1), "-0.00000001");
    assert_text(cc_json_amount(8400000000000000), "84000000.00000000");
    assert_text(cc_json_double(1), "1");
    assert_text(cc_json_double(4.656542373906925e-10), "4.656542373906925e-10");
    assert_text(cc_json_double(0.1), "0.1");
    assert_text(cc_json_u64(UINT64_MAX), "18446744073709551615");
    assert_text(cc_json_hex(cc_bytes(hash, 2)), "\"0102\"");
    assert_text(cc_json_hash(hash),
                "\"0000000000000000000000000000000000000000000000000000000000"
                "000201\"");
}

static void test_kinds(void **state)
{
    json_t *v = parse("[0.5,\"0.5\",5,true,null,{},[]]");
    static const char *const names[] = {"number", "string", "number", "bool",
                                        "null",   "object", "array"};
    int64_t n;

    (void)state;
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(cc_json_type_name(json_array_get(v, i)), names[i]);
    assert_true(cc_json_is_number(json_array_get(v, 0)));
    assert_false(cc_json_is_string(json_array_get(v, 0)));
    assert_false(cc_json_is_number(json_array_get(v, 1)));
    assert_false(cc_json_get_int(json_array_get(v, 0), &n));
    assert_true(cc_json_get_int(json_array_get(v, 2), &n) && n == 5);
    assert_false(cc_json_get_int(json_array_get(v, 3), &n));
    json_decref(v);
    v = parse("[9223372036854775807,9223372036854775808,-9223372036854775808,"
              "1.0,1e3]");
    assert_true(cc_json_get_int(json_array_get(v, 0), &n) && n == INT64_MAX);
    assert_false(cc_json_get_int(json_array_get(v, 1), &n));
    assert_true(cc_json_get_int(json_array_get(v, 2), &n) && n == INT64_MIN);
    assert_false(cc_json_get_int(json_array_get(v, 3), &n));
    assert_false(cc_json_get_int(json_array_get(v, 4), &n));
    json_decref(v);
}

static void test_indent(void **state)
{
    json_t *v = parse("{\"a\":[1,{\"b\":0.5}],\"c\":{},\"d\":[]}");
    char *out = cc_json_dump(v, 2);

    (void)state;
    assert_string_equal(out, "{\n  \"a\": [\n    1,\n    {\n      \"b\": 0.5\n"
                             "    }\n  ],\n  \"c\": {\n  },\n  \"d\": [\n  ]\n"
                             "}");
    free(out);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_indent),
        cmocka_unit_test(test_repeated_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
