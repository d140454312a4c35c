/*
 * banlist.h: subnets that may not connect, by order of the user
 * (banlist.json), and addresses that misbehaved (in memory only: they lose
 * their place first when slots are scarce and are not connected to).
 *
 * Not thread safe. Times are unix seconds, given by the caller.
 */
#ifndef CC_NET_BANLIST_H
#define CC_NET_BANLIST_H

#include "net/netaddr.h"
#include "util/error.h"

#define CC_BANLIST_MAX 100000

struct cc_banlist;

struct cc_ban_entry {
    struct cc_subnet subnet;
    int64_t created, until;
};

struct cc_banlist *cc_banlist_new(const uint8_t seed[16]);
void cc_banlist_free(struct cc_banlist *b);

/* Extends a ban that is there; false if that one lasts longer already. */
bool cc_banlist_add(struct cc_banlist *b, const struct cc_subnet *s,
                    int64_t now, int64_t until);
bool cc_banlist_remove(struct cc_banlist *b, const struct cc_subnet *s);
void cc_banlist_clear(struct cc_banlist *b);
bool cc_banlist_has(struct cc_banlist *b, const struct cc_netaddr *a,
                    int64_t now);
bool cc_banlist_has_subnet(struct cc_banlist *b, const struct cc_subnet *s,
                           int64_t now);
/* Sorted; those that are over are dropped first. Borrowed until the next
 * change. */
size_t cc_banlist_all(struct cc_banlist *b, int64_t now,
                      const struct cc_ban_entry **out);

void cc_banlist_discourage(struct cc_banlist *b, const struct cc_netaddr *a);
bool cc_banlist_discouraged(const struct cc_banlist *b,
                            const struct cc_netaddr *a);

enum cc_status cc_banlist_save(struct cc_banlist *b, const char *path,
                               int64_t now, struct cc_error *err);
/* CC_NOTFOUND; CC_CORRUPT with the list left empty. */
enum cc_status cc_banlist_load(struct cc_banlist *b, const char *path,
                               int64_t now, struct cc_error *err);

#endif
