#include "consensus/test/build.h"

#include "consensus/pow.h"
#include "consensus/script.h"
#include "crypto/hash.h"

#include <assert.h>
#include <string.h>

void cc_build_init(struct cc_build *b)
{
    memset(b, 0, sizeof(*b));
    cc_arena_init(&b->arena);
    b->header.version = 0x20000000;
    b->header.time = 1296688602 + 600;
    b->header.bits = 0x207fffff;
}

void cc_build_clear(struct cc_build *b) { cc_arena_clear(&b->arena); }

struct cc_tx *cc_build_tx(struct cc_build *b)
{
    struct cc_tx *tx = &b->tx[b->count++];

    assert(b->count <= CC_BUILD_TXS);
    memset(tx, 0, sizeof(*tx));
    tx->version = 2;
    return tx;
}

/* items with room for one more. */
static void *grown(struct cc_build *b, const void *items, size_t count,
                   size_t size)
{
    uint8_t *p = cc_arena_calloc(&b->arena, count + 1, size);

    if (count)
        memcpy(p, items, count * size);
    return p;
}

struct cc_txin *cc_build_in(struct cc_build *b, struct cc_tx *tx, uint8_t fill,
                            uint32_t index)
{
    struct cc_txin *in;

    tx->vin = grown(b, tx->vin, tx->vin_count, sizeof(*tx->vin));
    in = &tx->vin[tx->vin_count++];
    memset(in->prevout.txid, fill, sizeof(in->prevout.txid));
    in->prevout.index = index;
    in->sequence = CC_SEQUENCE_FINAL;
    return in;
}

struct cc_txout *cc_build_out(struct cc_build *b, struct cc_tx *tx,
                              cc_amount value, const void *script, size_t len)
{
    struct cc_txout *out;

    tx->vout = grown(b, tx->vout, tx->vout_count, sizeof(*tx->vout));
    out = &tx->vout[tx->vout_count++];
    out->value = value;
    out->script = cc_bytes(cc_arena_dup(&b->arena, script, len), len);
    return out;
}

void cc_build_witness(struct cc_build *b, struct cc_txin *in, const void *data,
                      size_t len)
{
    in->witness =
        grown(b, in->witness, in->witness_count, sizeof(*in->witness));
    in->witness[in->witness_count++] =
        cc_bytes(cc_arena_dup(&b->arena, data, len), len);
}

struct cc_bytes cc_build_fill(struct cc_build *b, uint8_t byte, size_t len)
{
    uint8_t *p = cc_arena_alloc(&b->arena, len ? len : 1);

    memset(p, byte, len);
    return cc_bytes(p, len);
}

struct cc_tx *cc_build_coinbase(struct cc_build *b, uint32_t height,
                                cc_amount value)
{
    struct cc_tx *tx = cc_build_tx(b);
    struct cc_txin *in = cc_build_in(b, tx, 0, UINT32_MAX);
    uint8_t buf[16];
    struct cc_writer w;

    cc_writer_init(&w, buf, sizeof(buf));
    cc_script_push_int(&w, height);
    cc_write_u8(&w, CC_OP_0); /* at least two bytes */
    in->script_sig = cc_bytes(cc_arena_dup(&b->arena, buf, w.len), w.len);
    cc_build_out(b, tx, value, "\x51", 1);
    return tx;
}

void cc_build_finish(struct cc_build *b)
{
    for (size_t i = 0; i < b->count; i++)
        cc_tx_finish(&b->tx[i]);
}

static void encode(struct cc_build *b, struct cc_writer *w)
{
    cc_writer_init_heap(w);
    cc_header_write(w, &b->header);
    cc_write_compact(w, b->count);
    for (size_t i = 0; i < b->count; i++)
        cc_tx_write(w, &b->tx[i], true);
}

static void add_commitment(struct cc_build *b)
{
    static const uint8_t head[6] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    uint8_t both[64] = {0}, script[38];
    struct cc_block block = {0};

    cc_build_witness(b, &b->tx[0].vin[0], both + 32, 32);
    cc_build_finish(b);
    block.tx = b->tx;
    block.tx_count = b->count;
    cc_block_witness_root(both, &block);
    memcpy(script, head, sizeof(head));
    cc_hash256(script + 6, both, sizeof(both));
    cc_build_out(b, &b->tx[0], 0, script, sizeof(script));
}

void cc_build_block(struct cc_build *b, struct cc_block *out)
{
    struct cc_writer w;
    enum cc_status st;

    if (b->commit && b->count > 0)
        add_commitment(b);
    cc_build_finish(b);
    if (!b->keep_root) {
        struct cc_block block = {0};

        block.tx = b->tx;
        block.tx_count = b->count;
        if (b->count > 0)
            cc_block_merkle_root(b->header.merkle_root, &block, NULL);
    }
    if (b->mine) {
        uint8_t hash[32];

        for (b->header.nonce = 0;; b->header.nonce++) {
            cc_header_hash(hash, &b->header);
            if (cc_pow_check(hash, b->header.bits, b->params))
                break;
        }
    }
    encode(b, &w);
    assert(!w.failed);
    st = cc_block_decode(out, w.data, w.len);
    cc_writer_clear(&w);
    assert(st == CC_OK);
    (void)st;
}
