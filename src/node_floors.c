/*
 * The floors of the node, from the ground up: for each what its options say,
 * then what it needs of those below, then it is opened. cc_node_open_floors,
 * at the end, has their order.
 */
#include "node_i.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/settings.h"
#include "util/fs.h"
#include "util/mem.h"

#define TXINDEX_CACHE_BYTES ((size_t)32 << 20)
#define STATSINDEX_CACHE_BYTES (8 << 20)
#define QUICK_TEMPLATE_MS 10

/* Open at once: what the node itself needs, as bitcoind counts it; peers of
 * -addnode; what is captured; tables of the chain's database and of indexes. */
#define CORE_FILES 150
#define ADDED_PEERS 8
#define CAPTURE_FILES 1
#define DATABASE_FILES (4 * 256)

/* What a user should see though the node goes on: like an error, it goes where
 * the node was started from. */
static void warn(void *arg, const char *text)
{
    struct cc_node *n = arg;

    cc_log(n->log, "Warning: %s", text);
    fprintf(stderr, "Warning: %s\n", text);
}

/* Peers are what there can be fewer of: a database that may not open a file
 * stops the node. */
static enum cc_status allow_files(struct cc_node *n, struct cc_error *err)
{
    const struct cc_args *args = n->setup->args;
    int64_t asked = cc_args_get_int(args, "maxconnections", 125);
    uint64_t want = asked < 0 ? 0 : asked > 2000 ? 2000 : (uint64_t)asked;
    uint64_t binds = 0, rest, have;
    char text[120];

    while (cc_args_get_nth(args, "bind", (size_t)binds))
        binds++;
    for (size_t i = 0; cc_args_get_nth(args, "whitebind", i); i++)
        binds++;
    rest = CORE_FILES + ADDED_PEERS + CAPTURE_FILES + (binds ? binds : 1);
    have = cc_fs_allow_files(rest + want + DATABASE_FILES);
    if (have < CORE_FILES)
        return cc_fail(err, CC_INVALID,
                       "Not enough file descriptors available.");
    n->max_connections = (unsigned)(have >= rest + want ? want
                                    : have > rest       ? have - rest
                                                        : 0);
    if (n->max_connections < want) {
        snprintf(text, sizeof(text),
                 "Reducing -maxconnections from %" PRIu64
                 " to %u, because of system limitations.",
                 want, n->max_connections);
        warn(n, text);
    }
    return CC_OK;
}

/* What is being done, in the log and to callers who come too early. */
static void announce(struct cc_node *n, const char *what)
{
    cc_log(n->log, "init message: %s", what);
    cc_rpc_set_warmup(n->rpc, what);
}

static enum cc_status start_server(struct cc_node *n, struct cc_error *err)
{
    const struct cc_args *args = n->setup->args;
    struct cc_server_config c = {0};
    char *cookie;
    enum cc_status st;

    cc_rpc_register_all(n->rpc, n->params.storage_active,
                        !cc_args_get_bool(args, "disablewallet", false));
    if (!cc_args_get_bool(args, "server", true))
        return CC_OK;
    st = cc_option_server(n->setup, &c, &n->rpc_lists, err);
    if (st != CC_OK)
        return st;
    c.rpc = n->rpc;
    c.rest = cc_args_get_bool(args, "rest", false);
    c.log = n->log;
    if (!c.allow_count && cc_args_is_set(args, "rpcbind"))
        cc_log(n->log, "WARNING: option -rpcbind was ignored because "
                       "-rpcallowip was not specified, refusing to allow "
                       "everyone to connect");
    cookie =
        cc_setup_path(n->setup, cc_args_get(args, "rpccookiefile", ".cookie"));
    c.cookie_path = cookie;
    st = cc_server_start(&n->server, &c, err);
    free(cookie);
    if (st == CC_OK)
        return CC_OK;
    cc_log(n->log, "%s", err->text);
    if (!strncmp(err->text, "Invalid -rpcallowip", 19))
        return st;
    return cc_fail(err, st,
                   "Unable to start HTTP server. See debug log for details.");
}

static enum cc_status open_chain(struct cc_node *n, struct cc_error *err)
{
    const struct cc_args *args = n->setup->args;
    struct cc_chain_config c = {
        .params = &n->params,
        .directory = n->setup->chaindir,
        .now = cc_clock_now_fn,
        .now_arg = &n->clock,
        .log = n->log,
        .stop = n->hooks.stop_soon,
        .fault = cc_crash_fault(&n->crash),
    };
    enum cc_status st = cc_option_chain(args, &n->chain_options, &c, err);

    if (st != CC_OK)
        return st;
    cc_option_chain_log(&c, &n->chain_options);
    announce(n, "Loading block index\xe2\x80\xa6");
    st = cc_chain_open(&n->chain, &c, err);
    if (st != CC_OK)
        return st;
    if (cc_chain_reached(n->chain))
        n->hooks.stop(n->hooks.arg);
    n->block_notify = cc_args_get(args, "blocknotify", NULL);
    cc_node_listen_chain(n);
    return CC_OK;
}

/* Says that this index begins, and with what; returns its folder, for free. */
static char *begin_index(struct cc_node *n, const char *name,
                         const char *folder, size_t cache_bytes,
                         struct cc_follow_config *c)
{
    char *text = cc_asprintf("Syncing %s\xe2\x80\xa6", name);
    char *directory = cc_setup_path(n->setup, folder);

    cc_log(n->log, "%s thread start", name); /* its first part is done here */
    announce(n, text);
    free(text);
    *c = (struct cc_follow_config){
        .chain = n->chain,
        .directory = directory,
        .cache_bytes = cache_bytes,
        .log = n->log,
        .fault = cc_crash_fault(&n->crash),
        .stop = n->hooks.stop_soon,
        /* One that is damaged comes back that way. */
        .anew = cc_args_get_bool(n->setup->args, "reindex", false)};
    return directory;
}

static enum cc_status open_txindex(struct cc_node *n, struct cc_error *err)
{
    struct cc_follow_config c;
    char *directory;
    enum cc_status st;

    if (!cc_args_get_bool(n->setup->args, "txindex", false))
        return CC_OK;
    directory =
        begin_index(n, "txindex", "indexes/txindex", TXINDEX_CACHE_BYTES, &c);
    st = cc_txindex_open(&n->txindex, &c, err);
    free(directory);
    return st;
}

static enum cc_status open_statsindex(struct cc_node *n, struct cc_error *err)
{
    struct cc_follow_config c;
    char *directory;
    enum cc_status st;

    if (!cc_args_get_bool(n->setup->args, "coinstatsindex", false))
        return CC_OK;
    if (n->params.storage_active)
        return cc_fail(err, CC_INVALID,
                       "-coinstatsindex is not supported where storage is "
                       "active.");
    directory = begin_index(n, "coinstatsindex", "indexes/coinstats",
                            STATSINDEX_CACHE_BYTES, &c);
    st = cc_statsindex_open(&n->statsindex, &c, err);
    free(directory);
    return st;
}

static enum cc_status open_filters(struct cc_node *n, struct cc_error *err)
{
    struct cc_follow_config c;
    char *directory;
    bool keep;
    enum cc_status st =
        cc_option_filters(n->setup->args, &keep, &n->serve_filters, err);

    if (st != CC_OK || !keep)
        return st;
    directory =
        begin_index(n, "basic block filter index", "indexes/blockfilter/basic",
                    TXINDEX_CACHE_BYTES, &c);
    st = cc_filterindex_open(&n->filters, &c, err);
    free(directory);
    return st;
}

static enum cc_status open_mempool(struct cc_node *n, struct cc_error *err)
{
    struct cc_templates_config t = {.params = &n->params,
                                    .clock = &n->clock,
                                    .waiter = n->waiter,
                                    .quick_ms = QUICK_TEMPLATE_MS};
    struct cc_mempool_config c = {.chain = n->chain,
                                  .now = cc_clock_now_fn,
                                  .now_arg = &n->clock,
                                  .log = n->log};
    enum cc_status st = cc_option_mempool(n->setup->args, &n->params, &c, err);

    if (st != CC_OK)
        return st;
    n->mempool = cc_mempool_new(&c);
    cc_node_listen_mempool(n);
    t.chain = n->chain;
    t.mempool = n->mempool;
    n->templates = cc_templates_new(&t);
    return CC_OK;
}

static enum cc_status open_net(struct cc_node *n, struct cc_error *err)
{
    struct cc_net_options o;
    enum cc_status st;

    cc_net_options_init(&o);
    st = cc_option_net(n->setup->args, &n->params, &o, &n->net_lists, err);
    if (st == CC_OK)
        st = cc_option_user_agent(n->setup->args, &n->user_agent, err);
    if (st != CC_OK)
        return st;
    if (o.max_connections > n->max_connections)
        o.max_connections = n->max_connections;
    o.chain = n->chain;
    o.mempool = n->mempool;
    o.clock = &n->clock;
    o.log = n->log;
    o.directory = n->setup->chaindir;
    o.user_agent = n->user_agent;
    if (o.connect_count && o.seednode_count)
        cc_log(n->log, "-seednode is ignored when -connect is used");
    if ((o.connect_count || o.connect_none) && o.dns_seed_set && o.dns_seed &&
        o.proxy)
        cc_log(n->log, "-dnsseed is ignored when -connect is used and -proxy "
                       "is specified");
    cc_log(n->log, "SetNetworkActive: %s", o.inactive ? "false" : "true");
    o.filters = n->serve_filters ? n->filters : NULL;
    return cc_net_new(&n->net, &o, err);
}
/* One that a user names is not made: a mistyped name would hide his wallets. */
static enum cc_status check_walletdir(const char *path, struct cc_error *err)
{
    const char *fault = !cc_fs_exists(path)   ? "does not exist"
                        : !cc_fs_is_dir(path) ? "is not a directory"
                        : path[0] != '/'      ? "is a relative path"
                                              : NULL;

    if (!fault)
        return CC_OK;
    return cc_fail(err, CC_INVALID, "Specified -walletdir \"%s\" %s", path,
                   fault);
}

static enum cc_status open_wallets(struct cc_node *n, struct cc_error *err)
{
    const struct cc_args *args = n->setup->args;
    struct cc_wallets_config c;
    char *directory;
    enum cc_status st;

    /* As bitcoind's, a data folder has one even when no wallet is wanted. */
    directory = cc_setup_path(n->setup, "wallets");
    st = cc_fs_mkdirs(directory, err);
    free(directory);
    if (st != CC_OK || cc_args_get_bool(args, "disablewallet", false))
        return st;
    cc_wallets_config_init(&c, &n->params);
    st = cc_option_wallets(args, &n->params, &c, err);
    if (st == CC_OK && cc_args_is_set(args, "walletdir"))
        st = check_walletdir(cc_args_get(args, "walletdir", ""), err);
    if (st != CC_OK)
        return st;
    directory =
        cc_setup_path(n->setup, cc_args_get(args, "walletdir", "wallets"));
    c.chain = n->chain;
    c.mempool = n->mempool;
    c.broadcast = cc_node_broadcast;
    c.broadcast_arg = n;
    if (*cc_args_get(args, "walletnotify", "") &&
        !cc_args_is_negated(args, "walletnotify"))
        c.changed = cc_node_on_wallet_tx;
    c.changed_arg = n;
    c.ec = n->ec;
    c.clock = &n->clock;
    c.log = n->log;
    c.directory = directory;
    st = cc_wallets_new(&n->wallets, &c, err);
    free(directory);
    return st;
}

void cc_node_set_env(struct cc_node *n)
{
    struct cc_rpc_env env = {.params = &n->params,
                             .chain = n->chain,
                             .mempool = n->mempool,
                             .net = n->net,
                             .txindex = n->txindex,
                             .statsindex = n->statsindex,
                             .filters = n->filters,
                             .wallets = n->wallets,
                             .ec = n->ec,
                             .args = n->setup->args,
                             .clock = &n->clock,
                             .log = n->log,
                             .datadir = n->setup->datadir,
                             .chaindir = n->setup->chaindir,
                             .settings = n->settings_path,
                             .waiter = n->waiter,
                             .templates = n->templates,
                             .warnings = n->warnings,
                             .stop = n->hooks.stop,
                             .stop_arg = n->hooks.arg};

    cc_rpc_set_env(n->rpc, &env);
}

static enum cc_status load_wallets(struct cc_node *n, struct cc_error *err)
{
    const char *name;
    enum cc_status st = CC_OK;

    cc_node_set_env(n);
    if (!n->wallets)
        return CC_OK;
    announce(n, "Loading wallet\xe2\x80\xa6");
    for (size_t i = 0;
         st == CC_OK && (name = cc_args_get_nth(n->setup->args, "wallet", i));
         i++)
        st = cc_settings_load_wallet(n->wallets, name, warn, n, err);
    return st;
}

/* -loadblock. A file that is not there is no reason not to start. */
static enum cc_status import_blocks(struct cc_node *n, struct cc_error *err)
{
    const struct cc_args *args = n->setup->args;
    const char *path;
    enum cc_status st = CC_OK;

    cc_log(n->log, "initload thread start"); /* blocks, then the pool */
    for (size_t i = 0;
         st == CC_OK && (path = cc_args_get_nth(args, "loadblock", i)); i++) {
        announce(n, "Importing blocks\xe2\x80\xa6");
        st = cc_chain_import(n->chain, path, err);
        if (st == CC_NOTFOUND) {
            cc_log(n->log, "Warning: %s", err->text);
            st = CC_OK;
        }
    }
    if (st == CC_OK && cc_args_get_bool(args, "stopafterblockimport", false)) {
        cc_log(n->log, "Stopping after block import");
        n->hooks.stop(n->hooks.arg);
    }
    return st;
}

/* A pool that cannot be read is no reason not to start. */
static enum cc_status load_mempool(struct cc_node *n, struct cc_error *err)
{
    char *path;
    enum cc_status st;

    if (!cc_args_get_bool(n->setup->args, "persistmempool", true))
        return CC_OK;
    path = cc_setup_path(n->setup, "mempool.dat");
    st = cc_mempool_load(n->mempool, path, err);
    free(path);
    if (st != CC_OK && st != CC_NOTFOUND)
        cc_log(n->log,
               "Failed to import mempool from disk: %s. Continuing "
               "anyway.",
               err->text);
    n->pool_loaded = true;
    return CC_OK;
}

/* A node that ends before it has read the file must not empty it. */
void cc_node_save_mempool(struct cc_node *n)
{
    struct cc_error err;
    char *path;

    if (!n->pool_loaded)
        return;
    path = cc_setup_path(n->setup, "mempool.dat");
    if (cc_mempool_save(n->mempool, path, &err) != CC_OK)
        cc_log(n->log, "Failed to dump mempool: %s. Continuing anyway.",
               err.text);
    free(path);
}

static enum cc_status start_extensions(struct cc_node *n, struct cc_error *err)
{
    struct cc_extensions_config c = {.rpc = n->rpc, .log = n->log};
    const char *command;
    enum cc_status st = CC_OK;

    if (!cc_args_get_nth(n->setup->args, "extension", 0))
        return CC_OK;
    n->extension_init = json_object();
    cc_json_set_str(n->extension_init, "chain", n->params.name);
    cc_json_set_hash(n->extension_init, "genesis", n->params.genesis_hash);
    cc_json_set_str(n->extension_init, "datadir", n->setup->chaindir);
    cc_json_set_int(n->extension_init, "blocks",
                    cc_chain_tip(n->chain)->height);
    cc_json_set_str(n->extension_init, "version", cc_setup_version());
    c.init = n->extension_init;
    n->extensions = cc_extensions_new(&c);
    for (size_t i = 0;
         st == CC_OK &&
         (command = cc_args_get_nth(n->setup->args, "extension", i));
         i++)
        st = cc_extensions_start(n->extensions, command, err);
    return st;
}
static enum cc_status start_net(struct cc_node *n, struct cc_error *err)
{
    announce(n, "Starting network threads\xe2\x80\xa6");
    return cc_net_start(n->net, err);
}

/* Everything is there: calls are answered from now on. */
static enum cc_status end_warmup(struct cc_node *n, struct cc_error *err)
{
    (void)err;
    cc_rpc_set_warmup(n->rpc, NULL);
    return CC_OK;
}
enum cc_status cc_node_open_floors(struct cc_node *n, struct cc_error *err)
{
    static enum cc_status (*const steps[])(struct cc_node *,
                                           struct cc_error *) = {
        allow_files,  start_server,    open_chain,       open_txindex,
        open_filters, open_statsindex, open_mempool,     open_wallets,
        open_net,     load_wallets,    import_blocks,    load_mempool,
        start_net,    end_warmup,      start_extensions,
    };
    enum cc_status st = CC_OK;

    for (size_t i = 0; st == CC_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
        st = *n->hooks.stop_soon
                 ? cc_fail(err, CC_LIMIT, "stopped while starting")
                 : steps[i](n, err);
    return st;
}
