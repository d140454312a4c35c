/*
 * Connections by I2P. Where we can be reached there is one session for all, in
 * which somebody always waits for the next who comes; else each connection we
 * make has one of its own, so that no two have the same address.
 */
#include <stdio.h>
#include <stdlib.h>

#include "net/conn_i.h"
#include "util/mem.h"

#define PAUSE_FIRST_MS 1000 /* after a failure; twice as long each time */
#define PAUSE_LAST_MS (5 * 60 * 1000)
#define LISTEN_AGAIN_MS 1000

/* --- One connection ------------------------------------------------------- */

static void talk(struct cc_conn *c, enum cc_sam_goal goal, const char *id)
{
    const struct cc_hub_config *config = &c->hub->config;

    c->i2p_waits = false;
    c->sam = cc_calloc(1, sizeof(*c->sam));
    c->sam->goal = goal;
    memcpy(c->sam->id, id, CC_SAM_ID_SIZE);
    if (goal == CC_SAM_CONNECT)
        snprintf(c->sam->host, sizeof(c->sam->host), "%.71s", c->host);
    c->stream = cc_stream_connect(config->loop, config->i2p->host,
                                  config->i2p->port, config->connect_timeout_ms,
                                  CC_CONN_MAX_READ, &cc_conn_ops, c);
    if (!c->stream)
        cc_conn_finish(c, "cannot connect to the SAM proxy");
}

static void on_silent(void *arg)
{
    cc_conn_finish(arg, "the SAM proxy does not answer");
}

void cc_conn_i2p_begin(struct cc_conn *c)
{
    struct cc_writer w;

    if (!c->listening) {
        c->linger = cc_timer_new(c->hub->config.loop, on_silent, c);
        cc_timer_set(c->linger, CC_I2P_WAIT_MS);
    }
    cc_writer_init_heap(&w);
    cc_sam_start(c->sam, c->sam->goal, c->sam->id, &w);
    cc_stream_resume(c->stream);
    cc_stream_write(c->stream, w.data, w.len);
    cc_writer_clear(&w);
}

static void own_ready(void *arg)
{
    struct cc_conn *c = arg;

    talk(c, CC_SAM_CONNECT, cc_i2p_id(c->i2p));
}

static void own_ended(void *arg, const char *why) { cc_conn_finish(arg, why); }

static const struct cc_i2p_config *session_config(struct cc_hub *h,
                                                  struct cc_i2p_config *out)
{
    memset(out, 0, sizeof(*out));
    out->loop = h->config.loop;
    out->log = h->config.log;
    out->bridge = h->config.i2p;
    out->connect_timeout_ms = h->config.connect_timeout_ms;
    return out;
}

static void listen_next(struct cc_hub *h);

/* The talk is over and the peer's bytes follow. */
static void arrived(struct cc_conn *c)
{
    struct cc_hub *h = c->hub;

    c->remote = c->listening ? c->sam->who : c->target;
    /* The session of all may have ended meanwhile. */
    c->local = c->i2p ? *cc_i2p_self(c->i2p) : h->i2p_self;
    free(c->sam);
    c->sam = NULL;
    cc_timer_free(c->linger);
    c->linger = NULL;
    cc_stream_pause(c->stream);
    if (!c->listening) {
        cc_conn_hand_out(c, true);
        return;
    }
    h->i2p_listener = NULL;
    if (h->accepted >= h->config.max_accepted) {
        cc_conn_finish(c, "no room for more");
    } else {
        c->listening = false;
        c->inbound = true;
        h->accepted++;
        cc_conn_hand_out(c, true);
    }
    listen_next(h);
}

void cc_conn_i2p_input(struct cc_conn *c)
{
    uint8_t buf[CC_SAM_MAX_LINE];
    char why[sizeof(c->sam->why)];
    struct cc_writer w;
    size_t len, used;

    cc_writer_init_heap(&w);
    do {
        len = cc_stream_look(c->stream, buf, sizeof(buf));
        used = cc_sam_input(c->sam, buf, len, &w);
        cc_stream_skip(c->stream, used);
    } while (used && c->sam->state == CC_SAM_TALKING);
    if (w.len)
        cc_stream_write(c->stream, w.data, w.len);
    cc_writer_clear(&w);
    if (c->sam->state == CC_SAM_DONE) {
        arrived(c);
    } else if (c->sam->state == CC_SAM_FAILED) {
        memcpy(why, c->sam->why, sizeof(why));
        cc_conn_finish(c, why);
    }
}

void cc_conn_i2p_gone(struct cc_conn *c, const char *why)
{
    struct cc_hub *h = c->hub;
    char text[72];

    if (c->target.network == CC_NET_I2P && !c->handed_out) {
        cc_netaddr_format_port(text, &c->target);
        cc_debug(h->config.log, CC_LOG_I2P, "Error connecting to %s: %s", text,
                 why);
    }
    cc_i2p_free(c->i2p);
    c->i2p = NULL;
    c->i2p_waits = false;
    if (h->i2p_listener == c) {
        h->i2p_listener = NULL;
        if (!h->down)
            cc_timer_set(h->i2p_timer, LISTEN_AGAIN_MS);
    }
}

/* --- The session of all --------------------------------------------------- */

static void listen_next(struct cc_hub *h)
{
    struct cc_conn *c;

    if (h->i2p_listener || !h->i2p_ready || h->down)
        return;
    c = cc_conn_new(h, false);
    c->listening = true;
    h->i2p_listener = c;
    cc_conn_link(c);
    talk(c, CC_SAM_ACCEPT, cc_i2p_id(h->i2p));
}

static struct cc_conn *waiting(struct cc_hub *h)
{
    struct cc_conn *c = h->all;

    while (c && !c->i2p_waits)
        c = c->next;
    return c;
}

static void hub_ready(void *arg)
{
    struct cc_hub *h = arg;
    struct cc_conn *c;

    h->i2p_ready = true;
    h->i2p_pause_ms = PAUSE_FIRST_MS;
    pthread_mutex_lock(&h->lock);
    h->i2p_self = *cc_i2p_self(h->i2p);
    pthread_mutex_unlock(&h->lock);
    while ((c = waiting(h)))
        talk(c, CC_SAM_CONNECT, cc_i2p_id(h->i2p));
    if (h->i2p_asked)
        listen_next(h);
}

static void hub_ended(void *arg, const char *why)
{
    struct cc_hub *h = arg;
    struct cc_conn *c;

    cc_debug(h->config.log, CC_LOG_I2P, "Persistent SAM session ended: %s",
             why);
    cc_i2p_free(h->i2p);
    h->i2p = NULL;
    h->i2p_ready = false;
    while ((c = waiting(h)))
        cc_conn_finish(c, why);
    if (h->i2p_listener)
        cc_conn_finish(h->i2p_listener, why);
    cc_timer_set(h->i2p_timer, h->i2p_pause_ms);
    h->i2p_pause_ms *= 2;
    if (h->i2p_pause_ms > PAUSE_LAST_MS)
        h->i2p_pause_ms = PAUSE_LAST_MS;
}

static void start_session(struct cc_hub *h);

static void on_again(void *arg)
{
    struct cc_hub *h = arg;

    if (!h->i2p && h->i2p_asked)
        start_session(h);
    else if (h->i2p_asked)
        listen_next(h);
}

static void start_session(struct cc_hub *h)
{
    struct cc_i2p_config config;

    if (!h->i2p_timer) {
        h->i2p_timer = cc_timer_new(h->config.loop, on_again, h);
        h->i2p_pause_ms = PAUSE_FIRST_MS;
    }
    session_config(h, &config);
    config.key_path = h->config.i2p_key;
    config.ready = hub_ready;
    config.ended = hub_ended;
    config.arg = h;
    h->i2p = cc_i2p_new(&config);
}

void cc_conn_i2p_connect(struct cc_conn *c)
{
    struct cc_hub *h = c->hub;
    struct cc_i2p_config config;
    char text[72];

    if (c->port != 0) { /* SAM 3.1 knows no ports */
        cc_netaddr_format_port(text, &c->target);
        cc_debug(h->config.log, CC_LOG_I2P,
                 "Error connecting to %s, connection refused due to arbitrary "
                 "port %u",
                 text, c->port);
        cc_conn_finish(c, "arbitrary port");
    } else if (!h->config.i2p_key) {
        session_config(h, &config);
        config.ready = own_ready;
        config.ended = own_ended;
        config.arg = c;
        c->i2p = cc_i2p_new(&config);
    } else {
        c->i2p_waits = true;
        if (!h->i2p)
            start_session(h);
        else if (h->i2p_ready)
            talk(c, CC_SAM_CONNECT, cc_i2p_id(h->i2p));
    }
}

static void do_listen(void *arg)
{
    struct cc_hub *h = arg;

    h->i2p_asked = true;
    if (!h->i2p && !h->down)
        start_session(h);
}

void cc_hub_i2p_listen(struct cc_hub *h)
{
    cc_loop_post(h->config.loop, do_listen, h);
}

bool cc_hub_i2p_self(struct cc_hub *h, struct cc_netaddr *out)
{
    pthread_mutex_lock(&h->lock);
    *out = h->i2p_self;
    pthread_mutex_unlock(&h->lock);
    return out->network != 0;
}

void cc_conn_i2p_down(struct cc_hub *h)
{
    cc_i2p_free(h->i2p);
    h->i2p = NULL;
    h->i2p_ready = false;
    cc_timer_free(h->i2p_timer);
    h->i2p_timer = NULL;
}
