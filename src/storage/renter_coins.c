/*
 * Coins for several contracts at once. A contract's change cannot be spent
 * again before a block holds it (the host's inputs are in the same
 * transaction), so a wallet with one coin could form one contract a block.
 */
#include "storage/renter_internal.h"

#include "util/clock.h"
#include "util/mem.h"

#include <time.h>

#define SPLIT_MIN 100000 /* satoshi; below, a contract is not to be had */
#define WAIT_MS (60 * 60 * 1000)
#define POLL_MS 250

/* How many coins a contract could take, and what they sum up to. */
static size_t count_coins(const json_t *list, cc_amount *sum)
{
    const json_t *row;
    size_t i, n = 0;

    *sum = 0;
    json_array_foreach((json_t *)list, i, row)
    {
        const json_t *safe = json_object_get(row, "safe");

        if (!json_is_true(json_object_get(row, "spendable")) ||
            (safe && !json_is_true(safe)))
            continue;
        *sum += cc_renter_amount(json_object_get(row, "amount"));
        n++;
    }
    return n;
}

static enum cc_status send_split(struct cc_renter *r, size_t count,
                                 cc_amount each, json_t **txid,
                                 struct cc_error *err)
{
    char text[CC_AMOUNT_TEXT_SIZE];
    json_t *outputs = json_object(), *address = NULL;
    enum cc_status st = CC_OK;

    cc_amount_format(text, each);
    for (size_t i = 0; i < count && st == CC_OK; i++) {
        st = cc_renter_call(r, "getrawchangeaddress", NULL, &address, err);
        if (st == CC_OK)
            json_object_set_new(outputs, json_string_value(address),
                                json_string(text));
        json_decref(address);
        address = NULL;
    }
    if (st != CC_OK) {
        json_decref(outputs);
        return st;
    }
    return cc_renter_call(r, "sendmany", json_pack("[s, o]", "", outputs), txid,
                          err);
}

static enum cc_status wait_for_block(struct cc_renter *r, const char *txid,
                                     struct cc_error *err)
{
    const struct timespec pause = {0, POLL_MS * 1000000L};
    json_t *v;
    enum cc_status st;
    bool mined;

    for (int waited = 0; waited < WAIT_MS; waited += POLL_MS) {
        v = NULL;
        st = cc_renter_call(r, "gettransaction", json_pack("[s]", txid), &v,
                            err);
        if (st != CC_OK)
            return st;
        mined = json_integer_value(json_object_get(v, "confirmations")) > 0;
        json_decref(v);
        if (mined)
            return CC_OK;
        nanosleep(&pause, NULL);
    }
    return cc_renter_ours(
        err, cc_fail(err, CC_LIMIT,
                     "no block took transaction %s, which splits our coins, "
                     "within an hour: try again once it is confirmed",
                     txid));
}

enum cc_status cc_renter_split_coins(struct cc_renter *r, size_t count,
                                     struct cc_error *err)
{
    json_t *list = NULL, *txid = NULL;
    cc_amount sum, each;
    enum cc_status st;
    size_t have;

    st = cc_renter_call(r, "listunspent", json_pack("[i]", 0), &list, err);
    if (st != CC_OK)
        return st;
    have = count_coins(list, &sum);
    json_decref(list);
    /* A little stays for the fee. Too little: forming will say what is needed.
     */
    each = (sum - sum / 64) / (cc_amount)(count ? count : 1);
    if (have >= count || each < SPLIT_MIN)
        return CC_OK;
    st = send_split(r, count, each, &txid, err);
    if (st != CC_OK)
        return st;
    cc_renter_say(r,
                  "splitting the wallet's coins in %zu for as many contracts; "
                  "waiting for a block to take %s",
                  count, json_string_value(txid));
    st = wait_for_block(r, json_string_value(txid), err);
    json_decref(txid);
    return st;
}
