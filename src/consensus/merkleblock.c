#include "consensus/merkleblock.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "util/mem.h"

/* The tree over n leaves, walked from the root; leaves stand at level 0. */
struct partial {
    size_t n;
    const uint8_t *ids; /* making: all txids */
    const bool *wanted; /* making: which leaves to show */
    uint8_t (*hashes)[32];
    size_t hash_count, hash_at;
    uint8_t *bits; /* one a byte */
    size_t bit_count, bit_at;
    bool bad;
    /* reading: leaves shown */
    uint8_t (*matches)[32];
    size_t match_count;
};

static size_t width(const struct partial *p, unsigned level)
{
    return (p->n + ((size_t)1 << level) - 1) >> level;
}

static unsigned height(const struct partial *p)
{
    unsigned h = 0;

    while (width(p, h) > 1)
        h++;
    return h;
}

static void join(uint8_t out[32], const uint8_t left[32],
                 const uint8_t right[32])
{
    uint8_t both[64];

    memcpy(both, left, 32);
    memcpy(both + 32, right, 32);
    cc_hash256(out, both, 64);
}

/* --- Making ------------------------------------------------------------ */

static void subtree_hash(const struct partial *p, unsigned level, size_t at,
                         uint8_t out[32])
{
    uint8_t left[32], right[32];

    if (level == 0) {
        memcpy(out, p->ids + 32 * at, 32);
        return;
    }
    subtree_hash(p, level - 1, 2 * at, left);
    if (2 * at + 1 < width(p, level - 1))
        subtree_hash(p, level - 1, 2 * at + 1, right);
    else
        memcpy(right, left, 32);
    join(out, left, right);
}

static void build(struct partial *p, unsigned level, size_t at)
{
    bool inside = false;

    for (size_t i = at << level; i < (at + 1) << level && i < p->n; i++)
        inside = inside || p->wanted[i];
    p->bits[p->bit_count++] = inside;
    if (level == 0 || !inside) {
        subtree_hash(p, level, at, p->hashes[p->hash_count++]);
        return;
    }
    build(p, level - 1, 2 * at);
    if (2 * at + 1 < width(p, level - 1))
        build(p, level - 1, 2 * at + 1);
}

void cc_merkle_block_write(struct cc_writer *w, const struct cc_block *block,
                           const bool *wanted)
{
    struct partial p = {.n = block->tx_count, .wanted = wanted};
    uint8_t *ids = cc_malloc(32 * p.n + 1);

    for (size_t i = 0; i < p.n; i++)
        memcpy(ids + 32 * i, block->tx[i].txid, 32);
    p.ids = ids;
    p.hashes = cc_reallocarray(NULL, 2 * p.n + 1, 32);
    p.bits = cc_malloc(2 * p.n + 64);
    build(&p, height(&p), 0);
    cc_header_write(w, &block->header);
    cc_write_u32le(w, (uint32_t)p.n);
    cc_write_compact(w, p.hash_count);
    cc_write_bytes(w, p.hashes, 32 * p.hash_count);
    cc_write_compact(w, (p.bit_count + 7) / 8);
    for (size_t i = 0; i < p.bit_count; i += 8) {
        uint8_t byte = 0;

        for (size_t b = 0; b < 8 && i + b < p.bit_count; b++)
            byte |= (uint8_t)(p.bits[i + b] << b);
        cc_write_u8(w, byte);
    }
    free(ids);
    free(p.hashes);
    free(p.bits);
}

/* --- Reading ----------------------------------------------------------- */

static void walk(struct partial *p, unsigned level, size_t at, uint8_t out[32])
{
    uint8_t left[32], right[32];
    bool inside;

    memset(out, 0, 32);
    if (p->bit_at >= p->bit_count) {
        p->bad = true;
        return;
    }
    inside = p->bits[p->bit_at++];
    if (level == 0 || !inside) {
        if (p->hash_at >= p->hash_count) {
            p->bad = true;
            return;
        }
        memcpy(out, p->hashes[p->hash_at++], 32);
        if (level == 0 && inside)
            memcpy(p->matches[p->match_count++], out, 32);
        return;
    }
    walk(p, level - 1, 2 * at, left);
    if (2 * at + 1 < width(p, level - 1)) {
        walk(p, level - 1, 2 * at + 1, right);
        /* Equal halves would let one list stand for another. */
        p->bad = p->bad || !memcmp(left, right, 32);
    } else {
        memcpy(right, left, 32);
    }
    join(out, left, right);
}

static bool read_tree(struct partial *p, struct cc_merkle_block *out,
                      struct cc_reader *r)
{
    uint8_t root[32];
    struct cc_bytes packed;
    size_t n;

    cc_header_read(r, &out->header);
    p->n = cc_read_u32le(r);
    n = cc_read_count(r, 32);
    if (r->failed || p->n == 0 || p->n > CC_MAX_BLOCK_WEIGHT / 240 || n > p->n)
        return false;
    p->hashes = cc_reallocarray(NULL, n + 1, 32);
    p->hash_count = n;
    cc_read_bytes(r, p->hashes, 32 * n);
    packed = cc_read_var(r);
    if (!cc_reader_done(r) || packed.len > CC_MAX_BLOCK_WEIGHT)
        return false;
    p->bit_count = 8 * packed.len;
    if (p->bit_count < n)
        return false;
    p->bits = cc_malloc(p->bit_count + 1);
    for (size_t i = 0; i < p->bit_count; i++)
        p->bits[i] = packed.data[i / 8] >> (i % 8) & 1;
    p->matches = cc_reallocarray(NULL, n + 1, 32);
    walk(p, height(p), 0, root);
    return !p->bad && p->hash_at == p->hash_count &&
           (p->bit_at + 7) / 8 == packed.len &&
           !memcmp(root, out->header.merkle_root, 32);
}

bool cc_merkle_block_read(struct cc_merkle_block *out, struct cc_reader *r)
{
    struct partial p = {.n = 0};
    bool good;

    memset(out, 0, sizeof(*out));
    good = read_tree(&p, out, r);
    free(p.hashes);
    free(p.bits);
    out->tx_count = p.n;
    out->matches = p.matches;
    out->match_count = p.match_count;
    return good;
}

void cc_merkle_block_clear(struct cc_merkle_block *m)
{
    free(m->matches);
    m->matches = NULL;
    m->match_count = 0;
}
