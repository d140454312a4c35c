/*
 * Blocks on their way into the chain.
 *
 * Judging a block takes a tenth of a second, or much more where the chain
 * reorganises. So that peers and callers are served meanwhile, a thread of its
 * own does that, one block after the other, in order of arrival. What a peer
 * sends behind a block waits until the block is judged, but for more blocks:
 * each peer sees its messages handled in order, as if there were one thread.
 */
#include "net/incoming.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "util/log.h"
#include "util/mem.h"

/* Bytes of messages whose blocks wait; one may always. */
#define MAX_WAITING (8u << 20)

struct cc_incoming_queue {
    struct cc_chain *chain;
    void (*begins)(void *arg, const struct cc_incoming *b);
    void (*judged)(void *arg, struct cc_incoming *b);
    void *arg;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of these */
    pthread_cond_t more;
    bool stop;
    struct cc_incoming *first, **last;
    size_t bytes; /* with the one at work */
};

struct cc_incoming_queue *
cc_incoming_queue_new(struct cc_chain *chain,
                      void (*begins)(void *arg, const struct cc_incoming *b),
                      void (*judged)(void *arg, struct cc_incoming *b),
                      void *arg)
{
    struct cc_incoming_queue *q = cc_calloc(1, sizeof(*q));

    q->chain = chain;
    q->begins = begins;
    q->judged = judged;
    q->arg = arg;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->more, NULL);
    q->last = &q->first;
    return q;
}

enum cc_status cc_incoming_decode(struct cc_incoming **out, uint8_t *data,
                                  size_t len)
{
    struct cc_incoming *b = cc_calloc(1, sizeof(*b));

    if (cc_block_decode_front(&b->block, data, len) != CC_OK) {
        free(b);
        return CC_MALFORMED;
    }
    memcpy(b->hash, b->block.hash, 32);
    b->bytes = len;
    *out = b;
    return CC_OK;
}

void cc_incoming_free(struct cc_incoming *b)
{
    cc_block_clear(&b->block);
    free(b);
}

void cc_incoming_judge(struct cc_chain *chain, struct cc_incoming *b)
{
    cc_error_init(&b->err);
    b->st = cc_chain_accept_block(chain, &b->block, b->asked, NULL, &b->is_new,
                                  &b->err);
    cc_block_clear(&b->block);
}

static struct cc_incoming *next(struct cc_incoming_queue *q)
{
    struct cc_incoming *b;

    pthread_mutex_lock(&q->lock);
    while (!q->stop && !q->first)
        pthread_cond_wait(&q->more, &q->lock);
    b = q->stop ? NULL : q->first;
    if (b) {
        q->first = b->next;
        if (!q->first)
            q->last = &q->first;
    }
    pthread_mutex_unlock(&q->lock);
    return b;
}

static void *queue_main(void *arg)
{
    struct cc_incoming_queue *q = arg;
    struct cc_incoming *b;

    cc_log_name_thread("validate");
    while ((b = next(q))) {
        size_t bytes = b->bytes;

        q->begins(q->arg, b);
        cc_incoming_judge(q->chain, b);
        pthread_mutex_lock(&q->lock);
        q->bytes -= bytes;
        pthread_mutex_unlock(&q->lock);
        q->judged(q->arg, b);
    }
    return NULL;
}

enum cc_status cc_incoming_queue_start(struct cc_incoming_queue *q,
                                       struct cc_error *err)
{
    int e = pthread_create(&q->thread, NULL, queue_main, q);

    if (e) {
        errno = e;
        return cc_fail_errno(err, "net: cannot start a thread");
    }
    q->running = true;
    return CC_OK;
}

void cc_incoming_queue_stop(struct cc_incoming_queue *q)
{
    if (!q || !q->running)
        return;
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_signal(&q->more);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    q->running = false;
}

void cc_incoming_queue_free(struct cc_incoming_queue *q)
{
    if (!q)
        return;
    cc_incoming_queue_stop(q);
    while (q->first) {
        struct cc_incoming *b = q->first;

        q->first = b->next;
        cc_incoming_free(b);
    }
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->more);
    free(q);
}

void cc_incoming_queue_put(struct cc_incoming_queue *q, struct cc_incoming *b)
{
    b->next = NULL;
    pthread_mutex_lock(&q->lock);
    *q->last = b;
    q->last = &b->next;
    q->bytes += b->bytes;
    pthread_cond_signal(&q->more);
    pthread_mutex_unlock(&q->lock);
}

bool cc_incoming_queue_full(struct cc_incoming_queue *q)
{
    bool full;

    pthread_mutex_lock(&q->lock);
    full = q->bytes >= MAX_WAITING;
    pthread_mutex_unlock(&q->lock);
    return full;
}
