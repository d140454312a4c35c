/*
 * A heap of packages by feerate. When a package is taken, what descends from
 * it has fewer ancestors left: those are pushed again with their new sums, and
 * the old entries, known by their stamp, are skipped when they come up.
 */
#include "mempool/select.h"

#include "util/mem.h"

#include <stdlib.h>

#define GIVE_UP 1000     /* failures in a row when the block is nearly full */
#define NEARLY_FULL 4000 /* weight */

/* What is left of a node's ancestors (with itself) outside the block. */
struct rest {
    size_t size;
    cc_amount fees;
    uint32_t stamp;
    bool taken;
};

struct item {
    const struct cc_txpool_node *node;
    cc_amount fee; /* of package or node, whichever has the lower rate */
    size_t size;
    uint32_t stamp;
};

struct selection {
    struct cc_mempool *m;
    struct rest *rest; /* by node->at */
    struct item *heap;
    size_t heap_count, heap_cap;
    struct cc_select_room left;
    struct cc_txpool_list *out;
};

static bool before(const struct item *a, const struct item *b)
{
    if (cc_feerate_above(a->fee, a->size, b->fee, b->size))
        return true;
    if (cc_feerate_above(b->fee, b->size, a->fee, a->size))
        return false;
    return a->node->e.sequence < b->node->e.sequence;
}

static void push(struct selection *s, const struct cc_txpool_node *n)
{
    const struct rest *rest = &s->rest[n->at];
    struct item it = {n, rest->fees, rest->size, rest->stamp};
    size_t i = s->heap_count;

    /* A poor child of rich ancestors is no better than itself. */
    if (cc_feerate_above(rest->fees, rest->size, cc_txpool_fee(n),
                         n->e.vsize)) {
        it.fee = cc_txpool_fee(n);
        it.size = n->e.vsize;
    }
    s->heap =
        cc_grow(s->heap, &s->heap_cap, s->heap_count + 1, sizeof(*s->heap));
    s->heap_count++;
    for (; i > 0 && before(&it, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = it;
}

static struct item pop(struct selection *s)
{
    struct item top = s->heap[0], last = s->heap[--s->heap_count];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < s->heap_count) {
        if (child + 1 < s->heap_count &&
            before(&s->heap[child + 1], &s->heap[child]))
            child++;
        if (!before(&s->heap[child], &last))
            break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return top;
}

/* Node and those of its ancestors that are not in the block yet, in order. */
static void package_of(struct selection *s, struct cc_txpool_node *n,
                       struct cc_txpool_list *package)
{
    size_t kept = 0;

    package->count = 0;
    cc_txpool_walk(s->m);
    cc_txpool_collect(s->m, package, n, false);
    for (size_t i = 0; i < package->count; i++)
        if (!s->rest[package->items[i]->at].taken)
            package->items[kept++] = package->items[i];
    package->count = kept;
    qsort(package->items, kept, sizeof(*package->items),
          cc_txpool_by_ancestors);
}

/* Room for all of it; the room left is lessened only if so. */
static bool fits(struct selection *s, const struct cc_txpool_list *package)
{
    struct cc_select_room left = s->left;

    for (size_t i = 0; i < package->count; i++) {
        const struct cc_mempool_entry *e = &package->items[i]->e;
        size_t weight = cc_tx_weight(&e->tx);

        if (weight > left.weight || e->sigop_cost > left.sigop_cost ||
            e->claims > left.claims || e->mint > left.mint)
            return false;
        left.weight -= weight;
        left.sigop_cost -= e->sigop_cost;
        left.claims -= e->claims;
        left.mint -= e->mint;
    }
    s->left = left;
    return true;
}

/* Take n; whoever descends from it no longer carries it. */
static void take(struct selection *s, struct cc_txpool_node *n)
{
    struct cc_txpool_list below = {0};

    s->rest[n->at].taken = true;
    cc_txpool_list_add(s->out, n);
    cc_txpool_walk(s->m);
    cc_txpool_collect(s->m, &below, n, true);
    for (size_t i = 1; i < below.count; i++) {
        struct rest *rest = &s->rest[below.items[i]->at];

        if (rest->taken)
            continue;
        rest->size -= n->e.vsize;
        rest->fees -= cc_txpool_fee(n);
        rest->stamp++;
        push(s, below.items[i]);
    }
    cc_txpool_list_clear(&below);
}

void cc_txpool_select(struct cc_mempool *m, const struct cc_select_room *room,
                      struct cc_txpool_list *out)
{
    struct selection s = {.m = m, .left = *room, .out = out};
    struct cc_txpool_list package = {0};
    unsigned failures = 0;

    s.rest = cc_calloc(m->count ? m->count : 1, sizeof(*s.rest));
    for (size_t i = 0; i < m->count; i++) {
        s.rest[i].size = m->nodes[i]->e.ancestor_size;
        s.rest[i].fees = m->nodes[i]->e.ancestor_fees;
        push(&s, m->nodes[i]);
    }
    while (s.heap_count > 0) {
        struct item it = pop(&s);
        const struct rest *rest = &s.rest[it.node->at];

        if (rest->taken || rest->stamp != it.stamp)
            continue;
        /* The rest is poorer still, or hangs on something poorer. */
        if (it.fee < cc_feerate_fee(room->min_feerate, it.size))
            break;
        package_of(&s, m->nodes[it.node->at], &package);
        if (!fits(&s, &package)) {
            if (++failures > GIVE_UP && s.left.weight < NEARLY_FULL)
                break;
            continue;
        }
        failures = 0;
        for (size_t i = 0; i < package.count; i++)
            take(&s, package.items[i]);
    }
    cc_txpool_list_clear(&package);
    free(s.heap);
    free(s.rest);
}
