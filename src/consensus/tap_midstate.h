/*
 * tap_midstate.h: the tagged hashes of BIP 341, begun.
 *
 * A tagged hash starts with one block that depends on the tag alone. These
 * are the states behind that block; test_sighash.c derives them anew. Private
 * to the floor.
 */
#ifndef CC_CONSENSUS_TAP_MIDSTATE_H
#define CC_CONSENSUS_TAP_MIDSTATE_H

#include "crypto/hash.h"

enum tap_tag { TAP_LEAF, TAP_BRANCH, TAP_TWEAK, TAP_SIGHASH };

static inline void tap_midstate_init(struct cc_sha256 *c, enum tap_tag tag)
{
    static const uint32_t states[4][8] = {
        [TAP_LEAF] = {0x9ce0e4e6, 0x7c116c39, 0x38b3caf2, 0xc30f5089,
                      0xd3f3936c, 0x47636e60, 0x7db33eea, 0xddc6f0c9},
        [TAP_BRANCH] = {0x23a865a9, 0xb8a40da7, 0x977c1e04, 0xc49e246f,
                        0xb5be1376, 0x9d24c9b7, 0xb583b5d4, 0xa8d226d2},
        [TAP_TWEAK] = {0xd129a2f3, 0x701c655d, 0x6583b6c3, 0xb9419727,
                       0x95f4e232, 0x94fd54f4, 0xa2ae8d85, 0x47ca590b},
        [TAP_SIGHASH] = {0xf504a425, 0xd7f8783b, 0x1363868a, 0xe3e55658,
                         0x6eee945d, 0xbc7888dd, 0x02a6e2c3, 0x1873fe9f},
    };

    memcpy(c->state, states[tag], sizeof(c->state));
    c->count = 64;
}

#endif
