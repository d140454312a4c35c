#include "rpc/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/auth.h"
#include "rpc/rest.h"
#include "rpc/whitelist.h"
#include "util/log.h"
#include "util/mem.h"

#define WRONG_PASSWORD_MS 250 /* slows guessing down */
#define MAX_WALLET_NAME 1024
#define MAX_USER 256

struct cc_server {
    struct cc_rpc *rpc;
    struct cc_auth *auth;
    struct cc_whitelist *whitelist;
    struct cc_http *http;
    struct cc_log *log;
    bool wallet_paths, rest;
};

/* --- Request objects --------------------------------------------------- */

static json_t *error_object(int code, const char *message, json_t *data)
{
    json_t *e = json_object();

    json_object_set_new(e, "code", json_integer(code));
    json_object_set_new(e, "message", json_string(message));
    if (!json_object_get(e, "message")) /* not UTF-8 */
        json_object_set_new(e, "message", json_string("error"));
    if (data)
        json_object_set(e, "data", data);
    return e;
}

/* result and error are taken; one of them is NULL. */
static json_t *reply_object(bool v2, json_t *result, json_t *error,
                            const json_t *id)
{
    json_t *o = json_object();

    if (v2) {
        json_object_set_new(o, "jsonrpc", json_string("2.0"));
        if (error)
            json_object_set_new(o, "error", error);
        else
            json_object_set_new(o, "result", result);
    } else {
        json_object_set_new(o, "result", error ? json_null() : result);
        json_object_set_new(o, "error", error ? error : json_null());
    }
    if (id)
        json_object_set(o, "id", (json_t *)id);
    else
        json_object_set_new(o, "id", json_null());
    return o;
}

static int http_status(bool v2, int code)
{
    if (code == 0 || v2)
        return 200;
    if (code == CC_RPC_INVALID_REQUEST)
        return 400;
    if (code == CC_RPC_METHOD_NOT_FOUND)
        return 404;
    return 500;
}

/* What is wrong with a request as an object; NULL: nothing. */
static const char *bad_request(const json_t *request, int *code)
{
    const json_t *method = json_object_get(request, "method");
    const json_t *params = json_object_get(request, "params");
    const json_t *version = json_object_get(request, "jsonrpc");

    *code = CC_RPC_INVALID_REQUEST;
    if (!json_is_object(request))
        return "Invalid Request object";
    if (version && !json_is_null(version)) {
        if (!cc_json_is_string(version))
            return "jsonrpc field must be a string";
        if (strcmp(json_string_value(version), "1.0") != 0 &&
            strcmp(json_string_value(version), "1.1") != 0 &&
            strcmp(json_string_value(version), "2.0") != 0)
            return "JSON-RPC version not supported";
    }
    if (!method || json_is_null(method))
        return "Missing method";
    if (!cc_json_is_string(method))
        return "Method must be a string";
    if (params && !json_is_array(params) && !json_is_object(params) &&
        !json_is_null(params))
        return "Params must be an array or object";
    *code = 0;
    return NULL;
}

static bool is_v2(const json_t *request)
{
    const json_t *v = json_object_get(request, "jsonrpc");

    return cc_json_is_string(v) && !strcmp(json_string_value(v), "2.0");
}

/* One request; NULL if it wants no answer. */
static json_t *answer_one(struct cc_rpc *rpc, const json_t *request,
                          const char *wallet, int *status)
{
    const json_t *id = json_object_get(request, "id");
    json_t *params = json_object_get(request, "params");
    bool v2 = is_v2(request);
    struct cc_rpc_reply reply;
    const char *wrong;
    json_t *out;
    int code;

    wrong = bad_request(request, &code);
    if (wrong) {
        *status = http_status(v2, code);
        return reply_object(v2, NULL, error_object(code, wrong, NULL), id);
    }
    cc_rpc_execute(rpc, json_string_value(json_object_get(request, "method")),
                   json_is_null(params) ? NULL : params, wallet, &reply);
    *status = http_status(v2, reply.result ? 0 : reply.code);
    if (v2 && !id) {
        out = NULL;
        *status = 204;
    } else if (reply.result) {
        out = reply_object(v2, json_incref(reply.result), NULL, id);
    } else {
        out = reply_object(
            v2, NULL, error_object(reply.code, reply.message, reply.data), id);
    }
    cc_rpc_reply_clear(&reply);
    return out;
}

static json_t *answer_batch(struct cc_rpc *rpc, const json_t *batch,
                            const char *wallet, int *status)
{
    json_t *out = json_array(), *one;
    size_t n = json_array_size(batch);
    bool all_silent = n > 0;
    int ignored;

    for (size_t i = 0; i < n; i++) {
        one = answer_one(rpc, json_array_get(batch, i), wallet, &ignored);
        if (one) {
            json_array_append_new(out, one);
            all_silent = false;
        }
    }
    *status = 200;
    if (all_silent) {
        *status = 204;
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *cc_server_answer(struct cc_rpc *rpc, const json_t *request,
                         const char *wallet, int *status)
{
    const char *wrong = NULL;

    if (json_is_object(request))
        return answer_one(rpc, request, wallet, status);
    if (json_is_array(request))
        return answer_batch(rpc, request, wallet, status);
    wrong = request ? "Top-level object parse error" : "Parse error";
    *status = 500;
    return reply_object(false, NULL,
                        error_object(CC_RPC_PARSE_ERROR, wrong, NULL), NULL);
}

/* --- HTTP -------------------------------------------------------------- */

static void reply_text(struct cc_http_reply *reply, int status,
                       const char *text)
{
    reply->status = status;
    reply->body = cc_strdup(text);
    reply->body_len = strlen(text);
}

static void reply_json(struct cc_http_reply *reply, int status, json_t *value)
{
    char *text;

    reply->status = status;
    if (!value)
        return;
    reply->content_type = "application/json";
    text = cc_json_dump(value, 0);
    reply->body_len = strlen(text);
    reply->body = cc_reallocarray(text, reply->body_len + 2, 1);
    reply->body[reply->body_len++] = '\n';
    json_decref(value);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent decoding (RFC 3986 2.1) into fresh memory. */
static char *uri_decode(const char *s)
{
    char *out = cc_malloc(strlen(s) + 1), *p = out;

    for (; *s; s++) {
        int hi = *s == '%' ? hex_digit(s[1]) : -1;
        int lo = hi < 0 ? -1 : hex_digit(s[2]);

        if (lo >= 0 && hi + lo > 0) {
            *p++ = (char)(hi << 4 | lo);
            s += 2;
        } else {
            *p++ = *s;
        }
    }
    *p = '\0';
    return out;
}

static bool authorized(struct cc_server *s, const struct cc_http_request *req,
                       char user[MAX_USER], struct cc_http_reply *reply)
{
    if (!req->authorization) {
        reply->ask_password = true;
        reply->status = 401;
        return false;
    }
    if (cc_auth_check(s->auth, req->authorization, user, MAX_USER))
        return true;
    cc_log(s->log, "ThreadRPCServer incorrect password attempt from %s",
           req->peer);
    reply->delay_ms = WRONG_PASSWORD_MS;
    reply->ask_password = true;
    reply->status = 401;
    return false;
}

/* Only names that could be methods: the caller must not write our log. */
static const char *method_name(const json_t *request)
{
    const json_t *method = json_object_get(request, "method");
    const char *name =
        cc_json_is_string(method) ? json_string_value(method) : "";

    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] ? "?"
                                                                       : name;
}

static void log_method(struct cc_server *s, const json_t *request)
{
    if (json_is_object(request))
        cc_debug(s->log, CC_LOG_RPC, "ThreadRPCServer method=%.64s",
                 method_name(request));
}

static bool one_allowed(struct cc_server *s, const char *user,
                        const json_t *request)
{
    const char *name = method_name(request);

    if (cc_whitelist_allows(s->whitelist, user, name))
        return true;
    cc_log(s->log, "RPC User %s not allowed to call method %.64s", user, name);
    return false;
}

/* May this user call that, or all that a batch asks for? */
static bool allowed(struct cc_server *s, const char *user,
                    const json_t *request)
{
    if (!cc_whitelist_allows(s->whitelist, user, NULL)) {
        cc_log(s->log, "RPC User %s not allowed to call any methods", user);
        return false;
    }
    if (json_is_object(request))
        return one_allowed(s, user, request);
    for (size_t i = 0; i < json_array_size(request); i++)
        if (json_is_object(json_array_get(request, i)) &&
            !one_allowed(s, user, json_array_get(request, i)))
            return false;
    return true;
}

static void handle(void *arg, const struct cc_http_request *req,
                   struct cc_http_reply *reply)
{
    struct cc_server *s = arg;
    bool wallet_path = !strncmp(req->path, "/wallet/", 8) && s->wallet_paths;
    char *wallet = NULL, user[MAX_USER] = "";
    json_t *request;
    int status;

    if (s->rest &&
        !strncmp(req->path, CC_REST_PREFIX, strlen(CC_REST_PREFIX))) {
        cc_rest_handle(s->rpc, req, reply);
        return;
    }
    if (strcmp(req->path, "/") != 0 && !wallet_path) {
        reply->status = 404;
        return;
    }
    if (req->verb != CC_HTTP_POST) {
        reply_text(reply, 405, "JSONRPC server handles only POST requests");
        return;
    }
    if (!authorized(s, req, user, reply))
        return;
    if (wallet_path) {
        wallet = uri_decode(req->path + 8);
        if (strlen(wallet) > MAX_WALLET_NAME) {
            free(wallet);
            reply->status = 404;
            return;
        }
    }
    request = cc_json_parse(req->body, req->body_len);
    log_method(s, request);
    if (allowed(s, user, request))
        reply_json(reply, 200,
                   cc_server_answer(s->rpc, request, wallet, &status));
    else
        status = 403;
    reply->status = status;
    json_decref(request);
    free(wallet);
}

enum cc_status cc_server_start(struct cc_server **out,
                               const struct cc_server_config *config,
                               struct cc_error *err)
{
    struct cc_server *s = cc_calloc(1, sizeof(*s));
    struct cc_http_config http = {.bind = config->bind,
                                  .bind_count = config->bind_count,
                                  .bind_optional = config->bind_optional,
                                  .allow = config->allow,
                                  .allow_count = config->allow_count,
                                  .threads = config->threads,
                                  .queue = config->queue,
                                  .timeout_s = config->timeout_s,
                                  .handler = handle,
                                  .handler_arg = s,
                                  .log = config->log};
    enum cc_status st;

    s->rpc = config->rpc;
    s->log = config->log;
    s->wallet_paths = config->wallet_paths;
    s->rest = config->rest;
    s->whitelist = cc_whitelist_new(config->whitelist, config->whitelist_count,
                                    config->whitelist_default);
    st = cc_auth_new(&s->auth, config->user, config->password, config->auth,
                     config->auth_count, config->cookie_path, err);
    if (st == CC_OK)
        st = cc_http_start(&s->http, &http, err);
    if (st != CC_OK) {
        cc_server_free(s);
        return st;
    }
    *out = s;
    return CC_OK;
}

uint16_t cc_server_port(const struct cc_server *s)
{
    return cc_http_port(s->http);
}

void cc_server_interrupt(struct cc_server *s)
{
    if (s)
        cc_http_interrupt(s->http);
}

void cc_server_free(struct cc_server *s)
{
    if (!s)
        return;
    cc_http_free(s->http);
    cc_auth_free(s->auth);
    cc_whitelist_free(s->whitelist);
    free(s);
}
