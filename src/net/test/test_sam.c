/* What is said to a SAM bridge, and what of its answers is believed. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "net/sam.h"
#include "support.h"
#include "util/mem.h"

#define ID "0123456789"
#define HELLO "HELLO REPLY RESULT=OK VERSION=3.1\n"

static struct cc_sam s;

static int begin(void **state)
{
    (void)state;
    memset(&s, 0, sizeof(s));
    return 0;
}

static int end(void **state)
{
    (void)state;
    cc_sam_clear(&s);
    return 0;
}

static void start(enum cc_sam_goal goal)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    s.transient = false;
    cc_sam_start(&s, goal, ID, &w);
    cc_write_u8(&w, 0);
    assert_string_equal((char *)w.data, "HELLO VERSION MIN=3.1 MAX=3.1\n");
    assert_int_equal(s.state, CC_SAM_TALKING);
    cc_writer_clear(&w);
}

/* The whole line is used, and that is answered. */
static void hear(const char *line, const char *answer)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    assert_int_equal(cc_sam_input(&s, (const uint8_t *)line, strlen(line), &w),
                     strlen(line));
    cc_write_u8(&w, 0);
    assert_string_equal((char *)w.data, answer);
    cc_writer_clear(&w);
}

static void hear_fault(const char *line, const char *why)
{
    hear(line, "");
    assert_int_equal(s.state, CC_SAM_FAILED);
    if (strncmp(s.why, why, strlen(why)) != 0)
        fail_msg("\"%s\", not \"%s\"", s.why, why);
}

/* A destination with a certificate of cert bytes, and more behind it, in the
 * bridge's letters; static. */
static const char *letters(uint8_t fill, size_t cert, size_t more)
{
    static char text[4][2000];
    static int n;
    uint8_t raw[1000];
    size_t len = 387 + cert + more;
    char *made;

    n = (n + 1) % 4;
    memset(raw, fill, sizeof(raw));
    raw[384] = 5;
    raw[385] = (uint8_t)(cert >> 8);
    raw[386] = (uint8_t)cert;
    made = cc_sam_encode(raw, len);
    snprintf(text[n], sizeof(text[n]), "%s", made);
    free(made);
    return text[n];
}

static const char *line(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static const char *line(const char *fmt, ...)
{
    static char text[4][5000];
    static int n;
    va_list ap;

    n = (n + 1) % 4;
    va_start(ap, fmt);
    vsnprintf(text[n], sizeof(text[n]), fmt, ap);
    va_end(ap);
    return text[n];
}

/* --- Destinations --------------------------------------------------------- */

static void test_letters(void **state)
{
    static const uint8_t raw[3] = {0xfb, 0xff, 0xfe};
    uint8_t *back;
    size_t len;
    char *text = cc_sam_encode(raw, 3);

    (void)state;
    assert_string_equal(text, "-~~-");
    back = cc_sam_decode(text, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(back, raw, 3);
    free(back);
    free(text);
    assert_null(cc_sam_decode("-~~", &len));
}

/* The hash of the destination alone, whatever stands behind it. */
static void test_address(void **state)
{
    uint8_t raw[700], hash[32];
    struct cc_netaddr a;

    (void)state;
    for (size_t cert = 0; cert <= 260; cert += 130) {
        memset(raw, 9, sizeof(raw));
        raw[384] = 5;
        raw[385] = (uint8_t)(cert >> 8);
        raw[386] = (uint8_t)cert;
        cc_sha256_once(hash, raw, 387 + cert);
        for (size_t more = 0; more <= 64; more += 64) {
            assert_true(cc_sam_address(&a, letters(9, cert, more)));
            assert_int_equal(a.network, CC_NET_I2P);
            assert_int_equal(a.len, 32);
            assert_int_equal(a.port, 0);
            assert_memory_equal(a.bytes, hash, 32);
        }
        if (cert) /* it ends before its certificate does */
            assert_false(cc_sam_address(&a, letters(9, cert, (size_t)-1)));
        assert_int_equal(a.network, cert ? 0 : CC_NET_I2P);
    }
    assert_false(cc_sam_address(&a, letters(9, 0, (size_t)-1)));
    assert_int_equal(a.network, 0);
    assert_false(cc_sam_address(&a, ""));
    assert_false(cc_sam_address(&a, "no letters"));
}

/* --- A session ------------------------------------------------------------ */

static void test_session(void **state)
{
    const char *key = letters(1, 4, 64);
    struct cc_netaddr ours;
    struct cc_writer w;

    (void)state;
    assert_true(cc_sam_address(&ours, key));
    s.key = cc_strdup(key);
    start(CC_SAM_SESSION);
    hear(HELLO, line("SESSION CREATE STYLE=STREAM ID=" ID " DESTINATION=%s "
                     "inbound.quantity=3 outbound.quantity=3 "
                     "i2cp.leaseSetEncType=4,0\n",
                     key));
    hear(line("SESSION STATUS RESULT=OK DESTINATION=%s\n", key), "");
    assert_int_equal(s.state, CC_SAM_DONE);
    assert_false(s.fresh);
    assert_true(cc_netaddr_equal(&s.who, &ours));
    /* What follows is not ours to read. */
    cc_writer_init_heap(&w);
    assert_int_equal(
        cc_sam_input(&s, (const uint8_t *)HELLO, strlen(HELLO), &w), 0);
    assert_int_equal(w.len, 0);
    cc_writer_clear(&w);
}

static void test_session_with_a_new_key(void **state)
{
    const char *key = letters(1, 4, 64);

    (void)state;
    start(CC_SAM_SESSION);
    hear(HELLO, "DEST GENERATE SIGNATURE_TYPE=7\n");
    hear(line("DEST REPLY PUB=%s PRIV=%s\n", letters(1, 4, 0), key),
         line("SESSION CREATE STYLE=STREAM ID=" ID " DESTINATION=%s "
              "inbound.quantity=3 outbound.quantity=3 "
              "i2cp.leaseSetEncType=4,0\n",
              key));
    assert_true(s.fresh);
    assert_string_equal(s.key, key);
    hear(line("SESSION STATUS RESULT=OK DESTINATION=%s\n", key), "");
    assert_int_equal(s.state, CC_SAM_DONE);
}

static void test_transient_session(void **state)
{
    (void)state;
    start(CC_SAM_SESSION);
    s.transient = true;
    hear(HELLO, "SESSION CREATE STYLE=STREAM ID=" ID " DESTINATION=TRANSIENT "
                "SIGNATURE_TYPE=7 inbound.quantity=1 outbound.quantity=1 "
                "i2cp.leaseSetEncType=4,0\n");
    hear(line("SESSION STATUS RESULT=OK DESTINATION=%s\n", letters(1, 4, 0)),
         "");
    assert_int_equal(s.state, CC_SAM_DONE);
    assert_null(s.key);
}

static void test_no_session(void **state)
{
    const char *key = letters(1, 4, 64);

    (void)state;
    for (int i = 0; i < 2; i++) {
        start(CC_SAM_SESSION);
        hear(HELLO, "DEST GENERATE SIGNATURE_TYPE=7\n");
        hear_fault(line("%s PUB=a PRIV=%s\n", i ? "DEST REPLY" : "DEST NO",
                        i ? letters(1, 4, (size_t)-1) : key),
                   "the SAM proxy made no key: \"DEST ");
        assert_null(s.key);
    }
    s.key = cc_strdup(key);
    for (int i = 0; i < 4; i++) {
        static const char *const whats[] = {
            "SESSION STATUS RESULT=DUPLICATED_ID", "SESSION STATUS",
            "STREAM STATUS RESULT=OK", "SESSION STATUS RESULT=OK"};
        char *said;

        start(CC_SAM_SESSION);
        said = cc_strdup(line("SESSION CREATE STYLE=STREAM ID=" ID
                              " DESTINATION=%s inbound.quantity=3 "
                              "outbound.quantity=3 i2cp.leaseSetEncType=4,0\n",
                              key));
        hear(HELLO, said);
        free(said);
        hear_fault(line("%s DESTINATION=%s\n", whats[i],
                        i < 3 ? key : letters(1, 4, (size_t)-1)),
                   i < 3 ? "the SAM proxy made no session: \"S"
                         : "the SAM proxy named no destination: \"SESSION");
    }
}

/* --- A connection --------------------------------------------------------- */

static void begin_connect(void)
{
    start(CC_SAM_CONNECT);
    snprintf(s.host, sizeof(s.host), "abc.b32.i2p");
    hear(HELLO, "NAMING LOOKUP NAME=abc.b32.i2p\n");
}

static void test_connect(void **state)
{
    const char *them = letters(2, 4, 0);
    struct cc_netaddr a;

    (void)state;
    assert_true(cc_sam_address(&a, them));
    begin_connect();
    hear(line("NAMING REPLY RESULT=OK NAME=abc.b32.i2p VALUE=%s\n", them),
         line("STREAM CONNECT ID=" ID " DESTINATION=%s SILENT=false\n", them));
    assert_int_equal(s.state, CC_SAM_TALKING);
    assert_true(cc_netaddr_equal(&s.who, &a));
    hear("STREAM STATUS RESULT=OK\n", "");
    assert_int_equal(s.state, CC_SAM_DONE);

    begin_connect();
    hear_fault("NAMING REPLY RESULT=KEY_NOT_FOUND\n",
               "the SAM proxy cannot reach it: \"NAMING REPLY");
    begin_connect();
    hear_fault(line("NAMING REPLY RESULT=NO VALUE=%s\n", them),
               "the SAM proxy cannot reach it");
    begin_connect();
    hear_fault("NAMING REPLY RESULT=OK VALUE=abc\n",
               "the SAM proxy knows no destination");
    begin_connect();
    hear_fault("NAMING REPLY RESULT=OK\n",
               "the SAM proxy knows no destination");
    begin_connect();
    hear(line("NAMING REPLY RESULT=OK VALUE=%s\n", them),
         line("STREAM CONNECT ID=" ID " DESTINATION=%s SILENT=false\n", them));
    hear_fault("STREAM STATUS RESULT=CANT_REACH_PEER\n",
               "the SAM proxy cannot reach it");
}

static void test_accept(void **state)
{
    struct cc_netaddr a;

    (void)state;
    for (int i = 0; i < 4; i++) {
        const char *who = letters((uint8_t)(20 + i), 4, 0);

        assert_true(cc_sam_address(&a, who));
        start(CC_SAM_ACCEPT);
        hear(HELLO, "STREAM ACCEPT ID=" ID " SILENT=false\n");
        if (i == 3) {
            hear_fault("STREAM STATUS RESULT=INVALID_ID\n",
                       "the SAM proxy does not accept");
            break;
        }
        hear("STREAM STATUS RESULT=OK\n", "");
        assert_int_equal(s.state, CC_SAM_TALKING);
        if (i == 2) {
            hear_fault("abcd FROM_PORT=0\n", "who came has no destination");
            continue;
        }
        memset(&s.who, 0, sizeof(s.who));
        hear(line("%s%s\n", who, i ? " FROM_PORT=0" : ""), "");
        assert_int_equal(s.state, CC_SAM_DONE);
        assert_true(cc_netaddr_equal(&s.who, &a));
    }
}

/* --- Lines ---------------------------------------------------------------- */

static void test_hello(void **state)
{
    static const char *const bad[] = {
        "HELLO REPLY RESULT=NOVERSION\n",
        "HELLO REPLY VERSION=3.1\n",
        "HELLO REPLY NORESULT=OK\n", /* a word of its own */
        "HELLO REPLY RESULTS=OK\n",
        "HELLO REPLY RESULT=OKAY\n",
        "HELLO REPLY RESULT=NO RESULT=OK\n", /* the first counts */
        "HELLO VERSION RESULT=OK\n",
        "RESULT=OK\n",
        "\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        start(CC_SAM_ACCEPT);
        hear_fault(bad[i], "no SAM proxy, or not of version 3.1: \"");
    }
    start(CC_SAM_ACCEPT);
    hear("HELLO REPLY NORESULT=A RESULT=OK\n",
         "STREAM ACCEPT ID=" ID " SILENT=false\n");
}

/* A value that is longer than can be meant is none. */
static void test_long_value(void **state)
{
    char text[200];

    (void)state;
    for (size_t len = 63; len <= 64; len++) {
        start(CC_SAM_ACCEPT);
        snprintf(text, sizeof(text), "HELLO REPLY RESULT=OK");
        memset(text + 21, 'K', len - 2);
        snprintf(text + 19 + len, 2, "\n");
        hear_fault(text, "no SAM proxy");
    }
}

static void test_length(void **state)
{
    uint8_t raw[CC_SAM_MAX_LINE + 1];
    struct cc_writer w;

    (void)state;
    cc_writer_init_heap(&w);
    memset(raw, ' ', sizeof(raw));
    memcpy(raw, HELLO, strlen(HELLO) - 1);
    /* It is not there yet. */
    start(CC_SAM_ACCEPT);
    assert_int_equal(cc_sam_input(&s, raw, 0, &w), 0);
    assert_int_equal(cc_sam_input(&s, raw, CC_SAM_MAX_LINE - 1, &w), 0);
    assert_int_equal(s.state, CC_SAM_TALKING);
    assert_int_equal(w.len, 0);
    /* The longest, and one more. */
    raw[CC_SAM_MAX_LINE - 1] = '\n';
    assert_int_equal(cc_sam_input(&s, raw, sizeof(raw), &w), CC_SAM_MAX_LINE);
    assert_int_equal(s.state, CC_SAM_TALKING);
    assert_int_not_equal(w.len, 0);
    start(CC_SAM_ACCEPT);
    raw[CC_SAM_MAX_LINE - 1] = ' ';
    raw[CC_SAM_MAX_LINE] = '\n';
    assert_int_equal(cc_sam_input(&s, raw, sizeof(raw), &w), 0);
    assert_int_equal(s.state, CC_SAM_FAILED);
    assert_string_equal(s.why, "the SAM proxy's line is too long: \"\"");
    cc_writer_clear(&w);
    /* Lines that come together are taken one by one. */
    start(CC_SAM_ACCEPT);
    cc_writer_init_heap(&w);
    assert_int_equal(
        cc_sam_input(&s, (const uint8_t *)HELLO HELLO, 2 * strlen(HELLO), &w),
        strlen(HELLO));
    cc_writer_clear(&w);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(test_letters),
        T(test_address),
        T(test_session),
        T(test_session_with_a_new_key),
        T(test_transient_session),
        T(test_no_session),
        T(test_connect),
        T(test_accept),
        T(test_hello),
        T(test_long_value),
        T(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
