#include "net/banlist.h"

#include <stdlib.h>

#include <jansson.h>

#include "crypto/hash.h"
#include "net/recent.h"
#include "util/fs.h"
#include "util/mem.h"

#define DISCOURAGED_MAX 50000
#define FILE_MAX (64 << 20)

struct cc_banlist {
    struct cc_ban_entry *bans;
    size_t count, cap;
    struct cc_recent discouraged;
};

struct cc_banlist *cc_banlist_new(const uint8_t seed[16])
{
    struct cc_banlist *b = cc_calloc(1, sizeof(*b));

    cc_recent_init(&b->discouraged, DISCOURAGED_MAX, seed);
    return b;
}

void cc_banlist_free(struct cc_banlist *b)
{
    if (!b)
        return;
    cc_recent_clear(&b->discouraged);
    free(b->bans);
    free(b);
}

static struct cc_ban_entry *find(struct cc_banlist *b,
                                 const struct cc_subnet *s)
{
    for (size_t i = 0; i < b->count; i++)
        if (cc_subnet_equal(&b->bans[i].subnet, s))
            return &b->bans[i];
    return NULL;
}

static void drop(struct cc_banlist *b, size_t i)
{
    memmove(&b->bans[i], &b->bans[i + 1],
            (b->count - i - 1) * sizeof(*b->bans));
    b->count--;
}

static void sweep(struct cc_banlist *b, int64_t now)
{
    for (size_t i = b->count; i-- > 0;)
        if (b->bans[i].until < now)
            drop(b, i);
}

bool cc_banlist_add(struct cc_banlist *b, const struct cc_subnet *s,
                    int64_t now, int64_t until)
{
    struct cc_ban_entry *e = find(b, s);

    if (e && e->until >= until)
        return false;
    if (!e) {
        if (b->count >= CC_BANLIST_MAX)
            return false;
        b->bans = cc_grow(b->bans, &b->cap, b->count + 1, sizeof(*b->bans));
        e = &b->bans[b->count++];
        e->subnet = *s;
    }
    e->created = now;
    e->until = until;
    return true;
}

bool cc_banlist_remove(struct cc_banlist *b, const struct cc_subnet *s)
{
    struct cc_ban_entry *e = find(b, s);

    if (!e)
        return false;
    drop(b, (size_t)(e - b->bans));
    return true;
}

void cc_banlist_clear(struct cc_banlist *b) { b->count = 0; }

bool cc_banlist_has(struct cc_banlist *b, const struct cc_netaddr *a,
                    int64_t now)
{
    for (size_t i = 0; i < b->count; i++)
        if (now < b->bans[i].until && cc_subnet_has(&b->bans[i].subnet, a))
            return true;
    return false;
}

bool cc_banlist_has_subnet(struct cc_banlist *b, const struct cc_subnet *s,
                           int64_t now)
{
    struct cc_ban_entry *e = find(b, s);

    return e && now < e->until;
}

/* IPv4 before IPv6, then by address, then the larger subnet first. */
static int compare_bans(const void *a, const void *b)
{
    const struct cc_subnet *x = &((const struct cc_ban_entry *)a)->subnet;
    const struct cc_subnet *y = &((const struct cc_ban_entry *)b)->subnet;
    int d = x->base.network - y->base.network;

    if (!d)
        d = memcmp(x->base.bytes, y->base.bytes, sizeof(x->base.bytes));
    return d ? d : x->bits - y->bits;
}

size_t cc_banlist_all(struct cc_banlist *b, int64_t now,
                      const struct cc_ban_entry **out)
{
    sweep(b, now);
    if (b->count)
        qsort(b->bans, b->count, sizeof(*b->bans), compare_bans);
    *out = b->bans;
    return b->count;
}

static void host_hash(uint8_t out[32], const struct cc_netaddr *a)
{
    struct cc_sha256 h;

    cc_sha256_init(&h);
    cc_sha256_update(&h, &a->network, 1);
    cc_sha256_update(&h, a->bytes, a->len);
    cc_sha256_final(&h, out);
}

void cc_banlist_discourage(struct cc_banlist *b, const struct cc_netaddr *a)
{
    uint8_t hash[32];

    host_hash(hash, a);
    cc_recent_add(&b->discouraged, hash);
}

bool cc_banlist_discouraged(const struct cc_banlist *b,
                            const struct cc_netaddr *a)
{
    uint8_t hash[32];

    host_hash(hash, a);
    return cc_recent_has(&b->discouraged, hash);
}

enum cc_status cc_banlist_save(struct cc_banlist *b, const char *path,
                               int64_t now, struct cc_error *err)
{
    json_t *list = json_array(), *root;
    enum cc_status st;
    char *text;

    sweep(b, now);
    for (size_t i = 0; i < b->count; i++) {
        char subnet[72];

        cc_subnet_format(subnet, &b->bans[i].subnet);
        json_array_append_new(
            list, json_pack("{s:i,s:I,s:I,s:s}", "version", 1, "ban_created",
                            (json_int_t)b->bans[i].created, "banned_until",
                            (json_int_t)b->bans[i].until, "address", subnet));
    }
    root = json_pack("{s:o}", "banned_nets", list);
    text = json_dumps(root, JSON_INDENT(4));
    json_decref(root);
    if (!text)
        return cc_fail(err, CC_LIMIT, "%s: out of memory", path);
    st = cc_fs_write(path, text, strlen(text), 0600, err);
    free(text);
    return st;
}

static bool load_ban(struct cc_banlist *b, json_t *o, int64_t now)
{
    struct cc_subnet s;
    const char *address;
    json_int_t created, until;

    if (json_unpack(o, "{s:I,s:I,s:s}", "ban_created", &created, "banned_until",
                    &until, "address", &address) != 0 ||
        !cc_subnet_parse(&s, address))
        return false;
    if (until >= now) /* one that is there twice: the longer counts */
        (void)cc_banlist_add(b, &s, created, until);
    return true;
}

enum cc_status cc_banlist_load(struct cc_banlist *b, const char *path,
                               int64_t now, struct cc_error *err)
{
    uint8_t *data;
    size_t len, i;
    json_t *root, *o;
    bool ok;
    enum cc_status st = cc_fs_read(path, FILE_MAX, &data, &len, err);

    if (st != CC_OK)
        return st;
    root = json_loadb((const char *)data, len, 0, NULL);
    free(data);
    ok = json_is_array(json_object_get(root, "banned_nets"));
    json_array_foreach(json_object_get(root, "banned_nets"), i, o) ok =
        ok && load_ban(b, o, now);
    json_decref(root);
    if (ok)
        return CC_OK;
    cc_banlist_clear(b);
    return cc_fail(err, CC_CORRUPT, "%s is damaged", path);
}
