#include "storage/session.h"
#include "storage/socket.h"

#include "crypto/ec.h"
#include "crypto/mtree.h"
#include "crypto/noise.h"
#include "support.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct cc_ec *ec;
static uint8_t host_secret[32], host_key[32];
static uint8_t sector[CC_SECTOR_SIZE];

/* A host that answers as a test tells it to, on its own thread. */
struct host {
    int fd;
    void (*serve)(struct cc_session *s);
    pthread_t thread;
    enum cc_status st;
    uint8_t peer[32];
};

static void *host_main(void *arg)
{
    struct host *h = arg;
    struct cc_session *s;

    h->st = cc_session_accept(&s, ec, h->fd, host_secret, 5000, NULL);
    if (h->st != CC_OK)
        return NULL;
    memcpy(h->peer, cc_session_peer(s), 32);
    if (h->serve)
        h->serve(s);
    cc_session_free(s);
    return NULL;
}

static int start_host(struct host *h, void (*serve)(struct cc_session *s))
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    memset(h, 0, sizeof(*h));
    h->fd = fds[1];
    h->serve = serve;
    assert_int_equal(pthread_create(&h->thread, NULL, host_main, h), 0);
    return fds[0];
}

static void join(struct host *h)
{
    assert_int_equal(pthread_join(h->thread, NULL), 0);
}

/* Answers WRITE with the root, READ with the sector, refuses all else. */
static void serve_some(struct cc_session *s)
{
    struct cc_message m, r;
    enum cc_status st = CC_OK;

    while (st == CC_OK && cc_session_receive(s, &m, 5000, NULL) == CC_OK) {
        memset(&r, 0, sizeof(r));
        r.id = m.id;
        if (m.type == CC_MSG_WRITE) {
            r.type = CC_MSG_WRITE_REPLY;
            cc_mtree_sector_root(r.u.write_reply.root, m.u.write.data.data);
            st = cc_session_send(s, &r, NULL);
        } else if (m.type == CC_MSG_READ) {
            r.type = CC_MSG_READ_REPLY;
            r.u.read_reply.data = cc_bytes(sector, sizeof(sector));
            st = cc_session_send(s, &r, NULL);
        } else {
            st = cc_session_refuse(s, m.id, CC_REFUSE_UNKNOWN, "no\x1b[2J",
                                   NULL);
        }
    }
}

static void test_calls(void **state)
{
    uint8_t secret[32], own[32], root[32];
    struct cc_message m, r;
    struct cc_session *s;
    struct cc_error err;
    struct host h;
    uint64_t sent, received;
    int refusal, fd = start_host(&h, serve_some);

    (void)state;
    cc_ec_secret_new(secret);
    assert_true(cc_ec_xonly(ec, own, secret));
    assert_int_equal(cc_session_start(&s, ec, fd, host_key, secret, 5000, &err),
                     CC_OK);
    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_WRITE;
    m.u.write.data = cc_bytes(sector, sizeof(sector));
    cc_mtree_sector_root(root, sector);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t last = m.id;

        assert_int_equal(cc_session_call(s, &m, &r, &refusal, &err), CC_OK);
        assert_int_not_equal(m.id, last);
        assert_int_equal(refusal, 0);
        assert_memory_equal(r.u.write_reply.root, root, 32);
    }
    m.type = CC_MSG_READ;
    memset(&m.u, 0, sizeof(m.u));
    m.u.read.length = CC_LEAF_SIZE;
    assert_int_equal(cc_session_call(s, &m, &r, NULL, &err), CC_OK);
    assert_int_equal(r.u.read_reply.data.len, CC_SECTOR_SIZE);
    assert_memory_equal(r.u.read_reply.data.data, sector, CC_SECTOR_SIZE);
    /* A refusal leaves the session good, and its words fit for a terminal. */
    m.type = CC_MSG_HEALTH;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cc_session_call(s, &m, &r, &refusal, &err),
                         CC_INVALID);
        assert_int_equal(refusal, CC_REFUSE_UNKNOWN);
        assert_string_equal(err.text, "health: refused: no?[2J");
    }
    cc_session_counts(s, &sent, &received);
    assert_true(sent > 3 * CC_SECTOR_SIZE && sent < 4 * CC_SECTOR_SIZE);
    assert_true(received > CC_SECTOR_SIZE);
    cc_session_free(s);
    join(&h);
    assert_int_equal(h.st, CC_OK);
    assert_memory_equal(h.peer, own, 32);
}

static void test_wrong_host(void **state)
{
    uint8_t other[32], key[32], none[32];
    struct cc_session *s;
    struct cc_error err;
    struct host h;
    int fd = start_host(&h, NULL);

    (void)state;
    cc_ec_secret_new(other);
    assert_true(cc_ec_xonly(ec, key, other));
    assert_int_equal(cc_session_start(&s, ec, fd, key, NULL, 5000, &err),
                     CC_INVALID);
    join(&h);
    assert_int_equal(h.st, CC_INVALID);
    /* A key that is no point. */
    memset(none, 0xff, sizeof(none));
    fd = start_host(&h, NULL);
    assert_int_equal(cc_session_start(&s, ec, fd, none, NULL, 5000, &err),
                     CC_INVALID);
    join(&h);
    assert_int_not_equal(h.st, CC_OK);
}

/* A renter whose packets the test makes by hand. */
static int raw_renter(struct cc_noise *n, struct host *h)
{
    uint8_t own[32], remote[33] = {2}, act[CC_NOISE_ACT3];
    int fd = start_host(h, serve_some);

    cc_ec_secret_new(own);
    memcpy(remote + 1, host_key, 32);
    assert_true(cc_noise_init_initiator(n, ec, own, remote, NULL));
    assert_true(cc_noise_act1(n, act));
    assert_int_equal(write(fd, act, CC_NOISE_ACT1), CC_NOISE_ACT1);
    assert_int_equal(recv(fd, act, CC_NOISE_ACT2, MSG_WAITALL), CC_NOISE_ACT2);
    assert_true(cc_noise_act2_read(n, act));
    assert_true(cc_noise_act3(n, act));
    assert_int_equal(write(fd, act, CC_NOISE_ACT3), CC_NOISE_ACT3);
    return fd;
}

static void send_raw(struct cc_noise *n, int fd, const void *data, size_t len,
                     int flip)
{
    uint8_t packet[CC_NOISE_HEADER + 300 + CC_NOISE_TAG];

    assert_true(len <= 300);
    assert_true(cc_noise_write(n, packet, data, len));
    if (flip >= 0)
        packet[flip] ^= 1;
    assert_true(write(fd, packet, CC_NOISE_HEADER + len + CC_NOISE_TAG) > 0);
}

static bool answers(struct cc_noise *n, int fd)
{
    uint8_t head[CC_NOISE_HEADER], body[400];
    size_t len;

    if (recv(fd, head, sizeof(head), MSG_WAITALL) != sizeof(head))
        return false;
    assert_true(cc_noise_read_header(n, &len, head));
    assert_true(len <= 300);
    assert_int_equal(recv(fd, body, len + CC_NOISE_TAG, MSG_WAITALL),
                     len + CC_NOISE_TAG);
    return cc_noise_read(n, body, body, len);
}

/* Each bad one ends the session, and the host's thread comes back. */
static void test_bad_frames(void **state)
{
    static const struct {
        const char *hex; /* the first packet's content: len, type, id, body */
        bool answered;
    } rows[] = {
        {"200000001301000000", false},   /* half a message */
        {"ffffffff1301000000", false},   /* 4 GiB of HEALTH */
        {"010100001301000000", false},   /* one above its limit */
        {"000000000101000000ff", false}, /* something behind it */
        {"010001007701000000", false},   /* unknown, and long */
        {"", false},                     /* an empty packet */
        {"000000000101000000", true},    /* SETTINGS: refused */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cc_noise n;
        struct host h;
        size_t len;
        uint8_t *data = cc_test_unhex(rows[i].hex, &len);
        int fd = raw_renter(&n, &h);

        send_raw(&n, fd, data, len, -1);
        free(data);
        if (!rows[i].answered)
            shutdown(fd, SHUT_WR);
        if (answers(&n, fd) != rows[i].answered)
            fail_msg("row %zu", i);
        close(fd);
        join(&h);
    }
}

static void test_packets(void **state)
{
    struct cc_noise n;
    struct host h;
    int fd = raw_renter(&n, &h);

    (void)state;
    /* A header spread over two packets is one message. */
    send_raw(&n, fd, "\0\0\0", 3, -1);
    send_raw(&n, fd, "\0\1\1\0\0\0", 6, -1);
    assert_true(answers(&n, fd));
    /* A changed bit on the way. */
    send_raw(&n, fd, "\0\0\0\0\1\1\0\0\0", 9, CC_NOISE_HEADER + 2);
    assert_false(answers(&n, fd));
    close(fd);
    join(&h);
}

static void serve_wrong_type(struct cc_session *s)
{
    struct cc_message m;

    if (cc_session_receive(s, &m, 5000, NULL) != CC_OK)
        return;
    memset(&m.u, 0, sizeof(m.u));
    m.type = CC_MSG_VOUCHER_REPLY;
    (void)cc_session_send(s, &m, NULL);
    (void)cc_session_receive(s, &m, 5000, NULL);
}

static void serve_wrong_id(struct cc_session *s)
{
    struct cc_message m;

    if (cc_session_receive(s, &m, 5000, NULL) != CC_OK)
        return;
    memset(&m.u, 0, sizeof(m.u));
    m.type = CC_MSG_HEALTH_REPLY;
    m.id++;
    (void)cc_session_send(s, &m, NULL);
    (void)cc_session_receive(s, &m, 5000, NULL);
}

static void serve_nothing(struct cc_session *s)
{
    struct cc_message m;

    (void)cc_session_receive(s, &m, 5000, NULL);
    (void)cc_session_receive(s, &m, 5000, NULL);
}

static void serve_hangup(struct cc_session *s)
{
    struct cc_message m;

    (void)cc_session_receive(s, &m, 5000, NULL);
}

static void test_wrong_answers(void **state)
{
    static const struct {
        void (*serve)(struct cc_session *s);
        enum cc_status st;
    } rows[] = {
        {serve_wrong_type, CC_MALFORMED},
        {serve_wrong_id, CC_MALFORMED},
        {serve_nothing, CC_IO},
        {serve_hangup, CC_IO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cc_message m, r;
        struct cc_session *s;
        struct cc_error err;
        struct host h;
        int fd = start_host(&h, rows[i].serve);

        assert_int_equal(
            cc_session_start(&s, ec, fd, host_key, NULL, 5000, &err), CC_OK);
        cc_session_set_timeout(s, 300);
        memset(&m, 0, sizeof(m));
        m.type = CC_MSG_HEALTH;
        assert_int_equal(cc_session_call(s, &m, &r, NULL, &err), rows[i].st);
        /* Spent: no second try over a stream that is out of step. */
        assert_int_not_equal(cc_session_call(s, &m, &r, NULL, &err), CC_OK);
        cc_session_free(s);
        join(&h);
    }
}

/* A byte now and then does not keep a thread: the whole has its time. */
static void test_slow_handshake(void **state)
{
    struct cc_session *s;
    struct cc_error err;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(write(fds[0], "\0", 1), 1);
    assert_int_equal(cc_session_accept(&s, ec, fds[1], host_secret, 100, &err),
                     CC_LIMIT);
    close(fds[0]);
}

static void test_connect(void **state)
{
    static const char *const bad[] = {
        "", "nohost", "host:", "::1:80", ":80", "[::1:80"};
    struct sockaddr_in a = {.sin_family = AF_INET};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof(a);
    struct cc_session *s;
    struct cc_error err;
    char address[64];

    (void)state;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(listen(listener, 1), 0);
    snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(a.sin_port));
    /* Nobody accepts: the handshake's time runs out. */
    assert_int_equal(
        cc_session_connect(&s, ec, address, host_key, NULL, 200, &err),
        CC_LIMIT);
    close(listener);
    assert_int_equal(
        cc_session_connect(&s, ec, address, host_key, NULL, 200, &err), CC_IO);
    assert_non_null(strstr(err.text, address));
    for (int i = 0; i < 6; i++)
        assert_int_equal(
            cc_session_connect(&s, ec, bad[i], host_key, NULL, 200, &err),
            CC_IO);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } rows[] = {
        {"a:1", "a", 1},
        {"[2001:db8::1]:65535", "2001:db8::1", 65535},
        {"1.2.3.4:080", "1.2.3.4", 80},
        {"a:0", NULL, 0},
        {"a:65536", NULL, 0},
        {"a:1x", NULL, 0},
        {"a:-1", NULL, 0},
        {"a: 1", NULL, 0},
        {"[]:1", NULL, 0},
        {"[a:1", NULL, 0},
        {"a:b:1", NULL, 0},
        {":1", NULL, 0},
        {"a", NULL, 0},
    };
    char host[16];
    uint16_t port;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool ok = cc_socket_split(host, sizeof(host), &port, rows[i].text);

        if (ok != (rows[i].host != NULL) ||
            (ok && (strcmp(host, rows[i].host) || port != rows[i].port)))
            fail_msg("%s", rows[i].text);
    }
    assert_true(cc_socket_split(host, 4, &port, "abc:1"));
    assert_false(cc_socket_split(host, 3, &port, "abc:1"));
}

static int setup(void **state)
{
    (void)state;
    ec = cc_ec_new();
    cc_ec_secret_new(host_secret);
    assert_true(cc_ec_xonly(ec, host_key, host_secret));
    for (size_t i = 0; i < sizeof(sector); i++)
        sector[i] = (uint8_t)(i * 7 + i / 1000);
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
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_wrong_host),
        cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_wrong_answers),
        cmocka_unit_test(test_slow_handshake),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
