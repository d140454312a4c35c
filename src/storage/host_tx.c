/* Transactions of the host: funded, signed, judged by the rules, sent. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/ec.h"
#include "storage/host_i.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/writer.h"

#define KEY_SPEND_WEIGHT 66 /* witness of a taproot key spend */
#define SEQUENCE 0xfffffffd
#define ELEMENTS_MAX 24
#define PATIENCE 4 /* times config.retry, for what the node still has */

void cc_host_pay_script(uint8_t script[34], const uint8_t key[32])
{
    script[0] = 0x51;
    script[1] = 32;
    memcpy(script + 2, key, 32);
}

/* --- The wallet's coins --------------------------------------------------- */

struct candidate {
    struct cc_form_input in;
    const char *script_hex;
    bool confirmed;
};

/* Confirmed coins first, large ones first. */
static int by_use(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->confirmed != y->confirmed)
        return x->confirmed ? -1 : 1;
    return x->in.value < y->in.value ? 1 : x->in.value > y->in.value ? -1 : 0;
}

/* Only key spends of taproot: what our signature will weigh is known. */
static bool read_candidate(struct candidate *c, const json_t *coin)
{
    const json_t *spendable = json_object_get(coin, "spendable");
    cc_amount value;

    memset(c, 0, sizeof(*c));
    c->script_hex = json_string_value(json_object_get(coin, "scriptPubKey"));
    if (!c->script_hex || strlen(c->script_hex) != 68 ||
        strncmp(c->script_hex, "5120", 4) || json_is_false(spendable) ||
        json_is_false(json_object_get(coin, "safe")) ||
        !cc_host_txid(c->in.prevout.txid, json_object_get(coin, "txid")) ||
        !cc_host_amount(&value, json_object_get(coin, "amount")))
        return false;
    c->in.prevout.index =
        (uint32_t)json_integer_value(json_object_get(coin, "vout"));
    c->in.value = (uint64_t)value;
    c->in.weight = KEY_SPEND_WEIGHT;
    c->confirmed =
        json_integer_value(json_object_get(coin, "confirmations")) > 0;
    return true;
}

static json_t *outpoints_json(const struct cc_host_funds *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->count; i++)
        json_array_append_new(
            list, json_pack("{s:o, s:I}", "txid",
                            cc_host_txid_json(f->inputs[i].prevout.txid),
                            "vout", (json_int_t)f->inputs[i].prevout.index));
    return list;
}

static enum cc_status lock_coins(struct cc_host *h,
                                 const struct cc_host_funds *f, bool unlock,
                                 struct cc_error *err)
{
    json_t *result;
    enum cc_status st = cc_host_call_wallet(
        h, "lockunspent", json_pack("[b, o]", (int)unlock, outpoints_json(f)),
        &result, err);

    if (st == CC_OK)
        json_decref(result);
    return st;
}

static void pick(struct cc_host_funds *f, struct candidate *all, size_t n,
                 cc_amount need)
{
    uint8_t script[34];

    qsort(all, n, sizeof(*all), by_use);
    for (size_t i = 0; i < n && f->sum < need && f->count < CC_FORM_INPUTS_MAX;
         i++) {
        if (!cc_hex_decode(script, 34, all[i].script_hex))
            continue;
        all[i].in.script = cc_bytes(cc_arena_dup(&f->arena, script, 34), 34);
        f->inputs[f->count++] = all[i].in;
        f->sum += (cc_amount)all[i].in.value;
    }
}

enum cc_status cc_host_fund(struct cc_host *h, cc_amount need,
                            struct cc_host_funds *f, struct cc_error *err)
{
    json_t *result;
    struct candidate *all;
    enum cc_status st;
    size_t n = 0;

    memset(f, 0, sizeof(*f));
    cc_arena_init(&f->arena);
    if (need <= 0)
        return CC_OK;
    st = cc_host_call_wallet(h, "listunspent", json_pack("[i]", 0), &result,
                             err);
    if (st != CC_OK)
        return st;
    all = cc_calloc(json_array_size(result) + 1, sizeof(*all));
    for (size_t i = 0; i < json_array_size(result); i++)
        n += read_candidate(&all[n], json_array_get(result, i));
    pick(f, all, n, need);
    free(all);
    json_decref(result);
    if (f->sum < need) {
        st = cc_fail(err, CC_LIMIT,
                     "the wallet lacks money: %" PRId64 ".%08" PRId64
                     " CLC are needed, %" PRId64 ".%08" PRId64 " are free",
                     need / CC_COIN, need % CC_COIN, f->sum / CC_COIN,
                     f->sum % CC_COIN);
    } else {
        st = lock_coins(h, f, false, err);
    }
    if (st != CC_OK)
        cc_host_funds_clear(h, f, false);
    return st;
}

void cc_host_funds_clear(struct cc_host *h, struct cc_host_funds *f,
                         bool unlock)
{
    if (unlock && f->count)
        lock_coins(h, f, true, NULL); /* if not: free at the next start */
    cc_arena_clear(&f->arena);
    memset(f, 0, sizeof(*f));
}

/* --- Signing and sending -------------------------------------------------- */

static json_t *tx_json(const struct cc_tx *tx)
{
    struct cc_writer w;
    json_t *out;
    char *hex;

    cc_writer_init_heap(&w);
    cc_tx_write(&w, tx, true);
    hex = cc_hex_dup(w.data, w.len);
    cc_writer_clear(&w);
    out = json_string(hex);
    free(hex);
    return out;
}

static enum cc_status decode_hex(struct cc_tx *tx, const char *hex,
                                 struct cc_error *err)
{
    uint8_t *raw;
    size_t len;
    enum cc_status st = CC_MALFORMED;

    raw = hex ? cc_hex_decode_dup(hex, &len) : NULL;
    if (raw)
        st = cc_tx_decode(tx, raw, len, true);
    free(raw);
    return st == CC_OK
               ? CC_OK
               : cc_fail(err, CC_IO, "the node's transaction does not decode");
}

/* tx with the witnesses of signed in [first, first + count): the wallet may
 * have signed more than we want to give away. */
static enum cc_status merge(struct cc_tx *out, const struct cc_tx *tx,
                            const struct cc_tx *with, size_t first,
                            size_t count, struct cc_error *err)
{
    struct cc_tx copy;

    if (with->vin_count != tx->vin_count || memcmp(with->txid, tx->txid, 32))
        return cc_fail(err, CC_IO, "the wallet signed another transaction");
    cc_tx_copy(&copy, tx);
    for (size_t i = first; i < first + count; i++) {
        const struct cc_txin *in = &with->vin[i];

        if (in->witness_count != 1 || in->witness[0].len < 64) {
            cc_tx_clear(&copy);
            return cc_fail(err, CC_INVALID,
                           "the wallet did not sign input %zu: is it locked?",
                           i);
        }
        copy.vin[i].witness =
            cc_arena_alloc(&copy.arena, sizeof(*copy.vin[i].witness));
        copy.vin[i].witness[0] = cc_bytes(
            cc_arena_dup(&copy.arena, in->witness[0].data, in->witness[0].len),
            in->witness[0].len);
        copy.vin[i].witness_count = 1;
    }
    cc_tx_finish(&copy);
    *out = copy;
    return CC_OK;
}

enum cc_status cc_host_sign_inputs(struct cc_host *h, const struct cc_tx *tx,
                                   size_t first, size_t count,
                                   struct cc_tx *out, struct cc_error *err)
{
    struct cc_tx with;
    enum cc_status st;
    json_t *result;

    if (count == 0) {
        cc_tx_copy(out, tx);
        return CC_OK;
    }
    st = cc_host_call_wallet(h, "signrawtransactionwithwallet",
                             json_pack("[o]", tx_json(tx)), &result, err);
    if (st != CC_OK)
        return st;
    st = decode_hex(&with, json_string_value(json_object_get(result, "hex")),
                    err);
    json_decref(result);
    if (st != CC_OK)
        return st;
    st = merge(out, tx, &with, first, count, err);
    cc_tx_clear(&with);
    return st;
}

enum cc_status cc_host_send(struct cc_host *h, const struct cc_tx *tx,
                            struct cc_error *err)
{
    json_t *hex = tx_json(tx), *result;
    enum cc_status st = cc_host_call(h, "sendrawtransaction",
                                     json_pack("[O, i]", hex, 0), &result, err);

    if (st == CC_OK) {
        json_decref(result);
        cc_host_keep_sent(h, tx->txid, json_string_value(hex));
    }
    json_decref(hex);
    return st;
}

static void forget_sent(struct cc_host *h, size_t i)
{
    free(h->sent[i].hex);
    h->sent_count--;
    memmove(&h->sent[i], &h->sent[i + 1],
            (h->sent_count - i) * sizeof(*h->sent));
}

void cc_host_keep_sent(struct cc_host *h, const uint8_t txid[32],
                       const char *hex)
{
    struct cc_host_sent *s;

    pthread_mutex_lock(&h->lock);
    if (h->sent_count == CC_HOST_SENT_MAX)
        forget_sent(h, 0);
    h->sent = cc_reallocarray(h->sent, h->sent_count + 1, sizeof(*h->sent));
    s = &h->sent[h->sent_count++];
    memcpy(s->txid, txid, 32);
    s->hex = cc_strdup(hex);
    s->height = h->tip;
    pthread_mutex_unlock(&h->lock);
}

/* Those of earlier blocks, copied; those that had their time go. */
static struct cc_host_sent *waiting(struct cc_host *h, size_t *count)
{
    struct cc_host_sent *out;

    pthread_mutex_lock(&h->lock);
    out = cc_calloc(h->sent_count + 1, sizeof(*out));
    *count = 0;
    for (size_t i = 0; i < h->sent_count;) {
        if (h->tip > h->sent[i].height + PATIENCE * h->config.retry) {
            forget_sent(h, i);
            continue;
        }
        if (h->tip > h->sent[i].height) {
            out[*count] = h->sent[i];
            out[(*count)++].hex = cc_strdup(h->sent[i].hex);
        }
        i++;
    }
    pthread_mutex_unlock(&h->lock);
    return out;
}

static void forget_txid(struct cc_host *h, const uint8_t txid[32])
{
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->sent_count; i++) {
        if (!memcmp(h->sent[i].txid, txid, 32)) {
            forget_sent(h, i);
            break;
        }
    }
    pthread_mutex_unlock(&h->lock);
}

void cc_host_send_again(struct cc_host *h)
{
    struct cc_host_sent *all;
    enum cc_status st;
    json_t *result;
    size_t count;

    all = waiting(h, &count);
    for (size_t i = 0; i < count; i++) {
        st = cc_host_call(h, "sendrawtransaction",
                          json_pack("[s, i]", all[i].hex, 0), &result, NULL);
        if (st == CC_OK)
            json_decref(result);
        else if (st == CC_INVALID) /* mined by now, or of no use any more */
            forget_txid(h, all[i].txid);
        free(all[i].hex);
    }
    free(all);
}

bool cc_host_still_waits(struct cc_host *h, const uint8_t txid[32],
                         int64_t sent_height)
{
    const int64_t age = (int64_t)h->tip - sent_height;
    json_t *result;

    if (sent_height < 0 || age >= PATIENCE * (int64_t)h->config.retry)
        return false;
    if (age < (int64_t)h->config.retry)
        return true;
    if (cc_host_call(h, "getmempoolentry",
                     json_pack("[o]", cc_host_txid_json(txid)), &result,
                     NULL) != CC_OK)
        return false;
    json_decref(result);
    return true;
}

/* --- Building ------------------------------------------------------------- */

/* A transaction under construction; everything in arena. */
struct draft {
    struct cc_arena arena;
    struct cc_tx tx;
    struct cc_coin *coins;
    struct cc_host_funds funds;
    cc_amount fee, fee_max; /* that a raised rate may lead to */
};

static void draft_init(struct draft *d)
{
    memset(d, 0, sizeof(*d));
    cc_arena_init(&d->arena);
    d->tx.version = 2;
}

static void draft_clear(struct cc_host *h, struct draft *d, bool unlock)
{
    cc_host_funds_clear(h, &d->funds, unlock);
    cc_arena_clear(&d->arena);
}

static void add_input(struct draft *d, const struct cc_outpoint *o,
                      const struct cc_coin *coin)
{
    struct cc_txin *in = &d->tx.vin[d->tx.vin_count];

    memset(in, 0, sizeof(*in));
    in->prevout = *o;
    in->sequence = SEQUENCE;
    d->coins[d->tx.vin_count++] = *coin;
}

static void add_output(struct draft *d, cc_amount value, const void *script,
                       size_t len)
{
    struct cc_txout *out = &d->tx.vout[d->tx.vout_count++];

    out->value = value;
    out->script = cc_bytes(cc_arena_dup(&d->arena, script, len), len);
}

static void add_typed(struct draft *d, cc_amount value,
                      const struct cc_typed *t)
{
    uint8_t script[CC_TYPED_SCRIPT_ROOM];
    struct cc_writer w;

    cc_writer_init(&w, script, sizeof(script));
    cc_typed_write(&w, t);
    add_output(d, value, script, w.len);
}

static void make_room(struct draft *d, size_t inputs, size_t outputs)
{
    d->tx.vin = cc_arena_calloc(&d->arena, inputs, sizeof(*d->tx.vin));
    d->coins = cc_arena_calloc(&d->arena, inputs, sizeof(*d->coins));
    d->tx.vout = cc_arena_calloc(&d->arena, outputs, sizeof(*d->tx.vout));
}

static void add_funds(struct draft *d)
{
    for (size_t i = 0; i < d->funds.count; i++) {
        const struct cc_form_input *f = &d->funds.inputs[i];
        struct cc_coin coin;

        memset(&coin, 0, sizeof(coin));
        coin.out.value = (cc_amount)f->value;
        coin.out.script = f->script;
        add_input(d, &f->prevout, &coin);
    }
}

static cc_amount fee_of(const struct draft *d, size_t witness_weight,
                        size_t inputs, cc_amount feerate)
{
    size_t weight = cc_tx_weight(&d->tx) + 2 + witness_weight +
                    inputs * (164 + KEY_SPEND_WEIGHT) + 4 * 43;
    cc_amount vbytes = (cc_amount)((weight + 3) / 4);

    return (vbytes * feerate + 999) / 1000;
}

/* At this rate, but above the usual one not more than what it is worth. */
static cc_amount bounded_fee(const struct cc_host *h, const struct draft *d,
                             size_t witness_weight, size_t inputs,
                             cc_amount feerate)
{
    cc_amount usual = fee_of(d, witness_weight, inputs, h->config.feerate);
    cc_amount fee = fee_of(d, witness_weight, inputs, feerate);

    if (fee > usual && fee > d->fee_max)
        return usual > d->fee_max ? usual : d->fee_max;
    return fee;
}

/* What goes to our own key: rest after the fee, dropped if it is dust. */
static void add_payout(struct cc_host *h, struct draft *d, cc_amount rest)
{
    uint8_t script[34];

    cc_host_pay_script(script, h->key);
    if (rest >= CC_HOST_DUST)
        add_output(d, rest, script, sizeof(script));
}

/* The wallet brings what is short, and as much again as makes change worth
 * having. Inputs and the payout are added. */
static enum cc_status balance(struct cc_host *h, struct draft *d,
                              cc_amount have, size_t witness_weight,
                              cc_amount feerate, struct cc_error *err)
{
    cc_amount fee, need;
    enum cc_status st;

    cc_tx_finish(&d->tx); /* its size */
    fee = bounded_fee(h, d, witness_weight, 0, feerate);
    if (have < fee) {
        for (size_t inputs = 1;; inputs = d->funds.count) {
            fee = bounded_fee(h, d, witness_weight, inputs, feerate);
            need = fee - have;
            cc_host_funds_clear(h, &d->funds, true);
            st = cc_host_fund(h, need, &d->funds, err);
            if (st != CC_OK)
                return st;
            if (d->funds.count <= inputs)
                break;
        }
    }
    d->fee = fee;
    add_payout(h, d, have + d->funds.sum - fee);
    return CC_OK;
}

static struct cc_bytes *sign_action(struct cc_host *h, struct draft *d,
                                    const struct cc_bytes *elements,
                                    size_t count)
{
    struct cc_bytes *stack =
        cc_arena_alloc(&d->arena, (count + 1) * sizeof(*stack));
    uint8_t msg[32], sig[64];
    struct cc_sighash s;

    cc_tx_finish(&d->tx);
    cc_sighash_init(&s, &d->tx, d->coins);
    cc_action_message(msg, &s, 0, elements, count, h->config.params);
    if (!cc_schnorr_sign(h->config.ec, sig, h->secret, msg, 32, NULL))
        return NULL;
    memcpy(stack, elements, count * sizeof(*stack));
    stack[count] = cc_bytes(cc_arena_dup(&d->arena, sig, 64), 64);
    return stack;
}

/* Our own judge first: what he refuses is our mistake, and the node need not
 * hear of it. */
static enum cc_status judge(struct cc_host *h, const struct draft *d,
                            const struct cc_tx *tx, struct cc_error *err)
{
    struct cc_storage_view view = cc_host_view(h);
    struct cc_storage_result r;
    struct cc_sighash s;
    enum cc_status st;

    cc_storage_result_init(&r);
    cc_sighash_init(&s, tx, d->coins);
    st = cc_storage_check(&r, tx, d->coins, &s, &view, err);
    for (size_t i = 0; st == CC_OK && i < r.job_count; i++)
        st = cc_storage_job_run(&r.jobs[i], h->config.params, err);
    cc_storage_result_clear(&r);
    if (h->hash_failed)
        return cc_fail(err, CC_IO, "the node did not tell about a block");
    return cc_context(err, st, "our own transaction");
}

static enum cc_status sign_and_send(struct cc_host *h, struct draft *d,
                                    size_t first, uint8_t txid[32],
                                    struct cc_error *err)
{
    struct cc_tx whole;
    enum cc_status st = cc_host_sign_inputs(
        h, &d->tx, first, d->tx.vin_count - first, &whole, err);

    if (st != CC_OK)
        return st;
    st = judge(h, d, &whole, err);
    if (st == CC_OK)
        st = cc_host_send(h, &whole, err);
    if (st == CC_OK)
        memcpy(txid, whole.txid, 32);
    cc_tx_clear(&whole);
    return st;
}

/* --- Spending a typed coin ------------------------------------------------ */

/* The witness without signatures. */
static size_t lay_elements(struct cc_bytes elements[ELEMENTS_MAX],
                           uint8_t head[CC_ACTION_HEAD_ROOM],
                           const struct cc_act *a)
{
    size_t n = 0;

    elements[n++] = cc_bytes(head, cc_act_write_head(head, a));
    if (a->rev)
        elements[n++] = cc_bytes(a->rev, CC_REV_SIZE);
    if (a->vou)
        elements[n++] = cc_bytes(a->vou, CC_VOU_SIZE);
    for (size_t i = 0; i < a->proof_count; i++)
        elements[n++] = a->proofs[i];
    return n;
}

static enum cc_status run_step(struct cc_host *h,
                               const struct cc_host_spend *sp,
                               const struct cc_bytes *elements, size_t count,
                               struct cc_step *step, struct cc_error *err)
{
    struct cc_storage_view view = cc_host_view(h);
    struct cc_bytes stack[ELEMENTS_MAX + 1];
    static const uint8_t sig[64];
    struct cc_chain_read chain;
    struct cc_spent spent;
    enum cc_status st;

    memset(&spent, 0, sizeof(spent));
    memcpy(stack, elements, count * sizeof(*stack));
    stack[count] = cc_bytes(sig, sizeof(sig));
    spent.coin = &sp->coin;
    st = cc_typed_parse(&spent.body, sp->coin.out.script, err);
    if (st != CC_OK)
        return st;
    cc_typed_id(spent.id, &spent.body, &sp->outpoint);
    st = cc_act_parse(&spent.act, spent.body.kind, stack, count + 1, err);
    if (st != CC_OK)
        return st;
    cc_chain_read_init(&chain, &view);
    st = cc_step_run(step, &spent, &chain, err);
    if (h->hash_failed)
        return cc_fail(err, CC_IO, "the node did not tell about a block");
    return st;
}

static size_t elements_weight(const struct cc_bytes *elements, size_t count)
{
    size_t weight = 1 + 65;

    for (size_t i = 0; i < count; i++)
        weight += cc_compact_size(elements[i].len) + elements[i].len;
    return weight;
}

enum cc_status cc_host_spend(struct cc_host *h, const struct cc_host_spend *sp,
                             uint8_t txid[32], cc_amount *released,
                             struct cc_error *err)
{
    const struct cc_storage_params *p = &h->config.params->storage;
    struct cc_bytes elements[ELEMENTS_MAX], *stack;
    uint8_t head[CC_ACTION_HEAD_ROOM], script[34];
    struct cc_step step;
    struct draft d;
    enum cc_status st;
    cc_amount have;
    size_t count;
    bool continues;

    count = lay_elements(elements, head, &sp->act);
    st = run_step(h, sp, elements, count, &step, err);
    if (st != CC_OK)
        return st;
    draft_init(&d);
    make_room(&d, 1 + CC_FORM_INPUTS_MAX, 3);
    add_input(&d, &sp->outpoint, &sp->coin);
    continues = sp->act.action != CC_ACTION_END &&
                sp->act.action != CC_ACTION_RETIRE_SEAL;
    have = sp->coin.out.value + step.mint - step.pool;
    if (continues) {
        add_typed(&d, step.value, &step.next);
        have -= step.value;
    }
    if (step.owes && step.owed >= p->owed_min) {
        cc_host_pay_script(script, step.owed_key);
        add_output(&d, step.owed, script, sizeof(script));
        have -= step.owed;
    }
    *released = have;
    d.fee_max = (have + sp->stake) / 2;
    st = balance(h, &d, have, elements_weight(elements, count), sp->feerate,
                 err);
    if (st == CC_OK) {
        add_funds(&d);
        stack = sign_action(h, &d, elements, count);
        d.tx.vin[0].witness = stack;
        d.tx.vin[0].witness_count = count + 1;
        cc_tx_finish(&d.tx);
        st = stack ? sign_and_send(h, &d, 1, txid, err)
                   : cc_fail(err, CC_IO, "cannot sign");
    }
    draft_clear(h, &d, st != CC_OK);
    return st;
}

/* --- Forming a typed coin ------------------------------------------------- */

enum cc_status cc_host_form_typed(struct cc_host *h, struct cc_typed *t,
                                  cc_amount value, struct cc_outpoint *formed,
                                  struct cc_error *err)
{
    static const uint8_t room[64];
    struct draft d;
    enum cc_status st;
    uint8_t msg[32], sig[64];

    draft_init(&d);
    make_room(&d, CC_FORM_INPUTS_MAX, 2);
    t->forming = true;
    t->sigs = cc_bytes(room, sizeof(room));
    add_typed(&d, value, t);
    st = balance(h, &d, -value, 0, h->config.feerate, err);
    if (st == CC_OK) {
        add_funds(&d);
        cc_typed_form_message(msg, t, &d.tx.vin[0].prevout, 0, value,
                              h->config.params);
        if (!cc_schnorr_sign(h->config.ec, sig, h->secret, msg, 32, NULL))
            st = cc_fail(err, CC_IO, "cannot sign");
        t->sigs = cc_bytes(sig, sizeof(sig));
        d.tx.vout_count = 0; /* anew, with the signature */
        add_typed(&d, value, t);
        d.tx.vout_count = d.funds.sum - value - d.fee >= CC_HOST_DUST ? 2 : 1;
        cc_tx_finish(&d.tx);
    }
    if (st == CC_OK)
        st = sign_and_send(h, &d, 0, formed->txid, err);
    formed->index = 0;
    draft_clear(h, &d, st != CC_OK);
    return st;
}
