/* What the host asks its node. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "storage/host_i.h"
#include "util/hex.h"
#include "util/mem.h"

static enum cc_status call(struct cc_host *h, const char *method,
                           json_t *params, const char *wallet, json_t **result,
                           struct cc_error *err)
{
    return h->config.node.call(h->config.node.arg, method, params, wallet,
                               result, NULL, err);
}

enum cc_status cc_host_call(struct cc_host *h, const char *method,
                            json_t *params, json_t **result,
                            struct cc_error *err)
{
    return call(h, method, params, NULL, result, err);
}

enum cc_status cc_host_call_wallet(struct cc_host *h, const char *method,
                                   json_t *params, json_t **result,
                                   struct cc_error *err)
{
    return call(h, method, params, h->wallet, result, err);
}

/* The node writes coins with eight decimals. A double holds them exactly
 * enough for the nearest satoshi up to 2^26 coins, more than anyone's wallet;
 * above that we refuse rather than be wrong. */
bool cc_host_amount(cc_amount *out, const json_t *v)
{
    double coins;

    if (!json_is_number(v))
        return false;
    coins = json_number_value(v);
    if (!(coins >= 0 && coins <= 67108864.0))
        return false;
    *out = (cc_amount)llround(coins * (double)CC_COIN);
    return true;
}

bool cc_host_txid(uint8_t out[32], const json_t *v)
{
    const char *hex = json_string_value(v);

    return hex && strlen(hex) == 64 && cc_hex_decode_rev(out, 32, hex);
}

json_t *cc_host_txid_json(const uint8_t txid[32])
{
    char hex[65];

    cc_hex_encode_rev(hex, txid, 32);
    return json_string(hex);
}

static enum cc_status strange(struct cc_error *err, const char *method)
{
    return cc_fail(err, CC_IO, "the node's answer to %s is not understood",
                   method);
}

/* --- Blocks --------------------------------------------------------------- */

enum cc_status cc_host_hash(struct cc_host *h, uint32_t height, uint8_t out[32],
                            struct cc_error *err)
{
    uint8_t key[4], *kept;
    enum cc_status st;
    json_t *result;
    bool ok;

    cc_put_u32le(key, height);
    kept = cc_map_get(&h->hashes, key);
    if (kept) {
        memcpy(out, kept, 32);
        return CC_OK;
    }
    st = cc_host_call(h, "getblockhash", json_pack("[I]", (json_int_t)height),
                      &result, err);
    if (st != CC_OK)
        return st;
    ok = cc_host_txid(out, result);
    json_decref(result);
    if (!ok)
        return strange(err, "getblockhash");
    memcpy(cc_map_put(&h->hashes, key, NULL), out, 32);
    return CC_OK;
}

enum cc_status cc_host_update_tip(struct cc_host *h, bool *changed,
                                  struct cc_error *err)
{
    json_t *result;
    enum cc_status st =
        cc_host_call(h, "getblockchaininfo", NULL, &result, err);
    uint8_t hash[32], before[32];
    uint32_t height;
    bool ok;

    if (st != CC_OK)
        return st;
    ok = cc_host_txid(hash, json_object_get(result, "bestblockhash")) &&
         json_is_integer(json_object_get(result, "blocks"));
    height = (uint32_t)json_integer_value(json_object_get(result, "blocks"));
    json_decref(result);
    if (!ok)
        return strange(err, "getblockchaininfo");
    *changed = memcmp(hash, h->tip_hash, 32) != 0;
    if (!*changed)
        return CC_OK;
    /* Another block where our tip was: what is remembered is of a branch
     * that was left. The tip itself is asked for anew, not remembered. */
    cc_put_u32le(before, h->tip);
    cc_map_remove(&h->hashes, before, NULL);
    if (height < h->tip || cc_host_hash(h, h->tip, before, err) != CC_OK ||
        memcmp(before, h->tip_hash, 32))
        cc_map_reset(&h->hashes);
    memcpy(h->tip_hash, hash, 32);
    pthread_mutex_lock(&h->lock);
    h->tip = height;
    pthread_mutex_unlock(&h->lock);
    return CC_OK;
}

static bool read_target(struct cc_u256 *out, const json_t *v)
{
    const char *hex = json_string_value(v);
    uint8_t be[32];

    if (!hex || strlen(hex) != 64 || !cc_hex_decode(be, 32, hex))
        return false;
    *out = cc_u256_from_be(be);
    return true;
}

enum cc_status cc_host_state(struct cc_host *h, uint32_t height,
                             struct cc_mint_state *out, struct cc_error *err)
{
    json_t *result;
    enum cc_status st =
        cc_host_call(h, "getstoragestate", json_pack("[I]", (json_int_t)height),
                     &result, err);
    bool ok;

    if (st != CC_OK)
        return st;
    ok = cc_host_amount(&out->pool, json_object_get(result, "pool")) &&
         read_target(&out->ticket, json_object_get(result, "ticket_target"));
    out->claims =
        (uint32_t)json_integer_value(json_object_get(result, "claims"));
    json_decref(result);
    return ok ? CC_OK : strange(err, "getstoragestate");
}

static const uint8_t *view_hash(void *arg, uint32_t height)
{
    static const uint8_t none[32];
    struct cc_host *h = arg;
    uint8_t hash[32], key[4];

    if (cc_host_hash(h, height, hash, NULL) != CC_OK) {
        h->hash_failed = true;
        return none;
    }
    cc_put_u32le(key, height);
    return cc_map_get(&h->hashes, key);
}

static bool view_state(void *arg, uint32_t height, struct cc_mint_state *out)
{
    struct cc_host *h = arg;

    if (cc_host_state(h, height, out, NULL) == CC_OK)
        return true;
    h->hash_failed = true;
    return false;
}

struct cc_storage_view cc_host_view(struct cc_host *h)
{
    struct cc_storage_view v;

    v.params = h->config.params;
    v.height = h->tip + 1;
    v.hash = view_hash;
    v.state = view_state;
    v.arg = h;
    h->hash_failed = false;
    return v;
}

/* --- Coins ---------------------------------------------------------------- */

enum cc_status cc_host_coin(struct cc_host *h, const struct cc_outpoint *o,
                            cc_amount *value, uint8_t **script, size_t *len,
                            struct cc_error *err)
{
    json_t *params = json_pack("[o, I, b]", cc_host_txid_json(o->txid),
                               (json_int_t)o->index, 0);
    enum cc_status st;
    const char *hex;
    json_t *result;
    bool ok;

    st = cc_host_call(h, "gettxout", params, &result, err);
    if (st != CC_OK)
        return st;
    if (json_is_null(result)) {
        json_decref(result);
        return cc_fail(err, CC_NOTFOUND, "no such unspent output");
    }
    hex = json_string_value(
        json_object_get(json_object_get(result, "scriptPubKey"), "hex"));
    ok = hex && cc_host_amount(value, json_object_get(result, "value"));
    *script = ok ? cc_hex_decode_dup(hex, len) : NULL;
    json_decref(result);
    return *script ? CC_OK : strange(err, "gettxout");
}
