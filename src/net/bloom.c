#include "net/bloom.h"

#include <stdlib.h>

#include "consensus/script.h"
#include "util/mem.h"
#include "util/reader.h"

enum update { UPDATE_NONE, UPDATE_ALL, UPDATE_KEYS, UPDATE_MASK };

struct cc_bloom {
    uint8_t *bits;
    size_t len;
    uint32_t hashes, tweak;
    unsigned flags;
};

/* --- The hash ------------------------------------------------------------- */

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static uint32_t scramble(uint32_t k)
{
    return rotate(k * 0xcc9e2d51, 15) * 0x1b873593;
}

uint32_t cc_murmur3(uint32_t seed, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t h = seed, tail = 0;
    size_t whole = len / 4 * 4;

    for (size_t i = 0; i < whole; i += 4) {
        h = rotate(h ^ scramble(cc_get_u32le(p + i)), 13);
        h = h * 5 + 0xe6546b64;
    }
    for (size_t i = len; i-- > whole;)
        tail = tail << 8 | p[i];
    h ^= scramble(tail) ^ (uint32_t)len;
    h = (h ^ h >> 16) * 0x85ebca6b;
    h = (h ^ h >> 13) * 0xc2b2ae35;
    return h ^ h >> 16;
}

static size_t place(const struct cc_bloom *b, uint32_t i, const void *data,
                    size_t len)
{
    return cc_murmur3(i * 0xfba4c795 + b->tweak, data, len) % (b->len * 8);
}

/* --- The filter ----------------------------------------------------------- */

enum cc_status cc_bloom_decode(struct cc_bloom **out, const void *data,
                               size_t len)
{
    struct cc_reader r;
    struct cc_bytes bits;
    struct cc_bloom *b;
    uint32_t hashes, tweak;
    unsigned flags;

    *out = NULL;
    cc_reader_init(&r, data, len);
    bits = cc_read_var(&r);
    hashes = cc_read_u32le(&r);
    tweak = cc_read_u32le(&r);
    flags = cc_read_u8(&r);
    if (r.failed)
        return CC_MALFORMED;
    if (bits.len > CC_BLOOM_MAX_SIZE || hashes > CC_BLOOM_MAX_HASHES)
        return CC_LIMIT;
    b = cc_calloc(1, sizeof(*b));
    b->bits = cc_malloc(bits.len + 1);
    if (bits.len)
        memcpy(b->bits, bits.data, bits.len);
    b->len = bits.len;
    b->hashes = hashes;
    b->tweak = tweak;
    b->flags = flags;
    *out = b;
    return CC_OK;
}

void cc_bloom_free(struct cc_bloom *b)
{
    if (b)
        free(b->bits);
    free(b);
}

void cc_bloom_add(struct cc_bloom *b, const void *data, size_t len)
{
    for (uint32_t i = 0; b->len && i < b->hashes; i++) {
        size_t at = place(b, i, data, len);

        b->bits[at / 8] |= (uint8_t)(1u << at % 8);
    }
}

bool cc_bloom_has(const struct cc_bloom *b, const void *data, size_t len)
{
    for (uint32_t i = 0; b->len && i < b->hashes; i++) {
        size_t at = place(b, i, data, len);

        if (!(b->bits[at / 8] >> at % 8 & 1))
            return false;
    }
    return true;
}

/* --- Transactions --------------------------------------------------------- */

/* Does the filter have something that this script pushes? */
static bool has_push(const struct cc_bloom *b, struct cc_bytes script)
{
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    while (cc_script_next(script, &pos, &op, &push))
        if (push.len && cc_bloom_has(b, push.data, push.len))
            return true;
    return false;
}

static void outpoint_bytes(uint8_t out[36], const uint8_t txid[32], uint32_t n)
{
    memcpy(out, txid, 32);
    cc_put_u32le(out + 32, n);
}

static bool spent_by_keys(struct cc_bytes script)
{
    struct cc_bytes sols[22];
    size_t count;
    enum cc_script_type t = cc_script_solve(script, false, sols, &count);

    return t == CC_SCRIPT_PUBKEY || t == CC_SCRIPT_MULTISIG;
}

static bool match_outputs(struct cc_bloom *b, const struct cc_tx *tx)
{
    bool found = false;
    uint8_t place_of[36];

    for (size_t i = 0; i < tx->vout_count; i++) {
        struct cc_bytes script = tx->vout[i].script;
        unsigned update = b->flags & UPDATE_MASK;

        if (!has_push(b, script))
            continue;
        found = true;
        if (update == UPDATE_ALL ||
            (update == UPDATE_KEYS && spent_by_keys(script))) {
            outpoint_bytes(place_of, tx->txid, (uint32_t)i);
            cc_bloom_add(b, place_of, sizeof(place_of));
        }
    }
    return found;
}

bool cc_bloom_match(struct cc_bloom *b, const struct cc_tx *tx)
{
    bool found;
    uint8_t spent[36];

    if (!b->len)
        return true;
    found = cc_bloom_has(b, tx->txid, 32);
    if (match_outputs(b, tx) || found)
        return true;
    for (size_t i = 0; i < tx->vin_count; i++) {
        outpoint_bytes(spent, tx->vin[i].prevout.txid,
                       tx->vin[i].prevout.index);
        if (cc_bloom_has(b, spent, sizeof(spent)) ||
            has_push(b, tx->vin[i].script_sig))
            return true;
    }
    return false;
}
