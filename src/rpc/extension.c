#include "rpc/extension.h"

#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/process.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"

#define WORKERS 4
#define MAX_REQUESTS 256 /* of an extension, waiting for its workers */
#define MAX_METHODS 256
#define EXTENSION_ERROR (-32000) /* JSON-RPC 2.0 5.1: of the server's own */

/* A call we sent and wait for. Lives on the waiting thread's stack. */
struct pending {
    struct pending *next;
    int64_t id;
    json_t *answer; /* the whole response; NULL: none came */
    bool done;
};

struct request {
    struct request *next;
    json_t *object;
};

struct extension {
    struct extension *next;
    struct cc_extensions *all;
    char *name; /* last part of the program's path: for messages */
    struct cc_process *process;
    pthread_t workers[WORKERS];
    unsigned worker_count;
    struct cc_log_limit limit;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t answered, more;
    struct pending *pending;
    int64_t last_id;
    struct request *head, **tail;
    size_t waiting;
    json_t *subscriptions; /* array of names */
    bool ended, stopping;
    char *how; /* it ended */
};

struct cc_extensions {
    struct cc_extensions_config config;
    pthread_mutex_t lock; /* the list; entries are never removed */
    struct extension *list;
    bool stopped;
};

/* --- Messages ---------------------------------------------------------- */

static void send_json(struct extension *x, json_t *object)
{
    cc_process_send(x->process, cc_json_dump(object, 0));
    json_decref(object);
}

static json_t *message(const char *method, json_t *params)
{
    json_t *o = json_object();

    cc_json_set_str(o, "jsonrpc", "2.0");
    cc_json_set_str(o, "method", method);
    if (params)
        cc_json_set(o, "params", params);
    return o;
}

/* Send a request and wait for its response, which is the caller's; NULL: none
 * came in time, or the extension is gone (then *how, for free, says how). */
static json_t *ask(struct extension *x, json_t *request, unsigned timeout_s,
                   char **how)
{
    int64_t until = cc_clock_monotonic_ms() + (int64_t)timeout_s * 1000;
    struct timespec ts = {(time_t)(until / 1000), 0};
    struct pending p = {0}, **at;
    int timed_out = 0;

    *how = NULL;
    pthread_mutex_lock(&x->lock);
    p.id = ++x->last_id;
    p.next = x->pending;
    x->pending = &p;
    cc_json_set_int(request, "id", p.id);
    pthread_mutex_unlock(&x->lock);
    send_json(x, request);

    pthread_mutex_lock(&x->lock);
    while (!p.done && !x->ended && !timed_out)
        timed_out = pthread_cond_timedwait(&x->answered, &x->lock, &ts);
    for (at = &x->pending; *at != &p;)
        at = &(*at)->next;
    *at = p.next;
    if (x->ended && !p.done)
        *how = cc_strdup(x->how);
    pthread_mutex_unlock(&x->lock);
    return p.answer;
}

/* --- What it says ------------------------------------------------------ */

/* Takes object: a value belongs to one thread at a time, since the library's
 * counters are not made for more. */
static void take_response(struct extension *x, json_t *object)
{
    int64_t id = -1;

    cc_json_get_int(json_object_get(object, "id"), &id);
    pthread_mutex_lock(&x->lock);
    for (struct pending *p = x->pending; p; p = p->next) {
        if (p->id != id || p->done)
            continue;
        p->answer = object;
        p->done = true;
        object = NULL;
        pthread_cond_broadcast(&x->answered);
        break;
    }
    pthread_mutex_unlock(&x->lock);
    json_decref(object);
}

static json_t *error_response(const json_t *id, int code, const char *text)
{
    json_t *o = json_object(), *e = json_object();

    cc_json_set_str(o, "jsonrpc", "2.0");
    cc_json_set_int(e, "code", code);
    cc_json_set_str(e, "message", text);
    cc_json_set(o, "error", e);
    json_object_set(o, "id", id ? (json_t *)id : json_null());
    return o;
}

/* Takes object. */
static void take_request(struct extension *x, json_t *object)
{
    struct request *r;
    bool full;

    pthread_mutex_lock(&x->lock);
    full = x->waiting >= MAX_REQUESTS;
    if (!full) {
        r = cc_calloc(1, sizeof(*r));
        r->object = object;
        *x->tail = r;
        x->tail = &r->next;
        x->waiting++;
        object = NULL;
        pthread_cond_signal(&x->more);
    }
    pthread_mutex_unlock(&x->lock);
    if (full && json_object_get(object, "id"))
        send_json(x,
                  error_response(json_object_get(object, "id"), EXTENSION_ERROR,
                                 "too many requests at once"));
    json_decref(object);
}

static void on_line(void *arg, char *line, size_t len)
{
    struct extension *x = arg;
    json_t *object = cc_json_parse(line, len);

    if (!json_is_object(object)) {
        cc_log_limited(x->all->config.log, &x->limit, CC_LOG_ALWAYS,
                       "extension %s: a line that is no JSON object, %zu "
                       "bytes",
                       x->name, len);
        json_decref(object);
    } else if (json_object_get(object, "method")) {
        take_request(x, object);
    } else {
        take_response(x, object);
    }
}

static void on_error_line(void *arg, const char *text)
{
    struct extension *x = arg;
    char clean[1024];
    size_t n = 0;

    for (; text[n] && n + 1 < sizeof(clean); n++)
        clean[n] = (unsigned char)text[n] < 0x20 ? ' ' : text[n];
    clean[n] = '\0';
    cc_log_limited(x->all->config.log, &x->limit, CC_LOG_ALWAYS,
                   "extension %s: %s", x->name, clean);
}

static void on_ended(void *arg, const char *how)
{
    struct extension *x = arg;
    bool expected;

    pthread_mutex_lock(&x->lock);
    x->ended = true;
    x->how = cc_strdup(how);
    expected = x->stopping;
    pthread_cond_broadcast(&x->answered);
    pthread_cond_broadcast(&x->more);
    pthread_mutex_unlock(&x->lock);
    cc_log(x->all->config.log, "%sextension %s %s%s",
           expected ? "" : "Warning: ", x->name, how,
           expected ? "" : "; its methods answer errors from now on");
}

/* --- Its requests ------------------------------------------------------ */

static void serve(struct extension *x, const json_t *object)
{
    const json_t *id = json_object_get(object, "id");
    const json_t *method = json_object_get(object, "method");
    const json_t *wallet = json_object_get(object, "wallet");
    json_t *params = json_object_get(object, "params"), *o;
    struct cc_rpc_reply reply;

    if (!cc_json_is_string(method) ||
        (params && !json_is_array(params) && !json_is_object(params))) {
        send_json(x, error_response(id, CC_RPC_INVALID_REQUEST,
                                    "Invalid Request object"));
        return;
    }
    cc_rpc_execute(x->all->config.rpc, json_string_value(method), params,
                   cc_json_is_string(wallet) ? json_string_value(wallet) : NULL,
                   &reply);
    if (id) {
        if (reply.result) {
            o = json_object();
            cc_json_set_str(o, "jsonrpc", "2.0");
            json_object_set(o, "result", reply.result);
            json_object_set(o, "id", (json_t *)id);
        } else {
            o = error_response(id, reply.code, reply.message);
        }
        send_json(x, o);
    }
    cc_rpc_reply_clear(&reply);
}

static void *run_worker(void *arg)
{
    struct extension *x = arg;
    struct request *r;

    cc_log_name_thread("extension");
    pthread_mutex_lock(&x->lock);
    for (;;) {
        while (!x->head && !x->ended)
            pthread_cond_wait(&x->more, &x->lock);
        if (x->ended)
            break;
        r = x->head;
        x->head = r->next;
        if (!x->head)
            x->tail = &x->head;
        x->waiting--;
        pthread_mutex_unlock(&x->lock);
        serve(x, r->object);
        json_decref(r->object);
        free(r);
        pthread_mutex_lock(&x->lock);
    }
    pthread_mutex_unlock(&x->lock);
    return NULL;
}

/* --- Its methods ------------------------------------------------------- */

/* An error object of the extension as the call's error. */
static json_t *relay_error(struct cc_rpc_call *call, const struct extension *x,
                           const json_t *error)
{
    const json_t *text = json_object_get(error, "message");
    json_t *data = json_object_get(error, "data");
    int64_t code = EXTENSION_ERROR;

    cc_json_get_int(json_object_get(error, "code"), &code);
    if (code < INT32_MIN || code > INT32_MAX || code == 0)
        code = EXTENSION_ERROR;
    if (data)
        call->data = json_incref(data);
    if (!cc_json_is_string(text))
        return cc_rpc_error(call, (int)code, "extension %s gave no reason",
                            x->name);
    return cc_rpc_error(call, (int)code, "%s", json_string_value(text));
}

static json_t *forward(void *arg, struct cc_rpc_call *call, const char *name)
{
    struct extension *x = arg;
    json_t *request = message(name, json_incref(call->params)), *answer;
    json_t *result, *error;
    char *how;

    if (call->wallet)
        cc_json_set_str(request, "wallet", call->wallet);
    answer = ask(x, request, x->all->config.call_s, &how);
    if (how) {
        cc_rpc_error(call, CC_RPC_MISC_ERROR,
                     "extension %s is not running: it %s", x->name, how);
        free(how);
        return NULL;
    }
    if (!answer)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "extension %s did not answer within %u seconds",
                            x->name, x->all->config.call_s);
    error = json_object_get(answer, "error");
    result = json_object_get(answer, "result");
    if (error && !json_is_null(error))
        result = relay_error(call, x, error);
    else if (result)
        json_incref(result);
    else
        cc_rpc_error(call, CC_RPC_INTERNAL_ERROR,
                     "extension %s answered neither result nor error", x->name);
    json_decref(answer);
    return result;
}

static const char *member(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return cc_json_is_string(v) ? json_string_value(v) : "";
}

static enum cc_status take_manifest(struct extension *x, const json_t *m,
                                    struct cc_error *err)
{
    const json_t *methods = json_object_get(m, "methods");
    json_t *events = json_object_get(m, "subscriptions");
    enum cc_status st = CC_OK;

    if (json_array_size(methods) > MAX_METHODS)
        return cc_fail(err, CC_INVALID, "it declares too many methods");
    for (size_t i = 0; st == CC_OK && i < json_array_size(methods); i++) {
        const json_t *o = json_array_get(methods, i);

        st = cc_rpc_register_foreign(x->all->config.rpc, member(o, "name"),
                                     member(o, "category"), member(o, "usage"),
                                     member(o, "description"), forward, x, err);
    }
    if (st != CC_OK)
        return st;
    pthread_mutex_lock(&x->lock);
    x->subscriptions =
        json_is_array(events) ? json_incref(events) : json_array();
    pthread_mutex_unlock(&x->lock);
    return CC_OK;
}

/* A request of the opening; *result is the caller's. */
static enum cc_status must_answer(struct extension *x, json_t *request,
                                  const char *what, json_t **result,
                                  struct cc_error *err)
{
    char *how;
    json_t *answer = ask(x, request, x->all->config.start_s, &how), *error;
    enum cc_status st = CC_OK;

    error = json_object_get(answer, "error");
    if (how)
        st = cc_fail(err, CC_INVALID, "it %s before it answered %s", how, what);
    else if (!answer)
        st = cc_fail(err, CC_INVALID, "it did not answer %s in %u seconds",
                     what, x->all->config.start_s);
    else if (error && !json_is_null(error))
        st = cc_fail(err, CC_INVALID, "it answered %s with the error \"%s\"",
                     what, member(error, "message"));
    else
        *result = json_incref(json_object_get(answer, "result"));
    free(how);
    json_decref(answer);
    return st;
}

static enum cc_status open_talk(struct extension *x, struct cc_error *err)
{
    json_t *result = NULL;
    enum cc_status st = must_answer(x, message("getmanifest", json_object()),
                                    "getmanifest", &result, err);

    if (st == CC_OK && !json_is_object(result))
        st = cc_fail(err, CC_INVALID, "its manifest is no object");
    if (st == CC_OK)
        st = take_manifest(x, result, err);
    json_decref(result);
    result = NULL;
    if (st == CC_OK)
        st = must_answer(x, message("init", json_incref(x->all->config.init)),
                         "init", &result, err);
    json_decref(result);
    return st;
}

/* --- Commands ---------------------------------------------------------- */

/* Split at spaces; '...' and "..." hold together, a backslash keeps the next
 * character. The words are in one piece of memory, for free with the list. */
static const char **split_command(const char *command, char **memory)
{
    size_t len = strlen(command), n = 0;
    const char **argv = cc_calloc(len / 2 + 2, sizeof(*argv));
    char *out = cc_malloc(len + 1), quote = 0;
    bool in_word = false;

    *memory = out;
    for (const char *s = command; *s; s++) {
        if (!quote && (*s == ' ' || *s == '\t')) {
            if (in_word)
                *out++ = '\0';
            in_word = false;
            continue;
        }
        if (!in_word)
            argv[n++] = out;
        in_word = true;
        if (quote ? *s == quote : *s == '\'' || *s == '"') {
            quote = quote ? 0 : *s;
            continue;
        }
        if (*s == '\\' && quote != '\'' && s[1])
            s++;
        *out++ = *s;
    }
    *out = '\0';
    argv[n] = NULL;
    return argv;
}

static char *daemon_folder(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    return cc_strdup(dirname(path));
}

static enum cc_status start_process(struct extension *x, const char *command,
                                    struct cc_error *err)
{
    struct cc_process_events events = {x, on_line, on_error_line, on_ended};
    char *memory, *beside = daemon_folder();
    const char **argv = split_command(command, &memory), *slash;
    enum cc_status st;

    if (!argv[0]) {
        st = cc_fail(err, CC_INVALID, "no program is named");
    } else {
        slash = strrchr(argv[0], '/');
        x->name = cc_strdup(slash ? slash + 1 : argv[0]);
        /* The reader's thread may come before this returns; it waits. */
        pthread_mutex_lock(&x->lock);
        st = cc_process_start(&x->process, argv, beside, &events, err);
        pthread_mutex_unlock(&x->lock);
    }
    free(beside);
    free(argv);
    free(memory);
    return st;
}

/* --- All of them ------------------------------------------------------- */

struct cc_extensions *cc_extensions_new(const struct cc_extensions_config *c)
{
    struct cc_extensions *all = cc_calloc(1, sizeof(*all));

    all->config = *c;
    all->config.start_s = c->start_s ? c->start_s : 60;
    all->config.call_s = c->call_s ? c->call_s : 120;
    all->config.stop_s = c->stop_s ? c->stop_s : 10;
    pthread_mutex_init(&all->lock, NULL);
    return all;
}

static struct extension *extension_new(struct cc_extensions *all)
{
    struct extension *x = cc_calloc(1, sizeof(*x));
    pthread_condattr_t attr;

    x->all = all;
    x->limit.burst = 1000;
    x->limit.per_minute = 1000;
    x->tail = &x->head;
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->more, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&x->answered, &attr);
    pthread_condattr_destroy(&attr);
    return x;
}

enum cc_status cc_extensions_start(struct cc_extensions *all,
                                   const char *command, struct cc_error *err)
{
    struct extension *x = extension_new(all);
    enum cc_status st;

    pthread_mutex_lock(&all->lock);
    x->next = all->list;
    all->list = x;
    pthread_mutex_unlock(&all->lock);
    st = start_process(x, command, err);
    for (; st == CC_OK && x->worker_count < WORKERS; x->worker_count++)
        if (pthread_create(&x->workers[x->worker_count], NULL, run_worker, x)) {
            st = cc_fail_errno(err, "start a thread");
            break;
        }
    if (st == CC_OK)
        st = open_talk(x, err);
    if (st == CC_OK)
        cc_log(all->config.log, "extension %s started", x->name);
    return cc_context(err, st, "extension \"%s\"", command);
}

static bool wants(struct extension *x, const char *event)
{
    bool found = false;

    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; !x->ended && i < json_array_size(x->subscriptions);
         i++) {
        const json_t *v = json_array_get(x->subscriptions, i);

        found = found ||
                (cc_json_is_string(v) && !strcmp(json_string_value(v), event));
    }
    pthread_mutex_unlock(&x->lock);
    return found;
}

bool cc_extensions_wanted(struct cc_extensions *all, const char *event)
{
    bool found = false;

    pthread_mutex_lock(&all->lock);
    for (struct extension *x = all->list; x && !found; x = x->next)
        found = wants(x, event);
    pthread_mutex_unlock(&all->lock);
    return found;
}

void cc_extensions_notify(struct cc_extensions *all, const char *event,
                          json_t *params)
{
    pthread_mutex_lock(&all->lock);
    for (struct extension *x = all->list; x; x = x->next)
        if (wants(x, event))
            send_json(x, message(event, json_incref(params)));
    pthread_mutex_unlock(&all->lock);
    json_decref(params);
}

/* The process has ended or is being killed. */
static void join_workers(struct extension *x)
{
    while (x->worker_count)
        pthread_join(x->workers[--x->worker_count], NULL);
}

void cc_extensions_stop(struct cc_extensions *all)
{
    int64_t until;

    if (all->stopped)
        return;
    all->stopped = true;
    for (struct extension *x = all->list; x; x = x->next) {
        pthread_mutex_lock(&x->lock);
        x->stopping = true;
        pthread_mutex_unlock(&x->lock);
        if (!x->process)
            continue;
        send_json(x, message("shutdown", NULL));
        cc_process_close(x->process);
    }
    until = cc_clock_monotonic_ms() + (int64_t)all->config.stop_s * 1000;
    for (struct extension *x = all->list; x; x = x->next) {
        int64_t left = until - cc_clock_monotonic_ms();

        if (!x->process || cc_process_wait(x->process, left > 0 ? left : 0))
            continue;
        cc_log(all->config.log,
               "extension %s did not end within %u seconds: killed", x->name,
               all->config.stop_s);
        cc_process_kill(x->process);
    }
    /* Calls of theirs that still run end before what they use goes away. */
    for (struct extension *x = all->list; x; x = x->next)
        join_workers(x);
}

static void extension_free(struct extension *x)
{
    struct request *r;

    cc_process_free(x->process);
    while ((r = x->head)) {
        x->head = r->next;
        json_decref(r->object);
        free(r);
    }
    json_decref(x->subscriptions);
    free(x->how);
    free(x->name);
    pthread_cond_destroy(&x->answered);
    pthread_cond_destroy(&x->more);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

void cc_extensions_free(struct cc_extensions *all)
{
    struct extension *x;

    if (!all)
        return;
    cc_extensions_stop(all);
    while ((x = all->list)) {
        all->list = x->next;
        extension_free(x);
    }
    pthread_mutex_destroy(&all->lock);
    free(all);
}
