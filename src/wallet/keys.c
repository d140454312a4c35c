#include "wallet/keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/aes.h"
#include "crypto/bip39.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "util/mem.h"
#include "util/random.h"

#define PASSPHRASE_MAX 1024
#define SECRET_MAX (1 + 32 + 3 + PASSPHRASE_MAX)
#define NONCE 12
#define SEALED_MASTER (32 + CC_GCM_TAG)
#define ACCOUNTS 2
#define RECORD_VERSION 1

/* What the words say; only here while unlocked. */
struct secret {
    uint8_t entropy[32];
    size_t entropy_len;
    char passphrase[PASSPHRASE_MAX + 1]; /* of BIP 39 */
};

struct chain_keys {
    struct cc_bip32 branch; /* public parent of the keys */
    struct cc_wallet_key *keys;
    size_t count, cap; /* next + CC_WALLET_GAP keys */
    uint32_t next;
};

struct where {
    uint32_t chain, index;
};

struct cc_wallet_keys {
    const struct cc_ec *ec;
    uint32_t coin_type;
    uint8_t fingerprint[4];
    struct cc_bip32 account[ACCOUNTS]; /* public */
    struct chain_keys chains[CC_CHAINS];
    struct cc_map by_output; /* 32 bytes to struct where */

    bool unlocked;
    struct secret secret;            /* if unlocked, as what follows */
    struct cc_bip32 spend[ACCOUNTS]; /* private */
    uint8_t master[32];              /* also zero if not encrypted */

    bool encrypted;
    struct cc_wallet_lockbox box;
    uint8_t master_nonce[NONCE], sealed_master[SEALED_MASTER];
    uint8_t secret_nonce[NONCE];
    uint8_t *sealed_secret;
    size_t sealed_secret_len;
};

static unsigned account_of(enum cc_key_chain chain)
{
    return chain == CC_CHAIN_STORAGE ? 1 : 0;
}

static uint32_t branch_of(enum cc_key_chain chain)
{
    return chain == CC_CHAIN_CHANGE ? 1 : 0;
}

/* --- Trees --------------------------------------------------------------- */

/* The accounts with their secrets, from the words. */
static bool derive_accounts(struct cc_bip32 out[ACCOUNTS],
                            uint8_t fingerprint[4], const struct secret *s,
                            uint32_t coin_type, const struct cc_ec *ec)
{
    char words[CC_BIP39_TEXT_MAX];
    struct cc_bip32 master;
    uint8_t seed[64];
    bool ok;

    if (!cc_bip39_encode(words, s->entropy, s->entropy_len))
        return false;
    cc_bip39_seed(seed, words, s->passphrase);
    ok = cc_bip32_master(&master, ec, seed, sizeof(seed));
    for (uint32_t a = 0; ok && a < ACCOUNTS; a++) {
        const uint32_t path[3] = {CC_BIP32_HARDENED + 86,
                                  CC_BIP32_HARDENED + coin_type,
                                  CC_BIP32_HARDENED + a};

        ok = cc_bip32_path(&out[a], ec, &master, path, 3);
    }
    if (ok)
        cc_bip32_fingerprint(fingerprint, &master);
    cc_cleanse(words, sizeof(words));
    cc_cleanse(seed, sizeof(seed));
    cc_cleanse(&master, sizeof(master));
    return ok;
}

static void tap_tweak(uint8_t tweak[32], const uint8_t internal[32])
{
    cc_tagged_hash(tweak, "TapTweak", internal, 32); /* BIP 86: no tree */
}

/* False in the 2^-127 case that an index has no key: it is then skipped. */
static bool derive_key(const struct cc_wallet_keys *k, enum cc_key_chain chain,
                       uint32_t index, struct cc_wallet_key *out)
{
    struct cc_bip32 child;
    uint8_t tweak[32];
    bool odd, ok = true;

    memset(out, 0, sizeof(*out));
    out->chain = chain;
    out->index = index;
    if (!cc_bip32_child(&child, k->ec, &k->chains[chain].branch, index))
        return false;
    memcpy(out->internal, child.pubkey + 1, 32);
    if (chain == CC_CHAIN_STORAGE) {
        memcpy(out->output, out->internal, 32);
    } else {
        tap_tweak(tweak, out->internal);
        ok = cc_ec_xonly_tweak(out->output, &odd, out->internal, tweak);
    }
    out->script[0] = 0x51;
    out->script[1] = 32;
    memcpy(out->script + 2, out->output, 32);
    return ok;
}

/* Derive until CC_WALLET_GAP keys lie ahead of next. */
static void fill_gap(struct cc_wallet_keys *k, enum cc_key_chain chain)
{
    struct chain_keys *c = &k->chains[chain];
    size_t want = (size_t)c->next + CC_WALLET_GAP;

    c->keys = cc_grow(c->keys, &c->cap, want, sizeof(*c->keys));
    for (; c->count < want; c->count++) {
        struct cc_wallet_key *key = &c->keys[c->count];
        struct where *at;

        if (!derive_key(k, chain, (uint32_t)c->count, key))
            continue;
        at = cc_map_put(&k->by_output, key->output, NULL);
        at->chain = chain;
        at->index = key->index;
    }
}

/* With account[] set: the branches and the first keys. */
static bool grow_trees(struct cc_wallet_keys *k)
{
    uint8_t seed[16];

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&k->by_output, 32, sizeof(struct where), seed);
    for (enum cc_key_chain c = 0; c < CC_CHAINS; c++) {
        if (!cc_bip32_child(&k->chains[c].branch, k->ec,
                            &k->account[account_of(c)], branch_of(c)))
            return false;
        fill_gap(k, c);
    }
    return true;
}

/* --- Making and freeing -------------------------------------------------- */

static struct cc_wallet_keys *keys_new(const struct cc_params *params,
                                       const struct cc_ec *ec)
{
    struct cc_wallet_keys *k = cc_calloc(1, sizeof(*k));

    k->ec = ec;
    k->coin_type = params->id == CC_CHAIN_MAIN ? 7733 : 1;
    return k;
}

/* Take the secret in: derive and keep what spends. */
static bool take_secret(struct cc_wallet_keys *k, const struct secret *s,
                        bool first)
{
    struct cc_bip32 spend[ACCOUNTS];
    uint8_t fingerprint[4];
    bool ok = derive_accounts(spend, fingerprint, s, k->coin_type, k->ec);

    if (ok && first) {
        memcpy(k->fingerprint, fingerprint, 4);
        memcpy(k->account, spend, sizeof(spend));
        for (int a = 0; a < ACCOUNTS; a++)
            cc_bip32_neuter(&k->account[a]);
    }
    /* What the file says of public keys must be what its secret gives. */
    for (int a = 0; ok && a < ACCOUNTS; a++)
        ok = !memcmp(k->account[a].pubkey, spend[a].pubkey, 33) &&
             !memcmp(k->account[a].chain, spend[a].chain, 32);
    if (ok) {
        memcpy(k->spend, spend, sizeof(spend));
        k->secret = *s;
        k->unlocked = true;
    }
    cc_cleanse(spend, sizeof(spend));
    return ok;
}

enum cc_status cc_wallet_keys_new(struct cc_wallet_keys **out,
                                  const char *words, const char *passphrase,
                                  const struct cc_params *params,
                                  const struct cc_ec *ec, struct cc_error *err)
{
    struct cc_wallet_keys *k;
    struct secret s = {.entropy_len = 0};
    enum cc_status st = cc_bip39_decode(s.entropy, &s.entropy_len, words, err);

    if (st != CC_OK)
        return st;
    if (!passphrase)
        passphrase = "";
    if (strlen(passphrase) > PASSPHRASE_MAX) {
        cc_cleanse(&s, sizeof(s));
        return cc_fail(err, CC_INVALID,
                       "The passphrase of the words is longer than %d bytes",
                       PASSPHRASE_MAX);
    }
    memcpy(s.passphrase, passphrase, strlen(passphrase) + 1);
    k = keys_new(params, ec);
    if (!take_secret(k, &s, true) || !grow_trees(k)) {
        cc_wallet_keys_free(k);
        st = cc_fail(err, CC_INVALID, "These words give no keys");
    } else {
        *out = k;
    }
    cc_cleanse(&s, sizeof(s));
    return st;
}

void cc_wallet_keys_free(struct cc_wallet_keys *k)
{
    if (!k)
        return;
    for (int c = 0; c < CC_CHAINS; c++)
        free(k->chains[c].keys);
    cc_map_clear(&k->by_output);
    free(k->sealed_secret);
    cc_cleanse(k, sizeof(*k));
    free(k);
}

void cc_wallet_words_new(char out[256], unsigned count)
{
    uint8_t entropy[32];
    size_t len = count == 12 ? 16 : 32;

    cc_random_bytes(entropy, len);
    cc_bip39_encode(out, entropy, len);
    cc_cleanse(entropy, sizeof(entropy));
}

/* --- In the file --------------------------------------------------------- */

/* The public half: also what the sealed secret is bound to. */
static void write_public(struct cc_writer *w, const struct cc_wallet_keys *k)
{
    cc_write_u8(w, RECORD_VERSION);
    cc_write_u32le(w, k->coin_type);
    cc_write_bytes(w, k->fingerprint, 4);
    for (int a = 0; a < ACCOUNTS; a++) {
        cc_write_bytes(w, k->account[a].parent, 4);
        cc_write_bytes(w, k->account[a].chain, 32);
        cc_write_bytes(w, k->account[a].pubkey, 33);
    }
}

static void write_secret(struct cc_writer *w, const struct secret *s)
{
    cc_write_u8(w, (uint8_t)s->entropy_len);
    cc_write_bytes(w, s->entropy, s->entropy_len);
    cc_write_var(w, s->passphrase, strlen(s->passphrase));
}

static bool read_secret(struct secret *s, const uint8_t *data, size_t len)
{
    struct cc_reader r;
    struct cc_bytes pass;

    memset(s, 0, sizeof(*s));
    cc_reader_init(&r, data, len);
    s->entropy_len = cc_read_u8(&r);
    if (s->entropy_len > sizeof(s->entropy))
        return false;
    cc_read_bytes(&r, s->entropy, s->entropy_len);
    pass = cc_read_var(&r);
    if (!cc_reader_done(&r) || pass.len > PASSPHRASE_MAX)
        return false;
    if (pass.len)
        memcpy(s->passphrase, pass.data, pass.len);
    return true;
}

void cc_wallet_keys_write(struct cc_writer *w, const struct cc_wallet_keys *k)
{
    write_public(w, k);
    cc_write_u8(w, k->encrypted);
    if (!k->encrypted) {
        write_secret(w, &k->secret);
        return;
    }
    cc_write_bytes(w, k->box.salt, CC_WALLET_SALT);
    cc_write_u64le(w, k->box.scrypt_n);
    cc_write_u32le(w, k->box.scrypt_r);
    cc_write_u32le(w, k->box.scrypt_p);
    cc_write_bytes(w, k->master_nonce, NONCE);
    cc_write_bytes(w, k->sealed_master, SEALED_MASTER);
    cc_write_bytes(w, k->secret_nonce, NONCE);
    cc_write_var(w, k->sealed_secret, k->sealed_secret_len);
}

static bool read_sealed(struct cc_wallet_keys *k, struct cc_reader *r)
{
    struct cc_bytes sealed;

    cc_read_bytes(r, k->box.salt, CC_WALLET_SALT);
    k->box.scrypt_n = cc_read_u64le(r);
    k->box.scrypt_r = cc_read_u32le(r);
    k->box.scrypt_p = cc_read_u32le(r);
    cc_read_bytes(r, k->master_nonce, NONCE);
    cc_read_bytes(r, k->sealed_master, SEALED_MASTER);
    cc_read_bytes(r, k->secret_nonce, NONCE);
    sealed = cc_read_var(r);
    if (!cc_reader_done(r) || sealed.len < CC_GCM_TAG ||
        sealed.len > SECRET_MAX + CC_GCM_TAG)
        return false;
    k->sealed_secret = cc_memdup(sealed.data, sealed.len);
    k->sealed_secret_len = sealed.len;
    return true;
}

static bool read_keys(struct cc_wallet_keys *k, struct cc_bytes record)
{
    struct secret s;
    struct cc_reader r;
    uint32_t coin_type;
    bool ok;

    cc_reader_init(&r, record.data, record.len);
    if (cc_read_u8(&r) != RECORD_VERSION)
        return false;
    coin_type = cc_read_u32le(&r);
    if (coin_type != k->coin_type)
        return false;
    cc_read_bytes(&r, k->fingerprint, 4);
    for (unsigned a = 0; a < ACCOUNTS; a++) {
        struct cc_bip32 *x = &k->account[a];

        x->depth = 3;
        x->child = CC_BIP32_HARDENED + a;
        cc_read_bytes(&r, x->parent, 4);
        cc_read_bytes(&r, x->chain, 32);
        cc_read_bytes(&r, x->pubkey, 33);
        if (r.failed || !cc_ec_pubkey_valid(x->pubkey, 33))
            return false;
    }
    k->encrypted = cc_read_u8(&r) != 0;
    if (k->encrypted)
        return read_sealed(k, &r) && grow_trees(k);
    ok = !r.failed && read_secret(&s, r.pos, r.left) &&
         take_secret(k, &s, false) && grow_trees(k);
    cc_cleanse(&s, sizeof(s));
    return ok;
}

enum cc_status cc_wallet_keys_read(struct cc_wallet_keys **out,
                                   struct cc_bytes record,
                                   const struct cc_params *params,
                                   const struct cc_ec *ec, struct cc_error *err)
{
    struct cc_wallet_keys *k = keys_new(params, ec);

    if (!read_keys(k, record)) {
        cc_wallet_keys_free(k);
        return cc_fail(err, CC_CORRUPT, "the record of keys is damaged");
    }
    *out = k;
    return CC_OK;
}

/* --- Public keys --------------------------------------------------------- */

uint32_t cc_wallet_keys_next(const struct cc_wallet_keys *k,
                             enum cc_key_chain chain)
{
    return k->chains[chain].next;
}

void cc_wallet_keys_use(struct cc_wallet_keys *k, enum cc_key_chain chain,
                        uint32_t index)
{
    if (index < k->chains[chain].next || index >= CC_WALLET_KEYS_MAX)
        return;
    k->chains[chain].next = index + 1;
    fill_gap(k, chain);
}

void cc_wallet_keys_at(const struct cc_wallet_keys *k, enum cc_key_chain chain,
                       uint32_t index, struct cc_wallet_key *out)
{
    const struct chain_keys *c = &k->chains[chain];

    if (index < c->count)
        *out = c->keys[index];
    else
        (void)derive_key(k, chain, index, out);
}

bool cc_wallet_keys_find(const struct cc_wallet_keys *k, struct cc_bytes script,
                         struct cc_wallet_key *out)
{
    const struct where *at;

    if (script.len != CC_TAPROOT_SCRIPT || script.data[0] != 0x51 ||
        script.data[1] != 32)
        return false;
    at = cc_map_get(&k->by_output, script.data + 2);
    if (at && out)
        *out = k->chains[at->chain].keys[at->index];
    return at != NULL;
}

void cc_wallet_keys_path(const struct cc_wallet_keys *k,
                         const struct cc_wallet_key *key, char out[64])
{
    snprintf(out, 64, "m/86'/%u'/%u'/%u/%u", k->coin_type,
             account_of(key->chain), branch_of(key->chain), key->index);
}

void cc_wallet_keys_account(const struct cc_wallet_keys *k,
                            enum cc_key_chain chain, char path[64],
                            struct cc_bip32 *account, uint32_t *branch)
{
    snprintf(path, 64, "m/86'/%u'/%u'", k->coin_type, account_of(chain));
    *account = k->account[account_of(chain)];
    *branch = branch_of(chain);
}

void cc_wallet_keys_fingerprint(const struct cc_wallet_keys *k, uint8_t out[4])
{
    memcpy(out, k->fingerprint, 4);
}

/* --- Encryption ---------------------------------------------------------- */

bool cc_wallet_keys_encrypted(const struct cc_wallet_keys *k)
{
    return k->encrypted;
}

bool cc_wallet_keys_locked(const struct cc_wallet_keys *k)
{
    return !k->unlocked;
}

void cc_wallet_lockbox_new(struct cc_wallet_lockbox *box, unsigned cost)
{
    cc_random_bytes(box->salt, sizeof(box->salt));
    box->scrypt_n = UINT64_C(1) << cost;
    box->scrypt_r = 8;
    box->scrypt_p = 1;
}

void cc_wallet_keys_lockbox(const struct cc_wallet_keys *k,
                            struct cc_wallet_lockbox *box)
{
    *box = k->box;
}

bool cc_wallet_lockbox_derive(uint8_t key[32],
                              const struct cc_wallet_lockbox *box,
                              const char *passphrase)
{
    return cc_scrypt(key, 32, passphrase, strlen(passphrase), box->salt,
                     CC_WALLET_SALT, box->scrypt_n, box->scrypt_r,
                     box->scrypt_p);
}

static void seal_master(struct cc_wallet_keys *k,
                        const struct cc_wallet_lockbox *box,
                        const uint8_t key[32])
{
    struct cc_writer aad;

    cc_writer_init_heap(&aad);
    write_public(&aad, k);
    k->box = *box;
    cc_random_bytes(k->master_nonce, NONCE);
    cc_aes256_gcm_seal(k->sealed_master, k->master, 32, key, k->master_nonce,
                       aad.data, aad.len);
    cc_writer_clear(&aad);
}

static bool open_master(const struct cc_wallet_keys *k, const uint8_t key[32],
                        uint8_t master[32])
{
    struct cc_writer aad;
    bool ok;

    cc_writer_init_heap(&aad);
    write_public(&aad, k);
    ok = cc_aes256_gcm_open(master, k->sealed_master, SEALED_MASTER, key,
                            k->master_nonce, aad.data, aad.len);
    cc_writer_clear(&aad);
    return ok;
}

void cc_wallet_keys_encrypt(struct cc_wallet_keys *k,
                            const struct cc_wallet_lockbox *box,
                            const uint8_t key[32])
{
    uint8_t plain[SECRET_MAX];
    struct cc_writer w, aad;

    cc_writer_init(&w, plain, sizeof(plain));
    write_secret(&w, &k->secret);
    cc_writer_init_heap(&aad);
    write_public(&aad, k);
    cc_random_bytes(k->master, 32);
    cc_random_bytes(k->secret_nonce, NONCE);
    k->sealed_secret_len = w.len + CC_GCM_TAG;
    k->sealed_secret = cc_malloc(k->sealed_secret_len);
    cc_aes256_gcm_seal(k->sealed_secret, plain, w.len, k->master,
                       k->secret_nonce, aad.data, aad.len);
    seal_master(k, box, key);
    k->encrypted = true;
    cc_wallet_keys_lock(k);
    cc_cleanse(plain, sizeof(plain));
    cc_writer_clear(&aad);
}

bool cc_wallet_keys_unlock(struct cc_wallet_keys *k, const uint8_t key[32])
{
    uint8_t master[32], plain[SECRET_MAX + CC_GCM_TAG];
    struct cc_writer aad;
    struct secret s;
    bool ok;

    cc_writer_init_heap(&aad);
    write_public(&aad, k);
    ok = open_master(k, key, master) &&
         cc_aes256_gcm_open(plain, k->sealed_secret, k->sealed_secret_len,
                            master, k->secret_nonce, aad.data, aad.len) &&
         read_secret(&s, plain, k->sealed_secret_len - CC_GCM_TAG) &&
         take_secret(k, &s, false);
    if (ok)
        memcpy(k->master, master, 32);
    cc_cleanse(master, sizeof(master));
    cc_cleanse(plain, sizeof(plain));
    cc_cleanse(&s, sizeof(s));
    cc_writer_clear(&aad);
    return ok;
}

void cc_wallet_keys_lock(struct cc_wallet_keys *k)
{
    if (!k->encrypted)
        return;
    cc_cleanse(&k->secret, sizeof(k->secret));
    cc_cleanse(k->spend, sizeof(k->spend));
    cc_cleanse(k->master, sizeof(k->master));
    k->unlocked = false;
}

bool cc_wallet_keys_change(struct cc_wallet_keys *k, const uint8_t old_key[32],
                           const struct cc_wallet_lockbox *box,
                           const uint8_t new_key[32])
{
    uint8_t master[32];
    bool was_unlocked = k->unlocked;

    if (!open_master(k, old_key, master))
        return false;
    memcpy(k->master, master, 32);
    seal_master(k, box, new_key);
    if (!was_unlocked)
        cc_cleanse(k->master, sizeof(k->master));
    cc_cleanse(master, sizeof(master));
    return true;
}

bool cc_wallet_keys_secret(const struct cc_wallet_keys *k,
                           const struct cc_wallet_key *key, uint8_t secret[32])
{
    const uint32_t path[2] = {branch_of(key->chain), key->index};
    struct cc_bip32 child;
    uint8_t tweak[32];
    bool ok;

    if (!k->unlocked)
        return false;
    ok = cc_bip32_path(&child, k->ec, &k->spend[account_of(key->chain)], path,
                       2);
    if (ok)
        memcpy(secret, child.secret, 32);
    if (ok && key->chain != CC_CHAIN_STORAGE) {
        tap_tweak(tweak, key->internal);
        ok = cc_ec_secret_taproot(k->ec, secret, tweak);
    }
    cc_cleanse(&child, sizeof(child));
    return ok;
}

bool cc_wallet_keys_words(const struct cc_wallet_keys *k, char words[256],
                          const char **passphrase)
{
    if (!k->unlocked)
        return false;
    *passphrase = k->secret.passphrase;
    return cc_bip39_encode(words, k->secret.entropy, k->secret.entropy_len);
}
