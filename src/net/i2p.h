/*
 * i2p.h: a session with I2P's SAM bridge (sam.h), on the loop's thread.
 *
 * It is there while its socket is open; connections within it are sockets of
 * their own that name its id. With a key file our address stays the same;
 * without one it is another each time.
 */
#ifndef CC_NET_I2P_H
#define CC_NET_I2P_H

#include "net/loop.h"
#include "net/reach.h"
#include "util/log.h"

struct cc_i2p;

#define CC_I2P_WAIT_MS (3 * 60 * 1000) /* tunnels take their time */

struct cc_i2p_config {
    struct cc_loop *loop;
    struct cc_log *log;
    const struct cc_proxy *bridge;
    const char *key_path; /* made if it is not there; NULL: none */
    int64_t connect_timeout_ms;
    void (*ready)(void *arg);
    /* It could not be made, or is no more: it is to be freed. */
    void (*ended)(void *arg, const char *why);
    void *arg;
};

/* Calls nothing before it returns. */
struct cc_i2p *cc_i2p_new(const struct cc_i2p_config *config);
void cc_i2p_free(struct cc_i2p *s); /* NULL is fine */
const char *cc_i2p_id(const struct cc_i2p *s);
/* Once it is ready. */
const struct cc_netaddr *cc_i2p_self(const struct cc_i2p *s);

#endif
