/* book_ask.c: what transactions and coins are worth now. */
#include <stdlib.h>

#include "util/mem.h"
#include "wallet/book_i.h"

#define TRUST_DEPTH 100 /* of unconfirmed ancestors; the mempool allows 25 */

size_t cc_book_count(const struct cc_book *b) { return b->count; }

const struct cc_wallet_tx *cc_book_at(const struct cc_book *b, size_t i)
{
    return &b->txs[i]->pub;
}

const struct cc_wallet_tx *cc_book_find(const struct cc_book *b,
                                        const uint8_t txid[32])
{
    const struct cc_book_entry *e = cc_book_entry(b, txid);

    return e ? &e->pub : NULL;
}

int64_t cc_book_depth(const struct cc_book *b, const struct cc_wallet_tx *tx)
{
    if (tx->height >= 0)
        return (int64_t)b->tip - tx->height + 1;
    if (tx->conflict >= 0)
        return -((int64_t)b->tip - tx->conflict + 1);
    return 0;
}

int64_t cc_book_immature(const struct cc_book *b, const struct cc_wallet_tx *tx)
{
    int64_t wait;

    if (!tx->generated)
        return 0;
    wait = (int64_t)b->params->coinbase_maturity + 1 - cc_book_depth(b, tx);
    return wait > 0 ? wait : 0;
}

static bool trusted(const struct cc_book *b, const struct cc_wallet_tx *tx,
                    unsigned level)
{
    if (tx->height >= 0)
        return true;
    if (tx->conflict >= 0 || !tx->in_mempool || level > TRUST_DEPTH)
        return false;
    for (size_t i = 0; i < tx->tx.vin_count; i++) {
        const struct cc_outpoint *o = &tx->tx.vin[i].prevout;
        const struct cc_book_entry *parent = cc_book_entry(b, o->txid);
        const struct cc_txout *out = cc_book_txout(b, o);

        if (!out || !cc_book_is_ours(b, out) ||
            !trusted(b, &parent->pub, level + 1))
            return false;
    }
    return true;
}

bool cc_book_trusted(const struct cc_book *b, const struct cc_wallet_tx *tx)
{
    return trusted(b, tx, 0);
}

bool cc_book_spent(const struct cc_book *b, const struct cc_outpoint *o)
{
    for (struct cc_book_spend *s = cc_book_spends(b, o); s; s = s->next) {
        if (s->by->pub.conflict < 0 && !s->by->pub.abandoned)
            return true;
    }
    return false;
}

bool cc_book_output(const struct cc_book *b, const struct cc_outpoint *o,
                    struct cc_wallet_coin *out)
{
    const struct cc_book_entry *e = cc_book_entry(b, o->txid);
    const struct cc_txout *txout = cc_book_txout(b, o);

    if (!txout || !cc_wallet_keys_find(b->keys, txout->script, &out->key))
        return false;
    out->outpoint = *o;
    out->value = txout->value;
    out->from = &e->pub;
    out->depth = cc_book_depth(b, &e->pub);
    out->safe = cc_book_trusted(b, &e->pub);
    out->locked = cc_book_is_locked(b, o);
    return true;
}

cc_amount cc_book_debit(const struct cc_book *b, const struct cc_tx *tx,
                        size_t *inputs)
{
    cc_amount sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_txout *out = cc_book_txout(b, &tx->vin[i].prevout);

        if (!out || !cc_book_is_ours(b, out))
            continue;
        sum += out->value;
        n++;
    }
    if (inputs)
        *inputs = n;
    return sum;
}

cc_amount cc_book_credit(const struct cc_book *b, const struct cc_tx *tx)
{
    cc_amount sum = 0;

    for (size_t i = 0; i < tx->vout_count; i++) {
        if (cc_book_is_ours(b, &tx->vout[i]))
            sum += tx->vout[i].value;
    }
    return sum;
}

size_t cc_book_conflicts(const struct cc_book *b, const struct cc_wallet_tx *tx,
                         uint8_t (*out)[32], size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < tx->tx.vin_count; i++) {
        for (struct cc_book_spend *s =
                 cc_book_spends(b, &tx->tx.vin[i].prevout);
             s; s = s->next) {
            const uint8_t *txid = s->by->pub.tx.txid;
            bool known = !memcmp(txid, tx->tx.txid, 32);

            for (size_t k = 0; k < n && !known; k++)
                known = !memcmp(txid, out[k], 32);
            if (!known && n < room)
                memcpy(out[n++], txid, 32);
        }
    }
    return n;
}

/* Calls fn for every output of ours that nothing spends. */
static void each_unspent(const struct cc_book *b,
                         void (*fn)(void *arg, const struct cc_book_entry *e,
                                    uint32_t index,
                                    const struct cc_wallet_key *key),
                         void *arg)
{
    struct cc_wallet_key key;

    for (size_t i = 0; i < b->count; i++) {
        const struct cc_book_entry *e = b->txs[i];
        struct cc_outpoint o;

        if (e->pub.conflict >= 0)
            continue;
        memcpy(o.txid, e->pub.tx.txid, 32);
        for (o.index = 0; o.index < e->pub.tx.vout_count; o.index++) {
            if (cc_wallet_keys_find(b->keys, e->pub.tx.vout[o.index].script,
                                    &key) &&
                !cc_book_spent(b, &o))
                fn(arg, e, o.index, &key);
        }
    }
}

struct balance_walk {
    const struct cc_book *b;
    int64_t min_depth;
    struct cc_balance *out;
    const struct cc_book_entry *last; /* whose trust is known */
    bool last_trusted;
};

static void add_to_balance(void *arg, const struct cc_book_entry *e,
                           uint32_t index, const struct cc_wallet_key *key)
{
    struct balance_walk *w = arg;
    cc_amount value = e->pub.tx.vout[index].value;
    int64_t depth = cc_book_depth(w->b, &e->pub);

    (void)key;
    if (cc_book_immature(w->b, &e->pub)) {
        if (depth > 0)
            w->out->immature += value;
        return;
    }
    if (w->last != e) {
        w->last = e;
        w->last_trusted = cc_book_trusted(w->b, &e->pub);
    }
    if (w->last_trusted && depth >= w->min_depth)
        w->out->trusted += value;
    else if (!w->last_trusted && depth == 0 && e->pub.in_mempool)
        w->out->pending += value;
}

void cc_book_balance(const struct cc_book *b, int64_t min_depth,
                     struct cc_balance *out)
{
    struct balance_walk w = {.b = b, .min_depth = min_depth, .out = out};

    memset(out, 0, sizeof(*out));
    each_unspent(b, add_to_balance, &w);
}

struct coin_walk {
    const struct cc_book *b;
    bool immature; /* wanted too */
    struct cc_wallet_coin *coins;
    size_t count, cap;
};

static void add_coin(void *arg, const struct cc_book_entry *e, uint32_t index,
                     const struct cc_wallet_key *key)
{
    struct coin_walk *w = arg;
    struct cc_wallet_coin *c;

    if ((!w->immature && cc_book_immature(w->b, &e->pub)) ||
        (e->pub.height < 0 && !e->pub.in_mempool))
        return;
    w->coins = cc_grow(w->coins, &w->cap, w->count + 1, sizeof(*c));
    c = &w->coins[w->count++];
    memset(c, 0, sizeof(*c));
    memcpy(c->outpoint.txid, e->pub.tx.txid, 32);
    c->outpoint.index = index;
    c->value = e->pub.tx.vout[index].value;
    c->key = *key;
    c->from = &e->pub;
    c->depth = cc_book_depth(w->b, &e->pub);
    c->safe = cc_book_trusted(w->b, &e->pub);
    c->locked = cc_book_is_locked(w->b, &c->outpoint);
}

size_t cc_book_coins(const struct cc_book *b, bool immature,
                     struct cc_wallet_coin **out)
{
    struct coin_walk w = {.b = b, .immature = immature};

    each_unspent(b, add_coin, &w);
    *out = w.coins;
    return w.count;
}

bool cc_book_lock(struct cc_book *b, const struct cc_outpoint *o, bool lock)
{
    bool fresh = true;

    if (!lock)
        return cc_map_remove(&b->locked, o, NULL);
    cc_map_put(&b->locked, o, &fresh);
    return fresh;
}

bool cc_book_is_locked(const struct cc_book *b, const struct cc_outpoint *o)
{
    return cc_map_get(&b->locked, o) != NULL;
}

void cc_book_unlock_all(struct cc_book *b) { cc_map_reset(&b->locked); }

static int by_outpoint(const void *a, const void *b)
{
    const struct cc_outpoint *x = a, *y = b;
    int c = memcmp(x->txid, y->txid, 32);

    return c ? c : x->index < y->index ? -1 : x->index > y->index;
}

size_t cc_book_locked(const struct cc_book *b, struct cc_outpoint **out)
{
    struct cc_outpoint *list =
        cc_calloc(b->locked.count ? b->locked.count : 1, sizeof(*list));
    size_t pos = 0, n = 0;
    const void *key;

    while (cc_map_next(&b->locked, &pos, &key, NULL))
        memcpy(&list[n++], key, sizeof(*list));
    qsort(list, n, sizeof(*list), by_outpoint);
    *out = list;
    return n;
}
