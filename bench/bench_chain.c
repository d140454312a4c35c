/* A block of 1,000 transactions x 5 inputs on a chain that lies on the disk.
 * Its coins are OP_TRUE: scripts are measured by themselves. */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chain/chain.h"
#include "consensus/pow.h"
#include "util/fs.h"
#include "util/mem.h"

#define TXS 1000
#define INPUTS 5
#define COINS (TXS * INPUTS)

struct state {
    struct cc_params params;
    char *dir;
    struct cc_chain *chain;
    struct cc_arena arena;
    struct cc_block full, empty; /* both on the tip */
    bool on_full;
};

static int64_t now(void *arg)
{
    (void)arg;
    return 1700000000;
}

static void open_chain(struct state *s)
{
    struct cc_chain_config config = {.params = &s->params,
                                     .directory = s->dir,
                                     .cache_bytes = (size_t)450 << 20,
                                     .now = now};
    struct cc_error err;

    BENCH_CHECK(cc_chain_open(&s->chain, &config, &err) == CC_OK);
}

/* --- Blocks ------------------------------------------------------------- */

static void add_input(struct state *s, struct cc_tx *tx,
                      const struct cc_outpoint *o)
{
    if (!tx->vin)
        tx->vin = cc_arena_calloc(&s->arena, INPUTS, sizeof(*tx->vin));
    tx->vin[tx->vin_count].prevout = *o;
    tx->vin[tx->vin_count++].sequence = CC_SEQUENCE_FINAL;
}

static void set_outputs(struct state *s, struct cc_tx *tx, size_t count,
                        cc_amount value)
{
    tx->version = 2;
    tx->vout = cc_arena_calloc(&s->arena, count, sizeof(*tx->vout));
    tx->vout_count = count;
    for (size_t i = 0; i < count; i++) {
        tx->vout[i].value = value;
        tx->vout[i].script = cc_bytes("\x51", 1);
    }
}

/* tx[0] is made the coinbase. */
static void make_block(struct state *s, struct cc_block *out, struct cc_tx *tx,
                       size_t count)
{
    const struct cc_index *tip = cc_chain_tip(s->chain);
    struct cc_outpoint none = {{0}, UINT32_MAX};
    struct cc_header h = {.version = 0x20000000,
                          .time = tip->header.time + 1 + (uint32_t)count,
                          .bits = s->params.genesis.bits};
    struct cc_block list = {.tx = tx, .tx_count = count};
    uint8_t script[16], hash[32];
    struct cc_writer w;

    cc_writer_init(&w, script, sizeof(script));
    cc_script_push_int(&w, (int64_t)tip->height + 1);
    cc_write_u8(&w, CC_OP_0);
    memset(&tx[0], 0, sizeof(tx[0]));
    add_input(s, &tx[0], &none);
    tx[0].vin[0].script_sig =
        cc_bytes(cc_arena_dup(&s->arena, script, w.len), w.len);
    set_outputs(s, &tx[0], 1, 20 * CC_COIN);
    for (size_t i = 0; i < count; i++)
        cc_tx_finish(&tx[i]);
    memcpy(h.prev, tip->hash, 32);
    cc_block_merkle_root(h.merkle_root, &list, NULL);
    do {
        h.nonce++;
        cc_header_hash(hash, &h);
    } while (!cc_pow_check(hash, h.bits, &s->params));
    cc_writer_init_heap(&w);
    cc_header_write(&w, &h);
    cc_write_compact(&w, count);
    for (size_t i = 0; i < count; i++)
        cc_tx_write(&w, &tx[i], true);
    BENCH_CHECK(cc_block_decode(out, w.data, w.len) == CC_OK);
    cc_writer_clear(&w);
}

static void give(struct state *s, const struct cc_block *block)
{
    BENCH_CHECK(cc_chain_accept_block(s->chain, block, true, NULL, NULL,
                                      NULL) == CC_OK);
}

/* A coinbase, a block that makes COINS coins of it, each in a transaction of
 * its own kind of place: five outputs each, so ids are as many as they are in
 * life. */
static void make_coins(struct state *s, struct cc_tx *tx)
{
    struct cc_block block;
    struct cc_outpoint o = {{0}, 0};

    make_block(s, &block, tx, 1);
    memcpy(o.txid, block.tx[0].txid, 32);
    give(s, &block);
    cc_block_clear(&block);
    memset(tx, 0, sizeof(*tx) * (TXS + 1));
    for (size_t i = 1; i <= TXS; i++) { /* each spends the rest of the last */
        add_input(s, &tx[i], &o);
        set_outputs(s, &tx[i], INPUTS + 1, 100000);
        tx[i].vout[INPUTS].value =
            20 * CC_COIN - (cc_amount)i * INPUTS * 100000;
        cc_tx_finish(&tx[i]);
        memcpy(o.txid, tx[i].txid, 32);
        o.index = INPUTS;
    }
    make_block(s, &block, tx, TXS + 1);
    give(s, &block);
    cc_block_clear(&block);
}

static void make_spends(struct state *s, struct cc_tx *tx)
{
    struct cc_outpoint *coins = cc_reallocarray(NULL, COINS, sizeof(*coins));

    for (size_t i = 0; i < COINS; i++) {
        memcpy(coins[i].txid, tx[1 + i / INPUTS].txid, 32);
        coins[i].index = (uint32_t)(i % INPUTS);
    }
    memset(tx, 0, sizeof(*tx) * (TXS + 1));
    for (size_t i = 0; i < COINS; i++) /* 1,009 and 5,000 are coprime */
        add_input(s, &tx[1 + i / INPUTS], &coins[i * 1009 % COINS]);
    for (size_t i = 1; i <= TXS; i++)
        set_outputs(s, &tx[i], 2, 240000);
    make_block(s, &s->full, tx, TXS + 1);
    free(coins);
}

static void *setup(void)
{
    struct state *s = cc_calloc(1, sizeof(*s));
    struct cc_tx *tx = cc_calloc(TXS + 1, sizeof(*tx));
    const char *base = getenv("TMPDIR");
    char path[512];

    snprintf(path, sizeof(path), "%s/cc_bench_XXXXXX", base ? base : "/tmp");
    BENCH_CHECK(mkdtemp(path));
    s->dir = cc_strdup(path);
    s->params = *cc_params_get(CC_CHAIN_REGTEST);
    s->params.coinbase_maturity = 1;
    cc_arena_init(&s->arena);
    open_chain(s);
    make_coins(s, tx);
    make_spends(s, tx);
    make_block(s, &s->empty, tx, 1);
    free(tx);
    return s;
}

static void teardown(void *state)
{
    struct state *s = state;

    cc_chain_free(s->chain);
    cc_block_clear(&s->full);
    cc_block_clear(&s->empty);
    cc_arena_clear(&s->arena);
    BENCH_CHECK(cc_fs_remove_tree(s->dir, NULL) == CC_OK);
    free(s->dir);
    free(s);
}

/* All rules, coins found, undo data made; nothing is written. */
static void run_judge(void *state)
{
    struct state *s = state;

    BENCH_CHECK(cc_chain_test_block(s->chain, &s->full, true, true, NULL) ==
                CC_OK);
}

/* The block on, saved, and off again for an empty one, saved. */
static void *setup_walk(void)
{
    struct state *s = setup();

    give(s, &s->empty);
    give(s, &s->full);
    return s;
}

static void run_walk(void *state)
{
    struct state *s = state;
    const struct cc_block *to[2] = {&s->full, &s->empty};

    for (int i = 0; i < 2; i++) {
        struct cc_index *x = cc_chain_find(s->chain, to[i]->hash);

        BENCH_CHECK(cc_chain_precious(s->chain, x, NULL) == CC_OK);
        BENCH_CHECK(cc_chain_tip(s->chain) == x);
    }
}

const struct bench bench_chain[] = {
    {"chain_judge", "check a block of 1,000 x 5 on the tip, no scripts", setup,
     run_judge, teardown, COINS, "input", 0, NULL, NULL, 0, 0},
    {"chain_walk", "connect that block and save, undo it and save", setup_walk,
     run_walk, teardown, COINS, "input", 0, NULL, NULL, 0, 0},
};
const size_t bench_chain_count = sizeof(bench_chain) / sizeof(bench_chain[0]);
