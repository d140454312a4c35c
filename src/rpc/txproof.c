/* blockchain: proofs that transactions are in a block (BIP 37). */
#include <stdlib.h>

#include "chain/txindex.h"
#include "consensus/merkleblock.h"
#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "util/hex.h"
#include "util/mem.h"

/* --- Making ------------------------------------------------------------ */

static json_t *write_proof(const struct cc_block *block, const bool *wanted)
{
    struct cc_writer w;
    json_t *v;

    cc_writer_init_heap(&w);
    cc_merkle_block_write(&w, block, wanted);
    v = cc_json_hex(cc_bytes(w.data, w.len));
    cc_writer_clear(&w);
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

static json_t *verify(struct cc_rpc_call *call, const struct cc_merkle_block *m)
{
    struct cc_chain *c = call->env->chain;
    struct cc_index_look look = {.active = false};
    const struct cc_index *i;
    json_t *list = json_array();
    uint8_t hash[32];

    cc_header_hash(hash, &m->header);
    i = cc_chain_find(c, hash);
    if (i)
        look = cc_chain_look(c, i);
    if (!look.active || look.tx_count == 0) {
        json_decref(list);
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "Block not found in chain");
    }
    if (look.tx_count != m->tx_count)
        return list;
    for (size_t k = 0; k < m->match_count; k++)
        json_array_append_new(list, cc_json_hash(m->matches[k]));
    return list;
}

static json_t *verifytxoutproof(struct cc_rpc_call *call)
{
    struct cc_merkle_block m;
    struct cc_reader r;
    uint8_t *data;
    size_t len;
    json_t *result;

    if (!cc_rpc_get_hex(call, cc_rpc_arg(call, 0), "proof", &data, &len))
        return NULL;
    cc_reader_init(&r, data, len);
    if (cc_merkle_block_read(&m, &r))
        result = verify(call, &m);
    else if (r.failed)
        result =
            cc_rpc_error(call, CC_RPC_MISC_ERROR, "the proof does not decode");
    else
        result = json_array();
    free(data);
    cc_merkle_block_clear(&m);
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
