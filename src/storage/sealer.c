#include "storage/sealer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/reader.h"
#include "util/writer.h"

#define COLUMN_SIZE (CC_SECTOR_LEAVES * CC_SEAL_SLICE) /* 256 KiB */
#define META_LIMIT (CC_SECTOR_SIZE * 256u)             /* 2^24 sectors */
#define THREADS_MAX 64
#define PRIORITY 10 /* of sealing threads, as nice(1) */
static const uint8_t magic[4] = {'C', 'C', 's', '3'};

struct cc_sealer {
    struct cc_sealer_config config;
    char *directory;
    int fd;
    uint32_t sectors;
    uint8_t *roots;
    bool has_place, has_key;
    uint8_t txid[32];
    uint32_t vout, seal_height;
    uint8_t key[32];
    pthread_mutex_t lock; /* state, working, fault, leaves_done; meta file */
    uint8_t *state;       /* per sector */
    uint64_t leaves_done; /* of sectors under way */
    bool stop;
    unsigned running;
    pthread_t threads[THREADS_MAX];
    unsigned thread_count;
    char fault[200];
    enum cc_status fault_status;
};

enum { RAW = 0, UNDER_WAY = 1, SEALED = 2 };

/* --- Meta ----------------------------------------------------------------- */

/* magic, flags 1 (1 place, 2 key), txid 32, vout 4, seal_height 4, key 32,
 * sectors 4, per sector root 32 and state 1, SHA-256 of all that. */
static void meta_write(struct cc_writer *w, const struct cc_sealer *s)
{
    uint8_t hash[32];

    cc_write_bytes(w, magic, 4);
    cc_write_u8(w, (uint8_t)(s->has_place | s->has_key << 1));
    cc_write_bytes(w, s->txid, 32);
    cc_write_u32le(w, s->vout);
    cc_write_u32le(w, s->seal_height);
    cc_write_bytes(w, s->key, 32);
    cc_write_u32le(w, s->sectors);
    for (uint32_t i = 0; i < s->sectors; i++) {
        cc_write_bytes(w, s->roots + 32 * (size_t)i, 32);
        cc_write_u8(w, s->state[i] == SEALED ? SEALED : RAW);
    }
    cc_sha256_once(hash, w->data, w->len);
    cc_write_bytes(w, hash, 32);
}

/* Locked, or before any thread runs. */
static enum cc_status meta_save(const struct cc_sealer *s, struct cc_error *err)
{
    char *path = cc_fs_join(s->directory, "meta");
    struct cc_writer w;
    enum cc_status st;

    cc_writer_init_heap(&w);
    meta_write(&w, s);
    st = cc_fs_write(path, w.data, w.len, 0600, err);
    cc_writer_clear(&w);
    free(path);
    return st;
}

static bool meta_read(struct cc_sealer *s, const uint8_t *data, size_t len)
{
    struct cc_reader r;
    uint8_t hash[32], start[4], flags;

    if (len < 32 + 81)
        return false;
    cc_sha256_once(hash, data, len - 32);
    cc_reader_init(&r, data, len - 32);
    cc_read_bytes(&r, start, 4);
    flags = cc_read_u8(&r);
    cc_read_bytes(&r, s->txid, 32);
    s->vout = cc_read_u32le(&r);
    s->seal_height = cc_read_u32le(&r);
    cc_read_bytes(&r, s->key, 32);
    s->sectors = cc_read_u32le(&r);
    if (memcmp(hash, data + len - 32, 32) || memcmp(start, magic, 4) ||
        s->sectors == 0 || r.left != (uint64_t)s->sectors * 33)
        return false;
    s->has_place = flags & 1;
    s->has_key = flags & 2;
    s->roots = cc_malloc((size_t)s->sectors * 32);
    s->state = cc_calloc(s->sectors, 1);
    for (uint32_t i = 0; i < s->sectors; i++) {
        cc_read_bytes(&r, s->roots + 32 * (size_t)i, 32);
        s->state[i] = cc_read_u8(&r) == SEALED ? SEALED : RAW;
    }
    return cc_reader_done(&r);
}

/* --- Opening -------------------------------------------------------------- */

static struct cc_sealer *blank(const struct cc_sealer_config *c)
{
    struct cc_sealer *s = cc_calloc(1, sizeof(*s));

    s->config = *c;
    if (s->config.threads < 1)
        s->config.threads = 1;
    if (s->config.threads > THREADS_MAX)
        s->config.threads = THREADS_MAX;
    s->directory = cc_strdup(c->directory);
    s->config.directory = s->directory;
    s->fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

static enum cc_status open_data(struct cc_sealer *s, struct cc_error *err)
{
    char *path = cc_fs_join(s->directory, "sealed");
    enum cc_status st = CC_OK;

    s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->fd < 0)
        st = cc_fail_errno(err, "cannot open %s", path);
    free(path);
    return st;
}

enum cc_status cc_sealer_create(struct cc_sealer **out,
                                const struct cc_sealer_config *c,
                                const uint8_t *roots, uint32_t sectors,
                                struct cc_error *err)
{
    struct cc_sealer *s = blank(c);
    enum cc_status st = cc_fs_mkdirs(s->directory, err);

    s->sectors = sectors;
    s->roots = cc_memdup(roots, (size_t)sectors * 32);
    s->state = cc_calloc(sectors, 1);
    if (st == CC_OK)
        st = open_data(s, err);
    if (st == CC_OK)
        st = meta_save(s, err);
    if (st != CC_OK) {
        cc_sealer_free(s);
        return st;
    }
    *out = s;
    return CC_OK;
}

enum cc_status cc_sealer_open(struct cc_sealer **out,
                              const struct cc_sealer_config *c,
                              struct cc_error *err)
{
    struct cc_sealer *s;
    enum cc_status st;
    char *path = cc_fs_join(c->directory, "meta");
    uint8_t *data;
    size_t len;

    st = cc_fs_read(path, META_LIMIT, &data, &len, err);
    free(path);
    if (st != CC_OK)
        return st;
    s = blank(c);
    if (!meta_read(s, data, len))
        st = cc_fail(err, CC_CORRUPT, "%s/meta does not check", c->directory);
    free(data);
    if (st == CC_OK)
        st = open_data(s, err);
    if (st != CC_OK) {
        cc_sealer_free(s);
        return st;
    }
    *out = s;
    return CC_OK;
}

static void stop_threads(struct cc_sealer *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->thread_count; i++)
        pthread_join(s->threads[i], NULL);
    s->thread_count = 0;
    s->stop = false;
}

void cc_sealer_free(struct cc_sealer *s)
{
    if (!s)
        return;
    stop_threads(s);
    if (s->fd >= 0)
        close(s->fd);
    pthread_mutex_destroy(&s->lock);
    cc_cleanse(s->key, sizeof(s->key));
    free(s->roots);
    free(s->state);
    free(s->directory);
    free(s);
}

enum cc_status cc_sealer_remove(const char *directory, struct cc_error *err)
{
    return cc_fs_remove_tree(directory, err);
}

uint32_t cc_sealer_sectors(const struct cc_sealer *s) { return s->sectors; }

const uint8_t *cc_sealer_roots(const struct cc_sealer *s) { return s->roots; }

void cc_sealer_root(const struct cc_sealer *s, uint8_t root[32])
{
    cc_mtree_root(root, s->roots, s->sectors);
}

bool cc_sealer_has_root(const struct cc_sealer *s, const uint8_t root[32])
{
    for (uint32_t i = 0; i < s->sectors; i++)
        if (!memcmp(s->roots + 32 * (size_t)i, root, 32))
            return true;
    return false;
}

enum cc_status cc_sealer_set_place(struct cc_sealer *s, const uint8_t txid[32],
                                   uint32_t vout, uint32_t seal_height,
                                   struct cc_error *err)
{
    enum cc_status st;

    pthread_mutex_lock(&s->lock);
    memcpy(s->txid, txid, 32);
    s->vout = vout;
    s->seal_height = seal_height;
    s->has_place = true;
    st = meta_save(s, err);
    pthread_mutex_unlock(&s->lock);
    return st;
}

bool cc_sealer_place(const struct cc_sealer *s, uint8_t txid[32],
                     uint32_t *vout, uint32_t *seal_height)
{
    memcpy(txid, s->txid, 32);
    *vout = s->vout;
    *seal_height = s->seal_height;
    return s->has_place;
}

bool cc_sealer_has_key(const struct cc_sealer *s, const uint8_t key[32])
{
    return s->has_key && !memcmp(s->key, key, 32);
}

/* --- Sealing -------------------------------------------------------------- */

static bool stopped(struct cc_sealer *s)
{
    bool stop;

    pthread_mutex_lock(&s->lock);
    stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

/* Raw sector to columns; false if told to stop. */
static bool seal_sector(struct cc_sealer *s, uint32_t position,
                        const uint8_t *raw, uint8_t *columns)
{
    uint8_t leaf[CC_LEAF_SIZE];
    uint64_t index;

    for (uint32_t i = 0; i < CC_SECTOR_LEAVES; i++) {
        if (i % 32 == 0) {
            if (stopped(s))
                return false;
            pthread_mutex_lock(&s->lock);
            s->leaves_done += i ? 32 : 0;
            pthread_mutex_unlock(&s->lock);
        }
        index = (uint64_t)position * CC_SECTOR_LEAVES + i;
        cc_seal_leaf(leaf, raw + (size_t)i * CC_LEAF_SIZE, index, s->key,
                     s->config.params);
        for (unsigned j = 0; j < CC_SEAL_COLUMNS; j++)
            cc_seal_slice(columns + (size_t)j * COLUMN_SIZE +
                              (size_t)i * CC_SEAL_SLICE,
                          leaf, j, s->config.params);
    }
    return true;
}

static enum cc_status write_columns(struct cc_sealer *s, uint32_t position,
                                    const uint8_t *columns,
                                    struct cc_error *err)
{
    enum cc_status st =
        cc_fs_pwrite_all(s->fd, columns, CC_SECTOR_SIZE,
                         (uint64_t)position * CC_SECTOR_SIZE, err);

    if (st == CC_OK && fdatasync(s->fd))
        st = cc_fail_errno(err, "cannot sync %s/sealed", s->directory);
    return st;
}

/* The next sector to do, or -1. */
static int64_t take_sector(struct cc_sealer *s)
{
    int64_t found = -1;

    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->sectors && !s->stop && !s->fault[0]; i++) {
        if (s->state[i] == RAW) {
            s->state[i] = UNDER_WAY;
            found = i;
            break;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

static void finish_sector(struct cc_sealer *s, uint32_t i, bool done,
                          enum cc_status st, struct cc_error *err)
{
    pthread_mutex_lock(&s->lock);
    if (done && st == CC_OK) {
        s->state[i] = SEALED;
        st = meta_save(s, err);
    }
    if (!done || st != CC_OK)
        s->state[i] = RAW;
    s->leaves_done = 0; /* of the others a little is lost: it is a display */
    if (st != CC_OK) {
        memcpy(s->fault, err->text, sizeof(s->fault) - 1);
        s->fault_status = st;
        cc_log(s->config.log, "sealing stopped: %s", s->fault);
    }
    pthread_mutex_unlock(&s->lock);
}

static void *work(void *arg)
{
    struct cc_sealer *s = arg;
    uint8_t *raw = cc_malloc(CC_SECTOR_SIZE);
    uint8_t *columns = cc_malloc(CC_SECTOR_SIZE);
    struct cc_error err;
    enum cc_status st;
    int64_t i;
    bool done;

    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), PRIORITY);
    while ((i = take_sector(s)) >= 0) {
        cc_error_init(&err);
        done = false;
        st = s->config.source(s->config.arg, s->roots + 32 * (size_t)i,
                              (uint32_t)i, raw, &err);
        if (st == CC_OK) {
            done = seal_sector(s, (uint32_t)i, raw, columns);
            if (done)
                st = write_columns(s, (uint32_t)i, columns, &err);
        }
        finish_sector(s, (uint32_t)i, done, st, &err);
    }
    free(columns);
    free(raw);
    pthread_mutex_lock(&s->lock);
    s->running--;
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum cc_status cc_sealer_start(struct cc_sealer *s, const uint8_t key[32],
                               struct cc_error *err)
{
    enum cc_status st = CC_OK;
    struct cc_sealer_progress p;

    cc_sealer_progress(s, &p);
    if ((p.working || p.sealed == p.sectors) && s->has_key &&
        !memcmp(s->key, key, 32))
        return CC_OK;
    stop_threads(s);
    if (!s->has_key || memcmp(s->key, key, 32)) {
        memset(s->state, RAW, s->sectors);
        memcpy(s->key, key, 32);
        s->has_key = true;
        st = meta_save(s, err);
    }
    s->fault[0] = 0;
    s->fault_status = CC_OK;
    for (unsigned i = 0; st == CC_OK && i < s->config.threads; i++) {
        s->running++;
        if (pthread_create(&s->threads[i], NULL, work, s)) {
            s->running--;
            return cc_fail_errno(err, "cannot start a sealing thread");
        }
        s->thread_count++;
    }
    return st;
}

void cc_sealer_progress(struct cc_sealer *s, struct cc_sealer_progress *p)
{
    memset(p, 0, sizeof(*p));
    pthread_mutex_lock(&s->lock);
    p->sectors = s->sectors;
    for (uint32_t i = 0; i < s->sectors; i++)
        p->sealed += s->state[i] == SEALED;
    p->working = s->running > 0;
    p->part = ((double)p->sealed +
               (double)s->leaves_done / (double)CC_SECTOR_LEAVES) /
              (double)s->sectors;
    memcpy(p->fault, s->fault, sizeof(p->fault));
    p->fault_status = s->fault_status;
    pthread_mutex_unlock(&s->lock);
}

/* --- Draw and claim ------------------------------------------------------- */

static bool is_sealed(struct cc_sealer *s, uint64_t sector)
{
    bool sealed;

    pthread_mutex_lock(&s->lock);
    sealed = sector < s->sectors && s->state[sector] == SEALED;
    pthread_mutex_unlock(&s->lock);
    return sealed;
}

static enum cc_status draw_sector(struct cc_sealer *s, uint64_t sector,
                                  unsigned column, const uint8_t hash[32],
                                  const struct cc_u256 *target, uint8_t *slices,
                                  uint64_t *leaves, size_t room, size_t *count,
                                  struct cc_error *err)
{
    struct cc_u256 ticket;
    uint64_t leaf;
    enum cc_status st = cc_fs_pread_all(
        s->fd, slices, COLUMN_SIZE,
        sector * CC_SECTOR_SIZE + (uint64_t)column * COLUMN_SIZE, err);

    for (size_t i = 0; st == CC_OK && i < CC_SECTOR_LEAVES && *count < room;
         i++) {
        leaf = sector * CC_SECTOR_LEAVES + i;
        cc_seal_ticket_slice(&ticket, hash, s->key, leaf,
                             slices + i * CC_SEAL_SLICE);
        if (cc_u256_cmp(&ticket, target) < 0)
            leaves[(*count)++] = leaf;
    }
    return st;
}

enum cc_status cc_sealer_draw(struct cc_sealer *s, const uint8_t hash[32],
                              const struct cc_u256 *target, uint64_t *leaves,
                              size_t room, size_t *count, struct cc_error *err)
{
    const struct cc_params *p = s->config.params;
    const uint32_t units = (s->sectors + p->storage.unit - 1) / p->storage.unit;
    uint8_t *slices = cc_malloc(COLUMN_SIZE);
    enum cc_status st = CC_OK;
    uint64_t sector;
    unsigned column;

    *count = 0;
    for (uint32_t u = 0; st == CC_OK && u < units && *count < room; u++) {
        cc_seal_draw(&sector, &column, hash, s->key, u, p);
        if (is_sealed(s, sector))
            st = draw_sector(s, sector, column, hash, target, slices, leaves,
                             room, count, err);
    }
    free(slices);
    return st;
}

/* Leaf i of a sector out of its columns. */
static void gather(uint8_t leaf[CC_LEAF_SIZE], const uint8_t *columns, size_t i,
                   const struct cc_params *p)
{
    const size_t size = p->storage.seal_bits / 8;
    const size_t width = size / CC_SEAL_COLUMNS;
    const uint8_t *slice;

    for (size_t j = 0; j < CC_SEAL_COLUMNS; j++) {
        slice = columns + j * COLUMN_SIZE + i * CC_SEAL_SLICE;
        for (size_t e = 0; e < CC_LEAF_SIZE / size; e++)
            memcpy(leaf + e * size + j * width, slice + e * width, width);
    }
}

/* Undo the whole sector: the raw leaves' hashes, and is it what was sealed? */
static bool unseal_sector(const struct cc_sealer *s, uint64_t sector,
                          const uint8_t *columns, uint8_t *hashes)
{
    uint8_t leaf[CC_LEAF_SIZE], root[32];

    for (size_t i = 0; i < CC_SECTOR_LEAVES; i++) {
        gather(leaf, columns, i, s->config.params);
        cc_unseal_leaf(leaf, leaf, sector * CC_SECTOR_LEAVES + i, s->key,
                       s->config.params);
        cc_mtree_leaf(hashes + 32 * i, leaf, CC_LEAF_SIZE);
    }
    cc_mtree_root(root, hashes, CC_SECTOR_LEAVES);
    return !memcmp(root, s->roots + 32 * sector, 32);
}

enum cc_status cc_sealer_prove(struct cc_sealer *s, uint64_t leaf,
                               uint8_t **proof, size_t *len,
                               struct cc_error *err)
{
    const uint64_t sector = leaf / CC_SECTOR_LEAVES;
    const size_t inner = 12; /* nodes from a leaf to its sector's root */
    uint8_t *columns, *hashes, *out;
    enum cc_status st;
    size_t outer;

    if (!is_sealed(s, sector))
        return cc_fail(err, CC_NOTFOUND, "the sector is not sealed");
    columns = cc_malloc(CC_SECTOR_SIZE);
    hashes = cc_malloc(CC_SECTOR_LEAVES * 32);
    st = cc_fs_pread_all(s->fd, columns, CC_SECTOR_SIZE,
                         sector * CC_SECTOR_SIZE, err);
    if (st == CC_OK && !unseal_sector(s, sector, columns, hashes))
        st = cc_fail(err, CC_CORRUPT,
                     "%s/sealed: sector %" PRIu64 " is not what was sealed",
                     s->directory, sector);
    if (st == CC_OK) {
        outer = cc_mtree_path_len(sector, s->sectors);
        *len = CC_LEAF_SIZE + 32 * (inner + outer);
        out = cc_malloc(*len);
        gather(out, columns, (size_t)(leaf % CC_SECTOR_LEAVES),
               s->config.params);
        cc_mtree_path(out + CC_LEAF_SIZE, hashes, CC_SECTOR_LEAVES,
                      (size_t)(leaf % CC_SECTOR_LEAVES));
        cc_mtree_path(out + CC_LEAF_SIZE + 32 * inner, s->roots, s->sectors,
                      (size_t)sector);
        *proof = out;
    }
    free(hashes);
    free(columns);
    return st;
}
