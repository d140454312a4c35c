#include "util/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/mem.h"

struct cc_pool {
    pthread_mutex_t turn; /* held by whoever runs a batch */
    pthread_mutex_t lock; /* over what follows, but next */
    pthread_cond_t work, done;
    void (*fn)(void *arg, size_t i);
    void *arg;
    size_t count;
    _Atomic size_t next;
    uint64_t batch;   /* number of the batch on offer */
    unsigned working; /* workers that have not finished with it */
    bool stop;
    char name[12];
    unsigned n;
    pthread_t *threads;
};

static void help(struct cc_pool *p)
{
    size_t i;

    while ((i = atomic_fetch_add(&p->next, 1)) < p->count)
        p->fn(p->arg, i);
}

static void *worker(void *arg)
{
    struct cc_pool *p = arg;
    uint64_t seen = 0;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && p->batch == seen)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->stop)
            break;
        seen = p->batch;
        pthread_mutex_unlock(&p->lock);
        help(p);
        pthread_mutex_lock(&p->lock);
        if (--p->working == 0)
            pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct cc_pool *cc_pool_new(unsigned n, const char *name)
{
    struct cc_pool *p = cc_calloc(1, sizeof(*p));
    char full[16];

    pthread_mutex_init(&p->turn, NULL);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    snprintf(p->name, sizeof(p->name), "%s", name);
    p->threads = cc_calloc(n ? n : 1, sizeof(*p->threads));
    for (; p->n < n; p->n++) {
        if (pthread_create(&p->threads[p->n], NULL, worker, p) != 0)
            break;
        snprintf(full, sizeof(full), "%s.%u", p->name, p->n % 1000);
        pthread_setname_np(p->threads[p->n], full);
    }
    return p;
}

void cc_pool_free(struct cc_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->turn);
    free(p->threads);
    free(p);
}

unsigned cc_pool_threads(const struct cc_pool *p) { return p ? p->n : 0; }

void cc_pool_run(struct cc_pool *p, void (*fn)(void *arg, size_t i), void *arg,
                 size_t count)
{
    if (!p || p->n == 0 || count < 2) {
        for (size_t i = 0; i < count; i++)
            fn(arg, i);
        return;
    }
    pthread_mutex_lock(&p->turn);
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->arg = arg;
    p->count = count;
    atomic_store(&p->next, 0);
    p->working = p->n;
    p->batch++;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);

    help(p);

    pthread_mutex_lock(&p->lock);
    while (p->working)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
    pthread_mutex_unlock(&p->turn);
}
