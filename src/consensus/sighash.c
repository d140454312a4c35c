/*
 * What a signature signs.
 *
 * Three algorithms. The original one hashes a changed copy of the whole
 * transaction per signature; it is streamed into the hasher here, and no copy
 * is made. BIP 143 and BIP 341 hash the parts that inputs share once, in
 * cc_sighash_init, so a signature costs the same however large the
 * transaction is.
 */
#include "consensus/interpreter.h"

#include "consensus/tap_midstate.h"
#include "crypto/hash.h"

static void hash_u8(struct cc_sha256 *c, uint8_t v)
{
    cc_sha256_update(c, &v, 1);
}

static void hash_u32(struct cc_sha256 *c, uint32_t v)
{
    uint8_t b[4];

    cc_put_u32le(b, v);
    cc_sha256_update(c, b, 4);
}

static void hash_compact(struct cc_sha256 *c, uint64_t v)
{
    struct cc_writer w;
    uint8_t b[9];

    cc_writer_init(&w, b, sizeof(b));
    cc_write_compact(&w, v);
    cc_sha256_update(c, b, w.len);
}

static void hash_outpoint(struct cc_sha256 *c, const struct cc_outpoint *o)
{
    uint8_t b[36];

    memcpy(b, o->txid, 32);
    cc_put_u32le(b + 32, o->index);
    cc_sha256_update(c, b, 36);
}

static void hash_txout(struct cc_sha256 *c, const struct cc_txout *out)
{
    uint8_t b[8];

    cc_put_u64le(b, (uint64_t)out->value);
    cc_sha256_update(c, b, 8);
    hash_compact(c, out->script.len);
    cc_sha256_update(c, out->script.data, out->script.len);
}

/* --- Shared hashes ----------------------------------------------------- */

static void hash_inputs(struct cc_sighash *s)
{
    struct cc_sha256 prevouts, sequences;

    cc_sha256_init(&prevouts);
    cc_sha256_init(&sequences);
    for (size_t i = 0; i < s->tx->vin_count; i++) {
        hash_outpoint(&prevouts, &s->tx->vin[i].prevout);
        hash_u32(&sequences, s->tx->vin[i].sequence);
    }
    cc_sha256_final(&prevouts, s->prevouts);
    cc_sha256_final(&sequences, s->sequences);
}

static void hash_coins(struct cc_sighash *s)
{
    struct cc_sha256 amounts, scripts;

    cc_sha256_init(&amounts);
    cc_sha256_init(&scripts);
    for (size_t i = 0; i < s->tx->vin_count; i++) {
        const struct cc_txout *out = &s->coins[i].out;
        uint8_t b[8];

        cc_put_u64le(b, (uint64_t)out->value);
        cc_sha256_update(&amounts, b, 8);
        hash_compact(&scripts, out->script.len);
        cc_sha256_update(&scripts, out->script.data, out->script.len);
    }
    cc_sha256_final(&amounts, s->amounts);
    cc_sha256_final(&scripts, s->scripts);
}

void cc_sighash_init(struct cc_sighash *s, const struct cc_tx *tx,
                     const struct cc_coin *coins)
{
    struct cc_sha256 c;

    memset(s, 0, sizeof(*s));
    s->tx = tx;
    s->coins = coins;
    hash_inputs(s);
    cc_sha256_init(&c);
    for (size_t i = 0; i < tx->vout_count; i++)
        hash_txout(&c, &tx->vout[i]);
    cc_sha256_final(&c, s->outputs);
    if (coins)
        hash_coins(s);
    cc_sha256_once(s->prevouts2, s->prevouts, 32);
    cc_sha256_once(s->sequences2, s->sequences, 32);
    cc_sha256_once(s->outputs2, s->outputs, 32);
}

/* --- The original algorithm -------------------------------------------- */

struct legacy {
    const struct cc_tx *tx;
    size_t index;
    struct cc_bytes code;
    bool none, single, anyone;
};

/* The script code without its OP_CODESEPARATORs. */
static void hash_code(struct cc_sha256 *c, struct cc_bytes code)
{
    size_t pos = 0, from = 0, separators = 0;
    struct cc_bytes push;
    uint8_t op;

    while (cc_script_next(code, &pos, &op, &push))
        separators += op == CC_OP_CODESEPARATOR;
    hash_compact(c, code.len - separators);
    pos = 0;
    while (separators && cc_script_next(code, &pos, &op, &push)) {
        if (op != CC_OP_CODESEPARATOR)
            continue;
        cc_sha256_update(c, code.data + from, pos - 1 - from);
        from = pos;
        separators--;
    }
    if (from < code.len)
        cc_sha256_update(c, code.data + from, code.len - from);
}

/* Other inputs keep their outpoints alone, and with SINGLE and NONE the
 * freedom to change their sequence. */
static void hash_legacy_input(struct cc_sha256 *c, const struct legacy *l,
                              size_t i)
{
    const struct cc_txin *in = &l->tx->vin[i];
    uint8_t b[41];

    if (i == l->index) {
        hash_outpoint(c, &in->prevout);
        hash_code(c, l->code);
        hash_u32(c, in->sequence);
        return;
    }
    memcpy(b, in->prevout.txid, 32);
    cc_put_u32le(b + 32, in->prevout.index);
    b[36] = 0; /* empty script */
    cc_put_u32le(b + 37, l->none || l->single ? 0 : in->sequence);
    cc_sha256_update(c, b, sizeof(b));
}

static void hash_legacy_outputs(struct cc_sha256 *c, const struct legacy *l)
{
    static const struct cc_txout blank = {.value = -1};
    size_t n = l->none ? 0 : l->single ? l->index + 1 : l->tx->vout_count;

    hash_compact(c, n);
    for (size_t i = 0; i < n; i++)
        hash_txout(c, l->single && i != l->index ? &blank : &l->tx->vout[i]);
}

void cc_sighash_legacy(uint8_t out[32], const struct cc_tx *tx, size_t index,
                       struct cc_bytes code, uint32_t type)
{
    struct legacy l = {
        .tx = tx,
        .index = index,
        .code = code,
        .none = (type & 0x1f) == CC_SIGHASH_NONE,
        .single = (type & 0x1f) == CC_SIGHASH_SINGLE,
        .anyone = type & CC_SIGHASH_ANYONECANPAY,
    };
    struct cc_sha256 c;

    /* No such input, or SINGLE without an output beside it: the original
     * client signed the number one, and so it is (sighash.json). */
    if (index >= tx->vin_count || (l.single && index >= tx->vout_count)) {
        memset(out, 0, 32);
        out[0] = 1;
        return;
    }
    cc_sha256_init(&c);
    hash_u32(&c, (uint32_t)tx->version);
    hash_compact(&c, l.anyone ? 1 : tx->vin_count);
    for (size_t i = l.anyone ? index : 0; i < tx->vin_count; i++) {
        hash_legacy_input(&c, &l, i);
        if (l.anyone)
            break;
    }
    hash_legacy_outputs(&c, &l);
    hash_u32(&c, tx->locktime);
    hash_u32(&c, type);
    cc_sha256_final2(&c, out);
}

/* --- BIP 143 ----------------------------------------------------------- */

void cc_sighash_v0(uint8_t out[32], const struct cc_sighash *s, size_t index,
                   struct cc_bytes code, uint32_t type, cc_amount value)
{
    static const uint8_t zero[32];
    const struct cc_tx *tx = s->tx;
    const struct cc_txin *in = &tx->vin[index];
    bool anyone = type & CC_SIGHASH_ANYONECANPAY;
    bool none = (type & 0x1f) == CC_SIGHASH_NONE;
    bool single = (type & 0x1f) == CC_SIGHASH_SINGLE;
    const uint8_t *outputs = none || single ? zero : s->outputs2;
    uint8_t one[32], amount[8];
    struct cc_sha256 c;

    if (single && index < tx->vout_count) {
        cc_sha256_init(&c);
        hash_txout(&c, &tx->vout[index]);
        cc_sha256_final2(&c, one);
        outputs = one;
    }
    cc_sha256_init(&c);
    hash_u32(&c, (uint32_t)tx->version);
    cc_sha256_update(&c, anyone ? zero : s->prevouts2, 32);
    cc_sha256_update(&c, anyone || none || single ? zero : s->sequences2, 32);
    hash_outpoint(&c, &in->prevout);
    hash_compact(&c, code.len);
    cc_sha256_update(&c, code.data, code.len);
    cc_put_u64le(amount, (uint64_t)value);
    cc_sha256_update(&c, amount, 8);
    hash_u32(&c, in->sequence);
    cc_sha256_update(&c, outputs, 32);
    hash_u32(&c, tx->locktime);
    hash_u32(&c, type);
    cc_sha256_final2(&c, out);
}

/* --- BIP 341 ----------------------------------------------------------- */

/* Longest SigMsg with its extension, but for the spent script that
 * ANYONECANPAY brings in. */
#define MSG_MAX 320

static bool type_exists(uint8_t type)
{
    return (type & ~CC_SIGHASH_ANYONECANPAY) <= CC_SIGHASH_SINGLE &&
           type != CC_SIGHASH_ANYONECANPAY;
}

static void write_msg(struct cc_writer *w, const struct cc_sighash *s,
                      size_t index, uint8_t type, uint8_t spend_type,
                      const uint8_t *annex_hash)
{
    const struct cc_tx *tx = s->tx;
    const struct cc_txin *in = &tx->vin[index];
    uint8_t outputs = type & 3;
    struct cc_sha256 c;
    uint8_t one[32];

    cc_write_u8(w, 0); /* epoch */
    cc_write_u8(w, type);
    cc_write_u32le(w, (uint32_t)tx->version);
    cc_write_u32le(w, tx->locktime);
    if (!(type & CC_SIGHASH_ANYONECANPAY)) {
        cc_write_bytes(w, s->prevouts, 32);
        cc_write_bytes(w, s->amounts, 32);
        cc_write_bytes(w, s->scripts, 32);
        cc_write_bytes(w, s->sequences, 32);
    }
    if (outputs == CC_SIGHASH_DEFAULT || outputs == CC_SIGHASH_ALL)
        cc_write_bytes(w, s->outputs, 32);
    cc_write_u8(w, spend_type);
    if (type & CC_SIGHASH_ANYONECANPAY) {
        cc_write_bytes(w, in->prevout.txid, 32);
        cc_write_u32le(w, in->prevout.index);
        cc_txout_write(w, &s->coins[index].out);
        cc_write_u32le(w, in->sequence);
    } else {
        cc_write_u32le(w, (uint32_t)index);
    }
    if (annex_hash)
        cc_write_bytes(w, annex_hash, 32);
    if (outputs == CC_SIGHASH_SINGLE) {
        cc_sha256_init(&c);
        hash_txout(&c, &tx->vout[index]);
        cc_sha256_final(&c, one);
        cc_write_bytes(w, one, 32);
    }
}

void cc_sighash_v1_msg(struct cc_writer *w, const struct cc_sighash *s,
                       size_t index, uint8_t type, uint8_t spend_type)
{
    write_msg(w, s, index, type, spend_type, NULL);
}

bool cc_sighash_v1(uint8_t out[32], const struct cc_sighash *s, size_t index,
                   uint8_t type, const struct cc_taproot_ctx *ctx)
{
    uint8_t buf[MSG_MAX], spend_type;
    struct cc_writer w;
    struct cc_sha256 c;

    if (!s->coins || !type_exists(type))
        return false;
    if ((type & 3) == CC_SIGHASH_SINGLE && index >= s->tx->vout_count)
        return false;
    if (type & CC_SIGHASH_ANYONECANPAY && s->coins[index].out.script.len > 64)
        cc_writer_init_heap(&w);
    else
        cc_writer_init(&w, buf, sizeof(buf));
    spend_type = (uint8_t)((ctx->tapscript ? 2 : 0) | (ctx->annex_hash != 0));
    write_msg(&w, s, index, type, spend_type, ctx->annex_hash);
    if (ctx->tapscript) {
        cc_write_bytes(&w, ctx->leaf_hash, 32);
        cc_write_u8(&w, 0); /* key version */
        cc_write_u32le(&w, ctx->codesep_pos);
    }
    tap_midstate_init(&c, TAP_SIGHASH);
    cc_sha256_update(&c, w.data, w.len);
    cc_sha256_final(&c, out);
    if (w.grows)
        cc_writer_clear(&w);
    return true;
}

/* --- Taproot trees ----------------------------------------------------- */

void cc_tapleaf_hash(uint8_t out[32], uint8_t version, struct cc_bytes script)
{
    struct cc_sha256 c;

    tap_midstate_init(&c, TAP_LEAF);
    hash_u8(&c, version);
    hash_compact(&c, script.len);
    cc_sha256_update(&c, script.data, script.len);
    cc_sha256_final(&c, out);
}

void cc_tap_root(uint8_t out[32], const uint8_t leaf[32], const uint8_t *path,
                 size_t count)
{
    struct cc_sha256 c;

    memmove(out, leaf, 32);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *node = path + 32 * i;
        bool first = memcmp(out, node, 32) < 0;

        tap_midstate_init(&c, TAP_BRANCH);
        cc_sha256_update(&c, first ? out : node, 32);
        cc_sha256_update(&c, first ? node : out, 32);
        cc_sha256_final(&c, out);
    }
}

void cc_taptweak_hash(uint8_t out[32], const uint8_t internal[32],
                      const uint8_t root[32])
{
    struct cc_sha256 c;

    tap_midstate_init(&c, TAP_TWEAK);
    cc_sha256_update(&c, internal, 32);
    if (root)
        cc_sha256_update(&c, root, 32);
    cc_sha256_final(&c, out);
}
