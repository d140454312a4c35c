/* What others may ask of the chain. */
#include <stdlib.h>

#include "chain/internal.h"
#include "util/mem.h"

#define LOCATOR_MAX 32

const struct cc_params *cc_chain_params(const struct cc_chain *c)
{
    return c->params;
}

struct cc_index *cc_chain_tip(struct cc_chain *c)
{
    struct cc_index *i;

    cc_chain_lock(c);
    i = c->tip;
    cc_chain_unlock(c);
    return i;
}

struct cc_index *cc_chain_genesis(struct cc_chain *c)
{
    return c->tree.genesis;
}

struct cc_index *cc_chain_best_header(struct cc_chain *c)
{
    struct cc_index *i;

    cc_chain_lock(c);
    i = c->tree.best_header;
    cc_chain_unlock(c);
    return i;
}

struct cc_index *cc_chain_find(struct cc_chain *c, const uint8_t hash[32])
{
    struct cc_index *i;

    cc_chain_lock(c);
    i = cc_tree_find(&c->tree, hash);
    cc_chain_unlock(c);
    return i;
}

struct cc_index *cc_chain_at(struct cc_chain *c, uint32_t height)
{
    struct cc_index *i;

    cc_chain_lock(c);
    i = height <= c->tip->height ? c->at[height] : NULL;
    cc_chain_unlock(c);
    return i;
}

bool cc_chain_contains(struct cc_chain *c, const struct cc_index *i)
{
    return cc_chain_at(c, i->height) == i;
}

struct cc_index_look cc_chain_look(struct cc_chain *c, const struct cc_index *i)
{
    struct cc_index_look look;

    cc_chain_lock(c);
    look.status = i->status;
    look.tx_count = i->tx_count;
    look.chain_tx = i->chain_tx;
    look.state = i->state;
    look.active = cc_chain_contains(c, i);
    cc_chain_unlock(c);
    return look;
}

bool cc_chain_reached(struct cc_chain *c)
{
    bool reached;

    cc_chain_lock(c);
    reached = c->reached;
    cc_chain_unlock(c);
    return reached;
}

/* A latch, as in Core: once out, never in again until the next start. */
bool cc_chain_in_ibd(struct cc_chain *c)
{
    if (!atomic_load_explicit(&c->ibd, memory_order_relaxed))
        return false;
    cc_chain_lock(c);
    if (cc_u256_cmp(&c->tip->work, &c->params->minimum_chain_work) >= 0 &&
        c->tip->header.time >= c->now(c->now_arg) - c->max_tip_age_s &&
        atomic_load(&c->ibd)) {
        atomic_store(&c->ibd, false);
        cc_log(c->log, "Leaving InitialBlockDownload (latching to false)");
    }
    cc_chain_unlock(c);
    return atomic_load(&c->ibd);
}

/* Blocks are counted, not transactions: a chain without a known rate has no
 * better measure. The headers tell how far there is to go. Bitcoin expects no
 * transactions on its regtest, so that all of it is always there. */
double cc_chain_progress(struct cc_chain *c, const struct cc_index *tip,
                         int64_t now)
{
    const struct cc_index *best = cc_chain_best_header(c);
    double total = best ? best->height : 0;
    int64_t behind = best ? now - best->header.time : 0;
    const struct cc_params *p = cc_chain_params(c);

    if (!p->storage_active)
        return 1;
    if (!p->no_retarget && p->spacing_s > 0 && behind > 0)
        total += (double)behind / (double)p->spacing_s;
    if (total <= tip->height)
        return 1;
    return (double)tip->height / total;
}

size_t cc_chain_index_count(struct cc_chain *c)
{
    size_t n;

    cc_chain_lock(c);
    n = c->tree.by_hash.count;
    cc_chain_unlock(c);
    return n;
}

void cc_chain_each(struct cc_chain *c,
                   bool (*fn)(void *arg, struct cc_index *i), void *arg)
{
    size_t pos = 0;
    void *slot;

    cc_chain_lock(c);
    while (cc_map_next(&c->tree.by_hash, &pos, NULL, &slot))
        if (!fn(arg, *(struct cc_index **)slot))
            break;
    cc_chain_unlock(c);
}

/* Ten steps of one, then doubling; genesis always comes last. */
size_t cc_chain_locator(struct cc_chain *c, const struct cc_index *i,
                        uint8_t (*out)[32], size_t room)
{
    uint32_t step = 1;
    size_t n = 0;

    if (room > LOCATOR_MAX)
        room = LOCATOR_MAX;
    cc_chain_lock(c);
    if (!i)
        i = c->tip;
    while (n < room) {
        if (n + 1 == room)
            i = c->tree.genesis;
        memcpy(out[n++], i->hash, 32);
        if (i->height == 0)
            break;
        i = cc_index_ancestor(i, i->height > step ? i->height - step : 0);
        if (n > 10)
            step = step > UINT32_MAX / 2 ? step : step * 2;
    }
    cc_chain_unlock(c);
    return n;
}

struct cc_index *cc_chain_find_fork(struct cc_chain *c,
                                    const uint8_t (*locator)[32], size_t n)
{
    struct cc_index *found = NULL;

    cc_chain_lock(c);
    for (size_t k = 0; k < n && !found; k++) {
        struct cc_index *i = cc_tree_find(&c->tree, locator[k]);

        if (!i)
            continue;
        if (cc_chain_contains(c, i))
            found = i;
        else if (cc_index_ancestor(i, c->tip->height) == c->tip)
            found = c->tip;
    }
    cc_chain_unlock(c);
    return found ? found : c->tree.genesis;
}

/* --- Coins -------------------------------------------------------------- */

enum cc_status cc_chain_coin(struct cc_chain *c, const struct cc_outpoint *o,
                             struct cc_coin *coin, struct cc_arena *arena,
                             struct cc_error *err)
{
    enum cc_status st;

    cc_chain_lock(c);
    st = cc_chain_check_failed(c, err);
    if (st == CC_OK)
        st = cc_coins_get(c->coins, o, coin, err);
    if (st == CC_OK)
        coin->out.script.data =
            cc_arena_dup(arena, coin->out.script.data, coin->out.script.len);
    cc_chain_unlock(c);
    return st;
}

enum cc_status cc_chain_each_coin(struct cc_chain *c,
                                  bool (*fn)(void *arg,
                                             const struct cc_outpoint *o,
                                             const struct cc_coin *coin),
                                  void *arg, struct cc_error *err)
{
    struct cc_index *at;

    return cc_chain_each_coin_at(c, &at, fn, arg, err);
}

enum cc_status cc_chain_each_coin_at(struct cc_chain *c, struct cc_index **at,
                                     bool (*fn)(void *arg,
                                                const struct cc_outpoint *o,
                                                const struct cc_coin *coin),
                                     void *arg, struct cc_error *err)
{
    struct cc_db_snapshot *snapshot;
    struct cc_db_iter *it;
    struct cc_bytes key, value;
    enum cc_status st;

    cc_chain_lock(c);
    st = cc_chain_flush(c, err);
    snapshot = st == CC_OK ? cc_db_snapshot_new(c->db) : NULL;
    *at = c->tip;
    cc_chain_unlock(c);
    if (st != CC_OK)
        return st;
    it = cc_db_iter_new(c->db, CC_FAMILY_COINS, cc_bytes(NULL, 0), snapshot);
    while (st == CC_OK && cc_db_iter_next(it, &key, &value)) {
        struct cc_outpoint o;
        struct cc_coin coin;
        struct cc_reader r;
        struct cc_arena arena;
        bool more = true;

        cc_arena_init(&arena);
        cc_reader_init(&r, value.data, value.len);
        cc_coin_read(&r, &coin, &arena);
        if (!cc_coin_key_read(&o, key) || !cc_reader_done(&r))
            st = cc_fail(err, CC_CORRUPT, "a stored coin does not decode");
        else
            more = fn(arg, &o, &coin);
        cc_arena_clear(&arena);
        if (!more)
            break;
    }
    if (st == CC_OK)
        st = cc_db_iter_status(it, err);
    cc_db_iter_free(it);
    cc_db_snapshot_free(snapshot);
    return st;
}

/* The lists are those of the last flush: make that now. */
static enum cc_status typed_snapshot(struct cc_chain *c,
                                     struct cc_db_snapshot **snapshot,
                                     struct cc_error *err)
{
    enum cc_status st;

    cc_chain_lock(c);
    st = cc_chain_flush(c, err);
    if (st == CC_OK)
        *snapshot = cc_db_snapshot_new(c->db);
    cc_chain_unlock(c);
    return st;
}

enum cc_status cc_chain_each_typed(struct cc_chain *c,
                                   bool (*fn)(void *arg,
                                              const struct cc_outpoint *o,
                                              const struct cc_coin *coin),
                                   void *arg, struct cc_error *err)
{
    struct cc_db_snapshot *snapshot;
    enum cc_status st = typed_snapshot(c, &snapshot, err);

    if (st != CC_OK)
        return st;
    st = cc_coins_each_name(c->coins, CC_KIND_NONE, NULL, snapshot, fn, arg,
                            err);
    cc_db_snapshot_free(snapshot);
    return st;
}

enum cc_status
cc_chain_each_typed_key(struct cc_chain *c, const uint8_t key[32],
                        bool (*fn)(void *arg, const struct cc_outpoint *o,
                                   const struct cc_coin *coin),
                        void *arg, struct cc_error *err)
{
    struct cc_db_snapshot *snapshot;
    enum cc_status st = typed_snapshot(c, &snapshot, err);

    if (st != CC_OK)
        return st;
    st = cc_coins_each_key(c->coins, key, snapshot, fn, arg, err);
    cc_db_snapshot_free(snapshot);
    return st;
}

/* The first of several coins of one name. */
struct search {
    struct cc_arena *arena;
    struct cc_outpoint *o;
    struct cc_coin *coin;
    uint32_t sequence;
    bool found;
};

static bool search_step(void *arg, const struct cc_outpoint *o,
                        const struct cc_coin *coin)
{
    struct search *s = arg;
    struct cc_typed t;
    uint32_t sequence = 0;

    if (cc_typed_parse(&t, coin->out.script, NULL) == CC_OK &&
        t.kind == CC_KIND_IDENTITY)
        sequence = t.u.identity.sequence;
    if (s->found && sequence != s->sequence)
        return false; /* sequences fall: the rest is older */
    if (s->found && coin->height >= s->coin->height)
        return true;
    s->found = true;
    s->sequence = sequence;
    *s->o = *o;
    *s->coin = *coin;
    s->coin->out.script.data =
        cc_arena_dup(s->arena, coin->out.script.data, coin->out.script.len);
    return true;
}

enum cc_status cc_chain_typed(struct cc_chain *c, enum cc_kind kind,
                              const uint8_t id[32], struct cc_outpoint *o,
                              struct cc_coin *coin, struct cc_arena *arena,
                              struct cc_error *err)
{
    struct cc_outpoint found_o;
    struct cc_coin found;
    struct search s = {.arena = arena, .o = &found_o, .coin = &found};
    struct cc_db_snapshot *snapshot;
    enum cc_status st = typed_snapshot(c, &snapshot, err);

    if (st != CC_OK)
        return st;
    st = cc_coins_each_name(c->coins, kind, id, snapshot, search_step, &s, err);
    cc_db_snapshot_free(snapshot);
    if (st != CC_OK)
        return st;
    if (!s.found)
        return CC_NOTFOUND;
    *o = found_o;
    *coin = found;
    return CC_OK;
}

/* --- Places ------------------------------------------------------------- */

/* The hash array serves while prev lies on the active chain. */
static const uint8_t *view_hash(void *arg, uint32_t height)
{
    const struct cc_chain_view *v = arg;
    const struct cc_chain *c = v->chain;

    if (height > v->prev->height)
        return NULL;
    if (v->prev->height <= c->tip->height && c->at[v->prev->height] == v->prev)
        return c->hash[height];
    return cc_index_ancestor(v->prev, height)->hash;
}

static bool view_state(void *arg, uint32_t height, struct cc_mint_state *out)
{
    const struct cc_chain_view *v = arg;
    const struct cc_index *i = cc_index_ancestor(v->prev, height);

    if (!i || !(i->status & CC_INDEX_VALID))
        return false;
    *out = i->state;
    return true;
}

struct cc_storage_view cc_chain_storage_view(struct cc_chain_view *v,
                                             struct cc_chain *c,
                                             const struct cc_index *prev)
{
    struct cc_storage_view view = {
        .params = c->params,
        .height = prev->height + 1,
        .hash = view_hash,
        .state = view_state,
        .arg = v,
    };

    v->chain = c;
    v->prev = prev;
    return view;
}

struct cc_place cc_chain_place(struct cc_chain *c, const struct cc_index *prev)
{
    struct cc_place place = {
        .height = prev->height + 1,
        .prev_median_time = prev->median_time,
        .prev_time = prev->header.time,
        .prev_bits = prev->header.bits,
        .now = c->now(c->now_arg),
    };

    return place;
}
