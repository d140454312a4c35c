/*
 * evict.h: who of those who connected to us goes when there is no room.
 *
 * Each rule spares some that an attacker cannot easily imitate all at once:
 * some groups by a secret order, near ones, those that gave us transactions or
 * blocks lately, half of the rest by age with a share for networks that are
 * slower to reach. Of who remains, the youngest of the largest group goes.
 */
#ifndef CC_NET_EVICT_H
#define CC_NET_EVICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cc_evict_candidate {
    int64_t id;
    int64_t connected;           /* larger: later */
    int64_t min_ping;            /* INT64_MAX: unknown */
    int64_t last_block, last_tx; /* 0: never */
    uint64_t group;              /* keyed */
    uint8_t network;             /* enum cc_network */
    bool local;
    bool serves;     /* blocks, with witness */
    bool relays_txs; /* wants transactions */
    bool filters;    /* and looks through a bloom filter */
    bool prefer;     /* discouraged: goes before others */
};

/* Reorders c. The id of who goes; -1: all are spared. */
int64_t cc_evict_select(struct cc_evict_candidate *c, size_t count);

#endif
