/*
 * What RPC asks of the address book, and does to it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/node.h"
#include "util/mem.h"

static void fill_address(struct cc_net_address *out, const struct cc_netaddr *a)
{
    char text[72];

    cc_netaddr_format(text, a);
    snprintf(out->address, sizeof(out->address), "%.63s", text);
    out->port = a->port;
    snprintf(out->network, sizeof(out->network), "%s",
             cc_netaddr_network_name(a));
}

static void fill_entry(struct cc_net_address *out,
                       const struct cc_book_entry *e)
{
    fill_address(out, &e->addr);
    out->services = e->services;
    out->time = e->time;
}

struct book_ask {
    struct cc_net *n;
    unsigned network;
    size_t count;
    bool tried;
    void *out;
    size_t out_count;
    struct cc_net_book_counts counts;
};

/* -checkaddrman. */
static void check_book(struct cc_net *n)
{
    int64_t begun = cc_clock_monotonic_us();
    size_t fresh, tried;

    cc_addrbook_counts(n->book, 0, &fresh, &tried);
    cc_debug(n->log, CC_LOG_ADDRMAN,
             "CheckAddrman: new %zu, tried %zu, total %zu started", fresh,
             tried, fresh + tried);
    if (!cc_addrbook_check(n->book))
        cc_log(n->log, "ADDRMAN CONSISTENCY CHECK FAILED!!!");
    cc_debug(n->log, CC_LOG_ADDRMAN, "CheckAddrman: completed (%.2fms)",
             (double)(cc_clock_monotonic_us() - begun) / 1000);
}

static void task_known(void *arg)
{
    struct book_ask *a = arg;
    struct cc_net *n = a->n;
    struct cc_book_entry *e;
    struct cc_net_address *out;

    if (n->o.check_book)
        check_book(n);
    a->out_count = cc_addrbook_sample(n->book, a->count, 100, a->network,
                                      cc_net_now_s(n), cc_net_random, NULL, &e);
    out = cc_calloc(a->out_count + 1, sizeof(*out));
    for (size_t i = 0; i < a->out_count; i++)
        fill_entry(&out[i], &e[i]);
    free(e);
    a->out = out;
}

size_t cc_net_known_addresses(struct cc_net *n, size_t count,
                              const char *network, struct cc_net_address **out)
{
    struct book_ask a = {.n = n, .count = count};

    a.network = network ? cc_reach_network(network) : 0;
    cc_net_call(n, task_known, &a);
    *out = a.out;
    return a.out_count;
}

static void task_places(void *arg)
{
    struct book_ask *a = arg;
    struct cc_net_place *out;
    struct cc_book_entry e;
    size_t slot = 0, count = 0;

    while (cc_addrbook_next(a->n->book, a->tried, &slot, &e)) {
        count++;
        slot++;
    }
    out = cc_calloc(count + 1, sizeof(*out));
    for (slot = 0; cc_addrbook_next(a->n->book, a->tried, &slot, &e); slot++) {
        struct cc_net_place *p = &out[a->out_count++];

        p->bucket = (unsigned)(slot / CC_BOOK_BUCKET_SIZE);
        p->position = (unsigned)(slot % CC_BOOK_BUCKET_SIZE);
        fill_entry(&p->address, &e);
        fill_address(&p->source, &e.source);
    }
    a->out = out;
}

size_t cc_net_book_places(struct cc_net *n, bool tried,
                          struct cc_net_place **out)
{
    struct book_ask a = {.n = n, .tried = tried};

    cc_net_call(n, task_places, &a);
    *out = a.out;
    return a.out_count;
}

struct add_ask {
    struct cc_net *n;
    const char *address;
    uint16_t port;
    bool tried;
    enum cc_status st;
    struct cc_error *err;
};

static void task_add(void *arg)
{
    struct add_ask *a = arg;
    struct cc_net *n = a->n;
    struct cc_netaddr addr;
    int64_t now = cc_net_now_s(n);

    if (!cc_reach_parse(&n->reach, &addr, a->address, a->port)) {
        a->st = cc_fail(a->err, CC_MALFORMED, "not an address");
        return;
    }
    addr.port = a->port;
    if (!cc_netaddr_is_routable(&addr) ||
        !cc_addrbook_add(n->book, &addr,
                         CC_SERVICE_NETWORK | CC_SERVICE_WITNESS, now, &addr,
                         now))
        a->st = cc_fail(a->err, CC_LIMIT, "the address book refuses it");
    else if (a->tried)
        cc_addrbook_good(n->book, &addr, now);
}

enum cc_status cc_net_add_address(struct cc_net *n, const char *address,
                                  uint16_t port, bool tried,
                                  struct cc_error *err)
{
    struct add_ask a = {n, address, port, tried, CC_OK, err};

    cc_net_call(n, task_add, &a);
    return a.st;
}

static void task_counts(void *arg)
{
    struct book_ask *a = arg;

    cc_addrbook_counts(a->n->book, a->network, &a->counts.fresh,
                       &a->counts.tried);
}

struct cc_net_book_counts cc_net_book_counts(struct cc_net *n,
                                             const char *network)
{
    struct book_ask a = {.n = n};

    a.network = network ? cc_reach_network(network) : 0;
    cc_net_call(n, task_counts, &a);
    return a.counts;
}
