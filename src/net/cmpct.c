/*
 * Compact blocks between peers (BIP 152): whom we ask to announce with them,
 * taking them apart for others and putting them together for us.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/pow.h"
#include "net/compact.h"
#include "net/node.h"
#include "util/hex.h"
#include "util/mem.h"

#define MAX_TXN_DEPTH 10 /* below the tip: rather the whole block */
#define MAX_EXTRA_WEIGHT 400000

void cc_cmpct_on_sendcmpct(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_msg_sendcmpct s;

    if (cc_msg_sendcmpct_decode(&s, m->payload, m->len) != CC_OK) {
        cc_peer_malformed(p, m);
        return;
    }
    if (s.version != CC_CMPCT_VERSION)
        return; /* ids without witness: nobody's any more */
    p->provides_cmpct = true;
    p->chose_us = s.announce;
}

void cc_cmpct_say(struct cc_peer *p, bool announce)
{
    struct cc_msg_sendcmpct s = {announce, CC_CMPCT_VERSION};
    struct cc_writer w;

    if (p->version < 70014)
        return;
    cc_writer_init_heap(&w);
    cc_msg_sendcmpct_write(&w, &s);
    cc_peer_send(p, CC_MSG_SENDCMPCT, &w);
    p->we_chose = announce;
}

/* --- Whom we let announce ------------------------------------------------- */

/* The one to give up for p: the oldest, but not the only one we connected to
 * for one who connected to us. */
static size_t whom_to_drop(const struct cc_net *n, const struct cc_peer *p)
{
    size_t outbound = 0;

    for (size_t i = 0; i < n->announcer_count; i++) {
        const struct cc_peer *a = n->announcers[i];

        outbound += cc_peer_is_outbound(a);
    }
    if (!cc_peer_is_outbound(p) && outbound == 1 &&
        cc_peer_is_outbound(n->announcers[0]))
        return 1;
    return 0;
}

static void remove_announcer(struct cc_net *n, size_t i)
{
    memmove(&n->announcers[i], &n->announcers[i + 1],
            (n->announcer_count - i - 1) * sizeof(n->announcers[0]));
    n->announcer_count--;
}

void cc_cmpct_gave_block(struct cc_peer *p)
{
    struct cc_net *n = p->net;

    if (!p->provides_cmpct || n->o.blocks_only)
        return;
    for (size_t i = 0; i < n->announcer_count; i++) {
        if (n->announcers[i] != p)
            continue;
        remove_announcer(n, i); /* to the end: it is the freshest */
        n->announcers[n->announcer_count++] = p;
        return;
    }
    if (n->announcer_count == MAX_ANNOUNCERS) {
        size_t i = whom_to_drop(n, p);

        cc_cmpct_say(n->announcers[i], false);
        remove_announcer(n, i);
    }
    cc_cmpct_say(p, true);
    n->announcers[n->announcer_count++] = p;
}

void cc_cmpct_peer_gone(struct cc_peer *p)
{
    struct cc_net *n = p->net;

    for (size_t i = 0; i < n->announcer_count; i++) {
        if (n->announcers[i] == p) {
            remove_announcer(n, i);
            return;
        }
    }
}

/* --- For others ----------------------------------------------------------- */

bool cc_cmpct_send(struct cc_peer *p, struct cc_index *i)
{
    struct cc_block block;
    struct cc_error err;
    struct cc_writer w;

    if (cc_chain_read_block(p->net->chain, i, &block, &err) != CC_OK)
        return false;
    cc_writer_init_heap(&w);
    cc_compact_write(&w, &block, cc_random_u64());
    cc_peer_send(p, CC_MSG_CMPCTBLOCK, &w);
    cc_block_clear(&block);
    return true;
}

static void serve_txn(struct cc_peer *p, const struct cc_getblocktxn *m,
                      struct cc_index *i)
{
    struct cc_block block;
    struct cc_error err;
    struct cc_writer w;

    if (cc_chain_read_block(p->net->chain, i, &block, &err) != CC_OK) {
        cc_log(p->net->log,
               "Cannot read a block that peer=%" PRId64 " wants: %s", p->id,
               err.text);
        return;
    }
    if (m->count && m->index[m->count - 1] >= block.tx_count) {
        cc_peer_misbehaving(p, 100,
                            "getblocktxn with out-of-bounds tx indices");
    } else {
        cc_writer_init_heap(&w);
        cc_blocktxn_write(&w, &block, m->index, m->count);
        cc_peer_send(p, CC_MSG_BLOCKTXN, &w);
    }
    cc_block_clear(&block);
}

void cc_cmpct_on_getblocktxn(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_getblocktxn g;
    struct cc_index *i;
    bool have, deep;

    if (cc_getblocktxn_decode(&g, m->payload, m->len) != CC_OK) {
        cc_peer_malformed(p, m);
        return;
    }
    cc_chain_lock(n->chain);
    i = cc_chain_find(n->chain, g.hash);
    have = i && (i->status & CC_INDEX_DATA);
    deep = have && i->height + MAX_TXN_DEPTH < cc_chain_tip(n->chain)->height;
    cc_chain_unlock(n->chain);
    if (!have)
        cc_debug(n->log, CC_LOG_NET,
                 "Peer %" PRId64
                 " sent us a getblocktxn for a block we don't have",
                 p->id);
    else if (!deep)
        serve_txn(p, &g, i);
    else
        cc_serve_full(p, g.hash);
    free(g.index);
}

/* --- For us --------------------------------------------------------------- */

static bool offer(void *arg, const struct cc_mempool_entry *e)
{
    cc_partial_offer(arg, &e->tx);
    return true;
}

void cc_cmpct_keep(struct cc_net *n, const struct cc_tx *tx)
{
    struct cc_tx *place;

    if (!n->o.extra_txs || cc_tx_weight(tx) > MAX_EXTRA_WEIGHT)
        return;
    cc_chain_lock(n->chain);
    place = &n->extra[n->extra_next];
    if (n->extra_next < n->extra_count)
        cc_tx_clear(place);
    else
        n->extra_count++;
    cc_tx_copy(place, tx);
    n->extra_next = (n->extra_next + 1) % n->o.extra_txs;
    cc_chain_unlock(n->chain);
}

/* What the pool does not have. */
static void offer_extra(struct cc_net *n, struct cc_partial *part)
{
    cc_chain_lock(n->chain);
    for (size_t i = 0; i < n->extra_count; i++) {
        bool twice = cc_mempool_find(n->mempool, n->extra[i].txid);

        for (size_t k = 0; k < i && !twice; k++)
            twice = !memcmp(n->extra[k].wtxid, n->extra[i].wtxid, 32);
        if (!twice)
            cc_partial_offer(part, &n->extra[i]);
    }
    cc_chain_unlock(n->chain);
}

static bool completes(const struct cc_peer *p, const uint8_t hash[32])
{
    return p->partial && !memcmp(cc_partial_hash(p->partial), hash, 32);
}

/* One peer that does not answer must not hold up a block: up to three are
 * asked for what is missing, of which one place is for a peer that we chose.
 * Only those that we told to announce by compact blocks: the others' blocks
 * are no sooner here for it. */
static bool may_ask_too(const struct cc_peer *p, const uint8_t hash[32])
{
    struct cc_net *n = p->net;
    int64_t first = cc_sync_asked(n, hash);
    bool outbound = cc_peer_is_outbound(p);
    size_t count = 0;

    for (size_t i = 0; i < n->peer_count; i++) {
        const struct cc_peer *q = n->peers[i];

        if (q->id != first && !completes(q, hash))
            continue;
        count++;
        outbound = outbound || cc_peer_is_outbound(q);
    }
    return p->we_chose &&
           (count < MAX_PARALLEL - 1 || (count < MAX_PARALLEL && outbound));
}

/* Nobody else need complete it. */
static void forget_partials(struct cc_net *n, const uint8_t hash[32])
{
    for (size_t i = 0; i < n->peer_count; i++) {
        if (!completes(n->peers[i], hash))
            continue;
        cc_partial_free(n->peers[i]->partial);
        n->peers[i]->partial = NULL;
    }
}

/* It is complete: judge it. mine: it was asked of this peer. */
static void finish(struct cc_peer *p, struct cc_partial *part, bool mine)
{
    struct cc_block block;

    if (cc_partial_block(part, &block) == CC_OK) {
        if (cc_sync_process(p, &block, true, false)) {
            forget_partials(p->net, cc_partial_hash(part));
            return;
        }
        if (!mine)
            return;
    } else if (!mine) {
        return;
    }
    /* A short id hit the wrong transaction, or a witness does not fit. */
    cc_debug(p->net->log, CC_LOG_CMPCTBLOCK,
             "compact block of peer=%" PRId64 " does not fit together", p->id);
    cc_sync_ask_full(p, cc_partial_hash(part));
}

static void ask_missing(struct cc_peer *p, struct cc_partial *part,
                        const uint32_t *index, size_t count)
{
    struct cc_writer w;

    /* One at a time is put together: the one before comes whole, or nobody
     * would ever ask for it again. */
    if (p->partial &&
        memcmp(cc_partial_hash(p->partial), cc_partial_hash(part), 32) &&
        cc_sync_asked(p->net, cc_partial_hash(p->partial)) == p->id)
        cc_sync_ask_full(p, cc_partial_hash(p->partial));
    cc_writer_init_heap(&w);
    cc_getblocktxn_write(&w, cc_partial_hash(part), index, count);
    cc_peer_send(p, CC_MSG_GETBLOCKTXN, &w);
    cc_partial_free(p->partial);
    p->partial = part;
}

/* Takes part. */
static void put_together(struct cc_peer *p, struct cc_partial *part,
                         struct cc_index *i)
{
    struct cc_net *n = p->net;
    int64_t asked = cc_sync_asked(n, i->hash);
    uint32_t *index;
    size_t missing;
    bool mine;

    if (asked < 0)
        cc_sync_expect(p, i);
    mine = cc_sync_asked(n, i->hash) == p->id;
    if (cc_partial_collides(part)) {
        if (mine)
            cc_sync_ask_full(p, i->hash);
        cc_partial_free(part);
        return;
    }
    cc_mempool_each(n->mempool, offer, part);
    offer_extra(n, part);
    missing = cc_partial_missing(part, &index);
    cc_debug(n->log, CC_LOG_CMPCTBLOCK,
             "Initialized PartiallyDownloadedBlock: %zu of %zu transactions "
             "are missing, peer=%" PRId64,
             missing, cc_partial_count(part), p->id);
    if (missing && (mine || may_ask_too(p, i->hash))) {
        ask_missing(p, part, index, missing);
        part = NULL;
    } else if (!missing) {
        finish(p, part, mine);
    }
    free(index);
    cc_partial_free(part);
}

/* Judge the header; the entry, or NULL if there is nothing more to do. */
static struct cc_index *take_header(struct cc_peer *p,
                                    const struct cc_header *h)
{
    struct cc_net *n = p->net;
    struct cc_index *prev = cc_chain_find(n->chain, h->prev), *i = NULL;
    struct cc_u256 work, threshold;
    struct cc_error err;
    uint8_t hash[32];
    bool fresh;

    if (!prev) {
        if (!cc_chain_in_ibd(n->chain))
            cc_headers_ask(p);
        return NULL;
    }
    work = cc_pow_work(h->bits);
    cc_u256_add(&work, &work, &prev->work);
    threshold = cc_headers_threshold(n);
    if (cc_u256_cmp(&work, &threshold) < 0) {
        cc_debug(n->log, CC_LOG_NET,
                 "Ignoring low-work compact block from peer %" PRId64, p->id);
        return NULL;
    }
    cc_error_init(&err);
    cc_header_hash(hash, h);
    fresh = !cc_chain_find(n->chain, hash);
    if (cc_chain_accept_header(n->chain, h, &i, &err) != CC_OK) {
        if (err.status == CC_INVALID && err.verdict != CC_VERDICT_CONFLICT)
            cc_peer_judge_block(p, &err, "invalid header via cmpctblock");
        return NULL;
    }
    if (fresh)
        cc_sync_announced(p, i);
    cc_sync_update_best(p, i->hash);
    return i;
}

void cc_cmpct_on_cmpctblock(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_partial *part;
    struct cc_index *i, *tip;
    bool have, better, near, mine;
    enum cc_status st = cc_partial_decode(&part, m->payload, m->len);

    if (st != CC_OK) {
        if (st == CC_INVALID)
            cc_peer_misbehaving(p, 100, "invalid compact block");
        else
            cc_peer_malformed(p, m);
        return;
    }
    i = take_header(p, cc_partial_header(part));
    if (i && completes(p, i->hash)) {
        cc_debug(n->log, CC_LOG_NET,
                 "Peer sent us compact block we were already syncing!");
        i = NULL;
    }
    if (!i) {
        cc_partial_free(part);
        return;
    }
    cc_chain_lock(n->chain);
    tip = cc_chain_tip(n->chain);
    have = i->status & CC_INDEX_DATA;
    better = cc_u256_cmp(&i->work, &tip->work) > 0;
    near = i->height <= tip->height + 2;
    cc_chain_unlock(n->chain);
    mine = cc_sync_asked(n, i->hash) == p->id;
    if (!have && better && near && (mine || cc_sync_near_tip(n))) {
        put_together(p, part, i);
        return;
    }
    if (!have && mine)
        cc_sync_ask_full(p, i->hash);
    else if (!have && better)
        cc_sync_direct_fetch(p, i);
    cc_partial_free(part);
}

void cc_cmpct_on_blocktxn(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_partial *part = p->partial;
    struct cc_blocktxn b;

    if (cc_blocktxn_decode(&b, m->payload, m->len) != CC_OK) {
        cc_peer_malformed(p, m);
        return;
    }
    if (!completes(p, b.hash)) {
        cc_debug(n->log, CC_LOG_NET,
                 "Peer %" PRId64
                 " sent us block transactions for block we weren't expecting",
                 p->id);
        cc_blocktxn_clear(&b);
        return;
    }
    p->partial = NULL;
    if (cc_partial_fill(part, b.txs, b.count))
        finish(p, part, cc_sync_asked(n, b.hash) == p->id);
    else
        cc_peer_misbehaving(
            p, 100, "invalid compact block/non-matching block transactions");
    cc_partial_free(part);
    cc_blocktxn_clear(&b);
}
