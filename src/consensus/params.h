/*
 * params.h: the chains as data. Everything marked (P) in doc/protocol.md.
 *
 * Constant tables; borrowed for ever. Only -testactivationheight, on regtest
 * chains, makes a caller copy one and change it.
 */
#ifndef CC_CONSENSUS_PARAMS_H
#define CC_CONSENSUS_PARAMS_H

#include "crypto/address.h"
#include "util/amount.h"
#include "util/bytes.h"
#include "util/error.h"
#include "util/u256.h"
#include "util/writer.h"

enum cc_chain_id {
    CC_CHAIN_MAIN,
    CC_CHAIN_TEST,
    CC_CHAIN_REGTEST,
    CC_CHAIN_BITCOIN_REGTEST,
};

/* Rules of the storage layer, doc/protocol.md 4.0 and 6. */
struct cc_storage_params {
    int64_t window, min_period, max_periods, max_miss, max_span, max_lead;
    int64_t seal_delay, seal_slack, claim_window, max_claims, mint_div;
    cc_amount deposit, owed_min, bond_min, seal_bond;
    int64_t bond_lock;
    uint32_t seal_min, unit, max_sectors;
    size_t max_typed;
    unsigned ticket_min_bits;  /* T >= 2^160 */
    struct cc_u256 ticket_max; /* T_MAX */
    unsigned seal_bits;        /* p = 2^seal_bits - seal_c */
    unsigned seal_c;
};

/* The first block, by its fields: one transaction, whose input holds message
 * behind Bitcoin's own two pushes and whose output pays value to script. It is
 * never spendable: its coins are not put into the coin set. */
struct cc_genesis {
    int32_t version;
    uint32_t time, bits, nonce;
    const char *message; /* at most 75 bytes: one direct push */
    cc_amount value;
    struct cc_bytes script;
};

/* A soft fork that miners vote for (BIP 9). window 0: there is none. */
struct cc_vote {
    unsigned bit;               /* of the version */
    uint32_t window, threshold; /* blocks */
    int64_t start, timeout;     /* median times; INT64_MAX: without end */
    uint32_t min_height;        /* not active before */
};

/* In place of a start. */
#define CC_VOTE_ALWAYS (-1)
#define CC_VOTE_NEVER (-2)

struct cc_params {
    enum cc_chain_id id;
    const char *name;      /* "main", "test", "regtest": chain in RPC */
    const char *directory; /* below the data directory; "" for main */
    uint32_t magic;        /* as four bytes little-endian on the wire */
    uint16_t port, rpc_port;
    const char *const *dns_seeds;   /* NULL behind the last; NULL: none */
    const char *const *fixed_seeds; /* "address:port", in the same way */
    struct cc_address_prefixes prefixes;

    bool storage_active;
    struct cc_storage_params storage;

    cc_amount max_money, subsidy;
    uint32_t halving;
    uint32_t coinbase_maturity;

    /* Proof of work. */
    struct cc_u256 pow_limit;
    bool no_retarget;
    int64_t spacing_s, half_life_s; /* ASERT */

    /* Heights from which a soft fork holds (Core's buried deployments). */
    uint32_t bip34_height, bip65_height, bip66_height, csv_height,
        segwit_height, taproot_height;
    /* Core's regtest has a fork that changes nothing, to try voting with. */
    struct cc_vote testdummy;

    struct cc_genesis genesis;
    uint8_t genesis_hash[32]; /* internal byte order */

    struct cc_u256 minimum_chain_work;
};

/* The node as users of the chain know it: sentences that scripts look for
 * carry it, so on Bitcoin's chains it is the name they expect. */
const char *cc_params_product(const struct cc_params *p);

const struct cc_params *cc_params_get(enum cc_chain_id id);
/* By -chain name; NULL if there is none. bitcoin: with -bitcoin. */
const struct cc_params *cc_params_find(const char *name, bool bitcoin);

/* The genesis block as on the wire, built from its fields. */
void cc_params_genesis(struct cc_writer *w, const struct cc_params *p);

/* -testactivationheight=name@height on a caller's copy of a regtest chain;
 * name: segwit, bip34, dersig, cltv, csv. CC_INVALID with Core's sentence. */
enum cc_status cc_params_activate(struct cc_params *p, const char *spec,
                                  struct cc_error *err);

/* Subsidy of block height, and the half of it that goes into the storage
 * pool (0 where storage is not active). */
cc_amount cc_subsidy(const struct cc_params *p, uint32_t height);
cc_amount cc_subsidy_storage(const struct cc_params *p, uint32_t height);

#endif
