/*
 * bench.h: named benchmarks.
 *
 * A benchmark does a fixed amount of work per run. The runner repeats it for
 * many rounds and takes the median of processor time, so other programs on
 * the machine disturb it little. Where there is something to compare with (the
 * same hashing by OpenSSL, the same signatures by libsecp256k1 alone), that
 * runs in turns with it, and the ratio is what travels between machines.
 */
#ifndef CC_BENCH_H
#define CC_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct bench {
    const char *name;
    const char *what;
    /* Once; what they get is what setup returned. NULL: data is missing. */
    void *(*setup)(void);
    void (*run)(void *state);
    void (*teardown)(void *state);
    size_t items; /* in a run; named by unit: "leaf" */
    const char *unit;
    size_t bytes; /* read in a run; 0: no rate shown */
    /* The same work done by others. */
    const char *reference;
    void (*run_reference)(void *state);
    /* At most so many ns an item, or at least so many bytes a second; 0. */
    double goal_ns, goal_rate;
};

extern const struct bench bench_crypto[], bench_consensus[], bench_chain[],
    bench_storage[];
extern const size_t bench_crypto_count, bench_consensus_count,
    bench_chain_count, bench_storage_count;

/* Stops the program if a benchmark's work went wrong. */
#define BENCH_CHECK(condition)                                                 \
    do {                                                                       \
        if (!(condition))                                                      \
            bench_fail(__FILE__, __LINE__, #condition);                        \
    } while (0)
void bench_fail(const char *file, int line, const char *condition)
    __attribute__((noreturn));

/* The same bytes every time. */
void bench_fill(void *out, size_t len, uint64_t seed);

#endif
