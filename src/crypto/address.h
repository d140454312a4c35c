/*
 * address.h: output scripts and secrets as text, and back.
 *
 * What a chain's texts start with is data, struct cc_address_prefixes. Faults
 * are named in Bitcoin Core 27's sentences, since RPC hands them on. Pure
 * functions, any thread.
 */
#ifndef CC_CRYPTO_ADDRESS_H
#define CC_CRYPTO_ADDRESS_H

#include "util/bytes.h"

struct cc_address_prefixes {
    uint8_t pubkey, script, secret; /* base58 version bytes */
    uint32_t xpub, xprv;            /* BIP 32 version, big-endian */
    const char *hrp;                /* bech32 */
};

#define CC_ADDRESS_MAX 91        /* longest text with its NUL */
#define CC_ADDRESS_SCRIPT_MAX 42 /* longest script that has an address */
#define CC_WIF_MAX 64

enum cc_address_kind {
    CC_ADDRESS_NONE,    /* the script has no address */
    CC_ADDRESS_PKH,     /* P2PKH */
    CC_ADDRESS_SH,      /* P2SH */
    CC_ADDRESS_WPKH,    /* P2WPKH */
    CC_ADDRESS_WSH,     /* P2WSH */
    CC_ADDRESS_TR,      /* P2TR */
    CC_ADDRESS_WITNESS, /* a witness program of the future */
};

/* What a script pays to, taken apart. */
struct cc_address {
    enum cc_address_kind kind;
    uint8_t version;  /* of the witness program */
    uint8_t data[40]; /* hash or program */
    size_t len;
};

struct cc_address_error {
    char text[160];
    size_t count;   /* characters known to be wrong (bech32), */
    size_t at[128]; /* counted from 0; no more than these are told */
};

/* The address form of an output script, or CC_ADDRESS_NONE. */
enum cc_address_kind cc_address_from_script(struct cc_address *a,
                                            const uint8_t *script, size_t len);
/* Its output script; returns the length, 0 for CC_ADDRESS_NONE. */
size_t cc_address_to_script(uint8_t script[CC_ADDRESS_SCRIPT_MAX],
                            const struct cc_address *a);

/* False for CC_ADDRESS_NONE. */
bool cc_address_format(char out[CC_ADDRESS_MAX], const struct cc_address *a,
                       const struct cc_address_prefixes *p);
/* err may be NULL. */
bool cc_address_parse(struct cc_address *a, const char *text,
                      const struct cc_address_prefixes *p,
                      struct cc_address_error *err);

/* Both steps at once. */
bool cc_address_encode(char out[CC_ADDRESS_MAX], const uint8_t *script,
                       size_t len, const struct cc_address_prefixes *p);
bool cc_address_decode(uint8_t script[CC_ADDRESS_SCRIPT_MAX], size_t *len,
                       const char *text, const struct cc_address_prefixes *p,
                       struct cc_address_error *err);

/* Secrets in the wallet import format. */
void cc_wif_encode(char out[CC_WIF_MAX], const uint8_t secret[32],
                   bool compressed, const struct cc_address_prefixes *p);
/* False for what is no secret of this chain, zero and n included. */
bool cc_wif_decode(uint8_t secret[32], bool *compressed, const char *text,
                   const struct cc_address_prefixes *p);

#endif
