/*
 * keys.h: the keys of one wallet.
 *
 * BIP 39 words give the seed; from it come three chains of keys:
 *   m/86'/c'/0'/0/i  receive   (BIP 86: output key tweaked, no script tree)
 *   m/86'/c'/0'/1/i  change    (the same)
 *   m/86'/c'/1'/0/i  storage   (NOT tweaked: an identity's or contract's key,
 *                               and what is owed to it is paid to it as is)
 * with c 7733 on the main chain and 1 elsewhere. The extended public keys of
 * both accounts stay in memory and in the file, so addresses can be made and
 * coins recognised while the secrets are locked. (A storage key's secret is
 * given to programs that act with it; with the account's public key it opens
 * all storage keys, but not account 0.)
 *
 * At rest the secrets are plain, or sealed by AES-256-GCM under a random
 * master key, itself sealed under scrypt(passphrase): changing the passphrase
 * seals only the master key anew. Public keys and coins are not encrypted, as
 * in bitcoind.
 *
 * Not thread safe; the wallet's lock guards it.
 */
#ifndef CC_WALLET_KEYS_H
#define CC_WALLET_KEYS_H

#include "consensus/params.h"
#include "crypto/bip32.h"
#include "util/error.h"
#include "util/map.h"
#include "util/reader.h"
#include "util/writer.h"

struct cc_ec;

enum cc_key_chain {
    CC_CHAIN_RECEIVE,
    CC_CHAIN_CHANGE,
    CC_CHAIN_STORAGE,
    CC_CHAINS,
};

/* BIP 44 asks for 20; a few more cost little and find more. */
#define CC_WALLET_GAP 40
/* Per chain: keeps a damaged file from making us derive for hours. */
#define CC_WALLET_KEYS_MAX 10000000
#define CC_TAPROOT_SCRIPT 34 /* OP_1 and the push of 32 bytes */

struct cc_wallet_key {
    enum cc_key_chain chain;
    uint32_t index;
    uint8_t internal[32]; /* x-only key of the tree */
    uint8_t output[32];   /* in the output script: tweaked, or internal */
    uint8_t script[CC_TAPROOT_SCRIPT];
};

/* What unlocks: derived from a passphrase outside of any lock. */
#define CC_WALLET_SALT 16
struct cc_wallet_lockbox {
    uint8_t salt[CC_WALLET_SALT];
    uint64_t scrypt_n;
    uint32_t scrypt_r, scrypt_p;
};
bool cc_wallet_lockbox_derive(uint8_t key[32],
                              const struct cc_wallet_lockbox *box,
                              const char *passphrase);

struct cc_wallet_keys;

/* From words and BIP 39 passphrase (NULL: none). CC_INVALID for bad words. */
enum cc_status cc_wallet_keys_new(struct cc_wallet_keys **out,
                                  const char *words, const char *passphrase,
                                  const struct cc_params *params,
                                  const struct cc_ec *ec, struct cc_error *err);
void cc_wallet_keys_free(struct cc_wallet_keys *k);
/* Fresh words: 12 or 24. */
void cc_wallet_words_new(char out[256], unsigned count);

/* Everything but the counters, as one record of the file. */
void cc_wallet_keys_write(struct cc_writer *w, const struct cc_wallet_keys *k);
enum cc_status cc_wallet_keys_read(struct cc_wallet_keys **out,
                                   struct cc_bytes record,
                                   const struct cc_params *params,
                                   const struct cc_ec *ec,
                                   struct cc_error *err);

/* Keys [0, next) of a chain were handed out or seen in use. Never falls. */
uint32_t cc_wallet_keys_next(const struct cc_wallet_keys *k,
                             enum cc_key_chain chain);
void cc_wallet_keys_use(struct cc_wallet_keys *k, enum cc_key_chain chain,
                        uint32_t index);
void cc_wallet_keys_at(const struct cc_wallet_keys *k, enum cc_key_chain chain,
                       uint32_t index, struct cc_wallet_key *out);
/* Which key an output script pays to, among those handed out and the
 * CC_WALLET_GAP after them; false: none of ours. out may be NULL. */
bool cc_wallet_keys_find(const struct cc_wallet_keys *k, struct cc_bytes script,
                         struct cc_wallet_key *out);
/* "m/86'/1'/0'/0/7" */
void cc_wallet_keys_path(const struct cc_wallet_keys *k,
                         const struct cc_wallet_key *key, char out[64]);
/* The public parent of a chain's keys: "m/86'/1'/0'", the account's xpub, and
 * the branch below it (0 or 1). */
void cc_wallet_keys_account(const struct cc_wallet_keys *k,
                            enum cc_key_chain chain, char path[64],
                            struct cc_bip32 *account, uint32_t *branch);
void cc_wallet_keys_fingerprint(const struct cc_wallet_keys *k, uint8_t out[4]);

bool cc_wallet_keys_encrypted(const struct cc_wallet_keys *k);
bool cc_wallet_keys_locked(const struct cc_wallet_keys *k);
/* Encrypt what is plain now under a key derived with box; locked after. */
void cc_wallet_keys_encrypt(struct cc_wallet_keys *k,
                            const struct cc_wallet_lockbox *box,
                            const uint8_t key[32]);
/* A box with fresh salt; the one in use. cost: log2 of scrypt's N. */
void cc_wallet_lockbox_new(struct cc_wallet_lockbox *box, unsigned cost);
void cc_wallet_keys_lockbox(const struct cc_wallet_keys *k,
                            struct cc_wallet_lockbox *box);
/* False: wrong key. */
bool cc_wallet_keys_unlock(struct cc_wallet_keys *k, const uint8_t key[32]);
void cc_wallet_keys_lock(struct cc_wallet_keys *k);
/* False: old_key is wrong. Locked or not stays as it was. */
bool cc_wallet_keys_change(struct cc_wallet_keys *k, const uint8_t old_key[32],
                           const struct cc_wallet_lockbox *box,
                           const uint8_t new_key[32]);

/* The secret that signs for a key's output; false while locked. The caller
 * cleanses it. */
bool cc_wallet_keys_secret(const struct cc_wallet_keys *k,
                           const struct cc_wallet_key *key, uint8_t secret[32]);
/* The words, and the BIP 39 passphrase ("" for none; borrowed); false while
 * locked. The caller cleanses words. */
bool cc_wallet_keys_words(const struct cc_wallet_keys *k, char words[256],
                          const char **passphrase);

#endif
