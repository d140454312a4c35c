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

    if (!v->window)
        return s;
    if (v->start == CC_VOTE_ALWAYS || v->start == CC_VOTE_NEVER) {
        s.state = v->start == CC_VOTE_ALWAYS ? CC_VOTE_ACTIVE : CC_VOTE_FAILED;
        return s;
    }
    if (!prev)
        return s;
    for (uint32_t next = v->window;
         next <= prev->height + 1 && s.state < CC_VOTE_ACTIVE;
         next += v->window) {
        const struct cc_index *last = cc_index_ancestor(prev, next - 1);
        enum cc_vote_state state = s.state;

        if (state == CC_VOTE_DEFINED) {
            if (last->median_time >= v->start)
                state = CC_VOTE_STARTED;
        } else if (state == CC_VOTE_LOCKED_IN) {
            if (next >= v->min_height)
                state = CC_VOTE_ACTIVE;
        } else if (count_signals(v, last) >= v->threshold) {
            state = CC_VOTE_LOCKED_IN;
        } else if (last->median_time >= v->timeout) {
            state = CC_VOTE_FAILED;
        }
        if (state != s.state)
            s.since = next;
        s.state = state;
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

/* --- Votes that we do not know -------------------------------------------- */

/* The rules of regtest's votes; elsewhere those of Bitcoin's main chain. */
static struct cc_vote unknown(const struct cc_params *p)
{
    struct cc_vote v = {.window = 2016, .threshold = 1815};

    if (p->testdummy.window) {
        v.window = p->testdummy.window;
        v.threshold = p->testdummy.threshold;
    }
    return v;
}

static uint8_t next_state(uint8_t state, bool enough)
{
    switch ((enum cc_vote_state)state) {
    case CC_VOTE_DEFINED:
        return CC_VOTE_STARTED;
    case CC_VOTE_STARTED:
        return enough ? CC_VOTE_LOCKED_IN : CC_VOTE_STARTED;
    default:
        return CC_VOTE_ACTIVE;
    }
}

/* What the window that ends with last does to each bit. */
static void watch_window(struct cc_vote_watch *w, const struct cc_params *p,
                         const struct cc_vote *v, const struct cc_index *last)
{
    const struct cc_index *first =
        cc_index_ancestor(last, last->height + 1 - v->window);
    const uint32_t ours = (uint32_t)cc_vote_version(p, first->prev);
    uint32_t count[CC_VOTE_BITS] = {0};
    const struct cc_index *i = last;

    for (uint32_t n = 0; n < v->window; n++, i = i->prev) {
        uint32_t version = (uint32_t)i->header.version;

        if ((version & TOP_MASK) != TOP_BITS)
            continue;
        for (unsigned bit = 0; bit < CC_VOTE_BITS; bit++)
            count[bit] += version >> bit & ~ours >> bit & 1;
    }
    for (unsigned bit = 0; bit < CC_VOTE_BITS; bit++)
        w->state[bit] = next_state(w->state[bit], count[bit] >= v->threshold);
    w->at = last;
}

void cc_vote_watch_update(struct cc_vote_watch *w, const struct cc_params *p,
                          const struct cc_index *tip)
{
    const struct cc_vote v = unknown(p);
    uint32_t next;

    if (w->at && (w->at->height > tip->height ||
                  cc_index_ancestor(tip, w->at->height) != w->at))
        *w = (struct cc_vote_watch){0};
    next = w->at ? w->at->height + v.window : v.window - 1;
    for (; next <= tip->height; next += v.window)
        watch_window(w, p, &v, cc_index_ancestor(tip, next));
}
