/*
 * spend.c: choosing coins and building a transaction.
 *
 * Every coin of ours is spent by one Schnorr signature, so the size of an
 * input is known beforehand to the byte, and fees are exact: the feerate times
 * the size that the signed transaction will have, rounded up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/clock.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"
#include "wallet/select.h"
#include "wallet/wallet_i.h"

#define INPUT_BASE_WEIGHT                                                      \
    (4 * (36 + 1 + 4)) /* outpoint, no script, sequence                        \
                        */
#define OUR_INPUT_WEIGHT (INPUT_BASE_WEIGHT + 1 + 1 + 64)
#define MAX_STANDARD_WEIGHT 400000
#define LONG_TERM_FEERATE 10000
#define CHANGE_LOWER 50000 /* Core: change is no telling sum */
#define CHANGE_UPPER 1000000
#define STALE_TIP_S (8 * 60 * 60)
#define ANCESTORS_MAX 25
#define ROUNDS 8

struct build {
    struct cc_wallet *w;
    const struct cc_spend *s;
    struct cc_built *out;
    cc_amount feerate;
    size_t fixed_weight; /* all but picked inputs and change */
    cc_amount fixed_in, to_pay;
    unsigned subtract; /* payments that bear the fee */
    struct cc_bytes change_script;
    struct cc_wallet_coin *coins; /* ours that may be picked */
    size_t coin_count;
    bool *picked;
    size_t picked_count;
    cc_amount picked_in;
};

static cc_amount fee_of(cc_amount feerate, size_t weight)
{
    cc_amount vsize = (cc_amount)((weight + 3) / 4);

    return (feerate * vsize + 999) / 1000;
}

/* What an output must hold to be worth its spending (Core's dust rule). */
cc_amount cc_wallet_dust(const struct cc_wallets_config *c,
                         struct cc_bytes script)
{
    size_t size = 8 + cc_compact_size(script.len) + script.len;
    struct cc_bytes program;
    int version;

    if (cc_script_is_unspendable(script))
        return 0;
    if (script.len && script.data[0] == CC_OP_STORAGE)
        return 0; /* typed coins have rules of their own */
    size += cc_script_is_witness(script, &version, &program) ? 67 : 148;
    return c->dust_feerate * (cc_amount)size / 1000;
}

static size_t output_weight(struct cc_bytes script)
{
    return 4 * (8 + cc_compact_size(script.len) + script.len);
}

/* --- Judging the wish ---------------------------------------------------- */

static enum cc_status choose_feerate(struct build *b, struct cc_error *err)
{
    const struct cc_wallets_config *c = &b->w->ws->config;

    if (b->s->feerate) {
        b->feerate = b->s->feerate;
        if (b->feerate < c->min_feerate)
            return cc_fail(err, CC_INVALID,
                           "Fee rate (%" PRId64 ".%03" PRId64
                           " sat/vB) is lower than the minimum fee rate "
                           "setting (%" PRId64 ".%03" PRId64 " sat/vB)",
                           b->feerate / 1000, b->feerate % 1000,
                           c->min_feerate / 1000, c->min_feerate % 1000);
        return CC_OK;
    }
    b->feerate = b->w->pay_feerate ? b->w->pay_feerate : c->fallback_feerate;
    if (!b->feerate)
        return cc_fail(err, CC_INVALID,
                       "Fee estimation failed. Fallbackfee is disabled. Wait a "
                       "few blocks or enable -fallbackfee.");
    if (b->feerate < c->min_feerate)
        b->feerate = c->min_feerate;
    return CC_OK;
}

static enum cc_status check_payments(struct build *b, struct cc_error *err)
{
    const struct cc_wallets_config *c = &b->w->ws->config;

    if (!b->s->payment_count)
        return cc_fail(err, CC_INVALID,
                       "Transaction must have at least one recipient");
    for (size_t i = 0; i < b->s->payment_count; i++) {
        const struct cc_payment *p = &b->s->payments[i];

        if (p->value < 0)
            return cc_fail(err, CC_INVALID,
                           "Transaction amounts must not be negative");
        if (!cc_amount_add(&b->to_pay, b->to_pay, p->value,
                           b->w->ws->params->max_money))
            return cc_fail(err, CC_INVALID, "Invalid amount for send");
        if (!p->subtract_fee && p->value < cc_wallet_dust(c, p->script))
            return cc_fail(err, CC_INVALID, "Transaction amount too small");
        b->subtract += p->subtract_fee;
        b->fixed_weight += output_weight(p->script);
    }
    return CC_OK;
}

static enum cc_status take_input(struct build *b, size_t i,
                                 struct cc_error *err)
{
    const struct cc_spend *s = b->s;
    struct cc_coin *coin = &b->out->coins[i];
    size_t weight = s->weights ? s->weights[i] : 0;
    enum cc_status st = CC_OK;
    char txid[65];

    cc_hex_encode_rev(txid, s->inputs[i].txid, 32);
    txid[10] = '\0'; /* as Core shortens it */
    if (s->coins)
        *coin = s->coins[i];
    else
        st =
            cc_wallet_find_coin(b->w, &s->inputs[i], coin, &b->out->arena, err);
    if (st == CC_NOTFOUND)
        return cc_fail(err, CC_INVALID,
                       "Not found pre-selected input COutPoint(%s, %u)", txid,
                       s->inputs[i].index);
    if (st != CC_OK)
        return st;
    if (!weight && cc_wallet_keys_find(b->w->keys, coin->out.script, NULL))
        weight = OUR_INPUT_WEIGHT;
    if (!weight)
        return cc_fail(err, CC_INVALID,
                       "Not solvable pre-selected input COutPoint(%s, %u)",
                       txid, s->inputs[i].index);
    b->fixed_weight += weight;
    if (!cc_amount_add(&b->fixed_in, b->fixed_in, coin->out.value,
                       b->w->ws->params->max_money))
        return cc_fail(err, CC_INVALID, "The inputs sum up to too much");
    return CC_OK;
}

/* --- Coins --------------------------------------------------------------- */

static bool is_preset(const struct cc_spend *s, const struct cc_outpoint *o)
{
    for (size_t i = 0; i < s->input_count; i++) {
        if (cc_outpoint_equal(&s->inputs[i], o))
            return true;
    }
    return false;
}

/* Would spending it make the mempool refuse a chain too long? */
static bool ancestors_fit(const struct build *b, const struct cc_wallet_coin *c)
{
    const struct cc_mempool_entry *e;

    if (c->depth > 0)
        return true;
    e = cc_mempool_find(b->w->ws->config.mempool, c->outpoint.txid);
    return e && e->ancestor_count < ANCESTORS_MAX;
}

/* From strict to lenient: coins of others deep, all confirmed, our own
 * unconfirmed ones, at last (if asked for) those of others too. */
enum leniency { DEEP, CONFIRMED, OWN_UNCONFIRMED, UNSAFE, LENIENCIES };

static bool allowed(const struct build *b, const struct cc_wallet_coin *c,
                    enum leniency how)
{
    const struct cc_spend *s = b->s;

    if (c->locked || is_preset(s, &c->outpoint) || c->depth < s->min_depth ||
        (s->max_depth && c->depth > s->max_depth))
        return false;
    switch (how) {
    case DEEP:
        return c->depth >= (c->from->ours ? 1 : 6);
    case CONFIRMED:
        return c->depth >= 1;
    case OWN_UNCONFIRMED:
        return c->safe &&
               (c->depth >= 1 ||
                (b->w->ws->config.spend_unconfirmed && ancestors_fit(b, c)));
    case UNSAFE:
        return s->include_unsafe && ancestors_fit(b, c);
    case LENIENCIES:
        break;
    }
    return false;
}

static uint64_t random_number(void *arg)
{
    (void)arg;
    return cc_random_u64();
}

/* Coins for target beyond what fees of inputs take, at one leniency. */
static bool pick(struct build *b, cc_amount target, enum leniency how)
{
    const struct cc_wallets_config *c = &b->w->ws->config;
    cc_amount spread =
        b->to_pay > CHANGE_LOWER / 2 ? 2 * b->to_pay : CHANGE_LOWER;
    struct cc_select sel = {.target = target, .random = random_number};
    struct cc_select_coin *list = cc_calloc(b->coin_count + 1, sizeof(*list));
    size_t *index = cc_calloc(b->coin_count + 1, sizeof(*index)), n = 0;
    bool *picked = cc_calloc(b->coin_count + 1, sizeof(*picked)), changeless,
         ok;
    cc_amount change_fee = fee_of(b->feerate, output_weight(b->change_script));

    for (size_t i = 0; i < b->coin_count; i++) {
        if (!allowed(b, &b->coins[i], how))
            continue;
        list[n].value = b->coins[i].value;
        list[n].long_fee = fee_of(LONG_TERM_FEERATE, OUR_INPUT_WEIGHT);
        /* Whoever is paid bears the fees: then coins count in full. */
        list[n].fee = b->subtract ? 0 : fee_of(b->feerate, OUR_INPUT_WEIGHT);
        if (b->subtract)
            list[n].long_fee = 0;
        index[n++] = i;
    }
    if (spread > CHANGE_UPPER)
        spread = CHANGE_UPPER;
    sel.min_change = CHANGE_LOWER;
    if (spread > CHANGE_LOWER)
        sel.min_change +=
            (cc_amount)cc_random_below((uint64_t)(spread - CHANGE_LOWER));
    sel.change_fee = b->subtract ? 0 : change_fee;
    sel.change_cost = change_fee + fee_of(c->discard_feerate, OUR_INPUT_WEIGHT);
    ok = cc_select_coins(&sel, list, n, picked, &changeless);
    for (size_t i = 0; ok && i < n; i++) {
        if (!picked[i])
            continue;
        b->picked[index[i]] = true;
        b->picked_in += b->coins[index[i]].value;
        b->picked_count++;
    }
    free(list);
    free(index);
    free(picked);
    return ok;
}

static enum cc_status too_little(const struct build *b, struct cc_error *err)
{
    if (b->s->no_more_inputs)
        return cc_wallet_refuse(
            err, CC_LIMIT, "funds",
            "The preselected coins total amount does not cover the transaction "
            "target. Please allow other inputs to be automatically selected or "
            "include more coins manually");
    return cc_wallet_refuse(err, CC_LIMIT, "funds", "Insufficient funds");
}

/* Inputs worth at least the payments and the fee, plus `more`. */
static enum cc_status pick_coins(struct build *b, cc_amount more,
                                 struct cc_error *err)
{
    cc_amount target = b->to_pay - b->fixed_in - b->s->extra_in + more;

    if (!b->subtract)
        target += fee_of(b->feerate, b->fixed_weight);
    memset(b->picked, 0, b->coin_count);
    b->picked_count = 0;
    b->picked_in = 0;
    if (target <= 0 && b->s->input_count)
        return CC_OK;
    if (b->s->no_more_inputs)
        return too_little(b, err);
    for (enum leniency how = DEEP; how < LENIENCIES; how++) {
        if (pick(b, target > 0 ? target : 1, how))
            return CC_OK;
    }
    return too_little(b, err);
}

/* --- Putting it together ------------------------------------------------- */

/* Fee and change of what is picked. False: not enough, by *lack. */
static bool settle(struct build *b, cc_amount *fee, cc_amount *change,
                   cc_amount *lack)
{
    const struct cc_wallets_config *c = &b->w->ws->config;
    size_t weight = b->fixed_weight + b->picked_count * OUR_INPUT_WEIGHT;
    cc_amount in = b->fixed_in + b->picked_in + b->s->extra_in, over, least;
    cc_amount dust = cc_wallet_dust(c, b->change_script);

    /* counts above 252 take three bytes */
    weight += 4 * (cc_compact_size(b->s->input_count + b->picked_count) - 1);
    *fee = fee_of(b->feerate, weight + output_weight(b->change_script));
    *change = in - b->to_pay - (b->subtract ? 0 : *fee);
    least = fee_of(c->discard_feerate, OUR_INPUT_WEIGHT) + 1;
    if (*change >= (least > dust ? least : dust))
        return true;
    *change = 0;
    *fee = fee_of(b->feerate, weight);
    over = in - b->to_pay;
    if (b->subtract) {
        *lack = -over;
        return over >= 0;
    }
    *lack = *fee - over;
    if (over < *fee)
        return false;
    *fee = over;
    return true;
}

static void add_output(struct cc_tx *tx, struct cc_bytes script,
                       cc_amount value)
{
    struct cc_txout *out = &tx->vout[tx->vout_count++];

    out->value = value;
    out->script =
        cc_bytes(cc_arena_dup(&tx->arena, script.data, script.len), script.len);
}

/* The fee out of the payments that bear it: in equal parts, the first takes
 * the rest (Core). */
static enum cc_status share_fee(const struct build *b, struct cc_tx *tx,
                                cc_amount fee, struct cc_error *err)
{
    cc_amount each = fee / b->subtract, rest = fee % b->subtract;

    for (size_t i = 0; i < b->s->payment_count; i++) {
        struct cc_txout *out = &tx->vout[i];

        if (!b->s->payments[i].subtract_fee)
            continue;
        out->value -= each + rest;
        rest = 0;
        if (out->value < 0)
            return cc_fail(err, CC_INVALID,
                           "The transaction amount is too small to pay the "
                           "fee");
        if (out->value < cc_wallet_dust(&b->w->ws->config, out->script))
            return cc_fail(err, CC_INVALID,
                           "The transaction amount is too small to send after "
                           "the fee has been deducted");
    }
    return CC_OK;
}

/* nLockTime at the tip, so that a block of the past cannot take the fee; now
 * and then further back, as a transaction that was delayed would have it. */
static uint32_t fee_sniping_lock(struct cc_wallets *ws)
{
    const struct cc_index *tip = cc_chain_tip(ws->config.chain);
    uint32_t height = tip->height;

    if (cc_chain_in_ibd(ws->config.chain) ||
        (int64_t)tip->header.time <
            cc_clock_now(ws->config.clock) - STALE_TIP_S)
        return 0;
    if (cc_random_below(10) == 0) {
        uint32_t back = (uint32_t)cc_random_below(100);

        return height > back ? height - back : 0;
    }
    return height;
}

static void add_input(struct build *b, const struct cc_outpoint *o,
                      uint32_t sequence)
{
    struct cc_txin *in = &b->out->tx.vin[b->out->tx.vin_count++];

    memset(in, 0, sizeof(*in));
    in->prevout = *o;
    in->sequence = sequence;
}

static void add_picked(struct build *b, uint32_t sequence)
{
    struct cc_built *out = b->out;
    size_t first = out->tx.vin_count, n = 0;
    size_t *order = cc_calloc(b->picked_count + 1, sizeof(*order));

    for (size_t i = 0; i < b->coin_count; i++) {
        if (b->picked[i])
            order[n++] = i;
    }
    for (size_t i = n; i > 1; i--) { /* in no order that tells anything */
        size_t j = (size_t)cc_random_below(i), t = order[i - 1];

        order[i - 1] = order[j];
        order[j] = t;
    }
    for (size_t i = 0; i < n; i++) {
        const struct cc_wallet_coin *c = &b->coins[order[i]];
        struct cc_coin *coin = &out->coins[first + i];

        add_input(b, &c->outpoint, sequence);
        coin->out.value = c->value;
        coin->out.script = cc_bytes(
            cc_arena_dup(&out->arena, c->key.script, CC_TAPROOT_SCRIPT),
            CC_TAPROOT_SCRIPT);
        coin->height = c->depth > 0 ? (uint32_t)c->from->height : 0;
        coin->coinbase = c->from->generated;
    }
    free(order);
}

static void add_outputs(struct build *b, cc_amount change)
{
    struct cc_built *out = b->out;
    const struct cc_spend *s = b->s;
    int last = (int)s->payment_count;

    out->change_position = -1;
    if (change > 0 && s->change_position >= 0)
        out->change_position =
            s->change_position < last ? s->change_position : last;
    else if (change > 0)
        out->change_position = (int)cc_random_below(s->payment_count + 1);
    for (size_t i = 0; i < s->payment_count; i++)
        add_output(&out->tx, s->payments[i].script, s->payments[i].value);
}

/* Change goes in after the payments have borne the fee. */
static void insert_change(struct build *b, cc_amount change)
{
    struct cc_tx *tx = &b->out->tx;
    size_t place = (size_t)b->out->change_position;
    struct cc_txout out;

    add_output(tx, b->change_script, change);
    out = tx->vout[tx->vout_count - 1];
    memmove(tx->vout + place + 1, tx->vout + place,
            (tx->vout_count - 1 - place) * sizeof(*tx->vout));
    tx->vout[place] = out;
}

static enum cc_status assemble(struct build *b, cc_amount fee, cc_amount change,
                               struct cc_error *err)
{
    const struct cc_spend *s = b->s;
    struct cc_built *out = b->out;
    struct cc_tx *tx = &out->tx;
    bool rbf = s->rbf ? s->rbf > 0 : b->w->ws->config.signal_rbf;
    uint32_t sequence = rbf ? 0xfffffffd : 0xfffffffe;
    size_t inputs = s->input_count + b->picked_count;
    enum cc_status st = CC_OK;

    tx->version = s->version ? s->version : 2;
    tx->locktime = s->set_locktime ? s->locktime : fee_sniping_lock(b->w->ws);
    tx->vin = cc_arena_calloc(&tx->arena, inputs, sizeof(*tx->vin));
    tx->vout =
        cc_arena_calloc(&tx->arena, s->payment_count + 1, sizeof(*tx->vout));
    for (size_t i = 0; i < s->input_count; i++)
        add_input(b, &s->inputs[i], s->sequences ? s->sequences[i] : sequence);
    add_picked(b, sequence);
    add_outputs(b, change);
    if (b->subtract) {
        cc_amount in = b->fixed_in + b->picked_in + s->extra_in;
        cc_amount spare = in - b->to_pay - change;

        /* What is too little for change pays part of the fee. */
        if (fee < spare)
            fee = spare;
        st = share_fee(b, tx, fee - spare, err);
    }
    if (st == CC_OK && change > 0)
        insert_change(b, change);
    out->fee = fee;
    cc_tx_finish(tx);
    return st;
}

static enum cc_status build(struct build *b, struct cc_error *err)
{
    const struct cc_spend *s = b->s;
    cc_amount fee = 0, change = 0, lack = 0, more = 0;
    enum cc_status st = choose_feerate(b, err);

    if (st == CC_OK)
        st = check_payments(b, err);
    /* version, locktime, marker, flag, and the count of inputs; change may
     * make the count of outputs longer. */
    b->fixed_weight +=
        4 * (4 + 4 + 1 + cc_compact_size(s->payment_count + 1)) + 2;
    for (size_t i = 0; st == CC_OK && i < s->input_count; i++)
        st = take_input(b, i, err);
    if (st != CC_OK)
        return st;
    for (unsigned round = 0; round < ROUNDS; round++) {
        st = pick_coins(b, more, err);
        if (st != CC_OK)
            return st;
        if (settle(b, &fee, &change, &lack))
            break;
        if (round + 1 == ROUNDS)
            return too_little(b, err);
        more += lack > 0 ? lack : 1;
    }
    if (fee > b->w->ws->config.max_fee)
        return cc_fail(err, CC_INVALID,
                       "Fee exceeds maximum configured by user (e.g. "
                       "-maxtxfee, maxfeerate)");
    if (b->fixed_weight + (b->picked_count + 1) * OUR_INPUT_WEIGHT >
        MAX_STANDARD_WEIGHT)
        return cc_fail(err, CC_INVALID, "Transaction too large");
    return assemble(b, fee, change, err);
}

enum cc_status cc_wallet_build(struct cc_wallet *w, const struct cc_spend *s,
                               struct cc_built *out, struct cc_error *err)
{
    struct build b = {.w = w, .s = s, .out = out};
    enum cc_status st;

    memset(out, 0, sizeof(*out));
    cc_arena_init(&out->arena);
    cc_arena_init(&out->tx.arena);
    b.change_script = s->change_script;
    if (!s->change_script.len) {
        cc_wallet_keys_at(w->keys, CC_CHAIN_CHANGE,
                          cc_wallet_keys_next(w->keys, CC_CHAIN_CHANGE),
                          &out->change_key);
        b.change_script = cc_bytes(out->change_key.script, CC_TAPROOT_SCRIPT);
    }
    b.coin_count = cc_book_coins(w->book, false, &b.coins);
    b.picked = cc_calloc(b.coin_count + 1, sizeof(*b.picked));
    out->coins = cc_arena_calloc(&out->arena, s->input_count + b.coin_count + 1,
                                 sizeof(*out->coins));
    st = build(&b, err);
    out->change_is_ours =
        st == CC_OK && out->change_position >= 0 && !s->change_script.len;
    for (size_t i = 0; st == CC_OK && s->lock_inputs && i < out->tx.vin_count;
         i++)
        cc_book_lock(w->book, &out->tx.vin[i].prevout, true);
    free(b.coins);
    free(b.picked);
    if (st != CC_OK)
        cc_built_clear(out);
    return st;
}

void cc_built_clear(struct cc_built *b)
{
    cc_tx_clear(&b->tx);
    cc_arena_clear(&b->arena);
    memset(b, 0, sizeof(*b));
}

enum cc_status cc_wallet_reserve_change(struct cc_wallet *w,
                                        const struct cc_built *b,
                                        struct cc_error *err)
{
    if (!b->change_is_ours)
        return CC_OK;
    cc_wallet_keys_use(w->keys, CC_CHAIN_CHANGE, b->change_key.index);
    return cc_wallet_flush(w, err);
}
