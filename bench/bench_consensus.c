/* Blocks, scripts, typed coins. */
#define OPENSSL_SUPPRESS_DEPRECATED /* its quickest interface */
#include <openssl/sha.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "consensus/check.h"
#include "consensus/seal.h"
#include "consensus/test/storage_support.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "crypto/mtree.h"
#include "util/mem.h"

/* --- Block 413567 ------------------------------------------------------ */

struct raw_block {
    char *data;
    size_t len;
    struct cc_block block;
};

static void *setup_block(void)
{
    struct raw_block *b = cc_calloc(1, sizeof(*b));

    b->data = cc_test_load("block413567.raw", &b->len);
    if (!b->data) {
        free(b);
        return NULL;
    }
    BENCH_CHECK(cc_block_decode(&b->block, b->data, b->len) == CC_OK);
    return b;
}

static void free_block(void *state)
{
    struct raw_block *b = state;

    cc_block_clear(&b->block);
    free(b->data);
    free(b);
}

static void run_decode(void *state)
{
    struct raw_block *b = state;
    struct cc_block block;

    BENCH_CHECK(cc_block_decode(&block, b->data, b->len) == CC_OK);
    cc_block_clear(&block);
}

static void run_check(void *state)
{
    struct raw_block *b = state;
    struct cc_block block;

    BENCH_CHECK(cc_block_decode(&block, b->data, b->len) == CC_OK);
    BENCH_CHECK(cc_block_check(&block, cc_params_get(CC_CHAIN_BITCOIN_REGTEST),
                               CC_CHECK_ALL, NULL) == CC_OK);
    cc_block_clear(&block);
}

/* Without the look-up of an algorithm that SHA256() does each time. */
static void openssl_once(uint8_t out[32], const void *data, size_t len)
{
    SHA256_CTX c;

    SHA256_Init(&c);
    SHA256_Update(&c, data, len);
    SHA256_Final(out, &c);
}

/* The ids alone: what no decoder can spare. */
static void openssl_ids(void *state)
{
    const struct raw_block *b = state;
    const uint8_t *p = b->block.raw.data + CC_HEADER_SIZE + 3;

    for (size_t i = 0; i < b->block.tx_count; i++) {
        uint8_t h[32];

        openssl_once(h, p, b->block.tx[i].size);
        openssl_once(h, h, 32);
        p += b->block.tx[i].size;
    }
}

/* --- Spends ------------------------------------------------------------ */

#define INPUTS 5

/* A transaction of n inputs of one kind, all by one key. */
struct spend {
    struct cc_tx tx;
    struct cc_txin in[INPUTS];
    struct cc_txout out[2];
    struct cc_coin coins[INPUTS];
    struct cc_bytes items[INPUTS][3];
    uint8_t sigs[INPUTS][80], key[33], xonly[32], output[34], control[33],
        leaf[34], payout[22], hash[INPUTS][32];
    struct cc_sighash s;
};

enum kind { P2WPKH, P2TR_KEY, P2TR_SCRIPT };

static const uint8_t secret[32] = {[0] = 0x42, [31] = 7};

static struct cc_ec *ec(void)
{
    static struct cc_ec *one;

    if (!one)
        one = cc_ec_new();
    BENCH_CHECK(one);
    return one;
}

/* The coin's script, and what unlocks it but for the signature. */
static void make_script(struct spend *sp, enum kind kind)
{
    uint8_t leaf_hash[32], tweak[32];
    bool odd = false;

    BENCH_CHECK(cc_ec_pubkey(ec(), sp->key, secret));
    BENCH_CHECK(cc_ec_xonly(ec(), sp->xonly, secret));
    sp->output[0] = kind == P2WPKH ? CC_OP_0 : CC_OP_1;
    sp->output[1] = kind == P2WPKH ? 20 : 32;
    if (kind == P2WPKH) {
        cc_hash160(sp->output + 2, sp->key, 33);
    } else if (kind == P2TR_KEY) {
        memcpy(sp->output + 2, sp->xonly, 32);
    } else {
        sp->leaf[0] = 32;
        memcpy(sp->leaf + 1, sp->xonly, 32);
        sp->leaf[33] = CC_OP_CHECKSIG;
        cc_tapleaf_hash(leaf_hash, 0xc0, cc_bytes(sp->leaf, 34));
        cc_taptweak_hash(tweak, sp->xonly, leaf_hash);
        BENCH_CHECK(cc_ec_xonly_tweak(sp->output + 2, &odd, sp->xonly, tweak));
        sp->control[0] = (uint8_t)(0xc0 | odd);
        memcpy(sp->control + 1, sp->xonly, 32);
    }
}

static void sign_input(struct spend *sp, enum kind kind, size_t i)
{
    struct cc_taproot_ctx ctx = {.tapscript = kind == P2TR_SCRIPT,
                                 .codesep_pos = UINT32_MAX};
    uint8_t code[25] = {CC_OP_DUP, CC_OP_HASH160, 20};
    size_t len = sizeof(sp->sigs[i]);

    if (kind == P2WPKH) {
        memcpy(code + 3, sp->output + 2, 20);
        code[23] = CC_OP_EQUALVERIFY;
        code[24] = CC_OP_CHECKSIG;
        cc_sighash_v0(sp->hash[i], &sp->s, i, cc_bytes(code, 25), 1,
                      sp->coins[i].out.value);
        BENCH_CHECK(
            cc_ecdsa_sign(ec(), sp->sigs[i], &len, secret, sp->hash[i]));
        sp->sigs[i][len++] = 1;
        sp->items[i][1] = cc_bytes(sp->key, 33);
    } else {
        cc_tapleaf_hash(ctx.leaf_hash, 0xc0, cc_bytes(sp->leaf, 34));
        BENCH_CHECK(cc_sighash_v1(sp->hash[i], &sp->s, i, 0, &ctx));
        BENCH_CHECK(
            cc_schnorr_sign(ec(), sp->sigs[i], secret, sp->hash[i], 32, NULL));
        len = 64;
        sp->items[i][1] = cc_bytes(sp->leaf, 34);
        sp->items[i][2] = cc_bytes(sp->control, 33);
    }
    sp->items[i][0] = cc_bytes(sp->sigs[i], len);
}

static void make_spend(struct spend *sp, enum kind kind, size_t inputs,
                       uint64_t seed)
{
    memset(sp, 0, sizeof(*sp));
    make_script(sp, kind);
    sp->tx.version = 2;
    sp->tx.vin = sp->in;
    sp->tx.vin_count = inputs;
    sp->tx.vout = sp->out;
    sp->tx.vout_count = 2;
    bench_fill(sp->payout, sizeof(sp->payout), seed);
    sp->payout[0] = 0;
    sp->payout[1] = 20;
    for (size_t i = 0; i < 2; i++) {
        sp->out[i].value = 10000;
        sp->out[i].script = cc_bytes(sp->payout, 22);
    }
    for (size_t i = 0; i < inputs; i++) {
        bench_fill(sp->in[i].prevout.txid, 32, seed * 16 + i + 1);
        sp->in[i].sequence = 0xfffffffd;
        sp->in[i].witness = sp->items[i];
        sp->in[i].witness_count = kind == P2TR_SCRIPT ? 3
                                  : kind == P2WPKH    ? 2
                                                      : 1;
        sp->coins[i].out.value = 10000;
        sp->coins[i].out.script =
            cc_bytes(sp->output, kind == P2WPKH ? 22 : 34);
        sp->coins[i].height = 1;
    }
    cc_sighash_init(&sp->s, &sp->tx, sp->coins);
    for (size_t i = 0; i < inputs; i++)
        sign_input(sp, kind, i);
    cc_tx_finish(&sp->tx);
}

static void *setup_spend(enum kind kind)
{
    struct spend *sp = cc_malloc(sizeof(*sp));

    make_spend(sp, kind, 1, 1);
    return sp;
}

static void *setup_p2wpkh(void) { return setup_spend(P2WPKH); }

static void *setup_p2tr_key(void) { return setup_spend(P2TR_KEY); }

static void *setup_p2tr_script(void) { return setup_spend(P2TR_SCRIPT); }

static void run_spend(void *state)
{
    const struct spend *sp = state;
    struct cc_sighash s;

    cc_sighash_init(&s, &sp->tx, sp->coins);
    BENCH_CHECK(cc_script_verify(&s, 0, sp->coins[0].out.script,
                                 sp->coins[0].out.value, CC_VERIFY_STANDARD,
                                 NULL));
}

/* Reading key and signature, then the verification: libsecp256k1 alone. */
static void raw_ecdsa_input(const struct spend *sp, size_t i)
{
    const secp256k1_context *ctx = secp256k1_context_static;
    secp256k1_ecdsa_signature sig;
    secp256k1_pubkey key;

    BENCH_CHECK(secp256k1_ec_pubkey_parse(ctx, &key, sp->key, 33));
    BENCH_CHECK(secp256k1_ecdsa_signature_parse_der(ctx, &sig, sp->sigs[i],
                                                    sp->items[i][0].len - 1));
    BENCH_CHECK(secp256k1_ecdsa_verify(ctx, &sig, sp->hash[i], &key));
}

static void raw_ecdsa(void *state) { raw_ecdsa_input(state, 0); }

static void raw_schnorr(void *state)
{
    const secp256k1_context *ctx = secp256k1_context_static;
    const struct spend *sp = state;
    secp256k1_xonly_pubkey key;

    BENCH_CHECK(secp256k1_xonly_pubkey_parse(ctx, &key, sp->xonly));
    BENCH_CHECK(
        secp256k1_schnorrsig_verify(ctx, sp->sigs[0], sp->hash[0], 32, &key));
}

static void raw_schnorr_tweak(void *state)
{
    const secp256k1_context *ctx = secp256k1_context_static;
    const struct spend *sp = state;
    uint8_t leaf_hash[32], tweak[32];
    secp256k1_xonly_pubkey key;

    raw_schnorr(state);
    cc_tapleaf_hash(leaf_hash, 0xc0, cc_bytes(sp->leaf, 34));
    cc_taptweak_hash(tweak, sp->xonly, leaf_hash);
    BENCH_CHECK(secp256k1_xonly_pubkey_parse(ctx, &key, sp->xonly));
    BENCH_CHECK(secp256k1_xonly_pubkey_tweak_add_check(
        ctx, sp->output + 2, sp->control[0] & 1, &key, tweak));
}

/* --- Connecting a block ------------------------------------------------ */

#define TXS 1000

struct connect {
    struct spend *spends; /* TXS */
    struct cc_block block;
    struct cc_coin (*coins)[INPUTS];
    struct cc_connect c;
};

static int64_t mtp(void *arg, uint32_t height)
{
    (void)arg;
    (void)height;
    return 1000;
}

static void write_coinbase(struct cc_writer *w)
{
    struct cc_txin in = {.prevout.index = UINT32_MAX,
                         .script_sig = cc_bytes("\2\xc8\0", 3)};
    struct cc_txout out = {.value = CC_COIN, .script = cc_bytes("\x51", 1)};
    struct cc_tx tx = {
        .vin = &in, .vin_count = 1, .vout = &out, .vout_count = 1};

    cc_tx_write(w, &tx, true);
}

static void *setup_connect(void)
{
    struct connect *c = cc_calloc(1, sizeof(*c));
    struct cc_header h = {.version = 4};
    struct cc_writer w;
    uint8_t *raw;
    size_t len;

    c->spends = cc_calloc(TXS, sizeof(*c->spends));
    c->coins = cc_calloc(TXS, sizeof(*c->coins));
    cc_writer_init_heap(&w);
    cc_header_write(&w, &h);
    cc_write_compact(&w, TXS + 1);
    write_coinbase(&w);
    for (size_t i = 0; i < TXS; i++) {
        make_spend(&c->spends[i], P2WPKH, INPUTS, i + 1);
        memcpy(c->coins[i], c->spends[i].coins, sizeof(c->coins[i]));
        cc_tx_write(&w, &c->spends[i].tx, true);
    }
    raw = cc_writer_take(&w, &len);
    BENCH_CHECK(cc_block_decode_take(&c->block, raw, len) == CC_OK);
    c->c.params = cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
    c->c.block = &c->block;
    c->c.place.height = 200;
    c->c.mtp = mtp;
    return c;
}

static void free_connect(void *state)
{
    struct connect *c = state;

    cc_block_clear(&c->block);
    free(c->spends);
    free(c->coins);
    free(c);
}

static void connect_block(struct connect *c, bool scripts)
{
    struct cc_storage_result r;
    struct cc_mint_state state;
    struct cc_sighash s;

    cc_connect_init(&c->c);
    for (size_t i = 0; i < TXS; i++) {
        const struct cc_tx *tx = &c->block.tx[i + 1];

        cc_storage_result_init(&r);
        BENCH_CHECK(cc_connect_tx(&c->c, tx, c->coins[i], &s, &r, NULL) ==
                    CC_OK);
        for (size_t j = 0; scripts && j < INPUTS; j++)
            BENCH_CHECK(cc_input_check(&s, j, c->c.flags, false, NULL) ==
                        CC_OK);
        cc_storage_result_clear(&r);
    }
    BENCH_CHECK(cc_connect_finish(&c->c, &state, NULL) == CC_OK);
}

static void run_connect(void *state) { connect_block(state, false); }

static void run_connect_scripts(void *state) { connect_block(state, true); }

static void raw_block_ecdsa(void *state)
{
    const struct connect *c = state;

    for (size_t i = 0; i < TXS; i++)
        for (size_t j = 0; j < INPUTS; j++)
            raw_ecdsa_input(&c->spends[i], j);
}

/* --- Typed coins ------------------------------------------------------- */

/* A case of storage_tx.json with the chain it stands on. */
struct typed {
    json_t *root;
    struct cc_storage_case spend;
    struct cc_params params;
    uint8_t (*hashes)[32];
    size_t hash_count;
    struct cc_storage_view view;
    struct cc_sighash s;
};

static const uint8_t *typed_hash(void *arg, uint32_t height)
{
    struct typed *t = arg;

    BENCH_CHECK(height < t->hash_count);
    return t->hashes[height];
}

static bool typed_state(void *arg, uint32_t height, struct cc_mint_state *out)
{
    struct typed *t = arg;
    char name[16];
    const json_t *v;

    snprintf(name, sizeof(name), "%u", (unsigned)height);
    v = json_object_get(json_object_get(t->root, "states"), name);
    if (!v)
        return false;
    out->pool = cc_test_int(v, "pool");
    out->claims = (uint32_t)cc_test_int(v, "n");
    out->ticket = cc_storage_test_u256(cc_test_string(v, "T"));
    return true;
}

static void *setup_typed(const char *why)
{
    struct typed *t = cc_calloc(1, sizeof(*t));
    const json_t *v, *row = NULL;
    size_t i;

    t->root = cc_test_load_json("storage_tx.json");
    if (!t->root) {
        free(t);
        return NULL;
    }
    json_array_foreach(json_object_get(t->root, "cases"), i,
                       v) if (!strcmp(cc_test_string(v, "why"), why)) row = v;
    BENCH_CHECK(row);
    t->params = *cc_params_get(CC_CHAIN_REGTEST);
    cc_test_unhex_into(t->params.genesis_hash, 32,
                       cc_test_string(t->root, "genesis"));
    v = json_object_get(t->root, "hashes");
    t->hash_count = json_array_size(v);
    t->hashes = cc_calloc(t->hash_count, 32);
    for (i = 0; i < t->hash_count; i++)
        cc_test_unhex_into(t->hashes[i], 32,
                           json_string_value(json_array_get(v, i)));
    cc_storage_case_load(&t->spend, row);
    t->view.params = &t->params;
    t->view.height = (uint32_t)cc_test_int(row, "h");
    t->view.hash = typed_hash;
    t->view.state = typed_state;
    t->view.arg = t;
    cc_sighash_init(&t->s, &t->spend.tx, t->spend.coins);
    return t;
}

static void *setup_prove1(void)
{
    return setup_typed("PROVE: two sectors, one sample");
}

static void *setup_prove16(void)
{
    return setup_typed("PROVE: one sector, sixteen samples");
}

static void *setup_claim(void)
{
    return setup_typed("CLAIM: first block after the draw");
}

static void free_typed(void *state)
{
    struct typed *t = state;

    cc_storage_case_clear(&t->spend);
    free(t->hashes);
    json_decref(t->root);
    free(t);
}

static void run_typed(void *state)
{
    struct typed *t = state;
    struct cc_storage_result r;

    cc_storage_result_init(&r);
    BENCH_CHECK(cc_storage_check(&r, &t->spend.tx, t->spend.coins, &t->s,
                                 &t->view, NULL) == CC_OK);
    for (size_t i = 0; i < r.job_count; i++)
        BENCH_CHECK(cc_storage_job_run(&r.jobs[i], &t->params, NULL) == CC_OK);
    cc_storage_result_clear(&r);
}

/* The dear part of main's CLAIM: its field is four times regtest's. */
struct leaf {
    uint8_t raw[CC_LEAF_SIZE], sealed[CC_LEAF_SIZE], key[32];
    uint8_t hashes[CC_SECTOR_LEAVES * 32], root[32];
    uint8_t path[12 * 32];
    struct cc_storage_job job;
    uint8_t proof[CC_LEAF_SIZE + 12 * 32];
};

static void *setup_leaf(void)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_MAIN);
    struct leaf *l = cc_calloc(1, sizeof(*l));

    bench_fill(l->raw, sizeof(l->raw), 4);
    bench_fill(l->key, sizeof(l->key), 5);
    bench_fill(l->hashes, sizeof(l->hashes), 6);
    cc_seal_leaf(l->sealed, l->raw, 77, l->key, p);
    cc_mtree_leaf(l->hashes + 32 * 77, l->raw, CC_LEAF_SIZE);
    cc_mtree_root(l->root, l->hashes, CC_SECTOR_LEAVES);
    memcpy(l->proof, l->sealed, CC_LEAF_SIZE);
    cc_mtree_path(l->proof + CC_LEAF_SIZE, l->hashes, CC_SECTOR_LEAVES, 77);
    l->job.kind = CC_JOB_UNSEAL;
    memcpy(l->job.key, l->key, 32);
    memcpy(l->job.root, l->root, 32);
    l->job.index = 77;
    l->job.leaves = CC_SECTOR_LEAVES;
    l->job.data = cc_bytes(l->proof, sizeof(l->proof));
    return l;
}

static void run_seal(void *state)
{
    struct leaf *l = state;
    uint8_t out[CC_LEAF_SIZE];

    cc_seal_leaf(out, l->raw, 77, l->key, cc_params_get(CC_CHAIN_MAIN));
}

static void run_unseal(void *state)
{
    struct leaf *l = state;
    uint8_t out[CC_LEAF_SIZE];

    cc_unseal_leaf(out, l->sealed, 77, l->key, cc_params_get(CC_CHAIN_MAIN));
}

static void run_claim_main(void *state)
{
    struct leaf *l = state;

    BENCH_CHECK(cc_storage_job_run(&l->job, cc_params_get(CC_CHAIN_MAIN),
                                   NULL) == CC_OK);
}

const struct bench bench_consensus[] = {
    {"block_decode", "decode block 413567, ids included", setup_block,
     run_decode, free_block, 1, "block", 999887, "OpenSSL's hashing of the ids",
     openssl_ids, 0, 0},
    {"block_check", "decode and fully check block 413567, no scripts",
     setup_block, run_check, free_block, 1, "block", 999887,
     "OpenSSL's hashing of the ids", openssl_ids, 2.7e6, 0},
    {"verify_p2wpkh", "script of a P2WPKH input, signature hash included",
     setup_p2wpkh, run_spend, free, 1, "input", 0, "libsecp256k1's ECDSA",
     raw_ecdsa, 0, 0},
    {"verify_p2tr_key", "a taproot input by its key", setup_p2tr_key, run_spend,
     free, 1, "input", 0, "libsecp256k1's Schnorr", raw_schnorr, 0, 0},
    {"verify_p2tr_script", "a taproot input by a script of one signature",
     setup_p2tr_script, run_spend, free, 1, "input", 0,
     "libsecp256k1's Schnorr and tweak", raw_schnorr_tweak, 0, 0},
    {"connect", "connect 1,000 transactions x 5 inputs, no scripts",
     setup_connect, run_connect, free_connect, TXS *INPUTS, "input", 0, NULL,
     NULL, 0, 0},
    {"connect_scripts", "the same with scripts, one thread", setup_connect,
     run_connect_scripts, free_connect, TXS *INPUTS, "input", 0,
     "libsecp256k1's ECDSA", raw_block_ecdsa, 0, 0},
    {"prove_1", "check a PROVE of one sample", setup_prove1, run_typed,
     free_typed, 1, "transaction", 0, NULL, NULL, 0, 0},
    {"prove_16", "check a PROVE of sixteen samples", setup_prove16, run_typed,
     free_typed, 1, "transaction", 0, NULL, NULL, 0, 0},
    {"claim", "check a CLAIM, regtest's field of 1,024 bits", setup_claim,
     run_typed, free_typed, 1, "transaction", 0, NULL, NULL, 0, 0},
    {"claim_proof", "unseal a leaf and follow its path, main's 4,096 bits",
     setup_leaf, run_claim_main, free, 1, "proof", 0, NULL, NULL, 0, 0},
    {"seal", "seal a leaf of 1 KiB, main's field", setup_leaf, run_seal, free,
     1, "leaf", CC_LEAF_SIZE, NULL, NULL, 0, 0},
    {"unseal", "unseal a leaf of 1 KiB, main's field", setup_leaf, run_unseal,
     free, 1, "leaf", CC_LEAF_SIZE, NULL, NULL, 0, 0},
};
const size_t bench_consensus_count =
    sizeof(bench_consensus) / sizeof(*bench_consensus);
