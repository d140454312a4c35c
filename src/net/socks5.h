/*
 * socks5.h: the client's side of SOCKS 5, as bytes in and bytes out.
 *
 * RFC 1928, command CONNECT with a name (the proxy looks it up, also where it
 * is a number in letters), and RFC 1929 for user name and password. Tor takes
 * whatever they are and gives each pair a circuit of its own. Nothing here
 * touches a socket; the answers of a proxy are bounded and nothing of them is
 * kept.
 */
#ifndef CC_NET_SOCKS5_H
#define CC_NET_SOCKS5_H

#include "util/writer.h"

#define CC_SOCKS5_MAX_ANSWER 262 /* the longest: a name of 255 as address */

enum cc_socks5_state {
    CC_SOCKS5_METHOD, /* what follows is awaited */
    CC_SOCKS5_AUTH,
    CC_SOCKS5_REPLY,
    CC_SOCKS5_DONE, /* from here on the bytes are the other end's */
    CC_SOCKS5_FAILED,
};

struct cc_socks5 {
    enum cc_socks5_state state;
    char host[256];
    uint16_t port;
    char user[64]; /* "": no credentials */
    char password[64];
    char why[64]; /* of CC_SOCKS5_FAILED */
};

/* host: at most 255 bytes. user and password: NULL for none. Appends to out
 * what is to be sent first. */
void cc_socks5_start(struct cc_socks5 *s, const char *host, uint16_t port,
                     const char *user, const char *password,
                     struct cc_writer *out);
/* Look at what came; returns how much of it was used (0: more is needed),
 * appends what is to be sent next. To be called again while it uses
 * something. */
size_t cc_socks5_input(struct cc_socks5 *s, const uint8_t *data, size_t len,
                       struct cc_writer *out);

#endif
