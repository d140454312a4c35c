/* sync.c: catching up with the chain, and looking at it again. */
#include <stdlib.h>

#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"
#include "wallet/wallet_i.h"

#define SLICE_MS 50 /* how long the chain is locked at a time */

/* One block into the book, whatever its tip was. */
static enum cc_status look_at(struct cc_wallet *w, struct cc_index *index,
                              struct cc_error *err)
{
    struct cc_chain *chain = w->ws->config.chain;
    struct cc_block block;
    struct cc_undo undo = {.tx = NULL};
    enum cc_status st = cc_chain_read_block(chain, index, &block, err);

    if (st == CC_NOTFOUND && cc_chain_is_pruned(chain, index))
        return cc_fail(err, CC_LIMIT,
                       "Prune: last wallet synchronisation goes beyond pruned "
                       "data. You need to -reindex (download the whole "
                       "blockchain again in case of pruned node)");
    if (st != CC_OK)
        return st;
    if (index->height > 0)
        st = cc_chain_read_undo(chain, index, &undo, err);
    if (st == CC_OK)
        w->changed |=
            cc_book_connect(w->book, (int32_t)index->height, index->hash,
                            &block, index->height > 0 ? &undo : NULL);
    if (st == CC_OK && index->height > 0)
        cc_undo_clear(&undo);
    cc_block_clear(&block);
    return st;
}

/* Back to a block of the active chain, if the one we stand on left it. */
static void follow_reorg(struct cc_wallet *w)
{
    struct cc_chain *chain = w->ws->config.chain;
    const struct cc_index *i = w->synced;

    while (i && !cc_chain_contains(chain, i))
        i = i->prev;
    if (i != w->synced)
        cc_wallet_goto_fork(w, i);
}

static void join(struct cc_wallet *w);

/* For at most SLICE_MS. *there: the tip was reached, and w is in the list. */
static enum cc_status catch_up(struct cc_wallet *w, bool *there,
                               struct cc_error *err)
{
    struct cc_wallets *ws = w->ws;
    struct cc_chain *chain = ws->config.chain;
    int64_t end = cc_clock_monotonic_ms() + SLICE_MS;
    enum cc_status st = CC_OK;

    cc_wallets_lock(ws);
    follow_reorg(w);
    for (;;) {
        uint32_t next = w->synced ? w->synced->height + 1 : 0;
        struct cc_index *i = cc_chain_at(chain, next);

        if (!i) {
            if (cc_wallets_find(ws, w->name))
                st = cc_wallet_refuse(err, CC_LIMIT, "loaded",
                                      "Wallet \"%s\" is already loaded.",
                                      w->name);
            else
                join(w);
            *there = true;
            break;
        }
        st = look_at(w, i, err);
        if (st != CC_OK)
            break;
        w->synced = i;
        w->moved = true;
        if (cc_clock_monotonic_ms() >= end)
            break;
    }
    cc_wallets_unlock(ws);
    return st;
}

static bool take_pool_entry(void *arg, const struct cc_mempool_entry *e)
{
    struct cc_wallet *w = arg;

    w->changed |=
        cc_book_mempool_add(w->book, &e->tx, e->claims > 0, e->fee, e->time);
    return true;
}

/* At the tip, under the locks: from here on the listeners tell. */
static void join(struct cc_wallet *w)
{
    struct cc_wallets *ws = w->ws;

    ws->list = cc_grow(ws->list, &ws->cap, ws->count + 1, sizeof(*ws->list));
    ws->list[ws->count++] = w;
    cc_mempool_each(ws->config.mempool, take_pool_entry, w);
    cc_wallet_resubmit(w);
}

void cc_wallet_resubmit(struct cc_wallet *w)
{
    for (size_t i = 0; i < cc_book_count(w->book); i++) {
        const struct cc_wallet_tx *t = cc_book_at(w->book, i);

        if (t->height >= 0 || t->conflict >= 0 || t->in_mempool ||
            t->abandoned || cc_tx_is_coinbase(&t->tx))
            continue;
        /* If it cannot be, the next round tries again. */
        if (cc_mempool_add(w->ws->config.mempool, &t->tx, false, NULL, NULL) ==
            CC_OK)
            cc_wallet_broadcast(w, t->tx.txid);
    }
}

static void tell(void *arg, const struct cc_wallet_tx *tx)
{
    const struct cc_wallet *w = arg;
    const struct cc_wallets_config *c = &w->ws->config;

    if (c->changed)
        c->changed(c->changed_arg, w->name, tx);
}

enum cc_status cc_wallet_attach(struct cc_wallet *w, struct cc_error *err)
{
    int64_t told = cc_clock_monotonic_ms();
    enum cc_status st = CC_OK;
    bool there = false;

    cc_book_listen(w->book, tell, w);
    while (st == CC_OK && !there) {
        st = catch_up(w, &there, err);
        if (st == CC_OK && !there && cc_clock_monotonic_ms() - told > 5000) {
            told = cc_clock_monotonic_ms();
            cc_log(w->ws->config.log, "wallet %s: scanned up to block %d",
                   w->name, (int)cc_book_tip(w->book));
            cc_chain_lock(w->ws->config.chain);
            st = cc_wallet_flush(w, err);
            cc_chain_unlock(w->ws->config.chain);
        }
    }
    return st;
}

/* --- Looking again ------------------------------------------------------- */

struct scan {
    struct cc_wallets *ws;
    const char *name;
    int64_t next, from, to; /* to: -1 for the tip */
    int64_t last;
};

static enum cc_status begin(struct scan *s, struct cc_error *err)
{
    struct cc_wallet *w;
    enum cc_status st;

    cc_wallets_lock(s->ws);
    st = cc_wallets_get_idle(&w, s->ws, s->name, err);
    if (st == CC_OK) {
        w->scanning = true;
        w->abort_scan = false;
        w->progress = 0;
        w->scan_started_ms = cc_clock_monotonic_ms();
    }
    cc_wallets_unlock(s->ws);
    return st;
}

/* A slice; true while there is more. A wallet being scanned is not unloaded,
 * so it is found each time. */
static bool slice(struct scan *s, enum cc_status *st, struct cc_error *err)
{
    struct cc_chain *chain = s->ws->config.chain;
    int64_t end_ms = cc_clock_monotonic_ms() + SLICE_MS, stop;
    struct cc_wallet *w;
    bool more = true;

    cc_wallets_lock(s->ws);
    w = cc_wallets_find(s->ws, s->name);
    stop = (int64_t)cc_chain_tip(chain)->height;
    if (s->to >= 0 && s->to < stop)
        stop = s->to;
    while (more && *st == CC_OK && cc_clock_monotonic_ms() < end_ms) {
        int32_t tip = cc_book_tip(w->book);

        if (s->next > stop) {
            more = false;
            break;
        }
        if (w->abort_scan) {
            *st = cc_wallet_refuse(err, CC_LIMIT, "aborted", "Rescan aborted.");
            break;
        }
        *st = look_at(w, cc_chain_at(chain, (uint32_t)s->next), err);
        cc_book_set_tip(w->book, tip);
        if (*st == CC_OK)
            s->last = s->next++;
        w->progress =
            (double)(s->next - s->from) / (double)(stop - s->from + 1);
    }
    cc_wallets_unlock(s->ws);
    return more && *st == CC_OK;
}

bool cc_wallet_abort_scan(struct cc_wallet *w)
{
    if (!w->scanning || w->abort_scan)
        return false;
    w->abort_scan = true;
    return true;
}

enum cc_status cc_wallets_rescan(struct cc_wallets *ws, const char *name,
                                 int64_t from, int64_t to, int64_t *last,
                                 struct cc_error *err)
{
    struct scan s = {ws, name, from, from, to, -1};
    struct cc_wallet *w;
    enum cc_status st = begin(&s, err), written;

    if (st != CC_OK)
        return st;
    while (slice(&s, &st, err))
        ;
    cc_wallets_lock(ws);
    w = cc_wallets_find(ws, name);
    w->scanning = false;
    written = cc_wallet_flush(w, st == CC_OK ? err : NULL);
    cc_wallets_unlock(ws);
    *last = s.last;
    return st == CC_OK ? written : st;
}
