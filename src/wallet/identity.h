/*
 * identity.h: transactions about an identity (doc/protocol.md 2, 4.2).
 *
 * Each makes a finished, signed transaction, ready for cc_wallet_commit(). The
 * identity's key is a storage key of the wallet, whose secret must be at
 * hand: CC_INVALID with reason "locked" if it is not.
 */
#ifndef CC_WALLET_IDENTITY_H
#define CC_WALLET_IDENTITY_H

#include "wallet/wallet.h"

/* Output 0 forms the identity. record: as in the coin (checked by the
 * mempool); bond: the coin's value. feerate as in struct cc_spend. */
enum cc_status cc_wallet_identity_form(struct cc_wallet *w,
                                       const struct cc_wallet_key *key,
                                       struct cc_bytes record, cc_amount bond,
                                       cc_amount feerate, struct cc_built *out,
                                       struct cc_error *err);

/* UPDATE: coin at o is the present identity; its successor is output 0. */
enum cc_status
cc_wallet_identity_update(struct cc_wallet *w, const struct cc_wallet_key *key,
                          const struct cc_outpoint *o,
                          const struct cc_coin *coin, struct cc_bytes record,
                          cc_amount bond, cc_amount feerate,
                          struct cc_built *out, struct cc_error *err);

/* RETIRE: the bond, less the fee, goes to script. */
enum cc_status
cc_wallet_identity_retire(struct cc_wallet *w, const struct cc_wallet_key *key,
                          const struct cc_outpoint *o,
                          const struct cc_coin *coin, struct cc_bytes script,
                          cc_amount feerate, struct cc_built *out,
                          struct cc_error *err);

#endif
