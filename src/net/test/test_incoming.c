/* Blocks that wait to be judged. */
#include "support.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "net/incoming.h"
#include "util/mem.h"

#define MESSAGE 4000000

/* A message of so many bytes with a block of one transaction at its front. */
static uint8_t *make_message(size_t len, size_t *block_len)
{
    uint8_t zero[80] = {0}, *raw;
    struct cc_writer w;
    size_t have;

    cc_writer_init_heap(&w);
    cc_write_bytes(&w, zero, CC_HEADER_SIZE);
    cc_write_compact(&w, 1);
    cc_write_u32le(&w, 1);
    cc_write_compact(&w, 1);
    cc_write_bytes(&w, zero, 36);
    cc_write_var(&w, "", 0);
    cc_write_u32le(&w, 0);
    cc_write_compact(&w, 1);
    cc_write_u64le(&w, 0);
    cc_write_var(&w, "\x51", 1);
    cc_write_u32le(&w, 0);
    raw = cc_writer_take(&w, &have);
    if (block_len)
        *block_len = have;
    if (len <= have)
        return raw;
    raw = cc_reallocarray(raw, len, 1);
    memset(raw + have, 7, len - have);
    return raw;
}

static void test_decode(void **state)
{
    uint8_t hash[32];
    struct cc_incoming *b;
    size_t len;
    uint8_t *raw = make_message(0, &len);

    (void)state;
    assert_int_equal(cc_incoming_decode(&b, raw, len - 1), CC_MALFORMED);
    raw = make_message(len + 9, NULL);
    cc_hash256(hash, raw, CC_HEADER_SIZE);
    assert_int_equal(cc_incoming_decode(&b, raw, len + 9), CC_OK);
    assert_memory_equal(b->hash, hash, 32);
    assert_int_equal(b->block.raw.len, len);
    assert_int_equal(b->bytes, len + 9);
    cc_incoming_free(b);
}

/* Two of the largest messages may wait, however small their blocks are. */
static void test_bound(void **state)
{
    struct cc_incoming_queue *q = cc_incoming_queue_new(NULL, NULL, NULL, NULL);
    struct cc_incoming *b;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_false(cc_incoming_queue_full(q));
        assert_int_equal(
            cc_incoming_decode(&b, make_message(MESSAGE, NULL), MESSAGE),
            CC_OK);
        cc_incoming_queue_put(q, b);
    }
    assert_true(cc_incoming_queue_full(q));
    cc_incoming_queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
