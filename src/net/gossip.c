/*
 * Addresses: taken at a slow rate, passed on to few, given to who asks once.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "net/node.h"
#include "util/mem.h"
#include "util/siphash.h"

#define ADDR_RATE 0.1 /* a second */
#define ADDR_BUCKET 1000.0
#define SEND_ADDR_US (30 * SECOND_US)
#define FETCH_S 300 /* for who was dialled only to give addresses */
#define LOCAL_ADDR_US (24 * 60 * MINUTE_US)
#define GETADDR_PERCENT 23
#define CACHE_US (21 * 60 * MINUTE_US)
#define CACHE_SPREAD_US (6 * 60 * MINUTE_US)

/* What BIP 155's old form cannot carry goes to who can read the new. */
static bool can_send(const struct cc_peer *p, const struct cc_netaddr *a)
{
    return p->want_addrv2 || a->network == CC_NET_IPV4 ||
           a->network == CC_NET_IPV6;
}

static void known_key(uint8_t out[32], const struct cc_netaddr *a)
{
    memset(out, 0, 32);
    cc_put_u64le(out, cc_siphash(1, a->port, a->bytes, a->len));
    cc_put_u64le(out + 8, cc_siphash(2, a->network, a->bytes, a->len));
}

static void queue_addr(struct cc_peer *p, const struct cc_addr_entry *e)
{
    uint8_t key[32];

    known_key(key, &e->addr);
    if (!p->addr_relay || !can_send(p, &e->addr) ||
        cc_recent_has(&p->known_addrs, key))
        return;
    if (p->addr_queue_count >= CC_MAX_ADDR) {
        p->addr_queue[cc_random_below(p->addr_queue_count)] = *e;
        return;
    }
    p->addr_queue = cc_grow(p->addr_queue, &p->addr_queue_cap,
                            p->addr_queue_count + 1, sizeof(*p->addr_queue));
    p->addr_queue[p->addr_queue_count++] = *e;
}

void cc_gossip_setup(struct cc_peer *p)
{
    if (!cc_peer_is_outbound(p))
        return; /* those who connected to us: once they show interest */
    cc_addrbook_set_services(p->net->book, &p->addr, p->services);
    cc_addrbook_good(p->net->book, &p->addr, cc_net_now_s(p->net));
    if (p->type == CC_CONN_BLOCK_RELAY || p->type == CC_CONN_FEELER)
        return;
    p->addr_relay = true;
    cc_peer_send_empty(p, CC_MSG_GETADDR);
    p->getaddr_sent = true;
    p->addr_tokens += ADDR_BUCKET; /* room for the answer */
}

static void refill(struct cc_peer *p, int64_t now)
{
    double add = (double)(now - p->addr_tokens_us) / (double)SECOND_US;

    if (p->addr_tokens < ADDR_BUCKET && add > 0) {
        p->addr_tokens += add * ADDR_RATE;
        if (p->addr_tokens > ADDR_BUCKET)
            p->addr_tokens = ADDR_BUCKET;
    }
    p->addr_tokens_us = now;
}

/* To one or two peers, the same for a day: the net hears of it without being
 * flooded, and repeating it changes nothing. Of networks that we cannot reach
 * ourselves half goes to one only. */
static void pass_on(struct cc_peer *from, const struct cc_addr_entry *e)
{
    struct cc_net *n = from->net;
    uint64_t day = (uint64_t)(cc_net_now_s(n) / (24 * 3600));
    struct cc_peer *best[2] = {NULL, NULL};
    uint64_t score[2] = {0, 0};

    for (size_t i = 0; i < n->peer_count; i++) {
        struct cc_peer *p = n->peers[i];
        uint64_t s;

        if (p == from || !p->ready || !p->addr_relay || !can_send(p, &e->addr))
            continue;
        s = cc_siphash(p->nonce, day, e->addr.bytes, e->addr.len);
        if (!best[0] || s > score[0]) {
            best[1] = best[0];
            score[1] = score[0];
            best[0] = p;
            score[0] = s;
        } else if (!best[1] || s > score[1]) {
            best[1] = p;
            score[1] = s;
        }
    }
    if (!cc_reach_can(&n->reach, &e->addr) &&
        cc_siphash(n->group_key, day, e->addr.bytes, e->addr.len) & 1)
        best[1] = NULL;
    for (int k = 0; k < 2; k++)
        if (best[k])
            queue_addr(best[k], e);
}

static void take_addr(struct cc_peer *p, struct cc_addr_entry *e, bool few,
                      size_t *added)
{
    struct cc_net *n = p->net;
    int64_t now = cc_net_now_s(n);
    uint8_t key[32];
    char text[72];

    if (n->reach.cjdns)
        cc_netaddr_flip_cjdns(&e->addr);
    if (e->time <= 100000000 || (int64_t)e->time > now + 600)
        e->time = (uint32_t)(now - 5 * 24 * 3600);
    known_key(key, &e->addr);
    cc_recent_add(&p->known_addrs, key);
    if (cc_banlist_has(n->bans, &e->addr, now) ||
        cc_banlist_discouraged(n->bans, &e->addr))
        return;
    p->addr_processed++;
    if ((int64_t)e->time > now - 600 && !p->getaddr_sent && few &&
        cc_netaddr_is_routable(&e->addr))
        pass_on(p, e);
    /* What we cannot reach is for others to keep. */
    if (!cc_netaddr_is_routable(&e->addr) || !cc_reach_can(&n->reach, &e->addr))
        return;
    /* Two hours off: who passes an address on did not talk to it just now. */
    if (!cc_addrbook_add(n->book, &e->addr, e->services,
                         (int64_t)e->time - 2 * 3600, &p->addr, now))
        return;
    ++*added;
    cc_netaddr_format_port(text, &e->addr);
    cc_debug(n->log, CC_LOG_ADDRMAN, "Added %s mapped to AS0 to new", text);
}

/* As many as the peer's rate allows; returns how many were new to us. */
static size_t take_addrs(struct cc_peer *p, struct cc_addr_entry *a,
                         size_t count)
{
    size_t added = 0;

    refill(p, cc_net_now_us(p->net));
    for (size_t i = 0; i < count; i++) {
        struct cc_addr_entry t;
        size_t j = i + (size_t)cc_random_below(count - i);

        /* Shuffled: which ones pass the limit is not the sender's choice. */
        t = a[i];
        a[i] = a[j];
        a[j] = t;
        if (p->addr_tokens < 1 && !cc_peer_has(p, CC_PERM_ADDR)) {
            p->addr_limited++;
            continue;
        }
        p->addr_tokens -= p->addr_tokens < 1 ? p->addr_tokens : 1;
        if (a[i].addr.network &&
            (a[i].services & (CC_SERVICE_NETWORK | CC_SERVICE_NETWORK_LIMITED)))
            take_addr(p, &a[i], count <= 10, &added);
    }
    return added;
}

void cc_gossip_on_addr(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_addr_entry *a;
    size_t count, added, fresh, tried;
    char text[72];
    uint64_t limited = p->addr_limited, processed = p->addr_processed;
    enum cc_status st = cc_msg_addr_decode(&a, &count, m->type == CC_MSG_ADDRV2,
                                           m->payload, m->len);

    if (st != CC_OK) {
        if (st == CC_LIMIT)
            cc_peer_misbehaving(p, 20, "%s message size = %zu", m->command,
                                count);
        else if (st == CC_INVALID)
            cc_debug(n->log, CC_LOG_NET,
                     "ProcessMessages(%s, %zu bytes): Exception 'Address too "
                     "long: %zu > %d' (malformed payload) caught",
                     m->command, m->len, count, CC_MAX_ADDRV2_LEN);
        else
            cc_peer_malformed(p, m);
        return;
    }
    if (p->type == CC_CONN_BLOCK_RELAY) {
        free(a);
        return;
    }
    p->addr_relay = true;
    added = take_addrs(p, a, count);
    cc_debug(n->log, CC_LOG_NET,
             "Received addr: %zu addresses (%" PRIu64 " processed, %" PRIu64
             " rate-limited) from peer=%" PRId64,
             count, p->addr_processed - processed, p->addr_limited - limited,
             p->id);
    if (added) {
        cc_netaddr_format(text, &p->addr);
        cc_addrbook_counts(n->book, 0, &fresh, &tried);
        cc_debug(n->log, CC_LOG_ADDRMAN,
                 "Added %zu addresses (of %zu) from %s: %zu tried, %zu new",
                 added, count, text, tried, fresh);
    }
    if (count < CC_MAX_ADDR)
        p->getaddr_sent = false;
    free(a);
    if (p->type == CC_CONN_ADDR_FETCH && count > 1) {
        cc_debug(n->log, CC_LOG_NET,
                 "addrfetch connection completed peer=%" PRId64
                 "; disconnecting",
                 p->id);
        cc_peer_drop(p);
    }
}

/* A sample of the book. *out is the caller's. */
static size_t sample(struct cc_net *n, int64_t now, struct cc_addr_entry **out)
{
    struct cc_book_entry *e;
    size_t kept = 0,
           count = cc_addrbook_sample(n->book, CC_MAX_ADDR, GETADDR_PERCENT, 0,
                                      now / SECOND_US, cc_net_random, NULL, &e);

    *out = cc_calloc(count + 1, sizeof(**out));
    for (size_t i = 0; i < count; i++) {
        struct cc_addr_entry *a = &(*out)[kept];

        if (cc_banlist_has(n->bans, &e[i].addr, now / SECOND_US) ||
            cc_banlist_discouraged(n->bans, &e[i].addr))
            continue;
        a->time = (uint32_t)e[i].time;
        a->services = e[i].services;
        a->addr = e[i].addr;
        kept++;
    }
    free(e);
    return kept;
}

/* Over which network, to which of our addresses. */
static uint64_t way_of(const struct cc_peer *p)
{
    const struct cc_netaddr *us = cc_conn_local(p->conn);
    uint8_t key[40] = {0};
    uint64_t h;

    key[0] = p->onion                           ? CC_NET_TORV3
             : cc_netaddr_is_routable(&p->addr) ? p->addr.network
                                                : 0;
    key[1] = us->network;
    memcpy(key + 2, us->bytes, sizeof(us->bytes));
    cc_put_u16le(key + 34, us->port);
    h = cc_siphash(p->net->group_key, 1, key, sizeof(key));
    return h ? h : 1;
}

/* One answer for a day for all who come one way, so that asking often, or over
 * many connections, does not read out the book; but not the same for who comes
 * by another, which would show that both lead to one node. */
static const struct cc_getaddr_answer *answer_for(const struct cc_peer *p,
                                                  int64_t now)
{
    struct cc_net *n = p->net;
    struct cc_getaddr_answer *a = &n->getaddr[0];
    uint64_t way = way_of(p);

    for (size_t i = 0; i < GETADDR_ANSWERS; i++) {
        if (n->getaddr[i].way == way) {
            a = &n->getaddr[i];
            break;
        }
        if (n->getaddr[i].until_us < a->until_us)
            a = &n->getaddr[i];
    }
    if (a->way == way && now < a->until_us)
        return a;
    free(a->entries);
    a->way = way;
    a->count = sample(n, now, &a->entries);
    a->until_us = now + CACHE_US + (int64_t)cc_random_below(CACHE_SPREAD_US);
    return a;
}

void cc_gossip_on_getaddr(struct cc_peer *p)
{
    struct cc_net *n = p->net;
    int64_t now = cc_net_now_us(n);
    const struct cc_getaddr_answer *a;
    struct cc_addr_entry *entries;
    size_t count;

    /* Only who connected to us: else a peer could find out, by planting
     * addresses and asking us back, that two of its connections are one. */
    if (cc_peer_is_outbound(p)) {
        cc_debug(n->log, CC_LOG_NET,
                 "Ignoring \"getaddr\" from %s connection. peer=%" PRId64,
                 cc_connection_type_name(p->type), p->id);
        return;
    }
    p->addr_relay = true;
    if (p->getaddr_answered) {
        cc_debug(n->log, CC_LOG_NET,
                 "Ignoring repeated \"getaddr\". peer=%" PRId64, p->id);
        return;
    }
    p->getaddr_answered = true;
    p->addr_queue_count = 0;
    if (cc_peer_has(p, CC_PERM_ADDR)) { /* trusted with all of it */
        count = sample(n, now, &entries);
        for (size_t i = 0; i < count; i++)
            queue_addr(p, &entries[i]);
        free(entries);
        return;
    }
    a = answer_for(p, now);
    for (size_t i = 0; i < a->count; i++)
        queue_addr(p, &a->entries[i]);
}

static bool hides(unsigned network)
{
    return network == CC_NET_TORV3 || network == CC_NET_I2P;
}

/* Ourselves, if we know an address that others can reach. Who came through a
 * network that hides us is told no address outside of it, and nobody outside
 * an address inside: both together would show that they are one node. */
static void tell_local(struct cc_peer *p, int64_t now)
{
    struct cc_net *n = p->net;
    unsigned way = p->onion ? CC_NET_TORV3 : p->addr.network;
    struct cc_addr_entry e = {.time = (uint32_t)(now / SECOND_US),
                              .services = n->services};

    if (!n->o.listen || now < p->next_local_us || cc_chain_in_ibd(n->chain))
        return;
    p->next_local_us = now + cc_net_poisson_us(LOCAL_ADDR_US);
    if (n->o.addrman_test &&
        cc_netaddr_parse(&e.addr, "127.0.0.1", n->o.port)) {
        queue_addr(p, &e);
        return;
    }
    for (size_t i = 0; i < n->local_count; i++) {
        if (!cc_reach_parse(&n->reach, &e.addr, n->locals[i].address,
                            n->o.port))
            continue;
        e.addr.port = n->locals[i].port;
        if (!cc_netaddr_is_routable(&e.addr) ||
            (e.addr.network != way && (hides(way) || hides(e.addr.network))))
            continue;
        queue_addr(p, &e);
    }
}

void cc_gossip_tick(struct cc_peer *p, int64_t now)
{
    struct cc_writer w;

    if (!p->addr_relay)
        return;
    if (p->type == CC_CONN_ADDR_FETCH &&
        now / SECOND_US - p->connected_s > FETCH_S) {
        cc_debug(p->net->log, CC_LOG_NET,
                 "addrfetch connection timeout; disconnecting peer=%" PRId64,
                 p->id);
        cc_peer_drop(p);
        return;
    }
    tell_local(p, now);
    if (now <= p->next_addr_us)
        return;
    p->next_addr_us = now + cc_net_poisson_us(SEND_ADDR_US);
    if (!p->addr_queue_count)
        return;
    for (size_t i = 0; i < p->addr_queue_count; i++) {
        uint8_t key[32];

        known_key(key, &p->addr_queue[i].addr);
        cc_recent_add(&p->known_addrs, key);
    }
    cc_writer_init_heap(&w);
    cc_msg_addr_write(&w, p->addr_queue, p->addr_queue_count, p->want_addrv2);
    cc_peer_send(p, p->want_addrv2 ? CC_MSG_ADDRV2 : CC_MSG_ADDR, &w);
    p->addr_queue_count = 0;
}
