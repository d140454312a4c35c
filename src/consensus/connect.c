/* What the coins a block spends allow. */
#include "consensus/check.h"

#include "util/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* "1.00", "0.00012": coins with at least two decimals and no more zeros than
 * that, as Core prints money in its sentences. */
static void format_money(char out[32], cc_amount value)
{
    uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int len =
        snprintf(out, 32, "%s%" PRIu64 ".%08" PRIu64, value < 0 ? "-" : "",
                 v / (uint64_t)CC_COIN, v % (uint64_t)CC_COIN);

    for (int zeros = 0; zeros < 6 && out[len - 1] == '0'; zeros++)
        out[--len] = '\0';
}

static bool is_storage_script(struct cc_bytes script)
{
    return script.len > 0 && script.data[0] == CC_OP_STORAGE;
}

/* Sum of values that are all in range, or false. */
static bool sum_outputs(cc_amount *sum, const struct cc_tx *tx,
                        cc_amount max_money)
{
    *sum = 0;
    for (size_t i = 0; i < tx->vout_count; i++)
        if (!cc_amount_add(sum, *sum, tx->vout[i].value, max_money))
            return false;
    return true;
}

static enum cc_status below_out(struct cc_error *err, cc_amount in,
                                cc_amount out)
{
    char a[32], b[32];

    format_money(a, in);
    format_money(b, out);
    return cc_reject_detail(err, CC_REJECT_IN_BELOWOUT,
                            "value in (%s) < value out (%s)", a, b);
}

enum cc_status cc_tx_check_coins(cc_amount *fee, const struct cc_tx *tx,
                                 const struct cc_coin *coins, uint32_t height,
                                 const struct cc_params *p,
                                 struct cc_error *err)
{
    cc_amount in = 0, out;
    bool typed = false;

    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_coin *coin = &coins[i];
        int64_t depth = (int64_t)height - (int64_t)coin->height;

        if (coin->coinbase && depth < (int64_t)p->coinbase_maturity)
            return cc_reject_detail(err, CC_REJECT_PREMATURE,
                                    "tried to spend coinbase at depth %" PRId64,
                                    depth);
        if (!cc_amount_add(&in, in, coin->out.value, p->max_money))
            return cc_reject_code(err, CC_REJECT_INPUTVALUES);
        if (p->storage_active && is_storage_script(coin->out.script))
            typed = true;
    }
    /* cc_tx_check has been here before: this cannot fail. */
    if (!sum_outputs(&out, tx, p->max_money))
        return cc_reject_code(err, CC_REJECT_TXOUTTOTAL);
    if (in < out && !typed)
        return below_out(err, in, out);
    *fee = in - out;
    return CC_OK;
}

enum cc_status cc_tx_check_spend(cc_amount *fee, const struct cc_tx *tx,
                                 const struct cc_coin *coins,
                                 const struct cc_sighash *s, uint32_t height,
                                 const struct cc_params *p,
                                 const struct cc_storage_view *view,
                                 struct cc_storage_result *r,
                                 struct cc_error *err)
{
    enum cc_status st = cc_tx_check_coins(fee, tx, coins, height, p, err);

    if (st != CC_OK || !p->storage_active)
        return st;
    st = cc_storage_check(r, tx, coins, s, view, err);
    if (st != CC_OK)
        return st;
    *fee = r->fee; /* mint and pool are in it */
    return CC_OK;
}

void cc_connect_init(struct cc_connect *c)
{
    c->flags = cc_block_script_flags(c->params, c->place.height);
    c->fees = c->minted = c->penalties = 0;
    c->claims = 0;
    c->sigop_cost =
        (int64_t)cc_tx_legacy_sigops(&c->block->tx[0]) * CC_WITNESS_SCALE;
}

static enum cc_status check_locks(const struct cc_connect *c,
                                  const struct cc_tx *tx,
                                  const struct cc_coin *coins,
                                  struct cc_error *err)
{
    struct cc_sequence_lock lock;
    uint32_t few[16], *heights = few;

    if (c->place.height < c->params->csv_height || (uint32_t)tx->version < 2)
        return CC_OK;
    if (tx->vin_count > sizeof(few) / sizeof(few[0]))
        heights = cc_reallocarray(NULL, tx->vin_count, sizeof(*heights));
    for (size_t i = 0; i < tx->vin_count; i++)
        heights[i] = coins[i].height;
    lock = cc_tx_sequence_lock(tx, heights, c->mtp, c->mtp_arg);
    if (heights != few)
        free(heights);
    if (!cc_sequence_lock_holds(&lock, c->place.height,
                                c->place.prev_median_time))
        return cc_reject_code(err, CC_REJECT_SEQUENCE_LOCK);
    return CC_OK;
}

static enum cc_status connect_tx(struct cc_connect *c, const struct cc_tx *tx,
                                 const struct cc_coin *coins,
                                 struct cc_sighash *s,
                                 struct cc_storage_result *r,
                                 struct cc_error *err)
{
    const struct cc_params *p = c->params;
    cc_amount fee;
    enum cc_status st;

    cc_sighash_init(s, tx, coins);
    st = cc_tx_check_spend(&fee, tx, coins, s, c->place.height, p, &c->view, r,
                           err);
    if (st != CC_OK)
        return st;
    if (!cc_amount_add(&c->fees, c->fees, fee, p->max_money) ||
        !cc_amount_add(&c->minted, c->minted, r->mint, p->max_money) ||
        !cc_amount_add(&c->penalties, c->penalties, r->pool, p->max_money))
        return cc_reject_code(err, CC_REJECT_FEES_RANGE);
    c->claims += r->claims;
    st = check_locks(c, tx, coins, err);
    if (st != CC_OK)
        return st;
    c->sigop_cost += cc_tx_sigop_cost(tx, coins, c->flags) + r->sigops;
    if (c->sigop_cost > CC_MAX_BLOCK_SIGOPS_COST)
        return cc_reject_code(err, CC_REJECT_SIGOPS_COST);
    return CC_OK;
}

enum cc_status cc_connect_tx(struct cc_connect *c, const struct cc_tx *tx,
                             const struct cc_coin *coins, struct cc_sighash *s,
                             struct cc_storage_result *r, struct cc_error *err)
{
    enum cc_status st = connect_tx(c, tx, coins, s, r, err);

    if (st == CC_INVALID && err)
        err->verdict = CC_VERDICT_CONSENSUS;
    return st;
}

enum cc_status cc_connect_finish(struct cc_connect *c,
                                 struct cc_mint_state *state,
                                 struct cc_error *err)
{
    const struct cc_params *p = c->params;
    uint32_t height = c->place.height;
    cc_amount limit = cc_subsidy(p, height) - cc_subsidy_storage(p, height);
    cc_amount paid;

    /* Two sums within max_money cannot pass int64. */
    limit += c->fees;
    if (!sum_outputs(&paid, &c->block->tx[0], p->max_money) || paid > limit)
        return cc_reject_code(err, CC_REJECT_CB_AMOUNT);
    if (!p->storage_active)
        return CC_OK;
    return cc_mint_next(state, &c->prev_state, height, c->penalties, c->minted,
                        c->claims, p, err);
}
