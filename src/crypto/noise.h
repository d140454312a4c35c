/*
 * noise.h: Noise_XK over secp256k1 with ChaCha20-Poly1305 and SHA-256, exactly
 * as BOLT 8: handshake in three acts, packets of up to 65,535 bytes, each
 * direction's key turned over every 1,000 uses.
 *
 * A state machine over byte buffers: it knows no sockets and no clock. One
 * thread at a time per object. After any false the object is spent: close the
 * connection.
 *
 *     initiator                          responder
 *     act1 -> 50 bytes                   act1_read
 *     act2_read                          <- 50 bytes, act2
 *     act3 -> 66 bytes, ready            act3_read, ready
 */
#ifndef CC_CRYPTO_NOISE_H
#define CC_CRYPTO_NOISE_H

#include "util/bytes.h"

struct cc_ec;

#define CC_NOISE_ACT1 50
#define CC_NOISE_ACT2 50
#define CC_NOISE_ACT3 66
#define CC_NOISE_HEADER 18 /* 2 bytes of length and their tag */
#define CC_NOISE_TAG 16
#define CC_NOISE_MAX 65535 /* bytes in a packet */

enum cc_noise_error {
    CC_NOISE_OK = 0,
    CC_NOISE_BAD_VERSION,
    CC_NOISE_BAD_PUBKEY,
    CC_NOISE_BAD_TAG,        /* of an act's empty message, or of a packet */
    CC_NOISE_BAD_CIPHERTEXT, /* act three: of the static key */
    CC_NOISE_BAD_STATE,      /* called out of turn */
};

struct cc_noise_cipher {
    uint8_t chain[32], key[32];
    uint64_t nonce; /* below 1,000 */
};

/* Everything in it is secret; cc_noise_clear overwrites it. */
struct cc_noise {
    const struct cc_ec *ec;
    int step;
    bool initiator;
    enum cc_noise_error error;
    uint8_t hash[32], chain[32], temp[32];
    uint8_t local[32], ephemeral[32]; /* secrets */
    uint8_t remote[33];               /* static key, once known */
    uint8_t remote_ephemeral[33];
    struct cc_noise_cipher send, receive;
};

/* remote: the responder's static key, which the initiator knows already.
 * ephemeral: NULL for a fresh one; tests bring theirs. ec is borrowed for as
 * long as n is used. False if a key is none. */
bool cc_noise_init_initiator(struct cc_noise *n, const struct cc_ec *ec,
                             const uint8_t local[32], const uint8_t remote[33],
                             const uint8_t ephemeral[32]);
bool cc_noise_init_responder(struct cc_noise *n, const struct cc_ec *ec,
                             const uint8_t local[32],
                             const uint8_t ephemeral[32]);
void cc_noise_clear(struct cc_noise *n);

bool cc_noise_act1(struct cc_noise *n, uint8_t out[CC_NOISE_ACT1]);
bool cc_noise_act1_read(struct cc_noise *n, const uint8_t in[CC_NOISE_ACT1]);
bool cc_noise_act2(struct cc_noise *n, uint8_t out[CC_NOISE_ACT2]);
bool cc_noise_act2_read(struct cc_noise *n, const uint8_t in[CC_NOISE_ACT2]);
bool cc_noise_act3(struct cc_noise *n, uint8_t out[CC_NOISE_ACT3]);
bool cc_noise_act3_read(struct cc_noise *n, const uint8_t in[CC_NOISE_ACT3]);

bool cc_noise_ready(const struct cc_noise *n);

/* One packet: out gets CC_NOISE_HEADER + len + CC_NOISE_TAG bytes; len is at
 * most CC_NOISE_MAX. */
bool cc_noise_write(struct cc_noise *n, uint8_t *out, const void *data,
                    size_t len);
/* The length of the packet that this header begins; then the packet itself:
 * in has len + CC_NOISE_TAG bytes, out gets len. */
bool cc_noise_read_header(struct cc_noise *n, size_t *len,
                          const uint8_t in[CC_NOISE_HEADER]);
bool cc_noise_read(struct cc_noise *n, uint8_t *out, const uint8_t *in,
                   size_t len);

/* "bad version", for messages. */
const char *cc_noise_error_name(enum cc_noise_error e);

#endif
