/*
 * mtree.h: Merkle trees of RFC 9162 2.1 over SHA-256 (0x00 leaf, 0x01 node):
 * the trees over a sector's leaves and over a contract's sector roots.
 */
#ifndef CC_CRYPTO_MTREE_H
#define CC_CRYPTO_MTREE_H

#include "util/bytes.h"

#define CC_LEAF_SIZE 1024
#define CC_SECTOR_LEAVES 4096
#define CC_SECTOR_SIZE (CC_LEAF_SIZE * CC_SECTOR_LEAVES)

void cc_mtree_leaf(uint8_t out[32], const void *leaf, size_t len);
void cc_mtree_node(uint8_t out[32], const uint8_t left[32],
                   const uint8_t right[32]);

/* Root over n >= 1 node hashes of 32 bytes each; hashes is left as it was. */
void cc_mtree_root(uint8_t out[32], const uint8_t *hashes, size_t n);

/* Root of one sector of CC_SECTOR_SIZE bytes. */
void cc_mtree_sector_root(uint8_t out[32], const uint8_t *sector);

/* All leaf hashes of a sector: 4,096 x 32 bytes. */
void cc_mtree_sector_leaves(uint8_t *out, const uint8_t *sector);

/* Number of nodes in the path of leaf index of n. */
size_t cc_mtree_path_len(uint64_t index, uint64_t n);

/* Path of index over n hashes, leaf upward: cc_mtree_path_len nodes of 32
 * bytes. Over sector leaves, then over sector roots, the two paths join. */
void cc_mtree_path(uint8_t *path, const uint8_t *hashes, size_t n,
                   size_t index);

/* The root to which node (a leaf hash) at index of n leads by a path of count
 * nodes (RFC 9162 2.1.3.2); false if the length is not the exact one. */
bool cc_mtree_path_root(uint8_t root[32], const uint8_t node[32],
                        uint64_t index, uint64_t n, const uint8_t *path,
                        size_t count);

/* Proof for the leaves [begin, end) of n: the roots of the maximal subtrees
 * outside the range, left to right. *count: room in nodes, then the number;
 * at most 2 * 64. hashes are all n node hashes. */
bool cc_mtree_range_prove(uint8_t *proof, size_t *count, const uint8_t *hashes,
                          size_t n, size_t begin, size_t end);
/* range: the (end - begin) hashes inside. True if they lead to root with
 * exactly count proof nodes. */
bool cc_mtree_range_check(const uint8_t root[32], const uint8_t *range,
                          uint64_t n, uint64_t begin, uint64_t end,
                          const uint8_t *proof, size_t count);

#endif
