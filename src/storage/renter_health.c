/*
 * What is stored, how long it stays, and how it is now: which hosts answer,
 * agree with us on what they keep, and how many shards of each object are
 * with such hosts. Nothing is repaired here.
 */
#include "storage/renter_internal.h"

#include "util/fs.h"
#include "util/mem.h"
#include "util/pool.h"

#include <stdio.h>
#include <stdlib.h>

#define THREADS 31

static void set_int(json_t *o, const char *key, int64_t v)
{
    json_object_set_new(o, key, json_integer(v));
}

/* --- How long ------------------------------------------------------------ */

static int descending(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return a < b ? 1 : a > b ? -1 : 0;
}

int64_t cc_renter_kept_until(struct cc_renter *r, const struct cc_manifest *m)
{
    int64_t until = INT64_MAX, ends[CC_ERASURE_MAX];
    unsigned n = m->object.n;

    for (uint32_t s = 0; s < m->slab_count; s++) {
        for (unsigned i = 0; i < n; i++) {
            const struct cc_renter_contract *c = cc_renter_find_contract(
                r, m->places[(size_t)s * n + i].contract);

            ends[i] = c ? cc_renter_contract_end(c) : 0;
        }
        qsort(ends, n, sizeof(ends[0]), descending);
        if (ends[m->object.k - 1] < until)
            until = ends[m->object.k - 1];
    }
    return until;
}

/* --- All objects --------------------------------------------------------- */

static json_t *object_json(struct cc_renter *r, const struct cc_manifest *m,
                           int64_t height)
{
    int64_t until = cc_renter_kept_until(r, m);
    json_t *o = json_object();

    json_object_set_new(o, "name", json_string(m->name));
    set_int(o, "size", (int64_t)m->object.size);
    set_int(o, "time", (int64_t)m->time);
    set_int(o, "k", m->object.k);
    set_int(o, "n", m->object.n);
    set_int(o, "slabs", m->slab_count);
    set_int(o, "kept_until", until);
    set_int(o, "blocks_left", until > height ? until - height : 0);
    return o;
}

/* What to say of a manifest beside what object_json says; may be NULL. */
typedef void (*extend_fn)(void *arg, json_t *o, const struct cc_manifest *m);

/* One object, or all: a manifest that does not open is told, and the others
 * are good all the same. */
static enum cc_status list_objects(struct cc_renter *r, const char *only,
                                   extend_fn extend, void *arg, json_t **out,
                                   struct cc_error *err)
{
    char *folder = cc_fs_join(r->dir, "objects"), **names = NULL;
    char file[65] = ""; /* of the only one */
    json_t *list = json_array();
    size_t count = 0;
    uint32_t height = 0;
    enum cc_status st = cc_renter_need_secret(r, err);

    if (st == CC_OK)
        st = cc_renter_height(r, &height, err);
    if (st == CC_OK)
        st = cc_fs_list(folder, &names, &count, err);
    if (st == CC_OK && only)
        cc_manifest_file(file, only, r->secret);
    for (size_t i = 0; st == CC_OK && i < count; i++) {
        struct cc_manifest m;
        json_t *o;

        if (strlen(names[i]) != 64 || (*file && strcmp(names[i], file)))
            continue; /* half written, left by a crash */
        st = cc_manifest_load_file(&m, r->dir, names[i], r->secret, err);
        if (st == CC_CORRUPT) {
            o = json_object();
            json_object_set_new(o, "file", json_string(names[i]));
            json_object_set_new(o, "fault", json_string(err->text));
            json_array_append_new(list, o);
            cc_error_init(err);
            st = CC_OK;
        } else if (st == CC_OK) {
            o = object_json(r, &m, height);
            if (extend)
                extend(arg, o, &m);
            json_array_append_new(list, o);
            cc_manifest_clear(&m);
        }
    }
    cc_fs_list_free(names, count);
    free(folder);
    if (st == CC_OK && only && !json_array_size(list))
        st = cc_fail(err, CC_NOTFOUND, "nothing is stored as \"%s\"", only);
    if (st == CC_OK)
        *out = list;
    else
        json_decref(list);
    return st;
}

enum cc_status cc_renter_list(struct cc_renter *r, json_t **out,
                              struct cc_error *err)
{
    return list_objects(r, NULL, NULL, NULL, out, err);
}

/* --- Health -------------------------------------------------------------- */

/* A contract's host, asked by one thread. */
struct patient {
    struct cc_renter_contract *contract;
    uint8_t secret[32];
    bool good;       /* it has what we think it has */
    char fault[300]; /* else: why not */
};

struct round {
    struct cc_renter *r;
    struct patient *all;
    size_t count;
};

/* The host says how many of its sectors it found damaged, not which: then none
 * of its shards is counted. */
static enum cc_status ask_health(struct cc_renter_link *l, struct cc_error *err)
{
    struct cc_message m, reply;
    const struct cc_msg_health_reply *h = &reply.u.health_reply;
    enum cc_status st;

    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_HEALTH;
    memcpy(m.u.health.contract, l->contract->id, 32);
    st = cc_session_call(l->session, &m, &reply, NULL, err);
    if (st == CC_OK && h->bad_sectors)
        st = cc_fail(err, CC_CORRUPT, "says that %u of its %u sectors are bad",
                     (unsigned)h->bad_sectors, (unsigned)h->sectors);
    return st;
}

static void examine(void *arg, size_t i)
{
    struct round *x = arg;
    struct patient *p = &x->all[i];
    const size_t len = strlen(p->contract->endpoint);
    struct cc_renter_link link;
    const char *text;
    struct cc_error err;
    enum cc_status st;

    cc_error_init(&err);
    st = cc_renter_link_open(x->r, &link, p->contract, p->secret, &err);
    if (st == CC_OK) {
        st = ask_health(&link, &err);
        cc_renter_link_clear(&link);
    }
    p->good = st == CC_OK;
    text = err.text; /* may begin with the endpoint */
    if (!strncmp(text, p->contract->endpoint, len) && text[len] == ':')
        text += len + 2;
    snprintf(p->fault, sizeof(p->fault), "%.299s", p->good ? "" : text);
}

static enum cc_status find_patients(struct round *x, struct cc_error *err)
{
    x->all = cc_calloc(x->r->count + 1, sizeof(*x->all));
    for (size_t i = 0; i < x->r->count; i++) {
        struct patient *p = &x->all[x->count];
        uint8_t key[32];
        uint32_t index;
        enum cc_status st;

        p->contract = x->r->contracts[i];
        if (p->contract->forming || !p->contract->roots.count)
            continue; /* keeps nothing of ours */
        x->count++;
        st = cc_renter_storage_key(x->r, p->contract->key_index, &index, key,
                                   p->secret, err);
        if (st != CC_OK)
            return st;
    }
    return CC_OK;
}

static const struct patient *patient_of(const struct round *x,
                                        const uint8_t id[32])
{
    for (size_t i = 0; i < x->count; i++)
        if (!memcmp(x->all[i].contract->id, id, 32))
            return &x->all[i];
    return NULL;
}

/* Of the slab that has fewest; and who fails it. */
static void add_health(void *arg, json_t *o, const struct cc_manifest *m)
{
    const struct round *x = arg;
    const unsigned n = m->object.n;
    unsigned least = n;
    json_t *faults = json_object();

    for (uint32_t s = 0; s < m->slab_count; s++) {
        unsigned there = 0;

        for (unsigned i = 0; i < n; i++) {
            const struct cc_placement *at = &m->places[(size_t)s * n + i];
            const struct patient *p = patient_of(x, at->contract);

            if (p && p->good &&
                cc_roots_find(&p->contract->roots, at->root) != SIZE_MAX)
                there++;
            else if (p)
                json_object_set_new(
                    faults, p->contract->endpoint,
                    json_string(p->good ? "has a shard no more" : p->fault));
            else
                json_object_set_new(faults, "?",
                                    json_string("the contract is not known"));
        }
        if (there < least)
            least = there;
    }
    set_int(o, "reachable", least);
    json_object_set_new(o, "state",
                        json_string(least == n             ? "good"
                                    : least >= m->object.k ? "degraded"
                                                           : "unreachable"));
    json_object_set_new(o, "faults", faults);
}

enum cc_status cc_renter_health(struct cc_renter *r, const char *name,
                                json_t **out, struct cc_error *err)
{
    struct round x = {r, NULL, 0};
    struct cc_pool *pool;
    enum cc_status st = find_patients(&x, err);

    if (st == CC_OK && x.count) {
        pool = cc_pool_new(
            x.count - 1 < THREADS ? (unsigned)x.count - 1 : THREADS, "health");
        cc_pool_run(pool, examine, &x, x.count);
        cc_pool_free(pool);
    }
    if (st == CC_OK)
        st = list_objects(r, name, add_health, &x, out, err);
    for (size_t i = 0; i < x.count; i++)
        cc_cleanse(x.all[i].secret, 32);
    free(x.all);
    return st;
}
