/*
 * script.h: Script as bytes: opcodes, walking, recognising, building.
 */
#ifndef CC_CONSENSUS_SCRIPT_H
#define CC_CONSENSUS_SCRIPT_H

#include "consensus/tx.h"

#define CC_MAX_SCRIPT_SIZE 10000
#define CC_MAX_SCRIPT_ELEMENT_SIZE 520
#define CC_MAX_PUBKEYS_PER_MULTISIG 20

#define CC_MAX_SCRIPT_OPS 201  /* counted above OP_16; not in tapscript */
#define CC_MAX_STACK_SIZE 1000 /* both stacks together */

// clang-format off
/* Opcodes are named as in Bitcoin: CC_OP_CHECKSIG. script.c holds the one
 * table of their names, from which cc_opcode_name answers. */
enum cc_opcode {
    CC_OP_0 = 0x00, CC_OP_PUSHDATA1 = 0x4c, CC_OP_PUSHDATA2, CC_OP_PUSHDATA4,
    CC_OP_1NEGATE, CC_OP_RESERVED, CC_OP_1, CC_OP_2, CC_OP_3, CC_OP_4, CC_OP_5,
    CC_OP_6, CC_OP_7, CC_OP_8, CC_OP_9, CC_OP_10, CC_OP_11, CC_OP_12, CC_OP_13,
    CC_OP_14, CC_OP_15, CC_OP_16, CC_OP_NOP, CC_OP_VER, CC_OP_IF, CC_OP_NOTIF,
    CC_OP_VERIF, CC_OP_VERNOTIF, CC_OP_ELSE, CC_OP_ENDIF, CC_OP_VERIFY,
    CC_OP_RETURN, CC_OP_TOALTSTACK, CC_OP_FROMALTSTACK, CC_OP_2DROP,
    CC_OP_2DUP, CC_OP_3DUP, CC_OP_2OVER, CC_OP_2ROT, CC_OP_2SWAP, CC_OP_IFDUP,
    CC_OP_DEPTH, CC_OP_DROP, CC_OP_DUP, CC_OP_NIP, CC_OP_OVER, CC_OP_PICK,
    CC_OP_ROLL, CC_OP_ROT, CC_OP_SWAP, CC_OP_TUCK, CC_OP_CAT, CC_OP_SUBSTR,
    CC_OP_LEFT, CC_OP_RIGHT, CC_OP_SIZE, CC_OP_INVERT, CC_OP_AND, CC_OP_OR,
    CC_OP_XOR, CC_OP_EQUAL, CC_OP_EQUALVERIFY, CC_OP_RESERVED1,
    CC_OP_RESERVED2, CC_OP_1ADD, CC_OP_1SUB, CC_OP_2MUL, CC_OP_2DIV,
    CC_OP_NEGATE, CC_OP_ABS, CC_OP_NOT, CC_OP_0NOTEQUAL, CC_OP_ADD, CC_OP_SUB,
    CC_OP_MUL, CC_OP_DIV, CC_OP_MOD, CC_OP_LSHIFT, CC_OP_RSHIFT,
    CC_OP_BOOLAND, CC_OP_BOOLOR, CC_OP_NUMEQUAL, CC_OP_NUMEQUALVERIFY,
    CC_OP_NUMNOTEQUAL, CC_OP_LESSTHAN, CC_OP_GREATERTHAN,
    CC_OP_LESSTHANOREQUAL, CC_OP_GREATERTHANOREQUAL, CC_OP_MIN, CC_OP_MAX,
    CC_OP_WITHIN, CC_OP_RIPEMD160, CC_OP_SHA1, CC_OP_SHA256, CC_OP_HASH160,
    CC_OP_HASH256, CC_OP_CODESEPARATOR, CC_OP_CHECKSIG, CC_OP_CHECKSIGVERIFY,
    CC_OP_CHECKMULTISIG, CC_OP_CHECKMULTISIGVERIFY, CC_OP_NOP1,
    CC_OP_CHECKLOCKTIMEVERIFY, CC_OP_CHECKSEQUENCEVERIFY, CC_OP_NOP4,
    CC_OP_NOP5, CC_OP_NOP6, CC_OP_NOP7, CC_OP_NOP8, CC_OP_NOP9, CC_OP_NOP10,
    CC_OP_CHECKSIGADD = 0xba, CC_OP_STORAGE = 0xbb, CC_OP_INVALIDOPCODE = 0xff,
};
// clang-format on

/* "OP_CHECKSIG"; small numbers "0", "-1", "1" to "16"; "OP_UNKNOWN". */
const char *cc_opcode_name(uint8_t op);

/* Step over one operation at *pos. push: the bytes behind a push opcode (empty
 * for all others, OP_1 too). False at the end (*pos == script.len) or on a
 * push that is cut short (*pos stays before it). Here, because every byte of
 * every script goes through it more than once. */
static inline bool cc_script_next(struct cc_bytes script, size_t *pos,
                                  uint8_t *op, struct cc_bytes *push)
{
    size_t left, len = 0, head = 1;
    const uint8_t *p;

    *push = cc_bytes(NULL, 0);
    *op = CC_OP_INVALIDOPCODE;
    if (*pos >= script.len)
        return false;
    p = script.data + *pos;
    left = script.len - *pos;
    *op = *p;
    if (*op < CC_OP_PUSHDATA1) {
        len = *op;
    } else if (*op <= CC_OP_PUSHDATA4) {
        head = *op == CC_OP_PUSHDATA1 ? 2 : *op == CC_OP_PUSHDATA2 ? 3 : 5;
        if (left < head)
            return false;
        len = *op == CC_OP_PUSHDATA1   ? p[1]
              : *op == CC_OP_PUSHDATA2 ? cc_get_u16le(p + 1)
                                       : cc_get_u32le(p + 1);
    }
    if (len > left - head)
        return false;
    *push = cc_bytes(p + head, len);
    *pos += head + len;
    return true;
}

/* The push that BIP 62 rule 3 asks for (OP_1 for 01, OP_0 for nothing). */
void cc_script_push(struct cc_writer *w, const void *data, size_t len);
void cc_script_push_int(struct cc_writer *w, int64_t n);
/* The shortest push that carries its bytes: never OP_1 to OP_16. */
void cc_script_push_plain(struct cc_writer *w, const void *data, size_t len);
/* Is op the opcode that rule asks for to push data? */
bool cc_script_push_is_minimal(uint8_t op, struct cc_bytes data);

/* Numbers: little-endian, sign in the highest bit, at most max bytes; minimal:
 * a longer form than needed is refused. */
bool cc_script_num(int64_t *out, struct cc_bytes b, bool minimal, size_t max);
size_t cc_script_num_encode(uint8_t out[9], int64_t n);

/* As Core shows it: "OP_DUP OP_HASH160 89ab.. OP_EQUALVERIFY". sighash: name
 * the hash type of what looks like a signature, "3044..[ALL]", as Core does
 * for a scriptSig. Text without a final zero. */
void cc_script_asm(struct cc_writer *w, struct cc_bytes script, bool sighash);

enum cc_script_type {
    CC_SCRIPT_NONSTANDARD,
    CC_SCRIPT_PUBKEY,
    CC_SCRIPT_PUBKEYHASH,
    CC_SCRIPT_SCRIPTHASH,
    CC_SCRIPT_MULTISIG,
    CC_SCRIPT_NULL_DATA,
    CC_SCRIPT_WITNESS_V0_KEYHASH,
    CC_SCRIPT_WITNESS_V0_SCRIPTHASH,
    CC_SCRIPT_WITNESS_V1_TAPROOT,
    CC_SCRIPT_WITNESS_UNKNOWN,
    CC_SCRIPT_STORAGE, /* starts with OP_STORAGE; only where it is active */
};

/* What it is; sols (room for 20 + 2) get Core's solutions: keys, hashes, for
 * multisig {m}, keys..., {n}. storage: params->storage_active. */
enum cc_script_type cc_script_solve(struct cc_bytes script, bool storage,
                                    struct cc_bytes sols[22], size_t *count);
/* Core's name: "pubkeyhash", "witness_v1_taproot", "storage". */
const char *cc_script_type_name(enum cc_script_type t);

/* Is the first byte that of a public key of this length? (No curve check.) */
bool cc_script_is_pubkey(struct cc_bytes b);
bool cc_script_is_p2sh(struct cc_bytes script);
bool cc_script_is_witness(struct cc_bytes script, int *version,
                          struct cc_bytes *program);
bool cc_script_is_push_only(struct cc_bytes script);
/* OP_RETURN, or over 10,000 bytes: never enters the coin set. */
bool cc_script_is_unspendable(struct cc_bytes script);

/* Legacy count; accurate: read n of CHECKMULTISIG from the push before. */
unsigned cc_script_sigops(struct cc_bytes script, bool accurate);
/* Of all its scriptSigs and output scripts, not accurate, unscaled. */
unsigned cc_tx_legacy_sigops(const struct cc_tx *tx);
/* BIP 141: legacy and P2SH x 4, witness x 1. coins: what vin spends, in order;
 * not read for a coinbase. flags: enum cc_script_flags. Typed coins count
 * nothing here (cc_storage_check tells theirs). */
int64_t cc_tx_sigop_cost(const struct cc_tx *tx, const struct cc_coin *coins,
                         uint32_t flags);

#endif
