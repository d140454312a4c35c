/*
 * torctl.h: the client's side of Tor's control port, as lines in and lines out.
 *
 * control-spec.txt of Tor: learn how to show that we may (PROTOCOLINFO), show
 * it (no proof, a password, or the cookie of Tor's folder, by SAFECOOKIE),
 * ask where Tor's own proxy is, and make an onion service (ADD_ONION), which
 * lives as long as the connection. Nothing here touches a socket or a file;
 * Tor's lines are bounded.
 */
#ifndef CC_NET_TORCTL_H
#define CC_NET_TORCTL_H

#include "net/netaddr.h"
#include "util/writer.h"

#define CC_TORCTL_PORT 9051
#define CC_TORCTL_MAX_LINE 4096
#define CC_TORCTL_COOKIE_SIZE 32

enum cc_torctl_state {
    CC_TORCTL_TALKING,
    CC_TORCTL_COOKIE, /* cc_torctl_cookie is due: what is in cookie_file */
    CC_TORCTL_DONE,   /* the service is there */
    CC_TORCTL_FAILED,
};

struct cc_torctl {
    enum cc_torctl_state state;
    int step;
    const char *password; /* of -torpassword; NULL or "": none */
    bool ask_socks;       /* where Tor's proxy is */
    uint16_t port;        /* that others connect to */
    char target[72];      /* where Tor hands on what comes there */
    char *key;  /* of the service, in Tor's letters; NULL: a new one */
    bool fresh; /* it was made now and must be kept */
    unsigned methods;
    char cookie_file[256];
    uint8_t cookie[CC_TORCTL_COOKIE_SIZE], nonce[32];
    char socks[72];            /* "127.0.0.1:9050" */
    struct cc_netaddr service; /* our address */
    char why[96];
};

/* The fields up to key are the caller's to set before; key is malloc'd and
 * goes with cc_torctl_clear. Appends to out what is to be sent first. */
void cc_torctl_start(struct cc_torctl *s, struct cc_writer *out);
/* As cc_sam_input: how much was used (0: more is needed, or nothing is to be
 * read now). */
size_t cc_torctl_input(struct cc_torctl *s, const uint8_t *data, size_t len,
                       struct cc_writer *out);
/* nonce: 32 random bytes. */
void cc_torctl_cookie(struct cc_torctl *s,
                      const uint8_t cookie[CC_TORCTL_COOKIE_SIZE],
                      const uint8_t nonce[32], struct cc_writer *out);
void cc_torctl_clear(struct cc_torctl *s);

#endif
