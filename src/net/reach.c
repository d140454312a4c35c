#include "net/reach.h"

#include <stdio.h>
#include <strings.h>

#include "net/net.h"
#include "net/sam.h"

#define NETWORKS (CC_NET_CJDNS + 1)

unsigned cc_reach_network(const char *name)
{
    for (unsigned i = 1; i < NETWORKS; i++)
        if (cc_network_addr_len(i) && !strcasecmp(cc_network_name(i), name))
            return i;
    return 0;
}

/* "host:port" of a proxy, which is a number or may be looked up. A name with an
 * empty part is nobody's. */
static bool parse_host(struct cc_proxy *p, const char *text,
                       const struct cc_net_options *o)
{
    struct cc_netaddr a;

    if (!cc_host_split(text, p->host, sizeof(p->host), &p->port) || !p->port)
        return false;
    if (cc_netaddr_parse(&a, text, p->port))
        return true;
    return !o->no_dns && p->host[0] != '.' && !strstr(p->host, "..");
}

static enum cc_status parse_proxy(struct cc_proxy *p, const char *text,
                                  const char *option,
                                  const struct cc_net_options *o,
                                  struct cc_error *err)
{
    p->port = CC_SOCKS_PORT;
    p->randomize = !o->proxy_plain;
    if (!parse_host(p, text, o))
        return cc_fail(err, CC_INVALID, "Invalid -%s address or hostname: '%s'",
                       option, text);
    return CC_OK;
}

static enum cc_status parse_onlynet(struct cc_reach *r,
                                    const struct cc_net_options *o,
                                    struct cc_error *err)
{
    for (unsigned i = 1; i < NETWORKS; i++)
        r->reachable[i] = cc_network_addr_len(i) && !o->onlynet_count;
    for (size_t i = 0; i < o->onlynet_count; i++) {
        unsigned n = cc_reach_network(o->onlynet[i]);

        if (!n)
            return cc_fail(err, CC_INVALID,
                           "Unknown network specified in -onlynet: '%s'",
                           o->onlynet[i]);
        r->reachable[n] = true;
    }
    r->cjdns = o->cjdns_reachable;
    if (!r->cjdns && o->onlynet_count && r->reachable[CC_NET_CJDNS])
        return cc_fail(err, CC_INVALID,
                       "Outbound connections restricted to CJDNS "
                       "(-onlynet=cjdns) but -cjdnsreachable is not provided");
    r->reachable[CC_NET_CJDNS] = r->cjdns && r->reachable[CC_NET_CJDNS];
    if (o->dns_seed_set && o->dns_seed && !r->reachable[CC_NET_IPV4] &&
        !r->reachable[CC_NET_IPV6])
        return cc_fail(err, CC_INVALID,
                       "Incompatible options: -dnsseed=1 was explicitly "
                       "specified, but -onlynet forbids connections to "
                       "IPv4/IPv6");
    return CC_OK;
}

static enum cc_status parse_i2p(struct cc_reach *r,
                                const struct cc_net_options *o,
                                struct cc_error *err)
{
    struct cc_proxy *p = &r->proxy[CC_NET_I2P];
    bool only = o->onlynet_count && r->reachable[CC_NET_I2P];

    p->port = CC_SAM_PORT;
    if (o->i2p_sam && *o->i2p_sam && strcmp(o->i2p_sam, "0") != 0) {
        if (parse_host(p, o->i2p_sam, o))
            return CC_OK;
        return cc_fail(err, CC_INVALID,
                       "Invalid -i2psam address or hostname: '%s'", o->i2p_sam);
    }
    r->reachable[CC_NET_I2P] = false;
    return only ? cc_fail(err, CC_INVALID,
                          "Outbound connections restricted to i2p "
                          "(-onlynet=i2p) but -i2psam is not provided")
                : CC_OK;
}

static enum cc_status parse_onion(struct cc_reach *r,
                                  const struct cc_net_options *o,
                                  struct cc_error *err)
{
    struct cc_proxy *p = &r->proxy[CC_NET_TORV3];
    bool only = o->onlynet_count && r->reachable[CC_NET_TORV3];
    enum cc_status st = CC_OK;

    r->onion_allowed = r->reachable[CC_NET_TORV3];

    if (o->onion && !strcmp(o->onion, "0")) {
        p->host[0] = '\0';
        if (only)
            return cc_fail(err, CC_INVALID,
                           "Outbound connections restricted to Tor "
                           "(-onlynet=onion) but the proxy for reaching the "
                           "Tor network is explicitly forbidden: -onion=0");
    } else if (o->onion && *o->onion) {
        st = parse_proxy(p, o->onion, "onion", o, err);
    }
    if (st == CC_OK && !p->host[0] && only && !o->listen_onion)
        return cc_fail(err, CC_INVALID,
                       "Outbound connections restricted to Tor "
                       "(-onlynet=onion) but the proxy for reaching the Tor "
                       "network is not provided: none of -proxy, -onion or "
                       "-listenonion is given");
    if (!p->host[0])
        r->reachable[CC_NET_TORV3] = false;
    return st;
}

enum cc_status cc_reach_init(struct cc_reach *r, const struct cc_net_options *o,
                             struct cc_error *err)
{
    struct cc_proxy all;
    enum cc_status st;

    memset(r, 0, sizeof(*r));
    memset(&all, 0, sizeof(all));
    r->lookup = !o->no_dns;
    st = parse_onlynet(r, o, err);
    if (st == CC_OK)
        st = parse_i2p(r, o, err);
    if (st == CC_OK && o->proxy && *o->proxy && strcmp(o->proxy, "0") != 0)
        st = parse_proxy(&all, o->proxy, "proxy", o, err);
    if (st != CC_OK)
        return st;
    r->proxy[CC_NET_IPV4] = r->proxy[CC_NET_IPV6] = all;
    r->proxy[CC_NET_CJDNS] = r->proxy[CC_NET_TORV3] = r->names = all;
    return parse_onion(r, o, err);
}

bool cc_reach_can(const struct cc_reach *r, const struct cc_netaddr *a)
{
    return a->network < NETWORKS && r->reachable[a->network];
}

bool cc_reach_parse(const struct cc_reach *r, struct cc_netaddr *out,
                    const char *text, uint16_t default_port)
{
    if (!cc_netaddr_parse(out, text, default_port))
        return false;
    if (r->cjdns)
        cc_netaddr_flip_cjdns(out);
    return true;
}

uint16_t cc_reach_default_port(const char *node, uint16_t port)
{
    struct cc_netaddr a;

    return cc_netaddr_parse(&a, node, port) && a.network == CC_NET_I2P ? 0
                                                                       : port;
}

const struct cc_proxy *cc_reach_proxy(const struct cc_reach *r,
                                      const struct cc_netaddr *a)
{
    const struct cc_proxy *p = &r->names;

    if (a->network >= NETWORKS)
        return NULL;
    if (a->network)
        p = cc_netaddr_is_routable(a) ? &r->proxy[a->network] : NULL;
    return p && p->host[0] ? p : NULL;
}

void cc_proxy_format(char out[272], const struct cc_proxy *p)
{
    if (!p->host[0])
        out[0] = '\0';
    else
        snprintf(out, 272, strchr(p->host, ':') ? "[%s]:%u" : "%s:%u", p->host,
                 p->port);
}
