/*
 * addrbook.h: addresses of nodes we heard of, bounded and hard to flood.
 *
 * Two tables: "new" (heard of) and "tried" (we once completed a handshake
 * with it). The bucket of a new address follows, under a secret key, from its
 * group and the group of who told us: one teller reaches 1/4 of the buckets
 * only. A tried address's bucket follows from its own group. A full slot is
 * given up only for an occupant that has become useless. Peers can therefore
 * neither grow the book past its bound nor push out what works.
 *
 * Not thread safe. Times are unix seconds, given by the caller.
 */
#ifndef CC_NET_ADDRBOOK_H
#define CC_NET_ADDRBOOK_H

#include "net/netaddr.h"
#include "util/error.h"

#define CC_BOOK_NEW_BUCKETS 256
#define CC_BOOK_TRIED_BUCKETS 64
#define CC_BOOK_BUCKET_SIZE 64

struct cc_addrbook;

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

/* Heard of an address. True if it is new to us and was kept. */
bool cc_addrbook_add(struct cc_addrbook *b, const struct cc_netaddr *addr,
                     uint64_t services, int64_t time,
                     const struct cc_netaddr *source, int64_t now);
/* An attempt begins; it succeeded (moves it to tried; false: refused); it was
 * alive when the connection ended. */
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
/* Up to max (0: no limit) and up to percent of all, at random, those useless
 * left out; network 0: any. *out is the caller's to free. */
size_t cc_addrbook_sample(const struct cc_addrbook *b, size_t max,
                          unsigned percent, unsigned network, int64_t now,
                          uint64_t (*random)(void *arg), void *arg,
                          struct cc_book_entry **out);
/* network 0: any. */
void cc_addrbook_counts(const struct cc_addrbook *b, unsigned network,
                        size_t *fresh, size_t *tried);

/* peers.dat. Load, into an empty book: CC_NOTFOUND, or CC_CORRUPT with the
 * book left empty. */
enum cc_status cc_addrbook_save(const struct cc_addrbook *b, const char *path,
                                struct cc_error *err);
enum cc_status cc_addrbook_load(struct cc_addrbook *b, const char *path,
                                int64_t now, struct cc_error *err);
/* The bytes of the file, for tests and fuzzing. */
enum cc_status cc_addrbook_decode(struct cc_addrbook *b, const void *data,
                                  size_t len, int64_t now);

#endif
