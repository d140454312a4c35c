/*
 * lying_host.h: a host at the other end of a renter's session that keeps what
 * it is told in memory and tells one lie about it.
 */
#ifndef CC_STORAGE_TEST_LYING_HOST_H
#define CC_STORAGE_TEST_LYING_HOST_H

#include <pthread.h>

#include "storage/renter_link.h"

#define PRICE_WRITE 700000 /* usat */
#define PRICE_READ 100
#define PRICE_REQUEST 1000

enum lie {
    HONEST,
    WRONG_ROOT,    /* another root for a written sector */
    OVERCHARGE,    /* a satoshi more than agreed */
    CLAIM_USED,    /* used more than vouchers pay, from the beginning */
    KEEP_VOUCHER,  /* say that the voucher was not taken */
    BAD_SIGNATURE, /* of a revision */
    NO_ANSWER,     /* hang up after taking the revision */
    ROLL_BACK,     /* an older revision than was signed */
    FORGE,         /* a newer revision that the renter did not sign */
    FORGE_ROOTS,   /* roots that do not lead to the revision's */
    NO_ROOTS,      /* none at all */
    MANY_ROOTS,    /* more than were asked for */
    REFUSE_ROOTS,
    OTHER_SECTOR,    /* the data of another sector, proof and all */
    FLIP,            /* one bit of the data */
    SHORT,           /* a leaf less than asked */
    BAD_RANGE,       /* one bit of the range's proof */
    BAD_PATH,        /* one bit of the sector's path */
    REFUSE_REVISION, /* a refusal, which is no lie */
    LATE_WRITE,      /* nor these two: what a dead session asked is done */
    LATE_REVISE,     /* only after the state was told */
};

/* The host's mind: good over several sessions. */
struct lying_host {
    struct cc_ec *ec;
    const struct cc_params *params;
    const uint8_t (*sectors)[CC_SECTOR_SIZE]; /* all that it may be sent */
    size_t sector_count;
    uint8_t secret[32], key[32], id[32], renter_key[32];
    enum lie lie;
    struct cc_roots roots, before;
    uint32_t revision;
    uint8_t renter_sig[64], host_sig[64];
    uint64_t voucher, used, late;
    uint32_t numbers[64]; /* of revisions that the renter signed */
    size_t number_count;
    int fd;
    pthread_t thread;
};

/* A session with whoever speaks at the other end of the socket returned; h is
 * the thread's until it is joined. */
int lying_host_start(struct lying_host *h, enum lie lie);
void lying_host_join(struct lying_host *h);
void lying_host_clear(struct lying_host *h);

#endif
