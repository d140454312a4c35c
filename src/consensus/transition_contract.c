/*
 * Contracts: PROVE, SYNC, REVISE, END (doc/protocol.md 4.3, 4.5).
 *
 * A scan over due heights stops as soon as its answer is known. Amounts are
 * safe to add plainly: a spent contract is well-formed (W), so what its
 * remaining periods can move stays within its value and MAX_MONEY.
 */
#include <string.h>

#include "consensus/transition_internal.h"
#include "crypto/mtree.h"

static bool called(struct cc_chain_read *chain, const struct cc_spent *s,
                   int64_t i)
{
    const struct cc_contract *c = &s->body.u.contract;

    return cc_contract_called(cc_chain_read_hash(chain, cc_contract_due(c, i)),
                              s->id, c->odds);
}

static int64_t window(const struct cc_chain_read *chain)
{
    return chain->view->params->storage.window;
}

static int64_t max_miss(const struct cc_chain_read *chain)
{
    return chain->view->params->storage.max_miss;
}

static int64_t height(const struct cc_chain_read *chain)
{
    return chain->view->height;
}

static void limit(struct cc_step *step, int64_t hi)
{
    if (hi < step->hi)
        step->hi = hi;
}

/* A revision signed by both: by the action's signer, and inside by other. */
static enum cc_status apply_rev(struct cc_step *step, const struct cc_spent *s,
                                const uint8_t other[32],
                                const struct cc_params *p, struct cc_error *err)
{
    struct cc_contract *c = &step->next.u.contract;
    struct cc_storage_job *job;
    uint32_t revision, sectors;
    uint8_t root[32];

    cc_rev_read(s->act.rev, &revision, root, &sectors);
    if (revision <= c->revision)
        return cc_step_refuse(err, "REV: number does not rise");
    job = cc_step_job(step, CC_JOB_SIG);
    memcpy(job->key, other, 32);
    cc_revision_message(job->msg, s->id, revision, root, sectors, p);
    job->data = cc_bytes(s->act.rev + 40, 64);
    c->revision = revision;
    c->sectors = sectors;
    memcpy(c->root, root, 32);
    return CC_OK;
}

/* Redeem a voucher up to its amount; *paid is what it brings, 0 without. */
static enum cc_status apply_vou(cc_amount *paid, struct cc_step *step,
                                const struct cc_spent *s,
                                const struct cc_params *p, struct cc_error *err)
{
    struct cc_contract *c = &step->next.u.contract;
    struct cc_storage_job *job;
    uint64_t amount;

    *paid = 0;
    if (!s->act.vou)
        return CC_OK;
    amount = cc_get_u64le(s->act.vou);
    if (amount <= c->redeemed || amount > c->allowance)
        return cc_step_refuse(
            err, "VOU: amount not above redeemed and within allowance");
    job = cc_step_job(step, CC_JOB_SIG);
    memcpy(job->key, c->renter_key, 32);
    cc_voucher_message(job->msg, s->id, amount, p);
    job->data = cc_bytes(s->act.vou + 8, 64);
    *paid = (cc_amount)(amount - c->redeemed);
    c->redeemed = amount;
    return CC_OK;
}

/* --- PROVE ---------------------------------------------------------------- */

/* Samples against the tree of the coin that is spent: whoever proves under a
 * root of his own choosing proves nothing. */
static enum cc_status prove_samples(struct cc_step *step,
                                    const struct cc_spent *s,
                                    struct cc_chain_read *chain,
                                    struct cc_error *err)
{
    const struct cc_contract *c = &s->body.u.contract;
    const uint64_t leaves = (uint64_t)c->sectors * CC_SECTOR_LEAVES;
    const size_t wanted = c->sectors ? c->samples : 0;
    struct cc_storage_job *job;
    uint8_t hash[32];
    uint64_t leaf;

    if (s->act.proof_count != wanted)
        return cc_step_refuse_here(err, "PROVE: number of samples");
    memcpy(hash, cc_chain_read_hash(chain, cc_contract_due(c, s->act.i)), 32);
    for (size_t j = 0; j < wanted; j++) {
        leaf = cc_contract_sample(c, s->id, hash, (unsigned)j);
        if (s->act.proofs[j].len !=
            CC_LEAF_SIZE + 32 * cc_mtree_path_len(leaf, leaves))
            return cc_step_refuse_here(err, "PROVE: size of a sample");
        job = cc_step_job(step, CC_JOB_PATH);
        memcpy(job->root, c->root, 32);
        job->index = leaf;
        job->leaves = leaves;
        job->data = s->act.proofs[j];
    }
    return CC_OK;
}

/* i is called: within its window, and not the third in a row that was missed.
 * *missed: called heights between the last one done and i. */
static enum cc_status prove_called(int64_t *missed, struct cc_step *step,
                                   const struct cc_spent *s,
                                   struct cc_chain_read *chain,
                                   struct cc_error *err)
{
    const struct cc_contract *c = &s->body.u.contract;

    step->hi = cc_contract_due(c, s->act.i) + window(chain);
    if (height(chain) > step->hi)
        return cc_step_refuse_here(
            err, "PROVE: window of the called height has passed");
    for (int64_t j = (int64_t)c->done + 1; j < s->act.i; j++) {
        *missed += called(chain, s, j);
        if (*missed == max_miss(chain))
            return cc_step_refuse_here(err,
                                       "PROVE: too many called heights missed");
    }
    return prove_samples(step, s, chain, err);
}

/* i is not called: it may carry all uncalled heights up to it, as long as no
 * called one was missed, and a new root only while no challenge is out. */
static enum cc_status prove_uncalled(struct cc_step *step,
                                     const struct cc_spent *s,
                                     struct cc_chain_read *chain,
                                     struct cc_error *err)
{
    const struct cc_contract *c = &s->body.u.contract;
    const int64_t h = height(chain);
    int64_t j;

    for (j = (int64_t)c->done + 1; j < s->act.i; j++)
        if (called(chain, s, j))
            return cc_step_refuse_here(
                err, "PROVE: a called height below an uncalled one was missed");
    if (s->act.proof_count)
        return cc_step_refuse_here(err,
                                   "PROVE: samples for an uncalled height");
    for (j = (int64_t)s->act.i + 1; j <= c->periods; j++) {
        if (cc_contract_due(c, j) + window(chain) >= h) {
            limit(step, cc_contract_due(c, j) + window(chain));
            break;
        }
        if (called(chain, s, j))
            return cc_step_refuse_here(
                err, "PROVE: a later called height was missed");
    }
    if (!s->act.rev)
        return CC_OK;
    for (; j <= c->periods; j++) {
        if (cc_contract_due(c, j) >= h) {
            limit(step, cc_contract_due(c, j));
            break;
        }
        if (called(chain, s, j))
            return cc_step_refuse_here(
                err, "PROVE: REV while a later height is called");
    }
    return CC_OK;
}

enum cc_status cc_step_prove(struct cc_step *step, const struct cc_spent *s,
                             struct cc_chain_read *chain, struct cc_error *err)
{
    const struct cc_contract *c = &s->body.u.contract;
    const struct cc_params *p = chain->view->params;
    struct cc_contract *next = &step->next.u.contract;
    const int64_t i = s->act.i;
    cc_amount earned, paid;
    enum cc_status st;
    int64_t missed = 0;

    if (i <= c->done || i > c->periods)
        return cc_step_refuse(err, "PROVE: i not in done+1 ... periods");
    step->signers[0] = s->body.u.contract.host_key;
    step->lo = cc_contract_due(c, i) + 1;
    step->hi = cc_contract_due(c, c->periods) + window(chain);
    if (height(chain) < step->lo || height(chain) > step->hi)
        return cc_step_refuse_here(err, "PROVE: height out of range");
    st = called(chain, s, i) ? prove_called(&missed, step, s, chain, err)
                             : prove_uncalled(step, s, chain, err);
    if (st != CC_OK)
        return st;
    /* What was missed is not earned: its rent stays the renter's, as
     * allowance, and its penalty goes to the pool. */
    earned = (cc_amount)c->rent * (i - c->done - missed);
    step->pool = (cc_amount)c->penalty * missed;
    next->done = s->act.i;
    next->allowance += c->rent * (uint64_t)missed;
    st = apply_vou(&paid, step, s, p, err);
    if (st == CC_OK && s->act.rev)
        st = apply_rev(step, s, c->renter_key, p, err);
    step->value -= earned + step->pool + paid;
    return st;
}

/* --- SYNC, REVISE --------------------------------------------------------- */

enum cc_status cc_step_sync(struct cc_step *step, const struct cc_spent *s,
                            struct cc_chain_read *chain, struct cc_error *err)
{
    const struct cc_contract *c = &s->body.u.contract;
    const struct cc_params *p = chain->view->params;
    const bool by_renter = s->act.flags & CC_FLAG_BY_RENTER;
    const uint8_t *other = by_renter ? c->host_key : c->renter_key;
    enum cc_status st;
    cc_amount paid;

    step->signers[0] = by_renter ? c->renter_key : c->host_key;
    if (s->act.rev && c->done == c->periods)
        return cc_step_refuse(err, "SYNC: REV after the last period");
    /* No new root once a challenge is out. */
    for (int64_t j = (int64_t)c->done + 1; s->act.rev && j <= c->periods; j++) {
        if (cc_contract_due(c, j) >= height(chain)) {
            step->hi = cc_contract_due(c, j);
            break;
        }
        if (called(chain, s, j))
            return cc_step_refuse_here(
                err, "SYNC: REV while a called height is unproved");
    }
    st = apply_vou(&paid, step, s, p, err);
    if (st == CC_OK && s->act.rev)
        st = apply_rev(step, s, other, p, err);
    step->value -= paid;
    return st;
}

enum cc_status cc_step_revise(struct cc_step *step, const struct cc_spent *s,
                              struct cc_chain_read *chain, struct cc_error *err)
{
    const struct cc_contract *c = &step->next.u.contract;
    const struct cc_contract *n = &s->output->u.contract;

    if (n->revision <= c->revision)
        return cc_step_refuse(err, "REVISE: revision does not rise");
    if (memcmp(n->renter_key, c->renter_key, 32) ||
        memcmp(n->host_key, c->host_key, 32))
        return cc_step_refuse(err, "REVISE: key changed");
    if (n->redeemed != c->redeemed)
        return cc_step_refuse(err, "REVISE: redeemed changed");
    if (n->start != c->start || n->period != c->period || n->done != c->done ||
        n->odds != c->odds || n->periods < c->done) {
        if (n->done != 0)
            return cc_step_refuse(
                err, "REVISE: neither the old schedule nor a fresh one");
        if (!cc_contract_schedule_fair(n))
            return cc_step_refuse(err,
                                  "contract: too few periods for its odds");
        step->lo = (int64_t)n->start - chain->view->params->storage.max_lead;
        step->hi = n->start;
        if (height(chain) < step->lo || height(chain) > step->hi)
            return cc_step_refuse_here(
                err, "REVISE: fresh start not in h ... h + MAX_LEAD");
    }
    step->signers[0] = s->body.u.contract.renter_key;
    step->signers[1] = s->body.u.contract.host_key;
    step->next = *s->output; /* free within W */
    step->value = s->out->value;
    return CC_OK;
}

/* --- END ------------------------------------------------------------------ */

void cc_contract_end_split(struct cc_end_split *split,
                           const struct cc_contract *c, cc_amount value,
                           cc_amount redeemed_now, int64_t missed,
                           const struct cc_params *p)
{
    const cc_amount unspent =
        (cc_amount)(c->allowance - c->redeemed) - redeemed_now;
    const int64_t left = c->periods - c->done;

    if (missed >= p->storage.max_miss) {
        /* The collateral goes to the pool, not to the renter: nobody may gain
         * by silencing a host. */
        split->renter = unspent + (cc_amount)c->rent * left;
        split->host = redeemed_now;
        split->pool = value - split->renter - split->host;
    } else {
        split->renter = unspent + (cc_amount)c->rent * missed;
        split->pool = (cc_amount)c->penalty * missed;
        split->host = value - split->renter - split->pool;
    }
}

enum cc_status cc_step_end(struct cc_step *step, const struct cc_spent *s,
                           struct cc_chain_read *chain, struct cc_error *err)
{
    const struct cc_contract *c = &s->body.u.contract;
    const struct cc_params *p = chain->view->params;
    const bool by_renter = s->act.flags & CC_FLAG_BY_RENTER;
    struct cc_end_split split;
    enum cc_status st;
    int64_t missed = 0;
    cc_amount paid;

    step->signers[0] = by_renter ? c->renter_key : c->host_key;
    if (c->done < c->periods || by_renter) {
        step->lo = cc_contract_due(c, c->periods) + window(chain) + 1;
        for (int64_t j = (int64_t)c->done + 1; j <= c->periods; j++) {
            if (cc_contract_due(c, j) + window(chain) >= height(chain))
                break;
            missed += called(chain, s, j);
            if (missed == max_miss(chain)) {
                step->lo = cc_contract_due(c, j) + window(chain) + 1;
                break;
            }
        }
        if (height(chain) < step->lo)
            return cc_step_refuse_here(err, "END: too early");
    }
    st = apply_vou(&paid, step, s, p, err);
    if (st != CC_OK)
        return st;
    cc_contract_end_split(&split, c, s->coin->out.value, paid, missed, p);
    step->pool = split.pool;
    step->owes = true; /* also where both keys are one */
    memcpy(step->owed_key, by_renter ? c->host_key : c->renter_key, 32);
    step->owed = by_renter ? split.host : split.renter;
    return CC_OK;
}
