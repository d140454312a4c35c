/*
 * What each block asks of a host: know the coins, prove, synchronise, end,
 * forget; and be registered.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/ec.h"
#include "crypto/mtree.h"
#include "storage/host_i.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/writer.h"

#define SAMPLES_MAX 16
#define FEERATE_MAX 1000000000 /* satoshi per 1,000 vbytes */

static void short_id(char out[17], const uint8_t id[32])
{
    char hex[65];

    cc_hex_encode(hex, id, 32);
    memcpy(out, hex, 16);
    out[16] = 0;
}

/* --- Coins of contracts --------------------------------------------------- */

/* What a move of the coin meant, told to the user. Locked on entry and exit;
 * telling takes the lock by itself. */
struct news {
    uint8_t txid[32], id[32];
    uint32_t done_before, done;
    cc_amount rent, voucher;
    bool proved, redeemed, revised, confirmed;
    uint32_t revision;
};

static void compare(struct news *n, const struct cc_host_contract *c,
                    const struct cc_contract *now, const struct cc_outpoint *o)
{
    const struct cc_contract *was = &c->body;
    uint64_t missed = 0;

    memset(n, 0, sizeof(*n));
    memcpy(n->txid, o->txid, 32);
    memcpy(n->id, c->id, 32);
    n->confirmed = !c->on_chain;
    n->done_before = was->done;
    n->done = now->done;
    if (now->done > was->done && now->start == was->start) {
        n->proved = true;
        if (was->rent && now->allowance > was->allowance)
            missed = (now->allowance - was->allowance) / was->rent;
        if (missed <= (uint64_t)(now->done - was->done))
            n->rent = (cc_amount)(was->rent * (now->done - was->done - missed));
    }
    n->redeemed = now->redeemed > was->redeemed;
    if (n->redeemed)
        n->voucher = (cc_amount)(now->redeemed - was->redeemed);
    n->revised = now->revision > was->revision;
    n->revision = now->revision;
}

static void tell_news(struct cc_host *h, const struct news *n)
{
    char id[17];

    short_id(id, n->id);
    if (n->confirmed)
        cc_host_tell(h, "contract", n->txid, -1, "contract %s is on the chain",
                     id);
    if (n->proved)
        cc_host_tell(h, "proof", n->txid, -1,
                     "proof of period %u of contract %s is on the chain",
                     (unsigned)n->done, id);
    if (n->rent > 0)
        cc_host_tell(h, "rent", n->txid, n->rent, "rent of contract %s", id);
    if (n->redeemed)
        cc_host_tell(h, "voucher", n->txid, n->voucher,
                     "voucher of contract %s redeemed", id);
    if (n->revised)
        cc_host_tell(h, "revision", n->txid, -1,
                     "revision %u of contract %s is on the chain",
                     (unsigned)n->revision, id);
}

/* A contract of ours as listcontracts has it: id and where its coin is. */
static bool read_listed(const json_t *row, uint8_t id[32],
                        struct cc_outpoint *o, uint32_t *height)
{
    const char *hex = json_string_value(json_object_get(row, "id"));

    if (!hex || strlen(hex) != 64 || !cc_hex_decode(id, 32, hex) ||
        !cc_host_txid(o->txid, json_object_get(row, "txid")))
        return false;
    o->index = (uint32_t)json_integer_value(json_object_get(row, "vout"));
    *height = (uint32_t)json_integer_value(json_object_get(row, "height"));
    return true;
}

/* Its coin moved, or is seen for the first time. */
static enum cc_status follow(struct cc_host *h, const uint8_t id[32],
                             const struct cc_outpoint *o, uint32_t height,
                             struct cc_error *err)
{
    struct cc_host_contract *c;
    struct cc_typed t;
    struct news n;
    enum cc_status st;
    cc_amount value;
    uint8_t *script;
    size_t len;

    st = cc_host_coin(h, o, &value, &script, &len, err);
    if (st != CC_OK)
        return st;
    st = cc_typed_parse(&t, cc_bytes(script, len), err);
    if (st == CC_OK && t.kind != CC_KIND_CONTRACT)
        st = cc_fail(err, CC_IO, "the node's contract is none");
    if (st != CC_OK) {
        free(script);
        return st;
    }
    memcpy(t.u.contract.id, id, 32);
    pthread_mutex_lock(&h->lock);
    c = cc_host_contract_find(h, id);
    compare(&n, c, &t.u.contract, o);
    /* A proof moves the coin and keeps the root, which is as deep as it was;
     * unless the chain went back, and all is new. */
    if (t.u.contract.revision != c->body.revision || height <= c->root_height)
        c->root_height = height;
    c->body = t.u.contract;
    c->value = value;
    c->outpoint = *o;
    c->height = height;
    c->on_chain = true;
    c->gone_since = c->pending_height = -1;
    c->attempts = 0;
    free(c->script);
    c->script = script;
    c->script_len = len;
    /* Someone else's REVISE or the renter's SYNC may be ahead of us: both
     * carry our signature, so we have the list. */
    st = cc_host_contract_save(h, c, err);
    pthread_mutex_unlock(&h->lock);
    tell_news(h, &n);
    return st;
}

static bool has_moved(struct cc_host *h, const uint8_t id[32],
                      const struct cc_outpoint *o, bool *known)
{
    struct cc_host_contract *c;
    bool moved;

    pthread_mutex_lock(&h->lock);
    c = cc_host_contract_find(h, id);
    *known = c != NULL;
    moved = c &&
            (!c->on_chain || !c->script || !cc_outpoint_equal(&c->outpoint, o));
    if (c)
        c->gone_since = -1;
    pthread_mutex_unlock(&h->lock);
    return moved;
}

static bool is_listed(const json_t *list, const struct cc_host_contract *c)
{
    struct cc_outpoint o;
    uint8_t id[32];
    uint32_t height;

    for (size_t i = 0; i < json_array_size(list); i++)
        if (read_listed(json_array_get(list, i), id, &o, &height) &&
            !memcmp(id, c->id, 32))
            return true;
    return false;
}

/* Not on the chain: ended, never mined, or only gone in a reorganisation;
 * after CC_HOST_DEPTH blocks we believe it. One that was never there gets
 * until its start has passed. A chain that is not yet as long as when we saw
 * the coin last, of a node that reads or fetches its blocks anew, proves
 * nothing. */
static bool is_gone_for_good(const struct cc_host *h,
                             const struct cc_host_contract *c)
{
    const int64_t since =
        c->gone_since > c->height ? c->gone_since : (int64_t)c->height;

    return h->tip >= since + CC_HOST_DEPTH &&
           (c->on_chain || h->tip > c->body.start);
}

static void miss(struct cc_host *h, const json_t *list)
{
    struct cc_host_contract *c;
    uint8_t ended[32];
    bool any = false;
    char id[17];

    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->contract_count; i++) {
        c = h->contracts[i];
        if (is_listed(list, c))
            continue;
        if (c->gone_since < 0)
            c->gone_since = h->tip;
        if (!is_gone_for_good(h, c))
            continue;
        short_id(id, c->id);
        memcpy(ended, c->id, 32);
        cc_log(h->config.log, "contract %s: %s; its data is let go", id,
               c->on_chain ? "ended" : "never reached the chain");
        cc_host_contract_remove(h, c);
        any = true;
        i--;
    }
    pthread_mutex_unlock(&h->lock);
    if (any)
        cc_host_collect(h);
}

/* A root that is CC_HOST_DEPTH deep stays: what came before it may go. */
static void forget_old(struct cc_host *h)
{
    struct cc_host_contract *c;
    bool any = false;

    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->contract_count; i++) {
        c = h->contracts[i];
        if (c->on_chain && c->gone_since < 0 &&
            h->tip >= c->root_height + CC_HOST_DEPTH)
            any |= cc_host_contract_forget(c, c->body.revision);
    }
    pthread_mutex_unlock(&h->lock);
    if (any)
        cc_host_collect(h);
}

enum cc_status cc_host_update_contracts(struct cc_host *h, struct cc_error *err)
{
    char hex[65];
    struct cc_outpoint o;
    uint32_t height;
    uint8_t id[32];
    json_t *list;
    enum cc_status st;
    bool known;

    cc_hex_encode(hex, h->key, 32);
    st = cc_host_call(h, "listcontracts", json_pack("[s]", hex), &list, err);
    if (st != CC_OK)
        return st;
    for (size_t i = 0; st == CC_OK && i < json_array_size(list); i++) {
        if (!read_listed(json_array_get(list, i), id, &o, &height))
            continue;
        if (has_moved(h, id, &o, &known))
            st = follow(h, id, &o, height, err);
        if (st == CC_NOTFOUND)
            st = CC_OK; /* spent since: the next block tells */
    }
    if (st == CC_OK) {
        miss(h, list);
        forget_old(h);
    }
    json_decref(list);
    return st;
}

/* --- Duties --------------------------------------------------------------- */

/* All that one duty needs, copied out of the contract. */
struct job {
    uint8_t id[32];
    struct cc_contract body;
    struct cc_outpoint outpoint;
    cc_amount value;
    uint8_t *script;
    size_t script_len;
    uint32_t height;
    uint8_t rev[CC_REV_SIZE], vou[CC_VOU_SIZE];
    uint8_t *roots; /* of the coin's revision; NULL: we do not have them */
    size_t root_count;
    struct cc_host_plan_input in;
    uint8_t pending[32]; /* sent before */
    int64_t pending_height;
    unsigned attempts;
};

static void job_clear(struct job *j)
{
    free(j->script);
    free(j->roots);
}

/* False: nothing can be done with it now. Locked. */
static bool job_take(struct cc_host *h, const struct cc_host_contract *c,
                     struct job *j)
{
    const uint8_t *roots;

    if (!c->on_chain || c->gone_since >= 0 || !c->script)
        return false;
    memset(j, 0, sizeof(*j));
    memcpy(j->id, c->id, 32);
    j->body = c->body;
    j->outpoint = c->outpoint;
    j->value = c->value;
    j->script = cc_memdup(c->script, c->script_len);
    j->script_len = c->script_len;
    j->height = c->height;
    j->attempts = c->attempts;
    memcpy(j->pending, c->pending, 32);
    j->pending_height = c->pending_height;
    cc_rev_write(j->rev, c->revision, c->root, c->sectors, c->renter_sig);
    cc_vou_write(j->vou, c->voucher, c->voucher_sig);
    roots =
        c->body.sectors == 0
            ? NULL
            : cc_host_contract_roots_at(c, c->body.revision, &j->root_count);
    if (roots)
        j->roots = cc_memdup(roots, j->root_count * 32);
    j->in.has_rev = c->revision > c->body.revision && !c->unsaved;
    j->in.new_root =
        c->sectors != c->body.sectors || memcmp(c->root, c->body.root, 32) != 0;
    j->in.may_sync = h->config.sync_delay > 0;
    j->in.rested = h->tip >= c->revised_height + h->config.sync_delay;
    j->in.height = c->height;
    j->in.voucher = c->voucher;
    j->in.prove_delay = h->config.prove_delay;
    return true;
}

/* One sample: leaf, path in its sector, path of the sector. */
static enum cc_status make_sample(struct cc_host *h, const struct job *j,
                                  uint64_t leaf, struct cc_bytes *out,
                                  uint8_t *hashes, struct cc_error *err)
{
    const size_t sector = (size_t)(leaf / CC_SECTOR_LEAVES);
    const uint32_t at = (uint32_t)(leaf % CC_SECTOR_LEAVES);
    const size_t inner = cc_mtree_path_len(at, CC_SECTOR_LEAVES);
    const size_t outer = cc_mtree_path_len(sector, j->root_count);
    const size_t len = CC_LEAF_SIZE + 32 * (inner + outer);
    uint8_t *sample = cc_malloc(len);
    enum cc_status st = cc_volume_read_leaves(h->volume, j->roots + 32 * sector,
                                              at, at + 1, sample, hashes, err);

    if (st != CC_OK) {
        free(sample);
        return st;
    }
    cc_mtree_path(sample + CC_LEAF_SIZE, hashes, CC_SECTOR_LEAVES, at);
    cc_mtree_path(sample + CC_LEAF_SIZE + 32 * inner, j->roots, j->root_count,
                  sector);
    *out = cc_bytes(sample, len);
    return CC_OK;
}

/* The samples of called height i. */
static enum cc_status make_samples(struct cc_host *h, const struct job *j,
                                   unsigned i, struct cc_bytes *samples,
                                   size_t *count, struct cc_error *err)
{
    uint8_t hash[32], *hashes;
    enum cc_status st;

    *count = 0;
    st = cc_host_hash(h, (uint32_t)cc_contract_due(&j->body, i), hash, err);
    if (st != CC_OK || j->body.sectors == 0 ||
        !cc_contract_called(hash, j->id, j->body.odds))
        return st;
    if (!j->roots || j->root_count != j->body.sectors)
        return cc_fail(err, CC_NOTFOUND,
                       "revision %u on the chain is not known here",
                       (unsigned)j->body.revision);
    hashes = cc_malloc(CC_SECTOR_LEAVES * 32);
    for (unsigned k = 0; st == CC_OK && k < j->body.samples; k++) {
        st = make_sample(h, j, cc_contract_sample(&j->body, j->id, hash, k),
                         &samples[k], hashes, err);
        *count += st == CC_OK;
    }
    free(hashes);
    return st;
}

/* What a duty led to. */
struct sent {
    uint8_t txid[32];
    cc_amount released;
    size_t samples; /* 0: no block called the period */
};

static const char *duty_name(enum cc_host_duty duty)
{
    switch (duty) {
    case CC_DUTY_NONE:
        return "nothing";
    case CC_DUTY_PROVE:
        return "PROVE";
    case CC_DUTY_SYNC:
        return "SYNC";
    case CC_DUTY_END:
        return "END";
    }
    return "?";
}

static enum cc_status do_job(struct cc_host *h, const struct job *j,
                             const struct cc_host_plan *plan, struct sent *out,
                             struct cc_error *err)
{
    struct cc_bytes samples[SAMPLES_MAX];
    struct cc_host_spend spend;
    size_t count = 0;
    enum cc_status st = CC_OK;

    memset(&spend, 0, sizeof(spend));
    spend.outpoint = j->outpoint;
    spend.coin.out.value = j->value;
    spend.coin.out.script = cc_bytes(j->script, j->script_len);
    spend.coin.height = j->height;
    spend.feerate = h->config.feerate;
    /* Each attempt pays half as much again, if it is worth that. */
    for (unsigned i = 0; i < j->attempts && spend.feerate < FEERATE_MAX; i++)
        spend.feerate += spend.feerate / 2;
    spend.act.action = plan->duty == CC_DUTY_PROVE  ? CC_ACTION_PROVE
                       : plan->duty == CC_DUTY_SYNC ? CC_ACTION_SYNC
                                                    : CC_ACTION_END;
    spend.act.i = plan->i;
    if (plan->rev) {
        spend.act.flags |= CC_FLAG_REV;
        spend.act.rev = j->rev;
    }
    if (plan->vou) {
        spend.act.flags |= CC_FLAG_VOU;
        spend.act.vou = j->vou;
    }
    if (plan->duty == CC_DUTY_PROVE)
        st = make_samples(h, j, plan->i, samples, &count, err);
    spend.act.proofs = samples;
    spend.act.proof_count = count;
    spend.stake = count ? (cc_amount)j->body.penalty : 0;
    if (st == CC_OK)
        st = cc_host_spend(h, &spend, out->txid, &out->released, err);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)samples[i].data);
    out->samples = count;
    return st;
}

/* Of a row of the same the 1st is told, then the 2nd, 4th, 8th ... */
static bool is_told(unsigned n) { return (n & (n - 1)) == 0; }

/* "insufficient fee", "min relay fee not met": the word, not digits of an id.
 */
static bool is_about_fee(const char *text)
{
    const char *at = strstr(text, " fee");

    while (at && isalnum((unsigned char)at[4]))
        at = strstr(at + 4, " fee");
    return at != NULL;
}

/* True if it is to be logged. What was refused for its fee pays more in the
 * next block. Locked. */
static bool note_failure(struct cc_host *h, struct cc_host_contract *c,
                         const struct cc_error *err)
{
    if (is_about_fee(err->text) &&
        (c->failures == 0 || h->tip > c->failed_height))
        c->attempts++;
    c->failed_height = h->tip;
    return is_told(++c->failures);
}

/* Remember what was sent, or that it failed: the next block tries again. */
static void note(struct cc_host *h, const struct job *j,
                 const struct cc_host_plan *plan, enum cc_status st,
                 const struct sent *sent, const struct cc_error *err)
{
    struct cc_host_contract *c;
    bool news = true;
    char id[17];

    short_id(id, j->id);
    pthread_mutex_lock(&h->lock);
    c = cc_host_contract_find(h, j->id);
    if (c && st == CC_OK) {
        memcpy(c->pending, sent->txid, 32);
        c->pending_height = h->tip;
        news = is_told(++c->attempts);
        c->failures = 0;
    } else if (c) {
        news = note_failure(h, c, err);
    }
    pthread_mutex_unlock(&h->lock);
    if (!news)
        return;
    if (st != CC_OK)
        cc_log(h->config.log, "contract %s: %s failed: %s", id,
               duty_name(plan->duty), err->text);
    else if (plan->duty == CC_DUTY_PROVE && sent->samples)
        cc_host_tell(h, "prove", sent->txid, sent->released,
                     "contract %s: challenged by block %u for period %u, "
                     "answered with %u samples",
                     id, (unsigned)cc_contract_due(&j->body, plan->i),
                     (unsigned)plan->i, (unsigned)sent->samples);
    else if (plan->duty == CC_DUTY_PROVE)
        cc_host_tell(h, "prove", sent->txid, sent->released,
                     "contract %s: sent the proof of period %u", id,
                     (unsigned)plan->i);
    else if (plan->duty == CC_DUTY_SYNC)
        cc_host_tell(h, "sync", sent->txid, sent->released,
                     "contract %s: sent %s to the chain", id,
                     plan->rev ? "the latest root" : "a voucher");
    else
        cc_host_tell(h, "end", sent->txid, sent->released, "contract %s: ended",
                     id);
}

static void do_duty(struct cc_host *h, struct job *j)
{
    struct cc_storage_view view = cc_host_view(h);
    struct cc_host_plan plan;
    struct cc_error err;
    struct sent sent = {.samples = 0};
    enum cc_status st;

    cc_error_init(&err);
    if (cc_host_still_waits(h, j->pending, j->pending_height))
        return;
    j->in.body = &j->body;
    j->in.id = j->id;
    plan = cc_host_make_plan(&j->in, &view);
    if (h->hash_failed || plan.duty == CC_DUTY_NONE)
        return;
    st = do_job(h, j, &plan, &sent, &err);
    note(h, j, &plan, st, &sent, &err);
}

void cc_host_do_duties(struct cc_host *h)
{
    struct job *jobs;
    size_t count = 0;

    pthread_mutex_lock(&h->lock);
    jobs = cc_calloc(h->contract_count + 1, sizeof(*jobs));
    for (size_t i = 0; i < h->contract_count; i++) {
        if (h->contracts[i]->unsaved)
            cc_host_contract_save(h, h->contracts[i], NULL);
        count += job_take(h, h->contracts[i], &jobs[count]);
    }
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < count; i++) {
        do_duty(h, &jobs[i]);
        job_clear(&jobs[i]);
    }
    free(jobs);
}

/* --- Being registered ----------------------------------------------------- */

static void wait_for(struct cc_host *h, const char *what)
{
    bool news;

    pthread_mutex_lock(&h->lock);
    news = strcmp(h->waits_for, what) != 0;
    memset(h->waits_for, 0, sizeof(h->waits_for));
    strncpy(h->waits_for, what, sizeof(h->waits_for) - 1);
    pthread_mutex_unlock(&h->lock);
    if (news && *what)
        cc_log(h->config.log, "host: %s", what);
}

static enum cc_status ask_key(struct cc_host *h, struct cc_error *err)
{
    json_t *result;
    const char *hex;
    enum cc_status st = cc_host_call_wallet(h, "getstoragekey",
                                            json_pack("[i]", 0), &result, err);
    uint8_t secret[32], key[32];

    if (st != CC_OK)
        return st;
    hex = json_string_value(json_object_get(result, "secret"));
    if (!hex || strlen(hex) != 64 || !cc_hex_decode(secret, 32, hex) ||
        !cc_ec_xonly(h->config.ec, key, secret))
        st = cc_fail(err, CC_IO, "the wallet gave no storage key");
    json_decref(result);
    if (st == CC_OK) {
        pthread_mutex_lock(&h->lock);
        memcpy(h->secret, secret, 32);
        memcpy(h->key, key, 32);
        h->has_key = true;
        pthread_mutex_unlock(&h->lock);
    }
    cc_cleanse(secret, sizeof(secret));
    return st;
}

static bool is_ours(const struct cc_host *h, const json_t *identity)
{
    const json_t *endpoints = json_object_get(identity, "endpoints");
    const char *first = json_string_value(json_array_get(endpoints, 0));

    return !h->announce || (first && !strcmp(first, h->announce));
}

/* The wallet made and sent it; we see that it is heard. */
static void keep_registration(struct cc_host *h, const uint8_t txid[32])
{
    const char *hex;
    json_t *result;

    memcpy(h->register_txid, txid, 32);
    if (cc_host_call_wallet(h, "gettransaction",
                            json_pack("[o]", cc_host_txid_json(txid)), &result,
                            NULL) != CC_OK)
        return;
    hex = json_string_value(json_object_get(result, "hex"));
    if (hex)
        cc_host_keep_sent(h, txid, hex);
    json_decref(result);
}

/* Still waiting to be mined: not to be made again. */
static bool registration_waits(struct cc_host *h)
{
    json_t *result;

    if (h->register_sent < 0)
        return false;
    if (h->tip < h->register_sent + CC_HOST_DEPTH)
        return true;
    if (cc_host_call(h, "getmempoolentry",
                     json_pack("[o]", cc_host_txid_json(h->register_txid)),
                     &result, NULL) != CC_OK)
        return false;
    json_decref(result);
    return true;
}

static void set_registered(struct cc_host *h, bool registered)
{
    pthread_mutex_lock(&h->lock);
    h->registered = registered;
    pthread_mutex_unlock(&h->lock);
}

/* A new identity, or another endpoint for the one that is there. */
static enum cc_status register_identity(struct cc_host *h, bool there,
                                        struct cc_error *err)
{
    json_t *params, *result;
    char hex[65];
    const char *txid;
    enum cc_status st;
    uint8_t id[32] = {0};

    cc_hex_encode(hex, h->key, 32);
    params = there ? json_pack("[s, {s:s, s:[s], s:[s]}]", hex, "name", h->name,
                               "roles", "host", "endpoints", h->announce)
                   : json_pack("{s:s, s:[s], s:[s]}", "name", h->name, "roles",
                               "host", "endpoints", h->announce);
    st = cc_host_call_wallet(h, there ? "updateidentity" : "registeridentity",
                             params, &result, err);
    if (st != CC_OK)
        return st;
    txid = json_string_value(
        json_is_string(result) ? result : json_object_get(result, "txid"));
    if (txid && strlen(txid) == 64 && cc_hex_decode_rev(id, 32, txid))
        cc_host_tell(h, "identity", id, -1,
                     "registering as %s, reachable at %s", h->name,
                     h->announce);
    json_decref(result);
    h->register_sent = h->tip;
    keep_registration(h, id);
    return CC_OK;
}

enum cc_status cc_host_update_identity(struct cc_host *h, struct cc_error *err)
{
    char hex[65];
    json_t *identity = NULL;
    enum cc_status st;
    struct cc_error why;

    if (!h->has_key) {
        st = ask_key(h, err);
        if (st != CC_OK) {
            wait_for(h, err->text);
            return st;
        }
    }
    cc_hex_encode(hex, h->key, 32);
    st = cc_host_call(h, "getidentity", json_pack("[s]", hex), &identity, err);
    if (st == CC_IO)
        return st;
    if (st == CC_OK && is_ours(h, identity)) {
        if (!h->registered)
            cc_log(h->config.log, "host: registered as %s", hex);
        set_registered(h, true);
        if (h->identity_height < 0)
            h->identity_height = h->tip;
        wait_for(h, "");
    } else if (h->announce && !registration_waits(h)) {
        set_registered(h, st == CC_OK);
        cc_error_init(&why);
        if (register_identity(h, st == CC_OK, &why) != CC_OK)
            wait_for(h, why.text);
    }
    json_decref(identity);
    return CC_OK;
}
