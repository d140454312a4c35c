#include "mempool/internal.h"

#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CHAIN_VSIZE 101000

/* --- Lists and walks -------------------------------------------------------
 */

void cc_txpool_list_add(struct cc_txpool_list *list,
                        struct cc_txpool_node *node)
{
    list->items =
        cc_grow(list->items, &list->cap, list->count + 1, sizeof(*list->items));
    list->items[list->count++] = node;
}

void cc_txpool_list_clear(struct cc_txpool_list *list)
{
    free(list->items);
    memset(list, 0, sizeof(*list));
}

void cc_txpool_walk(struct cc_mempool *m) { m->walk++; }

bool cc_txpool_visited(const struct cc_mempool *m,
                       const struct cc_txpool_node *node)
{
    return node->mark == m->walk;
}

static void visit(struct cc_mempool *m, struct cc_txpool_list *list,
                  struct cc_txpool_node *node)
{
    if (node->mark == m->walk)
        return;
    node->mark = m->walk;
    cc_txpool_list_add(list, node);
}

void cc_txpool_collect(struct cc_mempool *m, struct cc_txpool_list *list,
                       struct cc_txpool_node *start, bool descendants)
{
    size_t next = list->count;

    /* The list itself is the queue. */
    visit(m, list, start);
    for (; next < list->count; next++) {
        struct cc_txpool_node *n = list->items[next];
        size_t count = descendants ? n->child_count : n->parent_count;

        for (size_t i = 0; i < count; i++)
            visit(m, list, descendants ? n->children[i] : n->parents[i]);
    }
}

/* --- Nodes -----------------------------------------------------------------
 */

struct cc_txpool_node *cc_txpool_node_new(const struct cc_tx *tx)
{
    struct cc_txpool_node *n = cc_calloc(1, sizeof(*n));
    size_t items = 0;

    cc_tx_copy(&n->e.tx, tx);
    for (size_t i = 0; i < tx->vin_count; i++)
        items += tx->vin[i].witness_count;
    /* The bytes, the arrays over them, and a row in each table. */
    n->usage = sizeof(*n) + tx->size + tx->vin_count * sizeof(*tx->vin) +
               tx->vout_count * sizeof(*tx->vout) +
               items * sizeof(struct cc_bytes) + 2 * (32 + 2 * sizeof(void *)) +
               tx->vin_count * 2 * (sizeof(struct cc_outpoint) + 12);
    return n;
}

void cc_txpool_node_free(struct cc_txpool_node *n)
{
    if (!n)
        return;
    cc_tx_clear(&n->e.tx);
    free(n->parents);
    free(n->children);
    free(n->maturing);
    free(n);
}

struct cc_txpool_node *cc_txpool_get(struct cc_mempool *m,
                                     const uint8_t txid[32])
{
    return cc_map_get_ptr(&m->by_txid, txid);
}

static void link_parent(struct cc_txpool_node *n, struct cc_txpool_node *parent)
{
    for (size_t i = 0; i < n->parent_count; i++)
        if (n->parents[i] == parent)
            return;
    n->parents = cc_grow(n->parents, &n->parent_cap, n->parent_count + 1,
                         sizeof(*n->parents));
    n->parents[n->parent_count++] = parent;
    parent->children =
        cc_grow(parent->children, &parent->child_cap, parent->child_count + 1,
                sizeof(*parent->children));
    parent->children[parent->child_count++] = n;
}

static void unlink_from(struct cc_txpool_node **items, size_t *count,
                        struct cc_txpool_node *node)
{
    for (size_t i = 0; i < *count; i++)
        if (items[i] == node) {
            items[i] = items[--*count];
            return;
        }
    assert(false && "links go both ways");
}

/* Add node's own numbers to (or take them from) the sums of the others that
 * it descends from, and with both, of its descendants. */
static void account(struct cc_mempool *m, struct cc_txpool_node *node, bool add)
{
    struct cc_txpool_list list = {0};
    const size_t one = add ? 1 : (size_t)-1;
    const size_t size = add ? node->e.vsize : 0 - node->e.vsize;
    const cc_amount fee = add ? cc_txpool_fee(node) : -cc_txpool_fee(node);

    cc_txpool_walk(m);
    cc_txpool_collect(m, &list, node, false);
    for (size_t i = 1; i < list.count; i++) {
        struct cc_mempool_entry *e = &list.items[i]->e;

        e->descendant_count += one;
        e->descendant_size += size;
        e->descendant_fees += fee;
        cc_txpool_rank_fix(m, list.items[i]);
    }
    list.count = 0;
    cc_txpool_walk(m);
    cc_txpool_collect(m, &list, node, true);
    for (size_t i = 1; i < list.count; i++) {
        struct cc_mempool_entry *e = &list.items[i]->e;

        e->ancestor_count += one;
        e->ancestor_size += size;
        e->ancestor_fees += fee;
    }
    cc_txpool_list_clear(&list);
}

/* Sums over node's own ancestors; it has no descendants yet. */
static void sum_ancestors(struct cc_mempool *m, struct cc_txpool_node *node)
{
    struct cc_mempool_entry *e = &node->e;
    struct cc_txpool_list list = {0};

    e->ancestor_count = e->ancestor_size = 0;
    e->ancestor_fees = 0;
    cc_txpool_walk(m);
    cc_txpool_collect(m, &list, node, false);
    for (size_t i = 0; i < list.count; i++) {
        e->ancestor_count++;
        e->ancestor_size += list.items[i]->e.vsize;
        e->ancestor_fees += cc_txpool_fee(list.items[i]);
    }
    e->descendant_count = 1;
    e->descendant_size = e->vsize;
    e->descendant_fees = cc_txpool_fee(node);
    cc_txpool_list_clear(&list);
}

void cc_txpool_insert(struct cc_mempool *m, struct cc_txpool_node *node,
                      bool quiet)
{
    const struct cc_tx *tx = &node->e.tx;

    m->nodes = cc_grow(m->nodes, &m->cap, m->count + 1, sizeof(*m->nodes));
    node->at = m->count;
    m->nodes[m->count++] = node;
    cc_map_put_ptr(&m->by_txid, tx->txid, node);
    cc_map_put_ptr(&m->by_wtxid, tx->wtxid, node);
    for (size_t i = 0; i < tx->vin_count; i++) {
        struct cc_txpool_node *parent =
            cc_txpool_get(m, tx->vin[i].prevout.txid);

        cc_map_put_ptr(&m->spenders, &tx->vin[i].prevout, node);
        if (parent)
            link_parent(node, parent);
    }
    sum_ancestors(m, node);
    cc_txpool_rank_add(m, node);
    account(m, node, true);
    m->bytes += node->e.vsize;
    m->usage += node->usage;
    m->total_fee += node->e.fee;
    m->unbroadcast += node->e.unbroadcast;
    m->changes++;
    if (node->e.time < m->oldest)
        m->oldest = node->e.time;
    for (size_t i = 0; !quiet && i < m->listener_count; i++)
        if (m->listeners[i].added)
            m->listeners[i].added(m->listeners[i].arg, &node->e);
}

void cc_txpool_tell_removed(struct cc_mempool *m,
                            const struct cc_txpool_node *node,
                            enum cc_mempool_leave why)
{
    /* As Core counts: whoever follows the numbers sees what it missed. */
    if (why != CC_LEAVE_BLOCK)
        m->sequence++;
    for (size_t i = 0; i < m->listener_count; i++)
        if (m->listeners[i].removed)
            m->listeners[i].removed(m->listeners[i].arg, &node->e, why);
}

void cc_txpool_log_broadcast(struct cc_mempool *m,
                             const struct cc_txpool_node *node,
                             const char *when)
{
    char txid[65];

    cc_hex_encode_rev(txid, node->e.tx.txid, 32);
    cc_debug(m->config.log, CC_LOG_MEMPOOL,
             "Removed %s from set of unbroadcast txns%s", txid, when);
}

void cc_txpool_remove(struct cc_mempool *m, struct cc_txpool_node *node,
                      enum cc_mempool_leave why)
{
    const struct cc_tx *tx = &node->e.tx;

    if (node->e.unbroadcast)
        cc_txpool_log_broadcast(m, node,
                                " before confirmation that txn was sent out");
    account(m, node, false);
    for (size_t i = 0; i < node->parent_count; i++)
        unlink_from(node->parents[i]->children, &node->parents[i]->child_count,
                    node);
    for (size_t i = 0; i < node->child_count; i++)
        unlink_from(node->children[i]->parents,
                    &node->children[i]->parent_count, node);
    cc_txpool_rank_remove(m, node);
    m->nodes[node->at] = m->nodes[--m->count];
    m->nodes[node->at]->at = node->at;
    cc_map_remove(&m->by_txid, tx->txid, NULL);
    cc_map_remove(&m->by_wtxid, tx->wtxid, NULL);
    for (size_t i = 0; i < tx->vin_count; i++)
        cc_map_remove(&m->spenders, &tx->vin[i].prevout, NULL);
    m->bytes -= node->e.vsize;
    m->usage -= node->usage;
    m->total_fee -= node->e.fee;
    m->unbroadcast -= node->e.unbroadcast;
    m->changes++;
    cc_txpool_tell_removed(m, node, why);
    cc_txpool_node_free(node);
}

void cc_txpool_remove_deep(struct cc_mempool *m, struct cc_txpool_node *node,
                           enum cc_mempool_leave why)
{
    struct cc_txpool_list list = {0};

    cc_txpool_walk(m);
    cc_txpool_collect(m, &list, node, true);
    for (size_t i = list.count; i-- > 0;)
        cc_txpool_remove(m, list.items[i], why);
    cc_txpool_list_clear(&list);
}

int cc_txpool_by_ancestors(const void *a, const void *b)
{
    const struct cc_txpool_node *x = *(struct cc_txpool_node *const *)a;
    const struct cc_txpool_node *y = *(struct cc_txpool_node *const *)b;

    if (x->e.ancestor_count != y->e.ancestor_count)
        return x->e.ancestor_count < y->e.ancestor_count ? -1 : 1;
    return x->e.sequence < y->e.sequence ? -1 : 1;
}

void cc_txpool_take_all(struct cc_mempool *m, struct cc_txpool_list *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < m->count; i++)
        cc_txpool_list_add(out, m->nodes[i]);
    if (out->count)
        qsort(out->items, out->count, sizeof(*out->items),
              cc_txpool_by_ancestors);
    for (size_t i = 0; i < out->count; i++)
        out->items[i]->parent_count = out->items[i]->child_count = 0;
    m->count = m->bytes = m->usage = m->unbroadcast = 0;
    m->ranked_count = 0;
    m->total_fee = 0;
    cc_map_reset(&m->by_txid);
    cc_map_reset(&m->by_wtxid);
    cc_map_reset(&m->spenders);
}

cc_amount cc_txpool_delta(struct cc_mempool *m, const uint8_t txid[32])
{
    const cc_amount *delta = cc_map_get(&m->deltas, txid);

    return delta ? *delta : 0;
}

enum cc_status cc_txpool_coin(struct cc_mempool *m, const struct cc_outpoint *o,
                              struct cc_coin *coin, struct cc_arena *arena,
                              struct cc_error *err)
{
    const struct cc_txpool_node *parent = cc_txpool_get(m, o->txid);

    if (!parent)
        return cc_chain_coin(m->config.chain, o, coin, arena, err);
    if (o->index >= parent->e.tx.vout_count)
        return CC_NOTFOUND;
    /* As if the parent stood in the next block. */
    coin->out = parent->e.tx.vout[o->index];
    coin->height = cc_chain_tip(m->config.chain)->height + 1;
    coin->coinbase = parent->maturing && parent->maturing[o->index];
    return CC_OK;
}

/* --- Aside -----------------------------------------------------------------
 */

/* The oldest go when it gets too much. */
void cc_txpool_aside_add(struct cc_txpool_aside *a, const struct cc_tx *tx,
                         size_t max_bytes)
{
    size_t drop = 0;

    a->tx = cc_grow(a->tx, &a->cap, a->count + 1, sizeof(*a->tx));
    cc_tx_copy(&a->tx[a->count++], tx);
    a->bytes += tx->size;
    while (a->bytes > max_bytes && drop < a->count) {
        a->bytes -= a->tx[drop].size;
        cc_tx_clear(&a->tx[drop++]);
    }
    a->count -= drop;
    memmove(a->tx, a->tx + drop, a->count * sizeof(*a->tx));
}

void cc_txpool_aside_clear(struct cc_txpool_aside *a)
{
    for (size_t i = 0; i < a->count; i++)
        cc_tx_clear(&a->tx[i]);
    free(a->tx);
    memset(a, 0, sizeof(*a));
}

/* --- The pool --------------------------------------------------------------
 */

struct cc_mempool *cc_mempool_new(const struct cc_mempool_config *config)
{
    struct cc_mempool *m = cc_calloc(1, sizeof(*m));
    uint8_t seeds[4][16];

    m->config = *config;
    m->params = cc_chain_params(config->chain);
    m->policy.storage = m->params->storage_active;
    m->policy.bare_multisig = config->bare_multisig;
    m->policy.datacarrier_bytes = config->datacarrier_bytes;
    m->policy.dust_feerate = config->dust_feerate;
    cc_random_bytes(seeds, sizeof(seeds));
    cc_map_init(&m->by_txid, 32, sizeof(void *), seeds[0]);
    cc_map_init(&m->by_wtxid, 32, sizeof(void *), seeds[1]);
    cc_map_init(&m->spenders, sizeof(struct cc_outpoint), sizeof(void *),
                seeds[2]);
    cc_map_init(&m->deltas, 32, sizeof(cc_amount), seeds[3]);
    cc_txpool_known_init(&m->known, config->known_bytes);
    if (!m->config.ancestor_size_limit)
        m->config.ancestor_size_limit = DEFAULT_CHAIN_VSIZE;
    if (!m->config.descendant_size_limit)
        m->config.descendant_size_limit = DEFAULT_CHAIN_VSIZE;
    /* Core's first number, so that getrawmempool agrees. */
    m->sequence = 1;
    m->rolling_time = config->now(config->now_arg);
    m->oldest = INT64_MAX;
    m->block_since_bump = true;
    cc_txpool_listen_chain(m);
    return m;
}

void cc_mempool_free(struct cc_mempool *m)
{
    if (!m)
        return;
    cc_chain_set_known(m->config.chain, NULL, NULL);
    for (size_t i = 0; i < m->count; i++)
        cc_txpool_node_free(m->nodes[i]);
    free(m->nodes);
    free(m->ranked);
    cc_map_clear(&m->by_txid);
    cc_map_clear(&m->by_wtxid);
    cc_map_clear(&m->spenders);
    cc_map_clear(&m->deltas);
    cc_txpool_known_clear(&m->known);
    cc_txpool_aside_clear(&m->disconnected);
    cc_txpool_aside_clear(&m->held);
    free(m);
}

void cc_mempool_listen(struct cc_mempool *m,
                       const struct cc_mempool_listener *l)
{
    assert(m->listener_count < CC_TXPOOL_LISTENERS);
    m->listeners[m->listener_count++] = *l;
}
