#include "storage/test/fake_node.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/writer.h"

#define HEIGHTS 2000

void fake_node_init(struct fake_node *n, const struct cc_ec *ec)
{
    memset(n, 0, sizeof(*n));
    n->params = *cc_params_get(CC_CHAIN_REGTEST);
    n->ec = ec;
    memset(n->secret, 0x11, 32);
    assert_true(cc_ec_xonly(ec, n->key, n->secret));
    n->hashes = cc_calloc(HEIGHTS, 32);
    n->states = cc_calloc(HEIGHTS, sizeof(*n->states));
    memcpy(n->hashes[0], n->params.genesis_hash, 32);
    cc_mint_first(&n->states[0], &n->params);
}

void fake_node_clear(struct fake_node *n)
{
    for (size_t i = 0; i < n->pool_count; i++)
        cc_tx_clear(&n->pool[i]);
    free(n->pool);
    free(n->coins);
    free(n->hashes);
    free(n->states);
}

/* --- Coins ---------------------------------------------------------------- */

static struct fake_coin *coin_at(const struct fake_node *n,
                                 const struct cc_outpoint *o)
{
    for (size_t i = 0; i < n->coin_count; i++)
        if (!n->coins[i].spent && cc_outpoint_equal(&n->coins[i].place, o))
            return &n->coins[i];
    return NULL;
}

/* Scripts move with the array. */
static struct cc_coin coin_of(const struct fake_coin *f)
{
    struct cc_coin c = f->coin;

    c.out.script.data = f->script;
    return c;
}

static void add_coin(struct fake_node *n, const struct cc_outpoint *o,
                     const struct cc_txout *out, bool coinbase)
{
    struct fake_coin *c;

    n->coins =
        cc_grow(n->coins, &n->coin_cap, n->coin_count + 1, sizeof(*n->coins));
    c = &n->coins[n->coin_count++];
    memset(c, 0, sizeof(*c));
    assert_true(out->script.len <= sizeof(c->script));
    c->place = *o;
    c->coin.out = *out;
    c->coin.height = n->tip;
    c->coin.coinbase = coinbase;
    memcpy(c->script, out->script.data, out->script.len);
}

struct cc_outpoint fake_pay(struct fake_node *n, const uint8_t key[32],
                            cc_amount value)
{
    uint8_t script[34] = {0x51, 32};
    struct cc_outpoint o;
    struct cc_txout out;
    uint8_t seed[8];

    memcpy(script + 2, key, 32);
    memset(&o, 0, sizeof(o));
    cc_put_u64le(seed, n->coin_count);
    cc_sha256_once(o.txid, seed, sizeof(seed));
    out.value = value;
    out.script = cc_bytes(script, sizeof(script));
    add_coin(n, &o, &out, false);
    return o;
}

static bool pays(const struct fake_coin *c, const uint8_t key[32])
{
    return !c->spent && c->coin.out.script.len == 34 && c->script[0] == 0x51 &&
           !memcmp(c->script + 2, key, 32);
}

cc_amount fake_balance(const struct fake_node *n, const uint8_t key[32])
{
    cc_amount sum = 0;

    for (size_t i = 0; i < n->coin_count; i++)
        if (pays(&n->coins[i], key))
            sum += n->coins[i].coin.out.value;
    return sum;
}

const struct fake_coin *fake_find(const struct fake_node *n, enum cc_kind kind,
                                  const uint8_t id[32], struct cc_typed *t)
{
    uint8_t got[32];

    for (size_t i = 0; i < n->coin_count; i++) {
        const struct fake_coin *c = &n->coins[i];

        if (c->spent || cc_typed_parse(t, coin_of(c).out.script, NULL) ||
            t->kind != kind)
            continue;
        cc_typed_id(got, t, &c->place);
        if (!id || !memcmp(got, id, 32))
            return c;
    }
    return NULL;
}

/* --- The chain ------------------------------------------------------------ */

static const uint8_t *hash_at(void *arg, uint32_t height)
{
    struct fake_node *n = arg;

    assert_true(height <= n->tip);
    return n->hashes[height];
}

static bool state_at(void *arg, uint32_t height, struct cc_mint_state *out)
{
    struct fake_node *n = arg;

    if (height > n->tip)
        return false;
    *out = n->states[height];
    return true;
}

/* The rules, all of them but Script: key spends are checked here. */
static enum cc_status judge(struct fake_node *n, const struct cc_tx *tx,
                            struct cc_storage_result *r, struct cc_error *err)
{
    struct cc_storage_view view = {&n->params, n->tip + 1, hash_at, state_at,
                                   n};
    struct cc_coin *coins = cc_calloc(tx->vin_count, sizeof(*coins));
    struct fake_coin *f;
    struct cc_sighash s;
    enum cc_status st = CC_OK;
    uint8_t msg[32];

    for (size_t i = 0; i < tx->vin_count && st == CC_OK; i++) {
        f = coin_at(n, &tx->vin[i].prevout);
        if (f)
            coins[i] = coin_of(f);
        else
            st = cc_fail(err, CC_INVALID, "bad-txns-inputs-missingorspent");
    }
    if (st == CC_OK) {
        cc_sighash_init(&s, tx, coins);
        st = cc_storage_check(r, tx, coins, &s, &view, err);
    }
    for (size_t i = 0; st == CC_OK && i < r->job_count; i++)
        st = cc_storage_job_run(&r->jobs[i], &n->params, err);
    for (size_t i = 0; st == CC_OK && i < tx->vin_count; i++) {
        if (coins[i].out.script.data[0] == CC_OP_STORAGE)
            continue;
        assert_true(cc_sighash_v1(msg, &s, i, 0, &(struct cc_taproot_ctx){0}));
        if (tx->vin[i].witness_count != 1 || tx->vin[i].witness[0].len != 64 ||
            !cc_schnorr_verify(coins[i].out.script.data + 2,
                               tx->vin[i].witness[0].data, msg, 32))
            st = cc_fail(err, CC_INVALID, "input %zu is not signed", i);
    }
    free(coins);
    return st;
}

static void connect(struct fake_node *n, const struct cc_tx *tx,
                    const struct cc_storage_result *r)
{
    struct cc_outpoint o;

    for (size_t i = 0; i < tx->vin_count; i++)
        coin_at(n, &tx->vin[i].prevout)->spent = true;
    memcpy(o.txid, tx->txid, 32);
    for (size_t i = 0; i < tx->vout_count; i++) {
        o.index = (uint32_t)i;
        add_coin(n, &o, &tx->vout[i], r->maturing && r->maturing[i]);
        n->coins[n->coin_count - 1].coin.height = n->tip + 1;
    }
    n->penalties += r->pool;
    n->minted += r->mint;
    n->claims += r->claims;
}

static void mine_one(struct fake_node *n)
{
    struct cc_storage_result r;
    uint8_t seed[8];

    n->penalties = n->minted = 0;
    n->claims = 0;
    cc_storage_result_init(&r);
    for (size_t i = 0; i < n->pool_count; i++) {
        if (judge(n, &n->pool[i], &r, NULL) == CC_OK)
            connect(n, &n->pool[i], &r);
        cc_tx_clear(&n->pool[i]);
    }
    n->pool_count = 0;
    cc_storage_result_clear(&r);
    assert_true(n->tip + 1 < HEIGHTS);
    assert_int_equal(cc_mint_next(&n->states[n->tip + 1], &n->states[n->tip],
                                  n->tip + 1, n->penalties, n->minted,
                                  n->claims, &n->params, NULL),
                     CC_OK);
    n->tip++;
    cc_put_u32le(seed, n->tip);
    cc_put_u32le(seed + 4, n->salt);
    cc_sha256_once(n->hashes[n->tip], seed, sizeof(seed));
}

void fake_mine(struct fake_node *n, unsigned blocks)
{
    while (blocks--)
        mine_one(n);
}

enum cc_status fake_send(struct fake_node *n, const struct cc_tx *tx,
                         struct cc_error *err)
{
    struct cc_storage_result r;
    enum cc_status st;

    cc_storage_result_init(&r);
    st = judge(n, tx, &r, err);
    cc_storage_result_clear(&r);
    if (st != CC_OK) {
        n->refused += coin_at(n, &tx->vin[0].prevout) != NULL;
        return st;
    }
    n->pool =
        cc_grow(n->pool, &n->pool_cap, n->pool_count + 1, sizeof(*n->pool));
    cc_tx_copy(&n->pool[n->pool_count++], tx);
    n->sent++;
    return CC_OK;
}

void fake_sign(const struct fake_node *n, struct cc_tx *tx,
               const struct cc_coin *coins, size_t index,
               const uint8_t secret[32])
{
    struct cc_taproot_ctx ctx = {0};
    struct cc_sighash s;
    uint8_t msg[32], *sig;

    cc_tx_finish(tx);
    cc_sighash_init(&s, tx, coins);
    assert_true(cc_sighash_v1(msg, &s, index, 0, &ctx));
    sig = cc_arena_alloc(&tx->arena, 64);
    assert_true(cc_schnorr_sign(n->ec, sig, secret, msg, 32, NULL));
    tx->vin[index].witness =
        cc_arena_alloc(&tx->arena, sizeof(*tx->vin[index].witness));
    tx->vin[index].witness[0] = cc_bytes(sig, 64);
    tx->vin[index].witness_count = 1;
    cc_tx_finish(tx);
}

/* --- Calls ---------------------------------------------------------------- */

static json_t *hash_json(const uint8_t hash[32])
{
    char hex[65];

    cc_hex_encode_rev(hex, hash, 32);
    return json_string(hex);
}

static json_t *plain_json(const void *b, size_t len)
{
    char *hex = cc_hex_dup(b, len);
    json_t *out = json_string(hex);

    free(hex);
    return out;
}

static json_t *coins_json(cc_amount a)
{
    return json_real((double)a / (double)CC_COIN);
}

static struct cc_outpoint outpoint_of(const json_t *txid, const json_t *vout)
{
    struct cc_outpoint o;

    memset(&o, 0, sizeof(o));
    assert_true(cc_hex_decode_rev(o.txid, 32, json_string_value(txid)));
    o.index = (uint32_t)json_integer_value(vout);
    return o;
}

static json_t *list_typed(struct fake_node *n, enum cc_kind kind)
{
    json_t *out = json_array();
    struct cc_typed t;
    uint8_t id[32];

    for (size_t i = 0; i < n->coin_count; i++) {
        const struct fake_coin *c = &n->coins[i];

        if (c->spent || cc_typed_parse(&t, coin_of(c).out.script, NULL) ||
            t.kind != kind)
            continue;
        cc_typed_id(id, &t, &c->place);
        json_array_append_new(
            out, json_pack("{s:o, s:o, s:I, s:I}", "id", plain_json(id, 32),
                           "txid", hash_json(c->place.txid), "vout",
                           (json_int_t)c->place.index, "height",
                           (json_int_t)c->coin.height));
    }
    return out;
}

static json_t *list_unspent(struct fake_node *n)
{
    json_t *out = json_array();

    for (size_t i = 0; i < n->coin_count; i++) {
        const struct fake_coin *c = &n->coins[i];

        if (pays(c, n->key) && !c->locked && !c->coin.coinbase)
            json_array_append_new(
                out, json_pack("{s:o, s:I, s:o, s:o}", "txid",
                               hash_json(c->place.txid), "vout",
                               (json_int_t)c->place.index, "scriptPubKey",
                               plain_json(c->script, 34), "amount",
                               coins_json(c->coin.out.value)));
    }
    return out;
}

static json_t *lock_unspent(struct fake_node *n, const json_t *params)
{
    bool unlock = json_is_true(json_array_get(params, 0));
    json_t *v;
    size_t i;

    json_array_foreach(json_array_get(params, 1), i, v)
    {
        struct cc_outpoint o =
            outpoint_of(json_object_get(v, "txid"), json_object_get(v, "vout"));
        struct fake_coin *c = coin_at(n, &o);

        if (c)
            c->locked = !unlock;
    }
    return json_true();
}

static bool decode(struct cc_tx *tx, const json_t *hex)
{
    size_t len;
    uint8_t *raw = cc_hex_decode_dup(json_string_value(hex), &len);
    bool ok = raw && cc_tx_decode(tx, raw, len, true) == CC_OK;

    free(raw);
    return ok;
}

static json_t *sign_raw(struct fake_node *n, const json_t *params)
{
    struct cc_coin *coins;
    struct cc_writer w;
    struct cc_tx tx;
    json_t *out;

    assert_true(decode(&tx, json_array_get(params, 0)));
    coins = cc_calloc(tx.vin_count, sizeof(*coins));
    for (size_t i = 0; i < tx.vin_count; i++) {
        struct fake_coin *c = coin_at(n, &tx.vin[i].prevout);

        assert_non_null(c);
        coins[i] = coin_of(c);
    }
    for (size_t i = 0; i < tx.vin_count; i++)
        if (coins[i].out.script.len == 34 &&
            !memcmp(coins[i].out.script.data + 2, n->key, 32))
            fake_sign(n, &tx, coins, i, n->secret);
    free(coins);
    cc_writer_init_heap(&w);
    cc_tx_write(&w, &tx, true);
    out = json_pack("{s:o, s:b}", "hex", plain_json(w.data, w.len), "complete",
                    1);
    cc_writer_clear(&w);
    cc_tx_clear(&tx);
    return out;
}

static json_t *send_raw(struct fake_node *n, const json_t *params,
                        struct cc_error *err)
{
    struct cc_tx tx;
    json_t *out = NULL;

    assert_true(decode(&tx, json_array_get(params, 0)));
    if (fake_send(n, &tx, err) == CC_OK)
        out = hash_json(tx.txid);
    cc_tx_clear(&tx);
    return out;
}

static json_t *get_txout(struct fake_node *n, const json_t *params)
{
    struct cc_outpoint o =
        outpoint_of(json_array_get(params, 0), json_array_get(params, 1));
    struct fake_coin *c = coin_at(n, &o);

    if (!c)
        return json_null();
    return json_pack("{s:o, s:{s:o}}", "value", coins_json(c->coin.out.value),
                     "scriptPubKey", "hex",
                     plain_json(c->script, c->coin.out.script.len));
}

static json_t *storage_state(struct fake_node *n, uint32_t height)
{
    uint8_t be[32];

    assert_true(height <= n->tip);
    cc_u256_to_be(be, &n->states[height].ticket);
    return json_pack("{s:I, s:o, s:o, s:I}", "height", (json_int_t)height,
                     "pool", coins_json(n->states[height].pool),
                     "ticket_target", plain_json(be, 32), "claims",
                     (json_int_t)n->states[height].claims);
}

static json_t *identity(struct fake_node *n, struct cc_error *err)
{
    if (!n->registered) {
        cc_fail(err, CC_INVALID, "not registered");
        return NULL;
    }
    return json_pack("{s:[s]}", "endpoints", n->endpoint);
}

static json_t *register_identity(struct fake_node *n, const json_t *params)
{
    const json_t *endpoints = json_object_get(params, "endpoints");
    static const uint8_t txid[32] = {7};

    strncpy(n->endpoint, json_string_value(json_array_get(endpoints, 0)),
            sizeof(n->endpoint) - 1);
    n->registered = true;
    return json_pack("{s:o}", "txid", hash_json(txid));
}

static json_t *in_pool(const struct fake_node *n, const json_t *txid)
{
    struct cc_outpoint o = outpoint_of(txid, NULL);

    for (size_t i = 0; i < n->pool_count; i++)
        if (!memcmp(n->pool[i].txid, o.txid, 32))
            return json_object();
    return NULL;
}

static json_t *answer(struct fake_node *n, const char *method,
                      const json_t *params, struct cc_error *err)
{
    uint32_t first = (uint32_t)json_integer_value(json_array_get(params, 0));

    if (!strcmp(method, "getblockchaininfo"))
        return json_pack("{s:I, s:o}", "blocks", (json_int_t)n->tip,
                         "bestblockhash", hash_json(n->hashes[n->tip]));
    if (!strcmp(method, "getblockhash")) {
        assert_true(first <= n->tip);
        return hash_json(n->hashes[first]);
    }
    if (!strcmp(method, "getstoragekey"))
        return json_pack("{s:o, s:o}", "key", plain_json(n->key, 32), "secret",
                         plain_json(n->secret, 32));
    if (!strcmp(method, "getmempoolentry"))
        return in_pool(n, json_array_get(params, 0));
    if (!strcmp(method, "gettransaction"))
        return NULL;
    if (!strcmp(method, "getidentity"))
        return identity(n, err);
    if (!strcmp(method, "registeridentity"))
        return register_identity(n, params);
    if (!strcmp(method, "listcontracts"))
        return list_typed(n, CC_KIND_CONTRACT);
    if (!strcmp(method, "listseals"))
        return list_typed(n, CC_KIND_SEAL);
    if (!strcmp(method, "getstoragestate"))
        return storage_state(n, first);
    if (!strcmp(method, "gettxout"))
        return get_txout(n, params);
    if (!strcmp(method, "listunspent"))
        return list_unspent(n);
    if (!strcmp(method, "lockunspent"))
        return lock_unspent(n, params);
    if (!strcmp(method, "signrawtransactionwithwallet"))
        return sign_raw(n, params);
    if (!strcmp(method, "sendrawtransaction"))
        return send_raw(n, params, err);
    fail_msg("the host calls %s", method);
    return NULL;
}

static enum cc_status call(void *arg, const char *method, json_t *params,
                           const char *wallet, json_t **result, int *code,
                           struct cc_error *err)
{
    struct fake_node *n = arg;
    struct cc_error why;

    (void)wallet;
    (void)code;
    cc_error_init(&why);
    *result = NULL;
    if (!n->down && !(n->broken && !strcmp(n->broken, method)))
        *result = answer(n, method, params, &why);
    json_decref(params);
    if (*result)
        return CC_OK;
    if (n->down)
        return cc_fail(err, CC_IO, "the node is gone");
    return cc_fail(err, CC_INVALID, "%s: %s", method,
                   n->why ? n->why : why.text);
}

struct cc_host_node fake_node_calls(struct fake_node *n)
{
    struct cc_host_node calls = {call, n};

    return calls;
}
