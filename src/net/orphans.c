#include "net/orphans.h"

#include <stdlib.h>

#include "util/mem.h"

/* A hundred entries, usually: scanning them is cheaper than any index. */
struct orphan {
    struct cc_tx tx;
    int64_t peer, expires;
    bool work;
};

struct cc_orphans {
    struct orphan *all;
    size_t count, max;
};

struct cc_orphans *cc_orphans_new(size_t max)
{
    struct cc_orphans *o = cc_calloc(1, sizeof(*o));

    o->all = cc_calloc(max + 1, sizeof(*o->all));
    o->max = max;
    return o;
}

void cc_orphans_free(struct cc_orphans *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->count; i++)
        cc_tx_clear(&o->all[i].tx);
    free(o->all);
    free(o);
}

/* Order is kept: oldest first. */
static void drop(struct cc_orphans *o, size_t i)
{
    cc_tx_clear(&o->all[i].tx);
    memmove(&o->all[i], &o->all[i + 1], (o->count - i - 1) * sizeof(*o->all));
    o->count--;
}

bool cc_orphans_has(const struct cc_orphans *o, const uint8_t id[32],
                    bool by_wtxid)
{
    for (size_t i = 0; i < o->count; i++) {
        const struct cc_tx *tx = &o->all[i].tx;

        if (!memcmp(by_wtxid ? tx->wtxid : tx->txid, id, 32))
            return true;
    }
    return false;
}

bool cc_orphans_add(struct cc_orphans *o, const struct cc_tx *tx, int64_t peer,
                    int64_t now, uint64_t random)
{
    if (!o->max || cc_orphans_has(o, tx->wtxid, true) ||
        cc_tx_weight(tx) > CC_ORPHAN_MAX_WEIGHT)
        return false;
    for (size_t i = o->count; i-- > 0;)
        if (o->all[i].expires <= now)
            drop(o, i);
    if (o->count == o->max)
        drop(o, (size_t)(random % o->max));
    cc_tx_copy(&o->all[o->count].tx, tx);
    o->all[o->count].peer = peer;
    o->all[o->count].expires = now + CC_ORPHAN_EXPIRE_S;
    o->all[o->count].work = false;
    o->count++;
    return true;
}

void cc_orphans_remove(struct cc_orphans *o, const uint8_t wtxid[32])
{
    for (size_t i = 0; i < o->count; i++) {
        if (!memcmp(o->all[i].tx.wtxid, wtxid, 32)) {
            drop(o, i);
            return;
        }
    }
}

void cc_orphans_remove_peer(struct cc_orphans *o, int64_t peer)
{
    for (size_t i = o->count; i-- > 0;)
        if (o->all[i].peer == peer)
            drop(o, i);
}

static bool spends(const struct cc_tx *tx, const struct cc_map *coins)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (cc_map_get(coins, &tx->vin[i].prevout))
            return true;
    return false;
}

void cc_orphans_remove_spending(struct cc_orphans *o,
                                const struct cc_map *spent)
{
    for (size_t i = o->count; i-- > 0;)
        if (spends(&o->all[i].tx, spent))
            drop(o, i);
}

void cc_orphans_parent_came(struct cc_orphans *o, const uint8_t txid[32])
{
    for (size_t i = 0; i < o->count; i++) {
        const struct cc_tx *tx = &o->all[i].tx;

        for (size_t k = 0; k < tx->vin_count; k++)
            if (!memcmp(tx->vin[k].prevout.txid, txid, 32))
                o->all[i].work = true;
    }
}

void cc_orphans_parents_came(struct cc_orphans *o, const struct cc_map *txids)
{
    for (size_t i = 0; i < o->count; i++) {
        const struct cc_tx *tx = &o->all[i].tx;

        for (size_t k = 0; k < tx->vin_count && !o->all[i].work; k++)
            o->all[i].work = cc_map_get(txids, tx->vin[k].prevout.txid);
    }
}

const struct cc_tx *cc_orphans_work(struct cc_orphans *o, int64_t peer)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->all[i].peer == peer && o->all[i].work) {
            o->all[i].work = false;
            return &o->all[i].tx;
        }
    }
    return NULL;
}

bool cc_orphans_has_work(const struct cc_orphans *o, int64_t peer)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->all[i].peer == peer && o->all[i].work)
            return true;
    return false;
}

size_t cc_orphans_count(const struct cc_orphans *o) { return o->count; }
