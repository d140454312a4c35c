/*
 * renter.h: the renter's engine: files onto hosts and back.
 *
 * A renter's folder holds what only it knows: contracts/<id>.json (terms,
 * sector roots, the highest revision number ever signed, vouchers), and
 * objects/<name's MAC>, each an encrypted manifest. Each file is replaced as a
 * whole and synced before anything that depends on it is sent, so a crash at
 * any instant loses no money and never lets two revisions carry one number.
 *
 * Keys: the secret of the wallet's storage key 0, by HKDF-SHA256, gives the
 * manifests' key and each object's (salt: its random id). A contract's key is
 * a storage key of its own. None of them is written to disk.
 *
 * One thread uses a renter; it starts others for transfers. A folder serves
 * one process at a time.
 */
#ifndef CC_STORAGE_RENTER_H
#define CC_STORAGE_RENTER_H

#include <jansson.h>

#include "storage/message.h"

struct cc_ec;
struct cc_node_client;
struct cc_renter;

struct cc_renter_options {
    const char *dir; /* made if it is not there */
    const struct cc_params *params;
    const struct cc_ec *ec;      /* borrowed */
    struct cc_node_client *node; /* borrowed; with the wallet's endpoint */
    unsigned k, n;               /* shards that suffice, shards stored */
    unsigned hosts_max;          /* hosts to ask for their settings */
    uint32_t period, periods;    /* of new contracts; 0: as fits */
    uint32_t capacity;           /* sectors of new contracts; 0: as needed */
    unsigned odds;               /* of new contracts; 0: as fits */
    cc_amount rent_max; /* for all periods of one contract; and for transfers */
    uint64_t feerate;   /* satoshi per 1,000 vbytes; 0: by the node */
    int timeout_ms;     /* for a message; 0: default */
    /* What happens, a line at a time; may be NULL. */
    void (*progress)(void *arg, const char *line);
    void *arg;
};

/* CC_LIMIT: another process uses the folder. Does not ask the node yet. */
enum cc_status cc_renter_open(struct cc_renter **out,
                              const struct cc_renter_options *options,
                              struct cc_error *err);
void cc_renter_close(struct cc_renter *r);

/* Store a file under a name. CC_LIMIT: too few hosts, too little money, or
 * above rent_max; CC_INVALID: the name is taken. */
enum cc_status cc_renter_put(struct cc_renter *r, const char *path,
                             const char *name, struct cc_error *err);
/* Fetch it; path is replaced only by the whole, checked content. CC_NOTFOUND:
 * no such name; CC_CORRUPT: fewer than k hosts gave what was stored. */
enum cc_status cc_renter_get(struct cc_renter *r, const char *name,
                             const char *path, struct cc_error *err);
/* Forget it, and trim its sectors at the hosts that can be reached; at the
 * others when next we talk. */
enum cc_status cc_renter_remove(struct cc_renter *r, const char *name,
                                struct cc_error *err);

/* Arrays of JSON objects, the caller's. Of what is stored, "kept_until" is
 * the height up to which k shards of each slab are under contract. One whose
 * own file is damaged has "file" and "fault" alone; so has such a contract. */
enum cc_status cc_renter_list(struct cc_renter *r, json_t **out,
                              struct cc_error *err);
/* As cc_renter_list, after asking each host: "reachable" is how many of n
 * shards are with hosts that answer, agree with us on what they keep, and
 * miss nothing, in the slab that has fewest; "state" good (all), degraded, or
 * unreachable (fewer than k); "faults" says which host fails why. name: one
 * object (CC_NOTFOUND), or NULL for all. Data is not read. */
enum cc_status cc_renter_health(struct cc_renter *r, const char *name,
                                json_t **out, struct cc_error *err);
enum cc_status cc_renter_hosts(struct cc_renter *r, json_t **out,
                               struct cc_error *err);
enum cc_status cc_renter_contracts(struct cc_renter *r, json_t **out,
                                   struct cc_error *err);

#endif
