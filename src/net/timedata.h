/*
 * timedata.h: how far the clocks of other nodes are from ours, for people to
 * see; no rule depends on it.
 *
 * As Core 27 has it: a sample of each host that we connected to ourselves
 * (who connects to us may say what he likes), and one of zero for ourselves.
 * The median counts from four hosts on, each time their number is even, until
 * there are CC_TIMEDATA_MAX; one of more than 70 minutes counts as none. Not
 * thread safe.
 */
#ifndef CC_NET_TIMEDATA_H
#define CC_NET_TIMEDATA_H

#include "net/netaddr.h"

#define CC_TIMEDATA_MAX 199
#define CC_TIMEDATA_LIMIT_S (70 * 60)

struct cc_timedata {
    struct cc_netaddr hosts[CC_TIMEDATA_MAX];
    int64_t offsets[CC_TIMEDATA_MAX + 1]; /* rising */
    size_t count;                         /* of hosts */
    int64_t median;                       /* seconds */
};

void cc_timedata_init(struct cc_timedata *t);
void cc_timedata_add(struct cc_timedata *t, const struct cc_netaddr *host,
                     int64_t offset_s);

#endif
