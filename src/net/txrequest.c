#include "net/txrequest.h"

#include <stdlib.h>

#include "util/map.h"
#include "util/mem.h"

struct announcement {
    int64_t peer, due;
    bool preferred;
};

struct item {
    uint8_t hash[32];
    bool by_wtxid;
    struct announcement *from; /* in order of arrival */
    size_t count, cap;
    int64_t asked; /* peer, or -1 */
    int64_t expires;
};

struct peer {
    struct cc_map hashes; /* 32 bytes -> one unused byte */
    size_t in_flight;
    int64_t check_at; /* nothing to ask before; INT64_MAX: wait for news */
};

struct cc_txreq {
    uint8_t seed[16];
    struct cc_map items; /* hash -> struct item * */
    struct cc_map peers; /* id -> struct peer * */
};

struct cc_txreq *cc_txreq_new(const uint8_t seed[16])
{
    struct cc_txreq *t = cc_calloc(1, sizeof(*t));

    memcpy(t->seed, seed, 16);
    cc_map_init(&t->items, 32, sizeof(struct item *), seed);
    cc_map_init(&t->peers, 8, sizeof(struct peer *), seed);
    return t;
}

static void item_free(struct item *i)
{
    free(i->from);
    free(i);
}

static void peer_free(struct peer *p)
{
    cc_map_clear(&p->hashes);
    free(p);
}

void cc_txreq_free(struct cc_txreq *t)
{
    size_t pos = 0;
    void *v;

    if (!t)
        return;
    while (cc_map_next(&t->items, &pos, NULL, &v))
        item_free(*(struct item **)v);
    pos = 0;
    while (cc_map_next(&t->peers, &pos, NULL, &v))
        peer_free(*(struct peer **)v);
    cc_map_clear(&t->items);
    cc_map_clear(&t->peers);
    free(t);
}

static struct peer *get_peer(const struct cc_txreq *t, int64_t id)
{
    return cc_map_get_ptr(&t->peers, &id);
}

/* Everybody who announced it looks at it again. */
static void stir(struct cc_txreq *t, const struct item *i)
{
    for (size_t k = 0; k < i->count; k++) {
        struct peer *p = get_peer(t, i->from[k].peer);

        if (p)
            p->check_at = 0;
    }
}

static void end_request(struct cc_txreq *t, struct item *i)
{
    struct peer *p = i->asked >= 0 ? get_peer(t, i->asked) : NULL;

    if (p)
        p->in_flight--;
    i->asked = -1;
}

/* Take one announcement away; frees the item with its last. */
static void remove_from(struct cc_txreq *t, struct item *i, int64_t id)
{
    struct peer *p = get_peer(t, id);

    if (i->asked == id)
        end_request(t, i);
    if (p)
        cc_map_remove(&p->hashes, i->hash, NULL);
    for (size_t k = 0; k < i->count; k++) {
        if (i->from[k].peer != id)
            continue;
        memmove(&i->from[k], &i->from[k + 1],
                (i->count - k - 1) * sizeof(*i->from));
        i->count--;
        break;
    }
    if (i->count) {
        stir(t, i);
        return;
    }
    cc_map_remove_ptr(&t->items, i->hash);
    item_free(i);
}

bool cc_txreq_announce(struct cc_txreq *t, int64_t id, const uint8_t hash[32],
                       bool by_wtxid, bool preferred, int64_t due_us,
                       size_t limit)
{
    struct peer *p = get_peer(t, id);
    struct item *i = cc_map_get_ptr(&t->items, hash);
    struct announcement *a;

    if (!p) {
        p = cc_calloc(1, sizeof(*p));
        cc_map_init(&p->hashes, 32, 1, t->seed);
        cc_map_put_ptr(&t->peers, &id, p);
    }
    if (cc_map_get(&p->hashes, hash))
        return true;
    if (p->hashes.count >= limit)
        return false;
    if (!i) {
        i = cc_calloc(1, sizeof(*i));
        memcpy(i->hash, hash, 32);
        i->by_wtxid = by_wtxid;
        i->asked = -1;
        cc_map_put_ptr(&t->items, hash, i);
    }
    cc_map_put(&p->hashes, hash, NULL);
    i->from = cc_grow(i->from, &i->cap, i->count + 1, sizeof(*i->from));
    a = &i->from[i->count++];
    a->peer = id;
    a->due = due_us;
    a->preferred = preferred;
    p->check_at = 0;
    return true;
}

void cc_txreq_answered(struct cc_txreq *t, int64_t id, const uint8_t hash[32])
{
    struct item *i = cc_map_get_ptr(&t->items, hash);
    struct peer *p = get_peer(t, id);

    if (i && p && cc_map_get(&p->hashes, hash))
        remove_from(t, i, id);
}

void cc_txreq_forget(struct cc_txreq *t, const uint8_t hash[32])
{
    struct item *i = cc_map_get_ptr(&t->items, hash);

    if (!i)
        return;
    end_request(t, i);
    for (size_t k = 0; k < i->count; k++) {
        struct peer *p = get_peer(t, i->from[k].peer);

        if (p)
            cc_map_remove(&p->hashes, hash, NULL);
    }
    cc_map_remove_ptr(&t->items, hash);
    item_free(i);
}

void cc_txreq_peer_gone(struct cc_txreq *t, int64_t id)
{
    struct peer *p = get_peer(t, id);
    size_t n = 0, pos = 0;
    const void *key;
    uint8_t(*all)[32];

    if (!p)
        return;
    all = cc_reallocarray(NULL, p->hashes.count + 1, 32);
    while (cc_map_next(&p->hashes, &pos, &key, NULL))
        memcpy(all[n++], key, 32);
    while (n-- > 0)
        cc_txreq_answered(t, id, all[n]);
    free(all);
    cc_map_remove_ptr(&t->peers, &id);
    peer_free(p);
}

/* The one to ask among those whose time has come, or NULL. */
static const struct announcement *best(const struct item *i, int64_t now)
{
    const struct announcement *b = NULL;

    for (size_t k = 0; k < i->count; k++) {
        const struct announcement *a = &i->from[k];

        if (a->due <= now && (!b || (a->preferred && !b->preferred)))
            b = a;
    }
    return b;
}

static int64_t due_of(const struct item *i, int64_t id)
{
    for (size_t k = 0; k < i->count; k++)
        if (i->from[k].peer == id)
            return i->from[k].due;
    return INT64_MAX;
}

/* End requests of this peer's items that have run out. */
static void expire(struct cc_txreq *t, struct peer *p, int64_t now)
{
    size_t n = 0, pos = 0;
    const void *key;
    uint8_t(*late)[32] = NULL;
    size_t cap = 0;

    while (cc_map_next(&p->hashes, &pos, &key, NULL)) {
        struct item *i = cc_map_get_ptr(&t->items, key);

        if (i->asked < 0 || i->expires > now)
            continue;
        late = cc_grow(late, &cap, n + 1, 32);
        memcpy(late[n++], key, 32);
    }
    while (n-- > 0) {
        struct item *i = cc_map_get_ptr(&t->items, late[n]);

        if (i)
            remove_from(t, i, i->asked);
    }
    free(late);
}

size_t cc_txreq_due(struct cc_txreq *t, int64_t id, int64_t now,
                    struct cc_txreq_want *out, size_t room)
{
    struct peer *p = get_peer(t, id);
    size_t n = 0, pos = 0;
    const void *key;
    int64_t next = INT64_MAX;

    if (!p || p->check_at > now)
        return 0;
    expire(t, p, now);
    while (cc_map_next(&p->hashes, &pos, &key, NULL)) {
        struct item *i = cc_map_get_ptr(&t->items, key);
        const struct announcement *b;
        int64_t at;

        if (i->asked >= 0) {
            at = i->expires;
        } else if ((at = due_of(i, id)) <= now) {
            b = best(i, now);
            at = now; /* the other is asked on its own turn */
            if (b->peer == id && n < room) {
                memcpy(out[n].hash, i->hash, 32);
                out[n++].by_wtxid = i->by_wtxid;
                i->asked = id;
                i->expires = at = now + CC_TXREQ_TIMEOUT_US;
                p->in_flight++;
            }
        }
        if (at < next)
            next = at;
    }
    p->check_at = next;
    return n;
}

size_t cc_txreq_count(const struct cc_txreq *t, int64_t id)
{
    const struct peer *p = get_peer(t, id);

    return p ? p->hashes.count : 0;
}

size_t cc_txreq_in_flight(const struct cc_txreq *t, int64_t id)
{
    const struct peer *p = get_peer(t, id);

    return p ? p->in_flight : 0;
}

size_t cc_txreq_size(const struct cc_txreq *t) { return t->items.count; }
