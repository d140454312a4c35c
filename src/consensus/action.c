#include "consensus/action.h"

#include <assert.h>
#include <string.h>

#include "consensus/reject.h"
#include "crypto/hash.h"
#include "util/writer.h"

#define SIG_SIZE 64
#define NO_FLAGS 0 /* of the masks below: the head has no flags byte */

/* doc/protocol.md 4.4, the table; flags: bit f set if flags = f is allowed. */
static const struct shape {
    enum cc_action action;
    enum cc_kind kind;
    uint8_t head_size, signatures, flags;
    bool continues, proofs;
} shapes[] = {
    {CC_ACTION_PROVE, CC_KIND_CONTRACT, 4, 1, 0x0f, true, true},
    {CC_ACTION_SYNC, CC_KIND_CONTRACT, 2, 1, 0x2e, true, false},
    {CC_ACTION_REVISE, CC_KIND_CONTRACT, 1, 2, NO_FLAGS, true, false},
    {CC_ACTION_END, CC_KIND_CONTRACT, 2, 1, 0x15, false, false},
    {CC_ACTION_CLOSE, CC_KIND_CONTRACT, 1, 2, NO_FLAGS, false, false},
    {CC_ACTION_UPDATE, CC_KIND_IDENTITY, 1, 1, NO_FLAGS, true, false},
    {CC_ACTION_RETIRE_IDENTITY, CC_KIND_IDENTITY, 1, 1, NO_FLAGS, false, false},
    {CC_ACTION_CLAIM, CC_KIND_SEAL, 13, 1, NO_FLAGS, true, true},
    {CC_ACTION_RETIRE_SEAL, CC_KIND_SEAL, 1, 1, NO_FLAGS, false, false},
};

static const struct shape *shape_of(unsigned action)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
        if (shapes[i].action == action)
            return &shapes[i];
    return NULL;
}

static enum cc_status bad(struct cc_error *err, const char *detail)
{
    return cc_reject_detail(err, CC_REJECT_STORAGE_WITNESS, "%s", detail);
}

static bool parse_head(struct cc_act *a, const struct shape *shape,
                       struct cc_bytes head)
{
    struct cc_reader r;

    if (head.len != shape->head_size)
        return false;
    cc_reader_init(&r, head.data, head.len);
    a->action = (enum cc_action)cc_read_u8(&r);
    if (a->action == CC_ACTION_PROVE)
        a->i = cc_read_u16le(&r);
    if (a->action == CC_ACTION_CLAIM) {
        a->d = cc_read_u32le(&r);
        a->leaf = cc_read_u64le(&r);
    }
    if (shape->flags == NO_FLAGS)
        return true;
    a->flags = cc_read_u8(&r);
    return a->flags < 8 && (shape->flags >> a->flags & 1);
}

/* The next element, which must have this size. */
static const uint8_t *take(struct cc_act *a, size_t size)
{
    if (a->proof_count == 0 || a->proofs->len != size)
        return NULL;
    a->proof_count--;
    return a->proofs++->data;
}

enum cc_status cc_act_parse(struct cc_act *a, enum cc_kind kind,
                            const struct cc_bytes *stack, size_t count,
                            struct cc_error *err)
{
    const struct shape *shape;

    memset(a, 0, sizeof(*a));
    if (count == 0 || stack[0].len == 0)
        return bad(err, "no action");
    shape = shape_of(stack[0].data[0]);
    if (!shape)
        return bad(err, "unknown action");
    if (shape->kind != kind)
        return bad(err, "action is not for this kind of coin");
    if (!parse_head(a, shape, stack[0]))
        return bad(err, "first element");
    if (count < 1 + (size_t)shape->signatures)
        return bad(err, "signature missing");
    a->continues = shape->continues;
    a->elements = stack;
    a->element_count = count - shape->signatures;
    a->sigs = stack + a->element_count;
    a->sig_count = shape->signatures;
    for (size_t i = 0; i < a->sig_count; i++)
        if (a->sigs[i].len != SIG_SIZE)
            return bad(err, "size of a signature");
    a->proofs = stack + 1;
    a->proof_count = a->element_count - 1;
    if (a->flags & CC_FLAG_REV && !(a->rev = take(a, CC_REV_SIZE)))
        return bad(err, "revision");
    if (a->flags & CC_FLAG_VOU && !(a->vou = take(a, CC_VOU_SIZE)))
        return bad(err, "voucher");
    if (a->proof_count && !shape->proofs)
        return bad(err, "too many elements");
    return CC_OK;
}

size_t cc_action_signatures(enum cc_action action)
{
    const struct shape *shape = shape_of(action);

    return shape ? shape->signatures : 0;
}

size_t cc_act_write_head(uint8_t head[CC_ACTION_HEAD_ROOM],
                         const struct cc_act *a)
{
    const struct shape *shape = shape_of(a->action);
    struct cc_writer w;

    assert(shape);
    cc_writer_init(&w, head, CC_ACTION_HEAD_ROOM);
    cc_write_u8(&w, (uint8_t)a->action);
    if (a->action == CC_ACTION_PROVE)
        cc_write_u16le(&w, a->i);
    if (a->action == CC_ACTION_CLAIM) {
        cc_write_u32le(&w, a->d);
        cc_write_u64le(&w, a->leaf);
    }
    if (shape->flags != NO_FLAGS)
        cc_write_u8(&w, (uint8_t)a->flags);
    return w.len;
}

void cc_rev_write(uint8_t rev[CC_REV_SIZE], uint32_t revision,
                  const uint8_t root[32], uint32_t sectors,
                  const uint8_t sig[64])
{
    cc_put_u32le(rev, revision);
    memcpy(rev + 4, root, 32);
    cc_put_u32le(rev + 36, sectors);
    memcpy(rev + 40, sig, SIG_SIZE);
}

void cc_rev_read(const uint8_t rev[CC_REV_SIZE], uint32_t *revision,
                 uint8_t root[32], uint32_t *sectors)
{
    *revision = cc_get_u32le(rev);
    memcpy(root, rev + 4, 32);
    *sectors = cc_get_u32le(rev + 36);
}

void cc_vou_write(uint8_t vou[CC_VOU_SIZE], uint64_t amount,
                  const uint8_t sig[64])
{
    cc_put_u64le(vou, amount);
    memcpy(vou + 8, sig, SIG_SIZE);
}

static void hash_compact(struct cc_sha256 *c, uint64_t v)
{
    uint8_t buf[9];
    struct cc_writer w;

    cc_writer_init(&w, buf, sizeof(buf));
    cc_write_compact(&w, v);
    cc_sha256_update(c, buf, w.len);
}

void cc_action_message(uint8_t msg[32], const struct cc_sighash *s,
                       size_t index, const struct cc_bytes *elements,
                       size_t count, const struct cc_params *p)
{
    uint8_t sig_msg[256], digest[32];
    struct cc_writer w;
    struct cc_sha256 c;

    cc_sha256_init(&c);
    hash_compact(&c, count);
    for (size_t i = 0; i < count; i++) {
        hash_compact(&c, elements[i].len);
        cc_sha256_update(&c, elements[i].data, elements[i].len);
    }
    cc_sha256_final(&c, digest);
    cc_writer_init(&w, sig_msg, sizeof(sig_msg));
    cc_sighash_v1_msg(&w, s, index, CC_SIGHASH_DEFAULT, 4);
    assert(!w.failed);
    cc_sha256_init_tag(&c, "CloudCoin/action");
    cc_sha256_update(&c, sig_msg, w.len);
    cc_sha256_update(&c, p->genesis_hash, 32);
    cc_sha256_update(&c, digest, 32);
    cc_sha256_final(&c, msg);
}
