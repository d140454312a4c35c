/* register.c: the list of all families. */
#include "rpc/families.h"
#include "rpc/rpc.h"

void cc_rpc_register_all(struct cc_rpc *rpc, bool storage, bool wallet)
{
    cc_rpc_register_addresses(rpc, storage);
    cc_rpc_register_blockchain(rpc, storage);
    cc_rpc_register_blockfilter(rpc, storage);
    cc_rpc_register_blockstats(rpc, storage);
    cc_rpc_register_chain_control(rpc, storage);
    cc_rpc_register_coins(rpc, storage);
    cc_rpc_register_control(rpc, storage);
    cc_rpc_register_descriptor(rpc, storage);
    cc_rpc_register_dumpcoins(rpc, storage);
    cc_rpc_register_generate(rpc, storage);
    cc_rpc_register_mining(rpc, storage);
    cc_rpc_register_network(rpc, storage);
    cc_rpc_register_pool(rpc, storage);
    cc_rpc_register_rawcreate(rpc, storage);
    cc_rpc_register_rawpackage(rpc, storage);
    cc_rpc_register_rawsign(rpc, storage);
    cc_rpc_register_rawtransaction(rpc, storage);
    cc_rpc_register_scan(rpc, storage);
    cc_rpc_register_storage(rpc, storage);
    cc_rpc_register_txproof(rpc, storage);
    cc_rpc_register_util(rpc, storage);
    if (!wallet)
        return;
    cc_rpc_register_wallet_address(rpc, storage);
    cc_rpc_register_wallet_admin(rpc, storage);
    cc_rpc_register_wallet_coins(rpc, storage);
    cc_rpc_register_wallet_history(rpc, storage);
    cc_rpc_register_wallet_identity(rpc, storage);
    cc_rpc_register_wallet_raw(rpc, storage);
    cc_rpc_register_wallet_send(rpc, storage);
}
