/*
 * signer.h: signing inputs with keys that somebody brings.
 *
 * What is signed: public key, public key hash and multisignature outputs,
 * bare or behind P2SH, P2WSH and both; P2WPKH; and taproot outputs by key,
 * where the key is the output's own or, tweaked as BIP 86 says, becomes it.
 * Signatures that are there already are kept.
 */
#ifndef CC_RPC_SIGNER_H
#define CC_RPC_SIGNER_H

#include "consensus/interpreter.h"

struct cc_ec;

/* Pushes of an input that are looked at for signatures. */
#define CC_SIGNER_PUSHES 256

struct cc_signer_key {
    uint8_t secret[32];
    uint8_t pub[65];
    size_t pub_len;
    uint8_t id[20]; /* hash of pub */
};

/* The caller fills it and owns what it points to. */
struct cc_signer {
    const struct cc_ec *ec;
    struct cc_signer_key *keys;
    size_t key_count;
    struct cc_bytes *scripts; /* redeem and witness scripts, owned */
    size_t script_count;
    struct cc_tx *tx;
    struct cc_sighash sighash;
    uint32_t type;
};

/* Data pushed by a scriptSig, at most room of them. */
size_t cc_signer_pushes(struct cc_bytes script, struct cc_bytes *out,
                        size_t room);
/* A redeem or witness script to know of: copied. There must be room in
 * g->scripts. */
void cc_signer_add_script(struct cc_signer *g, const uint8_t *data, size_t len);
/* Sign an input as far as it goes; what is made lives in g->tx's arena. The
 * coins stand in g->sighash. default_type: taproot signs without a hash type,
 * others with g->type. */
void cc_signer_input(struct cc_signer *g, size_t index, bool default_type);

#endif
