/*
 * walletcall.h: what the families of wallet calls share.
 *
 * A handler that asks one wallet begins with cc_rpc_wallet(), which locks and
 * picks it, and ends with cc_rpc_wallet_end(). One that takes long only asks
 * for the name, cc_rpc_wallet_name(), and makes the "free" calls of
 * wallet/wallet.h.
 */
#ifndef CC_RPC_WALLETCALL_H
#define CC_RPC_WALLETCALL_H

#include "rpc/families.h"
#include "rpc/rpc.h"
#include "rpc/txjson.h"
#include "wallet/wallet.h"

/* The wallet of this call, locked; NULL with error and unlocked: none is
 * loaded, several are and none was named, or the named one is not there. */
struct cc_wallet *cc_rpc_wallet(struct cc_rpc_call *call);
void cc_rpc_wallet_end(struct cc_rpc_call *call);
/* Only its name, for free; NULL with error. Not locked. */
char *cc_rpc_wallet_name(struct cc_rpc_call *call);

/* False, with Core's error -13, while keys are locked. */
bool cc_rpc_wallet_unlocked(struct cc_rpc_call *call, struct cc_wallet *w);
/* A failure of the wallet floor as error: -13, -6 and so on by its reason, by
 * status, else `otherwise`. NULL. */
json_t *cc_rpc_wallet_error(struct cc_rpc_call *call, enum cc_status st,
                            const struct cc_error *err, int otherwise);

/* The address of a script of ours; "" if it has none. */
const char *cc_rpc_address(struct cc_rpc_call *call, struct cc_bytes script,
                           char out[CC_ADDRESS_MAX]);
/* The script of an address that a wallet is to pay or to look at; false with
 * error -5 that names it. */
bool cc_rpc_get_payee(struct cc_rpc_call *call, const char *address,
                      uint8_t script[CC_ADDRESS_SCRIPT_MAX], size_t *len);
/* A label out of argument i: false with error -11 for "*". Left out: "". */
bool cc_rpc_label(struct cc_rpc_call *call, size_t i, const char **out);
/* "tr([fingerprint/path]key)#checksum", "rawtr(key)#...", for free. */
char *cc_rpc_key_descriptor(struct cc_wallet *w,
                            const struct cc_wallet_key *key);
/* "tr([fingerprint/account]xpub/0/...)#checksum" of a whole chain of keys, for
 * free. */
char *cc_rpc_chain_descriptor(struct cc_rpc_call *call, struct cc_wallet *w,
                              enum cc_key_chain chain);
/* {"hash","height"} of the block that the wallet knows last. */
json_t *cc_rpc_last_processed(struct cc_wallet *w);

#endif
