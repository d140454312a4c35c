/* Networks beside the Internet: their addresses, the way to them (reach.h,
 * socks5.h); and who goes when there is no room (evict.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/evict.h"
#include "net/net.h"
#include "net/reach.h"
#include "net/socks5.h"
#include "support.h"

static const char onion[] =
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
static const char i2p[] =
    "c4gfnttsuwqomiygupdqqqyy5y5emnk5c73hrfvatri67prd7vyq.b32.i2p";

/* --- Addresses ------------------------------------------------------------ */

static void check_text(const char *text, uint8_t network)
{
    struct cc_netaddr a;
    struct cc_subnet s;
    char with_port[128], out[72];

    snprintf(with_port, sizeof(with_port), "%s:8333", text);
    assert_true(cc_netaddr_parse(&a, with_port, 1));
    assert_int_equal(a.network, network);
    assert_int_equal(a.len, 32);
    assert_int_equal(a.port, 8333);
    assert_true(cc_netaddr_is_routable(&a));
    cc_netaddr_format(out, &a);
    assert_string_equal(out, text);
    cc_netaddr_format_port(out, &a);
    assert_string_equal(out, with_port);
    /* One host, and no nets of them. */
    assert_true(cc_subnet_parse(&s, text));
    assert_int_equal(s.bits, 256);
    assert_true(cc_subnet_has(&s, &a));
    cc_subnet_format(out, &s);
    assert_string_equal(out, text);
    a.bytes[31] ^= 1;
    assert_false(cc_subnet_has(&s, &a));
    snprintf(with_port, sizeof(with_port), "%s/128", text);
    assert_false(cc_subnet_parse(&s, with_port));
}

static void test_overlay_text(void **state)
{
    struct cc_netaddr a, b;
    char text[128];

    (void)state;
    check_text(onion, CC_NET_TORV3);
    check_text(i2p, CC_NET_I2P);
    /* Letters of either size are the same. */
    snprintf(text, sizeof(text), "%s", onion);
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    assert_true(cc_netaddr_parse(&a, text, 1));
    assert_true(cc_netaddr_parse(&b, onion, 1));
    assert_true(cc_netaddr_equal(&a, &b));
    /* One letter of key, checksum or version wrong. */
    for (size_t i = 0; i < 56; i += 11) {
        snprintf(text, sizeof(text), "%s", onion);
        text[i] = text[i] == 'a' ? 'b' : 'a';
        assert_false(cc_netaddr_parse(&a, text, 1));
    }
    snprintf(text, sizeof(text), "%s", onion);
    text[3] = '1'; /* no letter of base 32 */
    assert_false(cc_netaddr_parse(&a, text, 1));
    /* 52 letters are 260 bits: the last four must be zero. */
    snprintf(text, sizeof(text), "%s", i2p);
    text[51] = 'r';
    assert_false(cc_netaddr_parse(&a, text, 1));
    assert_false(cc_netaddr_parse(&a, "expyuzz4wqqyqhjn.onion", 1)); /* v2 */
    assert_false(cc_netaddr_parse(&a, ".onion", 1));
}

static void test_cjdns(void **state)
{
    struct cc_netaddr a, b;
    struct cc_reach r = {.cjdns = true};
    uint8_t g[8], h[8];

    (void)state;
    assert_true(cc_netaddr_parse(&a, "fc00:1:2:3:4:5:6:7", 1));
    assert_int_equal(a.network, CC_NET_IPV6);
    assert_false(cc_netaddr_is_routable(&a)); /* RFC 4193 */
    assert_true(cc_reach_parse(&r, &a, "[fc00:1:2:3:4:5:6:7]:5", 1));
    assert_int_equal(a.network, CC_NET_CJDNS);
    assert_true(cc_netaddr_is_routable(&a));
    assert_true(cc_reach_parse(&r, &b, "2001:4860::1", 1));
    assert_int_equal(b.network, CC_NET_IPV6);
    b = a;
    b.bytes[0] = 0xfd; /* BIP 155: none of CJDNS's */
    assert_false(cc_netaddr_is_routable(&b));
    b = a;
    b.bytes[1] = 0xf0;
    assert_int_equal(cc_netaddr_group(&a, g), cc_netaddr_group(&b, h));
    assert_memory_not_equal(g, h, cc_netaddr_group(&a, g));
}

/* --- Options -------------------------------------------------------------- */

static void fails(const struct cc_net_options *o, const char *sentence)
{
    struct cc_reach r;
    struct cc_error err;

    assert_int_equal(cc_reach_init(&r, o, &err), CC_INVALID);
    assert_string_equal(err.text, sentence);
}

static void expect_proxy(const struct cc_reach *r, const char *to,
                         const char *proxy)
{
    struct cc_netaddr a;
    const struct cc_proxy *p;
    char text[272] = "";

    if (!cc_reach_parse(r, &a, to, 1))
        a.network = 0;
    p = cc_reach_proxy(r, &a);
    if (p)
        cc_proxy_format(text, p);
    assert_string_equal(text, proxy);
}

static void test_reach(void **state)
{
    struct cc_net_options o;
    struct cc_reach r;
    struct cc_error err;
    struct cc_netaddr a;

    (void)state;
    cc_net_options_init(&o);
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    assert_true(r.reachable[CC_NET_IPV4] && r.reachable[CC_NET_IPV6]);
    assert_false(r.reachable[CC_NET_TORV3] || r.reachable[CC_NET_I2P] ||
                 r.reachable[CC_NET_CJDNS] || r.reachable[0]);
    expect_proxy(&r, "8.8.8.8", "");
    expect_proxy(&r, "host", "");

    o.proxy = "127.0.0.1";
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    assert_true(r.reachable[CC_NET_TORV3]);
    assert_true(r.proxy[CC_NET_TORV3].randomize);
    expect_proxy(&r, "8.8.8.8", "127.0.0.1:9050");
    expect_proxy(&r, "host", "127.0.0.1:9050");
    expect_proxy(&r, onion, "127.0.0.1:9050");
    /* Local hosts are reached directly, I2P not at all. */
    expect_proxy(&r, "127.0.0.1", "");
    expect_proxy(&r, "192.168.1.1", "");
    expect_proxy(&r, i2p, "");

    o.onion = "[::1]:7";
    o.proxy_plain = true;
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    expect_proxy(&r, onion, "[::1]:7");
    expect_proxy(&r, "8.8.8.8", "127.0.0.1:9050");
    assert_false(r.proxy[CC_NET_TORV3].randomize);
    o.onion = "0";
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    assert_false(r.reachable[CC_NET_TORV3]);
    expect_proxy(&r, onion, "");

    o.cjdns_reachable = true;
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    assert_true(r.reachable[CC_NET_CJDNS]);
    expect_proxy(&r, "fc00::1", "127.0.0.1:9050");
    assert_true(cc_reach_parse(&r, &a, "fc00::1", 1));
    assert_true(cc_reach_can(&r, &a));
}

static void test_reach_i2p(void **state)
{
    const char *nets[] = {"i2p"};
    struct cc_net_options o;
    struct cc_reach r;
    struct cc_error err;

    (void)state;
    cc_net_options_init(&o);
    for (int i = 0; i < 3; i++) {
        o.i2p_sam = i == 0 ? NULL : i == 1 ? "" : "0";
        assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
        assert_false(r.reachable[CC_NET_I2P]);
        expect_proxy(&r, i2p, "");
    }
    o.i2p_sam = "127.0.0.1";
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    assert_true(r.reachable[CC_NET_I2P]);
    assert_int_equal(r.proxy[CC_NET_I2P].port, 7656);
    o.i2p_sam = "[::1]:9";
    o.onlynet = nets;
    o.onlynet_count = 1;
    o.no_dns = true; /* a number needs none */
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    assert_int_equal(r.proxy[CC_NET_I2P].port, 9);
    assert_true(r.reachable[CC_NET_I2P]);
    assert_false(r.reachable[CC_NET_IPV4]);
    assert_false(r.onion_allowed);
    o.i2p_sam = "host";
    fails(&o, "Invalid -i2psam address or hostname: 'host'");
    o.i2p_sam = "127.0.0.1:x";
    fails(&o, "Invalid -i2psam address or hostname: '127.0.0.1:x'");
    o.onlynet_count = 0;
    o.i2p_sam = NULL;
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    assert_true(r.onion_allowed);
    assert_false(r.reachable[CC_NET_TORV3]);
}

/* Where none is said: I2P knows no ports. */
static void test_default_port(void **state)
{
    (void)state;
    assert_int_equal(cc_reach_default_port(i2p, 8333), 0);
    assert_int_equal(cc_reach_default_port(onion, 8333), 8333);
    assert_int_equal(cc_reach_default_port("8.8.8.8", 8333), 8333);
    assert_int_equal(cc_reach_default_port("a.name", 8333), 8333);
}

static void test_reach_only(void **state)
{
    const char *nets[] = {"IPv6", "onion"};
    struct cc_net_options o;
    struct cc_reach r;
    struct cc_error err;

    (void)state;
    cc_net_options_init(&o);
    o.onlynet = nets;
    o.onlynet_count = 2;
    o.proxy = "localhost:1";
    assert_int_equal(cc_reach_init(&r, &o, &err), CC_OK);
    assert_true(r.reachable[CC_NET_IPV6] && r.reachable[CC_NET_TORV3]);
    assert_false(r.reachable[CC_NET_IPV4]);
    o.proxy = "";
    fails(&o, "Outbound connections restricted to Tor (-onlynet=onion) but the "
              "proxy for reaching the Tor network is not provided: none of "
              "-proxy, -onion or -listenonion is given");
    o.onion = "0";
    fails(&o, "Outbound connections restricted to Tor (-onlynet=onion) but the "
              "proxy for reaching the Tor network is explicitly forbidden: "
              "-onion=0");
    o.onion = "xyz:abc";
    fails(&o, "Invalid -onion address or hostname: 'xyz:abc'");
    o.proxy = "abc:def";
    fails(&o, "Invalid -proxy address or hostname: 'abc:def'");
    o.no_dns = true;
    o.proxy = "localhost";
    fails(&o, "Invalid -proxy address or hostname: 'localhost'");
    o.onlynet_count = 1;
    nets[0] = "cjdns";
    fails(&o, "Outbound connections restricted to CJDNS (-onlynet=cjdns) but "
              "-cjdnsreachable is not provided");
    nets[0] = "i2p";
    fails(&o, "Outbound connections restricted to i2p (-onlynet=i2p) but "
              "-i2psam is not provided");
    nets[0] = "abc";
    fails(&o, "Unknown network specified in -onlynet: 'abc'");
    nets[0] = "onion";
    o.dns_seed = o.dns_seed_set = true;
    fails(&o, "Incompatible options: -dnsseed=1 was explicitly specified, but "
              "-onlynet forbids connections to IPv4/IPv6");
}

/* --- SOCKS 5 -------------------------------------------------------------- */

static struct cc_socks5 begin(struct cc_writer *w, const char *user)
{
    struct cc_socks5 s;

    cc_writer_init_heap(w);
    cc_socks5_start(&s, "ab.onion", 0x1234, user, "pw", w);
    return s;
}

static void expect_out(struct cc_writer *w, const char *hex)
{
    assert_string_equal(cc_test_hex(w->data, w->len), hex);
    w->len = 0;
}

/* One byte after the other; none of it is used before all is there. */
static void feed(struct cc_socks5 *s, const char *hex, struct cc_writer *w)
{
    size_t len;
    uint8_t *data = cc_test_unhex(hex, &len);

    for (size_t i = 1; i < len; i++)
        assert_int_equal(cc_socks5_input(s, data, i, w), 0);
    assert_int_equal(cc_socks5_input(s, data, len, w), len);
    free(data);
}

static void test_socks5(void **state)
{
    static const char request[] = "05010003"
                                  "0861622e6f6e696f6e"
                                  "1234";
    struct cc_writer w;
    struct cc_socks5 s = begin(&w, NULL);

    (void)state;
    expect_out(&w, "050100"); /* RFC 1928 3 */
    feed(&s, "0500", &w);
    expect_out(&w, request);
    assert_int_equal(s.state, CC_SOCKS5_REPLY);
    feed(&s, "050000017f0000010050", &w);
    assert_int_equal(s.state, CC_SOCKS5_DONE);
    assert_int_equal(cc_socks5_input(&s, (const uint8_t *)"x", 1, &w), 0);
    cc_writer_clear(&w);

    s = begin(&w, "me"); /* RFC 1929 */
    expect_out(&w, "05020002");
    feed(&s, "0502", &w);
    expect_out(&w, "01026d65027077");
    feed(&s, "0100", &w);
    expect_out(&w, request);
    feed(&s, "05000003026162ffff", &w);
    assert_int_equal(s.state, CC_SOCKS5_DONE);
    cc_writer_clear(&w);

    s = begin(&w, "me"); /* offered, and not wanted */
    feed(&s, "0500", &w);
    feed(&s, "05000004000000000000000000000000000000010050", &w);
    assert_int_equal(s.state, CC_SOCKS5_DONE);
    cc_writer_clear(&w);
}

static void refused(const char *user, const char *first, const char *second,
                    const char *why)
{
    struct cc_writer w;
    struct cc_socks5 s = begin(&w, user);
    size_t len;
    uint8_t *data = cc_test_unhex(first, &len);

    assert_int_equal(cc_socks5_input(&s, data, len, &w), len);
    free(data);
    if (second) {
        data = cc_test_unhex(second, &len);
        assert_true(cc_socks5_input(&s, data, len, &w) > 0);
        free(data);
    }
    assert_int_equal(s.state, CC_SOCKS5_FAILED);
    assert_string_equal(s.why, why);
    cc_writer_clear(&w);
}

static void test_socks5_refusals(void **state)
{
    (void)state;
    refused(NULL, "0400", NULL, "Proxy failed to initialize");
    refused(NULL, "0502", NULL,
            "Proxy requested wrong authentication method "
            "02");
    refused("me", "05ff", NULL,
            "Proxy requested wrong authentication method "
            "ff");
    refused("me", "0502", "0101", "Proxy authentication unsuccessful");
    refused("me", "0502", "0500", "Proxy authentication unsuccessful");
    refused(NULL, "0500", "0505", "Proxy error: connection refused");
    refused(NULL, "0500", "05f0", "Proxy error: unknown");
    refused(NULL, "0500", "0400", "Proxy failed to accept request");
    refused(NULL, "0500", "0500010100", "Proxy gave a malformed answer");
    refused(NULL, "0500", "0500000900", "Proxy gave a malformed answer");
}

/* --- Who goes ------------------------------------------------------------- */

#define PEERS 100

/* All alike, in groups of their own. */
static void make_peers(struct cc_evict_candidate c[PEERS])
{
    memset(c, 0, PEERS * sizeof(*c));
    for (int i = 0; i < PEERS; i++) {
        c[i].id = c[i].connected = i;
        c[i].group = (uint64_t)i * 7919 % PEERS;
        c[i].min_ping = 1000000;
        c[i].network = CC_NET_IPV4;
        c[i].relays_txs = c[i].serves = true;
    }
}

/* Who goes, one after the other, until nobody more does. */
static size_t evict_all(const struct cc_evict_candidate *from, size_t count,
                        bool gone[PEERS])
{
    struct cc_evict_candidate left[PEERS], c[PEERS];
    size_t n = 0;
    int64_t id;

    memset(gone, 0, PEERS * sizeof(*gone));
    memcpy(left, from, count * sizeof(*left));
    for (;;) {
        memcpy(c, left, count * sizeof(*c));
        id = cc_evict_select(c, count);
        if (id < 0)
            return n;
        assert_false(gone[id]);
        gone[id] = true;
        n++;
        for (size_t i = 0; i < count; i++)
            if (left[i].id == id)
                left[i] = left[--count];
    }
}

static void test_evict_classes(void **state)
{
    struct cc_evict_candidate c[PEERS];
    bool gone[PEERS];

    (void)state;
    make_peers(c);
    /* Each class is spared for what it gave, however young it is. */
    for (int i = 0; i < 8; i++)
        c[60 + i].min_ping = 10 + i;
    for (int i = 0; i < 4; i++)
        c[70 + i].last_tx = 5 + i;
    for (int i = 0; i < 8; i++) {
        c[80 + i].relays_txs = false;
        c[80 + i].last_block = 5 + i;
    }
    for (int i = 0; i < 4; i++)
        c[90 + i].last_block = 100 + i;
    /* While there are many: half of those not yet spared by age is spared. */
    assert_true(evict_all(c, PEERS, gone) > 0);
    for (int i = 0; i < PEERS; i++)
        if ((i >= 60 && i < 68) || (i >= 70 && i < 74) || (i >= 80 && i < 88) ||
            (i >= 90 && i < 94))
            assert_false(gone[i]);
    assert_true(gone[99] && gone[59] && gone[68] && gone[74] && gone[94]);
    /* Four groups by the secret order. */
    for (int i = 0; i < PEERS; i++)
        if (c[i].group >= PEERS - 4)
            assert_false(gone[i]);
}

/* Of those that gave a transaction at one time, who filters goes first. */
static void test_evict_filters(void **state)
{
    struct cc_evict_candidate c[PEERS];
    bool gone[PEERS];

    (void)state;
    make_peers(c);
    for (int i = 95; i < 100; i++)
        c[i].last_tx = 9;
    assert_true(evict_all(c, PEERS, gone) > 0);
    assert_true(gone[99] && !gone[95]);
    c[95].filters = true;
    assert_true(evict_all(c, PEERS, gone) > 0);
    assert_true(gone[95] && !gone[99]);
}

static void test_evict_group(void **state)
{
    struct cc_evict_candidate c[PEERS], t[PEERS];

    (void)state;
    make_peers(c);
    /* The youngest of the largest group, not the youngest of all. */
    for (int i = 60; i < 80; i++)
        c[i].group = 1;
    memcpy(t, c, sizeof(t));
    assert_int_equal(cc_evict_select(t, PEERS), 79);
    /* Discouraged ones before anybody else. */
    c[95].prefer = c[97].prefer = true;
    memcpy(t, c, sizeof(t));
    assert_int_equal(cc_evict_select(t, PEERS), 97);
    /* Too few to let anybody go. */
    make_peers(c);
    assert_int_equal(cc_evict_select(c, 16), -1);
    assert_int_equal(cc_evict_select(c, 0), -1);
}

/* Networks with long ways have a share of the places for the old, the rarest
 * of them first. */
static void test_evict_networks(void **state)
{
    struct cc_evict_candidate c[PEERS], t[PEERS];

    (void)state;
    make_peers(c);
    for (int i = 0; i < 40; i++) { /* the oldest 20 are spared anyway */
        c[i].min_ping = 1000 + i;
        c[i].group = (uint64_t)(PEERS - i);
    }
    memcpy(t, c, sizeof(t));
    assert_int_equal(cc_evict_select(t, 40), 39);
    /* Of 20 left 10 are spared, 5 of them for their networks. */
    for (int i = 35; i < 40; i++)
        c[i].network = CC_NET_TORV3;
    memcpy(t, c, sizeof(t));
    assert_int_equal(cc_evict_select(t, 40), 34);
    c[34].network = CC_NET_TORV3;
    memcpy(t, c, sizeof(t));
    assert_int_equal(cc_evict_select(t, 40), 39);
    /* Shared: one of each of the rare ones is among the five. */
    c[39].network = CC_NET_IPV4;
    c[39].local = true;
    c[38].network = CC_NET_I2P;
    c[37].network = CC_NET_CJDNS;
    memcpy(t, c, sizeof(t));
    assert_int_equal(cc_evict_select(t, 40), 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlay_text),
        cmocka_unit_test(test_cjdns),
        cmocka_unit_test(test_reach),
        cmocka_unit_test(test_reach_only),
        cmocka_unit_test(test_reach_i2p),
        cmocka_unit_test(test_default_port),
        cmocka_unit_test(test_socks5),
        cmocka_unit_test(test_socks5_refusals),
        cmocka_unit_test(test_evict_classes),
        cmocka_unit_test(test_evict_filters),
        cmocka_unit_test(test_evict_group),
        cmocka_unit_test(test_evict_networks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
