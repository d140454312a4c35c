/*
 * Several transactions judged as if they came one after the other: for
 * testmempoolaccept, and for submit.c. Words and order are Core's: the package
 * by itself, each transaction but for its scripts, the limits on families with
 * the package taken as one, and the scripts last.
 */
#include "mempool/internal.h"

#include "util/hex.h"
#include "util/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WEIGHT 404000

/* --- The package by itself -------------------------------------------------
 */

static bool has_txid(const struct cc_tx *txs, size_t count,
                     const uint8_t txid[32])
{
    for (size_t i = 0; i < count; i++)
        if (!memcmp(txs[i].txid, txid, 32))
            return true;
    return false;
}

static bool is_sorted(const struct cc_tx *txs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < txs[i].vin_count; n++)
            if (has_txid(txs + i, count - i, txs[i].vin[n].prevout.txid))
                return false;
    return true;
}

static bool spends(const struct cc_tx *tx, const struct cc_outpoint *o)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (cc_outpoint_equal(&tx->vin[i].prevout, o))
            return true;
    return false;
}

/* Does no coin go twice? One transaction that spends a coin twice is told by
 * its own check. */
static bool is_consistent(const struct cc_tx *txs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < txs[i].vin_count; n++)
            for (size_t j = i + 1; j < count; j++)
                if (spends(&txs[j], &txs[i].vin[n].prevout))
                    return false;
    return true;
}

bool cc_txpool_is_child(const struct cc_tx *tx, const struct cc_tx *parent)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (!memcmp(tx->vin[i].prevout.txid, parent->txid, 32))
            return true;
    return false;
}

enum cc_status cc_txpool_check_package(const struct cc_tx *txs, size_t count,
                                       struct cc_error *err)
{
    const char *words = NULL;
    size_t weight = 0;
    bool twice = false;

    for (size_t i = 0; i < count; i++) {
        weight += cc_tx_weight(&txs[i]);
        twice |= has_txid(txs, i, txs[i].txid);
    }
    if (count > CC_MAX_PACKAGE_COUNT)
        words = "package-too-many-transactions";
    else if (count > 1 && weight > MAX_WEIGHT)
        words = "package-too-large";
    else if (twice)
        words = "package-contains-duplicates";
    else if (!is_sorted(txs, count))
        words = "package-not-sorted";
    else if (!is_consistent(txs, count))
        words = "conflict-in-package";
    return words ? cc_reject(err, CC_VERDICT_POLICY, words, NULL) : CC_OK;
}

/* --- With the pool ---------------------------------------------------------
 */

static enum cc_status too_long(struct cc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static enum cc_status too_long(struct cc_error *err, const char *fmt, ...)
{
    char detail[160];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    return cc_reject(err, CC_VERDICT_POLICY, "package-mempool-limits", detail);
}

/* Against the ancestors in the pool of all together, as if the package were one
 * transaction of its count and size. */
static enum cc_status check_family(struct cc_mempool *m,
                                   const struct cc_txpool_list *family,
                                   size_t count, size_t size,
                                   struct cc_error *err)
{
    const struct cc_mempool_config *l = &m->config;
    size_t total = size;
    char id[65];

    for (size_t i = 0; i < family->count; i++) {
        const struct cc_mempool_entry *e = &family->items[i]->e;

        cc_hex_encode_rev(id, e->tx.txid, 32);
        total += e->vsize;
        if (e->descendant_size + size > l->descendant_size_limit)
            return too_long(err,
                            "possibly exceeds descendant size limit for tx %s "
                            "[limit: %zu]",
                            id, l->descendant_size_limit);
        if (e->descendant_count + count > l->descendant_limit)
            return too_long(err,
                            "possibly too many descendants for tx %s "
                            "[limit: %u]",
                            id, l->descendant_limit);
        if (total > l->ancestor_size_limit)
            return too_long(err,
                            "possibly exceeds ancestor size limit [limit: "
                            "%zu]",
                            l->ancestor_size_limit);
    }
    if (family->count + count > l->ancestor_limit)
        return too_long(err,
                        "possibly too many unconfirmed ancestors [limit: %u]",
                        l->ancestor_limit);
    return CC_OK;
}

static enum cc_status check_limits(struct cc_mempool *m,
                                   const struct cc_txpool_candidate *c,
                                   size_t count, struct cc_error *err)
{
    const struct cc_mempool_config *l = &m->config;
    struct cc_txpool_list family = {0};
    size_t size = 0;
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < count; i++)
        size += c[i].vsize;
    if (count > l->ancestor_limit)
        return too_long(err,
                        "package count %zu exceeds ancestor count limit "
                        "[limit: %u]",
                        count, l->ancestor_limit);
    if (count > l->descendant_limit)
        return too_long(err,
                        "package count %zu exceeds descendant count limit "
                        "[limit: %u]",
                        count, l->descendant_limit);
    if (size > l->ancestor_size_limit)
        return too_long(err,
                        "package size %zu exceeds ancestor size limit "
                        "[limit: %zu]",
                        size, l->ancestor_size_limit);
    if (size > l->descendant_size_limit)
        return too_long(err,
                        "package size %zu exceeds descendant size limit "
                        "[limit: %zu]",
                        size, l->descendant_size_limit);
    cc_txpool_walk(m);
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < c[i].parents.count; n++)
            if (!cc_txpool_visited(m, c[i].parents.items[n])) {
                c[i].parents.items[n]->mark = m->walk;
                cc_txpool_list_add(&family, c[i].parents.items[n]);
            }
    if (family.count + count > l->ancestor_limit)
        st = too_long(err, "too many unconfirmed parents [limit: %u]",
                      l->ancestor_limit);
    family.count = 0;
    cc_txpool_walk(m);
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < c[i].parents.count; n++)
            cc_txpool_collect(m, &family, c[i].parents.items[n], false);
    if (st == CC_OK)
        st = check_family(m, &family, count, size, err);
    cc_txpool_list_clear(&family);
    return st;
}

/* False: item i is refused, and all after it stay as they are. */
static bool settle(struct cc_mempool_package_item *item,
                   const struct cc_txpool_candidate *c, enum cc_status st)
{
    item->judged = true;
    item->status = st;
    if (st == CC_OK)
        item->accept = (struct cc_mempool_accept){
            .fee = c->fee, .modified = c->modified, .vsize = c->vsize};
    return st == CC_OK;
}

static enum cc_status check_feerate(struct cc_mempool *m,
                                    const struct cc_txpool_candidate *c,
                                    size_t count, struct cc_error *err)
{
    cc_amount fee = 0;
    size_t vsize = 0;

    for (size_t i = 0; i < count; i++) {
        fee += c[i].modified;
        vsize += c[i].vsize;
    }
    return cc_txpool_check_feerate(m, fee, vsize, err);
}

enum cc_status cc_txpool_judge_package(struct cc_mempool *m,
                                       struct cc_txpool_candidate *c,
                                       size_t count,
                                       struct cc_mempool_package_item *items,
                                       struct cc_error *err)
{
    struct cc_mempool_package_item *last = &items[count - 1];
    enum cc_status st;

    for (size_t i = 0; i < count; i++) {
        struct cc_mempool_package_item *item = &items[i];

        st = cc_txpool_judge_cheap(m, &c[i], &item->err);
        if (st != CC_OK) {
            settle(item, &c[i], st);
            return CC_OK;
        }
    }
    st = cc_txpool_check_version3_package(c, count, err);
    if (st != CC_OK)
        return st;
    if (c[0].how & CC_TXPOOL_TOGETHER) {
        st = check_feerate(m, c, count, &last->err);
        if (st != CC_OK) {
            settle(last, &c[count - 1], st);
            return CC_OK;
        }
    }
    if (count > 1) {
        st = check_limits(m, c, count, err);
        if (st != CC_OK)
            return st;
    }
    for (size_t i = 0; i < count; i++)
        if (!settle(&items[i], &c[i],
                    cc_txpool_judge_dear(m, &c[i], &items[i].err)))
            break;
    return CC_OK;
}

enum cc_status cc_mempool_test_package(struct cc_mempool *m,
                                       const struct cc_tx *txs, size_t count,
                                       struct cc_mempool_package_item *items,
                                       struct cc_error *err)
{
    struct cc_txpool_candidate *c;
    enum cc_status st;

    for (size_t i = 0; i < count; i++) {
        items[i] = (struct cc_mempool_package_item){.judged = false};
        cc_error_init(&items[i].err);
    }
    st = cc_txpool_check_package(txs, count, err);
    if (st != CC_OK)
        return st;
    c = cc_calloc(count, sizeof(*c));
    cc_chain_lock(m->config.chain);
    for (size_t i = 0; i < count; i++) {
        cc_txpool_candidate_init(&c[i], m, &txs[i]);
        c[i].package = c;
        c[i].package_before = i;
    }
    st = cc_txpool_judge_package(m, c, count, items, err);
    for (size_t i = 0; i < count; i++)
        cc_txpool_candidate_clear(&c[i]);
    cc_chain_unlock(m->config.chain);
    free(c);
    return st;
}
