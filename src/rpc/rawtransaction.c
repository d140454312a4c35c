/* rawtransactions: looking at transactions, and sending them. Making and
 * signing them: rawcreate.c, rawsign.c. */
#include <stdlib.h>

#include "chain/txindex.h"
#include "consensus/block.h"
#include "consensus/script.h"
#include "crypto/address.h"
#include "crypto/hash.h"
#include "mempool/mempool.h"
#include "net/net.h"
#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "rpc/pool.h"
#include "rpc/rawtransaction.h"
#include "rpc/txjson.h"
#include "util/hex.h"
#include "util/mem.h"

#define DEFAULT_MAX_FEERATE (CC_COIN / 10)
#define CODE_TX_ERROR CC_RPC_VERIFY_ERROR

/* --- Finding ----------------------------------------------------------- */

/* A transaction and where it was found. */
struct found {
    struct cc_tx tx;              /* a copy of its own */
    const struct cc_index *index; /* NULL: in the pool */
    struct cc_undo undo;
    const struct cc_tx_undo *tx_undo;
};

static void found_clear(struct found *f)
{
    cc_tx_clear(&f->tx);
    if (f->tx_undo)
        cc_undo_clear(&f->undo);
}

static bool find_in_pool(struct cc_rpc_call *call, const uint8_t txid[32],
                         struct cc_tx *out)
{
    const struct cc_mempool_entry *e;

    cc_chain_lock(call->env->chain);
    e = cc_mempool_find(call->env->mempool, txid);
    if (!e)
        e = cc_mempool_find_wtxid(call->env->mempool, txid);
    if (e)
        cc_tx_copy(out, &e->tx);
    cc_chain_unlock(call->env->chain);
    return e != NULL;
}

static bool find_in_block(struct cc_rpc_call *call, const struct cc_index *i,
                          const uint8_t txid[32], bool undo, struct found *f)
{
    struct cc_block block;
    bool ok = false;
    size_t at = 0;

    if (cc_chain_read_block(call->env->chain, i, &block, NULL) != CC_OK)
        return false;
    while (at < block.tx_count && memcmp(block.tx[at].txid, txid, 32) != 0)
        at++;
    if (at < block.tx_count) {
        ok = true;
        cc_tx_copy(&f->tx, &block.tx[at]);
        f->index = i;
        if (undo && at > 0 &&
            cc_chain_read_undo(call->env->chain, i, &f->undo, NULL) == CC_OK)
            f->tx_undo = &f->undo.tx[at - 1];
    }
    cc_block_clear(&block);
    return ok;
}

/* The block that -txindex names; NULL: none. */
static const struct cc_index *find_indexed(struct cc_rpc_call *call,
                                           const uint8_t txid[32])
{
    uint8_t hash[32];

    if (!call->env->txindex ||
        cc_txindex_find(call->env->txindex, txid, hash, NULL) != CC_OK)
        return NULL;
    return cc_chain_find(call->env->chain, hash);
}

static json_t *not_found(struct cc_rpc_call *call, const struct cc_index *i)
{
    const char *what;

    if (i && !(cc_chain_look(call->env->chain, i).status & CC_INDEX_DATA))
        return cc_rpc_error(call, CC_RPC_MISC_ERROR, "Block not available");
    what = i ? "No such transaction found in the provided block"
           : call->env->txindex
               ? "No such mempool or blockchain transaction"
               : "No such mempool transaction. Use -txindex or provide a block "
                 "hash to enable blockchain transaction queries";
    return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                        "%s. Use gettransaction for wallet transactions.",
                        what);
}

static json_t *found_json(struct cc_rpc_call *call, const struct found *f,
                          bool in_block_arg, int verbosity)
{
    struct cc_chain *c = call->env->chain;
    struct cc_tx_json_options o = {.undo = f->tx_undo,
                                   .prevout = verbosity >= 2};
    json_t *tx = cc_tx_json(&f->tx, call->env->params, &o), *all;

    if (in_block_arg) {
        all = json_object();
        cc_json_set_bool(all, "in_active_chain",
                         cc_chain_contains(c, f->index));
        json_object_update(all, tx);
        json_decref(tx);
        tx = all;
    }
    if (!f->index)
        return tx;
    cc_json_set_hash(tx, "blockhash", f->index->hash);
    if (cc_chain_contains(c, f->index)) {
        cc_json_set_int(tx, "confirmations", cc_confirmations(c, f->index));
        cc_json_set_int(tx, "time", f->index->header.time);
        cc_json_set_int(tx, "blocktime", f->index->header.time);
    } else {
        cc_json_set_int(tx, "confirmations", 0);
    }
    return tx;
}

static json_t *getrawtransaction(struct cc_rpc_call *call)
{
    struct cc_chain *c = call->env->chain;
    const json_t *verbose = cc_rpc_arg(call, 1);
    const struct cc_index *i = NULL;
    struct found f = {0};
    uint8_t txid[32], hash[32];
    json_t *result;
    int verbosity = json_is_true(verbose) ? 1 : 0;
    bool ok;

    if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "parameter 1", txid))
        return NULL;
    if (!memcmp(txid, cc_chain_genesis(c)->header.merkle_root, 32))
        return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                            "The genesis block coinbase is not considered an "
                            "ordinary transaction and cannot be retrieved");
    if (!json_is_boolean(verbose) && !cc_rpc_get_int32(call, 1, &verbosity))
        return NULL;
    if (cc_rpc_arg(call, 2)) {
        if (!cc_rpc_get_hash(call, cc_rpc_arg(call, 2), "parameter 3", hash))
            return NULL;
        i = cc_chain_find(c, hash);
        if (!i)
            return cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                                "Block hash not found");
    }
    ok = i ? find_in_block(call, i, txid, verbosity >= 2, &f)
           : find_in_pool(call, txid, &f.tx);
    if (!ok && !i) {
        const struct cc_index *at = find_indexed(call, txid);

        ok = at && find_in_block(call, at, txid, verbosity >= 2, &f);
    }
    if (!ok)
        return not_found(call, i);
    result = verbosity <= 0 ? cc_tx_hex(&f.tx)
                            : found_json(call, &f, i != NULL, verbosity);
    found_clear(&f);
    return result;
}

/* --- Decoding ---------------------------------------------------------- */

static json_t *decoderawtransaction(struct cc_rpc_call *call)
{
    const json_t *witness = cc_rpc_arg(call, 1);
    struct cc_tx_json_options o = {.no_hex = true};
    struct cc_tx tx;
    json_t *result;

    if (!cc_tx_from_hex(cc_rpc_str(call, 0, ""),
                        !witness || !json_is_true(witness),
                        !witness || json_is_true(witness), &tx))
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                            "TX decode failed");
    result = cc_tx_json(&tx, call->env->params, &o);
    cc_tx_clear(&tx);
    return result;
}

/* Could this script stand behind a P2SH or P2WSH hash? */
static bool can_wrap(struct cc_bytes script, enum cc_script_type type)
{
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    switch (type) {
    case CC_SCRIPT_MULTISIG:
    case CC_SCRIPT_NONSTANDARD:
    case CC_SCRIPT_PUBKEY:
    case CC_SCRIPT_PUBKEYHASH:
    case CC_SCRIPT_WITNESS_V0_KEYHASH:
    case CC_SCRIPT_WITNESS_V0_SCRIPTHASH:
        break;
    case CC_SCRIPT_NULL_DATA:
    case CC_SCRIPT_SCRIPTHASH:
    case CC_SCRIPT_WITNESS_UNKNOWN:
    case CC_SCRIPT_WITNESS_V1_TAPROOT:
    case CC_SCRIPT_STORAGE:
        return false;
    }
    if (cc_script_is_unspendable(script))
        return false;
    while (pos < script.len) {
        if (!cc_script_next(script, &pos, &op, &push) ||
            push.len > CC_MAX_SCRIPT_ELEMENT_SIZE)
            return false;
        /* CHECKSIGADD, and what is OP_SUCCESSx in tapscript (BIP 342) */
        if (op == CC_OP_CHECKSIGADD || op == 80 || op == 98 ||
            (op >= 126 && op <= 129) || (op >= 131 && op <= 134) ||
            (op >= 137 && op <= 138) || (op >= 141 && op <= 142) ||
            (op >= 149 && op <= 153) || op >= 187)
            return false;
    }
    return true;
}

static bool can_wrap_witness(enum cc_script_type type,
                             const struct cc_bytes *sols, size_t count)
{
    if (type == CC_SCRIPT_NONSTANDARD || type == CC_SCRIPT_PUBKEYHASH)
        return true;
    if (type != CC_SCRIPT_MULTISIG && type != CC_SCRIPT_PUBKEY)
        return false;
    for (size_t i = 0; i < count; i++)
        if (sols[i].len != 1 && sols[i].len != 33)
            return false;
    return true;
}

static size_t p2sh_script(uint8_t out[23], struct cc_bytes redeem)
{
    out[0] = CC_OP_HASH160;
    out[1] = 20;
    cc_hash160(out + 2, redeem.data, redeem.len);
    out[22] = CC_OP_EQUAL;
    return 23;
}

static void set_p2sh(json_t *o, const char *key, struct cc_bytes redeem,
                     const struct cc_params *p)
{
    char text[CC_ADDRESS_MAX];
    uint8_t script[23];
    size_t len = p2sh_script(script, redeem);

    if (cc_address_encode(text, script, len, &p->prefixes))
        cc_json_set_str(o, key, text);
}

static json_t *segwit_json(struct cc_bytes script, enum cc_script_type type,
                           const struct cc_bytes *sols,
                           const struct cc_params *p)
{
    uint8_t program[34] = {0};
    size_t len = 22;
    json_t *o;

    program[1] = 20;
    if (type == CC_SCRIPT_PUBKEY) {
        cc_hash160(program + 2, sols[0].data, sols[0].len);
    } else if (type == CC_SCRIPT_PUBKEYHASH) {
        memcpy(program + 2, sols[0].data, 20);
    } else {
        program[1] = 32;
        cc_sha256_once(program + 2, script.data, script.len);
        len = 34;
    }
    o = json_object();
    cc_script_json_into(o, cc_bytes(program, len), script, p, true, true);
    set_p2sh(o, "p2sh-segwit", cc_bytes(program, len), p);
    return o;
}

static json_t *decodescript(struct cc_rpc_call *call)
{
    const struct cc_params *p = call->env->params;
    const char *hex = cc_rpc_str(call, 0, "");
    struct cc_bytes script, sols[22];
    enum cc_script_type type;
    uint8_t *data = NULL;
    size_t len = 0, count;
    json_t *o;

    if (*hex &&
        !cc_rpc_get_hex(call, cc_rpc_arg(call, 0), "argument", &data, &len))
        return NULL;
    script = cc_bytes(data, len);
    type = cc_script_solve(script, p->storage_active, sols, &count);
    o = json_object();
    cc_script_json_into(o, script, cc_bytes(NULL, 0), p, false, true);
    if (can_wrap(script, type)) {
        set_p2sh(o, "p2sh", script, p);
        if (can_wrap_witness(type, sols, count))
            cc_json_set(o, "segwit", segwit_json(script, type, sols, p));
    }
    free(data);
    return o;
}

/* --- Sending ----------------------------------------------------------- */

bool cc_rpc_max_feerate(struct cc_rpc_call *call, size_t arg, cc_amount *out)
{
    *out = DEFAULT_MAX_FEERATE;
    if (!cc_rpc_get_amount(call, cc_rpc_arg(call, arg), out))
        return false;
    if (*out < CC_COIN)
        return true;
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                 "Fee rates larger than or equal to 1%s/kvB are not accepted",
                 call->env->params->storage_active ? "CLC" : "BTC");
    return false;
}

static size_t virtual_size(const struct cc_tx *tx)
{
    return (cc_tx_weight(tx) + 3) / 4;
}

cc_amount cc_rpc_max_fee(cc_amount feerate, size_t vsize)
{
    return (feerate * (cc_amount)vsize + 999) / 1000;
}

/* Is one of its outputs unspent on the chain? Then it is in a block. */
static bool in_chain(struct cc_rpc_call *call, const struct cc_tx *tx)
{
    struct cc_outpoint o;
    struct cc_coin coin;
    struct cc_arena arena;
    bool found = false;

    memcpy(o.txid, tx->txid, 32);
    cc_arena_init(&arena);
    for (o.index = 0; o.index < tx->vout_count && !found; o.index++)
        found =
            cc_chain_coin(call->env->chain, &o, &coin, &arena, NULL) == CC_OK;
    cc_arena_clear(&arena);
    return found;
}

static bool has_valid_ops(struct cc_bytes script)
{
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    while (pos < script.len)
        if (!cc_script_next(script, &pos, &op, &push) || op > CC_OP_NOP10 ||
            push.len > CC_MAX_SCRIPT_ELEMENT_SIZE)
            return false;
    return true;
}

/* Value that nobody can ever spend again. */
static bool check_burn(struct cc_rpc_call *call, const struct cc_tx *tx,
                       cc_amount max)
{
    bool storage = call->env->params->storage_active;

    for (size_t i = 0; i < tx->vout_count; i++) {
        struct cc_bytes s = tx->vout[i].script;
        bool typed = storage && s.len && s.data[0] == CC_OP_STORAGE;

        if (!typed && tx->vout[i].value > max &&
            (cc_script_is_unspendable(s) || !has_valid_ops(s))) {
            cc_rpc_error(call, CODE_TX_ERROR,
                         "Unspendable output exceeds maximum configured by "
                         "user (maxburnamount)");
            return false;
        }
    }
    return true;
}

static json_t *rejected(struct cc_rpc_call *call, enum cc_status st,
                        const struct cc_error *err)
{
    if (st != CC_INVALID)
        return cc_rpc_error(call, CODE_TX_ERROR, "%s", err->text);
    if (err->verdict == CC_VERDICT_MISSING_INPUTS)
        return cc_rpc_error(call, CODE_TX_ERROR,
                            "bad-txns-inputs-missingorspent");
    return cc_rpc_error(call, CC_RPC_VERIFY_REJECTED, "%s", err->text);
}

json_t *cc_rpc_broadcast(struct cc_rpc_call *call, const struct cc_tx *tx,
                         cc_amount max_feerate)
{
    struct cc_mempool *m = call->env->mempool;
    struct cc_mempool_accept accept = {0};
    struct cc_error err;
    enum cc_status st = CC_OK;
    json_t *result = NULL;
    const struct cc_mempool_entry *known;

    cc_error_init(&err);
    cc_chain_lock(call->env->chain);
    known = cc_mempool_find(m, tx->txid);
    if (!known && in_chain(call, tx)) {
        cc_rpc_error(call, CC_RPC_VERIFY_ALREADY_IN_CHAIN,
                     "Transaction already in block chain");
        goto out;
    }
    if (!known && max_feerate > 0) {
        st = cc_mempool_add(m, tx, true, &accept, &err);
        if (st == CC_OK &&
            accept.fee > cc_rpc_max_fee(max_feerate, virtual_size(tx))) {
            cc_rpc_error(call, CODE_TX_ERROR,
                         "Fee exceeds maximum configured by user (e.g. "
                         "-maxtxfee, maxfeerate)");
            goto out;
        }
    }
    if (!known && st == CC_OK)
        st = cc_mempool_add(m, tx, false, &accept, &err);
    if (st != CC_OK) {
        rejected(call, st, &err);
        goto out;
    }
    if (call->env->net && known)
        cc_net_announce(call->env->net, tx->txid);
    else if (call->env->net)
        cc_net_broadcast(call->env->net, tx->txid);
    result = cc_json_hash(tx->txid);
out:
    cc_chain_unlock(call->env->chain);
    return result;
}

static json_t *sendrawtransaction(struct cc_rpc_call *call)
{
    cc_amount max_feerate, max_burn = 0;
    json_t *result = NULL;
    struct cc_tx tx;

    if (!cc_rpc_get_amount(call, cc_rpc_arg(call, 2), &max_burn))
        return NULL;
    if (!cc_tx_from_hex(cc_rpc_str(call, 0, ""), true, true, &tx))
        return cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                            "TX decode failed. Make sure the tx has at least "
                            "one input.");
    if (check_burn(call, &tx, max_burn) &&
        cc_rpc_max_feerate(call, 1, &max_feerate))
        result = cc_rpc_broadcast(call, &tx, max_feerate);
    cc_tx_clear(&tx);
    return result;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg get_args[] = {
    CC_ARG("txid", CC_RPC_HEX, NULL, "The transaction id"),
    CC_ARG("verbosity|verbose", CC_RPC_ANY, "0",
           "0 for hex-encoded data, 1 for a JSON object, and 2 for JSON "
           "object with fee and prevout"),
    CC_ARG("blockhash", CC_RPC_HEX, "",
           "The block in which to look for the transaction"),
};
static const struct cc_rpc_arg decode_args[] = {
    CC_ARG("hexstring", CC_RPC_HEX, NULL, "The transaction hex string"),
    CC_ARG("iswitness", CC_RPC_BOOL, "depends on heuristic tests",
           "Whether the transaction hex is a serialized witness transaction."),
};
static const struct cc_rpc_arg script_args[] = {
    CC_ARG("hexstring", CC_RPC_HEX, NULL, "the hex-encoded script"),
};
static const struct cc_rpc_arg send_args[] = {
    CC_ARG("hexstring", CC_RPC_HEX, NULL,
           "The hex string of the raw transaction"),
    CC_ARG("maxfeerate", CC_RPC_AMOUNT, "0.10",
           "Reject transactions whose fee rate is higher than the specified "
           "value, in coins per kvB.\nSet to 0 to accept any fee rate."),
    CC_ARG("maxburnamount", CC_RPC_AMOUNT, "0.00",
           "Reject transactions with provably unspendable outputs (e.g. "
           "'datacarrier' outputs that use the OP_RETURN opcode) of more than "
           "this value."),
};

static const struct cc_rpc_method methods[] = {
    {"rawtransactions", "decoderawtransaction", decoderawtransaction,
     CC_RPC_ARGS(decode_args),
     "Return a JSON object representing the serialized, hex-encoded "
     "transaction.",
     "{...}    txid, hash, version, size, vsize, weight, locktime, vin, vout",
     "\"hexstring\"", 0},
    {"rawtransactions", "decodescript", decodescript, CC_RPC_ARGS(script_args),
     "Decode a hex-encoded script.",
     "{...}    asm, desc, type, address, p2sh, segwit", "\"hexstring\"", 0},
    {"rawtransactions", "getrawtransaction", getrawtransaction,
     CC_RPC_ARGS(get_args),
     "Returns a transaction of the mempool, of the block that is named, or "
     "with -txindex of any block.",
     "\"hex\" or {...}    the transaction", "\"mytxid\" true", 0},
    {"rawtransactions", "sendrawtransaction", sendrawtransaction,
     CC_RPC_ARGS(send_args),
     "Submit a raw transaction (serialized, hex-encoded) to local node and "
     "network.",
     "\"hex\"    The transaction hash in hex", "\"signedhex\"", 0},
};

void cc_rpc_register_rawtransaction(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
