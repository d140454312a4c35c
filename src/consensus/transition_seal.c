/* Identities and seals: UPDATE, RETIRE, CLAIM (doc/protocol.md 4.5, 6). */
#include <string.h>

#include "consensus/seal.h"
#include "consensus/transition_internal.h"

enum cc_status cc_step_update(struct cc_step *step, const struct cc_spent *s,
                              struct cc_chain_read *chain, struct cc_error *err)
{
    struct cc_identity *next = &step->next.u.identity;

    step->signers[0] = s->body.u.identity.key;
    if (next->sequence == UINT32_MAX)
        return cc_step_refuse(err, "UPDATE: last sequence number used");
    if (s->out->value < s->coin->out.value) {
        step->lo =
            (int64_t)s->coin->height + chain->view->params->storage.bond_lock;
        if ((int64_t)chain->view->height < step->lo)
            return cc_step_refuse_here(err, "UPDATE: bond is locked");
    }
    next->sequence++;
    next->record = s->output->u.identity.record;
    step->value = s->out->value;
    return CC_OK;
}

enum cc_status cc_step_retire_identity(struct cc_step *step,
                                       const struct cc_spent *s,
                                       struct cc_chain_read *chain,
                                       struct cc_error *err)
{
    step->signers[0] = s->body.u.identity.key;
    step->lo =
        (int64_t)s->coin->height + chain->view->params->storage.bond_lock;
    if ((int64_t)chain->view->height < step->lo)
        return cc_step_refuse_here(err, "RETIRE: bond is locked");
    return CC_OK;
}

/* Is the leaf's sector drawn, and does its ticket win? */
static enum cc_status claim_draw(struct cc_step *step, const struct cc_spent *s,
                                 struct cc_chain_read *chain,
                                 const uint8_t key[32], struct cc_error *err)
{
    const struct cc_params *p = chain->view->params;
    const uint64_t sector = s->act.leaf / CC_SECTOR_LEAVES;
    const uint8_t *hash = cc_chain_read_hash(chain, s->act.d);
    struct cc_mint_state state;
    struct cc_u256 ticket;
    unsigned column;
    uint64_t drawn;

    cc_seal_draw(&drawn, &column, hash, key,
                 (uint32_t)(sector / p->storage.unit), p);
    if (sector != drawn)
        return cc_step_refuse_here(err, "CLAIM: sector not drawn");
    cc_seal_ticket(&ticket, hash, key, s->act.leaf, column,
                   s->act.proofs[0].data, p);
    if (!chain->view->state(chain->view->arg, s->act.d, &state))
        return cc_fail(err, CC_CORRUPT, "no storage state of height %u",
                       (unsigned)s->act.d);
    if (cc_u256_cmp(&ticket, &state.ticket) >= 0)
        return cc_step_refuse_here(err, "CLAIM: ticket does not win");
    step->mint = cc_mint_reward(&state, s->act.d, p);
    return CC_OK;
}

enum cc_status cc_step_claim(struct cc_step *step, const struct cc_spent *s,
                             struct cc_chain_read *chain, struct cc_error *err)
{
    const struct cc_storage_params *p = &chain->view->params->storage;
    const struct cc_seal *c = &s->body.u.seal;
    const uint64_t leaves = (uint64_t)c->sectors * CC_SECTOR_LEAVES;
    const int64_t h = chain->view->height, d = s->act.d;
    struct cc_seal *next = &step->next.u.seal;
    struct cc_storage_job *job;
    uint8_t key[32];
    enum cc_status st;

    step->signers[0] = c->host_key;
    step->lo = d + 1;
    step->hi = d + p->claim_window;
    if (s->act.leaf >= leaves)
        return cc_step_refuse(err, "CLAIM: no such leaf");
    if (d < c->mark_height ||
        (d == c->mark_height && s->act.leaf <= c->mark_leaf))
        return cc_step_refuse(err, "CLAIM: not past the mark");
    if (c->seal_height >= d)
        return cc_step_refuse(err, "CLAIM: drawn before the key was known");
    if (s->act.proof_count != 1 ||
        s->act.proofs[0].len !=
            CC_LEAF_SIZE + 32 * cc_mtree_path_len(s->act.leaf, leaves))
        return cc_step_refuse(err, "CLAIM: size of the proof");
    if (h < step->lo || h > step->hi)
        return cc_step_refuse_here(err, "CLAIM: height out of range");
    cc_seal_key(key, cc_chain_read_hash(chain, c->seal_height), s->id,
                c->host_key);
    st = claim_draw(step, s, chain, key, err);
    if (st != CC_OK)
        return st;
    job = cc_step_job(step, CC_JOB_UNSEAL);
    memcpy(job->key, key, 32);
    memcpy(job->root, c->root, 32);
    job->index = s->act.leaf;
    job->leaves = leaves;
    job->data = s->act.proofs[0];
    next->mark_height = s->act.d;
    next->mark_leaf = s->act.leaf;
    return CC_OK;
}
