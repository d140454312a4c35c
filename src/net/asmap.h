/*
 * asmap.h: which provider (autonomous system, RFC 4271) an IP address belongs
 * to, by a map that the user gives (-asmap), in Bitcoin Core's compact format.
 *
 * Peers of one provider are one group, wherever in the address space they are:
 * whoever would surround us needs many providers then, not many addresses.
 *
 * The map is a program over bits, the lowest of each byte first, that walks
 * along the 128 bits of an address (IPv4 behind ::ffff:0:0/96):
 *     RETURN n    the answer is n
 *     JUMP d      skip d bits of the program if the next bit is 1
 *     MATCH m     the next bits are those of m behind its first one, or the
 *                 answer is the default
 *     DEFAULT n   the default is n from here on (0 before)
 * Numbers are written as classes: a 1 per class passed over, then the bits of
 * the class. A map is checked whole when it is read: every way through it ends
 * in an answer, no jump leads into an instruction, and nothing is unreachable,
 * so that looking up cannot fail.
 *
 * Immutable once made: any thread.
 */
#ifndef CC_NET_ASMAP_H
#define CC_NET_ASMAP_H

#include "net/netaddr.h"
#include "util/error.h"
#include "util/log.h"

struct cc_asmap;

/* CC_MALFORMED: no such map. */
enum cc_status cc_asmap_decode(struct cc_asmap **out, const void *data,
                               size_t len);
/* From a file, with lines for the log. CC_INVALID with Core's sentence. */
enum cc_status cc_asmap_load(struct cc_asmap **out, const char *path,
                             struct cc_log *log, struct cc_error *err);
void cc_asmap_free(struct cc_asmap *m);

/* Everywhere below m may be NULL: there is no map. */

/* The provider's number; 0: unknown, or not an address of the Internet. */
uint32_t cc_asmap_find(const struct cc_asmap *m, const struct cc_netaddr *a);
/* By provider, where it is known, else as cc_netaddr_group. */
size_t cc_asmap_group(const struct cc_asmap *m, const struct cc_netaddr *a,
                      uint8_t out[8]);
/* Names the map, as Core does; zeros for NULL. */
void cc_asmap_version(const struct cc_asmap *m, uint8_t out[32]);

#endif
