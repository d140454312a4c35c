#include "net/compact.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/siphash.h"

#define MIN_TX_SIZE 60

struct slot {
    uint8_t *tx; /* as in the block, with witness; NULL: missing */
    size_t len;
    bool ambiguous;
};

struct cc_partial {
    struct cc_header header;
    uint8_t hash[32];
    uint64_t k0, k1;
    struct slot *slots;
    size_t count;
    struct cc_map by_id; /* short id (8 bytes) -> uint32_t position */
    bool collides;
};

/* BIP 152: the key of the short ids. */
static void short_key(const struct cc_header *h, uint64_t nonce, uint64_t *k0,
                      uint64_t *k1)
{
    uint8_t buf[CC_HEADER_SIZE + 8], hash[32];
    struct cc_writer w;

    cc_writer_init(&w, buf, sizeof(buf));
    cc_header_write(&w, h);
    cc_write_u64le(&w, nonce);
    cc_sha256_once(hash, buf, sizeof(buf));
    *k0 = cc_get_u64le(hash);
    *k1 = cc_get_u64le(hash + 8);
}

static uint64_t short_id(uint64_t k0, uint64_t k1, const uint8_t wtxid[32])
{
    return cc_siphash(k0, k1, wtxid, 32) & UINT64_C(0xffffffffffff);
}

static void write_u48(struct cc_writer *w, uint64_t v)
{
    cc_write_u32le(w, (uint32_t)v);
    cc_write_u16le(w, (uint16_t)(v >> 32));
}

void cc_compact_write(struct cc_writer *w, const struct cc_block *block,
                      uint64_t nonce)
{
    uint64_t k0, k1;

    short_key(&block->header, nonce, &k0, &k1);
    cc_header_write(w, &block->header);
    cc_write_u64le(w, nonce);
    cc_write_compact(w, block->tx_count - 1);
    for (size_t i = 1; i < block->tx_count; i++)
        write_u48(w, short_id(k0, k1, block->tx[i].wtxid));
    cc_write_compact(w, 1);
    cc_write_compact(w, 0); /* the coinbase */
    cc_tx_write(w, &block->tx[0], true);
}

/* --- Putting together ----------------------------------------------------- */

static void put_tx(struct slot *s, const struct cc_tx *tx)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_tx_write(&w, tx, true);
    s->tx = cc_writer_take(&w, &s->len);
}

void cc_partial_free(struct cc_partial *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        free(p->slots[i].tx);
    free(p->slots);
    cc_map_clear(&p->by_id);
    free(p);
}

/* Differences of rising positions, BIP 152's differential encoding. False:
 * beyond limit. *next: the position after the last. */
static bool read_index(struct cc_reader *r, uint64_t *next, uint64_t limit,
                       uint32_t *out)
{
    uint64_t d = cc_read_compact(r);

    if (r->failed || d >= limit - *next || *next >= limit)
        return false;
    *out = (uint32_t)(*next + d);
    *next = (uint64_t)*out + 1;
    return true;
}

/* The transactions that came whole. */
static bool read_prefilled(struct cc_partial *p, struct cc_reader *r,
                           size_t count)
{
    struct cc_arena arena;
    uint64_t next = 0;
    bool ok = true;

    cc_arena_init(&arena);
    for (size_t i = 0; i < count && ok; i++) {
        struct cc_tx tx;
        uint32_t at;

        ok = read_index(r, &next, p->count, &at);
        if (!ok)
            break;
        cc_tx_read(r, &tx, &arena, true);
        ok = !r->failed;
        if (ok)
            put_tx(&p->slots[at], &tx);
    }
    cc_arena_clear(&arena);
    return ok;
}

/* Short ids belong to the places left empty, in order. */
static void place_ids(struct cc_partial *p, struct cc_bytes ids)
{
    const uint8_t *id = ids.data;

    for (uint32_t at = 0; at < p->count; at++) {
        uint64_t v;
        bool fresh;
        uint32_t *place;

        if (p->slots[at].tx)
            continue;
        v = (uint64_t)cc_get_u32le(id) | (uint64_t)cc_get_u16le(id + 4) << 32;
        id += 6;
        place = cc_map_put(&p->by_id, &v, &fresh);
        if (!fresh)
            p->collides = true;
        *place = at;
    }
}

enum cc_status cc_partial_decode(struct cc_partial **out, const void *data,
                                 size_t len)
{
    struct cc_partial *p;
    struct cc_reader r;
    struct cc_bytes ids;
    struct cc_header header;
    uint64_t nonce;
    uint8_t seed[16];
    size_t short_count, whole;
    bool ok;

    cc_reader_init(&r, data, len);
    cc_header_read(&r, &header);
    nonce = cc_read_u64le(&r);
    short_count = cc_read_count(&r, 6);
    ids = cc_read_slice(&r, short_count * 6);
    whole = cc_read_count(&r, 1 + MIN_TX_SIZE);
    if (r.failed)
        return CC_MALFORMED;
    if (short_count + whole == 0 || short_count + whole > CC_COMPACT_MAX_TX)
        return CC_INVALID;
    p = cc_calloc(1, sizeof(*p));
    p->header = header;
    cc_header_hash(p->hash, &header);
    short_key(&header, nonce, &p->k0, &p->k1);
    p->count = short_count + whole;
    p->slots = cc_calloc(p->count, sizeof(*p->slots));
    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&p->by_id, 8, sizeof(uint32_t), seed);
    ok = read_prefilled(p, &r, whole);
    if (r.failed) {
        cc_partial_free(p);
        return CC_MALFORMED;
    }
    if (!ok) {
        cc_partial_free(p);
        return CC_INVALID;
    }
    place_ids(p, ids);
    *out = p;
    return CC_OK;
}

const uint8_t *cc_partial_hash(const struct cc_partial *p) { return p->hash; }

const struct cc_header *cc_partial_header(const struct cc_partial *p)
{
    return &p->header;
}

size_t cc_partial_count(const struct cc_partial *p) { return p->count; }

bool cc_partial_collides(const struct cc_partial *p) { return p->collides; }

void cc_partial_offer(struct cc_partial *p, const struct cc_tx *tx)
{
    uint64_t id = short_id(p->k0, p->k1, tx->wtxid);
    const uint32_t *at = cc_map_get(&p->by_id, &id);
    struct slot *s;

    if (!at)
        return;
    s = &p->slots[*at];
    if (s->ambiguous)
        return;
    if (s->tx) {
        free(s->tx);
        s->tx = NULL;
        s->ambiguous = true;
        return;
    }
    put_tx(s, tx);
}

size_t cc_partial_missing(const struct cc_partial *p, uint32_t **out)
{
    size_t n = 0;

    *out = cc_malloc((p->count + 1) * sizeof(**out));
    for (uint32_t i = 0; i < p->count; i++)
        if (!p->slots[i].tx)
            (*out)[n++] = i;
    return n;
}

bool cc_partial_fill(struct cc_partial *p, const struct cc_tx *txs,
                     size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++) {
        if (p->slots[i].tx)
            continue;
        if (n == count)
            return false;
        put_tx(&p->slots[i], &txs[n++]);
    }
    return n == count;
}

enum cc_status cc_partial_block(const struct cc_partial *p,
                                struct cc_block *out)
{
    struct cc_writer w;
    uint8_t root[32], *raw;
    size_t len;
    bool mutated;
    enum cc_status st;

    cc_writer_init_heap(&w);
    cc_header_write(&w, &p->header);
    cc_write_compact(&w, p->count);
    for (size_t i = 0; i < p->count; i++)
        cc_write_bytes(&w, p->slots[i].tx, p->slots[i].len);
    raw = cc_writer_take(&w, &len);
    st = cc_block_decode_take(out, raw, len);
    if (st != CC_OK)
        return CC_CORRUPT;
    cc_block_merkle_root(root, out, &mutated);
    if (!mutated && !memcmp(root, out->header.merkle_root, 32))
        return CC_OK;
    cc_block_clear(out);
    return CC_CORRUPT;
}

/* --- Asking for the rest -------------------------------------------------- */

enum cc_status cc_getblocktxn_decode(struct cc_getblocktxn *out,
                                     const void *data, size_t len)
{
    struct cc_getblocktxn m;
    struct cc_reader r;
    uint64_t next = 0;
    bool ok = true;

    memset(&m, 0, sizeof(m));
    cc_reader_init(&r, data, len);
    cc_read_bytes(&r, m.hash, 32);
    m.count = cc_read_count(&r, 1);
    if (r.failed || m.count > CC_COMPACT_MAX_TX)
        return CC_MALFORMED;
    m.index = cc_malloc((m.count + 1) * sizeof(*m.index));
    for (size_t i = 0; i < m.count && ok; i++)
        ok = read_index(&r, &next, UINT32_MAX, &m.index[i]);
    if (!ok || r.failed) {
        free(m.index);
        return CC_MALFORMED;
    }
    *out = m;
    return CC_OK;
}

void cc_getblocktxn_write(struct cc_writer *w, const uint8_t hash[32],
                          const uint32_t *index, size_t count)
{
    uint32_t next = 0;

    cc_write_bytes(w, hash, 32);
    cc_write_compact(w, count);
    for (size_t i = 0; i < count; i++) {
        cc_write_compact(w, index[i] - next);
        next = index[i] + 1;
    }
}

enum cc_status cc_blocktxn_decode(struct cc_blocktxn *out, const void *data,
                                  size_t len)
{
    struct cc_blocktxn b;
    struct cc_reader r;

    memset(&b, 0, sizeof(b));
    cc_arena_init(&b.arena);
    cc_reader_init(&r, data, len);
    cc_read_bytes(&r, b.hash, 32);
    b.count = cc_read_count(&r, MIN_TX_SIZE);
    if (r.failed)
        return CC_MALFORMED;
    b.txs = cc_arena_calloc(&b.arena, b.count + 1, sizeof(*b.txs));
    for (size_t i = 0; i < b.count && !r.failed; i++)
        cc_tx_read(&r, &b.txs[i], &b.arena, true);
    if (r.failed) {
        cc_arena_clear(&b.arena);
        return CC_MALFORMED;
    }
    *out = b;
    return CC_OK;
}

void cc_blocktxn_clear(struct cc_blocktxn *b) { cc_arena_clear(&b->arena); }

void cc_blocktxn_write(struct cc_writer *w, const struct cc_block *block,
                       const uint32_t *index, size_t count)
{
    cc_write_bytes(w, block->hash, 32);
    cc_write_compact(w, count);
    for (size_t i = 0; i < count; i++)
        cc_tx_write(w, &block->tx[index[i]], true);
}
