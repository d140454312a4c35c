/*
 * world.h: blocks made at random, and what the coin set must be after each,
 * worked out the naive way: a sorted list per block.
 *
 * Any number of branches; blocks that break a rule on purpose. The same list
 * is then held against what the chain says.
 */
#ifndef CC_CHAIN_TEST_WORLD_H
#define CC_CHAIN_TEST_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "chain/chain.h"
#include "crypto/ec.h"
#include "support.h"
#include "util/fs.h"

/* What is wrong with a block. */
enum wrong {
    RIGHT,
    WRONG_SCRIPT,       /* spends a coin that nobody can */
    WRONG_MISSING,      /* spends a coin that is not there */
    WRONG_TWICE,        /* spends one coin in two transactions */
    WRONG_AMOUNT,       /* pays more than it takes */
    WRONG_REWARD,       /* coinbase takes too much */
    WRONG_IMMATURE,     /* spends the coinbase before */
    WRONG_SCRIPT_FIRST, /* a bad script, and then a missing coin */
    WRONG_COUNT
};

struct wcoin {
    struct cc_outpoint o;
    struct cc_coin coin; /* script: a slice of its block's bytes */
};

struct wblock {
    struct cc_block block;
    int prev; /* -1: genesis */
    uint32_t height;
    enum wrong wrong;
    bool tainted; /* it or one below it is wrong */
    struct wcoin *coins;
    size_t coin_count;
    struct cc_mint_state state; /* S(height) */
};

#define WORLD_KEYS 4

struct world {
    struct cc_params params;
    struct cc_ec *ec;
    uint8_t secret[WORLD_KEYS][32], key[WORLD_KEYS][32];
    struct cc_test_random random;
    struct wblock *blocks;
    size_t count, cap;
    uint64_t unique;
    unsigned max_tx;          /* per block, beside the coinbase */
    size_t acts[256], formed; /* storage actions by number, coins formed */
    /* of the block being made */
    cc_amount minted;
    uint32_t claims;
    uint8_t *leaves; /* 4,096 leaf hashes of a sector of zeros */
};

/* storage: the chain "regtest", else
 * "bitcoin-regtest"; coinbases mature after 2 blocks, bonds are free after
 * 4. */
void world_init(struct world *w, uint64_t seed, bool storage);
void world_clear(struct world *w);
unsigned world_random(struct world *w, unsigned below);
/* A block on top of number prev; its number. */
int world_make(struct world *w, int prev, enum wrong wrong);
/* The number of the block with this hash, or -1. */
int world_find(const struct world *w, const uint8_t hash[32]);

int64_t world_now(void *arg);
/* Open with a cache so small that it is always full, or of cache bytes. */
void world_config(const struct world *w, struct cc_chain_config *config,
                  const char *directory);
struct cc_chain *world_open(const struct world *w, const char *directory);
/* Fails the test unless the coins are those of block number i, the tip. */
void world_expect(const struct world *w, struct cc_chain *c, int i);
/* NULL, or what does not agree. */
const char *world_compare(const struct world *w, struct cc_chain *c, int i);

#endif
