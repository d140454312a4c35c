#include "wallet/select.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

#define BNB_TRIES 100000

/* A coin by what it is worth after its fee. */
struct item {
    cc_amount worth, waste;
    size_t index;
};

struct work {
    const struct cc_select *s;
    struct item *items; /* worth > 0, largest first */
    size_t count;
    bool *best; /* over items */
    cc_amount best_waste, best_sum;
    bool found, changeless;
};

static int largest_first(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->worth != y->worth)
        return x->worth > y->worth ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Keep a selection if it is the least wasteful so far. */
static void offer(struct work *w, const bool *take, bool changeless)
{
    cc_amount waste = 0, sum = 0;

    for (size_t i = 0; i < w->count; i++) {
        if (take[i]) {
            waste += w->items[i].waste;
            sum += w->items[i].worth;
        }
    }
    waste += changeless ? sum - w->s->target : w->s->change_cost;
    /* At the same waste the large coins stay whole. */
    if (w->found && (waste > w->best_waste ||
                     (waste == w->best_waste && sum >= w->best_sum)))
        return;
    memcpy(w->best, take, w->count * sizeof(*take));
    w->best_waste = waste;
    w->best_sum = sum;
    w->found = true;
    w->changeless = changeless;
}

/* Depth first over "take it or leave it", largest coins first; a branch ends
 * where it is over the window, cannot reach it, or is worse than the best. */
static void branch_and_bound(struct work *w, cc_amount all)
{
    const cc_amount low = w->s->target, high = low + w->s->change_cost;
    bool *take = cc_calloc(w->count, sizeof(*take));
    cc_amount sum = 0, left = all, waste = 0, best = INT64_MAX;
    size_t i = 0;

    for (unsigned tries = 0; tries < BNB_TRIES; tries++) {
        bool back = sum + left < low || sum > high;

        if (!back && sum >= low) {
            back = true;
            if (waste + (sum - low) < best) {
                best = waste + (sum - low);
                offer(w, take, true);
            }
        } else if (!back && i < w->count && w->items[0].waste > 0 &&
                   waste > best) {
            back = true; /* each further coin only adds waste */
        }
        if (!back && i == w->count)
            back = true;
        if (!back) {
            take[i] = true;
            sum += w->items[i].worth;
            waste += w->items[i].waste;
            left -= w->items[i].worth;
            i++;
            continue;
        }
        /* Leave out the last coin taken, and go on from there. */
        while (i > 0 && !take[i - 1]) {
            i--;
            left += w->items[i].worth;
        }
        if (i == 0)
            break;
        take[i - 1] = false;
        sum -= w->items[i - 1].worth;
        waste -= w->items[i - 1].waste;
    }
    free(take);
}

static void random_draw(struct work *w)
{
    const cc_amount goal = w->s->target + w->s->change_fee + w->s->min_change;
    size_t *order = cc_calloc(w->count, sizeof(*order));
    bool *take = cc_calloc(w->count, sizeof(*take));
    cc_amount sum = 0;

    for (size_t i = 0; i < w->count; i++)
        order[i] = i;
    for (size_t i = 0; i < w->count && sum < goal; i++) {
        size_t j =
            i + (size_t)(w->s->random(w->s->random_arg) % (w->count - i));
        size_t t = order[i];

        order[i] = order[j];
        order[j] = t;
        take[order[i]] = true;
        sum += w->items[order[i]].worth;
    }
    if (sum >= goal)
        offer(w, take, false);
    free(order);
    free(take);
}

/* The smallest single coin that is enough with change, or the largest ones
 * until the sum is; without room for change, until it reaches the target. */
static void few_coins(struct work *w, cc_amount all)
{
    const cc_amount roomy = w->s->target + w->s->change_fee + w->s->min_change;
    const cc_amount goal = all >= roomy ? roomy : w->s->target;
    bool *take = cc_calloc(w->count, sizeof(*take));
    cc_amount sum = 0;
    size_t i;

    for (i = w->count; i-- > 0;) {
        if (w->items[i].worth >= goal) {
            take[i] = true;
            offer(w, take, false);
            goto out;
        }
    }
    for (i = 0; i < w->count && sum < goal; i++) {
        take[i] = true;
        sum += w->items[i].worth;
    }
    offer(w, take, false);
out:
    free(take);
}

bool cc_select_coins(const struct cc_select *s,
                     const struct cc_select_coin *coins, size_t count,
                     bool *picked, bool *changeless)
{
    struct work w = {.s = s};
    cc_amount all = 0;

    memset(picked, 0, count * sizeof(*picked));
    w.items = cc_calloc(count + 1, sizeof(*w.items));
    w.best = cc_calloc(count + 1, sizeof(*w.best));
    for (size_t i = 0; i < count; i++) {
        struct item *item = &w.items[w.count];

        item->worth = coins[i].value - coins[i].fee;
        item->waste = coins[i].fee - coins[i].long_fee;
        item->index = i;
        if (item->worth <= 0)
            continue;
        all += item->worth;
        w.count++;
    }
    if (w.count && all >= s->target) {
        qsort(w.items, w.count, sizeof(*w.items), largest_first);
        branch_and_bound(&w, all);
        random_draw(&w);
        few_coins(&w, all);
    }
    for (size_t i = 0; w.found && i < w.count; i++)
        picked[w.items[i].index] = w.best[i];
    *changeless = w.changeless;
    free(w.items);
    free(w.best);
    return w.found;
}
