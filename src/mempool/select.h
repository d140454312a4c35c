/*
 * select.h: which transactions a block template takes, and in what order.
 *
 * The package of a transaction and its unconfirmed ancestors with the highest
 * feerate first, as long as weight, sigops, claims and mint have room.
 */
#ifndef CC_MEMPOOL_SELECT_H
#define CC_MEMPOOL_SELECT_H

#include "mempool/internal.h"

struct cc_select_room {
    size_t weight;
    int64_t sigop_cost;
    uint32_t claims;
    cc_amount mint;        /* what the storage pool can pay */
    cc_amount min_feerate; /* per kvB; packages below stay out */
};

/* out: chosen nodes, parents before children; the caller's to clear. */
void cc_txpool_select(struct cc_mempool *m, const struct cc_select_room *room,
                      struct cc_txpool_list *out);

#endif
