/* From a descriptor to scripts. */
#include <stdio.h>
#include <stdlib.h>

#include "consensus/script.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "util/mem.h"
#include "wallet/descriptor_i.h"

#define LEAF_VERSION 0xc0 /* BIP 342 */

/* --- Keys -------------------------------------------------------------- */

/* Keys of different lengths differ in their first byte. */
static int by_key(const void *a, const void *b)
{
    const struct cc_desc_point *x = a, *y = b;

    return memcmp(x->pub, y->pub, x->len < y->len ? x->len : y->len);
}

static int by_xonly(const void *a, const void *b)
{
    const struct cc_desc_point *x = a, *y = b;

    return memcmp(x->pub + 1, y->pub + 1, 32);
}

struct cc_desc_point *cc_desc_points(const struct cc_desc_node *n,
                                     const struct cc_descriptor *d,
                                     uint32_t index)
{
    struct cc_desc_point *points = cc_calloc(n->key_count + 1, sizeof(*points));

    for (size_t i = 0; i < n->key_count; i++)
        if (!cc_desc_key_point(&n->keys[i], d->ec, index, &points[i])) {
            free(points);
            return NULL;
        }
    if (n->sorted)
        qsort(points, n->key_count, sizeof(*points),
              n->kind == CC_DESC_MULTI_A ? by_xonly : by_key);
    return points;
}

/* --- Taproot ----------------------------------------------------------- */

static bool leaf_hash(uint8_t out[32], const struct cc_desc_node *leaf,
                      const struct cc_descriptor *d, uint32_t index)
{
    struct cc_writer script, whole;
    bool ok;

    cc_writer_init_heap(&script);
    cc_writer_init_heap(&whole);
    ok = cc_desc_script(&script, leaf, d, index);
    cc_write_u8(&whole, LEAF_VERSION);
    cc_write_var(&whole, script.data, script.len);
    cc_tagged_hash(out, "TapLeaf", whole.data, whole.len);
    cc_writer_clear(&script);
    cc_writer_clear(&whole);
    return ok;
}

static void branch_hash(uint8_t out[32], const uint8_t a[32],
                        const uint8_t b[32])
{
    bool swap = memcmp(a, b, 32) > 0;
    uint8_t both[64];

    memcpy(both, swap ? b : a, 32);
    memcpy(both + 32, swap ? a : b, 32);
    cc_tagged_hash(out, "TapBranch", both, sizeof(both));
}

/* From left to right; at most one finished subtree waits at each depth for
 * its right neighbour. */
static bool tree_root(uint8_t root[32], const struct cc_desc_node *n,
                      const struct cc_descriptor *d, uint32_t index)
{
    uint8_t waiting[CC_DESC_TREE_DEPTH + 1][32], hash[32];
    bool there[CC_DESC_TREE_DEPTH + 1] = {false};

    for (size_t i = 0; i < n->sub_count; i++) {
        size_t depth = n->depths[i];

        if (!leaf_hash(hash, n->subs[i], d, index))
            return false;
        while (depth && there[depth]) {
            branch_hash(hash, waiting[depth], hash);
            there[depth--] = false;
        }
        memcpy(waiting[depth], hash, 32);
        there[depth] = true;
    }
    memcpy(root, waiting[0], 32);
    return true;
}

static bool taproot_output(uint8_t out[32], const struct cc_desc_node *n,
                           const struct cc_descriptor *d,
                           const struct cc_desc_point *key, uint32_t index)
{
    uint8_t text[64], tweak[32];
    bool odd;

    memcpy(text, key->pub + 1, 32);
    if (n->sub_count && !tree_root(text + 32, n, d, index))
        return false;
    cc_tagged_hash(tweak, "TapTweak", text, n->sub_count ? 64 : 32);
    return cc_ec_xonly_tweak(out, &odd, key->pub + 1, tweak);
}

/* --- Scripts ----------------------------------------------------------- */

static void put_pkh(struct cc_writer *w, const struct cc_desc_point *key)
{
    uint8_t id[20];

    cc_hash160(id, key->pub, key->len);
    cc_write_u8(w, CC_OP_DUP);
    cc_write_u8(w, CC_OP_HASH160);
    cc_script_push(w, id, 20);
    cc_write_u8(w, CC_OP_EQUALVERIFY);
    cc_write_u8(w, CC_OP_CHECKSIG);
}

static void put_wpkh(struct cc_writer *w, const struct cc_desc_point *key)
{
    uint8_t id[20];

    cc_hash160(id, key->pub, key->len);
    cc_write_u8(w, CC_OP_0);
    cc_script_push(w, id, 20);
}

static void put_sh(struct cc_writer *w, const struct cc_writer *inner)
{
    uint8_t id[20];

    cc_hash160(id, inner->data, inner->len);
    cc_write_u8(w, CC_OP_HASH160);
    cc_script_push(w, id, 20);
    cc_write_u8(w, CC_OP_EQUAL);
}

static void put_wsh(struct cc_writer *w, const struct cc_writer *inner)
{
    uint8_t id[32];

    cc_sha256_once(id, inner->data, inner->len);
    cc_write_u8(w, CC_OP_0);
    cc_script_push(w, id, 32);
}

static void put_pk(struct cc_writer *w, const struct cc_desc_point *key,
                   bool xonly)
{
    cc_script_push(w, key->pub + xonly, key->len - xonly);
    cc_write_u8(w, CC_OP_CHECKSIG);
}

static void put_multi(struct cc_writer *w, const struct cc_desc_node *n,
                      const struct cc_desc_point *keys)
{
    cc_script_push_int(w, n->threshold);
    for (size_t i = 0; i < n->key_count; i++)
        cc_script_push(w, keys[i].pub, keys[i].len);
    cc_script_push_int(w, (int64_t)n->key_count);
    cc_write_u8(w, CC_OP_CHECKMULTISIG);
}

static void put_multi_a(struct cc_writer *w, const struct cc_desc_node *n,
                        const struct cc_desc_point *keys)
{
    for (size_t i = 0; i < n->key_count; i++) {
        cc_script_push(w, keys[i].pub + 1, 32);
        cc_write_u8(w, i ? CC_OP_CHECKSIGADD : CC_OP_CHECKSIG);
    }
    cc_script_push_int(w, n->threshold);
    cc_write_u8(w, CC_OP_NUMEQUAL);
}

static void put_combo(struct cc_writer *w, const struct cc_desc_point *key,
                      size_t which)
{
    struct cc_writer inner;

    switch (which) {
    case 0:
        put_pk(w, key, false);
        return;
    case 1:
        put_pkh(w, key);
        return;
    case 2:
        put_wpkh(w, key);
        return;
    default:
        cc_writer_init_heap(&inner);
        put_wpkh(&inner, key);
        put_sh(w, &inner);
        cc_writer_clear(&inner);
    }
}

static void put_taproot(struct cc_writer *w, const uint8_t key[32])
{
    cc_write_u8(w, CC_OP_1);
    cc_script_push(w, key, 32);
}

bool cc_desc_script(struct cc_writer *w, const struct cc_desc_node *n,
                    const struct cc_descriptor *d, uint32_t index)
{
    struct cc_desc_point *keys = cc_desc_points(n, d, index);
    struct cc_writer inner;
    uint8_t output[32];
    bool ok = true;

    if (!keys)
        return false;
    cc_writer_init_heap(&inner);
    switch (n->kind) {
    case CC_DESC_RAW:
    case CC_DESC_ADDR:
        cc_write_bytes(w, n->script.data, n->script.len);
        break;
    case CC_DESC_PK:
        put_pk(w, keys, n->xonly);
        break;
    case CC_DESC_PKH:
        put_pkh(w, keys);
        break;
    case CC_DESC_WPKH:
        put_wpkh(w, keys);
        break;
    case CC_DESC_COMBO: /* at the top only: expand_combo */
        break;
    case CC_DESC_MULTI:
        put_multi(w, n, keys);
        break;
    case CC_DESC_MULTI_A:
        put_multi_a(w, n, keys);
        break;
    case CC_DESC_SH:
        ok = cc_desc_script(&inner, n->subs[0], d, index);
        put_sh(w, &inner);
        break;
    case CC_DESC_WSH:
        ok = cc_desc_script(&inner, n->subs[0], d, index);
        put_wsh(w, &inner);
        break;
    case CC_DESC_TR:
        ok = taproot_output(output, n, d, keys, index);
        if (ok)
            put_taproot(w, output);
        break;
    case CC_DESC_RAWTR:
        put_taproot(w, keys->pub + 1);
        break;
    }
    cc_writer_clear(&inner);
    free(keys);
    return ok;
}

/* --- Expanding --------------------------------------------------------- */

void cc_descriptor_scripts_clear(struct cc_descriptor_scripts *s)
{
    while (s->count)
        free(s->script[--s->count].data);
}

static void add_script(struct cc_descriptor_scripts *s, struct cc_writer *w)
{
    s->script[s->count].data = cc_writer_take(w, &s->script[s->count].len);
    s->count++;
}

/* All scripts of combo from one derivation. */
static bool expand_combo(const struct cc_descriptor *d, uint32_t index,
                         struct cc_descriptor_scripts *out)
{
    struct cc_desc_point *key = cc_desc_points(d->root, d, index);
    struct cc_writer w;

    if (!key)
        return false;
    while (out->count < (key->len == 65 ? 2 : 4)) {
        cc_writer_init_heap(&w);
        put_combo(&w, key, out->count);
        add_script(out, &w);
    }
    free(key);
    return true;
}

bool cc_descriptor_expand(const struct cc_descriptor *d, uint32_t index,
                          struct cc_descriptor_scripts *out)
{
    struct cc_writer w;
    bool ok;

    out->count = 0;
    if (d->root->kind == CC_DESC_COMBO)
        return expand_combo(d, index, out);
    cc_writer_init_heap(&w);
    ok = cc_desc_script(&w, d->root, d, index);
    if (ok)
        add_script(out, &w);
    cc_writer_clear(&w);
    return ok;
}
