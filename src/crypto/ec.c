#include "crypto/ec.h"

#include "util/mem.h"
#include "util/random.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <secp256k1_schnorrsig.h>

/* Verifying and parsing need no tables and no blinding. */
#define STATIC secp256k1_context_static

struct cc_ec {
    secp256k1_context *ctx; /* in pages */
    void *pages;
    struct cc_ec_memory memory;
};

/* Whole pages of our own, kept out of the swap and of dumps if the system
 * lets us. */
static void take_pages(struct cc_ec *ec, size_t need)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t total = (need + page - 1) / page * page;

    ec->pages = mmap(NULL, total, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ec->pages == MAP_FAILED)
        abort();
    ec->memory.used = need;
    ec->memory.total = total;
    ec->memory.locked = mlock(ec->pages, total) ? 0 : total;
    (void)madvise(ec->pages, total, MADV_DONTDUMP);
}

struct cc_ec *cc_ec_new(void)
{
    struct cc_ec *ec = cc_calloc(1, sizeof(*ec));
    uint8_t seed[32];

    take_pages(ec, secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE));
    ec->ctx = secp256k1_context_preallocated_create(ec->pages,
                                                    SECP256K1_CONTEXT_NONE);
    if (!ec->ctx)
        abort();
    cc_random_bytes(seed, sizeof(seed));
    if (!secp256k1_context_randomize(ec->ctx, seed))
        abort();
    cc_cleanse(seed, sizeof(seed));
    return ec;
}

void cc_ec_free(struct cc_ec *ec)
{
    if (!ec)
        return;
    secp256k1_context_preallocated_destroy(ec->ctx);
    cc_cleanse(ec->pages, ec->memory.total);
    munmap(ec->pages, ec->memory.total);
    free(ec);
}

struct cc_ec_memory cc_ec_memory(const struct cc_ec *ec) { return ec->memory; }

bool cc_ec_pubkey_valid(const uint8_t *pub, size_t len)
{
    secp256k1_pubkey k;

    return secp256k1_ec_pubkey_parse(STATIC, &k, pub, len);
}

bool cc_ec_xonly_valid(const uint8_t xonly[32])
{
    secp256k1_xonly_pubkey k;

    return secp256k1_xonly_pubkey_parse(STATIC, &k, xonly);
}

static void put_pubkey(uint8_t *out, size_t size, const secp256k1_pubkey *k)
{
    secp256k1_ec_pubkey_serialize(STATIC, out, &size, k,
                                  size == 33 ? SECP256K1_EC_COMPRESSED
                                             : SECP256K1_EC_UNCOMPRESSED);
}

bool cc_ec_pubkey_compress(uint8_t out[33], const uint8_t *pub, size_t len)
{
    secp256k1_pubkey k;

    if (!secp256k1_ec_pubkey_parse(STATIC, &k, pub, len))
        return false;
    put_pubkey(out, 33, &k);
    return true;
}

bool cc_ec_pubkey_uncompress(uint8_t out[65], const uint8_t *pub, size_t len)
{
    secp256k1_pubkey k;

    if (!secp256k1_ec_pubkey_parse(STATIC, &k, pub, len))
        return false;
    put_pubkey(out, 65, &k);
    return true;
}

/* A DER length whose first byte was read: the long form may have any number
 * of leading zeros, and up to three bytes that count. */
static bool lax_length(size_t *value, const uint8_t **p, const uint8_t *end)
{
    size_t v, count;

    if (*p == end)
        return false;
    v = *(*p)++;
    if (v & 0x80) {
        count = v & 0x7f;
        if (count > (size_t)(end - *p))
            return false;
        for (; count && **p == 0; count--)
            (*p)++;
        if (count > 3)
            return false;
        for (v = 0; count; count--)
            v = v << 8 | *(*p)++;
    }
    *value = v;
    return true;
}

/* An integer, as 32 bytes; *overflow if it is longer. */
static bool lax_integer(uint8_t out[32], bool *overflow, const uint8_t **p,
                        const uint8_t *end)
{
    size_t len;

    if (*p == end || *(*p)++ != 0x02)
        return false;
    if (!lax_length(&len, p, end) || len > (size_t)(end - *p))
        return false;
    for (; len && **p == 0; len--)
        (*p)++;
    if (len > 32)
        *overflow = true;
    else if (len)
        memcpy(out + 32 - len, *p, len);
    *p += len;
    return true;
}

/* What signatures were before BIP 66 asked for strict DER: the length of the
 * whole is not looked at, integers may carry zeros in front and rubbish may
 * follow. A number too big to be one gives a signature that never verifies. */
static bool parse_lax(secp256k1_ecdsa_signature *out, const uint8_t *sig,
                      size_t len)
{
    const uint8_t *p = sig, *end = sig + len;
    uint8_t compact[64] = {0};
    bool overflow = false;

    if (p == end || *p++ != 0x30 || p == end)
        return false;
    if (*p & 0x80) {
        size_t skip = *p++ & 0x7f;

        if (skip > (size_t)(end - p))
            return false;
        p += skip;
    } else {
        p++;
    }
    if (!lax_integer(compact, &overflow, &p, end) ||
        !lax_integer(compact + 32, &overflow, &p, end))
        return false;
    if (overflow ||
        !secp256k1_ecdsa_signature_parse_compact(STATIC, out, compact)) {
        memset(compact, 0, sizeof(compact));
        return secp256k1_ecdsa_signature_parse_compact(STATIC, out, compact);
    }
    return true;
}

bool cc_ecdsa_verify(const uint8_t *pub, size_t pub_len, const uint8_t *sig,
                     size_t sig_len, const uint8_t msg[32])
{
    secp256k1_ecdsa_signature s;
    secp256k1_pubkey k;

    if (!secp256k1_ec_pubkey_parse(STATIC, &k, pub, pub_len) ||
        !parse_lax(&s, sig, sig_len))
        return false;
    /* The library takes low S alone; consensus takes both. */
    secp256k1_ecdsa_signature_normalize(STATIC, &s, &s);
    return secp256k1_ecdsa_verify(STATIC, &s, msg, &k);
}

bool cc_ecdsa_low_s(const uint8_t *sig, size_t sig_len)
{
    secp256k1_ecdsa_signature s;

    return parse_lax(&s, sig, sig_len) &&
           !secp256k1_ecdsa_signature_normalize(STATIC, NULL, &s);
}

bool cc_schnorr_verify(const uint8_t xonly[32], const uint8_t sig[64],
                       const void *msg, size_t len)
{
    secp256k1_xonly_pubkey k;

    return secp256k1_xonly_pubkey_parse(STATIC, &k, xonly) &&
           secp256k1_schnorrsig_verify(STATIC, sig, msg, len, &k);
}

bool cc_ec_tweak_check(const uint8_t output[32], bool odd_y,
                       const uint8_t internal[32], const uint8_t tweak[32])
{
    secp256k1_xonly_pubkey k;

    return secp256k1_xonly_pubkey_parse(STATIC, &k, internal) &&
           secp256k1_xonly_pubkey_tweak_add_check(STATIC, output, odd_y, &k,
                                                  tweak);
}

bool cc_ec_xonly_tweak(uint8_t output[32], bool *odd_y,
                       const uint8_t internal[32], const uint8_t tweak[32])
{
    secp256k1_xonly_pubkey in, x;
    secp256k1_pubkey out;
    int odd = 0;

    if (!secp256k1_xonly_pubkey_parse(STATIC, &in, internal) ||
        !secp256k1_xonly_pubkey_tweak_add(STATIC, &out, &in, tweak) ||
        !secp256k1_xonly_pubkey_from_pubkey(STATIC, &x, &odd, &out))
        return false;
    secp256k1_xonly_pubkey_serialize(STATIC, output, &x);
    *odd_y = odd != 0;
    return true;
}

bool cc_ec_pubkey_tweak(uint8_t out[33], const uint8_t pub[33],
                        const uint8_t tweak[32])
{
    secp256k1_pubkey k;

    if (!secp256k1_ec_pubkey_parse(STATIC, &k, pub, 33) ||
        !secp256k1_ec_pubkey_tweak_add(STATIC, &k, tweak))
        return false;
    put_pubkey(out, 33, &k);
    return true;
}

bool cc_ec_secret_valid(const uint8_t secret[32])
{
    return secp256k1_ec_seckey_verify(STATIC, secret);
}

void cc_ec_secret_new(uint8_t secret[32])
{
    do {
        cc_random_bytes(secret, 32);
    } while (!cc_ec_secret_valid(secret));
}

bool cc_ec_pubkey(const struct cc_ec *ec, uint8_t out[33],
                  const uint8_t secret[32])
{
    secp256k1_pubkey k;

    if (!secp256k1_ec_pubkey_create(ec->ctx, &k, secret))
        return false;
    put_pubkey(out, 33, &k);
    return true;
}

bool cc_ec_xonly(const struct cc_ec *ec, uint8_t out[32],
                 const uint8_t secret[32])
{
    uint8_t pub[33];

    if (!cc_ec_pubkey(ec, pub, secret))
        return false;
    memcpy(out, pub + 1, 32);
    return true;
}

bool cc_ec_secret_tweak(uint8_t secret[32], const uint8_t tweak[32])
{
    return secp256k1_ec_seckey_tweak_add(STATIC, secret, tweak);
}

bool cc_ec_secret_even(const struct cc_ec *ec, uint8_t secret[32])
{
    uint8_t pub[33];

    return cc_ec_pubkey(ec, pub, secret) &&
           (pub[0] == 2 || secp256k1_ec_seckey_negate(STATIC, secret));
}

bool cc_ec_secret_taproot(const struct cc_ec *ec, uint8_t secret[32],
                          const uint8_t tweak[32])
{
    secp256k1_keypair pair;
    bool ok;

    ok = secp256k1_keypair_create(ec->ctx, &pair, secret) &&
         secp256k1_keypair_xonly_tweak_add(ec->ctx, &pair, tweak) &&
         secp256k1_keypair_sec(ec->ctx, secret, &pair);
    cc_cleanse(&pair, sizeof(pair));
    return ok;
}

bool cc_ecdsa_sign(const struct cc_ec *ec, uint8_t *sig, size_t *len,
                   const uint8_t secret[32], const uint8_t msg[32])
{
    secp256k1_ecdsa_signature s;
    uint8_t compact[64], extra[32] = {0};

    /* A signature whose R needs a byte less, found by trying nonces: two
     * tries on average, and a size that can be told beforehand. */
    for (uint32_t try = 0;; try++) {
        cc_put_u32le(extra, try);
        if (!secp256k1_ecdsa_sign(ec->ctx, &s, msg, secret,
                                  secp256k1_nonce_function_rfc6979,
                                  try ? extra : NULL))
            return false;
        secp256k1_ecdsa_signature_serialize_compact(STATIC, compact, &s);
        if (compact[0] < 0x80)
            break;
    }
    return secp256k1_ecdsa_signature_serialize_der(STATIC, sig, len, &s);
}

bool cc_ecdsa_sign_recoverable(const struct cc_ec *ec, uint8_t sig[65],
                               const uint8_t secret[32], const uint8_t msg[32],
                               bool compressed)
{
    secp256k1_ecdsa_recoverable_signature s;
    int id = 0;

    if (!secp256k1_ecdsa_sign_recoverable(
            ec->ctx, &s, msg, secret, secp256k1_nonce_function_rfc6979, NULL))
        return false;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(STATIC, sig + 1,
                                                            &id, &s);
    sig[0] = (uint8_t)(27 + id + (compressed ? 4 : 0));
    return true;
}

bool cc_ecdsa_recover(uint8_t pub[65], size_t *pub_len, const uint8_t sig[65],
                      const uint8_t msg[32])
{
    secp256k1_ecdsa_recoverable_signature s;
    secp256k1_pubkey k;

    if (sig[0] < 27 || sig[0] > 34)
        return false;
    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(
            STATIC, &s, sig + 1, (sig[0] - 27) & 3) ||
        !secp256k1_ecdsa_recover(STATIC, &k, &s, msg))
        return false;
    *pub_len = sig[0] >= 31 ? 33 : 65;
    put_pubkey(pub, *pub_len, &k);
    return true;
}

bool cc_schnorr_sign(const struct cc_ec *ec, uint8_t sig[64],
                     const uint8_t secret[32], const void *msg, size_t len,
                     const uint8_t aux[32])
{
    secp256k1_schnorrsig_extraparams extra =
        SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT;
    secp256k1_keypair pair;
    uint8_t fresh[32];
    bool ok;

    if (aux)
        memcpy(fresh, aux, sizeof(fresh));
    else
        cc_random_bytes(fresh, sizeof(fresh));
    extra.ndata = fresh;
    ok =
        secp256k1_keypair_create(ec->ctx, &pair, secret) &&
        secp256k1_schnorrsig_sign_custom(ec->ctx, sig, msg, len, &pair, &extra);
    cc_cleanse(&pair, sizeof(pair));
    cc_cleanse(fresh, sizeof(fresh));
    return ok;
}

bool cc_ec_dh(uint8_t out[32], const uint8_t pub[33], const uint8_t secret[32])
{
    secp256k1_pubkey k;

    return secp256k1_ec_pubkey_parse(STATIC, &k, pub, 33) &&
           secp256k1_ecdh(STATIC, out, &k, secret, NULL, NULL);
}
