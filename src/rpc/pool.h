/* pool.h: the mempool's answers that other families give too. */
#ifndef CC_RPC_POOL_H
#define CC_RPC_POOL_H

#include "mempool/mempool.h"
#include "rpc/rpc.h"

/* -maxfeerate's meaning: coins per 1,000 vbytes, 0: no limit; default 0.10. */
bool cc_rpc_max_feerate(struct cc_rpc_call *call, size_t arg, cc_amount *out);
/* Of that size, rounded up. Feerates are below a coin, sizes below a block's:
 * no overflow. */
cc_amount cc_rpc_max_fee(cc_amount feerate, size_t vsize);

#endif
