#include "chain/test/follower.h"

#include <unistd.h>

static bool fail_writes(void *arg, const char *what)
{
    struct follower *f = arg;

    if (strcmp(what, "db write") != 0)
        return false;
    f->writes++;
    return f->broken;
}

enum cc_status follower_open(struct follower *f, const atomic_bool *stop,
                             struct cc_error *err)
{
    struct cc_follow_config config = {.chain = f->c,
                                      .directory = f->path,
                                      .cache_bytes = 1 << 20,
                                      .fault = {fail_writes, f},
                                      .anew = f->anew,
                                      .stop = stop};

    return f->kind->open(&f->index, &config, err);
}

void follower_init(struct follower *f, const struct follower_kind *kind)
{
    memset(f, 0, sizeof(*f));
    f->kind = kind;
    world_init(&f->w, kind->seed, false);
    f->dir = cc_test_mkdir();
    f->path = cc_fs_join(f->dir, kind->folder);
    f->c = world_open(&f->w, f->dir);
}

static void close_all(struct follower *f)
{
    cc_chain_free(f->c);
    f->kind->free(f->index);
    f->c = NULL;
    f->index = NULL;
}

void follower_clear(struct follower *f)
{
    close_all(f);
    free(f->path);
    cc_test_rmdir(f->dir);
    world_clear(&f->w);
}

static void accept(struct follower *f, int i)
{
    struct cc_error err;

    if (cc_chain_accept_block(f->c, &f->w.blocks[i].block, true, NULL, NULL,
                              &err) != CC_OK)
        fail_msg("block %d: %s", i, err.text);
}

void follower_restart(struct follower *f)
{
    close_all(f);
    f->c = world_open(&f->w, f->dir);
}

void follower_restart_in(struct follower *f, const char *dir, int i)
{
    close_all(f);
    f->c = world_open(&f->w, dir);
    for (int k = 1; k <= i; k++)
        accept(f, k);
}

int follower_extend(struct follower *f, int i, unsigned n)
{
    while (n--) {
        i = world_make(&f->w, i, RIGHT);
        accept(f, i);
    }
    return i;
}

void follower_catches_up(void **state)
{
    const struct follower_kind *kind = *state;
    struct follower f;
    int low, i;

    follower_init(&f, kind);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    low = follower_extend(&f, 0, 3);
    (void)follower_extend(&f, low, 2);
    /* Without it the chain went on, on another branch, where coins that have
     * matured are spent. */
    follower_restart(&f);
    i = follower_extend(&f, low, 20);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    kind->expect(&f, i);
    /* Nothing to do: nothing is read again. */
    follower_restart(&f);
    f.broken = true;
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    kind->expect(&f, i);
    follower_clear(&f);
}

/* The chain was killed before it kept what the index had: from where they
 * agree, and no block is read twice. */
void follower_was_ahead(void **state)
{
    const struct follower_kind *kind = *state;
    struct follower f;
    char *other = cc_test_mkdir();
    int low, i;

    follower_init(&f, kind);
    low = follower_extend(&f, 0, 30);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    (void)follower_extend(&f, low, 5);
    follower_restart_in(&f, other, low);
    f.broken = true;
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    kind->expect(&f, low);
    f.broken = false;
    i = follower_extend(&f, low, 2);
    kind->expect(&f, i);
    follower_clear(&f);
    cc_test_rmdir(other);
}

void follower_stops_when_told(void **state)
{
    struct follower f;
    atomic_bool stop = true;
    struct cc_error err;

    follower_init(&f, *state);
    (void)follower_extend(&f, 0, 1);
    assert_int_equal(follower_open(&f, &stop, &err), CC_LIMIT);
    follower_clear(&f);
}

void follower_on_a_disk_that_fails(void **state)
{
    const struct follower_kind *kind = *state;
    struct follower f;
    struct cc_error err;
    int i;

    follower_init(&f, kind);
    f.broken = true;
    assert_int_equal(follower_open(&f, NULL, &err), CC_IO);
    f.broken = false;
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    i = follower_extend(&f, 0, 2);
    f.broken = true;
    (void)follower_extend(&f, i, 1);
    cc_error_init(&err);
    assert_true(kind->failed(f.index, &err));
    assert_true(err.text[0] != '\0');
    /* what it said before holds, and nothing goes in over what is missing ...
     */
    f.broken = false;
    kind->expect(&f, i);
    i = follower_extend(&f, (int)f.w.count - 1, 1);
    assert_true(kind->height(f.index) < f.w.blocks[i].height);
    /* ... which the next start finds */
    follower_restart(&f);
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    kind->expect(&f, i);
    assert_false(kind->failed(f.index, NULL));
    follower_clear(&f);
}

/* Where that is asked for, all is read again; else nothing is. */
void follower_made_anew(void **state)
{
    const struct follower_kind *kind = *state;
    struct follower f;
    int i;

    follower_init(&f, kind);
    i = follower_extend(&f, 0, 3);
    f.anew = true; /* there is none yet */
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    follower_restart(&f);
    f.broken = true;
    assert_int_equal(follower_open(&f, NULL, NULL), CC_IO);
    f.broken = false;
    assert_int_equal(follower_open(&f, NULL, NULL), CC_OK);
    kind->expect(&f, i);
    follower_clear(&f);
}

/* A block that cannot be read is no reason to go on without it. */
void follower_of_blocks_that_are_lost(void **state)
{
    struct follower f;
    struct cc_error err;
    char *path;

    follower_init(&f, *state);
    (void)follower_extend(&f, 0, 3);
    path = cc_fs_join(f.dir, "blocks/blk00000.dat");
    assert_int_equal(truncate(path, 0), 0);
    free(path);
    cc_error_init(&err);
    assert_int_not_equal(follower_open(&f, NULL, &err), CC_OK);
    assert_true(err.text[0] != '\0');
    follower_clear(&f);
}
