/* Descriptors as text: checksums, printing, and finding one for a script. */
#include "wallet/descriptor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "consensus/script.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "util/hex.h"
#include "util/mem.h"
#include "wallet/descriptor_i.h"
#include "wallet/miniscript.h"

void cc_desc_put(struct cc_writer *w, const char *fmt, ...)
{
    char buf[256]; /* an extended key and a little more */
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < sizeof(buf))
        cc_write_bytes(w, buf, (size_t)n);
}

void cc_desc_put_hex(struct cc_writer *w, const void *data, size_t len)
{
    char *s = cc_hex_dup(data, len);

    cc_write_bytes(w, s, 2 * len);
    free(s);
}

/* --- Checksums (BIP 380) ----------------------------------------------- */

static uint64_t checksum_step(uint64_t c, unsigned v)
{
    static const uint64_t gen[5] = {0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d,
                                    0x3706b1677a, 0x644d626ffd};
    unsigned top = (unsigned)(c >> 35);

    c = (c & 0x7ffffffff) << 5 ^ v;
    for (unsigned i = 0; i < 5; i++) /* no branch: its way would be random */
        c ^= gen[i] & (0 - (uint64_t)(top >> i & 1));
    return c;
}

bool cc_descriptor_checksum(const char *text, char out[9])
{
    /* One more than the place of each character in BIP 380's list, by ASCII:
     * it begins with the digits; letters and signs are in three groups of 32.
     */
    static const uint8_t places[128] = {
        0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
        0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
        95, 60, 93, 92, 29, 30, 51, 16, 11, 12, 18, 52, 15, 53, 54, 17,
        1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 28, 55, 56, 57, 58, 59,
        27, 83, 84, 85, 86, 87, 88, 89, 90, 33, 34, 35, 36, 37, 38, 39,
        40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 13, 94, 14, 61, 62,
        91, 19, 20, 21, 22, 23, 24, 25, 26, 65, 66, 67, 68, 69, 70, 71,
        72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 31, 63, 32, 64, 0,
    };
    static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    uint64_t c = 1;
    unsigned group = 0, in_group = 0;

    for (; *text; text++) {
        unsigned char letter = (unsigned char)*text;
        unsigned pos = letter < 128 ? places[letter] : 0;

        if (!pos--)
            return false;
        c = checksum_step(c, pos & 31);
        group = group * 3 + (pos >> 5);
        if (++in_group == 3) {
            c = checksum_step(c, group);
            group = in_group = 0;
        }
    }
    if (in_group)
        c = checksum_step(c, group);
    for (unsigned i = 0; i < 8; i++)
        c = checksum_step(c, 0);
    c ^= 1;
    for (unsigned i = 0; i < 8; i++)
        out[i] = letters[c >> 5 * (7 - i) & 31];
    out[8] = '\0';
    return true;
}

char *cc_descriptor_seal(char *text)
{
    char sum[9] = "", *whole;

    cc_descriptor_checksum(text, sum);
    whole = cc_asprintf("%s#%s", text, sum);
    free(text);
    return whole;
}

static char *seal_writer(struct cc_writer *w)
{
    size_t len;

    cc_write_u8(w, '\0');
    return cc_descriptor_seal((char *)cc_writer_take(w, &len));
}

/* --- Printing ---------------------------------------------------------- */

struct printer {
    const struct cc_descriptor *d;
    bool derived; /* keys at index, as they are; else as written */
    uint32_t index;
    size_t which; /* of combo */
};

static bool put_node(struct cc_writer *w, const struct cc_desc_node *n,
                     const struct printer *p);

/* All keys, behind commas from the second on; wrap: what they stand in. */
static bool put_keys(struct cc_writer *w, const struct cc_desc_node *n,
                     const struct printer *p)
{
    struct cc_desc_point *points = NULL;

    if (p->derived) {
        points = cc_desc_points(n, p->d, p->index);
        if (!points)
            return false;
    }
    for (size_t i = 0; i < n->key_count; i++) {
        if (i)
            cc_desc_put(w, ",");
        if (points)
            cc_desc_point_put(w, &points[i], n->xonly, p->index);
        else
            cc_desc_key_put(w, &n->keys[i], p->d->params);
    }
    free(points);
    return true;
}

static bool put_around(struct cc_writer *w, const char *before,
                       const struct cc_desc_node *n, const struct printer *p)
{
    cc_desc_put(w, "%s", before);
    if (!put_keys(w, n, p))
        return false;
    cc_desc_put(w, ")");
    return true;
}

static bool put_combo(struct cc_writer *w, const struct cc_desc_node *n,
                      const struct printer *p)
{
    static const char *const forms[] = {"pk(", "pkh(", "wpkh(", "sh(wpkh("};

    if (!p->derived)
        return put_around(w, "combo(", n, p);
    if (!put_around(w, forms[p->which], n, p))
        return false;
    if (p->which == 3)
        cc_desc_put(w, ")");
    return true;
}

/* Of keys that are sorted already, nothing tells that they were. */
static bool put_multi(struct cc_writer *w, const struct cc_desc_node *n,
                      const struct printer *p)
{
    cc_desc_put(w, "%smulti%s(%" PRIu32 ",",
                n->sorted && !p->derived ? "sorted" : "",
                n->kind == CC_DESC_MULTI_A ? "_a" : "", n->threshold);
    return put_around(w, "", n, p);
}

static bool put_tr(struct cc_writer *w, const struct cc_desc_node *n,
                   const struct printer *p)
{
    bool right[CC_DESC_TREE_DEPTH];
    size_t depth = 0;

    cc_desc_put(w, "tr(");
    if (!put_keys(w, n, p))
        return false;
    for (size_t i = 0; i < n->sub_count; i++) {
        cc_desc_put(w, ",");
        for (; depth < n->depths[i]; depth++) {
            cc_desc_put(w, "{");
            right[depth] = false;
        }
        if (!put_node(w, n->subs[i], p))
            return false;
        for (; depth && right[depth - 1]; depth--)
            cc_desc_put(w, "}");
        if (depth)
            right[depth - 1] = true;
    }
    cc_desc_put(w, ")");
    return true;
}

static void put_script(struct cc_writer *w, const struct cc_desc_node *n,
                       const struct printer *p)
{
    char text[CC_ADDRESS_MAX] = "", *s;

    if (p->derived) {
        s = cc_descriptor_infer(n->script, cc_bytes(NULL, 0), p->d->params);
        cc_write_bytes(w, s, strcspn(s, "#"));
        free(s);
    } else if (n->kind == CC_DESC_ADDR) {
        cc_address_encode(text, n->script.data, n->script.len,
                          &p->d->params->prefixes);
        cc_desc_put(w, "addr(%s)", text);
    } else {
        cc_desc_put(w, "raw(");
        cc_desc_put_hex(w, n->script.data, n->script.len);
        cc_desc_put(w, ")");
    }
}

static bool put_wrapped(struct cc_writer *w, const char *before,
                        const struct cc_desc_node *n, const struct printer *p)
{
    cc_desc_put(w, "%s", before);
    if (!put_node(w, n->subs[0], p))
        return false;
    cc_desc_put(w, ")");
    return true;
}

static bool put_node(struct cc_writer *w, const struct cc_desc_node *n,
                     const struct printer *p)
{
    switch (n->kind) {
    case CC_DESC_RAW:
    case CC_DESC_ADDR:
        put_script(w, n, p);
        return true;
    case CC_DESC_PK:
        return put_around(w, "pk(", n, p);
    case CC_DESC_PKH:
        return put_around(w, "pkh(", n, p);
    case CC_DESC_WPKH:
        return put_around(w, "wpkh(", n, p);
    case CC_DESC_RAWTR:
        return put_around(w, "rawtr(", n, p);
    case CC_DESC_COMBO:
        return put_combo(w, n, p);
    case CC_DESC_MULTI:
    case CC_DESC_MULTI_A:
        return put_multi(w, n, p);
    case CC_DESC_SH:
        return put_wrapped(w, "sh(", n, p);
    case CC_DESC_WSH:
        return put_wrapped(w, "wsh(", n, p);
    case CC_DESC_TR:
        return put_tr(w, n, p);
    }
    return false;
}

static char *print(const struct printer *p)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    if (put_node(&w, p->d->root, p))
        return seal_writer(&w);
    cc_writer_clear(&w);
    return NULL;
}

char *cc_descriptor_text(const struct cc_descriptor *d)
{
    struct printer p = {.d = d};

    return print(&p);
}

char *cc_descriptor_of(const struct cc_descriptor *d, uint32_t index,
                       size_t which)
{
    struct printer p = {
        .d = d, .derived = true, .index = index, .which = which};

    return print(&p);
}

/* --- Asking ------------------------------------------------------------ */

static bool any_key(const struct cc_desc_node *n,
                    bool (*fn)(const struct cc_desc_key *k))
{
    for (size_t i = 0; i < n->key_count; i++)
        if (fn(&n->keys[i]))
            return true;
    for (size_t i = 0; i < n->sub_count; i++)
        if (any_key(n->subs[i], fn))
            return true;
    return false;
}

static bool has_range(const struct cc_desc_key *k)
{
    return k->range != CC_DESC_ONE;
}

static bool has_secret(const struct cc_desc_key *k) { return k->has_secret; }

bool cc_descriptor_is_range(const struct cc_descriptor *d)
{
    return any_key(d->root, has_range);
}

bool cc_descriptor_has_private(const struct cc_descriptor *d)
{
    return any_key(d->root, has_secret);
}

bool cc_descriptor_is_solvable(const struct cc_descriptor *d)
{
    return d->root->kind != CC_DESC_RAW && d->root->kind != CC_DESC_ADDR;
}

/* --- Finding ----------------------------------------------------------- */

/* A key that a descriptor can name at this place: not in hybrid form, and
 * under a witness compressed. Whether it is on the curve nobody asks. */
static bool plain_key(struct cc_bytes key, enum cc_desc_place place)
{
    return key.len && key.data[0] >= 2 && key.data[0] <= 4 &&
           (place != CC_DESC_IN_WSH || key.len == 33);
}

/* Keys of a form that is the same everywhere; false: it has none. */
static bool infer_keys(struct cc_writer *w, struct cc_bytes script,
                       enum cc_desc_place place, const struct cc_params *p)
{
    struct cc_bytes sols[22];
    size_t count;
    enum cc_script_type type =
        cc_script_solve(script, p->storage_active, sols, &count);

    if (type == CC_SCRIPT_PUBKEY && plain_key(sols[0], place)) {
        cc_desc_put(w, "pk(");
        cc_desc_put_hex(w, sols[0].data, sols[0].len);
        cc_desc_put(w, ")");
        return true;
    }
    if (type != CC_SCRIPT_MULTISIG)
        return false;
    for (size_t i = 1; i + 1 < count; i++)
        if (!plain_key(sols[i], place))
            return false;
    cc_desc_put(w, "multi(%u", sols[0].data[0]);
    for (size_t i = 1; i + 1 < count; i++) {
        cc_desc_put(w, ",");
        cc_desc_put_hex(w, sols[i].data, sols[i].len);
    }
    cc_desc_put(w, ")");
    return true;
}

/* What stands behind a hash, if inner does: sh(), wsh(), sh(wsh()). */
static bool infer_wrapped(struct cc_writer *w, struct cc_bytes script,
                          struct cc_bytes inner, const struct cc_params *p)
{
    uint8_t sh[20], program[34] = {CC_OP_0, 32};
    struct cc_bytes hash, wsh = cc_bytes(program, 34);
    bool p2sh = cc_script_is_p2sh(script), witness;

    if (!inner.len)
        return false;
    cc_sha256_once(program + 2, inner.data, inner.len);
    hash = cc_bytes(script.data + 2, 20);
    cc_hash160(sh, inner.data, inner.len);
    witness = !p2sh || !cc_bytes_equal(hash, cc_bytes(sh, 20));
    if (p2sh && witness) {
        cc_hash160(sh, program, sizeof(program));
        if (!cc_bytes_equal(hash, cc_bytes(sh, 20)))
            return false;
    }
    if (!p2sh && !cc_bytes_equal(script, wsh))
        return false;
    cc_desc_put(w, "%s%s", p2sh ? "sh(" : "", witness ? "wsh(" : "");
    if (!infer_keys(w, inner, witness ? CC_DESC_IN_WSH : CC_DESC_IN_SH, p) &&
        !(witness && cc_miniscript_infer(w, inner)))
        return false;
    cc_desc_put(w, "%s%s", p2sh ? ")" : "", witness ? ")" : "");
    return true;
}

/* By its address, or as it is. */
static void infer_plain(struct cc_writer *w, struct cc_bytes script,
                        const struct cc_params *p)
{
    struct cc_bytes sols[22];
    char address[CC_ADDRESS_MAX];
    size_t count;
    enum cc_script_type type =
        cc_script_solve(script, p->storage_active, sols, &count);

    if (type == CC_SCRIPT_WITNESS_V1_TAPROOT &&
        cc_ec_xonly_valid(sols[0].data)) {
        cc_desc_put(w, "rawtr(");
        cc_desc_put_hex(w, sols[0].data, 32);
    } else if (type != CC_SCRIPT_PUBKEY &&
               cc_address_encode(address, script.data, script.len,
                                 &p->prefixes)) {
        cc_desc_put(w, "addr(%s", address);
    } else {
        cc_desc_put(w, "raw(");
        cc_desc_put_hex(w, script.data, script.len);
    }
    cc_desc_put(w, ")");
}

char *cc_descriptor_infer(struct cc_bytes script, struct cc_bytes inner,
                          const struct cc_params *p)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    if (infer_keys(&w, script, CC_DESC_TOP, p))
        return seal_writer(&w);
    if (infer_wrapped(&w, script, inner, p))
        return seal_writer(&w);
    w.len = 0;
    infer_plain(&w, script, p);
    return seal_writer(&w);
}
