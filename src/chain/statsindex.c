#include "chain/statsindex.h"

#include <stdlib.h>

#include "chain/db.h"
#include "consensus/script.h"
#include "crypto/muhash.h"
#include "util/mem.h"

/* block: totals by block hash; mark: the state of the set's hash by block
 * hash, of one block in MARK_EVERY; state: that of the last block that is in,
 * behind its hash. */
enum { FAMILY_BLOCK, FAMILY_MARK, FAMILY_STATE };
static const char *const families[] = {"block", "mark", "state"};

#define NAME "coinstatsindex"
#define BEST_KEY cc_bytes("best", 4)
#define MARK_EVERY 64

struct cc_statsindex {
    struct cc_follow f;
    const struct cc_params *params;
    /* under the chain's lock */
    struct cc_muhash *hash;
    struct cc_coin_totals totals;
    bool any; /* at least the genesis block is in */
    uint8_t best[32];
};

void cc_coin_write_hashed(struct cc_writer *w, const struct cc_outpoint *o,
                          const struct cc_coin *coin)
{
    cc_write_bytes(w, o->txid, 32);
    cc_write_u32le(w, o->index);
    cc_write_u32le(w, coin->height << 1 | coin->coinbase);
    cc_txout_write(w, &coin->out);
}

size_t cc_coin_bogo_size(const struct cc_coin *coin)
{
    return 32 + 4 + 4 + 8 + 2 + coin->out.script.len;
}

/* --- Records ------------------------------------------------------------- */

static void write_totals(struct cc_writer *w, const struct cc_coin_totals *t)
{
    cc_write_u64le(w, t->count);
    cc_write_u64le(w, t->bogo_size);
    cc_write_u64le(w, (uint64_t)t->amount);
    cc_write_u64le(w, t->subsidy);
    cc_write_u64le(w, t->spent);
    cc_write_u64le(w, t->created);
    cc_write_u64le(w, t->coinbase);
    cc_write_u64le(w, (uint64_t)t->genesis);
    cc_write_u64le(w, (uint64_t)t->scripts);
    cc_write_u64le(w, (uint64_t)t->unclaimed);
    cc_write_bytes(w, t->muhash, 32);
}

static enum cc_status read_totals(struct cc_coin_totals *t, struct cc_bytes b,
                                  struct cc_error *err)
{
    struct cc_reader r;

    cc_reader_init(&r, b.data, b.len);
    t->count = cc_read_u64le(&r);
    t->bogo_size = cc_read_u64le(&r);
    t->amount = (cc_amount)cc_read_u64le(&r);
    t->subsidy = cc_read_u64le(&r);
    t->spent = cc_read_u64le(&r);
    t->created = cc_read_u64le(&r);
    t->coinbase = cc_read_u64le(&r);
    t->genesis = (cc_amount)cc_read_u64le(&r);
    t->scripts = (cc_amount)cc_read_u64le(&r);
    t->unclaimed = (cc_amount)cc_read_u64le(&r);
    cc_read_bytes(&r, t->muhash, 32);
    return cc_reader_done(&r) ? CC_OK
                              : cc_fail(err, CC_CORRUPT,
                                        NAME ": an entry of %zu bytes", b.len);
}

enum cc_status cc_statsindex_find(struct cc_statsindex *s,
                                  const uint8_t block[32],
                                  struct cc_coin_totals *out,
                                  struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st =
        cc_db_get(s->f.db, FAMILY_BLOCK, cc_bytes(block, 32), &v, err);

    if (st != CC_OK)
        return st;
    st = read_totals(out, v.bytes, err);
    cc_db_value_clear(&v);
    return st;
}

/* The totals and the hash as they now are become those of this block,
 * together or not at all. */
static enum cc_status keep(struct cc_statsindex *s,
                           const struct cc_index *index, bool is_new,
                           struct cc_error *err)
{
    struct cc_bytes key = cc_bytes(index->hash, 32);
    uint8_t best[32 + CC_MUHASH_STATE];
    struct cc_bytes state = cc_bytes(best + 32, CC_MUHASH_STATE);
    struct cc_writer w;
    enum cc_status st;

    memcpy(best, index->hash, 32);
    cc_muhash_save(s->hash, best + 32);
    cc_db_batch_clear(s->f.batch);
    if (is_new) {
        cc_muhash_final(s->hash, s->totals.muhash);
        cc_writer_init_heap(&w);
        write_totals(&w, &s->totals);
        cc_db_batch_put(s->f.batch, s->f.db, FAMILY_BLOCK, key,
                        cc_bytes(w.data, w.len));
        cc_writer_clear(&w);
        if (index->height % MARK_EVERY == 0)
            cc_db_batch_put(s->f.batch, s->f.db, FAMILY_MARK, key, state);
    }
    cc_db_batch_put(s->f.batch, s->f.db, FAMILY_STATE, BEST_KEY,
                    cc_bytes(best, sizeof(best)));
    st = cc_db_write(s->f.db, s->f.batch, false, err);
    if (st != CC_OK)
        return st;
    s->any = true;
    memcpy(s->best, index->hash, 32);
    atomic_store(&s->f.height, index->height);
    return CC_OK;
}

/* --- Adding up ----------------------------------------------------------- */

static void hash_coin(struct cc_statsindex *s, const struct cc_outpoint *o,
                      const struct cc_coin *coin, bool comes)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_coin_write_hashed(&w, o, coin);
    if (comes)
        cc_muhash_add(s->hash, w.data, w.len);
    else
        cc_muhash_remove(s->hash, w.data, w.len);
    cc_writer_clear(&w);
}

static void count_outputs(struct cc_statsindex *s, const struct cc_tx *tx,
                          uint32_t height, bool coinbase)
{
    struct cc_coin_totals *t = &s->totals;
    struct cc_outpoint o;

    memcpy(o.txid, tx->txid, 32);
    for (o.index = 0; o.index < tx->vout_count; o.index++) {
        const struct cc_coin coin = {
            .out = tx->vout[o.index], .height = height, .coinbase = coinbase};

        if (cc_script_is_unspendable(coin.out.script)) {
            t->scripts += coin.out.value;
            continue;
        }
        hash_coin(s, &o, &coin, true);
        *(coinbase ? &t->coinbase : &t->created) += (uint64_t)coin.out.value;
        t->count++;
        t->amount += coin.out.value;
        t->bogo_size += cc_coin_bogo_size(&coin);
    }
}

static void count_inputs(struct cc_statsindex *s, const struct cc_tx *tx,
                         const struct cc_tx_undo *undo)
{
    struct cc_coin_totals *t = &s->totals;

    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_coin *coin = &undo->coins[i];

        hash_coin(s, &tx->vin[i].prevout, coin, false);
        t->spent += (uint64_t)coin->out.value;
        t->count--;
        t->amount -= coin->out.value;
        t->bogo_size -= cc_coin_bogo_size(coin);
    }
}

/* What a miner may take and did not is what is missing from the sum. */
static void count_unclaimed(struct cc_coin_totals *t)
{
    const uint64_t lost =
        (uint64_t)t->genesis + (uint64_t)t->scripts + (uint64_t)t->unclaimed;

    t->unclaimed +=
        (cc_amount)(t->spent + t->subsidy - (t->created + t->coinbase + lost));
}

static enum cc_status add_block(void *arg, const struct cc_index *index,
                                const struct cc_block *block,
                                const struct cc_undo *undo,
                                struct cc_error *err)
{
    struct cc_statsindex *s = arg;
    const cc_amount subsidy = cc_subsidy(s->params, index->height);

    s->totals.subsidy += (uint64_t)subsidy;
    if (index->height == 0)
        s->totals.genesis += subsidy; /* no coin: it can be spent by nobody */
    for (size_t i = 0; i < block->tx_count && index->height; i++) {
        count_outputs(s, &block->tx[i], index->height, i == 0);
        if (i > 0)
            count_inputs(s, &block->tx[i], &undo->tx[i - 1]);
    }
    count_unclaimed(&s->totals);
    return keep(s, index, true, err);
}

/* The set's hash as it was before; the totals are on record. */
static enum cc_status remove_block(struct cc_statsindex *s,
                                   const struct cc_index *index,
                                   const struct cc_block *block,
                                   const struct cc_undo *undo,
                                   struct cc_error *err)
{
    enum cc_status st;

    for (size_t i = block->tx_count; i-- > 0;) {
        const struct cc_tx *tx = &block->tx[i];
        struct cc_outpoint o;

        memcpy(o.txid, tx->txid, 32);
        for (o.index = 0; o.index < tx->vout_count; o.index++) {
            const struct cc_coin coin = {.out = tx->vout[o.index],
                                         .height = index->height,
                                         .coinbase = i == 0};

            if (!cc_script_is_unspendable(coin.out.script))
                hash_coin(s, &o, &coin, false);
        }
        for (size_t k = 0; i > 0 && k < tx->vin_count; k++)
            hash_coin(s, &tx->vin[k].prevout, &undo->tx[i - 1].coins[k], true);
    }
    st = cc_statsindex_find(s, index->prev->hash, &s->totals, err);
    return st == CC_OK ? keep(s, index->prev, false, err) : st;
}

/* --- Following ----------------------------------------------------------- */

/* No block goes in over one that is missing. */
static bool may_go_on(struct cc_statsindex *s, const uint8_t on[32])
{
    return !cc_follow_failed(&s->f, NULL) && !memcmp(s->best, on, 32);
}

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_statsindex *s = arg;
    struct cc_error err;

    cc_error_init(&err);
    if (may_go_on(s, index->prev->hash) &&
        add_block(s, index, block, undo, &err) != CC_OK)
        cc_follow_fail(&s->f, index, &err);
}

static void on_disconnected(void *arg, const struct cc_index *index,
                            const struct cc_block *block,
                            const struct cc_undo *undo)
{
    struct cc_statsindex *s = arg;
    struct cc_error err;

    cc_error_init(&err);
    if (may_go_on(s, index->hash) &&
        remove_block(s, index, block, undo, &err) != CC_OK)
        cc_follow_fail(&s->f, index, &err);
}

/* --- Opening ------------------------------------------------------------- */

/* Stand at this block, with that state of the hash. */
static enum cc_status stand_at(struct cc_statsindex *s,
                               const struct cc_index *index,
                               struct cc_bytes state, struct cc_error *err)
{
    enum cc_status st = cc_statsindex_find(s, index->hash, &s->totals, err);

    if (st != CC_OK)
        return st;
    if (state.len != CC_MUHASH_STATE || !cc_muhash_load(s->hash, state.data))
        return cc_fail(err, CC_CORRUPT, "a state of %zu bytes", state.len);
    s->any = true;
    memcpy(s->best, index->hash, 32);
    atomic_store(&s->f.height, index->height);
    return CC_OK;
}

/* Where it was, if that is on the active chain. CC_NOTFOUND. */
static enum cc_status resume(struct cc_statsindex *s, struct cc_error *err)
{
    struct cc_db_value v;
    enum cc_status st = cc_db_get(s->f.db, FAMILY_STATE, BEST_KEY, &v, err);
    const struct cc_index *i = NULL;

    if (st != CC_OK)
        return st;
    if (v.bytes.len > 32)
        i = cc_chain_find(s->f.chain, v.bytes.data);
    st =
        i && cc_chain_contains(s->f.chain, i)
            ? stand_at(s, i, cc_bytes(v.bytes.data + 32, v.bytes.len - 32), err)
            : CC_NOTFOUND;
    cc_db_value_clear(&v);
    return st;
}

/* The highest mark on the active chain; where there is none, before its
 * beginning. */
static enum cc_status go_back(struct cc_statsindex *s, struct cc_error *err)
{
    uint32_t h = cc_chain_tip(s->f.chain)->height;
    enum cc_status st = CC_NOTFOUND;

    for (h -= h % MARK_EVERY; st == CC_NOTFOUND; h -= MARK_EVERY) {
        const struct cc_index *i = cc_chain_at(s->f.chain, h);
        struct cc_db_value v;

        st = cc_db_get(s->f.db, FAMILY_MARK, cc_bytes(i->hash, 32), &v, err);
        if (st == CC_OK) {
            st = stand_at(s, i, v.bytes, err);
            cc_db_value_clear(&v);
        }
        if (h == 0)
            break;
    }
    return st == CC_NOTFOUND ? CC_OK : st;
}

static enum cc_status catch_up(struct cc_statsindex *s, const atomic_bool *stop,
                               struct cc_error *err)
{
    enum cc_status st = resume(s, err);

    if (st == CC_NOTFOUND)
        st = go_back(s, err);
    if (st != CC_OK)
        return cc_context(err, st, NAME);
    return cc_follow_catch_up(&s->f, s->any ? cc_statsindex_height(s) + 1 : 0,
                              true, stop, add_block, s, err);
}

enum cc_status cc_statsindex_open(struct cc_statsindex **out,
                                  const struct cc_follow_config *config,
                                  struct cc_error *err)
{
    struct cc_statsindex *s = cc_calloc(1, sizeof(*s));
    struct cc_chain_listener listener = {.arg = s,
                                         .connected = on_connected,
                                         .disconnected = on_disconnected,
                                         .index = NAME};
    enum cc_status st = cc_follow_init(&s->f, NAME, config, families, 3, err);

    s->params = cc_chain_params(config->chain);
    s->hash = cc_muhash_new();
    if (st == CC_OK)
        st = catch_up(s, config->stop, err);
    if (st != CC_OK) {
        cc_statsindex_free(s);
        return st;
    }
    cc_chain_listen(config->chain, &listener);
    *out = s;
    return CC_OK;
}

void cc_statsindex_free(struct cc_statsindex *s)
{
    if (!s)
        return;
    cc_follow_clear(&s->f);
    cc_muhash_free(s->hash);
    free(s);
}

uint32_t cc_statsindex_height(struct cc_statsindex *s)
{
    return atomic_load(&s->f.height);
}

bool cc_statsindex_failed(struct cc_statsindex *s, struct cc_error *err)
{
    return cc_follow_failed(&s->f, err);
}
