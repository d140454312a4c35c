/* Does an input spend its coin? Scripts, P2SH (BIP 16), witness programs
 * (BIP 141) and taproot (BIP 341, 342), in Bitcoin's order. */
#include "consensus/machine.h"
#include "crypto/ec.h"
#include "crypto/hash.h"

#define OK CC_SCRIPT_ERR_OK

#define ANNEX_TAG 0x50
#define LEAF_TAPSCRIPT 0xc0
#define LEAF_MASK 0xfe
#define CONTROL_BASE 33
#define CONTROL_NODE 32
#define CONTROL_MAX_NODES 128
#define BUDGET_FREE 50 /* BIP 342: one signature is free */

/* More than any one operation can bring back below the limit: CHECKMULTISIG
 * takes 43 off. */
#define V0_MAX_START (CC_MAX_STACK_SIZE + 64)

static bool is_success(uint8_t op)
{
    return op == 80 || op == 98 || (op >= 126 && op <= 129) ||
           (op >= 131 && op <= 134) || op == 137 || op == 138 || op == 141 ||
           op == 142 || (op >= 149 && op <= 153) || (op >= 187 && op <= 254);
}

/* BIP 342: an OP_SUCCESSx anywhere makes the script true, even before what
 * does not decode; but not behind it. */
static enum cc_script_error find_success(struct cc_bytes script, bool *found)
{
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    *found = false;
    while (!*found && cc_script_next(script, &pos, &op, &push))
        *found = is_success(op);
    return *found || pos == script.len ? OK : CC_SCRIPT_ERR_BAD_OPCODE;
}

/* Runs a witness script over count items, which must leave one true. */
static enum cc_script_error
run_witness(struct spend *sp, enum sig_version version, struct cc_bytes script,
            const struct cc_bytes *items, size_t count)
{
    enum cc_script_error e;
    struct stack stack;

    if (count > (version == SIG_TAPSCRIPT ? CC_MAX_STACK_SIZE : V0_MAX_START))
        return CC_SCRIPT_ERR_STACK_SIZE;
    for (size_t i = 0; i < count; i++)
        if (items[i].len > CC_MAX_SCRIPT_ELEMENT_SIZE)
            return CC_SCRIPT_ERR_PUSH_SIZE;
    cc_stack_init(&stack);
    for (size_t i = 0; i < count; i++)
        cc_stack_push_ref(&stack, items[i]);
    e = cc_machine_run(sp, version, script, &stack);
    if (e == OK && stack.count != 1)
        e = CC_SCRIPT_ERR_CLEANSTACK;
    else if (e == OK && !cc_bytes_true(cc_stack_bytes(&stack, 1)))
        e = CC_SCRIPT_ERR_EVAL_FALSE;
    cc_stack_clear(&stack);
    return e;
}

static enum cc_script_error
verify_v0(struct spend *sp, const struct cc_txin *in, struct cc_bytes program)
{
    uint8_t code[25] = {CC_OP_DUP, CC_OP_HASH160, 20}, hash[32];
    struct cc_bytes script;

    if (program.len == 32) {
        if (!in->witness_count)
            return CC_SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
        script = in->witness[in->witness_count - 1];
        cc_sha256_once(hash, script.data, script.len);
        if (memcmp(hash, program.data, 32) != 0)
            return CC_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
        return run_witness(sp, SIG_WITNESS_V0, script, in->witness,
                           in->witness_count - 1);
    }
    if (program.len != 20)
        return CC_SCRIPT_ERR_WITNESS_PROGRAM_WRONG_LENGTH;
    if (in->witness_count != 2)
        return CC_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    memcpy(code + 3, program.data, 20);
    code[23] = CC_OP_EQUALVERIFY;
    code[24] = CC_OP_CHECKSIG;
    return run_witness(sp, SIG_WITNESS_V0, cc_bytes(code, sizeof(code)),
                       in->witness, 2);
}

/* Bytes of the input's witness on the wire, which BIP 342 counts. */
static int64_t witness_size(const struct cc_txin *in)
{
    size_t n = cc_compact_size(in->witness_count);

    for (size_t i = 0; i < in->witness_count; i++)
        n += cc_compact_size(in->witness[i].len) + in->witness[i].len;
    return (int64_t)n;
}

static enum cc_script_error run_tapscript(struct spend *sp,
                                          const struct cc_txin *in,
                                          struct cc_bytes script, size_t count)
{
    enum cc_script_error e;
    bool success;

    e = find_success(script, &success);
    if (e != OK)
        return e;
    if (success)
        return sp->flags & CC_VERIFY_DISCOURAGE_OP_SUCCESS
                   ? CC_SCRIPT_ERR_DISCOURAGE_OP_SUCCESS
                   : OK;
    sp->tap.tapscript = true;
    sp->budget = witness_size(in) + BUDGET_FREE;
    return run_witness(sp, SIG_TAPSCRIPT, script, in->witness, count);
}

/* count items below the annex: ... script control. */
static enum cc_script_error verify_script_path(struct spend *sp,
                                               const struct cc_txin *in,
                                               struct cc_bytes program,
                                               size_t count)
{
    struct cc_bytes control = in->witness[count - 1];
    struct cc_bytes script = in->witness[count - 2];
    uint8_t root[32], tweak[32], leaf_version;
    size_t nodes;

    if (control.len < CONTROL_BASE ||
        (control.len - CONTROL_BASE) % CONTROL_NODE != 0)
        return CC_SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE;
    nodes = (control.len - CONTROL_BASE) / CONTROL_NODE;
    if (nodes > CONTROL_MAX_NODES)
        return CC_SCRIPT_ERR_TAPROOT_WRONG_CONTROL_SIZE;
    leaf_version = control.data[0] & LEAF_MASK;
    cc_tapleaf_hash(sp->tap.leaf_hash, leaf_version, script);
    cc_tap_root(root, sp->tap.leaf_hash, control.data + CONTROL_BASE, nodes);
    cc_taptweak_hash(tweak, control.data + 1, root);
    if (!cc_ec_tweak_check(program.data, control.data[0] & 1, control.data + 1,
                           tweak))
        return CC_SCRIPT_ERR_WITNESS_PROGRAM_MISMATCH;
    if (leaf_version == LEAF_TAPSCRIPT)
        return run_tapscript(sp, in, script, count - 2);
    return sp->flags & CC_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION
               ? CC_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION
               : OK;
}

static void hash_annex(uint8_t out[32], struct cc_bytes annex)
{
    struct cc_sha256 c;
    struct cc_writer w;
    uint8_t len[9];

    cc_writer_init(&w, len, sizeof(len));
    cc_write_compact(&w, annex.len);
    cc_sha256_init(&c);
    cc_sha256_update(&c, len, w.len);
    cc_sha256_update(&c, annex.data, annex.len);
    cc_sha256_final(&c, out);
}

static enum cc_script_error verify_taproot(struct spend *sp,
                                           const struct cc_txin *in,
                                           struct cc_bytes program)
{
    size_t count = in->witness_count;
    uint8_t annex_hash[32];

    if (!(sp->flags & CC_VERIFY_TAPROOT))
        return OK;
    if (!count)
        return CC_SCRIPT_ERR_WITNESS_PROGRAM_WITNESS_EMPTY;
    if (count >= 2 && in->witness[count - 1].len &&
        in->witness[count - 1].data[0] == ANNEX_TAG) {
        hash_annex(annex_hash, in->witness[count - 1]);
        sp->tap.annex_hash = annex_hash;
        count--;
    }
    if (count == 1)
        return cc_check_schnorr(sp, program.data, in->witness[0]);
    return verify_script_path(sp, in, program, count);
}

static enum cc_script_error verify_program(struct spend *sp, int version,
                                           struct cc_bytes program,
                                           bool inside_p2sh)
{
    const struct cc_txin *in = &sp->s->tx->vin[sp->index];

    if (version == 0)
        return verify_v0(sp, in, program);
    if (version == 1 && program.len == 32 && !inside_p2sh)
        return verify_taproot(sp, in, program);
    return sp->flags & CC_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM
               ? CC_SCRIPT_ERR_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM
               : OK;
}

static enum cc_script_error run_true(struct spend *sp, struct cc_bytes script,
                                     struct stack *stack)
{
    enum cc_script_error e = cc_machine_run(sp, SIG_BASE, script, stack);

    if (e == OK && (!stack->count || !cc_bytes_true(cc_stack_bytes(stack, 1))))
        e = CC_SCRIPT_ERR_EVAL_FALSE;
    return e;
}

/* A scriptSig that is nothing but the push of the redeem script: else third
 * parties could change it, as no signature of a witness covers it. */
static bool only_pushes(struct cc_bytes script_sig, struct cc_bytes redeem)
{
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    return cc_script_next(script_sig, &pos, &op, &push) &&
           pos == script_sig.len && op == redeem.len &&
           cc_bytes_equal(push, redeem);
}

/* stack: as the scriptSig left it, redeem script on top. */
static enum cc_script_error verify_p2sh(struct spend *sp, struct stack *stack,
                                        bool *had_witness)
{
    struct cc_bytes script_sig = sp->s->tx->vin[sp->index].script_sig;
    struct cc_bytes redeem, program;
    enum cc_script_error e;
    struct elem top;
    int version;

    if (!cc_script_is_push_only(script_sig))
        return CC_SCRIPT_ERR_SIG_PUSHONLY;
    top = *cc_stack_at(stack, 1); /* its bytes may be in the element itself */
    stack->count--;
    redeem = elem_bytes(&top);
    e = run_true(sp, redeem, stack);
    if (e != OK || !(sp->flags & CC_VERIFY_WITNESS) ||
        !cc_script_is_witness(redeem, &version, &program))
        return e;
    *had_witness = true;
    if (!only_pushes(script_sig, redeem))
        return CC_SCRIPT_ERR_WITNESS_MALLEATED_P2SH;
    stack->count = 1;
    return verify_program(sp, version, program, true);
}

/* stack and copy: inited, the caller's to clear. */
static enum cc_script_error verify(struct spend *sp, struct cc_bytes script,
                                   struct stack *stack, struct stack *copy)
{
    const struct cc_txin *in = &sp->s->tx->vin[sp->index];
    bool p2sh = sp->flags & CC_VERIFY_P2SH && cc_script_is_p2sh(script);
    bool had_witness = false;
    struct cc_bytes program;
    enum cc_script_error e;
    int version;

    if (sp->flags & CC_VERIFY_SIGPUSHONLY &&
        !cc_script_is_push_only(in->script_sig))
        return CC_SCRIPT_ERR_SIG_PUSHONLY;
    e = cc_machine_run(sp, SIG_BASE, in->script_sig, stack);
    if (e != OK)
        return e;
    if (p2sh)
        cc_stack_copy(copy, stack);
    e = run_true(sp, script, stack);
    if (e != OK)
        return e;
    if (sp->flags & CC_VERIFY_WITNESS &&
        cc_script_is_witness(script, &version, &program)) {
        had_witness = true;
        if (in->script_sig.len)
            return CC_SCRIPT_ERR_WITNESS_MALLEATED;
        e = verify_program(sp, version, program, false);
        stack->count = 1;
    } else if (p2sh) {
        stack = copy;
        e = verify_p2sh(sp, stack, &had_witness);
    }
    if (e != OK)
        return e;
    if (sp->flags & CC_VERIFY_CLEANSTACK && stack->count != 1)
        return CC_SCRIPT_ERR_CLEANSTACK;
    if (sp->flags & CC_VERIFY_WITNESS && !had_witness && in->witness_count)
        return CC_SCRIPT_ERR_WITNESS_UNEXPECTED;
    return OK;
}

bool cc_script_verify(const struct cc_sighash *s, size_t index,
                      struct cc_bytes script, cc_amount value, uint32_t flags,
                      enum cc_script_error *error)
{
    struct spend sp = {.s = s, .index = index, .value = value, .flags = flags};
    struct stack stack, copy;
    enum cc_script_error e;

    cc_stack_init(&stack);
    cc_stack_init(&copy);
    e = verify(&sp, script, &stack, &copy);
    cc_stack_clear(&stack);
    cc_stack_clear(&copy);
    if (error)
        *error = e;
    return e == OK;
}
