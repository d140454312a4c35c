/* encrypt.c: passphrases: setting, changing, unlocking for a while. */
#include "util/clock.h"
#include "util/mem.h"
#include "wallet/wallet_i.h"

#define TIMEOUT_MAX 100000000

/* The lockbox of a loaded wallet; with fresh, a new one for its next. */
static enum cc_status get_box(struct cc_wallets *ws, const char *name,
                              bool want_encrypted,
                              struct cc_wallet_lockbox *box,
                              struct cc_error *err)
{
    struct cc_wallet *w;
    enum cc_status st;

    pthread_mutex_lock(&ws->lock);
    st = cc_wallets_get(&w, ws, name, err);
    if (st == CC_OK && cc_wallet_keys_encrypted(w->keys) != want_encrypted)
        st = cc_wallet_refuse(err, CC_INVALID, "state",
                              want_encrypted ? "running with an unencrypted "
                                               "wallet"
                                             : "running with an encrypted "
                                               "wallet");
    if (st == CC_OK)
        cc_wallet_keys_lockbox(w->keys, box);
    pthread_mutex_unlock(&ws->lock);
    return st;
}

static enum cc_status derive(uint8_t key[32],
                             const struct cc_wallet_lockbox *box,
                             const char *passphrase, struct cc_error *err)
{
    if (cc_wallet_lockbox_derive(key, box, passphrase))
        return CC_OK;
    return cc_fail(err, CC_LIMIT, "not enough memory to derive the key");
}

static enum cc_status wrong_passphrase(struct cc_error *err)
{
    return cc_wallet_refuse(err, CC_INVALID, "passphrase",
                            "The wallet passphrase entered was incorrect.");
}

enum cc_status cc_wallets_encrypt(struct cc_wallets *ws, const char *name,
                                  const char *passphrase, struct cc_error *err)
{
    struct cc_wallet_lockbox box;
    struct cc_wallet *w;
    uint8_t key[32];
    enum cc_status st = get_box(ws, name, false, &box, err);

    if (st != CC_OK)
        return st;
    cc_wallet_lockbox_new(&box, CC_WALLET_SCRYPT_COST);
    st = derive(key, &box, passphrase, err);
    if (st != CC_OK)
        return st;
    cc_wallets_lock(ws);
    w = cc_wallets_find(ws, name);
    st = get_box(ws, name, false, &(struct cc_wallet_lockbox){0}, err);
    if (st == CC_OK) {
        cc_wallet_keys_encrypt(w->keys, &box, key);
        w->renew = true; /* the plain secret must not stay in the file */
        st = cc_wallet_flush(w, err);
    }
    cc_wallets_unlock(ws);
    cc_cleanse(key, sizeof(key));
    return st;
}

enum cc_status cc_wallets_change_passphrase(struct cc_wallets *ws,
                                            const char *name, const char *old,
                                            const char *fresh,
                                            struct cc_error *err)
{
    struct cc_wallet_lockbox box, next;
    uint8_t old_key[32], new_key[32];
    struct cc_wallet *w;
    enum cc_status st = get_box(ws, name, true, &box, err);

    cc_wallet_lockbox_new(&next, CC_WALLET_SCRYPT_COST);
    if (st == CC_OK)
        st = derive(old_key, &box, old, err);
    if (st == CC_OK)
        st = derive(new_key, &next, fresh, err);
    if (st != CC_OK)
        return st;
    cc_wallets_lock(ws);
    w = cc_wallets_find(ws, name);
    if (!w || !cc_wallet_keys_change(w->keys, old_key, &next, new_key)) {
        st = wrong_passphrase(err);
    } else {
        w->renew = true; /* the old passphrase opens nothing any more */
        st = cc_wallet_flush(w, err);
    }
    cc_wallets_unlock(ws);
    cc_cleanse(old_key, sizeof(old_key));
    cc_cleanse(new_key, sizeof(new_key));
    return st;
}

enum cc_status cc_wallets_unlock_keys(struct cc_wallets *ws, const char *name,
                                      const char *passphrase, int64_t timeout_s,
                                      struct cc_error *err)
{
    struct cc_wallet_lockbox box;
    uint8_t key[32];
    struct cc_wallet *w;
    enum cc_status st = get_box(ws, name, true, &box, err);

    if (st == CC_OK)
        st = derive(key, &box, passphrase, err);
    if (st != CC_OK)
        return st;
    if (timeout_s > TIMEOUT_MAX)
        timeout_s = TIMEOUT_MAX;
    pthread_mutex_lock(&ws->lock);
    w = cc_wallets_find(ws, name);
    if (!w || !cc_wallet_keys_unlock(w->keys, key)) {
        st = wrong_passphrase(err);
    } else {
        w->locked_at_ms = cc_clock_monotonic_ms() + timeout_s * 1000;
        w->unlocked_until = cc_clock_now(ws->config.clock) + timeout_s;
    }
    pthread_mutex_unlock(&ws->lock);
    cc_cleanse(key, sizeof(key));
    return st;
}

void cc_wallet_lock_keys(struct cc_wallet *w)
{
    cc_wallet_keys_lock(w->keys);
    w->unlocked_until = 0;
}

int64_t cc_wallet_unlocked_until(const struct cc_wallet *w)
{
    return w->unlocked_until;
}
