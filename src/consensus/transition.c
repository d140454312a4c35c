#include "consensus/transition.h"

#include <assert.h>
#include <string.h>

#include "consensus/reject.h"
#include "consensus/transition_internal.h"

void cc_chain_read_init(struct cc_chain_read *c,
                        const struct cc_storage_view *view)
{
    memset(c, 0, sizeof(*c));
    c->view = view;
    c->top = -1;
}

const uint8_t *cc_chain_read_hash(struct cc_chain_read *c, int64_t height)
{
    const uint8_t *hash;

    assert(height >= 0 && height < (int64_t)c->view->height);
    hash = c->view->hash(c->view->arg, (uint32_t)height);
    if (height > c->top) {
        c->top = height;
        memcpy(c->top_hash, hash, 32);
    }
    return hash;
}

enum cc_status cc_step_refuse(struct cc_error *err, const char *why)
{
    return cc_reject_detail(err, CC_REJECT_STORAGE_ACTION, "%s", why);
}

enum cc_status cc_step_refuse_here(struct cc_error *err, const char *why)
{
    cc_reject_detail(err, CC_REJECT_STORAGE_ACTION, "%s", why);
    if (err)
        err->verdict = CC_VERDICT_CONTEXT;
    return CC_INVALID;
}

struct cc_storage_job *cc_step_job(struct cc_step *step, enum cc_job_kind kind)
{
    struct cc_storage_job *job;

    assert(step->job_count < CC_STEP_JOBS);
    job = &step->jobs[step->job_count++];
    memset(job, 0, sizeof(*job));
    job->kind = kind;
    return job;
}

/* The coin's body with its real name and without formation signatures. */
static void copy_of(struct cc_typed *t, const struct cc_spent *s)
{
    *t = s->body;
    t->forming = false;
    t->sigs = cc_bytes(NULL, 0);
    if (t->kind == CC_KIND_CONTRACT)
        memcpy(t->u.contract.id, s->id, 32);
    else if (t->kind == CC_KIND_SEAL)
        memcpy(t->u.seal.id, s->id, 32);
}

enum cc_status cc_step_run(struct cc_step *step, const struct cc_spent *spent,
                           struct cc_chain_read *chain, struct cc_error *err)
{
    step->value = spent->coin->out.value;
    step->pool = step->mint = step->owed = 0;
    step->owes = false;
    step->signers[0] = step->signers[1] = NULL;
    step->lo = INT64_MIN;
    step->hi = INT64_MAX;
    step->job_count = 0;
    copy_of(&step->next, spent);
    switch (spent->act.action) {
    case CC_ACTION_PROVE:
        return cc_step_prove(step, spent, chain, err);
    case CC_ACTION_SYNC:
        return cc_step_sync(step, spent, chain, err);
    case CC_ACTION_REVISE:
        return cc_step_revise(step, spent, chain, err);
    case CC_ACTION_END:
        return cc_step_end(step, spent, chain, err);
    case CC_ACTION_CLOSE:
        step->signers[0] = spent->body.u.contract.renter_key;
        step->signers[1] = spent->body.u.contract.host_key;
        return CC_OK;
    case CC_ACTION_UPDATE:
        return cc_step_update(step, spent, chain, err);
    case CC_ACTION_RETIRE_IDENTITY:
        return cc_step_retire_identity(step, spent, chain, err);
    case CC_ACTION_CLAIM:
        return cc_step_claim(step, spent, chain, err);
    case CC_ACTION_RETIRE_SEAL:
        step->signers[0] = spent->body.u.seal.host_key;
        return CC_OK;
    }
    assert(false && "cc_act_parse lets no other action through");
    return CC_INVALID;
}
