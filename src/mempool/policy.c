#include "mempool/policy.h"

#define MAX_STANDARD_VERSION 2
#define MAX_SCRIPT_SIG 1650 /* 15-of-15 P2SH multisig */
#define MAX_P2SH_SIGOPS 15
#define MAX_V0_STACK_ITEMS 100 /* beside the script */
#define MAX_V0_STACK_ITEM 80
#define MAX_V0_SCRIPT 3600
#define MAX_TAPSCRIPT_ITEM 80
#define ANNEX_TAG 0x50
#define LEAF_TAPSCRIPT 0xc0

/* --- Numbers ---------------------------------------------------------------
 */

cc_amount cc_feerate_fee(cc_amount feerate, size_t size)
{
    /* Sizes are below 2^32 and feerates below 2^51: split so that the product
     * does not overflow. */
    cc_amount whole = feerate / 1000 * (cc_amount)size;
    cc_amount rest = feerate % 1000 * (cc_amount)size;

    return whole + rest / 1000 + (rest % 1000 > 0);
}

cc_amount cc_feerate_of(cc_amount fee, size_t size)
{
    cc_amount n = (cc_amount)size;

    /* Split, as above: fees of a package with deltas pass 2^63 / 1000. */
    return n ? fee / n * 1000 + fee % n * 1000 / n : 0;
}

/* High and low half of a product of two 63-bit numbers. */
static void multiply(uint64_t a, uint64_t b, uint64_t *high, uint64_t *low)
{
    uint64_t a1 = a >> 32, a0 = a & UINT32_MAX;
    uint64_t b1 = b >> 32, b0 = b & UINT32_MAX;
    uint64_t mid = a1 * b0 + (a0 * b0 >> 32);
    uint64_t mid2 = a0 * b1 + (mid & UINT32_MAX);

    *high = a1 * b1 + (mid >> 32) + (mid2 >> 32);
    *low = mid2 << 32 | (a0 * b0 & UINT32_MAX);
}

bool cc_feerate_above(cc_amount fee_a, size_t size_a, cc_amount fee_b,
                      size_t size_b)
{
    uint64_t ah, al, bh, bl;

    /* A delta can make a fee negative; those rank below all others, by the
     * amount alone. */
    if (fee_a < 0 || fee_b < 0)
        return fee_a > fee_b;
    multiply((uint64_t)fee_a, size_b, &ah, &al);
    multiply((uint64_t)fee_b, size_a, &bh, &bl);
    return ah != bh ? ah > bh : al > bl;
}

size_t cc_policy_vsize(size_t weight, int64_t sigop_cost,
                       unsigned bytes_per_sigop)
{
    size_t by_sigops = (size_t)sigop_cost * bytes_per_sigop;

    if (weight < by_sigops)
        weight = by_sigops;
    return (weight + CC_WITNESS_SCALE - 1) / CC_WITNESS_SCALE;
}

cc_amount cc_policy_dust(const struct cc_txout *out, cc_amount feerate)
{
    struct cc_bytes program;
    size_t size;
    int version;

    if (cc_script_is_unspendable(out->script))
        return 0;
    size = 8 + cc_compact_size(out->script.len) + out->script.len;
    /* The input that spends it: 107 bytes of signature and key, a quarter of
     * that in a witness. */
    size += cc_script_is_witness(out->script, &version, &program)
                ? 32 + 4 + 1 + 107 / 4 + 4
                : 32 + 4 + 1 + 107 + 4;
    return cc_feerate_fee(feerate, size);
}

/* --- The transaction alone -------------------------------------------------
 */

/* OP_STORAGE <kind ...>: kinds we have rules for. */
static bool is_known_typed(struct cc_bytes script)
{
    struct cc_typed t;

    return cc_typed_parse(&t, script, NULL) == CC_OK &&
           t.kind != CC_KIND_RESERVED;
}

static bool multisig_is_standard(const struct cc_bytes *sols, size_t count)
{
    unsigned m = sols[0].data[0], n = sols[count - 1].data[0];

    return n >= 1 && n <= 3 && m >= 1 && m <= n;
}

static enum cc_status check_output(const struct cc_txout *out,
                                   const struct cc_policy *policy,
                                   unsigned *data_outputs, struct cc_error *err)
{
    struct cc_bytes sols[22];
    size_t count = 0;

    switch (cc_script_solve(out->script, policy->storage, sols, &count)) {
    case CC_SCRIPT_NONSTANDARD:
        return cc_reject_code(err, CC_REJECT_SCRIPTPUBKEY);
    case CC_SCRIPT_STORAGE:
        /* Room for soft forks stays unused. What it must hold is a rule. */
        if (!is_known_typed(out->script))
            return cc_reject_code(err, CC_REJECT_SCRIPTPUBKEY);
        return CC_OK;
    case CC_SCRIPT_NULL_DATA:
        if (out->script.len > policy->datacarrier_bytes)
            return cc_reject_code(err, CC_REJECT_SCRIPTPUBKEY);
        ++*data_outputs;
        return CC_OK;
    case CC_SCRIPT_MULTISIG:
        if (!multisig_is_standard(sols, count))
            return cc_reject_code(err, CC_REJECT_SCRIPTPUBKEY);
        if (!policy->bare_multisig)
            return cc_reject_code(err, CC_REJECT_BARE_MULTISIG);
        break;
    case CC_SCRIPT_PUBKEY:
    case CC_SCRIPT_PUBKEYHASH:
    case CC_SCRIPT_SCRIPTHASH:
    case CC_SCRIPT_WITNESS_V0_KEYHASH:
    case CC_SCRIPT_WITNESS_V0_SCRIPTHASH:
    case CC_SCRIPT_WITNESS_V1_TAPROOT:
    case CC_SCRIPT_WITNESS_UNKNOWN:
        break;
    }
    if (out->value < cc_policy_dust(out, policy->dust_feerate))
        return cc_reject_code(err, CC_REJECT_DUST);
    return CC_OK;
}

enum cc_status cc_policy_check_tx(const struct cc_tx *tx,
                                  const struct cc_policy *policy,
                                  struct cc_error *err)
{
    unsigned data_outputs = 0;
    enum cc_status st;

    if (tx->version > MAX_STANDARD_VERSION || tx->version < 1)
        return cc_reject_code(err, CC_REJECT_VERSION);
    if (cc_tx_weight(tx) > CC_MAX_STANDARD_WEIGHT)
        return cc_reject_code(err, CC_REJECT_TX_SIZE);
    for (size_t i = 0; i < tx->vin_count; i++) {
        if (tx->vin[i].script_sig.len > MAX_SCRIPT_SIG)
            return cc_reject_code(err, CC_REJECT_SCRIPTSIG_SIZE);
        if (!cc_script_is_push_only(tx->vin[i].script_sig))
            return cc_reject_code(err, CC_REJECT_SCRIPTSIG_PUSH);
    }
    for (size_t i = 0; i < tx->vout_count; i++) {
        st = check_output(&tx->vout[i], policy, &data_outputs, err);
        if (st != CC_OK)
            return st;
    }
    if (data_outputs > 1)
        return cc_reject_code(err, CC_REJECT_MULTI_OP_RETURN);
    return CC_OK;
}

/* --- With what it spends ---------------------------------------------------
 */

/* What the last push of a scriptSig leaves on the stack; false if there is
 * none, or an operation that pushes nothing. */
static bool last_push(struct cc_bytes script, struct cc_bytes *out)
{
    size_t pos = 0;
    uint8_t op;
    bool any = false;

    while (pos < script.len) {
        if (!cc_script_next(script, &pos, &op, out) || op > CC_OP_16)
            return false;
        /* A small number is no script that could be spent. */
        if (op > CC_OP_PUSHDATA4)
            *out = cc_bytes(NULL, 0);
        any = true;
    }
    return any;
}

static bool is_typed(struct cc_bytes script, bool storage)
{
    return storage && script.len > 0 && script.data[0] == CC_OP_STORAGE;
}

static bool input_is_standard(const struct cc_txin *in, struct cc_bytes script,
                              bool storage)
{
    struct cc_bytes sols[22], redeem;
    size_t count = 0;

    switch (cc_script_solve(script, storage, sols, &count)) {
    case CC_SCRIPT_NONSTANDARD:
    case CC_SCRIPT_WITNESS_UNKNOWN:
        return false;
    case CC_SCRIPT_STORAGE:
        return is_known_typed(script);
    case CC_SCRIPT_SCRIPTHASH:
        return last_push(in->script_sig, &redeem) &&
               cc_script_sigops(redeem, true) <= MAX_P2SH_SIGOPS;
    case CC_SCRIPT_PUBKEY:
    case CC_SCRIPT_PUBKEYHASH:
    case CC_SCRIPT_MULTISIG:
    case CC_SCRIPT_NULL_DATA:
    case CC_SCRIPT_WITNESS_V0_KEYHASH:
    case CC_SCRIPT_WITNESS_V0_SCRIPTHASH:
    case CC_SCRIPT_WITNESS_V1_TAPROOT:
        break;
    }
    return true;
}

enum cc_status cc_policy_check_inputs(const struct cc_tx *tx,
                                      const struct cc_coin *coins, bool storage,
                                      struct cc_error *err)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (!input_is_standard(&tx->vin[i], coins[i].out.script, storage))
            return cc_reject_code(err, CC_REJECT_NONSTANDARD_INPUTS);
    return CC_OK;
}

/* All but the last left items of a witness are at most max bytes. */
static bool items_fit(const struct cc_txin *in, size_t left, size_t max)
{
    for (size_t i = 0; i + left < in->witness_count; i++)
        if (in->witness[i].len > max)
            return false;
    return true;
}

static bool taproot_is_standard(const struct cc_txin *in)
{
    const struct cc_bytes *last = &in->witness[in->witness_count - 1];

    if (in->witness_count >= 2 && last->len > 0 && last->data[0] == ANNEX_TAG)
        return false;
    if (in->witness_count == 1)
        return true;
    if (last->len == 0)
        return false;
    return (last->data[0] & 0xfe) != LEAF_TAPSCRIPT ||
           items_fit(in, 2, MAX_TAPSCRIPT_ITEM);
}

static bool witness_is_standard(const struct cc_txin *in,
                                struct cc_bytes script, bool storage)
{
    struct cc_bytes program;
    bool p2sh = cc_script_is_p2sh(script);
    int version;

    /* Every size in a typed coin's witness is fixed by the rules. */
    if (in->witness_count == 0 || is_typed(script, storage))
        return true;
    if (p2sh && !last_push(in->script_sig, &script))
        return false;
    if (!cc_script_is_witness(script, &version, &program))
        return false;
    if (version == 0 && program.len == 32)
        return in->witness[in->witness_count - 1].len <= MAX_V0_SCRIPT &&
               in->witness_count - 1 <= MAX_V0_STACK_ITEMS &&
               items_fit(in, 1, MAX_V0_STACK_ITEM);
    if (version == 1 && program.len == 32 && !p2sh)
        return taproot_is_standard(in);
    return true;
}

enum cc_status cc_policy_check_witness(const struct cc_tx *tx,
                                       const struct cc_coin *coins,
                                       bool storage, struct cc_error *err)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (!witness_is_standard(&tx->vin[i], coins[i].out.script, storage))
            return cc_reject_code(err, CC_REJECT_WITNESS_NONSTANDARD);
    return CC_OK;
}
