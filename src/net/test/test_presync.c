/*
 * Headers walked before they are kept: bounded, honest chains get through,
 * others come to nothing.
 */
#include "support.h"

#include <stdlib.h>

#include "consensus/pow.h"
#include "net/presync.h"
#include "util/mem.h"

static const uint8_t key[16] = {9, 8, 7};

struct walk {
    const struct cc_params *params;
    struct cc_index start;
    struct cc_header *h; /* a chain on start */
    size_t count;
};

/* A chain of n headers of regtest on a made-up start. */
static void make_chain(struct walk *w, size_t n, uint32_t salt)
{
    uint8_t prev[32], hash[32];

    memset(w, 0, sizeof(*w));
    w->params = cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
    w->start.header.bits = 0x207fffff;
    w->start.header.time = 1000000;
    memset(w->start.hash, 0x11, 32);
    w->start.height = 7;
    w->start.work = cc_u256_from_u64(16);
    w->h = cc_calloc(n, sizeof(*w->h));
    w->count = n;
    memcpy(prev, w->start.hash, 32);
    for (size_t i = 0; i < n; i++) {
        struct cc_header *h = &w->h[i];

        h->version = 4;
        h->bits = 0x207fffff;
        h->time = 1000001 + (uint32_t)i;
        memcpy(h->prev, prev, 32);
        cc_put_u32le(h->merkle_root, salt);
        do {
            h->nonce++;
            cc_header_hash(hash, h);
        } while (!cc_pow_check(hash, h->bits, w->params));
        memcpy(prev, hash, 32);
    }
}

static struct cc_presync *begin(const struct walk *w, uint64_t headers)
{
    struct cc_u256 t = cc_u256_from_u64(16 + 2 * headers);

    return cc_presync_new(w->params, &w->start, &t, 1000000, key);
}

/* Feed the chain in messages of 2,000 from where the walk stands; what it hands
 * out is compared with the chain. Returns the last result. */
static enum cc_presync_result feed(struct cc_presync *s, const struct walk *w,
                                   const struct walk *second, size_t *got)
{
    enum cc_presync_result r = CC_PRESYNC_MORE;
    size_t pos = 0;
    bool again = false;

    *got = 0;
    for (int i = 0; i < 100 && r == CC_PRESYNC_MORE; i++) {
        const struct walk *c = again ? second : w;
        size_t n = c->count - pos < 2000 ? c->count - pos : 2000;
        struct cc_header *out;
        size_t out_count;
        uint8_t last[32];

        r = cc_presync_headers(s, c->h + pos, n, n == 2000, &out, &out_count);
        for (size_t k = 0; k < out_count; k++)
            assert_memory_equal(&out[k], &c->h[*got + k], sizeof(out[k]));
        *got += out_count;
        free(out);
        pos += n;
        cc_presync_last(s, last);
        if (!again && !memcmp(last, w->start.hash, 32)) {
            assert_int_equal(cc_presync_height(s), -1);
            again = true;
            pos = 0;
        }
    }
    return r;
}

static void test_honest(void **state)
{
    struct cc_presync *s;
    struct walk w;
    size_t got;

    (void)state;
    make_chain(&w, 5000, 1);
    s = begin(&w, 4500);
    assert_int_equal(feed(s, &w, &w, &got), CC_PRESYNC_DONE);
    assert_int_equal(got, 5000);
    cc_presync_free(s);
    free(w.h);
}

static void test_too_short(void **state)
{
    struct cc_presync *s;
    struct walk w;
    size_t got;

    (void)state;
    make_chain(&w, 4100, 1);
    s = begin(&w, 4500);
    assert_int_equal(feed(s, &w, &w, &got), CC_PRESYNC_FAILED);
    assert_int_equal(got, 0);
    cc_presync_free(s);
    free(w.h);
}

/* Another chain in the second walk is found by the bits of the first. */
static void test_other_chain(void **state)
{
    struct walk w, other;
    unsigned caught = 0;

    (void)state;
    make_chain(&w, 16000, 1);
    for (uint32_t salt = 2; salt < 6; salt++) {
        struct cc_presync *s = begin(&w, 15900);
        size_t got;

        make_chain(&other, 16000, salt);
        if (feed(s, &w, &other, &got) == CC_PRESYNC_FAILED) {
            assert_int_equal(got, 0);
            caught++;
        }
        cc_presync_free(s);
        free(other.h);
    }
    assert_int_equal(caught, 4); /* 26 bits each */
    free(w.h);
}

static void test_broken(void **state)
{
    struct cc_header *out;
    struct walk w;
    size_t n;

    (void)state;
    make_chain(&w, 2000, 1);
    for (int fault = 0; fault < 3; fault++) {
        struct cc_presync *s = begin(&w, 4000);
        struct cc_header keep = w.h[1000];
        uint8_t hash[32];

        if (fault == 0)
            w.h[1000].bits = 0x207ffffe;
        else if (fault == 1)
            w.h[1000].prev[0] ^= 1;
        else
            do {
                w.h[1000].nonce++;
                cc_header_hash(hash, &w.h[1000]);
            } while (cc_pow_check(hash, w.h[1000].bits, w.params));
        assert_int_equal(cc_presync_headers(s, w.h, 2000, true, &out, &n),
                         CC_PRESYNC_FAILED);
        assert_int_equal(n, 0);
        w.h[1000] = keep;
        cc_presync_free(s);
    }
    free(w.h);
}

/* More headers than time can have brought are not followed. */
static void test_too_long(void **state)
{
    struct cc_u256 t = cc_u256_from_u64(1u << 30);
    struct cc_presync *s;
    struct cc_header *out;
    struct walk w;
    size_t n;

    (void)state;
    make_chain(&w, 2000, 1);
    s = cc_presync_new(w.params, &w.start, &t, 1999, key);
    assert_int_equal(cc_presync_headers(s, w.h, 1999, true, &out, &n),
                     CC_PRESYNC_MORE);
    assert_int_equal(cc_presync_height(s), 7 + 1999);
    assert_int_equal(cc_presync_headers(s, w.h + 1999, 1, true, &out, &n),
                     CC_PRESYNC_FAILED);
    cc_presync_free(s);
    free(w.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest),      cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_other_chain), cmocka_unit_test(test_broken),
        cmocka_unit_test(test_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
