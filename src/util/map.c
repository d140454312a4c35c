#include "util/map.h"

#include <assert.h>
#include <stdlib.h>

#include "util/mem.h"
#include "util/siphash.h"

/*
 * used[i] is 0 for an empty slot, else 0x80 and seven bits of the hash that
 * do not choose the slot: most unequal keys are told apart by that byte.
 * Every key lies on an unbroken run of used slots that starts at its home.
 */

static uint64_t hash_of(const struct cc_map *m, const void *key)
{
    return cc_siphash(m->k0, m->k1, key, m->key_len);
}

static uint8_t tag_of(uint64_t hash) { return (uint8_t)(0x80 | hash >> 57); }

static uint8_t *slot(const struct cc_map *m, size_t i)
{
    return m->slots + i * m->stride;
}

void cc_map_init(struct cc_map *m, size_t key_len, size_t value_len,
                 const uint8_t seed[16])
{
    memset(m, 0, sizeof(*m));
    m->key_len = key_len;
    m->value_len = value_len;
    m->value_at = (key_len + 7) & ~(size_t)7;
    m->stride = (m->value_at + value_len + 7) & ~(size_t)7;
    m->k0 = cc_get_u64le(seed);
    m->k1 = cc_get_u64le(seed + 8);
}

void cc_map_clear(struct cc_map *m)
{
    free(m->slots);
    free(m->used);
    m->slots = m->used = NULL;
    m->count = m->cap = 0;
}

void cc_map_reset(struct cc_map *m)
{
    if (m->cap)
        memset(m->used, 0, m->cap);
    m->count = 0;
}

/* The slot that holds key, or the empty one where it would go. */
static size_t find(const struct cc_map *m, const void *key, uint64_t hash)
{
    size_t mask = m->cap - 1, i = (size_t)hash & mask;
    uint8_t tag = tag_of(hash);

    while (m->used[i] &&
           (m->used[i] != tag || memcmp(slot(m, i), key, m->key_len) != 0))
        i = (i + 1) & mask;
    return i;
}

static void grow(struct cc_map *m, size_t cap)
{
    struct cc_map old = *m;

    m->cap = cap;
    m->slots = cc_reallocarray(NULL, cap, m->stride);
    m->used = cc_calloc(cap, 1);
    for (size_t i = 0; i < old.cap; i++) {
        if (!old.used[i])
            continue;
        uint64_t hash = hash_of(m, slot(&old, i));
        size_t to = find(m, slot(&old, i), hash);

        m->used[to] = tag_of(hash);
        memcpy(slot(m, to), slot(&old, i), m->stride);
    }
    free(old.slots);
    free(old.used);
}

void cc_map_reserve(struct cc_map *m, size_t count)
{
    size_t cap = m->cap ? m->cap : 16;

    while (cap - cap / 4 < count) {
        assert(cap <= SIZE_MAX / 2);
        cap *= 2;
    }
    if (cap > m->cap)
        grow(m, cap);
}

void *cc_map_get(const struct cc_map *m, const void *key)
{
    size_t i;

    if (!m->count)
        return NULL;
    i = find(m, key, hash_of(m, key));
    return m->used[i] ? slot(m, i) + m->value_at : NULL;
}

void *cc_map_put(struct cc_map *m, const void *key, bool *fresh)
{
    uint64_t hash = hash_of(m, key);
    size_t i;

    cc_map_reserve(m, m->count + 1);
    i = find(m, key, hash);
    if (fresh)
        *fresh = !m->used[i];
    if (!m->used[i]) {
        m->used[i] = tag_of(hash);
        memset(slot(m, i), 0, m->stride);
        memcpy(slot(m, i), key, m->key_len);
        m->count++;
    }
    return slot(m, i) + m->value_at;
}

/* Fill the hole at i from the run behind it: an item may move into the hole
 * if its home is not inside (hole, item]. */
static void close_gap(struct cc_map *m, size_t hole)
{
    size_t mask = m->cap - 1;

    for (size_t i = (hole + 1) & mask; m->used[i]; i = (i + 1) & mask) {
        size_t home = (size_t)hash_of(m, slot(m, i)) & mask;

        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        memcpy(slot(m, hole), slot(m, i), m->stride);
        m->used[hole] = m->used[i];
        hole = i;
    }
    m->used[hole] = 0;
}

bool cc_map_remove(struct cc_map *m, const void *key, void *value_out)
{
    size_t i;

    if (!m->count)
        return false;
    i = find(m, key, hash_of(m, key));
    if (!m->used[i])
        return false;
    if (value_out)
        memcpy(value_out, slot(m, i) + m->value_at, m->value_len);
    close_gap(m, i);
    m->count--;
    return true;
}

bool cc_map_next(const struct cc_map *m, size_t *pos, const void **key,
                 void **value)
{
    while (*pos < m->cap && !m->used[*pos])
        (*pos)++;
    if (*pos >= m->cap)
        return false;
    if (key)
        *key = slot(m, *pos);
    if (value)
        *value = slot(m, *pos) + m->value_at;
    (*pos)++;
    return true;
}
