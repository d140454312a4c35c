#include "rpc/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <event2/thread.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"
#include "util/mem.h"

struct subnet {
    uint8_t addr[16], mask[16]; /* IPv4 mapped into IPv6 */
};

/* One request on its way through the workers. */
struct job {
    struct job *next;
    struct evhttp_request *ev; /* the loop's */
    enum cc_http_verb verb;
    char *path, *query, *authorization, *peer, *body;
    size_t body_len;
    struct cc_http_reply reply;
    struct cc_http *http;
};

struct cc_http {
    struct event_base *base;
    struct evhttp *evhttp;
    struct event *wake;
    struct evhttp_bound_socket **bound;
    size_t bound_count;
    uint16_t port;
    struct subnet *allow;
    size_t allow_count;
    cc_http_handler handler;
    void *handler_arg;
    struct cc_log *log;
    size_t queue_limit;

    pthread_t loop;
    bool loop_started;
    pthread_t *workers;
    size_t worker_count;

    pthread_mutex_t lock; /* all below */
    pthread_cond_t more, drained;
    struct job *head, **tail; /* waiting for a worker */
    size_t waiting;
    size_t open;      /* jobs whose answer is not handed to evhttp yet */
    struct job *done; /* answered, waiting for the loop */
    bool stopping, exiting;
};

static void job_free(struct job *j)
{
    free(j->path);
    free(j->query);
    free(j->authorization);
    free(j->peer);
    free(j->body);
    free(j->reply.body);
    free(j);
}

/* --- Who may come ------------------------------------------------------ */

static bool parse_addr(const char *s, uint8_t out[16], bool *v4)
{
    struct in_addr a4;
    struct in6_addr a6;

    if (inet_pton(AF_INET, s, &a4) == 1) {
        memset(out, 0, 10);
        memset(out + 10, 0xff, 2);
        memcpy(out + 12, &a4, 4);
        *v4 = true;
        return true;
    }
    if (inet_pton(AF_INET6, s, &a6) == 1) {
        memcpy(out, &a6, 16);
        *v4 = memcmp(out, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0;
        return true;
    }
    return false;
}

static bool parse_subnet(const char *s, struct subnet *out)
{
    char addr[64], *host = addr;
    size_t n = strcspn(s, "/");
    bool v4, mask_v4;
    unsigned long bits;
    char *end;

    if (n >= sizeof(addr))
        return false;
    memcpy(addr, s, n);
    addr[n] = '\0';
    if (*addr == '[' && addr[n - 1] == ']') { /* as it stands in an URL */
        addr[n - 1] = '\0';
        host++;
    }
    if (!parse_addr(host, out->addr, &v4))
        return false;
    memset(out->mask, 0xff, 16);
    if (!s[n])
        return true;
    s += n + 1;
    if (strchr(s, '.') || strchr(s, ':')) {
        if (!parse_addr(s, out->mask, &mask_v4) || mask_v4 != v4)
            return false;
        if (v4)
            memset(out->mask, 0xff, 12);
        return true;
    }
    if (*s < '0' || *s > '9')
        return false;
    bits = strtoul(s, &end, 10);
    if (*end || bits > (v4 ? 32u : 128u))
        return false;
    bits += v4 ? 96 : 0;
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = bits > 8 * i ? (unsigned)bits - 8 * i : 0;

        out->mask[i] = (uint8_t)(keep >= 8 ? 0xffu : 0xff00u >> keep);
    }
    return true;
}

static bool may_connect(const struct cc_http *h, const char *addr)
{
    uint8_t a[16];
    bool v4;

    if (!parse_addr(addr, a, &v4))
        return false;
    for (size_t i = 0; i < h->allow_count; i++) {
        bool match = true;

        for (unsigned b = 0; b < 16; b++)
            match =
                match && !((a[b] ^ h->allow[i].addr[b]) & h->allow[i].mask[b]);
        if (match)
            return true;
    }
    return false;
}

static enum cc_status read_allow(struct cc_http *h,
                                 const struct cc_http_config *config,
                                 struct cc_error *err)
{
    h->allow = cc_calloc(config->allow_count + 2, sizeof(*h->allow));
    parse_subnet("127.0.0.0/8", &h->allow[0]);
    parse_subnet("::1", &h->allow[1]);
    h->allow_count = 2;
    for (size_t i = 0; i < config->allow_count; i++)
        if (!parse_subnet(config->allow[i], &h->allow[h->allow_count++]))
            return cc_fail(err, CC_INVALID,
                           "Invalid -rpcallowip subnet specification: %s. "
                           "Valid are a single IP (e.g. 1.2.3.4), a "
                           "network/netmask (e.g. 1.2.3.4/255.255.255.0) or "
                           "a network/CIDR (e.g. 1.2.3.4/24).",
                           config->allow[i]);
    return CC_OK;
}

/* --- On the loop ------------------------------------------------------- */

static void send_plain(struct evhttp_request *req, int status, const char *text)
{
    struct evbuffer *buf = evbuffer_new();

    if (buf)
        evbuffer_add(buf, text, strlen(text));
    evhttp_send_reply(req, status, NULL, buf);
    if (buf)
        evbuffer_free(buf);
}

static struct job *job_new(struct cc_http *h, struct evhttp_request *req,
                           const char *peer)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    const char *auth = evhttp_find_header(evhttp_request_get_input_headers(req),
                                          "Authorization");
    const char *uri = evhttp_request_get_uri(req);
    struct job *j = cc_calloc(1, sizeof(*j));
    char *end;

    j->ev = req;
    j->http = h;
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET:
        j->verb = CC_HTTP_GET;
        break;
    case EVHTTP_REQ_POST:
        j->verb = CC_HTTP_POST;
        break;
    default:
        j->verb = CC_HTTP_OTHER;
    }
    j->path = cc_strdup(uri ? uri : "");
    end = j->path + strcspn(j->path, "?#");
    if (*end == '?')
        j->query = cc_strdup(end + 1);
    *end = '\0';
    j->authorization = auth ? cc_strdup(auth) : NULL;
    j->peer = cc_strdup(peer);
    j->body_len = evbuffer_get_length(in);
    j->body = cc_malloc(j->body_len + 1);
    if (j->body_len)
        evbuffer_remove(in, j->body, j->body_len);
    j->body[j->body_len] = '\0';
    j->reply.status = 200;
    return j;
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct cc_http *h = arg;
    struct evhttp_connection *con = evhttp_request_get_connection(req);
    char *addr = NULL, peer[80];
    ev_uint16_t port = 0;
    struct job *j;
    bool full;

    evhttp_connection_get_peer(con, &addr, &port);
    snprintf(peer, sizeof(peer), "%s:%u", addr ? addr : "?", port);
    if (!addr || !may_connect(h, addr)) {
        cc_debug(h->log, CC_LOG_HTTP,
                 "HTTP request from %s rejected: Client network is not "
                 "allowed RPC access",
                 peer);
        evhttp_send_reply(req, 403, NULL, NULL);
        return;
    }
    pthread_mutex_lock(&h->lock);
    full = h->waiting >= h->queue_limit;
    if (!full && !h->stopping) {
        j = job_new(h, req, peer);
        *h->tail = j;
        h->tail = &j->next;
        h->waiting++;
        h->open++;
        pthread_cond_signal(&h->more);
        pthread_mutex_unlock(&h->lock);
        return;
    }
    pthread_mutex_unlock(&h->lock);
    if (full) {
        cc_log(h->log, "WARNING: request rejected because http work queue "
                       "depth exceeded, it can be increased with the "
                       "-rpcworkqueue= setting");
        send_plain(req, 503, "Work queue depth exceeded");
    } else {
        send_plain(req, 503, "Request rejected during server shutdown");
    }
}

static void send_reply(struct job *j)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(j->ev);
    struct evbuffer *buf = evbuffer_new();

    if (j->reply.content_type)
        evhttp_add_header(headers, "Content-Type", j->reply.content_type);
    if (j->reply.ask_password)
        evhttp_add_header(headers, "WWW-Authenticate",
                          "Basic realm=\"jsonrpc\"");
    if (j->verb == CC_HTTP_OTHER)
        evhttp_add_header(headers, "Connection", "close");
    if (buf && j->reply.body)
        evbuffer_add(buf, j->reply.body, j->reply.body_len);
    evhttp_send_reply(j->ev, j->reply.status, NULL, buf);
    if (buf)
        evbuffer_free(buf);
}

static void finish(struct cc_http *h, struct job *j)
{
    send_reply(j);
    job_free(j);
    pthread_mutex_lock(&h->lock);
    if (--h->open == 0)
        pthread_cond_broadcast(&h->drained);
    pthread_mutex_unlock(&h->lock);
}

static void on_delay_over(evutil_socket_t fd, short what, void *arg)
{
    struct job *j = arg;

    (void)fd;
    (void)what;
    finish(j->http, j);
}

/* The request is not kept meanwhile: only its connection is. */
static bool delay(struct cc_http *h, struct job *j)
{
    struct timeval wait = {j->reply.delay_ms / 1000,
                           (int)(j->reply.delay_ms % 1000) * 1000};

    if (!j->reply.delay_ms)
        return false;
    free(j->body);
    j->body = NULL;
    return event_base_once(h->base, -1, EV_TIMEOUT, on_delay_over, j, &wait) ==
           0;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct cc_http *h = arg;
    struct job *list, *next;
    bool exiting;

    (void)fd;
    (void)what;
    pthread_mutex_lock(&h->lock);
    list = h->done;
    h->done = NULL;
    exiting = h->exiting;
    pthread_mutex_unlock(&h->lock);
    for (; list; list = next) {
        next = list->next;
        if (!delay(h, list))
            finish(h, list);
    }
    if (exiting) {
        /* Answers just handed over get a moment to leave; a peer that does
         * not read cannot hold us longer. */
        struct timeval soon = {0, 100000};

        event_base_loopexit(h->base, &soon);
    }
}

static void *run_loop(void *arg)
{
    struct cc_http *h = arg;

    event_base_dispatch(h->base);
    return NULL;
}

/* --- Workers ----------------------------------------------------------- */

static void *run_worker(void *arg)
{
    struct cc_http *h = arg;
    struct cc_http_request req;
    struct job *j;

    pthread_mutex_lock(&h->lock);
    for (;;) {
        while (!h->head && !h->stopping)
            pthread_cond_wait(&h->more, &h->lock);
        if (!h->head)
            break;
        j = h->head;
        h->head = j->next;
        if (!h->head)
            h->tail = &h->head;
        h->waiting--;
        pthread_mutex_unlock(&h->lock);

        req = (struct cc_http_request){j->verb,          j->path, j->query,
                                       j->authorization, j->peer, j->body,
                                       j->body_len};
        h->handler(h->handler_arg, &req, &j->reply);

        pthread_mutex_lock(&h->lock);
        j->next = h->done;
        h->done = j;
        event_active(h->wake, EV_READ, 0);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* --- Start and end ----------------------------------------------------- */

static bool split_endpoint(const char *s, char host[256], uint16_t *port)
{
    const char *colon = strrchr(s, ':');
    unsigned long n;
    size_t len;
    char *end;

    if (!colon || colon[1] < '0' || colon[1] > '9')
        return false;
    n = strtoul(colon + 1, &end, 10);
    len = (size_t)(colon - s);
    if (*end || n > 65535)
        return false;
    if (len >= 2 && s[0] == '[' && colon[-1] == ']') {
        s++;
        len -= 2;
    }
    if (len == 0 || len >= 256)
        return false;
    memcpy(host, s, len);
    host[len] = '\0';
    *port = (uint16_t)n;
    return true;
}

static uint16_t socket_port(evutil_socket_t fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len))
        return 0;
    if (ss.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)(void *)&ss)->sin_port);
    return ntohs(((struct sockaddr_in6 *)(void *)&ss)->sin6_port);
}

static enum cc_status bind_all(struct cc_http *h,
                               const struct cc_http_config *config,
                               struct cc_error *err)
{
    struct evhttp_bound_socket *b;
    char host[256];
    uint16_t port;
    const int one = 1;

    for (size_t i = 0; i < config->bind_count; i++) {
        if (!split_endpoint(config->bind[i], host, &port))
            return cc_fail(err, CC_INVALID, "Invalid address for RPC: %s",
                           config->bind[i]);
        b = evhttp_bind_socket_with_handle(h->evhttp, host, port);
        if (!b && i + config->bind_optional >= config->bind_count) {
            cc_debug(h->log, CC_LOG_HTTP,
                     "Binding RPC on address %s port %u failed", host, port);
            continue;
        }
        if (!b)
            return cc_fail_errno(
                err, "Binding RPC on address %s port %u failed", host, port);
        /* Connections inherit it: head and body of an answer are two writes,
         * and the second would wait for the other side's late word on the
         * first. */
        setsockopt(evhttp_bound_socket_get_fd(b), IPPROTO_TCP, TCP_NODELAY,
                   &one, sizeof(one));
        if (!h->bound_count++)
            h->port = socket_port(evhttp_bound_socket_get_fd(b));
    }
    if (!h->bound_count)
        return cc_fail(err, CC_INVALID, "no address to bind RPC to");
    return CC_OK;
}

static enum cc_status start_threads(struct cc_http *h, unsigned threads,
                                    struct cc_error *err)
{
    if (pthread_create(&h->loop, NULL, run_loop, h))
        return cc_fail_errno(err, "start the HTTP thread");
    h->loop_started = true;
    h->workers = cc_calloc(threads, sizeof(*h->workers));
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&h->workers[i], NULL, run_worker, h))
            return cc_fail_errno(err, "start an RPC thread");
        h->worker_count++;
    }
    return CC_OK;
}

/* What libevent warns of shows as a fault of ours, which is told; without this
 * it would write to standard error. */
static void on_libevent(int severity, const char *text)
{
    if (severity >= EVENT_LOG_ERR)
        fprintf(stderr, "libevent: %s\n", text);
}

enum cc_status cc_http_start(struct cc_http **out,
                             const struct cc_http_config *config,
                             struct cc_error *err)
{
    struct cc_http *h = cc_calloc(1, sizeof(*h));
    enum cc_status st;

    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->more, NULL);
    pthread_cond_init(&h->drained, NULL);
    h->tail = &h->head;
    h->handler = config->handler;
    h->handler_arg = config->handler_arg;
    h->log = config->log;
    h->queue_limit = config->queue ? config->queue : 1;

    st = read_allow(h, config, err);
    if (st != CC_OK)
        goto fail;
    evthread_use_pthreads();
    event_set_log_callback(on_libevent);
    h->base = event_base_new();
    h->evhttp = h->base ? evhttp_new(h->base) : NULL;
    h->wake = h->evhttp ? event_new(h->base, -1, EV_PERSIST, on_wake, h) : NULL;
    if (!h->wake) {
        st = cc_fail_errno(err, "set up the HTTP server");
        goto fail;
    }
    event_add(h->wake, NULL);
    evhttp_set_timeout(h->evhttp, (int)config->timeout_s);
    evhttp_set_max_headers_size(h->evhttp, CC_HTTP_MAX_HEADERS);
    evhttp_set_max_body_size(
        h->evhttp,
        (ev_ssize_t)(config->max_body ? config->max_body : CC_HTTP_MAX_BODY));
    evhttp_set_allowed_methods(
        h->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                       EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
    evhttp_set_gencb(h->evhttp, on_request, h);
    st = bind_all(h, config, err);
    if (st != CC_OK)
        goto fail;
    cc_log(h->log, "Starting HTTP server with %u worker threads",
           config->threads ? config->threads : 1);
    st = start_threads(h, config->threads ? config->threads : 1, err);
    if (st != CC_OK)
        goto fail;
    *out = h;
    return CC_OK;
fail:
    cc_http_free(h);
    return st;
}

uint16_t cc_http_port(const struct cc_http *h) { return h->port; }

void cc_http_interrupt(struct cc_http *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_broadcast(&h->more);
    pthread_mutex_unlock(&h->lock);
}

void cc_http_free(struct cc_http *h)
{
    if (!h)
        return;
    cc_http_interrupt(h);
    for (size_t i = 0; i < h->worker_count; i++)
        pthread_join(h->workers[i], NULL);
    if (h->loop_started) {
        pthread_mutex_lock(&h->lock);
        while (h->open)
            pthread_cond_wait(&h->drained, &h->lock);
        h->exiting = true;
        event_active(h->wake, EV_READ, 0);
        pthread_mutex_unlock(&h->lock);
        pthread_join(h->loop, NULL);
    }
    if (h->wake)
        event_free(h->wake);
    if (h->evhttp)
        evhttp_free(h->evhttp);
    if (h->base)
        event_base_free(h->base);
    pthread_cond_destroy(&h->drained);
    pthread_cond_destroy(&h->more);
    pthread_mutex_destroy(&h->lock);
    free(h->workers);
    free(h->allow);
    free(h);
}
