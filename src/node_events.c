/*
 * What the node does when one of its floors speaks: the commands that users
 * have run (-blocknotify, -walletnotify, -alertnotify), what extensions hear
 * of blocks and transactions, the end at -stopatheight. Much of it is called
 * under the chain lock, so commands run in the background.
 */
#include "node_i.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/hex.h"

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

void cc_node_on_alert(void *arg, const char *text)
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
    if (cc_chain_reached(n->chain))
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
void cc_node_listen_chain(struct cc_node *n)
{
    struct cc_chain_listener listener = {.arg = n,
                                         .connected = on_connected,
                                         .disconnected = on_disconnected,
                                         .tip = on_tip};

    cc_chain_listen(n->chain, &listener);
}

void cc_node_listen_mempool(struct cc_node *n)
{
    struct cc_mempool_listener listener = {n, on_added, NULL};

    cc_mempool_listen(n->mempool, &listener);
}

/* The wallets are there before the net, and after it. */
void cc_node_broadcast(void *arg, const uint8_t txid[32])
{
    struct cc_node *n = arg;

    if (n->net)
        cc_net_broadcast(n->net, txid);
}

/* -walletnotify. */
void cc_node_on_wallet_tx(void *arg, const char *wallet,
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
