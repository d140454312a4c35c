/* wallets: making, loading, unloading, encrypting, backing up. */
#include <inttypes.h>
#include <stdlib.h>

#include "chain/chain.h"
#include "rpc/settings.h"
#include "rpc/walletcall.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#define WALLET_VERSION 169900 /* FEATURE_PRE_SPLIT_KEYPOOL: Core's latest */

/* --- The list ---------------------------------------------------------- */

/* {"name", "warnings"}; argument start says whether it is loaded at the next
 * start too, or, left out, that this stays as it is. */
static json_t *name_and_warnings(struct cc_rpc_call *call, const char *name,
                                 size_t start, bool named)
{
    json_t *o = json_object(), *a;
    struct cc_error err;
    enum cc_status st = CC_OK;

    if (cc_rpc_arg(call, start)) {
        cc_wallets_lock(call->env->wallets);
        st = cc_settings_set_wallet(call->env->settings, name,
                                    cc_rpc_bool(call, start, false), &err);
        cc_wallets_unlock(call->env->wallets);
    }
    if (named)
        cc_json_set_str(o, "name", name);
    if (st != CC_OK) {
        a = json_array();
        json_array_append_new(
            a, json_string("Wallet load on startup setting value could not be "
                           "updated, so wallet may not be loaded next node "
                           "startup."));
        cc_json_set(o, "warnings", a);
    }
    return o;
}

static json_t *createwallet(struct cc_rpc_call *call)
{
    const char *name = cc_rpc_str(call, 0, "");
    struct cc_wallet_create how = {.word_count = 24,
                                   .passphrase = cc_rpc_str(call, 3, NULL)};
    struct cc_error err;
    int64_t words = 24;
    enum cc_status st;

    if (cc_rpc_bool(call, 1, false) || cc_rpc_bool(call, 2, false) ||
        cc_rpc_bool(call, 7, false))
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR,
                            "Wallets without keys of their own are not "
                            "supported");
    if (cc_rpc_bool(call, 4, false))
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR,
                            "avoid_reuse is not supported: each payment has a "
                            "fresh address anyway");
    if (!cc_rpc_bool(call, 5, true))
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR,
                            "Compiled without bdb support (required for legacy "
                            "wallets)");
    how.words = cc_rpc_str(call, 8, NULL);
    how.words_passphrase = cc_rpc_str(call, 10, NULL);
    if (!cc_rpc_get_int(call, 9, &how.birthday) ||
        !cc_rpc_get_int(call, 11, &words))
        return NULL;
    if (words != 12 && words != 24)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "word_count must be 12 or 24");
    if (how.birthday < 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Invalid birthday");
    how.word_count = (unsigned)words;
    st = cc_wallets_create(call->env->wallets, name, &how, &err);
    if (st == CC_LIMIT && !strcmp(err.reason, "exists"))
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR,
                            "Wallet file verification failed. Failed to create "
                            "database path '%s/%s'. Database already exists.",
                            cc_wallets_config(call->env->wallets)->directory,
                            name);
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err,
                                   st == CC_INVALID && how.words
                                       ? CC_RPC_INVALID_PARAMETER
                                       : CC_RPC_WALLET_ERROR);
    return name_and_warnings(call, name, 6, true);
}

static json_t *loadwallet(struct cc_rpc_call *call)
{
    const char *name = cc_rpc_str(call, 0, "");
    const char *dir = cc_wallets_config(call->env->wallets)->directory;
    struct cc_error err;
    enum cc_status st = cc_wallets_load(call->env->wallets, name, &err);

    if (st == CC_NOTFOUND)
        return cc_rpc_error(call, CC_RPC_WALLET_NOT_FOUND,
                            "Wallet file verification failed. Failed to load "
                            "database path '%s/%s'. Path does not exist.",
                            dir, name);
    if (st == CC_LIMIT && !strcmp(err.reason, "loaded"))
        return cc_rpc_error(call, CC_RPC_WALLET_ALREADY_LOADED,
                            "Wallet file verification failed. Refusing to load "
                            "database. Data file '%s/%s/wallet.dat' is already "
                            "loaded.",
                            dir, name);
    if (st != CC_OK)
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR,
                            "Wallet file verification failed. %s", err.text);
    return name_and_warnings(call, name, 1, true);
}

static json_t *restorewallet(struct cc_rpc_call *call)
{
    const char *name = cc_rpc_str(call, 0, ""), *from = cc_rpc_str(call, 1, "");
    struct cc_error err;
    enum cc_status st;

    if (!cc_fs_exists(from))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Backup file does not exist");
    st = cc_wallets_restore(call->env->wallets, name, from, &err);
    if (st == CC_LIMIT && !strcmp(err.reason, "exists"))
        return cc_rpc_error(call, CC_RPC_WALLET_ALREADY_EXISTS,
                            "Failed to create database path '%s/%s'. Database "
                            "already exists.",
                            cc_wallets_config(call->env->wallets)->directory,
                            name);
    if (st != CC_OK)
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR,
                            "Wallet file verification failed. %s", err.text);
    return name_and_warnings(call, name, 2, true);
}

static json_t *unloadwallet(struct cc_rpc_call *call)
{
    const char *given = cc_rpc_str(call, 0, NULL);
    char *name;
    struct cc_error err;
    enum cc_status st;
    json_t *o;

    if (call->wallet && given && strcmp(call->wallet, given) != 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "RPC endpoint wallet and wallet_name parameter "
                            "specify different wallets");
    if (!call->wallet && !given)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Either RPC endpoint wallet or wallet_name "
                            "parameter must be provided");
    name = cc_strdup(call->wallet ? call->wallet : given);
    st = cc_wallets_unload(call->env->wallets, name, &err);
    if (st == CC_NOTFOUND)
        o = cc_rpc_error(call, CC_RPC_WALLET_NOT_FOUND,
                         "Requested wallet does not exist or is not loaded");
    else if (st != CC_OK)
        o = cc_rpc_wallet_error(call, st, &err, CC_RPC_WALLET_ERROR);
    else
        o = name_and_warnings(call, name, 1, false);
    free(name);
    return o;
}

static json_t *listwallets(struct cc_rpc_call *call)
{
    struct cc_wallets *ws = call->env->wallets;
    json_t *a = json_array();
    struct cc_wallet *w;

    cc_wallets_lock(ws);
    for (size_t i = 0; (w = cc_wallets_at(ws, i)); i++)
        json_array_append_new(a, json_string(cc_wallet_name(w)));
    cc_wallets_unlock(ws);
    return a;
}

static json_t *listwalletdir(struct cc_rpc_call *call)
{
    json_t *o = json_object(), *a = json_array();
    struct cc_error err;
    char **names;
    size_t n;

    if (cc_wallets_list_dir(call->env->wallets, &names, &n, &err) != CC_OK) {
        json_decref(o);
        json_decref(a);
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR, "%s", err.text);
    }
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();

        cc_json_set_str(one, "name", names[i]);
        json_array_append_new(a, one);
    }
    cc_fs_list_free(names, n);
    cc_json_set(o, "wallets", a);
    return o;
}

/* --- One wallet -------------------------------------------------------- */

static json_t *getwalletinfo(struct cc_rpc_call *call)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    struct cc_wallet_keys *keys;
    struct cc_balance b;
    int64_t seconds;
    double progress;
    json_t *o, *scan = NULL;

    if (!w)
        return NULL;
    keys = cc_wallet_keys(w);
    cc_book_balance(cc_wallet_book(w), 0, &b);
    o = json_object();
    cc_json_set_str(o, "walletname", cc_wallet_name(w));
    cc_json_set_int(o, "walletversion", WALLET_VERSION);
    cc_json_set_str(o, "format", "cloudcoin");
    cc_json_set_amount(o, "balance", b.trusted);
    cc_json_set_amount(o, "unconfirmed_balance", b.pending);
    cc_json_set_amount(o, "immature_balance", b.immature);
    cc_json_set_int(o, "txcount", (int64_t)cc_book_count(cc_wallet_book(w)));
    cc_json_set_int(o, "keypoolsize", CC_WALLET_GAP);
    cc_json_set_int(o, "keypoolsize_hd_internal", CC_WALLET_GAP);
    if (cc_wallet_keys_encrypted(keys))
        cc_json_set_int(o, "unlocked_until", cc_wallet_unlocked_until(w));
    cc_json_set_amount(o, "paytxfee", cc_wallet_pay_feerate(w));
    cc_json_set_bool(o, "private_keys_enabled", true);
    cc_json_set_bool(o, "avoid_reuse", false);
    progress = cc_wallet_scanning(w, &seconds);
    if (progress >= 0) {
        scan = json_object();
        cc_json_set_int(scan, "duration", seconds);
        cc_json_set(scan, "progress", cc_json_double(progress));
    }
    cc_json_set(o, "scanning", scan ? scan : json_false());
    cc_json_set_bool(o, "descriptors", true);
    cc_json_set_bool(o, "external_signer", false);
    cc_json_set_bool(o, "blank", false);
    cc_json_set_int(o, "birthtime", cc_wallet_made(w));
    cc_json_set_int(o, "birthday", cc_wallet_birthday(w));
    cc_json_set(o, "lastprocessedblock", cc_rpc_last_processed(w));
    cc_rpc_wallet_end(call);
    return o;
}

static json_t *getwalletwords(struct cc_rpc_call *call)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    const char *passphrase;
    char words[256];
    json_t *o = NULL;

    if (!w)
        return NULL;
    if (cc_rpc_wallet_unlocked(call, w) &&
        cc_wallet_keys_words(cc_wallet_keys(w), words, &passphrase)) {
        o = json_object();
        cc_json_set_str(o, "words", words);
        cc_json_set_str(o, "words_passphrase", passphrase);
        cc_json_set_int(o, "birthday", cc_wallet_birthday(w));
        cc_cleanse(words, sizeof(words));
    }
    cc_rpc_wallet_end(call);
    return o;
}

static json_t *settxfee(struct cc_rpc_call *call)
{
    const struct cc_wallets_config *c = cc_wallets_config(call->env->wallets);
    struct cc_mempool_stats stats;
    struct cc_wallet *w;
    cc_amount rate = 0;
    char bound[CC_AMOUNT_TEXT_SIZE];

    if (!cc_rpc_get_amount(call, cc_rpc_arg(call, 0), &rate))
        return NULL;
    cc_mempool_stats(call->env->mempool, &stats);
    if (rate && rate < stats.min_relay_feerate) {
        cc_amount_format(bound, stats.min_relay_feerate);
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "txfee cannot be less than min relay tx fee (%s "
                            "BTC/kvB)",
                            bound);
    }
    if (rate && rate < c->min_feerate) {
        cc_amount_format(bound, c->min_feerate);
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "txfee cannot be less than wallet min fee (%s "
                            "BTC/kvB)",
                            bound);
    }
    if (rate > c->max_fee) { /* a transaction of one kvB pays this */
        cc_amount_format(bound, c->max_fee);
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "txfee cannot be more than wallet max tx fee (%s "
                            "BTC/kvB)",
                            bound);
    }
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    cc_wallet_set_pay_feerate(w, rate);
    cc_rpc_wallet_end(call);
    return json_true();
}

static json_t *backupwallet(struct cc_rpc_call *call)
{
    char *name = cc_rpc_wallet_name(call);
    struct cc_error err;
    enum cc_status st;

    if (!name)
        return NULL;
    st = cc_wallets_backup(call->env->wallets, name, cc_rpc_str(call, 0, ""),
                           &err);
    free(name);
    if (st != CC_OK)
        return cc_rpc_error(call, CC_RPC_WALLET_ERROR,
                            "Error: Wallet backup failed!");
    return json_null();
}

static json_t *rescanblockchain(struct cc_rpc_call *call)
{
    int64_t from = 0, to = -1, last = -1, tip;
    char *name = cc_rpc_wallet_name(call);
    struct cc_error err;
    enum cc_status st;
    json_t *o;

    if (!name)
        return NULL;
    if (!cc_rpc_get_int(call, 0, &from) || !cc_rpc_get_int(call, 1, &to))
        goto fail;
    tip = (int64_t)cc_chain_tip(call->env->chain)->height;
    if (from < 0 || from > tip) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Invalid start_height");
        goto fail;
    }
    if (cc_rpc_arg(call, 1) && (to < 0 || to > tip)) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "Invalid stop_height");
        goto fail;
    }
    if (cc_rpc_arg(call, 1) && to < from) {
        cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                     "stop_height must be greater than start_height");
        goto fail;
    }
    if (cc_chain_prune_info(call->env->chain).first > from) {
        cc_rpc_error(call, CC_RPC_MISC_ERROR,
                     "Can't rescan beyond pruned data. Use RPC call "
                     "getblockchaininfo to determine your pruned height.");
        goto fail;
    }
    st = cc_wallets_rescan(call->env->wallets, name, from, to, &last, &err);
    free(name);
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err, CC_RPC_MISC_ERROR);
    o = json_object();
    cc_json_set_int(o, "start_height", from);
    cc_json_set(o, "stop_height", last < 0 ? json_null() : json_integer(last));
    return o;
fail:
    free(name);
    return NULL;
}

static json_t *abortrescan(struct cc_rpc_call *call)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    bool ended;

    if (!w)
        return NULL;
    ended = cc_wallet_abort_scan(w);
    cc_rpc_wallet_end(call);
    return json_boolean(ended);
}

/* --- Encryption -------------------------------------------------------- */

/* Core's sentence for a wallet that is (not) encrypted, or NULL. */
static bool right_state(struct cc_rpc_call *call, bool encrypted)
{
    struct cc_wallet *w = cc_rpc_wallet(call);
    bool is;

    if (!w)
        return false;
    is = cc_wallet_keys_encrypted(cc_wallet_keys(w));
    cc_rpc_wallet_end(call);
    if (is == encrypted)
        return true;
    cc_rpc_error(call, CC_RPC_WALLET_WRONG_ENC_STATE,
                 "Error: running with an %s wallet, but %s was called.",
                 is ? "encrypted" : "unencrypted", call->method->name);
    return false;
}

static json_t *encryptwallet(struct cc_rpc_call *call)
{
    const char *passphrase = cc_rpc_str(call, 0, "");
    char *name;
    struct cc_error err;
    enum cc_status st;

    if (!right_state(call, false))
        return NULL;
    if (!*passphrase)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "passphrase cannot be empty");
    name = cc_rpc_wallet_name(call);
    if (!name)
        return NULL;
    st = cc_wallets_encrypt(call->env->wallets, name, passphrase, &err);
    free(name);
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, &err,
                                   CC_RPC_WALLET_ENCRYPTION_FAILED);
    return json_string("wallet encrypted; Words and keys stay the same. "
                       "Backups made before are not encrypted: destroy them "
                       "and make a new backup.");
}

/* What became of a call that gave a passphrase. */
static json_t *passphrase_answer(struct cc_rpc_call *call, enum cc_status st,
                                 const struct cc_error *err)
{
    if (st == CC_INVALID)
        return cc_rpc_error(call, CC_RPC_WALLET_PASSPHRASE_INCORRECT,
                            "Error: The wallet passphrase entered was "
                            "incorrect.");
    if (st != CC_OK)
        return cc_rpc_wallet_error(call, st, err, CC_RPC_WALLET_ERROR);
    return json_null();
}

static json_t *walletpassphrase(struct cc_rpc_call *call)
{
    const char *passphrase = cc_rpc_str(call, 0, "");
    int64_t timeout = 0;
    char *name;
    struct cc_error err;
    enum cc_status st;

    if (!right_state(call, true) || !cc_rpc_get_int(call, 1, &timeout))
        return NULL;
    if (timeout < 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Timeout cannot be negative.");
    if (!*passphrase)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "passphrase cannot be empty");
    name = cc_rpc_wallet_name(call);
    if (!name)
        return NULL;
    st = cc_wallets_unlock_keys(call->env->wallets, name, passphrase, timeout,
                                &err);
    free(name);
    return passphrase_answer(call, st, &err);
}

static json_t *walletlock(struct cc_rpc_call *call)
{
    struct cc_wallet *w;

    if (!right_state(call, true))
        return NULL;
    w = cc_rpc_wallet(call);
    if (!w)
        return NULL;
    cc_wallet_lock_keys(w);
    cc_rpc_wallet_end(call);
    return json_null();
}

static json_t *walletpassphrasechange(struct cc_rpc_call *call)
{
    const char *old = cc_rpc_str(call, 0, ""), *fresh = cc_rpc_str(call, 1, "");
    char *name;
    struct cc_error err;
    enum cc_status st;

    if (!right_state(call, true))
        return NULL;
    if (!*old || !*fresh)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "passphrase cannot be empty");
    name = cc_rpc_wallet_name(call);
    if (!name)
        return NULL;
    st = cc_wallets_change_passphrase(call->env->wallets, name, old, fresh,
                                      &err);
    free(name);
    return passphrase_answer(call, st, &err);
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg create_args[] = {
    CC_ARG("wallet_name", CC_RPC_STR, NULL, "The name for the new wallet."),
    CC_ARG("disable_private_keys", CC_RPC_BOOL, "false", "Not supported."),
    CC_ARG("blank", CC_RPC_BOOL, "false", "Not supported."),
    CC_ARG("passphrase", CC_RPC_STR, "",
           "Encrypt the wallet with this passphrase."),
    CC_ARG("avoid_reuse", CC_RPC_BOOL, "false", "Not supported."),
    CC_ARG("descriptors", CC_RPC_BOOL, "true", "Must be true."),
    CC_ARG(
        "load_on_startup", CC_RPC_BOOL, "",
        "Load it at the next start too (true), or no more (false); left out: "
        "as it was."),
    CC_ARG("external_signer", CC_RPC_BOOL, "false", "Not supported."),
    CC_ARG("words", CC_RPC_STR, "",
           "Restore the wallet of these BIP 39 words instead of making fresh "
           "ones."),
    CC_ARG("birthday", CC_RPC_NUM, "0",
           "With words: the height from which the chain is searched for its "
           "coins."),
    CC_ARG("words_passphrase", CC_RPC_STR, "",
           "The BIP 39 passphrase that belongs to the words; without it they "
           "are another wallet."),
    CC_ARG("word_count", CC_RPC_NUM, "24", "Of fresh words: 12 or 24."),
};
static const struct cc_rpc_arg load_args[] = {
    CC_ARG("filename", CC_RPC_STR, NULL, "The wallet's name."),
    CC_ARG(
        "load_on_startup", CC_RPC_BOOL, "",
        "Load it at the next start too (true), or no more (false); left out: "
        "as it was."),
};
static const struct cc_rpc_arg restore_args[] = {
    CC_ARG("wallet_name", CC_RPC_STR, NULL,
           "The name that will be applied to the restored wallet"),
    CC_ARG("backup_file", CC_RPC_STR, NULL,
           "The backup file that will be used to restore the wallet."),
    CC_ARG(
        "load_on_startup", CC_RPC_BOOL, "",
        "Load it at the next start too (true), or no more (false); left out: "
        "as it was."),
};
static const struct cc_rpc_arg unload_args[] = {
    CC_ARG("wallet_name", CC_RPC_STR, "",
           "The name of the wallet to unload. If provided both here and in "
           "the RPC endpoint, the two must be identical."),
    CC_ARG("load_on_startup", CC_RPC_BOOL, "",
           "Load it at the next start (true), or no more (false); left out: as "
           "it was."),
};
static const struct cc_rpc_arg fee_args[] = {
    CC_ARG("amount", CC_RPC_AMOUNT, NULL, "The transaction fee rate per kvB"),
};
static const struct cc_rpc_arg backup_args[] = {
    CC_ARG("destination", CC_RPC_STR, NULL,
           "The destination directory or file"),
};
static const struct cc_rpc_arg rescan_args[] = {
    CC_ARG("start_height", CC_RPC_NUM, "0",
           "block height where the rescan should start"),
    CC_ARG("stop_height", CC_RPC_NUM, "",
           "the last block height that should be scanned. If none is provided "
           "it will rescan up to the tip at return time of this call."),
};
static const struct cc_rpc_arg encrypt_args[] = {
    CC_ARG("passphrase", CC_RPC_STR, NULL,
           "The pass phrase to encrypt the wallet with. It must be at least 1 "
           "character, but should be long."),
};
static const struct cc_rpc_arg passphrase_args[] = {
    CC_ARG("passphrase", CC_RPC_STR, NULL, "The wallet passphrase"),
    CC_ARG("timeout", CC_RPC_NUM, NULL,
           "The time to keep the decryption key in seconds; capped at "
           "100000000 (~3 years)."),
};
static const struct cc_rpc_arg change_args[] = {
    CC_ARG("oldpassphrase", CC_RPC_STR, NULL, "The current passphrase"),
    CC_ARG("newpassphrase", CC_RPC_STR, NULL, "The new passphrase"),
};

static const struct cc_rpc_method methods[] = {
    {"wallet", "abortrescan", abortrescan, CC_RPC_NO_ARGS,
     "Stops current wallet rescan triggered by an RPC call, e.g. by a "
     "rescanblockchain call.",
     "true|false    Whether the abort was successful", "", 0},
    {"wallet", "backupwallet", backupwallet, CC_RPC_ARGS(backup_args),
     "Safely copies the current wallet file to the specified destination, "
     "which can either be a directory or a path with a filename.",
     "null", "\"backup.dat\"", 0},
    {"wallet", "createwallet", createwallet, CC_RPC_ARGS(create_args),
     "Creates and loads a new wallet, from fresh words or from given ones.",
     "{...}    name", "\"testwallet\"", 0},
    {"wallet", "encryptwallet", encryptwallet, CC_RPC_ARGS(encrypt_args),
     "Encrypts the wallet with 'passphrase'. This is for first time "
     "encryption.\n"
     "After this, any calls that interact with private keys such as sending or "
     "signing will require the passphrase to be set prior to making these "
     "calls.\n"
     "Use the walletpassphrase call for this, and then walletlock call.",
     "\"str\"    A string with further instructions", "\"my pass phrase\"", 0},
    {"wallet", "getwalletinfo", getwalletinfo, CC_RPC_NO_ARGS,
     "Returns an object containing various wallet state info.",
     "{...}    walletname, balance, txcount, scanning, ...", "", 0},
    {"wallet", "getwalletwords", getwalletwords, CC_RPC_NO_ARGS,
     "Returns the words from which all of the wallet's keys come. Whoever has "
     "them has the money. Needs the wallet to be unlocked.",
     "{...}    words, words_passphrase, birthday: as createwallet takes them",
     "", 0},
    {"wallet", "listwalletdir", listwalletdir, CC_RPC_NO_ARGS,
     "Returns a list of wallets in the wallet directory.",
     "{...}    wallets: of each the name", "", 0},
    {"wallet", "listwallets", listwallets, CC_RPC_NO_ARGS,
     "Returns a list of currently loaded wallets.\n"
     "For full information on the wallet, use \"getwalletinfo\"",
     "[...]    names", "", 0},
    {"wallet", "loadwallet", loadwallet, CC_RPC_ARGS(load_args),
     "Loads a wallet from the wallet directory.", "{...}    name",
     "\"testwallet\"", 0},
    {"wallet", "rescanblockchain", rescanblockchain, CC_RPC_ARGS(rescan_args),
     "Rescan the local blockchain for wallet related transactions.\n"
     "Note: Use \"getwalletinfo\" to query the scanning progress.",
     "{...}    start_height, stop_height: of the blocks that were scanned",
     "100000 120000", 0},
    {"wallet", "restorewallet", restorewallet, CC_RPC_ARGS(restore_args),
     "Restores and loads a wallet from backup.\n"
     "The rescan is significantly faster if the backup is recent.",
     "{...}    name", "\"testwallet\" \"home/backups/backup-file.bak\"", 0},
    {"wallet", "settxfee", settxfee, CC_RPC_ARGS(fee_args),
     "Set the transaction fee rate per kvB for this wallet. Overrides the "
     "global -paytxfee command line parameter.\n"
     "Can be deactivated by passing 0 as the fee.",
     "true", "0.00001", 0},
    {"wallet", "unloadwallet", unloadwallet, CC_RPC_ARGS(unload_args),
     "Unloads the wallet referenced by the request endpoint or the "
     "wallet_name argument.",
     "{}", "\"testwallet\"", 0},
    {"wallet", "walletlock", walletlock, CC_RPC_NO_ARGS,
     "Removes the wallet encryption key from memory, locking the wallet.\n"
     "After calling this method, you will need to call walletpassphrase again "
     "before being able to call any methods which require the wallet to be "
     "unlocked.",
     "null", "", 0},
    {"wallet", "walletpassphrase", walletpassphrase,
     CC_RPC_ARGS(passphrase_args),
     "Stores the wallet decryption key in memory for 'timeout' seconds.\n"
     "This is needed prior to performing transactions related to private keys "
     "such as sending coins",
     "null", "\"my pass phrase\" 60", 0},
    {"wallet", "walletpassphrasechange", walletpassphrasechange,
     CC_RPC_ARGS(change_args),
     "Changes the wallet passphrase from 'oldpassphrase' to 'newpassphrase'.",
     "null", "\"old one\" \"new one\"", 0},
};

void cc_rpc_register_wallet_admin(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
