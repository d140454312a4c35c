/*
 * arena.h: many small pieces of memory, one free.
 *
 * For what lives and dies together: a decoded message, one RPC call. Pieces
 * are aligned for any type and never move.
 */
#ifndef CC_UTIL_ARENA_H
#define CC_UTIL_ARENA_H

#include <stddef.h>

struct cc_arena_chunk;

struct cc_arena {
    struct cc_arena_chunk *head;
};

void cc_arena_init(struct cc_arena *a);
void cc_arena_clear(struct cc_arena *a);
/* Not zeroed. */
void *cc_arena_alloc(struct cc_arena *a, size_t len);
/* Zeroed; count * size is checked for overflow. */
void *cc_arena_calloc(struct cc_arena *a, size_t count, size_t size);
void *cc_arena_dup(struct cc_arena *a, const void *p, size_t len);

#endif
