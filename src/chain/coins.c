#include "chain/coins.h"

#include <stdlib.h>

#include "util/hex.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/random.h"

#define OP_STORAGE 0xbb
#define KEY_LEN 36 /* in memory: txid ‖ index */

enum {
    COINBASE = 1,
    DIRTY = 2, /* the database has something else */
    FRESH = 4, /* the database has nothing under this key */
    SPENT = 8, /* to be deleted there; a storage coin keeps its bytes, from
                * which its places in the lists are told */
};

struct entry {
    struct cc_outpoint o;
    uint32_t height;
    cc_amount value;
    uint32_t script_len;
    uint32_t place; /* among the dirty, if it is one */
    uint8_t flags;
    uint8_t script[];
};

struct cc_coins {
    struct cc_db *db;
    unsigned family, typed_family;
    bool typed;
    struct cc_map map; /* KEY_LEN bytes to struct entry * */
    size_t budget, bytes;
    uint64_t drops;
    struct entry **dirty; /* so that a flush asks no others */
    size_t dirty_count, dirty_cap;
    struct entry *scratch; /* read while the cache is full */
};

static void new_map(struct cc_map *m)
{
    uint8_t seed[16];

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(m, KEY_LEN, sizeof(struct entry *), seed);
}

struct cc_coins *cc_coins_new(struct cc_db *db, unsigned family,
                              unsigned typed_family, bool typed, size_t budget)
{
    struct cc_coins *c = cc_calloc(1, sizeof(*c));

    c->db = db;
    c->family = family;
    c->typed_family = typed_family;
    c->typed = typed;
    c->budget = budget;
    new_map(&c->map);
    return c;
}

void cc_coins_drop(struct cc_map *garbage)
{
    size_t pos = 0;
    void *value;

    while (cc_map_next(garbage, &pos, NULL, &value))
        free(*(struct entry **)value);
    cc_map_clear(garbage);
}

void cc_coins_free(struct cc_coins *c)
{
    if (!c)
        return;
    cc_coins_drop(&c->map);
    free(c->dirty);
    free(c->scratch);
    free(c);
}

static void map_key(uint8_t key[KEY_LEN], const struct cc_outpoint *o)
{
    memcpy(key, o->txid, 32);
    cc_put_u32le(key + 32, o->index);
}

/* What an entry costs: itself, the allocator's word or two, its slot at the
 * map's usual load. */
static size_t entry_cost(const struct entry *e)
{
    return sizeof(*e) + e->script_len + 16 + 2 * (KEY_LEN + 8 + 4);
}

static struct entry *entry_new(const struct cc_outpoint *o,
                               const struct cc_coin *coin, uint8_t flags)
{
    struct entry *e = cc_malloc(sizeof(*e) + coin->out.script.len);

    e->o = *o;
    e->value = coin->out.value;
    e->height = coin->height;
    e->script_len = (uint32_t)coin->out.script.len;
    e->flags = (uint8_t)(flags | (coin->coinbase ? COINBASE : 0));
    if (e->script_len)
        memcpy(e->script, coin->out.script.data, e->script_len);
    return e;
}

static void entry_coin(const struct entry *e, struct cc_coin *coin)
{
    coin->out.value = e->value;
    coin->out.script = cc_bytes(e->script, e->script_len);
    coin->height = e->height;
    coin->coinbase = e->flags & COINBASE;
}

static bool is_typed(const struct cc_coins *c, const struct entry *e)
{
    return c->typed && e->script_len && e->script[0] == OP_STORAGE;
}

static enum cc_status decode(const struct cc_outpoint *o, struct cc_bytes value,
                             struct cc_coin *coin, struct cc_arena *arena,
                             struct cc_error *err)
{
    struct cc_reader r;
    char hex[65];

    cc_reader_init(&r, value.data, value.len);
    cc_coin_read(&r, coin, arena);
    if (cc_reader_done(&r))
        return CC_OK;
    cc_hex_encode_rev(hex, o->txid, 32);
    return cc_fail(err, CC_CORRUPT, "the stored coin %s:%lu does not decode",
                   hex, (unsigned long)o->index);
}

static void insert_clean(struct cc_coins *c, struct entry *e)
{
    uint8_t key[KEY_LEN];

    map_key(key, &e->o);
    cc_map_put_ptr(&c->map, key, e);
    c->bytes += entry_cost(e);
}

enum cc_status cc_coins_get(struct cc_coins *c, const struct cc_outpoint *o,
                            struct cc_coin *coin, struct cc_error *err)
{
    uint8_t key[KEY_LEN], db_key[CC_COIN_KEY_MAX];
    struct cc_db_value value;
    struct cc_arena arena;
    struct entry *e;
    enum cc_status st;

    map_key(key, o);
    e = cc_map_get_ptr(&c->map, key);
    if (e) {
        if (e->flags & SPENT)
            return CC_NOTFOUND;
        entry_coin(e, coin);
        return CC_OK;
    }
    st = cc_db_get(c->db, c->family, cc_bytes(db_key, cc_coin_key(db_key, o)),
                   &value, err);
    if (st != CC_OK)
        return st;
    cc_arena_init(&arena);
    st = decode(o, value.bytes, coin, &arena, err);
    if (st == CC_OK) {
        e = entry_new(o, coin, 0);
        if (cc_coins_full(c)) {
            free(c->scratch);
            c->scratch = e;
        } else {
            insert_clean(c, e);
        }
        entry_coin(e, coin);
    }
    cc_arena_clear(&arena);
    cc_db_value_clear(&value);
    return st;
}

/* One coin to fetch: its key in the database, and which it is. */
struct wanted {
    uint8_t key[CC_COIN_KEY_MAX];
    uint8_t len;
    const struct cc_outpoint *o;
    size_t at; /* in the caller's list */
};

static int by_key(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;

    return memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);
}

static enum cc_status fetch_sorted(struct cc_coins *c,
                                   const struct wanted *want, size_t count,
                                   struct cc_error *err)
{
    struct cc_bytes *keys = cc_reallocarray(NULL, count, sizeof(*keys));
    struct cc_db_value *values = cc_reallocarray(NULL, count, sizeof(*values));
    struct cc_arena arena;
    enum cc_status st;

    for (size_t i = 0; i < count; i++)
        keys[i] = cc_bytes(want[i].key, want[i].len);
    st = cc_db_get_many(c->db, c->family, keys, count, values, err);
    if (st != CC_OK)
        goto out;
    cc_arena_init(&arena);
    for (size_t i = 0; i < count; i++) {
        struct cc_coin coin;

        bool again = i && !by_key(&want[i - 1], &want[i]);

        if (values[i].pin && !again && st == CC_OK) {
            st = decode(want[i].o, values[i].bytes, &coin, &arena, err);
            if (st == CC_OK)
                insert_clean(c, entry_new(want[i].o, &coin, 0));
        }
        cc_db_value_clear(&values[i]);
    }
    cc_arena_clear(&arena);
out:
    free(keys);
    free(values);
    return st;
}

/* Entry e, or its absence, for the caller's list. */
static void found(struct cc_coin *coin, const struct entry *e)
{
    if (e && !(e->flags & SPENT))
        entry_coin(e, coin);
    else
        coin->out.value = -1;
}

enum cc_status cc_coins_fetch(struct cc_coins *c,
                              const struct cc_outpoint *const *o, size_t count,
                              struct cc_coin *coins, struct cc_error *err)
{
    struct wanted *want = NULL;
    size_t n = 0, cap = 0;
    uint8_t key[KEY_LEN];
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < count; i++) {
        const struct entry *e;

        map_key(key, o[i]);
        e = cc_map_get_ptr(&c->map, key);
        if (coins)
            found(&coins[i], e);
        if (e)
            continue;
        want = cc_grow(want, &cap, n + 1, sizeof(*want));
        want[n].o = o[i];
        want[n].at = i;
        want[n].len = (uint8_t)cc_coin_key(want[n].key, o[i]);
        n++;
    }
    if (!n)
        return CC_OK;
    qsort(want, n, sizeof(*want), by_key);
    st = fetch_sorted(c, want, n, err);
    for (size_t i = 0; coins && st == CC_OK && i < n; i++) {
        map_key(key, want[i].o);
        found(&coins[want[i].at], cc_map_get_ptr(&c->map, key));
    }
    free(want);
    return st;
}

static void add_dirty(struct cc_coins *c, struct entry *e)
{
    if (e->flags & DIRTY)
        return;
    e->flags |= DIRTY;
    c->dirty =
        cc_grow(c->dirty, &c->dirty_cap, c->dirty_count + 1, sizeof(*c->dirty));
    e->place = (uint32_t)c->dirty_count;
    c->dirty[c->dirty_count++] = e;
}

static void remove_dirty(struct cc_coins *c, const struct entry *e)
{
    struct entry *last = c->dirty[--c->dirty_count];

    c->dirty[e->place] = last;
    last->place = e->place;
}

void cc_coins_add(struct cc_coins *c, const struct cc_outpoint *o,
                  const struct cc_coin *coin)
{
    uint8_t key[KEY_LEN];
    struct entry *old, *e, **slot;

    map_key(key, o);
    slot = cc_map_put(&c->map, key, NULL);
    old = *slot;
    if (old && !(old->flags & SPENT))
        abort(); /* there already: the caller did not ask */
    e = entry_new(o, coin, 0);
    *slot = e;
    c->bytes += entry_cost(e);
    if (old) { /* spent here, still stored there: e takes its place */
        c->bytes -= entry_cost(old);
        remove_dirty(c, old);
        free(old);
    } else {
        e->flags |= FRESH;
    }
    add_dirty(c, e);
}

void cc_coins_spend(struct cc_coins *c, const struct cc_outpoint *o)
{
    uint8_t key[KEY_LEN];
    struct entry *e;

    map_key(key, o);
    e = cc_map_get_ptr(&c->map, key);
    if (!e || e->flags & SPENT)
        abort(); /* not there: the caller did not ask */
    if (e->flags & FRESH) {
        c->bytes -= entry_cost(e);
        remove_dirty(c, e);
        cc_map_remove_ptr(&c->map, key);
        free(e);
        return;
    }
    add_dirty(c, e);
    e->flags |= SPENT;
    if (!is_typed(c, e)) {
        c->bytes -= e->script_len;
        e->script_len = 0;
    }
}

/* --- Lists of storage coins -------------------------------------------- */

#define LIST_KEY_MAX (1 + 1 + 32 + 4 + CC_COIN_KEY_MAX)
/* By name: 'n' ‖ kind ‖ id ‖ 2^32 - 1 - sequence, big-endian ‖ coin key.
 * By key: 'k' ‖ key ‖ kind ‖ coin key. Both hold the coin's value. */

static size_t name_key(uint8_t out[LIST_KEY_MAX], const struct cc_typed *t,
                       const struct cc_outpoint *o)
{
    uint32_t sequence =
        t->kind == CC_KIND_IDENTITY ? t->u.identity.sequence : 0;

    out[0] = 'n';
    out[1] = (uint8_t)t->kind;
    cc_typed_id(out + 2, t, o);
    cc_put_u32be(out + 34, UINT32_MAX - sequence);
    return 38 + cc_coin_key(out + 38, o);
}

static size_t part_key(uint8_t out[LIST_KEY_MAX], const struct cc_typed *t,
                       const uint8_t key[32], const struct cc_outpoint *o)
{
    out[0] = 'k';
    memcpy(out + 1, key, 32);
    out[33] = (uint8_t)t->kind;
    return 34 + cc_coin_key(out + 34, o);
}

/* The keys with a part in t; returns how many. */
static size_t parts(const struct cc_typed *t, const uint8_t *keys[2])
{
    size_t n = cc_typed_signers(keys, t);

    return n == 2 && !memcmp(keys[0], keys[1], 32) ? 1 : n;
}

static void list(struct cc_coins *c, struct cc_db_batch *batch,
                 const struct entry *e, struct cc_bytes value)
{
    uint8_t name[LIST_KEY_MAX], part[2][LIST_KEY_MAX];
    struct cc_bytes keys[3];
    const uint8_t *who[2];
    struct cc_typed t;
    size_t n;

    if (cc_typed_parse(&t, cc_bytes(e->script, e->script_len), NULL) != CC_OK)
        return;
    n = parts(&t, who);
    if (!n)
        return;
    keys[0] = cc_bytes(name, name_key(name, &t, &e->o));
    for (size_t i = 0; i < n; i++)
        keys[i + 1] = cc_bytes(part[i], part_key(part[i], &t, who[i], &e->o));
    for (size_t i = 0; i < n + 1; i++) {
        if (e->flags & SPENT)
            cc_db_batch_delete(batch, c->db, c->typed_family, keys[i]);
        else
            cc_db_batch_put(batch, c->db, c->typed_family, keys[i], value);
    }
}

static int by_outpoint(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a;
    const struct entry *y = *(struct entry *const *)b;
    int d = memcmp(x->o.txid, y->o.txid, 32);

    if (d)
        return d;
    return x->o.index < y->o.index ? -1 : x->o.index > y->o.index;
}

/* In order of keys: the store takes neighbours faster than strangers. */
void cc_coins_flush(struct cc_coins *c, struct cc_db_batch *batch)
{
    struct cc_writer w;

    if (c->dirty_count)
        qsort(c->dirty, c->dirty_count, sizeof(*c->dirty), by_outpoint);
    cc_writer_init_heap(&w);
    for (size_t i = 0; i < c->dirty_count; i++) {
        struct entry *e = c->dirty[i];
        uint8_t key[CC_COIN_KEY_MAX];
        struct cc_bytes k = cc_bytes(key, cc_coin_key(key, &e->o));
        struct cc_coin coin;

        e->place = (uint32_t)i;
        w.len = 0;
        if (e->flags & SPENT) {
            cc_db_batch_delete(batch, c->db, c->family, k);
        } else {
            entry_coin(e, &coin);
            cc_coin_write(&w, &coin);
            cc_db_batch_put(batch, c->db, c->family, k,
                            cc_bytes(w.data, w.len));
        }
        if (is_typed(c, e))
            list(c, batch, e, cc_bytes(w.data, w.len));
    }
    cc_writer_clear(&w);
}

bool cc_coins_flushed(struct cc_coins *c, size_t most, struct cc_map *garbage)
{
    new_map(garbage);
    if (c->bytes > c->budget / 2) {
        *garbage = c->map;
        new_map(&c->map);
        c->bytes = c->dirty_count = 0;
        c->drops++;
        return true;
    }
    /* from the end: what is left of the list is what is left to be done */
    while (c->dirty_count && most--) {
        struct entry *e = c->dirty[--c->dirty_count];
        uint8_t key[KEY_LEN];

        if (e->flags & SPENT) {
            map_key(key, &e->o);
            cc_map_remove_ptr(&c->map, key);
            c->bytes -= entry_cost(e);
            free(e);
        } else {
            e->flags &= COINBASE;
        }
    }
    return !c->dirty_count;
}

uint64_t cc_coins_drops(const struct cc_coins *c) { return c->drops; }

size_t cc_coins_count(const struct cc_coins *c) { return c->map.count; }

size_t cc_coins_memory(const struct cc_coins *c) { return c->bytes; }

bool cc_coins_full(const struct cc_coins *c) { return c->bytes >= c->budget; }

bool cc_coins_dirty(const struct cc_coins *c) { return c->dirty_count > 0; }

uint64_t cc_coins_unsaved(const struct cc_coins *c)
{
    return (uint64_t)c->dirty_count * CC_COIN_RECORD_BYTES;
}

/* at: where the coin's key starts in each list key. */
static enum cc_status each(struct cc_coins *c, struct cc_bytes prefix,
                           size_t at, const struct cc_db_snapshot *snapshot,
                           bool (*fn)(void *arg, const struct cc_outpoint *o,
                                      const struct cc_coin *coin),
                           void *arg, struct cc_error *err)
{
    struct cc_db_iter *it =
        cc_db_iter_new(c->db, c->typed_family, prefix, snapshot);
    struct cc_bytes key, value;
    enum cc_status st = CC_OK;

    while (st == CC_OK && cc_db_iter_next(it, &key, &value)) {
        struct cc_outpoint o;
        struct cc_coin coin;
        struct cc_arena arena;
        bool more = true;

        if (key.len < at ||
            !cc_coin_key_read(&o, cc_bytes(key.data + at, key.len - at))) {
            st = cc_fail(err, CC_CORRUPT,
                         "a key in the list of storage coins is damaged");
            break;
        }
        cc_arena_init(&arena);
        st = decode(&o, value, &coin, &arena, err);
        if (st == CC_OK)
            more = fn(arg, &o, &coin);
        cc_arena_clear(&arena);
        if (!more)
            break;
    }
    if (st == CC_OK)
        st = cc_db_iter_status(it, err);
    cc_db_iter_free(it);
    return st;
}

enum cc_status
cc_coins_each_name(struct cc_coins *c, enum cc_kind kind, const uint8_t *id,
                   const struct cc_db_snapshot *snapshot,
                   bool (*fn)(void *arg, const struct cc_outpoint *o,
                              const struct cc_coin *coin),
                   void *arg, struct cc_error *err)
{
    uint8_t prefix[34] = {'n', (uint8_t)kind};
    size_t len = kind == CC_KIND_NONE ? 1 : id ? 34 : 2;

    if (id)
        memcpy(prefix + 2, id, 32);
    return each(c, cc_bytes(prefix, len), 38, snapshot, fn, arg, err);
}

enum cc_status cc_coins_each_key(struct cc_coins *c, const uint8_t key[32],
                                 const struct cc_db_snapshot *snapshot,
                                 bool (*fn)(void *arg,
                                            const struct cc_outpoint *o,
                                            const struct cc_coin *coin),
                                 void *arg, struct cc_error *err)
{
    uint8_t prefix[33] = {'k'};

    memcpy(prefix + 1, key, 32);
    return each(c, cc_bytes(prefix, sizeof(prefix)), 34, snapshot, fn, arg,
                err);
}
