/*
 * warnings.h: what users should know though the node goes on: "warnings" of
 * getblockchaininfo, getmininginfo and getnetworkinfo, and -alertnotify.
 *
 * One per node; any thread.
 */
#ifndef CC_RPC_WARNINGS_H
#define CC_RPC_WARNINGS_H

#include <jansson.h>

struct cc_warnings;

/* alert is called with the first warning, and with no other. */
struct cc_warnings *cc_warnings_new(void (*alert)(void *arg, const char *text),
                                    void *arg);
void cc_warnings_free(struct cc_warnings *w);
/* In place of the one before. */
void cc_warnings_set(struct cc_warnings *w, const char *text);
/* "" if there is none, as for NULL. */
json_t *cc_warnings_json(struct cc_warnings *w);

#endif
