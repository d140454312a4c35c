/*
 * nodes.h: whole nodes (chain, pool, net) in one process, for tests.
 */
#ifndef CC_NET_TEST_NODES_H
#define CC_NET_TEST_NODES_H

#include "support.h"

#include <stdatomic.h>

#include "mempool/miner.h"
#include "net/net.h"
#include "util/clock.h"

struct test_node {
    char *dir;
    struct cc_clock clock;
    struct cc_chain *chain;
    struct cc_mempool *mempool;
    struct cc_net *net;
    struct cc_log *log;
    atomic_bool disk_fails; /* set: the chain's next writes fail */
};

/* In a fresh folder; not started. whitelist (may be NULL): one entry. */
void test_node_open(struct test_node *t, enum cc_chain_id chain,
                    const char *whitelist);
void test_node_start(struct test_node *t);
/* Stops, frees and removes the folder. */
void test_node_close(struct test_node *t);
/* Mine n blocks on its tip, paying to <salt> OP_DROP OP_TRUE, so that two
 * nodes make different blocks. salt: below 32. */
void test_node_mine(struct test_node *t, unsigned n, uint8_t salt);
uint32_t test_node_height(struct test_node *t);
/* Connect a to b and wait for both handshakes. */
void test_node_connect(struct test_node *a, struct test_node *b);

#endif
