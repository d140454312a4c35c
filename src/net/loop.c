#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "util/mem.h"

/*
 * libevent's own locking stays off: only the loop's thread touches its
 * objects. Other threads put closures into a list and write one byte into a
 * pipe, whose other end is an event like any other.
 */
struct posted {
    struct posted *next;
    void (*fn)(void *arg);
    void *arg;
};

struct cc_loop {
    struct event_base *base;
    struct evdns_base *dns; /* made when the first name is looked up */
    struct lookup *lookups; /* under way */
    struct event *wake;
    int pipe[2];
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* of the rest */
    struct posted *first, **last;
    bool stopped;
};

static void run_posted(struct cc_loop *l)
{
    struct posted *p, *next;

    pthread_mutex_lock(&l->lock);
    p = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    for (; p; p = next) {
        next = p->next;
        p->fn(p->arg);
        free(p);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    char buf[256];
    ssize_t n;

    (void)what;
    do {
        n = read(fd, buf, sizeof(buf));
    } while (n == (ssize_t)sizeof(buf));
    run_posted(arg);
}

static bool set_flags(int fd)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

enum cc_status cc_loop_new(struct cc_loop **out, struct cc_error *err)
{
    struct cc_loop *l = cc_calloc(1, sizeof(*l));

    if (pipe(l->pipe) != 0) {
        free(l);
        return cc_fail_errno(err, "event loop: pipe");
    }
    l->base = event_base_new();
    if (l->base && set_flags(l->pipe[0]) && set_flags(l->pipe[1]))
        l->wake =
            event_new(l->base, l->pipe[0], EV_READ | EV_PERSIST, on_wake, l);
    if (!l->wake || event_add(l->wake, NULL) != 0) {
        if (l->wake)
            event_free(l->wake);
        if (l->base)
            event_base_free(l->base);
        close(l->pipe[0]);
        close(l->pipe[1]);
        free(l);
        return cc_fail(err, CC_IO, "event loop: libevent cannot start");
    }
    pthread_mutex_init(&l->lock, NULL);
    l->last = &l->first;
    *out = l;
    return CC_OK;
}

static void *loop_main(void *arg)
{
    struct cc_loop *l = arg;

    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

enum cc_status cc_loop_start(struct cc_loop *l, struct cc_error *err)
{
    int e = pthread_create(&l->thread, NULL, loop_main, l);

    if (e) {
        errno = e;
        return cc_fail_errno(err, "event loop: cannot start its thread");
    }
    l->started = true;
    return CC_OK;
}

bool cc_loop_post(struct cc_loop *l, void (*fn)(void *arg), void *arg)
{
    struct posted *p = cc_malloc(sizeof(*p));
    bool stopped, first;

    p->next = NULL;
    p->fn = fn;
    p->arg = arg;
    pthread_mutex_lock(&l->lock);
    stopped = l->stopped;
    first = !l->first;
    if (!stopped) {
        *l->last = p;
        l->last = &p->next;
    }
    pthread_mutex_unlock(&l->lock);
    if (stopped) {
        free(p);
        return false;
    }
    /* A full pipe is as good as a byte: the reader is going to wake. */
    if (first && write(l->pipe[1], "", 1) < 0)
        return true;
    return true;
}

/* --- Names ---------------------------------------------------------------- */

struct lookup {
    struct cc_loop *loop;
    struct lookup *next, **at; /* of the loop's list */
    void (*fn)(void *arg, const struct cc_netaddr *addr, size_t count);
    void *arg;
};

#define LOOKUP_MAX 32 /* addresses of one name */

/* Never answered. */
static void forget_lookup(struct lookup *k)
{
    *k->at = k->next;
    if (k->next)
        k->next->at = k->at;
    free(k->arg);
    free(k);
}

static struct evdns_base *name_service(struct cc_loop *l)
{
    if (!l->dns)
        l->dns = evdns_base_new(l->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                             EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    return l->dns;
}

static void on_lookup(int result, struct evutil_addrinfo *res, void *arg)
{
    struct lookup *k = arg;
    struct cc_netaddr found[LOOKUP_MAX];
    bool stopped;
    size_t n = 0;

    for (struct evutil_addrinfo *i = res; !result && i; i = i->ai_next)
        if (n < LOOKUP_MAX && cc_netaddr_from_sockaddr(&found[n], i->ai_addr))
            n++;
    if (res)
        evutil_freeaddrinfo(res);
    pthread_mutex_lock(&k->loop->lock);
    stopped = k->loop->stopped;
    pthread_mutex_unlock(&k->loop->lock);
    if (stopped) {
        forget_lookup(k);
        return;
    }
    k->fn(k->arg, found, n);
    k->arg = NULL;
    forget_lookup(k);
}

void cc_loop_resolve(struct cc_loop *l, const char *name,
                     void (*fn)(void *arg, const struct cc_netaddr *addr,
                                size_t count),
                     void *arg)
{
    struct evutil_addrinfo hints;
    struct lookup *k = cc_calloc(1, sizeof(*k));

    memset(&hints, 0, sizeof(hints));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    k->loop = l;
    k->fn = fn;
    k->arg = arg;
    k->at = &l->lookups;
    k->next = l->lookups;
    if (k->next)
        k->next->at = &k->next;
    l->lookups = k;
    if (name_service(l))
        evdns_getaddrinfo(l->dns, name, NULL, &hints, on_lookup, k);
    else
        on_lookup(EVUTIL_EAI_FAIL, NULL, k);
}

static void break_loop(void *arg)
{
    struct cc_loop *l = arg;

    event_base_loopbreak(l->base);
}

void cc_loop_stop(struct cc_loop *l)
{
    if (l->started) {
        cc_loop_post(l, break_loop, l);
        pthread_join(l->thread, NULL);
        l->started = false;
    }
    run_posted(l); /* of other threads, behind the break */
    pthread_mutex_lock(&l->lock);
    l->stopped = true;
    pthread_mutex_unlock(&l->lock);
    run_posted(l);
}

void cc_loop_free(struct cc_loop *l)
{
    if (!l)
        return;
    cc_loop_stop(l);
    if (l->dns) {
        /* Questions under way fail, but only the loop tells them so. */
        evdns_base_free(l->dns, 1);
        for (int i = 0; i < 4 && l->lookups; i++)
            event_base_loop(l->base, EVLOOP_NONBLOCK);
    }
    while (l->lookups)
        forget_lookup(l->lookups);
    event_free(l->wake);
    /* What is left of streams that were freed waits for a last turn. */
    event_base_loop(l->base, EVLOOP_NONBLOCK);
    event_base_free(l->base);
    close(l->pipe[0]);
    close(l->pipe[1]);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* --- Timers --------------------------------------------------------------- */

struct cc_timer {
    struct event *ev;
    void (*fn)(void *arg);
    void *arg;
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct cc_timer *t = arg;

    (void)fd;
    (void)what;
    t->fn(t->arg);
}

struct cc_timer *cc_timer_new(struct cc_loop *l, void (*fn)(void *arg),
                              void *arg)
{
    struct cc_timer *t = cc_malloc(sizeof(*t));

    t->fn = fn;
    t->arg = arg;
    t->ev = evtimer_new(l->base, on_timer, t);
    return t;
}

void cc_timer_set(struct cc_timer *t, int64_t ms)
{
    struct timeval tv;

    tv.tv_sec = (time_t)(ms / 1000);
    tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
    evtimer_add(t->ev, &tv);
}

void cc_timer_free(struct cc_timer *t)
{
    if (!t)
        return;
    event_free(t->ev);
    free(t);
}

/* --- Listening ------------------------------------------------------------ */

struct cc_listener {
    struct evconnlistener *ev;
    void (*accepted)(void *arg, int fd, const struct cc_netaddr *peer);
    void *arg;
};

static void on_accept(struct evconnlistener *ev, evutil_socket_t fd,
                      struct sockaddr *sa, int len, void *arg)
{
    struct cc_listener *ls = arg;
    struct cc_netaddr peer;

    (void)ev;
    (void)len;
    if (!cc_netaddr_from_sockaddr(&peer, sa)) {
        close(fd);
        return;
    }
    ls->accepted(ls->arg, fd, &peer);
}

/* Out of descriptors or the like: libevent would call again at once and spin,
 * so take a breath. */
static void on_accept_error(struct evconnlistener *ev, void *arg)
{
    struct timespec pause = {0, 10 * 1000 * 1000};

    (void)ev;
    (void)arg;
    nanosleep(&pause, NULL);
}

static int open_socket(const struct cc_netaddr *addr, const char *text,
                       struct cc_error *err)
{
    struct sockaddr_storage ss;
    socklen_t len;
    int fd, one = 1;

    if (!cc_netaddr_to_sockaddr(addr, &ss, &len)) {
        cc_fail(err, CC_INVALID, "Unable to bind to %s: not an IP address",
                text);
        return -1;
    }
    fd = socket(ss.ss_family, SOCK_STREAM, 0);
    if (fd < 0) {
        cc_fail_errno(err, "Unable to open a socket for %s", text);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (ss.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (!set_flags(fd) || bind(fd, (struct sockaddr *)&ss, len) != 0) {
        if (errno == EADDRINUSE)
            cc_fail(err, CC_LIMIT, "Unable to bind to %s on this computer.",
                    text);
        else
            cc_fail_errno(err, "Unable to bind to %s on this computer", text);
        close(fd);
        return -1;
    }
    return fd;
}

enum cc_status cc_listener_new(struct cc_listener **out, struct cc_loop *l,
                               const struct cc_netaddr *addr,
                               void (*accepted)(void *arg, int fd,
                                                const struct cc_netaddr *peer),
                               void *arg, struct cc_error *err)
{
    struct cc_listener *ls;
    char text[72];
    int fd;

    cc_netaddr_format_port(text, addr);
    fd = open_socket(addr, text, err);
    if (fd < 0)
        return err ? err->status : CC_IO;
    ls = cc_malloc(sizeof(*ls));
    ls->accepted = accepted;
    ls->arg = arg;
    ls->ev = evconnlistener_new(l->base, on_accept, ls,
                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
                                128, fd);
    if (!ls->ev) {
        cc_fail_errno(err, "Unable to listen on %s", text);
        close(fd);
        free(ls);
        return CC_IO;
    }
    evconnlistener_set_error_cb(ls->ev, on_accept_error);
    *out = ls;
    return CC_OK;
}

static bool socket_name(int fd, bool remote, struct cc_netaddr *out)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    int e;

    memset(&ss, 0, sizeof(ss));
    e = remote ? getpeername(fd, (struct sockaddr *)&ss, &len)
               : getsockname(fd, (struct sockaddr *)&ss, &len);
    return e == 0 && cc_netaddr_from_sockaddr(out, (struct sockaddr *)&ss);
}

uint16_t cc_listener_port(const struct cc_listener *ls)
{
    struct cc_netaddr a;

    return socket_name(evconnlistener_get_fd(ls->ev), false, &a) ? a.port : 0;
}

void cc_listener_free(struct cc_listener *ls)
{
    if (!ls)
        return;
    evconnlistener_free(ls->ev);
    free(ls);
}

/* --- Streams -------------------------------------------------------------- */

struct cc_stream {
    struct bufferevent *bev;
    struct cc_stream_ops ops;
    void *arg;
};

static void on_readable(struct bufferevent *bev, void *arg)
{
    struct cc_stream *s = arg;

    (void)bev;
    s->ops.readable(s->arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct cc_stream *s = arg;
    const char *why = "connection closed by peer";

    if (what & BEV_EVENT_CONNECTED) {
        int one = 1;

        setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one,
                   sizeof(one));
        s->ops.connected(s->arg);
        return;
    }
    if (what & BEV_EVENT_TIMEOUT)
        why = "timeout";
    else if (what & BEV_EVENT_ERROR)
        why = bufferevent_socket_get_dns_error(bev)
                  ? "name cannot be resolved"
                  : evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());
    bufferevent_disable(bev, EV_READ | EV_WRITE);
    s->ops.closed(s->arg, why);
}

static void on_output(struct evbuffer *b, const struct evbuffer_cb_info *info,
                      void *arg)
{
    struct cc_stream *s = arg;

    (void)b;
    if (info->n_deleted)
        s->ops.sent(s->arg, info->n_deleted);
}

static struct cc_stream *stream_new(struct cc_loop *l, int fd, size_t max_read,
                                    const struct cc_stream_ops *ops, void *arg)
{
    struct cc_stream *s = cc_calloc(1, sizeof(*s));

    s->ops = *ops;
    s->arg = arg;
    s->bev = bufferevent_socket_new(
        l->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!s->bev)
        cc_malloc(SIZE_MAX); /* out of memory: stops the program */
    bufferevent_setcb(s->bev, on_readable, NULL, on_event, s);
    bufferevent_setwatermark(s->bev, EV_READ, 0, max_read);
    evbuffer_add_cb(bufferevent_get_output(s->bev), on_output, s);
    return s;
}

struct cc_stream *cc_stream_accept(struct cc_loop *l, int fd, size_t max_read,
                                   const struct cc_stream_ops *ops, void *arg)
{
    struct cc_stream *s;
    int one = 1;

    set_flags(fd);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    s = stream_new(l, fd, max_read, ops, arg);
    bufferevent_disable(s->bev, EV_READ);
    bufferevent_enable(s->bev, EV_WRITE);
    return s;
}

struct cc_stream *cc_stream_connect(struct cc_loop *l, const char *host,
                                    uint16_t port, int64_t timeout_ms,
                                    size_t max_read,
                                    const struct cc_stream_ops *ops, void *arg)
{
    struct cc_stream *s = stream_new(l, -1, max_read, ops, arg);
    struct timeval tv;
    struct cc_netaddr a;
    struct sockaddr_storage ss;
    socklen_t len;
    int e;

    tv.tv_sec = (time_t)(timeout_ms / 1000);
    tv.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000);
    /* While connecting the write timeout is the one for connecting. */
    bufferevent_set_timeouts(s->bev, NULL, &tv);
    bufferevent_enable(s->bev, EV_WRITE);
    if (cc_netaddr_parse(&a, host, port) &&
        cc_netaddr_to_sockaddr(&a, &ss, &len)) {
        e = bufferevent_socket_connect(s->bev, (struct sockaddr *)&ss,
                                       (int)len);
    } else {
        e = name_service(l) ? bufferevent_socket_connect_hostname(
                                  s->bev, l->dns, AF_UNSPEC, host, port)
                            : -1;
    }
    if (e != 0) {
        cc_stream_free(s);
        return NULL;
    }
    return s;
}

void cc_stream_free(struct cc_stream *s)
{
    if (!s)
        return;
    evbuffer_remove_cb(bufferevent_get_output(s->bev), on_output, s);
    bufferevent_setcb(s->bev, NULL, NULL, NULL, NULL);
    bufferevent_free(s->bev);
    free(s);
}

void cc_stream_resume(struct cc_stream *s)
{
    bufferevent_set_timeouts(s->bev, NULL, NULL);
    bufferevent_enable(s->bev, EV_READ);
}

void cc_stream_pause(struct cc_stream *s)
{
    bufferevent_disable(s->bev, EV_READ);
}

size_t cc_stream_available(const struct cc_stream *s)
{
    return evbuffer_get_length(bufferevent_get_input(s->bev));
}

void cc_stream_peek(const struct cc_stream *s, void *out, size_t len)
{
    evbuffer_copyout(bufferevent_get_input(s->bev), out, len);
}

size_t cc_stream_look(const struct cc_stream *s, void *out, size_t size)
{
    size_t len = cc_stream_available(s);

    if (len > size)
        len = size;
    cc_stream_peek(s, out, len);
    return len;
}

void cc_stream_read(struct cc_stream *s, void *out, size_t len)
{
    evbuffer_remove(bufferevent_get_input(s->bev), out, len);
}

void cc_stream_skip(struct cc_stream *s, size_t len)
{
    evbuffer_drain(bufferevent_get_input(s->bev), len);
}

void cc_stream_write(struct cc_stream *s, const void *data, size_t len)
{
    bufferevent_write(s->bev, data, len);
}

bool cc_stream_local(const struct cc_stream *s, struct cc_netaddr *out)
{
    return socket_name(bufferevent_getfd(s->bev), false, out);
}

bool cc_stream_remote(const struct cc_stream *s, struct cc_netaddr *out)
{
    return socket_name(bufferevent_getfd(s->bev), true, out);
}
