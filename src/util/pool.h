/*
 * pool.h: worker threads for one batch of equal jobs at a time.
 *
 * The caller works too, so a pool of 0 threads is the caller alone. Jobs are
 * handed out in order and may end in any; cc_pool_run returns when all have.
 * Calls from several threads take turns. A job must not use its own pool.
 */
#ifndef CC_UTIL_POOL_H
#define CC_UTIL_POOL_H

#include <stddef.h>

struct cc_pool;

/* n further threads; fewer if the system gives no more (see
 * cc_pool_threads). name: for the thread's name, at most 11 characters. */
struct cc_pool *cc_pool_new(unsigned n, const char *name);
void cc_pool_free(struct cc_pool *p);
/* Without the caller. NULL: 0. */
unsigned cc_pool_threads(const struct cc_pool *p);

/* fn(arg, i) for every i < count. p may be NULL: all on this thread. */
void cc_pool_run(struct cc_pool *p, void (*fn)(void *arg, size_t i), void *arg,
                 size_t count);

#endif
