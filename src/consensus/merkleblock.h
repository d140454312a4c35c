/*
 * merkleblock.h: a block's header and the part of its tree of txids that shows
 * that some transactions are in it.
 *
 * Source: BIP 37, "Partial Merkle branch format".
 */
#ifndef CC_CONSENSUS_MERKLEBLOCK_H
#define CC_CONSENSUS_MERKLEBLOCK_H

#include "consensus/block.h"

struct cc_merkle_block {
    struct cc_header header;
    size_t tx_count;
    uint8_t (*matches)[32]; /* the txids shown, in order */
    size_t match_count;
};

/* wanted: for each transaction, whether it is to be shown. */
void cc_merkle_block_write(struct cc_writer *w, const struct cc_block *block,
                           const bool *wanted);
/* Takes all of r, which says whether it decoded. False: it did not, or its
 * tree does not lead to the header's root. Clear in either case. */
bool cc_merkle_block_read(struct cc_merkle_block *out, struct cc_reader *r);
void cc_merkle_block_clear(struct cc_merkle_block *m);

#endif
