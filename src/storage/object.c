#include "storage/object.h"

#include "crypto/aes.h"
#include "crypto/kdf.h"
#include "util/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define SEALED (CC_SEGMENT_SIZE + CC_GCM_TAG)

/* Segments in a full slab. */
static size_t slab_segments(unsigned k)
{
    return (size_t)k * CC_SECTOR_SIZE / SEALED;
}

size_t cc_object_slab_size(unsigned k)
{
    return slab_segments(k) * CC_SEGMENT_SIZE;
}

uint32_t cc_object_slabs(const struct cc_object *o)
{
    size_t full = cc_object_slab_size(o->k);

    assert(o->size <= CC_OBJECT_MAX);
    return o->size ? (uint32_t)((o->size + full - 1) / full) : 1;
}

size_t cc_object_slab_len(const struct cc_object *o, uint32_t slab)
{
    uint64_t full = cc_object_slab_size(o->k), at = slab * full;

    if (at >= o->size)
        return 0;
    return (size_t)(o->size - at < full ? o->size - at : full);
}

static void derive(uint8_t key[32], const struct cc_object *o, const char *info)
{
    cc_hkdf_sha256(key, 32, NULL, 0, o->key, 32, info, strlen(info));
}

static void segment_nonce(uint8_t nonce[12], uint64_t number, bool last)
{
    cc_put_u64le(nonce, number);
    cc_put_u32le(nonce + 8, last);
}

static void crypt_shard(const uint8_t key[32], uint32_t slab, unsigned shard,
                        uint8_t *data, size_t len)
{
    uint8_t counter[16] = {0};

    cc_put_u32be(counter, slab);
    cc_put_u32be(counter + 4, shard);
    cc_aes256_ctr(data, len, key, counter);
}

/* How a slab's bytes lie in segments: number of the first in the object, how
 * many, and how long the last one is. */
struct layout {
    uint64_t first;
    size_t count, last_len;
    bool ends; /* the last one is the object's last */
};

static struct layout layout_of(const struct cc_object *o, uint32_t slab)
{
    size_t len = cc_object_slab_len(o, slab);
    struct layout l;

    l.first = (uint64_t)slab * slab_segments(o->k);
    l.count = len ? (len + CC_SEGMENT_SIZE - 1) / CC_SEGMENT_SIZE : 1;
    l.last_len = len - (l.count - 1) * CC_SEGMENT_SIZE;
    l.ends = slab + 1 == cc_object_slabs(o);
    return l;
}

size_t cc_object_slab_span(const struct cc_object *o, uint32_t slab)
{
    struct layout l = layout_of(o, slab);
    size_t used = (l.count - 1) * SEALED + l.last_len + CC_GCM_TAG;

    if (used > CC_SECTOR_SIZE)
        return CC_SECTOR_SIZE;
    return (used + CC_LEAF_SIZE - 1) / CC_LEAF_SIZE * CC_LEAF_SIZE;
}

/* Copy between one run of bytes and the data shards that hold it, segment by
 * segment, since a segment may lie over a shard's end. */
static void scatter(uint8_t *const *shards, size_t at, const uint8_t *p,
                    size_t len)
{
    while (len) {
        size_t off = at % CC_SECTOR_SIZE, n = CC_SECTOR_SIZE - off;

        if (n > len)
            n = len;
        memcpy(shards[at / CC_SECTOR_SIZE] + off, p, n);
        at += n;
        p += n;
        len -= n;
    }
}

static void gather(uint8_t *p, uint8_t *const *shards, size_t at, size_t len)
{
    while (len) {
        size_t off = at % CC_SECTOR_SIZE, n = CC_SECTOR_SIZE - off;

        if (n > len)
            n = len;
        memcpy(p, shards[at / CC_SECTOR_SIZE] + off, n);
        at += n;
        p += n;
        len -= n;
    }
}

static void fill_zero(uint8_t *const *shards, size_t at, size_t end)
{
    while (at < end) {
        size_t off = at % CC_SECTOR_SIZE, n = CC_SECTOR_SIZE - off;

        memset(shards[at / CC_SECTOR_SIZE] + off, 0, n);
        at += n;
    }
}

void cc_object_seal_slab(const struct cc_object *o, const struct cc_erasure *e,
                         uint32_t slab, const uint8_t *plain,
                         uint8_t *const *shards)
{
    struct layout l = layout_of(o, slab);
    uint8_t key[32], nonce[12], sealed[SEALED];
    size_t at = 0;

    derive(key, o, "CloudCoin/segments");
    for (size_t i = 0; i < l.count; i++) {
        bool last = i + 1 == l.count;
        size_t len = last ? l.last_len : CC_SEGMENT_SIZE;

        segment_nonce(nonce, l.first + i, last && l.ends);
        cc_aes256_gcm_seal(sealed, plain, len, key, nonce, NULL, 0);
        scatter(shards, at, sealed, len + CC_GCM_TAG);
        at += len + CC_GCM_TAG;
        plain += len;
    }
    fill_zero(shards, at, (size_t)o->k * CC_SECTOR_SIZE);
    cc_erasure_encode(e, shards, CC_SECTOR_SIZE);
    derive(key, o, "CloudCoin/shards");
    for (unsigned i = 0; i < o->n; i++)
        crypt_shard(key, slab, i, shards[i], CC_SECTOR_SIZE);
    cc_cleanse(key, sizeof(key));
}

enum cc_status cc_object_open_slab(const struct cc_object *o,
                                   const struct cc_erasure *e, uint32_t slab,
                                   uint8_t *plain, uint8_t *const *shards,
                                   const bool *have, struct cc_error *err)
{
    struct layout l = layout_of(o, slab);
    size_t span = cc_object_slab_span(o, slab);
    enum cc_status st = CC_OK;
    uint8_t key[32], nonce[12], sealed[SEALED];
    size_t at = 0;

    derive(key, o, "CloudCoin/shards");
    for (unsigned i = 0; i < o->n; i++)
        if (have[i])
            crypt_shard(key, slab, i, shards[i], span);
    if (!cc_erasure_restore(e, shards, have, span)) {
        st = cc_fail(err, CC_INVALID, "slab %" PRIu32 ": too few shards", slab);
        goto out;
    }
    derive(key, o, "CloudCoin/segments");
    for (size_t i = 0; i < l.count; i++) {
        bool last = i + 1 == l.count;
        size_t len = last ? l.last_len : CC_SEGMENT_SIZE;

        segment_nonce(nonce, l.first + i, last && l.ends);
        gather(sealed, shards, at, len + CC_GCM_TAG);
        if (!cc_aes256_gcm_open(sealed, sealed, len + CC_GCM_TAG, key, nonce,
                                NULL, 0)) {
            st = cc_fail(err, CC_CORRUPT,
                         "segment %" PRIu64 " does not open: not what was "
                         "stored",
                         l.first + i);
            goto out;
        }
        memcpy(plain, sealed, len);
        at += len + CC_GCM_TAG;
        plain += len;
    }
out:
    cc_cleanse(key, sizeof(key));
    cc_cleanse(sealed, sizeof(sealed));
    return st;
}
