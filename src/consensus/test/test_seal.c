/*
 * The seal, the draw and the state per block: test/data/storage_seal.json and
 * storage_state.json.
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/seal.h"
#include "consensus/storage.h"
#include "consensus/test/storage_support.h"
#include "crypto/aes.h"
#include "support.h"

static const struct cc_params *chain_of(const json_t *row)
{
    return cc_params_get(!strcmp(cc_test_string(row, "chain"), "main")
                             ? CC_CHAIN_MAIN
                             : CC_CHAIN_REGTEST);
}

static void test_seals(void **state)
{
    json_t *root = cc_test_load_json("storage_seal.json"), *rows, *row;
    uint8_t key[32], raw[CC_LEAF_SIZE], sealed[CC_LEAF_SIZE], out[CC_LEAF_SIZE],
        stream[16], counter[16], zeros[16];
    const struct cc_params *p;
    uint64_t index;
    size_t i;

    (void)state;
    if (!root)
        skip();
    rows = json_object_get(root, "seals");
    json_array_foreach(rows, i, row)
    {
        p = chain_of(row);
        index = (uint64_t)cc_test_int(row, "leaf_index");
        cc_test_unhex_into(key, 32, cc_test_string(row, "K"));
        cc_test_unhex_into(raw, CC_LEAF_SIZE, cc_test_string(row, "raw"));
        cc_test_unhex_into(sealed, CC_LEAF_SIZE, cc_test_string(row, "sealed"));
        cc_seal_leaf(out, raw, index, key, p);
        assert_memory_equal(out, sealed, CC_LEAF_SIZE);
        cc_unseal_leaf(out, sealed, index, key, p);
        assert_memory_equal(out, raw, CC_LEAF_SIZE);
        memcpy(out, raw, CC_LEAF_SIZE); /* in place */
        cc_seal_leaf(out, out, index, key, p);
        assert_memory_equal(out, sealed, CC_LEAF_SIZE);
        memset(zeros, 0, 16);
        memset(counter, 0, 16);
        cc_put_u64be(counter + 8, index * 64);
        cc_aes256_ctr(zeros, 16, key, counter);
        cc_test_unhex_into(stream, 16, cc_test_string(row, "keystream_start"));
        assert_memory_equal(zeros, stream, 16);
    }
    cc_test_ran("storage_seal seals", json_array_size(rows));
    json_decref(root);
}

/* A sample is shown raw, a claim's leaf sealed; neither passes as the other. */
static void test_jobs(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    uint8_t raw[CC_LEAF_SIZE] = {7}, sealed[CC_LEAF_SIZE];
    uint8_t longest[CC_LEAF_SIZE + 32 * 36], leaf[32];
    struct cc_storage_job job;
    struct cc_error err;

    (void)state;
    memset(&job, 0, sizeof(job));
    job.leaves = 1; /* so that the path is empty */
    cc_mtree_leaf(job.root, raw, CC_LEAF_SIZE);
    cc_seal_leaf(sealed, raw, 0, job.key, p);
    for (int unseal = 0; unseal < 2; unseal++)
        for (int shown = 0; shown < 2; shown++) {
            job.kind = unseal ? CC_JOB_UNSEAL : CC_JOB_PATH;
            job.data = cc_bytes(shown ? sealed : raw, CC_LEAF_SIZE);
            cc_error_init(&err);
            assert_int_equal(cc_storage_job_run(&job, p, &err),
                             unseal == shown ? CC_OK : CC_INVALID);
            assert_string_equal(err.reason,
                                unseal == shown ? "" : "bad-storage-proof");
        }
    /* The longest path there is: 2^24 sectors. */
    memset(longest, 7, sizeof(longest));
    cc_mtree_leaf(leaf, longest, CC_LEAF_SIZE);
    job.kind = CC_JOB_PATH;
    job.index = 5;
    job.leaves = (uint64_t)p->storage.max_sectors * CC_SECTOR_LEAVES;
    job.data = cc_bytes(longest, sizeof(longest));
    assert_true(cc_mtree_path_root(job.root, leaf, job.index, job.leaves,
                                   longest + CC_LEAF_SIZE, 36));
    assert_int_equal(cc_storage_job_run(&job, p, &err), CC_OK);
    job.root[31] ^= 1;
    assert_int_equal(cc_storage_job_run(&job, p, &err), CC_INVALID);
}

static void test_draws(void **state)
{
    json_t *root = cc_test_load_json("storage_seal.json"), *row;
    uint8_t key[32], hash[32], sealed[CC_LEAF_SIZE];
    const json_t *seals, *seal;
    struct cc_u256 ticket, want, half;
    uint64_t sector;
    unsigned column;
    size_t i, ran = 0;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(json_object_get(root, "draws"), i, row)
    {
        cc_test_unhex_into(key, 32, cc_test_string(row, "K"));
        cc_test_unhex_into(hash, 32, cc_test_string(row, "block_hash"));
        cc_seal_draw(&sector, &column, hash, key,
                     (uint32_t)cc_test_int(row, "unit"), chain_of(row));
        assert_int_equal(sector, cc_test_int(row, "sector"));
        assert_int_equal(column, cc_test_int(row, "column"));
        ran++;
    }
    seals = json_object_get(root, "seals");
    half = cc_storage_test_u256(
        "8000000000000000000000000000000000000000000000000000000000000000");
    json_array_foreach(json_object_get(root, "tickets"), i, row)
    {
        seal = json_array_get(seals, (size_t)cc_test_int(row, "row"));
        cc_test_unhex_into(key, 32, cc_test_string(seal, "K"));
        cc_test_unhex_into(sealed, CC_LEAF_SIZE,
                           cc_test_string(seal, "sealed"));
        cc_test_unhex_into(hash, 32, cc_test_string(row, "block_hash"));
        cc_seal_ticket(
            &ticket, hash, key, (uint64_t)cc_test_int(seal, "leaf_index"),
            (unsigned)cc_test_int(row, "column"), sealed, chain_of(row));
        want = cc_storage_test_u256(cc_test_string(row, "ticket"));
        assert_int_equal(cc_u256_cmp(&ticket, &want), 0);
        assert_int_equal(cc_u256_cmp(&ticket, &half) < 0,
                         json_is_true(json_object_get(row, "below_2_255")));
        ran++;
    }
    cc_test_ran("storage_seal draws and tickets", ran);
    json_decref(root);
}

/* Leaf numbers beyond 2^58 carry into the counter's upper half. Seen by what
 * the keystream makes all ones: no element of the field, so it stays. */
static void test_counter_carries(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    const uint64_t index = (UINT64_C(1) << 58) + 3;
    const uint8_t counter[16] = {[7] = 1, [15] = 3 * 64};
    uint8_t key[32] = {1}, ones[CC_LEAF_SIZE], raw[CC_LEAF_SIZE],
            sealed[CC_LEAF_SIZE];

    (void)state;
    memset(ones, 0xff, sizeof(ones));
    memcpy(raw, ones, sizeof(raw));
    cc_aes256_ctr(raw, sizeof(raw), key, counter);
    cc_seal_leaf(sealed, raw, index, key, p);
    assert_memory_equal(sealed, ones, CC_LEAF_SIZE);
    cc_unseal_leaf(sealed, sealed, index, key, p);
    assert_memory_equal(sealed, raw, CC_LEAF_SIZE);
}

static struct cc_mint_state state_of(const json_t *row)
{
    struct cc_mint_state s;

    s.pool = cc_test_int(row, "pool");
    s.ticket = cc_storage_test_u256(cc_test_string(row, "T"));
    s.claims = (uint32_t)cc_test_int(row, "n");
    return s;
}

static size_t run_sequence(const json_t *seq)
{
    const struct cc_params *p = chain_of(seq);
    const json_t *blocks = json_object_get(seq, "blocks"), *b;
    struct cc_mint_state s = state_of(json_object_get(seq, "before")), before;
    struct cc_mint_state want;
    struct cc_error err;
    enum cc_status st;
    size_t i;

    json_array_foreach(blocks, i, b)
    {
        before = s;
        cc_error_init(&err);
        st = cc_mint_next(&s, &s, (uint32_t)cc_test_int(b, "h"),
                          cc_test_int(b, "penalties"), cc_test_int(b, "minted"),
                          (uint32_t)cc_test_int(b, "n"), p, &err);
        if (!json_is_true(json_object_get(b, "valid"))) {
            assert_int_equal(st, CC_INVALID);
            assert_int_equal(err.verdict, CC_VERDICT_CONSENSUS);
            assert_memory_equal(&s, &before, sizeof(s));
            continue;
        }
        assert_int_equal(st, CC_OK);
        want = state_of(b);
        assert_int_equal(s.pool, want.pool);
        assert_int_equal(cc_u256_cmp(&s.ticket, &want.ticket), 0);
        assert_int_equal(s.claims, want.claims);
        assert_int_equal(cc_mint_reward(&s, (uint32_t)cc_test_int(b, "h"), p),
                         cc_test_int(b, "mint"));
    }
    return json_array_size(blocks);
}

static void test_states(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    json_t *root = cc_test_load_json("storage_state.json"), *row;
    struct cc_mint_state s;
    size_t i, ran = 0;
    uint32_t d;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(json_object_get(root, "sequences"), i, row) ran +=
        run_sequence(row);
    json_array_foreach(json_object_get(root, "mints"), i, row)
    {
        d = (uint32_t)cc_test_int(row, "d");
        memset(&s, 0, sizeof(s));
        s.pool = cc_test_int(row, "pool");
        assert_int_equal(cc_subsidy(p, d), cc_test_int(row, "subsidy"));
        assert_int_equal(cc_subsidy_storage(p, d),
                         cc_test_int(row, "storage_half"));
        assert_int_equal(cc_mint_reward(&s, d, p), cc_test_int(row, "mint"));
        ran++;
    }
    cc_test_ran("storage_state", ran);
    json_decref(root);
}

static void test_first_state(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    struct cc_mint_state s, next;

    (void)state;
    cc_mint_first(&s, p);
    assert_int_equal(s.pool, 0);
    assert_int_equal(s.claims, 0);
    assert_int_equal(cc_u256_cmp(&s.ticket, &p->storage.ticket_max), 0);
    /* The pool never leaves the range of money, nor goes below nothing. */
    s.pool = p->max_money;
    assert_int_equal(cc_mint_next(&next, &s, 1, 0, 0, 0, p, NULL), CC_INVALID);
    s.pool = 0;
    assert_int_equal(cc_mint_next(&next, &s, 1, p->max_money, 0, 0, p, NULL),
                     CC_INVALID);
    assert_int_equal(cc_mint_next(&next, &s, 1, -1, 0, 0, p, NULL), CC_INVALID);
    assert_int_equal(cc_mint_next(&next, &s, 1, 0, -1, 0, p, NULL), CC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seals),  cmocka_unit_test(test_jobs),
        cmocka_unit_test(test_draws),  cmocka_unit_test(test_counter_carries),
        cmocka_unit_test(test_states), cmocka_unit_test(test_first_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
