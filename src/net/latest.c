/*
 * The block that was connected last: whoever was told of one of its
 * transactions just before may still ask for it, for himself or to complete
 * the block. Its ids come with it; the block itself is read when one of them
 * is first asked for.
 */
#include <stdlib.h>

#include "net/node.h"
#include "util/random.h"

void cc_latest_init(struct cc_latest *l)
{
    uint8_t seed[16];

    memset(l, 0, sizeof(*l));
    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&l->places, 32, sizeof(uint32_t), seed);
}

void cc_latest_clear(struct cc_latest *l)
{
    if (l->read)
        cc_block_clear(&l->block);
    l->read = false;
    free(l->ids);
    l->ids = NULL;
    l->count = 0;
    cc_map_clear(&l->places);
}

void cc_latest_set(struct cc_latest *l, const uint8_t hash[32],
                   struct cc_known_tx *ids, size_t count)
{
    cc_latest_clear(l);
    cc_latest_init(l);
    memcpy(l->hash, hash, 32);
    l->ids = ids;
    l->count = count;
}

static const uint32_t *find_place(struct cc_latest *l, const uint8_t id[32])
{
    if (!l->places.count) {
        for (size_t i = 0; i < l->count; i++) {
            uint32_t place = (uint32_t)i;

            *(uint32_t *)cc_map_put(&l->places, l->ids[i].txid, NULL) = place;
            *(uint32_t *)cc_map_put(&l->places, l->ids[i].wtxid, NULL) = place;
        }
    }
    return cc_map_get(&l->places, id);
}

static bool read_block(struct cc_net *n, struct cc_latest *l)
{
    struct cc_index *i;
    struct cc_error err;

    if (l->read)
        return true;
    cc_chain_lock(n->chain);
    i = cc_chain_find(n->chain, l->hash);
    l->read = i && (i->status & CC_INDEX_DATA) &&
              cc_chain_read_block(n->chain, i, &l->block, &err) == CC_OK;
    cc_chain_unlock(n->chain);
    return l->read;
}

const struct cc_tx *cc_latest_find(struct cc_net *n, const uint8_t id[32])
{
    struct cc_latest *l = &n->latest;
    const uint32_t *place = find_place(l, id);

    if (!place || !read_block(n, l) || *place >= l->block.tx_count)
        return NULL;
    return &l->block.tx[*place];
}
