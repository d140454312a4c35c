/*
 * Whom we are connected to: listening, connecting by order and on our own,
 * and who must go when there is no room.
 */
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/evict.h"
#include "net/node.h"
#include "util/mem.h"
#include "util/siphash.h"

#define MANUAL_FIRST_US (1 * SECOND_US)
#define MANUAL_LAST_US (60 * SECOND_US)
#define OUTBOUND_PAUSE_US (SECOND_US / 2)
#define MAX_CONNECTING 16
#define RETRY_S 600
#define FEELER_US (2 * MINUTE_US)
#define LOCAL_IF 1 /* scores of our own addresses, as Bitcoin Core's */
#define LOCAL_BIND 2
#define LOCAL_MANUAL 4

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

/* --- Permissions ---------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned bits;
} permissions[] = {
    {"bloomfilter", CC_PERM_BLOOM},
    {"noban", CC_PERM_NOBAN},
    {"forcerelay", CC_PERM_FORCERELAY},
    {"relay", CC_PERM_RELAY},
    {"mempool", CC_PERM_MEMPOOL},
    {"download", CC_PERM_DOWNLOAD},
    {"addr", CC_PERM_ADDR},
};

const char *cc_net_permission_name(unsigned i, unsigned *bits)
{
    if (i >= sizeof(permissions) / sizeof(permissions[0]))
        return NULL;
    *bits = permissions[i].bits;
    return permissions[i].name;
}

static bool permission_bits(const char *name, size_t len, unsigned *bits)
{
    if (len == 0)
        return true;
    if (len == 3 && !memcmp(name, "all", 3)) {
        *bits |= CC_PERM_ALL;
        return true;
    }
    if (len == 5 && !memcmp(name, "bloom", 5)) {
        *bits |= CC_PERM_BLOOM;
        return true;
    }
    for (size_t i = 0; i < sizeof(permissions) / sizeof(permissions[0]); i++) {
        if (strlen(permissions[i].name) == len &&
            !memcmp(permissions[i].name, name, len)) {
            *bits |= permissions[i].bits;
            return true;
        }
    }
    return false;
}

/* "perm,perm@rest": *rest points behind the '@'. Without one: what -whitelist
 * gives by itself. */
static enum cc_status parse_permissions(const struct cc_net_options *o,
                                        const char *text, unsigned *bits,
                                        const char **rest, struct cc_error *err)
{
    const char *at = strchr(text, '@'), *p = text;

    *bits = 0;
    if (!at) {
        *bits = CC_PERM_NOBAN | CC_PERM_MEMPOOL;
        if (o->whitelist_relay)
            *bits |= CC_PERM_RELAY;
        if (o->whitelist_force_relay)
            *bits |= CC_PERM_FORCERELAY;
        *rest = text;
        return CC_OK;
    }
    while (p < at) {
        const char *comma = memchr(p, ',', (size_t)(at - p));
        size_t len = (size_t)((comma ? comma : at) - p);

        if (!permission_bits(p, len, bits))
            return cc_fail(err, CC_INVALID, "Invalid P2P permission: '%.*s'",
                           (int)len, p);
        p += len + 1;
    }
    *rest = at + 1;
    return CC_OK;
}

/* --- Options and listening ------------------------------------------------ */

static void add_manual(struct cc_net *n, const char *node, bool fixed)
{
    struct cc_manual *m;

    n->manual = cc_grow(n->manual, &n->manual_cap, n->manual_count + 1,
                        sizeof(*n->manual));
    m = &n->manual[n->manual_count++];
    memset(m, 0, sizeof(*m));
    snprintf(m->node, sizeof(m->node), "%s", node);
    m->fixed = fixed;
    m->pause_us = MANUAL_FIRST_US;
}

static enum cc_status add_whitelist(struct cc_net *n, const char *text,
                                    struct cc_error *err)
{
    struct cc_whitelist *w = &n->whitelist[n->whitelist_count];
    const char *rest;
    enum cc_status st =
        parse_permissions(&n->o, text, &w->permissions, &rest, err);

    if (st != CC_OK)
        return st;
    if (!cc_subnet_parse(&w->subnet, rest))
        return cc_fail(err, CC_INVALID,
                       "Invalid netmask specified in -whitelist: '%s'", rest);
    n->whitelist_count++;
    return CC_OK;
}

/* Said twice, it is so much the more likely. */
static void add_local(struct cc_net *n, const struct cc_netaddr *a, int score)
{
    struct cc_net_local *l;
    char host[72];

    cc_netaddr_format(host, a);
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < n->local_count; i++) {
        l = &n->locals[i];
        if (strcmp(l->address, host) != 0)
            continue;
        if (score >= l->score) {
            l->score = score + 1;
            l->port = a->port;
        }
        pthread_mutex_unlock(&n->lock);
        return;
    }
    n->locals = cc_grow(n->locals, &n->local_cap, n->local_count + 1,
                        sizeof(*n->locals));
    l = &n->locals[n->local_count++];
    memset(l, 0, sizeof(*l));
    snprintf(l->address, sizeof(l->address), "%.63s", host);
    l->port = a->port;
    l->score = score;
    pthread_mutex_unlock(&n->lock);
}

void cc_connect_tell_local(struct cc_net *n, const struct cc_netaddr *a)
{
    add_local(n, a, LOCAL_MANUAL);
}

void cc_connect_forget_local(struct cc_net *n, const struct cc_netaddr *a)
{
    char host[72];

    cc_netaddr_format(host, a);
    pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < n->local_count; i++)
        if (!strcmp(n->locals[i].address, host)) {
            n->locals[i] = n->locals[--n->local_count];
            break;
        }
    pthread_mutex_unlock(&n->lock);
}

/* One that says whom it spares, where who comes is never banned. */
static bool for_friends(const char *whitebind, unsigned bits)
{
    return strchr(whitebind, '@') && (bits & CC_PERM_NOBAN) == CC_PERM_NOBAN;
}

/* Where others find us: the port of the first -bind that names one, else of a
 * -whitebind that is not for friends only, else -port. */
static uint16_t listen_port(const struct cc_net_options *o)
{
    struct cc_netaddr a;
    struct cc_error err;
    const char *rest;
    unsigned bits;

    for (size_t i = 0; i < o->bind_count; i++) {
        char text[72];

        snprintf(text, sizeof(text), "%.*s", (int)strcspn(o->binds[i], "="),
                 o->binds[i]);
        if (cc_netaddr_parse(&a, text, 0) && a.port)
            return a.port;
    }
    for (size_t i = 0; i < o->whitebind_count; i++)
        if (parse_permissions(o, o->whitebind[i], &bits, &rest, &err) ==
                CC_OK &&
            !for_friends(o->whitebind[i], bits) &&
            cc_netaddr_parse(&a, rest, 0) && a.port)
            return a.port;
    return o->port;
}

static enum cc_status add_external(struct cc_net *n, const char *text,
                                   struct cc_error *err)
{
    struct cc_netaddr a;

    if (!cc_reach_parse(&n->reach, &a, text, listen_port(&n->o)))
        return cc_fail(err, CC_INVALID,
                       "Cannot resolve -externalip address: '%s'", text);
    if (cc_netaddr_is_routable(&a))
        add_local(n, &a, LOCAL_MANUAL);
    return CC_OK;
}

/* Addresses of this machine that others could reach, where we listen on any. A
 * loopback interface of another name was given its addresses on purpose. */
static void discover(struct cc_net *n)
{
    struct ifaddrs *all = NULL;
    struct cc_netaddr a;
    char text[72];

    if (getifaddrs(&all) != 0)
        return;
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) ||
            !strcmp(i->ifa_name, "lo") || !strcmp(i->ifa_name, "lo0") ||
            !cc_netaddr_from_sockaddr(&a, i->ifa_addr) ||
            !cc_netaddr_is_routable(&a) || !cc_reach_can(&n->reach, &a))
            continue;
        a.port = listen_port(&n->o);
        cc_netaddr_format(text, &a);
        cc_log(n->log, "Discover: %s: %s", i->ifa_name, text);
        add_local(n, &a, LOCAL_IF);
    }
    freeifaddrs(all);
}

enum cc_status cc_connect_options(struct cc_net *n,
                                  const struct cc_net_options *o,
                                  struct cc_error *err)
{
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < o->connect_count; i++)
        add_manual(n, o->connect[i], true);
    for (size_t i = 0; i < o->addnode_count; i++)
        add_manual(n, o->addnode[i], false);
    n->seednodes = cc_calloc(o->seednode_count + 1, sizeof(char *));
    for (size_t i = 0; i < o->seednode_count; i++)
        n->seednodes[n->seednode_count++] = cc_strdup(o->seednode[i]);
    n->whitelist = cc_calloc(o->whitelist_count + 1, sizeof(*n->whitelist));
    for (size_t i = 0; st == CC_OK && i < o->whitelist_count; i++)
        st = add_whitelist(n, o->whitelist[i], err);
    for (size_t i = 0; st == CC_OK && i < o->external_ip_count; i++)
        st = add_external(n, o->external_ips[i], err);
    if (st == CC_OK && o->discover && !o->bind_count && !o->whitebind_count)
        discover(n);
    return st;
}

static enum cc_status listen_on(struct cc_net *n, const struct cc_netaddr *a,
                                unsigned bits, bool onion, struct cc_error *err)
{
    struct cc_hub_bind *b = cc_calloc(1, sizeof(*b));
    struct cc_listener *ls;
    struct cc_error why;
    enum cc_status st;
    size_t cap = n->listener_count, cap2 = cap;

    b->hub = n->hub;
    b->permissions = bits;
    b->onion = onion;
    st = cc_listener_new(&ls, n->loop, a, cc_hub_accepted, b, &why);
    if (st != CC_OK) {
        free(b);
        return st == CC_LIMIT
                   ? cc_fail(err, CC_IO, "%s %s is probably already running.",
                             why.text, cc_params_product(n->params))
                   : cc_fail(err, st, "%s", why.text);
    }
    n->listeners = cc_grow(n->listeners, &cap, n->listener_count + 1,
                           sizeof(*n->listeners));
    n->binds =
        cc_grow(n->binds, &cap2, n->listener_count + 1, sizeof(*n->binds));
    n->listeners[n->listener_count] = ls;
    n->binds[n->listener_count++] = b;
    return CC_OK;
}

/* "addr[:port][=onion]": the suffix says that a Tor on this machine hands on
 * there what came to our onion service. */
static enum cc_status listen_option(struct cc_net *n, const char *text,
                                    const char *option, unsigned bits,
                                    bool hidden, struct cc_error *err)
{
    enum cc_status st;
    const char *end = strchr(text, '=');
    bool onion = end && !strcmp(end, "=onion");
    struct cc_netaddr a;
    char buf[72];

    snprintf(buf, sizeof(buf), "%s", text);
    if (onion && (size_t)(end - text) < sizeof(buf))
        buf[end - text] = '\0';
    if (!cc_netaddr_parse(&a, buf, !strcmp(option, "bind") ? n->o.port : 0))
        return cc_fail(err, CC_INVALID, "Cannot resolve -%s address: '%s'",
                       option, text);
    if (!a.port && strcmp(option, "bind") != 0)
        return cc_fail(err, CC_INVALID,
                       "Need to specify a port with -whitebind: '%s'", text);
    st = listen_on(n, &a, bits, onion, err);
    if (st == CC_OK && onion && !n->onion_target.network)
        n->onion_target = a;
    if (st == CC_OK && n->o.discover && !hidden && !onion &&
        cc_netaddr_is_routable(&a) && cc_reach_can(&n->reach, &a))
        add_local(n, &a, LOCAL_BIND);
    return st;
}

/* Of several nodes on a machine only one gets the usual place. */
static void listen_for_tor(struct cc_net *n)
{
    struct cc_netaddr a = {
        .network = CC_NET_IPV4, .len = 4, .bytes = {127, 0, 0, 1}};
    struct cc_error err;

    a.port = (uint16_t)(n->params->port + 1);
    if (listen_on(n, &a, 0, true, &err) == CC_OK)
        n->onion_target = a;
    else
        cc_log(n->log, "tor: %s No onion service is made.", err.text);
}

enum cc_status cc_connect_listen(struct cc_net *n,
                                 const struct cc_net_options *o,
                                 struct cc_error *err)
{
    struct cc_netaddr any;
    enum cc_status st = CC_OK;

    for (size_t i = 0; st == CC_OK && i < o->bind_count; i++)
        st = listen_option(n, o->binds[i], "bind", 0, false, err);
    for (size_t i = 0; st == CC_OK && i < o->whitebind_count; i++) {
        const char *rest;
        unsigned bits;

        st = parse_permissions(o, o->whitebind[i], &bits, &rest, err);
        if (st == CC_OK)
            st = listen_option(n, rest, "whitebind", bits,
                               for_friends(o->whitebind[i], bits), err);
    }
    if (st == CC_OK && o->listen_onion && !n->onion_target.network)
        listen_for_tor(n);
    if (st != CC_OK || !o->listen || o->bind_count || o->whitebind_count)
        return st;
    memset(&any, 0, sizeof(any));
    any.network = CC_NET_IPV4;
    any.len = 4;
    any.port = o->port;
    st = listen_on(n, &any, 0, false, err);
    if (st != CC_OK)
        return st;
    any.network = CC_NET_IPV6;
    any.len = 16;
    /* A machine without IPv6 is no fault. */
    if (listen_on(n, &any, 0, false, NULL) != CC_OK)
        cc_debug(n->log, CC_LOG_NET, "Not listening on IPv6");
    return CC_OK;
}

void cc_connect_clear(struct cc_net *n)
{
    for (size_t i = 0; i < n->listener_count; i++) {
        cc_listener_free(n->listeners[i]);
        free(n->binds[i]);
    }
    free(n->listeners);
    free(n->binds);
    n->listeners = NULL;
    n->binds = NULL;
    n->listener_count = 0;
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
        add_local(n, &self, LOCAL_MANUAL);
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
