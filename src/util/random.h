/*
 * random.h: bytes nobody can guess, from the kernel. Any thread.
 *
 * If the kernel gives none, the program stops: there is nothing safe to do.
 * Where tests must repeat a run, hand in the numbers instead.
 */
#ifndef CC_UTIL_RANDOM_H
#define CC_UTIL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void cc_random_bytes(void *out, size_t len);
uint64_t cc_random_u64(void);
/* Even over [0, n); n > 0. */
uint64_t cc_random_below(uint64_t n);

#endif
