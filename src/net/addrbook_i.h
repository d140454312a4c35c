/*
 * addrbook_i.h: what addrbook.c and addrbook_file.c share. Private to them.
 */
#ifndef CC_NET_ADDRBOOK_I_H
#define CC_NET_ADDRBOOK_I_H

#include "net/addrbook.h"
#include "net/asmap.h"
#include "util/map.h"

#define CC_BOOK_NEW_SLOTS (CC_BOOK_NEW_BUCKETS * CC_BOOK_BUCKET_SIZE)
#define CC_BOOK_TRIED_SLOTS (CC_BOOK_TRIED_BUCKETS * CC_BOOK_BUCKET_SIZE)
#define CC_BOOK_KEY_LEN 36 /* of the map: network, bytes, port */
#define CC_BOOK_MAX_REFS 8
#define CC_BOOK_COLLISIONS 10

struct cc_book_slot {
    struct cc_book_entry e;
    unsigned refs; /* places in "new" */
    int64_t last_count;
    uint32_t number; /* while the file is written or read */
};

struct cc_addrbook {
    uint8_t key[32];
    uint64_t k0, k1; /* of key */
    uint64_t draws;
    int64_t last_good;
    const struct cc_asmap *providers; /* NULL: groups by prefix */
    struct cc_map map; /* CC_BOOK_KEY_LEN -> struct cc_book_slot * */
    struct cc_book_slot *fresh[CC_BOOK_NEW_SLOTS], *tried[CC_BOOK_TRIED_SLOTS];
    uint8_t fresh_in[CC_BOOK_NEW_BUCKETS], tried_in[CC_BOOK_TRIED_BUCKETS];
    /* addresses, not places: of each network, and of all at 0 */
    size_t fresh_count[CC_NET_CJDNS + 1], tried_count[CC_NET_CJDNS + 1];
    struct cc_netaddr collisions[CC_BOOK_COLLISIONS];
    size_t collision_count;
};

void cc_abook_set_key(struct cc_addrbook *b, const uint8_t key[32]);
/* Drop everything. */
void cc_abook_reset(struct cc_addrbook *b);
struct cc_book_slot *cc_abook_find(const struct cc_addrbook *b,
                                   const struct cc_netaddr *a);
/* A new entry of the map, in no table yet. */
struct cc_book_slot *cc_abook_make(struct cc_addrbook *b,
                                   const struct cc_netaddr *a);
/* One address more, or less, of those in "new" or tried. */
void cc_abook_count(struct cc_addrbook *b, const struct cc_book_slot *s,
                    bool tried, bool more);
/* Who has a slot (NULL: nobody); counts of buckets follow, nothing else. */
void cc_abook_set(struct cc_addrbook *b, bool tried, size_t slot,
                  struct cc_book_slot *s);
void cc_abook_delete(struct cc_addrbook *b, struct cc_book_slot *s);
/* Numbers of slots: bucket * CC_BOOK_BUCKET_SIZE + position. */
size_t cc_abook_new_slot(const struct cc_addrbook *b,
                         const struct cc_netaddr *a,
                         const struct cc_netaddr *source);
size_t cc_abook_slot_in(const struct cc_addrbook *b, size_t bucket,
                        const struct cc_netaddr *a);
size_t cc_abook_tried_slot(const struct cc_addrbook *b,
                           const struct cc_netaddr *a);

#endif
