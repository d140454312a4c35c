/*
 * -loadblock: blocks from a file that is none of ours, framed as ours are, in
 * any order and with anything between them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/internal.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

#define FRAME_HEAD 8
#define WINDOW ((size_t)1 << 20) /* of the file, looked through at once */
#define MIN_BLOCK 80
#define MAX_BLOCK 4000000

/* A block whose parent has not been seen. */
struct waiting {
    uint64_t pos; /* of its data */
    uint32_t size;
    uint32_t next; /* with the same parent: number + 1 */
};

struct import {
    struct cc_chain *c;
    int fd;
    uint64_t size;
    struct cc_map by_parent; /* parent's hash to number + 1 */
    struct waiting *waiting;
    size_t count, cap;
    uint64_t loaded;
    struct cc_error *err;
    enum cc_status st; /* not CC_OK: this machine failed, or stop */
};

/* False: no block is there. */
static bool read_block(struct import *im, uint64_t pos, uint32_t size,
                       struct cc_block *out)
{
    uint8_t *data = cc_malloc(size);

    if (cc_fs_pread_all(im->fd, data, size, pos, NULL) != CC_OK) {
        free(data);
        return false;
    }
    return cc_block_decode_take(out, data, size) == CC_OK;
}

static bool is_known(struct import *im, const uint8_t hash[32])
{
    const struct cc_index *i = cc_chain_find(im->c, hash);

    return i && cc_chain_look(im->c, i).tx_count;
}

static void wait_for_parent(struct import *im, const struct cc_block *block,
                            uint64_t pos, uint32_t size)
{
    uint32_t *first = cc_map_put(&im->by_parent, block->header.prev, NULL);
    char hash[65], parent[65];

    cc_hex_encode_rev(hash, block->hash, 32);
    cc_hex_encode_rev(parent, block->header.prev, 32);
    cc_debug(im->c->log, CC_LOG_REINDEX,
             "LoadExternalBlockFile: Out of order block %s, parent %s not "
             "known",
             hash, parent);
    im->waiting =
        cc_grow(im->waiting, &im->cap, im->count + 1, sizeof(*im->waiting));
    im->waiting[im->count] = (struct waiting){pos, size, *first};
    *first = (uint32_t)++im->count;
}

/* A block whose parent is known. One that breaks a rule is left alone. */
static void take(struct import *im, const struct cc_block *block)
{
    bool is_new = false;
    enum cc_status st;

    if (is_known(im, block->hash))
        return;
    st = cc_chain_accept_block(im->c, block, true, NULL, &is_new, im->err);
    im->loaded += is_new && st == CC_OK;
    if (cc_chain_failed(im->c, im->err))
        im->st = st != CC_OK ? st : CC_IO;
}

/* What waited for this block, and for those in turn. */
static void take_waiting(struct import *im, const uint8_t hash[32])
{
    uint8_t(*stack)[32] = cc_malloc(32);
    size_t depth = 1, cap = 1;

    memcpy(stack[0], hash, 32);
    while (depth && im->st == CC_OK) {
        uint32_t next = 0;

        depth--;
        cc_map_remove(&im->by_parent, stack[depth], &next);
        while (next && im->st == CC_OK) {
            const struct waiting *w = &im->waiting[next - 1];
            struct cc_block block;

            next = w->next;
            if (!read_block(im, w->pos, w->size, &block))
                continue;
            take(im, &block);
            stack = cc_grow(stack, &cap, depth + 1, sizeof(*stack));
            memcpy(stack[depth++], block.hash, 32);
            cc_block_clear(&block);
        }
    }
    free(stack);
}

/* Is a block framed here? How many bytes to go on by. */
static uint64_t try_frame(struct import *im, uint64_t pos, const uint8_t *head)
{
    uint32_t size = cc_get_u32le(head + 4);
    struct cc_block block;

    if (cc_get_u32le(head) != im->c->params->magic || size < MIN_BLOCK ||
        size > MAX_BLOCK || size > im->size - pos - FRAME_HEAD ||
        !read_block(im, pos + FRAME_HEAD, size, &block))
        return 1;
    if (memcmp(block.hash, im->c->params->genesis_hash, 32) &&
        !cc_chain_find(im->c, block.header.prev)) {
        wait_for_parent(im, &block, pos + FRAME_HEAD, size);
    } else {
        take(im, &block);
        if (im->st == CC_OK)
            take_waiting(im, block.hash);
    }
    cc_block_clear(&block);
    return FRAME_HEAD + (uint64_t)size;
}

static bool stopped(const struct import *im)
{
    return im->c->stop && *im->c->stop;
}

static void walk(struct import *im)
{
    uint8_t *window = cc_malloc(WINDOW);
    uint64_t from = 0, to = 0, pos = 0;

    while (im->st == CC_OK && im->size - pos > FRAME_HEAD && !stopped(im)) {
        if (pos < from || pos + FRAME_HEAD > to) {
            size_t len =
                im->size - pos < WINDOW ? (size_t)(im->size - pos) : WINDOW;

            im->st = cc_fs_pread_all(im->fd, window, len, pos, im->err);
            if (im->st != CC_OK)
                break;
            from = pos;
            to = pos + len;
        }
        pos += try_frame(im, pos, window + (pos - from));
    }
    free(window);
}

enum cc_status cc_chain_import(struct cc_chain *c, const char *path,
                               struct cc_error *err)
{
    struct import im = {.c = c, .err = err};
    int64_t start = cc_clock_monotonic_ms();
    struct stat info;
    uint8_t seed[16];
    enum cc_status st;

    im.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (im.fd < 0 || fstat(im.fd, &info)) {
        if (im.fd >= 0)
            close(im.fd);
        return cc_fail(err, CC_NOTFOUND, "Could not open blocks file %s", path);
    }
    im.size = (uint64_t)info.st_size;
    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&im.by_parent, 32, sizeof(uint32_t), seed);
    cc_log(c->log, "Importing blocks file %s...", path);
    cc_chain_hold(c);
    walk(&im);
    st = cc_chain_release(c, im.st == CC_OK ? err : NULL);
    cc_log(c->log,
           "Loaded %" PRIu64 " blocks from external file in %" PRId64 "ms",
           im.loaded, cc_clock_monotonic_ms() - start);
    close(im.fd);
    cc_map_clear(&im.by_parent);
    free(im.waiting);
    return im.st != CC_OK ? im.st : st;
}
