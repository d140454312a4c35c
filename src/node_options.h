/* node_options.h: options turned into what the modules want to know. */
#ifndef CC_NODE_OPTIONS_H
#define CC_NODE_OPTIONS_H

#include "mempool/mempool.h"
#include "net/net.h"
#include "rpc/server.h"
#include "setup.h"
#include "util/log.h"
#include "wallet/wallet.h"

#define CC_OPTION_MIN_RELAY 1000 /* satoshi per 1,000 vbytes */

/* A stretch of time: at most so long that it can be added to any clock, in
 * microseconds, too. */
int64_t cc_option_time(const struct cc_args *args, const char *name,
                       int64_t otherwise);
/* *out stays if the option is not set. */
enum cc_status cc_option_amount(const struct cc_args *args, const char *name,
                                cc_amount max, cc_amount *out,
                                struct cc_error *err);

/* Every value of an option; the list is for free, the strings are args'. */
const char **cc_option_list(const struct cc_args *args, const char *name,
                            size_t *count);

/* Is nothing asked for that is not there? */
enum cc_status cc_option_absent(const struct cc_args *args,
                                struct cc_error *err);
/* Does a file name what concerns one chain above all sections, and another
 * chain is chosen? */
enum cc_status cc_option_misplaced(const struct cc_setup *setup,
                                   struct cc_error *err);
/* Is every option that names a number, a port or a word one that the parts of
 * the node will take? Asked before anything is started or made. */
enum cc_status cc_option_check(const struct cc_setup *setup,
                               struct cc_error *err);
/* Where settings.json is; for free. NULL: nowhere. */
char *cc_option_settings(const struct cc_setup *setup);
/* Where the log goes and what it tells; *path, which out borrows, is for
 * free. */
enum cc_status cc_option_log(const struct cc_setup *setup,
                             struct cc_log_options *out, char **path,
                             struct cc_error *err);
/* Script check workers beside the calling thread, from -par. */
unsigned cc_option_threads(const struct cc_args *args);
/* The chain's parameters with -testactivationheight applied. */
enum cc_status cc_option_params(const struct cc_args *args,
                                struct cc_params *params, struct cc_error *err);
enum cc_status cc_option_mempool(const struct cc_args *args,
                                 const struct cc_params *params,
                                 struct cc_mempool_config *out,
                                 struct cc_error *err);
/* "/CloudCoin:0.1.0(comment)/", for free. */
enum cc_status cc_option_user_agent(const struct cc_args *args, char **out,
                                    struct cc_error *err);

/* Names the options it understands; out holds defaults. */
enum cc_status cc_option_wallets(const struct cc_args *args,
                                 const struct cc_params *params,
                                 struct cc_wallets_config *out,
                                 struct cc_error *err);

/* Lists that struct cc_net_options borrows. */
struct cc_net_lists {
    const char **list[8];
};
enum cc_status cc_option_net(const struct cc_args *args,
                             const struct cc_params *params,
                             struct cc_net_options *out,
                             struct cc_net_lists *lists, struct cc_error *err);
/* The part of it about which networks, proxies and limits; after the rest. */
enum cc_status cc_option_reach(const struct cc_args *args,
                               struct cc_net_options *out,
                               struct cc_net_lists *lists,
                               struct cc_error *err);
void cc_net_lists_clear(struct cc_net_lists *lists);

/* Where RPC listens and who may come. */
struct cc_rpc_lists {
    char **bind;
    size_t bind_count;
    const char **allow, **auth, **whitelist;
};
enum cc_status cc_option_server(const struct cc_setup *setup,
                                struct cc_server_config *out,
                                struct cc_rpc_lists *lists,
                                struct cc_error *err);
void cc_rpc_lists_clear(struct cc_rpc_lists *lists);

#endif
