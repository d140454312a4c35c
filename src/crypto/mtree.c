/*
 * Trees over n leaves split at the greatest power of two below n, so a node
 * of the tree is named by its height and place, and a path's length follows
 * from (index, n) alone. Whole levels are hashed at a time: that is what the
 * backends with several lanes are good at.
 */
#include "crypto/mtree.h"

#include "crypto/hash.h"
#include "util/mem.h"

#include <assert.h>
#include <stdlib.h>

void cc_mtree_leaf(uint8_t out[32], const void *leaf, size_t len)
{
    struct cc_sha256 c;

    cc_sha256_init(&c);
    cc_sha256_update(&c, "\0", 1);
    cc_sha256_update(&c, leaf, len);
    cc_sha256_final(&c, out);
}

void cc_mtree_node(uint8_t out[32], const uint8_t left[32],
                   const uint8_t right[32])
{
    uint8_t buf[65];

    buf[0] = 1;
    memcpy(buf + 1, left, 32);
    memcpy(buf + 33, right, 32);
    cc_sha256_once(out, buf, sizeof(buf));
}

/* The nodes above n nodes; the last of an odd number moves up as it is, which
 * builds the same tree as splitting at powers of two. out must not overlap. */
static size_t level_up(uint8_t *out, const uint8_t *in, size_t n)
{
    cc_sha256_prefixed_many(out, 1, in, 64, n / 2);
    if (n % 2)
        memcpy(out + 32 * (n / 2), in + 32 * (n - 1), 32);
    return n / 2 + n % 2;
}

void cc_mtree_root(uint8_t out[32], const uint8_t *hashes, size_t n)
{
    uint8_t *room, *next;
    const uint8_t *level = hashes;

    assert(n > 0);
    if (n == 1) {
        memcpy(out, hashes, 32);
        return;
    }
    /* Two buffers in turn: half of n, and a quarter. */
    room = cc_reallocarray(NULL, n / 2 + n / 4 + 4, 32);
    next = room;
    while (n > 1) {
        n = level_up(next, level, n);
        level = next;
        next = next == room ? room + 32 * (n + 1) : room;
    }
    memcpy(out, level, 32);
    free(room);
}

void cc_mtree_sector_leaves(uint8_t *out, const uint8_t *sector)
{
    cc_sha256_prefixed_many(out, 0, sector, CC_LEAF_SIZE, CC_SECTOR_LEAVES);
}

void cc_mtree_sector_root(uint8_t out[32], const uint8_t *sector)
{
    uint8_t *leaves = cc_reallocarray(NULL, CC_SECTOR_LEAVES, 32);

    cc_mtree_sector_leaves(leaves, sector);
    cc_mtree_root(out, leaves, CC_SECTOR_LEAVES);
    free(leaves);
}

/* A step up from place i of n nodes has a sibling unless i is the last of an
 * odd number. */
static bool has_sibling(uint64_t i, uint64_t n) { return i % 2 || i + 1 < n; }

size_t cc_mtree_path_len(uint64_t index, uint64_t n)
{
    size_t len = 0;

    for (; n > 1; index /= 2, n = n / 2 + n % 2)
        len += has_sibling(index, n);
    return len;
}

void cc_mtree_path(uint8_t *path, const uint8_t *hashes, size_t n, size_t index)
{
    uint8_t *room, *next;
    const uint8_t *level = hashes;

    assert(index < n);
    room = cc_reallocarray(NULL, n / 2 + n / 4 + 4, 32);
    next = room;
    while (n > 1) {
        if (has_sibling(index, n)) {
            memcpy(path, level + 32 * (index ^ 1), 32);
            path += 32;
        }
        index /= 2;
        n = level_up(next, level, n);
        level = next;
        next = next == room ? room + 32 * (n + 1) : room;
    }
    free(room);
}

bool cc_mtree_path_root(uint8_t root[32], const uint8_t node[32],
                        uint64_t index, uint64_t n, const uint8_t *path,
                        size_t count)
{
    uint8_t h[32];

    if (index >= n || count != cc_mtree_path_len(index, n))
        return false;
    memcpy(h, node, 32);
    for (; n > 1; index /= 2, n = n / 2 + n % 2) {
        if (!has_sibling(index, n))
            continue;
        if (index % 2)
            cc_mtree_node(h, path, h);
        else
            cc_mtree_node(h, h, path);
        path += 32;
    }
    memcpy(root, h, 32);
    return true;
}

/* The leaves [at, at + size) as a subtree of the whole. */
struct span {
    uint64_t at, size;
};

static uint64_t split_of(uint64_t size)
{
    uint64_t k = 1;

    while (k < size - k)
        k *= 2;
    return k;
}

struct prover {
    const uint8_t *hashes;
    size_t begin, end;
    uint8_t *proof;
    size_t room, count;
};

static bool prove_span(struct prover *p, struct span s)
{
    uint64_t k;

    if (s.at >= p->begin && s.at + s.size <= p->end)
        return true; /* all inside: the reader has it */
    if (s.at >= p->end || s.at + s.size <= p->begin) {
        if (p->count == p->room)
            return false;
        cc_mtree_root(p->proof + 32 * p->count++, p->hashes + 32 * s.at,
                      (size_t)s.size);
        return true;
    }
    /* Depth: one level a call, 64 at the most. */
    k = split_of(s.size);
    return prove_span(p, (struct span){s.at, k}) &&
           prove_span(p, (struct span){s.at + k, s.size - k});
}

bool cc_mtree_range_prove(uint8_t *proof, size_t *count, const uint8_t *hashes,
                          size_t n, size_t begin, size_t end)
{
    struct prover p = {hashes, begin, end, proof, *count, 0};

    if (begin >= end || end > n || !prove_span(&p, (struct span){0, n}))
        return false;
    *count = p.count;
    return true;
}

struct checker {
    const uint8_t *range, *proof;
    uint64_t begin, end;
    size_t left; /* proof nodes not yet used */
};

static bool check_span(struct checker *c, uint8_t out[32], struct span s)
{
    uint8_t left[32], right[32];
    uint64_t k;

    if (s.at >= c->begin && s.at + s.size <= c->end) {
        cc_mtree_root(out, c->range + 32 * (s.at - c->begin), (size_t)s.size);
        return true;
    }
    if (s.at >= c->end || s.at + s.size <= c->begin) {
        if (!c->left)
            return false;
        memcpy(out, c->proof, 32);
        c->proof += 32;
        c->left--;
        return true;
    }
    k = split_of(s.size);
    if (!check_span(c, left, (struct span){s.at, k}) ||
        !check_span(c, right, (struct span){s.at + k, s.size - k}))
        return false;
    cc_mtree_node(out, left, right);
    return true;
}

bool cc_mtree_range_check(const uint8_t root[32], const uint8_t *range,
                          uint64_t n, uint64_t begin, uint64_t end,
                          const uint8_t *proof, size_t count)
{
    struct checker c = {range, proof, begin, end, count};
    uint8_t h[32];

    if (begin >= end || end > n || n > UINT64_C(1) << 62)
        return false;
    return check_span(&c, h, (struct span){0, n}) && !c.left &&
           !memcmp(h, root, 32);
}
