/* Targets that want a node around them: calls of the RPC and mempool.dat, over
 * a chain of one block in a folder of this run's own. */
#include <limits.h>
#include <string.h>

#include "crypto/ec.h"
#include "fuzz.h"
#include "mempool/mempool.h"
#include "rpc/families.h"
#include "rpc/json.h"
#include "rpc/rpc.h"
#include "rpc/waiter.h"
#include "util/args.h"
#include "util/clock.h"

static struct node {
    struct cc_clock clock;
    struct cc_chain *chain;
    struct cc_mempool *pool;
    struct cc_rpc *rpc;
    char directory[400];
} * node;

static struct cc_mempool *new_pool(struct node *n)
{
    const struct cc_mempool_config config = {
        .chain = n->chain,
        .max_bytes = 300000000,
        .expiry_s = 336 * 3600,
        .min_relay_feerate = 1000,
        .incremental_feerate = 1000,
        .dust_feerate = 3000,
        .require_standard = true,
        .bare_multisig = true,
        .datacarrier_bytes = 83,
        .ancestor_limit = 25,
        .descendant_limit = 25,
        .bytes_per_sigop = 20,
        .check = 1,
        .block_min_feerate = 1000,
        .now = cc_clock_now_fn,
        .now_arg = &n->clock,
    };

    return cc_mempool_new(&config);
}

static void open_chain(struct node *n)
{
    const struct cc_params *params = cc_params_get(CC_CHAIN_REGTEST);
    const struct cc_chain_config config = {
        .params = params,
        .directory = n->directory,
        .cache_bytes = 1 << 20,
        .now = cc_clock_now_fn,
        .now_arg = &n->clock,
    };
    struct cc_error err;

    snprintf(n->directory, sizeof(n->directory), "%s", fuzz_path("chain"));
    cc_clock_init(&n->clock);
    cc_clock_set_mock(&n->clock, (int64_t)params->genesis.time + 100000);
    FUZZ_CHECK(cc_chain_open(&n->chain, &config, &err) == CC_OK);
}

/* Families that reach no network, no wallet and no other program. */
static void open_rpc(struct node *n)
{
    struct cc_rpc_env env = {
        .params = cc_params_get(CC_CHAIN_REGTEST),
        .chain = n->chain,
        .mempool = n->pool,
        .ec = cc_ec_new(),
        .args = cc_args_new(NULL, 0),
        .clock = &n->clock,
        .datadir = n->directory,
        .chaindir = n->directory,
        .waiter = cc_waiter_new(),
    };

    cc_waiter_interrupt(env.waiter); /* no call sleeps */
    n->rpc = env.rpc = cc_rpc_new();
    cc_rpc_register_blockchain(n->rpc, true);
    cc_rpc_register_blockstats(n->rpc, true);
    cc_rpc_register_coins(n->rpc, true);
    cc_rpc_register_mining(n->rpc, true);
    cc_rpc_register_pool(n->rpc, true);
    cc_rpc_register_rawtransaction(n->rpc, true);
    cc_rpc_register_rawcreate(n->rpc, true);
    cc_rpc_register_rawsign(n->rpc, true);
    cc_rpc_register_storage(n->rpc, true);
    cc_rpc_register_txproof(n->rpc, true);
    cc_rpc_register_util(n->rpc, true);
    cc_rpc_set_env(n->rpc, &env);
    cc_rpc_set_warmup(n->rpc, NULL);
}

/* Once for the whole run; never closed, like a node that is cut off. */
static struct node *get_node(void)
{
    if (!node) {
        node = calloc(1, sizeof(*node));
        FUZZ_CHECK(node);
        open_chain(node);
        node->pool = new_pool(node);
        open_rpc(node);
    }
    return node;
}

/* Calls that write files where they are told, or take long by intent. */
static bool left_out(const char *method)
{
    static const char *const names[] = {
        "dumptxoutset",  "loadtxoutset", "savemempool",
        "importmempool", "loadmempool",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!strcmp(names[i], method))
            return true;
    return false;
}

/* {"method": "...", "params": [...] or {...}} */
void fuzz_rpc(const uint8_t *data, size_t len)
{
    struct node *n = get_node();
    struct cc_rpc_reply reply = {0};
    json_t *request = cc_json_parse((const char *)data, len);
    const char *method;
    char *text;

    if (!request)
        return;
    method = json_string_value(json_object_get(request, "method"));
    if (method && !left_out(method)) {
        cc_rpc_execute(n->rpc, method, json_object_get(request, "params"), NULL,
                       &reply);
        FUZZ_CHECK(reply.result || (reply.code && reply.message));
        text = reply.result ? cc_json_dump(reply.result, 0) : NULL;
        FUZZ_CHECK(!reply.result || text);
        free(text);
        cc_rpc_reply_clear(&reply);
    }
    json_decref(request);
}

/* mempool.dat. */
void fuzz_mempool(const uint8_t *data, size_t len)
{
    struct node *n = get_node();
    char path[PATH_MAX];
    struct cc_error err;
    enum cc_status st;

    snprintf(path, sizeof(path), "%s", fuzz_path("mempool.dat"));
    fuzz_put_file(path, data, len);
    st = cc_mempool_load(n->pool, path, &err);
    FUZZ_CHECK(st == CC_OK || st == CC_CORRUPT);
    if (st == CC_OK) {
        FUZZ_CHECK(cc_mempool_save(n->pool, path, &err) == CC_OK);
        FUZZ_CHECK(cc_mempool_load(n->pool, path, &err) == CC_OK);
    }
}
