/*
 * build.h: transactions and blocks made by hand, for tests.
 *
 * A struct cc_build holds a list of transactions, the first usually the
 * coinbase, and all their bytes. Tests bend what they like, then
 * cc_build_block finishes ids, commitment and Merkle root and decodes the
 * result as if it had come from a peer.
 */
#ifndef CC_CONSENSUS_TEST_BUILD_H
#define CC_CONSENSUS_TEST_BUILD_H

#include "consensus/block.h"
#include "consensus/params.h"

#define CC_BUILD_TXS 64

struct cc_build {
    struct cc_arena arena;
    struct cc_tx tx[CC_BUILD_TXS];
    size_t count;
    struct cc_header header;
    bool commit;    /* add BIP 141's commitment to the coinbase */
    bool keep_root; /* header.merkle_root is the test's */
    bool mine;      /* find a nonce that meets header.bits */
    const struct cc_params *params; /* for mine */
};

void cc_build_init(struct cc_build *b);
void cc_build_clear(struct cc_build *b);
/* Append a transaction of version 2 without inputs and outputs. */
struct cc_tx *cc_build_tx(struct cc_build *b);
/* An input that spends (txid of 32 bytes fill, index), final, no script. */
struct cc_txin *cc_build_in(struct cc_build *b, struct cc_tx *tx, uint8_t fill,
                            uint32_t index);
/* script is copied. */
struct cc_txout *cc_build_out(struct cc_build *b, struct cc_tx *tx,
                              cc_amount value, const void *script, size_t len);
void cc_build_witness(struct cc_build *b, struct cc_txin *in, const void *data,
                      size_t len);
/* len bytes of value byte, living as long as b. */
struct cc_bytes cc_build_fill(struct cc_build *b, uint8_t byte, size_t len);
/* Append a coinbase of that height (BIP 34) paying value to OP_TRUE. */
struct cc_tx *cc_build_coinbase(struct cc_build *b, uint32_t height,
                                cc_amount value);
/* Recompute ids and sizes of all transactions. */
void cc_build_finish(struct cc_build *b);
void cc_build_block(struct cc_build *b, struct cc_block *out);

#endif
