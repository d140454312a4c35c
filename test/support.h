/*
 * support.h: what unit tests share: finding vectors, hex, JSON fields, random
 * numbers, folders.
 */
#ifndef CC_TEST_SUPPORT_H
#define CC_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "util/bytes.h"

/* A vector file: test/data, then $CC_VECTORS, then ../shared/vectors. NULL,
 * after a line that says so, when it is nowhere: the test then calls skip().
 * The bytes (NUL behind them) are the caller's to free. */
char *cc_test_load(const char *name, size_t *len);
/* The same as JSON; one that does not parse fails the test. */
json_t *cc_test_load_json(const char *name);

/* Hex of exactly even length to malloc'd bytes; fails the test otherwise. */
uint8_t *cc_test_unhex(const char *hex, size_t *len);
/* Hex of exactly len bytes. */
void cc_test_unhex_into(void *out, size_t len, const char *hex);
/* "…" in hex, in a static ring of buffers: for messages. */
const char *cc_test_hex(const void *data, size_t len);

/* Members that must be there. */
const char *cc_test_string(const json_t *object, const char *key);
int64_t cc_test_int(const json_t *object, const char *key);

/* Deterministic random numbers (splitmix64): seed from $CC_SEED or the given
 * one, printed. */
struct cc_test_random {
    uint64_t state;
};
void cc_test_random_init(struct cc_test_random *r, uint64_t seed);
uint64_t cc_test_random(struct cc_test_random *r);

/* Wait until cond(arg), looking now and then; fails the test after a minute. */
void cc_test_until(bool (*cond)(void *arg), void *arg, const char *what);

/* A new folder, under $TMPDIR or /tmp. cc_test_rmdir takes it away with all
 * that is in it and frees its path; what a test that failed has left goes when
 * the program ends. */
char *cc_test_mkdir(void);
void cc_test_rmdir(char *path);

/* "script_tests: 1,206 cases ran": how many cases a vector test judged. */
void cc_test_ran(const char *what, size_t cases);

#endif
