/*
 * Finding hosts: what their settings may say, the order of preference, and
 * how many in one network (renter_world.h).
 */
#include "storage/test/renter_world.h"

#include "crypto/ec.h"
#include "support.h"

#include <stdlib.h>

static void test_settings(void **state)
{
    static const struct {
        enum lie lie;
        const char *says;
    } rows[] = {
        {OTHER_VERSION, "version 2"},
        {OTHER_CHAIN, "another chain"},
        {ABSURD_PRICE, "absurd prices"},
    };
    struct world w;
    struct cc_host h;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_init(&w, rows[i].lie);
        h = only_host(&w);
        assert_false(h.answers);
        if (!strstr(h.fault, rows[i].says))
            fail_msg("\"%s\"", h.fault);
        world_clear(&w);
    }
    world_init(&w, HONEST);
    h = only_host(&w);
    assert_true(h.answers);
    assert_string_equal(h.name, "good?[host"); /* fit for a terminal */
    assert_int_equal(h.settings.sectors_total, 1000);
    world_clear(&w);
}

static void test_networks(void **state)
{
    static const char *const rows[][2] = {
        {"8.8.8.8:1", "8.8.8"},
        {"8.8.9.8:1", "8.8.9"},
        {"[2001:db8:1::1]:7", "2001:0db8"},
        {"[2a01:4f8::2]:7", "2a01:04f8"},
        {"127.0.0.1:1", NULL},
        {"10.1.2.3:1", NULL},
        {"172.16.0.1:1", NULL},
        {"172.32.0.1:1", "172.32.0"},
        {"192.168.0.1:1", NULL},
        {"192.169.0.1:1", "192.169.0"},
        {"169.254.0.1:1", NULL},
        {"100.64.0.1:1", NULL},
        {"100.128.0.1:1", "100.128.0"},
        {"0.0.0.0:1", NULL},
        {"[::1]:1", NULL},
        {"[fd00::1]:1", NULL},
        {"host.example:1", NULL},
        {"8.8.8.8", NULL},
    };
    char out[CC_HOST_NETWORK_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is = cc_host_network(out, rows[i][0]);

        if (is != (rows[i][1] != NULL) || (is && strcmp(out, rows[i][1])))
            fail_msg("%s", rows[i][0]);
    }
}

/* 3 of 5: two shards may be lost together, a third not. */
static void test_crowded(void **state)
{
    static const char *const taken[] = {"8.8.8.1:1", "8.8.8.2:1", "9.9.9.1:1",
                                        "127.0.0.1:1", "127.0.0.1:2"};

    (void)state;
    assert_true(cc_host_crowded(taken, 5, 3, 5, "8.8.8.3:1"));
    assert_false(cc_host_crowded(taken, 1, 3, 5, "8.8.8.3:1"));
    assert_false(cc_host_crowded(taken, 5, 3, 5, "9.9.9.2:1"));
    assert_false(cc_host_crowded(taken, 5, 3, 5, "7.7.7.7:1"));
    assert_false(cc_host_crowded(taken, 5, 3, 5, "127.0.0.1:3"));
    assert_false(cc_host_crowded(taken, 5, 3, 5, "name.example:1"));
    /* Without redundancy one is all that can be asked for. */
    assert_true(cc_host_crowded(taken, 5, 5, 5, "9.9.9.2:1"));
    assert_false(cc_host_crowded(taken, 5, 5, 5, "7.7.7.7:1"));
}

static void test_rank(void **state)
{
    struct cc_host h[5];

    (void)state;
    memset(h, 0, sizeof(h));
    for (int i = 0; i < 5; i++)
        h[i].key[0] = (uint8_t)i;
    h[1].answers = h[2].answers = h[3].answers = h[4].answers = true;
    h[1].settings.price_storage = 2;
    h[1].latency_ms = 1;
    h[2].settings.price_storage = 1;
    h[2].latency_ms = 9;
    h[3].settings.price_storage = 1;
    h[3].latency_ms = 5;
    h[4].settings.price_read = 1; /* 4,096 leaves cost more than storage */
    qsort(h, 5, sizeof(h[0]), cc_host_by_rank);
    assert_int_equal(h[0].key[0], 3); /* as cheap as 2, and quicker */
    assert_int_equal(h[1].key[0], 2);
    assert_int_equal(h[2].key[0], 1);
    assert_int_equal(h[3].key[0], 4);
    assert_int_equal(h[4].key[0], 0); /* does not answer */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_crowded),
        cmocka_unit_test(test_rank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
