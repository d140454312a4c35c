/* Messages: round trips, limits, and bytes that do not decode. */
#include "support.h"

#include <stdlib.h>

#include "net/proto.h"
#include "util/mem.h"

/* --- Envelope ------------------------------------------------------------- */

static void test_frame(void **state)
{
    /* A verack of regtest as every node sends it: checksum of nothing. */
    static const char *hex = "fabfb5da76657261636b000000000000000000005df6e0e2";
    struct cc_writer w;
    struct cc_frame f;
    uint8_t raw[CC_FRAME_SIZE];

    (void)state;
    cc_test_unhex_into(raw, sizeof(raw), hex);
    cc_writer_init_heap(&w);
    cc_frame_write(&w, 0xdab5bffa, "verack", "", 0);
    assert_int_equal(w.len, CC_FRAME_SIZE);
    assert_memory_equal(w.data, raw, CC_FRAME_SIZE);
    cc_frame_decode(&f, raw);
    assert_int_equal(f.magic, 0xdab5bffa);
    assert_string_equal(f.command, "verack");
    assert_int_equal(f.length, 0);
    assert_true(cc_frame_checksum_ok(&f, ""));
    f.checksum[0] ^= 1;
    assert_false(cc_frame_checksum_ok(&f, ""));
    cc_writer_clear(&w);
}

static void test_frame_command(void **state)
{
    static const struct {
        const char *bytes;
        const char *command;
    } cases[] = {
        {"ping\0\0\0\0\0\0\0\0", "ping"}, {"abcdefghijkl", "abcdefghijkl"},
        {"ping\0x\0\0\0\0\0\0", ""}, /* something behind the zero */
        {"\0\0\0\0\0\0\0\0\0\0\0\0", ""}, {"pi\x02ng\0\0\0\0\0\0\0", ""},
        {"pi\x7fng\0\0\0\0\0\0\0", ""},   {"pi\xffng\0\0\0\0\0\0\0", ""},
    };
    uint8_t raw[CC_FRAME_SIZE] = {0};
    struct cc_frame f;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memcpy(raw + 4, cases[i].bytes, 12);
        cc_frame_decode(&f, raw);
        assert_string_equal(f.command, cases[i].command);
    }
    memcpy(raw + 4, "bad\x01msg\0x\0\0\0", 12);
    cc_frame_decode(&f, raw);
    assert_string_equal(f.shown, "badmsg");
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < CC_MSG_COUNT; i++) {
        const char *name = cc_msg_name((enum cc_msg_type)i);

        assert_non_null(name);
        assert_true(strlen(name) <= 12);
        assert_int_equal(cc_msg_find(name),
                         i == CC_MSG_OTHER ? CC_MSG_OTHER : i);
    }
    assert_int_equal(cc_msg_find("nonsense"), CC_MSG_OTHER);
    assert_string_equal(cc_service_name(3), "WITNESS");
    assert_string_equal(cc_service_name(24), "STORAGE");
    assert_null(cc_service_name(63));
}

/* --- version -------------------------------------------------------------- */

static struct cc_msg_version sample_version(void)
{
    struct cc_msg_version m;

    memset(&m, 0, sizeof(m));
    m.version = 70016;
    m.services = 0x409;
    m.time = 1700000000;
    m.you_services = 1;
    cc_netaddr_parse(&m.you, "192.0.2.7:8333", 0);
    m.nonce = UINT64_C(0x1122334455667788);
    strcpy(m.user_agent, "/Tester:1.0/");
    m.start_height = 12345;
    m.relay = true;
    return m;
}

static void test_version(void **state)
{
    struct cc_msg_version m = sample_version(), got;
    struct cc_writer w;

    (void)state;
    cc_writer_init_heap(&w);
    cc_msg_version_write(&w, &m);
    assert_int_equal(w.len, 85 + 1 + strlen(m.user_agent));
    assert_int_equal(cc_msg_version_decode(&got, w.data, w.len), CC_OK);
    assert_int_equal(got.version, m.version);
    assert_int_equal(got.services, m.services);
    assert_int_equal(got.time, m.time);
    assert_int_equal(got.you_services, 1);
    assert_true(cc_netaddr_equal(&got.you, &m.you));
    assert_int_equal(got.nonce, m.nonce);
    assert_string_equal(got.user_agent, m.user_agent);
    assert_int_equal(got.start_height, m.start_height);
    assert_true(got.relay);
    /* Newer senders may say more. */
    cc_write_u32le(&w, 7);
    assert_int_equal(cc_msg_version_decode(&got, w.data, w.len), CC_OK);
    cc_writer_clear(&w);
}

/* Old senders stop early, but only between fields. */
static void test_version_short(void **state)
{
    struct cc_msg_version m = sample_version(), got;
    size_t ends[] = {46, 80, 80 + 13, 80 + 13 + 4, 80 + 13 + 5};
    struct cc_writer w;

    (void)state;
    cc_writer_init_heap(&w);
    m.relay = false;
    cc_msg_version_write(&w, &m);
    for (size_t len = 0; len <= w.len; len++) {
        bool ok = false;

        for (size_t i = 0; i < 5; i++)
            ok |= len == ends[i];
        assert_int_equal(cc_msg_version_decode(&got, w.data, len),
                         ok ? CC_OK : CC_MALFORMED);
    }
    assert_false(got.relay);
    assert_int_equal(cc_msg_version_decode(&got, w.data, 80 + 13 + 4), CC_OK);
    assert_true(got.relay); /* BIP 37: missing means yes */
    cc_writer_clear(&w);
}

static void test_version_agent(void **state)
{
    struct cc_msg_version m = sample_version(), got;
    struct cc_writer w;
    uint8_t *raw;

    (void)state;
    memset(m.user_agent, 'a', 256);
    m.user_agent[256] = '\0';
    cc_writer_init_heap(&w);
    cc_msg_version_write(&w, &m);
    assert_int_equal(cc_msg_version_decode(&got, w.data, w.len), CC_OK);
    assert_int_equal(strlen(got.user_agent), 256);
    raw = cc_calloc(1, w.len + 1);
    memcpy(raw, w.data, w.len);
    raw[81] = 1; /* compact size fd 00 01 becomes fd 01 01: 257 */
    assert_int_equal(cc_msg_version_decode(&got, raw, w.len + 1), CC_LIMIT);
    free(raw);
    cc_writer_clear(&w);
}

/* --- addr, addrv2 --------------------------------------------------------- */

static void test_addr(void **state)
{
    struct cc_addr_entry a[3], *got;
    struct cc_writer w;
    size_t count;

    (void)state;
    memset(a, 0, sizeof(a));
    a[0].time = 1700000000;
    a[0].services = 9;
    cc_netaddr_parse(&a[0].addr, "192.0.2.1:8333", 0);
    cc_netaddr_parse(&a[1].addr, "[2001:db8::1]:18444", 0);
    a[2].addr.network = CC_NET_TORV3;
    a[2].addr.len = 32;
    a[2].addr.port = 9050;
    memset(a[2].addr.bytes, 0x5a, 32);
    for (int v2 = 0; v2 < 2; v2++) {
        size_t n = v2 ? 3 : 2;

        cc_writer_init_heap(&w);
        cc_msg_addr_write(&w, a, n, v2);
        assert_int_equal(cc_msg_addr_decode(&got, &count, v2, w.data, w.len),
                         CC_OK);
        assert_int_equal(count, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(got[i].time, a[i].time);
            assert_int_equal(got[i].services, a[i].services);
            assert_true(cc_netaddr_equal(&got[i].addr, &a[i].addr));
        }
        free(got);
        for (size_t len = 0; len < w.len; len++)
            assert_int_equal(cc_msg_addr_decode(&got, &count, v2, w.data, len),
                             CC_MALFORMED);
        cc_write_u8(&w, 0); /* what follows is not looked at */
        assert_int_equal(cc_msg_addr_decode(&got, &count, v2, w.data, w.len),
                         CC_OK);
        free(got);
        cc_writer_clear(&w);
    }
}

/* One addrv2 entry with this network and these bytes. */
static enum cc_status decode_v2(unsigned network, const uint8_t *bytes,
                                size_t len, struct cc_addr_entry *out)
{
    struct cc_addr_entry *got;
    struct cc_writer w;
    size_t count;
    enum cc_status st;

    cc_writer_init_heap(&w);
    cc_write_compact(&w, 1);
    cc_write_u32le(&w, 5);
    cc_write_compact(&w, 1);
    cc_write_u8(&w, (uint8_t)network);
    cc_write_var(&w, bytes, len);
    cc_write_u16be(&w, 8333);
    st = cc_msg_addr_decode(&got, &count, true, w.data, w.len);
    if (st == CC_OK) {
        assert_int_equal(count, 1);
        *out = got[0];
        free(got);
    }
    cc_writer_clear(&w);
    return st;
}

/* BIP 155: what each network id demands. */
static void test_addrv2_networks(void **state)
{
    uint8_t b[600] = {0x20, 0x01};
    struct cc_addr_entry e;

    (void)state;
    assert_int_equal(decode_v2(1, b, 4, &e), CC_OK);
    assert_int_equal(e.addr.network, CC_NET_IPV4);
    assert_int_equal(decode_v2(1, b, 5, &e), CC_MALFORMED);
    assert_int_equal(decode_v2(2, b, 16, &e), CC_OK);
    assert_int_equal(e.addr.network, CC_NET_IPV6);
    assert_int_equal(decode_v2(2, b, 4, &e), CC_MALFORMED);
    assert_int_equal(decode_v2(4, b, 32, &e), CC_OK);
    assert_int_equal(decode_v2(4, b, 31, &e), CC_MALFORMED);
    assert_int_equal(decode_v2(5, b, 32, &e), CC_OK);
    assert_int_equal(decode_v2(6, b, 16, &e), CC_OK);
    /* Unknown networks are skipped, up to 512 bytes. */
    assert_int_equal(decode_v2(0x99, b, 512, &e), CC_OK);
    assert_int_equal(e.addr.network, 0);
    assert_int_equal(decode_v2(0x99, b, 513, &e), CC_INVALID);
    /* IPv4 dressed as IPv6, and the retired onion range: not used. */
    memset(b, 0, 16);
    b[10] = b[11] = 0xff;
    assert_int_equal(decode_v2(2, b, 16, &e), CC_OK);
    assert_int_equal(e.addr.network, 0);
    memcpy(b, "\xfd\x87\xd8\x7e\xeb\x43", 6);
    assert_int_equal(decode_v2(2, b, 16, &e), CC_OK);
    assert_int_equal(e.addr.network, 0);
}

/* --- Counts --------------------------------------------------------------- */

/* A count and that many items of size zeros. */
static uint8_t *counted(size_t count, size_t size, size_t tail, size_t *len)
{
    struct cc_writer w;
    uint8_t *zeros = cc_calloc(count * size + tail + 1, 1);

    cc_writer_init_heap(&w);
    cc_write_compact(&w, count);
    cc_write_bytes(&w, zeros, count * size + tail);
    free(zeros);
    return cc_writer_take(&w, len);
}

static void test_limits(void **state)
{
    struct cc_inv *inv;
    struct cc_header *h;
    struct cc_addr_entry *a;
    uint8_t *data;
    size_t len, count;

    (void)state;
    data = counted(CC_MAX_INV, 36, 0, &len);
    assert_int_equal(cc_msg_inv_decode(&inv, &count, data, len), CC_OK);
    assert_int_equal(count, CC_MAX_INV);
    free(inv);
    assert_int_equal(cc_msg_inv_decode(&inv, &count, data, len - 1),
                     CC_MALFORMED);
    free(data);
    data = counted(CC_MAX_INV + 1, 36, 0, &len);
    assert_int_equal(cc_msg_inv_decode(&inv, &count, data, len), CC_LIMIT);
    assert_int_equal(count, CC_MAX_INV + 1);
    free(data);

    data = counted(CC_MAX_HEADERS, 81, 0, &len);
    assert_int_equal(cc_msg_headers_decode(&h, &count, data, len), CC_OK);
    assert_int_equal(count, CC_MAX_HEADERS);
    free(h);
    free(data);
    data = counted(CC_MAX_HEADERS + 1, 81, 0, &len);
    assert_int_equal(cc_msg_headers_decode(&h, &count, data, len), CC_LIMIT);
    assert_int_equal(count, CC_MAX_HEADERS + 1);
    free(data);

    data = counted(CC_MAX_ADDR, 30, 0, &len);
    assert_int_equal(cc_msg_addr_decode(&a, &count, false, data, len), CC_OK);
    free(a);
    free(data);
    data = counted(CC_MAX_ADDR + 1, 30, 0, &len);
    assert_int_equal(cc_msg_addr_decode(&a, &count, false, data, len),
                     CC_LIMIT);
    assert_int_equal(count, CC_MAX_ADDR + 1);
    free(data);
}

/* A count that the bytes cannot hold is refused before anything is allocated.
 */
static void test_lying_counts(void **state)
{
    static const uint8_t lie[] = {0xfe, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0};
    struct cc_inv *inv;
    struct cc_header *h;
    struct cc_addr_entry *a;
    size_t count;

    (void)state;
    assert_int_equal(cc_msg_inv_decode(&inv, &count, lie, sizeof(lie)),
                     CC_MALFORMED);
    assert_int_equal(cc_msg_headers_decode(&h, &count, lie, sizeof(lie)),
                     CC_MALFORMED);
    assert_int_equal(cc_msg_addr_decode(&a, &count, true, lie, sizeof(lie)),
                     CC_MALFORMED);
    assert_int_equal(cc_msg_addr_decode(&a, &count, false, lie, sizeof(lie)),
                     CC_MALFORMED);
}

static void test_inv(void **state)
{
    struct cc_inv inv[2], *got;
    struct cc_writer w;
    size_t count;

    (void)state;
    inv[0].type = CC_INV_WITNESS_BLOCK;
    inv[1].type = CC_INV_WTX;
    memset(inv[0].hash, 1, 32);
    memset(inv[1].hash, 2, 32);
    cc_writer_init_heap(&w);
    cc_msg_inv_write(&w, inv, 2);
    assert_int_equal(w.len, 73);
    assert_int_equal(cc_get_u32le(w.data + 1), 0x40000002);
    assert_int_equal(cc_msg_inv_decode(&got, &count, w.data, w.len), CC_OK);
    assert_int_equal(count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(got[i].type, inv[i].type);
        assert_memory_equal(got[i].hash, inv[i].hash, 32);
    }
    free(got);
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(cc_msg_inv_decode(&got, &count, w.data, len),
                         CC_MALFORMED);
    cc_write_u8(&w, 0); /* what follows is not looked at */
    assert_int_equal(cc_msg_inv_decode(&got, &count, w.data, w.len), CC_OK);
    free(got);
    cc_writer_clear(&w);
}

static void test_locator(void **state)
{
    uint8_t hashes[CC_MAX_LOCATOR + 1][32], stop[32];
    struct cc_msg_locator m;
    struct cc_writer w;

    (void)state;
    for (size_t i = 0; i < CC_MAX_LOCATOR + 1; i++)
        memset(hashes[i], (int)i, 32);
    memset(stop, 0xee, 32);
    cc_writer_init_heap(&w);
    cc_msg_locator_write(&w, (const uint8_t(*)[32])hashes, CC_MAX_LOCATOR,
                         stop);
    assert_int_equal(cc_msg_locator_decode(&m, w.data, w.len), CC_OK);
    assert_int_equal(m.version, 70016);
    assert_int_equal(m.count, CC_MAX_LOCATOR);
    assert_memory_equal(m.hashes, hashes, CC_MAX_LOCATOR * 32);
    assert_memory_equal(m.stop, stop, 32);
    cc_msg_locator_clear(&m);
    for (size_t len = 0; len < w.len; len += 7)
        assert_int_equal(cc_msg_locator_decode(&m, w.data, len), CC_MALFORMED);
    cc_write_u8(&w, 0);
    assert_int_equal(cc_msg_locator_decode(&m, w.data, w.len), CC_OK);
    cc_msg_locator_clear(&m);
    cc_writer_clear(&w);
    cc_writer_init_heap(&w);
    cc_msg_locator_write(&w, (const uint8_t(*)[32])hashes, CC_MAX_LOCATOR + 1,
                         stop);
    assert_int_equal(cc_msg_locator_decode(&m, w.data, w.len), CC_LIMIT);
    assert_int_equal(m.count, CC_MAX_LOCATOR + 1);
    cc_writer_clear(&w);
}

static void test_headers(void **state)
{
    struct cc_header h[2], *got;
    struct cc_writer w;
    size_t count;

    (void)state;
    memset(h, 0, sizeof(h));
    h[0].version = 0x20000000;
    h[0].time = 7;
    h[1].nonce = 9;
    memset(h[1].prev, 3, 32);
    cc_writer_init_heap(&w);
    cc_msg_headers_write(&w, h, 2);
    assert_int_equal(w.len, 1 + 2 * 81);
    assert_int_equal(cc_msg_headers_decode(&got, &count, w.data, w.len), CC_OK);
    assert_int_equal(count, 2);
    assert_int_equal(got[0].version, h[0].version);
    assert_int_equal(got[0].time, 7);
    assert_int_equal(got[1].nonce, 9);
    assert_memory_equal(got[1].prev, h[1].prev, 32);
    free(got);
    for (size_t len = 0; len < w.len; len++)
        assert_int_equal(cc_msg_headers_decode(&got, &count, w.data, len),
                         CC_MALFORMED);
    cc_writer_clear(&w);
}

static void test_small(void **state)
{
    struct cc_msg_sendcmpct c = {true, 2}, c2;
    struct cc_writer w;
    uint64_t v;
    uint32_t s;

    (void)state;
    cc_writer_init_heap(&w);
    cc_msg_sendcmpct_write(&w, &c);
    assert_int_equal(w.len, 9);
    assert_int_equal(cc_msg_sendcmpct_decode(&c2, w.data, w.len), CC_OK);
    assert_true(c2.announce);
    assert_int_equal(c2.version, 2);
    assert_int_equal(cc_msg_sendcmpct_decode(&c2, w.data, 8), CC_MALFORMED);
    assert_int_equal(cc_msg_u64_decode(&v, w.data, 7), CC_MALFORMED);
    assert_int_equal(cc_msg_u64_decode(&v, w.data + 1, 8), CC_OK);
    assert_int_equal(v, 2);
    cc_writer_clear(&w);
    cc_writer_init_heap(&w);
    cc_msg_sendstorage_write(&w, 1);
    assert_int_equal(w.len, 4);
    assert_int_equal(cc_msg_sendstorage_decode(&s, w.data, 4), CC_OK);
    assert_int_equal(s, 1);
    assert_int_equal(cc_msg_sendstorage_decode(&s, w.data, 3), CC_MALFORMED);
    assert_int_equal(cc_msg_sendstorage_decode(&s, "\0\0\0\0", 4),
                     CC_MALFORMED);
    cc_writer_clear(&w);
}

/* What decodes from random bytes encodes back to them; nothing crashes. */
static void test_random(void **state)
{
    struct cc_test_random r;
    uint8_t buf[200];
    size_t decoded = 0;

    (void)state;
    cc_test_random_init(&r, 20261120);
    for (int i = 0; i < 200000; i++) {
        size_t len = cc_test_random(&r) % sizeof(buf), count;
        struct cc_writer w;
        struct cc_addr_entry *a;
        struct cc_inv *inv;
        struct cc_msg_version v;

        for (size_t k = 0; k < len; k++)
            buf[k] = (uint8_t)cc_test_random(&r);
        buf[0] &= 3; /* a count that fits now and then */
        if (len >= 37 && (buf[0] & 1)) {
            buf[0] = 1;
            len = 37;
        }
        cc_writer_init_heap(&w);
        if (cc_msg_inv_decode(&inv, &count, buf, len) == CC_OK) {
            cc_msg_inv_write(&w, inv, count);
            assert_true(w.len <= len);
            assert_memory_equal(w.data, buf, w.len);
            free(inv);
            decoded++;
        }
        cc_writer_clear(&w);
        if (cc_msg_addr_decode(&a, &count, true, buf, len) == CC_OK)
            free(a);
        cc_msg_version_decode(&v, buf, len);
    }
    assert_true(decoded > 1000);
}

/* As bitcoind's log has them. */
static void test_inv_text(void **state)
{
    static const struct {
        uint32_t type;
        const char *text;
    } cases[] = {
        {0, "0x00000000"},
        {1, "tx"},
        {2, "block"},
        {3, "merkleblock"},
        {4, "cmpctblock"},
        {5, "wtx"},
        {6, "0x00000006"},
        {0x40000001, "witness-tx"},
        {0x40000002, "witness-block"},
        {0x40000006, "0x40000006"},
        {0x20000001, "0x20000001"},
    };
    struct cc_inv inv = {.hash = {[31] = 0xab}};
    char out[CC_INV_TEXT], want[CC_INV_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        inv.type = cases[i].type;
        cc_msg_inv_format(out, &inv);
        snprintf(want, sizeof(want), "%s ab%062d", cases[i].text, 0);
        assert_string_equal(out, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_frame_command),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_version_short),
        cmocka_unit_test(test_version_agent),
        cmocka_unit_test(test_addr),
        cmocka_unit_test(test_addrv2_networks),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_lying_counts),
        cmocka_unit_test(test_inv),
        cmocka_unit_test(test_inv_text),
        cmocka_unit_test(test_locator),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
