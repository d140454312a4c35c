/* What BIP 379 says of each fragment: its type, and what spending it takes. */
#include <stdlib.h>

#include "util/mem.h"
#include "wallet/miniscript_i.h"

#define SEQUENCE_TIME (UINT32_C(1) << 22) /* BIP 68: in units of 512 s */
#define LOCKTIME_TIME UINT32_C(500000000) /* from here on seconds */

static bool has(unsigned type, unsigned all) { return (type & all) == all; }

/* These of type, if when holds. */
static unsigned when(bool holds, unsigned bits) { return holds ? bits : 0; }

/* Locks of both, and whether they can be met at once. */
static unsigned locks_together(unsigned x, unsigned y)
{
    static const unsigned apart[][2] = {
        {CC_MS_RELATIVE_TIME, CC_MS_RELATIVE_HEIGHT},
        {CC_MS_ABSOLUTE_TIME, CC_MS_ABSOLUTE_HEIGHT}};
    unsigned t = (x | y) & (CC_MS_LOCKS | CC_MS_MIXED);

    for (size_t i = 0; i < 2; i++)
        if ((has(x, apart[i][0]) && has(y, apart[i][1])) ||
            (has(x, apart[i][1]) && has(y, apart[i][0])))
            t |= CC_MS_MIXED;
    return t;
}

static unsigned locks_either(unsigned x, unsigned y)
{
    return (x | y) & (CC_MS_LOCKS | CC_MS_MIXED);
}

static unsigned leaf_type(const struct cc_ms_node *n)
{
    switch (n->kind) {
    case CC_MS_0:
        return CC_MS_TYPE_B | CC_MS_z | CC_MS_u | CC_MS_d | CC_MS_s | CC_MS_e |
               CC_MS_m;
    case CC_MS_1:
        return CC_MS_TYPE_B | CC_MS_z | CC_MS_u | CC_MS_f | CC_MS_m;
    case CC_MS_PK_K:
        return CC_MS_TYPE_K | CC_MS_o | CC_MS_n | CC_MS_d | CC_MS_u | CC_MS_s |
               CC_MS_e | CC_MS_m;
    case CC_MS_MULTI:
        return CC_MS_TYPE_B | CC_MS_n | CC_MS_d | CC_MS_u | CC_MS_s | CC_MS_e |
               CC_MS_m;
    case CC_MS_OLDER:
        return CC_MS_TYPE_B | CC_MS_z | CC_MS_f | CC_MS_m |
               (n->number & SEQUENCE_TIME ? CC_MS_RELATIVE_TIME
                                          : CC_MS_RELATIVE_HEIGHT);
    case CC_MS_AFTER:
        return CC_MS_TYPE_B | CC_MS_z | CC_MS_f | CC_MS_m |
               (n->number >= LOCKTIME_TIME ? CC_MS_ABSOLUTE_TIME
                                           : CC_MS_ABSOLUTE_HEIGHT);
    default: /* a hash */
        return CC_MS_TYPE_B | CC_MS_o | CC_MS_n | CC_MS_d | CC_MS_u | CC_MS_m;
    }
}

static unsigned wrapper_type(enum cc_ms_kind kind, unsigned x)
{
    unsigned kept = x & (CC_MS_m | CC_MS_LOCKS | CC_MS_MIXED);

    switch (kind) {
    case CC_MS_A:
    case CC_MS_S:
        if (!has(x, kind == CC_MS_A ? CC_MS_TYPE_B : CC_MS_TYPE_B | CC_MS_o))
            return 0;
        return CC_MS_TYPE_W | kept |
               (x & (CC_MS_d | CC_MS_u | CC_MS_s | CC_MS_f | CC_MS_e));
    case CC_MS_C:
        if (!has(x, CC_MS_TYPE_K))
            return 0;
        return CC_MS_TYPE_B | kept | CC_MS_u | CC_MS_s |
               (x & (CC_MS_o | CC_MS_n | CC_MS_d | CC_MS_f | CC_MS_e));
    case CC_MS_D:
        if (!has(x, CC_MS_TYPE_V | CC_MS_z))
            return 0;
        return CC_MS_TYPE_B | kept | CC_MS_o | CC_MS_n | CC_MS_d | CC_MS_e |
               (x & CC_MS_s);
    case CC_MS_V:
        if (!has(x, CC_MS_TYPE_B))
            return 0;
        return CC_MS_TYPE_V | kept | CC_MS_f |
               (x & (CC_MS_z | CC_MS_o | CC_MS_n | CC_MS_s));
    case CC_MS_J:
        if (!has(x, CC_MS_TYPE_B | CC_MS_n))
            return 0;
        return CC_MS_TYPE_B | kept | CC_MS_n | CC_MS_d |
               when(has(x, CC_MS_f), CC_MS_e) |
               (x & (CC_MS_o | CC_MS_u | CC_MS_s));
    default: /* n: */
        if (!has(x, CC_MS_TYPE_B))
            return 0;
        return CC_MS_TYPE_B | kept | CC_MS_u |
               (x & (CC_MS_z | CC_MS_o | CC_MS_n | CC_MS_d | CC_MS_s | CC_MS_f |
                     CC_MS_e));
    }
}

/* Zero arguments of both, one of both together. */
static unsigned arguments(unsigned x, unsigned y)
{
    return when(has(x & y, CC_MS_z), CC_MS_z) |
           when((has(x, CC_MS_z) && has(y, CC_MS_o)) ||
                    (has(y, CC_MS_z) && has(x, CC_MS_o)),
                CC_MS_o);
}

static unsigned and_type(enum cc_ms_kind kind, unsigned x, unsigned y)
{
    unsigned t = arguments(x, y) | locks_together(x, y) | (x & y & CC_MS_m) |
                 ((x | y) & CC_MS_s) | (x & CC_MS_n) |
                 when(has(x, CC_MS_z), y & CC_MS_n);

    if (kind == CC_MS_AND_V) {
        if (!has(x, CC_MS_TYPE_V) || !(y & CC_MS_TYPE_BVK))
            return 0;
        return t | (y & (CC_MS_TYPE_BVK | CC_MS_u)) |
               when(has(x, CC_MS_s) || has(y, CC_MS_f), CC_MS_f);
    }
    if (!has(x, CC_MS_TYPE_B) || !has(y, CC_MS_TYPE_W))
        return 0;
    return t | CC_MS_TYPE_B | CC_MS_u | (x & y & CC_MS_d) |
           when(has(x & y, CC_MS_f) || has(x, CC_MS_s | CC_MS_f) ||
                    has(y, CC_MS_s | CC_MS_f),
                CC_MS_f) |
           when(has(x & y, CC_MS_e | CC_MS_s), CC_MS_e);
}

static unsigned or_type(enum cc_ms_kind kind, unsigned x, unsigned z)
{
    unsigned t = locks_either(x, z) | (x & z & CC_MS_s);
    bool safe = has(x & z, CC_MS_m) && ((x | z) & CC_MS_s);
    unsigned one = when(has(x & z, CC_MS_z), CC_MS_z) |
                   when(has(x, CC_MS_o) && has(z, CC_MS_z), CC_MS_o);

    switch (kind) {
    case CC_MS_OR_B:
        if (!has(x, CC_MS_TYPE_B | CC_MS_d) || !has(z, CC_MS_TYPE_W | CC_MS_d))
            return 0;
        return t | CC_MS_TYPE_B | arguments(x, z) | CC_MS_d | CC_MS_u |
               CC_MS_e | when(safe && has(x & z, CC_MS_e), CC_MS_m);
    case CC_MS_OR_C:
        if (!has(x, CC_MS_TYPE_B | CC_MS_d | CC_MS_u) || !has(z, CC_MS_TYPE_V))
            return 0;
        return t | CC_MS_TYPE_V | one | CC_MS_f |
               when(safe && has(x, CC_MS_e), CC_MS_m);
    case CC_MS_OR_D:
        if (!has(x, CC_MS_TYPE_B | CC_MS_d | CC_MS_u) || !has(z, CC_MS_TYPE_B))
            return 0;
        return t | CC_MS_TYPE_B | one |
               (z & (CC_MS_d | CC_MS_u | CC_MS_f | CC_MS_e)) |
               when(safe && has(x, CC_MS_e), CC_MS_m);
    default: /* or_i */
        if (!(x & z & CC_MS_TYPE_BVK))
            return 0;
        return t | (x & z & (CC_MS_TYPE_BVK | CC_MS_u | CC_MS_f)) |
               when(has(x & z, CC_MS_z), CC_MS_o) | ((x | z) & CC_MS_d) |
               when(has(x, CC_MS_e) && has(z, CC_MS_f), CC_MS_e) |
               when(has(z, CC_MS_e) && has(x, CC_MS_f), CC_MS_e) |
               when(safe, CC_MS_m);
    }
}

static unsigned andor_type(unsigned x, unsigned y, unsigned z)
{
    bool forced = has(x, CC_MS_s) || has(y, CC_MS_f);

    if (!has(x, CC_MS_TYPE_B | CC_MS_d | CC_MS_u) || !(y & z & CC_MS_TYPE_BVK))
        return 0;
    return (y & z & (CC_MS_TYPE_BVK | CC_MS_u)) | (z & CC_MS_d) |
           when(has(x & y & z, CC_MS_z), CC_MS_z) |
           when((has(x, CC_MS_z) && has(y & z, CC_MS_o)) ||
                    (has(x, CC_MS_o) && has(y & z, CC_MS_z)),
                CC_MS_o) |
           when((x | y) & CC_MS_s, z & CC_MS_s) |
           when(forced, z & (CC_MS_f | CC_MS_e)) | locks_together(x, y) |
           locks_either(x | y, z) |
           when(has(x & y & z, CC_MS_m) && has(x, CC_MS_e) &&
                    ((x | y | z) & CC_MS_s),
                CC_MS_m);
}

static unsigned thresh_type(const struct cc_ms_node *n)
{
    const unsigned base = CC_MS_d | CC_MS_u;
    unsigned locks = 0, all = ~0u;
    size_t signed_count = 0, one = 0, zero = 0, count = n->sub_count;

    for (size_t i = 0; i < count; i++) {
        unsigned t = n->subs[i]->type;

        if (!has(t, base | (i ? CC_MS_TYPE_W : CC_MS_TYPE_B)))
            return 0;
        locks =
            n->number >= 2 ? locks_together(locks, t) : locks_either(locks, t);
        all &= t;
        signed_count += has(t, CC_MS_s);
        one += has(t, CC_MS_o);
        zero += has(t, CC_MS_z);
    }
    return CC_MS_TYPE_B | base | locks | when(zero == count, CC_MS_z) |
           when(one == 1 && zero == count - 1, CC_MS_o) |
           when(count - signed_count < n->number, CC_MS_s) |
           when(signed_count == count, CC_MS_e) |
           when(has(all, CC_MS_e | CC_MS_m) &&
                    count - signed_count <= n->number,
                CC_MS_m);
}

static unsigned type_of(const struct cc_ms_node *n)
{
    unsigned x = n->sub_count ? n->subs[0]->type : 0;
    unsigned y = n->sub_count > 1 ? n->subs[1]->type : 0;

    switch (n->kind) {
    case CC_MS_ANDOR:
        return andor_type(x, y, n->subs[2]->type);
    case CC_MS_AND_V:
    case CC_MS_AND_B:
        return and_type(n->kind, x, y);
    case CC_MS_OR_B:
    case CC_MS_OR_C:
    case CC_MS_OR_D:
    case CC_MS_OR_I:
        return or_type(n->kind, x, y);
    case CC_MS_THRESH:
        return thresh_type(n);
    default:
        return n->sub_count ? wrapper_type(n->kind, x) : leaf_type(n);
    }
}

/* --- Costs ------------------------------------------------------------- */

static int plus(int a, int b) { return a < 0 || b < 0 ? -1 : a + b; }

static int most(int a, int b) { return a > b ? a : b; }

/* number of the subs satisfied, the others not: the dearest way. */
static struct cc_ms_cost thresh_cost(const struct cc_ms_node *n,
                                     const struct cc_ms_cost *subs)
{
    size_t count = n->sub_count;
    int *way = cc_calloc(count + 1, sizeof(*way)); /* by how many satisfied */
    struct cc_ms_cost c;

    for (size_t i = 0; i < count; i++) {
        way[i + 1] = plus(way[i], subs[i].sat);
        for (size_t j = i; j > 0; j--)
            way[j] =
                most(plus(way[j], subs[i].dsat), plus(way[j - 1], subs[i].sat));
        way[0] = plus(way[0], subs[i].dsat);
    }
    c = (struct cc_ms_cost){way[n->number], way[0]};
    free(way);
    return c;
}

/* Of one with subs; choice: what it costs to choose a branch. */
static struct cc_ms_cost cost_of(const struct cc_ms_node *n,
                                 const struct cc_ms_cost *s, int choice)
{
    switch (n->kind) {
    case CC_MS_ANDOR:
        return (struct cc_ms_cost){
            most(plus(s[0].sat, s[1].sat), plus(s[0].dsat, s[2].sat)),
            plus(s[0].dsat, s[2].dsat)};
    case CC_MS_AND_V:
        return (struct cc_ms_cost){plus(s[0].sat, s[1].sat), -1};
    case CC_MS_AND_B:
        return (struct cc_ms_cost){plus(s[0].sat, s[1].sat),
                                   plus(s[0].dsat, s[1].dsat)};
    case CC_MS_OR_B:
        return (struct cc_ms_cost){
            most(plus(s[0].sat, s[1].dsat), plus(s[0].dsat, s[1].sat)),
            plus(s[0].dsat, s[1].dsat)};
    case CC_MS_OR_C:
        return (struct cc_ms_cost){most(s[0].sat, plus(s[0].dsat, s[1].sat)),
                                   -1};
    case CC_MS_OR_D:
        return (struct cc_ms_cost){most(s[0].sat, plus(s[0].dsat, s[1].sat)),
                                   plus(s[0].dsat, s[1].dsat)};
    case CC_MS_OR_I:
        return (struct cc_ms_cost){plus(most(s[0].sat, s[1].sat), choice),
                                   plus(most(s[0].dsat, s[1].dsat), choice)};
    case CC_MS_THRESH:
        return thresh_cost(n, s);
    case CC_MS_D:
        return (struct cc_ms_cost){plus(s[0].sat, choice), choice};
    case CC_MS_J:
        return (struct cc_ms_cost){s[0].sat, choice};
    case CC_MS_V:
        return (struct cc_ms_cost){s[0].sat, -1};
    default: /* a: s: c: n: */
        return s[0];
    }
}

static void leaf_costs(struct cc_ms_node *n)
{
    int k = (int)n->number, keys = (int)n->key_count;

    switch (n->kind) {
    case CC_MS_0:
        n->items = n->keyed = (struct cc_ms_cost){-1, 0};
        break;
    case CC_MS_PK_K:
        n->items = (struct cc_ms_cost){1, 1};
        n->keyed = (struct cc_ms_cost){0, 0};
        break;
    case CC_MS_MULTI:
        n->items = (struct cc_ms_cost){k + 1, k + 1};
        n->keyed = (struct cc_ms_cost){keys, keys};
        break;
    case CC_MS_1:
    case CC_MS_OLDER:
    case CC_MS_AFTER:
        n->items = n->keyed = (struct cc_ms_cost){0, -1};
        break;
    default: /* a hash */
        n->items = (struct cc_ms_cost){1, -1};
        n->keyed = (struct cc_ms_cost){0, -1};
        break;
    }
}

bool cc_ms_judge(struct cc_ms_node *n)
{
    struct cc_ms_cost *subs;

    n->type = type_of(n);
    if (!n->type)
        return false;
    if (!n->sub_count) {
        leaf_costs(n);
        return true;
    }
    subs = cc_calloc(n->sub_count, sizeof(*subs));
    for (size_t i = 0; i < n->sub_count; i++)
        subs[i] = n->subs[i]->items;
    n->items = cost_of(n, subs, 1);
    for (size_t i = 0; i < n->sub_count; i++)
        subs[i] = n->subs[i]->keyed;
    n->keyed = cost_of(n, subs, 0);
    free(subs);
    return true;
}
