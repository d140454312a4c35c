/*
 * conn_i.h: what the files behind conn.h share. Private to them.
 */
#ifndef CC_NET_CONN_I_H
#define CC_NET_CONN_I_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/conn.h"
#include "net/i2p.h"
#include "net/sam.h"

struct cc_conn {
    struct cc_hub *hub;
    atomic_int refs; /* the loop's, the validation thread's, posted closures */
    _Atomic int64_t id;
    void *cookie;
    bool inbound;
    unsigned permissions;
    bool onion;
    struct cc_netaddr remote, local; /* set before the conn is handed out */
    char *name;                      /* the validation thread's */
    struct cc_conn *fresh_next;      /* under the hub's lock */

    /* the loop's thread */
    struct cc_conn *next, *prev; /* of all with a stream */
    struct cc_stream *stream;
    struct cc_timer *linger; /* or of the talk with the proxy */
    char *host;
    uint16_t port;
    bool lookup;
    struct cc_netaddr target;
    struct cc_proxy proxy;
    struct cc_socks5 *socks; /* while the proxy is talked to */
    struct cc_sam *sam;      /* while I2P's bridge is talked to */
    struct cc_i2p *i2p;      /* a session of its own */
    bool i2p_waits;          /* for the hub's session */
    bool listening;          /* within it, for whoever comes; not handed out */
    size_t counted;          /* bytes waiting in the stream that are counted */
    bool handed_out;

    atomic_size_t backlog;

    pthread_mutex_t lock; /* of the rest */
    struct cc_conn_message *first, **last;
    size_t inbox_bytes;
    bool started, paused, flushing, closing, closed;
    char why[96];
    struct cc_writer out;
    struct cc_conn_stats stats;
};

struct cc_hub {
    struct cc_hub_config config;
    struct cc_conn *all; /* the loop's thread */
    unsigned accepted;   /* the loop's thread */
    bool down;           /* the loop's thread */
    struct cc_i2p *i2p;  /* the loop's thread, as what follows */
    bool i2p_ready, i2p_asked;
    struct cc_conn *i2p_listener;
    struct cc_timer *i2p_timer;
    int64_t i2p_pause_ms;
    pthread_mutex_t lock; /* of the rest */
    struct cc_conn *fresh, **fresh_last;
    int64_t next_id;
    uint64_t received, sent;
    uint64_t upload; /* since upload_since */
    int64_t upload_since;
    struct cc_netaddr i2p_self; /* network 0: not known */
};

/* conn.c, on the loop's thread */
#define CC_CONN_MAX_READ (CC_MAX_PAYLOAD + 2 * CC_FRAME_SIZE)
extern const struct cc_stream_ops cc_conn_ops;
struct cc_conn *cc_conn_new(struct cc_hub *h, bool inbound);
/* Among those the hub closes when it is shut down. */
void cc_conn_link(struct cc_conn *c);
/* Give the connection, open or failed, to the validation thread. */
void cc_conn_hand_out(struct cc_conn *c, bool open);
/* The end of the loop's interest in a connection. */
void cc_conn_finish(struct cc_conn *c, const char *why);

/* conn_i2p.c, on the loop's thread */
void cc_conn_i2p_connect(struct cc_conn *c);
/* The bridge is there, or has said something. */
void cc_conn_i2p_begin(struct cc_conn *c);
void cc_conn_i2p_input(struct cc_conn *c);
/* From cc_conn_finish. */
void cc_conn_i2p_gone(struct cc_conn *c, const char *why);
void cc_conn_i2p_down(struct cc_hub *h);

#endif
