/*
 * internal.h: what the files of the dispatcher share with each other. Families
 * of calls include rpc.h only.
 */
#ifndef CC_RPC_INTERNAL_H
#define CC_RPC_INTERNAL_H

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

/* rpc/scan.c: the scan of coins that may be under way. */
struct cc_scan;
struct cc_scan *cc_scan_new(void);
void cc_scan_free(struct cc_scan *s);
struct cc_scan *cc_rpc_scan(struct cc_rpc *rpc);

#endif
