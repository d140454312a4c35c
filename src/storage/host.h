/*
 * host.h: the host's engine: rents out disk, proves, earns, seals.
 *
 * It serves renters (sessions of storage/session.h), keeps their sectors on a
 * volume, and spends typed coins on chain as its duty and interest say: PROVE
 * in time, SYNC of a new root, vouchers with either, END; a SEAL over data it
 * keeps, CLAIMs of what it wins. It knows the chain only through its node's
 * calls, and takes its money from one of the node's wallets; its identity is
 * that wallet's storage key 0.
 *
 * What it tells a renter that it keeps or has signed is on disk before it
 * says so: kill -9 at any instant loses nothing acknowledged.
 *
 * Threads: cc_host_start makes one for the chain, one for sealing, one that
 * accepts sessions and one a session. cc_host_rpc and cc_host_notify may be
 * called from any.
 */
#ifndef CC_STORAGE_HOST_H
#define CC_STORAGE_HOST_H

#include <jansson.h>

#include "consensus/params.h"
#include "storage/ext.h"
#include "storage/message.h"

struct cc_ec;
struct cc_host;
struct cc_log;

/* The node's calls: cc_ext_call behind a pointer, so that a test can play the
 * node. params is taken. */
struct cc_host_node {
    enum cc_status (*call)(void *arg, const char *method, json_t *params,
                           const char *wallet, json_t **result, int *code,
                           struct cc_error *err);
    void *arg;
};

struct cc_host_config {
    const struct cc_params *params;
    const struct cc_ec *ec;
    struct cc_log *log; /* may be NULL */
    struct cc_host_node node;
    const char *directory; /* of the host's own files */
    const char *wallet;    /* of the node; "" the default one */
    const char *listen;    /* "127.0.0.1:7734"; NULL: serve nobody */
    const char *announce;  /* the endpoint in the record; NULL: listen's */
    const char *name;      /* in the record, UTF-8 */
    uint64_t sectors;      /* to rent out at most */
    uint64_t seal_sectors; /* to keep sealed; 0: none */
    unsigned seal_threads;
    /* Blocks to wait for customers' data before only filler is sealed. */
    uint32_t seal_wait;
    uint32_t prove_delay; /* blocks from a due height to its proof */
    uint32_t retry;       /* blocks until what was not mined is sent anew */
    uint32_t sync_delay;  /* blocks a new root rests before SYNC; 0: never */
    cc_amount feerate;    /* satoshi per 1,000 vbytes */
    /* Terms; name, genesis, height and counts are filled in. */
    struct cc_msg_settings_reply settings;
    unsigned sessions_max;
    /* Of one contract, beyond twice its capacity: sector roots in lists of
     * revisions that the chain may still see, and such revisions. */
    uint32_t lists_max;
};

/* Defaults for a chain. */
void cc_host_config_init(struct cc_host_config *c,
                         const struct cc_params *params);

/* Reads the files. The config's strings are copied. CC_LIMIT: another host
 * uses the directory. */
enum cc_status cc_host_new(struct cc_host **out, const struct cc_host_config *c,
                           struct cc_error *err);
/* Stops what was started. */
void cc_host_free(struct cc_host *h);

/* Start the threads. CC_IO: cannot listen. */
enum cc_status cc_host_start(struct cc_host *h, struct cc_error *err);
/* The port it listens on. */
uint16_t cc_host_port(const struct cc_host *h);

/* A block came or went. Quick. */
void cc_host_notify(struct cc_host *h);
/* What the chain's thread does for each block: everything that is due now.
 * CC_IO: the node could not be asked. For tests, without cc_host_start. */
enum cc_status cc_host_tick(struct cc_host *h, struct cc_error *err);

/* Answer a renter whose key is peer. reply's slices live until the next call
 * with the same scratch. Never fails: a refusal is a reply. */
struct cc_host_scratch {
    uint8_t *data;
    size_t cap;
    struct cc_arena arena;
    struct cc_host_offer *offer; /* a contract under negotiation */
};
void cc_host_scratch_init(struct cc_host_scratch *s);
/* Ends a negotiation: coins locked for it are free again. */
void cc_host_scratch_clear(struct cc_host *h, struct cc_host_scratch *s);
void cc_host_serve(struct cc_host *h, const uint8_t peer[32],
                   const struct cc_message *m, struct cc_message *reply,
                   struct cc_host_scratch *scratch);

/* Methods for the node's users, and answering them (struct cc_ext_config). */
extern const struct cc_ext_method cc_host_methods[];
extern const size_t cc_host_method_count;
json_t *cc_host_rpc(struct cc_host *h, const char *method, const json_t *params,
                    int *code, struct cc_error *err);

#endif
