#include "crypto/hash.h"
#include "crypto/sha256_impl.h"

#include "support.h"

#include <stdlib.h>

#include <openssl/sha.h>

/* FIPS 180-4 examples, and NIST's long one. */
static const struct {
    const char *text, *sha1, *sha256, *sha512;
} fips[] = {
    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
     "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
     "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445"},
};

static void expect(const void *got, size_t len, const char *hex)
{
    assert_string_equal(cc_test_hex(got, len), hex);
}

static void test_fips(void **state)
{
    uint8_t out[64], *a;

    (void)state;
    for (size_t i = 0; i < sizeof(fips) / sizeof(fips[0]); i++) {
        size_t len = strlen(fips[i].text);

        cc_sha256_once(out, fips[i].text, len);
        expect(out, 32, fips[i].sha256);
        cc_sha1(out, fips[i].text, len);
        expect(out, 20, fips[i].sha1);
        cc_sha512(out, fips[i].text, len);
        expect(out, 64, fips[i].sha512);
        for (int b = 0; cc_sha256_impls[b]; b++) {
            if (!cc_sha256_impls[b]->usable())
                continue;
            cc_sha256_impl_once(cc_sha256_impls[b], out, fips[i].text, len);
            expect(out, 32, fips[i].sha256);
        }
    }
    a = malloc(1000000);
    assert_non_null(a);
    memset(a, 'a', 1000000);
    cc_sha256_once(out, a, 1000000);
    expect(out, 32,
           "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(a);
}

/* Every backend at every length, held against OpenSSL. */
static void test_backends(void **state)
{
    static uint8_t in[300 * 40 + 1], out[32 * 40], ref[32];
    struct cc_test_random r;
    size_t ran = 0;

    (void)state;
    cc_test_random_init(&r, 1);
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)cc_test_random(&r);
    for (int b = 0; cc_sha256_impls[b]; b++) {
        const struct cc_sha256_impl *impl = cc_sha256_impls[b];

        if (!impl->usable()) {
            print_message("%s: not on this processor\n", impl->name);
            continue;
        }
        for (size_t len = 0; len <= 300; len++) {
            /* One more than two rounds of lanes, and unaligned. */
            size_t n = 2 * impl->lanes + 1;

            cc_sha256_impl_once(impl, out, in + 1, len);
            SHA256(in + 1, len, ref);
            assert_memory_equal(out, ref, 32);
            for (uint8_t prefix = 0; prefix < 2; prefix++) {
                cc_sha256_impl_prefixed(impl, out, prefix, in + 1, len, n);
                for (size_t i = 0; i < n; i++) {
                    uint8_t one[301];

                    one[0] = prefix;
                    memcpy(one + 1, in + 1 + i * len, len);
                    SHA256(one, len + 1, ref);
                    assert_memory_equal(out + 32 * i, ref, 32);
                }
            }
            ran++;
        }
        for (size_t n = 0; n <= 40; n++) {
            static uint8_t copy[64 * 40];

            memcpy(copy, in, 64 * n);
            cc_sha256_impl_pairs(impl, copy, copy, n);
            for (size_t i = 0; i < n; i++) {
                SHA256(in + 64 * i, 64, ref);
                SHA256(ref, 32, ref);
                assert_memory_equal(copy + 32 * i, ref, 32);
            }
        }
    }
    cc_test_ran("SHA-256 backends x lengths", ran);
}

/* hash.h's calls split the work between backends: every count up to two
 * rounds of the widest. */
static void test_dispatch(void **state)
{
    static uint8_t in[65 * 40], out[32 * 40], ref[32];

    (void)state;
    assert_non_null(cc_sha256_backend());
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 131 + i / 256);
    for (size_t n = 0; n <= 40; n++) {
        cc_hash256_pairs(out, in, n);
        for (size_t i = 0; i < n; i++) {
            cc_hash256(ref, in + 64 * i, 64);
            assert_memory_equal(out + 32 * i, ref, 32);
        }
        cc_sha256_prefixed_many(out, 1, in, 65, n);
        for (size_t i = 0; i < n; i++) {
            struct cc_sha256 c;

            cc_sha256_init(&c);
            cc_sha256_update(&c, "\1", 1);
            cc_sha256_update(&c, in + 65 * i, 65);
            cc_sha256_final(&c, ref);
            assert_memory_equal(out + 32 * i, ref, 32);
        }
    }
}

static void test_pieces(void **state)
{
    uint8_t in[400], whole[32], out[32];
    struct cc_test_random r;

    (void)state;
    cc_test_random_init(&r, 2);
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)cc_test_random(&r);
    for (int round = 0; round < 1000; round++) {
        size_t len = cc_test_random(&r) % (sizeof(in) + 1), at = 0;
        struct cc_sha256 c;

        SHA256(in, len, whole);
        cc_sha256_init(&c);
        while (at < len) {
            size_t n = cc_test_random(&r) % 130;

            if (n > len - at)
                n = len - at;
            cc_sha256_update(&c, in + at, n);
            at += n;
        }
        cc_sha256_final(&c, out);
        assert_memory_equal(out, whole, 32);
    }
    /* final2 is hash256. */
    {
        struct cc_sha256 c;

        cc_sha256_init(&c);
        cc_sha256_update(&c, in, 100);
        cc_sha256_final2(&c, out);
        SHA256(in, 100, whole);
        SHA256(whole, 32, whole);
        assert_memory_equal(out, whole, 32);
    }
}

/* The table of the padding block is what its schedule and constants give. */
static void test_padding_table(void **state)
{
    uint32_t w[64] = {0x80000000, [15] = 512};

    (void)state;
    for (int i = 0; i < 64; i++) {
        if (i >= 16) {
            uint32_t x = w[i - 15], y = w[i - 2];

            w[i] = w[i - 16] + w[i - 7] +
                   ((x >> 7 | x << 25) ^ (x >> 18 | x << 14) ^ x >> 3) +
                   ((y >> 17 | y << 15) ^ (y >> 19 | y << 13) ^ y >> 10);
        }
        assert_int_equal(cc_sha256_kw64[i], w[i] + cc_sha256_k[i]);
    }
}

/* From the RIPEMD-160 paper. */
static void test_ripemd160(void **state)
{
    static const char *const rows[][2] = {
        {"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
        {"a", "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"},
        {"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
        {"message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"},
        {"abcdefghijklmnopqrstuvwxyz",
         "f71c27109c692c1b56bbdceb5b9d2865b3708dbc"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "12a053384a9c0c88e405a06c27dcf49ada62eb2b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "b0e20b6e3116640286ed3a87a5713079b21f5189"},
        {"1234567890123456789012345678901234567890"
         "1234567890123456789012345678901234567890",
         "9b752e45573d4b39f4dbd3323cab82bf63326bfb"},
    };
    uint8_t out[20], h[32];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cc_ripemd160(out, rows[i][0], strlen(rows[i][0]));
        expect(out, 20, rows[i][1]);
    }
    cc_hash160(out, "abc", 3);
    cc_sha256_once(h, "abc", 3);
    cc_ripemd160(h, h, 32);
    assert_memory_equal(out, h, 20);
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static void test_hmac(void **state)
{
    uint8_t out[64], key[131];
    const char *big = "Test Using Larger Than Block-Size Key - Hash Key First";

    (void)state;
    memset(key, 0x0b, 20);
    cc_hmac_sha256(out, key, 20, "Hi There", 8);
    expect(out, 32,
           "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    cc_hmac_sha512(out, key, 20, "Hi There", 8);
    expect(out, 64,
           "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
           "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854");
    cc_hmac_sha256(out, "Jefe", 4, "what do ya want for nothing?", 28);
    expect(out, 32,
           "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    cc_hmac_sha256(out, key, sizeof(key), big, strlen(big));
    expect(out, 32,
           "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_tagged(void **state)
{
    uint8_t tag[32], out[32], again[32];
    struct cc_sha256 c;

    (void)state;
    SHA256((const uint8_t *)"BIP0340/aux", 11, tag);
    cc_sha256_init(&c);
    cc_sha256_update(&c, tag, 32);
    cc_sha256_update(&c, tag, 32);
    cc_sha256_update(&c, "data", 4);
    cc_sha256_final(&c, again);
    cc_tagged_hash(out, "BIP0340/aux", "data", 4);
    assert_memory_equal(out, again, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fips),          cmocka_unit_test(test_backends),
        cmocka_unit_test(test_dispatch),      cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_padding_table), cmocka_unit_test(test_ripemd160),
        cmocka_unit_test(test_hmac),          cmocka_unit_test(test_tagged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
