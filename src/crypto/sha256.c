#include "crypto/hash.h"

#include "crypto/sha256_impl.h"

#include <pthread.h>

const struct cc_sha256_impl *const cc_sha256_impls[] = {
#ifdef __x86_64__
    &cc_sha256_avx512,
    &cc_sha256_shani,
#endif
    &cc_sha256_portable,
    NULL,
};

/* Found once, before the first hash; the same for the life of the process,
 * and no result depends on it. */
static const struct cc_sha256_impl *single, *multi;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose(void)
{
    const struct cc_sha256_impl *const *i = cc_sha256_impls;

    while (!(*i)->usable())
        i++;
    multi = *i;
    /* A backend without a compression function of its own for one message
     * passes it on: take the one it would ask. */
    single = multi;
#ifdef __x86_64__
    if (multi == &cc_sha256_avx512)
        single =
            cc_sha256_shani.usable() ? &cc_sha256_shani : &cc_sha256_portable;
#endif
}

static const struct cc_sha256_impl *one(void)
{
    pthread_once(&once, choose);
    return single;
}

static const struct cc_sha256_impl *several(void)
{
    pthread_once(&once, choose);
    return multi;
}

const char *cc_sha256_backend(void) { return several()->name; }

static void put_digest(uint8_t out[32], const uint32_t state[8])
{
    for (int i = 0; i < 8; i++)
        cc_put_u32be(out + 4 * i, state[i]);
}

void cc_sha256_init(struct cc_sha256 *c)
{
    memcpy(c->state, cc_sha256_h0, sizeof(c->state));
    c->count = 0;
}

static void update(const struct cc_sha256_impl *impl, struct cc_sha256 *c,
                   const uint8_t *p, size_t len)
{
    size_t used = c->count % 64;

    if (!len)
        return;
    c->count += len;
    if (used) {
        size_t take = 64 - used < len ? 64 - used : len;

        memcpy(c->buf + used, p, take);
        if (used + take < 64)
            return;
        impl->blocks(c->state, c->buf, 1);
        p += take;
        len -= take;
    }
    if (len >= 64)
        impl->blocks(c->state, p, len / 64);
    if (len % 64)
        memcpy(c->buf, p + len - len % 64, len % 64);
}

static void final(const struct cc_sha256_impl *impl, struct cc_sha256 *c,
                  uint8_t out[32])
{
    size_t used = c->count % 64;

    c->buf[used++] = 0x80;
    if (used > 56) {
        memset(c->buf + used, 0, 64 - used);
        impl->blocks(c->state, c->buf, 1);
        used = 0;
    }
    memset(c->buf + used, 0, 56 - used);
    cc_put_u64be(c->buf + 56, c->count * 8);
    impl->blocks(c->state, c->buf, 1);
    put_digest(out, c->state);
}

void cc_sha256_update(struct cc_sha256 *c, const void *data, size_t len)
{
    update(one(), c, data, len);
}

void cc_sha256_final(struct cc_sha256 *c, uint8_t out[32])
{
    final(one(), c, out);
}

void cc_sha256_final2(struct cc_sha256 *c, uint8_t out[32])
{
    cc_sha256_final(c, out);
    cc_sha256_once(out, out, 32);
}

void cc_sha256_impl_once(const struct cc_sha256_impl *impl, uint8_t out[32],
                         const void *data, size_t len)
{
    struct cc_sha256 c;

    cc_sha256_init(&c);
    update(impl, &c, data, len);
    final(impl, &c, out);
}

void cc_sha256_once(uint8_t out[32], const void *data, size_t len)
{
    cc_sha256_impl_once(one(), out, data, len);
}

void cc_hash256(uint8_t out[32], const void *data, size_t len)
{
    cc_sha256_once(out, data, len);
    cc_sha256_once(out, out, 32);
}

void cc_sha256_impl_pairs(const struct cc_sha256_impl *impl, uint8_t *out,
                          const uint8_t *in, size_t n)
{
    size_t lanes = impl->lanes;

    for (; n >= lanes; n -= lanes, in += 64 * lanes, out += 32 * lanes)
        impl->pairs(out, in);
    for (; n; n--, in += 64, out += 32)
        cc_sha256_pairs_simple(impl, out, in);
}

/* What does not fill a backend's lanes goes to the next one. */
static const struct cc_sha256_impl *for_count(size_t n)
{
    const struct cc_sha256_impl *impl = several();

    return n < impl->lanes ? one() : impl;
}

void cc_hash256_pairs(uint8_t *out, const uint8_t *in, size_t n)
{
    const struct cc_sha256_impl *impl = for_count(n);
    size_t whole = n - n % impl->lanes;

    cc_sha256_impl_pairs(impl, out, in, whole);
    cc_sha256_impl_pairs(one(), out + 32 * whole, in + 64 * whole, n - whole);
}

void cc_sha256_impl_prefixed(const struct cc_sha256_impl *impl, uint8_t *out,
                             uint8_t prefix, const uint8_t *in, size_t len,
                             size_t n)
{
    uint32_t state[CC_SHA256_LANES_MAX][8];
    uint8_t first[CC_SHA256_LANES_MAX][64], last[CC_SHA256_LANES_MAX][128];
    const uint8_t *data[CC_SHA256_LANES_MAX];
    unsigned lanes = impl->lanes;
    /* With the prefix, the message is one byte ahead of its blocks: the first
     * and the last are put together, those between are hashed in place. */
    size_t blocks = (len + 1) / 64, rest = (len + 1) % 64;
    size_t tail = rest < 56 ? 64 : 128;

    for (; blocks && n >= lanes; n -= lanes) {
        for (unsigned l = 0; l < lanes; l++) {
            memcpy(state[l], cc_sha256_h0, sizeof(state[l]));
            first[l][0] = prefix;
            memcpy(first[l] + 1, in + len * l, 63);
            data[l] = first[l];
        }
        impl->many(state, data, 1);
        for (unsigned l = 0; l < lanes; l++)
            data[l] = in + len * l + 63;
        if (blocks > 1)
            impl->many(state, data, blocks - 1);
        for (unsigned l = 0; l < lanes; l++) {
            memset(last[l], 0, tail);
            memcpy(last[l], in + len * (l + 1) - rest, rest);
            last[l][rest] = 0x80;
            cc_put_u64be(last[l] + tail - 8, (uint64_t)(len + 1) * 8);
            data[l] = last[l];
        }
        impl->many(state, data, tail / 64);
        for (unsigned l = 0; l < lanes; l++)
            put_digest(out + 32 * l, state[l]);
        in += len * lanes;
        out += 32 * lanes;
    }
    for (; n; n--, in += len, out += 32) {
        struct cc_sha256 c;

        cc_sha256_init(&c);
        update(impl, &c, &prefix, 1);
        update(impl, &c, in, len);
        final(impl, &c, out);
    }
}

void cc_sha256_prefixed_many(uint8_t *out, uint8_t prefix, const uint8_t *in,
                             size_t len, size_t n)
{
    const struct cc_sha256_impl *impl = for_count(n);
    size_t whole = n - n % impl->lanes;

    cc_sha256_impl_prefixed(impl, out, prefix, in, len, whole);
    cc_sha256_impl_prefixed(one(), out + 32 * whole, prefix, in + len * whole,
                            len, n - whole);
}

void cc_sha256_init_tag(struct cc_sha256 *c, const char *tag)
{
    uint8_t twice[64];

    cc_sha256_once(twice, tag, strlen(tag));
    memcpy(twice + 32, twice, 32);
    cc_sha256_init(c);
    cc_sha256_update(c, twice, 64);
}

void cc_tagged_hash(uint8_t out[32], const char *tag, const void *data,
                    size_t len)
{
    struct cc_sha256 c;

    cc_sha256_init_tag(&c, tag);
    cc_sha256_update(&c, data, len);
    cc_sha256_final(&c, out);
}
