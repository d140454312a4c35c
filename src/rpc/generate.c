/* Blocks made here and now, for chains where that is cheap. */
#include <stdlib.h>

#include "consensus/script.h"
#include "crypto/address.h"
#include "mempool/miner.h"
#include "rpc/descriptor.h"
#include "rpc/families.h"
#include "rpc/txjson.h"
#include "rpc/waiter.h"
#include "util/hex.h"
#include "util/mem.h"

#define DEFAULT_TRIES 1000000
#define MAX_GENERATED 1000000

/* A node that ends does not wait for a block. */
static bool is_ending(void *arg)
{
    const struct cc_rpc_call *call = arg;

    return cc_waiter_ending(call->env->waiter);
}

/* Mine one block on the tip and hand it to the chain. *found false: out of
 * tries. */
static bool mine_one(struct cc_rpc_call *call, struct cc_bytes script,
                     const struct cc_tx *txs, size_t count, bool exact,
                     bool submit, uint64_t *tries, struct cc_block *block,
                     bool *found)
{
    static const struct cc_tx none; /* an empty list is a list */
    const struct cc_mine_stop stop = {is_ending, call};
    struct cc_error err;
    enum cc_status st;
    bool is_new;

    cc_error_init(&err);
    if (exact && !txs)
        txs = &none;
    st = cc_generate(block, call->env->mempool, script, txs, count, tries,
                     &stop, &err);
    *found = st == CC_OK;
    if (st == CC_LIMIT)
        return true;
    if (st != CC_OK) {
        cc_rpc_error(call, CC_RPC_VERIFY_ERROR, "%s", err.text);
        return false;
    }
    if (!submit)
        return true;
    st = cc_chain_accept_block(call->env->chain, block, true, NULL, &is_new,
                               &err);
    if (st == CC_OK)
        return true;
    cc_block_clear(block);
    cc_rpc_error(call, CC_RPC_INTERNAL_ERROR,
                 "ProcessNewBlock, block not accepted");
    return false;
}

/* Many blocks in one call are made durable once, at its end. */
static json_t *generate_to(struct cc_rpc_call *call, struct cc_bytes script,
                           int blocks, uint64_t tries)
{
    struct cc_chain *chain = call->env->chain;
    json_t *hashes = json_array();
    struct cc_block block;
    struct cc_error err;
    bool found = true, ok = true;

    cc_error_init(&err);
    cc_chain_hold(chain);
    for (int i = 0; i < blocks && found && ok; i++) {
        if (cc_waiter_ending(call->env->waiter))
            break;
        ok = mine_one(call, script, NULL, 0, false, true, &tries, &block,
                      &found);
        if (ok && found) {
            json_array_append_new(hashes, cc_json_hash(block.hash));
            cc_block_clear(&block);
        }
    }
    if (cc_chain_release(chain, &err) != CC_OK && ok) {
        cc_rpc_error(call, CC_RPC_DATABASE_ERROR, "%s", err.text);
        ok = false;
    }
    if (ok)
        return hashes;
    json_decref(hashes);
    return NULL;
}

static bool get_counts(struct cc_rpc_call *call, int *blocks, uint64_t *tries)
{
    int n = DEFAULT_TRIES;

    if (!cc_rpc_get_int32(call, 0, blocks) || !cc_rpc_get_int32(call, 2, &n))
        return false;
    if (*blocks > MAX_GENERATED)
        *blocks = MAX_GENERATED;
    *tries = n < 0 ? UINT64_MAX : (uint64_t)n; /* as Core's -1: no end */
    return true;
}

static json_t *generatetoaddress(struct cc_rpc_call *call)
{
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    uint64_t tries;
    size_t len;
    int blocks = 0;

    if (!get_counts(call, &blocks, &tries) ||
        !cc_rpc_get_script(call, cc_rpc_str(call, 1, ""), script, &len))
        return NULL;
    return generate_to(call, cc_bytes(script, len), blocks, tries);
}

static json_t *generatetodescriptor(struct cc_rpc_call *call)
{
    uint64_t tries;
    uint8_t *script;
    size_t len;
    int blocks = 0;
    char *why;
    json_t *result;

    if (!get_counts(call, &blocks, &tries))
        return NULL;
    if (!cc_rpc_descriptor_script(call, cc_rpc_str(call, 1, ""), &why, &script,
                                  &len)) {
        if (why)
            cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY, "%s", why);
        free(why);
        return NULL;
    }
    result = generate_to(call, cc_bytes(script, len), blocks, tries);
    free(script);
    return result;
}

/* --- generateblock ----------------------------------------------------- */

/* One transaction: its id if it is in the pool, else its hex. */
static bool get_tx(struct cc_rpc_call *call, const json_t *v, struct cc_tx *out)
{
    const struct cc_mempool_entry *e;
    uint8_t txid[32];
    const char *s;

    if (!cc_rpc_get_str(call, v, &s))
        return false;
    if (cc_hex_decode_rev(txid, 32, s)) {
        cc_chain_lock(call->env->chain);
        e = cc_mempool_find(call->env->mempool, txid);
        if (e)
            cc_tx_copy(out, &e->tx);
        cc_chain_unlock(call->env->chain);
        if (e)
            return true;
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Transaction %s not in mempool.", s);
        return false;
    }
    if (cc_tx_from_hex(s, true, true, out))
        return true;
    cc_rpc_error(call, CC_RPC_DESERIALIZATION_ERROR,
                 "Transaction decode failed for %s. Make sure the tx has at "
                 "least one input.",
                 s);
    return false;
}

static json_t *block_result(const struct cc_block *block, bool submitted)
{
    json_t *o = json_object();

    cc_json_set_hash(o, "hash", block->hash);
    if (!submitted)
        cc_json_set(o, "hex", cc_json_hex(block->raw));
    return o;
}

static json_t *generateblock(struct cc_rpc_call *call)
{
    const json_t *list = cc_rpc_arg(call, 1);
    size_t n = json_array_size(list), have = 0;
    struct cc_tx *txs = cc_calloc(n + 1, sizeof(*txs));
    bool submit = cc_rpc_bool(call, 2, true), found = false;
    uint64_t tries = DEFAULT_TRIES;
    uint8_t fixed[CC_ADDRESS_SCRIPT_MAX], *script = NULL;
    struct cc_bytes pays;
    struct cc_block block;
    struct cc_error err;
    json_t *result = NULL;
    char *why = NULL;
    size_t len;

    if (cc_rpc_descriptor_script(call, cc_rpc_str(call, 0, ""), &why, &script,
                                 &len)) {
        pays = cc_bytes(script, len);
    } else if (!why) {
        goto out;
    } else if (cc_address_decode(fixed, &len, cc_rpc_str(call, 0, ""),
                                 &call->env->params->prefixes, NULL)) {
        pays = cc_bytes(fixed, len);
    } else {
        cc_rpc_error(call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Error: Invalid address or descriptor");
        goto out;
    }
    for (; have < n; have++)
        if (!get_tx(call, json_array_get(list, have), &txs[have]))
            goto out;
    if (!mine_one(call, pays, txs, n, true, submit, &tries, &block, &found))
        goto out;
    if (!found) {
        cc_rpc_error(call, CC_RPC_MISC_ERROR, "Failed to make block.");
        goto out;
    }
    cc_error_init(&err);
    if (submit && cc_chain_flush(call->env->chain, &err) != CC_OK)
        cc_rpc_error(call, CC_RPC_DATABASE_ERROR, "%s", err.text);
    else
        result = block_result(&block, submit);
    cc_block_clear(&block);
out:
    for (size_t i = 0; i < have; i++)
        cc_tx_clear(&txs[i]);
    free(txs);
    free(why);
    free(script);
    return result;
}

static json_t *generate(struct cc_rpc_call *call)
{
    return cc_rpc_error(call, CC_RPC_METHOD_NOT_FOUND,
                        "generate\n\nhas been replaced by the -generate cli "
                        "option. Refer to -help for more information.\n");
}

static const struct cc_rpc_arg to_address_args[] = {
    CC_ARG("nblocks", CC_RPC_NUM, NULL, "How many blocks are generated."),
    CC_ARG("address", CC_RPC_STR, NULL,
           "The address to send the newly generated coins to."),
    CC_ARG("maxtries", CC_RPC_NUM, "1000000", "How many iterations to try."),
};
static const struct cc_rpc_arg to_descriptor_args[] = {
    CC_ARG("num_blocks", CC_RPC_NUM, NULL, "How many blocks are generated."),
    CC_ARG("descriptor", CC_RPC_STR, NULL,
           "The descriptor to send the newly generated coins to."),
    CC_ARG("maxtries", CC_RPC_NUM, "1000000", "How many iterations to try."),
};
static const struct cc_rpc_arg block_args[] = {
    CC_ARG("output", CC_RPC_STR, NULL,
           "The address or descriptor to send the newly generated coins to."),
    CC_ARG_AS("transactions", CC_RPC_ARR, NULL,
              "An array of hex strings which are either txids or raw "
              "transactions, in the order of the block.",
              "[\"rawtx/txid\",...]"),
    CC_ARG("submit", CC_RPC_BOOL, "true",
           "Whether to submit the block before the RPC call returns or to "
           "return it as hex."),
};

static const struct cc_rpc_method methods[] = {
    {"hidden", "generateblock", generateblock, CC_RPC_ARGS(block_args),
     "Mine a set of ordered transactions to a specified address or descriptor "
     "and return the block hash.",
     "{...}    hash, and hex if it was not submitted", "\"myaddress\" '[]'",
     CC_RPC_HIDDEN},
    {"hidden", "generatetoaddress", generatetoaddress,
     CC_RPC_ARGS(to_address_args),
     "Mine to a specified address and return the block hashes.",
     "[...]    (json array) hashes of blocks generated", "11 \"myaddress\"",
     CC_RPC_HIDDEN},
    {"hidden", "generatetodescriptor", generatetodescriptor,
     CC_RPC_ARGS(to_descriptor_args),
     "Mine to a specified descriptor and return the block hashes.",
     "[...]    (json array) hashes of blocks generated",
     "11 \"addr(myaddress)\"", CC_RPC_HIDDEN},
    {"hidden", "generate", generate, CC_RPC_NO_ARGS,
     "has been replaced by the -generate cli option. Refer to -help for more "
     "information.",
     NULL, NULL, CC_RPC_HIDDEN},
};

void cc_rpc_register_generate(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
