/* rawtransaction.h: sending, for the wallet's calls too. */
#ifndef CC_RPC_RAWTRANSACTION_H
#define CC_RPC_RAWTRANSACTION_H

#include "consensus/tx.h"
#include "rpc/rpc.h"

/* Into the pool and to the peers: the txid, or NULL and Core's error.
 * max_feerate per 1,000 vbytes, 0: any. */
json_t *cc_rpc_broadcast(struct cc_rpc_call *call, const struct cc_tx *tx,
                         cc_amount max_feerate);

/* The transaction that createrawtransaction's arguments describe, without
 * signatures; false and Core's error. Members "data" and addresses. */
bool cc_rpc_construct(struct cc_rpc_call *call, const json_t *inputs,
                      const json_t *outputs, const json_t *locktime,
                      const json_t *replaceable, struct cc_tx *out);

/* {"hex","complete","errors"} of a transaction signed as far as it goes.
 * known: which coins were found. */
json_t *cc_rpc_sign_result(const struct cc_rpc_call *call,
                           const struct cc_tx *tx, const struct cc_coin *coins,
                           const bool *known);

#endif
