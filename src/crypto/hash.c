#include "crypto/hash.h"

#include "util/mem.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

void cc_sha1(uint8_t out[20], const void *data, size_t len)
{
    SHA1(data, len, out);
}

void cc_sha512(uint8_t out[64], const void *data, size_t len)
{
    SHA512(data, len, out);
}

void cc_hash160(uint8_t out[20], const void *data, size_t len)
{
    uint8_t h[32];

    cc_sha256_once(h, data, len);
    cc_ripemd160(out, h, 32);
}

void cc_sha3_256(uint8_t out[32], const void *data, size_t len)
{
    unsigned n = 0;

    if (!EVP_Digest(data, len, out, &n, EVP_sha3_256(), NULL) || n != 32)
        abort();
}

void cc_hmac_sha256(uint8_t out[32], const void *key, size_t key_len,
                    const void *data, size_t len)
{
    uint8_t pad[64] = {0};
    struct cc_sha256 c;

    if (key_len > sizeof(pad))
        cc_sha256_once(pad, key, key_len);
    else if (key_len)
        memcpy(pad, key, key_len);
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36;
    cc_sha256_init(&c);
    cc_sha256_update(&c, pad, sizeof(pad));
    cc_sha256_update(&c, data, len);
    cc_sha256_final(&c, out);
    for (size_t i = 0; i < sizeof(pad); i++)
        pad[i] ^= 0x36 ^ 0x5c;
    cc_sha256_init(&c);
    cc_sha256_update(&c, pad, sizeof(pad));
    cc_sha256_update(&c, out, 32);
    cc_sha256_final(&c, out);
    cc_cleanse(pad, sizeof(pad));
    cc_cleanse(&c, sizeof(c));
}

void cc_hmac_sha512(uint8_t out[64], const void *key, size_t key_len,
                    const void *data, size_t len)
{
    unsigned n = 0;

    /* OpenSSL takes the length of the key as int; ours are short. */
    assert(key_len <= 1024);
    if (!HMAC(EVP_sha512(), key, (int)key_len, data, len, out, &n) || n != 64)
        abort();
}
