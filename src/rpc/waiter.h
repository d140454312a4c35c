/*
 * waiter.h: waiting for the tip to move, or for the end.
 *
 * One per node. The chain's listener tells it of each new tip; calls that wait
 * (waitfornewblock, getblocktemplate's long poll) sleep here, hold no lock of
 * the chain meanwhile, and wake at once when the node ends.
 */
#ifndef CC_RPC_WAITER_H
#define CC_RPC_WAITER_H

#include <stdbool.h>
#include <stdint.h>

struct cc_waiter;

struct cc_waiter *cc_waiter_new(void);
void cc_waiter_free(struct cc_waiter *w);

/* A new tip: everybody looks again. Any lock may be held. */
void cc_waiter_wake(struct cc_waiter *w);
/* The end has come: no wait sleeps any more. */
void cc_waiter_interrupt(struct cc_waiter *w);
bool cc_waiter_ending(struct cc_waiter *w);
/* For a walk over very much: the same, asked of one step in so many. */
bool cc_waiter_ends_walk(struct cc_waiter *w, uint64_t step);

/* How often the tip moved; take it before looking at the state. */
uint64_t cc_waiter_count(struct cc_waiter *w);
/* Sleep until the count differs from seen, the deadline (cc_clock_monotonic_ms;
 * negative: none) passes or the end comes. False: the end. */
bool cc_waiter_wait(struct cc_waiter *w, uint64_t seen, int64_t deadline_ms);

#endif
