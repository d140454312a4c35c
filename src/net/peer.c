/*
 * One peer: handshake, ping, what it deserves, and which message goes where.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/compact.h"
#include "net/node.h"
#include "util/mem.h"

#define PING_INTERVAL_US (2 * MINUTE_US)
#define SILENCE_US (20 * MINUTE_US)
#define MIN_VERSION 31800
#define KNOWN_TXS 50000
#define KNOWN_ADDRS 5000

struct cc_peer *cc_peer_add(struct cc_net *n, struct cc_conn *conn)
{
    struct cc_peer *p = cc_calloc(1, sizeof(*p));
    uint8_t seed[16];

    p->net = n;
    p->conn = conn;
    p->id = cc_conn_id(conn);
    p->addr = *cc_conn_remote(conn);
    p->connected_s = cc_net_now_s(n);
    p->connected_mono_us = cc_clock_monotonic_us();
    p->ping_us = p->ping_min_us = -1;
    p->relay_txs = false;
    p->fee_filter_sent = -1;
    p->starting_height = -1;
    p->addr_tokens = 1;
    p->addr_tokens_us = cc_net_now_us(n);
    do {
        p->nonce = cc_random_u64();
    } while (!p->nonce);
    cc_random_bytes(seed, sizeof(seed));
    cc_recent_init(&p->known_txs, KNOWN_TXS, seed);
    cc_recent_init(&p->known_addrs, KNOWN_ADDRS, seed);
    n->peers = cc_grow(n->peers, &n->peer_cap, n->peer_count + 1,
                       sizeof(struct cc_peer *));
    n->peers[n->peer_count++] = p;
    cc_debug(n->log, CC_LOG_NET, "Added connection peer=%" PRId64, p->id);
    return p;
}

void cc_peer_free(struct cc_peer *p)
{
    cc_conn_close(p->conn);
    cc_conn_release(p->conn);
    cc_presync_free(p->presync);
    cc_partial_free(p->partial);
    cc_bloom_free(p->bloom);
    cc_recent_clear(&p->known_txs);
    cc_recent_clear(&p->known_addrs);
    free(p->addr_queue);
    free(p->announce);
    free(p->block_inv);
    free(p->getdata);
    free(p->tx_queue.items);
    free(p->tx_now.items);
    free(p);
}

void cc_peer_send(struct cc_peer *p, enum cc_msg_type type,
                  struct cc_writer *payload)
{
    cc_conn_send(p->conn, type, payload->data, payload->len);
    cc_writer_clear(payload);
}

void cc_peer_send_empty(struct cc_peer *p, enum cc_msg_type type)
{
    cc_conn_send(p->conn, type, "", 0);
}

void cc_peer_drop(struct cc_peer *p) { p->dropping = true; }

bool cc_peer_is_outbound(const struct cc_peer *p)
{
    return p->type != CC_CONN_INBOUND;
}

bool cc_peer_may_punish(const struct cc_peer *p)
{
    return p->type == CC_CONN_OUTBOUND || p->type == CC_CONN_BLOCK_RELAY;
}

bool cc_peer_has(const struct cc_peer *p, unsigned permission)
{
    return (p->permissions & permission) == permission;
}

uint64_t cc_peer_services(const struct cc_peer *p)
{
    return p->net->services |
           (cc_peer_has(p, CC_PERM_BLOOM) ? (uint64_t)CC_SERVICE_BLOOM : 0);
}

bool cc_peer_takes_txs(const struct cc_peer *p) { return p->relay_txs; }

/* --- What a peer deserves ------------------------------------------------- */

void cc_peer_misbehaving(struct cc_peer *p, int by, const char *fmt, ...)
{
    char text[200];
    int before = p->score;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    p->score = before > INT32_MAX - by ? INT32_MAX : before + by;
    if (p->score >= DISCOURAGE_SCORE)
        p->discourage = true;
    cc_debug(p->net->log, CC_LOG_NET,
             "Misbehaving: peer=%" PRId64 " (%d -> %d)%s%s%s", p->id, before,
             p->score,
             before < DISCOURAGE_SCORE && p->discourage
                 ? " DISCOURAGE THRESHOLD EXCEEDED"
                 : "",
             text[0] ? ": " : "", text);
}

void cc_peer_malformed_by(struct cc_peer *p, const struct cc_conn_message *m,
                          const char *fault)
{
    cc_debug(p->net->log, CC_LOG_NET,
             "ProcessMessages(%s, %zu bytes): Exception '%s' caught",
             m->command, m->len, fault);
    cc_peer_misbehaving(p, 20, "malformed %s message", m->command);
}

void cc_peer_malformed(struct cc_peer *p, const struct cc_conn_message *m)
{
    cc_peer_malformed_by(p, m,
                         "end of data, superfluous data or non-canonical "
                         "ReadCompactSize()");
}

bool cc_peer_take_consequence(struct cc_peer *p)
{
    struct cc_net *n = p->net;

    if (!p->discourage)
        return false;
    p->discourage = false;
    if (cc_peer_has(p, CC_PERM_NOBAN)) {
        cc_log(n->log, "Warning: not punishing noban peer %" PRId64 "!", p->id);
        return false;
    }
    if (p->type == CC_CONN_MANUAL) {
        cc_log(n->log,
               "Warning: not punishing manually connected peer %" PRId64 "!",
               p->id);
        return false;
    }
    if (cc_netaddr_is_local(&p->addr)) {
        /* Many share a loopback address: it is not held against all. */
        cc_debug(n->log, CC_LOG_NET,
                 "Warning: disconnecting but not discouraging local peer "
                 "%" PRId64 "!",
                 p->id);
    } else {
        cc_debug(n->log, CC_LOG_NET,
                 "Disconnecting and discouraging peer %" PRId64 "!", p->id);
        if (p->addr.network) /* a name behind a proxy has no address */
            cc_banlist_discourage(n->bans, &p->addr);
    }
    cc_peer_drop(p);
    return true;
}

void cc_peer_judge_block(struct cc_peer *p, const struct cc_error *err,
                         const char *what)
{
    switch (err->verdict) {
    case CC_VERDICT_CONSENSUS:
    case CC_VERDICT_MUTATED:
    case CC_VERDICT_HEADER:
    case CC_VERDICT_INVALID_PREV:
    case CC_VERDICT_WITNESS:
        cc_peer_misbehaving(p, 100, "%s%s%s", what, *what ? ": " : "",
                            err->reason);
        return;
    case CC_VERDICT_MISSING_PREV:
        cc_peer_misbehaving(p, 10, "%s%s%s", what, *what ? ": " : "",
                            err->reason);
        return;
    case CC_VERDICT_CONFLICT:
        /* A hash we condemned before: only whom we chose to follow should
         * know better than to follow it. */
        if (cc_peer_is_outbound(p))
            cc_peer_misbehaving(p, 100, "%s%s%s", what, *what ? ": " : "",
                                err->reason);
        return;
    case CC_VERDICT_NONE: /* our own fault, or none */
    case CC_VERDICT_FUTURE:
    case CC_VERDICT_CONTEXT:
    case CC_VERDICT_MISSING_INPUTS:
    case CC_VERDICT_PREMATURE:
    case CC_VERDICT_POLICY:
    case CC_VERDICT_FEE:
        return;
    }
}

void cc_peer_judge_tx(struct cc_peer *p, const struct cc_error *err)
{
    switch (err->verdict) {
    case CC_VERDICT_CONSENSUS:
        cc_peer_misbehaving(p, 100, "%s", err->reason);
        return;
    case CC_VERDICT_NONE:
    case CC_VERDICT_MUTATED:
    case CC_VERDICT_HEADER:
    case CC_VERDICT_FUTURE:
    case CC_VERDICT_MISSING_PREV:
    case CC_VERDICT_INVALID_PREV:
    case CC_VERDICT_CONTEXT:
    case CC_VERDICT_MISSING_INPUTS:
    case CC_VERDICT_PREMATURE:
    case CC_VERDICT_WITNESS:
    case CC_VERDICT_POLICY:
    case CC_VERDICT_FEE:
    case CC_VERDICT_CONFLICT:
        return;
    }
}

/* --- Handshake ------------------------------------------------------------ */

/* What a line tells of a peer's address at its end: nothing but with -logips.
 */
#define TOLD (sizeof(", peeraddr=") + 72)
static const char *told(const struct cc_peer *p, char out[TOLD])
{
    char addr[72];

    *out = '\0';
    if (p->net->o.log_ips) {
        cc_netaddr_format_port(addr, &p->addr);
        snprintf(out, TOLD, ", peeraddr=%s", addr);
    }
    return out;
}

static void send_version(struct cc_peer *p)
{
    char you[72], them[72 + 8] = "";
    struct cc_net *n = p->net;
    struct cc_msg_version m;
    struct cc_index *tip = cc_chain_tip(n->chain);
    struct cc_writer w;

    memset(&m, 0, sizeof(m));
    m.version = CC_NET_VERSION;
    m.services = cc_peer_services(p);
    m.time = cc_net_now_s(n);
    if (cc_netaddr_is_routable(&p->addr)) /* nothing of a private net's */
        m.you = p->addr;
    m.nonce = p->nonce;
    snprintf(m.user_agent, sizeof(m.user_agent), "%s", n->user_agent);
    m.start_height = (int32_t)(tip ? tip->height : 0);
    m.relay = !n->o.blocks_only && p->type != CC_CONN_BLOCK_RELAY &&
              p->type != CC_CONN_FEELER;
    if (cc_peer_has(p, CC_PERM_RELAY))
        m.relay = true;
    cc_writer_init_heap(&w);
    cc_msg_version_write(&w, &m);
    p->sent_version = true;
    if (n->o.log_ips) {
        cc_netaddr_format_port(you, &m.you);
        snprintf(them, sizeof(them), " them=%s,", you);
    }
    cc_debug(n->log, CC_LOG_NET,
             "send version message: version %d, blocks=%d,%s txrelay=%d, "
             "peer=%" PRId64,
             m.version, m.start_height, them, m.relay, p->id);
    cc_peer_send(p, CC_MSG_VERSION, &w);
}

/* Only what prints plainly; the rest of a user agent is left out. */
static void sanitise(char *s)
{
    static const char extra[] = " .,;-_/:?@()";
    char *out = s;

    for (; *s; s++)
        if ((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
            (*s >= 'A' && *s <= 'Z') || strchr(extra, *s))
            *out++ = *s;
    *out = '\0';
}

static bool is_ourselves(struct cc_net *n, uint64_t nonce)
{
    for (size_t i = 0; i < n->peer_count; i++)
        if (cc_peer_is_outbound(n->peers[i]) && !n->peers[i]->ready &&
            n->peers[i]->nonce == nonce)
            return true;
    return false;
}

/* What an outbound peer that we chose must offer. */
static bool services_suffice(struct cc_peer *p, uint64_t services)
{
    uint64_t want = cc_sync_desired(p->net, services);

    if (!cc_peer_may_punish(p) && p->type != CC_CONN_ADDR_FETCH)
        return true;
    if ((services & want) == want)
        return true;
    cc_debug(p->net->log, CC_LOG_NET,
             "peer=%" PRId64 " does not offer the expected services (%08" PRIx64
             " offered, %08" PRIx64 " expected); disconnecting",
             p->id, services, want);
    return false;
}

static void send_features(struct cc_peer *p)
{
    struct cc_writer w;

    if (p->version >= 70016) {
        cc_peer_send_empty(p, CC_MSG_WTXIDRELAY);
        cc_peer_send_empty(p, CC_MSG_SENDADDRV2);
    }
    if (p->net->params->storage_active && (p->services & CC_SERVICE_STORAGE)) {
        cc_writer_init_heap(&w);
        cc_msg_sendstorage_write(&w, CC_STORAGE_PROTO);
        cc_peer_send(p, CC_MSG_SENDSTORAGE, &w);
    }
    cc_reconcile_offer(p);
    cc_peer_send_empty(p, CC_MSG_VERACK);
}

/* Is there something to talk about with who says this? */
static bool version_suits(struct cc_peer *p, const struct cc_msg_version *v)
{
    struct cc_net *n = p->net;

    if (!services_suffice(p, v->services))
        return false;
    if (v->version < MIN_VERSION) {
        cc_debug(n->log, CC_LOG_NET,
                 "peer=%" PRId64 " using obsolete version %i; disconnecting",
                 p->id, v->version);
        return false;
    }
    if (!cc_peer_is_outbound(p) && is_ourselves(n, v->nonce)) {
        cc_log(n->log, "connected to self at %s, disconnecting", p->name);
        return false;
    }
    return true;
}

static void keep_version(struct cc_peer *p, const struct cc_msg_version *v)
{
    p->got_version = true;
    p->version = (uint32_t)v->version < CC_NET_VERSION ? (uint32_t)v->version
                                                       : CC_NET_VERSION;
    p->services = v->services;
    memcpy(p->user_agent, v->user_agent, sizeof(p->user_agent));
    sanitise(p->user_agent);
    p->starting_height = v->start_height;
    p->addr_local = v->you;
    p->may_relay_txs = p->type != CC_CONN_BLOCK_RELAY &&
                       p->type != CC_CONN_FEELER &&
                       (v->relay || cc_filter_offered(p));
    p->relay_txs = p->may_relay_txs && v->relay;
    /* Any number may come: below zero, the difference could leave int64. */
    p->time_offset = (v->time < 0 ? 0 : v->time) - cc_net_now_s(p->net);
}

static void on_version(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_msg_version v;
    char us[72], from[TOLD];

    if (p->got_version) {
        cc_debug(n->log, CC_LOG_NET,
                 "redundant version message from peer=%" PRId64, p->id);
        return;
    }
    if (cc_msg_version_decode(&v, m->payload, m->len) != CC_OK) {
        cc_debug(n->log, CC_LOG_NET,
                 "malformed version message from peer=%" PRId64
                 "; disconnecting",
                 p->id);
        cc_peer_drop(p);
        return;
    }
    if (!version_suits(p, &v)) {
        cc_peer_drop(p);
        return;
    }
    keep_version(p, &v);
    if (cc_peer_is_outbound(p)) {
        cc_timedata_add(&n->timedata, &p->addr, p->time_offset);
        atomic_store(&n->time_offset, (int)n->timedata.median);
    } else {
        send_version(p);
    }
    send_features(p);
    cc_gossip_setup(p);
    cc_netaddr_format_port(us, &v.you);
    cc_debug(n->log, CC_LOG_NET,
             "receive version message: %s: version %d, blocks=%d, us=%s, "
             "txrelay=%d, peer=%" PRId64 "%s",
             p->user_agent, v.version, v.start_height, us, v.relay, p->id,
             told(p, from));
    if (p->type == CC_CONN_FEELER) {
        cc_debug(n->log, CC_LOG_NET,
                 "feeler connection completed peer=%" PRId64 "; disconnecting",
                 p->id);
        cc_peer_drop(p);
    }
}

static void on_verack(struct cc_peer *p)
{
    struct cc_net *n = p->net;
    char from[TOLD];

    if (p->ready) {
        cc_debug(n->log, CC_LOG_NET,
                 "ignoring redundant verack message from peer=%" PRId64, p->id);
        return;
    }
    if (cc_peer_is_outbound(p) || cc_log_wants(n->log, CC_LOG_NET))
        cc_log(n->log,
               "New %s v1 peer connected: version: %" PRIu32
               ", blocks=%d, peer=%" PRId64 "%s",
               cc_connection_type_name(p->type), p->version, p->starting_height,
               p->id, told(p, from));
    cc_cmpct_say(p, false);
    cc_reconcile_settle(p);
    p->ready = true;
}

/* Those that may come only between version and verack. True: it was one. */
static bool on_feature(struct cc_peer *p, const struct cc_conn_message *m)
{
    uint32_t v;

    if (m->type == CC_MSG_SENDTXRCNCL) {
        cc_reconcile_on_message(p, m);
        return true;
    }
    if (m->type != CC_MSG_WTXIDRELAY && m->type != CC_MSG_SENDADDRV2 &&
        m->type != CC_MSG_SENDSTORAGE)
        return false;
    if (m->type == CC_MSG_SENDSTORAGE && !p->net->params->storage_active)
        return false; /* an unknown message there */
    if (p->ready) {
        cc_debug(p->net->log, CC_LOG_NET,
                 "%s received after verack from peer=%" PRId64
                 "; disconnecting",
                 m->command, p->id);
        cc_peer_drop(p);
        return true;
    }
    if (m->type == CC_MSG_WTXIDRELAY)
        p->wtxid_relay = p->version >= 70016;
    else if (m->type == CC_MSG_SENDADDRV2)
        p->want_addrv2 = true;
    else if (cc_msg_sendstorage_decode(&v, m->payload, m->len) == CC_OK)
        p->storage_version = v < CC_STORAGE_PROTO ? v : CC_STORAGE_PROTO;
    else
        cc_peer_malformed(p, m);
    return true;
}

/* --- Ping ----------------------------------------------------------------- */

static void on_ping(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_writer w;
    uint64_t nonce;

    /* Before BIP 31 (version 60000) a ping had no number and no answer. */
    if (p->version <= 60000 ||
        cc_msg_u64_decode(&nonce, m->payload, m->len) != CC_OK)
        return;
    cc_writer_init_heap(&w);
    cc_write_u64le(&w, nonce);
    cc_peer_send(p, CC_MSG_PONG, &w);
}

static void on_pong(struct cc_peer *p, const struct cc_conn_message *m)
{
    const char *problem = NULL;
    bool finished = false;
    uint64_t nonce = 0;
    int64_t took;

    if (cc_msg_u64_decode(&nonce, m->payload, m->len) != CC_OK) {
        problem = "Short payload";
        finished = true;
    } else if (!p->ping_nonce) {
        problem = "Unsolicited pong without ping";
    } else if (nonce == p->ping_nonce) {
        finished = true;
        took = m->time_us - p->ping_sent_us;
        if (took >= 0) {
            p->ping_us = took;
            if (p->ping_min_us < 0 || took < p->ping_min_us)
                p->ping_min_us = took;
        } else {
            problem = "Timing mishap";
        }
    } else if (!nonce) {
        problem = "Nonce zero";
        finished = true;
    } else {
        problem = "Nonce mismatch";
    }
    if (problem)
        cc_debug(p->net->log, CC_LOG_NET,
                 "pong peer=%" PRId64 ": %s, %" PRIx64 " expected, %" PRIx64
                 " received, %zu bytes",
                 p->id, problem, p->ping_nonce, nonce, m->len);
    if (finished)
        p->ping_nonce = 0;
}

/* Is it here for so long that -peertimeout lets it go for being silent? */
static bool may_time_out(const struct cc_peer *p, int64_t now_us)
{
    return now_us / SECOND_US > p->connected_s + p->net->o.peer_timeout_s;
}

static void ping_tick(struct cc_peer *p, int64_t now)
{
    struct cc_writer w;

    if (p->ping_nonce && may_time_out(p, now) &&
        now > p->ping_sent_us + SILENCE_US) {
        cc_debug(p->net->log, CC_LOG_NET, "ping timeout: %fs peer=%" PRId64,
                 (double)(now - p->ping_sent_us) / (double)SECOND_US, p->id);
        cc_peer_drop(p);
        return;
    }
    if (!p->ping_queued &&
        (p->ping_nonce || now <= p->ping_sent_us + PING_INTERVAL_US))
        return;
    p->ping_queued = false;
    p->ping_sent_us = now;
    cc_writer_init_heap(&w);
    if (p->version > 60000) {
        do {
            p->ping_nonce = cc_random_u64();
        } while (!p->ping_nonce);
        cc_write_u64le(&w, p->ping_nonce);
    }
    cc_peer_send(p, CC_MSG_PING, &w);
}

/* --- Dispatch ------------------------------------------------------------- */

/* inv: blocks first told to sync, transactions to relay. */
static void on_inv(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_inv *inv;
    size_t count;
    const uint8_t *last_block = NULL;
    enum cc_status st = cc_msg_inv_decode(&inv, &count, m->payload, m->len);

    if (st != CC_OK) {
        if (st == CC_LIMIT)
            cc_peer_misbehaving(p, 20, "inv message size = %zu", count);
        else
            cc_peer_malformed(p, m);
        return;
    }
    for (size_t i = 0; i < count && !p->dropping; i++) {
        if (inv[i].type != CC_INV_BLOCK && inv[i].type != CC_INV_TX &&
            inv[i].type != CC_INV_WTX) {
            char text[CC_INV_TEXT];

            cc_msg_inv_format(text, &inv[i]);
            cc_debug(p->net->log, CC_LOG_NET,
                     "Unknown inv type \"%s\" received from peer=%" PRId64,
                     text, p->id);
        }
        if (inv[i].type == CC_INV_BLOCK) {
            cc_sync_update_best(p, inv[i].hash);
            if (cc_sync_wants(p->net, inv[i].hash))
                last_block = inv[i].hash;
        } else if (inv[i].type == CC_INV_TX || inv[i].type == CC_INV_WTX) {
            cc_relay_on_inv_tx(p, &inv[i]);
        }
    }
    if (last_block)
        cc_headers_on_inv(p, last_block);
    free(inv);
}

static void dispatch(struct cc_peer *p, struct cc_conn_message *m)
{
    switch (m->type) {
    case CC_MSG_ADDR:
    case CC_MSG_ADDRV2:
        cc_gossip_on_addr(p, m);
        return;
    case CC_MSG_GETADDR:
        cc_gossip_on_getaddr(p);
        return;
    case CC_MSG_INV:
        on_inv(p, m);
        return;
    case CC_MSG_GETDATA:
        cc_serve_on_getdata(p, m);
        return;
    case CC_MSG_NOTFOUND:
        cc_relay_on_notfound(p, m);
        return;
    case CC_MSG_GETBLOCKS:
        cc_serve_on_getblocks(p, m);
        return;
    case CC_MSG_GETHEADERS:
        cc_serve_on_getheaders(p, m);
        return;
    case CC_MSG_TX:
        cc_relay_on_tx(p, m);
        return;
    case CC_MSG_HEADERS:
        cc_headers_on_message(p, m);
        return;
    case CC_MSG_BLOCK:
        cc_sync_on_block(p, m);
        return;
    case CC_MSG_MEMPOOL:
        cc_filter_on_mempool(p);
        return;
    case CC_MSG_PING:
        on_ping(p, m);
        return;
    case CC_MSG_PONG:
        on_pong(p, m);
        return;
    case CC_MSG_SENDHEADERS:
        p->prefer_headers = true;
        return;
    case CC_MSG_FEEFILTER:
        cc_announce_on_feefilter(p, m);
        return;
    case CC_MSG_SENDCMPCT:
        cc_cmpct_on_sendcmpct(p, m);
        return;
    case CC_MSG_CMPCTBLOCK:
        cc_cmpct_on_cmpctblock(p, m);
        return;
    case CC_MSG_GETBLOCKTXN:
        cc_cmpct_on_getblocktxn(p, m);
        return;
    case CC_MSG_BLOCKTXN:
        cc_cmpct_on_blocktxn(p, m);
        return;
    case CC_MSG_FILTERLOAD:
    case CC_MSG_FILTERADD:
    case CC_MSG_FILTERCLEAR:
        cc_filter_on_message(p, m);
        return;
    case CC_MSG_GETCFILTERS:
    case CC_MSG_GETCFHEADERS:
    case CC_MSG_GETCFCHECKPT:
        cc_cfilters_on_message(p, m);
        return;
    case CC_MSG_VERSION: /* handled before */
    case CC_MSG_VERACK:
    case CC_MSG_WTXIDRELAY:
    case CC_MSG_SENDADDRV2:
    case CC_MSG_SENDSTORAGE:
    case CC_MSG_SENDTXRCNCL:
    case CC_MSG_MERKLEBLOCK:
    case CC_MSG_CFILTER:
    case CC_MSG_CFHEADERS:
    case CC_MSG_CFCHECKPT:
    case CC_MSG_OTHER:
    case CC_MSG_COUNT:
        cc_debug(p->net->log, CC_LOG_NET,
                 "Unknown command \"%s\" from peer=%" PRId64, m->command,
                 p->id);
        return;
    }
}

void cc_peer_handle(struct cc_peer *p, struct cc_conn_message *m)
{
    struct cc_net *n = p->net;

    cc_debug(n->log, CC_LOG_NET, "received: %s (%zu bytes) peer=%" PRId64,
             m->command, m->len, p->id);
    if (m->type == CC_MSG_VERSION)
        on_version(p, m);
    else if (!p->got_version)
        cc_debug(n->log, CC_LOG_NET,
                 "non-version message before version handshake. Message \"%s\" "
                 "from peer=%" PRId64,
                 m->command, p->id);
    else if (m->type == CC_MSG_VERACK)
        on_verack(p);
    else if (on_feature(p, m))
        ;
    else if (!p->ready)
        cc_debug(n->log, CC_LOG_NET,
                 "Unsupported message \"%s\" prior to verack from "
                 "peer=%" PRId64,
                 m->command, p->id);
    else
        dispatch(p, m);
    cc_peer_take_consequence(p);
}

/* Nothing at all within -peertimeout, or the handshake hangs, or a silence of
 * twenty minutes in either direction. */
static bool too_quiet(struct cc_peer *p, int64_t now_us)
{
    struct cc_net *n = p->net;
    struct cc_conn_stats s;
    int64_t now = now_us / SECOND_US;

    if (!may_time_out(p, now_us))
        return false;
    cc_conn_stats(p->conn, &s);
    if (!s.last_receive || !s.last_send) {
        cc_debug(n->log, CC_LOG_NET,
                 "socket no message in first %" PRId64
                 " seconds, %d %d peer=%" PRId64,
                 n->o.peer_timeout_s, s.last_receive != 0, s.last_send != 0,
                 p->id);
    } else if (now > s.last_send + SILENCE_US / SECOND_US) {
        cc_debug(n->log, CC_LOG_NET,
                 "socket sending timeout: %" PRId64 "s peer=%" PRId64,
                 now - s.last_send, p->id);
    } else if (now > s.last_receive + SILENCE_US / SECOND_US) {
        cc_debug(n->log, CC_LOG_NET,
                 "socket receive timeout: %" PRId64 "s peer=%" PRId64,
                 now - s.last_receive, p->id);
    } else if (!p->ready) {
        cc_debug(n->log, CC_LOG_NET, "version handshake timeout peer=%" PRId64,
                 p->id);
    } else {
        return false;
    }
    cc_peer_drop(p);
    return true;
}

void cc_peer_tick(struct cc_peer *p, int64_t now_us)
{
    if (cc_peer_is_outbound(p) && !p->sent_version)
        send_version(p);
    if (p->ready)
        ping_tick(p, now_us);
    if (p->dropping || too_quiet(p, now_us) || !p->ready ||
        cc_peer_take_consequence(p))
        return;
    cc_gossip_tick(p, now_us);
    cc_headers_tick(p, now_us);
    cc_sync_tick(p, now_us);
    cc_serve_tick(p);
    cc_relay_tick(p, now_us);
}
