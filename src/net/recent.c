#include "net/recent.h"

#include <stdlib.h>

#include "util/mem.h"
#include "util/siphash.h"

#define FIRST_CAP 64

void cc_recent_init(struct cc_recent *r, size_t keep, const uint8_t seed[16])
{
    memset(r, 0, sizeof(*r));
    r->keep = keep;
    r->k0 = cc_get_u64le(seed);
    r->k1 = cc_get_u64le(seed + 8);
}

void cc_recent_clear(struct cc_recent *r) { cc_recent_reset(r); }

void cc_recent_reset(struct cc_recent *r)
{
    free(r->now.slots);
    free(r->before.slots);
    memset(&r->now, 0, sizeof(r->now));
    memset(&r->before, 0, sizeof(r->before));
}

static uint64_t mark(const struct cc_recent *r, const uint8_t hash[32])
{
    uint64_t v = cc_siphash(r->k0, r->k1, hash, 32);

    return v ? v : 1;
}

static bool half_has(const struct cc_recent_half *h, uint64_t v)
{
    if (!h->cap)
        return false;
    for (size_t i = v & (h->cap - 1); h->slots[i]; i = (i + 1) & (h->cap - 1))
        if (h->slots[i] == v)
            return true;
    return false;
}

static void half_put(struct cc_recent_half *h, uint64_t v)
{
    size_t i = v & (h->cap - 1);

    while (h->slots[i])
        i = (i + 1) & (h->cap - 1);
    h->slots[i] = v;
    h->count++;
}

/* Keep the load at a half or less. */
static void half_grow(struct cc_recent_half *h)
{
    struct cc_recent_half old = *h;

    h->cap = old.cap ? old.cap * 2 : FIRST_CAP;
    h->slots = cc_calloc(h->cap, sizeof(*h->slots));
    h->count = 0;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i])
            half_put(h, old.slots[i]);
    free(old.slots);
}

void cc_recent_add(struct cc_recent *r, const uint8_t hash[32])
{
    uint64_t v = mark(r, hash);

    if (half_has(&r->now, v))
        return;
    if (r->now.count >= r->keep) {
        free(r->before.slots);
        r->before = r->now;
        memset(&r->now, 0, sizeof(r->now));
    }
    if (2 * (r->now.count + 1) > r->now.cap)
        half_grow(&r->now);
    half_put(&r->now, v);
}

bool cc_recent_has(const struct cc_recent *r, const uint8_t hash[32])
{
    uint64_t v = mark(r, hash);

    return half_has(&r->now, v) || half_has(&r->before, v);
}
