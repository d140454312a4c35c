/*
 * template.h: the answer of getblocktemplate, kept ready.
 *
 * A thread builds a new one when the tip moves, and at most once a second when
 * the pool has changed, as long as somebody asks now and then. A call gets what
 * is there; it builds only if that is of another tip, or old, or if building is
 * so quick that nothing old need be given. Any thread; takes the chain's lock.
 */
#ifndef CC_RPC_TEMPLATE_H
#define CC_RPC_TEMPLATE_H

#include <jansson.h>

#include "mempool/mempool.h"
#include "rpc/waiter.h"
#include "util/clock.h"

struct cc_templates;

struct cc_templates_config {
    const struct cc_params *params;
    struct cc_chain *chain;
    struct cc_mempool *mempool;
    const struct cc_clock *clock;
    struct cc_waiter *waiter; /* woken by each tip; its end is the thread's */
    int64_t quick_ms;         /* how long building may hold up a call */
};

struct cc_templates *cc_templates_new(const struct cc_templates_config *config);
/* After the waiter was interrupted; NULL is nothing. */
void cc_templates_free(struct cc_templates *t);
/* *out: the template as of BIP 22, the caller's to release; its members are
 * shared, to be read only. t NULL: CC_NOTFOUND. */
enum cc_status cc_templates_get(struct cc_templates *t, json_t **out,
                                struct cc_error *err);

#endif
