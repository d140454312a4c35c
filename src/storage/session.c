#include "storage/session.h"

#include "crypto/ec.h"
#include "crypto/noise.h"
#include "storage/socket.h"
#include "util/clock.h"
#include "util/mem.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
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

static int64_t deadline_in(int ms) { return cc_clock_monotonic_ms() + ms; }

static enum cc_status connect_any(int *fd, const char *address, int timeout_ms,
                                  struct cc_error *err)
{
    enum cc_status st;
    char host[256];
    uint16_t port;

    if (!cc_socket_split(host, sizeof(host), &port, address))
        return cc_fail(err, CC_IO, "no address of the form host:port");
    st = cc_socket_connect(fd, host, port, deadline_in(timeout_ms), err);
    return st == CC_OK ? CC_OK : CC_IO;
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
    cc_socket_prepare(fd);
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
                   "the other end hung up during the handshake: it is not who "
                   "it should be, or is going down");
}

static enum cc_status initiate(struct cc_session *s, int64_t deadline,
                               struct cc_error *err)
{
    uint8_t act[CC_NOISE_ACT3];
    enum cc_status st;

    if (!cc_noise_act1(&s->noise, act))
        return noise_fault(s, err);
    st = cc_socket_write(s->fd, act, CC_NOISE_ACT1, deadline, err);
    if (st == CC_OK)
        st = cc_socket_read(s->fd, act, CC_NOISE_ACT2, deadline, err);
    if (st != CC_OK)
        return closed(st, err);
    if (!cc_noise_act2_read(&s->noise, act) || !cc_noise_act3(&s->noise, act))
        return noise_fault(s, err);
    return cc_socket_write(s->fd, act, CC_NOISE_ACT3, deadline, err);
}

static enum cc_status respond(struct cc_session *s, int64_t deadline,
                              struct cc_error *err)
{
    uint8_t act[CC_NOISE_ACT3];
    enum cc_status st;

    st = cc_socket_read(s->fd, act, CC_NOISE_ACT1, deadline, err);
    if (st != CC_OK)
        return st;
    if (!cc_noise_act1_read(&s->noise, act) || !cc_noise_act2(&s->noise, act))
        return noise_fault(s, err);
    st = cc_socket_write(s->fd, act, CC_NOISE_ACT2, deadline, err);
    if (st == CC_OK)
        st = cc_socket_read(s->fd, act, CC_NOISE_ACT3, deadline, err);
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
    int fd = -1, first;

    if (timeout_ms <= 0)
        timeout_ms = CC_SESSION_TIMEOUT_MS;
    first = timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS;
    st = connect_any(&fd, address, first, err);
    if (st == CC_OK)
        st = cc_session_start(out, ec, fd, host_key, secret, first, err);
    if (st == CC_OK)
        cc_session_set_timeout(*out, timeout_ms);
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
        st = cc_socket_write(s->fd, s->packet,
                             CC_NOISE_HEADER + n + CC_NOISE_TAG, deadline, err);
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

    st = cc_socket_read(s->fd, s->packet, CC_NOISE_HEADER, deadline, err);
    if (st != CC_OK)
        return st;
    if (!cc_noise_read_header(&s->noise, &len, s->packet))
        return cc_fail(err, CC_INVALID, "a packet was tampered with");
    st = cc_socket_read(s->fd, s->packet, len + CC_NOISE_TAG, deadline, err);
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
    st = cc_socket_wait_read(s->fd, deadline_in(idle_ms), err);
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
