/*
 * The pool follows the chain.
 *
 * A block takes out what it holds and what conflicts with it. When blocks
 * were taken back, the whole pool is judged anew on the new tip, the
 * transactions of those blocks first: rare and dear, but then nothing can be
 * forgotten (finality, maturity, locks, the facts of storage transactions).
 */
#include "mempool/internal.h"

#include "util/log.h"

#include <string.h>

#define DISCONNECTED_BYTES 20000000

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_mempool *m = arg;

    (void)index;
    (void)undo;
    for (size_t i = 0; i < block->tx_count; i++) {
        const struct cc_tx *tx = &block->tx[i];
        struct cc_txpool_node *n = cc_txpool_get(m, tx->txid);

        if (n)
            cc_txpool_remove(m, n, CC_LEAVE_BLOCK);
        for (size_t j = 0; j < tx->vin_count; j++) {
            n = cc_map_get_ptr(&m->spenders, &tx->vin[j].prevout);
            if (n)
                cc_txpool_remove_deep(m, n, CC_LEAVE_CONFLICT);
        }
        cc_map_remove(&m->deltas, tx->txid, NULL);
    }
    m->block_since_bump = true;
    m->rolling_time = m->config.now(m->config.now_arg);
}

/* Blocks come tip first: kept backward throughout, so that the list read from
 * its end has parents before children. */
static void on_disconnected(void *arg, const struct cc_index *index,
                            const struct cc_block *block,
                            const struct cc_undo *undo)
{
    struct cc_mempool *m = arg;

    (void)index;
    (void)undo;
    for (size_t i = block->tx_count; i-- > 1;)
        cc_txpool_aside_add(&m->disconnected, &block->tx[i],
                            DISCONNECTED_BYTES);
    m->moved_back = true;
}

/* Put an old entry back if it is good on the new tip. */
static void come_back(struct cc_mempool *m, struct cc_txpool_node *n)
{
    const struct cc_tx *tx = &n->e.tx;
    enum cc_mempool_leave why = CC_LEAVE_REORG;
    struct cc_error err;
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < tx->vin_count && st == CC_OK; i++)
        if (cc_map_get(&m->spenders, &tx->vin[i].prevout)) {
            st = cc_reject_code(&err, CC_REJECT_MEMPOOL_CONFLICT);
            why = CC_LEAVE_CONFLICT;
        }
    if (st == CC_OK && !cc_txpool_get(m, tx->txid))
        st = cc_txpool_recheck(m, n, &err);
    if (st == CC_OK) {
        cc_txpool_insert(m, n, true);
        if (n->parent_count > 0 &&
            (n->e.ancestor_count > m->config.ancestor_limit ||
             n->e.ancestor_size > m->config.ancestor_size_limit))
            cc_txpool_remove(m, n, CC_LEAVE_SIZELIMIT);
    } else {
        cc_txpool_tell_removed(m, n, why);
        cc_txpool_node_free(n);
    }
}

static void rebuild(struct cc_mempool *m)
{
    struct cc_txpool_aside back = m->disconnected;
    struct cc_txpool_list old;
    struct cc_error err;
    int64_t now = m->config.now(m->config.now_arg);

    memset(&m->disconnected, 0, sizeof(m->disconnected));
    cc_txpool_take_all(m, &old);
    for (size_t i = back.count; i-- > 0;)
        (void)cc_txpool_accept(m, &back.tx[i], CC_TXPOOL_BYPASS, now, NULL,
                               &err);
    cc_txpool_aside_clear(&back);
    for (size_t i = 0; i < old.count; i++)
        come_back(m, old.items[i]);
    cc_txpool_list_clear(&old);
    cc_debug(m->config.log, CC_LOG_MEMPOOL,
             "rebuilt after a reorganisation: %zu transactions", m->count);
}

static void on_tip(void *arg, const struct cc_index *tip)
{
    struct cc_mempool *m = arg;

    (void)tip;
    if (m->moved_back)
        rebuild(m);
    else
        cc_txpool_refresh(m);
    m->moved_back = false;
    m->changes++;
    cc_txpool_retry_held(m);
    cc_txpool_limit(m);
    cc_txpool_audit_maybe(m);
}

/* Every entry's scripts held under the standard flags, on coins that its
 * inputs name by hash; and those of others that were here, or nearly. */
static bool is_known(void *arg, const uint8_t wtxid[32], uint32_t flags)
{
    const struct cc_mempool *m = arg;

    return !(flags & ~(uint32_t)CC_VERIFY_STANDARD) &&
           (cc_map_get(&m->by_wtxid, wtxid) ||
            cc_txpool_known_has(&m->known, wtxid));
}

void cc_txpool_listen_chain(struct cc_mempool *m)
{
    const struct cc_chain_listener l = {
        .arg = m,
        .connected = on_connected,
        .disconnected = on_disconnected,
        .tip = on_tip,
    };

    cc_chain_listen(m->config.chain, &l);
    cc_chain_set_known(m->config.chain, is_known, m);
}
