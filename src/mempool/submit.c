/*
 * A child and the parents that it pays for: submitpackage.
 *
 * As in Core 27 each is tried by itself first, parents before the child, so
 * that who pays for itself pays for nobody else. Those that pay too little, or
 * wait for one that does, are then judged together at the feerate of all of
 * them. The pool is cut to its size once, at the end.
 */
#include "mempool/internal.h"

#include "util/mem.h"

#include <stdlib.h>
#include <string.h>

bool cc_mempool_is_family(const struct cc_tx *txs, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (!cc_txpool_is_child(&txs[count - 1], &txs[i]))
            return false;
        for (size_t k = 0; k + 1 < count; k++)
            if (cc_txpool_is_child(&txs[i], &txs[k]))
                return false;
    }
    return count > 1;
}

/* All that the child spends is of the package or of the chain. */
static enum cc_status check_whole(struct cc_mempool *m, const struct cc_tx *txs,
                                  size_t count, struct cc_error *err)
{
    const struct cc_tx *child = &txs[count - 1];

    for (size_t i = 0; i < child->vin_count; i++) {
        const struct cc_outpoint *o = &child->vin[i].prevout;
        enum cc_status st = CC_NOTFOUND;
        struct cc_arena arena;
        struct cc_coin coin;

        for (size_t k = 0; k + 1 < count && st != CC_OK; k++)
            if (!memcmp(txs[k].txid, o->txid, 32))
                st = CC_OK;
        if (st == CC_OK)
            continue;
        cc_arena_init(&arena);
        st = cc_chain_coin(m->config.chain, o, &coin, &arena, err);
        cc_arena_clear(&arena);
        if (st == CC_NOTFOUND)
            return cc_reject(err, CC_VERDICT_POLICY,
                             "package-not-child-with-unconfirmed-parents",
                             NULL);
        if (st != CC_OK)
            return st;
    }
    return CC_OK;
}

static void note_replaced(struct cc_mempool_submitted *out,
                          const struct cc_txpool_list *list)
{
    out->replaced =
        cc_reallocarray(out->replaced, out->replaced_count + list->count, 32);
    for (size_t i = 0; i < list->count; i++)
        memcpy(out->replaced[out->replaced_count++], list->items[i]->e.tx.txid,
               32);
}

/* One by itself; what it replaces goes at once. */
static enum cc_status take_alone(struct cc_mempool *m, const struct cc_tx *tx,
                                 int64_t now,
                                 struct cc_mempool_submit_item *item,
                                 struct cc_mempool_submitted *out)
{
    struct cc_txpool_candidate c;
    enum cc_status st;

    cc_txpool_candidate_init(&c, m, tx);
    c.how = CC_TXPOOL_IN_PACKAGE;
    st = cc_txpool_judge_cheap(m, &c, &item->err);
    if (st == CC_OK)
        st = cc_txpool_judge_dear(m, &c, &item->err);
    if (st == CC_OK) {
        if (c.replaced.count)
            note_replaced(out, &c.replaced);
        cc_txpool_enter(m, &c, now);
        item->result = CC_SUBMIT_ENTERED;
        item->vsize = item->paid_vsize = c.vsize;
        item->fee = c.fee;
        item->paid = c.modified;
    } else {
        item->result = CC_SUBMIT_REFUSED;
    }
    cc_txpool_candidate_clear(&c);
    return st;
}

/* Those that do not get in by themselves. */
struct rest {
    const struct cc_tx *tx[CC_MAX_PACKAGE_COUNT];
    struct cc_mempool_submit_item *item[CC_MAX_PACKAGE_COUNT];
    size_t count;
};

static void enter_all(struct cc_mempool *m, struct cc_txpool_candidate *c,
                      const struct rest *rest, int64_t now)
{
    cc_amount paid = 0;
    size_t vsize = 0;

    for (size_t i = 0; i < rest->count; i++) {
        paid += c[i].modified;
        vsize += c[i].vsize;
    }
    for (size_t i = 0; i < rest->count; i++) {
        struct cc_mempool_submit_item *item = rest->item[i];

        cc_txpool_enter(m, &c[i], now);
        item->result = CC_SUBMIT_ENTERED;
        item->together = true;
        item->vsize = c[i].vsize;
        item->fee = c[i].fee;
        item->paid = paid;
        item->paid_vsize = vsize;
    }
}

static enum cc_status transaction_failed(struct cc_error *err)
{
    return cc_reject(err, CC_VERDICT_POLICY, "transaction failed", NULL);
}

static enum cc_status take_together(struct cc_mempool *m,
                                    const struct rest *rest, int64_t now,
                                    struct cc_error *err)
{
    struct cc_mempool_package_item *items =
        cc_calloc(rest->count, sizeof(*items));
    struct cc_txpool_candidate *c = cc_calloc(rest->count, sizeof(*c));
    enum cc_status st;

    for (size_t i = 0; i < rest->count; i++) {
        cc_txpool_candidate_init(&c[i], m, rest->tx[i]);
        c[i].how = CC_TXPOOL_TOGETHER;
        c[i].package = c;
        c[i].package_before = i;
        cc_error_init(&items[i].err);
    }
    st = cc_txpool_judge_package(m, c, rest->count, items, err);
    for (size_t i = 0; i < rest->count; i++)
        if (st == CC_OK && items[i].judged && items[i].status != CC_OK) {
            rest->item[i]->err = items[i].err;
            st = transaction_failed(err);
        }
    if (st == CC_OK)
        enter_all(m, c, rest, now);
    for (size_t i = 0; i < rest->count; i++)
        cc_txpool_candidate_clear(&c[i]);
    free(c);
    free(items);
    return st;
}

/* Is it here already, as it is or with another witness? */
static bool is_there(struct cc_mempool *m, const struct cc_tx *tx,
                     struct cc_mempool_submit_item *item)
{
    const struct cc_txpool_node *n = cc_txpool_get(m, tx->txid);

    if (!n)
        return false;
    item->vsize = n->e.vsize;
    item->fee = n->e.fee;
    memcpy(item->other_wtxid, n->e.tx.wtxid, 32);
    item->result = memcmp(n->e.tx.wtxid, tx->wtxid, 32)
                       ? CC_SUBMIT_OTHER_WITNESS
                       : CC_SUBMIT_THERE;
    return true;
}

static enum cc_status take_all(struct cc_mempool *m, const struct cc_tx *txs,
                               size_t count, struct cc_mempool_submitted *out,
                               struct cc_error *err)
{
    int64_t now = m->config.now(m->config.now_arg);
    enum cc_status all = CC_OK;
    struct rest rest;

    rest.count = 0;
    for (size_t i = 0; i < count; i++) {
        struct cc_mempool_submit_item *item = &out->items[i];
        enum cc_verdict verdict;

        if (is_there(m, &txs[i], item) ||
            take_alone(m, &txs[i], now, item, out) == CC_OK)
            continue;
        verdict = item->err.verdict;
        if (verdict == CC_VERDICT_FEE || verdict == CC_VERDICT_MISSING_INPUTS) {
            rest.tx[rest.count] = &txs[i];
            rest.item[rest.count++] = item;
        } else {
            all = transaction_failed(err);
        }
    }
    if (all == CC_OK && rest.count > 0)
        all = take_together(m, &rest, now, err);
    return all;
}

enum cc_status cc_mempool_submit_package(struct cc_mempool *m,
                                         const struct cc_tx *txs, size_t count,
                                         struct cc_mempool_submitted *out,
                                         struct cc_error *err)
{
    enum cc_status st;

    memset(out, 0, sizeof(*out));
    cc_error_init(err);
    st = cc_txpool_check_package(txs, count, err);
    if (st != CC_OK)
        return st;
    cc_chain_lock(m->config.chain);
    st = check_whole(m, txs, count, err);
    if (st == CC_OK) {
        st = take_all(m, txs, count, out, err);
        cc_txpool_limit(m);
        for (size_t i = 0; i < count; i++) {
            struct cc_mempool_submit_item *item = &out->items[i];

            if (item->result == CC_SUBMIT_REFUSED ||
                cc_txpool_get(m, txs[i].txid))
                continue;
            cc_reject_code(&item->err, CC_REJECT_MEMPOOL_FULL);
            item->result = CC_SUBMIT_REFUSED;
            st = transaction_failed(err);
        }
        cc_txpool_audit_maybe(m);
    }
    cc_chain_unlock(m->config.chain);
    return st;
}

void cc_mempool_submitted_clear(struct cc_mempool_submitted *s)
{
    free(s->replaced);
    s->replaced = NULL;
    s->replaced_count = 0;
}
