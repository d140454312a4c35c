/*
 * deals.h: contracts in a fixture's pool, signed by both parties.
 *
 * They hold no data, so that a proof needs no samples. A struct deal is a
 * contract with the coin that holds it at some moment; an action makes the
 * transaction and, if asked, the deal after it.
 */
#ifndef CC_MEMPOOL_TEST_DEALS_H
#define CC_MEMPOOL_TEST_DEALS_H

#include "consensus/typed.h"
#include "crypto/ec.h"
#include "mempool/test/fixture.h"

#define DEAL_RENT 100000
#define DEAL_PENALTY 30000
#define DEAL_PERIOD 12

struct deal {
    struct cc_typed t;
    struct cc_coin coin;
    struct cc_outpoint o;
    uint8_t id[32];
};

/* Where deals are made: the fixture and keys. */
struct deals {
    struct fixture *f;
    struct cc_ec *ec;
};

void deals_init(struct deals *d, struct fixture *f);
void deals_clear(struct deals *d);

/* Formed from the coinbase at coin_height; starts at the next block. */
struct cc_tx *deal_form(struct deals *ds, struct deal *d, uint32_t coin_height,
                        uint16_t periods, uint8_t odds);
/* Proof of i; those between done and i that were called are missed. Which were
 * is asked of the chain as it is; a due height above the tip counts as not. */
struct cc_tx *deal_prove(struct deals *ds, const struct deal *d, uint16_t i,
                         cc_amount fee, struct deal *next);
/* The host redeems a voucher. */
struct cc_tx *deal_redeem(struct deals *ds, const struct deal *d,
                          uint64_t amount, cc_amount fee, struct deal *next);
/* A revision put on chain by one party; the fee of 20,000 comes from the
 * coinbase at coin_height. */
struct cc_tx *deal_revise(struct deals *ds, const struct deal *d,
                          bool by_renter, uint32_t coin_height,
                          struct deal *next);
/* Divided as the next block would. */
struct cc_tx *deal_end(struct deals *ds, const struct deal *d, bool by_renter,
                       cc_amount fee);

#endif
