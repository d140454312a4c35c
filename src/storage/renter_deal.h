/* renter_deal.h: what to propose to a host, and what that costs each side. */
#ifndef CC_STORAGE_RENTER_DEAL_H
#define CC_STORAGE_RENTER_DEAL_H

#include "storage/renter_internal.h"

struct cc_renter_deal {
    struct cc_contract terms;
    uint32_t capacity;                 /* sectors */
    cc_amount value, ours, collateral; /* of the output; of it: our part */
};

/* A contract with host, starting soon after height, that has room for this
 * many sectors. All but the renter's key, which stays zero. CC_INVALID: the
 * host takes none such, or asks more than the user allows. */
enum cc_status cc_renter_deal_choose(struct cc_renter_deal *out,
                                     const struct cc_renter_options *options,
                                     const struct cc_host *host,
                                     uint32_t sectors, uint32_t height,
                                     struct cc_error *err);

#endif
