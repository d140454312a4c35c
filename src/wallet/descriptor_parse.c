/*
 * Reading a descriptor.
 *
 * Every function is looked for in the order Core looks, so that of two
 * faults the same one is told. Nesting is bounded by what may stand where:
 * four functions deep, trees of 128 levels without recursion.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "consensus/script.h"
#include "crypto/address.h"
#include "util/hex.h"
#include "util/mem.h"
#include "wallet/descriptor_i.h"

struct parser {
    const struct cc_descriptor *d;
    char **why;
};

static struct cc_desc_node *fail(struct parser *p, char *sentence)
{
    free(*p->why);
    *p->why = sentence;
    return NULL;
}

/* --- Pieces ------------------------------------------------------------ */

/* "name(...)": *s becomes what is between. */
static bool function(struct cc_desc_span *s, const char *name)
{
    size_t n = strlen(name);

    if (s->n < n + 2 || s->p[n] != '(' || s->p[s->n - 1] != ')' ||
        memcmp(s->p, name, n) != 0)
        return false;
    s->p += n + 1;
    s->n -= n + 2;
    return true;
}

static bool skip(struct cc_desc_span *s, char c)
{
    if (!s->n || *s->p != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

/* The text up to a comma or a bracket that closes more than it opened. */
static struct cc_desc_span expression(struct cc_desc_span *s)
{
    struct cc_desc_span head = {s->p, 0};
    size_t level = 0;

    for (; head.n < s->n; head.n++) {
        char c = s->p[head.n];

        if (c == '(' || c == '{')
            level++;
        else if (level && (c == ')' || c == '}'))
            level--;
        else if (!level && (c == ')' || c == '}' || c == ','))
            break;
    }
    s->p += head.n;
    s->n -= head.n;
    return head;
}

static char *text_of(struct cc_desc_span s)
{
    return cc_asprintf("%.*s", (int)s.n, s.p);
}

static struct cc_desc_node *node_new(enum cc_desc_kind kind)
{
    struct cc_desc_node *n = cc_calloc(1, sizeof(*n));

    n->kind = kind;
    return n;
}

static void node_free(struct cc_desc_node *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->key_count; i++)
        cc_desc_key_clear(&n->keys[i]);
    for (size_t i = 0; i < n->sub_count; i++)
        node_free(n->subs[i]);
    free(n->keys);
    free(n->subs);
    free(n->depths);
    free((void *)n->script.data);
    free(n);
}

static void add_sub(struct cc_desc_node *n, struct cc_desc_node *sub,
                    size_t depth)
{
    n->subs = cc_grow(n->subs, &n->sub_cap, n->sub_count + 1, sizeof(*n->subs));
    n->depths = cc_grow(n->depths, &n->depth_cap, n->sub_count + 1, 1);
    n->depths[n->sub_count] = (uint8_t)depth;
    n->subs[n->sub_count++] = sub;
}

/* --- Functions of keys ------------------------------------------------- */

static bool add_key(struct parser *p, struct cc_desc_node *n,
                    struct cc_desc_span s, enum cc_desc_place place,
                    const char *prefix)
{
    char *inner = NULL;

    if (cc_desc_key_parse(n, s, place, p->d, &inner))
        return true;
    fail(p, cc_asprintf("%s: %s", prefix, inner));
    free(inner);
    return false;
}

/* One key and nothing else. */
static struct cc_desc_node *parse_key(struct parser *p, struct cc_desc_span s,
                                      enum cc_desc_kind kind,
                                      enum cc_desc_place place,
                                      const char *prefix)
{
    struct cc_desc_node *n = node_new(kind);

    n->xonly = place == CC_DESC_IN_TR;
    if (add_key(p, n, s, place, prefix))
        return n;
    node_free(n);
    return NULL;
}

static bool check_multi(struct parser *p, const struct cc_desc_node *n,
                        enum cc_desc_place place, size_t script_size)
{
    bool tree = n->kind == CC_DESC_MULTI_A;
    size_t max = tree ? CC_DESC_MULTI_A_MAX : CC_MAX_PUBKEYS_PER_MULTISIG;

    if (!n->key_count || n->key_count > max)
        fail(p, cc_asprintf("Cannot have %zu keys in %s; must have between 1 "
                            "and %zu keys, inclusive",
                            n->key_count, tree ? "multi_a" : "multisig", max));
    else if (n->threshold < 1)
        fail(p, cc_strdup("Multisig threshold cannot be 0, must be at least "
                          "1"));
    else if (n->threshold > n->key_count)
        fail(p, cc_asprintf("Multisig threshold cannot be larger than the "
                            "number of keys; threshold is %" PRIu32
                            " but only %zu keys specified",
                            n->threshold, n->key_count));
    else if (place == CC_DESC_TOP && n->key_count > 3)
        fail(p, cc_asprintf("Cannot have %zu pubkeys in bare multisig; only at "
                            "most 3 pubkeys",
                            n->key_count));
    else if (place == CC_DESC_IN_SH &&
             script_size + 3 > CC_MAX_SCRIPT_ELEMENT_SIZE)
        fail(p, cc_asprintf("P2SH script is too large, %zu bytes is larger "
                            "than %d bytes",
                            script_size + 3, CC_MAX_SCRIPT_ELEMENT_SIZE));
    else
        return true;
    return false;
}

static struct cc_desc_node *parse_multi(struct parser *p, struct cc_desc_span s,
                                        bool sorted, enum cc_desc_place place)
{
    struct cc_desc_node *n =
        node_new(place == CC_DESC_IN_TR ? CC_DESC_MULTI_A : CC_DESC_MULTI);
    struct cc_desc_span threshold = expression(&s);
    size_t size = 0;

    n->sorted = sorted;
    n->xonly = place == CC_DESC_IN_TR;
    if (!cc_desc_u32(threshold, &n->threshold)) {
        fail(p, cc_asprintf("Multi threshold '%.*s' is not valid",
                            (int)threshold.n, threshold.p));
        goto bad;
    }
    while (s.n) {
        if (!skip(&s, ',')) {
            fail(p, cc_asprintf("Multi: expected ',', got '%c'", *s.p));
            goto bad;
        }
        if (!add_key(p, n, expression(&s), place, "Multi"))
            goto bad;
        size += n->keys[n->key_count - 1].pub_len == 65 ? 66 : 34;
    }
    if (check_multi(p, n, place, size))
        return n;
bad:
    node_free(n);
    return NULL;
}

/* --- Functions of functions -------------------------------------------- */

static struct cc_desc_node *parse_script(struct parser *p,
                                         struct cc_desc_span *s,
                                         enum cc_desc_place place);

static struct cc_desc_node *parse_wrapped(struct parser *p,
                                          struct cc_desc_span s,
                                          enum cc_desc_kind kind,
                                          enum cc_desc_place place)
{
    struct cc_desc_node *sub = parse_script(p, &s, place), *n;

    if (!sub)
        return NULL;
    if (s.n) {
        node_free(sub);
        return fail(p, cc_strdup(""));
    }
    n = node_new(kind);
    add_sub(n, sub, 0);
    return n;
}

/* The tree behind the comma; right[i]: below i we are in a right branch. */
static bool parse_tree(struct parser *p, struct cc_desc_node *n,
                       struct cc_desc_span s)
{
    bool right[CC_DESC_TREE_DEPTH];
    size_t depth = 0;

    do {
        struct cc_desc_span arg;
        struct cc_desc_node *leaf;

        while (skip(&s, '{')) {
            if (depth == CC_DESC_TREE_DEPTH) {
                fail(p, cc_asprintf("tr() supports at most %d nesting levels",
                                    CC_DESC_TREE_DEPTH));
                return false;
            }
            right[depth++] = false;
        }
        arg = expression(&s);
        leaf = parse_script(p, &arg, CC_DESC_IN_TR);
        if (!leaf)
            return false;
        add_sub(n, leaf, depth);
        for (; depth && right[depth - 1]; depth--)
            if (!skip(&s, '}')) {
                fail(p, cc_strdup("tr(): expected '}' after script "
                                  "expression"));
                return false;
            }
        if (depth && !skip(&s, ',')) {
            fail(p, cc_strdup("tr(): expected ',' after script expression"));
            return false;
        }
        if (depth)
            right[depth - 1] = true;
    } while (depth);
    if (s.n)
        fail(p, cc_strdup("tr(): expected ')' after script expression"));
    return !s.n;
}

static struct cc_desc_node *parse_tr(struct parser *p, struct cc_desc_span s)
{
    struct cc_desc_node *n = node_new(CC_DESC_TR);

    n->xonly = true;
    if (!add_key(p, n, expression(&s), CC_DESC_IN_TR, "tr()"))
        goto bad;
    if (!s.n)
        return n;
    if (!skip(&s, ',')) {
        fail(p, cc_asprintf("tr: expected ',', got '%c'", *s.p));
        goto bad;
    }
    if (parse_tree(p, n, s))
        return n;
bad:
    node_free(n);
    return NULL;
}

static struct cc_desc_node *parse_rawtr(struct parser *p, struct cc_desc_span s)
{
    struct cc_desc_span key = expression(&s);

    if (s.n)
        return fail(p, cc_strdup("rawtr(): only one key expected."));
    return parse_key(p, key, CC_DESC_RAWTR, CC_DESC_IN_TR, "rawtr()");
}

/* --- Scripts as such --------------------------------------------------- */

static struct cc_desc_node *parse_addr(struct parser *p, struct cc_desc_span s)
{
    uint8_t script[CC_ADDRESS_SCRIPT_MAX];
    char *text = text_of(s);
    struct cc_desc_node *n;
    size_t len;
    bool ok =
        cc_address_decode(script, &len, text, &p->d->params->prefixes, NULL);

    free(text);
    if (!ok)
        return fail(p, cc_strdup("Address is not valid"));
    n = node_new(CC_DESC_ADDR);
    n->script = cc_bytes(cc_memdup(script, len), len);
    return n;
}

static struct cc_desc_node *parse_raw(struct parser *p, struct cc_desc_span s)
{
    char *text = text_of(s);
    struct cc_desc_node *n;
    size_t len;
    uint8_t *data = s.n ? cc_hex_decode_dup(text, &len) : NULL;

    free(text);
    if (!data)
        return fail(p, cc_strdup("Raw script is not hex"));
    n = node_new(CC_DESC_RAW);
    n->script = cc_bytes(data, len);
    return n;
}

/* --- All functions ----------------------------------------------------- */

static struct cc_desc_node *parse_any_multi(struct parser *p,
                                            struct cc_desc_span e,
                                            enum cc_desc_place place,
                                            bool *known)
{
    bool sorted = false, tree = false;

    *known = true;
    if (function(&e, "multi")) {
        ;
    } else if (function(&e, "sortedmulti")) {
        sorted = true;
    } else if (function(&e, "multi_a")) {
        tree = true;
    } else if (function(&e, "sortedmulti_a")) {
        sorted = tree = true;
    } else {
        *known = false;
        return NULL;
    }
    if (tree == (place == CC_DESC_IN_TR))
        return parse_multi(p, e, sorted, place);
    return fail(p, cc_strdup(tree ? "Can only have multi_a/sortedmulti_a "
                                    "inside tr()"
                                  : "Can only have multi/sortedmulti at top "
                                    "level, in sh(), or in wsh()"));
}

/* Those that wrap, and those that stand alone. */
static struct cc_desc_node *parse_outer(struct parser *p, struct cc_desc_span e,
                                        enum cc_desc_place place)
{
    bool top = place == CC_DESC_TOP, outer = top || place == CC_DESC_IN_SH;
    struct cc_desc_span whole = e;
    const char *wrong = NULL;

    if (function(&e, "wpkh")) {
        if (outer)
            return parse_key(p, e, CC_DESC_WPKH, CC_DESC_IN_WPKH, "wpkh()");
        wrong = "Can only have wpkh() at top level or inside sh()";
    } else if (function(&e, "sh")) {
        if (top)
            return parse_wrapped(p, e, CC_DESC_SH, CC_DESC_IN_SH);
        wrong = "Can only have sh() at top level";
    } else if (function(&e, "wsh")) {
        if (outer)
            return parse_wrapped(p, e, CC_DESC_WSH, CC_DESC_IN_WSH);
        wrong = "Can only have wsh() at top level or inside sh()";
    } else if (function(&e, "addr")) {
        if (top)
            return parse_addr(p, e);
        wrong = "Can only have addr() at top level";
    } else if (function(&e, "tr")) {
        if (top)
            return parse_tr(p, e);
        wrong = "Can only have tr at top level";
    } else if (function(&e, "rawtr")) {
        if (top)
            return parse_rawtr(p, e);
        wrong = "Can only have rawtr at top level";
    } else if (function(&e, "raw")) {
        if (top)
            return parse_raw(p, e);
        wrong = "Can only have raw() at top level";
    } else if (place == CC_DESC_IN_SH || place == CC_DESC_IN_WSH) {
        wrong = place == CC_DESC_IN_SH ? "A function is needed within P2SH"
                                       : "A function is needed within P2WSH";
    }
    if (wrong)
        return fail(p, cc_strdup(wrong));
    return fail(p, cc_asprintf("'%.*s' is not a valid descriptor function",
                               (int)whole.n, whole.p));
}

static struct cc_desc_node *
parse_script(struct parser *p, struct cc_desc_span *s, enum cc_desc_place place)
{
    struct cc_desc_span e = expression(s);
    struct cc_desc_node *n;
    bool known;

    if (function(&e, "pk"))
        return parse_key(p, e, CC_DESC_PK, place, "pk()");
    if (place != CC_DESC_IN_TR && function(&e, "pkh"))
        return parse_key(p, e, CC_DESC_PKH, place, "pkh()");
    if (function(&e, "combo")) {
        if (place == CC_DESC_TOP)
            return parse_key(p, e, CC_DESC_COMBO, place, "combo()");
        return fail(p, cc_strdup("Can only have combo() at top level"));
    }
    n = parse_any_multi(p, e, place, &known);
    return known ? n : parse_outer(p, e, place);
}

/* --- The whole --------------------------------------------------------- */

/* The text without its checksum, for free; NULL: a fault. */
static char *check_sum(const char *text, bool needed, char **why)
{
    const char *hash = strchr(text, '#');
    char *body, sum[9];

    if (hash && strchr(hash + 1, '#')) {
        *why = cc_strdup("Multiple '#' symbols");
        return NULL;
    }
    if (!hash && needed) {
        *why = cc_strdup("Missing checksum");
        return NULL;
    }
    if (hash && strlen(hash + 1) != 8) {
        *why = cc_asprintf("Expected 8 character checksum, not %zu characters",
                           strlen(hash + 1));
        return NULL;
    }
    body =
        hash ? cc_asprintf("%.*s", (int)(hash - text), text) : cc_strdup(text);
    if (!cc_descriptor_checksum(body, sum))
        *why = cc_strdup("Invalid characters in payload");
    else if (hash && strcmp(sum, hash + 1) != 0)
        *why = cc_asprintf("Provided checksum '%s' does not match computed "
                           "checksum '%s'",
                           hash + 1, sum);
    else
        return body;
    cc_cleanse(body, strlen(body));
    free(body);
    return NULL;
}

struct cc_descriptor *cc_descriptor_parse(const char *text, bool need_checksum,
                                          const struct cc_params *p,
                                          const struct cc_ec *ec, char **why)
{
    struct cc_descriptor *d;
    struct parser parser;
    struct cc_desc_span s;
    char *body;

    *why = NULL;
    body = check_sum(text, need_checksum, why);
    if (!body)
        return NULL;
    d = cc_calloc(1, sizeof(*d));
    d->params = p;
    d->ec = ec;
    parser = (struct parser){d, why};
    s = (struct cc_desc_span){body, strlen(body)};
    d->root = parse_script(&parser, &s, CC_DESC_TOP);
    if (d->root && s.n)
        fail(&parser, cc_strdup(""));
    cc_cleanse(body, strlen(body));
    free(body);
    if (!*why)
        return d;
    cc_descriptor_free(d);
    return NULL;
}

void cc_descriptor_free(struct cc_descriptor *d)
{
    if (!d)
        return;
    node_free(d->root);
    free(d);
}
