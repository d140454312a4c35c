/* AES, ChaCha20-Poly1305 and key derivation, at their published examples. */
#include "crypto/aes.h"
#include "crypto/chacha.h"
#include "crypto/kdf.h"

#include "support.h"

#include <stdlib.h>

static void expect(const void *got, size_t len, const char *hex)
{
    assert_string_equal(cc_test_hex(got, len), hex);
}

/* SP 800-38A F.5.5, and over a carry through the whole counter. */
static void test_ctr(void **state)
{
    uint8_t key[32], counter[16], data[64], whole[48], part[48];

    (void)state;
    cc_test_unhex_into(
        key, 32,
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    cc_test_unhex_into(counter, 16, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    cc_test_unhex_into(
        data, 64,
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
    cc_aes256_ctr(data, 64, key, counter);
    expect(data, 64,
           "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
           "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");
    memset(counter, 0xff, 16);
    memset(whole, 0, sizeof(whole));
    cc_aes256_ctr(whole, 48, key, counter);
    memset(part, 0, sizeof(part));
    memset(counter, 0, 16);
    cc_aes256_ctr(part, 16, key, counter);
    assert_memory_equal(whole + 16, part, 16);
}

/* McGrew and Viega, test cases 13, 14 and 16. */
static void test_gcm(void **state)
{
    uint8_t key[32] = {0}, nonce[12] = {0}, data[60], out[60 + 16], aad[20];
    uint8_t back[60];

    (void)state;
    cc_aes256_gcm_seal(out, NULL, 0, key, nonce, NULL, 0);
    expect(out, 16, "530f8afbc74536b9a963b4f1c4cb738b");
    assert_true(cc_aes256_gcm_open(back, out, 16, key, nonce, NULL, 0));
    memset(data, 0, 16);
    cc_aes256_gcm_seal(out, data, 16, key, nonce, NULL, 0);
    expect(out, 32,
           "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    cc_test_unhex_into(
        key, 32,
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    cc_test_unhex_into(nonce, 12, "cafebabefacedbaddecaf888");
    cc_test_unhex_into(aad, 20, "feedfacedeadbeeffeedfacedeadbeefabaddad2");
    cc_test_unhex_into(
        data, 60,
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    cc_aes256_gcm_seal(out, data, 60, key, nonce, aad, 20);
    expect(out, 76,
           "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
           "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
           "76fc6ece0f4e1768cddf8853bb2d551b");
    assert_true(cc_aes256_gcm_open(back, out, 76, key, nonce, aad, 20));
    assert_memory_equal(back, data, 60);
    for (size_t i = 0; i < 76; i++) {
        out[i] ^= 1;
        assert_false(cc_aes256_gcm_open(back, out, 76, key, nonce, aad, 20));
        out[i] ^= 1;
    }
    aad[19] ^= 1;
    assert_false(cc_aes256_gcm_open(back, out, 76, key, nonce, aad, 20));
    aad[19] ^= 1;
    assert_false(cc_aes256_gcm_open(back, out, 75, key, nonce, aad, 20));
    assert_false(cc_aes256_gcm_open(back, out, 15, key, nonce, aad, 20));
}

/* SP 800-38A F.2.5's first block, and the padding at every length. */
static void test_cbc(void **state)
{
    uint8_t key[32], iv[16], data[64], out[80], back[80];
    size_t n;

    (void)state;
    cc_test_unhex_into(
        key, 32,
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    cc_test_unhex_into(iv, 16, "000102030405060708090a0b0c0d0e0f");
    cc_test_unhex_into(data, 16, "6bc1bee22e409f96e93d7e117393172a");
    assert_int_equal(cc_aes256_cbc_encrypt(out, data, 16, key, iv), 32);
    expect(out, 16, "f58c4c04d6e5f1ba779eabfb5f7bfbd6");
    for (size_t len = 0; len <= 64; len++) {
        memset(data, (int)len, sizeof(data));
        n = cc_aes256_cbc_encrypt(out, data, len, key, iv);
        assert_int_equal(n, (len / 16 + 1) * 16);
        assert_true(cc_aes256_cbc_decrypt(back, &n, out, n, key, iv));
        assert_int_equal(n, len);
        assert_memory_equal(back, data, len);
    }
    n = cc_aes256_cbc_encrypt(out, data, 16, key, iv);
    key[0] ^= 1;
    assert_false(cc_aes256_cbc_decrypt(back, &n, out, n, key, iv));
    assert_false(cc_aes256_cbc_decrypt(back, &n, out, 0, key, iv));
    assert_false(cc_aes256_cbc_decrypt(back, &n, out, 17, key, iv));
}

/* RFC 8439 2.8.2. */
static void test_chacha(void **state)
{
    const char *text = "Ladies and Gentlemen of the class of '99: If I could "
                       "offer you only one tip for the future, sunscreen "
                       "would be it.";
    uint8_t key[32], nonce[12], aad[12], out[130], back[130];
    size_t len = strlen(text);

    (void)state;
    assert_int_equal(len, 114);
    for (int i = 0; i < 32; i++)
        key[i] = (uint8_t)(0x80 + i);
    cc_test_unhex_into(nonce, 12, "070000004041424344454647");
    cc_test_unhex_into(aad, 12, "50515253c0c1c2c3c4c5c6c7");
    cc_chacha_seal(out, text, len, key, nonce, aad, 12);
    expect(out, len + 16,
           "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
           "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
           "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
           "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
           "0691");
    assert_true(cc_chacha_open(back, out, len + 16, key, nonce, aad, 12));
    assert_memory_equal(back, text, len);
    out[len + 15] ^= 1;
    assert_false(cc_chacha_open(back, out, len + 16, key, nonce, aad, 12));
    out[len + 15] ^= 1;
    aad[0] ^= 1;
    assert_false(cc_chacha_open(back, out, len + 16, key, nonce, aad, 12));
    assert_false(cc_chacha_open(back, out, 15, key, nonce, aad, 12));
}

/* RFC 5869 A.1, A.2 and A.3. */
static void test_hkdf(void **state)
{
    uint8_t ikm[80], salt[80], info[80], out[82];

    (void)state;
    memset(ikm, 0x0b, 22);
    for (int i = 0; i < 13; i++)
        salt[i] = (uint8_t)i;
    for (int i = 0; i < 10; i++)
        info[i] = (uint8_t)(0xf0 + i);
    cc_hkdf_sha256(out, 42, salt, 13, ikm, 22, info, 10);
    expect(out, 42,
           "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
           "34007208d5b887185865");
    cc_hkdf_sha256(out, 42, NULL, 0, ikm, 22, NULL, 0);
    expect(out, 42,
           "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
           "9d201395faa4b61a96c8");
    for (int i = 0; i < 80; i++) {
        ikm[i] = (uint8_t)i;
        salt[i] = (uint8_t)(0x60 + i);
        info[i] = (uint8_t)(0xb0 + i);
    }
    cc_hkdf_sha256(out, 82, salt, 80, ikm, 80, info, 80);
    expect(out, 82,
           "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
           "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
           "cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

/* RFC 7914 12, the second; and parameters that are none. */
static void test_scrypt(void **state)
{
    uint8_t out[64];

    (void)state;
    assert_true(cc_scrypt(out, 64, "password", 8, "NaCl", 4, 1024, 8, 16));
    expect(out, 64,
           "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
           "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
    assert_false(cc_scrypt(out, 64, "", 0, "", 0, 1000, 8, 1));
    assert_false(cc_scrypt(out, 64, "", 0, "", 0, 1, 8, 1));
    assert_false(cc_scrypt(out, 64, "", 0, "", 0, 1024, 0, 1));
    assert_false(cc_scrypt(out, 64, "", 0, "", 0, 1024, 8, 0));
    assert_false(cc_scrypt(out, 64, "", 0, "", 0, 1 << 24, 8, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ctr),  cmocka_unit_test(test_gcm),
        cmocka_unit_test(test_cbc),  cmocka_unit_test(test_chacha),
        cmocka_unit_test(test_hkdf), cmocka_unit_test(test_scrypt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
