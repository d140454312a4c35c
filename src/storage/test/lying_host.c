#include "storage/test/lying_host.h"

#include <sys/socket.h>

#include "crypto/ec.h"
#include "support.h"

static const uint8_t *sector_with(const struct lying_host *h,
                                  const uint8_t root[32])
{
    uint8_t own[32];

    for (size_t i = 0; i < h->sector_count; i++) {
        cc_mtree_sector_root(own, h->sectors[i]);
        if (!memcmp(own, root, 32))
            return h->sectors[i];
    }
    fail_msg("no such sector");
    return NULL;
}

static void answer_latest(struct lying_host *h, struct cc_msg_latest_reply *r)
{
    const struct cc_roots *roots = &h->roots;

    r->revision = h->revision;
    if (h->lie == ROLL_BACK || h->lie == LATE_REVISE) {
        r->revision--;
        roots = &h->before;
    }
    if (h->lie == FORGE)
        r->revision++;
    cc_roots_root(r->root, roots);
    r->sectors = (uint32_t)roots->count;
    memcpy(r->renter_signature, h->renter_sig, 64);
    memcpy(r->host_signature, h->host_sig, 64);
    r->capacity = 10;
    r->voucher = h->voucher;
    r->used = h->used + (h->lie == CLAIM_USED ? 2 * CC_USAT : 0);
    if (h->lie == LATE_WRITE)
        h->used += h->late;
    if (h->lie == LATE_WRITE || h->lie == LATE_REVISE)
        h->lie = HONEST;
}

static bool paid(struct lying_host *h, uint64_t cost)
{
    if (h->used + cost > h->voucher * CC_USAT)
        return false;
    h->used += cost;
    return true;
}

static void refuse(struct cc_message *r, enum cc_refusal code, const char *text)
{
    r->type = CC_MSG_ERROR;
    memset(&r->u, 0, sizeof(r->u));
    r->u.error.code = (uint16_t)code;
    r->u.error.text = cc_bytes(text, strlen(text));
}

static void answer_revise(struct lying_host *h, const struct cc_msg_revise *q,
                          struct cc_message *r)
{
    struct cc_roots next = {NULL, 0, 0};
    uint8_t msg[32];

    cc_revision_message(msg, h->id, q->revision, q->root, q->sectors,
                        h->params);
    assert_true(cc_schnorr_verify(h->renter_key, q->signature, msg, 32));
    for (size_t i = 0; i < h->number_count; i++)
        assert_int_not_equal(h->numbers[i], q->revision);
    h->numbers[h->number_count++] = q->revision;
    if (h->lie == REFUSE_REVISION) {
        refuse(r, CC_REFUSE_BUSY, "a challenge is open");
        return;
    }
    assert_true(q->revision > h->revision);
    cc_roots_copy(&next, &h->roots);
    if (cc_changes_apply(&next.data, &next.count, &next.cap, q, NULL, NULL,
                         NULL) != CC_OK) {
        cc_roots_clear(&next);
        refuse(r, CC_REFUSE_REVISION, "does not follow");
        return;
    }
    cc_roots_copy(&h->before, &h->roots);
    cc_roots_copy(&h->roots, &next);
    cc_roots_clear(&next);
    h->revision = q->revision;
    memcpy(h->renter_sig, q->signature, 64);
    assert_true(cc_schnorr_sign(h->ec, h->host_sig, h->secret, msg, 32, NULL));
    memcpy(r->u.revise_reply.signature, h->host_sig, 64);
    if (h->lie == BAD_SIGNATURE)
        r->u.revise_reply.signature[63] ^= 1;
}

static void answer_read(struct lying_host *h, const struct cc_msg_read *q,
                        struct cc_msg_read_reply *r)
{
    static uint8_t leaves[CC_SECTOR_LEAVES * 32], data[CC_SECTOR_SIZE];
    static uint8_t range[CC_PROOF_NODES_MAX * 32], path[64 * 32];
    size_t at = q->sector, count = CC_PROOF_NODES_MAX, len;

    if (h->lie == OTHER_SECTOR)
        at = (at + 1) % h->roots.count;
    memcpy(data, sector_with(h, h->roots.data + 32 * at), CC_SECTOR_SIZE);
    cc_mtree_sector_leaves(leaves, data);
    assert_true(cc_mtree_range_prove(range, &count, leaves, CC_SECTOR_LEAVES,
                                     q->offset / CC_LEAF_SIZE,
                                     (q->offset + q->length) / CC_LEAF_SIZE));
    len = cc_mtree_path_len(at, h->roots.count);
    cc_mtree_path(path, h->roots.data, h->roots.count, at);
    if (h->lie == FLIP)
        data[q->offset + q->length / 2] ^= 0x10;
    if (h->lie == BAD_RANGE)
        range[5] ^= 1;
    if (h->lie == BAD_PATH)
        path[5] ^= 1;
    r->data = cc_bytes(data + q->offset,
                       q->length - (h->lie == SHORT ? CC_LEAF_SIZE : 0));
    r->range = cc_bytes(range, 32 * count);
    r->path = cc_bytes(path, 32 * len);
    assert_true(
        paid(h, PRICE_REQUEST + PRICE_READ * (q->length / CC_LEAF_SIZE)));
    r->used = h->used + (h->lie == OVERCHARGE ? CC_USAT : 0);
}

static void answer_voucher(struct lying_host *h, const struct cc_msg_voucher *q,
                           struct cc_msg_voucher_reply *r)
{
    uint8_t msg[32];

    cc_voucher_message(msg, h->id, q->amount, h->params);
    assert_true(cc_schnorr_verify(h->renter_key, q->signature, msg, 32));
    r->amount = h->voucher;
    if (h->lie == KEEP_VOUCHER)
        return;
    assert_true(q->amount > h->voucher);
    r->amount = h->voucher = q->amount;
}

/* False: hang up. */
static bool answer(struct lying_host *h, const struct cc_message *q,
                   struct cc_message *r)
{
    /* All of a renter's messages begin with the contract. */
    assert_memory_equal(&q->u, h->id, 32);
    r->type = (enum cc_message_type)(q->type + 1);
    switch ((int)q->type) {
    case CC_MSG_LATEST:
        answer_latest(h, &r->u.latest_reply);
        return true;
    case CC_MSG_VOUCHER:
        answer_voucher(h, &q->u.voucher, &r->u.voucher_reply);
        return true;
    case CC_MSG_WRITE:
        if (!paid(h, PRICE_WRITE + PRICE_REQUEST)) {
            refuse(r, CC_REFUSE_PAYMENT, "pay first");
            return true;
        }
        cc_mtree_sector_root(r->u.write_reply.root, q->u.write.data.data);
        r->u.write_reply.root[0] ^= h->lie == WRONG_ROOT;
        r->u.write_reply.used = h->used + (h->lie == OVERCHARGE ? CC_USAT : 0);
        return true;
    case CC_MSG_REVISE:
        answer_revise(h, &q->u.revise, r);
        return h->lie != NO_ANSWER;
    case CC_MSG_READ:
        answer_read(h, &q->u.read, &r->u.read_reply);
        return true;
    case CC_MSG_ROOTS:
        r->u.roots_reply.total = (uint32_t)h->roots.count;
        if (h->lie == FORGE_ROOTS)
            h->roots.data[0] ^= 1;
        if (h->lie == MANY_ROOTS)
            cc_roots_add(&h->roots, h->id);
        if (h->lie == NO_ROOTS)
            h->roots.count = q->u.roots.from;
        if (h->lie == REFUSE_ROOTS) {
            refuse(r, CC_REFUSE_INTERNAL, "no roots today");
            return true;
        }
        r->u.roots_reply.roots =
            cc_bytes(h->roots.data + 32 * q->u.roots.from,
                     32 * (h->roots.count - q->u.roots.from));
        return true;
    default:
        fail_msg("asked for %d", (int)q->type);
        return false;
    }
}

static void *host_main(void *arg)
{
    struct lying_host *h = arg;
    struct cc_session *s;
    struct cc_message q, r;

    if (cc_session_accept(&s, h->ec, h->fd, h->secret, 5000, NULL) != CC_OK)
        return NULL;
    memcpy(h->renter_key, cc_session_peer(s), 32);
    while (cc_session_receive(s, &q, 5000, NULL) == CC_OK) {
        memset(&r, 0, sizeof(r));
        r.id = q.id;
        if (!answer(h, &q, &r) || cc_session_send(s, &r, NULL) != CC_OK)
            break;
    }
    cc_session_free(s);
    return NULL;
}

int lying_host_start(struct lying_host *h, enum lie lie)
{
    int fds[2];

    h->lie = lie;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    h->fd = fds[1];
    assert_int_equal(pthread_create(&h->thread, NULL, host_main, h), 0);
    return fds[0];
}

void lying_host_join(struct lying_host *h)
{
    assert_int_equal(pthread_join(h->thread, NULL), 0);
}

void lying_host_clear(struct lying_host *h)
{
    cc_roots_clear(&h->roots);
    cc_roots_clear(&h->before);
}
