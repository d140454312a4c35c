/*
 * node.h: the whole daemon, put together.
 *
 * cc_node_start brings the floors up from the ground (log, lock, RPC in
 * warmup, chain, mempool, wallets, peers, extensions) and, if one of them
 * cannot, takes down what stands; cc_node_free takes them down in the opposite
 * order. Each module gets what it needs from here, none sees the node.
 *
 * Threads: one at a time starts, checks and frees. stop(), handed to RPC and to
 * the chain's listener, may be called from any.
 */
#ifndef CC_NODE_H
#define CC_NODE_H

#include "setup.h"
#include <stdatomic.h>

struct cc_node;

/* Can this data folder be used, and is it free? Without keeping the lock. */
enum cc_status cc_node_probe(const struct cc_setup *setup,
                             struct cc_error *err);

/* What the node needs of its program; borrowed until cc_node_free. */
struct cc_node_hooks {
    void (*stop)(void *arg); /* ask main to end the daemon */
    void *arg;
    /* Set by main: end long work (reindexing) and starting soon. Stays set
     * while the node is freed. */
    const atomic_bool *stop_soon;
};

/* What stands before an error where it is shown, so that "Error: " comes of it;
 * but on Bitcoin's chain nothing where Core asks a question, which begins with
 * ": ". */
const char *cc_node_error_caption(const struct cc_setup *setup,
                                  const struct cc_error *err);

/* setup is borrowed until cc_node_free. May run on a thread of its own, so
 * that main hears signals meanwhile; CC_LIMIT: stop_soon was set. */
enum cc_status cc_node_start(struct cc_node **out, const struct cc_setup *setup,
                             const struct cc_node_hooks *hooks,
                             struct cc_error *err);
/* From time to time: not CC_OK when going on is not safe (a disk error, no
 * room left); the node must be freed then. */
enum cc_status cc_node_check(struct cc_node *n, struct cc_error *err);
/* SIGHUP. */
void cc_node_reopen_log(struct cc_node *n);
/* False: the chain could not be saved at its end, though it had not failed
 * before; why is in the log. */
bool cc_node_free(struct cc_node *n);

#endif
