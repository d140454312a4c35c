#include "chain/vote.h"

#define TOP_MASK UINT32_C(0xe0000000)
#define TOP_BITS UINT32_C(0x20000000)

bool cc_vote_signals(const struct cc_vote *v, const struct cc_index *block)
{
    uint32_t version = (uint32_t)block->header.version;

    return (version & TOP_MASK) == TOP_BITS && version >> v->bit & 1;
}

/* Of the window that ends with last. */
static uint32_t count_signals(const struct cc_vote *v,
                              const struct cc_index *last)
{
    uint32_t count = 0;

    for (uint32_t n = 0; n < v->window; n++, last = last->prev)
        count += cc_vote_signals(v, last);
    return count;
}

struct cc_vote_status cc_vote_status(const struct cc_vote *v,
                                     const struct cc_index *prev)
{
    struct cc_vote_status s = {CC_VOTE_DEFINED, 0};

    if (!v->window || !prev)
        return s;
    for (uint32_t next = v->window;
         next <= prev->height + 1 && s.state != CC_VOTE_ACTIVE;
         next += v->window) {
        if (s.state == CC_VOTE_STARTED &&
            count_signals(v, cc_index_ancestor(prev, next - 1)) < v->threshold)
            continue;
        s.state++;
        s.since = next;
    }
    return s;
}

int32_t cc_vote_version(const struct cc_params *p, const struct cc_index *prev)
{
    struct cc_vote_status s = cc_vote_status(&p->testdummy, prev);
    uint32_t version = TOP_BITS;

    if (s.state == CC_VOTE_STARTED || s.state == CC_VOTE_LOCKED_IN)
        version |= UINT32_C(1) << p->testdummy.bit;
    return (int32_t)version;
}
