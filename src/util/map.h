/*
 * map.h: a hash table from byte keys of one length to small values of one
 * size (a pointer, a number, a struct), both copied in.
 *
 * Open addressing with linear probing; removal closes the gap, so there are
 * no tombstones and a table of many inserts and removals never degrades. The
 * hash is SipHash under a key that the caller draws at random: a peer who
 * chooses keys cannot choose collisions. Where the order of results matters
 * (consensus, output), do not take it from a map.
 *
 * Not thread safe. Pointers to values hold until the next insert or removal.
 */
#ifndef CC_UTIL_MAP_H
#define CC_UTIL_MAP_H

#include "util/bytes.h"

struct cc_map {
    uint8_t *slots; /* cap x (key, padding, value) */
    uint8_t *used;  /* cap flags */
    size_t count, cap;
    size_t key_len, value_len, value_at, stride;
    uint64_t k0, k1;
};

/* seed: 16 random bytes (cc_random_bytes), the table's own. */
void cc_map_init(struct cc_map *m, size_t key_len, size_t value_len,
                 const uint8_t seed[16]);
void cc_map_clear(struct cc_map *m);
/* Remove everything, keep the memory. */
void cc_map_reset(struct cc_map *m);
/* Room for count items without growing. */
void cc_map_reserve(struct cc_map *m, size_t count);

/* The value under key, NULL if there is none. */
void *cc_map_get(const struct cc_map *m, const void *key);
/* The value under key; a fresh one is zeroed. *fresh (may be NULL) says so. */
void *cc_map_put(struct cc_map *m, const void *key, bool *fresh);
/* False if there was none. value_out (may be NULL) gets what was there. */
bool cc_map_remove(struct cc_map *m, const void *key, void *value_out);

/* Walk: start with pos = 0; false at the end. Do not change the map between
 * (values may be written). key and value may be NULL. */
bool cc_map_next(const struct cc_map *m, size_t *pos, const void **key,
                 void **value);

/* For maps whose value is one pointer. */
static inline void *cc_map_get_ptr(const struct cc_map *m, const void *key)
{
    void **v = (void **)cc_map_get(m, key);

    return v ? *v : NULL;
}

/* Sets or replaces; the pointer that was there, or NULL. */
static inline void *cc_map_put_ptr(struct cc_map *m, const void *key, void *p)
{
    void **v = (void **)cc_map_put(m, key, NULL);
    void *old = *v;

    *v = p;
    return old;
}

/* The pointer that was there, or NULL. */
static inline void *cc_map_remove_ptr(struct cc_map *m, const void *key)
{
    void *old = NULL;

    return cc_map_remove(m, key, &old) ? old : NULL;
}

#endif
