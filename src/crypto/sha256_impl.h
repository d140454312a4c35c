/*
 * sha256_impl.h: the compression function of SHA-256, once per kind of
 * processor. Private to crypto and its tests; everybody else: hash.h.
 *
 * A backend works on `lanes` independent messages at once. All answer alike;
 * the tests hold each against each.
 */
#ifndef CC_CRYPTO_SHA256_IMPL_H
#define CC_CRYPTO_SHA256_IMPL_H

#include "util/bytes.h"

#define CC_SHA256_LANES_MAX 16

struct cc_sha256_impl {
    const char *name;
    bool (*usable)(void); /* on this processor */
    /* count blocks of 64 bytes into one state */
    void (*blocks)(uint32_t state[8], const uint8_t *data, size_t count);
    /* The same for several messages, count blocks each. */
    unsigned lanes;
    void (*many)(uint32_t (*state)[8], const uint8_t *const *data,
                 size_t count);
    /* hash256 of 64 bytes, for `lanes` of them; out == in allowed. */
    void (*pairs)(uint8_t *out, const uint8_t *in);
};

/* Best first, the portable one last; NULL ends. */
extern const struct cc_sha256_impl *const cc_sha256_impls[];
extern const struct cc_sha256_impl cc_sha256_portable;
#ifdef __x86_64__
extern const struct cc_sha256_impl cc_sha256_shani;
extern const struct cc_sha256_impl cc_sha256_avx512;
#endif

extern const uint32_t cc_sha256_k[64];
extern const uint32_t cc_sha256_h0[8];
extern const uint32_t cc_sha256_kw64[64];

/* One pair by means of impl->blocks. */
void cc_sha256_pairs_simple(const struct cc_sha256_impl *impl, uint8_t *out,
                            const uint8_t *in);

/* hash.h's calls of these names with a backend chosen by the caller. */
void cc_sha256_impl_pairs(const struct cc_sha256_impl *impl, uint8_t *out,
                          const uint8_t *in, size_t n);
void cc_sha256_impl_prefixed(const struct cc_sha256_impl *impl, uint8_t *out,
                             uint8_t prefix, const uint8_t *in, size_t len,
                             size_t n);
void cc_sha256_impl_once(const struct cc_sha256_impl *impl, uint8_t out[32],
                         const void *data, size_t len);

#endif
