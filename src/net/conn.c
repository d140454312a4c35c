#include "net/conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "net/capture.h"
#include "net/conn_i.h"
#include "net/socks5.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

#define LINGER_MS 2000
#define PROXY_MS 20000 /* for all that a proxy has to say */

void cc_conn_message_free(struct cc_conn_message *m)
{
    if (!m)
        return;
    free(m->payload);
    free(m);
}

struct cc_hub *cc_hub_new(const struct cc_hub_config *config)
{
    struct cc_hub *h = cc_calloc(1, sizeof(*h));

    h->config = *config;
    h->fresh_last = &h->fresh;
    pthread_mutex_init(&h->lock, NULL);
    return h;
}

struct cc_conn *cc_conn_new(struct cc_hub *h, bool inbound)
{
    struct cc_conn *c = cc_calloc(1, sizeof(*c));

    c->hub = h;
    atomic_init(&c->refs, 2);
    atomic_init(&c->id, -1);
    atomic_init(&c->backlog, 0);
    c->inbound = inbound;
    pthread_mutex_init(&c->lock, NULL);
    c->last = &c->first;
    cc_writer_init_heap(&c->out);
    return c;
}

void cc_conn_release(struct cc_conn *c)
{
    struct cc_conn_message *m, *next;

    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    for (m = c->first; m; m = next) {
        next = m->next;
        cc_conn_message_free(m);
    }
    cc_writer_clear(&c->out);
    free(c->host);
    free(c->name);
    free(c->socks);
    free(c->sam);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void wake(struct cc_hub *h) { h->config.wake(h->config.wake_arg); }

static int64_t now_s(const struct cc_hub *h)
{
    return cc_clock_now(h->config.clock);
}

/* Run fn(c) on the loop's thread with a reference of its own. */
static void post(struct cc_conn *c, void (*fn)(void *arg))
{
    atomic_fetch_add(&c->refs, 1);
    if (!cc_loop_post(c->hub->config.loop, fn, c))
        cc_conn_release(c);
}

/* --- The loop's side ------------------------------------------------------ */

/* Give the connection, open or failed, to the validation thread. */
void cc_conn_hand_out(struct cc_conn *c, bool open)
{
    struct cc_hub *h = c->hub;

    if (c->handed_out)
        return;
    c->handed_out = true;
    pthread_mutex_lock(&h->lock);
    if (open)
        atomic_store(&c->id, h->next_id++);
    *h->fresh_last = c;
    h->fresh_last = &c->fresh_next;
    pthread_mutex_unlock(&h->lock);
    wake(h);
}

/* The end of the loop's interest in a connection. */
void cc_conn_finish(struct cc_conn *c, const char *why)
{
    struct cc_hub *h = c->hub;

    pthread_mutex_lock(&c->lock);
    if (!c->closed)
        snprintf(c->why, sizeof(c->why), "%s", why);
    c->closed = true;
    pthread_mutex_unlock(&c->lock);
    cc_conn_i2p_gone(c, why);
    if (c->listening)
        cc_conn_release(c); /* nobody else has heard of it */
    else
        cc_conn_hand_out(c, false);
    if (c->prev)
        c->prev->next = c->next;
    else
        h->all = c->next;
    if (c->next)
        c->next->prev = c->prev;
    if (c->inbound)
        h->accepted--;
    cc_timer_free(c->linger);
    c->linger = NULL;
    cc_stream_free(c->stream);
    c->stream = NULL;
    wake(h);
    cc_conn_release(c);
}

static void on_closed(void *arg, const char *why) { cc_conn_finish(arg, why); }

/* --- Through a proxy ------------------------------------------------------ */

static void on_proxy_silent(void *arg)
{
    cc_conn_finish(arg, "the proxy does not answer");
}

static void socks_write(struct cc_conn *c, struct cc_writer *w)
{
    if (w->len)
        cc_stream_write(c->stream, w->data, w->len);
    cc_writer_clear(w);
}

/* With random credentials the connection shares its way with no other. */
static void start_socks(struct cc_conn *c)
{
    char user[17], password[17];
    uint8_t raw[16];
    struct cc_writer w;

    cc_random_bytes(raw, sizeof(raw));
    cc_hex_encode(user, raw, 8);
    cc_hex_encode(password, raw + 8, 8);
    c->socks = cc_calloc(1, sizeof(*c->socks));
    cc_writer_init_heap(&w);
    cc_socks5_start(c->socks, c->host, c->port,
                    c->proxy.randomize ? user : NULL, password, &w);
    c->linger = cc_timer_new(c->hub->config.loop, on_proxy_silent, c);
    cc_timer_set(c->linger, PROXY_MS);
    cc_stream_resume(c->stream);
    socks_write(c, &w);
}

static void drive_socks(struct cc_conn *c)
{
    uint8_t buf[CC_SOCKS5_MAX_ANSWER];
    char why[sizeof(c->socks->why)];
    struct cc_writer w;
    size_t len, used;

    cc_writer_init_heap(&w);
    do {
        len = cc_stream_look(c->stream, buf, sizeof(buf));
        used = cc_socks5_input(c->socks, buf, len, &w);
        cc_stream_skip(c->stream, used);
    } while (used);
    socks_write(c, &w);
    if (c->socks->state == CC_SOCKS5_FAILED) {
        memcpy(why, c->socks->why, sizeof(why));
        cc_conn_finish(c, why);
    } else if (c->socks->state == CC_SOCKS5_DONE) {
        free(c->socks);
        c->socks = NULL;
        cc_timer_free(c->linger);
        c->linger = NULL;
        cc_stream_pause(c->stream);
        cc_conn_hand_out(c, true);
    }
}

static void on_connected(void *arg)
{
    struct cc_conn *c = arg;

    cc_stream_local(c->stream, &c->local);
    if (c->sam) {
        cc_conn_i2p_begin(c);
        return;
    }
    if (c->proxy.host[0] || c->target.network)
        c->remote = c->target;
    else
        cc_stream_remote(c->stream, &c->remote);
    if (c->proxy.host[0])
        start_socks(c);
    else
        cc_conn_hand_out(c, true);
}

static void on_linger(void *arg) { cc_conn_finish(arg, "closed by us"); }

static void on_sent(void *arg, size_t bytes)
{
    struct cc_conn *c = arg;
    struct cc_hub *h = c->hub;
    size_t before;
    bool closing;

    if (c->socks || c->sam)
        return; /* the proxy's, not a peer's */
    before = atomic_fetch_sub(&c->backlog, bytes);
    pthread_mutex_lock(&c->lock);
    c->stats.sent += bytes;
    c->stats.last_send = now_s(h);
    closing = c->closing;
    pthread_mutex_unlock(&c->lock);
    pthread_mutex_lock(&h->lock);
    h->sent += bytes;
    pthread_mutex_unlock(&h->lock);
    if (closing && before == bytes && c->linger)
        cc_timer_set(c->linger, 0); /* not from inside libevent's writing */
    if (before >= h->config.send_mark && before - bytes < h->config.send_mark)
        wake(h);
}

static void count_received(struct cc_conn *c)
{
    size_t avail = cc_stream_available(c->stream);
    size_t fresh = avail - c->counted;

    c->counted = avail;
    if (!fresh)
        return;
    pthread_mutex_lock(&c->lock);
    c->stats.received += fresh;
    c->stats.last_receive = now_s(c->hub);
    pthread_mutex_unlock(&c->lock);
    pthread_mutex_lock(&c->hub->lock);
    c->hub->received += fresh;
    pthread_mutex_unlock(&c->hub->lock);
}

static void take(struct cc_conn *c, void *out, size_t len)
{
    cc_stream_read(c->stream, out, len);
    c->counted -= len;
}

/* False: the connection is finished. */
static bool frame_ok(struct cc_conn *c, const struct cc_frame *f,
                     const uint8_t raw[CC_FRAME_SIZE])
{
    struct cc_log *log = c->hub->config.log;
    char hex[9];

    if (f->magic != c->hub->config.magic) {
        cc_hex_encode(hex, raw, 4);
        cc_debug(log, CC_LOG_NET,
                 "Header error: Wrong MessageStart %s received, peer=%" PRId64,
                 hex, cc_conn_id(c));
    } else if (f->length > CC_MAX_PAYLOAD) {
        cc_debug(log, CC_LOG_NET,
                 "Header error: Size too large (%s, %" PRIu32
                 " bytes), peer=%" PRId64,
                 f->shown, f->length, cc_conn_id(c));
    } else {
        return true;
    }
    cc_conn_finish(c, "bad message header");
    return false;
}

/* Log what is wrong with a message that is skipped; true if nothing is. */
static bool message_ok(struct cc_conn *c, const struct cc_frame *f,
                       const uint8_t *payload)
{
    struct cc_log *log = c->hub->config.log;
    char is[9], was[9];
    uint8_t hash[32];

    cc_hash256(hash, payload, f->length);
    if (memcmp(hash, f->checksum, 4)) {
        cc_hex_encode(is, hash, 4);
        cc_hex_encode(was, f->checksum, 4);
        cc_debug(log, CC_LOG_NET,
                 "Header error: Wrong checksum (%s, %" PRIu32
                 " bytes), expected %s was %s, peer=%" PRId64,
                 f->shown, f->length, is, was, cc_conn_id(c));
        return false;
    }
    if (!f->command[0]) {
        cc_debug(log, CC_LOG_NET,
                 "Header error: Invalid message type (%s, %" PRIu32
                 " bytes), peer=%" PRId64,
                 f->shown, f->length, cc_conn_id(c));
        return false;
    }
    return true;
}

/* Into the inbox; true if the inbox is full now. */
static bool deliver(struct cc_conn *c, const struct cc_frame *f,
                    uint8_t *payload)
{
    struct cc_conn_message *m = cc_calloc(1, sizeof(*m));
    bool full;

    m->type = cc_msg_find(f->command);
    memcpy(m->command, f->command, sizeof(m->command));
    m->payload = payload;
    m->len = f->length;
    m->time_us = cc_clock_now_us(c->hub->config.clock);
    pthread_mutex_lock(&c->lock);
    c->stats.recv_per_msg[m->type] += CC_FRAME_SIZE + m->len;
    *c->last = m;
    c->last = &m->next;
    c->inbox_bytes += sizeof(*m) + m->len;
    full = c->inbox_bytes > c->hub->config.max_receive;
    if (full)
        c->paused = true;
    pthread_mutex_unlock(&c->lock);
    return full;
}

static void count_skipped(struct cc_conn *c, size_t bytes)
{
    pthread_mutex_lock(&c->lock);
    c->stats.recv_per_msg[CC_MSG_OTHER] += bytes;
    pthread_mutex_unlock(&c->lock);
}

static void on_readable(void *arg)
{
    struct cc_conn *c = arg;
    uint8_t raw[CC_FRAME_SIZE], *payload;
    struct cc_frame f;
    bool stop, any = false;

    if (c->socks) {
        drive_socks(c);
        return;
    }
    if (c->sam) {
        cc_conn_i2p_input(c);
        return;
    }
    pthread_mutex_lock(&c->lock);
    stop = c->paused || c->closing;
    pthread_mutex_unlock(&c->lock);
    count_received(c);
    while (!stop && cc_stream_available(c->stream) >= CC_FRAME_SIZE) {
        cc_stream_peek(c->stream, raw, CC_FRAME_SIZE);
        cc_frame_decode(&f, raw);
        if (!frame_ok(c, &f, raw))
            return;
        if (cc_stream_available(c->stream) - CC_FRAME_SIZE < f.length)
            break;
        take(c, raw, CC_FRAME_SIZE);
        payload = cc_malloc(f.length ? f.length : 1);
        take(c, payload, f.length);
        if (!message_ok(c, &f, payload)) {
            count_skipped(c, CC_FRAME_SIZE + f.length);
            free(payload);
            continue;
        }
        stop = deliver(c, &f, payload);
        any = true;
    }
    if (stop)
        cc_stream_pause(c->stream);
    if (any)
        wake(c->hub);
}

const struct cc_stream_ops cc_conn_ops = {
    .connected = on_connected,
    .readable = on_readable,
    .sent = on_sent,
    .closed = on_closed,
};

void cc_conn_link(struct cc_conn *c)
{
    struct cc_hub *h = c->hub;

    c->next = h->all;
    if (h->all)
        h->all->prev = c;
    h->all = c;
}

void cc_hub_accepted(void *arg, int fd, const struct cc_netaddr *peer)
{
    struct cc_hub_bind *b = arg;
    struct cc_hub *h = b->hub;
    struct cc_conn *c;
    char text[72];

    if (h->down || h->accepted >= h->config.max_accepted) {
        cc_netaddr_format_port(text, peer);
        cc_debug(h->config.log, CC_LOG_NET,
                 "connection from %s dropped: no room for more", text);
        close(fd);
        return;
    }
    c = cc_conn_new(h, true);
    c->permissions = b->permissions;
    c->onion = b->onion;
    c->remote = *peer;
    h->accepted++;
    cc_conn_link(c);
    c->stream =
        cc_stream_accept(h->config.loop, fd, CC_CONN_MAX_READ, &cc_conn_ops, c);
    cc_stream_local(c->stream, &c->local);
    cc_conn_hand_out(c, true);
}

/* Why it cannot even be tried, or NULL. */
static const char *no_way(const struct cc_conn *c)
{
    struct sockaddr_storage ss;
    socklen_t len;

    if (c->hub->down)
        return "shutting down";
    if (c->proxy.host[0])
        return NULL;
    if (!c->target.network)
        return c->lookup ? NULL : "names are not looked up (-dns=0)";
    return cc_netaddr_to_sockaddr(&c->target, &ss, &len)
               ? NULL
               : "its network needs a proxy";
}

static void do_connect(void *arg)
{
    struct cc_conn *c = arg;
    struct cc_hub *h = c->hub;
    bool proxied = c->proxy.host[0] != '\0';
    const char *why = no_way(c);

    cc_conn_link(c);
    if (!why && c->target.network == CC_NET_I2P) {
        cc_conn_i2p_connect(c);
        cc_conn_release(c);
        return;
    }
    if (!why)
        c->stream = cc_stream_connect(
            h->config.loop, proxied ? c->proxy.host : c->host,
            proxied ? c->proxy.port : c->port, h->config.connect_timeout_ms,
            CC_CONN_MAX_READ, &cc_conn_ops, c);
    if (!c->stream)
        cc_conn_finish(c, why ? why : "cannot connect");
    cc_conn_release(c);
}

void cc_hub_connect(struct cc_hub *h, const struct cc_hub_target *target,
                    void *cookie)
{
    struct cc_conn *c = cc_conn_new(h, false);

    c->cookie = cookie;
    c->host = cc_strdup(target->host);
    c->port = target->port;
    c->lookup = target->lookup;
    c->target = target->addr;
    if (target->proxy)
        c->proxy = *target->proxy;
    post(c, do_connect);
}

static void do_flush(void *arg)
{
    struct cc_conn *c = arg;
    uint8_t *data;
    size_t len;

    pthread_mutex_lock(&c->lock);
    data = cc_writer_take(&c->out, &len);
    c->flushing = false;
    pthread_mutex_unlock(&c->lock);
    if (c->stream)
        cc_stream_write(c->stream, data, len);
    free(data);
    cc_conn_release(c);
}

static void do_resume(void *arg)
{
    struct cc_conn *c = arg;
    bool go;

    pthread_mutex_lock(&c->lock);
    go = c->started && !c->paused && !c->closing;
    pthread_mutex_unlock(&c->lock);
    if (go && c->stream) {
        cc_stream_resume(c->stream);
        on_readable(c); /* what is buffered raises no event */
    }
    cc_conn_release(c);
}

static void do_close(void *arg)
{
    struct cc_conn *c = arg;

    if (c->stream && !c->linger) {
        cc_stream_pause(c->stream);
        if (atomic_load(&c->backlog)) {
            c->linger = cc_timer_new(c->hub->config.loop, on_linger, c);
            cc_timer_set(c->linger, LINGER_MS);
        } else {
            cc_conn_finish(c, "closed by us");
        }
    }
    cc_conn_release(c);
}

static void do_shutdown(void *arg)
{
    struct cc_hub *h = arg;

    h->down = true;
    cc_conn_i2p_down(h);
    while (h->all)
        cc_conn_finish(h->all, "shutting down");
}

void cc_hub_shutdown(struct cc_hub *h)
{
    cc_loop_post(h->config.loop, do_shutdown, h);
}

void cc_hub_free(struct cc_hub *h)
{
    struct cc_conn *c;

    if (!h)
        return;
    while ((c = cc_hub_next(h)))
        cc_conn_release(c);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* --- The validation thread's side ----------------------------------------- */

struct cc_conn *cc_hub_next(struct cc_hub *h)
{
    struct cc_conn *c;

    pthread_mutex_lock(&h->lock);
    c = h->fresh;
    if (c) {
        h->fresh = c->fresh_next;
        c->fresh_next = NULL;
        if (!h->fresh)
            h->fresh_last = &h->fresh;
    }
    pthread_mutex_unlock(&h->lock);
    return c;
}

int64_t cc_conn_id(const struct cc_conn *c) { return atomic_load(&c->id); }

void *cc_conn_cookie(const struct cc_conn *c) { return c->cookie; }

bool cc_conn_inbound(const struct cc_conn *c) { return c->inbound; }

unsigned cc_conn_permissions(const struct cc_conn *c) { return c->permissions; }

bool cc_conn_onion(const struct cc_conn *c) { return c->onion; }

void cc_conn_set_name(struct cc_conn *c, const char *name)
{
    free(c->name);
    c->name = cc_strdup(name);
}

static void capture(struct cc_conn *c, bool incoming, int64_t time_us,
                    const char *command, const void *payload, size_t len)
{
    const struct cc_hub_config *config = &c->hub->config;

    if (config->capture && c->name &&
        !cc_capture_message(config->capture, c->name, incoming, time_us,
                            command, payload, len))
        cc_log(config->log, "Cannot capture a message of peer=%" PRId64,
               cc_conn_id(c));
}

const struct cc_netaddr *cc_conn_remote(const struct cc_conn *c)
{
    return &c->remote;
}

const struct cc_netaddr *cc_conn_local(const struct cc_conn *c)
{
    return &c->local;
}

void cc_conn_start(struct cc_conn *c)
{
    pthread_mutex_lock(&c->lock);
    c->started = true;
    pthread_mutex_unlock(&c->lock);
    post(c, do_resume);
}

struct cc_conn_message *cc_conn_next(struct cc_conn *c)
{
    struct cc_conn_message *m;
    bool resume = false;

    pthread_mutex_lock(&c->lock);
    m = c->first;
    if (m) {
        c->first = m->next;
        if (!c->first)
            c->last = &c->first;
        m->next = NULL;
        c->inbox_bytes -= sizeof(*m) + m->len;
        if (c->paused && c->inbox_bytes <= c->hub->config.max_receive) {
            c->paused = false;
            resume = true;
        }
    }
    pthread_mutex_unlock(&c->lock);
    if (resume)
        post(c, do_resume);
    if (m)
        capture(c, true, m->time_us, m->command, m->payload, m->len);
    return m;
}

bool cc_conn_has_message(struct cc_conn *c)
{
    bool has;

    pthread_mutex_lock(&c->lock);
    has = c->first != NULL;
    pthread_mutex_unlock(&c->lock);
    return has;
}

bool cc_conn_next_is(struct cc_conn *c, enum cc_msg_type type)
{
    bool is;

    pthread_mutex_lock(&c->lock);
    is = c->first && c->first->type == type;
    pthread_mutex_unlock(&c->lock);
    return is;
}

static void count_upload(struct cc_hub *h, size_t bytes)
{
    int64_t now = now_s(h);

    pthread_mutex_lock(&h->lock);
    if (h->upload_since + CC_UPLOAD_FRAME_S < now) {
        h->upload_since = now;
        h->upload = 0;
    }
    h->upload += bytes;
    pthread_mutex_unlock(&h->lock);
}

static void send_message(struct cc_conn *c, enum cc_msg_type type,
                         const char *command, const void *payload, size_t len)
{
    bool flush = false;

    cc_debug(c->hub->config.log, CC_LOG_NET,
             "sending %s (%zu bytes) peer=%" PRId64, command, len,
             cc_conn_id(c));
    capture(c, false, cc_clock_now_us(c->hub->config.clock), command, payload,
            len);
    pthread_mutex_lock(&c->lock);
    if (!c->closed && !c->closing) {
        cc_frame_write(&c->out, c->hub->config.magic, command, payload, len);
        c->stats.sent_per_msg[type] += CC_FRAME_SIZE + len;
        atomic_fetch_add(&c->backlog, CC_FRAME_SIZE + len);
        flush = !c->flushing;
        c->flushing = true;
    }
    pthread_mutex_unlock(&c->lock);
    count_upload(c->hub, CC_FRAME_SIZE + len);
    if (flush)
        post(c, do_flush);
}

void cc_conn_send(struct cc_conn *c, enum cc_msg_type type, const void *payload,
                  size_t len)
{
    send_message(c, type, cc_msg_name(type), payload, len);
}

void cc_conn_send_named(struct cc_conn *c, const char *command,
                        const void *payload, size_t len)
{
    send_message(c, cc_msg_find(command), command, payload, len);
}

size_t cc_conn_backlog(const struct cc_conn *c)
{
    return atomic_load(&c->backlog);
}

bool cc_conn_closed(struct cc_conn *c, char why[96])
{
    bool closed;

    pthread_mutex_lock(&c->lock);
    closed = c->closed;
    if (closed && why)
        memcpy(why, c->why, sizeof(c->why));
    pthread_mutex_unlock(&c->lock);
    return closed;
}

void cc_conn_close(struct cc_conn *c)
{
    bool first;

    pthread_mutex_lock(&c->lock);
    first = !c->closing && !c->closed;
    c->closing = true;
    pthread_mutex_unlock(&c->lock);
    if (first)
        post(c, do_close);
}

void cc_conn_stats(struct cc_conn *c, struct cc_conn_stats *out)
{
    pthread_mutex_lock(&c->lock);
    *out = c->stats;
    pthread_mutex_unlock(&c->lock);
}

void cc_hub_totals(struct cc_hub *h, uint64_t *received, uint64_t *sent)
{
    pthread_mutex_lock(&h->lock);
    *received = h->received;
    *sent = h->sent;
    pthread_mutex_unlock(&h->lock);
}

uint64_t cc_hub_upload(struct cc_hub *h, int64_t *since_s)
{
    uint64_t n;

    pthread_mutex_lock(&h->lock);
    n = h->upload;
    *since_s = h->upload_since;
    pthread_mutex_unlock(&h->lock);
    return n;
}
