#include "storage/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/random.h"

/* magic 4, state 1, zero 3, root 32, zero 8, checksum 16: the start of
 * SHA-256 over the 48 bytes before it and the slot's number (8, LE). */
#define RECORD_SIZE 64
#define RECORD_BODY 48
#define STATE_FREE 0
#define STATE_USED 1
static const uint8_t magic[4] = {'C', 'C', 's', '1'};

/* Bytes of the disk that sectors leave free: contracts, vouchers and revisions
 * must still be written down when it is full. */
#define RESERVE (UINT64_C(16) << 20)

#define SLOTS_MAX (1 << 26) /* 256 TiB */

#define CACHE 32 /* sectors whose leaf hashes are kept: 128 KiB each */

struct slot {
    uint8_t root[32];
    uint64_t serial; /* of who took it last: readers see that it changed */
    bool used;
    bool busy; /* being written or cleared: nobody else's meanwhile */
    bool bad;
};

struct cached {
    uint8_t root[32];
    uint64_t last_use; /* 0: empty */
    uint8_t *hashes;
};

struct cc_volume {
    pthread_mutex_t lock;
    pthread_cond_t idle; /* with lock: a slot is busy no more */
    struct cc_log *log;
    char *directory;
    int data, index, lock_fd;
    uint64_t capacity, reserve;
    uint64_t writing; /* sectors just now */
    uint64_t taken;   /* slots, ever: the last serial */
    size_t busy;      /* slots */
    struct slot *slots;
    size_t slot_count, slot_cap, used, bad, torn;
    struct cc_map by_root; /* root -> uint64_t slot */
    struct cached cache[CACHE];
    uint64_t clock;
};

/* --- Index ---------------------------------------------------------------- */

static void record_checksum(uint8_t out[16], const uint8_t *record,
                            uint64_t slot)
{
    uint8_t in[RECORD_BODY + 8], hash[32];

    memcpy(in, record, RECORD_BODY);
    cc_put_u64le(in + RECORD_BODY, slot);
    cc_sha256_once(hash, in, sizeof(in));
    memcpy(out, hash, 16);
}

static void record_write(uint8_t record[RECORD_SIZE], uint64_t slot,
                         const uint8_t *root)
{
    memset(record, 0, RECORD_SIZE);
    memcpy(record, magic, 4);
    record[4] = root ? STATE_USED : STATE_FREE;
    if (root)
        memcpy(record + 8, root, 32);
    record_checksum(record + RECORD_BODY, record, slot);
}

static bool record_holds(const uint8_t *record, uint64_t slot)
{
    uint8_t want[16];

    record_checksum(want, record, slot);
    return !memcmp(record, magic, 4) && !memcmp(record + RECORD_BODY, want, 16);
}

/* On disk before this returns. root NULL: the slot is free. */
static enum cc_status put_record(struct cc_volume *v, uint64_t slot,
                                 const uint8_t *root, struct cc_error *err)
{
    uint8_t record[RECORD_SIZE];
    enum cc_status st;

    record_write(record, slot, root);
    st = cc_fs_pwrite_all(v->index, record, RECORD_SIZE, slot * RECORD_SIZE,
                          err);
    if (st == CC_OK && fdatasync(v->index))
        st = cc_fail_errno(err, "cannot sync the index");
    return cc_context(err, st, "%s/index", v->directory);
}

static void load_record(struct cc_volume *v, const uint8_t *record, uint64_t i)
{
    struct slot *s = &v->slots[i];
    uint64_t *at;
    bool fresh;

    memset(s, 0, sizeof(*s));
    if (!record_holds(record, i)) {
        v->torn++;
        return;
    }
    if (record[4] != STATE_USED)
        return;
    at = cc_map_put(&v->by_root, record + 8, &fresh);
    if (!fresh)
        return; /* twice the same sector: the second copy's slot is free */
    *at = i;
    memcpy(s->root, record + 8, 32);
    s->used = true;
    v->used++;
}

static enum cc_status load_index(struct cc_volume *v, struct cc_error *err)
{
    enum cc_status st = CC_OK;
    struct stat info;
    uint8_t *all;
    size_t len;

    if (fstat(v->index, &info))
        return cc_fail_errno(err, "%s/index", v->directory);
    if (info.st_size > (off_t)SLOTS_MAX * RECORD_SIZE)
        return cc_fail(err, CC_CORRUPT,
                       "%s/index is too large for what it should be",
                       v->directory);
    len = (size_t)info.st_size;
    v->torn = len % RECORD_SIZE != 0; /* a record that was cut short */
    v->slot_count = len / RECORD_SIZE;
    v->slots =
        cc_grow(NULL, &v->slot_cap, v->slot_count + 1, sizeof(*v->slots));
    all = cc_malloc(v->slot_count * RECORD_SIZE + 1);
    if (v->slot_count)
        st =
            cc_fs_pread_all(v->index, all, v->slot_count * RECORD_SIZE, 0, err);
    for (size_t i = 0; st == CC_OK && i < v->slot_count; i++)
        load_record(v, all + i * RECORD_SIZE, i);
    free(all);
    if (st == CC_OK && v->torn)
        cc_log(v->log,
               "volume %s: %zu index records do not check; their slots are "
               "free",
               v->directory, v->torn);
    return st;
}

static enum cc_status open_file(int *fd, const char *directory,
                                const char *name, struct cc_error *err)
{
    char *path = cc_fs_join(directory, name);
    enum cc_status st = CC_OK;

    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        st = cc_fail_errno(err, "cannot open %s", path);
    free(path);
    return st;
}

enum cc_status cc_volume_open(struct cc_volume **out, const char *directory,
                              uint64_t capacity, struct cc_log *log,
                              struct cc_error *err)
{
    struct cc_volume *v = cc_calloc(1, sizeof(*v));
    uint8_t seed[16];
    char *lock_path;
    enum cc_status st;

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&v->by_root, 32, sizeof(uint64_t), seed);
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->idle, NULL);
    v->data = v->index = v->lock_fd = -1;
    v->capacity = capacity;
    v->reserve = RESERVE;
    v->log = log;
    v->directory = cc_strdup(directory);
    lock_path = cc_fs_join(directory, ".lock");
    st = cc_fs_mkdirs(directory, err);
    if (st == CC_OK)
        st = cc_fs_lock(lock_path, &v->lock_fd, err);
    if (st == CC_OK)
        st = open_file(&v->data, directory, "sectors", err);
    if (st == CC_OK)
        st = open_file(&v->index, directory, "index", err);
    if (st == CC_OK)
        st = cc_fs_sync_dir(directory, err);
    if (st == CC_OK)
        st = load_index(v, err);
    free(lock_path);
    if (st != CC_OK) {
        cc_volume_close(v);
        return cc_context(err, st, "volume %s", directory);
    }
    *out = v;
    return CC_OK;
}

void cc_volume_close(struct cc_volume *v)
{
    if (!v)
        return;
    if (v->data >= 0)
        close(v->data);
    if (v->index >= 0)
        close(v->index);
    if (v->lock_fd >= 0)
        cc_fs_unlock(v->lock_fd);
    for (size_t i = 0; i < CACHE; i++)
        free(v->cache[i].hashes);
    cc_map_clear(&v->by_root);
    pthread_cond_destroy(&v->idle);
    pthread_mutex_destroy(&v->lock);
    free(v->slots);
    free(v->directory);
    free(v);
}

struct cc_volume_counts cc_volume_counts(struct cc_volume *v)
{
    struct cc_volume_counts c;

    pthread_mutex_lock(&v->lock);
    c.capacity = v->capacity;
    c.used = v->used;
    c.bad = v->bad;
    c.torn = v->torn;
    pthread_mutex_unlock(&v->lock);
    return c;
}

/* --- Slots (locked) ------------------------------------------------------- */

static struct slot *find(struct cc_volume *v, const uint8_t root[32],
                         uint64_t *index)
{
    uint64_t *at = cc_map_get(&v->by_root, root);

    if (!at)
        return NULL;
    *index = *at;
    return &v->slots[*at];
}

static void set_busy(struct cc_volume *v, uint64_t index, bool busy)
{
    v->slots[index].busy = busy;
    if (busy) {
        v->busy++;
    } else {
        v->busy--;
        pthread_cond_broadcast(&v->idle);
    }
}

/* Until nobody writes or clears this sector: two who bring the same one would
 * take a slot each, and one who mends a damaged one would write into a slot
 * that another gave away. */
static void wait_for(struct cc_volume *v, const uint8_t root[32])
{
    for (size_t i = 0; v->busy && i < v->slot_count; i++) {
        if (!v->slots[i].busy || memcmp(v->slots[i].root, root, 32))
            continue;
        pthread_cond_wait(&v->idle, &v->lock);
        i = (size_t)-1; /* anew */
    }
}

/* A slot for root, marked busy; false if the volume is full. */
static bool take_slot(struct cc_volume *v, const uint8_t root[32],
                      uint64_t *index)
{
    size_t i;

    if (v->used >= v->capacity)
        return false;
    for (i = 0; i < v->slot_count; i++)
        if (!v->slots[i].used && !v->slots[i].busy)
            break;
    if (i == v->slot_count) {
        v->slots =
            cc_grow(v->slots, &v->slot_cap, ++v->slot_count, sizeof(*v->slots));
        memset(&v->slots[i], 0, sizeof(v->slots[i]));
    }
    set_busy(v, i, true);
    memcpy(v->slots[i].root, root, 32);
    v->slots[i].serial = ++v->taken;
    v->used++;
    *index = i;
    return true;
}

/* --- Leaf hashes of sectors read of late (locked) ------------------------- */

static struct cached *cache_find(struct cc_volume *v, const uint8_t root[32])
{
    for (size_t i = 0; i < CACHE; i++) {
        if (v->cache[i].last_use && !memcmp(v->cache[i].root, root, 32)) {
            v->cache[i].last_use = ++v->clock;
            return &v->cache[i];
        }
    }
    return NULL;
}

static void cache_put(struct cc_volume *v, const uint8_t root[32],
                      const uint8_t *hashes)
{
    struct cached *oldest = &v->cache[0];

    if (cache_find(v, root))
        return;
    for (size_t i = 1; i < CACHE; i++)
        if (v->cache[i].last_use < oldest->last_use)
            oldest = &v->cache[i];
    if (!oldest->hashes)
        oldest->hashes = cc_malloc(CC_SECTOR_LEAVES * 32);
    memcpy(oldest->hashes, hashes, CC_SECTOR_LEAVES * 32);
    memcpy(oldest->root, root, 32);
    oldest->last_use = ++v->clock;
}

static void cache_drop(struct cc_volume *v, const uint8_t root[32])
{
    struct cached *c = cache_find(v, root);

    if (c)
        c->last_use = 0;
}

/* --- Writing -------------------------------------------------------------- */

/* For this one and the others under way; a slot that was used before has its
 * room. */
static bool has_room(struct cc_volume *v, uint64_t slot)
{
    struct statvfs fs;
    struct stat info;
    uint64_t need;

    pthread_mutex_lock(&v->lock);
    need = v->reserve + v->writing * CC_SECTOR_SIZE;
    pthread_mutex_unlock(&v->lock);
    if (fstat(v->data, &info) || fstatvfs(v->data, &fs))
        return true; /* the write itself will tell */
    return (slot + 1) * CC_SECTOR_SIZE <= (uint64_t)info.st_size ||
           (uint64_t)fs.f_bavail * fs.f_frsize >= need;
}

static enum cc_status write_slot(struct cc_volume *v, uint64_t slot,
                                 const uint8_t root[32], const uint8_t *sector,
                                 struct cc_error *err)
{
    enum cc_status st;

    if (!has_room(v, slot))
        return cc_fail(err, CC_LIMIT, "the disk of %s is full", v->directory);
    st = cc_fs_pwrite_all(v->data, sector, CC_SECTOR_SIZE,
                          slot * CC_SECTOR_SIZE, err);
    if (st == CC_OK && fdatasync(v->data))
        st = cc_fail_errno(err, "cannot sync the sectors");
    if (st == CC_IO && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        st = CC_LIMIT;
    if (st == CC_OK)
        st = put_record(v, slot, root, err);
    return cc_context(err, st, "sector into %s", v->directory);
}

enum cc_status cc_volume_write(struct cc_volume *v, const uint8_t root[32],
                               const uint8_t *sector, struct cc_error *err)
{
    enum cc_status st;
    struct slot *s;
    uint64_t slot;
    bool again = false;

    pthread_mutex_lock(&v->lock);
    wait_for(v, root);
    s = find(v, root, &slot);
    if (s && !s->bad) {
        pthread_mutex_unlock(&v->lock);
        return CC_OK;
    }
    if (s) {
        again = true; /* damaged: written anew in its place */
        set_busy(v, slot, true);
    } else if (!take_slot(v, root, &slot)) {
        pthread_mutex_unlock(&v->lock);
        return cc_fail(err, CC_LIMIT, "volume %s is full (%" PRIu64 " sectors)",
                       v->directory, v->capacity);
    }
    v->writing++;
    pthread_mutex_unlock(&v->lock);
    st = write_slot(v, slot, root, sector, err);
    pthread_mutex_lock(&v->lock);
    v->writing--;
    s = &v->slots[slot];
    set_busy(v, slot, false);
    if (st == CC_OK && again) {
        v->bad -= s->bad;
        s->bad = false;
    } else if (st == CC_OK) {
        *(uint64_t *)cc_map_put(&v->by_root, root, NULL) = slot;
        s->used = true;
    } else if (!again) {
        v->used--;
    }
    pthread_mutex_unlock(&v->lock);
    return st;
}

bool cc_volume_has(struct cc_volume *v, const uint8_t root[32])
{
    struct slot *s;
    uint64_t slot;
    bool has;

    pthread_mutex_lock(&v->lock);
    s = find(v, root, &slot);
    has = s && !s->bad;
    pthread_mutex_unlock(&v->lock);
    return has;
}

bool cc_volume_is_bad(struct cc_volume *v, const uint8_t root[32])
{
    struct slot *s;
    uint64_t slot;
    bool bad;

    pthread_mutex_lock(&v->lock);
    s = find(v, root, &slot);
    bad = s && s->bad;
    pthread_mutex_unlock(&v->lock);
    return bad;
}

enum cc_status cc_volume_release(struct cc_volume *v, const uint8_t root[32],
                                 struct cc_error *err)
{
    enum cc_status st;
    struct slot *s;
    uint64_t slot;

    pthread_mutex_lock(&v->lock);
    wait_for(v, root);
    s = find(v, root, &slot);
    if (!s) {
        pthread_mutex_unlock(&v->lock);
        return CC_OK;
    }
    cc_map_remove(&v->by_root, root, NULL);
    cache_drop(v, root);
    v->bad -= s->bad;
    s->used = s->bad = false;
    set_busy(v, slot, true);
    pthread_mutex_unlock(&v->lock);
    st = put_record(v, slot, NULL, err);
    pthread_mutex_lock(&v->lock);
    set_busy(v, slot, false);
    v->used--;
    pthread_mutex_unlock(&v->lock);
    return st;
}

/* --- Reading -------------------------------------------------------------- */

static enum cc_status not_here(struct cc_error *err)
{
    return cc_fail(err, CC_NOTFOUND, "no such sector");
}

/* What was read, and from where. */
struct spot {
    uint64_t slot, serial;
};

/* Told once; from now on it counts as damaged. */
static enum cc_status damaged(struct cc_volume *v, const uint8_t root[32],
                              const struct spot *from, struct cc_error *err)
{
    struct slot *s;
    uint64_t slot = 0;
    bool news = false;

    pthread_mutex_lock(&v->lock);
    s = find(v, root, &slot);
    if (slot != from->slot || v->slots[slot].serial != from->serial)
        s = NULL; /* released meanwhile */
    if (s && !s->bad) {
        s->bad = news = true;
        v->bad++;
    }
    cache_drop(v, root);
    pthread_mutex_unlock(&v->lock);
    if (news)
        cc_log(v->log,
               "volume %s: sector in slot %" PRIu64
               " is damaged: it is not what was stored",
               v->directory, slot);
    if (!s)
        return not_here(err);
    return cc_fail(err, CC_CORRUPT, "sector in slot %" PRIu64 " is damaged",
                   slot);
}

static bool locate(struct cc_volume *v, const uint8_t root[32],
                   struct spot *spot, uint8_t *hashes)
{
    const struct slot *s;
    struct cached *c;
    bool found;

    pthread_mutex_lock(&v->lock);
    s = find(v, root, &spot->slot);
    found = s != NULL;
    spot->serial = found ? s->serial : 0;
    c = found && hashes ? cache_find(v, root) : NULL;
    if (c)
        memcpy(hashes, c->hashes, CC_SECTOR_LEAVES * 32);
    else if (hashes)
        memset(hashes, 0, 32); /* no hash: not known */
    pthread_mutex_unlock(&v->lock);
    return found;
}

static enum cc_status read_sector(struct cc_volume *v, const uint8_t root[32],
                                  const struct spot *spot, uint8_t *sector,
                                  uint8_t *hashes, struct cc_error *err)
{
    uint8_t got[32];
    enum cc_status st = cc_fs_pread_all(v->data, sector, CC_SECTOR_SIZE,
                                        spot->slot * CC_SECTOR_SIZE, err);

    if (st == CC_CORRUPT) /* the file ends before it */
        return damaged(v, root, spot, err);
    if (st != CC_OK)
        return cc_context(err, st, "%s/sectors", v->directory);
    cc_mtree_sector_leaves(hashes, sector);
    cc_mtree_root(got, hashes, CC_SECTOR_LEAVES);
    if (memcmp(got, root, 32))
        return damaged(v, root, spot, err);
    pthread_mutex_lock(&v->lock);
    cache_put(v, root, hashes);
    pthread_mutex_unlock(&v->lock);
    return CC_OK;
}

enum cc_status cc_volume_read(struct cc_volume *v, const uint8_t root[32],
                              uint8_t *sector, struct cc_error *err)
{
    uint8_t *hashes;
    enum cc_status st;
    struct spot spot;

    if (!locate(v, root, &spot, NULL))
        return not_here(err);
    hashes = cc_malloc(CC_SECTOR_LEAVES * 32);
    st = read_sector(v, root, &spot, sector, hashes, err);
    free(hashes);
    return st;
}

enum cc_status cc_volume_read_leaves(struct cc_volume *v,
                                     const uint8_t root[32], uint32_t begin,
                                     uint32_t end, uint8_t *data,
                                     uint8_t *hashes, struct cc_error *err)
{
    static const uint8_t unknown[32];
    const size_t len = (size_t)(end - begin) * CC_LEAF_SIZE;
    uint8_t got[32], *sector;
    enum cc_status st;
    struct spot spot;

    if (!locate(v, root, &spot, hashes))
        return not_here(err);
    if (!memcmp(hashes, unknown, 32)) {
        sector = cc_malloc(CC_SECTOR_SIZE);
        st = read_sector(v, root, &spot, sector, hashes, err);
        if (st == CC_OK)
            memcpy(data, sector + (size_t)begin * CC_LEAF_SIZE, len);
        free(sector);
        return st;
    }
    st = cc_fs_pread_all(
        v->data, data, len,
        spot.slot * CC_SECTOR_SIZE + (uint64_t)begin * CC_LEAF_SIZE, err);
    if (st == CC_CORRUPT)
        return damaged(v, root, &spot, err);
    for (uint32_t i = begin; st == CC_OK && i < end; i++) {
        cc_mtree_leaf(got, data + (size_t)(i - begin) * CC_LEAF_SIZE,
                      CC_LEAF_SIZE);
        if (memcmp(got, hashes + (size_t)i * 32, 32))
            return damaged(v, root, &spot, err);
    }
    return st;
}

void cc_volume_set_reserve(struct cc_volume *v, uint64_t bytes)
{
    v->reserve = bytes;
}

uint8_t *cc_volume_list(struct cc_volume *v, size_t *count)
{
    const void *root;
    uint8_t *out;
    size_t pos = 0, n = 0;

    pthread_mutex_lock(&v->lock);
    out = cc_malloc(v->by_root.count * 32 + 1);
    while (cc_map_next(&v->by_root, &pos, &root, NULL))
        memcpy(out + 32 * n++, root, 32);
    pthread_mutex_unlock(&v->lock);
    *count = n;
    return out;
}
