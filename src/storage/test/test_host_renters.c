/*
 * The host's engine against renters who lie, pay too little or ask for what is
 * not theirs (host_world.h): each is refused, and no coin of the host's is
 * signed away.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/ec.h"
#include "crypto/mtree.h"
#include "storage/host.h"
#include "storage/host_i.h"
#include "storage/test/fake_node.h"
#include "storage/test/host_world.h"
#include "support.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/writer.h"

static void test_terms(void **state)
{
    struct world *w = *state;
    struct cc_msg_form_request good, *q = &w->m->u.form_request;

    wish(w, &good);
#define TERMS(change, code)                                                    \
    do {                                                                       \
        w->m->type = CC_MSG_FORM_REQUEST;                                      \
        *q = good;                                                             \
        change;                                                                \
        assert_refused(ask(w), code);                                          \
        assert_null(w->scratch.offer);                                         \
    } while (0)
    TERMS(q->value--, CC_REFUSE_TERMS);
    TERMS(q->value++, CC_REFUSE_TERMS);
    TERMS((q->contract.rent--, q->value -= 4), CC_REFUSE_TERMS);
    TERMS((q->contract.penalty++, q->value += 4), CC_REFUSE_TERMS);
    TERMS(q->contract.start -= 3, CC_REFUSE_TERMS);
    TERMS(q->contract.start += 1000, CC_REFUSE_TERMS);
    TERMS(q->contract.odds = 2, CC_REFUSE_TERMS); /* too few periods */
    TERMS(q->contract.samples = 5, CC_REFUSE_TERMS);
    TERMS(q->contract.revision = 1, CC_REFUSE_TERMS);
    TERMS((q->contract.sectors = 1, q->contract.root[0] = 1), CC_REFUSE_TERMS);
    TERMS(q->contract.host_key[3] ^= 1, CC_REFUSE_TERMS);
    TERMS(q->contract.renter_key[3] ^= 1, CC_REFUSE_NOT_YOURS);
    TERMS(q->capacity = 0, CC_REFUSE_TERMS);
    TERMS(q->capacity = 9, CC_REFUSE_TERMS); /* rent is for 8 */
    TERMS((q->capacity = 65, q->contract.rent *= 9,
           q->value += 4 * 8 * good.contract.rent),
          CC_REFUSE_FULL);
    /* What the host's settings alone forbid. */
#define SETTING(field, value)                                                  \
    do {                                                                       \
        struct cc_msg_settings_reply kept = w->host->config.settings;          \
                                                                               \
        w->host->config.settings.field = (value);                              \
        TERMS(q->feerate++, CC_REFUSE_TERMS);                                  \
        w->host->config.settings = kept;                                       \
    } while (0)
    SETTING(accepting, false);
    SETTING(period_min, 13);
    SETTING(period_max, 11);
    SETTING(periods_max, 3);
    SETTING(samples, 1);
    SETTING(allowance_min, good.contract.allowance + 1);
    SETTING(capacity_max, 7);
    w->m->type = CC_MSG_FORM_REQUEST;
    *q = good;
    assert_reply(ask(w), CC_MSG_FORM_OFFER);
}

/* Our change is worth an output or there is none: what we bring is exactly
 * the collateral. */
static void test_change(void **state)
{
    struct world *w = *state;
    struct cc_msg_form_request q;
    const struct cc_msg_form_offer *o = &w->reply->u.form_offer;
    struct cc_outpoint exact, near;
    cc_amount collateral;

    wish(w, &q);
    collateral = (cc_amount)(q.contract.penalty * q.contract.periods);
    for (size_t i = 0; i < w->node.coin_count; i++)
        w->node.coins[i].locked = true;
    exact = fake_pay(&w->node, w->node.key, collateral);
    w->m->type = CC_MSG_FORM_REQUEST;
    w->m->u.form_request = q;
    assert_reply(ask(w), CC_MSG_FORM_OFFER);
    assert_int_equal(o->input_count, 1);
    assert_true(cc_outpoint_equal(&o->inputs[0].prevout, &exact));
    assert_int_equal(o->output_count, 0);
    /* 500 satoshi over: another coin is added, and all the rest is change. */
    near = fake_pay(&w->node, w->node.key, collateral + 500);
    fake_pay(&w->node, w->node.key, 2000);
    assert_reply(ask(w), CC_MSG_FORM_OFFER);
    assert_true(cc_outpoint_equal(&o->inputs[0].prevout, &near));
    assert_int_equal(o->input_count, 2);
    assert_int_equal(o->output_count, 1);
    assert_int_equal(o->outputs[0].value, o->inputs[0].value +
                                              o->inputs[1].value -
                                              (uint64_t)collateral);
    /* Not enough for anybody. */
    for (size_t i = 0; i < w->node.coin_count; i++)
        w->node.coins[i].locked = true;
    cc_host_scratch_clear(w->host, &w->scratch);
    cc_host_scratch_init(&w->scratch);
    for (size_t i = 0; i < w->node.coin_count; i++)
        w->node.coins[i].locked = true;
    assert_refused(ask(w), CC_REFUSE_TERMS);
}

static size_t locked(const struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->node.coin_count; i++)
        n += !w->node.coins[i].spent && w->node.coins[i].locked;
    return n;
}

/* Whatever a renter changes in what was agreed, we do not sign; and our coins
 * are free again. */
static void test_form_is_checked(void **state)
{
    struct world *w = *state;
    struct cc_msg_form_request q;
    struct cc_msg_form_offer o;
    struct cc_outpoint other = fake_pay(&w->node, w->node.key, CC_COIN / 2);
    struct cc_tx tx, again;

    wish(w, &q);
    static const uint8_t junk[3];

    /* As the renter would END another contract with us: what it owes us, our
     * own change would pay. */
    static const uint8_t end[2] = {CC_ACTION_END, CC_FLAG_BY_RENTER};
    static const uint8_t sig[64];
    struct cc_bytes typed[2] = {{end, 2}, {sig, 64}};

    for (unsigned fault = 0; fault < 10; fault++) {
        w->m->type = CC_MSG_FORM_REQUEST;
        w->m->u.form_request = q;
        assert_reply(ask(w), CC_MSG_FORM_OFFER);
        assert_int_equal(locked(w), 1);
        o = w->reply->u.form_offer;
        assemble(w, &q, &o, &tx);
        switch (fault) {
        case 0:
            tx.vout[2].value--; /* our change */
            break;
        case 1:
            tx.vout[0].value--;
            break;
        case 2:
            tx.vin[0].witness_count = 0;
            break;
        case 3:
            tx.vin[1].prevout = other;
            break;
        case 4:
            tx.vin[0].prevout.index++;
            break;
        case 5: /* the renter's signature */
            ((uint8_t *)(uintptr_t)tx.vout[0]
                 .script.data)[tx.vout[0].script.len - 70] ^= 1;
            break;
        case 8:
            tx.vin[0].witness = typed;
            tx.vin[0].witness_count = 2;
            break;
        case 9: /* a script, for all we know */
            tx.vin[0].witness = typed;
            tx.vin[0].witness_count = 1;
            break;
        case 7: /* a scriptSig: the id would be the renter's to change */
            tx.vin[0].script_sig = cc_bytes(junk, sizeof(junk));
            break;
        case 6: /* the rent */
            ((uint8_t *)(uintptr_t)tx.vout[0]
                 .script.data)[tx.vout[0].script.len - 160] ^= 1;
            break;
        }
        cc_tx_finish(&tx);
        assert_refused(send_form(w, &tx), CC_REFUSE_TERMS);
        assert_int_equal(locked(w), 0);
        assert_int_equal(w->node.refused, 0); /* we saw it, not the node */
        assert_int_equal(w->host->contract_count, 0);
    }
    /* A wallet that does not sign: no contract, coins free. */
    w->m->type = CC_MSG_FORM_REQUEST;
    w->m->u.form_request = q;
    assert_reply(ask(w), CC_MSG_FORM_OFFER);
    o = w->reply->u.form_offer;
    assemble(w, &q, &o, &tx);
    assemble(w, &q, &o, &again); /* while the offer's bytes live */
    w->node.broken = "signrawtransactionwithwallet";
    assert_refused(send_form(w, &tx), CC_REFUSE_TERMS);
    w->node.broken = NULL;
    assert_int_equal(locked(w), 0);
    assert_int_equal(w->host->contract_count, 0);
    /* Not two tries on one offer, nor one without. */
    assert_refused(send_form(w, &again), CC_REFUSE_MALFORMED);
    w->m->type = CC_MSG_FORM_SIGN;
    w->m->u.form_sign.tx = cc_bytes("", 0);
    assert_refused(ask(w), CC_REFUSE_MALFORMED);
}

/* A renter who stops half way costs nothing: our coins are free when it hangs
 * up, or wishes for something else. */
static void test_stops_half_way(void **state)
{
    struct world *w = *state;
    struct cc_msg_form_request q;

    wish(w, &q);
    for (int i = 0; i < 3; i++) {
        w->m->type = CC_MSG_FORM_REQUEST;
        w->m->u.form_request = q;
        assert_reply(ask(w), CC_MSG_FORM_OFFER);
        assert_int_equal(locked(w), 1);
    }
    cc_host_scratch_clear(w->host, &w->scratch);
    assert_int_equal(locked(w), 0);
    assert_int_equal(w->host->contract_count, 0);
    assert_int_equal(w->node.sent, 0);
    cc_host_scratch_init(&w->scratch);
    form(w); /* the next one gets its contract */
    assert_int_equal(w->host->contract_count, 1);
}

/* Two sessions are offered the last room: one contract gets it. */
static void test_room_for_one(void **state)
{
    struct world *w = *state;
    struct cc_msg_form_request q;
    struct cc_msg_form_offer o;
    struct cc_host_scratch first, second;
    struct cc_outpoint place;
    struct cc_tx tx;

    close_host(w);
    w->config.sectors = 12; /* a contract wants 8 */
    open_host(w);
    tick(w);
    cc_host_scratch_init(&second);
    agree(w, &q, &o, &tx);
    first = w->scratch;
    w->scratch = second;
    place = w->money;
    w->money = fake_pay(&w->node, w->key, 10 * CC_COIN);
    form(w);
    second = w->scratch;
    w->scratch = first;
    w->money = place;
    assert_refused(send_form(w, &tx), CC_REFUSE_FULL);
    assert_int_equal(w->host->contract_count, 1);
    assert_int_equal(w->node.sent, 1);
    cc_host_scratch_clear(w->host, &second);
}

/* What was agreed holds: prices set later are for later contracts, also when
 * the host was started anew. */
static void test_prices_as_agreed(void **state)
{
    struct world *w = *state;
    struct cc_msg_settings_reply *s;
    uint64_t cost =
        w->config.settings.price_write + w->config.settings.price_request;

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    for (int i = 0; i < 2; i++) {
        s = &w->host->config.settings;
        s->price_write *= 1000;
        s->price_read *= 1000;
        s->price_request *= 1000;
        assert_reply(write_sector(w, 1), CC_MSG_WRITE_REPLY);
        assert_int_equal(w->reply->u.write_reply.used, cost);
        store(w, 1 + (unsigned)i); /* the account is on disk with it */
        cost +=
            w->config.settings.price_write + w->config.settings.price_request;
        assert_reply(read_leaves(w, 0, 0, 2), CC_MSG_READ_REPLY);
        cost += w->config.settings.price_request +
                2 * w->config.settings.price_read;
        assert_int_equal(w->reply->u.read_reply.used, cost);
        assert_reply(vouch(w, 500001 + (unsigned)i, w->secret),
                     CC_MSG_VOUCHER_REPLY);
        close_host(w);
        open_host(w);
        tick(w);
        cost +=
            w->config.settings.price_write + w->config.settings.price_request;
    }
}

/* Another coin of ours among the renter's inputs is not signed away. */
static void test_form_cannot_steal(void **state)
{
    struct world *w = *state;
    struct cc_outpoint ours = fake_pay(&w->node, w->node.key, 2 * CC_COIN);
    struct cc_msg_form_request q;
    struct cc_msg_form_offer o;
    struct cc_txin *in;
    struct cc_tx tx;
    static const uint8_t junk[64];
    struct cc_bytes item = {junk, 64};

    agree(w, &q, &o, &tx);
    in = cc_arena_calloc(&tx.arena, tx.vin_count + 1, sizeof(*in));
    in[0] = tx.vin[0];
    in[1].prevout = ours;
    in[1].witness = &item; /* looks signed */
    in[1].witness_count = 1;
    memcpy(in + 2, tx.vin + 1, (tx.vin_count - 1) * sizeof(*in));
    tx.vin = in;
    tx.vin_count++;
    cc_tx_finish(&tx);
    assert_refused(send_form(w, &tx), CC_REFUSE_TERMS);
    assert_int_equal(w->node.pool_count, 0);
    assert_int_equal(w->host->contract_count, 0);
    assert_int_equal(locked(w), 0);
}

static void test_payment(void **state)
{
    struct world *w = *state;
    const struct cc_msg_settings_reply *s = &w->config.settings;
    uint64_t price, used;

    form(w);
    mine(w, 1);
    assert_refused(write_sector(w, 1), CC_REFUSE_PAYMENT);
    assert_refused(
        vouch(w, 1, (const uint8_t *)"a wrong secret, 32 bytes long..."),
        CC_REFUSE_SIGNATURE);
    assert_refused(vouch(w, w->terms.allowance + 1, w->secret),
                   CC_REFUSE_PAYMENT);
    price = (s->price_write + s->price_request + CC_USAT - 1) / CC_USAT;
    assert_reply(vouch(w, price - 1, w->secret), CC_MSG_VOUCHER_REPLY);
    assert_refused(write_sector(w, 1), CC_REFUSE_PAYMENT);
    assert_reply(vouch(w, price, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    assert_refused(read_leaves(w, 0, 0, 4096), CC_REFUSE_PAYMENT);
    assert_reply(vouch(w, 2 * price + 1000, w->secret), CC_MSG_VOUCHER_REPLY);
    used = w->reply->u.voucher_reply.used;
    assert_reply(read_leaves(w, 0, 3, 4), CC_MSG_READ_REPLY);
    assert_int_equal(w->reply->u.read_reply.used,
                     used + s->price_read + s->price_request);
    /* A lower voucher changes nothing. */
    assert_reply(vouch(w, 5, w->secret), CC_MSG_VOUCHER_REPLY);
    assert_int_equal(w->reply->u.voucher_reply.amount, 2 * price + 1000);
}

static void test_revisions_are_checked(void **state)
{
    struct world *w = *state;
    uint8_t root[32], sig[64];
    struct cc_change c, two[2];

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    store(w, 2);
    cc_mtree_root(root, w->roots, 2);
    memset(&c, 0, sizeof(c));
    c.kind = CC_CHANGE_APPEND;
    memset(c.root, 9, 32); /* never written */
    assert_refused(revise(w, 3, root, 3, &c, 1, w->secret), CC_REFUSE_REVISION);
    assert_refused(revise(w, 2, w->roots, 1, NULL, 0, w->secret),
                   CC_REFUSE_REVISION); /* number used */
    assert_refused(revise(w, 3, w->roots, 2, NULL, 0, w->secret),
                   CC_REFUSE_REVISION); /* wrong root */
    assert_refused(revise(w, 3, root, 2, NULL, 0, w->node.secret),
                   CC_REFUSE_SIGNATURE);
    /* The last one again gives the same signature. */
    assert_reply(revise(w, 2, root, 2, NULL, 0, w->secret),
                 CC_MSG_REVISE_REPLY);
    memcpy(sig, w->reply->u.revise_reply.signature, 64);
    assert_reply(revise(w, 2, root, 2, NULL, 0, w->secret),
                 CC_MSG_REVISE_REPLY);
    assert_memory_equal(sig, w->reply->u.revise_reply.signature, 64);
    /* Never two with one number, though all else about it is right. */
    memset(&c, 0, sizeof(c));
    c.kind = CC_CHANGE_TRIM;
    c.a = 1;
    for (uint32_t number = 0; number <= 2; number++)
        assert_refused(revise(w, number, w->roots, 1, &c, 1, w->secret),
                       CC_REFUSE_REVISION);
    /* Swap, then trim. */
    memset(two, 0, sizeof(two));
    two[0].kind = CC_CHANGE_SWAP;
    two[0].b = 1;
    two[1].kind = CC_CHANGE_TRIM;
    two[1].a = 1;
    assert_reply(revise(w, 3, w->roots + 32, 1, two, 2, w->secret),
                 CC_MSG_REVISE_REPLY);
    w->m->type = CC_MSG_ROOTS;
    memcpy(w->m->u.roots.contract, w->id, 32);
    w->m->u.roots.from = 0;
    w->m->u.roots.count = 10;
    assert_reply(ask(w), CC_MSG_ROOTS_REPLY);
    assert_int_equal(w->reply->u.roots_reply.total, 1);
    assert_memory_equal(w->reply->u.roots_reply.roots.data, w->roots + 32, 32);
    /* More than the rent is for. */
    assert_refused(revise(w, 4, root, 9, NULL, 0, w->secret), CC_REFUSE_FULL);
}

/* After the last due height nothing new is taken; what is there is still
 * given out. */
static void test_over(void **state)
{
    struct world *w = *state;

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    assert_reply(write_sector(w, 2), CC_MSG_WRITE_REPLY);
    while (w->node.tip <
           w->terms.start + (uint32_t)w->terms.periods * w->terms.period)
        mine(w, 1);
    assert_refused(write_sector(w, 3), CC_REFUSE_ENDED);
    assert_refused(revise(w, 2, w->roots, 1, NULL, 0, w->secret),
                   CC_REFUSE_ENDED);
    assert_reply(read_leaves(w, 0, 0, 1), CC_MSG_READ_REPLY);
    check_read(w, 1, 0, 0, 1);
}

static void test_strangers(void **state)
{
    struct world *w = *state;
    static const enum cc_message_type types[] = {
        CC_MSG_WRITE,  CC_MSG_READ,    CC_MSG_REVISE, CC_MSG_ROOTS,
        CC_MSG_LATEST, CC_MSG_VOUCHER, CC_MSG_HEALTH};
    uint8_t other[32] = {0};

    form(w);
    mine(w, 1);
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        memset(&w->m->u, 0, sizeof(w->m->u));
        w->m->type = types[i];
        w->m->u.read.length = CC_LEAF_SIZE; /* each begins with contract */
        memcpy(w->m->u.read.contract, w->id, 32);
        cc_host_serve(w->host, other, w->m, w->reply, &w->scratch);
        assert_refused(w->reply, CC_REFUSE_NOT_YOURS);
        memset(w->m->u.read.contract, 5, 32);
        assert_refused(ask(w), CC_REFUSE_UNKNOWN);
    }
    memset(w->m, 0, sizeof(*w->m));
    w->m->type = CC_MSG_READ_REPLY;
    assert_refused(ask(w), CC_REFUSE_MALFORMED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_terms),
        TEST(test_change),
        TEST(test_form_is_checked),
        TEST(test_form_cannot_steal),
        TEST(test_stops_half_way),
        TEST(test_room_for_one),
        TEST(test_prices_as_agreed),
        TEST(test_payment),
        TEST(test_revisions_are_checked),
        TEST(test_over),
        TEST(test_strangers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
