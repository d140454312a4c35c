#include "rpc/rpc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/internal.h"
#include "util/clock.h"
#include "util/mem.h"

/* A method of an extension, made to look like one of ours. */
struct foreign {
    struct cc_rpc_method method; /* first: the shim finds us from it */
    cc_rpc_foreign_fn fn;
    void *arg;
    char *name, *category, *usage, *help;
};

struct active {
    const char *method;
    int64_t start_us;
    struct active *next;
};

struct cc_rpc {
    pthread_rwlock_t lock; /* entries, env, warmup */
    const struct cc_rpc_method **entries;
    size_t count, cap;
    struct foreign **foreign;
    size_t foreign_count, foreign_cap;
    struct cc_rpc_env env;
    char *warmup; /* NULL: over */
    pthread_mutex_t active_lock;
    struct active *active;
    int64_t started_ms;
    struct cc_scan *scan;
};

struct cc_rpc *cc_rpc_new(void)
{
    struct cc_rpc *rpc = cc_calloc(1, sizeof(*rpc));

    pthread_rwlock_init(&rpc->lock, NULL);
    pthread_mutex_init(&rpc->active_lock, NULL);
    rpc->warmup = cc_strdup("RPC server started");
    rpc->env.rpc = rpc;
    rpc->started_ms = cc_clock_monotonic_ms();
    rpc->scan = cc_scan_new();
    return rpc;
}

struct cc_scan *cc_rpc_scan(struct cc_rpc *rpc) { return rpc->scan; }

int64_t cc_rpc_started_ms(const struct cc_rpc *rpc) { return rpc->started_ms; }

void cc_rpc_free(struct cc_rpc *rpc)
{
    if (!rpc)
        return;
    for (size_t i = 0; i < rpc->foreign_count; i++) {
        struct foreign *f = rpc->foreign[i];

        free(f->name);
        free(f->category);
        free(f->usage);
        free(f->help);
        free(f);
    }
    cc_scan_free(rpc->scan);
    free(rpc->foreign);
    free(rpc->entries);
    free(rpc->warmup);
    pthread_mutex_destroy(&rpc->active_lock);
    pthread_rwlock_destroy(&rpc->lock);
    free(rpc);
}

/* Under the lock. */
static const struct cc_rpc_method **find(struct cc_rpc *rpc, const char *name)
{
    for (size_t i = 0; i < rpc->count; i++)
        if (!strcmp(rpc->entries[i]->name, name))
            return &rpc->entries[i];
    return NULL;
}

static void append(struct cc_rpc *rpc, const struct cc_rpc_method *m)
{
    rpc->entries =
        cc_grow(rpc->entries, &rpc->cap, rpc->count + 1, sizeof(*rpc->entries));
    rpc->entries[rpc->count++] = m;
}

void cc_rpc_register(struct cc_rpc *rpc, const struct cc_rpc_method *methods,
                     size_t count, bool storage)
{
    pthread_rwlock_wrlock(&rpc->lock);
    for (size_t i = 0; i < count; i++) {
        const struct cc_rpc_method **slot;

        if ((methods[i].flags & CC_RPC_STORAGE_ONLY) && !storage)
            continue;
        slot = find(rpc, methods[i].name);
        if (slot)
            *slot = &methods[i];
        else
            append(rpc, &methods[i]);
    }
    pthread_rwlock_unlock(&rpc->lock);
}

static json_t *call_foreign(struct cc_rpc_call *call)
{
    const struct foreign *f =
        (const struct foreign *)(const void *)call->method;

    return f->fn(f->arg, call, f->name);
}

static bool name_ok(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return n > 0 && n <= 64 && s[n] == '\0';
}

enum cc_status cc_rpc_register_foreign(struct cc_rpc *rpc, const char *name,
                                       const char *category, const char *usage,
                                       const char *help, cc_rpc_foreign_fn fn,
                                       void *arg, struct cc_error *err)
{
    struct foreign *f;
    enum cc_status st = CC_OK;

    if (!name_ok(name))
        return cc_fail(err, CC_INVALID, "\"%.64s\" is no name for a method",
                       name);
    pthread_rwlock_wrlock(&rpc->lock);
    if (find(rpc, name)) {
        st = cc_fail(err, CC_INVALID, "there is a method %s already", name);
    } else {
        f = cc_calloc(1, sizeof(*f));
        f->name = cc_strdup(name);
        f->category = cc_strdup(name_ok(category) ? category : "extension");
        f->usage = cc_strdup(usage);
        f->help = cc_strdup(help);
        f->fn = fn;
        f->arg = arg;
        f->method = (struct cc_rpc_method){.category = f->category,
                                           .name = f->name,
                                           .handler = call_foreign,
                                           .help = f->help,
                                           .result = f->usage,
                                           .flags = CC_RPC_FOREIGN};
        rpc->foreign = cc_grow(rpc->foreign, &rpc->foreign_cap,
                               rpc->foreign_count + 1, sizeof(f));
        rpc->foreign[rpc->foreign_count++] = f;
        append(rpc, &f->method);
    }
    pthread_rwlock_unlock(&rpc->lock);
    return st;
}

void cc_rpc_set_env(struct cc_rpc *rpc, const struct cc_rpc_env *env)
{
    pthread_rwlock_wrlock(&rpc->lock);
    rpc->env = *env;
    rpc->env.rpc = rpc;
    pthread_rwlock_unlock(&rpc->lock);
}

void cc_rpc_set_warmup(struct cc_rpc *rpc, const char *status)
{
    pthread_rwlock_wrlock(&rpc->lock);
    free(rpc->warmup);
    rpc->warmup = status ? cc_strdup(status) : NULL;
    pthread_rwlock_unlock(&rpc->lock);
}

bool cc_rpc_in_warmup(struct cc_rpc *rpc)
{
    bool warmup;

    pthread_rwlock_rdlock(&rpc->lock);
    warmup = rpc->warmup != NULL;
    pthread_rwlock_unlock(&rpc->lock);
    return warmup;
}

void cc_rpc_each(struct cc_rpc *rpc,
                 void (*fn)(void *arg, const struct cc_rpc_method *m),
                 void *arg)
{
    pthread_rwlock_rdlock(&rpc->lock);
    for (size_t i = 0; i < rpc->count; i++)
        fn(arg, rpc->entries[i]);
    pthread_rwlock_unlock(&rpc->lock);
}

/* --- Named arguments --------------------------------------------------- */

/* The member of named that goes by one of the names in "a|b"; it is taken
 * out. *key: the name used. */
static json_t *take_named(json_t *named, const char *names, char key[64])
{
    while (*names) {
        size_t n = strcspn(names, "|");
        json_t *v;

        snprintf(key, 64, "%.*s", (int)(n < 63 ? n : 63), names);
        v = json_object_get(named, key);
        if (v) {
            json_incref(v);
            json_object_del(named, key);
            return v;
        }
        names += n;
        names += *names == '|';
    }
    return NULL;
}

/* Options of an object argument that were given one by one. */
static json_t *take_options(json_t *named, const struct cc_rpc_arg *arg)
{
    json_t *options = NULL, *v;
    char key[64];

    for (size_t i = 0; i < arg->inner_count; i++) {
        v = take_named(named, arg->inner[i].name, key);
        if (!v)
            continue;
        if (!options)
            options = json_object();
        json_object_set_new(options, key, v);
    }
    return options;
}

static bool none_repeated(struct cc_rpc_call *call, json_t *params)
{
    const char *name;
    size_t len;
    json_t *v;

    json_object_foreach(params, name, v)
    {
        if (cc_json_key_repeated(name, &len)) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Parameter %.*s specified multiple times", (int)len,
                         name);
            return false;
        }
    }
    return true;
}

/* Takes what the method knows out of named and puts it where it belongs in
 * out. *first: the number of the first that was there; all, if none was. */
static bool place_named(struct cc_rpc_call *call, json_t *named, json_t *out,
                        size_t *first)
{
    const struct cc_rpc_method *m = call->method;
    size_t holes = 0;
    char key[64];

    *first = m->arg_count;
    for (size_t i = 0; i < m->arg_count; i++) {
        json_t *options = take_options(named, &m->args[i]);
        json_t *v = take_named(named, m->args[i].name, key);

        if (v && options) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Parameter %s conflicts with parameter %s", key,
                         json_object_iter_key(json_object_iter(options)));
            json_decref(v);
            json_decref(options);
            return false;
        }
        if (options)
            v = options;
        if (!v) {
            holes++;
            continue;
        }
        if (*first == m->arg_count)
            *first = i;
        for (; holes; holes--)
            json_array_append_new(out, json_null());
        json_array_append_new(out, v);
    }
    return true;
}

/* "args", if it is there: the first ones, by place. */
static bool place_args(struct cc_rpc_call *call, json_t *named, json_t *out,
                       size_t first)
{
    json_t *args = json_object_get(named, "args"), *v;
    size_t i;

    if (!json_is_array(args))
        return true;
    if (first < call->method->arg_count && json_array_size(args) > first) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "Parameter %s specified twice both as positional "
                     "and named argument",
                     call->method->args[first].name);
        return false;
    }
    json_array_foreach(args, i, v)
    {
        if (i < json_array_size(out))
            json_array_set(out, i, v);
        else
            json_array_append(out, v);
    }
    json_object_del(named, "args");
    return true;
}

static bool none_left(struct cc_rpc_call *call, json_t *named)
{
    if (!json_object_size(named))
        return true;
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Unknown named parameter %s",
                 json_object_iter_key(json_object_iter(named)));
    return false;
}

/* Named into positional; NULL with the call's error filled. */
static json_t *order_named(struct cc_rpc_call *call, json_t *params)
{
    json_t *named = json_copy(params), *out = json_array();
    size_t first;

    if (!none_repeated(call, params) ||
        !place_named(call, named, out, &first) ||
        !place_args(call, named, out, first) || !none_left(call, named)) {
        json_decref(out);
        out = NULL;
    }
    json_decref(named);
    return out;
}

/* --- Checks before a call ---------------------------------------------- */

static const char *expected_type(enum cc_rpc_type t)
{
    switch (t) {
    case CC_RPC_STR:
    case CC_RPC_HEX:
        return "string";
    case CC_RPC_NUM:
        return "number";
    case CC_RPC_BOOL:
        return "bool";
    case CC_RPC_OBJ:
        return "object";
    case CC_RPC_ARR:
        return "array";
    case CC_RPC_ANY:
    case CC_RPC_AMOUNT:
    case CC_RPC_RANGE:
        break;
    }
    return NULL;
}

static bool check_count(struct cc_rpc_call *call)
{
    const struct cc_rpc_method *m = call->method;
    size_t given = json_array_size(call->params), required = 0;
    char *text;

    for (size_t i = 0; i < m->arg_count; i++)
        if (!m->args[i].fallback)
            required = i + 1;
    if (given >= required && given <= m->arg_count)
        return true;
    text = cc_rpc_method_help(m, call->env->params);
    cc_rpc_error(call, CC_RPC_MISC_ERROR, "%s", text);
    free(text);
    return false;
}

static bool check_types(struct cc_rpc_call *call)
{
    const struct cc_rpc_method *m = call->method;
    json_t *wrong = NULL;
    char *text;

    for (size_t i = 0; i < m->arg_count; i++) {
        const json_t *v = json_array_get(call->params, i);
        const char *want = expected_type(m->args[i].type);
        const char *have = cc_json_type_name(v);
        char where[128], what[128];

        if (!want || !strcmp(want, have) ||
            (m->args[i].fallback && !strcmp(have, "null")))
            continue;
        snprintf(where, sizeof(where), "Position %zu (%s)", i + 1,
                 m->args[i].name);
        snprintf(what, sizeof(what),
                 "JSON value of type %s is not of expected type %s", have,
                 want);
        if (!wrong)
            wrong = json_object();
        json_object_set_new(wrong, where, json_string(what));
    }
    if (!wrong)
        return true;
    text = cc_json_dump(wrong, 4);
    cc_rpc_error(call, CC_RPC_TYPE_ERROR, "Wrong type passed:\n%s", text);
    free(text);
    json_decref(wrong);
    return false;
}

/* --- Calling ----------------------------------------------------------- */

static json_t *run(struct cc_rpc *rpc, struct cc_rpc_call *call)
{
    struct active a = {call->method->name, cc_clock_monotonic_us(), NULL}, **p;
    json_t *result;

    pthread_mutex_lock(&rpc->active_lock);
    a.next = rpc->active;
    rpc->active = &a;
    pthread_mutex_unlock(&rpc->active_lock);

    result = call->method->handler(call);

    pthread_mutex_lock(&rpc->active_lock);
    for (p = &rpc->active; *p != &a;)
        p = &(*p)->next;
    *p = a.next;
    pthread_mutex_unlock(&rpc->active_lock);
    return result;
}

json_t *cc_rpc_active(struct cc_rpc *rpc)
{
    json_t *list = json_array();
    int64_t now = cc_clock_monotonic_us();

    pthread_mutex_lock(&rpc->active_lock);
    for (const struct active *a = rpc->active; a; a = a->next) {
        json_t *o = json_object();

        json_object_set_new(o, "method", json_string(a->method));
        json_object_set_new(o, "duration", json_integer(now - a->start_us));
        json_array_insert_new(list, 0, o);
    }
    pthread_mutex_unlock(&rpc->active_lock);
    return list;
}

/* Extensions take their arguments as they were given: by place or by name. */
static bool prepare(struct cc_rpc_call *call, json_t *params)
{
    if (call->method->flags & CC_RPC_FOREIGN) {
        call->params = params ? json_incref(params) : json_array();
        return true;
    }
    if (json_is_object(params)) {
        call->params = order_named(call, params);
        if (!call->params)
            return false;
    } else {
        call->params = params ? json_incref(params) : json_array();
    }
    return check_count(call) && check_types(call);
}

struct cc_rpc_env cc_rpc_env_now(struct cc_rpc *rpc)
{
    struct cc_rpc_env env;

    pthread_rwlock_rdlock(&rpc->lock);
    env = rpc->env;
    pthread_rwlock_unlock(&rpc->lock);
    return env;
}

void cc_rpc_execute(struct cc_rpc *rpc, const char *method, json_t *params,
                    const char *wallet, struct cc_rpc_reply *reply)
{
    const struct cc_rpc_method **slot;
    struct cc_rpc_env env;
    struct cc_rpc_call call = {.env = &env, .wallet = wallet};
    json_t *result = NULL;
    bool warmup;

    memset(reply, 0, sizeof(*reply));
    pthread_rwlock_rdlock(&rpc->lock);
    env = rpc->env;
    slot = find(rpc, method);
    call.method = slot ? *slot : NULL;
    warmup = rpc->warmup != NULL;
    if (warmup)
        cc_rpc_error(&call, CC_RPC_IN_WARMUP, "%s", rpc->warmup);
    pthread_rwlock_unlock(&rpc->lock);

    if (warmup)
        ;
    else if (!call.method)
        cc_rpc_error(&call, CC_RPC_METHOD_NOT_FOUND, "Method not found");
    else if (prepare(&call, params))
        result = run(rpc, &call);
    json_decref(call.params);
    if (!result && !call.message)
        cc_rpc_error(&call, CC_RPC_INTERNAL_ERROR, "no answer");
    if (result && call.message) { /* a late error wins over half a result */
        json_decref(result);
        result = NULL;
    }
    reply->result = result;
    reply->code = call.code;
    reply->message = call.message;
    reply->data = call.data;
}

void cc_rpc_reply_clear(struct cc_rpc_reply *reply)
{
    json_decref(reply->result);
    json_decref(reply->data);
    free(reply->message);
    memset(reply, 0, sizeof(*reply));
}

/* --- Help -------------------------------------------------------------- */

static int by_category(const void *a, const void *b)
{
    const struct cc_rpc_method *x = *(const struct cc_rpc_method *const *)a;
    const struct cc_rpc_method *y = *(const struct cc_rpc_method *const *)b;
    int c = strcmp(x->category, y->category);

    return c ? c : strcmp(x->name, y->name);
}

static char *overview(const struct cc_rpc_method **list, size_t n)
{
    struct cc_writer w;
    const char *category = "";
    size_t len;

    cc_writer_init_heap(&w);
    for (size_t i = 0; i < n; i++) {
        char *line;

        if (list[i]->flags & CC_RPC_HIDDEN)
            continue;
        if (strcmp(category, list[i]->category)) {
            category = list[i]->category;
            cc_rpc_put(&w, "%s== %c%s ==\n", w.len ? "\n" : "",
                       category[0] - 'a' + 'A', category + 1);
        }
        line = cc_rpc_method_usage(list[i]);
        cc_rpc_put(&w, "%s\n", line);
        free(line);
    }
    if (w.len)
        w.len--; /* no line break at the end */
    cc_write_u8(&w, '\0');
    return (char *)cc_writer_take(&w, &len);
}

char *cc_rpc_help(struct cc_rpc *rpc, const char *method)
{
    const struct cc_rpc_method **list = NULL, **slot;
    char *text = NULL;

    pthread_rwlock_rdlock(&rpc->lock);
    if (method) {
        slot = find(rpc, method);
        if (slot)
            text = cc_rpc_method_help(*slot, rpc->env.params);
    } else {
        list = cc_reallocarray(NULL, rpc->count + 1, sizeof(*list));
        if (rpc->count)
            memcpy(list, rpc->entries, rpc->count * sizeof(*list));
        qsort(list, rpc->count, sizeof(*list), by_category);
        text = overview(list, rpc->count);
        free(list);
    }
    pthread_rwlock_unlock(&rpc->lock);
    return text;
}
