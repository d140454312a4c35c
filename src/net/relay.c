/*
 * Transactions: heard of by inventory, asked of one peer at a time, told on in
 * batches at random moments so that nobody learns from the timing where a
 * transaction began.
 *
 * Storage transactions name their parties anyway, and many have a block by
 * which they must be mined: those, and what they spend of the pool, are told at
 * once. Whom to ask first is decided as for all others: an inventory does not
 * say what it is, and who could have a transaction asked of him at once could
 * as well keep it back. But where storage is active, nobody waits for a better
 * peer who has none.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "net/node.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

#define DELAY_US (2 * SECOND_US) /* for each reason to rather ask another */
#define INBOUND_INV_US (5 * SECOND_US)
#define OUTBOUND_INV_US (2 * SECOND_US)
#define INV_BATCH 35
#define INV_BATCH_MAX 1000
#define TX_QUEUE_MAX 50000
#define REQUEST_BATCH 100
#define FEE_FILTER_US (10 * MINUTE_US)
#define FEE_FILTER_TOP 1e7
#define FEE_FILTER_SOON_US (5 * MINUTE_US)

/* Do we take transactions at all, and from this peer? */
bool cc_relay_refuses(const struct cc_peer *p)
{
    if (p->type == CC_CONN_BLOCK_RELAY || p->type == CC_CONN_FEELER)
        return true;
    return p->net->o.blocks_only && !cc_peer_has(p, CC_PERM_RELAY);
}

/* hash: txid or wtxid. */
static bool already_have(struct cc_net *n, const uint8_t hash[32],
                         bool by_wtxid)
{
    bool have;

    if (cc_orphans_has(n->orphans, hash, by_wtxid) ||
        cc_recent_has(&n->rejects, hash) || cc_recent_has(&n->confirmed, hash))
        return true;
    cc_chain_lock(n->chain);
    have = by_wtxid ? cc_mempool_find_wtxid(n->mempool, hash) != NULL
                    : cc_mempool_find(n->mempool, hash) != NULL;
    cc_chain_unlock(n->chain);
    return have;
}

static bool any_wtxid_peer(const struct cc_net *n)
{
    for (size_t i = 0; i < n->peer_count; i++)
        if (n->peers[i]->wtxid_relay && n->peers[i]->ready)
            return true;
    return false;
}

static bool is_preferred(const struct cc_peer *p)
{
    return cc_peer_is_outbound(p) || cc_peer_has(p, CC_PERM_NOBAN);
}

/* Bitcoin Core waits though nobody better may come. What has a block by which
 * it must be mined should not. */
static bool worth_waiting(const struct cc_net *n)
{
    if (!n->params->storage_active)
        return true;
    for (size_t i = 0; i < n->peer_count; i++)
        if (n->peers[i]->ready && is_preferred(n->peers[i]) &&
            !cc_relay_refuses(n->peers[i]))
            return true;
    return false;
}

static void want_tx(struct cc_peer *p, const uint8_t hash[32], bool by_wtxid)
{
    struct cc_net *n = p->net;
    bool preferred = is_preferred(p);
    int64_t due = cc_net_now_us(n);

    if (!preferred && worth_waiting(n))
        due += DELAY_US;
    if (!by_wtxid && any_wtxid_peer(n))
        due += DELAY_US;
    if (cc_txreq_in_flight(n->txreq, p->id) >= CC_TXREQ_IN_FLIGHT &&
        !cc_peer_has(p, CC_PERM_RELAY))
        due += DELAY_US;
    cc_txreq_announce(n->txreq, p->id, hash, by_wtxid, preferred, due,
                      cc_peer_has(p, CC_PERM_RELAY) ? CC_MAX_INV
                                                    : CC_TXREQ_PER_PEER);
}

void cc_relay_on_inv_tx(struct cc_peer *p, const struct cc_inv *inv)
{
    struct cc_net *n = p->net;
    bool by_wtxid = inv->type == CC_INV_WTX;
    char hex[65];

    if (p->wtxid_relay != by_wtxid)
        return; /* BIP 339: the other kind is not for us */
    cc_hex_encode_rev(hex, inv->hash, 32);
    if (cc_relay_refuses(p)) {
        cc_debug(n->log, CC_LOG_NET,
                 "transaction (%s) inv sent in violation of protocol, "
                 "disconnecting peer=%" PRId64,
                 hex, p->id);
        cc_peer_drop(p);
        return;
    }
    cc_recent_add(&p->known_txs, inv->hash);
    if (!already_have(n, inv->hash, by_wtxid) && !cc_chain_in_ibd(n->chain))
        want_tx(p, inv->hash, by_wtxid);
}

void cc_relay_on_notfound(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_inv *inv;
    size_t count;

    if (cc_msg_inv_decode(&inv, &count, m->payload, m->len) != CC_OK) {
        cc_peer_malformed(p, m);
        return;
    }
    for (size_t i = 0; i < count && count <= CC_TXREQ_PER_PEER; i++)
        if (inv[i].type == CC_INV_TX || inv[i].type == CC_INV_WTX ||
            inv[i].type == CC_INV_WITNESS_TX)
            cc_txreq_answered(p->net->txreq, p->id, inv[i].hash);
    free(inv);
}

/* --- Transactions come ---------------------------------------------------- */

static void queue_tx(struct cc_peer *p, struct cc_tx_queue *q,
                     const struct cc_tx *tx)
{
    struct cc_known_tx *t;

    if (!p->ready || !cc_peer_takes_txs(p) || q->count >= TX_QUEUE_MAX ||
        cc_recent_has(&p->known_txs, p->wtxid_relay ? tx->wtxid : tx->txid))
        return;
    q->items = cc_grow(q->items, &q->cap, q->count + 1, sizeof(*q->items));
    t = &q->items[q->count++];
    memcpy(t->txid, tx->txid, 32);
    memcpy(t->wtxid, tx->wtxid, 32);
}

struct family {
    const struct cc_mempool_entry **list;
    size_t count, cap;
};

static bool add_to_family(void *arg, const struct cc_mempool_entry *e)
{
    struct family *f = arg;

    f->list = cc_grow(f->list, &f->cap, f->count + 1, sizeof(*f->list));
    f->list[f->count++] = e;
    return true;
}

/* Parents first: a child has all ancestors of its parents, and them. */
static int by_ancestors(const void *a, const void *b)
{
    const struct cc_mempool_entry *x =
        *(const struct cc_mempool_entry *const *)a;
    const struct cc_mempool_entry *y =
        *(const struct cc_mempool_entry *const *)b;

    if (x->ancestor_count != y->ancestor_count)
        return x->ancestor_count < y->ancestor_count ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* Nobody could take it without what it spends. */
static void announce_now(struct cc_net *n, const struct cc_mempool_entry *e)
{
    struct family f = {0};

    cc_mempool_relatives(n->mempool, e->tx.txid, false, true, add_to_family,
                         &f);
    if (f.count)
        qsort(f.list, f.count, sizeof(*f.list), by_ancestors);
    for (size_t i = 0; i < n->peer_count; i++) {
        struct cc_peer *p = n->peers[i];

        for (size_t k = 0; k < f.count; k++)
            queue_tx(p, &p->tx_now, &f.list[k]->tx);
        queue_tx(p, &p->tx_now, &e->tx);
    }
    free(f.list);
}

/* Tell all peers. Under the chain's lock. */
static void announce(struct cc_net *n, const struct cc_mempool_entry *e)
{
    if (e->typed) {
        announce_now(n, e);
        return;
    }
    for (size_t i = 0; i < n->peer_count; i++)
        queue_tx(n->peers[i], &n->peers[i]->tx_queue, &e->tx);
}

static bool is_typed(void *arg, const struct cc_mempool_entry *e)
{
    bool *typed = arg;

    *typed = *typed || e->typed;
    return !*typed;
}

/* Was it announced without waiting? */
static bool told_at_once(struct cc_net *n, const struct cc_mempool_entry *e)
{
    bool typed = e->typed;

    if (!typed)
        cc_mempool_relatives(n->mempool, e->tx.txid, true, true, is_typed,
                             &typed);
    return typed;
}

static void forget(struct cc_net *n, const struct cc_tx *tx)
{
    cc_txreq_forget(n->txreq, tx->txid);
    cc_txreq_forget(n->txreq, tx->wtxid);
}

static void accepted(struct cc_peer *p, const struct cc_tx *tx)
{
    struct cc_net *n = p->net;
    const struct cc_mempool_entry *e;

    forget(n, tx);
    cc_orphans_parent_came(n->orphans, tx->txid);
    cc_orphans_remove(n->orphans, tx->wtxid);
    cc_chain_lock(n->chain);
    e = cc_mempool_find(n->mempool, tx->txid);
    if (e)
        announce(n, e);
    cc_chain_unlock(n->chain);
    p->last_tx_s = cc_net_now_s(n);
}

/* Keep it until its parents, which its sender should have, are here. */
static void adopt(struct cc_peer *p, const struct cc_tx *tx)
{
    struct cc_net *n = p->net;
    bool hopeless = false;
    char hex[65], whex[65];
    size_t before;

    for (size_t i = 0; i < tx->vin_count && !hopeless; i++)
        hopeless = cc_recent_has(&n->rejects, tx->vin[i].prevout.txid);
    forget(n, tx);
    cc_hex_encode_rev(hex, tx->txid, 32);
    cc_hex_encode_rev(whex, tx->wtxid, 32);
    if (hopeless) {
        cc_debug(n->log, CC_LOG_MEMPOOL,
                 "not keeping orphan with rejected parents %s (wtxid=%s)", hex,
                 whex);
        cc_recent_add(&n->rejects, tx->txid);
        cc_recent_add(&n->rejects, tx->wtxid);
        return;
    }
    for (size_t i = 0; i < tx->vin_count; i++) {
        const uint8_t *parent = tx->vin[i].prevout.txid;

        cc_recent_add(&p->known_txs, parent);
        if (!already_have(n, parent, false))
            want_tx(p, parent, false);
    }
    before = cc_orphans_count(n->orphans);
    if (!cc_orphans_add(n->orphans, tx, p->id, cc_net_now_s(n),
                        cc_random_u64()))
        return;
    cc_debug(n->log, CC_LOG_TXPACKAGES,
             "stored orphan tx %s (wtxid=%s) (mapsz %zu)", hex, whex,
             cc_orphans_count(n->orphans));
    cc_cmpct_keep(n, tx);
    if (before == n->o.max_orphans &&
        cc_orphans_count(n->orphans) == n->o.max_orphans)
        cc_debug(n->log, CC_LOG_TXPACKAGES, "orphanage overflow, removed 1 tx");
}

static void say_refused(const struct cc_peer *p, const struct cc_tx *tx,
                        const struct cc_error *err)
{
    char hex[65], whex[65];

    cc_hex_encode_rev(hex, tx->txid, 32);
    cc_hex_encode_rev(whex, tx->wtxid, 32);
    cc_debug(p->net->log, CC_LOG_MEMPOOL,
             "%s (wtxid=%s) from peer=%" PRId64 " was not accepted: %s", hex,
             whex, p->id, err->text);
}

static void refused(struct cc_peer *p, const struct cc_tx *tx,
                    const struct cc_error *err)
{
    struct cc_net *n = p->net;

    say_refused(p, tx, err);
    forget(n, tx);
    /* Without its witness we cannot tell: the wtxid says nothing. */
    if (err->verdict != CC_VERDICT_WITNESS) {
        cc_recent_add(&n->rejects, tx->wtxid);
        /* What the txid names is at fault, whatever the witness. */
        if (!strcmp(err->reason, "bad-txns-nonstandard-inputs"))
            cc_recent_add(&n->rejects, tx->txid);
        cc_cmpct_keep(n, tx);
    }
    cc_orphans_remove(n->orphans, tx->wtxid);
    cc_peer_judge_tx(p, err);
}

/* orphan: it waits in the pool of orphans already. */
static void try_tx(struct cc_peer *p, const struct cc_tx *tx, bool orphan)
{
    struct cc_net *n = p->net;
    struct cc_error err;
    struct cc_mempool_accept acc;
    enum cc_status st;

    cc_error_init(&err);
    st = cc_mempool_add(n->mempool, tx, false, &acc, &err);
    if (st == CC_OK) {
        accepted(p, tx);
    } else if (st != CC_INVALID) {
        cc_log(n->log, "Cannot judge a transaction: %s", err.text);
        forget(n, tx);
    } else if (err.verdict == CC_VERDICT_MISSING_INPUTS) {
        if (!orphan) {
            adopt(p, tx);
            say_refused(p, tx, &err);
        }
    } else {
        refused(p, tx, &err);
    }
}

/* One that we have, from who may have it told again. */
static void force_relay(struct cc_peer *p, const struct cc_tx *tx)
{
    struct cc_net *n = p->net;
    const struct cc_mempool_entry *e;
    char hex[65], whex[65];

    cc_hex_encode_rev(hex, tx->txid, 32);
    cc_hex_encode_rev(whex, tx->wtxid, 32);
    cc_chain_lock(n->chain);
    e = cc_mempool_find(n->mempool, tx->txid);
    if (e)
        announce(n, e);
    cc_chain_unlock(n->chain);
    if (e)
        cc_log(n->log, "Force relaying tx %s (wtxid=%s) from peer=%" PRId64,
               hex, whex, p->id);
    else
        cc_log(n->log,
               "Not relaying non-mempool transaction %s (wtxid=%s) from "
               "forcerelay peer=%" PRId64,
               hex, whex, p->id);
}

void cc_relay_on_tx(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_tx tx;

    if (cc_relay_refuses(p)) {
        cc_debug(n->log, CC_LOG_NET,
                 "transaction sent in violation of protocol peer=%" PRId64,
                 p->id);
        cc_peer_drop(p);
        return;
    }
    if (cc_chain_in_ibd(n->chain))
        return;
    if (cc_tx_decode_front(&tx, m->payload, m->len) != CC_OK) {
        cc_peer_malformed_by(p, m, cc_tx_fault(m->payload, m->len));
        return;
    }
    cc_recent_add(&p->known_txs, p->wtxid_relay ? tx.wtxid : tx.txid);
    cc_txreq_answered(n->txreq, p->id, tx.txid);
    cc_txreq_answered(n->txreq, p->id, tx.wtxid);
    if (!already_have(n, tx.wtxid, true))
        try_tx(p, &tx, false);
    else if (cc_peer_has(p, CC_PERM_FORCERELAY))
        force_relay(p, &tx);
    cc_tx_clear(&tx);
}

bool cc_relay_orphans(struct cc_peer *p)
{
    struct cc_net *n = p->net;
    const struct cc_tx *tx = cc_orphans_work(n->orphans, p->id);
    struct cc_tx copy;

    if (!tx)
        return false;
    cc_tx_copy(&copy, tx); /* trying it may take it out of the pool */
    try_tx(p, &copy, true);
    cc_tx_clear(&copy);
    return cc_orphans_has_work(n->orphans, p->id);
}

/* Orphans that a block includes or makes impossible. */
static void forget_orphans(struct cc_net *n, const struct cc_outpoint *spent,
                           size_t count, const uint8_t seed[16])
{
    size_t before = cc_orphans_count(n->orphans);
    struct cc_map coins;

    cc_map_init(&coins, sizeof(*spent), 1, seed);
    cc_map_reserve(&coins, count);
    for (size_t i = 0; i < count; i++)
        cc_map_put(&coins, &spent[i], NULL);
    cc_orphans_remove_spending(n->orphans, &coins);
    cc_map_clear(&coins);
    before -= cc_orphans_count(n->orphans);
    if (before)
        cc_debug(n->log, CC_LOG_TXPACKAGES,
                 "Erased %zu orphan tx included or conflicted by block",
                 before);
}

/* Those that spend of it are tried again. */
static void wake_orphans(struct cc_net *n, const struct cc_known_tx *ids,
                         size_t count, const uint8_t seed[16])
{
    struct cc_map txids;

    cc_map_init(&txids, 32, 1, seed);
    cc_map_reserve(&txids, count);
    for (size_t i = 0; i < count; i++)
        cc_map_put(&txids, ids[i].txid, NULL);
    cc_orphans_parents_came(n->orphans, &txids);
    cc_map_clear(&txids);
}

void cc_relay_block(struct cc_net *n, const struct cc_known_tx *ids,
                    size_t count, const struct cc_outpoint *spent,
                    size_t spent_count)
{
    uint8_t seed[16];

    if (cc_orphans_count(n->orphans)) {
        cc_random_bytes(seed, sizeof(seed));
        forget_orphans(n, spent, spent_count, seed);
        wake_orphans(n, ids, count, seed);
    }
    for (size_t i = 0; i < count; i++) {
        cc_recent_add(&n->confirmed, ids[i].txid);
        cc_recent_add(&n->confirmed, ids[i].wtxid);
        cc_txreq_forget(n->txreq, ids[i].txid);
        cc_txreq_forget(n->txreq, ids[i].wtxid);
    }
}

/* --- Serving -------------------------------------------------------------- */

bool cc_relay_serve(struct cc_peer *p, const struct cc_inv *inv)
{
    struct cc_net *n = p->net;
    const struct cc_mempool_entry *e;
    const struct cc_tx *mined;
    struct cc_writer w;
    uint8_t txid[32];
    bool found;

    cc_writer_init_heap(&w);
    cc_chain_lock(n->chain);
    e = inv->type == CC_INV_WTX ? cc_mempool_find_wtxid(n->mempool, inv->hash)
                                : cc_mempool_find(n->mempool, inv->hash);
    /* Only what could have been announced, or was in a block: else a peer could
     * ask which transactions came to us and when. */
    found = e && (e->returned || e->sequence < p->last_inv_sequence ||
                  told_at_once(n, e));
    if (found) {
        memcpy(txid, e->tx.txid, 32);
        cc_tx_write(&w, &e->tx, inv->type != CC_INV_TX);
        cc_mempool_set_broadcast(n->mempool, txid);
    }
    cc_chain_unlock(n->chain);
    mined = found ? NULL : cc_latest_find(n, inv->hash);
    if (mined)
        cc_tx_write(&w, mined, inv->type != CC_INV_TX);
    if (found || mined)
        cc_peer_send(p, CC_MSG_TX, &w);
    cc_writer_clear(&w);
    return found || mined;
}

void cc_relay_on_feefilter(struct cc_peer *p, const struct cc_conn_message *m)
{
    uint64_t v;

    if (cc_msg_u64_decode(&v, m->payload, m->len) != CC_OK) {
        cc_peer_malformed(p, m);
        return;
    }
    if (v > (uint64_t)p->net->params->max_money)
        return; /* no amount: ignored, as BIP 133 leaves it */
    p->fee_filter = (cc_amount)v;
    cc_debug(p->net->log, CC_LOG_NET,
             "received: feefilter of %" PRId64 " sat/kvB from peer=%" PRId64,
             p->fee_filter, p->id);
}

/* --- Announcing ----------------------------------------------------------- */

static bool passes_filter(const struct cc_peer *p,
                          const struct cc_mempool_entry *e)
{
    __extension__ typedef __int128 wide;

    return (wide)e->fee * 1000 >= (wide)p->fee_filter * (wide)e->vsize &&
           (!p->bloom || cc_bloom_match(p->bloom, &e->tx));
}

struct inv_list {
    struct cc_peer *p;
    struct cc_inv *inv;
    size_t count, cap;
};

static void push_inv(struct inv_list *l, const struct cc_mempool_entry *e)
{
    struct cc_inv *i;

    l->inv = cc_grow(l->inv, &l->cap, l->count + 1, sizeof(*l->inv));
    i = &l->inv[l->count++];
    i->type = l->p->wtxid_relay ? CC_INV_WTX : CC_INV_TX;
    memcpy(i->hash, l->p->wtxid_relay ? e->tx.wtxid : e->tx.txid, 32);
    cc_recent_add(&l->p->known_txs, i->hash);
}

static bool push_each(void *arg, const struct cc_mempool_entry *e)
{
    struct inv_list *l = arg;

    if (passes_filter(l->p, e))
        push_inv(l, e);
    return true;
}

/* In order of arrival, so a parent goes before its child. */
static void take_queue(struct cc_peer *p, struct cc_tx_queue *q, size_t max,
                       struct inv_list *l)
{
    size_t i = 0;

    if (max > INV_BATCH_MAX)
        max = INV_BATCH_MAX;
    for (; i < q->count && max > 0; i++) {
        const struct cc_known_tx *t = &q->items[i];
        const struct cc_mempool_entry *e;

        if (cc_recent_has(&p->known_txs, p->wtxid_relay ? t->wtxid : t->txid))
            continue;
        e = cc_mempool_find(p->net->mempool, t->txid);
        if (!e || !passes_filter(p, e))
            continue;
        push_inv(l, e);
        max--;
    }
    q->count -= i;
    memmove(q->items, q->items + i, q->count * sizeof(*q->items));
}

static void send_invs(struct inv_list *l)
{
    struct cc_writer w;

    for (size_t i = 0; i < l->count; i += INV_BATCH_MAX) {
        size_t k = l->count - i < INV_BATCH_MAX ? l->count - i : INV_BATCH_MAX;

        cc_writer_init_heap(&w);
        cc_msg_inv_write(&w, l->inv + i, k);
        cc_peer_send(l->p, CC_MSG_INV, &w);
    }
    free(l->inv);
}

static void tell_now(struct cc_peer *p)
{
    struct inv_list l = {.p = p};

    if (!cc_peer_takes_txs(p))
        p->tx_now.count = 0;
    if (!p->tx_now.count)
        return;
    cc_chain_lock(p->net->chain);
    take_queue(p, &p->tx_now, INV_BATCH_MAX, &l);
    cc_chain_unlock(p->net->chain);
    send_invs(&l);
}

/* Is it time to tell this peer? Those who connected to us are told at the same
 * moments, so that many connections reveal no more than one. */
static bool time_to_tell(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;
    bool due = cc_peer_has(p, CC_PERM_NOBAN);

    if (p->next_inv_us >= now)
        return due;
    if (cc_peer_is_outbound(p)) {
        p->next_inv_us = now + cc_net_poisson_us(OUTBOUND_INV_US);
    } else {
        if (n->next_inbound_inv_us < now)
            n->next_inbound_inv_us = now + cc_net_poisson_us(INBOUND_INV_US);
        p->next_inv_us = n->next_inbound_inv_us;
    }
    return true;
}

static void tell_txs(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;
    struct inv_list l = {.p = p};
    struct cc_mempool_stats stats;

    if (!time_to_tell(p, now))
        return;
    if (!cc_peer_takes_txs(p))
        p->tx_queue.count = 0;
    if (!p->may_relay_txs)
        return;
    cc_chain_lock(n->chain);
    if (p->send_mempool)
        cc_mempool_each(n->mempool, push_each, &l);
    if (p->tx_queue.count)
        take_queue(p, &p->tx_queue, INV_BATCH + p->tx_queue.count / 1000 * 5,
                   &l);
    cc_mempool_stats(n->mempool, &stats);
    cc_chain_unlock(n->chain);
    p->send_mempool = false;
    p->last_inv_sequence = stats.sequence;
    send_invs(&l);
}

/* --- Asking --------------------------------------------------------------- */

static void ask_txs(struct cc_peer *p, int64_t now)
{
    struct cc_txreq_want want[REQUEST_BATCH];
    struct cc_inv inv[REQUEST_BATCH];
    struct cc_writer w;
    size_t n, k;

    do {
        n = cc_txreq_due(p->net->txreq, p->id, now, want, REQUEST_BATCH);
        k = 0;
        for (size_t i = 0; i < n; i++) {
            if (already_have(p->net, want[i].hash, want[i].by_wtxid)) {
                cc_txreq_forget(p->net->txreq, want[i].hash);
                continue;
            }
            inv[k].type = want[i].by_wtxid                   ? CC_INV_WTX
                          : p->services & CC_SERVICE_WITNESS ? CC_INV_WITNESS_TX
                                                             : CC_INV_TX;
            memcpy(inv[k++].hash, want[i].hash, 32);
        }
        if (k) {
            cc_writer_init_heap(&w);
            cc_msg_inv_write(&w, inv, k);
            cc_peer_send(p, CC_MSG_GETDATA, &w);
        }
    } while (n == REQUEST_BATCH);
}

/* --- Fee filter (BIP 133) ------------------------------------------------- */

/* One of few values, so that it names nobody: steps of a tenth from half the
 * incremental fee to ten million; two times of three the one below. */
static cc_amount round_fee(cc_amount v, cc_amount incremental, bool down)
{
    double step = incremental / 2 > 1 ? (double)(incremental / 2) : 1;
    double below = 0;

    for (; step <= FEE_FILTER_TOP && step < (double)v; step *= 1.1)
        below = step;
    if (step > FEE_FILTER_TOP || down || cc_random_below(3) != 0)
        return (cc_amount)below;
    return (cc_amount)step;
}

static void fee_filter_tick(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;
    struct cc_mempool_stats stats;
    struct cc_writer w;
    cc_amount current, tell, none;

    if (cc_relay_refuses(p) || n->o.blocks_only || p->version < 70013 ||
        cc_peer_has(p, CC_PERM_FORCERELAY))
        return;
    cc_mempool_stats(n->mempool, &stats);
    current = stats.min_feerate;
    none = round_fee(n->params->max_money, stats.incremental_feerate, true);
    if (cc_chain_in_ibd(n->chain))
        current = none; /* no transactions, please */
    else if (p->fee_filter_sent == none)
        p->next_fee_filter_us = 0; /* caught up: say so at once */
    if (now > p->next_fee_filter_us) {
        tell = current;
        if (current != none && current > stats.min_relay_feerate)
            tell = round_fee(current, stats.incremental_feerate, false);
        if (tell < stats.min_relay_feerate)
            tell = stats.min_relay_feerate;
        if (tell != p->fee_filter_sent) {
            cc_writer_init_heap(&w);
            cc_write_u64le(&w, (uint64_t)tell);
            cc_peer_send(p, CC_MSG_FEEFILTER, &w);
            p->fee_filter_sent = tell;
        }
        p->next_fee_filter_us = now + cc_net_poisson_us(FEE_FILTER_US);
    } else if (now + FEE_FILTER_SOON_US < p->next_fee_filter_us &&
               (current < 3 * p->fee_filter_sent / 4 ||
                current > 4 * p->fee_filter_sent / 3)) {
        p->next_fee_filter_us =
            now + (int64_t)cc_random_below(FEE_FILTER_SOON_US);
    }
}

void cc_relay_tick(struct cc_peer *p, int64_t now)
{
    /* A peer that does not read is told nothing more. */
    if (cc_conn_backlog(p->conn) < p->net->o.max_send_bytes) {
        tell_now(p);
        tell_txs(p, now);
        ask_txs(p, now);
    }
    fee_filter_tick(p, now);
}

/* --- Our own -------------------------------------------------------------- */

struct news {
    struct cc_net *n;
    uint8_t txid[32];
};

static void task_announce(void *arg)
{
    struct news *t = arg;
    struct cc_net *n = t->n;
    const struct cc_mempool_entry *e;

    cc_chain_lock(n->chain);
    e = cc_mempool_find(n->mempool, t->txid);
    if (e)
        announce(n, e);
    cc_chain_unlock(n->chain);
    free(t);
}

void cc_relay_announce_later(struct cc_net *n, const uint8_t txid[32])
{
    struct news *t = cc_calloc(1, sizeof(*t));

    t->n = n;
    memcpy(t->txid, txid, 32);
    cc_net_post(n, task_announce, t);
}

static bool announce_again(void *arg, const struct cc_mempool_entry *e)
{
    if (e->unbroadcast)
        announce(arg, e);
    return true;
}

struct forward {
    struct cc_net *n;
    int64_t us;
};

static void task_forward(void *arg)
{
    struct forward *f = arg;

    if (f->n->next_rebroadcast_us) /* else nothing is planned yet */
        f->n->next_rebroadcast_us -= f->us;
    free(f);
}

void cc_net_forward(struct cc_net *n, int64_t seconds)
{
    struct forward *f = cc_calloc(1, sizeof(*f));

    *f = (struct forward){n, seconds * 1000000};
    cc_net_post(n, task_forward, f);
}

void cc_relay_net_tick(struct cc_net *n, int64_t now)
{
    if (now < n->next_rebroadcast_us)
        return;
    if (n->next_rebroadcast_us)
        cc_mempool_each(n->mempool, announce_again, n);
    n->next_rebroadcast_us =
        now + 10 * MINUTE_US + (int64_t)cc_random_below(5 * MINUTE_US);
}
