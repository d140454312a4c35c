/*
 *     bench [-filter=TEXT] [-rounds=N] [-json] [-list]
 *
 * Runs the benchmarks whose name holds TEXT.
 */
#include "bench.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypto/hash.h"
#include "util/mem.h"

#define ROUND_NS 8e6 /* a round takes at least that long */

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_runs(void (*run)(void *), void *state, size_t times)
{
    double start = now_ns();

    for (size_t i = 0; i < times; i++)
        run(state);
    return (now_ns() - start) / (double)times;
}

/* How often run has to be called to fill a round; warms caches up too. */
static size_t calibrate(void (*run)(void *), void *state)
{
    size_t times = 1;
    double ns;

    for (;;) {
        ns = time_runs(run, state, times) * (double)times;
        if (ns >= ROUND_NS || times > (size_t)1 << 30)
            return times;
        times = ns < ROUND_NS / 20
                    ? times * 10
                    : times * (size_t)(ROUND_NS / ns + 2) / 2 + 1;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

struct result {
    double ns, least, reference_ns; /* per item */
};

static bool measure(const struct bench *b, size_t rounds, struct result *out)
{
    double *own = calloc(rounds, sizeof(*own));
    double *other = calloc(rounds, sizeof(*other));
    void *state = b->setup ? b->setup() : NULL;
    size_t times, other_times = 0;

    if ((b->setup && !state) || !own || !other) {
        free(own);
        free(other);
        return false;
    }
    times = calibrate(b->run, state);
    if (b->run_reference)
        other_times = calibrate(b->run_reference, state);
    for (size_t i = 0; i < rounds; i++) {
        own[i] = time_runs(b->run, state, times);
        if (b->run_reference)
            other[i] = time_runs(b->run_reference, state, other_times);
    }
    out->ns = median(own, rounds) / (double)b->items;
    out->least = own[0] / (double)b->items;
    out->reference_ns =
        b->run_reference ? median(other, rounds) / (double)b->items : 0;
    if (b->teardown)
        b->teardown(state);
    free(own);
    free(other);
    return true;
}

static double rate(const struct bench *b, const struct result *r)
{
    return b->bytes ? (double)b->bytes / (r->ns * (double)b->items) * 1e9 : 0;
}

/* 1: reached, 0: missed, -1: has none. */
static int goal(const struct bench *b, const struct result *r)
{
    if (b->goal_ns > 0)
        return r->ns <= b->goal_ns;
    if (b->goal_rate > 0)
        return rate(b, r) >= b->goal_rate;
    return -1;
}

static const char *scaled(double ns)
{
    static char out[32];

    if (ns < 1e4)
        snprintf(out, sizeof(out), "%.1f ns", ns);
    else if (ns < 1e7)
        snprintf(out, sizeof(out), "%.2f us", ns / 1e3);
    else
        snprintf(out, sizeof(out), "%.2f ms", ns / 1e6);
    return out;
}

static void print_text(const struct bench *b, const struct result *r)
{
    printf("%-22s %12s / %-12s", b->name, scaled(r->ns), b->unit);
    if (b->bytes)
        printf(" %8.3f GB/s", rate(b, r) / 1e9);
    else
        printf(" %13s", "");
    if (b->run_reference)
        printf("  %.2f x %s", r->ns / r->reference_ns, b->reference);
    if (b->goal_ns > 0)
        printf("  [goal %s: %s]", scaled(b->goal_ns),
               goal(b, r) ? "reached" : "missed");
    if (b->goal_rate > 0)
        printf("  [goal %.1f GB/s: %s]", b->goal_rate / 1e9,
               goal(b, r) ? "reached" : "missed");
    printf("\n");
    fflush(stdout);
}

static json_t *to_json(const struct bench *b, const struct result *r)
{
    json_t *o = json_object();

    json_object_set_new(o, "name", json_string(b->name));
    json_object_set_new(o, "what", json_string(b->what));
    json_object_set_new(o, "unit", json_string(b->unit));
    json_object_set_new(o, "items", json_integer((json_int_t)b->items));
    json_object_set_new(o, "ns_per_item", json_real(r->ns));
    json_object_set_new(o, "least_ns_per_item", json_real(r->least));
    if (b->bytes)
        json_object_set_new(o, "bytes_per_second", json_real(rate(b, r)));
    if (b->run_reference) {
        json_object_set_new(o, "reference", json_string(b->reference));
        json_object_set_new(o, "reference_ns_per_item",
                            json_real(r->reference_ns));
        json_object_set_new(o, "ratio", json_real(r->ns / r->reference_ns));
    }
    if (b->goal_ns > 0)
        json_object_set_new(o, "goal_ns_per_item", json_real(b->goal_ns));
    if (b->goal_rate > 0)
        json_object_set_new(o, "goal_bytes_per_second",
                            json_real(b->goal_rate));
    if (goal(b, r) >= 0)
        json_object_set_new(o, "reached", json_boolean(goal(b, r)));
    return o;
}

struct options {
    const char *filter;
    size_t rounds;
    bool json, list;
};

static void run_all(const struct bench *all, size_t count,
                    const struct options *o, json_t *out)
{
    for (size_t i = 0; i < count; i++) {
        const struct bench *b = &all[i];
        struct result r;

        if (!strstr(b->name, o->filter))
            continue;
        if (o->list) {
            printf("%-22s %s\n", b->name, b->what);
            continue;
        }
        if (!measure(b, o->rounds, &r))
            fprintf(stderr, "%s: skipped, its data is missing\n", b->name);
        else if (o->json)
            json_array_append_new(out, to_json(b, &r));
        else
            print_text(b, &r);
    }
}

int main(int argc, char **argv)
{
    struct options o = {.filter = "", .rounds = 31};
    json_t *results = json_array(), *root;

    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "-filter=", 8)) {
            o.filter = argv[i] + 8;
        } else if (!strncmp(argv[i], "-rounds=", 8)) {
            o.rounds = strtoul(argv[i] + 8, NULL, 10);
        } else if (!strcmp(argv[i], "-json")) {
            o.json = true;
        } else if (!strcmp(argv[i], "-list")) {
            o.list = true;
        } else {
            fprintf(stderr, "usage: bench [-filter=TEXT] [-rounds=N] [-json] "
                            "[-list]\n");
            return 1;
        }
    }
    cc_mem_keep(); /* as the daemon does */
    if (o.rounds < 1 || o.rounds > 100000) {
        fprintf(stderr, "-rounds wants a number from 1 to 100000\n");
        return 1;
    }
    if (!o.json && !o.list)
        printf("sha256: %s, %zu rounds, medians of processor time\n",
               cc_sha256_backend(), o.rounds);
    run_all(bench_crypto, bench_crypto_count, &o, results);
    run_all(bench_consensus, bench_consensus_count, &o, results);
    run_all(bench_chain, bench_chain_count, &o, results);
    run_all(bench_storage, bench_storage_count, &o, results);
    if (o.json) {
        root = json_object();
        json_object_set_new(root, "sha256", json_string(cc_sha256_backend()));
        json_object_set_new(root, "rounds", json_integer((json_int_t)o.rounds));
        json_object_set_new(root, "benchmarks", json_incref(results));
        json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
        printf("\n");
        json_decref(root);
    }
    json_decref(results);
    return 0;
}
