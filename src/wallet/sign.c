/* sign.c: finding coins, signing, and sending. */
#include <stdlib.h>

#include "crypto/ec.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"
#include "wallet/wallet_i.h"

static void copy_coin(struct cc_coin *coin, const struct cc_txout *out,
                      struct cc_arena *arena)
{
    coin->out.value = out->value;
    coin->out.script =
        cc_bytes(cc_arena_dup(arena, out->script.data, out->script.len),
                 out->script.len);
}

enum cc_status cc_wallet_find_coin(struct cc_wallet *w,
                                   const struct cc_outpoint *o,
                                   struct cc_coin *coin, struct cc_arena *arena,
                                   struct cc_error *err)
{
    const struct cc_wallet_tx *own = cc_book_find(w->book, o->txid);
    const struct cc_mempool_entry *e;

    memset(coin, 0, sizeof(*coin));
    if (own && o->index < own->tx.vout_count) {
        copy_coin(coin, &own->tx.vout[o->index], arena);
        coin->height = own->height >= 0 ? (uint32_t)own->height : 0;
        coin->coinbase = own->generated;
        return CC_OK;
    }
    e = cc_mempool_find(w->ws->config.mempool, o->txid);
    if (e && o->index < e->tx.vout_count) {
        copy_coin(coin, &e->tx.vout[o->index], arena);
        return CC_OK;
    }
    return cc_chain_coin(w->ws->config.chain, o, coin, arena, err);
}

/* The witness of one key path spend (BIP 341): a signature, and the hash type
 * unless it is the default. */
static enum cc_status sign_input(struct cc_wallet *w, struct cc_tx *tx,
                                 const struct cc_sighash *s, size_t i,
                                 const struct cc_wallet_key *key, uint8_t type,
                                 struct cc_error *err)
{
    const struct cc_taproot_ctx ctx = {.tapscript = false};
    uint8_t secret[32], msg[32], *sig;
    struct cc_txin *in = &tx->vin[i];
    bool ok;

    if (!cc_sighash_v1(msg, s, i, type, &ctx))
        return cc_fail(err, CC_INVALID,
                       "input %zu has no output to sign with that hash type",
                       i);
    if (!cc_wallet_keys_secret(w->keys, key, secret))
        return cc_wallet_refuse(err, CC_INVALID, "locked",
                                "Please enter the wallet passphrase with "
                                "walletpassphrase first.");
    sig = cc_arena_alloc(&tx->arena, 65);
    ok = cc_schnorr_sign(w->ws->config.ec, sig, secret, msg, 32, NULL);
    cc_cleanse(secret, sizeof(secret));
    if (!ok)
        return cc_fail(err, CC_INVALID, "Signing transaction failed");
    sig[64] = type;
    in->witness = cc_arena_alloc(&tx->arena, sizeof(*in->witness));
    in->witness[0] = cc_bytes(sig, type == CC_SIGHASH_DEFAULT ? 64 : 65);
    in->witness_count = 1;
    in->script_sig = cc_bytes(NULL, 0);
    return CC_OK;
}

enum cc_status cc_wallet_sign(struct cc_wallet *w, struct cc_tx *tx,
                              const struct cc_coin *coins, uint8_t type,
                              size_t *signed_count, struct cc_error *err)
{
    struct cc_sighash s;
    struct cc_wallet_key key;
    enum cc_status st = CC_OK;
    size_t n = 0;

    cc_sighash_init(&s, tx, coins);
    for (size_t i = 0; st == CC_OK && i < tx->vin_count; i++) {
        if (!cc_wallet_keys_find(w->keys, coins[i].out.script, &key))
            continue;
        st = sign_input(w, tx, &s, i, &key, type, err);
        n++;
    }
    cc_tx_finish(tx);
    if (signed_count)
        *signed_count = n;
    return st;
}

/* The fee, if every input is a coin of ours. */
static bool own_fee(struct cc_wallet *w, const struct cc_tx *tx, cc_amount *fee)
{
    size_t ours;
    cc_amount in = cc_book_debit(w->book, tx, &ours), out = 0;

    for (size_t i = 0; i < tx->vout_count; i++)
        out += tx->vout[i].value;
    *fee = in - out;
    return ours == tx->vin_count && *fee >= 0;
}

void cc_wallet_broadcast(struct cc_wallet *w, const uint8_t txid[32])
{
    const struct cc_wallets_config *c = &w->ws->config;

    if (c->broadcast)
        c->broadcast(c->broadcast_arg, txid);
}

enum cc_status cc_wallet_commit(struct cc_wallet *w, const struct cc_tx *tx,
                                const char *comment, const char *to,
                                struct cc_error *err)
{
    struct cc_mempool *pool = w->ws->config.mempool;
    struct cc_mempool_accept accept;
    bool known = cc_book_find(w->book, tx->txid) != NULL, fee_known;
    cc_amount fee;
    enum cc_status st = cc_mempool_add(pool, tx, true, &accept, err);

    if (st != CC_OK)
        return st;
    fee_known = own_fee(w, tx, &fee);
    cc_book_add_ours(w->book, tx, fee, fee_known,
                     cc_clock_now(w->ws->config.clock), comment, to);
    st = cc_wallet_flush(w, err);
    if (st != CC_OK) {
        /* Not kept, so not sent: its coins are free again. */
        if (!known)
            cc_book_forget(w->book, tx->txid);
        cc_wallet_file_drop(w->file);
        w->renew = true;
        return st;
    }
    st = cc_mempool_add(pool, tx, false, &accept, err);
    if (st != CC_OK)
        cc_log(w->ws->config.log,
               "wallet %s: a transaction could not be sent at once: %s",
               w->name, err ? err->text : "");
    else
        cc_wallet_broadcast(w, tx->txid);
    return CC_OK;
}

enum cc_status cc_wallet_abandon(struct cc_wallet *w, const uint8_t txid[32],
                                 struct cc_error *err)
{
    if (!cc_book_abandon(w->book, txid))
        return cc_fail(err, CC_INVALID,
                       "Transaction not eligible for abandonment");
    return cc_wallet_flush(w, err);
}
