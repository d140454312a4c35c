/*
 * Transactions that come: heard of by inventory, asked of one peer at a time,
 * judged by the pool, kept as orphans. Telling them on is announce.c's.
 *
 * Storage transactions name their parties anyway, and many have a block by
 * which they must be mined. Whom to ask first is decided as for all others: an
 * inventory does not say what it is, and who could have a transaction asked of
 * him at once could as well keep it back. But where storage is active, nobody
 * waits for a better peer who has none.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "net/node.h"
#include "util/hex.h"
#include "util/random.h"

#define DELAY_US (2 * SECOND_US) /* for each reason to rather ask another */
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
        cc_announce_tx(n, e);
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
        cc_announce_tx(n, e);
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
        cc_announce_tick(p, now);
        ask_txs(p, now);
    }
    fee_filter_tick(p, now);
}
