#include "net/evict.h"

#include <stdlib.h>

#include "net/netaddr.h"

typedef struct cc_evict_candidate candidate;
typedef int compare(const void *a, const void *b);

/* Orders put those to be spared last. */
#define ORDER(x, y) ((x) < (y) ? -1 : (x) > (y))

static int by_group(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    return ORDER(x->group, y->group);
}

static int by_ping(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    return ORDER(y->min_ping, x->min_ping);
}

static int by_age(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    return ORDER(y->connected, x->connected);
}

static int by_tx(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    if (x->last_tx != y->last_tx)
        return ORDER(x->last_tx, y->last_tx);
    if (x->relays_txs != y->relays_txs)
        return ORDER(x->relays_txs, y->relays_txs);
    if (x->filters != y->filters)
        return ORDER(y->filters, x->filters);
    return by_age(a, b);
}

static int by_block(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    if (x->last_block != y->last_block)
        return ORDER(x->last_block, y->last_block);
    if (x->serves != y->serves)
        return ORDER(x->serves, y->serves);
    return by_age(a, b);
}

static int by_block_only(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    if (x->relays_txs != y->relays_txs)
        return ORDER(y->relays_txs, x->relays_txs);
    return by_block(a, b);
}

/* --- Sparing -------------------------------------------------------------- */

static bool everybody(const candidate *c, int what)
{
    (void)c;
    (void)what;
    return true;
}

static bool blocks_only(const candidate *c, int what)
{
    (void)what;
    return !c->relays_txs && c->serves;
}

#define LOCAL (-1)

static bool of_network(const candidate *c, int network)
{
    return network == LOCAL ? c->local : c->network == network;
}

/* Take those of the last k that fit out of the array; how many. */
static size_t spare_last(candidate *c, size_t *count, size_t k,
                         bool (*fits)(const candidate *c, int what), int what)
{
    size_t from = *count > k ? *count - k : 0, kept = from, before = *count;

    for (size_t i = from; i < *count; i++)
        if (!fits(&c[i], what))
            c[kept++] = c[i];
    *count = kept;
    return before - kept;
}

static void spare(candidate *c, size_t *count, compare *order, size_t k,
                  bool (*fits)(const candidate *c, int what))
{
    qsort(c, *count, sizeof(*c), order);
    spare_last(c, count, k, fits, 0);
}

/* The oldest k of a network. */
static size_t spare_network(candidate *c, size_t *count, int network, size_t k)
{
    size_t done = 0;

    qsort(c, *count, sizeof(*c), by_age);
    for (size_t i = *count; i-- > 0 && done < k;) {
        if (!of_network(&c[i], network))
            continue;
        for (size_t j = i; j + 1 < *count; j++)
            c[j] = c[j + 1];
        --*count;
        done++;
    }
    return done;
}

struct share {
    int network;
    size_t count;
};

static int by_count(const void *a, const void *b)
{
    const struct share *x = a, *y = b;

    if (x->count != y->count)
        return ORDER(x->count, y->count);
    return ORDER(y->network, x->network);
}

/* Up to a quarter of all for networks whose pings are slow, the rarest first,
 * shared evenly. */
static size_t spare_slow_networks(candidate *c, size_t *count, size_t most)
{
    struct share s[] = {
        {CC_NET_CJDNS, 0}, {CC_NET_I2P, 0}, {LOCAL, 0}, {CC_NET_TORV3, 0}};
    size_t done = 0, round, left, each;

    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < *count; k++)
            s[i].count += of_network(&c[k], s[i].network);
    qsort(s, 4, sizeof(s[0]), by_count);
    do {
        left = round = 0;
        for (size_t i = 0; i < 4; i++)
            left += s[i].count > 0;
        if (!left)
            break;
        each = (most - done) / left;
        for (size_t i = 0; i < 4 && done < most; i++) {
            size_t n = s[i].count ? spare_network(c, count, s[i].network,
                                                  each ? each : 1)
                                  : 0;

            s[i].count -= n;
            round += n;
            done += n;
        }
    } while (round && done < most);
    return done;
}

static void spare_half(candidate *c, size_t *count)
{
    size_t total = *count / 2, done = spare_slow_networks(c, count, total / 2);

    spare(c, count, by_age, total - done, everybody);
}

/* --- Choosing ------------------------------------------------------------- */

/* Discouraged ones, if there are any, are all that is left. */
static size_t only_preferred(candidate *c, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (c[i].prefer)
            c[kept++] = c[i];
    return kept ? kept : count;
}

/* Of the largest group the youngest; of groups of one size the one with the
 * youngest member. */
static const candidate *pick(const candidate *c, size_t count)
{
    const candidate *best = NULL;
    size_t best_size = 0;

    for (size_t i = 0; i < count; i++) {
        size_t size = 0;

        for (size_t k = 0; k < count; k++)
            size += c[k].group == c[i].group;
        if (!best || size > best_size ||
            (size == best_size && c[i].connected > best->connected)) {
            best = &c[i];
            best_size = size;
        }
    }
    return best;
}

int64_t cc_evict_select(struct cc_evict_candidate *c, size_t count)
{
    spare(c, &count, by_group, 4, everybody);
    spare(c, &count, by_ping, 8, everybody);
    spare(c, &count, by_tx, 4, everybody);
    spare(c, &count, by_block_only, 8, blocks_only);
    spare(c, &count, by_block, 4, everybody);
    spare_half(c, &count);
    if (!count)
        return -1;
    count = only_preferred(c, count);
    return pick(c, count)->id;
}
