#include "wallet/wallet.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "util/clock.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "wallet/wallet_i.h"

#define FILE_NAME "wallet.dat"
#define RESUBMIT_MS (10 * 60 * 1000)
#define RETRY_BLOCKS 6
#define SYNC_WRITE_MS 30000 /* how often a tip without news is noted */

void cc_wallets_config_init(struct cc_wallets_config *c,
                            const struct cc_params *params)
{
    memset(c, 0, sizeof(*c));
    c->fallback_feerate = params->storage_active ? 1000 : 0;
    c->min_feerate = 1000;
    c->discard_feerate = 10000;
    c->dust_feerate = 3000;
    c->max_fee = CC_COIN / 10;
    c->signal_rbf = true;
    c->spend_unconfirmed = true;
}

enum cc_status cc_wallet_refuse(struct cc_error *err, enum cc_status st,
                                const char *reason, const char *fmt, ...)
{
    char text[sizeof(((struct cc_error *)NULL)->text)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    cc_fail(err, st, "%s", text);
    if (err)
        snprintf(err->reason, sizeof(err->reason), "%s", reason);
    return st;
}

/* --- Told by chain and mempool ------------------------------------------- */

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_wallets *ws = arg;

    pthread_mutex_lock(&ws->lock);
    for (size_t i = 0; i < ws->count; i++) {
        struct cc_wallet *w = ws->list[i];

        w->changed |= cc_book_connect(w->book, (int32_t)index->height,
                                      index->hash, block, undo);
        w->synced = index;
        w->moved = true;
    }
    ws->tip_moved = true;
    pthread_mutex_unlock(&ws->lock);
}

static void on_disconnected(void *arg, const struct cc_index *index,
                            const struct cc_block *block,
                            const struct cc_undo *undo)
{
    struct cc_wallets *ws = arg;

    (void)block;
    (void)undo;
    pthread_mutex_lock(&ws->lock);
    for (size_t i = 0; i < ws->count; i++) {
        struct cc_wallet *w = ws->list[i];

        w->changed |=
            cc_book_disconnect(w->book, (int32_t)index->height, index->hash);
        w->synced = index->prev;
        w->moved = true;
    }
    if (!ws->retry || index->height + RETRY_BLOCKS > ws->retry_to)
        ws->retry_to = index->height + RETRY_BLOCKS;
    ws->tip_moved = ws->retry = true;
    pthread_mutex_unlock(&ws->lock);
}

static void on_added(void *arg, const struct cc_mempool_entry *e)
{
    struct cc_wallets *ws = arg;

    pthread_mutex_lock(&ws->lock);
    for (size_t i = 0; i < ws->count; i++) {
        struct cc_wallet *w = ws->list[i];

        w->changed |=
            cc_book_mempool_add(w->book, &e->tx, e->claims > 0, e->fee,
                                cc_clock_now(ws->config.clock));
    }
    pthread_mutex_unlock(&ws->lock);
}

static void on_removed(void *arg, const struct cc_mempool_entry *e,
                       enum cc_mempool_leave why)
{
    struct cc_wallets *ws = arg;

    pthread_mutex_lock(&ws->lock);
    for (size_t i = 0; i < ws->count; i++) {
        struct cc_wallet *w = ws->list[i];

        cc_book_mempool_remove(w->book, e->tx.txid);
        /* What was replaced, or came too late for its contract, does not come
         * back: it must not hold our coins. */
        if (why == CC_LEAVE_REPLACED || why == CC_LEAVE_FACTS)
            w->changed |= cc_book_abandon(w->book, e->tx.txid);
    }
    pthread_mutex_unlock(&ws->lock);
}

/* --- The thread ---------------------------------------------------------- */

static void relock_due(struct cc_wallets *ws)
{
    int64_t now = cc_clock_monotonic_ms();

    pthread_mutex_lock(&ws->lock);
    for (size_t i = 0; i < ws->count; i++) {
        struct cc_wallet *w = ws->list[i];

        if (w->unlocked_until && now >= w->locked_at_ms)
            cc_wallet_lock_keys(w);
    }
    pthread_mutex_unlock(&ws->lock);
}

static void flush_due(struct cc_wallets *ws, bool tips_too)
{
    struct cc_error err;

    cc_wallets_lock(ws);
    for (size_t i = 0; i < ws->count; i++) {
        struct cc_wallet *w = ws->list[i];

        if ((w->changed || w->renew || (tips_too && w->moved)) &&
            cc_wallet_flush(w, &err) != CC_OK)
            cc_log(ws->config.log, "Error: %s", err.text);
    }
    cc_wallets_unlock(ws);
}

static void resubmit_due(struct cc_wallets *ws)
{
    cc_wallets_lock(ws);
    for (size_t i = 0; i < ws->count; i++)
        cc_wallet_resubmit(ws->list[i]);
    cc_wallets_unlock(ws);
}

/* Is it time for that because the chain was reorganised? */
static bool retry_due(struct cc_wallets *ws)
{
    bool due;

    cc_wallets_lock(ws);
    due = ws->retry && ws->tip_moved;
    ws->tip_moved = false;
    if (due && cc_chain_tip(ws->config.chain)->height >= ws->retry_to)
        ws->retry = false; /* this is the last time */
    cc_wallets_unlock(ws);
    return due;
}

static bool any_change(struct cc_wallets *ws)
{
    bool any = false;

    pthread_mutex_lock(&ws->lock);
    for (size_t i = 0; i < ws->count; i++)
        any |= ws->list[i]->changed || ws->list[i]->renew;
    pthread_mutex_unlock(&ws->lock);
    return any;
}

static void *keeper(void *arg)
{
    struct cc_wallets *ws = arg;
    int64_t resubmit_at = cc_clock_monotonic_ms() + RESUBMIT_MS;
    int64_t tips_at = cc_clock_monotonic_ms() + SYNC_WRITE_MS;

    cc_log_name_thread("b-wallet");
    pthread_mutex_lock(&ws->sleep_lock);
    while (!ws->stop) {
        struct timespec until;
        int64_t now;
        bool tips;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&ws->sleep, &ws->sleep_lock, &until);
        if (ws->stop)
            break;
        pthread_mutex_unlock(&ws->sleep_lock);
        relock_due(ws);
        now = cc_clock_monotonic_ms();
        tips = now >= tips_at;
        if (tips || any_change(ws))
            flush_due(ws, tips);
        if (tips)
            tips_at = now + SYNC_WRITE_MS;
        if (retry_due(ws) || now >= resubmit_at) {
            resubmit_due(ws);
            resubmit_at = now + RESUBMIT_MS;
        }
        pthread_mutex_lock(&ws->sleep_lock);
    }
    pthread_mutex_unlock(&ws->sleep_lock);
    return NULL;
}

/* --- All wallets --------------------------------------------------------- */

static void init_locks(struct cc_wallets *ws)
{
    pthread_mutexattr_t recursive;
    pthread_condattr_t monotonic;

    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&ws->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_mutex_init(&ws->sleep_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&ws->sleep, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void drop_locks(struct cc_wallets *ws)
{
    pthread_cond_destroy(&ws->sleep);
    pthread_mutex_destroy(&ws->sleep_lock);
    pthread_mutex_destroy(&ws->lock);
}

enum cc_status cc_wallets_new(struct cc_wallets **out,
                              const struct cc_wallets_config *config,
                              struct cc_error *err)
{
    struct cc_wallets *ws;
    struct cc_chain_listener on_chain = {.connected = on_connected,
                                         .disconnected = on_disconnected};
    struct cc_mempool_listener on_pool = {.added = on_added,
                                          .removed = on_removed};
    enum cc_status st = cc_fs_mkdirs(config->directory, err);

    if (st != CC_OK)
        return st;
    ws = cc_calloc(1, sizeof(*ws));
    ws->config = *config;
    ws->params = cc_chain_params(config->chain);
    ws->directory = cc_strdup(config->directory);
    ws->config.directory = ws->directory;
    init_locks(ws);
    if (pthread_create(&ws->thread, NULL, keeper, ws) != 0) {
        drop_locks(ws);
        free(ws->directory);
        free(ws);
        return cc_fail(err, CC_IO, "cannot start the wallets' thread");
    }
    on_chain.arg = on_pool.arg = ws;
    cc_chain_listen(config->chain, &on_chain);
    cc_mempool_listen(config->mempool, &on_pool);
    *out = ws;
    return CC_OK;
}

void cc_wallets_free(struct cc_wallets *ws)
{
    if (!ws)
        return;
    pthread_mutex_lock(&ws->sleep_lock);
    ws->stop = true;
    pthread_cond_signal(&ws->sleep);
    pthread_mutex_unlock(&ws->sleep_lock);
    pthread_join(ws->thread, NULL);
    flush_due(ws, true);
    for (size_t i = 0; i < ws->count; i++)
        cc_wallet_dealloc(ws->list[i]);
    free(ws->list);
    drop_locks(ws);
    free(ws->directory);
    free(ws);
}

const struct cc_wallets_config *cc_wallets_config(const struct cc_wallets *ws)
{
    return &ws->config;
}

void cc_wallets_lock(struct cc_wallets *ws)
{
    cc_chain_lock(ws->config.chain);
    pthread_mutex_lock(&ws->lock);
    relock_due(ws); /* the thread may be late: nobody acts after the time */
}

void cc_wallets_unlock(struct cc_wallets *ws)
{
    pthread_mutex_unlock(&ws->lock);
    cc_chain_unlock(ws->config.chain);
}

struct cc_wallet *cc_wallets_at(struct cc_wallets *ws, size_t i)
{
    return i < ws->count ? ws->list[i] : NULL;
}

struct cc_wallet *cc_wallets_find(struct cc_wallets *ws, const char *name)
{
    for (size_t i = 0; i < ws->count; i++) {
        if (!strcmp(ws->list[i]->name, name))
            return ws->list[i];
    }
    return NULL;
}

enum cc_status cc_wallets_get(struct cc_wallet **out, struct cc_wallets *ws,
                              const char *name, struct cc_error *err)
{
    *out = cc_wallets_find(ws, name);
    return *out ? CC_OK
                : cc_fail(err, CC_NOTFOUND,
                          "Requested wallet does not exist or is not loaded");
}

enum cc_status cc_wallets_get_idle(struct cc_wallet **out,
                                   struct cc_wallets *ws, const char *name,
                                   struct cc_error *err)
{
    enum cc_status st = cc_wallets_get(out, ws, name, err);

    if (st == CC_OK && (*out)->scanning)
        st = cc_wallet_refuse(err, CC_LIMIT, "scanning",
                              "Wallet is currently rescanning. Abort existing "
                              "rescan or wait.");
    return st;
}

static bool is_loaded(struct cc_wallets *ws, const char *name)
{
    bool yes;

    pthread_mutex_lock(&ws->lock);
    yes = cc_wallets_find(ws, name) != NULL;
    pthread_mutex_unlock(&ws->lock);
    return yes;
}

/* --- Making, loading, unloading ------------------------------------------ */

bool cc_wallet_name_valid(const char *name)
{
    if (strlen(name) > CC_WALLET_NAME_MAX || !strcmp(name, ".") ||
        !strcmp(name, ".."))
        return false;
    for (; *name; name++) {
        if (*name == '/' || (unsigned char)*name < 0x20 || *name == 0x7f)
            return false;
    }
    return true;
}

static char *folder_of(const struct cc_wallets *ws, const char *name)
{
    return *name ? cc_fs_join(ws->directory, name) : cc_strdup(ws->directory);
}

char *cc_wallet_path(const struct cc_wallets *ws, const char *name)
{
    char *folder = folder_of(ws, name), *path = cc_fs_join(folder, FILE_NAME);

    free(folder);
    return path;
}

struct cc_wallet *cc_wallet_alloc(struct cc_wallets *ws, const char *name)
{
    struct cc_wallet *w = cc_calloc(1, sizeof(*w));

    w->ws = ws;
    w->name = cc_strdup(name);
    w->pay_feerate = ws->config.pay_feerate;
    return w;
}

void cc_wallet_dealloc(struct cc_wallet *w)
{
    if (!w)
        return;
    cc_book_free(w->book);
    cc_wallet_keys_free(w->keys);
    cc_wallet_file_close(w->file);
    free(w->name);
    free(w);
}

/* The keys of a new wallet. */
static enum cc_status make_keys(struct cc_wallet *w,
                                const struct cc_wallet_create *how,
                                struct cc_error *err)
{
    char fresh[256];
    struct cc_wallet_lockbox box;
    uint8_t key[32];
    enum cc_status st;

    if (!how->words)
        cc_wallet_words_new(fresh, how->word_count == 12 ? 12 : 24);
    st = cc_wallet_keys_new(&w->keys, how->words ? how->words : fresh,
                            how->words_passphrase, w->ws->params,
                            w->ws->config.ec, err);
    cc_cleanse(fresh, sizeof(fresh));
    if (st != CC_OK || !how->passphrase || !*how->passphrase)
        return st;
    cc_wallet_lockbox_new(&box, CC_WALLET_SCRYPT_COST);
    if (!cc_wallet_lockbox_derive(key, &box, how->passphrase))
        return cc_fail(err, CC_LIMIT, "not enough memory to encrypt");
    cc_wallet_keys_encrypt(w->keys, &box, key);
    cc_cleanse(key, sizeof(key));
    return CC_OK;
}

/* Where a new wallet stands: at the tip, or below its birthday. */
static void set_start(struct cc_wallet *w, int64_t birthday)
{
    struct cc_chain *chain = w->ws->config.chain;
    struct cc_index *tip;

    cc_chain_lock(chain);
    tip = cc_chain_tip(chain);
    w->birthday = birthday < 0 ? (int64_t)tip->height + 1 : birthday;
    if (w->birthday > (int64_t)tip->height)
        cc_wallet_goto_fork(w, tip);
    else
        cc_wallet_goto_fork(
            w, w->birthday == 0
                   ? NULL
                   : cc_chain_at(chain, (uint32_t)(w->birthday - 1)));
    cc_chain_unlock(chain);
}

enum cc_status cc_wallets_create(struct cc_wallets *ws, const char *name,
                                 const struct cc_wallet_create *how,
                                 struct cc_error *err)
{
    struct cc_wallet *w;
    char *folder, *path;
    enum cc_status st;

    if (!cc_wallet_name_valid(name))
        return cc_fail(err, CC_INVALID, "Wallet name '%s' is not allowed",
                       name);
    folder = folder_of(ws, name);
    path = cc_fs_join(folder, FILE_NAME);
    w = cc_wallet_alloc(ws, name);
    if (cc_fs_exists(path)) {
        st = cc_wallet_refuse(err, CC_LIMIT, "exists",
                              "Database already exists.");
        goto out;
    }
    st = make_keys(w, how, err);
    if (st == CC_OK)
        st = cc_fs_mkdirs(folder, err);
    if (st == CC_OK)
        st = cc_wallet_file_create(&w->file, path, ws->params->genesis_hash,
                                   err);
    if (st != CC_OK)
        goto out;
    w->book = cc_book_new(w->keys, ws->params);
    w->made = cc_clock_now(ws->config.clock);
    set_start(w, how->words ? how->birthday : -1);
    w->renew = true;
    st = cc_wallet_flush(w, err);
    if (st == CC_OK)
        st = cc_wallet_attach(w, err);
out:
    if (st != CC_OK)
        cc_wallet_dealloc(w);
    free(folder);
    free(path);
    return st;
}

/* Has the file grown to more than twice what it says? */
static void renew_if_worth(struct cc_wallet *w)
{
    uint64_t size = cc_wallet_file_size(w->file);

    cc_chain_lock(w->ws->config.chain);
    cc_wallet_snapshot(w);
    w->renew = size > 2 * cc_wallet_file_pending(w->file) + 65536;
    cc_wallet_file_drop(w->file);
    w->moved = true; /* the snapshot took what was unwritten with it */
    cc_chain_unlock(w->ws->config.chain);
}

enum cc_status cc_wallets_load(struct cc_wallets *ws, const char *name,
                               struct cc_error *err)
{
    struct cc_wallet *w;
    enum cc_status st;

    if (!cc_wallet_name_valid(name))
        return cc_fail(err, CC_INVALID, "Wallet name '%s' is not allowed",
                       name);
    if (is_loaded(ws, name))
        return cc_wallet_refuse(err, CC_LIMIT, "loaded",
                                "Wallet \"%s\" is already loaded.", name);
    w = cc_wallet_alloc(ws, name);
    st = cc_wallet_open_file(w, err);
    if (st == CC_OK) {
        renew_if_worth(w);
        st = cc_wallet_attach(w, err);
    }
    if (st != CC_OK)
        cc_wallet_dealloc(w);
    return st;
}

enum cc_status cc_wallets_restore(struct cc_wallets *ws, const char *name,
                                  const char *backup, struct cc_error *err)
{
    char *folder, *path;
    enum cc_status st;

    if (!cc_wallet_name_valid(name))
        return cc_fail(err, CC_INVALID, "Wallet name '%s' is not allowed",
                       name);
    folder = folder_of(ws, name);
    path = cc_fs_join(folder, FILE_NAME);
    st = cc_fs_mkdirs(folder, err);
    if (st == CC_OK)
        st = cc_wallet_file_adopt(backup, path, err);
    if (st == CC_OK) {
        st = cc_wallets_load(ws, name, err);
        if (st != CC_OK)
            cc_fs_remove(path, NULL); /* it is no wallet: leave no trace */
    }
    free(folder);
    free(path);
    return st;
}

enum cc_status cc_wallets_unload(struct cc_wallets *ws, const char *name,
                                 struct cc_error *err)
{
    struct cc_wallet *w;
    enum cc_status st;

    cc_wallets_lock(ws);
    st = cc_wallets_get_idle(&w, ws, name, err);
    if (st == CC_OK) {
        w->changed |= w->moved;
        st = w->changed || w->renew ? cc_wallet_flush(w, err) : CC_OK;
    }
    for (size_t i = 0; st == CC_OK && i < ws->count; i++) {
        if (ws->list[i] == w) {
            ws->list[i] = NULL;
            memmove(ws->list + i, ws->list + i + 1,
                    (ws->count - i - 1) * sizeof(*ws->list));
            ws->count--;
            break;
        }
    }
    cc_wallets_unlock(ws);
    if (st == CC_OK)
        cc_wallet_dealloc(w);
    return st;
}

enum cc_status cc_wallets_backup(struct cc_wallets *ws, const char *name,
                                 const char *path, struct cc_error *err)
{
    char *own = cc_wallet_path(ws, name), *to = NULL;
    struct cc_wallet *w;
    enum cc_status st;

    cc_wallets_lock(ws);
    st = cc_wallets_get(&w, ws, name, err);
    to = cc_fs_is_dir(path) ? cc_fs_join(path, FILE_NAME) : cc_strdup(path);
    if (st == CC_OK && !strcmp(own, to))
        st = cc_fail(err, CC_INVALID, "That is the wallet itself");
    if (st == CC_OK)
        st = cc_wallet_flush(w, err);
    if (st == CC_OK)
        st = cc_wallet_file_copy(w->file, to, err);
    cc_wallets_unlock(ws);
    free(own);
    free(to);
    return st;
}

enum cc_status cc_wallets_list_dir(struct cc_wallets *ws, char ***names,
                                   size_t *count, struct cc_error *err)
{
    char **all, *path;
    size_t n, kept = 0;
    enum cc_status st = cc_fs_list(ws->directory, &all, &n, err);

    if (st != CC_OK)
        return st;
    for (size_t i = 0; i < n; i++) {
        bool is_default = !strcmp(all[i], FILE_NAME);

        path = cc_wallet_path(ws, all[i]);
        if (is_default)
            all[i][0] = '\0'; /* the wallet named "" */
        if (is_default || cc_fs_exists(path))
            all[kept++] = all[i];
        else
            free(all[i]);
        free(path);
    }
    *names = all;
    *count = kept;
    return CC_OK;
}

/* --- One wallet ---------------------------------------------------------- */

const char *cc_wallet_name(const struct cc_wallet *w) { return w->name; }

struct cc_wallet_keys *cc_wallet_keys(struct cc_wallet *w) { return w->keys; }

struct cc_book *cc_wallet_book(struct cc_wallet *w) { return w->book; }

const struct cc_index *cc_wallet_synced(const struct cc_wallet *w)
{
    return w->synced;
}

double cc_wallet_scanning(const struct cc_wallet *w, int64_t *seconds)
{
    if (!w->scanning)
        return -1;
    *seconds = (cc_clock_monotonic_ms() - w->scan_started_ms) / 1000;
    return w->progress;
}

int64_t cc_wallet_birthday(const struct cc_wallet *w) { return w->birthday; }

int64_t cc_wallet_made(const struct cc_wallet *w) { return w->made; }

cc_amount cc_wallet_pay_feerate(const struct cc_wallet *w)
{
    return w->pay_feerate;
}

void cc_wallet_set_pay_feerate(struct cc_wallet *w, cc_amount feerate)
{
    w->pay_feerate = feerate;
}

enum cc_status cc_wallet_new_key(struct cc_wallet *w, enum cc_key_chain chain,
                                 const char *label, struct cc_wallet_key *out,
                                 struct cc_error *err)
{
    uint32_t index = cc_wallet_keys_next(w->keys, chain);

    cc_wallet_keys_at(w->keys, chain, index, out);
    cc_wallet_keys_use(w->keys, chain, index);
    if (label)
        return cc_wallet_set_label(w, cc_bytes(out->script, CC_TAPROOT_SCRIPT),
                                   label, err);
    return cc_wallet_flush(w, err);
}

enum cc_status cc_wallet_use_key(struct cc_wallet *w, enum cc_key_chain chain,
                                 uint32_t index, struct cc_wallet_key *out,
                                 struct cc_error *err)
{
    cc_wallet_keys_use(w->keys, chain, index);
    cc_wallet_keys_at(w->keys, chain, index, out);
    return cc_wallet_flush(w, err);
}
