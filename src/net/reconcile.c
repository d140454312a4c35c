/*
 * Reconciliation of transactions (BIP 330), as far as Bitcoin Core 27 has it:
 * both sides say between version and verack that they could, and remember who
 * can. Announcing by it is for later; meanwhile all are told by inventory.
 */
#include <inttypes.h>

#include "net/node.h"

#define RECONCILE_VERSION 1

static void forget(struct cc_peer *p)
{
    if (p->reconcile != CC_RECONCILE_NO)
        cc_debug(p->net->log, CC_LOG_TXRECONCILIATION,
                 "Forget txreconciliation state of peer=%" PRId64, p->id);
    p->reconcile = CC_RECONCILE_NO;
}

void cc_reconcile_offer(struct cc_peer *p)
{
    struct cc_net *n = p->net;
    struct cc_writer w;

    if (!n->o.reconcile || n->o.blocks_only || p->version < 70016 ||
        !p->relay_txs || p->type == CC_CONN_ADDR_FETCH)
        return;
    cc_debug(n->log, CC_LOG_TXRECONCILIATION, "Pre-register peer=%" PRId64,
             p->id);
    p->reconcile = CC_RECONCILE_OFFERED;
    cc_writer_init_heap(&w);
    cc_write_u32le(&w, RECONCILE_VERSION);
    cc_write_u64le(&w, cc_random_u64()); /* our half of the salt */
    cc_peer_send(p, CC_MSG_SENDTXRCNCL, &w);
}

static void refuse(struct cc_peer *p, const char *before, const char *after)
{
    cc_debug(p->net->log, CC_LOG_NET, "%s peer=%" PRId64 "%s; disconnecting",
             before, p->id, after);
    cc_peer_drop(p);
}

static void agree(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct cc_reader r;
    uint32_t version;

    cc_reader_init(&r, m->payload, m->len);
    version = cc_read_u32le(&r);
    (void)cc_read_u64le(&r); /* its half of the salt */
    if (r.failed) {
        cc_peer_malformed(p, m);
    } else if (p->reconcile == CC_RECONCILE_NO) {
        cc_debug(n->log, CC_LOG_NET,
                 "Ignore unexpected txreconciliation signal from "
                 "peer=%" PRId64,
                 p->id);
    } else if (p->reconcile == CC_RECONCILE_AGREED) {
        refuse(p, "txreconciliation protocol violation from",
               " (sendtxrcncl received from already registered peer)");
    } else if (version < 1) {
        refuse(p, "txreconciliation protocol violation from", "");
    } else { /* one that can more will do what we can */
        cc_debug(n->log, CC_LOG_TXRECONCILIATION,
                 "Register peer=%" PRId64 " (inbound=%d)", p->id,
                 !cc_peer_is_outbound(p));
        p->reconcile = CC_RECONCILE_AGREED;
    }
}

void cc_reconcile_on_message(struct cc_peer *p, const struct cc_conn_message *m)
{
    if (!p->net->o.reconcile)
        cc_debug(p->net->log, CC_LOG_NET,
                 "sendtxrcncl from peer=%" PRId64
                 " ignored, as our node does not have txreconciliation enabled",
                 p->id);
    else if (p->ready)
        refuse(p, "sendtxrcncl received after verack from", "");
    else if (cc_relay_refuses(p))
        refuse(p, "sendtxrcncl received from",
               " to which we indicated no tx relay");
    else if (!p->relay_txs)
        refuse(p, "sendtxrcncl received from",
               " which indicated no tx relay to us");
    else
        agree(p, m);
}

void cc_reconcile_settle(struct cc_peer *p)
{
    /* wtxidrelay can come no more, and without it there is nothing to do. */
    if (!p->wtxid_relay || p->reconcile != CC_RECONCILE_AGREED)
        forget(p);
}

void cc_reconcile_gone(struct cc_peer *p) { forget(p); }
