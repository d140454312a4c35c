/* What a block's place in the chain of headers demands of it. */
#include "consensus/check.h"

#include "consensus/pow.h"
#include "crypto/hash.h"
#include "util/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum cc_status cc_header_check_place(const struct cc_header *h,
                                     const struct cc_params *p,
                                     const struct cc_place *place,
                                     struct cc_error *err)
{
    if (h->bits != cc_pow_next_bits(p, place->height - 1, place->prev_time,
                                    place->prev_bits))
        return cc_reject_code(err, CC_REJECT_DIFFBITS);
    if (h->time <= place->prev_median_time)
        return cc_reject_code(err, CC_REJECT_TIME_TOO_OLD);
    if (h->time > place->now + CC_MAX_FUTURE_S)
        return cc_reject_code(err, CC_REJECT_TIME_TOO_NEW);
    /* BIP 34, 66, 65: each asked for the next version. */
    if ((h->version < 2 && place->height >= p->bip34_height) ||
        (h->version < 3 && place->height >= p->bip66_height) ||
        (h->version < 4 && place->height >= p->bip65_height)) {
        char reason[32], detail[48];

        (void)snprintf(reason, sizeof(reason), "bad-version(0x%08" PRIx32 ")",
                       (uint32_t)h->version);
        (void)snprintf(detail, sizeof(detail),
                       "rejected nVersion=0x%08" PRIx32 " block",
                       (uint32_t)h->version);
        return cc_reject(err, CC_VERDICT_HEADER, reason, detail);
    }
    return CC_OK;
}

/* BIP 34: the coinbase's scriptSig begins with the push of the height. */
static bool shows_height(const struct cc_tx *coinbase, uint32_t height)
{
    struct cc_bytes script = coinbase->vin[0].script_sig;
    uint8_t buf[16];
    struct cc_writer w;

    cc_writer_init(&w, buf, sizeof(buf));
    cc_script_push_int(&w, height);
    return script.len >= w.len && !memcmp(script.data, buf, w.len);
}

/* BIP 141: the commitment, or no witness at all. All faults but those of the
 * commitment's own coinbase can be made by whoever passes the block on, so
 * they do not condemn the hash. */
static enum cc_status check_witness(const struct cc_block *block, bool active,
                                    struct cc_error *err)
{
    const struct cc_tx *coinbase = &block->tx[0];
    int index = active ? cc_block_commitment_index(block) : -1;
    uint8_t both[64], commitment[32];

    if (index < 0) {
        for (size_t i = 0; i < block->tx_count; i++)
            if (block->tx[i].has_witness)
                return cc_reject_code(err, CC_REJECT_WITNESS_UNEXPECTED);
        return CC_OK;
    }
    if (coinbase->vin[0].witness_count != 1 ||
        coinbase->vin[0].witness[0].len != 32)
        return cc_reject_code(err, CC_REJECT_WITNESS_NONCE);
    cc_block_witness_root(both, block);
    memcpy(both + 32, coinbase->vin[0].witness[0].data, 32);
    cc_hash256(commitment, both, sizeof(both));
    if (memcmp(coinbase->vout[index].script.data + 6, commitment,
               sizeof(commitment)) != 0)
        return cc_reject_code(err, CC_REJECT_WITNESS_MERKLE);
    return CC_OK;
}

enum cc_status cc_block_check_place(const struct cc_block *block,
                                    const struct cc_params *p,
                                    const struct cc_place *place,
                                    struct cc_error *err)
{
    int64_t cutoff = place->height >= p->csv_height ? place->prev_median_time
                                                    : block->header.time;
    enum cc_status st;

    for (size_t i = 0; i < block->tx_count; i++)
        if (!cc_tx_is_final(&block->tx[i], place->height, cutoff))
            return cc_reject_code(err, CC_REJECT_BLK_NONFINAL);
    if (place->height >= p->bip34_height &&
        !shows_height(&block->tx[0], place->height))
        return cc_reject_code(err, CC_REJECT_CB_HEIGHT);
    st = check_witness(block, place->height >= p->segwit_height, err);
    if (st != CC_OK)
        return st;
    /* Last, so that a witness that was altered on the way is found first. */
    if (cc_block_weight(block) > CC_MAX_BLOCK_WEIGHT)
        return cc_reject_code(err, CC_REJECT_BLK_WEIGHT);
    return CC_OK;
}

bool cc_tx_is_final(const struct cc_tx *tx, int64_t height, int64_t time)
{
    int64_t now = tx->locktime < CC_LOCKTIME_THRESHOLD ? height : time;

    if (tx->locktime == 0 || (int64_t)tx->locktime < now)
        return true;
    for (size_t i = 0; i < tx->vin_count; i++)
        if (tx->vin[i].sequence != CC_SEQUENCE_FINAL)
            return false;
    return true;
}

/* BIP 68. */
#define SEQUENCE_DISABLE (1u << 31)
#define SEQUENCE_TIME (1u << 22)
#define SEQUENCE_MASK 0xffffu
#define SEQUENCE_GRANULARITY 9 /* units of 512 seconds */

struct cc_sequence_lock cc_tx_sequence_lock(const struct cc_tx *tx,
                                            const uint32_t *coin_heights,
                                            cc_mtp_fn mtp, void *arg)
{
    struct cc_sequence_lock lock = {-1, -1};

    if ((uint32_t)tx->version < 2)
        return lock;
    for (size_t i = 0; i < tx->vin_count; i++) {
        uint32_t sequence = tx->vin[i].sequence;
        int64_t span = sequence & SEQUENCE_MASK;
        int64_t last;

        if (sequence & SEQUENCE_DISABLE)
            continue;
        if (sequence & SEQUENCE_TIME) {
            uint32_t before = coin_heights[i] ? coin_heights[i] - 1 : 0;

            last = mtp(arg, before) + (span << SEQUENCE_GRANULARITY) - 1;
            if (last > lock.min_time)
                lock.min_time = last;
        } else {
            last = (int64_t)coin_heights[i] + span - 1;
            if (last > lock.min_height)
                lock.min_height = last;
        }
    }
    return lock;
}

bool cc_sequence_lock_holds(const struct cc_sequence_lock *lock,
                            uint32_t height, int64_t prev_median_time)
{
    return lock->min_height < (int64_t)height &&
           lock->min_time < prev_median_time;
}

uint32_t cc_block_script_flags(const struct cc_params *p, uint32_t height)
{
    /* BIP 16, 141 and 341 hold from block 0 on every chain of ours. */
    uint32_t flags = CC_VERIFY_P2SH | CC_VERIFY_WITNESS | CC_VERIFY_TAPROOT;

    if (height >= p->bip66_height)
        flags |= CC_VERIFY_DERSIG;
    if (height >= p->bip65_height)
        flags |= CC_VERIFY_CHECKLOCKTIMEVERIFY;
    if (height >= p->csv_height)
        flags |= CC_VERIFY_CHECKSEQUENCEVERIFY;
    if (height >= p->segwit_height)
        flags |= CC_VERIFY_NULLDUMMY;
    return flags;
}
