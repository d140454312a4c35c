#include "util/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define CHUNK_MIN 4096
#define CHUNK_MAX (1 << 20)

struct cc_arena_chunk {
    struct cc_arena_chunk *next;
    size_t used, cap;
    _Alignas(max_align_t) unsigned char data[];
};

void cc_arena_init(struct cc_arena *a) { a->head = NULL; }

void cc_arena_clear(struct cc_arena *a)
{
    struct cc_arena_chunk *c, *next;

    for (c = a->head; c; c = next) {
        next = c->next;
        free(c);
    }
    a->head = NULL;
}

void *cc_arena_alloc(struct cc_arena *a, size_t len)
{
    const size_t align = _Alignof(max_align_t);
    struct cc_arena_chunk *c = a->head;
    size_t cap;
    void *p;

    if (len > SIZE_MAX / 2)
        return cc_malloc(SIZE_MAX); /* stops the program */
    len = (len + align - 1) / align * align;
    if (!c || len > c->cap - c->used) {
        cap = c ? c->cap * 2 : CHUNK_MIN; /* double: few chunks for a block */
        if (cap > CHUNK_MAX)
            cap = CHUNK_MAX;
        if (cap < len)
            cap = len;
        c = cc_malloc(sizeof(*c) + cap);
        c->next = a->head;
        c->used = 0;
        c->cap = cap;
        a->head = c;
    }
    p = c->data + c->used;
    c->used += len;
    return p;
}

void *cc_arena_calloc(struct cc_arena *a, size_t count, size_t size)
{
    void *p;

    if (size && count > SIZE_MAX / size)
        return cc_malloc(SIZE_MAX);
    p = cc_arena_alloc(a, count * size);
    memset(p, 0, count * size);
    return p;
}

void *cc_arena_dup(struct cc_arena *a, const void *p, size_t len)
{
    void *out = cc_arena_alloc(a, len);

    if (len)
        memcpy(out, p, len);
    return out;
}
