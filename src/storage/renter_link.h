/*
 * renter_link.h: a renter's talk with one host about one contract: paying,
 * writing, revising, reading, and believing nothing.
 *
 * Whatever a host answers is checked against what the renter knows: roots it
 * computed itself, signatures, the account it keeps. CC_CORRUPT means that the
 * host lied or lost data, CC_INVALID that it refused, CC_IO that it was not to
 * be reached; in each case other hosts can stand in.
 *
 * One thread per link; links of different contracts are independent.
 */
#ifndef CC_STORAGE_RENTER_LINK_H
#define CC_STORAGE_RENTER_LINK_H

#include "storage/renter_state.h"
#include "storage/session.h"

struct cc_renter_link {
    struct cc_session *session;          /* owned */
    struct cc_renter_contract *contract; /* borrowed, kept on disk */
    const struct cc_params *params;
    const struct cc_ec *ec;
    const char *dir;         /* the renter's folder */
    uint8_t secret[32];      /* of the contract's renter key */
    uint64_t paid;           /* satoshi: the voucher that the host has */
    bool caught_up;          /* with a request that an earlier session made */
    struct cc_roots written; /* waiting for the next commit */
};

/* Take a session and agree on the state: the host's latest revision must be
 * one we signed. session is taken, also on failure. */
enum cc_status cc_renter_link_init(struct cc_renter_link *l,
                                   struct cc_session *session,
                                   struct cc_renter_contract *contract,
                                   const struct cc_params *params,
                                   const struct cc_ec *ec, const char *dir,
                                   const uint8_t secret[32],
                                   struct cc_error *err);
void cc_renter_link_clear(struct cc_renter_link *l);

/* Send a sector, prepaid, whose root is known; it waits for the commit. */
enum cc_status cc_renter_link_write(struct cc_renter_link *l,
                                    const uint8_t *sector,
                                    const uint8_t root[32],
                                    struct cc_error *err);
/* A new revision: what was written is in, the contract's garbage out. Does
 * nothing if there is neither. */
enum cc_status cc_renter_link_commit(struct cc_renter_link *l,
                                     struct cc_error *err);
/* Whole leaves of the sector with this root, proved. */
enum cc_status cc_renter_link_read(struct cc_renter_link *l,
                                   const uint8_t root[32], uint32_t offset,
                                   uint32_t length, uint8_t *out,
                                   struct cc_error *err);

/* What WRITE of a sector and READ of some leaves cost, in usat. */
uint64_t cc_renter_cost_write(const struct cc_renter_contract *c);
uint64_t cc_renter_cost_read(const struct cc_renter_contract *c,
                             uint64_t leaves);

#endif
