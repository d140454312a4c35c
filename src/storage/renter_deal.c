/*
 * The terms that a renter proposes to a host: as its options say, else as fits
 * what the host announced. A host's prices are data from outside: whatever
 * they are, rent and allowance stay below what the user set as the most.
 */
#include "storage/renter_deal.h"

#include <inttypes.h>
#include <string.h>

#define LEAD 24 /* blocks until the first period starts: time to be mined */
#define ALLOWANCE_MAX UINT64_C(10000000000000) /* keeps usat in 64 bits */

struct ask {
    const struct cc_renter_options *o;
    const struct cc_host *host;
    struct cc_renter_deal *deal;
};

static uint32_t at_least(uint32_t a, uint32_t b) { return a > b ? a : b; }

static uint32_t at_most(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Periods, odds and start: as the options say, else as fits both. */
static enum cc_status choose_schedule(struct ask *a, uint32_t height,
                                      struct cc_error *err)
{
    const struct cc_msg_settings_reply *s = &a->host->settings;
    const struct cc_storage_params *p = &a->o->params->storage;
    struct cc_contract *c = &a->deal->terms;
    uint32_t period = a->o->period
                          ? a->o->period
                          : at_least((uint32_t)p->min_period, s->period_min);
    uint32_t periods =
        a->o->periods ? a->o->periods : at_most(30, s->periods_max);
    uint32_t odds = a->o->odds ? a->o->odds : at_most(s->odds_max, periods / 6);

    odds = at_least(odds, 1);
    if (period < s->period_min || period > s->period_max ||
        period < (uint32_t)p->min_period || period > UINT16_MAX)
        return cc_fail(err, CC_INVALID,
                       "takes periods of %u to %u blocks, not %u",
                       s->period_min, s->period_max, period);
    if (!periods || periods > s->periods_max ||
        periods > (uint32_t)p->max_periods)
        return cc_fail(err, CC_INVALID, "takes at most %u periods, not %u",
                       s->periods_max, periods);
    if (odds > s->odds_max || odds > 64)
        return cc_fail(err, CC_INVALID, "takes odds up to %u, not %u",
                       s->odds_max, odds);
    c->start = height + at_most(LEAD, at_least(s->lead_max, 1));
    c->period = (uint16_t)period;
    c->periods = (uint16_t)periods;
    c->samples = s->samples;
    c->odds = (uint8_t)odds;
    return CC_OK;
}

/* Room to grow, so that not each file needs a contract of its own. */
static uint32_t choose_capacity(const struct ask *a, uint32_t sectors)
{
    uint32_t capacity = 32;

    if (a->o->capacity)
        return at_least(a->o->capacity, sectors);
    while (capacity < sectors && capacity < 1u << 24)
        capacity *= 2;
    return at_least(sectors, at_most(capacity, a->host->settings.capacity_max));
}

/* Writing the whole capacity once and reading it twice. */
static uint64_t choose_allowance(const struct ask *a)
{
    const struct cc_msg_settings_reply *s = &a->host->settings;
    uint64_t usat = s->price_write + 2 * s->price_read * CC_SECTOR_LEAVES +
                    10 * s->price_request;
    uint64_t sat = usat / CC_USAT + 1, all;

    if (__builtin_mul_overflow(sat, a->deal->capacity, &all))
        return UINT64_MAX;
    return all < s->allowance_min ? s->allowance_min : all;
}

static enum cc_status too_dear(const struct ask *a, const char *what,
                               cc_amount sum, struct cc_error *err)
{
    char asked[CC_AMOUNT_TEXT_SIZE], most[CC_AMOUNT_TEXT_SIZE];

    cc_amount_format(asked, sum);
    cc_amount_format(most, a->o->rent_max);
    return cc_fail(err, CC_INVALID,
                   "asks %s of %s for %u sectors, above -maxrent=%s", asked,
                   what, a->deal->capacity, most);
}

static enum cc_status choose_money(struct ask *a, struct cc_error *err)
{
    const struct cc_msg_settings_reply *s = &a->host->settings;
    const struct cc_params *p = a->o->params;
    struct cc_contract *c = &a->deal->terms;
    cc_amount total, need;

    if (!cc_settings_rent(&c->rent, s, a->deal->capacity, c->period, p) ||
        !cc_amount_mul(&total, (cc_amount)c->rent, c->periods, p->max_money))
        return cc_fail(err, CC_INVALID, "asks an absurd rent");
    if (total > a->o->rent_max)
        return too_dear(a, "rent", total, err);
    /* Who stakes less than it earns may as well drop the data. */
    if (s->collateral_permille < 1000)
        return cc_fail(err, CC_INVALID,
                       "stakes only %u thousandths of the rent",
                       s->collateral_permille);
    c->penalty = c->rent;
    c->allowance = choose_allowance(a);
    if (c->allowance > ALLOWANCE_MAX || !cc_contract_need(&need, c, p))
        return cc_fail(err, CC_INVALID, "asks absurd prices");
    /* What it may charge is bounded by nothing else. */
    if (c->allowance > (uint64_t)a->o->rent_max)
        return too_dear(a, "transfers", (cc_amount)c->allowance, err);
    a->deal->value = need;
    a->deal->collateral = (cc_amount)c->penalty * c->periods;
    a->deal->ours = need - a->deal->collateral;
    return CC_OK;
}

static enum cc_status check_host(struct ask *a, struct cc_error *err)
{
    const struct cc_msg_settings_reply *s = &a->host->settings;

    if (!s->accepting)
        return cc_fail(err, CC_INVALID, "takes no new contracts");
    if (s->sectors_free < a->deal->capacity)
        return cc_fail(err, CC_INVALID,
                       "has room for %" PRIu64 " sectors, not %u",
                       s->sectors_free, a->deal->capacity);
    if (s->capacity_max < a->deal->capacity)
        return cc_fail(err, CC_INVALID,
                       "takes %u sectors in a contract, not %u",
                       s->capacity_max, a->deal->capacity);
    if (s->samples < 1 || s->samples > 16)
        return cc_fail(err, CC_INVALID, "asks %u samples", s->samples);
    return CC_OK;
}

enum cc_status cc_renter_deal_choose(struct cc_renter_deal *out,
                                     const struct cc_renter_options *options,
                                     const struct cc_host *host,
                                     uint32_t sectors, uint32_t height,
                                     struct cc_error *err)
{
    struct ask a = {options, host, out};
    enum cc_status st;

    memset(out, 0, sizeof(*out));
    memcpy(out->terms.host_key, host->key, 32);
    out->capacity = choose_capacity(&a, sectors);
    st = check_host(&a, err);
    if (st == CC_OK)
        st = choose_schedule(&a, height, err);
    if (st == CC_OK)
        st = choose_money(&a, err);
    return st;
}
