#include "crypto/chacha.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include <openssl/evp.h>

static void must(int ok)
{
    if (ok != 1)
        abort();
}

static EVP_CIPHER_CTX *start(const uint8_t key[32], const uint8_t nonce[12],
                             const void *aad, size_t aad_len, size_t len,
                             int encrypt)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;

    assert(len < INT_MAX && aad_len < INT_MAX);
    must(c != NULL);
    must(EVP_CipherInit_ex(c, EVP_chacha20_poly1305(), NULL, key, nonce,
                           encrypt));
    if (aad_len)
        must(EVP_CipherUpdate(c, NULL, &n, aad, (int)aad_len));
    return c;
}

void cc_chacha_seal(uint8_t *out, const void *data, size_t len,
                    const uint8_t key[32], const uint8_t nonce[12],
                    const void *aad, size_t aad_len)
{
    EVP_CIPHER_CTX *c = start(key, nonce, aad, aad_len, len, 1);
    uint8_t none[16];
    int n = 0;

    if (len)
        must(EVP_CipherUpdate(c, out, &n, data, (int)len));
    must(EVP_CipherFinal_ex(c, none, &n));
    must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, CC_CHACHA_TAG,
                             out + len));
    EVP_CIPHER_CTX_free(c);
}

bool cc_chacha_open(uint8_t *out, const uint8_t *data, size_t len,
                    const uint8_t key[32], const uint8_t nonce[12],
                    const void *aad, size_t aad_len)
{
    uint8_t none[16], tag[CC_CHACHA_TAG];
    EVP_CIPHER_CTX *c;
    bool ok;
    int n = 0;

    if (len < CC_CHACHA_TAG)
        return false;
    len -= CC_CHACHA_TAG;
    memcpy(tag, data + len, CC_CHACHA_TAG);
    c = start(key, nonce, aad, aad_len, len, 0);
    must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, CC_CHACHA_TAG, tag));
    if (len)
        must(EVP_CipherUpdate(c, out, &n, data, (int)len));
    ok = EVP_CipherFinal_ex(c, none, &n) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok;
}
