#include <pthread.h>
#include <stdatomic.h>

#include "support.h"
#include "util/pool.h"

enum { JOBS = 5000 };

struct batch {
    _Atomic unsigned done[JOBS];
};

static void once(void *arg, size_t i)
{
    struct batch *b = arg;

    atomic_fetch_add(&b->done[i], 1);
}

static void check(struct cc_pool *p, size_t count)
{
    static struct batch b;

    for (size_t i = 0; i < JOBS; i++)
        atomic_store(&b.done[i], 0);
    cc_pool_run(p, once, &b, count);
    for (size_t i = 0; i < JOBS; i++)
        assert_int_equal(atomic_load(&b.done[i]), i < count);
}

static void test_each_job_runs_once(void **state)
{
    static const unsigned sizes[] = {0, 1, 3, 8};

    (void)state;
    check(NULL, 10);
    for (size_t s = 0; s < 4; s++) {
        struct cc_pool *p = cc_pool_new(sizes[s], "test");

        assert_int_equal(cc_pool_threads(p), sizes[s]);
        check(p, 0);
        check(p, 1);
        check(p, 2);
        check(p, JOBS);
        for (size_t i = 0; i < 200; i++)
            check(p, i % 7);
        cc_pool_free(p);
    }
    cc_pool_free(NULL);
    assert_int_equal(cc_pool_threads(NULL), 0);
}

struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned here;
};

/* Returns only when another job has come too. */
static void meet(void *arg, size_t i)
{
    struct meeting *m = arg;

    (void)i;
    pthread_mutex_lock(&m->lock);
    m->here++;
    pthread_cond_broadcast(&m->cond);
    while (m->here < 2)
        pthread_cond_wait(&m->cond, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

static void test_jobs_run_side_by_side(void **state)
{
    struct meeting m = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct cc_pool *p = cc_pool_new(1, "test");

    (void)state;
    cc_pool_run(p, meet, &m, 2);
    assert_int_equal(m.here, 2);
    cc_pool_free(p);
}

struct caller {
    struct cc_pool *pool;
    struct batch b;
};

static void *run_many(void *arg)
{
    struct caller *c = arg;

    for (int i = 0; i < 50; i++)
        cc_pool_run(c->pool, once, &c->b, 100);
    return NULL;
}

static void test_callers_take_turns(void **state)
{
    static struct caller c[3];
    pthread_t t[3];
    struct cc_pool *p = cc_pool_new(2, "test");

    (void)state;
    for (int i = 0; i < 3; i++) {
        c[i].pool = p;
        pthread_create(&t[i], NULL, run_many, &c[i]);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 3; i++) {
        for (size_t j = 0; j < 100; j++)
            assert_int_equal(atomic_load(&c[i].b.done[j]), 50);
    }
    cc_pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_job_runs_once),
        cmocka_unit_test(test_jobs_run_side_by_side),
        cmocka_unit_test(test_callers_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
