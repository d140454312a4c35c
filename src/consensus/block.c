#include "consensus/block.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "util/mem.h"

/* Least bytes of a transaction: version, two empty lists, lock time. */
#define MIN_TX 10

void cc_header_read(struct cc_reader *r, struct cc_header *h)
{
    h->version = (int32_t)cc_read_u32le(r);
    cc_read_bytes(r, h->prev, 32);
    cc_read_bytes(r, h->merkle_root, 32);
    h->time = cc_read_u32le(r);
    h->bits = cc_read_u32le(r);
    h->nonce = cc_read_u32le(r);
}

void cc_header_write(struct cc_writer *w, const struct cc_header *h)
{
    cc_write_u32le(w, (uint32_t)h->version);
    cc_write_bytes(w, h->prev, 32);
    cc_write_bytes(w, h->merkle_root, 32);
    cc_write_u32le(w, h->time);
    cc_write_u32le(w, h->bits);
    cc_write_u32le(w, h->nonce);
}

void cc_header_hash(uint8_t out[32], const struct cc_header *h)
{
    uint8_t raw[CC_HEADER_SIZE];
    struct cc_writer w;

    cc_writer_init(&w, raw, sizeof(raw));
    cc_header_write(&w, h);
    cc_hash256(out, raw, sizeof(raw));
}

/* b->raw, which may be cut to the block, and b->arena are set. The array of
 * transactions is not touched before they are read, so a count that lies costs
 * no memory. */
static bool read_block(struct cc_block *b)
{
    struct cc_reader r;
    size_t n;

    cc_reader_init(&r, b->raw.data, b->raw.len);
    cc_header_read(&r, &b->header);
    n = cc_read_count(&r, MIN_TX);
    b->tx = cc_arena_alloc(&b->arena, n * sizeof(*b->tx));
    b->tx_count = n;
    b->stripped_size = CC_HEADER_SIZE + cc_compact_size(n);
    for (size_t i = 0; i < n && !r.failed; i++) {
        cc_tx_read(&r, &b->tx[i], &b->arena, true);
        b->stripped_size += b->tx[i].stripped_size;
    }
    if (r.failed)
        return false;
    b->raw.len -= r.left;
    cc_hash256(b->hash, b->raw.data, CC_HEADER_SIZE);
    return true;
}

enum cc_status cc_block_decode_front(struct cc_block *block, uint8_t *data,
                                     size_t len)
{
    struct cc_block b;

    memset(&b, 0, sizeof(b));
    cc_arena_init(&b.arena);
    b.raw = cc_bytes(data, len);
    if (!read_block(&b)) {
        cc_arena_clear(&b.arena);
        free(data);
        return CC_MALFORMED;
    }
    *block = b;
    return CC_OK;
}

enum cc_status cc_block_decode_take(struct cc_block *block, uint8_t *data,
                                    size_t len)
{
    struct cc_block b;

    if (cc_block_decode_front(&b, data, len) != CC_OK)
        return CC_MALFORMED;
    if (b.raw.len != len) {
        cc_block_clear(&b);
        return CC_MALFORMED;
    }
    *block = b;
    return CC_OK;
}

enum cc_status cc_block_decode(struct cc_block *block, const void *data,
                               size_t len)
{
    return cc_block_decode_take(block, cc_memdup(data, len), len);
}

void cc_block_clear(struct cc_block *block)
{
    cc_arena_clear(&block->arena);
    free((void *)block->raw.data);
    memset(block, 0, sizeof(*block));
}

size_t cc_block_weight(const struct cc_block *block)
{
    return block->stripped_size * (CC_WITNESS_SCALE - 1) + block->raw.len;
}

/* BIP 141: the last output that begins so counts. */
int cc_block_commitment_index(const struct cc_block *block)
{
    static const uint8_t head[] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    const struct cc_tx *tx = block->tx;

    if (!block->tx_count)
        return -1;
    for (size_t i = tx->vout_count; i-- > 0;) {
        struct cc_bytes s = tx->vout[i].script;

        if (s.len >= sizeof(head) + 32 && !memcmp(s.data, head, sizeof(head)))
            return (int)i;
    }
    return -1;
}
