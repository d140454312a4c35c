/* The pool's bounds: age, memory, and the feerate that memory asks for. */
#include "mempool/internal.h"

#include "util/log.h"

#define HALF_LIFE_S (12 * 60 * 60)
#define FRACTION 16
#define MAX_ROLLING_RATE (INT64_C(1) << 46)

/* rate times 2^-(elapsed / half_life). Between whole halvings a parabola
 * through 1, 17/24 and 1/2: within 0.2 %, and alike on every machine. */
static uint64_t decay(uint64_t rate, int64_t elapsed, int64_t half_life)
{
    uint64_t f;

    for (; elapsed >= half_life && rate; elapsed -= half_life)
        rate /= 2;
    f = (uint64_t)elapsed * 1024 / (uint64_t)half_life;
    return rate / (6 * 1024 * 1024) * (6 * 1024 * 1024 - 4 * 1024 * f + f * f) +
           rate % (6 * 1024 * 1024) * (6 * 1024 * 1024 - 4 * 1024 * f + f * f) /
               (6 * 1024 * 1024);
}

cc_amount cc_txpool_min_feerate(struct cc_mempool *m)
{
    int64_t now = m->config.now(m->config.now_arg);
    const cc_amount incremental = m->config.incremental_feerate;
    cc_amount rate;

    /* It falls only once a block has made room. */
    if (m->block_since_bump && m->rolling && now > m->rolling_time + 10) {
        int64_t half_life = HALF_LIFE_S;

        if (m->usage < m->config.max_bytes / 4)
            half_life /= 4;
        else if (m->usage < m->config.max_bytes / 2)
            half_life /= 2;
        m->rolling = decay(m->rolling, now - m->rolling_time, half_life);
        m->rolling_time = now;
        if (m->rolling >> FRACTION < (uint64_t)incremental / 2)
            m->rolling = 0;
    }
    rate = (cc_amount)(m->rolling >> FRACTION);
    if (m->block_since_bump && rate > 0 && rate < incremental)
        return incremental;
    return rate;
}

static void expire(struct cc_mempool *m)
{
    int64_t before = m->config.now(m->config.now_arg) - m->config.expiry_s;

    if (m->oldest >= before)
        return;
    for (size_t i = 0; i < m->count;) {
        if (m->nodes[i]->e.time < before) {
            cc_txpool_remove_deep(m, m->nodes[i], CC_LEAVE_EXPIRY);
            i = 0; /* places have changed */
        } else {
            i++;
        }
    }
    m->oldest = INT64_MAX;
    for (size_t i = 0; i < m->count; i++)
        if (m->nodes[i]->e.time < m->oldest)
            m->oldest = m->nodes[i]->e.time;
}

static cc_amount bump(struct cc_mempool *m, const struct cc_txpool_node *gone)
{
    /* What comes next must pay for itself and for the relay of what left. */
    cc_amount rate =
        cc_feerate_of(gone->e.descendant_fees, gone->e.descendant_size) +
        m->config.incremental_feerate;

    if (rate > MAX_ROLLING_RATE)
        rate = MAX_ROLLING_RATE;
    if (rate > 0 && (uint64_t)rate << FRACTION > m->rolling) {
        m->rolling = (uint64_t)rate << FRACTION;
        m->block_since_bump = false;
    }
    return rate;
}

/* Cut down to size. */
static void trim(struct cc_mempool *m)
{
    const size_t before = m->count;
    cc_amount most = 0;
    char text[CC_FEERATE_TEXT];

    while (m->usage > m->config.max_bytes && m->count > 0) {
        struct cc_txpool_node *worst = cc_txpool_rank_worst(m);
        cc_amount rate = bump(m, worst);

        if (rate > most)
            most = rate;
        cc_txpool_remove_deep(m, worst, CC_LEAVE_SIZELIMIT);
    }
    if (most > 0)
        cc_debug(m->config.log, CC_LOG_MEMPOOL,
                 "Removed %zu txn, rolling minimum fee bumped to %s",
                 before - m->count, cc_txpool_format_feerate(text, m, most));
}

void cc_txpool_limit(struct cc_mempool *m)
{
    const size_t before = m->count;

    expire(m);
    if (m->count < before)
        cc_debug(m->config.log, CC_LOG_MEMPOOL,
                 "Expired %zu transactions from the memory pool",
                 before - m->count);
    trim(m);
}
