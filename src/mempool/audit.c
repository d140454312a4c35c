/*
 * -checkmempool: does the pool hold together?
 *
 * Everything that pool.c keeps up to date by differences is worked out anew
 * from the transactions: tables, links, sums, order, and what the chain says
 * about coins and storage facts. Costs as much as judging the whole pool but
 * for the scripts. A fault is our own mistake, never a peer's.
 */
#include "mempool/internal.h"

#include "util/hex.h"
#include "util/log.h"
#include "util/random.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Above this many entries the automatic audit skips changes, so that its cost
 * per change stays bounded. */
#define SMALL_POOL 256

static enum cc_status fault(struct cc_error *err,
                            const struct cc_txpool_node *n, const char *what)
{
    char txid[65];

    cc_hex_encode_rev(txid, n->e.tx.txid, 32);
    return cc_fail(err, CC_CORRUPT, "mempool: %s: %s", txid, what);
}

static bool lists(struct cc_txpool_node *const *items, size_t count,
                  const struct cc_txpool_node *n)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++)
        found += items[i] == n;
    return found == 1;
}

/* --- Tables and links ------------------------------------------------------
 */

static enum cc_status audit_places(struct cc_mempool *m,
                                   const struct cc_txpool_node *n, size_t at,
                                   struct cc_error *err)
{
    if (n->at != at || n->rank_at >= m->ranked_count ||
        m->ranked[n->rank_at] != n)
        return fault(err, n, "is not where it says");
    if (cc_txpool_get(m, n->e.tx.txid) != n ||
        cc_map_get_ptr(&m->by_wtxid, n->e.tx.wtxid) != n)
        return fault(err, n, "is not found by its hashes");
    if (n->rank_at > 0 &&
        cc_txpool_worth_less(n, m->ranked[(n->rank_at - 1) / 2]))
        return fault(err, n, "ranks above what is worth more");
    if (n->e.fee_delta != cc_txpool_delta(m, n->e.tx.txid))
        return fault(err, n, "has another delta than was asked for");
    if (n->e.time < m->oldest)
        return fault(err, n, "is older than the oldest");
    return CC_OK;
}

/* Every parent in the pool is linked, both ways, once, and nobody else is. */
static enum cc_status audit_links(struct cc_mempool *m,
                                  struct cc_txpool_node *n,
                                  struct cc_error *err)
{
    size_t parents = 0;

    cc_txpool_walk(m);
    for (size_t i = 0; i < n->e.tx.vin_count; i++) {
        const struct cc_outpoint *o = &n->e.tx.vin[i].prevout;
        struct cc_txpool_node *p = cc_txpool_get(m, o->txid);

        if (cc_map_get_ptr(&m->spenders, o) != n)
            return fault(err, n, "is not known to spend what it spends");
        if (!p || p->mark == m->walk)
            continue;
        p->mark = m->walk;
        parents++;
        if (!lists(n->parents, n->parent_count, p) ||
            !lists(p->children, p->child_count, n))
            return fault(err, n, "is not linked with its parent");
        if (p->e.ancestor_count >= n->e.ancestor_count)
            return fault(err, n, "goes before its parent");
    }
    if (parents != n->parent_count)
        return fault(err, n, "has parents that it does not spend");
    return CC_OK;
}

/* --- Sums ------------------------------------------------------------------
 */

static enum cc_status audit_sums(struct cc_mempool *m, struct cc_txpool_node *n,
                                 bool descendants, struct cc_error *err)
{
    const struct cc_mempool_entry *e = &n->e;
    struct cc_txpool_list list = {0};
    size_t size = 0, count;
    cc_amount fees = 0;

    cc_txpool_walk(m);
    cc_txpool_collect(m, &list, n, descendants);
    for (size_t i = 0; i < list.count; i++) {
        size += list.items[i]->e.vsize;
        fees += cc_txpool_fee(list.items[i]);
    }
    count = list.count;
    cc_txpool_list_clear(&list);
    if (count != (descendants ? e->descendant_count : e->ancestor_count) ||
        size != (descendants ? e->descendant_size : e->ancestor_size) ||
        fees != (descendants ? e->descendant_fees : e->ancestor_fees))
        return fault(err, n,
                     descendants ? "wrong sums over its descendants"
                                 : "wrong sums over its ancestors");
    return CC_OK;
}

static enum cc_status audit_totals(struct cc_mempool *m, struct cc_error *err)
{
    size_t bytes = 0, usage = 0, unbroadcast = 0, inputs = 0, links = 0;
    cc_amount fees = 0;

    for (size_t i = 0; i < m->count; i++) {
        const struct cc_txpool_node *n = m->nodes[i];

        bytes += n->e.vsize;
        usage += n->usage;
        fees += n->e.fee;
        unbroadcast += n->e.unbroadcast;
        inputs += n->e.tx.vin_count;
        links += n->parent_count - n->child_count;
    }
    if (m->by_txid.count != m->count || m->by_wtxid.count != m->count ||
        m->ranked_count != m->count || m->spenders.count != inputs ||
        links != 0)
        return cc_fail(err, CC_CORRUPT,
                       "mempool: its tables do not agree over %zu entries",
                       m->count);
    if (bytes != m->bytes || usage != m->usage || fees != m->total_fee ||
        unbroadcast != m->unbroadcast)
        return cc_fail(err, CC_CORRUPT, "mempool: wrong totals");
    return CC_OK;
}

/* --- The chain -------------------------------------------------------------
 */

/* Does it hold in the next block, and do its facts stand as they are kept? */
static enum cc_status audit_context(struct cc_mempool *m,
                                    const struct cc_txpool_node *n,
                                    struct cc_error *err)
{
    struct cc_txpool_candidate c;
    struct cc_error why;
    enum cc_status st = CC_OK;

    cc_txpool_candidate_init(&c, m, &n->e.tx);
    cc_error_init(&why);
    if (!cc_tx_is_final(c.tx, c.place.height, c.place.prev_median_time))
        st = fault(err, n, "is not final");
    if (st == CC_OK) {
        st = cc_txpool_check_context(m, &c, &why);
        if (st == CC_INVALID)
            st = fault(err, n, why.text);
        else if (st != CC_OK)
            st = CC_IO; /* the disk's fault, which others will tell */
    }
    if (st == CC_OK &&
        (c.fee != n->e.fee || c.storage.mint != n->e.mint ||
         c.storage.claims != n->e.claims || c.storage.typed != n->e.typed))
        st = fault(err, n, "pays or claims otherwise than was kept");
    if (st == CC_OK && n->e.typed && n->e.facts.hi < c.place.height)
        st = fault(err, n, "rests on facts of the past");
    cc_txpool_candidate_clear(&c);
    return st;
}

enum cc_status cc_mempool_audit(struct cc_mempool *m, struct cc_error *err)
{
    enum cc_status st;

    cc_chain_lock(m->config.chain);
    st = audit_totals(m, err);
    for (size_t i = 0; st == CC_OK && i < m->count; i++) {
        struct cc_txpool_node *n = m->nodes[i];

        st = audit_places(m, n, i, err);
        if (st == CC_OK)
            st = audit_links(m, n, err);
        if (st == CC_OK)
            st = audit_sums(m, n, false, err);
        if (st == CC_OK)
            st = audit_sums(m, n, true, err);
        if (st == CC_OK)
            st = audit_context(m, n, err);
    }
    cc_chain_unlock(m->config.chain);
    return st;
}

void cc_txpool_audit_maybe(struct cc_mempool *m)
{
    struct cc_error err;

    if (!m->config.check)
        return;
    if (m->config.check_bounded && m->count > SMALL_POOL &&
        m->changes - m->audited < m->count / 4)
        return;
    if (m->config.check > 1 && cc_random_below(m->config.check) != 0)
        return;
    m->audited = m->changes;
    cc_debug(m->config.log, CC_LOG_MEMPOOL,
             "Checking mempool with %zu transactions and %zu inputs", m->count,
             m->spenders.count);
    if (cc_mempool_audit(m, &err) != CC_CORRUPT)
        return;
    cc_log(m->config.log, "*** %s", err.text);
    abort();
}
