/* Contracts as the host keeps them: lists of sectors, and the file. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "storage/host_i.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"
#include "util/reader.h"
#include "util/writer.h"

#define FILE_VERSION 2
/* Larger ones are not written; products stay in 64 bits. */
#define PRICE_MAX (INT64_MAX / 1000)
#define FILE_LIMIT (1u << 30)
#define WRITTEN_LIFE_S                                                         \
    3600 /* a sector written waits so long for a revision                      \
          */
static const uint8_t magic[4] = {'C', 'C', 'h', 'c'};

struct cc_host_contract *cc_host_contract_new(void)
{
    struct cc_host_contract *c = cc_calloc(1, sizeof(*c));

    c->gone_since = c->pending_height = -1;
    return c;
}

void cc_host_contract_free(struct cc_host_contract *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->line_count; i++)
        free(c->lines[i].roots);
    free(c->lines);
    free(c->marks);
    free(c->script);
    free(c);
}

/* --- Lists ---------------------------------------------------------------- */

static const struct cc_host_mark *last_mark(const struct cc_host_contract *c)
{
    return c->mark_count ? &c->marks[c->mark_count - 1] : NULL;
}

static const uint8_t *mark_roots(const struct cc_host_contract *c,
                                 const struct cc_host_mark *m, size_t *count)
{
    static const uint8_t none[32];

    *count = m ? m->count : 0;
    return *count ? c->lines[m->line].roots : none;
}

const uint8_t *cc_host_contract_roots(const struct cc_host_contract *c,
                                      size_t *count)
{
    return mark_roots(c, last_mark(c), count);
}

const uint8_t *cc_host_contract_roots_at(const struct cc_host_contract *c,
                                         uint32_t revision, size_t *count)
{
    for (size_t i = c->mark_count; i-- > 0;)
        if (c->marks[i].revision == revision)
            return mark_roots(c, &c->marks[i], count);
    return NULL;
}

/* The line that begins with these roots, or one that they begin, made longer;
 * else a new one. */
static uint32_t line_for(struct cc_host_contract *c, const uint8_t *roots,
                         size_t count)
{
    struct cc_host_line *l;
    size_t same, i = c->line_count;

    if (i > 0) {
        l = &c->lines[i - 1];
        same = l->count < count ? l->count : count;
        if (same == 0 || !memcmp(l->roots, roots, same * 32))
            i--;
    }
    if (i == c->line_count) {
        c->lines = cc_reallocarray(c->lines, i + 1, sizeof(*c->lines));
        c->line_count = i + 1;
        memset(&c->lines[i], 0, sizeof(c->lines[i]));
    }
    l = &c->lines[i];
    if (l->count < count) {
        l->roots = cc_grow(l->roots, &l->cap, count, 32);
        memcpy(l->roots + l->count * 32, roots + l->count * 32,
               (count - l->count) * 32);
        l->count = count;
    }
    return (uint32_t)i;
}

void cc_host_contract_extend(struct cc_host_contract *c, uint32_t revision,
                             const uint8_t root[32], const uint8_t *roots,
                             size_t count)
{
    struct cc_host_mark m;

    m.revision = revision;
    m.count = (uint32_t)count;
    m.line = line_for(c, roots, count);
    memcpy(m.root, root, 32);
    c->marks = cc_reallocarray(c->marks, c->mark_count + 1, sizeof(*c->marks));
    c->marks[c->mark_count++] = m;
}

uint64_t cc_host_contract_list_size(const struct cc_host_contract *c,
                                    size_t count)
{
    uint64_t sum = count;

    for (size_t i = 0; i < c->line_count; i++)
        sum += c->lines[i].count;
    return sum;
}

/* Lines are cut to what some mark needs; the numbers of lines stay. */
static bool cut_lines(struct cc_host_contract *c)
{
    bool shorter = false;
    size_t need;

    for (size_t i = 0; i < c->line_count; i++) {
        need = 0;
        for (size_t m = 0; m < c->mark_count; m++)
            if (c->marks[m].line == i && c->marks[m].count > need)
                need = c->marks[m].count;
        shorter |= need < c->lines[i].count;
        c->lines[i].count = need;
        if (need == 0) {
            free(c->lines[i].roots);
            c->lines[i].roots = NULL;
            c->lines[i].cap = 0;
        }
    }
    return shorter;
}

bool cc_host_contract_forget(struct cc_host_contract *c, uint32_t below)
{
    size_t first = 0;

    while (first < c->mark_count && c->marks[first].revision < below)
        first++;
    if (first == 0)
        return false;
    c->mark_count -= first;
    memmove(c->marks, c->marks + first, c->mark_count * sizeof(*c->marks));
    return cut_lines(c);
}

/* --- The file ------------------------------------------------------------- */

void cc_host_contract_encode(struct cc_writer *w,
                             const struct cc_host_contract *c)
{
    size_t start = w->len;
    uint8_t hash[32];

    cc_write_bytes(w, magic, 4);
    cc_write_u8(w, FILE_VERSION);
    cc_write_bytes(w, c->id, 32);
    cc_write_bytes(w, c->formed.txid, 32);
    cc_write_u32le(w, c->formed.index);
    cc_write_u32le(w, c->formed_height);
    cc_write_u32le(w, c->capacity);
    cc_write_u64le(w, c->price_write);
    cc_write_u64le(w, c->price_read);
    cc_write_u64le(w, c->price_request);
    cc_contract_write(w, &c->body);
    cc_write_u64le(w, (uint64_t)c->value);
    cc_write_bytes(w, c->outpoint.txid, 32);
    cc_write_u32le(w, c->outpoint.index);
    cc_write_u32le(w, c->height);
    cc_write_u8(w, c->on_chain);
    cc_write_u32le(w, c->revision);
    cc_write_u32le(w, c->sectors);
    cc_write_bytes(w, c->root, 32);
    cc_write_bytes(w, c->renter_sig, 64);
    cc_write_bytes(w, c->host_sig, 64);
    cc_write_u32le(w, c->revised_height);
    cc_write_u64le(w, c->voucher);
    cc_write_bytes(w, c->voucher_sig, 64);
    cc_write_u64le(w, c->used);
    cc_write_u32le(w, (uint32_t)c->line_count);
    for (size_t i = 0; i < c->line_count; i++) {
        cc_write_u32le(w, (uint32_t)c->lines[i].count);
        cc_write_bytes(w, c->lines[i].roots, c->lines[i].count * 32);
    }
    cc_write_u32le(w, (uint32_t)c->mark_count);
    for (size_t i = 0; i < c->mark_count; i++) {
        cc_write_u32le(w, c->marks[i].revision);
        cc_write_u32le(w, c->marks[i].count);
        cc_write_u32le(w, c->marks[i].line);
        cc_write_bytes(w, c->marks[i].root, 32);
    }
    cc_sha256_once(hash, w->data + start, w->len - start);
    cc_write_bytes(w, hash, 32);
}

static void read_body(struct cc_reader *r, struct cc_contract *c)
{
    uint8_t script[CC_CONTRACT_SIZE + 4] = {
        CC_OP_STORAGE, 0x4c, CC_CONTRACT_SIZE + 1, CC_KIND_CONTRACT};
    struct cc_typed t;

    cc_read_bytes(r, script + 4, CC_CONTRACT_SIZE);
    if (r->failed ||
        cc_typed_parse(&t, cc_bytes(script, sizeof(script)), NULL) != CC_OK)
        r->failed = true;
    else
        *c = t.u.contract;
}

static void read_lines(struct cc_reader *r, struct cc_host_contract *c)
{
    struct cc_bytes roots;
    size_t n = cc_read_u32le(r), count;

    if (r->failed || n > r->left / 4) {
        r->failed = true;
        return;
    }
    c->lines = cc_calloc(n + 1, sizeof(*c->lines));
    c->line_count = n;
    for (size_t i = 0; i < n; i++) {
        count = cc_read_u32le(r);
        roots = cc_read_slice(r, count * 32);
        if (r->failed)
            return;
        c->lines[i].count = c->lines[i].cap = count;
        c->lines[i].roots = count ? cc_memdup(roots.data, roots.len) : NULL;
    }
}

static void read_marks(struct cc_reader *r, struct cc_host_contract *c)
{
    size_t n = cc_read_u32le(r);
    struct cc_host_mark *m;

    if (r->failed || n > r->left / 44) {
        r->failed = true;
        return;
    }
    c->marks = cc_calloc(n + 1, sizeof(*c->marks));
    for (size_t i = 0; i < n; i++) {
        m = &c->marks[i];
        m->revision = cc_read_u32le(r);
        m->count = cc_read_u32le(r);
        m->line = cc_read_u32le(r);
        cc_read_bytes(r, m->root, 32);
        if (r->failed || (m->count && (m->line >= c->line_count ||
                                       m->count > c->lines[m->line].count))) {
            r->failed = true;
            return;
        }
        c->mark_count++;
    }
}

static void read_fields(struct cc_reader *r, struct cc_host_contract *c)
{
    uint8_t on_chain;

    cc_read_bytes(r, c->id, 32);
    cc_read_bytes(r, c->formed.txid, 32);
    c->formed.index = cc_read_u32le(r);
    c->formed_height = cc_read_u32le(r);
    c->capacity = cc_read_u32le(r);
    c->price_write = cc_read_u64le(r);
    c->price_read = cc_read_u64le(r);
    c->price_request = cc_read_u64le(r);
    if (c->price_write > PRICE_MAX || c->price_request > PRICE_MAX ||
        c->price_read > PRICE_MAX / 1000)
        r->failed = true;
    read_body(r, &c->body);
    c->value = (cc_amount)cc_read_u64le(r);
    cc_read_bytes(r, c->outpoint.txid, 32);
    c->outpoint.index = cc_read_u32le(r);
    c->height = c->root_height = cc_read_u32le(r); /* or earlier */
    on_chain = cc_read_u8(r);
    if (on_chain > 1)
        r->failed = true;
    c->on_chain = on_chain;
    c->revision = cc_read_u32le(r);
    c->sectors = cc_read_u32le(r);
    cc_read_bytes(r, c->root, 32);
    cc_read_bytes(r, c->renter_sig, 64);
    cc_read_bytes(r, c->host_sig, 64);
    c->revised_height = cc_read_u32le(r);
    c->voucher = cc_read_u64le(r);
    cc_read_bytes(r, c->voucher_sig, 64);
    c->used = cc_read_u64le(r);
    read_lines(r, c);
    if (!r->failed)
        read_marks(r, c);
}

enum cc_status cc_host_contract_decode(struct cc_host_contract **out,
                                       const void *data, size_t len,
                                       struct cc_error *err)
{
    struct cc_host_contract *c;
    uint8_t hash[32], start[4];
    struct cc_reader r;

    if (len < 32)
        return cc_fail(err, CC_CORRUPT, "the file is cut short");
    cc_sha256_once(hash, data, len - 32);
    if (memcmp(hash, (const uint8_t *)data + len - 32, 32))
        return cc_fail(err, CC_CORRUPT, "the file does not check");
    cc_reader_init(&r, data, len - 32);
    cc_read_bytes(&r, start, 4);
    if (memcmp(start, magic, 4) || cc_read_u8(&r) != FILE_VERSION)
        return cc_fail(err, CC_CORRUPT, "no contract of this version");
    c = cc_host_contract_new();
    read_fields(&r, c);
    if (!cc_reader_done(&r)) {
        cc_host_contract_free(c);
        return cc_fail(err, CC_CORRUPT, "the file is malformed");
    }
    *out = c;
    return CC_OK;
}

static char *folder(const struct cc_host *h)
{
    return cc_fs_join(h->directory, "contracts");
}

static char *file_of(const struct cc_host *h, const uint8_t id[32])
{
    char *dir = folder(h), *name, *path, hex[65];

    cc_hex_encode(hex, id, 32);
    name = cc_asprintf("%s.dat", hex);
    path = cc_fs_join(dir, name);
    free(name);
    free(dir);
    return path;
}

enum cc_status cc_host_contract_save(struct cc_host *h,
                                     struct cc_host_contract *c,
                                     struct cc_error *err)
{
    char *path = file_of(h, c->id);
    struct cc_writer w;
    enum cc_status st;

    cc_writer_init_heap(&w);
    cc_host_contract_encode(&w, c);
    st = cc_fs_write(path, w.data, w.len, 0600, err);
    c->unsaved = st != CC_OK;
    cc_writer_clear(&w);
    free(path);
    return st;
}

static enum cc_status load_one(struct cc_host *h, const char *dir,
                               const char *name, struct cc_error *err)
{
    struct cc_host_contract *c = NULL;
    char *path = cc_fs_join(dir, name);
    enum cc_status st;
    uint8_t *data;
    size_t len;

    st = cc_fs_read(path, FILE_LIMIT, &data, &len, err);
    if (st == CC_OK) {
        st = cc_host_contract_decode(&c, data, len, err);
        free(data);
    }
    if (st == CC_OK)
        cc_host_contract_add(h, c);
    st = cc_context(err, st, "%s", path);
    free(path);
    return st;
}

/* What a crash left: sectors that no contract names wait for their revision
 * as if they had just been written. */
static void adopt_orphans(struct cc_host *h)
{
    struct cc_host_written *at;
    uint8_t *all;
    size_t count;

    all = cc_volume_list(h->volume, &count);
    for (size_t i = 0; i < count; i++) {
        at = cc_map_put(&h->written, all + 32 * i, NULL);
        memset(at, 0, sizeof(*at));
        at->since = cc_clock_now(NULL);
    }
    free(all);
}

enum cc_status cc_host_contracts_load(struct cc_host *h, struct cc_error *err)
{
    char *dir = folder(h), **names = NULL;
    enum cc_status st = cc_fs_mkdirs(dir, err);
    size_t count = 0, len;

    if (st == CC_OK)
        st = cc_fs_list(dir, &names, &count, err);
    for (size_t i = 0; st == CC_OK && i < count; i++) {
        len = strlen(names[i]);
        if (len == 68 && !strcmp(names[i] + 64, ".dat"))
            st = load_one(h, dir, names[i], err);
    }
    if (st == CC_OK)
        adopt_orphans(h);
    cc_fs_list_free(names, count);
    free(dir);
    return st;
}

/* --- All of them (locked) ------------------------------------------------- */

struct cc_host_contract *cc_host_contract_find(struct cc_host *h,
                                               const uint8_t id[32])
{
    for (size_t i = 0; i < h->contract_count; i++)
        if (!memcmp(h->contracts[i]->id, id, 32))
            return h->contracts[i];
    return NULL;
}

void cc_host_contract_add(struct cc_host *h, struct cc_host_contract *c)
{
    h->contracts = cc_grow(h->contracts, &h->contract_cap,
                           h->contract_count + 1, sizeof(*h->contracts));
    h->contracts[h->contract_count++] = c;
}

void cc_host_contract_remove(struct cc_host *h, struct cc_host_contract *c)
{
    char *path = file_of(h, c->id);
    size_t i = 0;

    while (h->contracts[i] != c)
        i++;
    h->contracts[i] = h->contracts[--h->contract_count];
    cc_fs_remove(path, NULL);
    free(path);
    cc_host_contract_free(c);
}

uint64_t cc_host_sectors_free(struct cc_host *h)
{
    struct cc_volume_counts v = cc_volume_counts(h->volume);
    uint64_t promised = 0, room = v.capacity - v.used;

    for (size_t i = 0; i < h->contract_count; i++)
        promised += h->contracts[i]->capacity;
    if (promised >= v.capacity || v.used >= v.capacity)
        return 0;
    return room < v.capacity - promised ? room : v.capacity - promised;
}

/* --- Releasing sectors ---------------------------------------------------- */

static void refer(struct cc_map *wanted, struct cc_host *h)
{
    const struct cc_host_line *l;

    cc_map_reset(wanted);
    for (size_t i = 0; i < h->contract_count; i++) {
        for (size_t n = 0; n < h->contracts[i]->line_count; n++) {
            l = &h->contracts[i]->lines[n];
            for (size_t k = 0; k < l->count; k++)
                cc_map_put(wanted, l->roots + 32 * k, NULL);
        }
    }
}

void cc_host_forget_written(struct cc_host *h, const uint8_t root[32])
{
    const struct cc_host_written *at = cc_map_get(&h->written, root);
    struct cc_host_contract *c =
        at ? cc_host_contract_find(h, at->contract) : NULL;

    if (c)
        c->waiting--;
    cc_map_remove(&h->written, root, NULL);
}

/* Released unless somebody needs it. The lock is held for one sector, since
 * each takes a sync; a revision that came between makes the list anew. */
static bool release_one(struct cc_host *h, struct cc_map *wanted,
                        uint64_t *as_of, const uint8_t root[32])
{
    const int64_t now = cc_clock_now(NULL);
    enum cc_status st = CC_NOTFOUND;
    struct cc_host_written *waits;
    struct cc_error err;

    pthread_mutex_lock(&h->lock);
    if (*as_of != h->list_changes) {
        refer(wanted, h);
        *as_of = h->list_changes;
    }
    waits = cc_map_get(&h->written, root);
    if (!cc_map_get(wanted, root) &&
        !(waits && waits->since + WRITTEN_LIFE_S > now) &&
        !cc_host_seal_holds(h, root)) {
        cc_host_forget_written(h, root);
        st = cc_volume_release(h->volume, root, &err);
        if (st != CC_OK)
            cc_log(h->config.log, "cannot release a sector: %s", err.text);
    }
    pthread_mutex_unlock(&h->lock);
    return st == CC_OK;
}

void cc_host_collect(struct cc_host *h)
{
    uint8_t seed[16], *all;
    struct cc_map wanted;
    size_t count, freed = 0;
    uint64_t as_of = UINT64_MAX; /* no list yet */

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&wanted, 32, 1, seed);
    all = cc_volume_list(h->volume, &count);
    for (size_t i = 0; i < count; i++)
        freed += release_one(h, &wanted, &as_of, all + 32 * i);
    free(all);
    cc_map_clear(&wanted);
    if (freed)
        cc_log(h->config.log, "released %zu sectors that nobody pays for",
               freed);
}
