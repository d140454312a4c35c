#include "rpc/waiter.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "util/mem.h"

#define WALK_STEPS 4096 /* between two looks at whether the end has come */

struct cc_waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond; /* by the monotonic clock */
    uint64_t count;
    bool ending;
};

struct cc_waiter *cc_waiter_new(void)
{
    struct cc_waiter *w = cc_calloc(1, sizeof(*w));
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->cond, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

void cc_waiter_free(struct cc_waiter *w)
{
    if (!w)
        return;
    pthread_cond_destroy(&w->cond);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void cc_waiter_wake(struct cc_waiter *w)
{
    pthread_mutex_lock(&w->lock);
    w->count++;
    pthread_cond_broadcast(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

void cc_waiter_interrupt(struct cc_waiter *w)
{
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

bool cc_waiter_ending(struct cc_waiter *w)
{
    bool ending;

    pthread_mutex_lock(&w->lock);
    ending = w->ending;
    pthread_mutex_unlock(&w->lock);
    return ending;
}

bool cc_waiter_ends_walk(struct cc_waiter *w, uint64_t step)
{
    return step % WALK_STEPS == 0 && cc_waiter_ending(w);
}

uint64_t cc_waiter_count(struct cc_waiter *w)
{
    uint64_t count;

    pthread_mutex_lock(&w->lock);
    count = w->count;
    pthread_mutex_unlock(&w->lock);
    return count;
}

bool cc_waiter_wait(struct cc_waiter *w, uint64_t seen, int64_t deadline_ms)
{
    struct timespec ts = {(time_t)(deadline_ms / 1000),
                          (long)(deadline_ms % 1000) * 1000000};
    bool going;
    int timed_out = 0;

    pthread_mutex_lock(&w->lock);
    while (w->count == seen && !w->ending && !timed_out)
        timed_out = deadline_ms < 0
                        ? pthread_cond_wait(&w->cond, &w->lock)
                        : pthread_cond_timedwait(&w->cond, &w->lock, &ts);
    going = !w->ending;
    pthread_mutex_unlock(&w->lock);
    return going;
}
