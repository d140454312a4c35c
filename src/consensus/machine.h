/*
 * machine.h: the inside of the interpreter. Private to the floor.
 *
 * A machine runs one script over a stack that outlives it. An element is
 * either a borrowed slice (of a script or a witness, which live as long as
 * the verification) or a result of at most 32 bytes held in place; so
 * copying, moving and dropping elements never allocates. Every operation is
 * one function and one row in the table of interpreter.c.
 */
#ifndef CC_CONSENSUS_MACHINE_H
#define CC_CONSENSUS_MACHINE_H

#include "consensus/interpreter.h"

/* --- Stack ------------------------------------------------------------- */

struct elem {
    uint32_t len;
    bool here; /* the bytes are in buf */
    union {
        const uint8_t *data;
        uint8_t buf[32];
    };
};

/* Most scripts need a handful of elements; more move to the heap. */
#define STACK_LOCAL 16

struct stack {
    struct elem *items;
    size_t count, cap;
    struct elem local[STACK_LOCAL];
};

void cc_stack_init(struct stack *s);
void cc_stack_clear(struct stack *s); /* to be inited again before use */
void cc_stack_copy(struct stack *to, const struct stack *from); /* to: inited */
void cc_stack_push(struct stack *s, const struct elem *e);
void cc_stack_push_ref(struct stack *s, struct cc_bytes b);
void cc_stack_push_copy(struct stack *s, const void *data, size_t len);
void cc_stack_push_num(struct stack *s, int64_t n);
void cc_stack_push_bool(struct stack *s, bool v);

/* i counts from the top, which is 1; the caller knows that it is there. */
static inline struct elem *cc_stack_at(const struct stack *s, size_t i)
{
    return &s->items[s->count - i];
}

static inline struct cc_bytes elem_bytes(const struct elem *e)
{
    return cc_bytes(e->here ? e->buf : e->data, e->len);
}

static inline struct cc_bytes cc_stack_bytes(const struct stack *s, size_t i)
{
    return elem_bytes(cc_stack_at(s, i));
}

/* False: all zero, or negative zero. */
bool cc_bytes_true(struct cc_bytes b);

/* --- Machine ----------------------------------------------------------- */

enum sig_version { SIG_BASE, SIG_WITNESS_V0, SIG_TAPSCRIPT };

/* Signature hashes of this script, by code and type: a script that checks
 * many signatures hashes the transaction once per type, not per signature. */
#define CACHE_SIZE 6

struct sighash_cache {
    struct {
        struct cc_bytes code;
        uint8_t type, hash[32];
    } entry[CACHE_SIZE];
    unsigned count, next;
};

/* What the input is, and what its taproot spend carries. */
struct spend {
    const struct cc_sighash *s;
    size_t index;
    cc_amount value;
    uint32_t flags;
    struct cc_taproot_ctx tap;
    int64_t budget; /* BIP 342: weight left for signatures */
};

struct machine {
    struct spend *spend;
    uint32_t flags;
    enum sig_version version;
    struct cc_bytes script;
    size_t pos;        /* behind the operation that runs */
    size_t code_start; /* behind the last OP_CODESEPARATOR that ran */
    uint32_t op_index; /* operations before the one that runs */
    unsigned ops;      /* counted against CC_MAX_SCRIPT_OPS */
    /* Open conditionals, and the outermost of them that is false (1 = first;
     * 0: none). No more is needed: what is inside a false one never runs. */
    uint32_t cond_depth, cond_false;
    struct stack *stack, alt;
    struct sighash_cache cache;
};

/* Runs script; the stack is the caller's, before and after. */
enum cc_script_error cc_machine_run(struct spend *spend,
                                    enum sig_version version,
                                    struct cc_bytes script,
                                    struct stack *stack);

/* A number operand, i from the top, of at most max bytes. */
enum cc_script_error cc_machine_num(const struct machine *m, size_t i,
                                    size_t max, int64_t *out);

/* --- Operations -------------------------------------------------------- */

typedef enum cc_script_error (*op_fn)(struct machine *m, uint8_t op);

#define OP_FN(name)                                                            \
    enum cc_script_error cc_op_##name(struct machine *m,                       \
                                      __attribute__((unused)) uint8_t op)

/* ops_stack.c */
OP_FN(toaltstack);
OP_FN(fromaltstack);
OP_FN(2drop);
OP_FN(2dup);
OP_FN(3dup);
OP_FN(2over);
OP_FN(2rot);
OP_FN(2swap);
OP_FN(ifdup);
OP_FN(depth);
OP_FN(drop);
OP_FN(dup);
OP_FN(nip);
OP_FN(over);
OP_FN(pick);
OP_FN(roll);
OP_FN(rot);
OP_FN(swap);
OP_FN(tuck);
OP_FN(size);
OP_FN(equal);
/* ops_number.c */
OP_FN(unary);
OP_FN(binary);
OP_FN(within);
OP_FN(hash);
/* ops_sig.c */
OP_FN(codeseparator);
OP_FN(checksig);
OP_FN(checksigadd);
OP_FN(checkmultisig);

/* BIP 341: a Schnorr signature of this input by key. */
enum cc_script_error cc_check_schnorr(const struct spend *spend,
                                      const uint8_t key[32],
                                      struct cc_bytes sig);

#endif
