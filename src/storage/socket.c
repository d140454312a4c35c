#include "storage/socket.h"

#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

bool cc_socket_prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && !fcntl(fd, F_SETFL, flags | O_NONBLOCK) &&
           !fcntl(fd, F_SETFD, FD_CLOEXEC);
}

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

enum cc_status cc_socket_wait_read(int fd, int64_t deadline,
                                   struct cc_error *err)
{
    return wait_for(fd, POLLIN, deadline, err);
}

enum cc_status cc_socket_write(int fd, const void *data, size_t len,
                               int64_t deadline, struct cc_error *err)
{
    const uint8_t *p = data;

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

enum cc_status cc_socket_read_some(int fd, void *data, size_t len, size_t *got,
                                   int64_t deadline, struct cc_error *err)
{
    for (;;) {
        ssize_t n = recv(fd, data, len, 0);
        enum cc_status st;

        if (n >= 0) {
            *got = (size_t)n;
            return CC_OK;
        }
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
}

enum cc_status cc_socket_read(int fd, void *data, size_t len, int64_t deadline,
                              struct cc_error *err)
{
    size_t done = 0, n;

    while (done < len) {
        enum cc_status st = cc_socket_read_some(fd, (uint8_t *)data + done,
                                                len - done, &n, deadline, err);

        if (st != CC_OK)
            return st;
        if (!n)
            return done ? cc_fail(err, CC_IO, "connection closed half way")
                        : cc_fail(err, CC_NOTFOUND, "connection closed");
        done += n;
    }
    return CC_OK;
}

bool cc_socket_split(char *host, size_t size, uint16_t *port,
                     const char *address)
{
    const char *colon = strrchr(address, ':'), *start = address, *end = colon;
    unsigned long n;
    char *rest;

    if (!colon || colon[1] < '0' || colon[1] > '9')
        return false;
    n = strtoul(colon + 1, &rest, 10);
    if (*rest || !n || n > UINT16_MAX)
        return false;
    if (*start == '[') {
        if (end[-1] != ']')
            return false;
        start++;
        end--;
    } else if (memchr(start, ':', (size_t)(end - start))) {
        return false; /* a bare IPv6 address: which part is the port? */
    }
    if (end <= start || (size_t)(end - start) >= size)
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = 0;
    *port = (uint16_t)n;
    return true;
}

static enum cc_status connect_one(int *out, const struct addrinfo *a,
                                  int64_t deadline, struct cc_error *err)
{
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    int fault = 0;
    socklen_t len = sizeof(fault);
    enum cc_status st = CC_OK;

    if (fd < 0 || !cc_socket_prepare(fd)) {
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
        }
    }
out:
    if (st == CC_OK)
        *out = fd;
    else if (fd >= 0)
        close(fd);
    return st;
}

enum cc_status cc_socket_connect(int *fd, const char *host, uint16_t port,
                                 int64_t deadline, struct cc_error *err)
{
    struct addrinfo hints, *list = NULL, *a;
    enum cc_status st = CC_IO;
    char service[8];
    int e;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    snprintf(service, sizeof(service), "%u", port);
    e = getaddrinfo(host, service, &hints, &list);
    if (e)
        return cc_fail(err, CC_IO, "%s: %s", host, gai_strerror(e));
    for (a = list; a && st != CC_OK; a = a->ai_next)
        st = connect_one(fd, a, deadline, err);
    freeaddrinfo(list);
    return st;
}
