/*
 * http.h: the HTTP server below JSON-RPC; the wrapper of evhttp.
 *
 * One thread runs the event loop and owns all sockets; requests, copied out
 * of it, wait in a bounded queue for a small pool of workers, which call the
 * handler and hand the answer back to the loop. So a slow call stalls no
 * socket, and a peer can make us hold at most (connections x body limit)
 * bytes, for as long as the timeout.
 */
#ifndef CC_RPC_HTTP_H
#define CC_RPC_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct cc_http;
struct cc_log;

#define CC_HTTP_MAX_BODY (32u << 20) /* bytes, as Core */
#define CC_HTTP_MAX_HEADERS 8192u

enum cc_http_verb { CC_HTTP_GET, CC_HTTP_POST, CC_HTTP_OTHER };

/* Borrowed by the handler for the call. */
struct cc_http_request {
    enum cc_http_verb verb;
    const char *path;          /* decoded by the handler, without query */
    const char *query;         /* behind the "?", as it came; NULL: none */
    const char *authorization; /* header; NULL: none */
    const char *peer;          /* "127.0.0.1:3111" */
    const char *body;          /* NUL behind it */
    size_t body_len;
};

struct cc_http_reply {
    int status;
    const char *content_type; /* static; NULL: none */
    bool ask_password;        /* WWW-Authenticate: Basic realm="jsonrpc" */
    unsigned delay_ms;        /* answer so much later; holds no worker */
    char *body;               /* from malloc, taken; NULL: none */
    size_t body_len;
};

/* Runs on a worker. reply is zeroed but for status 200. */
typedef void (*cc_http_handler)(void *arg, const struct cc_http_request *req,
                                struct cc_http_reply *reply);

struct cc_http_config {
    /* "host:port", "[::1]:port"; all but the last bind_optional of them must
     * bind. Port 0: any. */
    const char *const *bind;
    size_t bind_count, bind_optional;
    /* "address", "address/bits" or "address/mask" that may connect beside
     * this machine's own addresses 127.0.0.0/8 and ::1. */
    const char *const *allow;
    size_t allow_count;
    unsigned threads;   /* -rpcthreads */
    size_t queue;       /* -rpcworkqueue */
    unsigned timeout_s; /* -rpcservertimeout */
    size_t max_body;    /* 0: CC_HTTP_MAX_BODY */
    cc_http_handler handler;
    void *handler_arg;
    struct cc_log *log;
};

/* Binds and starts answering. CC_IO: a port is taken; CC_INVALID: an address
 * or subnet does not parse. */
enum cc_status cc_http_start(struct cc_http **out,
                             const struct cc_http_config *config,
                             struct cc_error *err);
/* Port of the first socket, for -rpcport=0 and tests. */
uint16_t cc_http_port(const struct cc_http *h);
/* Refuse new requests with 503; those under way go on. */
void cc_http_interrupt(struct cc_http *h);
/* Wait for calls under way, send their answers, close all. NULL: nothing. */
void cc_http_free(struct cc_http *h);

#endif
