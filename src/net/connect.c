/*
 * Whom we are connected to: connecting by order and on our own, taking those
 * who come, and who must go when there is no room. Where they come to is
 * listen.c's.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/evict.h"
#include "net/node.h"
#include "util/mem.h"
#include "util/siphash.h"

#define MANUAL_LAST_US (60 * SECOND_US)
#define OUTBOUND_PAUSE_US (SECOND_US / 2)
#define MAX_CONNECTING 16
#define RETRY_S 600
#define FEELER_US (2 * MINUTE_US)

struct attempt {
    struct attempt *next;
    char node[256];
    enum cc_connection_type type;
    bool extra;             /* one more than there are places */
    struct cc_netaddr addr; /* network 0: a name */
};

const char *cc_connection_type_name(enum cc_connection_type t)
{
    switch (t) {
    case CC_CONN_INBOUND:
        return "inbound";
    case CC_CONN_OUTBOUND:
        return "outbound-full-relay";
    case CC_CONN_MANUAL:
        return "manual";
    case CC_CONN_FEELER:
        return "feeler";
    case CC_CONN_BLOCK_RELAY:
        return "block-relay-only";
    case CC_CONN_ADDR_FETCH:
        return "addr-fetch";
    }
    return "?";
}

/* --- Connecting ----------------------------------------------------------- */

static bool connected_to(struct cc_net *n, const char *node,
                         const struct cc_netaddr *a)
{
    for (size_t i = 0; i < n->peer_count; i++) {
        struct cc_peer *p = n->peers[i];

        if (!strcmp(p->name, node))
            return true;
        if (a->network && cc_netaddr_equal(&p->addr, a))
            return true;
    }
    return false;
}

static struct cc_manual *find_manual(struct cc_net *n, const char *node)
{
    for (size_t i = 0; i < n->manual_count; i++)
        if (!strcmp(n->manual[i].node, node))
            return &n->manual[i];
    return NULL;
}

static void open_node(struct cc_net *n, const char *node,
                      enum cc_connection_type type, bool extra)
{
    struct attempt *a;
    struct cc_manual *m = find_manual(n, node);
    char host[256];
    uint16_t port = cc_reach_default_port(node, n->params->port);
    struct cc_netaddr addr = {0};
    struct cc_hub_target target = {.lookup = n->reach.lookup};

    if (!atomic_load(&n->active) || n->connecting >= MAX_CONNECTING ||
        !cc_host_split(node, host, sizeof(host), &port))
        return;
    if (!cc_reach_parse(&n->reach, &addr, node, port))
        addr.network = 0;
    if (connected_to(n, node, &addr))
        return;
    if (addr.network && type != CC_CONN_MANUAL &&
        (cc_banlist_has(n->bans, &addr, cc_net_now_s(n)) ||
         cc_banlist_discouraged(n->bans, &addr)))
        return;
    cc_debug(n->log, CC_LOG_NET, "trying v1 connection %s", node);
    if (addr.network)
        cc_addrbook_attempt(n->book, &addr, cc_net_now_s(n));
    a = cc_calloc(1, sizeof(*a));
    snprintf(a->node, sizeof(a->node), "%s", node);
    a->type = type;
    a->extra = extra;
    a->addr = addr;
    if (m)
        m->pending = true;
    a->next = n->attempts;
    n->attempts = a;
    n->connecting++;
    target.host = host;
    target.port = port;
    target.addr = addr;
    target.proxy = cc_reach_proxy(&n->reach, &addr);
    cc_hub_connect(n->hub, &target, a);
}

bool cc_connect_pending(const struct cc_net *n, const char *node)
{
    for (const struct attempt *a = n->attempts; a; a = a->next)
        if (!strcmp(a->node, node))
            return true;
    return false;
}

void cc_connect_open(struct cc_net *n, const char *node,
                     enum cc_connection_type type)
{
    open_node(n, node, type, false);
}

static void try_manual(struct cc_net *n, int64_t now)
{
    for (size_t i = 0; i < n->manual_count; i++) {
        struct cc_manual *m = &n->manual[i];

        if (!m->pending && now >= m->next_try_us)
            cc_connect_open(n, m->node, CC_CONN_MANUAL);
        if (!m->pending && now >= m->next_try_us)
            m->next_try_us = now + SECOND_US; /* connected, or no room */
    }
}

static size_t count_type(const struct cc_net *n, enum cc_connection_type t)
{
    size_t c = 0;

    for (size_t i = 0; i < n->peer_count; i++)
        c += n->peers[i]->type == t;
    return c;
}

/* No second connection into a group we already depend on. */
static bool group_taken(const struct cc_net *n, const struct cc_netaddr *a)
{
    uint8_t g[8], h[8];
    size_t g_len = cc_asmap_group(n->asmap, a, g);

    for (size_t i = 0; i < n->peer_count; i++) {
        const struct cc_peer *p = n->peers[i];

        if (!cc_peer_is_outbound(p) || p->type == CC_CONN_ADDR_FETCH)
            continue;
        if (cc_asmap_group(n->asmap, &p->addr, h) == g_len &&
            !memcmp(g, h, g_len))
            return true;
    }
    return false;
}

static size_t full_wanted(const struct cc_net *n)
{
    return n->o.max_connections < MAX_OUTBOUND_FULL ? n->o.max_connections
                                                    : MAX_OUTBOUND_FULL;
}

bool cc_connect_has_room(const struct cc_net *n, enum cc_connection_type t)
{
    if (t == CC_CONN_OUTBOUND)
        return count_type(n, t) < full_wanted(n);
    if (t == CC_CONN_BLOCK_RELAY)
        return n->o.max_connections > MAX_OUTBOUND_FULL &&
               count_type(n, t) < MAX_OUTBOUND_BLOCKS;
    return true;
}

/* Whom a feeler asks: one whose place in the book another wants, else one
 * never met. */
static bool choose(struct cc_net *n, bool feeler, int64_t now_s,
                   struct cc_book_entry *e)
{
    return (feeler &&
            cc_addrbook_select_collision(n->book, cc_net_random, NULL, e)) ||
           cc_addrbook_select(n->book, feeler, now_s, cc_net_random, NULL, e);
}

static bool offers_enough(struct cc_net *n, uint64_t services)
{
    uint64_t want = cc_sync_desired(n, services);

    return (services & want) == want;
}

/* Somebody from the address book. */
static void open_from_book(struct cc_net *n, enum cc_connection_type type,
                           bool extra)
{
    bool feeler = type == CC_CONN_FEELER;
    int64_t now_s = cc_net_now_s(n);
    struct cc_book_entry e;
    char node[72];

    cc_addrbook_resolve(n->book, now_s);
    for (int i = 0; i < 100; i++) {
        if (!choose(n, feeler, now_s, &e))
            return;
        if (now_s - e.last_try < RETRY_S && i < 30)
            continue;
        if (!cc_reach_can(&n->reach, &e.addr))
            continue;
        if (!offers_enough(n, e.services) ||
            (!feeler && group_taken(n, &e.addr)))
            continue;
        cc_netaddr_format_port(node, &e.addr);
        open_node(n, node, type, extra);
        return;
    }
}

/* Those we last got blocks from before the restart, so that who fills our book
 * cannot cut us off by making us restart. */
static bool open_anchor(struct cc_net *n)
{
    char node[72];

    while (n->anchor_count) {
        const struct cc_book_entry *e = &n->anchors[--n->anchor_count];

        if (!cc_reach_can(&n->reach, &e->addr) ||
            !offers_enough(n, e->services) || group_taken(n, &e->addr))
            continue;
        cc_netaddr_format_port(node, &e->addr);
        cc_debug(n->log, CC_LOG_NET,
                 "Trying to make an anchor connection to %s", node);
        cc_connect_open(n, node, CC_CONN_BLOCK_RELAY);
        return true;
    }
    return false;
}

/* One more than usual, not two. */
static bool has_extra_room(const struct cc_net *n)
{
    return n->o.max_connections > MAX_OUTBOUND &&
           count_type(n, CC_CONN_OUTBOUND) <= MAX_OUTBOUND_FULL &&
           count_type(n, CC_CONN_BLOCK_RELAY) <= MAX_OUTBOUND_BLOCKS;
}

static void try_outbound(struct cc_net *n, int64_t now)
{
    enum cc_connection_type type = CC_CONN_OUTBOUND;
    bool extra = false;

    if (n->o.connect_count || n->o.connect_none || now < n->next_outbound_us ||
        n->connecting >= MAX_CONNECTING / 2)
        return;
    n->next_outbound_us = now + OUTBOUND_PAUSE_US;
    if (cc_connect_has_room(n, CC_CONN_BLOCK_RELAY) && open_anchor(n))
        return;
    if (n->next_seed < n->seednode_count) {
        cc_connect_open(n, n->seednodes[n->next_seed++], CC_CONN_ADDR_FETCH);
        return;
    }
    /* Two connections that carry blocks only: who watches transactions and
     * addresses does not see them, so cannot cut us off from the chain. */
    if (!cc_connect_has_room(n, type))
        type = CC_CONN_BLOCK_RELAY;
    if (!cc_connect_has_room(n, type)) {
        extra = has_extra_room(n) && cc_seek_extra(n, &type);
        /* All slots taken: now and then see whether an address that we only
         * heard of answers, so that the book knows good ones when needed. */
        if (!extra &&
            (now < n->next_feeler_us || n->o.max_connections < MAX_OUTBOUND))
            return;
        if (!extra) {
            n->next_feeler_us = now + cc_net_poisson_us(FEELER_US);
            type = CC_CONN_FEELER;
        }
    }
    open_from_book(n, type, extra);
}

/* By the clock that no mock stops: retrying has nothing to do with the chain's
 * time. */
void cc_connect_tick(struct cc_net *n)
{
    int64_t now = cc_clock_monotonic_us();

    struct cc_netaddr self;

    if (!n->i2p_known && cc_hub_i2p_self(n->hub, &self)) {
        n->i2p_known = true;
        cc_listen_tell_local(n, &self);
    }
    if (!atomic_load(&n->active))
        return;
    try_manual(n, now);
    try_outbound(n, now);
}

/* After a failure: twice as long each time, up to a minute. */
static void wait_longer(struct cc_manual *m)
{
    m->next_try_us = cc_clock_monotonic_us() + m->pause_us;
    m->pause_us *= 2;
    if (m->pause_us > MANUAL_LAST_US)
        m->pause_us = MANUAL_LAST_US;
}

void cc_connect_lost(struct cc_peer *p)
{
    struct cc_manual *m = find_manual(p->net, p->name);

    if (!m || p->type != CC_CONN_MANUAL)
        return;
    /* One that drops us at once is not asked every second. */
    if (p->ready &&
        cc_clock_monotonic_us() - p->connected_mono_us > MANUAL_LAST_US)
        m->pause_us = MANUAL_FIRST_US;
    wait_longer(m);
}

static void outbound_arrived(struct cc_net *n, struct cc_conn *conn)
{
    struct attempt *a = cc_conn_cookie(conn);
    struct cc_manual *m = find_manual(n, a->node);
    struct cc_peer *p;
    char why[96];
    bool take = false;

    n->connecting--;
    for (struct attempt **at = &n->attempts; *at; at = &(*at)->next)
        if (*at == a) {
            *at = a->next;
            break;
        }
    if (m)
        m->pending = false;
    if (!atomic_load(&n->active))
        snprintf(why, sizeof(why), "network is inactive");
    else if (!cc_connect_has_room(n, a->type) &&
             !(a->extra && has_extra_room(n)))
        snprintf(why, sizeof(why), "others came first");
    else
        take = !cc_conn_closed(conn, why);
    if (!take) {
        cc_debug(n->log, CC_LOG_NET, "connection to %s failed: %s", a->node,
                 why);
        if (m)
            wait_longer(m);
        cc_conn_close(conn);
        cc_conn_release(conn);
        free(a);
        return;
    }
    p = cc_peer_add(n, conn);
    p->type = a->type;
    snprintf(p->name, sizeof(p->name), "%s", a->node);
    cc_conn_set_name(conn, p->name);
    free(a);
    atomic_fetch_add(&n->count_out, 1);
    cc_conn_start(conn);
}

/* --- Room for those who come ---------------------------------------------- */

static void fill_candidate(struct cc_evict_candidate *c,
                           const struct cc_peer *p)
{
    uint8_t g[8];
    size_t len = cc_asmap_group(p->net->asmap, &p->addr, g);

    memset(c, 0, sizeof(*c));
    c->id = p->id;
    c->connected = p->id; /* they rise with time, and are never the same */
    c->min_ping = p->ping_min_us >= 0 ? p->ping_min_us : INT64_MAX;
    c->last_block = p->last_block_s;
    c->last_tx = p->last_tx_s;
    c->group = cc_siphash(p->net->group_key, 0, g, len);
    c->network = p->onion ? CC_NET_TORV3 : p->addr.network;
    c->local = cc_netaddr_is_local(&p->addr);
    c->serves = offers_enough(p->net, p->services);
    c->relays_txs = p->relay_txs;
    c->filters = p->bloom != NULL;
    c->prefer = cc_banlist_discouraged(p->net->bans, &p->addr);
}

static bool make_room(struct cc_net *n)
{
    struct cc_evict_candidate *c = cc_calloc(n->peer_count + 1, sizeof(*c));
    struct cc_peer *victim;
    size_t count = 0;

    for (size_t i = 0; i < n->peer_count; i++) {
        struct cc_peer *p = n->peers[i];

        if (!cc_peer_is_outbound(p) && !p->dropping &&
            !cc_peer_has(p, CC_PERM_NOBAN))
            fill_candidate(&c[count++], p);
    }
    victim = cc_net_peer(n, cc_evict_select(c, count));
    free(c);
    if (!victim)
        return false;
    cc_debug(n->log, CC_LOG_NET,
             "selected inbound connection for eviction, disconnecting "
             "peer=%" PRId64,
             victim->id);
    cc_peer_drop(victim);
    return true;
}

static unsigned max_inbound(const struct cc_net *n)
{
    return n->o.max_connections > MAX_OUTBOUND
               ? n->o.max_connections - MAX_OUTBOUND
               : 0;
}

static unsigned whitelist_bits(const struct cc_net *n,
                               const struct cc_netaddr *a)
{
    unsigned bits = 0;

    for (size_t i = 0; i < n->whitelist_count; i++)
        if (cc_subnet_has(&n->whitelist[i].subnet, a))
            bits |= n->whitelist[i].permissions;
    return bits;
}

/* Why a new inbound connection is not taken, or NULL. */
static const char *refuse(struct cc_net *n, const struct cc_netaddr *a,
                          unsigned bits)
{
    unsigned in = 0;

    if (!atomic_load(&n->active))
        return "not accepting new connections";
    if ((bits & CC_PERM_NOBAN) == CC_PERM_NOBAN)
        return NULL;
    for (size_t i = 0; i < n->peer_count; i++)
        in += !cc_peer_is_outbound(n->peers[i]) && !n->peers[i]->dropping;
    if (cc_banlist_has(n->bans, a, cc_net_now_s(n)))
        return "banned";
    if (in + 1 >= max_inbound(n) && cc_banlist_discouraged(n->bans, a))
        return "discouraged";
    if (in >= max_inbound(n) && !make_room(n))
        return "full";
    return NULL;
}

static void inbound_arrived(struct cc_net *n, struct cc_conn *conn)
{
    const struct cc_netaddr *a = cc_conn_remote(conn);
    unsigned bits = cc_conn_permissions(conn) | whitelist_bits(n, a);
    const char *why = refuse(n, a, bits);
    struct cc_peer *p;
    char text[72];

    cc_netaddr_format_port(text, a);
    if (why || cc_conn_closed(conn, NULL)) {
        if (why)
            cc_debug(n->log, CC_LOG_NET, "connection from %s dropped (%s)",
                     text, why);
        cc_conn_close(conn);
        cc_conn_release(conn);
        return;
    }
    p = cc_peer_add(n, conn);
    p->type = CC_CONN_INBOUND;
    p->permissions = bits;
    p->onion = cc_conn_onion(conn);
    snprintf(p->name, sizeof(p->name), "%s", text);
    cc_conn_set_name(conn, text);
    atomic_fetch_add(&n->count_in, 1);
    cc_debug(n->log, CC_LOG_NET, "connection from %s accepted", text);
    cc_conn_start(conn);
}

void cc_connect_arrived(struct cc_net *n, struct cc_conn *conn)
{
    if (cc_conn_inbound(conn))
        inbound_arrived(n, conn);
    else
        outbound_arrived(n, conn);
}
