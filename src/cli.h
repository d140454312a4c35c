/* cli.h: what the commands of cloudcoin-cli share. */
#ifndef CC_CLI_H
#define CC_CLI_H

#include "rpc/json.h"
#include "setup.h"

struct cc_cli {
    struct cc_setup setup;
    char *password; /* -stdinrpcpass */
    char **words;   /* method and arguments, all ours */
    size_t count, cap;
    const char *wallet; /* for the calls of now, over -rpcwallet; or NULL */
};

/* "error: text" on standard error; the exit status. */
int cc_cli_fault(const char *text);
/* One exchange. With -rpcwait again, while nobody answers or the server warms
 * up. */
enum cc_status cc_cli_call(struct cc_cli *c, const json_t *request,
                           json_t **answer, struct cc_error *err);
/* {"method","params" (taken; NULL: none),"id"} */
json_t *cc_cli_request(const char *method, json_t *params, int id);
/* An error that the server answered; the exit status. */
int cc_cli_print_error(const json_t *error);

/* -getinfo: cli_getinfo.c. */
int cc_cli_getinfo(struct cc_cli *c);
/* -netinfo, -addrinfo: cli_netinfo.c. */
int cc_cli_netinfo(struct cc_cli *c);
int cc_cli_addrinfo(struct cc_cli *c);

#endif
