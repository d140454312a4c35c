/*
 * Contracts come about: the renter's wish, our offer, the signed transaction
 * (doc/protocol.md 4.1, 7). The renter pays all fees; we bring the collateral.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/wide.h"
#include "crypto/ec.h"
#include "storage/host_i.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/writer.h"

struct cc_host_offer {
    struct cc_msg_form_request request;
    uint64_t price_write, price_read, price_request; /* as they were then */
    uint8_t signature[64];
    struct cc_host_funds funds;
    struct cc_form_output change; /* value 0: none */
    uint8_t change_script[34];
};

static void offer_free(struct cc_host *h, struct cc_host_offer *o, bool unlock)
{
    if (!o)
        return;
    cc_host_funds_clear(h, &o->funds, unlock);
    free(o);
}

void cc_host_scratch_init(struct cc_host_scratch *s)
{
    memset(s, 0, sizeof(*s));
    cc_arena_init(&s->arena);
}

void cc_host_scratch_clear(struct cc_host *h, struct cc_host_scratch *s)
{
    offer_free(h, s->offer, true);
    free(s->data);
    cc_arena_clear(&s->arena);
    memset(s, 0, sizeof(*s));
}

/* --- Terms ---------------------------------------------------------------- */

/* Why we do not sign these; NULL: we do. */
static const char *terms_fault(struct cc_host *h,
                               const struct cc_msg_form_request *m,
                               const struct cc_msg_settings_reply *s)
{
    const struct cc_params *p = h->config.params;
    const struct cc_contract *c = &m->contract;
    struct cc_typed t;
    cc_amount need;
    uint64_t rent;

    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_CONTRACT;
    t.u.contract = *c;
    if (memcmp(c->host_key, h->key, 32))
        return "the contract names another host";
    if (!cc_contract_need(&need, c, p) || m->value != (uint64_t)need)
        return "the value is not what the contract needs";
    if (cc_typed_check(&t, (cc_amount)m->value, p, NULL) != CC_OK ||
        !cc_contract_schedule_fair(c))
        return "the contract breaks the rules of the chain";
    if (c->revision || c->done || c->redeemed || c->sectors)
        return "the contract does not begin empty";
    if ((int64_t)c->start <= s->height ||
        (int64_t)c->start > (int64_t)s->height + s->lead_max)
        return "it starts too early or too late";
    if (c->period < s->period_min || c->period > s->period_max)
        return "period";
    if (c->periods > s->periods_max)
        return "too many periods";
    if (c->samples > s->samples || c->odds > s->odds_max)
        return "samples or odds";
    if (m->capacity < 1 || m->capacity > s->capacity_max)
        return "capacity";
    if (!cc_settings_rent(&rent, s, m->capacity, c->period, p) ||
        c->rent < rent)
        return "the rent is too low";
    if ((cc_u128)c->penalty * 1000 > (cc_u128)c->rent * s->collateral_permille)
        return "the penalty is too high";
    if (c->allowance < s->allowance_min)
        return "the allowance is too low";
    return NULL;
}

/* --- The offer ------------------------------------------------------------ */

static enum cc_status fund_offer(struct cc_host *h, struct cc_host_offer *o,
                                 struct cc_error *err)
{
    const struct cc_contract *c = &o->request.contract;
    const cc_amount collateral = (cc_amount)(c->penalty * c->periods);
    enum cc_status st = cc_host_fund(h, collateral, &o->funds, err);
    cc_amount rest = o->funds.sum - collateral;

    /* Change must be worth an output: all of it comes back to us. */
    if (st == CC_OK && rest > 0 && rest < CC_HOST_DUST) {
        cc_host_funds_clear(h, &o->funds, true);
        st = cc_host_fund(h, collateral + CC_HOST_DUST, &o->funds, err);
        rest = o->funds.sum - collateral;
    }
    if (st != CC_OK || rest == 0)
        return st;
    cc_host_pay_script(o->change_script, h->key);
    o->change.value = (uint64_t)rest;
    o->change.script = cc_bytes(o->change_script, sizeof(o->change_script));
    return CC_OK;
}

static bool sign_offer(struct cc_host *h, struct cc_host_offer *o)
{
    struct cc_typed t;
    uint8_t msg[32];

    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_CONTRACT;
    t.forming = true;
    t.u.contract = o->request.contract;
    cc_typed_form_message(msg, &t, &o->request.prevout0, 0,
                          (cc_amount)o->request.value, h->config.params);
    return cc_schnorr_sign(h->config.ec, o->signature, h->secret, msg, 32,
                           NULL);
}

void cc_host_serve_form_request(struct cc_host *h, const uint8_t peer[32],
                                const struct cc_msg_form_request *m,
                                struct cc_message *reply,
                                struct cc_host_scratch *s)
{
    struct cc_msg_settings_reply settings;
    struct cc_msg_form_offer *out = &reply->u.form_offer;
    struct cc_host_offer *o;
    struct cc_error err;
    enum cc_status st;
    uint64_t room;
    const char *why;

    offer_free(h, s->offer, true); /* a new wish ends the old one */
    s->offer = NULL;
    pthread_mutex_lock(&h->lock);
    cc_host_settings(h, &settings);
    room = cc_host_sectors_free(h);
    pthread_mutex_unlock(&h->lock);
    if (memcmp(m->contract.renter_key, peer, 32)) {
        cc_host_refuse(reply, s, CC_REFUSE_NOT_YOURS,
                       "the contract names another renter");
        return;
    }
    why = settings.accepting ? terms_fault(h, m, &settings)
                             : "no new contracts are taken";
    if (why) {
        cc_host_refuse(reply, s, CC_REFUSE_TERMS, "%s", why);
        return;
    }
    if (m->capacity > room) {
        cc_host_refuse(reply, s, CC_REFUSE_FULL,
                       "room is left for %" PRIu64 " sectors", room);
        return;
    }
    o = cc_calloc(1, sizeof(*o));
    o->request = *m;
    o->price_write = settings.price_write;
    o->price_read = settings.price_read;
    o->price_request = settings.price_request;
    st = fund_offer(h, o, &err);
    if (st != CC_OK || !sign_offer(h, o)) {
        cc_log(h->config.log, "host: no offer could be made: %s",
               st != CC_OK ? err.text : "cannot sign");
        offer_free(h, o, true);
        cc_host_refuse(reply, s, CC_REFUSE_TERMS,
                       "the host cannot bring the collateral now");
        return;
    }
    s->offer = o;
    memset(out, 0, sizeof(*out));
    memcpy(out->signature, o->signature, 64);
    out->input_count = o->funds.count;
    memcpy(out->inputs, o->funds.inputs, o->funds.count * sizeof(*out->inputs));
    if (o->change.value)
        out->outputs[out->output_count++] = o->change;
    reply->type = CC_MSG_FORM_OFFER;
}

/* --- The signed transaction ----------------------------------------------- */

static bool output_is(const struct cc_txout *out,
                      const struct cc_form_output *want)
{
    return out->value == (cc_amount)want->value &&
           cc_bytes_equal(out->script, want->script);
}

/* Is it the contract we signed for, at its place, and by the renter too? */
static const char *contract_fault(struct cc_host *h,
                                  const struct cc_host_offer *o,
                                  const struct cc_tx *tx)
{
    const struct cc_msg_form_request *q = &o->request;
    struct cc_typed t, want;
    uint8_t script[CC_TYPED_SCRIPT_ROOM], msg[32];
    struct cc_writer w;

    if (cc_typed_parse(&t, tx->vout[0].script, NULL) != CC_OK ||
        t.kind != CC_KIND_CONTRACT || !t.forming)
        return "the first output is no contract";
    memset(&want, 0, sizeof(want));
    want.kind = CC_KIND_CONTRACT;
    want.forming = true;
    want.u.contract = q->contract;
    want.sigs = t.sigs;
    cc_writer_init(&w, script, sizeof(script));
    cc_typed_write(&w, &want);
    if (tx->vout[0].value != (cc_amount)q->value ||
        !cc_bytes_equal(cc_bytes(script, w.len), tx->vout[0].script))
        return "the contract is not the one agreed";
    cc_typed_form_message(msg, &want, &q->prevout0, 0, (cc_amount)q->value,
                          h->config.params);
    if (memcmp(t.sigs.data + 64, o->signature, 64) ||
        !cc_schnorr_verify(q->contract.renter_key, t.sigs.data, msg, 32))
        return "signatures of the contract";
    return NULL;
}

/* The renter's inputs are key spends and nothing else. Our signature covers no
 * scriptSig: with one the renter could give the transaction another id, and us
 * a contract that we do not know. And a typed coin may owe us money, which our
 * own change would seem to pay (doc/protocol.md 4.5). A typed coin's witness
 * has two elements at least. */
static bool is_key_spend(const struct cc_txin *in)
{
    return in->script_sig.len == 0 && in->witness_count == 1 &&
           (in->witness[0].len == 64 || in->witness[0].len == 65);
}

static const char *tx_fault(struct cc_host *h, const struct cc_host_offer *o,
                            const struct cc_tx *tx)
{
    const size_t ours = o->funds.count;
    const size_t first = tx->vin_count - ours;
    const size_t change = o->change.value != 0;
    const struct cc_txin *in;

    if (tx->vin_count <= ours || tx->vout_count < 1 + change)
        return "inputs or outputs are missing";
    if (!cc_outpoint_equal(&tx->vin[0].prevout, &o->request.prevout0))
        return "the first input is not the one agreed";
    for (size_t i = 0; i < tx->vin_count; i++) {
        in = &tx->vin[i];
        if (i < first && !is_key_spend(in))
            return "an input of the renter is no key spend of taproot";
        if (i >= first &&
            (in->witness_count || in->script_sig.len ||
             !cc_outpoint_equal(&in->prevout,
                                &o->funds.inputs[i - first].prevout)))
            return "the host's inputs are not as offered";
    }
    if (change && !output_is(&tx->vout[tx->vout_count - 1], &o->change))
        return "the host's output is not as offered";
    return contract_fault(h, o, tx);
}

/* Kept before it is sent: a contract on the chain without its record would be
 * a debt nobody knows of. */
static enum cc_status keep(struct cc_host *h, const struct cc_host_offer *o,
                           const struct cc_tx *tx, struct cc_error *err)
{
    struct cc_host_contract *c = cc_host_contract_new();
    enum cc_status st;

    memcpy(c->formed.txid, tx->txid, 32);
    cc_typed_formed_id(c->id, &c->formed);
    c->body = o->request.contract;
    memcpy(c->body.id, c->id, 32);
    c->value = (cc_amount)o->request.value;
    c->capacity = o->request.capacity;
    c->price_write = o->price_write;
    c->price_read = o->price_read;
    c->price_request = o->price_request;
    c->outpoint = c->formed;
    pthread_mutex_lock(&h->lock);
    c->formed_height = c->revised_height = h->tip;
    /* Another session may have promised the same room meanwhile. */
    if (c->capacity > cc_host_sectors_free(h))
        st = cc_fail(err, CC_LIMIT, "the room has gone to another renter");
    else
        st = cc_host_contract_save(h, c, err);
    if (st == CC_OK)
        cc_host_contract_add(h, c);
    pthread_mutex_unlock(&h->lock);
    if (st != CC_OK)
        cc_host_contract_free(c);
    return st;
}

static void drop(struct cc_host *h, const struct cc_tx *tx)
{
    struct cc_outpoint o;
    struct cc_host_contract *c;
    uint8_t id[32];

    memset(&o, 0, sizeof(o));
    memcpy(o.txid, tx->txid, 32);
    cc_typed_formed_id(id, &o);
    pthread_mutex_lock(&h->lock);
    c = cc_host_contract_find(h, id);
    if (c)
        cc_host_contract_remove(h, c);
    pthread_mutex_unlock(&h->lock);
}

static enum cc_status finish(struct cc_host *h, struct cc_host_offer *o,
                             const struct cc_tx *tx, struct cc_tx *whole,
                             struct cc_error *err)
{
    const size_t ours = o->funds.count;
    enum cc_status st =
        cc_host_sign_inputs(h, tx, tx->vin_count - ours, ours, whole, err);

    if (st != CC_OK)
        return st;
    st = keep(h, o, whole, err);
    if (st == CC_OK) {
        st = cc_host_send(h, whole, err);
        if (st == CC_INVALID) /* refused; of a lost node we do not know */
            drop(h, whole);
    }
    if (st != CC_OK)
        cc_tx_clear(whole);
    return st;
}

static void answer_done(struct cc_host *h, const struct cc_host_offer *o,
                        struct cc_tx *whole, struct cc_message *reply,
                        struct cc_host_scratch *s)
{
    const struct cc_contract *c = &o->request.contract;
    struct cc_msg_form_done *out = &reply->u.form_done;
    struct cc_writer w;
    char hex[65];

    cc_writer_init_heap(&w);
    cc_tx_write(&w, whole, true);
    out->tx = cc_bytes(cc_arena_dup(&s->arena, w.data, w.len), w.len);
    cc_writer_clear(&w);
    memcpy(out->txid, whole->txid, 32);
    reply->type = CC_MSG_FORM_DONE;
    cc_hex_encode(hex, c->renter_key, 8);
    cc_host_tell(h, "formed", whole->txid, (cc_amount)c->rent,
                 "contract with renter %s: %u sectors for %u periods of %u "
                 "blocks; rent a period",
                 hex, (unsigned)o->request.capacity, (unsigned)c->periods,
                 (unsigned)c->period);
    cc_tx_clear(whole);
}

void cc_host_serve_form_sign(struct cc_host *h, const uint8_t peer[32],
                             const struct cc_msg_form_sign *m,
                             struct cc_message *reply,
                             struct cc_host_scratch *s)
{
    struct cc_host_offer *o = s->offer;
    struct cc_tx tx, whole;
    struct cc_error err;
    enum cc_status st;
    const char *why;

    if (!o || memcmp(o->request.contract.renter_key, peer, 32)) {
        cc_host_refuse(reply, s, CC_REFUSE_MALFORMED, "nothing was offered");
        return;
    }
    s->offer = NULL; /* one try */
    if (cc_tx_decode(&tx, m->tx.data, m->tx.len, true) != CC_OK) {
        offer_free(h, o, true);
        cc_host_refuse(reply, s, CC_REFUSE_MALFORMED, "transaction");
        return;
    }
    why = tx_fault(h, o, &tx);
    if (why) {
        offer_free(h, o, true);
        cc_host_refuse(reply, s, CC_REFUSE_TERMS, "%s", why);
    } else {
        cc_error_init(&err);
        st = finish(h, o, &tx, &whole, &err);
        if (st == CC_OK)
            answer_done(h, o, &whole, reply, s);
        else
            cc_host_refuse(reply, s,
                           st == CC_INVALID ? CC_REFUSE_TERMS
                           : st == CC_LIMIT ? CC_REFUSE_FULL
                                            : CC_REFUSE_INTERNAL,
                           "%s", err.text);
        offer_free(h, o, st != CC_OK);
    }
    cc_tx_clear(&tx);
}
