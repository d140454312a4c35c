/*
 * One block on top of the tip, or off it.
 *
 * Judging changes nothing. The coins that the block spends are brought into
 * the cache in one read, and copied: they are the undo data. First the
 * transactions are judged in order, all but scripts and storage proofs; those
 * are then run by the pool, each by itself, reading only what was made before.
 * Which fault is reported does not depend on threads: it is the one that a
 * check of one input after the other finds first.
 */
#include <assert.h>
#include <stdlib.h>

#include "chain/internal.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/random.h"

#define OUTPOINT_LEN 36

struct check {
    uint32_t tx, index;
    bool storage; /* index: of the job, not of the input */
};

/* Where a coin comes from. */
struct source {
    bool here;      /* made by this block, in transaction number place */
    uint32_t place; /* else place in fetched */
};

struct judge {
    struct cc_chain *c;
    const struct cc_block *block;
    struct cc_connected *out;
    bool scripts;
    struct cc_chain_view view;
    struct cc_connect connect;
    struct cc_map txs;      /* txid to place in the block, uint32_t */
    struct source *sources; /* of all inputs but the coinbase's, in order */
    size_t input_count, next_source;
    const struct cc_outpoint **want; /* coins that are not made here */
    size_t want_count;
    struct cc_coin *fetched; /* their coins, until the cache changes */
    struct cc_sighash *sighash;
    struct cc_storage_result *results;
    size_t result_count; /* inited */
    struct check *checks;
    size_t check_count, check_cap;
    atomic_size_t first_bad;
};

static void map_key(uint8_t key[OUTPOINT_LEN], const struct cc_outpoint *o)
{
    memcpy(key, o->txid, 32);
    cc_put_u32le(key + 32, o->index);
}

static void new_map(struct cc_map *m, size_t key_len, size_t value_len)
{
    uint8_t seed[16];

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(m, key_len, value_len, seed);
}

void cc_connected_clear(struct cc_connected *k)
{
    cc_map_clear(&k->spent);
    cc_undo_clear(&k->undo);
    memset(k, 0, sizeof(*k));
}

static int64_t mtp_of(void *arg, uint32_t height)
{
    const struct cc_chain_view *v = arg;

    return cc_index_ancestor(v->prev, height)->median_time;
}

static void judge_init(struct judge *j, struct cc_chain *c,
                       const struct cc_index *prev,
                       const struct cc_block *block, struct cc_connected *out)
{
    memset(j, 0, sizeof(*j));
    memset(out, 0, sizeof(*out));
    j->c = c;
    j->block = block;
    j->out = out;
    j->connect.params = c->params;
    j->connect.block = block;
    j->connect.place = cc_chain_place(c, prev);
    j->connect.view = cc_chain_storage_view(&j->view, c, prev);
    j->connect.prev_state = prev->state;
    j->connect.mtp = mtp_of;
    j->connect.mtp_arg = &j->view;
    cc_connect_init(&j->connect);
    new_map(&j->txs, 32, sizeof(uint32_t));
    cc_map_reserve(&j->txs, block->tx_count);
    for (size_t i = 0; i < block->tx_count; i++) {
        uint32_t *place = cc_map_put(&j->txs, block->tx[i].txid, NULL);

        *place = (uint32_t)i;
        if (i)
            j->input_count += block->tx[i].vin_count;
    }
    j->sighash = cc_calloc(block->tx_count, sizeof(*j->sighash));
    j->results = cc_calloc(block->tx_count, sizeof(*j->results));
    atomic_init(&j->first_bad, SIZE_MAX);
    new_map(&out->spent, OUTPOINT_LEN, 0);
    cc_map_reserve(&out->spent, j->input_count);
    cc_arena_init(&out->undo.arena);
    out->undo.count = block->tx_count - 1;
    out->undo.tx = cc_arena_calloc(&out->undo.arena, out->undo.count,
                                   sizeof(*out->undo.tx));
    out->maturing = cc_arena_calloc(&out->undo.arena, block->tx_count,
                                    sizeof(*out->maturing));
}

static void judge_clear(struct judge *j)
{
    for (size_t i = 0; i < j->result_count; i++)
        cc_storage_result_clear(&j->results[i]);
    cc_map_clear(&j->txs);
    free(j->sources);
    free(j->want);
    free(j->fetched);
    free(j->sighash);
    free(j->results);
    free(j->checks);
}

/* Where the coins of all inputs come from; one read for those that the block
 * does not make itself. */
static enum cc_status prefetch(struct judge *j, struct cc_error *err)
{
    size_t count = 0, at = 0;

    j->want = cc_reallocarray(NULL, j->input_count, sizeof(*j->want));
    j->sources = cc_reallocarray(NULL, j->input_count, sizeof(*j->sources));
    for (size_t i = 1; i < j->block->tx_count; i++) {
        const struct cc_tx *tx = &j->block->tx[i];

        for (size_t n = 0; n < tx->vin_count; n++) {
            const struct cc_outpoint *o = &tx->vin[n].prevout;
            const uint32_t *place = cc_map_get(&j->txs, o->txid);

            j->sources[at].here = place != NULL;
            j->sources[at++].place = place ? *place : (uint32_t)count;
            if (!place)
                j->want[count++] = o;
        }
    }
    j->fetched = cc_reallocarray(NULL, count, sizeof(*j->fetched));
    j->want_count = count;
    return cc_coins_fetch(j->c->coins, j->want, count, j->fetched, err);
}

/* BIP 30: no transaction may make anew a coin that is still unspent. Where the
 * coinbase has told its height from block 1 on (BIP 34) all ids differ, and
 * nothing need be asked. */
static enum cc_status check_bip30(struct judge *j, struct cc_error *err)
{
    if (j->c->params->bip34_height <= 1)
        return CC_OK;
    for (size_t i = 0; i < j->block->tx_count; i++) {
        const struct cc_tx *tx = &j->block->tx[i];
        struct cc_outpoint o;

        memcpy(o.txid, tx->txid, 32);
        for (o.index = 0; o.index < tx->vout_count; o.index++) {
            struct cc_coin coin;
            enum cc_status st = cc_coins_get(j->c->coins, &o, &coin, err);

            if (st == CC_OK)
                return cc_reject_detail(err, CC_REJECT_BIP30,
                                        "tried to overwrite transaction");
            if (st != CC_NOTFOUND)
                return st;
        }
    }
    return CC_OK;
}

/* The coin of the next input, which is one of transaction number i. */
static enum cc_status find_coin(struct judge *j, size_t i,
                                const struct cc_outpoint *o,
                                struct cc_coin *coin)
{
    const struct source *from = &j->sources[j->next_source++];
    uint8_t key[OUTPOINT_LEN];
    bool fresh;

    map_key(key, o);
    cc_map_put(&j->out->spent, key, &fresh);
    if (!fresh)
        return CC_NOTFOUND; /* spent earlier in this block */
    if (!from->here) {
        *coin = j->fetched[from->place];
        if (coin->out.value < 0)
            return CC_NOTFOUND;
    } else {
        const struct cc_tx *tx = &j->block->tx[from->place];
        const bool *maturing = j->out->maturing[from->place];

        if (from->place >= i || o->index >= tx->vout_count ||
            cc_script_is_unspendable(tx->vout[o->index].script))
            return CC_NOTFOUND;
        coin->out = tx->vout[o->index];
        coin->height = j->connect.place.height;
        coin->coinbase = from->place == 0 || (maturing && maturing[o->index]);
    }
    coin->out.script.data = cc_arena_dup(
        &j->out->undo.arena, coin->out.script.data, coin->out.script.len);
    return CC_OK;
}

static void add_check(struct judge *j, size_t tx, size_t index, bool storage)
{
    j->checks = cc_grow(j->checks, &j->check_cap, j->check_count + 1,
                        sizeof(*j->checks));
    j->checks[j->check_count++] =
        (struct check){(uint32_t)tx, (uint32_t)index, storage};
}

static bool is_known(const struct judge *j, const struct cc_tx *tx)
{
    const struct cc_chain *c = j->c;

    return c->known && c->known(c->known_arg, tx->wtxid, j->connect.flags);
}

static enum cc_status judge_tx(struct judge *j, size_t i, struct cc_error *err)
{
    const struct cc_tx *tx = &j->block->tx[i];
    struct cc_tx_undo *undo = &j->out->undo.tx[i - 1];
    struct cc_storage_result *r = &j->results[i];
    enum cc_status st;

    undo->coins = cc_arena_calloc(&j->out->undo.arena, tx->vin_count,
                                  sizeof(*undo->coins));
    undo->count = tx->vin_count;
    for (size_t n = 0; n < tx->vin_count; n++) {
        st = find_coin(j, i, &tx->vin[n].prevout, &undo->coins[n]);
        if (st == CC_NOTFOUND) {
            st = cc_reject_code(err, CC_REJECT_INPUTS_MISSING);
            if (err)
                err->verdict = CC_VERDICT_CONSENSUS; /* for a block: for good */
            return st;
        }
    }
    cc_storage_result_init(r);
    j->result_count = i + 1;
    st = cc_connect_tx(&j->connect, tx, undo->coins, &j->sighash[i], r, err);
    if (st != CC_OK)
        return st;
    if (r->maturing)
        j->out->maturing[i] =
            cc_arena_dup(&j->out->undo.arena, r->maturing,
                         tx->vout_count * sizeof(*r->maturing));
    if (!j->scripts)
        return CC_OK;
    if (!is_known(j, tx))
        for (size_t n = 0; n < tx->vin_count; n++)
            add_check(j, i, n, false);
    for (size_t n = 0; n < r->job_count; n++)
        add_check(j, i, n, true);
    return CC_OK;
}

static enum cc_status run_check(const struct judge *j, size_t n,
                                struct cc_error *err)
{
    const struct check *k = &j->checks[n];
    const struct cc_params *p = j->c->params;

    if (k->storage)
        return cc_storage_job_run(&j->results[k->tx].jobs[k->index], p, err);
    return cc_input_check(&j->sighash[k->tx], k->index, j->connect.flags,
                          p->storage_active, err);
}

/* On a worker. What lies behind a known fault need not be looked at. */
static void work(void *arg, size_t n)
{
    struct judge *j = arg;
    size_t bad = atomic_load_explicit(&j->first_bad, memory_order_relaxed);

    if (n > bad || run_check(j, n, NULL) == CC_OK)
        return;
    while (n < bad && !atomic_compare_exchange_weak(&j->first_bad, &bad, n))
        ;
}

/* In the words that bitcoind has for it. */
static void log_check(const struct judge *j, const struct check *k,
                      const struct cc_error *err)
{
    char hex[65];

    if (k->storage)
        return;
    cc_hex_encode_rev(hex, j->block->tx[k->tx].txid, 32);
    cc_log(j->c->log,
           "ERROR: ConnectBlock(): CheckInputScripts on %s failed with %s", hex,
           err->text);
}

/* Run them all; the first that fails is run again, for its words. */
static enum cc_status run_checks(struct judge *j, struct cc_error *err)
{
    size_t bad;
    enum cc_status st;

    cc_pool_run(j->c->pool, work, j, j->check_count);
    bad = atomic_load(&j->first_bad);
    if (bad == SIZE_MAX)
        return CC_OK;
    st = run_check(j, bad, err);
    if (st == CC_INVALID && err) {
        err->verdict = CC_VERDICT_CONSENSUS;
        log_check(j, &j->checks[bad], err);
    }
    return st;
}

/* The same while others have the lock. What is run reads the block, copies of
 * the coins and what was made of them, which nobody else knows of. The cache
 * may have been emptied meanwhile by who flushed it; what the block spends is
 * to be in it. */
static enum cc_status run_checks_apart(struct judge *j, struct cc_error *err)
{
    struct cc_chain *c = j->c;
    uint64_t drops = cc_coins_drops(c->coins);
    enum cc_status st, failed;

    cc_chain_unlock(c);
    st = run_checks(j, err);
    cc_chain_lock(c);
    failed = cc_chain_check_failed(c, err);
    if (failed != CC_OK)
        return failed;
    if (st == CC_OK && cc_coins_drops(c->coins) != drops)
        st = cc_coins_fetch(c->coins, j->want, j->want_count, NULL, err);
    return st;
}

enum cc_status cc_connect_judge(struct cc_chain *c, const struct cc_index *prev,
                                const struct cc_block *block, unsigned how,
                                struct cc_connected *out, struct cc_error *err)
{
    struct cc_error early;
    struct judge j;
    enum cc_status st;

    judge_init(&j, c, prev, block, out);
    j.scripts = how & CC_JUDGE_SCRIPTS;
    cc_error_init(&early);
    st = prefetch(&j, &early);
    if (st == CC_OK)
        st = check_bip30(&j, &early);
    for (size_t i = 1; st == CC_OK && i < block->tx_count; i++)
        st = judge_tx(&j, i, &early);
    /* a fault further on must not hide one in a script before it */
    if (st == CC_OK || st == CC_INVALID) {
        enum cc_status heavy = how & CC_JUDGE_PAUSE ? run_checks_apart(&j, err)
                                                    : run_checks(&j, err);

        if (heavy != CC_OK)
            st = heavy;
        else if (st != CC_OK && err)
            *err = early;
        if (st == CC_OK)
            st = cc_connect_finish(&j.connect, &out->state, err);
    } else if (err) {
        *err = early;
    }
    judge_clear(&j);
    if (st != CC_OK)
        cc_connected_clear(out);
    return st;
}

void cc_connect_apply(struct cc_chain *c, const struct cc_block *block,
                      uint32_t height, const struct cc_connected *k)
{
    for (size_t i = 0; i < block->tx_count; i++) {
        const struct cc_tx *tx = &block->tx[i];
        struct cc_outpoint o;

        /* only this block's own coins have its height: made and spent here,
         * they never reach the set */
        for (size_t n = 0; i && n < tx->vin_count; n++)
            if (k->undo.tx[i - 1].coins[n].height != height)
                cc_coins_spend(c->coins, &tx->vin[n].prevout);
        memcpy(o.txid, tx->txid, 32);
        for (o.index = 0; o.index < tx->vout_count; o.index++) {
            const struct cc_txout *out = &tx->vout[o.index];
            uint8_t key[OUTPOINT_LEN];
            struct cc_coin coin = {
                .out = *out,
                .height = height,
                .coinbase =
                    i == 0 || (k->maturing[i] && k->maturing[i][o.index]),
            };

            map_key(key, &o);
            if (!cc_script_is_unspendable(out->script) &&
                !cc_map_get(&k->spent, key))
                cc_coins_add(c->coins, &o, &coin);
        }
    }
}

static enum cc_status disagree(struct cc_error *err)
{
    return cc_fail(err, CC_CORRUPT,
                   "the coin set does not agree with the block to be undone. "
                   "Restart with -reindex-chainstate to rebuild it.");
}

static enum cc_status undo_outputs(struct cc_chain *c, const struct cc_tx *tx,
                                   uint32_t height, struct cc_error *err)
{
    struct cc_outpoint o;

    memcpy(o.txid, tx->txid, 32);
    for (o.index = 0; o.index < tx->vout_count; o.index++) {
        const struct cc_txout *out = &tx->vout[o.index];
        struct cc_coin coin;
        enum cc_status st;

        if (cc_script_is_unspendable(out->script))
            continue;
        st = cc_coins_get(c->coins, &o, &coin, err);
        if (st == CC_NOTFOUND ||
            (st == CC_OK &&
             (coin.height != height || coin.out.value != out->value ||
              !cc_bytes_equal(coin.out.script, out->script))))
            st = disagree(err);
        if (st != CC_OK)
            return st;
        cc_coins_spend(c->coins, &o);
    }
    return CC_OK;
}

/* there: what was found of the inputs before the undoing began. */
static enum cc_status undo_inputs(struct cc_chain *c, const struct cc_tx *tx,
                                  const struct cc_tx_undo *undo,
                                  const struct cc_coin *there,
                                  struct cc_error *err)
{
    for (size_t n = tx->vin_count; n-- > 0;) {
        if (there[n].out.value >= 0)
            return disagree(err);
        cc_coins_add(c->coins, &tx->vin[n].prevout, &undo->coins[n]);
    }
    return CC_OK;
}

/* In one read: the outputs, which are to go, into the cache; and whether any
 * of the inputs, which are to come back, is there: one value each in *inputs,
 * the caller's to free. */
static enum cc_status prefetch_undo(struct cc_chain *c,
                                    const struct cc_block *block,
                                    struct cc_coin **inputs,
                                    struct cc_error *err)
{
    size_t outs = 0, ins = 0, n = 0;
    struct cc_outpoint *o;
    const struct cc_outpoint **want;
    struct cc_coin *found;
    enum cc_status st;

    for (size_t i = 0; i < block->tx_count; i++) {
        outs += block->tx[i].vout_count;
        ins += i ? block->tx[i].vin_count : 0;
    }
    o = cc_reallocarray(NULL, outs, sizeof(*o));
    want = cc_reallocarray(NULL, ins + outs, sizeof(*want));
    found = cc_reallocarray(NULL, ins + outs, sizeof(*found));
    for (size_t i = 1; i < block->tx_count; i++)
        for (size_t k = 0; k < block->tx[i].vin_count; k++)
            want[n++] = &block->tx[i].vin[k].prevout;
    for (size_t i = 0; i < block->tx_count; i++) {
        for (uint32_t k = 0; k < block->tx[i].vout_count; k++) {
            memcpy(o[n - ins].txid, block->tx[i].txid, 32);
            o[n - ins].index = k;
            want[n] = &o[n - ins];
            n++;
        }
    }
    st = cc_coins_fetch(c->coins, want, n, found, err);
    free(want);
    free(o);
    if (st == CC_OK)
        *inputs = found;
    else
        free(found);
    return st;
}

enum cc_status cc_connect_undo(struct cc_chain *c, const struct cc_block *block,
                               uint32_t height, const struct cc_undo *undo,
                               struct cc_error *err)
{
    struct cc_coin *inputs = NULL;
    size_t at = 0;
    enum cc_status st = prefetch_undo(c, block, &inputs, err);

    for (size_t i = 1; i < block->tx_count; i++)
        at += block->tx[i].vin_count;
    for (size_t i = block->tx_count; st == CC_OK && i-- > 0;) {
        st = undo_outputs(c, &block->tx[i], height, err);
        if (st != CC_OK || !i)
            continue;
        at -= block->tx[i].vin_count;
        st = undo_inputs(c, &block->tx[i], &undo->tx[i - 1], inputs + at, err);
    }
    free(inputs);
    return st;
}
