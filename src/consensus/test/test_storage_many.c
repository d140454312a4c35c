/*
 * Many typed coins in one transaction: the limits of their number, and that
 * each keeps its own successor, jobs and debts. Signatures and sealed data are
 * heavy jobs, counted here and not run.
 */
#include <string.h>

#include "consensus/action.h"
#include "consensus/seal.h"
#include "consensus/storage.h"
#include "support.h"
#include "util/writer.h"

#define MANY 257 /* one more than may be */

static const uint8_t sig[64];

static const uint8_t *hash_at(void *arg, uint32_t height)
{
    static uint8_t hash[32];

    (void)arg;
    cc_put_u32le(hash, height);
    return hash;
}

static bool state_at(void *arg, uint32_t height, struct cc_mint_state *out)
{
    (void)height;
    cc_mint_first(out, arg);
    out->pool = CC_COIN;
    return true;
}

/* A transaction under construction: input i spends typed coin i. */
static struct {
    struct cc_params params;
    struct cc_tx tx;
    struct cc_txin in[MANY];
    struct cc_txout out[MANY];
    struct cc_coin coins[MANY];
    struct cc_bytes witness[MANY][8];
    uint8_t scripts[2 * MANY][CC_TYPED_SCRIPT_ROOM];
    size_t script_count;
    struct cc_storage_result result;
    struct cc_error err;
} many;

static int setup(void **state)
{
    (void)state;
    memset(&many, 0, sizeof(many));
    many.params = *cc_params_get(CC_CHAIN_REGTEST);
    many.tx.vin = many.in;
    many.tx.vout = many.out;
    cc_storage_result_init(&many.result);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_storage_result_clear(&many.result);
    return 0;
}

static struct cc_bytes script_of(const struct cc_typed *t)
{
    uint8_t *script = many.scripts[many.script_count++];
    struct cc_writer w;

    cc_writer_init(&w, script, CC_TYPED_SCRIPT_ROOM);
    cc_typed_write(&w, t);
    assert_false(w.failed);
    return cc_bytes(script, w.len);
}

/* The witness: the elements, then one signature. */
static void spend(const struct cc_typed *t, cc_amount value,
                  const struct cc_bytes *elements, size_t count)
{
    size_t i = many.tx.vin_count++;

    many.coins[i].out.value = value;
    many.coins[i].out.script = script_of(t);
    many.in[i].prevout.index = (uint32_t)i;
    many.in[i].witness = many.witness[i];
    many.in[i].witness_count = count + 1;
    memcpy(many.witness[i], elements, count * sizeof(*elements));
    many.witness[i][count] = cc_bytes(sig, sizeof(sig));
}

static void pay(struct cc_bytes script, cc_amount value)
{
    struct cc_txout *out = &many.out[many.tx.vout_count++];

    out->value = value;
    out->script = script;
}

static void pay_key(const uint8_t key[32], cc_amount value)
{
    uint8_t *script = many.scripts[many.script_count++];

    script[0] = 0x51;
    script[1] = 32;
    memcpy(script + 2, key, 32);
    pay(cc_bytes(script, 34), value);
}

static enum cc_status judge(uint32_t height)
{
    struct cc_storage_view view = {&many.params, height, hash_at, state_at,
                                   &many.params};
    struct cc_sighash s;

    cc_tx_finish(&many.tx);
    cc_sighash_init(&s, &many.tx, many.coins);
    cc_error_init(&many.err);
    return cc_storage_check(&many.result, &many.tx, many.coins, &s, &view,
                            &many.err);
}

static void expect_good(uint32_t height)
{
    if (judge(height) != CC_OK)
        fail_msg("%s", many.err.text);
}

static void expect_bad(uint32_t height, const char *words)
{
    assert_int_equal(judge(height), CC_INVALID);
    if (!strstr(many.err.text, words))
        fail_msg("\"%s\", not: %s", many.err.text, words);
}

/* --- Limits --------------------------------------------------------------- */

/* 256 typed inputs and 256 typed outputs at once, and one more of each. */
static void test_typed_limits(void **state)
{
    static const uint8_t update = CC_ACTION_UPDATE;
    struct cc_bytes head = cc_bytes(&update, 1);
    struct cc_typed t;

    (void)state;
    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_IDENTITY;
    for (uint32_t i = 0; i < MANY; i++) {
        cc_put_u32be(t.u.identity.key + 28, i); /* differ at the end alone */
        t.u.identity.sequence = 0;
        spend(&t, CC_COIN, &head, 1);
        t.u.identity.sequence = 1;
        pay(script_of(&t), CC_COIN);
    }
    many.tx.vin_count = many.tx.vout_count = MANY - 1;
    expect_good(9);
    assert_int_equal(many.result.sigops, MANY - 1);
    assert_int_equal(many.result.fee, 0);
    many.tx.vin_count = many.tx.vout_count = MANY;
    expect_bad(9, "bad-storage-limit");
    /* Outputs alone are counted too. */
    many.tx.vin_count = 1;
    many.coins[0].out.value = 1000 * CC_COIN;
    expect_bad(9, "bad-storage-limit");
}

/* As many claims as a block may hold, and one more: drawn by one block from as
 * many seals. What is not a successor matures, wherever it stands. */
static void test_claim_limit(void **state)
{
    static uint8_t heads[17][CC_ACTION_HEAD_ROOM],
        proof[CC_LEAF_SIZE + 32 * 14];
    const struct cc_params *p = &many.params;
    struct cc_bytes elements[2] = {{0}, cc_bytes(proof, sizeof(proof))};
    struct cc_act act;
    struct cc_typed t;
    struct cc_seal *s = &t.u.seal;
    uint8_t key[32];
    uint64_t sector;
    unsigned column;

    (void)state;
    pay(cc_bytes("\x51", 1), 16); /* some of what is minted */
    for (size_t i = 0; i < 17; i++) {
        memset(&t, 0, sizeof(t));
        memset(&act, 0, sizeof(act));
        t.kind = CC_KIND_SEAL;
        s->version = 1;
        s->id[31] = (uint8_t)(i + 1);
        s->sectors = p->storage.unit; /* all that can be drawn is there */
        s->seal_height = 400;
        cc_seal_key(key, hash_at(NULL, 400), s->id, s->host_key);
        cc_seal_draw(&sector, &column, hash_at(NULL, 500), key, 0, p);
        act.action = CC_ACTION_CLAIM;
        act.d = 500;
        act.leaf = sector * CC_SECTOR_LEAVES;
        elements[0] = cc_bytes(heads[i], cc_act_write_head(heads[i], &act));
        spend(&t, p->storage.seal_bond, elements, 2);
        s->mark_height = act.d;
        s->mark_leaf = act.leaf;
        pay(script_of(&t), p->storage.seal_bond);
    }
    many.tx.vin_count = 16;
    many.tx.vout_count = 17;
    expect_good(501);
    assert_int_equal(many.result.claims, 16);
    assert_int_equal(many.result.mint, 16 * (CC_COIN / p->storage.mint_div));
    for (size_t i = 0; i < 17; i++)
        assert_int_equal(many.result.maturing[i], i == 0);
    many.tx.vin_count = 17;
    many.tx.vout_count = 18;
    expect_bad(501, "more claims than a block may hold");
    assert_string_equal(many.err.reason, "bad-storage-claim");
    cc_storage_result_clear(&many.result);
    assert_int_equal(many.result.facts.read, -1);
}

/* --- Contracts ------------------------------------------------------------ */

static uint8_t rev[CC_REV_SIZE], vou[CC_VOU_SIZE];

#define SAMPLES 4

/* Ids and keys differ in their last byte alone. */
static void contract_init(struct cc_typed *t, uint8_t name)
{
    struct cc_contract *c = &t->u.contract;

    memset(t, 0, sizeof(*t));
    t->kind = CC_KIND_CONTRACT;
    c->id[31] = name;
    c->renter_key[31] = (uint8_t)(100 - name);
    memset(c->host_key, 0x77, 32);
    c->root[0] = 2;
    c->sectors = c->odds = 1;
    c->samples = SAMPLES;
    c->start = 100;
    c->period = 12;
    c->periods = 2;
    c->rent = 3000;
    c->allowance = 5000;
}

/* Period 1 proved, with a new root. */
static void prove(uint8_t name)
{
    static const uint8_t head[] = {CC_ACTION_PROVE, 1, 0, CC_FLAG_REV};
    static uint8_t proof[CC_LEAF_SIZE + 32 * 12], root[32] = {1};
    struct cc_bytes elements[2 + SAMPLES];
    struct cc_typed t;

    cc_rev_write(rev, 1, root, 1, sig);
    elements[0] = cc_bytes(head, sizeof(head));
    elements[1] = cc_bytes(rev, sizeof(rev));
    for (size_t i = 0; i < SAMPLES; i++)
        elements[2 + i] = cc_bytes(proof, sizeof(proof));
    contract_init(&t, name);
    spend(&t, 50000, elements, 2 + SAMPLES);
    t.u.contract.done = 1;
    t.u.contract.revision = 1;
    memcpy(t.u.contract.root, root, 32);
    pay(script_of(&t), 50000 - 3000);
}

/* Ended by the host with a voucher: 4,000 are owed to the renter. */
static void end(uint8_t name)
{
    static const uint8_t head[] = {CC_ACTION_END, CC_FLAG_VOU};
    struct cc_bytes elements[2] = {cc_bytes(head, sizeof(head)),
                                   cc_bytes(vou, sizeof(vou))};
    struct cc_typed t;

    cc_vou_write(vou, 1000, sig);
    contract_init(&t, name);
    t.u.contract.done = 2;
    spend(&t, 50000, elements, 2);
    pay_key(t.u.contract.renter_key, 4000);
}

static void expect_job(size_t i, enum cc_job_kind kind, size_t len)
{
    assert_int_equal(many.result.jobs[i].kind, kind);
    assert_int_equal(many.result.jobs[i].data.len, len);
}

static void expect_owed(size_t i, uint8_t name)
{
    assert_int_equal(many.result.owed[i].key[31], 100 - name);
    assert_int_equal(many.result.owed[i].sum, 4000);
}

/* Three that are proved, two that end, whose renters' keys fall: there is room
 * for every job, and debts are in the order of their keys. */
static void test_contracts(void **state)
{
    const struct cc_storage_result *r = &many.result;

    (void)state;
    for (uint8_t name = 1; name <= 3; name++)
        prove(name);
    end(4);
    end(5);
    expect_good(113);
    assert_int_equal(r->fee, 3 * 3000 + 2 * 46000);
    assert_int_equal(r->sigops, 3 * 2 + 2 * 2);
    assert_int_equal(r->job_count, 3 * (2 + SAMPLES) + 2 * 2);
    for (size_t i = 0; i < r->job_count; i++) { /* signature, samples, REV */
        size_t place = i % (2 + SAMPLES);

        if (i < 3 * (2 + SAMPLES) && place >= 1 && place <= SAMPLES)
            expect_job(i, CC_JOB_PATH, CC_LEAF_SIZE + 32 * 12);
        else
            expect_job(i, CC_JOB_SIG, 64);
    }
    assert_int_equal(r->owed_count, 2);
    expect_owed(0, 5);
    expect_owed(1, 4);
    /* One satoshi less to either is too little. */
    for (size_t i = 3; i < 5; i++) {
        many.out[i].value--;
        expect_bad(113, "bad-storage-owed");
        many.out[i].value++;
    }
}

/* Two that form, two signatures each, beside one that ends. */
static void test_form_and_end(void **state)
{
    static const uint8_t sigs[128];
    static const size_t hosts[] = {1, 3, 4}; /* the host's of each */
    const struct cc_storage_result *r = &many.result;
    struct cc_typed t;

    (void)state;
    end(1);
    contract_init(&t, 0);
    t.forming = true;
    t.sigs = cc_bytes(sigs, sizeof(sigs));
    t.u.contract.start = 113;
    pay(script_of(&t), 40000);
    pay(script_of(&t), 40000);
    many.coins[0].out.value = 90000;
    expect_good(113);
    assert_int_equal(r->job_count, 4 + 2);
    assert_int_equal(r->sigops, 4 + 2);
    for (size_t i = 0; i < 6; i++)
        expect_job(i, CC_JOB_SIG, 64);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(r->jobs[hosts[i]].key, t.u.contract.host_key, 32);
    assert_int_equal(r->owed_count, 1);
    expect_owed(0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_typed_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claim_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_contracts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_form_and_end, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
