/*
 * Bloom filters (BIP 37): a peer that wants only what concerns it says so, is
 * announced only that, and is given blocks with what concerns it. Offered with
 * -peerbloomfilters, and to peers with the permission.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/merkleblock.h"
#include "consensus/script.h"
#include "net/node.h"
#include "util/mem.h"

static void set_filter(struct cc_peer *p, struct cc_bloom *filter)
{
    if (!p->may_relay_txs) { /* it takes none at all */
        cc_bloom_free(filter);
        return;
    }
    cc_bloom_free(p->bloom);
    p->bloom = filter;
    p->relay_txs = true; /* from here on, whatever its version message said */
}

static void on_load(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_bloom *filter;

    switch (cc_bloom_decode(&filter, m->payload, m->len)) {
    case CC_OK:
        set_filter(p, filter);
        return;
    case CC_LIMIT:
        cc_peer_misbehaving(p, 100, "too-large bloom filter");
        return;
    default:
        cc_peer_malformed(p, m);
    }
}

/* Nothing longer can be in a script, so nothing longer can be meant. */
static void on_add(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_reader r;
    struct cc_bytes data;

    cc_reader_init(&r, m->payload, m->len);
    data = cc_read_var(&r);
    if (r.failed)
        cc_peer_malformed(p, m);
    else if (data.len > CC_MAX_SCRIPT_ELEMENT_SIZE ||
             (p->may_relay_txs && !p->bloom))
        cc_peer_misbehaving(p, 100, "bad filteradd message");
    else if (p->bloom)
        cc_bloom_add(p->bloom, data.data, data.len);
}

bool cc_filter_offered(const struct cc_peer *p)
{
    return cc_peer_services(p) & CC_SERVICE_BLOOM;
}

void cc_filter_on_message(struct cc_peer *p, const struct cc_conn_message *m)
{
    if (!cc_filter_offered(p)) {
        cc_debug(p->net->log, CC_LOG_NET,
                 "%s received despite not offering bloom services from "
                 "peer=%" PRId64 "; disconnecting",
                 m->command, p->id);
        cc_peer_drop(p);
    } else if (m->type == CC_MSG_FILTERLOAD) {
        on_load(p, m);
    } else if (m->type == CC_MSG_FILTERADD) {
        on_add(p, m);
    } else {
        set_filter(p, NULL);
    }
}

/* The whole pool, as far as it passes. */
void cc_filter_on_mempool(struct cc_peer *p)
{
    struct cc_net *n = p->net;
    const char *problem = NULL;

    if (!cc_filter_offered(p) && !cc_peer_has(p, CC_PERM_MEMPOOL))
        problem = "bloom filters disabled";
    else if (!cc_peer_has(p, CC_PERM_MEMPOOL) &&
             cc_net_upload_reached(n, false))
        problem = "bandwidth limit reached";
    if (!problem) {
        p->send_mempool = p->may_relay_txs;
        return;
    }
    if (cc_peer_has(p, CC_PERM_NOBAN))
        return;
    cc_debug(n->log, CC_LOG_NET,
             "mempool request with %s, disconnect peer=%" PRId64, problem,
             p->id);
    cc_peer_drop(p);
}

/* The peer can tell from the tree which transactions follow. */
void cc_filter_send_block(struct cc_peer *p, uint8_t *raw, size_t len)
{
    struct cc_block b;
    struct cc_writer w;
    bool *wanted;

    if (cc_block_decode_take(&b, raw, len) != CC_OK)
        return;
    wanted = cc_calloc(b.tx_count + 1, sizeof(*wanted));
    for (size_t i = 0; i < b.tx_count; i++)
        wanted[i] = cc_bloom_match(p->bloom, &b.tx[i]);
    cc_writer_init_heap(&w);
    cc_merkle_block_write(&w, &b, wanted);
    cc_peer_send(p, CC_MSG_MERKLEBLOCK, &w);
    for (size_t i = 0; i < b.tx_count; i++) {
        if (!wanted[i])
            continue;
        cc_writer_init_heap(&w);
        cc_tx_write(&w, &b.tx[i], false);
        cc_peer_send(p, CC_MSG_TX, &w);
    }
    free(wanted);
    cc_block_clear(&b);
}
