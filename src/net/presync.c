#include "net/presync.h"

#include <stdlib.h>

#include "consensus/pow.h"
#include "util/mem.h"
#include "util/siphash.h"

struct cc_presync {
    const struct cc_params *params;
    const struct cc_index *start;
    struct cc_u256 threshold;
    uint64_t max_headers;
    uint64_t k0, k1;
    unsigned offset; /* which header of each period is committed to */
    bool second;

    /* where the current walk stands */
    uint8_t last_hash[32];
    uint32_t height, time, bits;
    struct cc_u256 work;

    uint8_t *commits; /* one bit each */
    size_t commit_count, commit_cap, commit_pos;

    struct cc_header *buffer; /* of the second walk */
    size_t buffered, buffer_cap;
    bool enough; /* the second walk reached the threshold */
};

static void rewind_walk(struct cc_presync *s)
{
    memcpy(s->last_hash, s->start->hash, 32);
    s->height = s->start->height;
    s->time = s->start->header.time;
    s->bits = s->start->header.bits;
    s->work = s->start->work;
}

struct cc_presync *cc_presync_new(const struct cc_params *params,
                                  const struct cc_index *start,
                                  const struct cc_u256 *threshold,
                                  uint64_t max_headers, const uint8_t key[16])
{
    struct cc_presync *s = cc_calloc(1, sizeof(*s));

    s->params = params;
    s->start = start;
    s->threshold = *threshold;
    s->max_headers = max_headers;
    s->k0 = cc_get_u64le(key);
    s->k1 = cc_get_u64le(key + 8);
    s->offset = (unsigned)((s->k0 ^ s->k1) % CC_PRESYNC_PERIOD);
    rewind_walk(s);
    return s;
}

void cc_presync_free(struct cc_presync *s)
{
    if (!s)
        return;
    free(s->commits);
    free(s->buffer);
    free(s);
}

static bool commit_bit(const struct cc_presync *s, const uint8_t hash[32])
{
    return cc_siphash(s->k0, s->k1, hash, 32) & 1;
}

static void push_commit(struct cc_presync *s, bool bit)
{
    size_t byte = s->commit_count / 8;

    s->commits = cc_grow(s->commits, &s->commit_cap, byte + 1, 1);
    if (s->commit_count % 8 == 0)
        s->commits[byte] = 0;
    if (bit)
        s->commits[byte] |= (uint8_t)(1 << s->commit_count % 8);
    s->commit_count++;
}

static bool next_commit(struct cc_presync *s, bool *bit)
{
    if (s->commit_pos >= s->commit_count)
        return false;
    *bit = s->commits[s->commit_pos / 8] >> s->commit_pos % 8 & 1;
    s->commit_pos++;
    return true;
}

/* One step of either walk. */
static bool step(struct cc_presync *s, const struct cc_header *h)
{
    uint8_t hash[32];
    struct cc_u256 work;
    bool bit;

    if (memcmp(h->prev, s->last_hash, 32))
        return false;
    if (h->bits != cc_pow_next_bits(s->params, s->height, s->time, s->bits))
        return false;
    cc_header_hash(hash, h);
    if (!cc_pow_check(hash, h->bits, s->params))
        return false;
    work = cc_pow_work(h->bits);
    cc_u256_add(&s->work, &s->work, &work);
    memcpy(s->last_hash, hash, 32);
    s->height++;
    s->time = h->time;
    s->bits = h->bits;
    if (s->height - s->start->height > s->max_headers)
        return false;
    if (s->height % CC_PRESYNC_PERIOD != s->offset)
        return true;
    if (!s->second) {
        push_commit(s, commit_bit(s, hash));
        return true;
    }
    /* Past the threshold the work itself speaks; bits may have run out. */
    return s->enough || (next_commit(s, &bit) && bit == commit_bit(s, hash));
}

/* Hand out the oldest n of the buffer. */
static void release(struct cc_presync *s, size_t n, struct cc_header **out,
                    size_t *out_count)
{
    *out = cc_memdup(s->buffer, n * sizeof(**out));
    *out_count = n;
    s->buffered -= n;
    memmove(s->buffer, s->buffer + n, s->buffered * sizeof(*s->buffer));
}

enum cc_presync_result cc_presync_headers(struct cc_presync *s,
                                          const struct cc_header *h,
                                          size_t count, bool full,
                                          struct cc_header **out,
                                          size_t *out_count)
{
    *out = NULL;
    *out_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!step(s, &h[i]))
            return CC_PRESYNC_FAILED;
        if (s->second) {
            s->buffer = cc_grow(s->buffer, &s->buffer_cap, s->buffered + 1,
                                sizeof(*s->buffer));
            s->buffer[s->buffered++] = h[i];
        }
        if (cc_u256_cmp(&s->work, &s->threshold) < 0)
            continue;
        if (s->second) {
            s->enough = true;
            continue;
        }
        /* Enough work was shown: once more from the start. */
        s->second = true;
        rewind_walk(s);
        return CC_PRESYNC_MORE;
    }
    if (s->enough && s->buffered) {
        release(s, s->buffered, out, out_count);
        return CC_PRESYNC_DONE;
    }
    if (!full)
        return CC_PRESYNC_FAILED; /* it ends before it is worth it */
    if (s->buffered > CC_PRESYNC_BUFFER)
        release(s, s->buffered - CC_PRESYNC_BUFFER, out, out_count);
    return CC_PRESYNC_MORE;
}

void cc_presync_last(const struct cc_presync *s, uint8_t hash[32])
{
    memcpy(hash, s->last_hash, 32);
}

const struct cc_index *cc_presync_start(const struct cc_presync *s)
{
    return s->start;
}

int64_t cc_presync_height(const struct cc_presync *s)
{
    return s->second ? -1 : (int64_t)s->height;
}
