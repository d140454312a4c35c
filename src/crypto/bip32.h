/*
 * bip32.h: trees of keys (BIP 32), and BIP 39 words to seed them.
 *
 * Plain values; one that holds a secret is cleansed by whoever owns it
 * (cc_cleanse). Any thread.
 */
#ifndef CC_CRYPTO_BIP32_H
#define CC_CRYPTO_BIP32_H

#include "crypto/address.h"
#include "util/bytes.h"

struct cc_ec;

#define CC_BIP32_HARDENED UINT32_C(0x80000000)
#define CC_BIP32_TEXT_MAX 113

struct cc_bip32 {
    bool is_private;
    uint8_t depth;
    uint8_t parent[4]; /* fingerprint of the parent's key */
    uint32_t child;
    uint8_t chain[32];
    uint8_t pubkey[33];
    uint8_t secret[32]; /* zero if public */
};

/* The master key of a seed of 16 to 64 bytes; false in the 2^-127 case that
 * the seed gives none. */
bool cc_bip32_master(struct cc_bip32 *out, const struct cc_ec *ec,
                     const uint8_t *seed, size_t len);
/* A child; index + CC_BIP32_HARDENED needs a private parent. False if that or
 * the depth forbids it. out == parent is allowed. */
bool cc_bip32_child(struct cc_bip32 *out, const struct cc_ec *ec,
                    const struct cc_bip32 *parent, uint32_t index);
/* Several steps down. */
bool cc_bip32_path(struct cc_bip32 *out, const struct cc_ec *ec,
                   const struct cc_bip32 *from, const uint32_t *path,
                   size_t count);
/* "m/86'/0'/0'", "86h/0h": numbers into path; false if it is no path or
 * longer than room. *count in: room, out: steps. */
bool cc_bip32_path_parse(uint32_t *path, size_t *count, const char *text);
/* Forget the secret. */
void cc_bip32_neuter(struct cc_bip32 *k);
/* First four bytes of hash160 of the key. */
void cc_bip32_fingerprint(uint8_t out[4], const struct cc_bip32 *k);

/* xprv… or xpub…, by is_private. */
void cc_bip32_encode(char out[CC_BIP32_TEXT_MAX], const struct cc_bip32 *k,
                     const struct cc_address_prefixes *p);
bool cc_bip32_decode(struct cc_bip32 *out, const struct cc_ec *ec,
                     const char *text, const struct cc_address_prefixes *p);

#endif
