#include <stdlib.h>

#include "node.h"
#include "util/fs.h"

static void test_receive_send_and_restart(void **state)
{
    struct node n;
    struct cc_wallet_key a, b;
    struct cc_balance had, has;

    (void)state;
    node_open(&n, CC_CHAIN_REGTEST);
    node_wallet(&n, "a", NULL, -1);
    node_wallet(&n, "b", NULL, -1);
    a = node_key(&n, "a");
    b = node_key(&n, "b");
    node_mine(&n, SCRIPT(a), 1);
    assert_int_equal(node_balance(&n, "a").immature, 25 * CC_COIN);
    node_mine_away(&n, 99);
    assert_int_equal(node_balance(&n, "a").trusted, 0);
    node_mine_away(&n, 1);
    had = node_balance(&n, "a");
    assert_int_equal(had.trusted, 25 * CC_COIN);
    assert_int_equal(had.immature, 0);

    node_send(&n, "a", SCRIPT(b), 3 * CC_COIN, NULL);
    has = node_balance(&n, "a");
    assert_true(has.trusted < 22 * CC_COIN &&
                has.trusted > 22 * CC_COIN - 10000);
    assert_int_equal(node_balance(&n, "b").pending, 3 * CC_COIN);
    assert_int_equal(node_balance(&n, "b").trusted, 0);
    node_mine_away(&n, 1);
    assert_int_equal(node_balance(&n, "b").trusted, 3 * CC_COIN);
    assert_int_equal(node_balance(&n, "a").trusted, has.trusted);

    node_restart(&n);
    assert_null(cc_wallets_at(n.wallets, 0));
    assert_int_equal(cc_wallets_load(n.wallets, "b", NULL), CC_OK);
    assert_int_equal(cc_wallets_load(n.wallets, "a", NULL), CC_OK);
    assert_int_equal(node_balance(&n, "b").trusted, 3 * CC_COIN);
    assert_int_equal(node_balance(&n, "a").trusted, has.trusted);
    node_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receive_send_and_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
