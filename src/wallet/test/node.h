/*
 * node.h: a chain, a mempool and wallets in a folder, for tests of this
 * floor. Blocks are mined on regtest, so no block takes any time.
 */
#ifndef CC_WALLET_TEST_NODE_H
#define CC_WALLET_TEST_NODE_H

#include "support.h"
#include "util/clock.h"
#include "wallet/wallet.h"

struct node {
    char *folder;
    const struct cc_params *params;
    struct cc_ec *ec;
    struct cc_clock clock;
    struct cc_chain *chain;
    struct cc_mempool *pool;
    struct cc_wallets *wallets;
};

void node_open(struct node *n, enum cc_chain_id id);
/* Close and open all again, as after an orderly stop. */
void node_restart(struct node *n);
void node_close(struct node *n);

/* count blocks that pay to script; the mempool's transactions go in. */
void node_mine(struct node *n, struct cc_bytes script, unsigned count);
/* To nobody: OP_TRUE. */
void node_mine_away(struct node *n, unsigned count);

/* Create a wallet. words NULL: fresh. */
void node_wallet(struct node *n, const char *name, const char *words,
                 int64_t birthday);
/* The output script of a fresh receive key. */
struct cc_wallet_key node_key(struct node *n, const char *name);
struct cc_balance node_balance(struct node *n, const char *name);
/* value from a wallet to script; the txid. */
void node_send(struct node *n, const char *name, struct cc_bytes script,
               cc_amount value, uint8_t txid[32]);

#define SCRIPT(key) cc_bytes((key).script, CC_TAPROOT_SCRIPT)

#endif
