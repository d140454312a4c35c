/* The script of one input, and the words for what is wrong with it. */
#include "consensus/check.h"

#include <stdio.h>

enum cc_status cc_input_check(const struct cc_sighash *s, size_t index,
                              uint32_t flags, bool storage_active,
                              struct cc_error *err)
{
    const struct cc_txout *out = &s->coins[index].out;
    enum cc_script_error fault;
    char reason[160];

    if (storage_active && out->script.len > 0 &&
        out->script.data[0] == CC_OP_STORAGE)
        return CC_OK;
    if (cc_script_verify(s, index, out->script, out->value, flags, &fault))
        return CC_OK;
    (void)snprintf(reason, sizeof(reason),
                   "mandatory-script-verify-flag-failed (%s)",
                   cc_script_error_string(fault));
    return cc_reject(err, CC_VERDICT_CONSENSUS, reason, NULL);
}
