#include "rpc/walletcall.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chain/chain.h"
#include "util/hex.h"
#include "util/mem.h"
#include "wallet/descriptor.h"

/* Under the lock. */
static struct cc_wallet *choose(struct cc_rpc_call *call)
{
    struct cc_wallets *ws = call->env->wallets;
    struct cc_wallet *w = NULL;

    if (call->wallet) {
        w = cc_wallets_find(ws, call->wallet);
        if (!w)
            cc_rpc_error(call, CC_RPC_WALLET_NOT_FOUND,
                         "Requested wallet does not exist or is not loaded");
    } else if (!cc_wallets_at(ws, 0)) {
        cc_rpc_error(call, CC_RPC_WALLET_NOT_FOUND,
                     "No wallet is loaded. Load a wallet using loadwallet or "
                     "create a new one with createwallet. (Note: A default "
                     "wallet is no longer automatically created)");
    } else if (cc_wallets_at(ws, 1)) {
        cc_rpc_error(call, CC_RPC_WALLET_NOT_SPECIFIED,
                     "Wallet file not specified (must request wallet RPC "
                     "through /wallet/<filename> uri-path).");
    } else {
        w = cc_wallets_at(ws, 0);
    }
    return w;
}

struct cc_wallet *cc_rpc_wallet(struct cc_rpc_call *call)
{
    struct cc_wallet *w;

    cc_wallets_lock(call->env->wallets);
    w = choose(call);
    if (!w)
        cc_wallets_unlock(call->env->wallets);
    return w;
}

void cc_rpc_wallet_end(struct cc_rpc_call *call)
{
    cc_wallets_unlock(call->env->wallets);
}

char *cc_rpc_wallet_name(struct cc_rpc_call *call)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    char *name;

    if (!w)
        return NULL;
    name = cc_strdup(cc_wallet_name(w));
    cc_rpc_wallet_end(call);
    return name;
}

static json_t *error_locked(struct cc_rpc_call *call)
{
    return cc_rpc_error(call, CC_RPC_WALLET_UNLOCK_NEEDED,
                        "Error: Please enter the wallet passphrase with "
                        "walletpassphrase first.");
}

bool cc_rpc_wallet_unlocked(struct cc_rpc_call *call, struct cc_wallet *w)
{
    if (!cc_wallet_keys_locked(cc_wallet_keys(w)))
        return true;
    error_locked(call);
    return false;
}

json_t *cc_rpc_wallet_error(struct cc_rpc_call *call, enum cc_status st,
                            const struct cc_error *err, int otherwise)
{
    static const struct {
        const char *reason;
        int code;
    } codes[] = {
        {"funds", CC_RPC_WALLET_INSUFFICIENT_FUNDS},
        {"passphrase", CC_RPC_WALLET_PASSPHRASE_INCORRECT},
        {"state", CC_RPC_WALLET_WRONG_ENC_STATE},
        {"loaded", CC_RPC_WALLET_ALREADY_LOADED},
        {"exists", CC_RPC_WALLET_ERROR},
        {"scanning", CC_RPC_WALLET_ERROR},
    };

    if (!strcmp(err->reason, "locked"))
        return error_locked(call);
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        if (!strcmp(err->reason, codes[i].reason))
            return cc_rpc_error(call, codes[i].code, "%s", err->text);
    }
    if (st == CC_IO || st == CC_CORRUPT)
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR, "%s", err->text);
    if (err->verdict != CC_VERDICT_NONE) /* the mempool's */
        return cc_rpc_error(call, CC_RPC_VERIFY_REJECTED, "%s", err->text);
    return cc_rpc_error(call, otherwise, "%s", err->text);
}

bool cc_rpc_get_payee(struct cc_rpc_call *call, const char *address,
                      uint8_t script[CC_ADDRESS_SCRIPT_MAX], size_t *len)
{
    if (cc_address_decode(script, len, address, &call->env->params->prefixes,
                          NULL))
        return true;
    cc_rpc_bad_address(call, address);
    return false;
}

const char *cc_rpc_address(struct cc_rpc_call *call, struct cc_bytes script,
                           char out[CC_ADDRESS_MAX])
{
    if (!cc_address_encode(out, script.data, script.len,
                           &call->env->params->prefixes))
        out[0] = '\0';
    return out;
}

bool cc_rpc_label(struct cc_rpc_call *call, size_t i, const char **out)
{
    *out = cc_rpc_str(call, i, "");
    if (strcmp(*out, "*") != 0)
        return true;
    cc_rpc_error(call, CC_RPC_WALLET_INVALID_LABEL_NAME, "Invalid label name");
    return false;
}

char *cc_rpc_key_descriptor(struct cc_wallet *w,
                            const struct cc_wallet_key *key)
{
    char path[64], fingerprint[9], internal[65], *text;
    uint8_t print[4];

    cc_hex_encode(internal, key->internal, 32);
    if (key->chain == CC_CHAIN_STORAGE) {
        text = cc_asprintf("rawtr(%s)", internal);
    } else {
        cc_wallet_keys_path(cc_wallet_keys(w), key, path);
        cc_wallet_keys_fingerprint(cc_wallet_keys(w), print);
        cc_hex_encode(fingerprint, print, 4);
        for (char *c = path; *c; c++)
            *c = *c == '\'' ? 'h' : *c;
        text = cc_asprintf("tr([%s%s]%s)", fingerprint, path + 1, internal);
    }
    return cc_descriptor_seal(text);
}

char *cc_rpc_chain_descriptor(struct cc_rpc_call *call, struct cc_wallet *w,
                              enum cc_key_chain chain)
{
    char path[64], fingerprint[9], xpub[CC_BIP32_TEXT_MAX], *text;
    struct cc_bip32 account;
    uint8_t print[4];
    uint32_t branch;

    cc_wallet_keys_account(cc_wallet_keys(w), chain, path, &account, &branch);
    cc_wallet_keys_fingerprint(cc_wallet_keys(w), print);
    cc_hex_encode(fingerprint, print, 4);
    for (char *c = path; *c; c++)
        *c = *c == '\'' ? 'h' : *c;
    cc_bip32_encode(xpub, &account, &call->env->params->prefixes);
    text = cc_asprintf("%s([%s%s]%s/%" PRIu32 "/*)",
                       chain == CC_CHAIN_STORAGE ? "rawtr" : "tr", fingerprint,
                       path + 1, xpub, branch);
    return cc_descriptor_seal(text);
}

json_t *cc_rpc_last_processed(struct cc_wallet *w)
{
    const struct cc_index *i = cc_wallet_synced(w);
    json_t *o = json_object();

    if (i) {
        cc_json_set_hash(o, "hash", i->hash);
        cc_json_set_int(o, "height", i->height);
    }
    return o;
}
