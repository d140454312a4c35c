/* blockchain: proofs that transactions are in a block (Bitcoin's CMerkleBlock:
 * header, number of transactions, hashes, and bits that say which way the
 * partial tree goes; BIP 37). */
#include <stdlib.h>

#include "chain/txindex.h"
#include "consensus/block.h"
#include "crypto/hash.h"
#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "util/hex.h"
#include "util/mem.h"

/* The tree over n leaves, walked from the root; leaves stand at level 0. */
struct partial {
    size_t n;
    const uint8_t *ids; /* making: all txids */
    const bool *wanted; /* making: which leaves to show */
    uint8_t (*hashes)[32];
    size_t hash_count, hash_at;
    uint8_t *bits; /* one a byte */
    size_t bit_count, bit_at;
    bool bad;
    /* reading: leaves shown */
    uint8_t (*matches)[32];
    size_t match_count;
};

static size_t width(const struct partial *p, unsigned level)
{
    return (p->n + ((size_t)1 << level) - 1) >> level;
}

static unsigned height(const struct partial *p)
{
    unsigned h = 0;

    while (width(p, h) > 1)
        h++;
    return h;
}

static void join(uint8_t out[32], const uint8_t left[32],
                 const uint8_t right[32])
{
    uint8_t both[64];

    memcpy(both, left, 32);
    memcpy(both + 32, right, 32);
    cc_hash256(out, both, 64);
}

/* --- Making ------------------------------------------------------------ */

static void subtree_hash(const struct partial *p, unsigned level, size_t at,
                         uint8_t out[32])
{
    uint8_t left[32], right[32];

    if (level == 0) {
        memcpy(out, p->ids + 32 * at, 32);
        return;
    }
    subtree_hash(p, level - 1, 2 * at, left);
    if (2 * at + 1 < width(p, level - 1))
        subtree_hash(p, level - 1, 2 * at + 1, right);
    else
        memcpy(right, left, 32);
    join(out, left, right);
}

static void build(struct partial *p, unsigned level, size_t at)
{
    bool inside = false;

    for (size_t i = at << level; i < (at + 1) << level && i < p->n; i++)
        inside = inside || p->wanted[i];
    p->bits[p->bit_count++] = inside;
    if (level == 0 || !inside) {
        subtree_hash(p, level, at, p->hashes[p->hash_count++]);
        return;
    }
    build(p, level - 1, 2 * at);
    if (2 * at + 1 < width(p, level - 1))
        build(p, level - 1, 2 * at + 1);
}

static json_t *write_proof(const struct cc_block *block, const bool *wanted)
{
    struct partial p = {.n = block->tx_count, .wanted = wanted};
    uint8_t *ids = cc_malloc(32 * p.n);
    struct cc_writer w;
    json_t *v;

    for (size_t i = 0; i < p.n; i++)
        memcpy(ids + 32 * i, block->tx[i].txid, 32);
    p.ids = ids;
    p.hashes = cc_reallocarray(NULL, 2 * p.n + 1, 32);
    p.bits = cc_malloc(2 * p.n + 64);
    build(&p, height(&p), 0);
    cc_writer_init_heap(&w);
    cc_header_write(&w, &block->header);
    cc_write_u32le(&w, (uint32_t)p.n);
    cc_write_compact(&w, p.hash_count);
    cc_write_bytes(&w, p.hashes, 32 * p.hash_count);
    cc_write_compact(&w, (p.bit_count + 7) / 8);
    for (size_t i = 0; i < p.bit_count; i += 8) {
        uint8_t byte = 0;

        for (size_t b = 0; b < 8 && i + b < p.bit_count; b++)
            byte |= (uint8_t)(p.bits[i + b] << b);
        cc_write_u8(&w, byte);
    }
    v = cc_json_hex(cc_bytes(w.data, w.len));
    cc_writer_clear(&w);
    free(ids);
    free(p.hashes);
    free(p.bits);
    return v;
}

/* Which block holds an unspent output of one of these; NULL: none known. */
static const struct cc_index *block_of(struct cc_rpc_call *call,
                                       const uint8_t (*ids)[32], size_t n)
{
    const struct cc_index *found = NULL;
    struct cc_arena arena;
    struct cc_coin coin;
    struct cc_outpoint o;
    uint8_t hash[32];

    if (call->env->txindex && n &&
        cc_txindex_find(call->env->txindex, ids[0], hash, NULL) == CC_OK)
        return cc_chain_find(call->env->chain, hash);
    cc_arena_init(&arena);
    for (size_t i = 0; i < n && !found; i++) {
        memcpy(o.txid, ids[i], 32);
        for (o.index = 0; o.index < 1000 && !found; o.index++)
            if (cc_chain_coin(call->env->chain, &o, &coin, &arena, NULL) ==
                CC_OK)
                found = cc_chain_at(call->env->chain, coin.height);
    }
    cc_arena_clear(&arena);
    return found;
}

static bool read_ids(struct cc_rpc_call *call, const json_t *list,
                     uint8_t (*ids)[32])
{
    size_t n = json_array_size(list);

    if (n == 0) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Parameter 'txids' cannot be empty");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!cc_rpc_get_hash(call, json_array_get(list, i), "txid", ids[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (!memcmp(ids[i], ids[j], 32)) {
                cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                             "Invalid parameter, duplicated txid: %s",
                             json_string_value(json_array_get(list, i)));
                return false;
            }
    }
    return true;
}

static json_t *prove(struct cc_rpc_call *call, const struct cc_index *i,
                     const uint8_t (*ids)[32], size_t n)
{
    struct cc_block block;
    json_t *result;
    size_t found = 0;
    bool *wanted;

    if (!cc_rpc_read_block(call, i, &block))
        return NULL;
    wanted = cc_calloc(block.tx_count + 1, sizeof(*wanted));
    for (size_t t = 0; t < block.tx_count; t++)
        for (size_t k = 0; k < n; k++)
            if (!memcmp(block.tx[t].txid, ids[k], 32)) {
                wanted[t] = true;
                found++;
            }
    if (found == n)
        result = write_proof(&block, wanted);
    else
        result = cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                              "Not all transactions found in specified or "
                              "retrieved block");
    free(wanted);
    cc_block_clear(&block);
    return result;
}

static json_t *gettxoutproof(struct cc_rpc_call *call)
{
    const json_t *list = cc_rpc_arg(call, 0);
    size_t n = json_array_size(list);
    uint8_t(*ids)[32] = cc_reallocarray(NULL, n + 1, 32);
    const struct cc_index *i = NULL;
    json_t *result = NULL;

    if (!read_ids(call, list, ids))
        goto out;
    if (cc_rpc_arg(call, 1)) {
        i = cc_rpc_block_arg(call, 1);
    } else {
        i = block_of(call, (const uint8_t(*)[32])ids, n);
        if (!i)
            cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                         "Transaction not yet in block");
    }
    if (i)
        result = prove(call, i, (const uint8_t(*)[32])ids, n);
out:
    free(ids);
    return result;
}

/* --- Reading ----------------------------------------------------------- */

static void walk(struct partial *p, unsigned level, size_t at, uint8_t out[32])
{
    uint8_t left[32], right[32];
    bool inside;

    memset(out, 0, 32);
    if (p->bit_at >= p->bit_count) {
        p->bad = true;
        return;
    }
    inside = p->bits[p->bit_at++];
    if (level == 0 || !inside) {
        if (p->hash_at >= p->hash_count) {
            p->bad = true;
            return;
        }
        memcpy(out, p->hashes[p->hash_at++], 32);
        if (level == 0 && inside)
            memcpy(p->matches[p->match_count++], out, 32);
        return;
    }
    walk(p, level - 1, 2 * at, left);
    if (2 * at + 1 < width(p, level - 1)) {
        walk(p, level - 1, 2 * at + 1, right);
        /* Equal halves would let one list stand for another. */
        p->bad = p->bad || !memcmp(left, right, 32);
    } else {
        memcpy(right, left, 32);
    }
    join(out, left, right);
}

/* False: it does not decode or is no proper tree. */
static bool read_proof(struct cc_reader *r, struct cc_header *header,
                       struct partial *p)
{
    uint8_t root[32];
    struct cc_bytes packed;
    size_t n;

    cc_header_read(r, header);
    p->n = cc_read_u32le(r);
    n = cc_read_count(r, 32);
    if (r->failed || p->n == 0 || p->n > CC_MAX_BLOCK_WEIGHT / 240 || n > p->n)
        return false;
    p->hashes = cc_reallocarray(NULL, n + 1, 32);
    p->hash_count = n;
    cc_read_bytes(r, p->hashes, 32 * n);
    packed = cc_read_var(r);
    if (!cc_reader_done(r) || packed.len > CC_MAX_BLOCK_WEIGHT)
        return false;
    p->bit_count = 8 * packed.len;
    if (p->bit_count < n)
        return false;
    p->bits = cc_malloc(p->bit_count + 1);
    for (size_t i = 0; i < p->bit_count; i++)
        p->bits[i] = packed.data[i / 8] >> (i % 8) & 1;
    p->matches = cc_reallocarray(NULL, n + 1, 32);
    walk(p, height(p), 0, root);
    return !p->bad && p->hash_at == p->hash_count &&
           (p->bit_at + 7) / 8 == packed.len &&
           !memcmp(root, header->merkle_root, 32);
}

static json_t *verify(struct cc_rpc_call *call, const struct cc_header *header,
                      const struct partial *p)
{
    struct cc_chain *c = call->env->chain;
    struct cc_index_look look = {.active = false};
    const struct cc_index *i;
    json_t *list = json_array();
    uint8_t hash[32];

    cc_header_hash(hash, header);
    i = cc_chain_find(c, hash);
    if (i)
        look = cc_chain_look(c, i);
    if (!look.active || look.tx_count == 0) {
        json_decref(list);
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "Block not found in chain");
    }
    if (look.tx_count != p->n)
        return list;
    for (size_t m = 0; m < p->match_count; m++)
        json_array_append_new(list, cc_json_hash(p->matches[m]));
    return list;
}

static json_t *verifytxoutproof(struct cc_rpc_call *call)
{
    struct partial p = {.n = 0};
    struct cc_header header;
    struct cc_reader r;
    uint8_t *data;
    size_t len;
    json_t *result;

    if (!cc_rpc_get_hex(call, cc_rpc_arg(call, 0), "proof", &data, &len))
        return NULL;
    cc_reader_init(&r, data, len);
    if (read_proof(&r, &header, &p))
        result = verify(call, &header, &p);
    else if (r.failed)
        result =
            cc_rpc_error(call, CC_RPC_MISC_ERROR, "the proof does not decode");
    else
        result = json_array();
    free(data);
    free(p.hashes);
    free(p.bits);
    free(p.matches);
    return result;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg prove_args[] = {
    CC_ARG_AS("txids", CC_RPC_ARR, NULL, "The txids to filter",
              "[\"txid\",...]"),
    CC_ARG("blockhash", CC_RPC_HEX, "",
           "If specified, looks for txid in the block with this hash"),
};
static const struct cc_rpc_arg verify_args[] = {
    CC_ARG("proof", CC_RPC_HEX, NULL,
           "The hex-encoded proof generated by gettxoutproof"),
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "gettxoutproof", gettxoutproof, CC_RPC_ARGS(prove_args),
     "Returns a hex-encoded proof that \"txid\" was included in a block.\n"
     "Without a block's hash it works only while an output of the transaction "
     "is unspent.",
     "\"hex\"    (string) serialized, hex-encoded data for the proof",
     "'[\"mytxid\"]'", 0},
    {"blockchain", "verifytxoutproof", verifytxoutproof,
     CC_RPC_ARGS(verify_args),
     "Verifies that a proof points to a transaction in a block, returning the "
     "transaction it commits to\nand throwing an RPC error if the block is not "
     "in our best chain",
     "[...]    the txids that the proof commits to, or empty array if the "
     "proof cannot be validated",
     "\"proof\"", 0},
};

void cc_rpc_register_txproof(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
