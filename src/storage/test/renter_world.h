/*
 * renter_world.h: a renter with a node and a host that are played, each on a
 * thread and a socket of its own: what a host may ask and offer, and what it
 * may not.
 */
#ifndef CC_TEST_RENTER_WORLD_H
#define CC_TEST_RENTER_WORLD_H

#include "storage/renter_internal.h"

#include <pthread.h>

#define TIP 100

/* What the host does wrong. */
enum lie {
    HONEST,
    OTHER_VERSION,
    OTHER_CHAIN,
    ABSURD_PRICE,
    NOT_ACCEPTING,
    NO_ROOM,
    LONG_PERIODS,   /* wants periods longer than we ask for */
    DEAR,           /* rent above -maxrent */
    DEAR_TRANSFERS, /* what transfers may cost above it */
    NO_STAKE,       /* loses less than it earns if it drops the data */
    LITTLE_COLLATERAL,
    WRONG_SIGNATURE,
    OUR_COIN,
    LEGACY,    /* an input with a scriptSig to come */
    HEAVIER,   /* honest, with an input of 2,000 weight units more */
    TOO_HEAVY, /* inputs whose fee we would pay */
    ABSURD_OUTPUT,
    OTHER_TXID,
    HANG_UP, /* after FORM_SIGN: who knows what it did */
    REFUSE,
};

struct world {
    struct cc_ec *ec;
    const struct cc_params *params;
    char *dir;
    enum lie lie;
    int node, host; /* listening */
    uint16_t node_port, host_port;
    pthread_t node_thread, host_thread;
    uint8_t host_secret[32], host_key[32], seed[32];
    /* what the node was asked */
    unsigned locked, unlocked, sent;
    int next_key;
    bool on_chain, signs_nothing, down;
    bool refuse; /* the contract's transaction */
    uint32_t height;
    /* the transaction that the host was given */
    uint8_t *tx;
    size_t tx_len;
    struct cc_msg_form_request request;
    struct cc_node_client *client;
    struct cc_renter *renter;
    struct cc_error err;
};

/* A renter whose host lies like this. */
void world_init(struct world *w, enum lie lie);
void world_clear(struct world *w);
/* Over the same folder again. */
void open_renter(struct world *w);
/* The host as the renter finds it. */
struct cc_host only_host(struct world *w);

#endif
