/*
 * fake_node.h: a node for the tests of the host's engine: a chain of coins in
 * memory that judges by the real rules, and a wallet with one key.
 *
 * Transactions sent wait until fake_mine(); a block takes all that are valid.
 */
#ifndef CC_TEST_FAKE_NODE_H
#define CC_TEST_FAKE_NODE_H

#include "consensus/storage.h"
#include "storage/host.h"
#include "support.h"

struct fake_coin {
    struct cc_outpoint place;
    struct cc_coin coin;
    uint8_t script[CC_TYPED_SCRIPT_ROOM];
    bool spent, locked;
};

struct fake_node {
    struct cc_params params;
    const struct cc_ec *ec;
    uint8_t secret[32], key[32]; /* the wallet's storage key 0 */
    uint8_t (*hashes)[32];
    struct cc_mint_state *states;
    uint32_t tip, salt;
    struct fake_coin *coins;
    size_t coin_count, coin_cap;
    struct cc_tx *pool; /* sent, not mined */
    size_t pool_count, pool_cap;
    cc_amount penalties, minted; /* of the block under way */
    uint32_t claims;
    size_t sent, refused; /* transactions */
    bool down;            /* answer nothing */
    bool registered;
    char endpoint[64];
    const char *broken; /* this method fails; NULL: none */
    const char *why;    /* with these words; NULL: none */
};

void fake_node_init(struct fake_node *n, const struct cc_ec *ec);
void fake_node_clear(struct fake_node *n);
struct cc_host_node fake_node_calls(struct fake_node *n);

/* A confirmed coin to OP_1 <key>. */
struct cc_outpoint fake_pay(struct fake_node *n, const uint8_t key[32],
                            cc_amount value);
/* Blocks with what waits. */
void fake_mine(struct fake_node *n, unsigned blocks);
/* Sum of unspent coins to OP_1 <key>. */
cc_amount fake_balance(const struct fake_node *n, const uint8_t key[32]);
/* The unspent contract or seal of this name; NULL: there is none. */
const struct fake_coin *fake_find(const struct fake_node *n, enum cc_kind kind,
                                  const uint8_t id[32], struct cc_typed *t);
/* As sendrawtransaction: judged, then kept for the next block. */
enum cc_status fake_send(struct fake_node *n, const struct cc_tx *tx,
                         struct cc_error *err);
/* A signature by this secret of a key spend of input index. */
void fake_sign(const struct fake_node *n, struct cc_tx *tx,
               const struct cc_coin *coins, size_t index,
               const uint8_t secret[32]);

#endif
