/*
 * Transactions with typed coins: every case of test/data/storage_tx.json, by
 * verdict and by each field of the result; and what the vectors leave out.
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/action.h"
#include "consensus/seal.h"
#include "consensus/storage.h"
#include "consensus/test/storage_support.h"
#include "support.h"
#include "util/writer.h"

/* --- A chain out of the vector file --------------------------------------- */

struct chain {
    uint8_t (*hashes)[32];
    size_t hash_count;
    struct cc_mint_state *states;
    bool *has_state;
    struct cc_params params;
    uint32_t height; /* nothing at or above it may be asked for */
};

static const uint8_t *chain_hash(void *arg, uint32_t height)
{
    struct chain *c = arg;

    assert_true(height < c->height && height < c->hash_count);
    return c->hashes[height];
}

static bool chain_state(void *arg, uint32_t height, struct cc_mint_state *out)
{
    struct chain *c = arg;

    assert_true(height < c->height);
    if (height >= c->hash_count || !c->has_state[height])
        return false;
    *out = c->states[height];
    return true;
}

static struct cc_storage_view chain_view(struct chain *c, uint32_t height)
{
    struct cc_storage_view v;

    c->height = height;
    v.params = &c->params;
    v.height = height;
    v.hash = chain_hash;
    v.state = chain_state;
    v.arg = c;
    return v;
}

static void chain_load(struct chain *c, const json_t *root)
{
    const json_t *v;
    const char *name;
    size_t i;

    c->params = *cc_params_get(CC_CHAIN_REGTEST);
    cc_test_unhex_into(c->params.genesis_hash, 32,
                       cc_test_string(root, "genesis"));
    c->hash_count = json_array_size(json_object_get(root, "hashes"));
    c->hashes = calloc(c->hash_count, 32);
    c->states = calloc(c->hash_count, sizeof(*c->states));
    c->has_state = calloc(c->hash_count, sizeof(*c->has_state));
    assert_true(c->hashes && c->states && c->has_state);
    json_array_foreach(json_object_get(root, "hashes"), i, v)
        cc_test_unhex_into(c->hashes[i], 32, json_string_value(v));
    json_object_foreach(json_object_get(root, "states"), name, v)
    {
        i = (size_t)atoi(name);
        assert_true(i < c->hash_count);
        c->has_state[i] = true;
        c->states[i].pool = cc_test_int(v, "pool");
        c->states[i].claims = (uint32_t)cc_test_int(v, "n");
        c->states[i].ticket = cc_storage_test_u256(cc_test_string(v, "T"));
    }
}

static void chain_clear(struct chain *c)
{
    free(c->hashes);
    free(c->states);
    free(c->has_state);
}

/* --- storage_tx.json ------------------------------------------------------ */

/* Signatures first: a wrong one is wrong everywhere. */
static enum cc_status run_jobs(const struct cc_storage_result *r,
                               const struct cc_params *p, struct cc_error *err)
{
    enum cc_status st = CC_OK;

    for (int round = 0; round < 2; round++)
        for (size_t i = 0; st == CC_OK && i < r->job_count; i++)
            if ((r->jobs[i].kind == CC_JOB_SIG) == (round == 0))
                st = cc_storage_job_run(&r->jobs[i], p, err);
    return st;
}

static enum cc_status judge(struct cc_storage_result *r, struct chain *chain,
                            const struct cc_storage_case *c, uint32_t height,
                            struct cc_error *err)
{
    struct cc_storage_view view = chain_view(chain, height);
    struct cc_sighash s;
    enum cc_status st;

    cc_error_init(err);
    cc_sighash_init(&s, &c->tx, c->coins);
    st = cc_storage_check(r, &c->tx, c->coins, &s, &view, err);
    return st == CC_OK ? run_jobs(r, &chain->params, err) : st;
}

static void compare_bound(const json_t *expect, const char *name, int64_t v,
                          int64_t none)
{
    const json_t *want = json_object_get(expect, name);

    if (json_is_null(want))
        assert_true(v == none);
    else
        assert_int_equal(v, json_integer_value(want));
}

static void compare_owed(const json_t *owed, const struct cc_storage_result *r)
{
    const json_t *v;

    assert_int_equal(r->owed_count, json_object_size(owed));
    for (size_t i = 0; i < r->owed_count; i++) {
        v = json_object_get(owed, cc_test_hex(r->owed[i].key, 32));
        assert_non_null(v);
        assert_int_equal(r->owed[i].sum, json_integer_value(v));
    }
}

/* Each successor stands among the outputs with its value, and nothing else
 * that continues does. */
static void compare_successors(const json_t *successors, const struct cc_tx *tx)
{
    size_t i, n, len, found, continuing = 0;
    struct cc_typed t;
    const json_t *v;
    uint8_t *script;

    for (n = 0; n < tx->vout_count; n++) {
        assert_int_equal(cc_typed_parse(&t, tx->vout[n].script, NULL), CC_OK);
        continuing +=
            t.kind != CC_KIND_NONE && t.kind != CC_KIND_RESERVED && !t.forming;
    }
    assert_int_equal(continuing, json_array_size(successors));
    json_array_foreach(successors, i, v)
    {
        script = cc_test_unhex(cc_test_string(v, "script"), &len);
        for (found = n = 0; n < tx->vout_count; n++)
            found += tx->vout[n].value == cc_test_int(v, "value") &&
                     cc_bytes_equal(tx->vout[n].script, cc_bytes(script, len));
        assert_int_equal(found, 1);
        free(script);
    }
}

static void compare_maturing(const json_t *maturing,
                             const struct cc_storage_result *r, size_t n)
{
    const json_t *v;
    size_t i, marked = 0;

    for (i = 0; r->maturing && i < n; i++)
        marked += r->maturing[i];
    assert_int_equal(marked, json_array_size(maturing));
    json_array_foreach(maturing, i, v)
        assert_true(r->maturing[json_integer_value(v)]);
}

static bool any_typed(const struct cc_storage_case *c)
{
    bool typed = false;

    for (size_t i = 0; i < c->coin_count; i++)
        typed |= c->coins[i].out.script.data[0] == CC_OP_STORAGE;
    for (size_t i = 0; i < c->tx.vout_count; i++)
        typed |= c->tx.vout[i].script.data[0] == CC_OP_STORAGE;
    return typed;
}

static void compare_result(const json_t *e, const struct cc_storage_result *r,
                           const struct cc_storage_case *c, struct chain *chain)
{
    uint8_t txid[32];

    cc_test_unhex_into(txid, 32, cc_test_string(e, "txid"));
    assert_memory_equal(c->tx.txid, txid, 32);
    assert_int_equal(r->fee, cc_test_int(e, "fee"));
    assert_int_equal(r->mint, cc_test_int(e, "mint"));
    assert_int_equal(r->pool, cc_test_int(e, "pool"));
    assert_int_equal(r->claims, cc_test_int(e, "claims"));
    assert_int_equal(r->sigops, cc_test_int(e, "sigops"));
    assert_int_equal(r->facts.read, cc_test_int(e, "read"));
    if (r->facts.read >= 0)
        assert_memory_equal(r->facts.read_hash, chain->hashes[r->facts.read],
                            32);
    compare_bound(e, "lo", r->facts.lo, INT64_MIN);
    compare_bound(e, "hi", r->facts.hi, INT64_MAX);
    compare_owed(json_object_get(e, "owed"), r);
    assert_int_equal(r->typed, any_typed(c));
    compare_successors(json_object_get(e, "successors"), &c->tx);
    compare_maturing(json_object_get(e, "maturing"), r, c->tx.vout_count);
}

/* The model's reasons stand in our sentences word for word, but for these. */
static const char *our_words(const char *models)
{
    static const struct {
        const char *models, *ours;
    } table[] = {
        {"heavy job failed: signature", "bad-storage-signature"},
        {"heavy job failed: path", "bad-storage-proof"},
        {"heavy job failed: unsealed path", "bad-storage-proof"},
        {"witness: flags", "first element"},
        {"witness: size of the first element", "first element"},
        {"witness: signature size", "size of a signature"},
        {"witness: VOU", "bad-storage-witness, voucher"},
        {"witness: REV", "bad-storage-witness, revision"},
        {"witness: unknown action", "action"},
        {"continuing output does not name exactly one input",
         "continuing output names "},
        {"contract: rent over MAX_MONEY", "rent, penalty or allowance over"},
        {"contract: penalty over MAX_MONEY", "rent, penalty or allowance over"},
        {"contract: allowance over MAX_MONEY",
         "rent, penalty or allowance over"},
        {"contract: signatures if and only if the id is zero",
         "size of a contract"},
        {"push is not the rest of the script", "one shortest push"},
        {"no push", "one shortest push"},
        {"REVISE: renter_key changed", "REVISE: key changed"},
        {"REVISE: host_key changed", "REVISE: key changed"},
        {"typed output in a coinbase", "typed output in coinbase"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (!strcmp(table[i].models, models))
            return table[i].ours;
    return strncmp(models, "witness: ", 9) ? models : models + 9;
}

static void run_case(struct chain *chain, const json_t *row)
{
    struct cc_storage_result r;
    struct cc_storage_case c;
    struct cc_error err;
    enum cc_status st;
    const char *why = cc_test_string(row, "why");

    cc_storage_case_load(&c, row);
    cc_storage_result_init(&r);
    st = judge(&r, chain, &c, (uint32_t)cc_test_int(row, "h"), &err);
    if (json_is_true(json_object_get(row, "valid"))) {
        if (st != CC_OK)
            fail_msg("%s: %s", why, err.text);
        compare_result(json_object_get(row, "expect"), &r, &c, chain);
    } else {
        if (st != CC_INVALID)
            fail_msg("%s: status %s, not for: %s", why, cc_status_name(st),
                     cc_test_string(row, "error"));
        if ((err.verdict == CC_VERDICT_CONTEXT) !=
            json_is_true(json_object_get(row, "soft")))
            fail_msg("%s: verdict %d of \"%s\"", why, err.verdict, err.text);
        if (!strstr(err.text, our_words(cc_test_string(row, "error"))))
            fail_msg("%s: \"%s\", not for: %s", why, err.text,
                     cc_test_string(row, "error"));
    }
    cc_storage_result_clear(&r);
    cc_storage_case_clear(&c);
}

static void test_vectors(void **state)
{
    json_t *root = cc_test_load_json("storage_tx.json"), *cases, *row;
    struct chain chain;
    size_t i;

    (void)state;
    if (!root)
        skip();
    chain_load(&chain, root);
    cases = json_object_get(root, "cases");
    json_array_foreach(cases, i, row) run_case(&chain, row);
    cc_test_ran("storage_tx", json_array_size(cases));
    chain_clear(&chain);
    json_decref(root);
}

/* --- Facts ---------------------------------------------------------------- */

/* A verdict holds over all of lo ... hi, as long as no new hash is needed; and
 * not one block outside. */
static void test_facts_hold(void **state)
{
    json_t *root = cc_test_load_json("storage_tx.json"), *row;
    struct cc_storage_result r, again;
    struct cc_storage_case c;
    struct cc_error err;
    struct chain chain;
    int64_t lo, hi, h;
    size_t i, ran = 0;

    (void)state;
    if (!root)
        skip();
    chain_load(&chain, root);
    json_array_foreach(json_object_get(root, "cases"), i, row)
    {
        if (!json_is_true(json_object_get(row, "valid")))
            continue;
        cc_storage_case_load(&c, row);
        cc_storage_result_init(&r);
        cc_storage_result_init(&again);
        h = cc_test_int(row, "h");
        assert_int_equal(judge(&r, &chain, &c, (uint32_t)h, &err), CC_OK);
        lo = r.facts.lo > r.facts.read ? r.facts.lo : r.facts.read + 1;
        hi = r.facts.hi < 600 ? r.facts.hi : 600;
        assert_true(h >= r.facts.lo && h <= r.facts.hi);
        for (h = lo > 0 ? lo : 0; h <= hi; h += h == lo || h + 7 > hi ? 1 : 7) {
            if (c.coins[0].coinbase && h < c.coins[0].height + 100)
                continue;
            if (judge(&again, &chain, &c, (uint32_t)h, &err) != CC_OK)
                fail_msg("%s: at %d of %d ... %d: %s",
                         cc_test_string(row, "why"), (int)h, (int)lo, (int)hi,
                         err.text);
            assert_int_equal(again.fee, r.fee);
            assert_int_equal(again.pool, r.pool);
            assert_int_equal(again.mint, r.mint);
            ran++;
        }
        if (r.facts.lo > 0) {
            assert_int_equal(
                judge(&again, &chain, &c, (uint32_t)r.facts.lo - 1, &err),
                CC_INVALID);
            assert_int_equal(err.verdict, CC_VERDICT_CONTEXT);
        }
        cc_storage_result_clear(&again);
        cc_storage_result_clear(&r);
        cc_storage_case_clear(&c);
    }
    cc_test_ran("heights within facts", ran);
    chain_clear(&chain);
    json_decref(root);
}

/* --- What our own disk did ------------------------------------------------ */

/* A spent coin that is not well-formed says nothing about the transaction. */
static void test_bad_coin_is_no_verdict(void **state)
{
    json_t *root = cc_test_load_json("storage_tx.json"), *row;
    struct cc_storage_result r;
    struct cc_storage_case c;
    struct cc_error err;
    struct chain chain;
    uint8_t script[2] = {CC_OP_STORAGE, 0x51};
    struct cc_bytes whole;

    (void)state;
    if (!root)
        skip();
    chain_load(&chain, root);
    row = json_array_get(json_object_get(root, "cases"), 0);
    cc_storage_case_load(&c, row);
    cc_storage_result_init(&r);
    whole = c.coins[0].out.script;
    c.coins[0].out.script = cc_bytes(script, sizeof(script));
    assert_int_equal(judge(&r, &chain, &c, 113, &err), CC_CORRUPT);
    c.coins[0].out.script = whole;
    c.coins[0].out.value = 1; /* below need */
    assert_int_equal(judge(&r, &chain, &c, 113, &err), CC_CORRUPT);
    cc_storage_result_clear(&r);
    cc_storage_case_clear(&c);
    chain_clear(&chain);
    json_decref(root);
}

/* A draw whose state we do not have is no fault of the claim. */
static void test_missing_state_is_no_verdict(void **state)
{
    json_t *root = cc_test_load_json("storage_tx.json"), *row;
    struct cc_storage_result r;
    struct cc_storage_case c;
    struct cc_error err;
    struct chain chain;
    size_t i, ran = 0;

    (void)state;
    if (!root)
        skip();
    chain_load(&chain, root);
    memset(chain.has_state, 0, chain.hash_count * sizeof(bool));
    json_array_foreach(json_object_get(root, "cases"), i, row)
    {
        if (!json_is_true(json_object_get(row, "valid")) ||
            !cc_test_int(json_object_get(row, "expect"), "claims"))
            continue;
        cc_storage_case_load(&c, row);
        cc_storage_result_init(&r);
        assert_int_equal(
            judge(&r, &chain, &c, (uint32_t)cc_test_int(row, "h"), &err),
            CC_CORRUPT);
        ran++;
        cc_storage_result_clear(&r);
        cc_storage_case_clear(&c);
    }
    assert_true(ran > 5);
    chain_clear(&chain);
    json_decref(root);
}

/* A ticket wins if it is below T, not if it is T. */
static void test_ticket_edge(void **state)
{
    json_t *root = cc_test_load_json("storage_tx.json"), *row;
    const struct cc_u256 one = cc_u256_from_u64(1);
    struct cc_storage_result r;
    struct cc_storage_case c;
    struct cc_error err;
    struct chain chain;
    struct cc_typed t;
    struct cc_act act;
    struct cc_u256 ticket;
    uint8_t key[32], id[32];
    uint64_t sector;
    unsigned column;
    size_t i, ran = 0;
    uint32_t h;

    (void)state;
    if (!root)
        skip();
    chain_load(&chain, root);
    json_array_foreach(json_object_get(root, "cases"), i, row)
    {
        if (!json_is_true(json_object_get(row, "valid")) ||
            cc_test_int(json_object_get(row, "expect"), "claims") != 1)
            continue;
        cc_storage_case_load(&c, row);
        cc_storage_result_init(&r);
        h = (uint32_t)cc_test_int(row, "h");
        if (cc_typed_parse(&t, c.coins[0].out.script, NULL) == CC_OK &&
            t.kind == CC_KIND_SEAL) {
            cc_typed_id(id, &t, &c.tx.vin[0].prevout);
            assert_int_equal(cc_act_parse(&act, t.kind, c.tx.vin[0].witness,
                                          c.tx.vin[0].witness_count, NULL),
                             CC_OK);
            cc_seal_key(key, chain.hashes[t.u.seal.seal_height], id,
                        t.u.seal.host_key);
            cc_seal_draw(&sector, &column, chain.hashes[act.d], key, 0,
                         &chain.params);
            cc_seal_ticket(&ticket, chain.hashes[act.d], key, act.leaf, column,
                           act.proofs[0].data, &chain.params);
            chain.states[act.d].ticket = ticket;
            assert_int_equal(judge(&r, &chain, &c, h, &err), CC_INVALID);
            assert_non_null(strstr(err.text, "ticket does not win"));
            cc_u256_add(&chain.states[act.d].ticket, &ticket, &one);
            assert_int_equal(judge(&r, &chain, &c, h, &err), CC_OK);
            ran++;
        }
        cc_storage_result_clear(&r);
        cc_storage_case_clear(&c);
    }
    assert_true(ran > 3);
    chain_clear(&chain);
    json_decref(root);
}

/* --- Coinbase and plain ones
 * -------------------------------------------------- */

static void test_coinbase(void **state)
{
    static const uint8_t reserved[] = {CC_OP_STORAGE, 1, 0x80};
    static const uint8_t plain[] = {0x51}, cut[] = {CC_OP_STORAGE};
    static const uint8_t push[] = {1, 1};
    struct chain chain = {0};
    struct cc_storage_case c;
    struct cc_storage_result r;
    struct cc_txin in;
    struct cc_txout out;
    struct cc_error err;

    (void)state;
    chain.params = *cc_params_get(CC_CHAIN_REGTEST);
    memset(&c, 0, sizeof(c));
    memset(&in, 0, sizeof(in));
    in.prevout.index = UINT32_MAX;
    in.script_sig = cc_bytes(push, sizeof(push));
    out.value = 1;
    c.tx.vin = &in;
    c.tx.vout = &out;
    c.tx.vin_count = c.tx.vout_count = 1;
    cc_storage_result_init(&r);
    out.script = cc_bytes(plain, sizeof(plain));
    cc_tx_finish(&c.tx);
    assert_int_equal(judge(&r, &chain, &c, 5, &err), CC_OK);
    assert_false(r.typed);
    out.script = cc_bytes(reserved, sizeof(reserved));
    assert_int_equal(judge(&r, &chain, &c, 5, &err), CC_INVALID);
    assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
    assert_string_equal(err.reason, "bad-cb-storage");
    out.script = cc_bytes(cut, sizeof(cut));
    assert_int_equal(judge(&r, &chain, &c, 5, &err), CC_INVALID);
    assert_string_equal(err.reason, "bad-storage-script");
    cc_storage_result_clear(&r);
}

/* Nothing typed: nothing to say, but the sums. */
static void test_plain(void **state)
{
    static const uint8_t plain[] = {0x51};
    struct chain chain = {0};
    struct cc_storage_case c;
    struct cc_storage_result r;
    struct cc_txin in;
    struct cc_txout out;
    struct cc_coin coin;
    struct cc_error err;

    (void)state;
    chain.params = *cc_params_get(CC_CHAIN_REGTEST);
    memset(&c, 0, sizeof(c));
    memset(&in, 0, sizeof(in));
    memset(&coin, 0, sizeof(coin));
    in.prevout.txid[0] = 1;
    coin.out.script = out.script = cc_bytes(plain, sizeof(plain));
    coin.out.value = chain.params.max_money;
    out.value = 7;
    c.tx.vin = &in;
    c.tx.vout = &out;
    c.coins = &coin;
    c.tx.vin_count = c.tx.vout_count = 1;
    cc_tx_finish(&c.tx);
    cc_storage_result_init(&r);
    assert_int_equal(r.facts.read, -1);
    out.script = cc_bytes(NULL, 0);
    assert_int_equal(judge(&r, &chain, &c, 5, &err), CC_OK);
    out.script = cc_bytes(plain, sizeof(plain));
    assert_int_equal(judge(&r, &chain, &c, 5, &err), CC_OK);
    assert_false(r.typed);
    assert_int_equal(r.fee, chain.params.max_money - 7);
    coin.out.value++;
    assert_int_equal(judge(&r, &chain, &c, 5, &err), CC_INVALID);
    coin.out.value = 6;
    assert_int_equal(judge(&r, &chain, &c, 5, &err), CC_INVALID);
    assert_string_equal(err.reason, "bad-txns-in-belowout");
    out.value = -1;
    assert_int_equal(judge(&r, &chain, &c, 5, &err), CC_INVALID);
    /* Immature: 99 blocks on it is, 100 blocks on not any more. */
    out.value = 6;
    coin.coinbase = true;
    coin.height = 10;
    assert_int_equal(judge(&r, &chain, &c, 109, &err), CC_INVALID);
    assert_int_equal(err.verdict, CC_VERDICT_CONTEXT);
    assert_int_equal(judge(&r, &chain, &c, 110, &err), CC_OK);
    cc_storage_result_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_facts_hold),
        cmocka_unit_test(test_bad_coin_is_no_verdict),
        cmocka_unit_test(test_missing_state_is_no_verdict),
        cmocka_unit_test(test_ticket_edge),
        cmocka_unit_test(test_coinbase),
        cmocka_unit_test(test_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
