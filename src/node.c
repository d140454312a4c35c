/*
 * The node as a whole: its folder, its log and its PID file, and the order in
 * which all of it comes up and goes down. The floors themselves are opened in
 * node_floors.c; what follows from what they tell is in node_events.c.
 */
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "node_i.h"
#include "util/fs.h"
#include "util/mem.h"

#define MIN_DISK_BYTES (UINT64_C(50) << 20)

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

/* -blocksdir, down to the chain's folder; NULL: not given. */
static char *blocks_folder(const struct cc_setup *setup)
{
    const char *blocks = cc_args_get(setup->args, "blocksdir", NULL);
    const char *chain = setup->params->directory;

    return blocks
               ? cc_asprintf("%s/%s%sblocks", blocks, chain, *chain ? "/" : "")
               : NULL;
}

/* Two nodes of two data folders would write over each other's blocks. *fd: -1
 * where the blocks are in the data folder. */
static enum cc_status lock_blocks(const struct cc_setup *setup, int *fd,
                                  struct cc_error *err)
{
    char *folder = blocks_folder(setup), *path;
    enum cc_status st;

    *fd = -1;
    if (!folder)
        return CC_OK;
    path = cc_fs_join(folder, ".lock");
    st = cc_fs_mkdirs(folder, err);
    if (st == CC_OK)
        st = cc_fs_lock(path, fd, err);
    if (st == CC_LIMIT)
        st = cc_fail(err, CC_INVALID,
                     "Cannot obtain a lock on directory %s. %s is probably "
                     "already running.",
                     folder, cc_params_product(setup->params));
    free(path);
    free(folder);
    return st;
}

static enum cc_status lock_all(const struct cc_setup *setup, int *fd,
                               int *blocks_fd, struct cc_error *err)
{
    enum cc_status st = lock_folder(setup, fd, err);

    return st == CC_OK ? lock_blocks(setup, blocks_fd, err) : st;
}

enum cc_status cc_node_probe(const struct cc_setup *setup, struct cc_error *err)
{
    int fd = -1, blocks_fd = -1;
    enum cc_status st = lock_all(setup, &fd, &blocks_fd, err);

    cc_fs_unlock(fd);
    cc_fs_unlock(blocks_fd);
    return st;
}

static enum cc_status check_folder(const char *folder, bool running,
                                   struct cc_error *err)
{
    uint64_t room;
    enum cc_status st = cc_fs_free_space(folder, &room, err);

    if (st != CC_OK || room >= MIN_DISK_BYTES)
        return st;
    if (running)
        return cc_fail(err, CC_IO, "Disk space is too low!");
    return cc_fail(err, CC_IO, "Disk space is low for \"%s\"", folder);
}

/* Blocks may have a disk of their own. */
static enum cc_status check_space(const struct cc_setup *setup, bool running,
                                  struct cc_error *err)
{
    char *blocks = blocks_folder(setup);
    enum cc_status st = check_folder(setup->chaindir, running, err);

    if (st == CC_OK && blocks)
        st = check_folder(blocks, running, err);
    free(blocks);
    return st;
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

/* Into the file itself, not beside it: its folder may be another's. */
static enum cc_status put_pid(const char *path, struct cc_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum cc_status st;
    char *text;

    if (fd < 0)
        return cc_fail(err, CC_IO, "%s (%d)", strerror(errno), errno);
    text = cc_asprintf("%ld\n", (long)getpid());
    st = cc_fs_write_all(fd, text, strlen(text), err);
    free(text);
    close(fd);
    return st;
}

static enum cc_status write_pid(struct cc_node *n, struct cc_error *err)
{
    const char *usual = n->setup->bitcoin ? "bitcoind.pid" : "cloudcoind.pid";
    char *path =
        cc_setup_path(n->setup, cc_args_get(n->setup->args, "pid", usual));
    enum cc_status st;

    if (cc_args_is_negated(n->setup->args, "pid")) {
        free(path);
        return CC_OK;
    }
    st = put_pid(path, err);
    if (st != CC_OK) {
        st = cc_context(err, st, "Unable to create the PID file '%s'", path);
        free(path);
        return st;
    }
    n->pid_path = path;
    return CC_OK;
}

/* --- Up and down ------------------------------------------------------- */

static enum cc_status start(struct cc_node *n, struct cc_error *err)
{
    const struct cc_args *args = n->setup->args;
    enum cc_status st;

    st = cc_option_params(args, &n->params, err);
    if (st == CC_OK)
        st = cc_option_min_work(args, &n->params, &n->chain_options, err);
    if (st == CC_OK)
        st = lock_all(n->setup, &n->lock_fd, &n->blocks_lock_fd, err);
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
    n->warnings = cc_warnings_new(cc_node_on_alert, n);
    cc_node_set_env(n);
    st = write_pid(n, err);
    if (st == CC_OK)
        st = check_space(n->setup, false, err);
    if (st == CC_OK)
        st = cc_node_open_floors(n, err);
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
    n->lock_fd = n->blocks_lock_fd = -1;
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

static bool save_chain(struct cc_chain *c)
{
    return !c || cc_chain_failed(c, NULL) || cc_chain_flush(c, NULL) == CC_OK;
}

bool cc_node_free(struct cc_node *n)
{
    const char *command;
    bool saved;

    if (!n)
        return true;
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
        cc_node_save_mempool(n);
    cc_mempool_free(n->mempool);
    saved = save_chain(n->chain);
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
    cc_fs_unlock(n->blocks_lock_fd);
    cc_fs_unlock(n->lock_fd);
    free(n);
    return saved;
}
