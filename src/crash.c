#include "crash.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/random.h"

/* About what a batch takes, with its sync. */
#define MAX_DELAY_US 5000

static void *end_soon(void *arg)
{
    struct timespec delay = {0, (long)cc_random_below(MAX_DELAY_US) * 1000};

    (void)arg;
    nanosleep(&delay, NULL);
    _exit(0);
}

static bool maybe(void *arg, const char *what)
{
    struct cc_crash *c = arg;
    pthread_t thread;

    if (strcmp(what, "db write") != 0 || cc_random_below(c->ratio) ||
        atomic_exchange(&c->ending, true))
        return false;
    cc_log(c->log, "Simulating a crash. Goodbye.");
    if (pthread_create(&thread, NULL, end_soon, NULL))
        _exit(0);
    pthread_detach(thread);
    return false;
}

/* Nothing comes after the write that ends the process. */
static void stay(void *arg, const char *what)
{
    struct cc_crash *c = arg;

    (void)what;
    while (atomic_load(&c->ending))
        pause();
}

struct cc_fault cc_crash_fault(struct cc_crash *c)
{
    struct cc_fault none = {0}, fault = {maybe, c, stay};

    return c->ratio ? fault : none;
}
