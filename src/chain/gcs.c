#include "chain/gcs.h"

#include <stdlib.h>

#include "consensus/wide.h"
#include "crypto/hash.h"
#include "util/mem.h"
#include "util/siphash.h"

/* BIP 158's for the basic filter: the low bits of a difference, and the range
 * for each element. */
#define LOW_BITS 19
#define RANGE 784931
#define OP_RETURN 0x6a

/* --- Elements ------------------------------------------------------------- */

struct elements {
    struct cc_bytes *item;
    size_t count, room;
};

static void add(struct elements *e, struct cc_bytes script)
{
    if (!script.len)
        return;
    e->item = cc_grow(e->item, &e->room, e->count + 1, sizeof(*e->item));
    e->item[e->count++] = script;
}

static int by_bytes(const void *a, const void *b)
{
    const struct cc_bytes *x = a, *y = b;

    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return memcmp(x->data, y->data, x->len);
}

/* Each script once, in no order that matters. */
static void collect(struct elements *e, const struct cc_block *block,
                    const struct cc_undo *undo)
{
    size_t kept = 0;

    memset(e, 0, sizeof(*e));
    for (size_t i = 0; i < block->tx_count; i++)
        for (size_t j = 0; j < block->tx[i].vout_count; j++) {
            struct cc_bytes s = block->tx[i].vout[j].script;

            if (s.len && s.data[0] != OP_RETURN)
                add(e, s);
        }
    for (size_t i = 0; undo && i < undo->count; i++)
        for (size_t j = 0; j < undo->tx[i].count; j++)
            add(e, undo->tx[i].coins[j].out.script);
    if (!e->count)
        return;
    qsort(e->item, e->count, sizeof(*e->item), by_bytes);
    for (size_t i = 1; i < e->count; i++)
        if (!cc_bytes_equal(e->item[i], e->item[kept]))
            e->item[++kept] = e->item[i];
    e->count = kept + 1;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Where the scripts fall in the range of a filter of n elements, ascending. */
static uint64_t *places(const uint8_t block[32], const struct cc_bytes *item,
                        size_t count, uint64_t n)
{
    uint64_t k0 = cc_get_u64le(block), k1 = cc_get_u64le(block + 8);
    uint64_t *out = cc_malloc((count + 1) * sizeof(*out));

    for (size_t i = 0; i < count; i++) {
        uint64_t h = cc_siphash(k0, k1, item[i].data, item[i].len);

        out[i] = (uint64_t)((cc_u128)h * (n * RANGE) >> 64);
    }
    qsort(out, count, sizeof(*out), by_number);
    return out;
}

/* --- Bits, highest first -------------------------------------------------- */

struct bit_writer {
    struct cc_writer *w;
    uint8_t byte;
    unsigned count;
};

static void put_bits(struct bit_writer *b, uint64_t value, unsigned count)
{
    while (count--) {
        b->byte = (uint8_t)((unsigned)b->byte << 1 | (value >> count & 1));
        if (++b->count < 8)
            continue;
        cc_write_u8(b->w, b->byte);
        b->count = 0;
    }
}

struct bit_reader {
    struct cc_reader *r;
    uint8_t byte;
    unsigned count;
};

static unsigned get_bit(struct bit_reader *b)
{
    if (!b->count) {
        b->byte = cc_read_u8(b->r);
        b->count = 8;
    }
    b->count--;
    return b->byte >> b->count & 1;
}

/* Ends for bytes that are no filter too: past the end there are zeros. */
static uint64_t get_difference(struct bit_reader *b)
{
    uint64_t high = 0, low = 0;

    while (get_bit(b))
        high++;
    for (int i = 0; i < LOW_BITS; i++)
        low = low << 1 | get_bit(b);
    return high << LOW_BITS | low;
}

/* --- Filters -------------------------------------------------------------- */

void cc_gcs_write(struct cc_writer *w, const struct cc_block *block,
                  const struct cc_undo *undo)
{
    struct bit_writer b = {.w = w};
    struct elements e;
    uint64_t *at, last = 0;

    collect(&e, block, undo);
    cc_write_compact(w, e.count);
    at = places(block->hash, e.item, e.count, e.count);
    for (size_t i = 0; i < e.count; i++) {
        for (uint64_t high = (at[i] - last) >> LOW_BITS; high; high--)
            put_bits(&b, 1, 1);
        put_bits(&b, 0, 1);
        put_bits(&b, at[i] - last, LOW_BITS);
        last = at[i];
    }
    if (b.count)
        put_bits(&b, 0, 8 - b.count);
    free(at);
    free(e.item);
}

void cc_gcs_header(uint8_t out[32], const uint8_t filter_hash[32],
                   const uint8_t prev[32])
{
    uint8_t both[64];

    memcpy(both, filter_hash, 32);
    memcpy(both + 32, prev, 32);
    cc_hash256(out, both, sizeof(both));
}

enum cc_status cc_gcs_match(struct cc_bytes filter, const uint8_t block[32],
                            const struct cc_bytes *scripts, size_t count,
                            bool *found)
{
    struct cc_reader r;
    struct bit_reader b = {.r = &r};
    uint64_t n, *at, here = 0;
    size_t next = 0;

    *found = false;
    cc_reader_init(&r, filter.data, filter.len);
    n = cc_read_compact(&r);
    if (r.failed || n > filter.len) /* an element takes twenty bits */
        return CC_MALFORMED;
    at = places(block, scripts, count, n);
    for (uint64_t i = 0; i < n && !r.failed; i++) {
        here += get_difference(&b);
        while (next < count && at[next] < here)
            next++;
        if (next < count && at[next] == here)
            *found = true;
    }
    free(at);
    if (cc_reader_done(&r))
        return CC_OK;
    *found = false;
    return CC_MALFORMED;
}
