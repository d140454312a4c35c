/* -checkblockindex: does the tree of headers agree with itself? What each part
 * keeps up step by step is worked out here from the rules of index.h. */
#include "chain/internal.h"
#include "consensus/pow.h"
#include "util/random.h"

struct check {
    const struct cc_chain *c;
    size_t seen, candidates;
    const char *fault;
};

static void expect(struct check *k, bool holds, const char *what)
{
    if (!holds && !k->fault)
        k->fault = what;
}

static bool has(const struct cc_index *i, unsigned status)
{
    return i->status & status;
}

static void check_fixed(struct check *k, const struct cc_index *i)
{
    const struct cc_index *prev = i->prev;
    struct cc_u256 work = cc_pow_work(i->header.bits);

    cc_u256_add(&work, &work, &prev->work);
    expect(k, i->height == prev->height + 1, "a height");
    expect(k, !memcmp(i->header.prev, prev->hash, 32), "a parent");
    expect(k, i->skip && i->skip == cc_index_ancestor(prev, i->skip->height),
           "a far ancestor");
    expect(k, !cc_u256_cmp(&i->work, &work), "a sum of work");
    expect(k,
           i->time_max == (i->header.time > prev->time_max ? i->header.time
                                                           : prev->time_max),
           "a greatest time");
}

static void check_status(struct check *k, const struct cc_index *i)
{
    const struct cc_index *prev = i->prev;
    const bool here = has(i, CC_INDEX_DATA | CC_INDEX_PRUNED);
    const bool whole = here && (!prev || prev->chain_tx);

    expect(k, has(i, CC_INDEX_HEADER), "a header that was never checked");
    expect(k, !has(i, CC_INDEX_DATA) || i->tx_count, "a block of nothing");
    expect(k, !has(i, CC_INDEX_UNDO) || has(i, CC_INDEX_DATA),
           "undo data without the block");
    expect(k, !has(i, CC_INDEX_UNDO) || has(i, CC_INDEX_VALID),
           "undo data of a block never connected");
    expect(k, (i->chain_tx != 0) == whole, "a chain said to be whole, or not");
    if (whole)
        expect(k, i->chain_tx == (prev ? prev->chain_tx : 0) + i->tx_count,
               "a number of transactions");
    if (prev) {
        expect(k, has(prev, CC_INDEX_VALID) || !has(i, CC_INDEX_VALID),
               "a block connected on one that never was");
        expect(k, cc_index_failed(prev) == has(i, CC_INDEX_FAILED_CHILD),
               "a block condemned with its parent, or not");
    }
}

static void check_choice(struct check *k, const struct cc_index *i)
{
    const struct cc_chain *c = k->c;
    const struct cc_index *best = c->tree.best_header;

    k->candidates += i->candidate;
    if (i->candidate)
        expect(k,
               i->chain_tx && !cc_index_failed(i) &&
                   (i == c->tip || cc_index_better(i, c->tip)),
               "a candidate that cannot be one");
    else /* what pruning has put out of reach is none */
        expect(k,
               c->pruned || !i->chain_tx || cc_index_failed(i) ||
                   (i != c->tip && !cc_index_better(i, c->tip)),
               "a better block that is no candidate");
    expect(k, cc_index_failed(i) || cc_u256_cmp(&i->work, &best->work) <= 0,
           "a header better than the best");
}

static void check_active(struct check *k)
{
    const struct cc_chain *c = k->c;

    for (const struct cc_index *i = c->tip; i; i = i->prev) {
        expect(k, c->at[i->height] == i, "the active chain");
        expect(k, !memcmp(c->hash[i->height], i->hash, 32),
               "the active chain's hashes");
        expect(k, has(i, CC_INDEX_VALID) && !cc_index_failed(i) && i->chain_tx,
               "a block of the active chain");
    }
}

const char *cc_chain_inconsistency(const struct cc_chain *c)
{
    struct cc_index *genesis = c->tree.genesis;
    struct check k = {.c = c};

    for (struct cc_index *i = genesis; i; i = cc_index_walk(i, genesis)) {
        k.seen++;
        expect(&k, cc_tree_find(&c->tree, i->hash) == i, "a name");
        if (i->prev)
            check_fixed(&k, i);
        check_status(&k, i);
        check_choice(&k, i);
    }
    expect(&k, k.seen == c->tree.by_hash.count, "a header outside the tree");
    expect(&k, k.candidates == c->tree.candidate_count, "the candidates");
    expect(&k, !cc_index_failed(c->tree.best_header), "the best header");
    check_active(&k);
    return k.fault;
}

enum cc_status cc_chain_check_index(struct cc_chain *c, struct cc_error *err)
{
    const char *fault;

    if (!c->check_index || cc_random_below(c->check_index))
        return CC_OK;
    fault = cc_chain_inconsistency(c);
    if (!fault)
        return CC_OK;
    return cc_fail(err, CC_CORRUPT, "the block index is inconsistent: %s",
                   fault);
}
