/* transition_internal.h: one function per action, for transition.c alone. They
 * find step as cc_step_run leaves it: the successor a copy of the coin. */
#ifndef CC_CONSENSUS_TRANSITION_INTERNAL_H
#define CC_CONSENSUS_TRANSITION_INTERNAL_H

#include "consensus/transition.h"

/* Wrong on every branch; and wrong here and now. */
enum cc_status cc_step_refuse(struct cc_error *err, const char *why);
enum cc_status cc_step_refuse_here(struct cc_error *err, const char *why);
/* A zeroed job of this kind. */
struct cc_storage_job *cc_step_job(struct cc_step *step, enum cc_job_kind kind);

typedef enum cc_status cc_step_fn(struct cc_step *step,
                                  const struct cc_spent *spent,
                                  struct cc_chain_read *chain,
                                  struct cc_error *err);
cc_step_fn cc_step_prove, cc_step_sync, cc_step_revise, cc_step_end;
cc_step_fn cc_step_update, cc_step_retire_identity, cc_step_claim;

#endif
