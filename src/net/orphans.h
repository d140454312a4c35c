/*
 * orphans.h: transactions whose parents we do not have yet.
 *
 * At most CC_ORPHANS_MAX, each at most 400,000 weight units, for twenty
 * minutes; when it is full a random one goes. Keyed by wtxid. Pure
 * bookkeeping, not thread safe.
 */
#ifndef CC_NET_ORPHANS_H
#define CC_NET_ORPHANS_H

#include "consensus/tx.h"
#include "util/map.h"

#define CC_ORPHANS_MAX 100
#define CC_ORPHAN_MAX_WEIGHT 400000
#define CC_ORPHAN_EXPIRE_S (20 * 60)

struct cc_orphans;

/* At most max of them; 0 keeps none. */
struct cc_orphans *cc_orphans_new(size_t max);
void cc_orphans_free(struct cc_orphans *o);

/* Copies. False: there already, or too large. random: for who must go. */
bool cc_orphans_add(struct cc_orphans *o, const struct cc_tx *tx, int64_t peer,
                    int64_t now, uint64_t random);
bool cc_orphans_has(const struct cc_orphans *o, const uint8_t id[32],
                    bool by_wtxid);
void cc_orphans_remove(struct cc_orphans *o, const uint8_t wtxid[32]);
void cc_orphans_remove_peer(struct cc_orphans *o, int64_t peer);
/* What a block includes or makes impossible: those spending a coin that it
 * spends. spent: its keys are outpoints. */
void cc_orphans_remove_spending(struct cc_orphans *o,
                                const struct cc_map *spent);
/* Put the children of a transaction that arrived into the work list of the
 * peer that sent each. */
void cc_orphans_parent_came(struct cc_orphans *o, const uint8_t txid[32]);
/* All of a block's at once, whose number times that of the orphans' inputs
 * would be too much: txids: its keys are they. */
void cc_orphans_parents_came(struct cc_orphans *o, const struct cc_map *txids);
/* The next orphan of this peer to be tried again, taken off the work list, or
 * NULL; borrowed until the next change. */
const struct cc_tx *cc_orphans_work(struct cc_orphans *o, int64_t peer);
bool cc_orphans_has_work(const struct cc_orphans *o, int64_t peer);
size_t cc_orphans_count(const struct cc_orphans *o);

#endif
