#include "net/timedata.h"

#include <string.h>

void cc_timedata_init(struct cc_timedata *t) { memset(t, 0, sizeof(*t)); }

void cc_timedata_add(struct cc_timedata *t, const struct cc_netaddr *host,
                     int64_t offset_s)
{
    size_t at = t->count + 1;
    int64_t median;

    if (t->count == CC_TIMEDATA_MAX)
        return;
    for (size_t i = 0; i < t->count; i++)
        if (cc_netaddr_same_host(&t->hosts[i], host))
            return;
    t->hosts[t->count++] = *host;
    for (; at > 0 && t->offsets[at - 1] > offset_s; at--)
        t->offsets[at] = t->offsets[at - 1];
    t->offsets[at] = offset_s;
    if (t->count < 4 || t->count % 2)
        return;
    median = t->offsets[t->count / 2];
    if (median < -CC_TIMEDATA_LIMIT_S || median > CC_TIMEDATA_LIMIT_S)
        median = 0;
    t->median = median;
}
