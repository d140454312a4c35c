#include "crypto/bip39.h"

#include "crypto/bip39_words.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "util/mem.h"

#include <stdlib.h>

#define WORDS 2048
#define WORD_BITS 11

const char *cc_bip39_word(unsigned number)
{
    return number < WORDS ? cc_bip39_words[number] : NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int cc_bip39_find(const char *word, size_t len)
{
    char key[9] = {0};
    int lo = 0, hi = WORDS - 1;

    if (!len || len > 8)
        return -1;
    for (size_t i = 0; i < len; i++)
        key[i] = lower(word[i]);
    while (lo <= hi) {
        int mid = (lo + hi) / 2, d = strcmp(key, cc_bip39_words[mid]);

        if (!d)
            return mid;
        if (d < 0)
            hi = mid - 1;
        else
            lo = mid + 1;
    }
    return -1;
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The next word; its length, 0 at the end. *p moves behind it. */
static size_t next_word(const char **p, const char **word)
{
    while (is_space(**p))
        (*p)++;
    *word = *p;
    while (**p && !is_space(**p))
        (*p)++;
    return (size_t)(*p - *word);
}

/* Bit i of the entropy followed by its checksum, first bit first. */
static unsigned bits_at(const uint8_t *bytes, size_t i)
{
    unsigned v = 0;

    for (size_t b = i; b < i + WORD_BITS; b++)
        v = v << 1 | (bytes[b / 8] >> (7 - b % 8) & 1);
    return v;
}

bool cc_bip39_encode(char out[CC_BIP39_TEXT_MAX], const uint8_t *entropy,
                     size_t len)
{
    uint8_t bytes[33], sum[32];
    size_t words = len * 8 * 33 / 32 / WORD_BITS;

    if (len < 16 || len > 32 || len % 4)
        return false;
    memcpy(bytes, entropy, len);
    cc_sha256_once(sum, entropy, len);
    bytes[len] = sum[0];
    for (size_t i = 0; i < words; i++) {
        const char *w = cc_bip39_words[bits_at(bytes, i * WORD_BITS)];

        if (i)
            *out++ = ' ';
        while (*w)
            *out++ = *w++;
    }
    *out = 0;
    cc_cleanse(bytes, sizeof(bytes));
    cc_cleanse(sum, sizeof(sum));
    return true;
}

enum cc_status cc_bip39_decode(uint8_t entropy[32], size_t *len,
                               const char *text, struct cc_error *err)
{
    uint8_t bytes[33] = {0}, sum[32];
    enum cc_status st = CC_OK;
    size_t words = 0, size, n, check;
    const char *word;

    while ((n = next_word(&text, &word))) {
        int number = cc_bip39_find(word, n);

        if (words == CC_BIP39_WORDS_MAX) {
            st = cc_fail(err, CC_INVALID, "more than 24 words");
            goto out;
        }
        if (number < 0) {
            st = cc_fail(err, CC_INVALID,
                         "word %zu, \"%.*s\", is not in the word list",
                         words + 1, n > 40 ? 40 : (int)n, word);
            goto out;
        }
        for (size_t b = 0; b < WORD_BITS; b++) {
            size_t at = words * WORD_BITS + b;

            if (number >> (WORD_BITS - 1 - b) & 1)
                bytes[at / 8] |= (uint8_t)(0x80 >> at % 8);
        }
        words++;
    }
    if (words < 12 || words % 3) {
        st = cc_fail(err, CC_INVALID,
                     "%zu words: there must be 12, 15, 18, 21 or 24", words);
        goto out;
    }
    size = words * WORD_BITS * 32 / 33 / 8;
    check = words / 3; /* bits of checksum, at most 8 */
    cc_sha256_once(sum, bytes, size);
    if ((sum[0] ^ bytes[size]) >> (8 - check)) {
        st = cc_fail(err, CC_INVALID,
                     "the words do not match their checksum: one is wrong, "
                     "or they are out of order");
        goto out;
    }
    memcpy(entropy, bytes, size);
    *len = size;
out:
    cc_cleanse(bytes, sizeof(bytes));
    cc_cleanse(sum, sizeof(sum));
    return st;
}

void cc_bip39_seed(uint8_t seed[64], const char *text, const char *passphrase)
{
    size_t len = strlen(text), n, at = 0, salt_len = 8 + strlen(passphrase);
    char *plain = cc_malloc(len + 1), *salt = cc_malloc(salt_len + 1);
    const char *word;

    while ((n = next_word(&text, &word))) {
        if (at)
            plain[at++] = ' ';
        for (size_t i = 0; i < n; i++)
            plain[at++] = lower(word[i]);
    }
    memcpy(salt, "mnemonic", 8);
    memcpy(salt + 8, passphrase, salt_len - 8 + 1);
    cc_pbkdf2_sha512(seed, 64, plain, at, salt, salt_len, 2048);
    cc_cleanse(plain, len + 1);
    cc_cleanse(salt, salt_len + 1);
    free(plain);
    free(salt);
}
