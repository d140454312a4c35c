/* Storage coins in the world's blocks: formed, continued, proven and ended, so
 * that reorganisations meet them in every state. */
#include "chain/test/world_typed.h"

#include "consensus/action.h"
#include "consensus/seal.h"
#include "util/mem.h"

#define SECTOR_LEAVES 4096

static const uint8_t op_true[] = {0x51}, zeros[CC_LEAF_SIZE];

void world_keys(struct world *w)
{
    w->ec = cc_ec_new();
    for (int i = 0; i < WORLD_KEYS; i++) {
        memset(w->secret[i], 0, 32);
        w->secret[i][31] = (uint8_t)(i + 1);
        assert_true(cc_ec_xonly(w->ec, w->key[i], w->secret[i]));
    }
    w->leaves = cc_malloc(SECTOR_LEAVES * 32);
    for (size_t i = 0; i < SECTOR_LEAVES; i++)
        cc_mtree_leaf(w->leaves + 32 * i, zeros, sizeof(zeros));
}

static const uint8_t *secret_of(const struct world *w, const uint8_t key[32])
{
    for (int i = 0; i < WORLD_KEYS; i++)
        if (!memcmp(w->key[i], key, 32))
            return w->secret[i];
    fail_msg("a key of nobody");
    return NULL;
}

static void sign(const struct world *w, uint8_t sig[64], const uint8_t key[32],
                 const uint8_t msg[32])
{
    static const uint8_t aux[32]; /* the same blocks from the same seed */

    assert_true(cc_schnorr_sign(w->ec, sig, secret_of(w, key), msg, 32, aux));
}

/* --- Forming ------------------------------------------------------------ */

static void put_typed(struct cc_build *b, struct cc_tx *tx, cc_amount value,
                      const struct cc_typed *t)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_typed_write(&w, t);
    cc_build_out(b, tx, value, w.data, w.len);
    cc_writer_clear(&w);
}

static cc_amount contract_value(const struct world *w,
                                const struct cc_contract *k)
{
    cc_amount need;

    assert_true(cc_contract_need(&need, k, &w->params));
    return need + 1000;
}

/* A new coin of some kind; who signs it, and its value. */
static cc_amount new_typed(struct world *w, struct cc_typed *t, uint32_t height,
                           const uint8_t *signers[2])
{
    const uint8_t *one = w->key[world_random(w, WORLD_KEYS)];
    const uint8_t *other = w->key[world_random(w, WORLD_KEYS)];

    memset(t, 0, sizeof(*t));
    t->forming = true;
    signers[0] = one;
    signers[1] = NULL;
    switch (world_random(w, 3)) {
    case 0:
        t->kind = CC_KIND_IDENTITY;
        memcpy(t->u.identity.key, one, 32);
        t->u.identity.sequence = world_random(w, 3);
        return w->params.storage.bond_min;
    case 1:
        t->kind = CC_KIND_CONTRACT;
        memcpy(t->u.contract.renter_key, one, 32);
        memcpy(t->u.contract.host_key, other, 32);
        t->u.contract.start = height + world_random(w, 3);
        t->u.contract.period = 12;
        t->u.contract.periods = (uint16_t)(1 + world_random(w, 3));
        t->u.contract.samples = t->u.contract.odds = 1;
        t->u.contract.rent = 5000;
        t->u.contract.penalty = 6000;
        t->u.contract.allowance = 7000;
        signers[1] = other;
        return contract_value(w, &t->u.contract);
    default:
        t->kind = CC_KIND_SEAL;
        t->u.seal.version = 1;
        memcpy(t->u.seal.host_key, one, 32);
        cc_mtree_root(t->u.seal.root, w->leaves, SECTOR_LEAVES);
        t->u.seal.sectors = 1;
        t->u.seal.seal_height = height + (uint32_t)w->params.storage.seal_delay;
        return w->params.storage.seal_bond;
    }
}

bool world_form(struct world *w, struct cc_build *b, const struct wcoin *money,
                uint32_t height)
{
    const uint8_t *signers[2];
    uint8_t sigs[128], msg[32];
    struct cc_typed t;
    cc_amount value = new_typed(w, &t, height, signers);
    struct cc_tx *tx;

    if (money->coin.out.value < value)
        return false;
    tx = cc_build_tx(b);
    cc_build_in(b, tx, 0, 0)->prevout = money->o;
    cc_typed_form_message(msg, &t, &money->o, 0, value, &w->params);
    for (int i = 0; i < 2 && signers[i]; i++)
        sign(w, sigs + 64 * i, signers[i], msg);
    t.sigs = cc_bytes(sigs, signers[1] ? 128 : 64);
    put_typed(b, tx, value, &t);
    if (money->coin.out.value > value)
        cc_build_out(b, tx, money->coin.out.value - value, op_true, 1);
    w->formed++;
    return true;
}

/* --- Continuing and ending ---------------------------------------------- */

static void put_witness(struct world *w, struct cc_build *b, struct cc_tx *tx,
                        const struct cc_coin *coin, const struct cc_act *act,
                        const uint8_t *signers[2])
{
    uint8_t head[CC_ACTION_HEAD_ROOM], msg[32], sig[64];
    struct cc_bytes element[2] = {cc_bytes(head, cc_act_write_head(head, act))};
    struct cc_sighash s;

    if (act->proof_count)
        element[1] = act->proofs[0];
    cc_sighash_init(&s, tx, coin);
    cc_action_message(msg, &s, 0, element, 1 + act->proof_count, &w->params);
    for (size_t i = 0; i < 1 + act->proof_count; i++)
        cc_build_witness(b, &tx->vin[0], element[i].data, element[i].len);
    for (int i = 0; i < 2 && signers[i]; i++) {
        sign(w, sig, signers[i], msg);
        cc_build_witness(b, &tx->vin[0], sig, sizeof(sig));
    }
}

static bool act_identity(struct world *w, const struct wcoin *c,
                         uint32_t height, struct cc_typed *t,
                         struct cc_act *act, const uint8_t *signers[2])
{
    bool old = height >= c->coin.height + w->params.storage.bond_lock;

    signers[0] = t->u.identity.key;
    if (old && world_random(w, 2)) {
        act->action = CC_ACTION_RETIRE_IDENTITY;
        return true;
    }
    act->action = CC_ACTION_UPDATE;
    act->continues = true;
    t->u.identity.sequence++;
    return true;
}

/* Each due height is called, and without sectors there is nothing to show. */
static bool act_contract(struct world *w, uint32_t height, struct cc_typed *t,
                         struct cc_act *act, const uint8_t *signers[2])
{
    struct cc_contract *k = &t->u.contract;
    int64_t due = cc_contract_due(k, k->done + 1);

    if (k->done < k->periods && due < height &&
        height <= due + w->params.storage.window) {
        act->action = CC_ACTION_PROVE;
        act->i = (uint16_t)(k->done + 1);
        act->continues = true;
        signers[0] = k->host_key;
        k->done++;
        return true;
    }
    if (world_random(w, 4))
        return false;
    act->action = CC_ACTION_CLOSE;
    signers[0] = k->renter_key;
    signers[1] = k->host_key;
    return true;
}

static const struct wblock *ancestor(const struct world *w, int number,
                                     uint32_t height)
{
    while (w->blocks[number].height > height)
        number = w->blocks[number].prev;
    return &w->blocks[number];
}

/* A claim on the draw of some block above the last one claimed, if one of the
 * last drew the sector. proof: room for the sealed leaf and its path. */
static bool act_claim(struct world *w, int prev, const uint8_t id[32],
                      struct cc_typed *t, struct cc_act *act, uint8_t *proof)
{
    struct cc_seal *s = &t->u.seal;
    uint32_t top = w->blocks[prev].height, d = top;
    uint8_t key[32];

    if (s->seal_height >= top)
        return false;
    cc_seal_key(key, ancestor(w, prev, s->seal_height)->block.hash, id,
                s->host_key);
    for (; d > s->seal_height && d > s->mark_height && d + 15 > top; d--) {
        const struct wblock *draw = ancestor(w, prev, d);
        uint64_t sector;
        unsigned column;

        cc_seal_draw(&sector, &column, draw->block.hash, key, 0, &w->params);
        if (sector != 0)
            continue;
        s->mark_height = d;
        s->mark_leaf = world_random(w, SECTOR_LEAVES);
        cc_seal_leaf(proof, zeros, s->mark_leaf, key, &w->params);
        cc_mtree_path(proof + CC_LEAF_SIZE, w->leaves, SECTOR_LEAVES,
                      s->mark_leaf);
        act->action = CC_ACTION_CLAIM;
        act->d = d;
        act->leaf = s->mark_leaf;
        act->continues = true;
        return true;
    }
    return false;
}

bool world_is_claim(const struct cc_tx *tx)
{
    const struct cc_txin *in = &tx->vin[0];

    return in->witness_count == 3 && in->witness[0].len == 13 &&
           in->witness[0].data[0] == CC_ACTION_CLAIM;
}

bool world_act(struct world *w, struct cc_build *b, const struct wcoin *c,
               int prev)
{
    uint32_t height = w->blocks[prev].height + 1;
    uint8_t proof[CC_LEAF_SIZE + 12 * 32];
    struct cc_bytes proofs = cc_bytes(proof, sizeof(proof));
    cc_amount mint = 0;
    const uint8_t *signers[2] = {NULL, NULL};
    cc_amount value = c->coin.out.value, kept = value;
    struct cc_act act = {0};
    struct cc_typed t;
    struct cc_tx *tx;
    uint8_t id[32];

    assert_int_equal(cc_typed_parse(&t, c->coin.out.script, NULL), CC_OK);
    cc_typed_id(id, &t, &c->o);
    t.forming = false;
    t.sigs = cc_bytes(NULL, 0);
    switch (t.kind) {
    case CC_KIND_IDENTITY:
        if (!act_identity(w, c, height, &t, &act, signers))
            return false;
        break;
    case CC_KIND_CONTRACT:
        memcpy(t.u.contract.id, id, 32);
        if (!act_contract(w, height, &t, &act, signers))
            return false;
        if (act.action == CC_ACTION_PROVE)
            kept -= (cc_amount)t.u.contract.rent;
        break;
    case CC_KIND_SEAL:
        memcpy(t.u.seal.id, id, 32);
        signers[0] = t.u.seal.host_key;
        if (act_claim(w, prev, id, &t, &act, proof)) {
            act.proofs = &proofs;
            act.proof_count = 1;
            mint = cc_mint_reward(&ancestor(w, prev, act.d)->state, act.d,
                                  &w->params);
            w->minted += mint;
            w->claims++;
        } else if (world_random(w, 12) == 0) {
            act.action = CC_ACTION_RETIRE_SEAL;
        } else {
            return false;
        }
        break;
    case CC_KIND_NONE:
    case CC_KIND_RESERVED:
        return false;
    }
    tx = cc_build_tx(b);
    cc_build_in(b, tx, 0, 0)->prevout = c->o;
    if (act.continues)
        put_typed(b, tx, kept, &t);
    else
        kept = 0;
    if (kept < value + mint)
        cc_build_out(b, tx, value + mint - kept, op_true, 1);
    cc_tx_finish(tx);
    put_witness(w, b, tx, &c->coin, &act, signers);
    cc_tx_finish(tx);
    w->acts[act.action]++;
    return true;
}

/* --- What the chain's lists must say ------------------------------------ */

struct listed {
    const struct wblock *b;
    size_t count;
    const char *wrong;
};

static bool listed_step(void *arg, const struct cc_outpoint *o,
                        const struct cc_coin *coin)
{
    struct listed *l = arg;

    l->count++;
    for (size_t i = 0; i < l->b->coin_count; i++) {
        const struct wcoin *c = &l->b->coins[i];

        if (!cc_outpoint_equal(&c->o, o))
            continue;
        if (c->coin.height != coin->height ||
            c->coin.out.value != coin->out.value ||
            !cc_bytes_equal(c->coin.out.script, coin->out.script))
            l->wrong = "a listed storage coin differs";
        return !l->wrong;
    }
    l->wrong = "a spent storage coin is listed";
    return false;
}

static bool has_part(const struct cc_typed *t, const uint8_t key[32])
{
    switch (t->kind) {
    case CC_KIND_IDENTITY:
        return !memcmp(t->u.identity.key, key, 32);
    case CC_KIND_CONTRACT:
        return !memcmp(t->u.contract.renter_key, key, 32) ||
               !memcmp(t->u.contract.host_key, key, 32);
    case CC_KIND_SEAL:
        return !memcmp(t->u.seal.host_key, key, 32);
    case CC_KIND_NONE:
    case CC_KIND_RESERVED:
        break;
    }
    return false;
}

/* Is x to be preferred to y as the coin of one name? */
static bool preferred(const struct wcoin *x, const struct cc_typed *tx,
                      const struct wcoin *y, const struct cc_typed *ty)
{
    if (tx->kind != CC_KIND_IDENTITY)
        return false;
    if (tx->u.identity.sequence != ty->u.identity.sequence)
        return tx->u.identity.sequence > ty->u.identity.sequence;
    return x->coin.height < y->coin.height;
}

static const char *compare_name(struct cc_chain *c, const struct wblock *b,
                                size_t at)
{
    const struct wcoin *best = NULL;
    struct cc_arena arena;
    struct cc_outpoint o;
    struct cc_coin coin;
    struct cc_typed t, u, first;
    uint8_t id[32], other[32];
    enum cc_status st;
    bool same;

    if (cc_typed_parse(&t, b->coins[at].coin.out.script, NULL) != CC_OK)
        return "a coin in the model does not parse";
    cc_typed_id(id, &t, &b->coins[at].o);
    first = t;
    for (size_t i = 0; i < b->coin_count; i++) { /* in order of outpoint */
        const struct wcoin *x = &b->coins[i];

        if (x->coin.out.script.data[0] != 0xbb ||
            cc_typed_parse(&u, x->coin.out.script, NULL) != CC_OK ||
            u.kind != t.kind)
            continue;
        cc_typed_id(other, &u, &x->o);
        if (memcmp(id, other, 32) || (best && !preferred(x, &u, best, &first)))
            continue;
        best = x;
        first = u;
    }
    cc_arena_init(&arena);
    st = cc_chain_typed(c, t.kind, id, &o, &coin, &arena, NULL);
    same = st == CC_OK && cc_outpoint_equal(&o, &best->o) &&
           coin.height == best->coin.height &&
           cc_bytes_equal(coin.out.script, best->coin.out.script);
    cc_arena_clear(&arena);
    return same ? NULL : "another coin under this name";
}

const char *world_compare_typed(const struct world *w, struct cc_chain *c,
                                int number)
{
    const struct wblock *b = &w->blocks[number];
    struct listed l = {.b = b};
    size_t typed = 0, parts[WORLD_KEYS] = {0};
    const char *wrong = NULL;

    for (size_t i = 0; i < b->coin_count && !wrong; i++) {
        struct cc_typed t;

        if (b->coins[i].coin.out.script.data[0] != 0xbb)
            continue;
        typed++;
        wrong = compare_name(c, b, i);
        (void)cc_typed_parse(&t, b->coins[i].coin.out.script, NULL);
        for (int k = 0; k < WORLD_KEYS; k++)
            parts[k] += has_part(&t, w->key[k]);
    }
    if (!wrong && cc_chain_each_typed(c, listed_step, &l, NULL) != CC_OK)
        wrong = "the list of storage coins cannot be read";
    if (!wrong && l.wrong)
        wrong = l.wrong;
    if (!wrong && l.count != typed)
        wrong = "storage coins are missing in the list";
    for (int k = 0; k < WORLD_KEYS && !wrong; k++) {
        l.count = 0;
        if (cc_chain_each_typed_key(c, w->key[k], listed_step, &l, NULL) !=
                CC_OK ||
            l.wrong || l.count != parts[k])
            wrong = "the list of a key is wrong";
    }
    return wrong;
}
