/* Where transactions are: while the tip moves, after a restart, on a disk that
 * fails. */
#include "chain/test/follower.h"
#include "chain/txindex.h"

/* Every transaction from block i down to genesis is where it should be. */
static void expect(struct follower *f, int i)
{
    size_t seen = 0;

    assert_int_equal(cc_txindex_height(f->index), f->w.blocks[i].height);
    for (; i > 0; i = f->w.blocks[i].prev) {
        const struct cc_block *b = &f->w.blocks[i].block;

        for (size_t k = 0; k < b->tx_count; k++, seen++) {
            uint8_t hash[32];

            assert_int_equal(
                cc_txindex_find(f->index, b->tx[k].txid, hash, NULL), CC_OK);
            assert_int_equal(world_find(&f->w, hash), i);
        }
    }
    assert_true(seen > 0);
}

FOLLOWER_KIND(txindex, 77, "indexes/txindex");

static void test_it_follows_the_tip(void **state)
{
    struct follower f;
    uint8_t hash[32], unknown[32] = {1};
    int low, i;

    (void)state;
    follower_init(&f, &kind);
    low = follower_extend(&f, 0, 5);
    /* new: it reads what is there ... */
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    expect(&f, low);
    /* ... goes on with the tip, and over to another branch */
    i = follower_extend(&f, low, 4);
    expect(&f, i);
    i = follower_extend(&f, low, 6);
    expect(&f, i);
    assert_int_equal(cc_txindex_find(f.index, unknown, hash, NULL),
                     CC_NOTFOUND);
    assert_int_equal(cc_txindex_find(f.index,
                                     cc_chain_genesis(f.c)->header.merkle_root,
                                     hash, NULL),
                     CC_NOTFOUND);
    assert_false(cc_txindex_failed(f.index, NULL));
    follower_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_follows_the_tip),
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
