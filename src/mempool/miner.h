/*
 * miner.h: block templates, and mining them where that is trivial.
 */
#ifndef CC_MEMPOOL_MINER_H
#define CC_MEMPOOL_MINER_H

#include "mempool/mempool.h"

struct cc_template {
    struct cc_block block; /* nonce and Merkle root of the given coinbase */
    cc_amount *fees;       /* per transaction, coinbase first (negative sum) */
    int64_t *sigop_costs;
    uint32_t height;
    int64_t min_time; /* median time past + 1 */
    cc_amount coinbase_value;
    uint8_t commitment_script[64];
    size_t commitment_len;
};

/* The best block on the tip by ancestor feerate, paying script. */
enum cc_status cc_template_new(struct cc_template *out, struct cc_mempool *m,
                               struct cc_bytes script, struct cc_error *err);
void cc_template_clear(struct cc_template *t);

/* Asked at the beginning and now and then: is it enough? */
struct cc_mine_stop {
    bool (*ask)(void *arg);
    void *arg;
};

/* Find a nonce; false if *tries ran out or stop (may be NULL) said so. Header
 * only. */
bool cc_mine(struct cc_header *h, const struct cc_params *p, uint64_t *tries,
             const struct cc_mine_stop *stop);

/* A block of exactly these transactions (generateblock: their fees are
 * nobody's) or, with txs NULL, of the template's; mined, not submitted.
 * CC_LIMIT when the tries ran out or stop said so. */
enum cc_status cc_generate(struct cc_block *out, struct cc_mempool *m,
                           struct cc_bytes script, const struct cc_tx *txs,
                           size_t count, uint64_t *tries,
                           const struct cc_mine_stop *stop,
                           struct cc_error *err);

#endif
