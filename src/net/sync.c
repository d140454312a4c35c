/*
 * Getting the chain: headers first, then blocks from several peers at once.
 *
 * For each peer we know the best header it told us of. Blocks on the way from
 * our chain to there are asked for in order, at most MAX_IN_FLIGHT of one peer
 * and none more than DOWNLOAD_WINDOW ahead of the first that is missing. Who
 * holds up the window is given a few seconds, then dropped, and its blocks are
 * asked of others.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/pow.h"
#include "net/node.h"
#include "util/hex.h"
#include "util/mem.h"

#define STALL_MIN_US (2 * SECOND_US)
#define STALL_MAX_US (64 * SECOND_US)
#define MAX_SOURCES 4096
#define BLOCK_IS_HERE INT64_C(-2) /* no peer's id */
#define IO_PAUSE_US (10 * SECOND_US)

static const uint8_t zero[32];

/* --- What a peer has ------------------------------------------------------ */

/* A block it announced before we knew the header may be known by now. */
void cc_sync_resolve_unknown(struct cc_peer *p)
{
    struct cc_index *i;

    if (!memcmp(p->unknown_best, zero, 32))
        return;
    i = cc_chain_find(p->net->chain, p->unknown_best);
    if (!i)
        return;
    if (!p->best_known || cc_u256_cmp(&i->work, &p->best_known->work) >= 0)
        p->best_known = i;
    memset(p->unknown_best, 0, 32);
}

void cc_sync_update_best(struct cc_peer *p, const uint8_t hash[32])
{
    struct cc_index *i;

    cc_sync_resolve_unknown(p);
    i = cc_chain_find(p->net->chain, hash);
    if (!i)
        memcpy(p->unknown_best, hash, 32);
    else if (!p->best_known || cc_u256_cmp(&i->work, &p->best_known->work) >= 0)
        p->best_known = i;
}

void cc_sync_announced(struct cc_peer *p, const struct cc_index *fresh)
{
    if (cc_u256_cmp(&fresh->work, &cc_chain_tip(p->net->chain)->work) > 0)
        p->last_announce_s = cc_net_now_s(p->net);
}

bool cc_sync_wants(struct cc_net *n, const uint8_t hash[32])
{
    return !cc_chain_find(n->chain, hash) && !cc_map_get(&n->flight, hash);
}

bool cc_sync_serves_blocks(const struct cc_peer *p)
{
    return p->services & (CC_SERVICE_NETWORK | CC_SERVICE_NETWORK_LIMITED);
}

static bool is_limited(const struct cc_peer *p)
{
    return !(p->services & CC_SERVICE_NETWORK);
}

bool cc_sync_is_preferred(const struct cc_peer *p)
{
    return (cc_peer_is_outbound(p) || cc_peer_has(p, CC_PERM_NOBAN)) &&
           p->type != CC_CONN_ADDR_FETCH && cc_sync_serves_blocks(p);
}

unsigned cc_sync_count_preferred(const struct cc_net *n)
{
    unsigned c = 0;

    for (size_t i = 0; i < n->peer_count; i++)
        if (n->peers[i]->ready && cc_sync_is_preferred(n->peers[i]))
            c++;
    return c;
}

/* Who comes to us does so for what we have; but it may be the only one that
 * has what we want. */
bool cc_sync_catches_up_with(const struct cc_peer *p)
{
    return cc_sync_is_preferred(p) ||
           (cc_sync_serves_blocks(p) && p->type != CC_CONN_ADDR_FETCH &&
            (!p->net->flight.count || !cc_sync_count_preferred(p->net)));
}

/* --- Blocks in flight ----------------------------------------------------- */

static void flight_remove_at(struct cc_peer *p, size_t i)
{
    cc_map_remove(&p->net->flight, p->flight[i].hash, NULL);
    memmove(&p->flight[i], &p->flight[i + 1],
            (p->flight_count - i - 1) * sizeof(p->flight[0]));
    p->flight_count--;
    if (i == 0) /* the clock runs for the oldest */
        p->downloading_us = cc_net_now_us(p->net);
    p->stalling_us = 0;
}

/* Whoever was asked; true if it was this peer. */
static bool flight_remove(struct cc_net *n, const uint8_t hash[32],
                          const struct cc_peer *from)
{
    int64_t *id = cc_map_get(&n->flight, hash);
    struct cc_peer *p = id ? cc_net_peer(n, *id) : NULL;

    if (!p || (from && p != from))
        return false;
    for (size_t i = 0; i < p->flight_count; i++) {
        if (!memcmp(p->flight[i].hash, hash, 32)) {
            flight_remove_at(p, i);
            break;
        }
    }
    return true;
}

int64_t cc_sync_asked(const struct cc_net *n, const uint8_t hash[32])
{
    const int64_t *id = cc_map_get(&n->flight, hash);

    return id ? *id : -1;
}

void cc_sync_expect(struct cc_peer *p, struct cc_index *block)
{
    struct cc_net *n = p->net;
    struct cc_flight *f = &p->flight[p->flight_count];

    if (p->flight_count == MAX_IN_FLIGHT || cc_map_get(&n->flight, block->hash))
        return;
    if (p->flight_count++ == 0)
        p->downloading_us = cc_net_now_us(n);
    memcpy(f->hash, block->hash, 32);
    f->index = block;
    *(int64_t *)cc_map_put(&n->flight, f->hash, NULL) = p->id;
}

static void send_getdata(struct cc_peer *p, const struct cc_inv *inv, size_t n)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_msg_inv_write(&w, inv, n);
    cc_peer_send(p, CC_MSG_GETDATA, &w);
}

/* A block may have witnesses that p would leave out. */
static bool gives_whole(const struct cc_peer *p, const struct cc_index *i)
{
    return p->services & CC_SERVICE_WITNESS ||
           i->height < p->net->params->segwit_height;
}

static uint32_t whole_type(const struct cc_peer *p)
{
    return p->services & CC_SERVICE_WITNESS ? CC_INV_WITNESS_BLOCK
                                            : CC_INV_BLOCK;
}

void cc_sync_ask_full(struct cc_peer *p, const uint8_t hash[32])
{
    struct cc_index *i = cc_chain_find(p->net->chain, hash);
    struct cc_inv inv;

    if (!i)
        return;
    cc_sync_expect(p, i);
    if (cc_sync_asked(p->net, hash) != p->id)
        return;
    inv.type = whole_type(p);
    memcpy(inv.hash, hash, 32);
    send_getdata(p, &inv, 1);
}

/* type: of all of them. */
static void request(struct cc_peer *p, struct cc_index **blocks, size_t count,
                    uint32_t type)
{
    struct cc_net *n = p->net;
    struct cc_inv inv[MAX_IN_FLIGHT];
    size_t k = 0;

    for (size_t i = 0; i < count && p->flight_count < MAX_IN_FLIGHT; i++) {
        char hex[65];

        if (cc_map_get(&n->flight, blocks[i]->hash))
            continue;
        cc_sync_expect(p, blocks[i]);
        inv[k].type = type;
        memcpy(inv[k++].hash, blocks[i]->hash, 32);
        cc_hex_encode_rev(hex, blocks[i]->hash, 32);
        cc_debug(n->log, CC_LOG_NET,
                 "Requesting block %s (%" PRIu32 ") peer=%" PRId64, hex,
                 blocks[i]->height, p->id);
    }
    if (k)
        send_getdata(p, inv, k);
}

void cc_sync_fetch(struct cc_peer *p, struct cc_index *block)
{
    flight_remove(p->net, block->hash, NULL);
    request(p, &block, 1, whole_type(p));
}

void cc_sync_peer_gone(struct cc_peer *p)
{
    struct cc_net *n = p->net;

    while (p->flight_count)
        flight_remove_at(p, p->flight_count - 1);
    if (p->sync_started)
        n->sync_started--;
    p->sync_started = false;
    if (p->chain_protected)
        n->protected_count--;
    cc_cmpct_peer_gone(p);
}

/* The next blocks to ask this peer for; *staller (-1: nobody) is who holds up
 * the window if there are none. Under the chain's lock. */
static size_t find_blocks(struct cc_peer *p, struct cc_index **out, size_t room,
                          int64_t *staller)
{
    struct cc_net *n = p->net;
    struct cc_index *tip = cc_chain_tip(n->chain);
    uint32_t end, top;
    int64_t waiting = -1;
    size_t found = 0;

    *staller = -1;
    cc_sync_resolve_unknown(p);
    if (!p->best_known || cc_u256_cmp(&p->best_known->work, &tip->work) < 0 ||
        cc_u256_cmp(&p->best_known->work, &n->params->minimum_chain_work) < 0)
        return 0;
    if (!p->last_common)
        p->last_common =
            cc_chain_at(n->chain, tip->height < p->best_known->height
                                      ? tip->height
                                      : p->best_known->height);
    p->last_common = cc_index_fork(p->last_common, p->best_known);
    if (p->last_common == p->best_known)
        return 0;
    end = p->last_common->height + DOWNLOAD_WINDOW;
    top = p->best_known->height < end + 1 ? p->best_known->height : end + 1;
    for (uint32_t h = p->last_common->height + 1; h <= top && found < room;
         h++) {
        struct cc_index *i = cc_index_ancestor(p->best_known, h);
        int64_t *who = cc_map_get(&n->flight, i->hash);

        if (i->status & (CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD) ||
            !gives_whole(p, i))
            return found;
        if ((i->status & CC_INDEX_DATA) || cc_chain_contains(n->chain, i)) {
            if (i->chain_tx)
                p->last_common = i;
        } else if (who) {
            if (waiting < 0)
                waiting = *who;
        } else if (h > end) {
            if (!found && waiting != p->id)
                *staller = waiting;
            return found;
        } else {
            out[found++] = i;
        }
    }
    return found;
}

static void want_blocks(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;
    struct cc_index *out[MAX_IN_FLIGHT];
    int64_t staller = -1;
    struct cc_peer *s;
    size_t found;

    if (!cc_sync_serves_blocks(p) || p->flight_count >= MAX_IN_FLIGHT ||
        now < n->io_pause_us)
        return;
    if (cc_chain_in_ibd(n->chain) &&
        (is_limited(p) || !cc_sync_catches_up_with(p)))
        return;
    cc_chain_lock(n->chain);
    found = find_blocks(p, out, MAX_IN_FLIGHT - p->flight_count, &staller);
    cc_chain_unlock(n->chain);
    if (found)
        request(p, out, found, whole_type(p));
    s = !p->flight_count && staller >= 0 ? cc_net_peer(n, staller) : NULL;
    if (s && !s->stalling_us) {
        s->stalling_us = now;
        cc_debug(n->log, CC_LOG_NET, "Stall started peer=%" PRId64, s->id);
    }
}

bool cc_sync_near_tip(struct cc_net *n)
{
    return (int64_t)cc_chain_tip(n->chain)->header.time >
           cc_net_now_s(n) - 20 * n->params->spacing_s;
}

/* So many blocks behind what a limited peer has is enough: half of it. */
#define LIMITED_DEPTH 144

uint64_t cc_sync_desired(struct cc_net *n, uint64_t services)
{
    int64_t behind =
        cc_net_now_s(n) - (int64_t)cc_chain_tip(n->chain)->header.time;

    if (services & CC_SERVICE_NETWORK_LIMITED &&
        behind / n->params->spacing_s < LIMITED_DEPTH)
        return CC_SERVICE_NETWORK_LIMITED | CC_SERVICE_WITNESS;
    return CC_SERVICE_NETWORK | CC_SERVICE_WITNESS;
}

/* New blocks near the tip are fetched from who told of them first. */
void cc_sync_direct_fetch(struct cc_peer *p, struct cc_index *last)
{
    struct cc_net *n = p->net;
    struct cc_index *tip, *walk = last, *want[MAX_IN_FLIGHT + 1];
    size_t count = 0;
    int64_t now = cc_net_now_us(n);
    bool valid;

    cc_chain_lock(n->chain);
    tip = cc_chain_tip(n->chain);
    if (now < n->io_pause_us || !cc_sync_near_tip(n) ||
        (last->status & (CC_INDEX_FAILED | CC_INDEX_FAILED_CHILD)) ||
        cc_u256_cmp(&tip->work, &last->work) > 0)
        goto out;
    while (walk && !cc_chain_contains(n->chain, walk) &&
           count <= MAX_IN_FLIGHT) {
        if (!(walk->status & CC_INDEX_DATA) &&
            !cc_map_get(&n->flight, walk->hash) && gives_whole(p, walk))
            want[count++] = walk;
        walk = walk->prev;
    }
    if (walk && !cc_chain_contains(n->chain, walk)) {
        cc_debug(n->log, CC_LOG_NET,
                 "Large reorg, won't direct fetch to %" PRIu32, last->height);
        count = 0; /* the window brings them in order */
    }
out:
    valid = count && want[0]->prev && (want[0]->prev->status & CC_INDEX_VALID);
    cc_chain_unlock(n->chain);
    for (size_t i = 0; i < count / 2; i++) {
        struct cc_index *t = want[i];

        want[i] = want[count - 1 - i];
        want[count - 1 - i] = t;
    }
    /* One block more, and we probably have its transactions. */
    request(p, want, count,
            count == 1 && n->flight.count == 0 && p->provides_cmpct && valid &&
                    !n->o.blocks_only
                ? CC_INV_CMPCT_BLOCK
                : whole_type(p));
}

/* --- Blocks come ---------------------------------------------------------- */

void cc_sync_set_source(struct cc_net *n, const uint8_t hash[32], int64_t peer,
                        bool punish)
{
    struct cc_source *s;

    if (n->sources.count >= MAX_SOURCES)
        cc_map_reset(&n->sources);
    s = cc_map_put(&n->sources, hash, NULL);
    s->peer = peer;
    s->punish = punish;
}

/* A block that nobody asked for, on a chain of so little work that not even
 * its header is worth a place in memory. */
static bool block_low_work(struct cc_net *n, const struct cc_block *block)
{
    struct cc_index *prev = cc_chain_find(n->chain, block->header.prev);
    struct cc_u256 work, threshold;

    if (!prev)
        return false; /* that has its own verdict */
    work = cc_pow_work(block->header.bits);
    cc_u256_add(&work, &work, &prev->work);
    threshold = cc_headers_threshold(n);
    return cc_u256_cmp(&work, &threshold) < 0;
}

/* What follows from the verdict; p: who sent it, NULL if it is gone. False:
 * the body does not belong to the header. */
static bool conclude(struct cc_net *n, struct cc_peer *p, struct cc_incoming *b)
{
    bool fits = true;
    char hex[65];

    cc_hex_encode_rev(hex, b->hash, 32);
    if (b->st == CC_OK) {
        if (b->is_new && p)
            p->last_block_s = cc_net_now_s(n);
        if (b->is_new || b->asked) /* whoever was asked */
            flight_remove(n, b->hash, NULL);
    } else if (b->st == CC_INVALID) {
        cc_debug(n->log, CC_LOG_NET,
                 "ProcessNewBlock: AcceptBlock FAILED (%s), block %s "
                 "peer=%" PRId64,
                 b->err.text, hex, b->peer);
        fits = b->err.verdict != CC_VERDICT_MUTATED;
        if (fits && p)
            flight_remove(n, b->hash, p);
        /* Unless the chain has told of it already. */
        if (cc_map_remove(&n->sources, b->hash, NULL) && b->punish && p)
            cc_peer_judge_block(p, &b->err, "");
    } else {
        /* This machine's fault: nobody is blamed, and nothing is asked for
         * again at once. */
        cc_log(n->log, "Cannot store block %s: %s", hex, b->err.text);
        cc_map_remove(&n->sources, b->hash, NULL);
        if (p)
            flight_remove(n, b->hash, p);
        n->io_pause_us = cc_net_now_us(n) + IO_PAUSE_US;
    }
    return fits;
}

bool cc_sync_process(struct cc_peer *p, struct cc_block *block, bool asked,
                     bool punish)
{
    struct cc_incoming b = {
        .peer = p->id, .block = *block, .asked = asked, .punish = punish};

    memcpy(b.hash, block->hash, 32);
    cc_sync_set_source(p->net, b.hash, p->id, punish);
    cc_incoming_judge(p->net->chain, &b);
    return conclude(p->net, p, &b);
}

bool cc_sync_ready(struct cc_peer *p)
{
    if (cc_conn_next_is(p->conn, CC_MSG_BLOCK))
        return p->judging < MAX_IN_FLIGHT &&
               !cc_incoming_queue_full(p->net->incoming);
    return !p->judging;
}

void cc_sync_task_judged(void *arg)
{
    struct cc_incoming *b = arg;
    struct cc_net *n = b->owner;
    struct cc_peer *p = cc_net_peer(n, b->peer);
    const int64_t *who = cc_map_get(&n->flight, b->hash);

    if (who && *who == BLOCK_IS_HERE)
        cc_map_remove(&n->flight, b->hash, NULL);
    if (p)
        p->judging--;
    conclude(n, p, b);
    if (p)
        cc_peer_take_consequence(p);
    free(b);
}

/* Into the queue. Until it is judged nobody is asked for it. */
static void queue(struct cc_peer *p, struct cc_incoming *b, bool asked)
{
    struct cc_net *n = p->net;
    bool fresh;
    int64_t *who = cc_map_put(&n->flight, b->hash, &fresh);

    if (fresh)
        *who = BLOCK_IS_HERE;
    b->owner = n;
    b->peer = p->id;
    b->asked = asked;
    b->punish = true;
    p->judging++;
    cc_incoming_queue_put(n->incoming, b);
}

void cc_sync_on_block(struct cc_peer *p, struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_incoming *b;
    bool asked;
    enum cc_status st;
    char hex[65];

    st = cc_incoming_decode(&b, m->payload, m->len);
    m->payload = NULL;
    if (st != CC_OK) {
        cc_peer_malformed(p, m);
        return;
    }
    cc_hex_encode_rev(hex, b->hash, 32);
    cc_debug(n->log, CC_LOG_NET, "received block %s peer=%" PRId64, hex, p->id);
    asked = flight_remove(n, b->hash, p);
    if (!asked && block_low_work(n, &b->block)) {
        if (!cc_chain_find(n->chain, b->hash))
            cc_debug(n->log, CC_LOG_VALIDATION,
                     "AcceptBlockHeader: not adding new block header %s, "
                     "missing anti-dos proof-of-work validation",
                     hex);
        cc_incoming_free(b);
        return;
    }
    queue(p, b, asked);
}

void cc_sync_judged(struct cc_net *n, const uint8_t hash[32], enum cc_status st,
                    const struct cc_error *err)
{
    struct cc_source s;
    struct cc_peer *p;
    char hex[65];

    if (st == CC_INVALID) {
        cc_hex_encode_rev(hex, hash, 32);
        cc_debug(n->log, CC_LOG_NET, "block %s is judged: %s", hex, err->text);
    }
    if (!cc_map_remove(&n->sources, hash, &s))
        return;
    if (st == CC_INVALID && err->verdict == CC_VERDICT_MUTATED) {
        cc_debug(n->log, CC_LOG_VALIDATION, "Block mutated: %s", err->text);
        cc_debug(n->log, CC_LOG_NET,
                 "Received mutated block from peer=%" PRId64, s.peer);
    }
    p = cc_net_peer(n, s.peer);
    if (!p)
        return;
    if (st == CC_INVALID && s.punish)
        cc_peer_judge_block(p, err, "");
    else if (st == CC_OK && !cc_chain_in_ibd(n->chain) &&
             n->flight.count == (cc_map_get(&n->flight, hash) ? 1 : 0))
        cc_cmpct_gave_block(p); /* nothing else is on its way */
}

/* --- Time ----------------------------------------------------------------- */

static bool stalls(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;

    if (!p->stalling_us || p->stalling_us > now - n->stall_timeout_us ||
        p->judging) /* it is us that are slow */
        return false;
    /* If it was the line's fault and not the peer's, be more patient with the
     * next one. */
    cc_log(n->log, "Peer=%" PRId64 " is stalling block download, disconnecting",
           p->id);
    if (n->stall_timeout_us < STALL_MAX_US) {
        n->stall_timeout_us *= 2;
        cc_debug(n->log, CC_LOG_NET,
                 "Increased stalling timeout temporarily to %" PRId64
                 " seconds",
                 n->stall_timeout_us / SECOND_US);
    }
    cc_peer_drop(p);
    return true;
}

static bool too_slow(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;
    int64_t spacing = n->params->spacing_s * SECOND_US;
    int64_t others = 0;
    char hex[65];

    if (!p->flight_count)
        return false;
    for (size_t i = 0; i < n->peer_count; i++)
        if (n->peers[i] != p && n->peers[i]->flight_count)
            others++;
    if (now <= p->downloading_us + spacing + others * spacing / 2)
        return false;
    cc_hex_encode_rev(hex, p->flight[0].hash, 32);
    cc_log(n->log,
           "Timeout downloading block %s from peer=%" PRId64 ", disconnecting",
           hex, p->id);
    cc_peer_drop(p);
    return true;
}

void cc_sync_tick(struct cc_peer *p, int64_t now)
{
    if (!stalls(p, now) && !too_slow(p, now))
        want_blocks(p, now);
}

void cc_sync_block_came(struct cc_net *n)
{
    int64_t t = n->stall_timeout_us * 85 / 100 / SECOND_US * SECOND_US;

    if (n->stall_timeout_us == STALL_MIN_US)
        return;
    n->stall_timeout_us = t > STALL_MIN_US ? t : STALL_MIN_US;
    cc_debug(n->log, CC_LOG_NET,
             "Decreased stalling timeout to %" PRId64 " seconds",
             n->stall_timeout_us / SECOND_US);
}
