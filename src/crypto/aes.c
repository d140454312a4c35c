#include "crypto/aes.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include <openssl/evp.h>

/* OpenSSL fails here only without memory or without its own ciphers: there is
 * nothing that a caller could do. */
static void must(int ok)
{
    if (ok != 1)
        abort();
}

static EVP_CIPHER_CTX *context(void)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

    must(c != NULL);
    return c;
}

/* One update may not be longer than an int tells. */
static void update(EVP_CIPHER_CTX *c, uint8_t *out, const uint8_t *in,
                   size_t len, bool encrypt)
{
    while (len) {
        size_t step = len < INT_MAX / 2 ? len : (size_t)1 << 29;
        int n = 0;

        must(encrypt ? EVP_EncryptUpdate(c, out, &n, in, (int)step)
                     : EVP_DecryptUpdate(c, out, &n, in, (int)step));
        in += step;
        if (out)
            out += step;
        len -= step;
    }
}

void cc_aes256_ctr(uint8_t *data, size_t len, const uint8_t key[32],
                   const uint8_t counter[16])
{
    EVP_CIPHER_CTX *c = context();

    must(EVP_EncryptInit_ex(c, EVP_aes_256_ctr(), NULL, key, counter));
    update(c, data, data, len, true);
    EVP_CIPHER_CTX_free(c);
}

void cc_aes256_gcm_seal(uint8_t *out, const void *data, size_t len,
                        const uint8_t key[32], const uint8_t nonce[12],
                        const void *aad, size_t aad_len)
{
    EVP_CIPHER_CTX *c = context();
    uint8_t none[16];
    int n = 0;

    must(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce));
    update(c, NULL, aad, aad_len, true);
    update(c, out, data, len, true);
    must(EVP_EncryptFinal_ex(c, none, &n));
    must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, CC_GCM_TAG, out + len));
    EVP_CIPHER_CTX_free(c);
}

bool cc_aes256_gcm_open(uint8_t *out, const uint8_t *data, size_t len,
                        const uint8_t key[32], const uint8_t nonce[12],
                        const void *aad, size_t aad_len)
{
    EVP_CIPHER_CTX *c;
    uint8_t none[16], tag[CC_GCM_TAG];
    bool ok;
    int n = 0;

    if (len < CC_GCM_TAG)
        return false;
    len -= CC_GCM_TAG;
    memcpy(tag, data + len, CC_GCM_TAG);
    c = context();
    must(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce));
    update(c, NULL, aad, aad_len, false);
    update(c, out, data, len, false);
    must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, CC_GCM_TAG, tag));
    ok = EVP_DecryptFinal_ex(c, none, &n) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok;
}

size_t cc_aes256_cbc_encrypt(uint8_t *out, const void *data, size_t len,
                             const uint8_t key[32], const uint8_t iv[16])
{
    EVP_CIPHER_CTX *c = context();
    int n = 0, last = 0;

    assert(len < INT_MAX - 32);
    must(EVP_EncryptInit_ex(c, EVP_aes_256_cbc(), NULL, key, iv));
    must(EVP_EncryptUpdate(c, out, &n, data, (int)len));
    must(EVP_EncryptFinal_ex(c, out + n, &last));
    EVP_CIPHER_CTX_free(c);
    return (size_t)(n + last);
}

bool cc_aes256_cbc_decrypt(uint8_t *out, size_t *out_len, const uint8_t *data,
                           size_t len, const uint8_t key[32],
                           const uint8_t iv[16])
{
    uint8_t last_block[16];
    EVP_CIPHER_CTX *c;
    int n = 0, last = 0;
    bool ok;

    if (!len || len % 16 || len > INT_MAX - 32)
        return false;
    c = context();
    must(EVP_DecryptInit_ex(c, EVP_aes_256_cbc(), NULL, key, iv));
    must(EVP_DecryptUpdate(c, out, &n, data, (int)len));
    ok = EVP_DecryptFinal_ex(c, last_block, &last) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!ok)
        return false;
    memcpy(out + n, last_block, (size_t)last);
    *out_len = (size_t)(n + last);
    return true;
}
