/*
 * host_i.h: what the files of the host's engine share. See host.h.
 *
 * Locks: `lock` guards contracts, events, tip and whatever else is not said
 * to be another's; it is never held while the node is called or a sector is
 * read, so that sessions go on meanwhile. A contract is freed only by the
 * chain's thread, with the lock held. `tick_lock` makes one chain round at a
 * time; seals belong to it.
 */
#ifndef CC_STORAGE_HOST_I_H
#define CC_STORAGE_HOST_I_H

#include <pthread.h>

#include "consensus/transition.h"
#include "storage/host.h"
#include "storage/sealer.h"
#include "storage/volume.h"
#include "util/log.h"
#include "util/map.h"

#define CC_HOST_DEPTH 6   /* blocks until a root on chain is taken for good */
#define CC_HOST_DUST 1000 /* satoshi: smaller change goes to the fee */

/* --- Contracts ------------------------------------------------------------ */

/* Lists of sector roots. Most revisions only append or trim, so many of them
 * are beginnings of one line. */
struct cc_host_line {
    uint8_t *roots; /* 32 bytes each */
    size_t count, cap;
};

/* A revision that may be, or become, the chain's: its sectors stay. */
struct cc_host_mark {
    uint32_t revision, count, line;
    uint8_t root[32];
};

struct cc_host_contract {
    uint8_t id[32];
    struct cc_outpoint formed; /* where it began */
    uint32_t formed_height;    /* tip when it was signed */
    uint32_t capacity;         /* sectors */
    /* usat, of settings when it was agreed: later ones are not for it. */
    uint64_t price_write, price_read, price_request;
    /* The coin on chain, as last seen; before, as signed. */
    struct cc_contract body;
    cc_amount value;
    struct cc_outpoint outpoint;
    uint8_t *script; /* of the coin, for signing; NULL: not seen */
    size_t script_len;
    uint32_t height;      /* of the coin */
    uint32_t root_height; /* since when its revision is the chain's */
    bool on_chain;
    int64_t gone_since; /* height at which it was missed; -1: it is there */
    /* Off chain, the latest that both signed. */
    uint32_t revision, sectors;
    uint8_t root[32], renter_sig[64], host_sig[64];
    uint32_t revised_height;
    bool unsaved; /* the file may be behind: nothing of it may be told */
    uint64_t voucher;
    uint8_t voucher_sig[64];
    uint64_t used;    /* usat */
    uint32_t waiting; /* sectors written and not revised in; not kept */
    struct cc_host_line *lines;
    size_t line_count;
    struct cc_host_mark *marks; /* rising revisions */
    size_t mark_count;
    /* What was sent and is not mined. */
    uint8_t pending[32];
    int64_t pending_height; /* -1: nothing */
    unsigned attempts;
    unsigned failures; /* in a row, since something was sent */
    uint32_t failed_height;
};

struct cc_host_contract *cc_host_contract_new(void);
void cc_host_contract_free(struct cc_host_contract *c);
/* Roots of the latest revision. */
const uint8_t *cc_host_contract_roots(const struct cc_host_contract *c,
                                      size_t *count);
/* Roots of the revision whose number the coin has; NULL if we have none. */
const uint8_t *cc_host_contract_roots_at(const struct cc_host_contract *c,
                                         uint32_t revision, size_t *count);
/* A new latest list, with its revision's number and root. */
void cc_host_contract_extend(struct cc_host_contract *c, uint32_t revision,
                             const uint8_t root[32], const uint8_t *roots,
                             size_t count);
/* Forget revisions below; true if any sector may be free now. */
bool cc_host_contract_forget(struct cc_host_contract *c, uint32_t below);

/* The file contracts/<id>.dat; see doc/storage.md. */
void cc_host_contract_encode(struct cc_writer *w,
                             const struct cc_host_contract *c);
enum cc_status cc_host_contract_decode(struct cc_host_contract **out,
                                       const void *data, size_t len,
                                       struct cc_error *err);
/* Durable when it returns CC_OK; else unsaved. */
enum cc_status cc_host_contract_save(struct cc_host *h,
                                     struct cc_host_contract *c,
                                     struct cc_error *err);
enum cc_status cc_host_contracts_load(struct cc_host *h, struct cc_error *err);
/* Locked. */
struct cc_host_contract *cc_host_contract_find(struct cc_host *h,
                                               const uint8_t id[32]);
void cc_host_contract_add(struct cc_host *h, struct cc_host_contract *c);
/* Locked. Forgets it, its file too. */
void cc_host_contract_remove(struct cc_host *h, struct cc_host_contract *c);
/* Roots that it takes to keep all its lists, and one of count more. */
uint64_t cc_host_contract_list_size(const struct cc_host_contract *c,
                                    size_t count);
/* Sectors that contracts may still fill. Locked. */
uint64_t cc_host_sectors_free(struct cc_host *h);
/* Release sectors that nothing refers to. Takes the lock. */
void cc_host_collect(struct cc_host *h);

/* A sector that was written and waits for a revision. */
struct cc_host_written {
    int64_t since;
    uint8_t contract[32]; /* zeros: of an earlier run */
};
/* Locked. It waits no more. */
void cc_host_forget_written(struct cc_host *h, const uint8_t root[32]);

/* --- What one can be told ------------------------------------------------- */

#define CC_HOST_EVENTS 1000

struct cc_host_event {
    uint64_t number;
    int64_t time;
    uint32_t height;
    const char *kind; /* static: "proof", "rent", ... */
    char text[200];
    uint8_t txid[32];
    bool has_txid;
    cc_amount amount; /* -1: none */
};

/* Log it and keep it. txid may be NULL; amount -1: none. Takes the lock. */
void cc_host_tell(struct cc_host *h, const char *kind, const uint8_t *txid,
                  cc_amount amount, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* --- The engine ----------------------------------------------------------- */

struct cc_host_seal;

/* Sent, perhaps not mined: told to the network again with each block, for a
 * peer that came later has not heard of it. */
struct cc_host_sent {
    uint8_t txid[32];
    char *hex;
    uint32_t height;
};
#define CC_HOST_SENT_MAX 256

struct cc_host {
    struct cc_host_config config;
    char *directory, *wallet, *listen, *announce, *name;
    uint8_t secret[32], key[32];
    bool has_key; /* the wallet gave it */
    bool registered;
    char waits_for[300]; /* why it does not serve yet; "" it does */
    struct cc_volume *volume;

    pthread_mutex_t lock, tick_lock;
    pthread_cond_t wake; /* with lock: news for the chain's thread */
    bool stop, news;
    uint32_t tip;
    struct cc_host_contract **contracts;
    size_t contract_count, contract_cap;
    struct cc_map written;        /* root -> struct cc_host_written */
    struct cc_host_event *events; /* ring */
    uint64_t event_count;
    uint64_t list_changes; /* how often any contract's sectors changed */
    uint64_t reads, writes, refused; /* since the start */

    /* Of the chain's thread (tick_lock). */
    struct cc_map hashes; /* height 4 -> hash 32, of the active chain */
    uint8_t tip_hash[32];
    bool hash_failed; /* a view's read did not get an answer */
    struct cc_host_seal *seal;
    int64_t identity_height; /* when we were first seen registered */
    int64_t register_sent;   /* height, -1: not */
    uint8_t register_txid[32];
    struct cc_host_sent *sent; /* with lock: sessions send too */
    size_t sent_count;

    pthread_t chain_thread, listen_thread;
    bool chain_started, listen_started;
    int listen_fd;
    uint16_t port;
    struct cc_host_session *sessions;
    size_t session_count;
    pthread_cond_t session_ended;
};

/* --- The node ------------------------------------------------------------- */

enum cc_status cc_host_call(struct cc_host *h, const char *method,
                            json_t *params, json_t **result,
                            struct cc_error *err);
/* With the host's wallet. */
enum cc_status cc_host_call_wallet(struct cc_host *h, const char *method,
                                   json_t *params, json_t **result,
                                   struct cc_error *err);
/* Coins in JSON to satoshi; false for what is none. */
bool cc_host_amount(cc_amount *out, const json_t *v);
/* 64 digits as shown, to internal order. */
bool cc_host_txid(uint8_t out[32], const json_t *v);
json_t *cc_host_txid_json(const uint8_t txid[32]);
/* The tip; forgets hashes of a branch that was left. */
enum cc_status cc_host_update_tip(struct cc_host *h, bool *changed,
                                  struct cc_error *err);
enum cc_status cc_host_hash(struct cc_host *h, uint32_t height, uint8_t out[32],
                            struct cc_error *err);
/* S of a block. */
enum cc_status cc_host_state(struct cc_host *h, uint32_t height,
                             struct cc_mint_state *out, struct cc_error *err);
/* An unspent output of the chain. script is the caller's. CC_NOTFOUND. */
enum cc_status cc_host_coin(struct cc_host *h, const struct cc_outpoint *o,
                            cc_amount *value, uint8_t **script, size_t *len,
                            struct cc_error *err);
/* The next block's view of the chain; h->hash_failed says if a read failed. */
struct cc_storage_view cc_host_view(struct cc_host *h);

/* --- Transactions --------------------------------------------------------- */

struct cc_host_funds {
    struct cc_form_input inputs[CC_FORM_INPUTS_MAX];
    size_t count;
    cc_amount sum;
    struct cc_arena arena; /* scripts */
};
/* Coins of the wallet worth at least need, confirmed ones first, else our own
 * change; locked against other use. CC_LIMIT: not enough. */
enum cc_status cc_host_fund(struct cc_host *h, cc_amount need,
                            struct cc_host_funds *f, struct cc_error *err);
/* unlock: the coins are free again. */
void cc_host_funds_clear(struct cc_host *h, struct cc_host_funds *f,
                         bool unlock);
/* Give the wallet's signatures to the inputs named, of a transaction whose
 * other inputs stay as they are. tx is decoded anew into *out. */
enum cc_status cc_host_sign_inputs(struct cc_host *h, const struct cc_tx *tx,
                                   size_t first, size_t count,
                                   struct cc_tx *out, struct cc_error *err);
enum cc_status cc_host_send(struct cc_host *h, const struct cc_tx *tx,
                            struct cc_error *err);
/* Keep a transaction that was sent, to tell it again. hex is copied. */
void cc_host_keep_sent(struct cc_host *h, const uint8_t txid[32],
                       const char *hex);
/* Tell all again that may still wait. */
void cc_host_send_again(struct cc_host *h);
/* Is there nothing to do but wait for what was sent at this height? Not when
 * the node has lost it, nor when it has waited for too long: then it is made
 * anew, at a higher fee. */
bool cc_host_still_waits(struct cc_host *h, const uint8_t txid[32],
                         int64_t sent_height);

/* One typed coin of ours, and what is to be done with it. */
struct cc_host_spend {
    struct cc_outpoint outpoint;
    struct cc_coin coin; /* script borrowed */
    struct cc_act act;   /* action, flags, i, d, leaf, rev, vou, proofs */
    /* Above the config's: as far as half of what it brings and what is lost
     * without it. */
    cc_amount feerate, stake;
};
/* Build, sign, check against the rules, send. *released: what it brings us
 * before fees. */
enum cc_status cc_host_spend(struct cc_host *h, const struct cc_host_spend *s,
                             uint8_t txid[32], cc_amount *released,
                             struct cc_error *err);
/* Form a typed output of ours, funded and signed. formed: its place. */
enum cc_status cc_host_form_typed(struct cc_host *h, struct cc_typed *t,
                                  cc_amount value, struct cc_outpoint *formed,
                                  struct cc_error *err);
/* OP_1 <key>. */
void cc_host_pay_script(uint8_t script[34], const uint8_t key[32]);

/* --- Duties --------------------------------------------------------------- */

enum cc_host_duty { CC_DUTY_NONE, CC_DUTY_PROVE, CC_DUTY_SYNC, CC_DUTY_END };

struct cc_host_plan {
    enum cc_host_duty duty;
    uint16_t i;    /* PROVE */
    bool rev, vou; /* carry them */
};

struct cc_host_plan_input {
    const struct cc_contract *body; /* the coin's */
    const uint8_t *id;
    bool has_rev;    /* a later revision is signed */
    bool new_root;   /* and its root differs */
    bool may_sync;   /* SYNC is not off */
    bool rested;     /* and no other came for a while */
    uint32_t height; /* of the coin */
    uint64_t voucher;
    uint32_t prove_delay;
};
/* What the next block's height asks for. Pure but for the view. */
struct cc_host_plan cc_host_make_plan(const struct cc_host_plan_input *in,
                                      const struct cc_storage_view *view);

enum cc_status cc_host_update_contracts(struct cc_host *h,
                                        struct cc_error *err);
void cc_host_do_duties(struct cc_host *h);
enum cc_status cc_host_update_identity(struct cc_host *h, struct cc_error *err);

void cc_host_seal_init(struct cc_host *h);
void cc_host_seal_clear(struct cc_host *h);
enum cc_status cc_host_update_seal(struct cc_host *h, struct cc_error *err);
json_t *cc_host_seal_json(struct cc_host *h);
/* Does sealing still need this sector? */
bool cc_host_seal_holds(struct cc_host *h, const uint8_t root[32]);

/* --- Sessions ------------------------------------------------------------- */

enum cc_status cc_host_listen(struct cc_host *h, struct cc_error *err);
void cc_host_stop_sessions(struct cc_host *h);
/* A refusal as a reply. */
void cc_host_refuse(struct cc_message *reply, struct cc_host_scratch *s,
                    enum cc_refusal code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void cc_host_serve_form_request(struct cc_host *h, const uint8_t peer[32],
                                const struct cc_msg_form_request *m,
                                struct cc_message *reply,
                                struct cc_host_scratch *s);
void cc_host_serve_form_sign(struct cc_host *h, const uint8_t peer[32],
                             const struct cc_msg_form_sign *m,
                             struct cc_message *reply,
                             struct cc_host_scratch *s);
/* The settings as they are now. Locked. */
void cc_host_settings(struct cc_host *h, struct cc_msg_settings_reply *s);

#endif
