#include "notify.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "util/mem.h"
#include "util/writer.h"

extern char **environ;

struct cc_notify {
    pthread_mutex_t lock;
    struct cc_log *log; /* NULL: nobody is there any more */
    unsigned users;     /* the node and each command that runs */
};

struct command {
    struct cc_notify *n;
    char *text;
};

struct cc_notify *cc_notify_new(struct cc_log *log)
{
    struct cc_notify *n = cc_calloc(1, sizeof(*n));

    pthread_mutex_init(&n->lock, NULL);
    n->log = log;
    n->users = 1;
    return n;
}

static void leave(struct cc_notify *n, bool close)
{
    bool last;

    pthread_mutex_lock(&n->lock);
    last = --n->users == 0;
    if (close)
        n->log = NULL;
    pthread_mutex_unlock(&n->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&n->lock);
    free(n);
}

void cc_notify_free(struct cc_notify *n)
{
    if (n)
        leave(n, true);
}

/* As system(3), but with signals as a fresh program expects them: our threads
 * block those that end us, and a command that inherits this, or what it starts
 * in turn, could not be ended by them. -1: it did not run, or what became
 * of it cannot be known. */
static int run_shell(const char *command)
{
    char *const argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    posix_spawnattr_t attr;
    sigset_t none, usual;
    pid_t pid;
    int status = -1;

    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &usual);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!posix_spawn(&pid, "/bin/sh", NULL, &attr, argv, environ))
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    posix_spawnattr_destroy(&attr);
    return status;
}

void cc_notify_run(struct cc_notify *n, const char *command)
{
    int status = run_shell(command);

    if (!status)
        return;
    pthread_mutex_lock(&n->lock);
    if (n->log)
        cc_log(n->log, "runCommand error: system(%s) returned %d", command,
               status);
    pthread_mutex_unlock(&n->lock);
}

static void *run_command(void *arg)
{
    struct command *c = arg;

    cc_notify_run(c->n, c->text);
    leave(c->n, false);
    free(c->text);
    free(c);
    return NULL;
}

static const char *word_of(char letter, const struct cc_notify_word *words,
                           size_t count)
{
    for (size_t i = 0; letter && i < count; i++)
        if (words[i].letter == letter)
            return words[i].text;
    return NULL;
}

static char *fill(const char *command, const struct cc_notify_word *words,
                  size_t count)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    for (; *command; command++) {
        const char *word =
            *command == '%' ? word_of(command[1], words, count) : NULL;

        if (word) {
            cc_write_bytes(&w, word, strlen(word));
            command++;
        } else {
            cc_write_u8(&w, (uint8_t)*command);
        }
    }
    cc_write_u8(&w, '\0');
    return (char *)cc_writer_take(&w, NULL);
}

void cc_notify_spawn(struct cc_notify *n, const char *command,
                     const struct cc_notify_word *words, size_t count)
{
    struct command *c = cc_calloc(1, sizeof(*c));
    pthread_attr_t attr;
    pthread_t thread;

    c->n = n;
    c->text = fill(command, words, count);
    pthread_mutex_lock(&n->lock);
    n->users++;
    pthread_mutex_unlock(&n->lock);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, run_command, c)) {
        leave(n, false);
        free(c->text);
        free(c);
    }
    pthread_attr_destroy(&attr);
}

char *cc_notify_quote(const char *text)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_write_u8(&w, '\'');
    for (; *text; text++)
        if (*text == '\'')
            cc_write_bytes(&w, "'\"'\"'", 5);
        else
            cc_write_u8(&w, (uint8_t)*text);
    cc_write_bytes(&w, "'", 2);
    return (char *)cc_writer_take(&w, NULL);
}
