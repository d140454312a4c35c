/*
 * cloudcoind: the daemon. Reads the options, goes into the background if
 * asked, starts the node and waits for the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node.h"
#include "node_options.h"
#include "options.h"
#include "rpc/settings.h"
#include "util/mem.h"

/* How often the disk is looked at while nothing else happens. */
#define CHECK_S 1

static void say_error(const struct cc_setup *setup, const struct cc_error *err)
{
    fprintf(stderr, "%s%s\n", cc_node_error_caption(setup, err), err->text);
}

static void say_warnings(const struct cc_args *args)
{
    const char *w;

    for (size_t i = 0; (w = cc_args_warning(args, i)); i++)
        if (!strncmp(w, "-includeconf", 12))
            fprintf(stderr, "warning: %s\n", w);
    for (size_t i = 0; (w = cc_args_unknown_section(args, i)); i++)
        fprintf(stderr, "%s%s\n", i ? "" : "Warning: ", w);
}

static void print_help(const struct cc_setup *s)
{
    char *text =
        cc_args_help(s->args, cc_args_get_bool(s->args, "help-debug", false));

    printf("CloudCoin daemon version %s\n\n"
           "Usage:  cloudcoind [options]                     Start CloudCoin\n"
           "\n%s",
           cc_setup_version(), text);
    free(text);
}

/* Signals that end us or mean something to us wait for sigtimedwait; every
 * thread started later inherits this. */
static void block_signals(sigset_t *set)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1); /* from the starter */
    pthread_sigmask(SIG_BLOCK, set, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static void detach(int tell)
{
    int null = open("/dev/null", O_RDWR);
    char ok = 0;

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        if (null > STDERR_FILENO)
            close(null);
    }
    if (tell >= 0) {
        if (write(tell, &ok, 1) != 1)
            ok = 1; /* -daemon: nobody listens */
        close(tell);
    }
}

/* The node, starting on a thread of its own and then running. */
struct daemon {
    const struct cc_setup *setup;
    pthread_t main, starter;
    struct cc_node_hooks hooks;
    atomic_bool stop;  /* main's wish */
    atomic_bool ready; /* the starter is done; what follows may be read */
    struct cc_node *node;
    enum cc_status status;
    struct cc_error err;
};

/* Asked from any thread: the main one wakes up as if by `kill`. */
static void request_stop(void *arg)
{
    pthread_kill(((const struct daemon *)arg)->main, SIGTERM);
}

static void *run_starter(void *arg)
{
    struct daemon *d = arg;

    d->status = cc_node_start(&d->node, d->setup, &d->hooks, &d->err);
    atomic_store(&d->ready, true);
    pthread_kill(d->main, SIGUSR1);
    return NULL;
}

static int check(struct daemon *d)
{
    struct cc_error err;

    if (cc_node_check(d->node, &err) == CC_OK)
        return EXIT_SUCCESS;
    say_error(d->setup, &err);
    return EXIT_FAILURE;
}

/* Until the end is asked for or comes by itself; the exit status. */
static int run(struct daemon *d, const sigset_t *signals, int tell, bool wait)
{
    struct timespec interval = {CHECK_S, 0};
    bool started = false;
    int status = EXIT_SUCCESS;

    while (status == EXIT_SUCCESS) {
        int sig = sigtimedwait(signals, NULL, &interval);

        if (!started && atomic_load(&d->ready)) {
            pthread_join(d->starter, NULL);
            started = true;
            if (d->status != CC_OK) {
                if (d->stop)
                    return EXIT_SUCCESS;
                say_error(d->setup, &d->err);
                return EXIT_FAILURE;
            }
            if (wait)
                detach(tell);
        }
        if (sig == SIGINT || sig == SIGTERM)
            d->stop = true;
        if (started && d->stop)
            break;
        if (started && sig == SIGHUP)
            cc_node_reopen_log(d->node);
        else if (started && sig < 0)
            status = check(d);
    }
    d->stop = true;
    return status;
}

/* The child goes on with a pipe on which it tells how starting went; the
 * parent ends at once (-daemon) or when it has heard. */
static int go_background(const char *product, bool wait, int *tell)
{
    int fds[2], status;
    char answer = 1;
    pid_t pid;

    if (pipe(fds))
        return -1;
    fflush(NULL);
    pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        close(fds[0]);
        setsid();
        fcntl(fds[1], F_SETFD, FD_CLOEXEC);
        *tell = fds[1];
        return 0;
    }
    close(fds[1]);
    printf("%s starting\n", product);
    if (!wait)
        exit(EXIT_SUCCESS);
    if (read(fds[0], &answer, 1) != 1) {
        waitpid(pid, &status, 0);
        answer = 1;
    }
    exit(answer);
}

static enum cc_status judge(const struct cc_setup *setup, struct cc_error *err)
{
    enum cc_status st = cc_option_absent(setup->args, err);

    return st == CC_OK ? cc_option_check(setup, err) : st;
}

/* All that can be said before anything is started. settings.json may say more
 * than command line and file, but it is touched only when they are good and
 * nobody else runs here. */
static enum cc_status prepare(const struct cc_setup *setup,
                              struct cc_error *err)
{
    enum cc_status st = cc_setup_check_conf(setup, err);
    char *settings = cc_option_settings(setup);

    if (st == CC_OK)
        st = judge(setup, err);
    if (st == CC_OK)
        st = cc_option_misplaced(setup, err);
    if (st == CC_OK)
        st = cc_node_probe(setup, err);
    if (st == CC_OK && settings) {
        st = cc_settings_open(settings, cc_params_product(setup->params),
                              setup->args, err);
        if (st == CC_OK)
            st = judge(setup, err);
    }
    free(settings);
    return st;
}

static int start_and_run(const struct cc_setup *setup)
{
    bool wait, background;
    struct daemon d = {.setup = setup};
    sigset_t signals;
    int tell = -1, status;

    cc_error_init(&d.err);
    if (prepare(setup, &d.err) != CC_OK) {
        say_error(setup, &d.err);
        return EXIT_FAILURE;
    }
    say_warnings(setup->args);
    wait = cc_args_get_bool(setup->args, "daemonwait", false);
    background = wait || cc_args_get_bool(setup->args, "daemon", false);
    if (background &&
        go_background(cc_params_product(setup->params), wait, &tell)) {
        fprintf(stderr, "Error: fork() failed: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    block_signals(&signals);
    if (background && !wait)
        detach(tell); /* who started us has nothing to wait for */
    d.main = pthread_self();
    d.hooks = (struct cc_node_hooks){request_stop, &d, &d.stop};
    if (pthread_create(&d.starter, NULL, run_starter, &d)) {
        fprintf(stderr, "Error: cannot start a thread\n");
        return EXIT_FAILURE;
    }
    status = run(&d, &signals, tell, wait);
    if (cc_node_free(d.node))
        return status;
    fprintf(stderr, "Error: %s\n", CC_CHAIN_FATAL);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct cc_setup setup;
    struct cc_error err;
    int status = EXIT_FAILURE;

    umask(077);
    cc_mem_keep();
    cc_error_init(&err);
    if (cc_setup_load(&setup, cc_daemon_options, cc_daemon_option_count,
                      argc - 1, argv + 1, false, &err) != CC_OK) {
        if (!strncmp(err.text, "Command line", 12))
            fprintf(stderr,
                    "Error: %s, see cloudcoind -h for a list of options.\n",
                    err.text);
        else
            say_error(&setup, &err);
    } else if (cc_args_get_bool(setup.args, "version", false)) {
        printf("CloudCoin daemon version %s\n%s", cc_setup_version(),
               cc_setup_license());
        status = EXIT_SUCCESS;
    } else if (!setup.params) {
        print_help(&setup);
        status = EXIT_SUCCESS;
    } else {
        status = start_and_run(&setup);
    }
    cc_setup_clear(&setup);
    return status;
}
