#include "storage/ext.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/mem.h"

#define CODE_INVALID_REQUEST (-32600)
#define CODE_METHOD_NOT_FOUND (-32601)
#define CODE_INTERNAL (-32603)
/* Enough for satoshi in coins, few enough that 0.1 stays 0.1. */
#define REAL_DIGITS JSON_REAL_PRECISION(16)

/* A call that waits for its answer, on its caller's stack. */
struct waiting {
    struct waiting *next;
    json_int_t id;
    json_t *answer; /* NULL until it came */
    bool over;      /* none will come */
};

struct request {
    struct request *next;
    json_t *message;
};

struct cc_ext {
    struct cc_ext_config config;
    pthread_mutex_t lock; /* waiting, requests, over */
    pthread_cond_t answered, asked;
    struct waiting *waiting;
    json_int_t last_id;
    struct request *first, **last;
    bool over;      /* no more input */
    bool init_done; /* init failed or not: its outcome is in status */
    enum cc_status init_status;
    struct cc_error init_error;
    pthread_mutex_t write_lock; /* one line at a time */
    int wake[2];                /* a pipe: readable when init failed */
};

struct cc_ext *cc_ext_new(const struct cc_ext_config *config)
{
    struct cc_ext *x = cc_calloc(1, sizeof(*x));

    x->config = *config;
    x->last = &x->first;
    if (pipe(x->wake))
        x->wake[0] = x->wake[1] = -1; /* then cc_ext_run says so */
    pthread_mutex_init(&x->lock, NULL);
    pthread_mutex_init(&x->write_lock, NULL);
    pthread_cond_init(&x->answered, NULL);
    pthread_cond_init(&x->asked, NULL);
    return x;
}

void cc_ext_free(struct cc_ext *x)
{
    if (!x)
        return;
    pthread_cond_destroy(&x->asked);
    pthread_cond_destroy(&x->answered);
    pthread_mutex_destroy(&x->write_lock);
    pthread_mutex_destroy(&x->lock);
    close(x->wake[0]);
    close(x->wake[1]);
    free(x);
}

/* Takes message. */
static enum cc_status send_message(struct cc_ext *x, json_t *message,
                                   struct cc_error *err)
{
    char *text = json_dumps(message, JSON_COMPACT | REAL_DIGITS);
    enum cc_status st;
    size_t len;

    json_decref(message);
    if (!text)
        return cc_fail(err, CC_INVALID, "message cannot be written as JSON");
    len = strlen(text);
    text[len++] = '\n'; /* in the place of the NUL */
    pthread_mutex_lock(&x->write_lock);
    st = cc_fs_write_all(x->config.out, text, len, err);
    pthread_mutex_unlock(&x->write_lock);
    free(text);
    return st;
}

static void answer(struct cc_ext *x, const json_t *id, json_t *result, int code,
                   const char *sentence)
{
    json_t *m = json_pack("{s:s, s:O}", "jsonrpc", "2.0", "id", id);

    if (result)
        json_object_set_new(m, "result", result);
    else
        json_object_set_new(
            m, "error",
            json_pack("{s:i, s:s}", "code", code, "message", sentence));
    send_message(x, m, NULL); /* a broken pipe ends the reading too */
}

/* --- Requests of the node ------------------------------------------------- */

static json_t *manifest(const struct cc_ext *x)
{
    json_t *methods = json_array(), *subscriptions = json_array();
    const struct cc_ext_method *m;

    for (size_t i = 0; i < x->config.method_count; i++) {
        m = &x->config.methods[i];
        json_array_append_new(
            methods, json_pack("{s:s, s:s, s:s, s:s}", "name", m->name,
                               "category", m->category, "usage", m->usage,
                               "description", m->description));
    }
    for (size_t i = 0; i < x->config.subscription_count; i++)
        json_array_append_new(subscriptions,
                              json_string(x->config.subscriptions[i]));
    return json_pack("{s:o, s:o}", "methods", methods, "subscriptions",
                     subscriptions);
}

static bool declared(const struct cc_ext *x, const char *name)
{
    for (size_t i = 0; i < x->config.method_count; i++)
        if (!strcmp(x->config.methods[i].name, name))
            return true;
    return false;
}

static void run_init(struct cc_ext *x, const json_t *id, const json_t *params)
{
    struct cc_error err;
    enum cc_status st;

    cc_error_init(&err);
    st = x->config.init(x->config.arg, params, &err);
    if (st == CC_OK)
        answer(x, id, json_object(), 0, NULL);
    else
        answer(x, id, NULL, CODE_INTERNAL, err.text);
    pthread_mutex_lock(&x->lock);
    x->init_done = true;
    x->init_status = st;
    x->init_error = err;
    pthread_mutex_unlock(&x->lock);
    if (st != CC_OK)
        cc_fs_write_all(x->wake[1], "", 1, NULL); /* wakes the reader */
}

static void run_request(struct cc_ext *x, const json_t *m)
{
    const json_t *id = json_object_get(m, "id");
    const char *name = json_string_value(json_object_get(m, "method"));
    const json_t *params = json_object_get(m, "params");
    json_t *none = json_array(), *result;
    struct cc_error err;
    int code = CODE_INTERNAL;

    cc_error_init(&err);
    if (!json_is_array(params) && !json_is_object(params))
        params = none;
    if (!strcmp(name, "getmanifest")) {
        answer(x, id, manifest(x), 0, NULL);
    } else if (!strcmp(name, "init")) {
        run_init(x, id, params);
    } else if (!declared(x, name)) {
        answer(x, id, NULL, CODE_METHOD_NOT_FOUND, "Method not found");
    } else {
        result = x->config.call(x->config.arg, name, params, &code, &err);
        answer(x, id, result, code, err.text);
    }
    json_decref(none);
}

static void *serve(void *arg)
{
    struct cc_ext *x = arg;
    struct request *r;

    for (;;) {
        pthread_mutex_lock(&x->lock);
        while (!x->first && !x->over)
            pthread_cond_wait(&x->asked, &x->lock);
        r = x->over ? NULL : x->first;
        if (r) {
            x->first = r->next;
            if (!x->first)
                x->last = &x->first;
        }
        pthread_mutex_unlock(&x->lock);
        if (!r)
            return NULL;
        run_request(x, r->message);
        json_decref(r->message);
        free(r);
    }
}

/* --- Reading -------------------------------------------------------------- */

/* Messages are handed over, never shared: one thread at a time owns each. */
static void queue_request(struct cc_ext *x, json_t *m)
{
    struct request *r = cc_calloc(1, sizeof(*r));

    r->message = m;
    pthread_mutex_lock(&x->lock);
    *x->last = r;
    x->last = &r->next;
    pthread_cond_signal(&x->asked);
    pthread_mutex_unlock(&x->lock);
}

static void take_answer(struct cc_ext *x, json_t *m)
{
    const json_t *id = json_object_get(m, "id");
    struct waiting *w;

    pthread_mutex_lock(&x->lock);
    for (w = x->waiting; w; w = w->next)
        if (json_is_integer(id) && w->id == json_integer_value(id))
            break;
    if (w && !w->answer) {
        w->answer = m;
        m = NULL;
        pthread_cond_broadcast(&x->answered);
    }
    pthread_mutex_unlock(&x->lock);
    json_decref(m); /* nobody waits for it */
}

/* One message, taken; false if it was the last. */
static bool handle(struct cc_ext *x, json_t *m)
{
    const char *method = json_string_value(json_object_get(m, "method"));
    const json_t *id = json_object_get(m, "id");
    bool go_on = true;

    if (!method) {
        take_answer(x, m);
    } else if (id && !json_is_null(id)) {
        queue_request(x, m);
    } else {
        go_on = strcmp(method, "shutdown") != 0;
        if (go_on)
            x->config.notify(x->config.arg, method,
                             json_object_get(m, "params"));
        json_decref(m);
    }
    return go_on;
}

/* Lines out of what was read: takes away those that are whole. */
static enum cc_status split(struct cc_ext *x, char *data, size_t *len,
                            size_t seen, bool *go_on, struct cc_error *err)
{
    size_t start = 0;
    char *end;
    json_t *m;

    while (*go_on && (end = memchr(data + (start > seen ? start : seen), '\n',
                                   *len - (start > seen ? start : seen)))) {
        if (end > data + start) { /* empty lines are nothing */
            m = json_loadb(data + start, (size_t)(end - data) - start, 0, NULL);
            if (!json_is_object(m)) {
                json_decref(m);
                return cc_fail(err, CC_MALFORMED,
                               "the node sent a line that is no JSON object");
            }
            *go_on = handle(x, m);
        }
        start = (size_t)(end - data) + 1;
    }
    memmove(data, data + start, *len - start);
    *len -= start;
    return CC_OK;
}

/* False when init has failed. */
static bool wait_input(const struct cc_ext *x)
{
    struct pollfd fds[2] = {{x->config.in, POLLIN, 0}, {x->wake[0], POLLIN, 0}};

    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    return fds[1].revents == 0;
}

static enum cc_status read_all(struct cc_ext *x, struct cc_error *err)
{
    size_t len = 0, cap = 0, before;
    enum cc_status st = CC_OK;
    bool go_on = true;
    char *data = NULL;
    ssize_t n;

    while (st == CC_OK && go_on && wait_input(x)) {
        if (len > CC_EXT_LINE_MAX) {
            st = cc_fail(err, CC_LIMIT, "the node sent a line over %u bytes",
                         CC_EXT_LINE_MAX);
            break;
        }
        data = cc_grow(data, &cap, len + 65536, 1);
        n = read(x->config.in, data + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            st = cc_fail_errno(err, "cannot read from the node");
        if (n <= 0)
            break;
        before = len;
        len += (size_t)n;
        st = split(x, data, &len, before, &go_on, err);
    }
    free(data);
    return st;
}

enum cc_status cc_ext_run(struct cc_ext *x, struct cc_error *err)
{
    struct request *r;
    enum cc_status st;
    pthread_t thread;

    if (x->wake[0] < 0 || pthread_create(&thread, NULL, serve, x))
        return cc_fail_errno(err, "cannot start a thread or make a pipe");
    st = read_all(x, err);
    pthread_mutex_lock(&x->lock);
    x->over = true;
    for (struct waiting *w = x->waiting; w; w = w->next)
        w->over = true;
    pthread_cond_broadcast(&x->answered);
    pthread_cond_broadcast(&x->asked);
    pthread_mutex_unlock(&x->lock);
    pthread_join(thread, NULL);
    while ((r = x->first)) {
        x->first = r->next;
        json_decref(r->message);
        free(r);
    }
    x->last = &x->first;
    if (x->init_done && x->init_status != CC_OK) {
        if (err)
            *err = x->init_error;
        return x->init_status;
    }
    return st;
}

/* --- Calls to the node ---------------------------------------------------- */

static enum cc_status take_result(json_t *m, const char *method,
                                  json_t **result, int *code,
                                  struct cc_error *err)
{
    json_t *fault = json_object_get(m, "error");
    const char *sentence;

    if (fault && !json_is_null(fault)) {
        sentence = json_string_value(json_object_get(fault, "message"));
        if (code)
            *code = (int)json_integer_value(json_object_get(fault, "code"));
        return cc_fail(err, CC_INVALID, "%s: %s", method,
                       sentence ? sentence : "error without a sentence");
    }
    *result = json_incref(json_object_get(m, "result"));
    if (!*result)
        *result = json_null();
    return CC_OK;
}

enum cc_status cc_ext_call(struct cc_ext *x, const char *method, json_t *params,
                           const char *wallet, json_t **result, int *code,
                           struct cc_error *err)
{
    struct waiting w = {0}, **at;
    json_t *m = json_pack("{s:s, s:s}", "jsonrpc", "2.0", "method", method);
    enum cc_status st;
    bool over;

    json_object_set_new(m, "params", params ? params : json_array());
    if (wallet)
        json_object_set_new(m, "wallet", json_string(wallet));
    pthread_mutex_lock(&x->lock);
    over = x->over;
    w.id = ++x->last_id;
    w.next = x->waiting;
    x->waiting = &w;
    pthread_mutex_unlock(&x->lock);
    json_object_set_new(m, "id", json_integer(w.id));
    if (over) {
        json_decref(m);
        st = cc_fail(err, CC_IO, "%s: the node is gone", method);
    } else {
        st = send_message(x, m, err);
    }
    pthread_mutex_lock(&x->lock);
    while (st == CC_OK && !w.answer && !w.over)
        pthread_cond_wait(&x->answered, &x->lock);
    for (at = &x->waiting; *at != &w; at = &(*at)->next)
        ;
    *at = w.next;
    pthread_mutex_unlock(&x->lock);
    if (st != CC_OK) {
        json_decref(w.answer);
        return st;
    }
    if (!w.answer)
        return cc_fail(err, CC_IO, "%s: the node is gone", method);
    st = take_result(w.answer, method, result, code, err);
    json_decref(w.answer);
    return st;
}
