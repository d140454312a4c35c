/* What a renter asks of a contract: write, revise, read, pay, look. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/ec.h"
#include "storage/host_i.h"
#include "util/clock.h"
#include "util/mem.h"

/* A contract may have as many sectors waiting for a revision as its capacity,
 * and some that an attempt that failed left. */
#define WAITING_SPARE 4

void cc_host_refuse(struct cc_message *reply, struct cc_host_scratch *s,
                    enum cc_refusal code, const char *fmt, ...)
{
    char text[400];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n < 0)
        n = 0;
    if ((size_t)n >= sizeof(text))
        n = (int)sizeof(text) - 1;
    memset(&reply->u.error, 0, sizeof(reply->u.error));
    reply->type = CC_MSG_ERROR;
    reply->u.error.code = (uint16_t)code;
    reply->u.error.text =
        cc_bytes(cc_arena_dup(&s->arena, text, (size_t)n), (size_t)n);
}

void cc_host_settings(struct cc_host *h, struct cc_msg_settings_reply *s)
{
    struct cc_volume_counts v = cc_volume_counts(h->volume);

    *s = h->config.settings;
    s->version = CC_SESSION_VERSION;
    memcpy(s->genesis, h->config.params->genesis_hash, 32);
    s->height = h->tip;
    s->sectors_total = v.capacity;
    s->sectors_free = cc_host_sectors_free(h);
    s->name = cc_bytes(h->name, strlen(h->name));
    s->accepting = h->has_key && s->accepting && s->sectors_free > 0;
}

/* The peer's contract, or a refusal. Locked. */
static struct cc_host_contract *
find_for(struct cc_host *h, const uint8_t peer[32], const uint8_t id[32],
         struct cc_message *reply, struct cc_host_scratch *s)
{
    struct cc_host_contract *c = cc_host_contract_find(h, id);

    if (!c) {
        cc_host_refuse(reply, s, CC_REFUSE_UNKNOWN, "no such contract");
        return NULL;
    }
    if (memcmp(c->body.renter_key, peer, 32)) {
        cc_host_refuse(reply, s, CC_REFUSE_NOT_YOURS,
                       "the contract is another renter's");
        return NULL;
    }
    return c;
}

/* Over, as far as new data goes: no further period will be proved. */
static bool is_over(const struct cc_host *h, const struct cc_host_contract *c)
{
    return c->gone_since >= 0
               ? c->on_chain
               : (int64_t)h->tip >= cc_contract_due(&c->body, c->body.periods);
}

/* Money that has been put ahead: redeemed on chain or vouched for. */
static uint64_t paid(const struct cc_host_contract *c)
{
    return c->voucher > c->body.redeemed ? c->voucher : c->body.redeemed;
}

static bool can_pay(const struct cc_host_contract *c, uint64_t cost)
{
    /* Allowances are below 2^53 satoshi, so a product fits 128 bits; used and
     * cost are bounded by it. */
    __extension__ unsigned __int128 have = paid(c);

    have *= CC_USAT;
    return cost <= UINT64_MAX - c->used && c->used + cost <= have;
}

static void refuse_payment(struct cc_message *reply, struct cc_host_scratch *s,
                           const struct cc_host_contract *c, uint64_t cost)
{
    cc_host_refuse(reply, s, CC_REFUSE_PAYMENT,
                   "this costs %" PRIu64 " micro-satoshi; %" PRIu64
                   " are used of %" PRIu64 " satoshi paid",
                   cost, c->used, paid(c));
}

/* --- WRITE ---------------------------------------------------------------- */

/* Charged before it is served: else sessions side by side would all spend the
 * same money. */
static bool admit_write(struct cc_host *h, const uint8_t peer[32],
                        const struct cc_msg_write *m, uint64_t *cost,
                        struct cc_message *reply, struct cc_host_scratch *s)
{
    struct cc_host_contract *c;

    pthread_mutex_lock(&h->lock);
    c = find_for(h, peer, m->contract, reply, s);
    *cost = c ? c->price_write + c->price_request : 0;
    if (c && is_over(h, c)) {
        cc_host_refuse(reply, s, CC_REFUSE_ENDED, "the contract is over");
    } else if (c && !can_pay(c, *cost)) {
        refuse_payment(reply, s, c, *cost);
    } else if (c) {
        c->used += *cost;
        reply->type = CC_MSG_WRITE_REPLY;
    }
    pthread_mutex_unlock(&h->lock);
    return reply->type == CC_MSG_WRITE_REPLY;
}

/* Known as waiting before it is there, so that nobody collects it. No contract
 * may have the volume full of sectors that it pays no rent for: false. */
static bool note_written(struct cc_host *h, const uint8_t id[32],
                         const uint8_t root[32])
{
    struct cc_host_contract *c;
    struct cc_host_written *at;
    bool room, fresh;

    pthread_mutex_lock(&h->lock);
    c = cc_host_contract_find(h, id);
    at = cc_map_get(&h->written, root);
    room = c && (at || c->waiting < c->capacity + WAITING_SPARE);
    if (room) {
        at = cc_map_put(&h->written, root, &fresh);
        if (fresh) {
            memcpy(at->contract, id, 32);
            c->waiting++;
        }
        at->since = cc_clock_now(NULL);
    }
    pthread_mutex_unlock(&h->lock);
    return room;
}

/* What waited for too long makes room, if need be. */
static enum cc_status keep_sector(struct cc_host *h,
                                  const struct cc_msg_write *m,
                                  const uint8_t root[32], struct cc_error *err)
{
    enum cc_status st = CC_LIMIT;

    for (int i = 0; st == CC_LIMIT && i < 2; i++) {
        if (i)
            cc_host_collect(h);
        if (note_written(h, m->contract, root))
            st = cc_volume_write(h->volume, root, m->data.data, err);
        else
            cc_fail(err, CC_LIMIT, "too many sectors wait for a revision");
    }
    return st;
}

static void serve_write(struct cc_host *h, const uint8_t peer[32],
                        const struct cc_msg_write *m, struct cc_message *reply,
                        struct cc_host_scratch *s)
{
    struct cc_host_contract *c;
    struct cc_error err;
    enum cc_status st;
    uint8_t root[32];
    uint64_t cost;

    if (!admit_write(h, peer, m, &cost, reply, s))
        return;
    cc_mtree_sector_root(root, m->data.data);
    st = keep_sector(h, m, root, &err);
    pthread_mutex_lock(&h->lock);
    if (st != CC_OK && !cc_volume_has(h->volume, root))
        cc_host_forget_written(h, root);
    c = find_for(h, peer, m->contract, reply, s);
    if (c && st == CC_OK) {
        h->writes++;
        memcpy(reply->u.write_reply.root, root, 32);
        reply->u.write_reply.used = c->used;
    } else if (c) {
        c->used -= cost;
        cc_log(h->config.log, "host: cannot keep a sector: %s", err.text);
        cc_host_refuse(reply, s,
                       st == CC_LIMIT ? CC_REFUSE_FULL : CC_REFUSE_INTERNAL,
                       st == CC_LIMIT ? "no room is left for the sector"
                                      : "the sector could not be kept");
    }
    pthread_mutex_unlock(&h->lock);
}

/* --- REVISE --------------------------------------------------------------- */

/* Only what is here can be promised. */
static bool is_written(void *arg, const uint8_t root[32])
{
    struct cc_host *h = arg;

    return cc_map_get(&h->written, root) && cc_volume_has(h->volume, root);
}

/* The same revision asked for again: an answer got lost. */
static bool is_repeated(const struct cc_host_contract *c,
                        const struct cc_msg_revise *m)
{
    return m->revision == c->revision && m->revision > 0 &&
           m->sectors == c->sectors && !memcmp(m->root, c->root, 32);
}

static enum cc_refusal revise_fault(struct cc_host *h,
                                    const struct cc_host_contract *c,
                                    const struct cc_msg_revise *m,
                                    struct cc_error *err)
{
    uint8_t msg[32];

    if (is_over(h, c)) {
        cc_fail(err, CC_INVALID, "the contract is over");
        return CC_REFUSE_ENDED;
    }
    if (m->revision <= c->revision || m->revision <= c->body.revision) {
        cc_fail(err, CC_INVALID, "revision %u was signed before",
                (unsigned)c->revision);
        return CC_REFUSE_REVISION;
    }
    if (m->sectors > c->capacity) {
        cc_fail(err, CC_INVALID, "rent is paid for %u sectors",
                (unsigned)c->capacity);
        return CC_REFUSE_FULL;
    }
    cc_revision_message(msg, c->id, m->revision, m->root, m->sectors,
                        h->config.params);
    if (!cc_schnorr_verify(c->body.renter_key, m->signature, msg, 32)) {
        cc_fail(err, CC_INVALID, "signature");
        return CC_REFUSE_SIGNATURE;
    }
    return (enum cc_refusal)0;
}

/* The list that the changes make must have the root that was signed. */
static bool make_list(struct cc_host *h, const struct cc_host_contract *c,
                      const struct cc_msg_revise *m, uint8_t **roots,
                      size_t *count, struct cc_error *err)
{
    const uint8_t *old;
    uint8_t root[32] = {0}; /* of no sectors */
    size_t cap;

    old = cc_host_contract_roots(c, count);
    cap = *count + 1;
    *roots = cc_malloc(cap * 32);
    memcpy(*roots, old, *count * 32);
    if (cc_changes_apply(roots, count, &cap, m, is_written, h, err) != CC_OK)
        return false;
    if (*count)
        cc_mtree_root(root, *roots, *count);
    if (*count != m->sectors || memcmp(m->root, root, 32)) {
        cc_fail(err, CC_INVALID, "the changes lead to another root");
        return false;
    }
    /* Revisions cost nothing, and each may come to the chain. */
    if (c->mark_count >= h->config.lists_max ||
        cc_host_contract_list_size(c, *count) >
            h->config.lists_max + 2 * (uint64_t)c->capacity) {
        cc_fail(err, CC_INVALID,
                "too many revisions wait for the chain: try again later");
        return false;
    }
    return true;
}

/* The sectors of the latest list wait no more. */
static void settle_written(struct cc_host *h, const struct cc_host_contract *c)
{
    const uint8_t *roots;
    size_t count;

    roots = cc_host_contract_roots(c, &count);
    for (size_t i = 0; i < count; i++)
        if (cc_map_get(&h->written, roots + 32 * i))
            cc_host_forget_written(h, roots + 32 * i);
}

/* Both signatures are on disk before ours is told. */
static enum cc_status accept_revision(struct cc_host *h,
                                      struct cc_host_contract *c,
                                      const struct cc_msg_revise *m,
                                      const uint8_t *roots, size_t count,
                                      struct cc_error *err)
{
    uint8_t msg[32];
    enum cc_status st;

    cc_revision_message(msg, c->id, m->revision, m->root, m->sectors,
                        h->config.params);
    if (!cc_schnorr_sign(h->config.ec, c->host_sig, h->secret, msg, 32, NULL))
        return cc_fail(err, CC_IO, "cannot sign");
    c->revision = m->revision;
    c->sectors = m->sectors;
    memcpy(c->root, m->root, 32);
    memcpy(c->renter_sig, m->signature, 64);
    c->revised_height = h->tip;
    cc_host_contract_extend(c, m->revision, m->root, roots, count);
    h->list_changes++;
    st = cc_host_contract_save(h, c, err);
    if (st == CC_OK)
        settle_written(h, c);
    return st;
}

/* Locked. */
static void revise(struct cc_host *h, struct cc_host_contract *c,
                   const struct cc_msg_revise *m, struct cc_message *reply,
                   struct cc_host_scratch *s)
{
    struct cc_error err;
    enum cc_refusal why;
    uint8_t *roots = NULL;
    size_t count = 0;

    cc_error_init(&err);
    if (!is_repeated(c, m)) {
        why = revise_fault(h, c, m, &err);
        if (!why && !make_list(h, c, m, &roots, &count, &err))
            why = CC_REFUSE_REVISION;
        if (!why && accept_revision(h, c, m, roots, count, &err) != CC_OK)
            why = CC_REFUSE_INTERNAL;
        free(roots);
        if (why) {
            cc_host_refuse(reply, s, why, "%s", err.text);
            return;
        }
    }
    reply->type = CC_MSG_REVISE_REPLY;
    memcpy(reply->u.revise_reply.signature, c->host_sig, 64);
}

/* --- READ ----------------------------------------------------------------- */

/* Everything for the answer but the data, copied out under the lock. */
struct reading {
    uint8_t root[32];
    uint8_t *path; /* in the arena */
    size_t path_len;
    uint64_t cost;
};

static bool prepare_read(struct cc_host *h, const uint8_t peer[32],
                         const struct cc_msg_read *m, struct reading *out,
                         struct cc_message *reply, struct cc_host_scratch *s)
{
    const uint32_t leaves = m->length / CC_LEAF_SIZE;
    struct cc_host_contract *c;
    const uint8_t *roots;
    bool ok = false;
    size_t count;

    pthread_mutex_lock(&h->lock);
    c = find_for(h, peer, m->contract, reply, s);
    roots = c ? cc_host_contract_roots(c, &count) : NULL;
    out->cost = c ? c->price_request + c->price_read * leaves : 0;
    if (c && m->sector >= count) {
        cc_host_refuse(reply, s, CC_REFUSE_UNKNOWN, "no such sector");
    } else if (c && !can_pay(c, out->cost)) {
        refuse_payment(reply, s, c, out->cost);
    } else if (c) {
        memcpy(out->root, roots + 32 * (size_t)m->sector, 32);
        out->path_len = 32 * cc_mtree_path_len(m->sector, count);
        out->path = cc_arena_alloc(&s->arena, out->path_len + 1);
        cc_mtree_path(out->path, roots, count, m->sector);
        c->used += out->cost; /* as for a write */
        ok = true;
    }
    pthread_mutex_unlock(&h->lock);
    return ok;
}

/* The account after a read; what was not served costs nothing. */
static uint64_t settle(struct cc_host *h, const uint8_t id[32], uint64_t cost,
                       bool served)
{
    struct cc_host_contract *c;
    uint64_t used = 0;

    pthread_mutex_lock(&h->lock);
    c = cc_host_contract_find(h, id);
    if (c && !served)
        c->used -= cost;
    if (c)
        used = c->used;
    h->reads += served;
    pthread_mutex_unlock(&h->lock);
    return used;
}

static void refuse_read(struct cc_host *h, enum cc_status st,
                        const struct cc_error *err, struct cc_message *reply,
                        struct cc_host_scratch *s)
{
    if (st == CC_CORRUPT)
        cc_host_tell(h, "damage", NULL, -1,
                     "a sector is damaged and was not served");
    else
        cc_log(h->config.log, "host: cannot read a sector: %s", err->text);
    cc_host_refuse(reply, s,
                   st == CC_NOTFOUND ? CC_REFUSE_UNKNOWN : CC_REFUSE_INTERNAL,
                   st == CC_CORRUPT ? "the sector is damaged"
                                    : "the sector cannot be read");
}

static void serve_read(struct cc_host *h, const uint8_t peer[32],
                       const struct cc_msg_read *m, struct cc_message *reply,
                       struct cc_host_scratch *s)
{
    const uint32_t begin = m->offset / CC_LEAF_SIZE;
    const uint32_t leaves = m->length / CC_LEAF_SIZE;
    struct cc_msg_read_reply *out = &reply->u.read_reply;
    uint8_t *hashes, *proof;
    size_t nodes = 2 * CC_PROOF_NODES_MAX;
    struct reading r;
    struct cc_error err;
    enum cc_status st;

    if (!prepare_read(h, peer, m, &r, reply, s))
        return;
    s->data = cc_grow(s->data, &s->cap, m->length, 1);
    hashes = cc_malloc(CC_SECTOR_LEAVES * 32);
    st = cc_volume_read_leaves(h->volume, r.root, begin, begin + leaves,
                               s->data, hashes, &err);
    if (st != CC_OK) {
        settle(h, m->contract, r.cost, false);
        refuse_read(h, st, &err, reply, s);
        free(hashes);
        return;
    }
    proof = cc_arena_alloc(&s->arena, nodes * 32);
    if (!cc_mtree_range_prove(proof, &nodes, hashes, CC_SECTOR_LEAVES, begin,
                              begin + leaves))
        nodes = 0;
    free(hashes);
    reply->type = CC_MSG_READ_REPLY;
    out->data = cc_bytes(s->data, m->length);
    out->range = cc_bytes(proof, nodes * 32);
    out->path = cc_bytes(r.path, r.path_len);
    out->used = settle(h, m->contract, r.cost, true);
}

/* --- Money ---------------------------------------------------------------- */

/* Locked. */
static void take_voucher(struct cc_host *h, struct cc_host_contract *c,
                         const struct cc_msg_voucher *m,
                         struct cc_message *reply, struct cc_host_scratch *s)
{
    const uint64_t before = c->voucher;
    struct cc_error err;
    uint8_t msg[32], sig[64];

    cc_error_init(&err);
    if (m->amount > c->body.allowance) {
        cc_host_refuse(reply, s, CC_REFUSE_PAYMENT,
                       "the allowance is %" PRIu64 " satoshi",
                       c->body.allowance);
        return;
    }
    if (m->amount > paid(c)) {
        cc_voucher_message(msg, c->id, m->amount, h->config.params);
        if (!cc_schnorr_verify(c->body.renter_key, m->signature, msg, 32)) {
            cc_host_refuse(reply, s, CC_REFUSE_SIGNATURE, "signature");
            return;
        }
        memcpy(sig, c->voucher_sig, 64);
        c->voucher = m->amount;
        memcpy(c->voucher_sig, m->signature, 64);
        if (cc_host_contract_save(h, c, &err) != CC_OK) {
            c->voucher = before;
            memcpy(c->voucher_sig, sig, 64);
            cc_log(h->config.log, "host: %s", err.text);
            cc_host_refuse(reply, s, CC_REFUSE_INTERNAL,
                           "the voucher could not be kept");
            return;
        }
    }
    reply->type = CC_MSG_VOUCHER_REPLY;
    reply->u.voucher_reply.amount = paid(c);
    reply->u.voucher_reply.used = c->used;
}

/* --- Looking -------------------------------------------------------------- */

static void tell_roots(const struct cc_host_contract *c,
                       const struct cc_msg_roots *m, struct cc_message *reply,
                       struct cc_host_scratch *s)
{
    struct cc_msg_roots_reply *out = &reply->u.roots_reply;
    size_t count, n;
    const uint8_t *roots = cc_host_contract_roots(c, &count);

    reply->type = CC_MSG_ROOTS_REPLY;
    out->total = (uint32_t)count;
    n = m->from < count ? count - m->from : 0;
    if (n > m->count)
        n = m->count;
    out->roots = cc_bytes(NULL, 0);
    if (n)
        out->roots = cc_bytes(
            cc_arena_dup(&s->arena, roots + 32 * (size_t)m->from, n * 32),
            n * 32);
}

static void tell_latest(const struct cc_host *h,
                        const struct cc_host_contract *c,
                        struct cc_message *reply)
{
    struct cc_msg_latest_reply *out = &reply->u.latest_reply;

    reply->type = CC_MSG_LATEST_REPLY;
    memset(out, 0, sizeof(*out));
    out->revision = c->revision;
    memcpy(out->root, c->root, 32);
    out->sectors = c->sectors;
    memcpy(out->renter_signature, c->renter_sig, 64);
    memcpy(out->host_signature, c->host_sig, 64);
    out->capacity = c->capacity;
    out->voucher = paid(c);
    out->used = c->used;
    out->sealed_off = is_over(h, c);
}

static void tell_health(struct cc_host *h, const struct cc_host_contract *c,
                        struct cc_message *reply)
{
    struct cc_msg_health_reply *out = &reply->u.health_reply;
    size_t count;
    const uint8_t *roots = cc_host_contract_roots(c, &count);

    reply->type = CC_MSG_HEALTH_REPLY;
    memset(out, 0, sizeof(*out));
    out->height = h->tip;
    out->revision = c->revision;
    out->sectors = c->sectors;
    out->chain_revision = c->body.revision;
    out->done = c->body.done;
    for (size_t i = 0; i < count; i++)
        out->bad_sectors += !cc_volume_has(h->volume, roots + 32 * i);
}

/* What we signed and could not write down is not told, or after a crash we
 * might sign another with its number: now it is written, or we say nothing. */
static bool is_kept(struct cc_host *h, struct cc_host_contract *c,
                    struct cc_message *reply, struct cc_host_scratch *s)
{
    struct cc_error err;

    cc_error_init(&err);
    if (!c->unsaved)
        return true;
    if (cc_host_contract_save(h, c, &err) != CC_OK) {
        cc_log(h->config.log, "host: %s", err.text);
        cc_host_refuse(reply, s, CC_REFUSE_INTERNAL,
                       "the contract cannot be written down now");
        return false;
    }
    settle_written(h, c);
    return true;
}

/* Requests that need no more than the lock. */
static void serve_locked(struct cc_host *h, const uint8_t peer[32],
                         const struct cc_message *m, struct cc_message *reply,
                         struct cc_host_scratch *s)
{
    const uint8_t *id = m->type == CC_MSG_REVISE    ? m->u.revise.contract
                        : m->type == CC_MSG_ROOTS   ? m->u.roots.contract
                        : m->type == CC_MSG_LATEST  ? m->u.latest.contract
                        : m->type == CC_MSG_VOUCHER ? m->u.voucher.contract
                                                    : m->u.health.contract;
    struct cc_host_contract *c;

    pthread_mutex_lock(&h->lock);
    c = find_for(h, peer, id, reply, s);
    if (c && !is_kept(h, c, reply, s))
        c = NULL;
    if (c && m->type == CC_MSG_REVISE)
        revise(h, c, &m->u.revise, reply, s);
    else if (c && m->type == CC_MSG_ROOTS)
        tell_roots(c, &m->u.roots, reply, s);
    else if (c && m->type == CC_MSG_LATEST)
        tell_latest(h, c, reply);
    else if (c && m->type == CC_MSG_VOUCHER)
        take_voucher(h, c, &m->u.voucher, reply, s);
    else if (c)
        tell_health(h, c, reply);
    pthread_mutex_unlock(&h->lock);
}

void cc_host_serve(struct cc_host *h, const uint8_t peer[32],
                   const struct cc_message *m, struct cc_message *reply,
                   struct cc_host_scratch *s)
{
    cc_arena_clear(&s->arena);
    memset(reply, 0, sizeof(*reply));
    reply->id = m->id;
    switch ((unsigned)m->type) {
    case CC_MSG_SETTINGS:
        pthread_mutex_lock(&h->lock);
        cc_host_settings(h, &reply->u.settings_reply);
        pthread_mutex_unlock(&h->lock);
        reply->type = CC_MSG_SETTINGS_REPLY;
        break;
    case CC_MSG_FORM_REQUEST:
        cc_host_serve_form_request(h, peer, &m->u.form_request, reply, s);
        break;
    case CC_MSG_FORM_SIGN:
        cc_host_serve_form_sign(h, peer, &m->u.form_sign, reply, s);
        break;
    case CC_MSG_WRITE:
        serve_write(h, peer, &m->u.write, reply, s);
        break;
    case CC_MSG_READ:
        serve_read(h, peer, &m->u.read, reply, s);
        break;
    case CC_MSG_REVISE:
    case CC_MSG_ROOTS:
    case CC_MSG_LATEST:
    case CC_MSG_VOUCHER:
    case CC_MSG_HEALTH:
        serve_locked(h, peer, m, reply, s);
        break;
    default:
        cc_host_refuse(reply, s, CC_REFUSE_MALFORMED, "that is no request");
        break;
    }
    if (reply->type == CC_MSG_ERROR) {
        pthread_mutex_lock(&h->lock);
        h->refused++;
        pthread_mutex_unlock(&h->lock);
    }
}
