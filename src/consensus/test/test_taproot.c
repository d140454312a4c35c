/* taproot_ref.json: spends of BIP 341 and 342 with their verdicts, under all
 * combinations of consensus flags that the verdict covers. */
#include <stdlib.h>

#include "script_text.h"

static const uint32_t consensus_flags[] = {
    CC_VERIFY_P2SH,
    CC_VERIFY_DERSIG,
    CC_VERIFY_NULLDUMMY,
    CC_VERIFY_CHECKLOCKTIMEVERIFY,
    CC_VERIFY_CHECKSEQUENCEVERIFY,
    CC_VERIFY_WITNESS,
    CC_VERIFY_TAPROOT,
};

/* All combinations that Bitcoin may have had: WITNESS wants P2SH, TAPROOT
 * wants WITNESS. */
static size_t combinations(uint32_t out[128])
{
    size_t n = 0;

    for (unsigned i = 0; i < 128; i++) {
        uint32_t flags = 0;

        for (unsigned j = 0; j < 7; j++)
            if (i >> j & 1)
                flags |= consensus_flags[j];
        if (flags & CC_VERIFY_WITNESS && !(flags & CC_VERIFY_P2SH))
            continue;
        if (flags & CC_VERIFY_TAPROOT && !(flags & CC_VERIFY_WITNESS))
            continue;
        out[n++] = flags;
    }
    return n;
}

struct record {
    struct cc_tx tx;
    struct cc_coin *coins;
    size_t index;
    uint32_t flags;
    bool final;
};

static void record_read(struct record *r, const json_t *o)
{
    const json_t *v;
    uint8_t *raw;
    size_t i, len;

    raw = cc_test_unhex(cc_test_string(o, "tx"), &len);
    assert_int_equal(cc_tx_decode(&r->tx, raw, len, true), CC_OK);
    free(raw);
    r->coins = calloc(r->tx.vin_count, sizeof(*r->coins));
    assert_int_equal(json_array_size(json_object_get(o, "prevouts")),
                     r->tx.vin_count);
    json_array_foreach(json_object_get(o, "prevouts"), i, v)
    {
        struct cc_reader reader;

        raw = cc_test_unhex(json_string_value(v), &len);
        cc_reader_init(&reader, cc_arena_dup(&r->tx.arena, raw, len), len);
        free(raw);
        r->coins[i].out.value = (cc_amount)cc_read_u64le(&reader);
        r->coins[i].out.script = cc_read_var(&reader);
        assert_true(cc_reader_done(&reader));
    }
    r->index = (size_t)cc_test_int(o, "index");
    r->flags = flags_parse(cc_test_string(o, "flags"));
    r->final = json_is_true(json_object_get(o, "final"));
}

static struct cc_bytes arena_unhex(struct cc_arena *a, const char *hex)
{
    size_t len;
    uint8_t *raw = cc_test_unhex(hex, &len);
    struct cc_bytes b = cc_bytes(cc_arena_dup(a, raw, len), len);

    free(raw);
    return b;
}

/* Put scriptSig and witness into the input. */
static void put_spend(struct record *r, const json_t *o)
{
    const json_t *items = json_object_get(o, "witness"), *v;
    struct cc_txin *in = &r->tx.vin[r->index];
    size_t i;

    in->script_sig = arena_unhex(&r->tx.arena, cc_test_string(o, "scriptSig"));
    in->witness_count = json_array_size(items);
    in->witness = cc_arena_calloc(&r->tx.arena, in->witness_count + 1,
                                  sizeof(*in->witness));
    json_array_foreach(items, i, v) in->witness[i] =
        arena_unhex(&r->tx.arena, json_string_value(v));
}

static bool verify(const struct record *r, uint32_t flags)
{
    const struct cc_txout *out = &r->coins[r->index].out;
    struct cc_sighash s;

    cc_sighash_init(&s, &r->tx, r->coins);
    return cc_script_verify(&s, r->index, out->script, out->value, flags, NULL);
}

static size_t check_record(const json_t *o, size_t number)
{
    const json_t *success = json_object_get(o, "success");
    const json_t *failure = json_object_get(o, "failure");
    uint32_t combos[128];
    size_t n = combinations(combos), ran = 0;
    struct record r;

    memset(&r, 0, sizeof(r));
    record_read(&r, o);
    if (success)
        put_spend(&r, success);
    for (size_t i = 0; success && i < n; i++) {
        /* A spend that stays right is right under rules of any time. */
        if (!r.final && (combos[i] & ~r.flags) != 0)
            continue;
        if (!verify(&r, combos[i]))
            fail_msg("record %zu (%s): fails with flags %x", number,
                     cc_test_string(o, "comment"), combos[i]);
        ran++;
    }
    if (failure)
        put_spend(&r, failure);
    for (size_t i = 0; failure && i < n; i++) {
        if ((combos[i] & r.flags) != r.flags)
            continue;
        if (verify(&r, combos[i]))
            fail_msg("record %zu (%s): passes with flags %x", number,
                     cc_test_string(o, "comment"), combos[i]);
        ran++;
    }
    free(r.coins);
    cc_tx_clear(&r.tx);
    return ran;
}

static void test_reference(void **state)
{
    json_t *root = cc_test_load_json("taproot_ref.json"), *v;
    size_t i, records = 0, ran = 0;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(root, i, v)
    {
        ran += check_record(v, i);
        records++;
    }
    json_decref(root);
    cc_test_ran("taproot_ref: records", records);
    cc_test_ran("taproot_ref: verifications", ran);
    assert_int_equal(records, 2760);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
