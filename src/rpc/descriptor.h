/* descriptor.h: descriptors as arguments of calls. */
#ifndef CC_RPC_DESCRIPTOR_H
#define CC_RPC_DESCRIPTOR_H

#include "rpc/rpc.h"
#include "wallet/descriptor.h"

/* "desc", or {"desc","range"}: parsed, with the range to look at (0 to 1000 if
 * none is given; 0 to 0 if it is no range). NULL and error. */
struct cc_descriptor *cc_rpc_get_descriptor(struct cc_rpc_call *call,
                                            const json_t *v, uint32_t *first,
                                            uint32_t *last);
/* The one script that text pays to, for free: of combo the witness one if
 * there is any. *why (for free), and no error: it is no
 * descriptor. */
bool cc_rpc_descriptor_script(struct cc_rpc_call *call, const char *text,
                              char **why, uint8_t **script, size_t *len);

#endif
