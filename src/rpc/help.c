#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/internal.h"
#include "util/mem.h"

void cc_rpc_put(struct cc_writer *w, const char *fmt, ...)
{
    char buf[512], *big = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof(buf)) {
        big = cc_malloc((size_t)n + 1);
        va_start(ap, fmt);
        vsnprintf(big, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    cc_write_bytes(w, big ? big : buf, (size_t)n);
    free(big);
}

static int first_name(const char *names) { return (int)strcspn(names, "|"); }

static void put_oneline(struct cc_writer *w, const struct cc_rpc_arg *a)
{
    if (a->oneline) {
        cc_rpc_put(w, "%s", a->oneline);
        return;
    }
    switch (a->type) {
    case CC_RPC_STR:
    case CC_RPC_HEX:
        cc_rpc_put(w, "\"%.*s\"", first_name(a->name), a->name);
        break;
    case CC_RPC_OBJ:
        cc_rpc_put(w, "%s", a->inner_count ? a->name : "{...}");
        break;
    case CC_RPC_ARR:
        cc_rpc_put(w, "[...]");
        break;
    case CC_RPC_ANY:
    case CC_RPC_NUM:
    case CC_RPC_BOOL:
    case CC_RPC_AMOUNT:
    case CC_RPC_RANGE:
        cc_rpc_put(w, "%.*s", first_name(a->name), a->name);
        break;
    }
}

/* How many arguments are told. */
static size_t shown(const struct cc_rpc_method *m)
{
    size_t n = 0;

    while (n < m->arg_count && !m->args[n].hidden)
        n++;
    return n;
}

static void put_usage(struct cc_writer *w, const struct cc_rpc_method *m)
{
    bool optional = false;

    cc_rpc_put(w, "%s", m->name);
    if (m->flags & CC_RPC_FOREIGN) {
        cc_rpc_put(w, "%s%s", m->result[0] ? " " : "", m->result);
        return;
    }
    for (size_t i = 0; i < shown(m); i++) {
        const struct cc_rpc_arg *a = &m->args[i];

        if (a->fallback && !optional)
            cc_rpc_put(w, " (");
        else if (!a->fallback && optional)
            cc_rpc_put(w, " )");
        optional = a->fallback != NULL;
        cc_rpc_put(w, " ");
        put_oneline(w, a);
    }
    if (optional)
        cc_rpc_put(w, " )");
}

char *cc_rpc_method_usage(const struct cc_rpc_method *m)
{
    struct cc_writer w;
    size_t len;

    cc_writer_init_heap(&w);
    put_usage(&w, m);
    cc_write_u8(&w, '\0');
    return (char *)cc_writer_take(&w, &len);
}

static const char *type_words(enum cc_rpc_type t)
{
    switch (t) {
    case CC_RPC_STR:
    case CC_RPC_HEX:
        return "string";
    case CC_RPC_NUM:
        return "numeric";
    case CC_RPC_BOOL:
        return "boolean";
    case CC_RPC_AMOUNT:
        return "numeric or string";
    case CC_RPC_OBJ:
        return "json object";
    case CC_RPC_ARR:
        return "json array";
    case CC_RPC_RANGE:
        return "numeric or array";
    case CC_RPC_ANY:
        break;
    }
    return "any";
}

/* Text with its further lines moved right to column. */
static void put_indented(struct cc_writer *w, const char *s, int column)
{
    if (!*s)
        cc_rpc_put(w, "\n");
    while (*s) {
        size_t n = strcspn(s, "\n");

        cc_rpc_put(w, "%.*s\n", (int)n, s);
        s += n;
        if (*s == '\n' && *++s)
            cc_rpc_put(w, "%*s", column, "");
    }
}

static void put_arguments(struct cc_writer *w, const struct cc_rpc_arg *args,
                          size_t count, bool numbered)
{
    int width = 0, n, pad;

    for (size_t i = 0; i < count; i++) {
        n = first_name(args[i].name);
        width = n > width ? n : width;
    }
    for (size_t i = 0; i < count; i++) {
        const struct cc_rpc_arg *a = &args[i];
        const char *f = a->fallback;

        if (numbered)
            cc_rpc_put(w, "%zu. ", i + 1);
        else
            cc_rpc_put(w, "     ");
        n = first_name(a->name);
        pad = width - n + 4 - (numbered && i >= 9);
        cc_rpc_put(w, "%.*s%*s(%s, %s%s%s) ", n, a->name, pad, "",
                   type_words(a->type), f ? "optional" : "required",
                   f && *f ? ", default=" : "", f ? f : "");
        put_indented(w, a->help ? a->help : "", width + 7);
        if (a->inner_count)
            put_arguments(w, a->inner, a->inner_count, false);
    }
}

/* The next shell word of an example; quotes hold it together. */
static bool next_word(const char **s, struct cc_writer *word)
{
    char quote = 0;

    word->len = 0;
    while (**s == ' ')
        (*s)++;
    if (!**s)
        return false;
    for (; **s && (quote || **s != ' '); (*s)++) {
        if (quote ? **s == quote : **s == '\'' || **s == '"')
            quote = quote ? 0 : **s;
        else
            cc_write_u8(word, (uint8_t) * *s);
    }
    return true;
}

static void put_example(struct cc_writer *w, const struct cc_rpc_method *m,
                        const struct cc_params *p)
{
    const char *s = m->example;
    struct cc_writer word;

    cc_rpc_put(w, "\nExamples:\n> cloudcoin-cli %s%s%s\n", m->name,
               *s ? " " : "", s);
    cc_rpc_put(w,
               "> curl --user myuser --data-binary '{\"jsonrpc\": \"1.0\", "
               "\"id\": \"curltest\", \"method\": \"%s\", \"params\": [",
               m->name);
    cc_writer_init_heap(&word);
    for (size_t i = 0; next_word(&s, &word); i++) {
        enum cc_rpc_type t = i < m->arg_count ? m->args[i].type : CC_RPC_ANY;
        const char *q = t == CC_RPC_STR || t == CC_RPC_HEX ? "\"" : "";

        cc_rpc_put(w, "%s%s%.*s%s", i ? ", " : "", q, (int)word.len,
                   (const char *)word.data, q);
    }
    cc_writer_clear(&word);
    cc_rpc_put(w, "]}' -H 'content-type: text/plain;' http://127.0.0.1:%u/\n",
               p ? p->rpc_port : 7732u);
}

char *cc_rpc_method_help(const struct cc_rpc_method *m,
                         const struct cc_params *p)
{
    struct cc_writer w;
    size_t len;

    cc_writer_init_heap(&w);
    put_usage(&w, m);
    cc_rpc_put(&w, "\n\n%s\n", m->help);
    if (shown(m)) {
        cc_rpc_put(&w, "\nArguments:\n");
        put_arguments(&w, m->args, shown(m), true);
    }
    if (!(m->flags & CC_RPC_FOREIGN)) {
        if (m->result)
            cc_rpc_put(&w, "\nResult:\n%s\n", m->result);
        if (m->example)
            put_example(&w, m, p);
    }
    cc_write_u8(&w, '\0');
    return (char *)cc_writer_take(&w, &len);
}

json_t *cc_rpc_show_help(struct cc_rpc_call *call, int code)
{
    char *text = cc_rpc_help(call->env->rpc, call->method->name);

    cc_rpc_error(call, code, "%s", text);
    free(text);
    return NULL;
}
