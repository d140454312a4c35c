#include "consensus/block.h"
#include "consensus/interpreter.h"
#include "consensus/storage.h"
#include "crypto/hash.h"
#include "fuzz.h"

static void check_tx(const uint8_t *data, size_t len, bool witness)
{
    struct cc_tx tx, copy;
    struct cc_writer w;
    uint8_t id[32];

    if (cc_tx_decode(&tx, data, len, witness) != CC_OK)
        return;
    cc_writer_init_heap(&w);
    cc_tx_write(&w, &tx, true);
    FUZZ_CHECK(fuzz_same(&w, data, len));
    cc_hash256(id, data, len);
    FUZZ_CHECK(!memcmp(id, tx.wtxid, 32));
    FUZZ_CHECK(tx.size == len && tx.stripped_size <= len);
    cc_writer_clear(&w);
    cc_tx_copy(&copy, &tx);
    memset(copy.txid, 0, 32);
    cc_tx_finish(&copy);
    FUZZ_CHECK(!memcmp(copy.txid, tx.txid, 32));
    FUZZ_CHECK(!memcmp(copy.wtxid, tx.wtxid, 32));
    FUZZ_CHECK(cc_tx_weight(&copy) == cc_tx_weight(&tx));
    FUZZ_CHECK(copy.has_witness == tx.has_witness);
    (void)cc_tx_legacy_sigops(&tx);
    cc_tx_clear(&copy);
    cc_tx_clear(&tx);
}

void fuzz_tx(const uint8_t *data, size_t len)
{
    check_tx(data, len, true);
    check_tx(data, len, false);
}

void fuzz_header(const uint8_t *data, size_t len)
{
    uint8_t a[32], b[32];
    struct cc_header h;
    struct cc_reader r;
    struct cc_writer w;
    uint8_t buf[CC_HEADER_SIZE];

    cc_reader_init(&r, data, len);
    cc_header_read(&r, &h);
    FUZZ_CHECK(r.failed == (len < CC_HEADER_SIZE));
    if (r.failed)
        return;
    cc_writer_init(&w, buf, sizeof(buf));
    cc_header_write(&w, &h);
    FUZZ_CHECK(fuzz_same(&w, data, CC_HEADER_SIZE));
    cc_header_hash(a, &h);
    cc_hash256(b, data, CC_HEADER_SIZE);
    FUZZ_CHECK(!memcmp(a, b, 32));
}

void fuzz_block(const uint8_t *data, size_t len)
{
    struct cc_block b;
    struct cc_writer w;
    uint8_t root[32];
    bool mutated;
    int at;

    if (cc_block_decode(&b, data, len) != CC_OK)
        return;
    cc_writer_init_heap(&w);
    cc_header_write(&w, &b.header);
    cc_write_compact(&w, b.tx_count);
    for (size_t i = 0; i < b.tx_count; i++)
        cc_tx_write(&w, &b.tx[i], true);
    FUZZ_CHECK(fuzz_same(&w, data, len));
    cc_writer_clear(&w);
    cc_block_merkle_root(root, &b, &mutated);
    cc_block_witness_root(root, &b);
    at = cc_block_commitment_index(&b);
    FUZZ_CHECK(at < 0 || (size_t)at < b.tx[0].vout_count);
    FUZZ_CHECK(cc_block_weight(&b) <= 4 * len);
    cc_block_clear(&b);
}

/* --- Script ------------------------------------------------------------ */

void fuzz_script(const uint8_t *data, size_t len)
{
    struct cc_bytes script = cc_bytes(data, len), sols[22], push;
    struct cc_writer w;
    size_t pos = 0, count, covered = 0;
    int64_t n;
    uint8_t op;

    cc_writer_init_heap(&w);
    while (cc_script_next(script, &pos, &op, &push)) {
        FUZZ_CHECK(pos > covered && pos <= len);
        covered = pos;
        if (op > CC_OP_PUSHDATA4)
            cc_write_u8(&w, op);
        else if (cc_script_push_is_minimal(op, push))
            cc_script_push(&w, push.data, push.len);
        else
            cc_write_bytes(&w, data + w.len, pos - w.len);
        FUZZ_CHECK(w.len == pos);
        if (cc_script_num(&n, push, true, 8)) {
            uint8_t b[9];
            size_t size = cc_script_num_encode(b, n);

            FUZZ_CHECK(cc_bytes_equal(push, cc_bytes(b, size)));
        }
    }
    FUZZ_CHECK(fuzz_same(&w, data, pos));
    w.len = 0;
    cc_script_asm(&w, script, true);
    FUZZ_CHECK(len == 0 || w.len > 0);
    cc_writer_clear(&w);
    FUZZ_CHECK(cc_script_sigops(script, true) <=
               cc_script_sigops(script, false));
    for (int storage = 0; storage < 2; storage++) {
        enum cc_script_type t = cc_script_solve(script, storage, sols, &count);

        FUZZ_CHECK(count <= 22);
        FUZZ_CHECK(cc_script_type_name(t)[0]);
    }
    (void)cc_sig_is_strict_der(script);
}

/* What makes sense together (script_text.c of the unit tests). */
static uint32_t fill(uint32_t flags)
{
    if (flags & CC_VERIFY_CLEANSTACK)
        flags |= CC_VERIFY_WITNESS;
    if (flags & CC_VERIFY_WITNESS)
        flags |= CC_VERIFY_P2SH;
    return flags & ((CC_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE << 1) - 1);
}

/* flags 4, more flags 4, version 4, lock time 4, sequence 4, value 8, script,
 * scriptSig, witness items: one input is checked; more rules never let pass
 * what fewer refuse. */
void fuzz_verify(const uint8_t *data, size_t len)
{
    struct cc_txout out = {0};
    struct cc_bytes items[64];
    struct cc_txin in = {.witness = items};
    struct cc_tx tx = {
        .vin = &in, .vin_count = 1, .vout = &out, .vout_count = 1};
    struct cc_coin coin = {0};
    struct cc_sighash s;
    struct cc_reader r;
    enum cc_script_error e1, e2;
    uint32_t flags, more;
    bool ok1, ok2;

    cc_reader_init(&r, data, len);
    flags = cc_read_u32le(&r);
    more = cc_read_u32le(&r);
    tx.version = (int32_t)cc_read_u32le(&r);
    tx.locktime = cc_read_u32le(&r);
    in.sequence = cc_read_u32le(&r);
    coin.out.value = (cc_amount)cc_read_u64le(&r);
    coin.out.script = cc_read_var(&r);
    in.script_sig = cc_read_var(&r);
    while (!r.failed && r.left && in.witness_count < 64)
        items[in.witness_count++] = cc_read_var(&r);
    if (r.failed)
        return;
    cc_sighash_init(&s, &tx, &coin);
    ok1 = cc_script_verify(&s, 0, coin.out.script, coin.out.value, fill(flags),
                           &e1);
    ok2 = cc_script_verify(&s, 0, coin.out.script, coin.out.value,
                           fill(flags | more), &e2);
    FUZZ_CHECK(ok1 == (e1 == CC_SCRIPT_ERR_OK));
    FUZZ_CHECK(!ok2 || ok1);
    (void)cc_tx_sigop_cost(&tx, &coin, fill(flags));
}

/* --- Typed coins ------------------------------------------------------- */

void fuzz_typed(const uint8_t *data, size_t len)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_outpoint o = {.index = 3};
    struct cc_typed t;
    struct cc_error err;
    struct cc_writer w;
    uint8_t id[32];
    cc_amount need;

    if (cc_typed_parse(&t, cc_bytes(data, len), &err) != CC_OK) {
        FUZZ_CHECK(err.text[0]);
        return;
    }
    if (t.kind == CC_KIND_NONE || t.kind == CC_KIND_RESERVED) {
        FUZZ_CHECK(t.kind == CC_KIND_RESERVED || !len || data[0] != 0xbb);
        return;
    }
    cc_writer_init_heap(&w);
    cc_typed_write(&w, &t);
    FUZZ_CHECK(fuzz_same(&w, data, len));
    cc_writer_clear(&w);
    cc_typed_id(id, &t, &o);
    (void)cc_typed_check(&t, CC_COIN, p, &err);
    if (t.kind == CC_KIND_CONTRACT) {
        (void)cc_contract_need(&need, &t.u.contract, p);
        (void)cc_contract_schedule_fair(&t.u.contract);
    }
    if (t.kind == CC_KIND_IDENTITY) {
        struct cc_bytes record = t.u.identity.record, value;
        int last = -1;
        uint8_t type;

        while (cc_record_next(&record, &type, &value)) {
            FUZZ_CHECK(type > last);
            last = type;
        }
        FUZZ_CHECK(record.len == 0);
    }
}

static const uint8_t *view_hash(void *arg, uint32_t height)
{
    static uint8_t h[32];
    const struct cc_storage_view *v = arg;
    uint8_t b[4];

    FUZZ_CHECK(height < v->height);
    cc_put_u32le(b, height);
    cc_sha256_once(h, b, 4);
    return h;
}

static bool view_state(void *arg, uint32_t height, struct cc_mint_state *out)
{
    const struct cc_storage_view *v = arg;

    FUZZ_CHECK(height < v->height);
    cc_mint_first(out, v->params);
    out->pool = 1000 * CC_COIN;
    return true;
}

/* height 4, transaction, then a coin for each input: value 8, height 4,
 * script. */
void fuzz_storage(const uint8_t *data, size_t len)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_storage_view view = {
        .params = p, .hash = view_hash, .state = view_state, .arg = &view};
    struct cc_storage_result result;
    struct cc_coin coins[16] = {0};
    struct cc_sighash s;
    struct cc_error err;
    struct cc_reader r;
    struct cc_bytes raw;
    struct cc_tx tx;
    enum cc_status st;

    cc_reader_init(&r, data, len);
    view.height = cc_read_u32le(&r) % 100000 + 1;
    raw = cc_read_var(&r);
    if (r.failed || cc_tx_decode(&tx, raw.data, raw.len, true) != CC_OK)
        return;
    for (size_t i = 0; i < tx.vin_count && i < 16; i++) {
        coins[i].out.value =
            (cc_amount)(cc_read_u64le(&r) % (uint64_t)(p->max_money + 1));
        coins[i].height = cc_read_u32le(&r) % view.height;
        coins[i].out.script = cc_read_var(&r);
    }
    if (!r.failed && tx.vin_count && tx.vin_count <= 16) {
        cc_sighash_init(&s, &tx, coins);
        cc_storage_result_init(&result);
        st = cc_storage_check(&result, &tx, coins, &s, &view, &err);
        /* CC_CORRUPT: a coin that no block could have made. */
        FUZZ_CHECK(st == CC_OK || st == CC_INVALID || st == CC_CORRUPT);
        for (size_t i = 0; st == CC_OK && i < result.job_count; i++)
            (void)cc_storage_job_run(&result.jobs[i], p, &err);
        FUZZ_CHECK(st != CC_OK || result.facts.lo <= result.facts.hi);
        cc_storage_result_clear(&result);
    }
    cc_tx_clear(&tx);
}
