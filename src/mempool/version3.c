/*
 * Transactions of version 3, as Core 27 keeps them where they are let in at
 * all (-acceptnonstdtxn): small families, so that nobody can pin a parent in
 * the pool by what hangs on it. A family is a parent and one child of at most
 * 1,000 virtual bytes, and both are of version 3.
 */
#include "mempool/internal.h"

#include "util/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VERSION 3
#define MAX_CHILD_VSIZE 1000
#define IDS 160

static const char *ids(char out[IDS], const struct cc_tx *tx)
{
    char txid[65], wtxid[65];

    cc_hex_encode_rev(txid, tx->txid, 32);
    cc_hex_encode_rev(wtxid, tx->wtxid, 32);
    snprintf(out, IDS, "tx %s (wtxid=%s)", txid, wtxid);
    return out;
}

static enum cc_status violation(const struct cc_txpool_candidate *c,
                                struct cc_error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum cc_status violation(const struct cc_txpool_candidate *c,
                                struct cc_error *err, const char *fmt, ...)
{
    char detail[2 * IDS + 80];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    return cc_reject(err, CC_VERDICT_POLICY,
                     c ? "v3-rule-violation" : "v3-violation", detail);
}

/* c NULL: it is about a package. */
static enum cc_status mixed(const struct cc_txpool_candidate *c,
                            const struct cc_tx *tx, const struct cc_tx *parent,
                            struct cc_error *err)
{
    const bool mine = tx->version == VERSION;
    char a[IDS], b[IDS];

    return violation(c, err, "%s %s cannot spend from %s %s",
                     mine ? "v3" : "non-v3", ids(a, tx), mine ? "non-v3" : "v3",
                     ids(b, parent));
}

static enum cc_status too_big(const struct cc_txpool_candidate *c,
                              const struct cc_tx *tx, size_t vsize,
                              struct cc_error *err)
{
    char a[IDS];

    return violation(c, err, "v3 child %s is too big: %zu > %d virtual bytes",
                     ids(a, tx), vsize, MAX_CHILD_VSIZE);
}

static enum cc_status too_many_ancestors(const struct cc_txpool_candidate *c,
                                         const struct cc_tx *tx,
                                         struct cc_error *err)
{
    char a[IDS];

    return violation(c, err, "%s would have too many ancestors", ids(a, tx));
}

static enum cc_status too_many_descendants(const struct cc_txpool_candidate *c,
                                           const struct cc_tx *parent,
                                           struct cc_error *err)
{
    char a[IDS];

    return violation(c, err, "%s would exceed descendant count limit",
                     ids(a, parent));
}

/* The ancestor in the pool, of least txid, that is of version 3 where c is not
 * or the other way round. */
static const struct cc_tx *other_kind(const struct cc_txpool_candidate *c)
{
    const struct cc_tx *found = NULL;

    for (size_t i = 0; i < c->ancestors.count; i++) {
        const struct cc_tx *tx = &c->ancestors.items[i]->e.tx;

        if ((tx->version == VERSION) != (c->tx->version == VERSION) &&
            (!found || memcmp(tx->txid, found->txid, 32) < 0))
            found = tx;
    }
    return found;
}

/* After a reorganisation there may be several: one that goes makes room. */
static bool replaces_child(const struct cc_txpool_candidate *c,
                           const struct cc_txpool_node *parent)
{
    for (size_t i = 0; i < parent->child_count; i++)
        for (size_t j = 0; j < c->conflicts.count; j++)
            if (parent->children[i] == c->conflicts.items[j])
                return true;
    return false;
}

enum cc_status cc_txpool_check_version3(const struct cc_txpool_candidate *c,
                                        struct cc_error *err)
{
    const struct cc_tx *other = other_kind(c);
    const struct cc_txpool_node *parent;

    if (other)
        return mixed(c, c->tx, other, err);
    if (c->tx->version != VERSION || c->ancestors.count == 0)
        return CC_OK;
    if (c->ancestors.count > 1)
        return too_many_ancestors(c, c->tx, err);
    if (c->vsize > MAX_CHILD_VSIZE)
        return too_big(c, c->tx, c->vsize, err);
    parent = c->ancestors.items[0];
    if (parent->e.descendant_count > 1 && !replaces_child(c, parent))
        return too_many_descendants(c, &parent->e.tx, err);
    return CC_OK;
}

/* --- A package -------------------------------------------------------------
 */

/* A parent and child of version 3 have no more relatives in the package. */
static enum cc_status check_pair(const struct cc_txpool_candidate *c,
                                 size_t count, size_t child,
                                 const struct cc_tx *parent,
                                 struct cc_error *err)
{
    const struct cc_tx *tx = c[child].tx;

    if (parent->version != VERSION)
        return mixed(NULL, tx, parent, err);
    for (size_t i = 0; i < count; i++) {
        if (i == child)
            continue;
        if (cc_txpool_is_child(c[i].tx, parent))
            return too_many_descendants(NULL, parent, err);
        if (cc_txpool_is_child(c[i].tx, tx))
            return too_many_ancestors(NULL, c[i].tx, err);
    }
    return CC_OK;
}

static enum cc_status check_member(const struct cc_txpool_candidate *c,
                                   size_t count, size_t at,
                                   struct cc_error *err)
{
    const struct cc_txpool_candidate *mine = &c[at];
    const struct cc_tx *parent = NULL, *other = other_kind(mine);
    size_t parents = 0;

    for (size_t i = 0; i < at; i++) {
        if (!cc_txpool_is_child(mine->tx, c[i].tx))
            continue;
        parents++;
        if (!parent)
            parent = c[i].tx;
        if (!other && mine->tx->version != VERSION &&
            c[i].tx->version == VERSION)
            other = c[i].tx;
    }
    if (mine->tx->version != VERSION)
        return other ? mixed(NULL, mine->tx, other, err) : CC_OK;
    if (mine->ancestors.count + parents > 1)
        return too_many_ancestors(NULL, mine->tx, err);
    if (mine->ancestors.count)
        parent = &mine->ancestors.items[0]->e.tx;
    if (!parent)
        return CC_OK;
    if (mine->vsize > MAX_CHILD_VSIZE)
        return too_big(NULL, mine->tx, mine->vsize, err);
    return check_pair(c, count, at, parent, err);
}

enum cc_status
cc_txpool_check_version3_package(const struct cc_txpool_candidate *c,
                                 size_t count, struct cc_error *err)
{
    enum cc_status st = CC_OK;

    for (size_t i = 0; i < count && st == CC_OK; i++)
        st = check_member(c, count, i, err);
    return st;
}
