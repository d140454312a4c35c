/*
 * policy.h: what we relay and mine though a block might hold more.
 *
 * Bitcoin Core 27's standardness, number for number, so that a transaction
 * made for it is relayed here too. Pure functions; feerates are satoshi per
 * 1,000 virtual bytes. storage: params->storage_active.
 */
#ifndef CC_MEMPOOL_POLICY_H
#define CC_MEMPOOL_POLICY_H

#include "consensus/check.h"

#define CC_MAX_STANDARD_WEIGHT 400000
#define CC_MIN_STANDARD_NONWITNESS_SIZE 65
#define CC_MAX_STANDARD_SIGOPS_COST 16000
#define CC_BYTES_PER_SIGOP 20

struct cc_policy {
    bool storage;
    bool bare_multisig;
    size_t datacarrier_bytes; /* 0: none */
    cc_amount dust_feerate;
};

/* The transaction alone: "version", "tx-size", "scriptsig-size", ... */
enum cc_status cc_policy_check_tx(const struct cc_tx *tx,
                                  const struct cc_policy *policy,
                                  struct cc_error *err);
/* With what it spends: "bad-txns-nonstandard-inputs". */
enum cc_status cc_policy_check_inputs(const struct cc_tx *tx,
                                      const struct cc_coin *coins, bool storage,
                                      struct cc_error *err);
/* "bad-witness-nonstandard". */
enum cc_status cc_policy_check_witness(const struct cc_tx *tx,
                                       const struct cc_coin *coins,
                                       bool storage, struct cc_error *err);

/* Below this value, spending the output costs more than a third of it. */
cc_amount cc_policy_dust(const struct cc_txout *out, cc_amount feerate);
/* Virtual size; many sigops make a transaction larger than its bytes.
 * bytes_per_sigop: CC_BYTES_PER_SIGOP unless a user wants it otherwise. */
size_t cc_policy_vsize(size_t weight, int64_t sigop_cost,
                       unsigned bytes_per_sigop);
/* Fee of size at feerate, rounded up; at least 1 for a feerate above 0. */
cc_amount cc_feerate_fee(cc_amount feerate, size_t size);
/* Feerate of a fee, rounded towards zero. */
cc_amount cc_feerate_of(cc_amount fee, size_t size);
/* Does fee a for size a pay a higher rate than b? Exact. */
bool cc_feerate_above(cc_amount fee_a, size_t size_a, cc_amount fee_b,
                      size_t size_b);

#endif
