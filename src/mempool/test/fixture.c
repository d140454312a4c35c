#include "mempool/test/fixture.h"

#include "crypto/hash.h"
#include "support.h"
#include "util/mem.h"

#include <string.h>

static int64_t clock_now(void *arg) { return *(int64_t *)arg; }

static void on_added(void *arg, const struct cc_mempool_entry *e)
{
    struct fixture *f = arg;

    (void)e;
    f->added_count++;
}

static void on_removed(void *arg, const struct cc_mempool_entry *e,
                       enum cc_mempool_leave why)
{
    struct fixture *f = arg;

    if (f->quiet)
        return;
    assert_true(f->left_count < FIXTURE_LOG);
    memcpy(f->left_txid[f->left_count], e->tx.txid, 32);
    f->left[f->left_count++] = why;
}

struct cc_bytes fixture_script(void)
{
    static uint8_t script[34] = {0, 32};

    cc_sha256_once(script + 2, "\x51", 1);
    return cc_bytes(script, sizeof(script));
}

static void open_pool(struct fixture *f)
{
    const struct cc_mempool_listener l = {f, on_added, on_removed};

    f->config.chain = f->chain;
    f->pool = cc_mempool_new(&f->config);
    cc_mempool_listen(f->pool, &l);
}

static void open_chain(struct fixture *f)
{
    const struct cc_chain_config config = {
        .params = &f->params,
        .directory = f->dir,
        .cache_bytes = 1 << 20,
        .now = clock_now,
        .now_arg = &f->now,
    };

    if (cc_chain_open(&f->chain, &config, &f->err) != CC_OK)
        fail_msg("%s", f->err.text);
}

void fixture_open(struct fixture *f, enum cc_chain_id id)
{
    memset(f, 0, sizeof(*f));
    f->params = *cc_params_get(id);
    f->params.coinbase_maturity = 2;
    f->dir = cc_test_mkdir();
    f->now = f->params.genesis.time + 100000;
    f->config = (struct cc_mempool_config){
        .max_bytes = 300000000,
        .known_bytes = 1 << 20,
        .expiry_s = 336 * 3600,
        .min_relay_feerate = 1000,
        .incremental_feerate = 1000,
        .dust_feerate = 3000,
        .require_standard = true,
        .bare_multisig = true,
        .datacarrier_bytes = 83,
        .ancestor_limit = 25,
        .descendant_limit = 25,
        .bytes_per_sigop = 20,
        .check = 1,
        .block_min_feerate = 1000,
        .now = clock_now,
        .now_arg = &f->now,
    };
    cc_build_init(&f->b);
    open_chain(f);
    open_pool(f);
}

void fixture_reopen(struct fixture *f)
{
    /* The chain keeps its listeners, so both go. */
    cc_mempool_free(f->pool);
    cc_chain_free(f->chain);
    open_chain(f);
    open_pool(f);
    f->left_count = f->added_count = 0;
}

void fixture_close(struct fixture *f)
{
    cc_mempool_free(f->pool);
    cc_chain_free(f->chain);
    cc_build_clear(&f->b);
    cc_test_rmdir(f->dir);
}

static void submit(struct fixture *f, struct cc_block *block)
{
    bool is_new;

    if (cc_chain_accept_block(f->chain, block, true, NULL, &is_new, &f->err) !=
        CC_OK)
        fail_msg("%s", f->err.text);
    assert_memory_equal(cc_chain_tip(f->chain)->hash, block->hash, 32);
    cc_block_clear(block);
}

static void mine(struct fixture *f, const struct cc_tx *txs, size_t n)
{
    struct cc_block block;
    uint64_t tries = UINT64_MAX;

    f->now += 10;
    if (cc_generate(&block, f->pool, fixture_script(), txs, n, &tries, NULL,
                    &f->err) != CC_OK)
        fail_msg("%s", f->err.text);
    submit(f, &block);
}

void fixture_mine(struct fixture *f, unsigned n)
{
    while (n-- > 0)
        mine(f, NULL, 0);
}

void fixture_mine_txs(struct fixture *f, const struct cc_tx *txs, size_t n)
{
    static const struct cc_tx none;

    mine(f, txs ? txs : &none, n);
}

struct cc_outpoint fixture_coin(struct fixture *f, uint32_t height)
{
    struct cc_outpoint o = {.index = 0};
    struct cc_block block;

    if (cc_chain_read_block(f->chain, cc_chain_at(f->chain, height), &block,
                            &f->err) != CC_OK)
        fail_msg("%s", f->err.text);
    memcpy(o.txid, block.tx[0].txid, 32);
    cc_block_clear(&block);
    return o;
}

struct cc_tx *fixture_tx(struct fixture *f)
{
    struct cc_tx *tx = cc_arena_calloc(&f->b.arena, 1, sizeof(*tx));

    tx->version = 2;
    return tx;
}

void fixture_spend(struct fixture *f, struct cc_tx *tx,
                   const struct cc_outpoint *o)
{
    struct cc_txin *in = cc_build_in(&f->b, tx, 0, 0);

    in->prevout = *o;
    cc_build_witness(&f->b, in, "\x51", 1);
}

void fixture_spend_tx(struct fixture *f, struct cc_tx *tx,
                      const struct cc_tx *parent, uint32_t index)
{
    struct cc_outpoint o = {.index = index};

    memcpy(o.txid, parent->txid, 32);
    fixture_spend(f, tx, &o);
}

void fixture_pay(struct fixture *f, struct cc_tx *tx, cc_amount value)
{
    struct cc_bytes script = fixture_script();

    cc_build_out(&f->b, tx, value, script.data, script.len);
}

struct cc_tx *fixture_simple(struct fixture *f, uint32_t height,
                             unsigned outputs, cc_amount fee)
{
    struct cc_tx *tx = fixture_tx(f);
    struct cc_outpoint o = fixture_coin(f, height);
    cc_amount value = cc_subsidy(&f->params, height) -
                      cc_subsidy_storage(&f->params, height) - fee;

    fixture_spend(f, tx, &o);
    for (unsigned i = 0; i < outputs; i++)
        fixture_pay(f, tx, value / outputs + (i ? 0 : value % outputs));
    cc_tx_finish(tx);
    return tx;
}

struct cc_tx *fixture_child(struct fixture *f, const struct cc_tx *parent,
                            uint32_t index, cc_amount fee)
{
    struct cc_tx *tx = fixture_tx(f);

    fixture_spend_tx(f, tx, parent, index);
    fixture_pay(f, tx, parent->vout[index].value - fee);
    cc_tx_finish(tx);
    return tx;
}

void fixture_expect(struct fixture *f, struct cc_tx *tx, const char *text)
{
    enum cc_status st;

    cc_tx_finish(tx);
    memset(&f->accepted, 0, sizeof(f->accepted));
    st = cc_mempool_add(f->pool, tx, false, &f->accepted, &f->err);
    assert_string_equal(st == CC_OK ? "" : f->err.text, text);
    assert_int_equal(st, *text ? CC_INVALID : CC_OK);
}

bool fixture_has(struct fixture *f, const struct cc_tx *tx)
{
    return cc_mempool_find(f->pool, tx->txid) != NULL;
}

/* --- What every pool keeps -------------------------------------------- */

struct sums {
    size_t count, size;
    cc_amount fees;
};

static bool add_up(void *arg, const struct cc_mempool_entry *e)
{
    struct sums *s = arg;

    s->count++;
    s->size += e->vsize;
    s->fees += e->fee + e->fee_delta;
    return true;
}

static bool check_entry(void *arg, const struct cc_mempool_entry *e)
{
    struct fixture *f = arg;
    struct sums up = {0}, down = {0};

    (void)add_up(&up, e);
    (void)add_up(&down, e);
    cc_mempool_relatives(f->pool, e->tx.txid, false, true, add_up, &up);
    cc_mempool_relatives(f->pool, e->tx.txid, true, true, add_up, &down);
    assert_int_equal(e->ancestor_count, up.count);
    assert_int_equal(e->ancestor_size, up.size);
    assert_int_equal(e->ancestor_fees, up.fees);
    assert_int_equal(e->descendant_count, down.count);
    assert_int_equal(e->descendant_size, down.size);
    assert_int_equal(e->descendant_fees, down.fees);
    for (size_t i = 0; i < e->tx.vin_count; i++)
        assert_ptr_equal(cc_mempool_spender(f->pool, &e->tx.vin[i].prevout), e);
    return true;
}

void fixture_check(struct fixture *f)
{
    struct cc_mempool_stats stats;
    struct sums all = {0};

    cc_mempool_each(f->pool, check_entry, f);
    cc_mempool_each(f->pool, add_up, &all);
    cc_mempool_stats(f->pool, &stats);
    assert_int_equal(stats.count, all.count);
    assert_int_equal(stats.bytes, all.size);
}
