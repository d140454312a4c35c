/*
 * reach.h: which networks can be reached, and through what.
 *
 * Made once from the options; read by the validation thread afterwards, which
 * also writes what Tor tells of its proxy (onion.c). -onlynet limits
 * only whom we choose ourselves: what the user names is tried all the same.
 */
#ifndef CC_NET_REACH_H
#define CC_NET_REACH_H

#include "net/netaddr.h"
#include "util/error.h"

struct cc_net_options;

#define CC_SOCKS_PORT 9050

struct cc_proxy {
    char host[256]; /* "": none */
    uint16_t port;
    bool randomize; /* credentials of its own for each connection */
};

struct cc_reach {
    bool reachable[CC_NET_CJDNS + 1];
    struct cc_proxy proxy[CC_NET_CJDNS + 1];
    struct cc_proxy names; /* for hosts that are not numbers */
    bool lookup;           /* may look names up ourselves */
    bool cjdns;            /* fc00::/8 is CJDNS */
    bool onion_allowed;    /* -onlynet does not forbid it */
};

/* CC_INVALID with the sentence for the user. */
enum cc_status cc_reach_init(struct cc_reach *r, const struct cc_net_options *o,
                             struct cc_error *err);
/* "ipv4", "onion", ...; "tor" is refused as Bitcoin Core does; 0: none. */
unsigned cc_reach_network(const char *name);
bool cc_reach_can(const struct cc_reach *r, const struct cc_netaddr *a);
/* As cc_netaddr_parse, with fc00::/8 understood as options say. */
bool cc_reach_parse(const struct cc_reach *r, struct cc_netaddr *out,
                    const char *text, uint16_t default_port);
/* What a connection to a goes through (network 0: to a name), or NULL. Local
 * hosts are never reached through a proxy. */
const struct cc_proxy *cc_reach_proxy(const struct cc_reach *r,
                                      const struct cc_netaddr *a);
/* Where a node's name has no port: this one, but none with I2P. */
uint16_t cc_reach_default_port(const char *node, uint16_t port);
/* "127.0.0.1:9050", "[::1]:9050", "" for none. */
void cc_proxy_format(char out[272], const struct cc_proxy *p);

#endif
