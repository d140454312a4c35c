#include "storage/renter_link.h"

#include "crypto/ec.h"
#include "util/mem.h"

#include <inttypes.h>
#include <stdlib.h>

uint64_t cc_renter_cost_write(const struct cc_renter_contract *c)
{
    return c->price_request + c->price_write;
}

uint64_t cc_renter_cost_read(const struct cc_renter_contract *c,
                             uint64_t leaves)
{
    return c->price_request + c->price_read * leaves;
}

static enum cc_status save(struct cc_renter_link *l, struct cc_error *err)
{
    return cc_renter_contract_save(l->contract, l->dir, err);
}

/* --- Agreeing on the state ----------------------------------------------- */

static bool signed_by(const struct cc_renter_link *l, const uint8_t key[32],
                      uint32_t revision, const uint8_t root[32],
                      uint32_t sectors, const uint8_t sig[64])
{
    uint8_t msg[32];

    cc_revision_message(msg, l->contract->id, revision, root, sectors,
                        l->params);
    return cc_schnorr_verify(key, sig, msg, 32);
}

static void adopt(struct cc_renter_contract *c, uint32_t revision,
                  const struct cc_roots *roots, const uint8_t sig[64])
{
    cc_roots_copy(&c->roots, roots);
    c->revision = revision;
    memcpy(c->host_signature, sig, 64);
    if (c->signed_revision < revision)
        c->signed_revision = revision;
}

/* All roots that the host keeps; they must lead to its latest root. */
static enum cc_status fetch_roots(struct cc_renter_link *l,
                                  struct cc_roots *out, uint32_t total,
                                  const uint8_t root[32], struct cc_error *err)
{
    struct cc_message m, r;
    uint8_t got[32];

    memset(&m, 0, sizeof(m));
    while (out->count < total) {
        enum cc_status st;
        size_t n;

        m.type = CC_MSG_ROOTS;
        memcpy(m.u.roots.contract, l->contract->id, 32);
        m.u.roots.from = (uint32_t)out->count;
        m.u.roots.count = total - (uint32_t)out->count < CC_ROOTS_MAX
                              ? total - (uint32_t)out->count
                              : CC_ROOTS_MAX;
        st = cc_session_call(l->session, &m, &r, NULL, err);
        if (st != CC_OK)
            return st;
        n = r.u.roots_reply.roots.len / 32;
        if (!n || n > m.u.roots.count)
            return cc_fail(err, CC_CORRUPT, "the host gave %zu roots for %u", n,
                           m.u.roots.count);
        for (size_t i = 0; i < n; i++)
            cc_roots_add(out, r.u.roots_reply.roots.data + 32 * i);
    }
    cc_roots_root(got, out);
    if (memcmp(got, root, 32))
        return cc_fail(err, CC_CORRUPT,
                       "the host's sector roots do not lead to its root");
    return CC_OK;
}

/* The host has a revision that we do not: an answer we missed, or from before
 * our state was lost. Good if both signatures are. */
static enum cc_status catch_up(struct cc_renter_link *l,
                               const struct cc_msg_latest_reply *h,
                               struct cc_error *err)
{
    struct cc_renter_contract *c = l->contract;
    struct cc_roots roots = {NULL, 0, 0};
    enum cc_status st;
    uint8_t root[32];

    if (!signed_by(l, c->terms.renter_key, h->revision, h->root, h->sectors,
                   h->renter_signature) ||
        !signed_by(l, c->terms.host_key, h->revision, h->root, h->sectors,
                   h->host_signature))
        return cc_fail(err, CC_CORRUPT,
                       "the host claims revision %" PRIu32
                       " without both signatures",
                       h->revision);
    cc_roots_root(root, &c->pending);
    if (h->revision == c->signed_revision && h->sectors == c->pending.count &&
        !memcmp(h->root, root, 32)) {
        adopt(c, h->revision, &c->pending, h->host_signature);
        return save(l, err);
    }
    st = fetch_roots(l, &roots, h->sectors, h->root, err);
    if (st == CC_OK) {
        adopt(c, h->revision, &roots, h->host_signature);
        st = save(l, err);
    }
    cc_roots_clear(&roots);
    return st;
}

static enum cc_status reconcile(struct cc_renter_link *l, struct cc_error *err)
{
    struct cc_renter_contract *c = l->contract;
    struct cc_msg_latest_reply h;
    struct cc_message m, r;
    enum cc_status st;
    uint8_t root[32];

    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_LATEST;
    memcpy(m.u.latest.contract, c->id, 32);
    st = cc_session_call(l->session, &m, &r, NULL, err);
    if (st != CC_OK)
        return st;
    h = r.u.latest_reply;
    if (h.used > c->voucher * CC_USAT)
        return cc_fail(err, CC_CORRUPT,
                       "the host charged more than vouchers pay for");
    if (h.used > c->used)
        c->used = h.used;
    /* A voucher that we signed may never have reached the host. */
    l->paid = h.voucher < c->voucher ? h.voucher : c->voucher;
    cc_roots_root(root, &c->roots);
    if (h.revision == c->revision && h.sectors == c->roots.count &&
        !memcmp(h.root, root, 32))
        return CC_OK;
    if (h.revision <= c->revision)
        return cc_fail(err, CC_CORRUPT,
                       "the host is at revision %" PRIu32
                       " although it signed %" PRIu32,
                       h.revision, c->revision);
    return catch_up(l, &h, err);
}

enum cc_status cc_renter_link_init(struct cc_renter_link *l,
                                   struct cc_session *session,
                                   struct cc_renter_contract *contract,
                                   const struct cc_params *params,
                                   const struct cc_ec *ec, const char *dir,
                                   const uint8_t secret[32],
                                   struct cc_error *err)
{
    enum cc_status st;

    memset(l, 0, sizeof(*l));
    l->session = session;
    l->contract = contract;
    l->params = params;
    l->ec = ec;
    l->dir = dir;
    memcpy(l->secret, secret, 32);
    st = reconcile(l, err);
    if (st != CC_OK)
        cc_renter_link_clear(l);
    return st;
}

void cc_renter_link_clear(struct cc_renter_link *l)
{
    cc_session_free(l->session);
    cc_roots_clear(&l->written);
    cc_cleanse(l, sizeof(*l));
}

/* --- Money --------------------------------------------------------------- */

/* Let the vouchers cover what was used and this cost, and not more. Kept
 * before it is sent: what we signed bounds what the host may charge. */
static enum cc_status pay(struct cc_renter_link *l, uint64_t cost,
                          struct cc_error *err)
{
    struct cc_renter_contract *c = l->contract;
    uint64_t total = c->used + cost;
    uint64_t need = total / CC_USAT + (total % CC_USAT != 0);
    struct cc_message m, r;
    enum cc_status st;
    uint8_t msg[32];

    if (need <= l->paid)
        return CC_OK;
    if (need > c->terms.allowance)
        return cc_fail(err, CC_LIMIT,
                       "the contract's allowance of %" PRIu64
                       " sat for transfers is spent",
                       c->terms.allowance);
    if (need > c->voucher) {
        c->voucher = need;
        st = save(l, err);
        if (st != CC_OK)
            return st;
    }
    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_VOUCHER;
    memcpy(m.u.voucher.contract, c->id, 32);
    m.u.voucher.amount = need;
    cc_voucher_message(msg, c->id, need, l->params);
    if (!cc_schnorr_sign(l->ec, m.u.voucher.signature, l->secret, msg, 32,
                         NULL))
        return cc_fail(err, CC_INVALID, "our contract key does not sign");
    st = cc_session_call(l->session, &m, &r, NULL, err);
    if (st == CC_OK && r.u.voucher_reply.amount < need)
        st = cc_fail(err, CC_CORRUPT, "the host did not take the voucher");
    if (st == CC_OK)
        l->paid = need;
    return st;
}

/* The host's account after an answer must be ours; but once a session it may
 * be ahead by a request that was under way when an earlier one died, as far as
 * vouchers paid for it. */
static enum cc_status account(struct cc_renter_link *l, uint64_t cost,
                              uint64_t told, struct cc_error *err)
{
    struct cc_renter_contract *c = l->contract;
    uint64_t most = cc_renter_cost_read(c, CC_SECTOR_LEAVES);

    if (most < cc_renter_cost_write(c))
        most = cc_renter_cost_write(c);
    c->used += cost;
    if (told <= c->used)
        return CC_OK;
    if (!l->caught_up && told - c->used <= most && told <= l->paid * CC_USAT) {
        l->caught_up = true;
        c->used = told;
        return CC_OK;
    }
    return cc_fail(err, CC_CORRUPT,
                   "the host charged %" PRIu64 " usat where %" PRIu64
                   " were agreed",
                   told, c->used);
}

/* --- Data ---------------------------------------------------------------- */

/* A request of a session that died may still have been under way when we
 * asked for the latest state: then the host's account or revision is ahead of
 * what we took it for, and it refuses. Worth one more try if we can agree. */
static bool try_again(struct cc_renter_link *l, enum cc_status st, int refusal)
{
    return st == CC_INVALID &&
           (refusal == CC_REFUSE_PAYMENT || refusal == CC_REFUSE_REVISION) &&
           reconcile(l, NULL) == CC_OK;
}

static enum cc_status write_once(struct cc_renter_link *l,
                                 const uint8_t *sector, const uint8_t root[32],
                                 int *refusal, struct cc_error *err)
{
    struct cc_renter_contract *c = l->contract;
    uint64_t cost = cc_renter_cost_write(c);
    struct cc_message m, r;
    enum cc_status st;

    if (c->roots.count + l->written.count >= c->capacity)
        return cc_fail(err, CC_LIMIT, "the contract's %u sectors are full",
                       c->capacity);
    st = pay(l, cost, err);
    if (st != CC_OK)
        return st;
    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_WRITE;
    memcpy(m.u.write.contract, c->id, 32);
    m.u.write.data = cc_bytes(sector, CC_SECTOR_SIZE);
    st = cc_session_call(l->session, &m, &r, refusal, err);
    if (st != CC_OK)
        return st;
    if (memcmp(r.u.write_reply.root, root, 32))
        return cc_fail(err, CC_CORRUPT,
                       "the host stored other data than it was sent");
    st = account(l, cost, r.u.write_reply.used, err);
    if (st == CC_OK)
        cc_roots_add(&l->written, root);
    return st;
}

enum cc_status cc_renter_link_write(struct cc_renter_link *l,
                                    const uint8_t *sector,
                                    const uint8_t root[32],
                                    struct cc_error *err)
{
    int refusal = 0;
    enum cc_status st = write_once(l, sector, root, &refusal, err);

    if (try_again(l, st, refusal))
        st = write_once(l, sector, root, &refusal, err);
    return st;
}

/* The changes from the latest revision: append, then swap each piece of
 * garbage to the end and trim it. roots: what they lead to. */
static void make_changes(struct cc_renter_link *l, struct cc_writer *w,
                         size_t *count, struct cc_roots *roots)
{
    const struct cc_roots *garbage = &l->contract->garbage;
    struct cc_change c;

    memset(&c, 0, sizeof(c));
    cc_roots_copy(roots, &l->contract->roots);
    c.kind = CC_CHANGE_APPEND;
    for (size_t i = 0; i < l->written.count; i++, ++*count) {
        memcpy(c.root, l->written.data + 32 * i, 32);
        cc_roots_add(roots, c.root);
        cc_change_write(w, &c);
    }
    for (size_t i = 0; i < garbage->count; i++) {
        size_t at = cc_roots_find(roots, garbage->data + 32 * i);

        if (at == SIZE_MAX || *count + 2 > CC_REVISE_CHANGES_MAX)
            continue;
        if (at + 1 != roots->count) {
            c.kind = CC_CHANGE_SWAP;
            c.a = (uint32_t)at;
            c.b = (uint32_t)(roots->count - 1);
            cc_change_write(w, &c);
            ++*count;
        }
        c.kind = CC_CHANGE_TRIM;
        c.a = 1;
        cc_change_write(w, &c);
        ++*count;
        cc_roots_drop(roots, at);
    }
}

/* Garbage that is gone need not be remembered; what a revision has that the
 * host may still take, on its way since an earlier session, is not gone. */
static void sweep(struct cc_renter_contract *c)
{
    const bool open = c->signed_revision > c->revision;

    for (size_t i = c->garbage.count; i-- > 0;) {
        const uint8_t *root = c->garbage.data + 32 * i;

        if (cc_roots_find(&c->roots, root) == SIZE_MAX &&
            !(open && cc_roots_find(&c->pending, root) != SIZE_MAX))
            cc_roots_drop(&c->garbage, i);
    }
}

static enum cc_status send_revision(struct cc_renter_link *l,
                                    struct cc_message *m, int *refusal,
                                    struct cc_error *err)
{
    struct cc_renter_contract *c = l->contract;
    struct cc_msg_revise *v = &m->u.revise;
    struct cc_message r;
    enum cc_status st;
    uint8_t msg[32];

    /* On disk before our name is under it. */
    c->signed_revision = v->revision;
    st = save(l, err);
    if (st != CC_OK)
        return st;
    cc_revision_message(msg, c->id, v->revision, v->root, v->sectors,
                        l->params);
    if (!cc_schnorr_sign(l->ec, v->signature, l->secret, msg, 32, NULL))
        return cc_fail(err, CC_INVALID, "our contract key does not sign");
    st = cc_session_call(l->session, m, &r, refusal, err);
    if (st != CC_OK)
        return st;
    if (!cc_schnorr_verify(c->terms.host_key, r.u.revise_reply.signature, msg,
                           32))
        return cc_fail(err, CC_CORRUPT,
                       "the host's signature of the revision is wrong");
    adopt(c, v->revision, &c->pending, r.u.revise_reply.signature);
    sweep(c);
    l->written.count = 0;
    return save(l, err);
}

static enum cc_status commit_once(struct cc_renter_link *l, int *refusal,
                                  struct cc_error *err)
{
    struct cc_renter_contract *c = l->contract;
    struct cc_roots next = {NULL, 0, 0};
    enum cc_status st = CC_OK;
    struct cc_writer w;
    struct cc_message m;

    memset(&m, 0, sizeof(m));
    cc_writer_init_heap(&w);
    make_changes(l, &w, &m.u.revise.change_count, &next);
    if (m.u.revise.change_count) {
        cc_roots_copy(&c->pending, &next);
        m.type = CC_MSG_REVISE;
        memcpy(m.u.revise.contract, c->id, 32);
        m.u.revise.revision = c->signed_revision + 1;
        m.u.revise.sectors = (uint32_t)c->pending.count;
        cc_roots_root(m.u.revise.root, &c->pending);
        m.u.revise.changes = cc_bytes(w.data, w.len);
        st = send_revision(l, &m, refusal, err);
    } else {
        sweep(c);
    }
    cc_roots_clear(&next);
    cc_writer_clear(&w);
    return st;
}

enum cc_status cc_renter_link_commit(struct cc_renter_link *l,
                                     struct cc_error *err)
{
    int refusal = 0;
    enum cc_status st = commit_once(l, &refusal, err);

    if (try_again(l, st, refusal))
        st = commit_once(l, &refusal, err);
    return st;
}

static enum cc_status check_read(struct cc_renter_link *l,
                                 const struct cc_msg_read *q,
                                 const uint8_t sector_root[32],
                                 const struct cc_msg_read_reply *a,
                                 struct cc_error *err)
{
    size_t leaves = q->length / CC_LEAF_SIZE, first = q->offset / CC_LEAF_SIZE;
    uint8_t *hashes, root[32], want[32];
    bool ok;

    if (a->data.len != q->length)
        return cc_fail(err, CC_CORRUPT, "the host gave %zu bytes for %u",
                       a->data.len, q->length);
    hashes = cc_reallocarray(NULL, leaves, 32);
    for (size_t i = 0; i < leaves; i++)
        cc_mtree_leaf(hashes + 32 * i, a->data.data + CC_LEAF_SIZE * i,
                      CC_LEAF_SIZE);
    ok = cc_mtree_range_check(sector_root, hashes, CC_SECTOR_LEAVES, first,
                              first + leaves, a->range.data, a->range.len / 32);
    free(hashes);
    if (!ok)
        return cc_fail(err, CC_CORRUPT,
                       "the host gave other data than was stored");
    cc_roots_root(want, &l->contract->roots);
    if (!cc_mtree_path_root(root, sector_root, q->sector,
                            l->contract->roots.count, a->path.data,
                            a->path.len / 32) ||
        memcmp(root, want, 32))
        return cc_fail(err, CC_CORRUPT,
                       "the host's path does not lead to the contract's root");
    return CC_OK;
}

static enum cc_status read_once(struct cc_renter_link *l,
                                const uint8_t root[32], uint32_t offset,
                                uint32_t length, uint8_t *out, int *refusal,
                                struct cc_error *err)
{
    struct cc_renter_contract *c = l->contract;
    uint64_t cost = cc_renter_cost_read(c, length / CC_LEAF_SIZE);
    size_t at = cc_roots_find(&c->roots, root);
    struct cc_message m, r;
    enum cc_status st;

    if (at == SIZE_MAX)
        return cc_fail(err, CC_CORRUPT,
                       "the sector is not in the contract any more");
    st = pay(l, cost, err);
    if (st != CC_OK)
        return st;
    memset(&m, 0, sizeof(m));
    m.type = CC_MSG_READ;
    memcpy(m.u.read.contract, c->id, 32);
    m.u.read.sector = (uint32_t)at;
    m.u.read.offset = offset;
    m.u.read.length = length;
    st = cc_session_call(l->session, &m, &r, refusal, err);
    if (st == CC_OK)
        st = check_read(l, &m.u.read, root, &r.u.read_reply, err);
    if (st == CC_OK)
        st = account(l, cost, r.u.read_reply.used, err);
    if (st == CC_OK)
        memcpy(out, r.u.read_reply.data.data, length);
    return st;
}

enum cc_status cc_renter_link_read(struct cc_renter_link *l,
                                   const uint8_t root[32], uint32_t offset,
                                   uint32_t length, uint8_t *out,
                                   struct cc_error *err)
{
    int refusal = 0;
    enum cc_status st = read_once(l, root, offset, length, out, &refusal, err);

    if (try_again(l, st, refusal))
        st = read_once(l, root, offset, length, out, &refusal, err);
    return st;
}
