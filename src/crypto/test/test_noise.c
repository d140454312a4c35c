#include "crypto/noise.h"

#include "crypto/ec.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

static struct cc_ec *ec;

/* One named case of bolt08_transport_vectors.md: its lines in order. */
struct row {
    char key[16]; /* "input", "output" */
    uint8_t data[200];
    size_t len;
    char text[128]; /* of an ERROR, or "sk,rk=…" */
};

struct test_case {
    char name[80];
    uint8_t local[32], ephemeral[32], remote[33];
    struct row rows[8];
    size_t count;
};

static void unhex_some(struct row *r, const char *hex)
{
    size_t n = strspn(hex, "0123456789abcdef");
    char *copy = malloc(n + 1);
    uint8_t *data;

    assert_non_null(copy);
    memcpy(copy, hex, n);
    copy[n] = 0;
    data = cc_test_unhex(copy, &r->len);
    assert_true(r->len <= sizeof(r->data));
    memcpy(r->data, data, r->len);
    free(data);
    free(copy);
}

/* "key: 0xvalue" or "key=value" behind white space; false for others. */
static bool take_line(struct test_case *t, const char *line)
{
    const char *value;
    struct row *r;

    line += strspn(line, " \t");
    value = line + strcspn(line, ":=");
    if (*line == '#' || !*value)
        return false;
    value++;
    value += strspn(value, " ");
    if (!strncmp(value, "0x", 2))
        value += 2;
    if (!strncmp(line, "ls.priv", 7)) {
        struct row x;

        unhex_some(&x, value);
        memcpy(t->local, x.data, 32);
    } else if (!strncmp(line, "e.priv", 6)) {
        struct row x;

        unhex_some(&x, value);
        memcpy(t->ephemeral, x.data, 32);
    } else if (!strncmp(line, "rs.pub", 6)) {
        struct row x;

        unhex_some(&x, value);
        memcpy(t->remote, x.data, 33);
    } else if (!strncmp(line, "input:", 6) || !strncmp(line, "output:", 7)) {
        assert_true(t->count < 8);
        r = &t->rows[t->count++];
        memset(r, 0, sizeof(*r));
        snprintf(r->key, sizeof(r->key), "%.*s", (int)strcspn(line, ":"), line);
        if (!strncmp(value, "ERROR", 5) || strchr(value, ','))
            snprintf(r->text, sizeof(r->text), "%.127s", value);
        else
            unhex_some(r, value);
    }
    return true;
}

static enum cc_noise_error error_named(const char *text)
{
    if (strstr(text, "BAD_VERSION"))
        return CC_NOISE_BAD_VERSION;
    if (strstr(text, "BAD_PUBKEY"))
        return CC_NOISE_BAD_PUBKEY;
    if (strstr(text, "BAD_TAG"))
        return CC_NOISE_BAD_TAG;
    if (strstr(text, "BAD_CIPHERTEXT"))
        return CC_NOISE_BAD_CIPHERTEXT;
    fail_msg("%s", text);
    return CC_NOISE_OK;
}

/* The chaining key that all successful handshakes of the vectors end with. */
#define CHAIN "919219dbb2920afa8db80f9a51787a840bcf111ed8d588caf9ab4be716e42b01"

static void run(const struct test_case *t)
{
    bool initiator = strstr(t->name, "initiator") != NULL;
    int act = initiator ? 0 : 1;
    struct cc_noise n;

    if (initiator)
        assert_true(
            cc_noise_init_initiator(&n, ec, t->local, t->remote, t->ephemeral));
    else
        assert_true(cc_noise_init_responder(&n, ec, t->local, t->ephemeral));
    /* Odd steps read, even ones write. Initiator: write, read, write;
     * responder: read, write, read. */
    for (size_t i = 0; i < t->count; i++) {
        const struct row *r = &t->rows[i];
        uint8_t out[CC_NOISE_ACT3];
        bool ok;

        memset(out, 0xee, sizeof(out));
        if (!strcmp(r->key, "output") && r->len) {
            if (initiator)
                ok = act == 0 ? cc_noise_act1(&n, out) : cc_noise_act3(&n, out);
            else
                ok = cc_noise_act2(&n, out);
            assert_true(ok);
            assert_memory_equal(out, r->data, r->len);
            act++;
            continue;
        }
        if (!strcmp(r->key, "input")) {
            size_t need =
                !initiator && act == 3 ? CC_NOISE_ACT3 : CC_NOISE_ACT1;

            /* Short reads are the socket's: the object is never asked. */
            if (r->len < need) {
                assert_non_null(strstr(t->name, "short read"));
                return;
            }
            if (initiator)
                ok = cc_noise_act2_read(&n, r->data);
            else
                ok = act == 1 ? cc_noise_act1_read(&n, r->data)
                              : cc_noise_act3_read(&n, r->data);
            act++;
            if (i + 1 < t->count && !strncmp(t->rows[i + 1].text, "ERROR", 5)) {
                assert_false(ok);
                assert_int_equal(n.error, error_named(t->rows[i + 1].text));
                assert_false(cc_noise_ready(&n));
                return;
            }
            assert_true(ok);
            continue;
        }
        /* "sk,rk=0x…,0x…": the keys split. */
        {
            const char *a = strstr(r->text, "=0x") + 3;
            const uint8_t *first = initiator ? n.send.key : n.receive.key;

            assert_true(cc_noise_ready(&n));
            assert_string_equal(cc_test_hex(n.send.chain, 32), CHAIN);
            assert_string_equal(cc_test_hex(n.receive.chain, 32), CHAIN);
            assert_int_equal(
                strncmp(a, cc_test_hex(first, 32), strlen(a) < 64 ? 40 : 64),
                0);
        }
    }
    cc_noise_clear(&n);
}

static void test_handshakes(void **state)
{
    char *text = cc_test_load("bolt08_transport_vectors.md", NULL), *line;
    struct test_case t;
    size_t ran = 0;

    (void)state;
    if (!text)
        skip();
    memset(&t, 0, sizeof(t));
    for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        const char *name = strstr(line, "name: ");

        if (name) {
            if (t.count) {
                run(&t);
                ran++;
            }
            memset(&t, 0, sizeof(t));
            snprintf(t.name, sizeof(t.name), "%s", name + 6);
            if (strstr(line, "transport-message"))
                break;
            continue;
        }
        if (t.name[0])
            take_line(&t, line);
    }
    assert_int_equal(ran, 15);
    cc_test_ran("bolt08 handshakes", ran);
    free(text);
}

/* Two ends joined in memory. */
static void pair(struct cc_noise *a, struct cc_noise *b)
{
    uint8_t sa[32], sb[32], pb[33], act[CC_NOISE_ACT3];

    cc_ec_secret_new(sa);
    cc_ec_secret_new(sb);
    assert_true(cc_ec_pubkey(ec, pb, sb));
    assert_true(cc_noise_init_initiator(a, ec, sa, pb, NULL));
    assert_true(cc_noise_init_responder(b, ec, sb, NULL));
    assert_true(cc_noise_act1(a, act) && cc_noise_act1_read(b, act));
    assert_true(cc_noise_act2(b, act) && cc_noise_act2_read(a, act));
    assert_true(cc_noise_act3(a, act) && cc_noise_act3_read(b, act));
    assert_true(cc_noise_ready(a) && cc_noise_ready(b));
    assert_true(cc_ec_pubkey(ec, pb, sa));
    assert_memory_equal(b->remote, pb, 33);
}

static void test_messages(void **state)
{
    char *text = cc_test_load("bolt08_transport_vectors.md", NULL), *line;
    char want[1002][80] = {{0}};
    struct cc_noise a, b;
    size_t ran = 0;

    (void)state;
    if (!text)
        skip();
    for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned n;
        char hex[80];

        if (sscanf(line, " output %u: 0x%78[0-9a-f]", &n, hex) == 2 && n < 1002)
            strcpy(want[n], hex);
    }
    free(text);
    pair(&a, &b);
    /* The vectors begin with given keys. */
    memset(&a.send, 0, sizeof(a.send));
    cc_test_unhex_into(a.send.chain, 32, CHAIN);
    cc_test_unhex_into(
        a.send.key, 32,
        "969ab31b4d288cedf6218839b27a3e2140827047f2c0f01bf5c04435d43511a9");
    b.receive = a.send;
    for (unsigned i = 0; i < 1002; i++) {
        uint8_t out[CC_NOISE_HEADER + 5 + CC_NOISE_TAG], back[5];
        size_t len;

        assert_true(cc_noise_write(&a, out, "hello", 5));
        if (want[i][0]) {
            assert_string_equal(cc_test_hex(out, sizeof(out)), want[i]);
            ran++;
        }
        assert_true(cc_noise_read_header(&b, &len, out));
        assert_int_equal(len, 5);
        assert_true(cc_noise_read(&b, back, out + CC_NOISE_HEADER, len));
        assert_memory_equal(back, "hello", 5);
    }
    assert_int_equal(ran, 6);
    cc_test_ran("bolt08 messages", ran);
}

static void test_faults(void **state)
{
    static uint8_t big[CC_NOISE_MAX + 1];
    static uint8_t out[CC_NOISE_HEADER + CC_NOISE_MAX + CC_NOISE_TAG];
    struct cc_noise a, b;
    uint8_t act[CC_NOISE_ACT3], zero[33] = {0};
    size_t len;

    (void)state;
    /* The longest packet, and one longer. */
    pair(&a, &b);
    assert_true(cc_noise_write(&a, out, big, CC_NOISE_MAX));
    assert_true(cc_noise_read_header(&b, &len, out));
    assert_int_equal(len, CC_NOISE_MAX);
    assert_true(cc_noise_read(&b, big, out + CC_NOISE_HEADER, len));
    assert_false(cc_noise_write(&a, out, big, CC_NOISE_MAX + 1));
    assert_false(cc_noise_ready(&a));
    /* A changed bit of header or body; then the object is spent. */
    pair(&a, &b);
    assert_true(cc_noise_write(&a, out, "x", 1));
    out[3] ^= 1;
    assert_false(cc_noise_read_header(&b, &len, out));
    assert_int_equal(b.error, CC_NOISE_BAD_TAG);
    out[3] ^= 1;
    assert_false(cc_noise_read_header(&b, &len, out));
    pair(&a, &b);
    assert_true(cc_noise_write(&a, out, "x", 1));
    assert_true(cc_noise_read_header(&b, &len, out));
    out[CC_NOISE_HEADER] ^= 1;
    assert_false(cc_noise_read(&b, big, out + CC_NOISE_HEADER, len));
    /* A packet sent twice does not open twice. */
    pair(&a, &b);
    assert_true(cc_noise_write(&a, out, "x", 1));
    assert_true(cc_noise_read_header(&b, &len, out));
    assert_true(cc_noise_read(&b, big, out + CC_NOISE_HEADER, len));
    assert_false(cc_noise_read_header(&b, &len, out));
    /* Out of turn, and in the other one's role. */
    pair(&a, &b);
    assert_false(cc_noise_act1(&a, act));
    assert_int_equal(a.error, CC_NOISE_BAD_STATE);
    cc_ec_secret_new(zero);
    assert_true(cc_noise_init_responder(&b, ec, zero, NULL));
    assert_false(cc_noise_act1(&b, act));
    assert_true(cc_noise_init_responder(&b, ec, zero, NULL));
    assert_false(cc_noise_write(&b, out, "x", 1));
    assert_true(cc_noise_init_responder(&b, ec, zero, NULL));
    assert_false(cc_noise_act3_read(&b, act));
    assert_int_equal(b.error, CC_NOISE_BAD_STATE);
    assert_true(cc_noise_init_responder(&b, ec, zero, NULL));
    assert_false(cc_noise_read_header(&b, &len, out));
    assert_int_equal(b.error, CC_NOISE_BAD_STATE);
    assert_true(cc_noise_init_responder(&b, ec, zero, NULL));
    assert_false(cc_noise_read(&b, big, out, 1));
    assert_int_equal(b.error, CC_NOISE_BAD_STATE);
    /* Keys that are none. */
    memset(act, 0, sizeof(act));
    assert_false(cc_noise_init_responder(&b, ec, zero, act));
    memset(zero, 0, sizeof(zero));
    assert_false(cc_noise_init_responder(&b, ec, zero, NULL));
    assert_false(cc_noise_init_initiator(&b, ec, act, zero, NULL));
    for (int e = CC_NOISE_OK; e <= CC_NOISE_BAD_STATE; e++)
        assert_string_not_equal(cc_noise_error_name((enum cc_noise_error)e),
                                "unknown error");
}

static int setup(void **state)
{
    (void)state;
    ec = cc_ec_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_ec_free(ec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_faults),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
