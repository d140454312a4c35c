/*
 * Transactions whose scripts have held.
 *
 * A wtxid names all that scripts depend on but the flags: the coins are named
 * by the ids of those who made them. What is kept are transactions that held
 * under the standard flags, so the answer is good for all that ask for no more
 * than those. Storage proofs depend on the branch and are not meant.
 *
 * Two generations: at least so many are remembered and at most twice as many.
 */
#include "mempool/internal.h"
#include "util/random.h"

/* Of an entry, at the map's least load. */
#define ENTRY_BYTES 88

void cc_txpool_known_init(struct cc_txpool_known *k, size_t bytes)
{
    uint8_t seeds[2][16];

    cc_random_bytes(seeds, sizeof(seeds));
    cc_map_init(&k->now, 32, 0, seeds[0]);
    cc_map_init(&k->before, 32, 0, seeds[1]);
    k->most = bytes / 2 / ENTRY_BYTES;
}

void cc_txpool_known_clear(struct cc_txpool_known *k)
{
    cc_map_clear(&k->now);
    cc_map_clear(&k->before);
}

bool cc_txpool_known_has(const struct cc_txpool_known *k,
                         const uint8_t wtxid[32])
{
    return cc_map_get(&k->now, wtxid) || cc_map_get(&k->before, wtxid);
}

void cc_txpool_known_add(struct cc_txpool_known *k, const uint8_t wtxid[32])
{
    if (!k->most)
        return;
    if (k->now.count >= k->most) {
        struct cc_map old = k->before;

        k->before = k->now;
        k->now = old;
        cc_map_clear(&k->now);
    }
    cc_map_put(&k->now, wtxid, NULL);
}
