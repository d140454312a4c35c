/*
 * fixture.h: a chain in a folder of its own, a pool on it, and coins to spend.
 *
 * Every coin pays to P2WSH of OP_TRUE, which is standard and needs one witness
 * item. Coinbases mature after 2 blocks. Time stands until a test moves it.
 */
#ifndef CC_MEMPOOL_TEST_FIXTURE_H
#define CC_MEMPOOL_TEST_FIXTURE_H

#include "consensus/test/build.h"
#include "mempool/miner.h"

#define FIXTURE_LOG 256

struct fixture {
    struct cc_params params;
    struct cc_chain *chain;
    struct cc_mempool *pool;
    struct cc_mempool_config config;
    char *dir;
    int64_t now;
    struct cc_build b; /* bytes of all transactions made */
    struct cc_error err;
    struct cc_mempool_accept accepted;
    /* what listeners heard: reason per removal, in order */
    enum cc_mempool_leave left[FIXTURE_LOG];
    uint8_t left_txid[FIXTURE_LOG][32];
    size_t left_count, added_count;
    bool quiet; /* do not keep what listeners hear */
};

void fixture_open(struct fixture *f, enum cc_chain_id id);
/* Start again with a pool made from f->config, on the same chain. */
void fixture_reopen(struct fixture *f);
void fixture_close(struct fixture *f);
struct cc_bytes fixture_script(void);
/* Mine n blocks of what the pool offers. */
void fixture_mine(struct fixture *f, unsigned n);
/* Mine exactly these on the tip. */
void fixture_mine_txs(struct fixture *f, const struct cc_tx *txs, size_t n);
/* The coinbase coin of the block at height: 50 (25) coins. */
struct cc_outpoint fixture_coin(struct fixture *f, uint32_t height);

/* A transaction without anything, living as long as the fixture. */
struct cc_tx *fixture_tx(struct fixture *f);
void fixture_spend(struct fixture *f, struct cc_tx *tx,
                   const struct cc_outpoint *o);
void fixture_spend_tx(struct fixture *f, struct cc_tx *tx,
                      const struct cc_tx *parent, uint32_t index);
void fixture_pay(struct fixture *f, struct cc_tx *tx, cc_amount value);
/* From the coinbase at height to outputs equal outputs, paying fee. */
struct cc_tx *fixture_simple(struct fixture *f, uint32_t height,
                             unsigned outputs, cc_amount fee);
/* From parent's output index, whole, paying fee. */
struct cc_tx *fixture_child(struct fixture *f, const struct cc_tx *parent,
                            uint32_t index, cc_amount fee);

/* Add; text is err.text, "" for success. */
void fixture_expect(struct fixture *f, struct cc_tx *tx, const char *text);
#define fixture_add(f, tx) fixture_expect(f, tx, "")
bool fixture_has(struct fixture *f, const struct cc_tx *tx);
/* Fails the test unless the pool's sums and links are what they come to when
 * worked out anew for every entry. */
void fixture_check(struct fixture *f);

#endif
