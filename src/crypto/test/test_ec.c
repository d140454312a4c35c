#include "crypto/ec.h"

#include "crypto/hash.h"
#include "support.h"

#include <stdlib.h>

static struct cc_ec *ec;

static int setup(void **state)
{
    (void)state;
    ec = cc_ec_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_ec_free(ec);
    cc_ec_free(NULL);
    return 0;
}

/* One comma-separated field; *p moves behind it. */
static char *field(char **p)
{
    char *start = *p, *end = strpbrk(start, ",\r\n");

    if (end) {
        *p = end + 1;
        *end = 0;
    } else {
        *p = start + strlen(start);
    }
    return start;
}

static void test_bip340(void **state)
{
    char *text = cc_test_load("bip340.csv", NULL), *line, *next;
    size_t ran = 0;

    (void)state;
    if (!text)
        skip();
    for (line = strchr(text, '\n') + 1; line && *line; line = next) {
        char *p = line, *f[7];
        uint8_t pub[32], sig[64], *msg, got[64], secret[32], aux[32];
        size_t msg_len;
        bool valid;

        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        for (int i = 0; i < 7; i++)
            f[i] = field(&p);
        cc_test_unhex_into(pub, 32, f[2]);
        msg = cc_test_unhex(f[4], &msg_len);
        cc_test_unhex_into(sig, 64, f[5]);
        valid = !strcmp(f[6], "TRUE");
        if (*f[1]) {
            cc_test_unhex_into(secret, 32, f[1]);
            cc_test_unhex_into(aux, 32, f[3]);
            assert_true(cc_ec_xonly(ec, got, secret));
            assert_memory_equal(got, pub, 32);
            assert_true(cc_schnorr_sign(ec, got, secret, msg, msg_len, aux));
            assert_memory_equal(got, sig, 64);
        }
        if (cc_schnorr_verify(pub, sig, msg, msg_len) != valid)
            fail_msg("row %s: expected %s", f[0], f[6]);
        free(msg);
        ran++;
    }
    assert_true(ran >= 15);
    cc_test_ran("bip340", ran);
    free(text);
}

static void test_taproot(void **state)
{
    json_t *root = cc_test_load_json("bip341_wallet_vectors.json"), *row;
    size_t i, ran = 0;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(json_object_get(root, "scriptPubKey"), i, row)
    {
        json_t *mid = json_object_get(row, "intermediary");
        uint8_t internal[32], tweak[32], out[32], want[32];
        bool odd;

        cc_test_unhex_into(
            internal, 32,
            cc_test_string(json_object_get(row, "given"), "internalPubkey"));
        cc_test_unhex_into(tweak, 32, cc_test_string(mid, "tweak"));
        cc_test_unhex_into(want, 32, cc_test_string(mid, "tweakedPubkey"));
        assert_true(cc_ec_xonly_tweak(out, &odd, internal, tweak));
        assert_memory_equal(out, want, 32);
        assert_true(cc_ec_tweak_check(out, odd, internal, tweak));
        assert_false(cc_ec_tweak_check(out, !odd, internal, tweak));
        out[5] ^= 1;
        assert_false(cc_ec_tweak_check(out, odd, internal, tweak));
        ran++;
    }
    root = json_incref(root);
    json_array_foreach(
        json_object_get(
            json_array_get(json_object_get(root, "keyPathSpending"), 0),
            "inputSpending"),
        i, row)
    {
        json_t *given = json_object_get(row, "given");
        json_t *mid = json_object_get(row, "intermediary");
        uint8_t secret[32], tweak[32], want[32];

        cc_test_unhex_into(secret, 32,
                           cc_test_string(given, "internalPrivkey"));
        cc_test_unhex_into(tweak, 32, cc_test_string(mid, "tweak"));
        cc_test_unhex_into(want, 32, cc_test_string(mid, "tweakedPrivkey"));
        assert_true(cc_ec_secret_taproot(ec, secret, tweak));
        assert_memory_equal(secret, want, 32);
        ran++;
    }
    assert_true(ran >= 14);
    cc_test_ran("bip341 keys", ran);
    json_decref(root);
    json_decref(root);
}

static void test_ecdsa(void **state)
{
    uint8_t secret[32], pub[33], full[65], msg[32], sig[72];
    uint8_t back[65], rec[65];

    (void)state;
    for (uint32_t i = 0; i < 64; i++) {
        size_t len = sizeof(sig), back_len;

        cc_sha256_once(secret, &i, sizeof(i));
        cc_sha256_once(msg, secret, 32);
        assert_true(cc_ec_pubkey(ec, pub, secret));
        assert_true(cc_ec_pubkey_uncompress(full, pub, 33));
        assert_true(cc_ec_pubkey_compress(back, full, 65));
        assert_memory_equal(back, pub, 33);
        assert_true(cc_ecdsa_sign(ec, sig, &len, secret, msg));
        assert_true(len <= 70); /* low R and low S */
        assert_true(cc_ecdsa_verify(pub, 33, sig, len, msg));
        assert_true(cc_ecdsa_verify(full, 65, sig, len, msg));
        assert_true(cc_ecdsa_low_s(sig, len));
        msg[0] ^= 1;
        assert_false(cc_ecdsa_verify(pub, 33, sig, len, msg));
        msg[0] ^= 1;
        for (int c = 0; c < 2; c++) {
            assert_true(
                cc_ecdsa_sign_recoverable(ec, rec, secret, msg, c != 0));
            assert_true(cc_ecdsa_recover(back, &back_len, rec, msg));
            assert_int_equal(back_len, c ? 33 : 65);
            assert_memory_equal(back, c ? pub : full, back_len);
        }
        rec[0] = 35;
        assert_false(cc_ecdsa_recover(back, &back_len, rec, msg));
        rec[0] = 26;
        assert_false(cc_ecdsa_recover(back, &back_len, rec, msg));
    }
}

/* n - s, as the other signature that ECDSA allows. */
static void negate(uint8_t out[32], const uint8_t s[32])
{
    uint8_t n[32];
    int borrow = 0;

    cc_test_unhex_into(
        n, 32,
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    for (int i = 31; i >= 0; i--) {
        int d = n[i] - s[i] - borrow;

        borrow = d < 0;
        out[i] = (uint8_t)(d + (borrow ? 256 : 0));
    }
}

static void test_lax_der(void **state)
{
    uint8_t secret[32] = {[31] = 7}, msg[32] = {1}, pub[33], sig[72];
    uint8_t r[33] = {0}, s[33] = {0}, neg[32], der[200];
    size_t len = sizeof(sig), rl, sl, n;

    (void)state;
    assert_true(cc_ec_pubkey(ec, pub, secret));
    assert_true(cc_ecdsa_sign(ec, sig, &len, secret, msg));
    rl = sig[3];
    sl = sig[5 + rl];
    assert_true(rl <= 32 && sl <= 32);
    memcpy(r + 33 - rl, sig + 4, rl);
    memcpy(s + 33 - sl, sig + 6 + rl, sl);
    /* High S verifies and is no low S. */
    negate(neg, s + 1);
    n = 0;
    der[n++] = 0x30;
    der[n++] = 0x46;
    der[n++] = 0x02;
    der[n++] = 33;
    memcpy(der + n, r, 33);
    n += 33;
    der[n++] = 0x02;
    der[n++] = 33;
    der[n++] = 0;
    memcpy(der + n, neg, 32);
    n += 32;
    assert_true(cc_ecdsa_verify(pub, 33, der, n, msg));
    assert_false(cc_ecdsa_low_s(der, n));
    /* The length of the whole does not matter, nor what follows. */
    der[1] = 0x12;
    assert_true(cc_ecdsa_verify(pub, 33, der, n, msg));
    der[n] = 0xff;
    assert_true(cc_ecdsa_verify(pub, 33, der, n + 1, msg));
    /* Every cut makes it none. */
    for (size_t i = 0; i < n; i++)
        assert_false(cc_ecdsa_verify(pub, 33, der, i, msg));
    /* Long form lengths, with zeros in front. */
    n = 0;
    der[n++] = 0x30;
    der[n++] = 0x82;
    der[n++] = 0x00;
    der[n++] = 0x50;
    der[n++] = 0x02;
    der[n++] = 0x85;
    memcpy(der + n, "\0\0\0\0", 4);
    n += 4;
    der[n++] = 33;
    memcpy(der + n, r, 33);
    n += 33;
    der[n++] = 0x02;
    der[n++] = 0x81;
    der[n++] = 33;
    memcpy(der + n, s, 33);
    n += 33;
    assert_true(cc_ecdsa_verify(pub, 33, der, n, msg));
    assert_true(cc_ecdsa_low_s(der, n));
    /* Four bytes of length that count are too many. */
    der[6] = 1;
    assert_false(cc_ecdsa_verify(pub, 33, der, n, msg));
    /* A number of more than 256 bits parses and never verifies; no integer,
     * no sequence: does not parse. */
    memset(der, 0, sizeof(der));
    memcpy(der, "\x30\x26\x02\x21", 4);
    der[4] = 1;
    memcpy(der + 37, "\x02\x01\x01", 3);
    assert_false(cc_ecdsa_verify(pub, 33, der, 40, msg));
    assert_true(cc_ecdsa_low_s(der, 40));
    der[2] = 3;
    assert_false(cc_ecdsa_low_s(der, 40));
    assert_false(cc_ecdsa_low_s(der, 0));
    /* A length of the whole that is itself too long. */
    {
        uint8_t *tight = malloc(4);

        assert_non_null(tight);
        memcpy(tight, "\x30\x83\x02\x01", 4);
        assert_false(cc_ecdsa_low_s(tight, 4));
        assert_false(cc_ecdsa_low_s(tight, 2));
        assert_false(cc_ecdsa_low_s(tight, 1));
        free(tight);
    }
    der[2] = 2;
    der[0] = 0x31;
    assert_false(cc_ecdsa_low_s(der, 40));
}

static void test_keys(void **state)
{
    uint8_t a[32], b[32], pa[33], pb[33], t[32] = {[31] = 5}, x[32], y[32];
    uint8_t full[65];

    (void)state;
    cc_ec_secret_new(a);
    cc_ec_secret_new(b);
    assert_memory_not_equal(a, b, 32);
    assert_true(cc_ec_pubkey(ec, pa, a) && cc_ec_pubkey(ec, pb, b));
    /* Both sides of a Diffie-Hellman agree. */
    assert_true(cc_ec_dh(x, pb, a) && cc_ec_dh(y, pa, b));
    assert_memory_equal(x, y, 32);
    /* Tweaking secret and key lead to one place. */
    assert_true(cc_ec_pubkey_tweak(pb, pa, t));
    assert_true(cc_ec_secret_tweak(a, t));
    assert_true(cc_ec_pubkey(ec, pa, a));
    assert_memory_equal(pa, pb, 33);
    /* Either secret of an x-only key becomes the one with even y. */
    for (int i = 0; i < 16; i++) {
        cc_ec_secret_new(b);
        assert_true(cc_ec_pubkey(ec, pb, b));
        assert_true(cc_ec_secret_even(ec, b));
        assert_true(cc_ec_pubkey(ec, full, b));
        assert_int_equal(full[0], 2);
        assert_memory_equal(full + 1, pb + 1, 32);
    }
    assert_true(cc_ec_xonly_valid(pa + 1));
    assert_true(cc_ec_pubkey_valid(pa, 33));
    memset(x, 0, 32);
    assert_false(cc_ec_secret_valid(x));
    assert_false(cc_ec_pubkey(ec, pa, x));
    assert_false(cc_ec_xonly(ec, y, x));
    memset(x, 0xff, 32);
    assert_false(cc_ec_secret_valid(x));
    assert_false(cc_ec_xonly_valid(x));
    pb[0] = 5;
    assert_false(cc_ec_pubkey_valid(pb, 33));
    assert_false(cc_ec_dh(y, pb, b));
    assert_false(cc_ec_pubkey_compress(pa, pb, 33));
    assert_false(cc_ec_pubkey_uncompress(full, pb, 33));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bip340), cmocka_unit_test(test_taproot),
        cmocka_unit_test(test_ecdsa),  cmocka_unit_test(test_lax_der),
        cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
