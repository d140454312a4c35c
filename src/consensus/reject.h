/*
 * reject.h: every reason for which a block or transaction is refused.
 *
 * One table, Core's words: the stable reason, what kind of fault it is, and
 * the sentence behind it where it is always the same. Rows in between are our
 * own (storage). Policy's reasons stand here too, so that nobody invents a
 * second spelling; consensus itself uses the first groups only.
 */
#ifndef CC_CONSENSUS_REJECT_H
#define CC_CONSENSUS_REJECT_H

#include "util/error.h"

/* X(name, verdict, reason, detail) */
#define CC_REJECT_LIST(X)                                                      \
    /* a transaction alone */                                                  \
    X(VIN_EMPTY, CONSENSUS, "bad-txns-vin-empty", NULL)                        \
    X(VOUT_EMPTY, CONSENSUS, "bad-txns-vout-empty", NULL)                      \
    X(TX_OVERSIZE, CONSENSUS, "bad-txns-oversize", NULL)                       \
    X(VOUT_NEGATIVE, CONSENSUS, "bad-txns-vout-negative", NULL)                \
    X(VOUT_TOOLARGE, CONSENSUS, "bad-txns-vout-toolarge", NULL)                \
    X(TXOUTTOTAL, CONSENSUS, "bad-txns-txouttotal-toolarge", NULL)             \
    X(INPUTS_DUPLICATE, CONSENSUS, "bad-txns-inputs-duplicate", NULL)          \
    X(CB_LENGTH, CONSENSUS, "bad-cb-length", NULL)                             \
    X(PREVOUT_NULL, CONSENSUS, "bad-txns-prevout-null", NULL)                  \
    X(CB_TYPED, CONSENSUS, "bad-cb-storage", "typed output in coinbase")       \
    /* a block alone */                                                        \
    X(HIGH_HASH, HEADER, "high-hash", "proof of work failed")                  \
    X(MERKLE_ROOT, MUTATED, "bad-txnmrklroot", "hashMerkleRoot mismatch")      \
    X(TXNS_DUPLICATE, MUTATED, "bad-txns-duplicate", "duplicate transaction")  \
    X(BLK_LENGTH, CONSENSUS, "bad-blk-length", "size limits failed")           \
    X(CB_MISSING, CONSENSUS, "bad-cb-missing", "first tx is not coinbase")     \
    X(CB_MULTIPLE, CONSENSUS, "bad-cb-multiple", "more than one coinbase")     \
    X(BLK_SIGOPS, CONSENSUS, "bad-blk-sigops", "out-of-bounds SigOpCount")     \
    /* a block in its place */                                                 \
    X(DIFFBITS, HEADER, "bad-diffbits", "incorrect proof of work")             \
    X(TIME_TOO_OLD, HEADER, "time-too-old", "block's timestamp is too early")  \
    X(TIME_TOO_NEW, FUTURE, "time-too-new",                                    \
      "block timestamp too far in the future")                                 \
    X(PREV_NOT_FOUND, MISSING_PREV, "prev-blk-not-found", NULL)                \
    X(PREV_BAD, INVALID_PREV, "bad-prevblk", NULL)                             \
    X(BLK_NONFINAL, CONSENSUS, "bad-txns-nonfinal", "non-final transaction")   \
    X(CB_HEIGHT, CONSENSUS, "bad-cb-height",                                   \
      "block height mismatch in coinbase")                                     \
    X(WITNESS_NONCE, MUTATED, "bad-witness-nonce-size",                        \
      "CheckWitnessMalleation : invalid witness reserved value size")          \
    X(WITNESS_MERKLE, MUTATED, "bad-witness-merkle-match",                     \
      "CheckWitnessMalleation : witness merkle commitment mismatch")           \
    X(WITNESS_UNEXPECTED, MUTATED, "unexpected-witness",                       \
      "CheckWitnessMalleation : unexpected witness data found")                \
    X(BLK_WEIGHT, CONSENSUS, "bad-blk-weight",                                 \
      "ContextualCheckBlock : weight limit failed")                            \
    /* with the coins */                                                       \
    X(INPUTS_MISSING, MISSING_INPUTS, "bad-txns-inputs-missingorspent",        \
      "CheckTxInputs: inputs missing/spent")                                   \
    X(PREMATURE, PREMATURE, "bad-txns-premature-spend-of-coinbase", NULL)      \
    X(INPUTVALUES, CONSENSUS, "bad-txns-inputvalues-outofrange", NULL)         \
    X(IN_BELOWOUT, CONSENSUS, "bad-txns-in-belowout", NULL)                    \
    X(FEES_RANGE, CONSENSUS, "bad-txns-accumulated-fee-outofrange", NULL)      \
    X(SEQUENCE_LOCK, CONSENSUS, "bad-txns-nonfinal", NULL)                     \
    X(SIGOPS_COST, CONSENSUS, "bad-blk-sigops", NULL)                          \
    X(CB_AMOUNT, CONSENSUS, "bad-cb-amount", NULL)                             \
    X(BIP30, CONSENSUS, "bad-txns-BIP30", NULL)                                \
    /* typed coins; the sentence says which rule */                            \
    X(STORAGE_SCRIPT, CONSENSUS, "bad-storage-script", NULL)                   \
    X(STORAGE_TERMS, CONSENSUS, "bad-storage-terms", NULL)                     \
    X(STORAGE_WITNESS, CONSENSUS, "bad-storage-witness", NULL)                 \
    X(STORAGE_LIMIT, CONSENSUS, "bad-storage-limit", NULL)                     \
    X(STORAGE_ACTION, CONSENSUS, "bad-storage-action", NULL)                   \
    X(STORAGE_SUCCESSOR, CONSENSUS, "bad-storage-successor", NULL)             \
    X(STORAGE_CLAIM, CONSENSUS, "bad-storage-claim", NULL)                     \
    X(STORAGE_OWED, CONSENSUS, "bad-storage-owed", NULL)                       \
    X(STORAGE_SIGNATURE, CONSENSUS, "bad-storage-signature", NULL)             \
    X(STORAGE_PROOF, CONTEXT, "bad-storage-proof", NULL)                       \
    X(STORAGE_MINT, CONSENSUS, "bad-storage-mint", NULL)                       \
    /* policy: standardness */                                                 \
    X(COINBASE, CONSENSUS, "coinbase", NULL)                                   \
    X(VERSION, POLICY, "version", NULL)                                        \
    X(TX_SIZE, POLICY, "tx-size", NULL)                                        \
    X(TX_SIZE_SMALL, POLICY, "tx-size-small", NULL)                            \
    X(SCRIPTSIG_SIZE, POLICY, "scriptsig-size", NULL)                          \
    X(SCRIPTSIG_PUSH, POLICY, "scriptsig-not-pushonly", NULL)                  \
    X(SCRIPTPUBKEY, POLICY, "scriptpubkey", NULL)                              \
    X(BARE_MULTISIG, POLICY, "bare-multisig", NULL)                            \
    X(MULTI_OP_RETURN, POLICY, "multi-op-return", NULL)                        \
    X(DUST, POLICY, "dust", NULL)                                              \
    X(NONSTANDARD_INPUTS, POLICY, "bad-txns-nonstandard-inputs", NULL)         \
    X(WITNESS_NONSTANDARD, WITNESS, "bad-witness-nonstandard", NULL)           \
    X(TOO_MANY_SIGOPS, POLICY, "bad-txns-too-many-sigops", NULL)               \
    /* policy: the pool */                                                     \
    X(NON_FINAL, PREMATURE, "non-final", NULL)                                 \
    X(NON_BIP68_FINAL, PREMATURE, "non-BIP68-final", NULL)                     \
    X(IN_MEMPOOL, CONFLICT, "txn-already-in-mempool", NULL)                    \
    X(SAME_NONWITNESS, CONFLICT, "txn-same-nonwitness-data-in-mempool", NULL)  \
    X(MEMPOOL_CONFLICT, CONFLICT, "txn-mempool-conflict", NULL)                \
    X(ALREADY_KNOWN, CONFLICT, "txn-already-known", NULL)                      \
    X(MIN_RELAY_FEE, POLICY, "min relay fee not met", NULL)                    \
    X(MEMPOOL_MIN_FEE, FEE, "mempool min fee not met", NULL)                   \
    X(LONG_CHAIN, POLICY, "too-long-mempool-chain", NULL)                      \
    X(SPENDS_CONFLICTING, CONSENSUS, "bad-txns-spends-conflicting-tx", NULL)   \
    X(TOO_MANY_REPLACED, POLICY, "too many potential replacements", NULL)      \
    X(ADDS_UNCONFIRMED, POLICY, "replacement-adds-unconfirmed", NULL)          \
    X(INSUFFICIENT_FEE, POLICY, "insufficient fee", NULL)                      \
    X(MEMPOOL_FULL, FEE, "mempool full", NULL)                                 \
    /* policy: storage transactions */                                         \
    X(STORAGE_UNCONFIRMED, POLICY, "storage-unconfirmed-input",                \
      "a renter's one-sided action spends confirmed coins only")               \
    X(STORAGE_EXPIRES, POLICY, "storage-expires",                              \
      "expires before the transactions ahead of it can be mined")

enum cc_reject_code {
#define CC_REJECT_ENUM(name, verdict, reason, detail) CC_REJECT_##name,
    CC_REJECT_LIST(CC_REJECT_ENUM)
#undef CC_REJECT_ENUM
        CC_REJECT_COUNT
};

const char *cc_reject_reason(enum cc_reject_code code);

/* Fill err with the row and return CC_INVALID. */
enum cc_status cc_reject_code(struct cc_error *err, enum cc_reject_code code);
/* The same with a sentence that names what was found. */
enum cc_status cc_reject_detail(struct cc_error *err, enum cc_reject_code code,
                                const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
