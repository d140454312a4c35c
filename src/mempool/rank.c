/*
 * Who goes first when memory is short: a heap over all entries, the worst on
 * top. Each knows its place, so that one whose sums changed moves in log n.
 */
#include "mempool/internal.h"

#include "util/mem.h"

/* An entry is worth what it brings with its descendants, or alone if that is
 * more: what ranks lowest is the last that a miner would take. */
bool cc_txpool_worth_less(const struct cc_txpool_node *a,
                          const struct cc_txpool_node *b)
{
    cc_amount fee[2];
    size_t size[2];

    for (int i = 0; i < 2; i++) {
        const struct cc_txpool_node *n = i ? b : a;

        fee[i] = n->e.descendant_fees;
        size[i] = n->e.descendant_size;
        if (cc_feerate_above(cc_txpool_fee(n), n->e.vsize, fee[i], size[i])) {
            fee[i] = cc_txpool_fee(n);
            size[i] = n->e.vsize;
        }
    }
    if (cc_feerate_above(fee[1], size[1], fee[0], size[0]))
        return true;
    if (cc_feerate_above(fee[0], size[0], fee[1], size[1]))
        return false;
    return a->e.sequence > b->e.sequence;
}

static void put(struct cc_mempool *m, size_t i, struct cc_txpool_node *n)
{
    m->ranked[i] = n;
    n->rank_at = i;
}

static void sift(struct cc_mempool *m, size_t i)
{
    struct cc_txpool_node *n = m->ranked[i];
    size_t child;

    for (; i > 0 && cc_txpool_worth_less(n, m->ranked[(i - 1) / 2]);
         i = (i - 1) / 2)
        put(m, i, m->ranked[(i - 1) / 2]);
    while ((child = 2 * i + 1) < m->ranked_count) {
        if (child + 1 < m->ranked_count &&
            cc_txpool_worth_less(m->ranked[child + 1], m->ranked[child]))
            child++;
        if (!cc_txpool_worth_less(m->ranked[child], n))
            break;
        put(m, i, m->ranked[child]);
        i = child;
    }
    put(m, i, n);
}

void cc_txpool_rank_add(struct cc_mempool *m, struct cc_txpool_node *n)
{
    m->ranked = cc_grow(m->ranked, &m->ranked_cap, m->ranked_count + 1,
                        sizeof(*m->ranked));
    put(m, m->ranked_count++, n);
    sift(m, n->rank_at);
}

void cc_txpool_rank_remove(struct cc_mempool *m, struct cc_txpool_node *n)
{
    size_t i = n->rank_at;

    if (i == --m->ranked_count)
        return;
    put(m, i, m->ranked[m->ranked_count]);
    sift(m, i);
}

void cc_txpool_rank_fix(struct cc_mempool *m, struct cc_txpool_node *n)
{
    sift(m, n->rank_at);
}

struct cc_txpool_node *cc_txpool_rank_worst(struct cc_mempool *m)
{
    return m->ranked_count ? m->ranked[0] : NULL;
}
