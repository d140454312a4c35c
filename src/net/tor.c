#include "net/tor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/torctl.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/random.h"

#define KEY_MAX 1024
#define FIRST_PAUSE_MS 1000
#define LAST_PAUSE_MS (10 * 60 * 1000)

struct cc_tor {
    struct cc_tor_config config;
    struct cc_torctl ctl;
    struct cc_stream *stream;
    struct cc_timer *timer; /* until the next attempt */
    int64_t pause_ms;
    bool ready;
};

static void on_timer(void *arg);

void cc_tor_free(struct cc_tor *t)
{
    if (!t)
        return;
    cc_timer_free(t->timer);
    cc_stream_free(t->stream);
    cc_torctl_clear(&t->ctl);
    free(t);
}

/* This time it failed. */
static void give_up(struct cc_tor *t, const char *why)
{
    char control[272];

    cc_proxy_format(control, &t->config.control);
    cc_debug(t->config.log, CC_LOG_NET,
             "tor: Not connected to Tor control port %s (%s), trying again in "
             "%" PRId64 " seconds",
             control, why, t->pause_ms / 1000);
    cc_stream_free(t->stream);
    t->stream = NULL;
    if (t->ready)
        t->config.gone(t->config.arg);
    t->ready = false;
    cc_timer_set(t->timer, t->pause_ms);
    t->pause_ms += t->pause_ms / 2;
    if (t->pause_ms > LAST_PAUSE_MS)
        t->pause_ms = LAST_PAUSE_MS;
}

static void on_closed(void *arg, const char *why) { give_up(arg, why); }

static void on_sent(void *arg, size_t bytes)
{
    (void)arg;
    (void)bytes;
}

static void reply(struct cc_tor *t, struct cc_writer *w)
{
    if (w->len)
        cc_stream_write(t->stream, w->data, w->len);
    cc_cleanse(w->data, w->len);
    cc_writer_clear(w);
}

static void on_connected(void *arg)
{
    struct cc_tor *t = arg;
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_torctl_start(&t->ctl, &w);
    cc_stream_resume(t->stream);
    reply(t, &w);
}

/* The letters of a key: it goes back to Tor within a line. */
static bool is_key(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (data[i] <= ' ' || data[i] > '~')
            return false;
    return len > 0;
}

static void load_key(struct cc_tor *t)
{
    uint8_t *data;
    size_t len;

    if (t->ctl.key ||
        cc_fs_read(t->config.key_path, KEY_MAX, &data, &len, NULL) != CC_OK)
        return;
    if (is_key(data, len))
        t->ctl.key = cc_asprintf("%.*s", (int)len, (const char *)data);
    else
        cc_log(t->config.log, "tor: %s is no key; a new one is made",
               t->config.key_path);
    cc_cleanse(data, len);
    free(data);
}

static void made(struct cc_tor *t)
{
    char text[72];
    struct cc_error err;

    cc_netaddr_format_port(text, &t->ctl.service);
    cc_log(t->config.log, "tor: Got service ID, advertising service %s", text);
    if (t->ctl.fresh && cc_fs_write(t->config.key_path, t->ctl.key,
                                    strlen(t->ctl.key), 0600, &err) != CC_OK)
        cc_log(t->config.log, "tor: Error writing service private key: %s",
               err.text);
    t->ready = true;
    t->pause_ms = FIRST_PAUSE_MS;
    t->config.ready(t->config.arg, &t->ctl.service, t->ctl.socks);
}

static bool give_cookie(struct cc_tor *t, struct cc_writer *w)
{
    uint8_t *data, nonce[32];
    size_t len;
    bool ok;

    if (cc_fs_read(t->ctl.cookie_file, CC_TORCTL_COOKIE_SIZE, &data, &len,
                   NULL) != CC_OK)
        return false;
    ok = len == CC_TORCTL_COOKIE_SIZE;
    cc_random_bytes(nonce, sizeof(nonce));
    if (ok)
        cc_torctl_cookie(&t->ctl, data, nonce, w);
    cc_cleanse(data, len);
    free(data);
    return ok;
}

static void on_readable(void *arg)
{
    struct cc_tor *t = arg;
    uint8_t buf[CC_TORCTL_MAX_LINE];
    bool asked = true;
    struct cc_writer w;
    size_t len, used;

    if (t->ctl.state == CC_TORCTL_DONE) { /* events that we did not ask for */
        cc_stream_skip(t->stream, cc_stream_available(t->stream));
        return;
    }
    cc_writer_init_heap(&w);
    do {
        len = cc_stream_look(t->stream, buf, sizeof(buf));
        used = cc_torctl_input(&t->ctl, buf, len, &w);
        cc_stream_skip(t->stream, used);
        if (t->ctl.state == CC_TORCTL_COOKIE)
            asked = give_cookie(t, &w);
    } while (used && t->ctl.state == CC_TORCTL_TALKING);
    reply(t, &w);
    cc_cleanse(buf, sizeof(buf));
    if (!asked)
        give_up(t, "Tor's cookie file cannot be read");
    else if (t->ctl.state == CC_TORCTL_DONE)
        made(t);
    else if (t->ctl.state == CC_TORCTL_FAILED)
        give_up(t, t->ctl.why);
}

static void on_timer(void *arg)
{
    static const struct cc_stream_ops ops = {
        .connected = on_connected,
        .readable = on_readable,
        .sent = on_sent,
        .closed = on_closed,
    };
    struct cc_tor *t = arg;

    load_key(t);
    t->stream = cc_stream_connect(
        t->config.loop, t->config.control.host, t->config.control.port,
        t->config.connect_timeout_ms, 2 * CC_TORCTL_MAX_LINE, &ops, t);
    if (!t->stream)
        give_up(t, "no such host");
}

struct cc_tor *cc_tor_new(const struct cc_tor_config *config)
{
    struct cc_tor *t = cc_calloc(1, sizeof(*t));

    t->config = *config;
    t->pause_ms = FIRST_PAUSE_MS;
    t->ctl.password = config->password;
    t->ctl.ask_socks = config->ask_socks;
    t->ctl.port = config->port;
    memcpy(t->ctl.target, config->target, sizeof(t->ctl.target));
    t->timer = cc_timer_new(config->loop, on_timer, t);
    cc_timer_set(t->timer, 0);
    return t;
}
