/*
 * mem.h: memory that is there or the program is not.
 *
 * A small failed allocation stops the program with one clear line; so callers
 * need no check. A size that a peer chose is bounded before it comes here.
 */
#ifndef CC_UTIL_MEM_H
#define CC_UTIL_MEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* For main, at start: memory that a block gave back is kept for the next one,
 * up to a bound, instead of going to the kernel and coming in again page by
 * page, which costs more than hashing it. */
void cc_mem_keep(void);

void *cc_malloc(size_t len);
void *cc_calloc(size_t count, size_t size);
/* count * size is checked for overflow. */
void *cc_reallocarray(void *p, size_t count, size_t size);
void *cc_memdup(const void *p, size_t len);
char *cc_strdup(const char *s);
/* printf into a string that the caller frees. */
char *cc_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *cc_vasprintf(const char *fmt, va_list ap)
    __attribute__((format(printf, 1, 0)));

/* Overwrite a secret so that the compiler keeps it overwritten. */
void cc_cleanse(void *p, size_t len);

/* Compare without telling by time where the difference is. */
bool cc_equal_ct(const void *a, const void *b, size_t len);

/* Grow an array so that it holds count items of size; *cap is updated. */
void *cc_grow(void *p, size_t *cap, size_t count, size_t size);

#endif
