/*
 * settings.h: settings.json in the chain's folder: what calls decided for the
 * next start, as bitcoind keeps it. So far the wallets to load:
 *     { "wallet": ["a", "b"] }
 * Other members are kept as they are. Callers hold cc_wallets_lock() while
 * they change it.
 */
#ifndef CC_RPC_SETTINGS_H
#define CC_RPC_SETTINGS_H

#include "util/error.h"
#include "wallet/wallet.h"

/* Load this wallet at the next start, or do not. */
enum cc_status cc_settings_set_wallet(const char *chaindir, const char *name,
                                      bool load, struct cc_error *err);
/* Told of what is passed over. */
typedef void (*cc_warn_fn)(void *arg, const char *text);
/* Load a wallet at the start. One that does not exist or is loaded is passed
 * over; any other fault is an error. */
enum cc_status cc_settings_load_wallet(struct cc_wallets *wallets,
                                       const char *name, cc_warn_fn warn,
                                       void *arg, struct cc_error *err);
/* The same for all that are named there; a fault of settings.json is one. */
enum cc_status cc_settings_load_wallets(const char *chaindir,
                                        struct cc_wallets *wallets,
                                        cc_warn_fn warn, void *arg,
                                        struct cc_error *err);

#endif
