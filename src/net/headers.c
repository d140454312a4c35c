/*
 * Headers: asking for them, and what becomes of those that come.
 *
 * One peer at first gives us all headers; once they are recent, each is asked.
 * A chain of headers that shows too little work is walked without being kept
 * (presync.h).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/pow.h"
#include "net/node.h"
#include "util/hex.h"
#include "util/mem.h"

#define GETHEADERS_PAUSE_US (2 * MINUTE_US)
#define HEADERS_TIMEOUT_US (15 * MINUTE_US)
#define HEADER_TIMEOUT_US 1000 /* for each that is to be expected */
#define CHAIN_TIMEOUT_S (20 * 60)
#define CHAIN_ANSWER_S (2 * 60)
#define MAX_PROTECTED 4
#define MAX_UNCONNECTING 10
#define DAY_S (24 * 3600)

static const uint8_t zero[32];

/* --- Asking for headers --------------------------------------------------- */

/* first (may be NULL) stands before the locator of i. */
static void push_getheaders(struct cc_peer *p, const struct cc_index *i,
                            const uint8_t *first)
{
    uint8_t loc[CC_MAX_LOCATOR][32];
    struct cc_writer w;
    size_t n = 0;

    if (first)
        memcpy(loc[n++], first, 32);
    n += cc_chain_locator(p->net->chain, i, loc + n, CC_MAX_LOCATOR - n);
    cc_writer_init_heap(&w);
    cc_msg_locator_write(&w, (const uint8_t(*)[32])loc, n, zero);
    cc_peer_send(p, CC_MSG_GETHEADERS, &w);
}

/* At most one unanswered question in two minutes. */
static bool maybe_getheaders(struct cc_peer *p, const struct cc_index *i,
                             const uint8_t *first)
{
    int64_t now = cc_net_now_us(p->net);

    if (p->getheaders_us && now - p->getheaders_us < GETHEADERS_PAUSE_US)
        return false;
    push_getheaders(p, i, first);
    p->getheaders_us = now;
    return true;
}

void cc_headers_ask(struct cc_peer *p)
{
    maybe_getheaders(p, cc_chain_best_header(p->net->chain), NULL);
}

void cc_headers_on_inv(struct cc_peer *p, const uint8_t last[32])
{
    struct cc_net *n = p->net;
    struct cc_index *best = cc_chain_best_header(n->chain);
    char hex[65];

    /* Before its turn to give us all headers, a peer that announces something
     * new is asked, but only one peer for each new block. */
    if (!p->sync_started &&
        (p->inv_started_sync || !memcmp(last, n->last_inv_block, 32)))
        return;
    if (maybe_getheaders(p, best, NULL)) {
        cc_hex_encode_rev(hex, last, 32);
        cc_debug(n->log, CC_LOG_NET,
                 "getheaders (%" PRIu32 ") %s to peer=%" PRId64, best->height,
                 hex, p->id);
    }
    if (!p->sync_started) {
        p->inv_started_sync = true;
        memcpy(n->last_inv_block, last, 32);
    }
}

/* About so many blocks have been found since that one. */
static int64_t headers_behind(const struct cc_net *n, const struct cc_index *i,
                              int64_t now_s)
{
    int64_t age = now_s - (int64_t)i->header.time;

    return age > 0 ? age / n->params->spacing_s : 0;
}

static void start_sync(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;
    struct cc_index *best = cc_chain_best_header(n->chain);
    bool recent = best->header.time > now / SECOND_US - DAY_S;

    if (p->sync_started || !cc_sync_serves_blocks(p))
        return;
    if (!recent && (n->sync_started != 0 || !cc_sync_catches_up_with(p)))
        return;
    /* From the one before, so that an answer comes even if we have all. */
    if (!maybe_getheaders(p, best->prev ? best->prev : best, NULL))
        return;
    cc_debug(n->log, CC_LOG_NET,
             "initial getheaders (%" PRIu32 ") to peer=%" PRId64
             " (startheight:%d)",
             best->prev ? best->prev->height : 0, p->id, p->starting_height);
    p->sync_started = true;
    p->headers_timeout_us =
        now + HEADERS_TIMEOUT_US +
        HEADER_TIMEOUT_US * headers_behind(n, best, now / SECOND_US);
    n->sync_started++;
}

/* --- Headers come --------------------------------------------------------- */

/* What a chain must show before its headers are kept: not much less work than
 * ours. */
struct cc_u256 cc_headers_threshold(struct cc_net *n)
{
    struct cc_index *tip = cc_chain_tip(n->chain);
    struct cc_u256 day = cc_pow_work(tip->header.bits), t = tip->work;

    if (cc_u256_mul_u64(&day, &day, 144) || cc_u256_sub(&t, &t, &day))
        t = cc_u256_from_u64(0);
    return cc_u256_cmp(&t, &n->params->minimum_chain_work) > 0
               ? t
               : n->params->minimum_chain_work;
}

/* Each with the work it claims, each on the one before. */
static bool check_headers(struct cc_peer *p, const struct cc_header *h,
                          size_t count)
{
    uint8_t hash[32];

    for (size_t i = 0; i < count; i++) {
        if (i && memcmp(h[i].prev, hash, 32)) {
            cc_peer_misbehaving(p, 20, "non-continuous headers sequence");
            return false;
        }
        cc_header_hash(hash, &h[i]);
        if (!cc_pow_check(hash, h[i].bits, p->net->params)) {
            cc_peer_misbehaving(p, 100, "header with invalid proof of work");
            return false;
        }
    }
    return true;
}

static void unconnecting(struct cc_peer *p, const struct cc_header *h,
                         size_t count)
{
    struct cc_net *n = p->net;
    struct cc_index *best = cc_chain_best_header(n->chain);
    uint8_t hash[32];
    char hex[65], prev[65];

    if (count > MAX_ANNOUNCE) {
        cc_peer_misbehaving(p, 10, "invalid header received");
        return;
    }
    p->unconnecting++;
    if (maybe_getheaders(p, best, NULL)) {
        cc_header_hash(hash, &h[0]);
        cc_hex_encode_rev(hex, hash, 32);
        cc_hex_encode_rev(prev, h[0].prev, 32);
        cc_debug(n->log, CC_LOG_NET,
                 "received header %s: missing prev block %s, sending "
                 "getheaders (%" PRIu32 ") to end (peer=%" PRId64
                 ", m_num_unconnecting_headers_msgs=%u)",
                 hex, prev, best->height, p->id, p->unconnecting);
    }
    /* Remember the last, so that we know whom to ask once the rest is here. */
    cc_header_hash(hash, &h[count - 1]);
    cc_sync_update_best(p, hash);
    if (p->unconnecting % MAX_UNCONNECTING == 0)
        cc_peer_misbehaving(p, 20, "%u non-connecting headers",
                            p->unconnecting);
}

/* How far we are, for who waits. */
static void tell_progress(struct cc_net *n, const struct cc_index *last)
{
    int64_t left = headers_behind(n, last, cc_net_now_s(n));

    if (cc_chain_in_ibd(n->chain))
        cc_log(n->log,
               "Synchronizing blockheaders, height: %" PRIu32 " (~%.2f%%)",
               last->height,
               100.0 * (double)last->height /
                   (double)((int64_t)last->height + left));
}

/* Headers whose chain is worth keeping. False: one of them was bad. */
static bool keep_headers(struct cc_peer *p, const struct cc_header *h,
                         size_t count, struct cc_index **last)
{
    struct cc_net *n = p->net;
    const struct cc_index *best = cc_chain_best_header(n->chain);
    struct cc_error err;

    *last = NULL;
    for (size_t i = 0; i < count; i++) {
        enum cc_status st;

        cc_error_init(&err);
        st = cc_chain_accept_header(n->chain, &h[i], last, &err);
        if (st == CC_INVALID) {
            cc_debug(n->log, CC_LOG_NET,
                     "invalid header received from peer=%" PRId64 ": %s", p->id,
                     err.text);
            cc_peer_judge_block(p, &err, "invalid header received");
            return false;
        }
        if (st != CC_OK) {
            cc_log(n->log, "Cannot keep a header: %s", err.text);
            return false;
        }
    }
    if (*last && cc_chain_best_header(n->chain) != best)
        tell_progress(n, *last);
    return true;
}

/* The first four that show a chain as good as ours stay, whatever happens to
 * their chain later. */
static void protect(struct cc_peer *p)
{
    struct cc_net *n = p->net;

    if (p->type != CC_CONN_OUTBOUND || p->chain_protected ||
        n->protected_count >= MAX_PROTECTED || !p->best_known ||
        cc_u256_cmp(&p->best_known->work, &cc_chain_tip(n->chain)->work) < 0)
        return;
    p->chain_protected = true;
    n->protected_count++;
    cc_debug(n->log, CC_LOG_NET,
             "Protecting outbound peer=%" PRId64 " from eviction", p->id);
}

/* fresh: something we did not know. */
static void after_headers(struct cc_peer *p, struct cc_index *last, bool full,
                          bool fresh)
{
    char hex[65];

    p->unconnecting = 0;
    if (fresh) {
        cc_hex_encode_rev(hex, last->hash, 32);
        cc_debug(p->net->log,
                 cc_chain_in_ibd(p->net->chain) ? CC_LOG_NET : CC_LOG_ALWAYS,
                 "Saw new header hash=%s height=%" PRIu32, hex, last->height);
        cc_sync_announced(p, last);
    }
    cc_sync_update_best(p, last->hash);
    protect(p);
    if (full && maybe_getheaders(p, last, NULL))
        cc_debug(p->net->log, CC_LOG_NET,
                 "more getheaders (%" PRIu32 ") to end to peer=%" PRId64
                 " (startheight:%d)",
                 last->height, p->id, p->starting_height);
    cc_sync_direct_fetch(p, last);
}

/* A chain that is walked without being kept. True: the message is dealt with.
 */
static bool continue_presync(struct cc_peer *p, const struct cc_header *h,
                             size_t count, bool full)
{
    struct cc_net *n = p->net;
    struct cc_header *out;
    struct cc_index *last;
    uint8_t hash[32];
    size_t out_count;
    enum cc_presync_result r;

    if (!p->presync)
        return false;
    cc_presync_last(p->presync, hash);
    if (memcmp(h[0].prev, hash, 32))
        return false; /* an announcement in between */
    r = cc_presync_headers(p->presync, h, count, full, &out, &out_count);
    if (out_count && keep_headers(p, out, out_count, &last))
        after_headers(p, last, false, true);
    free(out);
    if (r == CC_PRESYNC_MORE) {
        cc_presync_last(p->presync, hash);
        maybe_getheaders(p, cc_presync_start(p->presync), hash);
        return true;
    }
    cc_debug(n->log, CC_LOG_NET, "low-work headers of peer=%" PRId64 " %s",
             p->id,
             r == CC_PRESYNC_DONE ? "have become enough" : "came to nothing");
    cc_presync_free(p->presync);
    p->presync = NULL;
    if (r == CC_PRESYNC_DONE && full)
        maybe_getheaders(p, cc_chain_best_header(n->chain), NULL);
    return true;
}

/* True: too little work to be kept; the message is dealt with. */
static bool low_work(struct cc_peer *p, const struct cc_header *h, size_t count,
                     struct cc_index *start, bool full)
{
    struct cc_net *n = p->net;
    struct cc_u256 work = start->work, w, threshold = cc_headers_threshold(n);
    uint8_t key[16];
    int64_t span;

    for (size_t i = 0; i < count; i++) {
        w = cc_pow_work(h[i].bits);
        cc_u256_add(&work, &work, &w);
    }
    if (cc_u256_cmp(&work, &threshold) >= 0)
        return false;
    if (!full) {
        cc_debug(n->log, CC_LOG_NET,
                 "Ignoring low-work chain (height=%zu) from peer=%" PRId64,
                 start->height + count, p->id);
        return true;
    }
    if (!p->presync) {
        /* Six blocks a second is the most that rules of time allow. */
        span = cc_net_now_s(n) - start->median_time + 7200;
        cc_random_bytes(key, sizeof(key));
        p->presync = cc_presync_new(n->params, start, &threshold,
                                    span > 0 ? 6 * (uint64_t)span : 0, key);
        return continue_presync(p, h, count, full);
    }
    return true;
}

void cc_headers_on_message(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_header *h;
    struct cc_index *start, *last;
    uint8_t hash[32];
    size_t count;
    bool full, fresh;
    enum cc_status st = cc_msg_headers_decode(&h, &count, m->payload, m->len);

    if (st != CC_OK) {
        if (st == CC_LIMIT)
            cc_peer_misbehaving(p, 20, "headers message size = %zu", count);
        else
            cc_peer_malformed(p, m);
        return;
    }
    full = count == CC_MAX_HEADERS;
    p->getheaders_us = 0; /* answered */
    if (count == 0) {
        cc_presync_free(p->presync);
        p->presync = NULL;
        goto out;
    }
    if (!check_headers(p, h, count) || continue_presync(p, h, count, full))
        goto out;
    start = cc_chain_find(n->chain, h[0].prev);
    if (!start) {
        unconnecting(p, h, count);
        goto out;
    }
    cc_header_hash(hash, &h[count - 1]);
    last = cc_chain_find(n->chain, hash);
    if (!last && !cc_peer_has(p, CC_PERM_NOBAN) &&
        low_work(p, h, count, start, full))
        goto out;
    fresh = !last;
    if (keep_headers(p, h, count, &last) && last)
        after_headers(p, last, full, fresh);
out:
    free(h);
}

/* --- Time --------------------------------------------------------------- */

/* The one peer that was to give us all headers does not. */
static bool headers_late(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;
    struct cc_index *best;

    if (!p->sync_started || now <= p->headers_timeout_us)
        return false;
    best = cc_chain_best_header(n->chain);
    if (best->header.time > now / SECOND_US - DAY_S) {
        p->headers_timeout_us = INT64_MAX; /* synchronised: never again */
        return false;
    }
    if (n->sync_started != 1 ||
        cc_sync_count_preferred(n) - cc_sync_is_preferred(p) == 0)
        return false;
    if (cc_peer_has(p, CC_PERM_NOBAN)) {
        /* Keep it, but let another try. */
        cc_log(n->log,
               "Timeout downloading headers from noban peer=%" PRId64
               ", not disconnecting",
               p->id);
        p->sync_started = false;
        n->sync_started--;
        p->headers_timeout_us = 0;
        return false;
    }
    cc_log(n->log,
           "Timeout downloading headers from peer=%" PRId64 ", disconnecting",
           p->id);
    cc_peer_drop(p);
    return true;
}

/* BIP 130: once it has shown a chain worth following. */
static void send_sendheaders(struct cc_peer *p)
{
    if (p->sent_sendheaders || p->version < 70012 || !p->best_known ||
        cc_u256_cmp(&p->best_known->work,
                    &p->net->params->minimum_chain_work) <= 0)
        return;
    p->sent_sendheaders = true;
    cc_peer_send_empty(p, CC_MSG_SENDHEADERS);
}

/* An outbound peer whose chain has less work than ours for twenty minutes is
 * asked once more, and gives its slot to another if it still has less: else
 * someone could fill our slots with peers that know nothing. */
static void consider_chain(struct cc_peer *p, int64_t now_s)
{
    struct cc_net *n = p->net;
    struct cc_index *tip;
    char hex[65] = "<none>";

    if (!cc_peer_may_punish(p) || p->chain_protected || !p->sync_started)
        return;
    tip = cc_chain_tip(n->chain);
    if (p->best_known && cc_u256_cmp(&p->best_known->work, &tip->work) >= 0) {
        p->chain_timeout_s = 0;
        p->chain_asked = false;
        return;
    }
    if (!p->chain_timeout_s ||
        (p->best_known && p->chain_work_header &&
         cc_u256_cmp(&p->best_known->work, &p->chain_work_header->work) >= 0)) {
        /* It catches up with where we were: a new term, up to our tip. */
        p->chain_timeout_s = now_s + CHAIN_TIMEOUT_S;
        p->chain_work_header = tip;
        p->chain_asked = false;
    } else if (now_s > p->chain_timeout_s) {
        if (p->chain_asked) {
            if (p->best_known)
                cc_hex_encode_rev(hex, p->best_known->hash, 32);
            cc_log(n->log,
                   "Disconnecting outbound peer %" PRId64
                   " for old chain, best known block = %s",
                   p->id, hex);
            cc_peer_drop(p);
            return;
        }
        cc_debug(n->log, CC_LOG_NET,
                 "sending getheaders to outbound peer=%" PRId64
                 " to verify chain work",
                 p->id);
        maybe_getheaders(p,
                         p->chain_work_header->prev ? p->chain_work_header->prev
                                                    : p->chain_work_header,
                         NULL);
        p->chain_asked = true;
        p->chain_timeout_s = now_s + CHAIN_ANSWER_S;
    }
}

void cc_headers_tick(struct cc_peer *p, int64_t now)
{
    send_sendheaders(p);
    start_sync(p, now);
    if (!headers_late(p, now))
        consider_chain(p, now / SECOND_US);
}
