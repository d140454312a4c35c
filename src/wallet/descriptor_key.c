/* The keys of a descriptor: read, derived, shown. */
#include <inttypes.h>
#include <stdlib.h>

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "util/hex.h"
#include "util/mem.h"
#include "wallet/descriptor_i.h"

static bool fail(char **why, char *sentence)
{
    *why = sentence;
    return false;
}

bool cc_desc_u32(struct cc_desc_span text, uint32_t *out)
{
    uint64_t v = 0;

    if (text.n > 1 && text.p[0] == '+')
        text = (struct cc_desc_span){text.p + 1, text.n - 1};
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(text.p[i] - '0');
        if (v > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)v;
    return text.n > 0;
}

/* The text up to sep or the end, taken off rest; *more: sep was there. */
static struct cc_desc_span cut(struct cc_desc_span *rest, char sep, bool *more)
{
    const char *end = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    struct cc_desc_span head = *rest;

    *more = end != NULL;
    if (end) {
        head.n = (size_t)(end - rest->p);
        rest->n -= head.n + 1;
        rest->p = end + 1;
    } else {
        *rest = (struct cc_desc_span){NULL, 0};
    }
    return head;
}

/* --- Paths ------------------------------------------------------------- */

static bool add_step(struct cc_desc_path *path, struct cc_desc_span s,
                     bool *apostrophe, char **why)
{
    bool hardened = s.n && (s.p[s.n - 1] == '\'' || s.p[s.n - 1] == 'h');
    uint32_t v;

    if (hardened)
        *apostrophe = s.p[--s.n] == '\'';
    if (!cc_desc_u32(s, &v))
        return fail(why,
                    cc_asprintf("Key path value '%.*s' is not a valid uint32",
                                (int)s.n, s.p));
    if (v >= CC_BIP32_HARDENED)
        return fail(
            why, cc_asprintf("Key path value %" PRIu32 " is out of range", v));
    path->steps =
        cc_reallocarray(path->steps, path->count + 1, sizeof(*path->steps));
    path->steps[path->count++] = v | (hardened ? CC_BIP32_HARDENED : 0);
    return true;
}

static bool add_path(struct cc_desc_path *path, struct cc_desc_span rest,
                     bool more, bool *apostrophe, char **why)
{
    while (more)
        if (!add_step(path, cut(&rest, '/', &more), apostrophe, why))
            return false;
    return true;
}

static void put_path(struct cc_writer *w, const uint32_t *steps, size_t count,
                     bool apostrophe)
{
    for (size_t i = 0; i < count; i++)
        cc_desc_put(w, "/%" PRIu32 "%s", steps[i] & ~CC_BIP32_HARDENED,
                    !(steps[i] & CC_BIP32_HARDENED) ? ""
                    : apostrophe                    ? "'"
                                                    : "h");
}

/* --- Reading ----------------------------------------------------------- */

static bool parse_hex_key(struct cc_desc_key *k, const char *text, bool plain,
                          enum cc_desc_place place, char **why)
{
    size_t len;
    uint8_t *data = cc_hex_decode_dup(text, &len);
    uint8_t first = data && len ? data[0] : 0;
    size_t want = first == 2 || first == 3                 ? 33
                  : first == 4 || first == 6 || first == 7 ? 65
                                                           : 0;
    bool hybrid = len == want && (first == 6 || first == 7), ok = false;

    if (len == want && !hybrid && cc_ec_pubkey_valid(data, len)) {
        memcpy(k->pub, data, len);
        k->pub_len = len;
        ok = plain || len == 33;
        if (!ok)
            fail(why, cc_strdup("Uncompressed keys are not allowed"));
    } else if (len == 32 && place == CC_DESC_IN_TR && cc_ec_xonly_valid(data)) {
        k->pub[0] = 2;
        memcpy(k->pub + 1, data, 32);
        k->pub_len = 33;
        k->xonly = ok = true;
    } else if (hybrid) {
        fail(why, cc_strdup("Hybrid public keys are not allowed"));
    } else {
        fail(why, cc_asprintf("Pubkey '%s' is invalid", text));
    }
    free(data);
    return ok;
}

static bool parse_wif(struct cc_desc_key *k, const uint8_t secret[32],
                      bool compressed, bool plain, enum cc_desc_place place,
                      const struct cc_descriptor *d, char **why)
{
    uint8_t pub[33];

    if (!plain && !compressed)
        return fail(why, cc_strdup("Uncompressed keys are not allowed"));
    if (!cc_ec_pubkey(d->ec, pub, secret))
        return fail(why, cc_strdup("Uncompressed keys are not allowed"));
    k->has_secret = true;
    k->xonly = place == CC_DESC_IN_TR;
    k->pub_len = compressed ? 33 : 65;
    if (compressed)
        memcpy(k->pub, pub, 33);
    else
        return cc_ec_pubkey_uncompress(k->pub, pub, 33);
    return true;
}

/* Which mark of hardening a final step has; it is read before the others. */
static void look_at_end(struct cc_desc_span s, bool *apostrophe)
{
    if (s.n >= 2 && s.p[s.n - 2] == '*' && (s.n == 2 || s.p[s.n - 3] == '/'))
        *apostrophe = s.p[s.n - 1] == '\'';
}

static bool parse_tree_key(struct cc_desc_key *k, const char *text,
                           struct cc_desc_span rest, bool more,
                           bool *apostrophe, const struct cc_descriptor *d,
                           char **why)
{
    if (!cc_bip32_decode(&k->root, d->ec, text, &d->params->prefixes))
        return fail(why, cc_asprintf("key '%s' is not valid", text));
    k->has_secret = k->root.is_private;
    look_at_end(rest, apostrophe);
    while (more) {
        struct cc_desc_span step = cut(&rest, '/', &more);

        if (!more && step.n && step.p[0] == '*' &&
            (step.n == 1 ||
             (step.n == 2 && (step.p[1] == '\'' || step.p[1] == 'h')))) {
            k->range = step.n == 1 ? CC_DESC_PLAIN : CC_DESC_HARDENED;
        } else if (!add_step(&k->path, step, apostrophe, why)) {
            return false;
        }
    }
    k->has_base =
        cc_bip32_path(&k->base, d->ec, &k->root, k->path.steps, k->path.count);
    return true;
}

/* What stands behind the origin. */
static bool parse_inner(struct cc_desc_key *k, struct cc_desc_span rest,
                        enum cc_desc_place place, bool *apostrophe,
                        const struct cc_descriptor *d, char **why)
{
    bool plain = place == CC_DESC_TOP || place == CC_DESC_IN_SH, more, ok;
    struct cc_desc_span head = cut(&rest, '/', &more);
    uint8_t secret[32];
    bool compressed;
    char *text;

    if (!head.n)
        return fail(why, cc_strdup("No key provided"));
    text = cc_asprintf("%.*s", (int)head.n, head.p);
    if (!more && cc_hex_valid(text)) {
        ok = parse_hex_key(k, text, plain, place, why);
    } else if (!more &&
               cc_wif_decode(secret, &compressed, text, &d->params->prefixes)) {
        ok = parse_wif(k, secret, compressed, plain, place, d, why);
        cc_cleanse(secret, sizeof(secret));
    } else {
        ok = parse_tree_key(k, text, rest, more, apostrophe, d, why);
    }
    cc_cleanse(text, head.n);
    free(text);
    return ok;
}

static bool parse_origin(struct cc_desc_key *k, struct cc_desc_span s,
                         bool *apostrophe, char **why)
{
    struct cc_desc_span head;
    char hex[9];
    bool more;

    if (!s.n || s.p[0] != '[')
        return fail(why, cc_asprintf("Key origin start '[ character expected "
                                     "but not found, got '%c' instead",
                                     s.n ? s.p[0] : ']'));
    s.p++;
    s.n--;
    head = cut(&s, '/', &more);
    if (head.n != 8)
        return fail(why, cc_asprintf("Fingerprint is not 4 bytes (%zu "
                                     "characters instead of 8 characters)",
                                     head.n));
    memcpy(hex, head.p, 8);
    hex[8] = '\0';
    if (!cc_hex_decode(k->origin, 4, hex))
        return fail(why, cc_asprintf("Fingerprint '%s' is not hex", hex));
    k->has_origin = true;
    return add_path(&k->origin_path, s, more, apostrophe, why);
}

/* One more key, zeroed; what moves leaves no secret behind. */
static struct cc_desc_key *add_key(struct cc_desc_node *n)
{
    struct cc_desc_key *old = n->keys;

    if (n->key_count == n->key_cap) {
        n->key_cap = n->key_cap ? 2 * n->key_cap : 1;
        n->keys = cc_calloc(n->key_cap, sizeof(*n->keys));
        if (old) {
            memcpy(n->keys, old, n->key_count * sizeof(*old));
            cc_cleanse(old, n->key_count * sizeof(*old));
        }
        free(old);
    }
    return &n->keys[n->key_count++];
}

bool cc_desc_key_parse(struct cc_desc_node *n, struct cc_desc_span text,
                       enum cc_desc_place place, const struct cc_descriptor *d,
                       char **why)
{
    struct cc_desc_span rest = text, origin;
    struct cc_desc_key *k;
    bool more, apostrophe = false, again;

    k = add_key(n);
    origin = cut(&rest, ']', &more);
    if (more) {
        struct cc_desc_span behind = rest;

        cut(&behind, ']', &again);
        if (again)
            return fail(why, cc_strdup("Multiple ']' characters found for a "
                                       "single pubkey"));
        if (!parse_origin(k, origin, &apostrophe, why))
            return false;
    } else {
        rest = text;
    }
    if (!parse_inner(k, rest, place, &apostrophe, d, why))
        return false;
    k->apostrophe = k->origin_apostrophe = apostrophe;
    return true;
}

void cc_desc_key_clear(struct cc_desc_key *k)
{
    free(k->origin_path.steps);
    free(k->path.steps);
    cc_cleanse(k, sizeof(*k));
}

/* --- Deriving ---------------------------------------------------------- */

bool cc_desc_key_point(const struct cc_desc_key *k, const struct cc_ec *ec,
                       uint32_t index, struct cc_desc_point *out)
{
    struct cc_bip32 child = k->base;
    bool ok = true;

    out->key = k;
    if (k->pub_len) {
        memcpy(out->pub, k->pub, k->pub_len);
        out->len = k->pub_len;
        return true;
    }
    if (!k->has_base)
        return false;
    if (k->range != CC_DESC_ONE)
        ok = cc_bip32_child(
            &child, ec, &k->base,
            index | (k->range == CC_DESC_HARDENED ? CC_BIP32_HARDENED : 0));
    memcpy(out->pub, child.pubkey, 33);
    out->len = 33;
    cc_cleanse(&child, sizeof(child));
    return ok;
}

/* --- Showing ----------------------------------------------------------- */

void cc_desc_key_put(struct cc_writer *w, const struct cc_desc_key *k,
                     const struct cc_params *p)
{
    struct cc_bip32 root = k->root;
    char text[CC_BIP32_TEXT_MAX];

    if (k->has_origin) {
        cc_desc_put(w, "[");
        cc_desc_put_hex(w, k->origin, 4);
        put_path(w, k->origin_path.steps, k->origin_path.count,
                 k->origin_apostrophe);
        cc_desc_put(w, "]");
    }
    if (k->pub_len) {
        cc_desc_put_hex(w, k->pub + k->xonly, k->pub_len - k->xonly);
        return;
    }
    cc_bip32_neuter(&root);
    cc_bip32_encode(text, &root, &p->prefixes);
    cc_desc_put(w, "%s", text);
    put_path(w, k->path.steps, k->path.count, k->apostrophe);
    if (k->range != CC_DESC_ONE)
        cc_desc_put(w, "/*%s",
                    k->range == CC_DESC_PLAIN ? ""
                    : k->apostrophe           ? "'"
                                              : "h");
}

void cc_desc_point_put(struct cc_writer *w, const struct cc_desc_point *point,
                       bool xonly, uint32_t index)
{
    const struct cc_desc_key *k = point->key;
    uint8_t id[20];

    if (k->pub_len)
        cc_hash160(id, k->pub, k->pub_len);
    else
        cc_hash160(id, k->root.pubkey, 33);
    cc_desc_put(w, "[");
    cc_desc_put_hex(w, k->has_origin ? k->origin : id, 4);
    put_path(w, k->origin_path.steps, k->origin_path.count, false);
    put_path(w, k->path.steps, k->path.count, false);
    if (k->range != CC_DESC_ONE) {
        index |= k->range == CC_DESC_HARDENED ? CC_BIP32_HARDENED : 0;
        put_path(w, &index, 1, false);
    }
    cc_desc_put(w, "]");
    cc_desc_put_hex(w, point->pub + xonly, point->len - xonly);
}
