/* Questions to the pool, and what users set on it. */
#include "mempool/internal.h"

#include <string.h>

const struct cc_mempool_entry *cc_mempool_find(struct cc_mempool *m,
                                               const uint8_t txid[32])
{
    const struct cc_txpool_node *n;

    cc_chain_lock(m->config.chain);
    n = cc_txpool_get(m, txid);
    cc_chain_unlock(m->config.chain);
    return n ? &n->e : NULL;
}

const struct cc_mempool_entry *cc_mempool_find_wtxid(struct cc_mempool *m,
                                                     const uint8_t wtxid[32])
{
    const struct cc_txpool_node *n;

    cc_chain_lock(m->config.chain);
    n = cc_map_get_ptr(&m->by_wtxid, wtxid);
    cc_chain_unlock(m->config.chain);
    return n ? &n->e : NULL;
}

const struct cc_mempool_entry *cc_mempool_spender(struct cc_mempool *m,
                                                  const struct cc_outpoint *o)
{
    const struct cc_txpool_node *n;

    cc_chain_lock(m->config.chain);
    n = cc_map_get_ptr(&m->spenders, o);
    cc_chain_unlock(m->config.chain);
    return n ? &n->e : NULL;
}

void cc_mempool_each(struct cc_mempool *m,
                     bool (*fn)(void *arg, const struct cc_mempool_entry *e),
                     void *arg)
{
    cc_chain_lock(m->config.chain);
    for (size_t i = 0; i < m->count; i++)
        if (!fn(arg, &m->nodes[i]->e))
            break;
    cc_chain_unlock(m->config.chain);
}

void cc_mempool_relatives(
    struct cc_mempool *m, const uint8_t txid[32], bool descendants, bool deep,
    bool (*fn)(void *arg, const struct cc_mempool_entry *e), void *arg)
{
    struct cc_txpool_list list = {0};
    struct cc_txpool_node *n;

    cc_chain_lock(m->config.chain);
    n = cc_txpool_get(m, txid);
    if (n && deep) {
        cc_txpool_walk(m);
        cc_txpool_collect(m, &list, n, descendants);
        /* Without itself. */
        memmove(list.items, list.items + 1, --list.count * sizeof(*list.items));
    } else if (n) {
        size_t count = descendants ? n->child_count : n->parent_count;

        for (size_t i = 0; i < count; i++)
            cc_txpool_list_add(&list,
                               descendants ? n->children[i] : n->parents[i]);
    }
    for (size_t i = 0; i < list.count; i++)
        if (!fn(arg, &list.items[i]->e))
            break;
    cc_txpool_list_clear(&list);
    cc_chain_unlock(m->config.chain);
}

enum cc_status cc_mempool_coin(struct cc_mempool *m,
                               const struct cc_outpoint *o,
                               struct cc_coin *coin, struct cc_arena *arena,
                               struct cc_error *err)
{
    enum cc_status st = CC_NOTFOUND;

    cc_chain_lock(m->config.chain);
    if (!cc_map_get(&m->spenders, o))
        st = cc_txpool_coin(m, o, coin, arena, err);
    cc_chain_unlock(m->config.chain);
    return st;
}

void cc_mempool_stats(struct cc_mempool *m, struct cc_mempool_stats *out)
{
    cc_chain_lock(m->config.chain);
    memset(out, 0, sizeof(*out));
    out->count = m->count;
    out->bytes = m->bytes;
    out->usage = m->usage;
    out->max_bytes = m->config.max_bytes;
    out->total_fee = m->total_fee;
    out->min_feerate = cc_txpool_min_feerate(m);
    if (out->min_feerate < m->config.min_relay_feerate)
        out->min_feerate = m->config.min_relay_feerate;
    out->min_relay_feerate = m->config.min_relay_feerate;
    out->incremental_feerate = m->config.incremental_feerate;
    out->sequence = m->sequence;
    out->unbroadcast = m->unbroadcast;
    out->full_rbf = m->config.full_rbf;
    out->block_txs = m->block_txs;
    out->block_weight = m->block_weight;
    cc_chain_unlock(m->config.chain);
}

/* The sum, at most max in either direction: sums of it over a package, and
 * their products with sizes, then fit whatever a caller or a file says. */
static cc_amount bounded_sum(cc_amount a, cc_amount b, cc_amount max)
{
    cc_amount sum;

    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? max : -max;
    return sum > max ? max : sum < -max ? -max : sum;
}

void cc_mempool_prioritise(struct cc_mempool *m, const uint8_t txid[32],
                           cc_amount delta)
{
    struct cc_txpool_list list = {0};
    struct cc_txpool_node *n;
    cc_amount *sum, before;

    cc_chain_lock(m->config.chain);
    sum = cc_map_put(&m->deltas, txid, NULL);
    before = *sum;
    *sum =
        bounded_sum(before, delta, cc_chain_params(m->config.chain)->max_money);
    delta = *sum - before;
    if (*sum == 0)
        cc_map_remove(&m->deltas, txid, NULL);
    n = cc_txpool_get(m, txid);
    if (n) {
        n->e.fee_delta += delta;
        cc_txpool_walk(m);
        cc_txpool_collect(m, &list, n, false);
        for (size_t i = 0; i < list.count; i++) {
            list.items[i]->e.descendant_fees += delta;
            cc_txpool_rank_fix(m, list.items[i]);
        }
        list.count = 0;
        cc_txpool_walk(m);
        cc_txpool_collect(m, &list, n, true);
        for (size_t i = 0; i < list.count; i++)
            list.items[i]->e.ancestor_fees += delta;
        cc_txpool_list_clear(&list);
        m->changes++;
        cc_txpool_audit_maybe(m);
    }
    cc_chain_unlock(m->config.chain);
}

void cc_mempool_each_delta(struct cc_mempool *m,
                           bool (*fn)(void *arg, const uint8_t txid[32],
                                      cc_amount delta),
                           void *arg)
{
    const void *key;
    void *value;
    size_t pos = 0;

    cc_chain_lock(m->config.chain);
    while (cc_map_next(&m->deltas, &pos, &key, &value))
        if (!fn(arg, key, *(const cc_amount *)value))
            break;
    cc_chain_unlock(m->config.chain);
}

uint64_t cc_mempool_changes(struct cc_mempool *m) { return m->changes; }

static void mark(struct cc_mempool *m, const uint8_t txid[32], bool unbroadcast)
{
    struct cc_txpool_node *n;

    cc_chain_lock(m->config.chain);
    n = cc_txpool_get(m, txid);
    if (n && n->e.unbroadcast != unbroadcast) {
        if (!unbroadcast)
            cc_txpool_log_broadcast(m, n, "");
        n->e.unbroadcast = unbroadcast;
        m->unbroadcast = unbroadcast ? m->unbroadcast + 1 : m->unbroadcast - 1;
    }
    cc_chain_unlock(m->config.chain);
}

void cc_mempool_set_unbroadcast(struct cc_mempool *m, const uint8_t txid[32])
{
    mark(m, txid, true);
}

void cc_mempool_set_broadcast(struct cc_mempool *m, const uint8_t txid[32])
{
    mark(m, txid, false);
}
