/*
 * Conflicts, chains and replacement.
 *
 * Replacement is BIP 125 as Core 27 words it. Where storage is active a
 * transaction with typed coins is always replaceable, and a PROVE or CLAIM
 * pays for its own relay only when it pushes out one-sided SYNC or END
 * entries: whoever could block a proof with a cheap conflict could take the
 * host's collateral.
 */
#include "mempool/internal.h"

#include "util/hex.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_REPLACED 100
#define CARVE_OUT_VSIZE 10000
#define MAX_BIP125_SEQUENCE 0xfffffffdu

static const char *txid_of(char out[65], const struct cc_tx *tx)
{
    cc_hex_encode_rev(out, tx->txid, 32);
    return out;
}

static bool signals(const struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (tx->vin[i].sequence <= MAX_BIP125_SEQUENCE)
            return true;
    return false;
}

enum cc_status cc_txpool_find_conflicts(struct cc_mempool *m,
                                        struct cc_txpool_candidate *c,
                                        struct cc_error *err)
{
    cc_txpool_walk(m);
    for (size_t i = 0; i < c->tx->vin_count; i++) {
        struct cc_txpool_node *n =
            cc_map_get_ptr(&m->spenders, &c->tx->vin[i].prevout);

        if (!n || n->mark == m->walk)
            continue;
        if (c->package)
            return cc_reject(err, CC_VERDICT_POLICY,
                             "bip125-replacement-disallowed", NULL);
        if (!m->config.full_rbf && !n->e.typed && n->e.tx.version != 3 &&
            !signals(&n->e.tx))
            return cc_reject_code(err, CC_REJECT_MEMPOOL_CONFLICT);
        n->mark = m->walk;
        cc_txpool_list_add(&c->conflicts, n);
    }
    return CC_OK;
}

/* --- Chains ----------------------------------------------------------------
 */

struct limits {
    size_t ancestors, ancestor_size, descendants, descendant_size;
};

static enum cc_status check_limits(const struct cc_txpool_candidate *c,
                                   const struct limits *l, struct cc_error *err)
{
    size_t size = c->vsize;
    char id[65];

    for (size_t i = 0; i < c->ancestors.count; i++)
        size += c->ancestors.items[i]->e.vsize;
    if (c->parents.count + 1 > l->ancestors)
        return cc_reject_detail(err, CC_REJECT_LONG_CHAIN,
                                "too many unconfirmed parents [limit: %zu]",
                                l->ancestors);
    if (c->ancestors.count + 1 > l->ancestors)
        return cc_reject_detail(err, CC_REJECT_LONG_CHAIN,
                                "too many unconfirmed ancestors [limit: %zu]",
                                l->ancestors);
    for (size_t i = 0; i < c->ancestors.count; i++) {
        const struct cc_mempool_entry *e = &c->ancestors.items[i]->e;

        if (e->descendant_size + c->vsize > l->descendant_size)
            return cc_reject_detail(err, CC_REJECT_LONG_CHAIN,
                                    "exceeds descendant size limit for tx %s "
                                    "[limit: %zu]",
                                    txid_of(id, &e->tx), l->descendant_size);
        if (e->descendant_count + 1 > l->descendants)
            return cc_reject_detail(err, CC_REJECT_LONG_CHAIN,
                                    "too many descendants for tx %s "
                                    "[limit: %zu]",
                                    txid_of(id, &e->tx), l->descendants);
    }
    if (c->ancestors.count > 0 && size > l->ancestor_size)
        return cc_reject_detail(err, CC_REJECT_LONG_CHAIN,
                                "exceeds ancestor size limit [limit: %zu]",
                                l->ancestor_size);
    return CC_OK;
}

enum cc_status cc_txpool_check_ancestors(struct cc_mempool *m,
                                         struct cc_txpool_candidate *c,
                                         struct cc_error *err)
{
    struct limits l = {m->config.ancestor_limit, m->config.ancestor_size_limit,
                       m->config.descendant_limit,
                       m->config.descendant_size_limit};
    enum cc_status st;

    cc_txpool_walk(m);
    for (size_t i = 0; i < c->parents.count; i++)
        cc_txpool_collect(m, &c->ancestors, c->parents.items[i], false);
    /* What descends from a block's transactions came in block after block; as
     * in Core, those with too many ancestors go, not those with too many
     * children. */
    if (c->how & CC_TXPOOL_BYPASS)
        l.descendants = l.descendant_size = SIZE_MAX / 2;
    /* What it replaces makes room. */
    if (c->conflicts.count == 1 && !(c->how & CC_TXPOOL_IN_PACKAGE)) {
        l.descendants++;
        l.descendant_size += c->conflicts.items[0]->e.descendant_size;
    }
    st = check_limits(c, &l, err);
    if (st == CC_OK || c->package || (c->how & CC_TXPOOL_IN_PACKAGE) ||
        c->vsize > CARVE_OUT_VSIZE || c->tx->version == 3)
        return st;
    /* One small child more with a single ancestor, so that of two parties who
     * share a transaction neither can keep the other from raising its fee. */
    l.ancestors = 2;
    l.descendants++;
    l.descendant_size += CARVE_OUT_VSIZE;
    return check_limits(c, &l, NULL) == CC_OK ? CC_OK : st;
}

/* --- Replacement -----------------------------------------------------------
 */

const char *cc_txpool_format_feerate(char out[CC_FEERATE_TEXT],
                                     const struct cc_mempool *m, cc_amount rate)
{
    snprintf(out, CC_FEERATE_TEXT, "%" PRId64 ".%08" PRId64 " %s/kvB",
             rate / CC_COIN, (rate < 0 ? -rate : rate) % CC_COIN,
             m->params->storage_active ? "CLC" : "BTC");
    return out;
}

static void format_money(char out[32], cc_amount value)
{
    int len;

    cc_amount_format(out, value);
    for (len = 0; out[len]; len++)
        ;
    for (int zeros = 0; zeros < 6 && out[len - 1] == '0'; zeros++)
        out[--len] = '\0';
}

static enum cc_status spends_conflicting(const struct cc_mempool *m,
                                         const struct cc_txpool_candidate *c,
                                         struct cc_error *err)
{
    char a[65], b[65];

    (void)m;
    for (size_t i = 0; i < c->ancestors.count; i++)
        for (size_t j = 0; j < c->conflicts.count; j++)
            if (c->ancestors.items[i] == c->conflicts.items[j])
                return cc_reject_detail(
                    err, CC_REJECT_SPENDS_CONFLICTING,
                    "%s spends conflicting transaction %s", txid_of(a, c->tx),
                    txid_of(b, &c->ancestors.items[i]->e.tx));
    return CC_OK;
}

static enum cc_status pays_more(const struct cc_mempool *m,
                                const struct cc_txpool_candidate *c,
                                struct cc_error *err)
{
    cc_amount mine = cc_feerate_of(c->modified, c->vsize);
    char id[65], a[CC_FEERATE_TEXT], b[CC_FEERATE_TEXT];

    for (size_t i = 0; i < c->conflicts.count; i++) {
        const struct cc_txpool_node *n = c->conflicts.items[i];
        cc_amount old = cc_feerate_of(cc_txpool_fee(n), n->e.vsize);

        if (mine > old)
            continue;
        return cc_reject_detail(err, CC_REJECT_INSUFFICIENT_FEE,
                                "rejecting replacement %s; new feerate %s <= "
                                "old feerate %s",
                                txid_of(id, c->tx),
                                cc_txpool_format_feerate(a, m, mine),
                                cc_txpool_format_feerate(b, m, old));
    }
    return CC_OK;
}

static enum cc_status collect_replaced(struct cc_mempool *m,
                                       struct cc_txpool_candidate *c,
                                       struct cc_error *err)
{
    size_t count = 0;
    char id[65];

    for (size_t i = 0; i < c->conflicts.count; i++)
        count += c->conflicts.items[i]->e.descendant_count;
    if (count > MAX_REPLACED)
        return cc_reject_detail(err, CC_REJECT_TOO_MANY_REPLACED,
                                "rejecting replacement %s; too many potential "
                                "replacements (%zu > %d)\n",
                                txid_of(id, c->tx), count, MAX_REPLACED);
    cc_txpool_walk(m);
    for (size_t i = 0; i < c->conflicts.count; i++)
        cc_txpool_collect(m, &c->replaced, c->conflicts.items[i], true);
    return CC_OK;
}

/* Unconfirmed inputs only of what the conflicts spend already: else a
 * replacement could rank below what it replaces. */
static enum cc_status no_new_unconfirmed(struct cc_mempool *m,
                                         const struct cc_txpool_candidate *c,
                                         struct cc_error *err)
{
    char id[65];

    cc_txpool_walk(m);
    for (size_t i = 0; i < c->conflicts.count; i++)
        for (size_t j = 0; j < c->conflicts.items[i]->parent_count; j++)
            c->conflicts.items[i]->parents[j]->mark = m->walk;
    for (size_t i = 0; i < c->tx->vin_count; i++) {
        const struct cc_txpool_node *n =
            cc_txpool_get(m, c->tx->vin[i].prevout.txid);

        if (n && !cc_txpool_visited(m, n))
            return cc_reject_detail(err, CC_REJECT_ADDS_UNCONFIRMED,
                                    "replacement %s adds unconfirmed input, "
                                    "idx %zu",
                                    txid_of(id, c->tx), i);
    }
    return CC_OK;
}

/* old: what the replaced paid; nothing counts for an urgent one. */
static enum cc_status pays_for_relay(const struct cc_mempool *m,
                                     const struct cc_txpool_candidate *c,
                                     cc_amount old, struct cc_error *err)
{
    cc_amount relay = cc_feerate_fee(m->config.incremental_feerate, c->vsize);
    char id[65], a[32], b[32];

    if (c->modified < old) {
        format_money(a, c->modified);
        format_money(b, old);
        return cc_reject_detail(err, CC_REJECT_INSUFFICIENT_FEE,
                                "rejecting replacement %s, less fees than "
                                "conflicting txs; %s < %s",
                                txid_of(id, c->tx), a, b);
    }
    if (c->modified - old < relay) {
        format_money(a, c->modified - old);
        format_money(b, relay);
        return cc_reject_detail(err, CC_REJECT_INSUFFICIENT_FEE,
                                "rejecting replacement %s, not enough "
                                "additional fees to relay; %s < %s",
                                txid_of(id, c->tx), a, b);
    }
    return CC_OK;
}

enum cc_status cc_txpool_check_replacement(struct cc_mempool *m,
                                           struct cc_txpool_candidate *c,
                                           struct cc_error *err)
{
    const bool urgent = cc_txpool_is_urgent(m, c);
    cc_amount old = 0;
    enum cc_status st;

    if (c->conflicts.count == 0)
        return CC_OK;
    st = spends_conflicting(m, c, err);
    if (st == CC_OK && !urgent)
        st = pays_more(m, c, err);
    if (st == CC_OK)
        st = collect_replaced(m, c, err);
    if (st == CC_OK)
        st = no_new_unconfirmed(m, c, err);
    for (size_t i = 0; !urgent && i < c->replaced.count; i++)
        old += cc_txpool_fee(c->replaced.items[i]);
    if (st == CC_OK)
        st = pays_for_relay(m, c, old, err);
    return st;
}
