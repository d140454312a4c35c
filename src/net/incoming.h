/*
 * incoming.h: blocks from peers, judged one after the other by a thread of
 * their own.
 *
 * Threads: any may put; begins and judged are called on the queue's own thread.
 */
#ifndef CC_NET_INCOMING_H
#define CC_NET_INCOMING_H

#include "chain/chain.h"

struct cc_incoming {
    struct cc_incoming *next;
    void *owner;
    int64_t peer; /* who sent it; it may be gone when the verdict is there */
    uint8_t hash[32];
    struct cc_block block; /* cleared once it is judged */
    size_t bytes;          /* that it holds until then */
    bool asked, punish;
    /* the verdict, as cc_chain_accept_block tells it */
    bool is_new;
    enum cc_status st;
    struct cc_error err;
};

/* The block at the front of a message, which it takes, also on failure. What
 * follows the block is not looked at, but kept with it. */
enum cc_status cc_incoming_decode(struct cc_incoming **out, uint8_t *data,
                                  size_t len);
void cc_incoming_free(struct cc_incoming *b);
/* Judge it here and now. */
void cc_incoming_judge(struct cc_chain *chain, struct cc_incoming *b);

struct cc_incoming_queue;

/* begins: before b is judged; until judged, what the chain tells of this block
 * is of b. judged takes b, which came from malloc. */
struct cc_incoming_queue *
cc_incoming_queue_new(struct cc_chain *chain,
                      void (*begins)(void *arg, const struct cc_incoming *b),
                      void (*judged)(void *arg, struct cc_incoming *b),
                      void *arg);
enum cc_status cc_incoming_queue_start(struct cc_incoming_queue *q,
                                       struct cc_error *err);
/* After the block at work; what waits is forgotten. */
void cc_incoming_queue_stop(struct cc_incoming_queue *q);
void cc_incoming_queue_free(struct cc_incoming_queue *q);
/* Takes b. */
void cc_incoming_queue_put(struct cc_incoming_queue *q, struct cc_incoming *b);
/* So many bytes wait that no more should be taken from peers. */
bool cc_incoming_queue_full(struct cc_incoming_queue *q);

#endif
