/*
 * Typed coins as bytes. Parsing is strict, so what parses has one encoding:
 * to compare two coins is to compare their scripts.
 */
#include "consensus/typed.h"

#include <assert.h>
#include <string.h>

#include "consensus/reject.h"
#include "consensus/wide.h"
#include "crypto/hash.h"
#include "crypto/mtree.h"
#include "util/reader.h"
#include "util/writer.h"

#define OP_PUSHDATA1 0x4c
#define OP_PUSHDATA2 0x4d
#define SIG_SIZE 64

static const uint8_t zero[32];

static enum cc_status bad(struct cc_error *err, const char *detail)
{
    return cc_reject_detail(err, CC_REJECT_STORAGE_SCRIPT, "%s", detail);
}

static bool is_zero(const uint8_t b[32]) { return !memcmp(b, zero, 32); }

/* The bytes of the one push that fills b; false if it is not the shortest of
 * direct push, PUSHDATA1 and PUSHDATA2, or not the rest of the script. */
static bool read_push(struct cc_bytes *data, struct cc_bytes b)
{
    struct cc_reader r;
    size_t len, least = 1;
    uint8_t op;

    cc_reader_init(&r, b.data, b.len);
    op = cc_read_u8(&r);
    if (op < OP_PUSHDATA1) {
        len = op;
    } else if (op == OP_PUSHDATA1) {
        len = cc_read_u8(&r);
        least = OP_PUSHDATA1;
    } else if (op == OP_PUSHDATA2) {
        len = cc_read_u16le(&r);
        least = 0x100;
    } else {
        return false;
    }
    *data = cc_read_slice(&r, len);
    return cc_reader_done(&r) && len >= least;
}

bool cc_record_next(struct cc_bytes *record, uint8_t *type,
                    struct cc_bytes *value)
{
    struct cc_reader r;

    cc_reader_init(&r, record->data, record->len);
    *type = cc_read_u8(&r);
    *value = cc_read_slice(&r, cc_read_u16le(&r));
    if (r.failed)
        return false;
    *record = cc_bytes(r.pos, r.left);
    return true;
}

bool cc_record_find(struct cc_bytes record, uint8_t type,
                    struct cc_bytes *value)
{
    struct cc_bytes v;
    uint8_t t;

    while (cc_record_next(&record, &t, &v)) {
        if (t == type) {
            *value = v;
            return true;
        }
    }
    return false;
}

/* Types strictly rising, filling the record exactly. */
static bool record_check(struct cc_bytes record)
{
    struct cc_bytes value;
    int last = -1;
    uint8_t type;

    if (record.len > CC_RECORD_LIMIT)
        return false;
    while (record.len) {
        if (!cc_record_next(&record, &type, &value) || type <= last)
            return false;
        last = type;
    }
    return true;
}

static enum cc_status parse_identity(struct cc_typed *t, struct cc_reader *r,
                                     struct cc_error *err)
{
    struct cc_identity *i = &t->u.identity;

    cc_read_bytes(r, i->key, 32);
    i->sequence = cc_read_u32le(r);
    i->record = cc_read_slice(r, cc_read_u16le(r));
    t->forming = r->left > 0;
    if (t->forming)
        t->sigs = cc_read_slice(r, SIG_SIZE);
    if (!cc_reader_done(r))
        return bad(err, "size of an identity");
    if (!record_check(i->record))
        return bad(err, "record of an identity");
    return CC_OK;
}

void cc_contract_read(struct cc_reader *r, struct cc_contract *c)
{
    cc_read_bytes(r, c->id, 32);
    cc_read_bytes(r, c->renter_key, 32);
    cc_read_bytes(r, c->host_key, 32);
    cc_read_bytes(r, c->root, 32);
    c->sectors = cc_read_u32le(r);
    c->revision = cc_read_u32le(r);
    c->start = cc_read_u32le(r);
    c->period = cc_read_u16le(r);
    c->periods = cc_read_u16le(r);
    c->done = cc_read_u16le(r);
    c->samples = cc_read_u8(r);
    c->odds = cc_read_u8(r);
    c->rent = cc_read_u64le(r);
    c->penalty = cc_read_u64le(r);
    c->allowance = cc_read_u64le(r);
    c->redeemed = cc_read_u64le(r);
}

static enum cc_status parse_contract(struct cc_typed *t, struct cc_reader *r,
                                     struct cc_error *err)
{
    struct cc_contract *c = &t->u.contract;

    cc_contract_read(r, c);
    t->forming = is_zero(c->id);
    if (t->forming) /* signatures if and only if the id is zero */
        t->sigs = cc_read_slice(r, 2 * SIG_SIZE);
    return cc_reader_done(r) ? CC_OK : bad(err, "size of a contract");
}

static enum cc_status parse_seal(struct cc_typed *t, struct cc_reader *r,
                                 struct cc_error *err)
{
    struct cc_seal *s = &t->u.seal;

    cc_read_bytes(r, s->id, 32);
    s->version = cc_read_u8(r);
    cc_read_bytes(r, s->host_key, 32);
    cc_read_bytes(r, s->root, 32);
    s->sectors = cc_read_u32le(r);
    s->seal_height = cc_read_u32le(r);
    s->mark_height = cc_read_u32le(r);
    s->mark_leaf = cc_read_u64le(r);
    t->forming = is_zero(s->id);
    if (t->forming)
        t->sigs = cc_read_slice(r, SIG_SIZE);
    return cc_reader_done(r) ? CC_OK : bad(err, "size of a seal");
}

enum cc_status cc_typed_parse(struct cc_typed *t, struct cc_bytes script,
                              struct cc_error *err)
{
    struct cc_bytes data;
    struct cc_reader r;
    uint8_t kind;

    memset(t, 0, sizeof(*t));
    if (script.len == 0 || script.data[0] != CC_OP_STORAGE)
        return CC_OK;
    if (script.len > CC_TYPED_SCRIPT_LIMIT)
        return bad(err, "script over 10,000 bytes");
    if (!read_push(&data, cc_bytes(script.data + 1, script.len - 1)))
        return bad(err, "not exactly one shortest push");
    cc_reader_init(&r, data.data, data.len);
    kind = cc_read_u8(&r);
    if (kind >= CC_KIND_RESERVED) {
        t->kind = CC_KIND_RESERVED;
        return CC_OK;
    }
    t->kind = (enum cc_kind)kind;
    switch (kind) {
    case CC_KIND_IDENTITY:
        return parse_identity(t, &r, err);
    case CC_KIND_CONTRACT:
        return parse_contract(t, &r, err);
    case CC_KIND_SEAL:
        return parse_seal(t, &r, err);
    default:
        return bad(err, "unknown kind");
    }
}

static void write_identity(struct cc_writer *w, const struct cc_identity *i)
{
    cc_write_bytes(w, i->key, 32);
    cc_write_u32le(w, i->sequence);
    cc_write_u16le(w, (uint16_t)i->record.len);
    cc_write_bytes(w, i->record.data, i->record.len);
}

void cc_contract_write(struct cc_writer *w, const struct cc_contract *c)
{
    cc_write_bytes(w, c->id, 32);
    cc_write_bytes(w, c->renter_key, 32);
    cc_write_bytes(w, c->host_key, 32);
    cc_write_bytes(w, c->root, 32);
    cc_write_u32le(w, c->sectors);
    cc_write_u32le(w, c->revision);
    cc_write_u32le(w, c->start);
    cc_write_u16le(w, c->period);
    cc_write_u16le(w, c->periods);
    cc_write_u16le(w, c->done);
    cc_write_u8(w, c->samples);
    cc_write_u8(w, c->odds);
    cc_write_u64le(w, c->rent);
    cc_write_u64le(w, c->penalty);
    cc_write_u64le(w, c->allowance);
    cc_write_u64le(w, c->redeemed);
}

static void write_seal(struct cc_writer *w, const struct cc_seal *s)
{
    cc_write_bytes(w, s->id, 32);
    cc_write_u8(w, s->version);
    cc_write_bytes(w, s->host_key, 32);
    cc_write_bytes(w, s->root, 32);
    cc_write_u32le(w, s->sectors);
    cc_write_u32le(w, s->seal_height);
    cc_write_u32le(w, s->mark_height);
    cc_write_u64le(w, s->mark_leaf);
}

void cc_typed_write_body(struct cc_writer *w, const struct cc_typed *t)
{
    switch (t->kind) {
    case CC_KIND_IDENTITY:
        write_identity(w, &t->u.identity);
        return;
    case CC_KIND_CONTRACT:
        cc_contract_write(w, &t->u.contract);
        return;
    case CC_KIND_SEAL:
        write_seal(w, &t->u.seal);
        return;
    case CC_KIND_NONE:
    case CC_KIND_RESERVED:
        break;
    }
    assert(false && "only parsed kinds have a body");
}

static size_t body_size(const struct cc_typed *t)
{
    switch (t->kind) {
    case CC_KIND_IDENTITY:
        return CC_IDENTITY_HEAD + t->u.identity.record.len;
    case CC_KIND_CONTRACT:
        return CC_CONTRACT_SIZE;
    case CC_KIND_SEAL:
        return CC_SEAL_SIZE;
    case CC_KIND_NONE:
    case CC_KIND_RESERVED:
        break;
    }
    assert(false && "only parsed kinds have a body");
    return 0;
}

void cc_typed_write(struct cc_writer *w, const struct cc_typed *t)
{
    size_t len = 1 + body_size(t) + t->sigs.len;

    cc_write_u8(w, CC_OP_STORAGE);
    if (len < OP_PUSHDATA1) {
        cc_write_u8(w, (uint8_t)len);
    } else if (len <= 0xff) {
        cc_write_u8(w, OP_PUSHDATA1);
        cc_write_u8(w, (uint8_t)len);
    } else {
        cc_write_u8(w, OP_PUSHDATA2);
        cc_write_u16le(w, (uint16_t)len);
    }
    cc_write_u8(w, (uint8_t)t->kind);
    cc_typed_write_body(w, t);
    cc_write_bytes(w, t->sigs.data, t->sigs.len);
}

size_t cc_typed_signers(const uint8_t *keys[2], const struct cc_typed *t)
{
    switch (t->kind) {
    case CC_KIND_IDENTITY:
        keys[0] = t->u.identity.key;
        return 1;
    case CC_KIND_CONTRACT:
        keys[0] = t->u.contract.renter_key;
        keys[1] = t->u.contract.host_key;
        return 2;
    case CC_KIND_SEAL:
        keys[0] = t->u.seal.host_key;
        return 1;
    case CC_KIND_NONE:
    case CC_KIND_RESERVED:
        break;
    }
    return 0;
}

void cc_typed_formed_id(uint8_t id[32], const struct cc_outpoint *o)
{
    uint8_t index[4];
    struct cc_sha256 c;

    cc_put_u32le(index, o->index);
    cc_sha256_init_tag(&c, "CloudCoin/contract");
    cc_sha256_update(&c, o->txid, 32);
    cc_sha256_update(&c, index, sizeof(index));
    cc_sha256_final(&c, id);
}

void cc_typed_id(uint8_t id[32], const struct cc_typed *t,
                 const struct cc_outpoint *o)
{
    if (t->kind == CC_KIND_IDENTITY)
        memcpy(id, t->u.identity.key, 32);
    else if (t->forming)
        cc_typed_formed_id(id, o);
    else if (t->kind == CC_KIND_CONTRACT)
        memcpy(id, t->u.contract.id, 32);
    else
        memcpy(id, t->u.seal.id, 32);
}

bool cc_contract_need(cc_amount *need, const struct cc_contract *c,
                      const struct cc_params *p)
{
    cc_u128 sum;

    if (c->done > c->periods || c->redeemed > c->allowance)
        return false;
    sum = ((cc_u128)c->rent + c->penalty) * (cc_u128)(c->periods - c->done);
    sum += c->allowance - c->redeemed;
    sum += (uint64_t)p->storage.deposit;
    if (sum > (uint64_t)p->max_money)
        return false;
    *need = (cc_amount)sum;
    return true;
}

static const char *contract_fault(const struct cc_contract *c, cc_amount value,
                                  const struct cc_params *p)
{
    const struct cc_storage_params *s = &p->storage;
    const uint64_t max = (uint64_t)p->max_money;
    cc_amount need;

    if (c->sectors > s->max_sectors)
        return "contract: too many sectors";
    if ((c->sectors == 0) != is_zero(c->root))
        return "contract: sectors zero without root zero or vice versa";
    if (c->samples < 1 || c->samples > 16)
        return "contract: samples not in 1-16";
    if (c->odds < 1 || c->odds > 64)
        return "contract: odds not in 1-64";
    if (c->period < s->min_period)
        return "contract: period below MIN_PERIOD";
    if (c->periods < 1 || c->periods > s->max_periods)
        return "contract: periods not in 1-MAX_PERIODS";
    if ((int64_t)c->period * c->periods > s->max_span)
        return "contract: span over MAX_SPAN";
    if (c->done > c->periods)
        return "contract: done over periods";
    if (c->rent > max || c->penalty > max || c->allowance > max)
        return "contract: rent, penalty or allowance over MAX_MONEY";
    if ((cc_u128)c->rent * (cc_u128)(c->periods - c->done) + c->allowance > max)
        return "contract: allowance could pass MAX_MONEY";
    if (c->redeemed > c->allowance)
        return "contract: redeemed over allowance";
    if (!cc_contract_need(&need, c, p) || value < need)
        return "contract: value below need";
    return NULL;
}

static const char *fault(const struct cc_typed *t, cc_amount value,
                         const struct cc_params *p)
{
    const struct cc_storage_params *s = &p->storage;
    const struct cc_seal *seal = &t->u.seal;

    if (!cc_amount_in_range(value, p->max_money))
        return "value out of range";
    switch (t->kind) {
    case CC_KIND_IDENTITY:
        return value < s->bond_min ? "identity: bond below BOND_MIN" : NULL;
    case CC_KIND_CONTRACT:
        return contract_fault(&t->u.contract, value, p);
    case CC_KIND_SEAL:
        if (seal->version != 1)
            return "seal: unknown version";
        if (seal->sectors < s->seal_min || seal->sectors > s->max_sectors)
            return "seal: sectors out of range";
        return value < s->seal_bond ? "seal: value below SEAL_BOND" : NULL;
    case CC_KIND_NONE:
    case CC_KIND_RESERVED:
        break;
    }
    return NULL;
}

enum cc_status cc_typed_check(const struct cc_typed *t, cc_amount value,
                              const struct cc_params *p, struct cc_error *err)
{
    const char *why = fault(t, value, p);

    if (!why)
        return CC_OK;
    return cc_reject_detail(err, CC_REJECT_STORAGE_TERMS, "%s", why);
}

bool cc_contract_schedule_fair(const struct cc_contract *c)
{
    return c->odds == 1 || c->periods >= 6 * c->odds;
}

int64_t cc_contract_due(const struct cc_contract *c, int64_t i)
{
    return (int64_t)c->start + i * c->period;
}

/* Multiply and shift, not a remainder: the low bits of an id, which can be
 * chosen, must not sort contracts into classes that are called together. */
bool cc_contract_called(const uint8_t hash[32], const uint8_t id[32],
                        unsigned odds)
{
    uint64_t x = cc_get_u64le(hash) ^ cc_get_u64le(id);

    x *= UINT64_C(0x9E3779B97F4A7C15);
    return (uint64_t)((cc_u128)x * odds >> 64) == 0;
}

uint64_t cc_contract_sample(const struct cc_contract *c, const uint8_t id[32],
                            const uint8_t hash[32], unsigned j)
{
    uint8_t in[64], out[32];

    memcpy(in, hash, 32);
    memcpy(in + 32, id, 32);
    cc_tagged_hash(out, "CloudCoin/challenge", in, 64);
    memcpy(in, out, 32);
    in[32] = (uint8_t)j;
    cc_tagged_hash(out, "CloudCoin/sample", in, 33);
    return cc_get_u64le(out) % ((uint64_t)c->sectors * CC_SECTOR_LEAVES);
}

void cc_typed_form_message(uint8_t msg[32], const struct cc_typed *t,
                           const struct cc_outpoint *prevout0, uint32_t index,
                           cc_amount value, const struct cc_params *p)
{
    uint8_t body[CC_TYPED_SCRIPT_ROOM], head[13], place[4];
    struct cc_writer w;
    struct cc_sha256 c;

    cc_writer_init(&w, body, sizeof(body));
    cc_typed_write_body(&w, t);
    assert(!w.failed);
    cc_put_u32le(place, prevout0->index);
    cc_put_u32le(head, index);
    cc_put_u64le(head + 4, (uint64_t)value);
    head[12] = (uint8_t)t->kind;
    cc_sha256_init_tag(&c, "CloudCoin/form");
    cc_sha256_update(&c, p->genesis_hash, 32);
    cc_sha256_update(&c, prevout0->txid, 32);
    cc_sha256_update(&c, place, sizeof(place));
    cc_sha256_update(&c, head, sizeof(head));
    cc_sha256_update(&c, body, w.len);
    cc_sha256_final(&c, msg);
}

void cc_revision_message(uint8_t msg[32], const uint8_t id[32],
                         uint32_t revision, const uint8_t root[32],
                         uint32_t sectors, const struct cc_params *p)
{
    uint8_t in[104];

    memcpy(in, p->genesis_hash, 32);
    memcpy(in + 32, id, 32);
    cc_put_u32le(in + 64, revision);
    memcpy(in + 68, root, 32);
    cc_put_u32le(in + 100, sectors);
    cc_tagged_hash(msg, "CloudCoin/revision", in, sizeof(in));
}

void cc_voucher_message(uint8_t msg[32], const uint8_t id[32], uint64_t amount,
                        const struct cc_params *p)
{
    uint8_t in[72];

    memcpy(in, p->genesis_hash, 32);
    memcpy(in + 32, id, 32);
    cc_put_u64le(in + 64, amount);
    cc_tagged_hash(msg, "CloudCoin/voucher", in, sizeof(in));
}
