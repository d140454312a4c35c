#include "mempool/test/package_support.h"

#include "util/hex.h"

#include <stdarg.h>
#include <stdio.h>

struct fixture f;
struct cc_mempool_package_item items[CC_MAX_PACKAGE_COUNT];
struct cc_mempool_submitted out;

int package_open(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_BITCOIN_REGTEST);
    fixture_mine(&f, 60);
    return 0;
}

int package_open_nonstandard(void **state)
{
    package_open(state);
    f.config.require_standard = false;
    fixture_reopen(&f);
    return 0;
}

int package_close(void **state)
{
    (void)state;
    cc_mempool_submitted_clear(&out);
    fixture_close(&f);
    return 0;
}

struct list {
    struct cc_tx tx[CC_MAX_PACKAGE_COUNT + 1];
    size_t count;
};

static void gather(struct list *l, struct cc_tx *first, va_list ap)
{
    l->count = 0;
    for (struct cc_tx *tx = first; tx; tx = va_arg(ap, struct cc_tx *)) {
        cc_tx_finish(tx);
        l->tx[l->count++] = *tx;
    }
}

static void judge_list(const struct list *l, const char *text)
{
    enum cc_status st;

    st = cc_mempool_test_package(f.pool, l->tx, l->count, items, &f.err);
    assert_string_equal(st == CC_OK ? "" : f.err.text, text);
}

void judge(const char *text, struct cc_tx *first, ...)
{
    struct list l;
    va_list ap;

    va_start(ap, first);
    gather(&l, first, ap);
    va_end(ap);
    judge_list(&l, text);
}

void judged(size_t at, const char *text)
{
    assert_int_equal(items[at].judged, text != NULL);
    if (text) {
        assert_int_equal(items[at].status, *text ? CC_INVALID : CC_OK);
        assert_string_equal(*text ? items[at].err.text : "", text);
    }
}

void submit(const char *text, struct cc_tx *first, ...)
{
    struct list l;
    va_list ap;
    enum cc_status st;

    va_start(ap, first);
    gather(&l, first, ap);
    va_end(ap);
    cc_mempool_submitted_clear(&out);
    st = cc_mempool_submit_package(f.pool, l.tx, l.count, &out, &f.err);
    assert_string_equal(st == CC_OK ? "" : f.err.text, text);
}

void refused(size_t at, const char *text)
{
    assert_int_equal(out.items[at].result, CC_SUBMIT_REFUSED);
    assert_string_equal(out.items[at].err.text, text);
}

void entered(size_t at, const struct cc_tx *tx, cc_amount fee)
{
    const struct cc_mempool_submit_item *item = &out.items[at];

    assert_int_equal(item->result, CC_SUBMIT_ENTERED);
    assert_true(fixture_has(&f, tx));
    assert_int_equal(item->fee, fee);
    assert_int_equal(item->vsize, (cc_tx_weight(tx) + 3) / 4);
}

const char *id(const struct cc_tx *tx)
{
    static char text[4][65];
    static int n;

    n = (n + 1) % 4;
    cc_hex_encode_rev(text[n], tx->txid, 32);
    return text[n];
}

size_t vsize(const struct cc_tx *tx) { return (cc_tx_weight(tx) + 3) / 4; }

const char *words(const char *fmt, ...)
{
    static char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return text;
}

void limits(unsigned ancestors, unsigned descendants, size_t ancestor_size,
            size_t descendant_size)
{
    f.config.ancestor_limit = ancestors;
    f.config.descendant_limit = descendants;
    f.config.ancestor_size_limit = ancestor_size;
    f.config.descendant_size_limit = descendant_size;
    fixture_reopen(&f);
}
