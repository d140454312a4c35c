/* miniscript_i.h: a Miniscript as a tree of fragments, for miniscript*.c. */
#ifndef CC_WALLET_MINISCRIPT_I_H
#define CC_WALLET_MINISCRIPT_I_H

#include "util/bytes.h"

enum cc_ms_kind {
    CC_MS_0,
    CC_MS_1,
    CC_MS_PK_K,
    CC_MS_OLDER,
    CC_MS_AFTER,
    CC_MS_SHA256,
    CC_MS_HASH256,
    CC_MS_RIPEMD160,
    CC_MS_HASH160,
    CC_MS_MULTI,
    CC_MS_ANDOR,
    CC_MS_AND_V,
    CC_MS_AND_B,
    CC_MS_OR_B,
    CC_MS_OR_C,
    CC_MS_OR_D,
    CC_MS_OR_I,
    CC_MS_THRESH,
    CC_MS_A, /* wrappers */
    CC_MS_S,
    CC_MS_C,
    CC_MS_D,
    CC_MS_V,
    CC_MS_J,
    CC_MS_N,
};

/* Types and their properties by BIP 379's letters; then which timelocks are
 * inside, and whether two of them can never be met together. */
enum {
    CC_MS_TYPE_B = 1 << 0,
    CC_MS_TYPE_V = 1 << 1,
    CC_MS_TYPE_K = 1 << 2,
    CC_MS_TYPE_W = 1 << 3,
    CC_MS_TYPE_BVK = CC_MS_TYPE_B | CC_MS_TYPE_V | CC_MS_TYPE_K,
    CC_MS_z = 1 << 4,
    CC_MS_o = 1 << 5,
    CC_MS_n = 1 << 6,
    CC_MS_d = 1 << 7,
    CC_MS_u = 1 << 8,
    CC_MS_e = 1 << 9,
    CC_MS_f = 1 << 10,
    CC_MS_s = 1 << 11,
    CC_MS_m = 1 << 12,
    CC_MS_RELATIVE_TIME = 1 << 13,
    CC_MS_RELATIVE_HEIGHT = 1 << 14,
    CC_MS_ABSOLUTE_TIME = 1 << 15,
    CC_MS_ABSOLUTE_HEIGHT = 1 << 16,
    CC_MS_LOCKS = CC_MS_RELATIVE_TIME | CC_MS_RELATIVE_HEIGHT |
                  CC_MS_ABSOLUTE_TIME | CC_MS_ABSOLUTE_HEIGHT,
    CC_MS_MIXED = 1 << 17,
};

/* The most that one way to satisfy it, or not to, can take; -1: no way. */
struct cc_ms_cost {
    int sat, dsat;
};

struct cc_ms_node {
    enum cc_ms_kind kind;
    struct cc_ms_node **subs;
    size_t sub_count;
    uint32_t number;       /* older, after; how many of multi, thresh */
    struct cc_bytes hash;  /* of hashes */
    struct cc_bytes *keys; /* pk_k, multi */
    size_t key_count;
    unsigned type;
    struct cc_ms_cost items; /* of the witness */
    struct cc_ms_cost keyed; /* keys that CHECKMULTISIG counts as operations */
};

/* Type and costs, from those of the subs. False: the fragments do not fit. */
bool cc_ms_judge(struct cc_ms_node *n);

#endif
