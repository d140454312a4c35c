/* S(h): the storage pool, T and the number of claims (doc/protocol.md 6). */
#include "consensus/reject.h"
#include "consensus/storage.h"

/* With n claims in a block, T moves by (TARGET_CLAIMS - n) / T_STEP of it. */
#define TARGET_CLAIMS 4
#define T_STEP 512

void cc_mint_first(struct cc_mint_state *s, const struct cc_params *p)
{
    s->pool = 0;
    s->ticket = p->storage.ticket_max;
    s->claims = 0;
}

/* T + (4 - n)·⌊T / 512⌋ within [2^160, T_MAX]; on the way it may take more
 * than 256 bits. */
static void ticket_next(struct cc_u256 *out, const struct cc_mint_state *prev,
                        const struct cc_params *p)
{
    const struct cc_u256 step_size = cc_u256_from_u64(T_STEP);
    const struct cc_u256 one = cc_u256_from_u64(1);
    struct cc_u256 step, t, least;
    bool over = false, under = false;

    cc_u256_div(&step, &prev->ticket, &step_size);
    if (prev->claims <= TARGET_CLAIMS) {
        cc_u256_mul_u64(&step, &step, TARGET_CLAIMS - prev->claims);
        over = cc_u256_add(&t, &prev->ticket, &step);
    } else {
        cc_u256_mul_u64(&step, &step, prev->claims - TARGET_CLAIMS);
        under = cc_u256_sub(&t, &prev->ticket, &step);
    }
    cc_u256_shl(&least, &one, p->storage.ticket_min_bits);
    if (under || cc_u256_cmp(&t, &least) < 0)
        t = least;
    if (over || cc_u256_cmp(&t, &p->storage.ticket_max) > 0)
        t = p->storage.ticket_max;
    *out = t;
}

enum cc_status cc_mint_next(struct cc_mint_state *next,
                            const struct cc_mint_state *prev, uint32_t height,
                            cc_amount penalties, cc_amount minted,
                            uint32_t claims, const struct cc_params *p,
                            struct cc_error *err)
{
    struct cc_mint_state s;

    if (claims > (uint64_t)p->storage.max_claims)
        return cc_reject_detail(err, CC_REJECT_STORAGE_MINT,
                                "%u claims in a block", (unsigned)claims);
    if (minted < 0 || minted > prev->pool)
        return cc_reject_detail(err, CC_REJECT_STORAGE_MINT,
                                "the block mints more than the pool holds");
    if (!cc_amount_add(&s.pool, prev->pool - minted,
                       cc_subsidy_storage(p, height), p->max_money) ||
        !cc_amount_add(&s.pool, s.pool, penalties, p->max_money))
        return cc_reject_detail(err, CC_REJECT_STORAGE_MINT,
                                "the pool leaves the range of money");
    ticket_next(&s.ticket, prev, p);
    s.claims = claims;
    *next = s;
    return CC_OK;
}

cc_amount cc_mint_reward(const struct cc_mint_state *s, uint32_t d,
                         const struct cc_params *p)
{
    cc_amount share = s->pool / p->storage.mint_div;
    cc_amount cap = cc_subsidy_storage(p, d) / 2;

    return share < cap ? share : cap;
}
