/* Operations that move elements about. interpreter.c has checked that as many
 * are there as its table says. */
#include "consensus/machine.h"

#define OK CC_SCRIPT_ERR_OK

OP_FN(toaltstack)
{
    cc_stack_push(&m->alt, cc_stack_at(m->stack, 1));
    m->stack->count--;
    return OK;
}

OP_FN(fromaltstack)
{
    if (!m->alt.count)
        return CC_SCRIPT_ERR_INVALID_ALTSTACK_OPERATION;
    cc_stack_push(m->stack, cc_stack_at(&m->alt, 1));
    m->alt.count--;
    return OK;
}

OP_FN(2drop)
{
    m->stack->count -= 2;
    return OK;
}

/* Push the n elements that end at depth from the top. */
static enum cc_script_error copy_up(struct machine *m, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        cc_stack_push(m->stack, cc_stack_at(m->stack, from));
    return OK;
}

OP_FN(2dup) { return copy_up(m, 2, 2); }

OP_FN(3dup) { return copy_up(m, 3, 3); }

OP_FN(2over) { return copy_up(m, 4, 2); }

/* The lowest k of the top n come on top, in their order. */
static enum cc_script_error rotate(struct machine *m, size_t n, size_t k)
{
    struct elem low[2], *base = cc_stack_at(m->stack, n);

    memcpy(low, base, k * sizeof(*low));
    memmove(base, base + k, (n - k) * sizeof(*base));
    memcpy(base + n - k, low, k * sizeof(*low));
    return OK;
}

OP_FN(2rot) { return rotate(m, 6, 2); }

OP_FN(2swap) { return rotate(m, 4, 2); }

OP_FN(rot) { return rotate(m, 3, 1); }

OP_FN(swap) { return rotate(m, 2, 1); }

OP_FN(ifdup)
{
    return cc_bytes_true(cc_stack_bytes(m->stack, 1)) ? copy_up(m, 1, 1) : OK;
}

OP_FN(depth)
{
    cc_stack_push_num(m->stack, (int64_t)m->stack->count);
    return OK;
}

OP_FN(drop)
{
    m->stack->count--;
    return OK;
}

OP_FN(dup) { return copy_up(m, 1, 1); }

OP_FN(nip)
{
    *cc_stack_at(m->stack, 2) = *cc_stack_at(m->stack, 1);
    m->stack->count--;
    return OK;
}

OP_FN(over) { return copy_up(m, 2, 1); }

/* x1 x2 to x2 x1 x2. */
OP_FN(tuck)
{
    rotate(m, 2, 1);
    return copy_up(m, 2, 1);
}

/* The depth that PICK and ROLL take off the stack, from the top = 1. */
static enum cc_script_error take_depth(struct machine *m, size_t *depth)
{
    enum cc_script_error e;
    int64_t n;

    e = cc_machine_num(m, 1, 4, &n);
    if (e != OK)
        return e;
    m->stack->count--;
    if (n < 0 || (uint64_t)n >= m->stack->count)
        return CC_SCRIPT_ERR_INVALID_STACK_OPERATION;
    *depth = (size_t)n + 1;
    return OK;
}

OP_FN(pick)
{
    enum cc_script_error e;
    size_t depth;

    e = take_depth(m, &depth);
    return e == OK ? copy_up(m, depth, 1) : e;
}

OP_FN(roll)
{
    enum cc_script_error e;
    size_t depth;

    e = take_depth(m, &depth);
    return e == OK ? rotate(m, depth, 1) : e;
}

OP_FN(size)
{
    cc_stack_push_num(m->stack, cc_stack_at(m->stack, 1)->len);
    return OK;
}

OP_FN(equal)
{
    bool same = cc_bytes_equal(cc_stack_bytes(m->stack, 1),
                               cc_stack_bytes(m->stack, 2));

    m->stack->count -= 2;
    if (op == CC_OP_EQUALVERIFY)
        return same ? OK : CC_SCRIPT_ERR_EQUALVERIFY;
    cc_stack_push_bool(m->stack, same);
    return OK;
}
