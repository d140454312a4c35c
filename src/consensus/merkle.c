#include "consensus/block.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "util/mem.h"

/*
 * Bitcoin pairs the last node of an odd level with itself. So a list whose
 * tail repeats itself has the root of the shorter list (CVE-2012-2459), and
 * such a block says nothing about the hash in its header. It shows as two
 * equal nodes that are paired without being the one odd node.
 */
static bool has_equal_pair(const uint8_t *level, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        if (!memcmp(level + 32 * i, level + 32 * (i + 1), 32))
            return true;
    return false;
}

/* level: n nodes, with room for one more when n > 1; overwritten. */
static void climb(uint8_t out[32], uint8_t *level, size_t n, bool *mutated)
{
    if (mutated)
        *mutated = false;
    if (!n) {
        memset(out, 0, 32);
        return;
    }
    while (n > 1) {
        if (mutated && !*mutated)
            *mutated = has_equal_pair(level, n);
        if (n & 1) {
            memcpy(level + 32 * n, level + 32 * (n - 1), 32);
            n++;
        }
        n /= 2;
        cc_hash256_pairs(level, level, n);
    }
    memcpy(out, level, 32);
}

void cc_merkle_root(uint8_t out[32], const uint8_t *ids, size_t n,
                    bool *mutated)
{
    uint8_t *level = cc_reallocarray(NULL, n + 1, 32);

    if (n)
        memcpy(level, ids, 32 * n);
    climb(out, level, n, mutated);
    free(level);
}

void cc_block_merkle_root(uint8_t out[32], const struct cc_block *block,
                          bool *mutated)
{
    uint8_t *level = cc_reallocarray(NULL, block->tx_count + 1, 32);

    for (size_t i = 0; i < block->tx_count; i++)
        memcpy(level + 32 * i, block->tx[i].txid, 32);
    climb(out, level, block->tx_count, mutated);
    free(level);
}

void cc_block_witness_root(uint8_t out[32], const struct cc_block *block)
{
    uint8_t *level = cc_reallocarray(NULL, block->tx_count + 1, 32);

    memset(level, 0, 32);
    for (size_t i = 1; i < block->tx_count; i++)
        memcpy(level + 32 * i, block->tx[i].wtxid, 32);
    climb(out, level, block->tx_count, NULL);
    free(level);
}
