/*
 * blockchain: looking for coins by their scripts.
 *
 * The coin set is walked over a snapshot with no lock held, so a scan stalls
 * nobody. One scan runs at a time.
 */
#include <stdlib.h>

#include "chain/chain.h"
#include "crypto/hash.h"
#include "rpc/descriptor.h"
#include "rpc/families.h"
#include "rpc/internal.h"
#include "rpc/waiter.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/random.h"

struct cc_scan *cc_scan_new(void)
{
    return cc_calloc(1, sizeof(struct cc_scan));
}

void cc_scan_free(struct cc_scan *s) { free(s); }

/* Which script of which descriptor: its text is made when it is found. */
struct needle {
    uint32_t object, index;
    size_t which;
};

struct search {
    struct cc_rpc_call *call;
    struct cc_scan_state *state;
    struct cc_descriptor **objects; /* owned */
    size_t count;
    struct cc_map needles; /* by SHA-256 of the script */
    uint64_t seen;
    cc_amount total;
    json_t *found;
};

bool cc_scan_stopped(const struct cc_rpc_call *call,
                     const struct cc_scan_state *s)
{
    return atomic_load(&s->abort) || cc_waiter_ending(call->env->waiter);
}

static bool stopped(const struct search *s)
{
    return cc_scan_stopped(s->call, s->state);
}

/* --- What to look for -------------------------------------------------- */

static bool add_needles(struct search *s, uint32_t object, uint32_t index)
{
    struct cc_descriptor_scripts scripts;
    uint8_t key[32];

    if (!cc_descriptor_expand(s->objects[object], index, &scripts))
        return false;
    for (size_t i = 0; i < scripts.count; i++) {
        struct needle *n;
        bool fresh;

        cc_sha256_once(key, scripts.script[i].data, scripts.script[i].len);
        n = cc_map_put(&s->needles, key, &fresh);
        if (fresh)
            *n = (struct needle){object, index, i};
    }
    cc_descriptor_scripts_clear(&scripts);
    return true;
}

static bool add_object(struct search *s, const json_t *v)
{
    uint32_t first, last, object = (uint32_t)s->count;

    s->objects[object] = cc_rpc_get_descriptor(s->call, v, &first, &last);
    if (!s->objects[object])
        return false;
    s->count++;
    for (uint32_t i = first; i <= last; i++) {
        if (stopped(s))
            break;
        if (add_needles(s, object, i))
            continue;
        if (json_is_object(v))
            v = json_object_get(v, "desc");
        cc_rpc_error(s->call, CC_RPC_INVALID_ADDRESS_OR_KEY,
                     "Cannot derive script without private keys: '%s'",
                     json_string_value(v));
        return false;
    }
    return true;
}

/* --- Looking ----------------------------------------------------------- */

static void add_coin(struct search *s, const struct needle *n,
                     const struct cc_outpoint *out, const struct cc_coin *coin)
{
    json_t *o = json_object();
    char *desc = cc_descriptor_of(s->objects[n->object], n->index, n->which);

    s->total += coin->out.value;
    cc_json_set_hash(o, "txid", out->txid);
    cc_json_set_int(o, "vout", out->index);
    cc_json_set(o, "scriptPubKey", cc_json_hex(coin->out.script));
    cc_json_set_str(o, "desc", desc);
    free(desc);
    cc_json_set_amount(o, "amount", coin->out.value);
    cc_json_set_bool(o, "coinbase", coin->coinbase);
    cc_json_set_int(o, "height", coin->height);
    json_array_append_new(s->found, o);
}

/* Coins come in order of their txids, so the first two bytes tell how far. */
static bool look(void *arg, const struct cc_outpoint *out,
                 const struct cc_coin *coin)
{
    struct search *s = arg;
    const struct needle *n;
    uint8_t key[32];

    if (s->seen % 256 == 0) {
        atomic_store(&s->state->percent,
                     (out->txid[0] * 256 + out->txid[1]) * 100 / 65536);
        if (stopped(s))
            return false;
    }
    s->seen++;
    cc_sha256_once(key, coin->out.script.data, coin->out.script.len);
    n = cc_map_get(&s->needles, key);
    if (n)
        add_coin(s, n, out, coin);
    return true;
}

static json_t *search(struct search *s)
{
    struct cc_chain *c = s->call->env->chain;
    struct cc_index *tip;
    struct cc_error err;
    enum cc_status st;
    json_t *o;

    cc_error_init(&err);
    st = cc_chain_each_coin_at(c, &tip, look, s, &err);
    if (st != CC_OK)
        return cc_rpc_error(s->call, CC_RPC_INTERNAL_ERROR, "%s", err.text);
    o = json_object();
    cc_json_set_bool(o, "success", !stopped(s));
    cc_json_set(o, "txouts", cc_json_u64(s->seen));
    cc_json_set_int(o, "height", tip->height);
    cc_json_set_hash(o, "bestblock", tip->hash);
    cc_json_set(o, "unspents", json_incref(s->found));
    cc_json_set_amount(o, "total_amount", s->total);
    return o;
}

static json_t *start(struct cc_rpc_call *call, struct cc_scan_state *state)
{
    const json_t *list = cc_rpc_arg(call, 1);
    struct search s = {.call = call, .state = state};
    json_t *o = NULL;
    uint8_t seed[16];
    bool ok = true;

    if (!list)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "scanobjects argument is required for the start "
                            "action");
    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&s.needles, 32, sizeof(struct needle), seed);
    s.objects = cc_calloc(json_array_size(list) + 1, sizeof(*s.objects));
    s.found = json_array();
    for (size_t i = 0; ok && i < json_array_size(list); i++)
        ok = add_object(&s, json_array_get(list, i));
    if (ok)
        o = search(&s);
    json_decref(s.found);
    while (s.count)
        cc_descriptor_free(s.objects[--s.count]);
    free(s.objects);
    cc_map_clear(&s.needles);
    return o;
}

/* --- The call ---------------------------------------------------------- */

static json_t *status(const struct cc_scan_state *s, bool heights)
{
    json_t *o;

    if (!atomic_load(&s->running))
        return json_null();
    o = json_object();
    cc_json_set_int(o, "progress", atomic_load(&s->percent));
    if (heights)
        cc_json_set_int(o, "current_height", atomic_load(&s->height));
    return o;
}

json_t *cc_scan_call(struct cc_rpc_call *call, struct cc_scan_state *s,
                     bool heights,
                     json_t *(*begin)(struct cc_rpc_call *call,
                                      struct cc_scan_state *s))
{
    const char *action = cc_rpc_str(call, 0, "");
    bool idle = false;
    json_t *o;

    if (!strcmp(action, "status"))
        return status(s, heights);
    if (!strcmp(action, "abort")) {
        if (!atomic_load(&s->running))
            return json_false();
        atomic_store(&s->abort, true);
        return json_true();
    }
    if (strcmp(action, "start") != 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Invalid action '%s'", action);
    if (!atomic_compare_exchange_strong(&s->running, &idle, true))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Scan already in progress, use action \"abort\" "
                            "or \"status\"");
    atomic_store(&s->abort, false);
    atomic_store(&s->percent, 0);
    atomic_store(&s->height, 0);
    o = begin(call, s);
    atomic_store(&s->running, false);
    return o;
}

static json_t *scantxoutset(struct cc_rpc_call *call)
{
    return cc_scan_call(call, &cc_rpc_scan(call->env->rpc)->coins, false,
                        start);
}

static const struct cc_rpc_arg args[] = {
    CC_SCAN_ARGS,
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "scantxoutset", scantxoutset, CC_RPC_ARGS(args),
     "Scans the unspent transaction output set for entries that match certain "
     "output descriptors.\nExamples of output descriptors are:\n    "
     "addr(<address>)                      Outputs whose output script "
     "corresponds to the specified address (does not include P2PK)\n    "
     "raw(<hex script>)                    Outputs whose output script equals "
     "the specified hex-encoded bytes\n    combo(<pubkey>)                     "
     " P2PK, P2PKH, P2WPKH, and P2SH-P2WPKH outputs for the given pubkey\n    "
     "pkh(<pubkey>)                        P2PKH outputs for the given "
     "pubkey\n    sh(multi(<n>,<pubkey>,<pubkey>,...)) P2SH-multisig outputs "
     "for the given threshold and pubkeys\n    tr(<pubkey>)                    "
     "     P2TR\nIn the above, <pubkey> either refers to a fixed public key in "
     "hexadecimal notation, or to an xpub/xprv optionally followed by one\nor "
     "more path elements separated by \"/\", and optionally ending in \"/*\" "
     "(unhardened), or \"/*'\" or \"/*h\" (hardened) to specify all\n"
     "unhardened or hardened child keys.\nIn the latter case, a range needs to "
     "be specified by below if different from 1000.",
     "{...}    success, txouts, height, bestblock, unspents (txid, vout, "
     "scriptPubKey, desc, amount, coinbase, height), total_amount; of status: "
     "progress, or null",
     "start '[\"raw(51)#8lvh9jxk\"]'", 0},
};

void cc_rpc_register_scan(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
