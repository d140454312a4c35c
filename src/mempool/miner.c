#include "mempool/miner.h"

#include "chain/vote.h"
#include "consensus/pow.h"
#include "crypto/hash.h"
#include "mempool/internal.h"
#include "mempool/select.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Header, count and coinbase: kept free. */
#define RESERVED_WEIGHT 4000
#define RESERVED_SIGOPS 400
#define DEFAULT_MAX_WEIGHT (CC_MAX_BLOCK_WEIGHT - RESERVED_WEIGHT)
#define STOP_TRIES 0x10000 /* so many, some 50 ms, between two questions */

/* --- A block in the making -------------------------------------------------
 */

struct draft {
    struct cc_mempool *m;
    struct cc_header header;
    uint32_t height;
    int64_t min_time;
    bool witness;     /* BIP 141 holds */
    struct cc_tx *tx; /* [0]: the coinbase, ours; the others borrowed */
    cc_amount *fees;
    int64_t *sigop_costs;
    size_t count, cap, fees_cap, sigops_cap;
    cc_amount total_fees, coinbase_value;
    uint8_t commitment[38];
    uint8_t coinbase_script[16];
    uint8_t reserved[32];
    struct cc_txin in;
    struct cc_txout out[2];
    struct cc_bytes witness_item;
};

static void draft_add(struct draft *d, const struct cc_tx *tx, cc_amount fee,
                      int64_t sigop_cost)
{
    d->tx = cc_grow(d->tx, &d->cap, d->count + 1, sizeof(*d->tx));
    d->fees = cc_grow(d->fees, &d->fees_cap, d->count + 1, sizeof(*d->fees));
    d->sigop_costs = cc_grow(d->sigop_costs, &d->sigops_cap, d->count + 1,
                             sizeof(*d->sigop_costs));
    d->tx[d->count] = *tx;
    d->fees[d->count] = fee;
    d->sigop_costs[d->count++] = sigop_cost;
    d->total_fees += fee;
}

static void draft_init(struct draft *d, struct cc_mempool *m)
{
    const struct cc_index *tip = cc_chain_tip(m->config.chain);
    const struct cc_tx none = {0};
    int64_t now = m->config.now(m->config.now_arg);

    memset(d, 0, sizeof(*d));
    d->m = m;
    d->height = tip->height + 1;
    d->min_time = tip->median_time + 1;
    d->witness = d->height >= m->params->segwit_height;
    d->header.version = m->config.block_version
                            ? m->config.block_version
                            : cc_vote_version(m->params, tip);
    memcpy(d->header.prev, tip->hash, 32);
    d->header.time = (uint32_t)(now > d->min_time ? now : d->min_time);
    d->header.bits = cc_pow_next_bits(m->params, tip->height, tip->header.time,
                                      tip->header.bits);
    draft_add(d, &none, 0, 0); /* the coinbase's place */
}

static void draft_clear(struct draft *d)
{
    free(d->tx);
    free(d->fees);
    free(d->sigop_costs);
}

/* BIP 34 height, the miner's output, and the commitment to all witnesses. */
static void make_coinbase(struct draft *d, struct cc_bytes script)
{
    static const uint8_t head[6] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    struct cc_tx *tx = &d->tx[0];
    struct cc_block block = {0};
    uint8_t both[64] = {0};
    struct cc_writer w;

    cc_writer_init(&w, d->coinbase_script, sizeof(d->coinbase_script));
    cc_script_push_int(&w, d->height);
    cc_write_u8(&w, CC_OP_0); /* two bytes at least */
    d->in.prevout.index = UINT32_MAX;
    d->in.sequence = CC_SEQUENCE_FINAL;
    d->in.script_sig = cc_bytes(d->coinbase_script, w.len);
    d->out[0].value = d->coinbase_value;
    d->out[0].script = script;
    tx->version = 2;
    tx->vin = &d->in;
    tx->vin_count = 1;
    tx->vout = d->out;
    tx->vout_count = 1;
    /* Before BIP 141 it means nothing, and costs nothing. */
    block.tx = d->tx;
    block.tx_count = d->count;
    cc_block_witness_root(both, &block); /* ignores the coinbase's id */
    memcpy(d->commitment, head, sizeof(head));
    cc_hash256(d->commitment + sizeof(head), both, sizeof(both));
    d->out[1].script = cc_bytes(d->commitment, sizeof(d->commitment));
    tx->vout_count = 2;
    if (d->witness) {
        d->witness_item = cc_bytes(d->reserved, sizeof(d->reserved));
        d->in.witness = &d->witness_item;
        d->in.witness_count = 1;
    }
    cc_tx_finish(tx);
}

static void draft_seal(struct draft *d, struct cc_bytes script, cc_amount fees)
{
    struct cc_block block = {0};

    d->coinbase_value = cc_subsidy(d->m->params, d->height) -
                        cc_subsidy_storage(d->m->params, d->height) + fees;
    make_coinbase(d, script);
    d->fees[0] = -d->total_fees;
    d->sigop_costs[0] =
        (int64_t)cc_tx_legacy_sigops(&d->tx[0]) * CC_WITNESS_SCALE;
    block.tx = d->tx;
    block.tx_count = d->count;
    cc_block_merkle_root(d->header.merkle_root, &block, NULL);
}

static uint8_t *draft_encode(const struct draft *d, size_t *len)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_header_write(&w, &d->header);
    cc_write_compact(&w, d->count);
    for (size_t i = 0; i < d->count; i++)
        cc_tx_write(&w, &d->tx[i], true);
    return cc_writer_take(&w, len);
}

/* The block without work, judged as if on the tip. out is the caller's on
 * CC_OK. */
static enum cc_status draft_judge(const struct draft *d, struct cc_block *out,
                                  struct cc_error *err)
{
    size_t len;
    uint8_t *data = draft_encode(d, &len);
    enum cc_status st = cc_block_decode_take(out, data, len);

    if (st != CC_OK)
        return cc_fail(err, st, "the new block cannot be written");
    st = cc_chain_test_block(d->m->config.chain, out, false, false, err);
    if (st != CC_OK)
        cc_block_clear(out);
    return cc_context(err, st, "TestBlockValidity failed");
}

static void print_priority(const struct cc_mempool *m,
                           const struct cc_txpool_node *n)
{
    cc_amount rate = cc_feerate_of(cc_txpool_fee(n), n->e.vsize);
    char txid[65];

    cc_hex_encode_rev(txid, n->e.tx.txid, 32);
    cc_log(m->config.log, "fee rate %s%" PRId64 ".%08" PRId64 " %s/kvB txid %s",
           rate < 0 ? "-" : "", (rate < 0 ? -rate : rate) / CC_COIN,
           (rate < 0 ? -rate : rate) % CC_COIN,
           m->params->storage_active ? "CLC" : "BTC", txid);
}

/* The best transactions of the pool. */
static void draft_fill(struct draft *d)
{
    struct cc_mempool *m = d->m;
    struct cc_txpool_list chosen = {0};
    size_t weight = m->config.block_max_weight;
    struct cc_select_room room = {
        .weight = (weight ? weight : DEFAULT_MAX_WEIGHT) - RESERVED_WEIGHT,
        .sigop_cost = CC_MAX_BLOCK_SIGOPS_COST - RESERVED_SIGOPS,
        .min_feerate = m->config.block_min_feerate,
    };

    if (m->params->storage_active) {
        room.claims = (uint32_t)m->params->storage.max_claims;
        room.mint = cc_chain_tip(m->config.chain)->state.pool;
    }
    cc_txpool_select(m, &room, &chosen);
    for (size_t i = 0; i < chosen.count; i++) {
        draft_add(d, &chosen.items[i]->e.tx, chosen.items[i]->e.fee,
                  chosen.items[i]->e.sigop_cost);
        if (m->config.print_priority)
            print_priority(m, chosen.items[i]);
    }
    m->block_txs = chosen.count;
    m->block_weight = RESERVED_WEIGHT;
    for (size_t i = 0; i < chosen.count; i++)
        m->block_weight += cc_tx_weight(&chosen.items[i]->e.tx);
    cc_txpool_list_clear(&chosen);
}

/* --- Templates -------------------------------------------------------------
 */

enum cc_status cc_template_new(struct cc_template *out, struct cc_mempool *m,
                               struct cc_bytes script, struct cc_error *err)
{
    struct draft d;
    enum cc_status st;

    cc_chain_lock(m->config.chain);
    draft_init(&d, m);
    draft_fill(&d);
    draft_seal(&d, script, d.total_fees);
    memset(out, 0, sizeof(*out));
    st = draft_judge(&d, &out->block, err);
    if (st == CC_OK) {
        out->fees = d.fees;
        out->sigop_costs = d.sigop_costs;
        d.fees = NULL;
        d.sigop_costs = NULL;
        out->height = d.height;
        out->min_time = d.min_time;
        out->coinbase_value = d.coinbase_value;
        memcpy(out->commitment_script, d.commitment, sizeof(d.commitment));
        out->commitment_len = sizeof(d.commitment);
    }
    draft_clear(&d);
    cc_chain_unlock(m->config.chain);
    return st;
}

void cc_template_clear(struct cc_template *t)
{
    cc_block_clear(&t->block);
    free(t->fees);
    free(t->sigop_costs);
    memset(t, 0, sizeof(*t));
}

/* --- Mining ----------------------------------------------------------------
 */

bool cc_mine(struct cc_header *h, const struct cc_params *p, uint64_t *tries,
             const struct cc_mine_stop *stop)
{
    uint8_t raw[CC_HEADER_SIZE], hash[32];
    struct cc_sha256 first, c;
    struct cc_writer w;

    for (;;) {
        cc_writer_init(&w, raw, sizeof(raw));
        cc_header_write(&w, h);
        cc_sha256_init(&first);
        cc_sha256_update(&first, raw, 64); /* the same for every nonce */
        for (h->nonce = 0;; h->nonce++) {
            if (*tries == 0 ||
                (stop && h->nonce % STOP_TRIES == 0 && stop->ask(stop->arg)))
                return false;
            --*tries;
            cc_put_u32le(raw + 76, h->nonce);
            c = first;
            cc_sha256_update(&c, raw + 64, sizeof(raw) - 64);
            cc_sha256_final2(&c, hash);
            if (cc_pow_check(hash, h->bits, p))
                return true;
            if (h->nonce == UINT32_MAX)
                break;
        }
        h->time++; /* all nonces tried */
    }
}

enum cc_status cc_generate(struct cc_block *out, struct cc_mempool *m,
                           struct cc_bytes script, const struct cc_tx *txs,
                           size_t count, uint64_t *tries,
                           const struct cc_mine_stop *stop,
                           struct cc_error *err)
{
    struct cc_block judged;
    struct cc_writer w;
    struct draft d;
    uint8_t *data = NULL;
    size_t len = 0;
    enum cc_status st;

    cc_chain_lock(m->config.chain);
    draft_init(&d, m);
    m->block_txs = 0;
    m->block_weight = RESERVED_WEIGHT;
    if (txs)
        for (size_t i = 0; i < count; i++)
            draft_add(&d, &txs[i], 0, 0);
    else
        draft_fill(&d);
    draft_seal(&d, script, d.total_fees);
    st = draft_judge(&d, &judged, err);
    if (st == CC_OK) {
        cc_block_clear(&judged);
        data = draft_encode(&d, &len);
    }
    /* Without the lock the tip may move: then the block is a branch. The
     * pool's transactions may go: they are written out. */
    cc_chain_unlock(m->config.chain);
    draft_clear(&d);
    if (st != CC_OK)
        return st;
    if (!cc_mine(&d.header, m->params, tries, stop)) {
        free(data);
        return cc_fail(err, CC_LIMIT, "no block was found in the tries given");
    }
    cc_writer_init(&w, data, CC_HEADER_SIZE);
    cc_header_write(&w, &d.header);
    return cc_block_decode_take(out, data, len);
}
