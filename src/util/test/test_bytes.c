#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/amount.h"
#include "util/arena.h"
#include "util/error.h"
#include "util/mem.h"
#include "util/reader.h"
#include "util/writer.h"

static void test_reader_fails_for_good(void **state)
{
    static const uint8_t in[] = {1, 2, 3, 4, 5};
    struct cc_reader r;

    (void)state;
    cc_reader_init(&r, in, sizeof(in));
    assert_int_equal(cc_read_u32le(&r), 0x04030201);
    assert_int_equal(cc_read_u16le(&r), 0);
    assert_true(r.failed);
    assert_int_equal(cc_read_u8(&r), 0); /* though one byte is left */
    assert_false(cc_reader_done(&r));
}

static void test_compact_sizes(void **state)
{
    static const uint64_t edges[] = {0,
                                     0xfc,
                                     0xfd,
                                     0xffff,
                                     0x10000,
                                     0xffffffff,
                                     UINT64_C(0x100000000),
                                     UINT64_MAX};
    static const uint8_t longer[][9] = {
        {0xfd, 0xfc, 0}, {0xfe, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff, 0xff}};
    static const size_t sizes[] = {3, 5, 9};
    struct cc_writer w;
    struct cc_reader r;
    uint8_t buf[9];

    (void)state;
    for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
        cc_writer_init(&w, buf, sizeof(buf));
        cc_write_compact(&w, edges[i]);
        assert_false(w.failed);
        assert_int_equal(w.len, cc_compact_size(edges[i]));
        cc_reader_init(&r, buf, w.len);
        assert_true(cc_read_compact(&r) == edges[i]);
        assert_true(cc_reader_done(&r));
    }
    for (size_t i = 0; i < 3; i++) {
        cc_reader_init(&r, longer[i], sizes[i]);
        cc_read_compact(&r);
        assert_true(r.failed);
    }
}

static void test_count_is_held_against_what_is_left(void **state)
{
    static const uint8_t in[] = {3, 0, 0, 0, 0, 0};
    struct cc_reader r;

    (void)state;
    cc_reader_init(&r, in, sizeof(in));
    assert_int_equal(cc_read_count(&r, 1), 3);
    cc_reader_init(&r, in, sizeof(in));
    assert_int_equal(cc_read_count(&r, 2), 0);
    assert_true(r.failed);
}

static void test_writer_is_bounded(void **state)
{
    uint8_t buf[4] = {0, 0, 0, 9};
    struct cc_writer w;

    (void)state;
    cc_writer_init(&w, buf, 3);
    cc_write_u16be(&w, 0x0102);
    cc_write_u16be(&w, 0x0304);
    assert_true(w.failed);
    cc_write_u8(&w, 5);
    assert_int_equal(w.len, 2);
    assert_int_equal(buf[3], 9);
}

static void test_amounts_stay_in_range(void **state)
{
    cc_amount sum = 7;

    (void)state;
    assert_true(cc_amount_add(&sum, 40, 60, 100));
    assert_int_equal(sum, 100);
    assert_false(cc_amount_add(&sum, 41, 60, 100));
    assert_false(cc_amount_add(&sum, -1, 60, 100));
    assert_false(cc_amount_mul(&sum, INT64_MAX, 3, INT64_MAX));
    assert_false(cc_amount_mul(&sum, -1, 1, 100));
    assert_int_equal(sum, 100);
}

static void test_context_stands_in_front(void **state)
{
    struct cc_error err;

    (void)state;
    cc_reject(&err, CC_VERDICT_CONSENSUS, "bad-cb-amount", "5 > 4");
    assert_int_equal(cc_context(&err, CC_INVALID, "block %d", 8), CC_INVALID);
    assert_string_equal(err.text, "block 8: bad-cb-amount, 5 > 4");
    assert_string_equal(err.reason, "bad-cb-amount");
    assert_int_equal(cc_fail(NULL, CC_IO, "x"), CC_IO);
}

static void test_arena_pieces_do_not_overlap(void **state)
{
    struct cc_arena a;
    unsigned char *p[200];

    (void)state;
    cc_arena_init(&a);
    for (size_t i = 0; i < 200; i++) {
        p[i] = cc_arena_alloc(&a, i * 7);
        memset(p[i], (int)i, i * 7);
    }
    for (size_t i = 1; i < 200; i++)
        assert_true(p[i][0] == i && p[i][i * 7 - 1] == i);
    cc_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_fails_for_good),
        cmocka_unit_test(test_compact_sizes),
        cmocka_unit_test(test_count_is_held_against_what_is_left),
        cmocka_unit_test(test_writer_is_bounded),
        cmocka_unit_test(test_amounts_stay_in_range),
        cmocka_unit_test(test_context_stands_in_front),
        cmocka_unit_test(test_arena_pieces_do_not_overlap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
