#include "storage/test/host_world.h"

#include "crypto/ec.h"
#include "crypto/mtree.h"
#include "storage/host.h"
#include "support.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/writer.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void tick(struct world *w)
{
    struct cc_error err;

    cc_error_init(&err);
    if (cc_host_tick(w->host, &err) != CC_OK)
        fail_msg("tick: %s", err.text);
}

/* Blocks one by one, the host looking at each. */
void mine(struct world *w, unsigned blocks)
{
    while (blocks--) {
        fake_mine(&w->node, 1);
        tick(w);
    }
}

void open_host(struct world *w)
{
    struct cc_error err;

    cc_error_init(&err);
    if (cc_host_new(&w->host, &w->config, &err) != CC_OK)
        fail_msg("%s", err.text);
    cc_host_scratch_init(&w->scratch);
}

void close_host(struct world *w)
{
    cc_host_scratch_clear(w->host, &w->scratch);
    cc_host_free(w->host);
}

int setup(void **state)
{
    struct world *w = cc_calloc(1, sizeof(*w));

    w->ec = cc_ec_new();
    fake_node_init(&w->node, w->ec);
    w->directory = cc_test_mkdir();
    cc_host_config_init(&w->config, &w->node.params);
    w->config.ec = w->ec;
    w->config.node = fake_node_calls(&w->node);
    w->config.directory = w->directory;
    w->config.announce = "127.0.0.1:9000";
    w->config.name = "test";
    w->config.sectors = 64;
    w->m = cc_calloc(2, sizeof(*w->m));
    w->reply = w->m + 1;
    memset(w->secret, 0x22, 32);
    assert_true(cc_ec_xonly(w->ec, w->key, w->secret));
    fake_mine(&w->node, 120);
    fake_pay(&w->node, w->node.key, 5 * CC_COIN);
    fake_pay(&w->node, w->node.key, 3 * CC_COIN);
    w->money = fake_pay(&w->node, w->key, 10 * CC_COIN);
    open_host(w);
    tick(w); /* registers */
    tick(w);
    *state = w;
    return 0;
}

int teardown(void **state)
{
    struct world *w = *state;

    close_host(w);
    cc_test_rmdir(w->directory);
    fake_node_clear(&w->node);
    cc_ec_free(w->ec);
    free(w->roots);
    free(w->m);
    free(w);
    return 0;
}

/* --- A renter ------------------------------------------------------------- */

const struct cc_message *ask(struct world *w)
{
    cc_host_serve(w->host, w->key, w->m, w->reply, &w->scratch);
    return w->reply;
}

void assert_refused(const struct cc_message *reply, enum cc_refusal code)
{
    if (reply->type != CC_MSG_ERROR)
        fail_msg("answered, not refused");
    if (reply->u.error.code != code)
        fail_msg("refused with %d: %.*s", reply->u.error.code,
                 (int)reply->u.error.text.len, reply->u.error.text.data);
}

void assert_reply(const struct cc_message *reply, enum cc_message_type type)
{
    if (reply->type == CC_MSG_ERROR)
        fail_msg("refused: %.*s", (int)reply->u.error.text.len,
                 reply->u.error.text.data);
    assert_int_equal(reply->type, type);
}

struct cc_msg_settings_reply settings(struct world *w)
{
    w->m->type = CC_MSG_SETTINGS;
    assert_reply(ask(w), CC_MSG_SETTINGS_REPLY);
    return w->reply->u.settings_reply;
}

/* Terms that the host takes. */
void wish(struct world *w, struct cc_msg_form_request *q)
{
    struct cc_msg_settings_reply s = settings(w);
    struct cc_contract *c = &q->contract;
    cc_amount need;

    memset(q, 0, sizeof(*q));
    memcpy(c->renter_key, w->key, 32);
    memcpy(c->host_key, w->node.key, 32);
    c->start = s.height + 3;
    c->period = 12;
    c->periods = 4;
    c->samples = 2;
    c->odds = 1;
    c->allowance = 1000000;
    q->capacity = 8;
    assert_true(cc_settings_rent(&c->rent, &s, q->capacity, c->period,
                                 &w->node.params));
    c->penalty = 2 * c->rent;
    assert_true(cc_contract_need(&need, c, &w->node.params));
    q->value = (uint64_t)need;
    q->prevout0 = w->money;
    q->feerate = 2000;
}

/* The renter's transaction over the host's offer. */
void assemble(struct world *w, const struct cc_msg_form_request *q,
              const struct cc_msg_form_offer *o, struct cc_tx *tx)
{
    uint8_t msg[32], sigs[128], script[34] = {0x51, 32}, body[1200];
    struct cc_coin coins[4];
    struct cc_typed t;
    struct cc_writer wr;
    cc_amount in = 10 * CC_COIN, out = (cc_amount)q->value + 2000;

    memset(tx, 0, sizeof(*tx));
    memset(coins, 0, sizeof(coins));
    cc_arena_init(&tx->arena);
    tx->version = 2;
    tx->vin_count = 1 + o->input_count;
    tx->vout_count = 2 + o->output_count;
    tx->vin = cc_arena_calloc(&tx->arena, tx->vin_count, sizeof(*tx->vin));
    tx->vout = cc_arena_calloc(&tx->arena, tx->vout_count, sizeof(*tx->vout));
    tx->vin[0].prevout = q->prevout0;
    memcpy(script + 2, w->key, 32);
    coins[0].out.value = in;
    coins[0].out.script = cc_bytes(cc_arena_dup(&tx->arena, script, 34), 34);
    for (size_t i = 0; i < o->input_count; i++) {
        tx->vin[1 + i].prevout = o->inputs[i].prevout;
        coins[1 + i].out.value = (cc_amount)o->inputs[i].value;
        coins[1 + i].out.script = o->inputs[i].script;
        in += (cc_amount)o->inputs[i].value;
    }
    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_CONTRACT;
    t.forming = true;
    t.u.contract = q->contract;
    cc_typed_form_message(msg, &t, &q->prevout0, 0, (cc_amount)q->value,
                          &w->node.params);
    assert_true(cc_schnorr_verify(w->node.key, o->signature, msg, 32));
    assert_true(cc_schnorr_sign(w->ec, sigs, w->secret, msg, 32, NULL));
    memcpy(sigs + 64, o->signature, 64);
    t.sigs = cc_bytes(sigs, sizeof(sigs));
    cc_writer_init(&wr, body, sizeof(body));
    cc_typed_write(&wr, &t);
    tx->vout[0].value = (cc_amount)q->value;
    tx->vout[0].script =
        cc_bytes(cc_arena_dup(&tx->arena, body, wr.len), wr.len);
    for (size_t i = 0; i < o->output_count; i++) {
        tx->vout[2 + i].value = (cc_amount)o->outputs[i].value;
        tx->vout[2 + i].script =
            cc_bytes(cc_arena_dup(&tx->arena, o->outputs[i].script.data,
                                  o->outputs[i].script.len),
                     o->outputs[i].script.len);
        out += (cc_amount)o->outputs[i].value;
    }
    tx->vout[1].value = in - out;
    tx->vout[1].script = coins[0].out.script;
    fake_sign(&w->node, tx, coins, 0, w->secret);
}

void agree(struct world *w, struct cc_msg_form_request *q,
           struct cc_msg_form_offer *o, struct cc_tx *tx)
{
    wish(w, q);
    w->m->type = CC_MSG_FORM_REQUEST;
    w->m->u.form_request = *q;
    assert_reply(ask(w), CC_MSG_FORM_OFFER);
    *o = w->reply->u.form_offer;
    assemble(w, q, o, tx);
}

const struct cc_message *send_form(struct world *w, struct cc_tx *tx)
{
    struct cc_writer wr;
    const struct cc_message *reply;

    cc_writer_init_heap(&wr);
    cc_tx_write(&wr, tx, true);
    w->m->type = CC_MSG_FORM_SIGN;
    w->m->u.form_sign.tx = cc_bytes(wr.data, wr.len);
    reply = ask(w);
    cc_writer_clear(&wr);
    cc_tx_clear(tx);
    return reply;
}

void form(struct world *w)
{
    struct cc_msg_form_request q;
    struct cc_msg_form_offer o;
    struct cc_outpoint place = {{0}, 0};
    struct cc_tx tx;

    agree(w, &q, &o, &tx);
    assert_reply(send_form(w, &tx), CC_MSG_FORM_DONE);
    memcpy(place.txid, w->reply->u.form_done.txid, 32);
    cc_typed_formed_id(w->id, &place);
    w->terms = q.contract;
}

const struct cc_message *vouch(struct world *w, uint64_t amount,
                               const uint8_t secret[32])
{
    struct cc_msg_voucher *v = &w->m->u.voucher;
    uint8_t msg[32];

    w->m->type = CC_MSG_VOUCHER;
    memcpy(v->contract, w->id, 32);
    v->amount = amount;
    cc_voucher_message(msg, w->id, amount, &w->node.params);
    assert_true(cc_schnorr_sign(w->ec, v->signature, secret, msg, 32, NULL));
    return ask(w);
}

void make_sector(uint8_t *sector, unsigned n)
{
    memset(sector, (int)n, CC_SECTOR_SIZE);
    cc_put_u32le(sector, n);
}

const struct cc_message *write_sector(struct world *w, unsigned n)
{
    uint8_t *sector = cc_malloc(CC_SECTOR_SIZE);

    make_sector(sector, n);
    w->m->type = CC_MSG_WRITE;
    memcpy(w->m->u.write.contract, w->id, 32);
    w->m->u.write.data = cc_bytes(sector, CC_SECTOR_SIZE);
    ask(w);
    free(sector);
    return w->reply;
}

/* Sign a revision with these changes; roots and sectors are what they lead to
 * in the renter's opinion. */
const struct cc_message *revise(struct world *w, uint32_t number,
                                const uint8_t root[32], uint32_t sectors,
                                const struct cc_change *changes, size_t count,
                                const uint8_t secret[32])
{
    struct cc_msg_revise *r = &w->m->u.revise;
    struct cc_writer wr;
    uint8_t msg[32];

    memset(r, 0, sizeof(*r));
    w->m->type = CC_MSG_REVISE;
    memcpy(r->contract, w->id, 32);
    r->revision = number;
    memcpy(r->root, root, 32);
    r->sectors = sectors;
    cc_revision_message(msg, w->id, number, root, sectors, &w->node.params);
    assert_true(cc_schnorr_sign(w->ec, r->signature, secret, msg, 32, NULL));
    cc_writer_init_heap(&wr);
    for (size_t i = 0; i < count; i++)
        cc_change_write(&wr, &changes[i]);
    r->changes = cc_bytes(wr.data, wr.len);
    r->change_count = count;
    ask(w);
    cc_writer_clear(&wr);
    return w->reply;
}

void add_root(struct world *w, const uint8_t root[32])
{
    w->roots = cc_reallocarray(w->roots, w->sectors + 1, 32);
    memcpy(w->roots + 32 * w->sectors++, root, 32);
}

/* Write sector n and append it. */
void store(struct world *w, unsigned n)
{
    struct cc_change c;
    uint8_t root[32];

    assert_reply(write_sector(w, n), CC_MSG_WRITE_REPLY);
    memset(&c, 0, sizeof(c));
    c.kind = CC_CHANGE_APPEND;
    memcpy(c.root, w->reply->u.write_reply.root, 32);
    add_root(w, c.root);
    cc_mtree_root(root, w->roots, w->sectors);
    assert_reply(
        revise(w, ++w->revision, root, (uint32_t)w->sectors, &c, 1, w->secret),
        CC_MSG_REVISE_REPLY);
}

const struct cc_message *read_leaves(struct world *w, uint32_t sector,
                                     uint32_t begin, uint32_t end)
{
    struct cc_msg_read *r = &w->m->u.read;

    w->m->type = CC_MSG_READ;
    memcpy(r->contract, w->id, 32);
    r->sector = sector;
    r->offset = begin * CC_LEAF_SIZE;
    r->length = (end - begin) * CC_LEAF_SIZE;
    return ask(w);
}

/* Every byte against the sector's root, and that against the contract's. */
void check_read(struct world *w, unsigned n, uint32_t sector, uint32_t begin,
                uint32_t end)
{
    const struct cc_msg_read_reply *r = &w->reply->u.read_reply;
    uint8_t *want = cc_malloc(CC_SECTOR_SIZE), *hashes, root[32], got[32];
    const size_t count = end - begin;

    make_sector(want, n);
    assert_int_equal(r->data.len, count * CC_LEAF_SIZE);
    assert_memory_equal(r->data.data, want + (size_t)begin * CC_LEAF_SIZE,
                        r->data.len);
    hashes = cc_malloc(count * 32);
    for (size_t i = 0; i < count; i++)
        cc_mtree_leaf(hashes + 32 * i, r->data.data + i * CC_LEAF_SIZE,
                      CC_LEAF_SIZE);
    assert_true(cc_mtree_range_check(w->roots + 32 * (size_t)sector, hashes,
                                     CC_SECTOR_LEAVES, begin, end,
                                     r->range.data, r->range.len / 32));
    assert_true(cc_mtree_path_root(got, w->roots + 32 * (size_t)sector, sector,
                                   w->sectors, r->path.data, r->path.len / 32));
    cc_mtree_root(root, w->roots, w->sectors);
    assert_memory_equal(root, got, 32);
    free(hashes);
    free(want);
}

struct cc_contract coin(struct world *w)
{
    struct cc_typed t;

    assert_non_null(fake_find(&w->node, CC_KIND_CONTRACT, w->id, &t));
    return t.u.contract;
}
