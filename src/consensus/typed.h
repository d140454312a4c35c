/*
 * typed.h: typed coins as bytes (doc/protocol.md 4.1, 4.2).
 *
 * An output whose script starts with OP_STORAGE holds one push of a kind and
 * a body. Bodies are open values; what varies in length is a slice of the
 * script.
 */
#ifndef CC_CONSENSUS_TYPED_H
#define CC_CONSENSUS_TYPED_H

#include "consensus/params.h"
#include "consensus/script.h"
#include "consensus/tx.h"

#define CC_TYPED_SCRIPT_LIMIT 10000 /* as Bitcoin's limit for spendable */
#define CC_RECORD_LIMIT 1024
#define CC_IDENTITY_HEAD 38 /* body before the record */
#define CC_CONTRACT_SIZE 180
#define CC_SEAL_SIZE 117
/* Room for the longest script that we write: 0xbb, PUSHDATA2, kind, identity
 * with the longest record, signature. */
#define CC_TYPED_SCRIPT_ROOM 1200

enum cc_kind {
    CC_KIND_NONE = 0, /* not typed: Bitcoin's Script rules */
    CC_KIND_IDENTITY = 1,
    CC_KIND_CONTRACT = 2,
    CC_KIND_SEAL = 3,
    CC_KIND_RESERVED = 0x80, /* 0x80 and above: valid, unparsed */
};

struct cc_identity {
    uint8_t key[32];
    uint32_t sequence;
    struct cc_bytes record;
};

struct cc_contract {
    uint8_t id[32]; /* zero while forming */
    uint8_t renter_key[32], host_key[32], root[32];
    uint32_t sectors, revision, start;
    uint16_t period, periods, done;
    uint8_t samples, odds;
    uint64_t rent, penalty, allowance, redeemed;
};

struct cc_seal {
    uint8_t id[32]; /* zero while forming */
    uint8_t version;
    uint8_t host_key[32], root[32];
    uint32_t sectors, seal_height, mark_height;
    uint64_t mark_leaf;
};

struct cc_typed {
    enum cc_kind kind;
    bool forming;
    struct cc_bytes sigs; /* 64 bytes a signer while forming, else empty */
    union {
        struct cc_identity identity;
        struct cc_contract contract;
        struct cc_seal seal;
    } u;
};

/* Identity record entries, type 1 ‖ len 2 ‖ value, types strictly rising. */
enum cc_record_type {
    CC_RECORD_NAME = 1,      /* UTF-8 */
    CC_RECORD_ROLES = 2,     /* 1 byte: CC_ROLE_* bits */
    CC_RECORD_ADDRESSES = 3, /* text, comma separated host:port */
    CC_RECORD_URL = 4,       /* file server */
    CC_RECORD_ENDPOINTS = 5, /* session endpoints, host:port, comma separated */
};
enum { CC_ROLE_USER = 1, CC_ROLE_HOST = 2, CC_ROLE_APP = 4 };

/* One entry off the front of *record; false at its end or where it is cut. */
bool cc_record_next(struct cc_bytes *record, uint8_t *type,
                    struct cc_bytes *value);
/* The entry of a type; false if there is none. */
bool cc_record_find(struct cc_bytes record, uint8_t type,
                    struct cc_bytes *value);

/* Parse an output script. Not typed at all: CC_OK, kind CC_KIND_NONE. A
 * malformed typed script: CC_INVALID. */
enum cc_status cc_typed_parse(struct cc_typed *t, struct cc_bytes script,
                              struct cc_error *err);
/* The whole output script; t is an identity, a contract or a seal. */
void cc_typed_write(struct cc_writer *w, const struct cc_typed *t);
/* Kind's body without signatures: what is signed and compared. */
void cc_typed_write_body(struct cc_writer *w, const struct cc_typed *t);
/* A contract's body, CC_CONTRACT_SIZE bytes. */
void cc_contract_read(struct cc_reader *r, struct cc_contract *c);
void cc_contract_write(struct cc_writer *w, const struct cc_contract *c);
/* Whose signatures a forming output carries, in order: 1 or 2 keys, borrowed
 * from t. */
size_t cc_typed_signers(const uint8_t *keys[2], const struct cc_typed *t);

/* id = tag("contract", txid ‖ vout): of a contract or seal formed there. */
void cc_typed_formed_id(uint8_t id[32], const struct cc_outpoint *o);
/* The coin's name: its key, its id, or the id formed at outpoint. */
void cc_typed_id(uint8_t id[32], const struct cc_typed *t,
                 const struct cc_outpoint *o);

/* W of doc/protocol.md 4.2, true of every typed output. */
enum cc_status cc_typed_check(const struct cc_typed *t, cc_amount value,
                              const struct cc_params *p, struct cc_error *err);
/* A schedule new on the chain is long enough for its odds: else a host that
 * stores nothing is hardly ever called and keeps most of the rent. */
bool cc_contract_schedule_fair(const struct cc_contract *c);
/* need of a contract; false if it passes MAX_MONEY or the contract is not
 * well-formed (done over periods, redeemed over allowance). */
bool cc_contract_need(cc_amount *need, const struct cc_contract *c,
                      const struct cc_params *p);
int64_t cc_contract_due(const struct cc_contract *c, int64_t i);
/* Is due height i called, given the hash of that block? id: the contract's. */
bool cc_contract_called(const uint8_t hash[32], const uint8_t id[32],
                        unsigned odds);
/* Leaf index of sample j of the challenge of that block. */
uint64_t cc_contract_sample(const struct cc_contract *c, const uint8_t id[32],
                            const uint8_t hash[32], unsigned j);

/* What the parties to a forming output sign. prevout0: vin[0]'s. */
void cc_typed_form_message(uint8_t msg[32], const struct cc_typed *t,
                           const struct cc_outpoint *prevout0, uint32_t index,
                           cc_amount value, const struct cc_params *p);
void cc_revision_message(uint8_t msg[32], const uint8_t id[32],
                         uint32_t revision, const uint8_t root[32],
                         uint32_t sectors, const struct cc_params *p);
void cc_voucher_message(uint8_t msg[32], const uint8_t id[32], uint64_t amount,
                        const struct cc_params *p);

enum cc_action {
    CC_ACTION_PROVE = 0x01,
    CC_ACTION_SYNC = 0x03,
    CC_ACTION_REVISE = 0x04,
    CC_ACTION_END = 0x05,
    CC_ACTION_CLOSE = 0x06,
    CC_ACTION_UPDATE = 0x11,
    CC_ACTION_RETIRE_IDENTITY = 0x12,
    CC_ACTION_CLAIM = 0x21,
    CC_ACTION_RETIRE_SEAL = 0x22,
};
enum { CC_FLAG_REV = 1, CC_FLAG_VOU = 2, CC_FLAG_BY_RENTER = 4 };

#endif
