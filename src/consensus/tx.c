#include "consensus/tx.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "util/mem.h"

/* No string or list is longer on the wire (Bitcoin's MAX_SIZE). */
#define MAX_SIZE 0x02000000u

/* Least bytes of an input: outpoint, empty script, sequence; of an output. */
#define MIN_TXIN (36 + 1 + 4)
#define MIN_TXOUT (8 + 1)

bool cc_outpoint_equal(const struct cc_outpoint *a, const struct cc_outpoint *b)
{
    return a->index == b->index && !memcmp(a->txid, b->txid, 32);
}

bool cc_outpoint_is_null(const struct cc_outpoint *o)
{
    static const uint8_t zero[32];

    return o->index == UINT32_MAX && !memcmp(o->txid, zero, 32);
}

/* --- Reading ----------------------------------------------------------- */

static size_t read_count(struct cc_reader *r, size_t min_size)
{
    size_t n = cc_read_count(r, min_size);

    if (n > MAX_SIZE)
        r->failed = true;
    return r->failed ? 0 : n;
}

static struct cc_bytes read_var(struct cc_reader *r)
{
    return cc_read_slice(r, read_count(r, 1));
}

static void read_vin(struct cc_reader *r, struct cc_tx *tx, struct cc_arena *a)
{
    size_t n = read_count(r, MIN_TXIN);

    tx->vin_count = n;
    tx->vin = n ? cc_arena_alloc(a, n * sizeof(*tx->vin)) : NULL;
    for (size_t i = 0; i < n; i++) {
        struct cc_txin *in = &tx->vin[i];

        cc_read_bytes(r, in->prevout.txid, 32);
        in->prevout.index = cc_read_u32le(r);
        in->script_sig = read_var(r);
        in->sequence = cc_read_u32le(r);
        in->witness = NULL;
        in->witness_count = 0;
    }
}

static void read_vout(struct cc_reader *r, struct cc_tx *tx, struct cc_arena *a)
{
    size_t n = read_count(r, MIN_TXOUT);

    tx->vout_count = n;
    tx->vout = n ? cc_arena_alloc(a, n * sizeof(*tx->vout)) : NULL;
    for (size_t i = 0; i < n; i++) {
        tx->vout[i].value = (cc_amount)cc_read_u64le(r);
        tx->vout[i].script = read_var(r);
    }
}

static void fail(struct cc_reader *r, const char *fault)
{
    r->failed = true;
    r->fault = fault;
}

/* A marked transaction whose witnesses are all empty has a second, shorter
 * form, so Bitcoin refuses it. */
static void read_witness(struct cc_reader *r, struct cc_tx *tx,
                         struct cc_arena *a)
{
    for (size_t i = 0; i < tx->vin_count; i++) {
        struct cc_txin *in = &tx->vin[i];
        size_t n = read_count(r, 1);

        if (!n)
            continue;
        tx->has_witness = true;
        in->witness_count = n;
        in->witness = cc_arena_alloc(a, n * sizeof(*in->witness));
        for (size_t j = 0; j < n; j++)
            in->witness[j] = read_var(r);
    }
    if (!tx->has_witness && !r->failed)
        fail(r, "Superfluous witness record");
}

/* Ids and sizes from the raw bytes: the stripped form is the version, the
 * body between marker and witness, and the lock time. */
static void identify(struct cc_tx *tx, const uint8_t *raw, size_t len,
                     const uint8_t *body, size_t body_len)
{
    struct cc_sha256 c;

    tx->size = len;
    cc_hash256(tx->wtxid, raw, len);
    if (!tx->has_witness) {
        tx->stripped_size = len;
        memcpy(tx->txid, tx->wtxid, 32);
        return;
    }
    tx->stripped_size = 4 + body_len + 4;
    cc_sha256_init(&c);
    cc_sha256_update(&c, raw, 4);
    cc_sha256_update(&c, body, body_len);
    cc_sha256_update(&c, raw + len - 4, 4);
    cc_sha256_final2(&c, tx->txid);
}

void cc_tx_read(struct cc_reader *r, struct cc_tx *tx, struct cc_arena *arena,
                bool allow_witness)
{
    const uint8_t *raw = r->pos, *body, *body_end;
    uint8_t flags = 0;

    memset(tx, 0, sizeof(*tx));
    tx->version = (int32_t)cc_read_u32le(r);
    body = r->pos;
    read_vin(r, tx, arena);
    if (tx->vin_count || !allow_witness) {
        read_vout(r, tx, arena);
    } else {
        /* No inputs, or BIP 144's marker; a zero flag is "no outputs". */
        flags = cc_read_u8(r);
        if (flags) {
            body = r->pos;
            read_vin(r, tx, arena);
            read_vout(r, tx, arena);
        }
    }
    body_end = r->pos;
    if (flags & 1)
        read_witness(r, tx, arena);
    if (flags & ~1u && !r->failed)
        fail(r, "Unknown transaction optional data");
    tx->locktime = cc_read_u32le(r);
    if (!r->failed)
        identify(tx, raw, (size_t)(r->pos - raw), body,
                 (size_t)(body_end - body));
}

static enum cc_status decode(struct cc_tx *tx, const void *data, size_t len,
                             bool allow_witness, bool whole)
{
    struct cc_arena arena;
    struct cc_reader r;
    struct cc_tx t;

    cc_arena_init(&arena);
    cc_reader_init(&r, cc_arena_dup(&arena, data, len), len);
    cc_tx_read(&r, &t, &arena, allow_witness);
    if (r.failed || (whole && r.left)) {
        cc_arena_clear(&arena);
        return CC_MALFORMED;
    }
    *tx = t;
    tx->arena = arena;
    return CC_OK;
}

enum cc_status cc_tx_decode(struct cc_tx *tx, const void *data, size_t len,
                            bool allow_witness)
{
    return decode(tx, data, len, allow_witness, true);
}

enum cc_status cc_tx_decode_front(struct cc_tx *tx, const void *data,
                                  size_t len)
{
    return decode(tx, data, len, true, false);
}

const char *cc_tx_fault(const void *data, size_t len)
{
    struct cc_arena arena;
    struct cc_reader r;
    struct cc_tx t;

    cc_arena_init(&arena);
    cc_reader_init(&r, data, len);
    cc_tx_read(&r, &t, &arena, true);
    cc_arena_clear(&arena);
    return r.fault ? r.fault : "end of data";
}

/* --- Owning ------------------------------------------------------------ */

static struct cc_bytes dup(struct cc_arena *a, struct cc_bytes b)
{
    return cc_bytes(cc_arena_dup(a, b.data, b.len), b.len);
}

static struct cc_bytes *dup_witness(struct cc_arena *a,
                                    const struct cc_txin *in)
{
    struct cc_bytes *out;

    if (!in->witness_count)
        return NULL;
    out = cc_arena_alloc(a, in->witness_count * sizeof(*out));
    for (size_t i = 0; i < in->witness_count; i++)
        out[i] = dup(a, in->witness[i]);
    return out;
}

void cc_tx_copy(struct cc_tx *out, const struct cc_tx *tx)
{
    struct cc_tx t = *tx;
    struct cc_arena *a = &t.arena;

    cc_arena_init(a);
    t.vin = cc_arena_dup(a, tx->vin, tx->vin_count * sizeof(*tx->vin));
    for (size_t i = 0; i < t.vin_count; i++) {
        t.vin[i].script_sig = dup(a, tx->vin[i].script_sig);
        t.vin[i].witness = dup_witness(a, &tx->vin[i]);
    }
    t.vout = cc_arena_dup(a, tx->vout, tx->vout_count * sizeof(*tx->vout));
    for (size_t i = 0; i < t.vout_count; i++)
        t.vout[i].script = dup(a, tx->vout[i].script);
    *out = t;
}

void cc_tx_clear(struct cc_tx *tx)
{
    cc_arena_clear(&tx->arena);
    memset(tx, 0, sizeof(*tx));
}

/* --- Writing ----------------------------------------------------------- */

static bool any_witness(const struct cc_tx *tx)
{
    for (size_t i = 0; i < tx->vin_count; i++)
        if (tx->vin[i].witness_count)
            return true;
    return false;
}

void cc_txout_write(struct cc_writer *w, const struct cc_txout *out)
{
    cc_write_u64le(w, (uint64_t)out->value);
    cc_write_var(w, out->script.data, out->script.len);
}

static void write_witness(struct cc_writer *w, const struct cc_txin *in)
{
    cc_write_compact(w, in->witness_count);
    for (size_t i = 0; i < in->witness_count; i++)
        cc_write_var(w, in->witness[i].data, in->witness[i].len);
}

void cc_tx_write(struct cc_writer *w, const struct cc_tx *tx, bool with_witness)
{
    bool marked = with_witness && any_witness(tx);

    cc_write_u32le(w, (uint32_t)tx->version);
    if (marked) {
        cc_write_u8(w, 0);
        cc_write_u8(w, 1);
    }
    cc_write_compact(w, tx->vin_count);
    for (size_t i = 0; i < tx->vin_count; i++) {
        const struct cc_txin *in = &tx->vin[i];

        cc_write_bytes(w, in->prevout.txid, 32);
        cc_write_u32le(w, in->prevout.index);
        cc_write_var(w, in->script_sig.data, in->script_sig.len);
        cc_write_u32le(w, in->sequence);
    }
    cc_write_compact(w, tx->vout_count);
    for (size_t i = 0; i < tx->vout_count; i++)
        cc_txout_write(w, &tx->vout[i]);
    for (size_t i = 0; marked && i < tx->vin_count; i++)
        write_witness(w, &tx->vin[i]);
    cc_write_u32le(w, tx->locktime);
}

void cc_tx_finish(struct cc_tx *tx)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_tx_write(&w, tx, false);
    tx->stripped_size = w.len;
    cc_hash256(tx->txid, w.data, w.len);
    cc_writer_clear(&w);

    cc_writer_init_heap(&w);
    cc_tx_write(&w, tx, true);
    tx->size = w.len;
    cc_hash256(tx->wtxid, w.data, w.len);
    cc_writer_clear(&w);
    tx->has_witness = any_witness(tx);
}

/* --- Asking ------------------------------------------------------------ */

bool cc_tx_is_coinbase(const struct cc_tx *tx)
{
    return tx->vin_count == 1 && cc_outpoint_is_null(&tx->vin[0].prevout);
}

size_t cc_tx_weight(const struct cc_tx *tx)
{
    return tx->stripped_size * (CC_WITNESS_SCALE - 1) + tx->size;
}
