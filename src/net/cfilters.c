/*
 * Filters of blocks for peers (BIP 157), where -peerblockfilters offers them.
 * Who asks for what we do not offer, for blocks that it should not know of us,
 * or for too much at once is disconnected.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "chain/filterindex.h"
#include "chain/gcs.h"
#include "net/node.h"
#include "util/hex.h"

#define MAX_FILTERS 1000 /* in answer to one getcfilters */
#define MAX_HEADERS 2000 /* and to one getcfheaders */
#define CHECKPOINT_EVERY 1000

struct request {
    uint8_t type;
    uint32_t start;
    uint8_t stop[32];
    struct cc_index *last;
};

static bool refuse_type(struct cc_peer *p, uint8_t type)
{
    if (type == CC_FILTER_BASIC && p->net->o.filters)
        return false;
    cc_debug(p->net->log, CC_LOG_NET,
             "peer %" PRId64 " requested unsupported block filter type: %d",
             p->id, type);
    return true;
}

static bool refuse_stop(struct cc_peer *p, struct request *r)
{
    struct cc_net *n = p->net;
    char hex[65];

    cc_chain_lock(n->chain);
    r->last = cc_chain_find(n->chain, r->stop);
    if (r->last && !cc_serve_allowed(n, r->last))
        r->last = NULL;
    cc_chain_unlock(n->chain);
    if (r->last)
        return false;
    cc_hex_encode_rev(hex, r->stop, 32);
    cc_debug(n->log, CC_LOG_NET,
             "peer %" PRId64 " requested invalid block hash: %s", p->id, hex);
    return true;
}

static bool refuse_range(struct cc_peer *p, const struct request *r,
                         uint32_t most)
{
    if (r->start > r->last->height)
        cc_debug(p->net->log, CC_LOG_NET,
                 "peer %" PRId64 " sent invalid getcfilters/getcfheaders with "
                 "start height %" PRIu32 " and stop height %" PRIu32,
                 p->id, r->start, r->last->height);
    else if (r->last->height - r->start >= most)
        cc_debug(p->net->log, CC_LOG_NET,
                 "peer %" PRId64 " requested too many cfilters/cfheaders: "
                 "%" PRIu32 " / %" PRIu32,
                 p->id, r->last->height - r->start + 1, most);
    else
        return false;
    return true;
}

/* most: 0 where there is no first height. */
static bool read_request(struct cc_peer *p, const struct cc_conn_message *m,
                         uint32_t most, struct request *r)
{
    struct cc_reader in;

    cc_reader_init(&in, m->payload, m->len);
    r->type = cc_read_u8(&in);
    r->start = most ? cc_read_u32le(&in) : 0;
    cc_read_bytes(&in, r->stop, 32);
    if (in.failed) {
        cc_peer_malformed(p, m);
        return false;
    }
    if (!refuse_type(p, r->type) && !refuse_stop(p, r) &&
        (!most || !refuse_range(p, r, most)))
        return true;
    cc_peer_drop(p);
    return false;
}

/* A block of a branch that never was ours has no filter: no answer. */
static void say_missing(struct cc_peer *p, const char *what,
                        const struct cc_index *i)
{
    char hex[65];

    cc_hex_encode_rev(hex, i->hash, 32);
    cc_debug(p->net->log, CC_LOG_NET,
             "Failed to find block filter%s in index: filter_type=basic, "
             "block_hash=%s",
             what, hex);
}

static void on_getcfilters(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct request r;
    struct cc_writer w;
    uint8_t *data;
    size_t len;

    if (!read_request(p, m, MAX_FILTERS, &r))
        return;
    for (uint32_t h = r.start; h <= r.last->height; h++) {
        const struct cc_index *i = cc_index_ancestor(r.last, h);

        if (cc_filterindex_filter(n->o.filters, i->hash, &data, &len, NULL) !=
            CC_OK) {
            say_missing(p, "", i);
            return;
        }
        cc_writer_init_heap(&w);
        cc_write_u8(&w, r.type);
        cc_write_bytes(&w, i->hash, 32);
        cc_write_var(&w, data, len);
        free(data);
        cc_peer_send(p, CC_MSG_CFILTER, &w);
    }
}

static void on_getcfheaders(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct request r;
    struct cc_writer w;
    uint8_t header[32] = {0}, hash[32];
    const struct cc_index *i;

    if (!read_request(p, m, MAX_HEADERS, &r))
        return;
    if (r.start) {
        i = cc_index_ancestor(r.last, r.start - 1);
        if (cc_filterindex_header(n->o.filters, i->hash, header, NULL, NULL) !=
            CC_OK) {
            say_missing(p, " header", i);
            return;
        }
    }
    cc_writer_init_heap(&w);
    cc_write_u8(&w, r.type);
    cc_write_bytes(&w, r.stop, 32);
    cc_write_bytes(&w, header, 32);
    cc_write_compact(&w, r.last->height - r.start + 1);
    for (uint32_t h = r.start; h <= r.last->height; h++) {
        i = cc_index_ancestor(r.last, h);
        if (cc_filterindex_header(n->o.filters, i->hash, header, hash, NULL) !=
            CC_OK) {
            say_missing(p, " hash", i);
            cc_writer_clear(&w);
            return;
        }
        cc_write_bytes(&w, hash, 32);
    }
    cc_peer_send(p, CC_MSG_CFHEADERS, &w);
}

static void on_getcfcheckpt(struct cc_peer *p, const struct cc_conn_message *m)
{
    struct cc_net *n = p->net;
    struct request r;
    struct cc_writer w;
    uint8_t header[32];

    if (!read_request(p, m, 0, &r))
        return;
    cc_writer_init_heap(&w);
    cc_write_u8(&w, r.type);
    cc_write_bytes(&w, r.stop, 32);
    cc_write_compact(&w, r.last->height / CHECKPOINT_EVERY);
    for (uint32_t k = 1; k <= r.last->height / CHECKPOINT_EVERY; k++) {
        const struct cc_index *i =
            cc_index_ancestor(r.last, k * CHECKPOINT_EVERY);

        if (cc_filterindex_header(n->o.filters, i->hash, header, NULL, NULL) !=
            CC_OK) {
            say_missing(p, " header", i);
            cc_writer_clear(&w);
            return;
        }
        cc_write_bytes(&w, header, 32);
    }
    cc_peer_send(p, CC_MSG_CFCHECKPT, &w);
}

void cc_cfilters_on_message(struct cc_peer *p, const struct cc_conn_message *m)
{
    if (m->type == CC_MSG_GETCFILTERS)
        on_getcfilters(p, m);
    else if (m->type == CC_MSG_GETCFHEADERS)
        on_getcfheaders(p, m);
    else
        on_getcfcheckpt(p, m);
}
