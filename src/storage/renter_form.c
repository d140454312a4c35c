/*
 * Forming a contract. The renter pays rent, allowance, deposit and all fees,
 * the host its collateral; the transaction is the renter's inputs, then the
 * host's; vout[0] the contract, then the renter's change, then the host's.
 *
 * The renter signs last but one: once FORM_SIGN is on its way the contract may
 * come into being at any time, so it is on disk before.
 */
#include "storage/renter_deal.h"

#include "crypto/address.h"
#include "crypto/ec.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define HOST_WEIGHT_MAX 12000 /* of what a host adds: we pay its fee */
#define HOST_INPUTS_ASSUMED 4
#define DUST 1000
#define INPUTS_MAX 200
#define RPC_NOT_FOUND (-5) /* as Bitcoin Core's calls answer */

struct coin {
    struct cc_outpoint out;
    cc_amount value;
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    size_t script_len, weight;
    bool confirmed;
};

/* One formation under way. */
struct form {
    struct cc_renter *r;
    const struct cc_host *host;
    struct cc_renter_deal deal;
    uint32_t key_index;
    uint64_t feerate;
    uint8_t secret[32];
    struct coin *coins; /* picked; locked in the wallet */
    size_t coin_count;
    uint8_t change[CC_ADDRESS_SCRIPT_MAX];
    size_t change_len;
    struct cc_session *session;
    struct cc_msg_form_offer offer; /* its slices: in offer_bytes */
    struct cc_arena arena;
    struct cc_tx tx;
};

int64_t cc_renter_contract_end(const struct cc_renter_contract *c)
{
    return (int64_t)c->terms.start +
           (int64_t)c->terms.period * c->terms.periods;
}

/* --- The key ------------------------------------------------------------- */

/* A key that an earlier attempt left over, or the next of the wallet: each
 * one used costs a place in the gap that a restored wallet looks ahead. */
static enum cc_status choose_key(struct form *f, struct cc_error *err)
{
    char *path = cc_fs_join(f->r->dir, "spare_key"), text[16];
    int64_t index = -1;
    enum cc_status st;
    uint8_t *data = NULL;
    size_t len;

    if (cc_fs_read(path, 16, &data, &len, NULL) == CC_OK)
        index = strtol((char *)data, NULL, 10);
    if (index <= 0)
        index = -1;
    st = cc_renter_storage_key(f->r, index, &f->key_index,
                               f->deal.terms.renter_key, f->secret, err);
    /* Key 0 is the identity's and the objects'. */
    if (st == CC_OK && f->key_index == 0)
        st = cc_renter_storage_key(f->r, -1, &f->key_index,
                                   f->deal.terms.renter_key, f->secret, err);
    snprintf(text, sizeof(text), "%" PRIu32, f->key_index);
    if (st == CC_OK)
        st = cc_fs_write(path, text, strlen(text), 0600, err);
    free(data);
    free(path);
    return st;
}

static void key_is_used(struct form *f)
{
    char *path = cc_fs_join(f->r->dir, "spare_key");

    (void)cc_fs_remove(path, NULL);
    free(path);
}

/* --- Coins --------------------------------------------------------------- */

static size_t input_weight(const uint8_t *script, size_t len)
{
    struct cc_address a;

    /* A taproot signature covers the scripts of all inputs, so the host's are
     * what it says; no other does. */
    if (cc_address_from_script(&a, script, len) == CC_ADDRESS_TR)
        return 41 * 4 + 66;
    return 0;
}

/* Ours says what the host's inputs spend and in which order, but no scriptSig:
 * with one the host could give the transaction another id than that of the
 * contract we keep. */
static bool is_witness(struct cc_bytes script)
{
    struct cc_address a;

    switch (cc_address_from_script(&a, script.data, script.len)) {
    case CC_ADDRESS_TR:
    case CC_ADDRESS_WPKH:
    case CC_ADDRESS_WSH:
        return true;
    case CC_ADDRESS_NONE:
    case CC_ADDRESS_PKH:
    case CC_ADDRESS_SH:
    case CC_ADDRESS_WITNESS:
        break;
    }
    return false;
}

static bool take_coin(struct coin *c, const json_t *o)
{
    const char *txid = json_string_value(json_object_get(o, "txid"));
    const char *script = json_string_value(json_object_get(o, "scriptPubKey"));
    const json_t *safe = json_object_get(o, "safe");

    memset(c, 0, sizeof(*c));
    if (!txid || !script || !cc_hex_decode_rev(c->out.txid, 32, txid) ||
        strlen(script) / 2 > sizeof(c->script) ||
        !cc_hex_decode(c->script, strlen(script) / 2, script) ||
        !json_is_true(json_object_get(o, "spendable")) ||
        (safe && !json_is_true(safe)))
        return false;
    c->script_len = strlen(script) / 2;
    c->out.index = (uint32_t)json_integer_value(json_object_get(o, "vout"));
    c->value = cc_renter_amount(json_object_get(o, "amount"));
    c->confirmed = json_integer_value(json_object_get(o, "confirmations")) > 0;
    c->weight = input_weight(c->script, c->script_len);
    return c->weight && c->value > 0;
}

/* Confirmed ones first, so that no long chains grow; then the largest. */
static int by_use(const void *x, const void *y)
{
    const struct coin *a = x, *b = y;

    if (a->confirmed != b->confirmed)
        return a->confirmed ? -1 : 1;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return memcmp(&a->out, &b->out, sizeof(a->out));
}

static cc_amount fee_of(const struct form *f, size_t weight)
{
    uint64_t vbytes = (weight + 3) / 4;

    return (cc_amount)((vbytes * f->feerate + 999) / 1000);
}

/* Everything but the host's inputs and outputs. */
static size_t our_weight(const struct form *f)
{
    size_t weight = 4 * (4 + 4 + 3 + 3) + 2;

    for (size_t i = 0; i < f->coin_count; i++)
        weight += f->coins[i].weight;
    weight += 4 * (8 + 3 + 2 + 2 + 1 + 180 + 128); /* the contract */
    return weight + 4 * (8 + 1 + f->change_len);
}

static cc_amount sum_of_coins(const struct form *f)
{
    cc_amount sum = 0;

    for (size_t i = 0; i < f->coin_count; i++)
        sum += f->coins[i].value; /* of the wallet: below MAX_MONEY in all */
    return sum;
}

static enum cc_status short_of_money(cc_amount need, cc_amount have,
                                     struct cc_error *err)
{
    char a[CC_AMOUNT_TEXT_SIZE], b[CC_AMOUNT_TEXT_SIZE];

    cc_amount_format(a, need);
    cc_amount_format(b, have);
    return cc_renter_ours(
        err, cc_fail(err, CC_LIMIT,
                     "insufficient funds: the contract needs %s coins of us, "
                     "and %s can be spent now",
                     a, b));
}

static void lock_coins(struct form *f, bool lock)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->coin_count; i++) {
        char txid[65];

        cc_hex_encode_rev(txid, f->coins[i].out.txid, 32);
        json_array_append_new(list,
                              json_pack("{s:s, s:I}", "txid", txid, "vout",
                                        (json_int_t)f->coins[i].out.index));
    }
    /* Only a courtesy to other programs on the same wallet. */
    (void)cc_node_call(f->r->o.node, "lockunspent",
                       json_pack("[b, o]", !lock, list), NULL, NULL);
}

static enum cc_status pick_coins(struct form *f, struct cc_error *err)
{
    json_t *list = NULL, *row;
    struct coin *all;
    size_t n = 0, i;
    cc_amount have = 0, need = 0;
    enum cc_status st;

    st = cc_renter_call(f->r, "listunspent", json_pack("[i]", 0), &list, err);
    if (st != CC_OK)
        return st;
    all = cc_calloc(json_array_size(list) + 1, sizeof(*all));
    json_array_foreach(list, i, row) n += take_coin(&all[n], row);
    json_decref(list);
    qsort(all, n, sizeof(*all), by_use);
    f->coins = all;
    for (f->coin_count = 0; f->coin_count < n && f->coin_count < INPUTS_MAX;) {
        have += all[f->coin_count++].value;
        need = f->deal.ours +
               fee_of(f, our_weight(f) + HOST_INPUTS_ASSUMED * 300 + 200);
        if (have >= need) {
            lock_coins(f, true);
            return CC_OK;
        }
    }
    st = short_of_money(need ? need : f->deal.ours, have, err);
    f->coin_count = 0;
    return st;
}

static enum cc_status choose_change(struct form *f, struct cc_error *err)
{
    json_t *v = NULL;
    enum cc_status st =
        cc_renter_call(f->r, "getrawchangeaddress", NULL, &v, err);

    if (st == CC_OK &&
        (!json_is_string(v) ||
         !cc_address_decode(f->change, &f->change_len, json_string_value(v),
                            &f->r->o.params->prefixes, NULL)))
        st = cc_fail(err, CC_MALFORMED, "getrawchangeaddress: no address");
    json_decref(v);
    return st;
}

static enum cc_status choose_feerate(struct form *f, struct cc_error *err)
{
    json_t *v = NULL;
    enum cc_status st;
    cc_amount min;

    f->feerate = f->r->o.feerate;
    if (f->feerate)
        return CC_OK;
    st = cc_renter_call(f->r, "getmempoolinfo", NULL, &v, err);
    if (st != CC_OK)
        return st;
    min = cc_renter_amount(json_object_get(v, "mempoolminfee"));
    json_decref(v);
    /* Twice what the pool takes, and two satoshi a vbyte at least. */
    f->feerate = min > 0 && min < CC_COIN ? 2 * (uint64_t)min : 0;
    if (f->feerate < 2000)
        f->feerate = 2000;
    return CC_OK;
}

/* --- The offer ----------------------------------------------------------- */

static struct cc_bytes keep(struct form *f, struct cc_bytes b)
{
    return cc_bytes(cc_arena_dup(&f->arena, b.data, b.len), b.len);
}

static enum cc_status check_offer(struct form *f, struct cc_error *err)
{
    const struct cc_msg_form_offer *o = &f->offer;
    struct cc_typed t = {.kind = CC_KIND_CONTRACT, .forming = true};
    cc_amount in = 0, out = 0, max = f->r->o.params->max_money;
    uint64_t weight = 0;
    uint8_t msg[32];

    for (size_t i = 0; i < o->input_count; i++) {
        weight += o->inputs[i].weight;
        if (o->inputs[i].value > (uint64_t)max ||
            !cc_amount_add(&in, in, (cc_amount)o->inputs[i].value, max))
            return cc_fail(err, CC_CORRUPT, "offered absurd inputs");
        if (!is_witness(o->inputs[i].script))
            return cc_fail(err, CC_CORRUPT,
                           "offered a coin that is not spent by a witness");
        for (size_t j = 0; j < f->coin_count; j++)
            if (cc_outpoint_equal(&o->inputs[i].prevout, &f->coins[j].out))
                return cc_fail(err, CC_CORRUPT, "offered a coin of ours");
    }
    for (size_t i = 0; i < o->output_count; i++) {
        weight += 4 * (9 + o->outputs[i].script.len);
        if (o->outputs[i].value > (uint64_t)max ||
            !cc_amount_add(&out, out, (cc_amount)o->outputs[i].value, max))
            return cc_fail(err, CC_CORRUPT, "offered absurd outputs");
    }
    if (weight > HOST_WEIGHT_MAX)
        return cc_fail(err, CC_CORRUPT,
                       "wants the fee for %" PRIu64 " weight units of its own",
                       weight);
    if (in - out != f->deal.collateral)
        return cc_fail(err, CC_CORRUPT,
                       "brings %" PRId64 " sat of collateral where %" PRId64
                       " were agreed",
                       in - out, f->deal.collateral);
    t.u.contract = f->deal.terms;
    cc_typed_form_message(msg, &t, &f->coins[0].out, 0, f->deal.value,
                          f->r->o.params);
    if (!cc_schnorr_verify(f->deal.terms.host_key, o->signature, msg, 32))
        return cc_fail(err, CC_CORRUPT, "signed other terms than were agreed");
    return CC_OK;
}

static enum cc_status get_offer(struct form *f, struct cc_error *err)
{
    struct cc_message m, r;
    enum cc_status st;

    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_FORM_REQUEST;
    m.u.form_request.contract = f->deal.terms;
    m.u.form_request.value = (uint64_t)f->deal.value;
    m.u.form_request.capacity = f->deal.capacity;
    m.u.form_request.feerate = f->feerate;
    m.u.form_request.prevout0 = f->coins[0].out;
    st = cc_session_call(f->session, &m, &r, NULL, err);
    if (st != CC_OK)
        return st;
    f->offer = r.u.form_offer;
    for (size_t i = 0; i < f->offer.input_count; i++)
        f->offer.inputs[i].script = keep(f, f->offer.inputs[i].script);
    for (size_t i = 0; i < f->offer.output_count; i++)
        f->offer.outputs[i].script = keep(f, f->offer.outputs[i].script);
    return check_offer(f, err);
}

/* --- The transaction ----------------------------------------------------- */

static struct cc_bytes contract_script(struct form *f, struct cc_error *err)
{
    struct cc_typed t = {.kind = CC_KIND_CONTRACT, .forming = true};
    uint8_t sigs[128], msg[32], buf[400];
    struct cc_writer w;

    t.u.contract = f->deal.terms;
    cc_typed_form_message(msg, &t, &f->coins[0].out, 0, f->deal.value,
                          f->r->o.params);
    if (!cc_schnorr_sign(f->r->o.ec, sigs, f->secret, msg, 32, NULL)) {
        cc_fail(err, CC_INVALID, "our contract key does not sign");
        return cc_bytes(NULL, 0);
    }
    memcpy(sigs + 64, f->offer.signature, 64);
    t.sigs = cc_bytes(sigs, sizeof(sigs));
    cc_writer_init(&w, buf, sizeof(buf));
    cc_typed_write(&w, &t);
    return w.failed ? cc_bytes(NULL, 0) : keep(f, cc_bytes(buf, w.len));
}

static enum cc_status build(struct form *f, struct cc_error *err)
{
    const struct cc_msg_form_offer *o = &f->offer;
    struct cc_tx *tx = &f->tx;
    size_t weight = our_weight(f), n = f->coin_count;
    cc_amount change;

    tx->version = 2;
    tx->vin = cc_arena_calloc(&f->arena, n + o->input_count, sizeof(*tx->vin));
    tx->vin_count = n + o->input_count;
    for (size_t i = 0; i < n; i++)
        tx->vin[i].prevout = f->coins[i].out;
    for (size_t i = 0; i < o->input_count; i++) {
        tx->vin[n + i].prevout = o->inputs[i].prevout;
        weight += o->inputs[i].weight;
    }
    for (size_t i = 0; i < tx->vin_count; i++)
        tx->vin[i].sequence = 0xfffffffd;
    tx->vout =
        cc_arena_calloc(&f->arena, 2 + o->output_count, sizeof(*tx->vout));
    tx->vout[0].value = f->deal.value;
    tx->vout[0].script = contract_script(f, err);
    if (!tx->vout[0].script.len)
        return CC_INVALID;
    for (size_t i = 0; i < o->output_count; i++)
        weight += 4 * (8 + 1 + o->outputs[i].script.len);
    change = sum_of_coins(f) - f->deal.ours - fee_of(f, weight);
    if (change < 0)
        return short_of_money(f->deal.ours + fee_of(f, weight), sum_of_coins(f),
                              err);
    tx->vout_count = 1;
    if (change >= DUST) {
        tx->vout[1].value = change;
        tx->vout[1].script = cc_bytes(f->change, f->change_len);
        tx->vout_count = 2;
    }
    for (size_t i = 0; i < o->output_count; i++) {
        tx->vout[tx->vout_count].value = (cc_amount)o->outputs[i].value;
        tx->vout[tx->vout_count++].script = o->outputs[i].script;
    }
    cc_tx_finish(tx);
    return CC_OK;
}

static char *tx_hex(const struct cc_tx *tx)
{
    struct cc_writer w;
    char *hex;

    cc_writer_init_heap(&w);
    cc_tx_write(&w, tx, true);
    hex = cc_hex_dup(w.data, w.len);
    cc_writer_clear(&w);
    return hex;
}

/* What the host's inputs spend: a taproot signature covers all of them. */
static json_t *host_prevouts(const struct form *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->offer.input_count; i++) {
        const struct cc_form_input *in = &f->offer.inputs[i];
        char txid[65], amount[CC_AMOUNT_TEXT_SIZE];
        char *script = cc_hex_dup(in->script.data, in->script.len);

        cc_hex_encode_rev(txid, in->prevout.txid, 32);
        cc_amount_format(amount, (cc_amount)in->value);
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:s, s:s}", "txid", txid, "vout",
                            (json_int_t)in->prevout.index, "scriptPubKey",
                            script, "amount", amount));
        free(script);
    }
    return list;
}

/* Our inputs signed by the wallet; *out: the transaction as it is then. */
static enum cc_status sign_inputs(struct form *f, uint8_t **out, size_t *len,
                                  struct cc_error *err)
{
    char *hex = tx_hex(&f->tx);
    struct cc_tx signed_tx;
    const char *answer;
    json_t *v = NULL;
    enum cc_status st;

    st = cc_renter_call(f->r, "signrawtransactionwithwallet",
                        json_pack("[s, o]", hex, host_prevouts(f)), &v, err);
    free(hex);
    if (st != CC_OK)
        return st;
    answer = json_string_value(json_object_get(v, "hex"));
    *out = answer ? cc_hex_decode_dup(answer, len) : NULL;
    json_decref(v);
    if (!*out || cc_tx_decode(&signed_tx, *out, *len, true) != CC_OK) {
        free(*out);
        return cc_fail(err, CC_MALFORMED,
                       "signrawtransactionwithwallet: no transaction");
    }
    if (memcmp(signed_tx.txid, f->tx.txid, 32))
        st = CC_INVALID;
    for (size_t i = 0; st == CC_OK && i < f->coin_count; i++)
        if (!signed_tx.vin[i].witness_count && !signed_tx.vin[i].script_sig.len)
            st = CC_INVALID;
    cc_tx_clear(&signed_tx);
    if (st == CC_OK)
        return CC_OK;
    free(*out);
    return cc_renter_ours(
        err, cc_fail(err, st, "the wallet did not sign its inputs"));
}

/* --- Signing and sending ------------------------------------------------- */

static struct cc_renter_contract *new_contract(const struct form *f)
{
    struct cc_renter_contract *c = cc_calloc(1, sizeof(*c));
    struct cc_outpoint o;

    memcpy(o.txid, f->tx.txid, 32);
    o.index = 0;
    cc_typed_formed_id(c->id, &o);
    memcpy(c->txid, f->tx.txid, 32);
    c->terms = f->deal.terms;
    c->value = (uint64_t)f->deal.value;
    c->capacity = f->deal.capacity;
    c->price_write = f->host->settings.price_write;
    c->price_read = f->host->settings.price_read;
    c->price_request = f->host->settings.price_request;
    strcpy(c->endpoint, f->host->endpoint);
    c->key_index = f->key_index;
    c->forming = true;
    return c;
}

static enum cc_status send_signed(struct form *f, const uint8_t *tx, size_t len,
                                  bool *taken, struct cc_error *err)
{
    struct cc_message m, r;
    enum cc_status st;
    char *hex;

    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_FORM_SIGN;
    m.u.form_sign.tx = cc_bytes(tx, len);
    st = cc_session_call(f->session, &m, &r, NULL, err);
    if (st != CC_OK)
        return st;
    if (memcmp(r.u.form_done.txid, f->tx.txid, 32))
        return cc_fail(err, CC_CORRUPT, "sent another transaction");
    /* What our node does not take, as yet, is believed when a block has it. */
    hex = cc_hex_dup(r.u.form_done.tx.data, r.u.form_done.tx.len);
    *taken = cc_node_call(f->r->o.node, "sendrawtransaction",
                          json_pack("[s]", hex), NULL, NULL) == CC_OK;
    free(hex);
    return CC_OK;
}

static enum cc_status conclude(struct form *f, struct cc_renter_contract **out,
                               struct cc_error *err)
{
    struct cc_renter_contract *c;
    enum cc_status st;
    uint8_t *tx = NULL;
    bool taken = false;
    size_t len = 0;

    st = build(f, err);
    if (st == CC_OK)
        st = sign_inputs(f, &tx, &len, err);
    if (st != CC_OK)
        return st;
    c = new_contract(f);
    st = cc_renter_contract_save(c, f->r->dir, err);
    if (st != CC_OK) {
        free(c);
        goto out;
    }
    key_is_used(f);
    cc_renter_add_contract(f->r, c);
    st = send_signed(f, tx, len, &taken, err);
    if (st == CC_OK) {
        c->forming = !taken;
        st = cc_renter_contract_save(c, f->r->dir, err);
        *out = c;
    }
out:
    free(tx);
    return st;
}

static enum cc_status prepare(struct form *f, uint32_t sectors,
                              struct cc_error *err)
{
    uint32_t height;
    enum cc_status st = cc_renter_height(f->r, &height, err);

    if (st != CC_OK)
        return st;
    st = cc_renter_deal_choose(&f->deal, &f->r->o, f->host, sectors, height,
                               err);
    if (st == CC_OK)
        st = choose_feerate(f, err);
    if (st == CC_OK)
        st = choose_change(f, err);
    if (st == CC_OK)
        st = pick_coins(f, err);
    if (st == CC_OK)
        st = choose_key(f, err);
    return st;
}

enum cc_status cc_renter_form(struct cc_renter *r, const struct cc_host *host,
                              uint32_t sectors, struct cc_renter_contract **out,
                              struct cc_error *err)
{
    struct form *f = cc_calloc(1, sizeof(*f));
    size_t before = r->count;
    enum cc_status st;

    f->r = r;
    f->host = host;
    cc_arena_init(&f->arena);
    st = prepare(f, sectors, err);
    if (st == CC_OK)
        st = cc_renter_connect(r, &f->session, host->endpoint, host->key,
                               f->secret, err);
    if (st == CC_OK)
        st = get_offer(f, err);
    if (st == CC_OK)
        st = conclude(f, out, err);
    /* Until we signed, nobody can spend them: free for the next try. */
    if (st != CC_OK && f->coin_count && r->count == before)
        lock_coins(f, false);
    cc_session_free(f->session);
    cc_arena_clear(&f->arena);
    cc_cleanse(f->secret, sizeof(f->secret));
    free(f->coins);
    free(f);
    return st;
}

/* --- Contracts whose fate is open ---------------------------------------- */

static enum cc_status settle_one(struct cc_renter *r, size_t i, uint32_t height,
                                 struct cc_error *err)
{
    struct cc_renter_contract *c = r->contracts[i];
    json_t *v = NULL;
    enum cc_status st;
    char id[65];

    cc_hex_encode(id, c->id, 32);
    st = cc_node_call(r->o.node, "getcontract", json_pack("[s]", id), &v, err);
    json_decref(v);
    if (st == CC_OK) {
        c->forming = false;
        return cc_renter_contract_save(c, r->dir, err);
    }
    if (cc_node_client_code(r->o.node) != RPC_NOT_FOUND)
        return cc_context(err, st, "getcontract");
    if (height <= c->terms.start + 6)
        return CC_OK; /* may still be mined */
    st = cc_renter_contract_remove(c, r->dir, err);
    if (st != CC_OK)
        return st;
    cc_renter_contract_clear(c);
    free(c);
    r->contracts[i] = r->contracts[--r->count];
    return CC_OK;
}

enum cc_status cc_renter_settle_forming(struct cc_renter *r, uint32_t height,
                                        struct cc_error *err)
{
    for (size_t i = r->count; i-- > 0;) {
        enum cc_status st = CC_OK;

        if (r->contracts[i]->forming)
            st = settle_one(r, i, height, err);
        if (st != CC_OK)
            return st;
    }
    return CC_OK;
}
