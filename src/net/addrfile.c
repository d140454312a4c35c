#include "net/addrfile.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "net/addrbook_i.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/reader.h"
#include "util/writer.h"

#define FORMAT 4        /* the one we write */
#define FORMAT_ASMAP 2  /* from here on with a hash of providers */
#define FORMAT_ADDRV2 3 /* from here on with networks of BIP 155 */
#define INCOMPATIBILITY 32
#define BUCKETS_XOR (1u << 30)
#define ENTRY_VERSION 220000u /* what Bitcoin Core puts there, and ignores */
#define ENTRY_ADDRV2 (1u << 29)
#define ENTRY_IGNORED 0x7ffffu
#define FILE_MAX (16 << 20)
#define OLD_MAGIC 0x42504343u /* "CCPB": the format of our first versions */

/* --- Writing -------------------------------------------------------------- */

static void write_host(struct cc_writer *w, const struct cc_netaddr *a)
{
    cc_write_u8(w, a->network);
    cc_write_var(w, a->bytes, a->len);
}

static void write_address(struct cc_writer *w, const struct cc_book_entry *e)
{
    cc_write_u32le(w, ENTRY_VERSION | ENTRY_ADDRV2);
    cc_write_u32le(w, (uint32_t)e->time);
    cc_write_compact(w, e->services);
    write_host(w, &e->addr);
    cc_write_u16be(w, e->addr.port);
}

static void write_entry(struct cc_writer *w, const struct cc_book_entry *e)
{
    write_address(w, e);
    write_host(w, &e->source);
    cc_write_u64le(w, (uint64_t)e->last_success);
    cc_write_u32le(w, e->attempts);
}

static void write_bucket(struct cc_writer *w, const struct cc_addrbook *b,
                         size_t bucket)
{
    struct cc_book_slot *const *at = &b->fresh[bucket * CC_BOOK_BUCKET_SIZE];
    uint32_t count = 0;

    for (size_t i = 0; i < CC_BOOK_BUCKET_SIZE; i++)
        count += at[i] != NULL;
    cc_write_u32le(w, count);
    for (size_t i = 0; i < CC_BOOK_BUCKET_SIZE; i++)
        if (at[i])
            cc_write_u32le(w, at[i]->number);
}

static enum cc_status finish_file(struct cc_writer *w, const char *path,
                                  struct cc_error *err)
{
    enum cc_status st;
    uint8_t hash[32];

    cc_hash256(hash, w->data, w->len);
    cc_write_bytes(w, hash, 32);
    st = cc_fs_write(path, w->data, w->len, 0600, err);
    cc_writer_clear(w);
    return st;
}

enum cc_status cc_addrfile_save(const struct cc_addrbook *b, const char *path,
                                uint32_t magic, struct cc_error *err)
{
    struct cc_writer w;
    uint32_t number = 0;
    size_t pos = 0;
    uint8_t map[32];
    void *v;

    cc_writer_init_heap(&w);
    cc_write_u32le(&w, magic);
    cc_write_u8(&w, FORMAT);
    cc_write_u8(&w, INCOMPATIBILITY + FORMAT);
    cc_write_bytes(&w, b->key, 32);
    cc_write_u32le(&w, (uint32_t)b->fresh_count[0]);
    cc_write_u32le(&w, (uint32_t)b->tried_count[0]);
    cc_write_u32le(&w, CC_BOOK_NEW_BUCKETS ^ BUCKETS_XOR);
    while (cc_map_next(&b->map, &pos, NULL, &v)) {
        struct cc_book_slot *s = *(struct cc_book_slot **)v;

        if (s->e.tried)
            continue;
        s->number = number++;
        write_entry(&w, &s->e);
    }
    for (pos = 0; cc_map_next(&b->map, &pos, NULL, &v);)
        if ((*(struct cc_book_slot **)v)->e.tried)
            write_entry(&w, &(*(struct cc_book_slot **)v)->e);
    for (size_t i = 0; i < CC_BOOK_NEW_BUCKETS; i++)
        write_bucket(&w, b, i);
    cc_asmap_version(b->providers, map);
    cc_write_bytes(&w, map, 32);
    return finish_file(&w, path, err);
}

/* --- Reading -------------------------------------------------------------- */

/* The bytes of a host by network; what is unknown, or does not belong there,
 * gets network 0. */
static void set_host(struct cc_netaddr *a, unsigned network,
                     struct cc_bytes bytes)
{
    memset(a, 0, sizeof(*a));
    if (!bytes.len || bytes.len != cc_network_addr_len(network))
        return;
    if (network == CC_NET_IPV6) {
        cc_netaddr_from_v1(a, bytes.data, 0);
        return;
    }
    a->network = (uint8_t)network;
    a->len = (uint8_t)bytes.len;
    memcpy(a->bytes, bytes.data, bytes.len);
}

static void read_host(struct cc_reader *r, struct cc_netaddr *a, bool v2)
{
    unsigned network = CC_NET_IPV6;
    struct cc_bytes bytes;

    if (v2) {
        network = cc_read_u8(r);
        bytes = cc_read_var(r);
    } else {
        bytes = cc_read_slice(r, 16);
    }
    if (r->failed)
        memset(a, 0, sizeof(*a));
    else
        set_host(a, network, bytes);
}

/* may_v2: the form around can hold networks of BIP 155. */
static void read_address(struct cc_reader *r, struct cc_book_entry *e,
                         bool may_v2)
{
    uint32_t version = cc_read_u32le(r) & ~ENTRY_IGNORED;
    bool v2 = version == ENTRY_ADDRV2;

    if (version && (!v2 || !may_v2))
        r->failed = true;
    e->time = cc_read_u32le(r);
    e->services = v2 ? cc_read_compact(r) : cc_read_u64le(r);
    read_host(r, &e->addr, v2);
    e->addr.port = cc_read_u16be(r);
}

static void read_entry(struct cc_reader *r, struct cc_book_entry *e, bool v2,
                       int64_t now)
{
    memset(e, 0, sizeof(*e));
    read_address(r, e, v2);
    read_host(r, &e->source, v2);
    e->last_success = (int64_t)cc_read_u64le(r);
    e->attempts = cc_read_u32le(r);
    if (e->time > now + 600)
        e->time = now;
    if (e->last_success < 0 || e->last_success > now)
        e->last_success = 0;
}

/* NULL: not one for the book. */
static struct cc_book_slot *take(struct cc_addrbook *b,
                                 const struct cc_book_entry *e)
{
    struct cc_book_slot *s;

    if (!cc_netaddr_is_routable(&e->addr) || cc_abook_find(b, &e->addr))
        return NULL;
    s = cc_abook_make(b, &e->addr);
    s->e = *e;
    return s;
}

static void put_new(struct cc_addrbook *b, struct cc_book_slot *s, size_t slot)
{
    if (b->fresh[slot] || s->refs >= CC_BOOK_MAX_REFS)
        return;
    cc_abook_set(b, false, slot, s);
    if (!s->refs++)
        cc_abook_count(b, s, false, true);
}

struct body {
    struct cc_book_slot **fresh; /* by number; NULL: not taken */
    int32_t fresh_count, tried_count, buckets;
    bool v2, asmap;
};

/* Which bucket; those of other groups than ours are passed over. */
static void read_buckets(struct cc_addrbook *b, struct cc_reader *r,
                         const struct body *f, bool ours)
{
    for (int32_t i = 0; i < f->buckets && !r->failed; i++) {
        uint32_t count = cc_read_u32le(r);

        for (uint32_t k = 0; k < count && !r->failed; k++) {
            uint32_t number = cc_read_u32le(r);

            if (r->failed || number >= (uint32_t)f->fresh_count ||
                !f->fresh[number] || !ours)
                continue;
            put_new(b, f->fresh[number],
                    cc_abook_slot_in(b, (size_t)i, &f->fresh[number]->e.addr));
        }
    }
}

static void read_tried(struct cc_addrbook *b, struct cc_reader *r,
                       const struct body *f, int64_t now)
{
    struct cc_book_entry e;
    struct cc_book_slot *s;
    size_t slot;

    for (int32_t i = 0; i < f->tried_count && !r->failed; i++) {
        read_entry(r, &e, f->v2, now);
        slot = cc_abook_tried_slot(b, &e.addr);
        s = r->failed || b->tried[slot] ? NULL : take(b, &e);
        if (!s)
            continue;
        s->e.tried = true;
        cc_abook_set(b, true, slot, s);
        cc_abook_count(b, s, true, true);
    }
}

static void read_body(struct cc_addrbook *b, struct cc_reader *r,
                      struct body *f, int64_t now)
{
    uint8_t theirs[32] = {0}, mine[32];
    struct cc_reader buckets;
    struct cc_book_entry e;

    f->fresh = cc_calloc((size_t)f->fresh_count + 1, sizeof(*f->fresh));
    for (int32_t i = 0; i < f->fresh_count && !r->failed; i++) {
        read_entry(r, &e, f->v2, now);
        f->fresh[i] = r->failed ? NULL : take(b, &e);
    }
    read_tried(b, r, f, now);
    buckets = *r;
    read_buckets(b, r, f, false);
    if (f->asmap)
        cc_read_bytes(r, theirs, 32);
    cc_asmap_version(b->providers, mine);
    if (!r->failed && f->buckets == CC_BOOK_NEW_BUCKETS &&
        !memcmp(theirs, mine, 32))
        read_buckets(b, &buckets, f, true);
    /* Who has no place by the file gets his own, if it is free. */
    for (int32_t i = 0; i < f->fresh_count; i++) {
        struct cc_book_slot *s = f->fresh[i];

        if (s && !s->refs)
            put_new(b, s, cc_abook_new_slot(b, &s->e.addr, &s->e.source));
        if (s && !s->refs)
            cc_abook_delete(b, s);
    }
    free(f->fresh);
}

static enum cc_status corrupt(struct cc_error *err, const char *what)
{
    return cc_fail(err, CC_CORRUPT, "%s: iostream error", what);
}

static enum cc_status ended(struct cc_error *err)
{
    return corrupt(err, "AutoFile::read: end of file");
}

static enum cc_status check_count(const char *name, int32_t count, int32_t most,
                                  struct cc_error *err)
{
    if (count >= 0 && count <= most)
        return CC_OK;
    return cc_fail(err, CC_CORRUPT,
                   "Corrupt AddrMan serialization: %s=%" PRId32
                   ", should be in [0, %" PRId32 "]: iostream error",
                   name, count, most);
}

/* Magic, formats, key and counts. */
static enum cc_status read_head(struct cc_addrbook *b, struct cc_reader *r,
                                struct body *f, uint32_t magic,
                                struct cc_error *err)
{
    uint32_t got = cc_read_u32le(r);
    unsigned format, compat;
    uint8_t key[32];
    enum cc_status st;

    if (!r->failed && got == OLD_MAGIC)
        return cc_fail(err, CC_INVALID, "a format of older versions");
    if (!r->failed && got != magic)
        return cc_fail(err, CC_CORRUPT, "Invalid network magic number");
    format = cc_read_u8(r);
    compat = cc_read_u8(r);
    if (!r->failed && compat < INCOMPATIBILITY)
        return cc_fail(err, CC_CORRUPT,
                       "Corrupted addrman database: The compat value (%u) is "
                       "lower than the expected minimum value %d.: iostream "
                       "error",
                       compat, INCOMPATIBILITY);
    if (!r->failed && compat - INCOMPATIBILITY > FORMAT)
        return cc_fail(err, CC_INVALID,
                       "Unsupported format of addrman database: %u. It is "
                       "compatible with formats >=%u, but the maximum "
                       "supported by this version is %d.",
                       format, compat - INCOMPATIBILITY, FORMAT);
    f->v2 = format >= FORMAT_ADDRV2;
    f->asmap = format >= FORMAT_ASMAP;
    cc_read_bytes(r, key, 32);
    f->fresh_count = (int32_t)cc_read_u32le(r);
    f->tried_count = (int32_t)cc_read_u32le(r);
    f->buckets = (int32_t)(cc_read_u32le(r) ^ BUCKETS_XOR);
    if (r->failed)
        return ended(err);
    st = check_count("nNew", f->fresh_count, CC_BOOK_NEW_SLOTS, err);
    if (st == CC_OK)
        st = check_count("nTried", f->tried_count, CC_BOOK_TRIED_SLOTS, err);
    if (st == CC_OK)
        cc_abook_set_key(b, key);
    return st;
}

static bool is_zero(const uint8_t key[32])
{
    static const uint8_t zero[32];

    return !memcmp(key, zero, 32);
}

static enum cc_status decode(struct cc_addrbook *b, struct cc_reader *r,
                             const uint8_t *data, size_t len, uint32_t magic,
                             int64_t now, struct cc_error *err)
{
    struct body f = {0};
    uint8_t hash[32];
    enum cc_status st = read_head(b, r, &f, magic, err);
    size_t used;

    if (st != CC_OK)
        return st;
    read_body(b, r, &f, now);
    used = len - r->left;
    if (r->failed || r->left < 32)
        return ended(err);
    cc_hash256(hash, data, used);
    if (memcmp(hash, data + used, 32))
        return cc_fail(err, CC_CORRUPT, "Checksum mismatch, data corrupted");
    if (is_zero(b->key))
        return corrupt(err, "Corrupt data. Consistency check failed with code "
                            "-16");
    return CC_OK;
}

enum cc_status cc_addrfile_decode(struct cc_addrbook *b, const void *data,
                                  size_t len, uint32_t magic, int64_t now,
                                  struct cc_error *err)
{
    struct cc_reader r;
    uint8_t key[32];
    enum cc_status st;

    memcpy(key, b->key, 32);
    cc_reader_init(&r, data, len);
    st = decode(b, &r, data, len, magic, now, err);
    if (st != CC_OK) {
        cc_abook_reset(b);
        cc_abook_set_key(b, key);
    }
    return st;
}

enum cc_status cc_addrfile_load(struct cc_addrbook *b, const char *path,
                                uint32_t magic, int64_t now,
                                struct cc_error *err)
{
    uint8_t *data;
    size_t len;
    enum cc_status st = cc_fs_read(path, FILE_MAX, &data, &len, err);

    if (st != CC_OK)
        return st;
    st = cc_addrfile_decode(b, data, len, magic, now, err);
    free(data);
    return st;
}

/* --- Anchors -------------------------------------------------------------- */

enum cc_status cc_anchors_save(const char *path, uint32_t magic,
                               const struct cc_book_entry *e, size_t count,
                               struct cc_error *err)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_write_u32le(&w, magic);
    cc_write_compact(&w, count);
    for (size_t i = 0; i < count; i++)
        write_address(&w, &e[i]);
    return finish_file(&w, path, err);
}

size_t cc_anchors_decode(const void *data, size_t len, uint32_t magic,
                         struct cc_book_entry out[CC_ANCHORS_MAX])
{
    struct cc_reader r;
    struct cc_book_entry e;
    uint8_t hash[32];
    size_t count, n = 0;

    if (len < 4 + 1 + 32)
        return 0;
    cc_hash256(hash, data, len - 32);
    if (memcmp(hash, (const uint8_t *)data + len - 32, 32))
        return 0;
    cc_reader_init(&r, data, len - 32);
    if (cc_read_u32le(&r) != magic)
        return 0;
    count = cc_read_count(&r, 13);
    for (size_t i = 0; i < count && !r.failed; i++) {
        memset(&e, 0, sizeof(e));
        read_address(&r, &e, true);
        if (!r.failed && e.addr.network && n < CC_ANCHORS_MAX)
            out[n++] = e;
    }
    return cc_reader_done(&r) ? n : 0;
}

size_t cc_anchors_load(const char *path, uint32_t magic,
                       struct cc_book_entry out[CC_ANCHORS_MAX])
{
    uint8_t *data;
    size_t len, n;

    if (cc_fs_read(path, FILE_MAX, &data, &len, NULL) != CC_OK)
        return 0;
    n = cc_anchors_decode(data, len, magic, out);
    free(data);
    cc_fs_remove(path, NULL);
    return n;
}
