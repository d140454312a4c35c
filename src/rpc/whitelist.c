#include "rpc/whitelist.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"

struct cc_whitelist {
    char **entries;
    size_t count;
    bool by_default;
};

struct cc_whitelist *cc_whitelist_new(const char *const *entries, size_t count,
                                      bool by_default)
{
    struct cc_whitelist *w = cc_calloc(1, sizeof(*w));

    w->entries = cc_calloc(count + 1, sizeof(*w->entries));
    for (w->count = 0; w->count < count; w->count++)
        w->entries[w->count] = cc_strdup(entries[w->count]);
    w->by_default = by_default;
    return w;
}

void cc_whitelist_free(struct cc_whitelist *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        free(w->entries[i]);
    free(w->entries);
    free(w);
}

/* Is method one of the words of a list? */
static bool listed(const char *list, const char *method)
{
    size_t len = strlen(method), word;

    for (; len && *list; list += word) {
        list += strspn(list, ", ");
        word = strcspn(list, ", ");
        if (word == len && !memcmp(list, method, len))
            return true;
    }
    return false;
}

bool cc_whitelist_allows(const struct cc_whitelist *w, const char *user,
                         const char *method)
{
    bool named = false;

    for (size_t i = 0; i < w->count; i++) {
        const char *e = w->entries[i];
        size_t len = strcspn(e, ":");

        if (len != strlen(user) || memcmp(e, user, len) != 0)
            continue;
        if (method && !listed(e[len] ? e + len + 1 : "", method))
            return false;
        named = true;
    }
    return named || !w->by_default;
}
