/*
 * loop.h: one thread that owns sockets and timers; the only user of libevent.
 *
 * Everything here is called on the loop's own thread (that is: from one of its
 * callbacks), except cc_loop_post, which is how other threads get in, and
 * new / start / stop / free. No callback may wait for anything.
 */
#ifndef CC_NET_LOOP_H
#define CC_NET_LOOP_H

#include "net/netaddr.h"
#include "util/error.h"

struct cc_loop;
struct cc_timer;
struct cc_listener;
struct cc_stream;

enum cc_status cc_loop_new(struct cc_loop **out, struct cc_error *err);
enum cc_status cc_loop_start(struct cc_loop *l, struct cc_error *err);
/* Runs what was posted before, then ends the thread. */
void cc_loop_stop(struct cc_loop *l);
/* After stop; streams, timers and listeners are freed by their owners before
 * (they may be freed on the thread that called stop). */
void cc_loop_free(struct cc_loop *l);

/* Run fn on the loop's thread, in order of posting. Any thread. False: the
 * loop has stopped and fn will not run. */
bool cc_loop_post(struct cc_loop *l, void (*fn)(void *arg), void *arg);

/* One shot; set again from fn for a rhythm. */
struct cc_timer *cc_timer_new(struct cc_loop *l, void (*fn)(void *arg),
                              void *arg);
void cc_timer_set(struct cc_timer *t, int64_t ms);
void cc_timer_free(struct cc_timer *t);

/* accepted takes the descriptor. Any thread before the loop starts. */
enum cc_status cc_listener_new(struct cc_listener **out, struct cc_loop *l,
                               const struct cc_netaddr *addr,
                               void (*accepted)(void *arg, int fd,
                                                const struct cc_netaddr *peer),
                               void *arg, struct cc_error *err);
/* The port it got, where 0 was asked for. */
uint16_t cc_listener_port(const struct cc_listener *ls);
void cc_listener_free(struct cc_listener *ls);

/* Addresses of a name, port 0; none: it cannot be resolved. fn does not run
 * once the loop has stopped; arg is then freed with free(). */
void cc_loop_resolve(struct cc_loop *l, const char *name,
                     void (*fn)(void *arg, const struct cc_netaddr *addr,
                                size_t count),
                     void *arg);

/* A TCP connection. After closed was called, or cc_stream_free, no callback
 * comes. */
struct cc_stream_ops {
    void (*connected)(void *arg);
    void (*readable)(void *arg);
    void (*sent)(void *arg, size_t bytes); /* handed to the kernel */
    void (*closed)(void *arg, const char *why);
};

/* Not reading until cc_stream_resume. max_read bounds what is buffered. */
struct cc_stream *cc_stream_accept(struct cc_loop *l, int fd, size_t max_read,
                                   const struct cc_stream_ops *ops, void *arg);
/* host: number or name (looked up without blocking). */
struct cc_stream *cc_stream_connect(struct cc_loop *l, const char *host,
                                    uint16_t port, int64_t timeout_ms,
                                    size_t max_read,
                                    const struct cc_stream_ops *ops, void *arg);
void cc_stream_free(struct cc_stream *s);
void cc_stream_resume(struct cc_stream *s);
void cc_stream_pause(struct cc_stream *s);
size_t cc_stream_available(const struct cc_stream *s);
/* Copy as much as is available and fits, leaving it; returns how much. */
size_t cc_stream_look(const struct cc_stream *s, void *out, size_t size);
/* Copy len bytes that are available, leaving or taking them. */
void cc_stream_peek(const struct cc_stream *s, void *out, size_t len);
void cc_stream_read(struct cc_stream *s, void *out, size_t len);
void cc_stream_skip(struct cc_stream *s, size_t len);
/* Copies; the caller bounds what it writes. */
void cc_stream_write(struct cc_stream *s, const void *data, size_t len);
/* Both ends; false if unknown. */
bool cc_stream_local(const struct cc_stream *s, struct cc_netaddr *out);
bool cc_stream_remote(const struct cc_stream *s, struct cc_netaddr *out);

#endif
