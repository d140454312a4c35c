#include "chain/index.h"

#include "chain/test/world.h"
#include "chain/undo.h"
#include "util/mem.h"

/* Headers without work: the tree does not ask for it. */
static struct cc_index *add(struct cc_tree *t, struct cc_index *prev)
{
    struct cc_header h = {.bits = 0x207fffff};
    static uint32_t unique;
    uint8_t hash[32] = {0};

    h.time = 1000 + ++unique;
    cc_put_u32be(hash, unique * 2654435761u);
    if (prev)
        memcpy(h.prev, prev->hash, 32);
    return cc_tree_add(t, &h, hash, prev);
}

static void test_ancestors(void **state)
{
    enum { N = 3000 };
    struct cc_index *all[N];
    struct cc_test_random random;
    struct cc_tree t;

    (void)state;
    cc_test_random_init(&random, 3);
    cc_tree_init(&t);
    all[0] = add(&t, NULL);
    for (int i = 1; i < N; i++) {
        unsigned back = (unsigned)(cc_test_random(&random) % 20);

        all[i] = add(&t, all[back == 0 ? i / 2 : i - 1]);
    }
    for (int n = 0; n < 20000; n++) {
        struct cc_index *a = all[cc_test_random(&random) % N];
        struct cc_index *b = all[cc_test_random(&random) % N], *x, *y;
        uint32_t h = (uint32_t)(cc_test_random(&random) % (a->height + 1));

        for (x = a; x->height > h; x = x->prev)
            ;
        assert_ptr_equal(cc_index_ancestor(a, h), x);
        assert_null(cc_index_ancestor(a, a->height + 1));
        for (x = a, y = b; x != y;) {
            if (x->height >= y->height)
                x = x->prev;
            else
                y = y->prev;
        }
        assert_ptr_equal(cc_index_fork(a, b), x);
    }
    cc_tree_clear(&t);
}

/* Far ancestors are a few steps away. */
static void test_skip_is_short(void **state)
{
    enum { N = 100000 };
    struct cc_index *tip;
    struct cc_tree t;
    unsigned most = 0;

    (void)state;
    cc_tree_init(&t);
    tip = add(&t, NULL);
    for (int i = 1; i < N; i++)
        tip = add(&t, tip);
    for (uint32_t h = 0; h < N; h += 37) {
        const struct cc_index *i = tip;
        unsigned steps = 0;

        while (i->height > h) {
            i = i->skip->height >= h ? i->skip : i->prev;
            steps++;
        }
        most = steps > most ? steps : most;
    }
    assert_true(most < 3 * 17); /* 3 log2(N) */
    cc_tree_clear(&t);
}

static void test_median_time(void **state)
{
    static const uint32_t times[] = {100, 90, 110, 80, 120, 70,
                                     130, 60, 140, 50, 150, 40};
    static const int64_t want[] = {100, 100, 100, 100, 100, 100,
                                   100, 100, 100, 100, 100, 90};
    struct cc_index *i = NULL;
    struct cc_tree t;

    (void)state;
    cc_tree_init(&t);
    for (int n = 0; n < 12; n++) {
        struct cc_header h = {.time = times[n], .bits = 0x207fffff};
        uint8_t hash[32] = {(uint8_t)(n + 1)};

        i = cc_tree_add(&t, &h, hash, i);
        if (n % 2 == 0 || n > 9)
            assert_int_equal(i->median_time, want[n]);
    }
    assert_int_equal(i->time_max, 150);
    cc_tree_clear(&t);
}

static void test_candidates(void **state)
{
    struct cc_index *g, *a[6], *b[6];
    struct cc_tree t;

    (void)state;
    cc_tree_init(&t);
    g = add(&t, NULL);
    cc_tree_received(&t, g, 1, NULL);
    for (int i = 0; i < 6; i++) {
        a[i] = add(&t, i ? a[i - 1] : g);
        b[i] = add(&t, i ? b[i - 1] : g);
    }
    assert_ptr_equal(t.best_header, a[5]); /* first seen */
    /* data with a gap below is no candidate */
    for (int i = 1; i < 6; i++)
        cc_tree_received(&t, b[i], 2, g);
    assert_ptr_equal(cc_tree_best(&t), g);
    assert_int_equal(b[5]->chain_tx, 0);
    cc_tree_received(&t, b[0], 2, g);
    assert_ptr_equal(cc_tree_best(&t), b[5]);
    assert_int_equal(b[5]->chain_tx, 13);
    /* as much work, but later */
    for (int i = 0; i < 6; i++)
        cc_tree_received(&t, a[i], 1, g);
    assert_ptr_equal(cc_tree_best(&t), b[5]);
    cc_tree_prune(&t, b[5]);
    assert_int_equal(t.candidate_count, 1);
    cc_tree_precious(&t, a[5], b[5]);
    assert_ptr_equal(cc_tree_best(&t), a[5]);
    cc_tree_prune(&t, a[5]);

    cc_tree_fail(&t, a[2], a[1]);
    assert_true(a[2]->status & CC_INDEX_FAILED);
    assert_true(a[5]->status & CC_INDEX_FAILED_CHILD);
    assert_false(cc_index_failed(a[1]));
    assert_ptr_equal(cc_tree_best(&t), b[5]);
    assert_ptr_equal(t.best_header, b[5]);
    /* what comes on top is condemned as it comes */
    assert_true(add(&t, a[5])->status & CC_INDEX_FAILED_CHILD);
    cc_tree_fail(&t, a[4], b[5]);
    cc_tree_unfail(&t, a[3], b[5]);
    assert_false(cc_index_failed(a[2]));
    assert_false(cc_index_failed(a[5]));
    cc_tree_clear(&t);
}

/* Freed by unfail: what hung from an ancestor only, not what is bad itself. */
static void test_unfail_siblings(void **state)
{
    struct cc_index *g, *a, *x, *y, *y2, *z;
    struct cc_tree t;

    (void)state;
    cc_tree_init(&t);
    g = add(&t, NULL);
    a = add(&t, g);
    x = add(&t, a);
    y = add(&t, a);
    y2 = add(&t, y);
    z = add(&t, a);
    cc_tree_fail(&t, y, g);
    cc_tree_fail(&t, a, g);
    cc_tree_unfail(&t, x, g);
    assert_false(cc_index_failed(a));
    assert_false(cc_index_failed(x));
    assert_false(cc_index_failed(z));
    assert_true(y->status & CC_INDEX_FAILED);
    assert_true(y2->status & CC_INDEX_FAILED_CHILD);
    cc_tree_clear(&t);
}

static void test_record(void **state)
{
    struct cc_index i = {.height = 7, .tx_count = 3, .file = 2, .data_pos = 99};
    struct cc_index back;
    struct cc_writer w;
    struct cc_reader r;

    (void)state;
    i.header.bits = 5;
    i.size = 1000;
    i.undo_pos = 44;
    i.undo_size = 55;
    i.state.pool = 123;
    i.state.claims = 4;
    i.state.ticket.w[3] = 77;
    for (int valid = 0; valid < 2; valid++) {
        i.status = CC_INDEX_HEADER | (valid ? CC_INDEX_VALID : 0);
        cc_writer_init_heap(&w);
        cc_index_write(&w, &i);
        for (size_t cut = 0; cut <= w.len; cut++) {
            cc_reader_init(&r, w.data, cut);
            cc_index_read(&r, &back);
            assert_int_equal(cc_reader_done(&r), cut == w.len);
        }
        assert_int_equal(back.height, 7);
        assert_int_equal(back.status, i.status);
        assert_int_equal(back.tx_count, 3);
        assert_int_equal(back.file, 2);
        assert_int_equal(back.data_pos, 99);
        assert_int_equal(back.size, 1000);
        assert_int_equal(back.undo_pos, 44);
        assert_int_equal(back.undo_size, 55);
        assert_int_equal(back.state.pool, valid ? 123 : 0);
        assert_int_equal(back.state.claims, valid ? 4 : 0);
        assert_int_equal(back.state.ticket.w[3], valid ? 77 : 0);
        cc_writer_clear(&w);
    }
}

/* Bytes with one changed: no crash, and what decodes encodes back. */
static void test_undo_bytes(void **state)
{
    static const uint8_t good[] = {
        2, /* transactions */
        1, 0x15, 0, 0x32, 0,    1,    2,    3, 4, 5, 6, 7,  8,
        9, 10,   1, 2,    3,    4,    5,    6, 7, 8, 9, 10, /* one coin */
        2, 0x00, 0, 7,    0x51, 0x8a, 0x14, 0, 9, 9, 1, 2,  3 /* two */};
    struct cc_test_random random;
    size_t decoded = 0;
    struct cc_undo u;

    (void)state;
    cc_test_random_init(&random, 9);
    for (int n = 0; n < 50000; n++) {
        uint8_t data[sizeof(good)];
        size_t len = sizeof(good) - (n % 3 ? 0 : cc_test_random(&random) % 8);
        struct cc_writer w;

        memcpy(data, good, sizeof(good));
        if (n)
            data[cc_test_random(&random) % len] =
                (uint8_t)cc_test_random(&random);
        else
            len = sizeof(good);
        if (cc_undo_decode(&u, data, len) != CC_OK) {
            assert_true(n > 0);
            continue;
        }
        decoded++;
        cc_writer_init_heap(&w);
        cc_undo_write(&w, &u);
        assert_true(
            cc_bytes_equal(cc_bytes(w.data, w.len), cc_bytes(data, len)));
        cc_writer_clear(&w);
        cc_undo_clear(&u);
    }
    assert_true(decoded > 10000);
    cc_test_ran("undo data", decoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ancestors),
        cmocka_unit_test(test_skip_is_short),
        cmocka_unit_test(test_median_time),
        cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_unfail_siblings),
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_undo_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
