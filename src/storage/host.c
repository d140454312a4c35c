#include "storage/host.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "storage/host_i.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/random.h"

#define ROUND_MS 15000 /* look at the chain at least so often */
#define COLLECT_BLOCKS 32
#define LOCK_WAIT_MS 5000 /* for the folder to be free */

void cc_host_config_init(struct cc_host_config *c,
                         const struct cc_params *params)
{
    const bool quick = params->no_retarget; /* a private chain */
    struct cc_msg_settings_reply *s = &c->settings;

    memset(c, 0, sizeof(*c));
    c->params = params;
    c->wallet = "";
    c->name = "";
    c->sectors = 4096; /* 16 GiB */
    c->seal_threads = 1;
    c->seal_wait = quick ? 8 : 144;
    c->prove_delay = quick ? 0 : 6;
    c->retry = quick ? 3 : 16;
    c->sync_delay = quick ? 2 : 6;
    c->feerate = 2000;
    c->sessions_max = 64;
    c->lists_max = 1u << 18; /* 8 MiB a contract */
    s->accepting = true;
    s->period_min = (uint32_t)params->storage.min_period;
    s->period_max = 65535;
    s->periods_max = (uint32_t)params->storage.max_periods;
    s->lead_max = quick ? 200 : 2016;
    s->capacity_max = 1u << 20;
    s->samples = 4;
    s->odds_max = 64;
    s->collateral_permille = 2000;
    s->price_storage = quick ? 50 * CC_USAT : 1000;
    s->price_write = quick ? 10 * CC_USAT : CC_USAT;
    s->price_read = quick ? 5000 : 250;
    s->price_request = quick ? 1000 : 100;
}

static char *dup_or_null(const char *s) { return s ? cc_strdup(s) : NULL; }

/* A host whose node was killed needs a moment to see it and let go. */
static enum cc_status open_volume(struct cc_host *h, struct cc_error *err)
{
    const struct timespec pause = {0, 100 * 1000000};
    char *path = cc_fs_join(h->directory, "volume");
    enum cc_status st = CC_LIMIT;

    for (int waited = 0; st == CC_LIMIT && waited <= LOCK_WAIT_MS;
         waited += 100) {
        if (waited)
            nanosleep(&pause, NULL);
        st = cc_volume_open(&h->volume, path, h->config.sectors, h->config.log,
                            err);
    }
    free(path);
    return st;
}

enum cc_status cc_host_new(struct cc_host **out, const struct cc_host_config *c,
                           struct cc_error *err)
{
    struct cc_host *h = cc_calloc(1, sizeof(*h));
    uint8_t seed[16];
    enum cc_status st;

    h->config = *c;
    h->directory = cc_strdup(c->directory);
    h->wallet = cc_strdup(c->wallet);
    h->listen = dup_or_null(c->listen);
    h->announce = dup_or_null(c->announce);
    h->name = cc_strdup(c->name);
    h->listen_fd = -1;
    h->identity_height = h->register_sent = -1;
    pthread_mutex_init(&h->lock, NULL);
    pthread_mutex_init(&h->tick_lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    pthread_cond_init(&h->session_ended, NULL);
    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&h->written, 32, sizeof(struct cc_host_written), seed);
    cc_map_init(&h->hashes, 4, 32, seed);
    h->events = cc_calloc(CC_HOST_EVENTS, sizeof(*h->events));
    st = open_volume(h, err);
    if (st == CC_OK)
        st = cc_host_contracts_load(h, err);
    if (st != CC_OK) {
        cc_host_free(h);
        return st;
    }
    cc_host_seal_init(h);
    *out = h;
    return CC_OK;
}

void cc_host_free(struct cc_host *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
    cc_host_stop_sessions(h);
    if (h->chain_started)
        pthread_join(h->chain_thread, NULL);
    cc_host_seal_clear(h);
    cc_volume_close(h->volume);
    for (size_t i = 0; i < h->contract_count; i++)
        cc_host_contract_free(h->contracts[i]);
    free(h->contracts);
    free(h->events);
    for (size_t i = 0; i < h->sent_count; i++)
        free(h->sent[i].hex);
    free(h->sent);
    cc_map_clear(&h->written);
    cc_map_clear(&h->hashes);
    pthread_cond_destroy(&h->session_ended);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->tick_lock);
    pthread_mutex_destroy(&h->lock);
    cc_cleanse(h->secret, sizeof(h->secret));
    free(h->directory);
    free(h->wallet);
    free(h->listen);
    free(h->announce);
    free(h->name);
    free(h);
}

void cc_host_tell(struct cc_host *h, const char *kind, const uint8_t *txid,
                  cc_amount amount, const char *fmt, ...)
{
    struct cc_host_event *e;
    va_list args;
    char text[200];

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    pthread_mutex_lock(&h->lock);
    e = &h->events[h->event_count % CC_HOST_EVENTS];
    memset(e, 0, sizeof(*e));
    e->number = ++h->event_count;
    e->time = cc_clock_now(NULL);
    e->height = h->tip;
    e->kind = kind;
    memcpy(e->text, text, sizeof(text));
    e->has_txid = txid != NULL;
    if (txid)
        memcpy(e->txid, txid, 32);
    e->amount = amount;
    pthread_mutex_unlock(&h->lock);
    cc_log(h->config.log, "host: %s", text);
}

/* --- Each block ----------------------------------------------------------- */

enum cc_status cc_host_tick(struct cc_host *h, struct cc_error *err)
{
    enum cc_status st;
    bool changed;

    pthread_mutex_lock(&h->tick_lock);
    st = cc_host_update_tip(h, &changed, err);
    if (st == CC_OK && changed)
        cc_host_send_again(h);
    if (st == CC_OK)
        st = cc_host_update_identity(h, err);
    if (st == CC_OK)
        st = cc_host_update_contracts(h, err);
    if (st == CC_OK)
        cc_host_do_duties(h);
    if (st == CC_OK && changed && h->tip % COLLECT_BLOCKS == 0)
        cc_host_collect(h); /* what was written and never signed for */
    if (st == CC_OK)
        st = cc_host_update_seal(h, err);
    pthread_mutex_unlock(&h->tick_lock);
    return st;
}

static void *watch(void *arg)
{
    struct cc_host *h = arg;
    char last[400] = "";
    struct timespec until;
    struct cc_error err;
    bool stop = false;

    while (!stop) {
        cc_error_init(&err);
        if (cc_host_tick(h, &err) == CC_OK)
            err.text[0] = 0;
        if (err.text[0] && strcmp(err.text, last))
            cc_log(h->config.log, "host: %s", err.text); /* once */
        memcpy(last, err.text, sizeof(last));
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += ROUND_MS / 1000;
        pthread_mutex_lock(&h->lock);
        while (!h->news && !h->stop &&
               pthread_cond_timedwait(&h->wake, &h->lock, &until) == 0)
            ;
        h->news = false;
        stop = h->stop;
        pthread_mutex_unlock(&h->lock);
    }
    return NULL;
}

enum cc_status cc_host_start(struct cc_host *h, struct cc_error *err)
{
    enum cc_status st = cc_host_listen(h, err);

    if (st != CC_OK)
        return st;
    if (pthread_create(&h->chain_thread, NULL, watch, h))
        return cc_fail_errno(err, "cannot start a thread");
    h->chain_started = true;
    return CC_OK;
}

uint16_t cc_host_port(const struct cc_host *h) { return h->port; }

void cc_host_notify(struct cc_host *h)
{
    pthread_mutex_lock(&h->lock);
    h->news = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}
