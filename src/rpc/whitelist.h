/*
 * whitelist.h: which methods each user may call (-rpcwhitelist).
 */
#ifndef CC_RPC_WHITELIST_H
#define CC_RPC_WHITELIST_H

#include <stdbool.h>
#include <stddef.h>

struct cc_whitelist;

/* entries, copied: "user:method,method"; several of one user allow what all
 * of them do. by_default: who is in no entry may call nothing. */
struct cc_whitelist *cc_whitelist_new(const char *const *entries, size_t count,
                                      bool by_default);
void cc_whitelist_free(struct cc_whitelist *w);

/* method NULL: is anything allowed at all? */
bool cc_whitelist_allows(const struct cc_whitelist *w, const char *user,
                         const char *method);

#endif
