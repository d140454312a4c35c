/* cli_call.h: one JSON-RPC exchange over HTTP, for the command line. */
#ifndef CC_CLI_CALL_H
#define CC_CLI_CALL_H

#include "rpc/json.h"
#include "setup.h"

/* Where the server is and who we are. Strings for free by _clear. */
struct cc_cli_server {
    char *host, *path, *credentials; /* credentials NULL: none found */
    uint16_t port;
    int timeout_s;
    bool password_given;
};

/* From -rpcconnect, -rpcport, -rpcuser, -rpcpassword, the cookie and
 * -rpcwallet, unless wallet names one. The cookie is read anew each time, since
 * the server makes a new one. */
enum cc_status cc_cli_server_init(struct cc_cli_server *s,
                                  const struct cc_setup *setup,
                                  const char *password, const char *wallet,
                                  struct cc_error *err);
void cc_cli_server_clear(struct cc_cli_server *s);

/* *answer: what the server said, one JSON value. CC_IO: nobody answers there
 * (worth another try); CC_INVALID: it refuses us. */
enum cc_status cc_cli_exchange(const struct cc_cli_server *s,
                               const json_t *request,
                               const struct cc_setup *setup, json_t **answer,
                               struct cc_error *err);

#endif
