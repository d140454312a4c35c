/* families.h: one function per family of calls; each registers its table. */
#ifndef CC_RPC_FAMILIES_H
#define CC_RPC_FAMILIES_H

#include <stdbool.h>

struct cc_rpc;

void cc_rpc_register_addresses(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_blockchain(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_blockfilter(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_blockstats(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_chain_control(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_coins(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_control(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_descriptor(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_dumpcoins(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_generate(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_mining(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_network(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_pool(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_rawtransaction(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_rawcreate(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_rawpackage(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_rawsign(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_scan(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_storage(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_txproof(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_util(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_wallet_address(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_wallet_admin(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_wallet_coins(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_wallet_history(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_wallet_identity(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_wallet_raw(struct cc_rpc *rpc, bool storage);
void cc_rpc_register_wallet_send(struct cc_rpc *rpc, bool storage);

#endif
