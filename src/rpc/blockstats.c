/* blockchain: figures of one block. */
#include <stdlib.h>

#include "consensus/script.h"
#include "rpc/blockchain.h"
#include "rpc/families.h"
#include "util/mem.h"

/* What one coin costs in the coin set beside its script: outpoint, height with
 * flag, and the value (Bitcoin Core's PER_UTXO_OVERHEAD). */
#define COIN_OVERHEAD (36 + 4 + 1)

struct rate {
    int64_t rate, weight;
};

struct stats {
    int64_t txs, ins, outs, total_size, total_weight;
    int64_t sw_txs, sw_size, sw_weight;
    int64_t max_size, min_size;
    cc_amount total_out, fees, max_fee, min_fee;
    int64_t max_rate, min_rate;
    int64_t utxos, utxo_size, utxos_real, utxo_size_real;
    int64_t *sizes;
    cc_amount *fee_list;
    struct rate *rates;
    size_t count; /* of the three lists: transactions but the coinbase */
};

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int by_rate(const void *a, const void *b)
{
    const struct rate *x = a, *y = b;

    return x->rate < y->rate ? -1 : x->rate > y->rate;
}

static int64_t median(int64_t *list, size_t n)
{
    if (!n)
        return 0;
    qsort(list, n, sizeof(*list), by_number);
    return n % 2 ? list[n / 2] : (list[n / 2 - 1] + list[n / 2]) / 2;
}

/* Feerates below which 10, 25, 50, 75 and 90 percent of the weight lie. */
static json_t *percentiles(struct rate *rates, size_t n, int64_t weight)
{
    static const double shares[] = {0.1, 0.25, 0.5, 0.75, 0.9};
    json_t *a = json_array();
    int64_t sum = 0;
    size_t next = 0;

    if (n)
        qsort(rates, n, sizeof(*rates), by_rate);
    for (size_t i = 0; i < n; i++) {
        sum += rates[i].weight;
        for (; next < 5 && (double)sum >= shares[next] * (double)weight; next++)
            json_array_append_new(a, json_integer(rates[i].rate));
    }
    for (; next < 5; next++)
        json_array_append_new(a, json_integer(n ? rates[n - 1].rate : 0));
    return a;
}

/* Where script and its length go too. */
static int64_t coin_size(struct cc_bytes script)
{
    return (int64_t)(8 + cc_compact_size(script.len) + script.len) +
           COIN_OVERHEAD;
}

/* Of the genesis block nothing enters the coin set. */
static cc_amount count_outputs(struct stats *s, const struct cc_tx *tx,
                               bool genesis)
{
    cc_amount sum = 0;

    for (size_t i = 0; i < tx->vout_count; i++) {
        struct cc_bytes script = tx->vout[i].script;

        sum += tx->vout[i].value;
        s->utxos++;
        s->utxo_size += coin_size(script);
        if (genesis || cc_script_is_unspendable(script))
            continue;
        s->utxos_real++;
        s->utxo_size_real += coin_size(script);
    }
    s->outs += (int64_t)tx->vout_count;
    return sum;
}

static void count_fee(struct stats *s, cc_amount fee, int64_t size,
                      int64_t weight)
{
    int64_t rate = weight ? fee * 4 / weight : 0;
    bool first = s->count == 0;

    s->max_fee = first || fee > s->max_fee ? fee : s->max_fee;
    s->min_fee = first || fee < s->min_fee ? fee : s->min_fee;
    s->max_rate = first || rate > s->max_rate ? rate : s->max_rate;
    s->min_rate = first || rate < s->min_rate ? rate : s->min_rate;
    s->max_size = first || size > s->max_size ? size : s->max_size;
    s->min_size = first || size < s->min_size ? size : s->min_size;
    s->fees += fee;
    s->sizes[s->count] = size;
    s->fee_list[s->count] = fee;
    s->rates[s->count++] = (struct rate){rate, weight};
}

static void count_tx(struct stats *s, const struct cc_tx *tx,
                     const struct cc_tx_undo *undo, bool genesis)
{
    int64_t weight = (int64_t)cc_tx_weight(tx), size = (int64_t)tx->size;
    cc_amount out = count_outputs(s, tx, genesis), in = 0;

    s->txs++;
    if (!undo)
        return; /* the coinbase: its outputs are all that counts */
    s->ins += (int64_t)tx->vin_count;
    s->total_out += out;
    s->total_size += size;
    s->total_weight += weight;
    if (tx->has_witness) {
        s->sw_txs++;
        s->sw_size += size;
        s->sw_weight += weight;
    }
    for (size_t i = 0; i < undo->count; i++) {
        in += undo->coins[i].out.value;
        s->utxos--;
        s->utxos_real--;
        s->utxo_size -= coin_size(undo->coins[i].out.script);
        s->utxo_size_real -= coin_size(undo->coins[i].out.script);
    }
    count_fee(s, in - out, size, weight);
}

static json_t *stats_json(const struct cc_rpc_env *env,
                          const struct cc_index *i, struct stats *s)
{
    int64_t n = (int64_t)s->count;
    json_t *o = json_object();

    cc_json_set_int(o, "avgfee", n ? s->fees / n : 0);
    cc_json_set_int(o, "avgfeerate",
                    s->total_weight ? s->fees * 4 / s->total_weight : 0);
    cc_json_set_int(o, "avgtxsize", n ? s->total_size / n : 0);
    cc_json_set_hash(o, "blockhash", i->hash);
    cc_json_set(o, "feerate_percentiles",
                percentiles(s->rates, s->count, s->total_weight));
    cc_json_set_int(o, "height", i->height);
    cc_json_set_int(o, "ins", s->ins);
    cc_json_set_int(o, "maxfee", s->max_fee);
    cc_json_set_int(o, "maxfeerate", s->max_rate);
    cc_json_set_int(o, "maxtxsize", s->max_size);
    cc_json_set_int(o, "medianfee", median(s->fee_list, s->count));
    cc_json_set_int(o, "mediantime", i->median_time);
    cc_json_set_int(o, "mediantxsize", median(s->sizes, s->count));
    cc_json_set_int(o, "minfee", s->min_fee);
    cc_json_set_int(o, "minfeerate", s->min_rate);
    cc_json_set_int(o, "mintxsize", s->min_size);
    cc_json_set_int(o, "outs", s->outs);
    cc_json_set_int(o, "subsidy", cc_subsidy(env->params, i->height));
    cc_json_set_int(o, "swtotal_size", s->sw_size);
    cc_json_set_int(o, "swtotal_weight", s->sw_weight);
    cc_json_set_int(o, "swtxs", s->sw_txs);
    cc_json_set_int(o, "time", i->header.time);
    cc_json_set_int(o, "total_out", s->total_out);
    cc_json_set_int(o, "total_size", s->total_size);
    cc_json_set_int(o, "total_weight", s->total_weight);
    cc_json_set_int(o, "totalfee", s->fees);
    cc_json_set_int(o, "txs", s->txs);
    cc_json_set_int(o, "utxo_increase", s->utxos);
    cc_json_set_int(o, "utxo_size_inc", s->utxo_size);
    cc_json_set_int(o, "utxo_increase_actual", s->utxos_real);
    cc_json_set_int(o, "utxo_size_inc_actual", s->utxo_size_real);
    return o;
}

/* Only the members that names lists; an unknown name is an error. */
static json_t *select_members(struct cc_rpc_call *call, json_t *all,
                              const json_t *names)
{
    json_t *o;

    if (!json_array_size(names))
        return all;
    o = json_object();
    for (size_t i = 0; i < json_array_size(names); i++) {
        json_t *member = NULL;
        const char *name;

        if (!cc_rpc_get_str(call, json_array_get(names, i), &name))
            ;
        else if (!(member = json_object_get(all, name)))
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "Invalid selected statistic '%s'", name);
        if (!member) {
            json_decref(o);
            o = NULL;
            break;
        }
        json_object_set(o, name, member);
    }
    json_decref(all);
    return o;
}

static json_t *getblockstats(struct cc_rpc_call *call)
{
    struct cc_index *i = cc_rpc_hash_or_height(call, 0);
    struct stats s = {0};
    struct cc_block block;
    struct cc_undo undo = {0};
    bool have_undo;
    json_t *o;

    if (!i || !cc_rpc_read_block(call, i, &block))
        return NULL;
    have_undo = i->prev &&
                cc_chain_read_undo(call->env->chain, i, &undo, NULL) == CC_OK;
    if (i->prev && !have_undo) {
        cc_block_clear(&block);
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "Can't read undo data from disk");
    }
    s.sizes = cc_calloc(block.tx_count + 1, sizeof(*s.sizes));
    s.fee_list = cc_calloc(block.tx_count + 1, sizeof(*s.fee_list));
    s.rates = cc_calloc(block.tx_count + 1, sizeof(*s.rates));
    for (size_t t = 0; t < block.tx_count; t++)
        count_tx(&s, &block.tx[t],
                 t > 0 && t - 1 < undo.count ? &undo.tx[t - 1] : NULL,
                 !i->prev);
    o = stats_json(call->env, i, &s);
    free(s.sizes);
    free(s.fee_list);
    free(s.rates);
    if (have_undo)
        cc_undo_clear(&undo);
    cc_block_clear(&block);
    return select_members(call, o, cc_rpc_arg(call, 1));
}

static const struct cc_rpc_arg stats_args[] = {
    CC_ARG("hash_or_height", CC_RPC_ANY, NULL,
           "The block hash or height of the target block"),
    CC_ARG_AS("stats", CC_RPC_ARR, "all values", "Values to tell", "stats"),
};

static const struct cc_rpc_method methods[] = {
    {"blockchain", "getblockstats", getblockstats, CC_RPC_ARGS(stats_args),
     "Compute per block statistics for a given window. All amounts are in "
     "satoshis.\nThe coinbase counts in outs, txs and the growth of the coin "
     "set alone.",
     "{...}    avgfee, avgfeerate, avgtxsize, blockhash, feerate_percentiles, "
     "height, ins, ...",
     "1000 '[\"minfeerate\",\"avgfeerate\"]'", 0},
};

void cc_rpc_register_blockstats(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
