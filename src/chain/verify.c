/*
 * Does what is stored agree with itself?
 *
 * From the tip back, each block is read, judged as stored, and undone; then
 * all are connected again, as far as the level goes. Every step compares coins
 * with blocks and undo data, so a coin too many or too few shows. All of it
 * happens in a second coin cache that is thrown away: nothing is written.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "chain/internal.h"
#include "chain/undo.h"
#include "util/hex.h"

/* Memory for the copy; a walk that needs more ends there. */
#define VERIFY_CACHE ((size_t)256 << 20)

struct counts {
    struct cc_chain *c;
    uint64_t coins, typed, listed;
    struct cc_error *err;
    enum cc_status st;
};

static bool count_coin(void *arg, const struct cc_outpoint *o,
                       const struct cc_coin *coin)
{
    struct counts *k = arg;
    struct cc_typed t;

    (void)o;
    k->coins++;
    if (coin->height > k->c->tip->height) {
        k->st =
            cc_fail(k->err, CC_CORRUPT,
                    "a coin of height %" PRIu32 " above the tip", coin->height);
        return false;
    }
    if (k->c->params->storage_active &&
        cc_typed_parse(&t, coin->out.script, NULL) == CC_OK &&
        (t.kind == CC_KIND_IDENTITY || t.kind == CC_KIND_CONTRACT ||
         t.kind == CC_KIND_SEAL))
        k->typed++;
    return true;
}

/* Each listed coin is in the set, as it is listed. */
static bool count_listed(void *arg, const struct cc_outpoint *o,
                         const struct cc_coin *coin)
{
    struct counts *k = arg;
    struct cc_coin there;
    enum cc_status st = cc_coins_get(k->c->coins, o, &there, k->err);

    k->listed++;
    if (st == CC_OK && there.height == coin->height &&
        there.out.value == coin->out.value &&
        cc_bytes_equal(there.out.script, coin->out.script))
        return true;
    k->st = cc_fail(k->err, CC_CORRUPT,
                    "the list of storage coins holds one that is not there");
    return false;
}

static enum cc_status verify_coins(struct cc_chain *c, uint64_t *coins,
                                   struct cc_error *err)
{
    struct counts k = {.c = c, .err = err};
    enum cc_status st = cc_chain_each_coin(c, count_coin, &k, err);

    if (st == CC_OK && k.st == CC_OK)
        st = cc_chain_each_typed(c, count_listed, &k, err);
    if (st == CC_OK)
        st = k.st;
    if (st == CC_OK && k.listed != k.typed)
        st = cc_fail(err, CC_CORRUPT,
                     "%" PRIu64 " storage coins, but %" PRIu64 " listed",
                     k.typed, k.listed);
    if (coins)
        *coins = k.coins;
    return st;
}

/* One block as deep as level says; undone on the copy from UNDO on. */
static enum cc_status look_at(struct cc_chain *c, struct cc_index *i,
                              enum cc_verify_level level, uint64_t *txs,
                              struct cc_error *err)
{
    struct cc_block block;
    struct cc_undo undo;
    enum cc_status st = cc_chain_load_block(c, i, &block, err);

    if (st != CC_OK)
        return st;
    *txs += block.tx_count;
    if (level >= CC_VERIFY_RULES &&
        cc_block_check(&block, c->params, CC_CHECK_ALL, err) != CC_OK)
        st = CC_CORRUPT;
    if (st == CC_OK && level >= CC_VERIFY_UNDO_DATA) {
        st = cc_chain_load_undo(c, i, &block, &undo, err);
        if (st == CC_OK) {
            if (level >= CC_VERIFY_COINS)
                st = cc_connect_undo(c, &block, i->height, &undo, err);
            cc_undo_clear(&undo);
        }
    }
    cc_block_clear(&block);
    return st;
}

static bool same_state(const struct cc_mint_state *a,
                       const struct cc_mint_state *b)
{
    return a->pool == b->pool && a->claims == b->claims &&
           !cc_u256_cmp(&a->ticket, &b->ticket);
}

/* The undo data on disk must be what connecting finds anew. */
static enum cc_status compare_undo(struct cc_chain *c, const struct cc_index *i,
                                   const struct cc_undo *undo,
                                   struct cc_error *err)
{
    struct cc_writer w;
    uint8_t *data;
    size_t len;
    enum cc_status st = cc_blockfiles_read_undo(
        c->files, i->file, i->undo_pos, i->prev->hash, &data, &len, err);

    if (st != CC_OK)
        return st;
    cc_writer_init_heap(&w);
    cc_undo_write(&w, undo);
    if (!cc_bytes_equal(cc_bytes(w.data, w.len), cc_bytes(data, len)))
        st = cc_fail(err, CC_CORRUPT, "its undo data are not what it spends");
    cc_writer_clear(&w);
    free(data);
    return st;
}

static enum cc_status redo_one(struct cc_chain *c, struct cc_index *i,
                               struct cc_error *err)
{
    struct cc_connected k;
    struct cc_block block;
    enum cc_status st = cc_chain_load_block(c, i, &block, err);

    if (st != CC_OK)
        return st;
    st = cc_connect_judge(c, i->prev, &block,
                          cc_chain_assumes(c, i) ? 0 : CC_JUDGE_SCRIPTS, &k,
                          err);
    if (st == CC_INVALID)
        st = CC_CORRUPT;
    if (st == CC_OK) {
        st = compare_undo(c, i, &k.undo, err);
        if (st == CC_OK && c->params->storage_active &&
            !same_state(&k.state, &i->state))
            st = cc_fail(err, CC_CORRUPT, "its storage state is another");
        cc_connect_apply(c, &block, i->height, &k);
        cc_connected_clear(&k);
    }
    cc_block_clear(&block);
    return st;
}

/* A pruned block that a peer gave again comes without its undo data. */
static bool is_gone(const struct cc_chain *c, const struct cc_index *i,
                    enum cc_verify_level level)
{
    if (!c->pruned)
        return false;
    return !(i->status & CC_INDEX_DATA) ||
           (level >= CC_VERIFY_UNDO_DATA && i->status & CC_INDEX_PRUNED &&
            !(i->status & CC_INDEX_UNDO));
}

static enum cc_status go_on(const struct cc_chain *c, struct cc_error *err)
{
    if (c->stop && *c->stop)
        return cc_fail(err, CC_LIMIT, "stopped while verifying");
    return CC_OK;
}

/* The last depth blocks, in a coin cache of its own. */
static enum cc_status verify_blocks(struct cc_chain *c, uint32_t depth,
                                    enum cc_verify_level level,
                                    uint32_t *blocks, struct cc_error *err)
{
    uint32_t top = c->tip->height, h = top;
    uint32_t low = depth && depth < top ? top - depth : 0;
    struct cc_coins *own = c->coins;
    bool short_of = false, redo = level >= CC_VERIFY_CONNECT;
    uint64_t txs = 0;
    enum cc_status st = CC_OK;

    if (top > 0)
        cc_log(c->log, "Verifying last %" PRIu32 " blocks at level %d",
               top - low, (int)level);
    c->coins = cc_coins_new(c->db, CC_FAMILY_COINS, CC_FAMILY_TYPED,
                            c->params->storage_active, VERIFY_CACHE);
    while (st == CC_OK && h > low && !cc_coins_full(c->coins)) {
        if (is_gone(c, c->at[h], level)) {
            cc_log(c->log,
                   "VerifyDB(): block verification stopping at height %" PRIu32
                   " (no data). This could be due to pruning or use of an "
                   "assumeutxo snapshot.",
                   h);
            short_of = true;
            break;
        }
        st = look_at(c, c->at[h--], level, &txs, err);
        if (st == CC_OK)
            st = go_on(c, err);
    }
    if (blocks)
        *blocks = top - h;
    if (st == CC_OK && top > 0)
        cc_log(c->log,
               "Verification: No coin database inconsistencies in last "
               "%" PRIu32 " blocks (%" PRIu64 " transactions)",
               top - h, txs);
    redo = redo && st == CC_OK;
    while (redo && st == CC_OK && h < top) {
        st = redo_one(c, c->at[++h], err);
        if (st == CC_OK)
            st = go_on(c, err);
    }
    cc_coins_free(c->coins);
    c->coins = own;
    if (short_of && st == CC_OK)
        return cc_fail(err, CC_NOTFOUND, "blocks to check are pruned");
    return cc_context(err, st, "block of height %" PRIu32, redo ? h : h + 1);
}

enum cc_status cc_chain_verify(struct cc_chain *c, enum cc_verify_level level,
                               uint32_t depth, uint32_t *blocks,
                               uint64_t *coins, struct cc_error *err)
{
    struct cc_error local;
    enum cc_status st;

    if (!err)
        err = &local;
    cc_error_init(err);
    cc_chain_lock(c);
    st = cc_chain_flush(c, err);
    if (st == CC_OK && !depth && level >= CC_VERIFY_CONNECT)
        st = verify_coins(c, coins, err);
    if (st == CC_OK)
        st = verify_blocks(c, depth, level, blocks, err);
    cc_chain_unlock(c);
    if (st != CC_OK)
        cc_log(c->log, "VerifyDB(): *** %s", err->text);
    return st;
}

enum cc_status cc_verify_start(struct cc_chain *c, enum cc_verify_level level,
                               uint32_t depth, struct cc_error *err)
{
    enum cc_status st = verify_blocks(c, depth, level, NULL, err);

    if (st == CC_NOTFOUND) /* pruned: what is there is right */
        return CC_OK;
    if (st != CC_CORRUPT && st != CC_IO)
        return st;
    return cc_chain_ask_rebuild(c, st, "Corrupted block database detected",
                                err);
}
