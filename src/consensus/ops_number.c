/* Arithmetic and hashes. Operands have at most 4 bytes, so no result leaves
 * 64 bits; a result of 5 bytes may stand but not be used as a number again. */
#include "consensus/machine.h"

#include "crypto/hash.h"

#define OK CC_SCRIPT_ERR_OK
#define NUM_MAX 4

OP_FN(unary)
{
    enum cc_script_error e;
    int64_t n;

    e = cc_machine_num(m, 1, NUM_MAX, &n);
    if (e != OK)
        return e;
    switch (op) {
    case CC_OP_1ADD:
        n++;
        break;
    case CC_OP_1SUB:
        n--;
        break;
    case CC_OP_NEGATE:
        n = -n;
        break;
    case CC_OP_ABS:
        n = n < 0 ? -n : n;
        break;
    case CC_OP_NOT:
        n = n == 0;
        break;
    default: /* OP_0NOTEQUAL */
        n = n != 0;
        break;
    }
    m->stack->count--;
    cc_stack_push_num(m->stack, n);
    return OK;
}

static int64_t combine(uint8_t op, int64_t a, int64_t b)
{
    switch (op) {
    case CC_OP_ADD:
        return a + b;
    case CC_OP_SUB:
        return a - b;
    case CC_OP_BOOLAND:
        return a != 0 && b != 0;
    case CC_OP_BOOLOR:
        return a != 0 || b != 0;
    case CC_OP_NUMEQUAL:
    case CC_OP_NUMEQUALVERIFY:
        return a == b;
    case CC_OP_NUMNOTEQUAL:
        return a != b;
    case CC_OP_LESSTHAN:
        return a < b;
    case CC_OP_GREATERTHAN:
        return a > b;
    case CC_OP_LESSTHANOREQUAL:
        return a <= b;
    case CC_OP_GREATERTHANOREQUAL:
        return a >= b;
    case CC_OP_MIN:
        return a < b ? a : b;
    default: /* OP_MAX */
        return a > b ? a : b;
    }
}

OP_FN(binary)
{
    enum cc_script_error e;
    int64_t a, b, n;

    e = cc_machine_num(m, 2, NUM_MAX, &a);
    if (e != OK)
        return e;
    e = cc_machine_num(m, 1, NUM_MAX, &b);
    if (e != OK)
        return e;
    m->stack->count -= 2;
    n = combine(op, a, b);
    if (op == CC_OP_NUMEQUALVERIFY)
        return n ? OK : CC_SCRIPT_ERR_NUMEQUALVERIFY;
    cc_stack_push_num(m->stack, n);
    return OK;
}

/* x min max: min <= x < max. */
OP_FN(within)
{
    enum cc_script_error e;
    int64_t v[3];

    for (size_t i = 0; i < 3; i++) {
        e = cc_machine_num(m, 3 - i, NUM_MAX, &v[i]);
        if (e != OK)
            return e;
    }
    m->stack->count -= 3;
    cc_stack_push_bool(m->stack, v[1] <= v[0] && v[0] < v[2]);
    return OK;
}

OP_FN(hash)
{
    struct cc_bytes b = cc_stack_bytes(m->stack, 1);
    size_t len = 20;
    uint8_t h[32];

    switch (op) {
    case CC_OP_RIPEMD160:
        cc_ripemd160(h, b.data, b.len);
        break;
    case CC_OP_SHA1:
        cc_sha1(h, b.data, b.len);
        break;
    case CC_OP_HASH160:
        cc_hash160(h, b.data, b.len);
        break;
    case CC_OP_SHA256:
        cc_sha256_once(h, b.data, b.len);
        len = 32;
        break;
    default: /* OP_HASH256 */
        cc_hash256(h, b.data, b.len);
        len = 32;
        break;
    }
    m->stack->count--;
    cc_stack_push_copy(m->stack, h, len);
    return OK;
}
