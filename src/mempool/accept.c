/*
 * The way into the pool, in Core's order: the transaction alone, standardness,
 * what is there already, coins and locks, fees, chains, replacement, and the
 * scripts last because they cost most.
 */
#include "mempool/internal.h"

#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cc_txpool_candidate_init(struct cc_txpool_candidate *c,
                              struct cc_mempool *m, const struct cc_tx *tx)
{
    struct cc_chain *chain = m->config.chain;
    struct cc_index *tip = cc_chain_tip(chain);

    memset(c, 0, sizeof(*c));
    c->tx = tx;
    c->place = cc_chain_place(chain, tip);
    cc_arena_init(&c->arena);
    cc_storage_result_init(&c->storage);
    if (m->params->storage_active)
        c->view = cc_chain_storage_view(&c->chain_view, chain, tip);
}

void cc_txpool_candidate_clear(struct cc_txpool_candidate *c)
{
    cc_arena_clear(&c->arena);
    cc_storage_result_clear(&c->storage);
    cc_txpool_list_clear(&c->parents);
    cc_txpool_list_clear(&c->ancestors);
    cc_txpool_list_clear(&c->conflicts);
    cc_txpool_list_clear(&c->replaced);
}

/* --- What moves with the chain ---------------------------------------------
 */

/* Not there: never seen, or a copy of a transaction whose outputs are. */
static enum cc_status missing(struct cc_mempool *m,
                              const struct cc_txpool_candidate *c,
                              struct cc_error *err)
{
    struct cc_outpoint o;
    struct cc_coin coin;
    struct cc_arena arena;
    enum cc_status st = CC_NOTFOUND;

    cc_arena_init(&arena);
    memcpy(o.txid, c->tx->txid, sizeof(o.txid));
    for (o.index = 0; o.index < c->tx->vout_count && st == CC_NOTFOUND;
         o.index++)
        st = cc_chain_coin(m->config.chain, &o, &coin, &arena, err);
    cc_arena_clear(&arena);
    if (st == CC_OK)
        return cc_reject_code(err, CC_REJECT_ALREADY_KNOWN);
    if (st != CC_NOTFOUND)
        return st;
    return cc_reject(err, CC_VERDICT_MISSING_INPUTS,
                     cc_reject_reason(CC_REJECT_INPUTS_MISSING), NULL);
}

/* Of a transaction that stands before this one in its package. */
static bool package_coin(const struct cc_txpool_candidate *c,
                         const struct cc_outpoint *o, struct cc_coin *coin)
{
    for (size_t i = 0; i < c->package_before; i++) {
        const struct cc_txpool_candidate *p = &c->package[i];

        if (memcmp(p->tx->txid, o->txid, 32) != 0 ||
            o->index >= p->tx->vout_count)
            continue;
        coin->out = p->tx->vout[o->index];
        coin->height = c->place.height;
        coin->coinbase = p->storage.maturing && p->storage.maturing[o->index];
        return true;
    }
    return false;
}

static enum cc_status find_coins(struct cc_mempool *m,
                                 struct cc_txpool_candidate *c,
                                 struct cc_error *err)
{
    const struct cc_tx *tx = c->tx;

    c->coins = cc_arena_calloc(&c->arena, tx->vin_count, sizeof(*c->coins));
    cc_txpool_walk(m);
    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_outpoint *o = &tx->vin[i].prevout;
        struct cc_txpool_node *parent = cc_txpool_get(m, o->txid);
        enum cc_status st = CC_OK;

        if (!package_coin(c, o, &c->coins[i]))
            st = cc_txpool_coin(m, o, &c->coins[i], &c->arena, err);

        if (st == CC_NOTFOUND)
            return missing(m, c, err);
        if (st != CC_OK)
            return st;
        if (parent && parent->mark != m->walk) {
            parent->mark = m->walk;
            cc_txpool_list_add(&c->parents, parent);
        }
    }
    return CC_OK;
}

static int64_t median_time(void *arg, uint32_t height)
{
    struct cc_mempool *m = arg;
    const struct cc_index *i = cc_chain_at(m->config.chain, height);

    /* A parent in the pool counts as in the next block, whose predecessor is
     * the tip. */
    return (i ? i : cc_chain_tip(m->config.chain))->median_time;
}

static enum cc_status check_locks(struct cc_mempool *m,
                                  const struct cc_txpool_candidate *c,
                                  struct cc_error *err)
{
    const struct cc_tx *tx = c->tx;
    struct cc_sequence_lock lock;
    uint32_t *heights;

    heights = cc_reallocarray(NULL, tx->vin_count, sizeof(*heights));
    for (size_t i = 0; i < tx->vin_count; i++)
        heights[i] = c->coins[i].height;
    lock = cc_tx_sequence_lock(tx, heights, median_time, m);
    free(heights);
    if (!cc_sequence_lock_holds(&lock, c->place.height,
                                c->place.prev_median_time))
        return cc_reject_code(err, CC_REJECT_NON_BIP68_FINAL);
    return CC_OK;
}

enum cc_status cc_txpool_check_context(struct cc_mempool *m,
                                       struct cc_txpool_candidate *c,
                                       struct cc_error *err)
{
    enum cc_status st = find_coins(m, c, err);

    if (st != CC_OK)
        return st;
    st = check_locks(m, c, err);
    if (st != CC_OK)
        return st;
    cc_sighash_init(&c->sighash, c->tx, c->coins);
    return cc_tx_check_spend(&c->fee, c->tx, c->coins, &c->sighash,
                             c->place.height, m->params, &c->view, &c->storage,
                             err);
}

enum cc_status cc_txpool_run_jobs(struct cc_mempool *m,
                                  const struct cc_txpool_candidate *c,
                                  struct cc_error *err)
{
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < c->storage.job_count && st == CC_OK; i++)
        st = cc_storage_job_run(&c->storage.jobs[i], m->params, err);
    return st;
}

/* --- Steps -----------------------------------------------------------------
 */

static enum cc_status check_alone(struct cc_mempool *m,
                                  struct cc_txpool_candidate *c,
                                  struct cc_error *err)
{
    const struct cc_tx *tx = c->tx;
    enum cc_status st = cc_tx_check(tx, m->params, err);

    if (st != CC_OK)
        return st;
    if (cc_tx_is_coinbase(tx))
        return cc_reject_code(err, CC_REJECT_COINBASE);
    if (m->config.require_standard) {
        st = cc_policy_check_tx(tx, &m->policy, err);
        if (st != CC_OK)
            return st;
    }
    /* 64 bytes could be taken for an inner node of the Merkle tree. */
    if (tx->stripped_size < CC_MIN_STANDARD_NONWITNESS_SIZE)
        return cc_reject_code(err, CC_REJECT_TX_SIZE_SMALL);
    if (!cc_tx_is_final(tx, c->place.height, c->place.prev_median_time))
        return cc_reject_code(err, CC_REJECT_NON_FINAL);
    if (cc_map_get(&m->by_wtxid, tx->wtxid))
        return cc_reject_code(err, CC_REJECT_IN_MEMPOOL);
    if (cc_txpool_get(m, tx->txid))
        return cc_reject_code(err, CC_REJECT_SAME_NONWITNESS);
    return CC_OK;
}

static enum cc_status check_standard_spend(struct cc_mempool *m,
                                           const struct cc_txpool_candidate *c,
                                           struct cc_error *err)
{
    enum cc_status st;

    if (!m->config.require_standard)
        return CC_OK;
    st = cc_policy_check_inputs(c->tx, c->coins, m->policy.storage, err);
    if (st != CC_OK || !c->tx->has_witness)
        return st;
    return cc_policy_check_witness(c->tx, c->coins, m->policy.storage, err);
}

enum cc_status cc_txpool_check_feerate(struct cc_mempool *m, cc_amount fee,
                                       size_t vsize, struct cc_error *err)
{
    cc_amount relay = cc_feerate_fee(m->config.min_relay_feerate, vsize);
    cc_amount pool = cc_feerate_fee(cc_txpool_min_feerate(m), vsize);
    char detail[64];

    if (pool > 0 && fee < pool)
        return cc_reject_detail(err, CC_REJECT_MEMPOOL_MIN_FEE,
                                "%" PRId64 " < %" PRId64, fee, pool);
    if (fee >= relay)
        return CC_OK;
    snprintf(detail, sizeof(detail), "%" PRId64 " < %" PRId64, fee, relay);
    return cc_reject(err, CC_VERDICT_FEE,
                     cc_reject_reason(CC_REJECT_MIN_RELAY_FEE), detail);
}

/* Below what relay costs nobody else may pay for it, or it would stay when
 * that one is replaced; but version 3 has rules against that. */
static enum cc_status check_fee(struct cc_mempool *m,
                                const struct cc_txpool_candidate *c,
                                struct cc_error *err)
{
    cc_amount relay = cc_feerate_fee(m->config.min_relay_feerate, c->vsize);

    if (c->tx->version != 3 && c->modified < relay)
        return cc_reject_detail(err, CC_REJECT_MIN_RELAY_FEE,
                                "%" PRId64 " < %" PRId64, c->modified, relay);
    if (c->how & CC_TXPOOL_TOGETHER)
        return CC_OK;
    return cc_txpool_check_feerate(m, c->modified, c->vsize, err);
}

static enum cc_status check_size(struct cc_mempool *m,
                                 struct cc_txpool_candidate *c,
                                 struct cc_error *err)
{
    c->sigop_cost = cc_tx_sigop_cost(c->tx, c->coins, CC_VERIFY_STANDARD) +
                    c->storage.sigops;
    c->vsize = cc_policy_vsize(cc_tx_weight(c->tx), c->sigop_cost,
                               m->config.bytes_per_sigop);
    c->modified = c->fee + cc_txpool_delta(m, c->tx->txid);
    if (c->sigop_cost > CC_MAX_STANDARD_SIGOPS_COST)
        return cc_reject_detail(err, CC_REJECT_TOO_MANY_SIGOPS, "%" PRId64,
                                c->sigop_cost);
    return CC_OK;
}

/* Would the input be good if witnesses were not asked for? Then a witness may
 * have been taken off on the way: its txid is innocent. */
static bool lost_witness(const struct cc_txpool_candidate *c, size_t i)
{
    const struct cc_txout *out = &c->coins[i].out;
    const uint32_t asked = CC_VERIFY_WITNESS | CC_VERIFY_CLEANSTACK;
    enum cc_script_error fault;

    return !c->tx->has_witness &&
           cc_script_verify(&c->sighash, i, out->script, out->value,
                            CC_VERIFY_STANDARD & ~asked, &fault);
}

/* An input that policy refuses is tried by the rules of blocks: only what no
 * block may hold tells that a peer is bad. */
static enum cc_status bad_script(const struct cc_txpool_candidate *c, size_t i,
                                 enum cc_script_error fault,
                                 struct cc_error *err)
{
    const struct cc_txout *out = &c->coins[i].out;
    enum cc_verdict verdict = CC_VERDICT_CONSENSUS;
    const char *words = "mandatory-script-verify-flag-failed";
    enum cc_script_error other;
    char reason[160];

    if (cc_script_verify(&c->sighash, i, out->script, out->value,
                         CC_VERIFY_MANDATORY, &other)) {
        words = "non-mandatory-script-verify-flag";
        verdict = CC_VERDICT_POLICY;
    }
    if (lost_witness(c, i))
        verdict = CC_VERDICT_WITNESS;
    snprintf(reason, sizeof(reason), "%s (%s)", words,
             cc_script_error_string(fault));
    return cc_reject(err, verdict, reason, NULL);
}

static enum cc_status check_scripts(struct cc_mempool *m,
                                    const struct cc_txpool_candidate *c,
                                    struct cc_error *err)
{
    const bool storage = m->params->storage_active;

    if (cc_txpool_known_has(&m->known, c->tx->wtxid))
        return CC_OK;
    for (size_t i = 0; i < c->tx->vin_count; i++) {
        const struct cc_txout *out = &c->coins[i].out;
        enum cc_script_error fault;

        if (storage && out->script.len > 0 &&
            out->script.data[0] == CC_OP_STORAGE)
            continue;
        if (!cc_script_verify(&c->sighash, i, out->script, out->value,
                              CC_VERIFY_STANDARD, &fault))
            return bad_script(c, i, fault, err);
    }
    cc_txpool_known_add(&m->known, c->tx->wtxid);
    return CC_OK;
}

enum cc_status cc_txpool_judge_cheap(struct cc_mempool *m,
                                     struct cc_txpool_candidate *c,
                                     struct cc_error *err)
{
    enum cc_status st = check_alone(m, c, err);

    if (st == CC_OK)
        st = cc_txpool_find_conflicts(m, c, err);
    if (st == CC_OK)
        st = cc_txpool_check_context(m, c, err);
    if (st == CC_OK)
        st = check_standard_spend(m, c, err);
    if (st == CC_OK)
        st = check_size(m, c, err);
    if (st == CC_OK && !(c->how & CC_TXPOOL_BYPASS))
        st = check_fee(m, c, err);
    if (st == CC_OK)
        st = cc_txpool_check_ancestors(m, c, err);
    if (st == CC_OK && !(c->how & CC_TXPOOL_BYPASS))
        st = cc_txpool_check_version3(c, err);
    if (st == CC_OK)
        st = cc_txpool_check_replacement(m, c, err);
    if (st == CC_OK && c->storage.typed)
        st = cc_txpool_check_storage(m, c, err);
    return st;
}

enum cc_status cc_txpool_judge_dear(struct cc_mempool *m,
                                    struct cc_txpool_candidate *c,
                                    struct cc_error *err)
{
    enum cc_status st = check_scripts(m, c, err);

    return st == CC_OK ? cc_txpool_run_jobs(m, c, err) : st;
}

void cc_txpool_enter(struct cc_mempool *m, struct cc_txpool_candidate *c,
                     int64_t time)
{
    struct cc_txpool_node *n = cc_txpool_node_new(c->tx);

    n->e.fee = c->fee;
    n->e.fee_delta = c->modified - c->fee;
    n->e.sigop_cost = c->sigop_cost;
    n->e.vsize = c->vsize;
    n->e.time = time;
    n->e.height = c->place.height - 1;
    n->e.sequence = m->sequence++;
    n->e.returned = c->how & CC_TXPOOL_BYPASS;
    n->e.typed = c->storage.typed;
    n->e.facts = c->storage.facts;
    n->e.mint = c->storage.mint;
    n->e.claims = c->storage.claims;
    if (c->storage.maturing)
        n->maturing =
            cc_memdup(c->storage.maturing,
                      c->tx->vout_count * sizeof(*c->storage.maturing));
    for (size_t i = c->replaced.count; i-- > 0;)
        cc_txpool_remove(m, c->replaced.items[i], CC_LEAVE_REPLACED);
    cc_txpool_insert(m, n, false);
}

enum cc_status cc_txpool_accept(struct cc_mempool *m, const struct cc_tx *tx,
                                unsigned how, int64_t time,
                                struct cc_mempool_accept *out,
                                struct cc_error *err)
{
    struct cc_txpool_candidate c;
    enum cc_status st;

    cc_error_init(err);
    cc_txpool_candidate_init(&c, m, tx);
    c.how = how;
    st = cc_txpool_judge_cheap(m, &c, err);
    if (st == CC_OK)
        st = cc_txpool_judge_dear(m, &c, err);
    if (st == CC_OK && out) {
        out->fee = c.fee;
        out->modified = c.modified;
        out->vsize = c.vsize;
        out->replaced = c.replaced.count;
    }
    if (st == CC_OK && !(how & CC_TXPOOL_TEST)) {
        cc_txpool_enter(m, &c, time);
        if (!(how & CC_TXPOOL_BYPASS)) {
            cc_txpool_limit(m);
            if (!cc_txpool_get(m, tx->txid))
                st = cc_reject_code(err, CC_REJECT_MEMPOOL_FULL);
        }
    }
    cc_txpool_candidate_clear(&c);
    return st;
}

enum cc_status cc_txpool_recheck(struct cc_mempool *m,
                                 struct cc_txpool_node *node,
                                 struct cc_error *err)
{
    struct cc_txpool_candidate c;
    enum cc_status st = CC_OK;

    cc_txpool_candidate_init(&c, m, &node->e.tx);
    if (!cc_tx_is_final(c.tx, c.place.height, c.place.prev_median_time))
        st = cc_reject_code(err, CC_REJECT_NON_FINAL);
    if (st == CC_OK)
        st = cc_txpool_check_context(m, &c, err);
    if (st == CC_OK)
        st = cc_txpool_run_jobs(m, &c, err);
    if (st == CC_OK) {
        node->e.facts = c.storage.facts;
        node->e.mint = c.storage.mint;
        node->e.fee = c.fee;
    }
    cc_txpool_candidate_clear(&c);
    return st;
}

enum cc_status cc_mempool_add(struct cc_mempool *m, const struct cc_tx *tx,
                              bool test, struct cc_mempool_accept *out,
                              struct cc_error *err)
{
    struct cc_error mine;
    enum cc_status st;

    if (!err)
        err = &mine;
    cc_chain_lock(m->config.chain);
    st = cc_txpool_accept(m, tx, test ? CC_TXPOOL_TEST : 0,
                          m->config.now(m->config.now_arg), out, err);
    if (st == CC_INVALID && err->verdict == CC_VERDICT_CONTEXT && !test)
        cc_txpool_hold(m, tx);
    if (st == CC_OK && !test) {
        char txid[65];

        cc_hex_encode_rev(txid, tx->txid, 32);
        cc_debug(m->config.log, CC_LOG_MEMPOOL,
                 "AcceptToMemoryPool: accepted %s (poolsz %zu txn, %zu kB)",
                 txid, m->count, m->usage / 1000);
        cc_txpool_audit_maybe(m);
    }
    cc_chain_unlock(m->config.chain);
    return st;
}
