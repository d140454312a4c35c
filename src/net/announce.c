/*
 * Telling peers of transactions: in batches at random moments, so that nobody
 * learns from the timing where a transaction began, and serving what was told.
 *
 * Storage transactions name their parties anyway, and many have a block by
 * which they must be mined: those, and what they spend of the pool, are told at
 * once.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "net/node.h"
#include "util/mem.h"
#include "util/random.h"

#define INBOUND_INV_US (5 * SECOND_US)
#define OUTBOUND_INV_US (2 * SECOND_US)
#define INV_BATCH 35
#define INV_BATCH_MAX 1000
#define TX_QUEUE_MAX 50000

/* --- What to tell --------------------------------------------------------- */

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

void cc_announce_tx(struct cc_net *n, const struct cc_mempool_entry *e)
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

/* --- Serving -------------------------------------------------------------- */

bool cc_announce_serve(struct cc_peer *p, const struct cc_inv *inv)
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

void cc_announce_on_feefilter(struct cc_peer *p,
                              const struct cc_conn_message *m)
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

void cc_announce_tick(struct cc_peer *p, int64_t now)
{
    tell_now(p);
    tell_txs(p, now);
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
        cc_announce_tx(n, e);
    cc_chain_unlock(n->chain);
    free(t);
}

void cc_announce_later(struct cc_net *n, const uint8_t txid[32])
{
    struct news *t = cc_calloc(1, sizeof(*t));

    t->n = n;
    memcpy(t->txid, txid, 32);
    cc_net_post(n, task_announce, t);
}

static bool announce_again(void *arg, const struct cc_mempool_entry *e)
{
    if (e->unbroadcast)
        cc_announce_tx(arg, e);
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

void cc_announce_net_tick(struct cc_net *n, int64_t now)
{
    if (now < n->next_rebroadcast_us)
        return;
    if (n->next_rebroadcast_us)
        cc_mempool_each(n->mempool, announce_again, n);
    n->next_rebroadcast_us =
        now + 10 * MINUTE_US + (int64_t)cc_random_below(5 * MINUTE_US);
}
