/* -assumevalid: which blocks need no scripts run. */
#include "chain/internal.h"
#include "consensus/pow.h"

/* Behind at least so much work, counted as the time it takes at the best
 * header's difficulty: who would deceive us about a block must have spent that
 * beside giving us a false hash. */
#define MIN_BURIED_S (INT64_C(14) * 24 * 60 * 60)

static bool buried(const struct cc_chain *c, const struct cc_index *i)
{
    const struct cc_index *best = c->tree.best_header;
    struct cc_u256 work = cc_pow_work(best->header.bits), above;
    uint64_t too_much;

    if (cc_u256_sub(&above, &best->work, &i->work) || cc_u256_is_zero(&work))
        return false;
    too_much = cc_u256_mul_u64(&above, &above, (uint64_t)c->params->spacing_s);
    cc_u256_div(&above, &above, &work);
    return too_much || cc_u256_bits(&above) > 63 ||
           (int64_t)above.w[0] > MIN_BURIED_S;
}

bool cc_chain_assumes(const struct cc_chain *c, const struct cc_index *i)
{
    const struct cc_index *best = c->tree.best_header, *known;

    if (!c->assume)
        return false;
    known = cc_tree_find(&c->tree, c->assume_valid);
    return known && cc_index_ancestor(known, i->height) == i &&
           cc_index_ancestor(best, i->height) == i &&
           cc_u256_cmp(&best->work, &c->params->minimum_chain_work) >= 0 &&
           buried(c, i);
}
