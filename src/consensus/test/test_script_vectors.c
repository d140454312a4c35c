/* script_tests.json, tx_valid.json, tx_invalid.json: Bitcoin Core's. */
#include <math.h>
#include <stdlib.h>

#include "consensus/check.h"
#include "script_text.h"

/* --- script_tests.json ------------------------------------------------- */

struct row {
    struct cc_writer script_sig, script;
    struct cc_bytes *witness;
    size_t witness_count;
    cc_amount value;
    uint32_t flags;
    const char *expect;
};

static cc_amount coins(const json_t *v)
{
    return llround(json_number_value(v) * 1e8);
}

static void row_read(struct row *r, const json_t *row)
{
    const json_t *first = json_array_get(row, 0);
    size_t i = 0, n = json_array_size(first);

    memset(r, 0, sizeof(*r));
    if (json_is_array(first)) {
        r->witness_count = n - 1;
        r->witness = calloc(n, sizeof(*r->witness));
        for (size_t j = 0; j + 1 < n; j++)
            r->witness[j].data =
                cc_test_unhex(json_string_value(json_array_get(first, j)),
                              &r->witness[j].len);
        r->value = coins(json_array_get(first, n - 1));
        i = 1;
    }
    cc_writer_init_heap(&r->script_sig);
    cc_writer_init_heap(&r->script);
    script_parse(&r->script_sig, json_string_value(json_array_get(row, i)));
    script_parse(&r->script, json_string_value(json_array_get(row, i + 1)));
    r->flags =
        flags_fill(flags_parse(json_string_value(json_array_get(row, i + 2))));
    r->expect = json_string_value(json_array_get(row, i + 3));
}

static void row_clear(struct row *r)
{
    for (size_t i = 0; i < r->witness_count; i++)
        free((void *)r->witness[i].data);
    free(r->witness);
    cc_writer_clear(&r->script_sig);
    cc_writer_clear(&r->script);
}

static void row_check(const struct row *r, size_t number,
                      struct cc_test_random *random)
{
    enum cc_script_error e;
    struct pair p;

    pair_init(&p, cc_bytes(r->script_sig.data, r->script_sig.len),
              cc_bytes(r->script.data, r->script.len), r->witness,
              r->witness_count, r->value);
    e = pair_verify(&p, r->flags);
    if (strcmp(cc_script_error_name(e), r->expect) != 0)
        fail_msg("row %zu: %s, expected %s", number, cc_script_error_name(e),
                 r->expect);
    /* Fewer flags never make it fail, more never make it pass. */
    for (size_t i = 0; i < 16; i++) {
        uint32_t extra = (uint32_t)cc_test_random(random) & flags_all();
        uint32_t flags = e == CC_SCRIPT_ERR_OK ? flags_trim(r->flags & ~extra)
                                               : flags_fill(r->flags | extra);

        if ((pair_verify(&p, flags) == CC_SCRIPT_ERR_OK) !=
            (e == CC_SCRIPT_ERR_OK))
            fail_msg("row %zu: other verdict with flags %x", number, flags);
    }
}

static void test_script_tests(void **state)
{
    json_t *root = cc_test_load_json("script_tests.json"), *v;
    struct cc_test_random random;
    size_t i, ran = 0;

    (void)state;
    if (!root)
        skip();
    cc_test_random_init(&random, 1);
    json_array_foreach(root, i, v)
    {
        struct row r;

        if (json_array_size(v) < 4)
            continue; /* a comment */
        row_read(&r, v);
        row_check(&r, i, &random);
        row_clear(&r);
        ran++;
    }
    json_decref(root);
    cc_test_ran("script_tests", ran);
    assert_int_equal(ran, 1207);
}

/* --- tx_valid.json, tx_invalid.json ------------------------------------ */

struct spend {
    struct cc_tx tx;
    struct cc_coin *coins;
    struct cc_sighash sighash;
};

static void find_coin(struct cc_coin *coin, const struct cc_outpoint *o,
                      const json_t *prevouts)
{
    const json_t *v;
    size_t i;

    json_array_foreach(prevouts, i, v)
    {
        uint32_t index = (uint32_t)json_integer_value(json_array_get(v, 1));
        uint8_t id[32], txid[32];
        struct cc_writer w;

        cc_test_unhex_into(id, 32, json_string_value(json_array_get(v, 0)));
        for (size_t j = 0; j < 32; j++)
            txid[j] = id[31 - j];
        if (index != o->index || memcmp(txid, o->txid, 32) != 0)
            continue;
        cc_writer_init_heap(&w);
        script_parse(&w, json_string_value(json_array_get(v, 2)));
        coin->out.script.data = cc_writer_take(&w, &coin->out.script.len);
        coin->out.value = json_integer_value(json_array_get(v, 3));
        return;
    }
    fail_msg("no coin for an input");
}

static void spend_read(struct spend *s, const json_t *row)
{
    const char *hex = json_string_value(json_array_get(row, 1));
    uint8_t *raw;
    size_t len;

    raw = cc_test_unhex(hex, &len);
    assert_int_equal(cc_tx_decode(&s->tx, raw, len, true), CC_OK);
    free(raw);
    s->coins = calloc(s->tx.vin_count + 1, sizeof(*s->coins));
}

/* After cc_tx_check: a bad transaction may spend what is not given. */
static void spend_coins(struct spend *s, const json_t *row)
{
    for (size_t i = 0; i < s->tx.vin_count; i++)
        find_coin(&s->coins[i], &s->tx.vin[i].prevout, json_array_get(row, 0));
    cc_sighash_init(&s->sighash, &s->tx, s->coins);
}

static void spend_clear(struct spend *s)
{
    for (size_t i = 0; i < s->tx.vin_count; i++)
        free((void *)s->coins[i].out.script.data);
    free(s->coins);
    cc_tx_clear(&s->tx);
}

static bool spend_passes(const struct spend *s, uint32_t flags)
{
    for (size_t i = 0; i < s->tx.vin_count; i++)
        if (!cc_script_verify(&s->sighash, i, s->coins[i].out.script,
                              s->coins[i].out.value, flags, NULL))
            return false;
    return true;
}

static void expect(const struct spend *s, uint32_t flags, bool pass, size_t row)
{
    if (spend_passes(s, flags) != pass)
        fail_msg("row %zu: flags %x: expected to %s", row, flags,
                 pass ? "pass" : "fail");
}

/* given: the flags that must be off. */
static void check_valid(const struct spend *s, uint32_t given, size_t row,
                        struct cc_test_random *random)
{
    uint32_t on = flags_all() & ~given;

    assert_int_equal(on, flags_fill(on));
    expect(s, on, true, row);
    for (size_t i = 0; i < flags_count(); i++) {
        uint32_t flag = 1u << i;
        uint32_t fewer = (uint32_t)cc_test_random(random);

        expect(s, flags_trim(on & ~flag), true, row);
        expect(s, flags_trim(on & ~fewer), true, row);
        /* Each flag that is off has to be off. */
        if (flags_trim(given & ~flag) != given)
            expect(s, flags_all() & ~flags_trim(given & ~flag), false, row);
    }
}

/* given: flags that make it fail. */
static void check_invalid(const struct spend *s, uint32_t given, size_t row,
                          struct cc_test_random *random)
{
    assert_int_equal(given, flags_fill(given));
    expect(s, given, false, row);
    for (size_t i = 0; i < flags_count(); i++) {
        uint32_t flag = 1u << i;
        uint32_t more = (uint32_t)cc_test_random(random) & flags_all();

        expect(s, flags_fill(given | flag), false, row);
        expect(s, flags_fill(given | more), false, row);
        /* Each flag that is on has to be on. */
        if (flags_trim(given & ~flag) != given)
            expect(s, flags_trim(given & ~flag), true, row);
    }
}

static void check_row(const json_t *row, size_t number, bool valid,
                      struct cc_test_random *random)
{
    const char *names = json_string_value(json_array_get(row, 2));
    const struct cc_params *params = cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
    bool bad = !strcmp(names, "BADTX");
    enum cc_status st;
    struct spend s;

    spend_read(&s, row);
    st = cc_tx_check(&s.tx, params, NULL);
    if (st != (bad ? CC_INVALID : CC_OK))
        fail_msg("row %zu: cc_tx_check: %d", number, st);
    if (!bad) {
        spend_coins(&s, row);
        (valid ? check_valid : check_invalid)(&s, flags_parse(names), number,
                                              random);
    }
    spend_clear(&s);
}

static void run_file(const char *name, bool valid, size_t count)
{
    json_t *root = cc_test_load_json(name), *v;
    struct cc_test_random random;
    size_t i, ran = 0;

    if (!root)
        skip();
    cc_test_random_init(&random, 2);
    json_array_foreach(root, i, v)
    {
        if (!json_is_array(json_array_get(v, 0)))
            continue; /* a comment */
        check_row(v, i, valid, &random);
        ran++;
    }
    json_decref(root);
    cc_test_ran(name, ran);
    assert_int_equal(ran, count);
}

static void test_tx_valid(void **state)
{
    (void)state;
    run_file("tx_valid.json", true, 120);
}

static void test_tx_invalid(void **state)
{
    (void)state;
    run_file("tx_invalid.json", false, 93);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script_tests),
        cmocka_unit_test(test_tx_valid),
        cmocka_unit_test(test_tx_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
