#include "chain/undo.h"

#include "chain/coins.h"

/* A coin takes at least: code, amount, script type. */
#define MIN_COIN 3

void cc_undo_clear(struct cc_undo *u)
{
    cc_arena_clear(&u->arena);
    memset(u, 0, sizeof(*u));
}

void cc_undo_write(struct cc_writer *w, const struct cc_undo *u)
{
    cc_write_compact(w, u->count);
    for (size_t i = 0; i < u->count; i++) {
        cc_write_compact(w, u->tx[i].count);
        for (size_t j = 0; j < u->tx[i].count; j++)
            cc_coin_write_undo(w, &u->tx[i].coins[j]);
    }
}

enum cc_status cc_undo_decode(struct cc_undo *u, const void *data, size_t len)
{
    struct cc_undo n = {0};
    struct cc_reader r;

    cc_arena_init(&n.arena);
    cc_reader_init(&r, cc_arena_dup(&n.arena, data, len), len);
    n.count = cc_read_count(&r, 1);
    n.tx = cc_arena_calloc(&n.arena, n.count, sizeof(*n.tx));
    for (size_t i = 0; i < n.count && !r.failed; i++) {
        n.tx[i].count = cc_read_count(&r, MIN_COIN);
        n.tx[i].coins =
            cc_arena_calloc(&n.arena, n.tx[i].count, sizeof(*n.tx[i].coins));
        for (size_t j = 0; j < n.tx[i].count; j++)
            cc_coin_read_undo(&r, &n.tx[i].coins[j], &n.arena);
    }
    if (!cc_reader_done(&r)) {
        cc_undo_clear(&n);
        return CC_MALFORMED;
    }
    *u = n;
    return CC_OK;
}

bool cc_undo_fits(const struct cc_undo *u, const struct cc_block *block)
{
    if (u->count + 1 != block->tx_count)
        return false;
    for (size_t i = 0; i < u->count; i++)
        if (u->tx[i].count != block->tx[i + 1].vin_count)
            return false;
    return true;
}
