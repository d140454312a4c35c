/* Counting signature operations: BIP 16 and BIP 141. */
#include "consensus/interpreter.h"

unsigned cc_script_sigops(struct cc_bytes script, bool accurate)
{
    uint8_t op, last = CC_OP_INVALIDOPCODE;
    struct cc_bytes push;
    unsigned n = 0;
    size_t pos = 0;

    /* What stands behind a push that is cut short does not count. */
    while (cc_script_next(script, &pos, &op, &push)) {
        if (op == CC_OP_CHECKSIG || op == CC_OP_CHECKSIGVERIFY)
            n++;
        else if (op == CC_OP_CHECKMULTISIG || op == CC_OP_CHECKMULTISIGVERIFY)
            n += accurate && last >= CC_OP_1 && last <= CC_OP_16
                     ? last - CC_OP_1 + 1u
                     : CC_MAX_PUBKEYS_PER_MULTISIG;
        last = op;
    }
    return n;
}

unsigned cc_tx_legacy_sigops(const struct cc_tx *tx)
{
    unsigned n = 0;

    for (size_t i = 0; i < tx->vin_count; i++)
        n += cc_script_sigops(tx->vin[i].script_sig, false);
    for (size_t i = 0; i < tx->vout_count; i++)
        n += cc_script_sigops(tx->vout[i].script, false);
    return n;
}

/* What the last operation of a push-only script pushes as bytes: the script
 * that P2SH runs. False if it is not push-only. */
static bool last_push(struct cc_bytes script, struct cc_bytes *out)
{
    struct cc_bytes push;
    size_t pos = 0;
    uint8_t op;

    *out = cc_bytes(NULL, 0);
    while (cc_script_next(script, &pos, &op, &push)) {
        if (op > CC_OP_16)
            return false;
        *out = push;
    }
    return pos == script.len;
}

static unsigned witness_sigops(const struct cc_txin *in, int version,
                               struct cc_bytes program)
{
    if (version != 0)
        return 0; /* BIP 342 budgets tapscript by weight instead */
    if (program.len == 20)
        return 1;
    if (program.len == 32 && in->witness_count)
        return cc_script_sigops(in->witness[in->witness_count - 1], true);
    return 0;
}

static int64_t input_cost(const struct cc_txin *in, struct cc_bytes script,
                          uint32_t flags)
{
    bool p2sh = flags & CC_VERIFY_P2SH && cc_script_is_p2sh(script);
    struct cc_bytes redeem, program;
    int64_t cost = 0;
    int version;

    if (p2sh) {
        if (!last_push(in->script_sig, &redeem))
            return 0;
        cost = (int64_t)cc_script_sigops(redeem, true) * CC_WITNESS_SCALE;
        script = redeem;
    }
    if (flags & CC_VERIFY_WITNESS &&
        cc_script_is_witness(script, &version, &program))
        cost += witness_sigops(in, version, program);
    return cost;
}

int64_t cc_tx_sigop_cost(const struct cc_tx *tx, const struct cc_coin *coins,
                         uint32_t flags)
{
    int64_t cost = (int64_t)cc_tx_legacy_sigops(tx) * CC_WITNESS_SCALE;

    if (cc_tx_is_coinbase(tx))
        return cost;
    for (size_t i = 0; i < tx->vin_count; i++)
        cost += input_cost(&tx->vin[i], coins[i].out.script, flags);
    return cost;
}
