/*
 * select.h: which coins to spend.
 *
 * Pure arithmetic over values. Three ways are tried and the least wasteful
 * answer wins, as in Bitcoin Core (and Erhardt, "An Evaluation of Coin
 * Selection Strategies", 2016): branch and bound for a sum that needs no
 * change; a random draw; the smallest coin that is enough by itself, or else
 * the largest ones until it is enough. Waste is what is paid now beyond what
 * the same inputs would cost at a long-term feerate, plus the cost of change
 * or, without change, what is given away.
 */
#ifndef CC_WALLET_SELECT_H
#define CC_WALLET_SELECT_H

#include "util/amount.h"

#include <stddef.h>

struct cc_select_coin {
    cc_amount value;
    cc_amount fee;      /* of spending it, at the feerate in use */
    cc_amount long_fee; /* at the long-term feerate */
};

struct cc_select {
    cc_amount target;      /* to be reached by the sum of value - fee */
    cc_amount change_fee;  /* of the change output itself */
    cc_amount change_cost; /* of making and one day spending it */
    cc_amount min_change;  /* aim for at least so much, if there is change */
    uint64_t (*random)(void *arg);
    void *random_arg;
};

/* picked[i] for each coin; false if all of them are not enough (coins that
 * cost more than they are worth are never picked). Picked coins sum up to
 * target at least; with changeless false the caller makes change of what is
 * above target + change_fee, if that is worth while. */
bool cc_select_coins(const struct cc_select *s,
                     const struct cc_select_coin *coins, size_t count,
                     bool *picked, bool *changeless);

#endif
