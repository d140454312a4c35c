/* Blocks that wait to be judged. */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "chain/test/world.h"
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

#define WAIT_S 120

/* What the queue's thread told. */
struct heard {
    pthread_mutex_t lock;
    pthread_cond_t more;
    size_t begun, count;
    struct cc_incoming *judged[8];
    uint8_t last[32]; /* that began */
};

static void begins(void *arg, const struct cc_incoming *b)
{
    struct heard *h = arg;

    pthread_mutex_lock(&h->lock);
    h->begun++;
    memcpy(h->last, b->hash, 32);
    pthread_mutex_unlock(&h->lock);
}

static void judged(void *arg, struct cc_incoming *b)
{
    struct heard *h = arg;

    pthread_mutex_lock(&h->lock);
    h->judged[h->count++] = b;
    assert_int_equal(h->begun, h->count);
    assert_memory_equal(h->last, b->hash, 32);
    pthread_cond_signal(&h->more);
    pthread_mutex_unlock(&h->lock);
}

static void wait_for(struct heard *h, size_t count)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&h->lock);
    while (h->count < count)
        assert_int_equal(pthread_cond_timedwait(&h->more, &h->lock, &until), 0);
    pthread_mutex_unlock(&h->lock);
}

static void put(struct cc_incoming_queue *q, const void *data, size_t len)
{
    struct cc_incoming *b;

    assert_int_equal(cc_incoming_decode(&b, cc_memdup(data, len), len), CC_OK);
    b->asked = true;
    cc_incoming_queue_put(q, b);
}

static void put_block(struct cc_incoming_queue *q, const struct world *w, int i)
{
    struct cc_bytes raw = w->blocks[i].block.raw;

    put(q, raw.data, raw.len);
}

/* One after the other, as they came; room is made when they are judged. */
static void test_judged(void **state)
{
    static const enum cc_status want[] = {CC_OK,      CC_OK,      CC_INVALID,
                                          CC_OK,      CC_INVALID, CC_INVALID,
                                          CC_INVALID, CC_OK};
    struct heard h = {.count = 0};
    struct cc_incoming_queue *q;
    struct world w;
    struct cc_error err;
    char *dir = cc_test_mkdir();
    uint8_t *large = make_message(MESSAGE, NULL);
    struct cc_chain *c;
    int one, two, bad, three;

    (void)state;
    pthread_mutex_init(&h.lock, NULL);
    pthread_cond_init(&h.more, NULL);
    world_init(&w, 5, false);
    c = world_open(&w, dir);
    one = world_make(&w, 0, RIGHT);
    two = world_make(&w, one, RIGHT);
    bad = world_make(&w, two, WRONG_REWARD);
    three = world_make(&w, two, RIGHT);
    q = cc_incoming_queue_new(c, begins, judged, &h);
    put_block(q, &w, one);
    put_block(q, &w, two);
    put_block(q, &w, bad);
    put_block(q, &w, two);
    for (int i = 0; i < 3; i++)
        put(q, large, MESSAGE);
    assert_true(cc_incoming_queue_full(q));
    assert_int_equal(h.begun, 0);
    assert_int_equal(cc_incoming_queue_start(q, &err), CC_OK);
    wait_for(&h, 7);
    assert_false(cc_incoming_queue_full(q));
    assert_int_equal(cc_chain_tip(c)->height, 2);
    put_block(q, &w, three); /* while it waits for more */
    wait_for(&h, 8);
    cc_incoming_queue_stop(q);
    cc_incoming_queue_stop(q);
    cc_incoming_queue_free(q);
    assert_int_equal(h.count, 8);
    assert_memory_equal(cc_chain_tip(c)->hash, w.blocks[three].block.hash, 32);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(h.judged[i]->st, want[i]);
        assert_int_equal(h.judged[i]->is_new, i < 3 || i == 7);
        cc_incoming_free(h.judged[i]);
    }
    cc_chain_free(c);
    world_clear(&w);
    cc_test_rmdir(dir);
    free(large);
    pthread_cond_destroy(&h.more);
    pthread_mutex_destroy(&h.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
