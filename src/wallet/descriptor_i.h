/*
 * descriptor_i.h: the inside of a descriptor, for descriptor*.c.
 *
 * A descriptor is a tree of nodes, one a function. A node has keys or nodes
 * under it, never both but for tr: its first key, then its leaves, whose
 * places in the tree are their depths from left to right.
 */
#ifndef CC_WALLET_DESCRIPTOR_I_H
#define CC_WALLET_DESCRIPTOR_I_H

#include "crypto/bip32.h"
#include "util/writer.h"
#include "wallet/descriptor.h"

enum cc_desc_kind {
    CC_DESC_RAW,
    CC_DESC_ADDR,
    CC_DESC_PK,
    CC_DESC_PKH,
    CC_DESC_WPKH,
    CC_DESC_COMBO,
    CC_DESC_MULTI,   /* sorted or not */
    CC_DESC_MULTI_A, /* the same in a tree */
    CC_DESC_SH,
    CC_DESC_WSH,
    CC_DESC_TR,
    CC_DESC_RAWTR,
};

/* Where a function stands. */
enum cc_desc_place {
    CC_DESC_TOP,
    CC_DESC_IN_SH,
    CC_DESC_IN_WPKH,
    CC_DESC_IN_WSH,
    CC_DESC_IN_TR,
};

#define CC_DESC_TREE_DEPTH 128 /* BIP 341 */
#define CC_DESC_MULTI_A_MAX 999

struct cc_desc_path {
    uint32_t *steps;
    size_t count;
};

enum cc_desc_range { CC_DESC_ONE, CC_DESC_PLAIN, CC_DESC_HARDENED };

struct cc_desc_key {
    bool has_origin, origin_apostrophe;
    uint8_t origin[4];
    struct cc_desc_path origin_path;

    /* a key as such (pub_len not 0) */
    uint8_t pub[65];
    size_t pub_len;
    bool xonly; /* was, or is, shown without its first byte */
    bool has_secret;

    /* or one of a tree of keys */
    struct cc_bip32 root;
    struct cc_bip32 base; /* root, the path gone; if it can be */
    bool has_base, apostrophe;
    struct cc_desc_path path;
    enum cc_desc_range range;
};

struct cc_desc_node {
    enum cc_desc_kind kind;
    bool sorted;
    bool xonly; /* in a tree: keys of 32 bytes */
    uint32_t threshold;
    struct cc_desc_key *keys;
    size_t key_count, key_cap;
    struct cc_desc_node **subs;
    size_t sub_count, sub_cap;
    uint8_t *depths; /* of subs, in tr */
    size_t depth_cap;
    struct cc_bytes script; /* raw, addr: owned */
};

struct cc_descriptor {
    const struct cc_params *params;
    const struct cc_ec *ec;
    struct cc_desc_node *root;
};

/* A piece of the text. */
struct cc_desc_span {
    const char *p;
    size_t n;
};

/* A key at an index. */
struct cc_desc_point {
    uint8_t pub[65];
    size_t len;
    const struct cc_desc_key *key;
};

/* --- descriptor_key.c --- */

/* Appends a key to the node; false with *why. */
bool cc_desc_key_parse(struct cc_desc_node *n, struct cc_desc_span text,
                       enum cc_desc_place place, const struct cc_descriptor *d,
                       char **why);
void cc_desc_key_clear(struct cc_desc_key *k);
/* A number of 32 bits as Core reads one. */
bool cc_desc_u32(struct cc_desc_span text, uint32_t *out);
bool cc_desc_key_point(const struct cc_desc_key *k, const struct cc_ec *ec,
                       uint32_t index, struct cc_desc_point *out);
/* As it was written, without its secret. */
void cc_desc_key_put(struct cc_writer *w, const struct cc_desc_key *k,
                     const struct cc_params *p);
/* [origin]key of a point. */
void cc_desc_point_put(struct cc_writer *w, const struct cc_desc_point *point,
                       bool xonly, uint32_t index);

/* --- descriptor_script.c --- */

/* The script of a node, but of combo, which has several. */
bool cc_desc_script(struct cc_writer *w, const struct cc_desc_node *n,
                    const struct cc_descriptor *d, uint32_t index);
/* The keys of a node at an index, sorted if it says so; for free. NULL: one
 * needs a secret. */
struct cc_desc_point *cc_desc_points(const struct cc_desc_node *n,
                                     const struct cc_descriptor *d,
                                     uint32_t index);

void cc_desc_put(struct cc_writer *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cc_desc_put_hex(struct cc_writer *w, const void *data, size_t len);

#endif
