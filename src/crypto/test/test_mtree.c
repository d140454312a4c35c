#include "crypto/mtree.h"

#include "crypto/hash.h"
#include "support.h"

#include <stdlib.h>

#include <openssl/evp.h>

/* "leaf n is the first 1,024 bytes of SHAKE256('leaf' + n as 8 bytes
 * little-endian)" */
static void make_leaf(uint8_t out[CC_LEAF_SIZE], uint64_t n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    uint8_t name[12] = "leaf";

    cc_put_u64le(name + 4, n);
    assert_non_null(c);
    assert_true(EVP_DigestInit_ex(c, EVP_shake256(), NULL) &&
                EVP_DigestUpdate(c, name, sizeof(name)) &&
                EVP_DigestFinalXOF(c, out, CC_LEAF_SIZE));
    EVP_MD_CTX_free(c);
}

/* The definition of RFC 9162 2.1.1, word for word: the other implementation
 * that ours is held against. */
static void root_by_definition(uint8_t out[32], const uint8_t *h, size_t n)
{
    uint8_t l[32], r[32];
    size_t k = 1;

    if (n == 1) {
        memcpy(out, h, 32);
        return;
    }
    while (2 * k < n)
        k *= 2;
    root_by_definition(l, h, k);
    root_by_definition(r, h + 32 * k, n - k);
    cc_mtree_node(out, l, r);
}

static void test_vectors(void **state)
{
    json_t *root = cc_test_load_json("storage_merkle.json"), *row;
    uint8_t *sectors, *leaves, *roots, h[32], want[32], path[64 * 32];
    uint8_t first[CC_LEAF_SIZE];
    size_t i, ran = 0;

    (void)state;
    if (!root)
        skip();
    make_leaf(first, 0);
    assert_string_equal(cc_test_hex(first, 32),
                        cc_test_string(root, "leaf_0_start"));
    cc_mtree_leaf(h, first, CC_LEAF_SIZE);
    assert_string_equal(cc_test_hex(h, 32),
                        cc_test_string(root, "leaf_0_hash"));
    sectors = malloc(3 * (size_t)CC_SECTOR_SIZE);
    leaves = malloc(3 * CC_SECTOR_LEAVES * 32);
    roots = malloc(3 * 32);
    assert_true(sectors && leaves && roots);
    for (i = 0; i < 3 * CC_SECTOR_LEAVES; i++)
        make_leaf(sectors + i * CC_LEAF_SIZE, i);
    for (i = 0; i < 3; i++) {
        cc_mtree_sector_root(roots + 32 * i, sectors + i * CC_SECTOR_SIZE);
        cc_mtree_sector_leaves(leaves + i * CC_SECTOR_LEAVES * 32,
                               sectors + i * CC_SECTOR_SIZE);
        cc_test_unhex_into(want, 32,
                           json_string_value(json_array_get(
                               json_object_get(root, "sector_roots"), i)));
        assert_memory_equal(roots + 32 * i, want, 32);
        cc_test_unhex_into(
            want, 32,
            json_string_value(json_array_get(
                json_object_get(root, "roots_of_1_2_3_sectors"), i)));
        cc_mtree_root(h, roots, i + 1);
        assert_memory_equal(h, want, 32);
        cc_mtree_root(h, leaves, (i + 1) * CC_SECTOR_LEAVES);
        assert_memory_equal(h, want, 32);
        ran += 2;
    }
    json_array_foreach(json_object_get(root, "path_lengths"), i, row)
    {
        uint64_t index = (uint64_t)json_integer_value(json_array_get(row, 0));
        uint64_t n = (uint64_t)json_integer_value(json_array_get(row, 1));

        assert_int_equal(cc_mtree_path_len(index, n),
                         json_integer_value(json_array_get(row, 2)));
        ran++;
    }
    json_array_foreach(json_object_get(root, "paths"), i, row)
    {
        uint64_t n = (uint64_t)cc_test_int(row, "leaves");
        uint64_t index = (uint64_t)cc_test_int(row, "index");
        json_t *nodes = json_object_get(row, "path");
        size_t count = json_array_size(nodes);
        bool valid = json_is_true(json_object_get(row, "valid")), got;
        uint8_t leaf[32];

        assert_true(count <= 64);
        for (size_t j = 0; j < count; j++)
            cc_test_unhex_into(path + 32 * j, 32,
                               json_string_value(json_array_get(nodes, j)));
        cc_test_unhex_into(leaf, 32, cc_test_string(row, "leaf_hash"));
        cc_test_unhex_into(want, 32, cc_test_string(row, "root"));
        got = cc_mtree_path_root(h, leaf, index, n, path, count) &&
              !memcmp(h, want, 32);
        if (got != valid)
            fail_msg("path %zu: %s", i,
                     valid ? "refused" : cc_test_string(row, "why"));
        if (valid && n <= 3 * CC_SECTOR_LEAVES) {
            static uint8_t made[64 * 32];

            cc_mtree_path(made, leaves, (size_t)n, (size_t)index);
            assert_memory_equal(made, path, count * 32);
        }
        ran++;
    }
    cc_test_ran("storage_merkle", ran);
    free(sectors);
    free(leaves);
    free(roots);
    json_decref(root);
}

#define MAX 70

static void fill(uint8_t *hashes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cc_sha256_once(hashes + 32 * i, &i, sizeof(i));
}

static void test_all_small_trees(void **state)
{
    uint8_t hashes[MAX * 32], root[32], want[32], path[64 * 32];

    (void)state;
    fill(hashes, MAX);
    for (size_t n = 1; n <= MAX; n++) {
        cc_mtree_root(root, hashes, n);
        root_by_definition(want, hashes, n);
        assert_memory_equal(root, want, 32);
        for (size_t i = 0; i < n; i++) {
            size_t count = cc_mtree_path_len(i, n);

            cc_mtree_path(path, hashes, n, i);
            assert_true(
                cc_mtree_path_root(want, hashes + 32 * i, i, n, path, count));
            assert_memory_equal(want, root, 32);
            assert_false(cc_mtree_path_root(want, hashes + 32 * i, i, n, path,
                                            count + 1));
            if (count)
                assert_false(cc_mtree_path_root(want, hashes + 32 * i, i, n,
                                                path, count - 1));
            assert_false(
                cc_mtree_path_root(want, hashes + 32 * i, n, n, path, count));
        }
    }
}

static void test_ranges(void **state)
{
    uint8_t hashes[40 * 32], root[32], proof[128 * 32], bad[128 * 32];
    size_t ran = 0;

    (void)state;
    fill(hashes, 40);
    for (size_t n = 1; n <= 40; n++) {
        cc_mtree_root(root, hashes, n);
        for (size_t b = 0; b < n; b++) {
            for (size_t e = b + 1; e <= n; e++) {
                size_t count = 128, room;

                assert_true(
                    cc_mtree_range_prove(proof, &count, hashes, n, b, e));
                assert_true(cc_mtree_range_check(root, hashes + 32 * b, n, b, e,
                                                 proof, count));
                /* One node too few, one too many, one bit wrong. */
                if (count) {
                    assert_false(cc_mtree_range_check(root, hashes + 32 * b, n,
                                                      b, e, proof, count - 1));
                    memcpy(bad, proof, 32 * count);
                    bad[32 * (count - 1)] ^= 1;
                    assert_false(cc_mtree_range_check(root, hashes + 32 * b, n,
                                                      b, e, bad, count));
                    room = count - 1;
                    assert_false(
                        cc_mtree_range_prove(bad, &room, hashes, n, b, e));
                }
                assert_false(cc_mtree_range_check(root, hashes + 32 * b, n, b,
                                                  e, proof, count + 1));
                memcpy(bad, hashes + 32 * b, 32 * (e - b));
                bad[32 * (e - b) - 1] ^= 0x80;
                assert_false(
                    cc_mtree_range_check(root, bad, n, b, e, proof, count));
                /* A single leaf's range proof is as long as its path. */
                if (e == b + 1)
                    assert_int_equal(count, cc_mtree_path_len(b, n));
                ran++;
            }
        }
    }
    /* A tree larger than any could be, and a proof that ends too early, at the
     * very end of its memory. */
    assert_false(
        cc_mtree_range_check(root, hashes, UINT64_MAX, 0, 1, proof, 64));
    {
        uint8_t *tight = malloc(32);

        assert_non_null(tight);
        memcpy(tight, proof, 32);
        assert_false(cc_mtree_range_check(root, hashes, 40, 0, 1, tight, 1));
        free(tight);
    }
    assert_false(cc_mtree_range_check(root, hashes, 40, 3, 3, proof, 0));
    assert_false(cc_mtree_range_check(root, hashes, 40, 3, 41, proof, 0));
    cc_test_ran("ranges of small trees", ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_all_small_trees),
        cmocka_unit_test(test_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
