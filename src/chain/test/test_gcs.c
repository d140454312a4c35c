/* Filters of blocks: BIP 158's own vectors, and what is no filter. */
#include "chain/gcs.h"

#include <jansson.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "support.h"
#include "util/hex.h"
#include "util/mem.h"

static const char *text(const json_t *row, size_t i)
{
    return json_string_value(json_array_get(row, i));
}

static void reversed(const char *hex, uint8_t out[32])
{
    assert_true(cc_hex_decode_rev(out, 32, hex));
}

/* The scripts that a block spends, all as one transaction's: in what order and
 * of which does not matter. */
static void spent(const json_t *scripts, struct cc_undo *u)
{
    memset(u, 0, sizeof(*u));
    cc_arena_init(&u->arena);
    u->count = 1;
    u->tx = cc_arena_calloc(&u->arena, 1, sizeof(*u->tx));
    u->tx[0].count = json_array_size(scripts);
    u->tx[0].coins =
        cc_arena_calloc(&u->arena, u->tx[0].count + 1, sizeof(*u->tx[0].coins));
    for (size_t i = 0; i < u->tx[0].count; i++) {
        size_t len;
        uint8_t *raw = cc_test_unhex(text(scripts, i), &len);

        u->tx[0].coins[i].out.script =
            cc_bytes(cc_arena_dup(&u->arena, raw, len), len);
        free(raw);
    }
}

static bool match(struct cc_bytes filter, const uint8_t block[32],
                  struct cc_bytes script)
{
    bool found;

    assert_int_equal(cc_gcs_match(filter, block, &script, 1, &found), CC_OK);
    return found;
}

static void one_vector(const json_t *row)
{
    size_t len, filter_len;
    uint8_t *raw = cc_test_unhex(text(row, 2), &len);
    uint8_t *filter = cc_test_unhex(text(row, 5), &filter_len);
    uint8_t prev[32], header[32], hash[32], expected[32];
    struct cc_block b;
    struct cc_undo u;
    struct cc_writer w;

    reversed(text(row, 1), expected);
    assert_int_equal(cc_block_decode(&b, raw, len), CC_OK);
    assert_memory_equal(b.hash, expected, 32);
    spent(json_array_get(row, 3), &u);
    cc_writer_init_heap(&w);
    cc_gcs_write(&w, &b, &u);
    assert_int_equal(w.len, filter_len);
    assert_memory_equal(w.data, filter, filter_len);

    reversed(text(row, 4), prev);
    cc_hash256(hash, w.data, w.len);
    cc_gcs_header(header, hash, prev);
    reversed(text(row, 6), expected);
    assert_memory_equal(header, expected, 32);

    for (size_t i = 0; i < u.tx[0].count; i++) {
        struct cc_bytes s = u.tx[0].coins[i].out.script;

        assert_int_equal(match(cc_bytes(w.data, w.len), b.hash, s), s.len > 0);
    }
    assert_false(match(cc_bytes(w.data, w.len), b.hash, cc_bytes("none", 4)));
    cc_writer_clear(&w);
    cc_undo_clear(&u);
    cc_block_clear(&b);
    free(filter);
    free(raw);
}

static void test_vectors(void **state)
{
    json_t *root = cc_test_load_json("blockfilters.json"), *row;
    size_t i;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(root, i, row) if (i) one_vector(row);
    cc_test_ran("BIP 158 filters", json_array_size(root) - 1);
    json_decref(root);
}

/* Three scripts of hand: what a filter says of others, cut, and longer. */
static void test_bytes(void **state)
{
    static const uint8_t zero[32];
    struct cc_bytes scripts[3] = {cc_bytes("a", 1), cc_bytes("ab", 2),
                                  cc_bytes("ccc", 3)};
    struct cc_txout out[4] = {{1, scripts[0]},
                              {2, scripts[1]},
                              {3, scripts[0]}, /* twice: once */
                              {4, cc_bytes("\x6a", 1)}};
    struct cc_tx tx = {.vout = out, .vout_count = 4};
    struct cc_block b = {.tx = &tx, .tx_count = 1};
    struct cc_writer w;
    bool found;

    (void)state;
    cc_writer_init_heap(&w);
    cc_gcs_write(&w, &b, NULL);
    assert_int_equal(w.data[0], 2);
    assert_true(match(cc_bytes(w.data, w.len), zero, scripts[0]));
    assert_true(match(cc_bytes(w.data, w.len), zero, scripts[1]));
    assert_false(match(cc_bytes(w.data, w.len), zero, scripts[2]));
    assert_false(match(cc_bytes(w.data, w.len), zero, out[3].script));
    assert_int_equal(
        cc_gcs_match(cc_bytes(w.data, w.len), zero, scripts, 3, &found), CC_OK);
    assert_true(found);
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(
            cc_gcs_match(cc_bytes(w.data, len), zero, scripts, 3, &found),
            CC_MALFORMED);
    cc_write_u8(&w, 0);
    assert_int_equal(
        cc_gcs_match(cc_bytes(w.data, w.len), zero, scripts, 3, &found),
        CC_MALFORMED);
    assert_false(found);
    cc_writer_clear(&w);

    /* Nothing in it, and a number that lies. */
    tx.vout_count = 0;
    cc_writer_init_heap(&w);
    cc_gcs_write(&w, &b, NULL);
    assert_int_equal(w.len, 1);
    assert_false(match(cc_bytes(w.data, 1), zero, scripts[0]));
    cc_writer_clear(&w);
    assert_int_equal(
        cc_gcs_match(cc_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9), zero,
                     scripts, 3, &found),
        CC_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
