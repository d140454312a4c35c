/*
 * What is special about storage transactions in the pool (doc/protocol.md
 * 4.6): their verdict rests on facts that the chain moves past, some expire,
 * some must not be blocked by cheaper ones.
 */
#include "mempool/internal.h"

#include <string.h>

#define HELD_BYTES 1000000

/* The action of a typed input, and its flags where it has such. False if the
 * coin is not typed or the witness not of ours. */
static bool action_of(enum cc_action *action, unsigned *flags,
                      const struct cc_txin *in, const struct cc_coin *coin)
{
    struct cc_typed t;
    struct cc_act act;

    if (cc_typed_parse(&t, coin->out.script, NULL) != CC_OK ||
        t.kind == CC_KIND_NONE || t.kind == CC_KIND_RESERVED ||
        cc_act_parse(&act, t.kind, in->witness, in->witness_count, NULL) !=
            CC_OK)
        return false;
    *action = act.action;
    *flags = act.flags;
    return true;
}

static const struct cc_txin *spending_input(const struct cc_tx *tx,
                                            const struct cc_outpoint *o)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (cc_outpoint_equal(&tx->vin[i].prevout, o))
            return &tx->vin[i];
    return NULL;
}

bool cc_txpool_is_urgent(struct cc_mempool *m,
                         const struct cc_txpool_candidate *c)
{
    bool any = false;

    if (!c->storage.typed)
        return false;
    for (size_t i = 0; i < c->tx->vin_count; i++) {
        const struct cc_txin *in = &c->tx->vin[i];
        const struct cc_txpool_node *n =
            cc_map_get_ptr(&m->spenders, &in->prevout);
        enum cc_action mine, theirs;
        unsigned flags;

        if (!n)
            continue;
        if (!action_of(&mine, &flags, in, &c->coins[i]) ||
            (mine != CC_ACTION_PROVE && mine != CC_ACTION_CLAIM) ||
            !action_of(&theirs, &flags, spending_input(&n->e.tx, &in->prevout),
                       &c->coins[i]) ||
            (theirs != CC_ACTION_SYNC && theirs != CC_ACTION_END))
            return false;
        any = true;
    }
    return any;
}

static bool spends_package(const struct cc_txpool_candidate *c)
{
    for (size_t i = 0; i < c->package_before; i++)
        if (cc_txpool_is_child(c->tx, c->package[i].tx))
            return true;
    return false;
}

/* A chain of a renter's unconfirmed one-sided steps could be torn down by its
 * first, again and again, at the price of one. */
static enum cc_status check_renter(struct cc_mempool *m,
                                   const struct cc_txpool_candidate *c,
                                   struct cc_error *err)
{
    for (size_t i = 0; i < c->tx->vin_count; i++) {
        enum cc_action action;
        unsigned flags;

        if (action_of(&action, &flags, &c->tx->vin[i], &c->coins[i]) &&
            (flags & CC_FLAG_BY_RENTER) &&
            (c->ancestors.count > 0 || spends_package(c)))
            return cc_reject_code(err, CC_REJECT_STORAGE_UNCONFIRMED);
    }
    (void)m;
    return CC_OK;
}

/* Is there room for it among what pays more, before it expires? */
static enum cc_status check_expiry(struct cc_mempool *m,
                                   const struct cc_txpool_candidate *c,
                                   struct cc_error *err)
{
    const int64_t blocks = c->storage.facts.hi - c->place.height + 1;
    uint64_t ahead = cc_tx_weight(c->tx);

    /* More blocks than the pool could ever fill. */
    if (blocks > (int64_t)(m->bytes / (CC_MAX_BLOCK_WEIGHT / 4)) + 1)
        return CC_OK;
    for (size_t i = 0; i < m->count; i++) {
        const struct cc_mempool_entry *e = &m->nodes[i]->e;

        if (cc_feerate_above(e->fee + e->fee_delta, e->vsize, c->modified,
                             c->vsize))
            ahead += (uint64_t)e->vsize * CC_WITNESS_SCALE;
    }
    if (ahead > (uint64_t)blocks * CC_MAX_BLOCK_WEIGHT)
        return cc_reject_code(err, CC_REJECT_STORAGE_EXPIRES);
    return CC_OK;
}

enum cc_status cc_txpool_check_storage(struct cc_mempool *m,
                                       struct cc_txpool_candidate *c,
                                       struct cc_error *err)
{
    enum cc_status st = check_renter(m, c, err);

    if (st == CC_OK && c->storage.facts.hi < INT64_MAX)
        st = check_expiry(m, c, err);
    return st;
}

void cc_txpool_hold(struct cc_mempool *m, const struct cc_tx *tx)
{
    for (size_t i = 0; i < m->held.count; i++)
        if (!memcmp(m->held.tx[i].wtxid, tx->wtxid, 32))
            return;
    cc_txpool_aside_add(&m->held, tx, HELD_BYTES);
}

void cc_txpool_retry_held(struct cc_mempool *m)
{
    struct cc_txpool_aside held = m->held;
    int64_t now = m->config.now(m->config.now_arg);
    struct cc_error err;

    memset(&m->held, 0, sizeof(m->held));
    for (size_t i = 0; i < held.count; i++)
        (void)cc_txpool_accept(m, &held.tx[i], 0, now, NULL, &err);
    cc_txpool_aside_clear(&held);
}

void cc_txpool_refresh(struct cc_mempool *m)
{
    const int64_t next = (int64_t)cc_chain_tip(m->config.chain)->height + 1;
    struct cc_error err;

    for (size_t i = 0; i < m->count;) {
        struct cc_txpool_node *n = m->nodes[i];

        if (!n->e.typed || n->e.facts.hi >= next ||
            cc_txpool_recheck(m, n, &err) == CC_OK) {
            i++;
        } else {
            cc_txpool_remove_deep(m, n, CC_LEAVE_FACTS);
            i = 0; /* places have changed */
        }
    }
}
