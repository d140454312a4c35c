/*
 * session.h: messages between a renter and a host over Noise_XK.
 *
 * A session owns one connected stream socket. Calls block, each with a time
 * limit for the whole message, so a peer that sends a byte a minute does not
 * hold a thread for ever. One thread at a time per session; sessions are
 * independent. After any fault but a refusal (CC_INVALID from
 * cc_session_call with *refusal set) it is spent: free it.
 *
 * On the wire: the handshake of BOLT 8, then packets of at most 65,535 bytes
 * (each length and body sealed); the stream of their contents is a sequence of
 * messages: body length 4 ‖ type 1 ‖ id 4 ‖ body, little-endian. A message
 * longer than its type allows is refused before it is read.
 */
#ifndef CC_STORAGE_SESSION_H
#define CC_STORAGE_SESSION_H

#include "storage/message.h"

struct cc_ec;
struct cc_session;

/* For a message; connecting and the handshake get 10 s each at most. */
#define CC_SESSION_TIMEOUT_MS 60000

/* Connect to "host:port", "[v6]:port", a name or a number. host_key: the
 * x-only identity that must be there, even y. secret: ours; NULL for a fresh
 * one. ec is borrowed for the session's life. CC_IO for the network,
 * CC_INVALID if the other end is not host_key. */
enum cc_status cc_session_connect(struct cc_session **out,
                                  const struct cc_ec *ec, const char *address,
                                  const uint8_t host_key[32],
                                  const uint8_t *secret, int timeout_ms,
                                  struct cc_error *err);
/* The same over a connected socket, which is taken, also on failure. */
enum cc_status cc_session_start(struct cc_session **out, const struct cc_ec *ec,
                                int fd, const uint8_t host_key[32],
                                const uint8_t *secret, int timeout_ms,
                                struct cc_error *err);
/* The host's side: fd is taken, also on failure. secret of the identity,
 * whichever y it has. */
enum cc_status cc_session_accept(struct cc_session **out,
                                 const struct cc_ec *ec, int fd,
                                 const uint8_t secret[32], int timeout_ms,
                                 struct cc_error *err);
/* Says nothing to the peer; closes the socket. */
void cc_session_free(struct cc_session *s);

/* The peer's static key, x-only: a contract's renter key on the host's side.
 */
const uint8_t *cc_session_peer(const struct cc_session *s);
/* For poll(), and shutdown() by another thread to end a waiting call. */
int cc_session_fd(const struct cc_session *s);
/* Default CC_SESSION_TIMEOUT_MS for each message from now on. */
void cc_session_set_timeout(struct cc_session *s, int timeout_ms);
/* Bytes of messages sent and received. */
void cc_session_counts(const struct cc_session *s, uint64_t *sent,
                       uint64_t *received);

enum cc_status cc_session_send(struct cc_session *s, const struct cc_message *m,
                               struct cc_error *err);
/* Wait idle_ms for a message to begin, then read it. Its slices live until
 * the next call on s. CC_NOTFOUND: the peer closed between two messages;
 * CC_LIMIT: idle_ms are over, nothing is lost, ask again. */
enum cc_status cc_session_receive(struct cc_session *s, struct cc_message *m,
                                  int idle_ms, struct cc_error *err);

/* Ask and wait for the answer, of the type after request's. request->id is
 * set here. A refusal gives CC_INVALID, the host's words in err and
 * *refusal (may be NULL) an enum cc_refusal, else 0. */
enum cc_status cc_session_call(struct cc_session *s, struct cc_message *request,
                               struct cc_message *reply, int *refusal,
                               struct cc_error *err);
/* The host's no: ERROR with request's id. */
enum cc_status cc_session_refuse(struct cc_session *s, uint32_t id,
                                 enum cc_refusal code, const char *text,
                                 struct cc_error *err);

#endif
