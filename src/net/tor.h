/*
 * tor.h: an onion service of ours, made over Tor's control port (torctl.h), on
 * the loop's thread.
 *
 * While Tor is not there it is tried again, ever less often. With the key file
 * our address stays the same.
 */
#ifndef CC_NET_TOR_H
#define CC_NET_TOR_H

#include "net/loop.h"
#include "net/reach.h"
#include "util/log.h"

struct cc_tor;

struct cc_tor_config {
    struct cc_loop *loop;
    struct cc_log *log;
    struct cc_proxy control; /* where */
    const char *password;    /* -torpassword; NULL or "": none */
    const char *key_path;    /* made if it is not there */
    bool ask_socks;
    uint16_t port;   /* that others connect to */
    char target[72]; /* where Tor hands on what comes there */
    int64_t connect_timeout_ms;
    /* It is there: our address, and where Tor's proxy is. */
    void (*ready)(void *arg, const struct cc_netaddr *service,
                  const char *socks);
    void (*gone)(void *arg); /* it is no more */
    void *arg;
};

/* Strings are borrowed. */
struct cc_tor *cc_tor_new(const struct cc_tor_config *config);
void cc_tor_free(struct cc_tor *t); /* NULL is fine; calls nothing */

#endif
