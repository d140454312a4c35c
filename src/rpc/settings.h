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
/* Load every wallet that is named there and not loaded yet. One whose file is
 * gone is skipped with a line in the log; any other fault, also of
 * settings.json, is an error. */
enum cc_status cc_settings_load_wallets(const char *chaindir,
                                        struct cc_wallets *wallets,
                                        struct cc_log *log,
                                        struct cc_error *err);

#endif
