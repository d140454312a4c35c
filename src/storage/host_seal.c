/*
 * The host's seal: form it over customers' data and filler, seal when its key
 * is known, look at each block's draw, claim what wins, retire it when its
 * data is gone (doc/protocol.md 6). One seal at a time. All but the source of
 * sectors runs on the chain's thread.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/aes.h"
#include "crypto/hash.h"
#include "storage/host_i.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#define QUIET_BLOCKS 2 /* customers' sectors unchanged: time to seal them */
#define FORM_SLACK 8   /* blocks that a SEAL may wait to be mined */
#define WINNERS 64     /* kept at once */
#define WINNERS_A_DRAW 16

struct winner {
    uint32_t d;
    uint8_t hash[32];
    uint64_t leaf;
};

struct cc_host_seal {
    struct cc_sealer *sealer; /* NULL: no seal */
    uint8_t id[32];
    uint32_t seal_height; /* as formed */
    struct cc_outpoint outpoint;
    cc_amount value;
    uint8_t *script;
    size_t script_len;
    uint32_t height;
    struct cc_seal body;
    bool on_chain, told_sealed, lost;
    bool formed;            /* it has an id: sent, in this run or an earlier */
    bool unreadable;        /* what is on disk: leave it and its coin alone */
    int64_t gone_since;     /* height at which the coin was missed; -1: not */
    int64_t faulted;        /* height at which sealing stopped; -1: not */
    int64_t pending_height; /* -1: nothing */
    uint8_t pending[32];
    uint8_t other_key[32]; /* that the chain has now, unlike the sealed data */
    int64_t other_since;   /* since which height; -1: it has the same */
    uint32_t drawn;        /* last block whose draw was read */
    uint64_t wins;         /* since the start */
    struct winner winners[WINNERS];
    size_t winner_count;
    struct cc_outpoint stranger; /* the last one retired, or tried */
    int64_t stranger_height;
    size_t seen_sectors;
    uint32_t seen_height; /* since when there are so many */
};

static char *folder(const struct cc_host *h)
{
    return cc_fs_join(h->directory, "seal");
}

/* --- Where sectors come from ---------------------------------------------- */

/* Filler number n: a keystream that only we can make. */
static void filler(const struct cc_host *h, uint32_t n, uint8_t *sector)
{
    uint8_t key[32], counter[16] = {0};

    cc_tagged_hash(key, "CloudCoin/filler", h->secret, 32);
    cc_put_u32be(counter, n);
    memset(sector, 0, CC_SECTOR_SIZE);
    cc_aes256_ctr(sector, CC_SECTOR_SIZE, key, counter);
    cc_cleanse(key, sizeof(key));
}

static enum cc_status source(void *arg, const uint8_t root[32],
                             uint32_t position, uint8_t *sector,
                             struct cc_error *err)
{
    struct cc_host *h = arg;
    uint8_t got[32];

    if (cc_volume_has(h->volume, root))
        return cc_volume_read(h->volume, root, sector, err);
    filler(h, position, sector);
    cc_mtree_sector_root(got, sector);
    if (memcmp(got, root, 32))
        return cc_fail(err, CC_NOTFOUND,
                       "sector %u of the seal is no longer here",
                       (unsigned)position);
    return CC_OK;
}

static void sealer_config(struct cc_host *h, struct cc_sealer_config *c,
                          char **directory)
{
    *directory = folder(h);
    memset(c, 0, sizeof(*c));
    c->params = h->config.params;
    c->log = h->config.log;
    c->directory = *directory;
    c->threads = h->config.seal_threads;
    c->source = source;
    c->arg = h;
}

static void forget(struct cc_host_seal *s)
{
    cc_sealer_free(s->sealer);
    free(s->script);
    memset(s, 0, sizeof(*s));
    s->gone_since = s->pending_height = s->faulted = s->other_since = -1;
}

void cc_host_seal_init(struct cc_host *h)
{
    struct cc_sealer_config c;
    struct cc_host_seal *s = cc_calloc(1, sizeof(*s));
    struct cc_error err;
    struct cc_outpoint o;
    enum cc_status st;
    char *directory;

    h->seal = s;
    forget(s);
    sealer_config(h, &c, &directory);
    st = cc_sealer_open(&s->sealer, &c, &err);
    s->formed = st == CC_OK &&
                cc_sealer_place(s->sealer, o.txid, &o.index, &s->seal_height);
    s->unreadable = st != CC_OK && st != CC_NOTFOUND && st != CC_CORRUPT;
    if (s->formed)
        cc_typed_formed_id(s->id, &o);
    else if (s->unreadable)
        cc_log(h->config.log,
               "host: the sealed data cannot be read and is left alone until "
               "the next start: %s",
               err.text);
    else if (st == CC_CORRUPT)
        cc_log(h->config.log, "host: the sealed data is of no use: %s",
               err.text);
    free(directory);
}

void cc_host_seal_clear(struct cc_host *h)
{
    if (!h->seal)
        return;
    forget(h->seal);
    free(h->seal);
    h->seal = NULL;
}

bool cc_host_seal_holds(struct cc_host *h, const uint8_t root[32])
{
    struct cc_sealer_progress p;

    if (!h->seal || !h->seal->sealer ||
        !cc_sealer_has_root(h->seal->sealer, root))
        return false;
    cc_sealer_progress(h->seal->sealer, &p);
    return p.sealed < p.sectors;
}

/* --- Forming -------------------------------------------------------------- */

/* Customers' sectors, each once, at most room of them. */
static size_t customers(struct cc_host *h, uint8_t *roots, size_t room)
{
    const uint8_t *list;
    size_t n = 0, count;

    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->contract_count && n < room; i++) {
        list = cc_host_contract_roots(h->contracts[i], &count);
        for (size_t k = 0; k < count && n < room; k++) {
            if (!cc_volume_has(h->volume, list + 32 * k))
                continue;
            memcpy(roots + 32 * n++, list + 32 * k, 32);
        }
    }
    pthread_mutex_unlock(&h->lock);
    return n;
}

static bool time_to_form(struct cc_host *h, size_t sectors)
{
    struct cc_host_seal *s = h->seal;

    if (sectors != s->seen_sectors) {
        s->seen_sectors = sectors;
        s->seen_height = h->tip;
    }
    if (!h->registered || h->identity_height < 0)
        return false;
    if (sectors > 0 && h->tip >= s->seen_height + QUIET_BLOCKS)
        return true;
    return h->tip >= h->identity_height + (int64_t)h->config.seal_wait;
}

/* Customers' first, then filler. */
static enum cc_status gather_data(struct cc_host *h, struct cc_error *err)
{
    const uint32_t wanted =
        h->config.seal_sectors > h->config.params->storage.seal_min
            ? (uint32_t)h->config.seal_sectors
            : h->config.params->storage.seal_min;
    uint8_t *roots = cc_malloc((size_t)wanted * 32);
    uint8_t *sector = cc_malloc(CC_SECTOR_SIZE);
    struct cc_sealer_config c;
    enum cc_status st;
    char *directory;
    size_t n;

    n = customers(h, roots, wanted);
    cc_log(h->config.log,
           "host: a seal over %zu customers' sectors and %zu "
           "of filler",
           n, wanted - n);
    for (uint32_t i = (uint32_t)n; i < wanted; i++) {
        filler(h, i, sector);
        cc_mtree_sector_root(roots + 32 * (size_t)i, sector);
    }
    sealer_config(h, &c, &directory);
    st = cc_sealer_remove(directory, err);
    if (st == CC_OK)
        st = cc_sealer_create(&h->seal->sealer, &c, roots, wanted, err);
    free(directory);
    free(sector);
    free(roots);
    return st;
}

static enum cc_status form(struct cc_host *h, struct cc_error *err)
{
    const struct cc_storage_params *p = &h->config.params->storage;
    struct cc_host_seal *s = h->seal;
    struct cc_outpoint formed;
    struct cc_typed t;
    enum cc_status st;

    memset(&t, 0, sizeof(t));
    t.kind = CC_KIND_SEAL;
    t.u.seal.version = 1;
    memcpy(t.u.seal.host_key, h->key, 32);
    cc_sealer_root(s->sealer, t.u.seal.root);
    t.u.seal.sectors = cc_sealer_sectors(s->sealer);
    t.u.seal.seal_height = (uint32_t)(h->tip + 1 + p->seal_delay + FORM_SLACK);
    st = cc_host_form_typed(h, &t, p->seal_bond, &formed, err);
    if (st != CC_OK)
        return st;
    cc_typed_formed_id(s->id, &formed);
    s->seal_height = t.u.seal.seal_height;
    s->formed = true;
    s->gone_since = -1;
    cc_host_tell(h, "sealing", formed.txid, p->seal_bond,
                 "forming a seal over %u sector%s; its key is known at "
                 "height %u",
                 (unsigned)t.u.seal.sectors, t.u.seal.sectors == 1 ? "" : "s",
                 (unsigned)s->seal_height);
    return cc_sealer_set_place(s->sealer, formed.txid, formed.index,
                               s->seal_height, err);
}

/* No coin, and none will come: a SEAL is mined SEAL_DELAY blocks before its
 * height at the latest. A chain that is not so long, of a node that reads or
 * fetches its blocks anew, proves nothing; nor does one that may go back. */
static bool is_gone_for_good(const struct cc_host *h)
{
    const struct cc_host_seal *s = h->seal;
    const int64_t last =
        (int64_t)s->seal_height - h->config.params->storage.seal_delay;

    return s->gone_since >= 0 &&
           h->tip >=
               (s->gone_since > last ? s->gone_since : last) + CC_HOST_DEPTH;
}

static enum cc_status maybe_form(struct cc_host *h, struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    enum cc_status st = CC_OK;
    uint8_t *roots;
    size_t n;

    if (h->config.seal_sectors == 0)
        return CC_OK;
    if (s->sealer && s->formed && !is_gone_for_good(h))
        return CC_OK; /* it may still be mined */
    if (!s->sealer) {
        roots = cc_malloc((size_t)h->config.seal_sectors * 32);
        n = customers(h, roots, h->config.seal_sectors);
        free(roots);
        if (!time_to_form(h, n))
            return CC_OK;
        st = gather_data(h, err);
    }
    return st == CC_OK ? form(h, err) : st;
}

/* --- The coin ------------------------------------------------------------- */

static void tell_mint(struct cc_host *h, const struct cc_seal *now,
                      const struct cc_outpoint *o)
{
    struct cc_mint_state state;
    cc_amount minted = -1;

    if (cc_host_state(h, now->mark_height, &state, NULL) == CC_OK)
        minted = cc_mint_reward(&state, now->mark_height, h->config.params);
    cc_host_tell(h, "mint", o->txid, minted,
                 "won the draw of block %u: coins minted",
                 (unsigned)now->mark_height);
}

static enum cc_status follow_seal(struct cc_host *h,
                                  const struct cc_outpoint *o, uint32_t height,
                                  struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    struct cc_typed t;
    enum cc_status st;
    cc_amount value;
    uint8_t *script;
    size_t len;

    s->gone_since = -1;
    if (s->on_chain && cc_outpoint_equal(o, &s->outpoint))
        return CC_OK;
    st = cc_host_coin(h, o, &value, &script, &len, err);
    if (st != CC_OK)
        return st;
    st = cc_typed_parse(&t, cc_bytes(script, len), err);
    if (st != CC_OK || t.kind != CC_KIND_SEAL) {
        free(script);
        return cc_fail(err, CC_IO, "the node's seal is none");
    }
    if (s->on_chain && (t.u.seal.mark_height != s->body.mark_height ||
                        t.u.seal.mark_leaf != s->body.mark_leaf))
        tell_mint(h, &t.u.seal, o);
    free(s->script);
    s->script = script;
    s->script_len = len;
    s->body = t.u.seal;
    s->seal_height = t.u.seal.seal_height;
    s->outpoint = *o;
    s->value = value;
    s->height = height;
    s->on_chain = true;
    s->pending_height = -1;
    return CC_OK;
}

/* Spend without successor: the bond comes back. */
static enum cc_status retire(struct cc_host *h, const struct cc_outpoint *o,
                             const uint8_t *script, size_t len, cc_amount value,
                             const char *why, struct cc_error *err)
{
    struct cc_host_spend spend;
    enum cc_status st;
    uint8_t txid[32];
    cc_amount released;

    memset(&spend, 0, sizeof(spend));
    spend.outpoint = *o;
    spend.coin.out.value = value;
    spend.coin.out.script = cc_bytes(script, len);
    spend.act.action = CC_ACTION_RETIRE_SEAL;
    spend.feerate = h->config.feerate;
    st = cc_host_spend(h, &spend, txid, &released, err);
    if (st == CC_OK)
        cc_host_tell(h, "retire", txid, released, "retiring a seal: %s", why);
    return st;
}

/* One of ours on chain of which we hold no data. */
static void retire_stranger(struct cc_host *h, const struct cc_outpoint *o)
{
    struct cc_error err;
    enum cc_status st;
    cc_amount value;
    uint8_t *script;
    size_t len;

    if (cc_outpoint_equal(o, &h->seal->stranger) &&
        h->tip < h->seal->stranger_height + (int64_t)h->config.retry)
        return; /* it waits, or failed just now */
    h->seal->stranger = *o;
    h->seal->stranger_height = h->tip;
    cc_error_init(&err);
    st = cc_host_coin(h, o, &value, &script, &len, &err);
    if (st == CC_OK) {
        st = retire(h, o, script, len, value, "its data is not here", &err);
        free(script);
    }
    if (st != CC_OK && st != CC_NOTFOUND)
        cc_log(h->config.log, "host: cannot retire a seal: %s", err.text);
}

static enum cc_status look_for_coin(struct cc_host *h, struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    char hex[65];
    json_t *list, *row;
    uint8_t id[32];
    struct cc_outpoint o;
    const char *text;
    enum cc_status st;
    bool found = false;

    cc_hex_encode(hex, h->key, 32);
    st = cc_host_call(h, "listseals", json_pack("[s]", hex), &list, err);
    if (st != CC_OK)
        return st;
    for (size_t i = 0; st == CC_OK && i < json_array_size(list); i++) {
        row = json_array_get(list, i);
        text = json_string_value(json_object_get(row, "id"));
        if (!text || strlen(text) != 64 || !cc_hex_decode(id, 32, text) ||
            !cc_host_txid(o.txid, json_object_get(row, "txid")))
            continue;
        o.index = (uint32_t)json_integer_value(json_object_get(row, "vout"));
        if (s->sealer && s->formed && !memcmp(id, s->id, 32)) {
            found = true;
            st = follow_seal(
                h, &o,
                (uint32_t)json_integer_value(json_object_get(row, "height")),
                err);
        } else {
            retire_stranger(h, &o);
        }
    }
    json_decref(list);
    if (st == CC_NOTFOUND)
        st = CC_OK; /* spent meanwhile */
    if (!found && s->formed && s->gone_since < 0)
        s->gone_since = h->tip;
    return st;
}

/* --- Draws and claims ----------------------------------------------------- */

static void drop_winner(struct cc_host_seal *s, size_t i)
{
    memmove(&s->winners[i], &s->winners[i + 1],
            (s->winner_count - i - 1) * sizeof(*s->winners));
    s->winner_count--;
}

/* Past the mark, within the window, and of a block that is still there. */
static bool still_good(struct cc_host *h, const struct winner *w)
{
    const struct cc_seal *b = &h->seal->body;
    uint8_t hash[32];

    if ((int64_t)h->tip + 1 > w->d + h->config.params->storage.claim_window ||
        w->d > h->tip)
        return false;
    if (w->d < b->mark_height ||
        (w->d == b->mark_height && w->leaf <= b->mark_leaf))
        return false;
    return cc_host_hash(h, w->d, hash, NULL) == CC_OK &&
           !memcmp(hash, w->hash, 32);
}

static enum cc_status look_at_draw(struct cc_host *h, uint32_t d,
                                   struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    uint64_t leaves[WINNERS_A_DRAW];
    struct cc_mint_state state;
    enum cc_status st;
    uint8_t hash[32];
    size_t n = 0;

    st = cc_host_hash(h, d, hash, err);
    if (st == CC_OK)
        st = cc_host_state(h, d, &state, err);
    if (st == CC_OK)
        st = cc_sealer_draw(s->sealer, hash, &state.ticket, leaves,
                            WINNERS_A_DRAW, &n, err);
    if (st != CC_OK || n == 0)
        return st;
    s->wins += n;
    cc_log(h->config.log, "host: block %u draws %zu winning tickets or more",
           (unsigned)d, n);
    for (size_t i = 0; i < n && s->winner_count < WINNERS; i++) {
        s->winners[s->winner_count].d = d;
        s->winners[s->winner_count].leaf = leaves[i];
        memcpy(s->winners[s->winner_count++].hash, hash, 32);
    }
    return CC_OK;
}

static enum cc_status look_at_draws(struct cc_host *h, struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    const int64_t window = h->config.params->storage.claim_window;
    int64_t d = s->drawn + 1;
    enum cc_status st = CC_OK;

    if (d > h->tip + 1) /* a shorter chain: look again */
        d = (int64_t)h->tip - window;
    if (d <= s->body.seal_height)
        d = (int64_t)s->body.seal_height + 1;
    if (d < (int64_t)h->tip + 1 - window)
        d = (int64_t)h->tip + 1 - window;
    for (; st == CC_OK && d <= h->tip; d++) {
        st = look_at_draw(h, (uint32_t)d, err);
        if (st == CC_OK)
            s->drawn = (uint32_t)d;
    }
    return st;
}

static enum cc_status claim(struct cc_host *h, const struct winner *w,
                            struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    struct cc_host_spend spend;
    struct cc_bytes proof;
    enum cc_status st;
    cc_amount released;
    uint8_t *bytes, txid[32];
    size_t len;

    st = cc_sealer_prove(s->sealer, w->leaf, &bytes, &len, err);
    if (st != CC_OK)
        return st;
    proof = cc_bytes(bytes, len);
    memset(&spend, 0, sizeof(spend));
    spend.outpoint = s->outpoint;
    spend.coin.out.value = s->value;
    spend.coin.out.script = cc_bytes(s->script, s->script_len);
    spend.coin.height = s->height;
    spend.feerate = h->config.feerate;
    spend.act.action = CC_ACTION_CLAIM;
    spend.act.d = w->d;
    spend.act.leaf = w->leaf;
    spend.act.proofs = &proof;
    spend.act.proof_count = 1;
    st = cc_host_spend(h, &spend, txid, &released, err);
    free(bytes);
    if (st == CC_OK) {
        s->pending_height = h->tip;
        memcpy(s->pending, txid, 32);
        cc_host_tell(h, "claim", txid, released,
                     "claiming the draw of block %u with leaf %" PRIu64,
                     (unsigned)w->d, w->leaf);
    }
    return st;
}

/* One at a time: each moves the mark and the coin. */
static enum cc_status make_claims(struct cc_host *h, struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < s->winner_count;) {
        if (still_good(h, &s->winners[i]))
            i++;
        else
            drop_winner(s, i);
    }
    if (s->winner_count == 0 ||
        cc_host_still_waits(h, s->pending, s->pending_height))
        return CC_OK;
    st = claim(h, &s->winners[0], err);
    if (st == CC_INVALID)
        drop_winner(s, 0); /* refused: not again and again */
    return st;
}

/* --- Each block ----------------------------------------------------------- */

/* What is sealed has another key than the chain now gives: the block that made
 * the key was reorganised away. It may come back, so hours of work are not
 * thrown away until the new one has stayed. */
static bool awaits_key(struct cc_host *h, const uint8_t key[32])
{
    struct cc_host_seal *s = h->seal;
    struct cc_sealer_progress p;

    cc_sealer_progress(s->sealer, &p);
    if (p.sealed == 0 || cc_sealer_has_key(s->sealer, key)) {
        s->other_since = -1;
        return false;
    }
    if (s->other_since < 0 || memcmp(s->other_key, key, 32)) {
        memcpy(s->other_key, key, 32);
        s->other_since = h->tip;
    }
    if (h->tip < s->other_since + CC_HOST_DEPTH)
        return true;
    s->other_since = -1;
    s->told_sealed = false;
    return false;
}

/* A full disk passes; what was sealed before stays and wins. Data that is gone
 * does not come back. */
static enum cc_status look_at_fault(struct cc_host *h, bool *wait,
                                    struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    struct cc_sealer_progress p;

    cc_sealer_progress(s->sealer, &p);
    *wait = false;
    if (!p.fault[0]) {
        s->faulted = -1;
        return CC_OK;
    }
    if (p.fault_status == CC_NOTFOUND || p.fault_status == CC_CORRUPT)
        return cc_fail(err, CC_CORRUPT, "%s", p.fault);
    if (s->faulted < 0)
        s->faulted = h->tip;
    *wait = h->tip < s->faulted + (int64_t)h->config.retry;
    if (!*wait)
        s->faulted = -1;
    return CC_OK;
}

static enum cc_status work_on(struct cc_host *h, struct cc_error *err)
{
    const bool patient = h->config.params->no_retarget == false;
    const uint32_t depth = patient ? CC_HOST_DEPTH : 0;
    struct cc_host_seal *s = h->seal;
    struct cc_sealer_progress p;
    uint8_t hash[32], key[32];
    enum cc_status st;
    bool wait;

    if (h->tip < s->body.seal_height + depth)
        return CC_OK;
    st = cc_host_hash(h, s->body.seal_height, hash, err);
    if (st != CC_OK)
        return st;
    cc_seal_key(key, hash, s->id, h->key);
    if (awaits_key(h, key))
        return CC_OK;
    st = look_at_fault(h, &wait, err);
    if (st == CC_OK && !wait)
        st = cc_sealer_start(s->sealer, key, err);
    if (st != CC_OK)
        return st;
    cc_sealer_progress(s->sealer, &p);
    if (p.sealed == p.sectors && !s->told_sealed) {
        s->told_sealed = true;
        cc_host_tell(h, "seal", s->outpoint.txid, -1,
                     "sealed %u sector%s (%u MiB)", (unsigned)p.sectors,
                     p.sectors == 1 ? "" : "s", (unsigned)(p.sectors * 4));
    }
    if (st == CC_OK && p.sealed)
        st = look_at_draws(h, err);
    if (st == CC_OK && p.sealed)
        st = make_claims(h, err);
    return st;
}

static void end_seal(struct cc_host *h)
{
    char *directory = folder(h);

    forget(h->seal);
    cc_sealer_remove(directory, NULL);
    free(directory);
    cc_log(h->config.log, "host: the seal has ended; its data is removed");
}

enum cc_status cc_host_update_seal(struct cc_host *h, struct cc_error *err)
{
    struct cc_host_seal *s = h->seal;
    enum cc_status st;

    if (s->unreadable)
        return CC_OK;
    st = look_for_coin(h, err);
    if (st != CC_OK)
        return st;
    if (s->on_chain && s->gone_since >= 0) {
        if (is_gone_for_good(h))
            end_seal(h);
        return CC_OK;
    }
    if (!s->on_chain)
        return maybe_form(h, err);
    if (s->lost) {
        if (s->pending_height >= 0 &&
            h->tip < s->pending_height + (int64_t)h->config.retry)
            return CC_OK;
        st = retire(h, &s->outpoint, s->script, s->script_len, s->value,
                    "its data is gone", err);
        if (st == CC_OK)
            s->pending_height = h->tip;
        return st;
    }
    st = work_on(h, err);
    s->lost |= st == CC_CORRUPT; /* the next block retires it */
    return st;
}

json_t *cc_host_seal_json(struct cc_host *h)
{
    struct cc_host_seal *s = h->seal;
    struct cc_sealer_progress p;
    const char *state = "none";
    json_t *out = json_object();
    char hex[65];

    if (s && s->sealer) {
        cc_sealer_progress(s->sealer, &p);
        state = s->lost                        ? "lost"
                : !s->on_chain                 ? "forming"
                : s->gone_since >= 0           ? "ended"
                : p.sealed == p.sectors        ? "sealed"
                : h->tip < s->body.seal_height ? "waiting"
                                               : "sealing";
        cc_hex_encode(hex, s->id, 32);
        json_object_set_new(out, "state", json_string(state));
        json_object_set_new(out, "id", json_string(hex));
        json_object_set_new(out, "sectors", json_integer(p.sectors));
        json_object_set_new(out, "sealed", json_integer(p.sealed));
        json_object_set_new(out, "progress", json_real(p.part));
        json_object_set_new(out, "working", json_boolean(p.working));
        json_object_set_new(out, "seal_height", json_integer(s->seal_height));
        json_object_set_new(out, "mark_height",
                            json_integer(s->body.mark_height));
        json_object_set_new(out, "wins", json_integer((json_int_t)s->wins));
        json_object_set_new(out, "waiting_claims",
                            json_integer((json_int_t)s->winner_count));
        if (s->on_chain)
            json_object_set_new(out, "txid",
                                cc_host_txid_json(s->outpoint.txid));
        if (p.fault[0])
            json_object_set_new(out, "fault", json_string(p.fault));
        return out;
    }
    json_object_set_new(out, "state",
                        json_string(s && s->unreadable ? "unreadable" : state));
    json_object_set_new(out, "wanted_sectors",
                        json_integer((json_int_t)h->config.seal_sectors));
    return out;
}
