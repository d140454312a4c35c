/*
 * Where others reach us: the addresses that are ours, what whom is permitted,
 * and listening. The options of all that, and the nodes that they name, are
 * read here.
 */
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/node.h"
#include "util/mem.h"

#define LOCAL_IF 1 /* scores of our own addresses, as Bitcoin Core's */
#define LOCAL_BIND 2
#define LOCAL_MANUAL 4

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

void cc_listen_tell_local(struct cc_net *n, const struct cc_netaddr *a)
{
    add_local(n, a, LOCAL_MANUAL);
}

void cc_listen_forget_local(struct cc_net *n, const struct cc_netaddr *a)
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

enum cc_status cc_listen_options(struct cc_net *n,
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

enum cc_status cc_listen_start(struct cc_net *n, const struct cc_net_options *o,
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

void cc_listen_clear(struct cc_net *n)
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
