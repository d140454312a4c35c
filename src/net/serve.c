/*
 * Giving the chain: answers to getheaders, getblocks and getdata, and telling
 * peers of new blocks.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/pow.h"
#include "net/node.h"
#include "util/hex.h"
#include "util/mem.h"

#define MAX_GETBLOCKS 500
#define MONTH_S (30 * 24 * 3600)
#define HISTORICAL_S (7 * 24 * 3600) /* older than that is no news */
#define MAX_BLOCK_INV 1000
#define LIMITED_BLOCKS 288 /* what NODE_NETWORK_LIMITED promises (BIP 159) */
#define MAX_CMPCT_DEPTH 5  /* below the tip: rather the whole block */

static const uint8_t zero[32];

/* --- getheaders, getblocks ------------------------------------------------ */

static bool locator_decode(struct cc_peer *p, const struct cc_conn_message *m,
                           struct cc_msg_locator *loc)
{
    enum cc_status st = cc_msg_locator_decode(loc, m->payload, m->len);

    if (st == CC_OK)
        return true;
    if (st == CC_LIMIT) {
        cc_debug(p->net->log, CC_LOG_NET,
                 "%s locator size %zu > %d, disconnect peer=%" PRId64,
                 m->command, loc->count, CC_MAX_LOCATOR, p->id);
        cc_peer_drop(p);
    } else {
        cc_peer_malformed(p, m);
    }
    return false;
}

/* Has a month's work, as it is done now, been found beyond this block? Its time
 * alone says little: who made it chose it. */
static bool long_outworked(const struct cc_net *n, const struct cc_index *best,
                           const struct cc_index *i)
{
    struct cc_u256 one = cc_pow_work(best->header.bits), month, beyond;
    uint64_t spacing = (uint64_t)n->params->spacing_s;

    if (cc_u256_sub(&beyond, &best->work, &i->work))
        return false;
    return cc_u256_mul_u64(&beyond, &beyond, spacing) ||
           (!cc_u256_mul_u64(&month, &one, MONTH_S) &&
            cc_u256_cmp(&beyond, &month) >= 0);
}

/* May a peer see this block? Those off the chain only while they are fresh, and
 * none that is condemned, so that we cannot be told from others by what we once
 * saw. Under the chain's lock. */
bool cc_serve_allowed(struct cc_net *n, struct cc_index *i)
{
    struct cc_index *best = cc_chain_best_header(n->chain);

    if (cc_chain_contains(n->chain, i))
        return true;
    return (i->status & CC_INDEX_VALID) &&
           !(i->status & (CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD)) &&
           (int64_t)best->header.time - (int64_t)i->header.time < MONTH_S &&
           !long_outworked(n, best, i);
}

/* Is this node one that serves its last blocks only? */
static bool is_limited(const struct cc_net *n)
{
    return !(n->services & CC_SERVICE_NETWORK);
}

/* All limited nodes answer alike down to this depth and not below, so that none
 * can be told by how far it has pruned. Under the chain's lock. */
static bool too_deep(const struct cc_peer *p, const struct cc_index *i)
{
    const struct cc_index *tip = cc_chain_tip(p->net->chain);

    return is_limited(p->net) && !cc_peer_has(p, CC_PERM_NOBAN) &&
           (int64_t)tip->height - i->height > LIMITED_BLOCKS + 2;
}

/* Would a peer that is told of this block still get it in an hour? Under the
 * chain's lock. */
static bool stays(struct cc_net *n, const struct cc_index *i)
{
    const struct cc_index *tip = cc_chain_tip(n->chain);
    int64_t keep = LIMITED_BLOCKS - 3600 / n->params->spacing_s;

    return !is_limited(n) || ((i->status & CC_INDEX_DATA) &&
                              (int64_t)i->height > tip->height - keep);
}

static void send_headers(struct cc_peer *p, const struct cc_header *h,
                         size_t count)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_msg_headers_write(&w, h, count);
    cc_peer_send(p, CC_MSG_HEADERS, &w);
}

/* The block after the fork, or the one asked for by name; NULL: none. Under
 * the chain's lock. *known false: the name is unknown or not for peers. */
static struct cc_index *
headers_start(struct cc_net *n, const struct cc_msg_locator *loc, bool *known)
{
    struct cc_index *i;

    *known = true;
    if (loc->count) {
        i = cc_chain_find_fork(n->chain, (const uint8_t(*)[32])loc->hashes,
                               loc->count);
        return cc_chain_at(n->chain, i->height + 1);
    }
    i = cc_chain_find(n->chain, loc->stop);
    *known = i && cc_serve_allowed(n, i);
    return *known ? i : NULL;
}

void cc_serve_on_getheaders(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_msg_locator loc;
    struct cc_header *h;
    struct cc_index *i, *tip, *last = NULL;
    size_t count = 0;
    bool known;
    char hex[65];

    if (!locator_decode(p, m, &loc))
        return;
    h = cc_malloc(CC_MAX_HEADERS * sizeof(*h));
    cc_chain_lock(n->chain);
    tip = cc_chain_tip(n->chain);
    i = headers_start(n, &loc, &known);
    cc_hex_encode_rev(hex, loc.stop, 32);
    cc_debug(n->log, CC_LOG_NET,
             "getheaders %" PRId64 " to %s from peer=%" PRId64,
             i ? (int64_t)i->height : -1,
             memcmp(loc.stop, zero, 32) ? hex : "end", p->id);
    if (cc_u256_cmp(&tip->work, &n->params->minimum_chain_work) < 0 &&
        !cc_peer_has(p, CC_PERM_DOWNLOAD)) {
        i = NULL; /* ours may be a wrong chain yet: lead nobody astray */
        cc_debug(n->log, CC_LOG_NET,
                 "Ignoring getheaders from peer=%" PRId64
                 " because active chain has too little work; sending empty "
                 "response",
                 p->id);
    }
    while (i) {
        h[count++] = i->header;
        last = i;
        if (count == CC_MAX_HEADERS || !memcmp(i->hash, loc.stop, 32))
            break;
        i = cc_chain_contains(n->chain, i)
                ? cc_chain_at(n->chain, i->height + 1)
                : NULL;
    }
    if (known)
        p->best_header_sent = last ? last : tip;
    cc_chain_unlock(n->chain);
    if (known)
        send_headers(p, h, count);
    free(h);
    cc_msg_locator_clear(&loc);
}

static void push_block_inv(struct cc_peer *p, const uint8_t hash[32])
{
    if (p->block_inv_count >= MAX_BLOCK_INV)
        return;
    p->block_inv =
        cc_grow(p->block_inv, &p->block_inv_cap, p->block_inv_count + 1, 32);
    memcpy(p->block_inv[p->block_inv_count++], hash, 32);
}

void cc_serve_on_getblocks(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_msg_locator loc;
    struct cc_index *i;
    unsigned left = MAX_GETBLOCKS;
    char hex[65];

    if (!locator_decode(p, m, &loc))
        return;
    cc_chain_lock(n->chain);
    i = cc_chain_find_fork(n->chain, (const uint8_t(*)[32])loc.hashes,
                           loc.count);
    i = cc_chain_at(n->chain, i->height + 1);
    cc_hex_encode_rev(hex, loc.stop, 32);
    cc_debug(n->log, CC_LOG_NET,
             "getblocks %" PRId64 " to %s limit %u from peer=%" PRId64,
             i ? (int64_t)i->height : -1,
             memcmp(loc.stop, zero, 32) ? hex : "end", left, p->id);
    for (; i; i = cc_chain_at(n->chain, i->height + 1)) {
        if (!memcmp(i->hash, loc.stop, 32) || !stays(n, i))
            break;
        push_block_inv(p, i->hash);
        if (--left == 0) {
            /* When it asks for this one, it is told of the tip and so comes
             * back for the next 500. */
            memcpy(p->continuation, i->hash, 32);
            break;
        }
    }
    cc_chain_unlock(n->chain);
    cc_msg_locator_clear(&loc);
}

/* --- getdata -------------------------------------------------------------- */

void cc_serve_on_getdata(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_inv *inv;
    size_t count;
    char text[CC_INV_TEXT];
    enum cc_status st = cc_msg_inv_decode(&inv, &count, m->payload, m->len);

    if (st != CC_OK) {
        if (st == CC_LIMIT)
            cc_peer_misbehaving(p, 20, "getdata message size = %zu", count);
        else
            cc_peer_malformed(p, m);
        return;
    }
    cc_debug(p->net->log, CC_LOG_NET,
             "received getdata (%zu invsz) peer=%" PRId64, count, p->id);
    if (count) {
        cc_msg_inv_format(text, &inv[0]);
        cc_debug(p->net->log, CC_LOG_NET,
                 "received getdata for: %s peer=%" PRId64, text, p->id);
    }
    /* No further message is taken before this one is done with. */
    free(p->getdata);
    p->getdata = inv;
    p->getdata_pos = 0;
    p->getdata_count = count;
    cc_serve_getdata(p);
}

/* As it was before BIP 144, for who does not ask for witnesses. */
static void send_stripped(struct cc_peer *p, uint8_t *raw, size_t len)
{
    struct cc_block b;
    struct cc_writer w;

    if (cc_block_decode_take(&b, raw, len) != CC_OK)
        return;
    cc_writer_init_heap(&w);
    cc_header_write(&w, &b.header);
    cc_write_compact(&w, b.tx_count);
    for (size_t i = 0; i < b.tx_count; i++)
        cc_tx_write(&w, &b.tx[i], false);
    cc_peer_send(p, CC_MSG_BLOCK, &w);
    cc_block_clear(&b);
}

/* A block that only somebody catching up asks for, when so much was given
 * today that the rest is for new ones. */
static bool over_target(struct cc_peer *p, const struct cc_index *i)
{
    struct cc_net *n = p->net;
    const struct cc_index *best = cc_chain_best_header(n->chain);

    if (!best ||
        (int64_t)best->header.time - (int64_t)i->header.time <= HISTORICAL_S ||
        cc_peer_has(p, CC_PERM_DOWNLOAD) || !cc_net_upload_reached(n, true))
        return false;
    cc_debug(n->log, CC_LOG_NET,
             "historical block serving limit reached, disconnect "
             "peer=%" PRId64,
             p->id);
    cc_peer_drop(p);
    return true;
}

/* Takes raw. */
static void send_block(struct cc_peer *p, const struct cc_inv *inv,
                       uint8_t *raw, size_t len)
{
    if (inv->type == CC_INV_BLOCK) {
        send_stripped(p, raw, len);
    } else if (inv->type == CC_INV_FILTERED_BLOCK) {
        cc_filter_send_block(p, raw, len);
    } else {
        cc_conn_send(p->conn, CC_MSG_BLOCK, raw, len);
        free(raw);
    }
}

/* After the last block of an answer to getblocks: that there is more. Sent at
 * once, past any queue, or the peer would think it is done. */
static void send_continuation(struct cc_peer *p, const struct cc_index *tip)
{
    struct cc_inv next;
    struct cc_writer w;

    memset(p->continuation, 0, 32);
    next.type = CC_INV_BLOCK;
    memcpy(next.hash, tip->hash, 32);
    cc_writer_init_heap(&w);
    cc_msg_inv_write(&w, &next, 1);
    cc_peer_send(p, CC_MSG_INV, &w);
}

static void serve_block(struct cc_peer *p, const struct cc_inv *inv)
{
    struct cc_net *n = p->net;
    struct cc_index *i, *tip;
    struct cc_error err;
    uint8_t *raw = NULL;
    size_t len = 0;
    bool have, compact, deep;
    enum cc_status st = CC_NOTFOUND;

    cc_error_init(&err);
    cc_chain_lock(n->chain);
    tip = cc_chain_tip(n->chain);
    i = cc_chain_find(n->chain, inv->hash);
    have = i && cc_serve_allowed(n, i);
    deep = have && too_deep(p, i);
    have = have && !deep && (i->status & CC_INDEX_DATA);
    if (have && over_target(p, i)) {
        cc_chain_unlock(n->chain);
        return;
    }
    compact = have && inv->type == CC_INV_CMPCT_BLOCK && cc_sync_near_tip(n) &&
              i->height + MAX_CMPCT_DEPTH >= tip->height;
    if (compact && cc_cmpct_send(p, i)) {
        cc_chain_unlock(n->chain);
        return;
    }
    if (have && inv->type == CC_INV_FILTERED_BLOCK && !p->bloom) {
        cc_chain_unlock(n->chain);
        return; /* no filter, no answer */
    }
    if (have)
        st = cc_chain_read_raw(n->chain, i, &raw, &len, &err);
    cc_chain_unlock(n->chain);
    if (deep) {
        cc_debug(n->log, CC_LOG_NET,
                 "Ignore block request below NODE_NETWORK_LIMITED threshold, "
                 "disconnect peer=%" PRId64,
                 p->id);
        cc_peer_drop(p);
        return;
    }
    if (!have) {
        cc_debug(n->log, CC_LOG_NET,
                 "ignoring request for unknown or old block from "
                 "peer=%" PRId64,
                 p->id);
        return;
    }
    if (st != CC_OK) {
        cc_log(n->log, "Cannot read a block that peer=%" PRId64 " wants: %s",
               p->id, err.text);
        return;
    }
    send_block(p, inv, raw, len);
    if (!memcmp(inv->hash, p->continuation, 32))
        send_continuation(p, tip);
}

void cc_serve_full(struct cc_peer *p, const uint8_t hash[32])
{
    struct cc_inv inv;

    inv.type = CC_INV_WITNESS_BLOCK;
    memcpy(inv.hash, hash, 32);
    serve_block(p, &inv);
}

static bool is_tx(uint32_t type)
{
    return type == CC_INV_TX || type == CC_INV_WTX || type == CC_INV_WITNESS_TX;
}

void cc_serve_getdata(struct cc_peer *p)
{
    struct cc_inv *missing = NULL;
    size_t missing_count = 0, cap = 0;
    struct cc_writer w;

    /* Transactions are small: as many as the send buffer takes. */
    while (p->getdata_pos < p->getdata_count &&
           is_tx(p->getdata[p->getdata_pos].type) &&
           cc_conn_backlog(p->conn) < p->net->o.max_send_bytes) {
        const struct cc_inv *inv = &p->getdata[p->getdata_pos++];

        if (!p->may_relay_txs)
            continue;
        if (!cc_announce_serve(p, inv)) {
            missing =
                cc_grow(missing, &cap, missing_count + 1, sizeof(*missing));
            missing[missing_count++] = *inv;
        }
    }
    /* Blocks: one, then others get their turn. */
    if (p->getdata_pos < p->getdata_count &&
        !is_tx(p->getdata[p->getdata_pos].type) &&
        cc_conn_backlog(p->conn) < p->net->o.max_send_bytes) {
        const struct cc_inv *inv = &p->getdata[p->getdata_pos++];

        if (inv->type == CC_INV_BLOCK || inv->type == CC_INV_WITNESS_BLOCK ||
            inv->type == CC_INV_CMPCT_BLOCK ||
            inv->type == CC_INV_FILTERED_BLOCK)
            serve_block(p, inv);
    }
    if (missing_count) {
        cc_writer_init_heap(&w);
        cc_msg_inv_write(&w, missing, missing_count);
        cc_peer_send(p, CC_MSG_NOTFOUND, &w);
    }
    free(missing);
    if (p->getdata_pos == p->getdata_count) {
        free(p->getdata);
        p->getdata = NULL;
        p->getdata_pos = p->getdata_count = 0;
    }
}

/* --- Announcing ----------------------------------------------------------- */

static void queue_announce(struct cc_peer *p, const uint8_t hash[32])
{
    /* More than MAX_ANNOUNCE become one inv of the last: keep no more. */
    if (p->announce_count > MAX_ANNOUNCE) {
        memcpy(p->announce[p->announce_count - 1], hash, 32);
        return;
    }
    p->announce =
        cc_grow(p->announce, &p->announce_cap, p->announce_count + 1, 32);
    memcpy(p->announce[p->announce_count++], hash, 32);
}

void cc_serve_new_tip(struct cc_net *n, struct cc_index *tip)
{
    struct cc_index *fork, *i, *fresh[MAX_ANNOUNCE];
    size_t count = 0;

    fork = n->tip ? cc_index_fork(n->tip, tip) : NULL;
    n->tip = tip;
    n->last_tip_us = cc_net_now_us(n);
    /* What was not acceptable on the old tip may be on the new one. */
    cc_recent_reset(&n->rejects);
    if (cc_chain_in_ibd(n->chain))
        return;
    for (i = tip; i && i != fork && count < MAX_ANNOUNCE; i = i->prev)
        fresh[count++] = i;
    for (size_t k = 0; k < n->peer_count; k++)
        for (size_t j = count; j-- > 0;)
            queue_announce(n->peers[k], fresh[j]->hash);
}

static bool peer_has_header(const struct cc_peer *p, const struct cc_index *i)
{
    const struct cc_index *b = p->best_known, *s = p->best_header_sent;

    return (b && i->height <= b->height &&
            cc_index_ancestor(b, i->height) == i) ||
           (s && i->height <= s->height &&
            cc_index_ancestor(s, i->height) == i);
}

/* Collect the headers to announce; false: an inv must do. Under the chain's
 * lock. */
static bool collect_headers(struct cc_peer *p, struct cc_header *out,
                            size_t *count, struct cc_index **best)
{
    struct cc_net *n = p->net;
    bool starting = false;

    *count = 0;
    *best = NULL;
    if ((!p->prefer_headers && (!p->chose_us || p->announce_count > 1)) ||
        p->announce_count > MAX_ANNOUNCE)
        return false;
    for (size_t k = 0; k < p->announce_count; k++) {
        struct cc_index *i = cc_chain_find(n->chain, p->announce[k]);

        if (!i || !cc_chain_contains(n->chain, i))
            return false; /* reorganised meanwhile */
        if (*best && i->prev != *best)
            return false;
        *best = i;
        if (!starting && peer_has_header(p, i))
            continue;
        if (!starting && i->prev && !peer_has_header(p, i->prev))
            return false; /* it could not connect them */
        starting = true;
        out[(*count)++] = i->header;
    }
    return true;
}

static void announce_blocks(struct cc_peer *p)
{
    struct cc_net *n = p->net;
    struct cc_header h[MAX_ANNOUNCE];
    struct cc_index *best, *last;
    const uint8_t *hash;
    size_t count;
    bool by_headers;

    if (!p->announce_count)
        return;
    cc_chain_lock(n->chain);
    by_headers = collect_headers(p, h, &count, &best);
    hash = p->announce[p->announce_count - 1];
    last = cc_chain_find(n->chain, hash);
    cc_chain_unlock(n->chain);
    if (by_headers && count == 1 && p->chose_us && cc_cmpct_send(p, best)) {
        p->best_header_sent = best;
    } else if (by_headers && count && p->prefer_headers) {
        send_headers(p, h, count);
        p->best_header_sent = best;
    } else if (by_headers && count) {
        push_block_inv(p, hash);
    } else if (!by_headers && last && !peer_has_header(p, last)) {
        push_block_inv(p, hash);
    }
    p->announce_count = 0;
}

void cc_serve_tick(struct cc_peer *p)
{
    struct cc_inv *inv;
    struct cc_writer w;

    announce_blocks(p);
    if (!p->block_inv_count)
        return;
    inv = cc_calloc(p->block_inv_count, sizeof(*inv));
    for (size_t i = 0; i < p->block_inv_count; i++) {
        inv[i].type = CC_INV_BLOCK;
        memcpy(inv[i].hash, p->block_inv[i], 32);
    }
    cc_writer_init_heap(&w);
    cc_msg_inv_write(&w, inv, p->block_inv_count);
    cc_peer_send(p, CC_MSG_INV, &w);
    free(inv);
    p->block_inv_count = 0;
}
