/* Renters come in: one thread accepts, one a session. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "crypto/ec.h"
#include "storage/host_i.h"
#include "storage/session.h"
#include "util/mem.h"

#define BACKLOG 64
#define POLL_MS 500    /* how late a stop may be noticed */
#define IDLE_MS 300000 /* a session that says nothing is closed */
#define HANDSHAKE_MS 10000
#define OFFER_MS 60000 /* coins are locked for an offer no longer than that */
#define KEY_WAIT_MS 20000 /* the wallet is asked for our key at the start */
#define SHARE 4 /* one address has at most this part of all sessions */

struct cc_host_session {
    struct cc_host_session *next;
    struct cc_host *host;
    int fd;
    uint8_t address[16]; /* IPv4 in its IPv6 form */
};

static bool stopping(struct cc_host *h)
{
    bool stop;

    pthread_mutex_lock(&h->lock);
    stop = h->stop;
    pthread_mutex_unlock(&h->lock);
    return stop;
}

/* --- One session ---------------------------------------------------------- */

/* Wait for a question in short turns, to notice a stop. CC_NOTFOUND: the
 * peer is done, or silent for too long, or we stop. */
static enum cc_status next_question(struct cc_host *h, struct cc_session *s,
                                    struct cc_message *m, int limit_ms,
                                    struct cc_error *err)
{
    enum cc_status st;

    for (int waited = 0; waited < limit_ms; waited += POLL_MS) {
        if (stopping(h))
            return CC_NOTFOUND;
        st = cc_session_receive(s, m, POLL_MS, err);
        if (st != CC_LIMIT)
            return st;
    }
    return CC_NOTFOUND;
}

static void talk(struct cc_host *h, struct cc_session *s)
{
    struct cc_host_scratch scratch;
    struct cc_message *m = cc_calloc(2, sizeof(*m)), *reply = m + 1;
    enum cc_status st = CC_OK;
    struct cc_error err;

    cc_host_scratch_init(&scratch);
    cc_error_init(&err);
    while (st == CC_OK) {
        st = next_question(h, s, m, scratch.offer ? OFFER_MS : IDLE_MS, &err);
        if (st != CC_OK)
            break;
        cc_host_serve(h, cc_session_peer(s), m, reply, &scratch);
        st = cc_session_send(s, reply, &err);
    }
    if (st != CC_NOTFOUND)
        cc_debug(h->config.log, CC_LOG_STORAGE, "session: %s", err.text);
    cc_host_scratch_clear(h, &scratch);
    free(m);
}

static void leave(struct cc_host_session *session)
{
    struct cc_host *h = session->host;
    struct cc_host_session **at;

    pthread_mutex_lock(&h->lock);
    for (at = &h->sessions; *at != session; at = &(*at)->next)
        ;
    *at = session->next;
    h->session_count--;
    pthread_cond_broadcast(&h->session_ended);
    pthread_mutex_unlock(&h->lock);
    free(session);
}

/* Our secret, as soon as the wallet has told it. */
static bool wait_for_key(struct cc_host *h, uint8_t secret[32])
{
    const struct timespec pause = {0, 50 * 1000000};
    bool ready = false;

    for (int waited = 0; !ready && waited < KEY_WAIT_MS; waited += 50) {
        if (waited)
            nanosleep(&pause, NULL);
        pthread_mutex_lock(&h->lock);
        ready = h->has_key;
        memcpy(secret, h->secret, 32);
        if (h->stop)
            waited = KEY_WAIT_MS;
        pthread_mutex_unlock(&h->lock);
    }
    return ready;
}

static void *run_session(void *arg)
{
    struct cc_host_session *session = arg;
    struct cc_host *h = session->host;
    uint8_t secret[32];
    struct cc_session *s;
    struct cc_error err;

    cc_error_init(&err);
    if (!wait_for_key(h, secret)) {
        close(session->fd);
    } else if (cc_session_accept(&s, h->config.ec, session->fd, secret,
                                 HANDSHAKE_MS, &err) != CC_OK) {
        cc_debug(h->config.log, CC_LOG_STORAGE, "session: %s", err.text);
    } else {
        talk(h, s);
        cc_session_free(s);
    }
    cc_cleanse(secret, sizeof(secret));
    leave(session);
    return NULL;
}

/* --- Accepting ------------------------------------------------------------ */

static void read_address(uint8_t out[16], const struct sockaddr_storage *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    memset(out, 0, 16);
    if (a->ss_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
    } else if (a->ss_family == AF_INET) {
        memcpy(out, mapped, 12);
        memcpy(out + 12, &((const struct sockaddr_in *)a)->sin_addr, 4);
    }
}

/* No room, or this address has its share. Locked. */
static bool is_full(const struct cc_host *h, const uint8_t address[16])
{
    const size_t max = h->config.sessions_max;
    size_t same = 0;

    for (const struct cc_host_session *s = h->sessions; s; s = s->next)
        same += !memcmp(s->address, address, 16);
    return h->session_count >= max || same > max / SHARE;
}

static void start_session(struct cc_host *h, int fd,
                          const struct sockaddr_storage *from)
{
    uint8_t address[16];
    struct cc_host_session *session;
    pthread_attr_t attr;
    pthread_t thread;
    bool full;

    read_address(address, from);
    pthread_mutex_lock(&h->lock);
    full = is_full(h, address);
    if (!full) {
        session = cc_calloc(1, sizeof(*session));
        session->host = h;
        session->fd = fd;
        memcpy(session->address, address, 16);
        session->next = h->sessions;
        h->sessions = session;
        h->session_count++;
    }
    pthread_mutex_unlock(&h->lock);
    if (full) {
        close(fd);
        return;
    }
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, run_session, session)) {
        close(fd);
        leave(session);
    }
    pthread_attr_destroy(&attr);
}

static void *accept_all(void *arg)
{
    struct cc_host *h = arg;
    struct pollfd p = {h->listen_fd, POLLIN, 0};
    struct sockaddr_storage from;
    socklen_t len;
    int fd;

    while (!stopping(h)) {
        if (poll(&p, 1, POLL_MS) <= 0)
            continue;
        len = sizeof(from);
        fd =
            accept4(h->listen_fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
        if (fd >= 0)
            start_session(h, fd, &from);
    }
    return NULL;
}

/* "host:port" or "[v6]:port" into its two words, for free. */
static bool split_address(const char *text, char **host, char **port)
{
    const char *colon = strrchr(text, ':');
    size_t len;

    if (!colon || !colon[1])
        return false;
    len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && colon[-1] == ']') {
        text++;
        len -= 2;
    }
    *host = cc_asprintf("%.*s", (int)len, text);
    *port = cc_strdup(colon + 1);
    return true;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);

    if (getsockname(fd, (struct sockaddr *)&a, &len))
        return 0;
    return ntohs(a.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)&a)->sin6_port
                     : ((struct sockaddr_in *)&a)->sin_port);
}

static enum cc_status bind_address(struct cc_host *h, const char *host,
                                   const char *port, struct cc_error *err)
{
    struct addrinfo hints, *list = NULL;
    int one = 1, fault;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    fault = getaddrinfo(*host ? host : NULL, port, &hints, &list);
    if (fault)
        return cc_fail(err, CC_INVALID, "-listen=%s:%s: %s", host, port,
                       gai_strerror(fault));
    h->listen_fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (h->listen_fd >= 0)
        setsockopt(h->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    fault = h->listen_fd < 0 ||
            bind(h->listen_fd, list->ai_addr, list->ai_addrlen) ||
            listen(h->listen_fd, BACKLOG);
    freeaddrinfo(list);
    if (fault)
        return cc_fail_errno(err, "cannot listen on %s:%s", host, port);
    h->port = port_of(h->listen_fd);
    return CC_OK;
}

enum cc_status cc_host_listen(struct cc_host *h, struct cc_error *err)
{
    char *host, *port;
    enum cc_status st;

    if (!h->listen)
        return CC_OK;
    if (!split_address(h->listen, &host, &port))
        return cc_fail(err, CC_INVALID, "-listen=%s is no host:port",
                       h->listen);
    st = bind_address(h, host, port, err);
    if (st == CC_OK && !h->announce)
        h->announce = cc_asprintf(strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
                                  (unsigned)h->port);
    free(host);
    free(port);
    if (st != CC_OK)
        return st;
    if (pthread_create(&h->listen_thread, NULL, accept_all, h))
        return cc_fail_errno(err, "cannot start a thread");
    h->listen_started = true;
    return CC_OK;
}

void cc_host_stop_sessions(struct cc_host *h)
{
    if (h->listen_started)
        pthread_join(h->listen_thread, NULL);
    h->listen_started = false;
    if (h->listen_fd >= 0)
        close(h->listen_fd);
    h->listen_fd = -1;
    /* Those in the middle of a message are woken. */
    pthread_mutex_lock(&h->lock);
    for (struct cc_host_session *s = h->sessions; s; s = s->next)
        shutdown(s->fd, SHUT_RDWR);
    while (h->sessions)
        pthread_cond_wait(&h->session_ended, &h->lock);
    pthread_mutex_unlock(&h->lock);
}
