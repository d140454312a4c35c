/*
 * Addresses: as text, in the book, banned, and what their clocks say. Times and
 * randomness are given, so every run is the same.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/addrbook.h"
#include "net/addrfile.h"
#include "net/banlist.h"
#include "net/timedata.h"
#include "util/fs.h"

static const uint8_t seed[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
#define NOW INT64_C(1700000000)
#define MAGIC 0xdab5bffa

static uint64_t next_random(void *arg) { return cc_test_random(arg); }

static struct cc_netaddr addr(const char *text)
{
    struct cc_netaddr a;

    assert_true(cc_netaddr_parse(&a, text, 8333));
    return a;
}

/* --- Addresses as text ---------------------------------------------------- */

static void test_netaddr_text(void **state)
{
    static const struct {
        const char *in, *out; /* out NULL: refused */
    } cases[] = {
        {"1.2.3.4", "1.2.3.4:8333"},
        {"1.2.3.4:5", "1.2.3.4:5"},
        {"1.2.3.4:65535", "1.2.3.4:65535"},
        {"1.2.3.4:65536", NULL},
        {"1.2.3.4:", NULL},
        {"1.2.3.4:x", NULL},
        {"1.2.3.4:-1", NULL},
        {"1.2.3", NULL},
        {"256.1.1.1", NULL},
        {"::1", "[::1]:8333"},
        {"[::1]", "[::1]:8333"},
        {"[::1]:7", "[::1]:7"},
        {"[::1", NULL},
        {"[::1]x", NULL},
        {"2001:DB8:0:0::1", "[2001:db8::1]:8333"},
        {"::ffff:1.2.3.4", "1.2.3.4:8333"},
        {"localhost", NULL},
        {"", NULL},
    };
    struct cc_netaddr a;
    char out[72];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool ok = cc_netaddr_parse(&a, cases[i].in, 8333);

        if (ok != (cases[i].out != NULL))
            fail_msg("%s", cases[i].in);
        if (!ok)
            continue;
        cc_netaddr_format_port(out, &a);
        assert_string_equal(out, cases[i].out);
    }
}

static void test_routable(void **state)
{
    static const char *const not [] = {
        "0.0.0.0",         "10.1.2.3",   "127.0.0.1",    "100.64.0.1",
        "169.254.1.1",     "172.16.0.1", "172.31.9.9",   "192.168.1.1",
        "192.0.2.1",       "198.18.0.1", "198.51.100.1", "203.0.113.9",
        "255.255.255.255", "::",         "::1",          "fc00::1",
        "fe80::1",         "ff02::1",    "2001:db8::1",  "0.1.2.3"};
    static const char *const yes[] = {
        "8.8.8.8",     "224.0.0.1", "250.1.1.1",      "172.32.0.1",
        "100.128.0.1", "192.0.3.1", "2600::1",        "255.1.1.1",
        "255.255.1.1", "1.1.1.255", "255.255.255.254"};

    (void)state;
    for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++) {
        struct cc_netaddr a = addr(not [i]);

        if (cc_netaddr_is_routable(&a))
            fail_msg("%s", not [i]);
    }
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        struct cc_netaddr a = addr(yes[i]);

        if (!cc_netaddr_is_routable(&a))
            fail_msg("%s", yes[i]);
    }
}

static void test_subnet(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"1.2.3.4", "1.2.3.4/32"},
        {"1.2.3.4/24", "1.2.3.0/24"},
        {"1.2.3.4/255.255.0.0", "1.2.0.0/16"},
        {"1.2.3.4/0", "0.0.0.0/0"},
        {"1.2.3.4/33", NULL},
        {"1.2.3.4/255.0.255.0", NULL},
        {"1.2.3.4/-1", NULL},
        {"1.2.3.4/", NULL},
        {"2001:db8::7/32", "2001:db8::/32"},
        {"2001:db8::7/129", NULL},
        {"::1", "::1/128"},
        {"name", NULL},
    };
    struct cc_netaddr in = addr("1.2.3.99"), out = addr("1.2.4.1"),
                      six = addr("2001:db8::1");
    struct cc_subnet s;
    char text[72];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool ok = cc_subnet_parse(&s, cases[i].in);

        if (ok != (cases[i].out != NULL))
            fail_msg("%s", cases[i].in);
        if (!ok)
            continue;
        cc_subnet_format(text, &s);
        assert_string_equal(text, cases[i].out);
    }
    assert_true(cc_subnet_parse(&s, "1.2.3.0/24"));
    assert_true(cc_subnet_has(&s, &in));
    assert_false(cc_subnet_has(&s, &out));
    assert_true(cc_subnet_parse(&s, "0.0.0.0/0"));
    assert_false(cc_subnet_has(&s, &six));
    assert_true(cc_subnet_parse(&s, "1.2.3.96/27"));
    assert_true(cc_subnet_has(&s, &in));
}

/* --- The address book ----------------------------------------------------- */

static void test_book_basics(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr a = addr("8.8.8.8"), src = addr("9.9.9.9");
    const struct cc_book_entry *e;
    size_t fresh, tried;

    (void)state;
    assert_true(cc_addrbook_add(b, &a, 1, NOW, &src, NOW));
    assert_false(cc_addrbook_add(b, &a, 8, NOW + 5, &src, NOW));
    e = cc_addrbook_find(b, &a);
    assert_non_null(e);
    assert_int_equal(e->services, 9);
    assert_int_equal(e->time, NOW + 5);
    cc_addrbook_counts(b, 0, &fresh, &tried);
    assert_true(fresh == 1 && tried == 0);
    assert_true(cc_addrbook_good(b, &a, NOW));
    cc_addrbook_counts(b, CC_NET_IPV4, &fresh, &tried);
    assert_true(fresh == 0 && tried == 1);
    cc_addrbook_counts(b, CC_NET_IPV6, &fresh, &tried);
    assert_true(fresh == 0 && tried == 0);
    /* A clock that runs ahead does not make an address look fresh. */
    a.port++;
    assert_true(cc_addrbook_add(b, &a, 1, NOW + 3600, &src, NOW));
    assert_true(cc_addrbook_find(b, &a)->time < NOW - 24 * 3600);
    a.port = 0;
    assert_false(cc_addrbook_add(b, &a, 1, NOW, &src, NOW));
    cc_addrbook_free(b);
}

/* One teller, however eager, reaches a quarter of the buckets. */
static void test_book_flood(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr src = addr("9.9.9.9"), a = addr("1.1.1.1");
    struct cc_test_random r;
    size_t fresh, tried;

    (void)state;
    cc_test_random_init(&r, 1);
    for (int i = 0; i < 200000; i++) {
        uint32_t v = (uint32_t)cc_test_random(&r);

        memcpy(a.bytes, &v, 4);
        cc_addrbook_add(b, &a, 1, NOW, &src, NOW);
    }
    cc_addrbook_counts(b, 0, &fresh, &tried);
    assert_true(fresh > 3000);
    assert_true(fresh <= 64 * CC_BOOK_BUCKET_SIZE);
    cc_addrbook_free(b);
}

static void test_book_replaces_useless(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr src = addr("9.9.9.9"), a = addr("1.1.1.1");
    struct cc_test_random r;
    size_t before, after, tried;

    (void)state;
    cc_test_random_init(&r, 2);
    for (int i = 0; i < 100000; i++) {
        uint32_t v = (uint32_t)cc_test_random(&r);

        memcpy(a.bytes, &v, 4);
        cc_addrbook_add(b, &a, 1, NOW, &src, NOW);
    }
    cc_addrbook_counts(b, 0, &before, &tried);
    /* Forty days later all of them give way to what is heard of then. */
    assert_true(before > 0);
    for (int i = 0; i < 100000; i++) {
        uint32_t v = (uint32_t)cc_test_random(&r);

        memcpy(a.bytes, &v, 4);
        cc_addrbook_add(b, &a, 2, NOW + 40 * 86400, &src, NOW + 40 * 86400);
    }
    cc_addrbook_counts(b, 0, &after, &tried);
    assert_true(after <= 64 * CC_BOOK_BUCKET_SIZE);
    {
        struct cc_book_entry *e;
        size_t n = cc_addrbook_sample(b, 0, 100, 0, NOW + 40 * 86400,
                                      next_random, &r, &e);

        assert_true(n > 3000);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(e[i].services, 2);
        free(e);
    }
    cc_addrbook_free(b);
}

/* Each network's numbers are those of the addresses that are there. */
static void expect_counts(const struct cc_addrbook *b,
                          const struct cc_netaddr *all, size_t count)
{
    size_t fresh, tried, f, t;

    for (unsigned net = 0; net <= CC_NET_CJDNS; net++) {
        fresh = tried = 0;
        for (size_t i = 0; i < count; i++) {
            const struct cc_book_entry *e = cc_addrbook_find(b, &all[i]);

            if (!e || (net && e->addr.network != net))
                continue;
            tried += e->tried;
            fresh += !e->tried;
        }
        cc_addrbook_counts(b, net, &f, &t);
        assert_int_equal(f, fresh);
        assert_int_equal(t, tried);
        if (net <= CC_NET_IPV6)
            assert_true(fresh && tried);
    }
}

static void test_book_counts(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr all[6000], src = addr("9.9.9.9");
    char *dir = cc_test_mkdir(), *path = cc_fs_join(dir, "peers.dat");
    const size_t count = sizeof(all) / sizeof(*all);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct cc_netaddr *a = &all[i];
        /* The second half comes when the first is of no use any more. */
        int64_t now = NOW + (i < count / 2 ? 0 : 40 * 86400);

        *a = addr(i % 3 ? "1.1.1.1" : "2a00::1");
        a->bytes[a->len - 2] = (uint8_t)(i >> 8);
        a->bytes[a->len - 1] = (uint8_t)i;
        src.bytes[0] = (uint8_t)(i % 40 + 1);
        cc_addrbook_add(b, a, 1, now, &src, now);
        if (i % 2)
            cc_addrbook_good(b, a, now);
        cc_addrbook_resolve(b, now + 86400);
    }
    expect_counts(b, all, count);
    assert_int_equal(cc_addrfile_save(b, path, MAGIC, NULL), CC_OK);
    cc_addrbook_free(b);
    b = cc_addrbook_new(seed);
    assert_int_equal(cc_addrfile_load(b, path, MAGIC, NOW + 40 * 86400, NULL),
                     CC_OK);
    expect_counts(b, all, count);
    free(path);
    cc_test_rmdir(dir);
    cc_addrbook_free(b);
}

static void test_book_select(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr a = addr("8.8.8.8"), c = addr("4.4.4.4");
    struct cc_book_entry e;
    struct cc_test_random r;
    unsigned got_tried = 0;

    (void)state;
    cc_test_random_init(&r, 3);
    assert_false(cc_addrbook_select(b, false, NOW, next_random, &r, &e));
    cc_addrbook_add(b, &a, 1, NOW, &a, NOW);
    cc_addrbook_add(b, &c, 1, NOW, &c, NOW);
    cc_addrbook_good(b, &c, NOW - 3600);
    for (int i = 0; i < 200; i++) {
        assert_true(cc_addrbook_select(b, true, NOW, next_random, &r, &e));
        assert_true(cc_netaddr_equal(&e.addr, &a));
        assert_true(cc_addrbook_select(b, false, NOW, next_random, &r, &e));
        got_tried += e.tried;
    }
    assert_true(got_tried > 50 && got_tried < 150);
    cc_addrbook_free(b);
}

/* A tried address that worked lately is not pushed out by another. */
static void test_book_tried_keeps(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr src = addr("9.9.9.9"), a = addr("1.1.0.0");
    size_t fresh, tried, moved = 0, refused = 0;

    (void)state;
    for (unsigned i = 0; i < 4000; i++) { /* one group: 8 buckets of 64 */
        a.bytes[2] = (uint8_t)(i >> 8);
        a.bytes[3] = (uint8_t)i;
        src.bytes[0] = (uint8_t)i;
        src.bytes[1] = (uint8_t)(i >> 4);
        if (!cc_addrbook_add(b, &a, 1, NOW, &src, NOW))
            continue;
        if (cc_addrbook_good(b, &a, NOW))
            moved++;
        else
            refused++;
    }
    cc_addrbook_counts(b, 0, &fresh, &tried);
    assert_int_equal(tried, moved);
    assert_true(moved <= 8 * CC_BOOK_BUCKET_SIZE);
    assert_true(refused > 0);
    cc_addrbook_free(b);
}

static void test_book_file(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed), *c;
    struct cc_netaddr a = addr("1.1.1.1"), src = addr("9.9.9.9");
    char *dir = cc_test_mkdir();
    struct cc_error err;
    char *path;
    uint8_t *data;
    size_t len, f1, t1, f2, t2;

    (void)state;
    path = cc_fs_join(dir, "peers.dat");
    for (unsigned i = 0; i < 500; i++) {
        a.bytes[0] = (uint8_t)(i % 8 + 1);
        a.bytes[2] = (uint8_t)i;
        cc_addrbook_add(b, &a, 9, NOW - i, &src, NOW);
        if (i % 3 == 0)
            cc_addrbook_good(b, &a, NOW - i);
    }
    assert_int_equal(cc_addrfile_load(b, path, MAGIC, NOW, &err), CC_NOTFOUND);
    assert_int_equal(cc_addrfile_save(b, path, MAGIC, &err), CC_OK);
    c = cc_addrbook_new(seed);
    assert_int_equal(cc_addrfile_load(c, path, MAGIC, NOW, &err), CC_OK);
    cc_addrbook_counts(b, 0, &f1, &t1);
    cc_addrbook_counts(c, 0, &f2, &t2);
    assert_true(t1 > 0 && f1 > 0);
    assert_int_equal(f1, f2);
    assert_int_equal(t1, t2);
    assert_int_equal(cc_addrbook_find(c, &a)->time,
                     cc_addrbook_find(b, &a)->time);
    cc_addrbook_free(c);
    /* Any damage is found and leaves an empty book. */
    assert_int_equal(cc_fs_read(path, 1 << 20, &data, &len, &err), CC_OK);
    for (size_t i = 0; i < len; i += len / 50) {
        data[i] ^= 1;
        c = cc_addrbook_new(seed);
        assert_int_not_equal(cc_addrfile_decode(c, data, len, MAGIC, NOW, &err),
                             CC_OK);
        assert_int_equal(cc_addrfile_decode(c, data, i, MAGIC, NOW, &err),
                         CC_CORRUPT);
        cc_addrbook_counts(c, 0, &f2, &t2);
        assert_true(f2 == 0 && t2 == 0);
        cc_addrbook_free(c);
        data[i] ^= 1;
    }
    free(data);
    free(path);
    cc_addrbook_free(b);
    cc_test_rmdir(dir);
}

/* --- Bans ----------------------------------------------------------------- */

static void test_bans(void **state)
{
    struct cc_banlist *b = cc_banlist_new(seed);
    struct cc_netaddr in = addr("10.1.2.3"), out = addr("10.2.2.3");
    const struct cc_ban_entry *all;
    struct cc_subnet s;

    (void)state;
    assert_true(cc_subnet_parse(&s, "10.1.0.0/16"));
    assert_true(cc_banlist_add(b, &s, NOW, NOW + 100));
    assert_false(cc_banlist_add(b, &s, NOW, NOW + 50)); /* shorter */
    assert_true(cc_banlist_has(b, &in, NOW));
    assert_true(cc_banlist_has(b, &in, NOW + 99));
    assert_false(cc_banlist_has(b, &in, NOW + 100));
    assert_false(cc_banlist_has(b, &out, NOW));
    assert_true(cc_banlist_has_subnet(b, &s, NOW));
    assert_int_equal(cc_banlist_all(b, NOW + 101, &all), 0);
    assert_true(cc_banlist_add(b, &s, NOW, NOW + 100));
    assert_true(cc_banlist_remove(b, &s));
    assert_false(cc_banlist_remove(b, &s));
    assert_false(cc_banlist_discouraged(b, &in));
    cc_banlist_discourage(b, &in);
    assert_true(cc_banlist_discouraged(b, &in));
    assert_false(cc_banlist_discouraged(b, &out));
    in.port++; /* the host counts */
    assert_true(cc_banlist_discouraged(b, &in));
    cc_banlist_free(b);
}

static void test_bans_file(void **state)
{
    static const char *const broken[] = {
        "",
        "[]",
        "{}",
        "{\"banned_nets\":{}}",
        ("{\"banned_nets\":[{\"address\":\"x\",\"ban_created\":1,"
         "\"banned_until\":9999999999}]}"),
        "{\"banned_nets\":[{\"address\":\"1.2.3.4\"}]}"};
    struct cc_banlist *b = cc_banlist_new(seed), *c = cc_banlist_new(seed);
    char *dir = cc_test_mkdir();
    const struct cc_ban_entry *all;
    struct cc_subnet s, six;
    struct cc_error err;
    char *path;

    (void)state;
    path = cc_fs_join(dir, "banlist.json");
    assert_int_equal(cc_banlist_load(c, path, NOW, &err), CC_NOTFOUND);
    assert_true(cc_subnet_parse(&s, "10.1.0.0/16"));
    assert_true(cc_subnet_parse(&six, "2001:db8::/32"));
    cc_banlist_add(b, &s, NOW, NOW + 100);
    cc_banlist_add(b, &six, NOW, NOW + 5);
    assert_int_equal(cc_banlist_save(b, path, NOW, &err), CC_OK);
    assert_int_equal(cc_banlist_load(c, path, NOW + 50, &err), CC_OK);
    assert_int_equal(cc_banlist_all(c, NOW + 50, &all), 1);
    assert_true(cc_subnet_equal(&all[0].subnet, &s));
    assert_int_equal(all[0].created, NOW);
    assert_int_equal(all[0].until, NOW + 100);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_int_equal(
            cc_fs_write(path, broken[i], strlen(broken[i]), 0600, &err), CC_OK);
        assert_int_equal(cc_banlist_load(c, path, NOW, &err), CC_CORRUPT);
        assert_int_equal(cc_banlist_all(c, NOW, &all), 0);
    }
    free(path);
    cc_banlist_free(b);
    cc_banlist_free(c);
    cc_test_rmdir(dir);
}

/* --- Clocks of others ----------------------------------------------------- */

static void add_clock(struct cc_timedata *t, unsigned host, int64_t offset)
{
    char text[32];
    struct cc_netaddr a;

    snprintf(text, sizeof(text), "10.0.%u.%u:%u", host / 256, host % 256,
             1000 + host);
    a = addr(text);
    cc_timedata_add(t, &a, offset);
}

static void test_timedata(void **state)
{
    struct cc_timedata t;
    struct cc_netaddr again = addr("10.0.0.1:7");

    (void)state;
    cc_timedata_init(&t);
    for (unsigned host = 1; host <= 3; host++) {
        add_clock(&t, host, 100 * host);
        assert_int_equal(t.median, 0);
    }
    cc_timedata_add(&t, &again, 100); /* another port is no other clock */
    assert_int_equal(t.median, 0);
    add_clock(&t, 4, 150); /* 0 100 150 200 300 */
    assert_int_equal(t.median, 150);
    add_clock(&t, 5, 4000);
    assert_int_equal(t.median, 150);
    add_clock(&t, 6, 4200); /* 0 100 150 200 300 4000 4200 */
    assert_int_equal(t.median, 200);
    for (unsigned host = 7; host <= 9; host++)
        add_clock(&t, host, 4200);
    assert_int_equal(t.median, 300);
    for (unsigned host = 10; host <= 14; host++)
        add_clock(&t, host, 4200);
    assert_int_equal(t.median, 4200); /* 70 minutes */
    for (unsigned host = 15; host <= 50; host++)
        add_clock(&t, host, 4201);
    assert_int_equal(t.median, 0);
}

static void test_timedata_bound(void **state)
{
    struct cc_timedata t;

    (void)state;
    cc_timedata_init(&t);
    for (unsigned host = 0; host < 1000; host++)
        add_clock(&t, host, -(int64_t)host);
    assert_int_equal(t.count, CC_TIMEDATA_MAX);
    assert_int_equal(t.median, -98); /* of -197 to 0 and the 0 of our own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_netaddr_text),
        cmocka_unit_test(test_routable),
        cmocka_unit_test(test_subnet),
        cmocka_unit_test(test_book_basics),
        cmocka_unit_test(test_book_flood),
        cmocka_unit_test(test_book_replaces_useless),
        cmocka_unit_test(test_book_counts),
        cmocka_unit_test(test_book_select),
        cmocka_unit_test(test_book_tried_keeps),
        cmocka_unit_test(test_book_file),
        cmocka_unit_test(test_bans),
        cmocka_unit_test(test_bans_file),
        cmocka_unit_test(test_timedata),
        cmocka_unit_test(test_timedata_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
