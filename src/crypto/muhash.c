#include "crypto/muhash.h"

#include <gmp.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "util/mem.h"

#define BITS 3072
#define BYTES (BITS / 8)
#define OFFSET 1103717 /* 2^3072 less the prime */

struct cc_muhash {
    mpz_t added, removed; /* products, below the prime */
    mpz_t element, high, prime;
    EVP_CIPHER_CTX *cipher;
};

static void must(int ok)
{
    if (ok != 1)
        abort(); /* no memory: nothing else can go wrong here */
}

struct cc_muhash *cc_muhash_new(void)
{
    struct cc_muhash *m = cc_calloc(1, sizeof(*m));

    mpz_init_set_ui(m->added, 1);
    mpz_init_set_ui(m->removed, 1);
    mpz_init2(m->element, 2 * BITS);
    mpz_init2(m->high, BITS);
    mpz_init(m->prime);
    mpz_setbit(m->prime, BITS);
    mpz_sub_ui(m->prime, m->prime, OFFSET);
    m->cipher = EVP_CIPHER_CTX_new();
    must(m->cipher != NULL);
    must(EVP_EncryptInit_ex(m->cipher, EVP_chacha20(), NULL, NULL, NULL));
    return m;
}

void cc_muhash_free(struct cc_muhash *m)
{
    if (!m)
        return;
    mpz_clears(m->added, m->removed, m->element, m->high, m->prime, NULL);
    EVP_CIPHER_CTX_free(m->cipher);
    free(m);
}

/* 2^3072 is OFFSET here: what is above is folded down, twice after a product,
 * and then at most one prime is too much. */
static void reduce(struct cc_muhash *m, mpz_t n)
{
    while (mpz_sizeinbase(n, 2) > BITS) {
        mpz_fdiv_q_2exp(m->high, n, BITS);
        mpz_fdiv_r_2exp(n, n, BITS);
        mpz_addmul_ui(n, m->high, OFFSET);
    }
    if (mpz_cmp(n, m->prime) >= 0)
        mpz_sub(n, n, m->prime);
}

static void multiply(struct cc_muhash *m, mpz_t product, const void *data,
                     size_t len)
{
    static const uint8_t zeros[BYTES], counter_and_nonce[16];
    uint8_t key[32], stream[BYTES];
    int n = 0;

    cc_sha256_once(key, data, len);
    must(EVP_EncryptInit_ex(m->cipher, NULL, NULL, key, counter_and_nonce));
    must(EVP_EncryptUpdate(m->cipher, stream, &n, zeros, BYTES));
    mpz_import(m->element, BYTES, -1, 1, 0, 0, stream);
    mpz_mul(product, product, m->element);
    reduce(m, product);
}

void cc_muhash_add(struct cc_muhash *m, const void *data, size_t len)
{
    multiply(m, m->added, data, len);
}

void cc_muhash_remove(struct cc_muhash *m, const void *data, size_t len)
{
    multiply(m, m->removed, data, len);
}

static void put(uint8_t out[BYTES], const mpz_t n)
{
    memset(out, 0, BYTES);
    mpz_export(out, NULL, -1, 1, 0, 0, n);
}

static bool get(const struct cc_muhash *m, mpz_t n, const uint8_t in[BYTES])
{
    mpz_import(n, BYTES, -1, 1, 0, 0, in);
    return mpz_sgn(n) > 0 && mpz_cmp(n, m->prime) < 0;
}

void cc_muhash_save(const struct cc_muhash *m, uint8_t out[CC_MUHASH_STATE])
{
    put(out, m->added);
    put(out + BYTES, m->removed);
}

bool cc_muhash_load(struct cc_muhash *m, const uint8_t in[CC_MUHASH_STATE])
{
    return get(m, m->added, in) && get(m, m->removed, in + BYTES);
}

void cc_muhash_final(struct cc_muhash *m, uint8_t out[32])
{
    uint8_t bytes[BYTES];
    mpz_t n;

    mpz_init(n);
    /* no element is a multiple of the prime but with chance 2^-3072 */
    if (!mpz_invert(n, m->removed, m->prime))
        mpz_set_ui(n, 0);
    mpz_mul(n, n, m->added);
    mpz_mod(n, n, m->prime);
    put(bytes, n);
    mpz_clear(n);
    cc_sha256_once(out, bytes, BYTES);
}
