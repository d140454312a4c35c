/* What the node's users can ask of their host. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "storage/host_i.h"
#include "util/hex.h"
#include "util/mem.h"

#define CODE_INVALID_PARAMETER (-8)
#define CODE_METHOD_NOT_FOUND (-32601)

const struct cc_ext_method cc_host_methods[] = {
    {"hostinfo", "host", "",
     "State of the storage host: identity, sectors, "
     "contracts, sessions, what it waits for."},
    {"hostcontracts", "host", "",
     "Contracts of this host, on the chain and as signed since."},
    {"hostsectors", "host", "",
     "Sectors on disk: capacity, used, promised, damaged."},
    {"hostseal", "host", "", "The host's seal and how far it is sealed."},
    {"hostsettings", "host", "( {\"name\":value,...} )",
     "The terms that the host takes. With an argument, change some until the "
     "host is restarted."},
    {"hostevents", "host", "( since )",
     "What the host did, oldest first: the last 1,000 events, or those with a "
     "greater number than since."},
};
const size_t cc_host_method_count =
    sizeof(cc_host_methods) / sizeof(*cc_host_methods);

/* Satoshi as a number of coins with eight decimals; as text it would be exact,
 * but a number is what people expect, and doubles hold what hosts earn. */
static json_t *amount_json(cc_amount a)
{
    return json_real((double)a / (double)CC_COIN);
}

static json_t *hex_json(const uint8_t *b)
{
    char hex[65];

    cc_hex_encode(hex, b, 32);
    return json_string(hex);
}

static json_t *info(struct cc_host *h)
{
    struct cc_volume_counts v = cc_volume_counts(h->volume);
    json_t *out = json_object();
    size_t active = 0;

    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->contract_count; i++)
        active += h->contracts[i]->on_chain;
    if (h->has_key)
        json_object_set_new(out, "key", hex_json(h->key));
    json_object_set_new(out, "name", json_string(h->name));
    json_object_set_new(out, "registered", json_boolean(h->registered));
    json_object_set_new(out, "endpoint",
                        json_string(h->announce ? h->announce : ""));
    json_object_set_new(out, "height", json_integer(h->tip));
    json_object_set_new(out, "sectors", json_integer((json_int_t)v.capacity));
    json_object_set_new(out, "used", json_integer((json_int_t)v.used));
    json_object_set_new(out, "free",
                        json_integer((json_int_t)cc_host_sectors_free(h)));
    json_object_set_new(out, "contracts",
                        json_integer((json_int_t)h->contract_count));
    json_object_set_new(out, "onchain", json_integer((json_int_t)active));
    json_object_set_new(out, "sessions",
                        json_integer((json_int_t)h->session_count));
    json_object_set_new(out, "written", json_integer((json_int_t)h->writes));
    json_object_set_new(out, "reads", json_integer((json_int_t)h->reads));
    json_object_set_new(out, "refused", json_integer((json_int_t)h->refused));
    json_object_set_new(out, "waits_for", json_string(h->waits_for));
    pthread_mutex_unlock(&h->lock);
    return out;
}

static json_t *contract_json(const struct cc_host_contract *c)
{
    json_t *out = json_object();

    json_object_set_new(out, "id", hex_json(c->id));
    json_object_set_new(out, "renter", hex_json(c->body.renter_key));
    json_object_set_new(out, "state",
                        json_string(c->gone_since >= 0
                                        ? (c->on_chain ? "ended" : "forming")
                                    : c->on_chain ? "active"
                                                  : "forming"));
    json_object_set_new(out, "capacity", json_integer(c->capacity));
    json_object_set_new(out, "sectors", json_integer(c->sectors));
    json_object_set_new(out, "revision", json_integer(c->revision));
    json_object_set_new(out, "root", hex_json(c->root));
    json_object_set_new(out, "chain_revision", json_integer(c->body.revision));
    json_object_set_new(out, "start", json_integer(c->body.start));
    json_object_set_new(out, "period", json_integer(c->body.period));
    json_object_set_new(out, "periods", json_integer(c->body.periods));
    json_object_set_new(out, "done", json_integer(c->body.done));
    json_object_set_new(out, "rent", amount_json((cc_amount)c->body.rent));
    json_object_set_new(out, "penalty",
                        amount_json((cc_amount)c->body.penalty));
    json_object_set_new(out, "allowance",
                        amount_json((cc_amount)c->body.allowance));
    json_object_set_new(out, "redeemed",
                        amount_json((cc_amount)c->body.redeemed));
    json_object_set_new(out, "voucher", amount_json((cc_amount)c->voucher));
    json_object_set_new(
        out, "used",
        json_real((double)c->used / (double)CC_USAT / (double)CC_COIN));
    json_object_set_new(out, "value", amount_json(c->value));
    json_object_set_new(out, "txid", cc_host_txid_json(c->outpoint.txid));
    json_object_set_new(out, "vout", json_integer(c->outpoint.index));
    json_object_set_new(out, "height", json_integer(c->height));
    if (c->pending_height >= 0)
        json_object_set_new(out, "pending", cc_host_txid_json(c->pending));
    return out;
}

static json_t *contracts(struct cc_host *h)
{
    json_t *out = json_array();

    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->contract_count; i++)
        json_array_append_new(out, contract_json(h->contracts[i]));
    pthread_mutex_unlock(&h->lock);
    return out;
}

static json_t *sectors(struct cc_host *h)
{
    struct cc_volume_counts v = cc_volume_counts(h->volume);
    uint64_t promised = 0;
    json_t *out;

    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->contract_count; i++)
        promised += h->contracts[i]->capacity;
    out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "capacity",
                    (json_int_t)v.capacity, "used", (json_int_t)v.used,
                    "promised", (json_int_t)promised, "waiting",
                    (json_int_t)h->written.count, "damaged", (json_int_t)v.bad,
                    "torn_records", (json_int_t)v.torn);
    pthread_mutex_unlock(&h->lock);
    return out;
}

static json_t *events(struct cc_host *h, uint64_t since)
{
    json_t *out = json_array(), *row;
    const struct cc_host_event *e;
    uint64_t first;

    pthread_mutex_lock(&h->lock);
    first =
        h->event_count > CC_HOST_EVENTS ? h->event_count - CC_HOST_EVENTS : 0;
    if (since > first)
        first = since;
    for (uint64_t n = first; n < h->event_count; n++) {
        e = &h->events[n % CC_HOST_EVENTS];
        row =
            json_pack("{s:I, s:I, s:I, s:s, s:s}", "id", (json_int_t)e->number,
                      "time", (json_int_t)e->time, "height",
                      (json_int_t)e->height, "event", e->kind, "text", e->text);
        if (e->has_txid)
            json_object_set_new(row, "txid", cc_host_txid_json(e->txid));
        if (e->amount >= 0)
            json_object_set_new(row, "amount", amount_json(e->amount));
        json_array_append_new(out, row);
    }
    pthread_mutex_unlock(&h->lock);
    return out;
}

/* --- Settings ------------------------------------------------------------- */

enum width { W_BOOL, W_U8, W_U32, W_U64 };

static const struct setting {
    const char *name;
    enum width width;
    size_t at;
    uint64_t max;
} settings[] = {
#define SETTING(name, width, max)                                              \
    {                                                                          \
#name, width, offsetof(struct cc_msg_settings_reply, name), max        \
    }
    SETTING(accepting, W_BOOL, 1),
    SETTING(period_min, W_U32, 65535),
    SETTING(period_max, W_U32, 65535),
    SETTING(periods_max, W_U32, 4096),
    SETTING(lead_max, W_U32, 20160),
    SETTING(capacity_max, W_U32, 1u << 24),
    SETTING(samples, W_U8, 16),
    SETTING(odds_max, W_U8, 64),
    SETTING(collateral_permille, W_U32, 1000000),
    SETTING(price_storage, W_U64, INT64_MAX / 1000),
    SETTING(price_write, W_U64, INT64_MAX / 1000),
    SETTING(price_read, W_U64, INT64_MAX / 1000000),
    SETTING(price_request, W_U64, INT64_MAX / 1000),
    SETTING(allowance_min, W_U64, INT64_MAX / 1000),
#undef SETTING
};

static uint64_t setting_get(const struct cc_msg_settings_reply *s,
                            const struct setting *d)
{
    const uint8_t *at = (const uint8_t *)s + d->at;
    uint32_t u32;
    uint64_t u64;

    switch (d->width) {
    case W_BOOL:
        return *(const bool *)at;
    case W_U8:
        return *at;
    case W_U32:
        memcpy(&u32, at, sizeof(u32));
        return u32;
    case W_U64:
        memcpy(&u64, at, sizeof(u64));
        return u64;
    }
    return 0;
}

static void setting_put(struct cc_msg_settings_reply *s,
                        const struct setting *d, uint64_t v)
{
    uint8_t *at = (uint8_t *)s + d->at;
    uint32_t u32 = (uint32_t)v;

    switch (d->width) {
    case W_BOOL:
        *(bool *)at = v != 0;
        return;
    case W_U8:
        *at = (uint8_t)v;
        return;
    case W_U32:
        memcpy(at, &u32, sizeof(u32));
        return;
    case W_U64:
        memcpy(at, &v, sizeof(v));
        return;
    }
}

static bool change_setting(struct cc_msg_settings_reply *s, const char *name,
                           const json_t *v, struct cc_error *err)
{
    const struct setting *d;
    int64_t n;

    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        d = &settings[i];
        if (strcmp(d->name, name))
            continue;
        n = json_is_boolean(v)   ? json_is_true(v)
            : json_is_integer(v) ? json_integer_value(v)
                                 : -1;
        if (n < 0 || (uint64_t)n > d->max) {
            cc_fail(err, CC_INVALID, "%s must be within 0 and %" PRIu64, name,
                    d->max);
            return false;
        }
        setting_put(s, d, (uint64_t)n);
        return true;
    }
    cc_fail(err, CC_INVALID, "there is no setting %s", name);
    return false;
}

/* All changes or none. */
static json_t *change_settings(struct cc_host *h, const json_t *changes,
                               int *code, struct cc_error *err)
{
    struct cc_msg_settings_reply s;
    json_t *out = json_object(), *v;
    const char *name;
    uint64_t n;
    bool ok = true;

    pthread_mutex_lock(&h->lock);
    s = h->config.settings;
    json_object_foreach((json_t *)(uintptr_t)changes, name, v)
    {
        ok = ok && change_setting(&s, name, v, err);
    }
    if (ok)
        h->config.settings = s;
    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        n = setting_get(&s, &settings[i]);
        json_object_set_new(out, settings[i].name,
                            settings[i].width == W_BOOL
                                ? json_boolean(n)
                                : json_integer((json_int_t)n));
    }
    pthread_mutex_unlock(&h->lock);
    if (ok)
        return out;
    json_decref(out);
    *code = CODE_INVALID_PARAMETER;
    return NULL;
}

/* --- Dispatch ------------------------------------------------------------- */

/* The only argument, by place or name; NULL if it was left out. */
static const json_t *argument(const json_t *params, const char *name)
{
    const json_t *v = json_is_array(params) ? json_array_get(params, 0)
                                            : json_object_get(params, name);

    return json_is_null(v) ? NULL : v;
}

json_t *cc_host_rpc(struct cc_host *h, const char *method, const json_t *params,
                    int *code, struct cc_error *err)
{
    const json_t *arg;
    json_t *out;

    if (!strcmp(method, "hostinfo"))
        return info(h);
    if (!strcmp(method, "hostcontracts"))
        return contracts(h);
    if (!strcmp(method, "hostsectors"))
        return sectors(h);
    if (!strcmp(method, "hostseal")) {
        pthread_mutex_lock(&h->tick_lock);
        out = cc_host_seal_json(h);
        pthread_mutex_unlock(&h->tick_lock);
        return out;
    }
    if (!strcmp(method, "hostsettings")) {
        arg = argument(params, "settings");
        if (arg && !json_is_object(arg)) {
            *code = CODE_INVALID_PARAMETER;
            cc_fail(err, CC_INVALID, "settings must be an object");
            return NULL;
        }
        return change_settings(h, arg, code, err);
    }
    if (!strcmp(method, "hostevents")) {
        arg = argument(params, "since");
        if (arg && (!json_is_integer(arg) || json_integer_value(arg) < 0)) {
            *code = CODE_INVALID_PARAMETER;
            cc_fail(err, CC_INVALID, "since must be a number of an event");
            return NULL;
        }
        return events(h, arg ? (uint64_t)json_integer_value(arg) : 0);
    }
    *code = CODE_METHOD_NOT_FOUND;
    cc_fail(err, CC_INVALID, "Method not found");
    return NULL;
}
