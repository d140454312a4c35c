/*
 * Typed coins as bytes, by vectors: storage_script.json, storage_hash.json and
 * storage_calls.json of test/data.
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/action.h"
#include "consensus/seal.h"
#include "consensus/test/storage_support.h"
#include "consensus/typed.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "support.h"
#include "util/writer.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* --- storage_script.json -------------------------------------------------- */

static void compare_bytes(const json_t *fields, const char *name,
                          struct cc_bytes b)
{
    size_t len;
    uint8_t *want = cc_test_unhex(cc_test_string(fields, name), &len);

    assert_int_equal(b.len, len);
    if (len)
        assert_memory_equal(b.data, want, len);
    free(want);
}

static void compare_int(const json_t *fields, const char *name, uint64_t v)
{
    uint64_t want = (uint64_t)cc_test_int(fields, name);

    if (want != v)
        fail_msg("%s: %llu, not %llu", name, (unsigned long long)v,
                 (unsigned long long)want);
}

static void compare_contract(const json_t *f, const struct cc_contract *c)
{
    compare_bytes(f, "contract_id", cc_bytes(c->id, 32));
    compare_bytes(f, "renter_key", cc_bytes(c->renter_key, 32));
    compare_bytes(f, "host_key", cc_bytes(c->host_key, 32));
    compare_bytes(f, "root", cc_bytes(c->root, 32));
    compare_int(f, "sectors", c->sectors);
    compare_int(f, "revision", c->revision);
    compare_int(f, "start", c->start);
    compare_int(f, "period", c->period);
    compare_int(f, "periods", c->periods);
    compare_int(f, "done", c->done);
    compare_int(f, "samples", c->samples);
    compare_int(f, "odds", c->odds);
    compare_int(f, "rent", c->rent);
    compare_int(f, "penalty", c->penalty);
    compare_int(f, "allowance", c->allowance);
    compare_int(f, "redeemed", c->redeemed);
}

static void compare_seal(const json_t *f, const struct cc_seal *s)
{
    compare_bytes(f, "seal_id", cc_bytes(s->id, 32));
    compare_int(f, "version", s->version);
    compare_bytes(f, "host_key", cc_bytes(s->host_key, 32));
    compare_bytes(f, "root", cc_bytes(s->root, 32));
    compare_int(f, "sectors", s->sectors);
    compare_int(f, "seal_height", s->seal_height);
    compare_int(f, "mark_height", s->mark_height);
    compare_int(f, "mark_leaf", s->mark_leaf);
}

static void compare_fields(const json_t *row, const struct cc_typed *t)
{
    const json_t *f = json_object_get(row, "fields");
    cc_amount need;

    assert_int_equal(t->forming, json_is_true(json_object_get(row, "forming")));
    compare_bytes(f, "sigs", t->sigs);
    switch (t->kind) {
    case CC_KIND_IDENTITY:
        compare_bytes(f, "key", cc_bytes(t->u.identity.key, 32));
        compare_int(f, "sequence", t->u.identity.sequence);
        compare_bytes(f, "record", t->u.identity.record);
        return;
    case CC_KIND_CONTRACT:
        compare_contract(f, &t->u.contract);
        assert_true(cc_contract_need(&need, &t->u.contract,
                                     cc_params_get(CC_CHAIN_REGTEST)));
        assert_int_equal(need, cc_test_int(row, "need"));
        return;
    case CC_KIND_SEAL:
        compare_seal(f, &t->u.seal);
        return;
    case CC_KIND_NONE:
    case CC_KIND_RESERVED:
        break;
    }
    fail();
}

static void run_script_row(const json_t *row)
{
    const json_t *kind = json_object_get(row, "kind");
    struct cc_typed t;
    struct cc_writer w;
    size_t len;
    uint8_t *script = cc_test_unhex(cc_test_string(row, "script"), &len);
    enum cc_status st = cc_typed_parse(&t, cc_bytes(script, len), NULL);

    if (json_is_true(json_object_get(row, "valid")) != (st == CC_OK))
        fail_msg("%s", cc_test_string(row, "why"));
    if (st == CC_OK && json_is_null(kind)) {
        assert_int_equal(t.kind, CC_KIND_NONE);
    } else if (st == CC_OK && json_is_string(kind)) {
        assert_int_equal(t.kind, CC_KIND_RESERVED);
    } else if (st == CC_OK) {
        assert_int_equal(t.kind, json_integer_value(kind));
        compare_fields(row, &t);
        cc_writer_init_heap(&w);
        cc_typed_write(&w, &t);
        assert_int_equal(w.len, len);
        assert_memory_equal(w.data, script, len);
        cc_writer_clear(&w);
    }
    free(script);
}

/* jansson holds no integer above 2^63 - 1: 2^64 - 1, the only such number in
 * the file, becomes the -1 that has the same bits. */
static json_t *load_scripts(void)
{
    static const char big[] = "18446744073709551615";
    static const char same[] = "                  -1";
    size_t len;
    char *text = cc_test_load("storage_script.json", &len), *at;
    json_t *root;

    if (!text)
        return NULL;
    while ((at = strstr(text, big)))
        memcpy(at, same, strlen(same));
    root = json_loadb(text, len, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static void test_scripts(void **state)
{
    json_t *root = load_scripts(), *rows, *row;
    size_t i;

    (void)state;
    if (!root)
        skip();
    rows = json_object_get(root, "rows");
    json_array_foreach(rows, i, row) run_script_row(row);
    cc_test_ran("storage_script", json_array_size(rows));
    json_decref(root);
}

/* --- storage_hash.json ---------------------------------------------------- */

static const char *tag_of(const char *what)
{
    static const struct {
        const char *start, *tag;
    } tags[] = {
        {"id of", "contract"},  {"the same", "contract"},
        {"formation", "form"},  {"revision", "revision"},
        {"voucher", "voucher"}, {"challenge", "challenge"},
        {"sample", "sample"},   {"K:", "seal"},
        {"draw", "draw"},
    };

    for (size_t i = 0; i < COUNT(tags); i++)
        if (!strncmp(what, tags[i].start, strlen(tags[i].start)))
            return tags[i].tag;
    fail_msg("no tag for: %s", what);
    return NULL;
}

static void key_of(uint8_t key[32], const json_t *keys, const char *name)
{
    cc_test_unhex_into(key, 32,
                       cc_test_string(json_object_get(keys, name), "public"));
}

/* Our own way to the hash, from the parts of the message. */
static void hash_parts(uint8_t out[32], const char *tag, const uint8_t *m,
                       size_t len, const json_t *row, struct cc_params *p)
{
    struct cc_outpoint o;
    struct cc_typed t;

    if (!strcmp(tag, "contract")) {
        memcpy(o.txid, m, 32);
        o.index = cc_get_u32le(m + 32);
        cc_typed_formed_id(out, &o);
    } else if (!strcmp(tag, "form")) {
        memcpy(o.txid, m + 32, 32);
        o.index = cc_get_u32le(m + 64);
        cc_storage_test_body(&t, m[80], cc_bytes(m + 81, len - 81));
        cc_typed_form_message(out, &t, &o, cc_get_u32le(m + 68),
                              (cc_amount)cc_get_u64le(m + 72), p);
    } else if (!strcmp(tag, "revision")) {
        cc_revision_message(out, m + 32, cc_get_u32le(m + 64), m + 68,
                            cc_get_u32le(m + 100), p);
    } else if (!strcmp(tag, "voucher")) {
        cc_voucher_message(out, m + 32, cc_get_u64le(m + 64), p);
    } else if (!strcmp(tag, "seal")) {
        cc_seal_key(out, m, m + 32, m + 64);
    } else {
        cc_tagged_hash(out,
                       !strcmp(tag, "draw")     ? "CloudCoin/draw"
                       : !strcmp(tag, "sample") ? "CloudCoin/sample"
                                                : "CloudCoin/challenge",
                       m, len);
    }
    if (!strcmp(tag, "draw")) {
        const char *fields[] = {"q_main", "q_regtest"};
        const enum cc_chain_id chains[] = {CC_CHAIN_MAIN, CC_CHAIN_REGTEST};
        uint32_t unit = cc_get_u32le(m + 64);
        uint64_t sector, q;
        unsigned column;

        for (size_t i = 0; i < 2; i++) {
            const struct cc_params *chain = cc_params_get(chains[i]);

            cc_seal_draw(&sector, &column, m, m + 32, unit, chain);
            q = (uint64_t)cc_test_int(row, fields[i]);
            assert_true(sector ==
                        (uint64_t)unit * chain->storage.unit + q / 16);
            assert_int_equal(column, q % 16);
        }
    }
}

static void check_row_signatures(const json_t *row, const json_t *keys,
                                 const uint8_t hash[32])
{
    const json_t *sigs = json_object_get(row, "signatures"), *sig;
    const char *name;
    uint8_t key[32], s[64];

    json_object_foreach((json_t *)sigs, name, sig)
    {
        key_of(key, keys, name);
        cc_test_unhex_into(s, 64, json_string_value(sig));
        assert_true(cc_schnorr_verify(key, s, hash, 32));
    }
}

static void test_hash_rows(void **state)
{
    struct cc_params p = *cc_params_get(CC_CHAIN_REGTEST);
    json_t *root = cc_test_load_json("storage_hash.json"), *rows, *row;
    uint8_t hash[32], want[32], *m;
    size_t i, len;

    (void)state;
    if (!root)
        skip();
    cc_test_unhex_into(p.genesis_hash, 32, cc_test_string(root, "genesis"));
    rows = json_object_get(root, "rows");
    json_array_foreach(rows, i, row)
    {
        m = cc_test_unhex(cc_test_string(row, "message"), &len);
        cc_test_unhex_into(want, 32, cc_test_string(row, "hash"));
        hash_parts(hash, tag_of(cc_test_string(row, "what")), m, len, row, &p);
        assert_memory_equal(hash, want, 32);
        check_row_signatures(row, json_object_get(root, "keys"), hash);
        free(m);
    }
    cc_test_ran("storage_hash messages", json_array_size(rows));
    json_decref(root);
}

static void run_action(const json_t *row, const json_t *keys,
                       const struct cc_params *p)
{
    const json_t *sigs = json_object_get(row, "signatures"), *v;
    size_t index = (size_t)cc_test_int(row, "input"), i, len;
    struct cc_storage_case c;
    struct cc_bytes elements[32];
    struct cc_sighash s;
    struct cc_writer w;
    struct cc_act act;
    struct cc_typed t;
    const uint8_t *signers[2];
    uint8_t msg[32], want[32], sig[64], *bytes;

    (void)keys;
    cc_storage_case_load(&c, row);
    assert_int_equal(cc_typed_parse(&t, c.coins[index].out.script, NULL),
                     CC_OK);
    assert_int_equal(cc_act_parse(&act, t.kind, c.tx.vin[index].witness,
                                  c.tx.vin[index].witness_count, NULL),
                     CC_OK);
    json_array_foreach(json_object_get(row, "elements"), i, v)
    {
        bytes = cc_test_unhex(json_string_value(v), &len);
        elements[i] = act.elements[i];
        assert_int_equal(elements[i].len, len);
        assert_memory_equal(elements[i].data, bytes, len);
        free(bytes);
    }
    assert_int_equal(act.element_count, i);
    cc_sighash_init(&s, &c.tx, c.coins);

    cc_writer_init_heap(&w); /* A, by hand */
    cc_write_compact(&w, act.element_count);
    for (i = 0; i < act.element_count; i++)
        cc_write_var(&w, elements[i].data, elements[i].len);
    bytes = cc_test_unhex(cc_test_string(row, "A_preimage"), &len);
    assert_int_equal(w.len, len);
    assert_memory_equal(w.data, bytes, len);
    free(bytes);
    cc_writer_clear(&w);

    cc_writer_init_heap(&w);
    cc_sighash_v1_msg(&w, &s, index, 0, 4);
    bytes = cc_test_unhex(cc_test_string(row, "sig_msg"), &len);
    assert_int_equal(w.len, 1 + len);
    assert_int_equal(w.data[0], 0);
    assert_memory_equal(w.data + 1, bytes, len);
    free(bytes);
    cc_writer_clear(&w);

    cc_action_message(msg, &s, index, elements, act.element_count, p);
    cc_test_unhex_into(want, 32, cc_test_string(row, "message"));
    assert_memory_equal(msg, want, 32);
    cc_typed_signers(signers, &t);
    json_array_foreach(sigs, i, v)
    {
        cc_test_unhex_into(sig, 64, json_string_value(v));
        assert_memory_equal(sig, act.sigs[i].data, 64);
        assert_true(cc_schnorr_verify(
            signers[act.action == CC_ACTION_PROVE ? 1 : i], sig, msg, 32));
    }
    cc_storage_case_clear(&c);
}

static void test_actions(void **state)
{
    struct cc_params p = *cc_params_get(CC_CHAIN_REGTEST);
    json_t *root = cc_test_load_json("storage_hash.json"), *rows, *row;
    size_t i;

    (void)state;
    if (!root)
        skip();
    cc_test_unhex_into(p.genesis_hash, 32, cc_test_string(root, "genesis"));
    rows = json_object_get(root, "actions");
    json_array_foreach(rows, i, row)
        run_action(row, json_object_get(root, "keys"), &p);
    cc_test_ran("storage_hash actions", json_array_size(rows));
    json_decref(root);
}

/* --- storage_calls.json --------------------------------------------------- */

static void test_calls(void **state)
{
    json_t *root = cc_test_load_json("storage_calls.json"), *row, *rows, *v;
    uint8_t hash[32], id[32];
    struct cc_contract c;
    size_t i, j, next, ran = 0;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(json_object_get(root, "calls"), i, row)
    {
        memset(&c, 0, sizeof(c));
        c.start = (uint32_t)cc_test_int(row, "start");
        c.period = (uint16_t)cc_test_int(row, "period");
        cc_test_unhex_into(id, 32, cc_test_string(row, "id"));
        rows = json_object_get(row, "called");
        next = 0;
        for (int64_t n = 1; n <= cc_test_int(row, "periods"); n++) {
            v = json_array_get(json_object_get(root, "hashes"),
                               (size_t)cc_contract_due(&c, n));
            cc_test_unhex_into(hash, 32, json_string_value(v));
            if (cc_contract_called(hash, id,
                                   (unsigned)cc_test_int(row, "odds")))
                assert_int_equal(
                    json_integer_value(json_array_get(rows, next++)), n);
        }
        assert_int_equal(next, json_array_size(rows));
        ran++;
    }
    json_array_foreach(json_object_get(root, "samples"), i, row)
    {
        memset(&c, 0, sizeof(c));
        c.sectors = (uint32_t)cc_test_int(row, "sectors");
        cc_test_unhex_into(id, 32, cc_test_string(row, "id"));
        cc_test_unhex_into(hash, 32, cc_test_string(row, "block_hash"));
        json_array_foreach(json_object_get(row, "indices"), j, v)
            assert_int_equal(cc_contract_sample(&c, id, hash, (unsigned)j),
                             json_integer_value(v));
        ran++;
    }
    cc_test_ran("storage_calls", ran);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_hash_rows),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
