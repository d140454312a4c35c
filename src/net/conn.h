/*
 * conn.h: connections as two queues of messages.
 *
 * Between the loop's thread, which frames and checks what arrives, and the
 * validation thread, which takes one message after the other. A connection is
 * counted: one reference for each side, freed with the last.
 *
 * What is received and not yet taken is at most max_receive and one message;
 * beyond that the socket is not read. What is sent and not yet handed to the
 * kernel is for the sender to look at (cc_conn_backlog).
 */
#ifndef CC_NET_CONN_H
#define CC_NET_CONN_H

#include "net/loop.h"
#include "net/proto.h"
#include "net/reach.h"
#include "util/clock.h"
#include "util/log.h"

struct cc_conn;
struct cc_hub;

struct cc_conn_message {
    struct cc_conn_message *next;
    enum cc_msg_type type;
    char command[13];
    uint8_t *payload; /* malloc'd */
    size_t len;
    int64_t time_us;
};
void cc_conn_message_free(struct cc_conn_message *m);

struct cc_hub_config {
    struct cc_loop *loop;
    uint32_t magic;
    size_t max_receive;
    size_t send_mark; /* wake when a backlog falls below this */
    int64_t connect_timeout_ms;
    unsigned max_accepted; /* inbound connections that may exist at once */
    const char *capture;   /* folder of captured messages, or NULL */
    /* I2P's bridge, or NULL; and the file with our key there, NULL where each
     * connection has an address of its own and nobody can come to us. */
    const struct cc_proxy *i2p;
    const char *i2p_key;
    struct cc_clock *clock;
    struct cc_log *log;
    void (*wake)(void *arg); /* something to take; any thread */
    void *wake_arg;
};

struct cc_hub *cc_hub_new(const struct cc_hub_config *config);
/* Close every socket at once, on the loop's thread (posted). */
void cc_hub_shutdown(struct cc_hub *h);
/* Be there for who comes by I2P; any thread. */
void cc_hub_i2p_listen(struct cc_hub *h);
/* Our address there; false: not known yet. */
bool cc_hub_i2p_self(struct cc_hub *h, struct cc_netaddr *out);
/* All connections must be released; after cc_loop_stop. */
void cc_hub_free(struct cc_hub *h);

/* --- Of the validation thread --------------------------------------------- */

/* A connection that was made or accepted since the last call, or NULL. The
 * caller now holds a reference. */
struct cc_conn *cc_hub_next(struct cc_hub *h);
/* Start connecting; later it comes out of cc_hub_next, connected or closed.
 * What target points to is copied, the cookie is the caller's. */
struct cc_hub_target {
    const char *host; /* number or name */
    uint16_t port;
    struct cc_netaddr addr;       /* network 0: host is a name */
    const struct cc_proxy *proxy; /* or NULL */
    bool lookup;                  /* may look the name up */
};
void cc_hub_connect(struct cc_hub *h, const struct cc_hub_target *target,
                    void *cookie);
/* For cc_listener_new; arg is the hub (or a struct cc_hub_bind). */
struct cc_hub_bind {
    struct cc_hub *hub;
    unsigned permissions; /* of -whitebind */
    bool onion;           /* "=onion": what comes there came through Tor */
};
void cc_hub_accepted(void *arg, int fd, const struct cc_netaddr *peer);

int64_t cc_conn_id(const struct cc_conn *c);
void *cc_conn_cookie(const struct cc_conn *c);
bool cc_conn_inbound(const struct cc_conn *c);
unsigned cc_conn_permissions(const struct cc_conn *c);
bool cc_conn_onion(const struct cc_conn *c); /* accepted on an onion bind */
const struct cc_netaddr *cc_conn_remote(const struct cc_conn *c);
const struct cc_netaddr *cc_conn_local(const struct cc_conn *c);
/* Reading begins; until then nothing is taken from the socket. */
void cc_conn_start(struct cc_conn *c);
/* The next message, or NULL. */
struct cc_conn_message *cc_conn_next(struct cc_conn *c);
bool cc_conn_has_message(struct cc_conn *c);
/* Is the next message there, and of this type? */
bool cc_conn_next_is(struct cc_conn *c, enum cc_msg_type type);
void cc_conn_send(struct cc_conn *c, enum cc_msg_type type, const void *payload,
                  size_t len);
/* Any command, of at most 12 bytes, and any payload. */
void cc_conn_send_named(struct cc_conn *c, const char *command,
                        const void *payload, size_t len);
/* The name that captured messages go by. Before cc_conn_start. */
void cc_conn_set_name(struct cc_conn *c, const char *name);
/* Bytes sent that the kernel has not taken yet. */
size_t cc_conn_backlog(const struct cc_conn *c);
/* The other end is gone, or cc_conn_close was called. why (may be NULL) gets
 * the reason. */
bool cc_conn_closed(struct cc_conn *c, char why[96]);
/* Close, after what was sent has gone out, but in two seconds at most. */
void cc_conn_close(struct cc_conn *c);
void cc_conn_release(struct cc_conn *c);

struct cc_conn_stats {
    uint64_t sent, received;
    int64_t last_send, last_receive; /* seconds, the clock's */
    uint64_t sent_per_msg[CC_MSG_COUNT], recv_per_msg[CC_MSG_COUNT];
};
void cc_conn_stats(struct cc_conn *c, struct cc_conn_stats *out);
/* Over all connections there ever were. */
void cc_hub_totals(struct cc_hub *h, uint64_t *received, uint64_t *sent);

/* What was handed to peers since *since_s (0: nothing yet), at most a day ago
 * when the last of it went. */
#define CC_UPLOAD_FRAME_S (24 * 3600)
uint64_t cc_hub_upload(struct cc_hub *h, int64_t *since_s);

#endif
