#include "chain/test/world.h"

#include <stdlib.h>

#include "chain/test/world_typed.h"
#include "consensus/pow.h"
#include "util/mem.h"

#define CLOCK INT64_C(1700000000)

static const uint8_t op_true[] = {0x51}, op_two[] = {0x52}, op_false[] = {0x00},
                     op_return[] = {0x6a, 0x01, 0x2a},
                     op_return_8[10] = {0x6a, 8}; /* and a number */

int64_t world_now(void *arg)
{
    (void)arg;
    return CLOCK;
}

void world_init(struct world *w, uint64_t seed, bool storage)
{
    struct cc_writer out;
    struct wblock *g;

    memset(w, 0, sizeof(*w));
    w->random.state = seed;
    w->params =
        *cc_params_get(storage ? CC_CHAIN_REGTEST : CC_CHAIN_BITCOIN_REGTEST);
    w->params.coinbase_maturity = 2;
    w->params.storage.bond_lock = 4;
    w->max_tx = 6;
    world_keys(w);
    w->blocks = cc_grow(NULL, &w->cap, 1, sizeof(*w->blocks));
    g = &w->blocks[w->count++];
    memset(g, 0, sizeof(*g));
    g->prev = -1;
    cc_writer_init_heap(&out);
    cc_params_genesis(&out, &w->params);
    assert_int_equal(cc_block_decode(&g->block, out.data, out.len), CC_OK);
    cc_writer_clear(&out);
    cc_mint_first(&g->state, &w->params);
}

void world_clear(struct world *w)
{
    for (size_t i = 0; i < w->count; i++) {
        cc_block_clear(&w->blocks[i].block);
        free(w->blocks[i].coins);
    }
    free(w->blocks);
    free(w->leaves);
    cc_ec_free(w->ec);
}

unsigned world_random(struct world *w, unsigned below)
{
    return (unsigned)(cc_test_random(&w->random) % below);
}

int world_find(const struct world *w, const uint8_t hash[32])
{
    for (size_t i = 0; i < w->count; i++)
        if (!memcmp(w->blocks[i].block.hash, hash, 32))
            return (int)i;
    return -1;
}

/* --- The naive coin set ------------------------------------------------- */

static int by_outpoint(const void *a, const void *b)
{
    const struct wcoin *x = a, *y = b;
    int d = memcmp(x->o.txid, y->o.txid, 32);

    if (d)
        return d;
    return x->o.index < y->o.index ? -1 : x->o.index > y->o.index;
}

static void spend(struct wblock *b, const struct cc_outpoint *o)
{
    for (size_t i = 0; i < b->coin_count; i++) {
        if (!cc_outpoint_equal(&b->coins[i].o, o))
            continue;
        b->coins[i] = b->coins[--b->coin_count];
        return;
    }
    fail_msg("the model has no such coin");
}

/* Coins after b from those after its parent; only of blocks that are right. */
static void apply(struct wblock *b, const struct wblock *prev)
{
    size_t room = prev->coin_count;

    for (size_t i = 0; i < b->block.tx_count; i++)
        room += b->block.tx[i].vout_count;
    b->coins = cc_reallocarray(NULL, room, sizeof(*b->coins));
    b->coin_count = prev->coin_count;
    if (prev->coin_count)
        memcpy(b->coins, prev->coins, prev->coin_count * sizeof(*b->coins));
    for (size_t i = 0; i < b->block.tx_count; i++) {
        const struct cc_tx *tx = &b->block.tx[i];

        for (size_t n = 0; i && n < tx->vin_count; n++)
            spend(b, &tx->vin[n].prevout);
        for (uint32_t n = 0; n < tx->vout_count; n++) {
            struct wcoin *c = &b->coins[b->coin_count];

            if (tx->vout[n].script.len && tx->vout[n].script.data[0] == 0x6a)
                continue;
            memset(c, 0, sizeof(*c));
            memcpy(c->o.txid, tx->txid, 32);
            c->o.index = n;
            c->coin.out = tx->vout[n];
            c->coin.height = b->height;
            c->coin.coinbase = i == 0 || (world_is_claim(tx) &&
                                          tx->vout[n].script.data[0] != 0xbb);
            b->coin_count++;
        }
    }
    qsort(b->coins, b->coin_count, sizeof(*b->coins), by_outpoint);
}

/* --- Making blocks ------------------------------------------------------ */

/* Coins that transactions of one block may spend; used ones are taken out. */
struct purse {
    struct wcoin *coins;
    size_t count;
};

/* By anybody: OP_1 and OP_2. */
static bool is_free(struct cc_bytes script)
{
    return script.len == 1 &&
           (script.data[0] == op_true[0] || script.data[0] == op_two[0]);
}

static bool spendable(const struct world *w, const struct wcoin *c,
                      uint32_t height)
{
    return is_free(c->coin.out.script) &&
           (!c->coin.coinbase ||
            height - c->coin.height >= w->params.coinbase_maturity);
}

static void fill_purse(const struct world *w, struct purse *p,
                       const struct wblock *prev)
{
    p->coins =
        cc_reallocarray(NULL, prev->coin_count + 1024, sizeof(*p->coins));
    p->count = 0;
    for (size_t i = 0; i < prev->coin_count; i++)
        if (spendable(w, &prev->coins[i], prev->height + 1))
            p->coins[p->count++] = prev->coins[i];
}

static struct cc_txin *add_input(struct cc_build *b, struct cc_tx *tx,
                                 const struct cc_outpoint *o)
{
    struct cc_txin *in = cc_build_in(b, tx, 0, 0);

    in->prevout = *o;
    return in;
}

/* One to three inputs to one to four outputs, one of them perhaps without
 * use; what comes out may be spent later in the same block. */
static cc_amount make_tx(struct world *w, struct cc_build *b, struct purse *p)
{
    struct cc_tx *tx = cc_build_tx(b);
    size_t inputs = 1 + world_random(w, 3), outputs = 1 + world_random(w, 4);
    cc_amount sum = 0, fee, each;

    for (size_t i = 0; i < inputs && p->count; i++) {
        size_t n = world_random(w, (unsigned)p->count);

        add_input(b, tx, &p->coins[n].o);
        sum += p->coins[n].coin.out.value;
        p->coins[n] = p->coins[--p->count];
    }
    fee = sum > 1000 ? world_random(w, 1000) : 0;
    each = (sum - fee) / (cc_amount)outputs;
    for (size_t i = 0; i < outputs; i++) {
        unsigned kind = world_random(w, 12);

        if (kind == 0)
            cc_build_out(b, tx, each, op_return, sizeof(op_return));
        else if (kind == 1)
            cc_build_out(b, tx, each, op_false, sizeof(op_false));
        else if (kind == 2)
            cc_build_out(b, tx, each, op_two, sizeof(op_two));
        else
            cc_build_out(b, tx, each, op_true, sizeof(op_true));
    }
    cc_tx_finish(tx);
    for (uint32_t i = 0; i < tx->vout_count; i++) {
        struct wcoin *c = &p->coins[p->count];

        if (!is_free(tx->vout[i].script))
            continue;
        memset(c, 0, sizeof(*c));
        memcpy(c->o.txid, tx->txid, 32);
        c->o.index = i;
        c->coin.out = tx->vout[i];
        p->count++;
    }
    return sum - each * (cc_amount)outputs;
}

/* Up to two storage coins moved on, and one made. */
static void add_typed(struct world *w, struct cc_build *b, struct purse *p,
                      const struct wblock *prev)
{
    unsigned acts = 0;

    for (size_t i = 0; i < prev->coin_count && acts < 2; i++)
        if (prev->coins[i].coin.out.script.data[0] == 0xbb &&
            !world_random(w, 3))
            acts += world_act(w, b, &prev->coins[i], (int)(prev - w->blocks));
    for (size_t i = 0; i < p->count; i++) {
        if (p->coins[i].coin.out.value < CC_COIN)
            continue;
        if (!world_random(w, 2) &&
            world_form(w, b, &p->coins[i], prev->height + 1))
            p->coins[i] = p->coins[--p->count];
        break;
    }
}

static const struct wcoin *find_script(const struct wblock *prev, uint8_t op)
{
    for (size_t i = 0; i < prev->coin_count; i++)
        if (prev->coins[i].coin.out.script.data[0] == op &&
            !prev->coins[i].coin.coinbase)
            return &prev->coins[i];
    return NULL;
}

static void add_spend(struct cc_build *b, const struct cc_outpoint *o,
                      cc_amount value)
{
    struct cc_tx *tx = cc_build_tx(b);

    add_input(b, tx, o);
    cc_build_out(b, tx, value, op_true, sizeof(op_true));
}

/* Returns what the block really is: a fault may need a coin that is not
 * there. */
static enum wrong add_fault(struct world *w, struct cc_build *b,
                            struct purse *p, const struct wblock *prev,
                            enum wrong wrong)
{
    struct cc_outpoint nowhere = {{1, 2, 3}, 0};
    const struct wcoin *locked = find_script(prev, 0x00);
    size_t n = p->count ? world_random(w, (unsigned)p->count) : 0;

    memcpy(nowhere.txid + 8, &w->unique, sizeof(w->unique));
    switch (wrong) {
    case WRONG_SCRIPT:
    case WRONG_SCRIPT_FIRST:
        if (!locked)
            return RIGHT;
        add_spend(b, &locked->o, locked->coin.out.value);
        if (wrong == WRONG_SCRIPT_FIRST)
            add_spend(b, &nowhere, 1);
        return wrong;
    case WRONG_MISSING:
        add_spend(b, &nowhere, 1);
        return wrong;
    case WRONG_TWICE:
        if (!p->count)
            return RIGHT;
        add_spend(b, &p->coins[n].o, p->coins[n].coin.out.value);
        add_spend(b, &p->coins[n].o, p->coins[n].coin.out.value - 1);
        return wrong;
    case WRONG_AMOUNT:
        if (!p->count)
            return RIGHT;
        add_spend(b, &p->coins[n].o, p->coins[n].coin.out.value + 1);
        return wrong;
    case WRONG_IMMATURE:
        for (size_t i = 0; i < prev->coin_count; i++) {
            const struct wcoin *c = &prev->coins[i];

            if (!c->coin.coinbase || c->coin.height != prev->height)
                continue;
            add_spend(b, &c->o, c->coin.out.value);
            return wrong;
        }
        return RIGHT;
    case WRONG_REWARD:
    case RIGHT:
    case WRONG_COUNT:
        break;
    }
    return wrong;
}

int world_make(struct world *w, int prev_number, enum wrong wrong)
{
    const struct wblock *prev = &w->blocks[prev_number];
    struct wblock *n;
    struct cc_build b;
    struct purse purse;
    struct cc_tx *coinbase;
    uint32_t height = prev->height + 1;
    cc_amount fees = 0, reward = cc_subsidy(&w->params, height) -
                                 cc_subsidy_storage(&w->params, height);
    unsigned count = world_random(w, w->max_tx + 1);

    cc_build_init(&b);
    b.params = &w->params;
    b.mine = b.commit = true;
    memcpy(b.header.prev, prev->block.hash, 32);
    b.header.bits = w->params.genesis.bits;
    b.header.time = prev->block.header.time + 1 + world_random(w, 3);
    coinbase = cc_build_coinbase(&b, height, 0);
    w->minted = 0;
    w->claims = 0;
    w->unique++;
    cc_build_out(&b, coinbase, 0, op_true, sizeof(op_true));
    cc_build_out(&b, coinbase, 0, op_return_8, sizeof(op_return_8));
    memcpy((uint8_t *)(uintptr_t)coinbase->vout[2].script.data + 2, &w->unique,
           8);
    fill_purse(w, &purse, prev);
    while (count-- && purse.count)
        fees += make_tx(w, &b, &purse);
    if (w->params.storage_active)
        add_typed(w, &b, &purse, prev);
    wrong = prev->tainted ? RIGHT : add_fault(w, &b, &purse, prev, wrong);
    free(purse.coins);
    coinbase->vout[0].value = (reward + fees) / 2;
    coinbase->vout[1].value = reward + fees - coinbase->vout[0].value;
    if (wrong == WRONG_REWARD)
        coinbase->vout[1].value++;

    w->blocks = cc_grow(w->blocks, &w->cap, w->count + 1, sizeof(*w->blocks));
    prev = &w->blocks[prev_number];
    n = &w->blocks[w->count];
    memset(n, 0, sizeof(*n));
    n->prev = prev_number;
    n->height = height;
    n->wrong = wrong;
    n->tainted = prev->tainted || wrong != RIGHT;
    cc_build_block(&b, &n->block);
    cc_build_clear(&b);
    if (!n->tainted)
        apply(n, prev);
    if (!n->tainted && w->params.storage_active)
        assert_int_equal(cc_mint_next(&n->state, &prev->state, height, 0,
                                      w->minted, w->claims, &w->params, NULL),
                         CC_OK);
    return (int)w->count++;
}

/* --- The chain under test ----------------------------------------------- */

void world_config(const struct world *w, struct cc_chain_config *config,
                  const char *directory)
{
    memset(config, 0, sizeof(*config));
    config->params = &w->params;
    config->directory = directory;
    config->cache_bytes = (size_t)8 << 20;
    config->now = world_now;
    config->threads = 1; /* beside the caller */
    config->check_index = 1;
}

struct cc_chain *world_open(const struct world *w, const char *directory)
{
    struct cc_chain_config config;
    struct cc_chain *c;
    struct cc_error err;

    world_config(w, &config, directory);
    if (cc_chain_open(&c, &config, &err) != CC_OK)
        fail_msg("%s", err.text);
    return c;
}

struct compare {
    const struct wblock *b;
    size_t next;
    const char *wrong;
};

static bool compare_coin(void *arg, const struct cc_outpoint *o,
                         const struct cc_coin *coin)
{
    struct compare *k = arg;
    const struct wcoin *want;

    if (k->next == k->b->coin_count) {
        k->wrong = "the chain has more coins than the model";
        return false;
    }
    want = &k->b->coins[k->next++];
    if (!cc_outpoint_equal(&want->o, o))
        k->wrong = "another coin than the model's";
    else if (want->coin.out.value != coin->out.value ||
             !cc_bytes_equal(want->coin.out.script, coin->out.script) ||
             want->coin.height != coin->height ||
             want->coin.coinbase != coin->coinbase)
        k->wrong = "a coin differs from the model's";
    return !k->wrong;
}

const char *world_compare(const struct world *w, struct cc_chain *c, int i)
{
    struct compare k = {.b = &w->blocks[i]};
    const struct cc_mint_state *s = &cc_chain_tip(c)->state;
    static char text[sizeof(((struct cc_error *)0)->text)];
    struct cc_error err;

    if (memcmp(cc_chain_tip(c)->hash, w->blocks[i].block.hash, 32))
        return "another tip";
    if (w->params.storage_active &&
        (s->pool != k.b->state.pool || s->claims != k.b->state.claims ||
         cc_u256_cmp(&s->ticket, &k.b->state.ticket)))
        return "another storage state";
    if (cc_chain_each_coin(c, compare_coin, &k, &err) != CC_OK) {
        snprintf(text, sizeof(text), "%s", err.text);
        return text;
    }
    if (!k.wrong && k.next != k.b->coin_count)
        return "the chain has fewer coins than the model";
    if (!k.wrong && w->params.storage_active)
        return world_compare_typed(w, c, i);
    return k.wrong;
}

void world_expect(const struct world *w, struct cc_chain *c, int i)
{
    const char *wrong = world_compare(w, c, i);

    if (wrong)
        fail_msg("tip %u, want block %d of height %u: %s",
                 (unsigned)cc_chain_tip(c)->height, i,
                 (unsigned)w->blocks[i].height, wrong);
}
