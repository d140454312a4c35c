/*
 * From script to Miniscript. A script is read from its end: the last operation
 * of each fragment tells which it is. Where two readings make the same script
 * (what a sequence begins with may belong to the sequence or to its first
 * fragment), the sequence has it.
 */
#include "wallet/miniscript.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/script.h"
#include "util/arena.h"
#include "util/mem.h"
#include "wallet/descriptor_i.h"
#include "wallet/miniscript_i.h"

#define SCRIPT_MAX 3600 /* what of P2WSH is standard, so its stack */
#define ITEMS_MAX 100

struct token {
    uint8_t op;
    struct cc_bytes data;
    bool is_number;
    int64_t number;
};

struct parser {
    struct cc_arena arena;
    struct token *tokens;
    size_t count; /* that are not read yet */
};

/* --- Tokens ------------------------------------------------------------ */

/* An operation that is another and VERIFY in one. */
static uint8_t without_verify(uint8_t op)
{
    switch (op) {
    case CC_OP_EQUALVERIFY:
        return CC_OP_EQUAL;
    case CC_OP_CHECKSIGVERIFY:
        return CC_OP_CHECKSIG;
    case CC_OP_CHECKMULTISIGVERIFY:
        return CC_OP_CHECKMULTISIG;
    default:
        return op;
    }
}

static bool has_verify_form(uint8_t op)
{
    return op == CC_OP_EQUAL || op == CC_OP_CHECKSIG ||
           op == CC_OP_CHECKMULTISIG || op == CC_OP_NUMEQUAL;
}

/* All of the script; false: it is not written as Miniscript is. *ops: how many
 * of its operations count. */
static bool read_tokens(struct parser *p, struct cc_bytes script, int *ops)
{
    struct cc_bytes push;
    uint8_t op, last = CC_OP_NOP;
    size_t pos = 0;

    p->tokens =
        cc_arena_calloc(&p->arena, 2 * script.len + 1, sizeof(*p->tokens));
    for (*ops = 0; cc_script_next(script, &pos, &op, &push); last = op) {
        struct token *t = &p->tokens[p->count++];

        *ops += op > CC_OP_16;
        if (op <= CC_OP_PUSHDATA4 && !cc_script_push_is_minimal(op, push))
            return false;
        if (op == CC_OP_VERIFY && has_verify_form(last))
            return false; /* there is one operation for both */
        t->op = without_verify(op);
        t->data = push;
        if (op >= CC_OP_1 && op <= CC_OP_16) {
            t->is_number = true;
            t->number = op - CC_OP_1 + 1;
        } else if (op <= CC_OP_PUSHDATA4) {
            t->is_number = cc_script_num(&t->number, push, true, 4);
        }
        if (t->op != op)
            p->tokens[p->count++].op = CC_OP_VERIFY;
    }
    return pos == script.len;
}

/* The token that is `back` before the last that is not read. */
static const struct token *peek(const struct parser *p, size_t back)
{
    return back < p->count ? &p->tokens[p->count - 1 - back] : NULL;
}

static bool is_op(const struct parser *p, size_t back, uint8_t op)
{
    const struct token *t = peek(p, back);

    return t && t->op == op;
}

static bool take(struct parser *p, uint8_t op)
{
    bool ok = is_op(p, 0, op);

    p->count -= ok;
    return ok;
}

static bool take_number(struct parser *p, int64_t low, int64_t high,
                        uint32_t *out)
{
    const struct token *t = peek(p, 0);

    if (!t || !t->is_number || t->number < low || t->number > high)
        return false;
    *out = (uint32_t)t->number;
    p->count--;
    return true;
}

/* --- Fragments --------------------------------------------------------- */

static struct cc_ms_node *sequence(struct parser *p);
static struct cc_ms_node *single(struct parser *p);

static struct cc_ms_node *new_node(struct parser *p, enum cc_ms_kind kind)
{
    struct cc_ms_node *n = cc_arena_calloc(&p->arena, 1, sizeof(*n));

    n->kind = kind;
    return n;
}

static struct cc_ms_node *judged(struct cc_ms_node *n)
{
    return cc_ms_judge(n) ? n : NULL;
}

/* Of up to three, the first missing ones NULL: so is the whole. */
static struct cc_ms_node *make(struct parser *p, enum cc_ms_kind kind,
                               size_t count, struct cc_ms_node *x,
                               struct cc_ms_node *y, struct cc_ms_node *z)
{
    struct cc_ms_node *n, *subs[] = {x, y, z};

    for (size_t i = 0; i < count; i++)
        if (!subs[i])
            return NULL;
    n = new_node(p, kind);
    n->subs = cc_arena_dup(&p->arena, subs, count * sizeof(*subs));
    n->sub_count = count;
    return judged(n);
}

static bool take_key(struct parser *p, struct cc_bytes *out)
{
    const struct token *t = peek(p, 0);

    if (!t || t->data.len != 33 || (t->data.data[0] & 0xfe) != 2)
        return false;
    *out = t->data;
    p->count--;
    return true;
}

static struct cc_ms_node *key(struct parser *p)
{
    struct cc_ms_node *n = new_node(p, CC_MS_PK_K);

    n->keys = cc_arena_calloc(&p->arena, 1, sizeof(*n->keys));
    n->key_count = 1;
    return take_key(p, &n->keys[0]) ? judged(n) : NULL;
}

/* CHECKMULTISIG is read. */
static struct cc_ms_node *multi(struct parser *p)
{
    struct cc_ms_node *n = new_node(p, CC_MS_MULTI);
    uint32_t count;

    if (!take_number(p, 1, CC_MAX_PUBKEYS_PER_MULTISIG, &count))
        return NULL;
    n->keys = cc_arena_calloc(&p->arena, count, sizeof(*n->keys));
    n->key_count = count;
    while (count)
        if (!take_key(p, &n->keys[--count]))
            return NULL;
    return take_number(p, 1, (int64_t)n->key_count, &n->number) ? judged(n)
                                                                : NULL;
}

static struct cc_ms_node *timelock(struct parser *p, enum cc_ms_kind kind)
{
    struct cc_ms_node *n = new_node(p, kind);

    return take_number(p, 1, INT32_MAX, &n->number) ? judged(n) : NULL;
}

/* SIZE <32> EQUALVERIFY SHA256 <hash>; EQUAL is read. */
static struct cc_ms_node *hash(struct parser *p)
{
    static const struct {
        uint8_t op;
        size_t len;
        enum cc_ms_kind kind;
    } rows[] = {{CC_OP_SHA256, 32, CC_MS_SHA256},
                {CC_OP_HASH256, 32, CC_MS_HASH256},
                {CC_OP_RIPEMD160, 20, CC_MS_RIPEMD160},
                {CC_OP_HASH160, 20, CC_MS_HASH160}};
    const struct token *value = peek(p, 0), *kind = peek(p, 1);
    struct cc_ms_node *n = NULL;
    uint32_t size;

    for (size_t i = 0; kind && i < 4; i++)
        if (kind->op == rows[i].op && value->data.len == rows[i].len)
            n = new_node(p, rows[i].kind);
    if (!n)
        return NULL;
    n->hash = value->data;
    p->count -= 2;
    if (!take(p, CC_OP_VERIFY) || !take(p, CC_OP_EQUAL) ||
        !take_number(p, 32, 32, &size) || !take(p, CC_OP_SIZE))
        return NULL;
    return judged(n);
}

/* One that works below the top of the stack: a: or s:. */
static struct cc_ms_node *wrapped(struct parser *p)
{
    bool aside = take(p, CC_OP_FROMALTSTACK);
    struct cc_ms_node *x = sequence(p);

    if (!take(p, aside ? CC_OP_TOALTSTACK : CC_OP_SWAP))
        return NULL;
    return make(p, aside ? CC_MS_A : CC_MS_S, 1, x, NULL, NULL);
}

/* [X1] [W2] ADD .. <k>; EQUAL is read. */
static struct cc_ms_node *thresh(struct parser *p)
{
    struct cc_ms_node *n = new_node(p, CC_MS_THRESH), *sub;
    size_t cap = 0;

    if (!take_number(p, 1, SCRIPT_MAX, &n->number))
        return NULL;
    do {
        struct cc_ms_node **subs = n->subs;
        bool more = take(p, CC_OP_ADD);

        sub = more ? wrapped(p) : single(p);
        if (!sub)
            return NULL;
        if (n->sub_count == cap) {
            cap = 2 * cap + 4;
            n->subs = cc_arena_calloc(&p->arena, cap, sizeof(*subs));
            if (n->sub_count)
                memcpy(n->subs, subs, n->sub_count * sizeof(*subs));
        }
        n->subs[n->sub_count++] = sub;
        if (!more)
            break;
    } while (true);
    for (size_t i = 0; i < n->sub_count / 2; i++) { /* read from the last */
        sub = n->subs[i];
        n->subs[i] = n->subs[n->sub_count - 1 - i];
        n->subs[n->sub_count - 1 - i] = sub;
    }
    return n->number <= n->sub_count ? judged(n) : NULL;
}

/* What ends with ENDIF, which is read. */
static struct cc_ms_node *branches(struct parser *p)
{
    struct cc_ms_node *last = sequence(p), *first;

    if (!last)
        return NULL;
    if (take(p, CC_OP_ELSE)) {
        first = sequence(p);
        if (take(p, CC_OP_IF))
            return make(p, CC_MS_OR_I, 2, first, last, NULL);
        if (!take(p, CC_OP_NOTIF))
            return NULL;
        return make(p, CC_MS_ANDOR, 3, single(p), last, first);
    }
    if (take(p, CC_OP_NOTIF)) {
        bool keep = take(p, CC_OP_IFDUP);

        return make(p, keep ? CC_MS_OR_D : CC_MS_OR_C, 2, single(p), last,
                    NULL);
    }
    if (!take(p, CC_OP_IF))
        return NULL;
    if (take(p, CC_OP_DUP))
        return make(p, CC_MS_D, 1, last, NULL, NULL);
    if (take(p, CC_OP_0NOTEQUAL) && take(p, CC_OP_SIZE))
        return make(p, CC_MS_J, 1, last, NULL, NULL);
    return NULL;
}

static struct cc_ms_node *single(struct parser *p)
{
    struct cc_ms_node *y;
    const struct token *t = peek(p, 0);

    if (!t)
        return NULL;
    if (t->data.len)
        return key(p);
    p->count--;
    switch (t->op) {
    case CC_OP_0:
        return judged(new_node(p, CC_MS_0));
    case CC_OP_1:
        return judged(new_node(p, CC_MS_1));
    case CC_OP_CHECKSEQUENCEVERIFY:
        return timelock(p, CC_MS_OLDER);
    case CC_OP_CHECKLOCKTIMEVERIFY:
        return timelock(p, CC_MS_AFTER);
    case CC_OP_EQUAL:
        t = peek(p, 0);
        return t && t->is_number ? thresh(p) : hash(p);
    case CC_OP_CHECKMULTISIG:
        return multi(p);
    case CC_OP_CHECKSIG:
        return make(p, CC_MS_C, 1, single(p), NULL, NULL);
    case CC_OP_VERIFY:
        return make(p, CC_MS_V, 1, single(p), NULL, NULL);
    case CC_OP_0NOTEQUAL:
        return make(p, CC_MS_N, 1, single(p), NULL, NULL);
    case CC_OP_BOOLAND:
    case CC_OP_BOOLOR:
        y = wrapped(p);
        if (!y)
            return NULL;
        return make(p, t->op == CC_OP_BOOLAND ? CC_MS_AND_B : CC_MS_OR_B, 2,
                    single(p), y, NULL);
    case CC_OP_ENDIF:
        return branches(p);
    default:
        return NULL;
    }
}

/* One fragment, or several that must hold one after the other. */
static struct cc_ms_node *sequence(struct parser *p)
{
    static const uint8_t before[] = {CC_OP_IF, CC_OP_NOTIF, CC_OP_ELSE,
                                     CC_OP_TOALTSTACK, CC_OP_SWAP};
    struct cc_ms_node *n = single(p);

    if (!n || !p->count)
        return n;
    for (size_t i = 0; i < sizeof(before); i++)
        if (is_op(p, 0, before[i]))
            return n;
    return make(p, CC_MS_AND_V, 2, sequence(p), n, NULL);
}

/* --- Text -------------------------------------------------------------- */

static void put(struct cc_writer *w, const struct cc_ms_node *n, bool wrapper);

static void put_subs(struct cc_writer *w, const struct cc_ms_node *n,
                     const char *name, size_t count)
{
    cc_desc_put(w, "%s(", name);
    if (n->kind == CC_MS_THRESH)
        cc_desc_put(w, "%u,", n->number);
    for (size_t i = 0; i < count; i++) {
        cc_desc_put(w, "%s", i ? "," : "");
        put(w, n->subs[i], false);
    }
    cc_desc_put(w, ")");
}

static void put_bytes(struct cc_writer *w, const char *before,
                      struct cc_bytes b, const char *after)
{
    cc_desc_put(w, "%s", before);
    cc_desc_put_hex(w, b.data, b.len);
    cc_desc_put(w, "%s", after);
}

static void put_fragment(struct cc_writer *w, const struct cc_ms_node *n)
{
    static const char *const names[] = {[CC_MS_SHA256] = "sha256(",
                                        [CC_MS_HASH256] = "hash256(",
                                        [CC_MS_RIPEMD160] = "ripemd160(",
                                        [CC_MS_HASH160] = "hash160(",
                                        [CC_MS_AND_V] = "and_v",
                                        [CC_MS_AND_B] = "and_b",
                                        [CC_MS_OR_B] = "or_b",
                                        [CC_MS_OR_C] = "or_c",
                                        [CC_MS_OR_D] = "or_d",
                                        [CC_MS_OR_I] = "or_i",
                                        [CC_MS_THRESH] = "thresh",
                                        [CC_MS_ANDOR] = "andor"};

    switch (n->kind) {
    case CC_MS_0:
    case CC_MS_1:
        cc_desc_put(w, n->kind == CC_MS_0 ? "0" : "1");
        break;
    case CC_MS_PK_K:
        put_bytes(w, "pk_k(", n->keys[0], ")");
        break;
    case CC_MS_C: /* of a key: any other is shown as a wrapper */
        put_bytes(w, "pk(", n->subs[0]->keys[0], ")");
        break;
    case CC_MS_OLDER:
    case CC_MS_AFTER:
        cc_desc_put(w, "%s(%u)", n->kind == CC_MS_OLDER ? "older" : "after",
                    n->number);
        break;
    case CC_MS_MULTI:
        cc_desc_put(w, "multi(%u", n->number);
        for (size_t i = 0; i < n->key_count; i++)
            put_bytes(w, ",", n->keys[i], "");
        cc_desc_put(w, ")");
        break;
    case CC_MS_ANDOR:
        if (n->subs[2]->kind == CC_MS_0)
            put_subs(w, n, "and_n", 2);
        else
            put_subs(w, n, names[n->kind], 3);
        break;
    default:
        if (n->sub_count)
            put_subs(w, n, names[n->kind], n->sub_count);
        else
            put_bytes(w, names[n->kind], n->hash, ")");
    }
}

/* The letter it is as a wrapper, and of what; 0: it is none. */
static char wrapper_of(const struct cc_ms_node *n, const struct cc_ms_node **x)
{
    static const char letters[] = "ascdvjn";

    *x = n->sub_count ? n->subs[0] : NULL;
    if (n->kind == CC_MS_C && (*x)->kind == CC_MS_PK_K)
        return 0;
    if (n->kind >= CC_MS_A)
        return letters[n->kind - CC_MS_A];
    if (n->kind == CC_MS_AND_V && n->subs[1]->kind == CC_MS_1)
        return 't';
    if (n->kind == CC_MS_OR_I && n->subs[0]->kind == CC_MS_0) {
        *x = n->subs[1];
        return 'l';
    }
    return n->kind == CC_MS_OR_I && n->subs[1]->kind == CC_MS_0 ? 'u' : 0;
}

static void put(struct cc_writer *w, const struct cc_ms_node *n, bool wrapper)
{
    const struct cc_ms_node *x;
    char letter = wrapper_of(n, &x);

    if (letter) {
        cc_desc_put(w, "%c", letter);
        put(w, x, true);
        return;
    }
    cc_desc_put(w, "%s", wrapper ? ":" : "");
    put_fragment(w, n);
}

/* --- All of it --------------------------------------------------------- */

static size_t gather_keys(const struct cc_ms_node *n, struct cc_bytes *out)
{
    size_t count = n->key_count;

    if (count)
        memcpy(out, n->keys, count * sizeof(*out));
    for (size_t i = 0; i < n->sub_count; i++)
        count += gather_keys(n->subs[i], out + count);
    return count;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(((const struct cc_bytes *)a)->data,
                  ((const struct cc_bytes *)b)->data, 33);
}

static bool repeats_key(const struct cc_ms_node *n)
{
    struct cc_bytes keys[SCRIPT_MAX / 34 + 1]; /* each is pushed */
    size_t count = gather_keys(n, keys);

    if (count > 1)
        qsort(keys, count, sizeof(*keys), by_bytes);
    for (size_t i = 1; i < count; i++)
        if (!by_bytes(&keys[i - 1], &keys[i]))
            return true;
    return false;
}

static bool is_sane(const struct cc_ms_node *n, int ops)
{
    const unsigned needed = CC_MS_TYPE_B | CC_MS_s | CC_MS_m;

    return (n->type & needed) == needed && !(n->type & CC_MS_MIXED) &&
           ops + n->keyed.sat <= CC_MAX_SCRIPT_OPS &&
           n->items.sat <= ITEMS_MAX && !repeats_key(n);
}

bool cc_miniscript_infer(struct cc_writer *w, struct cc_bytes script)
{
    struct parser p = {.count = 0};
    struct cc_ms_node *n = NULL;
    bool ok = false;
    int ops;

    if (!script.len || script.len > SCRIPT_MAX)
        return false;
    cc_arena_init(&p.arena);
    if (read_tokens(&p, script, &ops))
        n = sequence(&p);
    if (n && !p.count && is_sane(n, ops)) {
        put(w, n, false);
        ok = true;
    }
    cc_arena_clear(&p.arena);
    return ok;
}
