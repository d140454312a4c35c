/*
 * When those we are connected to may not suffice: names that are looked up for
 * addresses, one peer more when no block comes for long, and which of too many
 * goes again.
 *
 * One peer more is a way out for who was surrounded: it stays if it tells of
 * blocks sooner than the worst of the others.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/node.h"
#include "util/mem.h"

#define SEEDS_AT_ONCE 3
#define SEEDS_FEW_US (11 * SECOND_US)
#define SEEDS_MANY_US (5 * MINUTE_US)
#define SEEDS_MANY 1000 /* addresses that are worth trying first */
#define SEED_MAX 32     /* addresses of one seed */
#define DAY_S (24 * 3600)
#define CHECK_US (45 * SECOND_US)
#define STALE_CHECK_US (10 * MINUTE_US)
#define STALE_BLOCKS 3 /* no tip for so many times a block's time */
#define EXTRA_BLOCKS_US (5 * MINUTE_US)
#define MIN_CONNECTED_S 30

static bool chooses(const struct cc_net *n)
{
    return !n->o.connect_count && !n->o.connect_none;
}

/* --- Names ---------------------------------------------------------------- */

struct answer {
    struct cc_net *n;
    char seed[256];
    struct cc_netaddr addr[SEED_MAX];
    size_t count;
};

static bool stopping(struct cc_net *n)
{
    bool stop;

    pthread_mutex_lock(&n->lock);
    stop = n->stop;
    pthread_mutex_unlock(&n->lock);
    return stop;
}

static void task_answer(void *arg)
{
    struct answer *a = arg;
    struct cc_net *n = a->n;
    struct cc_netaddr source;
    int64_t now = cc_net_now_s(n);

    /* Not an address, but a group of its own in the book: by its name. */
    memset(&source, 0, sizeof(source));
    source.network = CC_NET_TORV3;
    source.len = 32;
    snprintf((char *)source.bytes, sizeof(source.bytes), "%.31s", a->seed);
    for (size_t i = 0; i < a->count; i++) {
        a->addr[i].port = n->params->port;
        cc_addrbook_add(n->book, &a->addr[i],
                        CC_SERVICE_NETWORK | CC_SERVICE_WITNESS,
                        now - 3 * DAY_S - (int64_t)cc_random_below(4 * DAY_S),
                        &source, now);
    }
    n->seeds_found += a->count;
    n->seeds_open--;
    /* One that does not know about services may itself be a node. */
    if (!a->count && !stopping(n))
        cc_connect_open(n, a->seed, CC_CONN_ADDR_FETCH);
    if (!n->seeds_open && n->seeds_asked == n->seed_count)
        cc_log(n->log, "%zu addresses found from DNS seeds", n->seeds_found);
    free(a);
}

/* On the loop's thread. */
static void on_answer(void *arg, const struct cc_netaddr *addr, size_t count)
{
    struct answer *a = arg;

    a->count = count < SEED_MAX ? count : SEED_MAX;
    memcpy(a->addr, addr, a->count * sizeof(*addr));
    cc_net_post(a->n, task_answer, a);
}

static void ask_on_loop(void *arg)
{
    struct answer *a = arg;
    char name[300];

    snprintf(name, sizeof(name), "x%x.%s",
             CC_SERVICE_NETWORK | CC_SERVICE_WITNESS, a->seed);
    cc_loop_resolve(a->n->loop, name, on_answer, a);
}

static void ask_seed(struct cc_net *n, const char *seed)
{
    struct answer *a;

    cc_log(n->log, "Loading addresses from DNS seed %s", seed);
    if (n->reach.names.host[0]) { /* names are the proxy's to look up */
        cc_connect_open(n, seed, CC_CONN_ADDR_FETCH);
        return;
    }
    a = cc_calloc(1, sizeof(*a));
    a->n = n;
    snprintf(a->seed, sizeof(a->seed), "%s", seed);
    n->seeds_open++;
    if (!cc_loop_post(n->loop, ask_on_loop, a)) {
        n->seeds_open--;
        free(a);
    }
}

static size_t count_ready(const struct cc_net *n, enum cc_connection_type type)
{
    size_t c = 0;

    for (size_t i = 0; i < n->peer_count; i++)
        c += n->peers[i]->type == type && n->peers[i]->ready;
    return c;
}

static size_t known(const struct cc_net *n)
{
    size_t fresh, tried;

    cc_addrbook_counts(n->book, 0, &fresh, &tried);
    return fresh + tried;
}

/* Who has addresses tries them first. False: not to be asked now. */
static bool seeds_due(struct cc_net *n, int64_t now)
{
    size_t have = known(n);
    int64_t wait = have >= SEEDS_MANY ? SEEDS_MANY_US : SEEDS_FEW_US;

    if (n->seeds_now)
        return true;
    if (!have)
        return true;
    if (!n->seeds_at_us) {
        cc_log(n->log, "Waiting %" PRId64 " seconds before querying DNS seeds.",
               wait / SECOND_US);
        n->seeds_at_us = now + wait;
        n->seeds_look_us = now + SEEDS_FEW_US;
    }
    if (now < n->seeds_look_us)
        return false;
    n->seeds_look_us = now + SEEDS_FEW_US;
    if (count_ready(n, CC_CONN_OUTBOUND) >= 2) {
        if (n->seeds_found)
            cc_log(n->log, "%zu addresses found from DNS seeds",
                   n->seeds_found);
        cc_log(n->log, "P2P peers available. %s DNS seeding.",
               n->seeds_found ? "Finished" : "Skipped");
        n->seeds_asked = n->seed_count;
        return false;
    }
    return now >= n->seeds_at_us;
}

void cc_seek_init(struct cc_net *n)
{
    const char *const *seeds = n->params->dns_seeds;

    if (!n->o.dns_seed) {
        cc_log(n->log, "DNS seeding disabled");
        return;
    }
    while (seeds && seeds[n->seed_count])
        n->seed_count++;
    n->seeds = cc_calloc(n->seed_count + 1, sizeof(*n->seeds));
    for (size_t i = 0; i < n->seed_count; i++) { /* in an order of our own */
        size_t k = (size_t)cc_random_below(i + 1);

        n->seeds[i] = n->seeds[k];
        n->seeds[k] = seeds[i];
    }
    if (n->o.force_dns_seed || !known(n))
        n->seeds_now = n->seed_count;
}

static void seeds_tick(struct cc_net *n)
{
    int64_t now = cc_clock_monotonic_us();

    if (n->seeds_asked == n->seed_count || !atomic_load(&n->active) ||
        !seeds_due(n, now))
        return;
    if (!n->seeds_now) {
        n->seeds_now = SEEDS_AT_ONCE;
        n->seeds_at_us = 0;
    }
    n->seeds_now--;
    ask_seed(n, n->seeds[n->seeds_asked++]);
}

/* --- Addresses that come with the program --------------------------------- */

void cc_seek_start(struct cc_net *n)
{
    n->started_s = cc_net_now_s(n);
    n->fixed_wanted = n->o.fixed_seeds && chooses(n);
    if (chooses(n) && !n->o.fixed_seeds)
        cc_log(n->log, "Fixed seeds are disabled");
}

/* Is there a network that can be reached and of which no address is known? */
static bool network_empty(const struct cc_net *n)
{
    for (unsigned net = CC_NET_IPV4; net <= CC_NET_CJDNS; net++) {
        size_t fresh, tried;

        if (!n->reach.reachable[net])
            continue;
        cc_addrbook_counts(n->book, net, &fresh, &tried);
        if (!fresh && !tried)
            return true;
    }
    return false;
}

/* Nobody else is there who could tell of addresses. */
static bool nobody_asked(const struct cc_net *n)
{
    if (n->o.dns_seed || n->seednode_count)
        return false;
    for (size_t i = 0; i < n->manual_count; i++)
        if (!n->manual[i].fixed)
            return false;
    return true;
}

static void add_fixed(struct cc_net *n)
{
    const char *const *seed = n->params->fixed_seeds;
    struct cc_netaddr addr, source = {.network = CC_NET_TORV3, .len = 32};
    int64_t now = cc_net_now_s(n);
    size_t count = 0;

    memcpy(source.bytes, "fixedseeds", 10); /* a group of its own */
    for (; seed && *seed; seed++) {
        if (!cc_reach_parse(&n->reach, &addr, *seed, n->params->port) ||
            !cc_reach_can(&n->reach, &addr))
            continue;
        cc_addrbook_add(n->book, &addr, CC_SERVICE_NETWORK | CC_SERVICE_WITNESS,
                        now - 7 * DAY_S - (int64_t)cc_random_below(7 * DAY_S),
                        &source, now);
        count++;
    }
    cc_log(n->log, "Added %zu fixed seeds from reachable networks.", count);
    n->fixed_wanted = false;
}

/* They are few and everybody knows them: the last resort. */
static void fixed_tick(struct cc_net *n)
{
    if (!n->fixed_wanted || !network_empty(n))
        return;
    if (cc_net_now_s(n) > n->started_s + 60)
        cc_log(n->log, "Adding fixed seeds as 60 seconds have passed and "
                       "addrman is empty for at least one reachable network");
    else if (nobody_asked(n))
        cc_log(n->log, "Adding fixed seeds as -dnsseed=0 (or IPv4/IPv6 "
                       "connections are disabled via -onlynet) and neither "
                       "-addnode nor -seednode are provided");
    else
        return;
    add_fixed(n);
}

/* --- Too many ------------------------------------------------------------- */

static bool settled(const struct cc_peer *p)
{
    return cc_net_now_s(p->net) - p->connected_s > MIN_CONNECTED_S &&
           !p->flight_count;
}

/* Of those for blocks only, the youngest, unless it gave a block later than
 * the one before it. */
static void drop_extra_blocks(struct cc_net *n)
{
    struct cc_peer *young = NULL, *next = NULL, *p;
    size_t count = 0;

    for (size_t i = 0; i < n->peer_count; i++) {
        if (n->peers[i]->type != CC_CONN_BLOCK_RELAY || n->peers[i]->dropping)
            continue;
        next = young;
        young = n->peers[i];
        count++;
    }
    if (count <= MAX_OUTBOUND_BLOCKS)
        return;
    p = young->last_block_s > next->last_block_s ? next : young;
    if (!settled(p))
        return;
    cc_debug(n->log, CC_LOG_NET,
             "disconnecting extra block-relay-only peer=%" PRId64
             " (last block received at time %" PRId64 ")",
             p->id, p->last_block_s);
    cc_peer_drop(p);
}

/* Of the others, who told of a new block the longest ago; of such the
 * youngest. */
static void drop_extra_full(struct cc_net *n)
{
    struct cc_peer *worst = NULL;
    size_t count = 0;

    for (size_t i = 0; i < n->peer_count; i++) {
        struct cc_peer *p = n->peers[i];

        if (p->type != CC_CONN_OUTBOUND || p->dropping)
            continue;
        count++;
        if (!p->chain_protected &&
            (!worst || p->last_announce_s <= worst->last_announce_s))
            worst = p;
    }
    if (count <= MAX_OUTBOUND_FULL || !worst || !settled(worst))
        return;
    cc_debug(n->log, CC_LOG_NET,
             "disconnecting extra outbound peer=%" PRId64
             " (last block announcement received at time %" PRId64 ")",
             worst->id, worst->last_announce_s);
    cc_peer_drop(worst);
    /* As many as there should be: another is sought if the tip goes stale. */
    n->try_extra = false;
}

/* --- Too few -------------------------------------------------------------- */

static bool tip_stale(struct cc_net *n, int64_t now)
{
    if (!n->last_tip_us)
        n->last_tip_us = now;
    return n->last_tip_us <
               now - STALE_BLOCKS * n->params->spacing_s * SECOND_US &&
           !n->flight.count;
}

static void look_at_tip(struct cc_net *n, int64_t now)
{
    if (now <= n->next_stale_us)
        return;
    n->next_stale_us = now + STALE_CHECK_US;
    if (atomic_load(&n->active) && chooses(n) && tip_stale(n, now)) {
        cc_log(n->log,
               "Potential stale tip detected, will try using extra outbound "
               "peer (last tip update: %" PRId64 " seconds ago)",
               (now - n->last_tip_us) / SECOND_US);
        n->try_extra = true;
    } else {
        n->try_extra = false;
    }
}

bool cc_seek_extra(struct cc_net *n, enum cc_connection_type *type)
{
    int64_t now = cc_clock_monotonic_us();

    if (n->try_extra) {
        *type = CC_CONN_OUTBOUND;
        return true;
    }
    /* Once the chain is here, somebody new is asked for blocks now and then,
     * so that nobody can keep one from us for ever. */
    if (!n->caught_up || now < n->next_extra_us)
        return false;
    if (!n->next_extra_us) {
        n->next_extra_us = now + cc_net_poisson_us(EXTRA_BLOCKS_US);
        return false;
    }
    n->next_extra_us = now + cc_net_poisson_us(EXTRA_BLOCKS_US);
    *type = CC_CONN_BLOCK_RELAY;
    return true;
}

void cc_seek_tick(struct cc_net *n, int64_t now)
{
    seeds_tick(n);
    fixed_tick(n);
    if (now < n->next_check_us && n->next_check_us - now <= CHECK_US)
        return; /* the clock may be set back by a test */
    n->next_check_us = now + CHECK_US;
    drop_extra_blocks(n);
    drop_extra_full(n);
    look_at_tip(n, now);
    n->caught_up = n->caught_up || cc_sync_near_tip(n);
}
