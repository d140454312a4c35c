/*
 *     make_chain FOLDER [-chain=bitcoin-regtest|regtest] [-txs=N] [-pool=N]
 *
 * Makes the data folder of a node with a chain of at least N transactions that
 * carry real signatures, for bench/node.py: the same bytes every time. Blocks
 * are of many sizes, full ones among them. Inputs are P2PKH, P2WPKH, P2TR (by
 * key and by script) and 2-of-3 multisig in P2SH and P2WSH, in equal parts;
 * most coins were made long before they are spent, some just now.
 *
 * Beside the chain it writes FOLDER/mempool.txt, -pool transactions that are
 * valid on top of it, one a line, and FOLDER/chain.json, what it made.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "chain/chain.h"
#include "consensus/pow.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#define KEYS 64
#define FIRST_TIME 1700000000u
#define FAN_OUT 1000    /* coins made of one coinbase output */
#define FAN_BLOCKS 100  /* so many coinbases become coins */
#define FULL_BLOCK 3300 /* transactions: about 3,800,000 units of weight */
#define MAX_INPUTS 3
#define MAX_ITEMS 4
#define FEE 1000

enum kind { P2PKH, P2WPKH, P2TR, P2TR_LEAF, P2SH, P2WSH, KINDS };
static const char *const kind_names[KINDS] = {
    "p2pkh",       "p2wpkh",        "p2tr",
    "p2tr_script", "p2sh_multisig", "p2wsh_multisig"};

struct key {
    uint8_t secret[32], output_secret[32], pub[33], xonly[32];
    struct cc_bytes script[KINDS]; /* of a coin */
    struct cc_bytes code[KINDS];   /* of what it commits to, if it does */
    uint8_t control[33];           /* of the tree of one leaf */
};

struct utxo {
    struct cc_outpoint o;
    cc_amount value;
    uint8_t kind, key;
};

struct maker {
    struct cc_params params;
    struct cc_chain *chain;
    struct cc_ec *ec;
    struct key keys[KEYS];
    struct cc_arena scripts, arena; /* of the keys; of the block being made */
    uint64_t seed;
    struct utxo *coins;
    size_t coin_count, coin_cap;
    struct cc_tx *tx; /* of the block being made, the coinbase first */
    size_t tx_count, tx_cap;
    struct utxo rewards[FAN_BLOCKS];
    uint64_t txs, inputs[KINDS], outputs, bytes;
};

static uint64_t draw(struct maker *m, uint64_t below)
{
    uint64_t z = m->seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

/* --- Keys and scripts ---------------------------------------------------- */

static struct cc_bytes keep(struct cc_arena *a, struct cc_writer *w)
{
    struct cc_bytes out = cc_bytes(cc_arena_dup(a, w->data, w->len), w->len);

    w->len = 0;
    return out;
}

static const struct key *cosigner(const struct maker *m, size_t key, size_t n)
{
    return &m->keys[(key + n) % KEYS];
}

static void make_keys(struct maker *m)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct key *k = &m->keys[i];
        uint8_t tweak[32];

        bench_fill(k->secret, 32, i + 1);
        BENCH_CHECK(cc_ec_pubkey(m->ec, k->pub, k->secret));
        BENCH_CHECK(cc_ec_xonly(m->ec, k->xonly, k->secret));
        memcpy(k->output_secret, k->secret, 32);
        cc_taptweak_hash(tweak, k->xonly, NULL);
        BENCH_CHECK(cc_ec_secret_taproot(m->ec, k->output_secret, tweak));
    }
}

static void hash_script(struct cc_writer *w, uint8_t op, const void *hash,
                        size_t len)
{
    cc_write_u8(w, op);
    cc_script_push(w, hash, len);
}

static void make_scripts(struct maker *m, size_t i)
{
    struct key *k = &m->keys[i];
    uint8_t hash[32], leaf[32], output[32];
    struct cc_writer w;
    bool odd = false;

    cc_writer_init_heap(&w);
    cc_write_u8(&w, CC_OP_DUP);
    cc_hash160(hash, k->pub, 33);
    hash_script(&w, CC_OP_HASH160, hash, 20);
    cc_write_u8(&w, CC_OP_EQUALVERIFY);
    cc_write_u8(&w, CC_OP_CHECKSIG);
    k->script[P2PKH] = k->code[P2PKH] = k->code[P2WPKH] = keep(&m->scripts, &w);
    hash_script(&w, CC_OP_0, hash, 20);
    k->script[P2WPKH] = keep(&m->scripts, &w);

    cc_taptweak_hash(hash, k->xonly, NULL);
    BENCH_CHECK(cc_ec_xonly_tweak(output, &odd, k->xonly, hash));
    hash_script(&w, CC_OP_1, output, 32);
    k->script[P2TR] = keep(&m->scripts, &w);
    cc_script_push(&w, cosigner(m, i, 1)->xonly, 32);
    cc_write_u8(&w, CC_OP_CHECKSIG);
    k->code[P2TR_LEAF] = keep(&m->scripts, &w);
    cc_tapleaf_hash(leaf, 0xc0, k->code[P2TR_LEAF]);
    cc_taptweak_hash(hash, k->xonly, leaf);
    BENCH_CHECK(cc_ec_xonly_tweak(output, &odd, k->xonly, hash));
    k->control[0] = (uint8_t)(0xc0 | odd);
    memcpy(k->control + 1, k->xonly, 32);
    hash_script(&w, CC_OP_1, output, 32);
    k->script[P2TR_LEAF] = keep(&m->scripts, &w);

    cc_script_push_int(&w, 2);
    for (size_t n = 0; n < 3; n++)
        cc_script_push(&w, cosigner(m, i, n)->pub, 33);
    cc_script_push_int(&w, 3);
    cc_write_u8(&w, CC_OP_CHECKMULTISIG);
    k->code[P2SH] = k->code[P2WSH] = keep(&m->scripts, &w);
    cc_hash160(hash, k->code[P2SH].data, k->code[P2SH].len);
    hash_script(&w, CC_OP_HASH160, hash, 20);
    cc_write_u8(&w, CC_OP_EQUAL);
    k->script[P2SH] = keep(&m->scripts, &w);
    cc_sha256_once(hash, k->code[P2WSH].data, k->code[P2WSH].len);
    hash_script(&w, CC_OP_0, hash, 32);
    k->script[P2WSH] = keep(&m->scripts, &w);
    cc_writer_clear(&w);
}

/* --- Signing ------------------------------------------------------------- */

static struct cc_bytes ecdsa(struct maker *m, const struct key *k,
                             const uint8_t hash[32])
{
    uint8_t sig[80];
    size_t len = sizeof(sig);

    BENCH_CHECK(cc_ecdsa_sign(m->ec, sig, &len, k->secret, hash));
    sig[len++] = CC_SIGHASH_ALL;
    return cc_bytes(cc_arena_dup(&m->arena, sig, len), len);
}

static struct cc_bytes schnorr(struct maker *m, const uint8_t secret[32],
                               const uint8_t hash[32])
{
    static const uint8_t aux[32];
    uint8_t sig[64];

    BENCH_CHECK(cc_schnorr_sign(m->ec, sig, secret, hash, 32, aux));
    return cc_bytes(cc_arena_dup(&m->arena, sig, 64), 64);
}

static void put_items(struct maker *m, struct cc_txin *in,
                      const struct cc_bytes *items, size_t count)
{
    in->witness = cc_arena_dup(&m->arena, items, count * sizeof(*items));
    in->witness_count = count;
}

static void sign_taproot(struct maker *m, struct cc_txin *in,
                         const struct cc_sighash *s, size_t i,
                         const struct utxo *u)
{
    const struct key *k = &m->keys[u->key];
    struct cc_taproot_ctx ctx = {.tapscript = u->kind == P2TR_LEAF,
                                 .codesep_pos = UINT32_MAX};
    struct cc_bytes items[3];
    uint8_t hash[32];

    if (ctx.tapscript)
        cc_tapleaf_hash(ctx.leaf_hash, 0xc0, k->code[P2TR_LEAF]);
    BENCH_CHECK(cc_sighash_v1(hash, s, i, CC_SIGHASH_DEFAULT, &ctx));
    items[0] = schnorr(
        m, ctx.tapscript ? cosigner(m, u->key, 1)->secret : k->output_secret,
        hash);
    items[1] = k->code[P2TR_LEAF];
    items[2] = cc_bytes(k->control, 33);
    put_items(m, in, items, ctx.tapscript ? 3 : 1);
}

/* scriptSig made of pushes. */
static struct cc_bytes pushes(struct maker *m, const struct cc_bytes *items,
                              size_t count)
{
    struct cc_writer w;
    struct cc_bytes out;

    cc_writer_init_heap(&w);
    for (size_t n = 0; n < count; n++)
        cc_script_push(&w, items[n].data, items[n].len);
    out = keep(&m->arena, &w);
    cc_writer_clear(&w);
    return out;
}

static void sign_input(struct maker *m, struct cc_tx *tx,
                       const struct cc_sighash *s, size_t i,
                       const struct utxo *u)
{
    const struct key *k = &m->keys[u->key];
    struct cc_txin *in = &tx->vin[i];
    bool legacy = u->kind == P2PKH || u->kind == P2SH;
    struct cc_bytes items[MAX_ITEMS];
    uint8_t hash[32];
    size_t n = 0;

    if (u->kind == P2TR || u->kind == P2TR_LEAF) {
        sign_taproot(m, in, s, i, u);
        return;
    }
    if (legacy)
        cc_sighash_legacy(hash, tx, i, k->code[u->kind], CC_SIGHASH_ALL);
    else
        cc_sighash_v0(hash, s, i, k->code[u->kind], CC_SIGHASH_ALL, u->value);
    if (u->kind == P2PKH || u->kind == P2WPKH) {
        items[n++] = ecdsa(m, k, hash);
        items[n++] = cc_bytes(k->pub, 33);
    } else { /* the two of three differ from coin to coin */
        size_t without = u->o.txid[0] % 3;

        items[n++] = cc_bytes(NULL, 0);
        for (size_t c = 0; c < 3; c++)
            if (c != without)
                items[n++] = ecdsa(m, cosigner(m, u->key, c), hash);
        items[n++] = k->code[u->kind];
    }
    if (legacy)
        in->script_sig = pushes(m, items, n);
    else
        put_items(m, in, items, n);
}

static void sign(struct maker *m, struct cc_tx *tx, const struct utxo *from)
{
    struct cc_coin coins[MAX_INPUTS] = {0};
    struct cc_sighash s;

    for (size_t i = 0; i < tx->vin_count; i++) {
        coins[i].out.value = from[i].value;
        coins[i].out.script = m->keys[from[i].key].script[from[i].kind];
    }
    cc_sighash_init(&s, tx, coins);
    for (size_t i = 0; i < tx->vin_count; i++) {
        sign_input(m, tx, &s, i, &from[i]);
        m->inputs[from[i].kind]++;
    }
    cc_tx_finish(tx);
}

/* --- Transactions -------------------------------------------------------- */

static struct cc_tx *add_tx(struct maker *m, size_t inputs, size_t outputs)
{
    struct cc_tx *tx;

    m->tx = cc_grow(m->tx, &m->tx_cap, m->tx_count + 1, sizeof(*m->tx));
    tx = &m->tx[m->tx_count++];
    memset(tx, 0, sizeof(*tx));
    tx->version = 2;
    tx->vin = cc_arena_calloc(&m->arena, inputs, sizeof(*tx->vin));
    tx->vout = cc_arena_calloc(&m->arena, outputs, sizeof(*tx->vout));
    tx->vin_count = inputs;
    tx->vout_count = outputs;
    return tx;
}

static void add_coin(struct maker *m, const struct utxo *u)
{
    m->coins =
        cc_grow(m->coins, &m->coin_cap, m->coin_count + 1, sizeof(*m->coins));
    m->coins[m->coin_count++] = *u;
}

/* A coin of any age, sometimes one that was just made. */
static struct utxo take_coin(struct maker *m)
{
    size_t recent = m->coin_count < 64 ? m->coin_count : 64;
    size_t at = draw(m, 100) < 10 ? m->coin_count - 1 - draw(m, recent)
                                  : draw(m, m->coin_count);
    struct utxo u = m->coins[at];

    m->coins[at] = m->coins[--m->coin_count];
    return u;
}

/* Spend from; the sum in even parts to keys and kinds drawn. */
static void pay(struct maker *m, const struct utxo *from, size_t inputs,
                size_t outputs)
{
    struct cc_tx *tx = add_tx(m, inputs, outputs);
    struct utxo to[FAN_OUT];
    cc_amount sum = 0;

    for (size_t i = 0; i < inputs; i++) {
        tx->vin[i].prevout = from[i].o;
        tx->vin[i].sequence = 0xfffffffd;
        sum += from[i].value;
    }
    for (size_t i = 0; i < outputs; i++) {
        to[i].kind = (uint8_t)draw(m, KINDS);
        to[i].key = (uint8_t)draw(m, KEYS);
        to[i].value =
            (sum - FEE * (cc_amount)(inputs + outputs)) / (cc_amount)outputs;
        BENCH_CHECK(to[i].value > FEE);
        tx->vout[i].value = to[i].value;
        tx->vout[i].script = m->keys[to[i].key].script[to[i].kind];
    }
    sign(m, tx, from);
    for (size_t i = 0; i < outputs; i++) {
        memcpy(to[i].o.txid, tx->txid, 32);
        to[i].o.index = (uint32_t)i;
        add_coin(m, &to[i]);
    }
    m->outputs += outputs;
}

/* As many outputs as inputs in the long run: the set keeps its size. */
static void pay_some(struct maker *m)
{
    static const uint8_t inputs[10] = {1, 1, 1, 1, 1, 2, 2, 2, 3, 3};
    static const uint8_t outputs[10] = {1, 1, 2, 2, 2, 2, 2, 2, 2, 1};
    struct utxo from[MAX_INPUTS];
    size_t in = inputs[draw(m, 10)], out = outputs[draw(m, 10)];

    for (size_t i = 0; i < in; i++)
        from[i] = take_coin(m);
    pay(m, from, in, out);
}

/* --- Blocks -------------------------------------------------------------- */

static void begin_block(struct maker *m)
{
    m->tx_count = 0;
    cc_arena_clear(&m->arena);
    cc_arena_init(&m->arena);
    add_tx(m, 1, 2); /* the coinbase, filled at the end */
}

/* BIP 141: root over witness hashes and a reserved value. */
static void commit(struct maker *m, const struct cc_block *list)
{
    static const uint8_t reserved[32];
    struct cc_bytes item = cc_bytes(reserved, 32);
    uint8_t both[64], script[38] = {CC_OP_RETURN, 36, 0xaa, 0x21, 0xa9, 0xed};

    cc_block_witness_root(both, list);
    memcpy(both + 32, reserved, 32);
    cc_hash256(script + 6, both, 64);
    m->tx[0].vout[1].script =
        cc_bytes(cc_arena_dup(&m->arena, script, 38), sizeof(script));
    put_items(m, &m->tx[0].vin[0], &item, 1);
}

static void make_coinbase(struct maker *m, uint32_t height)
{
    struct cc_tx *tx = &m->tx[0];
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_script_push_int(&w, height);
    cc_write_u8(&w, CC_OP_0);
    tx->vin[0].prevout.index = UINT32_MAX;
    tx->vin[0].sequence = CC_SEQUENCE_FINAL;
    tx->vin[0].script_sig = keep(&m->arena, &w);
    tx->vout[0].value =
        cc_subsidy(&m->params, height) - cc_subsidy_storage(&m->params, height);
    tx->vout[0].script = m->keys[height % KEYS].script[P2WPKH];
    cc_writer_clear(&w);
}

static void end_block(struct maker *m)
{
    const struct cc_index *tip = cc_chain_tip(m->chain);
    uint32_t height = tip->height + 1;
    struct cc_block list, block;
    struct cc_header h = {.version = 0x20000000,
                          .time = FIRST_TIME + 600 * height,
                          .bits = m->params.genesis.bits};
    struct cc_error err;
    struct cc_writer w;
    uint8_t hash[32], *raw;
    size_t len;

    make_coinbase(m, height);
    list = (struct cc_block){.tx = m->tx, .tx_count = m->tx_count};
    commit(m, &list);
    cc_tx_finish(&m->tx[0]);
    memcpy(h.prev, tip->hash, 32);
    cc_block_merkle_root(h.merkle_root, &list, NULL);
    do {
        h.nonce++;
        cc_header_hash(hash, &h);
    } while (!cc_pow_check(hash, h.bits, &m->params));
    cc_writer_init_heap(&w);
    cc_header_write(&w, &h);
    cc_write_compact(&w, m->tx_count);
    for (size_t i = 0; i < m->tx_count; i++)
        cc_tx_write(&w, &m->tx[i], true);
    raw = cc_writer_take(&w, &len);
    BENCH_CHECK(cc_block_decode_take(&block, raw, len) == CC_OK);
    if (cc_chain_accept_block(m->chain, &block, true, NULL, NULL, &err)) {
        fprintf(stderr, "block %" PRIu32 ": %s\n", height, err.text);
        exit(1);
    }
    if (height <= FAN_BLOCKS) {
        struct utxo *u = &m->rewards[height - 1];

        memcpy(u->o.txid, block.tx[0].txid, 32);
        u->o.index = 0;
        u->value = block.tx[0].vout[0].value;
        u->kind = P2WPKH;
        u->key = (uint8_t)(height % KEYS);
    }
    m->txs += m->tx_count;
    m->bytes += len;
    cc_block_clear(&block);
}

static void make_blocks(struct maker *m, uint64_t txs)
{
    static const size_t sizes[] = {300, 1200, 2100, FULL_BLOCK};
    uint32_t first = m->params.coinbase_maturity + FAN_BLOCKS;

    cc_chain_hold(m->chain);
    for (uint32_t h = 0; h < first; h++) {
        begin_block(m);
        end_block(m);
    }
    for (size_t i = 0; i < FAN_BLOCKS; i += 10) {
        begin_block(m);
        for (size_t k = i; k < i + 10; k++)
            pay(m, &m->rewards[k], 1, FAN_OUT);
        end_block(m);
    }
    for (size_t n = 0; m->txs < txs || n % 4; n++) {
        begin_block(m);
        for (size_t i = 0; i < sizes[n % 4]; i++)
            pay_some(m);
        end_block(m);
    }
    BENCH_CHECK(cc_chain_release(m->chain, NULL) == CC_OK);
}

/* --- What is left in the folder ------------------------------------------ */

static FILE *create(const char *folder, const char *name)
{
    char *path = cc_fs_join(folder, name);
    FILE *f = fopen(path, "w");

    BENCH_CHECK(f);
    free(path);
    return f;
}

static void write_pool(struct maker *m, const char *folder, size_t count)
{
    FILE *f = create(folder, "mempool.txt");

    begin_block(m);
    while (m->tx_count < count + 1)
        pay_some(m);
    for (size_t i = 1; i < m->tx_count; i++) {
        struct cc_writer w;
        char *hex;

        cc_writer_init_heap(&w);
        cc_tx_write(&w, &m->tx[i], true);
        hex = cc_malloc(2 * w.len + 1);
        cc_hex_encode(hex, w.data, w.len);
        fprintf(f, "%s\n", hex);
        free(hex);
        cc_writer_clear(&w);
    }
    BENCH_CHECK(!fclose(f));
}

static void write_summary(struct maker *m, const char *folder)
{
    const struct cc_index *tip = cc_chain_tip(m->chain);
    FILE *f = create(folder, "chain.json");
    char hex[65];

    cc_hex_encode_rev(hex, tip->hash, 32);
    fprintf(f,
            "{\n \"chain\": \"%s\",\n \"tip\": \"%s\",\n \"time\": %" PRIu32
            ",\n \"blocks\": %" PRIu32 ",\n \"transactions\": %" PRIu64
            ",\n \"outputs\": %" PRIu64 ",\n \"bytes\": %" PRIu64
            ",\n \"inputs\": {",
            m->params.storage_active ? "regtest" : "bitcoin-regtest", hex,
            tip->header.time, tip->height, m->txs, m->outputs, m->bytes);
    for (size_t k = 0; k < KINDS; k++)
        fprintf(f, "%s\n  \"%s\": %" PRIu64, k ? "," : "", kind_names[k],
                m->inputs[k]);
    fprintf(f, "\n }\n}\n");
    BENCH_CHECK(!fclose(f));
}

/* Our own signatures are good: they are checked when the chain is used. */
static bool known(void *arg, const uint8_t wtxid[32], uint32_t flags)
{
    (void)arg;
    (void)wtxid;
    (void)flags;
    return true;
}

static int64_t now(void *arg)
{
    (void)arg;
    return 2000000000;
}

struct options {
    const char *folder;
    enum cc_chain_id chain;
    uint64_t txs;
    size_t pool;
};

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-chain=regtest"))
            o->chain = CC_CHAIN_REGTEST;
        else if (!strcmp(argv[i], "-chain=bitcoin-regtest"))
            o->chain = CC_CHAIN_BITCOIN_REGTEST;
        else if (!strncmp(argv[i], "-txs=", 5))
            o->txs = strtoull(argv[i] + 5, NULL, 10);
        else if (!strncmp(argv[i], "-pool=", 6))
            o->pool = strtoull(argv[i] + 6, NULL, 10);
        else if (argv[i][0] != '-' && !o->folder)
            o->folder = argv[i];
        else
            return false;
    }
    return o->folder;
}

static void make(const struct options *o)
{
    struct maker *m = cc_calloc(1, sizeof(*m));
    char *dir = cc_fs_join(o->folder, "regtest"); /* of both chains */
    struct cc_chain_config config = {.params = &m->params,
                                     .directory = dir,
                                     .cache_bytes = (size_t)450 << 20,
                                     .now = now};
    struct cc_error err;

    m->params = *cc_params_get(o->chain);
    m->ec = cc_ec_new();
    m->seed = 1;
    cc_arena_init(&m->scripts);
    cc_arena_init(&m->arena);
    make_keys(m);
    for (size_t i = 0; i < KEYS; i++)
        make_scripts(m, i);
    if (cc_chain_open(&m->chain, &config, &err) != CC_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    cc_chain_set_known(m->chain, known, NULL);
    make_blocks(m, o->txs);
    write_summary(m, o->folder);
    write_pool(m, o->folder, o->pool);
    cc_chain_free(m->chain);
    cc_arena_clear(&m->arena);
    cc_arena_clear(&m->scripts);
    cc_ec_free(m->ec);
    free(m->coins);
    free(m->tx);
    free(m);
    free(dir);
}

int main(int argc, char **argv)
{
    struct options o = {
        .chain = CC_CHAIN_BITCOIN_REGTEST, .txs = 200000, .pool = 20000};

    if (!parse(&o, argc, argv)) {
        fprintf(stderr, "usage: make_chain FOLDER "
                        "[-chain=bitcoin-regtest|regtest] [-txs=N] "
                        "[-pool=N]\n");
        return 1;
    }
    cc_mem_keep();
    make(&o);
    return 0;
}
