/* The types of Miniscript's fragments, by the tables of BIP 379. */
#include "support.h"

#include <string.h>

#include "wallet/miniscript_i.h"

#define B CC_MS_TYPE_B
#define V CC_MS_TYPE_V
#define K CC_MS_TYPE_K
#define W CC_MS_TYPE_W
#define ALL                                                                    \
    (CC_MS_z | CC_MS_o | CC_MS_n | CC_MS_d | CC_MS_u | CC_MS_s | CC_MS_f |     \
     CC_MS_e | CC_MS_m)

static struct cc_test_random dice;

static const char letters[] = "zondusfem";
static const unsigned bits[] = {CC_MS_z, CC_MS_o, CC_MS_n, CC_MS_d, CC_MS_u,
                                CC_MS_s, CC_MS_f, CC_MS_e, CC_MS_m};

/* What each of the subs X, Y, Z must have, what the whole is, and when it has
 * the properties of letters: "zXoY|zYoX"; "1" is always, "" never. Then the
 * ways to satisfy it and not to, by the subs that are (s) or are not (d), and
 * how many items to choose a branch each takes; "1" takes no subs. */
static const struct row {
    enum cc_ms_kind kind;
    unsigned needs[3], type;
    const char *when[9];
    const char *sat, *dsat;
    int sat_items, dsat_items;
} rows[] = {
    {CC_MS_AND_V,
     {V, B},
     B,
     {"zXzY", "zXoY|zYoX", "nX|zXnY", "", "uY", "sX|sY", "sX|fY", "", "mXmY"},
     "sXsY",
     "",
     0,
     0},
    {CC_MS_AND_B,
     {B, W},
     B,
     {"zXzY", "zXoY|zYoX", "nX|zXnY", "dXdY", "1", "sX|sY", "fXfY|sXfX|sYfY",
      "eXeYsXsY", "mXmY"},
     "sXsY",
     "dXdY",
     0,
     0},
    {CC_MS_OR_B,
     {B | CC_MS_d, W | CC_MS_d},
     B,
     {"zXzY", "zXoY|zYoX", "", "1", "1", "sXsY", "", "1",
      "mXmYeXeYsX|mXmYeXeYsY"},
     "sXdY|dXsY",
     "dXdY",
     0,
     0},
    {CC_MS_OR_C,
     {B | CC_MS_d | CC_MS_u, V},
     V,
     {"zXzY", "oXzY", "", "", "", "sXsY", "1", "", "mXmYeXsX|mXmYeXsY"},
     "sX|dXsY",
     "",
     0,
     0},
    {CC_MS_OR_D,
     {B | CC_MS_d | CC_MS_u, B},
     B,
     {"zXzY", "oXzY", "", "dY", "uY", "sXsY", "fY", "eY", "mXmYeXsX|mXmYeXsY"},
     "sX|dXsY",
     "dXdY",
     0,
     0},
    {CC_MS_OR_I,
     {B, B},
     B,
     {"", "zXzY", "", "dX|dY", "uXuY", "sXsY", "fXfY", "eXfY|eYfX",
      "mXmYsX|mXmYsY"},
     "sX|sY",
     "dX|dY",
     1,
     1},
    {CC_MS_ANDOR,
     {B | CC_MS_d | CC_MS_u, B, B},
     B,
     {"zXzYzZ", "zXoYoZ|oXzYzZ", "", "dZ", "uYuZ", "sZsX|sZsY", "fZsX|fZfY",
      "eZsX|eZfY", "mXmYmZeXsX|mXmYmZeXsY|mXmYmZeXsZ"},
     "sXsY|dXsZ",
     "dXdZ",
     0,
     0},
    {CC_MS_THRESH, /* 2 of 3 */
     {B | CC_MS_d | CC_MS_u, W | CC_MS_d | CC_MS_u, W | CC_MS_d | CC_MS_u},
     B,
     {"zXzYzZ", "oXzYzZ|zXoYzZ|zXzYoZ", "", "1", "1", "sXsY|sXsZ|sYsZ", "",
      "sXsYsZ",
      "mXmYmZeXeYeZsX|mXmYmZeXeYeZsY|"
      "mXmYmZeXeYeZsZ"},
     "sXsYdZ|sXdYsZ|dXsYsZ",
     "dXdYdZ",
     0,
     0},
    {CC_MS_A,
     {B},
     W,
     {"", "", "", "dX", "uX", "sX", "fX", "eX", "mX"},
     "sX",
     "dX",
     0,
     0},
    {CC_MS_S,
     {B | CC_MS_o},
     W,
     {"", "", "", "dX", "uX", "sX", "fX", "eX", "mX"},
     "sX",
     "dX",
     0,
     0},
    {CC_MS_C,
     {K},
     B,
     {"", "oX", "nX", "dX", "1", "1", "fX", "eX", "mX"},
     "sX",
     "dX",
     0,
     0},
    {CC_MS_D,
     {V | CC_MS_z},
     B,
     {"", "1", "1", "1", "", "sX", "", "1", "mX"},
     "sX",
     "1",
     1,
     1},
    {CC_MS_V,
     {B},
     V,
     {"zX", "oX", "nX", "", "", "sX", "1", "", "mX"},
     "sX",
     "",
     0,
     0},
    {CC_MS_J,
     {B | CC_MS_n},
     B,
     {"", "oX", "1", "1", "uX", "sX", "", "fX", "mX"},
     "sX",
     "1",
     0,
     1},
    {CC_MS_N,
     {B},
     B,
     {"zX", "oX", "nX", "dX", "1", "sX", "fX", "eX", "mX"},
     "sX",
     "dX",
     0,
     0},
};

static unsigned bit_of(char letter)
{
    return bits[strchr(letters, letter) - letters];
}

static bool holds(const char *when, const struct cc_ms_node *subs)
{
    bool all = *when != '\0';

    if (!strcmp(when, "1"))
        return true;
    for (; *when; when += *when == '|' ? 1 : 2) {
        if (*when != '|') {
            all = all && subs[when[1] - 'X'].type & bit_of(*when);
            continue;
        }
        if (all)
            return true;
        all = true;
    }
    return all;
}

/* The dearest of the ways, -1: there is none. */
static int cost(const char *ways, const struct cc_ms_cost *subs)
{
    int dearest = -1, sum = 0;

    if (!strcmp(ways, "1"))
        return 0;
    while (*ways) {
        const struct cc_ms_cost *sub = &subs[ways[1] - 'X'];
        int one = *ways == 's' ? sub->sat : sub->dsat;

        sum = sum < 0 || one < 0 ? -1 : sum + one;
        ways += 2;
        if (*ways && *ways != '|')
            continue;
        dearest = sum > dearest ? sum : dearest;
        sum = 0;
        ways += *ways == '|';
    }
    return dearest;
}

static void check_cost(const struct cc_ms_cost *got, const struct row *row,
                       const struct cc_ms_cost *subs, int choice)
{
    int sat = cost(row->sat, subs), dsat = cost(row->dsat, subs);

    assert_int_equal(got->sat, sat < 0 ? -1 : sat + choice * row->sat_items);
    assert_int_equal(got->dsat,
                     dsat < 0 ? -1 : dsat + choice * row->dsat_items);
}

static size_t sub_count(const struct row *row)
{
    return row->needs[2] ? 3 : row->needs[1] ? 2 : 1;
}

/* Properties at random, but what takes no argument does not take one. */
static unsigned any_type(unsigned needs)
{
    unsigned t = needs | ((unsigned)cc_test_random(&dice) & ALL);

    if (needs & CC_MS_o || !(t & CC_MS_z))
        return t & ~(unsigned)CC_MS_z;
    return t & ~(unsigned)CC_MS_o;
}

static int any_cost(void) { return (int)(cc_test_random(&dice) % 9) - 1; }

static void check_row(const struct row *row)
{
    struct cc_ms_cost items[3], keyed[3];
    struct cc_ms_node subs[3], *list[] = {&subs[0], &subs[1], &subs[2]};
    struct cc_ms_node n = {.kind = row->kind, .number = 2, .subs = list};
    unsigned want = row->type;

    memset(subs, 0, sizeof(subs));
    n.sub_count = sub_count(row);
    for (size_t i = 0; i < n.sub_count; i++)
        subs[i].type = any_type(row->needs[i]);
    for (size_t i = 0; i < n.sub_count; i++) {
        subs[i].items = items[i] = (struct cc_ms_cost){any_cost(), any_cost()};
        subs[i].keyed = keyed[i] = (struct cc_ms_cost){any_cost(), any_cost()};
    }
    for (size_t i = 0; i < 9; i++)
        if (holds(row->when[i], subs))
            want |= bits[i];
    assert_true(cc_ms_judge(&n));
    if (n.type != want)
        print_message("kind %d: %x, %x, %x\n", (int)row->kind, subs[0].type,
                      subs[1].type, subs[2].type);
    assert_int_equal(n.type, want);
    check_cost(&n.items, row, items, 1);
    check_cost(&n.keyed, row, keyed, 0);
    /* Without any of what they must have they do not fit. */
    for (size_t i = 0; i < n.sub_count; i++)
        for (unsigned bit = 1; bit <= CC_MS_m; bit <<= 1) {
            if (!(row->needs[i] & bit))
                continue;
            subs[i].type ^= bit;
            assert_false(cc_ms_judge(&n));
            subs[i].type ^= bit;
        }
}

static void test_fragments(void **state)
{
    (void)state;
    cc_test_random_init(&dice, 379);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int k = 0; k < 2000; k++)
            check_row(&rows[i]);
}

/* Subs a and b of the row with these locks: are they mixed in the whole? All
 * locks are kept, and what is mixed stays so. */
static bool mixed(const struct row *row, uint32_t number, size_t a, size_t b,
                  unsigned lock_a, unsigned lock_b)
{
    struct cc_ms_node subs[3], *list[] = {&subs[0], &subs[1], &subs[2]};
    struct cc_ms_node n = {.kind = row->kind, .number = number, .subs = list};
    const unsigned locks = CC_MS_LOCKS | CC_MS_MIXED;
    bool is;

    memset(subs, 0, sizeof(subs));
    n.sub_count = sub_count(row);
    for (size_t i = 0; i < n.sub_count; i++)
        subs[i].type = row->needs[i];
    subs[a].type |= lock_a;
    subs[b].type |= lock_b;
    assert_true(cc_ms_judge(&n));
    assert_int_equal(n.type & CC_MS_LOCKS, lock_a | lock_b);
    is = n.type & CC_MS_MIXED;
    subs[b].type |= CC_MS_MIXED;
    assert_true(cc_ms_judge(&n));
    assert_int_equal(n.type & locks, lock_a | lock_b | CC_MS_MIXED);
    return is;
}

static void check_locks(const struct row *row, uint32_t number, size_t a,
                        size_t b, bool both)
{
    static const unsigned pairs[][2] = {
        {CC_MS_RELATIVE_TIME, CC_MS_RELATIVE_HEIGHT},
        {CC_MS_ABSOLUTE_TIME, CC_MS_ABSOLUTE_HEIGHT}};

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mixed(row, number, a, b, pairs[i][0], pairs[i][1]),
                         both);
        assert_int_equal(mixed(row, number, a, b, pairs[i][1], pairs[i][0]),
                         both);
        assert_false(mixed(row, number, a, b, pairs[i][0], pairs[i][0]));
        assert_false(mixed(row, number, a, b, pairs[0][i], pairs[1][1 - i]));
    }
}

/* Time and height of one kind are never met at once; where one of both is
 * enough that is no harm. */
static void test_locks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        size_t count = sub_count(r);

        if (r->kind == CC_MS_THRESH) {
            for (size_t a = 0; a < 3; a++)
                check_locks(r, 1, a, (a + 1) % 3, false);
            for (size_t a = 0; a < 3; a++)
                check_locks(r, 2, a, (a + 1) % 3, true);
        } else if (count == 1) {
            assert_false(mixed(r, 0, 0, 0, CC_MS_RELATIVE_TIME, 0));
        } else {
            check_locks(r, 0, 0, 1,
                        r->kind == CC_MS_AND_V || r->kind == CC_MS_AND_B ||
                            r->kind == CC_MS_ANDOR);
        }
        if (r->kind == CC_MS_ANDOR) {
            check_locks(r, 0, 0, 2, false);
            check_locks(r, 0, 1, 2, false);
        }
    }
}

static unsigned leaf(enum cc_ms_kind kind, uint32_t number)
{
    struct cc_ms_node n = {.kind = kind, .number = number, .key_count = 1};

    assert_true(cc_ms_judge(&n));
    return n.type;
}

static void test_leaves(void **state)
{
    const unsigned kept = CC_MS_d | CC_MS_u | CC_MS_s | CC_MS_e | CC_MS_m;

    (void)state;
    assert_int_equal(leaf(CC_MS_0, 0), B | CC_MS_z | kept);
    assert_int_equal(leaf(CC_MS_1, 0),
                     B | CC_MS_z | CC_MS_u | CC_MS_f | CC_MS_m);
    assert_int_equal(leaf(CC_MS_PK_K, 0), K | CC_MS_o | CC_MS_n | kept);
    assert_int_equal(leaf(CC_MS_MULTI, 1), B | CC_MS_n | kept);
    for (enum cc_ms_kind k = CC_MS_SHA256; k <= CC_MS_HASH160; k++)
        assert_int_equal(leaf(k, 0),
                         B | CC_MS_o | CC_MS_n | CC_MS_d | CC_MS_u | CC_MS_m);
    assert_int_equal(leaf(CC_MS_OLDER, 1),
                     B | CC_MS_z | CC_MS_f | CC_MS_m | CC_MS_RELATIVE_HEIGHT);
    assert_int_equal(leaf(CC_MS_OLDER, 1 << 22),
                     B | CC_MS_z | CC_MS_f | CC_MS_m | CC_MS_RELATIVE_TIME);
    assert_int_equal(leaf(CC_MS_AFTER, 499999999),
                     B | CC_MS_z | CC_MS_f | CC_MS_m | CC_MS_ABSOLUTE_HEIGHT);
    assert_int_equal(leaf(CC_MS_AFTER, 500000000),
                     B | CC_MS_z | CC_MS_f | CC_MS_m | CC_MS_ABSOLUTE_TIME);
}

/* The most items that it takes to satisfy each and not to, -1 for no way; and
 * the keys that CHECKMULTISIG counts then. */
static void test_leaf_costs(void **state)
{
    static const struct {
        enum cc_ms_kind kind;
        uint32_t number;
        size_t keys;
        struct cc_ms_cost items, keyed;
    } cases[] = {
        {CC_MS_0, 0, 0, {-1, 0}, {-1, 0}},
        {CC_MS_1, 0, 0, {0, -1}, {0, -1}},
        {CC_MS_PK_K, 0, 1, {1, 1}, {0, 0}},
        {CC_MS_MULTI, 2, 3, {3, 3}, {3, 3}},
        {CC_MS_MULTI, 1, 20, {2, 2}, {20, 20}},
        {CC_MS_OLDER, 1, 0, {0, -1}, {0, -1}},
        {CC_MS_AFTER, 1, 0, {0, -1}, {0, -1}},
        {CC_MS_SHA256, 0, 0, {1, -1}, {0, -1}},
        {CC_MS_HASH160, 0, 0, {1, -1}, {0, -1}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cc_ms_node n = {.kind = cases[i].kind,
                               .number = cases[i].number,
                               .key_count = cases[i].keys};

        assert_true(cc_ms_judge(&n));
        assert_int_equal(n.items.sat, cases[i].items.sat);
        assert_int_equal(n.items.dsat, cases[i].items.dsat);
        assert_int_equal(n.keyed.sat, cases[i].keyed.sat);
        assert_int_equal(n.keyed.dsat, cases[i].keyed.dsat);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_locks),
        cmocka_unit_test(test_leaves),
        cmocka_unit_test(test_leaf_costs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
