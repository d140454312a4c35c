/*
 * node_client.h: calls of a node's JSON-RPC over HTTP.
 *
 * One request a connection, blocking, with a time limit. Not thread safe: one
 * client per thread, or a lock around it. The password is that of
 * -rpcuser/-rpcpassword, or what the node wrote into its cookie file, which is
 * read anew for each call, since a restarted node has another one.
 */
#ifndef CC_STORAGE_NODE_CLIENT_H
#define CC_STORAGE_NODE_CLIENT_H

#include <jansson.h>

#include "util/bytes.h"
#include "util/error.h"

struct cc_node_client;

struct cc_node_options {
    const char *host; /* "127.0.0.1" */
    uint16_t port;
    const char *user, *password; /* both, or neither: then the cookie */
    const char *cookie_file;
    const char *wallet; /* NULL: /, else /wallet/<name> */
    int timeout_ms;     /* 0: 900 s */
};

/* Copies the options; connects to nothing yet. */
struct cc_node_client *cc_node_client_new(const struct cc_node_options *o);
void cc_node_client_free(struct cc_node_client *c);

/* params (taken, also on failure): an array, an object for named arguments,
 * or NULL. *result (may be NULL) is the caller's (json_decref). CC_IO: the
 * node cannot be reached or does not answer; CC_INVALID: it refuses, with
 * cc_node_client_code; CC_MALFORMED: what it says is no JSON-RPC. */
enum cc_status cc_node_call(struct cc_node_client *c, const char *method,
                            json_t *params, json_t **result,
                            struct cc_error *err);
/* The JSON-RPC error code of the last call that was refused; 401 for a wrong
 * password; 0 else. */
int cc_node_client_code(const struct cc_node_client *c);

/* One whole request body, for batches; *reply is the parsed answer. */
enum cc_status cc_node_post(struct cc_node_client *c, const char *body,
                            size_t len, json_t **reply, struct cc_error *err);

#endif
