/*
 * node_i.h: the node from within, for the files it is made of: node.c (the
 * folder, the log, up and down), node_floors.c (the floors, one by one) and
 * node_events.c (what follows when a floor speaks).
 */
#ifndef CC_NODE_I_H
#define CC_NODE_I_H

#include "chain/filterindex.h"
#include "chain/statsindex.h"
#include "chain/txindex.h"
#include "chain/vote.h"
#include "chain_options.h"
#include "crash.h"
#include "crypto/ec.h"
#include "node.h"
#include "node_options.h"
#include "notify.h"
#include "rpc/extension.h"
#include "rpc/template.h"
#include "rpc/waiter.h"
#include "rpc/warnings.h"
#include "util/clock.h"

struct cc_node {
    const struct cc_setup *setup;
    struct cc_params params; /* the chain's, options applied */
    struct cc_chain_options chain_options;
    struct cc_crash crash;
    struct cc_clock clock;
    struct cc_log *log;
    int lock_fd, blocks_lock_fd; /* -1: not held */
    char *pid_path;
    char *settings_path; /* NULL: -nosettings */
    struct cc_ec *ec;
    struct cc_rpc *rpc;
    struct cc_waiter *waiter;
    struct cc_templates *templates;
    struct cc_notify *notify;
    struct cc_warnings *warnings;
    struct cc_vote_watch votes;
    struct cc_server *server;
    struct cc_chain *chain;
    struct cc_txindex *txindex;
    struct cc_statsindex *statsindex;
    struct cc_filterindex *filters;
    bool serve_filters;
    struct cc_mempool *mempool;
    bool pool_loaded; /* what was on the disk is in it, or was looked at */
    struct cc_wallets *wallets;
    struct cc_net *net;
    unsigned max_connections; /* as far as there are files for them */
    struct cc_extensions *extensions;
    json_t *extension_init;
    struct cc_net_lists net_lists;
    struct cc_rpc_lists rpc_lists;
    char *user_agent;
    const char *block_notify;
    bool started; /* to the end */
    struct cc_node_hooks hooks;
};

/* --- node_floors.c ----------------------------------------------------- */

/* What RPC calls work with: all that is open by now. */
void cc_node_set_env(struct cc_node *n);
/* The server in its warmup, chain, indexes, pool, wallets, peers, extensions.
 * What is open when a step fails is left for cc_node_free; CC_LIMIT: stop_soon
 * was set. */
enum cc_status cc_node_open_floors(struct cc_node *n, struct cc_error *err);
/* At the end, with -persistmempool, if it was loaded. */
void cc_node_save_mempool(struct cc_node *n);

/* --- node_events.c ----------------------------------------------------- */

/* From now on the node hears of blocks, and of transactions in the pool. */
void cc_node_listen_chain(struct cc_node *n);
void cc_node_listen_mempool(struct cc_node *n);
/* arg is the node, here and below: -alertnotify. */
void cc_node_on_alert(void *arg, const char *text);
/* -walletnotify. */
void cc_node_on_wallet_tx(void *arg, const char *wallet,
                          const struct cc_wallet_tx *tx);
/* A wallet has made a transaction: to the peers with it. */
void cc_node_broadcast(void *arg, const uint8_t txid[32]);

#endif
