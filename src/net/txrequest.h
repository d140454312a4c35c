/*
 * txrequest.h: from whom to ask for which announced transaction, and when.
 *
 * Each transaction is asked of one peer at a time; when that peer does not
 * answer in time, says notfound or leaves, the next who announced it is
 * asked: preferred peers first, then who announced earliest. A peer may hold
 * at most CC_TXREQ_PER_PEER announcements (or what the caller grants); an
 * answer or the knowledge that we need it no longer frees them.
 *
 * Pure bookkeeping: no clock (times in microseconds are given), no sockets,
 * not thread safe.
 */
#ifndef CC_NET_TXREQUEST_H
#define CC_NET_TXREQUEST_H

#include "util/bytes.h"

#define CC_TXREQ_PER_PEER 5000
#define CC_TXREQ_IN_FLIGHT                                                     \
    100 /* beyond, a peer's announcements wait longer                          \
         */
#define CC_TXREQ_TIMEOUT_US (INT64_C(60) * 1000000)

struct cc_txreq;

struct cc_txreq_want {
    uint8_t hash[32];
    bool by_wtxid;
};

struct cc_txreq *cc_txreq_new(const uint8_t seed[16]);
void cc_txreq_free(struct cc_txreq *t);

/* This peer has it; ask from due_us on. Known pairs change nothing. False: the
 * peer has announced as many as limit. */
bool cc_txreq_announce(struct cc_txreq *t, int64_t peer, const uint8_t hash[32],
                       bool by_wtxid, bool preferred, int64_t due_us,
                       size_t limit);
/* The peer answered (transaction or notfound): it will not be asked again. */
void cc_txreq_answered(struct cc_txreq *t, int64_t peer,
                       const uint8_t hash[32]);
/* We have it, or do not want it. */
void cc_txreq_forget(struct cc_txreq *t, const uint8_t hash[32]);
void cc_txreq_peer_gone(struct cc_txreq *t, int64_t peer);
/* Up to room to ask of this peer now; they count as asked. */
size_t cc_txreq_due(struct cc_txreq *t, int64_t peer, int64_t now_us,
                    struct cc_txreq_want *out, size_t room);
/* Announcements held, requests open. */
size_t cc_txreq_count(const struct cc_txreq *t, int64_t peer);
size_t cc_txreq_in_flight(const struct cc_txreq *t, int64_t peer);
size_t cc_txreq_size(const struct cc_txreq *t);

#endif
