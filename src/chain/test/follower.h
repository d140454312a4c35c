/*
 * follower.h: an index that follows the tip of a world's chain, and what each
 * such index does whatever it keeps: go on after a restart, stop when told,
 * and stop for good where it cannot write.
 */
#ifndef CC_CHAIN_TEST_FOLLOWER_H
#define CC_CHAIN_TEST_FOLLOWER_H

#include "chain/follow.h"
#include "chain/test/world.h"

struct follower;

/* An index by its functions; index: what open gave. */
struct follower_kind {
    uint64_t seed;      /* of the world */
    const char *folder; /* below the chain's */
    enum cc_status (*open)(void **index, const struct cc_follow_config *config,
                           struct cc_error *err);
    void (*free)(void *index);
    uint32_t (*height)(void *index);
    bool (*failed)(void *index, struct cc_error *err);
    /* Fails the test unless block i and all below it are in. */
    void (*expect)(struct follower *f, int i);
};

struct follower {
    const struct follower_kind *kind;
    struct world w;
    char *dir, *path;
    struct cc_chain *c;
    void *index;
    bool broken;   /* no write succeeds */
    bool anew;     /* it is to be made anew when it is opened */
    size_t writes; /* of the index, so far */
};

/* kind: of cc_<name>, whose blocks expect() looks for. */
#define FOLLOWER_KIND(name, world_seed, below)                                 \
    static enum cc_status open_it(void **index,                                \
                                  const struct cc_follow_config *config,       \
                                  struct cc_error *err)                        \
    {                                                                          \
        struct cc_##name *t = NULL;                                            \
        enum cc_status st = cc_##name##_open(&t, config, err);                 \
        *index = t;                                                            \
        return st;                                                             \
    }                                                                          \
    static void free_it(void *index) { cc_##name##_free(index); }              \
    static uint32_t height(void *index) { return cc_##name##_height(index); }  \
    static bool failed(void *index, struct cc_error *err)                      \
    {                                                                          \
        return cc_##name##_failed(index, err);                                 \
    }                                                                          \
    static const struct follower_kind kind = {.seed = world_seed,              \
                                              .folder = below,                 \
                                              .open = open_it,                 \
                                              .free = free_it,                 \
                                              .height = height,                \
                                              .failed = failed,                \
                                              .expect = expect}

/* The chain of a new world; the index is not open. */
void follower_init(struct follower *f, const struct follower_kind *kind);
void follower_clear(struct follower *f);
enum cc_status follower_open(struct follower *f, const atomic_bool *stop,
                             struct cc_error *err);
/* The node stops; then its chain alone starts again, */
void follower_restart(struct follower *f);
/* or in an empty folder, told all blocks up to number i, a main branch. */
void follower_restart_in(struct follower *f, const char *dir, int i);
/* n blocks on top of number i; the number of the last. */
int follower_extend(struct follower *f, int i, unsigned n);

/* Tests, for cmocka_unit_test_prestate with a struct follower_kind. */
void follower_stops_when_told(void **state);
void follower_on_a_disk_that_fails(void **state);
void follower_made_anew(void **state);
void follower_of_blocks_that_are_lost(void **state);
/* Of those that read no block twice. */
void follower_catches_up(void **state);
void follower_was_ahead(void **state);

#endif
