/*
 * renter_state.h: what a renter keeps on disk: contracts and manifests.
 * Plain values and their files; no network. See renter.h for the folder.
 */
#ifndef CC_STORAGE_RENTER_STATE_H
#define CC_STORAGE_RENTER_STATE_H

#include "storage/object.h"
#include "storage/renter.h"

/* 32-byte roots, as a list that grows. */
struct cc_roots {
    uint8_t *data;
    size_t count, cap;
};

void cc_roots_add(struct cc_roots *r, const uint8_t root[32]);
void cc_roots_copy(struct cc_roots *out, const struct cc_roots *from);
/* The place of a root, SIZE_MAX if it is not there. */
size_t cc_roots_find(const struct cc_roots *r, const uint8_t root[32]);
/* Takes out place i by moving the last one there. */
void cc_roots_drop(struct cc_roots *r, size_t i);
/* Merkle root; zero for none. */
void cc_roots_root(uint8_t out[32], const struct cc_roots *r);
void cc_roots_clear(struct cc_roots *r);

struct cc_renter_contract {
    uint8_t id[32], txid[32];
    struct cc_contract terms; /* as formed */
    uint64_t value;
    uint32_t capacity;
    uint64_t price_write, price_read, price_request; /* usat, as agreed */
    char endpoint[256];
    uint32_t key_index; /* the wallet's storage key */
    bool forming;       /* signed by us, not yet known to be on its way */

    uint32_t revision; /* latest signed by both; 0: none */
    uint8_t host_signature[64];
    struct cc_roots roots; /* of that revision */

    /* The highest number that our signature stands under, and what it stood
     * for: the host may have it without our having its answer. */
    uint32_t signed_revision;
    struct cc_roots pending; /* meant when signed_revision > revision */

    struct cc_roots garbage; /* to be trimmed when next we talk */
    uint64_t voucher;        /* highest amount signed, satoshi */
    uint64_t used;           /* usat, by our own count */
};

void cc_renter_contract_clear(struct cc_renter_contract *c);
/* dir: the renter's folder. */
enum cc_status cc_renter_contract_save(const struct cc_renter_contract *c,
                                       const char *dir, struct cc_error *err);
/* CC_CORRUPT if the file is not what we wrote. */
enum cc_status cc_renter_contract_load(struct cc_renter_contract *out,
                                       const char *path, struct cc_error *err);
enum cc_status cc_renter_contract_remove(const struct cc_renter_contract *c,
                                         const char *dir, struct cc_error *err);

/* Where the shards of an object are. */
struct cc_placement {
    uint8_t contract[32];
    uint8_t root[32];
};

struct cc_manifest {
    char *name;
    uint8_t id[16]; /* salt of the object's key */
    uint64_t time;  /* stored, seconds since 1970 */
    struct cc_object object;
    uint32_t slab_count;
    struct cc_placement *places; /* slab_count x n, row-major */
};

void cc_manifest_clear(struct cc_manifest *m);
/* The plain content of its file. What decodes encodes back; the object's key
 * is not part of it. CC_MALFORMED; *out untouched. */
void cc_manifest_encode(struct cc_writer *w, const struct cc_manifest *m);
enum cc_status cc_manifest_decode(struct cc_manifest *out, const void *data,
                                  size_t len);
/* The object's key: HKDF of the wallet's secret with id as salt. */
void cc_manifest_derive_key(struct cc_manifest *m, const uint8_t secret[32]);

/* secret: of the wallet's storage key 0. The file is named by a MAC of the
 * object's name, so the folder tells no names. */
enum cc_status cc_manifest_save(const struct cc_manifest *m, const char *dir,
                                const uint8_t secret[32], struct cc_error *err);
/* CC_NOTFOUND: no such name. */
enum cc_status cc_manifest_load(struct cc_manifest *out, const char *dir,
                                const char *name, const uint8_t secret[32],
                                struct cc_error *err);
/* The name of its file. */
void cc_manifest_file(char out[65], const char *name, const uint8_t secret[32]);
/* By its file in dir/objects. */
enum cc_status cc_manifest_load_file(struct cc_manifest *out, const char *dir,
                                     const char *file, const uint8_t secret[32],
                                     struct cc_error *err);
enum cc_status cc_manifest_remove(const char *dir, const char *name,
                                  const uint8_t secret[32],
                                  struct cc_error *err);

#endif
