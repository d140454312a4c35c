/* chain_options.h: what the options say of the chain and its files. */
#ifndef CC_CHAIN_OPTIONS_H
#define CC_CHAIN_OPTIONS_H

#include "chain/chain.h"
#include "util/args.h"

/* What struct cc_chain_config borrows. */
struct cc_chain_options {
    uint8_t assume_valid[32];
    struct cc_u256 usual_work; /* minimum_chain_work without the option */
    char *blocks;              /* -blocksdir, down to the chain's folder */
};
void cc_chain_options_clear(struct cc_chain_options *own);

/* -minimumchainwork on the caller's copy of the parameters. */
enum cc_status cc_option_min_work(const struct cc_args *args,
                                  struct cc_params *params,
                                  struct cc_chain_options *own,
                                  struct cc_error *err);
/* Caches, threads, rebuilding, what is assumed: into out, whose other fields
 * are left alone. */
enum cc_status cc_option_chain(const struct cc_args *args,
                               struct cc_chain_options *own,
                               struct cc_chain_config *out,
                               struct cc_error *err);
/* -blockfilterindex, -peerblockfilters: which are wanted. */
enum cc_status cc_option_filters(const struct cc_args *args, bool *keep,
                                 bool *serve, struct cc_error *err);
/* -dbcrashratio; 0: never. */
uint64_t cc_option_crash_ratio(const struct cc_args *args);
/* What was chosen, in the words that bitcoind's log has for it. */
void cc_option_chain_log(const struct cc_chain_config *config,
                         const struct cc_chain_options *own);

#endif
