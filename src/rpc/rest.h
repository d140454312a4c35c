/*
 * rest.h: what anybody may read, by address alone (-rest).
 *
 * /rest/<what>/<of which>.<form>: bin, hex or json. No password is asked for,
 * nothing can be changed. Mostly a call of JSON-RPC in other clothes; paths,
 * forms and sentences are Bitcoin Core 27's.
 */
#ifndef CC_RPC_REST_H
#define CC_RPC_REST_H

#include "rpc/http.h"
#include "rpc/rpc.h"

#define CC_REST_PREFIX "/rest/"

/* A request whose path begins with CC_REST_PREFIX. */
void cc_rest_handle(struct cc_rpc *rpc, const struct cc_http_request *req,
                    struct cc_http_reply *reply);

#endif
