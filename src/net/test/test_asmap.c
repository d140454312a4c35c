/* Providers of addresses (asmap.h): a map made for tests, maps that are none,
 * and what grouping by them does to the address book. */
#include "support.h"

#include <stdlib.h>

#include "net/addrbook_i.h"
#include "net/addrfile.h"
#include "util/fs.h"
#include "util/hex.h"

#define NOW INT64_C(1700000000)
#define MAGIC 0xdab5bffa

/* The map of Bitcoin Core's own tests: 250.0.0.0/8 is AS1000, 101.1.0.0/16 to
 * 101.8.0.0/16 are AS1 to AS8. */
static const uint8_t map_data[] = {
    0xfb, 0x03, 0xec, 0x0f, 0xb0, 0x3f, 0xc0, 0xfe, 0x00, 0xfb, 0x03, 0xec,
    0x0f, 0xb0, 0x3f, 0xc0, 0xfe, 0x00, 0xfb, 0x03, 0xec, 0x0f, 0xb0, 0xff,
    0xff, 0xfe, 0xff, 0xed, 0xb0, 0xff, 0xd4, 0x86, 0xe6, 0x28, 0x29, 0x00,
    0x00, 0x40, 0x00, 0x00, 0x40, 0x00, 0x40, 0x99, 0x01, 0x00, 0x80, 0x01,
    0x80, 0x04, 0x00, 0x00, 0x05, 0x00, 0x06, 0x00, 0x1c, 0xf0, 0x39,
};

static struct cc_asmap *load(const void *data, size_t len)
{
    struct cc_asmap *m = NULL;

    return cc_asmap_decode(&m, data, len) == CC_OK ? m : NULL;
}

static struct cc_netaddr at(const char *text)
{
    struct cc_netaddr a;

    assert_true(cc_netaddr_parse(&a, text, 8333));
    return a;
}

static void test_find(void **state)
{
    static const struct {
        const char *addr;
        uint32_t asn;
    } cases[] = {
        {"250.1.2.3", 1000},
        {"250.255.255.255", 1000},
        {"101.1.0.0", 1},
        {"101.1.255.9", 1},
        {"101.5.77.1", 5},
        {"101.8.0.1", 8},
        {"2002:6505:4d01::1", 5},        /* 6to4 */
        {"64:ff9b::101.6.1.1", 6},       /* RFC 6052 */
        {"2001:0:1:2:3:4:9af8:fefe", 7}, /* Teredo: 101.7.1.1, inverted */
        {"127.0.0.1", 0},                /* not of the Internet */
        {"10.1.2.3", 0},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 0},
    };
    struct cc_asmap *m = load(map_data, sizeof(map_data));
    uint8_t version[32];
    char hex[65];

    (void)state;
    assert_non_null(m);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cc_netaddr a = at(cases[i].addr);

        assert_int_equal(cc_asmap_find(m, &a), cases[i].asn);
        assert_int_equal(cc_asmap_find(NULL, &a), 0);
    }
    cc_asmap_version(m, version);
    cc_hex_encode_rev(hex, version, 32);
    assert_string_equal(hex, "fec61fa21a9f46f3b17bdcd660d7f4cd90b966aad3aec593"
                             "c99b35f0aca15853");
    cc_asmap_free(m);
    cc_asmap_free(NULL);
}

/* --- Programs, written out ------------------------------------------------ */

struct text {
    uint8_t data[128];
    size_t bits;
};

static struct text bits_of(const char *digits)
{
    struct text t = {.bits = 0};

    for (; *digits; digits++) {
        if (*digits == ' ')
            continue;
        if (*digits == '1')
            t.data[t.bits / 8] |= (uint8_t)(1u << t.bits % 8);
        t.bits++;
    }
    return t;
}

#define RETURN_1 "0 0 000000000000000 "
#define RETURN_2 "0 0 000000000000001 "
#define DEFAULT_1 "111 0 000000000000000 "
#define JUMP_17 "10 0 00000 " /* over one RETURN */
#define JUMP_18 "10 0 00001 "
#define MATCH_0 "110 0 0 " /* one bit */
#define MATCH_1 "110 0 1 "
#define MATCH_8 "110 1111111 00000000 " /* eight, all zero */
#define MATCH_7 "110 1111110 0000000 "

static void test_sanity(void **state)
{
    static const struct {
        const char *program;
        bool good;
    } cases[] = {
        {"", false},
        {RETURN_1, true},
        {RETURN_1 "0000000 00000000", false}, /* more than a byte's rest */
        {RETURN_1 "1", false},
        {"0 0 00000000000000", false}, /* cut short */
        {JUMP_17 RETURN_1 RETURN_2, true},
        {JUMP_17 RETURN_1, false},
        {JUMP_18 RETURN_1 RETURN_2, false}, /* into an instruction */
        {JUMP_17 JUMP_18 RETURN_1 RETURN_2 RETURN_1, false}, /* crossing */
        /* each branch has what is left of the address where it begins */
        {"10 0 10010 " MATCH_8 RETURN_1 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8
             MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8
                 MATCH_8 MATCH_8 MATCH_7 RETURN_1,
         true},
        {"10 0 10010 " MATCH_8 RETURN_1 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8
             MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8
                 MATCH_8 MATCH_8 MATCH_8 RETURN_1,
         false},
        {DEFAULT_1 RETURN_1, false},
        {DEFAULT_1 DEFAULT_1 MATCH_0 RETURN_1, false},
        {DEFAULT_1 MATCH_0 RETURN_2, true},
        {MATCH_0 MATCH_1 RETURN_1, false}, /* could be one */
        {MATCH_0 MATCH_8 RETURN_1, true},
        {MATCH_8 MATCH_0 MATCH_8 RETURN_1, true},
        {MATCH_0 MATCH_8 MATCH_0 RETURN_1, true},
        {MATCH_0 DEFAULT_1 MATCH_0 RETURN_1, true},
        {MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8
             MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 RETURN_1,
         true}, /* all of the address */
        {MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8
             MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_0
                 RETURN_1,
         false},
        {MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8
             MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 MATCH_8 JUMP_17
                 RETURN_1 RETURN_2,
         false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct text t = bits_of(cases[i].program);
        struct cc_asmap *m = load(t.data, (t.bits + 7) / 8);

        if (cases[i].good != (m != NULL))
            fail_msg("case %zu: %s", i, cases[i].program);
        cc_asmap_free(m);
    }
}

/* A jump is taken for a 1, and what does not match gets the default. */
static void test_ways(void **state)
{
    struct text t =
        bits_of(JUMP_18 DEFAULT_1 MATCH_8 RETURN_2); /* never a jump's end */
    struct cc_asmap *m;
    struct cc_netaddr a = at("2600::1"), b = at("[a600::1]");

    (void)state;
    assert_null(load(t.data, (t.bits + 7) / 8));
    t = bits_of(JUMP_17 RETURN_2 RETURN_1);
    m = load(t.data, (t.bits + 7) / 8);
    assert_non_null(m);
    assert_int_equal(cc_asmap_find(m, &a), 2);
    assert_int_equal(cc_asmap_find(m, &b), 1);
    cc_asmap_free(m);
    t = bits_of(DEFAULT_1 MATCH_1 RETURN_2);
    m = load(t.data, (t.bits + 7) / 8);
    assert_non_null(m);
    assert_int_equal(cc_asmap_find(m, &a), 1);
    assert_int_equal(cc_asmap_find(m, &b), 2);
    cc_asmap_free(m);
}

#define ONES_8 "110 1111111 11111111 "
#define EIGHT "110 1111111 00001000 "
#define LAST JUMP_17 RETURN_2 RETURN_1
#define ZEROS_32 MATCH_8 MATCH_8 MATCH_8 MATCH_8

/* Every byte of an address counts, by whichever way it is written. */
static void test_all_of_the_address(void **state)
{
    static const struct {
        const char *addr;
        uint32_t asn;
    } cases[] = {
        {"8.8.8.0", 2},
        {"8.8.8.1", 1},
        {"8.8.9.1", 0},
        {"9.8.8.1", 0},
        {"2002:808:800::", 2},
        {"2002:808:801::", 1},
        {"2001:0:1:2:3:4:f7f7:f7fe", 1},
        {"2001:0:1:2:3:4:f7f7:f7ff", 2},
        {"2001:1:1:2:3:4:f7f7:f7fe", 0}, /* no Teredo */
        {"64:ff9b::808:800", 2},
        {"64:ff9b::808:801", 1},
        {"64:ff9b::1:808:801", 0},
        {"::ffff:0:808:800", 2},
        {"::ffff:0:808:801", 1},
        {"::ffff:1:808:801", 0},
    };
    struct text t = bits_of(ZEROS_32 ZEROS_32 MATCH_8 MATCH_8 ONES_8 ONES_8
                                EIGHT EIGHT EIGHT MATCH_7 LAST);
    struct cc_asmap *m = load(t.data, (t.bits + 7) / 8);
    struct cc_netaddr a;
    uint8_t version[32];

    (void)state;
    assert_non_null(m);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        a = at(cases[i].addr);
        if (cc_asmap_find(m, &a) != cases[i].asn)
            fail_msg("%s", cases[i].addr);
    }
    cc_asmap_free(m);
    t = bits_of("110 1111111 00100110 " MATCH_8 MATCH_8 MATCH_8 ZEROS_32
                    ZEROS_32 MATCH_8 MATCH_8 MATCH_8 MATCH_7 LAST);
    m = load(t.data, (t.bits + 7) / 8);
    assert_non_null(m);
    for (uint32_t i = 0; i < 2; i++) {
        a = at(i ? "2600::1" : "2600::");
        assert_int_equal(cc_asmap_find(m, &a), 2 - i);
    }
    cc_asmap_free(m);
    memset(version, 0xff, sizeof(version));
    cc_asmap_version(NULL, version);
    for (size_t i = 0; i < sizeof(version); i++)
        assert_int_equal(version[i], 0);
}

/* Numbers of providers by their classes: 15 to 24 bits. */
static void test_numbers(void **state)
{
    struct cc_netaddr a = at("8.8.8.8");
    uint32_t first = 1;

    (void)state;
    for (unsigned size = 15; size <= 24; size++) {
        for (int ones = 0; ones < 2; ones++) {
            char digits[64] = "0";
            struct text t;
            struct cc_asmap *m;

            memset(digits + 1, '1', size - 15);
            if (size < 24)
                strcat(digits, "0");
            memset(digits + strlen(digits), ones ? '1' : '0', size);
            t = bits_of(digits);
            m = load(t.data, (t.bits + 7) / 8);
            assert_non_null(m);
            assert_int_equal(cc_asmap_find(m, &a),
                             first + (ones ? (1u << size) - 1 : 0));
            cc_asmap_free(m);
        }
        first += 1u << size;
    }
}

static void test_file(void **state)
{
    char *dir = cc_test_mkdir(), *path = cc_fs_join(dir, "map");
    char text[300];
    struct cc_asmap *m = NULL;
    struct cc_error err;

    (void)state;
    assert_int_equal(cc_asmap_load(&m, path, NULL, &err), CC_INVALID);
    snprintf(text, sizeof(text), "Could not find asmap file \"%s\"", path);
    assert_string_equal(err.text, text);
    for (size_t cut = 0; cut < 2; cut++) {
        assert_int_equal(cc_fs_write(path, map_data,
                                     cut ? 0 : sizeof(map_data) - 1, 0600,
                                     &err),
                         CC_OK);
        assert_int_equal(cc_asmap_load(&m, path, NULL, &err), CC_INVALID);
        snprintf(text, sizeof(text), "Could not parse asmap file \"%s\"", path);
        assert_string_equal(err.text, text);
        assert_null(m);
    }
    assert_int_equal(cc_fs_write(path, map_data, sizeof(map_data), 0600, &err),
                     CC_OK);
    assert_int_equal(cc_asmap_load(&m, path, NULL, &err), CC_OK);
    cc_asmap_free(m);
    cc_test_rmdir(dir);
    free(path);
}

static void test_group(void **state)
{
    struct cc_asmap *m = load(map_data, sizeof(map_data));
    struct cc_netaddr a = at("250.1.1.1"), b = at("250.2.1.1");
    struct cc_netaddr c = at("101.5.1.1"), d = at("2002:6505:4d01::1");
    uint8_t g[8], h[8];

    (void)state;
    assert_int_equal(cc_asmap_group(m, &a, g), 5);
    assert_int_equal(cc_asmap_group(m, &b, h), 5);
    assert_memory_equal(g, h, 5);
    assert_int_equal(cc_asmap_group(NULL, &a, g), 3);
    assert_int_equal(cc_asmap_group(NULL, &b, h), 3);
    assert_memory_not_equal(g, h, 3);
    /* One provider, by IPv4 or IPv6. */
    assert_int_equal(cc_asmap_group(m, &c, g), cc_asmap_group(m, &d, h));
    assert_memory_equal(g, h, 5);
    a = at("127.0.0.1"); /* of no provider: as without a map */
    assert_int_equal(cc_asmap_group(m, &a, g), cc_netaddr_group(&a, h));
    assert_memory_equal(g, h, 3);
    cc_asmap_free(m);
}

/* --- The address book ----------------------------------------------------- */

static void fill(struct cc_addrbook *b)
{
    struct cc_netaddr a = at("250.9.9.9"), source = at("8.8.8.8");

    for (unsigned i = 0; i < 200; i++) {
        a.bytes[1] = (uint8_t)i;
        cc_addrbook_add(b, &a, 1, NOW, &source, NOW);
    }
    for (unsigned i = 1; i < 9; i++) {
        a = at("101.0.1.1");
        a.bytes[1] = (uint8_t)i;
        cc_addrbook_add(b, &a, 1, NOW, &source, NOW);
        cc_addrbook_good(b, &a, NOW);
    }
    a = at("fc00::1");
    cc_netaddr_flip_cjdns(&a);
    cc_addrbook_add(b, &a, 1, NOW, &source, NOW);
}

static size_t buckets(const struct cc_addrbook *b)
{
    size_t n = 0;

    for (size_t i = 0; i < CC_BOOK_NEW_BUCKETS; i++)
        n += b->fresh_in[i] != 0;
    return n;
}

static void test_book(void **state)
{
    static const uint8_t seed[16] = {1, 2, 3};
    struct cc_asmap *m = load(map_data, sizeof(map_data));
    struct cc_addrbook *b = cc_addrbook_new(seed);
    struct cc_addrbook *plain = cc_addrbook_new(seed);
    char *dir = cc_test_mkdir(), *path = cc_fs_join(dir, "peers.dat");
    struct cc_book_providers p;

    (void)state;
    cc_addrbook_set_providers(b, m);
    fill(b);
    fill(plain);
    assert_true(cc_addrbook_check(b) && cc_addrbook_check(plain));
    assert_true(buckets(plain) > 20);
    assert_true(buckets(b) <= 2); /* one provider, and CJDNS */
    p = cc_addrbook_providers(b);
    assert_int_equal(p.addresses, b->fresh_count[0] + b->tried_count[0] - 1);
    assert_int_equal(p.providers, 9);
    assert_int_equal(p.unmapped, 0);
    p = cc_addrbook_providers(plain);
    assert_int_equal(p.providers, 0);
    assert_int_equal(p.unmapped, p.addresses);

    /* A file of other groups: its buckets do not count. */
    assert_int_equal(cc_addrfile_save(plain, path, MAGIC, NULL), CC_OK);
    cc_addrbook_free(b);
    b = cc_addrbook_new(seed);
    cc_addrbook_set_providers(b, m);
    assert_int_equal(cc_addrfile_load(b, path, MAGIC, NOW, NULL), CC_OK);
    assert_true(cc_addrbook_check(b));
    assert_true(buckets(b) <= 2);
    /* And of the same. */
    assert_int_equal(cc_addrfile_save(b, path, MAGIC, NULL), CC_OK);
    cc_addrbook_free(plain);
    plain = cc_addrbook_new(seed);
    cc_addrbook_set_providers(plain, m);
    assert_int_equal(cc_addrfile_load(plain, path, MAGIC, NOW, NULL), CC_OK);
    assert_int_equal(plain->fresh_count[0], b->fresh_count[0]);
    assert_int_equal(plain->tried_count[0], b->tried_count[0]);
    assert_true(buckets(plain) <= 2);
    cc_addrbook_free(plain);
    cc_addrbook_free(b);
    cc_asmap_free(m);
    cc_test_rmdir(dir);
    free(path);
}

static void test_check(void **state)
{
    static const uint8_t seed[16] = {1};
    struct cc_addrbook *b = cc_addrbook_new(seed);

    (void)state;
    assert_true(cc_addrbook_check(b));
    fill(b);
    assert_true(cc_addrbook_check(b));
    b->fresh_count[0]++;
    assert_false(cc_addrbook_check(b));
    b->fresh_count[0]--;
    b->tried_count[CC_NET_IPV4]++;
    assert_false(cc_addrbook_check(b));
    b->tried_count[CC_NET_IPV4]--;
    for (size_t i = 0; i < CC_BOOK_NEW_SLOTS; i++)
        if (b->fresh[i]) {
            b->fresh[i]->refs++;
            assert_false(cc_addrbook_check(b));
            b->fresh[i]->refs--;
            /* beside where it belongs */
            for (size_t k = 0; k < CC_BOOK_NEW_SLOTS; k++)
                if (!b->fresh[k]) {
                    b->fresh[k] = b->fresh[i];
                    b->fresh[i] = NULL;
                    assert_false(cc_addrbook_check(b));
                    b->fresh[i] = b->fresh[k];
                    b->fresh[k] = NULL;
                    break;
                }
            break;
        }
    for (size_t i = 0; i < CC_BOOK_TRIED_SLOTS; i++)
        if (b->tried[i]) {
            struct cc_book_slot *s = b->tried[i];

            b->tried[i] = NULL; /* nowhere */
            assert_false(cc_addrbook_check(b));
            b->tried[i] = s;
            break;
        }
    assert_true(cc_addrbook_check(b));
    cc_addrbook_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_sanity),
        cmocka_unit_test(test_ways),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_all_of_the_address),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_book),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
