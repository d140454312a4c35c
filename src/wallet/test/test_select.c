#include <stdlib.h>

#include "support.h"
#include "wallet/select.h"

#define COINS_MAX 60

static uint64_t next_random(void *arg) { return cc_test_random(arg); }

struct result {
    cc_amount worth, waste; /* waste without change or its cost */
    size_t count;
};

static struct result sum_of(const struct cc_select_coin *coins, size_t n,
                            const bool *picked)
{
    struct result r = {0, 0, 0};

    for (size_t i = 0; i < n; i++) {
        if (!picked[i])
            continue;
        r.worth += coins[i].value - coins[i].fee;
        r.waste += coins[i].fee - coins[i].long_fee;
        r.count++;
    }
    return r;
}

static cc_amount waste_of(const struct cc_select *s, struct result r,
                          bool changeless)
{
    return r.waste + (changeless ? r.worth - s->target : s->change_cost);
}

/* The least waste of all sets that need no change; false: there is none. */
static bool best_changeless(const struct cc_select *s,
                            const struct cc_select_coin *coins, size_t n,
                            cc_amount *best)
{
    bool any = false, set[COINS_MAX];

    for (unsigned bits = 1; bits < 1u << n; bits++) {
        struct result r;
        bool poor = false;

        for (size_t i = 0; i < n; i++) {
            set[i] = bits >> i & 1;
            poor |= set[i] && coins[i].value <= coins[i].fee;
        }
        r = sum_of(coins, n, set);
        if (poor || r.worth < s->target || r.worth > s->target + s->change_cost)
            continue;
        if (!any || waste_of(s, r, true) < *best)
            *best = waste_of(s, r, true);
        any = true;
    }
    return any;
}

static void random_case(struct cc_test_random *rnd, struct cc_select *s,
                        struct cc_select_coin *coins, size_t n)
{
    cc_amount fee = (cc_amount)(cc_test_random(rnd) % 5000);
    cc_amount all = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned bits = (unsigned)(cc_test_random(rnd) % 24);

        coins[i].value =
            1 + (cc_amount)(cc_test_random(rnd) & ((1u << bits) - 1));
        coins[i].fee = fee;
        coins[i].long_fee = 600;
        if (coins[i].value > fee)
            all += coins[i].value - fee;
    }
    s->target =
        1 + (cc_amount)(cc_test_random(rnd) % (uint64_t)(all + all / 4 + 10));
    s->change_fee = fee / 2;
    s->change_cost = fee / 2 + 600;
    s->min_change = 1000 + (cc_amount)(cc_test_random(rnd) % 100000);
    s->random = next_random;
    s->random_arg = rnd;
}

static void test_random_cases(void **state)
{
    struct cc_test_random rnd;
    size_t hits = 0, found = 0;

    (void)state;
    cc_test_random_init(&rnd, 21);
    for (int round = 0; round < 3000; round++) {
        struct cc_select_coin coins[COINS_MAX];
        struct cc_select s = {0};
        bool picked[COINS_MAX], changeless = false, ok;
        size_t n =
            (size_t)(cc_test_random(&rnd) % (round % 2 ? 10 : COINS_MAX));
        cc_amount all = 0, best = 0;
        struct result r;

        random_case(&rnd, &s, coins, n);
        for (size_t i = 0; i < n; i++)
            all += coins[i].value > coins[i].fee ? coins[i].value - coins[i].fee
                                                 : 0;
        ok = cc_select_coins(&s, coins, n, picked, &changeless);
        assert_int_equal(ok, n > 0 && all >= s.target && all > 0);
        r = sum_of(coins, n, picked);
        if (!ok) {
            assert_int_equal(r.count, 0);
            continue;
        }
        found++;
        assert_true(r.worth >= s.target);
        for (size_t i = 0; i < n; i++)
            assert_false(picked[i] && coins[i].value <= coins[i].fee);
        if (changeless)
            assert_true(r.worth <= s.target + s.change_cost);
        /* Where inputs are cheaper than they will be, more of them would waste
         * less; the search does not go there (nor does Core's). */
        if (n <= 10 && n > 0 && coins[0].fee >= coins[0].long_fee &&
            best_changeless(&s, coins, n, &best)) {
            hits++;
            assert_true(waste_of(&s, r, changeless) <= best);
        }
    }
    assert_true(found > 1500 && hits > 50); /* the cases are worth something */
}

static void test_exact_match_needs_no_change(void **state)
{
    struct cc_test_random rnd;
    struct cc_select_coin coins[20];
    struct cc_select s = {.change_fee = 430,
                          .change_cost = 1005,
                          .min_change = 50000,
                          .random = next_random,
                          .random_arg = &rnd};
    bool picked[20], changeless;
    struct result r;

    (void)state;
    cc_test_random_init(&rnd, 22);
    for (size_t i = 0; i < 20; i++) {
        coins[i].value = 1000000 + ((cc_amount)1 << i) * 3000;
        coins[i].fee = coins[i].long_fee = 575;
    }
    s.target = coins[3].value + coins[7].value + coins[12].value - 3 * 575;
    assert_true(cc_select_coins(&s, coins, 20, picked, &changeless));
    assert_true(changeless);
    r = sum_of(coins, 20, picked);
    assert_true(r.worth == s.target);
    assert_int_equal(r.count, 3);
}

static void test_one_coin_with_room_for_change(void **state)
{
    struct cc_test_random rnd;
    struct cc_select_coin coins[3] = {
        {5000000, 100, 100}, {900000000, 100, 100}, {20000000, 100, 100}};
    struct cc_select s = {.target = 4990000,
                          .change_fee = 43,
                          .change_cost = 100,
                          .min_change = 50000,
                          .random = next_random,
                          .random_arg = &rnd};
    bool picked[3], changeless;

    (void)state;
    cc_test_random_init(&rnd, 23);
    for (int i = 0; i < 100; i++) {
        assert_true(cc_select_coins(&s, coins, 3, picked, &changeless));
        assert_false(changeless);
        assert_true(sum_of(coins, 3, picked).worth >= 4990000 + 43 + 50000);
        assert_true(picked[2]); /* the smallest that is enough */
        assert_int_equal(sum_of(coins, 3, picked).count, 1);
    }
}

/* Many equal coins: which are taken says nothing about their owner. */
static void test_draws_vary(void **state)
{
    struct cc_test_random rnd;
    struct cc_select_coin coins[20];
    struct cc_select s = {.target = 2500000,
                          .change_fee = 43,
                          .change_cost = 100,
                          .min_change = 50000,
                          .random = next_random,
                          .random_arg = &rnd};
    unsigned taken[20] = {0}, used = 0;
    bool picked[20], changeless;

    (void)state;
    cc_test_random_init(&rnd, 24);
    for (size_t i = 0; i < 20; i++)
        coins[i] = (struct cc_select_coin){1000000, 100, 100};
    for (int round = 0; round < 100; round++) {
        assert_true(cc_select_coins(&s, coins, 20, picked, &changeless));
        assert_int_equal(sum_of(coins, 20, picked).count, 3);
        for (size_t i = 0; i < 20; i++)
            taken[i] += picked[i];
    }
    for (size_t i = 0; i < 20; i++)
        used += taken[i] > 0;
    assert_int_equal(used, 20);
}

/* One coin or two that make the sum exactly: few while spending is dear, many
 * while it is cheap. */
static void test_feerate_decides_how_many(void **state)
{
    struct cc_test_random rnd;
    struct cc_select s = {.target = 1000000,
                          .change_fee = 43,
                          .change_cost = 100,
                          .min_change = 50000,
                          .random = next_random,
                          .random_arg = &rnd};

    (void)state;
    cc_test_random_init(&rnd, 25);
    for (cc_amount fee = 100; fee <= 1100; fee += 1000) {
        struct cc_select_coin coins[3] = {{1000000 + fee, fee, 600},
                                          {600000 + fee, fee, 600},
                                          {400000 + fee, fee, 600}};
        bool picked[3], changeless;

        assert_true(cc_select_coins(&s, coins, 3, picked, &changeless));
        assert_true(changeless);
        assert_int_equal(picked[0], fee > 600);
        assert_int_equal(picked[1], fee < 600);
        assert_int_equal(picked[2], fee < 600);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_cases),
        cmocka_unit_test(test_exact_match_needs_no_change),
        cmocka_unit_test(test_draws_vary),
        cmocka_unit_test(test_feerate_decides_how_many),
        cmocka_unit_test(test_one_coin_with_room_for_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
