/* The address book under pressure (addrbook.h), and its files (addrfile.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "net/addrbook_i.h"
#include "net/addrfile.h"
#include "support.h"
#include "util/fs.h"

#define NOW INT64_C(1700000000)
#define MAGIC 0xdab5bffa
#define HOUR 3600

static const uint8_t seed[16] = {1, 2, 3}, seed2[16] = {4};

static uint64_t next_random(void *arg) { return cc_test_random(arg); }

static struct cc_netaddr addr(unsigned a, unsigned b, unsigned c, unsigned d)
{
    struct cc_netaddr out;

    memset(&out, 0, sizeof(out));
    out.network = CC_NET_IPV4;
    out.len = 4;
    out.bytes[0] = (uint8_t)a;
    out.bytes[1] = (uint8_t)b;
    out.bytes[2] = (uint8_t)c;
    out.bytes[3] = (uint8_t)d;
    out.port = 8333;
    return out;
}

/* --- More than one place -------------------------------------------------- */

static size_t places(const struct cc_addrbook *b, const struct cc_netaddr *a)
{
    struct cc_book_entry e;
    size_t n = 0;

    for (size_t slot = 0; cc_addrbook_next(b, false, &slot, &e); slot++)
        n += cc_netaddr_equal(&e.addr, a);
    return n;
}

static void test_places(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr a = addr(8, 8, 8, 8), source;
    size_t fresh, tried, n = 0;

    (void)state;
    /* Told once, or again with nothing new: one place. */
    source = addr(9, 0, 1, 1);
    assert_true(cc_addrbook_add(b, &a, 1, NOW, &source, NOW));
    for (unsigned i = 0; i < 100; i++) {
        source = addr(11, i, 1, 1);
        cc_addrbook_add(b, &a, 1, NOW, &source, NOW);
    }
    assert_int_equal(places(b, &a), 1);
    /* Told anew by many: up to eight, each harder to get. */
    for (unsigned i = 0; i < 5000; i++) {
        source = addr(11 + i / 250, i % 250, 1, 1);
        cc_addrbook_add(b, &a, 1, NOW + i, &source, NOW + i);
        if (i == 3)
            n = places(b, &a);
    }
    assert_true(n < 5);
    assert_int_equal(places(b, &a), CC_BOOK_MAX_REFS);
    cc_addrbook_counts(b, 0, &fresh, &tried);
    assert_true(fresh == 1 && tried == 0);
    /* Met: all of them are given up for one among the tried. */
    assert_true(cc_addrbook_good(b, &a, NOW));
    assert_int_equal(places(b, &a), 0);
    cc_addrbook_counts(b, 0, &fresh, &tried);
    assert_true(fresh == 0 && tried == 1);
    assert_false(cc_addrbook_good(b, &a, NOW));
    cc_addrbook_free(b);
}

/* An only place is kept against newcomers; one of several is not. */
static void test_only_place(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr source = addr(9, 9, 1, 1), a, first = addr(1, 2, 0, 0);
    size_t refused = 0, fresh, tried;

    (void)state;
    for (unsigned i = 0; i < 300; i++) { /* one group of one teller: 64 */
        a = addr(1, 2, i / 200, i % 200);
        refused += !cc_addrbook_add(b, &a, 1, NOW, &source, NOW);
    }
    cc_addrbook_counts(b, 0, &fresh, &tried);
    assert_true(fresh <= CC_BOOK_BUCKET_SIZE);
    assert_int_equal(refused, 300 - fresh);
    assert_non_null(cc_addrbook_find(b, &first)); /* the first keeps its own */
    cc_addrbook_free(b);
}

/* --- A tried place that another wants ------------------------------------- */

/* Two addresses of one place; both in the book, the first tried at NOW. */
static void make_collision(struct cc_addrbook *b, struct cc_netaddr *old,
                           struct cc_netaddr *wants)
{
    struct cc_netaddr source = addr(9, 9, 1, 1);
    size_t slot;

    *old = addr(1, 1, 1, 1);
    assert_true(cc_addrbook_add(b, old, 9, NOW, &source, NOW));
    assert_true(cc_addrbook_good(b, old, NOW));
    slot = cc_abook_tried_slot(b, old);
    for (unsigned i = 0;; i++) {
        *wants = addr(1, 1, i / 250 % 250, i % 250);
        wants->port = (uint16_t)(8000 + i / 62500);
        if (!cc_netaddr_equal(wants, old) &&
            cc_abook_tried_slot(b, wants) == slot &&
            cc_addrbook_add(b, wants, 9, NOW, &source, NOW))
            return;
    }
}

static bool is_tried(const struct cc_addrbook *b, const struct cc_netaddr *a)
{
    const struct cc_book_entry *e = cc_addrbook_find(b, a);

    return e && e->tried;
}

static void test_collision(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr old, wants;
    struct cc_book_entry e;
    struct cc_test_random r;

    (void)state;
    cc_test_random_init(&r, 5);
    make_collision(b, &old, &wants);
    assert_false(cc_addrbook_select_collision(b, next_random, &r, &e));
    assert_false(cc_addrbook_good(b, &wants, NOW + HOUR));
    assert_true(is_tried(b, &old) && !is_tried(b, &wants));
    /* The occupant is to be asked. */
    assert_true(cc_addrbook_select_collision(b, next_random, &r, &e));
    assert_true(cc_netaddr_equal(&e.addr, &old));
    /* It worked an hour ago: it stays, and that is the end of it. */
    cc_addrbook_resolve(b, NOW + HOUR);
    assert_false(cc_addrbook_select_collision(b, next_random, &r, &e));
    assert_true(is_tried(b, &old));
    /* Five hours ago: it is asked, given a minute, and then replaced. */
    assert_false(cc_addrbook_good(b, &wants, NOW + 5 * HOUR));
    cc_addrbook_resolve(b, NOW + 5 * HOUR);
    assert_true(cc_addrbook_select_collision(b, next_random, &r, &e));
    cc_addrbook_attempt(b, &old, NOW + 5 * HOUR);
    cc_addrbook_resolve(b, NOW + 5 * HOUR + 60);
    assert_true(is_tried(b, &old));
    cc_addrbook_resolve(b, NOW + 5 * HOUR + 61);
    assert_true(is_tried(b, &wants) && !is_tried(b, &old));
    assert_non_null(cc_addrbook_find(b, &old)); /* heard of, once more */
    assert_false(cc_addrbook_select_collision(b, next_random, &r, &e));
    cc_addrbook_free(b);
}

static void test_collision_untested(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr old, wants;

    (void)state;
    make_collision(b, &old, &wants);
    assert_false(cc_addrbook_good(b, &wants, NOW + 5 * HOUR));
    /* Nobody could ask for forty minutes: the newcomer, which worked, wins. */
    cc_addrbook_resolve(b, NOW + 5 * HOUR + 40 * 60);
    assert_true(is_tried(b, &old));
    cc_addrbook_resolve(b, NOW + 5 * HOUR + 40 * 60 + 1);
    assert_true(is_tried(b, &wants));
    cc_addrbook_free(b);
}

/* Without a network every attempt fails: counted once, until one succeeds. */
static void test_attempts(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr a = addr(8, 8, 8, 8), other = addr(9, 9, 9, 9);

    (void)state;
    cc_addrbook_add(b, &a, 1, NOW, &a, NOW);
    cc_addrbook_add(b, &other, 1, NOW, &other, NOW);
    for (int i = 1; i < 10; i++)
        cc_addrbook_attempt(b, &a, NOW + i);
    assert_int_equal(cc_addrbook_find(b, &a)->attempts, 1);
    cc_addrbook_good(b, &other, NOW + 20);
    for (int i = 21; i < 30; i++)
        cc_addrbook_attempt(b, &a, NOW + i);
    assert_int_equal(cc_addrbook_find(b, &a)->attempts, 2);
    cc_addrbook_good(b, &a, NOW + 40);
    assert_int_equal(cc_addrbook_find(b, &a)->attempts, 0);
    cc_addrbook_free(b);
}

/* However full one bucket is, it is chosen as often as one with a single
 * address; and what was tried just now hardly ever. */
static void test_choice(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_netaddr lone = addr(8, 8, 8, 8), crowd = addr(9, 9, 1, 1), a;
    struct cc_book_entry e;
    struct cc_test_random r;
    unsigned got = 0;

    (void)state;
    cc_test_random_init(&r, 6);
    cc_addrbook_add(b, &lone, 1, NOW, &lone, NOW);
    for (unsigned i = 0; i < 300; i++) { /* one group of one teller */
        a = addr(1, 2, i / 200, i % 200);
        cc_addrbook_add(b, &a, 1, NOW, &crowd, NOW);
    }
    for (int i = 0; i < 1000; i++) {
        assert_true(cc_addrbook_select(b, false, NOW, next_random, &r, &e));
        got += cc_netaddr_equal(&e.addr, &lone);
    }
    assert_true(got > 400 && got < 600);
    cc_addrbook_attempt(b, &lone, NOW);
    got = 0;
    for (int i = 0; i < 1000; i++) {
        cc_addrbook_select(b, false, NOW, next_random, &r, &e);
        got += cc_netaddr_equal(&e.addr, &lone);
    }
    assert_true(got < 50);
    cc_addrbook_free(b);
}

/* --- Files ---------------------------------------------------------------- */

static void test_same_places_after_loading(void **state)
{
    struct cc_addrbook *b = cc_addrbook_new(seed), *c = cc_addrbook_new(seed2);
    char *dir = cc_test_mkdir(), *path = cc_fs_join(dir, "peers.dat");
    struct cc_netaddr a, source;
    struct cc_book_entry x, y;
    struct cc_error err;

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        a = addr(1 + i % 8, i / 8 % 200, 3, i / 1600);
        source = addr(11 + i % 7, i % 200, 1, 1);
        cc_addrbook_add(b, &a, 9, NOW - 3000 + i, &source, NOW);
        cc_addrbook_add(b, &a, 9, NOW + i % 500, &a, NOW);
        if (i % 5 == 0)
            cc_addrbook_good(b, &a, NOW);
    }
    assert_int_equal(cc_addrfile_save(b, path, MAGIC, &err), CC_OK);
    assert_int_equal(cc_addrfile_load(c, path, MAGIC + 1, NOW, &err),
                     CC_CORRUPT);
    assert_int_equal(cc_addrfile_load(c, path, MAGIC, NOW, &err), CC_OK);
    for (int tried = 0; tried < 2; tried++) {
        size_t s = 0, t = 0;

        for (;; s++, t++) {
            bool more = cc_addrbook_next(b, tried, &s, &x);

            assert_int_equal(cc_addrbook_next(c, tried, &t, &y), more);
            if (!more)
                break;
            assert_int_equal(s, t);
            assert_true(cc_netaddr_equal(&x.addr, &y.addr));
            assert_true(cc_netaddr_same_host(&x.source, &y.source));
            assert_int_equal(x.time, y.time);
            assert_int_equal(x.services, y.services);
            assert_int_equal(x.last_success, y.last_success);
        }
    }
    cc_addrbook_free(b);
    cc_addrbook_free(c);
    free(path);
    cc_test_rmdir(dir);
}

static void test_anchors(void **state)
{
    char *dir = cc_test_mkdir(), *path = cc_fs_join(dir, "anchors.dat");
    struct cc_book_entry e[CC_ANCHORS_MAX], out[CC_ANCHORS_MAX];
    struct cc_error err;
    uint8_t *data;
    size_t len;

    (void)state;
    memset(e, 0, sizeof(e));
    e[0].addr = addr(127, 0, 0, 1);
    assert_true(cc_netaddr_parse(&e[1].addr,
                                 "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nub"
                                 "xndf4pscryd.onion:8333",
                                 1));
    e[0].services = e[1].services = 9;
    e[0].time = e[1].time = NOW;
    assert_int_equal(cc_anchors_load(path, MAGIC, out), 0);
    assert_int_equal(cc_anchors_save(path, MAGIC, e, 2, &err), CC_OK);
    assert_int_equal(cc_fs_read(path, 1000, &data, &len, &err), CC_OK);
    assert_int_equal(cc_anchors_load(path, MAGIC, out), 2);
    for (int i = 0; i < 2; i++) {
        assert_true(cc_netaddr_equal(&out[i].addr, &e[i].addr));
        assert_int_equal(out[i].services, 9);
        assert_int_equal(out[i].time, NOW);
    }
    assert_false(cc_fs_exists(path)); /* read once */
    /* Damage of any byte, and another chain's: none. */
    for (size_t i = 0; i < len; i++) {
        data[i] ^= 1;
        assert_int_equal(cc_anchors_decode(data, len, MAGIC, out), 0);
        data[i] ^= 1;
        assert_int_equal(cc_anchors_decode(data, i, MAGIC, out), 0);
    }
    assert_int_equal(cc_anchors_decode(data, len, MAGIC + 1, out), 0);
    assert_int_equal(cc_anchors_decode(data, len, MAGIC, out), 2);
    free(data);
    free(path);
    cc_test_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_only_place),
        cmocka_unit_test(test_collision),
        cmocka_unit_test(test_collision_untested),
        cmocka_unit_test(test_attempts),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_same_places_after_loading),
        cmocka_unit_test(test_anchors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
