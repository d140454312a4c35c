#include "net/addrbook_i.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "util/mem.h"
#include "util/siphash.h"
#include "util/writer.h"

#define BUCKETS_PER_SOURCE 64
#define BUCKETS_PER_GROUP 8
#define HORIZON_S (30 * 24 * 3600)
#define RETRIES 3
#define MAX_FAILURES 10
#define REPLACE_S (4 * 3600) /* one that worked so lately stays */
#define TEST_S 60            /* an attempt needs that long to succeed */
#define TEST_WINDOW_S (40 * 60)

void cc_abook_set_key(struct cc_addrbook *b, const uint8_t key[32])
{
    memcpy(b->key, key, 32);
    b->k0 = cc_get_u64le(key);
    b->k1 = cc_get_u64le(key + 8);
}

struct cc_addrbook *cc_addrbook_new(const uint8_t key[16])
{
    struct cc_addrbook *b = cc_calloc(1, sizeof(*b));
    uint8_t whole[32];

    cc_sha256_once(whole, key, 16);
    cc_abook_set_key(b, whole);
    b->last_good = 1;
    cc_map_init(&b->map, CC_BOOK_KEY_LEN, sizeof(struct cc_book_slot *), key);
    return b;
}

/* Each is where it belongs and nowhere else, and the counts are right. */
bool cc_addrbook_check(const struct cc_addrbook *b)
{
    size_t fresh[CC_NET_CJDNS + 1] = {0}, tried[CC_NET_CJDNS + 1] = {0};
    size_t pos = 0, refs = 0, places = 0;
    void *v;

    while (cc_map_next(&b->map, &pos, NULL, &v)) {
        const struct cc_book_slot *s = *(struct cc_book_slot **)v;

        fresh[0] += !s->e.tried; /* of all networks */
        tried[0] += s->e.tried;
        fresh[s->e.addr.network] += !s->e.tried;
        tried[s->e.addr.network] += s->e.tried;
        refs += s->refs;
        if (s->e.tried
                ? s->refs || b->tried[cc_abook_tried_slot(b, &s->e.addr)] != s
                : !s->refs || s->refs > CC_BOOK_MAX_REFS)
            return false;
    }
    for (size_t i = 0; i < CC_BOOK_NEW_SLOTS; i++) {
        const struct cc_book_slot *s = b->fresh[i];

        places += s != NULL;
        if (s && (s->e.tried || cc_abook_slot_in(b, i / CC_BOOK_BUCKET_SIZE,
                                                 &s->e.addr) != i))
            return false;
    }
    return !memcmp(fresh, b->fresh_count, sizeof(fresh)) &&
           !memcmp(tried, b->tried_count, sizeof(tried)) && refs == places;
}

void cc_addrbook_set_providers(struct cc_addrbook *b, const struct cc_asmap *m)
{
    b->providers = m;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

struct cc_book_providers cc_addrbook_providers(const struct cc_addrbook *b)
{
    struct cc_book_providers r = {0};
    uint32_t *found =
        cc_calloc(b->fresh_count[0] + b->tried_count[0] + 1, sizeof(*found));
    size_t pos = 0, count = 0;
    void *v;

    while (cc_map_next(&b->map, &pos, NULL, &v)) {
        const struct cc_netaddr *a = &(*(struct cc_book_slot **)v)->e.addr;

        if (a->network != CC_NET_IPV4 && a->network != CC_NET_IPV6)
            continue;
        r.addresses++;
        found[count] = cc_asmap_find(b->providers, a);
        if (found[count])
            count++;
        else
            r.unmapped++;
    }
    qsort(found, count, sizeof(*found), by_number);
    for (size_t i = 0; i < count; i++)
        r.providers += !i || found[i] != found[i - 1];
    free(found);
    return r;
}

void cc_abook_reset(struct cc_addrbook *b)
{
    size_t pos = 0;
    void *v;

    while (cc_map_next(&b->map, &pos, NULL, &v))
        free(*(struct cc_book_slot **)v);
    cc_map_reset(&b->map);
    memset(b->fresh, 0, sizeof(b->fresh));
    memset(b->tried, 0, sizeof(b->tried));
    memset(b->fresh_in, 0, sizeof(b->fresh_in));
    memset(b->tried_in, 0, sizeof(b->tried_in));
    memset(b->fresh_count, 0, sizeof(b->fresh_count));
    memset(b->tried_count, 0, sizeof(b->tried_count));
    b->collision_count = 0;
}

void cc_abook_count(struct cc_addrbook *b, const struct cc_book_slot *s,
                    bool tried, bool more)
{
    size_t *count = tried ? b->tried_count : b->fresh_count;
    size_t *here = &count[s->e.addr.network];

    *count = more ? *count + 1 : *count - 1;
    *here = more ? *here + 1 : *here - 1;
}

void cc_addrbook_free(struct cc_addrbook *b)
{
    if (!b)
        return;
    cc_abook_reset(b);
    cc_map_clear(&b->map);
    free(b);
}

static void make_key(uint8_t out[CC_BOOK_KEY_LEN], const struct cc_netaddr *a)
{
    memset(out, 0, CC_BOOK_KEY_LEN);
    out[0] = a->network;
    memcpy(out + 1, a->bytes, a->len <= 32 ? a->len : 32);
    cc_put_u16le(out + 33, a->port);
}

struct cc_book_slot *cc_abook_find(const struct cc_addrbook *b,
                                   const struct cc_netaddr *a)
{
    uint8_t key[CC_BOOK_KEY_LEN];

    make_key(key, a);
    return cc_map_get_ptr(&b->map, key);
}

struct cc_book_slot *cc_abook_make(struct cc_addrbook *b,
                                   const struct cc_netaddr *a)
{
    struct cc_book_slot *s = cc_calloc(1, sizeof(*s));
    uint8_t key[CC_BOOK_KEY_LEN];

    s->e.addr = *a;
    make_key(key, a);
    cc_map_put_ptr(&b->map, key, s);
    return s;
}

/* --- Places --------------------------------------------------------------- */

/* SipHash over a label, a number and two strings. */
static uint64_t place_hash(const struct cc_addrbook *b, uint8_t label,
                           uint64_t n, const uint8_t *x, size_t x_len,
                           const uint8_t *y, size_t y_len)
{
    uint8_t buf[128];
    struct cc_writer w;

    cc_writer_init(&w, buf, sizeof(buf));
    cc_write_u8(&w, label);
    cc_write_u64le(&w, n);
    cc_write_var(&w, x, x_len);
    cc_write_var(&w, y, y_len);
    return cc_siphash(b->k0, b->k1, buf, w.len);
}

size_t cc_abook_slot_in(const struct cc_addrbook *b, size_t bucket,
                        const struct cc_netaddr *a)
{
    uint8_t key[CC_BOOK_KEY_LEN];

    make_key(key, a);
    return bucket * CC_BOOK_BUCKET_SIZE +
           (size_t)(place_hash(b, 3, bucket, key, CC_BOOK_KEY_LEN, NULL, 0) %
                    CC_BOOK_BUCKET_SIZE);
}

size_t cc_abook_new_slot(const struct cc_addrbook *b,
                         const struct cc_netaddr *a,
                         const struct cc_netaddr *source)
{
    uint8_t g[8], s[8];
    size_t g_len = cc_asmap_group(b->providers, a, g);
    size_t s_len = cc_asmap_group(b->providers, source, s);
    uint64_t n, bucket;

    n = place_hash(b, 1, 0, g, g_len, s, s_len) % BUCKETS_PER_SOURCE;
    bucket = place_hash(b, 2, n, s, s_len, NULL, 0) % CC_BOOK_NEW_BUCKETS;
    return cc_abook_slot_in(b, (size_t)bucket, a);
}

size_t cc_abook_tried_slot(const struct cc_addrbook *b,
                           const struct cc_netaddr *a)
{
    uint8_t key[CC_BOOK_KEY_LEN], g[8];
    size_t g_len = cc_asmap_group(b->providers, a, g);
    uint64_t n, bucket;

    make_key(key, a);
    n = place_hash(b, 4, 0, key, CC_BOOK_KEY_LEN, NULL, 0) % BUCKETS_PER_GROUP;
    bucket = place_hash(b, 5, n, g, g_len, NULL, 0) % CC_BOOK_TRIED_BUCKETS;
    return (size_t)(bucket * CC_BOOK_BUCKET_SIZE +
                    place_hash(b, 6, bucket, key, CC_BOOK_KEY_LEN, NULL, 0) %
                        CC_BOOK_BUCKET_SIZE);
}

/* Not worth its slot. */
static bool useless(const struct cc_book_entry *e, int64_t now)
{
    if (e->last_try && now - e->last_try < 60)
        return false; /* being tried just now */
    if (e->time > now + 600)
        return true;
    if (now - e->time > HORIZON_S)
        return true;
    if (!e->last_success && e->attempts >= RETRIES)
        return true;
    return now - e->last_success > 7 * 24 * 3600 && e->attempts >= MAX_FAILURES;
}

void cc_abook_delete(struct cc_addrbook *b, struct cc_book_slot *s)
{
    uint8_t key[CC_BOOK_KEY_LEN];

    make_key(key, &s->e.addr);
    cc_map_remove_ptr(&b->map, key);
    free(s);
}

void cc_abook_set(struct cc_addrbook *b, bool tried, size_t slot,
                  struct cc_book_slot *s)
{
    struct cc_book_slot **at = tried ? &b->tried[slot] : &b->fresh[slot];
    uint8_t *in = tried ? &b->tried_in[slot / CC_BOOK_BUCKET_SIZE]
                        : &b->fresh_in[slot / CC_BOOK_BUCKET_SIZE];

    *in = (uint8_t)(*in - (*at != NULL) + (s != NULL));
    *at = s;
}

/* Who is there has one place less; without any it is forgotten. */
static void vacate(struct cc_addrbook *b, size_t slot)
{
    struct cc_book_slot *s = b->fresh[slot];

    if (!s)
        return;
    cc_abook_set(b, false, slot, NULL);
    if (--s->refs)
        return;
    cc_abook_count(b, s, false, false);
    cc_abook_delete(b, s);
}

static void occupy(struct cc_addrbook *b, struct cc_book_slot *s, size_t slot)
{
    vacate(b, slot);
    cc_abook_set(b, false, slot, s);
    if (!s->refs++)
        cc_abook_count(b, s, false, true);
}

/* An address heard again from elsewhere gets more places, each half as likely
 * as the one before. Drawn under the key: nobody can tell which ones stick. */
static bool may_have_another(struct cc_addrbook *b, unsigned refs)
{
    return !(place_hash(b, 7, b->draws++, NULL, 0, NULL, 0) &
             ((UINT64_C(1) << refs) - 1));
}

bool cc_addrbook_add(struct cc_addrbook *b, const struct cc_netaddr *addr,
                     uint64_t services, int64_t time,
                     const struct cc_netaddr *source, int64_t now)
{
    struct cc_book_slot *s = cc_abook_find(b, addr), *old;
    bool newer = true;
    size_t slot;

    if (!cc_network_addr_len(addr->network) ||
        (!addr->port && addr->network != CC_NET_I2P))
        return false;
    if (time > now + 600 || time < 100000000)
        time = now - 5 * 24 * 3600; /* a wrong clock: neither fresh nor dead */
    if (s) {
        newer = time > s->e.time;
        if (newer)
            s->e.time = time;
        s->e.services |= services;
        if (!newer || s->e.tried || s->refs >= CC_BOOK_MAX_REFS ||
            !may_have_another(b, s->refs))
            return false;
    }
    slot = cc_abook_new_slot(b, addr, source);
    old = b->fresh[slot];
    /* Somebody's only place is not taken from him while he is any good. */
    if (old && (old == s || (!useless(&old->e, now) && (s || old->refs < 2))))
        return false;
    if (!s) {
        s = cc_abook_make(b, addr);
        s->e.source = *source;
        s->e.services = services;
        s->e.time = time;
    }
    occupy(b, s, slot);
    return true;
}

void cc_addrbook_attempt(struct cc_addrbook *b, const struct cc_netaddr *addr,
                         int64_t now)
{
    struct cc_book_slot *s = cc_abook_find(b, addr);

    if (!s)
        return;
    s->e.last_try = now;
    /* Counted once until something else succeeds: without a network all
     * attempts fail, and say nothing about the addresses. */
    if (s->last_count >= b->last_good)
        return;
    s->last_count = now;
    if (s->e.attempts < UINT32_MAX)
        s->e.attempts++;
}

/* --- From heard of to met ------------------------------------------------- */

static void move_to_tried(struct cc_addrbook *b, struct cc_book_slot *s,
                          size_t slot)
{
    struct cc_book_slot *old = b->tried[slot];

    for (size_t i = 0; s->refs && i < CC_BOOK_NEW_BUCKETS; i++) {
        size_t at = cc_abook_slot_in(b, i, &s->e.addr);

        if (b->fresh[at] != s)
            continue;
        cc_abook_set(b, false, at, NULL);
        s->refs--;
    }
    cc_abook_count(b, s, false, false);
    if (old) { /* back to where it came from */
        old->e.tried = false;
        cc_abook_count(b, old, true, false);
        occupy(b, old, cc_abook_new_slot(b, &old->e.addr, &old->e.source));
    }
    cc_abook_set(b, true, slot, s);
    s->e.tried = true;
    cc_abook_count(b, s, true, true);
}

/* Wait for a feeler to see whether the occupant of the slot still lives. */
static void note_collision(struct cc_addrbook *b, const struct cc_netaddr *a)
{
    for (size_t i = 0; i < b->collision_count; i++)
        if (cc_netaddr_equal(&b->collisions[i], a))
            return;
    if (b->collision_count < CC_BOOK_COLLISIONS)
        b->collisions[b->collision_count++] = *a;
}

bool cc_addrbook_good(struct cc_addrbook *b, const struct cc_netaddr *addr,
                      int64_t now)
{
    struct cc_book_slot *s = cc_abook_find(b, addr);
    size_t slot;

    b->last_good = now;
    if (!s)
        return false;
    s->e.last_success = s->e.last_try = now;
    s->e.attempts = 0;
    if (s->e.tried)
        return false;
    slot = cc_abook_tried_slot(b, addr);
    if (b->tried[slot]) {
        note_collision(b, addr);
        return false;
    }
    move_to_tried(b, s, slot);
    return true;
}

/* True: it is decided, one way or the other. */
static bool resolve(struct cc_addrbook *b, const struct cc_netaddr *a,
                    int64_t now)
{
    struct cc_book_slot *s = cc_abook_find(b, a), *old;
    size_t slot = cc_abook_tried_slot(b, a);

    if (!s || s->e.tried)
        return true;
    old = b->tried[slot];
    if (old && now - old->e.last_success < REPLACE_S)
        return true; /* it answered: the newcomer stays where it is */
    if (old && now - old->e.last_try < REPLACE_S) {
        if (now - old->e.last_try <= TEST_S)
            return false; /* being asked */
    } else if (old && now - s->e.last_success <= TEST_WINDOW_S) {
        return false; /* to be asked yet */
    }
    move_to_tried(b, s, slot);
    return true;
}

void cc_addrbook_resolve(struct cc_addrbook *b, int64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < b->collision_count; i++)
        if (!resolve(b, &b->collisions[i], now))
            b->collisions[kept++] = b->collisions[i];
    b->collision_count = kept;
}

bool cc_addrbook_select_collision(const struct cc_addrbook *b,
                                  uint64_t (*random)(void *arg), void *arg,
                                  struct cc_book_entry *out)
{
    const struct cc_book_slot *old;

    if (!b->collision_count)
        return false;
    old = b->tried[cc_abook_tried_slot(
        b, &b->collisions[random(arg) % b->collision_count])];
    if (!old)
        return false;
    *out = old->e;
    return true;
}

/* --- Small changes -------------------------------------------------------- */

void cc_addrbook_seen(struct cc_addrbook *b, const struct cc_netaddr *addr,
                      int64_t now)
{
    struct cc_book_slot *s = cc_abook_find(b, addr);

    if (s && now - s->e.time > 20 * 60)
        s->e.time = now;
}

void cc_addrbook_set_services(struct cc_addrbook *b,
                              const struct cc_netaddr *addr, uint64_t services)
{
    struct cc_book_slot *s = cc_abook_find(b, addr);

    if (s)
        s->e.services = services;
}

const struct cc_book_entry *cc_addrbook_find(const struct cc_addrbook *b,
                                             const struct cc_netaddr *addr)
{
    struct cc_book_slot *s = cc_abook_find(b, addr);

    return s ? &s->e : NULL;
}

/* --- Choosing ------------------------------------------------------------- */

/* The chance, of 2^16, that an entry is taken when it is drawn. */
static uint64_t chance(const struct cc_book_entry *e, int64_t now)
{
    uint64_t c = 1 << 16;
    uint32_t n = e->attempts < 8 ? e->attempts : 8;

    if (now - e->last_try < 600)
        c /= 100;
    while (n--)
        c = c * 2 / 3;
    return c;
}

/* Each bucket that holds anything is as likely as any other: who fills one of
 * them gains nothing by it. Of its places the first taken behind a random
 * one. */
static const struct cc_book_entry *draw(const struct cc_addrbook *b, bool tried,
                                        const uint16_t *buckets, size_t count,
                                        uint64_t (*random)(void *arg),
                                        void *arg)
{
    size_t first = buckets[random(arg) % count] * (size_t)CC_BOOK_BUCKET_SIZE;
    size_t i = (size_t)(random(arg) % CC_BOOK_BUCKET_SIZE);
    struct cc_book_slot *const *table = tried ? b->tried : b->fresh;

    while (!table[first + i])
        i = (i + 1) % CC_BOOK_BUCKET_SIZE;
    return &table[first + i]->e;
}

bool cc_addrbook_select(const struct cc_addrbook *b, bool new_only, int64_t now,
                        uint64_t (*random)(void *arg), void *arg,
                        struct cc_book_entry *out)
{
    uint16_t buckets[CC_BOOK_NEW_BUCKETS];
    uint64_t luck = 1; /* chances rise until something is taken */
    const struct cc_book_entry *e;
    const uint8_t *in;
    size_t all, count = 0;
    bool tried;

    if (!b->fresh_count[0] && (new_only || !b->tried_count[0]))
        return false;
    tried = !new_only && b->tried_count[0] &&
            (!b->fresh_count[0] || (random(arg) & 1));
    in = tried ? b->tried_in : b->fresh_in;
    all = tried ? CC_BOOK_TRIED_BUCKETS : CC_BOOK_NEW_BUCKETS;
    for (size_t i = 0; i < all; i++)
        if (in[i])
            buckets[count++] = (uint16_t)i;
    do {
        e = draw(b, tried, buckets, count, random, arg);
    } while ((random(arg) & 0xffff) >= chance(e, now) * luck++);
    *out = *e;
    return true;
}

size_t cc_addrbook_sample(const struct cc_addrbook *b, size_t max,
                          unsigned percent, unsigned network, int64_t now,
                          uint64_t (*random)(void *arg), void *arg,
                          struct cc_book_entry **out)
{
    struct cc_book_entry **all = cc_calloc(b->map.count + 1, sizeof(*all));
    size_t n = 0, want, pos = 0;
    void *v;

    while (cc_map_next(&b->map, &pos, NULL, &v)) {
        struct cc_book_entry *e = &(*(struct cc_book_slot **)v)->e;

        if ((!network || e->addr.network == network) && !useless(e, now))
            all[n++] = e;
    }
    want = b->map.count * percent / 100;
    if (max && want > max)
        want = max;
    if (want > n)
        want = n;
    *out = cc_calloc(want + 1, sizeof(**out));
    for (size_t i = 0; i < want; i++) { /* Fisher and Yates, as far as needed */
        size_t j = i + (size_t)(random(arg) % (n - i));
        struct cc_book_entry *t = all[j];

        all[j] = all[i];
        all[i] = t;
        (*out)[i] = *t;
    }
    free(all);
    return want;
}

void cc_addrbook_counts(const struct cc_addrbook *b, unsigned network,
                        size_t *fresh, size_t *tried)
{
    *fresh = b->fresh_count[network];
    *tried = b->tried_count[network];
}

bool cc_addrbook_next(const struct cc_addrbook *b, bool tried, size_t *slot,
                      struct cc_book_entry *out)
{
    struct cc_book_slot *const *table = tried ? b->tried : b->fresh;
    size_t slots = tried ? CC_BOOK_TRIED_SLOTS : CC_BOOK_NEW_SLOTS;

    for (; *slot < slots; ++*slot) {
        if (!table[*slot])
            continue;
        *out = table[*slot]->e;
        return true;
    }
    return false;
}
