/*
 * The machine: one script, operation by operation.
 *
 * No recursion and no allocation per operation. Everything a script can
 * spend is bounded: its size and operations before tapscript, the elements
 * on both stacks, the size of an element; in tapscript the weight of the
 * input, which signatures use up.
 */
#include "consensus/machine.h"

#define OK CC_SCRIPT_ERR_OK

/* BIP 112. */
#define SEQUENCE_DISABLE (1u << 31)
#define SEQUENCE_TYPE_TIME (1u << 22)
#define SEQUENCE_MASK 0x0000ffffu

enum cc_script_error cc_machine_num(const struct machine *m, size_t i,
                                    size_t max, int64_t *out)
{
    bool minimal = m->flags & CC_VERIFY_MINIMALDATA;

    /* Core has no name of its own for this. */
    return cc_script_num(out, cc_stack_bytes(m->stack, i), minimal, max)
               ? OK
               : CC_SCRIPT_ERR_UNKNOWN_ERROR;
}

/* --- Flow -------------------------------------------------------------- */

static OP_FN(number)
{
    cc_stack_push_num(m->stack, (int64_t)op - (CC_OP_1 - 1));
    return OK;
}

static OP_FN(nop)
{
    (void)m;
    return OK;
}

static OP_FN(nop_upgradable)
{
    return m->flags & CC_VERIFY_DISCOURAGE_UPGRADABLE_NOPS
               ? CC_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_NOPS
               : OK;
}

static bool running(const struct machine *m) { return !m->cond_false; }

/* MINIMALIF is policy in segwit v0 and consensus in tapscript. */
static enum cc_script_error check_minimal_if(const struct machine *m,
                                             struct cc_bytes b)
{
    bool minimal = b.len == 0 || (b.len == 1 && b.data[0] == 1);

    if (minimal || m->version == SIG_BASE)
        return OK;
    if (m->version == SIG_TAPSCRIPT)
        return CC_SCRIPT_ERR_TAPSCRIPT_MINIMALIF;
    return m->flags & CC_VERIFY_MINIMALIF ? CC_SCRIPT_ERR_MINIMALIF : OK;
}

static OP_FN(if)
{
    enum cc_script_error e;
    struct cc_bytes b;

    m->cond_depth++;
    if (!running(m))
        return OK;
    if (!m->stack->count)
        return CC_SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    b = cc_stack_bytes(m->stack, 1);
    e = check_minimal_if(m, b);
    if (e != OK)
        return e;
    if (cc_bytes_true(b) == (op == CC_OP_NOTIF))
        m->cond_false = m->cond_depth;
    m->stack->count--;
    return OK;
}

static OP_FN(else)
{
    if (!m->cond_depth)
        return CC_SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    if (!m->cond_false)
        m->cond_false = m->cond_depth;
    else if (m->cond_false == m->cond_depth)
        m->cond_false = 0;
    return OK;
}

static OP_FN(endif)
{
    if (!m->cond_depth)
        return CC_SCRIPT_ERR_UNBALANCED_CONDITIONAL;
    if (m->cond_false == m->cond_depth)
        m->cond_false = 0;
    m->cond_depth--;
    return OK;
}

static OP_FN(verify)
{
    if (!cc_bytes_true(cc_stack_bytes(m->stack, 1)))
        return CC_SCRIPT_ERR_VERIFY;
    m->stack->count--;
    return OK;
}

static OP_FN(return )
{
    (void)m;
    return CC_SCRIPT_ERR_OP_RETURN;
}

/* --- Locks ------------------------------------------------------------- */

/* Both sides count blocks, or both seconds, and the transaction's is as
 * late. threshold: from here on a number is a time. */
static bool lock_reached(uint64_t want, uint64_t have, uint64_t threshold)
{
    return (want < threshold) == (have < threshold) && want <= have;
}

/* The number on top, which stays there: five bytes, so that it holds all 32
 * bits of a lock, and a sign that must not be. */
static enum cc_script_error lock_wanted(const struct machine *m, int64_t *n)
{
    enum cc_script_error e;

    if (!m->stack->count)
        return CC_SCRIPT_ERR_INVALID_STACK_OPERATION;
    e = cc_machine_num(m, 1, 5, n);
    if (e == OK && *n < 0)
        e = CC_SCRIPT_ERR_NEGATIVE_LOCKTIME;
    return e;
}

/* BIP 65. */
static OP_FN(checklocktimeverify)
{
    const struct cc_tx *tx = m->spend->s->tx;
    enum cc_script_error e;
    int64_t n;

    if (!(m->flags & CC_VERIFY_CHECKLOCKTIMEVERIFY))
        return OK;
    e = lock_wanted(m, &n);
    if (e != OK)
        return e;
    if (!lock_reached((uint64_t)n, tx->locktime, CC_LOCKTIME_THRESHOLD))
        return CC_SCRIPT_ERR_UNSATISFIED_LOCKTIME;
    /* A final input would make the lock time mean nothing. */
    if (tx->vin[m->spend->index].sequence == CC_SEQUENCE_FINAL)
        return CC_SCRIPT_ERR_UNSATISFIED_LOCKTIME;
    return OK;
}

/* BIP 112. */
static OP_FN(checksequenceverify)
{
    const struct cc_tx *tx = m->spend->s->tx;
    uint32_t have = tx->vin[m->spend->index].sequence;
    const uint32_t mask = SEQUENCE_TYPE_TIME | SEQUENCE_MASK;
    enum cc_script_error e;
    int64_t n;

    if (!(m->flags & CC_VERIFY_CHECKSEQUENCEVERIFY))
        return OK;
    e = lock_wanted(m, &n);
    if (e != OK)
        return e;
    if (n & SEQUENCE_DISABLE)
        return OK;
    if ((uint32_t)tx->version < 2 || have & SEQUENCE_DISABLE ||
        !lock_reached((uint64_t)n & mask, have & mask, SEQUENCE_TYPE_TIME))
        return CC_SCRIPT_ERR_UNSATISFIED_LOCKTIME;
    return OK;
}

/* --- Table ------------------------------------------------------------- */

static const struct op {
    op_fn run;   /* NULL: bad opcode */
    size_t need; /* elements that must be there */
} ops[256] = {
    [CC_OP_1NEGATE] = {cc_op_number, 0},
    [CC_OP_1] = {cc_op_number, 0},
    [CC_OP_2] = {cc_op_number, 0},
    [CC_OP_3] = {cc_op_number, 0},
    [CC_OP_4] = {cc_op_number, 0},
    [CC_OP_5] = {cc_op_number, 0},
    [CC_OP_6] = {cc_op_number, 0},
    [CC_OP_7] = {cc_op_number, 0},
    [CC_OP_8] = {cc_op_number, 0},
    [CC_OP_9] = {cc_op_number, 0},
    [CC_OP_10] = {cc_op_number, 0},
    [CC_OP_11] = {cc_op_number, 0},
    [CC_OP_12] = {cc_op_number, 0},
    [CC_OP_13] = {cc_op_number, 0},
    [CC_OP_14] = {cc_op_number, 0},
    [CC_OP_15] = {cc_op_number, 0},
    [CC_OP_16] = {cc_op_number, 0},
    [CC_OP_NOP] = {cc_op_nop, 0},
    [CC_OP_IF] = {cc_op_if, 0},
    [CC_OP_NOTIF] = {cc_op_if, 0},
    [CC_OP_ELSE] = {cc_op_else, 0},
    [CC_OP_ENDIF] = {cc_op_endif, 0},
    [CC_OP_VERIFY] = {cc_op_verify, 1},
    [CC_OP_RETURN] = {cc_op_return, 0},
    [CC_OP_TOALTSTACK] = {cc_op_toaltstack, 1},
    [CC_OP_FROMALTSTACK] = {cc_op_fromaltstack, 0},
    [CC_OP_2DROP] = {cc_op_2drop, 2},
    [CC_OP_2DUP] = {cc_op_2dup, 2},
    [CC_OP_3DUP] = {cc_op_3dup, 3},
    [CC_OP_2OVER] = {cc_op_2over, 4},
    [CC_OP_2ROT] = {cc_op_2rot, 6},
    [CC_OP_2SWAP] = {cc_op_2swap, 4},
    [CC_OP_IFDUP] = {cc_op_ifdup, 1},
    [CC_OP_DEPTH] = {cc_op_depth, 0},
    [CC_OP_DROP] = {cc_op_drop, 1},
    [CC_OP_DUP] = {cc_op_dup, 1},
    [CC_OP_NIP] = {cc_op_nip, 2},
    [CC_OP_OVER] = {cc_op_over, 2},
    [CC_OP_PICK] = {cc_op_pick, 2},
    [CC_OP_ROLL] = {cc_op_roll, 2},
    [CC_OP_ROT] = {cc_op_rot, 3},
    [CC_OP_SWAP] = {cc_op_swap, 2},
    [CC_OP_TUCK] = {cc_op_tuck, 2},
    [CC_OP_SIZE] = {cc_op_size, 1},
    [CC_OP_EQUAL] = {cc_op_equal, 2},
    [CC_OP_EQUALVERIFY] = {cc_op_equal, 2},
    [CC_OP_1ADD] = {cc_op_unary, 1},
    [CC_OP_1SUB] = {cc_op_unary, 1},
    [CC_OP_NEGATE] = {cc_op_unary, 1},
    [CC_OP_ABS] = {cc_op_unary, 1},
    [CC_OP_NOT] = {cc_op_unary, 1},
    [CC_OP_0NOTEQUAL] = {cc_op_unary, 1},
    [CC_OP_ADD] = {cc_op_binary, 2},
    [CC_OP_SUB] = {cc_op_binary, 2},
    [CC_OP_BOOLAND] = {cc_op_binary, 2},
    [CC_OP_BOOLOR] = {cc_op_binary, 2},
    [CC_OP_NUMEQUAL] = {cc_op_binary, 2},
    [CC_OP_NUMEQUALVERIFY] = {cc_op_binary, 2},
    [CC_OP_NUMNOTEQUAL] = {cc_op_binary, 2},
    [CC_OP_LESSTHAN] = {cc_op_binary, 2},
    [CC_OP_GREATERTHAN] = {cc_op_binary, 2},
    [CC_OP_LESSTHANOREQUAL] = {cc_op_binary, 2},
    [CC_OP_GREATERTHANOREQUAL] = {cc_op_binary, 2},
    [CC_OP_MIN] = {cc_op_binary, 2},
    [CC_OP_MAX] = {cc_op_binary, 2},
    [CC_OP_WITHIN] = {cc_op_within, 3},
    [CC_OP_RIPEMD160] = {cc_op_hash, 1},
    [CC_OP_SHA1] = {cc_op_hash, 1},
    [CC_OP_SHA256] = {cc_op_hash, 1},
    [CC_OP_HASH160] = {cc_op_hash, 1},
    [CC_OP_HASH256] = {cc_op_hash, 1},
    [CC_OP_CODESEPARATOR] = {cc_op_codeseparator, 0},
    [CC_OP_CHECKSIG] = {cc_op_checksig, 2},
    [CC_OP_CHECKSIGVERIFY] = {cc_op_checksig, 2},
    [CC_OP_CHECKMULTISIG] = {cc_op_checkmultisig, 0},
    [CC_OP_CHECKMULTISIGVERIFY] = {cc_op_checkmultisig, 0},
    [CC_OP_NOP1] = {cc_op_nop_upgradable, 0},
    [CC_OP_CHECKLOCKTIMEVERIFY] = {cc_op_checklocktimeverify, 0},
    [CC_OP_CHECKSEQUENCEVERIFY] = {cc_op_checksequenceverify, 0},
    [CC_OP_NOP4] = {cc_op_nop_upgradable, 0},
    [CC_OP_NOP5] = {cc_op_nop_upgradable, 0},
    [CC_OP_NOP6] = {cc_op_nop_upgradable, 0},
    [CC_OP_NOP7] = {cc_op_nop_upgradable, 0},
    [CC_OP_NOP8] = {cc_op_nop_upgradable, 0},
    [CC_OP_NOP9] = {cc_op_nop_upgradable, 0},
    [CC_OP_NOP10] = {cc_op_nop_upgradable, 0},
    [CC_OP_CHECKSIGADD] = {cc_op_checksigadd, 0},
};

/* CVE-2010-5137 and its like: gone for good, wherever they stand. */
static bool is_disabled(uint8_t op)
{
    switch (op) {
    case CC_OP_CAT:
    case CC_OP_SUBSTR:
    case CC_OP_LEFT:
    case CC_OP_RIGHT:
    case CC_OP_INVERT:
    case CC_OP_AND:
    case CC_OP_OR:
    case CC_OP_XOR:
    case CC_OP_2MUL:
    case CC_OP_2DIV:
    case CC_OP_MUL:
    case CC_OP_DIV:
    case CC_OP_MOD:
    case CC_OP_LSHIFT:
    case CC_OP_RSHIFT:
        return true;
    default:
        return false;
    }
}

/* --- Running ----------------------------------------------------------- */

/* Rules that hold for an operation even where it does not run. */
static enum cc_script_error check_step(struct machine *m, uint8_t op,
                                       struct cc_bytes push)
{
    if (push.len > CC_MAX_SCRIPT_ELEMENT_SIZE)
        return CC_SCRIPT_ERR_PUSH_SIZE;
    if (m->version != SIG_TAPSCRIPT && op > CC_OP_16 &&
        ++m->ops > CC_MAX_SCRIPT_OPS)
        return CC_SCRIPT_ERR_OP_COUNT;
    if (is_disabled(op))
        return CC_SCRIPT_ERR_DISABLED_OPCODE;
    if (op == CC_OP_CODESEPARATOR && m->version == SIG_BASE &&
        m->flags & CC_VERIFY_CONST_SCRIPTCODE)
        return CC_SCRIPT_ERR_OP_CODESEPARATOR;
    return OK;
}

static enum cc_script_error step(struct machine *m, uint8_t op,
                                 struct cc_bytes push)
{
    enum cc_script_error e = check_step(m, op, push);

    if (e != OK)
        return e;
    /* Conditionals run anywhere; so do the two that are bad anywhere. */
    if (!running(m) && (op < CC_OP_IF || op > CC_OP_ENDIF))
        return OK;
    if (op <= CC_OP_PUSHDATA4) {
        if (m->flags & CC_VERIFY_MINIMALDATA &&
            !cc_script_push_is_minimal(op, push))
            return CC_SCRIPT_ERR_MINIMALDATA;
        cc_stack_push_ref(m->stack, push);
        return OK;
    }
    if (!ops[op].run)
        return CC_SCRIPT_ERR_BAD_OPCODE;
    if (m->stack->count < ops[op].need)
        return CC_SCRIPT_ERR_INVALID_STACK_OPERATION;
    return ops[op].run(m, op);
}

static enum cc_script_error run(struct machine *m)
{
    enum cc_script_error e;
    struct cc_bytes push;
    uint8_t op;

    if (m->version != SIG_TAPSCRIPT && m->script.len > CC_MAX_SCRIPT_SIZE)
        return CC_SCRIPT_ERR_SCRIPT_SIZE;
    for (; cc_script_next(m->script, &m->pos, &op, &push); m->op_index++) {
        e = step(m, op, push);
        if (e != OK)
            return e;
        if (m->stack->count + m->alt.count > CC_MAX_STACK_SIZE)
            return CC_SCRIPT_ERR_STACK_SIZE;
    }
    if (m->pos < m->script.len)
        return CC_SCRIPT_ERR_BAD_OPCODE; /* a push that is cut short */
    return m->cond_depth ? CC_SCRIPT_ERR_UNBALANCED_CONDITIONAL : OK;
}

enum cc_script_error cc_machine_run(struct spend *spend,
                                    enum sig_version version,
                                    struct cc_bytes script, struct stack *stack)
{
    enum cc_script_error e;
    struct machine m;

    m.spend = spend;
    m.flags = spend->flags;
    m.version = version;
    m.script = script;
    m.pos = m.code_start = 0;
    m.op_index = 0;
    m.ops = 0;
    m.cond_depth = m.cond_false = 0;
    m.stack = stack;
    cc_stack_init(&m.alt);
    m.cache.count = m.cache.next = 0;
    spend->tap.codesep_pos = UINT32_MAX; /* none has run */
    e = run(&m);
    cc_stack_clear(&m.alt);
    return e;
}
