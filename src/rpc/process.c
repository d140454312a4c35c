#include "rpc/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"

#define MAX_ERROR_LINE 1000
#define CHECK_MS 100 /* how soon the end of a child is seen at the latest */

extern char **environ;

struct line {
    struct line *next;
    char *text;
    size_t len;
};

/* Bytes read that do not make a line yet. */
struct partial {
    int fd; /* -1: closed */
    char *data;
    size_t len, cap, scanned;
    size_t max;
    bool overrun;
};

struct cc_process {
    pid_t pid;
    int in;                     /* our end of its standard input */
    struct partial out, errors; /* the reader's */
    struct cc_process_events events;
    pthread_t reader, writer;
    bool reader_started, writer_started;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t more, over;
    struct line *head, **tail;
    size_t queued;
    bool closing; /* its input is to be closed */
    bool ended;   /* reaped: pid means nothing any more */
};

/* --- Reading ----------------------------------------------------------- */

/* What is there, once. False: the end, or (then overrun) longer than allowed.
 */
static bool read_some(struct partial *b)
{
    ssize_t n;

    if (b->len == b->cap) {
        b->overrun = b->len >= b->max;
        if (b->overrun)
            return false;
        b->cap = b->cap ? 2 * b->cap : 4096;
        b->cap = b->cap > b->max ? b->max : b->cap;
        b->data = cc_reallocarray(b->data, b->cap + 1, 1);
    }
    do
        n = read(b->fd, b->data + b->len, b->cap - b->len);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    b->len += (size_t)n;
    return true;
}

/* The next whole line, or NULL; then what is left moves to the front. */
static char *next_line(struct partial *b, size_t *from, size_t *len)
{
    size_t start = *from;
    char *end;

    if (b->scanned < start)
        b->scanned = start;
    end = b->len > b->scanned
              ? memchr(b->data + b->scanned, '\n', b->len - b->scanned)
              : NULL;
    if (!end) {
        memmove(b->data, b->data + start, b->len - start);
        b->len -= start;
        b->scanned = b->len;
        return NULL;
    }
    *end = '\0';
    *len = (size_t)(end - b->data) - start;
    *from = start + *len + 1;
    return b->data + start;
}

static bool take_output(struct cc_process *p)
{
    size_t from = 0, len;
    char *line;

    if (!read_some(&p->out))
        return false;
    while ((line = next_line(&p->out, &from, &len)))
        if (len)
            p->events.line(p->events.arg, line, len);
    return true;
}

/* Long lines come in pieces: it is only for the log. */
static bool take_errors(struct cc_process *p)
{
    struct partial *b = &p->errors;
    size_t from = 0, len;
    char *line;

    if (!read_some(b))
        return false;
    while ((line = next_line(b, &from, &len)))
        p->events.error_line(p->events.arg, line);
    if (b->len >= b->max) {
        b->data[b->len] = '\0';
        p->events.error_line(p->events.arg, b->data);
        b->len = b->scanned = 0;
    }
    return true;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* One round of waiting for either pipe; false: nothing was there. */
static bool take_round(struct cc_process *p, int timeout_ms)
{
    struct pollfd fds[2] = {{p->out.fd, POLLIN, 0}, {p->errors.fd, POLLIN, 0}};

    if (p->out.fd < 0 && p->errors.fd < 0) {
        struct timespec t = {0, (long)timeout_ms * 1000000};

        nanosleep(&t, NULL);
        return false;
    }
    if (poll(fds, 2, timeout_ms) <= 0)
        return false;
    if (fds[0].revents && p->out.fd >= 0 && !take_output(p))
        close_fd(&p->out.fd);
    if (fds[1].revents && p->errors.fd >= 0 && !take_errors(p))
        close_fd(&p->errors.fd);
    return true;
}

static void kill_group(struct cc_process *p)
{
    kill(-p->pid, SIGKILL);
    kill(p->pid, SIGKILL);
}

/* Until the child is gone and its pipes are empty. Then its whole group goes,
 * before it is reaped, while its id can belong to nobody else. */
static void *run_reader(void *arg)
{
    struct cc_process *p = arg;
    int64_t mute_ms = 0; /* since when it says nothing more */
    siginfo_t info;
    char how[64];
    int status = 0;
    bool gone = false;

    while (!gone) {
        take_round(p, CHECK_MS);
        if (p->out.fd < 0 && !mute_ms) {
            mute_ms = cc_clock_monotonic_ms();
            cc_process_close(p);
        }
        if (mute_ms && (p->out.overrun ||
                        cc_clock_monotonic_ms() - mute_ms > CC_PROCESS_MUTE_MS))
            cc_process_kill(p);
        memset(&info, 0, sizeof(info));
        gone =
            !waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
            info.si_pid == p->pid;
    }
    while ((p->out.fd >= 0 || p->errors.fd >= 0) && take_round(p, 0))
        ;
    kill(-p->pid, SIGKILL);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(status))
        snprintf(how, sizeof(how), "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof(how), "exited with status %d",
                 WEXITSTATUS(status));
    pthread_mutex_lock(&p->lock);
    p->ended = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    p->events.ended(p->events.arg, how);
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->over);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* --- Writing ----------------------------------------------------------- */

static void *run_writer(void *arg)
{
    struct cc_process *p = arg;
    struct line *l;
    bool ok = true;

    pthread_mutex_lock(&p->lock);
    while (ok && !p->ended) {
        if (!p->head) {
            if (p->closing)
                break;
            pthread_cond_wait(&p->more, &p->lock);
            continue;
        }
        l = p->head;
        p->head = l->next;
        if (!p->head)
            p->tail = &p->head;
        p->queued -= l->len;
        pthread_mutex_unlock(&p->lock);
        ok = cc_fs_write_all(p->in, l->text, l->len, NULL) == CC_OK;
        free(l->text);
        free(l);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    close(p->in);
    return NULL;
}

void cc_process_send(struct cc_process *p, char *text)
{
    struct line *l = cc_calloc(1, sizeof(*l));

    l->len = strlen(text);
    l->text = cc_reallocarray(text, l->len + 2, 1);
    l->text[l->len++] = '\n';
    pthread_mutex_lock(&p->lock);
    if (!p->ended && !p->closing &&
        p->queued + l->len <= CC_PROCESS_MAX_QUEUE) {
        *p->tail = l;
        p->tail = &l->next;
        p->queued += l->len;
        l = NULL;
        pthread_cond_broadcast(&p->more);
    } else if (!p->ended && !p->closing) {
        kill_group(p); /* it does not read what it asked for */
    }
    pthread_mutex_unlock(&p->lock);
    if (l) {
        free(l->text);
        free(l);
    }
}

void cc_process_close(struct cc_process *p)
{
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
}

/* --- Start and end ----------------------------------------------------- */

static enum cc_status make_pipe(int fds[2], struct cc_error *err)
{
    if (pipe2(fds, O_CLOEXEC))
        return cc_fail_errno(err, "pipe");
    return CC_OK;
}

/* Signals as a fresh program expects them, not as our threads have them. */
static void plain_signals(posix_spawnattr_t *attr)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setsigdefault(attr, &all);
    posix_spawnattr_setpgroup(attr, 0);
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF |
                                       POSIX_SPAWN_SETPGROUP);
}

static int spawn(pid_t *pid, const char *const *argv, const char *beside,
                 const int fds[3])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char *path = NULL;
    int error;

    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attr);
    plain_signals(&attr);
    if (beside && !strchr(argv[0], '/')) {
        path = cc_fs_join(beside, argv[0]);
        if (access(path, X_OK)) {
            free(path);
            path = NULL;
        }
    }
    error = posix_spawnp(pid, path ? path : argv[0], &actions, &attr,
                         (char *const *)argv, environ);
    free(path);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static enum cc_status start_threads(struct cc_process *p, struct cc_error *err)
{
    if (pthread_create(&p->writer, NULL, run_writer, p))
        return cc_fail_errno(err, "start a thread");
    p->writer_started = true;
    if (pthread_create(&p->reader, NULL, run_reader, p))
        return cc_fail_errno(err, "start a thread");
    p->reader_started = true;
    return CC_OK;
}

enum cc_status cc_process_start(struct cc_process **out,
                                const char *const *argv, const char *beside,
                                const struct cc_process_events *events,
                                struct cc_error *err)
{
    int in[2] = {-1, -1}, output[2] = {-1, -1}, errors[2] = {-1, -1}, e;
    struct cc_process *p;
    pthread_condattr_t attr;
    pid_t pid = 0;
    enum cc_status st;

    st = make_pipe(in, err);
    if (st == CC_OK)
        st = make_pipe(output, err);
    if (st == CC_OK)
        st = make_pipe(errors, err);
    if (st == CC_OK) {
        int fds[3] = {in[0], output[1], errors[1]};

        e = spawn(&pid, argv, beside, fds);
        if (e)
            st = cc_fail(err, CC_INVALID, "cannot start %s: %s", argv[0],
                         strerror(e));
    }
    close_fd(&in[0]);
    close_fd(&output[1]);
    close_fd(&errors[1]);
    if (st != CC_OK) {
        close_fd(&in[1]);
        close_fd(&output[0]);
        close_fd(&errors[0]);
        return st;
    }
    p = cc_calloc(1, sizeof(*p));
    p->pid = pid;
    p->in = in[1];
    p->out = (struct partial){.fd = output[0], .max = CC_PROCESS_MAX_LINE};
    p->errors = (struct partial){.fd = errors[0], .max = MAX_ERROR_LINE};
    p->events = *events;
    p->tail = &p->head;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->over, &attr);
    pthread_condattr_destroy(&attr);
    st = start_threads(p, err);
    if (st != CC_OK) {
        cc_process_free(p);
        return st;
    }
    *out = p;
    return CC_OK;
}

bool cc_process_wait(struct cc_process *p, int64_t timeout_ms)
{
    int64_t until = cc_clock_monotonic_ms() + timeout_ms;
    struct timespec ts = {(time_t)(until / 1000),
                          (long)(until % 1000) * 1000000};
    bool ended;
    int timed_out = 0;

    pthread_mutex_lock(&p->lock);
    while (!p->ended && !timed_out)
        timed_out = pthread_cond_timedwait(&p->over, &p->lock, &ts);
    ended = p->ended;
    pthread_mutex_unlock(&p->lock);
    return ended;
}

void cc_process_kill(struct cc_process *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    if (!p->ended)
        kill_group(p);
    pthread_mutex_unlock(&p->lock);
}

void cc_process_free(struct cc_process *p)
{
    struct line *l;

    if (!p)
        return;
    cc_process_kill(p);
    if (p->reader_started)
        pthread_join(p->reader, NULL);
    else
        waitpid(p->pid, NULL, 0);
    cc_process_close(p);
    if (p->writer_started)
        pthread_join(p->writer, NULL);
    else
        close(p->in);
    while ((l = p->head)) {
        p->head = l->next;
        free(l->text);
        free(l);
    }
    close_fd(&p->out.fd);
    close_fd(&p->errors.fd);
    free(p->out.data);
    free(p->errors.data);
    pthread_cond_destroy(&p->over);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
