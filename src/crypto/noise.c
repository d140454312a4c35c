/* Names as in BOLT 8: h is hash, ck chain, temp_k temp, s local, e ephemeral;
 * rs and re the remote ones. */
#include "crypto/noise.h"

#include "crypto/chacha.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "util/mem.h"

#define ROTATE_AT 1000 /* uses of a key: two a packet */

enum step {
    STEP_ACT1 = 1,
    STEP_ACT2,
    STEP_ACT3,
    STEP_READY,
    STEP_FAILED,
};

static bool fail(struct cc_noise *n, enum cc_noise_error e)
{
    n->error = e;
    n->step = STEP_FAILED;
    return false;
}

static bool expect(struct cc_noise *n, enum step step, bool initiator)
{
    if (n->step == (int)step && n->initiator == initiator)
        return true;
    return fail(n, n->step == STEP_FAILED ? n->error : CC_NOISE_BAD_STATE);
}

static void mix_hash(struct cc_noise *n, const void *data, size_t len)
{
    struct cc_sha256 c;

    cc_sha256_init(&c);
    cc_sha256_update(&c, n->hash, 32);
    cc_sha256_update(&c, data, len);
    cc_sha256_final(&c, n->hash);
}

/* Two keys from a chaining key and something new. */
static void hkdf2(uint8_t a[32], uint8_t b[32], const uint8_t salt[32],
                  const void *secret, size_t len)
{
    uint8_t out[64];

    cc_hkdf_sha256(out, 64, salt, 32, secret, len, NULL, 0);
    memcpy(a, out, 32);
    memcpy(b, out + 32, 32);
    cc_cleanse(out, sizeof(out));
}

static bool mix_dh(struct cc_noise *n, const uint8_t pub[33],
                   const uint8_t secret[32])
{
    uint8_t shared[32];

    if (!cc_ec_dh(shared, pub, secret))
        return false;
    hkdf2(n->chain, n->temp, n->chain, shared, 32);
    cc_cleanse(shared, sizeof(shared));
    return true;
}

/* 32 zero bits, then the counter little-endian (BOLT 8). */
static void put_nonce(uint8_t nonce[12], uint64_t value)
{
    memset(nonce, 0, 4);
    cc_put_u64le(nonce + 4, value);
}

static void seal(struct cc_noise *n, uint8_t *out, uint64_t nonce,
                 const void *data, size_t len)
{
    uint8_t iv[12];

    put_nonce(iv, nonce);
    cc_chacha_seal(out, data, len, n->temp, iv, n->hash, 32);
    mix_hash(n, out, len + CC_NOISE_TAG);
}

static bool open(struct cc_noise *n, uint8_t *out, uint64_t nonce,
                 const uint8_t *data, size_t len)
{
    uint8_t iv[12];

    put_nonce(iv, nonce);
    if (!cc_chacha_open(out, data, len, n->temp, iv, n->hash, 32))
        return false;
    mix_hash(n, data, len);
    return true;
}

static bool init(struct cc_noise *n, const struct cc_ec *ec,
                 const uint8_t local[32], const uint8_t ephemeral[32],
                 const uint8_t responder[33])
{
    static const char protocol[] = "Noise_XK_secp256k1_ChaChaPoly_SHA256";
    static const char prologue[] = "lightning";

    n->ec = ec;
    n->step = STEP_ACT1;
    memcpy(n->local, local, 32);
    if (ephemeral)
        memcpy(n->ephemeral, ephemeral, 32);
    else
        cc_ec_secret_new(n->ephemeral);
    cc_sha256_once(n->hash, protocol, sizeof(protocol) - 1);
    memcpy(n->chain, n->hash, 32);
    mix_hash(n, prologue, sizeof(prologue) - 1);
    mix_hash(n, responder, 33);
    return cc_ec_secret_valid(n->local) && cc_ec_secret_valid(n->ephemeral);
}

bool cc_noise_init_initiator(struct cc_noise *n, const struct cc_ec *ec,
                             const uint8_t local[32], const uint8_t remote[33],
                             const uint8_t ephemeral[32])
{
    memset(n, 0, sizeof(*n));
    n->initiator = true;
    memcpy(n->remote, remote, 33);
    if (cc_ec_pubkey_valid(remote, 33) && init(n, ec, local, ephemeral, remote))
        return true;
    return fail(n, CC_NOISE_BAD_PUBKEY);
}

bool cc_noise_init_responder(struct cc_noise *n, const struct cc_ec *ec,
                             const uint8_t local[32],
                             const uint8_t ephemeral[32])
{
    uint8_t pub[33];

    memset(n, 0, sizeof(*n));
    if (cc_ec_pubkey(ec, pub, local) && init(n, ec, local, ephemeral, pub))
        return true;
    return fail(n, CC_NOISE_BAD_PUBKEY);
}

void cc_noise_clear(struct cc_noise *n) { cc_cleanse(n, sizeof(*n)); }

/* Acts one and two: version, ephemeral key, tag over nothing. with: the key
 * that it is joined with, our secret for a point of theirs. */
static bool act_write(struct cc_noise *n, uint8_t out[50],
                      const uint8_t with[33], enum step next)
{
    out[0] = 0;
    if (!cc_ec_pubkey(n->ec, out + 1, n->ephemeral))
        return fail(n, CC_NOISE_BAD_PUBKEY);
    mix_hash(n, out + 1, 33);
    if (!mix_dh(n, with, n->ephemeral))
        return fail(n, CC_NOISE_BAD_PUBKEY);
    seal(n, out + 34, 0, NULL, 0);
    n->step = (int)next;
    return true;
}

static bool act_read(struct cc_noise *n, const uint8_t in[50],
                     const uint8_t secret[32], enum step next)
{
    uint8_t none[1];

    if (in[0] != 0)
        return fail(n, CC_NOISE_BAD_VERSION);
    if (!cc_ec_pubkey_valid(in + 1, 33))
        return fail(n, CC_NOISE_BAD_PUBKEY);
    memcpy(n->remote_ephemeral, in + 1, 33);
    mix_hash(n, in + 1, 33);
    if (!mix_dh(n, n->remote_ephemeral, secret))
        return fail(n, CC_NOISE_BAD_PUBKEY);
    if (!open(n, none, 0, in + 34, CC_NOISE_TAG))
        return fail(n, CC_NOISE_BAD_TAG);
    n->step = (int)next;
    return true;
}

bool cc_noise_act1(struct cc_noise *n, uint8_t out[CC_NOISE_ACT1])
{
    return expect(n, STEP_ACT1, true) &&
           act_write(n, out, n->remote, STEP_ACT2);
}

bool cc_noise_act1_read(struct cc_noise *n, const uint8_t in[CC_NOISE_ACT1])
{
    return expect(n, STEP_ACT1, false) && act_read(n, in, n->local, STEP_ACT2);
}

bool cc_noise_act2(struct cc_noise *n, uint8_t out[CC_NOISE_ACT2])
{
    return expect(n, STEP_ACT2, false) &&
           act_write(n, out, n->remote_ephemeral, STEP_ACT3);
}

bool cc_noise_act2_read(struct cc_noise *n, const uint8_t in[CC_NOISE_ACT2])
{
    return expect(n, STEP_ACT2, true) &&
           act_read(n, in, n->ephemeral, STEP_ACT3);
}

/* The two transport keys; the first is the initiator's to send with. */
static void split(struct cc_noise *n)
{
    struct cc_noise_cipher *first = n->initiator ? &n->send : &n->receive;
    struct cc_noise_cipher *second = n->initiator ? &n->receive : &n->send;

    hkdf2(first->key, second->key, n->chain, NULL, 0);
    memcpy(first->chain, n->chain, 32);
    memcpy(second->chain, n->chain, 32);
    cc_cleanse(n->chain, 32);
    cc_cleanse(n->temp, 32);
    cc_cleanse(n->ephemeral, 32);
    n->step = STEP_READY;
}

bool cc_noise_act3(struct cc_noise *n, uint8_t out[CC_NOISE_ACT3])
{
    uint8_t pub[33];

    if (!expect(n, STEP_ACT3, true))
        return false;
    out[0] = 0;
    if (!cc_ec_pubkey(n->ec, pub, n->local))
        return fail(n, CC_NOISE_BAD_PUBKEY);
    seal(n, out + 1, 1, pub, 33);
    if (!mix_dh(n, n->remote_ephemeral, n->local))
        return fail(n, CC_NOISE_BAD_PUBKEY);
    seal(n, out + 50, 0, NULL, 0);
    split(n);
    return true;
}

bool cc_noise_act3_read(struct cc_noise *n, const uint8_t in[CC_NOISE_ACT3])
{
    uint8_t none[1];

    if (!expect(n, STEP_ACT3, false))
        return false;
    if (in[0] != 0)
        return fail(n, CC_NOISE_BAD_VERSION);
    if (!open(n, n->remote, 1, in + 1, 33 + CC_NOISE_TAG))
        return fail(n, CC_NOISE_BAD_CIPHERTEXT);
    if (!cc_ec_pubkey_valid(n->remote, 33) ||
        !mix_dh(n, n->remote, n->ephemeral))
        return fail(n, CC_NOISE_BAD_PUBKEY);
    if (!open(n, none, 0, in + 50, CC_NOISE_TAG))
        return fail(n, CC_NOISE_BAD_TAG);
    split(n);
    return true;
}

bool cc_noise_ready(const struct cc_noise *n) { return n->step == STEP_READY; }

/* Called after each use: a key serves 1,000 times. */
static void used(struct cc_noise_cipher *c)
{
    if (++c->nonce < ROTATE_AT)
        return;
    hkdf2(c->chain, c->key, c->chain, c->key, 32);
    c->nonce = 0;
}

static void packet_seal(struct cc_noise_cipher *c, uint8_t *out,
                        const void *data, size_t len)
{
    uint8_t iv[12];

    put_nonce(iv, c->nonce);
    cc_chacha_seal(out, data, len, c->key, iv, NULL, 0);
    used(c);
}

static bool packet_open(struct cc_noise_cipher *c, uint8_t *out,
                        const uint8_t *in, size_t len)
{
    uint8_t iv[12];

    put_nonce(iv, c->nonce);
    if (!cc_chacha_open(out, in, len, c->key, iv, NULL, 0))
        return false;
    used(c);
    return true;
}

bool cc_noise_write(struct cc_noise *n, uint8_t *out, const void *data,
                    size_t len)
{
    uint8_t size[2] = {(uint8_t)(len >> 8), (uint8_t)len};

    if (n->step != STEP_READY || len > CC_NOISE_MAX)
        return fail(n, CC_NOISE_BAD_STATE);
    packet_seal(&n->send, out, size, 2);
    packet_seal(&n->send, out + CC_NOISE_HEADER, data, len);
    return true;
}

bool cc_noise_read_header(struct cc_noise *n, size_t *len,
                          const uint8_t in[CC_NOISE_HEADER])
{
    uint8_t size[2];

    if (n->step != STEP_READY)
        return fail(n, CC_NOISE_BAD_STATE);
    if (!packet_open(&n->receive, size, in, CC_NOISE_HEADER))
        return fail(n, CC_NOISE_BAD_TAG);
    *len = (size_t)size[0] << 8 | size[1];
    return true;
}

bool cc_noise_read(struct cc_noise *n, uint8_t *out, const uint8_t *in,
                   size_t len)
{
    if (n->step != STEP_READY)
        return fail(n, CC_NOISE_BAD_STATE);
    if (!packet_open(&n->receive, out, in, len + CC_NOISE_TAG))
        return fail(n, CC_NOISE_BAD_TAG);
    return true;
}

const char *cc_noise_error_name(enum cc_noise_error e)
{
    switch (e) {
    case CC_NOISE_OK:
        return "no error";
    case CC_NOISE_BAD_VERSION:
        return "bad version";
    case CC_NOISE_BAD_PUBKEY:
        return "bad public key";
    case CC_NOISE_BAD_TAG:
        return "bad authentication tag";
    case CC_NOISE_BAD_CIPHERTEXT:
        return "bad ciphertext of the static key";
    case CC_NOISE_BAD_STATE:
        return "called out of turn";
    }
    return "unknown error";
}
