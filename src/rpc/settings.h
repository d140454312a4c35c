/*
 * settings.h: settings.json in the chain's folder: what calls decided for the
 * next start, as bitcoind keeps it. It holds any option, by name, with a JSON
 * value; calls write the wallets to load:
 *     { "wallet": ["a", "b"] }
 * Other members are kept as they are. Callers hold cc_wallets_lock() while
 * they change it.
 */
#ifndef CC_RPC_SETTINGS_H
#define CC_RPC_SETTINGS_H

#include "util/args.h"
#include "util/error.h"
#include "wallet/wallet.h"

/* Read the file, hand its members to args, and write it again with a word of
 * warning for who would edit it, which names the product. A file that is not
 * there is made. */
enum cc_status cc_settings_open(const char *path, const char *product,
                                struct cc_args *args, struct cc_error *err);
/* Load this wallet at the next start, or do not. path NULL: there is no file,
 * CC_NOTFOUND. */
enum cc_status cc_settings_set_wallet(const char *path, const char *name,
                                      bool load, struct cc_error *err);
/* Told of what is passed over. */
typedef void (*cc_warn_fn)(void *arg, const char *text);
/* Load a wallet at the start. One that does not exist or is loaded is passed
 * over; any other fault is an error. */
enum cc_status cc_settings_load_wallet(struct cc_wallets *wallets,
                                       const char *name, cc_warn_fn warn,
                                       void *arg, struct cc_error *err);

#endif
