/* bip39_words.h: the word list behind bip39.h, sorted. */
#ifndef CC_CRYPTO_BIP39_WORDS_H
#define CC_CRYPTO_BIP39_WORDS_H

extern const char cc_bip39_words[2048][9];

#endif
