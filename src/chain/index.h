/*
 * index.h: the tree of all known headers, in memory, and the choice of the
 * best block in it.
 *
 * Entries live until the tree is cleared. A candidate is a block whose whole
 * chain of data is here, that is not known bad, and that is no worse than the
 * tip: by work, then by who came first. The tip itself is always one, so the
 * best candidate always exists and activation can never stall on a block that
 * cannot be connected.
 *
 * Not thread safe: under the chain's lock, but the lookups in fixed fields.
 */
#ifndef CC_CHAIN_INDEX_H
#define CC_CHAIN_INDEX_H

#include "chain/chain.h"
#include "util/map.h"

struct cc_tree {
    struct cc_map by_hash; /* 32 bytes to struct cc_index * */
    struct cc_index *genesis, *best_header;
    struct cc_index **dirty; /* to be written with the next batch */
    size_t dirty_count, dirty_cap;
    struct cc_index **candidates;
    size_t candidate_count, candidate_cap;
    int64_t next_sequence;
    int64_t next_precious;        /* falls: each goes before the last */
    struct cc_u256 precious_work; /* of the tip when one was last named */
};

void cc_tree_init(struct cc_tree *t);
void cc_tree_clear(struct cc_tree *t);
struct cc_index *cc_tree_find(const struct cc_tree *t, const uint8_t hash[32]);
/* hash: the header's, not there yet. prev: NULL for genesis alone. */
struct cc_index *cc_tree_add(struct cc_tree *t, const struct cc_header *header,
                             const uint8_t hash[32], struct cc_index *prev);
void cc_tree_touch(struct cc_tree *t, struct cc_index *i);

static inline bool cc_index_failed(const struct cc_index *i)
{
    return i->status & (CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD);
}
/* Is a the better block to have as tip? */
bool cc_index_better(const struct cc_index *a, const struct cc_index *b);
/* Walk the tree below root, parents first: the one after i, NULL at the end.
 * Start with i = root. */
struct cc_index *cc_index_walk(struct cc_index *i, const struct cc_index *root);

/* The data of i is stored: it, and what waited for it, join the chains. */
void cc_tree_received(struct cc_tree *t, struct cc_index *i, uint32_t tx_count,
                      const struct cc_index *tip);
struct cc_index *cc_tree_best(const struct cc_tree *t);
/* The tip moved forward: let go of what is worse. */
void cc_tree_prune(struct cc_tree *t, const struct cc_index *tip);
/* The data of i are gone. active: i stays part of the tip's chain; otherwise
 * its data, and with it what is built on it, must come again. */
void cc_tree_pruned(struct cc_tree *t, struct cc_index *i, bool active);
/* No candidate any more, until its data or those of an ancestor come. */
void cc_tree_drop(struct cc_tree *t, struct cc_index *i);
/* Choose candidates and the best header anew from all. */
void cc_tree_rebuild(struct cc_tree *t, const struct cc_index *tip);
/* Condemn i and what is built on it. */
void cc_tree_fail(struct cc_tree *t, struct cc_index *i,
                  const struct cc_index *tip);
/* Take back what fail said of i, its ancestors and descendants. */
void cc_tree_unfail(struct cc_tree *t, struct cc_index *i,
                    const struct cc_index *tip);
void cc_tree_precious(struct cc_tree *t, struct cc_index *i,
                      const struct cc_index *tip);

/* The record in the database, under the hash: header 80 ‖ height 4 ‖ status 1
 * ‖ tx_count 4 ‖ file 4 ‖ data_pos 4 ‖ size 4 ‖ undo_pos 4 ‖ undo_size 4, then
 * if it was connected once pool 8 ‖ T 32 ‖ claims 4. */
void cc_index_write(struct cc_writer *w, const struct cc_index *i);
/* Fills header, hash, height and what is not derived. */
void cc_index_read(struct cc_reader *r, struct cc_index *i);

#endif
