#include "mempool/test/deals.h"

#include "consensus/action.h"
#include "consensus/transition.h"
#include "support.h"

#include <string.h>

static const uint8_t renter[32] = {1}, host[32] = {2}; /* secrets */

void deals_init(struct deals *d, struct fixture *f)
{
    d->f = f;
    d->ec = cc_ec_new();
}

void deals_clear(struct deals *d) { cc_ec_free(d->ec); }

static struct cc_bytes script_of(struct deals *ds, const struct cc_typed *t)
{
    uint8_t buf[2000];
    struct cc_writer w;

    cc_writer_init(&w, buf, sizeof(buf));
    cc_typed_write(&w, t);
    return cc_bytes(cc_arena_dup(&ds->f->b.arena, buf, w.len), w.len);
}

static void sign(struct deals *ds, uint8_t sig[64], const uint8_t secret[32],
                 const uint8_t msg[32])
{
    static const uint8_t aux[32];

    assert_true(cc_schnorr_sign(ds->ec, sig, secret, msg, 32, aux));
}

static void add_out(struct deals *ds, struct cc_tx *tx,
                    const struct cc_txout *out)
{
    cc_build_out(&ds->f->b, tx, out->value, out->script.data, out->script.len);
}

struct cc_tx *deal_form(struct deals *ds, struct deal *d, uint32_t coin_height,
                        uint16_t periods, uint8_t odds)
{
    struct fixture *f = ds->f;
    struct cc_contract *c = &d->t.u.contract;
    struct cc_tx *tx = fixture_tx(f);
    struct cc_outpoint o = fixture_coin(f, coin_height);
    uint8_t msg[32], sigs[128];
    cc_amount need;

    memset(d, 0, sizeof(*d));
    d->t.kind = CC_KIND_CONTRACT;
    d->t.forming = true;
    cc_ec_xonly(ds->ec, c->renter_key, renter);
    cc_ec_xonly(ds->ec, c->host_key, host);
    c->start = cc_chain_tip(f->chain)->height + 1;
    c->period = DEAL_PERIOD;
    c->periods = periods;
    c->samples = 1;
    c->odds = odds;
    c->rent = DEAL_RENT;
    c->penalty = DEAL_PENALTY;
    c->allowance = 500000;
    assert_true(cc_contract_need(&need, c, &f->params));
    fixture_spend(f, tx, &o);
    cc_typed_form_message(msg, &d->t, &o, 0, need, &f->params);
    sign(ds, sigs, renter, msg);
    sign(ds, sigs + 64, host, msg);
    d->t.sigs = cc_bytes(sigs, sizeof(sigs));
    d->coin.out.value = need;
    d->coin.out.script = script_of(ds, &d->t);
    add_out(ds, tx, &d->coin.out);
    fixture_pay(f, tx, 25 * CC_COIN - need - 20000);
    cc_tx_finish(tx);
    memcpy(d->o.txid, tx->txid, 32);
    cc_typed_formed_id(d->id, &d->o);
    d->t.forming = false;
    d->t.sigs = cc_bytes(NULL, 0);
    memcpy(c->id, d->id, 32);
    return tx;
}

/* The witness of input 0 of tx, whose outputs are all there; extra (may be
 * empty): REV or VOU. coins: of all inputs. */
static void witness(struct deals *ds, struct cc_tx *tx,
                    const struct cc_coin *coins, const struct cc_act *a,
                    struct cc_bytes extra, const uint8_t secret[32])
{
    uint8_t head[CC_ACTION_HEAD_ROOM], msg[32], sig[64];
    struct cc_txin *in = &tx->vin[0];
    struct cc_sighash s;

    cc_build_witness(&ds->f->b, in, head, cc_act_write_head(head, a));
    if (extra.len)
        cc_build_witness(&ds->f->b, in, extra.data, extra.len);
    cc_tx_finish(tx);
    cc_sighash_init(&s, tx, coins);
    cc_action_message(msg, &s, 0, in->witness, in->witness_count,
                      &ds->f->params);
    sign(ds, sig, secret, msg);
    cc_build_witness(&ds->f->b, in, sig, sizeof(sig));
    cc_tx_finish(tx);
}

/* Spend d by an action that makes next, whose body and value are set; what is
 * released, less fee and what goes to the pool, is paid out. */
static struct cc_tx *act(struct deals *ds, const struct deal *d,
                         const struct cc_act *a, struct cc_bytes extra,
                         struct deal *next, cc_amount less,
                         const uint8_t secret[32])
{
    struct fixture *f = ds->f;
    struct cc_tx *tx = fixture_tx(f);
    cc_amount released = d->coin.out.value - next->coin.out.value;

    cc_build_in(&f->b, tx, 0, 0)->prevout = d->o;
    next->coin.out.script = script_of(ds, &next->t);
    add_out(ds, tx, &next->coin.out);
    fixture_pay(f, tx, released - less);
    witness(ds, tx, &d->coin, a, extra, secret);
    memcpy(next->o.txid, tx->txid, 32);
    next->o.index = 0;
    return tx;
}

/* Called due heights in (after, to] that lie at or below height. */
static int64_t called(struct deals *ds, const struct deal *d, int64_t after,
                      int64_t to, int64_t height)
{
    const struct cc_contract *c = &d->t.u.contract;
    int64_t n = 0;

    for (int64_t i = after + 1; i <= to; i++) {
        int64_t due = cc_contract_due(c, i);
        const struct cc_index *block =
            due <= height ? cc_chain_at(ds->f->chain, (uint32_t)due) : NULL;

        n += block && cc_contract_called(block->hash, d->id, c->odds);
    }
    return n;
}

struct cc_tx *deal_prove(struct deals *ds, const struct deal *d, uint16_t i,
                         cc_amount fee, struct deal *next)
{
    const struct cc_act a = {.action = CC_ACTION_PROVE, .i = i};
    struct deal n = *d;
    struct cc_contract *c = &n.t.u.contract;
    cc_amount missed = called(ds, d, c->done, i - 1, INT64_MAX);
    cc_amount earned = i - c->done - missed;
    struct cc_tx *tx;

    c->done = i;
    c->allowance += (uint64_t)(missed * DEAL_RENT);
    n.coin.out.value -= earned * DEAL_RENT + missed * DEAL_PENALTY;
    tx = act(ds, d, &a, cc_bytes(NULL, 0), &n, fee + missed * DEAL_PENALTY,
             host);
    if (next)
        *next = n;
    return tx;
}

struct cc_tx *deal_redeem(struct deals *ds, const struct deal *d,
                          uint64_t amount, cc_amount fee, struct deal *next)
{
    const struct cc_act a = {.action = CC_ACTION_SYNC, .flags = CC_FLAG_VOU};
    uint8_t msg[32], sig[64], vou[CC_VOU_SIZE];
    struct deal n = *d;
    struct cc_tx *tx;

    cc_voucher_message(msg, d->id, amount, &ds->f->params);
    sign(ds, sig, renter, msg);
    cc_vou_write(vou, amount, sig);
    n.coin.out.value -= (cc_amount)(amount - n.t.u.contract.redeemed);
    n.t.u.contract.redeemed = amount;
    tx = act(ds, d, &a, cc_bytes(vou, sizeof(vou)), &n, fee, host);
    if (next)
        *next = n;
    return tx;
}

struct cc_tx *deal_revise(struct deals *ds, const struct deal *d,
                          bool by_renter, uint32_t coin_height,
                          struct deal *next)
{
    const struct cc_act a = {
        .action = CC_ACTION_SYNC,
        .flags = CC_FLAG_REV | (by_renter ? (unsigned)CC_FLAG_BY_RENTER : 0)};
    struct fixture *f = ds->f;
    struct cc_outpoint o = fixture_coin(f, coin_height);
    const uint32_t revision = d->t.u.contract.revision + 1;
    static const uint8_t root[32];
    uint8_t msg[32], sig[64], rev[CC_REV_SIZE];
    struct cc_tx *tx = fixture_tx(f);
    struct cc_coin coins[2] = {d->coin};
    struct deal n = *d;

    cc_revision_message(msg, d->id, revision, root, 0, &f->params);
    sign(ds, sig, by_renter ? host : renter, msg);
    cc_rev_write(rev, revision, root, 0, sig);
    n.t.u.contract.revision = revision;
    n.coin.out.script = script_of(ds, &n.t);
    cc_build_in(&f->b, tx, 0, 0)->prevout = d->o;
    fixture_spend(f, tx, &o);
    add_out(ds, tx, &n.coin.out);
    fixture_pay(f, tx, 25 * CC_COIN - 20000);
    coins[1].out.value = 25 * CC_COIN;
    coins[1].out.script = fixture_script();
    witness(ds, tx, coins, &a, cc_bytes(rev, sizeof(rev)),
            by_renter ? renter : host);
    memcpy(n.o.txid, tx->txid, 32);
    n.o.index = 0;
    if (next)
        *next = n;
    return tx;
}

struct cc_tx *deal_end(struct deals *ds, const struct deal *d, bool by_renter,
                       cc_amount fee)
{
    const struct cc_act a = {.action = CC_ACTION_END,
                             .flags =
                                 by_renter ? (unsigned)CC_FLAG_BY_RENTER : 0};
    const struct cc_contract *c = &d->t.u.contract;
    struct fixture *f = ds->f;
    struct cc_tx *tx = fixture_tx(f);
    uint8_t script[34] = {CC_OP_1, 32};
    struct cc_end_split split;
    int64_t passed = (int64_t)cc_chain_tip(f->chain)->height -
                     f->params.storage.window; /* due there: too late next */
    int64_t missed = called(ds, d, c->done, c->periods, passed);

    if (missed > f->params.storage.max_miss)
        missed = f->params.storage.max_miss;
    cc_contract_end_split(&split, c, d->coin.out.value, 0, missed, &f->params);
    cc_build_in(&f->b, tx, 0, 0)->prevout = d->o;
    memcpy(script + 2, by_renter ? c->host_key : c->renter_key, 32);
    cc_build_out(&f->b, tx, by_renter ? split.host : split.renter, script,
                 sizeof(script));
    fixture_pay(f, tx, (by_renter ? split.renter : split.host) - fee);
    witness(ds, tx, &d->coin, &a, cc_bytes(NULL, 0), by_renter ? renter : host);
    return tx;
}
