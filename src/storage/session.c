#include "storage/session.h"

#include "crypto/ec.h"
#include "crypto/noise.h"
#include "util/clock.h"
#include "util/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER 9 /* body length 4 ‖ type 1 ‖ id 4 */
#define CONNECT_TIMEOUT_MS 10000
#define PACKET_ROOM (CC_NOISE_HEADER + CC_NOISE_MAX + CC_NOISE_TAG)

struct cc_session {
    int fd;
    int timeout_ms;
    struct cc_noise noise;
    uint32_t next_id;
    uint64_t sent, received;
    uint8_t *in; /* the message being read: header, then body */
    size_t in_len, in_cap;
    uint8_t *packet; /* one packet on its way */
    bool spent;
};

/* --- The socket ---------------------------------------------------------- */

static int64_t deadline_in(int ms) { return cc_clock_monotonic_ms() + ms; }

/* CC_LIMIT when the time is over. */
static enum cc_status wait_for(int fd, short events, int64_t deadline,
                               struct cc_error *err)
{
    for (;;) {
        struct pollfd p = {fd, events, 0};
        int64_t left = deadline - cc_clock_monotonic_ms();
        int n;

        if (left < 0)
            left = 0;
        n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (n > 0)
            return CC_OK;
        if (n == 0)
            return cc_fail(err, CC_LIMIT, "no answer in time");
        if (errno != EINTR)
            return cc_fail_errno(err, "poll");
    }
}

static enum cc_status write_all(int fd, const uint8_t *p, size_t len,
                                int64_t deadline, struct cc_error *err)
{
    while (len) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        enum cc_status st;

        if (n > 0) {
            p += n;
            len -= (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return cc_fail_errno(err, "send");
        st = wait_for(fd, POLLOUT, deadline, err);
        if (st != CC_OK)
            return st;
    }
    return CC_OK;
}

/* CC_NOTFOUND: closed before the first byte. */
static enum cc_status read_all(int fd, uint8_t *p, size_t len, int64_t deadline,
                               struct cc_error *err)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = recv(fd, p + done, len - done, 0);
        enum cc_status st;

        if (n > 0) {
            done += (size_t)n;
            continue;
        }
        if (n == 0)
            return done ? cc_fail(err, CC_IO, "connection closed half way")
                        : cc_fail(err, CC_NOTFOUND, "connection closed");
        if (errno == EINTR)
            continue;
        if (errno == ECONNRESET)
            return cc_fail(err, CC_IO, "connection reset");
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return cc_fail_errno(err, "receive");
        st = wait_for(fd, POLLIN, deadline, err);
        if (st != CC_OK)
            return st;
    }
    return CC_OK;
}

/* "host:port" or "[v6]:port" in two. */
static bool split_address(char *host, size_t size, char *port, size_t port_size,
                          const char *address)
{
    const char *colon = strrchr(address, ':'), *start = address, *end = colon;

    if (!colon || !colon[1])
        return false;
    if (*start == '[') {
        if (end[-1] != ']')
            return false;
        start++;
        end--;
    } else if (memchr(start, ':', (size_t)(end - start))) {
        return false; /* a bare IPv6 address: which part is the port? */
    }
    if (end <= start || (size_t)(end - start) >= size ||
        strlen(colon + 1) >= port_size)
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = 0;
    strcpy(port, colon + 1);
    return true;
}

static bool set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && !fcntl(fd, F_SETFL, flags | O_NONBLOCK) &&
           !fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static enum cc_status connect_one(int *out, const struct addrinfo *a,
                                  int64_t deadline, struct cc_error *err)
{
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    int fault = 0;
    socklen_t len = sizeof(fault);
    enum cc_status st = CC_OK;

    if (fd < 0 || !set_nonblocking(fd)) {
        st = cc_fail_errno(err, "socket");
        goto out;
    }
    if (connect(fd, a->ai_addr, a->ai_addrlen)) {
        if (errno != EINPROGRESS && errno != EINTR) {
            st = cc_fail_errno(err, "connect");
            goto out;
        }
        st = wait_for(fd, POLLOUT, deadline, err);
        if (st != CC_OK)
            goto out;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &len) || fault) {
            errno = fault ? fault : errno;
            st = cc_fail_errno(err, "connect");
            goto out;
        }
    }
    *out = fd;
    return CC_OK;
out:
    if (fd >= 0)
        close(fd);
    return st;
}

static enum cc_status connect_any(int *fd, const char *address, int timeout_ms,
                                  struct cc_error *err)
{
    struct addrinfo hints, *list = NULL, *a;
    char host[256], port[8];
    enum cc_status st = CC_IO;
    int64_t deadline;
    int e;

    if (!split_address(host, sizeof(host), port, sizeof(port), address))
        return cc_fail(err, CC_IO, "no address of the form host:port");
    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    e = getaddrinfo(host, port, &hints, &list);
    if (e)
        return cc_fail(err, CC_IO, "%s", gai_strerror(e));
    deadline = deadline_in(
        timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
    for (a = list; a && st != CC_OK; a = a->ai_next)
        st = connect_one(fd, a, deadline, err);
    freeaddrinfo(list);
    return st == CC_LIMIT ? CC_IO : st;
}

/* --- Handshake ----------------------------------------------------------- */

static struct cc_session *session_new(int fd, int timeout_ms)
{
    struct cc_session *s = cc_calloc(1, sizeof(*s));
    int one = 1;

    s->fd = fd;
    s->timeout_ms = timeout_ms > 0 ? timeout_ms : CC_SESSION_TIMEOUT_MS;
    s->packet = cc_malloc(PACKET_ROOM);
    s->next_id = 1;
    set_nonblocking(fd);
    /* Fails on what is no TCP socket, and then does not matter. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return s;
}

void cc_session_free(struct cc_session *s)
{
    if (!s)
        return;
    close(s->fd);
    cc_noise_clear(&s->noise);
    free(s->in);
    free(s->packet);
    free(s);
}

static enum cc_status noise_fault(struct cc_session *s, struct cc_error *err)
{
    return cc_fail(err, CC_INVALID, "handshake: %s",
                   cc_noise_error_name(s->noise.error));
}

/* A peer that closes in the middle has refused us, most likely because we
 * are, or it is, somebody else. */
static enum cc_status closed(enum cc_status st, struct cc_error *err)
{
    if (st != CC_NOTFOUND)
        return st;
    return cc_fail(err, CC_INVALID,
                   "connection closed during the handshake: the other end is "
                   "not who it should be");
}

static enum cc_status initiate(struct cc_session *s, int64_t deadline,
                               struct cc_error *err)
{
    uint8_t act[CC_NOISE_ACT3];
    enum cc_status st;

    if (!cc_noise_act1(&s->noise, act))
        return noise_fault(s, err);
    st = write_all(s->fd, act, CC_NOISE_ACT1, deadline, err);
    if (st == CC_OK)
        st = read_all(s->fd, act, CC_NOISE_ACT2, deadline, err);
    if (st != CC_OK)
        return closed(st, err);
    if (!cc_noise_act2_read(&s->noise, act) || !cc_noise_act3(&s->noise, act))
        return noise_fault(s, err);
    return write_all(s->fd, act, CC_NOISE_ACT3, deadline, err);
}

static enum cc_status respond(struct cc_session *s, int64_t deadline,
                              struct cc_error *err)
{
    uint8_t act[CC_NOISE_ACT3];
    enum cc_status st;

    st = read_all(s->fd, act, CC_NOISE_ACT1, deadline, err);
    if (st != CC_OK)
        return st;
    if (!cc_noise_act1_read(&s->noise, act) || !cc_noise_act2(&s->noise, act))
        return noise_fault(s, err);
    st = write_all(s->fd, act, CC_NOISE_ACT2, deadline, err);
    if (st == CC_OK)
        st = read_all(s->fd, act, CC_NOISE_ACT3, deadline, err);
    if (st != CC_OK)
        return st;
    return cc_noise_act3_read(&s->noise, act) ? CC_OK : noise_fault(s, err);
}

enum cc_status cc_session_start(struct cc_session **out, const struct cc_ec *ec,
                                int fd, const uint8_t host_key[32],
                                const uint8_t *secret, int timeout_ms,
                                struct cc_error *err)
{
    struct cc_session *s = session_new(fd, timeout_ms);
    uint8_t own[32], remote[33] = {2};
    enum cc_status st;

    if (secret)
        memcpy(own, secret, 32);
    else
        cc_ec_secret_new(own);
    memcpy(remote + 1, host_key, 32);
    if (cc_noise_init_initiator(&s->noise, ec, own, remote, NULL))
        st = initiate(s, deadline_in(s->timeout_ms), err);
    else
        st = cc_fail(err, CC_INVALID, "the host's key is none");
    cc_cleanse(own, sizeof(own));
    if (st == CC_OK)
        *out = s;
    else
        cc_session_free(s);
    return st;
}

enum cc_status cc_session_connect(struct cc_session **out,
                                  const struct cc_ec *ec, const char *address,
                                  const uint8_t host_key[32],
                                  const uint8_t *secret, int timeout_ms,
                                  struct cc_error *err)
{
    enum cc_status st;
    int fd = -1;

    if (timeout_ms <= 0)
        timeout_ms = CC_SESSION_TIMEOUT_MS;
    st = connect_any(&fd, address, timeout_ms, err);
    if (st == CC_OK)
        st = cc_session_start(out, ec, fd, host_key, secret, timeout_ms, err);
    return cc_context(err, st, "%s", address);
}

enum cc_status cc_session_accept(struct cc_session **out,
                                 const struct cc_ec *ec, int fd,
                                 const uint8_t secret[32], int timeout_ms,
                                 struct cc_error *err)
{
    struct cc_session *s = session_new(fd, timeout_ms);
    enum cc_status st;
    uint8_t own[32];

    memcpy(own, secret, 32);
    if (cc_ec_secret_even(ec, own) &&
        cc_noise_init_responder(&s->noise, ec, own, NULL))
        st = respond(s, deadline_in(s->timeout_ms), err);
    else
        st = cc_fail(err, CC_INVALID, "our own key is none");
    cc_cleanse(own, sizeof(own));
    if (st == CC_OK)
        *out = s;
    else
        cc_session_free(s);
    return st;
}

const uint8_t *cc_session_peer(const struct cc_session *s)
{
    return s->noise.remote + 1;
}

int cc_session_fd(const struct cc_session *s) { return s->fd; }

void cc_session_set_timeout(struct cc_session *s, int timeout_ms)
{
    s->timeout_ms = timeout_ms;
}

void cc_session_counts(const struct cc_session *s, uint64_t *sent,
                       uint64_t *received)
{
    *sent = s->sent;
    *received = s->received;
}

/* --- Messages ------------------------------------------------------------ */

static enum cc_status send_bytes(struct cc_session *s, const uint8_t *p,
                                 size_t len, struct cc_error *err)
{
    int64_t deadline = deadline_in(s->timeout_ms);

    while (len) {
        size_t n = len < CC_NOISE_MAX ? len : CC_NOISE_MAX;
        enum cc_status st;

        if (!cc_noise_write(&s->noise, s->packet, p, n))
            return cc_fail(err, CC_INVALID, "the session is spent");
        st = write_all(s->fd, s->packet, CC_NOISE_HEADER + n + CC_NOISE_TAG,
                       deadline, err);
        if (st != CC_OK)
            return st == CC_LIMIT ? CC_IO : st;
        p += n;
        len -= n;
    }
    return CC_OK;
}

enum cc_status cc_session_send(struct cc_session *s, const struct cc_message *m,
                               struct cc_error *err)
{
    struct cc_writer w;
    enum cc_status st;

    if (s->spent)
        return cc_fail(err, CC_IO, "the session is spent");
    cc_writer_init_heap(&w);
    cc_write_u32le(&w, 0);
    cc_write_u8(&w, (uint8_t)m->type);
    cc_write_u32le(&w, m->id);
    cc_message_encode(&w, m);
    cc_put_u32le(w.data, (uint32_t)(w.len - HEADER));
    st = send_bytes(s, w.data, w.len, err);
    s->sent += w.len;
    if (st != CC_OK)
        s->spent = true;
    cc_writer_clear(&w);
    return cc_context(err, st, "send %s", cc_message_name((unsigned)m->type));
}

/* One packet behind what is in s->in. */
static enum cc_status read_packet(struct cc_session *s, int64_t deadline,
                                  struct cc_error *err)
{
    enum cc_status st;
    size_t len;

    st = read_all(s->fd, s->packet, CC_NOISE_HEADER, deadline, err);
    if (st != CC_OK)
        return st;
    if (!cc_noise_read_header(&s->noise, &len, s->packet))
        return cc_fail(err, CC_INVALID, "a packet was tampered with");
    st = read_all(s->fd, s->packet, len + CC_NOISE_TAG, deadline, err);
    if (st != CC_OK)
        return st;
    s->in = cc_grow(s->in, &s->in_cap, s->in_len + len, 1);
    if (!cc_noise_read(&s->noise, s->in + s->in_len, s->packet, len))
        return cc_fail(err, CC_INVALID, "a packet was tampered with");
    s->in_len += len;
    return CC_OK;
}

/* Is the message whose beginning is in s->in within its type's bound? An
 * unknown type may be short: then it is refused, not fatal. */
static enum cc_status check_header(struct cc_session *s, size_t *need,
                                   struct cc_error *err)
{
    size_t len = cc_get_u32le(s->in), limit = cc_message_limit(s->in[4]);

    if (!limit)
        limit = 65536;
    if (len > limit)
        return cc_fail(err, CC_MALFORMED, "message of %zu bytes is too long",
                       len);
    *need = HEADER + len;
    if (s->in_len > *need)
        return cc_fail(err, CC_MALFORMED,
                       "a packet goes on behind its message");
    return CC_OK;
}

static enum cc_status read_message(struct cc_session *s, int64_t deadline,
                                   struct cc_error *err)
{
    size_t need = HEADER;
    enum cc_status st;

    s->in_len = 0;
    do {
        size_t before = s->in_len;

        st = read_packet(s, deadline, err);
        if (st == CC_NOTFOUND)
            return cc_fail(err, CC_IO, "connection closed half way");
        if (st != CC_OK)
            return st == CC_LIMIT ? CC_IO : st;
        if (s->in_len == before)
            return cc_fail(err, CC_MALFORMED, "an empty packet");
        if (s->in_len < HEADER)
            continue;
        st = check_header(s, &need, err);
        if (st != CC_OK)
            return st;
    } while (s->in_len < need);
    return CC_OK;
}

enum cc_status cc_session_receive(struct cc_session *s, struct cc_message *m,
                                  int idle_ms, struct cc_error *err)
{
    enum cc_status st;
    uint8_t peek;

    if (s->spent)
        return cc_fail(err, CC_IO, "the session is spent");
    st = wait_for(s->fd, POLLIN, deadline_in(idle_ms), err);
    if (st != CC_OK)
        return st;
    if (recv(s->fd, &peek, 1, MSG_PEEK) == 0) {
        s->spent = true;
        return cc_fail(err, CC_NOTFOUND, "connection closed");
    }
    st = read_message(s, deadline_in(s->timeout_ms), err);
    if (st != CC_OK) {
        s->spent = true;
        return st;
    }
    s->received += s->in_len;
    m->type = (enum cc_message_type)s->in[4];
    m->id = cc_get_u32le(s->in + 5);
    st = cc_message_decode(m, s->in + HEADER, s->in_len - HEADER);
    if (st == CC_OK)
        return CC_OK;
    /* The stream is still in step: the caller may refuse and go on. */
    return cc_fail(err, CC_MALFORMED, "message of type %u does not decode",
                   s->in[4]);
}

static enum cc_status wrong_answer(struct cc_session *s,
                                   const struct cc_message *reply,
                                   struct cc_error *err)
{
    s->spent = true;
    return cc_fail(err, CC_MALFORMED, "the answer is of type %u",
                   (unsigned)reply->type);
}

/* The host's words, fit for a terminal. */
static enum cc_status refused(const struct cc_msg_error *e, int *refusal,
                              struct cc_error *err)
{
    char text[301];
    size_t len =
        e->text.len < sizeof(text) - 1 ? e->text.len : sizeof(text) - 1;

    for (size_t i = 0; i < len; i++) {
        char c = (char)e->text.data[i];

        text[i] = c >= ' ' && c < 127 ? c : '?';
    }
    text[len] = 0;
    *refusal = e->code ? e->code : CC_REFUSE_INTERNAL;
    return cc_fail(err, CC_INVALID, "refused: %s", text);
}

enum cc_status cc_session_call(struct cc_session *s, struct cc_message *request,
                               struct cc_message *reply, int *refusal,
                               struct cc_error *err)
{
    enum cc_status st;
    int none;

    if (!refusal)
        refusal = &none;
    *refusal = 0;
    request->id = s->next_id++;
    st = cc_session_send(s, request, err);
    if (st == CC_OK)
        st = cc_session_receive(s, reply, s->timeout_ms, err);
    if (st == CC_NOTFOUND || st == CC_LIMIT)
        st = CC_IO;
    if (st == CC_OK && reply->id != request->id) {
        s->spent = true;
        st = cc_fail(err, CC_MALFORMED, "the answer is to another question");
    } else if (st == CC_OK && reply->type == CC_MSG_ERROR) {
        st = refused(&reply->u.error, refusal, err);
    } else if (st == CC_OK &&
               (unsigned)reply->type != (unsigned)request->type + 1) {
        st = wrong_answer(s, reply, err);
    } else if (st != CC_OK) {
        s->spent = true;
    }
    return cc_context(err, st, "%s", cc_message_name((unsigned)request->type));
}

enum cc_status cc_session_refuse(struct cc_session *s, uint32_t id,
                                 enum cc_refusal code, const char *text,
                                 struct cc_error *err)
{
    size_t len = strlen(text);
    struct cc_message m;

    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_ERROR;
    m.id = id;
    m.u.error.code = (uint16_t)code;
    m.u.error.text =
        cc_bytes(text, len < CC_MESSAGE_TEXT_MAX ? len : CC_MESSAGE_TEXT_MAX);
    return cc_session_send(s, &m, err);
}
