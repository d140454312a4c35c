/*
 * message.h: what renter and host say to each other (doc/protocol.md 7).
 *
 * A message is an open struct with one encoder and one decoder; whatever
 * decodes encodes back to the same bytes. Variable parts are slices: while
 * encoding of the caller's memory, after decoding of the decoded buffer.
 * Pure functions, any thread.
 *
 * A renter asks, a host answers with the type after it, or CC_MSG_ERROR.
 *
 * Who may ask: the renter's static key in the session is the contract's
 * renter key, so a host serves a contract to its renter alone; SETTINGS is
 * answered to any key.
 *
 * Prices are in micro-satoshi (usat), so that a kilobyte can cost less than a
 * satoshi. A contract's account: vouchers paid so far against what writing
 * and reading used. A host answers WRITE and READ while
 *     used + cost <= (redeemed or vouchered amount) * 1,000,000,
 * so money moves ahead of data, by as little as the renter likes.
 */
#ifndef CC_STORAGE_MESSAGE_H
#define CC_STORAGE_MESSAGE_H

#include "consensus/typed.h"
#include "util/error.h"

#define CC_SESSION_VERSION 1
#define CC_USAT UINT64_C(1000000) /* in a satoshi */

/* Longest body of any message: a sector and what proves it. */
#define CC_MESSAGE_MAX (4194304 + 65536)

#define CC_FORM_INPUTS_MAX 64
#define CC_FORM_OUTPUTS_MAX 16
#define CC_FORM_TX_MAX 100000 /* bytes of a transaction with witnesses */
#define CC_REVISE_CHANGES_MAX 4096
#define CC_ROOTS_MAX 32768 /* in one answer */
#define CC_PROOF_NODES_MAX 64
#define CC_MESSAGE_TEXT_MAX 1024

enum cc_message_type {
    CC_MSG_SETTINGS = 1,
    CC_MSG_SETTINGS_REPLY = 2,
    CC_MSG_FORM_REQUEST = 3,
    CC_MSG_FORM_OFFER = 4,
    CC_MSG_FORM_SIGN = 5,
    CC_MSG_FORM_DONE = 6,
    CC_MSG_WRITE = 7,
    CC_MSG_WRITE_REPLY = 8,
    CC_MSG_REVISE = 9,
    CC_MSG_REVISE_REPLY = 10,
    CC_MSG_READ = 11,
    CC_MSG_READ_REPLY = 12,
    CC_MSG_ROOTS = 13,
    CC_MSG_ROOTS_REPLY = 14,
    CC_MSG_LATEST = 15,
    CC_MSG_LATEST_REPLY = 16,
    CC_MSG_VOUCHER = 17,
    CC_MSG_VOUCHER_REPLY = 18,
    CC_MSG_HEALTH = 19,
    CC_MSG_HEALTH_REPLY = 20,
    CC_MSG_ERROR = 255,
};

/* Why a host says no. */
enum cc_refusal {
    CC_REFUSE_MALFORMED = 1, /* does not decode, or comes out of turn */
    CC_REFUSE_UNKNOWN = 2,   /* no such contract, sector or message */
    CC_REFUSE_NOT_YOURS = 3, /* another renter's contract */
    CC_REFUSE_TERMS = 4,     /* terms this host does not take */
    CC_REFUSE_PAYMENT = 5,   /* account short, or a bad voucher */
    CC_REFUSE_SIGNATURE = 6,
    CC_REFUSE_REVISION = 7, /* number not above the last, or wrong root */
    CC_REFUSE_FULL = 8,     /* no room, or above the contract's capacity */
    CC_REFUSE_BUSY = 9,     /* a challenge is open, or too many requests */
    CC_REFUSE_ENDED = 10,   /* the contract's last period is over */
    CC_REFUSE_INTERNAL = 11,
};

/* SETTINGS has an empty body. */
struct cc_msg_settings_reply {
    uint32_t version;    /* CC_SESSION_VERSION */
    uint8_t genesis[32]; /* which chain, internal byte order */
    uint32_t height;     /* of the host's tip */
    bool accepting;      /* new contracts */
    uint64_t sectors_total, sectors_free;
    /* Terms that it signs. */
    uint32_t period_min, period_max; /* blocks */
    uint32_t periods_max, lead_max;  /* start at most that far ahead */
    uint32_t capacity_max;           /* sectors in one contract */
    uint8_t samples, odds_max;
    /* penalty of a period <= rent * collateral_permille / 1000 */
    uint32_t collateral_permille;
    /* Prices in usat. */
    uint64_t price_storage; /* a sector of capacity for one block */
    uint64_t price_write;   /* a sector written */
    uint64_t price_read;    /* a leaf answered */
    uint64_t price_request; /* any WRITE or READ, beside that */
    uint64_t allowance_min; /* satoshi */
    struct cc_bytes name;   /* UTF-8, at most CC_MESSAGE_TEXT_MAX */
};

/* What the renter wants signed. The contract is forming: id, root, sectors,
 * revision, done and redeemed are zero. Its value is need, of which the host
 * brings penalty * periods. */
struct cc_msg_form_request {
    struct cc_contract contract;
    uint64_t value;
    uint32_t capacity;           /* sectors that the rent pays for */
    uint64_t feerate;            /* satoshi per 1,000 vbytes */
    struct cc_outpoint prevout0; /* vin[0], which formation signs over */
};

struct cc_form_input {
    struct cc_outpoint prevout;
    uint64_t value;
    uint32_t weight;        /* that signing it will add to the transaction */
    struct cc_bytes script; /* of the output it spends */
};

struct cc_form_output {
    uint64_t value;
    struct cc_bytes script;
};

/* Inputs - outputs = penalty * periods: the renter pays all fees. */
struct cc_msg_form_offer {
    uint8_t signature[64]; /* host's, over the formation message */
    size_t input_count, output_count;
    struct cc_form_input inputs[CC_FORM_INPUTS_MAX];
    struct cc_form_output outputs[CC_FORM_OUTPUTS_MAX];
};

/* The whole transaction: renter's inputs first, each with its witness, then
 * the host's as offered; vout[0] the CONTRACT with both signatures, the
 * host's outputs last. */
struct cc_msg_form_sign {
    struct cc_bytes tx;
};

struct cc_msg_form_done {
    uint8_t txid[32];
    struct cc_bytes tx; /* complete and sent to the network */
};

/* A sector; kept for the next REVISE of this contract. */
struct cc_msg_write {
    uint8_t contract[32];
    struct cc_bytes data; /* CC_SECTOR_SIZE */
};

struct cc_msg_write_reply {
    uint8_t root[32];
    uint64_t used; /* usat of the account so far */
};

enum cc_change_kind {
    CC_CHANGE_APPEND = 1, /* the written sector with this root */
    CC_CHANGE_SWAP = 2,   /* sectors a and b */
    CC_CHANGE_TRIM = 3,   /* the last a sectors */
};

struct cc_change {
    enum cc_change_kind kind;
    uint8_t root[32];
    uint32_t a, b;
};

/* Changes in order, from the latest revision both know to a new one. */
struct cc_msg_revise {
    uint8_t contract[32];
    uint32_t revision; /* the new number */
    uint8_t root[32];  /* and what it stands for; zero without sectors */
    uint32_t sectors;
    uint8_t signature[64]; /* renter's, over the revision message */
    size_t change_count;
    struct cc_bytes changes; /* encoded: cc_change_read */
};

struct cc_msg_revise_reply {
    uint8_t signature[64]; /* host's, over the same message */
};

/* offset and length are whole leaves, length > 0, inside the sector. */
struct cc_msg_read {
    uint8_t contract[32];
    uint32_t sector;
    uint32_t offset, length;
};

struct cc_msg_read_reply {
    struct cc_bytes data;
    struct cc_bytes range; /* 32-byte nodes: the range's proof in its sector */
    struct cc_bytes path;  /* 32-byte nodes: from sector root to contract's */
    uint64_t used;
};

struct cc_msg_roots {
    uint8_t contract[32];
    uint32_t from, count; /* count <= CC_ROOTS_MAX */
};

struct cc_msg_roots_reply {
    uint32_t total;        /* sectors in the latest revision */
    struct cc_bytes roots; /* 32 bytes each */
};

struct cc_msg_latest {
    uint8_t contract[32];
};

struct cc_msg_latest_reply {
    uint32_t revision;
    uint8_t root[32];
    uint32_t sectors;
    uint8_t renter_signature[64], host_signature[64]; /* zero at revision 0 */
    uint32_t capacity;
    uint64_t voucher; /* highest amount seen, satoshi */
    uint64_t used;    /* usat */
    bool sealed_off;  /* no further revision: over, or spent on the chain */
};

struct cc_msg_voucher {
    uint8_t contract[32];
    uint64_t amount; /* satoshi in total, as in VOU */
    uint8_t signature[64];
};

struct cc_msg_voucher_reply {
    uint64_t amount; /* now the highest */
    uint64_t used;   /* usat */
};

struct cc_msg_health {
    uint8_t contract[32];
};

struct cc_msg_health_reply {
    uint32_t height;
    uint32_t revision, sectors; /* latest */
    uint32_t chain_revision;    /* that of the coin on chain */
    uint16_t done;
    uint32_t bad_sectors; /* known to be damaged or lost */
};

struct cc_msg_error {
    uint16_t code; /* enum cc_refusal */
    struct cc_bytes text;
};

/* One message. id pairs question and answer. */
struct cc_message {
    enum cc_message_type type;
    uint32_t id;
    union {
        struct cc_msg_settings_reply settings_reply;
        struct cc_msg_form_request form_request;
        struct cc_msg_form_offer form_offer;
        struct cc_msg_form_sign form_sign;
        struct cc_msg_form_done form_done;
        struct cc_msg_write write;
        struct cc_msg_write_reply write_reply;
        struct cc_msg_revise revise;
        struct cc_msg_revise_reply revise_reply;
        struct cc_msg_read read;
        struct cc_msg_read_reply read_reply;
        struct cc_msg_roots roots;
        struct cc_msg_roots_reply roots_reply;
        struct cc_msg_latest latest;
        struct cc_msg_latest_reply latest_reply;
        struct cc_msg_voucher voucher;
        struct cc_msg_voucher_reply voucher_reply;
        struct cc_msg_health health;
        struct cc_msg_health_reply health_reply;
        struct cc_msg_error error;
    } u;
};

/* "write", for messages; NULL: no such type. */
const char *cc_message_name(unsigned type);
/* Longest body that this type may have; 0: no such type. */
size_t cc_message_limit(unsigned type);

/* The body. Asserts what callers must keep: lengths within the limits. */
void cc_message_encode(struct cc_writer *w, const struct cc_message *m);
/* m->type and m->id are set by the caller. CC_MALFORMED, or CC_NOTFOUND for
 * an unknown type. */
enum cc_status cc_message_decode(struct cc_message *m, const void *data,
                                 size_t len);

/* One change out of cc_msg_revise.changes; sets r->failed. */
void cc_change_read(struct cc_reader *r, struct cc_change *out);
void cc_change_write(struct cc_writer *w, const struct cc_change *c);

/* Apply changes to a list of sector roots, which grows as needed (*roots is
 * the caller's, by malloc; *cap in roots). written(arg, root) says whether a
 * root was written and waits; NULL: any is. CC_INVALID with a sentence;
 * *roots may then be half changed. */
enum cc_status cc_changes_apply(uint8_t **roots, size_t *count, size_t *cap,
                                const struct cc_msg_revise *m,
                                bool (*written)(void *arg,
                                                const uint8_t root[32]),
                                void *arg, struct cc_error *err);

/* The rent of a period that a host's settings ask for; false if it is above
 * MAX_MONEY. */
bool cc_settings_rent(uint64_t *rent, const struct cc_msg_settings_reply *s,
                      uint32_t capacity, uint32_t period,
                      const struct cc_params *p);

#endif
