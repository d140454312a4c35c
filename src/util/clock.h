/*
 * clock.h: what time it is, replaceable.
 *
 * One struct cc_clock, made by main and handed to whoever asks. A mock time
 * (setmocktime, tests) stands still until set again and replaces the wall
 * clock, never the monotonic one. Any thread may call anything. A NULL clock
 * is the real time.
 */
#ifndef CC_UTIL_CLOCK_H
#define CC_UTIL_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct cc_clock {
    _Atomic int64_t mock_s; /* 0: none */
};

void cc_clock_init(struct cc_clock *c);
/* Seconds since 1970; 0 ends the mocking. */
void cc_clock_set_mock(struct cc_clock *c, int64_t seconds);
/* The mock time, 0 without. */
int64_t cc_clock_mock(const struct cc_clock *c);

int64_t cc_clock_now(const struct cc_clock *c); /* seconds since 1970 */
int64_t cc_clock_now_ms(const struct cc_clock *c);
int64_t cc_clock_now_us(const struct cc_clock *c);

/* Since some point in the past; for durations, not mocked. */
int64_t cc_clock_monotonic_ms(void);
int64_t cc_clock_monotonic_us(void);

/* cc_clock_now behind a callback: arg is the struct cc_clock. */
int64_t cc_clock_now_fn(void *arg);

/* "2026-11-20T23:00:00Z" of seconds since 1970. */
void cc_clock_format(char out[32], int64_t seconds);

#endif
