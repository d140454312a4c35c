/* The heavy jobs: signatures, paths, unsealing. Any thread. */
#include "consensus/reject.h"
#include "consensus/seal.h"
#include "consensus/storage.h"
#include "crypto/ec.h"
#include "crypto/mtree.h"

#include <string.h>

static bool path_holds(const uint8_t *raw, const struct cc_storage_job *job)
{
    uint8_t leaf[32], root[32];

    cc_mtree_leaf(leaf, raw, CC_LEAF_SIZE);
    return cc_mtree_path_root(root, leaf, job->index, job->leaves,
                              job->data.data + CC_LEAF_SIZE,
                              (job->data.len - CC_LEAF_SIZE) / 32) &&
           !memcmp(root, job->root, 32);
}

enum cc_status cc_storage_job_run(const struct cc_storage_job *job,
                                  const struct cc_params *params,
                                  struct cc_error *err)
{
    uint8_t raw[CC_LEAF_SIZE];

    switch (job->kind) {
    case CC_JOB_SIG:
        if (cc_schnorr_verify(job->key, job->data.data, job->msg, 32))
            return CC_OK;
        return cc_reject_code(err, CC_REJECT_STORAGE_SIGNATURE);
    case CC_JOB_PATH:
        if (path_holds(job->data.data, job))
            return CC_OK;
        break;
    case CC_JOB_UNSEAL:
        cc_unseal_leaf(raw, job->data.data, job->index, job->key, params);
        if (path_holds(raw, job))
            return CC_OK;
        break;
    }
    return cc_reject_code(err, CC_REJECT_STORAGE_PROOF);
}
