/*
 * txjson.h: transactions, scripts and coins as JSON, and back: what several
 * families of calls share. Fields and their order are Bitcoin Core's.
 */
#ifndef CC_RPC_TXJSON_H
#define CC_RPC_TXJSON_H

#include "chain/chain.h"
#include "crypto/address.h"
#include "rpc/rpc.h"

/* asm, desc, hex, address, type; storage where the script is typed. value: of
 * the output that holds it. */
json_t *cc_script_json(struct cc_bytes script, const struct cc_params *p);
/* asm, address, type without hex and desc is Core's inner form. inner: a
 * script that may stand behind the hash, or empty. */
void cc_script_json_into(json_t *o, struct cc_bytes script,
                         struct cc_bytes inner, const struct cc_params *p,
                         bool hex, bool address);

/* Kind, name and fields of a typed script; NULL if it does not parse. */
json_t *cc_typed_json(struct cc_bytes script, const struct cc_params *p);

/* isscript, iswitness, witness_version, witness_program. */
void cc_rpc_describe_address(json_t *o, const struct cc_address *a);
/* What signmessage signs: a fixed text, then the message, each with its
 * length, hashed twice. */
void cc_rpc_message_hash(uint8_t out[32], const struct cc_params *p,
                         const char *message);

struct cc_tx_json_options {
    const struct cc_tx_undo *undo; /* coins spent: for fee and prevout */
    bool prevout;                  /* show those coins */
    bool no_hex;
};
json_t *cc_tx_json(const struct cc_tx *tx, const struct cc_params *p,
                   const struct cc_tx_json_options *options);
/* The whole transaction as hex. */
json_t *cc_tx_hex(const struct cc_tx *tx);

/* Hex to a transaction that owns its bytes, with or without witness as Core's
 * DecodeHexTx decides; false: it is neither. */
bool cc_tx_from_hex(const char *hex, bool try_no_witness, bool try_witness,
                    struct cc_tx *out);
/* An address of this chain to its script; on failure the call's error is -5
 * "Error: Invalid address". */
bool cc_rpc_get_script(struct cc_rpc_call *call, const char *address,
                       uint8_t *script, size_t *len);

#endif
