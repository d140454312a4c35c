/*
 * check.h: the verdict on transactions and blocks.
 *
 * Three rounds, as in Core: what a block or transaction says by itself; what
 * its place in the chain of headers demands; what the coins it spends allow.
 * All pure; err's reason is Core's reject reason (one table: reject.h).
 */
#ifndef CC_CONSENSUS_CHECK_H
#define CC_CONSENSUS_CHECK_H

#include "consensus/block.h"
#include "consensus/interpreter.h"
#include "consensus/params.h"
#include "consensus/reject.h"
#include "consensus/storage.h"

/* --- Alone ------------------------------------------------------------ */

/* Core's CheckTransaction: "bad-txns-vin-empty", ... */
enum cc_status cc_tx_check(const struct cc_tx *tx, const struct cc_params *p,
                           struct cc_error *err);

enum {
    CC_CHECK_POW = 1,
    CC_CHECK_MERKLE = 2,
    CC_CHECK_ALL = 3,
};

/* Core's CheckBlock: work, Merkle root and mutation, size, one coinbase,
 * transactions, legacy sigops. */
enum cc_status cc_block_check(const struct cc_block *block,
                              const struct cc_params *p, unsigned flags,
                              struct cc_error *err);
enum cc_status cc_header_check(const struct cc_header *h,
                               const uint8_t hash[32],
                               const struct cc_params *p, struct cc_error *err);

/* --- In its place ------------------------------------------------------ */

/* How far a header's time may be ahead of our clock. */
#define CC_MAX_FUTURE_S 7200

/* What a block must know of the chain it extends. */
struct cc_place {
    uint32_t height;          /* of the block itself */
    int64_t prev_median_time; /* median of the 11 blocks up to prev */
    uint32_t prev_time, prev_bits;
    int64_t now; /* seconds; for "time-too-new" */
};

/* "bad-diffbits", "time-too-old", "time-too-new", "bad-version(0x...)". */
enum cc_status cc_header_check_place(const struct cc_header *h,
                                     const struct cc_params *p,
                                     const struct cc_place *place,
                                     struct cc_error *err);
/* Finality, BIP 34 height, witness commitment, weight. */
enum cc_status cc_block_check_place(const struct cc_block *block,
                                    const struct cc_params *p,
                                    const struct cc_place *place,
                                    struct cc_error *err);

/* nLockTime against height and time (BIP 113: prev_median_time). */
bool cc_tx_is_final(const struct cc_tx *tx, int64_t height, int64_t time);

/* BIP 68. For each input the height of its coin, and the median time past of
 * the block before that coin's, which mtp(arg, height - 1) tells. */
struct cc_sequence_lock {
    int64_t min_height, min_time; /* last at which it is still locked; -1 */
};
typedef int64_t (*cc_mtp_fn)(void *arg, uint32_t height);
/* Of a transaction of version 2 or above; others have no lock. */
struct cc_sequence_lock cc_tx_sequence_lock(const struct cc_tx *tx,
                                            const uint32_t *coin_heights,
                                            cc_mtp_fn mtp, void *arg);
bool cc_sequence_lock_holds(const struct cc_sequence_lock *lock,
                            uint32_t height, int64_t prev_median_time);

/* Script flags of the block at height. */
uint32_t cc_block_script_flags(const struct cc_params *p, uint32_t height);

/* --- With the coins ---------------------------------------------------- */

/* Core's CheckTxInputs: coins in order of vin, all there.
 * "bad-txns-premature-spend-of-coinbase", "bad-txns-inputvalues-outofrange",
 * "bad-txns-in-belowout". Where storage is active, *fee of a transaction with
 * typed inputs may come out negative: what they mint is not counted here. */
enum cc_status cc_tx_check_coins(cc_amount *fee, const struct cc_tx *tx,
                                 const struct cc_coin *coins, uint32_t height,
                                 const struct cc_params *p,
                                 struct cc_error *err);
/* The same, and where storage is active the rules of typed coins (view, and r
 * inited, are used there only): all that coins decide but scripts, jobs, locks
 * and sigops. *fee is final. For the pool and cc_connect_tx alike. */
enum cc_status cc_tx_check_spend(cc_amount *fee, const struct cc_tx *tx,
                                 const struct cc_coin *coins,
                                 const struct cc_sighash *s, uint32_t height,
                                 const struct cc_params *p,
                                 const struct cc_storage_view *view,
                                 struct cc_storage_result *r,
                                 struct cc_error *err);

/* Connecting a block, transaction by transaction in order. The caller finds
 * the coins (those made earlier in the block too) and reports a missing one
 * itself as "bad-txns-inputs-missingorspent". */
struct cc_connect {
    const struct cc_params *params;
    const struct cc_block *block;
    struct cc_place place;
    uint32_t flags;
    struct cc_storage_view view; /* used where storage is active */
    struct cc_mint_state prev_state;
    cc_mtp_fn mtp;
    void *mtp_arg;
    /* sums */
    cc_amount fees, minted, penalties;
    int64_t sigop_cost;
    uint32_t claims;
};

/* params, block, place, view, prev_state, mtp set by the caller before. Counts
 * the coinbase's sigops and finds the flags. */
void cc_connect_init(struct cc_connect *c);
/* Everything but the scripts and the heavy jobs of a transaction that is no
 * coinbase. s: filled by the callee for the jobs that follow. r: inited. A
 * block fixes its own branch, so every fault condemns it: the verdict is
 * CC_VERDICT_CONSENSUS whatever it would be for the transaction alone. */
enum cc_status cc_connect_tx(struct cc_connect *c, const struct cc_tx *tx,
                             const struct cc_coin *coins, struct cc_sighash *s,
                             struct cc_storage_result *r, struct cc_error *err);
/* The coinbase's amount ("bad-cb-amount") and the block's S; state is left
 * alone where storage is not active. */
enum cc_status cc_connect_finish(struct cc_connect *c,
                                 struct cc_mint_state *state,
                                 struct cc_error *err);

/* Script of one input; typed coins are judged by their jobs, not here.
 * "mandatory-script-verify-flag-failed (sentence)". */
enum cc_status cc_input_check(const struct cc_sighash *s, size_t index,
                              uint32_t flags, bool storage_active,
                              struct cc_error *err);

#endif
