/*
 * sealer.h: one seal's data on disk (doc/protocol.md 6): making it, drawing
 * from it, showing a leaf of it.
 *
 * A folder holds two files. "meta": which sectors in which order, K, and which
 * are sealed; replaced as a whole. "sealed": for each sector its 16 columns,
 * 256 KiB each, a column being the 64-byte slices of its 4,096 leaves; so a
 * draw is one read. A sector counts as sealed once its data is synced and meta
 * says so.
 *
 * Sealing is hours of work on main: threads of low priority do it, a leaf at a
 * time, and can be stopped at any moment; what was finished stays.
 *
 * Threads: one owner calls everything; progress may be asked by any.
 */
#ifndef CC_STORAGE_SEALER_H
#define CC_STORAGE_SEALER_H

#include "consensus/seal.h"
#include "util/error.h"

struct cc_log;
struct cc_sealer;

/* The raw sector with this root; called on sealing threads. */
typedef enum cc_status (*cc_sealer_source)(void *arg, const uint8_t root[32],
                                           uint32_t position, uint8_t *sector,
                                           struct cc_error *err);

struct cc_sealer_config {
    const struct cc_params *params;
    struct cc_log *log;
    const char *directory;
    unsigned threads;
    cc_sealer_source source;
    void *arg;
};

/* A new one over these sector roots, in an empty folder; on disk when this
 * returns. seal_id and K come later. */
enum cc_status cc_sealer_create(struct cc_sealer **out,
                                const struct cc_sealer_config *c,
                                const uint8_t *roots, uint32_t sectors,
                                struct cc_error *err);
/* CC_NOTFOUND: there is none; CC_CORRUPT: its meta does not check. */
enum cc_status cc_sealer_open(struct cc_sealer **out,
                              const struct cc_sealer_config *c,
                              struct cc_error *err);
/* Stops the threads. */
void cc_sealer_free(struct cc_sealer *s);
/* Delete its files. */
enum cc_status cc_sealer_remove(const char *directory, struct cc_error *err);

uint32_t cc_sealer_sectors(const struct cc_sealer *s);
const uint8_t *cc_sealer_roots(const struct cc_sealer *s);
/* The tree's root over all sectors: the SEAL's. */
void cc_sealer_root(const struct cc_sealer *s, uint8_t root[32]);
bool cc_sealer_has_root(const struct cc_sealer *s, const uint8_t root[32]);
/* What the owner keeps with it: where the seal was formed, and its height. */
enum cc_status cc_sealer_set_place(struct cc_sealer *s, const uint8_t txid[32],
                                   uint32_t vout, uint32_t seal_height,
                                   struct cc_error *err);
/* False: it was never set. */
bool cc_sealer_place(const struct cc_sealer *s, uint8_t txid[32],
                     uint32_t *vout, uint32_t *seal_height);
/* Is this the key that what is sealed has? */
bool cc_sealer_has_key(const struct cc_sealer *s, const uint8_t key[32]);

/* Seal all that is not, under K; with another K than before everything starts
 * anew. Returns at once. */
enum cc_status cc_sealer_start(struct cc_sealer *s, const uint8_t key[32],
                               struct cc_error *err);
struct cc_sealer_progress {
    uint32_t sectors, sealed;
    double part; /* 0 ... 1, of all leaves */
    bool working;
    char fault[200]; /* "" or why it stopped */
    enum cc_status fault_status;
};
void cc_sealer_progress(struct cc_sealer *s, struct cc_sealer_progress *p);

/* Tickets below target among what block hash draws, lowest leaf first: at
 * most room of them into leaves. Sectors not sealed yet win nothing. */
enum cc_status cc_sealer_draw(struct cc_sealer *s, const uint8_t hash[32],
                              const struct cc_u256 *target, uint64_t *leaves,
                              size_t room, size_t *count, struct cc_error *err);
/* The proof of a CLAIM: sealed leaf, then the raw leaf's path; in fresh memory,
 * the caller's. CC_CORRUPT: the file does not hold what was sealed. */
enum cc_status cc_sealer_prove(struct cc_sealer *s, uint64_t leaf,
                               uint8_t **proof, size_t *len,
                               struct cc_error *err);

#endif
