#include <stdlib.h>

#include "consensus/machine.h"
#include "util/mem.h"

void cc_stack_init(struct stack *s)
{
    s->items = s->local;
    s->count = 0;
    s->cap = STACK_LOCAL;
}

void cc_stack_clear(struct stack *s)
{
    if (s->items != s->local)
        free(s->items);
}

static void reserve(struct stack *s, size_t count)
{
    struct elem *items;
    size_t cap = s->cap;

    if (count <= cap)
        return;
    while (cap < count)
        cap *= 2;
    items = cc_reallocarray(s->items == s->local ? NULL : s->items, cap,
                            sizeof(*items));
    if (s->items == s->local)
        memcpy(items, s->local, s->count * sizeof(*items));
    s->items = items;
    s->cap = cap;
}

void cc_stack_copy(struct stack *to, const struct stack *from)
{
    reserve(to, from->count);
    memcpy(to->items, from->items, from->count * sizeof(*from->items));
    to->count = from->count;
}

void cc_stack_push(struct stack *s, const struct elem *e)
{
    struct elem copy = *e; /* e may be one of ours and move */

    reserve(s, s->count + 1);
    s->items[s->count++] = copy;
}

void cc_stack_push_ref(struct stack *s, struct cc_bytes b)
{
    struct elem *e;

    reserve(s, s->count + 1);
    e = &s->items[s->count++];
    e->len = (uint32_t)b.len;
    e->here = false;
    e->data = b.data;
}

void cc_stack_push_copy(struct stack *s, const void *data, size_t len)
{
    struct elem *e;

    reserve(s, s->count + 1);
    e = &s->items[s->count++];
    e->len = (uint32_t)len;
    e->here = true;
    memcpy(e->buf, data, len);
}

void cc_stack_push_num(struct stack *s, int64_t n)
{
    uint8_t b[9];
    size_t len = cc_script_num_encode(b, n);

    cc_stack_push_copy(s, b, len);
}

void cc_stack_push_bool(struct stack *s, bool v) { cc_stack_push_num(s, v); }

bool cc_bytes_true(struct cc_bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i])
            return i + 1 < b.len || b.data[i] != 0x80;
    return false;
}
