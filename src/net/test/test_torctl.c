/* What is said to Tor's control port, and what of its answers is believed. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "net/torctl.h"
#include "support.h"
#include "util/hex.h"
#include "util/mem.h"

#define INFO(methods) "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=" methods "\r\n"
#define ASK_SOCKS "GETINFO net/listeners/socks\r\n"
#define NEW "ADD_ONION NEW:ED25519-V3 Port=8333,127.0.0.1:8334\r\n"

static struct cc_torctl s;
static char onion[80]; /* one that is well formed */

static void start(void)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    s.port = 8333;
    snprintf(s.target, sizeof(s.target), "127.0.0.1:8334");
    cc_torctl_start(&s, &w);
    cc_write_u8(&w, 0);
    assert_string_equal((char *)w.data, "PROTOCOLINFO 1\r\n");
    assert_int_equal(s.state, CC_TORCTL_TALKING);
    cc_writer_clear(&w);
}

static int begin(void **state)
{
    struct cc_netaddr a = {.network = CC_NET_TORV3, .len = 32, .port = 8333};

    (void)state;
    memset(&s, 0, sizeof(s));
    memset(a.bytes, 3, 32);
    cc_netaddr_format(onion, &a);
    start();
    return 0;
}

static int end(void **state)
{
    (void)state;
    cc_torctl_clear(&s);
    assert_null(s.key);
    return 0;
}

/* Line after line, as long as something is used; that is answered in all. */
static void hear(const char *lines, const char *answer)
{
    size_t at = 0, used, len = strlen(lines);
    struct cc_writer w;

    cc_writer_init_heap(&w);
    do {
        used = cc_torctl_input(&s, (const uint8_t *)lines + at, len - at, &w);
        at += used;
    } while (used);
    cc_write_u8(&w, 0);
    assert_string_equal((char *)w.data, answer);
    cc_writer_clear(&w);
}

static void fails(const char *why)
{
    assert_int_equal(s.state, CC_TORCTL_FAILED);
    assert_string_equal(s.why, why);
}

/* As far as the service is to be made. */
static void let_in(void)
{
    start();
    hear(INFO("NULL") "250 OK\r\n", "AUTHENTICATE\r\n");
}

/* --- Who we are ----------------------------------------------------------- */

static void test_password(void **state)
{
    (void)state;
    s.password = "a\"b\\c";
    hear(INFO("COOKIE,HASHEDPASSWORD"), "");
    hear("250 OK\r\n", "AUTHENTICATE \"a\\\"b\\\\c\"\r\n");
    start();
    hear(INFO("NULL,SAFECOOKIE COOKIEFILE=\"/x\"") "250 OK\r\n", "");
    fails("Tor takes no password, but -torpassword is given");
    s.password = ""; /* is none */
    start();
    hear(INFO("HASHEDPASSWORD") "250 OK\r\n", "");
    fails("Tor wants a password, but no -torpassword is given");
    s.password = NULL;
    start();
    hear(INFO("HASHEDPASSWORD,NULL") "250 OK\r\n", "AUTHENTICATE\r\n");
}

/* Words, not parts of words; and the line that says it. */
static void test_methods(void **state)
{
    static const char *const none[] = {
        "250-AUTH METHODS=COOKIE,NULLS,XNULL,SAFECOOKIES,SAFE\r\n",
        "250-AUTH METHODS= NULL\r\n",
        "250-AUTH NULL\r\n",
        "250-AUTHS METHODS=NULL\r\n",
        "250-VERSION METHODS=NULL\r\n",
        "250-AUTH METHODS=SAFECOOKIE\r\n", /* but where is it? */
        "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=/x\r\n",
        "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/x\r\n",
        "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/x\\\"\r\n",
        "250-AUTH METHODS=COOKIE COOKIEFILE=\"/x\"\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        start();
        hear(none[i], "");
        hear("250 OK\r\n", "");
        fails("Tor knows no way to authenticate that we know");
    }
    start();
    hear(INFO("COOKIE,NULL COOKIEFILE=\"/x\"") "250 OK\r\n",
         "AUTHENTICATE\r\n");
    /* The cookie before a password that we do not have. */
    start();
    hear(INFO("HASHEDPASSWORD,SAFECOOKIE COOKIEFILE=\"/x\"") "250 OK\r\n", "");
    assert_int_equal(s.state, CC_TORCTL_COOKIE);
    /* Of an earlier talk nothing is left. */
    start();
    hear("250 OK\r\n", "");
    fails("Tor knows no way to authenticate that we know");
}

static void test_cookie_file(void **state)
{
    char text[400], name[300];

    (void)state;
    hear(INFO("SAFECOOKIE COOKIEFILE=\"/a \\\"b\\\\c\" X=\"y\"") "250 OK\r\n",
         "");
    assert_int_equal(s.state, CC_TORCTL_COOKIE);
    assert_string_equal(s.cookie_file, "/a \"b\\c");
    /* Nothing is read until the cookie is there. */
    hear("250 OK\r\n", "");
    assert_int_equal(s.state, CC_TORCTL_COOKIE);
    for (size_t len = 255; len <= 256; len++) {
        start();
        memset(name, 'n', len);
        name[len] = '\0';
        snprintf(text, sizeof(text),
                 "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"%s\"\r\n", name);
        hear(text, "");
        assert_string_equal(s.cookie_file, len == 255 ? name : "");
    }
}

/* Both sides show that they know the cookie. */
static void test_challenge(void **state)
{
    static const char *const labels[2] = {
        "Tor safe cookie authentication server-to-controller hash",
        "Tor safe cookie authentication controller-to-server hash"};
    uint8_t all[96], mac[2][32];
    char hex[2][65], nonces[2][65], text[300], answer[300];
    struct cc_writer w;

    (void)state;
    for (size_t i = 0; i < 96; i++)
        all[i] = (uint8_t)(i * 5);
    for (int i = 0; i < 2; i++) {
        cc_hmac_sha256(mac[i], labels[i], strlen(labels[i]), all, 96);
        cc_hex_encode(hex[i], mac[i], 32);
        cc_hex_encode(nonces[i], all + 32 + 32 * i, 32);
    }
    for (int i = 0; i < 6; i++) {
        start();
        hear(INFO("SAFECOOKIE COOKIEFILE=\"/x\"") "250 OK\r\n", "");
        cc_writer_init_heap(&w);
        cc_torctl_cookie(&s, all, all + 32, &w);
        cc_write_u8(&w, 0);
        snprintf(answer, sizeof(answer), "AUTHCHALLENGE SAFECLIENT %s\r\n",
                 nonces[0]);
        assert_string_equal((char *)w.data, answer);
        cc_writer_clear(&w);
        assert_int_equal(s.state, CC_TORCTL_TALKING);
        snprintf(answer, sizeof(answer), "AUTHENTICATE %s\r\n", hex[1]);
        if (i == 1)
            memset(hex[0], '0', 64); /* who does not know it */
        snprintf(text, sizeof(text), "250 AUTHCHALLENGE %s=%s %s=%.*s\r\n",
                 i == 2 ? "HASH" : "SERVERHASH", hex[0],
                 i == 3 ? "NONCE" : "SERVERNONCE", i == 4 ? 63 : 64,
                 i == 5 ? hex[1] : nonces[1]);
        hear(text, i ? "" : answer);
        cc_hex_encode(hex[0], mac[0], 32);
        if (i == 1 || i == 5)
            fails("who answers at the control port does not know Tor's "
                  "cookie");
        else if (i)
            fails("Tor's answer to the challenge is malformed");
    }
}

/* --- Where its proxy is --------------------------------------------------- */

static void test_socks(void **state)
{
    static const char *const cases[][2] = {
        {"net/listeners/socks=\"127.0.0.1:1\"", "127.0.0.1:1"},
        {"net/listeners/socks=\"10.0.0.1:1\" \"127.0.0.1:2\" \"127.0.0.1:3\"",
         "127.0.0.1:2"},
        {"net/listeners/socks=\"10.0.0.1:1\" \"10.0.0.2:1\"", "10.0.0.1:1"},
        {"net/listeners/socks=\"unix:/x\"  \"10.0.0.2:1\"", "10.0.0.2:1"},
        {"net/listeners/socks=\"unix:/x\"", "127.0.0.1:9050"},
        {"net/listeners/socks=\"a\\\\b\" \"10.0.0.2:1\"", "10.0.0.2:1"},
        {"net/listeners/socks=", "127.0.0.1:9050"},
        {"net/listeners/socks=\"10.0.0.1:1", "127.0.0.1:9050"},
        {"net/listeners/other=\"10.0.0.1:1\"", "127.0.0.1:9050"},
    };
    char text[200];

    (void)state;
    s.ask_socks = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        let_in();
        hear("250 OK\r\n", ASK_SOCKS);
        snprintf(text, sizeof(text), "250-%s\r\n250 OK\r\n", cases[i][0]);
        hear(text, NEW);
        assert_string_equal(s.socks, cases[i][1]);
    }
    /* It may not know. */
    let_in();
    hear("250 OK\r\n", ASK_SOCKS);
    hear("552 Unrecognized key\r\n", NEW);
    assert_string_equal(s.socks, "127.0.0.1:9050");
}

/* --- The service ---------------------------------------------------------- */

static void test_service(void **state)
{
    char text[200];

    (void)state;
    let_in();
    hear("250 OK\r\n", NEW);
    snprintf(text, sizeof(text),
             "250-ServiceID=%.56s\r\n250-PrivateKey=ED25519-V3:abc\r\n", onion);
    hear(text, "");
    assert_int_equal(s.state, CC_TORCTL_TALKING);
    hear("250 OK\r\n", "");
    assert_int_equal(s.state, CC_TORCTL_DONE);
    assert_true(s.fresh);
    assert_string_equal(s.key, "ED25519-V3:abc");
    assert_int_equal(s.service.network, CC_NET_TORV3);
    assert_int_equal(s.service.port, 8333);
    cc_netaddr_format(text, &s.service);
    assert_string_equal(text, onion);
    /* Again, with that key: it is no news, and no other is taken. */
    let_in();
    assert_false(s.fresh);
    assert_int_equal(s.service.network, 0);
    hear("250 OK\r\n", "ADD_ONION ED25519-V3:abc Port=8333,127.0.0.1:8334\r\n");
    snprintf(text, sizeof(text),
             "250-ServiceID=%.56s\r\n250-PrivateKey=other\r\n250 OK\r\n",
             onion);
    hear(text, "");
    assert_int_equal(s.state, CC_TORCTL_DONE);
    assert_false(s.fresh);
    assert_string_equal(s.key, "ED25519-V3:abc");
}

static void test_no_service(void **state)
{
    char text[3][200];

    (void)state;
    snprintf(text[0], sizeof(text[0]), "250-PrivateKey=k\r\n250 OK\r\n");
    snprintf(text[1], sizeof(text[1]),
             "250-PrivateKey=k\r\n250-ServiceID=%.55sx\r\n250 OK\r\n", onion);
    snprintf(text[2], sizeof(text[2]), "250-ServiceID=%.56s\r\n250 OK\r\n",
             onion);
    for (int i = 0; i < 3; i++) {
        cc_torctl_clear(&s);
        let_in();
        hear("250 OK\r\n", NEW);
        hear(text[i], "");
        fails("Tor does not tell of the service it made");
    }
    /* Said at another time it is not heard. */
    cc_torctl_clear(&s);
    start();
    hear("250-PrivateKey=k\r\n", "");
    assert_null(s.key);
    let_in();
    hear("515 Authentication failed\r\n", "");
    fails("Tor refuses: 515 Authentication failed");
    hear("250 OK\r\n", ""); /* it is over */
    fails("Tor refuses: 515 Authentication failed");
}

/* --- Lines ---------------------------------------------------------------- */

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "\r\n",       "250\r\n", "25 OK\r\n",  "2500 OK\r\n",
        "250+OK\r\n", "OK\r\n",  "2x0 OK\r\n", "250\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        start();
        hear(bad[i], "");
        fails("Tor's answer is malformed");
    }
    start();
    hear(INFO("NULL") "250 \n", "AUTHENTICATE\r\n"); /* the least */
}

static void test_length(void **state)
{
    uint8_t raw[CC_TORCTL_MAX_LINE + 1];
    struct cc_writer w;

    (void)state;
    cc_writer_init_heap(&w);
    memset(raw, ' ', sizeof(raw));
    memcpy(raw, "250-", 4);
    assert_int_equal(cc_torctl_input(&s, raw, 0, &w), 0);
    assert_int_equal(cc_torctl_input(&s, raw, sizeof(raw) - 2, &w), 0);
    assert_int_equal(s.state, CC_TORCTL_TALKING);
    raw[CC_TORCTL_MAX_LINE - 1] = '\n';
    assert_int_equal(cc_torctl_input(&s, raw, sizeof(raw), &w),
                     CC_TORCTL_MAX_LINE);
    assert_int_equal(s.state, CC_TORCTL_TALKING);
    raw[CC_TORCTL_MAX_LINE - 1] = ' ';
    raw[CC_TORCTL_MAX_LINE] = '\n';
    assert_int_equal(cc_torctl_input(&s, raw, sizeof(raw), &w), 0);
    fails("a line of Tor's is too long");
    assert_int_equal(w.len, 0);
    cc_writer_clear(&w);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(test_password),   T(test_methods),   T(test_cookie_file),
        T(test_challenge),  T(test_socks),     T(test_service),
        T(test_no_service), T(test_malformed), T(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
