/*
 * netaddr.h: addresses of peers, as bytes and as text.
 *
 * Plain values. Network numbers and lengths are BIP 155's; IPv4 is always
 * held as four bytes, never mapped into IPv6. Nothing here looks names up.
 * Onion services of version 3 are written as Tor's rend-spec-v3 section 6 has
 * it, I2P destinations as 52 letters and ".b32.i2p".
 */
#ifndef CC_NET_NETADDR_H
#define CC_NET_NETADDR_H

#include <sys/socket.h>

#include "util/bytes.h"

enum cc_network {
    CC_NET_IPV4 = 1,
    CC_NET_IPV6 = 2,
    CC_NET_TORV3 = 4,
    CC_NET_I2P = 5,
    CC_NET_CJDNS = 6,
};

struct cc_netaddr {
    uint8_t network; /* 0: none */
    uint8_t len;     /* 4, 16 or 32 */
    uint8_t bytes[32];
    uint16_t port;
};

/* Length BIP 155 fixes for a network, 0 for one we do not know. */
size_t cc_network_addr_len(unsigned network);
/* "ipv4", "ipv6", "onion", "i2p", "cjdns", "not_publicly_routable". */
const char *cc_network_name(unsigned network);
/* As getpeerinfo names it: local ones are "not_publicly_routable". */
const char *cc_netaddr_network_name(const struct cc_netaddr *a);

/* "1.2.3.4", "1.2.3.4:5", "::1", "[::1]:5", "....onion:5", "....b32.i2p"; the
 * port becomes default_port if there is none. False: no address, or a name
 * that must be looked up. */
bool cc_netaddr_parse(struct cc_netaddr *out, const char *text,
                      uint16_t default_port);
/* Split "host:port", "[v6]:port" or "host" without looking at what host is;
 * host keeps no brackets. False: port is no number of 0..65535, or host does
 * not fit. *port is untouched if there is none. */
bool cc_host_split(const char *text, char *host, size_t room, uint16_t *port);
/* Without port; with it, "1.2.3.4:5" or "[::1]:5". */
void cc_netaddr_format(char out[72], const struct cc_netaddr *a);
void cc_netaddr_format_port(char out[72], const struct cc_netaddr *a);

bool cc_netaddr_from_sockaddr(struct cc_netaddr *out,
                              const struct sockaddr *sa);
/* False for what is no IP. */
bool cc_netaddr_to_sockaddr(const struct cc_netaddr *a,
                            struct sockaddr_storage *out, socklen_t *len);
/* 16 bytes of the old address format; false for what has no such form. */
bool cc_netaddr_to_v1(const struct cc_netaddr *a, uint8_t out[16]);
bool cc_netaddr_from_v1(struct cc_netaddr *out, const uint8_t in[16],
                        uint16_t port);

bool cc_netaddr_equal(const struct cc_netaddr *a, const struct cc_netaddr *b);
bool cc_netaddr_same_host(const struct cc_netaddr *a,
                          const struct cc_netaddr *b);
bool cc_netaddr_is_local(const struct cc_netaddr *a); /* 127/8, ::1 */
/* fc00::/8 is CJDNS for who has an interface of it, a private net else. */
void cc_netaddr_flip_cjdns(struct cc_netaddr *a);
/* Could be reached over the public Internet. */
bool cc_netaddr_is_routable(const struct cc_netaddr *a);
/* Who is likely under one owner: /16 of IPv4, /32 of IPv6, else 4 bits of
 * the key. Returns the length. */
size_t cc_netaddr_group(const struct cc_netaddr *a, uint8_t out[8]);

struct cc_subnet {
    struct cc_netaddr base; /* port 0, host bits zero */
    uint16_t bits;          /* all of them where a net has no subnets */
};

/* "10.0.0.0/8", "10.0.0.0/255.0.0.0", "::1", "1.2.3.4", "....onion" (all
 * bits). */
bool cc_subnet_parse(struct cc_subnet *out, const char *text);
void cc_subnet_format(char out[72], const struct cc_subnet *s);
bool cc_subnet_has(const struct cc_subnet *s, const struct cc_netaddr *a);
bool cc_subnet_equal(const struct cc_subnet *a, const struct cc_subnet *b);

#endif
