/*
 * recent.h: the last so many hashes, forgetting the oldest.
 *
 * Two generations of an open table of keyed 64-bit fingerprints: at least
 * `keep` and at most twice as many are remembered. A false "yes" has chance
 * below 2^-40; the key is random, so nobody can aim for one. Grows with use.
 * Not thread safe.
 */
#ifndef CC_NET_RECENT_H
#define CC_NET_RECENT_H

#include "util/bytes.h"

struct cc_recent_half {
    uint64_t *slots; /* 0: free */
    size_t cap, count;
};

struct cc_recent {
    struct cc_recent_half now, before;
    size_t keep;
    uint64_t k0, k1;
};

void cc_recent_init(struct cc_recent *r, size_t keep, const uint8_t seed[16]);
void cc_recent_clear(struct cc_recent *r);
/* Forget everything. */
void cc_recent_reset(struct cc_recent *r);
void cc_recent_add(struct cc_recent *r, const uint8_t hash[32]);
bool cc_recent_has(const struct cc_recent *r, const uint8_t hash[32]);

#endif
