/* blockchain.h: blocks as JSON, shared with the families beside. */
#ifndef CC_RPC_BLOCKCHAIN_H
#define CC_RPC_BLOCKCHAIN_H

#include "chain/chain.h"
#include "rpc/rpc.h"

/* Core's GetDifficulty: how much harder than difficulty 1. */
double cc_difficulty(uint32_t bits);
/* Big-endian hex of a number of 256 bits. */
json_t *cc_json_u256(const struct cc_u256 *v);
/* Confirmations of a block: 1 for the tip, -1 off the active chain. */
int64_t cc_confirmations(struct cc_chain *c, const struct cc_index *i);
json_t *cc_header_json(struct cc_chain *c, const struct cc_index *i);
/* The block that argument i names by hash; NULL and error if there is none. */
struct cc_index *cc_rpc_block_arg(struct cc_rpc_call *call, size_t i);
/* By hash or height; of the active chain only. */
struct cc_index *cc_rpc_hash_or_height(struct cc_rpc_call *call, size_t i);
/* Read from disk, or the error Core gives ("Block not found on disk"). */
bool cc_rpc_read_block(struct cc_rpc_call *call, const struct cc_index *i,
                       struct cc_block *out);

#endif
