/*
 * What RPC asks and orders. Each call becomes a task of the validation thread
 * and waits for it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "net/node.h"
#include "util/mem.h"

/* One argument for all tasks here: what goes in, what comes out. */
struct ask {
    struct cc_net *n;
    const char *text;
    const uint8_t *hash;
    int64_t number;
    enum cc_connection_type type;
    bool flag, yes;
    void *out;
    size_t out_count;
    enum cc_status st;
    struct cc_error *err;
};

/* --- Without a task ------------------------------------------------------- */

struct cc_net_counts cc_net_counts(struct cc_net *n)
{
    struct cc_net_counts c;

    c.in = atomic_load(&n->count_in);
    c.out = atomic_load(&n->count_out);
    c.total = c.in + c.out;
    return c;
}

uint64_t cc_net_local_services(const struct cc_net *n) { return n->services; }

bool cc_net_active(struct cc_net *n) { return atomic_load(&n->active); }

const char *cc_net_user_agent(const struct cc_net *n) { return n->user_agent; }

int64_t cc_net_time_offset(struct cc_net *n)
{
    return atomic_load(&n->time_offset);
}

uint16_t cc_net_port(struct cc_net *n)
{
    return n->listener_count ? cc_listener_port(n->listeners[0]) : 0;
}

/* --- Upload target -------------------------------------------------------- */

static int64_t upload_left_s(struct cc_net *n, uint64_t *used)
{
    int64_t since, left;

    *used = cc_hub_upload(n->hub, &since);
    if (!n->o.max_upload_bytes)
        return 0;
    if (!since)
        return CC_UPLOAD_FRAME_S;
    left = since + CC_UPLOAD_FRAME_S - cc_net_now_s(n);
    return left < 0 ? 0 : left;
}

bool cc_net_upload_reached(struct cc_net *n, bool old)
{
    uint64_t used, limit = n->o.max_upload_bytes, keep = 0;
    int64_t left = upload_left_s(n, &used);

    if (!limit)
        return false;
    if (old) /* a full block each ten minutes */
        keep = (uint64_t)(left / 600) * CC_MAX_PAYLOAD;
    return keep >= limit || used >= limit - keep;
}

struct cc_net_totals cc_net_totals(struct cc_net *n)
{
    struct cc_net_totals t;
    uint64_t used;

    memset(&t, 0, sizeof(t));
    cc_hub_totals(n->hub, &t.received, &t.sent);
    t.time_ms = cc_clock_now_ms(n->clock);
    t.frame_s = CC_UPLOAD_FRAME_S;
    t.left_s = upload_left_s(n, &used);
    t.target = n->o.max_upload_bytes;
    t.left_bytes = used < t.target ? t.target - used : 0;
    t.reached = cc_net_upload_reached(n, false);
    t.serves_old = !cc_net_upload_reached(n, true);
    return t;
}

bool cc_net_network(struct cc_net *n, unsigned i, struct cc_net_network *out)
{
    static const unsigned order[] = {CC_NET_IPV4, CC_NET_IPV6, CC_NET_TORV3,
                                     CC_NET_I2P, CC_NET_CJDNS};

    if (i >= sizeof(order) / sizeof(order[0]))
        return false;
    i = order[i];
    out->name = cc_network_name(i);
    pthread_mutex_lock(&n->lock); /* Tor may be found later */
    out->reachable = n->reach.reachable[i];
    out->limited = !out->reachable;
    out->randomize = n->reach.proxy[i].host[0] && n->reach.proxy[i].randomize;
    cc_proxy_format(out->proxy, &n->reach.proxy[i]);
    pthread_mutex_unlock(&n->lock);
    return true;
}

size_t cc_net_local_addresses(struct cc_net *n, struct cc_net_local **out)
{
    size_t count;

    pthread_mutex_lock(&n->lock);
    count = n->local_count;
    *out = cc_calloc(count + 1, sizeof(**out));
    if (count)
        memcpy(*out, n->locals, count * sizeof(**out));
    pthread_mutex_unlock(&n->lock);
    return count;
}

/* --- Peers ---------------------------------------------------------------- */

static void fill_info(struct cc_peer_info *i, struct cc_peer *p)
{
    struct cc_conn_stats s;
    const struct cc_netaddr *bind = cc_conn_local(p->conn);
    int64_t now = cc_net_now_us(p->net);

    memset(i, 0, sizeof(*i));
    cc_conn_stats(p->conn, &s);
    i->id = p->id;
    snprintf(i->addr, sizeof(i->addr), "%.71s", p->name);
    if (bind->network)
        cc_netaddr_format_port(i->addr_bind, bind);
    if (p->got_version && p->addr_local.network && p->addr_local.port)
        cc_netaddr_format_port(i->addr_local, &p->addr_local);
    snprintf(i->network, sizeof(i->network), "%s",
             p->onion ? cc_network_name(CC_NET_TORV3)
                      : cc_netaddr_network_name(&p->addr));
    i->mapped_as = cc_asmap_find(p->net->asmap, &p->addr);
    i->services = p->services;
    i->relay_txes = p->relay_txs;
    i->last_send = s.last_send;
    i->last_recv = s.last_receive;
    i->last_tx = p->last_tx_s;
    i->last_block = p->last_block_s;
    i->bytes_sent = s.sent;
    i->bytes_recv = s.received;
    i->connected = p->connected_s;
    i->time_offset = p->time_offset;
    i->ping_us = p->ping_us;
    i->ping_min_us = p->ping_min_us;
    i->ping_wait_us = p->ping_nonce ? now - p->ping_sent_us : -1;
    i->version = p->version;
    memcpy(i->user_agent, p->user_agent, sizeof(i->user_agent));
    i->bip152_to = p->we_chose;
    i->bip152_from = p->chose_us;
    i->inbound = !cc_peer_is_outbound(p);
    i->starting_height = p->starting_height;
    i->presynced_headers = p->presync ? cc_presync_height(p->presync) : -1;
    i->synced_headers = p->best_known ? (int64_t)p->best_known->height : -1;
    i->synced_blocks = p->last_common ? (int64_t)p->last_common->height : -1;
    for (size_t k = 0; k < p->flight_count; k++)
        i->inflight[k] = p->flight[k].index->height;
    i->inflight_count = p->flight_count;
    i->addr_relay = p->addr_relay;
    i->addr_processed = p->addr_processed;
    i->addr_rate_limited = p->addr_limited;
    i->permissions = p->permissions;
    i->min_fee_filter = p->fee_filter;
    memcpy(i->sent_per_msg, s.sent_per_msg, sizeof(i->sent_per_msg));
    memcpy(i->recv_per_msg, s.recv_per_msg, sizeof(i->recv_per_msg));
    i->type = p->type;
}

static void task_peers(void *arg)
{
    struct ask *a = arg;
    struct cc_net *n = a->n;
    struct cc_peer_info *out = cc_calloc(n->peer_count + 1, sizeof(*out));

    for (size_t i = 0; i < n->peer_count; i++)
        fill_info(&out[i], n->peers[i]);
    a->out = out;
    a->out_count = n->peer_count;
}

size_t cc_net_peers(struct cc_net *n, struct cc_peer_info **out)
{
    struct ask a = {.n = n};

    cc_net_call(n, task_peers, &a);
    *out = a.out;
    return a.out_count;
}

static void task_set_active(void *arg)
{
    struct ask *a = arg;

    if (atomic_exchange(&a->n->active, a->flag) == a->flag)
        return;
    cc_log(a->n->log, "SetNetworkActive: %s", a->flag ? "true" : "false");
    for (size_t i = 0; !a->flag && i < a->n->peer_count; i++)
        cc_peer_drop(a->n->peers[i]);
}

void cc_net_set_active(struct cc_net *n, bool active)
{
    struct ask a = {.n = n, .flag = active};

    cc_net_call(n, task_set_active, &a);
}

static void task_ping(void *arg)
{
    struct ask *a = arg;

    for (size_t i = 0; i < a->n->peer_count; i++)
        a->n->peers[i]->ping_queued = true;
}

void cc_net_ping(struct cc_net *n)
{
    struct ask a = {.n = n};

    cc_net_call(n, task_ping, &a);
}

static bool matches(const struct cc_peer *p, const struct ask *a)
{
    char text[72];

    if (!a->text)
        return p->id == a->number;
    cc_netaddr_format_port(text, &p->addr);
    return !strcmp(p->name, a->text) || !strcmp(text, a->text);
}

static void task_disconnect(void *arg)
{
    struct ask *a = arg;

    for (size_t i = 0; i < a->n->peer_count; i++) {
        if (!matches(a->n->peers[i], a))
            continue;
        cc_peer_drop(a->n->peers[i]);
        a->yes = true;
    }
}

bool cc_net_disconnect_address(struct cc_net *n, const char *address)
{
    struct ask a = {.n = n, .text = address};

    cc_net_call(n, task_disconnect, &a);
    return a.yes;
}

bool cc_net_disconnect_id(struct cc_net *n, int64_t id)
{
    struct ask a = {.n = n, .number = id};

    cc_net_call(n, task_disconnect, &a);
    return a.yes;
}

struct send_ask {
    struct cc_net *n;
    int64_t id;
    const char *type;
    const uint8_t *payload;
    size_t len;
    bool sent;
};

static void task_send(void *arg)
{
    struct send_ask *a = arg;
    struct cc_peer *p = cc_net_peer(a->n, a->id);

    if (!p || p->dropping)
        return;
    cc_conn_send_named(p->conn, a->type, a->payload, a->len);
    a->sent = true;
}

bool cc_net_send(struct cc_net *n, int64_t peer_id, const char *type,
                 const uint8_t *payload, size_t len)
{
    struct send_ask a = {n, peer_id, type, payload, len, false};

    cc_net_call(n, task_send, &a);
    return a.sent;
}

/* --- Nodes of the user's choice ------------------------------------------- */

static struct cc_manual *find_added(struct cc_net *n, const char *node)
{
    for (size_t i = 0; i < n->manual_count; i++)
        if (!n->manual[i].fixed && !strcmp(n->manual[i].node, node))
            return &n->manual[i];
    return NULL;
}

/* An address in numbers, in the short forms of IPv4 ("127.1") too. */
static bool read_numeric(const struct cc_net *n, const char *text,
                         struct cc_netaddr *out)
{
    uint16_t port = cc_reach_default_port(text, n->params->port);
    char host[256];
    in_addr_t ip;

    if (cc_netaddr_parse(out, text, port))
        return true;
    if (!cc_host_split(text, host, sizeof(host), &port))
        return false;
    ip = inet_addr(host);
    memset(out, 0, sizeof(*out));
    out->network = CC_NET_IPV4;
    out->len = 4;
    out->port = port;
    memcpy(out->bytes, &ip, 4);
    return ip != (in_addr_t)-1;
}

static bool is_added(struct cc_net *n, const char *node)
{
    struct cc_netaddr a, b;

    if (find_added(n, node))
        return true;
    if (!read_numeric(n, node, &a))
        return false;
    for (size_t i = 0; i < n->manual_count; i++)
        if (!n->manual[i].fixed && read_numeric(n, n->manual[i].node, &b) &&
            cc_netaddr_equal(&a, &b))
            return true;
    return false;
}

static void task_add_node(void *arg)
{
    struct ask *a = arg;
    struct cc_net *n = a->n;
    struct cc_manual *m;

    if (is_added(n, a->text)) {
        a->st = cc_fail(a->err, CC_LIMIT, "Error: Node already added");
        return;
    }
    n->manual = cc_grow(n->manual, &n->manual_cap, n->manual_count + 1,
                        sizeof(*n->manual));
    m = &n->manual[n->manual_count++];
    memset(m, 0, sizeof(*m));
    snprintf(m->node, sizeof(m->node), "%s", a->text);
    m->pause_us = SECOND_US;
}

enum cc_status cc_net_add_node(struct cc_net *n, const char *node,
                               struct cc_error *err)
{
    struct ask a = {.n = n, .text = node, .err = err};

    cc_net_call(n, task_add_node, &a);
    return a.st;
}

static void task_remove_node(void *arg)
{
    struct ask *a = arg;
    struct cc_net *n = a->n;
    struct cc_manual *m = find_added(n, a->text);
    size_t i;

    if (!m) {
        a->st = cc_fail(a->err, CC_NOTFOUND,
                        "Error: Node could not be removed. It has not been "
                        "added previously.");
        return;
    }
    i = (size_t)(m - n->manual);
    memmove(m, m + 1, (n->manual_count - i - 1) * sizeof(*m));
    n->manual_count--;
}

enum cc_status cc_net_remove_node(struct cc_net *n, const char *node,
                                  struct cc_error *err)
{
    struct ask a = {.n = n, .text = node, .err = err};

    cc_net_call(n, task_remove_node, &a);
    return a.st;
}

static void task_open(void *arg)
{
    struct ask *a = arg;

    if (!cc_connect_has_room(a->n, a->type)) {
        a->st = cc_fail(a->err, CC_LIMIT,
                        "Error: Already at capacity for specified connection "
                        "type.");
        return;
    }
    cc_connect_open(a->n, a->text, a->type);
}

void cc_net_try_node(struct cc_net *n, const char *node)
{
    struct ask a = {.n = n, .text = node, .type = CC_CONN_MANUAL};

    cc_net_call(n, task_open, &a);
}

static void task_pending(void *arg)
{
    struct ask *a = arg;

    pthread_mutex_lock(&a->n->lock);
    a->yes = !a->n->stop;
    pthread_mutex_unlock(&a->n->lock);
    a->yes = a->yes && cc_connect_pending(a->n, a->text);
}

enum cc_status cc_net_open(struct cc_net *n, const char *node,
                           enum cc_connection_type type, struct cc_error *err)
{
    static const struct timespec pause = {0, 2000000};
    struct ask a = {.n = n, .text = node, .type = type, .err = err};
    char host[256];
    uint16_t port;

    if (!cc_host_split(node, host, sizeof(host), &port))
        return cc_fail(err, CC_INVALID, "Error: Invalid address: %s", node);
    cc_net_call(n, task_open, &a);
    /* An attempt ends by itself, with a connection or without. */
    for (a.yes = a.st == CC_OK; a.yes; nanosleep(&pause, NULL))
        cc_net_call(n, task_pending, &a);
    return a.st;
}

static void task_added(void *arg)
{
    struct ask *a = arg;
    struct cc_net *n = a->n;
    struct cc_added_node *out = cc_calloc(n->manual_count + 1, sizeof(*out));

    for (size_t i = 0; i < n->manual_count; i++) {
        struct cc_added_node *o = &out[a->out_count];
        struct cc_netaddr addr = {0};

        if (n->manual[i].fixed)
            continue;
        a->out_count++;
        memcpy(o->node, n->manual[i].node, sizeof(o->node));
        cc_netaddr_parse(&addr, o->node,
                         cc_reach_default_port(o->node, n->params->port));
        for (size_t k = 0; k < n->peer_count; k++) {
            struct cc_peer *p = n->peers[k];

            if (strcmp(p->name, o->node) && !cc_netaddr_equal(&p->addr, &addr))
                continue;
            o->connected = true;
            o->inbound = !cc_peer_is_outbound(p);
            if (p->addr.network)
                cc_netaddr_format_port(o->address, &p->addr);
            else
                snprintf(o->address, sizeof(o->address), "%.71s", p->name);
        }
    }
    a->out = out;
}

size_t cc_net_added_nodes(struct cc_net *n, struct cc_added_node **out)
{
    struct ask a = {.n = n};

    cc_net_call(n, task_added, &a);
    *out = a.out;
    return a.out_count;
}

/* --- Bans ----------------------------------------------------------------- */

static void save_bans(struct cc_net *n)
{
    struct cc_error err;

    if (n->bans_path &&
        cc_banlist_save(n->bans, n->bans_path, cc_net_now_s(n), &err) != CC_OK)
        cc_log(n->log, "Cannot write the list of bans: %s", err.text);
}

static void task_bans(void *arg)
{
    struct ask *a = arg;
    const struct cc_ban_entry *e;
    struct cc_ban *out;

    a->out_count = cc_banlist_all(a->n->bans, cc_net_now_s(a->n), &e);
    out = cc_calloc(a->out_count + 1, sizeof(*out));
    for (size_t i = 0; i < a->out_count; i++) {
        cc_subnet_format(out[i].subnet, &e[i].subnet);
        out[i].created = e[i].created;
        out[i].until = e[i].until;
    }
    a->out = out;
}

size_t cc_net_bans(struct cc_net *n, struct cc_ban **out)
{
    struct ask a = {.n = n};

    cc_net_call(n, task_bans, &a);
    *out = a.out;
    return a.out_count;
}

static void task_ban(void *arg)
{
    struct ask *a = arg;
    struct cc_net *n = a->n;
    struct cc_subnet s;
    int64_t now = cc_net_now_s(n);

    if (!cc_subnet_parse(&s, a->text)) {
        a->st = cc_fail(a->err, CC_INVALID, "Error: Invalid IP/Subnet");
        return;
    }
    /* A single address counts as banned too if a subnet around it is. */
    if (cc_banlist_has_subnet(n->bans, &s, now) ||
        (s.bits == 8 * s.base.len && cc_banlist_has(n->bans, &s.base, now))) {
        a->st = cc_fail(a->err, CC_LIMIT, "Error: IP/Subnet already banned");
        return;
    }
    cc_banlist_add(n->bans, &s, now, a->number);
    for (size_t i = 0; i < n->peer_count; i++)
        if (cc_subnet_has(&s, &n->peers[i]->addr))
            cc_peer_drop(n->peers[i]);
    save_bans(n);
}

enum cc_status cc_net_ban(struct cc_net *n, const char *subnet, int64_t until,
                          struct cc_error *err)
{
    struct ask a = {.n = n, .text = subnet, .number = until, .err = err};

    cc_net_call(n, task_ban, &a);
    return a.st;
}

static void task_unban(void *arg)
{
    struct ask *a = arg;
    struct cc_subnet s;

    if (!cc_subnet_parse(&s, a->text)) {
        a->st = cc_fail(a->err, CC_INVALID, "Error: Invalid IP/Subnet");
    } else if (!cc_banlist_remove(a->n->bans, &s)) {
        a->st = cc_fail(a->err, CC_NOTFOUND,
                        "Error: Unban failed. Requested address/subnet was "
                        "not previously manually banned.");
    } else {
        save_bans(a->n);
    }
}

enum cc_status cc_net_unban(struct cc_net *n, const char *subnet,
                            struct cc_error *err)
{
    struct ask a = {.n = n, .text = subnet, .err = err};

    cc_net_call(n, task_unban, &a);
    return a.st;
}

static void task_clear_bans(void *arg)
{
    struct ask *a = arg;

    cc_banlist_clear(a->n->bans);
    save_bans(a->n);
}

void cc_net_clear_bans(struct cc_net *n)
{
    struct ask a = {.n = n};

    cc_net_call(n, task_clear_bans, &a);
}

/* --- Relay ---------------------------------------------------------------- */

void cc_net_broadcast(struct cc_net *n, const uint8_t txid[32])
{
    cc_mempool_set_unbroadcast(n->mempool, txid);
    cc_net_announce(n, txid);
}

void cc_net_announce(struct cc_net *n, const uint8_t txid[32])
{
    cc_announce_later(n, txid);
}

static void task_fetch(void *arg)
{
    struct ask *a = arg;
    struct cc_net *n = a->n;
    struct cc_peer *p = cc_net_peer(n, a->number);
    struct cc_index *i = cc_chain_find(n->chain, a->hash);

    if (!i)
        a->st = cc_fail(a->err, CC_INVALID, "Block header missing");
    else if (cc_chain_look(n->chain, i).status & CC_INDEX_DATA)
        a->st = cc_fail(a->err, CC_INVALID, "Block already downloaded");
    else if (!p || !p->ready)
        a->st = cc_fail(a->err, CC_INVALID, "Peer does not exist");
    else if (!(p->services & CC_SERVICE_WITNESS))
        a->st = cc_fail(a->err, CC_INVALID, "Pre-SegWit peer");
    else if (p->flight_count >= MAX_IN_FLIGHT)
        a->st = cc_fail(a->err, CC_INVALID, "Already requested from this peer");
    else
        cc_sync_fetch(p, i);
}

enum cc_status cc_net_fetch_block(struct cc_net *n, const uint8_t hash[32],
                                  int64_t peer_id, struct cc_error *err)
{
    struct ask a = {.n = n, .hash = hash, .number = peer_id, .err = err};

    cc_net_call(n, task_fetch, &a);
    return a.st;
}
