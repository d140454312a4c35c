#include "rpc/warnings.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/mem.h"

struct cc_warnings {
    pthread_mutex_t lock;
    char *text;
    void (*alert)(void *arg, const char *text);
    void *arg;
};

struct cc_warnings *cc_warnings_new(void (*alert)(void *arg, const char *text),
                                    void *arg)
{
    struct cc_warnings *w = cc_calloc(1, sizeof(*w));

    pthread_mutex_init(&w->lock, NULL);
    w->alert = alert;
    w->arg = arg;
    return w;
}

void cc_warnings_free(struct cc_warnings *w)
{
    if (!w)
        return;
    pthread_mutex_destroy(&w->lock);
    free(w->text);
    free(w);
}

void cc_warnings_set(struct cc_warnings *w, const char *text)
{
    char *copy = cc_strdup(text);
    bool first;

    pthread_mutex_lock(&w->lock);
    first = !w->text;
    free(w->text);
    w->text = copy;
    pthread_mutex_unlock(&w->lock);
    if (first)
        w->alert(w->arg, text);
}

json_t *cc_warnings_json(struct cc_warnings *w)
{
    json_t *s;

    if (!w)
        return json_string("");
    pthread_mutex_lock(&w->lock);
    s = json_string(w->text ? w->text : "");
    pthread_mutex_unlock(&w->lock);
    return s;
}
