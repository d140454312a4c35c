/*
 * addrbook.h: addresses of nodes we heard of, bounded and hard to flood.
 *
 * Two tables: "new" (heard of) and "tried" (we once completed a handshake
 * with it), of buckets of 64 places. The bucket of a new address follows,
 * under a secret key, from its group and the group of who told us: one teller
 * reaches 64 of 1,024 buckets only. Heard of from several, it may have up to
 * eight places. A tried address's bucket follows from its own group: 8 of 256.
 * A place is given up only by an occupant that has become useless or has
 * others; a tried one that another should replace is asked first, by a feeler,
 * whether it still lives. Peers can therefore neither grow the book past its
 * bound nor push out what works.
 *
 * Not thread safe. Times are unix seconds, given by the caller.
 */
#ifndef CC_NET_ADDRBOOK_H
#define CC_NET_ADDRBOOK_H

#include "net/netaddr.h"
#include "util/error.h"

#define CC_BOOK_NEW_BUCKETS 1024
#define CC_BOOK_TRIED_BUCKETS 256
#define CC_BOOK_BUCKET_SIZE 64

struct cc_addrbook;
struct cc_asmap;

struct cc_book_entry {
    struct cc_netaddr addr, source;
    uint64_t services;
    int64_t time; /* last heard to be alive */
    int64_t last_try, last_success;
    uint32_t attempts; /* since the last success */
    bool tried;
};

/* key: 16 random bytes. */
struct cc_addrbook *cc_addrbook_new(const uint8_t key[16]);
void cc_addrbook_free(struct cc_addrbook *b);
/* Group by the providers of this map, which is borrowed. While the book is
 * empty. */
void cc_addrbook_set_providers(struct cc_addrbook *b, const struct cc_asmap *m);
/* Does the book agree with itself? */
bool cc_addrbook_check(const struct cc_addrbook *b);
/* How many addresses of the Internet there are, how many providers have them,
 * and of how many none is known. */
struct cc_book_providers {
    size_t addresses, providers, unmapped;
};
struct cc_book_providers cc_addrbook_providers(const struct cc_addrbook *b);

/* Heard of an address. True if it got a place. */
bool cc_addrbook_add(struct cc_addrbook *b, const struct cc_netaddr *addr,
                     uint64_t services, int64_t time,
                     const struct cc_netaddr *source, int64_t now);
/* An attempt begins; it succeeded (moves it to tried; false: it was there, or
 * the place is taken by one that must be asked first); it was alive when the
 * connection ended. */
void cc_addrbook_attempt(struct cc_addrbook *b, const struct cc_netaddr *addr,
                         int64_t now);
bool cc_addrbook_good(struct cc_addrbook *b, const struct cc_netaddr *addr,
                      int64_t now);
void cc_addrbook_seen(struct cc_addrbook *b, const struct cc_netaddr *addr,
                      int64_t now);
void cc_addrbook_set_services(struct cc_addrbook *b,
                              const struct cc_netaddr *addr, uint64_t services);

const struct cc_book_entry *cc_addrbook_find(const struct cc_addrbook *b,
                                             const struct cc_netaddr *addr);
/* A random one worth trying, tried and new with even chance; false if there is
 * none. new_only: for feelers. random: even over 64 bits. */
bool cc_addrbook_select(const struct cc_addrbook *b, bool new_only, int64_t now,
                        uint64_t (*random)(void *arg), void *arg,
                        struct cc_book_entry *out);
/* Decide about those whose place in tried is taken, as far as it can be known
 * by now; and one whose place another wants, for a feeler to ask. */
void cc_addrbook_resolve(struct cc_addrbook *b, int64_t now);
bool cc_addrbook_select_collision(const struct cc_addrbook *b,
                                  uint64_t (*random)(void *arg), void *arg,
                                  struct cc_book_entry *out);
/* Up to max (0: no limit) and up to percent of all, at random, those useless
 * left out; network 0: any. *out is the caller's to free. */
size_t cc_addrbook_sample(const struct cc_addrbook *b, size_t max,
                          unsigned percent, unsigned network, int64_t now,
                          uint64_t (*random)(void *arg), void *arg,
                          struct cc_book_entry **out);
/* network 0: any. */
void cc_addrbook_counts(const struct cc_addrbook *b, unsigned network,
                        size_t *fresh, size_t *tried);

/* The first entry at or behind *slot of a table, which becomes its slot: bucket
 * times CC_BOOK_BUCKET_SIZE plus position. False: there is none. */
bool cc_addrbook_next(const struct cc_addrbook *b, bool tried, size_t *slot,
                      struct cc_book_entry *out);

#endif
