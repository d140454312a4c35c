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
#include "crypto/hash.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/random.h"

#define TRUST_DEPTH 100 /* of unconfirmed ancestors; the mempool allows 25 */

struct entry {
    struct cc_wallet_tx pub; /* first: a pointer to it is one to the entry */
    bool dirty;
};

struct spend {
    struct entry *by;
    struct spend *next;
};

struct label {
    uint8_t *script;
    size_t len;
    char *text;
};

struct cc_book {
    struct cc_wallet_keys *keys;
    const struct cc_params *params;
    int32_t tip;
    struct entry **txs;
    size_t count, cap;
    uint64_t next_order;
    struct cc_map by_txid; /* 32 bytes to struct entry * */
    struct cc_map spends;  /* struct cc_outpoint to struct spend * */
    struct cc_map locked;  /* struct cc_outpoint to nothing */
    struct label *labels;
    size_t label_count, label_cap;
    struct cc_map by_script; /* SHA-256 of script to size_t */
};

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
    map_init(&b->by_txid, 32, sizeof(struct entry *));
    map_init(&b->spends, sizeof(struct cc_outpoint), sizeof(struct spend *));
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
        struct spend *s = *(struct spend **)value;

        while (s) {
            struct spend *next = s->next;

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

void cc_book_set_keys(struct cc_book *b, struct cc_wallet_keys *keys)
{
    b->keys = keys;
}

void cc_book_set_tip(struct cc_book *b, int32_t height) { b->tip = height; }

int32_t cc_book_tip(const struct cc_book *b) { return b->tip; }

/* --- The tables ---------------------------------------------------------- */

static struct entry *find(const struct cc_book *b, const uint8_t txid[32])
{
    return cc_map_get_ptr(&b->by_txid, txid);
}

static struct spend *spends_of(const struct cc_book *b,
                               const struct cc_outpoint *o)
{
    return cc_map_get_ptr(&b->spends, o);
}

static bool is_ours(const struct cc_book *b, const struct cc_txout *out)
{
    return cc_wallet_keys_find(b->keys, out->script, NULL);
}

static bool has_outputs_of_ours(const struct cc_book *b, const struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vout_count; i++) {
        if (is_ours(b, &tx->vout[i]))
            return true;
    }
    return false;
}

static const struct cc_txout *output_of(const struct cc_book *b,
                                        const struct cc_outpoint *o)
{
    const struct entry *e = find(b, o->txid);

    return e && o->index < e->pub.tx.vout_count ? &e->pub.tx.vout[o->index]
                                                : NULL;
}

static bool spends_ours(const struct cc_book *b, const struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_txout *out = output_of(b, &tx->vin[i].prevout);

        if (out && is_ours(b, out))
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

static struct entry *insert(struct cc_book *b, const struct cc_tx *tx)
{
    struct entry *e = cc_calloc(1, sizeof(*e));

    cc_tx_copy(&e->pub.tx, tx);
    e->pub.height = e->pub.conflict = -1;
    e->pub.order = b->next_order++;
    e->pub.generated = cc_tx_is_coinbase(tx);
    e->dirty = true;
    b->txs = cc_grow(b->txs, &b->cap, b->count + 1, sizeof(struct entry *));
    b->txs[b->count++] = e;
    cc_map_put_ptr(&b->by_txid, tx->txid, e);
    for (size_t i = 0; i < tx->vin_count && !cc_tx_is_coinbase(tx); i++) {
        struct spend *s = cc_calloc(1, sizeof(*s));

        s->by = e;
        s->next = spends_of(b, &tx->vin[i].prevout);
        cc_map_put_ptr(&b->spends, &tx->vin[i].prevout, s);
        cc_map_remove(&b->locked, &tx->vin[i].prevout, NULL);
    }
    use_keys(b, tx);
    return e;
}

/* --- Blocks and the mempool ---------------------------------------------- */

/* A block holds another spend of what e, or an ancestor of it, spends. */
static void mark_conflict(struct cc_book *b, struct entry *e, int32_t height,
                          const uint8_t hash[32])
{
    if (e->pub.height >= 0 || e->pub.conflict >= 0)
        return;
    e->pub.conflict = height;
    memcpy(e->pub.block, hash, 32);
    e->pub.in_mempool = false;
    e->dirty = true;
    for (uint32_t i = 0; i < e->pub.tx.vout_count; i++) {
        struct cc_outpoint o = {.index = i};

        memcpy(o.txid, e->pub.tx.txid, 32);
        for (struct spend *s = spends_of(b, &o); s; s = s->next)
            mark_conflict(b, s->by, height, hash);
    }
}

/* Those of ours that spend the same as tx, which a block holds. */
static bool mark_conflicts(struct cc_book *b, const struct cc_tx *tx,
                           int32_t height, const uint8_t hash[32])
{
    bool any = false;

    for (size_t i = 0; i < tx->vin_count; i++) {
        for (struct spend *s = spends_of(b, &tx->vin[i].prevout); s;
             s = s->next) {
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
static void learn_from_coins(const struct cc_book *b, struct entry *e,
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
        struct entry *e = find(b, tx->txid);

        if (i)
            any |= mark_conflicts(b, tx, height, hash);
        if (!e && !has_outputs_of_ours(b, tx) && !spends_ours(b, tx))
            continue;
        if (!e) {
            e = insert(b, tx);
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
    }
    return any;
}

bool cc_book_mempool_add(struct cc_book *b, const struct cc_tx *tx, bool claim,
                         cc_amount fee, int64_t now)
{
    struct entry *e = find(b, tx->txid);

    if (!e && !has_outputs_of_ours(b, tx) && !spends_ours(b, tx))
        return false;
    if (!e) {
        e = insert(b, tx);
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
    return true;
}

void cc_book_mempool_remove(struct cc_book *b, const uint8_t txid[32])
{
    struct entry *e = find(b, txid);

    if (e)
        e->pub.in_mempool = false;
}

static void abandon(struct cc_book *b, struct entry *e)
{
    if (e->pub.abandoned || e->pub.height >= 0)
        return;
    e->pub.abandoned = true;
    e->pub.in_mempool = false; /* it cannot be without its parent */
    e->dirty = true;
    for (uint32_t i = 0; i < e->pub.tx.vout_count; i++) {
        struct cc_outpoint o = {.index = i};

        memcpy(o.txid, e->pub.tx.txid, 32);
        for (struct spend *s = spends_of(b, &o); s; s = s->next)
            abandon(b, s->by);
    }
}

bool cc_book_abandon(struct cc_book *b, const uint8_t txid[32])
{
    struct entry *e = find(b, txid);

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
    struct entry *e = find(b, tx->txid);

    if (!e) {
        e = insert(b, tx);
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
    return &e->pub;
}

void cc_book_forget(struct cc_book *b, const uint8_t txid[32])
{
    struct entry *e = find(b, txid);

    assert(e && e == b->txs[b->count - 1]);
    for (size_t i = 0; i < e->pub.tx.vin_count; i++) {
        const struct cc_outpoint *o = &e->pub.tx.vin[i].prevout;
        struct spend *s = spends_of(b, o);

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

/* --- In the file --------------------------------------------------------- */

void cc_book_changed(struct cc_book *b,
                     void (*fn)(void *arg, const struct cc_wallet_tx *tx),
                     void *arg)
{
    for (size_t i = 0; i < b->count; i++) {
        if (!b->txs[i]->dirty)
            continue;
        b->txs[i]->dirty = false;
        if (fn)
            fn(arg, &b->txs[i]->pub);
    }
}

enum {
    RECORD_GENERATED = 1,
    RECORD_OURS = 2,
    RECORD_FEE = 4,
    RECORD_ABANDONED = 8
};

void cc_book_tx_write(struct cc_writer *w, const struct cc_wallet_tx *t)
{
    struct cc_writer raw;

    cc_write_u8(w, (uint8_t)((t->generated ? RECORD_GENERATED : 0) |
                             (t->ours ? RECORD_OURS : 0) |
                             (t->fee_known ? RECORD_FEE : 0) |
                             (t->abandoned ? RECORD_ABANDONED : 0)));
    cc_write_u64le(w, t->order);
    cc_write_u64le(w, (uint64_t)t->time);
    cc_write_u32le(w, (uint32_t)t->height);
    cc_write_u32le(w, (uint32_t)t->conflict);
    cc_write_bytes(w, t->block, 32);
    cc_write_u32le(w, t->position);
    cc_write_u64le(w, (uint64_t)t->block_time);
    cc_write_u64le(w, (uint64_t)t->fee);
    cc_write_var(w, t->comment, t->comment ? strlen(t->comment) : 0);
    cc_write_var(w, t->to, t->to ? strlen(t->to) : 0);
    cc_writer_init_heap(&raw);
    cc_tx_write(&raw, &t->tx, true);
    cc_write_var(w, raw.data, raw.len);
    cc_writer_clear(&raw);
}

static char *text_of(struct cc_bytes b)
{
    char *s;

    if (!b.len)
        return NULL;
    s = cc_calloc(b.len + 1, 1);
    memcpy(s, b.data, b.len);
    return s;
}

enum cc_status cc_book_tx_read(struct cc_book *b, struct cc_bytes record,
                               struct cc_error *err)
{
    struct cc_wallet_tx t = {.order = 0};
    struct cc_bytes comment, to, raw;
    struct cc_reader r;
    struct entry *e;
    uint8_t flags;

    cc_reader_init(&r, record.data, record.len);
    flags = cc_read_u8(&r);
    t.order = cc_read_u64le(&r);
    t.time = (int64_t)cc_read_u64le(&r);
    t.height = (int32_t)cc_read_u32le(&r);
    t.conflict = (int32_t)cc_read_u32le(&r);
    cc_read_bytes(&r, t.block, 32);
    t.position = cc_read_u32le(&r);
    t.block_time = (int64_t)cc_read_u64le(&r);
    t.fee = (cc_amount)cc_read_u64le(&r);
    comment = cc_read_var(&r);
    to = cc_read_var(&r);
    raw = cc_read_var(&r);
    if (!cc_reader_done(&r) ||
        cc_tx_decode(&t.tx, raw.data, raw.len, true) != CC_OK)
        return cc_fail(err, CC_CORRUPT,
                       "the record of a transaction is "
                       "damaged");
    e = find(b, t.tx.txid);
    if (!e)
        e = insert(b, &t.tx);
    cc_tx_clear(&t.tx);
    free(e->pub.comment);
    free(e->pub.to);
    t.tx = e->pub.tx;
    t.comment = text_of(comment);
    t.to = text_of(to);
    t.generated = flags & RECORD_GENERATED;
    t.ours = flags & RECORD_OURS;
    t.fee_known = flags & RECORD_FEE;
    t.abandoned = flags & RECORD_ABANDONED;
    e->pub = t;
    e->dirty = false;
    if (b->next_order <= t.order)
        b->next_order = t.order + 1;
    return CC_OK;
}

static int by_order(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a;
    const struct entry *y = *(struct entry *const *)b;

    return x->pub.order < y->pub.order ? -1 : x->pub.order > y->pub.order;
}

void cc_book_review(struct cc_book *b,
                    bool (*holds)(void *arg, int32_t height,
                                  const uint8_t hash[32]),
                    void *arg)
{
    for (size_t i = 0; i < b->count; i++) {
        struct cc_wallet_tx *t = &b->txs[i]->pub;
        int32_t height = t->height >= 0 ? t->height : t->conflict;

        if (height < 0 || holds(arg, height, t->block))
            continue;
        t->height = t->conflict = -1;
        b->txs[i]->dirty = true;
    }
    if (b->count)
        qsort(b->txs, b->count, sizeof(struct entry *), by_order);
}

/* --- Asking -------------------------------------------------------------- */

size_t cc_book_count(const struct cc_book *b) { return b->count; }

const struct cc_wallet_tx *cc_book_at(const struct cc_book *b, size_t i)
{
    return &b->txs[i]->pub;
}

const struct cc_wallet_tx *cc_book_find(const struct cc_book *b,
                                        const uint8_t txid[32])
{
    const struct entry *e = find(b, txid);

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
        const struct entry *parent = find(b, o->txid);
        const struct cc_txout *out = output_of(b, o);

        if (!out || !is_ours(b, out) || !trusted(b, &parent->pub, level + 1))
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
    for (struct spend *s = spends_of(b, o); s; s = s->next) {
        if (s->by->pub.conflict < 0 && !s->by->pub.abandoned)
            return true;
    }
    return false;
}

bool cc_book_output(const struct cc_book *b, const struct cc_outpoint *o,
                    struct cc_wallet_coin *out)
{
    const struct entry *e = find(b, o->txid);
    const struct cc_txout *txout = output_of(b, o);

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
        const struct cc_txout *out = output_of(b, &tx->vin[i].prevout);

        if (!out || !is_ours(b, out))
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
        if (is_ours(b, &tx->vout[i]))
            sum += tx->vout[i].value;
    }
    return sum;
}

size_t cc_book_conflicts(const struct cc_book *b, const struct cc_wallet_tx *tx,
                         uint8_t (*out)[32], size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < tx->tx.vin_count; i++) {
        for (struct spend *s = spends_of(b, &tx->tx.vin[i].prevout); s;
             s = s->next) {
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
                         void (*fn)(void *arg, const struct entry *e,
                                    uint32_t index,
                                    const struct cc_wallet_key *key),
                         void *arg)
{
    struct cc_wallet_key key;

    for (size_t i = 0; i < b->count; i++) {
        const struct entry *e = b->txs[i];
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
    const struct entry *last; /* whose trust is known */
    bool last_trusted;
};

static void add_to_balance(void *arg, const struct entry *e, uint32_t index,
                           const struct cc_wallet_key *key)
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

static void add_coin(void *arg, const struct entry *e, uint32_t index,
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

/* --- Labels -------------------------------------------------------------- */

static struct label *label_find(const struct cc_book *b, struct cc_bytes script)
{
    uint8_t hash[32];
    size_t *at;

    cc_sha256_once(hash, script.data, script.len);
    at = cc_map_get(&b->by_script, hash);
    return at ? &b->labels[*at] : NULL;
}

void cc_book_set_label(struct cc_book *b, struct cc_bytes script,
                       const char *text)
{
    struct label *l = label_find(b, script);
    uint8_t hash[32];

    if (!l) {
        cc_sha256_once(hash, script.data, script.len);
        *(size_t *)cc_map_put(&b->by_script, hash, NULL) = b->label_count;
        b->labels = cc_grow(b->labels, &b->label_cap, b->label_count + 1,
                            sizeof(*b->labels));
        l = &b->labels[b->label_count++];
        l->script = cc_memdup(script.data, script.len);
        l->len = script.len;
        l->text = NULL;
    }
    free(l->text);
    l->text = cc_strdup(text);
}

const char *cc_book_label(const struct cc_book *b, struct cc_bytes script)
{
    const struct label *l = label_find(b, script);

    return l ? l->text : NULL;
}

void cc_book_each_label(const struct cc_book *b,
                        bool (*fn)(void *arg, struct cc_bytes script,
                                   const char *label),
                        void *arg)
{
    for (size_t i = 0; i < b->label_count; i++) {
        const struct label *l = &b->labels[i];

        if (!fn(arg, cc_bytes(l->script, l->len), l->text))
            return;
    }
}

bool cc_book_is_change(const struct cc_book *b, struct cc_bytes script)
{
    struct cc_wallet_key key;

    return cc_wallet_keys_find(b->keys, script, &key) &&
           key.chain == CC_CHAIN_CHANGE && !cc_book_label(b, script);
}
