/*
 * bip39.h: a wallet's seed as English words (BIP 39). Any thread.
 */
#ifndef CC_CRYPTO_BIP39_H
#define CC_CRYPTO_BIP39_H

#include "util/bytes.h"
#include "util/error.h"

#define CC_BIP39_WORDS_MAX 24
#define CC_BIP39_TEXT_MAX (CC_BIP39_WORDS_MAX * 9)

/* Word number 0 to 2,047. */
const char *cc_bip39_word(unsigned number);
/* The number of a word, -1 if it is none. Four letters are unique, but the
 * whole word is asked for. */
int cc_bip39_find(const char *word, size_t len);

/* Entropy of 16, 20, 24, 28 or 32 bytes to 12 … 24 words, one space between.
 * False for another length. */
bool cc_bip39_encode(char out[CC_BIP39_TEXT_MAX], const uint8_t *entropy,
                     size_t len);
/* Words (any white space between, any case) to entropy. CC_INVALID names the
 * word that is none, the count that is wrong, or says that the checksum does
 * not match. */
enum cc_status cc_bip39_decode(uint8_t entropy[32], size_t *len,
                               const char *text, struct cc_error *err);

/* Words and passphrase ("" for none; both UTF-8, NFKD by the caller) to the
 * seed of BIP 32. The words are put in plain form first; their checksum is
 * cc_bip39_decode's to judge. */
void cc_bip39_seed(uint8_t seed[64], const char *text, const char *passphrase);

#endif
