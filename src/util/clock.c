#include "util/clock.h"

#include <stdio.h>
#include <time.h>

void cc_clock_init(struct cc_clock *c) { atomic_init(&c->mock_s, 0); }

void cc_clock_set_mock(struct cc_clock *c, int64_t seconds)
{
    atomic_store(&c->mock_s, seconds);
}

int64_t cc_clock_mock(const struct cc_clock *c)
{
    return c ? atomic_load(&((struct cc_clock *)c)->mock_s) : 0;
}

static int64_t read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t cc_clock_now_us(const struct cc_clock *c)
{
    int64_t mock = cc_clock_mock(c);

    return mock ? mock * 1000000 : read_us(CLOCK_REALTIME);
}

int64_t cc_clock_now_ms(const struct cc_clock *c)
{
    return cc_clock_now_us(c) / 1000;
}

int64_t cc_clock_now(const struct cc_clock *c)
{
    return cc_clock_now_us(c) / 1000000;
}

int64_t cc_clock_monotonic_us(void) { return read_us(CLOCK_MONOTONIC); }

int64_t cc_clock_monotonic_ms(void) { return read_us(CLOCK_MONOTONIC) / 1000; }

int64_t cc_clock_now_fn(void *arg) { return cc_clock_now(arg); }

void cc_clock_format(char out[32], int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, 32, "-");
}
