/*
 * server.h: JSON-RPC over HTTP: passwords, request objects, batches.
 *
 * Requests as Bitcoin Core takes them: 1.0 and 1.1 answer {"result", "error",
 * "id"} with HTTP status 200, 400, 404 or 500; one that says "jsonrpc":"2.0"
 * is answered as that specification says, with status 200, and not at all if
 * it has no id (status 204).
 */
#ifndef CC_RPC_SERVER_H
#define CC_RPC_SERVER_H

#include "rpc/http.h"
#include "rpc/rpc.h"

struct cc_server;

struct cc_server_config {
    struct cc_rpc *rpc;
    const char *user, *password; /* NULL password: a cookie is made */
    const char *const *auth;     /* -rpcauth: "user:salt$hmac" */
    size_t auth_count;
    const char *const *whitelist; /* rpc/whitelist.h */
    size_t whitelist_count;
    bool whitelist_default;
    const char *cookie_path; /* whole path; NULL: no cookie */
    bool wallet_paths;       /* /wallet/<name> */
    bool rest;               /* /rest/ */
    const char *const *bind; /* as struct cc_http_config */
    size_t bind_count, bind_optional;
    const char *const *allow;
    size_t allow_count;
    unsigned threads;
    size_t queue;
    unsigned timeout_s;
    struct cc_log *log;
};

enum cc_status cc_server_start(struct cc_server **out,
                               const struct cc_server_config *config,
                               struct cc_error *err);
uint16_t cc_server_port(const struct cc_server *s);
void cc_server_interrupt(struct cc_server *s);
/* Ends the HTTP server and deletes the cookie. */
void cc_server_free(struct cc_server *s);

/* The same request objects without HTTP (extensions): one JSON value in, one
 * out, NULL if nothing is to be answered. status: the HTTP status. */
json_t *cc_server_answer(struct cc_rpc *rpc, const json_t *request,
                         const char *wallet, int *status);

#endif
