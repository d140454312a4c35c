#include "storage/message.h"

#include "consensus/wide.h"
#include "crypto/mtree.h"
#include "util/mem.h"

#include <assert.h>
#include <stdlib.h>

/* --- Pieces -------------------------------------------------------------- */

static void put(struct cc_writer *w, const uint8_t *p, size_t len)
{
    cc_write_bytes(w, p, len);
}

static void write_bool(struct cc_writer *w, bool v) { cc_write_u8(w, v); }

/* 0 or 1 alone, so that what decodes encodes back. */
static bool read_bool(struct cc_reader *r)
{
    uint8_t v = cc_read_u8(r);

    if (v > 1)
        r->failed = true;
    return v == 1;
}

static void write_outpoint(struct cc_writer *w, const struct cc_outpoint *o)
{
    put(w, o->txid, 32);
    cc_write_u32le(w, o->index);
}

static void read_outpoint(struct cc_reader *r, struct cc_outpoint *o)
{
    cc_read_bytes(r, o->txid, 32);
    o->index = cc_read_u32le(r);
}

/* A slice of at most max bytes. */
static struct cc_bytes read_var(struct cc_reader *r, size_t max)
{
    struct cc_bytes b = cc_read_var(r);

    if (b.len > max) {
        r->failed = true;
        b = cc_bytes(NULL, 0);
    }
    return b;
}

static void write_var(struct cc_writer *w, struct cc_bytes b)
{
    cc_write_var(w, b.data, b.len);
}

/* Nodes of 32 bytes each. */
static struct cc_bytes read_nodes(struct cc_reader *r, size_t max)
{
    struct cc_bytes b = read_var(r, max * 32);

    if (b.len % 32)
        r->failed = true;
    return b;
}

/* --- One function a message and direction -------------------------------- */

static void write_settings(struct cc_writer *w,
                           const struct cc_msg_settings_reply *m)
{
    cc_write_u32le(w, m->version);
    put(w, m->genesis, 32);
    cc_write_u32le(w, m->height);
    write_bool(w, m->accepting);
    cc_write_u64le(w, m->sectors_total);
    cc_write_u64le(w, m->sectors_free);
    cc_write_u32le(w, m->period_min);
    cc_write_u32le(w, m->period_max);
    cc_write_u32le(w, m->periods_max);
    cc_write_u32le(w, m->lead_max);
    cc_write_u32le(w, m->capacity_max);
    cc_write_u8(w, m->samples);
    cc_write_u8(w, m->odds_max);
    cc_write_u32le(w, m->collateral_permille);
    cc_write_u64le(w, m->price_storage);
    cc_write_u64le(w, m->price_write);
    cc_write_u64le(w, m->price_read);
    cc_write_u64le(w, m->price_request);
    cc_write_u64le(w, m->allowance_min);
    write_var(w, m->name);
}

static void read_settings(struct cc_reader *r, struct cc_msg_settings_reply *m)
{
    m->version = cc_read_u32le(r);
    cc_read_bytes(r, m->genesis, 32);
    m->height = cc_read_u32le(r);
    m->accepting = read_bool(r);
    m->sectors_total = cc_read_u64le(r);
    m->sectors_free = cc_read_u64le(r);
    m->period_min = cc_read_u32le(r);
    m->period_max = cc_read_u32le(r);
    m->periods_max = cc_read_u32le(r);
    m->lead_max = cc_read_u32le(r);
    m->capacity_max = cc_read_u32le(r);
    m->samples = cc_read_u8(r);
    m->odds_max = cc_read_u8(r);
    m->collateral_permille = cc_read_u32le(r);
    m->price_storage = cc_read_u64le(r);
    m->price_write = cc_read_u64le(r);
    m->price_read = cc_read_u64le(r);
    m->price_request = cc_read_u64le(r);
    m->allowance_min = cc_read_u64le(r);
    m->name = read_var(r, CC_MESSAGE_TEXT_MAX);
}

static void write_form_request(struct cc_writer *w,
                               const struct cc_msg_form_request *m)
{
    cc_contract_write(w, &m->contract);
    cc_write_u64le(w, m->value);
    cc_write_u32le(w, m->capacity);
    cc_write_u64le(w, m->feerate);
    write_outpoint(w, &m->prevout0);
}

static void read_form_request(struct cc_reader *r,
                              struct cc_msg_form_request *m)
{
    cc_contract_read(r, &m->contract);
    m->value = cc_read_u64le(r);
    m->capacity = cc_read_u32le(r);
    m->feerate = cc_read_u64le(r);
    read_outpoint(r, &m->prevout0);
}

static void write_form_offer(struct cc_writer *w,
                             const struct cc_msg_form_offer *m)
{
    assert(m->input_count <= CC_FORM_INPUTS_MAX &&
           m->output_count <= CC_FORM_OUTPUTS_MAX);
    put(w, m->signature, 64);
    cc_write_compact(w, m->input_count);
    for (size_t i = 0; i < m->input_count; i++) {
        write_outpoint(w, &m->inputs[i].prevout);
        cc_write_u64le(w, m->inputs[i].value);
        cc_write_u32le(w, m->inputs[i].weight);
        write_var(w, m->inputs[i].script);
    }
    cc_write_compact(w, m->output_count);
    for (size_t i = 0; i < m->output_count; i++) {
        cc_write_u64le(w, m->outputs[i].value);
        write_var(w, m->outputs[i].script);
    }
}

static size_t read_count(struct cc_reader *r, size_t min_size, size_t max)
{
    size_t n = cc_read_count(r, min_size);

    if (n > max) {
        r->failed = true;
        return 0;
    }
    return n;
}

static void read_form_offer(struct cc_reader *r, struct cc_msg_form_offer *m)
{
    cc_read_bytes(r, m->signature, 64);
    m->input_count = read_count(r, 49, CC_FORM_INPUTS_MAX);
    for (size_t i = 0; i < m->input_count; i++) {
        read_outpoint(r, &m->inputs[i].prevout);
        m->inputs[i].value = cc_read_u64le(r);
        m->inputs[i].weight = cc_read_u32le(r);
        m->inputs[i].script = read_var(r, CC_TYPED_SCRIPT_LIMIT);
    }
    m->output_count = read_count(r, 9, CC_FORM_OUTPUTS_MAX);
    for (size_t i = 0; i < m->output_count; i++) {
        m->outputs[i].value = cc_read_u64le(r);
        m->outputs[i].script = read_var(r, CC_TYPED_SCRIPT_LIMIT);
    }
}

static void write_revise(struct cc_writer *w, const struct cc_msg_revise *m)
{
    assert(m->change_count <= CC_REVISE_CHANGES_MAX);
    put(w, m->contract, 32);
    cc_write_u32le(w, m->revision);
    put(w, m->root, 32);
    cc_write_u32le(w, m->sectors);
    put(w, m->signature, 64);
    cc_write_compact(w, m->change_count);
    put(w, m->changes.data, m->changes.len);
}

void cc_change_write(struct cc_writer *w, const struct cc_change *c)
{
    cc_write_u8(w, (uint8_t)c->kind);
    switch (c->kind) {
    case CC_CHANGE_APPEND:
        put(w, c->root, 32);
        break;
    case CC_CHANGE_SWAP:
        cc_write_u32le(w, c->a);
        cc_write_u32le(w, c->b);
        break;
    case CC_CHANGE_TRIM:
        cc_write_u32le(w, c->a);
        break;
    }
}

void cc_change_read(struct cc_reader *r, struct cc_change *out)
{
    memset(out, 0, sizeof(*out));
    switch (cc_read_u8(r)) {
    case CC_CHANGE_APPEND:
        out->kind = CC_CHANGE_APPEND;
        cc_read_bytes(r, out->root, 32);
        break;
    case CC_CHANGE_SWAP:
        out->kind = CC_CHANGE_SWAP;
        out->a = cc_read_u32le(r);
        out->b = cc_read_u32le(r);
        break;
    case CC_CHANGE_TRIM:
        out->kind = CC_CHANGE_TRIM;
        out->a = cc_read_u32le(r);
        break;
    default:
        r->failed = true;
        break;
    }
}

static void read_revise(struct cc_reader *r, struct cc_msg_revise *m)
{
    const uint8_t *start;
    struct cc_change c;

    cc_read_bytes(r, m->contract, 32);
    m->revision = cc_read_u32le(r);
    cc_read_bytes(r, m->root, 32);
    m->sectors = cc_read_u32le(r);
    cc_read_bytes(r, m->signature, 64);
    m->change_count = read_count(r, 5, CC_REVISE_CHANGES_MAX);
    start = r->pos;
    for (size_t i = 0; i < m->change_count && !r->failed; i++)
        cc_change_read(r, &c);
    m->changes = cc_bytes(start, r->failed ? 0 : (size_t)(r->pos - start));
}

static void write_latest_reply(struct cc_writer *w,
                               const struct cc_msg_latest_reply *m)
{
    cc_write_u32le(w, m->revision);
    put(w, m->root, 32);
    cc_write_u32le(w, m->sectors);
    put(w, m->renter_signature, 64);
    put(w, m->host_signature, 64);
    cc_write_u32le(w, m->capacity);
    cc_write_u64le(w, m->voucher);
    cc_write_u64le(w, m->used);
    write_bool(w, m->sealed_off);
}

static void read_latest_reply(struct cc_reader *r,
                              struct cc_msg_latest_reply *m)
{
    m->revision = cc_read_u32le(r);
    cc_read_bytes(r, m->root, 32);
    m->sectors = cc_read_u32le(r);
    cc_read_bytes(r, m->renter_signature, 64);
    cc_read_bytes(r, m->host_signature, 64);
    m->capacity = cc_read_u32le(r);
    m->voucher = cc_read_u64le(r);
    m->used = cc_read_u64le(r);
    m->sealed_off = read_bool(r);
}

static void write_health_reply(struct cc_writer *w,
                               const struct cc_msg_health_reply *m)
{
    cc_write_u32le(w, m->height);
    cc_write_u32le(w, m->revision);
    cc_write_u32le(w, m->sectors);
    cc_write_u32le(w, m->chain_revision);
    cc_write_u16le(w, m->done);
    cc_write_u32le(w, m->bad_sectors);
}

static void read_health_reply(struct cc_reader *r,
                              struct cc_msg_health_reply *m)
{
    m->height = cc_read_u32le(r);
    m->revision = cc_read_u32le(r);
    m->sectors = cc_read_u32le(r);
    m->chain_revision = cc_read_u32le(r);
    m->done = cc_read_u16le(r);
    m->bad_sectors = cc_read_u32le(r);
}

static void write_read(struct cc_writer *w, const struct cc_msg_read *m)
{
    put(w, m->contract, 32);
    cc_write_u32le(w, m->sector);
    cc_write_u32le(w, m->offset);
    cc_write_u32le(w, m->length);
}

static void read_read(struct cc_reader *r, struct cc_msg_read *m)
{
    cc_read_bytes(r, m->contract, 32);
    m->sector = cc_read_u32le(r);
    m->offset = cc_read_u32le(r);
    m->length = cc_read_u32le(r);
    if (m->offset % CC_LEAF_SIZE || m->length % CC_LEAF_SIZE || !m->length ||
        m->offset > CC_SECTOR_SIZE || m->length > CC_SECTOR_SIZE - m->offset)
        r->failed = true;
}

static void write_read_reply(struct cc_writer *w,
                             const struct cc_msg_read_reply *m)
{
    cc_write_u64le(w, m->used);
    write_var(w, m->range);
    write_var(w, m->path);
    write_var(w, m->data);
}

static void read_read_reply(struct cc_reader *r, struct cc_msg_read_reply *m)
{
    m->used = cc_read_u64le(r);
    m->range = read_nodes(r, CC_PROOF_NODES_MAX);
    m->path = read_nodes(r, CC_PROOF_NODES_MAX);
    m->data = read_var(r, CC_SECTOR_SIZE);
    if (!m->data.len || m->data.len % CC_LEAF_SIZE)
        r->failed = true;
}

/* --- All of them --------------------------------------------------------- */

static const struct {
    const char *name;
    size_t limit; /* bytes of the body */
} types[] = {
    [CC_MSG_SETTINGS] = {"settings", 1},
    [CC_MSG_SETTINGS_REPLY] = {"settings reply", 2048},
    [CC_MSG_FORM_REQUEST] = {"form request", 1024},
    [CC_MSG_FORM_OFFER] = {"form offer", CC_MESSAGE_MAX / 4},
    [CC_MSG_FORM_SIGN] = {"form sign", CC_FORM_TX_MAX + 16},
    [CC_MSG_FORM_DONE] = {"form done", CC_FORM_TX_MAX + 64},
    [CC_MSG_WRITE] = {"write", CC_SECTOR_SIZE + 64},
    [CC_MSG_WRITE_REPLY] = {"write reply", 256},
    [CC_MSG_REVISE] = {"revise", 256 + 33 * CC_REVISE_CHANGES_MAX},
    [CC_MSG_REVISE_REPLY] = {"revise reply", 256},
    [CC_MSG_READ] = {"read", 256},
    [CC_MSG_READ_REPLY] = {"read reply", CC_MESSAGE_MAX},
    [CC_MSG_ROOTS] = {"roots", 256},
    [CC_MSG_ROOTS_REPLY] = {"roots reply", 256 + 32 * CC_ROOTS_MAX},
    [CC_MSG_LATEST] = {"latest", 256},
    [CC_MSG_LATEST_REPLY] = {"latest reply", 512},
    [CC_MSG_VOUCHER] = {"voucher", 256},
    [CC_MSG_VOUCHER_REPLY] = {"voucher reply", 256},
    [CC_MSG_HEALTH] = {"health", 256},
    [CC_MSG_HEALTH_REPLY] = {"health reply", 256},
    [CC_MSG_ERROR] = {"error", CC_MESSAGE_TEXT_MAX + 16},
};

const char *cc_message_name(unsigned type)
{
    return type < sizeof(types) / sizeof(types[0]) ? types[type].name : NULL;
}

size_t cc_message_limit(unsigned type)
{
    return type < sizeof(types) / sizeof(types[0]) ? types[type].limit : 0;
}

void cc_message_encode(struct cc_writer *w, const struct cc_message *m)
{
    switch (m->type) {
    case CC_MSG_SETTINGS:
        break;
    case CC_MSG_SETTINGS_REPLY:
        write_settings(w, &m->u.settings_reply);
        break;
    case CC_MSG_FORM_REQUEST:
        write_form_request(w, &m->u.form_request);
        break;
    case CC_MSG_FORM_OFFER:
        write_form_offer(w, &m->u.form_offer);
        break;
    case CC_MSG_FORM_SIGN:
        write_var(w, m->u.form_sign.tx);
        break;
    case CC_MSG_FORM_DONE:
        put(w, m->u.form_done.txid, 32);
        write_var(w, m->u.form_done.tx);
        break;
    case CC_MSG_WRITE:
        assert(m->u.write.data.len == CC_SECTOR_SIZE);
        put(w, m->u.write.contract, 32);
        put(w, m->u.write.data.data, CC_SECTOR_SIZE);
        break;
    case CC_MSG_WRITE_REPLY:
        put(w, m->u.write_reply.root, 32);
        cc_write_u64le(w, m->u.write_reply.used);
        break;
    case CC_MSG_REVISE:
        write_revise(w, &m->u.revise);
        break;
    case CC_MSG_REVISE_REPLY:
        put(w, m->u.revise_reply.signature, 64);
        break;
    case CC_MSG_READ:
        write_read(w, &m->u.read);
        break;
    case CC_MSG_READ_REPLY:
        write_read_reply(w, &m->u.read_reply);
        break;
    case CC_MSG_ROOTS:
        put(w, m->u.roots.contract, 32);
        cc_write_u32le(w, m->u.roots.from);
        cc_write_u32le(w, m->u.roots.count);
        break;
    case CC_MSG_ROOTS_REPLY:
        cc_write_u32le(w, m->u.roots_reply.total);
        write_var(w, m->u.roots_reply.roots);
        break;
    case CC_MSG_LATEST:
        put(w, m->u.latest.contract, 32);
        break;
    case CC_MSG_LATEST_REPLY:
        write_latest_reply(w, &m->u.latest_reply);
        break;
    case CC_MSG_VOUCHER:
        put(w, m->u.voucher.contract, 32);
        cc_write_u64le(w, m->u.voucher.amount);
        put(w, m->u.voucher.signature, 64);
        break;
    case CC_MSG_VOUCHER_REPLY:
        cc_write_u64le(w, m->u.voucher_reply.amount);
        cc_write_u64le(w, m->u.voucher_reply.used);
        break;
    case CC_MSG_HEALTH:
        put(w, m->u.health.contract, 32);
        break;
    case CC_MSG_HEALTH_REPLY:
        write_health_reply(w, &m->u.health_reply);
        break;
    case CC_MSG_ERROR:
        cc_write_u16le(w, m->u.error.code);
        write_var(w, m->u.error.text);
        break;
    }
}

static void read_body(struct cc_reader *r, struct cc_message *m)
{
    switch (m->type) {
    case CC_MSG_SETTINGS:
        break;
    case CC_MSG_SETTINGS_REPLY:
        read_settings(r, &m->u.settings_reply);
        break;
    case CC_MSG_FORM_REQUEST:
        read_form_request(r, &m->u.form_request);
        break;
    case CC_MSG_FORM_OFFER:
        read_form_offer(r, &m->u.form_offer);
        break;
    case CC_MSG_FORM_SIGN:
        m->u.form_sign.tx = read_var(r, CC_FORM_TX_MAX);
        break;
    case CC_MSG_FORM_DONE:
        cc_read_bytes(r, m->u.form_done.txid, 32);
        m->u.form_done.tx = read_var(r, CC_FORM_TX_MAX);
        break;
    case CC_MSG_WRITE:
        cc_read_bytes(r, m->u.write.contract, 32);
        m->u.write.data = cc_read_slice(r, CC_SECTOR_SIZE);
        break;
    case CC_MSG_WRITE_REPLY:
        cc_read_bytes(r, m->u.write_reply.root, 32);
        m->u.write_reply.used = cc_read_u64le(r);
        break;
    case CC_MSG_REVISE:
        read_revise(r, &m->u.revise);
        break;
    case CC_MSG_REVISE_REPLY:
        cc_read_bytes(r, m->u.revise_reply.signature, 64);
        break;
    case CC_MSG_READ:
        read_read(r, &m->u.read);
        break;
    case CC_MSG_READ_REPLY:
        read_read_reply(r, &m->u.read_reply);
        break;
    case CC_MSG_ROOTS:
        cc_read_bytes(r, m->u.roots.contract, 32);
        m->u.roots.from = cc_read_u32le(r);
        m->u.roots.count = cc_read_u32le(r);
        if (m->u.roots.count > CC_ROOTS_MAX)
            r->failed = true;
        break;
    case CC_MSG_ROOTS_REPLY:
        m->u.roots_reply.total = cc_read_u32le(r);
        m->u.roots_reply.roots = read_nodes(r, CC_ROOTS_MAX);
        break;
    case CC_MSG_LATEST:
        cc_read_bytes(r, m->u.latest.contract, 32);
        break;
    case CC_MSG_LATEST_REPLY:
        read_latest_reply(r, &m->u.latest_reply);
        break;
    case CC_MSG_VOUCHER:
        cc_read_bytes(r, m->u.voucher.contract, 32);
        m->u.voucher.amount = cc_read_u64le(r);
        cc_read_bytes(r, m->u.voucher.signature, 64);
        break;
    case CC_MSG_VOUCHER_REPLY:
        m->u.voucher_reply.amount = cc_read_u64le(r);
        m->u.voucher_reply.used = cc_read_u64le(r);
        break;
    case CC_MSG_HEALTH:
        cc_read_bytes(r, m->u.health.contract, 32);
        break;
    case CC_MSG_HEALTH_REPLY:
        read_health_reply(r, &m->u.health_reply);
        break;
    case CC_MSG_ERROR:
        m->u.error.code = cc_read_u16le(r);
        m->u.error.text = read_var(r, CC_MESSAGE_TEXT_MAX);
        break;
    }
}

enum cc_status cc_message_decode(struct cc_message *m, const void *data,
                                 size_t len)
{
    struct cc_reader r;

    memset(&m->u, 0, sizeof(m->u));
    if (!cc_message_limit((unsigned)m->type))
        return CC_NOTFOUND;
    if (len > cc_message_limit((unsigned)m->type))
        return CC_MALFORMED;
    cc_reader_init(&r, data, len);
    read_body(&r, m);
    return cc_reader_done(&r) ? CC_OK : CC_MALFORMED;
}

/* --- Revisions and prices ------------------------------------------------ */

static enum cc_status apply_one(uint8_t **roots, size_t *count, size_t *cap,
                                const struct cc_change *c,
                                bool (*written)(void *, const uint8_t *),
                                void *arg, struct cc_error *err)
{
    uint8_t tmp[32];

    switch (c->kind) {
    case CC_CHANGE_APPEND:
        if (written && !written(arg, c->root))
            return cc_fail(err, CC_INVALID,
                           "a sector to append was not written");
        *roots = cc_grow(*roots, cap, *count + 1, 32);
        memcpy(*roots + 32 * *count, c->root, 32);
        ++*count;
        return CC_OK;
    case CC_CHANGE_SWAP:
        if (c->a >= *count || c->b >= *count)
            return cc_fail(err, CC_INVALID, "a sector to swap is not there");
        memcpy(tmp, *roots + 32 * (size_t)c->a, 32);
        memmove(*roots + 32 * (size_t)c->a, *roots + 32 * (size_t)c->b, 32);
        memcpy(*roots + 32 * (size_t)c->b, tmp, 32);
        return CC_OK;
    case CC_CHANGE_TRIM:
        if (c->a > *count)
            return cc_fail(err, CC_INVALID,
                           "more sectors to trim than there are");
        *count -= c->a;
        return CC_OK;
    }
    return CC_INVALID;
}

enum cc_status cc_changes_apply(uint8_t **roots, size_t *count, size_t *cap,
                                const struct cc_msg_revise *m,
                                bool (*written)(void *arg,
                                                const uint8_t root[32]),
                                void *arg, struct cc_error *err)
{
    uint8_t root[32] = {0};
    struct cc_reader r;
    struct cc_change c;

    cc_reader_init(&r, m->changes.data, m->changes.len);
    for (size_t i = 0; i < m->change_count; i++) {
        enum cc_status st;

        cc_change_read(&r, &c);
        if (r.failed)
            return cc_fail(err, CC_INVALID, "malformed change");
        st = apply_one(roots, count, cap, &c, written, arg, err);
        if (st != CC_OK)
            return st;
    }
    if (*count)
        cc_mtree_root(root, *roots, *count);
    if (*count != m->sectors || memcmp(root, m->root, 32))
        return cc_fail(err, CC_INVALID,
                       "the changes do not lead to the revision's root");
    return CC_OK;
}

bool cc_settings_rent(uint64_t *rent, const struct cc_msg_settings_reply *s,
                      uint32_t capacity, uint32_t period,
                      const struct cc_params *p)
{
    cc_u128 usat = (cc_u128)s->price_storage * ((uint64_t)capacity * period);
    cc_u128 sat = usat / CC_USAT + (usat % CC_USAT != 0);

    if (sat > (uint64_t)p->max_money)
        return false;
    *rent = (uint64_t)sat;
    return true;
}
