/*
 * Typed coins as bytes: test/data/storage_script.json, storage_hash.json,
 * storage_calls.json, and W at each of its edges.
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/action.h"
#include "consensus/interpreter.h"
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

/* The longest script that may be, and one byte more. */
static void test_longest(void **state)
{
    static uint8_t script[CC_TYPED_SCRIPT_LIMIT + 1] = {CC_OP_STORAGE, 0x4d};
    struct cc_typed t;

    (void)state;
    assert_int_equal(CC_TYPED_SCRIPT_LIMIT, 10000);
    assert_int_equal(CC_RECORD_LIMIT, 1024);
    script[4] = 0x80;
    for (size_t len = CC_TYPED_SCRIPT_LIMIT; len <= sizeof(script); len++) {
        cc_put_u16le(script + 2, (uint16_t)(len - 4));
        assert_int_equal(cc_typed_parse(&t, cc_bytes(script, len), NULL) ==
                             CC_OK,
                         len == CC_TYPED_SCRIPT_LIMIT);
    }
}

/* Each length as each kind of push: the shortest alone is read. */
static void test_shortest(void **state)
{
    static const size_t lens[] = {1, 75, 76, 255, 256};
    static uint8_t script[300] = {CC_OP_STORAGE};
    struct cc_typed t;

    (void)state;
    for (size_t i = 0; i < COUNT(lens); i++)
        for (size_t bytes = 0; bytes < 3; bytes++) { /* of the length */
            const size_t shortest = lens[i] < 76 ? 0 : lens[i] < 256 ? 1 : 2;

            if (bytes < shortest)
                continue;
            script[1] = (uint8_t)(bytes ? 0x4b + bytes : lens[i]);
            cc_put_u16le(script + 2, (uint16_t)lens[i]);
            script[2 + bytes] = 0x80;
            assert_int_equal(
                cc_typed_parse(&t, cc_bytes(script, 2 + bytes + lens[i]),
                               NULL) == CC_OK,
                bytes == shortest);
        }
}

/* What is written is the shortest push, at each length where that changes. */
static void test_write_push(void **state)
{
    static const size_t pushes[] = {75, 76, 255, 256};
    static uint8_t record[300] = {9}, sigs[64];
    uint8_t script[CC_TYPED_SCRIPT_ROOM];
    struct cc_typed t, again;
    struct cc_writer w;
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT(pushes); i++) {
        for (int forming = 0; forming < 2; forming++) {
            len = pushes[i] - 1 - CC_IDENTITY_HEAD - (forming ? 64 : 0);
            if (len > sizeof(record))
                continue; /* no room for a signature */
            cc_put_u16le(record + 1, (uint16_t)(len - 3));
            memset(&t, 0, sizeof(t));
            t.kind = CC_KIND_IDENTITY;
            t.u.identity.record = cc_bytes(record, len);
            t.sigs = cc_bytes(sigs, forming ? 64 : 0);
            cc_writer_init(&w, script, sizeof(script));
            cc_typed_write(&w, &t);
            assert_int_equal(
                cc_typed_parse(&again, cc_bytes(script, w.len), NULL), CC_OK);
            assert_int_equal(again.u.identity.record.len, len);
            assert_int_equal(again.forming, forming);
        }
    }
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

/* --- W -------------------------------------------------------------------- */

static struct cc_contract good_contract(void)
{
    struct cc_contract c;

    memset(&c, 0, sizeof(c));
    c.id[0] = c.root[5] = 1;
    c.sectors = 3;
    c.period = 12;
    c.periods = 6;
    c.samples = 2;
    c.odds = 1;
    c.rent = 50000;
    c.penalty = 20000;
    c.allowance = 300000;
    return c;
}

static bool well_formed(const struct cc_contract *c, cc_amount above)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_typed t;
    cc_amount need = p->max_money;

    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_CONTRACT;
    t.u.contract = *c;
    if (!cc_contract_need(&need, c, p))
        need = p->max_money;
    return cc_typed_check(&t, need + above, p, NULL) == CC_OK;
}

static void test_contract_need(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_contract c = good_contract();
    cc_amount need;

    (void)state;
    assert_true(cc_contract_need(&need, &c, p));
    assert_int_equal(need, 6 * 70000 + 300000 + 20000);
    c.done = 6;
    c.redeemed = 300000;
    assert_true(cc_contract_need(&need, &c, p));
    assert_int_equal(need, 20000);
    c.redeemed++;
    assert_false(cc_contract_need(&need, &c, p));
    c.redeemed = 0;
    c.done = 7;
    assert_false(cc_contract_need(&need, &c, p));
    c.done = 0;
    c.periods = 1;
    c.rent = 0; /* exactly all the money there is, and one more */
    c.allowance = 0;
    c.penalty = (uint64_t)(p->max_money - p->storage.deposit);
    assert_true(cc_contract_need(&need, &c, p));
    assert_int_equal(need, p->max_money);
    c.penalty++;
    assert_false(cc_contract_need(&need, &c, p));
    c.rent = c.penalty = UINT64_MAX; /* 2^64 terms do not wrap */
    assert_false(cc_contract_need(&need, &c, p));
}

static void test_contract_edges(void **state)
{
    const struct cc_storage_params *s =
        &cc_params_get(CC_CHAIN_REGTEST)->storage;
    const uint64_t max = (uint64_t)cc_params_get(CC_CHAIN_REGTEST)->max_money;
    struct cc_contract c = good_contract();

    (void)state;
    assert_true(well_formed(&c, 0));
    assert_false(well_formed(&c, -1));
#define EDGE(field, in, out)                                                   \
    do {                                                                       \
        c = good_contract();                                                   \
        c.field = (in);                                                        \
        assert_true(well_formed(&c, 0));                                       \
        c.field = (out);                                                       \
        assert_false(well_formed(&c, 0));                                      \
    } while (0)
    EDGE(sectors, s->max_sectors, s->max_sectors + 1);
    EDGE(samples, 1, 0);
    EDGE(samples, 16, 17);
    EDGE(odds, 1, 0);
    EDGE(odds, 64, 65); /* schedule_fair is no part of W */
    EDGE(period, (uint16_t)s->min_period, (uint16_t)(s->min_period - 1));
    EDGE(periods, 1, 0);
    EDGE(periods, (uint16_t)s->max_periods, (uint16_t)(s->max_periods + 1));
    EDGE(done, 6, 7);
    EDGE(redeemed, 300000, 300001);
    c = good_contract();
    c.periods = 4096;
    c.period = 1024; /* 2^22 */
    assert_true(well_formed(&c, 0));
    c.period = 1025;
    assert_false(well_formed(&c, 0));
    c = good_contract();
    c.sectors = 0;
    assert_false(well_formed(&c, 0));
    memset(c.root, 0, 32);
    assert_true(well_formed(&c, 0));
    c.sectors = 1;
    assert_false(well_formed(&c, 0));
    /* Amounts, each alone. */
    c = good_contract();
    c.rent = c.allowance = c.redeemed = 0;
    c.done = c.periods;
    c.penalty = max;
    assert_true(well_formed(&c, 0));
    c.penalty = max + 1;
    assert_false(well_formed(&c, 0));
    c.penalty = 0;
    c.rent = max;
    assert_true(well_formed(&c, 0));
    c.rent = max + 1;
    assert_false(well_formed(&c, 0));
    /* allowance + r·rent; all but need redeemed, so that need is small. */
    c.rent = 0;
    c.allowance = c.redeemed = max;
    assert_true(well_formed(&c, 0));
    c.allowance = c.redeemed = max + 1;
    assert_false(well_formed(&c, 0));
    c.rent = 1;
    c.done = (uint16_t)(c.periods - 2);
    c.allowance = c.redeemed = max - 2;
    assert_true(well_formed(&c, 0));
    c.allowance = c.redeemed = max - 1;
    assert_false(well_formed(&c, 0));
}

static void test_value_range(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_typed t;

    (void)state;
    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_IDENTITY;
    assert_int_equal(cc_typed_check(&t, p->max_money, p, NULL), CC_OK);
    assert_int_equal(cc_typed_check(&t, p->max_money + 1, p, NULL), CC_INVALID);
    assert_int_equal(cc_typed_check(&t, p->storage.bond_min, p, NULL), CC_OK);
    assert_int_equal(cc_typed_check(&t, p->storage.bond_min - 1, p, NULL),
                     CC_INVALID);
    assert_int_equal(cc_typed_check(&t, -1, p, NULL), CC_INVALID);
}

static void test_seal_edges(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    const struct cc_storage_params *s = &p->storage;
    struct cc_typed t;

    (void)state;
    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_SEAL;
    t.u.seal.version = 1;
    for (int wrong = 0; wrong < 2; wrong++) {
        t.u.seal.sectors = s->seal_min - (uint32_t)wrong;
        assert_int_equal(cc_typed_check(&t, s->seal_bond, p, NULL) == CC_OK,
                         !wrong);
        t.u.seal.sectors = s->max_sectors + (uint32_t)wrong;
        assert_int_equal(cc_typed_check(&t, s->seal_bond, p, NULL) == CC_OK,
                         !wrong);
        t.u.seal.sectors = s->seal_min;
        assert_int_equal(
            cc_typed_check(&t, s->seal_bond - wrong, p, NULL) == CC_OK, !wrong);
    }
}

static void test_schedule(void **state)
{
    struct cc_contract c = good_contract();

    (void)state;
    c.periods = 1;
    assert_true(cc_contract_schedule_fair(&c));
    c.odds = 2;
    c.periods = 11;
    assert_false(cc_contract_schedule_fair(&c));
    c.periods = 12;
    assert_true(cc_contract_schedule_fair(&c));
}

static void test_record_find(void **state)
{
    static const uint8_t record[] = {1, 2, 0, 'h', 'i', 5, 0, 0, 9, 1, 0, 7};
    struct cc_bytes v;

    (void)state;
    assert_true(cc_record_find(cc_bytes(record, sizeof(record)), 9, &v));
    assert_int_equal(v.len, 1);
    assert_int_equal(v.data[0], 7);
    assert_true(cc_record_find(cc_bytes(record, sizeof(record)), 5, &v));
    assert_int_equal(v.len, 0);
    assert_false(cc_record_find(cc_bytes(record, sizeof(record)), 2, &v));
    assert_false(cc_record_find(cc_bytes(record, sizeof(record) - 1), 9, &v));
}

/* --- Witnesses ------------------------------------------------------------ */

/* What is written is read back, for every action. */
static void test_heads(void **state)
{
    static const struct {
        enum cc_action action;
        enum cc_kind kind;
        size_t sigs;
    } all[] = {
        {CC_ACTION_PROVE, CC_KIND_CONTRACT, 1},
        {CC_ACTION_SYNC, CC_KIND_CONTRACT, 1},
        {CC_ACTION_REVISE, CC_KIND_CONTRACT, 2},
        {CC_ACTION_END, CC_KIND_CONTRACT, 1},
        {CC_ACTION_CLOSE, CC_KIND_CONTRACT, 2},
        {CC_ACTION_UPDATE, CC_KIND_IDENTITY, 1},
        {CC_ACTION_RETIRE_IDENTITY, CC_KIND_IDENTITY, 1},
        {CC_ACTION_CLAIM, CC_KIND_SEAL, 1},
        {CC_ACTION_RETIRE_SEAL, CC_KIND_SEAL, 1},
    };
    static const uint8_t sig[64], rev[CC_REV_SIZE];
    uint8_t head[CC_ACTION_HEAD_ROOM];
    struct cc_bytes stack[8];
    struct cc_act a, b;
    size_t n;

    (void)state;
    for (size_t k = 0; k < COUNT(all); k++) {
        memset(&a, 0, sizeof(a));
        a.action = all[k].action;
        a.i = 0x1234;
        a.d = 0x12345678;
        a.leaf = UINT64_C(0x123456789abcdef0);
        a.flags = a.action == CC_ACTION_SYNC ? CC_FLAG_REV : 0;
        n = 0;
        stack[n++] = cc_bytes(head, cc_act_write_head(head, &a));
        if (a.flags)
            stack[n++] = cc_bytes(rev, sizeof(rev));
        for (size_t i = 0; i < all[k].sigs; i++)
            stack[n++] = cc_bytes(sig, sizeof(sig));
        assert_int_equal(cc_action_signatures(a.action), all[k].sigs);
        assert_int_equal(cc_act_parse(&b, all[k].kind, stack, n, NULL), CC_OK);
        assert_int_equal(b.action, a.action);
        assert_int_equal(b.flags, a.flags);
        if (a.action == CC_ACTION_PROVE)
            assert_int_equal(b.i, a.i);
        if (a.action == CC_ACTION_CLAIM) {
            assert_int_equal(b.d, a.d);
            assert_true(b.leaf == a.leaf);
        }
        assert_int_equal(b.sig_count, all[k].sigs);
        /* One kind of coin only. */
        for (int kind = 1; kind <= 3; kind++)
            assert_int_equal(
                cc_act_parse(&b, (enum cc_kind)kind, stack, n, NULL) == CC_OK,
                kind == (int)all[k].kind);
        /* An element more is for what shows proofs. */
        memmove(stack + n - all[k].sigs + 1, stack + n - all[k].sigs,
                all[k].sigs * sizeof(*stack));
        stack[n - all[k].sigs] = cc_bytes(sig, 1);
        assert_int_equal(
            cc_act_parse(&b, all[k].kind, stack, n + 1, NULL) == CC_OK,
            a.action == CC_ACTION_PROVE || a.action == CC_ACTION_CLAIM);
        memmove(stack + n - all[k].sigs, stack + n - all[k].sigs + 1,
                all[k].sigs * sizeof(*stack));
        /* A signature less. */
        assert_int_equal(cc_act_parse(&b, all[k].kind, stack, n - 1, NULL),
                         CC_INVALID);
    }
    assert_int_equal(cc_action_signatures((enum cc_action)0x7f), 0);
}

static void test_rev_and_vou(void **state)
{
    uint8_t root[32], sig[64], rev[CC_REV_SIZE], vou[CC_VOU_SIZE], got[32];
    uint32_t revision, sectors;

    (void)state;
    memset(root, 3, sizeof(root));
    memset(sig, 4, sizeof(sig));
    cc_rev_write(rev, 0x01020304, root, 0x05060708, sig);
    cc_rev_read(rev, &revision, got, &sectors);
    assert_int_equal(revision, 0x01020304);
    assert_int_equal(sectors, 0x05060708);
    assert_memory_equal(got, root, 32);
    assert_memory_equal(rev + 40, sig, 64);
    assert_int_equal(rev[0], 4); /* little-endian */
    cc_vou_write(vou, UINT64_C(0x0102030405060708), sig);
    assert_true(cc_get_u64le(vou) == UINT64_C(0x0102030405060708));
    assert_memory_equal(vou + 8, sig, 64);
}

/* All 256 flags of the three actions that have them. */
static void test_flags(void **state)
{
    static const uint8_t sig[64], rev[CC_REV_SIZE], vou[CC_VOU_SIZE];
    static const struct {
        enum cc_action action;
        size_t size;
        unsigned allowed;
    } all[] = {{CC_ACTION_PROVE, 4, 0x0f},
               {CC_ACTION_SYNC, 2, 0x2e},
               {CC_ACTION_END, 2, 0x15}};
    struct cc_bytes stack[4];
    uint8_t head[4] = {0};
    struct cc_act a;
    size_t n;

    (void)state;
    for (size_t k = 0; k < COUNT(all); k++) {
        for (unsigned flags = 0; flags < 256; flags++) {
            head[0] = (uint8_t)all[k].action;
            head[all[k].size - 1] = (uint8_t)flags;
            n = 0;
            stack[n++] = cc_bytes(head, all[k].size);
            if (flags & CC_FLAG_REV)
                stack[n++] = cc_bytes(rev, sizeof(rev));
            if (flags & CC_FLAG_VOU)
                stack[n++] = cc_bytes(vou, sizeof(vou));
            stack[n++] = cc_bytes(sig, sizeof(sig));
            assert_int_equal(
                cc_act_parse(&a, CC_KIND_CONTRACT, stack, n, NULL) == CC_OK,
                flags < 8 && (all[k].allowed >> flags & 1));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_write_push),
        cmocka_unit_test(test_hash_rows),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_contract_need),
        cmocka_unit_test(test_contract_edges),
        cmocka_unit_test(test_value_range),
        cmocka_unit_test(test_seal_edges),
        cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_record_find),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_rev_and_vou),
        cmocka_unit_test(test_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
