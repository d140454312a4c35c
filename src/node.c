#include "node.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chain/filterindex.h"
#include "chain/statsindex.h"
#include "chain/txindex.h"
#include "chain/vote.h"
#include "chain_options.h"
#include "crash.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "node_options.h"
#include "notify.h"
#include "rpc/extension.h"
#include "rpc/settings.h"
#include "rpc/template.h"
#include "rpc/waiter.h"
#include "rpc/warnings.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#define TXINDEX_CACHE_BYTES ((size_t)32 << 20)
#define STATSINDEX_CACHE_BYTES (8 << 20)
#define QUICK_TEMPLATE_MS 10
#define MIN_DISK_BYTES (UINT64_C(50) << 20)

struct cc_node {
    const struct cc_setup *setup;
    struct cc_params params; /* the chain's, options applied */
    struct cc_chain_options chain_options;
    struct cc_crash crash;
    struct cc_clock clock;
    struct cc_log *log;
    int lock_fd; /* -1: not held */
    char *pid_path;
    char *settings_path; /* NULL: -nosettings */
    struct cc_ec *ec;
    struct cc_rpc *rpc;
    struct cc_waiter *waiter;
    struct cc_templates *templates;
    struct cc_notify *notify;
    struct cc_warnings *warnings;
    struct cc_vote_watch votes;
    struct cc_server *server;
    struct cc_chain *chain;
    struct cc_txindex *txindex;
    struct cc_statsindex *statsindex;
    struct cc_filterindex *filters;
    bool serve_filters;
    struct cc_mempool *mempool;
    struct cc_wallets *wallets;
    struct cc_net *net;
    struct cc_extensions *extensions;
    json_t *extension_init;
    struct cc_net_lists net_lists;
    struct cc_rpc_lists rpc_lists;
    char *user_agent;
    int64_t stop_height;
    const char *block_notify;
    bool started; /* to the end */
    struct cc_node_hooks hooks;
};

/* --- The folder -------------------------------------------------------- */

static enum cc_status lock_folder(const struct cc_setup *setup, int *fd,
                                  struct cc_error *err)
{
    char *path;
    enum cc_status st = cc_fs_mkdirs(setup->chaindir, err);

    if (st != CC_OK)
        return st;
    if (access(setup->chaindir, W_OK))
        return cc_fail(err, CC_INVALID,
                       "Cannot write to data directory '%s'; check "
                       "permissions.",
                       setup->chaindir);
    path = cc_setup_path(setup, ".lock");
    st = cc_fs_lock(path, fd, err);
    free(path);
    if (st == CC_LIMIT)
        return cc_fail(err, CC_INVALID,
                       "Cannot obtain a lock on data directory %s. %s is "
                       "probably already running.",
                       setup->chaindir, cc_params_product(setup->params));
    return st;
}

enum cc_status cc_node_probe(const struct cc_setup *setup, struct cc_error *err)
{
    int fd;
    enum cc_status st = lock_folder(setup, &fd, err);

    if (st == CC_OK)
        cc_fs_unlock(fd);
    return st;
}

static enum cc_status check_space(const struct cc_setup *setup, bool running,
                                  struct cc_error *err)
{
    uint64_t room;
    enum cc_status st = cc_fs_free_space(setup->chaindir, &room, err);

    if (st != CC_OK || room >= MIN_DISK_BYTES)
        return st;
    if (running)
        return cc_fail(err, CC_IO, "Disk space is too low!");
    return cc_fail(err, CC_IO, "Disk space is low for %s", setup->chaindir);
}

static enum cc_status open_log(struct cc_node *n, struct cc_error *err)
{
    struct cc_log_options o;
    char *path = NULL;
    enum cc_status st = cc_option_log(n->setup, &o, &path, err);

    if (st != CC_OK)
        return st;
    st = cc_log_open(&n->log, &o, err);
    free(path);
    return st;
}

/* What is being done, in the log and to callers who come too early. */
static void announce(struct cc_node *n, const char *what)
{
    cc_log(n->log, "init message: %s", what);
    cc_rpc_set_warmup(n->rpc, what);
}

static void log_without_conf(struct cc_node *n)
{
    const struct cc_setup *s = n->setup;
    const char *name = s->bitcoin ? "bitcoin.conf" : "cloudcoin.conf";
    char *path = cc_fs_join(s->datadir, name);

    if (cc_fs_exists(path))
        cc_log(n->log,
               "Data directory \"%s\" contains a \"%s\" file which is "
               "explicitly ignored using -noconf.",
               s->datadir, name);
    cc_log(n->log, "Config file: <disabled>");
    free(path);
}

static void log_start(struct cc_node *n)
{
    const struct cc_setup *s = n->setup;
    const char *w;
    char *line;

    cc_log(n->log, "%s version %s", cc_params_product(s->params),
           cc_setup_version());
    cc_log(n->log, "Using the '%s' SHA256 implementation", cc_sha256_backend());
    cc_log(n->log, "Using data directory %s", s->chaindir);
    if (cc_args_is_negated(s->args, "conf"))
        log_without_conf(n);
    else
        cc_log(n->log, "Config file: %s%s", s->conf,
               cc_fs_exists(s->conf) ? "" : " (not found, skipping)");
    for (size_t i = 0; (line = cc_args_line(s->args, i)); i++) {
        cc_log(n->log, "%s", line);
        free(line);
    }
    for (size_t i = 0; (w = cc_args_warning(s->args, i)); i++)
        cc_log(n->log, "Warning: %s", w);
    for (size_t i = 0; (w = cc_args_unknown_section(s->args, i)); i++)
        cc_log(n->log, "Warning: %s", w);
}

static enum cc_status write_pid(struct cc_node *n, struct cc_error *err)
{
    const char *usual = n->setup->bitcoin ? "bitcoind.pid" : "cloudcoind.pid";
    char *path =
        cc_setup_path(n->setup, cc_args_get(n->setup->args, "pid", usual));
    char *text;
    enum cc_status st;

    if (cc_args_is_negated(n->setup->args, "pid")) {
        free(path);
        return CC_OK;
    }
    text = cc_asprintf("%ld\n", (long)getpid());
    st = cc_fs_write(path, text, strlen(text), 0644, err);
    free(text);
    if (st != CC_OK) {
        st = cc_context(err, st, "Unable to create the PID file '%s'", path);
        free(path);
        return st;
    }
    n->pid_path = path;
    return CC_OK;
}

/* --- What the chain tells ---------------------------------------------- */

static void notify_command(struct cc_node *n, const char *command,
                           const char *text)
{
    struct cc_notify_word word = {'s', text};

    cc_notify_spawn(n->notify, command, &word, 1);
}

static json_t *block_event(const struct cc_index *i)
{
    json_t *o = json_object();

    cc_json_set_hash(o, "hash", i->hash);
    cc_json_set_int(o, "height", i->height);
    cc_json_set_int(o, "time", i->header.time);
    return o;
}

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_node *n = arg;

    (void)block;
    (void)undo;
    if (n->extensions && cc_extensions_wanted(n->extensions, "blockconnected"))
        cc_extensions_notify(n->extensions, "blockconnected",
                             block_event(index));
}

static void on_disconnected(void *arg, const struct cc_index *index,
                            const struct cc_block *block,
                            const struct cc_undo *undo)
{
    struct cc_node *n = arg;

    (void)block;
    (void)undo;
    if (n->extensions &&
        cc_extensions_wanted(n->extensions, "blockdisconnected"))
        cc_extensions_notify(n->extensions, "blockdisconnected",
                             block_event(index));
}

static void on_alert(void *arg, const char *text)
{
    struct cc_node *n = arg;
    const char *command = cc_args_get(n->setup->args, "alertnotify", NULL);
    char *quoted;

    if (!command || !*command)
        return;
    quoted = cc_notify_quote(text);
    notify_command(n, command, quoted);
    free(quoted);
}

/* Rules that miners have voted in and that we know nothing of. */
static void warn_of_votes(struct cc_node *n, const struct cc_index *tip)
{
    char text[64];

    if (cc_chain_in_ibd(n->chain))
        return;
    cc_vote_watch_update(&n->votes, &n->params, tip);
    for (unsigned bit = 0; bit < CC_VOTE_BITS; bit++)
        if (n->votes.state[bit] == CC_VOTE_ACTIVE) {
            snprintf(text, sizeof(text),
                     "Unknown new rules activated (versionbit %u)", bit);
            cc_warnings_set(n->warnings, text);
        }
}

static void on_tip(void *arg, const struct cc_index *tip)
{
    struct cc_node *n = arg;
    char hash[65];

    cc_waiter_wake(n->waiter);
    warn_of_votes(n, tip);
    if (n->block_notify && *n->block_notify && !cc_chain_in_ibd(n->chain)) {
        cc_hex_encode_rev(hash, tip->hash, 32);
        notify_command(n, n->block_notify, hash);
    }
    if (n->stop_height > 0 && tip->height >= n->stop_height)
        n->hooks.stop(n->hooks.arg);
}

static void on_added(void *arg, const struct cc_mempool_entry *e)
{
    struct cc_node *n = arg;
    struct cc_writer w;
    json_t *o;

    if (!n->extensions || !cc_extensions_wanted(n->extensions, "transaction"))
        return;
    o = json_object();
    cc_writer_init_heap(&w);
    cc_tx_write(&w, &e->tx, true);
    cc_json_set_hash(o, "txid", e->tx.txid);
    cc_json_set(o, "hex", cc_json_hex(cc_bytes(w.data, w.len)));
    cc_writer_clear(&w);
    cc_extensions_notify(n->extensions, "transaction", o);
}

/* --- Floors ------------------------------------------------------------ */

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
    struct cc_chain_listener listener = {.arg = n,
                                         .connected = on_connected,
                                         .disconnected = on_disconnected,
                                         .tip = on_tip};
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
    n->stop_height = cc_args_get_int(args, "stopatheight", 0);
    n->block_notify = cc_args_get(args, "blocknotify", NULL);
    cc_chain_listen(n->chain, &listener);
    return CC_OK;
}

static enum cc_status open_txindex(struct cc_node *n, struct cc_error *err)
{
    struct cc_txindex_config c = {.chain = n->chain,
                                  .cache_bytes = TXINDEX_CACHE_BYTES,
                                  .log = n->log,
                                  .fault = cc_crash_fault(&n->crash),
                                  .stop = n->hooks.stop_soon};
    char *directory;
    enum cc_status st;

    if (!cc_args_get_bool(n->setup->args, "txindex", false))
        return CC_OK;
    cc_log(n->log, "txindex thread start"); /* its first part is done here */
    announce(n, "Syncing txindex\xe2\x80\xa6");
    directory = cc_setup_path(n->setup, "indexes/txindex");
    c.directory = directory;
    st = cc_txindex_open(&n->txindex, &c, err);
    free(directory);
    return st;
}

static enum cc_status open_statsindex(struct cc_node *n, struct cc_error *err)
{
    struct cc_statsindex_config c = {.chain = n->chain,
                                     .cache_bytes = STATSINDEX_CACHE_BYTES,
                                     .log = n->log,
                                     .fault = cc_crash_fault(&n->crash),
                                     .stop = n->hooks.stop_soon};
    char *directory;
    enum cc_status st;

    if (!cc_args_get_bool(n->setup->args, "coinstatsindex", false))
        return CC_OK;
    if (n->params.storage_active)
        return cc_fail(err, CC_INVALID,
                       "-coinstatsindex is not supported where storage is "
                       "active.");
    cc_log(n->log, "coinstatsindex thread start");
    announce(n, "Syncing coinstatsindex\xe2\x80\xa6");
    directory = cc_setup_path(n->setup, "indexes/coinstats");
    c.directory = directory;
    st = cc_statsindex_open(&n->statsindex, &c, err);
    free(directory);
    return st;
}

static enum cc_status open_filters(struct cc_node *n, struct cc_error *err)
{
    struct cc_filterindex_config c = {.chain = n->chain,
                                      .cache_bytes = TXINDEX_CACHE_BYTES,
                                      .log = n->log,
                                      .fault = cc_crash_fault(&n->crash),
                                      .stop = n->hooks.stop_soon};
    char *directory;
    bool keep;
    enum cc_status st =
        cc_option_filters(n->setup->args, &keep, &n->serve_filters, err);

    if (st != CC_OK || !keep)
        return st;
    cc_log(n->log, "basic block filter index thread start");
    announce(n, "Syncing basic block filter index\xe2\x80\xa6");
    directory = cc_setup_path(n->setup, "indexes/blockfilter/basic");
    c.directory = directory;
    st = cc_filterindex_open(&n->filters, &c, err);
    free(directory);
    return st;
}

static enum cc_status open_mempool(struct cc_node *n, struct cc_error *err)
{
    struct cc_mempool_listener listener = {n, on_added, NULL};
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
    cc_mempool_listen(n->mempool, &listener);
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

/* The wallets are there before the net, and after it. */
static void broadcast(void *arg, const uint8_t txid[32])
{
    struct cc_node *n = arg;

    if (n->net)
        cc_net_broadcast(n->net, txid);
}

/* -walletnotify. */
static void on_wallet_tx(void *arg, const char *wallet,
                         const struct cc_wallet_tx *tx)
{
    struct cc_node *n = arg;
    bool in_block = tx->height >= 0;
    char txid[65], block[65] = "unconfirmed", height[12];
    char *name = cc_notify_quote(wallet);
    struct cc_notify_word words[] = {
        {'s', txid}, {'b', block}, {'h', height}, {'w', name}};

    cc_hex_encode_rev(txid, tx->tx.txid, 32);
    if (in_block)
        cc_hex_encode_rev(block, tx->block, 32);
    snprintf(height, sizeof(height), "%" PRId32, in_block ? tx->height : -1);
    cc_notify_spawn(n->notify, cc_args_get(n->setup->args, "walletnotify", ""),
                    words, sizeof(words) / sizeof(words[0]));
    free(name);
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
    c.broadcast = broadcast;
    c.broadcast_arg = n;
    if (*cc_args_get(args, "walletnotify", "") &&
        !cc_args_is_negated(args, "walletnotify"))
        c.changed = on_wallet_tx;
    c.changed_arg = n;
    c.ec = n->ec;
    c.clock = &n->clock;
    c.log = n->log;
    c.directory = directory;
    st = cc_wallets_new(&n->wallets, &c, err);
    free(directory);
    return st;
}

static void set_env(struct cc_node *n)
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

/* What a user should see though the node goes on: like an error, it goes where
 * the node was started from. */
static void warn(void *arg, const char *text)
{
    struct cc_node *n = arg;

    cc_log(n->log, "Warning: %s", text);
    fprintf(stderr, "Warning: %s\n", text);
}

static enum cc_status load_wallets(struct cc_node *n, struct cc_error *err)
{
    const char *name;
    enum cc_status st = CC_OK;

    set_env(n);
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
    return CC_OK;
}

static void save_mempool(struct cc_node *n)
{
    struct cc_error err;
    char *path;

    if (!cc_args_get_bool(n->setup->args, "persistmempool", true))
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

/* --- Up and down ------------------------------------------------------- */

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

static enum cc_status start(struct cc_node *n, struct cc_error *err)
{
    static enum cc_status (*const steps[])(struct cc_node *,
                                           struct cc_error *) = {
        start_server,    open_chain,       open_txindex, open_filters,
        open_statsindex, open_mempool,     open_wallets, open_net,
        load_wallets,    import_blocks,    load_mempool, start_net,
        end_warmup,      start_extensions,
    };
    const struct cc_args *args = n->setup->args;
    enum cc_status st;

    st = cc_option_params(args, &n->params, err);
    if (st == CC_OK)
        st = cc_option_min_work(args, &n->params, &n->chain_options, err);
    if (st == CC_OK)
        st = lock_folder(n->setup, &n->lock_fd, err);
    if (st == CC_OK)
        st = open_log(n, err);
    if (st != CC_OK)
        return st;
    log_start(n);
    /* What bitcoind has a thread for, main's looks after here. */
    cc_log(n->log, "scheduler thread start");
    n->crash.log = n->log;
    n->crash.ratio = cc_option_crash_ratio(args);
    if (cc_args_get_int(args, "mocktime", 0) > 0)
        cc_clock_set_mock(&n->clock, cc_args_get_int(args, "mocktime", 0));
    n->ec = cc_ec_new();
    n->rpc = cc_rpc_new();
    n->waiter = cc_waiter_new();
    n->notify = cc_notify_new(n->log);
    n->warnings = cc_warnings_new(on_alert, n);
    set_env(n);
    st = write_pid(n, err);
    if (st == CC_OK)
        st = check_space(n->setup, false, err);
    for (size_t i = 0; st == CC_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
        st = *n->hooks.stop_soon
                 ? cc_fail(err, CC_LIMIT, "stopped while starting")
                 : steps[i](n, err);
    if (st != CC_OK)
        return st;
    cc_log(n->log, "init message: Done loading");
    n->started = true;
    if (cc_args_is_set(args, "startupnotify"))
        cc_notify_spawn(n->notify, cc_args_get(args, "startupnotify", ""), NULL,
                        0);
    return CC_OK;
}

const char *cc_node_error_caption(const struct cc_setup *setup,
                                  const struct cc_error *err)
{
    if (strncmp(err->text, ": ", 2))
        return "Error: ";
    return setup->bitcoin ? "" : "Error";
}

enum cc_status cc_node_start(struct cc_node **out, const struct cc_setup *setup,
                             const struct cc_node_hooks *hooks,
                             struct cc_error *err)
{
    struct cc_node *n = cc_calloc(1, sizeof(*n));
    enum cc_status st;

    n->setup = setup;
    n->settings_path = cc_option_settings(setup);
    n->params = *setup->params;
    n->lock_fd = -1;
    n->hooks = *hooks;
    cc_clock_init(&n->clock);
    st = start(n, err);
    if (st != CC_OK) {
        if (n->log)
            cc_log(n->log, "%s%s", cc_node_error_caption(setup, err),
                   err->text);
        cc_node_free(n);
        return st;
    }
    *out = n;
    return CC_OK;
}

/* The log has the details, standard error what to do. */
enum cc_status cc_node_check(struct cc_node *n, struct cc_error *err)
{
    if (!cc_chain_failed(n->chain, err) &&
        !(n->txindex && cc_txindex_failed(n->txindex, err)) &&
        !(n->statsindex && cc_statsindex_failed(n->statsindex, err)) &&
        !(n->filters && cc_filterindex_failed(n->filters, err)) &&
        check_space(n->setup, true, err) == CC_OK)
        return CC_OK;
    cc_log(n->log, "*** %s", err->text);
    return cc_fail(err, CC_IO,
                   strstr(err->text, "Disk space is too low!")
                       ? "Disk space is too low!"
                       : CC_CHAIN_FATAL);
}

void cc_node_reopen_log(struct cc_node *n) { cc_log_reopen(n->log); }

void cc_node_free(struct cc_node *n)
{
    const char *command;

    if (!n)
        return;
    if (n->log)
        cc_log(n->log, "Shutdown: In progress...");
    for (size_t i = 0;
         n->started &&
         (command = cc_args_get_nth(n->setup->args, "shutdownnotify", i));
         i++)
        cc_notify_run(n->notify, command);
    /* Nobody new comes in, those who wait are let go. */
    cc_server_interrupt(n->server);
    if (n->waiter)
        cc_waiter_interrupt(n->waiter);
    if (n->extensions)
        cc_extensions_stop(n->extensions);
    cc_server_free(n->server);
    cc_templates_free(n->templates);
    if (n->net)
        cc_net_stop(n->net);
    cc_wallets_free(n->wallets);
    if (n->net)
        cc_net_free(n->net);
    cc_extensions_free(n->extensions);
    if (n->mempool)
        save_mempool(n);
    cc_mempool_free(n->mempool);
    cc_chain_free(n->chain);
    cc_txindex_free(n->txindex);
    cc_statsindex_free(n->statsindex);
    cc_filterindex_free(n->filters);
    cc_rpc_free(n->rpc);
    cc_waiter_free(n->waiter);
    cc_warnings_free(n->warnings);
    cc_notify_free(n->notify);
    cc_ec_free(n->ec);
    json_decref(n->extension_init);
    cc_chain_options_clear(&n->chain_options);
    cc_net_lists_clear(&n->net_lists);
    cc_rpc_lists_clear(&n->rpc_lists);
    free(n->user_agent);
    if (n->pid_path)
        cc_fs_remove(n->pid_path, NULL);
    free(n->pid_path);
    free(n->settings_path);
    if (n->log)
        cc_log(n->log, "Shutdown: done");
    cc_log_close(n->log);
    if (n->lock_fd >= 0)
        cc_fs_unlock(n->lock_fd);
    free(n);
}
