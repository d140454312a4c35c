/*
 * ext.h: an extension's side of the talk with its node.
 *
 * JSON-RPC 2.0, one object a line, over standard input and output
 * (doc/rpc.md, "Extensions"). The node asks getmanifest, then init, then
 * forwards calls of the declared methods; it sends notifications of blocks and
 * transactions; shutdown or the end of input ends it. At any time the
 * extension may call the node's methods, with the member "wallet" choosing a
 * wallet.
 *
 * Threads: cc_ext_run reads, on the caller's thread, and calls notify there:
 * it must be quick and must not call the node. Requests are answered on one
 * thread of their own, one after the other; those may call the node.
 * cc_ext_call may be used by any number of threads.
 */
#ifndef CC_STORAGE_EXT_H
#define CC_STORAGE_EXT_H

#include <jansson.h>

#include "util/error.h"

struct cc_ext;
struct cc_log;

/* No line is longer; a node that sends one is not ours. */
#define CC_EXT_LINE_MAX (64u << 20)

struct cc_ext_method {
    const char *name, *category, *usage, *description;
};

struct cc_ext_config {
    int in, out; /* descriptors, borrowed */
    const struct cc_ext_method *methods;
    size_t method_count;
    const char *const *subscriptions;
    size_t subscription_count;
    /* The node's init: chain, genesis, datadir, blocks, version. A failure is
     * answered with its sentence, and cc_ext_run ends with it. */
    enum cc_status (*init)(void *arg, const json_t *params,
                           struct cc_error *err);
    /* A declared method. Returns a new reference, or NULL with *code and err
     * set. params: array or object. */
    json_t *(*call)(void *arg, const char *method, const json_t *params,
                    int *code, struct cc_error *err);
    void (*notify)(void *arg, const char *method, const json_t *params);
    void *arg;
};

/* config is copied; what it points to is borrowed. */
struct cc_ext *cc_ext_new(const struct cc_ext_config *config);
/* After cc_ext_run has returned and nobody calls any more. */
void cc_ext_free(struct cc_ext *x);

/* Serves until shutdown or the end of input (CC_OK), a line that is no JSON
 * (CC_MALFORMED) or over the limit (CC_LIMIT), a broken pipe (CC_IO), or a
 * failed init. Calls that wait are then answered with CC_IO. */
enum cc_status cc_ext_run(struct cc_ext *x, struct cc_error *err);

/* Call the node. params (array, object or NULL) is taken. wallet: NULL for
 * none. *result: a new reference. CC_INVALID: the node answered an error,
 * whose sentence is err's text and whose code is *code (may be NULL); CC_IO:
 * the talk is over. */
enum cc_status cc_ext_call(struct cc_ext *x, const char *method, json_t *params,
                           const char *wallet, json_t **result, int *code,
                           struct cc_error *err);

#endif
