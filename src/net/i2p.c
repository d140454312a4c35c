#include "net/i2p.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/sam.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

#define KEY_MAX 4096

struct cc_i2p {
    struct cc_i2p_config config;
    char id[CC_SAM_ID_SIZE];
    char why[160]; /* it could not even be tried */
    struct cc_sam sam;
    struct cc_stream *stream;
    struct cc_timer *timer; /* of the talk */
};

const char *cc_i2p_id(const struct cc_i2p *s) { return s->id; }

const struct cc_netaddr *cc_i2p_self(const struct cc_i2p *s)
{
    return &s->sam.who;
}

void cc_i2p_free(struct cc_i2p *s)
{
    if (!s)
        return;
    cc_timer_free(s->timer);
    cc_stream_free(s->stream);
    cc_sam_clear(&s->sam);
    free(s);
}

/* The owner frees it: nothing of it is touched afterwards. */
static void end(struct cc_i2p *s, const char *why)
{
    char copy[160];

    snprintf(copy, sizeof(copy), "%.159s", why);
    s->config.ended(s->config.arg, copy);
}

static void on_timer(void *arg)
{
    struct cc_i2p *s = arg;

    end(s, s->why[0] ? s->why : "the SAM proxy does not answer");
}

static void on_closed(void *arg, const char *why)
{
    struct cc_i2p *s = arg;
    char text[160], bridge[272];

    cc_proxy_format(bridge, s->config.bridge);
    snprintf(text, sizeof(text), "Cannot connect to %.60s (%.60s)", bridge,
             why);
    end(s,
        s->sam.state == CC_SAM_DONE ? "the SAM proxy ended the session" : text);
}

/* --- The key -------------------------------------------------------------- */

/* False: why says what is wrong with it. */
static bool load_key(struct cc_i2p *s)
{
    struct cc_netaddr self;
    struct cc_error err;
    uint8_t *data;
    size_t len;
    enum cc_status st =
        cc_fs_read(s->config.key_path, KEY_MAX, &data, &len, &err);

    if (st == CC_NOTFOUND)
        return true; /* the bridge makes one */
    if (st != CC_OK) {
        snprintf(s->why, sizeof(s->why), "%.150s", err.text);
        return false;
    }
    s->sam.key = cc_sam_encode(data, len);
    cc_cleanse(data, len);
    free(data);
    if (cc_sam_address(&self, s->sam.key))
        return true;
    snprintf(s->why, sizeof(s->why), "%.120s is no key", s->config.key_path);
    return false;
}

static bool keep_key(struct cc_i2p *s)
{
    struct cc_error err;
    size_t len;
    uint8_t *data = cc_sam_decode(s->sam.key, &len);
    enum cc_status st = cc_fs_write(s->config.key_path, data, len, 0600, &err);

    cc_cleanse(data, len);
    free(data);
    if (st != CC_OK)
        end(s, err.text);
    return st == CC_OK;
}

/* --- The session ---------------------------------------------------------- */

static const char *kind(const struct cc_i2p *s, bool begins)
{
    if (s->sam.transient)
        return begins ? "Transient" : "transient";
    return begins ? "Persistent" : "persistent";
}

static void reply(struct cc_i2p *s, struct cc_writer *w)
{
    if (w->len)
        cc_stream_write(s->stream, w->data, w->len);
    cc_cleanse(w->data, w->len); /* our key, when the session is asked for */
    cc_writer_clear(w);
}

static void on_connected(void *arg)
{
    struct cc_i2p *s = arg;
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_sam_start(&s->sam, CC_SAM_SESSION, s->id, &w);
    cc_stream_resume(s->stream);
    reply(s, &w);
}

static void made(struct cc_i2p *s)
{
    char text[72];

    if (s->sam.fresh && !keep_key(s))
        return;
    cc_timer_free(s->timer);
    s->timer = NULL;
    cc_netaddr_format_port(text, &s->sam.who);
    cc_debug(s->config.log, CC_LOG_I2P,
             "%s SAM session %s created, my "
             "address=%s",
             kind(s, true), s->id, text);
    s->config.ready(s->config.arg);
}

static void on_readable(void *arg)
{
    struct cc_i2p *s = arg;
    uint8_t buf[CC_SAM_MAX_LINE];
    char why[sizeof(s->sam.why)];
    struct cc_writer w;
    size_t len, used;

    if (s->sam.state == CC_SAM_DONE) { /* nothing more is said that matters */
        cc_stream_skip(s->stream, cc_stream_available(s->stream));
        return;
    }
    cc_writer_init_heap(&w);
    do {
        len = cc_stream_look(s->stream, buf, sizeof(buf));
        used = cc_sam_input(&s->sam, buf, len, &w);
        cc_stream_skip(s->stream, used);
    } while (used && s->sam.state == CC_SAM_TALKING);
    reply(s, &w);
    cc_cleanse(buf, sizeof(buf));
    if (s->sam.state == CC_SAM_DONE) {
        made(s);
    } else if (s->sam.state == CC_SAM_FAILED) {
        memcpy(why, s->sam.why, sizeof(why));
        end(s, why);
    }
}

static void on_sent(void *arg, size_t bytes)
{
    (void)arg;
    (void)bytes;
}

static const struct cc_stream_ops ops = {
    .connected = on_connected,
    .readable = on_readable,
    .sent = on_sent,
    .closed = on_closed,
};

struct cc_i2p *cc_i2p_new(const struct cc_i2p_config *config)
{
    struct cc_i2p *s = cc_calloc(1, sizeof(*s));
    uint8_t raw[(CC_SAM_ID_SIZE - 1) / 2];
    char bridge[272];

    s->config = *config;
    s->sam.transient = !config->key_path;
    cc_random_bytes(raw, sizeof(raw));
    cc_hex_encode(s->id, raw, sizeof(raw));
    s->timer = cc_timer_new(config->loop, on_timer, s);
    cc_proxy_format(bridge, config->bridge);
    cc_debug(config->log, CC_LOG_I2P, "Creating %s SAM session %s with %s",
             kind(s, false), s->id, bridge);
    if (s->sam.transient || load_key(s)) {
        s->stream = cc_stream_connect(
            config->loop, config->bridge->host, config->bridge->port,
            config->connect_timeout_ms, 2 * CC_SAM_MAX_LINE, &ops, s);
        if (!s->stream)
            snprintf(s->why, sizeof(s->why), "Cannot connect to %.120s",
                     bridge);
    }
    cc_timer_set(s->timer, s->stream ? CC_I2P_WAIT_MS : 0);
    return s;
}
