/*
 * crash.c: does a node that is killed at any instant lose what it answered?
 *
 *   crash [kills] [seed]
 *
 * A child connects and reorganises blocks made at random and tells its parent,
 * through a pipe, each tip that it walks over and each answer that it gave.
 * The parent kills it (SIGKILL) at a random instant, or lets its disk fail at
 * a random write. Then another child opens what is left and looks: the tip is
 * the last one answered or one walked over since (where there was no answer
 * since the start, which tells nothing: any that is good); every block that was
 * answered is there, with its verdict; coins, index, undo data and storage
 * lists agree with each other and with the model. Some rounds go on to what a
 * power cut may do: bytes that were never synced are lost or garbage.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chain/test/world.h"

#define ROUNDS_PER_WORLD 40
#define BLOCKS_AHEAD 40 /* made before a child starts */

enum how { KILL, FAIL_WRITE, POWER_CUT };

/* What the child says: pipe writes of this size are atomic. */
struct report {
    char what; /* 'T' walked to block, 'A' answered block */
    int block; /* of the tip, or the one answered */
    int tip;   /* with 'A' */
    bool good; /* with 'A' */
    /* with 'A': how much of the files was durable */
    uint64_t blk_end, rev_end, log_number, log_size;
};

struct crash {
    struct world w;
    char *dir;
    int *order; /* blocks in the order in which they are given */
    size_t order_count, order_cap, next;
    bool *answered, *good; /* by block; of length answered_cap */
    size_t answered_cap;
    int tip; /* the last answered */
    struct report last;
    int *walked; /* tips since */
    size_t walked_count, walked_cap;
    bool started; /* since the last answer: stored blocks were walked over */
    uint64_t kills, faults, cuts, answers, reorgs;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "crash: %s\n", what);
    exit(2);
}

/* --- Blocks ------------------------------------------------------------- */

static void make_blocks(struct crash *k)
{
    struct world *w = &k->w;

    while (k->order_count < k->next + BLOCKS_AHEAD) {
        unsigned back = world_random(w, 4) ? 0 : world_random(w, 12);
        int parent = k->order_count ? k->order[k->order_count - 1] : 0;
        unsigned length = 1 + world_random(w, 14);

        while (back-- && w->blocks[parent].prev >= 0)
            parent = w->blocks[parent].prev;
        while (w->blocks[parent].tainted)
            parent = w->blocks[parent].prev;
        while (length--) {
            enum wrong wrong =
                world_random(w, 12)
                    ? RIGHT
                    : (enum wrong)(1 + world_random(w, WRONG_COUNT - 1));

            k->order =
                realloc(k->order, (k->order_count + 1) * sizeof(*k->order));
            parent = world_make(w, parent, wrong);
            k->order[k->order_count++] = parent;
        }
    }
    if (k->answered_cap < w->count) {
        k->answered = realloc(k->answered, w->count * sizeof(bool));
        k->good = realloc(k->good, w->count * sizeof(bool));
        for (size_t i = k->answered_cap; i < w->count; i++)
            k->answered[i] = k->good[i] = false;
        k->answered_cap = w->count;
    }
}

/* --- The child that works ----------------------------------------------- */

struct worker {
    struct crash *k;
    struct cc_chain *c;
    int out;
    unsigned fail_in; /* writes until one fails; 0: none does */
    char *logs;
};

static void say(struct worker *x, const struct report *r)
{
    if (write(x->out, r, sizeof(*r)) != (ssize_t)sizeof(*r))
        _exit(0); /* the parent is gone */
}

static void walked_to(struct worker *x, const uint8_t hash[32])
{
    struct report r = {.what = 'T', .block = world_find(&x->k->w, hash)};

    say(x, &r);
}

static void on_connected(void *arg, const struct cc_index *i,
                         const struct cc_block *block,
                         const struct cc_undo *undo)
{
    (void)block;
    (void)undo;
    walked_to(arg, i->hash);
}

static void on_disconnected(void *arg, const struct cc_index *i,
                            const struct cc_block *block,
                            const struct cc_undo *undo)
{
    (void)block;
    (void)undo;
    walked_to(arg, i->prev->hash);
}

static bool fail_sometimes(void *arg, const char *what)
{
    struct worker *x = arg;

    (void)what;
    return x->fail_in && --x->fail_in == 0;
}

static bool find_ends(void *arg, struct cc_index *i)
{
    struct report *r = arg;
    uint64_t blk = (uint64_t)i->data_pos + i->size,
             rev = (uint64_t)i->undo_pos + i->undo_size + 32;

    if (i->status & CC_INDEX_DATA && blk > r->blk_end)
        r->blk_end = blk;
    if (i->status & CC_INDEX_UNDO && rev > r->rev_end)
        r->rev_end = rev;
    return true;
}

/* The newest write-ahead log and its length. */
static void newest_log(const char *dir, uint64_t *number, uint64_t *size)
{
    char path[1024];
    struct dirent *e;
    struct stat info;
    DIR *d = opendir(dir);

    *number = *size = 0;
    if (!d)
        return;
    while ((e = readdir(d))) {
        char *end;
        uint64_t n = strtoull(e->d_name, &end, 10);

        if (end == e->d_name || strcmp(end, ".log") || n < *number)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (!stat(path, &info)) {
            *number = n;
            *size = (uint64_t)info.st_size;
        }
    }
    closedir(d);
}

static void answer(struct worker *x, int block, bool good)
{
    struct report r = {.what = 'A', .block = block, .good = good};

    r.tip = world_find(&x->k->w, cc_chain_tip(x->c)->hash);
    cc_chain_each(x->c, find_ends, &r);
    newest_log(x->logs, &r.log_number, &r.log_size);
    say(x, &r);
}

static _Noreturn void work(struct crash *k, int out, unsigned fail_in,
                           size_t cache, unsigned group)
{
    struct worker x = {.k = k, .out = out, .fail_in = fail_in};
    struct cc_chain_config config;
    struct cc_chain_listener l = {
        .arg = &x, .connected = on_connected, .disconnected = on_disconnected};
    struct cc_error err;
    enum cc_status st[8] = {CC_OK};
    int block[8];

    world_config(&k->w, &config, k->dir);
    config.cache_bytes = cache;
    config.fault = (struct cc_fault){.fail = fail_sometimes, .arg = &x};
    x.logs = cc_fs_join(k->dir, "chainstate");
    if (cc_chain_open(&x.c, &config, &err) != CC_OK)
        _exit(fail_in ? 0 : 3);
    cc_chain_listen(x.c, &l);
    for (size_t n = k->next; n < k->order_count;) {
        unsigned count = 0;

        if (group > 1)
            cc_chain_hold(x.c);
        while (count < group && n < k->order_count) {
            block[count] = k->order[n++];
            st[count] = cc_chain_accept_block(
                x.c, &k->w.blocks[block[count]].block, true, NULL, NULL, &err);
            count++;
        }
        if (group > 1 && cc_chain_release(x.c, &err) != CC_OK)
            break;
        if (cc_chain_failed(x.c, &err))
            break;
        for (unsigned i = 0; i < count; i++)
            answer(&x, block[i], st[i] == CC_OK);
    }
    if (!fail_in && cc_chain_failed(x.c, &err)) {
        fprintf(stderr, "crash: %s\n", err.text);
        _exit(3);
    }
    if (!fail_in)
        pause(); /* until it is killed */
    _exit(0);
}

/* --- The child that looks ----------------------------------------------- */

static bool tip_allowed(const struct crash *k, int tip)
{
    if (tip == k->tip)
        return true;
    if (k->started && tip >= 0 && !k->w.blocks[tip].tainted)
        return true;
    for (size_t i = 0; i < k->walked_count; i++)
        if (k->walked[i] == tip)
            return true;
    return false;
}

static const char *look_at_answers(const struct crash *k, struct cc_chain *c)
{
    for (size_t i = 1; i < k->answered_cap; i++) {
        const struct cc_index *x;
        const struct wblock *b = &k->w.blocks[i];

        if (!k->answered[i])
            continue;
        x = cc_chain_find(c, b->block.hash);
        if (k->good[i] && (!x || !(x->status & CC_INDEX_DATA)))
            return "a block that was answered is gone";
        if (k->good[i] && b->wrong == RIGHT && x->status & CC_INDEX_FAILED)
            return "a good block is condemned";
        if (!k->good[i] && b->wrong != RIGHT &&
            !(x && x->status & CC_INDEX_FAILED))
            return "a verdict was forgotten";
    }
    return NULL;
}

/* The start itself may walk on to a better block that was stored and not yet
 * connected. To see where the database stands, the chain is told to stop. */
static _Noreturn void look(struct crash *k)
{
    struct cc_chain_config config;
    struct cc_chain *c;
    struct cc_error err;
    const char *wrong = NULL;
    atomic_bool stop = true;
    int tip;
    enum cc_status st;

    world_config(&k->w, &config, k->dir);
    config.stop = &stop;
    st = cc_chain_open(&c, &config, &err);
    if (st == CC_LIMIT && !k->last.what) {
        /* killed before there was a database: there is nothing but genesis */
        stop = false;
        st = cc_chain_open(&c, &config, &err);
    }
    if (st != CC_OK) {
        fprintf(stderr, "crash: cannot open: %s\n", err.text);
        _exit(1);
    }
    tip = world_find(&k->w, cc_chain_tip(c)->hash);
    if (!tip_allowed(k, tip))
        wrong = "a tip that it did not have since the last answer";
    if (!wrong)
        wrong = look_at_answers(k, c);
    if (!wrong)
        wrong = world_compare(&k->w, c, tip);
    stop = false; /* verifying heeds it, too */
    if (!wrong &&
        cc_chain_verify(c, CC_VERIFY_CONNECT, 150, NULL, NULL, &err) != CC_OK)
        wrong = err.text;
    if (wrong)
        fprintf(stderr, "crash: tip %d (answered %d): %s\n", tip, k->tip,
                wrong);
    _exit(wrong ? 1 : 0);
}

/* --- The parent --------------------------------------------------------- */

static void sleep_us(unsigned us)
{
    struct timespec t = {us / 1000000, (long)(us % 1000000) * 1000};

    while (nanosleep(&t, &t) && errno == EINTR)
        ;
}

static void hear(struct crash *k, const struct report *r)
{
    if (r->what == 'T') {
        if (k->walked_count == k->walked_cap) {
            k->walked_cap = k->walked_cap * 2 + 64;
            k->walked = realloc(k->walked, k->walked_cap * sizeof(int));
        }
        k->walked[k->walked_count++] = r->block;
        return;
    }
    k->answered[r->block] = true;
    k->good[r->block] = r->good;
    k->answers++;
    k->last = *r;
    k->tip = r->tip;
    k->walked_count = 0;
    k->started = false;
    while (k->next < k->order_count && k->answered[k->order[k->next]])
        k->next++;
}

/* What was written since the last answer was never synced, or at least need
 * not have been: the log loses some of it, ending in the middle of a batch; or
 * all of it, and then the block files may hold garbage there. */
static void cut_power(struct crash *k)
{
    static const char *const names[] = {"blocks/blk00000.dat",
                                        "blocks/rev00000.dat"};
    uint64_t ends[] = {k->last.blk_end, k->last.rev_end}, number, size;
    char path[1024], garbage[4096];
    bool torn;

    snprintf(path, sizeof(path), "%s/chainstate", k->dir);
    newest_log(path, &number, &size);
    if (number != k->last.log_number || size < k->last.log_size)
        return; /* the database has moved on to files that we cannot undo */
    snprintf(path, sizeof(path), "%s/chainstate/%06" PRIu64 ".log", k->dir,
             number);
    torn = world_random(&k->w, 2);
    if (torn)
        size = k->last.log_size +
               world_random(&k->w, (unsigned)(size - k->last.log_size) + 1);
    else
        size = k->last.log_size;
    if (truncate(path, (off_t)size))
        die("cannot cut the log");
    if (torn)
        return;
    memset(garbage, 0xa5, sizeof(garbage));
    for (int i = 0; i < 2; i++) {
        int fd;

        snprintf(path, sizeof(path), "%s/%s", k->dir, names[i]);
        fd = open(path, O_WRONLY);
        if (fd < 0)
            continue;
        if (pwrite(fd, garbage, sizeof(garbage), (off_t)ends[i]) < 0)
            die("cannot spoil a block file");
        close(fd);
    }
}

static void round_of(struct crash *k, enum how how)
{
    struct world *w = &k->w;
    unsigned fail_in = how == FAIL_WRITE ? 1 + world_random(w, 120) : 0;
    unsigned group = world_random(w, 3) ? 1 : 1 + world_random(w, 8);
    size_t cache = world_random(w, 2) ? (size_t)48 << 10 : (size_t)4 << 20;
    unsigned patience = world_random(w, 20),
             delay = world_random(w, world_random(w, 2) ? 40000 : 1500);
    struct report r;
    int ends[2], status;
    pid_t child;

    make_blocks(k);
    if (pipe(ends))
        die("no pipe");
    child = fork();
    if (child < 0)
        die("no child");
    k->started = true;
    if (child == 0) {
        close(ends[0]);
        work(k, ends[1], fail_in, cache, group);
    }
    close(ends[1]);
    while (how != FAIL_WRITE && patience &&
           read(ends[0], &r, sizeof(r)) == (ssize_t)sizeof(r)) {
        hear(k, &r);
        patience -= r.what == 'A';
    }
    if (how != FAIL_WRITE) {
        sleep_us(delay);
        kill(child, SIGKILL);
    }
    while (read(ends[0], &r, sizeof(r)) == (ssize_t)sizeof(r))
        hear(k, &r);
    close(ends[0]);
    if (waitpid(child, &status, 0) != child)
        die("the child is lost");
    if (WIFEXITED(status) && WEXITSTATUS(status))
        die("the child could not work");
    k->kills += WIFSIGNALED(status);
    k->faults += how == FAIL_WRITE;
    if (how == POWER_CUT && k->last.what) {
        cut_power(k);
        k->cuts++;
    }

    child = fork();
    if (child == 0)
        look(k);
    if (child < 0 || waitpid(child, &status, 0) != child)
        die("no child");
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        die("what was answered does not hold");
}

static void one_world(struct crash *k, uint64_t seed, uint64_t rounds)
{
    world_init(&k->w, seed, true);
    k->dir = cc_test_mkdir();
    while (rounds--)
        round_of(k, (enum how)world_random(&k->w, 3));
    cc_test_rmdir(k->dir);
    world_clear(&k->w);
    free(k->order);
    free(k->answered);
    free(k->good);
    free(k->walked);
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 30;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    struct crash sum = {.kills = 0};

    printf("crash: seed %" PRIu64 "\n", seed);
    fflush(stdout);
    while (rounds) {
        struct crash k = {.tip = 0};
        uint64_t n = rounds < ROUNDS_PER_WORLD ? rounds : ROUNDS_PER_WORLD;

        one_world(&k, seed++, n);
        rounds -= n;
        sum.kills += k.kills;
        sum.faults += k.faults;
        sum.cuts += k.cuts;
        sum.answers += k.answers;
        printf("crash: %" PRIu64 " kills survived (%" PRIu64
               " of them power cuts), %" PRIu64 " write failures, %" PRIu64
               " answers held\n",
               sum.kills, sum.cuts, sum.faults, sum.answers);
        fflush(stdout);
    }
    return 0;
}
