#include "consensus/check.h"

#include "consensus/pow.h"
#include "util/hex.h"
#include "util/mem.h"

#include <stdlib.h>
#include <string.h>

/* --- Transactions ----------------------------------------------------------
 */

static enum cc_status check_outputs(const struct cc_tx *tx,
                                    const struct cc_params *p,
                                    struct cc_error *err)
{
    cc_amount sum = 0;

    for (size_t i = 0; i < tx->vout_count; i++) {
        cc_amount value = tx->vout[i].value;

        if (value < 0)
            return cc_reject_code(err, CC_REJECT_VOUT_NEGATIVE);
        if (value > p->max_money)
            return cc_reject_code(err, CC_REJECT_VOUT_TOOLARGE);
        if (!cc_amount_add(&sum, sum, value, p->max_money))
            return cc_reject_code(err, CC_REJECT_TXOUTTOTAL);
    }
    return CC_OK;
}

static int compare_prevouts(const void *a, const void *b)
{
    const struct cc_outpoint *x = a, *y = b;
    int order = memcmp(x->txid, y->txid, sizeof(x->txid));

    if (order)
        return order;
    return (x->index > y->index) - (x->index < y->index);
}

#define FEW_INPUTS 64

/* Few inputs, as nearly always: compare all pairs, by eight bytes first. */
static bool few_spend_twice(const struct cc_tx *tx)
{
    uint64_t keys[FEW_INPUTS];

    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_outpoint *o = &tx->vin[i].prevout;

        keys[i] = cc_get_u64le(o->txid) + o->index;
        for (size_t j = 0; j < i; j++)
            if (keys[i] == keys[j] && cc_outpoint_equal(o, &tx->vin[j].prevout))
                return true;
    }
    return false;
}

/* Many: sort a copy, so that a block full of inputs costs n log n. */
static bool many_spend_twice(const struct cc_tx *tx)
{
    struct cc_outpoint *sorted;
    bool twice = false;

    sorted = cc_reallocarray(NULL, tx->vin_count, sizeof(*sorted));
    for (size_t i = 0; i < tx->vin_count; i++)
        sorted[i] = tx->vin[i].prevout;
    qsort(sorted, tx->vin_count, sizeof(*sorted), compare_prevouts);
    for (size_t i = 1; i < tx->vin_count && !twice; i++)
        twice = cc_outpoint_equal(&sorted[i - 1], &sorted[i]);
    free(sorted);
    return twice;
}

static bool spends_twice(const struct cc_tx *tx)
{
    return tx->vin_count <= FEW_INPUTS ? few_spend_twice(tx)
                                       : many_spend_twice(tx);
}

static enum cc_status check_coinbase(const struct cc_tx *tx,
                                     const struct cc_params *p,
                                     struct cc_error *err)
{
    size_t len = tx->vin[0].script_sig.len;

    if (len < 2 || len > 100)
        return cc_reject_code(err, CC_REJECT_CB_LENGTH);
    if (!p->storage_active)
        return CC_OK;
    for (size_t i = 0; i < tx->vout_count; i++) {
        struct cc_bytes script = tx->vout[i].script;

        if (script.len > 0 && script.data[0] == CC_OP_STORAGE)
            return cc_reject_code(err, CC_REJECT_CB_TYPED);
    }
    return CC_OK;
}

enum cc_status cc_tx_check(const struct cc_tx *tx, const struct cc_params *p,
                           struct cc_error *err)
{
    enum cc_status st;

    if (tx->vin_count == 0)
        return cc_reject_code(err, CC_REJECT_VIN_EMPTY);
    if (tx->vout_count == 0)
        return cc_reject_code(err, CC_REJECT_VOUT_EMPTY);
    if (tx->stripped_size > CC_MAX_BLOCK_WEIGHT / CC_WITNESS_SCALE)
        return cc_reject_code(err, CC_REJECT_TX_OVERSIZE);
    st = check_outputs(tx, p, err);
    if (st != CC_OK)
        return st;
    /* CVE-2018-17144: connecting relies on this. */
    if (spends_twice(tx))
        return cc_reject_code(err, CC_REJECT_INPUTS_DUPLICATE);
    if (cc_tx_is_coinbase(tx))
        return check_coinbase(tx, p, err);
    for (size_t i = 0; i < tx->vin_count; i++)
        if (cc_outpoint_is_null(&tx->vin[i].prevout))
            return cc_reject_code(err, CC_REJECT_PREVOUT_NULL);
    return CC_OK;
}

/* --- Blocks ----------------------------------------------------------------
 */

enum cc_status cc_header_check(const struct cc_header *h,
                               const uint8_t hash[32],
                               const struct cc_params *p, struct cc_error *err)
{
    if (!cc_pow_check(hash, h->bits, p))
        return cc_reject_code(err, CC_REJECT_HIGH_HASH);
    return CC_OK;
}

static enum cc_status check_merkle(const struct cc_block *block,
                                   struct cc_error *err)
{
    uint8_t root[32];
    bool mutated;

    cc_block_merkle_root(root, block, &mutated);
    if (memcmp(root, block->header.merkle_root, sizeof(root)) != 0)
        return cc_reject_code(err, CC_REJECT_MERKLE_ROOT);
    /* Another list of transactions has this root: it says nothing about the
     * hash (CVE-2012-2459). */
    if (mutated)
        return cc_reject_code(err, CC_REJECT_TXNS_DUPLICATE);
    return CC_OK;
}

static enum cc_status check_txs(const struct cc_block *block,
                                const struct cc_params *p, struct cc_error *err)
{
    for (size_t i = 0; i < block->tx_count; i++) {
        const struct cc_tx *tx = &block->tx[i];
        struct cc_error fault;
        char txid[65], detail[128] = "Transaction check failed (tx hash ";

        if (cc_tx_check(tx, p, &fault) == CC_OK)
            continue;
        cc_hex_encode_rev(txid, tx->txid, sizeof(tx->txid));
        strcat(detail, txid);
        strcat(detail, ") ");
        return cc_reject(err, CC_VERDICT_CONSENSUS, fault.reason, detail);
    }
    return CC_OK;
}

enum cc_status cc_block_check(const struct cc_block *block,
                              const struct cc_params *p, unsigned flags,
                              struct cc_error *err)
{
    const size_t max_size = CC_MAX_BLOCK_WEIGHT / CC_WITNESS_SCALE;
    uint64_t sigops = 0;
    enum cc_status st;

    if (flags & CC_CHECK_POW) {
        st = cc_header_check(&block->header, block->hash, p, err);
        if (st != CC_OK)
            return st;
    }
    if (flags & CC_CHECK_MERKLE) {
        st = check_merkle(block, err);
        if (st != CC_OK)
            return st;
    }
    if (block->tx_count == 0 || block->tx_count > max_size ||
        block->stripped_size > max_size)
        return cc_reject_code(err, CC_REJECT_BLK_LENGTH);
    if (!cc_tx_is_coinbase(&block->tx[0]))
        return cc_reject_code(err, CC_REJECT_CB_MISSING);
    for (size_t i = 1; i < block->tx_count; i++)
        if (cc_tx_is_coinbase(&block->tx[i]))
            return cc_reject_code(err, CC_REJECT_CB_MULTIPLE);
    st = check_txs(block, p, err);
    if (st != CC_OK)
        return st;
    for (size_t i = 0; i < block->tx_count; i++)
        sigops += cc_tx_legacy_sigops(&block->tx[i]);
    if (sigops * CC_WITNESS_SCALE > CC_MAX_BLOCK_SIGOPS_COST)
        return cc_reject_code(err, CC_REJECT_BLK_SIGOPS);
    return CC_OK;
}
