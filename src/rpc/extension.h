/*
 * extension.h: programs that the node starts and talks with.
 *
 * An extension is started with its standard input and output as pipes and
 * speaks JSON-RPC 2.0 over them, one object a line, both ways (the calls are
 * described in doc/rpc.md). It declares methods, which become methods
 * of the node, and events it wants to hear of. Its standard error goes into
 * the log.
 *
 * A bad extension hurts itself alone: lines are bounded, what waits for it is
 * bounded (past that it is killed: it does not read), a call that it leaves
 * unanswered ends with an error in time, and when it dies its methods answer
 * that it did. Its own calls run on a few threads of its own, so it cannot
 * take RPC's workers away from people.
 */
#ifndef CC_RPC_EXTENSION_H
#define CC_RPC_EXTENSION_H

#include "rpc/rpc.h"

struct cc_extensions;

struct cc_extensions_config {
    struct cc_rpc *rpc;
    struct cc_log *log;
    json_t *init;     /* params of "init"; borrowed */
    unsigned start_s; /* to answer getmanifest and init; 0: 60 */
    unsigned call_s;  /* to answer a call; 0: 120 */
    unsigned stop_s;  /* to end after shutdown; 0: 10 */
};

struct cc_extensions *cc_extensions_new(const struct cc_extensions_config *c);
/* Start a command (program and arguments, split at spaces; quotes hold words
 * together) and wait until it is ready. A program without a slash is looked
 * for beside the daemon, then in PATH. CC_INVALID: it could not be started,
 * or what it declared does not do. */
enum cc_status cc_extensions_start(struct cc_extensions *x, const char *command,
                                   struct cc_error *err);
/* Tell those who subscribed; params is taken. Any lock may be held: it only
 * queues. */
void cc_extensions_notify(struct cc_extensions *x, const char *event,
                          json_t *params);
/* Does anybody want this event? */
bool cc_extensions_wanted(struct cc_extensions *x, const char *event);
/* Say "shutdown", close their input, kill what still runs after stop_s. None
 * of their calls runs when this returns; those of people answer that the
 * extension is gone. */
void cc_extensions_stop(struct cc_extensions *x);
/* Stops too. */
void cc_extensions_free(struct cc_extensions *x);

#endif
