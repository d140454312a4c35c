/*
 * An extension's side of the talk: the test is the node, at the other ends of
 * two pipes.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/ext.h"
#include "support.h"
#include "util/fs.h"
#include "util/mem.h"

#define DEADLINE_MS 20000

struct talk {
    int to[2], from[2]; /* pipes: node to extension, and back */
    FILE *lines;
    struct cc_ext *x;
    pthread_t thread;
    enum cc_status status;
    struct cc_error err;
    bool init_fails;
    unsigned notified; /* read after the end */
};

static enum cc_status on_init(void *arg, const json_t *params,
                              struct cc_error *err)
{
    struct talk *t = arg;

    if (t->init_fails)
        return cc_fail(err, CC_INVALID, "not in this weather");
    assert_string_equal(cc_test_string(params, "chain"), "regtest");
    return CC_OK;
}

/* "ask": calls the node; others: echo or fail. */
static json_t *on_call(void *arg, const char *method, const json_t *params,
                       int *code, struct cc_error *err)
{
    struct talk *t = arg;
    json_t *result;

    if (!strcmp(method, "echo"))
        return json_incref((json_t *)(uintptr_t)params);
    if (!strcmp(method, "ask") &&
        cc_ext_call(t->x, "getblockcount", NULL, "purse", &result, code, err) ==
            CC_OK)
        return result;
    if (!strcmp(method, "fail")) {
        *code = -77;
        cc_fail(err, CC_INVALID, "as asked");
    }
    return NULL;
}

static void on_notify(void *arg, const char *method, const json_t *params)
{
    struct talk *t = arg;

    (void)params;
    t->notified += !strcmp(method, "blockconnected");
}

static void *run(void *arg)
{
    struct talk *t = arg;

    t->status = cc_ext_run(t->x, &t->err);
    return NULL;
}

static void start(struct talk *t, bool init_fails)
{
    static const struct cc_ext_method methods[] = {
        {"echo", "toys", "( x )", "Says it again."},
        {"ask", "toys", "", "Asks the node."},
        {"fail", "toys", "", "Fails."},
    };
    static const char *const subscriptions[] = {"blockconnected"};
    struct cc_ext_config c;

    memset(t, 0, sizeof(*t));
    t->init_fails = init_fails;
    assert_int_equal(pipe(t->to), 0);
    assert_int_equal(pipe(t->from), 0);
    t->lines = fdopen(t->from[0], "r");
    memset(&c, 0, sizeof(c));
    c.in = t->to[0];
    c.out = t->from[1];
    c.methods = methods;
    c.method_count = 3;
    c.subscriptions = subscriptions;
    c.subscription_count = 1;
    c.init = on_init;
    c.call = on_call;
    c.notify = on_notify;
    c.arg = t;
    t->x = cc_ext_new(&c);
    assert_int_equal(pthread_create(&t->thread, NULL, run, t), 0);
}

static void say(struct talk *t, const char *text)
{
    assert_int_equal(cc_fs_write_all(t->to[1], text, strlen(text), NULL),
                     CC_OK);
}

static json_t *hear(struct talk *t)
{
    struct pollfd p = {t->from[0], POLLIN, 0};
    char *line = NULL;
    size_t cap = 0;
    json_t *m;

    if (poll(&p, 1, DEADLINE_MS) != 1)
        fail_msg("no answer");
    assert_true(getline(&line, &cap, t->lines) > 0);
    m = json_loads(line, 0, NULL);
    assert_non_null(m);
    free(line);
    return m;
}

static void finish(struct talk *t, enum cc_status want)
{
    pthread_join(t->thread, NULL);
    if (t->status != want)
        fail_msg("ended with %s: %s", cc_status_name(t->status), t->err.text);
    cc_ext_free(t->x);
    fclose(t->lines);
    close(t->from[1]);
    close(t->to[0]);
    close(t->to[1]);
}

static int code_of(const json_t *m)
{
    return (int)cc_test_int(json_object_get(m, "error"), "code");
}

static void test_talk(void **state)
{
    struct talk t;
    json_t *m, *r;

    (void)state;
    start(&t, false);
    say(&t, "{\"id\":1,\"method\":\"getmanifest\",\"params\":[]}\n");
    m = hear(&t);
    r = json_object_get(m, "result");
    assert_int_equal(json_array_size(json_object_get(r, "methods")), 3);
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(r, "subscriptions"), 0)),
                        "blockconnected");
    assert_string_equal(cc_test_string(m, "jsonrpc"), "2.0");
    json_decref(m);
    /* Two lines at once, one in pieces, an empty one. */
    say(&t, "{\"id\":\"a\",\"method\":\"init\",\"params\":{\"chain\":"
            "\"regtest\"}}\n\n{\"id\":2,\"method\":\"ec");
    m = hear(&t);
    assert_string_equal(cc_test_string(m, "id"), "a");
    assert_non_null(json_object_get(m, "result"));
    json_decref(m);
    say(&t, "ho\",\"params\":[0.1,\"x\"]}\n");
    m = hear(&t);
    r = json_array_get(json_object_get(m, "result"), 0);
    assert_true(json_real_value(r) == 0.1);
    json_decref(m);
    say(&t, "{\"id\":3,\"method\":\"fail\"}\n");
    m = hear(&t);
    assert_int_equal(code_of(m), -77);
    assert_string_equal(cc_test_string(json_object_get(m, "error"), "message"),
                        "as asked");
    json_decref(m);
    say(&t, "{\"id\":4,\"method\":\"undeclared\"}\n");
    m = hear(&t);
    assert_int_equal(code_of(m), -32601);
    json_decref(m);
    say(&t, "{\"method\":\"blockconnected\",\"params\":{}}\n"
            "{\"method\":\"shutdown\"}\n{\"id\":9,\"method\":\"echo\"}\n");
    finish(&t, CC_OK);
    assert_int_equal(t.notified, 1);
}

/* The extension asks while it is asked; answers come in any order, some
 * nobody waits for. */
static void test_asks_back(void **state)
{
    struct talk t;
    char text[200];
    json_t *m;

    (void)state;
    start(&t, false);
    say(&t, "{\"id\":1,\"method\":\"ask\"}\n");
    m = hear(&t);
    assert_string_equal(cc_test_string(m, "method"), "getblockcount");
    assert_string_equal(cc_test_string(m, "wallet"), "purse");
    snprintf(text, sizeof(text),
             "{\"id\":999,\"result\":7}\n{\"id\":%d,\"result\":42}\n",
             (int)cc_test_int(m, "id"));
    json_decref(m);
    say(&t, text);
    m = hear(&t);
    assert_int_equal(cc_test_int(m, "result"), 42);
    json_decref(m);
    /* The node says no. */
    say(&t, "{\"id\":2,\"method\":\"ask\"}\n");
    m = hear(&t);
    snprintf(text, sizeof(text),
             "{\"id\":%d,\"error\":{\"code\":-5,\"message\":\"no\"}}\n",
             (int)cc_test_int(m, "id"));
    json_decref(m);
    say(&t, text);
    m = hear(&t);
    assert_int_equal(code_of(m), -5);
    json_decref(m);
    /* The node is gone while somebody waits for it. */
    say(&t, "{\"id\":3,\"method\":\"ask\"}\n");
    m = hear(&t);
    json_decref(m);
    close(t.to[1]);
    t.to[1] = dup(t.to[0]);
    finish(&t, CC_OK);
}

static void test_bad_lines(void **state)
{
    static const char *const bad[] = {"no json\n", "[1]\n", "{\"id\":\n",
                                      "\x01\n"};
    struct talk t;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        start(&t, false);
        say(&t, bad[i]);
        finish(&t, CC_MALFORMED);
    }
}

static void *flood(void *arg)
{
    struct talk *t = arg;
    char *much = cc_malloc(1 << 20);

    memset(much, ' ', 1 << 20);
    for (unsigned i = 0; i < 70; i++)
        if (cc_fs_write_all(t->to[1], much, 1 << 20, NULL) != CC_OK)
            break;
    free(much);
    return NULL;
}

static void test_endless_line(void **state)
{
    pthread_t thread;
    struct talk t;

    (void)state;
    start(&t, false);
    assert_int_equal(pthread_create(&thread, NULL, flood, &t), 0);
    pthread_join(t.thread, NULL);
    assert_int_equal(t.status, CC_LIMIT);
    close(t.to[0]); /* ends the flood */
    pthread_join(thread, NULL);
    close(t.to[1]);
    cc_ext_free(t.x);
    fclose(t.lines);
    close(t.from[1]);
}

static void test_failed_init(void **state)
{
    struct talk t;
    json_t *m;

    (void)state;
    start(&t, true);
    say(&t, "{\"id\":1,\"method\":\"init\",\"params\":{}}\n");
    m = hear(&t);
    assert_string_equal(cc_test_string(json_object_get(m, "error"), "message"),
                        "not in this weather");
    json_decref(m);
    finish(&t, CC_INVALID); /* though the node still holds the pipe */
    assert_string_equal(t.err.text, "not in this weather");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talk),        cmocka_unit_test(test_asks_back),
        cmocka_unit_test(test_bad_lines),   cmocka_unit_test(test_endless_line),
        cmocka_unit_test(test_failed_init),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
