/* renter_internal.h: what the parts of the renter's engine share. */
#ifndef CC_STORAGE_RENTER_INTERNAL_H
#define CC_STORAGE_RENTER_INTERNAL_H

#include "storage/node_client.h"
#include "storage/renter_link.h"

struct cc_pool;

struct cc_renter {
    struct cc_renter_options o;
    char *dir;
    int lock;
    struct cc_renter_contract **contracts; /* owned */
    size_t count, cap;
    json_t *damaged; /* contracts' files that do not load: "file", "fault" */
    bool has_secret;
    uint8_t secret[32]; /* of storage key 0 */
};

/* A host as we see it now. */
struct cc_host {
    uint8_t key[32];
    char name[64], endpoint[256];
    uint32_t sequence; /* of the identity */
    bool answers;      /* settings are there */
    char fault[300];   /* else: why not */
    int64_t latency_ms;
    struct cc_msg_settings_reply settings; /* without its name */
    bool used;                             /* tried for the object at hand */
};

/* --- renter_node.c: the node's methods that we need ---------------------- */

__attribute__((format(printf, 2, 3))) void
cc_renter_say(const struct cc_renter *r, const char *fmt, ...);

/* "what: endpoint: fault", the endpoint once even if the fault names it. */
void cc_renter_say_fault(const struct cc_renter *r, const char *what,
                         const char *endpoint, const char *fault);

/* Mark a fault as ours, not a host's: err->reason is then not empty, and no
 * other host would help. Returns st. */
enum cc_status cc_renter_ours(struct cc_error *err, enum cc_status st);

/* Like cc_node_call, with advice for what a user can mend; faults are
 * ours (above). */
enum cc_status cc_renter_call(struct cc_renter *r, const char *method,
                              json_t *params, json_t **result,
                              struct cc_error *err);
/* A JSON number of coins as satoshi. */
cc_amount cc_renter_amount(const json_t *coins);
enum cc_status cc_renter_height(struct cc_renter *r, uint32_t *height,
                                struct cc_error *err);
/* index < 0: the next unused one. */
enum cc_status cc_renter_storage_key(struct cc_renter *r, int64_t index,
                                     uint32_t *out_index, uint8_t xonly[32],
                                     uint8_t secret[32], struct cc_error *err);
/* r->secret, once. */
enum cc_status cc_renter_need_secret(struct cc_renter *r, struct cc_error *err);

/* --- renter_hosts.c ------------------------------------------------------ */

/* All registered hosts, asked for their settings at once; those that answer
 * first, cheapest and quickest first. The array is the caller's. */
enum cc_status cc_renter_find_hosts(struct cc_renter *r, struct cc_host **out,
                                    size_t *count, struct cc_error *err);

#define CC_HOST_NETWORK_MAX 48
/* The network that an endpoint belongs to: the /24 of an IPv4 address, the
 * /32 of an IPv6 one. False for names, and for addresses that no network on
 * the internet has (loopback, private): those are the user's own. */
bool cc_host_network(char out[CC_HOST_NETWORK_MAX], const char *endpoint);

/* The order of preference, for qsort: who answers, the cheaper, the quicker.
 */
int cc_host_by_rank(const void *a, const void *b);

/* Would a host at this endpoint, beside those taken, make the loss of one
 * network the loss of more than n - k shards? One is always allowed. */
bool cc_host_crowded(const char *const *taken, size_t count, unsigned k,
                     unsigned n, const char *endpoint);

/* --- renter_form.c ------------------------------------------------------- */

/* Agree on a contract with host for at least this many sectors, have it
 * signed and sent; it is kept and returned, borrowed. CC_LIMIT: money;
 * CC_INVALID, CC_CORRUPT, CC_IO: this host. */
enum cc_status cc_renter_form(struct cc_renter *r, const struct cc_host *host,
                              uint32_t sectors, struct cc_renter_contract **out,
                              struct cc_error *err);
/* Contracts that we signed without hearing more: are they on the chain?
 * Those that can no longer come there are dropped. */
enum cc_status cc_renter_settle_forming(struct cc_renter *r, uint32_t height,
                                        struct cc_error *err);
/* The last block in which its data is certain to be kept. */
int64_t cc_renter_contract_end(const struct cc_renter_contract *c);

/* --- renter_health.c ----------------------------------------------------- */

/* The height up to which k shards of every slab are under contract. */
int64_t cc_renter_kept_until(struct cc_renter *r, const struct cc_manifest *m);

/* --- renter_coins.c ------------------------------------------------------ */

/* See that the wallet has a coin for each of count contracts: if not, but
 * money enough, split what is there and wait for the block that takes it. */
enum cc_status cc_renter_split_coins(struct cc_renter *r, size_t count,
                                     struct cc_error *err);

/* --- renter.c ------------------------------------------------------------ */

struct cc_renter_contract *cc_renter_find_contract(struct cc_renter *r,
                                                   const uint8_t id[32]);
/* Taken. */
void cc_renter_add_contract(struct cc_renter *r, struct cc_renter_contract *c);
enum cc_status cc_renter_connect(struct cc_renter *r, struct cc_session **out,
                                 const char *endpoint,
                                 const uint8_t host_key[32],
                                 const uint8_t secret[32],
                                 struct cc_error *err);
/* Connect and agree on the state; needs the wallet's key of the contract, so
 * it is done in two steps: the key on the caller's thread, the rest on any. */
enum cc_status cc_renter_link_open(struct cc_renter *r,
                                   struct cc_renter_link *l,
                                   struct cc_renter_contract *c,
                                   const uint8_t secret[32],
                                   struct cc_error *err);

#endif
