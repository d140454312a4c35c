/* Calling methods: arguments by place and name, their types, help, warmup. */
#include "support.h"

#include <stdlib.h>

#include "rpc/internal.h"
#include "rpc/rest.h"
#include "rpc/rpc.h"
#include "rpc/server.h"

static json_t *give_back(struct cc_rpc_call *call)
{
    return json_incref(call->params);
}

static json_t *fail_late(struct cc_rpc_call *call)
{
    cc_rpc_error(call, -99, "changed its mind");
    return json_integer(1);
}

static json_t *forget(struct cc_rpc_call *call)
{
    (void)call;
    return NULL;
}

static json_t *say_wallet(struct cc_rpc_call *call)
{
    return json_string(call->wallet ? call->wallet : "none");
}

static const struct cc_rpc_arg inner[] = {
    CC_ARG("speed", CC_RPC_NUM, "", "How fast"),
    CC_ARG("colour|color", CC_RPC_STR, "", "Which"),
};
static const struct cc_rpc_arg args[] = {
    CC_ARG("name", CC_RPC_STR, NULL, "A name"),
    CC_ARG("count|n", CC_RPC_NUM, "1", "How many"),
    CC_ARG("flag", CC_RPC_BOOL, "false", "Whether"),
    {.name = "options",
     .type = CC_RPC_OBJ,
     .fallback = "",
     .help = "More",
     .inner = inner,
     .inner_count = 2},
};
static const struct cc_rpc_method methods[] = {
    {"toys", "give", give_back, CC_RPC_ARGS(args), "Gives its arguments back.",
     "[...]    them", "\"a b\" 2", 0},
    {"toys", "late", fail_late, CC_RPC_NO_ARGS, "Fails.", "n", "", 0},
    {"toys", "forget", forget, CC_RPC_NO_ARGS, "Fails.", "n", "", 0},
    {"cars", "wallet", say_wallet, CC_RPC_NO_ARGS, "Says it.", "\"s\"", "", 0},
    {"hidden", "secret", give_back, CC_RPC_NO_ARGS, "Is not shown.", "[]", NULL,
     CC_RPC_HIDDEN},
    {"storage", "store", give_back, CC_RPC_NO_ARGS, "Is there with storage.",
     "[]", "", CC_RPC_STORAGE_ONLY},
};

static struct cc_rpc *table(bool storage)
{
    struct cc_rpc *rpc = cc_rpc_new();

    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
    cc_rpc_set_warmup(rpc, NULL);
    return rpc;
}

/* Calls with params as JSON text; want: the result as text, or the code. */
static void assert_call(const char *method, const char *params,
                        const char *want, int code)
{
    struct cc_rpc *rpc = table(true);
    json_t *p = cc_json_parse(params, strlen(params));
    struct cc_rpc_reply reply;
    char *out;

    cc_rpc_execute(rpc, method, p, NULL, &reply);
    json_decref(p);
    if (reply.result) {
        out = cc_json_dump(reply.result, 0);
        if (code || strcmp(out, want) != 0)
            fail_msg("%s %s: %s", method, params, out);
        free(out);
    } else if (reply.code != code || !strstr(reply.message, want)) {
        fail_msg("%s %s: %d %s", method, params, reply.code, reply.message);
    }
    cc_rpc_reply_clear(&reply);
    cc_rpc_free(rpc);
}

static void test_by_place(void **state)
{
    (void)state;
    assert_call("give", "[\"a\"]", "[\"a\"]", 0);
    assert_call("give", "[\"a\",2,true,{}]", "[\"a\",2,true,{}]", 0);
    assert_call("give", "[\"a\",null,null]", "[\"a\",null,null]", 0);
    assert_call("give", "[]", "give \"name\" ( count flag options )", -1);
    assert_call("give", "[\"a\",1,true,{},5]", "Gives its arguments", -1);
    assert_call("none", "[]", "Method not found", -32601);
    assert_call("late", "[]", "changed its mind", -99);
    assert_call("forget", "[]", "no answer", -32603);
}

static void test_types(void **state)
{
    (void)state;
    assert_call("give", "[1]",
                "Wrong type passed:\n{\n    \"Position 1 (name)\": \"JSON "
                "value of type number is not of expected type string\"\n}",
                -3);
    assert_call("give", "[null]", "of type null is not of expected", -3);
    assert_call("give", "[1,\"x\",3,[]]",
                "\"Position 2 (count|n)\": \"JSON value of type string", -3);
    assert_call("give", "[1,\"x\",3,[]]", "\"Position 4 (options)\"", -3);
    assert_call("give", "[\"a\",0.5]", "[\"a\",0.5]", 0);
}

static void test_by_name(void **state)
{
    (void)state;
    assert_call("give", "{\"name\":\"a\"}", "[\"a\"]", 0);
    assert_call("give", "{\"flag\":true,\"name\":\"a\"}", "[\"a\",null,true]",
                0);
    assert_call("give", "{\"n\":3,\"name\":\"a\"}", "[\"a\",3]", 0);
    assert_call("give", "{\"flag\":true}", "of type null", -3);
    assert_call("give", "{}", "Gives its arguments", -1);
    assert_call("give", "{\"name\":\"a\",\"x\":1}", "Unknown named parameter x",
                -8);
    assert_call("give", "{\"name\":\"a\",\"n\":1,\"count\":2}",
                "Unknown named parameter n", -8);
}

static void test_by_both(void **state)
{
    (void)state;
    assert_call("give", "{\"args\":[\"a\",2]}", "[\"a\",2]", 0);
    assert_call("give", "{\"args\":[\"a\"],\"flag\":true}", "[\"a\",null,true]",
                0);
    assert_call("give", "{\"args\":[\"a\",2],\"flag\":true}", "[\"a\",2,true]",
                0);
    assert_call("give", "{\"args\":[\"a\"],\"name\":\"b\"}",
                "Parameter name specified twice both as positional and named "
                "argument",
                -8);
    assert_call("give", "{\"args\":5,\"name\":\"b\"}",
                "Unknown named parameter args", -8);
}

static void test_options(void **state)
{
    (void)state;
    assert_call("give", "{\"name\":\"a\",\"speed\":5,\"color\":\"red\"}",
                "[\"a\",null,null,{\"speed\":5,\"color\":\"red\"}]", 0);
    assert_call("give", "{\"name\":\"a\",\"speed\":5,\"options\":{}}",
                "Parameter options conflicts with parameter speed", -8);
}

static void test_warmup(void **state)
{
    struct cc_rpc *rpc = table(false);
    struct cc_rpc_reply reply;

    (void)state;
    cc_rpc_set_warmup(rpc, "Waking up");
    assert_true(cc_rpc_in_warmup(rpc));
    cc_rpc_execute(rpc, "secret", NULL, NULL, &reply);
    assert_null(reply.result);
    assert_int_equal(reply.code, CC_RPC_IN_WARMUP);
    assert_string_equal(reply.message, "Waking up");
    cc_rpc_reply_clear(&reply);
    cc_rpc_set_warmup(rpc, NULL);
    cc_rpc_execute(rpc, "store", NULL, NULL, &reply);
    assert_int_equal(reply.code, CC_RPC_METHOD_NOT_FOUND);
    cc_rpc_reply_clear(&reply);
    cc_rpc_execute(rpc, "wallet", NULL, "w", &reply);
    assert_string_equal(json_string_value(reply.result), "w");
    cc_rpc_reply_clear(&reply);
    cc_rpc_free(rpc);
}

static void test_help(void **state)
{
    struct cc_rpc *rpc = table(true);
    char *text = cc_rpc_help(rpc, NULL);

    (void)state;
    assert_string_equal(
        text, "== Cars ==\nwallet\n\n== Storage ==\nstore\n\n== Toys ==\n"
              "forget\ngive \"name\" ( count flag options )\nlate");
    free(text);
    text = cc_rpc_help(rpc, "give");
    assert_string_equal(
        text,
        "give \"name\" ( count flag options )\n\n"
        "Gives its arguments back.\n\n"
        "Arguments:\n"
        "1. name       (string, required) A name\n"
        "2. count      (numeric, optional, default=1) How many\n"
        "3. flag       (boolean, optional, default=false) Whether\n"
        "4. options    (json object, optional) More\n"
        "     speed     (numeric, optional) How fast\n"
        "     colour    (string, optional) Which\n\n"
        "Result:\n[...]    them\n\n"
        "Examples:\n> cloudcoin-cli give \"a b\" 2\n"
        "> curl --user myuser --data-binary '{\"jsonrpc\": \"1.0\", \"id\": "
        "\"curltest\", \"method\": \"give\", \"params\": [\"a b\", 2]}' -H "
        "'content-type: text/plain;' http://127.0.0.1:7732/\n");
    free(text);
    assert_null(cc_rpc_help(rpc, "none"));
    cc_rpc_free(rpc);
}

static json_t *far_away(void *arg, struct cc_rpc_call *call, const char *name)
{
    json_t *o = json_object();

    cc_json_set_int(o, name, *(const int *)arg);
    json_object_set(o, "params", call->params);
    return o;
}

static void test_foreign(void **state)
{
    struct cc_rpc *rpc = table(true);
    struct cc_rpc_reply reply;
    struct cc_error err;
    int answer = 42;
    json_t *p = cc_json_parse("{\"any\":1}", 9);
    char *text;

    (void)state;
    assert_int_equal(cc_rpc_register_foreign(rpc, "far", "distant", "( x )",
                                             "Goes far.", far_away, &answer,
                                             &err),
                     CC_OK);
    assert_int_equal(cc_rpc_register_foreign(rpc, "far", "distant", "", "",
                                             far_away, &answer, &err),
                     CC_INVALID);
    assert_int_equal(cc_rpc_register_foreign(rpc, "give", "distant", "", "",
                                             far_away, &answer, &err),
                     CC_INVALID);
    assert_int_equal(cc_rpc_register_foreign(rpc, "a b", "distant", "", "",
                                             far_away, &answer, &err),
                     CC_INVALID);
    assert_int_equal(cc_rpc_register_foreign(rpc, "", "distant", "", "",
                                             far_away, &answer, &err),
                     CC_INVALID);
    cc_rpc_execute(rpc, "far", p, NULL, &reply);
    text = cc_json_dump(reply.result, 0);
    assert_string_equal(text, "{\"far\":42,\"params\":{\"any\":1}}");
    free(text);
    cc_rpc_reply_clear(&reply);
    text = cc_rpc_help(rpc, "far");
    assert_string_equal(text, "far ( x )\n\nGoes far.\n");
    free(text);
    json_decref(p);
    cc_rpc_free(rpc);
}

/* Every real method: help is there, for each of its arguments too. */
static void check_method(void *arg, const struct cc_rpc_method *m)
{
    (*(size_t *)arg)++;
    if (!m->handler || !m->help || strlen(m->help) < 8 ||
        (!m->result && strcmp(m->name, "generate") != 0))
        fail_msg("%s lacks something", m->name);
    for (size_t i = 0; i < m->arg_count; i++) {
        if (!m->args[i].name || !m->args[i].help)
            fail_msg("%s: argument %zu lacks something", m->name, i);
    }
}

static void test_all_methods(void **state)
{
    struct cc_rpc *rpc = cc_rpc_new();
    size_t count = 0;

    (void)state;
    cc_rpc_register_all(rpc, true, true);
    cc_rpc_each(rpc, check_method, &count);
    cc_rpc_free(rpc);
    cc_test_ran("methods", count);
    assert_true(count > 100);
}

/* Request objects without HTTP. */
static void assert_answer(const char *request, const char *want, int status)
{
    struct cc_rpc *rpc = table(true);
    json_t *r = cc_json_parse(request, strlen(request)), *a;
    char *text = NULL;
    int got = 0;

    a = cc_server_answer(rpc, r, NULL, &got);
    if (a)
        text = cc_json_dump(a, 0);
    if (got != status || strcmp(text ? text : "", want) != 0)
        fail_msg("%s: %d %s", request, got, text ? text : "");
    free(text);
    json_decref(a);
    json_decref(r);
    cc_rpc_free(rpc);
}

static void test_requests(void **state)
{
    (void)state;
    assert_answer("{\"method\":\"wallet\",\"id\":7}",
                  "{\"result\":\"none\",\"error\":null,\"id\":7}", 200);
    assert_answer("{\"method\":\"none\",\"id\":[]}",
                  "{\"result\":null,\"error\":{\"code\":-32601,\"message\":"
                  "\"Method not found\"},\"id\":[]}",
                  404);
    assert_answer("{\"method\":\"wallet\",\"jsonrpc\":\"2.0\",\"id\":7}",
                  "{\"jsonrpc\":\"2.0\",\"result\":\"none\",\"id\":7}", 200);
    assert_answer("{\"method\":\"wallet\",\"jsonrpc\":\"2.0\"}", "", 204);
    assert_answer("[]", "[]", 200);
    assert_answer("nonsense",
                  "{\"result\":null,\"error\":{\"code\":-32700,\"message\":"
                  "\"Parse error\"},\"id\":null}",
                  500);
    assert_answer("7",
                  "{\"result\":null,\"error\":{\"code\":-32700,\"message\":"
                  "\"Top-level object parse error\"},\"id\":null}",
                  500);
}

static void test_rest_while_starting(void **state)
{
    const struct cc_http_request req = {.path = "/rest/chaininfo.json"};
    const char *want = "Service temporarily unavailable: Loading\r\n";
    struct cc_http_reply reply = {.status = 200};
    struct cc_rpc *rpc = table(true);

    (void)state;
    cc_rpc_set_warmup(rpc, "Loading");
    cc_rest_handle(rpc, &req, &reply);
    assert_int_equal(reply.status, 503);
    assert_int_equal(reply.body_len, strlen(want));
    assert_memory_equal(reply.body, want, strlen(want));
    free(reply.body);
    cc_rpc_free(rpc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_place),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_by_both),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_warmup),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_all_methods),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_rest_while_starting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
