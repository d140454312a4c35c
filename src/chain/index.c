#include "chain/index.h"

#include <stdlib.h>

#include "consensus/pow.h"
#include "util/mem.h"
#include "util/random.h"

#define MEDIAN_SPAN 11

void cc_tree_init(struct cc_tree *t)
{
    uint8_t seed[16];

    memset(t, 0, sizeof(*t));
    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&t->by_hash, 32, sizeof(struct cc_index *), seed);
    t->next_sequence = 2; /* 0: the chain we started with, 1: what else was */
    t->next_precious = -1;
}

void cc_tree_clear(struct cc_tree *t)
{
    size_t pos = 0;
    void *slot;

    while (cc_map_next(&t->by_hash, &pos, NULL, &slot))
        free(*(struct cc_index **)slot);
    cc_map_clear(&t->by_hash);
    free(t->dirty);
    free(t->candidates);
    memset(t, 0, sizeof(*t));
}

struct cc_index *cc_tree_find(const struct cc_tree *t, const uint8_t hash[32])
{
    return cc_map_get_ptr(&t->by_hash, hash);
}

void cc_tree_touch(struct cc_tree *t, struct cc_index *i)
{
    if (i->dirty)
        return;
    i->dirty = true;
    t->dirty =
        cc_grow(t->dirty, &t->dirty_cap, t->dirty_count + 1, sizeof(*t->dirty));
    t->dirty[t->dirty_count++] = i;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int64_t median_time(const struct cc_index *i)
{
    int64_t times[MEDIAN_SPAN] = {0};
    size_t n = 0;

    for (; i && n < MEDIAN_SPAN; i = i->prev)
        times[n++] = i->header.time;
    qsort(times, n, sizeof(*times), by_value);
    return times[n / 2];
}

/* Jump pointers (Myers, "An applicative random-access stack", 1983): as far
 * as two equal jumps of the parent reach together, else one step. Any ancestor
 * is O(log height) away; where a pointer leads depends on the height alone. */
static struct cc_index *skip_of(struct cc_index *prev)
{
    struct cc_index *j = prev->skip ? prev->skip : prev;
    struct cc_index *k = j->skip ? j->skip : j;

    return prev->height - j->height == j->height - k->height ? k : prev;
}

struct cc_index *cc_tree_add(struct cc_tree *t, const struct cc_header *header,
                             const uint8_t hash[32], struct cc_index *prev)
{
    struct cc_index *i = cc_calloc(1, sizeof(*i));

    memcpy(i->hash, hash, 32);
    i->header = *header;
    i->prev = prev;
    i->work = cc_pow_work(header->bits);
    i->time_max = header->time;
    i->status = CC_INDEX_HEADER;
    if (prev) {
        i->height = prev->height + 1;
        i->skip = skip_of(prev);
        cc_u256_add(&i->work, &i->work, &prev->work);
        if (i->time_max < prev->time_max)
            i->time_max = prev->time_max;
        i->sibling = prev->child;
        prev->child = i;
        if (cc_index_failed(prev))
            i->status |= CC_INDEX_FAILED_CHILD;
    } else {
        t->genesis = i;
    }
    i->median_time = median_time(i);
    cc_map_put_ptr(&t->by_hash, i->hash, i);
    if (!cc_index_failed(i) &&
        (!t->best_header || cc_u256_cmp(&i->work, &t->best_header->work) > 0))
        t->best_header = i;
    cc_tree_touch(t, i);
    return i;
}

struct cc_index *cc_index_ancestor(const struct cc_index *i, uint32_t height)
{
    if (!i || height > i->height)
        return NULL;
    while (i->height > height)
        i = i->skip->height >= height ? i->skip : i->prev;
    return (struct cc_index *)(uintptr_t)i;
}

struct cc_index *cc_index_fork(struct cc_index *a, struct cc_index *b)
{
    if (a->height > b->height)
        a = cc_index_ancestor(a, b->height);
    else
        b = cc_index_ancestor(b, a->height);
    while (a != b) {
        bool far = a->skip != b->skip;

        a = far ? a->skip : a->prev;
        b = far ? b->skip : b->prev;
    }
    return a;
}

struct cc_index *cc_index_walk(struct cc_index *i, const struct cc_index *root)
{
    if (i->child)
        return i->child;
    while (i != root && !i->sibling)
        i = i->prev;
    return i == root ? NULL : i->sibling;
}

bool cc_index_better(const struct cc_index *a, const struct cc_index *b)
{
    int d = cc_u256_cmp(&a->work, &b->work);

    if (d)
        return d > 0;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence;
    return memcmp(a->hash, b->hash, 32) < 0;
}

static void consider(struct cc_tree *t, struct cc_index *i,
                     const struct cc_index *tip)
{
    if (i->candidate || !i->chain_tx || cc_index_failed(i) ||
        (tip && i != tip && cc_index_better(tip, i)))
        return;
    i->candidate = true;
    t->candidates = cc_grow(t->candidates, &t->candidate_cap,
                            t->candidate_count + 1, sizeof(*t->candidates));
    t->candidates[t->candidate_count++] = i;
}

/* The children of what is complete are complete once their own data is. */
void cc_tree_received(struct cc_tree *t, struct cc_index *i, uint32_t tx_count,
                      const struct cc_index *tip)
{
    i->tx_count = tx_count;
    i->status |= CC_INDEX_DATA;
    cc_tree_touch(t, i);
    if (i->chain_tx || (i->prev && !i->prev->chain_tx))
        return; /* a pruned block fetched again, or one that must wait */
    for (struct cc_index *j = i; j;) {
        bool whole =
            (j->status & CC_INDEX_DATA) && (!j->prev || j->prev->chain_tx);

        if (whole) {
            j->chain_tx = (j->prev ? j->prev->chain_tx : 0) + j->tx_count;
            j->sequence = t->next_sequence++;
            consider(t, j, tip);
            j = cc_index_walk(j, i);
            continue;
        }
        /* nothing below it can be complete: on to the next branch */
        while (j != i && !j->sibling)
            j = j->prev;
        j = j == i ? NULL : j->sibling;
    }
}

struct cc_index *cc_tree_best(const struct cc_tree *t)
{
    struct cc_index *best = NULL;

    for (size_t n = 0; n < t->candidate_count; n++)
        if (!best || cc_index_better(t->candidates[n], best))
            best = t->candidates[n];
    return best;
}

void cc_tree_prune(struct cc_tree *t, const struct cc_index *tip)
{
    size_t keep = 0;

    for (size_t n = 0; n < t->candidate_count; n++) {
        struct cc_index *i = t->candidates[n];

        if (i == tip ||
            (i->chain_tx && !cc_index_failed(i) && cc_index_better(i, tip)))
            t->candidates[keep++] = i;
        else
            i->candidate = false;
    }
    t->candidate_count = keep;
}

void cc_tree_pruned(struct cc_tree *t, struct cc_index *i, bool active)
{
    i->status &= ~(unsigned)(CC_INDEX_DATA | CC_INDEX_UNDO);
    cc_tree_touch(t, i);
    if (active) {
        i->status |= CC_INDEX_PRUNED;
        return;
    }
    for (struct cc_index *j = i; j; j = cc_index_walk(j, i))
        j->chain_tx = 0;
}

void cc_tree_drop(struct cc_tree *t, struct cc_index *i)
{
    size_t n = 0;

    while (t->candidates[n] != i)
        n++;
    t->candidates[n] = t->candidates[--t->candidate_count];
    i->candidate = false;
}

void cc_tree_rebuild(struct cc_tree *t, const struct cc_index *tip)
{
    for (size_t n = 0; n < t->candidate_count; n++)
        t->candidates[n]->candidate = false;
    t->candidate_count = 0;
    t->best_header = t->genesis;
    for (struct cc_index *i = t->genesis; i; i = cc_index_walk(i, t->genesis)) {
        consider(t, i, tip);
        if (!cc_index_failed(i) &&
            cc_u256_cmp(&i->work, &t->best_header->work) > 0)
            t->best_header = i;
    }
}

void cc_tree_fail(struct cc_tree *t, struct cc_index *i,
                  const struct cc_index *tip)
{
    i->status |= CC_INDEX_FAILED;
    cc_tree_touch(t, i);
    for (struct cc_index *j = i->child; j; j = cc_index_walk(j, i)) {
        j->status |= CC_INDEX_FAILED_CHILD;
        cc_tree_touch(t, j);
    }
    cc_tree_rebuild(t, tip);
}

void cc_tree_unfail(struct cc_tree *t, struct cc_index *i,
                    const struct cc_index *tip)
{
    const unsigned failed = CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD;
    struct cc_index *top = i;

    for (struct cc_index *j = i; j; j = j->prev) {
        if (!(j->status & failed))
            continue;
        j->status &= ~failed;
        cc_tree_touch(t, j);
        top = j;
    }
    for (struct cc_index *j = i; j; j = cc_index_walk(j, i)) {
        if (j->status & failed)
            cc_tree_touch(t, j);
        j->status &= ~failed;
    }
    /* what hung from an ancestor that is good again */
    for (struct cc_index *j = top; j; j = cc_index_walk(j, top)) {
        if (j == top || !(j->status & CC_INDEX_FAILED_CHILD) ||
            cc_index_failed(j->prev))
            continue;
        j->status &= ~(unsigned)CC_INDEX_FAILED_CHILD;
        cc_tree_touch(t, j);
    }
    cc_tree_rebuild(t, tip);
}

void cc_tree_precious(struct cc_tree *t, struct cc_index *i,
                      const struct cc_index *tip)
{
    if (cc_u256_cmp(&tip->work, &t->precious_work) > 0)
        t->next_precious = -1; /* what was precious before is outgrown */
    t->precious_work = tip->work;
    i->sequence = t->next_precious;
    if (t->next_precious > INT64_MIN)
        t->next_precious--;
    consider(t, i, tip);
}

void cc_index_write(struct cc_writer *w, const struct cc_index *i)
{
    uint8_t ticket[32];

    cc_header_write(w, &i->header);
    cc_write_u32le(w, i->height);
    cc_write_u8(w, (uint8_t)i->status);
    cc_write_u32le(w, i->tx_count);
    cc_write_u32le(w, i->file);
    cc_write_u32le(w, i->data_pos);
    cc_write_u32le(w, i->size);
    cc_write_u32le(w, i->undo_pos);
    cc_write_u32le(w, i->undo_size);
    if (!(i->status & CC_INDEX_VALID))
        return;
    cc_write_u64le(w, (uint64_t)i->state.pool);
    cc_u256_to_le(ticket, &i->state.ticket);
    cc_write_bytes(w, ticket, sizeof(ticket));
    cc_write_u32le(w, i->state.claims);
}

void cc_index_read(struct cc_reader *r, struct cc_index *i)
{
    uint8_t ticket[32];

    memset(i, 0, sizeof(*i));
    cc_header_read(r, &i->header);
    i->height = cc_read_u32le(r);
    i->status = cc_read_u8(r);
    i->tx_count = cc_read_u32le(r);
    i->file = cc_read_u32le(r);
    i->data_pos = cc_read_u32le(r);
    i->size = cc_read_u32le(r);
    i->undo_pos = cc_read_u32le(r);
    i->undo_size = cc_read_u32le(r);
    if (!(i->status & CC_INDEX_VALID))
        return;
    i->state.pool = (cc_amount)cc_read_u64le(r);
    cc_read_bytes(r, ticket, sizeof(ticket));
    i->state.ticket = cc_u256_from_le(ticket);
    i->state.claims = cc_read_u32le(r);
}
