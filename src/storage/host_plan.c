/*
 * When to do what with a contract: a pure function of the coin, of what was
 * signed since, and of the chain (doc/protocol.md 4.3, 4.5).
 */
#include "storage/host_i.h"

/* Rent of that many periods without a call is fetched on its own; less waits
 * for the next proof. */
#define UNCALLED_MANY 16
/* A root must be on the chain by the next due height; SYNC is sent so many
 * blocks before, or a part of the period if that is less. */
#define AHEAD 12
#define AHEAD_PART 6

struct scan {
    int64_t open;     /* first called height whose window is open; 0: none */
    int64_t missed;   /* called heights whose window passed, before it */
    int64_t last_due; /* highest due height below the next block */
    bool any_called;  /* called and not proved, window open or not */
};

static bool called(const struct cc_host_plan_input *in,
                   const struct cc_storage_view *view, int64_t i)
{
    int64_t due = cc_contract_due(in->body, i);

    return cc_contract_called(view->hash(view->arg, (uint32_t)due), in->id,
                              in->body->odds);
}

static struct scan look(const struct cc_host_plan_input *in,
                        const struct cc_storage_view *view)
{
    const struct cc_contract *c = in->body;
    const int64_t h = view->height;
    const int64_t window = view->params->storage.window;
    struct scan s = {0};

    for (int64_t i = (int64_t)c->done + 1; i <= c->periods; i++) {
        if (cc_contract_due(c, i) >= h)
            break;
        s.last_due = i;
        if (!called(in, view, i))
            continue;
        s.any_called = true;
        if (h <= cc_contract_due(c, i) + window) {
            s.open = i;
            break;
        }
        s.missed++;
    }
    return s;
}

/* Vouchers are fetched with whatever is sent; on their own only when half of
 * what the contract allows is waiting. */
static bool much_waits(const struct cc_host_plan_input *in)
{
    const struct cc_contract *c = in->body;

    return in->voucher > c->redeemed &&
           in->voucher - c->redeemed > (c->allowance - c->redeemed) / 2;
}

/* Each SYNC costs us a fee, and a renter can make roots as often as it likes.
 * So one that rested goes out at once only if it is the first of its period;
 * what comes later, or never rests, waits until the next due height is near. */
static bool root_is_due(const struct cc_host_plan_input *in,
                        const struct scan *s, int64_t h)
{
    const struct cc_contract *c = in->body;
    const int64_t ahead =
        c->period / AHEAD_PART < AHEAD ? c->period / AHEAD_PART : AHEAD;
    const int64_t last = s->last_due > c->done ? s->last_due : c->done;
    const int64_t began = last ? cc_contract_due(c, last) : 0;

    if (!in->has_rev || !in->new_root || s->any_called)
        return false;
    if (last < c->periods && cc_contract_due(c, last + 1) - h <= ahead)
        return true;
    return in->rested && (c->revision == 0 || (int64_t)in->height <= began);
}

struct cc_host_plan cc_host_make_plan(const struct cc_host_plan_input *in,
                                      const struct cc_storage_view *view)
{
    const struct cc_storage_params *p = &view->params->storage;
    const struct cc_contract *c = in->body;
    const int64_t h = view->height;
    const int64_t end = cc_contract_due(c, c->periods) + p->window;
    struct cc_host_plan plan = {CC_DUTY_NONE, 0, false, false};
    struct scan s;

    plan.vou = in->voucher > c->redeemed && in->voucher <= c->allowance;
    if (c->done == c->periods) {
        plan.duty = CC_DUTY_END;
        return plan;
    }
    s = look(in, view);
    if (s.missed >= p->max_miss || h > end) {
        plan.duty = CC_DUTY_END;
        return plan;
    }
    plan.rev = in->has_rev;
    if (s.open) {
        if (h > cc_contract_due(c, s.open) + in->prove_delay) {
            plan.duty = CC_DUTY_PROVE;
            plan.i = (uint16_t)s.open;
        } else {
            plan.rev = plan.vou = false;
        }
        return plan;
    }
    if (!s.any_called && s.last_due > c->done &&
        (s.last_due == c->periods || s.last_due - c->done >= UNCALLED_MANY)) {
        plan.duty = CC_DUTY_PROVE;
        plan.i = (uint16_t)s.last_due;
        return plan;
    }
    plan.rev = in->may_sync && root_is_due(in, &s, h);
    if (plan.rev || (plan.vou && much_waits(in))) {
        plan.duty = CC_DUTY_SYNC;
        return plan;
    }
    plan.vou = false;
    return plan;
}
