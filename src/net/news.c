/*
 * What chain and pool tell the net: a call comes on the thread of who changed
 * them, often under the chain's lock, and becomes a task of the validation
 * thread, which may then act on it; only what needs just that lock is done at
 * once.
 */
#include <stdlib.h>

#include "net/node.h"
#include "util/mem.h"

struct block_news {
    struct cc_net *net;
    struct cc_index *tip;
    uint8_t hash[32];
    enum cc_status st;
    struct cc_error err;
    struct cc_known_tx *ids;
    struct cc_outpoint *spent;
    size_t count, spent_count;
};

static void news_free(struct block_news *b)
{
    free(b->ids);
    free(b->spent);
    free(b);
}

static struct block_news *news_new(struct cc_net *n)
{
    struct block_news *b = cc_calloc(1, sizeof(*b));

    b->net = n;
    return b;
}

static void task_connected(void *arg)
{
    struct block_news *b = arg;

    cc_relay_block(b->net, b->ids, b->count, b->spent, b->spent_count);
    cc_latest_set(&b->net->latest, b->hash, b->ids, b->count);
    b->ids = NULL;
    news_free(b);
}

static void on_connected(void *arg, const struct cc_index *index,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    struct cc_net *n = arg;
    struct block_news *b;
    size_t inputs = 0;

    (void)undo;
    atomic_fetch_add(&n->blocks_came, 1);
    /* Catching up there are no transactions about that could be meant. */
    if (cc_chain_in_ibd(n->chain))
        return;
    b = news_new(n);
    memcpy(b->hash, index->hash, 32);
    b->ids = cc_calloc(block->tx_count + 1, sizeof(*b->ids));
    b->count = block->tx_count;
    for (size_t i = 0; i < block->tx_count; i++) {
        memcpy(b->ids[i].txid, block->tx[i].txid, 32);
        memcpy(b->ids[i].wtxid, block->tx[i].wtxid, 32);
        inputs += block->tx[i].vin_count;
    }
    b->spent = cc_calloc(inputs + 1, sizeof(*b->spent));
    for (size_t i = 1; i < block->tx_count; i++)
        for (size_t k = 0; k < block->tx[i].vin_count; k++)
            b->spent[b->spent_count++] = block->tx[i].vin[k].prevout;
    cc_net_post(n, task_connected, b);
}

static void task_disconnected(void *arg)
{
    struct block_news *b = arg;

    /* Its transactions are unconfirmed again and may be asked for. */
    cc_recent_reset(&b->net->confirmed);
    news_free(b);
}

static void on_disconnected(void *arg, const struct cc_index *index,
                            const struct cc_block *block,
                            const struct cc_undo *undo)
{
    (void)index;
    (void)block;
    (void)undo;
    cc_net_post(arg, task_disconnected, news_new(arg));
}

static void task_tip(void *arg)
{
    struct block_news *b = arg;
    unsigned came = atomic_exchange(&b->net->blocks_came, 0);

    for (unsigned i = 0; i < came && i < MAX_IN_FLIGHT; i++)
        cc_sync_block_came(b->net);
    cc_serve_new_tip(b->net, b->tip);
    news_free(b);
}

static void on_tip(void *arg, const struct cc_index *tip)
{
    struct cc_net *n = arg;
    struct block_news *b = news_new(n);

    /* The same entry without const: only its lock-free fields are used. */
    b->tip = cc_chain_find(n->chain, tip->hash);
    cc_net_post(n, task_tip, b);
}

static void task_checked(void *arg)
{
    struct block_news *b = arg;

    cc_sync_judged(b->net, b->hash, b->st, &b->err);
    news_free(b);
}

static void on_checked(void *arg, const uint8_t hash[32], enum cc_status st,
                       const struct cc_error *err)
{
    struct block_news *b = news_new(arg);

    memcpy(b->hash, hash, 32);
    b->st = st;
    if (err)
        b->err = *err;
    cc_net_post(arg, task_checked, b);
}

struct source_news {
    struct cc_net *net;
    uint8_t hash[32];
    int64_t peer;
    bool punish;
};

static void task_source(void *arg)
{
    struct source_news *s = arg;

    cc_sync_set_source(s->net, s->hash, s->peer, s->punish);
    free(s);
}

/* Another peer may have sent another body of the same block, which waits
 * behind this one: who sent it is told in line with the verdicts. */
static void on_begins(void *arg, const struct cc_incoming *b)
{
    struct source_news *s = cc_calloc(1, sizeof(*s));

    s->net = arg;
    memcpy(s->hash, b->hash, 32);
    s->peer = b->peer;
    s->punish = b->punish;
    cc_net_post(arg, task_source, s);
}

static void on_judged(void *arg, struct cc_incoming *b)
{
    cc_net_post(arg, cc_sync_task_judged, b);
}

/* A storage transaction that came too early waits inside the pool and enters
 * by itself; nobody else would tell of it. */
static void on_added(void *arg, const struct cc_mempool_entry *e)
{
    if (e->typed)
        cc_announce_later(arg, e->tx.txid);
}

/* Who did not replace it may mine it. */
static void on_removed(void *arg, const struct cc_mempool_entry *e,
                       enum cc_mempool_leave why)
{
    if (why == CC_LEAVE_REPLACED)
        cc_cmpct_keep(arg, &e->tx);
}

void cc_news_listen(struct cc_net *n)
{
    struct cc_chain_listener l = {
        .arg = n,
        .connected = on_connected,
        .disconnected = on_disconnected,
        .tip = on_tip,
        .checked = on_checked,
    };

    struct cc_mempool_listener ml = {
        .arg = n, .added = on_added, .removed = on_removed};

    n->incoming = cc_incoming_queue_new(n->chain, on_begins, on_judged, n);
    cc_chain_listen(n->chain, &l);
    cc_mempool_listen(n->mempool, &ml);
}
