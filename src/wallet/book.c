/*
 * Two tables carry everything: transactions by txid, and for each outpoint
 * that a transaction of ours spends the list of those that do. Whether an
 * output is ours is asked of the keys each time, so a key that comes into
 * reach later makes older outputs ours without any repair. Depths are
 * reckoned from heights, so a new tip touches nothing.
 */
#include "wallet/book.h"

#include <assert.h>
#include <stdlib.h>

#include "chain/chain.h"
#include "util/mem.h"
#include "util/random.h"
#include "wallet/book_i.h"

static void map_init(struct cc_map *m, size_t key_len, size_t value_len)
{
    uint8_t seed[16];

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(m, key_len, value_len, seed);
}

struct cc_book *cc_book_new(struct cc_wallet_keys *keys,
                            const struct cc_params *params)
{
    struct cc_book *b = cc_calloc(1, sizeof(*b));

    b->keys = keys;
    b->params = params;
    b->tip = -1;
    map_init(&b->by_txid, 32, sizeof(struct cc_book_entry *));
    map_init(&b->spends, sizeof(struct cc_outpoint),
             sizeof(struct cc_book_spend *));
    map_init(&b->locked, sizeof(struct cc_outpoint), 1);
    map_init(&b->by_script, 32, sizeof(size_t));
    return b;
}

void cc_book_free(struct cc_book *b)
{
    size_t pos = 0;
    void *value;

    if (!b)
        return;
    while (cc_map_next(&b->spends, &pos, NULL, &value)) {
        struct cc_book_spend *s = *(struct cc_book_spend **)value;

        while (s) {
            struct cc_book_spend *next = s->next;

            free(s);
            s = next;
        }
    }
    for (size_t i = 0; i < b->count; i++) {
        cc_tx_clear(&b->txs[i]->pub.tx);
        free(b->txs[i]->pub.comment);
        free(b->txs[i]->pub.to);
        free(b->txs[i]);
    }
    for (size_t i = 0; i < b->label_count; i++) {
        free(b->labels[i].script);
        free(b->labels[i].text);
    }
    free(b->labels);
    free(b->txs);
    cc_map_clear(&b->by_txid);
    cc_map_clear(&b->spends);
    cc_map_clear(&b->locked);
    cc_map_clear(&b->by_script);
    free(b);
}

void cc_book_listen(struct cc_book *b,
                    void (*changed)(void *arg, const struct cc_wallet_tx *tx),
                    void *arg)
{
    b->changed = changed;
    b->changed_arg = arg;
}

static void tell(const struct cc_book *b, const struct cc_book_entry *e)
{
    if (b->changed)
        b->changed(b->changed_arg, &e->pub);
}

void cc_book_set_keys(struct cc_book *b, struct cc_wallet_keys *keys)
{
    b->keys = keys;
}

void cc_book_set_tip(struct cc_book *b, int32_t height) { b->tip = height; }

int32_t cc_book_tip(const struct cc_book *b) { return b->tip; }

/* --- The tables ---------------------------------------------------------- */

struct cc_book_entry *cc_book_entry(const struct cc_book *b,
                                    const uint8_t txid[32])
{
    return cc_map_get_ptr(&b->by_txid, txid);
}

struct cc_book_spend *cc_book_spends(const struct cc_book *b,
                                     const struct cc_outpoint *o)
{
    return cc_map_get_ptr(&b->spends, o);
}

bool cc_book_is_ours(const struct cc_book *b, const struct cc_txout *out)
{
    return cc_wallet_keys_find(b->keys, out->script, NULL);
}

static bool has_outputs_of_ours(const struct cc_book *b, const struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vout_count; i++) {
        if (cc_book_is_ours(b, &tx->vout[i]))
            return true;
    }
    return false;
}

const struct cc_txout *cc_book_txout(const struct cc_book *b,
                                     const struct cc_outpoint *o)
{
    const struct cc_book_entry *e = cc_book_entry(b, o->txid);

    return e && o->index < e->pub.tx.vout_count ? &e->pub.tx.vout[o->index]
                                                : NULL;
}

static bool spends_ours(const struct cc_book *b, const struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_txout *out = cc_book_txout(b, &tx->vin[i].prevout);

        if (out && cc_book_is_ours(b, out))
            return true;
    }
    return false;
}

/* Keys seen in use are not handed out again. */
static void use_keys(struct cc_book *b, const struct cc_tx *tx)
{
    struct cc_wallet_key key;

    for (size_t i = 0; i < tx->vout_count; i++) {
        if (cc_wallet_keys_find(b->keys, tx->vout[i].script, &key))
            cc_wallet_keys_use(b->keys, key.chain, key.index);
    }
}

struct cc_book_entry *cc_book_insert(struct cc_book *b, const struct cc_tx *tx)
{
    struct cc_book_entry *e = cc_calloc(1, sizeof(*e));

    cc_tx_copy(&e->pub.tx, tx);
    e->pub.height = e->pub.conflict = -1;
    e->pub.order = b->next_order++;
    e->pub.generated = cc_tx_is_coinbase(tx);
    e->dirty = true;
    b->txs =
        cc_grow(b->txs, &b->cap, b->count + 1, sizeof(struct cc_book_entry *));
    b->txs[b->count++] = e;
    cc_map_put_ptr(&b->by_txid, tx->txid, e);
    for (size_t i = 0; i < tx->vin_count && !cc_tx_is_coinbase(tx); i++) {
        struct cc_book_spend *s = cc_calloc(1, sizeof(*s));

        s->by = e;
        s->next = cc_book_spends(b, &tx->vin[i].prevout);
        cc_map_put_ptr(&b->spends, &tx->vin[i].prevout, s);
        cc_map_remove(&b->locked, &tx->vin[i].prevout, NULL);
    }
    use_keys(b, tx);
    return e;
}

/* --- Blocks and the mempool ---------------------------------------------- */

/* A block holds another spend of what e, or an ancestor of it, spends. */
static void mark_conflict(struct cc_book *b, struct cc_book_entry *e,
                          int32_t height, const uint8_t hash[32])
{
    if (e->pub.height >= 0 || e->pub.conflict >= 0)
        return;
    e->pub.conflict = height;
    memcpy(e->pub.block, hash, 32);
    e->pub.in_mempool = false;
    e->dirty = true;
    tell(b, e);
    for (uint32_t i = 0; i < e->pub.tx.vout_count; i++) {
        struct cc_outpoint o = {.index = i};

        memcpy(o.txid, e->pub.tx.txid, 32);
        for (struct cc_book_spend *s = cc_book_spends(b, &o); s; s = s->next)
            mark_conflict(b, s->by, height, hash);
    }
}

/* Those of ours that spend the same as tx, which a block holds. */
static bool mark_conflicts(struct cc_book *b, const struct cc_tx *tx,
                           int32_t height, const uint8_t hash[32])
{
    bool any = false;

    for (size_t i = 0; i < tx->vin_count; i++) {
        for (struct cc_book_spend *s = cc_book_spends(b, &tx->vin[i].prevout);
             s; s = s->next) {
            if (!memcmp(s->by->pub.tx.txid, tx->txid, 32))
                continue;
            mark_conflict(b, s->by, height, hash);
            any = true;
        }
    }
    return any;
}

static bool is_typed(const struct cc_coin *coin)
{
    return coin->out.script.len && coin->out.script.data[0] == CC_OP_STORAGE;
}

/* What the spent coins tell of a transaction: its fee, and whether it is a
 * CLAIM, whose outputs mature like a coinbase's. */
static void learn_from_coins(const struct cc_book *b, struct cc_book_entry *e,
                             const struct cc_tx_undo *undo)
{
    const struct cc_tx *tx = &e->pub.tx;
    cc_amount in = 0, out = 0;
    bool typed = false, ok = undo->count == tx->vin_count;

    for (size_t i = 0; ok && i < undo->count; i++) {
        const struct cc_txin *vin = &tx->vin[i];

        ok = cc_amount_add(&in, in, undo->coins[i].out.value,
                           b->params->max_money);
        if (!b->params->storage_active || !is_typed(&undo->coins[i]))
            continue;
        typed = true;
        if (vin->witness_count && vin->witness[0].len &&
            vin->witness[0].data[0] == CC_ACTION_CLAIM)
            e->pub.generated = true;
    }
    for (size_t i = 0; ok && i < tx->vout_count; i++)
        ok = cc_amount_add(&out, out, tx->vout[i].value, b->params->max_money);
    /* What a typed input mints or gives to the pool is not known here. */
    if (ok && !typed && in >= out) {
        e->pub.fee_known = true;
        e->pub.fee = in - out;
    }
}

bool cc_book_connect(struct cc_book *b, int32_t height, const uint8_t hash[32],
                     const struct cc_block *block, const struct cc_undo *undo)
{
    bool any = false;

    b->tip = height;
    for (size_t i = 0; i < block->tx_count; i++) {
        const struct cc_tx *tx = &block->tx[i];
        struct cc_book_entry *e = cc_book_entry(b, tx->txid);

        if (i)
            any |= mark_conflicts(b, tx, height, hash);
        if (!e && !has_outputs_of_ours(b, tx) && !spends_ours(b, tx))
            continue;
        if (!e) {
            e = cc_book_insert(b, tx);
            e->pub.time = block->header.time;
        }
        if (i && undo && i - 1 < undo->count)
            learn_from_coins(b, e, &undo->tx[i - 1]);
        e->pub.height = height;
        e->pub.conflict = -1;
        e->pub.abandoned = false;
        memcpy(e->pub.block, hash, 32);
        e->pub.position = (uint32_t)i;
        e->pub.block_time = block->header.time;
        e->pub.in_mempool = false;
        e->dirty = any = true;
        tell(b, e);
    }
    return any;
}

bool cc_book_disconnect(struct cc_book *b, int32_t height,
                        const uint8_t hash[32])
{
    bool any = false;

    b->tip = height - 1;
    for (size_t i = 0; i < b->count; i++) {
        struct cc_wallet_tx *t = &b->txs[i]->pub;

        if ((t->height < 0 && t->conflict < 0) || memcmp(t->block, hash, 32))
            continue;
        t->height = t->conflict = -1;
        b->txs[i]->dirty = any = true;
        tell(b, b->txs[i]);
    }
    return any;
}

bool cc_book_mempool_add(struct cc_book *b, const struct cc_tx *tx, bool claim,
                         cc_amount fee, int64_t now)
{
    struct cc_book_entry *e = cc_book_entry(b, tx->txid);

    if (!e && !has_outputs_of_ours(b, tx) && !spends_ours(b, tx))
        return false;
    if (!e) {
        e = cc_book_insert(b, tx);
        e->pub.time = now;
        e->pub.fee = fee;
        e->pub.fee_known = true;
    }
    if (claim && !e->pub.generated)
        e->pub.generated = e->dirty = true;
    if (e->pub.abandoned) {
        e->pub.abandoned = false;
        e->dirty = true;
    }
    e->pub.in_mempool = true;
    tell(b, e);
    return true;
}

void cc_book_mempool_remove(struct cc_book *b, const uint8_t txid[32])
{
    struct cc_book_entry *e = cc_book_entry(b, txid);

    if (e)
        e->pub.in_mempool = false;
}

static void abandon(struct cc_book *b, struct cc_book_entry *e)
{
    if (e->pub.abandoned || e->pub.height >= 0)
        return;
    e->pub.abandoned = true;
    e->pub.in_mempool = false; /* it cannot be without its parent */
    e->dirty = true;
    for (uint32_t i = 0; i < e->pub.tx.vout_count; i++) {
        struct cc_outpoint o = {.index = i};

        memcpy(o.txid, e->pub.tx.txid, 32);
        for (struct cc_book_spend *s = cc_book_spends(b, &o); s; s = s->next)
            abandon(b, s->by);
    }
}

bool cc_book_abandon(struct cc_book *b, const uint8_t txid[32])
{
    struct cc_book_entry *e = cc_book_entry(b, txid);

    if (!e || e->pub.height >= 0 || e->pub.conflict >= 0 || e->pub.in_mempool ||
        e->pub.abandoned)
        return false;
    abandon(b, e);
    return true;
}

const struct cc_wallet_tx *cc_book_add_ours(struct cc_book *b,
                                            const struct cc_tx *tx,
                                            cc_amount fee, bool fee_known,
                                            int64_t now, const char *comment,
                                            const char *to)
{
    struct cc_book_entry *e = cc_book_entry(b, tx->txid);

    if (!e) {
        e = cc_book_insert(b, tx);
        e->pub.time = now;
    }
    e->pub.ours = true;
    e->pub.abandoned = false;
    if (fee_known) {
        e->pub.fee = fee;
        e->pub.fee_known = true;
    }
    if (comment && !e->pub.comment)
        e->pub.comment = cc_strdup(comment);
    if (to && !e->pub.to)
        e->pub.to = cc_strdup(to);
    e->dirty = true;
    tell(b, e);
    return &e->pub;
}

void cc_book_forget(struct cc_book *b, const uint8_t txid[32])
{
    struct cc_book_entry *e = cc_book_entry(b, txid);

    assert(e && e == b->txs[b->count - 1]);
    for (size_t i = 0; i < e->pub.tx.vin_count; i++) {
        const struct cc_outpoint *o = &e->pub.tx.vin[i].prevout;
        struct cc_book_spend *s = cc_book_spends(b, o);

        assert(s && s->by == e); /* the latest comes first */
        if (s->next)
            cc_map_put_ptr(&b->spends, o, s->next);
        else
            cc_map_remove(&b->spends, o, NULL);
        free(s);
    }
    cc_map_remove(&b->by_txid, txid, NULL);
    b->count--;
    cc_tx_clear(&e->pub.tx);
    free(e->pub.comment);
    free(e->pub.to);
    free(e);
}
