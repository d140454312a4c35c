#include "net/addrbook.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "util/fs.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/reader.h"
#include "util/siphash.h"
#include "util/writer.h"

#define NEW_SLOTS (CC_BOOK_NEW_BUCKETS * CC_BOOK_BUCKET_SIZE)
#define TRIED_SLOTS (CC_BOOK_TRIED_BUCKETS * CC_BOOK_BUCKET_SIZE)
#define BUCKETS_PER_SOURCE 64
#define BUCKETS_PER_GROUP 8
#define HORIZON_S (30 * 24 * 3600)
#define RETRIES 3
#define MAX_FAILURES 10
#define FILE_MAGIC 0x42504343u /* "CCPB" */
#define FILE_VERSION 1
#define FILE_MAX (16 << 20)
#define KEY_LEN 36

struct entry {
    struct cc_book_entry e;
    size_t slot;
};

struct cc_addrbook {
    uint64_t k0, k1;
    struct cc_map map; /* KEY_LEN bytes of address and port -> struct entry * */
    struct entry *fresh[NEW_SLOTS], *tried[TRIED_SLOTS];
    size_t fresh_count, tried_count;
};

struct cc_addrbook *cc_addrbook_new(const uint8_t key[16])
{
    struct cc_addrbook *b = cc_calloc(1, sizeof(*b));

    b->k0 = cc_get_u64le(key);
    b->k1 = cc_get_u64le(key + 8);
    cc_map_init(&b->map, KEY_LEN, sizeof(struct entry *), key);
    return b;
}

static void forget_all(struct cc_addrbook *b)
{
    size_t pos = 0;
    void *v;

    while (cc_map_next(&b->map, &pos, NULL, &v))
        free(*(struct entry **)v);
    cc_map_reset(&b->map);
    memset(b->fresh, 0, sizeof(b->fresh));
    memset(b->tried, 0, sizeof(b->tried));
    b->fresh_count = b->tried_count = 0;
}

void cc_addrbook_free(struct cc_addrbook *b)
{
    if (!b)
        return;
    forget_all(b);
    cc_map_clear(&b->map);
    free(b);
}

static void make_key(uint8_t out[KEY_LEN], const struct cc_netaddr *a)
{
    memset(out, 0, KEY_LEN);
    out[0] = a->network;
    memcpy(out + 1, a->bytes, a->len <= 32 ? a->len : 32);
    cc_put_u16le(out + 33, a->port);
}

static struct entry *find(const struct cc_addrbook *b,
                          const struct cc_netaddr *a)
{
    uint8_t key[KEY_LEN];

    make_key(key, a);
    return cc_map_get_ptr(&b->map, key);
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

static size_t new_slot(const struct cc_addrbook *b, const struct cc_netaddr *a,
                       const struct cc_netaddr *source)
{
    uint8_t key[KEY_LEN], g[8], s[8];
    size_t g_len = cc_netaddr_group(a, g), s_len = cc_netaddr_group(source, s);
    uint64_t n, bucket;

    make_key(key, a);
    n = place_hash(b, 1, 0, g, g_len, s, s_len) % BUCKETS_PER_SOURCE;
    bucket = place_hash(b, 2, n, s, s_len, NULL, 0) % CC_BOOK_NEW_BUCKETS;
    return (size_t)(bucket * CC_BOOK_BUCKET_SIZE +
                    place_hash(b, 3, bucket, key, KEY_LEN, NULL, 0) %
                        CC_BOOK_BUCKET_SIZE);
}

static size_t tried_slot(const struct cc_addrbook *b,
                         const struct cc_netaddr *a)
{
    uint8_t key[KEY_LEN], g[8];
    size_t g_len = cc_netaddr_group(a, g);
    uint64_t n, bucket;

    make_key(key, a);
    n = place_hash(b, 4, 0, key, KEY_LEN, NULL, 0) % BUCKETS_PER_GROUP;
    bucket = place_hash(b, 5, n, g, g_len, NULL, 0) % CC_BOOK_TRIED_BUCKETS;
    return (size_t)(bucket * CC_BOOK_BUCKET_SIZE +
                    place_hash(b, 6, bucket, key, KEY_LEN, NULL, 0) %
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

static void unplace(struct cc_addrbook *b, struct entry *t)
{
    if (t->e.tried) {
        b->tried[t->slot] = NULL;
        b->tried_count--;
    } else {
        b->fresh[t->slot] = NULL;
        b->fresh_count--;
    }
}

static void drop(struct cc_addrbook *b, struct entry *t)
{
    uint8_t key[KEY_LEN];

    make_key(key, &t->e.addr);
    cc_map_remove_ptr(&b->map, key);
    unplace(b, t);
    free(t);
}

static void place_new(struct cc_addrbook *b, struct entry *t, size_t slot)
{
    t->e.tried = false;
    t->slot = slot;
    b->fresh[slot] = t;
    b->fresh_count++;
}

static void place_tried(struct cc_addrbook *b, struct entry *t, size_t slot)
{
    t->e.tried = true;
    t->slot = slot;
    b->tried[slot] = t;
    b->tried_count++;
}

bool cc_addrbook_add(struct cc_addrbook *b, const struct cc_netaddr *addr,
                     uint64_t services, int64_t time,
                     const struct cc_netaddr *source, int64_t now)
{
    struct entry *t = find(b, addr), *old;
    uint8_t key[KEY_LEN];
    size_t slot;

    if (!cc_network_addr_len(addr->network) || !addr->port)
        return false;
    if (time > now + 600 || time < 100000000)
        time = now - 5 * 24 * 3600; /* a wrong clock: neither fresh nor dead */
    if (t) {
        if (time > t->e.time)
            t->e.time = time;
        t->e.services |= services;
        return false;
    }
    slot = new_slot(b, addr, source);
    old = b->fresh[slot];
    if (old && !useless(&old->e, now))
        return false;
    if (old)
        drop(b, old);
    t = cc_calloc(1, sizeof(*t));
    t->e.addr = *addr;
    t->e.source = *source;
    t->e.services = services;
    t->e.time = time;
    make_key(key, addr);
    cc_map_put_ptr(&b->map, key, t);
    place_new(b, t, slot);
    return true;
}

void cc_addrbook_attempt(struct cc_addrbook *b, const struct cc_netaddr *addr,
                         int64_t now)
{
    struct entry *t = find(b, addr);

    if (!t)
        return;
    t->e.last_try = now;
    if (t->e.attempts < UINT32_MAX)
        t->e.attempts++;
}

bool cc_addrbook_good(struct cc_addrbook *b, const struct cc_netaddr *addr,
                      int64_t now)
{
    struct entry *t = find(b, addr), *old;
    size_t slot;

    if (!t)
        return false;
    t->e.last_success = t->e.last_try = t->e.time = now;
    t->e.attempts = 0;
    if (t->e.tried)
        return true;
    slot = tried_slot(b, addr);
    old = b->tried[slot];
    if (old) {
        size_t back = new_slot(b, &old->e.addr, &old->e.source);

        /* One that worked in the last hours keeps its place. */
        if (now - old->e.last_success < 4 * 3600)
            return false;
        unplace(b, old);
        unplace(b, t);
        if (b->fresh[back])
            drop(b, b->fresh[back]);
        place_new(b, old, back);
    } else {
        unplace(b, t);
    }
    place_tried(b, t, slot);
    return true;
}

void cc_addrbook_seen(struct cc_addrbook *b, const struct cc_netaddr *addr,
                      int64_t now)
{
    struct entry *t = find(b, addr);

    if (t && now - t->e.time > 20 * 60)
        t->e.time = now;
}

void cc_addrbook_set_services(struct cc_addrbook *b,
                              const struct cc_netaddr *addr, uint64_t services)
{
    struct entry *t = find(b, addr);

    if (t)
        t->e.services = services;
}

const struct cc_book_entry *cc_addrbook_find(const struct cc_addrbook *b,
                                             const struct cc_netaddr *addr)
{
    struct entry *t = find(b, addr);

    return t ? &t->e : NULL;
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

bool cc_addrbook_select(const struct cc_addrbook *b, bool new_only, int64_t now,
                        uint64_t (*random)(void *arg), void *arg,
                        struct cc_book_entry *out)
{
    uint64_t luck = 1; /* chances rise until something is taken */
    struct entry *const *table;
    size_t slots;
    bool tried;

    if (new_only ? !b->fresh_count : !b->fresh_count && !b->tried_count)
        return false;
    tried =
        !new_only && b->tried_count && (!b->fresh_count || (random(arg) & 1));
    table = tried ? b->tried : b->fresh;
    slots = tried ? TRIED_SLOTS : NEW_SLOTS;
    for (;;) {
        size_t i = (size_t)(random(arg) % slots);

        while (!table[i])
            i = (i + 1) % slots;
        if ((random(arg) & 0xffff) < chance(&table[i]->e, now) * luck) {
            *out = table[i]->e;
            return true;
        }
        luck++;
    }
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
        struct cc_book_entry *e = &(*(struct entry **)v)->e;

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
    size_t pos = 0;
    void *v;

    *fresh = *tried = 0;
    while (cc_map_next(&b->map, &pos, NULL, &v)) {
        struct cc_book_entry *e = &(*(struct entry **)v)->e;

        if (network && e->addr.network != network)
            continue;
        if (e->tried)
            ++*tried;
        else
            ++*fresh;
    }
}

/* --- The file --------------------------------------------------------------
 *
 * magic 4, version 1, the book's secret key 16 (so that each address finds its
 * slot again), count 4, then per entry: address, source (each network
 * 1, bytes as BIP 155 fixes, port 2), services 8, time 8, last_success 8,
 * attempts 4, tried 1; at the end the hash256 of all before, 32.
 */
static void write_addr(struct cc_writer *w, const struct cc_netaddr *a)
{
    cc_write_u8(w, a->network);
    cc_write_bytes(w, a->bytes, cc_network_addr_len(a->network));
    cc_write_u16le(w, a->port);
}

static void read_addr(struct cc_reader *r, struct cc_netaddr *a)
{
    memset(a, 0, sizeof(*a));
    a->network = cc_read_u8(r);
    a->len = (uint8_t)cc_network_addr_len(a->network);
    if (!a->len)
        r->failed = true;
    cc_read_bytes(r, a->bytes, a->len);
    a->port = cc_read_u16le(r);
}

enum cc_status cc_addrbook_save(const struct cc_addrbook *b, const char *path,
                                struct cc_error *err)
{
    struct cc_writer w;
    enum cc_status st;
    uint8_t hash[32];
    size_t pos = 0;
    void *v;

    cc_writer_init_heap(&w);
    cc_write_u32le(&w, FILE_MAGIC);
    cc_write_u8(&w, FILE_VERSION);
    cc_write_u64le(&w, b->k0);
    cc_write_u64le(&w, b->k1);
    cc_write_u32le(&w, (uint32_t)b->map.count);
    while (cc_map_next(&b->map, &pos, NULL, &v)) {
        const struct cc_book_entry *e = &(*(struct entry **)v)->e;

        write_addr(&w, &e->addr);
        write_addr(&w, &e->source);
        cc_write_u64le(&w, e->services);
        cc_write_u64le(&w, (uint64_t)e->time);
        cc_write_u64le(&w, (uint64_t)e->last_success);
        cc_write_u32le(&w, e->attempts);
        cc_write_u8(&w, e->tried);
    }
    cc_hash256(hash, w.data, w.len);
    cc_write_bytes(&w, hash, 32);
    st = cc_fs_write(path, w.data, w.len, 0600, err);
    cc_writer_clear(&w);
    return st;
}

static void read_entry(struct cc_addrbook *b, struct cc_reader *r, int64_t now)
{
    struct cc_book_entry e;
    struct entry *t;
    uint8_t key[KEY_LEN];
    size_t slot;
    bool tried;

    memset(&e, 0, sizeof(e));
    read_addr(r, &e.addr);
    read_addr(r, &e.source);
    e.services = cc_read_u64le(r);
    e.time = (int64_t)cc_read_u64le(r);
    e.last_success = (int64_t)cc_read_u64le(r);
    e.attempts = cc_read_u32le(r);
    tried = cc_read_u8(r) != 0;
    if (e.time < 0 || e.time > now + 600)
        e.time = now;
    if (e.last_success < 0 || e.last_success > now)
        e.last_success = 0;
    if (r->failed)
        return;
    slot = tried ? tried_slot(b, &e.addr) : new_slot(b, &e.addr, &e.source);
    if ((tried ? b->tried : b->fresh)[slot] || find(b, &e.addr))
        return; /* never so in a file of ours */
    t = cc_calloc(1, sizeof(*t));
    t->e = e;
    make_key(key, &e.addr);
    cc_map_put_ptr(&b->map, key, t);
    if (tried)
        place_tried(b, t, slot);
    else
        place_new(b, t, slot);
}

enum cc_status cc_addrbook_decode(struct cc_addrbook *b, const void *data,
                                  size_t len, int64_t now)
{
    struct cc_reader r;
    uint8_t hash[32];
    uint32_t count;

    if (len < 4 + 1 + 16 + 4 + 32)
        return CC_CORRUPT;
    cc_hash256(hash, data, len - 32);
    if (memcmp(hash, (const uint8_t *)data + len - 32, 32))
        return CC_CORRUPT;
    cc_reader_init(&r, data, len - 32);
    if (cc_read_u32le(&r) != FILE_MAGIC || cc_read_u8(&r) != FILE_VERSION)
        return CC_CORRUPT;
    b->k0 = cc_read_u64le(&r);
    b->k1 = cc_read_u64le(&r);
    count = cc_read_u32le(&r);
    for (uint32_t i = 0; i < count && !r.failed; i++)
        read_entry(b, &r, now);
    if (!cc_reader_done(&r)) {
        forget_all(b);
        return CC_CORRUPT;
    }
    return CC_OK;
}

enum cc_status cc_addrbook_load(struct cc_addrbook *b, const char *path,
                                int64_t now, struct cc_error *err)
{
    uint8_t *data;
    size_t len;
    enum cc_status st = cc_fs_read(path, FILE_MAX, &data, &len, err);

    if (st != CC_OK)
        return st;
    st = cc_addrbook_decode(b, data, len, now);
    free(data);
    if (st != CC_OK)
        return cc_fail(err, st, "%s is damaged", path);
    return CC_OK;
}
