/*
 * internal.h: what the files of the dispatcher share with each other. Families
 * of calls include rpc.h only.
 */
#ifndef CC_RPC_INTERNAL_H
#define CC_RPC_INTERNAL_H

#include <stdatomic.h>

#include "rpc/rpc.h"
#include "util/writer.h"

/* Flag of struct cc_rpc_method: an extension answers it. Its usage line is in
 * result, its arguments go unchecked, by place or by name. */
#define CC_RPC_FOREIGN 0x100u

/* printf into w. */
void cc_rpc_put(struct cc_writer *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* First line of help, whole help; for free. p (may be NULL) tells the port. */
char *cc_rpc_method_usage(const struct cc_rpc_method *m);
char *cc_rpc_method_help(const struct cc_rpc_method *m,
                         const struct cc_params *p);

/* cc_clock_monotonic_ms when the table was made: since when the node runs. */
int64_t cc_rpc_started_ms(const struct cc_rpc *rpc);

/* What handlers reach, as it is now. Not while the node starts. */
struct cc_rpc_env cc_rpc_env_now(struct cc_rpc *rpc);

/* rpc/scan.c: the scans that may be under way, one of coins and one of
 * blocks. "status" and "abort" come on other threads and meet them here. */
struct cc_scan {
    struct cc_scan_state {
        atomic_bool running, abort;
        atomic_int percent, height;
    } coins, blocks;
};
struct cc_scan *cc_scan_new(void);
void cc_scan_free(struct cc_scan *s);
struct cc_scan *cc_rpc_scan(struct cc_rpc *rpc);
/* Has somebody said stop? */
bool cc_scan_stopped(const struct cc_rpc_call *call,
                     const struct cc_scan_state *s);
/* The answer to such a call, whose action is its first argument: "start" is
 * done by begin, by one at a time. heights: "status" tells the height, too. */
json_t *cc_scan_call(struct cc_rpc_call *call, struct cc_scan_state *s,
                     bool heights,
                     json_t *(*begin)(struct cc_rpc_call *call,
                                      struct cc_scan_state *s));
/* Its first two arguments. */
#define CC_SCAN_ARGS                                                           \
    CC_ARG("action", CC_RPC_STR, NULL,                                         \
           "The action to execute\n\"start\" for starting a scan\n\"abort\" "  \
           "for aborting the current scan (returns true when abort was "       \
           "successful)\n\"status\" for progress report (in %) of the "        \
           "current scan"),                                                    \
        CC_ARG_AS(                                                             \
            "scanobjects", CC_RPC_ARR, "",                                     \
            "Array of scan objects. Required for \"start\" action\nEvery "     \
            "scan object is either a string descriptor or an object: "         \
            "{\"desc\":\"str\", \"range\":n or [n,n]}",                        \
            "[scanobjects,...]")

#endif
