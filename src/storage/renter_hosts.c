#include "storage/renter_internal.h"

#include "storage/socket.h"
#include "util/clock.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/pool.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define ASK_TIMEOUT_MS 10000
#define THREADS 31
#define PRICE_MAX UINT64_C(1000000000000) /* usat: keeps every sum in range */

static void copy_text(char *out, size_t size, const char *text)
{
    size_t i;

    /* From the chain, so anybody's: fit for a terminal. */
    for (i = 0; text && text[i] && i < size - 1; i++)
        out[i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
    out[i] = 0;
}

static bool take_identity(struct cc_host *h, const json_t *o)
{
    const char *key = json_string_value(json_object_get(o, "key"));
    const json_t *ends = json_object_get(o, "endpoints");
    const char *end = json_string_value(json_array_get(ends, 0));

    memset(h, 0, sizeof(*h));
    if (!key || !cc_hex_decode(h->key, 32, key))
        return false;
    copy_text(h->name, sizeof(h->name),
              json_string_value(json_object_get(o, "name")));
    h->sequence = (uint32_t)json_integer_value(json_object_get(o, "sequence"));
    copy_text(h->endpoint, sizeof(h->endpoint), end);
    return end && *end;
}

static enum cc_status check_settings(const struct cc_renter *r,
                                     const struct cc_msg_settings_reply *s,
                                     struct cc_error *err)
{
    if (s->version != CC_SESSION_VERSION)
        return cc_fail(err, CC_INVALID, "speaks version %u of the sessions",
                       s->version);
    if (memcmp(s->genesis, r->o.params->genesis_hash, 32))
        return cc_fail(err, CC_INVALID, "is on another chain");
    if (s->price_storage > PRICE_MAX || s->price_write > PRICE_MAX ||
        s->price_read > PRICE_MAX / CC_SECTOR_LEAVES ||
        s->price_request > PRICE_MAX ||
        s->allowance_min > (uint64_t)r->o.params->max_money)
        return cc_fail(err, CC_INVALID, "asks absurd prices");
    return CC_OK;
}

struct asking {
    struct cc_renter *r;
    struct cc_host *hosts;
};

static void ask(void *arg, size_t i)
{
    struct asking *a = arg;
    struct cc_host *h = &a->hosts[i];
    struct cc_session *s = NULL;
    struct cc_message m, reply;
    struct cc_error err;
    enum cc_status st;
    int64_t start = cc_clock_monotonic_ms();

    cc_error_init(&err);
    st = cc_session_connect(&s, a->r->o.ec, h->endpoint, h->key, NULL,
                            ASK_TIMEOUT_MS, &err);
    if (st == CC_OK) {
        start = cc_clock_monotonic_ms();
        memset(&m, 0, sizeof(m));
        m.type = CC_MSG_SETTINGS;
        st = cc_session_call(s, &m, &reply, NULL, &err);
    }
    if (st == CC_OK)
        st = check_settings(a->r, &reply.u.settings_reply, &err);
    if (st == CC_OK) {
        h->latency_ms = cc_clock_monotonic_ms() - start;
        h->settings = reply.u.settings_reply;
        h->settings.name = cc_bytes(NULL, 0); /* the session's memory */
        h->answers = true;
    } else {
        snprintf(h->fault, sizeof(h->fault), "%.299s", err.text);
    }
    cc_session_free(s);
}

/* What a sector costs, written, kept for 1,000 blocks and read once. */
static uint64_t price_of(const struct cc_host *h)
{
    const struct cc_msg_settings_reply *s = &h->settings;

    return s->price_storage * 1000 + s->price_write +
           s->price_read * CC_SECTOR_LEAVES + 2 * s->price_request;
}

int cc_host_by_rank(const void *x, const void *y)
{
    const struct cc_host *a = x, *b = y;

    if (a->answers != b->answers)
        return a->answers ? -1 : 1;
    if (!a->answers)
        return memcmp(a->key, b->key, 32);
    if (price_of(a) != price_of(b))
        return price_of(a) < price_of(b) ? -1 : 1;
    if (a->latency_ms != b->latency_ms)
        return a->latency_ms < b->latency_ms ? -1 : 1;
    return memcmp(a->key, b->key, 32);
}

/* One host a key: the identity with the highest sequence, of those the one
 * told first. */
static void add_host(struct cc_host *hosts, size_t *count,
                     const struct cc_host *h)
{
    for (size_t i = 0; i < *count; i++) {
        if (memcmp(hosts[i].key, h->key, 32))
            continue;
        if (h->sequence > hosts[i].sequence)
            hosts[i] = *h;
        return;
    }
    hosts[(*count)++] = *h;
}

static bool ipv4_is_private(const uint8_t a[4])
{
    return a[0] == 0 || a[0] == 10 || a[0] == 127 ||
           (a[0] == 169 && a[1] == 254) || (a[0] == 172 && a[1] >> 4 == 1) ||
           (a[0] == 192 && a[1] == 168) || (a[0] == 100 && a[1] >> 6 == 1);
}

bool cc_host_network(char out[CC_HOST_NETWORK_MAX], const char *endpoint)
{
    char host[256];
    uint8_t a[16];
    uint16_t port;

    if (!cc_socket_split(host, sizeof(host), &port, endpoint))
        return false;
    if (inet_pton(AF_INET, host, a) == 1) {
        if (ipv4_is_private(a))
            return false;
        snprintf(out, CC_HOST_NETWORK_MAX, "%u.%u.%u", a[0], a[1], a[2]);
        return true;
    }
    /* 2000::/3 is what the internet uses. */
    if (inet_pton(AF_INET6, host, a) != 1 || a[0] >> 5 != 1)
        return false;
    snprintf(out, CC_HOST_NETWORK_MAX, "%02x%02x:%02x%02x", a[0], a[1], a[2],
             a[3]);
    return true;
}

bool cc_host_crowded(const char *const *taken, size_t count, unsigned k,
                     unsigned n, const char *endpoint)
{
    char own[CC_HOST_NETWORK_MAX], other[CC_HOST_NETWORK_MAX];
    unsigned there = 0;

    if (!cc_host_network(own, endpoint))
        return false;
    for (size_t i = 0; i < count; i++)
        if (cc_host_network(other, taken[i]) && !strcmp(own, other))
            there++;
    return there >= (n > k ? n - k : 1);
}

enum cc_status cc_renter_find_hosts(struct cc_renter *r, struct cc_host **out,
                                    size_t *count, struct cc_error *err)
{
    struct asking a = {r, NULL};
    struct cc_pool *pool;
    json_t *list = NULL, *row;
    size_t n = 0, i;
    enum cc_status st;

    st = cc_renter_call(r, "listidentities", json_pack("[s]", "host"), &list,
                        err);
    if (st != CC_OK)
        return st;
    a.hosts = cc_calloc(json_array_size(list) + 1, sizeof(*a.hosts));
    json_array_foreach(list, i, row)
    {
        struct cc_host h;

        if (take_identity(&h, row))
            add_host(a.hosts, &n, &h);
    }
    json_decref(list);
    if (n > r->o.hosts_max)
        n = r->o.hosts_max;
    pool = cc_pool_new(n < THREADS ? (unsigned)n : THREADS, "hosts");
    cc_pool_run(pool, ask, &a, n);
    cc_pool_free(pool);
    qsort(a.hosts, n, sizeof(*a.hosts), cc_host_by_rank);
    *out = a.hosts;
    *count = n;
    return CC_OK;
}
