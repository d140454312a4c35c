/*
 * interpreter.h: running Script, and what a signature signs.
 *
 * Pure. One struct cc_sighash per transaction holds the hashes shared by all
 * its inputs (BIP 143, BIP 341); it is filled once and then only read, so
 * inputs may be checked by several threads at once.
 */
#ifndef CC_CONSENSUS_INTERPRETER_H
#define CC_CONSENSUS_INTERPRETER_H

#include "consensus/script.h"

enum cc_script_flags {
    CC_VERIFY_NONE = 0,
    CC_VERIFY_P2SH = 1u << 0,
    CC_VERIFY_STRICTENC = 1u << 1,
    CC_VERIFY_DERSIG = 1u << 2,
    CC_VERIFY_LOW_S = 1u << 3,
    CC_VERIFY_NULLDUMMY = 1u << 4,
    CC_VERIFY_SIGPUSHONLY = 1u << 5,
    CC_VERIFY_MINIMALDATA = 1u << 6,
    CC_VERIFY_DISCOURAGE_UPGRADABLE_NOPS = 1u << 7,
    CC_VERIFY_CLEANSTACK = 1u << 8,
    CC_VERIFY_CHECKLOCKTIMEVERIFY = 1u << 9,
    CC_VERIFY_CHECKSEQUENCEVERIFY = 1u << 10,
    CC_VERIFY_WITNESS = 1u << 11,
    CC_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM = 1u << 12,
    CC_VERIFY_MINIMALIF = 1u << 13,
    CC_VERIFY_NULLFAIL = 1u << 14,
    CC_VERIFY_WITNESS_PUBKEYTYPE = 1u << 15,
    CC_VERIFY_CONST_SCRIPTCODE = 1u << 16,
    CC_VERIFY_TAPROOT = 1u << 17,
    CC_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION = 1u << 18,
    CC_VERIFY_DISCOURAGE_OP_SUCCESS = 1u << 19,
    CC_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE = 1u << 20,
};

/* Rules of every block (all of Bitcoin's), and with policy on top. */
#define CC_VERIFY_MANDATORY                                                    \
    (CC_VERIFY_P2SH | CC_VERIFY_DERSIG | CC_VERIFY_NULLDUMMY |                 \
     CC_VERIFY_CHECKLOCKTIMEVERIFY | CC_VERIFY_CHECKSEQUENCEVERIFY |           \
     CC_VERIFY_WITNESS | CC_VERIFY_TAPROOT)
#define CC_VERIFY_STANDARD                                                     \
    (CC_VERIFY_MANDATORY | CC_VERIFY_STRICTENC | CC_VERIFY_MINIMALDATA |       \
     CC_VERIFY_DISCOURAGE_UPGRADABLE_NOPS | CC_VERIFY_CLEANSTACK |             \
     CC_VERIFY_MINIMALIF | CC_VERIFY_NULLFAIL | CC_VERIFY_LOW_S |              \
     CC_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM |                         \
     CC_VERIFY_WITNESS_PUBKEYTYPE | CC_VERIFY_CONST_SCRIPTCODE |               \
     CC_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION |                         \
     CC_VERIFY_DISCOURAGE_OP_SUCCESS |                                         \
     CC_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE)

/* Codes, Core's test names ("EVAL_FALSE") and Core's sentences. */
#include "consensus/script_error.h"

#define CC_SIGHASH_DEFAULT 0x00
#define CC_SIGHASH_ALL 0x01
#define CC_SIGHASH_NONE 0x02
#define CC_SIGHASH_SINGLE 0x03
#define CC_SIGHASH_ANYONECANPAY 0x80

/* Hashes shared by a transaction's inputs. tx and coins are borrowed and must
 * outlive it. coins may be NULL (no amounts: legacy signatures only). */
struct cc_sighash {
    const struct cc_tx *tx;
    const struct cc_coin *coins;
    uint8_t prevouts[32], sequences[32], outputs[32];    /* single SHA-256 */
    uint8_t amounts[32], scripts[32];                    /* BIP 341 */
    uint8_t prevouts2[32], sequences2[32], outputs2[32]; /* BIP 143: double */
};

void cc_sighash_init(struct cc_sighash *s, const struct cc_tx *tx,
                     const struct cc_coin *coins);
/* Original algorithm; code is the script code with OP_CODESEPARATORs removed
 * inside. type as signed, all 32 bits. */
void cc_sighash_legacy(uint8_t out[32], const struct cc_tx *tx, size_t index,
                       struct cc_bytes code, uint32_t type);
/* BIP 143. */
void cc_sighash_v0(uint8_t out[32], const struct cc_sighash *s, size_t index,
                   struct cc_bytes code, uint32_t type, cc_amount value);
/* What BIP 341/342 sign beside the transaction. */
struct cc_taproot_ctx {
    bool tapscript;
    const uint8_t *annex_hash; /* NULL: no annex */
    uint8_t leaf_hash[32];
    uint32_t codesep_pos;
};
/* BIP 341; false for a hash type that does not exist or a missing output. */
bool cc_sighash_v1(uint8_t out[32], const struct cc_sighash *s, size_t index,
                   uint8_t type, const struct cc_taproot_ctx *ctx);
/* The SigMsg bytes themselves, epoch byte first, without annex or extension:
 * what storage signatures build on. spend_type as BIP 341. */
void cc_sighash_v1_msg(struct cc_writer *w, const struct cc_sighash *s,
                       size_t index, uint8_t type, uint8_t spend_type);

/* BIP 66: is sig, hash type byte included, DER of the one allowed form? */
bool cc_sig_is_strict_der(struct cc_bytes sig);

/* BIP 341: hash of a script leaf; root of leaf hash and the count nodes of
 * its path; hash by which the internal key is tweaked (root NULL: no tree). */
void cc_tapleaf_hash(uint8_t out[32], uint8_t version, struct cc_bytes script);
void cc_tap_root(uint8_t out[32], const uint8_t leaf[32], const uint8_t *path,
                 size_t count);
void cc_taptweak_hash(uint8_t out[32], const uint8_t internal[32],
                      const uint8_t root[32]);

/* Does input index of s->tx spend script properly? Its scriptSig and witness
 * are the transaction's; value is that of the coin, and taproot reads all of
 * s->coins. error (may be NULL) gets the reason, OK on true. */
bool cc_script_verify(const struct cc_sighash *s, size_t index,
                      struct cc_bytes script, cc_amount value, uint32_t flags,
                      enum cc_script_error *error);

#endif
