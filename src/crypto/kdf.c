#include "crypto/kdf.h"

#include "crypto/hash.h"
#include "util/mem.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include <openssl/evp.h>

void cc_hkdf_sha256(uint8_t *out, size_t len, const void *salt, size_t salt_len,
                    const void *secret, size_t secret_len, const void *info,
                    size_t info_len)
{
    uint8_t prk[32], t[32] = {0}, *block;

    assert(len <= 255 * 32);
    cc_hmac_sha256(prk, salt, salt_len, secret, secret_len);
    /* T(n) = HMAC(T(n - 1) ‖ info ‖ n), T(0) empty. */
    block = cc_malloc(32 + info_len + 1);
    for (uint8_t n = 1; len; n++) {
        size_t before = n == 1 ? 0 : 32, take = len < 32 ? len : 32;

        memcpy(block, t, before);
        if (info_len)
            memcpy(block + before, info, info_len);
        block[before + info_len] = n;
        cc_hmac_sha256(t, prk, 32, block, before + info_len + 1);
        memcpy(out, t, take);
        out += take;
        len -= take;
    }
    cc_cleanse(block, 32 + info_len + 1);
    cc_cleanse(prk, sizeof(prk));
    cc_cleanse(t, sizeof(t));
    free(block);
}

void cc_pbkdf2_sha512(uint8_t *out, size_t len, const void *password,
                      size_t password_len, const void *salt, size_t salt_len,
                      unsigned rounds)
{
    assert(len < INT_MAX && password_len < INT_MAX && salt_len < INT_MAX &&
           rounds && rounds < INT_MAX);
    if (PKCS5_PBKDF2_HMAC(password, (int)password_len, salt, (int)salt_len,
                          (int)rounds, EVP_sha512(), (int)len, out) != 1)
        abort();
}

bool cc_scrypt(uint8_t *out, size_t len, const void *password,
               size_t password_len, const void *salt, size_t salt_len,
               uint64_t n, uint32_t r, uint32_t p)
{
    const uint64_t limit = UINT64_C(1) << 30;

    if (n < 2 || (n & (n - 1)) || !r || !p || n > limit / 128 / r)
        return false;
    return EVP_PBE_scrypt(password, password_len, salt, salt_len, n, r, p,
                          limit + (limit >> 4), out, len) == 1;
}
