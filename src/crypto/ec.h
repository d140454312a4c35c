/*
 * ec.h: secp256k1 keys and signatures; the one wrapper of libsecp256k1.
 *
 * Verifying needs no context. Whatever touches a secret takes a struct cc_ec,
 * made once by main with fresh randomness (blinding) and shared by all
 * threads afterwards. Public keys are serialised (33 or 65 bytes) or x-only
 * (32, BIP 340); secrets are 32 bytes big-endian.
 */
#ifndef CC_CRYPTO_EC_H
#define CC_CRYPTO_EC_H

#include "util/bytes.h"

struct cc_ec;

struct cc_ec *cc_ec_new(void);
void cc_ec_free(struct cc_ec *ec);

/* The pages that hold what blinds our secrets; locked: how many bytes of them
 * are kept out of the swap, 0 if the system does not let us. */
struct cc_ec_memory {
    size_t used, total, locked;
};
struct cc_ec_memory cc_ec_memory(const struct cc_ec *ec);

bool cc_ec_pubkey_valid(const uint8_t *pub, size_t len);
bool cc_ec_xonly_valid(const uint8_t xonly[32]);
/* 65 or 33 bytes to 33; false if it is no point. */
bool cc_ec_pubkey_compress(uint8_t out[33], const uint8_t *pub, size_t len);
bool cc_ec_pubkey_uncompress(uint8_t out[65], const uint8_t *pub, size_t len);

/* ECDSA as consensus does it: DER read laxly (BIP 66 strictness is Script's
 * to judge), high S accepted. sig without the hash type byte. */
bool cc_ecdsa_verify(const uint8_t *pub, size_t pub_len, const uint8_t *sig,
                     size_t sig_len, const uint8_t msg[32]);
/* S <= order / 2 (BIP 62); false too for what does not parse. */
bool cc_ecdsa_low_s(const uint8_t *sig, size_t sig_len);

/* BIP 340; msg of any length. */
bool cc_schnorr_verify(const uint8_t xonly[32], const uint8_t sig[64],
                       const void *msg, size_t len);
/* BIP 341: is output = internal + H·G with this parity? tweak is the tagged
 * hash "TapTweak". */
bool cc_ec_tweak_check(const uint8_t output[32], bool odd_y,
                       const uint8_t internal[32], const uint8_t tweak[32]);
/* output = internal + tweak·G. */
bool cc_ec_xonly_tweak(uint8_t output[32], bool *odd_y,
                       const uint8_t internal[32], const uint8_t tweak[32]);
/* out = pub + tweak·G (BIP 32 public derivation). */
bool cc_ec_pubkey_tweak(uint8_t out[33], const uint8_t pub[33],
                        const uint8_t tweak[32]);

bool cc_ec_secret_valid(const uint8_t secret[32]);
/* A new random secret. */
void cc_ec_secret_new(uint8_t secret[32]);
bool cc_ec_pubkey(const struct cc_ec *ec, uint8_t out[33],
                  const uint8_t secret[32]);
bool cc_ec_xonly(const struct cc_ec *ec, uint8_t out[32],
                 const uint8_t secret[32]);
/* secret = secret + tweak mod n (BIP 32). */
bool cc_ec_secret_tweak(uint8_t secret[32], const uint8_t tweak[32]);
/* Negate it if its point has odd y: then 02 ‖ x-only is its public key. */
bool cc_ec_secret_even(const struct cc_ec *ec, uint8_t secret[32]);
/* The secret of the BIP 341 output key: negated first if its point has odd y.
 * tweak is the tagged hash "TapTweak". */
bool cc_ec_secret_taproot(const struct cc_ec *ec, uint8_t secret[32],
                          const uint8_t tweak[32]);

/* DER, low S, low R (71 bytes at the most); *len in: room, out: length. */
bool cc_ecdsa_sign(const struct cc_ec *ec, uint8_t *sig, size_t *len,
                   const uint8_t secret[32], const uint8_t msg[32]);
/* 65 bytes, header first, as signmessage wants it. */
bool cc_ecdsa_sign_recoverable(const struct cc_ec *ec, uint8_t sig[65],
                               const uint8_t secret[32], const uint8_t msg[32],
                               bool compressed);
bool cc_ecdsa_recover(uint8_t pub[65], size_t *pub_len, const uint8_t sig[65],
                      const uint8_t msg[32]);
/* BIP 340 with 32 bytes of auxiliary randomness, NULL: fresh ones. */
bool cc_schnorr_sign(const struct cc_ec *ec, uint8_t sig[64],
                     const uint8_t secret[32], const void *msg, size_t len,
                     const uint8_t aux[32]);

/* ECDH as BOLT 8: SHA-256 of the compressed shared point. */
bool cc_ec_dh(uint8_t out[32], const uint8_t pub[33], const uint8_t secret[32]);

#endif
