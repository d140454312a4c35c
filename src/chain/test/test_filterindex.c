/* Filters of blocks: while the tip moves, after a restart, on a disk that
 * fails. */
#include "chain/filterindex.h"
#include "chain/gcs.h"
#include "chain/test/follower.h"
#include "crypto/hash.h"

/* Every block from i down to genesis has a filter, under a header that binds
 * those before. */
static void expect(struct follower *f, int i)
{
    assert_int_equal(cc_filterindex_height(f->index), f->w.blocks[i].height);
    for (; i > 0; i = f->w.blocks[i].prev) {
        const struct cc_block *b = &f->w.blocks[i].block;
        uint8_t header[32], hash[32], prev[32], again[32], *data;
        struct cc_index *index = cc_chain_find(f->c, b->hash);
        struct cc_undo undo;
        struct cc_writer w;
        size_t len;

        assert_int_equal(
            cc_filterindex_header(f->index, b->hash, header, hash, NULL),
            CC_OK);
        assert_int_equal(
            cc_filterindex_header(f->index, b->header.prev, prev, NULL, NULL),
            CC_OK);
        cc_gcs_header(again, hash, prev);
        assert_memory_equal(header, again, 32);
        assert_int_equal(
            cc_filterindex_filter(f->index, b->hash, &data, &len, NULL), CC_OK);
        cc_hash256(again, data, len);
        assert_memory_equal(hash, again, 32);
        assert_int_equal(cc_chain_read_undo(f->c, index, &undo, NULL), CC_OK);
        cc_writer_init_heap(&w);
        cc_gcs_write(&w, b, &undo);
        assert_int_equal(w.len, len);
        assert_memory_equal(w.data, data, len);
        cc_writer_clear(&w);
        cc_undo_clear(&undo);
        free(data);
    }
}

FOLLOWER_KIND(filterindex, 77, "indexes/blockfilter/basic");

static void test_it_follows_the_tip(void **state)
{
    struct follower f;
    uint8_t hash[32], unknown[32] = {1}, *data;
    size_t len;
    int low, i, left;

    (void)state;
    follower_init(&f, &kind);
    low = follower_extend(&f, 0, 5);
    /* new: it reads what is there ... */
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    expect(&f, low);
    /* ... goes on with the tip, and over to another branch */
    left = follower_extend(&f, low, 4);
    expect(&f, left);
    i = follower_extend(&f, low, 6);
    expect(&f, i);
    /* that of the branch left is still there */
    assert_int_equal(cc_filterindex_header(f.index, f.w.blocks[left].block.hash,
                                           hash, NULL, NULL),
                     CC_OK);
    assert_int_equal(cc_filterindex_header(f.index, unknown, hash, NULL, NULL),
                     CC_NOTFOUND);
    assert_int_equal(cc_filterindex_filter(f.index, unknown, &data, &len, NULL),
                     CC_NOTFOUND);
    assert_false(cc_filterindex_failed(f.index, NULL));
    follower_clear(&f);
}

/* The index is closed, and what it has of the header of block i is this. */
static void write_header(struct follower *f, int i, struct cc_bytes value)
{
    static const char *const families[] = {"filter", "header", "state"};
    const struct cc_db_config config = {f->path, families, 3, 1 << 20,
                                        .fault = {0}};
    struct cc_bytes key = cc_bytes(f->w.blocks[i].block.hash, 32);
    struct cc_db_batch *b = cc_db_batch_new();
    struct cc_db *db;

    follower_restart(f);
    assert_int_equal(cc_db_open(&db, &config, NULL), CC_OK);
    if (value.len)
        cc_db_batch_put(b, db, 1, key, value);
    else
        cc_db_batch_delete(b, db, 1, key);
    assert_int_equal(cc_db_write(db, b, true, NULL), CC_OK);
    cc_db_batch_free(b);
    cc_db_close(db);
    assert_int_equal(follower_open(f, NULL, NULL), CC_OK);
}

/* Nothing is chained to a header that is damaged or lost. */
static void test_header_before_is_damaged(void **state)
{
    struct follower f;
    struct cc_error err;
    uint8_t hash[32];
    int low, i;

    (void)state;
    follower_init(&f, &kind);
    low = follower_extend(&f, 0, 3);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    write_header(&f, low, cc_bytes("x", 1));
    assert_int_equal(cc_filterindex_header(f.index, f.w.blocks[low].block.hash,
                                           hash, NULL, &err),
                     CC_CORRUPT);
    write_header(&f, low, cc_bytes(NULL, 0));
    i = follower_extend(&f, low, 1);
    cc_error_init(&err);
    assert_true(cc_filterindex_failed(f.index, &err));
    assert_string_equal(err.text, "no header of the filter before");
    assert_int_equal(cc_filterindex_header(f.index, f.w.blocks[i].block.hash,
                                           hash, NULL, NULL),
                     CC_NOTFOUND);
    follower_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_follows_the_tip),
        cmocka_unit_test(test_header_before_is_damaged),
        cmocka_unit_test_prestate(follower_catches_up, (void *)&kind),
        cmocka_unit_test_prestate(follower_was_ahead, (void *)&kind),
        cmocka_unit_test_prestate(follower_stops_when_told, (void *)&kind),
        cmocka_unit_test_prestate(follower_on_a_disk_that_fails, (void *)&kind),
        cmocka_unit_test_prestate(follower_made_anew, (void *)&kind),
        cmocka_unit_test_prestate(follower_of_blocks_that_are_lost,
                                  (void *)&kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
