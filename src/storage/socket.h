/*
 * socket.h: stream sockets with a deadline on every call.
 *
 * Sockets are non-blocking and close-on-exec; a deadline is a time of
 * cc_clock_monotonic_ms. CC_LIMIT: it is over. Any thread.
 */
#ifndef CC_STORAGE_SOCKET_H
#define CC_STORAGE_SOCKET_H

#include "util/bytes.h"
#include "util/error.h"

/* False if the system refuses. */
bool cc_socket_prepare(int fd);

/* "host:port", "[v6]:port" in two; false for what is neither. */
bool cc_socket_split(char *host, size_t size, uint16_t *port,
                     const char *address);

/* A name or a number; its addresses are tried in turn. */
enum cc_status cc_socket_connect(int *fd, const char *host, uint16_t port,
                                 int64_t deadline, struct cc_error *err);

/* Readable (or closed), writable. */
enum cc_status cc_socket_wait_read(int fd, int64_t deadline,
                                   struct cc_error *err);

enum cc_status cc_socket_write(int fd, const void *data, size_t len,
                               int64_t deadline, struct cc_error *err);
/* All len bytes. CC_NOTFOUND: closed before the first, CC_IO: after it. */
enum cc_status cc_socket_read(int fd, void *data, size_t len, int64_t deadline,
                              struct cc_error *err);
/* What there is, at most len bytes; *got 0 at the end. */
enum cc_status cc_socket_read_some(int fd, void *data, size_t len, size_t *got,
                                   int64_t deadline, struct cc_error *err);

#endif
