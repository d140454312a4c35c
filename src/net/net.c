/*
 * The life of the node's net and its validation thread. What chain and pool
 * tell it of comes by news.c.
 */
#include "net/net.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/node.h"
#include "util/fs.h"
#include "util/mem.h"

#define TICK_MS 100
#define DUMP_US (15 * MINUTE_US)
#define HEALTH_US (24 * 60 * MINUTE_US)
#define ACCEPT_SLACK 16 /* accepted before the limit is judged */

int64_t cc_net_now_us(const struct cc_net *n)
{
    return cc_clock_now_us(n->clock);
}

int64_t cc_net_now_s(const struct cc_net *n) { return cc_clock_now(n->clock); }

uint64_t cc_net_random(void *unused)
{
    (void)unused;
    return cc_random_u64();
}

int64_t cc_net_poisson_us(int64_t mean_us)
{
    /* (0, 1], so that the logarithm is finite: at most 36 means. */
    double u = ((double)(cc_random_u64() >> 12) + 1) / 4503599627370496.0;

    return (int64_t)(-log(u) * (double)mean_us + 0.5);
}

struct cc_peer *cc_net_peer(struct cc_net *n, int64_t id)
{
    size_t lo = 0, hi = n->peer_count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (n->peers[mid]->id == id)
            return n->peers[mid];
        if (n->peers[mid]->id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* --- Tasks ---------------------------------------------------------------- */

static void wake(void *arg)
{
    struct cc_net *n = arg;

    pthread_mutex_lock(&n->lock);
    n->woken = true;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
}

static void queue_task(struct cc_net *n, struct cc_task *t)
{
    pthread_mutex_lock(&n->lock);
    t->next = NULL;
    *n->tasks_last = t;
    n->tasks_last = &t->next;
    n->woken = true;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
}

void cc_net_post(struct cc_net *n, void (*fn)(void *arg), void *arg)
{
    struct cc_task *t = cc_calloc(1, sizeof(*t));

    t->fn = fn;
    t->arg = arg;
    queue_task(n, t);
}

/* True if something ran. */
static bool run_tasks(struct cc_net *n)
{
    struct cc_task *t, *next;
    bool wait;

    pthread_mutex_lock(&n->lock);
    t = n->tasks;
    n->tasks = NULL;
    n->tasks_last = &n->tasks;
    n->woken = false;
    pthread_mutex_unlock(&n->lock);
    if (!t)
        return false;
    for (; t; t = next) {
        next = t->next;
        wait = t->wait;
        t->fn(t->arg);
        if (wait) {
            pthread_mutex_lock(&n->lock);
            t->done = true;
            pthread_cond_broadcast(&n->done);
            pthread_mutex_unlock(&n->lock);
        } else {
            free(t);
        }
    }
    return true;
}

void cc_net_call(struct cc_net *n, void (*fn)(void *arg), void *arg)
{
    struct cc_task t = {.fn = fn, .arg = arg, .wait = true};
    bool queued = false;

    pthread_mutex_lock(&n->lock);
    if (n->running && pthread_equal(n->thread, pthread_self())) {
        pthread_mutex_unlock(&n->lock);
        fn(arg);
        return;
    }
    if (n->running) {
        queued = true;
        *n->tasks_last = &t;
        n->tasks_last = &t.next;
        n->woken = true;
        pthread_cond_signal(&n->wake);
        while (!t.done)
            pthread_cond_wait(&n->done, &n->lock);
    }
    pthread_mutex_unlock(&n->lock);
    if (queued)
        return;
    pthread_mutex_lock(&n->call_lock);
    fn(arg);
    pthread_mutex_unlock(&n->call_lock);
}

/* --- The validation thread ------------------------------------------------ */

/* Take away what must go. */
static void reap(struct cc_net *n)
{
    size_t kept = 0, orphans;

    for (size_t i = 0; i < n->peer_count; i++) {
        struct cc_peer *p = n->peers[i];

        if (!p->dropping && !cc_conn_closed(p->conn, NULL)) {
            n->peers[kept++] = p;
            continue;
        }
        cc_debug(n->log, CC_LOG_NET, "disconnecting peer=%" PRId64, p->id);
        cc_sync_peer_gone(p);
        cc_reconcile_gone(p);
        cc_txreq_peer_gone(n->txreq, p->id);
        orphans = cc_orphans_count(n->orphans);
        cc_orphans_remove_peer(n->orphans, p->id);
        orphans -= cc_orphans_count(n->orphans);
        if (orphans)
            cc_debug(n->log, CC_LOG_TXPACKAGES,
                     "Erased %zu orphan tx from peer=%" PRId64, orphans, p->id);
        cc_connect_lost(p);
        if (cc_peer_is_outbound(p) && p->ready)
            cc_addrbook_seen(n->book, &p->addr, cc_net_now_s(n));
        atomic_fetch_sub(cc_peer_is_outbound(p) ? &n->count_out : &n->count_in,
                         1);
        cc_debug(n->log, CC_LOG_NET, "Cleared nodestate for peer=%" PRId64,
                 p->id);
        n->peers[i] = NULL;
        cc_peer_free(p);
    }
    n->peer_count = kept;
}

/* One piece of work of one peer. True: there is more. */
static bool serve_peer(struct cc_peer *p)
{
    struct cc_conn_message *m;
    bool orphans;

    if (p->dropping)
        return false;
    orphans = cc_relay_orphans(p);
    /* Who does not read what we send is not listened to meanwhile. */
    if (cc_conn_backlog(p->conn) >= p->net->o.max_send_bytes)
        return orphans;
    if (p->getdata_count) {
        cc_serve_getdata(p);
        return true;
    }
    m = cc_sync_ready(p) ? cc_conn_next(p->conn) : NULL;
    if (!m)
        return orphans;
    cc_peer_handle(p, m);
    cc_conn_message_free(m);
    return orphans || p->getdata_count ||
           (cc_conn_has_message(p->conn) && cc_sync_ready(p));
}

static void save_files(struct cc_net *n)
{
    struct cc_error err;
    int64_t now = cc_net_now_s(n);

    if (n->peers_path && cc_addrfile_save(n->book, n->peers_path,
                                          n->params->magic, &err) != CC_OK)
        cc_log(n->log, "Cannot write %s: %s", n->peers_path, err.text);
    if (n->bans_path &&
        cc_banlist_save(n->bans, n->bans_path, now, &err) != CC_OK)
        cc_log(n->log, "Cannot write %s: %s", n->bans_path, err.text);
}

static void net_tick(struct cc_net *n, int64_t now)
{
    cc_connect_tick(n);
    cc_seek_tick(n, now);
    cc_announce_net_tick(n, now);
    if (n->asmap && now >= n->next_health_us) {
        struct cc_book_providers p = cc_addrbook_providers(n->book);

        cc_log(n->log,
               "ASMap Health Check: %zu clearnet peers are mapped to %zu ASNs "
               "with %zu peers being unmapped",
               p.addresses, p.providers, p.unmapped);
        n->next_health_us = now + HEALTH_US;
    }
    if (now >= n->next_dump_us) {
        if (n->next_dump_us)
            save_files(n);
        n->next_dump_us = now + DUMP_US;
    }
}

/* Wait for news, at most until deadline. False: stop. */
static bool wait_for_news(struct cc_net *n, const struct timespec *deadline,
                          bool busy)
{
    bool go;

    pthread_mutex_lock(&n->lock);
    while (!busy && !n->woken && !n->stop &&
           pthread_cond_timedwait(&n->wake, &n->lock, deadline) != ETIMEDOUT)
        ;
    go = !n->stop;
    pthread_mutex_unlock(&n->lock);
    return go;
}

static void next_deadline(struct timespec *t)
{
    clock_gettime(CLOCK_MONOTONIC, t);
    t->tv_nsec += TICK_MS * 1000000L;
    if (t->tv_nsec >= 1000000000L) {
        t->tv_nsec -= 1000000000L;
        t->tv_sec++;
    }
}

static bool passed(const struct timespec *t)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > t->tv_sec ||
           (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

/* One message of each peer, beginning with another one each time. */
static bool serve_all(struct cc_net *n, bool tick_all)
{
    size_t count = n->peer_count, start;
    bool busy = false;

    start = count ? n->turn++ % count : 0;
    for (size_t k = 0; k < count; k++) {
        struct cc_peer *p = n->peers[(start + k) % count];
        bool had = cc_conn_has_message(p->conn) || p->getdata_count;

        busy |= serve_peer(p);
        if ((had || tick_all) && !p->dropping)
            cc_peer_tick(p, cc_net_now_us(n));
    }
    return busy;
}

static void *net_main(void *arg)
{
    struct cc_net *n = arg;
    struct timespec deadline;
    struct cc_conn *conn;
    bool busy = false, tick_all;

    cc_log_name_thread("msghand");
    cc_log(n->log, "msghand thread start");
    next_deadline(&deadline);
    while (wait_for_news(n, &deadline, busy)) {
        tick_all = run_tasks(n);
        while ((conn = cc_hub_next(n->hub))) {
            cc_connect_arrived(n, conn);
            tick_all = true;
        }
        if (passed(&deadline)) {
            net_tick(n, cc_net_now_us(n));
            tick_all = true;
            next_deadline(&deadline);
        }
        busy = serve_all(n, tick_all);
        reap(n);
    }
    return NULL;
}

/* --- Life ----------------------------------------------------------------- */

void cc_net_options_init(struct cc_net_options *o)
{
    memset(o, 0, sizeof(*o));
    o->user_agent = "/CloudCoin:0.1.0/";
    o->listen = true;
    o->whitelist_relay = true;
    o->max_orphans = 100;
    o->extra_txs = 100;
    o->max_connections = 125;
    o->max_receive_bytes = 5000 * 1000;
    o->max_send_bytes = 1000 * 1000;
    o->ban_s = 24 * 3600;
    o->connect_timeout_ms = 5000;
    o->peer_timeout_s = 60;
}

static char *put_aside(const char *path)
{
    char *aside = cc_asprintf("%s.bak", path);

    rename(path, aside);
    return aside;
}

/* A file that cannot be understood is for the user to look at: it may be all
 * that is known of the net. One of another version is put aside. */
static enum cc_status load_book(struct cc_net *n, struct cc_error *err)
{
    const char *report = n->params->storage_active
                             ? "the project"
                             : "https://github.com/bitcoin/bitcoin/issues";
    int64_t begun = cc_clock_monotonic_us();
    size_t fresh, tried;
    struct cc_error why;
    enum cc_status st = cc_addrfile_load(
        n->book, n->peers_path, n->params->magic, cc_net_now_s(n), &why);

    cc_addrbook_counts(n->book, 0, &fresh, &tried);
    if (st == CC_OK) {
        cc_log(n->log, "Loaded %zu addresses from peers.dat  %" PRId64 "ms",
               fresh + tried, (cc_clock_monotonic_us() - begun) / 1000);
        return CC_OK;
    }
    if (st == CC_NOTFOUND) {
        cc_log(n->log,
               "Creating peers.dat because the file was not found (\"%s\")",
               n->peers_path);
    } else if (st == CC_INVALID) {
        free(put_aside(n->peers_path));
        cc_log(n->log,
               "Creating new peers.dat because the file version was not "
               "compatible (\"%s\"). Original backed up to peers.dat.bak",
               n->peers_path);
    } else {
        return cc_fail(err, CC_CORRUPT,
                       "Invalid or corrupt peers.dat (%s). If you believe "
                       "this is a bug, please report it to %s. As a "
                       "workaround, you can move the file (\"%s\") out of the "
                       "way (rename, move, or delete) to have a new one "
                       "created on the next start.",
                       why.text, report, n->peers_path);
    }
    return cc_addrfile_save(n->book, n->peers_path, n->params->magic, err);
}

static enum cc_status load_files(struct cc_net *n, struct cc_error *err)
{
    struct cc_error why;
    enum cc_status st;
    char *aside;

    cc_log(n->log, "init message: Loading P2P addresses\xe2\x80\xa6");
    st = load_book(n, err);
    if (st != CC_OK)
        return st;
    cc_log(n->log, "init message: Loading banlist\xe2\x80\xa6");
    st = cc_banlist_load(n->bans, n->bans_path, cc_net_now_s(n), &why);
    if (st != CC_OK && st != CC_NOTFOUND) {
        aside = put_aside(n->bans_path);
        cc_log(n->log, "%s; it is kept as %s and a new one is begun", why.text,
               aside);
        free(aside);
    }
    if (st != CC_OK) {
        cc_log(n->log, "Recreating the banlist database");
        st = cc_banlist_save(n->bans, n->bans_path, cc_net_now_s(n), err);
        if (st != CC_OK)
            return st;
    }
    n->anchor_count =
        cc_anchors_load(n->anchors_path, n->params->magic, n->anchors);
    if (n->o.connect_count || n->o.connect_none)
        n->anchor_count = 0;
    cc_log(n->log,
           "%zu block-relay-only anchors will be tried for connections.",
           n->anchor_count);
    return CC_OK;
}

/* Whose blocks we relied on, for the next start. */
static void save_anchors(struct cc_net *n)
{
    struct cc_book_entry e[CC_ANCHORS_MAX];
    size_t count = 0;
    struct cc_error err;

    if (!n->anchors_path || n->o.connect_count || n->o.connect_none)
        return;
    memset(e, 0, sizeof(e));
    for (size_t i = 0; i < n->peer_count && count < CC_ANCHORS_MAX; i++) {
        const struct cc_peer *p = n->peers[i];

        if (p->type != CC_CONN_BLOCK_RELAY || !p->addr.network)
            continue;
        e[count].addr = p->addr;
        e[count].services = p->services;
        e[count++].time = p->connected_s;
    }
    cc_log(n->log,
           "DumpAnchors: Flush %zu outbound block-relay-only peer addresses "
           "to anchors.dat",
           count);
    if (cc_anchors_save(n->anchors_path, n->params->magic, e, count, &err) !=
        CC_OK)
        cc_log(n->log, "Cannot write %s: %s", n->anchors_path, err.text);
}

static enum cc_status load_providers(struct cc_net *n, struct cc_error *err)
{
    char *path;
    enum cc_status st;

    if (!n->o.asmap || !n->o.directory) {
        cc_log(n->log, "Using /16 prefix for IP bucketing");
        return CC_OK;
    }
    path = cc_fs_join(n->o.directory, *n->o.asmap ? n->o.asmap : "ip_asn.map");
    st = cc_asmap_load(&n->asmap, path, n->log, err);
    free(path);
    cc_addrbook_set_providers(n->book, n->asmap);
    return st;
}

static void make_tables(struct cc_net *n)
{
    uint8_t seed[16];

    cc_random_bytes(seed, sizeof(seed));
    n->book = cc_addrbook_new(seed);
    n->bans = cc_banlist_new(seed);
    n->txreq = cc_txreq_new(seed);
    n->orphans = cc_orphans_new(n->o.max_orphans);
    n->extra = cc_calloc(n->o.extra_txs + 1u, sizeof(*n->extra));
    cc_map_init(&n->flight, 32, sizeof(int64_t), seed);
    cc_map_init(&n->sources, 32, sizeof(struct cc_source), seed);
    cc_timedata_init(&n->timedata);
    cc_recent_init(&n->rejects, 120000, seed);
    cc_recent_init(&n->confirmed, 48000, seed);
    cc_latest_init(&n->latest);
}

static void init_threads(struct cc_net *n)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&n->lock, NULL);
    pthread_mutex_init(&n->call_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&n->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&n->done, NULL);
    n->tasks_last = &n->tasks;
}

static uint64_t services_of(const struct cc_net *n,
                            const struct cc_net_options *o)
{
    uint64_t services = CC_SERVICE_WITNESS | CC_SERVICE_NETWORK_LIMITED;

    if (!cc_chain_prune_info(o->chain).on)
        services |= CC_SERVICE_NETWORK;
    if (n->params->storage_active)
        services |= CC_SERVICE_STORAGE;
    if (o->bloom_filters)
        services |= CC_SERVICE_BLOOM;
    if (o->filters)
        services |= CC_SERVICE_COMPACT_FILTERS;
    return services;
}

static void name_files(struct cc_net *n, const struct cc_net_options *o)
{
    n->peers_path = cc_fs_join(o->directory, "peers.dat");
    n->bans_path = cc_fs_join(o->directory, "banlist.json");
    n->anchors_path = cc_fs_join(o->directory, "anchors.dat");
    if (o->i2p_accept)
        n->i2p_path = cc_fs_join(o->directory, "i2p_private_key");
    if (o->capture)
        n->capture = cc_strdup(o->directory);
}

static struct cc_hub *new_hub(struct cc_net *n, const struct cc_net_options *o)
{
    struct cc_hub_config hub;

    memset(&hub, 0, sizeof(hub));
    hub.loop = n->loop;
    hub.magic = n->params->magic;
    hub.max_receive = o->max_receive_bytes;
    hub.send_mark = o->max_send_bytes;
    hub.connect_timeout_ms = o->connect_timeout_ms;
    hub.max_accepted = o->max_connections + ACCEPT_SLACK;
    hub.clock = n->clock;
    hub.log = n->log;
    hub.capture = n->capture;
    if (n->reach.proxy[CC_NET_I2P].host[0])
        hub.i2p = &n->reach.proxy[CC_NET_I2P];
    hub.i2p_key = n->i2p_path;
    hub.wake = wake;
    hub.wake_arg = n;
    return cc_hub_new(&hub);
}

enum cc_status cc_net_new(struct cc_net **out, const struct cc_net_options *o,
                          struct cc_error *err)
{
    struct cc_net *n = cc_calloc(1, sizeof(*n));
    enum cc_status st;

    n->o = *o;
    n->chain = o->chain;
    n->params = cc_chain_params(o->chain);
    n->mempool = o->mempool;
    n->clock = o->clock;
    n->log = o->log;
    n->user_agent = cc_strdup(o->user_agent);
    n->services = services_of(n, o);
    if (!n->o.port)
        n->o.port = n->params->port;
    n->stall_timeout_us = 2 * SECOND_US;
    n->group_key = cc_random_u64();
    atomic_init(&n->active, !o->inactive);
    init_threads(n);
    make_tables(n);
    if (o->directory)
        name_files(n, o);
    st = cc_reach_init(&n->reach, o, err);
    if (st == CC_OK)
        st = load_providers(n, err);
    if (st == CC_OK)
        st = cc_listen_options(n, o, err);
    if (st == CC_OK && o->directory)
        st = load_files(n, err);
    if (st == CC_OK)
        st = cc_loop_new(&n->loop, err);
    if (st == CC_OK) {
        n->hub = new_hub(n, o);
        st = cc_listen_start(n, o, err);
    }
    if (st != CC_OK) {
        cc_net_free(n);
        return st;
    }
    n->tip = cc_chain_tip(n->chain);
    cc_seek_init(n);
    cc_news_listen(n);
    *out = n;
    return CC_OK;
}

enum cc_status cc_net_start(struct cc_net *n, struct cc_error *err)
{
    enum cc_status st = cc_loop_start(n->loop, err);
    int e;

    if (st == CC_OK)
        st = cc_incoming_queue_start(n->incoming, err);
    if (st != CC_OK)
        return st;
    /* Peers are looked for by the thread that is started below; who waits for
     * bitcoind's threads waits for what they do. */
    cc_log(n->log, "net thread start");
    cc_log(n->log, "addcon thread start");
    if (!n->o.connect_none)
        cc_log(n->log, "opencon thread start");
    cc_seek_start(n);
    if (n->i2p_path && n->reach.proxy[CC_NET_I2P].host[0])
        cc_hub_i2p_listen(n->hub);
    cc_onion_start(n);
    pthread_mutex_lock(&n->lock);
    e = pthread_create(&n->thread, NULL, net_main, n);
    n->running = e == 0;
    pthread_mutex_unlock(&n->lock);
    if (e) {
        errno = e;
        return cc_fail_errno(err, "net: cannot start its thread");
    }
    return CC_OK;
}

void cc_net_stop(struct cc_net *n)
{
    struct cc_conn *conn;
    bool ran = n->running;

    if (!n->loop || n->stop)
        return;
    cc_incoming_queue_stop(n->incoming);
    pthread_mutex_lock(&n->lock);
    n->stop = true;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
    if (n->running) {
        pthread_join(n->thread, NULL);
        pthread_mutex_lock(&n->lock);
        n->running = false;
        pthread_mutex_unlock(&n->lock);
    }
    pthread_mutex_lock(&n->call_lock);
    run_tasks(n); /* callers that still wait */
    if (ran)
        save_anchors(n);
    for (size_t i = 0; i < n->peer_count; i++)
        n->peers[i]->dropping = true;
    reap(n);
    pthread_mutex_unlock(&n->call_lock);
    if (n->hub)
        cc_hub_shutdown(n->hub);
    cc_loop_stop(n->loop);
    cc_onion_stop(n);
    while (n->hub && (conn = cc_hub_next(n->hub))) {
        free(cc_conn_cookie(conn)); /* an attempt that never arrived */
        cc_conn_release(conn);
    }
    n->attempts = NULL;
    if (ran)
        save_files(n);
}

static void free_strings(struct cc_net *n)
{
    for (size_t i = 0; i < n->seednode_count; i++)
        free(n->seednodes[i]);
    free(n->seednodes);
    free(n->seeds);
    free(n->user_agent);
    free(n->peers_path);
    free(n->i2p_path);
    free(n->bans_path);
    free(n->anchors_path);
    free(n->capture);
    free(n->whitelist);
    free(n->locals);
    free(n->manual);
}

void cc_net_free(struct cc_net *n)
{
    if (!n)
        return;
    cc_net_stop(n);
    run_tasks(n); /* news of the chain after the stop */
    cc_listen_clear(n);
    cc_hub_free(n->hub);
    cc_loop_free(n->loop);
    cc_addrbook_free(n->book);
    cc_asmap_free(n->asmap);
    cc_banlist_free(n->bans);
    cc_txreq_free(n->txreq);
    cc_orphans_free(n->orphans);
    for (size_t i = 0; i < n->extra_count; i++)
        cc_tx_clear(&n->extra[i]);
    free(n->extra);
    cc_incoming_queue_free(n->incoming);
    cc_map_clear(&n->flight);
    cc_map_clear(&n->sources);
    cc_recent_clear(&n->rejects);
    cc_recent_clear(&n->confirmed);
    cc_latest_clear(&n->latest);
    for (size_t i = 0; i < GETADDR_ANSWERS; i++)
        free(n->getaddr[i].entries);
    free(n->peers);
    free_strings(n);
    pthread_cond_destroy(&n->wake);
    pthread_cond_destroy(&n->done);
    pthread_mutex_destroy(&n->lock);
    pthread_mutex_destroy(&n->call_lock);
    free(n);
}
