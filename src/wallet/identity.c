#include "wallet/identity.h"

#include "consensus/action.h"
#include "crypto/ec.h"
#include "util/mem.h"
#include "wallet/wallet_i.h"

/* Outpoint, empty scriptSig, sequence; then count, action, signature. */
#define TYPED_INPUT_WEIGHT (4 * 41 + 1 + 2 + 65)

static enum cc_status sign_with(struct cc_wallet *w,
                                const struct cc_wallet_key *key,
                                uint8_t sig[64], const uint8_t msg[32],
                                struct cc_error *err)
{
    uint8_t secret[32];
    bool ok;

    if (!cc_wallet_keys_secret(w->keys, key, secret))
        return cc_wallet_refuse(err, CC_INVALID, "locked",
                                "Please enter the wallet passphrase with "
                                "walletpassphrase first.");
    ok = cc_schnorr_sign(w->ws->config.ec, sig, secret, msg, 32, NULL);
    cc_cleanse(secret, sizeof(secret));
    return ok ? CC_OK : cc_fail(err, CC_INVALID, "Signing transaction failed");
}

static void write_script(struct cc_writer *out, const struct cc_typed *t)
{
    cc_writer_init_heap(out);
    cc_typed_write(out, t);
}

/* Output 0 again, now with the signature. */
static void set_output(struct cc_tx *tx, const struct cc_typed *t)
{
    struct cc_writer script;

    write_script(&script, t);
    tx->vout[0].script =
        cc_bytes(cc_arena_dup(&tx->arena, script.data, script.len), script.len);
    cc_writer_clear(&script);
    cc_tx_finish(tx);
}

enum cc_status cc_wallet_identity_form(struct cc_wallet *w,
                                       const struct cc_wallet_key *key,
                                       struct cc_bytes record, cc_amount bond,
                                       cc_amount feerate, struct cc_built *out,
                                       struct cc_error *err)
{
    uint8_t sig[64] = {0}, msg[32];
    struct cc_typed t = {.kind = CC_KIND_IDENTITY, .forming = true};
    struct cc_payment pay = {.value = bond};
    struct cc_spend s = {.payments = &pay,
                         .payment_count = 1,
                         .change_position = 1,
                         .feerate = feerate};
    struct cc_writer script;
    enum cc_status st;

    memcpy(t.u.identity.key, key->output, 32);
    t.u.identity.record = record;
    t.sigs = cc_bytes(sig, sizeof(sig));
    write_script(&script, &t);
    pay.script = cc_bytes(script.data, script.len);
    st = cc_wallet_build(w, &s, out, err);
    cc_writer_clear(&script);
    if (st != CC_OK)
        return st;
    /* The form signature covers the first input, known only now. */
    cc_typed_form_message(msg, &t, &out->tx.vin[0].prevout, 0, bond,
                          w->ws->params);
    st = sign_with(w, key, sig, msg, err);
    if (st == CC_OK) {
        set_output(&out->tx, &t);
        st = cc_wallet_sign(w, &out->tx, out->coins, CC_SIGHASH_DEFAULT, NULL,
                            err);
    }
    if (st != CC_OK)
        cc_built_clear(out);
    return st;
}

/* The witness of input 0: the action, and the key's signature over it. */
static enum cc_status sign_action(struct cc_wallet *w,
                                  const struct cc_wallet_key *key,
                                  enum cc_action action, struct cc_built *b,
                                  struct cc_error *err)
{
    const struct cc_act act = {.action = action};
    struct cc_txin *in = &b->tx.vin[0];
    uint8_t *head = cc_arena_alloc(&b->tx.arena, CC_ACTION_HEAD_ROOM), msg[32];
    uint8_t *sig = cc_arena_alloc(&b->tx.arena, 64);
    struct cc_sighash s;
    enum cc_status st;

    in->witness = cc_arena_alloc(&b->tx.arena, 2 * sizeof(*in->witness));
    in->witness[0] = cc_bytes(head, cc_act_write_head(head, &act));
    cc_sighash_init(&s, &b->tx, b->coins);
    cc_action_message(msg, &s, 0, in->witness, 1, w->ws->params);
    st = sign_with(w, key, sig, msg, err);
    if (st != CC_OK)
        return st;
    in->witness[1] = cc_bytes(sig, 64);
    in->witness_count = 2;
    cc_tx_finish(&b->tx);
    return CC_OK;
}

/* A transaction whose input 0 is the identity's coin. */
static enum cc_status spend_identity(struct cc_wallet *w,
                                     const struct cc_wallet_key *key,
                                     enum cc_action action, struct cc_spend *s,
                                     const struct cc_outpoint *o,
                                     const struct cc_coin *coin,
                                     struct cc_built *out, struct cc_error *err)
{
    const size_t weight = TYPED_INPUT_WEIGHT;
    enum cc_status st;

    s->inputs = o;
    s->coins = coin;
    s->weights = &weight;
    s->input_count = 1;
    st = cc_wallet_build(w, s, out, err);
    if (st != CC_OK)
        return st;
    st = cc_wallet_sign(w, &out->tx, out->coins, CC_SIGHASH_DEFAULT, NULL, err);
    if (st == CC_OK)
        st = sign_action(w, key, action, out, err);
    if (st != CC_OK)
        cc_built_clear(out);
    return st;
}

enum cc_status
cc_wallet_identity_update(struct cc_wallet *w, const struct cc_wallet_key *key,
                          const struct cc_outpoint *o,
                          const struct cc_coin *coin, struct cc_bytes record,
                          cc_amount bond, cc_amount feerate,
                          struct cc_built *out, struct cc_error *err)
{
    struct cc_payment pay = {.value = bond};
    struct cc_spend s = {.payments = &pay,
                         .payment_count = 1,
                         .change_position = 1,
                         .feerate = feerate};
    struct cc_writer script;
    struct cc_typed t;
    enum cc_status st = cc_typed_parse(&t, coin->out.script, err);

    if (st != CC_OK)
        return st;
    if (t.kind != CC_KIND_IDENTITY || t.u.identity.sequence == UINT32_MAX)
        return cc_fail(err, CC_INVALID, "This coin cannot be updated");
    t.forming = false;
    t.sigs = cc_bytes(NULL, 0);
    t.u.identity.sequence++;
    t.u.identity.record = record;
    write_script(&script, &t);
    pay.script = cc_bytes(script.data, script.len);
    st = spend_identity(w, key, CC_ACTION_UPDATE, &s, o, coin, out, err);
    cc_writer_clear(&script);
    return st;
}

enum cc_status
cc_wallet_identity_retire(struct cc_wallet *w, const struct cc_wallet_key *key,
                          const struct cc_outpoint *o,
                          const struct cc_coin *coin, struct cc_bytes script,
                          cc_amount feerate, struct cc_built *out,
                          struct cc_error *err)
{
    struct cc_payment pay = {
        .script = script, .value = coin->out.value, .subtract_fee = true};
    struct cc_spend s = {.payments = &pay,
                         .payment_count = 1,
                         .change_position = -1,
                         .no_more_inputs = true,
                         .feerate = feerate};

    return spend_identity(w, key, CC_ACTION_RETIRE_IDENTITY, &s, o, coin, out,
                          err);
}
