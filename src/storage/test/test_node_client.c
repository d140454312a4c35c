#include "storage/node_client.h"

#include "support.h"
#include "util/fs.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that takes one connection, keeps what it was sent and answers. */
struct server {
    int listener;
    uint16_t port;
    const char *answer; /* NULL: close at once */
    char got[4096];
    pthread_t thread;
};

static bool whole(const char *got)
{
    const char *head = strstr(got, "\r\n\r\n");
    const char *len = strstr(got, "Content-Length: ");

    return head && len && strlen(head + 4) >= strtoul(len + 16, NULL, 10);
}

static void *serve(void *arg)
{
    struct server *s = arg;
    int fd = accept(s->listener, NULL, NULL);
    size_t n = 0;
    ssize_t r;

    while (!whole(s->got) &&
           (r = recv(fd, s->got + n, sizeof(s->got) - 1 - n, 0)) > 0)
        n += (size_t)r;
    if (s->answer)
        (void)!write(fd, s->answer, strlen(s->answer));
    close(fd);
    return NULL;
}

static void start(struct server *s, const char *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);

    memset(s, 0, sizeof(*s));
    s->answer = answer;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    s->port = ntohs(a.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    close(s->listener);
}

static enum cc_status call(struct server *s, const char *answer,
                           json_t **result, int *code, struct cc_error *err)
{
    struct cc_node_options o = {.host = "127.0.0.1",
                                .user = "u",
                                .password = "p",
                                .wallet = "a b/c",
                                .timeout_ms = 5000};
    struct cc_node_client *c;
    enum cc_status st;

    start(s, answer);
    o.port = s->port;
    c = cc_node_client_new(&o);
    cc_error_init(err);
    st = cc_node_call(c, "echo", json_pack("[i,s]", 1, "x"), result, err);
    *code = cc_node_client_code(c);
    cc_node_client_free(c);
    stop(s);
    return st;
}

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static void test_answers(void **state)
{
    static const struct {
        const char *answer;
        enum cc_status st;
        int code;
        const char *says;
    } rows[] = {
        {OK_HEAD "Content-Length: 39\r\n\r\n"
                 "{\"result\": [7], \"error\": null, \"id\": 1}",
         CC_OK, 0, ""},
        {OK_HEAD "content-length:  39\r\n\r\n"
                 "{\"result\": [7], \"error\": null, \"id\": 1}",
         CC_OK, 0, ""},
        /* no length: up to the end */
        {OK_HEAD "\r\n{\"result\": [7], \"error\": null, \"id\": 1}", CC_OK, 0,
         ""},
        {"HTTP/1.1 500 Internal Server Error\r\n\r\n{\"result\": null, "
         "\"error\": {\"code\": -13, \"message\": \"locked\"}, \"id\": 1}",
         CC_INVALID, -13, "locked"},
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", CC_INVALID,
         401, "password"},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", CC_INVALID, 0,
         "-rpcallowip"},
        {"HTTP/1.1 503 Service Unavailable\r\n\r\nWork queue depth exceeded",
         CC_IO, 0, "busy"},
        {OK_HEAD "\r\nnot JSON", CC_MALFORMED, 0, "no JSON"},
        {OK_HEAD "\r\n[1]", CC_MALFORMED, 0, "no JSON-RPC"},
        {OK_HEAD "\r\n{\"result\": 1, \"id\": 2}", CC_MALFORMED, 0,
         "no JSON-RPC"},
        {"SSH-2.0\r\n\r\n", CC_MALFORMED, 0, "no HTTP"},
        {OK_HEAD "Content-Length: 99\r\n\r\n{}", CC_IO, 0, "half way"},
        {OK_HEAD "Content-Length: 99999999999\r\n\r\n{}", CC_IO, 0, "bytes"},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", CC_MALFORMED, 0,
         "chunked"},
        {NULL, CC_IO, 0, "half way"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *result = NULL;
        struct cc_error err;
        struct server s;
        int code;
        enum cc_status st = call(&s, rows[i].answer, &result, &code, &err);

        if (st != rows[i].st || code != rows[i].code ||
            !strstr(err.text, rows[i].says))
            fail_msg("row %zu: %d, %d, \"%s\"", i, (int)st, code, err.text);
        if (st == CC_OK)
            assert_int_equal(json_integer_value(json_array_get(result, 0)), 7);
        json_decref(result);
        if (i)
            continue;
        assert_non_null(strstr(s.got, "POST /wallet/a%20b%2Fc HTTP/1.1\r\n"));
        assert_non_null(strstr(s.got, "Authorization: Basic dTpw\r\n"));
        assert_non_null(strstr(s.got, "\"method\":\"echo\""));
        assert_non_null(strstr(s.got, "\"params\":[1,\"x\"]"));
    }
}

static void test_no_node(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_node_options o = {.host = "127.0.0.1", .timeout_ms = 2000};
    struct cc_node_client *c;
    struct cc_error err;
    struct server s;
    char *cookie;

    (void)state;
    cookie = cc_fs_join(dir, ".cookie");
    /* No cookie: nothing is asked. */
    o.cookie_file = cookie;
    o.port = 1;
    c = cc_node_client_new(&o);
    assert_int_equal(cc_node_call(c, "x", NULL, NULL, &err), CC_IO);
    assert_non_null(strstr(err.text, ".cookie"));
    assert_non_null(strstr(err.text, "is the node running"));
    /* A cookie, and nobody at the port. */
    assert_int_equal(cc_fs_write(cookie, "__cookie__:ab\n", 14, 0600, &err),
                     CC_OK);
    assert_int_equal(cc_node_call(c, "x", NULL, NULL, &err), CC_IO);
    assert_non_null(strstr(err.text, "cannot be reached"));
    cc_node_client_free(c);
    /* The cookie is what is sent, without its line end. */
    start(&s, OK_HEAD "\r\n{\"result\": null, \"error\": null, \"id\": 1}");
    o.port = s.port;
    c = cc_node_client_new(&o);
    assert_int_equal(cc_node_call(c, "x", NULL, NULL, &err), CC_OK);
    stop(&s);
    assert_non_null(
        strstr(s.got, "Authorization: Basic X19jb29raWVfXzphYg==\r\n"));
    assert_non_null(strstr(s.got, "POST / HTTP/1.1\r\n"));
    cc_node_client_free(c);
    cc_node_client_free(NULL);
    cc_test_rmdir(dir);
    free(cookie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_no_node),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
