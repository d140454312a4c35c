#include "cli_params.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

static const struct cc_convert table[] = {
#include "src/rpc/convert_table.inc"
};

static const struct cc_convert *find(const char *method, int position,
                                     const char *name)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (!strcmp(table[i].method, method) &&
            (name ? !strcmp(table[i].name, name)
                  : table[i].position == position))
            return &table[i];
    return NULL;
}

static enum cc_status convert(const struct cc_convert *how, const char *word,
                              json_t **out, struct cc_error *err)
{
    json_t *v = NULL;

    if (how)
        v = cc_json_parse(word, strlen(word));
    if (!v && how && how->kind == CC_CONVERT_JSON)
        return cc_fail(err, CC_INVALID, "Error parsing JSON: %s", word);
    if (!v)
        v = json_string(word);
    if (!v)
        return cc_fail(err, CC_INVALID, "not UTF-8: %s", word);
    *out = v;
    return CC_OK;
}

enum cc_status cc_cli_positional(const char *method, char **words, size_t count,
                                 json_t **out, struct cc_error *err)
{
    json_t *a = json_array(), *v = NULL;
    enum cc_status st = CC_OK;

    for (size_t i = 0; st == CC_OK && i < count; i++) {
        st = convert(find(method, (int)i, NULL), words[i], &v, err);
        if (st == CC_OK)
            json_array_append_new(a, v);
    }
    if (st == CC_OK)
        *out = a;
    else
        json_decref(a);
    return st;
}

enum cc_status cc_cli_named(const char *method, char **words, size_t count,
                            json_t **out, struct cc_error *err)
{
    json_t *o = json_object(), *args = json_array(), *v = NULL;
    enum cc_status st = CC_OK;

    for (size_t i = 0; st == CC_OK && i < count; i++) {
        char *word = cc_strdup(words[i]), *equal = strchr(word, '=');

        if (equal) {
            *equal = '\0';
            st = convert(find(method, -1, word), equal + 1, &v, err);
            if (st == CC_OK) /* what comes later counts */
                json_object_set_new(o, word, v);
        } else {
            st = convert(find(method, (int)json_array_size(args), NULL), word,
                         &v, err);
            if (st == CC_OK)
                json_array_append_new(args, v);
        }
        free(word);
    }
    if (st == CC_OK && json_array_size(args))
        cc_json_set_again(o, "args", args);
    json_decref(args);
    if (st == CC_OK)
        *out = o;
    else
        json_decref(o);
    return st;
}
