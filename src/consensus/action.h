/*
 * action.h: the witness of a typed input (doc/protocol.md 4.4).
 *
 * Read by consensus; written by whoever spends typed coins, host and renter.
 * Values borrow the witness they were read from.
 */
#ifndef CC_CONSENSUS_ACTION_H
#define CC_CONSENSUS_ACTION_H

#include "consensus/interpreter.h"
#include "consensus/typed.h"

#define CC_REV_SIZE 104 /* revision 4, root 32, sectors 4, signature 64 */
#define CC_VOU_SIZE 72  /* amount 8, signature 64 */
#define CC_ACTION_HEAD_ROOM 13

/* One typed input's witness, taken apart. */
struct cc_act {
    enum cc_action action;
    unsigned flags;                /* CC_FLAG_*, 0 where there are none */
    uint16_t i;                    /* PROVE */
    uint32_t d;                    /* CLAIM: height of the draw */
    uint64_t leaf;                 /* CLAIM */
    const uint8_t *rev, *vou;      /* NULL: none */
    const struct cc_bytes *proofs; /* samples of PROVE, the proof of CLAIM */
    size_t proof_count;
    const struct cc_bytes *elements; /* what is signed: all but signatures */
    size_t element_count;
    const struct cc_bytes *sigs; /* 64 bytes each */
    size_t sig_count;
    bool continues; /* the coin is re-created */
};

/* stack: the witness. CC_INVALID if it is none for a coin of this kind. */
enum cc_status cc_act_parse(struct cc_act *a, enum cc_kind kind,
                            const struct cc_bytes *stack, size_t count,
                            struct cc_error *err);

/* Number of signatures an action wants at the end of its witness. */
size_t cc_action_signatures(enum cc_action action);

/* The first element, from action, flags, i, d and leaf; returns its size. */
size_t cc_act_write_head(uint8_t head[CC_ACTION_HEAD_ROOM],
                         const struct cc_act *a);
void cc_rev_write(uint8_t rev[CC_REV_SIZE], uint32_t revision,
                  const uint8_t root[32], uint32_t sectors,
                  const uint8_t sig[64]);
void cc_rev_read(const uint8_t rev[CC_REV_SIZE], uint32_t *revision,
                 uint8_t root[32], uint32_t *sectors);
void cc_vou_write(uint8_t vou[CC_VOU_SIZE], uint64_t amount,
                  const uint8_t sig[64]);

/* What an action's signatures sign: input index of s->tx (coins included),
 * elements: the witness without the signatures. */
void cc_action_message(uint8_t msg[32], const struct cc_sighash *s,
                       size_t index, const struct cc_bytes *elements,
                       size_t count, const struct cc_params *p);

#endif
