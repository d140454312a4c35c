#include "storage/renter_internal.h"

#include "storage/renter_journal.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#include <inttypes.h>
#include <stdlib.h>

struct cc_renter_contract *cc_renter_find_contract(struct cc_renter *r,
                                                   const uint8_t id[32])
{
    for (size_t i = 0; i < r->count; i++)
        if (!memcmp(r->contracts[i]->id, id, 32))
            return r->contracts[i];
    return NULL;
}

void cc_renter_add_contract(struct cc_renter *r, struct cc_renter_contract *c)
{
    r->contracts =
        cc_grow(r->contracts, &r->cap, r->count + 1, sizeof(*r->contracts));
    r->contracts[r->count++] = c;
}

static bool ends_with(const char *s, const char *end)
{
    size_t a = strlen(s), b = strlen(end);

    return a >= b && !strcmp(s + a - b, end);
}

static enum cc_status load_contracts(struct cc_renter *r, struct cc_error *err)
{
    char *folder = cc_fs_join(r->dir, "contracts"), **names = NULL;
    size_t count = 0;
    enum cc_status st = cc_fs_list(folder, &names, &count, err);

    for (size_t i = 0; st == CC_OK && i < count; i++) {
        struct cc_renter_contract *c;
        char *path;

        if (!ends_with(names[i], ".json"))
            continue;
        c = cc_calloc(1, sizeof(*c));
        path = cc_fs_join(folder, names[i]);
        st = cc_renter_contract_load(c, path, err);
        if (st == CC_OK)
            cc_renter_add_contract(r, c);
        else
            free(c);
        if (st == CC_CORRUPT) { /* the others are good all the same */
            cc_renter_say(r, "left out: %s", err->text);
            json_array_append_new(
                r->damaged,
                json_pack("{s:s, s:s}", "file", names[i], "fault", err->text));
            cc_error_init(err);
            st = CC_OK;
        }
        free(path);
    }
    cc_fs_list_free(names, count);
    free(folder);
    return st;
}

/* A sector that an unfinished put or rm left. */
static enum cc_status note_garbage(void *arg, const uint8_t contract[32],
                                   const uint8_t root[32], struct cc_error *err)
{
    struct cc_renter *r = arg;
    struct cc_renter_contract *c = cc_renter_find_contract(r, contract);

    if (!c || cc_roots_find(&c->garbage, root) != SIZE_MAX)
        return CC_OK;
    cc_roots_add(&c->garbage, root);
    return cc_renter_contract_save(c, r->dir, err);
}

static enum cc_status make_folders(struct cc_renter *r, struct cc_error *err)
{
    static const char *const names[] = {"contracts", "objects"};
    enum cc_status st = CC_OK;
    char *path;

    for (int i = 0; st == CC_OK && i < 2; i++) {
        path = cc_fs_join(r->dir, names[i]);
        st = cc_fs_mkdirs(path, err);
        free(path);
    }
    if (st != CC_OK)
        return st;
    path = cc_fs_join(r->dir, ".lock");
    st = cc_fs_lock(path, &r->lock, err);
    free(path);
    if (st == CC_LIMIT)
        return cc_fail(err, CC_LIMIT,
                       "another cloudcoin-gateway works in %s: wait for it",
                       r->dir);
    return st;
}

enum cc_status cc_renter_open(struct cc_renter **out,
                              const struct cc_renter_options *options,
                              struct cc_error *err)
{
    struct cc_renter *r;
    enum cc_status st;

    if (!options->k || options->k > options->n || options->n > CC_ERASURE_MAX)
        return cc_fail(err, CC_INVALID,
                       "-k=%u -n=%u: k must be 1 to n, n at most %u",
                       options->k, options->n, CC_ERASURE_MAX);
    r = cc_calloc(1, sizeof(*r));
    r->o = *options;
    r->dir = cc_strdup(options->dir);
    r->lock = -1;
    r->damaged = json_array();
    st = make_folders(r, err);
    if (st == CC_OK)
        st = load_contracts(r, err);
    if (st == CC_OK)
        st = cc_journal_recover(r->dir, note_garbage, r, err);
    if (st == CC_OK)
        *out = r;
    else
        cc_renter_close(r);
    return st;
}

void cc_renter_close(struct cc_renter *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++) {
        cc_renter_contract_clear(r->contracts[i]);
        free(r->contracts[i]);
    }
    if (r->lock >= 0)
        cc_fs_unlock(r->lock);
    json_decref(r->damaged);
    free(r->contracts);
    free(r->dir);
    cc_cleanse(r, sizeof(*r));
    free(r);
}

enum cc_status cc_renter_connect(struct cc_renter *r, struct cc_session **out,
                                 const char *endpoint,
                                 const uint8_t host_key[32],
                                 const uint8_t secret[32], struct cc_error *err)
{
    enum cc_status st = cc_session_connect(out, r->o.ec, endpoint, host_key,
                                           secret, r->o.timeout_ms, err);

    return st == CC_LIMIT ? CC_IO : st;
}

enum cc_status cc_renter_link_open(struct cc_renter *r,
                                   struct cc_renter_link *l,
                                   struct cc_renter_contract *c,
                                   const uint8_t secret[32],
                                   struct cc_error *err)
{
    struct cc_session *s;
    enum cc_status st;

    memset(l, 0, sizeof(*l));
    st = cc_renter_connect(r, &s, c->endpoint, c->terms.host_key, secret, err);
    if (st != CC_OK)
        return st;
    st =
        cc_renter_link_init(l, s, c, r->o.params, r->o.ec, r->dir, secret, err);
    return cc_context(err, st, "%s", c->endpoint);
}

/* --- Lists --------------------------------------------------------------- */

static void set_hex(json_t *o, const char *key, const void *p, size_t len)
{
    char *hex = cc_hex_dup(p, len);

    json_object_set_new(o, key, json_string(hex));
    free(hex);
}

static void set_int(json_t *o, const char *key, uint64_t v)
{
    json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_amount(json_t *o, const char *key, uint64_t sat)
{
    json_object_set_new(o, key, json_real((double)sat / (double)CC_COIN));
}

static json_t *host_json(const struct cc_host *h)
{
    const struct cc_msg_settings_reply *s = &h->settings;
    json_t *o = json_object();

    set_hex(o, "key", h->key, 32);
    json_object_set_new(o, "name", json_string(h->name));
    json_object_set_new(o, "endpoint", json_string(h->endpoint));
    json_object_set_new(o, "answers", json_boolean(h->answers));
    if (!h->answers) {
        json_object_set_new(o, "fault", json_string(h->fault));
        return o;
    }
    set_int(o, "latency_ms", (uint64_t)h->latency_ms);
    json_object_set_new(o, "accepting", json_boolean(s->accepting));
    set_int(o, "height", s->height);
    set_int(o, "sectors_total", s->sectors_total);
    set_int(o, "sectors_free", s->sectors_free);
    set_int(o, "period_min", s->period_min);
    set_int(o, "period_max", s->period_max);
    set_int(o, "periods_max", s->periods_max);
    set_int(o, "capacity_max", s->capacity_max);
    set_int(o, "collateral_permille", s->collateral_permille);
    set_int(o, "price_storage", s->price_storage);
    set_int(o, "price_write", s->price_write);
    set_int(o, "price_read", s->price_read);
    set_int(o, "price_request", s->price_request);
    return o;
}

enum cc_status cc_renter_hosts(struct cc_renter *r, json_t **out,
                               struct cc_error *err)
{
    struct cc_host *hosts = NULL;
    size_t count = 0;
    enum cc_status st = cc_renter_find_hosts(r, &hosts, &count, err);

    if (st != CC_OK)
        return st;
    *out = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(*out, host_json(&hosts[i]));
    free(hosts);
    return CC_OK;
}

static json_t *contract_json(struct cc_renter *r,
                             const struct cc_renter_contract *c,
                             uint32_t height)
{
    json_t *o = json_object(), *v = NULL;
    int64_t end = cc_renter_contract_end(c);
    struct cc_error none;
    char id[65];

    cc_hex_encode(id, c->id, 32);
    json_object_set_new(o, "id", json_string(id));
    set_hex(o, "host", c->terms.host_key, 32);
    json_object_set_new(o, "endpoint", json_string(c->endpoint));
    set_int(o, "sectors", c->roots.count);
    set_int(o, "capacity", c->capacity);
    set_int(o, "revision", c->revision);
    set_int(o, "start", c->terms.start);
    set_int(o, "period", c->terms.period);
    set_int(o, "periods", c->terms.periods);
    set_int(o, "end", (uint64_t)end);
    set_int(o, "blocks_left", end > height ? (uint64_t)(end - height) : 0);
    set_amount(o, "rent", c->terms.rent);
    set_amount(o, "penalty", c->terms.penalty);
    set_amount(o, "allowance", c->terms.allowance);
    set_amount(o, "voucher", c->voucher);
    json_object_set_new(o, "forming", json_boolean(c->forming));
    /* What the chain says of it: no fault if it says nothing yet. */
    cc_error_init(&none);
    if (cc_node_call(r->o.node, "getcontract", json_pack("[s]", id), &v,
                     &none) == CC_OK) {
        json_object_set(o, "chain_revision", json_object_get(v, "revision"));
        json_object_set(o, "done", json_object_get(v, "done"));
        json_object_set(o, "value", json_object_get(v, "value"));
    }
    json_object_set_new(o, "on_chain", json_boolean(v != NULL));
    json_decref(v);
    return o;
}

enum cc_status cc_renter_contracts(struct cc_renter *r, json_t **out,
                                   struct cc_error *err)
{
    uint32_t height;
    enum cc_status st = cc_renter_height(r, &height, err);

    if (st == CC_OK)
        st = cc_renter_settle_forming(r, height, err);
    if (st != CC_OK)
        return st;
    *out = json_array();
    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(*out, contract_json(r, r->contracts[i], height));
    json_array_extend(*out, r->damaged);
    return CC_OK;
}
